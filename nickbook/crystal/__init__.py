"""The crystal of La3Ni2O7: structures, first-principles states, and the models they give."""

from nickbook.crystal.atoms import (
    CRYSTALS,
    Octahedron,
    octahedron,
    octahedron_edges,
    structure,
)
from nickbook.crystal.states import CALCULATIONS, ProjectedStates, crystal_states
from nickbook.crystal.wannier import (
    bilayer,
    crystal_model,
    crystal_plane,
    symmetrized,
    tetragonal_group,
    wannier_functions,
)

__all__ = [
    "CALCULATIONS",
    "CRYSTALS",
    "Octahedron",
    "ProjectedStates",
    "bilayer",
    "crystal_model",
    "crystal_plane",
    "crystal_states",
    "octahedron",
    "octahedron_edges",
    "structure",
    "symmetrized",
    "tetragonal_group",
    "wannier_functions",
]
