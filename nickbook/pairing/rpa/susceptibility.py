r"""Static susceptibilities of a band model: bare, and in the random-phase approximation.

For a pair of orbitals :math:`p = (a, c)` let :math:`O_p(r) = c^\dagger_{ra} c_{rc}` for one spin.
The susceptibility is the static response of this spin in a field on it,

.. math:: \chi_{pp'}(q) = \sum_r e^{-iqr} \int_0^\beta d\tau\,
    \langle O_p(r, \tau)\, O_{p'}(0, 0)^\dagger \rangle_c ,

so :math:`H' = -\sum_r \phi\, e^{iqr} O_{p'}(r)^\dagger` changes :math:`\langle O_p(r)\rangle` by
:math:`\chi_{pp'}(q)\,\phi\, e^{iqr}`.  Of free electrons it is

.. math:: \chi^0_{ac,bd}(q) = \frac1N \sum_{k,mn} \frac{f(\xi_{mk}) - f(\xi_{n,k+q})}
    {\xi_{n,k+q} - \xi_{mk}}\; u^*_{am}(k)\, u_{bm}(k)\, u_{cn}(k+q)\, u^*_{dn}(k+q)
    \quad\text{with } p = (a, c),\ p' = (b, d) ,

a Hermitian matrix without negative eigenvalues, in 1/eV per cell and per spin.  The random-phase
approximation is :math:`\chi^s = (1 - \chi^0 U^s)^{-1}\chi^0` for spin and
:math:`\chi^c = (1 + \chi^0 U^c)^{-1}\chi^0` for charge, with the vertices of `Interaction`.
"""

import logging
import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import fft2, ifft2, irfft2
from scipy.linalg import qr
from scipy.special import log_expit

from nickbook.arrays import Complexes, Energy, Floats, Integers
from nickbook.bands import BlochModel, FermiSea, zone_mesh
from nickbook.bands.lattice import in_pi
from nickbook.checks import momenta, one_of, positive_integer, real
from nickbook.pairing.interaction import Interaction, require_orbitals
from nickbook.progress import track
from nickbook.results import Result
from nickbook.svg import COLORS, picture

#: Bound on the relative error of the sum over imaginary time.
TIME_ERROR = 1e-11

