"""What GLYWH's t-J model comes to (Fig. 4, Eqs. 36-48)."""

from dataclasses import replace
from functools import cache
from math import pi
from typing import Any

import numpy as np
from scipy import constants
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.special import expit

from nickbook.arrays import Floats
from nickbook.bands import (
    BlochModel,
    FermiSea,
    FourBandParameters,
    bilayer_hubbard,
    bilayer_plane,
    chemical_potential,
    distorted,
    filling,
    four_band,
    zone_mesh,
)
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh import stored as flows
from nickbook.claims.glywh.bands import fig4d_pocket
from nickbook.claims.glywh.susceptibility import (
    HUND,
    SHARE,
    critical,
    rpa_state,
    scattering_at,
)
from nickbook.dimers.fock import annihilators, total
from nickbook.observables import spin_spectrum
from nickbook.pairing import (
    GapFunction,
    ProjectedTJModel,
    TJSolution,
    kanamori,
    tj_critical_temperature,
    tj_mean_field,
)
from nickbook.pairing.tj.free_energy import Problem
from nickbook.pairing.tj.model import CONVENTIONS
from nickbook.pairing.tj.search import UnresolvedGapError
from nickbook.papers import GLYWH

J1, J2 = GLYWH.J1, GLYWH.J2
KELVIN = constants.value("Boltzmann constant in eV/K")
CRITICAL_MESH = 128
FINE_MESH = 400
#: Readings that verdicts rest on: the derived one, and the paper's Eqs. 46 and 47.  Eq. 48 has its
#: own verdict; what the other rows would be with it is only reported.
READINGS = ("bond", "eq46-47")
SHOWN = (*READINGS, "eq48")
#: Above the largest J2 of GLYWH Fig. 4, in eV.
STRONGEST = 0.45
#: Normal averages of the bonds that the paper leaves out, by the words of the rows.
FIELDS = {"fock": "fock", "levels": "hartree-fock"}
#: In eV, above the critical temperature with any bond field.
ABOVE = 0.0125
#: The plane at 2π is that at 0, displaced by (π, π).
PLANES = (0.0, pi / 2, pi)
#: Sheets of the four-band model at n = 3, in their order.
BETA, GAMMA, ALPHA = range(3)


def exchange(first: float = J1, second: float = J2, between: float | None = None) -> dict[str, Any]:
    """Constants of GLYWH Fig. 4(a); `between` replaces 5 J2 as that of z² between the layers."""
    link = 5 * second if between is None else between
    return {"J1": first, "J2": second, "J1_inter": first / 5, "J2_inter": link}


@cache
def solution(
    first: float = J1,
    second: float = J2,
    between: float | None = None,
    convention: str = "bond",
    doping: float = 0.0,
    mesh: int = 128,
) -> TJSolution:
    """Lowest s-wave state."""
    given = exchange(first, second, between) | {"convention": convention}
    return tj_mean_field(four_band(), 3 + doping, **given, channel="s", mesh=mesh)


def gaps(**given: Any) -> dict[str, float]:
    """Amplitudes of `solution` in eV, with the one of z² between the layers positive."""
    found = solution(**given).gaps
    sign = np.sign(found["inter2"])
    return {name: float(sign * value) for name, value in found.items()}


def by_convention(names: tuple[str, ...] = SHOWN, **given: float) -> dict[str, dict[str, float]]:
    """Amplitudes in several readings of the paper; names without hyphens, as conditions need."""
    return {word(name): gaps(convention=name, **given) for name in names}


def word(convention: str) -> str:
    """Name of a reading as the rows spell it."""
    return convention.replace("-", "_")


@cache
def gap_on_lines(second: float = J2, convention: str = "bond") -> GapFunction:
    """Gaps on β, γ and α for the constants of GLYWH Fig. 4(c), positive on γ."""
    found = solution(J1, second, 5 * J2, convention).gap_function()
    sign = np.sign(found.values[1].mean())
    return replace(found, values=tuple(sign * v for v in found.values))


@cache
def critical_kelvin(
    doping: float = 0.0,
    second: float = J2,
    between: float = 5 * J2,
    first: float = J1,
    channel: str = "s",
    convention: str = "bond",
    mesh: int = CRITICAL_MESH,
) -> float:
    """Critical temperature in K, zero where the mesh does not resolve it."""
    given = exchange(first, second, between) | {"convention": convention}
    try:
        found = tj_critical_temperature(
            four_band(), 3 + doping, **given, channel=channel, mesh=mesh
        )
    except UnresolvedGapError:
        return 0.0
    return found / KELVIN


