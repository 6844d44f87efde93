"""What GLYWH's Fig. 3 and its text on the weak-coupling flow come to."""

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
    SHEET_PAIRS,
    StoredFlow,
    critical_scales,
    diverge_flows,
    doped_scales,
    frg_table,
    meshes,
    patch_flows,
    repulsions,
)
from nickbook.pairing import FermiPatches, FlowEquation, kanamori
from nickbook.papers import GLYWH

#: Distances in units of π within which two patches count as connected by a momentum.
NEAR = (0.10, 0.15)
#: Patches of a sheet that the symmetries of the square map onto each other; with no more of them an
#: A1 gap is one number on each sheet.
ALIKE = 8
#: Flows with 16 patches from 0.2 electrons a cell below to 0.2 above three, by U in eV.
ACROSS = {
    u: [f"map {u} {d}" if (u, d) != (5.0, 0.0) else "coarse" for d in (-0.2, -0.1, 0.0, 0.1, 0.2)]
    for u in (4.0, 5.0, 6.0)
}


@cache
def three_electrons() -> FermiSea:
    """Three electrons a cell, at the level of the stored flows."""
    return FermiSea(four_band(), patch_flows()[MAIN].mu)


@cache
def main_patches() -> FermiPatches:
    """Patches of the flow with the most of them."""
    return three_electrons().patches(patch_flows()[MAIN].size)


def s_wave_flows() -> list[StoredFlow]:
    """Flows on patches with all terms of the paper that end in an A1 pairing."""
    return [f for f in patch_flows().values() if f.complete and f.leading == "singlet A1"]


def s_wave_at_three() -> list[StoredFlow]:
    """Those of them that hold three electrons a cell."""
    return [f for f in s_wave_flows() if abs(f.mu - three_electrons().mu) < 1e-9]


def columns(flows: list[StoredFlow], **names: str) -> Numbers:
    """Attributes of flows as lists, under names."""
    return {name: [getattr(flow, word) for flow in flows] for name, word in names.items()}


def fig3a() -> Numbers:
    """Leading channels at the end and along the flow, here and in divERGe, scales in meV."""
    ours, theirs, main = patch_flows(), diverge_flows(), patch_flows()[MAIN]
    printed, referee = theirs["printed"], theirs["U 5.0"]
    before = main.scales > main.crossing
    at_q2 = main.channels[Q2][before]
    others = ("start 1.0", "start 0.5", "cutoff smooth", "cutoff frequency")
    return {
        "leading": {
            "ours": main.leading,
            "scale": 1e3 * main.critical_scale,
            "theirs": sorted({f.singlets[0] for f in theirs.values()}),
            **columns(meshes(), meshes="size", by_mesh="spin_share"),
            **columns(repulsions(), U="U", by_U="spin_share"),
            "printed": ours["printed"].leading,
            "printed_theirs": printed.singlets[0],
            "wave": printed.wave,
            "printed_share": printed.spin_share,
            "others": {name: ours[name].leading for name in others},
        },
        "order": {
            "spin": main.spin[0],
            "pairing": main.pairing[0],
            "crossing": 1e3 * main.crossing,
            "first": 1e3 * main.scales[0],
            "last": 1e3 * main.scales[-1],
            **columns(meshes(), by_mesh="lead"),
            **columns(repulsions(), U="U", steps="lead"),
            "at_5": referee.lead,
            "printed": ours["printed"].leading,
        },
        "q2": {
            "ahead": np.mean(at_q2 > main.channels[Q3][before]),
            "first": np.mean(at_q2 == main.spin[before]),
            "theirs": referee.q3_ahead,
            "wave": referee.wave,
        },
        "mediated": {
            "without": ours["no spin"].end("singlet A1"),
            "stop": 1e3 * ours["no spin"].scales[-1],
            "full": 1e3 * ours["coarse"].critical_scale,
        },
    }


def fig3a_two_states() -> Numbers:
    def ends(flow: StoredFlow) -> dict[str, float]:
        bare = max(values[0] for values in flow.channels.values())
        places = {"s": "singlet A1", "d": "singlet B1", "q2": Q2}
        found = {name: flow.end(channel) for name, channel in places.items()}
        return found | {"spin": flow.spin[-1], "bare": bare}

    return {
        "patches": patch_flows()[MAIN].size,
        "main": ends(patch_flows()[MAIN]),
        "flows": [ends(f) for f in s_wave_at_three()],
        "theirs": [f.end("singlet B1") / f.spin[-1] for f in diverge_flows().values()],
    }


def fig3a_representation() -> Numbers:
    flow, kept = patch_flows()[MAIN], main_patches()
    shares = [kept.representation(np.concatenate(gap))[1] for gap in flow.gaps]
    return {"names": flow.singlets, "shares": shares}


def fig3b() -> Numbers:
    """Scattering between sheets, its extremes between α and β, and states without parts of it."""
    flow, referee = patch_flows()[MAIN], diverge_flows()["U 5.0"]
    states = np.sqrt([w.sum() for w in np.split(flow.weights, 3)])
    average = {pair: flow.blocks[pair][1] for pair in SHEET_PAIRS}
    theirs = [g.mean() for g in referee.gaps[0]]
    return {
        "average": list(average.values()),
        "weighted": [x * states[list(SHEET_PAIRS[pair])].prod() for pair, x in average.items()],
        "ratio": abs(theirs[BETA] / theirs[ALPHA]),
        "ours": flow.blocks["α–β"][::2],
        "meshes": [f.size for f in meshes()],
        "theirs": [f.blocks["α–β"][::2] for f in meshes()],
        "pairs": list(SHEET_PAIRS),
        "patches": cuts(flow.vertex),
        "diverge": cuts(referee.vertex),
    }


