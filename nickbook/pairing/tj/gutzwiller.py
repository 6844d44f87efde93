r"""The t-J model with the constraint of no double occupancy, in Gutzwiller's approximation.

The projector on a site with n electrons is a sum of two terms, so that it keeps n,
:math:`P^\dagger P = \frac{1-n}{(1-n/2)^2}|0\rangle\langle0| + \frac1{1-n/2}\sum_\sigma
|\sigma\rangle\langle\sigma|`.  What it makes of an operator, in first order of the distance from
the average, is that operator times a factor; operators on two sites get the product of both.
"""

from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar, root
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands import BlochModel
from nickbook.checks import real
from nickbook.pairing.tj.free_energy import SMALLEST, Problem, level_of
from nickbook.pairing.tj.model import Mode, reduced_mesh
from nickbook.pairing.tj.search import TJModel
from nickbook.pairing.tj.solution import PairAmplitudes, TJSolution
from nickbook.results import Result

#: Electrons of an orbital at a site lie this far inside of its bounds.
_MARGIN = 1e-6
_ITERATIONS = 100
#: Electrons per cell by which a filling may be missed before Newton's method.
_CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class GutzwillerFactors(Result):
    r"""What the projection makes of averages, by orbital.

    With the doping :math:`\delta = 1 - n` of an orbital, they are :math:`2\delta/(1+\delta)`,
    :math:`4/(1+\delta)^2` and :math:`4\delta^2/(1+\delta)^2`.

    Parameters
    ----------
    electrons : ndarray, shape (orbitals,)
        Electrons n of the orbital at one site.
    hopping : ndarray, shape (orbitals,)
        Of hoppings and of pairs between two like orbitals; between unlike ones the geometric mean.
    spin : ndarray, shape (orbitals,)
        Of products of two spins.
    density : ndarray, shape (orbitals,)
        Of correlations between two densities.  The product of their averages stays as it is.

    Examples
    --------
    >>> from nickbook.pairing import gutzwiller_factors
    >>> full = gutzwiller_factors(1.0)  # one electron on each site: spins without hopping
    >>> full.hopping.tolist(), full.pairs.tolist()
    ([0.0], [3.0])
    """

    electrons: Annotated[Floats, "", "orbital"]
    hopping: Annotated[Floats, "", "orbital"]
    spin: Annotated[Floats, "", "orbital"]
    density: Annotated[Floats, "", "orbital"]

    @property
    def pairs(self) -> Floats:
        r"""Factor of :math:`J|\langle b\rangle|^2`, with b the singlet of a bond."""
        return (3 * self.spin + self.density) / 4

    @property
    def hops(self) -> Floats:
        r"""Factor of :math:`J|\langle c^\dagger_ic_j\rangle|^2`."""
        return (3 * self.spin - self.density) / 2


def gutzwiller_factors(electrons: ArrayLike) -> GutzwillerFactors:
    r"""Return the factors of the constraint of no double occupancy.

    The first two are those of Zhang, Gros, Rice and Shiba (1988), who drop the term
    :math:`-Jn_in_j/4`; the third belongs to it.  Averages of free electrons,
    :math:`\langle S_iS_j\rangle = -\frac34(|b|^2+2|\chi|^2)` and
    :math:`\langle n_in_j\rangle - n^2 = |b|^2-2|\chi|^2`, make of
    :math:`\langle S_iS_j-n_in_j/4\rangle` the factors `pairs` and `hops`.

    Parameters
    ----------
    electrons : array_like, shape (orbitals,)
        Electrons of each orbital at one site, from 0 to 1.

    Returns
    -------
    GutzwillerFactors
        All one at zero electrons; with one electron hopping stops.

    Raises
    ------
    ValueError
        For electrons out of range.

    Examples
    --------
    >>> from nickbook.pairing import gutzwiller_factors
    >>> f = gutzwiller_factors([0.6, 0.88])
    >>> f.hopping.round(2).tolist(), f.spin.round(2).tolist()
    ([0.57, 0.21], [2.04, 3.19])
    """
    n = np.atleast_1d(np.asarray(electrons, dtype=float))
    for value in n:
        real("electrons", float(value), at_least=0.0, at_most=1.0)
    doping = 1 - n
    hopping = 2 * doping / (1 + doping)
    return GutzwillerFactors(n, hopping, 4 / (1 + doping) ** 2, hopping**2)


