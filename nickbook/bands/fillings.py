"""Filling and chemical potential."""

import warnings
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import scipy

from nickbook.arrays import Floats
from nickbook.bands.bloch import BlochModel
from nickbook.bands.contours import UnresolvedError
from nickbook.bands.counting import StateCount, level
from nickbook.checks import real

#: Errors of the sum of states, by dimension: to say where lines may be trusted, and without lines.
_ROUGH = {2: 1e-5, 3: 1e-5}
_TOLERANCE = {2: 3e-8, 3: 1e-5}
_THERMAL_TOLERANCE = {2: 1e-6, 3: 1e-3}
#: Energies are the same, and bands touch, within this share of the range of all energies.
_SAME = 1e-9
#: Share of the range of energies by which a level may be off without a word.
_FAIR = 1e-4
#: Largest matrices whose Fermi lines are worth following for a filling.
_LARGEST_BLOCK = 8
#: From here on in units of temperature, states are full or empty to rounding.
_REACH = 40.0
#: Points along a direction per speed / T, which make errors of 1e-12 and 1e-4, and the work
#: (matrix dimensions cubed) that one mesh may cost.
_THERMAL_POINTS = {2: 28 / np.pi, 3: 3.0}
_THERMAL_WORK = 3e8
#: Ends of the pieces, in units of temperature, and points on each, of integrals over energies.
_PIECES = {2: (0.0, 0.5, 1.5, 4.0, 10.0, 20.0, _REACH), 3: (0.0, 2.0, 6.0, 18.0)}
_PIECE_POINTS = {2: 5, 3: 3}


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
        If `mu` is not finite or `temperature` is negative.

    Notes
    -----
    At T = 0 states are counted in cells that are halved along the level, see `StateCount`, to 3e-8
    in two dimensions and 1e-5 in three, or where that is too much work (large matrices, bands that
    touch on planes) to what ``model.state_count.number(mu)`` says.  Where the bands in two
    dimensions have smooth lines, which neither cross nor turn sharply, the area inside them
    replaces the count and is exact to rounding.  A flat band at `mu` counts half.

    At T > 0 it is a sum over a mesh of points that grows as 1/T in each direction, so that the
    error stays near 1e-12 in two dimensions and below 1e-4 in three, or where that mesh would be
    too large, the count at T = 0 averaged over energies near `mu`, which is good to 1e-6 in two
    dimensions and to 1e-3 in three.

    Examples
    --------
    >>> from nickbook.bands import band_fillings, conduction_bands
    >>> band_fillings(conduction_bands(), -0.65).round(6).tolist()  # per cell: two Ni
    [0.28844, 0.615072]
    """
    mu = real("mu", mu, unit="eV")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    if temperature > 0:
        return model.spin_degeneracy * _thermal(model, mu, temperature)
    return model.spin_degeneracy * _occupied(model, mu)


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
        If `mu` is not finite or `temperature` is negative.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands, filling
    >>> round(filling(conduction_bands(), -0.65) / 2, 4)  # per Ni; LK print 0.45
    0.4518
    """
    return float(band_fillings(model, mu, temperature).sum())


