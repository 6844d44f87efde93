"""Structures of La3Ni2O7: what was measured, what was relaxed, and how octahedra stand."""

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, cast

import numpy as np

from nickbook.arrays import Floats
from nickbook.checks import extra, one_of
from nickbook.results import Result

if TYPE_CHECKING:
    from ase import Atoms

#: Crystals whose states are stored, and what each is.
CRYSTALS = {
    "pressure": "La3Ni2O7 at 29.5 GPa, I4/mmm",
    "ambient": "La3Ni2O7 at ambient pressure, Amam",
    "film": "La3Ni2O7 film on SrLaAlO4, I4/mmm",
}
#: Ni–O distances in Å that count as bonds.
_BOND = 2.5


def structure(crystal: str = "pressure") -> "Atoms":
    """Return a relaxed crystal in its primitive cell, layers normal to z, inner apical O at zero.

    Parameters
    ----------
    crystal : {"pressure", "ambient", "film"}, optional
        At 29.5 GPa, with the lattice constants of Sun et al. (2023); at ambient pressure and on
        SrLaAlO4, with those that leave no stress.  The places of the atoms are relaxed.

    Returns
    -------
    ase.Atoms
        Which draws, converts and writes itself: ``structure().write("crystal.cif")``.

    Raises
    ------
    ImportError
        If ASE is not installed.

    Examples
    --------
    >>> from nickbook.crystal import structure
    >>> str(structure("pressure").symbols)
    'La3Ni2O7'
    """
    one_of("crystal", crystal, tuple(CRYSTALS))
    with extra("crystal", "structure"):
        from ase.io import read
    with (files("nickbook.crystal") / "data" / f"{crystal}.cif").open() as file:
        return cast("Atoms", read(file, format="cif"))


@dataclass(frozen=True)
class Octahedron(Result):
    """Mean bonds and angles of the NiO6 octahedra of a crystal.

    Parameters
    ----------
    planar, inner, outer : float
        Distances of Ni to the oxygens in its plane, between the planes, and beyond them.
    planar_angle, apical_angle : float
        Angles Ni-O-Ni in a plane and between the planes; 180° without a tilt.
    """

    planar: Annotated[float, "Å"]
    inner: Annotated[float, "Å"]
    outer: Annotated[float, "Å"]
    planar_angle: Annotated[float, "°"]
    apical_angle: Annotated[float, "°"]


def octahedron(atoms: "Atoms") -> Octahedron:
    """Measure the octahedra of a bilayer nickelate whose layers are normal to z.

    Parameters
    ----------
    atoms : ase.Atoms
        Such as `structure` returns, or any crystal of this kind that ASE reads.

    Returns
    -------
    Octahedron
        Means over all bonds of a kind.

    Raises
    ------
    ValueError
        If a Ni has other than six oxygens within 2.5 Å, or no oxygen joins two planes.

    Examples
    --------
    >>> from nickbook.crystal import octahedron, structure
    >>> round(octahedron(structure("pressure")).apical_angle, 6)
    180.0
    """
    with extra("crystal", "octahedron"):
        from ase.neighborlist import neighbor_list
    symbols = np.array(atoms.get_chemical_symbols())
    first, second, ways = neighbor_list("ijD", atoms, _BOND)
    bonds: dict[int, list[Floats]] = {i: [] for i in np.flatnonzero(symbols == "O").tolist()}
    counts = dict.fromkeys(np.flatnonzero(symbols == "Ni").tolist(), 0)
    for i, j, way in zip(first, second, ways, strict=True):
        if symbols[i] == "O" and symbols[j] == "Ni":
            bonds[int(i)].append(way)
            counts[int(j)] += 1
    wrong = {i: n for i, n in counts.items() if n != 6}
    if wrong or not counts:
        raise ValueError(
            f"atoms = {atoms.symbols} has Ni with {sorted(set(wrong.values()))} oxygens within "
            f"{_BOND} Å; allowed: octahedra of six"
        )
    lengths: dict[str, list[float]] = {"planar": [], "inner": [], "outer": []}
    angles: dict[str, list[float]] = {"planar": [], "inner": []}
    for around in bonds.values():
        sizes = [float(np.linalg.norm(way)) for way in around]
        upright = [abs(way[2]) > size / 2 for way, size in zip(around, sizes, strict=True)]
        kind = "planar" if not any(upright) else "inner" if len(around) == 2 else "outer"
        lengths[kind] += sizes
        if len(around) == 2:
            cosine = around[0] @ around[1] / (sizes[0] * sizes[1])
            angles[kind].append(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    if not lengths["inner"]:
        raise ValueError(f"atoms = {atoms.symbols} has no oxygen between two Ni planes")
    return Octahedron(
        *(float(np.mean(lengths[kind])) for kind in ("planar", "inner", "outer")),
        *(float(np.mean(angles[kind])) for kind in ("planar", "inner")),
    )