_GIB = 2**30
#: GiB that the propagators may take: they are made for some times at once.
_WORKSPACE = 0.03125
#: Numbers that a block of weights for the Fourier series may hold.
_BLOCK = 2**22
_COARSE = 32
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Susceptibility(Result):
    """Static susceptibility matrices on a mesh of momenta; made by `bare_susceptibility`.

    Parameters
    ----------
    sea : FermiSea
        Bands and level.
    temperature : float
        Temperature in eV.
    pairs : ndarray of int, shape (P, 2)
        Pairs (a, c) of orbitals that number rows and columns.
    values : ndarray, shape (L, L, P, P)
        Hermitian matrices at the momenta `q`, in 1/eV per cell and per spin.
    lowest_temperature : float
        Temperature in eV below which the values depend on where the mesh points lie.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> from nickbook.pairing import bare_susceptibility
    >>> chi0 = bare_susceptibility(conduction_bands(), -0.65, temperature=0.05, mesh=32)
    >>> uniform = chi0.density_response[0, 0]
    >>> chi0.mesh, f"{uniform:.1f}"  # the density of states is 1.05/eV
    (32, '1.1')
    """

    sea: FermiSea
    temperature: Energy
    pairs: Annotated[Integers, "", "pair", "end"]
    values: Annotated[Complexes, "1/eV", "x", "y", "pair", "other pair"]
    lowest_temperature: Energy

    def _words(self) -> str:
        size = f"{len(self.pairs)} pairs of orbitals on {self.mesh} × {self.mesh} momenta"
        return f"{size}, T {self.temperature:.4g} eV, {self.sea!r}"

    def _picture(self) -> str:
        if self.mesh % 2:
            return ""
        half, strength = self.mesh // 2, np.einsum("xypp->xy", self.values).real
        ahead = np.arange(half + 1)
        ends, still = np.full(half + 1, half), np.zeros(half + 1, int)
        parts = ((ahead, still), (ends, ahead), (half - ahead, half - ahead))
        height = np.concatenate([strength[x, y] for x, y in parts])
        along = np.concatenate([ahead / half, 1 + ahead / half, 2 + 1.4142 * ahead / half])
        marks = zip((0, 1, 2, 3.4142), "ΓXMΓ", strict=True)
        line = (np.stack([along, height], axis=-1), COLORS[0], "", 1.5)
        top = 1.05 * float(height.max())
        title = f"trace, up to {height.max():.4g} / eV"
        return picture([line], (0.0, 3.4142), (0.0, top), size=(260, 160), marks=marks, title=title)

    @property
    def mesh(self) -> int:
        """Points of the mesh along each direction."""
        return len(self.values)

    @property
    def q(self) -> Floats:
        """Momenta of the mesh, those of ``zone_mesh(L)``, shape (L, L, 2)."""
        return zone_mesh(self.mesh)

    @property
    def mesh_error(self) -> float:
        """Estimate of the relative error of the mesh, exp(-T / `lowest_temperature`)."""
        lowest = self.lowest_temperature
        return math.exp(-self.temperature / lowest) if lowest else 0.0

    @property
    def density_response(self) -> Floats:
        """Response of the whole density of a spin to a uniform field on all orbitals, (L, L)."""
        same = self.pairs[:, 0] == self.pairs[:, 1]
        return np.asarray(self.values[:, :, same][..., same].sum(axis=(-2, -1)).real)

    def restricted(self, pairs: str | ArrayLike) -> "Susceptibility":
        """Rows and columns of some of the pairs, named as in `bare_susceptibility`.

        Raises ValueError if one of them is not among those here.
        """
        chosen = orbital_pairs(self.sea.model, pairs)
        computed = self.pairs.tolist()
        missing = [tuple(pair) for pair in chosen.tolist() if pair not in computed]
        if missing:
            raise ValueError(f"pairs {missing} are not among those computed; compute them first")
        rows = [computed.index(pair) for pair in chosen.tolist()]
        return replace(self, pairs=chosen, values=self.values[:, :, rows][..., rows])

    def on(self, q: ArrayLike) -> Complexes:
        """Matrices at any momenta (..., 2) by the Fourier series through the mesh, (..., P, P).

        At mesh points they are `values`, between them the error is `mesh_error`.  The cost is one
        sum over the mesh for each momentum.
        """
        points = momenta("q", q, 2)
        values = self.values.reshape(self.mesh**2, -1)
        blocks = np.array_split(points.reshape(-1, 2), 1 + points.size * len(values) // _BLOCK)
        parts = track(blocks, "susceptibility between mesh points")
        sums = np.concatenate([self._shares(block) @ values for block in parts])
        return sums.reshape(*points.shape[:-1], *self.values.shape[2:])

    def _shares(self, points: Floats) -> Floats:
        """Weights of the mesh points in the Fourier series at some momenta, shape (Q, L²)."""
        size = self.mesh
        away = points[:, :, None] / (2 * np.pi) - np.arange(size) / size
        away -= np.rint(away)
        shares = np.sinc(size * away) / np.sinc(away)
        if size % 2 == 0:
            # The mesh knows the sum of the coefficients at ±L/2 only: half of it goes to each.
            shares *= np.cos(np.pi * away)
        x, y = shares.swapaxes(0, 1)
        weights: Floats = x[:, :, None] * y[:, None, :]
        return weights.reshape(len(points), -1)


@dataclass(frozen=True, eq=False)
class StonerPoint(Result):
    """Where the susceptibility of the random-phase approximation diverges first.

    Parameters
    ----------
    channel : str
        "spin" or "charge".
    scale : float
        Factor on the interaction at which it happens; infinite if it never does.
    q : tuple of float
        Momentum of the mesh at which it happens.
    vector : ndarray, shape (P,)
        What orders: normalized averages of the pairs, with the largest component positive.
    strengths : ndarray, shape (L, L)
        Largest eigenvalue of the susceptibility times the vertex (minus it for charge) at scale 1.

    Examples
    --------
    >>> from nickbook.bands import conduction_bands
    >>> from nickbook.pairing import bare_susceptibility, kanamori, stoner_point
    >>> chi0 = bare_susceptibility(conduction_bands(), -0.65, temperature=0.05, mesh=32)
    >>> point = stoner_point(chi0, kanamori((0, 1), U=1.0, J=0.0))
    >>> point.channel, round(float(point.scale * point.strengths.max()), 9)
    ('spin', 1.0)
    """

    channel: str
    scale: float
    q: Annotated[tuple[float, float], "1/a"]
    vector: Annotated[Complexes, "", "pair"]
    strengths: Annotated[Floats, "", "x", "y"]

    def _words(self) -> str:
        where = f"at {self.scale:.4g} times the interaction, q {in_pi(self.q)}"
        size = f"{len(self.strengths)} × {len(self.strengths)} momenta"
        return f"{self.channel}, {where if math.isfinite(self.scale) else 'never'}, {size}"


def orbital_pairs(model: BlochModel, pairs: str | ArrayLike = "on-site") -> Integers:
    """Pairs of orbitals that number the rows of a susceptibility.

    Parameters
    ----------
    model : BlochModel
        The bands, with `sites` for "on-site".
    pairs : {"on-site", "density", "all"} or array_like of int, shape (P, 2)
        "on-site": all pairs on a common site, and all pairs where the model names no sites;
        "density": each orbital with itself; "all": also pairs between sites.

    Returns
    -------
    ndarray of int, shape (P, 2)
        The pairs.

    Raises
    ------
    ValueError
        For an unknown word, an orbital that does not exist, or a pair that comes twice.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import orbital_pairs
    >>> [len(orbital_pairs(four_band(), pairs)) for pairs in ("density", "on-site", "all")]
    [4, 8, 16]
    """
    n = len(model.orbitals)
    if isinstance(pairs, str):
        one_of("pairs", pairs, ("on-site", "density", "all"))
        sites = model.sites if pairs == "on-site" else tuple(range(n)) if pairs == "density" else ()
        together = np.equal.outer(sites, sites) if sites else np.ones((n, n), bool)
        return np.argwhere(together)
    chosen = np.asarray(pairs)
    fits = chosen.ndim == 2 and chosen.shape[1] == 2 and len(chosen) > 0
    if not fits or chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < n)).all():
        raise ValueError(f"pairs = {pairs!r}; allowed: whole numbers of shape (P, 2) below {n}")
    if len(np.unique(chosen, axis=0)) != len(chosen):
        raise ValueError(f"pairs = {chosen.tolist()} name a pair twice; name it once")
    return chosen.astype(np.int64)


