"""What a vertex on patches favours: eigenmodes of its pairing, spin and charge parts."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigvalsh

from nickbook.arrays import Floats, Integers
from nickbook.bands.lattice import in_pi
from nickbook.bands.patches import FermiPatches
from nickbook.checks import momenta, one_of
from nickbook.pairing.frg.equation import FlowEquation, Numbers
from nickbook.pairing.gap import GapFunction
from nickbook.results import Result

#: Momenta of density waves.
Momenta = tuple[tuple[float, float], ...]
PAIRING = ("singlet", "triplet")
DENSITY = ("spin", "charge")


@dataclass(frozen=True, eq=False)
class FlowMode(Result):
    """An eigenmode of the vertex in one channel.

    Parameters
    ----------
    channel : {"singlet", "triplet", "spin", "charge"}
        Kind of order.
    momentum : tuple of float
        Its momentum; zero for pairing.
    eigenvalue : float
        Dimensionless strength: positive where the mode grows.
    representation : str
        For pairing: the representation of the square's point group.  For densities: that of the
        symmetries that leave the momentum alone, C4v, C2v or Cs.  Empty for other models.
    values : ndarray, shape (P,) or (P, B)
        Pairing: the gap on the patches, largest magnitude one and positive.  Spin and charge: the
        amplitude of the pair of a patch p and the momentum p + q on each band, normalized.
    patches : FermiPatches
        The patches.

    Examples
    --------
    A bare repulsion weakens pairs without nodes:

    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import FlowEquation, Vertex, kanamori
    >>> equation = FlowEquation(FermiSea(bilayer_hubbard(2.0), -0.5).patches(8), mesh=16)
    >>> vertex = Vertex(equation, equation.bare(kanamori((0, 1), U=2.0, J=0.0)))
    >>> mode = vertex.pairing_modes("singlet")[-1]
    >>> mode.name, mode.gap_function().kind, bool(mode.eigenvalue < 0)
    ('singlet A1', 's++', True)
    """

    channel: str
    momentum: Annotated[tuple[float, float], "1/a"]
    eigenvalue: float
    representation: str
    values: Annotated[Numbers, "", "patch", "band"]
    patches: FermiPatches

    def _words(self) -> str:
        return f"{self.name}, eigenvalue {self.eigenvalue:.4g}, {len(self.values)} patches"

    def _picture(self) -> str:
        pairs = self.channel in PAIRING and not np.iscomplexobj(self.values)
        return self.gap_function()._picture() if pairs else ""

    @property
    def name(self) -> str:
        """Name of the mode: channel, then representation or momentum in units of π."""
        if self.channel in PAIRING:
            return f"{self.channel} {self.representation}".strip()
        return f"{self.channel} {in_pi(self.momentum)}"

    def gap_function(self) -> GapFunction:
        """Return the pairing mode as a gap function, in units of its largest value.

        Raises ValueError for a spin or charge mode, or complex Bloch states.
        """
        if self.channel not in PAIRING or np.iscomplexobj(self.values):
            raise ValueError(
                f"a {self.channel} mode with {self.values.dtype} values is no real gap; take a "
                "pairing mode of a model with real Bloch states"
            )
        return GapFunction(
            self.patches.sheets,
            self.patches.split(self.values.real),
            spin=self.channel,
            representation=self.representation,
        )


@dataclass(frozen=True, eq=False)
class Vertex(Result):
    """A vertex on patches.

    Parameters
    ----------
    equation : FlowEquation
        The patches and their order.
    part : ndarray, shape (R, P, P, B)
        The vertex in eV per cell, first leg on representative patches.

    Examples
    --------
    A band of two sites feels half of the repulsion on each:

    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import FlowEquation, Vertex, kanamori
    >>> equation = FlowEquation(FermiSea(bilayer_hubbard(2.0), -0.5).patches(8), mesh=16)
    >>> vertex = Vertex(equation, equation.bare(kanamori((0, 1), U=2.0, J=0.0)))
    >>> round(float(abs(vertex.full).max()), 6)
    1.0
    """

    equation: FlowEquation
    part: Annotated[Numbers, "eV", "first", "second", "third", "band"]

    def _words(self) -> str:
        return f"up to {np.abs(self.part).max():.4g} eV per cell, {self.equation!r}"

    @cached_property
    def full(self) -> Numbers:
        """Γ[p1, p2, p3, band of 4] on all patches in eV per cell, shape (P, P, P, B)."""
        return self.equation.full(self.part)

    def pairing_vertex(self, channel: str) -> Numbers:
        r"""Vertex between pairs (k, −k) and (k′, −k′) of one band each, GLYWH :math:`V_S(k, k')`.

        The part that is even ("singlet") or odd ("triplet") in k′, in eV per cell, shape (P, P);
        positive is repulsive.
        """
        one_of("channel", channel, PAIRING)
        p = np.arange(self.equation.size)
        minus = self.equation.patches.minus
        ahead = self.full[p[:, None], minus[:, None], p[None], self.equation.band_of[None]]
        sign = 1 if channel == "singlet" else -1
        vertex: Numbers = (ahead + sign * ahead[:, minus]) / 2
        return (vertex + vertex.conj().T) / 2

    def pairing_modes(self, channel: str) -> list[FlowMode]:
        r"""All modes of "singlet" or "triplet" pairs, half as many as patches, the strongest first.

        The gap solves :math:`\lambda\Delta(k) = -\sum_{k'} V(k, k')\, w_{k'}\, \Delta(k')` with the
        densities of states w of the patches, so that in weak coupling
        :math:`T_c \sim \Lambda e^{-1/\lambda}`.
        """
        patches = self.equation.patches
        root = np.sqrt(patches.weights)
        matrix = -root[:, None] * self.pairing_vertex(channel) * root
        modes = []
        for name, basis in patches.symmetry_functions(1 if channel == "singlet" else -1).items():
            eigenvalues, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
            for eigenvalue, vector in zip(eigenvalues, (basis @ vectors).T, strict=True):
                values = vector / root
                values = values / values[np.argmax(np.abs(values).round(9))]
                strength, place = float(eigenvalue), (0.0, 0.0)
                modes.append(FlowMode(channel, place, strength, name, values, patches))
        return sorted(modes, key=lambda mode: -mode.eigenvalue)

    def density_modes(
        self, channel: str, momentum: ArrayLike, scale: float, *, count: int = 1
    ) -> list[FlowMode]:
        r"""Spin or charge density waves of one momentum q, the `count` strongest first.

        The pair of a patch p and the momentum p + q on a band counts with the density of states of
        the patch and, at a scale Λ in eV, the share Λ/(Λ + |ξ(p + q)|), which is one on the Fermi
        sheets.  That share is a choice; the susceptibilities of `Responses` need none.
        """
        q = momenta("momentum", momentum, 2)
        eigenvalues, vectors = np.linalg.eigh(self._density_matrix(channel, q, scale))
        shape = (self.equation.size, len(self.equation.bands))
        place, patches = (float(q[0]), float(q[1])), self.equation.patches
        modes = []
        for i in range(1, count + 1):
            values = vectors[:, -i].reshape(shape)
            amplitude = values / np.sqrt(patches.weights)[:, None]
            name = patches.representation(amplitude, q)[0] if patches.has_square_group else ""
            modes.append(FlowMode(channel, place, float(eigenvalues[-i]), name, values, patches))
        return modes

    def density_vertex(self, channel: str, q: Floats) -> Numbers:
        """Attraction between pairs (p, p + q), as a Hermitian matrix of shape (P·B, P·B) in eV."""
        one_of("channel", channel, DENSITY)
        p = np.arange(self.equation.size)
        partner = partners(self.equation, q)[:, :, None]
        attraction = self.full[p, partner, p[:, None, None]]
        if channel == "charge":
            attraction = attraction - 2 * self.full[partner, p, p[:, None, None]]
        matrix = attraction.reshape(self.equation.size * len(self.equation.bands), -1)
        return np.asarray((matrix + matrix.conj().T) / 2)

    def leading_eigenvalues(self, scale: float, places: Momenta) -> dict[str, float]:
        """Largest eigenvalue of each channel by name, as the modes have it."""
        found: dict[str, float] = {}
        for channel in PAIRING:
            # Later ones, which are stronger, take the place of earlier ones.
            modes = reversed(self.pairing_modes(channel))
            found |= dict(sorted({mode.name: mode.eigenvalue for mode in modes}.items()))
        for channel in DENSITY:
            for place in places:
                matrix = self._density_matrix(channel, np.array(place), scale)
                # Lanczos iterations do not always converge on these matrices.
                last = len(matrix) - 1
                largest = eigvalsh(matrix, subset_by_index=[last, last])
                found[f"{channel} {in_pi(place)}"] = float(largest[0])
        return found

    def _density_matrix(self, channel: str, q: Floats, scale: float) -> Numbers:
        """`density_vertex` times the square roots of the weights of its pairs (p, p + q)."""
        patches, bands = self.equation.patches, self.equation.bands
        energies = patches.model.band_energies(patches.points + q)[:, bands] - patches.mu
        root = np.sqrt(patches.weights[:, None] * scale / (scale + np.abs(energies))).reshape(-1)
        return np.asarray(root[:, None] * self.density_vertex(channel, q) * root)


def partners(equation: FlowEquation, q: Floats) -> Integers:
    """Patch nearest to p + q on each band, shape (P, B), chosen alike at symmetric places."""
    patches, p, mover = equation.patches, np.arange(equation.size), equation.mover
    turned = np.array([g.momentum(q) for g in patches.symmetries])[mover]
    k = patches.points[equation.permutations[mover, p]] + turned
    inverse = np.argsort(equation.permutations, axis=1)[mover]
    nearest = [inverse[p, equation.nearest(k, b)] for b in range(len(equation.bands))]
    return np.stack(nearest, axis=-1)
