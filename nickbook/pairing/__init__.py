"""Everything that ends in a gap function."""

from nickbook.pairing.gap import GapFunction
from nickbook.pairing.triplon import (
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
)

__all__ = [
    "GapFunction",
    "factorized_gap",
    "gap_amplitudes",
    "gap_ratio",
    "gap_ratio_exact",
    "pair_logarithm",
    "triplon_critical_temperature",
    "triplon_gap",
]
