"""What an experiment sees of any gap function.

Each function takes bands with their level, or a `FermiSea`, and a gap: the `GapFunction` of any
theory of the book, or a function of momenta; `gap_on_sheets` says which.
"""

from nickbook.observables.density import TunnellingSpectrum, tunnelling
from nickbook.observables.gaps import gap_on_sheets
from nickbook.observables.impurities import ImpurityScattering, impurity_scattering
from nickbook.observables.photoemission import (
    MirrorParities,
    PhotoemissionGap,
    mirror_parities,
    photoemission_gap,
)
from nickbook.observables.spins import SpinSpectrum, spin_spectrum
from nickbook.observables.thermodynamics import WeakCoupling, weak_coupling

__all__ = [
    "ImpurityScattering",
    "MirrorParities",
    "PhotoemissionGap",
    "SpinSpectrum",
    "TunnellingSpectrum",
    "WeakCoupling",
    "gap_on_sheets",
    "impurity_scattering",
    "mirror_parities",
    "photoemission_gap",
    "spin_spectrum",
    "tunnelling",
    "weak_coupling",
]
