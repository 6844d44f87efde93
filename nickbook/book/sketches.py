"""Drawings of the crystal and its orbitals, without numbers, for the first pages of the book."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Ellipse, FancyArrowPatch, Polygon
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.plot import PALETTE

__all__ = [
    "crystal",
    "dimer_processes",
    "kondo_steps",
    "levels",
    "mirror",
    "nesting_route",
    "orbitals",
    "stacked_bilayers",
    "time_orders",
    "triplon_hop",
    "triplon_route",
]

PLUS, MINUS, NICKEL, OXYGEN = "#d42a1c", "#0064dc", "#4d5a66", "#c98a8a"
PLANE, MIRROR = "#9fb3c3", "#8a5fb0"
TEXT: dict[str, Any] = {"fontsize": 9, "ha": "center", "va": "center"}
#: Text of drawings as wide as the page, which a telephone shows at two thirds of their size.
LARGE = {**TEXT, "fontsize": 12}
#: Half the distance between the layers in units of the Ni–Ni distance in a layer.
_HALF = 0.52


def _blank(ax: Axes, x: tuple[float, float], y: tuple[float, float]) -> None:
    ax.set(xlim=x, ylim=y, aspect="equal")
    ax.set_axis_off()


def _dot(ax: Axes, place: ArrayLike, radius: float, **style: Any) -> None:
    x, y = np.asarray(place, dtype=float)
    ax.add_patch(Circle((x, y), radius, **style))


def _seen(place: Sequence[float]) -> Floats:
    """Project a point of space, in Ni–Ni distances, as seen from the front and above."""
    x, y, z = place
    return np.array([x + 0.45 * y, 0.34 * y + z])


def crystal(ax: Axes) -> Axes:
    """Draw two NiO2 layers that share their apical oxygens, one layer above the other.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import crystal
    >>> ax = crystal(plt.figure().gca())
    >>> sorted({text.get_text() for text in ax.texts})
    ['layer 1', 'layer 2', 'shared apical O']
    >>> plt.close()
    """
    _blank(ax, (-0.75, 3.75), (-1.45, 2.05))
    sites = [(x, y) for y in (1, 0) for x in (0, 1, 2)]
    for z in (-_HALF, _HALF):
        corners = [(-0.5, -0.5, z), (2.5, -0.5, z), (2.5, 1.5, z), (-0.5, 1.5, z)]
        ax.add_patch(Polygon([_seen(c) for c in corners], color=PLANE, alpha=0.25, lw=0))
        for x, y in sites:
            here = _seen((x, y, z))
            for dx, dy in ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)):
                there = _seen((x + dx, y + dy, z))
                ax.plot(*np.transpose([here, there]), color=NICKEL, lw=1.2, zorder=1)
                _dot(ax, there, 0.06, color=OXYGEN, zorder=2)
    for x, y in sites:
        bottom, top = _seen((x, y, -_HALF)), _seen((x, y, _HALF))
        ax.plot(*np.transpose([bottom, top]), color=PALETTE[4], lw=2.2, zorder=2)
        for end, way in ((bottom, -0.42), (top, 0.42)):
            outer = end + np.array([0, way])
            ax.plot(*np.transpose([end, outer]), color=NICKEL, lw=0.8, zorder=1)
            _dot(ax, outer, 0.05, color=OXYGEN, alpha=0.6, zorder=2)
        _dot(ax, (bottom + top) / 2, 0.08, color=PALETTE[4], zorder=3)
        for end in (bottom, top):
            _dot(ax, end, 0.11, color=NICKEL, zorder=4)
    for z, name in ((_HALF, "layer 1"), (-_HALF, "layer 2")):
        x, y = _seen((3.0, 0.4, z))
        ax.text(x, y, name, **TEXT)
    ax.annotate(
        "shared apical O",
        _seen((2, 0, 0)) + np.array([0.08, 0]),
        _seen((2.95, 0.4, 0)) + np.array([0.1, -0.08]),
        arrowprops={"arrowstyle": "-", "lw": 0.8},
        **TEXT,
    )
    return ax


def _z2(ax: Axes, x: float, y: float, sign: int = 1, size: float = 0.46) -> None:
    """Draw the orbital 3z² − r²: two lobes along z, and a ring of the other sign."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 61)
    radius = size * np.maximum(3 * np.cos(angle) ** 2 - 1, 0) / 2
    colors = (PLUS, MINUS) if sign > 0 else (MINUS, PLUS)
    for way in (1, -1):
        lobe = np.transpose([radius * np.sin(angle), way * radius * np.cos(angle)])
        ax.add_patch(Polygon(lobe + np.array([x, y]), color=colors[0], alpha=0.85, lw=0, zorder=3))
    ax.add_patch(
        Ellipse((x, y), 0.62 * size, 0.2 * size, color=colors[1], alpha=0.85, lw=0, zorder=4)
    )


