"""A bilayer of eight dimers, solved exactly: an oracle that knows nothing of bond operators."""

from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

SITES = [(x, y) for x in range(4) for y in range(2)]


def wrap(x: int, y: int) -> int:
    """Square lattice modulo (2, 2) and (2, -2)."""
    shift = 2 * (y // 2)
    return SITES.index(((x - shift) % 4, y % 2))


BONDS = [(wrap(x, y), wrap(x + dx, y + dy)) for x, y in SITES for dx, dy in ((1, 0), (0, 1))]
MOMENTA = [(0, 0), (np.pi, np.pi), (np.pi, 0), (0, np.pi)] + [
    (s * np.pi / 2, t * np.pi / 2) for s in (1, -1) for t in (1, -1)
]


def basis(up: int) -> np.ndarray:
    states = np.arange(2**16)
    return states[np.bitwise_count(states) == up]


def hamiltonian(J_c: float, J_ab: float, up: int) -> sp.csr_array:
    """Spin up = bit set; site i of layer l is bit 2 i + l."""
    states = basis(up)
    pairs = [(2 * i, 2 * i + 1, J_c) for i in range(8)]
    pairs += [(2 * i + layer, 2 * j + layer, J_ab) for i, j in BONDS for layer in (0, 1)]
    diagonal = np.zeros(len(states))
    rows, columns, values = [], [], []
    for p, q, strength in pairs:
        same = ((states >> p) & 1) == ((states >> q) & 1)
        diagonal += strength * np.where(same, 0.25, -0.25)
        flipped = np.searchsorted(states, states[~same] ^ (1 << p) ^ (1 << q))
        rows.append(flipped)
        columns.append(np.flatnonzero(~same))
        values.append(np.full(len(flipped), strength / 2))
    off = sp.coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))))
    return sp.csr_array(sp.diags_array(diagonal) + off)


@lru_cache(maxsize=4)
def one_triplon(J_c: float, J_ab: float) -> tuple[np.ndarray, np.ndarray]:
    """Energy and intensity of the triplon at each of the eight momenta.

    Lanczos from sum_i exp(i q r_i) (S+_1i - S+_2i)|0>; the level that carries most of it is
    the triplon of that momentum. The intensity is the structure factor of one spin component
    per dimer at exp(i q_z d) = -1; S+ = S_x + i S_y carries twice that of S_x.
    """
    start = np.random.default_rng(0).normal(size=len(basis(8)))
    energy, ground = eigsh(hamiltonian(J_c, J_ab, 8), k=1, which="SA", v0=start, tol=1e-13)
    low, high = basis(8), basis(9)
    block = hamiltonian(J_c, J_ab, 9)
    levels, weights = [], []
    for q in MOMENTA:
        image = np.zeros(len(high), dtype=complex)
        for i, r in enumerate(SITES):
            for layer, sign in ((0, 1), (1, -1)):
                down = ((low >> (2 * i + layer)) & 1) == 0
                target = np.searchsorted(high, low[down] | (1 << (2 * i + layer)))
                image[target] += sign * np.exp(1j * np.dot(q, r)) * ground[down, 0]
        level, overlap = lanczos(block, image, steps=40)
        levels.append(level - energy[0])
        weights.append(overlap / (2 * len(SITES)))
    return np.array(levels), np.array(weights)


def lanczos(matrix: sp.csr_array, start: np.ndarray, *, steps: int) -> tuple[float, float]:
    """Eigenvalue that carries most of `start`, and the weight of `start` on it."""
    norm = np.linalg.norm(start)
    vectors = [start / norm]
    for _ in range(steps):
        new = matrix @ vectors[-1]
        for _twice in range(2):
            new = new - np.array(vectors).T @ (np.array(vectors).conj() @ new)
        length = np.linalg.norm(new)
        if length < 1e-10:
            break
        vectors.append(new / length)
    span = np.array(vectors)
    levels, states = np.linalg.eigh(span.conj() @ (matrix @ span.T))
    shares = np.abs(states[0]) ** 2
    best = int(np.argmax(shares))
    return float(levels[best]), float(shares[best] * norm**2)


@pytest.fixture(scope="session")
def bilayer() -> SimpleNamespace:
    """Eight dimers on a torus: sites, bonds, momenta, and one_triplon(J_c, J_ab)."""
    return SimpleNamespace(
        sites=SITES, bonds=BONDS, momenta=np.array(MOMENTA), one_triplon=one_triplon
    )