def pair_attraction() -> Numbers:
    """Divide the printed attractions of Eq. 36 by those of H_J on a ring in two layers."""
    length = 3
    c, ring = annihilators(4 * length), range(length)
    create = [a.conj().T for a in c]

    def mode(x: int, layer: int) -> int:
        return 2 * (2 * (x % length) + layer)

    def exchange_energy(i: int, j: int) -> csr_array:
        """S·S − n n/4 between two sites, which counts singlets."""
        singlet = (c[i] @ c[j + 1] - c[i + 1] @ c[j]) / np.sqrt(2)
        return csr_array(-singlet.conj().T @ singlet)

    def pair(k: float, up: int, down: int) -> csr_array:
        made = total(
            np.exp(1j * k * (x - y)) / length * (create[mode(x, up)] @ create[mode(y, down) + 1])
            for x in ring
            for y in ring
        )
        return csr_array(made[:, [0]])  # the empty state comes first

    in_plane = total(exchange_energy(mode(x, a), mode(x + 1, a)) for x in ring for a in (0, 1))
    between = total(exchange_energy(mode(x, 0), mode(x, 1)) for x in ring)
    k, q = 0.0, 2 * pi / length
    inside = (pair(k, 0, 0).conj().T @ in_plane @ pair(q, 0, 0))[0, 0]
    across = (pair(k, 0, 1).conj().T @ between @ pair(q, 1, 0))[0, 0]
    printed = -4 * np.cos(k) * np.cos(q) / length, -1 / (2 * length)
    return {"intralayer": printed[0] / inside.real, "interlayer": printed[1] / across.real}


def slope_multiples(mesh: int = 32) -> Numbers:
    """Multiples of J and J' that Eq. 37, differentiated as printed, puts into Eqs. 46 and 47.

    The averages d and g come from the eigenvectors of GLYWH Eq. 40, the slope of the
    quasiparticles' energy from the closed forms.
    """
    found = solution()
    names = [mode.name for mode in found.problem.modes]
    x = np.array([0.01, 0.02, -0.1, 0.2])
    problem = replace(found.problem, mesh=mesh)
    slope = problem(x, found.mu)[1] - 2 * problem.stiffness * x
    k = zone_mesh(mesh).reshape(-1, 2)
    form = np.cos(k).sum(axis=-1)
    h = found.hamiltonian(k) - found.mu * np.eye(4)
    gap = replace(found, x=x).gap_matrix(k)
    energies, u = np.linalg.eigh(np.block([[h, gap], [gap.conj().swapaxes(1, 2), -h]]))
    average = (u * (energies < 0)[:, None]) @ u.conj().swapaxes(1, 2)
    d = float(np.mean(form * average[:, 1, 5].real))
    g = float(np.mean(average[:, 1, 7].real + average[:, 3, 5].real))
    in_plane, between = 1 / 2, 2  # the coefficients of |Δ|²/J and |Δ|²/J' in Eq. 37
    return {
        "in_plane": slope[names.index("s 2")] / (2 * in_plane * d),
        "between": slope[names.index("interlayer 2")] / (between * g),
    }


@cache
def hubbard_state(electrons: float = 1.8) -> GapFunction:
    """Leading state of the bilayer Hubbard model by exchange of spin fluctuations, T = 0.1 t."""
    sizes = {"temperature": 0.1, "mesh": 32, "points": 16}
    return rpa_state(bilayer_hubbard(), electrons, hund=0.0, **sizes)[0].gap


def eq48_prefactor() -> Numbers:
    names = ("eq46-47", "eq48")
    (_, here), (_, there) = (CONVENTIONS[name] for name in names)
    printed, other = (1e3 * gaps(convention=name)["inter2"] for name in names)
    return {"ratio": there / here, "printed": printed, "other": other}


