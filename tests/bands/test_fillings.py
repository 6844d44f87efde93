"""Fillings and chemical potentials, each by a second route."""

from itertools import pairwise

import numpy as np
import pytest
from lattices import lattice
from scipy.optimize import brentq

from nickbook.bands import (
    BlochModel,
    band_fillings,
    chemical_potential,
    conduction_bands,
    filling,
    zone_mesh,
)


def occupied_area(model, band, mu, rows=512):
    """Occupied share of the zone: root finding in ky on rows of kx, then the midpoint rule."""
    ky = np.linspace(-np.pi, np.pi, 129)
    total = 0.0
    for kx in (np.arange(rows) + 0.5) * np.pi / rows:

        def excess(y, kx=kx):
            return float(model.band_energies([kx, y])[band]) - mu

        line = np.stack([np.full_like(ky, kx), ky], axis=-1)
        values = model.band_energies(line)[:, band] - mu
        flips = np.flatnonzero(values[1:] * values[:-1] < 0)
        crossings = [brentq(excess, ky[i], ky[i + 1], xtol=1e-13) for i in flips]
        edges = np.array([-np.pi, *crossings, np.pi])
        inside = np.array([excess((a + b) / 2) < 0 for a, b in pairwise(edges)])
        total += (np.diff(edges) * inside).sum() / (2 * np.pi)
    return total / rows


def test_fillings_of_lk_fig_2():
    per_nickel = band_fillings(conduction_bands(), -0.65) / 2
    assert per_nickel.round(2).tolist() == [0.14, 0.31]
    for band in (0, 1):
        # The midpoint rule feels the square-root end points of the pocket.
        assert occupied_area(conduction_bands(), band, -0.65) == pytest.approx(
            per_nickel[band], abs=1e-4
        )


@pytest.mark.parametrize("electrons", [0.05, 0.4, 0.583, 0.9, 1.7, 3.2, 3.99])
def test_chemical_potential_inverts_the_filling(electrons):
    model = conduction_bands()
    mu = chemical_potential(model, electrons)
    assert filling(model, mu) == pytest.approx(electrons, abs=1e-10)


def test_filling_is_continuous_through_steps_and_logarithms():
    model = conduction_bands()
    for level in (-1.08, -0.8, 2.52):
        around = [filling(model, level + d) for d in (-1e-8, -1e-9, 0.0, 1e-9, 1e-8)]
        assert (np.diff(around) >= 0).all() and around[-1] - around[0] < 1e-6
    around = [filling(model, 0.4 + d) for d in (-1e-7, -1e-8, 0.0, 1e-7)]
    assert (np.diff(around) >= 0).all() and around[-1] - around[0] < 2e-6


@pytest.mark.parametrize("temperature", [0.01, 0.1])
def test_thermal_filling_is_the_mesh_sum(temperature):
    model, k = conduction_bands(), zone_mesh(768)
    occupation = 1 / (1 + np.exp((model.band_energies(k) + 0.65) / temperature))
    expected = 2 * occupation.mean(axis=(0, 1))
    assert band_fillings(model, -0.65, temperature) == pytest.approx(expected, abs=1e-8)


def test_sommerfeld_correction_at_low_temperature():
    model, temperature, step = conduction_bands(), 0.01, 0.01
    five = [band_fillings(model, -0.3 + i * step) for i in (-2, -1, 0, 1, 2)]
    second = np.tensordot(np.array([-1, 16, -30, 16, -1]) / 12, five, axes=1) / step**2
    fourth = np.tensordot([1, -4, 6, -4, 1], five, axes=1) / step**4
    expected = np.pi**2 / 6 * temperature**2 * second
    expected += 7 * np.pi**4 / 360 * temperature**4 * fourth
    change = band_fillings(model, -0.3, temperature) - five[2]
    assert change == pytest.approx(expected, rel=1e-4)


def test_thermal_chemical_potential():
    model = conduction_bands()
    mu = chemical_potential(model, 0.9, temperature=0.05)
    assert filling(model, mu, 0.05) == pytest.approx(0.9, abs=1e-10)


def test_gap_between_bands_gives_its_middle():
    hoppings = np.array([np.diag([-1.0, 1.0])] + 4 * [np.eye(2) * -0.1])
    translations = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    model = BlochModel("two bands", ("low", "high"), translations, hoppings, np.diag([-1.0, 1.0]))
    assert chemical_potential(model, 2.0) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("electrons", [0.0, 4.0, -1.0, 7.5, float("nan")])
def test_impossible_fillings_are_refused(electrons):
    with pytest.raises(ValueError, match=r"filling = .* filling > 0 and filling < 4"):
        chemical_potential(conduction_bands(), electrons)


def test_bad_temperatures_are_refused():
    with pytest.raises(ValueError, match=r"temperature = -0\.1 eV.*temperature >= 0"):
        filling(conduction_bands(), -0.65, -0.1)
    with pytest.raises(TypeError, match="filling = 'half'"):
        chemical_potential(conduction_bands(), "half")


@pytest.mark.parametrize("temperature", [0.0, 1e-4, 0.01, 0.05])
def test_planes_share_the_gap_between_them(temperature):
    """One plane full, the other empty: half the filling of each is no gap of either."""
    hops = {(1, 0): -0.1, (0, 1): -0.1}
    planes = [lattice({(0, 0): level} | hops) for level in (0.0, 2.0)]
    assert chemical_potential(planes, 1.0, temperature) == pytest.approx(1.0, abs=1e-9)
    flat = [lattice({(0, 0): level}) for level in (0.0, 1.0)]
    assert chemical_potential(flat, 1.0, temperature) == pytest.approx(0.5, abs=1e-9)


def test_planes_of_one_kind_only():
    plane, solid = lattice({(0, 0): 0.0, (1, 0): -1.0}), lattice({(0, 0, 0): 0.0, (1, 0, 0): -1.0})
    with pytest.raises(ValueError, match="two and three dimensions"):
        chemical_potential([plane, solid], 1.0)
