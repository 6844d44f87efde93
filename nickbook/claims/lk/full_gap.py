"""What the gap equations say before LK's Eqs. 16–18 approximate them."""

from functools import cache, lru_cache

import numpy as np
from scipy import constants
from scipy.optimize import brentq

from nickbook.bands import FermiSea, conduction_bands, eta_k
from nickbook.claims.findings import Numbers
from nickbook.claims.lk.gap_ratio import printed_gap, sea_at
from nickbook.claims.lk.interactions import couplings_of_fig2
from nickbook.pairing import (
    GapFunction,
    TriplonMeanField,
    channel_boundaries,
    channel_strengths,
    factorized_gap,
    gap_ratio,
    triplon_mean_field,
)
from nickbook.papers import LK

MESH = 400
KELVIN = constants.value("Boltzmann constant in eV/K")
THETA = np.linspace(0, np.pi / 2, 91)
COUPLINGS = (0.3, LK.coupling, 0.6)
#: Critical temperatures in K between which LK place the bilayer nickelates.
CRITICAL = (40.0, 80.0)


def theory_of(sea: FermiSea, cutoff: float = LK.cutoff, mesh: int = MESH) -> TriplonMeanField:
    """Mean-field theory of a sea, with λ and κ of LK Fig. 4(b)."""
    return triplon_mean_field(sea, coupling=LK.coupling, kappa=LK.kappa, cutoff=cutoff, mesh=mesh)


@lru_cache(maxsize=4)
def theory_at(
    density: float = LK.density, cutoff: float = LK.cutoff, mesh: int = MESH
) -> TriplonMeanField:
    """Mean-field theory of LK's bands at a density per Ni."""
    return theory_of(sea_at(density), cutoff, mesh)


def gap_on_zone(
    density: float = LK.density,
    coupling: float = LK.coupling,
    kappa: float = LK.kappa,
    cutoff: float = LK.cutoff,
    mesh: int = MESH,
) -> GapFunction:
    """Solution of LK Eq. 15 on the mesh, as a function on the Fermi lines."""
    theory = theory_at(density, cutoff, mesh).with_interaction(coupling=coupling, kappa=kappa)
    return theory.gap_function()


def pair_of(kappa: float, ratio: float) -> tuple[float, float]:
    """κ_a and κ_b from κ = √(κ_a κ_b) and their ratio."""
    return kappa * float(np.sqrt(ratio)), kappa / float(np.sqrt(ratio))


@cache
def coupling_for(kelvin: float) -> float:
    """Coupling λ that gives a critical temperature, on a mesh that resolves it."""
    theory = theory_at(mesh=1200)

    def excess(coupling: float) -> float:
        return theory.with_interaction(coupling=coupling).critical_temperature() / KELVIN - kelvin

    return float(brentq(excess, 0.1, 0.6, xtol=1e-9))


def eq14_leading() -> Numbers:
    couplings = couplings_of_fig2()
    ratio = couplings.a / couplings.b
    theory = theory_at().with_interaction(kappa=pair_of(LK.kappa, ratio))
    return {
        "kappa": LK.kappa,
        "coupling": LK.coupling,
        "ratio": ratio,
        "crossing": channel_boundaries(theory_at(), LK.kappa)["equal T_c"],
        "d_over_s": theory.critical_temperature("d") / theory.critical_temperature("s±"),
        "line": list(channel_strengths(theory.sea, kappa=theory.parameters.kappa).values()),
        "admixture": theory.eigenvalue("d", temperature=0.0, gap=theory.gap()),
    }


def eq14_signs() -> Numbers:
    alpha, beta = ([v.min() * 1e3, v.max() * 1e3] for v in gap_on_zone().values)
    return {"alpha_mev": alpha, "beta_mev": beta}


def eq15_product() -> Numbers:
    first, other = (
        theory_at().with_interaction(kappa=pair_of(LK.kappa, r)).gap() for r in (1.0, 4.0)
    )
    return {"change": np.abs(other - first).max() / np.abs(first).max()}


def zone_sums() -> Numbers:
    found: Numbers = {"couplings": COUPLINGS, "plain": [], "weighted": []}
    for coupling in COUPLINGS:
        theory = theory_at().with_interaction(coupling=coupling)
        ratios = []
        for shell, sheet, row in zip(
            theory.shells, sea_at(LK.density).sheets, theory.gap(), strict=True
        ):
            gap = abs(row[0])  # the constant part
            sums = shell.moments(gap / (2 * shell.energies(np.array([gap, 0.0, 0.0]))), [0, 2])
            shares = np.array([1.0, sheet.average(eta_k(sheet.points) ** 2)])
            formula = sheet.density_of_states * shares * gap * np.log(2 * LK.cutoff / gap)
            ratios.append(sums / formula)
        plain, weighted = np.transpose(ratios)
        found["plain"].append(plain)
        found["weighted"].append(weighted)
    return found


