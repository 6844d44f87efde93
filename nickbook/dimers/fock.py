"""A small fermionic Fock space: enough to do perturbation theory by matrices."""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes
from nickbook.checks import positive_integer, real
from nickbook.dimers.spins import PAULI


def annihilators(modes: int) -> tuple[sp.csr_array, ...]:
    """Annihilation operators of `modes` fermions (Jordan-Wigner, mode 0 leftmost).

    Parameters
    ----------
    modes : int
        Number of spin orbitals.

    Returns
    -------
    tuple of sparse arrays
        Each of shape (2**modes, 2**modes).

    Raises
    ------
    ValueError
        If `modes` is not between 1 and 16.

    Examples
    --------
    >>> c, d = annihilators(2)
    >>> bool(abs(c @ d + d @ c).sum() == 0)
    True
    """
    modes = _modes(modes)
    lower = sp.csr_array([[0.0, 1.0], [0.0, 0.0]])
    sign = sp.csr_array([[1.0, 0.0], [0.0, -1.0]])
    one = sp.csr_array(np.eye(2))
    return tuple(
        sp.csr_array(
            reduce(
                lambda x, y: sp.kron(x, y, "csr"), [sign] * m + [lower] + [one] * (modes - m - 1)
            )
        )
        for m in range(modes)
    )


def sector(modes: int, electrons: int, *, up: int | None = None) -> NDArray[np.intp]:
    """Basis states with a fixed number of electrons.

    Parameters
    ----------
    modes : int
        Number of spin orbitals.
    electrons : int
        Number of electrons.
    up : int, optional
        Electrons in the even-numbered modes (spin up when spins alternate).

    Returns
    -------
    array of int
        Positions of these states in the full Fock space.

    Raises
    ------
    ValueError
        If `modes` is not between 1 and 16 or `electrons` not between 0 and `modes`.
    """
    modes = _modes(modes)
    electrons = positive_integer("electrons", electrons, at_least=0)
    real("electrons", electrons, at_most=modes)
    states = np.arange(2**modes)
    bits = (states[:, None] >> np.arange(modes)[::-1]) & 1
    keep = bits.sum(axis=1) == electrons
    if up is not None:
        keep &= bits[:, ::2].sum(axis=1) == up
    return np.flatnonzero(keep)


def total(terms: Iterable[sp.csr_array]) -> sp.csr_array:
    """Sum of operators.

    Parameters
    ----------
    terms : iterable of sparse arrays
        Operators on one Fock space, at least one.

    Returns
    -------
    sparse array
        Their sum.
    """
    return sp.csr_array(reduce(operator.add, terms))


def spin_density(left: Sequence[sp.csr_array], right: Sequence[sp.csr_array]) -> list[sp.csr_array]:
    """Spin operators left+ sigma right / 2.

    Parameters
    ----------
    left, right : two sparse arrays each
        Real annihilators of an orbital with spin up and down.

    Returns
    -------
    list of three sparse arrays
        Components x, y, z.
    """
    hops = [[x.T @ y for y in right] for x in left]
    return [
        total(s[i, j] / 2 * hops[i][j] for i, j in zip(*s.nonzero(), strict=True)) for s in PAULI
    ]


def restrict(matrix: sp.csr_array, states: NDArray[np.intp]) -> Complexes:
    """Dense block of an operator on some basis states.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
        Operator on the Fock space; the block is all of it when it conserves what `sector` fixes.
    states : ndarray of int, shape (m,)
        Positions of the basis states, as from `sector`.

    Returns
    -------
    ndarray, shape (m, m)
        The block.
    """
    return np.asarray(matrix[states][:, states].toarray(), dtype=complex)


