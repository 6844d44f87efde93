r"""Free energy of singlet pairs on bonds, its slope, and its stationary points.

With time reversal and a Hermitian gap matrix Δ the quasiparticle energies are the singular values
of :math:`Z = h - \mu + i\Delta`, and the slope of their sum is the unitary factor of the polar
decomposition of Z.  For one and two orbitals in a mirror block both have closed forms.
"""

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root

from nickbook.arrays import Complexes, Energy, Floats
from nickbook.pairing.tj.model import FORMS, BondModel, Mode, factors, reduced_mesh
from nickbook.results import Result

#: Gaps below this many eV count as none.
SMALLEST = 1e-7
_ITERATIONS = 150
#: Share of the largest unknown to which the gap equation is repeated before Newton's method.
_ROUGH = 1e-3
#: Residual in eV below which the normal state is found.
_SETTLED = 1e-11
_NEARLY_EQUAL = 1e-5
#: Levels closer than this share of the temperature, or this many eV at T = 0, count as equal.
_SAME_LEVEL = 1e-9
#: First step in eV of the search for the level of a filling.
_FIRST_STEP = 0.002
#: Electrons per cell below which a filling is met.
_EXACT = 1e-14


@dataclass(frozen=True, eq=False)
class FreeEnergy(Result, ABC):
    """What both forms of the free energy per cell are functions of.

    The modes are its unknowns; the filling is in electrons per cell, unless a chemical potential in
    eV is held.  The mesh, displaced by a part of its step, fills one eighth of the zone in the
    channels ``"s"`` and ``"d"`` where the model allows it, and one quarter in others.
    """

    bonds: BondModel
    modes: tuple[Mode, ...]
    filling: float
    temperature: Energy
    mesh: int
    mu: Annotated[float | None, "eV"] = None
    channel: str = "normal"
    shift: float = 0.0

    def _words(self) -> str:
        held = "" if self.mu is None else f", mu held at {self.mu:.6g} eV"
        size = f"{len(self.modes)} modes, mesh {self.mesh}"
        where = f"filling {self.filling:.6g}, T {self.temperature:.4g} eV{held}"
        return f"channel {self.channel!r}, {size}, {where}, {self.bonds!r}"

    @cached_property
    def _points(self) -> tuple[Floats, Floats]:
        return reduced_mesh(self.bonds.models, self.mesh, self.channel, self.shift)

    @cached_property
    def weights(self) -> Floats:
        """Weights of all points of all planes."""
        count = len(self.bonds.models)
        return np.tile(self._points[1], count) / count

    @abstractmethod
    def __call__(self, x: Floats, mu: float) -> tuple[float, Floats, float]:
        """Return the Legendre free energy, its slope in `x` and its slope in `mu`.

        The free energy per cell at fixed filling is its maximum over `mu`.
        """

    @abstractmethod
    def excess(self, x: Floats, mu: float) -> float:
        """Return the slope in `mu`: the wanted filling minus the one at fixed unknowns and `mu`."""

    def level(self, x: Floats, guess: float, tolerance: float = 1e-13) -> float:
        """Chemical potential at fixed unknowns: held, or the one that gives the filling."""
        if self.mu is not None:
            return self.mu
        return level_of(lambda mu: self.excess(x, mu), guess, tolerance)


