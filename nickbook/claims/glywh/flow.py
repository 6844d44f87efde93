"""Functions that settle what GLYWH's Fig. 3 and its text say about the weak-coupling flow."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nickbook.arrays import Floats
from nickbook.bands import fermi_sheets, four_band, zone_mesh
from nickbook.claims.glywh.frg_table import frg_table
from nickbook.claims.rows import Finding, agrees, settles, verdict_on
from nickbook.pairing import FlowEquation, fermi_patches, kanamori

#: Sheets in the order of the table.
BETA, GAMMA, ALPHA = range(3)
MAIN = "main"
#: Momenta that GLYWH follow in Fig. 3(a), as the table names them.
Q2, Q3 = "spin (π, 0)", "spin (0.5π, 0.5π)"
#: Distances within which two patches count as connected by a momentum.
NEAR = {"0.10π": 0.10 * np.pi, "0.15π": 0.15 * np.pi}
SHEET_PAIRS = {"β–γ": (BETA, GAMMA), "α–γ": (ALPHA, GAMMA), "α–β": (ALPHA, BETA)}
#: Blocks of the pairing vertex in the table of divERGe's runs.
BETA_GAMMA, ALPHA_GAMMA, ALPHA_BETA = range(3)
#: Patches of a sheet that the symmetries of the square map onto each other; with no more of them an
#: A1 gap is one number on each sheet.
ALIKE = 8
#: Chemical potential of three electrons a cell, in eV, to the decimals that the paper prints.
MU = 10.0975


def flow(name: str) -> xr.Dataset:
    """One stored N-patch flow."""
    row: xr.Dataset = frg_table().sel(run=name)
    return row


def leading(name: str) -> str:
    """Channel with the largest eigenvalue at the end of a stored flow."""
    return str(final(name).idxmax("channel").item())


def final(name: str) -> xr.DataArray:
    """Eigenvalues of all channels at the end of a stored flow."""
    ends: xr.DataArray = flow(name).eigenvalues.dropna("step", how="all").isel(step=-1)
    return ends


def gaps(name: str, mode: int = 0) -> list[Floats]:
    """Gap of a pairing mode on β, γ and α at the end of a stored flow."""
    row = flow(name)
    return by_sheet(row.gaps.isel(mode=mode).to_numpy(), row.counts.to_numpy().astype(int))


def by_sheet(values: Floats, counts: NDArray[np.int64]) -> list[Floats]:
    """Values on all patches as one array for each sheet."""
    return np.split(values[: counts.sum()], np.cumsum(counts)[:-1])


def referee_gaps(name: str, mode: int = 0) -> list[Floats]:
    """Gap of a singlet mode of divERGe on β, γ and α."""
    return np.split(frg_table().referee_modes.sel(referee=name).isel(pair_mode=mode).to_numpy(), 3)


def referee_names(name: str) -> list[str]:
    """Representations of divERGe's singlet modes, the strongest first."""
    stored = frg_table().referee_representations.sel(referee=name)
    return [str(n) for n in stored.to_numpy()]


def s_wave_runs() -> list[str]:
    """Return the stored flows with all terms of the paper that end in an A1 pairing."""
    table = frg_table()
    whole = [str(n) for n in table.run.to_numpy() if len(str(table.terms.sel(run=n).item())) > 20]
    return [name for name in whole if leading(name) == "singlet A1"]


def referees() -> list[str]:
    """Names of all runs of divERGe."""
    return [str(n) for n in frg_table().referee.to_numpy()]


def repulsions() -> list[str]:
    """Return the runs of divERGe at n = 3 that differ in U alone."""
    return [name for name in referees() if name.startswith("U")]


def meshes(U: float = 5.0) -> dict[int, str]:
    """Find the runs of divERGe at n = 3 that differ in the mesh alone, by momenta along a side."""
    table = frg_table()
    same = (table.referee_U == U) & (table.referee_filling == 3.0) & (table.referee_distance < 1.1)
    names = [str(n) for n in table.referee.to_numpy()[same.to_numpy()]]
    found = {int(table.referee_mesh.sel(referee=n).item()): n for n in names}
    return dict(sorted(found.items()))


def referee_flow(name: str) -> tuple[Floats, Floats, Floats]:
    """Scales, largest magnetic and largest pairing eigenvalue of a run of divERGe."""
    row = frg_table().sel(referee=name).dropna("flow", how="all", subset=["referee_scales"])
    pairs = -row.referee_pairing.min("eigenvalue").to_numpy()
    return row.referee_scales.to_numpy(), row.referee_magnetic.to_numpy(), pairs


