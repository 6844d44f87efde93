"""One dimer hybridized with two band orbitals: LK Eqs. 3, 9, 10 derived by matrices.

The cluster holds the molecular orbitals b, a of the dimer and one even (beta) and one odd
(alpha) band orbital at the Fermi level, hybridized by v (beta+ b + alpha+ a + H.c.), which is
LK Eq. 2 at one momentum with v = 2 t_xz eta_k. Virtual hops leave the dimer in one of four
states, named after what it then holds: "b", "a", "bba", "baa".
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from nickbook.checks import one_of, real
from nickbook.dimers.fock import annihilators, effective_hamiltonian, restrict, sector, total
from nickbook.dimers.hubbard import HubbardDimer
from nickbook.dimers.spins import PAULI, triplon_creators

Matrix = npt.NDArray[np.complex128]
VIRTUAL_STATES = ("b", "a", "bba", "baa")
ORBITALS = ("b", "a", "beta", "alpha")
MODES = 8

__all__ = [
    "VIRTUAL_STATES",
    "ExactCouplings",
    "exact_couplings",
    "kondo_weights",
    "self_energy_weights",
    "virtual_energies",
]


class ExactCouplings(NamedTuple):
    """What exact diagonalization of the cluster gives: two level shifts, two couplings.

    Parameters
    ----------
    alpha, beta : float
        Shifts of the two band levels (eV).
    kondo_a, kondo_b : float
        Coefficients of T . s_alphabeta and T+ . s_alphabeta (eV).
    """

    alpha: float
    beta: float
    kondo_a: float
    kondo_b: float


@lru_cache(maxsize=1)
def _operators() -> dict[str, tuple[sp.csr_array, sp.csr_array]]:
    c = annihilators(MODES)
    return {name: (c[2 * i], c[2 * i + 1]) for i, name in enumerate(ORBITALS)}


@lru_cache(maxsize=4)
def _number(orbital: str) -> sp.csr_array:
    return total(c.T @ c for c in _operators()[orbital])


@lru_cache(maxsize=1)
def _hybridization() -> sp.csr_array:
    """LK Eq. 2 at one momentum, with unit strength."""
    pairs = (("beta", "b"), ("alpha", "a"))
    c = _operators()
    hop = total(x.T @ z for band, mol in pairs for x, z in zip(c[band], c[mol], strict=True))
    return total((hop, sp.csr_array(hop.T)))


def _dimer_hamiltonian(dimer: HubbardDimer) -> sp.csr_array:
    c = _operators()
    terms = [dimer.one_electron(m) * _number(m) for m in ("a", "b")]
    for sign in (1, -1):
        site = [(b + sign * a) / np.sqrt(2) for b, a in zip(c["b"], c["a"], strict=True)]
        up, down = (z.T @ z for z in site)
        terms.append(dimer.U * (up @ down))
    return total(terms)


def _dimer_states(bonding_occupation: float) -> tuple[Matrix, Matrix]:
    """Singlet and the three triplets, no band electron; triplets have the phase of LK Eq. 7."""
    c = _operators()
    vacuum = np.zeros(2**MODES)
    vacuum[0] = 1.0
    pairs = [c[m][0].T @ (c[m][1].T @ vacuum) for m in ("b", "a")]
    singlet = np.sqrt(bonding_occupation) * pairs[0] - np.sqrt(1 - bonding_occupation) * pairs[1]
    covalent = (pairs[0] - pairs[1]) / np.sqrt(2)
    # S_1 - S_2 = sum over spins of (b+ sigma a + a+ sigma b)/2
    spins = [_spin(s, "b", "a") + _spin(s, "a", "b") for s in range(3)]
    return singlet.astype(complex), np.array([s @ covalent for s in spins])


@lru_cache(maxsize=6)
def _spin(component: int, left: str, right: str) -> sp.csr_array:
    c = _operators()
    return total(
        PAULI[component, i, j] / 2 * (c[left][i].T @ c[right][j])
        for i in range(2)
        for j in range(2)
    )


def _model_space(bonding_occupation: float) -> Matrix:
    """Columns |s, t_x, t_y, t_z> x |beta up, beta down, alpha up, alpha down>."""
    singlet, triplets = _dimer_states(bonding_occupation)
    band = [x for name in ("beta", "alpha") for x in _operators()[name]]
    return np.array([x.T @ d for d in (singlet, *triplets) for x in band]).T


@lru_cache(maxsize=4)
def _reached(state: str) -> npt.NDArray[np.bool_]:
    """Basis states with the dimer left with one electron in an orbital, or a hole in it."""
    held = {"b": (1, 0), "a": (0, 1), "bba": (2, 1), "baa": (1, 2)}[state]
    in_b, in_a = (_number(m).diagonal() for m in ("b", "a"))
    return np.asarray((in_b == held[0]) & (in_a == held[1]))


def self_energy_weights(bonding_occupation: float = 0.5) -> dict[str, dict[str, float]]:
    """Which virtual states shift which band, with what weight: LK Eq. 3 derived.

    The shift of a band level at the Fermi energy is v**2 sum_m weight_m / E_m, with E_m the
    energy of virtual state m above the singlet. The energy of the dimer beside an empty
    orbital is subtracted, so Pauli blocking is what gives removal its positive sign.

    Parameters
    ----------
    bonding_occupation : float
        Electrons per spin in b: 1/2 for the Heisenberg singlet, larger for the Hubbard one.

    Returns
    -------
    dict
        {"alpha": {state: weight}, "beta": {...}}; states of zero weight are left out.

    Raises
    ------
    ValueError
        If `bonding_occupation` is not between 0 and 1.

    Examples
    --------
    >>> self_energy_weights()["alpha"]
    {'a': 0.5, 'bba': -0.5}
    """
    _check_occupation(bonding_occupation)
    singlet, _ = _dimer_states(bonding_occupation)
    hop = _hybridization()
    weights: dict[str, dict[str, float]] = {"alpha": {}, "beta": {}}
    for band, table in weights.items():
        electron = np.asarray(_operators()[band][0].T @ singlet)
        occupied, empty = (np.abs(np.asarray(hop @ x)) ** 2 for x in (electron, singlet))
        for state in VIRTUAL_STATES:
            weight = float((empty - occupied)[_reached(state)].sum())
            if abs(weight) > 1e-12:
                table[state] = round(weight, 12)
    return weights


def kondo_weights(bonding_occupation: float = 0.5) -> dict[str, dict[str, float]]:
    """Which virtual states make the exchange terms of LK Eq. 9, with what weight.

    The effective Hamiltonian contains v**2 (J_a T + J_b T+) . s_alphabeta + H.c. with
    J = sum_m weight_m / E_m; s_alphabeta = alpha+ sigma beta / 2.

    Parameters
    ----------
    bonding_occupation : float
        Electrons per spin in b.

    Returns
    -------
    dict
        {"a": {state: weight}, "b": {...}} for the terms with T and with T+.

    Raises
    ------
    ValueError
        If `bonding_occupation` is not between 0 and 1.

    Examples
    --------
    >>> kondo_weights()
    {'a': {'b': 1.0, 'bba': 1.0}, 'b': {'a': 1.0, 'baa': 1.0}}
    """
    _check_occupation(bonding_occupation)
    model = _model_space(bonding_occupation)
    hopped = np.asarray(_hybridization() @ model)
    tables: dict[str, dict[str, float]] = {"a": {}, "b": {}}
    for state in VIRTUAL_STATES:
        part = hopped[_reached(state)]
        block = -part.conj().T @ part
        for name, weight in zip("ab", _kondo_components(block), strict=True):
            if abs(weight) > 1e-12:
                tables[name][state] = round(weight, 12)
    return tables


def virtual_energies(dimer: HubbardDimer, *, start: str = "singlet") -> dict[str, float]:
    """Energies of the four virtual states above the singlet or the triplet, band level at 0.

    Parameters
    ----------
    dimer : HubbardDimer
        The localized orbitals, their level measured from the band orbitals.
    start : {"singlet", "triplet"}
        State of the dimer before the hop.

    Returns
    -------
    dict
        Energy (eV) by virtual state.

    Raises
    ------
    ValueError
        If `start` is not one of these.
    """
    one_of("start", start, ("singlet", "triplet"))
    origin = dimer.singlet if start == "singlet" else dimer.triplet
    levels = {
        "b": dimer.one_electron("b"),
        "a": dimer.one_electron("a"),
        "bba": dimer.three_electrons("a"),
        "baa": dimer.three_electrons("b"),
    }
    return {name: energy - origin for name, energy in levels.items()}


def exact_couplings(dimer: HubbardDimer, hybridization: float) -> ExactCouplings:
    """Level shifts and exchange couplings from exact diagonalization of the cluster.

    Parameters
    ----------
    dimer : HubbardDimer
        The localized orbitals, their level measured from the band orbitals.
    hybridization : float
        v = 2 t_xz eta_k (eV).

    Returns
    -------
    ExactCouplings
        Shifts of the alpha and beta levels above the singlet, and the coefficients of
        T . s_alphabeta and T+ . s_alphabeta in the exact effective Hamiltonian.

    Raises
    ------
    ValueError
        If `hybridization` is so large that the eigenvectors leave the model space.
    """
    hybridization = real("hybridization", hybridization, unit="eV")
    full = _dimer_hamiltonian(dimer) + hybridization * _hybridization()
    singlet, triplets = _dimer_states(dimer.bonding_occupation)
    empty, one = sector(MODES, 2), sector(MODES, 3)
    vacuum = effective_hamiltonian(restrict(full, empty), np.array([singlet, *triplets]).T[empty])[
        0, 0
    ]
    model = _model_space(dimer.bonding_occupation)[one]
    block = effective_hamiltonian(restrict(full, one), model)
    kondo = _kondo_components(block)
    return ExactCouplings(
        alpha=float((block[2, 2] - vacuum).real),
        beta=float((block[0, 0] - vacuum).real),
        kondo_a=kondo[0],
        kondo_b=kondo[1],
    )


def _kondo_components(block: Matrix) -> tuple[float, float]:
    """Coefficients of T . s_alphabeta and T+ . s_alphabeta in a 16 x 16 matrix."""
    flip = np.array([[0, 0], [1, 0]])
    create = _triplon_on_model()
    spin = [np.kron(flip, s / 2) for s in PAULI]
    parts = []
    for triplon in (create.conj().transpose(0, 2, 1), create):
        term = sum(np.kron(t, s) for t, s in zip(triplon, spin, strict=True))
        parts.append(float((np.vdot(term, block) / np.vdot(term, term)).real))
    return parts[0], parts[1]


@lru_cache(maxsize=1)
def _triplon_on_model() -> Matrix:
    """T+ in the basis s, t_x, t_y, t_z."""
    create = triplon_creators()
    first = np.array([0, 1, -1, 0]) / np.sqrt(2)
    basis = np.array([first, *(t @ first for t in create)]).T
    return np.asarray(np.einsum("ia,cij,jb->cab", basis.conj(), create, basis), dtype=complex)


def _check_occupation(bonding_occupation: float) -> None:
    real("bonding_occupation", bonding_occupation, at_least=0.0, at_most=1.0)
