"""What photoemission sees: the gap along each sheet, and the mirror parities of its states."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea, FermiSheet, Symmetry
from nickbook.bands.lattice import folded
from nickbook.checks import one_of
from nickbook.observables.gaps import Gap, GapField, refined
from nickbook.pairing import GapFunction
from nickbook.results import Result

#: Points of a line among which extremes and nodes are looked for.
_POINTS = 4096
#: Lines of the zone on which a vertical mirror leaves momenta alone.
MIRROR_LINES = ("ΓX", "ΓM", "XM")
_POLARIZATIONS = ("in plane", "across")


@dataclass(frozen=True, eq=False)
class PhotoemissionGap(Result):
    """Magnitude of the gap along each Fermi sheet; made by `photoemission_gap`.

    Parameters
    ----------
    gap : GapFunction
        The gap on the Fermi sheets.
    arcs : tuple of ndarray
        Length along each sheet up to each of its points, in inverse lattice constants.
    minima, maxima : tuple of float
        Smallest and largest magnitude on each sheet in eV.
    nodes : tuple of ndarray, shape (m, 2)
        Momenta in ``[-pi, pi)`` at which the gap on each sheet changes its sign.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.observables import photoemission_gap
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> found = photoemission_gap(sea, gap=lambda k: 0.02 * eta_k(k))
    >>> [len(nodes) for nodes in found.nodes], [round(1e3 * x, 2) for x in found.maxima]  # in meV
    ([4, 4], [15.75, 38.44])
    """

    gap: GapFunction
    arcs: Annotated[tuple[Floats, ...], "1/a", "gap.sheets.*.point"]
    minima: Annotated[tuple[float, ...], "eV"]
    maxima: Annotated[tuple[float, ...], "eV"]
    nodes: Annotated[tuple[Floats, ...], "1/a", "node of *", "direction"]

    def _words(self) -> str:
        sheets = zip(self.gap.sheets, self.minima, self.maxima, self.nodes, strict=True)
        return ", ".join(
            f"{s.name} {1e3 * low:.4g} … {1e3 * high:.4g} meV, {len(n)} nodes"
            for s, low, high, n in list(sheets)[:8]
        )

    def _picture(self) -> str:
        return self.gap._picture()

    @property
    def magnitudes(self) -> tuple[Floats, ...]:
        """Magnitude of the gap in eV at each point of each sheet."""
        return tuple(np.abs(values) for values in self.gap.values)

    @property
    def angles(self) -> tuple[Floats, ...]:
        """Angle θ of each point about the centre of its sheet."""
        return tuple(sheet.angle for sheet in self.gap.sheets)


def photoemission_gap(
    sea: FermiSea | BlochModel, mu: float | None = None, *, gap: Gap
) -> PhotoemissionGap:
    """Gap along each Fermi sheet, as photoemission maps it.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    gap : GapFunction or callable
        The gap, as for `gap_on_sheets`.

    Returns
    -------
    PhotoemissionGap
        Magnitudes over angle and arc, extremes, and nodes, to a 4096th of each line.

    Raises
    ------
    TypeError, ValueError
        As for `gap_on_sheets`.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.observables import photoemission_gap
    >>> from nickbook.pairing import triplon_gap
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> found = photoemission_gap(sea, gap=triplon_gap(sea, coupling=0.5, kappa=0.75))
    >>> [len(nodes) for nodes in found.nodes], found.minima[0] > found.maxima[1]
    ([0, 0], True)
    """
    found = GapField(FermiSea.of(sea, mu), gap).on_sheets
    arcs, minima, maxima, nodes = [], [], [], []
    for sheet, values in zip(found.sheets, found.values, strict=True):
        line = refined(sheet, values, _POINTS)
        arcs.append(_lengths(line.points)[:: len(line.points) // len(sheet.points)])
        here = _crossings(line.gap)
        nodes.append(folded(_between(line.points, here, sheet)))
        minima.append(0.0 if len(here) else float(line.size.min()))
        maxima.append(float(line.size.max()))
    return PhotoemissionGap(found, tuple(arcs), tuple(minima), tuple(maxima), tuple(nodes))


@dataclass(frozen=True, eq=False)
class MirrorParities(Result):
    """Parities of the states on the Fermi sheets; made by `mirror_parities`.

    Parameters
    ----------
    names : tuple of str
        Names of the sheets.
    layers : tuple of int
        Parity of each sheet under exchange of the layers: -1 odd, +1 even, 0 without label.
    lines : ndarray of int, shape (sheets, 3)
        Parity under the vertical mirror of each of the lines ΓX, ΓM and XM of the state in which
        the sheet meets it; 0 where it does not, or the model is given without that mirror.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.observables import mirror_parities
    >>> parities = mirror_parities(FermiSea.at(four_band(), filling=3))
    >>> parities.names, parities.layers
    (('β', 'γ', 'α'), (-1, 1, 1))
    """

    names: tuple[str, ...]
    layers: tuple[int, ...]
    lines: Annotated[NDArray[np.int64], "", "sheet", "mirror line"]

    def _words(self) -> str:
        signs = {-1: "odd", 0: "none", 1: "even"}
        each = [
            f"{name} {signs[layer]} ({', '.join(signs[int(p)] for p in row)})"
            for name, layer, row in zip(self.names, self.layers, self.lines, strict=True)
        ]
        return f"layers (mirrors of {', '.join(MIRROR_LINES)}): {'; '.join(each[:8])}"

    def seen(self, polarization: str) -> NDArray[np.bool_]:
        """Whether each sheet shows on each mirror line, shape (sheets, 3).

        With emission in the mirror plane the final state is even.  Light polarized "in plane" then
        lifts electrons from even states only, light polarized "across" the plane from odd ones
        (Damascelli, Hussain and Shen, Rev. Mod. Phys. 75, 473 (2003), section II).
        """
        one_of("polarization", polarization, _POLARIZATIONS)
        return np.asarray(self.lines == (1 if polarization == "in plane" else -1))

    def interference(self, phase: ArrayLike) -> Floats:
        """Share of the intensity of each sheet at a phase k_z d between the layers.

        Electrons from the two layers interfere: even states have cos²(k_z d/2), odd ones
        sin²(k_z d/2), and states without parity one half.  Shape (sheets, ...).
        """
        phase = np.asarray(phase, dtype=float)
        parity = np.array(self.layers, dtype=float).reshape(-1, *(1,) * phase.ndim)
        return np.asarray((1 + parity * np.cos(phase)) / 2)


def mirror_parities(sea: FermiSea | BlochModel, mu: float | None = None) -> MirrorParities:
    """Parity of each Fermi sheet under exchange of the layers and under vertical mirrors.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.

    Returns
    -------
    MirrorParities
        The parities, and what polarized light sees of the sheets.

    Raises
    ------
    TypeError, ValueError
        As for `FermiSea.of`, or if no band crosses the level.

    Examples
    --------
    On the diagonal x²−y² is odd and z² even, so β and γ are not seen there in one polarization:

    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.observables import mirror_parities
    >>> parities = mirror_parities(FermiSea.at(four_band(), filling=3))
    >>> parities.seen("in plane")[:, 1].tolist(), parities.seen("across")[:, 1].tolist()
    ([False, True, False], [True, False, True])
    """
    sea = FermiSea.of(sea, mu)
    sheets = sea.sheets
    lines = np.array(
        [[_line_parity(sea.model, sheet, name) for name in MIRROR_LINES] for sheet in sheets]
    )
    names = tuple(sheet.name for sheet in sheets)
    return MirrorParities(names, tuple(sheet.parity for sheet in sheets), lines)


def _line_parity(model: BlochModel, sheet: FermiSheet, name: str) -> int:
    line = refined(sheet, sheet.weights, _POINTS)
    x, y = line.points.T
    across = {"ΓX": np.sin(y / 2), "ΓM": np.sin((x - y) / 2), "XM": np.cos(x / 2)}[name]
    where = _crossings(across)
    if not len(where):
        return 0
    k = _between(line.points, where[:1], sheet)[0]
    # Exactly on the mirror line, where states have a parity.
    if name == "ΓX":
        k[1] = 2 * np.pi * round(k[1] / (2 * np.pi))
    elif name == "XM":
        k[0] = np.pi * round(k[0] / np.pi)
    else:
        turns = 2 * np.pi * round((k[0] - k[1]) / (2 * np.pi))
        k = np.array([k.sum() + turns, k.sum() - turns]) / 2
    mirror = _mirror(model, k)
    if mirror is None:
        return 0
    state = model.bands[int(line.bands[int(where[0])])].states(k)
    parity = float((state.conj() @ mirror.orbitals @ state).real)
    return int(np.rint(parity))


def _mirror(model: BlochModel, k: Floats) -> Symmetry | None:
    """Reflection of the model that leaves a momentum on one of the lines alone."""
    for symmetry in model.symmetries:
        still = np.abs(folded(symmetry.momentum(k) - k)).max() < 1e-9
        if still and np.linalg.det(symmetry.rotation) < 0:
            return symmetry
    return None


def _lengths(points: Floats) -> Floats:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def _crossings(values: Floats) -> Floats:
    """Where values on a closed line pass zero, as fractions of the number of its point."""
    after = np.roll(values, -1)
    above, then = values >= 0, after >= 0
    i = np.flatnonzero(above != then)
    step = after[i] - values[i]
    return np.asarray(i - values[i] / np.where(step == 0, 1.0, step))


def _between(points: Floats, places: Floats, sheet: FermiSheet) -> Floats:
    """Momenta at fractional places along a refined line."""
    end = points[-1] + folded(sheet.points[0] - points[-1])
    line = np.concatenate([points, [end]])
    knots = np.arange(len(line))
    return np.stack([np.interp(places, knots, x) for x in line.T], axis=-1)
