"""Bloch Hamiltonians as finite Fourier series, split by the bilayer mirror."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.band import Band, Block, Fourier
from nickbook.bands.counting import StateCount
from nickbook.bands.lattice import zone_path
from nickbook.bands.symmetry import Symmetry
from nickbook.checks import momenta, one_of, positive_integer, real
from nickbook.results import Result
from nickbook.svg import color, picture

#: Orbitals of the largest model that is drawn where it is printed.
DRAWN = 16


@dataclass(frozen=True, eq=False)
class BlochModel(Result):
    r"""A tight-binding model :math:`h(k) = \sum_R T_R\, e^{i k R}` in the periodic gauge.

    Parameters
    ----------
    name : str
        What the model is, for messages and figure titles.
    orbitals : tuple of str
        Names of the n orbitals, in the order of the matrix rows.
    translations : ndarray of int, shape (nR, 2) or (nR, 3)
        Lattice vectors R in units of the primitive vectors (on the square lattice of Ni sites:
        of the Ni-Ni distance).
    hoppings : ndarray, shape (nR, n, n)
        Matrices :math:`T_R` in eV, with :math:`T_{-R} = T_R^\dagger`.
    mirror : ndarray, shape (n, n), optional
        The bilayer mirror in orbital space, a Hermitian involution that commutes with every
        :math:`T_R`.  It splits the model into an odd and an even block.
    band_names : tuple of str, optional
        Names of the bands in block order (odd block first); made up when not given.
    spin_degeneracy : int
        Electrons that one band state takes.
    sites : tuple of int, optional
        Number of the atom that each orbital sits on, for interactions on one site.
    positions : ndarray, shape (n, 2) or (n, 3), optional
        Places of the orbitals in units of the primitive vectors; zero when not given.  They
        matter in the position gauge only.
    symmetries : tuple of Symmetry, optional
        A point group under which the model is invariant, such as `square_group`.
    sheet_names : tuple of str, optional
        What the papers call the Fermi sheets of each band, in the order of `band_names`; those
        names when not given.  Sheets are named by their band, so a filling changes no name.

    Raises
    ------
    ValueError
        For wrong shapes, numbers that are not finite, a Hamiltonian that is not Hermitian, or a
        mirror or another symmetry that the Hamiltonian does not have.

    Notes
    -----
    Evaluating at N momenta costs O(N nR n²) for the Fourier sum, done as one matrix product, and
    O(N n³) for the eigenvalues.

    Examples
    --------
    Nearest neighbours on the square lattice, in units of the hopping:

    >>> from nickbook.bands import BlochModel
    >>> steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    >>> model = BlochModel("square lattice", ("s",), steps, [[[-1.0]]] * 4)
    >>> model.energies([0.0, 0.0]).tolist(), model.dimension
    ([-4.0], 2)
    """

    name: str
    orbitals: Annotated[tuple[str, ...], "", "orbital"]
    translations: Annotated[NDArray[np.int64], "a", "hop", "direction"]
    hoppings: Annotated[Complexes, "eV", "hop", "row", "column"]
    mirror: Annotated[Floats | None, "", "row", "column"] = None
    band_names: tuple[str, ...] = ()
    spin_degeneracy: int = 2
    sites: tuple[int, ...] = ()
    positions: Annotated[ArrayLike | None, "a", "orbital", "direction"] = None
    symmetries: tuple[Symmetry, ...] = ()
    sheet_names: tuple[str, ...] = ()
    _places: Floats = field(init=False, repr=False)
    _blocks: tuple[Block, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.orbitals)
        translations, hoppings = np.asarray(self.translations), np.asarray(self.hoppings, complex)
        count, dimension = len(translations), translations.shape[-1]
        fits = translations.shape == (count, dimension) and dimension in (2, 3)
        if n == 0 or not fits or hoppings.shape != (count, n, n):
            raise ValueError(
                f"translations {translations.shape} and hoppings {hoppings.shape}; allowed: "
                f"(nR, 2) or (nR, 3), and (nR, {n}, {n}) for the {n} orbitals {self.orbitals}"
            )
        if not np.array_equal(translations, translations.astype(np.int64)):
            raise ValueError("translations must be whole multiples of the primitive vectors")
        if not np.isfinite(hoppings).all():
            raise ValueError(f"hoppings of {self.name!r} hold NaN or infinite numbers")
        translations = translations.astype(np.int64)
        _require_hermitian(self.name, translations, hoppings)
        positive_integer("spin_degeneracy", self.spin_degeneracy)
        object.__setattr__(self, "translations", translations)
        object.__setattr__(self, "hoppings", hoppings)
        blocks = _mirror_blocks(translations, hoppings, self.mirror)
        object.__setattr__(self, "_blocks", blocks)
        if not self.band_names:
            names = [f"{b.label}{i}" for b in blocks for i in range(b.size)]
            object.__setattr__(self, "band_names", tuple(names))
        if not self.sheet_names:
            object.__setattr__(self, "sheet_names", self.band_names)
        for item in ("band_names", "sheet_names", "sites"):
            given = getattr(self, item)
            if given and len(given) != n:
                raise ValueError(
                    f"{item} = {given}; allowed: one for each of {n} bands or orbitals"
                )
        places = np.zeros((n, dimension)) if self.positions is None else self.positions
        object.__setattr__(self, "_places", momenta("positions", places, dimension))
        if self._places.shape != (n, dimension):
            raise ValueError(f"positions {self._places.shape}; allowed: ({n}, {dimension})")
        for symmetry in self.symmetries:
            _require_symmetric(self.name, translations, hoppings, symmetry)

    @cached_property
    def _content(self) -> tuple[object, ...]:
        """Everything that makes two models the same, apart from names."""
        arrays = [self.translations, self.hoppings, self._places, *(b.basis for b in self._blocks)]
        turns = [part for s in self.symmetries for part in (s.rotation, s.orbitals)]
        content = tuple((a.shape, np.ascontiguousarray(a).tobytes()) for a in arrays + turns)
        return content, self.parity, self.spin_degeneracy, self.sites

    def __eq__(self, other: object) -> bool:
        """Compare by value: the same matrices, mirror, symmetries, places and sites."""
        if self is other:
            return True
        return isinstance(other, BlochModel) and self._content == other._content

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __hash__(self) -> int:
        return self._hash

    def _words(self) -> str:
        names = ", ".join(self.orbitals[:8]) + (", …" if len(self.orbitals) > 8 else "")
        parts = [f"{self.name!r}", f"{self.dimension} dimensions"]
        parts += [f"{len(self.orbitals)} orbitals {names}", f"{len(self.translations)} hops"]
        parts += ["mirror"] * (self.mirror is not None)
        parts += [f"{len(self.symmetries)} symmetries"] * bool(self.symmetries)
        return ", ".join(parts)

    def _picture(self) -> str:
        if self.dimension != 2 or len(self.orbitals) > DRAWN:
            return ""
        k, along, ticks = zone_path("ΓXMΓ", 91)
        energies = self.band_energies(k).T
        lines = [
            (np.stack([along, e], axis=-1), color(p), "", 1.5)
            for e, p in zip(energies, self.parity, strict=True)
        ]
        marks = zip(ticks, "ΓXMΓ", strict=True)
        low, high = float(energies.min()), float(energies.max())
        title = f"{low:.4g} to {high:.4g} eV"
        limits = (low - 1e-9, high + 1e-9)  # a flat band has a range too
        return picture(lines, (0.0, ticks[-1]), limits, size=(260, 160), marks=marks, title=title)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The mirror blocks, odd before even; one block with parity 0 where there is no mirror."""
        return self._blocks

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """The bands in the order of `band_names`."""
        return tuple(band for block in self._blocks for band in block.bands)

    @cached_property
    def parity(self) -> tuple[int, ...]:
        """Mirror parity of each band in block order: -1 odd, +1 even, 0 where it is no label."""
        return tuple(band.parity for band in self.bands)

    @property
    def dimension(self) -> int:
        """Number of directions in which the model is periodic, two or three."""
        return int(self.translations.shape[1])

    def hamiltonian(self, k: ArrayLike, gauge: str = "periodic") -> Complexes:
        """Hamiltonian matrices, shape (..., n, n), in eV.

        Parameters
        ----------
        k : array_like, shape (..., d)
            Momenta in inverse primitive vectors (on the square lattice: inverse Ni-Ni distance).
        gauge : {"periodic", "position"}, optional
            Phases of the Bloch states.  "periodic": exp(ikR) with the lattice vector R only, so
            matrices are periodic in the reciprocal lattice.  "position": exp(ikd) with the whole
            way d from orbital to orbital.

        Returns
        -------
        ndarray, shape (..., n, n)
            Hermitian matrices.
        """
        one_of("gauge", gauge, ("periodic", "position"))
        k = momenta("k", k, self.dimension)
        h: Complexes = self._fourier(k)[0] + 0j
        if gauge == "position":
            phases = np.exp(1j * (k @ self._places.T))
            h *= phases.conj()[..., :, None] * phases[..., None, :]
        return h

    def plane(self, kz: float) -> "BlochModel":
        """Two-dimensional model on the plane of one momentum kz, in the periodic gauge.

        Parameters
        ----------
        kz : float
            Momentum along the third primitive vector, in its inverse.

        Returns
        -------
        BlochModel
            The model in the plane, with the symmetries that leave kz alone and no mirror.

        Raises
        ------
        ValueError
            If the model is two-dimensional.
        """
        if self.dimension != 3:
            raise ValueError(f"{self.name!r} has two dimensions; it is its own plane")
        kz = real("kz", kz)
        in_plane, where = np.unique(self.translations[:, :2], axis=0, return_inverse=True)
        hoppings = np.zeros((len(in_plane), *self.hoppings.shape[1:]), complex)
        phases = np.exp(1j * kz * self.translations[:, 2])
        np.add.at(hoppings, where, phases[:, None, None] * self.hoppings)
        up = np.array([0, 0, 1])
        keep = [s for s in self.symmetries if (s.rotation[2] == up).all()]
        keep = [s for s in keep if (s.rotation[:, 2] == up).all()]
        return BlochModel(
            name=f"{self.name} at kz = {kz:.6g}",
            orbitals=self.orbitals,
            translations=in_plane,
            hoppings=hoppings,
            spin_degeneracy=self.spin_degeneracy,
            sites=self.sites,
            positions=self._places[:, :2],
            symmetries=tuple(Symmetry(s.name, s.rotation[:2, :2], s.orbitals) for s in keep),
        )

    def require_plane(self, task: str) -> None:
        """Raise ValueError with the way out if the model is three-dimensional."""
        if self.dimension != 2:
            raise ValueError(
                f"{self.name!r} has three dimensions, and {task} takes two: give one plane of it, "
                "model.plane(kz)"
            )

    def require_both_spins(self) -> None:
        """Raise ValueError if the orbitals carry their spin, which theories of pairing add."""
        if self.spin_degeneracy != 2:
            raise ValueError(
                f"spin_degeneracy = {self.spin_degeneracy} of {self.name!r}; allowed: 2, bands "
                "that stand for both spins"
            )

    def energies(self, k: ArrayLike) -> Floats:
        """Ascending energies, shape (..., n), in eV; `band_energies` keeps bands apart.

        Parameters
        ----------
        k : array_like, shape (..., d)
            Momenta, as in `hamiltonian`.

        Returns
        -------
        ndarray, shape (..., n)
            Energies in eV.
        """
        return np.sort(self.band_energies(k), axis=-1)

    def band_energies(self, k: ArrayLike) -> Floats:
        """Energies in the order of `band_names`, ascending inside each mirror block only.

        Bands of different parity cross freely in this order, so each one is a smooth function.

        Parameters
        ----------
        k : array_like, shape (..., d)
            Momenta, as in `hamiltonian`.

        Returns
        -------
        ndarray, shape (..., n)
            Energies in eV.
        """
        points = momenta("k", k, self.dimension)
        return np.concatenate([block.energies(points) for block in self._blocks], axis=-1)

    def states(self, k: ArrayLike) -> tuple[Floats, Complexes]:
        """Energies and Bloch states in the order of `band_energies`, in the periodic gauge.

        Parameters
        ----------
        k : array_like, shape (..., d)
            Momenta, as in `hamiltonian`.

        Returns
        -------
        energies : ndarray, shape (..., n)
            Energies in eV.
        vectors : ndarray, shape (..., n, n)
            Orthonormal columns, one for each band, in the basis of the orbitals.
        """
        points = momenta("k", k, self.dimension)
        solved = [np.linalg.eigh(block.fourier(points)[0]) for block in self._blocks]
        vectors = [b.basis @ v for b, (_, v) in zip(self._blocks, solved, strict=True)]
        return np.concatenate([e for e, _ in solved], -1), np.concatenate(vectors, -1)

    @cached_property
    def state_count(self) -> StateCount:
        """What counts the states below an energy, and keeps the momenta it has diagonalized."""
        even = not self.hoppings.imag.any()
        return StateCount(self.band_energies, self.dimension, len(self.orbitals), even)

    @cached_property
    def _fourier(self) -> Fourier:
        return Fourier(self.translations, self.hoppings)


