r"""The gap equations LK Eqs. 14 and 15, summed over the Brillouin zone.

The pairing interaction of LK Eq. 13, :math:`V_{kk'} = V(1-\kappa_a\eta_k\eta_{k'})
(1-\kappa_b\eta_k\eta_{k'})`, has three terms.  Every gap that it can produce is therefore
:math:`\Delta_k = c_0 + c_1\eta_k + c_2\eta_k^2` on each band.  The terms with 1 and η² do not
change under a quarter turn, the one with η changes its sign: the first two make the s± channel,
where LK Eq. 15 holds, the other one the d channel, where the terms linear in κ act alone.

Sums run over the mesh points with :math:`|\xi| < \Omega` in one eighth of the zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Annotated

import numpy as np
from scipy.optimize import brentq

from nickbook.arrays import Energy, Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.bands.band import Block
from nickbook.checks import one_of, positive_integer, real
from nickbook.dimers import dispersive_kernel
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.triplon.parameters import (
    LARGEST_KAPPA,
    Kappa,
    TriplonParameters,
    lines_by_parity,
    on_lines,
)
from nickbook.progress import track
from nickbook.results import Result

#: The solutions by the `kind` of their gap functions, and the powers of η that they hold.
CHANNELS: dict[str, tuple[int, ...]] = {"s±": (0, 2), "d": (1,)}

#: What a quarter turn makes of the coefficients of 1, η and η².
_TURN = np.array([1.0, -1.0, 1.0])
_COARSEST_MESH = 16
_GENERIC_POINTS = np.array([[0.37, 1.21], [2.3, 0.71], [1.7, 2.9]])


@dataclass(frozen=True, eq=False)
class Shell(Result):
    """Mesh points of one mirror parity with energies within the cutoff, in an eighth of the zone.

    Energies are in eV from the chemical potential; a weight is the share of the zone that a point
    and its images under the square's symmetries stand for.
    """

    xi: Annotated[Floats, "eV", "point"]
    eta: Annotated[Floats, "", "point"]
    weights: Annotated[Floats, "", "point"]

    @cached_property
    def powers(self) -> tuple[Floats | float, ...]:
        """The powers 0, 1, 2 of the form factor."""
        return 1.0, self.eta, self.eta**2

    @cached_property
    def xi2(self) -> Floats:
        """Squared energies."""
        return np.asarray(self.xi**2)

    def gap(self, row: Floats) -> Floats:
        """Gap at each point from its coefficients of 1, η and η²."""
        terms = [c * power for c, power in zip(row, self.powers, strict=True) if c]
        return sum(terms[1:], start=terms[0] + np.zeros_like(self.xi)) if terms else 0 * self.xi

    def energies(self, row: Floats) -> Floats:
        """Quasiparticle energies √(ξ² + Δ²)."""
        return np.asarray(np.sqrt(self.xi2 + np.abs(self.gap(row)) ** 2))

    def moments(self, values: Floats, powers: Sequence[int]) -> Floats:
        """Sum values times each of the powers of η."""
        weighted = self.weights * values
        sums = [weighted.sum() if p == 0 else weighted @ self.powers[p] for p in powers]
        return np.array(sums)

    def matrix(self, values: Floats, powers: Sequence[int]) -> Floats:
        """Sum values times the products of two of the powers of η."""
        return np.array([self.moments(values * self.powers[p], powers) for p in powers])


@dataclass(frozen=True, eq=False)
class TriplonMeanField(Result):
    r"""BCS mean-field theory of the triplon-mediated interaction on a mesh (LK Eqs. 12–15).

    Make one with `triplon_mean_field`.  Gaps are arrays `c` of shape (2, 3): row 0 for the odd (α)
    and row 1 for the even (β) bands, with :math:`\Delta_k = c_0 + c_1\eta_k + c_2\eta_k^2` in eV.
    A `channel` is the `kind` of a gap: "s±" ("singlet A1") or "d" ("singlet B1").

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    parameters : TriplonParameters
        Interaction and cutoff.
    shells : tuple of Shell
        Points of the odd and the even bands.
    densities : tuple of float
        Densities of states :math:`N_\alpha, N_\beta` at the Fermi level, per spin and cell.
    lowest_temperature : float
        Temperature in eV below which sums over this mesh depend on where its points lie: v/π times
        the distance of points over 2π, with the largest Fermi velocity v.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_mean_field
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> theory = triplon_mean_field(sea, coupling=0.5, mesh=100)
    >>> T_c = theory.critical_temperature()
    >>> round(theory.eigenvalue(temperature=T_c), 6)
    1.0
    """

    sea: FermiSea
    parameters: TriplonParameters
    shells: tuple[Shell, Shell]
    densities: Annotated[tuple[float, float], "1/eV"]
    lowest_temperature: Energy

    def _words(self) -> str:
        a, b = self.densities
        points = " + ".join(str(len(shell.xi)) for shell in self.shells)
        return (
            f"V {self.strength:.4g} eV, N_α {a:.4g}/eV, N_β {b:.4g}/eV, {points} points, "
            f"{self.parameters!r}, {self.sea!r}"
        )

    @property
    def strength(self) -> float:
        """Interaction V in eV."""
        return self.parameters.coupling / float(np.sqrt(self.densities[0] * self.densities[1]))

    @property
    def kernel(self) -> Floats:
        r"""Coefficients of :math:`1, \eta\eta', \eta^2\eta'^2` in LK Eq. 13, in eV."""
        return self.strength * self.parameters.terms

    def with_interaction(
        self, *, coupling: float | None = None, kappa: Kappa | None = None
    ) -> "TriplonMeanField":
        """Return the same bands and mesh with another coupling or κ, as in `TriplonParameters`."""
        old = self.parameters
        coupling = old.coupling if coupling is None else coupling
        parameters = replace(old, coupling=coupling, kappa=old.kappa if kappa is None else kappa)
        return replace(self, parameters=parameters)

    def eigenvalue(
        self, channel: str = "s±", *, temperature: float, gap: Floats | None = None
    ) -> float:
        """Leading eigenvalue of the linearized gap equation; above 1 the channel condenses.

        With a `gap` that is present already it is that of an admixture with a relative phase of
        90°, such as s + id, the direction in which a coexisting gap costs least: below 1 the state
        is stable against it.  Without one the temperature, in eV, must be positive.
        """
        powers = CHANNELS[one_of("channel", channel, tuple(CHANNELS))]
        temperature = real("temperature", temperature, at_least=0.0, unit="eV")
        present = np.zeros((2, 3)) if gap is None else np.asarray(gap, dtype=float)
        matrices = [
            shell.matrix(_pair_factor(shell.energies(row), temperature), powers)
            for shell, row in zip(self.shells, present, strict=True)
        ]
        kernel = self.kernel[list(powers), None]
        values = np.linalg.eigvals((kernel * matrices[0]) @ (kernel * matrices[1]))
        return float(np.sqrt(max(values.real.max(), 0.0)))

    def critical_coupling(self, channel: str = "s±", *, temperature: float) -> float:
        """Coupling λ at which a channel condenses at a temperature in eV; inf if it never does."""
        temperature = real("temperature", temperature, above=0.0, unit="eV")
        found = self.eigenvalue(channel, temperature=temperature)
        return self.parameters.coupling / found if found else np.inf

    def critical_temperature(self, channel: str = "s±") -> float:
        """Temperature in eV at which the linearized gap equation of a channel has a solution.

        Zero if it lies below `lowest_temperature`.
        """
        lowest, highest = np.log(self.lowest_temperature), np.log(1e2 * self.parameters.cutoff)

        def excess(log_t: float) -> float:
            return 1 / self.eigenvalue(channel, temperature=float(np.exp(log_t))) - 1

        if self.eigenvalue(channel, temperature=self.lowest_temperature) <= 1:
            return 0.0
        return float(np.exp(brentq(excess, lowest, highest, xtol=1e-12)))

    def gap_function(self, channel: str = "s±", *, temperature: float = 0.0) -> GapFunction:
        """Self-consistent `gap` on the Fermi lines: positive on the odd ones (in d at θ = π/2)."""
        return on_lines(self.sea, self.gap(channel, temperature=temperature))

    def gap(self, channel: str = "s±", *, temperature: float = 0.0) -> Floats:
        """Nonzero solution of LK Eq. 14 in one channel, or zeros above its critical temperature.

        Coefficients in eV, shape (2, 3).  In s± the gaps of α and β have opposite signs, in d the
        same sign where κ_a + κ_b > 0.  Raises ValueError if the mesh does not resolve the gap, and
        RuntimeError, with the residual, if Newton's method does not converge.
        """
        temperature = real("temperature", temperature, at_least=0.0, unit="eV")
        powers = list(CHANNELS[one_of("channel", channel, tuple(CHANNELS))])
        found = np.zeros((2, 3))
        if temperature and self.eigenvalue(channel, temperature=temperature) <= 1:
            return found
        kernel = np.abs(self.kernel[powers])
        odd, even = self.shells
        # Pairs are at most weights/2, which bounds the gap; from above, Newton's method descends
        # monotonically, since the right side of the gap equation is concave.
        here = kernel * even.moments(np.sign(even.eta) ** powers[0] / 2, powers)
        smallest = 1e-8 * np.abs(here).max()
        for _ in range(100):
            there, slope = _pairing(odd, here, temperature, powers)
            there, slope = kernel * there, kernel[:, None] * slope
            back, back_slope = _pairing(even, there, temperature, powers)
            miss = kernel * back - here
            step = np.linalg.solve(np.eye(len(powers)) - kernel[:, None] * back_slope @ slope, miss)
            here = here + step
            if np.abs(here).max() <= smallest:  # the critical temperature itself
                return found
            size = np.abs(here).max()
            # Close to the critical temperature rounding limits the step, not the residual.
            if np.abs(step).max() <= 1e-13 * size or np.abs(miss).max() <= 1e-15 * size:
                found[0, powers] = here
                found[1, powers] = -np.sign(self.kernel[powers]) * there
                self._require_resolved(found, temperature)
                return found
        raise RuntimeError(
            f"the gap equations did not converge: residual {np.abs(miss).max():.1e} eV in "
            f"channel {channel!r} at temperature = {temperature} eV"
        )

    def residual(self, gap: Floats, *, temperature: float = 0.0) -> float:
        """Largest distance between the coefficients on the two sides of LK Eq. 14, in eV."""
        sums = self._pair_sums(gap, temperature)
        return float(np.abs(gap + self.kernel * sums[::-1]).max())

    def free_energy(self, gap: Floats, *, temperature: float = 0.0) -> float:
        r"""Variational free energy in eV per cell of a BCS state, from that of the normal state.

        It is the average of the full Hamiltonian, LK Eqs. 4 and 12, minus TS in the state whose
        quasiparticles have this gap, self-consistent or not.  Self-consistent gaps make it
        stationary; it is negative where the state is better than the normal one.
        """
        temperature = real("temperature", temperature, at_least=0.0, unit="eV")
        alpha, beta = self._pair_sums(gap, temperature)
        total = 2 * float((self.kernel @ (alpha * beta.conj())).real)
        for shell, row in self._images(gap):
            energy, size = shell.energies(row), np.abs(shell.xi)
            pairs = 2 * np.abs(shell.gap(row)) ** 2 * _pair_factor(energy, temperature)
            gain = size - energy + pairs
            if temperature:
                gain -= 2 * temperature * np.log1p(np.exp(-energy / temperature))
                gain += 2 * temperature * np.log1p(np.exp(-size / temperature))
            total += float(shell.weights @ gain) / 2
        return total

    def entropy(self, gap: Floats, *, temperature: float) -> float:
        """Entropy per cell with a gap, in units of k_B, from that of the normal state: negative."""
        temperature = real("temperature", temperature, above=0.0, unit="eV")
        total = 0.0
        for shell, row in self._images(gap):
            normal = _fermi_entropy(np.abs(shell.xi) / temperature)
            change = _fermi_entropy(shell.energies(row) / temperature) - normal
            total += float(shell.weights @ change) / 2
        return total

    def specific_heat(self, channel: str = "s±", *, temperature: float) -> float:
        """Specific heat per cell from that of the normal state, in units of k_B.

        The temperature times the derivative of `entropy` of the self-consistent gap, from three
        points at and below this temperature (so from below at T_c), a thousandth of it apart.
        """
        low, middle, high = (
            self.entropy(self.gap(channel, temperature=t), temperature=t)
            for t in temperature * np.array([0.998, 0.999, 1])
        )
        return float((3 * high - 4 * middle + low) / 2e-3)

    def _require_resolved(self, gap: Floats, temperature: float) -> None:
        largest = max(np.abs(s.gap(row)).max() for s, row in zip(self.shells, gap, strict=True))
        resolved = np.pi * self.lowest_temperature
        if 0 < max(largest, np.pi * temperature) < resolved:
            raise ValueError(
                f"the gap of {largest:.2g} eV is below the {resolved:.2g} eV that this mesh "
                "resolves; allowed: a finer mesh or a larger coupling"
            )

    def _images(self, gap: Floats) -> list[tuple[Shell, Floats]]:
        """Both parities, each with its gap and the one that a quarter turn makes of it.

        Points fill one eighth of the zone; in the next one η has the other sign.
        """
        pairs = zip(self.shells, np.asarray(gap), strict=True)
        return [(shell, image) for shell, row in pairs for image in (row, _TURN * row)]

    def _pair_sums(self, gap: Floats, temperature: float) -> Floats:
        """Sum η^p Δ tanh(E/2T)/2E over the zone for both parities, shape (2, 3)."""
        sums = []
        for shell, row in self._images(gap):
            pairs = shell.gap(row) * _pair_factor(shell.energies(row), temperature)
            sums.append(shell.moments(pairs, (0, 1, 2)))
        return np.array([(sums[i] + _TURN * sums[i + 1]) / 2 for i in (0, 2)])


def triplon_mean_field(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    cutoff: float = 0.3,
    mesh: int = 500,
) -> TriplonMeanField:
    r"""Mean-field theory of LK Eqs. 12–14 on a mesh over the Brillouin zone.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands with mirror parity and the symmetry of the square, such as `conduction_bands`, and
        their level in eV, together or apart.
    coupling, kappa, cutoff : float
        As in `TriplonParameters`, which takes a pair for κ too.
    mesh : int
        Points along each direction of the zone, even.

    Returns
    -------
    TriplonMeanField
        Solves for gaps, critical temperatures and free energies.

    Raises
    ------
    ValueError
        For parameters out of range, a model without the square's symmetry, or Fermi lines
        without both parities.

    Notes
    -----
    One pass over the points costs O(mesh²/8); a gap takes some ten passes.  The error falls as
    exp(−mesh·Δ/v) with the velocity v, down to the error of the sharp cutoff, about mesh^-3/2.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_mean_field
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> theory = triplon_mean_field(sea, coupling=0.5, kappa=0.75, mesh=100)
    >>> gap = theory.gap_function()
    >>> gap.kind, gap.signs()
    ('s±', [1, -1])
    """
    parameters = TriplonParameters(coupling, kappa, cutoff)
    mesh = positive_integer("mesh", mesh, at_least=_COARSEST_MESH)
    if mesh % 2:
        raise ValueError(f"mesh = {mesh}; allowed: an even number of points")
    sea = FermiSea.of(sea, mu)
    _require_square_symmetry(sea.model)
    alpha, beta = (lines.density_of_states for lines in lines_by_parity(sea))
    blocks = {block.parity: block for block in sea.model.blocks}
    odd, even = (_shell(sea, blocks[parity], cutoff, mesh) for parity in (-1, 1))
    fastest = max(np.linalg.norm(s.velocity, axis=-1).max() for s in sea.sheets)
    lowest = float(fastest / (np.pi * mesh))
    return TriplonMeanField(sea, parameters, (odd, even), (alpha, beta), lowest)


def channel_strengths(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    kappa: Kappa,
    exchange_ratio: float = 0.0,
) -> dict[str, float]:
    r"""Effective coupling of each channel on the Fermi lines, in units of λ.

    In weak coupling :math:`T_c \simeq 1.134\,\Omega\,e^{-1/(\lambda s)}` with the strength s: the
    channel of the larger one condenses, whatever λ and Ω.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands with mirror parity and their level in eV, together or apart.
    kappa : float or pair of float
        As in `TriplonParameters`.
    exchange_ratio : float
        J_ab/J_c, within 1/4; unless zero, triplons disperse as in
        `nickbook.dimers.dispersive_kernel`, and the gaps are no more polynomials of η.

    Returns
    -------
    dict
        Strength of ``"s±"`` and ``"d"``; the first is 1 at κ = 0 without dispersion.

    Raises
    ------
    ValueError
        For parameters out of range or Fermi lines without both parities.

    Notes
    -----
    With dispersion the cost is that of a full matrix between the points of the lines.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import channel_strengths
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> {channel: round(s, 3) for channel, s in channel_strengths(sea, kappa=0.75).items()}
    {'s±': 1.348, 'd': 1.109}
    """
    sea = FermiSea.of(sea, mu)
    parameters, sides = TriplonParameters(1.0, kappa), lines_by_parity(sea)
    if exchange_ratio:
        return _dispersive_strengths(sea, parameters, exchange_ratio)
    kernel = np.abs(parameters.terms)
    strengths = {}
    for channel, powers in CHANNELS.items():
        matrices = []
        for lines in sides:
            basis = lines.eta[:, None] ** np.array(powers)
            shares = lines.weights[:, None] / lines.density_of_states
            matrices.append(kernel[list(powers), None] * (basis.T @ (shares * basis)))
        largest = np.linalg.eigvals(matrices[0] @ matrices[1]).real.max()
        strengths[channel] = float(np.sqrt(largest))
    return strengths


def _dispersive_strengths(
    sea: FermiSea, parameters: TriplonParameters, exchange_ratio: float
) -> dict[str, float]:
    """Largest singular values of the parts of the kernel that are even and odd under a turn."""
    points, shares = [], []
    for parity in (-1, 1):
        sheets = [s for s in sea.sheets if s.parity == parity]
        points.append(np.concatenate([s.points for s in sheets]))
        weights = np.concatenate([s.weights for s in sheets])
        shares.append(np.sqrt(weights / weights.sum()))
    outer = np.multiply.outer(*shares)
    strengths = {"s±": np.zeros_like(outer), "d": np.zeros_like(outer)}
    a, b = parameters.kappa  # type: ignore[misc]
    signs = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    for swapped, sign in product((False, True), signs):
        images = (points[1][:, ::-1] if swapped else points[1]) * sign
        kernel = dispersive_kernel(
            points[0][:, None], images, kappa=(a, b), J_c=1.0, J_ab=exchange_ratio
        )
        strengths["s±"] += kernel * outer / 8
        strengths["d"] += (-1 if swapped else 1) * kernel * outer / 8
    return {name: float(np.linalg.norm(matrix, 2)) for name, matrix in strengths.items()}


def channel_boundaries(theory: TriplonMeanField, kappa: float) -> dict[str, float]:
    r"""Ratios κ_a/κ_b at which the s± and the d state change places, at fixed κ.

    Larger ratios favour d: the terms linear in κ carry :math:`\kappa_a+\kappa_b =
    \kappa(\sqrt{r}+1/\sqrt{r})`, while s± depends on κ alone.

    Parameters
    ----------
    theory : TriplonMeanField
        Bands, mesh and λ.
    kappa : float
        :math:`\kappa = \sqrt{\kappa_a\kappa_b}`, in (0, 6).

    Returns
    -------
    dict
        ``"equal T_c"``: above it d condenses first.  ``"s± unstable"``: above it s± at T = 0 takes
        in d with a phase of 90°.  ``"d stable"``: above it d at T = 0 takes in no s±.  NaN where
        κ_a would exceed 6 or the ratio falls below 1.

    Notes
    -----
    The last one converges slowly, as one over the mesh, since d has nodes on the zone diagonal: at
    κ = 0.75, λ = 0.5 it is 8.2, 7.7 and 7.67 for 400, 1200 and 2400 points.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import channel_boundaries, triplon_mean_field
    >>> theory = triplon_mean_field(FermiSea(conduction_bands(), -0.65), coupling=0.5, mesh=100)
    >>> f"{channel_boundaries(theory, kappa=0.75)['equal T_c']:.1f}"
    '4.0'
    """
    kappa = real("kappa", kappa, above=0.0, below=LARGEST_KAPPA)
    reference = theory.with_interaction(kappa=kappa)
    gap, target = reference.gap(), reference.critical_temperature()

    def at(ratio: float) -> TriplonMeanField:
        root = float(np.sqrt(ratio))
        return theory.with_interaction(kappa=(kappa * root, kappa / root))

    def admixed_s_wave(theory: TriplonMeanField) -> float:
        """Eigenvalue of an s± admixture in the d state; infinite where no d gap is seen."""
        if theory.critical_temperature("d") == 0.0:
            return np.inf
        return theory.eigenvalue("s±", temperature=0.0, gap=theory.gap("d"))

    excesses: dict[str, Callable[[float], float]] = {
        "equal T_c": lambda ratio: at(ratio).critical_temperature("d") - target,
        "s± unstable": lambda ratio: at(ratio).eigenvalue("d", temperature=0.0, gap=gap) - 1,
        "d stable": lambda ratio: 1 - admixed_s_wave(at(ratio)),
    }
    largest = (LARGEST_KAPPA / kappa) ** 2 * (1 - 1e-12)
    found = {}
    for name, excess in track(excesses.items(), "channel boundaries"):
        crosses = excess(1.0) < 0 < excess(largest)
        found[name] = float(brentq(excess, 1.0, largest, xtol=1e-6)) if crosses else np.nan
    return found


def _pairing(
    shell: Shell, coefficients: Floats, temperature: float, powers: list[int]
) -> tuple[Floats, Floats]:
    """Moments of Δ tanh(E/2T)/2E, and their derivatives with respect to the coefficients."""
    row = np.zeros(3)
    row[powers] = coefficients
    gap = shell.gap(row)
    energy2 = shell.xi2 + gap**2
    factor = _pair_factor(np.sqrt(energy2), temperature)
    slope = shell.xi2 / energy2 * factor
    if temperature:
        thermal = 2 * np.sqrt(energy2) * factor
        slope += (1 - thermal**2) * gap**2 / (4 * temperature * energy2)
    return shell.moments(gap * factor, powers), shell.matrix(slope, powers)


def _pair_factor(energy: Floats, temperature: float) -> Floats:
    """Return tanh(E/2T)/2E."""
    energy = np.maximum(energy, 1e-14)
    if temperature == 0.0:
        return 0.5 / energy
    return np.asarray(np.tanh(energy / (2 * temperature)) / (2 * energy))


def _fermi_entropy(ratio: Floats) -> Floats:
    """Entropy of the two quasiparticles of one momentum at energy E, from E/T."""
    boltzmann = np.exp(-ratio)
    return np.asarray(2 * (np.log1p(boltzmann) + ratio * boltzmann / (1 + boltzmann)))


def _shell(sea: FermiSea, block: Block, cutoff: float, mesh: int) -> Shell:
    """Points of one block within the cutoff, in the wedge 0 <= ky <= kx <= π."""
    half = mesh // 2
    axis = np.pi * np.arange(half + 1) / half
    share = np.full(half + 1, 2.0)
    share[[0, -1]] = 1.0
    xi = np.array(_quadrant_energies(sea.model, block, axis)) - sea.mu
    band, row, column = np.nonzero(np.tril(np.abs(xi) < cutoff))
    weights = share[row] * share[column] * (2.0 - (row == column)) / mesh**2
    return Shell(xi[band, row, column], np.cos(axis)[row] - np.cos(axis)[column], weights)


def _quadrant_energies(model: BlochModel, block: Block, axis: Floats) -> list[Floats]:
    """Energies of each band of a block at all (kx, ky) of an axis from 0 to π."""
    if block.size == 1:
        # With the square's symmetry the Fourier series of one band is a sum over products of
        # cosines, hence two matrix products.
        state = block.basis[:, 0]
        amplitudes = np.real(np.einsum("i,rij,j->r", state.conj(), model.hoppings, state))
        reach = int(np.abs(model.translations).max())
        table = np.zeros((reach + 1, reach + 1))
        np.add.at(table, tuple(np.abs(model.translations).T), amplitudes)
        cosines = np.cos(np.multiply.outer(axis, np.arange(reach + 1)))
        return [cosines @ table @ cosines.T]
    rows = [block.energies(np.stack(np.broadcast_arrays(kx, axis), axis=-1)) for kx in axis]
    return list(np.moveaxis(np.array(rows), -1, 0))


def _require_square_symmetry(model: BlochModel) -> None:
    kx, ky = _GENERIC_POINTS.T
    images = [np.stack(image, axis=-1) for image in ((kx, ky), (ky, kx), (-kx, ky))]
    energies = [model.band_energies(image) for image in images]
    if np.ptp(energies, axis=0).max() > 1e-9:
        raise ValueError(
            f"model {model.name!r} changes under a symmetry of the square; the mesh method sums "
            "over one eighth of the zone and needs it"
        )
