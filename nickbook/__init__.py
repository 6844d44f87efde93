"""Superconductivity in bilayer nickelates: the calculations behind the book."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nickbook.report import compare as compare

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Find `compare` when it is first asked for, so that each room can do without the others."""
    if name == "compare":
        from nickbook.report import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
