"""Lines of one energy followed step by step, through points where bands cross.

A wave packet keeps its orbitals where two bands cross, so a line is followed by the overlap of
states.  Steps shrink until neighbouring states are alike and the line hardly turns, which resolves
bands that nearly touch; where the gap on the way vanishes, the line goes on in the other band.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.contours import (
    MESH,
    Contour,
    UnresolvedError,
    projected,
    settled,
)
from nickbook.bands.lattice import folded

if TYPE_CHECKING:
    from nickbook.bands.band import Band, Block

_TURN = 2 * np.pi
_LONGEST, _SHORTEST = _TURN / 96, 1e-10
_MOST_STEPS = 20_000
#: Bands cross where their gap is below this share of the block's range of energies.
_CROSSING = 1e-7
#: Share of that range within which a start has the energy of its line.
_SETTLED = 1e-5
#: Starts with a gap below this share may lie between lines.
_TOUCHING = 1e-4


def orbits(block: "Block", energy: float, starts: list[tuple["Band", Floats]]) -> list[Contour]:
    """Lines through given points of some bands of a block.

    Parameters
    ----------
    block : Block
        A mirror block of a model in two dimensions.
    energy : float
        Energy in eV.
    starts : list of (Band, ndarray of shape (n, 2))
        Momenta close to the lines of each band; each line is followed once.

    Returns
    -------
    list of Contour
        One per line, with the band and the state at each point, which lie closer where the line
        turns.

    Raises
    ------
    ValueError
        If the energy is within `SADDLE_DISTANCE` of a saddle of one of the bands.
    RuntimeError
        If a line has a bend that cannot be resolved.

    Notes
    -----
    A line takes some hundred steps, and more the closer bands come without touching: each halving
    of their gap adds a few.
    """
    found: list[Contour] = []
    places, indices = [], []
    for band, points in starts:
        band.require_no_saddle(energy)
        moved = settled(band, energy, points)
        moved = moved[np.abs(moved - points).max(axis=-1) < _TURN / MESH]
        places.append(moved)
        indices.append(np.full(len(moved), band.index))
    k, index = np.concatenate(places), np.concatenate(indices)
    # The clearest starts are fast, far from every saddle, and far from other bands.
    energies, velocities = block.all_velocities(k)
    # Starts far from a line, where polygons join two, may settle on none.
    near = np.abs(energies[np.arange(len(k)), index] - energy) < _SETTLED * block.scale
    if near.any():
        k, index, energies, velocities = (part[near] for part in (k, index, energies, velocities))
    rows = np.arange(len(k))
    speed = np.linalg.norm(velocities[rows, index], axis=-1)
    others = np.abs(energies - energies[rows, index, None])
    others[rows, index] = block.scale
    gap = others.min(axis=-1)
    order = np.argsort(-speed * gap, kind="stable")
    k, index, gap = k[order], index[order], gap[order]
    while len(k):
        try:
            line = _followed(block, energy, k[0], int(index[0]))
        except RuntimeError:
            if gap[0] > _TOUCHING * block.scale:
                raise
            # Where bands touch a start may be on no line of its own.
            k, index, gap = k[1:], index[1:], gap[1:]
            continue
        found.append(line)
        apart = np.abs(folded(k[:, None] - line.points)).max(axis=-1)
        apart[index[:, None] != line.band] = np.inf
        # Starts next to a saddle settle badly; two lines are further apart somewhere.
        keep = apart.min(axis=-1) > _TURN / MESH / 2
        keep[0] = False
        k, index, gap = k[keep], index[keep], gap[keep]
    return found


def _followed(block: "Block", energy: float, start: Floats, index: int) -> Contour:
    points, states, turns = _path(block, energy, start, index)
    closed = np.concatenate([points, points[:1] + turns])
    length = np.linalg.norm(np.diff(closed, axis=0), axis=-1)
    # A clock that ticks once a step, but evenly, so that the line is a smooth function of it.
    pace = np.exp(scipy.ndimage.gaussian_filter1d(np.log(length), 3, mode="wrap"))
    clock = np.concatenate([[0.0], np.cumsum(length / pace)])
    drift = np.outer(clock / clock[-1], turns)

    def continued(k: Floats) -> tuple[Floats, Floats]:
        return block.follow(k, like)[:2]

    path = scipy.interpolate.CubicSpline(
        clock, closed - drift - (closed - drift)[:1], bc_type="periodic"
    )
    for factor in (4, 16, 64):
        count = factor * 2 ** int(np.ceil(np.log2(len(points))))
        phase = np.arange(count) / count
        guide = path(phase * clock[-1]) + points[:1] + np.outer(phase, turns)
        nearest = np.searchsorted((clock[1:] + clock[:-1]) / 2, phase * clock[-1])
        like = states[nearest % len(states)]
        try:
            line, resolved = projected(continued, energy, guide, turns)
        except UnresolvedError:
            continue
        if resolved:
            _, _, own, band = block.follow(line.points, like)
            return replace(line, band=band, states=own @ block.basis.T)
    raise RuntimeError(
        f"the line of energy {energy!r} eV through k = {start} has a bend sharper than {count} "
        "points resolve: two bands nearly touch there; move the energy, or give the mirror that "
        "lets them cross"
    )


def _path(
    block: "Block", energy: float, start: Floats, index: int
) -> tuple[Floats, Complexes, Floats]:
    """Points and states along a closed line, and the momentum by which it misses its start."""
    vectors = np.linalg.eigh(block.fourier(start)[0])[1]
    here = block.follow(start, vectors[:, index])
    first = here
    k, points, states = start, [start], [here[2]]
    step = _LONGEST / 4
    while len(points) < _MOST_STEPS:
        there, ahead = _ahead(block, energy, k, here, step)
        if there is None:
            step /= 2
            if step < _SHORTEST:
                break
            continue
        direction = _direction(here[1])
        back = folded(start - k)
        along = back @ direction
        # The first point is met again on its side and in its state, not where lines cross.
        met = abs(back @ _direction(direction)) < 0.2 * step and 0 < along <= 1.001 * step
        alike = _direction(first[1]) @ direction > 0.7 and abs(np.vdot(first[2], here[2])) > 0.7
        if len(points) > 3 and met and alike:
            turns = np.round((k + back - start) / _TURN) * _TURN
            if along < 0.3 * step:
                points, states = points[:-1], states[:-1]
            return np.array(points), np.array(states), turns
        turned = _direction(there[1]) @ direction
        kept = abs(np.vdot(here[2], there[2]))
        k, here = ahead, there
        points.append(k)
        states.append(here[2])
        if turned > np.cos(0.08) and kept > 0.995:
            step = min(1.3 * step, _LONGEST)
    raise RuntimeError(f"no closed line of energy {energy!r} eV through k = {start} found")


_Followed = tuple[Floats, Floats, Complexes, NDArray[np.intp]]


def _ahead(
    block: "Block", energy: float, k: Floats, here: _Followed, step: float
) -> tuple[_Followed | None, Floats]:
    """State and place one step further along the line; no state where the step is too long."""
    wanted = k + step * _direction(here[1])
    ahead = wanted
    for _ in range(6):
        there = block.follow(ahead, here[2])
        slope = float(there[1] @ there[1])
        if slope == 0.0:
            return None, ahead
        shift = there[1] * ((energy - there[0]) / slope)
        ahead = ahead + shift
        if np.abs(shift).max() < 1e-13:
            break
    there = block.follow(ahead, here[2])
    off = np.abs(ahead - wanted).max()
    turned = _direction(there[1]) @ _direction(here[1])
    if off > 0.3 * step or turned < np.cos(0.2) or abs(np.vdot(here[2], there[2])) < 0.97:
        return None, ahead
    if there[3] != here[3] and not _cross(block, k, ahead, int(here[3]), int(there[3])):
        return None, ahead
    return there, ahead


def _cross(block: "Block", start: Floats, end: Floats, one: int, other: int) -> bool:
    """Whether two bands touch on the way between two momenta."""
    low, high = 0.0, 1.0
    for _ in range(12):
        s = np.linspace(low, high, 17)
        energies = block.energies(start + s[:, None] * (end - start))
        gap = np.abs(energies[:, one] - energies[:, other])
        best = int(gap.argmin())
        low, high = s[max(best - 1, 0)], s[min(best + 1, 16)]
    return bool(gap.min() < _CROSSING * block.scale)


def _direction(velocity: Floats) -> Floats:
    """Direction of motion along the line: a quarter turn to the left of the velocity."""
    turned: Floats = np.array([-velocity[1], velocity[0]]) / np.hypot(*velocity)
    return turned
