r"""Free energy of singlet pairs on bonds, its slope, and its stationary points.

With time reversal and a Hermitian gap matrix Δ the quasiparticle energies are the singular values
of :math:`Z = h - \mu + i\Delta`, and the slope of their sum is the unitary factor of the polar
decomposition of Z.  For one and two orbitals in a mirror block both have closed forms.
"""

import itertools
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root

from nickbook.arrays import Complexes, Floats
from nickbook.bands import BlochModel

#: Gaps below this many eV count as none.
SMALLEST = 1e-7
_ITERATIONS = 150
_NEARLY_EQUAL = 1e-5


@dataclass(frozen=True, eq=False)
class Mode:
    """One unknown of the mean field: a form factor times a matrix in orbital space.

    Parameters
    ----------
    name : str
        Such as ``"s z² top"``.
    form : str
        ``"s"``, ``"d"`` or ``"1"``: cos kx + cos ky, cos kx − cos ky, or one.
    matrix : ndarray, shape (n, n)
        Real symmetric matrix.
    stiffness : float
        The free energy holds this times the square of the unknown.
    pairs : bool
        Whether it multiplies pairs, or hoppings and levels.
    """

    name: str
    form: str
    matrix: Floats
    stiffness: float
    pairs: bool = True


@dataclass(frozen=True, eq=False)
class Problem:
    """The free energy per cell as a function of real unknowns and of the chemical potential.

    Parameters
    ----------
    models : tuple of BlochModel
        One model, or several planes of one crystal, which are averaged.
    modes : tuple of Mode
        The unknowns.
    filling : float
        Electrons per cell.
    temperature : float
        In eV.
    mesh : int
        Points along each direction.
    neighbors : ndarray of int, shape (2, 2)
        Lattice vectors to the two neighbours.
    channel : str
        ``"s"`` or ``"d"``: one eighth of the zone where the model allows it; ``"s+d"``: one
        quarter.
    mu : float or None
        Held chemical potential, or None.
    shift : float
        Displacement of the mesh in units of its step.
    """

    models: tuple[BlochModel, ...]
    modes: tuple[Mode, ...]
    filling: float
    temperature: float
    mesh: int
    neighbors: NDArray[np.int64]
    channel: str
    mu: float | None = None
    shift: float = 0.0
    weights: Floats = field(init=False, repr=False)
    _blocks: list[tuple[Complexes, Complexes]] = field(init=False, repr=False)
    _forms: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.models)
        k, weights = reduced_mesh(self.models, self.mesh, self.channel, self.shift)
        forms = factors(k, self.neighbors)
        object.__setattr__(self, "weights", np.tile(weights, count) / count)
        object.__setattr__(self, "_forms", np.tile(np.array(list(forms.values())), count))
        object.__setattr__(self, "_blocks", self._mirror_blocks(k, list(forms)))

    def _mirror_blocks(self, k: Floats, names: list[str]) -> list[tuple[Complexes, Complexes]]:
        """Hamiltonian (n, n, K) and derivatives (modes, n, n, forms) of each mirror block."""
        if self._splits():
            blocks = zip(*[model.blocks for model in self.models], strict=True)
            parts = [(row[0].basis.real, [b.fourier(k)[0] for b in row]) for row in blocks]
        else:
            n = len(self.models[0].orbitals)
            parts = [(np.eye(n), [model.hamiltonian(k) for model in self.models])]
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
        bases = [[block.basis for block in model.blocks] for model in self.models]
        if any(len(row) != len(bases[0]) for row in bases):
            return False
        if any(
            not np.array_equal(a, b) for row in bases for a, b in zip(row, bases[0], strict=True)
        ):
            return False
        return all(
            np.abs(a.conj().T @ m.matrix @ b).max() < 1e-12
            for m in self.modes
            for a, b in itertools.permutations(bases[0], 2)
        )

    @cached_property
    def stiffness(self) -> Floats:
        """Coefficients of the squares in the free energy."""
        return np.array([m.stiffness for m in self.modes])

    @cached_property
    def pairing(self) -> NDArray[np.bool_]:
        """Which modes multiply pairs."""
        return np.array([m.pairs for m in self.modes], dtype=bool)

    def __call__(self, x: Floats, mu: float) -> tuple[float, Floats, float]:
        """Return the Legendre free energy, its slope in `x` and its slope in `mu`.

        The free energy per cell at fixed filling is its maximum over `mu`.
        """
        value = float(self.stiffness @ x**2) + mu * self.filling
        slope = 2 * self.stiffness * x
        excess = self.filling
        measure = self.weights * self._forms
        for h, slopes in self._blocks:
            n = len(h)
            field_ = np.tensordot(x, slopes, 1).reshape(n * n, -1)
            z = h + (field_ @ self._forms).reshape(h.shape)
            z[range(n), range(n)] -= mu
            energy, turn = polar(z, self.temperature)
            value += float(self.weights @ (np.einsum("iik->k", z).real - energy))
            averages = measure @ -turn.reshape(n * n, -1).conj().T
            averages[:, :: n + 1] += measure.sum(axis=1, keepdims=True)
            excess -= float(averages[-1, :: n + 1].sum().real)
            slope += (slopes.reshape(len(x), averages.size) @ averages.T.ravel()).real
        return value, slope, excess

    def level(self, x: Floats, guess: float, tolerance: float = 1e-13) -> float:
        """Chemical potential at fixed unknowns: held, or the one that gives the filling."""
        if self.mu is not None:
            return self.mu

        def excess(mu: float) -> float:
            return self(x, mu)[2]

        low = high = guess
        step = 0.002
        sign = excess(guess) > 0
        while True:
            low, high = (high, high + step) if sign else (low - step, low)
            if (excess(high if sign else low) > 0) != sign:
                return float(brentq(excess, low, high, xtol=tolerance, rtol=1e-14))
            step *= 3

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

    def polish(self, x: Floats, mu: float) -> tuple[Floats, float, float]:
        """Newton's method on all slopes; returns unknowns, chemical potential and residual."""
        scale = 2 * self.stiffness

        def residual(y: Floats) -> Floats:
            _, slope, excess = self(y[:-1], y[-1] if self.mu is None else self.mu)
            return np.append(slope / scale, excess if self.mu is None else y[-1] - self.mu)

        found = root(residual, np.append(x, mu), tol=1e-14)
        y = found.x
        for _ in range(3):
            error = float(np.abs(residual(y)).max())
            if error < 1e-11:
                break
            y = root(residual, y, tol=1e-15).x
        return y[:-1], float(y[-1]), float(np.abs(residual(y)).max())


