"""Paths through the zone, and lines of the zone cut at the border of a picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Polygon
from matplotlib.ticker import MultipleLocator
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.spatial import Voronoi

from nickbook.arrays import Floats
from nickbook.bands import HIGH_SYMMETRY, BlochModel, FermiSheet
from nickbook.bands.lattice import straight_path
from nickbook.checks import momenta, real
from nickbook.results import Described

#: Points of high symmetry of the tetragonal zone that lie on kz = π, by those under them.
ON_TOP = {"Z": "Γ", "R": "X", "A": "M"}
#: Points of a line between which straight pieces pass for a curve.
_SMOOTH = 240


@dataclass(frozen=True, eq=False)
class MomentumPath(Described):
    """A path through the zone with named corners; `through` makes one.

    Parameters
    ----------
    k : ndarray, shape (n, d)
        Momenta in inverse primitive vectors.
    distance : ndarray, shape (n,)
        Length along the path.
    ticks : sequence of float
        Lengths at which the corners lie.
    names : sequence of str
        Names of the corners.

    Examples
    --------
    >>> from nickbook.plot import MomentumPath
    >>> path = MomentumPath.through("ΓXM", 21)
    >>> [round(float(tick), 2) for tick in path.ticks]  # 0, π and 2π
    [0.0, 3.14, 6.28]
    """

    k: Annotated[Floats, "1/a", "point", "direction"]
    distance: Annotated[Floats, "1/a", "point"]
    ticks: ArrayLike
    names: Iterable[str]

    @classmethod
    def through(
        cls,
        corners: str | Iterable[str] | Mapping[str, ArrayLike],
        points: int = 401,
        *,
        kz: float | None = None,
        axes: ArrayLike | None = None,
    ) -> "MomentumPath":
        """Straight path between corners, with a constant step.

        Parameters
        ----------
        corners : str, iterable of str, or mapping of str to array_like
            Names from `HIGH_SYMMETRY`, as in ``"ΓXMΓ"``; with Z, R and A, which lie above Γ, X and
            M on kz = π, the path is one in three dimensions.  Or the momenta by name; blanks
            round a name are not written, so ``"Γ"`` and ``"Γ "`` can both be corners.
        points : int, optional
            Number of points on the whole path.
        kz : float, optional
            Third component of all momenta, where the names give two.
        axes : array_like, shape (d, d), optional
            Primitive vectors as rows, by which lengths are measured; orthogonal when not given.

        Returns
        -------
        MomentumPath
            The path.

        Raises
        ------
        ValueError
            For an unknown corner, fewer than two of them, or a third component given twice.

        Examples
        --------
        >>> MomentumPath.through("ΓXMΓZ", points=9).k[-1].round(3).tolist()
        [0.0, 0.0, 3.142]
        """
        stops, names = _stops(corners), tuple(corners)
        if kz is not None:
            if stops.shape[1] == 3:
                raise ValueError(f"kz = {kz}, but corners = {corners!r} have a kz of their own")
            stops = np.column_stack([stops, np.full(len(stops), real("kz", kz))])
        turn = np.eye(stops.shape[1]) if axes is None else _cartesian(axes, stops.shape[1])
        k, distance, ticks = straight_path(stops, points, stops @ turn)
        return cls(k, distance, ticks, names)

    def frame(self, ax: Axes) -> Axes:
        """Write the corners below axes whose x is `distance`, with a line up from each.

        Parameters
        ----------
        ax : Axes
            The axes.

        Returns
        -------
        Axes
            The same.
        """
        ticks = np.asarray(self.ticks)
        ax.set_xlim(ticks[0], ticks[-1])
        ax.set_xticks(ticks, [name.strip() for name in self.names])
        for tick in ticks[1:-1]:
            ax.axvline(tick, color="0.75", lw=0.6, zorder=0.5)
        return ax


def _stops(corners: str | Iterable[str] | Mapping[str, ArrayLike]) -> Floats:
    if isinstance(corners, Mapping):
        found = [np.asarray(place, dtype=float) for place in corners.values()]
        if len(found) > 1 and found[0].shape in {(2,), (3,)}:
            return momenta("corners", np.stack(found), len(found[0]))
        raise ValueError(
            f"corners = {corners!r}; allowed: two or more momenta of 2 or 3 components"
        )
    names = list(corners)
    known = HIGH_SYMMETRY | {top: HIGH_SYMMETRY[name] for top, name in ON_TOP.items()}
    if len(names) < 2 or not set(names) <= set(known):
        raise ValueError(
            f"corners = {corners!r}; allowed: two or more of {', '.join(known)}, or a mapping of "
            "names to momenta"
        )
    stops = np.array([known[name] for name in names])
    if set(names) & set(ON_TOP):
        return np.column_stack([stops, [np.pi * (name in ON_TOP) for name in names]])
    return stops


def plane_of(model: BlochModel, kz: float | None, task: str) -> BlochModel:
    """Return a model in two dimensions: the given one, or its plane at kz."""
    if kz is None and model.dimension == 3:
        raise ValueError(
            f"kz = None, but {model.name!r} has three dimensions and {task} shows one plane; give "
            "its momentum along the third primitive vector, such as kz=0.0"
        )
    return model if kz is None else model.plane(kz)


def _cartesian(axes: ArrayLike, dimension: int) -> Floats:
    """Return the matrix that turns inverse primitive vectors into Cartesian components."""
    vectors = np.asarray(axes, dtype=float)
    if vectors.shape != (dimension, dimension) or abs(np.linalg.det(vectors)) < 1e-9:
        raise ValueError(
            f"axes = {axes!r}; allowed: {dimension} independent primitive vectors as rows, shape "
            f"({dimension}, {dimension})"
        )
    turn: Floats = np.linalg.inv(vectors).T
    return turn


@dataclass(frozen=True, eq=False)
class Zone:
    """A picture of momentum space, in units of π over the lattice constant.

    Parameters
    ----------
    turn : ndarray, shape (2, 2)
        Matrix behind which components along reciprocal vectors are Cartesian.
    low, high : ndarray, shape (2,)
        Corners of the picture.
    lattice : str
        What follows the momentum in labels of the axes.
    """

    turn: Floats
    low: Floats
    high: Floats
    lattice: str

    @classmethod
    def of(cls, window: tuple[float, float] | None, axes: ArrayLike | None) -> "Zone":
        """Take a window, or the smallest one that holds the first zone."""
        turn = np.eye(2) if axes is None else _cartesian(axes, 2)
        low, high = _outline(turn).min(axis=0), _outline(turn).max(axis=0)
        if window is not None:
            ends = np.asarray(window, dtype=float)
            if ends.shape != (2,) or not (np.isfinite(ends).all() and ends[0] < ends[1]):
                raise ValueError(
                    f"window = {window!r}; allowed: two numbers in units of π, the lower one "
                    "first, such as (-1, 1) or (0, 2)"
                )
            low, high = np.full(2, ends[0]), np.full(2, ends[1])
        return cls(turn, low, high, "" if axes is None else "a")

    def frame(self, ax: Axes, letter: str = "k") -> None:
        """Set limits and labels, and draw the border of the first zone if it fits in."""
        for axis, name, low, high in zip(
            (ax.xaxis, ax.yaxis), "xy", self.low, self.high, strict=True
        ):
            axis.set_major_locator(MultipleLocator(1 if high - low > 1 else 0.5))
            axis.set_label_text(rf"${letter}_{name}{self.lattice}/\pi$")
        ax.set(xlim=(self.low[0], self.high[0]), ylim=(self.low[1], self.high[1]), aspect="equal")
        ax.grid(visible=False)
        border = _outline(self.turn)
        if (border > self.low - 1e-9).all() and (border < self.high + 1e-9).all():
            ax.add_patch(Polygon(border, fill=False, ec="0.6", lw=0.6, zorder=0.5))

    def pieces(self, line: Floats, values: Floats) -> list[tuple[Floats, Floats]]:
        """Cut all periodic images of a line at the border.

        Parameters
        ----------
        line : ndarray, shape (n, 2)
            Momenta along a line that ends where it began, up to a reciprocal vector.
        values : ndarray, shape (n,)
            One number for each point.

        Returns
        -------
        list of (ndarray, ndarray)
            Points of each piece in the picture, shape (m, 2), and the numbers there.
        """
        drawn, period = line @ self.turn / np.pi, 2 * self.turn
        # The box of shifts that bring a part of the line inside, in reciprocal vectors.
        ends = np.array([self.low - drawn.max(axis=0), self.high - drawn.min(axis=0)])
        corners = np.array([(x, y) for x in ends[:, 0] for y in ends[:, 1]]) @ np.linalg.inv(period)
        first = np.ceil(corners.min(axis=0) - 1e-9).astype(int)
        last = np.floor(corners.max(axis=0) + 1e-9).astype(int)
        found = []
        for i in range(first[0], last[0] + 1):
            for j in range(first[1], last[1] + 1):
                found += self._inside(drawn + np.array([i, j]) @ period, values)
        return found

    def _inside(self, points: Floats, values: Floats) -> list[tuple[Floats, Floats]]:
        """Parts of a line in the picture, with points of their own on its border."""
        places = [np.arange(len(points), dtype=float)]
        for height in (points - self.low).T, (points - self.high).T:
            for h in height:
                (cut,) = np.nonzero(h[:-1] * h[1:] < 0)
                places.append(cut + h[cut] / (h[cut] - h[cut + 1]))
        place = np.unique(np.concatenate(places))
        x, y, v = (np.interp(place, places[0], row) for row in (*points.T, values))
        # Rounding must not put a point on the border outside.
        p = np.clip(np.stack([x, y], axis=-1), self.low, self.high)
        middle = np.stack([x[1:] + x[:-1], y[1:] + y[:-1]], axis=-1) / 2
        inside = np.all((middle >= self.low) & (middle <= self.high), axis=-1)
        if inside[0] and inside[-1] and not inside.all() and np.array_equal(p[0], p[-1]):
            # A pocket that begins in the picture and leaves it begins anew where it is outside.
            start = int(inside.argmin())
            inside = np.roll(inside, -start)
            p = np.concatenate([p[start:-1], p[: start + 1]])
            v = np.concatenate([v[start:-1], v[: start + 1]])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]])))
        return [(p[a : b + 1], v[a : b + 1]) for a, b in edges.reshape(-1, 2)]


def _outline(turn: Floats) -> Floats:
    """Corners of the first Brillouin zone in turn, in units of π."""
    steps = np.array([(i, j) for i in range(-2, 3) for j in range(-2, 3)])
    cells = Voronoi(2 * steps @ turn)
    own = cells.point_region[int(np.flatnonzero((steps == 0).all(axis=1))[0])]
    corners: Floats = cells.vertices[cells.regions[own]]
    return corners[np.argsort(np.arctan2(corners[:, 1], corners[:, 0]))]


def smooth_line(sheet: FermiSheet, values: Floats) -> tuple[Floats, Floats]:
    """Close a sheet's line, and fill it up with points of a spline where it has few.

    Values in between are interpolated linearly, so none is beyond those given.
    """
    points = np.concatenate([sheet.points, sheet.points[:1]])
    # Between few points of a large pocket the way may be longer than half a reciprocal vector.
    turns = 2 * np.pi * np.round((points[-2] - points[0]) / (2 * np.pi)) * (sheet.kind == "open")
    points[-1] += turns
    count = len(sheet.points)
    drift = np.linspace(0, 1, count + 1)[:, None] * turns
    bend = CubicSpline(np.arange(count + 1), points - drift, bc_type="periodic")
    steps = int(np.ceil(_SMOOTH / count))
    place = np.arange(count * steps + 1) / steps
    line: Floats = bend(place) + place[:, None] / count * turns
    # The spline meets its knots up to rounding; they are to be drawn as they are.
    line[::steps] = points
    return line, np.interp(place, np.arange(count + 1), np.append(values, values[0]))
