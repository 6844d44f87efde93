"""What LK's bands, gap ratio and anisotropy come to (Figs. 2-4)."""

from functools import cache

import numpy as np
from scipy.optimize import brentq

from nickbook.bands import (
    FermiSea,
    band_fillings,
    conduction_bands,
    eta_k,
)
from nickbook.claims.findings import Numbers
from nickbook.pairing import (
    GapFunction,
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_gap,
)
from nickbook.papers import LK

THETA = np.linspace(0, np.pi / 2, 181)
KAPPAS = (0.25, 0.5, LK.kappa)


@cache
def sea_at(density: float) -> FermiSea:
    """LK's bands of Fig. 2 at an electron density per Ni."""
    return FermiSea.at(conduction_bands(), filling=2 * density)


def dos_ratio_at(density: float, **parameters: float) -> float:
    """Ratio N_β/N_α at an electron density per Ni, with some band parameters replaced."""
    sea = FermiSea.at(conduction_bands(**parameters), filling=2 * density)
    alpha, beta = sea.density_of_states()
    return float(beta / alpha)


@cache
def full_gap(kappa: float = LK.kappa, coupling: float = LK.coupling) -> GapFunction:
    """Gap of LK Eq. 15 on the Fermi lines at the density of LK Fig. 4(b)."""
    return triplon_gap(sea_at(LK.density), coupling=coupling, kappa=kappa, cutoff=LK.cutoff)


def printed_gap(kappa: float = LK.kappa) -> GapFunction:
    """Gap of LK Eqs. 16 and 18 there."""
    return factorized_gap(sea_at(LK.density), coupling=LK.coupling, kappa=kappa)


def fig2_fillings() -> Numbers:
    alpha, beta = band_fillings(conduction_bands(), LK.mu) / 2
    return {"alpha": alpha, "beta": beta}


def fig2_sheets() -> Numbers:
    sheets = FermiSea(conduction_bands(), LK.mu).sheets
    return {
        "pockets": [
            {"name": s.name, "kind": s.kind, "center": s.center, "area": s.area} for s in sheets
        ]
    }


def fig3a_smaller_dos() -> Numbers:
    return {"ratio": dos_ratio_at(LK.density), "density": LK.density}


def fig3a_density() -> Numbers:
    model = conduction_bands()
    saddle = min(p.energy for p in FermiSea(model, LK.mu).van_hove if p.kind == "saddle")
    density = band_fillings(model, saddle).sum() / 2
    return {
        "low": dos_ratio_at(0.35),
        "high": dos_ratio_at(0.6),
        "saddle": saddle,
        "density": density,
    }


def fig3b_limit() -> Numbers:
    ratio = dos_ratio_at(LK.density)
    return {"distance": gap_ratio_exact(ratio, 1e-6) / np.sqrt(ratio) - 1}


def fig3b_closed_form() -> Numbers:
    ratio = np.linspace(1.0, LK.largest_ratio, 301)
    weak, strong = (
        np.abs(gap_ratio(ratio, c) / gap_ratio_exact(ratio, c) - 1).max() for c in (0.3, 0.6)
    )
    return {"weak": weak, "strong": strong}


def eq18_validity() -> Numbers:
    return {"left": 0.6 * np.log(gap_ratio_exact(LK.largest_ratio, 0.6))}


def eq18_scale() -> Numbers:
    printed = 2 * LK.cutoff * np.exp(-1 / LK.coupling)
    amplitudes = gap_amplitudes(dos_ratio_at(LK.density), LK.coupling, LK.cutoff)
    diagonal = [np.abs(full_gap().at_angle(i, np.pi / 4)) for i in (0, 1)]
    return {
        name: np.sqrt(np.prod(pair)) / printed
        for name, pair in {"eq17": amplitudes, "eq15": diagonal}.items()
    }