def bare_susceptibility(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    temperature: float,
    mesh: int,
    pairs: str | ArrayLike = "on-site",
) -> Susceptibility:
    r"""Compute the static susceptibility of free electrons at all momenta of a mesh.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Any bands in two dimensions and their level in eV, together or apart.
    temperature : float
        Temperature in eV.
    mesh : int
        Points L along each direction, for k and q alike.
    pairs : {"on-site", "density", "all"} or array_like of int, shape (P, 2)
        Pairs of orbitals, see `orbital_pairs`.

    Returns
    -------
    Susceptibility
        Matrices in 1/eV per cell and per spin, as defined at the top of this module.

    Raises
    ------
    ValueError
        If the model has three dimensions, the temperature is not positive or too low for the mesh,
        or pairs do not exist.

    Notes
    -----
    The ratio of Fermi functions is an integral over imaginary time, in which the double sum over
    k and k + q becomes a convolution:

    .. math:: \chi^0_{ac,bd}(r) = \int_0^\beta d\tau\, A_{cd}(r, \tau)\, A_{ab}(r, \beta-\tau)^*,
        \qquad A(k, \tau) = \sum_n u_n(k) u_n(k)^\dagger \frac{e^{-\xi_n\tau}}{1+e^{-\beta\xi_n}} .

    M times, some log(β × bandwidth) and about 60 for the four-band model at 5 meV, take every term
    of the sum to a relative error below `TIME_ERROR`.  For P pairs of n orbitals the cost is
    O(M L² (n² log L + P²)), that of the double sum O(L⁴ n² P²).  When it takes more than 1 GiB,
    the log says so in advance.  Sums over a mesh err by up to exp(-T/T₀), with the lowest
    temperature T₀ = v/(πL) for the largest velocity v near the Fermi level.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import bare_susceptibility
    >>> chi = bare_susceptibility(four_band(), 10.0585, temperature=0.05, mesh=32)
    >>> chi.values.shape
    (32, 32, 8, 8)
    """
    sea = FermiSea.of(sea, mu)
    sea.model.require_plane("bare_susceptibility")
    temperature = real("temperature", temperature, above=0.0, unit="eV")
    size = positive_integer("mesh", mesh)
    chosen = orbital_pairs(sea.model, pairs)
    lowest = _lowest_temperature(sea, temperature, size)
    if temperature < lowest:
        raise ValueError(
            f"temperature = {temperature} eV is below the lowest one, {lowest:.2g} eV, that "
            f"mesh = {size} resolves; allowed: mesh >= {math.ceil(size * lowest / temperature)}, "
            "or a higher temperature"
        )
    if (memory := _memory(sea.model, size, chosen)) > 1:
        message = "bare_susceptibility: up to %.1f GiB for %d² momenta and %d pairs"
        _LOGGER.warning(message, memory, size, len(chosen))
    values = _hermitian(_Lines(sea, temperature, size).bubble(chosen))
    values /= temperature
    return Susceptibility(sea, temperature, chosen, values, lowest)


