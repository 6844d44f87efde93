"""Functions that settle what LK say about the gap equations before Eqs. 16–18 approximate them."""

from functools import cache

import numpy as np
from scipy import constants
from scipy.optimize import brentq

from nickbook.bands import chemical_potential, conduction_bands, eta_k, fermi_sheets
from nickbook.claims.lk.gap_ratio import COUPLING, CUTOFF, DENSITY, KAPPA, sheets_at
from nickbook.claims.rows import Finding, agrees, settles, verdict_on
from nickbook.pairing import (
    GapFunction,
    TriplonMeanField,
    channel_boundaries,
    channel_strengths,
    factorized_gap,
    gap_ratio,
    triplon_mean_field,
)

MESH = 400
KELVIN = constants.value("Boltzmann constant in eV/K")
PRINTED_BANDS = {"t1": 0.45, "t2": -0.24, "t3": 0.06, "epsilon_alpha": 0.4, "epsilon_beta": 0.1}
THETA = np.linspace(0, np.pi / 2, 91)


@cache
def theory_at(
    density: float = DENSITY, cutoff: float = CUTOFF, mesh: int = MESH
) -> TriplonMeanField:
    """Mean-field theory of LK's bands at a density per Ni, with λ and κ of LK Fig. 4(b)."""
    model = conduction_bands()
    return triplon_mean_field(
        model,
        chemical_potential(model, 2 * density),
        coupling=COUPLING,
        kappa=KAPPA,
        cutoff=cutoff,
        mesh=mesh,
        sheets=sheets_at(density),
    )


def gap_on_zone(
    density: float = DENSITY,
    coupling: float = COUPLING,
    kappa: float = KAPPA,
    cutoff: float = CUTOFF,
    mesh: int = MESH,
) -> GapFunction:
    """Solution of LK Eq. 15 on the mesh, as a function on the Fermi lines."""
    theory = theory_at(density, cutoff, mesh).with_interaction(coupling=coupling, kappa=kappa)
    return theory.gap_function(theory.gap(), sheets_at(density))


@cache
def gap_with_changed_band(name: str, factor: float) -> GapFunction:
    """Mesh solution with one band parameter of LK Fig. 2 multiplied by a factor."""
    model = conduction_bands(**{name: factor * PRINTED_BANDS[name]})
    mu = chemical_potential(model, 2 * DENSITY)
    sheets = fermi_sheets(model, mu)
    theory = triplon_mean_field(
        model, mu, coupling=COUPLING, kappa=KAPPA, cutoff=CUTOFF, mesh=MESH, sheets=sheets
    )
    return theory.gap_function(theory.gap(), sheets)


def printed_kappa_ratio(repulsion: float = 5.0, splitting: float = 1.2) -> float:
    """κ_a/κ_b from LK Eq. 10, with E_a from the ε_α/ε_β = 4 of Fig. 2 by LK Eq. 3, as printed."""

    def excess(e_a: float) -> float:
        e_b = e_a + splitting
        self_energies = [1 / e - 1 / (e + repulsion) for e in (e_a, e_b)]
        return self_energies[0] / self_energies[1] - 4

    e_a = float(brentq(excess, 0.01, 5.0))
    exchange = [1 / e + 1 / (e + repulsion) for e in (e_a, e_a + splitting)]
    return exchange[0] / exchange[1]


def pair_of(kappa: float, ratio: float) -> tuple[float, float]:
    """κ_a and κ_b from κ = √(κ_a κ_b) and their ratio."""
    return kappa * float(np.sqrt(ratio)), kappa / float(np.sqrt(ratio))


@cache
def coupling_for(kelvin: float, kappa: float = KAPPA) -> float:
    """Coupling λ that gives a critical temperature, on a mesh that resolves it."""
    theory = theory_at(mesh=1200)

    def excess(coupling: float) -> float:
        t_c = theory.with_interaction(coupling=coupling, kappa=kappa).critical_temperature()
        return t_c / KELVIN - kelvin

    return float(brentq(excess, 0.1, 0.6, xtol=1e-9))


