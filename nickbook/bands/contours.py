"""Lines of constant energy on the Brillouin-zone torus, with controlled error.

A line is found on a mesh, parametrized by the time a wave packet needs along it (dτ = dl/|v|),
smoothed, and projected back on the exact energy.  It is then an analytic periodic function of its
parameter, so equally spaced points integrate it with an error that falls exponentially.  Where
this fails (close to a saddle, or for a mesh that joins lines wrongly) the equation of motion is
integrated instead, which cannot leave its line.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from scipy.integrate import OdeSolution, solve_ivp
from scipy.interpolate import CubicHermiteSpline

from nickbook.bands.lattice import zone_mesh
from nickbook.bands.models import Block
from nickbook.bands.vanhove import critical_points

Floats = NDArray[np.float64]

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


def contours(block: Block, index: int, energy: float) -> list[Contour]:
    """All lines on which one band of a block has the given energy.

    Parameters
    ----------
    block : Block
        Mirror block of a model.
    index : int
        Band inside the block.
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
    lines, tiny = _mesh_lines(mesh_energies(block, index), energy), []
    for extremum in _extrema(block, index):
        around = [extremum.within(line) for line in lines]
        lines = [line for line, drop in zip(lines, around, strict=True) if not drop]
        depth = extremum.depth(energy)
        if 0 < depth <= ELLIPSE_DEPTH:
            tiny.append(extremum.pocket(energy))
        elif depth > ELLIPSE_DEPTH and (any(around) or extremum.between_mesh_points(energy)):
            lines.append(extremum.point + extremum.circle[_CLOSED] * np.sqrt(depth))
    try:
        found = tiny + [_smooth_line(block, index, energy, line) for line in lines]
    except _UnresolvedError:
        found = tiny + orbits(block, index, energy, np.concatenate(lines))
    return sorted(found, key=lambda c: (-abs(round(c.area, 9)), *c.points.mean(axis=0).round(6)))


@lru_cache(maxsize=64)
def mesh_energies(block: Block, index: int) -> Floats:
    """Energies of one band on the search mesh, shape (MESH, MESH)."""
    return block.energies(zone_mesh(MESH))[..., index]


def _mesh_lines(energies: Floats, level: float) -> list[Floats]:
    """Piecewise linear contour lines on the torus; the last point closes onto the first."""
    if not energies.min() < level < energies.max():
        return []
    # A line through a mesh point would leave the side it runs on undecided.
    energies = np.where(energies == level, level + 1e-13, energies)
    axis = _TURN * np.arange(MESH + 1) / MESH
    padded = np.pad(energies, ((0, 1), (0, 1)), mode="wrap").T
    pieces = [
        np.asarray(p, dtype=float) for p in contour_generator(axis, axis, padded).lines(level)
    ]
    closed = [p for p in pieces if np.array_equal(p[0], p[-1])]
    open_pieces = [p for p in pieces if not np.array_equal(p[0], p[-1])]
    while open_pieces:
        line = open_pieces.pop(0)
        while open_pieces and not _same_momentum(line[0], line[-1]):
            ends = np.array([p[0] for p in open_pieces])
            nearest = int(np.argmin(np.abs(_folded(ends - line[-1])).max(axis=1)))
            piece = open_pieces.pop(nearest)
            line = np.concatenate(
                [line, piece[1:] + np.round((line[-1] - piece[0]) / _TURN) * _TURN]
            )
        closed.append(line)
    return closed


def _folded(k: Floats) -> Floats:
    return (k + np.pi) % _TURN - np.pi


def _same_momentum(a: Floats, b: Floats) -> bool:
    return bool(np.abs(_folded(b - a)).max() < 1e-9)


@dataclass(frozen=True, eq=False)
class _Extremum:
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
        return bool(np.abs(_folded(line - self.point)).max() < 2 * _TURN / MESH)

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


@lru_cache(maxsize=64)
def _extrema(block: Block, index: int) -> list[_Extremum]:
    angle = _TURN * _phase(16)
    found = []
    for point, energy, hessian in critical_points(block, index):
        curvature, axes = np.linalg.eigh(hessian)
        if curvature[0] * curvature[1] <= 0:
            continue
        sign = float(np.sign(curvature[0]))
        unit = np.stack([np.cos(angle), sign * np.sin(angle)], axis=-1)
        circle = unit * np.sqrt(2 / np.abs(curvature)) @ (axes * np.linalg.det(axes)).T
        cell = np.floor(np.array(point) / (_TURN / MESH) + 1e-9).astype(int)
        rows, columns = ((c + np.arange(2)) % MESH for c in cell)
        corners = mesh_energies(block, index)[np.ix_(rows, columns)]
        strength = 1 / (_TURN * np.sqrt(curvature[0] * curvature[1]))
        found.append(
            _Extremum(np.array(point), energy, sign, strength, corners, circle, circle @ hessian)
        )
    return found