def rpa_susceptibility(
    chi0: Susceptibility, interaction: Interaction, channel: str = "spin"
) -> Susceptibility:
    """Susceptibility in the random-phase approximation.

    Parameters
    ----------
    chi0 : Susceptibility
        Bare susceptibility with all pairs that the interaction acts on.
    interaction : Interaction
        Interaction inside a cell, such as `kanamori`.
    channel : {"spin", "charge"}
        Both spins in opposite fields, or in the same field.

    Returns
    -------
    Susceptibility
        Response of one spin, in 1/eV per cell: twice that of S_z, or half of that of the charge.

    Raises
    ------
    ValueError
        If the interaction is beyond the Stoner point, or acts on pairs that are missing.

    Examples
    --------
    Stoner's enhancement, for layers apart that are one band each:

    >>> from nickbook.bands import bilayer_hubbard
    >>> from nickbook.pairing import bare_susceptibility, kanamori, rpa_susceptibility
    >>> chi0 = bare_susceptibility(bilayer_hubbard(0.0), -0.5, temperature=0.2, mesh=16)
    >>> chi = rpa_susceptibility(chi0, kanamori((0, 1), U=1.0, J=0.0))
    >>> bare, enhanced = (float(x.density_response[0, 0]) / 2 for x in (chi0, chi))
    >>> round(enhanced * (1 - 1.0 * bare) / bare, 9)
    1.0
    """
    strongest = float(stoner_point(chi0, interaction, channel).strengths.max())
    if strongest >= 1:
        raise ValueError(
            f"the {channel} channel orders: the largest eigenvalue is {strongest:.4g}; "
            f"allowed: below 1, an interaction scaled by less than {1 / strongest:.4g}"
        )
    vertex, one = _signed_vertex(chi0, interaction, channel), np.eye(len(chi0.pairs))
    values = np.empty_like(chi0.values)
    for row, bare in zip(values, track(chi0.values, f"RPA, {channel}"), strict=True):
        dressed = np.linalg.solve(one - bare @ vertex, bare)
        row[:] = (dressed + dressed.conj().swapaxes(-1, -2)) / 2
    return replace(chi0, values=values)


