"""Hund coupling: what the linear form keeps, and how few triplons the neglected part meets."""

import numpy as np
import pytest

from nickbook.dimers import SINGLET, band_spins, hund_hamiltonian, spin_operators


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
