"""What GLYWH's Fig. 3 and its text on the weak-coupling flow come to."""

from dataclasses import replace
from functools import cache

import numpy as np

from nickbook.arrays import Floats
from nickbook.bands import FermiSea, four_band, zone_mesh
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh.stored import (
    ALPHA,
    BETA,
    DOPED,
    GAMMA,
    MAIN,
    Q2,
    Q3,
    RULES,
    SHEET_PAIRS,
    StoredFlow,
    critical_scales,
    diverge_flows,
    doped_scales,
    frg_table,
    mapped,
    meshes,
    patch_flows,
    reaches,
    repulsions,
)
from nickbook.pairing import FermiPatches, FlowEquation, frg_flow, kanamori
from nickbook.papers import GLYWH

#: Distances in units of π within which two patches count as connected by a momentum.
NEAR = (0.10, 0.15)
#: Patches of a sheet that the symmetries of the square map onto each other; with no more of them an
#: A1 gap is one number on each sheet.
ALIKE = 8
#: Flows at three electrons that differ in the number of patches alone.
PATCHES = ("coarse", "base", "patches 32", MAIN, "patches 48")


@cache
def three_electrons() -> FermiSea:
    """Three electrons a cell, at the level of the stored flows."""
    return FermiSea(four_band(), patch_flows()[MAIN].mu)


@cache
def main_patches() -> FermiPatches:
    """Patches of the flow with the most of them."""
    return three_electrons().patches(patch_flows()[MAIN].size)


def methods() -> dict[str, StoredFlow]:
    """Select the finest flow by each rule, and that of divERGe at the same couplings."""
    ours = {f"{rule} legs moved": patch_flows(rule)[MAIN] for rule in RULES}
    return ours | {"divERGe": diverge_flows()["U 5.0"]}


def finest_of_diverge() -> StoredFlow:
    """Select the flow of divERGe at 5 eV on the finest mesh that has diagonal bonds."""
    return max(reaches(), key=lambda flow: flow.size)


def s_wave_flows() -> list[StoredFlow]:
    """Flows on patches with all terms of the paper that end in an A1 pairing, by both rules."""
    flows = [f for rule in RULES for f in patch_flows(rule).values()]
    return [f for f in flows if f.complete and f.leading == "singlet A1"]


def s_wave_at_three() -> list[StoredFlow]:
    """Those of them that hold three electrons a cell."""
    return [f for f in s_wave_flows() if abs(f.mu - three_electrons().mu) < 1e-9]


def columns(flows: list[StoredFlow], **names: str) -> Numbers:
    """Attributes of flows as lists, under names."""
    return {name: [getattr(flow, word) for flow in flows] for name, word in names.items()}


