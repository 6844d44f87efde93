"""What LK's bands, gap ratio and anisotropy come to (Figs. 2-4)."""

from functools import cache

import numpy as np
from scipy.optimize import brentq

from nickbook.arrays import Floats
from nickbook.bands import (
    FermiSea,
    FourBandParameters,
    band_fillings,
    conduction_bands,
    eta_k,
    four_band,
)
from nickbook.claims.findings import Numbers
from nickbook.dimers import self_energies
from nickbook.pairing import (
    GapFunction,
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_gap,
)
from nickbook.papers import GLYWH, LK

THETA = np.linspace(0, np.pi / 2, 181)
KAPPAS = (0.25, 0.5, LK.kappa)


@cache
def sea_at(density: float) -> FermiSea:
    """LK's bands of Fig. 2 at an electron density per Ni."""
    return FermiSea.at(conduction_bands(), filling=2 * density)


def changed_seas() -> dict[str, FermiSea]:
    """Bands at the density of LK Fig. 4(b), with one parameter at a time changed by a fifth."""
    return {
        f"{name} {change:+.0%}": FermiSea.at(
            conduction_bands(**{name: (1 + change) * getattr(LK, name)}), filling=2 * LK.density
        )
        for name in ("t1", "t2", "t3", "epsilon_alpha", "epsilon_beta")
        for change in (-0.2, 0.2)
    }


def dos_ratio(sea: FermiSea) -> float:
    """Ratio N_β/N_α."""
    alpha, beta = sea.density_of_states()
    return float(beta / alpha)


def eta_averages(sea: FermiSea, power: int = 2) -> list[float]:
    """Average of a power of η on α and on β; for the square it is Ñ/N."""
    return [float(s.average(eta_k(s.points) ** power)) for s in sea.sheets]


def along_angle(gap: GapFunction) -> Floats:
    """Ratio Δ_α/Δ_β at equal angles θ from 0 to π/2."""
    return np.abs(gap.at_angle(0, THETA) / gap.at_angle(1, THETA))


def spreads(gap: GapFunction) -> list[float]:
    """Largest over smallest gap on each sheet."""
    return [float(np.abs(v).max() / np.abs(v).min()) for v in gap.values]


@cache
def full_gap(kappa: float = LK.kappa, coupling: float = LK.coupling) -> GapFunction:
    """Gap of LK Eq. 15 on the Fermi lines at the density of LK Fig. 4(b)."""
    return triplon_gap(sea_at(LK.density), coupling=coupling, kappa=kappa, cutoff=LK.cutoff)


def printed_gap(kappa: float = LK.kappa) -> GapFunction:
    """Gap of LK Eqs. 16 and 18 there."""
    return factorized_gap(sea_at(LK.density), coupling=LK.coupling, kappa=kappa)


#: Electrons per Ni in α and β and their standard errors, from photoemission on films with Sr
#: (abstract of Sun et al., arXiv:2507.07409, which counts 0.66 holes in β).
MEASURED = (0.11, 1 - 0.66)
MEASURED_ERRORS = (0.02, 0.03)


def fig2() -> Numbers:
    sea, words = FermiSea(conduction_bands(), LK.mu), ("name", "kind", "center", "area")
    alpha, beta = band_fillings(sea.model, sea.mu) / 2
    pockets = [{word: getattr(sheet, word) for word in words} for sheet in sea.sheets]
    found = {"alpha": alpha, "beta": beta, "pockets": pockets}
    return found | {"measured": MEASURED, "errors": MEASURED_ERRORS}


@cache
def four_band_sea() -> FermiSea:
    """GLYWH's four bands with three electrons a cell."""
    return FermiSea.at(four_band(), filling=GLYWH.filling)


def fig2_experiment() -> Numbers:
    """Areas of the Fermi lines of LK Fig. 2 and of GLYWH's bands, shares of the zone."""
    printed = {s.name: s.area for s in FermiSea(conduction_bands(), LK.mu).sheets}
    fitted = {s.name: s.area for s in four_band_sea().sheets}
    return {"printed": printed, "fitted": fitted}


def direct_overlap() -> Numbers:
    """Overlap of x²−y² across the layers in GLYWH's hoppings, and what it splits (eV)."""
    model, level = four_band_sea().model, four_band_sea().mu
    x = [i for i, name in enumerate(model.orbitals) if "x²" in name]

    def levels(place: float) -> tuple[float, float]:
        h = model.hamiltonian([place, place]).real
        return float(h[x[0], x[0]]), float(h[x[0], x[1]])

    crossing = brentq(lambda place: levels(place)[0] - level, 0.3, 2.5)
    printed = FourBandParameters()
    gap = printed_gap()
    return {
        "onsite": abs(printed.s11_0 / printed.s22_0),
        "splitting": 2 * abs(levels(crossing)[1]),
        "gaps": sorted(abs(float(gap.at_angle(i, np.pi / 4))) for i in (0, 1)),
    }


