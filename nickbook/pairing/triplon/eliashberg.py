r"""Triplon exchange with its retardation: Eliashberg equations on the Fermi lines.

A triplon that is flat and costs :math:`J_c` has the propagator
:math:`D(\nu) = J_c^2/(J_c^2+\nu^2)` at the bosonic frequency ν, in units of its static value, which
LK put for it.  Every exchange that pairs two electrons contains one :math:`f^a` and one
:math:`f^b` of LK Eq. 11; the one that an electron has with itself contains either of them twice,
:math:`\frac12[(f^a)^2 + (f^b)^2]` in the part even in ν.  The odd part shifts levels and drops out
where the density of states is constant.  With :math:`E^2 = \tilde\omega^2 + \phi^2`, for α,

.. math::
    \tilde\omega_\alpha &= \omega + \pi T \sum_{\omega'} V D(\omega-\omega') \int_\beta dN'\,
        \tfrac12[(f^a)^2+(f^b)^2]\, \tilde\omega'/E' , \\
    \phi_\alpha &= -\pi T \sum_{\omega'} \int_\beta dN'\, V D(\omega-\omega') f^a f^b\, \phi'/E'
        - \pi T \sum_{|\omega'|<\omega_c} \sum_\nu U_{\alpha\nu} \int_\nu dN'\, \phi'/E' ,

and α, β exchanged.  The gap is :math:`\Delta = \phi\,\omega/\tilde\omega`.  Form factors enter as
powers of η, so on each band φ has three terms and :math:`\tilde\omega` two, 1 and η².
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import NoConvergence, brentq, newton_krylov
from scipy.sparse.linalg import LinearOperator, eigsh

from nickbook.arrays import Energy, Floats
from nickbook.bands import BlochModel, FermiSea, eta_k
from nickbook.checks import one_of, real
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.triplon.parameters import (
    LARGEST_KAPPA,
    Kappa,
    Lines,
    TriplonParameters,
    lines_by_parity,
)
from nickbook.pairing.triplon.zone import CHANNELS, TriplonMeanField
from nickbook.papers import LK
from nickbook.results import Result

#: Matsubara frequencies kept: up to this multiple of J_c, but between these numbers of them.
_REACH, _FEWEST, _MOST = 10.0, 32, 2000
_LARGEST_COUPLING = 1e6


def coulomb_matrix(U: float, *, interlayer: float = 0.0) -> Floats:
    r"""Repulsion between pairs of the odd and even bands of a bilayer, from that of its sites.

    With :math:`\beta, \alpha = (x_1 \pm x_2)/\sqrt2` a repulsion on the sites acts alike within and
    between the bands, with :math:`U/2`; one between the layers, :math:`U'`, adds
    :math:`U'/2` within and subtracts it between them.

    Parameters
    ----------
    U : float
        Repulsion on a site in eV.
    interlayer : float
        Repulsion U' between the two sites of a dimer in eV.

    Returns
    -------
    ndarray, shape (2, 2)
        Rows and columns odd (α), even (β), in eV per cell.

    Examples
    --------
    >>> from nickbook.pairing import coulomb_matrix
    >>> coulomb_matrix(1.0).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    site, other = real("U", U, unit="eV"), real("interlayer", interlayer, unit="eV")
    return np.array([[site + other, site - other], [site - other, site + other]]) / 2


