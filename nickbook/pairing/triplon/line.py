r"""Triplon-mediated pairing between the odd (α) and even (β) bands, LK Eqs. 12–18.

The interaction couples pairs on the two bands only, with the matrix element of LK Eq. 13.  In the
s-wave channel its kernel is :math:`V(1 + \kappa^2\eta_k^2\eta_p^2)`, which has two terms, so the
gap on each band is a constant plus a multiple of :math:`\eta_k^2` and a gap equation on the Fermi
lines has four unknowns.

Couplings are given as :math:`\lambda = V\sqrt{N_\alpha N_\beta}`, see `TriplonParameters`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, root

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import one_of, real
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.triplon.parameters import (
    LARGEST_COUPLING,
    Kappa,
    Lines,
    TriplonParameters,
    lines_by_parity,
    on_lines,
)
from nickbook.pairing.triplon.zone import triplon_mean_field

#: Largest exponent of a gap that is still far above the smallest number.
LARGEST_LOGARITHM = 600.0

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def gap_ratio(dos_ratio: ArrayLike, coupling: ArrayLike) -> Floats:
    r"""Ratio of the gaps :math:`\Delta_\alpha/\Delta_\beta` from LK Eq. 18, last form.

    Parameters
    ----------
    dos_ratio : array_like
        :math:`N_\beta/N_\alpha`, positive.
    coupling : array_like
        :math:`\lambda`, in [0, 2).

    Returns
    -------
    ndarray
        :math:`(N_\beta/N_\alpha)^{1/(2-\lambda)}`.

    Raises
    ------
    ValueError
        For values out of range.

    Examples
    --------
    >>> from nickbook.pairing import gap_ratio
    >>> float(gap_ratio(4.0, 0.0))
    2.0
    """
    ratio, coupling = _checked_ratio(dos_ratio, coupling)
    raised: Floats = ratio ** (1 / (2 - coupling))
    return raised


def gap_ratio_exact(dos_ratio: ArrayLike, coupling: ArrayLike) -> Floats:
    r"""Ratio of the gaps :math:`\Delta_\alpha/\Delta_\beta` from LK Eq. 17, without expansion.

    The two equations give :math:`x = \frac12\ln\frac{N_\beta}{N_\alpha} +
    \operatorname{arsinh}\frac{\lambda x}{2}` for :math:`x = \ln(\Delta_\alpha/\Delta_\beta)`;
    replacing arsinh by its argument gives LK Eq. 18.  The root is unique for λ < 2.

    Parameters
    ----------
    dos_ratio, coupling : array_like
        As for `gap_ratio`.

    Returns
    -------
    ndarray
        The ratio, to rounding, with the errors of `gap_ratio`.

    Examples
    --------
    >>> from nickbook.pairing import gap_ratio, gap_ratio_exact
    >>> [round(float(ratio(4.0, 0.6)), 2) for ratio in (gap_ratio, gap_ratio_exact)]
    [2.69, 2.68]
    """
    ratio, coupling = _checked_ratio(dos_ratio, coupling)
    half = np.asarray(0.5 * np.log(ratio))
    x = half / (1 - coupling / 2)
    # Newton's method on a function that is monotone for λ < 2, from above the root.
    for _ in range(60):
        slope = 1 - coupling / 2 / np.hypot(1, coupling * x / 2)
        step = (x - half - np.arcsinh(coupling * x / 2)) / slope
        x = x - step
        if np.abs(step).max(initial=0.0) < 1e-15 * np.abs(x).max(initial=1.0):
            break
    return np.exp(x)


def gap_amplitudes(
    dos_ratio: ArrayLike, coupling: ArrayLike, cutoff: float = 0.3
) -> tuple[Floats, Floats]:
    r"""Gaps :math:`\Delta_\alpha, \Delta_\beta` along the zone diagonal that solve LK Eq. 17.

    Parameters
    ----------
    dos_ratio, coupling : array_like
        As for `gap_ratio`, with λ > 0.
    cutoff : float
        Ω in eV.

    Returns
    -------
    tuple of ndarray
        :math:`\Delta_\alpha` and :math:`\Delta_\beta` in eV, both positive; errors as for
        `gap_ratio`.

    Examples
    --------
    Bands alike have the gap of weak coupling, 2Ω exp(-1/λ):

    >>> import numpy as np
    >>> from nickbook.pairing import gap_amplitudes
    >>> alpha, beta = gap_amplitudes(1.0, 0.5, cutoff=0.3)
    >>> [round(float(gap), 6) for gap in (alpha, beta, 0.6 * np.exp(-2.0))]
    [0.081201, 0.081201, 0.081201]
    """
    cutoff = real("cutoff", cutoff, above=0.0, unit="eV")
    ratio, coupling = gap_ratio_exact(dos_ratio, coupling), np.asarray(coupling, dtype=float)
    if (coupling == 0).any():
        raise ValueError("coupling = 0 gives no gap; allowed: 0 < coupling < 2")
    mean = 2 * cutoff * np.exp(-np.hypot(1 / coupling, np.log(ratio) / 2))
    return mean * np.sqrt(ratio), mean / np.sqrt(ratio)


def factorized_gap(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    cutoff: float = 0.3,
    ratio: str = "eq-18",
) -> GapFunction:
    r"""Gap function of LK Eq. 16 with the amplitudes of LK Eq. 18 or 17.

    Here the gaps inside the sums of LK Eq. 15 are taken as constant on each sheet.  `triplon_gap`
    does without that.

    Parameters
    ----------
    sea, mu, coupling, kappa, cutoff : FermiSea or BlochModel, float
        As for `triplon_gap`.
    ratio : {"eq-18", "eq-17"}
        Which equation gives the two amplitudes: the closed form of Eq. 18 with
        :math:`\sqrt{\Delta_\alpha\Delta_\beta} = 2\Omega e^{-1/\lambda}`, or the solution of
        Eq. 17.

    Returns
    -------
    GapFunction
        As from `triplon_gap`, with its errors.

    Examples
    --------
    Constant on each sheet without κ, with the ratio of LK Eq. 18:

    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import factorized_gap, gap_ratio
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> gap, (alpha, beta) = factorized_gap(sea, coupling=0.5), sea.sheets
    >>> printed = gap_ratio(beta.density_of_states / alpha.density_of_states, 0.5)
    >>> round(gap.ratio() / float(printed), 9)
    1.0
    """
    one_of("ratio", ratio, ("eq-18", "eq-17"))
    sea = FermiSea.of(sea, mu)
    problem = _Problem.of(sea, TriplonParameters(coupling, kappa, cutoff))
    dos_ratio = problem.even.density_of_states / problem.odd.density_of_states
    if ratio == "eq-17":
        alpha, beta = gap_amplitudes(dos_ratio, coupling, cutoff)
    else:
        mean = 2 * cutoff * np.exp(-1 / coupling)
        root_ratio = np.sqrt(gap_ratio(dos_ratio, coupling))
        alpha, beta = mean * root_ratio, mean / root_ratio
    return problem.gap(
        sea,
        np.array([alpha, alpha * problem.even.average_term]),
        np.array([beta, beta * problem.odd.average_term]),
    )


def triplon_gap(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    cutoff: float = 0.3,
    temperature: float = 0.0,
    method: str = "fermi-line",
    mesh: int = 500,
) -> GapFunction:
    r"""Self-consistent s± gap function of LK Eq. 15.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands with mirror parity, such as `conduction_bands`, and their level in eV, together or
        apart.
    coupling, kappa, cutoff : float
        As in `TriplonParameters`, which takes a pair for κ too.
    temperature : float
        Temperature in eV; at and above the critical one the gap is zero.
    method : {"fermi-line", "mesh"}
        With "fermi-line", energy integrals with the density of states at the Fermi level,
        :math:`\sum_p \to \int dN \int_0^\Omega d\xi`, in which the gap varies along the lines.
        With "mesh", the sums over the zone as LK Eq. 14 writes them, by `triplon_mean_field`.
    mesh : int
        Points along each direction of the zone for "mesh", even.

    Returns
    -------
    GapFunction
        Positive on the odd (α) sheets, negative on the even (β) ones.

    Raises
    ------
    ValueError
        For parameters out of range, an unknown method, or Fermi lines without both parities.
    RuntimeError
        If the equations do not converge; the residual is named.

    Notes
    -----
    Four nonlinear equations, whatever the number of points on the lines; one evaluation costs one
    pass over the points.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_gap
    >>> gap = triplon_gap(FermiSea.at(conduction_bands(), filling=0.9), coupling=0.5, kappa=0.75)
    >>> gap.kind, gap.channel
    ('s±', 'singlet A1')
    """
    one_of("method", method, ("fermi-line", "mesh"))
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    sea = FermiSea.of(sea, mu)
    if method == "mesh":
        theory = triplon_mean_field(sea, coupling=coupling, kappa=kappa, cutoff=cutoff, mesh=mesh)
        return theory.gap_function(temperature=temperature)
    problem = _Problem.of(sea, TriplonParameters(coupling, kappa, cutoff))
    if temperature > 0 and temperature >= problem.critical_temperature:
        return on_lines(sea, np.zeros((2, 3)))
    return problem.gap(sea, *problem.solve(temperature))


def triplon_critical_temperature(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    cutoff: float = 0.3,
) -> float:
    r"""Critical temperature in eV of the s± solution on the Fermi lines.

    The linearized gap equation is a 2 × 2 eigenvalue problem.

    Parameters
    ----------
    sea, mu, coupling, kappa, cutoff : FermiSea or BlochModel, float
        As for `triplon_gap`.

    Returns
    -------
    float
        Critical temperature in eV, with the errors of `triplon_gap`.

    Examples
    --------
    Without κ it is that of weak coupling, 1.134 Ω exp(-1/λ):

    >>> import numpy as np
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_critical_temperature
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> T_c = triplon_critical_temperature(sea, coupling=0.3, cutoff=0.3)
    >>> round(float(T_c / (1.134 * 0.3 * np.exp(-1 / 0.3))), 3)
    1.0
    """
    parameters = TriplonParameters(coupling, kappa, cutoff)
    return _Problem.of(FermiSea.of(sea, mu), parameters).critical_temperature


def pair_logarithm(gap: ArrayLike, *, temperature: float, cutoff: float) -> Floats:
    r"""Energy integral :math:`\int_0^\Omega d\xi\,\tanh(E/2T)/E` with :math:`E^2=\xi^2+\Delta^2`.

    At T = 0 it is :math:`\operatorname{arsinh}(\Omega/\Delta)`, which LK approximate by
    :math:`\ln(2\Omega/\Delta)` above Eq. 16.

    Parameters
    ----------
    gap : array_like
        Gaps in eV; their sign does not matter.
    temperature, cutoff : float
        T and Ω in eV.

    Returns
    -------
    ndarray
        The integral, infinite for a vanishing gap at T = 0.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.pairing import pair_logarithm
    >>> exact = pair_logarithm(0.01, temperature=0.0, cutoff=0.3)
    >>> [round(float(value), 3) for value in (exact, np.log(2 * 0.3 / 0.01))]
    [4.095, 4.094]
    """
    size = np.abs(np.asarray(gap, dtype=float))
    if temperature == 0.0:
        with np.errstate(divide="ignore"):
            logarithm: Floats = np.arcsinh(cutoff / size)
        return logarithm
    # Above 40 T tanh is one to rounding.
    thermal = min(cutoff, 40 * temperature)
    beyond = np.log((cutoff + np.hypot(cutoff, size)) / (thermal + np.hypot(thermal, size)))
    # The rest is analytic up to |ξ| = D with D² = Δ² + π²T², so ξ = D sinh u makes it smooth.
    scale = np.hypot(size, np.pi * temperature)[..., None]
    top = np.arcsinh(thermal / scale)
    energy_step = top / 2 * _WEIGHTS
    xi = scale * np.sinh(top * (_NODES + 1) / 2)
    energy = np.hypot(xi, size[..., None])
    measure = np.hypot(xi, scale) * energy_step
    within = (measure * np.tanh(energy / (2 * temperature)) / energy).sum(axis=-1)
    total: Floats = within + beyond
    return total


class _Side:
    """The lines of one parity, with the basis functions (1, κη²) of gaps on them."""

    def __init__(self, lines: Lines, kappa: float) -> None:
        self.weights, self.density_of_states = lines.weights, lines.density_of_states
        self.basis = np.stack([np.ones_like(lines.eta), kappa * lines.eta**2], axis=-1)

    @property
    def average_term(self) -> float:
        """Average of κη² over the lines: κ times the Ñ/N of LK Eq. 16."""
        return float(self.weights @ self.basis[:, 1]) / self.density_of_states

    def moments(self, coefficients: Floats, temperature: float, cutoff: float) -> Floats:
        gap = self.basis @ coefficients
        logarithm = pair_logarithm(gap, temperature=temperature, cutoff=cutoff)
        return np.asarray((self.weights * gap * logarithm) @ self.basis)


@dataclass(frozen=True, eq=False)
class _Problem:
    odd: _Side
    even: _Side
    kappa: float
    strength: float
    cutoff: float

    @classmethod
    def of(cls, sea: FermiSea, parameters: TriplonParameters) -> "_Problem":
        kappa = float(np.sqrt(parameters.terms[2]))
        odd, even = (_Side(lines, kappa) for lines in lines_by_parity(sea))
        mean = np.sqrt(odd.density_of_states * even.density_of_states)
        return cls(odd, even, kappa, parameters.coupling / mean, parameters.cutoff)

    @cached_property
    def leading(self) -> tuple[float, Floats, Floats]:
        """Energy integral at which the linearized equations are solved, and the solution."""
        kernels = [s.basis.T @ (s.weights[:, None] * s.basis) for s in (self.odd, self.even)]
        values, vectors = np.linalg.eig(kernels[1] @ kernels[0] * self.strength**2)
        first = int(np.argmax(values.real))
        logarithm = float(values.real[first] ** -0.5)
        if logarithm > LARGEST_LOGARITHM:
            coupling = self.strength * np.sqrt(
                self.odd.density_of_states * self.even.density_of_states
            )
            raise ValueError(
                f"coupling = {coupling:.6g} gives a gap near {self.cutoff} eV times "
                f"exp(-{logarithm:.0f}), too small to compute; allowed: here coupling >= "
                f"{coupling * logarithm / LARGEST_LOGARITHM:.2g}"
            )
        odd = vectors[:, first].real / vectors[0, first].real
        return logarithm, odd, self.strength * logarithm * kernels[0] @ odd

    @cached_property
    def critical_temperature(self) -> float:
        logarithm, _, _ = self.leading

        def excess(log_t: float) -> float:
            temperature = float(np.exp(log_t))
            found = pair_logarithm(0.0, temperature=temperature, cutoff=self.cutoff)
            return float(found) - logarithm

        # The integral is ln(1.134 Ω/T) in weak coupling and Ω/2T far above it.
        low = np.log(self.cutoff) - logarithm - 2
        high = np.log(self.cutoff) + max(0.0, -np.log(logarithm)) + 2
        return float(np.exp(brentq(excess, low, high, xtol=1e-13)))

    def solve(self, temperature: float) -> tuple[Floats, Floats]:
        """Coefficients (constant, η² term) of the gap magnitudes on the odd and even sheets."""
        logarithm, odd, even = self.leading
        scale = self.cutoff / np.sinh(logarithm) / np.sqrt(odd[0] * even[0])
        if temperature:
            scale *= np.tanh(1.74 * np.sqrt(self.critical_temperature / temperature - 1))
        odd, even = odd / even[0], even / even[0]

        def residual(unknown: Floats) -> Floats:
            odd, even, scale = unknown[:2], np.array([1.0, unknown[2]]), np.exp(unknown[3])
            sums = [
                self.strength * side.moments(scale * c, temperature, self.cutoff) / scale
                for side, c in ((self.even, even), (self.odd, odd))
            ]
            return np.concatenate([odd - sums[0], even - sums[1]])

        start = np.array([*odd, even[1], np.log(scale * even[0])])
        found = root(residual, start, tol=1e-13)
        if not np.abs(residual(found.x)).max() < 1e-9:
            raise RuntimeError(
                f"the gap equations did not converge: residual {np.abs(found.fun).max():.1e} "
                f"relative to the gap at temperature = {temperature} eV"
            )
        scale = np.exp(found.x[3])
        return scale * found.x[:2], scale * np.array([1.0, found.x[2]])

    def gap(self, sea: FermiSea, odd: Floats, even: Floats) -> GapFunction:
        """Gap function s± with these magnitudes in the basis (1, κη²)."""
        terms = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, self.kappa]])
        return on_lines(sea, np.array([odd, -even]) @ terms)


def _checked_ratio(dos_ratio: ArrayLike, coupling: ArrayLike) -> tuple[Floats, Floats]:
    ratio, strength = np.asarray(dos_ratio, dtype=float), np.asarray(coupling, dtype=float)
    if not (np.isfinite(ratio).all() and (ratio > 0).all()):
        raise ValueError(f"dos_ratio = {ratio}; allowed: finite numbers > 0")
    if not ((strength >= 0) & (strength < LARGEST_COUPLING)).all():
        raise ValueError(f"coupling = {strength}; allowed: 0 <= coupling < 2, the pole of Eq. 18")
    return ratio, strength
