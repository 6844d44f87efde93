"""Susceptibilities over the zone, and flows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from nickbook.arrays import Complexes, Floats
from nickbook.bands import HIGH_SYMMETRY
from nickbook.checks import momenta, one_of
from nickbook.pairing.rpa.susceptibility import Susceptibility
from nickbook.plot.momentum import MomentumPath, Zone
from nickbook.plot.style import PALETTE, drawing_axes

#: What is drawn of a susceptibility, and the label of its scale.
_READINGS = {
    "eigenvalue": "largest eigenvalue of χ (1/eV)",
    "density": "response of the density (1/eV)",
}
#: Dashes of channels by the kind of what orders.
_DASHES = {"singlet": "-", "triplet": (0, (6, 1)), "spin": "--", "charge": ":"}


class Flow(Protocol):
    """What is drawn of a flow, be it a `FlowResult` or another code's."""

    @property
    def scales(self) -> Floats:
        """Scales in eV, falling."""

    @property
    def channels(self) -> Iterable[str]:
        """Names of the channels, with a method `of` for their eigenvalues, or these by name."""


def susceptibility(
    chi: Susceptibility | ArrayLike,
    path: str | Iterable[str] | Mapping[str, ArrayLike] | MomentumPath | None = None,
    *,
    reading: str = "eigenvalue",
    window: tuple[float, float] = (-1, 1),
    points: Mapping[str, ArrayLike] | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw a susceptibility, bare or dressed, over the zone or along a path.

    Parameters
    ----------
    chi : Susceptibility or array_like, shape (L, L)
        The susceptibility, or any numbers at the momenta of ``zone_mesh(L)``.
    path : str, iterable of str, mapping of str to array_like, or MomentumPath, optional
        Corners of a path, as for `MomentumPath.through`, or the path itself; the map is drawn when
        not given.
    reading : {"eigenvalue", "density"}, optional
        Largest eigenvalue of the matrices, or the response of the whole density of one spin.
    window : tuple of float, optional
        Lowest and highest component of the momenta on the map in units of π, such as ``(0, 1)``.
    points : mapping of str to array_like, optional
        Momenta that are named on the map; those of high symmetry when not given.
    colorbar : bool, optional
        Whether the map gets its scale.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **style
        What matplotlib takes for images, or along a path for lines.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    TypeError, ValueError
        For another reading, a map that is not square, a malformed window or path, or a path
        through a map.

    Notes
    -----
    A pixel of the map is a point of the mesh.  Along a path the matrices come from `on` of the
    susceptibility, at the cost of one sum over the mesh for each point.  Components are along the
    reciprocal vectors.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import bare_susceptibility
    >>> from nickbook.plot import susceptibility
    >>> chi = bare_susceptibility(four_band(), 10.0975, temperature=0.05, mesh=32)
    >>> ax = susceptibility(chi, window=(0, 1))
    >>> ax.images[0].get_array().shape, sorted(text.get_text() for text in ax.texts)
    ((17, 17), ['M', 'X', 'Y', 'Γ'])
    """
    one_of("reading", reading, tuple(_READINGS))
    words = _READINGS[reading] if isinstance(chi, Susceptibility) else ""
    if path is not None:
        return _along(chi, path, reading, words, ax, style)
    values = _map(chi, reading)
    zone = Zone.of(window, None)
    named = HIGH_SYMMETRY if points is None else points
    places = {name: momenta(f"points[{name!r}]", k, 2) / np.pi for name, k in named.items()}

    size = len(values)
    first = np.ceil(zone.low * size / 2 - 1e-9).astype(int)
    last = np.floor(zone.high * size / 2 + 1e-9).astype(int)
    rows, columns = (np.arange(a, b + 1) % size for a, b in zip(first, last, strict=True))
    # Half a step more on each side: a pixel has its momentum in the middle.
    (left, bottom), (right, top) = 2 * (first - 0.5) / size, 2 * (last + 0.5) / size
    ax = drawing_axes(ax)
    image = ax.imshow(
        values[np.ix_(rows, columns)].T,
        **{"origin": "lower", "extent": (left, right, bottom, top), "cmap": "viridis"} | style,
    )
    zone.frame(ax, "q")
    _name_points(ax, zone, places)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label=words, shrink=0.8)
    return ax


def flow(
    result: Flow,
    channels: Sequence[str] | Mapping[str, str] | None = None,
    *,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw the largest eigenvalue of channels of a flow while the scale falls to the right.

    Parameters
    ----------
    result : FlowResult
        The flow, or anything that has `scales` in eV, falling, and a mapping of `channels` to
        their eigenvalues at them.
    channels : sequence of str or mapping of str to str, optional
        Channels to draw, or how each is to be called; when not given, those that are largest at
        the end, up to one for each colour.
    ylim : tuple of float, optional
        Smallest and largest eigenvalue of the picture.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **line
        What matplotlib takes for lines, such as ``lw=1``.

    Returns
    -------
    Axes
        The axes; both are logarithmic.  Pairs are drawn in full lines, spin-density waves dashed.

    Raises
    ------
    ValueError
        For a channel that the flow does not have.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.pairing import frg_flow
    >>> from nickbook.plot import flow
    >>> sea = FermiSea.at(four_band(), filling=3)
    >>> ax = flow(frg_flow(sea, U=3.0, patches=8, stop=0.5, mesh=16), ["singlet B2", "spin (π, 0)"])
    >>> ax.get_xlabel(), [text.get_text() for text in ax.texts]
    ('Λ (eV)', ['singlet B2', 'spin (π, 0)'])
    """
    curves = _eigenvalues(result)
    if channels is None:
        channels = sorted(curves, key=lambda c: -np.nan_to_num(curves[c][-1]))[: len(PALETTE)]
    names = dict(channels) if isinstance(channels, Mapping) else {c: c for c in channels}
    unknown = [channel for channel in names if channel not in curves]
    if unknown or not names:
        raise ValueError(f"channels = {list(names)}; allowed: some of {', '.join(curves)}")
    scales = np.asarray(result.scales)

    ax = drawing_axes(ax)
    ends = []
    for (channel, name), color in zip(names.items(), _colors(len(names)), strict=True):
        dashes = _DASHES.get(channel.split()[0], "-")
        positive = np.where(curves[channel] > 0, curves[channel], np.nan)
        (drawn,) = ax.loglog(
            scales, positive, **{"color": color, "ls": dashes, "label": name} | line
        )
        if np.isfinite(positive[-1]):
            ends.append((float(positive[-1]), name, drawn.get_color()))
    ax.set(xlabel="Λ (eV)", ylabel="largest eigenvalue", xlim=(scales.max(), scales.min()))
    if ylim is not None:
        ax.set_ylim(ylim)
    _name_ends(ax, float(scales.min()), ends)
    return ax


def _map(chi: Susceptibility | ArrayLike, reading: str) -> Floats:
    if isinstance(chi, Susceptibility):
        return _read(chi.values, reading, chi)
    values = np.asarray(chi)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or values.dtype.kind not in "iuf":
        raise ValueError(
            f"chi has shape {values.shape} and type {values.dtype}; allowed: a Susceptibility, or "
            "real numbers of shape (L, L)"
        )
    return values


def _read(matrices: Complexes, reading: str, chi: Susceptibility) -> Floats:
    if reading == "eigenvalue":
        return np.asarray(np.linalg.eigvalsh(matrices)[..., -1])
    same = chi.pairs[:, 0] == chi.pairs[:, 1]
    return np.asarray(matrices[..., same, :][..., same].sum(axis=(-2, -1)).real)


def _along(
    chi: Susceptibility | ArrayLike,
    path: str | Iterable[str] | Mapping[str, ArrayLike] | MomentumPath,
    reading: str,
    words: str,
    ax: Axes | None,
    style: Mapping[str, Any],
) -> Axes:
    if not isinstance(chi, Susceptibility):
        raise TypeError("path = ... through a map; give the Susceptibility, which has the matrices")
    if not isinstance(path, MomentumPath):
        path = MomentumPath.through(path)
    values = _read(chi.on(path.k), reading, chi)
    ax = drawing_axes(ax)
    ax.plot(path.distance, values, **style)
    ax.set_ylabel(words)
    return path.frame(ax)


def _name_points(ax: Axes, zone: Zone, places: Mapping[str, Floats]) -> None:
    """Mark momenta, each with its name on the side of the middle."""
    halo = [withStroke(linewidth=1.5, foreground="#15181c")]
    middle, size = (zone.low + zone.high) / 2, zone.high - zone.low
    for name, place in places.items():
        if (place < zone.low - 1e-9).any() or (place > zone.high + 1e-9).any():
            continue
        x, y = place.tolist()
        ax.plot(x, y, "o", mfc="none", mec="w", path_effects=halo, clip_on=False, zorder=5)
        left, down = (place > middle + 0.2 * size).tolist()
        words: dict[str, Any] = {"ha": "right" if left else "left"}
        words |= {"va": "top" if down else "bottom", "color": "w", "path_effects": halo}
        offset = (-5 if left else 5, -5 if down else 5)
        ax.annotate(name, (x, y), offset, textcoords="offset points", **words)


def _eigenvalues(result: Flow) -> dict[str, Floats]:
    stored: Any = getattr(result, "channels", None)
    of = stored.__getitem__ if isinstance(stored, Mapping) else getattr(result, "of", None)
    if stored is None or of is None:
        raise TypeError(
            f"result is a {type(result).__name__}; allowed: a FlowResult, or anything with "
            "scales and a mapping of channels to eigenvalues"
        )
    return {name: np.asarray(of(name)) for name in stored}


def _colors(count: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(count)]


def _name_ends(ax: Axes, x: float, ends: Sequence[tuple[float, str, Any]]) -> None:
    """Write names to the right of where their lines end, not closer than a line of text."""
    low, high = np.log(ax.get_ylim())
    height = ax.get_window_extent().height * 72 / ax.figure.dpi
    shown = sorted((end for end in ends if low <= np.log(end[0]) <= high), key=lambda end: end[0])
    heights = np.array([(np.log(y) - low) / (high - low) * height for y, _, _ in shown])
    for (y, name, color), shift in zip(shown, spread(heights, 11.0) - heights, strict=True):
        words: dict[str, Any] = {"color": color, "fontsize": 9, "va": "center"}
        words |= {"textcoords": "offset points", "annotation_clip": False}
        ax.annotate(name, (x, y), (4, shift), **words)


def spread(places: Floats, least: float) -> Floats:
    """Move ascending places, in all as little as possible, until none is closer than `least`."""
    steps = least * np.arange(len(places))
    return np.asarray(isotonic_regression(places - steps).x + steps) if len(places) else places
