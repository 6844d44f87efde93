"""What the band electrons do to a triplon: the polarization that second order leaves out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nickbook.bands import BlochModel, zone_mesh
from nickbook.checks import momenta, real


def interband_polarization(
    model: BlochModel,
    mu: float,
    q: npt.ArrayLike,
    *,
    temperature: float = 0.01,
    mesh: int = 128,
) -> npt.NDArray[np.float64]:
    """Find the static response of the interband spin density that couples to a triplon.

    It is the response of one component of s_alphabeta + s_betaalpha per bilayer cell, the mean
    over k of (f_beta - f_alpha)/(xi_alpha - xi_beta) with alpha at k + q and beta at k.

    Parameters
    ----------
    model : BlochModel
        Two uncoupled bands in the order alpha, beta.
    mu : float
        Chemical potential (eV).
    q : array (..., 2)
        Momentum of the triplon.
    temperature : float
        Width of the Fermi functions (eV).
    mesh : int
        Points along each direction of the zone.

    Returns
    -------
    array (...)
        Response in 1/eV.

    Raises
    ------
    ValueError
        If the model does not consist of two uncoupled bands or the temperature is not positive.
    """
    T = real("temperature", temperature, above=0, unit="eV")
    points = zone_mesh(mesh)
    if len(model.orbitals) != 2 or abs(model.hamiltonian(points)[..., 0, 1]).max() > 1e-12:
        raise ValueError("model must have two uncoupled bands, as conduction_bands() has")
    momentum = momenta("q", q, 2)
    beta = model.hamiltonian(points)[..., 1, 1].real - mu
    flat = [
        _lindhard(model.hamiltonian(points + shift)[..., 0, 0].real - mu, beta, T)
        for shift in momentum.reshape(-1, 2)
    ]
    return np.array(flat).reshape(momentum.shape[:-1])


def triplon_feedback(
    J_H: float, polarization: npt.ArrayLike, *, J_c: float = 0.288
) -> npt.NDArray[np.float64]:
    """Fraction by which the bands reduce the square of the triplon energy.

    In the random-phase approximation omega**2 = J_c**2 (1 - x) with x = 2 J_H**2 chi / J_c, the
    product of the responses of T + T+ (2/J_c) and of the interband spin (chi). The static pairing
    constant grows by 1/(1 - x); at x = 1 the singlets give way to magnetic order.

    Parameters
    ----------
    J_H : float
        Hund coupling (eV).
    polarization : array_like
        chi, from `interband_polarization`.
    J_c : float
        Triplon energy without the bands (eV).

    Returns
    -------
    array
        The fraction x.

    Raises
    ------
    ValueError
        If `J_c` is not positive.
    """
    gap = real("J_c", J_c, above=0, unit="eV")
    return np.asarray(2 * J_H**2 / gap * np.asarray(polarization, dtype=float))


def _lindhard(alpha: npt.NDArray[np.float64], beta: npt.NDArray[np.float64], T: float) -> float:
    """Mean of (f_beta - f_alpha)/(xi_alpha - xi_beta), with its limit at equal energies."""
    middle, half = (alpha + beta) / (2 * T), (alpha - beta) / (2 * T)
    # (f(m - h) - f(m + h)) / (2 h) = sinh h / (2 h (cosh m + cosh h)), safe at h = 0.
    largest = np.maximum(abs(middle), abs(half))
    small = abs(half) < 1e-6
    h = np.where(small, 1.0, half)
    top = np.exp(abs(h) - largest) - np.exp(-abs(h) - largest)
    bottom = np.exp(abs(middle) - largest) + np.exp(-abs(middle) - largest)
    bottom = bottom + np.exp(abs(half) - largest) + np.exp(-abs(half) - largest)
    ratio = np.where(small, 2 * np.exp(-largest), top / abs(h))
    return float(np.mean(ratio / bottom) / (2 * T))
