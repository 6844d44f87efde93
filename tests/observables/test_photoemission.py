"""Extremes and nodes by root finding, parities from what orbitals states are made of."""

import numpy as np
import pytest
from circles import constant

from nickbook.bands import FermiSea, conduction_bands, eta_k, four_band, square_group
from nickbook.observables import mirror_parities, photoemission_gap

FOUR = FermiSea(four_band(), 10.0585)
TWO = FermiSea(conduction_bands(), -0.65)


def test_nodes_of_a_d_wave_lie_on_the_diagonals():
    found = photoemission_gap(TWO, gap=lambda k: 0.02 * eta_k(k))
    for nodes in found.nodes:
        assert len(nodes) == 4
        assert np.abs(nodes[:, 0]) == pytest.approx(np.abs(nodes[:, 1]), abs=1e-6)
    assert found.minima == (0.0, 0.0)
    for nodes, band in zip(found.nodes, TWO.model.bands, strict=True):
        assert band.energy(nodes) == pytest.approx(TWO.mu, abs=1e-5)


def test_extremes_by_bisection_along_rays():
    def gap(k):
        return 0.01 * (2 + np.cos(k).prod(axis=-1))

    found = photoemission_gap(TWO, gap=gap)
    angle = np.linspace(0, 2 * np.pi, 4000)
    way = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    for i, (band, sheet) in enumerate(zip(TWO.model.bands, TWO.sheets, strict=True)):
        low, high = np.zeros(len(angle)), np.full(len(angle), np.pi)
        inside = band.energy(np.array(sheet.center_point)) < TWO.mu
        for _ in range(40):
            middle = (low + high) / 2
            below = band.energy(sheet.center_point + middle[:, None] * way) < TWO.mu
            low = np.where(below == inside, middle, low)
            high = np.where(below == inside, high, middle)
        sizes = gap(sheet.center_point + low[:, None] * way)
        assert found.minima[i] == pytest.approx(sizes.min(), rel=1e-5)
        assert found.maxima[i] == pytest.approx(sizes.max(), rel=1e-5)
    assert [len(n) for n in found.nodes] == [0, 0]


def test_arcs_measure_the_line():
    found = photoemission_gap(FOUR, gap=constant)
    for sheet, arc, angles in zip(found.gap.sheets, found.arcs, found.angles, strict=True):
        assert arc.shape == sheet.weights.shape == angles.shape
        # dl = |v| dτ, and weights are dτ/4π².
        speed = np.linalg.norm(sheet.velocity, axis=1)
        length = 4 * np.pi**2 * sheet.weights @ speed
        step = np.linalg.norm(sheet.points[0] - sheet.points[-1])
        assert arc[-1] + step == pytest.approx(length, rel=1e-3)
        assert (np.diff(arc) > 0).all()


def test_parities_on_the_diagonal_are_those_of_the_orbitals():
    """On ΓM x²−y² and z² do not mix: the first is odd, the second even."""
    found = mirror_parities(FOUR)
    for i, sheet in enumerate(FOUR.sheets):
        x, y = (sheet.points - sheet.center_point).T
        diagonal = np.abs(np.abs(x) - np.abs(y)).argmin()
        flat = sheet.orbital_weights[diagonal, [0, 2]].sum()
        assert flat < 0.01 or flat > 0.99
        assert found.lines[i, 1] == (-1 if flat > 0.5 else 1)
        assert found.layers[i] == sheet.parity
    # Both orbitals are even under the mirrors of the axes.
    assert set(found.lines[:, [0, 2]].ravel().tolist()) <= {0, 1}
    assert (found.lines[:, [0, 2]] == 1).any(axis=1).all()


def test_polarized_light_sees_one_parity_each():
    found = mirror_parities(FOUR)
    both = np.stack([found.seen("in plane"), found.seen("across")])
    assert not both.all(axis=0).any()
    assert (both.any(axis=0) == (found.lines != 0)).all()
    with pytest.raises(ValueError, match=r"polarization = 's'; allowed: 'in plane', 'across'"):
        found.seen("s")


def test_layers_interfere():
    """|u_t + u_b exp(i kz d)|² of each state, over that without interference, twice."""
    found, phase = mirror_parities(FOUR), np.array([0.0, 1.0, np.pi])
    share = found.interference(phase)
    for i, sheet in enumerate(FOUR.sheets):
        u = sheet.states[3]
        for j, p in enumerate(phase):
            wave = u[:2] + u[2:] * np.exp(1j * p)
            assert share[i, j] == pytest.approx((np.abs(wave) ** 2).sum() / 2, abs=1e-9)


def test_without_mirrors_there_are_no_parities():
    model = conduction_bands()
    bare = type(model)("bare", model.orbitals, model.translations, model.hoppings)
    found = mirror_parities(bare, -0.65)
    assert set(found.layers) == {0} and not found.lines.any()
    assert found.interference(0.3).tolist() == [0.5] * len(found.names)
    assert square_group(np.eye(2), np.eye(2))[0].name == "E"
