"""Two band electrons and one dimer: the pairing interaction of LK Eqs. 11-13 by matrices.

Bands alpha and beta at momenta +k and -k with both spins (eight modes) couple to one dimer
through LK Eq. 11 with N = 1. The dimer starts as a singlet; the triplet costs J_c.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import product

import numpy as np
import scipy.sparse as sp

from nickbook.arrays import Complexes
from nickbook.checks import one_of, real
from nickbook.dimers.fock import (
    annihilators,
    effective_hamiltonian,
    restrict,
    second_order,
    sector,
    spin_density,
    total,
)
from nickbook.dimers.spins import SINGLET, triplon_creators

Vertex = Callable[[int, int], float]
BANDS = ("alpha", "beta")
MOMENTA = (1, -1)
MODES = 8


def _local(_final: int, _initial: int) -> float:
    """Vertex of the Hund coupling alone."""
    return 1.0


@lru_cache(maxsize=1)
def _modes() -> dict[tuple[str, int, int], sp.csr_array]:
    labels = [(band, k, spin) for band in BANDS for k in MOMENTA for spin in (0, 1)]
    return dict(zip(labels, annihilators(MODES), strict=True))


def interaction_hamiltonian(J_H: float, f_a: Vertex, f_b: Vertex) -> Complexes:
    """LK Eq. 11 on (dimer) x (two-electron states).

    Parameters
    ----------
    J_H : float
        Hund coupling (eV).
    f_a, f_b : callable
        f(k', k) for k', k in (+1, -1): vertices that go with T and with T+ in front of
        s_alphabeta with momentum k' for alpha and k for beta.

    Returns
    -------
    ndarray, shape (112, 112)
        Hermitian matrix; the dimer's index is the slow one.

    Raises
    ------
    ValueError
        If `J_H` is not finite.

    Examples
    --------
    >>> from nickbook.dimers import interaction_hamiltonian
    >>> h = interaction_hamiltonian(0.4, lambda to, start: 1.0, lambda to, start: 1.0)
    >>> h.shape, round(float(abs(h - h.conj().T).max()), 9)
    ((112, 112), 0.0)
    """
    J_H = real("J_H", J_H, unit="eV")
    states, modes = sector(MODES, 2), _modes()
    half = np.zeros((4 * len(states),) * 2, dtype=complex)
    for kp, k in product(MOMENTA, repeat=2):
        alpha, beta = (
            [modes[band, q, s] for s in (0, 1)] for band, q in zip(BANDS, (kp, k), strict=True)
        )
        for up, spin in zip(triplon_creators(), spin_density(alpha, beta), strict=True):
            triplon = f_a(kp, k) * up.conj().T + f_b(kp, k) * up
            half -= J_H * np.kron(triplon, restrict(spin, states))
    return half + half.conj().T


def pair_states(band: str, *, spin: str = "singlet") -> Complexes:
    """Zero-momentum pair (k up, -k down) -/+ (k down, -k up) of one band, on the dimer singlet.

    Parameters
    ----------
    band : {"alpha", "beta"}
        Band of both electrons.
    spin : {"singlet", "triplet"}
        Spin state of the pair.

    Returns
    -------
    ndarray, shape (112,)
        Normalized state, in the basis of `interaction_hamiltonian`.

    Raises
    ------
    ValueError
        If `band` or `spin` is not one of these.

    Examples
    --------
    >>> from nickbook.dimers import pair_states
    >>> states = [pair_states("alpha", spin=spin) for spin in ("singlet", "triplet")]
    >>> [[round(float(abs(a.conj() @ b)), 9) for a in states] for b in states]
    [[1.0, 0.0], [0.0, 1.0]]
    """
    one_of("band", band, BANDS)
    one_of("spin", spin, ("singlet", "triplet"))
    c = _modes()
    vacuum = np.eye(1, 2**MODES)[0]
    first, second = (c[(band, 1, s)].T @ (c[(band, -1, 1 - s)].T @ vacuum) for s in (0, 1))
    pair = (first - second if spin == "singlet" else first + second) / np.sqrt(2)
    return np.asarray(np.kron(SINGLET, pair[sector(MODES, 2)]), dtype=complex)


def pairing_matrix(
    J_H: float,
    *,
    J_c: float = 0.3,
    f_a: Vertex = _local,
    f_b: Vertex = _local,
    spin: str = "singlet",
    offset: float = 0.0,
    method: str = "second order",
) -> complex:
    """Amplitude <alpha pair| H_eff |beta pair>, both pairs normalized.

    For vertices even in k it equals V_kk' + V_k,-k' = 2 V f^a f^b in the singlet channel: the
    normalized pair sums the terms +k' and -k' of LK Eq. 12.

    Parameters
    ----------
    J_H, J_c : float
        Hund coupling and triplon energy (eV).
    f_a, f_b : callable
        Vertices, see `interaction_hamiltonian`.
    spin : {"singlet", "triplet"}
        Spin state of the pairs.
    offset : float
        Energy of the alpha level above the beta level (eV), split evenly about zero.
    method : {"second order", "exact"}
        Symmetric second-order perturbation theory or exact diagonalization.

    Returns
    -------
    complex
        The amplitude in eV; positive repels.

    Raises
    ------
    ValueError
        If `J_c` is not positive, an argument is not one of its choices, or the coupling is too
        large for the exact effective Hamiltonian.

    Examples
    --------
    Twice the pairing constant, for both signs of the momentum:

    >>> from nickbook.dimers import pairing_constant, pairing_matrix
    >>> amplitude = pairing_matrix(0.4, J_c=0.3)
    >>> round(amplitude.real, 9), round(2 * pairing_constant(0.4, J_c=0.3), 9)
    (1.6, 1.6)
    """
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    one_of("method", method, ("second order", "exact"))
    states = sector(MODES, 2)
    levels = total(
        (offset / 2 if label[0] == "alpha" else -offset / 2) * (c.T @ c)
        for label, c in _modes().items()
    )
    triplets = np.eye(4) - np.outer(SINGLET, SINGLET)
    free = np.kron(J_c * triplets, np.eye(len(states))) + np.kron(
        np.eye(4), restrict(levels, states)
    )
    coupling = interaction_hamiltonian(J_H, f_a, f_b)
    if method == "second order":
        model = np.array([pair_states(band, spin=spin) for band in BANDS]).T
        return complex(second_order(free, coupling, model)[0, 1])
    # All two-electron states on the dimer singlet: alpha-beta pairs lie as low as the others.
    space = np.kron(SINGLET[:, None], np.eye(len(states)))
    block = effective_hamiltonian(free + coupling, space)
    left, right = (space.conj().T @ pair_states(band, spin=spin) for band in BANDS)
    return complex(left.conj() @ block @ right)