def _x2y2(ax: Axes, x: float, y: float, size: float = 0.58) -> None:
    """Draw the orbital x² − y², four lobes in the plane, as `_seen`."""
    angle = np.linspace(-np.pi / 4, np.pi / 4, 41)
    radius = size * np.cos(2 * angle)
    for quarter in range(4):
        turned = angle + quarter * np.pi / 2
        lobe = [
            _seen((r * np.cos(t), r * np.sin(t), 0)) for r, t in zip(radius, turned, strict=True)
        ]
        color = MINUS if quarter % 2 else PLUS
        ax.add_patch(
            Polygon(np.array(lobe) + np.array([x, y]), color=color, alpha=0.85, lw=0, zorder=3)
        )


def orbitals(ax: Axes) -> Axes:
    """Draw the two orbitals of a Ni in both layers: one reaches across, the other along a layer.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import orbitals
    >>> ax = orbitals(plt.figure().gca())
    >>> len(ax.patches) > 12
    True
    >>> plt.close()
    """
    _blank(ax, (-0.8, 4.4), (-1.25, 1.5))
    for x in (0.3, 2.7):
        for y in (-_HALF, _HALF):
            corners = [
                _seen((a, b, y)) + np.array([x, 0])
                for a, b in ((-0.6, -0.6), (0.6, -0.6), (0.6, 0.6), (-0.6, 0.6))
            ]
            ax.add_patch(Polygon(corners, color=PLANE, alpha=0.25, lw=0))
    for y in (-_HALF, _HALF):
        _z2(ax, 0.3, y)
        _x2y2(ax, 2.7, y)
    ax.add_patch(Circle((0.3, 0), 0.06, color=PALETTE[4], zorder=5))
    _arrow(ax, (0.95, -_HALF), (0.95, _HALF))
    ax.text(1.2, 0, "$t_⊥$", **TEXT)
    _arrow(ax, (3.35, _HALF), (4.15, _HALF))
    ax.text(3.75, _HALF + 0.2, "$t_∥$", **TEXT)
    ax.text(0.3, 1.3, "$3z^2-r^2$", **TEXT)
    ax.text(2.7, 1.3, "$x^2-y^2$", **TEXT)
    return ax


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], **style: Any) -> None:
    given: dict[str, Any] = {
        "arrowstyle": "<|-|>",
        "mutation_scale": 9,
        "lw": 1.1,
        "color": "#444444",
    } | style
    ax.add_patch(FancyArrowPatch(start, end, **given))


