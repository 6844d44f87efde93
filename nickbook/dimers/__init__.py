"""The two-site unit of LK: spins, Hubbard dimer, exchange with the conduction bands."""

from nickbook.dimers.cluster import ExactTriplons, exact_triplons
from nickbook.dimers.cooper import interaction_hamiltonian, pair_states, pairing_matrix
from nickbook.dimers.exchange import (
    Hybridization,
    KondoCouplings,
    SelfEnergies,
    dispersive_kernel,
    hund_coupling,
    hybridization_for_splitting,
    hybridization_from_bands,
    kondo_couplings,
    pairing_constant,
    pairing_enhancement,
    self_energies,
)
from nickbook.dimers.fock import annihilators
from nickbook.dimers.hubbard import HubbardDimer, Pole, exchange_constant, spectral_poles
from nickbook.dimers.hund import BandSpins, band_spins, hund_hamiltonian
from nickbook.dimers.spins import (
    SINGLET,
    TRIPLON_SOFTENING,
    spin_from_triplons,
    spin_operators,
    triplon_bosons,
    triplon_creators,
    triplon_dispersion,
    triplon_structure_factor,
)
from nickbook.dimers.virtual import (
    ExactCouplings,
    exact_couplings,
    kondo_weights,
    self_energy_weights,
    virtual_energies,
    virtual_paths,
)

__all__ = [
    "SINGLET",
    "TRIPLON_SOFTENING",
    "BandSpins",
    "ExactCouplings",
    "ExactTriplons",
    "HubbardDimer",
    "Hybridization",
    "KondoCouplings",
    "Pole",
    "SelfEnergies",
    "annihilators",
    "band_spins",
    "dispersive_kernel",
    "exact_couplings",
    "exact_triplons",
    "exchange_constant",
    "hund_coupling",
    "hund_hamiltonian",
    "hybridization_for_splitting",
    "hybridization_from_bands",
    "interaction_hamiltonian",
    "kondo_couplings",
    "kondo_weights",
    "pair_states",
    "pairing_constant",
    "pairing_enhancement",
    "pairing_matrix",
    "self_energies",
    "self_energy_weights",
    "spectral_poles",
    "spin_from_triplons",
    "spin_operators",
    "triplon_bosons",
    "triplon_creators",
    "triplon_dispersion",
    "triplon_structure_factor",
    "virtual_energies",
    "virtual_paths",
]
