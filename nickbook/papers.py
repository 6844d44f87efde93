"""The numbers that both papers print, each with its place.

GLYWH's hoppings are the defaults of their models in `nickbook.bands`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class LiuKhaliullin:
    """Printed numbers of LK, in eV unless said otherwise.

    Parameters
    ----------
    t_c : float
        Hopping of z² within a dimer, half of the splitting in Fig. 1(c).
    U : float
        Repulsion on a site, below Eq. 1.
    J_c, J_ab, exchange_ratio : float
        Exchange within a dimer and between neighbouring dimers, below Eq. 1, and their ratio
        J_ab/J_c in round numbers.
    mu, t1, t2, t3, epsilon_alpha, epsilon_beta : float
        Level, hoppings and self-energies of the conduction bands, caption of Fig. 2.
    density, kappa, coupling : float
        Electrons per Ni, κ and λ in Fig. 4(b).
    cutoff : float
        Ω, of the order of J_c.
    largest_ratio : float
        Largest N_β/N_α on the axis of Fig. 3(b).

    Examples
    --------
    >>> from nickbook.papers import LK
    >>> round(4 * LK.t_c**2 / LK.U, 3) == LK.J_c, LK.J_ab / LK.J_c == LK.exchange_ratio
    (True, True)
    """

    t_c: float = 0.6
    U: float = 5.0
    J_c: float = 0.288
    J_ab: float = 0.018
    exchange_ratio: float = 1 / 16
    mu: float = -0.65
    t1: float = 0.45
    t2: float = -0.24
    t3: float = 0.06
    epsilon_alpha: float = 0.4
    epsilon_beta: float = 0.1
    density: float = 0.45
    kappa: float = 0.75
    coupling: float = 0.5
    cutoff: float = 0.3
    largest_ratio: float = 4.0


@dataclass(frozen=True)
class GuLeYangWuHu:
    """Printed numbers of GLYWH, in eV unless said otherwise.

    Parameters
    ----------
    mu, mu_three_band, mu_eight_band : float
        Chemical potentials of the four-, three- and eight-band models, below Eqs. 11 and 22 and
        in App. D.
    mu_density_functional : float
        Level of the density functional bands, App. D.
    filling : float
        Electrons per bilayer cell at Ni 2.5+.
    U, J : float
        Repulsion and Hund's coupling of Fig. 3.
    J1, J2 : float
        In-plane exchange of x²−y² and z² in Fig. 4(b).

    Examples
    --------
    >>> from nickbook.papers import GLYWH
    >>> GLYWH.U, GLYWH.J / GLYWH.U, GLYWH.filling
    (5.0, 0.1, 3.0)
    """

    mu: float = 10.0585
    mu_three_band: float = 10.256
    mu_eight_band: float = 10.1277
    mu_density_functional: float = 10.1367
    filling: float = 3.0
    U: float = 5.0
    J: float = 0.5
    J1: float = 0.15
    J2: float = 0.075


#: The numbers of Liu and Khaliullin.
LK = LiuKhaliullin()
#: The numbers of Gu, Le, Yang, Wu and Hu.
GLYWH = GuLeYangWuHu()
#: The version of each paper that is judged.
VERSIONS = {
    "LK": "Judged is the version dated 2 March 2026.",
    "GLYWH": "Judged is the preprint arXiv:2306.07275 of 2023.",
}
