"""What happens when an electron leaves or joins the dimer, by diagonalization in the site basis."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nickbook.checks import one_of
from nickbook.dimers.fock import annihilators, restrict, sector, total
from nickbook.dimers.hubbard import HubbardDimer

MODES = 4

__all__ = ["Pole", "spectral_poles"]


class Pole(NamedTuple):
    """One line in the spectrum of a molecular orbital.

    Parameters
    ----------
    energy : float
        Position measured from the Fermi level (eV), negative for removal.
    weight : float
        Share of one spin; the weights of an orbital add up to 1.
    """

    energy: float
    weight: float


def spectral_poles(dimer: HubbardDimer, orbital: str) -> tuple[Pole, ...]:
    """Find the removal and addition lines of b or a in the singlet ground state.

    The static self-energy of a band level that hybridizes with the orbital by v is
    -v**2 sum weight/energy. Nothing is assumed about what the ground state contains: the
    Hamiltonian is written on the two sites and diagonalized for one, two and three electrons.

    Parameters
    ----------
    dimer : HubbardDimer
        The two orbitals, their level measured from the Fermi level.
    orbital : {"b", "a"}
        (z1 + z2)/sqrt(2) or (z1 - z2)/sqrt(2).

    Returns
    -------
    tuple of Pole
        Lines of more than 1e-12 weight, by energy.

    Raises
    ------
    ValueError
        If `orbital` is neither, or if the singlet is not the lowest of all charge states.

    Examples
    --------
    >>> for pole in spectral_poles(HubbardDimer(level=-1.1), "b"):
    ...     print(f"{pole.energy:.3f} {pole.weight:.3f}")
    -0.773 0.716
    4.773 0.284
    """
    sign = 1 if one_of("orbital", orbital, ("b", "a")) == "b" else -1
    c = annihilators(MODES)  # z1 up, z1 down, z2 up, z2 down
    number = [x.T @ x for x in c]
    hop = total(c[s].T @ c[s + 2] for s in (0, 1))
    hamiltonian = total(
        [dimer.level * n for n in number]
        + [-dimer.t_c * hop, -dimer.t_c * hop.T]
        + [dimer.U * (number[i] @ number[i + 1]) for i in (0, 2)]
    )
    two = sector(MODES, 2)
    levels, vectors = np.linalg.eigh(restrict(hamiltonian, two))
    ground = np.zeros(2**MODES, dtype=complex)
    ground[two] = vectors[:, 0]
    remove = (c[0] + sign * c[2]) / np.sqrt(2)
    poles = []
    for electrons, operator, side in ((1, remove, -1), (3, remove.T, 1)):
        states = sector(MODES, electrons)
        energies, finals = np.linalg.eigh(restrict(hamiltonian, states))
        if energies[0] <= levels[0]:
            raise ValueError(
                f"level = {dimer.level} eV; allowed: levels at which two electrons are the "
                f"ground state, but {electrons} lie at {energies[0] - levels[0]:.6g} eV from it"
            )
        weights = np.abs(finals.conj().T @ (operator @ ground)[states]) ** 2
        poles += [
            Pole(float(side * (e - levels[0])), float(w))
            for e, w in _merged(energies, weights)
            if w > 1e-12
        ]
    return tuple(sorted(poles))


def _merged(
    energies: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> list[tuple[float, float]]:
    """Add up the weights of degenerate levels."""
    groups = np.split(np.arange(len(energies)), np.flatnonzero(np.diff(energies) > 1e-9) + 1)
    return [(energies[g].mean(), weights[g].sum()) for g in groups]
