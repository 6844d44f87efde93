"""Fermi sheets, and gaps on them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.bands import FermiSea, FermiSheet
from nickbook.checks import real
from nickbook.pairing.gap import GapFunction
from nickbook.plot.energies import orbital_shares, parity_styles
from nickbook.plot.momentum import Zone, plane_of, smooth_line
from nickbook.plot.style import (
    SIGNED,
    drawing_axes,
    name_lines,
    scale,
    share_line,
    share_scale,
    sheet_colors,
    value_line,
)

#: A gap of one eV in each unit, and what the unit is called in labels.
_UNITS = {"eV": (1.0, "Δ (eV)"), "meV": (1e3, "Δ (meV)")}


def sheets(
    fermi: FermiSea | FermiSheet | Sequence[FermiSheet],
    *,
    color_by: str | Sequence[str] = "sheet",
    kz: float | None = None,
    window: tuple[float, float] | None = None,
    axes: ArrayLike | None = None,
    labels: bool = True,
    colorbar: bool = True,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw Fermi sheets with all their periodic images, cut at the border of the picture.

    Parameters
    ----------
    fermi : FermiSea, FermiSheet or sequence of FermiSheet
        What to draw.
    color_by : str or sequence of str, optional
        ``"sheet"``, by name; ``"parity"`` under the mirror; an orbital of the sea's model, or
        orbitals whose shares are added up.
    kz : float, optional
        Momentum along the third primitive vector, for a sea in three dimensions.
    window : tuple of float, optional
        Lowest and highest component of momenta in units of π, such as ``(0, 2)``; the smallest
        window that holds the first Brillouin zone when not given.
    axes : array_like, shape (2, 2), optional
        Primitive vectors as rows, in units of the lattice constant, for a picture in Cartesian
        components; those along the reciprocal vectors are drawn when not given.
    labels : bool, optional
        Whether the sheets are named, each once.
    colorbar : bool, optional
        Whether the share of orbitals gets its scale.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **line
        What matplotlib takes for collections of lines, such as ``lw=1``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    TypeError, ValueError
        For an orbital that does not exist, orbitals or parity without a model that has them, a
        sea in three dimensions whose plane is not given, or a malformed window.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.plot import sheets
    >>> ax = sheets(FermiSea.at(four_band(), filling=3), color_by="parity", window=(-0.5, 1.5))
    >>> sorted(text.get_text() for text in ax.texts)
    ['α', 'β', 'γ']
    """
    sea = _plane_sea(fermi, kz) if isinstance(fermi, FermiSea) else None
    found = _sheets(fermi if sea is None else sea)
    zone = Zone.of(window, axes)
    by_share = color_by not in ("sheet", "parity")
    numbers = [np.zeros(len(sheet.points)) for sheet in found]
    styles = _styles(sea, found, color_by)
    if by_share:
        model = _sea(sea, color_by).model
        numbers = [
            orbital_shares(model, s.points, color_by)[np.arange(len(s.points)), s.bands]
            for s in found
        ]
    pieces = [zone.pieces(*smooth_line(sheet, v)) for sheet, v in zip(found, numbers, strict=True)]

    ax = drawing_axes(ax)
    for parts, style in zip(pieces, styles, strict=True):
        if not by_share:
            ax.add_collection(LineCollection([points for points, _ in parts], **style | line))
    if by_share:
        share_line(ax, [part for parts in pieces for part in parts], **line)
    zone.frame(ax)
    if labels:
        _name_sheets(ax, found, pieces, [] if by_share else [s["color"] for s in styles])
    if color_by == "parity":
        ax.legend(frameon=False)
    if by_share and colorbar:
        share_scale(ax, color_by)
    return ax