def fig4a() -> Numbers:
    """Amplitudes in meV, their shares and signs, and how they and the energy grow."""
    found, points = gaps(), ((0.05, 0.1), (J1, 0.06), (J1, J2), (0.3, 0.15))
    products = [
        g["s2"] * g["inter2"]
        for first, second in points
        for g in by_convention(tuple(CONVENTIONS), first=first, second=second).values()
    ]
    states = [solution(second=second) for second in (0.06, 0.075, 0.1, 0.15)]
    sizes, energies = np.transpose([[abs(s.gaps["inter2"]), s.condensation_energy] for s in states])
    weak = [gaps(first=first)["inter2"] for first in (0.0, J1, 2 * J1)]
    return {
        **{name: 1e3 * abs(value) for name, value in found.items()},
        "share": max(abs(found[name]) for name in ("s1", "d1", "inter1")) / found["inter2"],
        **{name: 1 / (1 + abs(g["inter2"] / g["s2"]) / 2) for name, g in by_convention().items()},
        "products": products,
        "gap": sizes[-1] / sizes[1],
        "energy": energies[-1] / energies[1],
        "smallest_step": min(*np.diff(sizes), *np.diff(energies)),
        "change": max(weak) / min(weak) - 1,
    }


def fig4a_d_wave() -> Numbers:
    tried = (0.3, 0.6, 1.2, 1.8, 2.4)
    ahead = [critical_kelvin(first=x, channel="d") > critical_kelvin(first=x) for x in tried]
    i = [*ahead, True].index(True)
    return {
        "kind": solution().stability().kind,
        "s": critical_kelvin(),
        "d": critical_kelvin(channel="d"),
        "below": tried[i - 1] if i else 0.0,
        "above": tried[i] if i < len(tried) else float("inf"),
    }


def fig4b() -> Numbers:
    gap, names = gap_on_lines(), ("beta", "gamma", "alpha")
    sizes = dict(zip(names, map(np.abs, gap.values), strict=True))
    found: Numbers = {"off": 0.0}
    for name, i in (("alpha", ALPHA), ("beta", BETA)):
        found[name] = sizes[name].min() / sizes[name].max()
        off = abs(gap.sheets[i].angle[sizes[name].argmin()] % (pi / 2) - pi / 4)
        found["off"] = max(found["off"], off)
    return {
        "largest": {name: 1e3 * size.max() for name, size in sizes.items()},
        "signs": dict(zip(names, gap.signs(), strict=True)),
        "nodes": found,
    }


def fig4b_enhancement() -> Numbers:
    """Smallest gap on γ and condensation energy as found, and with the sign in the layers reversed.

    With the sign reversed the gap is the largest on γ, and the filling is restored.  The best state
    without opposite signs has no amplitude in the layers; its condensation energy comes last.
    """
    found = solution()
    problem = found.problem
    if not isinstance(problem, Problem):
        raise TypeError("the s-wave channel has a Problem")
    x = found.x * [-1.0 if mode.name == "s 2" else 1.0 for mode in problem.modes]
    other = replace(found, x=x, mu=problem.level(x, found.mu))
    here, there = (np.abs(s.gap_function(found.sea).values[GAMMA]) for s in (found, other))
    energies = {
        "gap": here.min(),
        "gap_reversed": there.max(),
        "energy": found.condensation_energy,
        "energy_reversed": found.condensation_energy + found.free_energy - other.free_energy,
        "energy_without": solution(second=0.0, between=5 * J2).condensation_energy,
    }
    return {name: 1e3 * value for name, value in energies.items()}


def turning(convention: str) -> float:
    """J2 in eV at which the average over α turns opposite to γ; infinite if there is none."""

    def alpha(second: float) -> float:
        gap = gap_on_lines(second, convention)
        return float(gap.sheets[ALPHA].average(gap.values[ALPHA]))

    return brentq(alpha, J2, STRONGEST, xtol=1e-3) if alpha(STRONGEST) <= 0 else float("inf")


def fig4c() -> Numbers:
    """Gaps at J2 = 0 over those at 0.075 eV, J2 where α turns, and critical temperatures."""
    zero = {}
    for name in SHOWN:
        pairs, sheets = [], []
        for second in (0.0, J2):
            pairs.append(gaps(second=second, between=5 * J2, convention=name)["inter2"])
            sheets.append(np.abs(gap_on_lines(second, name).values[GAMMA]).mean())
        zero[word(name)] = [sheets[0] / sheets[1], pairs[0] / pairs[1]]
    step, both = 1.1, critical_kelvin()
    changed = (critical_kelvin(second=J2 * step), critical_kelvin(between=5 * J2 * step))
    by_plane, by_link = np.log(np.array(changed) / both) / np.log(step)
    factors = {name: 1 / pair for name, (_, pair) in zero.items()}
    return {
        "zero": zero,
        "strong": {"strongest": STRONGEST} | {word(name): turning(name) for name in SHOWN},
        "dramatic": {"by_plane": by_plane, "by_link": by_link} | factors,
        "both": both,
        "no_plane": critical_kelvin(second=0.0),
        "no_link": critical_kelvin(between=0.0),
    }