def pseudopotential(coulomb: ArrayLike, densities: Sequence[float], logarithm: float) -> Floats:
    r"""Repulsion between bands once the pairs at high frequencies are taken into account.

    The matrix :math:`U^* = (1 + U N \ell)^{-1} U` with :math:`\ell = \ln(W/\omega_c)` stands for a
    repulsion U that acts up to W where only frequencies up to :math:`\omega_c` are kept (Morel and
    Anderson for one band).

    Parameters
    ----------
    coulomb : array_like, shape (2, 2)
        U in eV.
    densities : sequence of float
        Densities of states N of the two bands in 1/eV per spin and cell.
    logarithm : float
        :math:`\ell`, not negative.

    Returns
    -------
    ndarray, shape (2, 2)
        U* in eV, symmetric as U.

    Examples
    --------
    >>> from nickbook.pairing import coulomb_matrix, pseudopotential
    >>> weak = pseudopotential(coulomb_matrix(2.0), (0.2, 0.4), logarithm=3.0)
    >>> round(float(weak[0, 0]), 3)  # 1 / (1 + 3 × 0.6) in eV
    0.357
    """
    bare = _symmetric("coulomb", coulomb)
    logarithm = real("logarithm", logarithm, at_least=0.0)
    return np.asarray(np.linalg.solve(np.eye(2) + logarithm * bare * np.asarray(densities), bare))


@dataclass(frozen=True, eq=False)
class RetardedGap(Result):
    """Solution of the Eliashberg equations at positive Matsubara frequencies.

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    frequencies : ndarray, shape (N,)
        In eV.
    pairing : ndarray, shape (2, 3, N)
        φ in eV: coefficients of 1, η, η² on the odd and on the even lines.
    renormalized : ndarray, shape (2, 3, N)
        Renormalized frequencies in eV, in the same form.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import retarded_pairing
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> gap = retarded_pairing(sea, coupling=0.5).gap(temperature=0.004)
    >>> odd, even = (float(gap.gap(parity, 0.0)[0]) for parity in (-1, 1))
    >>> odd * even < 0 and abs(odd) > abs(even)
    True
    """

    sea: FermiSea
    frequencies: Annotated[Floats, "eV", "frequency"]
    pairing: Annotated[Floats, "eV", "parity", "power", "frequency"]
    renormalized: Annotated[Floats, "eV", "parity", "power", "frequency"]

    def _words(self) -> str:
        largest = 1e3 * float(np.abs(self.pairing).max())
        return (
            f"φ up to {largest:.3g} meV, {len(self.frequencies)} frequencies from "
            f"{1e3 * self.frequencies[0]:.3g} meV, {self.sea!r}"
        )

    def mass(self, parity: int, eta: ArrayLike) -> Floats:
        """Renormalization Z on the odd (-1) or even (+1) lines, frequencies on the last axis."""
        return _on_line(self.renormalized, parity, eta) / self.frequencies

    def gap(self, parity: int, eta: ArrayLike) -> Floats:
        """Gap Δ = φ/Z in eV on the odd (-1) or even (+1) lines, frequencies on the last axis."""
        return _on_line(self.pairing, parity, eta) / self.mass(parity, eta)

    def gap_function(self) -> GapFunction:
        """Gap at the lowest frequency on the Fermi lines.

        At low temperature it is close to the edge of the spectrum, since gaps change with frequency
        on the scale of the triplon's energy only.
        """
        values = tuple(self.gap(s.parity, eta_k(s.points))[..., 0] for s in self.sea.sheets)
        name = "B1" if self.pairing[:, 1].any() else "A1"
        return GapFunction(self.sea.sheets, values, representation=name)


