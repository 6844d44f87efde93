"""What every observable starts from: a gap of any theory, on the Fermi lines and between them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline
from scipy.spatial import cKDTree

from nickbook.arrays import Complexes, Floats
from nickbook.bands import BlochModel, FermiSea, FermiSheet
from nickbook.bands.lattice import folded
from nickbook.pairing import GapFunction

#: A gap on Fermi lines, or a function of momenta that gives it everywhere; see `gap_on_sheets`.
Gap = GapFunction | Callable[[Floats], ArrayLike]

#: Largest distance in inverse lattice constants at which a point counts as one of a line.
_CLOSE = 0.02
#: Points to which a line is refined where the gap is extended from it.
_DENSE = 1024
_ZONE: Floats = np.full(2, 2 * np.pi)


def gap_on_sheets(sea: FermiSea | BlochModel, mu: float | None = None, *, gap: Gap) -> GapFunction:
    r"""Gap of any theory at the points of the Fermi sheets.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    gap : GapFunction or callable
        A gap on the same sheets, which may have fewer points, such as patches; a periodic cubic
        spline along the line goes through them.  Or a function of momenta of shape (K, 2) that
        returns one of three things in eV: one gap for all bands, (K,); the gap of each of n bands
        in the order of the model's `band_names`, (K, n); or a matrix :math:`\Delta(k)` in the
        model's orbitals, (K, n, n), of which a band has :math:`\langle u|\Delta|u\rangle`.

    Returns
    -------
    GapFunction
        The gap on the sea's sheets.

    Raises
    ------
    TypeError
        If `gap` is neither.
    ValueError
        If a gap function lies on other lines, or a function returns another shape, complex gaps on
        the lines, or numbers that are not finite.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.observables import gap_on_sheets
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> gap_on_sheets(sea, gap=lambda k: 0.02 * eta_k(k)).kind
    'd'
    """
    return GapField(FermiSea.of(sea, mu), gap).on_sheets


@dataclass(frozen=True, eq=False)
class GapField:
    """A gap at any momentum of a sea's bands.

    A gap that is known on lines only is extended: each band has at any momentum the gap of the
    closest point of its lines, and none where it has no line.
    """

    sea: FermiSea
    gap: Gap

    def __post_init__(self) -> None:
        self.sea.model.require_both_spins()
        self.sea.model.require_plane("an observable")
        if not isinstance(self.gap, GapFunction) and not callable(self.gap):
            raise TypeError(
                f"gap has type {type(self.gap).__name__}; allowed: a GapFunction, such as "
                "result.gap_function(), or a function of momenta"
            )

    @cached_property
    def on_sheets(self) -> GapFunction:
        """The gap at the points of the sea's sheets."""
        sheets = self.sea.sheets
        if isinstance(self.gap, GapFunction):
            values = tuple(_along(sheet, self.gap) for sheet in sheets)
            words = {"spin": self.gap.spin, "representation": self.gap.representation}
            return GapFunction(sheets, values, **words)
        return GapFunction(sheets, tuple(self._on(sheet) for sheet in sheets))

    def _on(self, sheet: FermiSheet) -> Floats:
        found = self._called(sheet.points)
        if found.ndim == 1:
            values = found
        elif found.ndim == 2:
            values = np.take_along_axis(found, sheet.bands[:, None], axis=1)[:, 0]
        else:
            u = sheet.states
            values = np.einsum("ka,kab,kb->k", u.conj(), found, u)
        largest = float(np.abs(values).max(initial=0.0))
        if np.abs(values.imag).max(initial=0.0) > 1e-9 * max(largest, 1e-3):
            raise ValueError(
                f"gap is complex on sheet {sheet.name!r}; allowed: real gaps on the Fermi lines, "
                "as states without broken time reversal have"
            )
        return np.asarray(values.real, dtype=float)

    def _called(self, k: Floats) -> NDArray[np.number]:
        """Call the function at momenta (K, 2): an array in one of the three shapes."""
        assert not isinstance(self.gap, GapFunction)  # noqa: S101
        found = np.asarray(self.gap(k))
        n = len(self.sea.model.orbitals)
        shapes = [(len(k),), (len(k), n), (len(k), n, n)]
        if found.shape not in shapes:
            raise ValueError(
                f"gap returned shape {found.shape} at {len(k)} momenta; allowed: "
                f"{', '.join(map(str, shapes))}: for all bands, for each band, or a matrix"
            )
        if not np.isfinite(found).all():
            raise ValueError("gap returned NaN or infinite gaps; allowed: finite numbers in eV")
        return found

    @cached_property
    def _trees(self) -> list[tuple[cKDTree, Floats] | None]:
        """Points of the refined lines of each band, and the gaps there."""
        places: list[list[Floats]] = [[] for _ in self.sea.model.bands]
        gaps: list[list[Floats]] = [[] for _ in self.sea.model.bands]
        for sheet, values in zip(self.on_sheets.sheets, self.on_sheets.values, strict=True):
            line = refined(sheet, values, _DENSE)
            for band in set(sheet.bands.tolist()):
                there = line.bands == band
                places[band].append(line.points[there])
                gaps[band].append(line.gap[there])
        return [
            (cKDTree(_positive(np.concatenate(k)), boxsize=_ZONE), np.concatenate(v)) if k else None
            for k, v in zip(places, gaps, strict=True)
        ]

    def of_bands(self, k: Floats, states: Complexes) -> Floats:
        """Gap of each band, shape (K, n), at momenta (K, 2) with states (K, n, n) in columns."""
        if isinstance(self.gap, GapFunction):
            columns = []
            for tree in self._trees:
                if tree is None:
                    columns.append(np.zeros(len(k)))
                else:
                    columns.append(tree[1][tree[0].query(_positive(k))[1]])
            return np.stack(columns, axis=-1)
        found = self._called(k)
        if found.ndim == 3:
            found = np.einsum("kan,kab,kbn->kn", states.conj(), found, states).real
        elif found.ndim == 1:
            found = np.repeat(found[:, None], states.shape[-1], axis=1)
        return np.asarray(found.real, dtype=float)

    def matrices(self, k: Floats) -> Complexes:
        """Gap in the model's orbitals at momenta (K, 2), shape (K, n, n)."""
        model = self.sea.model
        if not isinstance(self.gap, GapFunction):
            found = self._called(k)
            if found.ndim == 3:
                return found.astype(complex)
            if found.ndim == 1:
                unit = np.eye(len(model.orbitals), dtype=complex)
                return np.asarray(found[:, None, None] * unit, dtype=complex)
        _, states = model.states(k)
        bands = self.of_bands(k, states)
        return np.asarray((states * bands[:, None, :]) @ states.conj().swapaxes(-1, -2))

    def quasiparticles(self, k: Floats) -> tuple[Floats, Complexes]:
        """Energies and states of the Bogoliubov matrices at momenta (K, 2), real where they are.

        Energies ascend, shape (K, 2n); states are columns, with particles in the first n rows.
        """
        model = self.sea.model
        h = model.hamiltonian(k) - self.sea.mu * np.eye(len(model.orbitals))
        gap = self.matrices(k)
        matrix = np.block([[h, gap], [gap.conj().swapaxes(-1, -2), -h]])
        real = np.abs(matrix.imag).max() < 1e-12
        levels, states = np.linalg.eigh(matrix.real if real else matrix)
        return levels, states


