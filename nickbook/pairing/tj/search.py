"""Mean-field theory of singlet pairs on the bonds of a t-J model, GLYWH Eqs. 3 and 35-48."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import hadamard
from scipy.optimize import brentq

from nickbook.arrays import Floats
from nickbook.bands import chemical_potential, zone_mesh
from nickbook.checks import one_of, positive_integer, real
from nickbook.pairing.tj.bogoliubov import Bogoliubov
from nickbook.pairing.tj.free_energy import SMALLEST, Problem
from nickbook.pairing.tj.linear import PairKernel
from nickbook.pairing.tj.model import Bands, BondModel
from nickbook.pairing.tj.solution import PairAmplitudes, TJSolution, spread
from nickbook.progress import meter, track

CHANNELS = ("lowest", "s", "d", "s+d", "full")

#: Largest share by which a gap equation may miss on a mesh displaced by half a step.
LARGEST_MESH_ERROR = 0.05
_LARGEST_RESIDUAL = 1e-9
_KERNEL_ERROR = 0.01
_COARSE = 32
#: Sizes of starts along the growing pairs, in units of the temperature.
_SHARES = (3, 2, 1.3, 0.8, 0.5, 0.25, 0.1, 0.03)


class UnresolvedGapError(ValueError):
    """The mesh is too coarse for the gap."""


class TJModel(BondModel):
    r"""The t-J model of GLYWH Eq. 3 in mean field.

    The exchange :math:`J(S_iS_j - n_in_j/4) = -J\,b^\dagger b` of a bond (GLYWH Eqs. 3 and 35),
    with b its singlet (GLYWH Eqs. 4 and 36), gives

    .. math:: F = \sum \frac{|\Delta_{s,d}|^2}{J} + \sum \frac{2|\Delta_{inter}|^2}{J'}
        + F_0[\Delta]

    per cell (GLYWH Eq. 37), summed over orbitals, layers and s, d, with the free energy
    :math:`F_0` of GLYWH Eq. 40.  The gap equations, GLYWH Eqs. 46-48, say that F is stationary.

    Parameters
    ----------
    bands : BlochModel, FermiSea or sequence of either
        Bands with time reversal, such as `four_band`, or planes of one crystal such as
        `bilayer_plane` at several kz, over which the pairs are averaged.  Seas carry their filling.
    J1, J2 : float
        Exchange between neighbours in a layer for orbitals 1 (x²−y²) and 2 (z²), in eV.
    J1_inter, J2_inter : float
        Exchange between the layers in eV, printed as J'.
    convention : {"bond", "eq46-47", "eq48", "eq37"}
        How the constants enter: as H_J gives it, or as an equation of the paper is printed, which
        multiplies J and J' by the factors of `CONVENTIONS`.
    neighbors : array_like, shape (2, 2)
        The two neighbours of a site in primitive vectors: ((1, 1), (1, -1)) for `bilayer_plane`.
    layers : sequence of sequence of int, optional
        Indices of the orbitals (1, 2) of each layer; read from the model's `sites` when not given.
    bond_fields : {"none", "fock", "hartree-fock"}
        Normal averages of the bonds: none as printed, hoppings, or hoppings and densities.

    Raises
    ------
    TypeError, ValueError
        For constants or words out of range, bands without the layers' orbitals or with the spin
        written out, or planes that are not alike.

    Notes
    -----
    The hole block of Eq. 40 is taken as −h(k): the time-reversed partner of a state on the plane kz
    lies on the plane −kz.  That is not checked: matrices of one plane do not tell a crystal with
    time reversal from a model without it.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.pairing import TJModel
    >>> sea = FermiSea.at(four_band(), filling=3)
    >>> model = TJModel(sea, J1=0.15, J2=0.075, J1_inter=0.03, J2_inter=0.375, convention="eq48")
    >>> model.solve(mesh=64).gap_function().channel
    'singlet A1'
    """

    #: Which free energy the search makes stationary.
    _problem: ClassVar[type[Problem]] = Problem

    @property
    def _has_fields(self) -> bool:
        """Whether the bands of the normal state depend on its averages."""
        return self.bond_fields != "none"

    def _prepared(self, filling: float, temperature: float, mesh: int) -> "TJModel":
        """Return the model with all that a solution needs to know."""
        return self

    def solve(
        self,
        filling: float | None = None,
        *,
        temperature: float = 0.0,
        channel: str = "lowest",
        mesh: int = 128,
        hold_mu: bool = False,
        start: PairAmplitudes | None = None,
    ) -> TJSolution:
        """Solve the gap equations, GLYWH Eqs. 46, 47 and 48, at their lowest free energy.

        `tj_mean_field` says what it takes, returns and raises.
        """
        one_of("channel", channel, CHANNELS)
        filling = self.filling(filling)
        temperature = real("temperature", temperature, at_least=0.0, unit="eV")
        mesh = positive_integer("mesh", mesh, at_least=8)
        search = _Search(
            self._prepared(filling, temperature, mesh), filling, temperature, mesh, hold_mu
        )
        if channel == "full":
            if start is None:
                raise ValueError('start = None; channel "full" needs PairAmplitudes to start from')
            return search.full(start)
        found, coarse = [], []
        for name in ("s", "d") if channel == "lowest" else (channel,):
            try:
                if (solution := search.channel(name)) is not None:
                    found.append(solution)
            except UnresolvedGapError as error:
                coarse.append(error)
        if found:
            return min(found, key=lambda solution: solution.free_energy)
        if coarse:
            raise coarse[0]
        return search.normal()

    def critical_temperature(
        self, filling: float | None = None, *, channel: str = "s", mesh: int = 256
    ) -> float:
        """Temperature at which the linearized gap equations have the eigenvalue one.

        `tj_critical_temperature` says what it takes, returns and raises.
        """
        one_of("channel", channel, ("s", "d"))
        filling = self.filling(filling)
        mesh = positive_integer("mesh", mesh, at_least=8)
        plain = PairKernel.of(self, channel, mesh)
        if not len(plain.stiffness):
            return 0.0

        def kernel(temperature: float, shift: float = 0.0) -> PairKernel:
            """Of the normal state: pairs and bond fields do not mix in first order."""
            if not self._has_fields:
                return PairKernel.of(self, channel, mesh, shift) if shift else plain
            bonds = self._prepared(filling, temperature, mesh)
            normal = _Search(bonds, filling, temperature, mesh, hold_mu=False).normal()
            return PairKernel.of(bonds, channel, mesh, shift, normal.models)

        def excess(log_t: float, shift: float = 0.0) -> float:
            temperature = float(np.exp(log_t))
            if not shift:
                step(words=f"{temperature:.3g} eV")
            found = kernel(temperature)
            mu = found.level(filling, temperature)
            if shift:
                found = kernel(temperature, shift)
            return found.eigenvalue(temperature, mu) - 1

        width = max(float(np.ptp(e)) for e in plain.energies)
        low, top = np.log(width / (10 * mesh)), np.log(width)
        with meter(f"critical temperature, {channel}") as step:
            while excess(top) > 0:
                top += 1.0
            found = float(brentq(excess, low, top, xtol=1e-10)) if excess(low) > 0 else -np.inf
        if not np.isfinite(found) or abs(excess(found, shift=0.5)) > _KERNEL_ERROR:
            raise UnresolvedGapError(
                f"mesh = {mesh} is too coarse for the critical temperature in channel {channel!r}, "
                f"found at {np.exp(found):.2g} eV; allowed: a finer mesh or larger exchange "
                "constants"
            )
        return float(np.exp(found))


def tj_mean_field(
    model: Bands | Sequence[Bands],
    filling: float | None = None,
    *,
    temperature: float = 0.0,
    channel: str = "lowest",
    mesh: int = 128,
    hold_mu: bool = False,
    start: PairAmplitudes | None = None,
    **bonds: Any,
) -> TJSolution:
    """Solve the gap equations of the t-J model in one call: `TJModel.solve`.

    Parameters
    ----------
    model : BlochModel, FermiSea or sequence of either
        Bands, or planes of one crystal.
    filling : float, optional
        Electrons per cell; that of the sea when not given.
    temperature : float
        In eV.
    channel : {"lowest", "s", "d", "s+d", "full"}
        Which amplitudes may differ from zero.  "s" includes those between the layers; "lowest"
        takes the lower one of "s" and "d"; "s+d" has both, real; "full" has complex amplitudes
        of each layer, and needs `start`.
    mesh : int
        Points along each direction of the zone.
    hold_mu : bool
        Keep the chemical potential that the normal state has at T = 0, instead of the filling.
    start : PairAmplitudes, optional
        Amplitudes to start from, for "full".
    **bonds : float, str or array_like
        ``J1``, ``J2``, ``J1_inter``, ``J2_inter``, ``convention``, ``neighbors``, ``layers`` and
        ``bond_fields``, as for `TJModel`; J1 must be given.

    Returns
    -------
    TJSolution
        Amplitudes, chemical potential, energies and the gap on the Fermi lines.  Its channel is
        "normal" above the critical temperature.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, or a mesh too coarse for the gap.
    RuntimeError
        If the equations do not converge; the residual is named.

    Notes
    -----
    A pure channel costs some tens of passes over mesh²/8 points with closed forms for mirror blocks
    of two orbitals, and one singular-value decomposition a point where layers are not alike.
    "full" diagonalizes matrices of twice the number of orbitals at mesh²/4 points.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import tj_mean_field
    >>> solution = tj_mean_field(
    ...     four_band(), 3, J1=0.15, J2=0.075, J1_inter=0.03, J2_inter=0.375, convention="eq48"
    ... )
    >>> solution.channel
    's'
    """
    return TJModel(model, **bonds).solve(
        filling, temperature=temperature, channel=channel, mesh=mesh, hold_mu=hold_mu, start=start
    )


def tj_critical_temperature(
    model: Bands | Sequence[Bands],
    filling: float | None = None,
    *,
    channel: str = "s",
    mesh: int = 256,
    **bonds: Any,
) -> float:
    """Critical temperature of the t-J model in one call: `TJModel.critical_temperature`.

    Parameters
    ----------
    model, filling : BlochModel, FermiSea, float
        As for `tj_mean_field`.
    channel : {"s", "d"}
        Symmetry of the pairs.
    mesh, **bonds : int, float, str or array_like
        As for `tj_mean_field`.

    Returns
    -------
    float
        Critical temperature in eV; zero where no exchange makes pairs.

    Raises
    ------
    TypeError, ValueError
        For arguments out of range, or where the mesh does not resolve the temperature.

    Notes
    -----
    One diagonalization on mesh²/8 points, and one pass for each of some twenty temperatures.  With
    bond fields each temperature has its own normal state, and a diagonalization of its bands.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import tj_critical_temperature
    >>> bonds = {"J1": 0.15, "J2": 0.075, "J2_inter": 0.375}
    >>> T_c = tj_critical_temperature(four_band(), 3, mesh=64, **bonds)
    >>> f"{1000 * T_c:.1f} meV"
    '8.8 meV'
    """
    return TJModel(model, **bonds).critical_temperature(filling, channel=channel, mesh=mesh)


@dataclass(frozen=True, eq=False)
class _Search:
    """The way from starts to solutions."""

    bonds: TJModel
    filling: float
    temperature: float
    mesh: int
    hold_mu: bool

    @cached_property
    def held(self) -> float | None:
        """Chemical potential of the normal state at T = 0 if it is held."""
        if not self.hold_mu:
            return None
        if len(self.bonds.models) == 1 and not self.bonds._has_fields:
            return chemical_potential(self.bonds.models[0], self.filling)
        plain = self.problem("normal", self.mesh, None)
        return plain.level(np.zeros(len(plain.modes)), self._guess)

    @property
    def _rough_level(self) -> float | None:
        """Chemical potential to start at; none where each orbital holds its electrons."""
        if self.bonds._problem is not Problem:
            return None
        return self._guess if self.held is None else self.held

    @cached_property
    def _guess(self) -> float:
        """Chemical potential near that of the normal state."""
        if self._middle is not None:
            # The filling of an insulator tells nothing: electrons balance holes.
            if self.temperature > 0:
                return chemical_potential(self.bonds.models, self.filling, self.temperature)
            return self._middle
        k = zone_mesh(_COARSE)
        levels = np.sort(np.concatenate([m.energies(k).ravel() for m in self.bonds.models]))
        share = self.filling / (2 * len(self.bonds.models[0].orbitals))
        return float(levels[int(share * (len(levels) - 1))])

    @cached_property
    def _middle(self) -> float | None:
        """Middle of the gap between full and empty bands on the mesh, where there is one."""
        full, count = round(self.filling / 2), len(self.bonds.models[0].orbitals)
        if abs(self.filling - 2 * full) > 1e-9 or not 0 < full < count:
            return None
        levels = np.concatenate([m.energies(zone_mesh(self.mesh)) for m in self.bonds.models])
        top, bottom = levels[..., full - 1].max(), levels[..., full].min()
        return float(top + bottom) / 2 if top < bottom else None

    @cached_property
    def _linear(self) -> bool:
        """Whether the linearized gap equations tell if pairs grow: not at T = 0 in a metal."""
        bounded = self.temperature > 0 or self._middle is not None
        return bounded and not self.bonds._has_fields

    def problem(self, channel: str, mesh: int, mu: float | None, shift: float = 0.0) -> Problem:
        """Free energy in one channel."""
        modes = self.bonds.modes(channel)
        sizes = self.filling, self.temperature, mesh, mu, channel, shift
        return self.bonds._problem(self.bonds, modes, *sizes)

    def normal(self) -> TJSolution:
        """Return the normal state."""
        problem = self.problem("normal", self.mesh, self.held)
        x, mu = problem.settle(np.zeros(len(problem.modes)), self._guess)
        return TJSolution(problem, x, mu, "normal", 0.0, 0.0)

    def channel(self, channel: str) -> TJSolution | None:
        """Lowest solution of a channel, or None where no gap opens."""
        problem = self.problem(channel, self.mesh, self.held)
        if not problem.pairing.any():
            return None
        found = self._from_large(problem)
        if not found and self._linear:
            eigenvalue, x, mu = self._leading(channel)
            if eigenvalue <= 1:
                return None
            found = self._from_small(problem, x, mu)
        if found:
            return self._checked(found)
        if self.temperature > 0 and not self._linear:
            return None
        raise UnresolvedGapError(
            f"mesh = {self.mesh} is too coarse for the gap in channel {channel!r}, which it "
            "does not resolve; allowed: a finer mesh, larger exchange constants, or a "
            "temperature above the critical one"
        )

    def _from_large(self, problem: Problem) -> list[TJSolution]:
        """Solutions from amplitudes found on a coarse mesh; none where those are small."""
        starts = self._starts(problem.channel)
        if self._linear and max(np.abs(x).max() for x, _ in starts) <= 2 * self.temperature:
            return []
        rows = track(starts, f"gap equations, {problem.channel}")
        found = [self._finish(problem, x, mu) for x, mu in rows]
        return [solution for solution in found if solution is not None]

    def _from_small(self, problem: Problem, x: Floats, mu: float) -> list[TJSolution]:
        """Solution near amplitudes along the pairs that grow first, the largest that is found."""
        for share in track(_SHARES, f"gap equations, {problem.channel}"):
            start = x * self.temperature * share
            solution = self._finish(problem, start, mu, (None,))
            if solution is not None:
                return [solution]
        return []

    def _checked(self, found: list[TJSolution]) -> TJSolution:
        """Return the lowest solution with its miss on a mesh displaced by half a step, or raise."""
        best = min(found, key=lambda solution: solution.free_energy)
        moved = self.problem(best.channel, self.mesh, best.mu, shift=0.5)
        stiff = moved.stiffness > 0
        miss = np.abs(moved(best.x, best.mu)[1] / moved.scale)[stiff].max()
        error = float(miss / np.abs(best.x).max())
        if error > LARGEST_MESH_ERROR:
            raise UnresolvedGapError(
                f"mesh = {self.mesh} is too coarse for the gap: displaced by half a step it misses "
                f"the gap equation by {error:.0%} of the gap; allowed: up to "
                f"{LARGEST_MESH_ERROR:.0%}"
            )
        if not best.residual < _LARGEST_RESIDUAL:
            raise RuntimeError(
                f"the gap equations did not converge in channel {best.channel!r}: residual "
                f"{best.residual:.1e} eV"
            )
        return replace(best, mesh_error=error)

    def _starts(self, channel: str) -> list[tuple[Floats, float]]:
        """Distinct results of the gap equation repeated on a coarse mesh, from all signs."""
        rough = self.problem(channel, max(_COARSE, self.mesh // 4), self._rough_level)
        pairs = np.flatnonzero(rough.pairing)
        found: list[tuple[Floats, float]] = []
        # Rows of a Hadamard matrix: every two amplitudes start with equal and opposite signs.
        rows = hadamard(2 ** int(np.ceil(np.log2(len(pairs)))))[:, : len(pairs)]
        for signs in track(np.unique(rows, axis=0), f"starts, {channel}"):
            x = np.zeros(len(rough.modes))
            x[pairs] = 0.3 * signs / (2 * rough.stiffness[pairs])
            x, mu = rough.iterate(x, self._guess, 1e-2)
            x *= np.sign(x[np.abs(x).argmax()])
            if not any(np.abs(x - y).max() < 0.1 * np.abs(y).max() for y, _ in found):
                found.append((x, mu))
        return found

    def _finish(
        self,
        problem: Problem,
        x: Floats,
        mu: float,
        rounds: tuple[float | None, ...] = (None, 1e-4, 1e-7),
    ) -> TJSolution | None:
        """Converge on the full mesh, or return None if the gap closes."""
        pairs = problem.pairing
        # Near T_c the iteration is slow; a gap this small would belong to T = T_c (1 - 1e-7).
        smallest = max(SMALLEST, 1e-3 * self.temperature)
        for tolerance in rounds:
            if tolerance:
                x, mu = problem.iterate(x, mu, tolerance)
            mu = problem.level(x, mu, 1e-7)
            before = problem(x, mu)[0]
            y, level, residual = problem.polish(x, mu)
            near = np.abs(y[pairs] - x[pairs]).max() < 0.5 * np.abs(x[pairs]).max()
            falls = problem(y, level)[0] < before + 1e-12
            if np.abs(x[pairs]).max() < smallest or (
                near and falls and residual < _LARGEST_RESIDUAL
            ):
                break
        if np.abs(y[pairs]).max() < smallest or (len(rounds) == 1 and not (near and falls)):
            return None
        return TJSolution(problem, y, level, problem.channel, residual, 0.0)

    def _leading(self, channel: str) -> tuple[float, Floats, float]:
        """Largest eigenvalue of the linearized gap equations, its amplitudes, and mu."""
        kernel = PairKernel.of(self.bonds, channel, self.mesh)
        mu = self._middle if self.held is None and self.temperature == 0 else self.held
        if mu is None:
            mu = kernel.level(self.filling, self.temperature)
        values, vectors = np.linalg.eigh(kernel.matrix(self.temperature, mu))
        x = vectors[:, -1] / np.sqrt(kernel.stiffness)
        return float(values[-1]), x / np.abs(x).max(), mu

    def full(self, start: PairAmplitudes) -> TJSolution:
        """Solution with complex amplitudes of each layer near a start."""
        general = Bogoliubov.like(self.problem("normal", self.mesh, self.held))
        shape = len(self.bonds.rows), len(self.bonds.rows[0])
        for name, wanted in (("s", shape), ("d", shape), ("interlayer", shape[1:])):
            if np.shape(getattr(start, name)) != wanted:
                raise ValueError(
                    f"start.{name} has shape {np.shape(getattr(start, name))}; allowed: {wanted}"
                )
        named = {f"interlayer {a}": complex(v) for a, v in enumerate(start.interlayer, 1)}
        for word, values in (("s", start.s), ("d", start.d)):
            named |= {f"{word} {a + 1} {i}": complex(v) for (i, a), v in np.ndenumerate(values)}
        x, mu, residual = general.solve(spread(general, named), self._guess)
        if not residual < _LARGEST_RESIDUAL:
            raise RuntimeError(f"the gap equations did not converge: residual {residual:.1e} eV")
        return TJSolution(general, x, mu, "full", residual, float("nan"))
