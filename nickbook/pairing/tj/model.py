"""Bands with exchange on their bonds: the unknowns of the mean field and their momenta."""

import itertools
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Energy, Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import one_of, real
from nickbook.results import Result

#: Multiples of J (in a layer) and J' (between layers) that a reading of the paper puts into the
#: gap equations, in units of what H_J gives.
CONVENTIONS: dict[str, tuple[float, float]] = {
    "bond": (1.0, 1.0),
    "eq46-47": (2.0, 1.0),
    "eq48": (2.0, 4.0),
    "eq37": (4.0, 1.0),
}
BOND_FIELDS = ("none", "fock", "hartree-fock")
#: Bands, filled to a level or not.
Bands = BlochModel | FermiSea


@dataclass(frozen=True, eq=False)
class Mode(Result):
    """One unknown of the mean field: a form factor times a real symmetric matrix of the orbitals.

    Its name is such as ``"s 2"`` or ``"d 1 0"``, its form one of `FORMS`.  It multiplies pairs, or
    else hoppings and levels, and the free energy holds its square times the stiffness.
    """

    name: str
    form: str
    matrix: Annotated[Floats, "", "row", "column"]
    stiffness: Annotated[float, "1/eV"]
    pairs: bool = True


@dataclass(frozen=True, eq=False)
class BondModel(Result):
    """Bands with exchange on their bonds, GLYWH Eq. 3; its arguments are those of `TJModel`."""

    bands: Bands | Sequence[Bands]
    _: KW_ONLY
    J1: Energy
    J2: Energy = 0.0
    J1_inter: Energy = 0.0
    J2_inter: Energy = 0.0
    convention: str = "bond"
    neighbors: Annotated[ArrayLike, "a", "neighbor", "direction"] = ((1, 0), (0, 1))
    layers: Sequence[Sequence[int]] | None = None
    bond_fields: str = "none"

    def _words(self) -> str:
        planes = f" and {len(self.bare) - 1} planes more" if len(self.bare) > 1 else ""
        names = ("J1", "J2", "J1_inter", "J2_inter")
        given = ", ".join(f"{n} {getattr(self, n):.4g} eV" for n in names if getattr(self, n))
        words = f"convention {self.convention!r}, bond_fields {self.bond_fields!r}"
        return f"{self.bare[0].name!r}{planes}, {given}, {words}"

    def __post_init__(self) -> None:
        one_of("convention", self.convention, tuple(CONVENTIONS))
        one_of("bond_fields", self.bond_fields, BOND_FIELDS)
        for name in ("J1", "J2", "J1_inter", "J2_inter"):
            real(name, getattr(self, name), at_least=0.0, unit="eV")
        self._check_bands()
        self._check_layers()

    def _check_bands(self) -> None:
        if not self.bare or len({m.orbitals for m in self.bare}) != 1:
            raise ValueError("model: give one BlochModel, or several with the same orbitals")
        first = self.bare[0]
        if first.dimension != 2:
            raise ValueError(
                f"{first.name!r} has three dimensions; give planes of it, such as bilayer_plane(kz)"
            )
        first.require_both_spins()

    def _check_layers(self) -> None:
        places = np.asarray(self.neighbors)
        if places.shape != (2, 2) or not np.array_equal(places, places.round()):
            raise ValueError(f"neighbors = {places.tolist()}; allowed: two lattice vectors")
        model, rows = self.bare[0], self.rows
        used = [i for row in rows for i in row]
        fits = len(rows) in (1, 2) and {len(row) for row in rows} in ({1}, {2})
        if not (
            fits and len(set(used)) == len(used) and set(used) <= set(range(len(model.orbitals)))
        ):
            raise ValueError(
                f"layers = {rows} for {model.name!r} with orbitals {model.orbitals}; allowed: one "
                "or two layers, each with the index of orbital 1 and, if there is one, of orbital 2"
            )
        if len(rows[0]) == 1 and (self.J2 or self.J2_inter):
            raise ValueError("J2, J2_inter: the model has one orbital in a layer; allowed: 0")
        if len(rows) == 1 and (self.J1_inter or self.J2_inter):
            raise ValueError("J1_inter, J2_inter: the model has one layer; allowed: 0")

    @cached_property
    def _given(self) -> tuple[Bands, ...]:
        if isinstance(self.bands, BlochModel | FermiSea):
            return (self.bands,)
        return tuple(self.bands)

    @cached_property
    def bare(self) -> tuple[BlochModel, ...]:
        """One model, or several planes of one crystal."""
        return tuple(b.model if isinstance(b, FermiSea) else b for b in self._given)

    @property
    def models(self) -> tuple[BlochModel, ...]:
        """The models that pairs form in: those of `bare`, unless the hoppings are renormalized."""
        return self.bare

    @cached_property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """Orbitals of each layer, in the same order in each."""
        if self.layers is not None:
            return tuple(tuple(int(i) for i in row) for row in self.layers)
        sites = self.bare[0].sites
        return tuple(
            tuple(i for i, s in enumerate(sites) if s == site) for site in sorted(set(sites))
        )

    @cached_property
    def vectors(self) -> NDArray[np.int64]:
        """Lattice vectors to the two neighbours, shape (2, 2)."""
        return np.asarray(self.neighbors).astype(np.int64)

    @cached_property
    def strengths(self) -> list[tuple[float, float]]:
        """Exchange in and between layers by orbital in eV, times the convention's factors."""
        here, between = CONVENTIONS[self.convention]
        pairs = ((self.J1, self.J1_inter), (self.J2, self.J2_inter))
        return [(here * j, between * inter) for j, inter in pairs[: len(self.rows[0])]]

    @property
    def pair_strengths(self) -> list[tuple[float, float]]:
        """The part of `strengths` that makes pairs."""
        return self.strengths

    @property
    def pair_factors(self) -> Floats:
        """What a constraint makes of the average of a pair, by orbital."""
        return np.ones(len(self.rows[0]))

    @property
    def hop_strengths(self) -> list[tuple[float, float]]:
        """The part of `strengths` that makes hoppings."""
        return self.strengths

    def filling(self, given: float | None) -> float:
        """Electrons per cell: those given for bands without a level, or those of the seas.

        The mean over planes.  Raises TypeError or ValueError if a filling comes with seas or is
        missing without them, is out of range, or the seas of planes have unlike levels.
        """
        seas = [b for b in self._given if isinstance(b, FermiSea)]
        if (given is None) != (len(seas) == len(self.bare)) or (seas and given is not None):
            raise TypeError(
                f"filling = {given} and {len(seas)} of {len(self.bare)} bands filled; allowed: a "
                "filling for models, or a FermiSea in place of each of them"
            )
        if given is None:
            if len({sea.mu for sea in seas}) > 1:
                raise ValueError(f"mu = {[s.mu for s in seas]}; allowed: one level for all planes")
            return float(np.mean([sea.filling for sea in seas]))
        capacity = 2 * len(self.bare[0].orbitals)
        return real("filling", given, above=0.0, below=capacity, unit="electrons per cell")

    def modes(self, channel: str) -> tuple[Mode, ...]:
        """Unknowns of a channel; those of each layer apart for ``"full"``."""
        words = {"s": "s", "d": "d", "s+d": "sd", "full": "sd", "normal": ""}[channel]
        count = len(self.rows)
        groups = [(r,) for r in range(count)] if channel == "full" else [tuple(range(count))]
        found = []
        for a, (here, between) in enumerate(self.pair_strengths):
            for group, word in itertools.product(groups if here else (), words):
                matrix = self._diagonal(a, group)
                name = f"{word} {a + 1}" + (f" {group[0]}" if channel == "full" else "")
                found.append(Mode(name, word, matrix, len(group) / here))
            if between and "s" in words:
                found.append(Mode(f"interlayer {a + 1}", "1", self._between(a), 2 / between))
        return tuple(found) + self._normal_modes()

    def _normal_modes(self) -> tuple[Mode, ...]:
        """Averages of hoppings and of densities: -J (|⟨c†c⟩|² + n²/4) on each bond."""
        found = []
        count = len(self.rows)
        for a, (here, between) in enumerate(self.strengths):
            both = self._diagonal(a, tuple(range(count)))
            hop, link = self.hop_strengths[a]
            if self.bond_fields != "none" and hop:
                found.append(Mode(f"fock {a + 1}", "s", both, 2 * count / hop, pairs=False))
            if self.bond_fields != "none" and link:
                matrix = self._between(a)
                found.append(Mode(f"link {a + 1}", "1", matrix, 4 / link, pairs=False))
            strength = (2 * here + between / 2) / 4
            if self.bond_fields == "hartree-fock" and strength:
                stiffness = count / (4 * strength)
                found.append(Mode(f"level {a + 1}", "1", both, stiffness, pairs=False))
        return tuple(found)

    def _diagonal(self, orbital: int, rows: tuple[int, ...]) -> Floats:
        matrix = np.zeros((len(self.bare[0].orbitals),) * 2)
        places = [self.rows[row][orbital] for row in rows]
        matrix[places, places] = 1.0
        return matrix

    def _between(self, orbital: int) -> Floats:
        matrix = np.zeros((len(self.bare[0].orbitals),) * 2)
        i, j = (layer[orbital] for layer in self.rows)
        matrix[i, j] = matrix[j, i] = 1.0
        return matrix


