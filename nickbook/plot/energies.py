"""Bands along a path, and the character of their states."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import real
from nickbook.plot.momentum import MomentumPath, plane_of
from nickbook.plot.style import (
    PALETTE,
    drawing_axes,
    name_lines,
    share_line,
    share_scale,
    sheet_colors,
)

#: Name, colour and dashes of each mirror parity.
PARITIES = {1: ("even", PALETTE[0], "-"), -1: ("odd", PALETTE[1], "--"), 0: ("", PALETTE[5], "-")}
#: Share of a model's range of energies within which bands share their states.
_DEGENERATE = 1e-9


def bands(
    model: BlochModel | FermiSea,
    path: str | Iterable[str] | Mapping[str, ArrayLike] | MomentumPath = "ΓXMΓ",
    *,
    level: float | None = None,
    kz: float | None = None,
    character: str | Sequence[str] | None = None,
    only: Sequence[str] | None = None,
    labels: bool | None = None,
    colorbar: bool = True,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
    **line: Any,
) -> Axes:
    """Draw bands along a path, each in a colour of its own or in that of its character.

    Parameters
    ----------
    model : BlochModel or FermiSea
        The bands; of a sea also the level.
    path : str, iterable of str, mapping of str to array_like, or MomentumPath, optional
        Corners, as for `MomentumPath.through`, or the path itself.
    level : float, optional
        Energy in eV that is drawn as zero, with a line.
    kz : float, optional
        Momentum along the third primitive vector, for a model in three dimensions and a path with
        corners in the plane.
    character : str or sequence of str, optional
        ``"parity"``, an orbital, or orbitals whose shares are added up.  Bands that are degenerate
        share their characters evenly, since every choice of their states is as good.
    only : sequence of str, optional
        Bands to draw, by the names in `band_names` or `sheet_names`; all when not given.
    labels : bool, optional
        Whether the bands are named, which happens up to six of them when not given.
    colorbar : bool, optional
        Whether the share of orbitals gets its scale.
    ylim : tuple of float, optional
        Lowest and highest energy of the picture in eV; names are placed in there.
    ax : Axes, optional
        Axes to draw in; those of a new figure when not given.
    **line
        What matplotlib takes for lines, such as ``lw=1``.

    Returns
    -------
    Axes
        The axes.

    Raises
    ------
    TypeError, ValueError
        For an orbital, band or corner that does not exist, for parity without a mirror, or for a
        model in three dimensions whose plane is not given.

    Notes
    -----
    Bands of opposite mirror parity cross: each is drawn as the smooth function that it is.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.plot import bands
    >>> sea = FermiSea.at(four_band(), filling=3)
    >>> ax = bands(sea, "ΓXM", character=("t x²−y²", "b x²−y²"))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['Γ', 'X', 'M']
    """
    bare, level = _with_level(model, level)
    path, bare = _path_for(bare, path, kz)
    chosen = _chosen(bare, only)
    energies = bare.band_energies(path.k)[:, chosen] - (level or 0.0)
    names = [bare.sheet_names[band] for band in chosen]
    lines = [np.stack([path.distance, energy], axis=-1) for energy in energies.T]
    colors, shares, styles = sheet_colors(names), None, []
    if character == "parity":
        styles = parity_styles(bare, [bare.parity[band] for band in chosen])
    elif character is not None:
        shares = orbital_shares(bare, path.k, character)[:, chosen]
    else:
        styles = [{"color": colors[name]} for name in names]

    ax = drawing_axes(ax)
    if level is not None:
        ax.axhline(0, color="0.4", lw=0.8)
    if shares is not None:
        share_line(ax, list(zip(lines, shares.T, strict=True)), **line)
    for points, style in zip(lines, styles, strict=shares is None):
        ax.plot(*points.T, **style | line)
    path.frame(ax)
    ax.set(ylabel="E (eV)" if level is None else "E − μ (eV)", ylim=ylim)
    if labels or (labels is None and len(chosen) <= len(PALETTE)):
        name_lines(ax, lines, names, [style["color"] for style in styles])
    if character == "parity":
        ax.legend(frameon=False)
    if shares is not None and colorbar:
        share_scale(ax, character)
    return ax


def _with_level(
    model: BlochModel | FermiSea, level: float | None
) -> tuple[BlochModel, float | None]:
    if isinstance(model, BlochModel):
        return model, None if level is None else real("level", level, unit="eV")
    if not isinstance(model, FermiSea):
        raise TypeError(f"model is a {type(model).__name__}; allowed: a BlochModel or a FermiSea")
    if level is not None:
        raise TypeError(f"level = {level} and a sea, which has one; give one of them")
    return model.model, model.mu


def orbital_shares(model: BlochModel, k: Floats, orbitals: str | Sequence[str] | None) -> Floats:
    """Share of some orbitals in each band, shape (..., n), the same for degenerate bands."""
    names = [orbitals] if isinstance(orbitals, str) else list(orbitals or [])
    unknown = [name for name in names if name not in model.orbitals]
    if unknown or not names:
        raise ValueError(
            f"{orbitals!r} names no orbital of {model.name!r}; allowed: 'parity', or some of "
            f"{', '.join(map(repr, model.orbitals))}"
        )
    energies, states = model.states(k)
    rows = [model.orbitals.index(name) for name in dict.fromkeys(names)]
    shares = (np.abs(states[..., rows, :]) ** 2).sum(axis=-2)
    close = _DEGENERATE * (float(np.ptp(energies)) or 1.0)
    same = np.abs(energies[..., :, None] - energies[..., None, :]) < close
    same &= np.equal.outer(model.parity, model.parity)
    mixed: Floats = (same @ shares[..., None])[..., 0] / same.sum(axis=-1)
    return mixed


def parity_styles(model: BlochModel, parities: Sequence[int]) -> list[dict[str, str]]:
    """Colour and dashes of lines by parity, with a name for the first of each."""
    if model.mirror is None:
        raise ValueError(
            f"'parity', but {model.name!r} has no mirror; give one, BlochModel(mirror=...), or "
            f"some of its orbitals {', '.join(map(repr, model.orbitals))}"
        )
    styles, seen = [], set()
    for parity in parities:
        name, color, dashes = PARITIES[parity]
        label = {} if parity in seen else {"label": name}
        styles.append({"color": color, "ls": dashes} | label)
        seen.add(parity)
    return styles


def _path_for(
    model: BlochModel,
    path: str | Iterable[str] | Mapping[str, ArrayLike] | MomentumPath,
    kz: float | None,
) -> tuple[MomentumPath, BlochModel]:
    """Return the path, and the model in as many dimensions."""
    if not isinstance(path, MomentumPath):
        path = MomentumPath.through(path)
    dimension = path.k.shape[1]
    if dimension == 2:
        return path, plane_of(model, kz, "a path in the plane")
    if model.dimension == 2 or kz is not None:
        raise ValueError(
            f"path leads through three dimensions, and {model.name!r} has {model.dimension} with "
            f"kz = {kz}; give a model in three without kz, or corners in the plane"
        )
    return path, model


def _chosen(model: BlochModel, only: Sequence[str] | None) -> list[int]:
    """Numbers of the bands that have one of some names."""
    if only is None:
        return list(range(len(model.bands)))
    names = [only] if isinstance(only, str) else list(only)
    both = list(zip(model.band_names, model.sheet_names, strict=True))
    unknown = [name for name in names if not any(name in pair for pair in both)]
    if unknown or not names:
        raise ValueError(
            f"only = {only!r}; allowed: some of the bands of {model.name!r}, "
            f"{', '.join(map(repr, dict.fromkeys(name for pair in both for name in pair)))}"
        )
    return [band for band, pair in enumerate(both) if set(pair) & set(names)]
