"""How many states of a model lie below an energy: cells that are halved where the level is.

Every momentum is diagonalized once, for all bands, and kept.  A cell holds the bands on a grid of
three points along each direction.  Linear interpolation in simplices of three sizes, the smallest
on parabolas through the points, gives the share of it below the level by two extrapolations, whose
difference says how far to trust them.  Nothing is asked of the bands: they may cross, touch, be
flat or have edges that are lines.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import permutations

import numpy as np
import scipy
from numpy.typing import NDArray

from nickbook.arrays import Floats
from nickbook.progress import track
from nickbook.results import Described

_ROUNDS = 40
#: Share of the whole range of energies below which energies are the same.
_SAME = 1e-10
#: Cells along a direction to start with, fewer for many bands, and the states, points and work
#: (matrix dimensions cubed) that may be spent on cells.
_CELLS = {2: 24, 3: 16}
_FEWER_CELLS = {2: 24, 3: 8}
_STATES, _POINTS, _WORK = {2: 2e6, 3: 2.5e5}, 5e5, 1.5e9


@cache
def _rules(dimension: int) -> tuple[tuple[NDArray[np.int64], ...], Floats]:
    """Corners of the simplices of a cell of 2, 4 and 8 steps' points, and what refines 3^d to 5^d.

    The first two rules take the 3^d points of a cell, the last one the 5^d points of the parabolas
    through them.
    """
    paths = [
        np.cumsum([(0,) * dimension, *axes], axis=0)
        for axes in permutations(np.eye(dimension, dtype=int))
    ]

    def rule(pieces: int, points: int) -> NDArray[np.int64]:
        place, step = points ** np.arange(dimension)[::-1], (points - 1) // pieces
        corners = [
            step * (path + np.array(at)) @ place
            for at in np.ndindex(*(pieces,) * dimension)
            for path in paths
        ]
        return np.array(corners)

    x = np.arange(5) / 2
    parabola: Floats = np.stack([(x - 1) * (x - 2) / 2, x * (2 - x), x * (x - 1) / 2], axis=1)
    refined: NDArray[np.float64] = parabola
    for _ in range(dimension - 1):
        refined = np.asarray(np.kron(refined, parabola), float)
    return (rule(1, 3), rule(2, 3), rule(4, 5)), refined


class StateCount(Described):
    """Counts the states of a model below an energy, and finds the energy of a count.

    Parameters
    ----------
    energies : callable
        Energies in eV, shape (points, bands), at momenta of shape (points, d).
    dimension : int
        Two or three directions.
    bands : int
        Number of bands.
    even : bool, optional
        Whether E(-k) = E(k), as for real hoppings: half of the zone then tells the other.

    Notes
    -----
    The error of a count falls as the fourth power of the size of the cells along the level where
    bands are smooth, and twice as fast as the size of single cells shrinks elsewhere.  Memory and
    work are those of the points in the cells along the level, some 1e4 for 1e-7 states in two
    dimensions and 1e5 for 1e-5 in three: O(n³) each for n orbitals.  Both are bounded, and the
    error says what that costs.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> count = four_band().state_count
    >>> states, error = count.number(10.0975, 1e-6)
    >>> round(2 * float(states.sum()), 4), error < 1e-6
    (3.0, True)
    >>> low, high = count.edges(1)  # the lowest band overlaps the next one
    >>> high < low
    True
    """

    def __init__(
        self, energies: Callable[[Floats], Floats], dimension: int, bands: int, even: bool = False
    ) -> None:
        self._solve, self.dimension, self._even = energies, dimension, even
        self._cost = bands**3 + 100
        self.points = 0
        cells = (_CELLS if bands <= 12 else _FEWER_CELLS)[dimension]
        axes = [np.arange(cells // 2 if even and axis == 0 else cells) for axis in range(dimension)]
        mesh = [np.arange(2 * len(axis) + (len(axis) < cells)) for axis in axes]
        grid = np.stack(np.meshgrid(*mesh, indexing="ij"), axis=-1)
        solved = self._at(grid.reshape(-1, dimension) / (2 * cells))
        solved = solved.reshape(*grid.shape[:-1], -1)
        corner = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, dimension)
        nodes = 2 * corner[:, None] + np.array(list(np.ndindex(*(3,) * dimension)))
        where = tuple((nodes % grid.shape[:-1]).transpose(2, 0, 1))
        self._corner, self._size = corner / cells, np.full(len(corner), 1 / cells)
        self._put(solved[where])

    def _words(self) -> str:
        bands = self._energies.shape[-1]
        return f"{bands} bands in {self.dimension} dimensions, seen over {self.width:.4g} eV"

    @property
    def width(self) -> float:
        """Energies between the lowest and the highest state that was seen, in eV."""
        return float(self._energies.max() - self._energies.min()) or 1.0

    def number(self, energy: float, tolerance: float = 1e-8) -> tuple[Floats, float]:
        """States of each band below an energy, and the error.

        Parameters
        ----------
        energy : float
            Energy in eV.  A flat band at it counts half.
        tolerance : float, optional
            States per cell of the lattice and spin that the sum may be off by.

        Returns
        -------
        states : ndarray, shape (bands,)
            Between zero and one.
        error : float
            Estimate of the error of their sum; above `tolerance` where the work was bounded.
        """
        if not self.flat(energy):
            return self._refined(energy, tolerance)
        # Where a flat part of a band ends, cells show its border in proportion to their size only.
        goal = max(tolerance, 3e-4)
        ends = [self._refined(energy + side, goal) for side in (-self._near, self._near)]
        return (ends[0][0] + ends[1][0]) / 2, max(error for _, error in ends)

    def flat(self, energy: float) -> bool:
        """Whether a part of the zone has an energy everywhere."""
        there = (self._low > energy - self._near) & (self._high < energy + self._near)
        return bool(there.any())

    def rough(self, energy: float) -> Floats:
        """States of each band below an energy, by the cells as they are."""
        return self._shares(energy)[0]

    def _refined(self, energy: float, tolerance: float) -> tuple[Floats, float]:
        states = _STATES[self.dimension] / self._energies.shape[-1]
        most = min(states, _POINTS, _WORK / self._cost)
        bound = max(most, self.points + most / 64)
        for _ in range(_ROUNDS):
            states, doubt, error = self._shares(energy)
            if error <= tolerance or self.points > bound:
                break
            least = tolerance / (2 * np.count_nonzero(doubt))
            fits = int((bound - self.points) / (5**self.dimension - 3**self.dimension)) + 1
            worst = np.argsort(-doubt)[:fits]
            self._halve(worst[doubt[worst] > max(least, 0.05 * doubt[worst[0]])])
        return states, error

    @property
    def _near(self) -> float:
        return _SAME * self.width

    def quantile(self, states: float) -> float:
        """Energy below which about a number of states lies, in eV."""
        weights = np.repeat(self._size**self.dimension, self._energies[0].size)
        energies = self._energies.reshape(-1)
        order = np.argsort(energies)
        share = np.cumsum(weights[order])
        filled = states / self._energies.shape[-1]
        return float(energies[order[np.searchsorted(share, filled * share[-1])]])

    def speeds(self, low: float, high: float) -> Floats:
        """Largest slope along each direction of states in a range of energies.

        Parameters
        ----------
        low, high : float
            Ends of the range in eV; cells that it touches count.

        Returns
        -------
        ndarray, shape (d,)
            In eV, from differences between points; a thousandth of the width at least.
        """
        near = (self._low < high) & (self._high > low)
        cells, bands = np.nonzero(near)
        grid = self._energies[cells, :, bands].reshape(len(cells), *(3,) * self.dimension)
        steps = np.pi * self._size[cells]
        slopes = [
            np.abs(np.diff(grid, axis=axis)).max(axis=(*range(1, grid.ndim),), initial=0.0) / steps
            for axis in range(1, self.dimension + 1)
        ]
        least = 1e-3 * self.width
        return np.array([slope.max(initial=least) for slope in slopes])

    def edges(self, filled: int) -> tuple[float, float]:
        """Highest energy of the lowest bands and lowest energy of the others.

        Parameters
        ----------
        filled : int
            Number of bands below, in order of energy at each momentum.

        Returns
        -------
        low, high : float
            In eV, to 1e-10 of the width of all bands where these leave a gap or touch, which is
            where `high` is not below `low`.  Infinite where there is no band.
        """
        bands = self._energies.shape[-1]
        if 0 < filled < bands:
            ordered = np.sort(self._energies, axis=-1)
            low, high = float(ordered[..., filled - 1].max()), float(ordered[..., filled].min())
            if low > high + 1e-6 * self.width:
                return low, high
        low = self._highest(filled - 1, 1) if filled else -np.inf
        return low, -self._highest(filled, -1) if filled < bands else np.inf

    def _at(self, places: Floats) -> Floats:
        """Energies at momenta in units of the reciprocal vectors, in blocks that stay small."""
        self.points += len(places)
        parts = np.array_split(2 * np.pi * places, len(places) * self._cost // 2_000_000 + 1)
        return np.concatenate([self._solve(part) for part in parts])

    def _put(self, energies: Floats) -> None:
        """Keep the cells' energies, shape (cells, 3^d, bands), and what is known of their range."""
        low, high = energies.min(axis=1), energies.max(axis=1)
        bend = self._bend(energies)
        self._energies, self._low, self._high = energies, low - bend, high + bend

    def _bend(self, energies: Floats) -> Floats:
        """How far a band may go beyond its points in a cell, shape (cells, bands)."""
        grid = energies.reshape(len(energies), *(3,) * self.dimension, -1)
        bend = np.zeros((len(energies), energies.shape[-1]))
        for axis in range(1, self.dimension + 1):
            first, middle, last = np.moveaxis(grid, axis, 0)
            curvature = np.abs(first - 2 * middle + last)
            # A parabola or a wedge has its extremum inside only where it is not too steep.
            inside = np.abs(last - first) < 2 * curvature
            over = np.where(inside, curvature / 4, 0.0)
            bend += over.max(axis=tuple(range(1, over.ndim - 1)))
        return bend

    def _shares(self, energy: float) -> tuple[Floats, Floats, float]:
        """States of each band, the doubt of each cell, and the error of the sum of states."""
        volume = self._size**self.dimension * (2 if self._even else 1)
        cells, bands = np.nonzero((self._low < energy) & (self._high > energy))
        share = (self._high <= energy).astype(float)
        nodes = self._energies[cells, :, bands]
        rules, refined = _rules(self.dimension)
        values = nodes, nodes, nodes @ refined.T
        coarse, fine, finest = (
            below(v[:, rule], energy).mean(axis=-1) for v, rule in zip(values, rules, strict=True)
        )
        share[cells, bands] = (4 * finest - fine) / 3
        # A pocket between the points is seen by none of them.
        unseen = (nodes.min(axis=1) >= energy) | (nodes.max(axis=1) <= energy)
        miss = np.where(unseen, 0.5**self.dimension, (4 * finest - 5 * fine + coarse) / 3)
        doubt = np.bincount(cells, np.abs(miss), len(share)) * volume
        # Where lines run along the cells, these all miss to the same side.
        aligned = np.bincount(bands, miss * volume[cells], share.shape[1])
        error = float(np.abs(aligned).sum() + np.sqrt(np.square(doubt).sum()))
        return volume @ share, doubt, error

    def _halve(self, cells: NDArray[np.intp]) -> None:
        """Cut some cells in two along each direction."""
        corner, size, energies = self._children(
            self._corner[cells], self._size[cells], self._energies[cells]
        )
        kept = np.ones(len(self._size), bool)
        kept[cells] = False
        self._corner = np.concatenate([self._corner[kept], corner])
        self._size = np.concatenate([self._size[kept], size])
        self._put_more(kept, energies)

    def _put_more(self, kept: NDArray[np.bool_], energies: Floats) -> None:
        old = [part[kept] for part in (self._energies, self._low, self._high)]
        self._put(energies)
        new = self._energies, self._low, self._high
        self._energies, self._low, self._high = (
            np.concatenate(pair) for pair in zip(old, new, strict=True)
        )

    def _children(
        self, corner: Floats, size: Floats, energies: Floats
    ) -> tuple[Floats, Floats, Floats]:
        d, count = self.dimension, len(size)
        steps = np.array(list(np.ndindex(*(5,) * d)))
        known = (steps % 2 == 0).all(axis=1)
        places = corner[:, None] + steps[~known] / 4 * size[:, None, None]
        grid = np.empty((count, 5**d, energies.shape[-1]))
        grid[:, known] = energies
        grid[:, ~known] = self._at(places.reshape(-1, d)).reshape(count, -1, energies.shape[-1])
        at = np.array(list(np.ndindex(*(2,) * d)))
        nodes = (2 * at[:, None] + np.array(list(np.ndindex(*(3,) * d)))) @ 5 ** np.arange(d)[::-1]
        corners = corner[:, None] + at / 2 * size[:, None, None]
        return (
            corners.reshape(-1, d),
            np.repeat(size / 2, 2**d),
            grid[:, nodes].reshape(-1, 3**d, energies.shape[-1]),
        )

    def _highest(self, band: int, sign: int) -> float:
        """Highest energy of a band times a sign, by halving the cells that could hold it."""

        def one(energies: Floats) -> Floats:
            return sign * np.sort(energies, axis=-1)[..., band, None]

        corner, size, energies = self._corner, self._size, self._energies
        best, last = -np.inf, 1e-10 * self.width
        for turn in range(_ROUNDS):
            values = one(energies)
            best = max(best, float(values.max()))
            bound = values.max(axis=1)[:, 0] + self._bend(values)[:, 0]
            keep = np.argsort(-bound)[: 12 if turn < 3 else 4]
            keep = keep[bound[keep] > best + last]
            if not keep.size:
                break
            corner, size, energies = self._children(corner[keep], size[keep], energies[keep])
        return best


