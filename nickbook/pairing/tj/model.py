"""Bands with exchange on their bonds, and their gap equations linearized."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands import BlochModel
from nickbook.checks import real
from nickbook.pairing.tj.free_energy import Mode, factors, reduced_mesh

#: Multiples of J (in a layer) and J' (between layers) that a reading of the paper puts into the
#: gap equations, in units of what H_J gives.
CONVENTIONS: dict[str, tuple[float, float]] = {
    "bond": (1.0, 1.0),
    "eq46-47": (2.0, 1.0),
    "eq48": (2.0, 4.0),
    "eq37": (4.0, 1.0),
}


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
                matrix = self._diagonal(a, group)
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
            both = self._diagonal(a, tuple(range(count)))
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

    def _diagonal(self, orbital: int, rows: tuple[int, ...]) -> Floats:
        matrix = np.zeros((len(self.models[0].orbitals),) * 2)
        for row in rows:
            matrix[self.layers[row][orbital], self.layers[row][orbital]] = 1.0
        return matrix

    def _between(self, orbital: int) -> Floats:
        matrix = np.zeros((len(self.models[0].orbitals),) * 2)
        i, j = (layer[orbital] for layer in self.layers)
        matrix[i, j] = matrix[j, i] = 1.0
        return matrix


@dataclass(frozen=True, eq=False)
class PairKernel:
    """The gap equations linearized about the normal state, without bond fields."""

    stiffness: Floats
    weights: Floats
    energies: list[Floats]
    elements: list[Floats]

    @classmethod
    def of(cls, bonds: BondModel, channel: str, mesh: int, shift: float = 0.0) -> "PairKernel":
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
                    forms[m.form][:, None, None]
                    * (states.conj().swapaxes(1, 2) @ m.matrix @ states)
                    for m in modes
                ]
                elements.append(np.array(row))
        stiffness = np.array([mode.stiffness for mode in modes])
        return cls(stiffness, weights / len(bonds.models), energies, elements)

    def level(self, filling: float, temperature: float) -> float:
        """Chemical potential of the normal state on the mesh."""

        def excess(mu: float) -> float:
            parts = [
                2 * self.weights @ expit((mu - e) / temperature).sum(-1) for e in self.energies
            ]
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


def bond_model(
    model: BlochModel | Sequence[BlochModel],
    exchange: Exchange,
    convention: str,
    neighbors: ArrayLike,
    layers: Sequence[Sequence[int]] | None,
    bond_fields: str,
) -> BondModel:
    """Check arguments, which are those of `tj_mean_field`, and build the model of its bonds."""
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
