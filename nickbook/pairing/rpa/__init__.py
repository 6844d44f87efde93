"""Susceptibility and pairing by its fluctuations, in the random-phase approximation."""

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
from nickbook.pairing.rpa.wave_vectors import (
    Nesting,
    largest_eigenvalues,
    line_maxima,
    nesting,
    peaks,
)

__all__ = [
    "Nesting",
    "PairScattering",
    "PairingState",
    "StonerPoint",
    "Susceptibility",
    "bare_susceptibility",
    "largest_eigenvalues",
    "line_maxima",
    "linearized_gap",
    "nesting",
    "orbital_pairs",
    "pair_scattering",
    "peaks",
    "rpa_gap",
    "rpa_susceptibility",
    "stoner_point",
]
