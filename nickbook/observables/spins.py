r"""Neutrons: the spin response of a superconductor at finite energy and zero temperature.

For pairs of orbitals :math:`p = (a, c)` it is half of the response of
:math:`c^\dagger_{a\uparrow}c_{c\uparrow} - c^\dagger_{a\downarrow}c_{c\downarrow}`, which without
a gap is the response of one spin, as in `Susceptibility`.  States with a gap are those of

.. math:: \begin{pmatrix} h(k) - \mu & \Delta(k) \\ \Delta(k)^\dagger & \mu - h(k) \end{pmatrix}

with partners of a pair related by time reversal; matrix elements between them hold the coherence
factors :math:`\frac12(1 - (\xi\xi' + \Delta\Delta')/EE')`.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Complexes, Energy, Floats, Integers
from nickbook.bands import BlochModel, FermiSea
from nickbook.bands.lattice import in_pi
from nickbook.checks import momenta, positive_integer, real
from nickbook.observables.gaps import Gap, GapField, finite, layer_operator, refined
from nickbook.pairing import GapFunction, Interaction, orbital_pairs
from nickbook.results import Result, span

#: Momenta whose matrix elements are held at a time.
_CHUNK = 4000
#: Points of a line among which the threshold is looked for.
_POINTS = 2048


@dataclass(frozen=True, eq=False)
class SpinSpectrum(Result):
    """Response of the spins at one momentum with a gap; made by `spin_spectrum`.

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    gap : GapFunction
        The gap on the Fermi sheets.
    q : tuple of float
        Momentum in the plane.
    energies : ndarray, shape (E,)
        Energies in eV.
    broadening : float
        Imaginary part of the energies in eV.
    mesh : int
        Points along each direction of the mesh.
    pairs : ndarray of int, shape (P, 2)
        Pairs (a, c) of orbitals that number rows and columns.
    bare : ndarray, shape (E, P, P)
        Response without interaction, in 1/eV per cell and per spin.
    thresholds : tuple of float
        Smallest energy of two quasiparticles that q joins, one of them on a Fermi sheet, in eV: of
        bands of equal and of opposite mirror parity; where bands have none, of all of them, twice.
    signs : tuple of float
        Sign of the product of their two gaps: where it is -1, pairs of quasiparticles absorb right
        from the threshold; zero without gaps.

    Examples
    --------
    >>> from nickbook.bands import bilayer_hubbard
    >>> from nickbook.observables import spin_spectrum
    >>> found = spin_spectrum(
    ...     bilayer_hubbard(1.0), 0.3, gap=lambda k: [[0.2, -0.2]] * len(k), q=(2.5, 2.5),
    ...     energies=[0.3, 0.5], broadening=0.1, mesh=32,
    ... )
    >>> found.signs, round(found.thresholds[1], 3)
    ((1.0, -1.0), 0.4)
    """

    sea: FermiSea
    gap: GapFunction
    q: Annotated[tuple[float, float], "1/a"]
    energies: Annotated[Floats, "eV", "energy"]
    broadening: Energy
    mesh: int
    pairs: Annotated[Integers, "", "pair", "end"]
    bare: Annotated[Complexes, "1/eV", "energy", "pair", "other pair"]
    thresholds: Annotated[tuple[float, float], "eV"]
    signs: tuple[float, float]

    def _words(self) -> str:
        edges = ", ".join(
            f"{word} from {1e3 * edge:.4g} meV"
            for word, edge in zip(("even", "odd"), self.thresholds, strict=True)
        )
        energies = span(1e3 * self.energies, "meV")
        return f"q {in_pi(self.q)}, {energies}, {edges}, {self.mesh}² momenta, {self.gap!r}"

    def dressed(self, interaction: Interaction) -> Complexes:
        """Response in the random-phase approximation, shape (E, P, P).

        Raises ValueError if the interaction acts on other pairs, or has other orbitals.
        """
        vertex = self._vertex(interaction)
        return np.asarray(np.linalg.solve(np.eye(len(vertex)) - self.bare @ vertex, self.bare))

    def absorption(self, interaction: Interaction | None = None, *, parity: int = -1) -> Floats:
        """Imaginary part χ″ in 1/eV per cell and per spin, shape (E,).

        Of spins that point alike in both layers (`parity` +1) or oppositely (-1), with an
        interaction in the random-phase approximation.  Raises ValueError as `dressed` does, and
        for -1 where the model does not tell its layers apart.
        """
        response = self.bare if interaction is None else self.dressed(interaction)
        v = self._operator(parity)
        return np.asarray(np.einsum("p,epr,r->e", v, response, v).imag)

    def at_height(self, phase: ArrayLike, interaction: Interaction | None = None) -> Floats:
        r"""Imaginary part at a phase :math:`q_z d` between the layers, shape (..., E).

        .. math:: \chi''_\text{even}\cos^2(q_z d/2) + \chi''_\text{odd}\sin^2(q_z d/2)
        """
        half = np.asarray(phase, dtype=float)[..., None] / 2
        even, odd = (self.absorption(interaction, parity=p) for p in (1, -1))
        return np.asarray(even * np.cos(half) ** 2 + odd * np.sin(half) ** 2)

    def strengths(self, interaction: Interaction, *, parity: int = -1) -> Complexes:
        """Largest eigenvalue of the bare response times the vertex at each energy, shape (E,).

        In the channel that is even (+1) or odd (-1) under exchange of the layers, or in all where
        the model has no mirror.  Its real part passes one at an undamped resonance.
        """
        vertex, projector = self._vertex(interaction), self._projector(parity)
        values = np.linalg.eigvals(projector @ self.bare @ vertex @ projector)
        best = values.real.argmax(axis=-1)
        return np.asarray(np.take_along_axis(values, best[:, None], axis=-1)[:, 0])

    def resonance(self, interaction: Interaction, *, parity: int = -1) -> float | None:
        """Energy in eV of the bound state below the threshold, or None.

        It is where the real part of `strengths` first passes one, between two of the `energies`,
        which must increase.  The broadening rounds off what diverges at the threshold, and hides a
        resonance that is closer to it.  Raises ValueError if the state orders: the strength exceeds
        one at the lowest energy.
        """
        if (np.diff(self.energies) <= 0).any():
            raise ValueError("energies do not increase; allowed: ascending energies from near zero")
        strength = self.strengths(interaction, parity=parity).real
        if strength[0] >= 1:
            raise ValueError(
                f"interaction: the spins order, with a strength of {strength[0]:.4g} at "
                f"{self.energies[0]:.4g} eV; allowed: an interaction weaker by that factor"
            )
        threshold = self.thresholds[0 if parity == 1 else 1]
        for i in np.flatnonzero((strength[:-1] < 1) & (strength[1:] >= 1)):
            step = (1 - strength[i]) / (strength[i + 1] - strength[i])
            energy = self.energies[i] + step * (self.energies[i + 1] - self.energies[i])
            if energy < threshold:
                return float(energy)
        return None

    def _vertex(self, interaction: Interaction) -> Floats:
        if len(interaction.tensor) != len(self.sea.model.orbitals):
            raise ValueError(
                f"interaction of {len(interaction.tensor)} orbitals; allowed: "
                f"{len(self.sea.model.orbitals)}, as in {self.sea.model.name!r}"
            )
        return interaction.vertex("spin", self.pairs)

    def _operator(self, parity: int) -> Floats:
        n = len(self.sea.model.orbitals)
        matrix = np.eye(n) if _sign(parity) == 1 else layer_operator(self.sea.model)
        vector: Floats = matrix[self.pairs[:, 0], self.pairs[:, 1]]
        return vector

    def _projector(self, parity: int) -> Floats:
        _sign(parity)
        one, mirror = np.eye(len(self.pairs)), self.sea.model.mirror
        if mirror is None:
            return one
        a, c = self.pairs.T
        return (one + parity * mirror[np.ix_(a, a)] * mirror[np.ix_(c, c)]) / 2


def spin_spectrum(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    gap: Gap,
    q: tuple[float, float],
    energies: ArrayLike,
    broadening: float = 4e-3,
    mesh: int = 192,
) -> SpinSpectrum:
    """Response of the spins to a field of one momentum, with coherence factors, at T = 0.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart; partners of a pair are
        related by time reversal in the model's orbitals.
    gap : GapFunction or callable
        The gap of a singlet, as for `gap_on_sheets`.  One that is given on lines only is extended:
        each band has the gap of the closest point of its lines.
    q : tuple of float
        Momentum in the plane in inverse lattice constants.
    energies : array_like, shape (E,)
        Energies in eV.
    broadening : float, optional
        Imaginary part of the energies in eV; the spacing of levels on the mesh, about the Fermi
        velocity times 2π/`mesh`, should not exceed a few of it.
    mesh : int, optional
        Points along each direction.

    Returns
    -------
    SpinSpectrum
        The response, for any interaction, and the thresholds of pair creation.

    Raises
    ------
    TypeError, ValueError
        As for `gap_on_sheets`, for a triplet, or for numbers out of range.

    Notes
    -----
    The cost is that of mesh² Bogoliubov matrices and of as many sums for each energy; half of it
    where the reflection ky → −ky leaves q, bands and gap alone.

    Examples
    --------
    >>> from nickbook.bands import bilayer_hubbard
    >>> from nickbook.observables import spin_spectrum
    >>> found = spin_spectrum(
    ...     bilayer_hubbard(1.0), 0.3, gap=lambda k: 0.2 + 0 * k[:, 0], q=(2.5, 2.5),
    ...     energies=[0.3, 0.8], broadening=0.1, mesh=32,
    ... )
    >>> below, above = found.absorption(parity=-1)
    >>> bool(below < above)
    True
    """
    sea = FermiSea.of(sea, mu)
    field = GapField(sea, gap)
    if field.on_sheets.spin == "triplet":
        raise ValueError("gap is a triplet; allowed: singlets, whose spin response is isotropic")
    x, y = momenta("q", q, 2).tolist()
    width = real("broadening", broadening, above=0.0, unit="eV")
    size = positive_integer("mesh", mesh, at_least=4)
    e = finite("energies", energies)
    pairs = orbital_pairs(sea.model)
    edges = [_threshold(field, np.array([x, y]), parity) for parity in (1, -1)]
    return SpinSpectrum(
        sea=sea,
        gap=field.on_sheets,
        q=(x, y),
        energies=e,
        broadening=width,
        mesh=size,
        pairs=pairs,
        bare=_bare(field, np.array([x, y]), e + np.complex128(1j * width), size, pairs),
        thresholds=(edges[0][0], edges[1][0]),
        signs=(edges[0][1], edges[1][1]),
    )


def _sign(parity: int) -> int:
    if parity not in (1, -1):
        raise ValueError(f"parity = {parity!r}; allowed: 1 for even, -1 for odd")
    return parity


def _bare(field: GapField, q: Floats, z: Complexes, size: int, pairs: Integers) -> Complexes:
    a, c = pairs.T
    n = len(field.sea.model.orbitals)
    total = np.zeros((len(z), len(pairs), len(pairs)), complex)
    points, weights = _mesh(field, q, size)
    for start in range(0, len(points), _CHUNK):
        k, w = points[start : start + _CHUNK], weights[start : start + _CHUNK]
        (e, u), (f, v) = field.quasiparticles(k), field.quasiparticles(k + q)
        for here, there, sign in (
            (slice(0, n), slice(n, 2 * n), 1),
            (slice(n, 2 * n), slice(0, n), -1),
        ):
            left, right = u[:, :, here].conj(), v[:, :, there]
            # A spin lowers what it raises: the holes of a pair (a, c) are those of (c, a).
            element = np.einsum("kpm,kpn->pkmn", left[:, a], right[:, c])
            element += np.einsum("kpm,kpn->pkmn", left[:, n + c], right[:, n + a])
            rows = element.reshape(len(pairs), -1)
            columns = rows.conj().T
            apart = (f[:, None, there] - e[:, here, None]).ravel()
            share = np.repeat(sign * w / 2, n * n)
            for i, energy in enumerate(z):
                total[i] += (rows * (share / (apart - energy))) @ columns
    return total


def _mesh(field: GapField, q: Floats, size: int) -> tuple[Floats, Floats]:
    """Momenta and weights; ky from 0 to π only where the reflection leaves everything alone."""
    x = 2 * np.pi * np.arange(size) / size
    folds = q[1] == 0 and size % 2 == 0 and _even_in_y(field)
    y = x[: size // 2 + 1] if folds else x
    k = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    twice = folds & ~np.isin(y, (y[0], y[-1]))
    return k, np.tile(np.where(twice, 2.0, 1.0) / size**2, size)


def _even_in_y(field: GapField) -> bool:
    """Whether bands and gap are the same at (kx, −ky), the gap up to its sign."""
    k = np.random.default_rng(0).uniform(-np.pi, np.pi, (16, 2))
    flipped = k * [1, -1]
    model = field.sea.model
    here, there = field.matrices(k), field.matrices(flipped)
    scale = max(float(np.abs(here).max()), 1e-12)
    same = min(float(np.abs(here - there).max()), float(np.abs(here + there).max()))
    bands = float(np.abs(model.hamiltonian(k) - model.hamiltonian(flipped)).max())
    return same < 1e-9 * scale and bands < 1e-9


def _threshold(field: GapField, q: Floats, parity: int) -> tuple[float, float]:
    """Smallest energy of two quasiparticles of a channel at q, and the sign of their gaps."""
    sea = field.sea
    parities, best = np.array(sea.model.parity), (np.inf, 0.0)
    for sheet, values in zip(field.on_sheets.sheets, field.on_sheets.values, strict=True):
        line = refined(sheet, values, _POINTS)
        allowed = parities * sheet.parity * parity >= 0
        if not allowed.any():
            continue
        for way in (q, -q):
            k = line.points + way
            levels, states = sea.model.states(k)
            gaps = field.of_bands(k, states)
            total = line.size[:, None] + np.hypot(levels - sea.mu, gaps)
            total = np.where(allowed, total, np.inf)
            i, j = np.unravel_index(total.argmin(), total.shape)
            if total[i, j] < best[0]:
                best = float(total[i, j]), float(np.sign(line.gap[i] * gaps[i, j]))
    return best