def polar(z: Complexes, temperature: float) -> tuple[Floats, Complexes]:
    r"""Sum of :math:`2T\ln 2\cosh(\sigma/2T)` over the singular values of Z, and its slope.

    Parameters
    ----------
    z : ndarray, shape (n, n, K)
        The matrices.
    temperature : float
        T in eV; at zero the sum is that of the singular values.

    Returns
    -------
    total : ndarray, shape (K,)
        The sums.
    turn : ndarray, shape (n, n, K)
        G with :math:`d\,\mathrm{total} = \mathrm{Re}\,\mathrm{tr}\,G^\dagger dZ`.
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


def thermal(sigma: Floats, temperature: float) -> tuple[Floats, Floats]:
    """Return 2T ln 2cosh(σ/2T) and its slope tanh(σ/2T)."""
    if temperature == 0.0:
        return sigma, np.ones_like(sigma)
    return sigma + 2 * temperature * np.log1p(np.exp(-sigma / temperature)), np.tanh(
        sigma / (2 * temperature)
    )


def _polar_two(z: Complexes, temperature: float) -> tuple[Floats, Complexes]:
    """Treat two by two matrices, with (σ₁ ± σ₂)² = |Z|² ± 2|det Z|."""
    (a, b), (c, d) = z
    square = (z.real**2 + z.imag**2).sum(axis=(0, 1))
    det = a * d - b * c
    size = np.abs(det)
    total = np.sqrt(square + 2 * size)
    if temperature == 0.0:
        phase = det / np.maximum(size, 1e-300)
        turn = np.empty_like(z)
        turn[0, 0], turn[1, 1] = a + phase * d.conj(), d + phase * a.conj()
        turn[0, 1], turn[1, 0] = b - phase * c.conj(), c - phase * b.conj()
        turn /= np.maximum(total, 1e-300)
        return total, turn
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
    turn = np.empty_like(z)
    turn[0, 0] = constant * a + linear * (a * aa + b * ab.conj())
    turn[0, 1] = constant * b + linear * (a * ab + b * dd)
    turn[1, 0] = constant * c + linear * (c * aa + d * ab.conj())
    turn[1, 1] = constant * d + linear * (c * ab + d * dd)
    return e1 + e2, turn


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


def factors(k: Floats, neighbors: NDArray[np.int64]) -> dict[str, Floats]:
    """Form factors cos kx + cos ky, cos kx − cos ky and one."""
    x, y = (np.cos(k @ r) for r in neighbors)
    return {"s": x + y, "d": x - y, "1": np.ones_like(x)}


def reduced_mesh(
    models: tuple[BlochModel, ...], mesh: int, channel: str, shift: float = 0.0
) -> tuple[Floats, Floats]:
    """Momenta, one from each set that the symmetries of all models connect, and their weights.

    A pure s or d state has the free energy density of the square's group.  A mixture keeps only
    the elements that leave each axis in place.
    """
    index = np.stack(np.meshgrid(*[np.arange(mesh)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    keep = ("E", "C2", "σx", "σy") if channel == "s+d" else None
    groups = [{s.name: s.rotation for s in m.symmetries} for m in models]
    rotations = [
        r
        for name, r in groups[0].items()
        if all(name in g and np.array_equal(g[name], r) for g in groups)
        and (keep is None or name in keep)
        and channel != "full"
    ]
    offset = round(2 * shift)
    doubled = 2 * index + offset
    label = np.arange(len(index))
    for rotation in rotations:
        inverse = np.linalg.inv(rotation).round().astype(np.int64)
        image = (doubled @ inverse - offset) % (2 * mesh) // 2
        label = np.minimum(label, image[:, 0] * mesh + image[:, 1])
    chosen, count = np.unique(label, return_counts=True)
    k: Floats = np.pi * doubled[chosen] / mesh
    return k, count / len(index)
