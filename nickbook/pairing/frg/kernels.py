"""Inner loops of the functional renormalization group, compiled.

Only functions that run a flow import this module: numba is slow to load, and most theories of the
package do without it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Floats, Integers
from nickbook.checks import extra
from nickbook.pairing.frg.regulator import REGULATORS, SMOOTH_STEP, STEP

with extra("frg", "A functional renormalization group flow"):
    from numba import njit, prange

Numbers = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

_SHARP, _SMOOTH, _ = range(len(REGULATORS))


def compiled(**options: Any) -> Callable[[Function], Function]:
    """Compile a function, and keep the result on disk where there is a place for it."""

    def decorate(function: Function) -> Function:
        try:
            found: Function = njit(cache=True, **options)(function)
        except RuntimeError:
            # Neither the package's folder nor the user's home can be written.
            found = njit(**options)(function)
        return found

    return decorate


@compiled(fastmath=True, inline="always")
def _spline_weights(s: float) -> tuple[float, float, float, float]:
    r = 1.0 - s
    w0, w3 = r * r * r / 6, s * s * s / 6
    w1 = 2.0 / 3 - s * s * (2 - s) / 2
    return w0, w1, 1.0 - w0 - w1 - w3, w3


@compiled(fastmath=True, inline="always")
def band_energy(table: Floats, x: float, y: float) -> float:
    """Energy of one band from its periodic cubic B-spline, table padded to (M + 3, M + 3)."""
    m = table.shape[0] - 3
    u, v = x / (2 * np.pi), y / (2 * np.pi)
    u, v = (u - np.floor(u)) * m, (v - np.floor(v)) * m
    i, j = min(int(u), m - 1), min(int(v), m - 1)
    b = _spline_weights(v - j)
    total = 0.0
    for row, a in enumerate(_spline_weights(u - i)):
        near = table[i + row]
        total += a * (near[j] * b[0] + near[j + 1] * b[1] + near[j + 2] * b[2] + near[j + 3] * b[3])
    return total


@compiled()
def contour_points(corners: Floats, middles: Floats, level: float) -> Floats:
    """Middle and weight of each piece of a contour line in the triangles of a mesh.

    corners (n, n) and middles (n, n) are energies at the corners and centres of the cells of a
    zone [0, 2π)²; the weight of a piece is its length over gradient and 4π².  Shape (pieces, 3).
    """
    n = corners.shape[0]
    h = 2 * np.pi / n
    found = np.empty((8 * n * n, 3))
    count = 0
    x, y, e = np.empty(3), np.empty(3), np.empty(3)
    for i in range(n):
        for j in range(n):
            for side in range(4):
                # Triangles of the centre and two neighbouring corners.
                first, second = side, (side + 1) % 4
                x[0], y[0], e[0] = i + 0.5, j + 0.5, middles[i, j] - level
                for slot, corner in ((1, first), (2, second)):
                    di = 1 if corner in (1, 2) else 0
                    dj = 1 if corner >= 2 else 0
                    x[slot], y[slot] = i + di, j + dj
                    e[slot] = corners[(i + di) % n, (j + dj) % n] - level
                below = (e[0] < 0) * 1 + (e[1] < 0) * 1 + (e[2] < 0) * 1
                if below in (0, 3):
                    continue
                odd = 0
                for slot in range(3):
                    if ((e[slot] < 0) and below == 1) or ((e[slot] >= 0) and below == 2):
                        odd = slot
                p, q = (odd + 1) % 3, (odd + 2) % 3
                s, t = e[odd] / (e[odd] - e[p]), e[odd] / (e[odd] - e[q])
                x0, y0 = x[odd] + s * (x[p] - x[odd]), y[odd] + s * (y[p] - y[odd])
                x1, y1 = x[odd] + t * (x[q] - x[odd]), y[odd] + t * (y[q] - y[odd])
                length = np.hypot(x1 - x0, y1 - y0)
                ax, ay = x[p] - x[odd], y[p] - y[odd]
                bx, by = x[q] - x[odd], y[q] - y[odd]
                area = ax * by - ay * bx
                gx = ((e[p] - e[odd]) * by - (e[q] - e[odd]) * ay) / area
                gy = ((e[q] - e[odd]) * ax - (e[p] - e[odd]) * bx) / area
                found[count, 0], found[count, 1] = (x0 + x1) / 2 * h, (y0 + y1) / 2 * h
                found[count, 2] = length / np.hypot(gx, gy) * h * h / (4 * np.pi**2)
                count += 1
    return found[:count].copy()


@compiled(fastmath=True)
def step(ratio: float, regulator: int) -> float:
    """Share of a mode that the regulator leaves in, at |energy|/scale."""
    width = STEP if regulator == _SHARP else SMOOTH_STEP
    t = min(max((ratio - 1 + width) / (2 * width), 0.0), 1.0)
    return t * t * (3 - 2 * t)


@compiled(fastmath=True)
def frequency_loop(a: float, b: float, sign: float) -> float:
    """∫dx/2π 2x⁴(x² + s ab)/((x² + 1)³(x² + a²)(x² + b²)) for a, b >= 0."""
    total = max(a + b, 1e-12)
    even = 8 * a * a * b * b + 9 * a * b * (a + b) + 3 * (a + b) ** 2 + total
    odd = a * b * (3 * a * b * (a + b) + a * a + b * b + 10 * a * b + 3 * (a + b))
    return (even + sign * odd) / (8 * ((1 + a) * (1 + b)) ** 3 * total)


@compiled(fastmath=True)
def loop_rate(energy: float, other: float, scale: float, regulator: int) -> tuple[float, float]:
    """Return the growth of a particle-particle and of a particle-hole pair as the scale falls.

    The first leg, at `energy`, is the one that the regulator moves.
    """
    same = energy * other > 0
    if regulator <= _SMOOTH:
        size = abs(other)
        value = step(size / scale, regulator) / (abs(energy) + size)
        return (value, 0.0) if same else (0.0, value)
    sign = 1.0 if same else -1.0
    a, b = abs(energy) / scale, abs(other) / scale
    norm = 1 / (scale * scale)
    return norm * frequency_loop(a, b, sign), norm * frequency_loop(a, b, -sign)


@compiled(parallel=True, fastmath=True)
def loop_rates(
    tables: Floats,
    transfers: Floats,
    size: int,
    shell: Floats,
    labels: Integers,
    energies: Floats,
    scale: float,
    regulator: int,
) -> tuple[Floats, Floats]:
    """Loops for each transfer q, both of shape (len(q), size, B).

    shell holds (kx, ky, weight) of the points of the moving leg, labels their patches, energies
    their energies.  Second axis of the results: patch of the moving leg; last: band of the other
    leg, at the energy of k + q.  The first result is for particle-particle pairs, the second for
    particles and holes.
    """
    bands = len(tables)
    pp = np.zeros((len(transfers), size, bands))
    ph = np.zeros((len(transfers), size, bands))
    for pair in prange(len(transfers)):
        for i in range(len(shell)):
            x, y = shell[i, 0] + transfers[pair, 0], shell[i, 1] + transfers[pair, 1]
            weight, p = shell[i, 2], labels[i]
            for band in range(bands):
                other = band_energy(tables[band], x, y)
                pairs, holes = loop_rate(energies[i], other, scale, regulator)
                pp[pair, p, band] += weight * pairs
                ph[pair, p, band] += weight * holes
    return pp, ph


@compiled(fastmath=True)
def _overlap(a: Numbers, b: Numbers) -> complex:
    total = a[0] * np.conj(b[0])
    for i in range(1, len(a)):
        total += a[i] * np.conj(b[i])
    return total  # type: ignore[no-any-return]


@compiled(parallel=True, fastmath=True)
def vertex_rate(
    vertices: tuple[Numbers, ...],
    weighted: tuple[Numbers, ...],
    where: tuple[Integers, ...],
    own: NDArray[np.bool_],
    keep: tuple[bool, ...],
) -> Numbers:
    """Right-hand side of the flow for the entries marked in `own`, shape (R, P, P, B).

    vertices: Γ, X and C, each as (P, P, P·B).  weighted: rows times loops of the pair terms (1, 2)
    and (2, 1), of C for (1, 3) and (3, 1), and of X for all pairs.  where: representative patches
    and the patch of the fourth leg.
    """
    first, fourth = where
    vertex, x, c = vertices
    pair, pair_back, c13, c31, xl = weighted
    count, bands = own.shape[1], own.shape[3]
    rate = np.zeros(own.shape, vertex.dtype)
    for task in prange(own.shape[0] * count):
        r, k2 = task // count, task % count
        k1 = first[r]
        for k3 in range(count):
            for s in range(bands):
                if not own[r, k2, k3, s]:
                    continue
                k4 = fourth[r, k2, k3, s]
                total = 0 * vertex[0, 0, 0]
                if keep[0]:
                    total -= _overlap(pair[r, k2], vertex[k3, k4])
                    total -= _overlap(pair_back[r, k2], vertex[k4, k3])
                if keep[1]:
                    total += 0.5 * _overlap(xl[k1, k3], x[k4, k2])
                    total += 0.5 * _overlap(x[k2, k4], xl[k3, k1])
                    total -= 0.5 * _overlap(c13[r, k3], c[k4, k2])
                    total -= 0.5 * _overlap(c[k2, k4], c31[r, k3])
                if keep[2]:
                    total += _overlap(x[k1, k4], xl[k3, k2])
                    total += _overlap(xl[k2, k3], x[k4, k1])
                rate[r, k2, k3, s] = total
    return rate