def best_dopings(convention: str) -> dict[str, float]:
    """Doping per cell from n = 3 at which the gap on γ and each amplitude of z² are largest."""
    tried = np.linspace(0, 0.16, 9)
    rows = []
    for doping in tried:
        found = solution(convention=convention, doping=float(doping), mesh=FINE_MESH)
        gap = found.gap_function()
        on_gamma = gap.sheets[GAMMA].average(np.abs(gap.values[GAMMA]))
        rows.append([on_gamma, abs(found.gaps["s2"]), abs(found.gaps["inter2"])])
    fine = np.linspace(tried[0], tried[-1], 321)
    return {
        name: float(fine[np.polyval(np.polyfit(tried, column, 3), fine).argmax()])
        for name, column in zip(("gamma", "s2", "inter2"), np.array(rows).T, strict=True)
    }


def printed_offset() -> float:
    """Electrons per cell by which the printed chemical potential misses three."""
    pocket = fig4d_pocket()
    return float(pocket["from_printed"] - pocket["delta"])


def fig4d_optimum() -> Numbers:
    here, printed = (best_dopings(name) for name in READINGS)
    found: Numbers = {"here": here, "printed": printed, "offset": printed_offset()}
    for name, fields in FIELDS.items():
        start, doped = (
            tj_mean_field(four_band(), 3 + x, **exchange(), channel="s", bond_fields=fields)
            for x in (0.0, 0.1)
        )
        found[name] = doped.gaps["inter2"] / start.gaps["inter2"]
    return found


def gamma_above(model: BlochModel, mu: float) -> float:
    """Energy of the γ band at M above the level in eV."""
    return float(model.blocks[1].energies(np.array([pi, pi]))[0] - mu)


@cache
def fields_kelvin(fields: str, doping: float) -> float:
    """Critical temperature in K with bond fields, zero where the mesh does not resolve it."""
    options: dict[str, Any] = exchange() | {"bond_fields": fields, "mesh": 96}
    try:
        return tj_critical_temperature(four_band(), 3 + doping, **options) / KELVIN
    except UnresolvedGapError:
        return 0.0


def normal_state(doping: float, fields: str) -> TJSolution:
    """Solve for the normal state with bond fields, just above the largest critical temperature."""
    options = exchange() | {"bond_fields": fields, "temperature": ABOVE, "mesh": 96}
    return tj_mean_field(four_band(), 3 + doping, **options, channel="s")


def gamma_end(fields: str) -> float:
    """Doping per cell at which the γ band with its bond fields passes the level."""

    def above(doping: float) -> float:
        state = normal_state(doping, fields)
        return gamma_above(state.model, state.mu)

    return float(brentq(above, 0.0, 0.35, xtol=1e-3))


@cache
def last_doping(convention: str = "bond") -> float:
    """Doping per cell, to 0.0025, up to which a mesh of 512² points resolves a T_c."""
    low, high = 0.28, 0.36
    if critical_kelvin(low, convention=convention) == 0.0:
        raise ValueError(f"{convention}: no T_c at a doping of {low}; begin the search lower")
    if critical_kelvin(high, convention=convention) > 0.0:
        return float("inf")
    while high - low > 0.0025 + 1e-12:
        middle = (low + high) / 2
        if critical_kelvin(middle, convention=convention, mesh=512) > 0:
            low = middle
        else:
            high = middle
    return low


@cache
def fig4d_end() -> Numbers:
    """Dopings per cell at which γ and T_c vanish, and T_c in K on the way."""
    dopings = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.35)
    start, *later = map(critical_kelvin, dopings)
    lower = [doping for doping, kelvin in zip(dopings[1:], later, strict=True) if kelvin < start]
    ends = {word(name): last_doping(name) for name in (*SHOWN, "eq37")}
    given = {"here": ends["bond"], "printed": ends["eq46_47"], "offset": printed_offset()}
    kelvin: Numbers = {"start": start, "best": max(start, *later), "lower": lower}
    kelvin["doped"] = (0.0, 0.05, 0.1)
    for name, fields in FIELDS.items():
        kelvin[name] = [fields_kelvin(fields, x) for x in kelvin["doped"]]
    return ends | given | kelvin | {"top": fig4d_pocket()["delta"]}