def fig3a() -> Numbers:
    """Leading channels at the end and along the flow, by rule and in divERGe, scales in meV."""
    ours, theirs = [patch_flows(rule) for rule in RULES], diverge_flows()
    mains, printed = [flows[MAIN] for flows in ours], theirs["printed"]
    fine = [[flows[name] for name in PATCHES] for flows in ours]
    others = ("start 1.0", "start 0.5", "cutoff smooth", "cutoff frequency")
    tried = [flows[name].leading for flows in ours for name in (*PATCHES, "printed", *others)]
    return {
        "leading": {
            "rules": RULES,
            "ends": [f.leading for f in mains],
            "scales": [1e3 * f.critical_scale for f in mains],
            "patches": [f.size for f in fine[0]],
            "by_patches": [[f.leading for f in flows] for flows in fine],
            "theirs": sorted({f.singlets[0] for f in theirs.values()}),
            **columns(meshes(), meshes="size", by_mesh="spin_share"),
            **columns(reaches(), reach="reach", sizes="size", by_reach="spin_share"),
            "theirs_end": finest_of_diverge().leading,
            **columns(repulsions(), U="U", by_U="spin_share"),
            "printed": [flows["printed"].leading for flows in ours],
            "printed_theirs": printed.singlets[0],
            "printed_share": printed.spin_share,
            "others": {name: [flows[name].leading for flows in ours] for name in others},
            "tried": len(tried),
            "other_ends": sum(name != "singlet A1" for name in tried),
        },
        "order": {
            "rules": RULES,
            "ends": [f.leading for f in mains],
            "first": [f.spin_first for f in mains],
            "crossing": [1e3 * f.crossing if f.lead else 0.0 for f in mains],
            "last": [1e3 * f.scales[-1] for f in mains],
            **columns(repulsions(), U="U", steps="lead"),
            "theirs_end": finest_of_diverge().leading,
            "printed": [flows["printed"].leading for flows in ours],
        },
        "q2": {
            "rules": RULES,
            "ahead": [f.share_ahead(Q2, Q3) for f in mains],
            "first": [f.share_ahead(Q2) for f in mains],
            "waves": [f.wave_before for f in mains],
            # A mesh that holds both momenta.
            "theirs": [theirs[n].q3_ahead for n in ("U 5.0", "5 eV, reach 1.45, mesh 12")],
            "wave": finest_of_diverge().wave,
        },
        "mediated": {
            "rules": RULES,
            "full": [1e3 * flows["coarse"].critical_scale for flows in ours],
            "spin": [1e3 * flows["spin only"].critical_scale for flows in ours],
            "by_spin": [flows["spin only"].leading for flows in ours],
            "charge": [1e3 * flows["charge only"].critical_scale for flows in ours],
            "by_charge": [flows["charge only"].leading for flows in ours],
            **{
                f"{kind}_{what}": [getattr(flows[f"{kind} only"], name) for flows in ours]
                for kind in ("spin", "charge")
                for what, name in (("state", "best"), ("opposite", "opposite"))
            },
            "without": [flows["no spin"].end("singlet A1") for flows in ours],
            "stop": 1e3 * ours[0]["no spin"].scales[-1],
        },
    }


def fig3a_two_states() -> Numbers:
    def ends(flow: StoredFlow) -> dict[str, float]:
        places = {"s": "singlet A1", "d": "singlet B1", "q2": Q2}
        found = {name: flow.end(channel) for name, channel in places.items()}
        both = flow.diverges("singlet A1") and flow.diverges("singlet B1")
        return found | {"spin": flow.spin[-1], "both": both}

    return {
        "rules": RULES,
        "mains": [ends(patch_flows(rule)[MAIN]) for rule in RULES],
        "flows": [ends(f) for f in s_wave_at_three()],
        "theirs": [f.end("singlet B1") / f.spin[-1] for f in diverge_flows().values()],
    }


def fig3a_representation() -> Numbers:
    """Shares of one representation in the states of flows that know no symmetry."""
    bare = FermiSea(replace(four_band(), symmetries=()), three_electrons().mu)
    found: Numbers = {"patches": [ALIKE, 2 * ALIKE], "names": [], "shares": [], "scales": []}
    for count in found["patches"]:
        kept = three_electrons().patches(count)
        flow = frg_flow(bare, U=GLYWH.U, J=GLYWH.J, patches=count, mesh=32, stop=0.005)
        if len(flow.equation.permutations) > 1 or not _same(flow.patches.points, kept.points):
            raise RuntimeError("a flow without symmetries needs the patches of one with them")
        states = [kept.representation(mode.values) for mode in flow.pairing()[:3]]
        found["names"].append([name for name, _ in states])
        found["shares"].append([share for _, share in states])
        found["scales"].append(1e3 * flow.critical_scale)
    return found | {"symmetric": critical_scales("smallest", "coarse")}


def _same(one: Floats, other: Floats) -> bool:
    away = one - other
    return bool(np.abs(away - 2 * np.pi * np.round(away / (2 * np.pi))).max() < 1e-6)


def fig3b() -> Numbers:
    """Scattering between sheets, its extremes between α and β, and states without parts of it."""
    flows, states = methods(), [w.sum() for w in np.split(patch_flows()[MAIN].weights, 3)]
    average = [[f.blocks[pair][1] for pair in SHEET_PAIRS] for f in flows.values()]
    joint = [np.sqrt(states[a] * states[b]) for a, b in SHEET_PAIRS.values()]
    return {
        "methods": list(flows),
        "pairs": list(SHEET_PAIRS),
        "average": average,
        "weighted": np.multiply(average, joint),
        "alpha_beta": [f.blocks["α–β"][::2] for f in flows.values()],
        "meshes": [f.size for f in meshes()],
        "by_mesh": [f.blocks["α–β"][::2] for f in meshes()],
        "cuts": [cuts(f.vertex) for f in flows.values()],
    }