def _spread(gap: GapFunction) -> list[float]:
    return [float(np.abs(v).max() / np.abs(v).min()) for v in gap.values]


@settles("LK-eq14-leading")
def _eq14_leading(_: float | None) -> Finding:
    ratio, crossing = printed_kappa_ratio(), channel_boundaries(theory_at(), KAPPA)["equal T_c"]
    theory = theory_at().with_interaction(kappa=pair_of(KAPPA, ratio))
    s, d = (theory.critical_temperature(channel) for channel in ("s±", "d"))
    admixture = theory.eigenvalue("d", 0.0, theory.gap())
    line = channel_strengths(sheets_at(DENSITY), theory.kappa)
    leads = s > d and line["s±"] > line["d"] and admixture < 1
    return Finding(
        f"at κ = {KAPPA}, λ = {COUPLING}: T_c of d is {d / s:.2f} of that of s± at "
        f"κ_a/κ_b = {ratio:.2f} (Eqs. 3 and 10 as printed), and d wins above {crossing:.2f}; on "
        f"the Fermi lines the strengths are {line['s±']:.2f} and {line['d']:.2f}; at T = 0 a d "
        f"admixture has eigenvalue {admixture:.2f} < 1",
        verdict_on(leads, in_full=crossing >= 10),
    )


@settles("LK-eq14-signs")
def _eq14_signs(_: float | None) -> Finding:
    gap = gap_on_zone()
    alpha, beta = gap.values
    opposite = bool((alpha > 0).all() and (beta < 0).all())
    return Finding(
        f"α from {alpha.min() * 1e3:.0f} to {alpha.max() * 1e3:.0f} meV, β from "
        f"{beta.min() * 1e3:.0f} to {beta.max() * 1e3:.0f} meV, without nodes",
        verdict_on(opposite),
    )


@settles("LK-eq15-product")
def _eq15_product(tolerance: float | None) -> Finding:
    first, other = (theory_at().with_interaction(kappa=pair_of(KAPPA, r)).gap() for r in (1.0, 4.0))
    change = float(np.abs(other - first).max() / np.abs(first).max())
    fits = agrees(change, 0.0, tolerance)
    return Finding(
        f"largest relative change {'below 1e-12' if change < 1e-12 else f'{change:.0e}'}",
        verdict_on(fits),
    )


def _sum_over_formula(power: int, coupling: float) -> list[float]:
    """Sum of η^p Δ/2ε over the mesh, over LK's formula, for the constant part of each gap."""
    theory = theory_at().with_interaction(coupling=coupling)
    ratios = []
    for shell, sheet, row in zip(theory.shells, sheets_at(DENSITY), theory.gap(), strict=True):
        gap = abs(row[0])
        energies = shell.energies(np.array([gap, 0.0, 0.0]))
        density = sheet.density_of_states * float(sheet.average(eta_k(sheet.points) ** power))
        total = shell.moments(gap / (2 * energies), [power])[0]
        ratios.append(float(total / (density * gap * np.log(2 * CUTOFF / gap))))
    return ratios


def _sum_finding(power: int, tolerance: float | None) -> Finding:
    found = {c: _sum_over_formula(power, c) for c in (0.3, 0.5, 0.6)}
    fits = {c: all(agrees(r, 1.0, tolerance) for r in pair) for c, pair in found.items()}
    words = "; ".join(f"λ = {c}: {a:.3f} (α), {b:.3f} (β)" for c, (a, b) in found.items())
    return Finding(words, verdict_on(fits[0.3], in_full=all(fits.values())))


@settles("LK-eq15-plain-sum")
def _eq15_plain_sum(tolerance: float | None) -> Finding:
    return _sum_finding(0, tolerance)


@settles("LK-eq15-weighted-sum")
def _eq15_weighted_sum(tolerance: float | None) -> Finding:
    return _sum_finding(2, tolerance)


