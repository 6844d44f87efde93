r"""Impurities without a magnetic moment, in one layer or in both.

An impurity is a potential V on all orbitals of one site, or of the two sites of a bilayer cell.  It
scatters states on the Fermi lines by the matrix t between orbitals, which is V in Born's
approximation, and otherwise solves :math:`t = V - i\pi V N t` with the local density of states N;
the real part of the local propagator is left out, as for a normal state that is symmetric between
particles and holes.  A concentration c per cell then mixes gaps on the lines by the operator

.. math:: (Rf)_k = \pi c \sum_{k'} \delta(\xi_{k'})\, |\langle u_k|t|u_{k'}\rangle|^2\,
    (f_k - f_{k'}) ,

whose average in the gap's shape is the rate of pair breaking: it vanishes for equal gaps, which is
Anderson's theorem.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import digamma

from nickbook.arrays import Complexes, Energy, Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import one_of, real
from nickbook.observables.density import TunnellingSpectrum
from nickbook.observables.gaps import Gap, GapField, finite, layer_projector
from nickbook.pairing import GapFunction
from nickbook.results import Result

#: Rates below this share of the largest one break no pairs.
_NO_RATE = 1e-9
#: Miss of the self-energies relative to the gap at which iterations end, and their number.
_MISS, _ITERATIONS = 1e-8, 4000
#: Iterations before steps are shortened.
_FREE = 20
#: Matsubara frequencies of the gap equation reach up to this multiple of the largest energy.
_FREQUENCIES = 25.0


@dataclass(frozen=True, eq=False)
class ImpurityScattering(Result):
    """How impurities act on a gap; made by `impurity_scattering`.

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    gap : GapFunction
        The gap on the Fermi sheets without impurities.
    strength : float
        Potential in eV; infinite in the unitary limit.
    layers : str
        "one" or "both".
    born : bool
        Whether scattering is that of Born's approximation.
    rates : ndarray, shape (M,)
        Eigenvalues of R for one impurity per cell, in eV.
    shares : ndarray, shape (M,)
        Shares of these modes in the gap's shape; they add up to one.
    between : ndarray, shape (sheets, sheets)
        Rates in eV at which electrons of one sheet scatter into another, for one impurity per
        cell: halves of the inverse life times.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.observables import impurity_scattering
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> sign_changing = lambda k: [[0.02, -0.02]] * len(k)
    >>> one, both = (
    ...     impurity_scattering(sea, gap=sign_changing, strength=0.2, layers=layers, born=True)
    ...     for layers in ("one", "both")
    ... )
    >>> one.between[0, 1] > 0, round(float(both.between[0, 1]), 12)  # a symmetric potential
    (np.True_, 0.0)
    """

    sea: FermiSea
    gap: GapFunction
    strength: Energy
    layers: str
    born: bool
    rates: Annotated[Floats, "eV", "mode"]
    shares: Annotated[Floats, "", "mode"]
    between: Annotated[Floats, "eV", "sheet", "other sheet"]

    def _words(self) -> str:
        kind = "Born" if self.born else "T-matrix"
        strength = f"{self.strength:.4g} eV" if np.isfinite(self.strength) else "unitary"
        where = f"in {self.layers} layer{'s' * (self.layers == 'both')}"
        return (
            f"{kind}, {strength} {where}, pair breaking "
            f"{1e3 * self.pair_breaking:.4g} meV of {1e3 * self.rate:.4g} meV per impurity and "
            f"cell, {self.gap!r}"
        )

    @property
    def rate(self) -> float:
        """Rate in eV at which electrons scatter, on average, for one impurity per cell."""
        w = np.array([sheet.density_of_states for sheet in self.gap.sheets])
        return float(w @ self.between.sum(axis=1) / w.sum())

    @property
    def pair_breaking(self) -> float:
        """Average of R in the gap's shape in eV for one impurity per cell: how T_c starts to fall.

        The slope is -π/4 times this, as Abrikosov and Gor'kov found for magnetic impurities.
        """
        return float(self.rates @ self.shares)

    def critical_temperature(self, concentration: ArrayLike, *, clean: float) -> Floats:
        r"""Critical temperature with impurities, in the unit of the clean one.

        .. math:: \ln\frac{T_{c0}}{T_c} = \sum_m s_m\,\Big[\psi\Big(\frac12 +
            \frac{c\,r_m}{2\pi T_c}\Big) - \psi\Big(\frac12\Big)\Big]

        with the modes' rates r and shares s: the equation of Abrikosov and Gor'kov for each mode.

        Parameters
        ----------
        concentration : array_like
            Impurities per cell, not negative.
        clean : float
            Critical temperature without impurities in eV.

        Returns
        -------
        ndarray
            Critical temperatures in eV; zero beyond the critical concentration.
        """
        clean = real("clean", clean, above=0.0, unit="eV")
        numbers = np.asarray(concentration, dtype=float)
        if not (np.isfinite(numbers) & (numbers >= 0)).all():
            raise ValueError(
                f"concentration = {concentration!r}; allowed: finite numbers that are not negative"
            )
        last = self.critical_concentration(clean=clean)
        found = [0.0 if c >= last else self._critical(float(c), clean) for c in numbers.ravel()]
        return np.array(found).reshape(numbers.shape)

    def _critical(self, concentration: float, clean: float) -> float:
        def excess(log_t: float) -> float:
            t = clean * np.exp(log_t)
            return float(log_t + self._raised(concentration, t))

        low = -1.0
        while excess(low) > 0:
            low *= 2
            if low < -500:
                return 0.0
        return clean * float(np.exp(brentq(excess, low, 1e-12, xtol=1e-12)))

    def _raised(self, concentration: float, temperature: float) -> float:
        """Sum over the modes in the equation of `critical_temperature`."""
        x = concentration * self.rates / (2 * np.pi * temperature)
        return float(self.shares @ (digamma(0.5 + x) - digamma(0.5)))

    def critical_concentration(self, *, clean: float) -> float:
        """Impurities per cell at which the critical temperature vanishes; infinite if never.

        Parameters
        ----------
        clean : float
            Critical temperature without impurities in eV.
        """
        clean = real("clean", clean, above=0.0, unit="eV")
        largest = float(self.rates.max(initial=0.0))
        breaking = self.rates > _NO_RATE * largest
        if not largest or self.shares[~breaking].sum() > 1e-6:
            return float("inf")
        logs = np.log(2 * np.exp(np.euler_gamma) * self.rates[breaking] / (np.pi * clean))
        shares = self.shares[breaking]
        return float(np.exp(-(shares @ logs) / shares.sum()))

    def amplitude(self, concentration: float, *, clean: float, temperature: float) -> float:
        """Gap parameter over that of `gap`'s largest value, in the gap equation with impurities.

        Parameters
        ----------
        concentration : float
            Impurities per cell.
        clean : float
            Critical temperature without impurities in eV, which fixes the interaction.
        temperature : float
            Temperature in eV, above a hundredth of `clean`.

        Returns
        -------
        float
            Factor on `gap`; zero above the critical temperature.

        Raises
        ------
        ValueError
            For numbers out of range, or if the self-energies do not converge.
        """
        c = real("concentration", concentration, at_least=0.0)
        clean = real("clean", clean, above=0.0, unit="eV")
        t = real("temperature", temperature, at_least=0.01 * clean, unit="eV")
        linear = np.log(t / clean) + self._raised(c, t)
        if linear >= 0:
            return 0.0
        gap = self._points.gap
        largest = float(np.abs(gap).max())
        w = self._points.weights
        square = float(w @ gap**2)
        top = max(3 * clean, c * float(self.rates.max()))
        omega = np.pi * t * (2 * np.arange(int(_FREQUENCIES * top / (2 * np.pi * t)) + 8) + 1)
        slopes = (self.shares / (omega[:, None] + c * self.rates)).sum(axis=1)

        def excess(scale: float) -> float:
            _, pairs = self._local((1j * omega).astype(complex), scale * gap, c)
            sums = (pairs.real * (w * gap)).sum(axis=1) / (square * scale)
            return float(linear + 2 * np.pi * t * (slopes - sums).sum())

        high = 3 * clean / largest
        while excess(high) < 0:
            high *= 1.5
        return float(brentq(excess, 1e-4 * high, high, rtol=1e-8))

    def spectrum(
        self,
        concentration: float,
        *,
        energies: ArrayLike,
        broadening: float,
        amplitude: float = 1.0,
    ) -> TunnellingSpectrum:
        """Density of states with impurities, from self-consistent self-energies.

        Parameters
        ----------
        concentration : float
            Impurities per cell.
        energies : array_like, shape (E,)
            Energies in eV.
        broadening : float
            Dynes width in eV besides the impurities.
        amplitude : float, optional
            Factor on `gap`, such as from the method `amplitude`.

        Returns
        -------
        TunnellingSpectrum
            As from `tunnelling`; its `gap` is the gap parameter, not the edge.

        Raises
        ------
        ValueError
            For numbers out of range, or if the self-energies do not converge.
        """
        c = real("concentration", concentration, at_least=0.0)
        width = real("broadening", broadening, above=0.0, unit="eV")
        scale = real("amplitude", amplitude, at_least=0.0)
        e = finite("energies", energies)
        part, _ = self._local(np.abs(e) + 1j * width, scale * self._points.gap, c)
        each = (part.imag * self._points.weights).T
        ends = np.cumsum([len(s.weights) for s in self.gap.sheets])[:-1]
        densities = np.array([rows.sum(axis=0) for rows in np.split(each, ends)])
        normal = np.array([s.density_of_states for s in self.gap.sheets])
        gap = replace(self.gap, values=tuple(scale * v for v in self.gap.values))
        return TunnellingSpectrum(gap, e, width, densities, normal)

    @cached_property
    def _points(self) -> "_Points":
        return _Points.of(self.gap, self.sea.model, self.layers)

    def _local(
        self, z: Complexes, gap: Floats, concentration: float
    ) -> tuple[Complexes, Complexes]:
        """z̃/√(Δ̃² − z̃²) and Δ̃/√(Δ̃² − z̃²) at each energy and point, shape (E, K)."""
        w, dyads = self._points.weights, self._points.dyads
        n = self._points.states.shape[1]
        least = _MISS * max(float(np.abs(gap).max()), 1e-12)
        energy = np.repeat(z[:, None], len(gap), axis=1)
        pairing: Complexes = np.repeat(gap[None].astype(complex), len(z), axis=0)
        todo = np.arange(len(z) if concentration else 0)
        for turn in range(_ITERATIONS):
            if not len(todo):
                break
            here = np.stack([energy[todo], pairing[todo]])
            local = (-np.pi * here / np.sqrt(here[1] ** 2 - here[0] ** 2) * w) @ dyads
            shifts = self._self_energies(*local.reshape(2, -1, n, n)).reshape(2, -1, n * n)
            even, odd = concentration * (shifts @ dyads.conj().T)
            new = np.stack([z[todo, None] - even, gap + odd])
            # Smaller steps damp the swing near resonances.
            new += (0.0 if turn < _FREE else 0.4) * (here - new)
            energy[todo], pairing[todo] = new
            todo = todo[np.abs(new - here).max(axis=(0, 2)) > least]
        else:
            raise ValueError(
                f"the self-energies did not converge at {len(todo)} of {len(z)} energies; give a "
                "larger broadening"
            )
        root: Complexes = np.sqrt(pairing**2 - energy**2)
        return energy / root, pairing / root

    def _self_energies(self, own: Complexes, pair: Complexes) -> Complexes:
        """Scattering by one impurity, of particles and from holes to particles: (2, E, n, n)."""
        total = np.zeros((2, *own.shape), complex)
        for basis in self._points.bases:
            inside, across = (basis.T @ x @ basis for x in (own, pair))
            if self.born:
                parts = np.asarray(self.strength**2 * np.stack([inside, -across]), complex)
            else:
                r = basis.shape[1]
                one = np.eye(r) / self.strength
                matrix = np.block([[one - inside, -across], [-across, -one - inside]])
                t = np.linalg.inv(matrix)
                like, unlike = t[:, :r, :r] + t[:, r:, r:], t[:, :r, r:] + t[:, r:, :r]
                parts = np.asarray(np.stack([like, unlike]) / 2, complex)
            total += basis @ parts @ basis.T / len(self._points.bases)
        return total


@dataclass(frozen=True, eq=False)
class _Points:
    """All points of the lines, and bases of the orbitals that an impurity acts on."""

    states: Complexes
    weights: Floats
    gap: Floats
    bases: tuple[Floats, ...]

    @classmethod
    def of(cls, gap: GapFunction, model: BlochModel, layers: str) -> "_Points":
        states = np.concatenate([sheet.states for sheet in gap.sheets])
        weights = np.concatenate([sheet.weights for sheet in gap.sheets])
        if layers == "both":
            bases: tuple[Floats, ...] = (np.eye(states.shape[1]),)
        else:
            bases = tuple(_range(layer_projector(model, layer)) for layer in (0, 1))
        return cls(states, weights, np.concatenate(gap.values), bases)

    @cached_property
    def dyads(self) -> Complexes:
        """Matrices u u†, shape (K, n²)."""
        products = self.states[:, :, None] * self.states.conj()[:, None, :]
        return products.reshape(len(self.states), -1)

    def rates(self, strength: float, born: bool) -> Floats:
        """π|⟨u|t|u′⟩|² for one impurity per cell, shape (K, K), in eV²; in either layer alike."""
        n = self.states.shape[1]
        local = (self.weights @ self.dyads).reshape(n, n)
        total = np.zeros((len(self.weights),) * 2)
        for basis in self.bases:
            one = np.eye(basis.shape[1])
            if born:
                inner = (strength * one).astype(complex)
            else:
                inverse = one / strength + 1j * np.pi * basis.T @ local @ basis
                inner = np.asarray(np.linalg.inv(inverse), complex)
            ends = self.states @ basis
            total += np.pi * np.abs(ends.conj() @ inner @ ends.T) ** 2
        return total / len(self.bases)


def impurity_scattering(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    gap: Gap,
    strength: float,
    layers: str = "one",
    born: bool = False,
) -> ImpurityScattering:
    """Scattering by impurities without a moment, and what it does to a gap.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    gap : GapFunction or callable
        The gap without impurities, as for `gap_on_sheets`; critical temperatures depend on its
        shape only.
    strength : float
        Potential on all orbitals of a site in eV; ``float("inf")`` is the unitary limit.
    layers : {"one", "both"}, optional
        Whether an impurity sits in one layer, in either of them alike, or acts on both layers in
        the same way and so conserves the mirror parity.
    born : bool, optional
        Born's approximation, for weak potentials, instead of the T-matrix.

    Returns
    -------
    ImpurityScattering
        Rates, critical temperatures, and densities of states.

    Raises
    ------
    TypeError, ValueError
        As for `gap_on_sheets`, for a potential that is zero or no number or, in Born's
        approximation, infinite, for an orbital without states at the level in the unitary limit,
        or if `layers` is "one" for a model that does not tell its layers apart.

    Notes
    -----
    The cost is that of the eigenvalues of one symmetric matrix over the points of all lines.

    Examples
    --------
    A gap of one sign does not feel impurities:

    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.observables import impurity_scattering
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> found = impurity_scattering(sea, gap=lambda k: 0.02 + 0 * k[:, 0], strength=1.0)
    >>> found.critical_temperature([0.0, 0.1], clean=0.01).round(9).tolist()
    [0.01, 0.01]
    """
    sea = FermiSea.of(sea, mu)
    one_of("layers", layers, ("one", "both"))
    infinite = not born and strength in (float("inf"), float("-inf"))
    potential = float(strength) if infinite else real("strength", strength, unit="eV")
    if potential == 0:
        raise ValueError("strength = 0 eV scatters nothing; allowed: a potential other than zero")
    found = GapField(sea, gap).on_sheets
    points = _Points.of(found, sea.model, layers)
    square = float(points.weights @ points.gap**2)
    if not square:
        raise ValueError("gap is zero on all sheets; give a gap that pairs some electrons")
    try:
        kernel = points.rates(potential, born)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"strength = {potential} eV: some orbital has no states at mu = {sea.mu} eV; allowed: "
            "a finite potential"
        ) from None
    w, root = points.weights, np.sqrt(points.weights)
    operator = np.diag(kernel @ w) - root[:, None] * kernel * root
    rates, modes = np.linalg.eigh(operator)
    shares = (modes.T @ (root * points.gap)) ** 2 / square
    counts = [len(sheet.weights) for sheet in found.sheets]
    ends = np.concatenate([[0], np.cumsum(counts)[:-1]])
    sums = np.add.reduceat(kernel * w, ends, axis=1)
    between = [
        sheet.average(rows)
        for sheet, rows in zip(found.sheets, np.split(sums, ends[1:]), strict=True)
    ]
    return ImpurityScattering(
        sea=sea,
        gap=found,
        strength=potential,
        layers=layers,
        born=born,
        rates=np.maximum(rates, 0.0),
        shares=shares,
        between=np.array(between),
    )


def _range(projector: Floats) -> Floats:
    """Orthonormal columns that span the range of a projector."""
    values, vectors = np.linalg.eigh(projector)
    return np.asarray(vectors[:, values > 0.5])
