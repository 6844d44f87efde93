"""States of a first-principles calculation, by their overlaps with atomic orbitals."""

from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from itertools import product
from typing import Annotated

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.checks import one_of
from nickbook.results import Result

#: Energy in eV that the frozen window stays off the bands around it.
_MARGIN = 0.03
#: Calculations that are stored, and what each is of.
CALCULATIONS = {
    "pressure": "29.5 GPa",
    "pressure-U4": "29.5 GPa with U = 4 eV on Ni d",
}


@dataclass(frozen=True, eq=False)
class ProjectedStates(Result):
    """Energies of Bloch states and their overlaps with atomic orbitals.

    Parameters
    ----------
    name : str
        What was calculated.
    orbitals : tuple of str
        Names of the atomic orbitals, such as "t z²".
    sites : tuple of int
        Number of the atom that each orbital sits on.
    positions : ndarray, shape (n, 3)
        Places of the orbitals.
    cell : ndarray, shape (3, 3)
        Primitive vectors in rows.
    mesh : tuple of int
        Momenta along the three reciprocal vectors; empty for a path.
    momenta : ndarray, shape (nk, 3)
        In units of the reciprocal vectors.  A mesh may leave out one of k and −k.
    energies : ndarray, shape (nk, bands)
        Ascending; the zero is that of the code.
    overlaps : ndarray, shape (nk, bands, n)
        ⟨state|Bloch sum of the orbital⟩ in the periodic gauge.
    first : int
        Bands of oxygen 2p that lie below the lowest one kept.
    settings : tuple of str
        Code, versions, functional, cutoff and so on.

    Examples
    --------
    At Γ the two e_g orbitals do not mix:

    >>> from nickbook.crystal import crystal_states
    >>> states = crystal_states("pressure").keep("t x²−y²", "t z²", "b x²−y²", "b z²")
    >>> shares = states.shares[0, 27:30]  # three e_g bands at Γ
    >>> sorted(float(x) for x in (shares[:, 0] + shares[:, 2]).round(3))
    [0.0, 1.0, 1.0]
    """

    name: str
    orbitals: Annotated[tuple[str, ...], "", "orbital"]
    sites: tuple[int, ...]
    positions: Annotated[Floats, "Å", "orbital", "xyz"]
    cell: Annotated[Floats, "Å", "vector", "xyz"]
    mesh: tuple[int, ...]
    momenta: Annotated[Floats, "2π/a", "momentum", "vector"]
    energies: Annotated[Floats, "eV", "momentum", "band"]
    overlaps: Annotated[Complexes, "", "momentum", "band", "orbital"]
    first: int = 0
    settings: tuple[str, ...] = ()

    def _words(self) -> str:
        nk, bands = self.energies.shape
        return f"{self.name!r}, {nk} momenta, {bands} bands, {len(self.orbitals)} orbitals"

    def keep(self, *orbitals: str) -> "ProjectedStates":
        """Return the states with some of the orbitals, in the order given."""
        unknown = [name for name in orbitals if name not in self.orbitals]
        if unknown or not orbitals:
            raise ValueError(f"orbitals = {orbitals}; allowed: names out of {self.orbitals}")
        at = [self.orbitals.index(name) for name in orbitals]
        return replace(
            self,
            orbitals=orbitals,
            sites=tuple(self.sites[i] for i in at),
            positions=self.positions[at],
            overlaps=self.overlaps[..., at],
        )

    def eg_windows(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Energies between which only e_g bands lie, and the window of Ni's d bands.

        By the count of bands in a cell of two Ni: 21 of oxygen 2p, 6 of t2g, 4 of e_g, and then
        those of La.  The frozen window reaches from the top of t2g to the bottom of La, 30 meV
        off both; the outer one begins above oxygen.

        Returns
        -------
        frozen, window : tuple of float
            In eV, as `wannier_functions` takes them.

        Raises
        ------
        ValueError
            If those bands are not kept, or overlap.
        """
        oxygen, t2g, lanthanum = (n - self.first for n in (20, 26, 31))
        if t2g < 0 or lanthanum >= self.energies.shape[1]:
            raise ValueError(f"{self.name!r} does not hold the bands from t2g to La")
        bottom = float(self.energies[:, t2g].max()) + _MARGIN
        top = float(self.energies[:, lanthanum].min()) - _MARGIN
        if bottom >= top:
            raise ValueError(f"t2g and La of {self.name!r} leave no energies to e_g alone")
        lowest = -np.inf
        if oxygen >= 0:
            lowest = float(self.energies[:, oxygen].max()) + _MARGIN / 10
        return (bottom, top), (lowest, np.inf)

    @property
    def shares(self) -> Floats:
        """Part of each orbital in what a state has of them all, shape (nk, bands, n).

        Zero for a state that has nothing of them.
        """
        weights = np.abs(self.overlaps) ** 2
        total = weights.sum(axis=-1, keepdims=True)
        parts: Floats = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
        return parts

    def on_mesh(self) -> "ProjectedStates":
        """Return the states with both of k and −k, in the order of the mesh.

        Without a magnetic moment the states at −k are the complex conjugates.
        """
        if not self.mesh:
            raise ValueError(f"{self.name!r} holds a path; Wannier functions take a mesh")
        mesh = np.array(self.mesh)
        whole = np.rint(self.momenta * mesh).astype(int)
        place = {tuple(k): (i, True) for i, k in enumerate((-whole % mesh).tolist())}
        place |= {tuple(k): (i, False) for i, k in enumerate((whole % mesh).tolist())}
        points = list(product(*map(range, self.mesh)))
        missing = sum(p not in place for p in points)
        if missing:
            raise ValueError(f"{self.name!r} lacks {missing} of {len(points)} momenta of its mesh")
        order, mirrored = map(np.array, zip(*(place[p] for p in points), strict=True))
        overlaps = self.overlaps[order]
        return replace(
            self,
            momenta=np.array(points) / mesh,
            energies=self.energies[order],
            overlaps=np.where(mirrored[:, None, None], overlaps.conj(), overlaps),
        )


def crystal_states(calculation: str = "pressure", *, path: bool = False) -> ProjectedStates:
    """Read a calculation that comes with the package.

    Parameters
    ----------
    calculation : str, optional
        A name of `CALCULATIONS`.
    path : bool, optional
        The states between points of high symmetry, and not those of the self-consistent mesh.

    Returns
    -------
    ProjectedStates
        With the orbitals of `four_band` in its order, and for "pressure" seven of oxygen.

    Raises
    ------
    ValueError
        For another name.

    Examples
    --------
    >>> from nickbook.crystal import crystal_states
    >>> crystal_states("pressure").orbitals[:4]
    ('t x²−y²', 't z²', 'b x²−y²', 'b z²')
    """
    one_of("calculation", calculation, tuple(CALCULATIONS))
    name = f"{calculation}-path.nc" if path else f"{calculation}.nc"
    with as_file(files("nickbook.crystal") / "data" / name) as file:
        return ProjectedStates.load(file)
