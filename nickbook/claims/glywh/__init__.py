"""What Gu, Le, Yang, Wu and Hu (GLYWH) say."""

from nickbook.claims.glywh.stored import (
    StoredFlow,
    diverge_flows,
    mapped,
    meshes,
    patch_flows,
    repulsions,
)
from nickbook.claims.glywh.third_dimension import printed_matrix, printed_parts

__all__ = [
    "StoredFlow",
    "diverge_flows",
    "mapped",
    "meshes",
    "patch_flows",
    "printed_matrix",
    "printed_parts",
    "repulsions",
]
