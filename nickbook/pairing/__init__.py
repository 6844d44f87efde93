"""Everything that ends in a gap function."""

from nickbook.bands.patches import FermiPatches, fermi_patches
from nickbook.pairing.frg.equation import FlowEquation, bare_vertex
from nickbook.pairing.frg.flow import FlowOptions, FlowResult, frg_flow
from nickbook.pairing.frg.vertex import FlowMode, Vertex
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.interaction import Interaction, kanamori
from nickbook.pairing.rpa.gap_equation import (
    PairingState,
    PairScattering,
    linearized_gap,
    pair_scattering,
    rpa_gap,
)
from nickbook.pairing.rpa.susceptibility import (
    StonerPoint,
    Susceptibility,
    bare_susceptibility,
    orbital_pairs,
    rpa_susceptibility,
    stoner_point,
)
from nickbook.pairing.rpa.wave_vectors import Nesting, nesting
from nickbook.pairing.tj.gutzwiller import (
    GutzwillerFactors,
    ProjectedTJModel,
    gutzwiller_factors,
)
from nickbook.pairing.tj.search import TJModel, tj_critical_temperature, tj_mean_field
from nickbook.pairing.tj.solution import PairAmplitudes, TJSolution
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
    "FermiPatches",
    "FlowEquation",
    "FlowMode",
    "FlowOptions",
    "FlowResult",
    "GapFunction",
    "GutzwillerFactors",
    "Interaction",
    "Nesting",
    "PairAmplitudes",
    "PairScattering",
    "PairingState",
    "ProjectedTJModel",
    "RetardedGap",
    "RetardedPairing",
    "StonerPoint",
    "Susceptibility",
    "TJModel",
    "TJSolution",
    "TriplonMeanField",
    "TriplonParameters",
    "TriplonPolarization",
    "Vertex",
    "bare_susceptibility",
    "bare_vertex",
    "channel_boundaries",
    "channel_strengths",
    "condensation_energy",
    "coulomb_matrix",
    "crossing_ratio",
    "factorized_gap",
    "fermi_patches",
    "frg_flow",
    "gap_amplitudes",
    "gap_ratio",
    "gap_ratio_exact",
    "gutzwiller_factors",
    "kanamori",
    "linearized_gap",
    "nesting",
    "orbital_pairs",
    "pair_logarithm",
    "pair_scattering",
    "pseudopotential",
    "retarded_pairing",
    "rpa_gap",
    "rpa_susceptibility",
    "stoner_point",
    "tj_critical_temperature",
    "tj_mean_field",
    "triplets_of_bands",
    "triplon_critical_temperature",
    "triplon_feedback",
    "triplon_gap",
    "triplon_mean_field",
    "triplon_polarization",
    "triplon_width",
]
