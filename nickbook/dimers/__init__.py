"""The two-site unit of LK: spins, Hubbard dimer, exchange with the conduction bands."""

from nickbook.dimers.cluster import ExactTriplons, exact_triplons, plane_bonds
from nickbook.dimers.cooper import interaction_hamiltonian, pair_states, pairing_matrix
from nickbook.dimers.exchange import (
    Hybridization,
    KondoCouplings,
    SelfEnergies,
    band_admixture,
    hund_coupling,
    hybridization_for_splitting,
    hybridization_from_bands,
    kondo_couplings,
    pairing_constant,
    pairing_enhancement,
    self_energies,
)
from nickbook.dimers.fock import (
    annihilators,
    effective_hamiltonian,
    restrict,
    second_order,
    sector,
    total,
)
from nickbook.dimers.hubbard import HubbardDimer, exchange_constant
from nickbook.dimers.hund import BandSpins, band_spins, hund_hamiltonian
from nickbook.dimers.paths import virtual_paths
from nickbook.dimers.spectrum import Pole, spectral_poles
from nickbook.dimers.spins import (
    SINGLET,
    spin_from_triplons,
    spin_operators,
    triplon_bosons,
    triplon_creators,
    triplon_dispersion,
    triplon_softening,
    triplon_structure_factor,
)
from nickbook.dimers.virtual import (
    VIRTUAL_STATES,
    ExactCouplings,
    exact_couplings,
    kondo_weights,
    self_energy_weights,
    virtual_energies,
)

__all__ = [
    "SINGLET",
    "VIRTUAL_STATES",
    "BandSpins",
    "ExactCouplings",
    "ExactTriplons",
    "HubbardDimer",
    "Hybridization",
    "KondoCouplings",
    "Pole",
    "SelfEnergies",
    "annihilators",
    "band_admixture",
    "band_spins",
    "effective_hamiltonian",
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
    "plane_bonds",
    "restrict",
    "second_order",
    "sector",
    "self_energies",
    "self_energy_weights",
    "spectral_poles",
    "spin_from_triplons",
    "spin_operators",
    "total",
    "triplon_bosons",
    "triplon_creators",
    "triplon_dispersion",
    "triplon_softening",
    "triplon_structure_factor",
    "virtual_energies",
    "virtual_paths",
]
