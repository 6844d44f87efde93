"""N-patch functional renormalization group."""

from nickbook.pairing.frg.equation import FlowEquation, bare_vertex
from nickbook.pairing.frg.flow import FlowOptions, FlowResult, frg_flow
from nickbook.pairing.frg.response import Responses
from nickbook.pairing.frg.second_order import exact_second_order, flow_second_order
from nickbook.pairing.frg.two_sheets import TwoSheetFlow, two_sheet_flow
from nickbook.pairing.frg.vertex import FlowMode, Vertex

__all__ = [
    "FlowEquation",
    "FlowMode",
    "FlowOptions",
    "FlowResult",
    "Responses",
    "TwoSheetFlow",
    "Vertex",
    "bare_vertex",
    "exact_second_order",
    "flow_second_order",
    "frg_flow",
    "two_sheet_flow",
]
