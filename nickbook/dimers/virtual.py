"""One dimer hybridized with two band orbitals: LK Eqs. 3, 9, 10 derived by matrices.

The cluster holds the molecular orbitals b, a of the dimer and one even (beta) and one odd
(alpha) band orbital at the Fermi level, hybridized by v (beta+ b + alpha+ a + H.c.), which is
LK Eq. 2 at one momentum with v = 2 t_xz eta_k. Virtual hops leave the dimer in one of four
states, named after what it then holds: "b", "a", "bba", "baa" (LK Fig. 1(d)).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Energy
from nickbook.checks import one_of, real
from nickbook.dimers.fock import (
    annihilators,
    effective_hamiltonian,
    restrict,
    sector,
    spin_density,
    total,
)
from nickbook.dimers.hubbard import HubbardDimer
from nickbook.dimers.spins import PAULI
from nickbook.results import Result

VIRTUAL_STATES = ("a", "b", "baa", "bba")
ORBITALS = ("b", "a", "beta", "alpha")
DIMER_STATES = ("s", "t+", "t0", "t-")
ELECTRONS = ("beta up", "beta down", "alpha up", "alpha down")
MODES = 8


@dataclass(frozen=True)
class ExactCouplings(Result):
    """What exact diagonalization of the cluster gives: two level shifts, two couplings.

    Parameters
    ----------
    alpha, beta : float
        Shifts of the two band levels (eV).
    kondo_a, kondo_b : float
        Coefficients of T . s_alphabeta and T+ . s_alphabeta (eV).

    Examples
    --------
    >>> from nickbook.dimers import HubbardDimer, exact_couplings
    >>> exact = exact_couplings(HubbardDimer(level=-1.1), hybridization=0.05)
    >>> f"{1000 * exact.kondo_a:.2f} {1000 * exact.kondo_b:.2f} meV"
    '5.71 1.43 meV'
    """

    alpha: Energy
    beta: Energy
    kondo_a: Energy
    kondo_b: Energy


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


@lru_cache(maxsize=8)
def _dimer_states(bonding_occupation: float) -> tuple[Complexes, Complexes]:
    """Singlet and the three triplets, no band electron; triplets have the phase of LK Eq. 7."""
    real("bonding_occupation", bonding_occupation, at_least=0.0, at_most=1.0)
    c = _operators()
    vacuum = np.eye(1, 2**MODES)[0]
    pairs = [c[m][0].T @ (c[m][1].T @ vacuum) for m in ("b", "a")]
    singlet = np.sqrt(bonding_occupation) * pairs[0] - np.sqrt(1 - bonding_occupation) * pairs[1]
    covalent = (pairs[0] - pairs[1]) / np.sqrt(2)
    # S_1 - S_2 = sum over spins of (b+ sigma a + a+ sigma b)/2
    densities = spin_density(c["b"], c["a"]), spin_density(c["a"], c["b"])
    difference = [x + y for x, y in zip(*densities, strict=True)]
    return singlet.astype(complex), np.array([s @ covalent for s in difference])


def _model_space(bonding_occupation: float) -> Complexes:
    """Columns |s, t_x, t_y, t_z> x |beta up, beta down, alpha up, alpha down>."""
    singlet, triplets = _dimer_states(bonding_occupation)
    band = [x for name in ("beta", "alpha") for x in _operators()[name]]
    return np.array([x.T @ d for d in (singlet, *triplets) for x in band]).T


@lru_cache(maxsize=4)
def _reached(state: str) -> NDArray[np.bool_]:
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
    >>> from nickbook.dimers import self_energy_weights
    >>> self_energy_weights()["alpha"]
    {'a': 0.5, 'bba': -0.5}
    """
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
    >>> from nickbook.dimers import kondo_weights
    >>> kondo_weights()
    {'a': {'b': 1.0, 'bba': 1.0}, 'b': {'a': 1.0, 'baa': 1.0}}
    """
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

    >>> from nickbook.dimers import virtual_paths
    >>> virtual_paths(("s", "beta up"), ("t+", "alpha down"))
    {'a': 0.707107, 'baa': 0.707107}
    """
    hop = _hybridization()
    start, end = (np.asarray(hop @ _state(*w, bonding_occupation)) for w in (initial, final))
    paths = {}
    for state in VIRTUAL_STATES:
        reached = _reached(state)
        amplitude = round(float(-np.vdot(end[reached], start[reached]).real), 6)
        if amplitude != 0:
            paths[state] = amplitude
    return paths


def _state(dimer: str, electron: str, bonding_occupation: float) -> Complexes:
    one_of("dimer state", dimer, DIMER_STATES)
    band, spin = one_of("electron", electron, ELECTRONS).split()
    singlet, (x, y, z) = _dimer_states(bonding_occupation)
    circular = {"t+": (x + 1j * y) / np.sqrt(2), "t-": (x - 1j * y) / np.sqrt(2)}
    create = _operators()[band][("up", "down").index(spin)].T
    return np.asarray(create @ ({"s": singlet, "t0": z} | circular)[dimer])


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

    Examples
    --------
    >>> from nickbook.dimers import HubbardDimer, virtual_energies
    >>> energies = virtual_energies(HubbardDimer(level=-1.1))
    >>> {state: round(energy, 3) for state, energy in energies.items()}
    {'b': 0.773, 'a': 1.973, 'bba': 3.573, 'baa': 4.773}
    """
    origin = dimer.two_electrons(start)
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

    Examples
    --------
    At weak hybridization these are the couplings of second order:

    >>> from nickbook.dimers import HubbardDimer, exact_couplings, kondo_couplings
    >>> exact = exact_couplings(HubbardDimer(level=-1.1), hybridization=0.02)
    >>> second = kondo_couplings(t_xz=0.01, E_a=0.5, variant="hubbard")
    >>> round(exact.kondo_a / second.a, 3), round(exact.kondo_b / second.b, 3)
    (0.998, 0.999)
    """
    hybridization = real("hybridization", hybridization, unit="eV")
    full = _dimer_hamiltonian(dimer) + hybridization * _hybridization()
    singlet, triplets = _dimer_states(dimer.bonding_occupation)
    empty, one = sector(MODES, 2), sector(MODES, 3)
    dimer_states = np.array([singlet, *triplets]).T
    vacuum = effective_hamiltonian(restrict(full, empty), dimer_states[empty])[0, 0]
    model = _model_space(dimer.bonding_occupation)[one]
    block = effective_hamiltonian(restrict(full, one), model)
    beta, alpha = (float((block[i, i] - vacuum).real) for i in (0, 2))
    return ExactCouplings(alpha, beta, *_kondo_components(block))


def _kondo_components(block: Complexes) -> tuple[float, float]:
    """Coefficients of T . s_alphabeta and T+ . s_alphabeta in a 16 x 16 matrix."""
    create = np.eye(4)[1:, :, None] * np.eye(4)[0]  # T+ in the basis s, t_x, t_y, t_z
    spin = np.kron([[0, 0], [1, 0]], PAULI / 2)
    parts = []
    for triplon in (create.transpose(0, 2, 1), create):
        term = sum(np.kron(t, s) for t, s in zip(triplon, spin, strict=True))
        parts.append(float((np.vdot(term, block) / np.vdot(term, term)).real))
    return parts[0], parts[1]
