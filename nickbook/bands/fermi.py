"""Fermi lines, and averages over them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.band import FLAT
from nickbook.bands.bloch import BlochModel
from nickbook.bands.contours import SADDLE_DISTANCE, Contour, main_band
from nickbook.bands.lattice import HIGH_SYMMETRY, folded, in_pi
from nickbook.bands.vanhove import diverges
from nickbook.checks import real
from nickbook.results import Result
from nickbook.svg import Line, color, picture


@dataclass(frozen=True, eq=False)
class FermiSheet(Result):
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
    bands : ndarray of int, shape (n,)
        Band of each point, which changes where the line passes from band to band at a crossing;
        `band` is the one of most states.
    states : ndarray, shape (n, orbitals)
        Bloch states in the periodic gauge.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands, eta_k, fermi_sheets
    >>> alpha, beta = fermi_sheets(conduction_bands(), -0.65)
    >>> alpha.name, alpha.center, alpha.kind, round(2 * alpha.area, 6)  # electrons per cell
    ('α', 'Γ', 'electron', 0.28844)
    >>> round(float(alpha.average(eta_k(alpha.points) ** 2)), 4)
    0.3128
    """

    name: str
    band: int
    parity: int
    points: Annotated[Floats, "1/a", "point", "direction"]
    velocity: Annotated[Floats, "eV a", "point", "direction"]
    weights: Annotated[Floats, "1/eV", "point"]
    orbital_weights: Annotated[Floats, "", "point", "orbital"]
    center: str
    center_point: Annotated[tuple[float, float], "1/a"]
    kind: str
    area: float
    band_name: str = ""
    bands: Annotated[NDArray[np.intp], "", "point"] = field(
        default_factory=lambda: np.empty(0, int)
    )
    states: Annotated[Complexes, "", "point", "orbital"] = field(
        default_factory=lambda: np.empty((0, 0), complex)
    )

    def __post_init__(self) -> None:
        if not len(self.bands):
            object.__setattr__(self, "bands", np.full(len(self.points), self.band))

    @property
    def shape(self) -> str:
        """What it is in words, such as "electron pocket round Γ"."""
        if self.kind == "open":
            return "open line"
        place = in_pi(self.center_point) if self.center == "general" else self.center
        return f"{self.kind} pocket round {place}"

    def _words(self) -> str:
        area = "" if self.kind == "open" else f", area {self.area:.4g} of the zone"
        density = f"N {self.density_of_states:.4g}/eV"
        return f"{self.name!r}, {self.shape}{area}, {density}, {len(self.points)} points"

    def _picture(self) -> str:
        line = np.concatenate([self.points, self.points[:1]])
        return zone_picture([(line, color(self.parity), self.name, 1.5)])

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


