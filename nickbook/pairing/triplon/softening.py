r"""What the band electrons do to a triplon: the feedback that second order leaves out.

In LK Eq. 11 the field :math:`T + T^\dagger` couples to the interband spin with the vertex
:math:`u = (f^a+f^b)/2 = 1 - \bar\kappa\,\eta_k\eta_{k'}` with the mean :math:`\bar\kappa`, and
:math:`T - T^\dagger` with :math:`w = (f^a-f^b)/2`.  In a static field the two do not mix.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea, eta_k, zone_mesh
from nickbook.checks import momenta, positive_integer, real
from nickbook.pairing.triplon.parameters import Kappa, TriplonParameters, lines_by_parity
from nickbook.papers import LK
from nickbook.results import Result


def triplon_feedback(J_H: float, polarization: ArrayLike, *, J_c: float = LK.J_c) -> Floats:
    r"""Fraction by which the bands reduce the square of the triplon energy.

    In the random-phase approximation :math:`\omega^2 = J_c^2(1 - x)` with
    :math:`x = 2J_H^2\chi/J_c`, the product of the responses of :math:`T + T^\dagger`
    (:math:`2/J_c`) and of the interband spin density :math:`s_{\alpha\beta} + s_{\beta\alpha}`
    that couples to it (:math:`\chi`).  The static pairing constant grows by :math:`1/(1 - x)`; at
    x = 1 the singlets give way to magnetic order.

    Parameters
    ----------
    J_H : float
        Hund coupling in eV.
    polarization : array_like
        Static response :math:`\chi` of one component of the interband spin density in 1/eV per
        cell, from `triplon_polarization`.  For Hund's vertex alone and the bands α, β of
        `conduction_bands` it is the element of ``bare_susceptibility(sea, ..., pairs=[(0, 1)])``.
    J_c : float
        Triplon energy without the bands in eV.

    Returns
    -------
    ndarray
        The fraction x, shaped like `polarization`.

    Raises
    ------
    TypeError, ValueError
        If `J_H` is not a finite real number, or `J_c` no positive one.

    Examples
    --------
    >>> from nickbook.pairing import triplon_feedback
    >>> x = triplon_feedback(0.4, polarization=0.5, J_c=0.288)
    >>> f"{x:.3f}, ω = {0.288 * (1 - x) ** 0.5:.3f} eV"
    '0.556, ω = 0.192 eV'
    """
    coupling, gap = real("J_H", J_H, unit="eV"), real("J_c", J_c, above=0.0, unit="eV")
    return np.asarray(2 * coupling**2 / gap * np.asarray(polarization, dtype=float))


@dataclass(frozen=True, eq=False)
class TriplonPolarization(Result):
    r"""Static response of the bands to the two parts of a triplon, by `triplon_polarization`.

    Parameters
    ----------
    q : ndarray, shape (..., 2)
        Momenta.
    real, imaginary : ndarray, shape (...)
        Response to :math:`T + T^\dagger` and to :math:`T - T^\dagger`, in 1/eV per cell for one
        component of the spin: the interband spin density with the vertices u and w.
    density_of_states : float
        :math:`\sqrt{N_\alpha N_\beta}` at the Fermi level in 1/eV per spin and cell.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_polarization
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> response = triplon_polarization(sea, q=[3.14159, 3.14159], kappa=0.75, mesh=48)
    >>> round(float(response.critical_coupling()), 1)
    0.3
    """

    q: Annotated[Floats, "1/a", "momentum", "direction"]
    real: Annotated[Floats, "1/eV", "momentum"]
    imaginary: Annotated[Floats, "1/eV", "momentum"]
    density_of_states: Annotated[float, "1/eV"]

    def critical_coupling(self, *, exchange_ratio: float = 0.0) -> Floats:
        r"""Coupling λ at which the triplon of each momentum goes soft.

        With :math:`x = \frac43 V\chi` this is :math:`\frac34\sqrt{N_\alpha N_\beta}\,
        [1 + 2(J_{ab}/J_c)(\cos q_x+\cos q_y)]/\chi`, without the bracket for
        :math:`T - T^\dagger`, which the in-plane exchange leaves alone.  It contains no J_c.

        Parameters
        ----------
        exchange_ratio : float
            J_ab/J_c, within 1/4.

        Returns
        -------
        ndarray, shape (...)
            The smaller one of both parts; infinite where there is no response.
        """
        ratio = real("exchange_ratio", exchange_ratio, above=-0.25, below=0.25)
        stiffness = 1 + 2 * ratio * np.cos(self.q).sum(axis=-1)
        response = np.maximum(self.real / stiffness, self.imaginary)
        with np.errstate(divide="ignore"):
            return np.asarray(0.75 * self.density_of_states / response)


def triplon_polarization(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    q: ArrayLike,
    kappa: Kappa = 0.0,
    temperature: float = 0.02,
    mesh: int = 96,
    shell: float = np.inf,
) -> TriplonPolarization:
    r"""Respond to a static triplon field with the bands, by the vertices of LK Eq. 11.

    .. math:: \chi_q = \frac1N \sum_k u^2_{k,k+q}\,
        \frac{f(\xi_{\beta k}) - f(\xi_{\alpha,k+q})}{\xi_{\alpha,k+q} - \xi_{\beta k}}

    for :math:`T + T^\dagger`, and with :math:`w^2` for :math:`T - T^\dagger`.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands with mirror parity, such as `conduction_bands`, and their level in eV, together or
        apart.
    q : array_like, shape (..., 2)
        Momenta of the triplon.
    kappa : float or pair of float
        As in `TriplonParameters`; zero keeps Hund's vertex alone.
    temperature : float
        Temperature of the Fermi functions in eV.
    mesh : int
        Points along each direction of the zone.
    shell : float
        Both electrons lie within this energy of the Fermi level, in eV.  LK Eq. 10 is derived
        for electrons close to it.

    Returns
    -------
    TriplonPolarization
        One entry for each momentum.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, or Fermi lines without both parities.

    Notes
    -----
    The cost is that of mesh² points for each momentum.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_polarization
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> corner = {"q": [np.pi, np.pi], "mesh": 48}
    >>> hund, both = (triplon_polarization(sea, kappa=k, **corner) for k in (0.0, 0.75))
    >>> bool(both.real > 4 * hund.real)
    True
    """
    sea = FermiSea.of(sea, mu)
    temperature = real("temperature", temperature, above=0.0, unit="eV")
    if shell != np.inf:
        real("shell", shell, above=0.0, unit="eV")
    points = momenta("q", q, 2)
    alpha, beta = (side.density_of_states for side in lines_by_parity(sea))
    k = zone_mesh(positive_integer("mesh", mesh, at_least=8)).reshape(-1, 2)
    _, even = _levels(sea, k)
    found = []
    for transfer in points.reshape(-1, 2):
        odd, _ = _levels(sea, k + transfer)
        pairs = _lindhard(even[:, :, None], odd[:, None, :], temperature)
        near = (np.abs(even)[:, :, None] < shell) & (np.abs(odd)[:, None, :] < shell)
        weight = (pairs * near).sum(axis=(1, 2)) / len(k)
        found.append([np.dot(vertex**2, weight) for vertex in _vertices(kappa, k, k + transfer)])
    values = np.array(found).T.reshape(2, *points.shape[:-1])
    return TriplonPolarization(points, values[0], values[1], float(np.sqrt(alpha * beta)))


def condensation_energy(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    angle: ArrayLike,
    q: ArrayLike,
    coupling: float,
    kappa: Kappa = 0.0,
    J_c: float = LK.J_c,
    J_ab: float = 0.0,
    temperature: float = 0.02,
    mesh: int = 96,
) -> Floats:
    r"""Energy of dimers with a static triplet part, against that of singlets, at fixed level.

    Each dimer is in the state :math:`\cos\theta\,|s\rangle + \sin\theta\,|t_n\rangle` with a
    polarization n that turns by q·r from dimer to dimer, so there is never more than one triplet:
    the hard core is kept.  It costs :math:`J_c\sin^2\theta`, and the bands feel a field
    :math:`J_H\sin2\theta` with the vertex u, in which they are diagonalized.  Where the minimum
    leaves :math:`\theta=0` the singlets are unstable; for small θ the energy is
    :math:`J_c\theta^2(1-x_q)` with the x of `triplon_feedback`.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        As for `triplon_polarization`.
    angle : array_like
        θ in radians.
    q : array_like, shape (2,)
        Momentum of the turn; at Γ and M the triplets are collinear.
    coupling : float
        λ of LK, which gives :math:`J_H^2 = 2J_cV/3`.
    kappa : float or pair of float
        As in `TriplonParameters`.
    J_c, J_ab : float
        Exchange within and between dimers in eV.
    temperature : float
        Temperature of the Fermi functions in eV.
    mesh : int
        Points along each direction of the zone.

    Returns
    -------
    ndarray
        Energy in eV per dimer, shaped like `angle`; a grand potential at a temperature.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, or Fermi lines without both parities.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import condensation_energy
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> place = {"q": (3.14, 3.14), "kappa": 0.75, "mesh": 32}
    >>> strong, weak = (
    ...     condensation_energy(sea, angle=0.3, coupling=c, **place) for c in (0.5, 0.1)
    ... )
    >>> bool(strong < 0 < weak)  # at strong coupling the singlets give way
    True
    """
    sea = FermiSea.of(sea, mu)
    J_c, J_ab = real("J_c", J_c, above=0.0, unit="eV"), real("J_ab", J_ab, unit="eV")
    hund = np.sqrt(_squared_hund(sea, coupling, J_c))
    temperature = real("temperature", temperature, above=0.0, unit="eV")
    transfer = momenta("q", q, 2)
    angles = np.asarray(angle, dtype=float)
    k = zone_mesh(positive_integer("mesh", mesh, at_least=8)).reshape(-1, 2)
    (_, even), (odd, _) = _levels(sea, k), _levels(sea, k + transfer)
    if even.shape[1] * odd.shape[1] != 1:
        raise ValueError(
            f"{sea.model.name!r} has {odd.shape[1]} odd and {even.shape[1]} even bands; "
            "allowed: one of each, such as conduction_bands()"
        )
    mean, half = (odd + even)[:, 0] / 2, (odd - even)[:, 0] / 2
    vertex = _vertices(kappa, k, k + transfer)[0]

    def bands(moment: float) -> float:
        """Grand potential: two pairs of levels (β up, α down and α up, β down) for each k."""
        split = np.hypot(half, hund * moment * vertex / 2)
        levels = np.array([mean - split, mean + split])
        return float(2 * temperature * log_expit(levels / temperature).sum() / len(k))

    moments = np.sin(2 * angles)
    gains = np.array([bands(m) for m in moments.ravel()]).reshape(angles.shape) - bands(0.0)
    # -T ln(1 + e^(-E/T)) = T ln f(-E) - with f(-E) = expit(E/T).
    planes = J_ab / 2 * np.cos(transfer).sum() * moments**2
    return np.asarray(J_c * np.sin(angles) ** 2 + planes + gains)


def triplets_of_bands(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    coupling: float,
    kappa: Kappa = 0.0,
    J_c: float = LK.J_c,
    temperature: float = 0.02,
    mesh: int = 32,
) -> float:
    r"""Triplets per dimer that the bands make of singlets, in second order of LK Eq. 11.

    An electron of β goes to an empty state of α and leaves a triplet behind, with the vertex
    :math:`f^b`, or one of α to β with :math:`f^a`:

    .. math:: n = \frac32 \frac{J_H^2}{N^2} \sum_{kk'} \frac{
        (f^b)^2 f(\xi_{\beta k})\,f(-\xi_{\alpha k'})
        + (f^a)^2 f(\xi_{\alpha k'})\,f(-\xi_{\beta k})}
        {(J_c+|\xi_{\alpha k'}|+|\xi_{\beta k}|)^2} .

    The sizes leave out triplets that heat makes.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        As for `triplon_polarization`.
    coupling : float
        λ of LK, which gives :math:`J_H^2 = 2J_cV/3`.
    kappa : float or pair of float
        As in `TriplonParameters`.
    J_c : float
        Energy of a triplet in eV.
    temperature : float
        Temperature of the Fermi functions in eV.
    mesh : int
        Points along each direction of the zone; the cost is mesh⁴.

    Returns
    -------
    float
        Triplets per dimer.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, or Fermi lines without both parities.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplets_of_bands
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> round(triplets_of_bands(sea, coupling=0.3, kappa=0.75), 2)
    0.08
    """
    sea = FermiSea.of(sea, mu)
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    squared_hund = _squared_hund(sea, coupling, J_c)
    temperature = real("temperature", temperature, above=0.0, unit="eV")
    k = zone_mesh(positive_integer("mesh", mesh, at_least=8, at_most=96)).reshape(-1, 2)
    odd, even = _levels(sea, k)
    forms = np.multiply.outer(eta_k(k), eta_k(k))  # rows α, columns β
    total = 0.0
    pair = TriplonParameters(1.0, kappa).kappa
    for kappa_of, filled, empty in zip(pair, (odd, even), (even, odd), strict=True):  # type: ignore[arg-type]
        pairs = expit(-filled / temperature)[:, None, :, None] * expit(empty / temperature)[:, None]
        cost = J_c + np.abs(empty)[None, :, None, :] + np.abs(filled)[:, None, :, None]
        total += float((((1 - kappa_of * forms) ** 2)[..., None, None] * pairs / cost**2).sum())
    return float(1.5 * squared_hund * total / len(k) ** 2)


def triplon_width(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    q: ArrayLike,
    coupling: float,
    kappa: Kappa = 0.0,
    J_c: float = LK.J_c,
    temperature: float = 0.02,
    mesh: int = 192,
    broadening: float = 0.015,
) -> Floats:
    r"""Half width of a triplon that decays into an electron and a hole, by the golden rule.

    A triplon of LK Eq. 11 lifts an electron from β to α with the vertex :math:`f^a`, or from α to β
    with :math:`f^b`.  Its amplitude then falls as :math:`e^{-\Gamma t}` with

    .. math:: \Gamma_q = \frac{\pi}{2} \frac{J_H^2}{N} \sum_k
        \left[f(\xi_{\beta k}) - f(\xi_{\alpha,k+q})\right] \left[
        (f^a)^2 \delta(J_c - \xi_{\alpha,k+q} + \xi_{\beta k})
        - (f^b)^2 \delta(J_c + \xi_{\alpha,k+q} - \xi_{\beta k})\right] .

    A mode with Γ above its energy is overdamped.  The shift of the energy is left out, see
    `triplon_feedback`.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        As for `triplon_polarization`.
    q : array_like, shape (..., 2)
        Momenta of the triplon.
    coupling : float
        λ of LK, which gives :math:`J_H^2 = 2J_cV/3`.
    kappa : float or pair of float
        As in `TriplonParameters`.
    J_c : float
        Energy of the triplon in eV.
    temperature : float
        Temperature of the Fermi functions in eV.
    mesh : int
        Points along each direction of the zone; the cost is mesh² for each momentum.
    broadening : float
        Standard deviation in eV of the Gaussian that stands for δ.

    Returns
    -------
    ndarray, shape (...)
        Γ in eV.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, or Fermi lines without both parities.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import triplon_width
    >>> sea = FermiSea.at(conduction_bands(), filling=0.9)
    >>> bool(triplon_width(sea, q=[1.77, 1.77], coupling=0.3) < 0.288)  # not overdamped
    True
    """
    sea = FermiSea.of(sea, mu)
    temperature = real("temperature", temperature, above=0.0, unit="eV")
    broadening = real("broadening", broadening, above=0.0, unit="eV")
    points = momenta("q", q, 2)
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    squared_hund = _squared_hund(sea, coupling, J_c)
    k = zone_mesh(positive_integer("mesh", mesh, at_least=8)).reshape(-1, 2)
    pair = TriplonParameters(1.0, kappa).kappa
    _, even = _levels(sea, k)
    found = []
    for transfer in points.reshape(-1, 2):
        odd, _ = _levels(sea, k + transfer)
        rises = odd[:, None, :] - even[:, :, None]
        filled = expit(-even / temperature)[:, :, None] - expit(-odd / temperature)[:, None, :]
        forms = eta_k(k) * eta_k(k + transfer)
        weight = 0.0
        for kappa_of, sign in zip(pair, (1, -1), strict=True):  # type: ignore[arg-type]
            line = np.exp(-(((J_c - sign * rises) / broadening) ** 2) / 2) * filled
            weight += sign * np.dot((1 - kappa_of * forms) ** 2, line.sum(axis=(1, 2)))
        found.append(weight / (len(k) * broadening * np.sqrt(2 * np.pi)))
    return np.asarray(np.pi / 2 * squared_hund * np.reshape(found, points.shape[:-1]))


def _squared_hund(sea: FermiSea, coupling: float, J_c: float) -> float:
    """J_H² = 2 J_c V/3 of a coupling λ in eV²."""
    coupling = real("coupling", coupling, above=0.0)
    alpha, beta = (side.density_of_states for side in lines_by_parity(sea))
    return float(2 * J_c * coupling / (3 * np.sqrt(alpha * beta)))


def _levels(sea: FermiSea, k: Floats) -> tuple[Floats, Floats]:
    """Energies of the odd and of the even bands from the Fermi level, shapes (K, bands)."""
    blocks = {block.parity: block for block in sea.model.blocks}
    return blocks[-1].energies(k) - sea.mu, blocks[1].energies(k) - sea.mu


def _vertices(kappa: Kappa, first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Vertices u and w between momenta."""
    a, b = TriplonParameters(1.0, kappa).kappa  # type: ignore[misc]
    forms = eta_k(first) * eta_k(second)
    return 1 - (a + b) / 2 * forms, -(a - b) / 2 * forms


def _lindhard(filled: Floats, empty: Floats, temperature: float) -> Floats:
    """Return [f(x) - f(y)]/(y - x), exact where the two energies meet."""
    mean, half = (filled + empty) / (2 * temperature), (empty - filled) / (2 * temperature)
    half = np.maximum(np.abs(half), 1e-5)
    # f(x) - f(y) = sinh(half)/(cosh(mean) + cosh(half))
    difference = (np.tanh((half + mean) / 2) + np.tanh((half - mean) / 2)) / 2
    return np.asarray(difference / (2 * half * temperature))