def levels(ax: Axes) -> Axes:
    """Draw how three electrons fill the levels of a pair of Ni.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import levels
    >>> ax = levels(plt.figure().gca())
    >>> "bonding" in {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-0.2, 4.9), (-1.5, 1.5))
    for y, x in ((-0.25, 0.2), (0.35, 3.9)):
        ax.plot([x, x + 0.6], [y, y], color=NICKEL, lw=2)
    ax.text(0.5, -0.5, "$z^2$", **TEXT)
    ax.text(4.2, 0.62, "$x^2-y^2$", **TEXT)
    for y, name in ((-1.05, "bonding"), (0.65, "antibonding")):
        ax.plot([1.4, 2.1], [y, y], color=PALETTE[4], lw=2.5)
        ax.plot([0.8, 1.4], [-0.25, y], color=NICKEL, lw=0.7, ls=":")
        ax.text(1.75, y - 0.22 if y < 0 else y + 0.22, name, **TEXT)
    ax.add_patch(
        Polygon(
            [(2.7, -0.35), (3.4, -0.35), (3.4, 1.05), (2.7, 1.05)],
            color=PALETTE[0],
            alpha=0.25,
            lw=0,
        )
    )
    ax.add_patch(
        Polygon(
            [(2.7, -0.35), (3.4, -0.35), (3.4, 0.0), (2.7, 0.0)], color=PALETTE[0], alpha=0.6, lw=0
        )
    )
    ax.plot([3.4, 3.9], [0.35, 0.35], color=NICKEL, lw=0.7, ls=":")
    ax.text(3.05, -0.57, "bands", **TEXT)
    ax.axhline(0.0, 0.22, 0.72, color="#444444", lw=0.8, ls="--")
    ax.text(2.4, 0.14, "μ", **TEXT)
    for x, way in ((1.62, 0.3), (1.88, -0.3)):
        _arrow(ax, (x, -1.05 - way / 2), (x, -1.05 + way / 2), arrowstyle="-|>", mutation_scale=7)
    return ax


def mirror(ax: Axes) -> Axes:
    """Draw the even and the odd combination of an orbital of two layers.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import mirror
    >>> ax = mirror(plt.figure().gca())
    >>> [text.get_text() for text in ax.texts if "odd" in text.get_text()]
    ['odd, antibonding']
    >>> plt.close()
    """
    _blank(ax, (-1.0, 3.8), (-1.5, 1.5))
    ax.axhline(0, 0.06, 0.94, color=MIRROR, lw=1.4, ls="--")
    ax.text(1.4, 0.16, "mirror", color=MIRROR, **TEXT)
    for x, sign, name in ((0.0, 1, "even, bonding"), (2.8, -1, "odd, antibonding")):
        _z2(ax, x, _HALF + 0.05)
        _z2(ax, x, -_HALF - 0.05, sign)
        ax.text(x, 1.35, name, **TEXT)
    return ax


def _wave(start: ArrayLike, end: ArrayLike, turns: int = 5) -> Floats:
    """Return the points of a wavy line between two points."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    share = np.linspace(0, 1, 40 * turns)[:, None]
    across = np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
    points: Floats = a + share * (b - a) + 0.07 * np.sin(2 * np.pi * turns * share) * across
    return points


def triplon_route(ax: Axes) -> Axes:
    """Draw two electrons that exchange the excitation of a singlet on a rung.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import triplon_route
    >>> ax = triplon_route(plt.figure().gca())
    >>> "triplon" in {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-0.6, 4.2), (-1.5, 1.5))
    for z in (-_HALF, _HALF):
        ax.plot([-0.4, 4.0], [z, z], color=PLANE, lw=3, alpha=0.6, zorder=0)
    for x in (0.4, 1.8, 3.2):
        excited = x == 1.8
        color = PALETTE[4] if excited else NICKEL
        ax.add_patch(
            Ellipse((x, 0), 0.5, 1.6, fc="none", ec=color, lw=1.8 if excited else 1, ls="-")
        )
        for z, way in ((_HALF, 0.3), (-_HALF, 0.3 if excited else -0.3)):
            _arrow(ax, (x, z - way / 2), (x, z + way / 2), arrowstyle="-|>", color=color)
    ax.text(1.8, 1.05, "triplon", color=PALETTE[4], **TEXT)
    ax.text(0.4, 1.05, "singlet", **TEXT)
    # An electron of α or β is in both layers at once, so the drawing names no layer's band.
    for x, z, below in ((1.1, _HALF, 0.28), (2.5, -_HALF, -0.28)):
        ax.add_patch(Circle((x, z), 0.11, color="#444444", zorder=4))
        ax.text(x, z + below, "α→β", **TEXT)
        ax.plot(*_wave((x, z), (1.8, z * 0.55)).T, color=PALETTE[4], lw=1.2)
    ax.text(1.8, -1.3, "spins localized on $z^2$", **TEXT)
    return ax


def nesting_route(ax: Axes) -> Axes:
    """Draw a pair that a spin fluctuation scatters from one Fermi sheet to another.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import nesting_route
    >>> ax = nesting_route(plt.figure().gca())
    >>> "q" in {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-1.7, 3.1), (-1.5, 1.5))
    for center, radius, color, name in (
        ((-0.7, 0), 0.8, PALETTE[1], "β"),
        ((2.1, 0), 0.62, PALETTE[2], "γ"),
    ):
        ax.add_patch(Circle(center, radius, fc="none", ec=color, lw=2.5))
        ax.text(*center, name, color=color, fontsize=11, ha="center", va="center")
    first = np.array([-0.7, 0]) + 0.8 * np.array([np.cos(0.5), np.sin(0.5)])
    second = np.array([2.1, 0]) + 0.62 * np.array([np.cos(2.6), np.sin(2.6)])
    for start, end in ((first, second), (first * [1, -1], second * [1, -1])):
        ax.plot(*_wave(start, end, 4).T, color="#444444", lw=1.2)
        for place in (start, end):
            _dot(ax, place, 0.08, color="#444444", zorder=4)
    x, y = (first + second) / 2
    ax.text(x, y + 0.25, "q", **TEXT)
    ax.text(0.7, -1.3, "electrons of both orbitals in bands", **TEXT)
    return ax


