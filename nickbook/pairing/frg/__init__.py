"""N-patch functional renormalization group."""

from nickbook.pairing.frg.equation import FlowEquation, bare_vertex
from nickbook.pairing.frg.flow import FlowOptions, FlowResult, frg_flow
from nickbook.pairing.frg.vertex import FlowMode, Vertex

__all__ = [
    "FlowEquation",
    "FlowMode",
    "FlowOptions",
    "FlowResult",
    "Vertex",
    "bare_vertex",
    "frg_flow",
]
