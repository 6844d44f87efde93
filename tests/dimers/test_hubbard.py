"""The two-site Hubbard problem: every level and weight against diagonalization in Fock space."""

from dataclasses import astuple

import numpy as np
import pytest

from nickbook.dimers import HubbardDimer, annihilators, exchange_constant, spectral_poles
from nickbook.dimers.fock import restrict, sector

DIMER = HubbardDimer(t_c=0.6, U=5.0, level=-1.1)  # E_a = 0.5
POINTS = [(0.6, 5.0), (0.15, 5.0), (0.05, 5.0), (1.0, 1.0), (0.3, 0.0), (0.0, 2.0)]


def site_hamiltonian(t_c, U, level):
    """Modes z1 up, z1 down, z2 up, z2 down."""
    c = annihilators(4)
    n = [x.T @ x for x in c]
    hop = sum(c[s].T @ c[s + 2] for s in (0, 1))
    return level * sum(n) - t_c * (hop + hop.T) + U * (n[0] @ n[1] + n[2] @ n[3])


def levels(hamiltonian, electrons):
    states = sector(4, electrons)
    energies, vectors = np.linalg.eigh(restrict(hamiltonian, states))
    full = np.zeros((16, len(states)), dtype=complex)
    full[states] = vectors
    return energies, full


@pytest.mark.parametrize(("t_c", "U"), POINTS)
def test_levels_and_occupations_by_diagonalization(t_c, U):
    dimer = HubbardDimer(t_c=t_c, U=U, level=-0.7)
    hamiltonian = site_hamiltonian(t_c, U, -0.7)
    two, vectors = levels(hamiltonian, 2)
    assert two[0] == pytest.approx(dimer.singlet, abs=1e-12)
    assert np.isclose(two, dimer.triplet, atol=1e-12).sum() >= 3
    one, three = (levels(hamiltonian, electrons)[0] for electrons in (1, 3))
    np.testing.assert_allclose(one[::2], [dimer.one_electron("b"), dimer.one_electron("a")])
    np.testing.assert_allclose(three[::2], [dimer.three_electrons("a"), dimer.three_electrons("b")])
    if t_c and U:  # otherwise the ground state is degenerate or has no correlation to test
        c, ground = annihilators(4), vectors[:, 0]
        bonding = np.linalg.norm((c[0] + c[2]) @ ground) ** 2 / 2
        assert bonding == pytest.approx(dimer.bonding_occupation)
        double = c[0].T @ c[0] @ c[1].T @ c[1] + c[2].T @ c[2] @ c[3].T @ c[3]
        assert np.vdot(ground, double @ ground).real == pytest.approx(dimer.double_occupancy)


def test_what_removal_leaves_behind():
    """Lehmann weights in the site basis: an a electron taken from the singlet leaves an a."""
    hamiltonian = site_hamiltonian(0.6, 5.0, -1.1)
    two, vectors = levels(hamiltonian, 2)
    c = annihilators(4)
    for name, sign in (("b", 1), ("a", -1)):
        orbital = (c[0] + sign * c[2]) / np.sqrt(2)
        for change, operator, energy in (
            (-1, orbital, DIMER.removal(name)),
            (1, orbital.T, DIMER.addition(name)),
        ):
            energies, finals = levels(hamiltonian, 2 + change)
            weights = np.abs(finals.conj().T @ (operator @ vectors[:, 0])) ** 2
            mean = np.sum(weights * (energies - two[0])) / weights.sum()
            spread = np.sum(weights * (energies - two[0] - mean) ** 2) / weights.sum()
            assert spread == pytest.approx(0, abs=1e-12)  # one pole only
            assert mean == pytest.approx(energy)
    assert DIMER.removal("a") - DIMER.removal("b") == pytest.approx(1.2)
    assert DIMER.addition("b") - DIMER.addition("a") == pytest.approx(1.2)


def test_adding_to_a_level_at_minus_E_costs_U_minus_E():
    """Levels -E_a = -0.5 and -E_b = -1.7 hold one electron each (triplet): not E + U."""
    for orbital, depth in (("a", 0.5), ("b", 1.7)):
        assert DIMER.removal(orbital, start="triplet") == pytest.approx(depth)
        assert DIMER.addition(orbital, start="triplet") == pytest.approx(5.0 - depth)
    # Without hopping a single site does the same: the two energies add up to U.
    atom = HubbardDimer(t_c=0.0, level=-1.1)
    assert atom.removal("a") + atom.addition("a") == pytest.approx(5.0)


def test_exchange_at_the_printed_parameters():
    assert exchange_constant() == pytest.approx(0.288)
    exact = exchange_constant(method="exact")
    assert exact == pytest.approx(0.273085, abs=1e-6)
    assert exact / exchange_constant() == pytest.approx(0.9482, abs=1e-4)
    # 1 - 4 (t/U)^2 + ... relative correction, from the expansion of the square root.
    weak = exchange_constant(0.01, method="exact") / exchange_constant(0.01)
    assert weak - 1 == pytest.approx(-4 * (0.01 / 5) ** 2, rel=1e-4)
    assert HubbardDimer().bonding_occupation == pytest.approx(0.71637, abs=1e-5)
    assert HubbardDimer().double_occupancy == pytest.approx(0.04924, abs=1e-5)


def test_poles_are_the_closed_forms():
    for orbital, filled in (("b", DIMER.bonding_occupation), ("a", 1 - DIMER.bonding_occupation)):
        removal, addition = spectral_poles(DIMER, orbital)
        assert astuple(removal) == pytest.approx((-DIMER.removal(orbital), filled))
        assert astuple(addition) == pytest.approx((DIMER.addition(orbital), 1 - filled))


def test_moments():
    """Sum of weights 1, mean energy level + U/2 -+ t_c: equation of motion at half filling."""
    for orbital, shift in (("b", -0.6), ("a", 0.6)):
        poles = spectral_poles(DIMER, orbital)
        assert sum(p.weight for p in poles) == pytest.approx(1)
        assert sum(p.weight * p.energy for p in poles) == pytest.approx(-1.1 + 2.5 + shift)