def gap(
    gap: GapFunction | Sequence[FermiSheet],
    values: Sequence[ArrayLike] | None = None,
    *,
    unit: str | float = "max",
    limit: float | None = None,
    window: tuple[float, float] | None = None,
    axes: ArrayLike | None = None,
    labels: bool = False,
    colorbar: bool = True,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw a gap on the Fermi sheets in colours: blue below zero, grey at nodes, red above.

    The colours are seen on white and on black and are told apart by the colour-blind.

    Parameters
    ----------
    gap : GapFunction or sequence of FermiSheet
        The gap, or the sheets alone.
    values : sequence of array_like, optional
        With sheets alone: the gap in eV at each point of each of them.
    unit : {"max", "meV", "eV"} or float, optional
        Unit of the scale: the largest magnitude, an energy, or any gap in eV.
    limit : float, optional
        Gap at both ends of the scale in that unit; the largest magnitude when not given.
    window, axes : tuple of float, array_like, optional
        As for `sheets`.
    labels : bool, optional
        Whether the sheets are named, each once.
    colorbar : bool, optional
        Whether the gap gets its scale.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **line
        What matplotlib takes for collections of lines, such as ``lw=4``.

    Returns
    -------
    Axes
        The axes; the last of its collections holds the gap.

    Raises
    ------
    TypeError, ValueError
        For values that do not fit the sheets, an unknown unit, or a malformed window.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.plot import gap
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> ax = gap(sea.sheets, [0.02 * eta_k(sheet.points) for sheet in sea.sheets], unit="meV")
    >>> limits = ax.collections[-1].get_clim()
    >>> bool(limits[0] == -limits[1]), ax.figure.axes[-1].get_ylabel()
    (True, 'Δ (meV)')
    """
    found = _gap_function(gap, values)
    factor, words = _unit(found, unit)
    zone = Zone.of(window, axes)
    pieces = [
        zone.pieces(*smooth_line(sheet, factor * v))
        for sheet, v in zip(found.sheets, found.values, strict=True)
    ]
    if limit is None:
        limit = max(float(np.abs(factor * v).max()) for v in found.values) or 1.0
    limit = real("limit", limit, above=0.0)

    ax = drawing_axes(ax)
    parts = [part for sheet in pieces for part in sheet]
    value_line(ax, parts, **{"cmap": SIGNED, "clim": (-limit, limit)} | line)
    zone.frame(ax)
    if labels:
        _name_sheets(ax, found.sheets, pieces, [])
    if colorbar:
        scale(ax, words)
    return ax


def gap_angle(
    gap: GapFunction | Sequence[FermiSheet],
    values: Sequence[ArrayLike] | None = None,
    *,
    unit: str | float = "max",
    magnitude: bool = False,
    labels: bool | str = True,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw a gap against the angle about the centre of each sheet.

    Parameters
    ----------
    gap : GapFunction or sequence of FermiSheet
        The gap, or the sheets alone, which each angle meets once.
    values : sequence of array_like, optional
        With sheets alone: the gap in eV at each point of each of them.
    unit : {"max", "meV", "eV"} or float, optional
        Unit of the gap: its largest magnitude, an energy, or any gap in eV.
    magnitude : bool, optional
        Whether signs are left out.
    labels : bool or str, optional
        Whether there is a legend of sheets, or what it makes of their names, as ``"{}, Eq. 15"``.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **line
        What matplotlib takes for lines, such as ``marker="."``.

    Returns
    -------
    Axes
        The axes; angles are in units of π.

    Raises
    ------
    TypeError, ValueError
        As for `gap`, or if a sheet is open or met by an angle more than once.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_gap
    >>> from nickbook.plot import gap_angle
    >>> found = triplon_gap(FermiSea(conduction_bands(), -0.65), coupling=0.5, kappa=0.75)
    >>> ax = gap_angle(found, unit="meV", magnitude=True)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('θ/π', '|Δ| (meV)')
    """
    found = _gap_function(gap, values)
    factor, words = _unit(found, unit)
    colors = sheet_colors(sheet.name for sheet in found.sheets)
    curves = []
    for number, (sheet, v) in enumerate(zip(found.sheets, found.values, strict=True)):
        if sheet.kind == "open":
            raise ValueError(
                f"sheet = {number} ({sheet.name}) is open and goes round no centre; draw its gap "
                "in the zone, by nickbook.plot.gap"
            )
        found.at_angle(number, 0.0)  # raises where an angle meets the sheet more than once
        order = np.argsort(sheet.angle)
        # One more point at each end, so that lines reach from 0 to 2π.
        around = np.concatenate([order[-1:], order, order[:1]])
        angle = sheet.angle[around] / np.pi
        angle[[0, -1]] += -2, 2
        curves.append((angle, factor * (np.abs(v) if magnitude else v)[around]))

    ax = drawing_axes(ax)
    for sheet, curve in zip(found.sheets, curves, strict=True):
        name = labels.format(sheet.name) if isinstance(labels, str) else sheet.name
        style = {"color": colors[sheet.name]} | ({"label": name} if labels else {})
        ax.plot(*curve, **style | line)
    if not magnitude:
        ax.axhline(0, color="0.5", lw=0.8)
    ax.set(xlabel="θ/π", ylabel=words.replace("Δ", "|Δ|", 1) if magnitude else words, xlim=(0, 2))
    if labels:
        ax.legend(frameon=False)
    return ax


def _plane_sea(sea: FermiSea, kz: float | None) -> FermiSea:
    model = plane_of(sea.model, kz, "a picture of Fermi sheets")
    return sea if model is sea.model else FermiSea(model, sea.mu)


def _sheets(fermi: object) -> tuple[FermiSheet, ...]:
    if isinstance(fermi, FermiSea):
        return fermi.sheets
    if isinstance(fermi, FermiSheet):
        return (fermi,)
    found = tuple(fermi) if isinstance(fermi, Iterable) else ()
    if not found or not all(isinstance(sheet, FermiSheet) for sheet in found):
        kinds = ", ".join(dict.fromkeys(type(sheet).__name__ for sheet in found or [fermi]))
        raise TypeError(
            f"got {kinds} in place of Fermi sheets; allowed: a sea, FermiSea(model, mu), or one or "
            "more of its sheets"
        )
    return found


def _sea(sea: FermiSea | None, color_by: str | Sequence[str]) -> FermiSea:
    if sea is None:
        raise TypeError(
            f"color_by = {color_by!r} asks for a model, and sheets alone have none; give the "
            "FermiSea, or color_by='sheet'"
        )
    return sea


def _styles(
    sea: FermiSea | None, found: Sequence[FermiSheet], color_by: str | Sequence[str]
) -> list[dict[str, str]]:
    if color_by == "parity":
        return parity_styles(_sea(sea, color_by).model, [sheet.parity for sheet in found])
    colors = sheet_colors(sheet.name for sheet in found)
    return [{"color": colors[sheet.name]} for sheet in found]


def _name_sheets(
    ax: Axes,
    found: Sequence[FermiSheet],
    pieces: Sequence[Sequence[tuple[Floats, Floats]]],
    colors: Sequence[str],
) -> None:
    """Write the name of each sheet once, however many sheets and pieces have it."""
    lines: dict[str, list[Floats]] = {}
    for sheet, parts in zip(found, pieces, strict=True):
        lines.setdefault(sheet.name, []).extend(points for points, _ in parts)
    seen = {name: np.concatenate(parts) for name, parts in lines.items() if parts}
    by_name = dict(zip([s.name for s in found], colors, strict=False))
    name_lines(ax, list(seen.values()), list(seen), [by_name[n] for n in seen if colors])


def _gap_function(
    gap: GapFunction | Sequence[FermiSheet], values: Sequence[ArrayLike] | None
) -> GapFunction:
    if isinstance(gap, GapFunction) and values is None:
        return gap
    if isinstance(gap, GapFunction) or values is None:
        raise TypeError(
            f"got {type(gap).__name__} and values = {values!r}; allowed: a GapFunction alone, or "
            "sheets and one array of values for each"
        )
    return GapFunction(_sheets(gap), tuple(np.asarray(v, dtype=float) for v in values))


def _unit(gap: GapFunction, unit: str | float) -> tuple[float, str]:
    """Return the factor on gaps in eV, and what the unit makes of the label."""
    if unit == "max":
        largest = max(float(np.abs(v).max()) for v in gap.values)
        return 1 / (largest or 1.0), "Δ / largest |Δ|"
    if isinstance(unit, str):
        if unit not in _UNITS:
            raise ValueError(f"unit = {unit!r}; allowed: 'max', 'meV', 'eV', or a gap in eV")
        return _UNITS[unit]
    return 1 / real("unit", unit, above=0.0, unit="eV"), "Δ / Δ₀"
