"""A small fermionic Fock space: enough to do perturbation theory by matrices."""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes
from nickbook.checks import positive_integer
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
    >>> from nickbook.dimers import annihilators
    >>> first, second = (c.toarray() for c in annihilators(2))
    >>> float(abs(first @ second + second @ first).max())  # they anticommute
    0.0
    """
    modes = positive_integer("modes", modes, at_most=16)
    lower = sp.csr_array([[0.0, 1.0], [0.0, 0.0]])
    operators = []
    for m in range(modes):
        signs = sp.diags_array((-1.0) ** np.bitwise_count(np.arange(2**m)))
        others = sp.eye_array(2 ** (modes - m - 1))
        operators.append(sp.csr_array(sp.kron(sp.kron(signs, lower), others)))
    return tuple(operators)


def sector(modes: int, electrons: int, *, up: int | None = None) -> NDArray[np.intp]:
    """Positions in Fock space of the basis states with a fixed number of electrons.

    `up` also fixes the electrons in the even-numbered modes (spin up when spins alternate).
    ValueError if `modes` is not between 1 and 16 or `electrons` not between 0 and `modes`.
    """
    modes = positive_integer("modes", modes, at_most=16)
    electrons = positive_integer("electrons", electrons, at_least=0, at_most=modes)
    states = np.arange(2**modes)
    bits = (states[:, None] >> np.arange(modes)[::-1]) & 1
    keep = bits.sum(axis=1) == electrons
    if up is not None:
        keep &= bits[:, ::2].sum(axis=1) == up
    return np.flatnonzero(keep)


def total(terms: Iterable[sp.csr_array]) -> sp.csr_array:
    """Sum of operators on one Fock space, at least one."""
    return sp.csr_array(reduce(operator.add, terms))


def spin_density(left: Sequence[sp.csr_array], right: Sequence[sp.csr_array]) -> list[sp.csr_array]:
    """Components x, y, z of left+ sigma right / 2, from real annihilators with spin up and down."""
    hops = [[x.T @ y for y in right] for x in left]
    return [
        total(s[i, j] / 2 * hops[i][j] for i, j in zip(*s.nonzero(), strict=True)) for s in PAULI
    ]


def restrict(matrix: sp.csr_array, states: NDArray[np.intp]) -> Complexes:
    """Dense block of an operator on the basis states at some positions, as from `sector`.

    It is all of the operator when that conserves what `sector` fixes.
    """
    return np.asarray(matrix[states][:, states].toarray(), dtype=complex)


def effective_hamiltonian(hamiltonian: ArrayLike, model: ArrayLike) -> Complexes:
    """Exact effective Hamiltonian on a model space (des Cloizeaux).

    The eigenvectors that lie most inside the space that the orthonormal columns of `model` span are
    projected onto it and orthonormalized symmetrically. The Hermitian result, in the basis of these
    columns, has their exact eigenvalues; its expansion in the coupling begins with the symmetric
    second-order form of `second_order`. ValueError if the columns are not orthonormal or an
    eigenvector keeps less than half of its weight in the model space.
    """
    full = np.asarray(hamiltonian, dtype=complex)
    columns = _orthonormal(model)
    energies, vectors = np.linalg.eigh(full)
    overlaps = columns.conj().T @ vectors
    chosen = np.sort(np.argsort(-np.sum(np.abs(overlaps) ** 2, axis=0))[: columns.shape[1]])
    left, singular, right = np.linalg.svd(overlaps[:, chosen])
    if singular[-1] ** 2 < 0.5:
        raise ValueError(
            f"an eigenvector keeps only {singular[-1] ** 2:.2f} of its weight in the model space; "
            "the coupling is too large"
        )
    rotation = left @ right
    return np.asarray((rotation * energies[chosen]) @ rotation.conj().T, dtype=complex)


def second_order(unperturbed: ArrayLike, coupling: ArrayLike, model: ArrayLike) -> Complexes:
    """Schrieffer-Wolff Hamiltonian on a model space, to second order in the coupling.

    Each orthonormal column of `model` is an eigenvector of the unperturbed part. Matrix elements
    between model states of different energy use the mean of the two energy denominators, as a
    unitary transformation does. ValueError if a column is no eigenvector, or a state outside is
    degenerate with one it reaches.
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


def _orthonormal(model: ArrayLike) -> Complexes:
    columns = np.asarray(model, dtype=complex)
    if columns.ndim != 2 or not np.allclose(columns.conj().T @ columns, np.eye(columns.shape[1])):
        raise ValueError(f"model must hold orthonormal columns, got shape {columns.shape}")
    return columns
