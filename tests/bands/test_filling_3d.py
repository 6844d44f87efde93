"""Fillings of three-dimensional models against averages over planes."""

import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    band_fillings,
    bilayer_plane,
    chemical_potential,
    conduction_bands,
    density_of_states,
    eight_band,
    fermi_sheets,
    filling,
    van_hove_points,
    weighted_density_of_states,
    zone_mesh,
)

MU = 10.1277


def stacked(step=0.06):
    """LK's bands with a hopping between the planes, half as large for β: two smooth bands."""
    model = conduction_bands()
    flat = np.pad(model.translations, ((0, 0), (0, 1)))
    vectors = np.concatenate([flat, [[0, 0, 1], [0, 0, -1]]])
    hoppings = np.concatenate([model.hoppings, [step * np.diag([1, 0.5])] * 2])
    return BlochModel("stacked", ("α", "β"), vectors, hoppings, mirror=model.mirror)


def plane_average(mu, temperature=0.0, planes=24, step=0.06):
    """The same fillings from exact areas in planes: hopping along z only moves the level."""
    model, found = conduction_bands(), []
    for kz in 2 * np.pi * np.arange(planes) / planes:
        shift = 2 * step * np.cos(kz)
        alpha = band_fillings(model, mu - shift, temperature)[0]
        beta = band_fillings(model, mu - shift / 2, temperature)[1]
        found.append([alpha, beta])
    return np.mean(found, axis=0)


def test_counting_agrees_with_areas_of_planes():
    expected = plane_average(-0.3)
    assert plane_average(-0.3, planes=16) == pytest.approx(expected, abs=1e-12)
    assert band_fillings(stacked(), -0.3) == pytest.approx(expected, abs=4e-5)


def test_the_error_of_a_count_is_the_one_that_it_states():
    expected = plane_average(-0.3).sum() / 2
    for tolerance in (1e-3, 1e-4, 3e-5):
        states, error = stacked().state_count.number(-0.3, tolerance)
        assert error <= tolerance
        assert states.sum() == pytest.approx(expected, abs=error)


def test_two_bilayers_hold_twice_the_average_over_planes():
    planes = [filling(bilayer_plane(kz), MU) for kz in np.pi * np.arange(4) / 2]
    assert filling(eight_band(), MU) == pytest.approx(2 * np.mean(planes), abs=2e-4)
    assert filling(eight_band(), MU) == pytest.approx(2 * 2.99195, abs=3e-4)


@pytest.mark.parametrize("temperature", [0.1, 0.2])
def test_thermal_filling_is_the_sum_over_planes(temperature):
    """Half the zone of the eight bands against all of the four, on another mesh."""
    k = zone_mesh(int(14 / temperature))
    planes = np.stack([bilayer_plane(kz).energies(k) for kz in 4 * np.pi * np.arange(12) / 12])
    expected = 4 * np.mean(1 / (1 + np.exp((planes - MU) / temperature)), axis=(0, 1, 2)).sum()
    assert filling(eight_band(), MU, temperature) == pytest.approx(expected, abs=1e-5)


def test_without_time_reversal_the_whole_mesh_counts():
    """Phases that only move the bands in the zone make k and −k differ and change no filling."""
    still = stacked()
    phases = np.exp(0.8j * still.translations @ [1, 0, -1])
    hoppings = still.hoppings * phases[:, None, None]
    moved = BlochModel("moved", ("α", "β"), still.translations, hoppings, mirror=still.mirror)
    assert band_fillings(moved, -0.3) == pytest.approx(plane_average(-0.3), abs=5e-5)
    assert band_fillings(moved, -0.3, 0.1) == pytest.approx(plane_average(-0.3, 0.1), abs=1e-5)


@pytest.mark.parametrize(("electrons", "temperature"), [(6.0, 0.0), (5.2, 0.0), (6.0, 0.1)])
def test_chemical_potential_inverts_the_filling(electrons, temperature):
    mu = chemical_potential(eight_band(), electrons, temperature)
    # At T = 0 both count: these bands touch on planes, where cells are worth less.
    error = 1e-9 if temperature else 2e-4
    assert filling(eight_band(), mu, temperature) == pytest.approx(electrons, abs=error)


def test_filled_and_empty_bands_and_the_gap_between():
    vectors = np.array([[0, 0, 0], [0, 0, 1], [0, 0, -1]])
    hoppings = np.array([np.diag([-1.0, 1.0])] + 2 * [0.1 * np.eye(2)])
    model = BlochModel("two bands", ("low", "high"), vectors, hoppings, np.diag([-1.0, 1.0]))
    assert band_fillings(model, 0.0) == pytest.approx([2.0, 0.0], abs=1e-12)
    assert band_fillings(model, -9.0) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert chemical_potential(model, 2.0) == pytest.approx(0.0, abs=1e-9)


def test_what_needs_a_plane_says_so():
    for function in (fermi_sheets, density_of_states):
        with pytest.raises(ValueError, match=r"three dimensions.*give one plane.*model\.plane\(kz"):
            function(eight_band(), MU)
    with pytest.raises(ValueError, match="density_of_states takes two"):
        weighted_density_of_states(eight_band(), MU, lambda k: k[..., 0])
    with pytest.raises(ValueError, match="van_hove_points takes two"):
        van_hove_points(eight_band())
