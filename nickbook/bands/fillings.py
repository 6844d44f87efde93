"""Filling and chemical potential."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands.band import Band
from nickbook.bands.bloch import BlochModel
from nickbook.bands.contours import MESH
from nickbook.bands.lattice import zone_mesh
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
    return _counter(model, temperature)(mu)


def filling(model: BlochModel, mu: float, temperature: float = 0.0) -> float:
    """Electrons per cell in all bands, the sum of `band_fillings`.

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
    float
        Electrons per cell, both spins.

    Raises
    ------
    ValueError
        If `mu` is not finite, or `temperature` is negative or asks for too large a mesh.
    """
    return float(band_fillings(model, mu, temperature).sum())


def chemical_potential(
    model: BlochModel | Sequence[BlochModel], filling: float, temperature: float = 0.0
) -> float:
    """Chemical potential that gives a filling, as `filling` counts it, to 1e-12 eV.

    Parameters
    ----------
    model : BlochModel or sequence of BlochModel
        Any model, or planes of one that share a level: then the mean of their fillings counts.
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
        If the filling is not strictly between zero and the capacity of the bands, the
        temperature is negative, or planes do not have as many bands each.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> chemical_potential(conduction_bands(), band_fillings(conduction_bands(), -0.65).sum())
    -0.65
    """
    planes = (model,) if isinstance(model, BlochModel) else tuple(model)
    capacities = {plane.spin_degeneracy * len(plane.bands) for plane in planes}
    if len(capacities) != 1:
        raise ValueError(f"planes hold up to {sorted(capacities)} electrons; allowed: one number")
    capacity = capacities.pop()
    filling = real("filling", filling, above=0.0, below=capacity, unit="electrons per cell")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    counters = [_counter(plane, temperature) for plane in planes]

    def excess(mu: float) -> float:
        return sum(float(count(mu).sum()) for count in counters) / len(counters) - filling

    energies = np.sort(np.concatenate([_sample(plane) for plane in planes]), axis=None)
    guess = float(energies[int(filling / capacity * (len(energies) - 1))])
    step = 0.01 + temperature
    low, high = guess - step, guess + step
    while excess(low) > 0:
        low, step = low - step, 2 * step
    while excess(high) < 0:
        high, step = high + step, 2 * step
    mu = float(brentq(excess, low, high, xtol=1e-13, rtol=1e-14))
    if temperature == 0.0:
        ranges = [edges for plane in planes for edges in _ranges(plane)]
        if not any(low < mu < high for low, high in ranges):
            return (max(h for _, h in ranges if h <= mu) + min(w for w, _ in ranges if w >= mu)) / 2
    return mu


def _counter(model: BlochModel, temperature: float) -> Callable[[float], Floats]:
    """Electrons in each band as a function of mu, which holds the mesh that it sums over."""
    degeneracy = model.spin_degeneracy
    if model.dimension == 2:
        bands = model.bands
        if temperature == 0.0:
            return lambda mu: degeneracy * np.array([_occupied(band, mu) for band in bands])
        return lambda mu: degeneracy * np.array([_thermal(b, mu, temperature) for b in bands])
    if temperature == 0.0:
        return lambda mu: degeneracy * model.tetrahedra.occupied(mu)
    energies, weights = _thermal_mesh(model, temperature)
    return lambda mu: degeneracy * (weights @ expit((mu - energies) / temperature))


def _occupied(band: Band, mu: float) -> float:
    """Occupied fraction of one band at T = 0, between 0 and 1."""
    low, high = band.range
    saddles = [e for _, e, hessian in band.critical_points if np.linalg.det(hessian) <= 0]

    def area(energy: float) -> float:
        if energy <= low or energy >= high:
            return float(energy >= high)
        # Lines give the area up to whole zones; the mesh tells how many.
        rough = float((band.mesh_energies < energy).mean())
        enclosed = sum(line.area for line in band.contours(energy))
        return enclosed + round(rough - enclosed)

    near = [level for level in saddles if abs(mu - level) < _SADDLE_WINDOW]
    if not near:
        return area(mu)
    # Across a window this narrow the logarithm bends the filling by less than 1e-10.
    ends = near[0] - _SADDLE_WINDOW, near[0] + _SADDLE_WINDOW
    return float(np.interp(mu, ends, [area(end) for end in ends]))


def _thermal(band: Band, mu: float, temperature: float) -> float:
    """Occupied fraction at T > 0 by the trapezoidal rule, whose error is exp(-size pi T / v)."""
    energies, velocity = band.energy_and_velocity(zone_mesh(MESH))
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
        total += float(expit((mu - band.energy(k)) / temperature).sum())
    return total / size**2


def _thermal_mesh(model: BlochModel, temperature: float) -> tuple[Floats, Floats]:
    """Energies (points, bands) of a 3D model and weights of a trapezoidal rule fit for T.

    All bands share one mesh: where they touch, each has a kink, but their sum is smooth.
    """
    coarse = model.tetrahedra.energies
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
        return model.tetrahedra.energies.reshape(len(model.bands), -1)
    return np.array([band.mesh_energies.ravel() for band in model.bands])


def _ranges(model: BlochModel) -> list[tuple[float, float]]:
    """Lowest and highest energy of each band."""
    if model.dimension == 2:
        return [band.range for band in model.bands]
    return [(float(row.min()), float(row.max())) for row in _sample(model)]
