"""Harmonics, meshes and paths of the square lattice."""

import numpy as np
import pytest

from nickbook.bands import eta_k, gamma_1k, gamma_2k, gamma_3k, zone_mesh, zone_path


def quarter_turn(k):
    return np.stack([-k[..., 1], k[..., 0]], axis=-1)


@pytest.mark.equation("LK", 5)
def test_harmonics_are_products_and_sums_of_each_other():
    k = np.random.default_rng(1).uniform(-4, 4, (50, 2))
    assert np.allclose(eta_k(k) ** 2, 1 + gamma_3k(k) - 2 * gamma_2k(k), atol=1e-14)
    assert np.allclose(4 * gamma_1k(k) ** 2, 1 + gamma_3k(k) + 2 * gamma_2k(k), atol=1e-14)


def test_quarter_turn_changes_the_sign_of_eta_only():
    k = zone_mesh(12)
    assert np.allclose(eta_k(quarter_turn(k)), -eta_k(k))
    for harmonic in (gamma_1k, gamma_2k, gamma_3k):
        assert np.allclose(harmonic(quarter_turn(k)), harmonic(k))


def test_harmonics_are_orthogonal_over_the_zone():
    k = zone_mesh(16)
    values = np.array([f(k).ravel() for f in (eta_k, gamma_1k, gamma_2k, gamma_3k)])
    assert np.allclose(values @ values.T / 256, np.diag([1, 1 / 4, 1 / 4, 1 / 4]), atol=1e-14)


def test_path_visits_its_corners():
    k, distance, ticks = zone_path("ΓXMΓ", 101)
    assert np.allclose(k[0], 0) and np.allclose(k[-1], 0)
    assert np.allclose(ticks, np.pi * np.cumsum([0, 1, 1, np.sqrt(2)]))
    assert np.allclose(np.diff(distance), distance[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: eta_k([1.0, 2.0, 3.0]), r"k has shape \(3,\)"),
        (lambda: eta_k([np.nan, 0.0]), "finite"),
        (lambda: zone_mesh(0), "size = 0"),
        (lambda: zone_path("ΓQ", 10), "corners = 'ΓQ'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
