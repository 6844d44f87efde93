"""Hund coupling of one dimer with the band electrons of its two sites: LK Eqs. 6 and 8."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from nickbook.checks import one_of, real
from nickbook.dimers.fock import annihilators
from nickbook.dimers.spins import PAULI, spin_from_triplons, triplon_creators

Matrix = npt.NDArray[np.complex128]

__all__ = ["BandSpins", "band_spins", "hund_hamiltonian"]


class BandSpins(NamedTuple):
    """Spin operators of the band electrons at the two sites of a dimer.

    Parameters
    ----------
    layer_1, layer_2 : array (3, 16, 16)
        Spins of the two layers.
    alpha_beta, beta_alpha : array (3, 16, 16)
        Interband spin densities, each the adjoint of the other.
    """

    layer_1: Matrix
    layer_2: Matrix
    alpha_beta: Matrix
    beta_alpha: Matrix


@lru_cache(maxsize=1)
def band_spins() -> BandSpins:
    """Spins of the two layers, and the interband spin densities below LK Eq. 8.

    Returns
    -------
    BandSpins
        s_1, s_2, s_alphabeta and s_betaalpha on the 16 states of the modes beta up, beta down,
        alpha up, alpha down, with x_1, x_2 = (beta +- alpha)/sqrt(2).

    Examples
    --------
    >>> s = band_spins()
    >>> bool(np.allclose(s.layer_1 - s.layer_2, s.alpha_beta + s.beta_alpha))
    True
    """
    modes = [c.toarray() for c in annihilators(4)]
    beta, alpha = np.array(modes[:2]), np.array(modes[2:])
    first, second = (beta + alpha) / np.sqrt(2), (beta - alpha) / np.sqrt(2)
    pairs = ((first, first), (second, second), (alpha, beta), (beta, alpha))
    return BandSpins(*(_spin(left, right) for left, right in pairs))


def hund_hamiltonian(J_H: float, *, form: Literal["full", "linear"] = "full") -> Matrix:
    """Hund coupling of one dimer with the band electrons of its two sites.

    Parameters
    ----------
    J_H : float
        Hund coupling (eV).
    form : {"full", "linear"}
        LK Eq. 6, or its part linear in triplons, LK Eq. 8 for one dimer.

    Returns
    -------
    array (64, 64)
        On (uu, ud, du, dd of the local spins) x (band states of `band_spins`).

    Raises
    ------
    ValueError
        If `form` is neither of the two.
    """
    strength = real("J_H", J_H, unit="eV")
    one_of("form", form, ("full", "linear"))
    create = triplon_creators()
    spins = band_spins()
    if form == "linear":
        triplon = create + create.conj().transpose(0, 2, 1)
        return -strength * _dot(triplon, spins.alpha_beta + spins.beta_alpha)
    local = spin_from_triplons(create)
    return -2 * strength * (_dot(local[0], spins.layer_1) + _dot(local[1], spins.layer_2))


def _spin(left: Matrix, right: Matrix) -> Matrix:
    """Return sum_ij left+_i sigma_ij right_j / 2 for the three Pauli matrices."""
    create = left.conj().transpose(0, 2, 1)
    return np.asarray(np.einsum("cij,iab,jbd->cad", PAULI / 2, create, right), dtype=complex)


def _dot(local: Matrix, band: Matrix) -> Matrix:
    return np.asarray(sum(np.kron(x, y) for x, y in zip(local, band, strict=True)), dtype=complex)