def beta_and_gamma(gap: GapFunction) -> tuple[float, float]:
    """Average gaps in meV on the large pockets of holes and on as many small ones."""
    holes = sorted(
        (sheet.area, 1e3 * float(sheet.average(values)))
        for sheet, values in zip(gap.sheets, gap.values, strict=True)
        if sheet.kind == "hole"
    )
    gamma, beta = np.reshape([average for _, average in holes], (2, -1)).mean(axis=1)
    return float(beta), float(gamma)


def tj_planes() -> Numbers:
    given = exchange() | {"mesh": 48, "temperature": 1e-3, "neighbors": ((1, 1), (1, -1))}
    found = [tj_mean_field(bilayer_plane(kz), 3, **given) for kz in PLANES]
    beta, gamma = np.transpose([beta_and_gamma(state.gap_function()) for state in found])
    return {"channels": [state.channel for state in found], "beta": beta, "gamma": gamma}


def tj_distortion() -> Numbers:
    """Largest d over the interlayer amplitude for two strains, and gaps in meV for one."""
    given, mixed = exchange() | {"mesh": 192, "temperature": 2e-3}, {}
    for name, diagonal in (("diagonal", True), ("axial", False)):
        found = tj_mean_field(distorted(0.1, diagonal=diagonal), 3, **given, channel="s+d").gaps
        mixed[name] = max(abs(found["d1"]), abs(found["d2"])) / abs(found["inter2"])
    before, after = (tj_mean_field(distorted(x, diagonal=True), 3, **given) for x in (0.0, 0.1))
    beta, gamma = beta_and_gamma(after.gap_function())
    start = np.abs(beta_and_gamma(before.gap_function()))
    return mixed | {"channel": after.channel, "beta": beta, "gamma": gamma, "before": start}


@cache
def tj_frg() -> Numbers:
    """Compare the t-J theory with the stored flows, here by either rule and in divERGe.

    Signs relative to γ, and largest gaps on β, γ, α relative to the largest, are those of the t-J
    theory, of N-patch flows that end in pairs and of divERGe; the scales, at δ = 0.1 and 0.2
    relative to n = 3, those of the t-J theory and of each flow.
    """
    stored = {
        "external legs": flows.patch_flows("external")[flows.MAIN],
        # At three electrons this rule ends in spin order.
        "internal legs": flows.patch_flows("internal")["doping 0.1"],
        "divERGe": flows.diverge_flows()["U 5.0"],
    }
    lines = [gap_on_lines().values, *(flow.gaps[0] for flow in stored.values())]
    signs = [[np.sign(v.mean()) for v in line] for line in lines]
    largest = np.array([[np.abs(v).max() for v in line] for line in lines])
    rows = {"t-J": [critical_kelvin(x) for x in (0.0, 0.1, 0.2)]}
    for rule in flows.RULES:
        for name, scales in flows.doped_scales(rule).items():
            rows[f"{name}, {rule} legs" if "patches" in name else name] = scales
    return {
        "names": ["t-J", *stored],
        "beta": [int(s[BETA] * s[GAMMA]) for s in signs],
        "alpha": [int(s[ALPHA] * s[GAMMA]) for s in signs],
        "sizes": largest / largest.max(axis=1, keepdims=True),
        "theories": list(rows),
        "first": [row[1] / row[0] for row in rows.values()],
        "beyond": [row[2] / row[0] for row in rows.values()],
    }


def fig3c_bilayer_hubbard() -> Numbers:
    state = hubbard_state()
    signs = dict(zip((s.parity for s in state.sheets), state.signs(), strict=True))
    beta, gamma, alpha = (signs[sheet.parity] for sheet in gap_on_lines().sheets)
    return {
        "channel": state.representation,
        "even_and_odd": signs[1] * signs[-1],
        "beta": [sign == beta * gamma for sign in tj_frg()["beta"]],
        "alpha": [sign == alpha * gamma for sign in tj_frg()["alpha"]],
    }


