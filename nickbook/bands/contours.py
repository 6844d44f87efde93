"""Lines of constant energy on the Brillouin-zone torus, with controlled error.

A line is found on a mesh, parametrized by the time a wave packet needs along it (dτ = dl/|v|),
smoothed, and projected back on the exact energy.  It is then an analytic periodic function of its
parameter, so equally spaced points integrate it with an error that falls exponentially.  Where
this fails (close to a saddle, or for a mesh that joins lines wrongly) the equation of motion is
integrated instead, which cannot leave its line.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from scipy.integrate import OdeSolution, solve_ivp

from nickbook.arrays import Floats
from nickbook.bands.lattice import folded

if TYPE_CHECKING:
    from nickbook.bands.band import Band

#: Vectors in the plane of momenta, x + iy: a factor i turns them by a quarter to the left.
Plane = NDArray[np.complex128]

TOLERANCE = 1e-9
MESH = 48
_LARGEST_STEP = 0.3
_TURN = 2 * np.pi
_ZONE = _TURN**2
#: Pockets up to this depth in eV are ellipses to a relative 1e-7.
ELLIPSE_DEPTH = 1e-7
#: Closest distance in eV to a saddle at which a line is still resolved.
SADDLE_DISTANCE = 1e-9


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
    """

    points: Floats
    velocity: Floats
    weights: Floats
    winding: tuple[int, int]
    area: float


class _UnresolvedError(Exception):
    """The smooth parametrization did not converge."""


def contours(band: "Band", energy: float) -> list[Contour]:
    """All lines on which a band has the given energy, as `Band.contours` gives them.

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

    Raises
    ------
    ValueError
        If the energy is within `SADDLE_DISTANCE` of a saddle, where lines touch.

    Notes
    -----
    The cost is that of a few hundred band evaluations per line, independent of the zone size; the
    mesh on which lines are first found is kept for the next energy.
    """
    lines, tiny = _mesh_lines(band, energy), []
    for extremum in band.extrema:
        around = [extremum.within(line) for line in lines]
        lines = [line for line, drop in zip(lines, around, strict=True) if not drop]
        depth = extremum.depth(energy)
        if 0 < depth <= ELLIPSE_DEPTH:
            tiny.append(extremum.pocket(energy))
        elif depth > ELLIPSE_DEPTH and (any(around) or extremum.between_mesh_points(energy)):
            lines.append(extremum.point + extremum.circle[_CLOSED] * np.sqrt(depth))
    try:
        found = tiny + [_smooth_line(band, energy, line) for line in lines]
    except _UnresolvedError:
        found = tiny + orbits(band, energy, np.concatenate(lines))
    return sorted(found, key=lambda c: (-abs(round(c.area, 9)), *c.points.mean(axis=0).round(6)))


def _mesh_lines(band: "Band", level: float) -> list[Floats]:
    """Piecewise linear contour lines on the torus; the last point closes onto the first."""
    energies = band.mesh_energies
    if not energies.min() < level < energies.max():
        return []
    # A line through a mesh point would leave the side it runs on undecided.
    while (energies == level).any():
        level += 1e-13 * max(1.0, abs(level))
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
        return Contour(points, velocity, weights, (0, 0), area)


_CLOSED = np.append(np.arange(16), 0)


def extrema(band: "Band") -> tuple[Extremum, ...]:
    """Minima and maxima of a band, round which pockets may be too small for the mesh."""
    angle = _TURN * _phase(16)
    found = []
    for point, energy, hessian in band.critical_points:
        curvature, axes = np.linalg.eigh(hessian)
        if curvature[0] * curvature[1] <= 0:
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
        contour, converged = _projected(band, energy, guide, turns)
        if converged:
            return contour
        # These points are on the line and closer together: they tell the time along it better.
        line = np.concatenate([contour.points, contour.points[:1] + _vectors(turns)])
    raise _UnresolvedError


def _clocked(band: "Band", energy: float, line: Floats, count: int) -> tuple[Plane, Plane]:
    """Return points at equal steps of the time along the line, and the momentum it ends off by."""
    for _ in range(12):
        value, slope = band.energy_and_velocity(line[:-1])
        velocity, places = _plane(slope), _plane(line)
        shift = (energy - value) / velocity.conj()
        if not np.abs(shift).max() < _LARGEST_STEP:
            raise _UnresolvedError
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
    turns = np.round(_vectors(places[-1:] - places[:1]) / _TURN) * _TURN
    return _interpolated(elapsed, chord, 1j * velocity, places, count), _plane(turns)


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