def chemical_potential(
    model: BlochModel | Sequence[BlochModel], filling: float, temperature: float = 0.0
) -> float:
    """Chemical potential that gives a filling.

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
        Chemical potential in eV.  Where the filling leaves a gap empty, the middle of the gap at
        T = 0 and the balance of electrons and holes above; where bands touch in points, their
        energy; in a partly filled flat band, its energy.

    Raises
    ------
    ValueError
        If the filling is not strictly between zero and the capacity of the bands, the
        temperature is negative, or planes do not have as many bands each.

    Notes
    -----
    Accurate to 1e-12 eV where Fermi lines are smooth and at temperatures whose mesh fits (see
    `band_fillings`), otherwise to the error of the count over the density of states.  Each momentum
    is diagonalized once, so the cost is O(n³) a point; 48 orbitals take some seconds.

    Examples
    --------
    >>> from nickbook.bands import band_fillings, chemical_potential, conduction_bands
    >>> electrons = band_fillings(conduction_bands(), -0.65).sum()
    >>> round(chemical_potential(conduction_bands(), electrons), 12)
    -0.65
    """
    planes = (model,) if isinstance(model, BlochModel) else tuple(model)
    capacities = {plane.spin_degeneracy * len(plane.orbitals) for plane in planes}
    degeneracies = {plane.spin_degeneracy for plane in planes}
    if len(capacities) != 1 or len(degeneracies) != 1:
        raise ValueError(f"planes hold up to {sorted(capacities)} electrons; allowed: one number")
    if len({plane.dimension for plane in planes}) != 1:
        raise ValueError("planes have two and three dimensions; allowed: one number of dimensions")
    capacity, degeneracy = capacities.pop(), degeneracies.pop()
    filling = real("filling", filling, above=0.0, below=capacity, unit="electrons per cell")
    temperature = real("temperature", temperature, at_least=0.0, unit="eV")
    if temperature > 0:
        low, high = _free_range(planes, filling / degeneracy, _THERMAL_TOLERANCE)
        return _balance(planes, filling / degeneracy, temperature, low, high)
    low, high = _free_range(planes, filling / degeneracy)
    return (low + high) / 2


def _free_range(
    planes: Sequence[BlochModel], states: float, tolerance: dict[int, float] = _TOLERANCE
) -> tuple[float, float]:
    """Energies between which the number of states is the given one: a level, or a gap's edges."""
    counts = [plane.state_count for plane in planes]
    width, total = max(count.width for count in counts), states * len(planes)
    if abs(total - round(total)) < 1e-12 * len(planes[0].orbitals) * len(planes):
        edges = [c.edges(m) for c, m in zip(counts, _full(counts, states), strict=True)]
        low, high = max(low for low, _ in edges), min(high for _, high in edges)
        if high > low - _SAME * width:
            # Touching bands have one edge, whose two values differ by rounding.
            return (low, high) if high > low else ((low + high) / 2, (low + high) / 2)
    dimension = planes[0].dimension
    small = max(block.size for block in planes[0].blocks) <= _LARGEST_BLOCK
    if dimension == 2 and small and tolerance is _TOLERANCE:
        start, _ = level(counts, states, _ROUGH[2])
        if any(count.flat(start) for count in counts):
            return start, start
        with suppress(UnresolvedError):
            exact = _polished(planes, states, start, width)
            return exact, exact
    found, error = level(counts, states, tolerance[dimension])
    _warn(planes, found, error, width)
    return found, found


def _warn(planes: Sequence[BlochModel], found: float, error: float, width: float) -> None:
    """Say how far a level may be off where the work for a better one was too much."""
    step = 1e-2 * width
    ends = [np.mean([p.state_count.rough(found + s).sum() for p in planes]) for s in (-step, step)]
    off = error * 2 * step / max(float(ends[1] - ends[0]), error)
    if off > _FAIR * width:
        warnings.warn(
            f"the chemical potential {found:.6g} eV of {planes[0].name!r} may be off by {off:.1g} "
            f"eV: its {len(planes[0].orbitals)} orbitals allow no finer mesh",
            stacklevel=4,
        )


def _full(counts: Sequence[StateCount], states: float) -> list[int]:
    """Bands of each plane that a filling of whole bands would fill, in order of energy."""
    if len(counts) == 1:
        return [round(states)]
    found, _ = level(counts, states, _ROUGH[2])
    return [round(float(count.number(found, _ROUGH[2])[0].sum())) for count in counts]


def _polished(planes: Sequence[BlochModel], states: float, start: float, width: float) -> float:
    """Level by Newton's method, from areas inside smooth lines and their densities of states."""
    energy, miss = start, np.inf
    for _ in range(12):
        lines = [_areas(plane, energy) for plane in planes]
        density = float(np.mean([density for _, density in lines]))
        last, miss = miss, float(np.mean([areas.sum() for areas, _ in lines]) - states)
        if not density > 0 or abs(energy - start) > 1e-2 * width:
            break
        step = miss / density
        if abs(step) < 1e-15 * width or (abs(step) < 1e-12 * width and abs(miss) >= abs(last) / 2):
            return energy
        energy -= step
    raise UnresolvedError