class ProjectedProblem(Problem):
    """The free energy per cell with the electrons of each orbital held.

    The potential that holds those of the second orbital is an unknown like the chemical potential:
    the free energy at fixed electrons is its maximum.
    """

    @cached_property
    def _potentials(self) -> Any:
        return np.flatnonzero(self.stiffness == 0)

    @property
    def scale(self) -> Floats:
        """Slopes over these are errors of the unknowns, or of electrons."""
        return np.where(self.stiffness == 0, 1.0, 2 * self.stiffness)

    def __call__(self, x: Floats, mu: float) -> tuple[float, Floats, float]:
        """Return the Legendre free energy, its slope in `x` and its slope in `mu`."""
        value, slope, excess = super().__call__(x, mu)
        held = len(self.bonds.rows) * np.asarray(self.bonds.occupations)[1:]  # type: ignore[attr-defined]
        slope[self._potentials] -= held
        return value - float(held @ x[self._potentials]), slope, excess

    def balance(self, x: Floats, mu: float) -> tuple[Floats, float]:
        """Chemical potential, and potential in `x`, at which the orbitals hold their electrons."""
        if not len(self._potentials):
            return x, self.level(x, mu)
        i = self._potentials[0]
        x = x.copy()

        def misses(both: Floats) -> Floats:
            x[i] = both[0]
            _, slope, excess = self(x, both[1])
            return np.array([slope[i], excess])

        start = float(x[i])
        close = root(misses, np.array([start, mu]), tol=1e-12)
        if np.abs(close.fun).max() < _CLOSE:
            x[i] = close.x[0]
            return x, float(close.x[1])
        level = mu

        def miss(potential: float) -> float:
            nonlocal level
            x[i] = potential
            level = self.level(x, level)
            return float(self(x, level)[1][i])

        x[i] = level_of(miss, start, 1e-11)
        return x, self.level(x, level)

    def iterate(self, x: Floats, mu: float, tolerance: float) -> tuple[Floats, float]:
        """Repeat the gap equation at the electrons that are held."""
        stiff = self.stiffness > 0
        for _ in range(_ITERATIONS):
            x, mu = self.balance(x, mu)
            after = x.copy()
            after[stiff] -= self(x, mu)[1][stiff] / self.scale[stiff]
            change = np.abs(after - x).max(initial=0.0)
            x = after
            if change < tolerance * np.abs(x[stiff]).max(initial=SMALLEST):
                break
        return self.balance(x, mu)


