"""The parameters of LK Eqs. 12 and 13, and the Fermi lines that they act on."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nickbook.arrays import Energy, Floats
from nickbook.bands import FermiSea, eta_k
from nickbook.checks import real
from nickbook.pairing.gap import GapFunction
from nickbook.results import Result

Kappa = float | tuple[float, float]

#: Coupling at which LK Eq. 18 has a pole.
LARGEST_COUPLING = 2.0
#: Largest κ_a or κ_b taken: ratios of Kondo to Hund coupling are of order one.
LARGEST_KAPPA = 6.0


@dataclass(frozen=True)
class TriplonParameters(Result):
    r"""The pairing interaction of LK Eqs. 12 and 13 and the shell that it acts in.

    Parameters
    ----------
    coupling : float
        :math:`\lambda = V\sqrt{N_\alpha N_\beta}` (LK below Eq. 18) with densities of states per
        spin and cell, in (0, 2).
    kappa : float or pair of float
        :math:`(\kappa_a, \kappa_b)`, each in [0, 6]; a single number stands for two equal ones.
        The s± state depends on :math:`\kappa^2 = \kappa_a\kappa_b` alone.
    cutoff : float
        Energy cutoff Ω in eV; LK take :math:`\Omega \sim J_c \sim 0.3` eV.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no finite real number or out of range.

    Examples
    --------
    >>> from nickbook.pairing import TriplonParameters
    >>> TriplonParameters(coupling=0.5, kappa=0.75).terms.tolist()
    [1.0, -1.5, 0.5625]
    """

    coupling: float
    kappa: Kappa = 0.0
    cutoff: Energy = 0.3

    def __post_init__(self) -> None:
        real("coupling", self.coupling, above=0.0, below=LARGEST_COUPLING)
        real("cutoff", self.cutoff, above=0.0, unit="eV")
        pair = isinstance(self.kappa, tuple | list | np.ndarray)
        kappas = tuple(self.kappa) if pair else (self.kappa, self.kappa)  # type: ignore[arg-type]
        if len(kappas) != 2:
            raise ValueError(
                f"kappa = {self.kappa!r}; allowed: one number or a pair (kappa_a, kappa_b)"
            )
        checked = tuple(real("kappa", k, at_least=0.0, at_most=LARGEST_KAPPA) for k in kappas)
        object.__setattr__(self, "kappa", checked)

    @property
    def terms(self) -> Floats:
        r"""Coefficients of :math:`1, \eta\eta', \eta^2\eta'^2` in LK Eq. 13 over V."""
        a, b = np.broadcast_to(self.kappa, 2)
        return np.array([1.0, -(a + b), a * b])


@dataclass(frozen=True, eq=False)
class Lines(Result):
    """Points of all Fermi lines of one parity: form factors, and states/eV per spin and cell."""

    eta: Annotated[Floats, "", "point"]
    weights: Annotated[Floats, "1/eV", "point"]

    @property
    def density_of_states(self) -> float:
        """Density of states of all lines."""
        return float(self.weights.sum())


def lines_by_parity(sea: FermiSea) -> tuple[Lines, Lines]:
    """Fermi lines that are odd (α) and even (β) under the bilayer mirror, or ValueError."""
    sea.model.require_both_spins()
    found = []
    for parity, word in ((-1, "odd"), (1, "even")):
        chosen = [sheet for sheet in sea.sheets if sheet.parity == parity]
        if not chosen:
            raise ValueError(
                f"no Fermi line of {sea.model.name!r} at mu = {sea.mu} eV is {word} under the "
                "bilayer mirror; pairing between the two parities needs Fermi lines of both, at a "
                "chemical potential inside both bands"
            )
        eta = np.concatenate([eta_k(sheet.points) for sheet in chosen])
        found.append(Lines(eta, np.concatenate([sheet.weights for sheet in chosen])))
    return found[0], found[1]


def on_lines(sea: FermiSea, coefficients: Floats) -> GapFunction:
    r"""Gap function with a polynomial of the form factor on each parity.

    Row 0 of `coefficients`, shape (2, 3), holds those of :math:`1, \eta, \eta^2` in eV on the odd
    lines, row 1 on the even ones.  The representation is B1 if the gap holds η, else A1.
    """
    rows = {-1: coefficients[0], 1: coefficients[1]}
    values = tuple(
        np.polynomial.polynomial.polyval(eta_k(s.points), rows[s.parity]) for s in sea.sheets
    )
    name = "B1" if coefficients[:, 1].any() else "A1"
    return GapFunction(sea.sheets, values, representation=name)