def _rung(ax: Axes, x: float, y: float, *, excited: bool) -> None:
    """Draw two spins on a vertical bond: a singlet, or a triplet with both up."""
    color = PALETTE[4] if excited else NICKEL
    ax.add_patch(
        Ellipse((x, y), 0.46, 1.6, fc=color, ec=color, alpha=0.22 if excited else 0.1, lw=0)
    )
    ax.plot([x, x], [y - _HALF, y + _HALF], color=color, lw=0.9, ls=":")
    for z, way in ((y + _HALF, 1), (y - _HALF, 1 if excited else -1)):
        _arrow(ax, (x, z - 0.19 * way), (x, z + 0.19 * way), arrowstyle="-|>", color=color, lw=1.8)


def triplon_hop(ax: Axes) -> Axes:
    """Draw the singlet of a rung, the triplet, and a triplet that hops along two layers.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import triplon_hop
    >>> ax = triplon_hop(plt.figure().gca())
    >>> "triplet" in {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-0.6, 6.2), (-1.5, 1.45))
    for x, name, energy in ((0.0, "singlet", "$-3J_c/4$"), (1.3, "triplet", "$+J_c/4$")):
        _rung(ax, x, 0, excited=name == "triplet")
        ax.text(x, 1.12, name, **TEXT)
        ax.text(x, -1.18, energy, **TEXT)
    _arrow(ax, (0.32, 0), (0.98, 0), arrowstyle="-|>")
    ax.text(0.65, 0.24, "$J_c$", **TEXT)
    for z in (-_HALF, _HALF):
        ax.plot([2.55, 6.0], [z, z], color=PLANE, lw=3, alpha=0.6, zorder=0)
    for x in (2.9, 3.83, 4.76, 5.69):
        _rung(ax, x, 0, excited=x == 3.83)
    ax.add_patch(
        FancyArrowPatch(
            (3.83, 0.85),
            (4.76, 0.85),
            connectionstyle="arc3,rad=-0.5",
            arrowstyle="-|>",
            mutation_scale=9,
            lw=1.3,
            color=PALETTE[4],
        )
    )
    ax.text(4.3, 1.3, "$J_{ab}/2$", color=PALETTE[4], **TEXT)
    ax.text(4.3, -1.18, "a triplon moves", **TEXT)
    return ax


def _spins(ax: Axes, x: float, y: float, spins: str) -> None:
    """Draw a level and the electrons on it, ``u`` for up and ``d`` for down."""
    ax.plot([x - 0.34, x + 0.34], [y, y], color=NICKEL, lw=1.6, zorder=1)
    for place, spin in enumerate(spins):
        here = x + 0.24 * (place - (len(spins) - 1) / 2)
        way = 0.2 if spin == "u" else -0.2
        _arrow(
            ax,
            (here, y - way),
            (here, y + way),
            arrowstyle="-|>",
            mutation_scale=7,
            lw=1.4,
            zorder=3,
        )


def dimer_processes(ax: Axes) -> Axes:
    """Draw the four ways in which a band electron visits the singlet of a dimer.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import dimer_processes
    >>> ax = dimer_processes(plt.figure().gca())
    >>> {"b remains", "a remains"} <= {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-0.75, 8.35), (-2.05, 1.75))
    for x, letter, orbital, adds, left in (
        (0.2, "β", "b", False, "b remains"),
        (2.5, "α", "a", False, "a remains"),
        (4.8, "β", "b", True, "baa"),
        (7.1, "α", "a", True, "bba"),
    ):
        color = PALETTE[0] if letter == "α" else PALETTE[1]
        full = orbital if not adds else ("a" if orbital == "b" else "b")
        for y, name in ((0.75, "a"), (-0.75, "b")):
            _spins(ax, x, y, "ud" if name == full else "")
            ax.text(x - 0.55, y, f"${name}$", **LARGE)
        ax.plot([x + 0.6, x + 1.1], [0, 0], color=color, lw=3)
        ax.text(x + 0.85, -0.3, letter, color=color, **LARGE)
        here = (x + 0.3, 0.7 if orbital == "a" else -0.7)
        band = (x + 0.78, 0.08 if orbital == "a" else -0.08)
        start, end = (band, here) if adds else (here, band)
        _arrow(ax, start, end, arrowstyle="-|>", color=color, lw=1.8)
        ax.text(x + 0.2, 1.45, f"add to ${orbital}$" if adds else f"take ${orbital}$", **LARGE)
        ax.text(x + 0.2, -1.4, left, **LARGE)
        ax.text(x + 0.2, -1.82, f"{letter} {'down' if adds else 'up'}", color=color, **LARGE)
    return ax