@dataclass(frozen=True, eq=False)
class ProjectedTJModel(TJModel):
    r"""The t-J model of GLYWH Eq. 3 with at most one electron in an orbital.

    GLYWH neglect the constraint.  Here Gutzwiller's approximation keeps it for each orbital: a
    hopping between orbitals α and β has the factor :math:`\sqrt{g_\alpha g_\beta}`, and the
    exchange of a bond those of `gutzwiller_factors`.  As the bands of density functional theory
    contain the average potential already, each orbital keeps the electrons that it has in the given
    bands, or those of `occupations`; a potential between the orbitals sees to that.

    Parameters
    ----------
    bands, J1, J2, J1_inter, J2_inter, convention, neighbors, layers : BlochModel, float, …
        As for `TJModel`.
    bond_fields : {"fock", "none", "hartree-fock"}
        As for `TJModel`, but with hoppings when not given.  Densities are held, so that
        "hartree-fock" moves potentials only.
    occupations : array_like, shape (orbitals,), optional
        Electrons of each orbital at one site, up to one; those of the bands at the filling and the
        temperature when not given.

    Notes
    -----
    Double occupancy of a site by two orbitals is allowed.  The entropy is that of free
    quasiparticles.  `relaxed` lets the electrons move between the orbitals instead.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import ProjectedTJModel
    >>> model = ProjectedTJModel(four_band(), J1=0.15, J2=0.075, J1_inter=0.03, J2_inter=0.375)
    >>> solution = model.solve(3, temperature=0.01, mesh=32)
    >>> solution.bonds.factors.electrons.round(2).tolist()
    [0.62, 0.88]
    """

    _: KW_ONLY
    bond_fields: str = "fock"
    occupations: Annotated[ArrayLike | None, "", "orbital"] = None
    _problem: ClassVar[type[Problem]] = ProjectedProblem

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.occupations is not None:
            n = gutzwiller_factors(self.occupations).electrons
            if n.shape != (len(self.rows[0]),):
                raise ValueError(
                    f"occupations = {n.tolist()}; allowed: one for each of {len(self.rows[0])} "
                    "orbitals of a layer"
                )
            object.__setattr__(self, "occupations", n)

    def _words(self) -> str:
        if self.occupations is None:
            return super()._words()
        return f"{super()._words()}, occupations {np.round(self.factors.electrons, 4).tolist()}"

    @cached_property
    def factors(self) -> GutzwillerFactors:
        """Factors of each orbital; ones as long as `occupations` are not given."""
        n = np.zeros(len(self.rows[0])) if self.occupations is None else self.occupations
        return gutzwiller_factors(n)

    @cached_property
    def models(self) -> tuple[BlochModel, ...]:
        """The bands with their hoppings renormalized."""
        if self.occupations is None:
            return self.bare
        weight = np.ones(len(self.bare[0].orbitals))
        for row in self.rows:
            weight[list(row)] = np.sqrt(self.factors.hopping)
        return tuple(_renormalized(model, weight) for model in self.bare)

    @property
    def pair_strengths(self) -> list[tuple[float, float]]:
        """Exchange in and between layers by orbital in eV, as it makes pairs."""
        return _scaled(self.strengths, self.factors.pairs)

    @property
    def pair_factors(self) -> Floats:
        """Factor of the average of a pair, by orbital."""
        return self.factors.hopping

    @property
    def hop_strengths(self) -> list[tuple[float, float]]:
        """Exchange in and between layers by orbital in eV, as it makes hoppings."""
        return _scaled(self.strengths, self.factors.hops)

    def modes(self, channel: str) -> tuple[Mode, ...]:
        """Unknowns of a channel, with the potential that holds the electrons of orbital 2."""
        found = super().modes(channel)
        if len(self.rows[0]) == 1 or self.occupations is None:
            return found
        matrix = self._diagonal(1, tuple(range(len(self.rows))))
        return (*found, Mode("potential 2", "1", matrix, 0.0, pairs=False))

    @property
    def _has_fields(self) -> bool:
        return True

    def _prepared(self, filling: float, temperature: float, mesh: int) -> "ProjectedTJModel":
        if self.occupations is not None:
            return self
        found = self._of_bands(filling, temperature, mesh)
        if found.max() > 1:
            raise ValueError(
                f"the bands put {found.round(4).tolist()} electrons into the orbitals of a site; "
                "allowed: up to one each, so a lower filling, or occupations"
            )
        return replace(self, occupations=found)

    def _of_bands(self, filling: float, temperature: float, mesh: int) -> Floats:
        """Electrons of each orbital at one site in the given bands."""
        k, weights = reduced_mesh(self.bare, mesh, "s")
        levels, states = zip(*(np.linalg.eigh(m.hamiltonian(k)) for m in self.bare), strict=True)
        energies, parts = np.array(levels), np.abs(np.array(states)) ** 2

        def occupied(mu: float) -> Floats:
            return 2 * expit((mu - energies) / temperature)

        def excess(mu: float) -> float:
            return filling - float((occupied(mu).sum(-1) @ weights).mean())

        level = level_of(excess, float(energies.mean()), 1e-13)
        average = np.einsum("pkam,pkm,k->a", parts, occupied(level), weights) / len(self.bare)
        return np.array([average[list(places)].mean() for places in zip(*self.rows, strict=True)])

    def solve(
        self,
        filling: float | None = None,
        *,
        temperature: float = 1e-3,
        channel: str = "lowest",
        mesh: int = 128,
        hold_mu: bool = False,
        start: PairAmplitudes | None = None,
    ) -> TJSolution:
        """Solve the gap equations with the electrons of each orbital held.

        Parameters and errors are those of `tj_mean_field`; the temperature must be above zero, the
        channel one with one amplitude for all layers, and the chemical potential cannot be held.
        """
        real("temperature", temperature, above=0.0, unit="eV")
        if hold_mu or start is not None or channel == "full":
            raise ValueError(
                "hold_mu, start, channel 'full': not with the constraint; allowed: channels "
                "'lowest', 's', 'd' and 's+d' at a filling"
            )
        return super().solve(filling, temperature=temperature, channel=channel, mesh=mesh)

    def relaxed(
        self, filling: float | None = None, *, temperature: float = 1e-3, **options: Any
    ) -> TJSolution:
        """Solve with the electrons spread over both orbitals so that the free energy is lowest.

        The potential between the orbitals is then the derivative of the factors, and the average
        potential of the given bands counts in full.  Parameters and errors are those of `solve`;
        it costs some ten solutions.
        """
        filling = self.filling(filling)
        if len(self.rows[0]) == 1:
            return self.solve(filling, temperature=temperature, **options)
        electrons = filling / len(self.rows)

        def state(second: float) -> TJSolution:
            held = replace(self, occupations=(electrons - second, second))
            return held.solve(filling, temperature=temperature, **options)

        bounds = max(0.0, electrons - 1) + _MARGIN, min(1.0, electrons) - _MARGIN
        best = minimize_scalar(
            lambda second: state(float(second)).free_energy,
            bounds=bounds,
            method="bounded",
            options={"xatol": 1e-4},
        )
        return state(float(best.x))


def _scaled(strengths: list[tuple[float, float]], factors: Floats) -> list[tuple[float, float]]:
    return [
        (here * f, link * f) for (here, link), f in zip(strengths, factors.tolist(), strict=True)
    ]


def _renormalized(model: BlochModel, weight: Floats) -> BlochModel:
    """Scale all hoppings by the weights of both orbitals; levels stay."""
    hoppings = model.hoppings * np.outer(weight, weight)
    home = ~model.translations.any(axis=1)
    for i in range(len(weight)):
        hoppings[home, i, i] = model.hoppings[home, i, i]
    return replace(model, hoppings=hoppings)
