"""Lines of constant energy on the Brillouin-zone torus, with controlled error.

A line is found on a mesh, parametrized by the time a wave packet needs along it (dτ = dl/|v|),
smoothed, and projected back on the exact energy.  It is then an analytic periodic function of its
parameter, so equally spaced points integrate it with an error that falls exponentially.  Where
this fails (close to a saddle, where bands touch or nearly so, or for a mesh that joins lines
wrongly) `orbits` follows the line instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, cast

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.lattice import folded

if TYPE_CHECKING:
    from nickbook.bands.band import Band, Block

#: Vectors in the plane of momenta, x + iy: a factor i turns them by a quarter to the left.
Plane = NDArray[np.complex128]

TOLERANCE = 1e-9
MESH = 48
_LARGEST_STEP = 0.3
_TURN = 2 * np.pi
_ZONE = _TURN**2
#: Pockets up to this depth, as a share of the block's range of energies, are ellipses to a
#: relative 1e-7.
ELLIPSE_DEPTH = 3e-8
#: Closest distance to a saddle, in the same unit, at which a line is still resolved.
SADDLE_DISTANCE = 3e-10
#: Ratio of the curvatures at an extremum below which it is a line.
_LINEAR = 1e-6
#: Most steps of Newton's method onto a line: next to an extremum each halves the way.
_NEWTON = 24
#: Steps of a search for an extremum.
_SEARCH = 300
#: Pockets whose radius is smaller than this, in inverse lattice constants, are points.
POINT = 1e-6


@dataclass(frozen=True, eq=False)
class Contour:
    """One line of constant energy, run through with the lower energies on its left.

    Parameters
    ----------
    points, velocity : ndarray, shape (n, 2)
        Momenta (continuous along the line, not folded back) and velocities in eV.
    weights : ndarray, shape (n,)
        Quadrature weights; they sum to the line's density of states per spin and cell.
    winding : tuple of int
        How often the line goes round the zone in each direction; (0, 0) for a pocket.
    area : float
        Signed area in units of the zone: positive round occupied, negative round empty states;
        defined up to whole numbers for lines that wind.
    band : ndarray of int, shape (n,)
        Index of the band at each point in its block, which changes where bands cross.
    states : ndarray, shape (n, orbitals), optional
        Bloch states along a line that was followed by its states.
    """

    points: Floats
    velocity: Floats
    weights: Floats
    winding: tuple[int, int]
    area: float
    band: NDArray[np.intp]
    states: Complexes | None = None


class UnresolvedError(Exception):
    """The smooth parametrization did not converge."""


def contours(block: "Block", energy: float, without: Sequence[int] = ()) -> list[Contour]:
    """All lines on which bands of a block have the given energy.

    Parameters
    ----------
    block : Block
        A mirror block of a model in two dimensions.
    energy : float
        Energy in eV.
    without : sequence of int, optional
        Bands that are left out.

    Returns
    -------
    list of Contour
        Band by band, largest area first; a line that changes its band counts to the one in which
        most of its states are.  None of a band that has a flat part at the energy.

    Raises
    ------
    ValueError
        If the energy is within `SADDLE_DISTANCE` of a saddle, where lines touch.

    Notes
    -----
    The cost is that of a few hundred evaluations per line, independent of the zone size; the
    mesh on which lines are first found is kept for the next energy.
    """
    # The two ways to a line call each other's tools.
    from nickbook.bands.orbits import orbits

    found, rough = [], []
    flat = block.flat_shares(energy)
    for band in block.bands:
        if flat[band.index] or band.index in without:
            continue
        lines, tiny = _starts(band, energy)
        try:
            found += tiny + [_smooth_line(band, energy, line) for line in lines]
        except UnresolvedError:
            found += tiny
            rough.append((band, np.concatenate(lines)))
    if rough:
        found += orbits(block, energy, rough)
    return _ordered(found)


def smooth_contours(band: "Band", energy: float) -> list[Contour]:
    """Lines of one band that are smooth functions of time; UnresolvedError if one is not.

    Parameters
    ----------
    band : Band
        A band in two dimensions.
    energy : float
        Energy in eV.

    Returns
    -------
    list of Contour
        Largest area first.
    """
    lines, tiny = _starts(band, energy)
    return _ordered(tiny + [_smooth_line(band, energy, line) for line in lines])


def main_band(line: Contour) -> int:
    """Index of the band in which most states of a line are."""
    return int(np.bincount(line.band, line.weights).argmax())


def _ordered(lines: list[Contour]) -> list[Contour]:
    def key(line: Contour) -> tuple[float, ...]:
        return main_band(line), -abs(round(line.area, 9)), *line.points.mean(axis=0).round(6)

    return sorted(lines, key=key)


def _starts(band: "Band", energy: float) -> tuple[list[Floats], list[Contour]]:
    """Polygons close to the lines, and pockets that are too small to have any."""
    mesh = band.mesh_energies
    reach = max(np.abs(np.diff(mesh, axis=axis)).max() for axis in (0, 1))
    if not mesh.min() - reach < energy < mesh.max() + reach:
        return [], []
    lines, tiny = [line for line in mesh_lines(band, energy) if not _point(band, energy, line)], []
    least = ELLIPSE_DEPTH * band.block.scale
    for extremum in band.extrema:
        around = [extremum.within(line) for line in lines]
        lines = [line for line, drop in zip(lines, around, strict=True) if not drop]
        depth = extremum.depth(energy)
        if 0 < depth <= least:
            tiny.append(replace(extremum.pocket(energy), band=np.full(16, band.index)))
        elif depth > least and (any(around) or extremum.between_mesh_points(energy)):
            lines.append(extremum.point + extremum.circle[_CLOSED] * np.sqrt(depth))
    return lines + _hidden(band, energy), tiny


def _point(band: "Band", energy: float, line: Floats) -> bool:
    """Whether a small polygon shrinks to a point: bands touch there at this energy."""
    if np.ptp(line, axis=0).max() > 3 * _TURN / MESH:
        return False
    moved = settled(band, energy, line)
    return bool(np.ptp(moved, axis=0).max() < 2 * POINT)


def _hidden(band: "Band", energy: float) -> list[Floats]:
    """Polygons of pockets between mesh points whose extremum is sharp, as next to Dirac points."""
    mesh = band.mesh_energies
    around = np.array([np.roll(mesh, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    known = np.array([extremum.point for extremum in band.extrema]).reshape(-1, 2)
    found: list[Floats] = []
    for sign in (1.0, -1.0):
        height, values = sign * (mesh - energy), sign * around
        reach = values.max(axis=0) - values.min(axis=0)
        places = np.argwhere((values.min(axis=0) >= sign * mesh) & (height >= 0) & (height < reach))
        for place in places * _TURN / MESH:
            if len(known) and np.abs(folded(known - place)).max(axis=1).min() < 2 * _TURN / MESH:
                continue
            point = _lowest(partial(_height, band, sign), place)
            if sign * (energy - float(band.energy(point))) <= 0:
                continue
            angle = _TURN * _phase(16)
            ray = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
            low, high = np.zeros(16), np.full(16, _TURN / MESH)
            for _ in range(50):
                middle = (low + high) / 2
                inside = sign * (band.energy(point + middle[:, None] * ray) - energy) < 0
                low, high = np.where(inside, middle, low), np.where(inside, high, middle)
            line = (point + low[:, None] * ray)[_CLOSED]
            if low.max() > POINT and not any(
                np.abs(folded(point - other[0])).max() < 2 * low.max() for other in found
            ):
                found.append(line)
    return found


def _height(band: "Band", sign: float, k: Floats) -> Floats:
    return sign * band.energy(k)


def _lowest(height: Callable[[Floats], Floats], place: Floats) -> Floats:
    """Lowest point close to a place, which may be a cusp, by halving a square of nine points."""
    stencil = np.array([(i, j) for i in (0, -1, 1) for j in (0, -1, 1)], dtype=float)
    longest = step = _TURN / MESH / 2
    for _ in range(_SEARCH):
        values = height(place + step * stencil)
        best = int(np.argmin(values))
        place = place + step * stencil[best]
        # What rounding tells apart is no way down.
        down = values[0] - values[best] > 1e-15 * (1 + abs(values[0]))
        step = min(2 * step, longest) if down else step / 2
        if step < 1e-12:
            break
    return place


def mesh_lines(band: "Band", level: float) -> list[Floats]:
    """Piecewise linear contour lines on the torus; the last point closes onto the first."""
    energies = band.mesh_energies
    if not energies.min() < level < energies.max():
        return []
    # A line through a mesh point would leave the side it runs on undecided.
    while (energies == level).any():
        level += 1e-13 * max(band.block.scale, abs(level))
    closed: list[Floats] = []
    open_pieces: list[Floats] = []
    axis = _TURN * np.arange(MESH + 1) / MESH
    generator = contour_generator(axis, axis, np.pad(energies, (0, 1), "wrap").T)
    for piece in generator.lines(level):
        points = cast("Floats", piece)
        (closed if (points[0] == points[-1]).all() else open_pieces).append(points)
    while open_pieces:
        line = open_pieces.pop(0)
        while open_pieces and not _same_momentum(line[0], line[-1]):
            ends = np.array([p[0] for p in open_pieces])
            nearest = int(np.argmin(np.abs(folded(ends - line[-1])).max(axis=1)))
            piece = open_pieces.pop(nearest)
            line = np.concatenate(
                [line, piece[1:] + np.round((line[-1] - piece[0]) / _TURN) * _TURN]
            )
        closed.append(line)
    return closed


def _same_momentum(a: Floats, b: Floats) -> bool:
    return bool(np.abs(folded(b - a)).max() < 1e-9)


@dataclass(frozen=True, eq=False)
class Extremum:
    """An extremum of a band: its ellipse and the slope on it 1 eV off, per square root of eV."""

    point: Floats
    energy: float
    sign: float
    strength: float
    corners: Floats
    circle: Floats
    slope: Floats

    def depth(self, energy: float) -> float:
        """How far the energy is on the occupied or empty side that the pocket encloses, in eV."""
        return (energy - self.energy) * self.sign

    def within(self, line: Floats) -> bool:
        """Whether a line lies in the mesh cells next to the extremum."""
        return bool(np.abs(folded(line - self.point)).max() < 2 * _TURN / MESH)

    def between_mesh_points(self, energy: float) -> bool:
        """Whether the search mesh has no point inside the pocket."""
        return bool(((self.corners - energy) * self.sign > 0).all())

    def pocket(self, energy: float) -> Contour:
        """Return the ellipse, for pockets so shallow that rounding would blur their line."""
        size = np.sqrt(self.depth(energy))
        weights = np.full(len(self.circle), self.strength / len(self.circle))
        area = self.sign * self.strength * self.depth(energy)
        points, velocity = self.point + self.circle * size, self.slope * size
        return Contour(points, velocity, weights, (0, 0), area, np.zeros(16, int))


_CLOSED = np.append(np.arange(16), 0)


def extrema(band: "Band") -> tuple[Extremum, ...]:
    """Minima and maxima of a band, round which pockets may be too small for the mesh."""
    angle = _TURN * _phase(16)
    found = []
    for point, energy, hessian in band.critical_points:
        curvature, axes = np.linalg.eigh(hessian)
        # Along a line of extrema only rounding gives the other direction a curvature.
        ratio = curvature.min() / curvature.max() if curvature.max() else 0.0
        if min(ratio, 1 / ratio if ratio else 0.0) < _LINEAR:
            continue
        sign = float(np.sign(curvature[0]))
        unit = np.stack([np.cos(angle), sign * np.sin(angle)], axis=-1)
        circle = unit * np.sqrt(2 / np.abs(curvature)) @ (axes * np.linalg.det(axes)).T
        cell = np.floor(np.array(point) / (_TURN / MESH) + 1e-9).astype(int)
        rows, columns = ((c + np.arange(2)) % MESH for c in cell)
        corners = band.mesh_energies[np.ix_(rows, columns)]
        strength = 1 / (_TURN * np.sqrt(curvature[0] * curvature[1]))
        found.append(
            Extremum(np.array(point), energy, sign, strength, corners, circle, circle @ hessian)
        )
    return tuple(found)


def _smooth_line(band: "Band", energy: float, line: Floats) -> Contour:
    """Sample the line as an analytic periodic function of time until its quadrature converges."""
    for count in (160, 320, 640, 1280):
        guide, turns = _clocked(band, energy, line, count)
        contour, converged = projected(band.energy_and_velocity, energy, guide, turns)
        if converged:
            return replace(contour, band=np.full(count, band.index))
        # These points are on the line and closer together: they tell the time along it better.
        line = np.concatenate([contour.points, contour.points[:1] + turns])
    raise UnresolvedError


def _clocked(band: "Band", energy: float, line: Floats, count: int) -> tuple[Floats, Floats]:
    """Return points at equal steps of the time along the line, and the momentum it ends off by."""
    for _ in range(12):
        value, slope = band.energy_and_velocity(line[:-1])
        velocity, places = _plane(slope), _plane(line)
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = (energy - value) / velocity.conj()
        if not np.abs(shift).max() < _LARGEST_STEP:
            raise UnresolvedError
        places = places + np.append(shift, shift[0])
        velocity = np.append(velocity, velocity[0])
        chord = np.diff(places)
        if (chord * velocity[:-1].conj()).imag.sum() < 0:
            places, velocity, chord = places[::-1], velocity[::-1], -chord[::-1]
        speed = np.abs(velocity)
        elapsed = np.abs(chord) * 2 / (speed[1:] + speed[:-1])
        slow = np.flatnonzero(elapsed > elapsed.sum() / 24)
        line = _vectors(places)
        if not slow.size:
            break
        line = np.insert(line, slow + 1, line[slow] + _vectors(chord[slow]) / 2, axis=0)
    turns: Floats = np.round(_vectors(places[-1:] - places[:1])[0] / _TURN) * _TURN
    return _vectors(_interpolated(elapsed, chord, 1j * velocity, places, count)), turns


def _interpolated(elapsed: Floats, chord: Plane, flow: Plane, places: Plane, count: int) -> Plane:
    """Cubic Hermite interpolation of a line to equal steps of time."""
    clock = np.cumsum(elapsed)
    time = clock[-1] * _phase(count)
    piece = np.searchsorted(clock, time, side="right")
    length, chord = elapsed[piece], chord[piece]
    s = 1 - (clock[piece] - time) / length
    ahead, behind = flow[piece] * length - chord, flow[piece + 1] * length - chord
    found: Plane = places[piece] + s * (chord + (1 - s) * ((1 - s) * ahead - s * behind))
    return found


@lru_cache(maxsize=16)
def _phase(count: int) -> Floats:
    return np.arange(count) / count


@lru_cache(maxsize=16)
def _harmonics(count: int) -> tuple[Plane, Floats]:
    """Factors on a Fourier series: its derivative, and a smooth cut at an eighth of the count."""
    harmonic = np.asarray(np.fft.fftfreq(count, 1 / count), dtype=float)
    derivative: Plane = _TURN * 1j * harmonic
    return derivative, np.exp(-((8 * harmonic / count) ** 4))


def projected(
    motion: Callable[[Floats], tuple[Floats, Floats]], energy: float, guide: Floats, turns: Floats
) -> tuple[Contour, bool]:
    """As many points on the exact line as the guide has, and whether they resolve it.

    Parameters
    ----------
    motion : callable
        Energies (n,) and velocities (n, 2) in eV at momenta (n, 2).
    energy : float
        Energy of the line in eV.
    guide : ndarray, shape (n, 2)
        Points close to the line, at equal steps of a parameter in which it is smooth.
    turns : ndarray, shape (2,)
        Momentum by which the line misses its start after one turn.

    Returns
    -------
    contour : Contour
        The line, of band 0.
    resolved : bool
        Whether its Fourier series has converged.
    """
    count = len(guide)
    turn = _plane(turns[None])
    drift = _phase(count) * turn
    derivative, smooth = _harmonics(count)
    # The guide is to be analytic also where its pieces meet.
    spectrum = np.fft.fft(_plane(guide) - drift) * smooth
    points = np.fft.ifft(spectrum) + drift
    tangent = np.fft.ifft(derivative * spectrum) + turn
    normal = 1j * tangent / np.abs(tangent)
    for _ in range(_NEWTON):
        value, slope = motion(_vectors(points))
        velocity = _plane(slope)
        step = (energy - value) / (velocity * normal.conj()).real
        points = points + step * normal
        furthest = np.abs(step).max()
        if not furthest < _LARGEST_STEP:
            raise UnresolvedError
        # Steps shrink quadratically, and a step this small leaves the velocity as it is.
        if furthest < 1e-12:
            break
    arrived = furthest < 1e-9
    tangent = np.fft.ifft(derivative * np.fft.fft(points - drift)) + turn
    speed = np.abs(velocity)
    rate = (velocity.conj() * tangent).imag / speed**2
    tail = np.abs(np.fft.rfft(rate))[1:]
    # Rounding of the energy moves points of slow or small lines; no sampling gets below that.
    largest = max(float(speed.max()), abs(energy))
    rounding = count * 2e-15 * largest / (speed.min() * points.std())
    resolved = (
        arrived
        and rate.min() > 0
        and tail[-count // 16 :].max() < (TOLERANCE + rounding) * rate.sum()
    )
    contour = _contour(
        _vectors(points), slope, rate / (count * _ZONE), _vectors(tangent / count), turns
    )
    return contour, bool(resolved)


def _plane(vectors: Floats) -> Plane:
    plane: Plane = np.ascontiguousarray(vectors).view(complex)[:, 0]
    return plane


def _vectors(plane: Plane) -> Floats:
    return np.ascontiguousarray(plane).view(float).reshape(-1, 2)


def _contour(
    points: Floats, velocity: Floats, weights: Floats, element: Floats, turns: Floats
) -> Contour:
    winding = (round(turns[0] / _TURN), round(turns[1] / _TURN))
    # In coordinates in which the line winds along the second direction only, x dy is periodic.
    p, q = (0, 1) if winding == (0, 0) else winding
    b, a = _bezout(q, p)
    across, along = q * points[:, 0] - p * points[:, 1], a * element[:, 0] + b * element[:, 1]
    area = float((across * along).sum() / _ZONE)
    return Contour(points, velocity, weights, winding, area, np.zeros(len(points), int))


def _bezout(q: int, p: int) -> tuple[int, int]:
    """Whole b, a with q b + p a = 1: lines that do not cross themselves wind coprime times."""
    if p == 0:
        return q, 0
    b = pow(q, -1, abs(p))
    return b, (1 - q * b) // p


def settled(band: "Band", energy: float, k: Floats) -> Floats:
    """Momenta (n, 2) moved along the velocity onto the lines of a band."""
    for _ in range(6):
        value, velocity = band.energy_and_velocity(k)
        k = k + velocity * ((energy - value) / np.square(velocity).sum(axis=-1))[:, None]
    return k