def kondo_steps(ax: Axes) -> Axes:
    """Draw how a band electron makes a triplon, on two routes: begin, two virtual states, end.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import kondo_steps
    >>> ax = kondo_steps(plt.figure().gca())
    >>> {"through a", "through baa"} <= {text.get_text() for text in ax.texts}
    True
    >>> plt.close()
    """
    _blank(ax, (-1.1, 8.3), (-3.0, 2.9))
    for x, y, name, dimer, band in (
        (0.2, 0, "singlet, β↑", ("ud", ""), ("", "u")),
        (3.4, 1.55, "through a", ("u", ""), ("d", "u")),
        (3.4, -1.55, "through baa", ("ud", "u"), ("", "")),
        (6.6, 0, "triplet, α↓", ("u", "u"), ("d", "")),
    ):
        for height, row in ((0.42, 0), (-0.42, 1)):
            _spins(ax, x, y + height, dimer[row])
            _spins(ax, x + 1.0, y + height, band[row])
        for height, letter, color in ((0.42, "α", PALETTE[0]), (-0.42, "β", PALETTE[1])):
            ax.plot([x + 0.66, x + 1.34], 2 * [y + height], color=color, lw=3, zorder=1)
            ax.text(x + 1.52, y + height, letter, color=color, **LARGE)
        for height, letter in ((0.42, "$a$"), (-0.42, "$b$")):
            ax.text(x - 0.52, y + height, letter, **LARGE)
        ax.text(x + 0.5, y + 1.08, name, **LARGE)
    for start, end, words, where in (
        ((1.6, 0.9), (2.75, 1.5), "$a$ to α", (1.55, 1.55)),
        ((5.2, 1.5), (6.3, 0.9), "β to $b$", (6.25, 1.6)),
        ((1.6, -0.9), (2.75, -1.5), "β to $b$", (1.55, -1.6)),
        ((5.2, -1.5), (6.3, -0.9), "$a$ to α", (6.25, -1.6)),
    ):
        _arrow(ax, start, end, arrowstyle="-|>", mutation_scale=11)
        ax.text(*where, words, **LARGE)
    return ax


