"""What chapters speak with: figures, and figures with sliders."""

from nickbook.book import installed  # noqa: F401, asks for the extra before all else
from nickbook.book.drawing import Curve, Drawing, Image, Panel
from nickbook.book.explore import Choice, Slider
from nickbook.book.figures import figure, subplots
from nickbook.book.formula import Formula
from nickbook.book.verdict_table import LEDGER, Verdicts, verdicts
from nickbook.plot import SHEET_COLORS

__all__ = [
    "LEDGER",
    "SHEET_COLORS",
    "Choice",
    "Curve",
    "Drawing",
    "Formula",
    "Image",
    "Panel",
    "Slider",
    "Verdicts",
    "figure",
    "subplots",
    "verdicts",
]