def last_steps(name: str) -> int:
    """Count the steps at the end of a run of divERGe in which pairing leads."""
    _, spin, pairs = referee_flow(name)
    behind = np.flatnonzero(pairs <= spin)
    return len(pairs) - 1 - int(behind[-1]) if len(behind) else len(pairs)


def spin_momentum(name: str) -> Floats:
    """Momentum of the strongest spin wave at the end of a run of divERGe, in units of π."""
    row = frg_table().referee_magnetic_momentum.sel(referee=name).dropna("flow")
    place: Floats = np.abs(row.isel(flow=-1).to_numpy()) / np.pi
    return place


def between_blocks(name: str, block: int) -> tuple[float, float]:
    """Smallest and largest element of divERGe's pairing vertex between two sheets, in eV."""
    low, _, high = frg_table().referee_blocks.sel(referee=name).isel(block=block).to_numpy()
    return float(low), float(high)


def at_filling(names: list[str], filling: float = 3.0) -> list[str]:
    """Those of the flows that have a filling; the printed chemical potential has another."""
    table = frg_table().sel(run=names)
    same = (table.filling == filling) & (table.run != "printed")
    return [str(n) for n in table.run.to_numpy()[same.to_numpy()]]


def sign_changes(values: Floats) -> int:
    """Sign changes on one turn round a sheet."""
    return int((np.sign(values) != np.sign(np.roll(values, 1))).sum())


def spin_and_pairing(name: str) -> tuple[Floats, Floats, Floats]:
    """Scales, largest spin and largest pairing eigenvalue of a stored flow."""
    row = flow(name).dropna("step", how="all", subset=["scales"])
    names = [str(c) for c in row.channel.to_numpy()]
    spin = [n for n in names if n.startswith("spin")]
    pairs = [n for n in names if n.startswith(("singlet", "triplet"))]
    largest = [row.eigenvalues.sel(channel=c).max("channel").to_numpy() for c in (spin, pairs)]
    return row.scales.to_numpy(), largest[0], largest[1]


def crossing(name: str) -> float:
    """Scale in eV below which pairing leads over every spin-density wave that is followed."""
    scales, spin, pairs = spin_and_pairing(name)
    below = np.flatnonzero(pairs <= spin)
    return float(scales[min(below[-1] + 1, len(scales) - 1)]) if len(below) else float(scales[0])


def between_sheets(name: str = MAIN) -> tuple[Floats, Floats]:
    """Average of V_S over pairs of sheets in eV, and the same times the densities of states."""
    row = flow(name)
    counts, weights = row.counts.to_numpy().astype(int), row.weights.to_numpy()
    ends = np.concatenate([[0], np.cumsum(counts)])
    scattering = frg_table().scattering.to_numpy()
    average, weighted = np.empty((3, 3)), np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            rows, columns = slice(*ends[i : i + 2]), slice(*ends[j : j + 2])
            part = scattering[rows, columns]
            average[i, j] = part.mean()
            root = np.sqrt(weights[rows].sum() * weights[columns].sum())
            weighted[i, j] = root * part.mean()
    return average, weighted


@settles("GLYWH-fig3a-leading")
def _leading(_tolerance: float | None) -> Finding:
    here, printed = leading(MAIN), leading("printed")
    others = {
        n: leading(n) for n in ("start 1.0", "start 0.5", "cutoff smooth", "cutoff frequency")
    }
    scale = 1e3 * flow(MAIN).critical_scale.item()
    theirs = {referee_names(n)[0] for n in referees()}
    by_mesh = [magnetic_share(n) for n in meshes().values()]
    waves = [n[2:] for n in repulsions() if magnetic_share(n) > 1]
    place = spin_momentum("printed")
    words = (
        f"{here} diverges at {scale:.0f} meV; divERGe's strongest singlet is "
        f"{' or '.join(sorted(theirs))}, but its spin eigenvalue is {min(by_mesh):.2f} to "
        f"{max(by_mesh):.2f} of that at 5 eV, by mesh ({', '.join(map(str, meshes()))}), and "
        f"larger at {', '.join(waves) or 'no other U'} eV on 12²; at the printed chemical "
        f"potential {printed} on the patches, {referee_names('printed')[0]} in divERGe with a spin "
        f"wave at ({place[0]:.2f}π, {place[1]:.2f}π) of {magnetic_share('printed'):.2f}; "
        "with other cutoffs or first scales, on 16 patches: "
        + ", ".join(f"{channel} ({name})" for name, channel in others.items())
    )
    holds = here == "singlet A1" and theirs == {"A1"}
    # A lead that the choice of the mesh can undo is none.
    ahead = max(by_mesh) + np.ptp(by_mesh) < 1
    return Finding(
        words, verdict_on(holds, in_full={printed, *others.values()} == {here} and ahead)
    )