def time_orders(ax: Axes) -> Axes:
    """Draw a pair on β that becomes a pair on α by a triplon, with either electron first.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import time_orders
    >>> ax = time_orders(plt.figure().gca())
    >>> [text.get_text() for text in ax.texts].count("triplon")
    2
    >>> plt.close()
    """
    _blank(ax, (-0.45, 6.35), (-1.45, 1.25))
    for left, first in ((0.0, 1), (3.4, -1)):
        emit = np.array([left + 0.7, 0.6 * first])
        absorb = np.array([left + 1.8, -0.6 * first])
        for vertex, word in ((emit, "emits $f^b$"), (absorb, "absorbs $f^a$")):
            x, y = vertex
            for start, end, color in ((left, x, PALETTE[1]), (x, left + 2.5, PALETTE[0])):
                _arrow(ax, (start, y), (end, y), arrowstyle="-|>", color=color, lw=2)
            ax.text(x, y + np.sign(y) * 0.22, word, **TEXT)
            _dot(ax, vertex, 0.07, color="#444444", zorder=4)
        ax.plot(*_wave(emit, absorb, 4).T, color=PALETTE[4], lw=1.6)
        x, y = (emit + absorb) / 2
        ax.text(x + 0.5, y, "triplon", color=PALETTE[4], **TEXT)
        for y in (0.6, -0.6):
            ax.text(left - 0.18, y, "β", color=PALETTE[1], **TEXT)
            ax.text(left + 2.68, y, "α", color=PALETTE[0], **TEXT)
    _arrow(ax, (2.35, -1.25), (3.55, -1.25), arrowstyle="-|>")
    ax.text(2.1, -1.25, "time", **TEXT)
    return ax


def stacked_bilayers(ax: Axes) -> Axes:
    """Draw two bilayers, one above the other and moved by half a diagonal, and the hop between.

    Parameters
    ----------
    ax : Axes
        Axes to draw in; their limits and frame are changed.

    Returns
    -------
    Axes
        The same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from nickbook.book.sketches import stacked_bilayers
    >>> ax = stacked_bilayers(plt.figure().gca())
    >>> [text.get_text() for text in ax.texts if "from" in text.get_text()]
    ['from the side', 'from above']
    >>> plt.close()
    """
    _blank(ax, (-1.35, 6.4), (-2.1, 1.85))
    rungs = [(x, -0.95) for x in (0.0, 1.0, 2.0)] + [(x, 0.95) for x in (0.5, 1.5)]
    for x, y in rungs:
        ax.plot([x, x], [y - 0.4, y + 0.4], color=PALETTE[4], lw=2.2, zorder=1)
        for z in (y - 0.4, y + 0.4):
            _z2(ax, x, z, size=0.34)
    for y in (-1.35, -0.55, 0.55, 1.35):
        ax.plot([-0.45, 2.45], [y, y], color=PLANE, lw=3, alpha=0.6, zorder=0)
    dashed: dict[str, Any] = {"color": MIRROR, "lw": 1.4, "ls": "--", "zorder": 2}
    for hop in ((0.0, 0.5), (1.0, 0.5), (1.0, 1.5), (2.0, 1.5)):
        ax.plot(hop, [-0.55, 0.55], **dashed)
    ax.text(-0.28, -0.95, "$s_{22}^0$", color=PALETTE[4], **TEXT)
    ax.text(-0.1, 0.06, "$s_{24}^z$", color=MIRROR, **TEXT)
    for y, name in ((-0.95, "bilayer"), (0.95, "next\nbilayer")):
        ax.text(-0.95, y, name, **TEXT)
    corners = [(4.7 + x, y) for x in (-0.55, 0.55) for y in (-0.55, 0.55)]
    for x, y in corners:
        ax.plot([4.7, x], [0, y], **dashed)
        _dot(ax, (x, y), 0.13, color=NICKEL, zorder=3)
    for way in (-0.55, 0.55):
        ax.plot([4.15, 5.25], [way, way], color=NICKEL, lw=1, zorder=1)
        ax.plot([4.7 + way] * 2, [-0.55, 0.55], color=NICKEL, lw=1, zorder=1)
    _dot(ax, (4.7, 0), 0.13, fc="white", ec=MIRROR, lw=1.6, zorder=3)
    for x, name in ((1.0, "from the side"), (4.7, "from above")):
        ax.text(x, -1.95, name, **TEXT)
    ax.text(4.7, 1.05, "Ni of the next bilayer\nabove four Ni", **TEXT)
    return ax
