"""Hund coupling: what the linear form keeps, and how few triplons the neglected part meets."""

import numpy as np
import pytest

from nickbook.dimers import SINGLET, annihilators, band_spins, hund_hamiltonian, spin_operators


def test_layer_spins_obey_the_spin_algebra():
    spins = band_spins()
    for s in (spins.layer_1, spins.layer_2):
        np.testing.assert_allclose(s[0] @ s[1] - s[1] @ s[0], 1j * s[2], atol=1e-14)
    np.testing.assert_allclose(
        spins.layer_1[0] @ spins.layer_2[1], spins.layer_2[1] @ spins.layer_1[0], atol=1e-14
    )


@pytest.mark.equation("LK", 8)
def test_triplons_couple_to_the_odd_combination():
    spins = band_spins()
    odd = spins.alpha_beta + spins.beta_alpha
    np.testing.assert_allclose(spins.layer_1 - spins.layer_2, odd, atol=1e-14)
    adjoint = spins.beta_alpha.conj().transpose(0, 2, 1)
    np.testing.assert_allclose(spins.alpha_beta, adjoint, atol=1e-14)


@pytest.mark.equation("LK", 6)
def test_full_form_is_two_bonds_of_the_true_spins():
    """Built from site spins alone, without Eq. 7."""
    spins = band_spins()
    first, second = spin_operators()
    pairs = ((first, spins.layer_1), (second, spins.layer_2))
    true = -0.6 * sum(np.kron(S[c], s[c]) for S, s in pairs for c in range(3))
    np.testing.assert_allclose(hund_hamiltonian(0.3), true, atol=1e-14)


def test_ion_of_two_orbitals_splits_singlet_and_triplet_by_twice_the_coupling():
    """Kanamori's repulsion, one electron in each orbital, against −2J_H S·s."""
    J_H = 0.3
    a_up, a_down, b_up, b_down = annihilators(4)
    exchange = [
        (a_up, a_down, b_down, b_up),
        (a_down, a_up, b_up, b_down),
    ]
    flips = sum(J_H * p.T @ q @ r.T @ s for p, q, r, s in exchange)
    number = [c.T @ c for c in (a_up, a_down, b_up, b_down)]
    parallel = -J_H * (number[0] @ number[2] + number[1] @ number[3])
    states = [
        i
        for i in range(16)
        if (number[0] + number[1]).toarray()[i, i] == (number[2] + number[3]).toarray()[i, i] == 1
    ]
    block = (flips + parallel).toarray()[np.ix_(states, states)]
    levels = np.linalg.eigvalsh(block)
    first, second = spin_operators()
    spins = np.linalg.eigvalsh(-2 * J_H * sum(map(np.matmul, first, second)))
    assert np.ptp(levels) == pytest.approx(np.ptp(spins))
    assert levels[:3] == pytest.approx(levels[0])


@pytest.mark.equation("LK", 8)
def test_linear_form_is_all_that_meets_a_singlet():
    full, linear = hund_hamiltonian(0.3), hund_hamiltonian(0.3, form="linear")
    singlet = np.kron(np.outer(SINGLET, SINGLET), np.eye(16))
    np.testing.assert_allclose(full @ singlet, linear @ singlet, atol=1e-14)
    # What is left acts within the triplet: the spin of the triplon times s_1 + s_2.
    spins = band_spins()
    spin = sum(np.array(spin_operators()))
    rest = -0.3 * sum(np.kron(spin[c], (spins.layer_1 + spins.layer_2)[c]) for c in range(3))
    np.testing.assert_allclose(full - linear, rest, atol=1e-14)
    assert np.abs(rest).max() > 0.1
