"""Densities of states against closed forms and sums over the zone."""

import numpy as np
import pytest
from circles import circle, constant, d_wave
from scipy.special import ellipk

from nickbook.bands import FermiSea, conduction_bands, eta_k, four_band, zone_mesh
from nickbook.observables import tunnelling

TWO = FermiSea(conduction_bands(), -0.65)


def test_dynes_formula_for_a_constant_gap():
    energies, width = np.array([-0.03, 0.0, 0.01, 0.02, 0.05]), 1e-3
    found = tunnelling(TWO, gap=lambda k: 0.02 * constant(k), broadening=width, energies=energies)
    z = np.abs(energies) - 1j * width
    assert found.ratio == pytest.approx((z / np.sqrt(z**2 - 0.02**2)).real, rel=1e-9)
    assert found.edge == pytest.approx(0.02)
    assert found.normal == pytest.approx([s.density_of_states for s in TWO.sheets])


def test_d_wave_on_a_circle_is_an_elliptic_integral():
    """Won and Maki, Phys. Rev. B 49, 1397 (1994): (2/π) x K(x) below the gap, linear at first."""
    x = np.array([0.01, 0.1, 0.5, 0.9])
    found = tunnelling(circle(), gap=d_wave, broadening=1e-9, energies=x)
    assert found.ratio == pytest.approx(2 / np.pi * x * ellipk(x**2), rel=2e-4)
    assert found.ratio[0] == pytest.approx(x[0], rel=1e-3)
    beyond = np.array([1.1, 2.0])
    found = tunnelling(circle(), gap=d_wave, broadening=1e-9, energies=beyond)
    assert found.ratio == pytest.approx(2 / np.pi * ellipk(1 / beyond**2), rel=2e-4)
    assert found.edges == (0.0,)


def test_spectral_functions_of_the_zone_add_up_to_it():
    sea, width, energies = circle(-3.0), 0.02, np.array([0.0, 0.08, 0.15, 0.3])

    def gap(k):
        return 0.1 + 0.05 * eta_k(k)

    found = tunnelling(sea, gap=gap, broadening=width, energies=energies)
    k = zone_mesh(400).reshape(-1, 2)
    xi = sea.model.bands[0].energy(k) - sea.mu
    z = energies[:, None] + 1j * width
    green = z / (z**2 - xi**2 - gap(k) ** 2)  # the average of electrons and holes
    total = -green.imag.mean(axis=1) / np.pi
    # The normal density of states changes by some percent over the gap, and ends at the bottom.
    assert found.density == pytest.approx(total, rel=0.025)


def test_a_mesh_is_a_sum_over_bands():
    """The weight of particles is (1 + ξ/E)/2 at E and (1 − ξ/E)/2 at −E."""
    width, energies = 0.03, np.array([-0.1, 0.0, 0.05])
    given = {"gap": lambda k: 0.05 * eta_k(k), "broadening": width, "energies": energies}
    found = tunnelling(TWO, mesh=48, **given)
    total = np.zeros(len(energies))
    k = zone_mesh(48).reshape(-1, 2)
    for band in TWO.model.bands:
        xi = band.energy(k) - TWO.mu
        quasi = np.hypot(xi, 0.05 * eta_k(k)) + 1e-300
        for sign in (1, -1):
            away = energies[:, None] - sign * quasi
            part = (1 + sign * xi / quasi) / 2
            total += (part * width / np.pi / (away**2 + width**2)).mean(axis=1)
    assert found.density == pytest.approx(total, rel=2e-3)
    assert found.normal == pytest.approx([TWO.density_of_states().sum()], rel=1e-6)
    halves = [tunnelling(TWO, mesh=48, layer=layer, **given).density for layer in (0, 1)]
    assert sum(halves) == pytest.approx(found.density, rel=1e-9)


def test_lines_and_mesh_agree_where_the_normal_density_is_constant():
    sea = circle(-3.0)
    given = {"gap": lambda k: 0.1 + 0.05 * eta_k(k), "broadening": 0.02}
    energies = np.array([0.08, 0.15, 0.3])
    lines = tunnelling(sea, energies=energies, **given).density
    both = [tunnelling(sea, energies=s * energies, mesh=300, **given).density for s in (1, -1)]
    assert np.mean(both, axis=0) == pytest.approx(lines, rel=0.02)


def test_peaks_are_at_the_largest_gap_of_each_sheet():
    found = tunnelling(TWO, gap=lambda k: 0.02 * eta_k(k), broadening=2e-4)
    largest = [0.02 * np.abs(eta_k(sheet.points)).max() for sheet in TWO.sheets]
    assert found.peaks() == pytest.approx(largest, rel=0.01)
    whole = tunnelling(TWO, gap=lambda k: [[0.01, -0.03]] * len(k), broadening=2e-4)
    assert whole.peaks() == pytest.approx([0.01, 0.03], rel=0.02)
    assert whole.edges == pytest.approx([0.01, 0.03])


def test_layers_share_alike_and_orbitals_add_up():
    sea = FermiSea(four_band(), 10.0585)
    given = {"gap": lambda k: 0.02 * eta_k(k), "broadening": 1e-3, "energies": [0.01, 0.1]}
    total = tunnelling(sea, **given)
    for layer in (0, 1):
        part = tunnelling(sea, layer=layer, **given)
        assert part.densities == pytest.approx(total.densities / 2, rel=1e-6)
    each = [tunnelling(sea, orbitals=[o], **given).densities for o in range(4)]
    assert sum(each) == pytest.approx(total.densities, rel=1e-9)
    one = tunnelling(sea, layer=0, orbitals=[1], **given).densities
    assert one == pytest.approx(each[1], rel=1e-9)
    weights = [s.average(s.orbital_weights)[1] * s.density_of_states for s in sea.sheets]
    assert tunnelling(sea, orbitals=[1], **given).normal == pytest.approx(weights, rel=1e-7)
    halves = [tunnelling(TWO, layer=layer, **given).density for layer in (0, 1)]
    assert halves[0] == pytest.approx(tunnelling(TWO, **given).density / 2, rel=1e-9)
    assert halves[1] == pytest.approx(halves[0], rel=1e-9)
