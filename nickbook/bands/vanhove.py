"""Critical points of a band, where the density of states of a square lattice is not analytic."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from nickbook.arrays import Floats
from nickbook.bands.bloch import BlochModel, Block
from nickbook.bands.lattice import zone_mesh

_TURN = 2 * np.pi
_HESSIAN_STEP = 1e-4


@dataclass(frozen=True)
class VanHovePoint:
    """A critical point of one band.

    Parameters
    ----------
    band : int
        Index in the model's `band_names`.
    point : tuple of float
        Momentum in ``[-pi, pi)``.
    energy : float
        Band energy there in eV.
    kind : str
        ``"minimum"`` and ``"maximum"`` make a step in the density of states, ``"saddle"`` a
        logarithm; ``"flat"`` has a vanishing curvature and a stronger singularity.
    strength : float
        Step height in states/eV per spin and cell, or for a saddle the factor c in
        ``-c ln|E - energy|``; infinite for a flat point.
    """

    band: int
    point: tuple[float, float]
    energy: float
    kind: str
    strength: float


def van_hove_points(model: BlochModel) -> list[VanHovePoint]:
    """Find every critical point of every band by Newton's method from a mesh.

    Parameters
    ----------
    model : BlochModel
        A model in two dimensions.

    Returns
    -------
    list of VanHovePoint
        In order of energy.

    Raises
    ------
    ValueError
        If the model has three dimensions.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> sorted({p.kind for p in van_hove_points(conduction_bands())})
    ['maximum', 'minimum', 'saddle']
    """
    model.require_plane("van_hove_points")
    found = []
    for band in range(len(model.orbitals)):
        block, index = model.locate(band)
        for point, energy, hessian in critical_points(block, index):
            kind, strength = _classified(hessian)
            found.append(VanHovePoint(band, point, energy, kind, strength))
    return sorted(found, key=lambda p: (p.energy, p.band, p.point))


@lru_cache(maxsize=256)
def critical_points(
    block: Block, index: int, mesh: int = 48
) -> tuple[tuple[tuple[float, float], float, Floats], ...]:
    """Momentum, energy and Hessian at each zero of the velocity of one band.

    Parameters
    ----------
    block : Block
        Mirror block of a model.
    index : int
        Band inside the block.
    mesh : int
        Mesh points along each direction on which the search starts.

    Returns
    -------
    tuple of (point, energy, Hessian)
        Points in ``[-pi, pi)``, Hessian in eV, shape (2, 2).
    """
    k = zone_mesh(mesh)
    speed = np.square(block.band(k, index)[1]).sum(axis=-1)
    neighbours = [np.roll(speed, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    k = k[speed <= np.min(neighbours, axis=0)]
    for _ in range(40):
        velocity = block.band(k, index)[1]
        # The pseudo-inverse keeps flat directions still instead of throwing the point far away.
        step = np.linalg.pinv(_hessian(block, index, k), rcond=1e-9) @ velocity[..., None]
        k = k - np.clip(step[..., 0], -_TURN / mesh, _TURN / mesh)
        if np.abs(step).max(initial=0.0) < 1e-13:
            break
    energy, velocity = block.band(k, index)
    k = k[np.abs(velocity).max(axis=-1) < 1e-9]
    # Rounding before the wrap puts both sides of the zone boundary on one side.
    k = (np.round(k, 8) + np.pi) % _TURN - np.pi
    k = np.unique(np.round(k, 7), axis=0)
    energy = block.band(k, index)[0]
    return tuple(
        ((float(p[0]), float(p[1])), float(e), h)
        for p, e, h in zip(k, energy, _hessian(block, index, k), strict=True)
    )


def _hessian(block: Block, index: int, k: Floats) -> Floats:
    rows = []
    for axis in (0, 1):
        shift = np.zeros(2)
        shift[axis] = _HESSIAN_STEP
        ahead, behind = block.band(k + shift, index)[1], block.band(k - shift, index)[1]
        rows.append((ahead - behind) / (2 * _HESSIAN_STEP))
    hessian = np.stack(rows, axis=-2)
    symmetric: Floats = 0.5 * (hessian + np.swapaxes(hessian, -1, -2))
    return symmetric


def _classified(hessian: Floats) -> tuple[str, float]:
    low, high = np.linalg.eigvalsh(hessian)
    if min(abs(low), abs(high)) < 1e-6 * max(abs(low), abs(high), 1e-6):
        return "flat", np.inf
    root = float(np.sqrt(abs(low * high)))
    if low * high < 0:
        return "saddle", 1 / (2 * np.pi**2 * root)
    return ("minimum" if low > 0 else "maximum"), 1 / (2 * np.pi * root)
