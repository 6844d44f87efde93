"""The eight-band model by second routes."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq

from nickbook.bands import (
    EightBandParameters,
    bilayer_plane,
    eight_band,
    fermi_sheets,
    filling,
)
from nickbook.claims import measure
from nickbook.claims.glywh import third_dimension as measures

MU = 10.1277


def radius(kz, angle, band):
    """Distance in π/a from M to where a band of the eight-band model crosses the level."""

    def excess(r):
        k = np.pi + r * np.pi * np.array([np.cos(angle), np.sin(angle)])
        return eight_band().energies([*k, kz])[band] - MU

    return brentq(excess, 0.05, 0.6)


@pytest.mark.parametrize("kz", [0.0, 1.0, np.pi])
def test_gamma_radii_by_root_finding_along_rays(kz):
    """The γ lines of the folded zone belong to the two lowest bands, whose top is at M."""
    along, *diagonals = measures.gamma_radii(kz).values()
    rays = [sorted(radius(kz, angle, band) for band in (0, 1)) for angle in (0.0, np.pi / 4)]
    assert rays[0] == pytest.approx([along, along], abs=1e-4)
    assert rays[1] == pytest.approx(sorted(diagonals), abs=1e-3)


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.equation("GLYWH", 30, 31, 32)
def test_printed_elements_between_bilayers_hop_by_hop(far):
    """Eight hops to like layers, and four between facing ones, each with its own vector."""
    p, delta_z = EightBandParameters(), 0.3
    k = np.random.default_rng(30).uniform(-7, 7, (20, 3))
    expected = np.zeros((20, 4, 4), complex)
    # The facing layer of the next bilayer, or that of the same cell.
    way = 0.5 + delta_z if far else delta_z - 0.5
    for x, y in product((-0.5, 0.5), repeat=2):
        for orbital, like, facing in ((0, p.s11_z, p.s13_z), (1, p.s22_z, p.s24_z)):
            for layer in (0, 2):
                for z in (-0.5, 0.5):
                    place = orbital + layer
                    expected[:, place, place] += like * np.exp(1j * k @ [x, y, z])
            expected[:, orbital, orbital + 2] += facing * np.exp(1j * k @ [x, y, way])
            expected[:, orbital + 2, orbital] += facing * np.exp(1j * k @ [x, y, -way])
    found = measures.printed_parts(k, delta_z, far=far)[1]
    assert np.allclose(found, expected, atol=1e-14)


def test_widths_along_kz_at_gamma_in_closed_form():
    """There z² and x²−y² do not mix, and layers split by |s + s_z exp(−ikz/2)|."""
    p, kz = EightBandParameters(), np.linspace(0, 4 * np.pi, 33)
    h = np.array([bilayer_plane(z).hamiltonian([0.0, 0.0]) for z in kz])
    level = p.epsilon_z + 4 * (p.t22_x + p.t22_xy + p.t22_xx) + 8 * p.s22_z * np.cos(kz / 2)
    across = p.s22_0 + 4 * (p.s22_x + p.s22_xy + p.s22_xx) + 4 * p.s24_z * np.exp(-0.5j * kz)
    expected = np.stack([level - np.abs(across), level + np.abs(across)], axis=-1)
    assert np.allclose(np.linalg.eigvalsh(h[:, 1::2, 1::2]), expected, atol=1e-13)
    assert np.ptp(expected, axis=0) == pytest.approx([0.344, 0.152], abs=1e-9)


def test_level_and_its_rounding_by_finite_differences():
    """Slopes by Hellmann and Feynman, against electrons gained when all parameters change."""
    assert measures.average_filling(measures.appd_filling()["level"]) == pytest.approx(3, abs=1e-6)
    p, slopes, step = EightBandParameters(), measures.level_slopes(), 1e-4
    raised, lowered = (measures.average_filling(MU + change) for change in (step, -step))

    def electrons(changes):
        moved = {n: getattr(p, n) + c for n, c in zip(slopes, changes, strict=True)}
        return np.mean([filling(plane, MU) for plane in measures.planes(replace(p, **moved))])

    for changes in np.random.default_rng(6).choice([-step, step], (3, len(slopes))):
        shift = (electrons(-changes) - electrons(changes)) / (raised - lowered)
        assert shift == pytest.approx(changes @ list(slopes.values()) / step, abs=1e-3)
    # Printed to three decimals, s13z to four; the mean square of an even spread is a third.
    shifts = np.array([s * (5e-5 if n == "s13_z" else 5e-4) for n, s in slopes.items()])
    largest, typical = measures.rounding(slopes)
    assert largest == pytest.approx(np.abs(shifts).sum())
    assert typical == pytest.approx(np.linalg.norm(shifts) / np.sqrt(3))
    assert [largest, typical] == pytest.approx([5.26e-3, 0.96e-3], rel=0.02)


def test_rounding_against_random_digits():
    """Digits behind three printed decimals, and behind the four of s13z, spread evenly."""
    slopes = {"t11_x": 0.7, "t22_x": -1.3, "s13_z": 9.0}
    halves = np.array([5e-4, 5e-4, 5e-5])
    digits = np.random.default_rng(8).uniform(-1, 1, (200_000, 3)) * halves
    shifts = digits @ list(slopes.values())
    largest, typical = measures.rounding(slopes)
    assert 0.97 * largest < np.abs(shifts).max() <= largest
    assert typical == pytest.approx(shifts.std(), rel=5e-3)


#: What Eqs. 10 and 30 call their parameters, formula by formula.
FORMULAS = {
    "h11": ("epsilon_x", "t11_x", "t11_xy", "t11_xx"),
    "h22": ("epsilon_z", "t22_x", "t22_xy", "t22_xx"),
    "h13": ("s11_0", "s11_x", "s11_xy", "s11_xx"),
    "h24": ("s22_0", "s22_x", "s22_xy", "s22_xx"),
    "h12": ("t12_x", "t12_xx"),
    "h14": ("s12_x", "s12_xx"),
    "Hz": ("s11_z", "s22_z", "s13_z", "s24_z"),
}


def test_the_list_of_app_d_leaves_one_name_of_the_formulas_out():
    lacking = {
        (formula, name)
        for formula, names in FORMULAS.items()
        for name in names
        if name not in measures.PRINTED_IN_D
    }
    assert lacking == {("h24", "s22_xx")}
    assert measures.PRINTED_IN_D.count("s12_xx") == 2
    assert sum(map(len, FORMULAS.values())) == len(measures.PRINTED_IN_D) == 24


@pytest.mark.parametrize(
    ("reading", "top", "level"),
    [
        ("the first is s22xx", True, 10.184),
        ("exchanged", False, 10.116),
        ("both 0.011", True, 10.184),
        ("both −0.006", False, 10.116),
        ("s22xx = 0", False, 10.140),
    ],
)
def test_every_reading_of_the_list_by_the_curvature_at_m(reading, top, level):
    """Two more lines need a minimum at M below the level: −0.006 has it, 0 has it above."""
    p = replace(EightBandParameters(), **measures.readings(0.011, -0.006)[reading])
    s22 = p.s22_xx
    (row,) = (row for row in measure("GLYWH-appd-names")["readings"] if row["words"] == reading)
    assert row["lines"] == (6 if top or level > MU else 8)
    along = 2 * (p.t22_x + p.s22_x) - 4 * (p.t22_xy + p.s22_xy) - 8 * (p.t22_xx + s22)
    across = 2 * p.s22_z + p.s24_z
    assert (along + abs(across) < 0) == top
    energies = eight_band(p).energies([[np.pi, np.pi, 0], [np.pi + 0.1, np.pi + 0.1, 0]])[:, :2]
    assert energies[0] == pytest.approx([level, level], abs=1e-9)
    # A hundredth of the diagonal's length squared is q², half of it for each direction.
    expected = level + 0.01 * (along + np.array([-1, 1]) * across)
    assert np.sort(energies[1]) == pytest.approx(np.sort(expected), abs=4e-4)
    lines = len(fermi_sheets(bilayer_plane(0.0, p), MU))
    assert lines == (6 if top or level > MU else 8)


def test_areas_without_hops_between_bilayers_count_states():
    """Bands of H_2D as printed, at the level that holds three electrons on the same mesh."""
    n = 300
    k = np.pi * (np.stack(np.meshgrid(*[np.arange(n) + 0.5] * 2, indexing="ij"), -1)) / n
    k = np.concatenate([k, np.zeros((n, n, 1))], axis=-1).reshape(-1, 3)
    plane = measures.printed_parts(k, 0.0)[0].real
    levels = np.concatenate(
        [np.linalg.eigvalsh(plane[:, :2, :2] + sign * plane[:, :2, 2:]) for sign in (1, -1)], axis=1
    )
    level = np.sort(levels.ravel())[round(3 / 2 * len(k))]
    shares = (levels < level).mean(axis=0)  # γ, α of the even block, β of the odd one
    found = measures.appd_similar()
    areas = dict(zip(found["names"], found["areas"], strict=True))
    assert [1 - areas["γ"], areas["α"], 1 - areas["β"]] == pytest.approx(shares[:3], abs=2e-3)