def _smooth_line(block: Block, index: int, energy: float, line: Floats) -> Contour:
    """Sample the line as an analytic periodic function of time until its quadrature converges."""
    for count in (96, 192, 384, 768, 1536):
        guide, period, turns = _clocked(block, index, energy, line)
        contour, converged = _projected(block, index, energy, guide(period * _phase(count)), turns)
        if converged:
            return contour
        # These points are on the line and closer together: they tell the time along it better.
        line = np.concatenate([contour.points, contour.points[:1] + turns])
    raise _UnresolvedError


def _clocked(
    block: Block, index: int, energy: float, line: Floats
) -> tuple[CubicHermiteSpline, float, Floats]:
    """Return the line against the time along it, its period, and the momentum it ends off by."""
    for _ in range(12):
        value, velocity = block.band(line[:-1], index)
        shift = velocity * ((energy - value) / np.square(velocity).sum(axis=-1))[:, None]
        if not np.abs(shift).max() < _LARGEST_STEP:
            raise _UnresolvedError
        line = np.concatenate([line[:-1] + shift, line[-1:] + shift[:1]])
        velocity = np.concatenate([velocity, velocity[:1]])
        chord = np.diff(line, axis=0)
        if (chord * _flow(velocity[:-1])).sum() < 0:
            line, velocity, chord = line[::-1], velocity[::-1], -chord[::-1]
        speed = np.linalg.norm(velocity, axis=-1)
        elapsed = np.linalg.norm(chord, axis=-1) * 2 / (speed[1:] + speed[:-1])
        slow = np.flatnonzero(elapsed > elapsed.sum() / 24)
        if not slow.size:
            break
        line = np.insert(line, slow + 1, line[slow] + chord[slow] / 2, axis=0)
    distinct = np.concatenate([[True], elapsed > 1e-9 * elapsed.sum()])
    clock = np.concatenate([[0.0], np.cumsum(elapsed)])[distinct]
    guide = CubicHermiteSpline(clock, line[distinct], _flow(velocity[distinct]))
    return guide, float(clock[-1]), np.round((line[-1] - line[0]) / _TURN) * _TURN


def _phase(count: int) -> Floats:
    return np.arange(count) / count