@dataclass(frozen=True, eq=False)
class RetardedPairing(Result):
    """Eliashberg theory of the triplon-mediated interaction on the Fermi lines.

    Make one with `retarded_pairing`.  A `channel` is "s±" or "d", as in `TriplonMeanField`.

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    lines : tuple of Lines
        The odd (α) and the even (β) Fermi lines, with η up to its sign.
    coupling : float
        Static λ.
    kappa : tuple of float
        κ_a and κ_b.
    J_c, shell : float
        Energy of the triplon and half the width of the bands in eV, as for `retarded_pairing`.
    renormalize : bool
        Whether the exchange that an electron has with itself is kept.
    coulomb : ndarray, shape (2, 2)
        Repulsion between pairs of the odd and even bands in eV per cell.
    coulomb_cutoff : float
        Frequency in eV up to which it acts.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import retarded_pairing
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> theory = retarded_pairing(sea, coupling=0.5, kappa=0.75)
    >>> [round(float(theory.mass(parity, 0.0)), 2) for parity in (-1, 1)]  # Z on the diagonal
    [1.77, 1.33]
    """

    sea: FermiSea
    lines: tuple[Lines, Lines]
    coupling: float
    kappa: tuple[float, float]
    J_c: Energy
    shell: Energy
    renormalize: bool
    coulomb: Annotated[Floats, "eV", "parity", "other parity"]
    coulomb_cutoff: Energy

    def _words(self) -> str:
        a, b = self.kappa
        return (
            f"λ {self.coupling:.4g}, κ {a:.4g} and {b:.4g}, J_c {self.J_c:.4g} eV, "
            f"{'with' if self.renormalize else 'without'} renormalization, Coulomb "
            f"{self.coulomb[0, 0]:.3g} eV, {self.sea!r}"
        )

    @property
    def densities(self) -> Floats:
        """Densities of states of the odd and even lines in 1/eV per spin and cell."""
        return np.array([side.density_of_states for side in self.lines])

    @property
    def strength(self) -> float:
        """Static interaction V in eV."""
        return self.coupling / float(np.sqrt(self.densities.prod()))

    @property
    def lowest_temperature(self) -> float:
        """Lowest temperature in eV at which the frequencies are few enough."""
        return _REACH * self.J_c / (2 * np.pi * _MOST)

    def with_interaction(
        self, *, coupling: float | None = None, kappa: Kappa | None = None
    ) -> "RetardedPairing":
        """Return the same bands and triplons with another coupling or κ."""
        coupling = self.coupling if coupling is None else _coupling(coupling)
        return replace(self, coupling=coupling, kappa=self.kappa if kappa is None else _pair(kappa))

    def mass(self, parity: int, eta: ArrayLike) -> Floats:
        r"""Renormalization Z of the normal state at low frequencies, without a shell.

        On α it is :math:`1 + V N_\beta(1 + \frac12(\kappa_a^2+\kappa_b^2)\langle\eta^2
        \rangle_\beta\,\eta^2)`, exactly so at the lowest Matsubara frequency of any temperature.
        """
        moments = self._powers[1 - _side(parity)].sum(axis=1)
        constant, quadratic = self._self_terms @ moments[[0, 2]]
        return np.asarray(1 + constant + quadratic * np.asarray(eta, dtype=float) ** 2)

    def eigenvalue(self, channel: str = "s±", *, temperature: float) -> float:
        """Leading eigenvalue of the linearized equations at a temperature in eV.

        Above 1 the channel condenses.  It costs some ten products of N² for each term of the
        channel and band, with N frequencies.
        """
        return self._leading(channel, self._frequencies(temperature))[0]

    def critical_temperature(self, channel: str = "s±") -> float:
        """Temperature in eV below which a channel condenses; zero below `lowest_temperature`."""

        def excess(log_t: float) -> float:
            return self.eigenvalue(channel, temperature=float(np.exp(log_t))) - 1

        lowest = float(np.log(self.lowest_temperature))
        low = high = float(np.log(self.J_c * (1 + self.coupling)))
        while excess(low) < 0:
            if low == lowest:
                return 0.0
            low, high = max(low - 0.7, lowest), low
        return float(np.exp(brentq(excess, low, high, xtol=1e-9)))

    def critical_coupling(self, channel: str = "s±", *, temperature: float) -> float:
        """Coupling λ at which a channel condenses at a temperature in eV; inf if it never does.

        Renormalization grows with λ, so the *d* channel may fail at any λ.
        """

        def excess(log_coupling: float) -> float:
            changed = self.with_interaction(coupling=float(np.exp(log_coupling)))
            return changed.eigenvalue(channel, temperature=temperature) - 1

        low = high = np.log(0.3)
        while excess(high) < 0:
            low, high = high, high + 0.7
            if high > np.log(_LARGEST_COUPLING):
                return np.inf
        while excess(low) > 0:
            low -= 0.7
        return float(np.exp(brentq(excess, low, high, xtol=1e-9)))

    def gap(self, channel: str = "s±", *, temperature: float) -> RetardedGap:
        """Solution at a temperature in eV, with no pairing above the critical one.

        Raises RuntimeError, with the residual, if the equations do not converge.
        """
        frequencies = self._frequencies(temperature)
        powers = CHANNELS[one_of("channel", channel, tuple(CHANNELS))]
        value, vector = self._leading(channel, frequencies)
        state = np.zeros((2, 6, len(frequencies)))
        state[:, 3:] = self._normal(frequencies)
        if value > 1:
            state = self._converged(state, vector, frequencies, powers)
        return RetardedGap(self.sea, frequencies, state[:, :3], state[:, 3:])

    @property
    def _terms(self) -> Floats:
        """Coefficients of 1, ηη', η²η'² in f^a f^b."""
        return TriplonParameters(1.0, self.kappa).terms

    @property
    def _self_terms(self) -> Floats:
        """V times the coefficients of 1 and η²η'² in half the sum of the squares, as a diagonal."""
        square = float(np.square(self.kappa).sum()) / 2
        return np.diag([1.0, square]) * self.strength * self.renormalize

    @cached_property
    def _powers(self) -> list[Floats]:
        """Weights of the odd and even lines times 1, |η|, ... |η|⁴, shape (5, points)."""
        return [side.weights * side.eta ** np.arange(5)[:, None] for side in self.lines]

    def _frequencies(self, temperature: float) -> Floats:
        """Positive Matsubara frequencies up to a multiple of the triplon's energy, in eV."""
        temperature = real("temperature", temperature, above=0.0, unit="eV")
        reach = _REACH * self.J_c / (2 * np.pi * temperature)
        if reach > _MOST * (1 + 1e-9):
            raise ValueError(
                f"temperature = {temperature:.6g} eV asks for {reach:.0f} frequencies; allowed: "
                f"temperature >= {self.lowest_temperature:.2g} eV"
            )
        count = max(_FEWEST, int(np.ceil(reach)))
        return np.asarray(np.pi * temperature * (2 * np.arange(count) + 1))

    def _exchange(self, frequencies: Floats) -> tuple[Floats, Floats]:
        """D(ω-ω') and D(ω+ω') between positive frequencies."""
        apart = np.subtract.outer(frequencies, frequencies), np.add.outer(frequencies, frequencies)
        less, more = (1 / (1 + (nu / self.J_c) ** 2) for nu in apart)
        return less, more

    def _line_sums(self, state: Floats, powers: Sequence[int]) -> tuple[Floats, Floats]:
        """Integrals of η^p φ/E, and of 1, η² times ω̃/E - 1, over the lines of both bands.

        In a shell 1/E is taken times (2/π) arctan(shell/E), from the integral over energies, and
        nothing is subtracted.
        """
        pairs, masses = [], []
        for row, side, weights in zip(state, self.lines, self._powers, strict=True):
            forms = side.eta ** np.arange(3)[:, None]
            phi, omega = row[:3].T @ forms, row[3:].T @ forms
            energy = np.hypot(phi, omega)
            inverse = self._share(energy) / energy
            pairs.append((inverse * phi) @ weights[list(powers)].T)
            masses.append((inverse * omega - np.isinf(self.shell)) @ weights[[0, 2]].T)
        return np.array(pairs).transpose(0, 2, 1), np.array(masses).transpose(0, 2, 1)

    def _share(self, energy: Floats) -> Floats | float:
        """Part of the integral over all energies that lies within the shell."""
        if np.isinf(self.shell):
            return 1.0
        return np.asarray(2 / np.pi * np.arctan(self.shell / energy))

    def _image(self, state: Floats, frequencies: Floats, powers: Sequence[int]) -> Floats:
        """Right sides of the equations for φ and ω̃ at positive frequencies."""
        pairs, masses = self._line_sums(state, powers)
        less, more = self._exchange(frequencies)
        new = np.zeros_like(state)
        new[:, powers] = self._pairing_from(pairs, frequencies, powers, less + more)
        fall = frequencies[0] * self._self_terms @ (masses[::-1] @ (less - more))
        new[:, [3, 5]] = self._undisturbed(frequencies) + fall
        return new

    def _pairing_from(
        self, pairs: Floats, frequencies: Floats, powers: Sequence[int], kernel: Floats
    ) -> Floats:
        """Pairing φ from the line integrals, both of shape (2, powers, N)."""
        step = frequencies[0]  # πT
        terms = self.strength * self._terms[list(powers), None]
        phi = -step * terms * (pairs[::-1] @ kernel)
        if 0 in powers and self.coulomb.any():
            # The last frequency counts in part, so that nothing jumps with temperature.
            inside = np.clip((self.coulomb_cutoff - frequencies) / (2 * step) + 0.5, 0, 1)
            phi[:, 0] -= 2 * step * np.outer(self.coulomb @ (pairs[:, 0] @ inside), inside)
        return np.asarray(phi)

    def _undisturbed(self, frequencies: Floats) -> Floats:
        """Frequencies ω̃ of the normal state without a shell, coefficients of 1 and η², (2, 2, N).

        All frequencies are in these sums: those with opposite signs cancel but for a few.
        """
        bosonic = 2 * frequencies[0] * np.arange(1, len(frequencies))
        exchange = 1 + 2 * np.cumsum(np.append(0.0, 1 / (1 + (bosonic / self.J_c) ** 2)))
        moments = np.array([w.sum(axis=1)[[0, 2]] for w in self._powers[::-1]])
        fall = frequencies[0] * exchange * np.isinf(self.shell)
        found = (moments @ self._self_terms)[..., None] * fall
        found[:, 0] += frequencies
        return np.asarray(found)

    def _normal(self, frequencies: Floats) -> Floats:
        """Frequencies ω̃ of the normal state, coefficients of 1, η, η², shape (2, 3, N)."""
        state = np.zeros((2, 6, len(frequencies)))
        state[:, [3, 5]] = self._undisturbed(frequencies)
        for _ in range(500 if np.isfinite(self.shell) and self.renormalize else 0):
            new = self._image(state, frequencies, (1,))
            change = np.abs(new - state).max()
            state = new
            if change < 1e-13 * state.max():
                break
        return state[:, 3:]

    def _leading(self, channel: str, frequencies: Floats) -> tuple[float, Floats]:
        """Leading eigenvalue and φ, shape (2, powers, N), of the linearized equations."""
        powers = list(CHANNELS[one_of("channel", channel, tuple(CHANNELS))])
        roots = []
        for row, side, weights in zip(
            self._normal(frequencies), self.lines, self._powers, strict=True
        ):
            omega = row.T @ side.eta ** np.arange(3)[:, None]
            moments = (self._share(omega) / omega) @ weights.T
            roots.append(np.linalg.cholesky(moments[:, np.add.outer(powers, powers)]))
        root = np.array(roots)  # its square is what the lines make of φ at each frequency
        kernel = np.add(*self._exchange(frequencies))
        shape = (2, len(powers), len(frequencies))

        def from_root(x: Floats) -> Floats:
            pairs = np.einsum("bnpq,bqn->bpn", root, x.reshape(shape))
            return self._pairing_from(pairs, frequencies, powers, kernel)

        def product(x: Floats) -> Floats:
            return np.asarray(np.einsum("bnpq,bpn->bqn", root, from_root(x)).ravel())

        if not self._terms[powers].any():
            return 0.0, np.zeros(shape)
        start = np.ones(shape) / np.arange(1, shape[-1] + 1)
        start[1] *= -np.sign(self._terms[powers]).reshape(-1, 1)
        size = start.size
        operator = LinearOperator((size, size), matvec=product, dtype=float)
        values, vectors = eigsh(operator, k=1, which="LA", v0=start.ravel(), tol=1e-12)
        return float(values[0]), from_root(vectors[:, 0]) * np.sign(vectors[0, 0])

    def _converged(
        self, state: Floats, vector: Floats, frequencies: Floats, powers: Sequence[int]
    ) -> Floats:
        """Solution in the direction of a solution of the linearized equations."""
        vector = vector / np.abs(vector).max()

        def image(x: ArrayLike) -> Floats:
            return self._image(np.asarray(x, dtype=float), frequencies, powers)

        def excess(log_size: float) -> float:
            state[:, powers] = np.exp(log_size) * vector
            grown = np.vdot(vector, image(state)[:, powers]) / np.vdot(vector, vector)
            return float(np.log(grown)) - log_size

        low = high = np.log(frequencies[0] / 100)
        while excess(high) > 0:
            low, high = high, high + 1
        size = brentq(excess, low, high, xtol=1e-6) if high > low else high
        state[:, powers] = np.exp(size) * vector
        try:
            found = newton_krylov(
                lambda x: x - image(np.asarray(x, dtype=float)), state, f_tol=1e-9 * np.exp(size)
            )
            residual = np.abs(found - image(found)).max()
        except NoConvergence as error:
            found, residual = (
                np.zeros_like(state),
                np.abs(error.args[0] - image(error.args[0])).max(),
            )
        if np.abs(found[:, powers]).max() < 0.01 * np.exp(size):  # none, or the normal state
            raise RuntimeError(
                f"the Eliashberg equations did not converge: residual {residual:.1e} eV at "
                f"temperature = {frequencies[0] / np.pi:.6g} eV"
            )
        return np.asarray(found)


