"""Formulas of LK Eqs. 3, 10 and 13, as printed and as the matrices of `virtual` derive them.

Common parametrization: the molecular levels of the dimer lie at -E_a and -E_b = -(E_a + 2 t_c)
below the Fermi energy, that is, the z level is at -(E_a + t_c).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from nickbook.arrays import Energy, Floats
from nickbook.bands import eta_k
from nickbook.checks import momenta, one_of, real
from nickbook.dimers.hubbard import HubbardDimer
from nickbook.dimers.virtual import kondo_weights, self_energy_weights, virtual_energies
from nickbook.papers import LK
from nickbook.results import Result

Variant = Literal["printed", "heisenberg", "hubbard"]
VARIANTS = ("printed", "heisenberg", "hubbard")


@dataclass(frozen=True)
class SelfEnergies(Result):
    """Coefficients of eta_k**2 in the two conduction bands.

    Parameters
    ----------
    alpha, beta : float
        Coefficient in the odd and in the even band (eV).

    Examples
    --------
    >>> from nickbook.dimers import self_energies
    >>> epsilon = self_energies(t_xz=0.24, E_a=0.5)
    >>> f"{epsilon.alpha:.2f} {epsilon.beta:.2f}"  # LK print 0.4 and 0.1
    '0.42 0.10'
    """

    alpha: Energy
    beta: Energy


@dataclass(frozen=True)
class KondoCouplings(Result):
    """Coefficients of eta_k eta_k' with T and T+ in LK Eq. 9.

    Parameters
    ----------
    a, b : float
        J_K^a, which goes with T, and J_K^b, which goes with T+ (eV).

    Examples
    --------
    >>> from nickbook.dimers import kondo_couplings
    >>> couplings = kondo_couplings(t_xz=0.24, E_a=0.5)
    >>> f"{couplings.a / couplings.b:.2f}"
    '2.96'
    """

    a: Energy
    b: Energy


@dataclass(frozen=True)
class Hybridization(Result):
    """Level depth and hopping that give a pair of band coefficients.

    Parameters
    ----------
    E_a : float
        Depth of the antibonding level (eV).
    t_xz : float
        In-plane hopping between z and x orbitals (eV).

    Examples
    --------
    >>> from nickbook.dimers import hybridization_from_bands
    >>> found = hybridization_from_bands(0.4, 0.1)
    >>> f"E_a = {found.E_a:.3f} eV, t_xz = {found.t_xz:.3f} eV"
    'E_a = 0.525 eV, t_xz = 0.241 eV'
    """

    E_a: Energy
    t_xz: Energy


def self_energies(
    *, t_xz: float, E_a: float, t_c: float = LK.t_c, U: float = LK.U, variant: Variant = "printed"
) -> SelfEnergies:
    """Band shifts epsilon_alpha, epsilon_beta of LK Eq. 3.

    Parameters
    ----------
    t_xz : float
        In-plane hopping between z and x orbitals (eV).
    E_a : float
        Depth of the antibonding level; E_b = E_a + 2 t_c.
    t_c, U : float
        Interlayer hopping and repulsion of the z orbitals (eV).
    variant : {"printed", "heisenberg", "hubbard"}
        "printed" is Eq. 3. The others are second-order perturbation theory on a dimer
        singlet: "heisenberg" with half an electron per spin in b and in a and no exchange
        energy in the denominators; "hubbard" with the exact two-site ground state.

    Returns
    -------
    SelfEnergies
        Coefficients of eta_k**2 in alpha and beta.

    Raises
    ------
    ValueError
        If an energy is out of range or `variant` unknown.

    Examples
    --------
    >>> from nickbook.dimers import self_energies
    >>> printed = self_energies(t_xz=0.24, E_a=0.5)
    >>> derived = self_energies(t_xz=0.24, E_a=0.5, variant="heisenberg")
    >>> printed.alpha > printed.beta, derived.alpha > derived.beta
    (True, False)
    """
    strength = 4 * real("t_xz", t_xz, unit="eV") ** 2
    if one_of("variant", variant, VARIANTS) == "printed":
        depths = E_a, _lower_level(E_a, t_c, U)
        return SelfEnergies(*(strength * (1 / E - 1 / (E + U)) for E in depths))
    occupation, energies, _ = _virtual(E_a, t_c, U, variant)
    weights = self_energy_weights(occupation)
    sums = {band: sum(w / energies[m] for m, w in weights[band].items()) for band in weights}
    return SelfEnergies(strength * sums["alpha"], strength * sums["beta"])


def kondo_couplings(
    *, t_xz: float, E_a: float, t_c: float = LK.t_c, U: float = LK.U, variant: Variant = "printed"
) -> KondoCouplings:
    """Kondo exchange constants J_K^a, J_K^b of LK Eq. 10.

    Parameters
    ----------
    t_xz, E_a, t_c, U : float
        As in `self_energies`.
    variant : {"printed", "heisenberg", "hubbard"}
        "printed" is Eq. 10; the others as in `self_energies`. In "hubbard" each denominator
        is averaged (inverse) over the singlet and the triplet end of the process.

    Returns
    -------
    KondoCouplings
        J_K^a and J_K^b.

    Raises
    ------
    ValueError
        If an energy is out of range or `variant` unknown.

    Examples
    --------
    >>> from nickbook.dimers import kondo_couplings
    >>> couplings = kondo_couplings(t_xz=0.24, E_a=0.5)
    >>> round(couplings.a, 3), round(couplings.b, 3)
    (0.503, 0.17)
    """
    strength = 4 * real("t_xz", t_xz, unit="eV") ** 2
    if one_of("variant", variant, VARIANTS) == "printed":
        depths = E_a, _lower_level(E_a, t_c, U)
        return KondoCouplings(*(strength * (1 / E + 1 / (E + U)) for E in depths))
    occupation, singlet, triplet = _virtual(E_a, t_c, U, variant)
    inverse = {m: (1 / singlet[m] + 1 / triplet[m]) / 2 for m in singlet}
    weights = kondo_weights(occupation)
    sums = {term: sum(w * inverse[m] for m, w in weights[term].items()) for term in weights}
    return KondoCouplings(strength * sums["a"], strength * sums["b"])


def pairing_constant(
    J_H: float,
    *,
    J_c: float = 0.3,
    channel: Literal["singlet", "triplet"] = "singlet",
    transfer: float = 0.0,
) -> float:
    """Pairing constant V of LK Eqs. 12-13; positive repels.

    V couples alpha and beta pairs as (1/N) sum_kk' V f^a f^b over the N dimers (k points of
    the bilayer cell).

    Parameters
    ----------
    J_H : float
        Hund coupling (eV).
    J_c : float
        Triplon energy (eV).
    channel : {"singlet", "triplet"}
        3 J_H**2 / (2 J_c) as printed, or -1/3 of it for a spin triplet, whose odd part of
        f^a f^b vanishes because eta_k is even.
    transfer : float
        Energy an electron loses or gains on its way between the bands (eV); 0 is the
        printed, unretarded value, otherwise V J_c**2 / (J_c**2 - transfer**2).

    Returns
    -------
    float
        V in eV.

    Raises
    ------
    ValueError
        If `J_c` is not positive, `transfer` not below it, or `channel` unknown.

    Examples
    --------
    >>> from nickbook.dimers import pairing_constant
    >>> round(pairing_constant(0.4, J_c=0.3), 6)
    0.8
    """
    J_H = real("J_H", J_H, unit="eV")
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    transfer = real("transfer", transfer, above=-J_c, below=J_c, unit="eV")
    factors = {"singlet": 1.5, "triplet": -0.5}
    factor = factors[one_of("channel", channel, tuple(factors))]
    return factor * J_H**2 * J_c / (J_c**2 - transfer**2)


def pairing_enhancement(q: ArrayLike, *, J_c: float = LK.J_c, J_ab: float = LK.J_ab) -> Floats:
    """Ratio V(q)/V = (J_c/omega_q)**2 that triplon dispersion gives when f^a = f^b = 1.

    One power of 1/omega_q is the denominator, the other the intensity with which harmonic
    fluctuations dress T + T+.

    Parameters
    ----------
    q : array_like, shape (..., 2)
        Momentum transfer k' - k.
    J_c, J_ab : float
        Interlayer and in-plane exchange (eV).

    Returns
    -------
    ndarray, shape (...)
        The ratio; 1 for triplons without dispersion.

    Raises
    ------
    ValueError
        If `q` has no pairs on its last axis, `J_c` is not positive or `J_ab` not within J_c/4.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import pairing_enhancement
    >>> pairing_enhancement([[np.pi, np.pi], [np.pi, 0.0]]).round(3).tolist()
    [1.333, 1.0]
    """
    J_c = real("J_c", J_c, above=0.0, unit="eV")
    J_ab = real("J_ab", J_ab, above=-J_c / 4, below=J_c / 4, unit="eV")
    return np.asarray(1 / (1 + 2 * J_ab / J_c * np.cos(momenta("q", q, 2)).sum(axis=-1)))


def dispersive_kernel(
    k: ArrayLike,
    p: ArrayLike,
    *,
    kappa: float | tuple[float, float],
    J_c: float = LK.J_c,
    J_ab: float = LK.J_ab,
) -> Floats:
    """Ratio V_kp/V of LK Eq. 13 for triplons that move from dimer to dimer.

    The exchange in the plane couples T + T+ of neighbours and leaves T - T+ alone, so that of
    f^a T + f^b T+ = u (T + T+) + w (T - T+) the first part alone is enhanced:
    V_kp/V = u**2 r - w**2 with r from `pairing_enhancement`, u = 1 - (kappa_a + kappa_b) eta eta/2
    and w = -(kappa_a - kappa_b) eta eta/2. Without dispersion r = 1 and u**2 - w**2 = f^a f^b.

    Parameters
    ----------
    k, p : array_like, shape (..., 2)
        Momenta of the two pairs, broadcast against each other.
    kappa : float or pair of float
        kappa_a and kappa_b; a single number stands for two equal ones.
    J_c, J_ab : float
        Interlayer and in-plane exchange (eV).

    Returns
    -------
    ndarray, shape (...)
        The ratio in the harmonic theory of the triplons; what it leaves out is of order
        (J_ab/J_c)**2.

    Raises
    ------
    ValueError
        If a shape or parameter is not as stated.

    Examples
    --------
    >>> float(dispersive_kernel([0.0, np.pi], [0.0, np.pi], kappa=0.5, J_ab=0.0))
    1.0
    """
    k, p = momenta("k", k, 2), momenta("p", p, 2)
    a, b = (real("kappa", x) for x in np.broadcast_to(kappa, 2).tolist())
    forms = eta_k(k) * eta_k(p)
    enhancement = pairing_enhancement(p - k, J_c=J_c, J_ab=J_ab)
    return np.asarray((1 - (a + b) / 2 * forms) ** 2 * enhancement - ((a - b) / 2 * forms) ** 2)


def hund_coupling(couplings: KondoCouplings, *, kappa: float = 0.75) -> float:
    """Hund coupling for which sqrt(J_K^a J_K^b)/J_H takes the given value.

    Parameters
    ----------
    couplings : KondoCouplings
        J_K^a and J_K^b, both positive.
    kappa : float
        The wanted sqrt(kappa_a kappa_b).

    Returns
    -------
    float
        J_H in eV.

    Raises
    ------
    ValueError
        If `kappa` or a coupling is not positive.

    Examples
    --------
    >>> from nickbook.dimers import hund_coupling, kondo_couplings
    >>> couplings = kondo_couplings(t_xz=0.24, E_a=0.5)
    >>> J_H = hund_coupling(couplings, kappa=0.75)
    >>> round((couplings.a * couplings.b) ** 0.5 / J_H, 9)
    0.75
    """
    kappa = real("kappa", kappa, above=0.0)
    for name, value in (("a", couplings.a), ("b", couplings.b)):
        real(f"J_K^{name}", value, above=0.0, unit="eV")
    return float(np.sqrt(couplings.a * couplings.b) / kappa)


def hybridization_from_bands(
    epsilon_alpha: float,
    epsilon_beta: float,
    *,
    t_c: float = LK.t_c,
    U: float = LK.U,
    variant: Variant = "printed",
) -> Hybridization:
    """Level depth and hopping for which Eq. 3, or its derived form, gives two coefficients.

    Parameters
    ----------
    epsilon_alpha, epsilon_beta : float
        Wanted coefficients of eta_k**2 (eV), positive.
    t_c, U : float
        As in `self_energies`.
    variant : {"printed", "heisenberg", "hubbard"}
        As in `self_energies`.

    Returns
    -------
    Hybridization
        E_a and t_xz.

    Raises
    ------
    ValueError
        When no level depth gives this ratio.

    Examples
    --------
    Back to the coefficients that LK print, 0.4 and 0.1 eV:

    >>> from nickbook.dimers import hybridization_from_bands, self_energies
    >>> found = hybridization_from_bands(0.4, 0.1)
    >>> epsilon = self_energies(t_xz=found.t_xz, E_a=found.E_a)
    >>> round(epsilon.alpha, 6), round(epsilon.beta, 6)
    (0.4, 0.1)
    """
    epsilon_alpha = real("epsilon_alpha", epsilon_alpha, above=0.0, unit="eV")
    epsilon_beta = real("epsilon_beta", epsilon_beta, above=0.0, unit="eV")

    def mismatch(depth: float) -> float:
        unit = self_energies(t_xz=0.5, E_a=depth, t_c=t_c, U=U, variant=variant)
        return unit.alpha * epsilon_beta - unit.beta * epsilon_alpha

    # Beyond U the level is no longer singly occupied; printed formulas allow any depth.
    deepest = U - 2 * t_c if variant != "printed" else 20 * U
    depths = np.geomspace(1e-3, deepest * (1 - 1e-9), 400)
    signs = np.sign([mismatch(x) for x in depths])
    for i in np.flatnonzero(signs[1:] * signs[:-1] < 0):
        depth = float(brentq(mismatch, depths[i], depths[i + 1], xtol=1e-14))
        unit = self_energies(t_xz=0.5, E_a=depth, t_c=t_c, U=U, variant=variant).alpha
        if unit > 0:
            return Hybridization(depth, float(np.sqrt(epsilon_alpha / unit) / 2))
    raise ValueError(
        f"epsilon_alpha/epsilon_beta = {epsilon_alpha / epsilon_beta:.3g}: no level depth in "
        f"(0, {deepest:.3g}) gives this ratio in the {variant!r} variant"
    )


def hybridization_for_splitting(
    splitting: float,
    *,
    E_a: float,
    t_c: float = LK.t_c,
    U: float = LK.U,
    variant: Variant = "printed",
) -> float:
    """Hopping t_xz that gives a splitting |epsilon_alpha - epsilon_beta| at a level depth.

    Only this difference is visible in the bands: eta_k**2 = 1 - 2 gamma_2k + gamma_3k, so a
    shift common to both bands is absorbed by t_2, t_3 and the chemical potential of LK Eq. 5.

    Parameters
    ----------
    splitting : float
        The wanted difference (eV), positive.
    E_a, t_c, U : float
        As in `self_energies`.
    variant : {"printed", "heisenberg", "hubbard"}
        As in `self_energies`.

    Returns
    -------
    float
        t_xz in eV.

    Raises
    ------
    ValueError
        If an energy is out of range or `variant` unknown.

    Examples
    --------
    >>> from nickbook.dimers import hybridization_for_splitting, self_energies
    >>> t_xz = hybridization_for_splitting(0.3, E_a=0.5)
    >>> shifts = self_energies(t_xz=t_xz, E_a=0.5)
    >>> round(t_xz, 3), round(shifts.alpha - shifts.beta, 9)
    (0.233, 0.3)
    """
    splitting = real("splitting", splitting, above=0.0, unit="eV")
    unit = self_energies(t_xz=0.5, E_a=E_a, t_c=t_c, U=U, variant=variant)
    return float(np.sqrt(splitting / abs(unit.alpha - unit.beta)) / 2)


def _lower_level(E_a: float, t_c: float, U: float) -> float:
    real("U", U, above=0.0, unit="eV")
    return real("E_a", E_a, above=0.0, unit="eV") + 2 * real("t_c", t_c, at_least=0.0, unit="eV")


def _virtual(
    E_a: float, t_c: float, U: float, variant: str
) -> tuple[float, dict[str, float], dict[str, float]]:
    """Occupation of b and the virtual energies above singlet and triplet."""
    _lower_level(E_a, t_c, U)
    real("E_a", E_a, below=U - 2 * t_c, unit="eV")  # beyond it the level b is doubly occupied
    dimer = HubbardDimer(t_c=t_c, U=U, level=-(E_a + t_c))
    triplet = virtual_energies(dimer, start="triplet")
    if variant == "heisenberg":
        return 0.5, triplet, triplet
    return dimer.bonding_occupation, virtual_energies(dimer), triplet
