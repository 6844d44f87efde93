"""Bare susceptibility on a whole mesh: imaginary time against the double sum over q and k."""

import time

import numpy as np
from scipy.special import expit

from nickbook.bands import four_band, zone_mesh
from nickbook.pairing import bare_susceptibility

from .plain import best_time, print_table

MODEL, MU, TEMPERATURE = four_band(), 10.0585, 0.02


class DoubleSum:
    """The definition in numpy, with the sums over k and bands as matrix products."""

    def __init__(self, mesh, pairs):
        self.mesh, self.pairs, n = mesh, pairs, len(MODEL.orbitals)
        self.energies, vectors = MODEL.states(zone_mesh(mesh))
        self.energies = self.energies - MU
        self.occupied = expit(-self.energies / TEMPERATURE)
        # Projectors u_a u_b* of each band, real because this model has an inversion centre.
        outer = np.einsum("xyan,xybn->xynab", vectors, vectors.conj())
        assert not outer.imag.any()
        self.projectors = outer.real.reshape(mesh, mesh, n, n * n)
        (a, c), (b, d) = pairs.T[:, :, None], pairs.T[:, None, :]
        self.places = (b * n + a) * n * n + c * n + d

    def at(self, i, j):
        """All pairs at the momentum of mesh point (i, j)."""
        shifted = (
            np.roll(x, (-i, -j), (0, 1)) for x in (self.energies, self.occupied, self.projectors)
        )
        energies, occupied, projectors = shifted
        gap = energies[..., None, :] - self.energies[..., None]
        flat = np.abs(gap) < 1e-9
        slope = self.occupied * (1 - self.occupied) / TEMPERATURE
        ratio = self.occupied[..., None] - occupied[..., None, :]
        ratio = np.where(flat, slope[..., None], ratio / np.where(flat, 1.0, gap))
        n2 = self.projectors.shape[-1]
        reached = (ratio @ projectors).reshape(-1, n2)
        every = self.projectors.reshape(-1, n2).T @ reached / self.mesh**2
        return every.ravel()[self.places]


def test_all_momenta():
    rows = []
    for mesh in (32, 64):
        chi = bare_susceptibility(MODEL, MU, temperature=TEMPERATURE, mesh=mesh)
        ours = best_time(
            lambda m=mesh: bare_susceptibility(MODEL, MU, temperature=TEMPERATURE, mesh=m), 5
        )
        plain = DoubleSum(mesh, chi.pairs)
        start = time.perf_counter()
        found = np.array([plain.at(i, j) for i, j in np.ndindex(mesh, mesh)])
        theirs = 1e3 * (time.perf_counter() - start)
        error = np.abs(found.reshape(chi.values.shape) - chi.values).max() / np.abs(found).max()
        assert error < 1e-11
        rows.append((f"{mesh}², imaginary time", f"{error:.1e}", f"{ours:.0f}", ""))
        rows.append((f"{mesh}², double sum", "", f"{theirs:.0f}", f"{theirs / ours:.0f}"))
    title = f"χ0 of the four-band model, all q, 8 pairs, T = {TEMPERATURE} eV"
    print_table(title, ("difference", "ms", "ratio to ours"), rows)
