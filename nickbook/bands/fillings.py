"""Filling and chemical potential."""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands.bloch import BlochModel, Block
from nickbook.bands.contours import MESH, contours, mesh_energies
from nickbook.bands.lattice import zone_mesh
from nickbook.bands.tetrahedra import tetrahedra
from nickbook.bands.vanhove import critical_points
from nickbook.checks import real

_THERMAL_REACH = 40.0
_SADDLE_WINDOW = 2e-9
_LARGEST_MESH = 12_000
#: In three dimensions: points along a direction per speed / T, and the most points of all.
_THERMAL_POINTS = 4.0
_LARGEST_BLOCK = 2_000_000


def band_fillings(model: BlochModel, mu: float, temperature: float = 0.0) -> Floats:
    """Electrons per cell in each band.

    Parameters
    ----------
    model : BlochModel
        Any model.
    mu : float
        Chemical potential in eV.
    temperature : float, optional
        Temperature in eV.

    Returns
    -------
    ndarray, shape (bands,)
        Electrons per cell, both spins, in the order of the model's `band_names`.

    Raises
    ------
    ValueError
        If `mu` is not finite, or `temperature` is negative or asks for too large a mesh.

    Notes
    -----
    At T = 0 the filling in two dimensions is the area inside the Fermi lines, exact to rounding.
    In three dimensions linear tetrahedra give it, fourth order in the step of a mesh of 48³ points;
    the error is about 1e-5 electrons a cell for smooth bands and 2e-4 for `eight_band`, whose bands
    touch on whole planes.

    At T > 0 it is a sum over a mesh that grows as 1/T in each direction, so that the error stays
    near 1e-12 in two dimensions and below 1e-5 in three; the cost grows as 1/T² and 1/T³.  Three
    dimensions allow two million points, which suffice for T >= 0.02 eV with `eight_band`.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> band_fillings(conduction_bands(), -0.65).round(6).tolist()  # per cell: two Ni
    [0.28844, 0.615072]
    """
    mu = real("mu", mu, unit="eV")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    if model.dimension == 3:
        if temperature == 0.0:
            return model.spin_degeneracy * tetrahedra(model).occupied(mu)
        energies, weights = _thermal_mesh(model, temperature)
        return model.spin_degeneracy * (weights @ expit((mu - energies) / temperature))
    shares = [_occupied(model, b, mu, temperature) for b in range(len(model.band_names))]
    return model.spin_degeneracy * np.array(shares)


def filling(model: BlochModel, mu: float, temperature: float = 0.0) -> float:
    """Electrons per cell, both spins; arguments and errors as in `band_fillings`."""
    return float(band_fillings(model, mu, temperature).sum())


def chemical_potential(model: BlochModel, filling: float, temperature: float = 0.0) -> float:
    """Chemical potential that gives a filling, as `filling` counts it, to 1e-12 eV.

    Parameters
    ----------
    model : BlochModel
        Any model.
    filling : float
        Electrons per cell, both spins.
    temperature : float, optional
        Temperature in eV.

    Returns
    -------
    float
        Chemical potential in eV.  Where the filling leaves a gap empty, the middle of the gap.

    Raises
    ------
    ValueError
        If the filling is not strictly between zero and the capacity of the bands, or the
        temperature is negative.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> chemical_potential(conduction_bands(), band_fillings(conduction_bands(), -0.65).sum())
    -0.65
    """
    capacity = model.spin_degeneracy * len(model.band_names)
    filling = real("filling", filling, above=0.0, below=capacity, unit="electrons per cell")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")

    def excess(mu: float) -> float:
        return float(band_fillings(model, mu, temperature).sum()) - filling

    energies = np.sort(_sample(model), axis=None)
    guess = float(energies[int(filling / capacity * (len(energies) - 1))])
    step = 0.01 + temperature
    low, high = guess - step, guess + step
    while excess(low) > 0:
        low, step = low - step, 2 * step
    while excess(high) < 0:
        high, step = high + step, 2 * step
    mu = float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))
    if temperature == 0.0:
        ranges = [_range(model, band) for band in range(len(model.band_names))]
        if not any(low < mu < high for low, high in ranges):
            return (max(h for _, h in ranges if h <= mu) + min(w for w, _ in ranges if w >= mu)) / 2
    return mu