def retarded_pairing(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    J_c: float = LK.J_c,
    shell: float = np.inf,
    renormalize: bool = True,
    coulomb: ArrayLike = 0.0,
    coulomb_cutoff: float | None = None,
) -> RetardedPairing:
    r"""Eliashberg theory of the pairing by triplons, for LK Eq. 11 on the Fermi lines.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands with mirror parity, such as `conduction_bands`, and their level in eV, together or
        apart.
    coupling : float
        Static :math:`\lambda = V\sqrt{N_\alpha N_\beta}` of LK, up to 1e6.
    kappa : float or pair of float
        As in `TriplonParameters`.
    J_c : float
        Energy of the triplon in eV.
    shell : float
        Half the width of the bands in eV: energies :math:`|\xi|` up to it are summed over, with
        the density of states of the Fermi level.  With a large `J_c` it is the cutoff of
        `triplon_gap`, and the results are those of the static theory.
    renormalize : bool
        Whether the exchange that an electron has with itself is kept.
    coulomb : float or array_like, shape (2, 2)
        Instantaneous repulsion between pairs of the odd and even bands, in eV per cell, as from
        `coulomb_matrix`; a number stands for one that acts alike in all four elements.
    coulomb_cutoff : float
        Frequency in eV up to which the repulsion acts, by default ten times `J_c`.  Since pairs at
        high frequencies screen it, another cutoff needs another matrix, see `pseudopotential`.

    Returns
    -------
    RetardedPairing
        Solves for critical temperatures, renormalizations and gaps.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, or Fermi lines without both parities.

    Notes
    -----
    The cost does not depend on the number of momenta: with N frequencies an evaluation takes N² for
    each form factor.  Frequencies above ten J_c are left out, which changes a critical
    temperature by less than 1e-4 (without Coulomb repulsion).

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import retarded_pairing
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> theory = retarded_pairing(sea, coupling=0.5, kappa=0.75)
    >>> round(1e3 * theory.critical_temperature(), 1)  # in meV
    18.2
    """
    sea = FermiSea.of(sea, mu)
    if not isinstance(renormalize, bool):
        raise TypeError(f"renormalize = {renormalize!r}; allowed: True or False")
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    if shell != np.inf:
        real("shell", shell, above=0.0, unit="eV")
    reach = _REACH * J_c if coulomb_cutoff is None else coulomb_cutoff
    return RetardedPairing(
        sea,
        tuple(_folded(side) for side in lines_by_parity(sea)),  # type: ignore[arg-type]
        _coupling(coupling),
        _pair(kappa),
        J_c,
        shell,
        renormalize,
        _symmetric("coulomb", np.broadcast_to(coulomb, (2, 2))),
        real("coulomb_cutoff", reach, above=0.0, at_most=_REACH * J_c, unit="eV"),
    )


