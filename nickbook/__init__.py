"""Superconductivity in bilayer nickelates: the calculations behind the book."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Find `sweep` and `compare` when they are asked for: no room waits for those after it."""
    if name == "sweep":
        return import_module("nickbook.sweeps").sweep
    if name == "compare":
        return import_module("nickbook.report").compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