class Problem(FreeEnergy):
    """The free energy per cell as a function of real unknowns and of the chemical potential."""

    @cached_property
    def _forms(self) -> Floats:
        forms = factors(self._points[0], self.bonds.vectors)
        return np.tile(np.array(list(forms.values())), len(self.bonds.models))

    @cached_property
    def stiffness(self) -> Floats:
        """Coefficients of the squares in the free energy."""
        return np.array([m.stiffness for m in self.modes])

    @cached_property
    def _blocks(self) -> list[tuple[Complexes, Complexes]]:
        """Hamiltonian (n, n, K) and derivatives (modes, n, n, forms) of each mirror block."""
        models, k, names = self.bonds.models, self._points[0], list(FORMS)
        if self._splits():
            blocks = zip(*[model.blocks for model in models], strict=True)
            parts = [(row[0].basis.real, [b.fourier(k)[0] for b in row]) for row in blocks]
        else:
            n = len(models[0].orbitals)
            parts = [(np.eye(n), [model.hamiltonian(k) for model in models])]
        found = []
        for basis, h in parts:
            size = basis.shape[1]
            slopes = np.zeros((len(self.modes), size, size, len(names)), complex)
            for j, m in enumerate(self.modes):
                inside = basis.T @ m.matrix @ basis
                slopes[j, :, :, names.index(m.form)] = (1j if m.pairs else 1.0) * inside
            found.append((np.moveaxis(np.concatenate(h), 0, -1) + 0j, slopes))
        return found

    def _splits(self) -> bool:
        """Whether all models have mirror blocks of one kind, which no mode connects."""
        first, *others = ([block.basis for block in model.blocks] for model in self.bonds.models)
        alike = all(len(row) == len(first) for row in others) and all(
            np.array_equal(a, b) for row in others for a, b in zip(row, first, strict=True)
        )
        return alike and all(
            np.abs(a.conj().T @ m.matrix @ b).max() < 1e-12
            for m in self.modes
            for a, b in itertools.permutations(first, 2)
        )

    @cached_property
    def pairing(self) -> NDArray[np.bool_]:
        """Which modes multiply pairs."""
        return np.array([m.pairs for m in self.modes], dtype=bool)

    def __call__(self, x: Floats, mu: float) -> tuple[float, Floats, float]:
        """Return the Legendre free energy, its slope in `x` and its slope in `mu`."""
        value = float(self.stiffness @ x**2) + mu * self.filling
        slope = 2 * self.stiffness * x
        excess = self.filling
        measure = self.weights * self._forms
        for h, slopes in self._blocks:
            n = len(h)
            change = np.tensordot(x, slopes, 1).reshape(n * n, -1)
            z = h + (change @ self._forms).reshape(h.shape)
            z[range(n), range(n)] -= mu
            energy, turn = polar(z, self.temperature)
            value += float(self.weights @ (np.einsum("iik->k", z).real - energy))
            averages = measure @ -turn.reshape(n * n, -1).conj().T
            averages[:, :: n + 1] += measure.sum(axis=1, keepdims=True)
            excess -= float(averages[-1, :: n + 1].sum().real)
            slope += (slopes.reshape(len(x), averages.size) @ averages.T.ravel()).real
        return value, slope, excess

    def excess(self, x: Floats, mu: float) -> float:
        """Return the slope in `mu`."""
        return self(x, mu)[2]

    def iterate(self, x: Floats, mu: float, tolerance: float) -> tuple[Floats, float]:
        """Repeat the gap equation, which never raises the free energy.

        The average of the Hamiltonian is linear in the unknowns, so its minimum over the states of
        one filling is concave in them, and each step minimizes a bound that touches from above.
        """
        for _ in range(_ITERATIONS):
            mu = self.level(x, mu, 0.03 * tolerance * np.abs(x).max(initial=SMALLEST))
            after = x - self(x, mu)[1] / (2 * self.stiffness)
            change = np.abs(after - x).max(initial=0.0)
            x = after
            if change < tolerance * np.abs(x).max(initial=SMALLEST):
                break
        return x, mu

    def settle(self, x: Floats, mu: float) -> tuple[Floats, float]:
        """Unknowns and chemical potential of the normal state."""
        if self.temperature > 0 and len(x):
            y, level, residual = self.polish(*self.iterate(x, mu, _ROUGH))
            if residual < _SETTLED:
                return y, level
        # The filling of a metal on a mesh is a staircase at T = 0.
        return self.iterate(x, mu, 1e-10)

    @property
    def scale(self) -> Floats:
        """Slopes over these are errors of the unknowns."""
        return 2 * self.stiffness

    def polish(self, x: Floats, mu: float) -> tuple[Floats, float, float]:
        """Newton's method on all slopes; returns unknowns, chemical potential and residual."""
        scale = self.scale

        def residual(y: Floats) -> Floats:
            _, slope, excess = self(y[:-1], y[-1] if self.mu is None else self.mu)
            return np.append(slope / scale, excess if self.mu is None else y[-1] - self.mu)

        y = np.append(x, mu)
        for tolerance in (1e-14, 1e-15, 1e-15, 1e-15):
            y = root(residual, y, tol=tolerance).x
            error = float(np.abs(residual(y)).max())
            if error < 1e-11:
                break
        return y[:-1], float(y[-1]), error


def polar(z: Complexes, temperature: float) -> tuple[Floats, Complexes]:
    r"""Sum of :math:`2T\ln 2\cosh(\sigma/2T)` over the singular values of Z, and its slope.

    The matrices have shape (n, n, K), the sums (K,); at T = 0 they are those of the singular
    values.  The slope G, shape (n, n, K), makes them change by
    :math:`\mathrm{Re}\,\mathrm{tr}\,G^\dagger dZ`.
    """
    if len(z) == 1:
        size = np.abs(z[0, 0])
        energy, slope = thermal(size, temperature)
        return energy, (slope / np.maximum(size, 1e-300) * z[0, 0])[None, None]
    if len(z) == 2:
        return _polar_two(z, temperature)
    u, sigma, v = np.linalg.svd(np.moveaxis(z, -1, 0), full_matrices=False)
    energy, slope = thermal(sigma, temperature)
    return energy.sum(axis=-1), np.moveaxis((u * slope[:, None, :]) @ v, 0, -1)


