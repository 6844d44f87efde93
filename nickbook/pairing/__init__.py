"""Everything that ends in a gap function."""

from nickbook.pairing.frg import FlowOptions, FlowResult, frg_flow
from nickbook.pairing.frg_equation import FlowEquation, bare_vertex
from nickbook.pairing.frg_modes import (
    FlowMode,
    density_modes,
    pairing_modes,
    pairing_vertex,
)
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.interactions import Interaction, kanamori
from nickbook.pairing.patches import FermiPatches, fermi_patches
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
    "FermiPatches",
    "FlowEquation",
    "FlowMode",
    "FlowOptions",
    "FlowResult",
    "GapFunction",
    "Interaction",
    "TriplonMeanField",
    "bare_vertex",
    "channel_boundaries",
    "channel_strengths",
    "density_modes",
    "factorized_gap",
    "fermi_patches",
    "frg_flow",
    "gap_amplitudes",
    "gap_ratio",
    "gap_ratio_exact",
    "kanamori",
    "pair_logarithm",
    "pairing_modes",
    "pairing_vertex",
    "triplon_critical_temperature",
    "triplon_gap",
    "triplon_mean_field",
]