def cuts(vertex: Floats) -> Numbers:
    """Leading state of a vertex on the main patches without each of the three pairs of sheets.

    Returns the lost shares of the eigenvalue, whether the gaps of β and γ are opposite, the
    representations, and the sign changes on α in the best A1 state, first of the whole vertex.
    """
    patches = main_patches()
    root = np.sqrt(patches.weights)
    sheets = patches.split(np.arange(len(root)))
    basis = patches.symmetry_functions(1)["A1"]

    def states(part: Floats) -> tuple[float, Floats, int]:
        matrix = -root[:, None] * part * root
        values, vectors = np.linalg.eigh(matrix)
        best = basis @ np.linalg.eigh(basis.T @ matrix @ basis)[1][:, -1]
        return float(values[-1]), vectors[:, -1] / root, turns(best[sheets[ALPHA]])

    full, _, nodes = states(vertex)
    found: Numbers = {"lost": [], "opposite": [], "names": [], "nodes": [nodes]}
    for a, b in SHEET_PAIRS.values():
        part = vertex.copy()
        part[np.ix_(sheets[a], sheets[b])] = part[np.ix_(sheets[b], sheets[a])] = 0
        value, gap, nodes = states(part)
        mean = [gap[s].mean() / np.abs(gap).max() for s in sheets]
        found["lost"].append(1 - value / full)
        # Averages that cancel to rounding have no signs.
        found["opposite"].append(bool(mean[BETA] * mean[GAMMA] < -0.05))
        found["names"].append(patches.representation(gap)[0])
        found["nodes"].append(nodes)
    return found


def turns(gap: Floats) -> int:
    """Sign changes on one turn round a sheet."""
    return int((np.sign(gap) != np.sign(np.roll(gap, 1))).sum())


def fig3c() -> Numbers:
    """Signs of β times γ, variation on both, and sign changes on α, here and in divERGe."""
    ours, theirs = s_wave_flows(), list(diverge_flows().values())
    fine = [f for f in s_wave_at_three() if f.size > ALIKE]
    flows = methods()
    return {
        "opposite": {
            who: [f.opposite for f in chosen]
            for who, chosen in (("ours", ours), ("theirs", theirs))
        },
        "anisotropy": {
            "methods": list(flows),
            "spread": [
                [np.ptp(gap) / np.abs(gap).max() for gap in f.gap("A1")] for f in flows.values()
            ],
        },
        "alpha": {
            "ours": [f.nodes()[ALPHA] for f in fine],
            "elsewhere": [f.nodes()[ALPHA] for f in ours if f not in s_wave_at_three()],
            "theirs": [f.nodes()[ALPHA] for f in theirs],
            "methods": list(flows),
            "nodes": [turns(f.gap("A1")[ALPHA]) for f in flows.values()],
            "like_beta": [
                np.mean([f.signs()[ALPHA] == f.signs()[BETA] for f in chosen])
                for chosen in (fine, theirs)
            ],
        },
    }


def fig3d() -> Numbers:
    """Second states, and the share of opposite gaps of d that q2 connects."""
    flows, tried = methods(), ("coarse", "base", MAIN)
    with_d = {name: f for name, f in flows.items() if "B1" in f.singlets}
    for u in ("U 4.0", "U 6.0"):
        with_d |= {f"{u}, {r}": f for r in RULES if "B1" in (f := patch_flows(r)[u]).singlets}
    return {
        "methods": list(flows),
        "second": [f.singlets[1] for f in flows.values()],
        "sizes": [patch_flows()[n].size for n in tried],
        "by_size": [[patch_flows(rule)[n].singlets[1] for n in tried] for rule in RULES],
        "near": NEAR,
        "tried": list(with_d),
        "shares": [[f.opposite_share(x * np.pi) for f in with_d.values()] for x in NEAR],
    }


