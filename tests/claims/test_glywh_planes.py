"""Fermi lines of the eight-band model on planes of constant kz, by a second route each."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from nickbook.bands import EightBandParameters, bilayer_plane, eight_band, filling
from nickbook.claims import glywh_third_dimension as judges

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
    along, *diagonals = judges.gamma_radii(kz)
    rays = [sorted(radius(kz, angle, band) for band in (0, 1)) for angle in (0.0, np.pi / 4)]
    assert rays[0] == pytest.approx([along, along], abs=1e-4)
    assert rays[1] == pytest.approx(sorted(diagonals), abs=1e-3)


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
    """The Hellmann-Feynman estimate against fillings with two changed parameters."""
    assert judges.average_filling(judges.level_at_three()) == pytest.approx(3, abs=1e-6)
    largest, typical = judges.rounding_of_level()
    p, step, total = EightBandParameters(), 1e-3, 0.0
    weights = dict(judges.PLANES)
    slope = 2 * sum(
        w * sum(s.density_of_states for s in judges.sheets_on_plane(z)) for z, w in weights.items()
    )
    for name in ("t22_x", "t22_xy", "s22_x", "s22_xy"):
        ends = [
            sum(
                w * filling(bilayer_plane(z, replace(p, **{name: getattr(p, name) + d})), MU)
                for z, w in weights.items()
            )
            for d in (step, -step)
        ]
        total += abs(ends[0] - ends[1]) / (2 * step) / slope * 5e-4
    # These four make half of the bound, and none of the others is negative.
    assert 0.5 * largest < total < largest
    assert largest / np.sqrt(24 * 3) < typical < largest


def test_far_radii_are_the_printed_ones_without_delta_z():
    """The two readings of the facing layer are complex conjugates once δz is taken out."""
    k = np.random.default_rng(3).uniform(-4, 4, (10, 3))
    near, far = (sum(judges.printed_parts(k, 0.0, far=f)) for f in (False, True))
    assert np.allclose(near, far.conj())
