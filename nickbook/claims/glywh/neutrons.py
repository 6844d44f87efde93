"""What neutrons would see of GLYWH's superconductor: the spin response at finite energy, T = 0."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.bands import FermiSea
from nickbook.pairing import Interaction, orbital_pairs

#: Momenta whose matrix elements are held at a time.
_CHUNK = 4000


@dataclass(frozen=True)
class SpinSpectrum:
    """Response of one spin to a field of one momentum, in a state with a gap on each band.

    Parameters
    ----------
    sea : FermiSea
        Bands with real matrices, and their level.
    gap : callable
        Gaps of the bands at momenta and Bloch states, shape (K, bands), in eV.
    q : tuple of float
        Momentum of the field; the mesh must hold it.
    broadening : float
        Imaginary part of the energy in eV; the spacing of levels on the mesh should not exceed it.
    mesh : int
        Points along each direction.
    """

    sea: FermiSea
    gap: Callable[[Floats, Floats], Floats]
    q: tuple[float, float]
    broadening: float = 4e-3
    mesh: int = 192

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        """Momenta with ky from 0 to π, which a field along kx does not tell from −ky."""
        if self.q[1]:
            raise ValueError(f"q = {self.q}; allowed: along kx")
        x = 2 * np.pi * np.arange(self.mesh) / self.mesh
        y = x[: self.mesh // 2 + 1]
        k = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        share = np.where(np.isin(y, (y[0], y[-1])), 1.0, 2.0) / self.mesh**2
        return k, np.tile(share, self.mesh)

    def quasiparticles(self, k: Floats) -> tuple[Floats, Floats]:
        """Energies and states of the matrix of Eq. 40 with a gap on each band."""
        h = self.sea.model.hamiltonian(k).real - self.sea.mu * np.eye(len(self.sea.model.orbitals))
        _, u = np.linalg.eigh(h)
        gap = np.einsum("kan,kn,kbn->kab", u, self.gap(k, u), u)
        levels, states = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
        return levels, states

    def bare(self, energies: Floats) -> Complexes:
        """Bare response between pairs of orbitals on a Ni, shape (energies, pairs, pairs)."""
        pairs = orbital_pairs(self.sea.model)
        a, c = pairs.T
        n = len(self.sea.model.orbitals)
        total = np.zeros((len(energies), len(pairs), len(pairs)), complex)
        points, weights = self._points
        for start in range(0, len(points), _CHUNK):
            k, w = points[start : start + _CHUNK], weights[start : start + _CHUNK]
            (e, u), (f, v) = self.quasiparticles(k), self.quasiparticles(k + np.array(self.q))
            for here, there, sign in (
                (slice(0, n), slice(n, 2 * n), 1),
                (slice(n, 2 * n), slice(0, n), -1),
            ):
                left, right = u[:, :, here], v[:, :, there]
                # A spin lowers what it raises: the holes of a pair (a, c) are those of (c, a).
                element = np.einsum("kpm,kpn->pkmn", left[:, a], right[:, c])
                element += np.einsum("kpm,kpn->pkmn", left[:, n + c], right[:, n + a])
                rows = element.reshape(len(pairs), -1)
                apart = (f[:, None, there] - e[:, here, None]).ravel()
                share = np.repeat(sign * w / 2, n * n)
                for i, energy in enumerate(energies):
                    factor = share / (apart - energy - 1j * self.broadening)
                    total[i] += (rows * factor) @ rows.T
        return total

    def dressed(self, energies: Floats, interaction: Interaction) -> Complexes:
        """Response of `bare` in the random-phase approximation."""
        vertex = interaction.vertex("spin", orbital_pairs(self.sea.model))
        bare = self.bare(energies)
        return np.asarray(np.linalg.solve(np.eye(len(vertex)) - bare @ vertex, bare))

    def antiphase(self, response: Complexes) -> Floats:
        """Absorption of spins that point oppositely in the two layers."""
        pairs, sites = orbital_pairs(self.sea.model), np.asarray(self.sea.model.sites)
        like = pairs[:, 0] == pairs[:, 1]
        vector = like * np.where(sites[pairs[:, 0]] == sites.min(), 1.0, -1.0)
        return np.asarray(np.einsum("p,epr,r->e", vector, response, vector).imag)
