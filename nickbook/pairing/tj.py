"""Mean-field theory of singlet pairs on the bonds of a t-J model, GLYWH Eqs. 3 and 35-48."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import hadamard
from scipy.optimize import brentq
from scipy.special import expit

from nickbook.bands import BlochModel, FermiSheet, chemical_potential, fermi_sheets, zone_mesh
from nickbook.bands.checks import momenta, one_of, positive_integer, real
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.tj_bogoliubov import Bogoliubov, Stability
from nickbook.pairing.tj_solver import SMALLEST, Mode, Problem, factors, reduced_mesh

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

#: Multiples of J (in a layer) and J' (between layers) that a reading of the paper puts into the
#: gap equations, in units of what H_J gives.
CONVENTIONS: dict[str, tuple[float, float]] = {
    "bond": (1.0, 1.0),
    "eq46-47": (2.0, 1.0),
    "eq48": (2.0, 4.0),
    "eq37": (4.0, 1.0),
}
CHANNELS = ("lowest", "s", "d", "s+d", "full")
BOND_FIELDS = ("none", "fock", "hartree-fock")

#: Largest share by which a gap equation may miss on a mesh displaced by half a step.
LARGEST_MESH_ERROR = 0.05
_LARGEST_RESIDUAL = 1e-9
_KERNEL_ERROR = 0.01
_COARSE = 32
_NEIGHBORS = ((1, 0), (0, 1))


class UnresolvedGapError(ValueError):
    """The mesh is too coarse for the gap."""


@dataclass(frozen=True)
class Exchange:
    """Exchange constants of GLYWH Eq. 3 in eV, for orbitals 1 (x²−y²) and 2 (z²).

    Parameters
    ----------
    J1, J2 : float
        Between neighbours in a layer.
    J1_inter, J2_inter : float
        Between the layers, printed as J'.

    Raises
    ------
    ValueError
        If a constant is negative.
    """

    J1: float
    J2: float
    J1_inter: float
    J2_inter: float

    def __post_init__(self) -> None:
        for name in ("J1", "J2", "J1_inter", "J2_inter"):
            real(name, getattr(self, name), at_least=0.0, unit="eV")


@dataclass(frozen=True, eq=False)
class PairAmplitudes:
    r"""The order parameters of GLYWH Eq. 45.

    Parameters
    ----------
    s, d : ndarray, shape (layers, orbitals)
        Amplitudes of cos kx + cos ky and cos kx − cos ky in each layer, in eV; complex in general.
    interlayer : ndarray, shape (orbitals,)
        Amplitudes between the layers in eV.
    """

    s: NDArray[np.complex128]
    d: NDArray[np.complex128]
    interlayer: NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class BondModel:
    """Bands with exchange on their bonds: what the unknowns of the mean field are.

    Parameters
    ----------
    models : tuple of BlochModel
        One model, or several planes of one crystal.
    layers : tuple of tuple of int
        Orbitals of each layer, in the same order in each.
    intralayer, interlayer : tuple of float
        Exchange constants by orbital in eV, times the multiples of the convention.
    neighbors : ndarray of int, shape (2, 2)
        Lattice vectors to the two neighbours.
    bond_fields : str
        Which normal averages of the bonds enter, see `tj_mean_field`.
    """

    models: tuple[BlochModel, ...]
    layers: tuple[tuple[int, ...], ...]
    intralayer: tuple[float, ...]
    interlayer: tuple[float, ...]
    neighbors: NDArray[np.int64]
    bond_fields: str

    def modes(self, channel: str) -> tuple[Mode, ...]:
        """Unknowns of a channel; those of each layer apart for ``"full"``."""
        words = {"s": "s", "d": "d", "s+d": "sd", "full": "sd", "normal": ""}[channel]
        count = len(self.layers)
        groups = [(r,) for r in range(count)] if channel == "full" else [tuple(range(count))]
        found = []
        for a, (here, between) in enumerate(zip(self.intralayer, self.interlayer, strict=True)):
            for group, word in itertools.product(groups if here else (), words):
                matrix = sum(self._diagonal(a, row) for row in group)
                name = f"{word} {a + 1}" + (f" {group[0]}" if channel == "full" else "")
                found.append(Mode(name, word, matrix, len(group) / here))
            if between and "s" in words:
                found.append(Mode(f"interlayer {a + 1}", "1", self._between(a), 2 / between))
        return tuple(found) + self._normal_modes()

    def _normal_modes(self) -> tuple[Mode, ...]:
        """Averages of hoppings and of densities: -J (|⟨c†c⟩|² + n²/4) on each bond."""
        found = []
        count = len(self.layers)
        for a, (here, between) in enumerate(zip(self.intralayer, self.interlayer, strict=True)):
            both = sum(self._diagonal(a, row) for row in range(count))
            if self.bond_fields != "none" and here:
                found.append(Mode(f"fock {a + 1}", "s", both, 2 * count / here, pairs=False))
            if self.bond_fields != "none" and between:
                matrix = self._between(a)
                found.append(Mode(f"link {a + 1}", "1", matrix, 4 / between, pairs=False))
            strength = (2 * here + between / 2) / 4
            if self.bond_fields == "hartree-fock" and strength:
                stiffness = count / (4 * strength)
                found.append(Mode(f"level {a + 1}", "1", both, stiffness, pairs=False))
        return tuple(found)

    def _diagonal(self, orbital: int, row: int) -> Floats:
        matrix = np.zeros((len(self.models[0].orbitals),) * 2)
        matrix[self.layers[row][orbital], self.layers[row][orbital]] = 1.0
        return matrix

    def _between(self, orbital: int) -> Floats:
        matrix = np.zeros((len(self.models[0].orbitals),) * 2)
        i, j = (layer[orbital] for layer in self.layers)
        matrix[i, j] = matrix[j, i] = 1.0
        return matrix


@dataclass(frozen=True, eq=False)
class TJSolution:
    """A solution of the gap equations of the t-J model.

    Parameters
    ----------
    problem : Problem or Bogoliubov
        The free energy that it makes stationary.
    bonds : BondModel
        Bands, layers and exchange.
    x : ndarray
        Values of the problem's unknowns in eV.
    mu : float
        Chemical potential in eV.
    channel : str
        ``"s"``, ``"d"``, ``"s+d"``, ``"full"``, or ``"normal"`` where no gap opens.
    convention : str
        Name of the reading of the paper.
    residual : float
        Largest miss of the gap equations in eV, and of the filling.
    mesh_error : float
        Largest miss on a mesh displaced by half a step, relative to the largest amplitude.
    """

    problem: Problem | Bogoliubov
    bonds: BondModel
    x: Floats
    mu: float
    channel: str
    convention: str
    residual: float
    mesh_error: float

    @cached_property
    def unknowns(self) -> dict[str, complex]:
        """Value of each mode in eV."""
        if isinstance(self.problem, Problem):
            names = [mode.name for mode in self.problem.modes]
            return {name: complex(v) for name, v in zip(names, self.x.tolist(), strict=True)}
        found: dict[str, complex] = {}
        for name, value in zip(self.problem.names, self.x.tolist(), strict=True):
            key, phase = (name[2:], 1j) if name.startswith("i ") else (name, 1.0)
            found[key] = found.get(key, 0.0) + phase * value
        return found

    @cached_property
    def amplitudes(self) -> PairAmplitudes:
        """Order parameters by layer and orbital."""
        shape = len(self.bonds.layers), len(self.bonds.layers[0])
        found = {"s": np.zeros(shape, complex), "d": np.zeros(shape, complex)}
        between = np.zeros(shape[1], complex)
        for name, value in self.unknowns.items():
            word, orbital, *layer = name.split()
            rows = [int(layer[0])] if layer else range(shape[0])
            if word in found:
                for row in rows:
                    found[word][row, int(orbital) - 1] = value
            elif word == "interlayer":
                between[int(orbital) - 1] = value
        return PairAmplitudes(found["s"], found["d"], between)

    @property
    def gaps(self) -> dict[str, float]:
        """Real parts of the first layer's amplitudes in eV: ``"s1"``, ``"d2"``, ``"inter2"``, …."""
        a = self.amplitudes
        named = {"s": a.s[0], "d": a.d[0], "inter": a.interlayer}
        return {
            f"{word}{i + 1}": float(v.real) for word, row in named.items() for i, v in enumerate(row)
        }

    @property
    def temperature(self) -> float:
        """Temperature in eV."""
        return self.problem.temperature

    @cached_property
    def free_energy(self) -> float:
        """Free energy per cell in eV at the filling."""
        return self.problem(self.x, self.mu)[0]

    @cached_property
    def condensation_energy(self) -> float:
        """Free energy of the normal state minus this one, on the same mesh, in eV per cell."""
        problem = self.problem
        normal = _problem(self.bonds, problem, "normal")
        x = np.array([self.unknowns[mode.name].real for mode in normal.modes])
        x, mu = normal.iterate(x, self.mu, 1e-9)
        return normal(x, normal.level(x, mu))[0] - self.free_energy

    def gap_matrix(self, k: ArrayLike) -> Complexes:
        """Δ(k) of GLYWH Eq. 45 in the model's orbitals, shape (..., n, n), in eV."""
        return self._sum(k, pairs=True)

    def hamiltonian(self, k: ArrayLike) -> Complexes:
        """Hamiltonian of the (first) model with the bond fields and without μ, in eV."""
        return self.problem.models[0].hamiltonian(k) + self._sum(k, pairs=False)

    def energies(self, k: ArrayLike) -> Floats:
        """Quasiparticle energies, ascending and not negative, shape (..., n), in eV."""
        h = self.hamiltonian(k) - self.mu * np.eye(len(self.problem.models[0].orbitals))
        gap = self.gap_matrix(k)
        matrix = np.block([[h, gap], [gap.conj().swapaxes(-1, -2), -h]])
        return np.asarray(np.linalg.eigvalsh(matrix)[..., h.shape[-1] :])

    def _sum(self, k: ArrayLike, *, pairs: bool) -> Complexes:
        points = momenta("k", k, 2)
        forms = factors(points, self.problem.neighbors)
        n = len(self.problem.models[0].orbitals)
        total = np.zeros((*points.shape[:-1], n, n), complex)
        for mode in self.problem.modes:
            if mode.pairs == pairs:
                total += self.unknowns[mode.name] * forms[mode.form][..., None, None] * mode.matrix
        return total

    def sheets(self) -> list[FermiSheet]:
        """Fermi lines of the (first) model at the solution's chemical potential."""
        return fermi_sheets(self.problem.models[0], self.mu)

    def gap_function(self, sheets: Sequence[FermiSheet] | None = None) -> GapFunction:
        r"""Gap of each band on its Fermi line, :math:`\langle u_k|\Delta(k)|u^*_{-k}\rangle`.

        Parameters
        ----------
        sheets : sequence of FermiSheet, optional
            Fermi lines of the model; those at the solution's chemical potential when not given.

        Returns
        -------
        GapFunction
            Real gaps in eV.

        Raises
        ------
        ValueError
            If the gaps are not real.
        """
        lines = tuple(self.sheets() if sheets is None else sheets)
        values = []
        for sheet in lines:
            block, index = self.problem.models[0].locate(sheet.band)
            _, vectors = np.linalg.eigh(block.fourier(sheet.points)[0])
            state = vectors[..., index] @ block.basis.T
            gap = np.einsum("ka,kab,kb->k", state.conj(), self.gap_matrix(sheet.points), state)
            if np.abs(gap.imag).max() > 1e-9:
                raise ValueError(
                    "the gap on the Fermi lines is complex; use gap_matrix for states that break "
                    "time reversal"
                )
            values.append(gap.real)
        return GapFunction(lines, tuple(values), self.channel)

    def spectroscopic_gap(self, sheet: FermiSheet, points: int = 81) -> Floats:
        """Lowest quasiparticle energy on the normal to each point of a Fermi line.

        Parameters
        ----------
        sheet : FermiSheet
            A Fermi line of the model.
        points : int
            Momenta along each normal; a parabola through the lowest three refines.

        Returns
        -------
        ndarray
            Energies in eV.
        """
        speed = np.linalg.norm(sheet.velocity, axis=-1)
        size = max(max(abs(v) for v in self.gaps.values()), SMALLEST)
        reach = np.minimum(3 * size / speed, 0.25)
        offsets = np.linspace(-1, 1, positive_integer("points", points, at_least=5))
        normal = sheet.velocity / speed[:, None]
        k = sheet.points[:, None] + (reach[:, None] * offsets)[..., None] * normal[:, None]
        lowest = self.energies(k)[..., 0] ** 2
        rows = np.arange(len(k))
        i = np.clip(lowest.argmin(axis=1), 1, points - 2)
        low, mid, high = (lowest[rows, i + j] for j in (-1, 0, 1))
        curve = low - 2 * mid + high
        dip = np.where(curve > 0, (high - low) ** 2 / (8 * np.where(curve > 0, curve, 1.0)), 0.0)
        return np.sqrt(np.maximum(mid - dip, 0.0))

    def stability(self) -> Stability:
        """Second variations in all amplitudes: complex, of each layer, s and d together.

        Returns
        -------
        Stability
            At fixed filling, or at fixed chemical potential where it is held.
        """
        if isinstance(self.problem, Bogoliubov):
            return self.problem.stability(self.x, self.mu)
        general = _bogoliubov(self.bonds, self.problem)
        return general.stability(_spread(general, self.unknowns), self.mu)


