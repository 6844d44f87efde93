"""Harmonics, meshes and paths of the square lattice."""

import numpy as np
import pytest

from nickbook.bands import eta_k, zone_mesh, zone_path
from nickbook.bands.lattice import folded


def quarter_turn(k):
    return np.stack([-k[..., 1], k[..., 0]], axis=-1)


@pytest.mark.equation("LK", 5)
def test_square_of_eta_is_a_sum_of_harmonics():
    k = np.random.default_rng(1).uniform(-4, 4, (50, 2))
    (x, y), (x2, y2) = np.cos(k.T), np.cos(2 * k.T)
    assert np.allclose(eta_k(k) ** 2, 1 + (x2 + y2) / 2 - 2 * x * y, atol=1e-14)


def test_quarter_turn_changes_the_sign_of_eta():
    k = zone_mesh(12)
    assert np.allclose(eta_k(quarter_turn(k)), -eta_k(k))


def test_folding_moves_momenta_by_whole_reciprocal_vectors():
    k = np.random.default_rng(1).uniform(-20, 20, (50, 2))
    turns = (k - folded(k)) / (2 * np.pi)
    assert np.allclose(turns, turns.round()) and np.abs(folded(k)).max() <= np.pi
    assert folded(np.array([np.pi, -np.pi])).tolist() == [-np.pi, -np.pi]


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