def cuts(vertex: Floats) -> Numbers:
    """Leading state of a vertex on the main patches without each of the three pairs of sheets.

    Returns the lost shares of the eigenvalue, whether the gaps of β and γ are opposite, and the
    representations.
    """
    patches = main_patches()
    root = np.sqrt(patches.weights)
    sheets = patches.split(np.arange(len(root)))
    full = np.linalg.eigvalsh(-root[:, None] * vertex * root)[-1]
    found: Numbers = {"lost": [], "opposite": [], "names": []}
    for a, b in SHEET_PAIRS.values():
        part = vertex.copy()
        part[np.ix_(sheets[a], sheets[b])] = part[np.ix_(sheets[b], sheets[a])] = 0
        values, states = np.linalg.eigh(-root[:, None] * part * root)
        gap = states[:, -1] / root
        mean = [gap[s].mean() / np.abs(gap).max() for s in sheets]
        found["lost"].append(1 - values[-1] / full)
        # Averages that cancel to rounding have no signs.
        found["opposite"].append(bool(mean[BETA] * mean[GAMMA] < -0.05))
        found["names"].append(patches.representation(gap)[0])
    return found


def fig3c() -> Numbers:
    """Signs of β times γ, variation on both, and sign changes on α, here and in divERGe."""
    ours, theirs, main = s_wave_flows(), list(diverge_flows().values()), patch_flows()[MAIN]
    referee, sizes = diverge_flows()["U 5.0"], [np.abs(gap) for gap in main.gaps[0]]
    fine = [f for f in s_wave_at_three() if f.size > ALIKE]
    return {
        "opposite": {
            who: [f.signs()[BETA] * f.signs()[GAMMA] for f in flows]
            for who, flows in (("ours", ours), ("theirs", theirs))
        },
        "anisotropy": {
            "spread": [size.max() / size.min() for size in sizes],
            "theirs": [np.ptp(gap) / np.abs(gap).max() for gap in referee.gaps[0]],
        },
        "alpha": {
            "ours": [f.nodes()[ALPHA] for f in fine],
            "theirs": [f.nodes()[ALPHA] for f in theirs],
            "like_beta": [
                np.mean([f.signs()[ALPHA] == f.signs()[BETA] for f in flows])
                for flows in (fine, theirs)
            ],
            "scattering": [f.blocks["α–β"][::2] for f in (main, referee)],
        },
    }


def fig3d() -> Numbers:
    """Second states, and the share of opposite gaps of d that q2 connects."""
    ours, referee = patch_flows(), diverge_flows()["U 5.0"]
    tried, repelled = [ours[n] for n in ("coarse", "base", MAIN)], ("U 4.0", "base", MAIN, "U 6.0")
    flows = [ours[n] for n in repelled]
    return {
        "tried": [f.size for f in tried],
        "second": [f.singlets[1] for f in tried],
        "referee": referee.singlets[1],
        "near": NEAR,
        **columns(flows, U="U", patches="size"),
        "ours": [[f.opposite_share(x * np.pi) for f in flows] for x in NEAR],
        "theirs": [referee.opposite_share(x * np.pi) for x in NEAR],
    }


def fig3_proximity() -> Numbers:
    flows = [patch_flows()[n] for n in ("U 4.0", "base", "U 6.0", "U 8.0")]
    theirs = columns(repulsions(), U_theirs="U", theirs="spin_share")
    return columns(flows, U="U", ends="leading", ours="spin_share") | theirs


def fig3_doping() -> Numbers:
    ours, theirs = patch_flows(), diverge_flows()
    across = {u: critical_scales(*names) for u, names in ACROSS.items()}
    channels = {ours[n].leading for names in DOPED.values() for n in names}
    channels |= {f"singlet {theirs[n].singlets[0]}" for n in ("doping 0.1", "doping 0.2")}
    return {
        "scales": doped_scales(),
        "by_patches": critical_scales("coarse", "base", MAIN),
        "channels": sorted(channels),
        "below": [
            {"U": u, "scales": across[u][:3], "ends": [ours[n].leading for n in ACROSS[u][:3]]}
            for u in (5.0, 4.0)
        ],
        "smallest_step": min(np.diff(scales).min() for scales in across.values()),
        "other_ends": sum(ours[n].leading != "singlet A1" for row in ACROSS.values() for n in row),
        "printed": theirs["printed"].filling,
        "from_printed": critical_scales("printed", "base"),
        "nodes": [ours[n].nodes()[BETA] for n in ("map 5.0 0.2", "doping 0.2")],
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


def eq2_kanamori() -> Numbers:
    U, J = GLYWH.U, GLYWH.J
    return {
        "both": turned_interaction(U, J, U - 2 * J, J),
        "equal": turned_interaction(U, J, U, J),
        "no_pairs": turned_interaction(U, J, U - 2 * J, 0),
        "one": turned_interaction(U, J, U - J, 0),
    }


def turned_interaction(U: float, J: float, U_prime: float, J_prime: float) -> float:
    """Largest change of the interaction, in eV, when the two orbitals of a site are turned."""
    before = kanamori((0, 0), U, J, U_prime=U_prime, J_prime=J_prime).tensor
    change = 0.0
    for angle in np.linspace(0, np.pi, 13):
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, -s], [s, c]])
        after = np.einsum("abcd,ai,bj,ck,dl->ijkl", before, turn, turn, turn, turn)
        change = max(change, float(np.abs(after - before).max()))
    return change
