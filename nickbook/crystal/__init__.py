"""The crystal of La3Ni2O7: structures, first-principles states, and the models they give."""

from nickbook.crystal.states import ProjectedStates
from nickbook.crystal.wannier import (
    bilayer,
    crystal_plane,
    symmetrized,
    tetragonal_group,
    wannier_functions,
)

__all__ = [
    "ProjectedStates",
    "bilayer",
    "crystal_plane",
    "symmetrized",
    "tetragonal_group",
    "wannier_functions",
]
