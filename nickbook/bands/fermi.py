"""Fermi lines, and averages over them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nickbook.arrays import Floats
from nickbook.bands.bloch import BlochModel
from nickbook.bands.contours import SADDLE_DISTANCE, Contour
from nickbook.bands.lattice import HIGH_SYMMETRY
from nickbook.bands.vanhove import van_hove_points
from nickbook.checks import real


@dataclass(frozen=True, eq=False)
class FermiSheet:
    """One connected Fermi line of one band.

    Parameters
    ----------
    name : str
        What the papers call it: the name that the model's `sheet_names` give its band.
    band : int
        Index of its band in the model's `band_names`.
    parity : int
        Mirror parity of the band (0 where it is no label).
    points, velocity : ndarray, shape (n, 2)
        Momenta along the line, continuous and not folded into one zone, and velocities in eV.
    weights : ndarray, shape (n,)
        Quadrature weights of the density of states in states/eV per spin and cell:
        ``weights @ f(points)`` is the integral of ``f`` over ``delta(energy - mu) d²k / 4 pi²``.
    orbital_weights : ndarray, shape (n, orbitals)
        Share of each orbital in the state; rows sum to one.
    center : str
        Γ, X, Y or M for a pocket round that point, ``"open"`` for a line across the zone, else
        ``"general"``.
    center_point : tuple of float
        Momentum of the centre, from which `angle` is measured.
    kind : str
        ``"electron"``, ``"hole"`` or ``"open"``.
    area : float
        Area inside the pocket as a fraction of the Brillouin zone; NaN for an open line.
    band_name : str
        Name of its band in the model's `band_names`.
    """

    name: str
    band: int
    parity: int
    points: Floats
    velocity: Floats
    weights: Floats
    orbital_weights: Floats
    center: str
    center_point: tuple[float, float]
    kind: str
    area: float
    band_name: str = ""

    @property
    def density_of_states(self) -> float:
        """Density of states of the line in states/eV per spin and cell."""
        return float(self.weights.sum())

    @property
    def angle(self) -> Floats:
        """Angle θ of each point about the centre, from the kx direction, in ``[0, 2 pi)``."""
        away = self.points - np.array(self.center_point)
        angle: Floats = np.arctan2(away[:, 1], away[:, 0]) % (2 * np.pi)
        return angle

    def average(self, values: Floats) -> Floats:
        """Average over the line, weighted with the density of states.

        Parameters
        ----------
        values : ndarray, shape (n, ...)
            One value per point of the line.

        Returns
        -------
        ndarray, shape (...)
            The average.
        """
        values = np.asarray(values)
        if values.shape[:1] != self.weights.shape:
            raise ValueError(
                f"values has shape {values.shape}; allowed: ({len(self.weights)}, ...), one value "
                f"for each point of sheet {self.name!r}"
            )
        averaged: Floats = np.tensordot(self.weights, values, axes=1) / self.weights.sum()
        return averaged


def fermi_sheets(model: BlochModel, mu: float) -> list[FermiSheet]:
    """All Fermi lines of a model at one chemical potential.

    Parameters
    ----------
    model : BlochModel
        A model in two dimensions.
    mu : float
        Chemical potential in eV.

    Returns
    -------
    list of FermiSheet
        In the order of the bands; inside a band the line that encloses more comes first.

    Raises
    ------
    ValueError
        If `mu` is not finite, crosses no band, or lies on a van Hove saddle, or if the model has
        three dimensions.

    Notes
    -----
    Points are spaced equally in the time of motion along the line, which makes every average over
    a line converge exponentially; lines are refined until the last sixteenth of their Fourier
    series is below 1e-9.  The cost is some hundred band evaluations per line.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> [(s.name, s.center, s.kind) for s in fermi_sheets(conduction_bands(), -0.65)]
    [('α', 'Γ', 'electron'), ('β', 'M', 'hole')]
    """
    mu = real("mu", mu, unit="eV")
    model.require_plane("fermi_sheets")
    sheets = []
    for number, band in enumerate(model.bands):
        for line in band.contours(mu):
            center, center_point = _center(line)
            kind = "open" if center == "open" else ("electron" if line.area > 0 else "hole")
            sheets.append(
                FermiSheet(
                    name=model.sheet_names[number],
                    band=number,
                    parity=band.parity,
                    points=line.points,
                    velocity=line.velocity,
                    weights=line.weights,
                    orbital_weights=band.orbital_weights(line.points),
                    center=center,
                    center_point=center_point,
                    kind=kind,
                    area=float("nan") if kind == "open" else abs(line.area),
                    band_name=model.band_names[number],
                )
            )
    if not sheets:
        energies = [p.energy for p in van_hove_points(model)]
        raise ValueError(
            f"mu = {mu} eV crosses no band of {model.name!r}; allowed: inside a band, which all "
            f"lie between {min(energies):.6g} and {max(energies):.6g} eV"
        )
    return sheets


def density_of_states(model: BlochModel, energy: float) -> Floats:
    """Density of states of each band.

    Parameters
    ----------
    model : BlochModel
        A model in two dimensions.
    energy : float
        Energy in eV.

    Returns
    -------
    ndarray, shape (bands,)
        States/eV per spin and cell, in the order of the model's `band_names`; zero outside a band
        and on its edge, infinite on a van Hove saddle.  `van_hove_points` lists both kinds of
        energies, with the height of each step and the strength of each logarithm.

    Raises
    ------
    ValueError
        If `energy` is not finite or the model has three dimensions.
    """
    return weighted_density_of_states(model, energy, lambda k: np.ones(k.shape[:-1]))


def weighted_density_of_states(
    model: BlochModel, energy: float, weight: Callable[[Floats], Floats]
) -> Floats:
    """Density of states of each band with a momentum-dependent weight, such as η².

    Parameters
    ----------
    model : BlochModel
        A model in two dimensions.
    energy : float
        Energy in eV.
    weight : callable
        Function of momenta of shape (..., 2) that returns shape (...).

    Returns
    -------
    ndarray, shape (bands,)
        The integral of ``weight(k) delta(energy - band(k)) d²k / 4 pi²`` per band.

    Raises
    ------
    ValueError
        If `energy` is not finite or the model has three dimensions.
    """
    energy = real("energy", energy, unit="eV")
    model.require_plane("density_of_states")
    saddles = {p.band for p in van_hove_points(model) if _diverges_at(p.kind, p.energy, energy)}
    totals = []
    for number, band in enumerate(model.bands):
        if number in saddles:
            totals.append(np.inf)
            continue
        lines = band.contours(energy)
        totals.append(float(sum(line.weights @ weight(line.points) for line in lines)))
    return np.array(totals)


def _diverges_at(kind: str, level: float, energy: float) -> bool:
    return kind in ("saddle", "flat") and abs(level - energy) < SADDLE_DISTANCE


def _center(line: Contour) -> tuple[str, tuple[float, float]]:
    if line.winding != (0, 0):
        return "open", (0.0, 0.0)
    middle = (line.points.max(axis=0) + line.points.min(axis=0)) / 2
    for name, point in HIGH_SYMMETRY.items():
        turns = np.round((middle - point) / (2 * np.pi))
        image = np.array(point) + 2 * np.pi * turns
        if np.abs(middle - image).max() < 1e-6:
            return name, (float(image[0]), float(image[1]))
    return "general", (float(middle[0]), float(middle[1]))
