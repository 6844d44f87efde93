"""Bogoliubov matrices with eigenvectors: complex gaps, unequal layers, stability."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.pairing.tj.free_energy import SMALLEST, FreeEnergy, divided_tanh, thermal
from nickbook.pairing.tj.model import Mode, factors

_CHUNK = 600
#: Tolerance in eV of the level while the gap equation is repeated.
_LEVEL_ERROR = 1e-10
#: Second variations below this share of the largest count as zero.
ZERO_MODE = 1e-6


@dataclass(frozen=True, eq=False)
class Stability:
    """Second variations of the free energy at fixed filling about a solution.

    Parameters
    ----------
    variations : ndarray
        Ascending eigenvalues of the Hessian, in units in which every stiffness is one.
    directions : ndarray, shape (unknowns, unknowns)
        Eigenvectors in columns, in the order of `names`.
    names : tuple of str
        Names of the unknowns; those of imaginary parts begin with ``"i "``.
    """

    variations: Floats
    directions: Floats
    names: tuple[str, ...]

    @property
    def falling(self) -> int:
        """Number of directions in which the free energy falls."""
        return int((self.variations < -ZERO_MODE).sum())

    @property
    def flat(self) -> int:
        """Number of flat directions; a common phase of all gaps is one."""
        return int((np.abs(self.variations) <= ZERO_MODE).sum())

    @property
    def kind(self) -> str:
        """Return ``"minimum"`` or ``"saddle"``."""
        return "saddle" if self.falling else "minimum"

    def leading(self) -> dict[str, float]:
        """Components of the direction of smallest variation that exceed a tenth."""
        pairs = zip(self.names, self.directions[:, 0].tolist(), strict=True)
        return {name: value for name, value in pairs if abs(value) > 0.1}


class Bogoliubov(FreeEnergy):
    """The free energy per cell from the eigenvectors of GLYWH Eq. 40.

    Slower than `Problem` and without its assumptions: gaps may be complex and differ between the
    layers.  One evaluation diagonalizes a matrix of twice the number of orbitals at every momentum.
    Each mode that multiplies pairs has a real and an imaginary part.
    """

    @classmethod
    def like(cls, problem: FreeEnergy) -> "Bogoliubov":
        """All complex amplitudes, at the settings of another free energy."""
        p = problem
        return cls(p.bonds, p.bonds.modes("full"), p.filling, p.temperature, p.mesh, p.mu)

    @cached_property
    def _unknowns(self) -> list[tuple[Mode, complex]]:
        """Mode and phase of each unknown."""
        return [(m, phase) for m in self.modes for phase in (1, 1j) if m.pairs or phase == 1]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the unknowns; those of imaginary parts begin with ``"i "``."""
        return tuple(m.name if phase == 1 else f"i {m.name}" for m, phase in self._unknowns)

    @cached_property
    def stiffness(self) -> Floats:
        """Coefficients of the squares in the free energy."""
        return np.array([mode.stiffness for mode, _ in self._unknowns])

    @cached_property
    def slopes(self) -> Complexes:
        """Derivative of the matrices by each unknown, without its form factor."""
        return np.array([_slope(mode, phase) for mode, phase in self._unknowns])

    @cached_property
    def h(self) -> Complexes:
        """Hamiltonians at all points of all planes."""
        return np.concatenate([model.hamiltonian(self._points[0]) for model in self.bonds.models])

    @cached_property
    def forms(self) -> Floats:
        """Form factor of each unknown at the points."""
        forms = factors(self._points[0], self.bonds.vectors)
        rows = np.array([forms[mode.form] for mode, _ in self._unknowns])
        return np.tile(rows, len(self.bonds.models))

    def matrices(self, x: Floats, mu: float, part: slice = slice(None)) -> Complexes:
        """Matrices A(k) of GLYWH Eq. 40, shape (K, 2n, 2n), with −h for −h*(−k)."""
        h = self.h[part]
        n = h.shape[-1]
        a = np.einsum("j,jk,jab->kab", x, self.forms[:, part], self.slopes)
        a[:, :n, :n] += h - mu * np.eye(n)
        a[:, n:, n:] -= h - mu * np.eye(n)
        return np.asarray(a)

    def __call__(self, x: Floats, mu: float) -> tuple[float, Floats, float]:
        """Return the Legendre free energy, its slope in `x` and its slope in `mu`."""
        energies, vectors = np.linalg.eigh(self.matrices(x, mu))
        thermal_energies, occupation = thermal(energies, self.temperature)
        n = self.h.shape[-1]
        density = np.einsum("kam,km,kbm->kab", vectors, occupation, vectors.conj(), optimize=True)
        trace = np.einsum("kaa->k", self.h).real - n * mu
        value = mu * self.filling + float(self.stiffness @ x**2)
        value += float(self.weights @ (trace - thermal_energies.sum(-1) / 2))
        average = np.einsum("k,jk,kab->jab", self.weights, self.forms, density, optimize=True)
        slope = 2 * self.stiffness * x - np.einsum("jab,jba->j", self.slopes, average).real / 2
        traces = np.einsum("jaa->j", self.slopes[:, :n, :n]).real
        slope += traces * (self.forms @ self.weights)
        difference = np.einsum("kaa->k", density[:, :n, :n] - density[:, n:, n:]).real
        excess = self.filling - float(self.weights @ (n + difference * -0.5))
        return value, slope, excess

    def hessian(self, x: Floats, mu: float) -> Floats:
        """Second derivatives in all unknowns and, last, in `mu`, shape (unknowns + 1,) * 2."""
        n, count = self.h.shape[-1], len(x)
        level = np.diag(np.repeat([-1.0, 1.0], n)).astype(complex)
        operators = np.concatenate([self.slopes, level[None]])
        forms = np.concatenate([self.forms, np.ones((1, len(self.weights)))])
        total = np.zeros((count + 1, count + 1))
        for start in range(0, len(self.weights), _CHUNK):
            part = slice(start, start + _CHUNK)
            energies, v = np.linalg.eigh(self.matrices(x, mu, part))
            kernel = divided_tanh(energies, energies, self.temperature)
            kernel *= self.weights[part, None, None]
            elements = v.conj().swapaxes(1, 2)[None] @ operators[:, None] @ v[None]
            elements *= forms[:, part, None, None]
            flat = elements.reshape(count + 1, -1)
            total -= ((flat * kernel.ravel()) @ flat.conj().T).real / 2
        total[:count, :count] += 2 * np.diag(self.stiffness)
        return total

    def stability(self, x: Floats, mu: float) -> Stability:
        """Second variations at fixed filling (at fixed `mu` where it is held)."""
        full = self.hessian(x, mu)
        rest = full[:-1, :-1]
        if self.mu is None and abs(full[-1, -1]) > 1e-12:
            rest = rest - np.outer(full[:-1, -1], full[-1, :-1]) / full[-1, -1]
        scale = 1 / np.sqrt(2 * self.stiffness)
        values, vectors = np.linalg.eigh(scale[:, None] * rest * scale)
        return Stability(values, vectors, self.names)

    def solve(self, x: Floats, mu: float, steps: int = 40) -> tuple[Floats, float, float]:
        """Repeat the gap equation, then Newton's steps; returns unknowns, mu and residual."""
        mu = self.level(x, mu, _LEVEL_ERROR)
        for _ in range(steps):
            after = x - self(x, mu)[1] / (2 * self.stiffness)
            change = np.abs(after - x).max()
            x, mu = after, self.level(after, mu, _LEVEL_ERROR)
            if change < 1e-3 * max(np.abs(x).max(), SMALLEST):
                break
        scale = np.append(2 * self.stiffness, 1.0)
        for _ in range(12):
            _, slope, excess = self(x, mu)
            miss = np.append(slope, excess if self.mu is None else 0.0)
            if np.abs(miss / scale).max() < 1e-11:
                break
            hessian = self.hessian(x, mu)
            if self.mu is not None:
                hessian[-1] = hessian[:, -1] = 0.0
                hessian[-1, -1] = 1.0
            # A common phase of all gaps costs nothing: its direction is left alone.
            step = np.linalg.pinv(hessian, rcond=1e-8, hermitian=True) @ miss
            x, mu = x - step[:-1], float(mu - step[-1])
        return x, mu, float(np.abs(miss / scale).max())

    def excess(self, x: Floats, mu: float) -> float:
        """Return the slope in `mu`, without averages for the other slopes."""
        energies, v = np.linalg.eigh(self.matrices(x, mu))
        n = self.h.shape[-1]
        upper = (np.abs(v[:, :n]) ** 2).sum(axis=1) * 2 - 1
        occupation = thermal(energies, self.temperature)[1]
        return self.filling - float(self.weights @ (n - (occupation * upper).sum(axis=-1) / 2))


def _slope(mode: Mode, phase: complex) -> Complexes:
    """Return the derivative of A(k) by one unknown, without its form factor."""
    zero = np.zeros_like(mode.matrix)
    if not mode.pairs:
        return np.block([[mode.matrix, zero], [zero, -mode.matrix]]).astype(complex)
    pair = phase * mode.matrix
    return np.block([[zero, pair], [pair.conj().T, zero]])
