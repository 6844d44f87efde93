"""Pairing by exchange of dimer triplons, LK Eqs. 12-18."""

from nickbook.pairing.triplon.eliashberg import (
    RetardedGap,
    RetardedPairing,
    coulomb_matrix,
    crossing_ratio,
    pseudopotential,
    retarded_pairing,
)
from nickbook.pairing.triplon.line import (
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
)
from nickbook.pairing.triplon.parameters import TriplonParameters
from nickbook.pairing.triplon.softening import (
    TriplonPolarization,
    condensation_energy,
    triplets_of_bands,
    triplon_feedback,
    triplon_polarization,
    triplon_width,
)
from nickbook.pairing.triplon.zone import (
    TriplonMeanField,
    channel_boundaries,
    channel_strengths,
    triplon_mean_field,
)

__all__ = [
    "RetardedGap",
    "RetardedPairing",
    "TriplonMeanField",
    "TriplonParameters",
    "TriplonPolarization",
    "channel_boundaries",
    "channel_strengths",
    "condensation_energy",
    "coulomb_matrix",
    "crossing_ratio",
    "factorized_gap",
    "gap_amplitudes",
    "gap_ratio",
    "gap_ratio_exact",
    "pair_logarithm",
    "pseudopotential",
    "retarded_pairing",
    "triplets_of_bands",
    "triplon_critical_temperature",
    "triplon_feedback",
    "triplon_gap",
    "triplon_mean_field",
    "triplon_polarization",
    "triplon_width",
]
