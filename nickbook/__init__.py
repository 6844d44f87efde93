"""Superconductivity in bilayer nickelates: the calculations behind the book."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load `sweep` when it is asked for."""
    if name == "sweep":
        return import_module("nickbook.sweeps").sweep
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
