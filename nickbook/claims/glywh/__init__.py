"""What Gu, Le, Yang, Wu and Hu (GLYWH) say."""

from nickbook.claims.glywh.third_dimension import printed_matrix, printed_parts

__all__ = ["printed_matrix", "printed_parts"]