def effective_hamiltonian(
    hamiltonian: ArrayLike, model: ArrayLike, *, smallest_weight: float = 0.5
) -> Complexes:
    """Exact effective Hamiltonian on a model space (des Cloizeaux).

    The eigenvectors that lie most inside the model space are projected onto it and
    orthonormalized symmetrically. The result has their exact eigenvalues; its expansion in
    the coupling begins with the symmetric second-order form of `second_order`.

    Parameters
    ----------
    hamiltonian : array_like, shape (n, n)
        Hermitian matrix.
    model : array_like, shape (n, m)
        Orthonormal columns that span the model space.
    smallest_weight : float
        Refuse the projection when an eigenvector keeps less than this weight in the model space.

    Returns
    -------
    ndarray, shape (m, m)
        Hermitian matrix in the basis of the model columns.

    Raises
    ------
    ValueError
        If the columns are not orthonormal or an eigenvector keeps too little weight.
    """
    full = np.asarray(hamiltonian, dtype=complex)
    columns = _orthonormal(model)
    energies, vectors = np.linalg.eigh(full)
    overlaps = columns.conj().T @ vectors
    chosen = np.sort(np.argsort(-np.sum(np.abs(overlaps) ** 2, axis=0))[: columns.shape[1]])
    left, singular, right = np.linalg.svd(overlaps[:, chosen])
    if singular[-1] ** 2 < smallest_weight:
        raise ValueError(
            f"smallest_weight={smallest_weight}: an eigenvector keeps only "
            f"{singular[-1] ** 2:.2f} of its weight in the model space; the coupling is too large"
        )
    rotation = left @ right
    return np.asarray((rotation * energies[chosen]) @ rotation.conj().T, dtype=complex)


def second_order(unperturbed: ArrayLike, coupling: ArrayLike, model: ArrayLike) -> Complexes:
    """Schrieffer-Wolff Hamiltonian on a model space, to second order in the coupling.

    Complexes elements between model states of different energy use the mean of the two
    energy denominators, as a unitary transformation does.

    Parameters
    ----------
    unperturbed : array_like, shape (n, n)
        H0; the model space must be invariant under it.
    coupling : array_like, shape (n, n)
        The perturbation.
    model : array_like, shape (n, m)
        Orthonormal columns, each an eigenvector of H0.

    Returns
    -------
    ndarray, shape (m, m)
        H0 + first order + second order, in the basis of the model columns.

    Raises
    ------
    ValueError
        If a column is no eigenvector of H0, or a state outside is degenerate with one it reaches.
    """
    h0, v = (np.asarray(x, dtype=complex) for x in (unperturbed, coupling))
    columns = _orthonormal(model)
    inside = columns.conj().T @ h0 @ columns
    levels = np.real(np.diag(inside))
    if not np.allclose(h0 @ columns, columns * levels, atol=1e-10):
        raise ValueError("model: every column must be an eigenvector of the unperturbed part")
    rest = np.linalg.svd(columns)[0][:, columns.shape[1] :]
    excited, vectors = np.linalg.eigh(rest.conj().T @ h0 @ rest)
    amplitude = (rest @ vectors).conj().T @ v @ columns
    gap = excited[:, None] - levels[None, :]
    open_paths = np.abs(amplitude) > 1e-12
    if np.any(open_paths & (np.abs(gap) < 1e-9)):
        raise ValueError("model: the coupling connects it to a degenerate state outside")
    scaled = np.where(open_paths, amplitude / np.where(open_paths, gap, 1.0), 0.0)
    shift = amplitude.conj().T @ scaled
    result = inside + columns.conj().T @ v @ columns - (shift + shift.conj().T) / 2
    return np.asarray(result, dtype=complex)


def _modes(modes: int) -> int:
    modes = positive_integer("modes", modes)
    real("modes", modes, at_most=16)
    return modes


def _orthonormal(model: ArrayLike) -> Complexes:
    columns = np.asarray(model, dtype=complex)
    if columns.ndim != 2 or not np.allclose(columns.conj().T @ columns, np.eye(columns.shape[1])):
        raise ValueError(f"model must hold orthonormal columns, got shape {columns.shape}")
    return columns