def hopping_ratios() -> Numbers:
    """Ratios of exchange constants if each is proportional to the square of its hopping."""
    p = FourBandParameters()
    return {
        "between_1": (p.s11_0 / p.t11_x) ** 2,
        "between_2": (p.s22_0 / p.t22_x) ** 2,
        "in_plane": (p.t11_x / p.t22_x) ** 2,
        # A z² electron reaches x²−y² of the neighbour by a larger hop than z².
        "mixed": (p.t12_x / p.t22_x) ** 2,
        "between_2_mixed": p.s22_0**2 / (p.t22_x**2 + p.t12_x**2),
        "in_plane_mixed": p.t11_x**2 / (p.t22_x**2 + p.t12_x**2),
        "chosen": J1 / J2,
    }


def eq40_level() -> Numbers:
    """Electrons per cell in Eq. 40 as printed, whose level is the zero of energy, and with μ."""
    model = four_band()
    lowest = float(model.energies(zone_mesh(64)).min())
    return {
        "printed": filling(model, 0.0),
        "with_mu": filling(model, chemical_potential(model, GLYWH.filling)),
        "lowest": lowest,
    }


def tj_gamma() -> Numbers:
    """Whether pairs survive γ: at three electrons, with bond fields, and with the constraint.

    Critical temperatures are in K, zero where none is resolved.
    """

    def moved(link: float) -> tuple[BlochModel, float]:
        model = four_band(FourBandParameters(s22_0=link))
        return model, gamma_above(model, chemical_potential(model, GLYWH.filling))

    link = float(brentq(lambda x: moved(x)[1], -1.0, FourBandParameters().s22_0, xtol=1e-3))
    found: Numbers = {"link": link, "start": critical_kelvin()}
    for word, step in (("above", 0.02), ("below", -0.03)):
        try:
            here = tj_critical_temperature(
                moved(link + step)[0], GLYWH.filling, **exchange(), mesh=2 * CRITICAL_MESH
            )
        except UnresolvedGapError:
            here = 0.0
        found[word] = here / KELVIN
    ends = {name: gamma_end(fields) for name, fields in FIELDS.items()}
    found["ends"] = list(ends.values())
    found["beyond"] = [
        fields_kelvin(FIELDS[name], round(end + 0.05, 3)) for name, end in ends.items()
    ]
    state = projected("fock")
    found["constraint"] = {
        "channel": state.channel,
        "gamma": gamma_above(state.model, state.mu),
        "gap": 1e3 * abs(state.gaps["inter2"]),
    }
    return found


@cache
def projected(fields: str, doping: float = 0.0) -> TJSolution:
    """Lowest state at 1 meV without double occupancy, the printed constants."""
    model = ProjectedTJModel(four_band(), **exchange(), bond_fields=fields)
    return model.solve(3 + doping, temperature=1e-3, mesh=64)


def tj_constraint() -> Numbers:
    """Compare the state with the constraint with that without, pairs alone and with hoppings.

    Gaps are in meV, order parameters at δ = 0.1 relative to those at n = 3; a sign is that of β
    relative to the even sheets.
    """
    found: Numbers = {}
    plain = {f: [tj_mean_field(four_band(), 3 + x, **exchange(), bond_fields=f, temperature=1e-3)
                 for x in (0.0, 0.1)] for f in ("none", "fock")}  # fmt: skip
    for fields, free in plain.items():
        held = [projected(fields, x) for x in (0.0, 0.1)]
        for words, states in (("free", free), ("held", held)):
            first = states[0]
            gap, orders = first.gap_function(), [abs(s.order_parameters["inter2"]) for s in states]
            signs: dict[int, list[int]] = {sheet.parity: [] for sheet in gap.sheets}
            for sheet, sign in zip(gap.sheets, gap.signs(), strict=True):
                signs[sheet.parity].append(sign)
            found[f"{fields}_{words}"] = {
                "channel": first.channel,
                "inter": 1e3 * abs(first.gaps["inter2"]),
                "share": abs(2 * first.gaps["s2"] / first.gaps["inter2"]),
                "next": max(abs(v) for n, v in first.gaps.items() if n != "inter2")
                / abs(first.gaps["inter2"]),
                "opposite": first.gaps["s2"] * first.gaps["inter2"] < 0,
                "beta": [s * signs[-1][0] for s in signs[1]],
                "gamma": 1e3 * gamma_above(first.model, first.mu),
                "order": orders[0],
                "doped": orders[1] / orders[0],
            }
    bonds = projected("fock").bonds
    found["electrons"] = bonds.factors.electrons if isinstance(bonds, ProjectedTJModel) else ()
    found["full"] = full_orbital()
    return found


