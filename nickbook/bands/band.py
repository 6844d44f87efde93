"""Mirror blocks of a model, and each band of a block: its energies, states and lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.contours import (
    MESH,
    SADDLE_DISTANCE,
    Contour,
    Extremum,
    contours,
    extrema,
    smooth_contours,
)
from nickbook.bands.lattice import folded, zone_mesh
from nickbook.results import Described

#: Momentum, energy and Hessian where the velocity vanishes.
CriticalPoint = tuple[tuple[float, float], float, Floats]

_HESSIAN_STEP = 1e-4
#: Share of a block's range of energies within which energies are the same.
FLAT = 1e-9


class Fourier:
    """The sum over lattice vectors and its momentum derivatives, as one matrix product."""

    def __init__(self, translations: NDArray[np.int64], matrices: Complexes) -> None:
        # T(-R) = T(R)^dagger: half of the vectors and the Hermitian part of their sum suffice.
        half = [i for i, r in enumerate(translations.tolist()) if r >= [0] * len(r)]
        translations, matrices = translations[half], matrices[half].copy()
        self.dimension = translations.shape[1]
        matrices[(translations == 0).all(axis=1)] /= 2
        self._size = matrices.shape[-1]
        self._reach = int(np.abs(translations).max(initial=0))
        self._rows = (translations + self._reach).T
        axes = range(self.dimension)
        lift = [matrices] + [1j * translations[:, a, None, None] * matrices for a in axes]
        self._columns = np.array([m.reshape(len(half), -1).T for m in lift])

    def __call__(self, k: Floats, derivatives: int = 0) -> Complexes:
        """Return h in shape (1, ..., n, n); with derivatives=1 also its d slopes, (1 + d, ...)."""
        parts = 1 + self.dimension * derivatives
        columns = self._columns[:parts].reshape(-1, self._columns.shape[-1])
        sums = (columns @ self._phases(k.reshape(-1, self.dimension).T)).reshape(
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
        for axis in range(1, self.dimension):
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

    @cached_property
    def bands(self) -> tuple["Band", ...]:
        """The bands of the block in order of energy."""
        return tuple(Band(self, index) for index in range(self.size))

    def energies(self, k: Floats) -> Floats:
        """Ascending energies, shape (..., size)."""
        (h,) = self.fourier(k)
        return h[..., 0].real if self.size == 1 else np.linalg.eigvalsh(h)

    def all_velocities(self, k: Floats) -> tuple[Floats, Floats]:
        """Energies (..., size) and velocities (..., size, d) of all bands in eV."""
        h, *slopes = self.fourier(k, derivatives=1)
        energies, vectors = np.linalg.eigh(h)
        velocity = [(vectors.conj() * (s @ vectors)).sum(axis=-2).real for s in slopes]
        return energies, np.stack(velocity, axis=-1)

    def follow(
        self, k: Floats, like: Complexes
    ) -> tuple[Floats, Floats, Complexes, NDArray[np.intp]]:
        """Energies, velocities, states and bands that continue given states.

        Parameters
        ----------
        k : ndarray, shape (..., d)
            Momenta.
        like : ndarray, shape (..., size)
            States at momenta close by, in the orbitals of the block.

        Returns
        -------
        energy : ndarray, shape (...)
            In eV.
        velocity : ndarray, shape (..., d)
            In eV.
        states : ndarray, shape (..., size)
            The states most alike, in the phase of the given ones; where bands touch, the one in
            their common space.
        bands : ndarray of int, shape (...)
            Index of the band in order of energy.
        """
        h, *slopes = self.fourier(k, derivatives=1)
        energies, vectors = np.linalg.eigh(h)
        overlap = (vectors.conj() * like[..., :, None]).sum(axis=-2)
        band = np.abs(overlap).argmax(axis=-1)
        own = np.take_along_axis(energies, band[..., None], -1)
        share = np.where(np.abs(energies - own) <= FLAT * self.scale, overlap, 0)
        share /= np.linalg.norm(share, axis=-1, keepdims=True)
        energy = (np.abs(share) ** 2 * energies).sum(axis=-1)
        state = (vectors @ share[..., None])[..., 0]
        velocity = [(state.conj() * (s @ state[..., None])[..., 0]).sum(-1).real for s in slopes]
        return energy, np.stack(velocity, axis=-1), state, band

    @cached_property
    def mesh_energies(self) -> Floats:
        """Energies on the mesh on which lines are first looked for, shape (MESH, MESH, size)."""
        return self.energies(self.mesh)

    @cached_property
    def mesh_velocities(self) -> Floats:
        """Velocities in eV on that mesh, shape (MESH, MESH, size, 2)."""
        return self.all_velocities(self.mesh)[1]

    @cached_property
    def scale(self) -> float:
        """Range of all energies on the mesh in eV, one where there is none."""
        return float(np.ptp(self.mesh_energies)) or float(np.abs(self.mesh_energies).max()) or 1.0

    def flat_shares(self, energy: float) -> Floats:
        """Share of the zone in which each band has an energy everywhere, shape (size,)."""
        near = np.abs(self.mesh_energies - energy) < FLAT * self.scale
        cells = near & np.roll(near, 1, 0) & np.roll(near, 1, 1) & np.roll(near, (1, 1), (0, 1))
        shares: Floats = cells.mean(axis=(0, 1))
        return shares

    @property
    def mesh(self) -> Floats:
        """Momenta of the mesh, shape (MESH, MESH, 2)."""
        if self.fourier.dimension != 2:
            raise ValueError(
                "lines and critical points are those of a band in two dimensions; take one plane "
                "of its model, model.plane(kz)"
            )
        return zone_mesh(MESH)

    def contours(self, energy: float, without: Sequence[int] = ()) -> list[Contour]:
        """All lines of one energy, as `nickbook.bands.contours.contours` finds them.

        Parameters
        ----------
        energy : float
            Energy in eV.
        without : sequence of int, optional
            Bands that are left out.

        Returns
        -------
        list of Contour
            Band by band, largest area first; empty outside the bands.

        Raises
        ------
        ValueError
            If the energy lies on a saddle, where lines touch.
        """
        return contours(self, energy, without)


@dataclass(frozen=True, eq=False)
class Band(Described):
    """One band of a model, as a function of the momentum.

    A band keeps what is costly to find (its energies on a mesh, its critical points), so these
    live as long as its model.

    Parameters
    ----------
    block : Block
        The mirror block that the band belongs to.
    index : int
        Its place in the block in order of energy.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> alpha, beta = conduction_bands().bands
    >>> alpha.parity, [round(energy, 2) for energy in alpha.range]  # odd; bottom and top in eV
    (-1, [-1.08, 2.52])
    """

    block: Block
    index: int

    def _words(self) -> str:
        return f"{self.block.label}band {self.index} of {self.block.size}"

    @property
    def parity(self) -> int:
        """Mirror parity: -1 odd, +1 even, 0 where it is no label."""
        return self.block.parity

    def energy(self, k: Floats) -> Floats:
        """Energies in eV at momenta of shape (..., d), shape (...)."""
        return self.block.energies(k)[..., self.index]

    def energy_and_velocity(self, k: Floats) -> tuple[Floats, Floats]:
        """Energies (...) and velocities (..., d) in eV, by the Hellmann-Feynman theorem."""
        h, *slopes = self.block.fourier(k, derivatives=1)
        if self.block.size == 1:
            energy, *velocity = (part[..., 0, 0].real for part in (h, *slopes))
        else:
            energies, vectors = np.linalg.eigh(h)
            energy, state = energies[..., self.index], vectors[..., :, self.index, None]
            velocity = [(state.conj() * (s @ state)).sum(axis=(-2, -1)).real for s in slopes]
        return energy, np.stack(velocity, axis=-1)

    def states(self, k: Floats) -> Complexes:
        """Bloch states on the model's orbitals in the periodic gauge, shape (..., n)."""
        basis = self.block.basis
        if self.block.size == 1:
            return np.broadcast_to(basis.T[0], (*k.shape[:-1], len(basis)))
        _, vectors = np.linalg.eigh(self.block.fourier(k)[0])
        states: Complexes = vectors[..., :, self.index] @ basis.T
        return states

    def orbital_weights(self, k: Floats) -> Floats:
        """Squared components of the states on the model's orbitals, shape (..., n)."""
        weights: Floats = np.abs(self.states(k)) ** 2
        return weights

    @cached_property
    def mesh_energies(self) -> Floats:
        """Energies on the mesh on which lines are first looked for, shape (MESH, MESH)."""
        return self.block.mesh_energies[..., self.index]

    @cached_property
    def critical_points(self) -> tuple[CriticalPoint, ...]:
        """Momentum in ``[-pi, pi)``, energy and Hessian (2, 2) at each zero of the velocity.

        A flat band has one, at Γ, for all.
        """
        k = self.block.mesh
        if np.ptp(self.mesh_energies) < FLAT * self.block.scale:
            return (((0.0, 0.0), float(self.mesh_energies[0, 0]), np.zeros((2, 2))),)
        speed = np.square(self.block.mesh_velocities[..., self.index, :]).sum(axis=-1)
        neighbours = [np.roll(speed, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        k = k[speed <= np.min(neighbours, axis=0)]
        for _ in range(40):
            velocity = self.energy_and_velocity(k)[1]
            # The pseudo-inverse keeps flat directions still and throws no point far away.
            step = np.linalg.pinv(self._hessian(k), rcond=1e-9) @ velocity[..., None]
            k = k - np.clip(step[..., 0], -2 * np.pi / MESH, 2 * np.pi / MESH)
            if np.abs(step).max(initial=0.0) < 1e-13:
                break
        velocity = self.energy_and_velocity(k)[1]
        k = k[np.abs(velocity).max(axis=-1) < 1e-9 * self.block.scale]
        # Rounding before the fold puts both sides of the zone boundary on one side.
        k = np.unique(np.round(folded(np.round(k, 8)), 7), axis=0)
        energy = self.energy_and_velocity(k)[0]
        return tuple(
            ((float(p[0]), float(p[1])), float(e), h)
            for p, e, h in zip(k, energy, self._hessian(k), strict=True)
        )

    @cached_property
    def extrema(self) -> tuple[Extremum, ...]:
        """The minima and maxima with the ellipses of equal energy round them."""
        return extrema(self)

    @cached_property
    def range(self) -> tuple[float, float]:
        """Lowest and highest energy in eV."""
        # Where two bands touch, an edge is a cusp, which is no zero of the velocity.
        edges = [energy for _, energy, _ in self.critical_points]
        edges += [float(self.mesh_energies.min()), float(self.mesh_energies.max())]
        return min(edges), max(edges)

    def contours(self, energy: float) -> list[Contour]:
        """All lines of one energy that stay in this band, largest area first.

        Parameters
        ----------
        energy : float
            Energy in eV.

        Returns
        -------
        list of Contour
            Those of `Block.contours` without the ones that pass through other bands.

        Raises
        ------
        ValueError
            If the energy lies on a saddle, where lines touch.
        """
        lines = self.block.contours(energy)
        return [line for line in lines if (line.band == self.index).all()]

    def smooth_contours(self, energy: float) -> list[Contour]:
        """All lines of one energy, or UnresolvedError where one is no smooth function of time."""
        return smooth_contours(self, energy)

    def require_no_saddle(self, energy: float) -> None:
        """Raise ValueError if an energy lies on a saddle of the band."""
        least = SADDLE_DISTANCE * self.block.scale
        for point, saddle, hessian in self.critical_points:
            if abs(saddle - energy) < least and np.linalg.det(hessian) <= 0:
                raise ValueError(
                    f"energy = {energy!r} eV lies on the van Hove saddle at k = "
                    f"({point[0]:.6f}, {point[1]:.6f}), where lines of constant energy touch and "
                    f"the density of states diverges; move it by more than {least:.2g} eV"
                )

    def _hessian(self, k: Floats) -> Floats:
        rows = []
        for step in _HESSIAN_STEP * np.eye(2):
            ahead, behind = (self.energy_and_velocity(k + s * step)[1] for s in (1, -1))
            rows.append((ahead - behind) / (2 * _HESSIAN_STEP))
        hessian = np.stack(rows, axis=-2)
        symmetric: Floats = 0.5 * (hessian + np.swapaxes(hessian, -1, -2))
        return symmetric