def tj_mean_field(
    model: BlochModel | Sequence[BlochModel],
    filling: float,
    *,
    J1: float,
    J2: float = 0.0,
    J1_inter: float = 0.0,
    J2_inter: float = 0.0,
    temperature: float = 0.0,
    convention: str = "bond",
    channel: str = "lowest",
    mesh: int = 128,
    neighbors: ArrayLike = _NEIGHBORS,
    layers: Sequence[Sequence[int]] | None = None,
    hold_mu: bool = False,
    bond_fields: str = "none",
    start: PairAmplitudes | None = None,
) -> TJSolution:
    r"""Solve the gap equations of the t-J model, GLYWH Eqs. 46-48, at its lowest free energy.

    The exchange :math:`J(S_iS_j - n_in_j/4) = -J\,b^\dagger b` of a bond, with b its singlet, gives

    .. math:: F = \sum rac{|\Delta_{s,d}|^2}{J} + \sum rac{2|\Delta_{inter}|^2}{J'} + F_0[\Delta]

    per cell, summed over orbitals, layers and s, d, with the free energy :math:`F_0` of GLYWH
    Eq. 40.  The gap equations say that F is stationary.

    Parameters
    ----------
    model : BlochModel or sequence of BlochModel
        Bands with time reversal, such as `four_band`, or planes of one crystal such as
        `bilayer_plane` at several kz, over which the pairs are averaged.
    filling : float
        Electrons per cell.
    J1, J2 : float
        Exchange between neighbours in a layer for orbitals 1 (x²−y²) and 2 (z²), in eV.
    J1_inter, J2_inter : float
        Exchange between the layers in eV, printed as J'.
    temperature : float
        In eV.
    convention : {"bond", "eq46-47", "eq48", "eq37"}
        How the constants enter: as H_J gives it, or as an equation of the paper is printed, which
        multiplies J and J' by the factors of `CONVENTIONS`.
    channel : {"lowest", "s", "d", "s+d", "full"}
        Which amplitudes may differ from zero.  "s" includes those between the layers; "lowest"
        takes the lower one of "s" and "d"; "s+d" has both, real; "full" has complex amplitudes of
        each layer, and needs `start`.
    mesh : int
        Points along each direction of the zone.
    neighbors : array_like, shape (2, 2)
        The two neighbours of a site in primitive vectors: ((1, 1), (1, -1)) for `bilayer_plane`.
    layers : sequence of sequence of int, optional
        Indices of the orbitals (1, 2) of each layer; read from the model's `sites` when not given.
    hold_mu : bool
        Keep the chemical potential that the normal state has at T = 0, instead of the filling.
    bond_fields : {"none", "fock", "hartree-fock"}
        Normal averages of the bonds: none as printed, hoppings, or hoppings and densities.
    start : PairAmplitudes, optional
        Amplitudes to start from, for "full".

    Returns
    -------
    TJSolution
        Amplitudes, chemical potential, energies and the gap on the Fermi lines.  Its channel is
        "normal" above the critical temperature.

    Raises
    ------
    ValueError
        For arguments out of range, a model without the layers' orbitals, or a mesh too coarse for
        the gap.
    RuntimeError
        If the equations do not converge; the residual is named.

    Notes
    -----
    A pure channel costs some tens of passes over mesh²/8 points with closed forms for mirror
    blocks of two orbitals, and one singular-value decomposition a point where layers are not alike.
    "full" diagonalizes matrices of twice the number of orbitals at mesh²/4 points.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> solution = tj_mean_field(
    ...     four_band(), 3, J1=0.15, J2=0.075, J1_inter=0.03, J2_inter=0.375, convention="eq48"
    ... )
    >>> solution.channel
    's'
    """
    one_of("channel", channel, CHANNELS)
    bonds = _bonds(
        model,
        Exchange(J1, J2, J1_inter, J2_inter),
        one_of("convention", convention, tuple(CONVENTIONS)),
        neighbors,
        layers,
        one_of("bond_fields", bond_fields, BOND_FIELDS),
    )
    capacity = 2 * len(bonds.models[0].orbitals)
    filling = real("filling", filling, above=0.0, below=capacity, unit="electrons per cell")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    positive_integer("mesh", mesh, at_least=8)
    search = _Search(bonds, filling, temperature, mesh, convention, hold_mu)
    if channel == "full":
        if start is None:
            raise ValueError('start = None; channel "full" needs PairAmplitudes to start from')
        return search.full(start)
    channels = ("s", "d") if channel == "lowest" else (channel,)
    found, coarse = [], []
    for name in channels:
        try:
            found.append(search.channel(name))
        except UnresolvedGapError as error:
            coarse.append(error)
    open_ = [solution for solution in found if solution is not None]
    if open_:
        return min(open_, key=lambda solution: solution.free_energy)
    if coarse:
        raise coarse[0]
    return search.normal()


