"""Structures of La3Ni2O7: what was measured, what was relaxed, and how octahedra stand."""

from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
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
}
#: Ni–O distances in Å that count as bonds.
_BOND = 2.5


def structure(crystal: str = "pressure") -> "Atoms":
    """Return a relaxed crystal in its primitive cell, layers normal to z, inner apical O at zero.

    Parameters
    ----------
    crystal : {"pressure"}, optional
        At 29.5 GPa, with the lattice constants of Sun et al. (2023), made square.  The heights of
        the atoms are relaxed.

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
        atoms = cast("Atoms", read(file, format="cif"))
    atoms.wrap(center=(0, 0, 0), eps=1e-3)  # the file has every atom within the cell
    return atoms


@dataclass(frozen=True)
class Octahedron(Result):
    """Mean bonds and angles of the NiO6 octahedra of a crystal.

    Parameters
    ----------
    planar, inner, outer : float
        Distances of Ni to the oxygens in its plane, between the planes, and beyond them.
    planar_angle, apical_angle : float
        Angles Ni-O-Ni in a plane and between the planes; 180° without a tilt, NaN where octahedra
        share no corner.

    Examples
    --------
    The oxygen between the layers is nearer than the one beyond:

    >>> from nickbook.crystal import octahedron, structure
    >>> found = octahedron(structure("pressure"))
    >>> found.inner < found.outer
    True
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
    around: dict[int, list[Floats]] = {}
    for oxygens, ways in _octahedra(atoms):
        for oxygen, way in zip(oxygens, ways, strict=True):
            around.setdefault(oxygen, []).append(way)
    lengths: dict[str, list[float]] = {"planar": [], "inner": [], "outer": []}
    angles: dict[str, list[float]] = {"planar": [], "inner": []}
    for bonds in around.values():
        sizes = [float(np.linalg.norm(way)) for way in bonds]
        upright = any(abs(way[2]) > size / 2 for way, size in zip(bonds, sizes, strict=True))
        kind = "planar" if not upright else "inner" if len(bonds) == 2 else "outer"
        lengths[kind] += sizes
        if len(bonds) == 2:
            cosine = bonds[0] @ bonds[1] / (sizes[0] * sizes[1])
            angles[kind].append(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    if not lengths["inner"]:
        raise ValueError(f"atoms = {atoms.symbols} has no oxygen between two planes of Ni")
    return Octahedron(
        planar=float(np.mean(lengths["planar"])),
        inner=float(np.mean(lengths["inner"])),
        outer=float(np.mean(lengths["outer"])),
        planar_angle=float(np.mean(angles["planar"])) if angles["planar"] else float("nan"),
        apical_angle=float(np.mean(angles["inner"])),
    )


def octahedron_edges(atoms: "Atoms") -> Floats:
    """Edges of the octahedra, for a drawing.

    Parameters
    ----------
    atoms : ase.Atoms
        As for `octahedron`.

    Returns
    -------
    ndarray, shape (12 n, 2, 3)
        Both ends of each edge in Å, twelve for each Ni.

    Raises
    ------
    ValueError
        As for `octahedron`.

    Examples
    --------
    >>> from nickbook.crystal import octahedron_edges, structure
    >>> octahedron_edges(structure("pressure")).shape
    (24, 2, 3)
    """
    centres = atoms.positions[np.array(atoms.get_chemical_symbols()) == "Ni"]
    edges = [
        (centre + one, centre + other)
        for centre, (_, ways) in zip(centres, _octahedra(atoms), strict=True)
        for one, other in combinations(ways, 2)
        if one @ other > -0.5 * np.linalg.norm(one) * np.linalg.norm(other)  # not across the Ni
    ]
    return np.array(edges)


def _octahedra(atoms: "Atoms") -> list[tuple[list[int], Floats]]:
    """Numbers of the six oxygens around each Ni, and the ways to them."""
    with extra("crystal", "octahedron"):
        from ase.neighborlist import neighbor_list
    symbols = np.array(atoms.get_chemical_symbols())
    first, second, ways = neighbor_list("ijD", atoms, _BOND)
    oxygen = symbols[second] == "O"
    found = [
        (second[(first == i) & oxygen].tolist(), ways[(first == i) & oxygen])
        for i in np.flatnonzero(symbols == "Ni")
    ]
    wrong = sorted({len(oxygens) for oxygens, _ in found if len(oxygens) != 6})
    if wrong or not found:
        raise ValueError(
            f"atoms = {atoms.symbols} has Ni with {wrong or 'no'} oxygens within {_BOND} Å; "
            "allowed: octahedra of six"
        )
    return found
