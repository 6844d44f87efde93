"""Tunnelling: the density of states of quasiparticles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Energy, Floats
from nickbook.bands import BlochModel, FermiSea, zone_mesh
from nickbook.checks import positive_integer, real
from nickbook.observables.gaps import Gap, GapField, finite, layer_projector, refined
from nickbook.pairing import GapFunction
from nickbook.results import Result
from nickbook.svg import COLORS, picture

#: Points of a line between which the gap is taken to be linear.
_POINTS = 1024
#: Energies when none are given, up to this multiple of the largest gap.
_ENERGIES, _REACH = 601, 1.5
#: Points of a grid of energies within the width of a Lorentzian.
_FINE = 8
#: Fewest energies that are drawn, and the largest ratio.
_DRAWN, _HIGHEST = 20, 5.0


@dataclass(frozen=True, eq=False)
class TunnellingSpectrum(Result):
    """Density of states in the superconducting state; made by `tunnelling`.

    Parameters
    ----------
    gap : GapFunction
        The gap on the Fermi sheets.
    energies : ndarray, shape (E,)
        Energies from the chemical potential in eV.
    broadening : float
        Dynes width in eV.
    densities : ndarray, shape (sheets, E)
        Density of states of each sheet in states/eV per spin and cell, or one row of all bands from
        a mesh over the zone.
    normal : ndarray, shape (sheets,)
        The same without a gap, at the level.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.observables import tunnelling
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> found = tunnelling(sea, gap=lambda k: 0.02 * eta_k(k), broadening=1e-4)
    >>> [round(1e3 * peak, 1) for peak in found.peaks()]  # where gaps are largest, in meV
    [15.8, 38.4]
    """

    gap: GapFunction
    energies: Annotated[Floats, "eV", "energy"]
    broadening: Energy
    densities: Annotated[Floats, "1/eV", "sheet", "energy"]
    normal: Annotated[Floats, "1/eV", "sheet"]

    def _words(self) -> str:
        edge = f"gaps from {1e3 * self.edge:.4g} meV, width {1e3 * self.broadening:.3g} meV"
        return f"{len(self.energies)} energies, {edge}, {self.gap!r}"

    def _picture(self) -> str:
        if len(self.energies) < _DRAWN:
            return ""
        order = np.argsort(self.energies)
        e, n = 1e3 * self.energies[order], np.minimum(self.ratio[order], _HIGHEST)
        limits = float(e[0]), float(e[-1])
        marks = [(x, f"{x:.3g}") for x in limits]
        title = f"N(E)/N up to {self.ratio.max():.3g}, E in meV"
        line = (np.stack([e, n], axis=-1), COLORS[0], "", 1.5)
        top = 1.05 * float(n.max())
        return picture(
            [line], limits, (0.0, top), size=(260, 160), marks=marks, level=1.0, title=title
        )

    @property
    def density(self) -> Floats:
        """Density of states of all sheets in states/eV per spin and cell."""
        return np.asarray(self.densities.sum(axis=0))

    @property
    def ratio(self) -> Floats:
        """Density of states over that of the normal state, as conductances are normalized."""
        return np.asarray(self.density / self.normal.sum())

    @property
    def edges(self) -> tuple[float, ...]:
        """Smallest magnitude of the gap on each sheet in eV; zero where it has nodes."""
        smallest = []
        for values in self.gap.values:
            nodal = values.min() <= 0 <= values.max()
            smallest.append(0.0 if nodal else float(np.abs(values).min()))
        return tuple(smallest)

    @property
    def edge(self) -> float:
        """Smallest gap of all sheets in eV, where the density sets in without impurities."""
        return min(self.edges)

    def peaks(self, smallest: float = 0.02) -> list[float]:
        """Positive energies in eV of the maxima of `density`, by parabolas through three energies.

        Maxima that rise less than `smallest` of the normal density above the next minimum on
        either side are left out.
        """
        smallest = real("smallest", smallest, at_least=0.0)
        here = self.energies > 0
        order = np.argsort(self.energies[here])
        e, n = self.energies[here][order], self.ratio[here][order]
        found = []
        for i in np.flatnonzero((n[1:-1] > n[:-2]) & (n[1:-1] >= n[2:])) + 1:
            higher = np.flatnonzero(n > n[i])
            left = higher[higher < i].max(initial=0)
            right = higher[higher > i].min(initial=len(n))
            floor = max(n[left:i].min(), n[i + 1 : right].min(initial=n[i + 1]))
            if n[i] - floor >= smallest:
                curve = np.polyfit(e[i - 1 : i + 2] - e[i], n[i - 1 : i + 2], 2)
                found.append(float(e[i] - curve[1] / (2 * curve[0])))
        return found


def tunnelling(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    gap: Gap,
    broadening: float,
    energies: ArrayLike | None = None,
    layer: int | None = None,
    orbitals: Sequence[int] | None = None,
    mesh: int | None = None,
) -> TunnellingSpectrum:
    r"""Density of states with a gap, as a tunnel junction sees it.

    .. math:: N(E) = \sum_\text{sheets} \int \frac{dl}{4\pi^2 |v|}\;
        \mathrm{Re}\,\frac{z}{\sqrt{z^2 - \Delta^2}} , \qquad z = |E| + i\Gamma

    The normal density of states is taken as constant over the gap, so that N(E) is even, unless a
    mesh is given.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    gap : GapFunction or callable
        The gap, as for `gap_on_sheets`.
    broadening : float
        Width Γ in eV (Dynes et al., Phys. Rev. Lett. 41, 1509 (1978)), positive.
    energies : array_like, shape (E,), optional
        Energies from the chemical potential in eV; 601 up to 1.5 times the largest gap on both
        sides when not given.
    layer : {0, 1}, optional
        Layer into which electrons tunnel; both when not given.
    orbitals : sequence of int, optional
        Orbitals of the model into which they tunnel; all when not given.
    mesh : int, optional
        Points along each direction of a sum over the whole zone, in place of the lines: with the
        bands' asymmetry, bands that miss the level, and Lorentzians of width Γ.  The spacing of
        levels, about the Fermi velocity times 2π/`mesh`, should not exceed Γ.

    Returns
    -------
    TunnellingSpectrum
        The density of states of each sheet, or of all bands from a mesh.

    Raises
    ------
    TypeError, ValueError
        As for `gap_on_sheets`, for a width that is not positive, an unknown orbital, or a layer of
        a model that does not tell its layers apart.

    Notes
    -----
    Between some thousand points of a line the gap is linear and the integral exact, so there is no
    noise at any width.  The cost is one arcsine for each point and energy, and with a mesh that of
    mesh² Bogoliubov matrices.

    Examples
    --------
    A constant gap: nothing below it, and the square root above.

    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.observables import tunnelling
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> gap = lambda k: 0.02 + 0 * k[:, 0]
    >>> found = tunnelling(sea, gap=gap, broadening=1e-9, energies=[0.01, 0.025])
    >>> found.ratio.round(4).tolist()
    [0.0, 1.6667]
    """
    sea = FermiSea.of(sea, mu)
    width = real("broadening", broadening, above=0.0, unit="eV")
    field = GapField(sea, gap)
    found = field.on_sheets
    if energies is None:
        reach = _REACH * max(float(np.abs(v).max()) for v in found.values)
        energies = np.linspace(-reach, reach, _ENERGIES)
    e = finite("energies", energies)
    z = np.abs(e) + 1j * width
    share = _share(sea.model, layer, orbitals)
    densities, normal = [], []
    for sheet, values in zip(found.sheets, found.values, strict=True):
        part = np.einsum("ka,ab,kb->k", sheet.states.conj(), share, sheet.states).real
        line = refined(sheet, values, _POINTS)
        weights = line.weights * np.maximum(refined(sheet, part, _POINTS).gap, 0.0)
        densities.append(_between(line.size, weights, z))
        normal.append(weights.sum())
    if mesh is not None:
        densities = [_over_zone(field, e, width, share, positive_integer("mesh", mesh))]
        normal = [sum(normal)]
    return TunnellingSpectrum(found, e, width, np.array(densities), np.array(normal))


def _between(size: Floats, weights: Floats, z: np.ndarray) -> Floats:
    """Integral over a closed line on which the gap is linear between points, at each z."""
    start, end = size, np.roll(size, -1)
    share = (weights + np.roll(weights, -1)) / 2
    step = end - start
    flat = np.abs(step) < 1e-7 * max(float(size.max()), 1e-300)
    angle = np.arcsin(size / z[:, None])
    slope = (np.roll(angle, -1, axis=1) - angle) / np.where(flat, 1.0, step)
    middle = (start + end) / 2
    still = 1 / np.sqrt(z[:, None] ** 2 - middle[flat] ** 2)
    slope[:, flat] = still
    return np.asarray((z[:, None] * slope).real @ share)


def _over_zone(field: GapField, energies: Floats, width: float, share: Floats, size: int) -> Floats:
    """Sum of Lorentzians of all quasiparticles, each with its particles' part of the share."""
    n = len(share)
    levels, parts = [], []
    for row in zone_mesh(size):
        level, states = field.quasiparticles(row)
        particles = states[:, :n]
        part = np.einsum("kam,ab,kbm->km", particles.conj(), share, particles, optimize=True)
        levels.append(level.ravel())
        parts.append(part.real.ravel())
    level, part = np.concatenate(levels), np.concatenate(parts)
    # Levels share their part between neighbours on a grid much finer than the width.
    step = width / _FINE
    place = (level - level.min()) / step
    below = place.astype(int)
    grid = np.bincount(below, part * (1 - place + below), minlength=int(place.max()) + 2)
    grid[1:] += np.bincount(below, part * (place - below), minlength=len(grid) - 1)[: len(grid) - 1]
    at = level.min() + step * np.arange(len(grid))
    curves = (width / np.pi) / ((energies[:, None] - at) ** 2 + width**2)
    return np.asarray(curves @ grid) / size**2


def _share(model: BlochModel, layer: int | None, orbitals: Sequence[int] | None) -> Floats:
    """Return the matrix whose average in a state is its share of a layer and of some orbitals."""
    n = len(model.orbitals)
    share = np.eye(n) if layer is None else layer_projector(model, layer)
    if orbitals is not None:
        chosen = [positive_integer("orbitals", o, at_least=0, at_most=n - 1) for o in orbitals]
        keep = np.isin(np.arange(n), chosen)
        share = np.where(np.outer(keep, keep), share, 0.0)
    return share