@settles("GLYWH-fig3d-subleading")
def _subleading(_tolerance: float | None) -> Finding:
    second = {n: str(flow(n).gap_names.isel(mode=1).item()) for n in ("coarse", "base", MAIN)}
    counts = {n: int(flow(n).patches.item()) for n in second}
    words = ", ".join(f"{second[n]} with {counts[n]} patches a sheet" for n in second)
    words += f"; divERGe's second singlet is {referee_names('U 5.0')[1]}"
    holds = second[MAIN] == "singlet B1"
    return Finding(words, verdict_on(holds, in_full=len(set(second.values())) == 1))


@settles("GLYWH-fig3c-beta-gamma")
def _beta_gamma(_tolerance: float | None) -> Finding:
    ours = [gaps(name) for name in s_wave_runs()]
    theirs = [referee_gaps(name) for name in referees()]
    opposite = [g[BETA].mean() * g[GAMMA].mean() < 0 for g in (*ours, *theirs)]
    words = (
        f"opposite in {sum(opposite[: len(ours)])} of {len(ours)} N-patch flows and in "
        f"{sum(opposite[len(ours) :])} of {len(theirs)} truncated-unity flows"
    )
    return Finding(words, verdict_on(all(opposite)))


@settles("GLYWH-fig3c-beta-anisotropy")
def _beta_anisotropy(_tolerance: float | None) -> Finding:
    spread = [np.abs(g).max() / np.abs(g).min() for g in gaps(MAIN)]
    theirs = [np.ptp(g) / np.abs(g).max() for g in referee_gaps("U 5.0")]
    words = (
        f"largest over smallest gap {spread[BETA]:.1f} on β, {spread[GAMMA]:.1f} on γ; in divERGe "
        f"the gap varies by {theirs[BETA]:.0%} of its largest on β, {theirs[GAMMA]:.0%} on γ"
    )
    holds = spread[BETA] > 1.5 * spread[GAMMA] and theirs[BETA] > 3 * theirs[GAMMA]
    return Finding(words, verdict_on(holds))


@settles("GLYWH-fig3c-alpha-nodes")
def _alpha_nodes(_tolerance: float | None) -> Finding:
    ours = [gaps(name) for name in at_filling(s_wave_runs()) if flow(name).patches > ALIKE]
    theirs = [referee_gaps(name) for name in referees()]
    changing = [sum(sign_changes(g[ALPHA]) > 0 for g in found) for found in (ours, theirs)]
    with_beta = [np.mean([g[ALPHA].mean() * g[BETA].mean() > 0 for g in f]) for f in (ours, theirs)]
    words = (
        f"α changes sign in {changing[0]} of {len(ours)} N-patch and {changing[1]} of "
        f"{len(theirs)} truncated-unity flows; its sign is that of β in {with_beta[0]:.0%} of the "
        f"former and {with_beta[1]:.0%} of the latter; the scattering between α and β has "
        + " and ".join(
            f"{'both signs' if low < 0 < high else 'one sign'} {where}"
            for (low, high), where in (
                (alpha_beta_range(), "on the patches"),
                (between_blocks("U 5.0", ALPHA_BETA), "in divERGe"),
            )
        )
    )
    everywhere = sum(changing) == len(ours) + len(theirs)
    return Finding(words, verdict_on(sum(changing) > 0, in_full=everywhere))


@settles("GLYWH-fig3b-beta-gamma")
def _dominant(_tolerance: float | None) -> Finding:
    average, weighted = between_sheets()
    theirs = [g.mean() for g in referee_gaps("U 5.0")]
    plain = ", ".join(f"{average[pair]:+.1f} eV {name}" for name, pair in SHEET_PAIRS.items())
    dense = ", ".join(f"{weighted[pair]:+.1f}" for pair in SHEET_PAIRS.values())
    words = (
        f"$V_S$ averages {plain}; times the densities of states {dense}; in divERGe's leading mode "
        f"the product of the gaps of β and γ is {abs(theirs[BETA] / theirs[ALPHA]):.1f} times that "
        "of α and γ"
    )
    others = [(ALPHA, GAMMA), (ALPHA, BETA)]
    largest = all(abs(average[BETA, GAMMA]) > abs(average[o]) for o in others)
    return Finding(words, verdict_on(average[BETA, GAMMA] > 0, in_full=largest))


