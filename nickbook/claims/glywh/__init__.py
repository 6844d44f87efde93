"""What Gu, Le, Yang, Wu and Hu (GLYWH) say."""

from nickbook.claims.glywh.stored import (
    StoredFlow,
    diverge_flows,
    meshes,
    patch_flows,
    repulsions,
)

__all__ = ["StoredFlow", "diverge_flows", "meshes", "patch_flows", "repulsions"]