@dataclass(frozen=True, eq=False)
class _Search:
    """The way from starts to solutions."""

    bonds: BondModel
    filling: float
    temperature: float
    mesh: int
    convention: str
    hold_mu: bool

    @cached_property
    def held(self) -> float | None:
        """Chemical potential of the normal state at T = 0 if it is held."""
        if not self.hold_mu:
            return None
        if len(self.bonds.models) == 1 and self.bonds.bond_fields == "none":
            return chemical_potential(self.bonds.models[0], self.filling)
        return self.problem("normal", self.mesh, None).level(np.zeros(self._plain), self._guess)

    @cached_property
    def _plain(self) -> int:
        return len(self.bonds.modes("normal"))

    @cached_property
    def _guess(self) -> float:
        """Chemical potential near that of the normal state."""
        k = zone_mesh(_COARSE)
        levels = np.sort(np.concatenate([m.energies(k).ravel() for m in self.bonds.models]))
        share = self.filling / (2 * len(self.bonds.models[0].orbitals))
        return float(levels[int(share * (len(levels) - 1))])

    def problem(self, channel: str, mesh: int, mu: float | None, shift: float = 0.0) -> Problem:
        """Free energy in one channel."""
        return Problem(
            self.bonds.models,
            self.bonds.modes(channel),
            self.filling,
            self.temperature,
            mesh,
            self.bonds.neighbors,
            "s+d" if channel == "normal" else channel,
            mu,
            shift,
        )

    def normal(self) -> TJSolution:
        """Return the normal state."""
        problem = self.problem("normal", self.mesh, self.held)
        x, mu = problem.iterate(np.zeros(self._plain), self._guess, 1e-10)
        return TJSolution(problem, self.bonds, x, mu, "normal", self.convention, 0.0, 0.0)

    def channel(self, channel: str) -> TJSolution | None:
        """Lowest solution of a channel, or None where no gap opens."""
        problem = self.problem(channel, self.mesh, self.held)
        if not problem.pairing.any():
            return None
        starts = self._starts(channel)
        warm = self.temperature > 0 and self.bonds.bond_fields == "none"
        if not warm or max(np.abs(x).max() for x, _ in starts) > 2 * self.temperature:
            found = [self._finish(problem, channel, x, mu) for x, mu in starts]
            if any(solution is not None for solution in found):
                return self._checked([solution for solution in found if solution is not None])
        if self.temperature > 0 and not warm:
            return None
        if warm:
            # Small amplitudes: the linear equations tell whether they grow, and in which direction.
            eigenvalue, x, mu = self._leading(channel)
            if eigenvalue <= 1:
                return None
            for share in (3, 2, 1.3, 0.8, 0.5, 0.25, 0.1, 0.03):
                start = x * self.temperature * share
                solution = self._finish(problem, channel, start, mu, (None,))
                if solution is not None:
                    return self._checked([solution])
        raise UnresolvedGapError(
            f"mesh = {self.mesh} is too coarse for the gap in channel {channel!r}, which it "
            "does not resolve; allowed: a finer mesh, larger exchange constants, or a "
            "temperature above the critical one"
        )

    def _checked(self, found: list[TJSolution]) -> TJSolution:
        """Return the lowest solution with its error on another mesh, or raise."""
        best = min(found, key=lambda solution: solution.free_energy)
        error = self._mesh_error(best.channel, best.x, best.mu)
        if not best.residual < _LARGEST_RESIDUAL:
            raise RuntimeError(
                f"the gap equations did not converge in channel {best.channel!r}: residual "
                f"{best.residual:.1e} eV"
            )
        return replace(best, mesh_error=error)

    def _starts(self, channel: str) -> list[tuple[Floats, float]]:
        """Distinct results of the gap equation repeated on a coarse mesh, from all signs."""
        level = self._guess if self.held is None else self.held
        rough = self.problem(channel, max(_COARSE, self.mesh // 4), level)
        pairs = np.flatnonzero(rough.pairing)
        found: list[tuple[Floats, float]] = []
        # Rows of a Hadamard matrix: every two amplitudes start with equal and opposite signs.
        rows = hadamard(2 ** int(np.ceil(np.log2(len(pairs)))))[:, : len(pairs)]
        for signs in np.unique(rows, axis=0):
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
        channel: str,
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
        return TJSolution(problem, self.bonds, y, level, channel, self.convention, residual, 0.0)

    def _mesh_error(self, channel: str, x: Floats, mu: float) -> float:
        """Miss of the gap equations on a mesh displaced by half a step."""
        moved = self.problem(channel, self.mesh, mu, shift=0.5)
        miss = np.abs(moved(x, mu)[1] / (2 * moved.stiffness)).max()
        error = float(miss / np.abs(x).max())
        if error > LARGEST_MESH_ERROR:
            raise UnresolvedGapError(
                f"mesh = {self.mesh} is too coarse for the gap: displaced by half a step it misses "
                f"the gap equation by {error:.0%} of the gap; allowed: up to "
                f"{LARGEST_MESH_ERROR:.0%}"
            )
        return error

    def _leading(self, channel: str) -> tuple[float, Floats, float]:
        """Largest eigenvalue of the linearized gap equations, its amplitudes, and mu."""
        kernel = PairKernel.of(self.bonds, channel, self.mesh)
        mu = self.held if self.held is not None else kernel.level(self.filling, self.temperature)
        values, vectors = np.linalg.eigh(kernel.matrix(self.temperature, mu))
        x = vectors[:, -1] / np.sqrt(kernel.stiffness)
        return float(values[-1]), x / np.abs(x).max(), mu

    def full(self, start: PairAmplitudes) -> TJSolution:
        """Solution with complex amplitudes of each layer near a start."""
        template = self.problem("normal", self.mesh, self.held)
        general = _bogoliubov(self.bonds, template)
        shape = len(self.bonds.layers), len(self.bonds.layers[0])
        for name, wanted in (("s", shape), ("d", shape), ("interlayer", shape[1:])):
            if np.shape(getattr(start, name)) != wanted:
                raise ValueError(
                    f"start.{name} has shape {np.shape(getattr(start, name))}; allowed: {wanted}"
                )
        named: dict[str, complex] = {}
        for a in range(shape[1]):
            named[f"interlayer {a + 1}"] = complex(start.interlayer[a])
            for row in range(shape[0]):
                named[f"s {a + 1} {row}"] = complex(start.s[row, a])
                named[f"d {a + 1} {row}"] = complex(start.d[row, a])
        x, mu, residual = general.solve(_spread(general, named), self._guess)
        if not residual < _LARGEST_RESIDUAL:
            raise RuntimeError(f"the gap equations did not converge: residual {residual:.1e} eV")
        return TJSolution(
            general, self.bonds, x, mu, "full", self.convention, residual, float("nan")
        )


@dataclass(frozen=True, eq=False)
class PairKernel:
    """The gap equations linearized about the normal state, without bond fields."""

    stiffness: Floats
    weights: Floats
    energies: list[Floats]
    elements: list[Floats]

    @classmethod
    def of(
        cls, bonds: BondModel, channel: str, mesh: int, shift: float = 0.0
    ) -> "PairKernel":
        """Matrix elements of the modes between the bands on a mesh."""
        modes = [mode for mode in bonds.modes(channel) if mode.pairs]
        k, weights = reduced_mesh(bonds.models, mesh, channel, shift)
        forms = factors(k, bonds.neighbors)
        energies, elements = [], []
        for model in bonds.models:
            for block in model.blocks:
                levels, states = np.linalg.eigh(block.fourier(k)[0])
                states = block.basis @ states
                energies.append(levels)
                row = [
                    forms[m.form][:, None, None] * (states.conj().swapaxes(1, 2) @ m.matrix @ states)
                    for m in modes
                ]
                elements.append(np.array(row))
        stiffness = np.array([mode.stiffness for mode in modes])
        return cls(stiffness, weights / len(bonds.models), energies, elements)

    def level(self, filling: float, temperature: float) -> float:
        """Chemical potential of the normal state on the mesh."""

        def excess(mu: float) -> float:
            parts = [2 * self.weights @ expit((mu - e) / temperature).sum(-1) for e in self.energies]
            return float(sum(parts)) - filling

        low = min(float(e.min()) for e in self.energies) - 40 * temperature
        high = max(float(e.max()) for e in self.energies) + 40 * temperature
        return float(brentq(excess, low, high, xtol=1e-13))

    def matrix(self, temperature: float, mu: float) -> Floats:
        """Pair susceptibility divided by the stiffness, with eigenvalue one at T_c."""
        total = np.zeros((len(self.stiffness),) * 2)
        for levels, elements in zip(self.energies, self.elements, strict=True):
            xi = levels - mu
            t = np.tanh(xi / (2 * temperature))
            below = xi[:, :, None] + xi[:, None, :]
            equal = np.abs(below) < 1e-9 * temperature
            slope = (1 - t**2)[:, :, None] / (2 * temperature)
            ratio = (t[:, :, None] + t[:, None, :]) / np.where(equal, 1.0, below)
            kernel = np.where(equal, np.broadcast_to(slope, ratio.shape), ratio)
            kernel *= self.weights[:, None, None]
            flat = elements.reshape(len(elements), -1)
            total += ((flat * kernel.ravel()) @ flat.conj().T).real
        root = 1 / np.sqrt(2 * self.stiffness)
        return np.asarray(root[:, None] * total * root)

    def eigenvalue(self, temperature: float, mu: float) -> float:
        """Largest eigenvalue of `matrix`."""
        return float(np.linalg.eigvalsh(self.matrix(temperature, mu))[-1])


def tj_critical_temperature(
    model: BlochModel | Sequence[BlochModel],
    filling: float,
    *,
    J1: float,
    J2: float = 0.0,
    J1_inter: float = 0.0,
    J2_inter: float = 0.0,
    convention: str = "bond",
    channel: str = "s",
    mesh: int = 256,
    neighbors: ArrayLike = _NEIGHBORS,
    layers: Sequence[Sequence[int]] | None = None,
) -> float:
    """Temperature at which the linearized gap equations have the eigenvalue one.

    Parameters
    ----------
    model, filling, J1, J2, J1_inter, J2_inter, convention, mesh, neighbors, layers
        As in `tj_mean_field`.
    channel : {"s", "d"}
        Symmetry of the pairs.

    Returns
    -------
    float
        Critical temperature in eV.

    Raises
    ------
    ValueError
        For arguments out of range, or where the mesh does not resolve the temperature.

    Notes
    -----
    One diagonalization on mesh²/8 points, and one pass for each of some twenty temperatures.
    """
    one_of("channel", channel, ("s", "d"))
    bonds = _bonds(
        model,
        Exchange(J1, J2, J1_inter, J2_inter),
        one_of("convention", convention, tuple(CONVENTIONS)),
        neighbors,
        layers,
        "none",
    )
    capacity = 2 * len(bonds.models[0].orbitals)
    filling = real("filling", filling, above=0.0, below=capacity, unit="electrons per cell")
    kernel = PairKernel.of(bonds, channel, positive_integer("mesh", mesh, at_least=8))
    if not len(kernel.stiffness):
        return 0.0

    def excess(log_t: float) -> float:
        temperature = float(np.exp(log_t))
        return kernel.eigenvalue(temperature, kernel.level(filling, temperature)) - 1

    width = max(float(np.ptp(e)) for e in kernel.energies)
    low, top = np.log(width / (10 * mesh)), np.log(width)
    while excess(top) > 0:
        top += 1.0
    critical = float(np.exp(brentq(excess, low, top, xtol=1e-10))) if excess(low) > 0 else 0.0
    moved = PairKernel.of(bonds, channel, mesh, shift=0.5)
    mu = kernel.level(filling, critical) if critical else 0.0
    if not critical or abs(moved.eigenvalue(critical, mu) - 1) > _KERNEL_ERROR:
        raise UnresolvedGapError(
            f"mesh = {mesh} is too coarse for the critical temperature in channel {channel!r}, "
            f"found at {critical:.2g} eV; allowed: a finer mesh or larger exchange constants"
        )
    return critical


def _bonds(
    model: BlochModel | Sequence[BlochModel],
    exchange: Exchange,
    convention: str,
    neighbors: ArrayLike,
    layers: Sequence[Sequence[int]] | None,
    bond_fields: str,
) -> BondModel:
    models = (model,) if isinstance(model, BlochModel) else tuple(model)
    if not models or len({m.orbitals for m in models}) != 1:
        raise ValueError("model: give one BlochModel, or several with the same orbitals")
    if models[0].dimension != 2:
        raise ValueError(
            f"{models[0].name!r} has three dimensions; give planes of it, such as bilayer_plane(kz)"
        )
    places = np.asarray(neighbors)
    if places.shape != (2, 2) or not np.array_equal(places, places.round()):
        raise ValueError(f"neighbors = {places.tolist()}; allowed: two lattice vectors")
    rows = _layers(models[0], layers)
    here, between = CONVENTIONS[convention]
    intralayer = (exchange.J1, exchange.J2)
    interlayer = (exchange.J1_inter, exchange.J2_inter)
    orbitals = len(rows[0])
    if orbitals == 1 and (intralayer[1] or interlayer[1]):
        raise ValueError("J2, J2_inter: the model has one orbital in a layer; allowed: 0")
    if len(rows) == 1 and any(interlayer):
        raise ValueError("J1_inter, J2_inter: the model has one layer; allowed: 0")
    return BondModel(
        models,
        rows,
        tuple(here * j for j in intralayer[:orbitals]),
        tuple(between * j for j in interlayer[:orbitals]),
        places.astype(np.int64),
        bond_fields,
    )


def _layers(
    model: BlochModel, layers: Sequence[Sequence[int]] | None
) -> tuple[tuple[int, ...], ...]:
    if layers is None:
        sites = sorted(set(model.sites))
        rows = tuple(tuple(i for i, s in enumerate(model.sites) if s == site) for site in sites)
    else:
        rows = tuple(tuple(int(i) for i in row) for row in layers)
    used = [i for row in rows for i in row]
    fits = len(rows) in (1, 2) and len({len(row) for row in rows}) == 1 and len(rows[0]) in (1, 2)
    if not fits or len(set(used)) < len(used) or not set(used) <= set(range(len(model.orbitals))):
        raise ValueError(
            f"layers = {rows} for {model.name!r} with orbitals {model.orbitals}; allowed: one or "
            "two layers, each with the index of orbital 1 and, if there is one, of orbital 2"
        )
    return rows


def _bogoliubov(bonds: BondModel, like: Problem) -> Bogoliubov:
    return Bogoliubov(
        bonds.models,
        bonds.modes("full"),
        like.filling,
        like.temperature,
        like.mesh,
        like.neighbors,
        like.mu,
    )


def _problem(bonds: BondModel, like: Problem | Bogoliubov, channel: str) -> Problem:
    return Problem(
        bonds.models,
        bonds.modes(channel),
        like.filling,
        like.temperature,
        like.mesh,
        like.neighbors,
        "s+d" if channel == "normal" else channel,
        like.mu,
    )


def _spread(general: Bogoliubov, values: dict[str, complex]) -> Floats:
    """Unknowns of the general problem from values that may stand for both layers."""
    x = np.zeros(len(general.names))
    for i, name in enumerate(general.names):
        imaginary = name.startswith("i ")
        key = name[2:] if imaginary else name
        word, orbital, *_ = key.split()
        value = complex(values.get(key, values.get(f"{word} {orbital}", 0.0)))
        x[i] = value.imag if imaginary else value.real
    return x