def _areas(model: BlochModel, mu: float) -> tuple[Floats, float]:
    """Occupied fraction of each band inside its smooth lines, and the density of states.

    Lines give areas up to whole zones, which the count tells, and a count that differs says that
    some line was missed.
    """
    if any(block.flat_shares(mu).any() for block in model.blocks):
        raise UnresolvedError
    counted, error = model.state_count.number(mu, _ROUGH[2])
    areas, density = np.empty(len(counted)), 0.0
    for i, (band, rough) in enumerate(zip(model.bands, counted, strict=True)):
        lines = band.smooth_contours(mu)
        enclosed = sum(line.area for line in lines)
        areas[i] = enclosed + round(rough - enclosed)
        density += sum(float(line.weights.sum()) for line in lines)
    if np.abs(areas - counted).max() > 4 * error + 1e-5:
        raise UnresolvedError
    return areas, density


def _occupied(model: BlochModel, mu: float) -> Floats:
    """Occupied fraction of each band at T = 0."""
    if model.dimension == 2 and max(block.size for block in model.blocks) <= _LARGEST_BLOCK:
        with suppress(UnresolvedError):
            return _areas(model, mu)[0]
    return model.state_count.number(mu, _TOLERANCE[model.dimension])[0]


def _thermal(model: BlochModel, mu: float, temperature: float) -> Floats:
    """Occupied fraction of each band at T > 0."""
    mesh = _thermal_mesh(model, mu, mu, temperature)
    if mesh is not None:
        energies, weights = mesh
        thermal: Floats = weights @ scipy.special.expit((mu - energies) / temperature)
        return thermal
    x, weights = _energies_in_units(model.dimension)
    both = np.concatenate([-x, x])
    falling = scipy.special.expit(both) * scipy.special.expit(-both)
    share = np.concatenate([weights, weights]) * falling
    averaged: Floats = share @ _averaging(model.state_count, mu + temperature * both) / share.sum()
    return averaged


def _balance(
    planes: Sequence[BlochModel], states: float, temperature: float, low: float, high: float
) -> float:
    """Level at which as many electrons are above [low, high] as holes are below.

    Both are summed as logarithms, which tell the balance of an insulator where n(mu) is flat.
    """
    meshes = [_thermal_mesh(plane, low, high, temperature) for plane in planes]
    if all(mesh is not None for mesh in meshes):
        parts = [mesh for mesh in meshes if mesh is not None]
        full = [round(float(p.state_count.number((low + high) / 2, 1e-3)[0].sum())) for p in planes]
        ordered = [np.sort(energies, axis=-1) for energies, _ in parts]
        below = np.concatenate([e[:, :m].ravel() for e, m in zip(ordered, full, strict=True)])
        above = np.concatenate([e[:, m:].ravel() for e, m in zip(ordered, full, strict=True)])
        logs = [np.log(weights / len(parts)) for _, weights in parts]
        bands = len(planes[0].orbitals)
        held = np.concatenate([np.repeat(w, m) for w, m in zip(logs, full, strict=True)])
        free = np.concatenate([np.repeat(w, bands - m) for w, m in zip(logs, full, strict=True)])
        spare = states - sum(full) / len(planes)
        extra = np.log([abs(spare)]) if abs(spare) > 1e-12 else np.empty(0)

        def excess(mu: float) -> float:
            electrons = free - np.logaddexp(0, (above - mu) / temperature)
            holes = held - np.logaddexp(0, (mu - below) / temperature)
            if spare > 0:
                holes = np.append(holes, extra)
            else:
                electrons = np.append(electrons, extra)
            return float(scipy.special.logsumexp(electrons) - scipy.special.logsumexp(holes))

    else:
        dimension = planes[0].dimension
        x, weights = _energies_in_units(dimension)
        counts = [plane.state_count for plane in planes]

        def states_at(energies: Floats) -> Floats:
            found = [_averaging(count, energies).sum(axis=1) for count in counts]
            mean: Floats = np.mean(found, axis=0)
            return mean

        ends = (low - temperature * x, high + temperature * x)
        holes = np.maximum(states - states_at(ends[0]), 1e-300)
        electrons = np.maximum(states_at(ends[1]) - states, 1e-300)

        def excess(mu: float) -> float:
            sums = []
            for counted, energies in zip((electrons, holes), ends[::-1], strict=True):
                x = np.abs(energies - mu) / temperature
                slope = -x - 2 * np.log1p(np.exp(-x))
                sums.append(scipy.special.logsumexp(np.log(counted * weights) + slope))
            return float(sums[0] - sums[1])

    bottom, top, reach = low, high, temperature
    while excess(bottom) > 0:
        bottom, reach = bottom - reach, 2 * reach
    while excess(top) < 0:
        top, reach = top + reach, 2 * reach
    return float(
        scipy.optimize.brentq(
            excess, bottom, top, xtol=1e-14 * max(temperature, abs(top)), rtol=1e-15
        )
    )