def thermal(energies: Floats, temperature: float) -> tuple[Floats, Floats]:
    """Return 2T ln 2cosh(E/2T) and its slope tanh(E/2T); at T = 0 the magnitude and the sign."""
    size = np.abs(energies)
    if temperature == 0.0:
        return size, np.sign(energies)
    total = size + 2 * temperature * np.log1p(np.exp(-size / temperature))
    return total, np.tanh(energies / (2 * temperature))


def divided_tanh(a: Floats, b: Floats, temperature: float) -> Floats:
    """Divided differences of tanh(E/2T) between the levels of two sets in 1/eV, shape (K, n, n).

    Where two levels of `a` and `b`, in eV and of shape (K, n), agree it is the slope.
    """
    t, other = thermal(a, temperature)[1], thermal(b, temperature)[1]
    apart = a[:, :, None] - b[:, None, :]
    equal = np.abs(apart) < _SAME_LEVEL * (temperature or 1.0)
    ratio = (t[:, :, None] - other[:, None, :]) / np.where(equal, 1.0, apart)
    slope = (1 - t**2) / (2 * temperature) if temperature else np.zeros_like(t)
    return np.where(equal, np.broadcast_to(slope[:, :, None], ratio.shape), ratio)


def level_of(excess: Callable[[float], float], guess: float, tolerance: float) -> float:
    """Chemical potential in eV at which a filling is met, searched from a guess on.

    The wanted filling minus that of a chemical potential is `excess`, which falls.
    """
    low = high = guess
    step = _FIRST_STEP
    miss = excess(guess)
    # In the gap of an insulator only rounding would tell where to go.
    if abs(miss) < _EXACT:
        return guess
    upward = miss > 0
    while True:
        low, high = (high, high + step) if upward else (low - step, low)
        if (excess(high if upward else low) > 0) != upward:
            return float(brentq(excess, low, high, xtol=tolerance, rtol=1e-14))
        step *= 3


def _polar_two(z: Complexes, temperature: float) -> tuple[Floats, Complexes]:
    """Treat two by two matrices, with (σ₁ ± σ₂)² = |Z|² ± 2|det Z|."""
    (a, b), (c, d) = z
    square = (z.real**2 + z.imag**2).sum(axis=(0, 1))
    det = a * d - b * c
    size = np.abs(det)
    total = np.sqrt(square + 2 * size)
    if temperature == 0.0:
        phase = det / np.maximum(size, 1e-300)
        turn = z + phase * np.array([[d, -c], [-b, a]]).conj()
        return total, turn / np.maximum(total, 1e-300)
    apart = np.sqrt(np.maximum(square - 2 * size, 0.0))
    first = (total + apart) / 2
    second = size / np.maximum(first, 1e-300)
    (e1, t1), (e2, t2) = thermal(first, temperature), thermal(second, temperature)
    phi1, phi2 = (_ratio(s, t, temperature) for s, t in ((first, t1), (second, t2)))
    difference = first**2 - second**2
    equal = difference < _NEARLY_EQUAL * first**2
    safe = np.where(equal, 1.0, difference)
    middle = np.sqrt((first**2 + second**2) / 2)
    linear = np.where(equal, _ratio_slope(middle, temperature), (phi1 - phi2) / safe)
    constant = phi1 - linear * first**2
    # Z times a function of Z†Z, by the theorem of Cayley and Hamilton.
    aa, dd = np.abs(a) ** 2 + np.abs(c) ** 2, np.abs(b) ** 2 + np.abs(d) ** 2
    ab = a.conj() * b + c.conj() * d
    first_row = a * aa + b * ab.conj(), a * ab + b * dd
    second_row = c * aa + d * ab.conj(), c * ab + d * dd
    return e1 + e2, constant * z + linear * np.array([first_row, second_row])


def _ratio(sigma: Floats, slope: Floats, temperature: float) -> Floats:
    """Return tanh(σ/2T)/σ, also at σ = 0."""
    small = sigma < 1e-8 * temperature
    return np.where(small, 0.5 / temperature, slope / np.where(small, 1.0, sigma))


def _ratio_slope(sigma: Floats, temperature: float) -> Floats:
    """Return the derivative of tanh(√x/2T)/√x by x at x = σ²."""
    y = sigma / (2 * temperature)
    small = y < 1e-3
    safe = np.where(small, 1.0, y)
    exact = (1 / np.cosh(np.minimum(safe, 300.0)) ** 2 - np.tanh(safe) / safe) / safe**2 / 2
    series = -1 / 3 + 4 * y**2 / 15
    return np.where(small, series, exact) / (2 * temperature) ** 3
