"""The flow against divERGe, a functional renormalization code of other authors."""

from dataclasses import dataclass

import numpy as np
import pytest
from lattices import square_lattice
from referee import diverge_flow

from nickbook.bands import FermiSea, FermiSheet, four_band
from nickbook.pairing import FermiPatches, FlowEquation, kanamori

MU = 10.0975

pytestmark = pytest.mark.diverge


@pytest.mark.parametrize(("U", "J", "U_prime", "J_prime"), [*np.eye(4), (1.0, 0.15, 0.8, 0.1)])
def test_spin_ladder_of_inequivalent_orbitals(U, J, U_prime, J_prime):
    """Crossed channel alone: the spin vertex grows by dΛ Γ χ Γ, with the pairs in our order."""
    model, mesh = four_band(), 6
    interaction = kanamori(model.sites, U, J, U_prime=U_prime, J_prime=J_prime)
    # c†_a c†_b c_d c_c with (a, b, c, d) in this order: what divERGe is told must be GLYWH Eq. 2.
    named = {(2, 2, 2, 2): U, (2, 3, 2, 3): U_prime, (2, 3, 3, 2): J, (2, 2, 3, 3): J_prime}
    assert all(interaction.tensor[where] == value for where, value in named.items())
    scales = np.array([[3.0, -0.5], [2.5, -0.5], [2.0, -0.4]])
    answer = diverge_flow(
        model,
        MU,
        interaction,
        task="tu",
        mesh=mesh,
        distance=0.01,
        channels="C",
        scales=scales,
        keep_vertices=True,
    )
    line = 2 * np.pi * np.arange(mesh) / mesh
    k = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    h = model.hamiltonian(k) - MU * np.eye(4)
    for vertex, q in zip(answer["vertex_C"], answer["irreducible"], strict=True):
        spin = interaction.spin.astype(complex)
        for scale, change in scales:
            bubble = 0.0
            for frequency in (scale, -scale):
                green = np.linalg.inv(1j * frequency * np.eye(4) - h)
                moved = np.roll(green, (-(q // mesh), -(q % mesh)), axis=(0, 1))
                # A field on c†_b c_d (its pair is d, b) changes ⟨c†_a c_c⟩ by G_cb(k + q) G_da(k).
                bubble = bubble + np.einsum("xycb,xyda->acdb", moved, green).reshape(16, 16)
            spin = spin + change * spin @ (bubble / mesh**2 / (2 * np.pi)) @ spin
        ours = np.sort(np.abs(np.linalg.eigvals(spin)))[-len(vertex) :]
        theirs = np.sort(np.abs(np.linalg.eigvals(vertex)))
        assert np.abs(ours - theirs).max() < 1e-12


def grid_of_patches(model, mu, count):
    """Patches on a grid that covers the zone, so that no momentum falls between them."""
    steps = np.stack(np.meshgrid(*[np.arange(count)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    size = len(steps)
    sheet = FermiSheet(
        name="grid",
        band=0,
        parity=0,
        points=2 * np.pi * steps / count,
        velocity=np.ones((size, 2)),
        weights=np.full(size, 1 / size),
        orbital_weights=np.ones((size, 1)),
        center="Γ",
        center_point=(0.0, 0.0),
        kind="electron",
        area=0.5,
    )
    opposite = (-steps % count) @ [count, 1]
    identity = np.arange(size)[None]
    states, phases = np.ones((size, 1)), np.ones((1, size))
    return steps, FermiPatches(FermiSea(model, mu), (sheet,), states, identity, phases, opposite)


@dataclass(frozen=True, eq=False)
class SharpFrequency(FlowEquation):
    """Our flow with the loops that divERGe has: both legs at the frequencies ±Λ, on a grid.

    The grid is given by energies and patch of each point, and the patches' places on it.
    """

    grid: tuple = ()

    def loops(self, scale):
        energies, owner, steps, mesh = self.grid
        members = np.arange(mesh**2)
        x, y = np.divmod(members, mesh)
        found = np.zeros((2, *self.shape))
        for r, first in enumerate(self.first):
            for b in range(self.size):
                for out, sign in zip(found, (-1, 1), strict=True):
                    qx, qy = steps[first] - sign * steps[b]
                    other = (qx + sign * x) % mesh * mesh + (qy + sign * y) % mesh
                    product = (1j * scale - energies) * (sign * 1j * scale - energies[other])
                    rate = -sign * (1 / product).real / (np.pi * mesh**2)
                    # Half, since either leg counts once as the one that moves.
                    out[r, b, :, 0] = np.bincount(owner, rate, minlength=self.size) / 2
        return found[0], found[1]


@pytest.mark.parametrize(
    ("channels", "keep"),
    [
        ("P", ("pp",)),
        ("C", ("ph-crossed",)),
        ("CD", ("ph-direct", "ph-crossed")),
        ("PCD", ("pp", "ph-direct", "ph-crossed")),
    ],
)
def test_vertices_of_the_patch_backend(channels, keep):
    """The whole vertex, number by number, after each of five steps.

    On a grid of patches whose members are cells of a finer mesh nothing is left to approximate, so
    the two codes agree to rounding, which for our sums over internal legs is that of single
    precision.  They treat the fourth leg differently only where it falls between the patches.
    """
    model, mu, count, cell = square_lattice(-0.3), -1.0, 6, 5
    mesh = count * cell
    steps, patches = grid_of_patches(model, mu, count)
    x, y = np.divmod(np.arange(mesh**2), mesh)
    owner = ((x + cell // 2) // cell) % count * count + ((y + cell // 2) // cell) % count
    order = np.argsort(owner, kind="stable")
    scales = np.array([[4.0, -0.5], [3.5, -0.5], [3.0, -0.5], [2.5, -0.5], [2.0, -0.3]])
    interaction = kanamori((0,), 3.0, 0.0)
    answer = diverge_flow(
        model,
        mu,
        interaction,
        task="patch",
        mesh=mesh,
        patches=steps @ [mesh, 1] * cell,
        members=order,
        member_weights=np.full(mesh**2, 1 / mesh**2),
        splits=np.searchsorted(owner[order], np.arange(1, count**2)),
        channels=channels,
        scales=scales,
    )
    energies = model.energies(2 * np.pi * np.stack([x, y], axis=-1) / mesh)[:, 0] - mu
    flow = SharpFrequency(patches, keep=keep, grid=(energies, owner, steps * cell, mesh))
    vertex = flow.bare(interaction)
    for (scale, step), theirs in zip(scales, answer["vertices"], strict=True):
        vertex = vertex - step * flow.derivative(vertex, scale)
        change = np.abs(theirs - 3.0).max()
        assert np.abs(flow.full(vertex) - theirs).max() < 1e-6 * change
    assert np.ptp(vertex) > 0.05