def eq15_kappa_linear() -> Numbers:
    sheets = sea_at(LK.density).sheets
    return {"worst": max(abs(s.average(eta_k(s.points) ** p)) for s in sheets for p in (1, 3))}


def eq16_shape() -> Numbers:
    misfits = [_shape(full_gap(), i)[1] for i in (0, 1)]
    return {"worst": max(*misfits, _dense_residual(full_gap()))}


def eq16_coefficient() -> Numbers:
    found = [
        _shape(printed_gap(kappa), i)[0] / _shape(full_gap(kappa), i)[0]
        for kappa in (LK.kappa, 0.1)
        for i in (0, 1)
    ]
    return dict(zip(("alpha", "beta", "alpha_weak", "beta_weak"), found, strict=True))


def fig4a_order() -> Numbers:
    densities = (0.35, 0.45, 0.6)
    shares = [[s.average(eta_k(s.points) ** 2) for s in sea_at(n).sheets] for n in densities]
    alpha, beta = np.transpose(shares)
    return {"densities": densities, "alpha": alpha, "beta": beta}


def fig4b_hierarchy() -> Numbers:
    ratios = [
        np.abs(g.at_angle(0, THETA) / g.at_angle(1, THETA)) for g in (printed_gap(), full_gap())
    ]
    closed, full = ([r.min(), r.max()] for r in ratios)
    return {"dos_ratio": dos_ratio_at(LK.density), "closed": closed, "full": full}


def fig4b_hierarchy_robust() -> Numbers:
    printed = {
        name: getattr(LK, name) for name in ("t1", "t2", "t3", "epsilon_alpha", "epsilon_beta")
    }
    ratios = [
        dos_ratio_at(LK.density, **{name: value * factor})
        for name, value in printed.items()
        for factor in (0.8, 1.2)
    ]
    crossing = brentq(lambda n: dos_ratio_at(n) - 1, 0.6, 1.0, xtol=1e-6)
    return {"crossing": crossing, "low": min(ratios), "high": max(ratios)}


def fig4b_minimum() -> Numbers:
    theta = np.linspace(0, np.pi / 2, 1571)
    alpha, beta = (theta[np.argmin(np.abs(full_gap().at_angle(i, theta)))] for i in (0, 1))
    return {"alpha": alpha, "beta": beta}


def fig4b_anisotropy_robust() -> Numbers:
    sizes = [[np.abs(v) for v in full_gap(kappa).values] for kappa in KAPPAS]
    return {"kappas": KAPPAS, "spreads": [[v.max() / v.min() for v in pair] for pair in sizes]}


def _shape(gap: GapFunction, sheet: int) -> tuple[float, float]:
    """Multiple of η² over the constant, and the misfit of that form relative to the gap."""
    values = gap.values[sheet]
    eta2 = eta_k(gap.sheets[sheet].points) ** 2
    basis = np.stack([np.ones_like(eta2), eta2], axis=-1)
    (constant, slope), *_ = np.linalg.lstsq(basis, values, rcond=None)
    misfit = np.abs(basis @ [constant, slope] - values).max() / np.abs(values).max()
    return float(slope / constant), float(misfit)


def _dense_residual(gap: GapFunction) -> float:
    """Relative distance of both sides of Eq. 15, summed point by point with the full kernel."""
    alpha, beta = gap.sheets
    strength = LK.coupling / np.sqrt(alpha.density_of_states * beta.density_of_states)
    worst = []
    for i, here, there in ((0, alpha, beta), (1, beta, alpha)):
        eta2 = np.multiply.outer(eta_k(here.points) ** 2, eta_k(there.points) ** 2)
        pairs = there.weights * gap.values[1 - i]
        pairs = pairs * pair_logarithm(gap.values[1 - i], temperature=0.0, cutoff=LK.cutoff)
        summed = -strength * (1 + LK.kappa**2 * eta2) @ pairs
        worst.append(np.abs(summed / gap.values[i] - 1).max())
    return float(max(worst))
