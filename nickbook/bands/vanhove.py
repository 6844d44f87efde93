"""Critical points of a band, where the density of states of a square lattice is not analytic."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nickbook.arrays import Energy, Floats
from nickbook.bands.bloch import BlochModel
from nickbook.results import Result


@dataclass(frozen=True)
class VanHovePoint(Result):
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

    Examples
    --------
    The saddles of the square lattice, in units of its hopping t: -c ln|E| with c = 1/4π²t.

    >>> from nickbook.bands import bilayer_hubbard, van_hove_points
    >>> points = van_hove_points(bilayer_hubbard(0.0))
    >>> saddles = [point for point in points if point.kind == "saddle"]
    >>> round(abs(saddles[0].energy), 9), round(saddles[0].strength, 4)
    (0.0, 0.0253)
    """

    band: int
    point: Annotated[tuple[float, float], "1/a"]
    energy: Energy
    kind: str
    strength: Annotated[float, "1/eV"]


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
    >>> from nickbook.bands import conduction_bands, van_hove_points
    >>> sorted({p.kind for p in van_hove_points(conduction_bands())})
    ['maximum', 'minimum', 'saddle']
    """
    model.require_plane("van_hove_points")
    found = []
    for number, band in enumerate(model.bands):
        for point, energy, hessian in band.critical_points:
            kind, strength = _classified(hessian)
            found.append(VanHovePoint(number, point, energy, kind, strength))
    return sorted(found, key=lambda p: (p.energy, p.band, p.point))


def diverges(hessian: Floats) -> bool:
    """Whether the density of states is infinite at a critical point with this Hessian."""
    return _classified(hessian)[0] in ("saddle", "flat")


def _classified(hessian: Floats) -> tuple[str, float]:
    low, high = np.linalg.eigvalsh(hessian)
    if min(abs(low), abs(high)) < 1e-6 * max(abs(low), abs(high), 1e-300):
        return "flat", np.inf
    root = float(np.sqrt(abs(low * high)))
    if low * high < 0:
        return "saddle", 1 / (2 * np.pi**2 * root)
    return ("minimum" if low > 0 else "maximum"), 1 / (2 * np.pi * root)