def level(
    counts: Sequence[StateCount], states: float, tolerance: float = 1e-8
) -> tuple[float, float]:
    """Energy below which a number of states lies, and the error of the number.

    Parameters
    ----------
    counts : sequence of StateCount
        Planes that share a level, or one model; the mean of their states counts.
    states : float
        Number of states, strictly between zero and the number of bands.
    tolerance : float, optional
        States that the number may be off by, or those in 1e-8 of the width if these are more.

    Returns
    -------
    energy : float
        In eV.  At a flat band, its energy.
    error : float
        Estimate of the error of the number of states below that energy.
    """
    width = max(count.width for count in counts)

    near = _SAME * width

    def excess(energy: float) -> float:
        return float(np.mean([count.rough(energy).sum() for count in counts])) - states

    found, dense = float(np.mean([count.quantile(states) for count in counts])), 0.0
    for goal in track((1e-3, 1e-5, tolerance, tolerance, tolerance), "chemical potential"):
        low, high, reach = found, found, 1e-3 * width
        while excess(low) > 0:
            low, reach = low - reach, 2 * reach
        while excess(high) < 0:
            high, reach = high + reach, 2 * reach
        found = float(scipy.optimize.brentq(excess, low, high, xtol=1e-13 * width, rtol=1e-15))
        if not dense:
            # States that an energy of 1e-8 of the width holds are not worth telling apart.
            step = 1e-3 * width
            dense = 1e-8 * width * (excess(found + step) - excess(found - step)) / (2 * step)
        goal = max(goal, tolerance, dense)
        doubt = float(np.mean([count.number(found, goal)[1] for count in counts]))
        if any(count.flat(found) for count in counts):
            if excess(found - near) <= 0 <= excess(found + near):
                break
        elif goal <= max(tolerance, dense) and abs(excess(found)) <= max(goal, doubt) / 4:
            break
    return found, doubt


