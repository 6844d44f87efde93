"""Colours, and one style for all figures."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.patheffects import withStroke
from scipy.spatial import cKDTree

from nickbook.arrays import Floats

#: Colours of the Fermi sheets, with a contrast of at least 3 to both the white and the dark page.
SHEET_COLORS: Mapping[str, str] = {"alpha": "#0072b2", "beta": "#cf3f2e", "gamma": "#009e73"}
#: Those colours and three more like them, in the order in which they are taken.
PALETTE = (*SHEET_COLORS.values(), "#a05fc0", "#b07d00", "#7a7a7a")
#: Settings of matplotlib for every figure.
STYLE: dict[Any, Any] = {
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "mathtext.fontset": "dejavusans",
    "savefig.facecolor": "white",
    "svg.hashsalt": "nickbook",
}

# Lines in white or black would vanish on one of the pages: zero is a grey that is seen on both.
#: Colours of a signed quantity on lines: below zero, at zero, and above.
SIGNED_COLORS = ("#0064dc", "#8c8c8c", "#d42a1c")
#: Colours of shares 0, ½ and 1 on lines.
SHARE_COLORS = ("#b07d00", SIGNED_COLORS[1], "#6a55ea")
SIGNED: Colormap = LinearSegmentedColormap.from_list("signed", SIGNED_COLORS)
SHARE: Colormap = LinearSegmentedColormap.from_list("share", SHARE_COLORS)

#: Least distance of a name from the frame, and what distance from another name counts, as shares
#: of the frame.
_MARGIN, _APART = 0.06, 0.2
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma"}


def drawing_axes(ax: Axes | None) -> Axes:
    """Return given axes, or those of a new figure in the book's style."""
    if ax is not None:
        return ax
    with plt.rc_context(STYLE):
        return plt.subplots(layout="constrained")[1]


def sheet_colors(names: Iterable[str]) -> dict[str, str]:
    """Colour of each name: those of α, β and γ are fixed, the others take what is left in turn."""
    given = dict.fromkeys(names)
    fixed = {name: SHEET_COLORS[_GREEK[name]] for name in given if name in _GREEK}
    left = cycle([color for color in PALETTE if color not in fixed.values()])
    return {name: fixed.get(name) or next(left) for name in given}


def name_lines(
    ax: Axes, lines: Sequence[Floats], names: Sequence[str], colors: Sequence[str]
) -> None:
    """Write each name on its line (n, 2), where the line is furthest from others and other names.

    Nothing is written on a line that is nowhere in the picture, or next to its frame.  Without
    colours names are written like any text.
    """
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    halo = [withStroke(linewidth=3, foreground=ax.get_facecolor())]
    shares = [(line - low) / (high - low) for line in lines]
    taken: list[Floats] = []
    for own, (line, name) in enumerate(zip(lines, names, strict=True)):
        room = 1 - np.abs(shares[own] - 0.5).max(axis=-1)
        others = np.concatenate([np.empty((0, 2)), *shares[:own], *shares[own + 1 :]])
        if len(others):
            room = cKDTree(others).query(shares[own])[0]
        if taken:
            room = room + _APART * np.minimum(cKDTree(taken).query(shares[own])[0], 0.2)
        room[np.abs(shares[own] - 0.5).max(axis=-1) > 0.5 - _MARGIN] = -1.0
        place = int(room.argmax())
        if room[place] >= 0:
            taken.append(shares[own][place])
            color = colors[own] if colors else plt.rcParams["text.color"]
            words: dict[str, Any] = {"ha": "center", "va": "center", "path_effects": halo}
            ax.annotate(name, (line[place][0], line[place][1]), color=color, zorder=4, **words)


def share_line(ax: Axes, pieces: Sequence[tuple[Floats, Floats]], **line: Any) -> None:
    """Draw lines in the colours of shares from zero to one."""
    value_line(ax, pieces, **{"cmap": SHARE, "clim": (0, 1)} | line)


def value_line(ax: Axes, pieces: Sequence[tuple[Floats, Floats]], **line: Any) -> None:
    """Draw lines whose colours follow numbers, each step in that of the number half-way."""
    # Steps overlap by one, so that no seam is seen between them.
    segments = [points[i : i + 3] for points, _ in pieces for i in range(len(points) - 1)]
    values = [(v[1:] + v[:-1]) / 2 for _, v in pieces]
    width = {} if {"lw", "linewidth", "linewidths"} & line.keys() else {"linewidth": 3.0}
    lines = LineCollection(segments, array=np.concatenate([[], *values]), **width, **line)
    ax.add_collection(lines)
    ax.autoscale_view()


def share_scale(ax: Axes, orbitals: str | Sequence[str] | None) -> None:
    """Add the scale of the shares drawn last."""
    names = orbitals if isinstance(orbitals, str) else " + ".join(orbitals or ())
    scale(ax, f"share of {names}")


def scale(ax: Axes, words: str) -> None:
    """Add the scale of the numbers drawn last."""
    ax.figure.colorbar(ax.collections[-1], ax=ax, label=words, shrink=0.8)
