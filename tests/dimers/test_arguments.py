"""Arguments that no dimer has are refused by name."""

import numpy as np
import pytest

from nickbook.dimers import (
    HubbardDimer,
    annihilators,
    exact_couplings,
    exact_triplons,
    exchange_constant,
    hund_coupling,
    hund_hamiltonian,
    hybridization_for_splitting,
    hybridization_from_bands,
    kondo_couplings,
    pair_states,
    pairing_constant,
    pairing_enhancement,
    pairing_matrix,
    self_energies,
    self_energy_weights,
    spectral_poles,
    spin_from_triplons,
    triplon_bosons,
    triplon_dispersion,
    triplon_structure_factor,
    virtual_energies,
    virtual_paths,
)
from nickbook.dimers.fock import effective_hamiltonian, second_order, sector

DIMER = HubbardDimer(t_c=0.6, U=5.0, level=-1.1)
STATES = (("s", "beta up"), ("t+", "alpha down"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: exact_triplons(0.0, 0.1), "J_c"),
        (lambda: pairing_constant(0.4, J_c=0.0), "J_c"),
        (lambda: pairing_constant(0.4, J_c=0.3, transfer=0.3), "transfer"),
        (lambda: pairing_constant(0.4, channel="quintet"), "channel"),
        (lambda: pairing_enhancement([0.0, 0.0], J_c=1.0, J_ab=0.3), "J_ab"),
        (lambda: pairing_matrix(0.1, J_c=-1.0), "J_c"),
        (lambda: pairing_matrix(0.1, method="guess"), "method"),
        (lambda: pair_states("gamma"), "band"),
        (lambda: annihilators(0), "modes"),
        (lambda: sector(4, 5), "electrons"),
        (lambda: effective_hamiltonian(np.eye(2), np.ones((2, 1))), "orthonormal"),
        (lambda: second_order(np.ones((2, 2)), np.eye(2), np.eye(2)[:, :1]), "eigenvector"),
        (lambda: second_order(np.eye(2), np.ones((2, 2)), np.eye(2)[:, :1]), "degenerate"),
        (lambda: self_energies(t_xz=0.2, E_a=-1.0), "E_a"),
        (lambda: self_energies(t_xz=0.2, E_a=4.0, variant="hubbard"), "E_a < 3.8"),
        (lambda: kondo_couplings(t_xz=0.2, E_a=0.5, variant="exact"), "variant"),
        (lambda: hybridization_from_bands(-0.4, 0.1), "epsilon_alpha > 0"),
        (lambda: hybridization_for_splitting(0.0, E_a=0.5), "splitting"),
        (lambda: hund_coupling(kondo_couplings(t_xz=0.2, E_a=0.5), kappa=0.0), "kappa"),
        (lambda: self_energy_weights(1.2), "bonding_occupation"),
        (lambda: virtual_energies(DIMER, start="quintet"), "start"),
        (lambda: exact_couplings(DIMER, 3.0), "too large"),
        (lambda: HubbardDimer(t_c=-1.0), "t_c"),
        (lambda: HubbardDimer(t_c=0.0, U=0.0), "not both 0"),
        (lambda: exchange_constant(0.6, 0.0), "U > 0"),
        (lambda: exchange_constant(0.6, 5.0, method="mean field"), "method"),
        (lambda: HubbardDimer().removal("c"), "orbital"),
        (lambda: spectral_poles(DIMER, "c"), "orbital"),
        (lambda: spectral_poles(HubbardDimer(level=1.0), "b"), "level"),
        (lambda: HubbardDimer().removal("a", start="quintet"), "start"),
        (lambda: hund_hamiltonian(0.3, form="quadratic"), "form = 'quadratic'; allowed: 'full', "),
        (lambda: triplon_dispersion([1.0, 2.0, 3.0]), "shape"),
        (lambda: triplon_dispersion([0.0, 0.0], J_c=-1.0), "J_c"),
        (lambda: triplon_dispersion([0.0, 0.0], method="exact"), "method"),
        (lambda: triplon_structure_factor([0.0, 0.0], 1.0, spacing=0.0), "spacing"),
        (lambda: triplon_bosons(0), "capacity"),
        (lambda: spin_from_triplons(np.eye(4)), "shape"),
        (lambda: virtual_paths(("q", "beta up"), ("t+", "alpha down")), "dimer state"),
        (lambda: virtual_paths(("s", "gamma up"), ("t+", "alpha down")), "electron"),
        (lambda: virtual_paths(*STATES, bonding_occupation=1.5), "bonding_occupation"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