def zone_picture(lines: Iterable[Line], title: str = "") -> str:
    """Draw lines in the zone round Γ; each goes on from the other edge where it leaves."""
    inside = []
    for points, tint, name, width in lines:
        k = folded(points)
        jumps = np.flatnonzero(np.abs(np.diff(k, axis=0)).max(axis=1) > np.pi) + 1
        inside.append((np.insert(k, jumps, np.nan, axis=0), tint, name, width))
    edges = (-np.pi, np.pi)
    marks = ((-np.pi, "−π"), (0.0, "0"), (np.pi, "π"))
    return picture(inside, edges, edges, marks=marks, title=title)


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
    >>> from nickbook.bands import conduction_bands, fermi_sheets
    >>> [(s.name, s.center, s.kind) for s in fermi_sheets(conduction_bands(), -0.65)]
    [('α', 'Γ', 'electron'), ('β', 'M', 'hole')]
    """
    mu = real("mu", mu, unit="eV")
    model.require_plane("fermi_sheets")
    _require_dispersion(model, mu)
    sheets, first = [], 0
    for block in model.blocks:
        for line in block.contours(mu):
            center, center_point = _center(line)
            kind = "open" if center == "open" else ("electron" if line.area > 0 else "hole")
            own = main_band(line)
            states = block.bands[own].states(line.points) if line.states is None else line.states
            sheets.append(
                FermiSheet(
                    name=model.sheet_names[first + own],
                    band=first + own,
                    parity=block.parity,
                    points=line.points,
                    velocity=line.velocity,
                    weights=line.weights,
                    orbital_weights=np.abs(states) ** 2,
                    center=center,
                    center_point=center_point,
                    kind=kind,
                    area=float("nan") if kind == "open" else abs(line.area),
                    band_name=model.band_names[first + own],
                    bands=first + line.band,
                    states=states,
                )
            )
        first += block.size
    if not sheets:
        raise ValueError(
            f"mu = {mu} eV crosses no band of {model.name!r}: {_surroundings(model, mu)}"
        )
    return sheets


def _require_dispersion(model: BlochModel, mu: float) -> None:
    """Raise ValueError where a band, or a part of the zone, has no dispersion at the level."""
    for name, share, reach in _flat_parts(model, mu):
        raise ValueError(
            f"mu = {mu} eV lies on a flat part of band {name!r} of {model.name!r}, which holds "
            f"{share * model.spin_degeneracy:.4g} electrons per cell at {mu:.9g} eV and has no "
            f"Fermi lines; move mu by more than {reach:.2g} eV"
        )


def _flat_parts(model: BlochModel, energy: float) -> list[tuple[str, float, float]]:
    """Names of bands that are flat at an energy, their share of the zone, and how close that is."""
    shares = np.concatenate([block.flat_shares(energy) for block in model.blocks])
    reaches = [FLAT * band.block.scale for band in model.bands]
    named = zip(model.band_names, shares.tolist(), reaches, strict=True)
    return [(name, share, reach) for name, share, reach in named if share]


def _surroundings(model: BlochModel, mu: float) -> str:
    """Where bands are below and above a level that crosses none."""
    count, bands = model.state_count, len(model.orbitals)
    filled = round(float(count.number(mu, 1e-4)[0].sum()))
    low, high = count.edges(min(max(filled, 1), bands - 1)) if bands > 1 else (-np.inf, np.inf)
    if 0 < filled < bands and high - low > 1e-9 * count.width:
        return f"it lies in the gap from {low:.6g} to {high:.6g} eV; allowed: inside a band"
    if 0 < filled < bands:
        return (
            f"bands touch in points at {(low + high) / 2:.9g} eV and have no lines there; move mu "
            f"by more than {1e-6 * count.width:.2g} eV"
        )
    edges = count.edges(0)[1], count.edges(bands)[0]
    return f"allowed: inside a band, which all lie between {edges[0]:.6g} and {edges[1]:.6g} eV"


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

    Examples
    --------
    >>> from nickbook.bands import conduction_bands, density_of_states
    >>> alpha, beta = density_of_states(conduction_bands(), -0.65)
    >>> f"{alpha:.3f} {beta:.3f}, ratio {beta / alpha:.2f}"
    '0.314 0.735, ratio 2.34'
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

    Examples
    --------
    >>> from nickbook.bands import conduction_bands, density_of_states, eta_k
    >>> from nickbook.bands import weighted_density_of_states
    >>> model = conduction_bands()
    >>> weighted = weighted_density_of_states(model, -0.65, lambda k: eta_k(k) ** 2)
    >>> (weighted / density_of_states(model, -0.65)).round(3).tolist()  # averages of η²
    [0.313, 1.748]
    """
    energy = real("energy", energy, unit="eV")
    model.require_plane("density_of_states")
    totals = np.zeros(len(model.bands))
    first = 0
    for block in model.blocks:
        reach = SADDLE_DISTANCE * block.scale
        flat = block.flat_shares(energy)
        saddles = [
            band.index
            for band in block.bands
            if flat[band.index]
            or any(abs(p - energy) < reach and diverges(h) for _, p, h in band.critical_points)
        ]
        for line in block.contours(energy, saddles):
            np.add.at(totals, first + line.band, line.weights * weight(line.points))
        totals[[first + index for index in saddles]] = np.inf
        first += block.size
    return totals


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
