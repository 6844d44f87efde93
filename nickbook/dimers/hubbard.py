"""The exact two-site Hubbard problem: levels, occupations, and the spectrum of one electron."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from nickbook.arrays import Energy
from nickbook.checks import one_of, real
from nickbook.dimers.fock import annihilators, restrict, sector, total
from nickbook.papers import LK
from nickbook.results import Result


@dataclass(frozen=True)
class HubbardDimer(Result):
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
    >>> from nickbook.dimers import HubbardDimer
    >>> dimer = HubbardDimer(t_c=0.6, U=5.0)
    >>> round(dimer.triplet - dimer.singlet, 4), round(dimer.exchange, 4)  # 4t²/U is 0.288
    (0.2731, 0.2731)
    """

    t_c: Energy = LK.t_c
    U: Energy = LK.U
    level: Energy = 0.0

    def __post_init__(self) -> None:
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

    def two_electrons(self, start: str) -> float:
        """Energy of the dimer that holds two electrons, in its singlet or its triplet."""
        one_of("start", start, ("singlet", "triplet"))
        return self.singlet if start == "singlet" else self.triplet

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
        return self.one_electron(left) - self.two_electrons(start)

    def addition(
        self, orbital: Literal["a", "b"], *, start: Literal["singlet", "triplet"] = "singlet"
    ) -> float:
        """Energy to move an electron from the Fermi level to `orbital`."""
        hole = orbital if start == "singlet" else _other(orbital)
        return self.three_electrons(hole) - self.two_electrons(start)

    def _splitting(self, orbital: str) -> float:
        return self.t_c if one_of("orbital", orbital, ("a", "b")) == "a" else -self.t_c


def _other(orbital: str) -> Literal["a", "b"]:
    return "a" if orbital == "b" else "b"


def exchange_constant(
    t_c: Energy = LK.t_c,
    U: Energy = LK.U,
    *,
    method: Literal["perturbative", "exact"] = "perturbative",
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
    >>> from nickbook.dimers import exchange_constant
    >>> exchange_constant(0.6, 5.0), round(exchange_constant(0.6, 5.0, method="exact"), 4)
    (0.288, 0.2731)
    """
    dimer = HubbardDimer(t_c=t_c, U=U)
    if one_of("method", method, ("perturbative", "exact")) == "exact":
        return dimer.exchange
    return 4 * t_c**2 / real("U", U, above=0.0, unit="eV")


@dataclass(frozen=True, order=True)
class Pole(Result):
    """One line in the spectrum of a molecular orbital.

    Parameters
    ----------
    energy : float
        Position measured from the Fermi level (eV), negative for removal.
    weight : float
        Share of one spin; the weights of an orbital add up to 1.

    Examples
    --------
    >>> from nickbook.dimers import HubbardDimer, spectral_poles
    >>> removal, addition = spectral_poles(HubbardDimer(level=-1.1), "b")
    >>> round(removal.energy, 3), round(removal.weight + addition.weight, 9)
    (-0.773, 1.0)
    """

    energy: Energy
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
    >>> from nickbook.dimers import HubbardDimer, spectral_poles
    >>> for pole in spectral_poles(HubbardDimer(level=-1.1), "b"):
    ...     print(f"{pole.energy:.3f} {pole.weight:.3f}")
    -0.773 0.716
    4.773 0.284
    """
    sign = 1 if one_of("orbital", orbital, ("b", "a")) == "b" else -1
    c = annihilators(4)  # z1 up, z1 down, z2 up, z2 down
    number = [x.T @ x for x in c]
    hop = total(c[s].T @ c[s + 2] for s in (0, 1))
    hamiltonian = total(
        [dimer.level * n for n in number]
        + [-dimer.t_c * hop, -dimer.t_c * hop.T]
        + [dimer.U * (number[i] @ number[i + 1]) for i in (0, 2)]
    )
    two = sector(4, 2)
    levels, vectors = np.linalg.eigh(restrict(hamiltonian, two))
    ground = np.zeros(16, dtype=complex)
    ground[two] = vectors[:, 0]
    remove = (c[0] + sign * c[2]) / np.sqrt(2)
    poles = []
    for electrons, operator, side in ((1, remove, -1), (3, remove.T, 1)):
        states = sector(4, electrons)
        energies, finals = np.linalg.eigh(restrict(hamiltonian, states))
        if energies[0] <= levels[0]:
            raise ValueError(
                f"level = {dimer.level} eV; allowed: levels at which two electrons are the "
                f"ground state, but {electrons} lie at {energies[0] - levels[0]:.6g} eV from it"
            )
        weights = np.abs(finals.conj().T @ (operator @ ground)[states]) ** 2
        steps = np.flatnonzero(np.diff(energies) > 1e-9) + 1
        for level, weight in zip(np.split(energies, steps), np.split(weights, steps), strict=True):
            if weight.sum() > 1e-12:  # of all that are degenerate
                energy = side * (level.mean() - levels[0])
                poles.append(Pole(float(energy), float(weight.sum())))
    return tuple(sorted(poles))