def below(corners: Floats, energy: float) -> Floats:
    """Share of simplices in which linear interpolation is below an energy.

    Parameters
    ----------
    corners : ndarray, shape (..., d + 1)
        Energies at the corners of triangles or tetrahedra in eV.
    energy : float
        The level in eV.

    Returns
    -------
    ndarray, shape (...)
        Between zero and one.
    """
    low, high = corners.min(axis=-1), corners.max(axis=-1)
    share: Floats = (high <= energy).astype(float)
    cut = (low < energy) & (high > energy)
    ordered = np.sort(corners[cut], axis=-1).T
    share_of = _triangles if len(ordered) == 3 else _tetrahedra
    share[cut] = share_of(ordered - energy)
    return share


def _triangles(e: Floats) -> Floats:
    """Share below zero of triangles with ascending corners e, shape (3, n), round zero."""
    e1, e2, e3 = e
    with np.errstate(divide="ignore", invalid="ignore"):
        first, last = e1**2 / (e2 - e1), e3**2 / (e3 - e2)
    share: Floats = np.where(e2 > 0, first / (e3 - e1), 1 - last / (e3 - e1))
    return share


def _tetrahedra(e: Floats) -> Floats:
    """Share below zero of tetrahedra with ascending corners e, shape (4, n), round zero."""
    share = np.empty(e.shape[1])
    one, three = e[1] >= 0, e[2] <= 0
    e1, e2, e3, e4 = e[:, one]
    share[one] = -(e1**3) / ((e2 - e1) * (e3 - e1) * (e4 - e1))
    e1, e2, e3, e4 = e[:, three]
    share[three] = 1 - e4**3 / ((e4 - e1) * (e4 - e2) * (e4 - e3))
    two = ~(one | three)
    e1, e2, e3, e4 = e[:, two]
    share[two] = _quadrilateral(e1, e2, e3, e4)
    return share


def _quadrilateral(e1: Floats, e2: Floats, e3: Floats, e4: Floats) -> Floats:
    """Share of tetrahedra with two corners below zero, which a quadrilateral cuts."""
    above = e2 - e1
    bend = (e3 - e1 + e4 - e2) / ((e3 - e2) * (e4 - e2))
    share: Floats = (above**2 - 3 * above * e2 + 3 * e2**2 + bend * e2**3) / ((e3 - e1) * (e4 - e1))
    return share