def fig3_proximity() -> Numbers:
    chosen = [[patch_flows(r)[n] for n in ("U 4.0", "base", "U 6.0", "U 8.0")] for r in RULES]
    return {
        "rules": RULES,
        "U": [f.U for f in chosen[0]],
        "ends": [[f.leading for f in flows] for flows in chosen],
        "ours": [[f.spin_share for f in flows] for flows in chosen],
        **columns(repulsions(), U_theirs="U", theirs="spin_share"),
    }


def fig3_doping() -> Numbers:
    theirs = diverge_flows()
    ends = [[patch_flows(r)[n].leading for names in DOPED.values() for n in names] for r in RULES]
    others = [f"singlet {theirs[n].singlets[0]}" for n in ("doping 0.1", "doping 0.2")]
    states = sorted({*others, *(state for row in ends for state in row)})
    maps = [mapped(rule, GLYWH.J / GLYWH.U) for rule in RULES]
    scales = [doped_scales(rule) for rule in RULES]
    gains = [row[-1] / row[0] for by_method in scales for row in by_method.values()]
    from_printed = [critical_scales("printed", "base", projection=rule) for rule in RULES]
    return {
        "rules": RULES,
        "scales": scales,
        "least_gain": min(gains),
        "most_gain": max(gains),
        "by_patches": [critical_scales(*PATCHES, projection=rule) for rule in RULES],
        "ends": [sorted(set(row)) for row in ends],
        "states": states,
        "distinct": len(states),
        "below": [
            [
                {"U": u, "scale": 1e3 * f.critical_scale, "end": f.leading, "doping": d}
                for (u, d), f in flows.items()
                if d <= 0 and u == GLYWH.U
            ]
            for flows in maps
        ],
        "other_ends": [sum(f.leading != "singlet A1" for f in m.values()) for m in maps],
        "mapped": len(maps[0]),
        "printed": theirs["printed"].filling,
        "from_printed": from_printed,
        "printed_gain": min(row[1] / row[0] for row in from_printed),
    }


def fig3_equal_footing() -> Numbers:
    """Root mean square of what one loop on patches misses, by rule and diagram."""
    table = frg_table()
    return {
        "rules": table.rule.to_numpy(),
        "diagrams": table.diagram.to_numpy(),
        "misses": table.loop_miss.to_numpy(),
        "averages": table.loop_average.to_numpy(),
        "sums": table["sum"].to_numpy(),
        "between": table.between.to_numpy(),
    }


def fig3_divergence() -> Numbers:
    """Leading channel when the vertex is half as large as at the end, and at the end."""
    flows = [f for rule in RULES for f in patch_flows(rule).values() if f.complete]
    flows = [f for f in flows if np.isfinite(f.critical_scale)]
    return {
        "half": [f.leading_at_half for f in flows],
        "end": [f.leading for f in flows],
        "vertex": [f"singlet {f.singlets[0]}" for f in flows],
    }


def fig3_gamma() -> Numbers:
    table = frg_table()
    found = {
        "electrons": table.electrons,
        "sheets": table.around_sheets,
        "scale": 1e3 * table.around_scale,
        "channel": table.around_channel,
        "share": table.around_referee_pairing / table.around_referee_magnetic,
    }
    rows = zip(*(column.to_numpy().tolist() for column in found.values()), strict=True)
    flows = [dict(zip(found, row, strict=True)) for row in rows]
    return {
        "with_gamma": [f for f in flows if f["sheets"] == 3],
        "without": [f for f in flows if f["sheets"] == 2],
    }


def fig3_vertex() -> Numbers:
    """Largest bare element on eight patches a sheet, bandwidth, and density of states, in eV."""
    patches = three_electrons().patches(8)
    bare = FlowEquation(patches).bare(kanamori(patches.model.sites, GLYWH.U, GLYWH.J))
    return {
        "largest": np.abs(bare).max(),
        "width": np.ptp(four_band().band_energies(zone_mesh(128))),
        "density": three_electrons().density_of_states().sum(),
    }
