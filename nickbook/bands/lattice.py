"""The square lattice of Ni sites: form factor, Brillouin-zone meshes and paths.

Momenta are in units of the inverse Ni-Ni distance, so the Brillouin zone is
``[-pi, pi) x [-pi, pi)``.
"""

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.checks import momenta, positive_integer

#: Points of high symmetry of the square Brillouin zone.
HIGH_SYMMETRY: dict[str, tuple[float, float]] = {
    "Γ": (0.0, 0.0),
    "X": (np.pi, 0.0),
    "Y": (0.0, np.pi),
    "M": (np.pi, np.pi),
}


def eta_k(k: ArrayLike) -> Floats:
    r"""Form factor :math:`\eta_k = \cos k_x - \cos k_y` of an x²−y² bond (below LK Eq. 2).

    It is half the lattice sum over the bond signs of LK Eq. 1, plus along x and minus along y.

    Parameters
    ----------
    k : array_like, shape (..., 2)
        Momenta in inverse Ni-Ni distance.

    Returns
    -------
    ndarray, shape (...)
        Values between -2 and 2; odd under a quarter turn.

    Examples
    --------
    >>> float(eta_k([np.pi, 0.0]))
    -2.0
    """
    k = momenta("k", k, 2)
    return np.cos(k[..., 0]) - np.cos(k[..., 1])


def zone_mesh(size: int) -> Floats:
    """Square mesh over one Brillouin zone that holds Γ and, for even `size`, X and M.

    Parameters
    ----------
    size : int
        Points along each direction.

    Returns
    -------
    ndarray, shape (size, size, 2)
        ``k[i, j] = 2 pi (i, j) / size``.
    """
    axis = 2 * np.pi * np.arange(positive_integer("size", size)) / size
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)


def zone_path(corners: str | list[str], points: int) -> tuple[Floats, Floats, list[float]]:
    """Straight path between points of high symmetry, with a constant step.

    Parameters
    ----------
    corners : str or list of str
        Names from `HIGH_SYMMETRY`, as in ``"ΓXMΓ"``.
    points : int
        Number of points on the whole path.

    Returns
    -------
    k : ndarray, shape (points, 2)
        Momenta.
    distance : ndarray, shape (points,)
        Length along the path.
    ticks : list of float
        Lengths at which the corners lie.

    Raises
    ------
    ValueError
        For an unknown corner or fewer than two of them.
    """
    names = list(corners)
    unknown = [name for name in names if name not in HIGH_SYMMETRY]
    if unknown or len(names) < 2:
        raise ValueError(f"corners = {corners!r}: name at least two of {', '.join(HIGH_SYMMETRY)}")
    return straight_path(np.array([HIGH_SYMMETRY[name] for name in names]), points)


def straight_path(
    stops: Floats, points: int, places: Floats | None = None
) -> tuple[Floats, Floats, list[float]]:
    """Path of `zone_path` between any momenta (c, d), whose lengths are those between `places`."""
    legs = np.linalg.norm(np.diff(stops if places is None else places, axis=0), axis=1)
    ticks = np.concatenate([[0.0], np.cumsum(legs)])
    distance = np.linspace(0.0, ticks[-1], positive_integer("points", points))
    k = np.stack([np.interp(distance, ticks, component) for component in stops.T], axis=-1)
    return k, distance, ticks.tolist()


def folded(k: Floats) -> Floats:
    """Momenta in the zone round Γ, each component in ``[-pi, pi)``."""
    return (k + np.pi) % (2 * np.pi) - np.pi
