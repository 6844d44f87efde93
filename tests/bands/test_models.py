"""Bloch models: LK Eq. 5 and what every model checks."""

import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    conduction_bands,
    eta_k,
    gamma_1k,
    gamma_2k,
    gamma_3k,
    zone_mesh,
)

LAYER_SWAP = np.array([[0, 1], [1, 0]])


def two_orbital_bilayer():
    """Two inequivalent orbitals in each of two layers, complex hoppings, mirror symmetric."""
    rng = np.random.default_rng(7)
    swap = np.kron(LAYER_SWAP, np.eye(2))
    terms = {(0, 0): np.diag([0.3, -0.5, 0.3, -0.5]).astype(complex)}
    for r in ((1, 0), (0, 1), (1, 1), (2, -1)):
        t = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
        terms[r] = (t + swap @ t @ swap) / 2
        terms[(-r[0], -r[1])] = terms[r].conj().T
    return BlochModel(
        name="random bilayer",
        orbitals=("tx", "tz", "bx", "bz"),
        translations=np.array(list(terms)),
        hoppings=np.array(list(terms.values())),
        mirror=swap,
    )


@pytest.mark.equation("LK", 4, 5)
def test_conduction_bands_are_lk_eq_5_as_printed():
    k = np.random.default_rng(2).uniform(-4, 4, (40, 2))
    common = -4 * (0.45 * gamma_1k(k) - 0.24 * gamma_2k(k) + 0.06 * gamma_3k(k))
    expected = [common + epsilon * eta_k(k) ** 2 for epsilon in (0.4, 0.1)]
    assert np.allclose(conduction_bands().energies(k), np.transpose(expected), atol=1e-14)


def test_hamiltonian_is_hermitian_periodic_and_has_the_stated_energies():
    model, k = two_orbital_bilayer(), np.random.default_rng(3).uniform(-4, 4, (5, 6, 2))
    h = model.hamiltonian(k)
    assert h.shape == (5, 6, 4, 4)
    assert np.allclose(h, h.conj().swapaxes(-1, -2))
    assert np.allclose(h, model.hamiltonian(k + 2 * np.pi * np.array([1, -2])))
    assert np.allclose(np.linalg.eigvalsh(h), model.energies(k))


def test_hamiltonian_is_the_plain_sum_over_lattice_vectors():
    model, k = two_orbital_bilayer(), np.array([0.3, -1.1])
    phases = np.exp(1j * model.translations @ k)
    assert np.allclose(model.hamiltonian(k), np.tensordot(phases, model.hoppings, axes=1))


def test_mirror_blocks_hold_all_bands_with_their_parity():
    model, k = two_orbital_bilayer(), zone_mesh(6)
    assert model.parity == (-1, -1, 1, 1)
    assert np.allclose(np.sort(model.band_energies(k)), np.linalg.eigvalsh(model.hamiltonian(k)))
    for band in range(4):
        block, index = model.locate(band)
        weights = block.orbital_weights(k, index)
        assert np.allclose(weights.sum(axis=-1), 1)
        assert np.allclose(weights[..., :2], weights[..., 2:])


def test_velocity_is_the_gradient_of_the_energy():
    model, k = two_orbital_bilayer(), np.random.default_rng(5).uniform(-3, 3, (20, 2))
    for band in range(4):
        block, index = model.locate(band)
        velocity = block.band(k, index)[1]
        for axis in (0, 1):
            step = np.zeros(2)
            step[axis] = 1e-5
            ahead, behind = (block.band(k + s * step, index)[0] for s in (1, -1))
            assert np.allclose(velocity[:, axis], (ahead - behind) / 2e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hoppings": np.zeros((3, 2, 2))}, "translations .* and hoppings"),
        ({"hoppings": np.full((1, 2, 2), np.nan)}, "NaN"),
        ({"hoppings": [[[0, 1], [0, 0]]]}, "not Hermitian"),
        ({"translations": [[1, 0]]}, "not Hermitian"),
        ({"translations": [[0.5, 0]]}, "whole multiples"),
        ({"mirror": np.eye(3)}, "involution"),
        ({"mirror": LAYER_SWAP, "hoppings": [[[1, 0], [0, 2]]]}, "does not commute"),
        ({"band_names": ("only one",)}, "band_names"),
        ({"spin_degeneracy": 0}, "spin_degeneracy = 0"),
    ],
)
def test_impossible_models_are_refused(change, message):
    sound = {"translations": [[0, 0]], "hoppings": np.eye(2)[None]}
    with pytest.raises(ValueError, match=message):
        BlochModel(name="bad", orbitals=("a", "b"), **(sound | change))


def test_unknown_or_impossible_parameters_are_named():
    with pytest.raises(TypeError, match="epsilon_gamma"):
        conduction_bands(epsilon_gamma=0.1)
    with pytest.raises(TypeError, match=r"t1 = '0\.45' has type str"):
        conduction_bands(t1="0.45")
    with pytest.raises(ValueError, match="epsilon_beta = inf"):
        conduction_bands(epsilon_beta=np.inf)
    with pytest.raises(ValueError, match=r"k has shape \(4, 3\)"):
        conduction_bands().energies(np.zeros((4, 3)))