def stoner_point(
    chi0: Susceptibility, interaction: Interaction, channel: str = "spin"
) -> StonerPoint:
    """Scale of an interaction at which a susceptibility first diverges.

    Parameters
    ----------
    chi0, interaction, channel : Susceptibility, Interaction, str
        As for `rpa_susceptibility`.  With ``kanamori(sites, U=1, J=0.1)`` the scale is the
        critical U in eV at J/U = 0.1.

    Returns
    -------
    StonerPoint
        The scale, with momentum and eigenvector.

    Raises
    ------
    ValueError
        If the interaction acts on pairs that `chi0` leaves out.

    Examples
    --------
    Layers apart at half filling order at (π, π):

    >>> import numpy as np
    >>> from nickbook.bands import bilayer_hubbard
    >>> from nickbook.pairing import bare_susceptibility, kanamori, stoner_point
    >>> chi0 = bare_susceptibility(bilayer_hubbard(0.0), 0.0, temperature=0.2, mesh=16)
    >>> point = stoner_point(chi0, kanamori((0, 1), U=1.0, J=0.0))
    >>> [round(x / np.pi, 6) for x in point.q], round(point.scale, 2)  # the critical U over t
    ([1.0, 1.0], 1.97)
    """
    vertex = _signed_vertex(chi0, interaction, channel)
    rows = track(chi0.values, f"Stoner point, {channel}")
    values = np.array([_strengths(row, vertex)[0] for row in rows])
    strengths = values[..., -1]
    # Symmetry makes maxima come in stars: of values equal up to rounding take the first.
    highest, rounding = strengths.max(), 1e-12 * np.abs(values).max()
    place = np.argmax(strengths.ravel() >= highest - 1e-9 * abs(highest))
    i, j = (int(x) for x in np.unravel_index(place, strengths.shape))
    vector = _strengths(chi0.values[i, j], vertex)[1][:, -1]
    vector = vector / np.linalg.norm(vector)
    largest = vector[np.argmax(np.abs(vector) > np.abs(vector).max() - 1e-9)]
    scale = 1 / float(highest) if highest > rounding else math.inf
    qx, qy = chi0.q[i, j].tolist()
    return StonerPoint(channel, scale, (qx, qy), vector * abs(largest) / largest, strengths)


