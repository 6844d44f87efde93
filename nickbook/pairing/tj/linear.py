"""The gap equations of the t-J model linearized: where pairs begin to grow."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands import BlochModel
from nickbook.pairing.tj.free_energy import divided_tanh, level_of
from nickbook.pairing.tj.model import BondModel, factors, reduced_mesh


@dataclass(frozen=True, eq=False)
class PairKernel:
    """The gap equations linearized about the normal state."""

    stiffness: Floats
    weights: Floats
    energies: list[Floats]
    elements: list[Floats]

    @classmethod
    def of(
        cls,
        bonds: BondModel,
        channel: str,
        mesh: int,
        shift: float = 0.0,
        models: tuple[BlochModel, ...] | None = None,
    ) -> "PairKernel":
        """Matrix elements of the modes on a mesh between the bands, or those of other `models`."""
        modes = [mode for mode in bonds.modes(channel) if mode.pairs]
        models = bonds.models if models is None else models
        k, weights = reduced_mesh(models, mesh, channel, shift)
        forms = factors(k, bonds.vectors)
        energies, elements = [], []
        for model in models:
            for block in model.blocks:
                levels, states = np.linalg.eigh(block.fourier(k)[0])
                states = block.basis @ states
                energies.append(levels)
                bra = states.conj().swapaxes(1, 2)
                row = [forms[m.form][:, None, None] * (bra @ m.matrix @ states) for m in modes]
                elements.append(np.array(row))
        stiffness = np.array([mode.stiffness for mode in modes])
        return cls(stiffness, weights / len(models), energies, elements)

    def level(self, filling: float, temperature: float) -> float:
        """Chemical potential of the normal state on the mesh."""

        def excess(mu: float) -> float:
            occupied = (expit((mu - e) / temperature).sum(-1) for e in self.energies)
            return filling - float(sum(2 * self.weights @ n for n in occupied))

        return level_of(excess, float(np.mean([e.mean() for e in self.energies])), 1e-13)

    def matrix(self, temperature: float, mu: float) -> Floats:
        """Pair susceptibility divided by the stiffness, with eigenvalue one at T_c."""
        total = np.zeros((len(self.stiffness),) * 2)
        for levels, elements in zip(self.energies, self.elements, strict=True):
            xi = levels - mu
            kernel = divided_tanh(xi, -xi, temperature)
            kernel *= self.weights[:, None, None]
            flat = elements.reshape(len(elements), -1)
            total += ((flat * kernel.ravel()) @ flat.conj().T).real
        root = 1 / np.sqrt(2 * self.stiffness)
        return np.asarray(root[:, None] * total * root)

    def eigenvalue(self, temperature: float, mu: float) -> float:
        """Largest eigenvalue of `matrix`."""
        return float(np.linalg.eigvalsh(self.matrix(temperature, mu))[-1])
