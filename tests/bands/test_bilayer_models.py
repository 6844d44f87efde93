"""GLYWH's models against the matrix elements as they are printed."""

import numpy as np
import pytest

from nickbook.bands import (
    SQUARE_ELEMENTS,
    BlochModel,
    EightBandParameters,
    FourBandParameters,
    Symmetry,
    bilayer_plane,
    eight_band,
    four_band,
    square_group,
    three_band,
)

RANDOM = np.random.default_rng(11)


def printed_bilayer(p, k):
    """GLYWH Eqs. 9 and 10, element by element."""
    x, y = k[..., 0], k[..., 1]
    one, two = np.cos(x) + np.cos(y), np.cos(2 * x) + np.cos(2 * y)
    diagonal = np.cos(x) * np.cos(y)
    h = np.zeros((*k.shape[:-1], 4, 4), complex)
    h11 = p.epsilon_x + 2 * p.t11_x * one + 4 * p.t11_xy * diagonal + 2 * p.t11_xx * two
    h22 = p.epsilon_z + 2 * p.t22_x * one + 4 * p.t22_xy * diagonal + 2 * p.t22_xx * two
    h13 = p.s11_0 + 2 * p.s11_x * one + 4 * p.s11_xy * diagonal + 2 * p.s11_xx * two
    h24 = p.s22_0 + 2 * p.s22_x * one + 4 * p.s22_xy * diagonal + 2 * p.s22_xx * two
    odd, odd_2 = np.cos(x) - np.cos(y), np.cos(2 * x) - np.cos(2 * y)
    h12 = 2 * p.t12_x * odd + 2 * p.t12_xx * odd_2
    h14 = 2 * p.s12_x * odd + 2 * p.s12_xx * odd_2
    for value, places in (
        (h11, [(0, 0), (2, 2)]),
        (h22, [(1, 1), (3, 3)]),
        (h12, [(0, 1), (1, 0), (2, 3), (3, 2)]),
        (h13, [(0, 2), (2, 0)]),
        (h14, [(0, 3), (3, 0), (1, 2), (2, 1)]),
        (h24, [(1, 3), (3, 1)]),
    ):
        for place in places:
            h[..., place[0], place[1]] = value
    return h


@pytest.mark.equation("GLYWH", 1, 9, 10)
def test_four_band_is_the_printed_matrix():
    k = RANDOM.uniform(-4, 4, (30, 2))
    assert np.allclose(four_band().hamiltonian(k), printed_bilayer(FourBandParameters(), k))


@pytest.mark.parametrize("delta_z", [0.1, 0.31])
@pytest.mark.equation("GLYWH", 23, 24, 25, 26, 27, 28, 29, 30, 31)
def test_eight_band_in_the_position_gauge_is_the_printed_matrix(delta_z):
    p, k = EightBandParameters(), RANDOM.uniform(-4, 4, (30, 3))
    kz, half = k[:, 2], np.cos(k[:, 0] / 2) * np.cos(k[:, 1] / 2)
    within = printed_bilayer(p, k[:, :2])
    phase = np.exp(1j * delta_z * kz)[:, None, None]
    within[:, :2, 2:] *= phase
    within[:, 2:, :2] *= phase.conj()
    between = np.zeros((30, 4, 4), complex)
    between[:, 0, 0] = between[:, 2, 2] = 8 * p.s11_z * np.cos(kz / 2) * half
    between[:, 1, 1] = between[:, 3, 3] = 8 * p.s22_z * np.cos(kz / 2) * half
    facing = np.exp(-1j * (0.5 - delta_z) * kz) * half
    between[:, 0, 2], between[:, 1, 3] = 4 * p.s13_z * facing, 4 * p.s24_z * facing
    between[:, 2, 0], between[:, 3, 1] = between[:, 0, 2].conj(), between[:, 1, 3].conj()
    printed = np.block([[within, between], [between.conj().swapaxes(1, 2), within]])
    model = eight_band(delta_z=delta_z)
    assert np.allclose(model.hamiltonian(k, gauge="position"), printed, atol=1e-13)
    assert np.allclose(model.energies(k), np.linalg.eigvalsh(printed), atol=1e-12)


@pytest.mark.equation("GLYWH", 33, 34)
def test_planes_of_the_block_hold_the_eight_bands():
    for kx, ky, kz in RANDOM.uniform(-4, 4, (10, 3)):
        k = np.array([kx + ky, kx - ky]) / 2
        blocks = [bilayer_plane(z).energies(k) for z in (kz, kz + 2 * np.pi)]
        assert np.allclose(np.sort(np.concatenate(blocks)), eight_band().energies([kx, ky, kz]))
        assert np.allclose(eight_band().plane(kz).energies([kx, ky]), np.sort(np.ravel(blocks)))


@pytest.mark.parametrize(
    "model", [four_band(), three_band(), bilayer_plane(0.7)], ids=lambda m: m.name
)
def test_symmetries_turn_the_hamiltonian(model):
    k = RANDOM.uniform(-4, 4, (7, 2))
    assert tuple(s.name for s in model.symmetries) == SQUARE_ELEMENTS
    for symmetry in model.symmetries:
        turned = symmetry.orbitals @ model.hamiltonian(k) @ symmetry.orbitals.conj().T
        assert np.allclose(model.hamiltonian(symmetry.momentum(k)), turned)


def test_a_symmetry_that_the_model_does_not_have_is_refused():
    wrong = square_group(np.eye(4), np.eye(4))
    model = four_band()
    with pytest.raises(ValueError, match="not invariant under 'C4'"):
        BlochModel("wrong", model.orbitals, model.translations, model.hoppings, symmetries=wrong)
    small = (Symmetry("small", np.eye(2, dtype=int), np.eye(3)),)
    with pytest.raises(ValueError, match=r"symmetry 'small' has shapes"):
        BlochModel("wrong", model.orbitals, model.translations, model.hoppings, symmetries=small)