@settles("GLYWH-fig3b-alpha-beta")
def _alpha_beta(_tolerance: float | None) -> Finding:
    ours = alpha_beta_range()
    theirs = {mesh: between_blocks(name, ALPHA_BETA) for mesh, name in meshes().items()}
    words = (
        f"from {ours[0]:.0f} to {ours[1]:.0f} eV on the patches; in divERGe's vertex "
        + ", ".join(
            f"{low:+.1f} to {high:+.1f} eV (mesh {mesh})" for mesh, (low, high) in theirs.items()
        )
    )
    changes = [low < 0 < high for low, high in (ours, *theirs.values())]
    return Finding(words, verdict_on(any(changes), in_full=all(changes)))


def alpha_beta_range() -> tuple[float, float]:
    """Smallest and largest V_S between α and β at the end of the main flow, in eV."""
    vertex = frg_table().scattering.to_numpy()
    counts = flow(MAIN).counts.to_numpy().astype(int)
    sheets = np.split(np.arange(len(vertex)), np.cumsum(counts)[:-1])
    part = vertex[np.ix_(sheets[ALPHA], sheets[BETA])]
    return float(part.min()), float(part.max())


@settles("GLYWH-fig3b-determines")
def _determines(_tolerance: float | None) -> Finding:
    table = frg_table()
    weights = flow(MAIN).weights.to_numpy()
    found = {
        "on the patches": cuts(table.scattering.to_numpy(), weights),
        "in divERGe's vertex at 5 eV": cuts(table.referee_scattering.to_numpy(), weights),
    }
    words = "; ".join(
        f"{where} the leading eigenvalue loses "
        + ", ".join(f"{cut.lost:.0%} without {pair}" for pair, cut in by_pair.items())
        for where, by_pair in found.items()
    )
    kept = [by_pair["β–γ"].opposite for by_pair in found.values()]
    names = {cut.name for by_pair in found.values() for cut in by_pair.values()}
    words += (
        f"; {' or '.join(sorted(names))} leads in each case; without β–γ the gaps of β and γ are "
        + " and ".join(
            f"{'still' if opposite else 'not'} opposite {where}"
            for opposite, where in zip(kept, found, strict=True)
        )
    )
    largest = [max(by_pair, key=lambda p: by_pair[p].lost) == "β–γ" for by_pair in found.values()]
    return Finding(words, verdict_on(any(largest), in_full=all(largest) and not any(kept)))


class Cut(NamedTuple):
    """What becomes of the leading pairing state without the scattering between two sheets.

    Parameters
    ----------
    lost : float
        Share of the eigenvalue that is lost.
    opposite : bool
        Whether the gaps of β and γ are opposite.
    name : str
        Representation.
    """

    lost: float
    opposite: bool
    name: str = "A1"


