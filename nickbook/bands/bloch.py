"""Bloch Hamiltonians as finite Fourier series, split by the bilayer mirror."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.symmetry import Symmetry
from nickbook.checks import momenta, one_of, positive_integer, real


class Fourier:
    """The sum over lattice vectors and its momentum derivatives, as one matrix product."""

    def __init__(self, translations: NDArray[np.int64], matrices: Complexes) -> None:
        # T(-R) = T(R)^dagger: half of the vectors and the Hermitian part of their sum suffice.
        half = [i for i, r in enumerate(translations.tolist()) if r >= [0] * len(r)]
        translations, matrices = translations[half], matrices[half].copy()
        self._dimension = translations.shape[1]
        matrices[(translations == 0).all(axis=1)] /= 2
        self._size = matrices.shape[-1]
        self._reach = int(np.abs(translations).max(initial=0))
        self._rows = (translations + self._reach).T
        axes = range(self._dimension)
        lift = [matrices] + [1j * translations[:, a, None, None] * matrices for a in axes]
        self._columns = np.array([m.reshape(len(half), -1).T for m in lift])

    def __call__(self, k: Floats, derivatives: int = 0) -> Complexes:
        """Return h in shape (1, ..., n, n); with derivatives=1 also its d slopes, (1 + d, ...)."""
        parts = 1 + self._dimension * derivatives
        columns = self._columns[:parts].reshape(-1, self._columns.shape[-1])
        sums = (columns @ self._phases(k.reshape(-1, self._dimension).T)).reshape(
            parts, self._size**2, -1
        )
        shape = (parts, *k.shape[:-1], self._size, self._size)
        if self._size == 1:
            return (sums + sums.conj()).reshape(shape)
        square = sums.reshape(parts, self._size, self._size, -1)
        hermitian: Complexes = square + square.swapaxes(1, 2).conj()
        return np.moveaxis(hermitian, -1, 1).reshape(shape)

    def _phases(self, k: Floats) -> Complexes:
        # exp(ikR) from powers of exp(ikx), ...: one exponential a direction instead of nR.
        step = np.exp(1j * k)
        powers = np.empty((2 * self._reach + 1, *step.shape), complex)
        powers[self._reach] = 1.0
        for n in range(1, self._reach + 1):
            np.multiply(powers[self._reach + n - 1], step, out=powers[self._reach + n])
            np.conjugate(powers[self._reach + n], out=powers[self._reach - n])
        phases: Complexes = powers[:, 0].take(self._rows[0], 0)
        for axis in range(1, self._dimension):
            phases *= powers[:, axis].take(self._rows[axis], 0)
        return phases


@dataclass(frozen=True, eq=False)
class Block:
    """One mirror block of a model: its parity and the orthonormal orbitals that span it."""

    parity: int
    basis: Complexes
    fourier: Fourier

    @property
    def size(self) -> int:
        """Number of bands in the block."""
        return int(self.basis.shape[1])

    @property
    def label(self) -> str:
        """Word that band names of the block start with."""
        return {-1: "odd ", 0: "", 1: "even "}[self.parity]

    def energies(self, k: Floats) -> Floats:
        """Ascending energies, shape (..., size)."""
        (h,) = self.fourier(k)
        return h[..., 0].real if self.size == 1 else np.linalg.eigvalsh(h)

    def band(self, k: Floats, index: int) -> tuple[Floats, Floats]:
        """Energy (...) and velocity (..., d) of one band, by the Hellmann-Feynman theorem."""
        h, *slopes = self.fourier(k, derivatives=1)
        if self.size == 1:
            energy, *velocity = (part[..., 0, 0].real for part in (h, *slopes))
        else:
            energies, vectors = np.linalg.eigh(h)
            energy, state = energies[..., index], vectors[..., :, index, None]
            velocity = [(state.conj() * (s @ state)).sum(axis=(-2, -1)).real for s in slopes]
        return energy, np.stack(velocity, axis=-1)

    def states(self, k: Floats, index: int) -> Complexes:
        """Bloch states of one band on the model's orbitals, shape (..., n)."""
        if self.size == 1:
            return np.broadcast_to(self.basis.T[0], (*k.shape[:-1], len(self.basis)))
        _, vectors = np.linalg.eigh(self.fourier(k)[0])
        states: Complexes = vectors[..., :, index] @ self.basis.T
        return states

    def orbital_weights(self, k: Floats, index: int) -> Floats:
        """Squared components of one band on the model's orbitals, shape (..., n)."""
        weights: Floats = np.abs(self.states(k, index)) ** 2
        return weights


@dataclass(frozen=True, eq=False)
class BlochModel:
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

    Raises
    ------
    ValueError
        For wrong shapes, numbers that are not finite, a Hamiltonian that is not Hermitian, or a
        mirror or another symmetry that the Hamiltonian does not have.

    Notes
    -----
    Evaluating at N momenta costs O(N nR n²) for the Fourier sum, done as one matrix product, and
    O(N n³) for the eigenvalues.
    """

    name: str
    orbitals: tuple[str, ...]
    translations: NDArray[np.int64]
    hoppings: Complexes
    mirror: Floats | None = None
    band_names: tuple[str, ...] = ()
    spin_degeneracy: int = 2
    sites: tuple[int, ...] = ()
    positions: ArrayLike | None = None
    symmetries: tuple[Symmetry, ...] = ()
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
        if len(self.band_names) != n:
            raise ValueError(f"band_names = {self.band_names}; allowed: one for each of {n} bands")
        if self.sites and len(self.sites) != n:
            raise ValueError(f"sites = {self.sites}; allowed: one for each of {n} orbitals")
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
        return content, self.spin_degeneracy, self.sites

    def __eq__(self, other: object) -> bool:
        """Compare by value: the same matrices, symmetries, places and sites."""
        if self is other:
            return True
        return isinstance(other, BlochModel) and self._content == other._content

    @cached_property
    def _hash(self) -> int:
        return hash(self._content)

    def __hash__(self) -> int:
        return self._hash

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The mirror blocks, odd before even; one block with parity 0 where there is no mirror."""
        return self._blocks

    @cached_property
    def parity(self) -> tuple[int, ...]:
        """Mirror parity of each band in block order: -1 odd, +1 even, 0 where it is no label."""
        return tuple(block.parity for block in self._blocks for _ in range(block.size))

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

    def energies(self, k: ArrayLike) -> Floats:
        """Band energies, shape (..., n), in eV.

        They ascend, except where the mirror makes every block one-dimensional: then each column
        is one band, in the order of `band_names` (α, β for `conduction_bands`).

        Parameters
        ----------
        k : array_like, shape (..., d)
            Momenta, as in `hamiltonian`.

        Returns
        -------
        ndarray, shape (..., n)
            Energies in eV.
        """
        energies = self.band_energies(k)
        return energies if self._decoupled else np.sort(energies, axis=-1)

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

    def locate(self, band: int) -> tuple[Block, int]:
        """Mirror block of a band and its index there."""
        for block in self._blocks:
            if band < block.size:
                return block, band
            band -= block.size
        raise ValueError(f"band index out of range; the model has {len(self.orbitals)} bands")

    @cached_property
    def _fourier(self) -> Fourier:
        return Fourier(self.translations, self.hoppings)

    @cached_property
    def _decoupled(self) -> bool:
        return all(block.size == 1 for block in self._blocks)


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