#: Names of the form factors, in the order of `factors`.
FORMS = ("s", "d", "1")


def factors(k: Floats, neighbors: NDArray[np.int64]) -> dict[str, Floats]:
    """Form factors cos kx + cos ky, cos kx − cos ky and one."""
    x, y = (np.cos(k @ r) for r in neighbors)
    return dict(zip(FORMS, (x + y, x - y, np.ones_like(x)), strict=True))


def reduced_mesh(
    models: tuple[BlochModel, ...], mesh: int, channel: str, shift: float = 0.0
) -> tuple[Floats, Floats]:
    """Momenta, one from each set that the symmetries of all models connect, and their weights.

    A pure s or d state has the free energy density of the square's group.  A mixture keeps only
    the elements that leave each axis in place.
    """
    index = np.indices((mesh, mesh)).reshape(2, -1).T
    keep = ("E", "C2", "σx", "σy") if channel in ("s+d", "normal") else None
    groups = [{s.name: s.rotation for s in m.symmetries} for m in models]
    rotations = [
        r
        for name, r in groups[0].items()
        if all(name in g and np.array_equal(g[name], r) for g in groups)
        and (keep is None or name in keep)
    ]
    offset = round(2 * shift)
    doubled = 2 * index + offset
    label = np.arange(len(index))
    for rotation in rotations:
        inverse = np.linalg.inv(rotation).round().astype(np.int64)
        image = (doubled @ inverse - offset) % (2 * mesh) // 2
        label = np.minimum(label, image[:, 0] * mesh + image[:, 1])
    chosen, count = np.unique(label, return_counts=True)
    k: Floats = np.pi * doubled[chosen] / mesh
    return k, count / len(index)
