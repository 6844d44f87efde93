"""Fillings of three-dimensional bands: the linear tetrahedron method, made fourth order."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from nickbook.arrays import Floats

#: Points along each direction.
MESH = 48

_CORNERS = np.array(list(np.ndindex(2, 2, 2)))
# Six tetrahedra along the main diagonal of a cell, by the numbers of their corners.
_STEPS = [np.cumsum([(0, 0, 0), *axes], axis=0) for axes in permutations(np.eye(3, dtype=int))]
_TETRAHEDRA = np.array([path @ [4, 2, 1] for path in _STEPS])
# The edges of these tetrahedra and how often each occurs in the mean over the six.
_EDGES = [(tuple(c), 2 / 3 if sum(c) == 2 else 1.0) for c in _CORNERS.tolist() if sum(c)]


@dataclass(frozen=True, eq=False)
class Tetrahedra:
    """Bands on a mesh, with their range in each cell.

    Parameters
    ----------
    energies : ndarray, shape (bands, size, size, size)
        Energies in eV on a mesh over the zone, corrected for the curvature of the bands.
    low, high : ndarray, shape (bands, size, size, size)
        Smallest and largest energy at the corners of each cell.
    """

    energies: Floats
    low: Floats
    high: Floats

    def occupied(self, mu: float) -> Floats:
        """Occupied fraction of each band, shape (bands,)."""
        return np.array([self._share(band, mu) for band in range(len(self.energies))])

    def _share(self, band: int, mu: float) -> float:
        energies, low, high = self.energies[band], self.low[band], self.high[band]
        full = float((high <= mu).sum())
        cells = np.argwhere((low < mu) & (high > mu))
        places = (cells[:, None] + _CORNERS) % len(energies)
        corners = energies[tuple(places.transpose(2, 0, 1))]
        partial = _below(np.sort(corners[:, _TETRAHEDRA].reshape(-1, 4), axis=-1), mu)
        return float((full + partial.sum() / len(_TETRAHEDRA)) / energies.size)


def tetrahedra(
    bands: Callable[[Floats], Floats], *, even: bool = False, size: int = MESH
) -> Tetrahedra:
    """Bands of a three-dimensional model on a mesh.

    Linear interpolation inside a tetrahedron misses the curvature of a band.  The mean of what it
    misses is a fortieth of the sum of second differences along the edges, and is taken off the
    energies beforehand; the error of a filling then falls as the fourth power of the mesh step,
    except where bands touch or the level meets a van Hove point.

    Parameters
    ----------
    bands : callable
        Energies in eV, shape (..., bands), at momenta of shape (..., 3), as
        `BlochModel.band_energies`.
    even : bool, optional
        Whether E(-k) = E(k), as for real hoppings: half of the planes then tell the others.
    size : int, optional
        Points along each direction.

    Returns
    -------
    Tetrahedra
        For the bands in their order.
    """
    axis = 2 * np.pi * np.arange(size) / size
    count = size // 2 + 1 if even else size
    planes = []
    for plane in axis[:count]:
        k = np.stack(np.meshgrid(plane, axis, axis, indexing="ij"), axis=-1)[0]
        planes.append(np.moveaxis(bands(k), -1, 0))
    for plane in range(count, size):
        planes.append(np.roll(np.flip(planes[size - plane], axis=(1, 2)), 1, axis=(1, 2)))
    energies = np.stack(planes, axis=1)
    correction = np.zeros_like(energies)
    for edge, weight in _EDGES:
        ahead = np.roll(energies, edge, axis=(1, 2, 3))
        behind = np.roll(energies, [-e for e in edge], axis=(1, 2, 3))
        correction += weight / 40 * (ahead + behind - 2 * energies)
    energies -= correction
    corners = [np.roll(energies, (-c).tolist(), axis=(1, 2, 3)) for c in _CORNERS]
    return Tetrahedra(energies, np.minimum.reduce(corners), np.maximum.reduce(corners))


def _below(corners: Floats, mu: float) -> Floats:
    """Share of each tetrahedron in which the linear interpolation is below mu."""
    e1, e2, e3, e4 = corners.T
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (mu - e1) ** 3 / ((e2 - e1) * (e3 - e1) * (e4 - e1))
        last = 1 - (e4 - mu) ** 3 / ((e4 - e1) * (e4 - e2) * (e4 - e3))
        above, x = e2 - e1, mu - e2
        bend = (e3 - e1 + e4 - e2) / ((e3 - e2) * (e4 - e2))
        middle = (above**2 + 3 * above * x + 3 * x**2 - bend * x**3) / ((e3 - e1) * (e4 - e1))
    conditions = [mu <= e1, mu >= e4, mu < e2, mu < e3]
    share: Floats = np.select(
        conditions, [np.zeros_like(e1), np.ones_like(e1), first, middle], last
    )
    return share
