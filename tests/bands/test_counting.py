"""Counting of states against closed forms, plain meshes, and what it says of its own error."""

import lattices
import numpy as np
import pytest
from scipy.special import ellipk

from nickbook.bands import chemical_potential, conduction_bands, four_band
from nickbook.bands.counting import below


def half_chain(energy):
    """States per spin of a chain of hopping one below an energy."""
    return 1 - np.arccos(energy / 2) / np.pi


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("energy", [-1.7, 0.3, 1.0])
def test_the_error_of_crossing_chains_is_the_one_that_is_stated(energy, tolerance):
    states, error = lattices.crossing_chains().state_count.number(energy, tolerance)
    assert error <= tolerance
    assert states.sum() == pytest.approx(2 * half_chain(energy), abs=error)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6])
def test_smooth_bands_against_the_areas_of_their_lines(tolerance):
    model = conduction_bands()
    for mu in (-0.9, -0.65, 0.3, 1.9):
        areas = [sum(line.area for line in band.contours(mu)) % 1 for band in model.bands]
        states, error = model.state_count.number(mu, tolerance)
        miss = (states - areas + 0.5) % 1 - 0.5
        assert np.abs(miss).max() <= error <= tolerance


def test_slope_at_the_middle_of_the_square_lattice():
    """Density of states of the square lattice close to its logarithm, by differences."""
    count, step = lattices.square_lattice().state_count, 1e-3
    for energy in (0.4, 2.5):
        numbers = [count.number(energy + side * step, 1e-9)[0].sum() for side in (-1, 1)]
        expected = ellipk(1 - (energy / 4) ** 2) / (2 * np.pi**2)
        assert np.diff(numbers)[0] / (2 * step) == pytest.approx(expected, rel=1e-4)


def test_edges_are_exact_where_bands_touch_and_where_they_do_not():
    assert lattices.graphene().state_count.edges(1) == pytest.approx((0, 0), abs=1e-9)
    for mass in (1e-5, 0.3):
        edges = lattices.graphene(mass=mass).state_count.edges(1)
        assert edges == pytest.approx((-mass, mass), rel=1e-6)
    haldane = 3 * np.sqrt(3) * 0.1
    assert lattices.haldane().state_count.edges(1) == pytest.approx((-haldane, haldane), rel=1e-8)
    assert lattices.chain().state_count.edges(1) == (pytest.approx(2.0), np.inf)
    assert lattices.chain().state_count.edges(0) == (-np.inf, pytest.approx(-2.0))


def test_every_momentum_is_diagonalized_once():
    model = four_band()
    count = model.state_count
    first = count.points
    assert first < 48**2
    count.number(10.05, 1e-5)
    again = count.points
    count.number(10.05, 1e-5)
    assert first < again == count.points


def test_a_flat_band_counts_half_at_its_energy():
    for model, energy, lower in ((lattices.kagome(), 2.0, 2.0), (lattices.lieb(), 0.0, 1.0)):
        states, error = model.state_count.number(energy)
        assert states.sum() == pytest.approx(lower + 0.5, abs=1e-6)
        assert error < 1e-3
        assert model.state_count.flat(energy)
        assert not model.state_count.flat(energy + 0.1)


def test_simplices_against_random_points():
    rng = np.random.default_rng(3)
    for corners in (3, 4):
        energies = rng.normal(size=(5, corners))
        inside = rng.dirichlet(np.ones(corners), 200_000)
        for level in (-0.5, 0.1, 0.8):
            expected = (inside @ energies.T < level).mean(axis=0)
            assert below(energies, level) == pytest.approx(expected, abs=5e-3)


def test_units_do_not_matter():
    model = four_band()
    for factor in (1e-6, 1e3):
        scaled = lattices.scaled(model, factor)
        for filling in (1.3, 3.0, 5.5):
            expected = factor * chemical_potential(model, filling)
            assert chemical_potential(scaled, filling) == pytest.approx(expected, rel=1e-10)
