"""Eight dimers solved exactly: triplons from spins alone, without bond operators.

The dimers form the square lattice modulo (2, 2) and (2, -2), the smallest torus on which the two
sublattices of the antiferromagnet and all bonds fit.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from nickbook.arrays import Complexes, Floats, Integers
from nickbook.checks import real
from nickbook.dimers.fock import total
from nickbook.papers import LK
from nickbook.progress import track
from nickbook.results import Result, span

SITES = tuple((x, y) for x in range(4) for y in range(2))
MOMENTA = np.pi * np.array(
    [(0, 0), (1, 1), (1, 0), (0, 1), (0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5)]
)
SPINS = 2 * len(SITES)


@dataclass(frozen=True, eq=False)
class ExactTriplons(Result):
    """Triplons of eight dimers.

    Parameters
    ----------
    momenta : ndarray, shape (8, 2)
        The momenta of the torus, the zone's corner (pi, pi) second.
    energies : ndarray, shape (8,)
        Energy above the ground state (eV).
    intensities : ndarray, shape (8,)
        Structure factor of one spin component per dimer, the layers in antiphase.
    density : float
        Triplets per dimer in the ground state.

    Examples
    --------
    >>> from nickbook.dimers import exact_triplons
    >>> triplons = exact_triplons(J_c=1.0, J_ab=0.0)  # dimers apart
    >>> triplons.energies[:2].round(9).tolist(), triplons.intensities[:2].round(9).tolist()
    ([1.0, 1.0], [1.0, 1.0])
    """

    momenta: Annotated[Floats, "1/a", "momentum", "direction"]
    energies: Annotated[Floats, "eV", "momentum"]
    intensities: Annotated[Floats, "", "momentum"]
    density: float

    def _words(self) -> str:
        energies = f"{len(self.energies)} momenta, energies {span(self.energies, 'eV')}"
        return f"{energies}, {self.density:.4g} triplets per dimer"


@lru_cache(maxsize=32)
def exact_triplons(J_c: float = LK.J_c, J_ab: float = LK.J_ab) -> ExactTriplons:
    """Triplon energies and intensities of eight dimers by Lanczos iteration.

    The iteration starts from sum_i exp(i q r_i) (S+_1i - S+_2i)|0>; the level that carries most
    of this state is the triplon of momentum q.

    Parameters
    ----------
    J_c, J_ab : float
        Interlayer and in-plane exchange (eV).

    Returns
    -------
    ExactTriplons
        One entry for each momentum of the torus.

    Raises
    ------
    ValueError
        If `J_c` is not positive or `J_ab` not finite.

    Examples
    --------
    Dimers apart, where every triplon costs the exchange of its own:

    >>> from nickbook.dimers import exact_triplons
    >>> triplons = exact_triplons(J_c=1.0, J_ab=0.0)
    >>> round(float(abs(triplons.energies - 1.0).max()), 9)
    0.0
    """
    J_c, J_ab = real("J_c", J_c, above=0.0, unit="eV"), real("J_ab", J_ab, unit="eV")
    low, rungs, planes = _sector(SPINS // 2)
    start = np.random.default_rng(0).normal(size=len(low))
    hamiltonian = sp.csr_array(J_c * rungs + J_ab * planes)
    levels, vectors = eigsh(hamiltonian, k=1, which="SA", v0=start, tol=1e-13)
    ground = vectors[:, 0]
    density = 0.75 + ground @ (rungs @ ground) / len(SITES)  # 3/4 + <S_1 . S_2>
    high, rungs, planes = _sector(SPINS // 2 + 1)
    hamiltonian = sp.csr_array(J_c * rungs + J_ab * planes)
    places = track(MOMENTA, "triplons")
    found = [_lanczos(hamiltonian, _excited(ground, q, low, high), steps=40) for q in places]
    energies, weights = np.array(found).T
    # S+ = S_x + i S_y carries twice the weight of S_x.
    return ExactTriplons(MOMENTA.copy(), energies - levels[0], weights / SPINS, float(density))


def plane_bonds() -> tuple[tuple[int, int], ...]:
    """Nearest neighbours in the plane: sixteen pairs of dimers, each once."""
    return tuple(
        (_wrap(x, y), _wrap(x + dx, y + dy)) for x, y in SITES for dx, dy in ((1, 0), (0, 1))
    )


def _wrap(x: int, y: int) -> int:
    shift = 2 * (y // 2)
    return SITES.index(((x - shift) % 4, y % 2))


@lru_cache(maxsize=2)
def _sector(up: int) -> tuple[Integers, sp.csr_array, sp.csr_array]:
    """States with `up` spins up, and the sums of S_p . S_q over the dimers and over the planes.

    A state is an integer in which bit 2 i + layer is set when that spin points up.
    """
    states = np.flatnonzero(np.bitwise_count(np.arange(2**SPINS)) == up)
    rungs = [(2 * i, 2 * i + 1) for i in range(len(SITES))]
    planes = [(2 * i + layer, 2 * j + layer) for i, j in plane_bonds() for layer in (0, 1)]
    dimers, layers = (
        total(_exchange(*bond, states) for bond in bonds) for bonds in (rungs, planes)
    )
    return states, dimers, layers


def _exchange(p: int, q: int, states: Integers) -> sp.csr_array:
    """S_p . S_q."""
    same = ((states >> p) & 1) == ((states >> q) & 1)
    flipped = np.searchsorted(states, states[~same] ^ (1 << p) ^ (1 << q))
    size = (len(states),) * 2
    pairs = (flipped, np.flatnonzero(~same))
    off = sp.csr_array((np.full(len(flipped), 0.5), pairs), shape=size)
    return sp.csr_array(sp.diags_array(np.where(same, 0.25, -0.25)) + off)


def _excited(ground: Floats, q: Floats, low: Integers, high: Integers) -> Complexes:
    image = np.zeros(len(high), dtype=complex)
    for i, r in enumerate(SITES):
        for layer, sign in ((0, 1), (1, -1)):
            bit = 2 * i + layer
            down = ((low >> bit) & 1) == 0
            target = np.searchsorted(high, low[down] | (1 << bit))
            image[target] += sign * np.exp(1j * np.dot(q, r)) * ground[down]
    return image


def _lanczos(matrix: sp.csr_array, start: Complexes, *, steps: int) -> tuple[float, float]:
    """Eigenvalue that carries most of `start`, and the weight of `start` on it."""
    norm = float(np.linalg.norm(start))
    span = np.array([start / norm])
    for _ in range(steps):
        new = matrix @ span[-1]
        for _twice in range(2):
            new = new - span.T @ (span.conj() @ new)
        length = np.linalg.norm(new)
        if length < 1e-10 * norm:
            break
        span = np.vstack([span, new / length])
    levels, states = np.linalg.eigh(span.conj() @ (matrix @ span.T))
    shares = np.abs(states[0]) ** 2
    best = int(np.argmax(shares))
    return float(levels[best]), float(shares[best] * norm**2)
