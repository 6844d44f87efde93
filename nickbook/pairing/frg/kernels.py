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
def external_rate(
    vertices: tuple[Numbers, ...],
    weighted: tuple[Numbers, ...],
    where: tuple[Integers, ...],
    keep: tuple[bool, ...],
) -> Numbers:
    """Right-hand side with the fourth leg moved to its patch, shape (R, P, P, B).

    vertices: Γ, X and C, each as (P, P, P·B).  weighted: rows times loops of the pair terms (1, 2)
    and (2, 1), of C for (1, 3) and (3, 1), and of X for all pairs.  where: representative patches
    and the patch of the fourth leg.  keep: particle-particle, charge, spin in the direct
    particle-hole diagram, crossed diagram.
    """
    first, fourth = where
    vertex, x, c = vertices
    pair, pair_back, c13, c31, xl = weighted
    count, bands = fourth.shape[1], fourth.shape[3]
    rate = np.zeros(fourth.shape, vertex.dtype)
    for task in prange(len(first) * count):
        r, k2 = task // count, task % count
        k1 = first[r]
        for k3 in range(count):
            for s in range(bands):
                k4 = fourth[r, k2, k3, s]
                total = 0 * vertex[0, 0, 0]
                if keep[0]:
                    total -= _overlap(pair[r, k2], vertex[k3, k4])
                    total -= _overlap(pair_back[r, k2], vertex[k4, k3])
                if keep[1]:
                    total -= 0.5 * _overlap(c13[r, k3], c[k4, k2])
                    total -= 0.5 * _overlap(c[k2, k4], c31[r, k3])
                if keep[2]:
                    total += 0.5 * _overlap(xl[k1, k3], x[k4, k2])
                    total += 0.5 * _overlap(x[k2, k4], xl[k3, k1])
                if keep[3]:
                    total += _overlap(x[k1, k4], xl[k3, k2])
                    total += _overlap(xl[k2, k3], x[k4, k1])
                rate[r, k2, k3, s] = total
    return rate


@compiled(fastmath=True)
def _owner(
    owners: Integers, band_of: Integers, points: Floats, band: int, x: float, y: float
) -> int:
    """Nearest patch of a band, from a mesh of the zone, or by search where that says −1."""
    cells = owners.shape[1]
    u, v = x / (2 * np.pi), y / (2 * np.pi)
    i, j = int((u - np.floor(u)) * cells), int((v - np.floor(v)) * cells)
    found = owners[band, min(i, cells - 1), min(j, cells - 1)]
    nearest = 1e9
    if found < 0:
        for p in range(len(band_of)):
            if band_of[p] == band:
                a, b = u - points[p, 0] / (2 * np.pi), v - points[p, 1] / (2 * np.pi)
                a, b = a - np.rint(a), b - np.rint(b)
                if a * a + b * b < nearest:
                    nearest, found = a * a + b * b, p
    return found  # type: ignore[no-any-return]


@compiled(parallel=True, fastmath=True)
def pair_loop_rates(
    tables: Floats,
    owners: tuple[Integers, Integers],
    points: Floats,
    transfers: Floats,
    shell: Floats,
    labels: Integers,
    energies: Floats,
    scale: float,
    regulator: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Loops like those of `loop_rates`, by the patches of both legs: shape (len(q), P, P).

    owners: nearest patch of the other leg by band and cell of a mesh of the zone, −1 where a cell
    has several, and the place of the band of each patch.  points: momenta of the patches.
    """
    pp = np.zeros((len(transfers), len(points), len(points)), np.float32)
    ph = np.zeros((len(transfers), len(points), len(points)), np.float32)
    for pair in prange(len(transfers)):
        for i in range(len(shell)):
            x, y = shell[i, 0] + transfers[pair, 0], shell[i, 1] + transfers[pair, 1]
            for band in range(len(tables)):
                other = band_energy(tables[band], x, y)
                pairs, holes = loop_rate(energies[i], other, scale, regulator)
                if pairs != 0 or holes != 0:
                    there = _owner(owners[0], owners[1], points, band, x, y)
                    pp[pair, labels[i], there] += shell[i, 2] * pairs
                    ph[pair, labels[i], there] += shell[i, 2] * holes
    return pp, ph


@compiled(fastmath=True)
def _add(total: Numbers, factor: complex, row: Numbers) -> None:
    for i in range(len(total)):
        total[i] += factor * row[i]


@compiled(parallel=True, fastmath=True)
def internal_pairs(
    vertex: Numbers, loops: NDArray[np.float32], where: tuple[Integers, ...]
) -> Numbers:
    """Γ L Γ with the inner legs moved to their patches, for legs (1, 2, 3), shape (R, P, P·B).

    vertex: Γ as (P, P, P·B).  loops: pairs by transfer and the patches of both legs.  where:
    representative patches, place of the band of each patch, opposite patches, and for each two
    patches their transfer and the patches that those of its loop stand for.
    """
    first, band_of, minus, transfer, meaning = where
    count = len(band_of)
    bands = vertex.shape[2] // count
    rate = np.zeros((len(first), count, count * bands), vertex.dtype)
    for task in prange(len(first) * count):
        r, b = task // count, task % count
        a = first[r]
        # Pairs of total momentum a + b have the transfer from −b to a and their moving leg at −k.
        loop, names = loops[transfer[a, minus[b]]], meaning[a, minus[b]]
        for m in range(count):
            for n in range(count):
                if loop[m, n] != 0:
                    p, other = minus[names[m]], names[n]
                    leg = p * bands + band_of[other]
                    _add(rate[r, b], loop[m, n] * vertex[a, b, leg], vertex[p, other])
                    _add(rate[r, b], loop[m, n] * vertex[b, a, leg], vertex[other, p])
    return rate


@compiled(parallel=True, fastmath=True)
def internal_holes(
    vertex: Numbers, loops: NDArray[np.float32], where: tuple[Integers, ...]
) -> Numbers:
    """Sum Y L Y like that of `internal_pairs` for legs (1, 3, 2); Y is C or X."""
    first, band_of, _, transfer, meaning = where
    count = len(band_of)
    bands = vertex.shape[2] // count
    rate = np.zeros((len(first), count, count * bands), vertex.dtype)
    for task in prange(len(first) * count):
        r, b = task // count, task % count
        a = first[r]
        # Either leg of a particle and a hole moves, with transfers of opposite sign.
        loop, names = loops[transfer[a, b]], meaning[a, b]
        back, renamed = loops[transfer[b, a]], meaning[b, a]
        for m in range(count):
            for n in range(count):
                if loop[m, n] != 0:
                    p, other = names[m], names[n]
                    leg = p * bands + band_of[other]
                    _add(rate[r, b], loop[m, n] * vertex[a, b, leg], vertex[other, p])
                if back[m, n] != 0:
                    p, other = renamed[m], renamed[n]
                    leg = p * bands + band_of[other]
                    _add(rate[r, b], back[m, n] * np.conj(vertex[b, a, leg]), vertex[p, other])
    return rate