def crossing_ratio(
    theory: RetardedPairing | TriplonMeanField, kappa: float, *, temperature: float
) -> float:
    r"""Ratio κ_a/κ_b at which s± and d need the same λ to condense at a temperature.

    At larger ratios the *d* channel condenses first.  On the Fermi lines and without retardation
    the result does not depend on the temperature, see `channel_strengths`.

    Parameters
    ----------
    theory : RetardedPairing or TriplonMeanField
        Bands, and what the theory keeps; its coupling and κ do not matter.
    kappa : float
        :math:`\kappa = \sqrt{\kappa_a\kappa_b}`, in (0, 6).
    temperature : float
        Common critical temperature in eV.

    Returns
    -------
    float
        The smallest such ratio above 1; NaN if there is none with κ_a up to 6.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import crossing_ratio, retarded_pairing
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> theory = retarded_pairing(sea, coupling=0.5)
    >>> round(crossing_ratio(theory, 0.75, temperature=0.007), 1)
    4.2
    """
    kappa = real("kappa", kappa, above=0.0, below=LARGEST_KAPPA)

    def excess(log_ratio: float) -> float:
        root = float(np.exp(log_ratio / 2))
        changed = theory.with_interaction(kappa=(kappa * root, kappa / root))
        needed = changed.critical_coupling("s±", temperature=temperature)
        if needed == np.inf:  # d alone, or none
            return (
                1.0
                if np.isfinite(changed.critical_coupling("d", temperature=temperature))
                else -1.0
            )
        changed = changed.with_interaction(coupling=needed)
        return changed.eigenvalue("d", temperature=temperature) - 1

    # Renormalization grows with the ratio too: at the largest ratios no state may condense.
    largest = 2 * float(np.log(LARGEST_KAPPA / kappa)) * (1 - 1e-12)
    steps = np.linspace(0.0, largest, 2 + int(largest / 0.4))
    signs = (excess(float(x)) > 0 for x in steps)
    first = next((n for n, above in enumerate(signs) if above), 0)
    if first == 0:
        return float("nan")
    return float(np.exp(brentq(excess, steps[first - 1], steps[first], xtol=1e-7)))


