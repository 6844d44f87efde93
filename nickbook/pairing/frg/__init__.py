"""N-patch functional renormalization group."""

from nickbook.pairing.frg.equation import (
    FlowEquation,
    bare_vertex,
)
from nickbook.pairing.frg.flow import (
    FlowOptions,
    FlowResult,
    frg_flow,
)
from nickbook.pairing.frg.vertex import (
    FlowMode,
    density_modes,
    pairing_modes,
    pairing_vertex,
)

__all__ = [
    "FlowEquation",
    "FlowMode",
    "FlowOptions",
    "FlowResult",
    "bare_vertex",
    "density_modes",
    "frg_flow",
    "pairing_modes",
    "pairing_vertex",
]