def _averaging(count: StateCount, energies: Floats) -> Floats:
    """States of each band below energies to be averaged over, shape (energies, bands).

    In three dimensions cells are halved at each third energy only, one in each piece.
    """
    every = 1 if count.dimension == 2 else _PIECE_POINTS[3]
    tolerance = _THERMAL_TOLERANCE[count.dimension]
    for energy in energies[every // 2 :: every]:
        count.number(energy, tolerance)
    return np.array([count.rough(energy) for energy in energies])


def _energies_in_units(dimension: int) -> tuple[Floats, Floats]:
    """Points and weights of an integral over energies from zero, in units of temperature."""
    x, weights = np.polynomial.legendre.leggauss(_PIECE_POINTS[dimension])
    ends = np.array(_PIECES[dimension])
    half, middle = np.diff(ends) / 2, (ends[1:] + ends[:-1]) / 2
    return (middle[:, None] + half[:, None] * x).ravel(), (half[:, None] * weights).ravel()


def _thermal_mesh(
    model: BlochModel, low: float, high: float, temperature: float
) -> tuple[Floats, Floats] | None:
    """Energies (points, bands) and weights of a trapezoidal rule fit for T; None if too large.

    Its error is exp(-pi T size / speed), with the fastest state that is neither full nor empty.
    All bands share one mesh: where they touch, each has a kink, but their sum is smooth.
    """
    reach = _REACH * temperature
    speeds = model.state_count.speeds(low - reach, high + reach)
    wanted = _THERMAL_POINTS[model.dimension] * 1.2 * speeds / temperature
    sizes = np.maximum(24 if model.dimension == 3 else 64, 2 * np.ceil(wanted / 2)).astype(int)
    even = not model.hoppings.imag.any()
    count = sizes[0] // 2 + 1 if even else sizes[0]
    work = sum(block.size**3 + (100 if block.size > 1 else 60) for block in model.blocks)
    if work * count * np.prod(sizes[1:].astype(float)) > _THERMAL_WORK:
        return None
    first, *others = (2 * np.pi * np.arange(size) / size for size in sizes)
    planes = np.array(np.meshgrid(*others, indexing="ij")).reshape(len(others), -1).T
    rows = [np.insert(planes, 0, value, axis=1) for value in first[:count]]
    energies = np.concatenate([model.band_energies(k) for k in rows])
    # E(-k) = E(k) for real hoppings: planes between 0 and pi count for their images too.
    doubled = (np.arange(count) > 0) & (2 * np.arange(count) != sizes[0]) & even
    return energies, np.repeat(np.where(doubled, 2.0, 1.0), len(planes)) / np.prod(sizes)
