"""Everything that ends in a gap function."""

from nickbook.pairing.gap import GapFunction
from nickbook.pairing.interactions import Interaction, kanamori
from nickbook.pairing.tj import tj_critical_temperature, tj_mean_field
from nickbook.pairing.tj_solution import PairAmplitudes, TJSolution
from nickbook.pairing.triplon import (
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
)
from nickbook.pairing.triplon_mesh import (
    TriplonMeanField,
    channel_boundaries,
    channel_strengths,
    triplon_mean_field,
)

__all__ = [
    "GapFunction",
    "Interaction",
    "PairAmplitudes",
    "TJSolution",
    "TriplonMeanField",
    "channel_boundaries",
    "channel_strengths",
    "factorized_gap",
    "gap_amplitudes",
    "gap_ratio",
    "gap_ratio_exact",
    "kanamori",
    "pair_logarithm",
    "tj_critical_temperature",
    "tj_mean_field",
    "triplon_critical_temperature",
    "triplon_gap",
    "triplon_mean_field",
]
