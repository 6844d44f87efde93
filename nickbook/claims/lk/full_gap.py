"""What the gap equations say before LK's Eqs. 16–18 approximate them."""

from functools import cache, lru_cache

import numpy as np
from scipy import constants
from scipy.optimize import brentq

from nickbook.arrays import Floats
from nickbook.bands import FermiSea, eta_k
from nickbook.claims.findings import Numbers
from nickbook.claims.lk.dimers import COUPLINGS, kappa_of_ratio, printed_kappa
from nickbook.claims.lk.gap_ratio import (
    THETA,
    along_angle,
    changed_seas,
    dos_ratio,
    eta_averages,
    full_gap,
    printed_gap,
    sea_at,
    spreads,
)
from nickbook.claims.lk.interactions import eq10_order
from nickbook.pairing import (
    GapFunction,
    RetardedPairing,
    TriplonMeanField,
    crossing_ratio,
    factorized_gap,
    gap_ratio,
    pair_logarithm,
    retarded_pairing,
    triplon_mean_field,
)
from nickbook.papers import LK

MESH = 400
KELVIN = constants.value("Boltzmann constant in eV/K")
#: Critical temperatures in K between which LK place the bilayer nickelates.
CRITICAL = (40.0, 80.0)
#: Repulsions μ = U√(N_α N_β) that act alike within and between the bands.
REPULSIONS = (0.1, 0.5)


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


def theory_with(ratio: float) -> TriplonMeanField:
    """Theory of LK Fig. 4(b) with κ = √(κ_a κ_b) as printed and a ratio κ_a/κ_b."""
    return theory_at().with_interaction(kappa=kappa_of_ratio(ratio))


@cache
def coupling_for(kelvin: float) -> float:
    """Coupling λ that gives a critical temperature, on a mesh that resolves it."""
    theory = theory_at(mesh=1200)

    def excess(coupling: float) -> float:
        return theory.with_interaction(coupling=coupling).critical_temperature() / KELVIN - kelvin

    return float(brentq(excess, 0.1, 0.6, xtol=1e-9))


@cache
def retarded(repulsion: float = 0.0, *, renormalize: bool = True) -> RetardedPairing:
    """Eliashberg theory at λ and κ of LK Fig. 4(b), with a repulsion μ within and between bands."""
    sea = sea_at(LK.density)
    return retarded_pairing(
        sea,
        coupling=LK.coupling,
        kappa=printed_kappa(),
        renormalize=renormalize,
        coulomb=repulsion / float(np.sqrt(np.prod(sea.density_of_states()))),
    )


def retarded_gap(theory: RetardedPairing) -> GapFunction:
    """Gap on the Fermi lines well below the critical temperature."""
    return theory.gap(temperature=0.3 * theory.critical_temperature()).gap_function()


def retarded_at(kelvin: float) -> RetardedPairing:
    """Eliashberg theory with the λ of a critical temperature."""
    coupling = retarded().critical_coupling(temperature=kelvin * KELVIN)
    return retarded().with_interaction(coupling=coupling)


def eq14_leading() -> Numbers:
    """Ratios κ_a/κ_b above which d condenses first, for T_c of 40 and 80 K; those in use."""
    theories: list[RetardedPairing | TriplonMeanField] = [theory_at(mesh=1200), retarded()]
    theories += [retarded(x) for x in REPULSIONS]
    crossings = [
        [crossing_ratio(theory, LK.kappa, temperature=t * KELVIN) for t in CRITICAL]
        for theory in theories
    ]
    order, theory = eq10_order(), theory_with(eq10_order()["printed"])
    return {
        "crossings": crossings,
        "repulsions": REPULSIONS,
        "printed": order["printed"],
        "dimer": order["exact"],
        "d_over_s": theory.critical_temperature("d") / theory.critical_temperature("s±"),
    }