def _occupied(model: BlochModel, band: int, mu: float, temperature: float) -> float:
    """Occupied fraction of one band, between 0 and 1."""
    block, index = model.locate(band)
    if temperature > 0.0:
        return _thermal_share(block, index, mu, temperature)
    low, high = _range(model, band)
    saddles = [e for _, e, hessian in critical_points(block, index) if np.linalg.det(hessian) <= 0]

    def area(energy: float) -> float:
        if energy <= low or energy >= high:
            return float(energy >= high)
        # Lines give the area up to whole zones; the mesh tells how many.
        rough = float((mesh_energies(block, index) < energy).mean())
        enclosed = sum(line.area for line in contours(block, index, energy))
        return enclosed + round(rough - enclosed)

    def share(energy: float) -> float:
        near = [level for level in saddles if abs(energy - level) < _SADDLE_WINDOW]
        if not near:
            return area(energy)
        # Across a window this narrow the logarithm bends the filling by less than 1e-10.
        ends = near[0] - _SADDLE_WINDOW, near[0] + _SADDLE_WINDOW
        return float(np.interp(energy, ends, [area(end) for end in ends]))

    return share(mu)


def _thermal_share(block: Block, index: int, mu: float, temperature: float) -> float:
    """Occupied fraction at T > 0 by the trapezoidal rule, whose error is exp(-size pi T / v)."""
    energies, velocity = block.band(zone_mesh(MESH), index)
    active = np.abs(energies - mu) < _THERMAL_REACH * temperature + np.ptp(energies) / MESH
    fastest = 1.2 * np.linalg.norm(velocity, axis=-1).max(where=active, initial=0.1)
    size = max(64, int(28 * fastest / (np.pi * temperature)))
    if size > _LARGEST_MESH:
        raise ValueError(
            f"temperature = {temperature} eV asks for a mesh of {size}² points; allowed: 0, or "
            f"temperature >= {28 * fastest / (np.pi * _LARGEST_MESH):.2g} eV here"
        )
    axis = 2 * np.pi * np.arange(size) / size
    total = 0.0
    for rows in np.array_split(axis, max(1, size**2 // 500_000)):
        k = np.stack(np.meshgrid(rows, axis, indexing="ij"), axis=-1)
        total += float(expit((mu - block.energies(k)[..., index]) / temperature).sum())
    return total / size**2


@lru_cache(maxsize=1)
def _thermal_mesh(model: BlochModel, temperature: float) -> tuple[Floats, Floats]:
    """Energies (points, bands) of a 3D model and weights of a trapezoidal rule fit for T.

    All bands share one mesh: where they touch, each has a kink, but their sum is smooth.
    """
    coarse = tetrahedra(model).energies
    steps = [np.abs(np.diff(coarse, axis=axis)).max() for axis in (1, 2, 3)]
    wanted = _THERMAL_POINTS * np.array(steps) * coarse.shape[1] / (2 * np.pi)
    sizes = np.maximum(24, 2 * np.ceil(wanted / temperature / 2)).astype(int)
    even = not model.hoppings.imag.any()
    count = sizes[0] // 2 + 1 if even else sizes[0]
    if count * sizes[1] * sizes[2] > _LARGEST_BLOCK:
        lowest = (np.prod(wanted) / (1 + even) / _LARGEST_BLOCK) ** (1 / 3)
        raise ValueError(
            f"temperature = {temperature} eV asks for a mesh of {' × '.join(map(str, sizes))} "
            f"points; allowed: 0, or temperature >= {1.1 * lowest:.2g} eV here"
        )
    first, *others = (2 * np.pi * np.arange(size) / size for size in sizes)
    planes = np.array(np.meshgrid(*others, indexing="ij")).reshape(2, -1).T
    rows = [np.insert(planes, 0, value, axis=1) for value in first[:count]]
    energies = np.concatenate([model.band_energies(k) for k in rows])
    # E(-k) = E(k) for real hoppings: planes between 0 and pi count for their images too.
    doubled = (np.arange(count) > 0) & (2 * np.arange(count) != sizes[0]) & even
    return energies, np.repeat(np.where(doubled, 2.0, 1.0), len(planes)) / np.prod(sizes)


def _sample(model: BlochModel) -> Floats:
    """Energies of each band on a mesh over the zone, shape (bands, points)."""
    if model.dimension == 3:
        return tetrahedra(model).energies.reshape(len(model.band_names), -1)
    blocks = [model.locate(band) for band in range(len(model.band_names))]
    return np.array([mesh_energies(*block).ravel() for block in blocks])


def _range(model: BlochModel, band: int) -> tuple[float, float]:
    if model.dimension == 3:
        energies = _sample(model)[band]
        return float(energies.min()), float(energies.max())
    # Where two bands touch, an edge is a cusp, which is no zero of the velocity.
    block, index = model.locate(band)
    edges = [energy for _, energy, _ in critical_points(block, index)]
    edges += [float(edge(mesh_energies(block, index))) for edge in (np.min, np.max)]
    return min(edges), max(edges)
