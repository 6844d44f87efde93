"""Small pictures for notebooks, in SVG: lines in a box, legible on light and on dark paper."""

from collections.abc import Iterable
from html import escape
from itertools import groupby

import numpy as np

from nickbook.arrays import Floats

#: Colours that stand out from white and from black; the frame has that of the text.
COLORS = ("#3b82c4", "#d2603a", "#4f9d5b", "#a76cc4", "#b58a1f", "#7f8b96")
_MARGIN = 18
#: A line, its colour, its name, which is written once, and its width.
Line = tuple[Floats, str, str, float]


def color(side: int) -> str:
    """Colour of an odd (-1) or an even (+1) band, or of a negative or positive gap."""
    return COLORS[{-1: 0, 1: 1}.get(side, 2)]


def picture(
    lines: Iterable[Line],
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    *,
    size: tuple[int, int] = (180, 180),
    marks: Iterable[tuple[float, str]] = (),
    level: float | None = None,
    title: str = "",
) -> str:
    """Draw lines in a box.

    Parameters
    ----------
    lines : iterable of (ndarray of shape (n, 2), colour, name, width)
        Points in the order in which they are joined; NaN interrupts a line.
    x_limits, y_limits : tuple of float
        What the left and right, the lower and upper edges stand for.
    size : tuple of int, optional
        Width and height of the box in pixels.
    marks : iterable of (x, label), optional
        Places below the box that have names.
    level : float, optional
        Height of a dotted line.
    title : str, optional
        What stands above the box, before the names of lines.

    Returns
    -------
    str
        An ``svg`` element.
    """
    width, height = size
    low = np.array([x_limits[0], y_limits[1]])
    scale = np.array(size) / (np.array([x_limits[1], y_limits[0]]) - low)

    def path(points: Floats) -> str:
        places = (np.asarray(points) - low) * scale
        # `groupby` cuts the line where it is interrupted.
        runs = groupby(places.round(1).tolist(), key=lambda p: p[0] == p[0] and p[1] == p[1])
        pieces = ("L".join(f"{x:g} {y:g}" for x, y in run) for on, run in runs if on)
        return "".join(f"M{p}" if "L" in p else f"M{p}h0" for p in pieces)  # a lone point is a dot

    drawn, names = [], {}
    for points, color, name, thickness in lines:
        names[name] = color
        drawn.append(f'<path d="{path(points)}" stroke="{color}" stroke-width="{thickness:g}"/>')
    legend = "".join(
        f'<tspan fill="{color}" dx="6">{escape(name)}</tspan>'
        for name, color in names.items()
        if name
    )
    if level is not None:
        y = (level - low[1]) * scale[1]
        drawn.append(f'<path d="M0 {y:.1f}H{width}" stroke="currentColor" stroke-dasharray="2 3"/>')
    texts = "".join(
        f'<text x="{(x - low[0]) * scale[0]:.1f}" y="{height + 14}" text-anchor="middle">'
        f"{escape(label)}</text>"
        for x, label in marks
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(title)}" '
        f'width="{width + 2 * _MARGIN}" height="{height + 2 * _MARGIN}" '
        f'viewBox="{-_MARGIN} {-_MARGIN} {width + 2 * _MARGIN} {height + 2 * _MARGIN}">'
        f'<g fill="none" stroke-linecap="round">{"".join(drawn)}'
        f'<rect width="{width}" height="{height}" stroke="currentColor"/></g>'
        f'<g fill="currentColor" font-size="11" font-family="sans-serif">'
        f'<text y="-6">{escape(title)}{legend}</text>{texts}</g></svg>'
    )