@settles("LK-eq16-zone")
def _eq16_zone(tolerance: float | None) -> Finding:
    averages = [float(s.average(eta_k(s.points) ** 2)) for s in sheets_at(DENSITY)]

    def shares(theory: TriplonMeanField, kappa: float) -> list[float]:
        gap = theory.with_interaction(kappa=kappa).gap()
        return [kappa**2 * averages[1 - i] / float(gap[i, 2] / gap[i, 0]) for i in (0, 1)]

    wide, limit = shares(theory_at(), KAPPA), shares(theory_at(cutoff=0.03, mesh=2000), 0.1)
    exact, lowest_order = (all(agrees(s, 1.0, tolerance) for s in x) for x in (wide, limit))
    return Finding(
        f"{wide[0]:.3f} (α) and {wide[1]:.3f} (β); {limit[0]:.3f} and {limit[1]:.3f} at κ = 0.1 "
        "and Ω = 0.03 eV",
        verdict_on(exact or lowest_order, in_full=exact),
    )


def _ratio_over_eq18(density: float, coupling: float, **options: float | int) -> float:
    alpha, beta = sheets_at(density)
    closed = float(gap_ratio(beta.density_of_states / alpha.density_of_states, coupling))
    gap = gap_on_zone(density, coupling, 0.0, **options)  # type: ignore[arg-type]
    return gap.ratio() / closed


@settles("LK-fig3b-zone")
def _fig3b_zone(tolerance: float | None) -> Finding:
    densities = (0.33, 0.36, 0.4, DENSITY, 0.5, 0.55, 0.6, 0.7, 0.8)
    found = {(n, c): _ratio_over_eq18(n, c) for n in densities for c in (0.3, 0.6)}
    narrow = _ratio_over_eq18(0.36, 0.6, cutoff=0.02, mesh=3000)
    here = all(agrees(found[DENSITY, c], 1.0, tolerance) for c in (0.3, 0.6))
    caveat = here and agrees(narrow, 1.0, tolerance)
    everywhere = all(agrees(value, 1.0, tolerance) for value in found.values())
    return Finding(
        f"between {min(found.values()):.2f} and {max(found.values()):.2f}; at n_c = {DENSITY} "
        f"{found[DENSITY, 0.3]:.3f} (λ = 0.3) and {found[DENSITY, 0.6]:.3f} (λ = 0.6); at "
        f"n_c = 0.36 {found[0.36, 0.6]:.2f} with Ω = 0.3 eV and {narrow:.3f} with 0.02 eV",
        verdict_on(everywhere or caveat, in_full=everywhere),
    )


@settles("LK-fig3b-large-changes")
def _fig3b_large_changes(_: float | None) -> Finding:
    full = [gap_on_zone(n).ratio() for n in (0.35, 0.6)]
    closed = [
        factorized_gap(sheets_at(n), coupling=COUPLING, kappa=KAPPA).ratio() for n in (0.35, 0.6)
    ]
    large = [first / last > 1.25 for first, last in (full, closed)]
    return Finding(
        f"from {full[0]:.2f} to {full[1]:.2f}; Eq. 18: from {closed[0]:.2f} to {closed[1]:.2f}",
        verdict_on(any(large), in_full=all(large)),
    )


@settles("LK-fig4b-zone")
def _fig4b_zone(tolerance: float | None) -> Finding:
    printed = factorized_gap(sheets_at(DENSITY), coupling=COUPLING, kappa=KAPPA)
    curves = [
        [np.abs(g.at_angle(i, THETA) / g.at_angle(0, 0.0)) for i in (0, 1)]
        for g in (printed, gap_on_zone())
    ]
    miss = [float(np.abs(a - b).max()) for a, b in zip(*curves, strict=True)]
    fits = agrees(max(miss), 0.0, tolerance)
    return Finding(
        f"largest distance {miss[0]:.3f} (α), {miss[1]:.3f} (β)",
        verdict_on(fits),
    )


def changed_gaps() -> dict[str, GapFunction]:
    """Mesh solutions with each band parameter changed by a fifth, and for several cutoffs."""
    bands = {
        f"{name} {factor:+.0%}": gap_with_changed_band(name, 1 + factor)
        for name in PRINTED_BANDS
        for factor in (-0.2, 0.2)
    }
    cutoffs = {f"Ω = {cutoff} eV": gap_on_zone(cutoff=cutoff) for cutoff in (0.1, 0.15, 0.45, 0.6)}
    return bands | cutoffs