def neutrons() -> Numbers:
    """Absorption at q2 of spins in antiphase: normal, s±, the same gaps with one sign, d.

    The gaps of each band are those of the t-J state, the interaction is a share of the one at which
    the normal state orders at 20 meV; energies are in meV, absorption in 1/eV.
    """
    found = solution()
    gap = found.gap_function()
    largest = [float(np.abs(v).max()) for v in gap.values]
    line = gap.sheets[GAMMA].points
    form = float(np.abs(np.cos(line) @ [1, -1]).max())

    def normal(k: Floats) -> Floats:
        return np.zeros(len(k))

    def opposite(k: Floats) -> Floats:
        _, u = found.model.states(k)
        return np.asarray(np.einsum("kan,kab,kbn->kn", u.conj(), found.gap_matrix(k), u).real)

    def alike(k: Floats) -> Floats:
        return np.abs(opposite(k))

    def d_wave(k: Floats) -> Floats:
        return np.asarray(largest[GAMMA] / form * (np.cos(k) @ [1, -1]))

    U = SHARE * critical(scattering_at(four_band(), GLYWH.filling))
    interaction = kanamori(four_band().sites, U=U, J=HUND * U)
    energies: Floats = np.arange(0.012, 0.034, 0.003)
    absorbed: Numbers = {"energies": 1e3 * energies, "U": U}
    for name, gaps in (
        ("normal", normal),
        ("opposite", opposite),
        ("alike", alike),
        ("d_wave", d_wave),
    ):
        spectrum = spin_spectrum(found.sea, gap=gaps, q=(pi, 0.0), energies=energies, mesh=512)
        absorbed[name] = spectrum.absorption(interaction)
    absorbed["edge"] = 1e3 * (largest[BETA] + largest[GAMMA])
    for name in ("opposite", "alike", "d_wave"):
        ratios = absorbed[name] / absorbed["normal"]
        absorbed[f"{name}_most"] = float(ratios.max())
        absorbed[f"{name}_at"] = float(1e3 * energies[ratios.argmax()])
    there = int((absorbed["opposite"] / absorbed["normal"]).argmax())
    absorbed["apart"] = float(absorbed["opposite"][there] / absorbed["alike"][there])
    return absorbed


def full_orbital() -> float:
    """Doping per cell at which the bands put one electron into each z² orbital."""

    def missing(doping: float) -> float:
        sea = FermiSea.at(four_band(), filling=3 + doping)
        return float(1 - z_electrons(sea))

    return float(brentq(missing, 0.1, 0.5, xtol=1e-4))


def z_electrons(sea: FermiSea, mesh: int = 200) -> float:
    """Electrons of z² at one Ni, from the occupied states on a mesh."""
    k = zone_mesh(mesh).reshape(-1, 2)
    energies, states = np.linalg.eigh(sea.model.hamiltonian(k))
    occupied = expit((sea.mu - energies) / 2e-3)
    return float(2 * np.einsum("kam,km->a", np.abs(states) ** 2, occupied)[1] / len(k))


def doping_both() -> Numbers:
    """Gain of T_c or of the scale by electrons in the t-J theory and in each flow."""
    end, flow = fig4d_end(), tj_frg()
    return {
        "alone": end["best"] / end["start"],
        "fields": [max(end[name][1:]) / end[name][0] for name in FIELDS],
        "flows": flow["first"][1:],
        "theories": flow["theories"][1:],
        "constraint": tj_constraint()["fock_held"]["doped"],
    }


def pressure_exchange() -> Numbers:
    """T_c in K as both exchange constants in the layer grow, and logarithmic slopes."""
    step, base = 1.1, critical_kelvin()
    changed = {
        "first": critical_kelvin(first=J1 * step),
        "second": critical_kelvin(second=J2 * step),
        "between": critical_kelvin(between=5 * J2 * step),
    }
    slopes = {name: np.log(value / base) / np.log(step) for name, value in changed.items()}
    twice = critical_kelvin(first=2 * J1, second=2 * J2, between=5 * J2)
    return {"base": base, "twice": twice} | slopes
