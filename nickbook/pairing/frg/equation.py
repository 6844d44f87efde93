r"""The flow equation of the N-patch functional renormalization group.

The interaction at scale Λ is :math:`H = \frac{1}{2N}\sum \Gamma(1,2;3,4)\,
c^\dagger_{1\sigma} c^\dagger_{2\sigma'} c_{4\sigma'} c_{3\sigma}` with N cells, so Γ is an energy
per cell.  Three legs sit on patches; the fourth is taken on each band, at the patch nearest to
k1 + k2 − k3.  The vertex with another leg away from the patches follows by crossing and
Hermiticity, Γ(1,2;3,4) = Γ(2,1;4,3) = Γ(3,4;1,2)*, so one array Γ[p1, p2, p3, band of 4] holds
them all, and entries that describe the same four patches are kept equal.

One-loop terms, with loops L > 0 that grow as Λ falls:

* particle-particle: −Γ(1,2;5,6) L Γ(5,6;3,4);
* particle-hole, direct: −2 Γ(1,6;3,5) L Γ(5,2;6,4) + Γ(1,6;5,3) L Γ(5,2;6,4)
  + Γ(1,6;3,5) L Γ(5,2;4,6);
* particle-hole, crossed: Γ(1,6;5,4) L Γ(5,2;3,6).

With X(1,2;3,4) = Γ(1,2;4,3) and C = 2Γ − X the direct diagram is −½ C L C + ½ X L X and the
crossed one X L X.  C is the charge; both terms in X together are the spin, whose three components
are shared out between the diagrams.

Of the two internal legs the one that the regulator moves runs over its patch in momentum space,
resolved in energy and along the sheet; the other one has the energy of its band at the momentum
that is left, and no patch of its own.  Nor, then, has the fourth outer leg: two legs of the second
vertex lie beside the patches, and one of them has to be moved to its patch.

* "external": the outer leg is moved and the momentum of the inner one follows from the other three.
* "internal": the inner leg is moved, at each point of the loop, and that of the outer one follows.
  This is the usual rule of N-patch flows (Zanchi and Schulz 2000, Honerkamp et al. 2001).

Neither keeps crossing and Hermiticity, so the rates of entries that they make equal are averaged.
Neither is exact at second order, see `exact_second_order`.  For pairs on the Fermi sheets of the
bilayer model the first misses a quarter of the direct and a seventh of the crossed diagram, the
second three quarters and two thirds; so the first is the default.  Pairs of particles come out
alike.  What a flow ends in hangs on such choices: with 16 patches a sheet, labelling the inner legs
once for each patch, not at each point of the loop, takes the scale of that model from 18 to 56 meV.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import spline_filter
from scipy.spatial import cKDTree

from nickbook.arrays import Floats, Integers
from nickbook.bands import zone_mesh
from nickbook.bands.patches import FermiPatches
from nickbook.checks import one_of, positive_integer, real
from nickbook.pairing.frg.regulator import REGULATORS, moving_levels
from nickbook.pairing.interaction import Interaction, require_invariant
from nickbook.results import Result

#: Vertices are real for models with real Bloch states.
Numbers = NDArray[Any]
Singles = NDArray[np.float32]

#: The parts of the flow that can be kept or left out.
TERMS = ("pp", "ph-direct", "ph-crossed")
#: The particle-hole terms sorted by what fluctuates in them.
FLUCTUATIONS = ("charge", "spin")
#: Which leg of a vertex that is not on the patches is moved to its patch.
PROJECTIONS = ("external", "internal")
#: Mesh of the spline through each band; its error is below 1e-6 eV for the bands of the papers.
_SPLINE_MESH = 256
#: Mesh on which the patches that own the momenta of the zone are looked up.
_OWNER_MESH = 512
_TURN = 2 * np.pi


def bare_vertex(
    interaction: Interaction, u1: ArrayLike, u2: ArrayLike, u3: ArrayLike, u4: ArrayLike
) -> Numbers:
    r"""Vertex :math:`\sum V_{abcd}\, u^*_{1a} u^*_{2b} u_{3c} u_{4d}` of an interaction in a cell.

    Parameters
    ----------
    interaction : Interaction
        The interaction in orbital space.
    u1, u2, u3, u4 : array_like, shape (..., n)
        Bloch states in the periodic gauge; the first two are created.  Leading axes broadcast.

    Returns
    -------
    ndarray, shape (...)
        The vertex in eV per cell.

    Examples
    --------
    >>> from nickbook.pairing import bare_vertex, kanamori
    >>> bonding = [0.5**0.5, 0.5**0.5]
    >>> repulsion = kanamori((0, 1), U=3.0, J=0.0)  # on each of two sites
    >>> round(float(bare_vertex(repulsion, bonding, bonding, bonding, bonding).real), 9)
    1.5
    """
    legs: list[Numbers] = [np.conj(u1), np.conj(u2), np.asarray(u3), np.asarray(u4)]
    tensor: Numbers = interaction.tensor
    vertex: Numbers = np.einsum("abcd,...a,...b,...c,...d->...", tensor, *legs, optimize=True)
    return vertex


@dataclass(frozen=True, eq=False)
class FlowEquation(Result):
    r"""Right-hand side of the flow on given patches.

    Parameters
    ----------
    patches : FermiPatches
        The patches.
    regulator : {"sharp", "smooth", "frequency"}, optional
        What is left out at scale Λ.  "sharp": all modes with :math:`|\xi| < \Lambda`.  "smooth":
        a share of the modes that falls from one at :math:`|\xi| = 1.5\Lambda` to zero at half of
        Λ.  "frequency": modes of all energies enter with the factor
        :math:`\omega^2/(\omega^2+\Lambda^2)`.
    keep : tuple of str, optional
        Terms of the flow: some of ``"pp"``, ``"ph-direct"``, ``"ph-crossed"``, or in place of the
        last two the same sorted otherwise, ``"charge"`` and ``"spin"``.
    mesh : int, optional
        Points along each direction of the mesh whose cells the lines of constant energy cross; an
        even number.
    projection : {"external", "internal"}, optional
        Which leg of the second vertex of a loop is moved to its patch.

    Raises
    ------
    TypeError, ValueError
        For an unknown regulator, term or projection, a mesh that is too coarse or odd, or bands
        with the spin written out.

    Notes
    -----
    With P patches, B bands and G symmetries, one `derivative` costs :math:`8 P^4B^2/G`
    multiplications with external legs moved, :math:`6 m P^4B^2/G` with internal ones if the legs
    beside a patch fall on m patches of each band (3 to 4), and :math:`B P^2/2G` band energies per
    point of the shell.  Rows are multiplied in single precision, so increments err by about 1e-6
    of the largest one.  Memory: about 30 bytes for each of the :math:`P^3B` entries, and for
    internal legs :math:`4 P^4/G` bytes of loops, together 0.3 GB for 120 patches on three bands.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import FlowEquation, kanamori
    >>> equation = FlowEquation(FermiSea(bilayer_hubbard(2.0), -0.5).patches(8), mesh=16)
    >>> bare = equation.bare(kanamori((0, 1), U=2.0, J=0.0))
    >>> bare.shape == equation.shape, round(equation.reach, 3)  # from -6 to -0.5 to 6, in t
    (True, 6.5)
    """

    patches: FermiPatches
    regulator: str = "sharp"
    keep: tuple[str, ...] = TERMS
    mesh: int = 64
    projection: str = "external"

    def __post_init__(self) -> None:
        self.patches.model.require_both_spins()
        one_of("regulator", self.regulator, REGULATORS)
        for term in self.keep:
            one_of("keep", term, (*TERMS, *FLUCTUATIONS))
        one_of("projection", self.projection, PROJECTIONS)
        positive_integer("mesh", self.mesh, at_least=16)
        if self.mesh % 2:
            raise ValueError(f"mesh = {self.mesh}; allowed: an even number")

    def _words(self) -> str:
        terms = " + ".join(self.keep)
        return f"{self.regulator} regulator, {terms}, mesh {self.mesh}, {self.patches!r}"

    @cached_property
    def bands(self) -> Integers:
        """Bands with patches, in the order of the last axis of a vertex."""
        return np.unique(self.patches.bands)

    @cached_property
    def band_of(self) -> Integers:
        """Place in `bands` of the band of each patch, shape (P,)."""
        return np.asarray(np.searchsorted(self.bands, self.patches.bands))

    @cached_property
    def permutations(self) -> Integers:
        """Images of the patches under the symmetries that are used, shape (G, P).

        They are those of the model if all move every patch, and the identity alone if not.
        """
        images = np.asarray(self.patches.permutations, dtype=np.int64)
        count = images.shape[1]
        return images if (images[1:] != np.arange(count)).all() else np.arange(count)[None]

    @cached_property
    def first(self) -> Integers:
        """One patch of each set that the symmetries map onto each other, shape (R,)."""
        return np.flatnonzero(self.permutations.min(axis=0) == np.arange(self.size))

    @property
    def size(self) -> int:
        """Number of patches P."""
        return len(self.patches.weights)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (R, P, P, B) of the vertex on representative first patches."""
        return len(self.first), self.size, self.size, len(self.bands)

    @cached_property
    def mover(self) -> Integers:
        """Symmetry that takes each patch to its representative."""
        return np.asarray(np.argmin(self.permutations, axis=0))

    @cached_property
    def _slot(self) -> Integers:
        """Place of the representative of each patch."""
        return np.asarray(np.searchsorted(self.first, self.permutations.min(axis=0)))

    @cached_property
    def fourth(self) -> Integers:
        """Patch of the fourth leg, shape (P, P, P, B): on each band the nearest to k1 + k2 − k3."""
        points = self.patches.points
        part = np.empty(self.shape, dtype=np.int64)
        for r, k1 in enumerate(points[self.first]):
            left = (k1 + points)[:, None] - points
            for b in range(len(self.bands)):
                part[r, :, :, b] = self.nearest(left, b)
        # Ties are broken on representatives only, so that the rest follows by symmetry.
        inverse = np.argsort(self.permutations, axis=1)
        full: Integers = self.full(part)
        for p in range(self.size):
            full[p] = inverse[self.mover[p]][full[p]]
        return full

    def nearest(self, k: Floats, band: int) -> Integers:
        """Patch on one of `bands` that is nearest to each momentum, shape (...)."""
        chosen = np.flatnonzero(self.band_of == band)
        away = k[..., None, :] - self.patches.points[chosen]
        away -= _TURN * np.round(away / _TURN)
        distance = np.square(away).sum(axis=-1)
        # Of those that are equal up to rounding the first.
        found = np.argmax(distance < distance.min(axis=-1, keepdims=True) + 1e-9, axis=-1)
        return np.asarray(chosen[found])

    def bare(self, interaction: Interaction) -> Numbers:
        """Vertex of an interaction, shape (R, P, P, B), in eV per cell.

        The fourth leg has the state of its patch.
        """
        require_invariant(interaction, self.patches.model)
        u = self.patches.states
        vertex = np.empty(self.shape, u.dtype)
        for r, p in enumerate(self.first):
            open_legs = np.einsum(
                "abcd,a,ib,jc->ijd", interaction.tensor, u[p].conj(), u.conj(), u, optimize=True
            )
            vertex[r] = np.einsum("ijd,ijsd->ijs", open_legs, u[self.fourth[p]])
        return vertex

    def full(self, part: Numbers) -> Numbers:
        """Vertex on all patches, shape (P, P, P, B), from one on representatives."""
        images = self.permutations[self.mover]
        return np.asarray(part[self._slot[:, None, None], images[:, :, None], images[:, None]])

    def loops(self, scale: float) -> tuple[Floats, Floats]:
        """Growth of both loops per eV as the scale falls, each of shape (R, P, P, B).

        Particle-particle loops at the total momentum of the first two patches, and particle-hole
        loops with the transfer from the second to the first.  Third axis: patch of the leg that
        the regulator moves; last axis: band of the other leg.
        """
        from nickbook.pairing.frg.kernels import loop_rates

        transfers, source, turn = self._transfers
        which, minus = REGULATORS.index(self.regulator), self.patches.minus
        found = loop_rates(self.splines, transfers, self.size, *self.shell(scale), scale, which)
        pp, ph = (
            np.take_along_axis(rates[source], turn[:, :, None], axis=1).reshape(self.shape)
            for rates in found
        )
        # The energies at q + k and at −q − k agree, so pairs of total momentum k_a + k_b are those
        # of transfer k_a − (−k_b) with the moving leg at −k.
        return np.ascontiguousarray(pp[:, minus][:, :, minus]), ph

    def pair_loops(self, scale: float) -> tuple[Singles, Singles]:
        """Loops like those of `loops`, by the patches of both legs.

        Shape (transfers, P, P), second axis for the moving leg; transfers as in `_transfers`, for
        particle-hole pairs and, read as total momenta of pairs with the moving leg at −k, both.
        """
        from nickbook.pairing.frg.kernels import pair_loop_rates

        found: tuple[Singles, Singles] = pair_loop_rates(
            self.splines,
            (self._owners, self.band_of),
            self.patches.points,
            self._transfers[0],
            *self.shell(scale),
            scale,
            REGULATORS.index(self.regulator),
        )
        return found

    @cached_property
    def _owners(self) -> Integers:
        """Patch nearest to all of each cell of a mesh of the zone by band; −1 if they are more."""
        corners = zone_mesh(_OWNER_MESH) % _TURN
        found = []
        for band in range(len(self.bands)):
            chosen = np.flatnonzero(self.band_of == band)
            tree = cKDTree(self.patches.points[chosen] % _TURN, boxsize=np.full(2, _TURN))
            own = chosen[tree.query(corners)[1]]
            others = [np.roll(own, (-a, -b), axis=(0, 1)) for a, b in ((0, 1), (1, 0), (1, 1))]
            found.append(np.where(np.equal(own, others).all(axis=0), own, -1))
        return np.array(found)

    @cached_property
    def _meaning(self) -> tuple[Integers, Integers]:
        """Transfer of each two patches, (P, P), and the patch for each in its loop, (P, P, P)."""
        _, source, turn = self._transfers
        moved = self.permutations[self.mover]
        place = self._slot[:, None] * self.size + moved
        there = np.take_along_axis(turn[place], moved[:, None], axis=-1)
        return source[place], np.argsort(there, axis=-1)

    @cached_property
    def _transfers(self) -> tuple[Floats, Integers, Integers]:
        """Transfers to work out; for each pair of patches, which it is, and its patches there.

        The pairs (a, b) and (−b, −a) have the same transfer.
        """
        r, b = (i.reshape(-1) for i in np.indices(self.shape[:2]))
        a, minus = self.first[r], np.asarray(self.patches.minus, dtype=np.int64)
        g = self.mover[minus[b]]
        other = self._slot[minus[b]] * self.size + self.permutations[g, minus[a]]
        own = np.arange(len(r))
        copied = other < own
        turn = np.where(copied[:, None], self.permutations[g], np.arange(self.size))
        done = np.flatnonzero(~copied)
        source = np.searchsorted(done, np.where(copied, other, own))
        points = self.patches.points
        return (points[a] - points[b])[done], source, turn

    def shell(self, scale: float) -> tuple[Floats, Integers, Floats]:
        """Points of the leg that the regulator moves at a scale, in the patches they belong to.

        Momenta with weights in states per eV, spin and cell, shape (n, 3), the patch of each, which
        is the nearest one of its band, and its energy in eV from the chemical potential.
        """
        from nickbook.pairing.frg.kernels import contour_points

        scale = real("scale", scale, above=0.0, unit="eV")
        parts = []
        for energy, weight in moving_levels(self.regulator, scale, self.reach):
            for b, (corners, middles) in enumerate(self._meshes):
                found = contour_points(corners, middles, energy)
                found[:, :2] = self._on_level(found[:, :2], b, energy)
                found[:, 2] *= weight
                parts.append((found, self.nearest(found[:, :2], b), np.full(len(found), energy)))
        points, labels, energies = (np.concatenate(part) for part in zip(*parts, strict=True))
        return points, labels, energies

    @property
    def reach(self) -> float:
        """Largest distance in eV of the bands with patches from the chemical potential."""
        return float(max(np.abs(part).max() for mesh in self._meshes for part in mesh))

    @cached_property
    def _meshes(self) -> list[tuple[Floats, Floats]]:
        """Energies of each band at the corners and centres of the cells."""
        corners = zone_mesh(self.mesh)
        found = []
        for k in (corners, corners + np.pi / self.mesh):
            energies = self.patches.model.band_energies(k)[..., self.bands] - self.patches.mu
            found.append(np.moveaxis(energies, -1, 0))
        return [(c.copy(), m.copy()) for c, m in zip(*found, strict=True)]

    @cached_property
    def splines(self) -> Floats:
        """Coefficients of the spline through each of `bands`, padded, shape (B, M + 3, M + 3)."""
        mesh = self.patches.model.band_energies(zone_mesh(_SPLINE_MESH)) - self.patches.mu
        tables = [spline_filter(mesh[..., band], 3, mode="grid-wrap") for band in self.bands]
        return np.array([np.pad(table, ((1, 2), (1, 2)), "wrap") for table in tables])

    def _on_level(self, k: Floats, band: int, energy: float) -> Floats:
        """Momenta moved onto the line of an energy, where it is near."""
        surface = self.patches.model.bands[self.bands[band]]
        for _ in range(3):
            value, velocity = surface.energy_and_velocity(k)
            miss = energy + self.patches.mu - value
            shift = velocity * (miss / np.maximum(np.square(velocity).sum(axis=-1), 1e-12))[:, None]
            near = np.abs(shift).max(axis=-1, initial=0.0) < _TURN / self.mesh / 2
            k = k + np.where(near[:, None], shift, 0.0)
        return k

    def derivative(self, part: Numbers, scale: float) -> Numbers:
        r"""Growth :math:`-d\Gamma/d\Lambda` per eV of a vertex like `bare`, of the same shape."""
        single = np.complex64 if np.iscomplexobj(part) else np.float32
        vertex = self.full(part.astype(single))
        # X[a, b, p] = Γ[p, a, b] and C[a, b, p] = 2 Γ[a, p, b] − X[a, b, p].
        x = np.ascontiguousarray(vertex.transpose(1, 2, 0, 3))
        c = np.ascontiguousarray(2 * vertex.swapaxes(1, 2) - x)
        rate = (self._external if self.projection == "external" else self._internal)(
            (vertex, x, c), scale
        )
        # The increments are rounded to 1e-6 of the largest one, the vertex itself is not.
        return self.symmetrized(rate.astype(part.dtype))

    def _parts(self) -> tuple[bool, bool, bool, bool]:
        """Whether pairs, charge, spin in the direct and spin in the crossed diagram are kept."""
        return (
            "pp" in self.keep,
            not {"ph-direct", "charge"}.isdisjoint(self.keep),
            not {"ph-direct", "spin"}.isdisjoint(self.keep),
            not {"ph-crossed", "spin"}.isdisjoint(self.keep),
        )

    def _external(self, vertices: tuple[Numbers, Numbers, Numbers], scale: float) -> Numbers:
        from nickbook.pairing.frg.kernels import external_rate

        first, columns = self.first, self.size * len(self.bands)
        vertex, x, c = vertices
        pp, ph = (loop.astype(np.float32) for loop in self.loops(scale))
        ph_all = self.full(ph)
        weighted = (
            pp * vertex[first],
            pp * vertex[:, first].swapaxes(0, 1),
            ph * c[first],
            np.ascontiguousarray((ph_all[:, first] * c[:, first]).swapaxes(0, 1)),
            ph_all * x,
        )
        rate: Numbers = external_rate(
            tuple(a.reshape(*a.shape[:2], columns) for a in vertices),
            tuple(a.reshape(*a.shape[:2], columns) for a in weighted),
            (first, self.fourth[first]),
            self._parts(),
        )
        return rate

    def _internal(self, vertices: tuple[Numbers, Numbers, Numbers], scale: float) -> Numbers:
        from nickbook.pairing.frg.kernels import internal_holes, internal_pairs

        vertex, x, c = (a.reshape(*a.shape[:2], -1) for a in vertices)
        pp, ph = self.pair_loops(scale)
        where = (self.first, self.band_of, np.asarray(self.patches.minus), *self._meaning)
        pairs, charge, direct, crossed = self._parts()
        rate = np.zeros(self.shape, vertex.dtype)
        if pairs:
            rate -= internal_pairs(vertex, pp, where).reshape(self.shape)
        if charge:
            rate -= internal_holes(c, ph, where).reshape(self.shape).swapaxes(1, 2) / 2
        if not (direct or crossed):
            return rate
        spin = internal_holes(x, ph, where).reshape(self.shape)
        if direct:
            rate += spin.swapaxes(1, 2) / 2
        if crossed:
            # The crossed diagram for legs (1, 2, 3) is that of X for (2, 3, 1).
            moved = self.permutations[self.mover]
            rate += spin[self._slot[None, :, None], moved[None], moved[:, self.first].T[:, :, None]]
        return rate

    def symmetrized(self, rate: Numbers) -> Numbers:
        """Mean over entries that crossing and Hermiticity make equal, of the same shape."""
        root, conjugate, is_real = self._sources
        flat, size = rate.reshape(-1), rate.size
        share = 1 / np.bincount(root, minlength=size)[root]
        if not np.iscomplexobj(flat):
            mean = np.bincount(root, flat * share, size)[root]
            return np.asarray(mean.reshape(self.shape))
        flat = np.where(conjugate, flat.conj(), flat) * share
        imaginary = np.where(is_real, 0.0, np.bincount(root, flat.imag, size))
        both = (np.bincount(root, flat.real, size) + 1j * imaginary)[root]
        return np.where(conjugate, both.conj(), both).reshape(self.shape)

    @cached_property
    def _sources(self) -> tuple[Integers, NDArray[np.bool_], NDArray[np.bool_]]:
        """For each entry the first one that it equals, if conjugated; entries that are real."""
        entries = np.arange(np.prod(self.shape))
        root, conjugate = entries.copy(), np.zeros(entries.shape, bool)
        is_real = np.zeros(entries.shape, bool)
        for flipped, image in self._images():
            there = np.flatnonzero(image >= 0)
            other = image.reshape(-1)[there]
            turned = conjugate[other] ^ flipped
            odd = (root[other] == root[there]) & (turned != conjugate[there])
            is_real[root[there[odd]]] = True
            closer = root[other] < root[there]
            root[there[closer]], conjugate[there[closer]] = root[other[closer]], turned[closer]
        return root, conjugate, is_real

    def _images(self) -> list[tuple[bool, Integers]]:
        """Entry with the same four patches after each exchange of legs, or −1 if there is none.

        The exchanges are (2,1;4,3), (3,4;1,2) and (4,3;2,1); the last two conjugate.
        """
        p1 = self.first[:, None, None, None]
        p2, p3 = np.arange(self.size)[:, None, None], np.arange(self.size)[:, None]
        p4, band = self.fourth[self.first], self.band_of
        found: list[tuple[bool, Integers]] = []
        for legs in ((p2, p1, p4, p3), (p3, p4, p1, p2), (p4, p3, p2, p1)):
            a, b, c, d = np.broadcast_arrays(*legs)
            closes = self.fourth[a, b, c, band[d]] == d
            g = self.mover[a]
            place = (self._slot[a], self.permutations[g, b], self.permutations[g, c], band[d])
            image = np.ravel_multi_index(place, self.shape)
            found.append((len(found) > 0, np.where(closes, image, -1)))
        return found