def retardation() -> Numbers:
    """T_c in K, gap ratio, and largest over smallest gaps: static, retarded, and with the mass."""
    static = theory_at()
    theories = [retarded(renormalize=False), retarded(), retarded(REPULSIONS[0])]
    gaps = [static.gap_function(), *map(retarded_gap, theories)]
    temperatures = [static.critical_temperature(), *(t.critical_temperature() for t in theories)]
    slow = [retarded_gap(retarded_at(kelvin)) for kelvin in CRITICAL]
    masses = [
        float(sheet.average(retarded().mass(sheet.parity or 0, eta_k(sheet.points))))
        for sheet in static.sea.sheets
    ]
    return {
        "kelvin": [x / KELVIN for x in temperatures],
        "ratios": [gap.ratio() for gap in gaps],
        "spreads": [spreads(gap) for gap in gaps],
        "masses": masses,
        "critical": CRITICAL,
        "slow_ratios": [gap.ratio() for gap in slow],
        "slow_spreads": [spreads(gap) for gap in slow],
        "lowest": [along_angle(gap).min() for gap in (*gaps[2:], *slow)],
    }


def eq14_signs() -> Numbers:
    alpha, beta = ([v.min() * 1e3, v.max() * 1e3] for v in gap_on_zone().values)
    return {"alpha_mev": alpha, "beta_mev": beta}


def eq15_product() -> Numbers:
    """Change of both sides of Eq. 14 with κ_a/κ_b, summed point by point over the Fermi lines."""
    gap, sides = full_gap(), []
    for a, b in (kappa_of_ratio(1.0), kappa_of_ratio(4.0)):
        for here, there, values in zip(gap.sheets, gap.sheets[::-1], gap.values[::-1], strict=True):
            forms = np.multiply.outer(eta_k(here.points), eta_k(there.points))
            logarithm = pair_logarithm(values, temperature=0.0, cutoff=LK.cutoff)
            sides.append((1 - a * forms) * (1 - b * forms) @ (there.weights * values * logarithm))
    changes = [np.abs(y / x - 1).max() for x, y in zip(sides[:2], sides[2:], strict=True)]
    return {"change": max(changes)}


def zone_sums() -> Numbers:
    """Compare sums of Eq. 15, of 1 and of η², with their estimates, by λ and by density."""
    plain, weighted = np.transpose(
        [_zone_sums(theory_at().with_interaction(coupling=c)) for c in COUPLINGS], (2, 0, 1)
    )
    elsewhere = [_zone_sums(theory_at(n))[:, 0] for n in (0.33, 0.36, 0.5, 0.6, 0.7)]
    return {"couplings": COUPLINGS, "plain": plain, "weighted": weighted, "elsewhere": elsewhere}


def _zone_sums(theory: TriplonMeanField) -> Floats:
    """Divide sums of Δ/2ε and η²Δ/2ε on α and β by N Δ ln 2Ω/Δ and Ñ Δ ln 2Ω/Δ: (2, 2)."""
    found = []
    for shell, sheet, mean, row in zip(
        theory.shells, theory.sea.sheets, eta_averages(theory.sea), theory.gap(), strict=True
    ):
        gap = abs(row[0])  # the constant part
        sums = shell.moments(gap / (2 * shell.energies(np.array([gap, 0.0, 0.0]))), [0, 2])
        logarithm = sheet.density_of_states * gap * np.log(2 * LK.cutoff / gap)
        found.append(sums / (logarithm * np.array([1.0, mean])))
    return np.array(found)


def eq16_zone() -> Numbers:
    def shares(theory: TriplonMeanField, kappa: float) -> list[float]:
        gap = theory.with_interaction(kappa=kappa).gap()
        beta, alpha = eta_averages(theory.sea)
        return [kappa**2 * x / (row[2] / row[0]) for x, row in zip((alpha, beta), gap, strict=True)]

    limit = theory_at(cutoff=0.03, mesh=2000)
    return {"wide": shares(theory_at(), LK.kappa), "limit": shares(limit, 0.1)}


def fig3b_zone() -> Numbers:
    def over_eq18(
        density: float, coupling: float, cutoff: float = LK.cutoff, mesh: int = MESH
    ) -> float:
        closed = float(gap_ratio(dos_ratio(sea_at(density)), coupling))
        return gap_on_zone(density, coupling, 0.0, cutoff, mesh).ratio() / closed

    densities = (0.33, 0.36, 0.4, LK.density, 0.5, 0.55, 0.6, 0.7, 0.8)
    found = {n: [over_eq18(n, c) for c in (0.3, 0.6)] for n in densities}
    narrow = over_eq18(0.36, 0.6, cutoff=0.02, mesh=3000)
    here, everywhere = found[LK.density], list(found.values())
    return {"everywhere": everywhere, "here": here, "wide": found[0.36][1], "narrow": narrow}