def eq16_zone() -> Numbers:
    averages = [s.average(eta_k(s.points) ** 2) for s in sea_at(LK.density).sheets]

    def shares(theory: TriplonMeanField, kappa: float) -> list[float]:
        gap = theory.with_interaction(kappa=kappa).gap()
        return [kappa**2 * averages[1 - i] / (gap[i, 2] / gap[i, 0]) for i in (0, 1)]

    limit = theory_at(cutoff=0.03, mesh=2000)
    return {"wide": shares(theory_at(), LK.kappa), "limit": shares(limit, 0.1)}


def fig3b_zone() -> Numbers:
    def over_eq18(
        density: float, coupling: float, cutoff: float = LK.cutoff, mesh: int = MESH
    ) -> float:
        alpha, beta = sea_at(density).density_of_states()
        closed = float(gap_ratio(beta / alpha, coupling))
        return gap_on_zone(density, coupling, 0.0, cutoff, mesh).ratio() / closed

    densities = (0.33, 0.36, 0.4, LK.density, 0.5, 0.55, 0.6, 0.7, 0.8)
    found = {n: [over_eq18(n, c) for c in (0.3, 0.6)] for n in densities}
    return {
        "density": LK.density,
        "everywhere": list(found.values()),
        "here": found[LK.density],
        "wide": found[0.36][1],
        "narrow": over_eq18(0.36, 0.6, cutoff=0.02, mesh=3000),
    }


def fig3b_large_changes() -> Numbers:
    densities = (0.35, 0.6)
    closed = [factorized_gap(sea_at(n), coupling=LK.coupling, kappa=LK.kappa) for n in densities]
    return {
        "full": [gap_on_zone(n).ratio() for n in densities],
        "closed": [gap.ratio() for gap in closed],
    }


def fig4b_zone() -> Numbers:
    printed, full = (
        [np.abs(g.at_angle(i, THETA) / g.at_angle(0, 0.0)) for i in (0, 1)]
        for g in (printed_gap(), gap_on_zone())
    )
    alpha, beta = (np.abs(a - b).max() for a, b in zip(printed, full, strict=True))
    return {"alpha": alpha, "beta": beta}


def changed_bands() -> Numbers:
    gaps = {f"Ω = {cutoff} eV": gap_on_zone(cutoff=cutoff) for cutoff in (0.1, 0.15, 0.45, 0.6)}
    for name in ("t1", "t2", "t3", "epsilon_alpha", "epsilon_beta"):
        for change in (-0.2, 0.2):
            bands = conduction_bands(**{name: (1 + change) * getattr(LK, name)})
            theory = theory_of(FermiSea.at(bands, filling=2 * LK.density))
            gaps[f"{name} {change:+.0%}"] = theory.gap_function()
    lowest = {
        name: np.abs(gap.at_angle(0, THETA) / gap.at_angle(1, THETA)).min()
        for name, gap in gaps.items()
    }
    alpha, beta = np.transpose([_spreads(gap) for gap in gaps.values()])
    return {
        "printed": _spreads(gap_on_zone()),
        "alpha": [alpha.min(), alpha.max()],
        "beta": [beta.min(), beta.max()],
        "lowest": min(lowest.values()),
        "worst": min(lowest, key=lambda name: lowest[name]),
        "crossing": brentq(lambda n: gap_on_zone(n).ratio() - 1, 0.7, 0.95, xtol=1e-4),
    }


def eq18_cutoff() -> Numbers:
    wide, narrow = (0.15, 0.3, 0.6), (0.02, 0.04)
    return {
        "cutoffs": wide + narrow,
        "wide": [gap_on_zone(cutoff=c).ratio() for c in wide],
        "narrow": [gap_on_zone(cutoff=c, mesh=2000).ratio() for c in narrow],
    }


def eq18_small_coupling() -> Numbers:
    theories = [theory_at().with_interaction(coupling=c) for c in COUPLINGS]
    return {
        "couplings": COUPLINGS,
        "kelvin": [theory.critical_temperature() / KELVIN for theory in theories],
        "needed": [coupling_for(kelvin) for kelvin in CRITICAL],
        "argument": 0.6 * np.log(gap_on_zone(coupling=0.6).ratio()) / 2,
    }


def eq14_scale() -> Numbers:
    gaps = [gap_on_zone(coupling=coupling_for(kelvin), mesh=1200) for kelvin in CRITICAL]
    extremes = [[[np.abs(v).min(), np.abs(v).max()] for v in gap.values] for gap in gaps]
    return {"kelvin": CRITICAL, "gaps": extremes}


def _spreads(gap: GapFunction) -> list[float]:
    """Largest over smallest gap on each sheet."""
    return [float(np.abs(v).max() / np.abs(v).min()) for v in gap.values]