class _Lines:
    """Propagators of a sea on one mesh, from k to r."""

    def __init__(self, sea: FermiSea, temperature: float, size: int) -> None:
        model = sea.model
        # Real hoppings make propagators real in space: half of the zone suffices.
        self._real = not model.hoppings.imag.any()
        self._kind = float if self._real else complex
        self._size, n = size, len(model.orbitals)
        k = zone_mesh(size)[:, : size // 2 + 1 if self._real else size]
        energies, vectors = model.states(k)
        self._energies = np.moveaxis((energies - sea.mu) / temperature, -1, 0)
        self._bandwidth = float(np.ptp(energies)) / temperature
        self._upper = np.triu_indices(n)
        self._vectors = np.moveaxis(vectors, (-1, -2), (0, 1))

    def propagators(self, times: Floats) -> Floats | Complexes:
        """A(r, τ) for times in units of β, shape (n, n, times, L, L)."""
        size = self._size
        lines = np.zeros((len(self._upper[0]), len(times), *self._energies.shape[1:]), complex)
        for x, vector in zip(self._energies, self._vectors, strict=True):
            occupied = np.exp(log_expit(x) - times[:, None, None] * x)
            for line, a, b in zip(lines, *self._upper, strict=True):
                line += vector[a] * vector[b].conj() * occupied
        inverse = irfft2 if self._real else ifft2
        upper = inverse(lines, s=(size, size), overwrite_x=True)
        # A(k) is Hermitian, so the other half is the conjugate at -r.
        n, back = len(self._energies), -np.arange(size)
        found = np.empty((n, n, len(times), size, size), self._kind)
        for element, a, b in zip(upper, *self._upper, strict=True):
            found[b, a] = element[:, back[:, None], back].conj()
            found[a, b] = element
        return found

    def bubble(self, pairs: Integers) -> list[Floats | Complexes]:
        """χ(r)/β of each pair with itself and those before it: P arrays, of shape (≤ P, L, L)."""
        times, weights = _time_nodes(self._bandwidth)
        each = 2 * 4 * 16 * self._size**2 * len(self._energies) ** 2 / _GIB
        chunks = min(len(times), max(1, math.ceil(len(times) * each / _WORKSPACE)))
        rows = range(1, len(pairs) + 1)
        product = [np.zeros((row, self._size, self._size), self._kind) for row in rows]
        for part in track(np.array_split(np.arange(len(times)), chunks), "susceptibility"):
            # In this order the times β - τ are the times τ backwards.
            both = np.concatenate([times[part], 1 - times[part[::-1]]])
            ahead = self.propagators(both)
            back = ahead[:, :, ::-1].conj()
            share = np.concatenate([weights[part], weights[part[::-1]]])
            ahead = ahead * share[:, None, None]
            for row, (a, c) in enumerate(pairs):
                for column, (b, d) in enumerate(pairs[: row + 1]):
                    product[row][column] += np.einsum("txy,txy->xy", ahead[c, d], back[a, b])
        return product


def _time_nodes(scale: float) -> tuple[Floats, Floats]:
    """Return nodes in (0, 1/2) and weights to integrate exp(-yτ) + exp(-y(1-τ)) for |y| <= scale.

    Gauss-Legendre points on panels that halve towards zero integrate these functions exactly.  A
    pivoted QR factorization keeps as many of them as there are independent functions.
    """
    node, share = np.polynomial.legendre.leggauss(12)
    edges = np.append(0.0, 0.5 ** np.arange(math.ceil(math.log2(max(scale, 2.0))) + 1, 0, -1))
    half = np.diff(edges)[:, None] / 2
    times = (edges[:-1, None] + half * (1 + node)).ravel()
    weights = (half * share).ravel()
    y = np.append(0.0, np.geomspace(0.03, max(scale, 1.0), 25 * len(edges)))[:, None]
    norm = np.divide(y, -np.expm1(-y), out=np.ones_like(y), where=y > 0)
    family = norm * (np.exp(-y * times) + np.exp(-y * (1 - times))) * weights
    triangle, order = qr(family, mode="r", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    kept = order[: int((sizes > 1e-12 * sizes[0]).sum())]
    factors = np.linalg.lstsq(family[:, kept], np.ones(len(y)), rcond=None)[0]
    return times[kept], weights[kept] * factors


def _lowest_temperature(sea: FermiSea, temperature: float, size: int) -> float:
    """Distance of the Matsubara poles, v/(πL), at which the error of the mesh reaches exp(-1)."""
    fastest = 0.0
    for band in sea.model.bands:
        energy, velocity = band.energy_and_velocity(zone_mesh(_COARSE))
        speed = np.linalg.norm(velocity, axis=-1)
        near = np.abs(energy - sea.mu) < np.pi * temperature + speed * np.pi / _COARSE
        fastest = max(fastest, float(speed.max(where=near, initial=0.0)))
    return fastest / (np.pi * size)


def _hermitian(product: list[Floats | Complexes]) -> Complexes:
    """Matrices in momentum space, shape (L, L, P, P), from their lower halves in real space."""
    size, count = product[0].shape[-1], len(product)
    values = np.empty((size, size, count, count), complex)
    for row in reversed(range(count)):
        values[..., row, : row + 1] = np.moveaxis(fft2(product.pop()), 0, -1)
        values[..., :row, row] = values[..., row, :row].conj()
        values[..., row, row].imag = 0.0
    return values


def _memory(model: BlochModel, size: int, pairs: Integers) -> float:
    """GiB that a bare susceptibility takes at most: result, its form in real space, states."""
    n, count = len(model.orbitals), len(pairs)
    return _WORKSPACE + 16 * size**2 * (1.5 * count**2 + 2 * count + 8 * n**2) / _GIB


def _signed_vertex(chi0: Susceptibility, interaction: Interaction, channel: str) -> Floats:
    require_orbitals(interaction, chi0.sea.model)
    vertex = interaction.vertex(channel, chi0.pairs)
    return vertex if channel == "spin" else -vertex


def _strengths(values: Complexes, vertex: Floats) -> tuple[Floats, Complexes]:
    """Ascending eigenvalues and eigenvectors of the susceptibility times the vertex."""
    root = square_roots(values)
    found, vectors = np.linalg.eigh(root.conj().swapaxes(-1, -2) @ vertex @ root)
    return found, root @ vectors


def square_roots(matrices: Complexes) -> Complexes:
    """Return r with r r† equal to Hermitian matrices without negative eigenvalues."""
    squares, modes = np.linalg.eigh(matrices)
    return np.asarray(modes * np.sqrt(np.clip(squares, 0, None))[..., None, :])