def cuts(vertex: Floats, weights: Floats) -> dict[str, Cut]:
    """Leading state of a pairing vertex on three sheets without each pair of them in turn."""
    root = np.sqrt(weights)
    sheets = np.split(np.arange(len(weights)), 3)
    full = np.linalg.eigvalsh(-root[:, None] * vertex * root)[-1]
    patches = fermi_patches(four_band(), MU, len(weights) // 3)
    found = {}
    for pair, (a, b) in SHEET_PAIRS.items():
        part = vertex.copy()
        part[np.ix_(sheets[a], sheets[b])] = part[np.ix_(sheets[b], sheets[a])] = 0
        values, states = np.linalg.eigh(-root[:, None] * part * root)
        gap = states[:, -1] / root
        mean = [gap[s].mean() / np.abs(gap).max() for s in sheets]
        name, _ = patches.representation(gap)
        opposite = bool(mean[BETA] * mean[GAMMA] < -0.05)
        found[pair] = Cut(float(1 - values[-1] / full), opposite, name)
    return found


@settles("GLYWH-fig3a-order")
def _order(_tolerance: float | None) -> Finding:
    at, scale = crossing(MAIN), flow(MAIN).critical_scale.item()
    scales, spin, pairs = spin_and_pairing(MAIN)
    theirs = {n[2:]: last_steps(n) for n in repulsions()}
    never = [u for u, steps in theirs.items() if steps == 0]
    by_mesh = [last_steps(n) for n in meshes().values()]
    printed = leading("printed")
    words = (
        f"pairing leads below {1e3 * at:.0f} meV and diverges at {1e3 * scale:.0f} meV; in divERGe "
        f"at 5 eV it leads in the last {min(by_mesh)} to {max(by_mesh)} steps, by mesh "
        f"({theirs['5.0']} on 12²), "
        + (f"never at {' and '.join(never)} eV" if never else "and at every U")
        + f"; at the printed chemical potential {printed} ends the N-patch flow"
    )
    holds = bool(spin[0] > pairs[0]) and scales[-1] < at < scales[0]
    everywhere = not never and min(by_mesh) > 0 and not printed.startswith("spin")
    return Finding(words, verdict_on(holds, in_full=everywhere))


@settles("GLYWH-fig3a-two-states")
def _two_states(_tolerance: float | None) -> Finding:
    names = at_filling(s_wave_runs())
    ends = {n: d_wave_at_end(n) for n in names}
    past_q2 = [n for n, end in ends.items() if end["d"] > end["q2"]]
    past_all = [n for n, end in ends.items() if end["d"] > end["spin"]]
    # What the bare vertex already has is no divergence.
    both = [n for n in past_q2 if min(ends[n]["d"], ends[n]["s"]) > ends[n]["bare"]]
    theirs = {n: referee_d_wave(n) for n in referees()}
    end = ends[MAIN]
    words = (
        f"on {int(flow(MAIN).patches)} patches s± ends at {end['s']:.1f}, d at {end['d']:.2f}, the "
        f"spin wave at q2 at {end['q2']:.2f}; of {len(names)} N-patch flows d passes that wave in "
        f"{len(past_q2)}, the strongest spin wave in {len(past_all)}, and diverges in {len(both)}; "
        f"divERGe's d is at most {max(theirs.values()):.2f} of its strongest spin eigenvalue"
    )
    holds = bool(both) or max(theirs.values()) > 1
    return Finding(words, verdict_on(holds, in_full=len(both) == len(names)))


def d_wave_at_end(name: str) -> dict[str, float]:
    """Eigenvalues at the end of a flow, and the largest of the bare vertex."""
    ends, (_, spin, _) = final(name), spin_and_pairing(name)
    found = {"s": ends.sel(channel="singlet A1"), "d": ends.sel(channel="singlet B1")}
    found |= {"q2": ends.sel(channel=Q2)}
    bare = flow(name).eigenvalues.isel(step=0).max()
    numbers = {key: float(value) for key, value in found.items()}
    return numbers | {"spin": float(spin[-1]), "bare": float(bare)}


def referee_d_wave(name: str) -> float:
    """Strongest B1 over the largest magnetic eigenvalue at the end of a run of divERGe."""
    row = frg_table().sel(referee=name)
    value = row.referee_mode_values.isel(pair_mode=referee_names(name).index("B1")).item()
    return float(-value / row.referee_magnetic.dropna("flow").isel(flow=-1).item())


@settles("GLYWH-fig3a-q2")
def _q2(_tolerance: float | None) -> Finding:
    row = flow(MAIN).dropna("step", how="all", subset=["scales"])
    high = row.eigenvalues.isel(step=np.flatnonzero(row.scales.to_numpy() > crossing(MAIN)))
    ahead = (high.sel(channel=Q2) > high.sel(channel=Q3)).mean().item()
    spin = [str(c) for c in row.channel.to_numpy() if str(c).startswith("spin")]
    first = (high.sel(channel=spin).idxmax("channel") == Q2).mean().item()
    place, theirs = spin_momentum("U 5.0"), q3_ahead("U 5.0")
    words = (
        f"$\\mathbf q_2$ leads over $\\mathbf q_3$ in {ahead:.0%} of the steps before pairing "
        f"leads, and over all followed momenta in {first:.0%}; in divERGe $\\mathbf q_3$ is "
        + (f"ahead of $\\mathbf q_2$ down to {theirs:.2f} eV" if theirs else "never ahead")
        + f", and the flow ends with ({place[0]:.2f}π, {place[1]:.2f}π)"
    )
    return Finding(words, verdict_on(ahead >= 0.5, in_full=first > 0.5 and not theirs))


def q3_ahead(name: str) -> float:
    """Lowest scale in eV at which q3 leads over q2 in a run of divERGe; zero if it never does."""
    row = frg_table().sel(referee=name).dropna("flow", how="all", subset=["referee_scales"])
    at_q2, at_q3 = row.referee_magnetic_followed.to_numpy().T
    scales = row.referee_scales.to_numpy()[at_q3 > at_q2]
    return float(scales.min()) if len(scales) else 0.0


@settles("GLYWH-fig3a-mediated")
def _mediated(_tolerance: float | None) -> Finding:
    without = final("no spin").sel(channel="singlet A1").item()
    full = flow("coarse").critical_scale.item()
    stop = flow("no spin").scales.dropna("step").to_numpy()[-1]
    words = (
        f"without the crossed channel the s± eigenvalue stays at {without:.2f} down to "
        f"{1e3 * stop:.1f} meV; with it, it diverges at {1e3 * full:.0f} meV"
    )
    return Finding(words, verdict_on(without < 1 and np.isfinite(full)))


@settles("GLYWH-fig3-proximity")
def _proximity(_tolerance: float | None) -> Finding:
    names = ("U 4.0", "base", "U 6.0", "U 8.0")
    ours = [leading(n) for n in names]
    theirs = {n: magnetic_share(n) for n in repulsions()}
    wins = [float(n[2:]) for n, share in theirs.items() if share > 1]
    words = (
        f"N-patch: {', '.join(ours)} for U = 4, 5, 6, 8 eV, with spin over pairing "
        + ", ".join(f"{spin_share(n):.2f}" for n in names)
        + "; divERGe: spin over pairing "
        + ", ".join(f"{share:.2f}" for share in theirs.values())
        + f" for U = {', '.join(n[2:] for n in theirs)} eV"
    )
    rising = bool((np.diff(list(theirs.values())) > 0).all())
    ours_too = any(name.startswith("spin") for name in ours[1:])
    return Finding(words, verdict_on(rising and bool(wins), in_full=ours_too))


def spin_share(name: str) -> float:
    """Largest spin over largest pairing eigenvalue at the end of a stored N-patch flow."""
    _, spin, pairs = spin_and_pairing(name)
    return float(spin[-1] / pairs[-1])


def magnetic_share(name: str) -> float:
    """Largest magnetic over largest pairing eigenvalue at the end of a run of divERGe."""
    row = frg_table().sel(referee=name)
    ends = [
        row[field].dropna("flow").isel(flow=-1) for field in ("referee_magnetic", "referee_pairing")
    ]
    return float(ends[0].item() / -ends[1].min().item())


#: Flows with 16 patches at δ from −0.2 to 0.2 electrons a cell, by U in eV.
ACROSS = {
    u: [
        "coarse" if (u, d) == ("5.0", "0.0") else f"map {u} {d}"
        for d in ("-0.2", "-0.1", "0.0", "0.1", "0.2")
    ]
    for u in ("4.0", "5.0", "6.0")
}
#: Flows at δ = 0, 0.1 and 0.2 electrons a cell, by patches a sheet.
DOPED = {
    24: ("base", "doping 0.1", "doping 0.2"),
    16: ("coarse", "map 5.0 0.1", "map 5.0 0.2"),
}


@settles("GLYWH-fig3-doping")
def _doping(_tolerance: float | None) -> Finding:
    found = doped_scales()
    spread = scales_of(("coarse", "base", MAIN))
    small = found["24 patches"][1] <= max(spread)
    channels = {leading(n) for names in DOPED.values() for n in names}
    channels |= {f"singlet {referee_names(n)[0]}" for n in ("doping 0.1", "doping 0.2")}
    below = " and ".join(
        ", ".join(
            f"{scale:.1f} ({leading(n)})" for n, scale in zip(names, scales_of(names), strict=True)
        )
        + f" at {u[0]} eV"
        for u, names in ((u, ACROSS[u][:3]) for u in ("5.0", "4.0"))
    )
    printed = frg_table().referee_filling.sel(referee="printed").item()
    ends = scales_of(("printed", "base"))
    nodes = [sign_changes(gaps(n)[BETA]) for n in ("map 5.0 0.2", "doping 0.2")]
    words = (
        "critical scale in meV at δ = 0, 0.1, 0.2 a cell: "
        + "; ".join(f"{', '.join(f'{s:.1f}' for s in row)} ({name})" for name, row in found.items())
        + f"; always {' or '.join(sorted(channels))}; the number of patches alone moves it from "
        f"{min(spread):.1f} to {max(spread):.1f}, and the step to 0.1 with 24 patches is "
        f"{'within' if small else 'beyond'} that; below three electrons, at δ = −0.2, −0.1, 0 "
        f"with 16 patches, {below}; from the printed chemical potential (n = {printed:.3f}) to "
        f"n = 3 it goes from {ends[0]:.1f} to {ends[1]:.1f} meV; at δ = 0.2 the gap of β has "
        f"{nodes[0]} nodes with 16 patches and {nodes[1]} with 24"
    )
    rises = [row[-1] > row[0] for row in found.values()]
    beyond = found["24 patches"][-1] > max(spread)
    holds = channels == {"singlet A1"} and any(rises)
    everywhere = all((np.diff(scales_of(names)) > 0).all() for names in ACROSS.values())
    everywhere &= ends[1] > ends[0] and max(nodes) == 0
    everywhere &= {leading(n) for names in ACROSS.values() for n in names} == channels
    return Finding(words, verdict_on(holds, in_full=all(rises) and beyond and everywhere))


@settles("GLYWH-fig3-gamma")
def _gamma(_tolerance: float | None) -> Finding:
    found = around_gamma()
    rows = {with_it: [r for r in found if (r.sheets == 3) == with_it] for with_it in (True, False)}
    scales = {key: [r.scale for r in part] for key, part in rows.items()}
    shares = [r.share for r in found]
    words = (
        f"at {', '.join(f'{r.electrons:.2f}' for r in found)} electrons the N-patch flow ends in "
        f"{' or '.join(sorted({r.channel for r in found}))} at "
        + ", ".join(f"{1e3 * r.scale:.1f}" for r in found)
        + f" meV, the last {len(rows[False])} without γ; divERGe's pairing is "
        + ", ".join(f"{share:.2f}" for share in shares)
        + " of its spin eigenvalue"
    )
    weaker = max(scales[False]) < 0.1 * min(scales[True])
    alone = all(r.channel.startswith("singlet") for r in rows[False])
    return Finding(words, verdict_on(weaker, in_full=not alone and shares[-1] < 0.1 * shares[0]))


class Around(NamedTuple):
    """Flows at one filling near that at which γ vanishes.

    Parameters
    ----------
    electrons : float
        Electrons per cell.
    sheets : int
        Pockets: three with γ, two without.
    scale : float
        Critical scale of the N-patch flow in eV.
    channel : str
        What it ends in.
    share : float
        Pairing over spin eigenvalue at the end of divERGe's flow.
    """

    electrons: float
    sheets: int
    scale: float
    channel: str
    share: float


def around_gamma() -> list[Around]:
    """Return the stored flows below and above the filling at which γ vanishes."""
    table = frg_table()
    shares = (table.around_referee_pairing / table.around_referee_magnetic).to_numpy()
    fields = ("electrons", "around_sheets", "around_scale", "around_channel")
    columns = [table[field].to_numpy().tolist() for field in fields]
    return [Around(*row) for row in zip(*columns, shares.tolist(), strict=True)]


def doped_scales() -> dict[str, list[float]]:
    """Critical scales in meV at δ = 0, 0.1 and 0.2 a cell, by flow."""
    found = {f"{patches} patches": scales_of(names) for patches, names in DOPED.items()}
    theirs = frg_table().referee_scales
    found["divERGe at U = 4 eV"] = [
        1e3 * theirs.sel(referee=n).dropna("flow").to_numpy()[-1]
        for n in ("U 4.0", "doping 0.1", "doping 0.2")
    ]
    return found


def scales_of(names: Sequence[str]) -> list[float]:
    """Critical scales of stored flows in meV."""
    return [1e3 * flow(n).critical_scale.item() for n in names]


@settles("GLYWH-eq2-kanamori")
def _kanamori(tolerance: float | None) -> Finding:
    U, J = 5.0, 0.5
    both = turned_interaction(U, J, U - 2 * J, J)
    neither = {"U′ = U": turned_interaction(U, J, U, J), "J′ = 0": turned_interaction(U, J, 4.0, 0)}
    other = turned_interaction(U, J, U - J, 0)
    words = (
        f"turning the orbitals of a site changes the tensor by {both:.2f} eV; with "
        + ", ".join(f"{name} by up to {change:.2f} eV" for name, change in neither.items())
        + "; "
        + (
            "U = U′ + J + J′ alone is enough"
            if agrees(other, 0.0, tolerance)
            else "both are needed"
        )
    )
    holds = agrees(both, 0.0, tolerance) and min(neither.values()) > 0.1
    return Finding(words, verdict_on(holds))


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


@settles("GLYWH-fig3a-representation")
def _representation(tolerance: float | None) -> Finding:
    shares = representation_shares(MAIN)
    words = ", ".join(f"{name[8:]} {share:.4f}" for name, share in shares.items())
    return Finding(
        f"share of one representation in the first three singlets: {words}",
        verdict_on(all(agrees(share, 1.0, tolerance) for share in shares.values())),
    )


def representation_shares(name: str) -> dict[str, float]:
    """Share of its representation in each stored singlet mode of a flow."""
    row = flow(name)
    patches = fermi_patches(four_band(), row.mu.item(), int(row.patches))
    modes = row.gaps.to_numpy()[:, : len(patches.weights)]
    names = [str(n) for n in row.gap_names.to_numpy()]
    return {n: patches.representation(gap)[1] for n, gap in zip(names, modes, strict=True)}


@settles("GLYWH-fig3-vertex")
def _vertex(tolerance: float | None) -> Finding:
    largest = largest_bare_vertex(5.0, 0.5)
    words = (
        f"{largest:.4f} eV with $H=\\frac12\\sum\\Gamma\\dots$, {largest / 2:.4f} eV = U/4 with "
        "$H=\\sum\\Gamma\\dots$"
    )
    holds = agrees(largest / 2, 1.25, tolerance)
    return Finding(words, verdict_on(holds, in_full=False))


@settles("GLYWH-fig3-intermediate")
def _intermediate(_tolerance: float | None) -> Finding:
    largest, width, density = largest_bare_vertex(5.0, 0.5), bandwidth(), density_at_level()
    readings = (largest / 2, largest)
    words = (
        " or ".join(f"{v:.2f}" for v in readings)
        + f" eV is {readings[0] / width:.2f} or {readings[1] / width:.2f} of the bandwidth of "
        f"{width:.2f} eV; times {density:.2f} states per eV, cell and spin it is "
        f"{readings[0] * density:.1f} or {readings[1] * density:.1f}"
    )
    # Strong coupling begins at the width of the bands; one loop is controlled below one state.
    below = [v < width for v in readings]
    return Finding(words, verdict_on(any(below), in_full=all(below) and largest * density < 1))


def bandwidth() -> float:
    """Distance in eV from the lowest to the highest level of the four bands."""
    return float(np.ptp(four_band().band_energies(zone_mesh(128))))


def density_at_level() -> float:
    """States per eV, cell and spin at the chemical potential of three electrons."""
    return float(sum(s.density_of_states for s in fermi_sheets(four_band(), MU)))


def largest_bare_vertex(U: float, J: float, mu: float = MU) -> float:
    """Largest element of the bare vertex on eight patches a sheet, in eV."""
    model = four_band()
    equation = FlowEquation(fermi_patches(model, mu, 8))
    return float(np.abs(equation.bare(kanamori(model.sites, U, J))).max())


@settles("GLYWH-fig3d-q2")
def _d_wave_q2(_tolerance: float | None) -> Finding:
    runs = {"U 4.0": "U = 4 eV", "base": "5 eV", MAIN: "5 eV", "U 6.0": "6 eV"}
    found, all_shares = [], []
    for reach, near in NEAR.items():
        shares = {
            f"{u}, {int(flow(n).patches)} patches": connected_share(n, near)
            for n, u in runs.items()
        }
        shares["divERGe, 5 eV"] = referee_share("U 5.0", near)
        rows = ", ".join(f"{share:.0%} ({name})" for name, share in shares.items())
        found.append(f"within {reach} {rows}")
        all_shares += list(shares.values())
    some, all_of_them = max(all_shares) > 0.5, min(all_shares) > 0.5
    unsettled = "; not settled by these flows" if some and not all_of_them else ""
    return Finding(
        f"weight of connected pairs with opposite signs: {'; '.join(found)}{unsettled}",
        verdict_on(some, in_full=all_of_them),
    )


def connected_share(name: str, near: float) -> float:
    """Weight of pairs with opposite gaps among those of β and γ that q2 connects, in B1."""
    row = flow(name)
    modes = [str(n) for n in row.gap_names.to_numpy()]
    counts = row.counts.to_numpy().astype(int)
    gap = by_sheet(row.gaps.isel(mode=modes.index("singlet B1")).to_numpy(), counts)
    return _opposite(gap, by_sheet(row.points.to_numpy(), counts), near)


def referee_share(name: str, near: float) -> float:
    """Return the same for the B1 mode of a run of divERGe."""
    points = np.split(frg_table().referee_points.sel(referee=name).to_numpy(), 3)
    return _opposite(referee_gaps(name, referee_names(name).index("B1")), points, near)


def _opposite(gap: list[Floats], points: list[Floats], near: float) -> float:
    product = np.multiply.outer(gap[BETA], gap[GAMMA])
    total = opposite = 0.0
    for q in ((np.pi, 0.0), (0.0, np.pi)):
        away = points[BETA][:, None] - points[GAMMA] - np.array(q)
        away -= 2 * np.pi * np.round(away / (2 * np.pi))
        close = np.hypot(*np.moveaxis(away, -1, 0)) < near
        total += np.abs(product[close]).sum()
        opposite += np.abs(product[close & (product < 0)]).sum()
    return float(opposite / total)