def _require_hermitian(name: str, translations: NDArray[np.int64], hoppings: Complexes) -> None:
    where = {tuple(r): i for i, r in enumerate(translations.tolist())}
    if len(where) != len(translations):
        raise ValueError(f"translations of {name!r} name a lattice vector twice; add them up first")
    for r, i in where.items():
        partner = where.get(tuple(-x for x in r))
        miss = np.inf if partner is None else np.abs(hoppings[partner] - hoppings[i].conj().T).max()
        if miss > 1e-10 * max(1.0, np.abs(hoppings[i]).max()):
            raise ValueError(
                f"hoppings of {name!r} are not Hermitian: T(-R) differs from T(R)^dagger by "
                f"{miss:.2e} eV at R = {r}; give both members of each pair"
            )


def _mirror_blocks(
    translations: NDArray[np.int64], hoppings: Complexes, mirror: Floats | None
) -> tuple[Block, ...]:
    n = hoppings.shape[-1]
    if mirror is None:
        return (Block(0, np.eye(n, dtype=complex), Fourier(translations, hoppings)),)
    mirror = np.asarray(mirror)
    if mirror.shape != (n, n) or not np.allclose(mirror @ mirror, np.eye(n), atol=1e-12):
        raise ValueError(f"mirror of shape {mirror.shape}; allowed: an ({n}, {n}) involution")
    if np.abs(mirror @ hoppings - hoppings @ mirror).max() > 1e-10:
        raise ValueError("mirror does not commute with the Hamiltonian; leave it out")
    signs, vectors = np.linalg.eigh(mirror)
    blocks = []
    for parity in (-1, 1):
        basis = vectors[:, np.isclose(signs, parity)].astype(complex)
        if basis.shape[1]:
            reduced = basis.conj().T @ hoppings @ basis
            blocks.append(Block(parity, basis, Fourier(translations, reduced)))
    return tuple(blocks)


def _require_symmetric(
    name: str, translations: NDArray[np.int64], hoppings: Complexes, symmetry: Symmetry
) -> None:
    n, dimension = hoppings.shape[-1], translations.shape[1]
    if symmetry.orbitals.shape != (n, n) or symmetry.rotation.shape != (dimension, dimension):
        raise ValueError(
            f"symmetry {symmetry.name!r} has shapes {symmetry.rotation.shape} and "
            f"{symmetry.orbitals.shape}; allowed: ({dimension}, {dimension}) and ({n}, {n})"
        )
    turned = translations @ symmetry.rotation.T
    where = {tuple(r): i for i, r in enumerate(translations.tolist())}
    for r, image, t in zip(translations.tolist(), turned.tolist(), hoppings, strict=True):
        i = where.get(tuple(image))
        expected = symmetry.orbitals @ t @ symmetry.orbitals.conj().T
        miss = np.abs(expected - (0 if i is None else hoppings[i])).max()
        if miss > 1e-10 * max(1.0, np.abs(t).max()):
            raise ValueError(
                f"{name!r} is not invariant under {symmetry.name!r}: its hopping at R = {r} and "
                f"the one at {image} differ by {miss:.2e} eV; leave the symmetry out"
            )
