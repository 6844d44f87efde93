"""The table of functional renormalization group flows that is kept beside this module."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nickbook.arrays import Floats
from nickbook.pairing import FermiPatches
from nickbook.pairing.frg.equation import TERMS

#: The file; `make tables` writes it anew.
PATH = Path(__file__).with_name("frg.nc")


@dataclass(frozen=True)
class Flow:
    """What a stored flow was run with.

    Parameters
    ----------
    U : float
        Repulsion within an orbital in eV.
    hund : float
        J/U.
    filling : float
        Electrons per cell.
    patches : int
        Patches on each sheet.
    mu : float
        Chemical potential in eV; that of the filling when NaN.
    cutoff : str
        Scheme, as for `frg_flow`.
    keep : tuple of str
        Terms of the flow.
    start : float
        First scale in eV; the whole band when NaN.
    """

    U: float
    hund: float
    filling: float
    patches: int
    mu: float = float("nan")
    cutoff: str = "sharp"
    keep: tuple[str, ...] = TERMS
    start: float = float("nan")

    def but(self, **changes: float | int | str | tuple[str, ...]) -> "Flow":
        """Return the same flow with some values replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]


@cache
def frg_table() -> xr.Dataset:
    """Read the stored flows.

    Returns
    -------
    Dataset
        Flows along ``run``, runs of divERGe along ``referee``, versions among the attributes.
    """
    with xr.open_dataset(PATH, engine="scipy") as stored:
        return stored.load()


def pairs_on_bonds(
    patches: FermiPatches,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> NDArray[np.complex128]:
    """Amplitude of a pair (k, −k) of one band on bonds between orbitals.

    Parameters
    ----------
    patches : FermiPatches
        Patches with real Bloch states.
    first, second : ndarray of int, shape (bonds,)
        Orbitals at its ends.
    cells : ndarray of int, shape (bonds, 2) or (bonds, 3)
        Cell of the second orbital, seen from that of the first.

    Returns
    -------
    ndarray, shape (P, bonds)
        The amplitudes.
    """
    phases = np.exp(1j * patches.points @ cells[:, :2].T)
    return np.asarray(patches.states[:, first] * patches.states[:, second] * phases)


def gap_from_bonds(
    patches: FermiPatches,
    amplitudes: NDArray[np.complex128],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cells: NDArray[np.int64],
) -> Floats:
    """Gap on the Fermi sheets of pairs on bonds between orbitals.

    Parameters
    ----------
    patches : FermiPatches
        Patches with real Bloch states.
    amplitudes : ndarray, shape (bonds,)
        Amplitude of each bond.
    first, second, cells : ndarray
        The bonds, as `pairs_on_bonds` takes them.

    Returns
    -------
    ndarray, shape (P,)
        Gap on the patches, largest magnitude one and positive.
    """
    gap = pairs_on_bonds(patches, first, second, cells) @ amplitudes
    gap = gap / gap[np.argmax(np.abs(gap).round(9))]
    values: Floats = gap.real
    return values
