"""Superconductivity in bilayer nickelates: the calculations behind the book."""

__version__ = "0.1.0"
