"""Solutions of the t-J gap equations, and what follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes, Energy, Floats
from nickbook.bands import SQUARE_ELEMENTS, BlochModel, FermiSea, FermiSheet
from nickbook.checks import momenta, positive_integer
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.tj.bogoliubov import Bogoliubov, Stability
from nickbook.pairing.tj.free_energy import SMALLEST, Problem
from nickbook.pairing.tj.model import BondModel, Mode, factors
from nickbook.results import Result


@dataclass(frozen=True, eq=False)
class PairAmplitudes(Result):
    r"""The order parameters of GLYWH Eq. 45.

    Parameters
    ----------
    s, d : ndarray, shape (layers, orbitals)
        Amplitudes of cos kx + cos ky and cos kx − cos ky in each layer, in eV; complex in general.
    interlayer : ndarray, shape (orbitals,)
        Amplitudes between the layers in eV.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import tj_mean_field
    >>> solution = tj_mean_field(four_band(), 3, J1=0.15, J2=0.075, J2_inter=0.375, mesh=64)
    >>> x, z = abs(solution.amplitudes.interlayer)
    >>> bool(z > x)  # pairs between the layers are made of z²
    True
    """

    s: Annotated[NDArray[np.complex128], "eV", "layer", "orbital"]
    d: Annotated[NDArray[np.complex128], "eV", "layer", "orbital"]
    interlayer: Annotated[NDArray[np.complex128], "eV", "orbital"]


@dataclass(frozen=True, eq=False)
class TJSolution(Result):
    """A solution of the gap equations of the t-J model.

    Parameters
    ----------
    problem : Problem or Bogoliubov
        The free energy that it makes stationary.
    x : ndarray
        Values of the problem's unknowns in eV.
    mu : float
        Chemical potential in eV.
    channel : str
        Which amplitudes could differ from zero: ``"s"``, ``"d"``, ``"s+d"``, ``"full"``; or
        ``"normal"`` where no gap opens.  The channel of `gap_function` has the names that all
        theories share.
    residual : float
        Largest miss of the gap equations in eV, and of the filling.
    mesh_error : float
        Largest miss on a mesh displaced by half a step, relative to the largest amplitude.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import tj_mean_field
    >>> solution = tj_mean_field(four_band(), 3, J1=0.15, J2=0.075, J2_inter=0.375, mesh=64)
    >>> solution.channel, bool(solution.condensation_energy > 0)
    ('s', True)
    """

    problem: Problem | Bogoliubov
    x: Annotated[Floats, "eV", "unknown"]
    mu: Energy
    channel: str
    residual: Energy
    mesh_error: float

    def _words(self) -> str:
        large = {n: 1e3 * v for n, v in self.unknowns.items() if abs(v) > SMALLEST}
        found = ", ".join(f"{n} {v if v.imag else v.real:.4g}" for n, v in large.items())
        state = f"{self.channel}: {found or 'no amplitude'}{' meV' if found else ''}"
        filling = f"filling {self.problem.filling:.6g}"
        return f"{state}; {filling}, mu {self.mu:.6g} eV, T {self.temperature:.4g} eV"

    @property
    def bonds(self) -> BondModel:
        """Bands, layers and exchange."""
        return self.problem.bonds

    @property
    def model(self) -> BlochModel:
        """The (first) model with the bond fields of the solution, without pairs."""
        return self.models[0]

    @cached_property
    def models(self) -> tuple[BlochModel, ...]:
        """All planes with the bond fields of the solution, without pairs."""
        fields = [mode for mode in self.problem.modes if not mode.pairs]
        return tuple(self._with(model, fields) if fields else model for model in self.bonds.models)

    def _with(self, bare: BlochModel, fields: Sequence[Mode]) -> BlochModel:
        """Add the fields to the hoppings; cos kx + cos ky is half a hop to four neighbours."""
        hops = {tuple(r): h for r, h in zip(bare.translations.tolist(), bare.hoppings, strict=True)}
        x, y = self.bonds.vectors
        for mode in fields:
            steps, share = ([0 * x], 1.0) if mode.form == "1" else ([x, -x, y, -y], 0.5)
            for r in (tuple(step.tolist()) for step in steps):
                hops[r] = hops.get(r, 0.0) + share * self.unknowns[mode.name].real * mode.matrix
        return replace(bare, translations=np.array(list(hops)), hoppings=np.array([*hops.values()]))

    @cached_property
    def sea(self) -> FermiSea:
        """The (first) model with its bond fields, filled to the solution's chemical potential."""
        return FermiSea(self.model, self.mu)

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
        shape = len(self.bonds.rows), len(self.bonds.rows[0])
        found = {word: np.zeros(shape, complex) for word in ("s", "d", "interlayer")}
        for name, value in self.unknowns.items():
            word, orbital, *layer = name.split()
            if word in found:
                found[word][int(layer[0]) if layer else slice(None), int(orbital) - 1] = value
        return PairAmplitudes(found["s"], found["d"], found["interlayer"][0])

    @property
    def gaps(self) -> dict[str, float]:
        """Real parts of the first layer's amplitudes in eV: ``"s1"``, ``"d2"``, ``"inter2"``, …."""
        a = self.amplitudes
        rows = {"s": a.s[0], "d": a.d[0], "inter": a.interlayer}
        return {f"{w}{i}": float(v.real) for w, row in rows.items() for i, v in enumerate(row, 1)}

    @property
    def order_parameters(self) -> dict[str, float]:
        r"""Averages :math:`\langle c_{j\downarrow}c_{i\uparrow}\rangle` of a bond, named as `gaps`.

        Where double occupancy is excluded they hold the factor of the constraint.
        """
        found = {}
        for name, gap in self.gaps.items():
            word, a = name[:-1], int(name[-1]) - 1
            here, between = self.bonds.pair_strengths[a]
            strength = between if word == "inter" else 2 * here
            share = -gap / strength if strength else 0.0
            found[name] = share * float(self.bonds.pair_factors[a])
        return found

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
        p, modes = self.problem, self.bonds.modes("normal")
        kind = type(p) if isinstance(p, Problem) else Problem
        normal = kind(p.bonds, modes, p.filling, p.temperature, p.mesh, p.mu)
        x = np.array([self.unknowns[mode.name].real for mode in normal.modes])
        x, mu = normal.iterate(x, self.mu, 1e-9)
        return normal(x, normal.level(x, mu))[0] - self.free_energy

    def gap_matrix(self, k: ArrayLike) -> Complexes:
        """Δ(k) of GLYWH Eq. 45 in the model's orbitals, shape (..., n, n), in eV."""
        points = momenta("k", k, 2)
        forms = factors(points, self.bonds.vectors)
        n = len(self.model.orbitals)
        total = np.zeros((*points.shape[:-1], n, n), complex)
        for mode in self.problem.modes:
            if mode.pairs:
                total += self.unknowns[mode.name] * forms[mode.form][..., None, None] * mode.matrix
        return total

    def hamiltonian(self, k: ArrayLike) -> Complexes:
        """Hamiltonian of the (first) model with the bond fields and without μ, in eV."""
        return self.model.hamiltonian(k)

    def energies(self, k: ArrayLike) -> Floats:
        """Quasiparticle energies, ascending and not negative, shape (..., n), in eV."""
        h = self.hamiltonian(k) - self.mu * np.eye(len(self.model.orbitals))
        gap = self.gap_matrix(k)
        matrix = np.block([[h, gap], [gap.conj().swapaxes(-1, -2), -h]])
        return np.asarray(np.linalg.eigvalsh(matrix)[..., h.shape[-1] :])

    def gap_function(self, sea: FermiSea | None = None) -> GapFunction:
        r"""Gap of each band on its Fermi line, :math:`\langle u_k|\Delta(k)|u^*_{-k}\rangle`.

        In eV, on the lines of another `sea` of the model, such as that of the normal state, or of
        the solution's own.  The representation is left open where s and d are mixed, none of them
        is there, or the model is not given with the point group of the square.  Raises ValueError
        if the gaps are not real.
        """
        sea = self.sea if sea is None else sea
        values = []
        for sheet in sea.sheets:
            state = sheet.states
            gap = np.einsum("ka,kab,kb->k", state.conj(), self.gap_matrix(sheet.points), state)
            if np.abs(gap.imag).max() > 1e-9:
                raise ValueError(
                    "the gap on the Fermi lines is complex; use gap_matrix for states that break "
                    "time reversal"
                )
            values.append(gap.real)
        return GapFunction(sea.sheets, tuple(values), representation=self._representation)

    @property
    def _representation(self) -> str:
        """How the gap turns with the square, from the amplitudes that it has."""
        large = {n.split()[0] for n, v in self.unknowns.items() if abs(v) > SMALLEST}
        words = {"s" if word == "interlayer" else word for word in large} & {"s", "d"}
        group = tuple(g.name for g in self.bonds.models[0].symmetries)
        if len(words) != 1 or group != SQUARE_ELEMENTS:
            return ""
        if words == {"s"}:
            return "A1"
        # On bonds along the diagonals of the cell the d wave is sin kx sin ky.
        return "B2" if self.bonds.vectors.all() else "B1"

    def spectroscopic_gap(self, sheet: FermiSheet, points: int = 81) -> Floats:
        """Lowest quasiparticle energy in eV on the normal to each point of a Fermi line.

        It is looked for at some points of the normal, and refined by a parabola through three.
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
        return np.asarray(np.sqrt(np.maximum(mid - dip, 0.0)))

    def stability(self) -> Stability:
        """Second variations in all amplitudes: complex, of each layer, s and d together.

        At fixed filling, or at fixed chemical potential where it is held.  Raises ValueError where
        the electrons of each orbital are held.
        """
        if any(mode.stiffness == 0 for mode in self.problem.modes):
            raise ValueError(
                "the second variations at held electrons are not computed; allowed: solutions "
                "of a TJModel"
            )
        if isinstance(self.problem, Bogoliubov):
            return self.problem.stability(self.x, self.mu)
        general = Bogoliubov.like(self.problem)
        return general.stability(spread(general, self.unknowns), self.mu)


def spread(general: Bogoliubov, values: dict[str, complex]) -> Floats:
    """Unknowns of the general problem from values that may stand for both layers."""
    x = np.zeros(len(general.names))
    for i, name in enumerate(general.names):
        imaginary = name.startswith("i ")
        key = name[2:] if imaginary else name
        word, orbital, *_ = key.split()
        value = complex(values.get(key, values.get(f"{word} {orbital}", 0.0)))
        x[i] = value.imag if imaginary else value.real
    return x
