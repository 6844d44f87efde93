"""Hund coupling of one dimer with the band electrons of its two sites: LK Eqs. 6 and 8."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np

from nickbook.arrays import Complexes
from nickbook.checks import one_of, real
from nickbook.dimers.fock import annihilators, spin_density
from nickbook.dimers.spins import spin_from_triplons, triplon_creators
from nickbook.results import Result


@dataclass(frozen=True, eq=False)
class BandSpins(Result):
    """Spin operators of the band electrons at the two sites of a dimer.

    Parameters
    ----------
    layer_1, layer_2 : ndarray, shape (3, 16, 16)
        Spins of the two layers.
    alpha_beta, beta_alpha : ndarray, shape (3, 16, 16)
        Interband spin densities, each the adjoint of the other.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import band_spins
    >>> spins = band_spins()
    >>> x, y, z = spins.layer_1
    >>> bool(np.allclose(x @ y - y @ x, 1j * z))
    True
    """

    layer_1: Annotated[Complexes, "", "component", "row", "column"]
    layer_2: Annotated[Complexes, "", "component", "row", "column"]
    alpha_beta: Annotated[Complexes, "", "component", "row", "column"]
    beta_alpha: Annotated[Complexes, "", "component", "row", "column"]


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
    >>> import numpy as np
    >>> from nickbook.dimers import band_spins
    >>> spins = band_spins()
    >>> between = spins.alpha_beta + spins.beta_alpha
    >>> bool(np.allclose(spins.layer_1 - spins.layer_2, between))
    True
    """
    modes = annihilators(4)
    beta, alpha = modes[:2], modes[2:]
    first, second = (
        [(b + sign * a) / np.sqrt(2) for b, a in zip(beta, alpha, strict=True)] for sign in (1, -1)
    )
    pairs = ((first, first), (second, second), (alpha, beta), (beta, alpha))
    return BandSpins(*(np.array([s.toarray() for s in spin_density(*pair)]) for pair in pairs))


def hund_hamiltonian(J_H: float, *, form: Literal["full", "linear"] = "full") -> Complexes:
    """Hund coupling of one dimer with the band electrons of its two sites.

    Parameters
    ----------
    J_H : float
        Hund coupling (eV).
    form : {"full", "linear"}
        LK Eq. 6, or its part linear in triplons, LK Eq. 8 for one dimer.

    Returns
    -------
    ndarray, shape (64, 64)
        On (uu, ud, du, dd of the local spins) x (band states of `band_spins`).

    Raises
    ------
    ValueError
        If `form` is neither of the two.

    Examples
    --------
    Electrons on both sites gain or lose what two pairs of parallel spins do:

    >>> import numpy as np
    >>> from nickbook.dimers import hund_hamiltonian
    >>> levels = np.linalg.eigvalsh(hund_hamiltonian(1.0))
    >>> levels[[0, -1]].round(6).tolist()
    [-1.0, 3.0]
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


def _dot(local: Complexes, band: Complexes) -> Complexes:
    return np.asarray(sum(np.kron(x, y) for x, y in zip(local, band, strict=True)), dtype=complex)