def sheet_parity() -> Numbers:
    """Mirror eigenvalue of α and β in GLYWH's bands, and of the band that LK's dimer raises."""
    sea = four_band_sea()
    mirror = np.asarray(sea.model.mirror)
    parities = {
        sheet.name: float(
            np.mean(np.einsum("ka,ab,kb->k", sheet.states.conj(), mirror, sheet.states).real)
        )
        for sheet in sea.sheets
    }
    shifts = self_energies(t_xz=0.24, E_a=0.525, variant="hubbard")
    dimer = 1.0 if shifts.beta > shifts.alpha else -1.0
    return {"alpha": parities["α"], "beta": parities["β"], "dimer": dimer}


def fig3a() -> Numbers:
    found = {"ratio": LK.density, "low": 0.35, "high": 0.6}
    sea = FermiSea(conduction_bands(), LK.mu)
    saddle = min(p.energy for p in sea.van_hove if p.kind == "saddle")
    density = band_fillings(sea.model, saddle).sum() / 2
    ratios = {name: dos_ratio(sea_at(n)) for name, n in found.items()}
    return ratios | {"saddle": saddle, "density": density}


def eq18() -> Numbers:
    here, ratio = dos_ratio(sea_at(LK.density)), np.linspace(1.0, LK.largest_ratio, 301)
    weak, strong = (
        np.abs(gap_ratio(ratio, c) / gap_ratio_exact(ratio, c) - 1).max() for c in (0.3, 0.6)
    )
    pairs = {
        "eq17": gap_amplitudes(here, LK.coupling, LK.cutoff),
        "eq15": [full_gap().at_angle(i, np.pi / 4) for i in (0, 1)],
    }
    printed = 2 * LK.cutoff * np.exp(-1 / LK.coupling)
    errors = {
        name: [_error_of_eq18(c, left) for c in (0.3, 0.6)]
        for name, left in (("half", 1.0), ("bound", 2.0))
    }
    return errors | {
        "distance": gap_ratio_exact(here, 1e-6) / np.sqrt(here) - 1,
        "weak": weak,
        "strong": strong,
        "left": 0.6 * np.log(gap_ratio_exact(LK.largest_ratio, 0.6)),
        **{name: np.sqrt(np.abs(np.prod(pair))) / printed for name, pair in pairs.items()},
    }


def _error_of_eq18(coupling: float, left: float) -> float:
    """Relative error of Eq. 18 where λ ln(Δ_α/Δ_β) of Eq. 17 has a given value."""

    def excess(log_ratio: float) -> float:
        exact = float(gap_ratio_exact(np.exp(log_ratio), coupling))
        return coupling * float(np.log(exact)) - left

    ratio = np.exp(brentq(excess, 0.0, 60.0))
    return float(gap_ratio(ratio, coupling) / gap_ratio_exact(ratio, coupling)) - 1


def eq15_kappa_linear() -> Numbers:
    return {"worst": np.abs([eta_averages(sea_at(LK.density), power) for power in (1, 3)]).max()}


def eq16() -> Numbers:
    found = {
        f"{name}{weak}": _shape(printed_gap(kappa), i)[0] / _shape(full_gap(kappa), i)[0]
        for i, name in enumerate(("alpha", "beta"))
        for weak, kappa in (("", LK.kappa), ("_weak", 0.1))
    }
    misfits = [_shape(full_gap(), i)[1] for i in (0, 1)]
    return found | {"worst": max(*misfits, _dense_residual(full_gap()))}


def fig4a_order() -> Numbers:
    densities = (0.35, 0.45, 0.6)
    alpha, beta = np.transpose([eta_averages(sea_at(n)) for n in densities])
    return {"densities": densities, "alpha": alpha, "beta": beta}


def fig4b() -> Numbers:
    closed, full = ([r.min(), r.max()] for r in map(along_angle, (printed_gap(), full_gap())))
    changed = [dos_ratio(sea) for sea in changed_seas().values()]
    crossing = brentq(lambda n: dos_ratio(sea_at(n)) - 1, 0.6, 1.0, xtol=1e-6)
    theta = np.linspace(0, np.pi / 2, 1571)
    root = np.sqrt(dos_ratio(sea_at(LK.density)))
    alpha, beta = (theta[np.argmin(np.abs(full_gap().at_angle(i, theta)))] for i in (0, 1))
    return {
        "alpha": alpha,
        "beta": beta,
        "dos_ratio": dos_ratio(sea_at(LK.density)),
        "closed": closed,
        "full": full,
        "crossing": crossing,
        "low": min(changed),
        "high": max(changed),
        "kappas": KAPPAS,
        "spreads": [spreads(full_gap(kappa)) for kappa in KAPPAS],
        "off": spreads(full_gap(0.0)),
        "interband": gap_ratio_exact(dos_ratio(sea_at(LK.density)), LK.coupling),
        # Within a band Δ = 2Ω exp(−1/VN), with V of the same λ = V √(N_α N_β).
        "intraband": np.exp((1 / root - root) / LK.coupling),
    }


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
