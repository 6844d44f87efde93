"""Bare susceptibility on a whole mesh: imaginary time against the double sum over q and k."""

import numpy as np
from scipy.special import expit

from nickbook.bands import FermiSea, four_band, zone_mesh
from nickbook.pairing import bare_susceptibility

from .plain import print_table, side_by_side

SEA, TEMPERATURE = FermiSea(four_band(), 10.0585), 0.02


class DoubleSum:
    """The definition in numpy, with the sums over k and bands as matrix products."""

    def __init__(self, mesh, pairs):
        self.mesh, self.pairs, n = mesh, pairs, len(SEA.model.orbitals)
        self.energies, vectors = SEA.model.states(zone_mesh(mesh))
        self.energies = self.energies - SEA.mu
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

    def everywhere(self):
        """All pairs at all momenta."""
        return np.array([self.at(i, j) for i, j in np.ndindex(self.mesh, self.mesh)])


def test_all_momenta():
    rows = []
    for mesh in (32, 64):

        def ours(mesh=mesh):
            return bare_susceptibility(SEA, temperature=TEMPERATURE, mesh=mesh)

        chi = ours()
        plain = DoubleSum(mesh, chi.pairs)
        found = plain.everywhere().reshape(chi.values.shape)
        error = np.abs(found - chi.values).max() / np.abs(found).max()
        assert error < 1e-11
        times, ratios = side_by_side((ours, plain.everywhere), 3)
        rows.append((f"{mesh}², imaginary time", f"{error:.1e}", f"{times[0]:.0f}", ""))
        rows.append((f"{mesh}², double sum", "", f"{times[1]:.0f}", f"{ratios[1]:.0f}"))
    title = f"χ0 of the four-band model, all q, 8 pairs, T = {TEMPERATURE} eV"
    print_table(title, ("difference", "ms", "ratio to ours"), rows)