@cache
def hierarchy_crossing() -> float:
    """Density per Ni above which the β gap on the diagonal is the larger one, on the mesh."""
    return float(brentq(lambda n: gap_on_zone(n).ratio() - 1, 0.7, 0.95, xtol=1e-4))


@settles("LK-fig4b-hierarchy-zone")
def _fig4b_hierarchy_zone(_: float | None) -> Finding:
    lowest = {
        name: float(np.abs(gap.at_angle(0, THETA) / gap.at_angle(1, THETA)).min())
        for name, gap in changed_gaps().items()
    }
    worst = min(lowest, key=lambda name: lowest[name])
    crossing = hierarchy_crossing()
    return Finding(
        f"smallest Δ_α/Δ_β at equal θ {lowest[worst]:.2f} ({worst}); along n_c the order ends at "
        f"{crossing:.2f}",
        verdict_on(min(lowest.values()) > 1, in_full=crossing >= 1),
    )


@settles("LK-fig4b-anisotropy-zone")
def _fig4b_anisotropy_zone(_: float | None) -> Finding:
    spreads = {name: _spread(gap) for name, gap in changed_gaps().items()}
    alpha, beta = ([pair[i] for pair in spreads.values()] for i in (0, 1))
    return Finding(
        f"largest over smallest gap {min(alpha):.2f} to {max(alpha):.2f} (α), {min(beta):.2f} to "
        f"{max(beta):.2f} (β)",
        verdict_on(True, in_full=min(alpha + beta) > 1.25),
    )


@settles("LK-eq18-cutoff")
def _eq18_cutoff(tolerance: float | None) -> Finding:
    wide = {c: gap_on_zone(cutoff=c).ratio() for c in (0.15, 0.3, 0.6)}
    narrow = {c: gap_on_zone(cutoff=c, mesh=2000).ratio() for c in (0.02, 0.04)}
    spreads = [max(r.values()) / min(r.values()) - 1 for r in (wide, narrow)]
    words = ", ".join(f"{ratio:.2f} at {cutoff}" for cutoff, ratio in (wide | narrow).items())
    at_once, in_the_limit = (agrees(spread, 0.0, tolerance) for spread in spreads)
    return Finding(f"Δ_α/Δ_β = {words} eV", verdict_on(at_once or in_the_limit, in_full=at_once))


@settles("LK-eq18-small-coupling")
def _eq18_small_coupling(_: float | None) -> Finding:
    kelvin = {
        c: theory_at().with_interaction(coupling=c).critical_temperature() / KELVIN
        for c in (0.3, 0.5, 0.6)
    }
    needed = [coupling_for(t) for t in (40.0, 80.0)]
    argument = 0.6 * np.log(gap_on_zone(coupling=0.6).ratio()) / 2
    words = ", ".join(f"{t:.0f} K at λ = {c}" for c, t in kelvin.items())
    small = argument < 1
    consistent = kelvin[0.3] < 80
    return Finding(
        f"small for Eq. 18, whose expansion has the argument {argument:.2f} at λ = 0.6; but "
        f"T_c = {words}, and 40 to 80 K need λ = {needed[0]:.3f} to {needed[1]:.3f}",
        verdict_on(small, in_full=consistent),
    )


@settles("LK-eq14-scale")
def _eq14_scale(_: float | None) -> Finding:
    words = []
    for kelvin in (40.0, 80.0):
        gap = gap_on_zone(coupling=coupling_for(kelvin), mesh=1200)
        alpha, beta = (np.abs(v) * 1e3 for v in gap.values)
        words.append(
            f"{kelvin:.0f} K: α {alpha.min():.1f} to {alpha.max():.1f}, β {beta.min():.1f} to "
            f"{beta.max():.1f} meV"
        )
    return Finding(f"gaps for T_c of {'; '.join(words)}", "outside")
