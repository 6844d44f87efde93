"""The exact two-site Hubbard problem: levels, occupations, and one-electron energies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nickbook.checks import one_of, real

__all__ = ["HubbardDimer", "exchange_constant"]


@dataclass(frozen=True)
class HubbardDimer:
    """Two z orbitals joined by a hopping, half filled.

    H = level sum n - t_c sum (z1+ z2 + H.c.) + U sum n_up n_down. With t_c > 0 the bonding
    orbital b = (z1 + z2)/sqrt(2) lies at level - t_c and the antibonding a at level + t_c.

    Parameters
    ----------
    t_c : float
        Interlayer hopping (eV).
    U : float
        Repulsion on a site (eV).
    level : float
        Orbital energy measured from the Fermi level (eV).

    Raises
    ------
    ValueError
        If `t_c` or `U` is negative, or both are zero.

    Examples
    --------
    >>> round(HubbardDimer(t_c=0.6, U=5.0).exchange, 4)
    0.2731
    """

    t_c: float = 0.6
    U: float = 5.0
    level: float = 0.0

    def __post_init__(self) -> None:
        """Refuse parameters without a singlet ground state of two electrons."""
        real("t_c", self.t_c, at_least=0.0, unit="eV")
        real("U", self.U, at_least=0.0, unit="eV")
        real("level", self.level, unit="eV")
        if self.t_c == self.U == 0:
            raise ValueError("t_c = 0 and U = 0; allowed: not both 0")

    @property
    def exchange(self) -> float:
        """Singlet-triplet splitting J_c."""
        root = np.hypot(self.U, 4 * self.t_c)
        # Algebraically (root - U)/2, without its cancellation at small t_c/U.
        return float(8 * self.t_c**2 / (root + self.U))

    @property
    def singlet(self) -> float:
        """Ground-state energy of two electrons."""
        return 2 * self.level - self.exchange

    @property
    def triplet(self) -> float:
        """Energy of the triplet of two electrons."""
        return 2 * self.level

    @property
    def bonding_occupation(self) -> float:
        """Electrons per spin in the bonding orbital of the singlet; 1/2 when t_c << U."""
        return float(0.5 + 2 * self.t_c / np.hypot(self.U, 4 * self.t_c))

    @property
    def double_occupancy(self) -> float:
        """Probability that the singlet holds both electrons on one site."""
        n = self.bonding_occupation
        return float(0.5 - np.sqrt(n * (1 - n)))

    def one_electron(self, orbital: Literal["a", "b"]) -> float:
        """Energy of the dimer that holds a single electron, in `orbital`."""
        return self.level + self._splitting(orbital)

    def three_electrons(self, hole: Literal["a", "b"]) -> float:
        """Energy of the dimer that holds three electrons, the hole in orbital `hole`."""
        return 3 * self.level + self.U - self._splitting(hole)

    def removal(
        self, orbital: Literal["a", "b"], *, start: Literal["singlet", "triplet"] = "singlet"
    ) -> float:
        """Energy to move an electron from `orbital` to the Fermi level.

        The singlet holds pairs bb and aa, so the electron that stays behind is in the *same*
        orbital; in the triplet it is in the other one.
        """
        left = orbital if start == "singlet" else _other(orbital)
        return self.one_electron(left) - self._start(start)

    def addition(
        self, orbital: Literal["a", "b"], *, start: Literal["singlet", "triplet"] = "singlet"
    ) -> float:
        """Energy to move an electron from the Fermi level to `orbital`."""
        hole = orbital if start == "singlet" else _other(orbital)
        return self.three_electrons(hole) - self._start(start)

    def _splitting(self, orbital: str) -> float:
        return self.t_c if one_of("orbital", orbital, ("a", "b")) == "a" else -self.t_c

    def _start(self, start: str) -> float:
        one_of("start", start, ("singlet", "triplet"))
        return self.singlet if start == "singlet" else self.triplet


def _other(orbital: str) -> Literal["a", "b"]:
    return "a" if orbital == "b" else "b"


def exchange_constant(
    t_c: float = 0.6, U: float = 5.0, *, method: Literal["perturbative", "exact"] = "perturbative"
) -> float:
    """Interlayer exchange J_c of the dimer.

    Parameters
    ----------
    t_c : float
        Interlayer hopping (eV).
    U : float
        Repulsion on a site (eV).
    method : {"perturbative", "exact"}
        4 t_c**2 / U as printed by LK (text on the model), or the exact splitting
        (sqrt(U**2 + 16 t_c**2) - U)/2 of the two-site Hubbard problem.

    Returns
    -------
    float
        Singlet-triplet splitting (eV).

    Raises
    ------
    ValueError
        If the parameters are those of no dimer, U = 0 in the perturbative form included.

    Examples
    --------
    >>> round(exchange_constant(0.6, 5.0), 3)
    0.288
    """
    dimer = HubbardDimer(t_c=t_c, U=U)
    if one_of("method", method, ("perturbative", "exact")) == "exact":
        return dimer.exchange
    return 4 * t_c**2 / real("U", U, above=0.0, unit="eV")