def _projected(
    block: Block, index: int, energy: float, guide: Floats, turns: Floats
) -> tuple[Contour, bool]:
    """As many points on the exact line as the guide has, and whether they resolve it."""
    count = len(guide)
    drift = _phase(count)[:, None] * turns
    spectrum = np.fft.fft(guide - drift, axis=0)
    harmonic = np.fft.fftfreq(count, 1 / count)[:, None]
    # A Gaussian makes the guide analytic where its pieces meet.
    spectrum *= np.exp(-0.5 * (16 * harmonic / count) ** 2)
    curve = np.fft.ifft(spectrum, axis=0).real + drift
    tangent = np.fft.ifft(_TURN * 1j * harmonic * spectrum, axis=0).real + turns
    normal = _flow(tangent) / np.linalg.norm(tangent, axis=-1, keepdims=True)
    points = curve
    for _ in range(8):
        value, velocity = block.band(points, index)
        step = (energy - value) / (velocity * normal).sum(axis=-1)
        if not np.abs(step).max() < _LARGEST_STEP:
            raise _UnresolvedError
        points = points + step[:, None] * normal
        if np.abs(step).max() < 1e-9:
            break
    velocity = block.band(points, index)[1]
    spectrum = np.fft.fft(points - drift, axis=0)
    tangent = np.fft.ifft(_TURN * 1j * harmonic * spectrum, axis=0).real + turns
    rate = _cross(velocity, tangent) / np.square(velocity).sum(axis=-1)
    tail = np.abs(np.fft.rfft(rate))[1:]
    # Rounding of the energy moves points of slow or small lines; no sampling gets below that.
    rounding = (
        count * 2e-15 / np.sqrt(np.square(velocity).sum(axis=-1).min() * points.var(axis=0).sum())
    )
    resolved = rate.min() > 0 and tail[-count // 16 :].max() < (TOLERANCE + rounding) * rate.sum()
    contour = _contour(points, velocity, rate / (count * _ZONE), tangent / count, turns)
    return contour, bool(resolved)


def _contour(
    points: Floats, velocity: Floats, weights: Floats, element: Floats, turns: Floats
) -> Contour:
    winding = (round(turns[0] / _TURN), round(turns[1] / _TURN))
    # In coordinates in which the line winds along the second direction only, x dy is periodic.
    p, q = (0, 1) if winding == (0, 0) else winding
    b, a = _bezout(q, p)
    across, along = q * points[:, 0] - p * points[:, 1], a * element[:, 0] + b * element[:, 1]
    return Contour(points, velocity, weights, winding, float((across * along).sum() / _ZONE))


def _bezout(q: int, p: int) -> tuple[int, int]:
    """Whole b, a with q b + p a = 1 for coprime q, p."""
    if q == 0:
        return 0, p
    for b in range(-abs(p) - 1, abs(p) + 2):
        if p == 0 and q * b == 1:
            return b, 0
        if p != 0 and (1 - q * b) % p == 0:
            return b, (1 - q * b) // p
    raise ValueError(f"a line cannot wind {q} and {p} times: the numbers share a factor")


def orbits(block: Block, index: int, energy: float, starts: Floats) -> list[Contour]:
    """Lines through given points by integrating the equation of motion dk/dt = z × v.

    Parameters
    ----------
    block : Block
        Mirror block of a model.
    index : int
        Band inside the block.
    energy : float
        Energy in eV.
    starts : ndarray, shape (n, 2)
        Momenta close to the lines; each line is followed once.

    Returns
    -------
    list of Contour
        One per line, with equal weights: the time a point stands for.

    Raises
    ------
    ValueError
        If the energy is within `SADDLE_DISTANCE` of a saddle.
    """
    for point, saddle, hessian in critical_points(block, index):
        if abs(saddle - energy) < SADDLE_DISTANCE and np.linalg.det(hessian) <= 0:
            raise ValueError(
                f"energy = {energy!r} eV lies on the van Hove saddle at k = "
                f"({point[0]:.6f}, {point[1]:.6f}), where lines of constant energy touch and the "
                f"density of states diverges; move it by more than {SADDLE_DISTANCE:g} eV"
            )
    settled = _settled(block, index, energy, starts)
    starts = settled[np.abs(settled - starts).max(axis=-1) < _TURN / MESH]
    # The fastest points are far from every saddle, where neighbouring lines come close.
    speed = np.linalg.norm(block.band(starts, index)[1], axis=-1)
    starts = starts[np.argsort(-speed, kind="stable")]
    found: list[Contour] = []
    while len(starts):
        found.append(_orbit(block, index, energy, starts[0]))
        distance = np.abs(_folded(starts[:, None] - found[-1].points)).max(axis=-1).min(axis=-1)
        spacing = np.linalg.norm(np.diff(found[-1].points, axis=0), axis=-1).max()
        starts = starts[distance > spacing]
    return found


def _orbit(block: Block, index: int, energy: float, start: Floats, count: int = 2048) -> Contour:
    def motion(_: float, k: Floats) -> Floats:
        return _flow(block.band(k, index)[1])

    leaving = motion(0.0, start)

    def passed(_: float, k: Floats) -> float:
        return float(_folded(k - start) @ leaving)

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
        back = np.abs(_folded(places - start)).max(axis=-1, initial=0.0) < 1e-4
        if (returns := times[back & (times > 1e-6)]).size:
            break
        horizon *= 2
        if horizon > 1e4:
            raise RuntimeError(f"no closed line of energy {energy!r} eV through k = {start} found")
    period = float(returns[0])
    path_at = cast("OdeSolution", path.sol)
    turns = np.round((path_at(period) - start) / _TURN) * _TURN
    guide = path_at(period * _phase(count)).T
    contour, converged = _projected(block, index, energy, guide, turns)
    if not converged:
        raise RuntimeError(f"the line of energy {energy!r} eV through k = {start} is not resolved")
    return contour


def _settled(block: Block, index: int, energy: float, k: Floats) -> Floats:
    for _ in range(4):
        value, velocity = block.band(k, index)
        k = k + velocity * ((energy - value) / np.square(velocity).sum(axis=-1))[:, None]
    return k


def _flow(velocity: Floats) -> Floats:
    """Direction of motion along the line: a quarter turn to the left of the velocity."""
    return np.stack([-velocity[..., 1], velocity[..., 0]], axis=-1)


def _cross(a: Floats, b: Floats) -> Floats:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