def _positive(k: Floats) -> Floats:
    """Momenta in the zone from 0 to 2π."""
    inside = k % (2 * np.pi)
    return np.where(inside >= 2 * np.pi, 0.0, inside)


@dataclass(frozen=True, eq=False)
class Line:
    """A Fermi line with more points than its sheet has, and the gap on it."""

    points: Floats
    velocity: Floats
    weights: Floats
    bands: NDArray[np.intp]
    gap: Floats

    @property
    def size(self) -> Floats:
        """Magnitude of the gap in eV."""
        return np.abs(self.gap)


def refined(sheet: FermiSheet, gap: Floats, count: int) -> Line:
    """Refine a line to at least `count` points by periodic splines along it.

    The points of the sheet stay among them.
    """
    n = len(sheet.points)
    parts = max(1, -(-count // n))
    at = np.arange(n * parts) / parts
    closing = closed(sheet)[-1] - sheet.points[0]
    drift = at[:, None] / n * closing
    still = sheet.points - np.arange(n)[:, None] / n * closing
    weights = np.maximum(_periodic(sheet.weights)(at), 0.0)
    weights *= sheet.density_of_states / weights.sum()
    return Line(
        points=_periodic(still)(at) + drift,
        velocity=_periodic(sheet.velocity)(at),
        weights=weights,
        bands=sheet.bands[np.rint(at).astype(int) % n],
        gap=_periodic(gap)(at),
    )


def refined_lines(gap: GapFunction, count: int) -> list[Line]:
    """Refine all lines of a gap function."""
    return [refined(s, v, count) for s, v in zip(gap.sheets, gap.values, strict=True)]


def _periodic(values: Floats) -> CubicSpline:
    knots = np.arange(len(values) + 1)
    return CubicSpline(knots, np.concatenate([values, values[:1]]), bc_type="periodic")


def closed(sheet: FermiSheet) -> Floats:
    """Points of a line and the one after the last, which is the first up to a whole zone."""
    first, last = sheet.points[0], sheet.points[-1]
    return np.concatenate([sheet.points, [last + folded(first - last)]])


def _along(sheet: FermiSheet, gap: GapFunction) -> Floats:
    """Gap on a sheet from that on a sheet of the same line."""
    lines = [s for s in gap.sheets if set(s.bands.tolist()) & set(sheet.bands.tolist())]
    found = [(*_places(sheet, other.points), other) for other in lines if len(other.points)]
    near = [(p, o) for p, distance, o in found if distance.max() < _CLOSE]
    if not near:
        names = ", ".join(s.name for s in gap.sheets)
        raise ValueError(
            f"gap has no values on sheet {sheet.name!r}, only on lines {names} elsewhere; allowed: "
            "a gap on the sheets of this model at this chemical potential"
        )
    place, other = near[0]
    values = gap.values[[s is other for s in gap.sheets].index(True)]
    if np.array_equal(other.points, sheet.points):
        return values
    n = len(sheet.points)
    place = place % n
    order = np.argsort(place)
    knots = place[order]
    spline = CubicSpline(
        np.append(knots, knots[0] + n), np.append(values[order], values[order[0]]),
        bc_type="periodic",
    )  # fmt: skip
    return np.asarray(spline(np.arange(n)))


def _places(sheet: FermiSheet, points: Floats) -> tuple[Floats, Floats]:
    """Where points lie along a line, as fractions of the number of its point, and how far off."""
    line = closed(sheet)
    away = folded(points[:, None] - line[None, :-1])
    nearest = np.linalg.norm(away, axis=-1).argmin(axis=1)
    steps = np.diff(line, axis=0)
    best, distance = np.zeros(len(points)), np.full(len(points), np.inf)
    rows = np.arange(len(points))
    for start in (nearest - 1, nearest):
        step = steps[start]
        offset = away[rows, start]
        share = np.clip((offset * step).sum(-1) / (step**2).sum(-1), 0, 1)
        off = np.linalg.norm(offset - share[:, None] * step, axis=-1)
        better = off < distance
        best = np.where(better, start + share, best)
        distance = np.where(better, off, distance)
    return best, distance


def finite(name: str, values: ArrayLike) -> Floats:
    """Return values as finite numbers of shape (m,), at least one, or raise ValueError."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} has shape {array.shape}; allowed: (m,), one number or more")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}; allowed: finite numbers")
    return array


def layer_operator(model: BlochModel) -> Floats:
    """Return the matrix in orbital space that is +1 in one layer and −1 in the other.

    From the sites of the orbitals, or of two bands that are told apart by the mirror alone, such as
    those of `conduction_bands`: there it takes one into the other.
    """
    numbers = sorted(set(model.sites))
    if len(numbers) == 2:
        return np.diag([1.0 if site == numbers[0] else -1.0 for site in model.sites])
    mirror = model.mirror
    if not numbers and mirror is not None and len(model.orbitals) == 2:
        swap = np.array([[0.0, 1.0], [1.0, 0.0]])
        if np.allclose(mirror @ swap, -swap @ mirror):
            return swap
    raise ValueError(
        f"{model.name!r} does not tell two layers apart; give the model `sites` with two numbers, "
        "one for each layer"
    )


def layer_projector(model: BlochModel, layer: int) -> Floats:
    """Return the projector on the orbitals of layer 0 or 1."""
    if layer not in (0, 1):
        raise ValueError(f"layer = {layer!r}; allowed: 0, 1")
    return (np.eye(len(model.orbitals)) + (1 - 2 * layer) * layer_operator(model)) / 2