def _folded(side: Lines) -> Lines:
    """Points of the same size of η put together: nothing here depends on its sign."""
    sizes, place = np.unique(np.abs(side.eta).round(12), return_inverse=True)
    return Lines(sizes, np.bincount(place, side.weights).astype(float))


def _coupling(value: float) -> float:
    return real("coupling", value, above=0.0, at_most=_LARGEST_COUPLING)


def _pair(kappa: Kappa) -> tuple[float, float]:
    checked = TriplonParameters(1.0, kappa).kappa
    return float(checked[0]), float(checked[1])  # type: ignore[index]


def _symmetric(name: str, matrix: ArrayLike) -> Floats:
    found = np.array(matrix, dtype=float)
    alike = found.shape == (2, 2) and np.allclose(found, found.T, rtol=1e-9, atol=0)
    if not alike or not np.isfinite(found).all():
        raise ValueError(f"{name} = {found.tolist()}; allowed: a symmetric 2 × 2 matrix in eV")
    return found


def _side(parity: int) -> int:
    if parity not in (-1, 1):
        raise ValueError(f"parity = {parity}; allowed: -1 for the odd lines, 1 for the even ones")
    return (parity + 1) // 2


def _on_line(terms: Floats, parity: int, eta: ArrayLike) -> Floats:
    """Sum of the terms in 1, η, η² at some η, frequencies on the last axis."""
    powers = np.asarray(eta, dtype=float)[..., None] ** np.arange(3)
    return np.asarray(powers @ terms[_side(parity)])