def _projected(band: "Band", energy: float, guide: Plane, turns: Plane) -> tuple[Contour, bool]:
    """As many points on the exact line as the guide has, and whether they resolve it."""
    count = len(guide)
    drift = _phase(count) * turns
    derivative, smooth = _harmonics(count)
    # The guide is to be analytic also where its pieces meet.
    spectrum = np.fft.fft(guide - drift) * smooth
    points = np.fft.ifft(spectrum) + drift
    tangent = np.fft.ifft(derivative * spectrum) + turns
    normal = 1j * tangent / np.abs(tangent)
    for _ in range(8):
        value, slope = band.energy_and_velocity(_vectors(points))
        velocity = _plane(slope)
        step = (energy - value) / (velocity * normal.conj()).real
        points = points + step * normal
        furthest = np.abs(step).max()
        if not furthest < _LARGEST_STEP:
            raise _UnresolvedError
        # Steps shrink quadratically, and a step this small leaves the velocity as it is.
        if furthest < 1e-12:
            break
    tangent = np.fft.ifft(derivative * np.fft.fft(points - drift)) + turns
    speed = np.abs(velocity)
    rate = (velocity.conj() * tangent).imag / speed**2
    tail = np.abs(np.fft.rfft(rate))[1:]
    # Rounding of the energy moves points of slow or small lines; no sampling gets below that.
    rounding = count * 2e-15 * max(1.0, abs(energy)) / (speed.min() * points.std())
    resolved = rate.min() > 0 and tail[-count // 16 :].max() < (TOLERANCE + rounding) * rate.sum()
    contour = _contour(
        _vectors(points), slope, rate / (count * _ZONE), _vectors(tangent / count), _vectors(turns)
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
    winding = (round(turns[0, 0] / _TURN), round(turns[0, 1] / _TURN))
    # In coordinates in which the line winds along the second direction only, x dy is periodic.
    p, q = (0, 1) if winding == (0, 0) else winding
    b, a = _bezout(q, p)
    across, along = q * points[:, 0] - p * points[:, 1], a * element[:, 0] + b * element[:, 1]
    return Contour(points, velocity, weights, winding, float((across * along).sum() / _ZONE))


def _bezout(q: int, p: int) -> tuple[int, int]:
    """Whole b, a with q b + p a = 1: lines that do not cross themselves wind coprime times."""
    if p == 0:
        return q, 0
    b = pow(q, -1, abs(p))
    return b, (1 - q * b) // p


def orbits(band: "Band", energy: float, starts: Floats) -> list[Contour]:
    """Lines through given points by integrating the equation of motion dk/dt = z × v.

    Parameters
    ----------
    band : Band
        A band in two dimensions.
    energy : float
        Energy in eV.
    starts : ndarray, shape (n, 2)
        Momenta close to the lines; each line is followed once.

    Returns
    -------
    list of Contour
        One per line, its points at equal steps of time.

    Raises
    ------
    ValueError
        If the energy is within `SADDLE_DISTANCE` of a saddle.
    """
    for point, saddle, hessian in band.critical_points:
        if abs(saddle - energy) < SADDLE_DISTANCE and np.linalg.det(hessian) <= 0:
            raise ValueError(
                f"energy = {energy!r} eV lies on the van Hove saddle at k = "
                f"({point[0]:.6f}, {point[1]:.6f}), where lines of constant energy touch and the "
                f"density of states diverges; move it by more than {SADDLE_DISTANCE:g} eV"
            )
    settled = _settled(band, energy, starts)
    starts = settled[np.abs(settled - starts).max(axis=-1) < _TURN / MESH]
    # The fastest points are far from every saddle, where neighbouring lines come close.
    speed = np.linalg.norm(band.energy_and_velocity(starts)[1], axis=-1)
    starts = starts[np.argsort(-speed, kind="stable")]
    found: list[Contour] = []
    while len(starts):
        found.append(_orbit(band, energy, starts[0]))
        distance = np.abs(folded(starts[:, None] - found[-1].points)).max(axis=-1).min(axis=-1)
        spacing = np.linalg.norm(np.diff(found[-1].points, axis=0), axis=-1).max()
        starts = starts[distance > spacing]
    return found


def _orbit(band: "Band", energy: float, start: Floats) -> Contour:
    def motion(_: float, k: Floats) -> Floats:
        return _flow(band.energy_and_velocity(k)[1])

    leaving = motion(0.0, start)

    def passed(_: float, k: Floats) -> float:
        return float(folded(k - start) @ leaving)

    passed.direction = 1.0  # type: ignore[attr-defined]
    horizon = 8.0
    while True:
        path = solve_ivp(
            motion,
            (0.0, horizon),
            start,
            "DOP853",
            events=passed,
            dense_output=True,
            rtol=1e-12,
            atol=1e-13,
            max_step=0.25,
        )
        times, places = np.asarray(path.t_events)[0], np.asarray(path.y_events)[0]
        back = np.abs(folded(places - start)).max(axis=-1, initial=0.0) < 1e-4
        if (returns := times[back & (times > 1e-6)]).size:
            break
        horizon *= 2
        if horizon > 1e4:
            raise RuntimeError(f"no closed line of energy {energy!r} eV through k = {start} found")
    period = float(returns[0])
    path_at = cast("OdeSolution", path.sol)
    turns = _plane(np.round((path_at(period) - start)[None] / _TURN) * _TURN)
    for count in (2048, 16384):
        guide = _plane(path_at(period * _phase(count)).T)
        with suppress(_UnresolvedError):
            contour, converged = _projected(band, energy, guide, turns)
            if converged:
                return contour
    raise RuntimeError(
        f"the line of energy {energy!r} eV through k = {start} has a bend sharper than {count} "
        "points resolve: two bands nearly touch there; move the energy, or give the mirror that "
        "lets them cross"
    )


def _settled(band: "Band", energy: float, k: Floats) -> Floats:
    for _ in range(4):
        value, velocity = band.energy_and_velocity(k)
        k = k + velocity * ((energy - value) / np.square(velocity).sum(axis=-1))[:, None]
    return k


def _flow(velocity: Floats) -> Floats:
    """Direction of motion along the line: a quarter turn to the left of the velocity."""
    return np.stack([-velocity[..., 1], velocity[..., 0]], axis=-1)