def fig3b_large_changes() -> Numbers:
    seas = [sea_at(n) for n in (0.35, 0.6)]
    closed = [factorized_gap(sea, coupling=LK.coupling, kappa=LK.kappa).ratio() for sea in seas]
    return {"full": [gap_on_zone(n).ratio() for n in (0.35, 0.6)], "closed": closed}


def fig4b_zone() -> Numbers:
    def distances(cutoff: float) -> list[float]:
        full = gap_on_zone(cutoff=cutoff)
        printed, summed = (
            [np.abs(g.at_angle(i, THETA) / g.at_angle(0, 0.0)) for i in (0, 1)]
            for g in (printed_gap(), full)
        )
        return [float(np.abs(a - b).max()) for a, b in zip(printed, summed, strict=True)]

    cutoffs = (0.2, 0.4)
    return {
        "here": distances(LK.cutoff),
        "cutoffs": cutoffs,
        "others": [distances(cutoff) for cutoff in cutoffs],
    }


def changed_bands() -> Numbers:
    gaps = {f"Ω = {cutoff} eV": gap_on_zone(cutoff=cutoff) for cutoff in (0.1, 0.15, 0.45, 0.6)}
    gaps |= {name: theory_of(sea).gap_function() for name, sea in changed_seas().items()}
    lowest = {name: along_angle(gap).min() for name, gap in gaps.items()}
    alpha, beta = np.transpose([spreads(gap) for gap in gaps.values()])
    return {
        "printed": spreads(gap_on_zone()),
        "alpha": [alpha.min(), alpha.max()],
        "beta": [beta.min(), beta.max()],
        "lowest": min(lowest.values()),
        "worst": min(lowest, key=lambda name: lowest[name]),
        "crossing": brentq(lambda n: gap_on_zone(n).ratio() - 1, 0.7, 0.95, xtol=1e-4),
        "ends": brentq(_order_at, 0.6, 0.9, xtol=1e-3),
    }


def _order_at(cutoff: float) -> float:
    """Smallest Δ_α/Δ_β at equal angles, minus one."""
    return float(along_angle(gap_on_zone(cutoff=cutoff)).min()) - 1


def eq18() -> Numbers:
    """Gap ratio over the cutoff; T_c in K over λ, and gaps in eV for the T_c of the nickelates."""
    wide, narrow = (0.15, 0.3, 0.6), (0.02, 0.04)
    theories = [theory_at().with_interaction(coupling=c) for c in COUPLINGS]
    gaps = [gap_on_zone(coupling=coupling_for(kelvin), mesh=1200) for kelvin in CRITICAL]
    return {
        "cutoffs": wide + narrow,
        "wide": [gap_on_zone(cutoff=c).ratio() for c in wide],
        "narrow": [gap_on_zone(cutoff=c, mesh=2000).ratio() for c in narrow],
        "couplings": COUPLINGS,
        "kelvin": [theory.critical_temperature() / KELVIN for theory in theories],
        "argument": 0.6 * np.log(gap_on_zone(coupling=0.6).ratio()) / 2,
        "critical": CRITICAL,
        "needed": [coupling_for(kelvin) for kelvin in CRITICAL],
        "gaps": [_sizes(gap) for gap in gaps],
        "retarded": [
            retarded().with_interaction(coupling=c).critical_temperature() / KELVIN
            for c in COUPLINGS
        ],
        "retarded_needed": [retarded_at(kelvin).coupling for kelvin in CRITICAL],
        "retarded_gaps": [_sizes(retarded_gap(retarded_at(kelvin))) for kelvin in CRITICAL],
    }


def _sizes(gap: GapFunction) -> list[list[float]]:
    """Smallest and largest gap on each sheet."""
    return [[float(np.abs(v).min()), float(np.abs(v).max())] for v in gap.values]
