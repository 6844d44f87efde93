"""Kondo exchange path by path: which virtual states lead from where to where, LK Fig. 1(d)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from nickbook.checks import one_of, real
from nickbook.dimers.fock import annihilators, total

Vector = npt.NDArray[np.float64]
ORBITALS = ("b", "a", "beta", "alpha")
DIMER_STATES = ("s", "t+", "t0", "t-")
ELECTRONS = ("beta up", "beta down", "alpha up", "alpha down")
#: Electrons in b and in a after the first hop.
HELD = {(1, 0): "b", (0, 1): "a", (2, 1): "bba", (1, 2): "baa"}

__all__ = ["virtual_paths"]


def virtual_paths(
    initial: tuple[str, str], final: tuple[str, str], *, bonding_occupation: float = 0.5
) -> dict[str, float]:
    """Amplitude of each second-order path between two states of a dimer and a band electron.

    The effective Hamiltonian has the element v**2 sum_m amplitude_m / E_m, with v = 2 t_xz eta
    and E_m the energy of virtual state m; the minus sign of second order is in the amplitudes.

    Parameters
    ----------
    initial, final : (str, str)
        Dimer state "s", "t+", "t0" or "t-", and electron "beta up", "beta down", "alpha up" or
        "alpha down". The triplets are (T+_x +- i T+_y)|s>/sqrt(2) and T+_z|s>.
    bonding_occupation : float
        Electrons per spin in b of the singlet.

    Returns
    -------
    dict
        {virtual state: amplitude}; paths of zero amplitude are left out.

    Raises
    ------
    ValueError
        If a state is unknown or the occupation lies outside [0, 1].

    Examples
    --------
    The process of LK Fig. 1(d):

    >>> virtual_paths(("s", "beta up"), ("t+", "alpha down"))
    {'a': 0.707107, 'baa': 0.707107}
    """
    n = real("bonding_occupation", bonding_occupation, at_least=0, at_most=1)
    hop = _hybridization()
    start, end = (hop @ _state(*words, n) for words in (initial, final))
    b, a = (_count(orbital) for orbital in ("b", "a"))
    paths = {}
    for held, name in HELD.items():
        reached = (b == held[0]) & (a == held[1])
        amplitude = round(float(-np.sum(end[reached] * start[reached])), 6)
        if amplitude != 0:
            paths[name] = amplitude
    return dict(sorted(paths.items(), key=lambda item: (len(item[0]), item[0])))


@lru_cache(maxsize=1)
def _modes() -> dict[str, tuple[sp.csr_array, sp.csr_array]]:
    c = annihilators(8)
    return {name: (c[2 * i], c[2 * i + 1]) for i, name in enumerate(ORBITALS)}


@lru_cache(maxsize=1)
def _hybridization() -> sp.csr_array:
    c = _modes()
    half = total(
        x.T @ z
        for band, orbital in (("beta", "b"), ("alpha", "a"))
        for x, z in zip(c[band], c[orbital], strict=True)
    )
    return total((half, sp.csr_array(half.T)))


def _count(orbital: str) -> Vector:
    return np.asarray(total(c.T @ c for c in _modes()[orbital]).diagonal().real, dtype=float)


def _state(dimer: str, electron: str, n: float) -> Vector:
    one_of("dimer state", dimer, DIMER_STATES)
    band, spin = one_of("electron", electron, ELECTRONS).split()
    c = _modes()
    vacuum = np.eye(256)[0]
    filled = c[band][("up", "down").index(spin)].T @ vacuum
    bb, aa = (c[m][0].T @ (c[m][1].T @ filled) for m in ("b", "a"))
    if dimer == "s":
        return np.asarray(np.sqrt(n) * bb - np.sqrt(1 - n) * aa)
    # S_1 - S_2 = sum (b+ sigma a + a+ sigma b)/2 makes the triplets of LK Eq. 7.
    (b_up, b_down), (a_up, a_down) = c["b"], c["a"]
    covalent = (bb - aa) / np.sqrt(2)
    if dimer == "t0":
        up, down = b_up.T @ a_up + a_up.T @ b_up, b_down.T @ a_down + a_down.T @ b_down
        return np.asarray((up - down) @ covalent / 2)
    raised = b_up.T @ a_down + a_up.T @ b_down
    flip = raised if dimer == "t+" else b_down.T @ a_up + a_down.T @ b_up
    return np.asarray(flip @ covalent / np.sqrt(2))
