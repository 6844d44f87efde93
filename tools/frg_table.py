"""Run the flows behind chapter 10 and store what the chapter and the ledger need of them.

    python tools/frg_table.py [CACHE] [--keep patches|referees] [--workers 2]

Takes about half an hour on two cores.  Each finished run is kept in the folder CACHE
(_build/frg), so that an interrupted scan goes on where it stopped; delete the folder to start anew.
Each worker is a process of its own that makes one run at a time on one core.  With --keep the
N-patch flows, or the flows of divERGe, stay as the table has them.  The table is
nickbook/claims/glywh/frg.nc, and divERGe's part comes from tools/referee.py.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import xarray as xr
from referee import diverge_flow, gap_from_bonds, pairing_vertex

import nickbook
from nickbook.bands import band_fillings, chemical_potential, fermi_sheets, four_band
from nickbook.claims.glywh.stored import PATH, frg_table
from nickbook.pairing import Vertex, fermi_patches, frg_flow, kanamori
from nickbook.pairing.frg import FlowEquation, Responses, exact_second_order, flow_second_order
from nickbook.pairing.frg.equation import FLUCTUATIONS, PROJECTIONS, TERMS
from nickbook.progress import track, visible

ROOT = Path(__file__).parents[1]
MODEL = four_band()
PI = np.pi
#: Chemical potential in eV that GLYWH print.
PRINTED = 10.0585
#: Spin and charge density waves that each flow follows: 0, q2, (π, π), q3 and q1 of GLYWH, and the
#: place where those of divERGe are strongest.
MOMENTA = (
    (0.0, 0.0),
    (PI, 0.0),
    (PI, PI),
    (PI / 2, PI / 2),
    (0.47 * PI, 0.0),
    (2 * PI / 3, 2 * PI / 3),
)
#: Those at which divERGe's spin eigenvalue is kept at every step: q2 and q3.
FOLLOWED = ((PI, 0.0), (PI / 2, PI / 2))
#: Hund's coupling of divERGe's flows in units of U.
HUND = 0.1
#: Electrons per cell below and above 3.303, where γ vanishes.
AROUND = (3.25, 3.28, 3.32, 3.35)
#: How the names of divERGe's part of the table begin.
REFEREES = ("referee", "around_referee")
#: Scale in eV down to which one loop is compared with the sum over bands, and patches a sheet.
LOOP_SCALE, LOOP_PATCHES = 0.1, 24


@dataclass(frozen=True)
class Flow:
    """What a stored flow is run with: hund is J/U; NaN stands for the level of the filling and for
    a start above the whole band."""

    U: float
    hund: float
    filling: float
    patches: int
    mu: float = float("nan")
    cutoff: str = "sharp"
    keep: tuple[str, ...] = TERMS
    start: float = float("nan")
    mesh: int = 64
    projection: str = "external"


def flows() -> dict[str, Flow]:
    """All runs by name; those with inner legs moved have that word in front of it."""
    names = {"external": "{}", "internal": "internal {}"}
    return {
        names[rule].format(name): replace(flow, projection=rule)
        for rule in PROJECTIONS
        for name, flow in by_one_rule().items()
    }


def by_one_rule() -> dict[str, Flow]:
    """Runs by name; each set of them changes one thing from the main one."""
    base = Flow(U=5.0, hund=0.1, filling=3.0, patches=24)
    coarse = replace(base, patches=16)
    runs = {"base": base, "coarse": coarse, "printed": replace(base, mu=PRINTED)}
    runs |= {f"U {u}": replace(base, U=u) for u in (4.0, 6.0, 8.0)}
    runs |= {f"doping {d}": replace(base, filling=3.0 + d) for d in (-0.1, 0.1, 0.2)}
    runs |= {"smallest": replace(base, patches=8), "main": replace(base, patches=40)}
    runs |= {f"patches {n}": replace(base, patches=n) for n in (32, 48)}
    runs |= {"no spin": replace(coarse, keep=("pp", "ph-direct"))}
    runs |= {f"{kind} only": replace(coarse, keep=("pp", kind)) for kind in FLUCTUATIONS}
    runs |= {f"mesh {n}": replace(coarse, mesh=n) for n in (32, 128)}
    runs |= {f"hund {j}": replace(coarse, hund=j) for j in (0.0, 0.2)}
    # These move at many energies at once, for which a coarser mesh will do.
    runs |= {f"cutoff {c}": replace(coarse, cutoff=c, mesh=32) for c in ("smooth", "frequency")}
    runs |= {f"start {s}": replace(coarse, start=s) for s in (1.0, 0.5)}
    mapped = {
        f"map {u} {j} {d}": replace(coarse, U=u, hund=j, filling=3.0 + d)
        for u in (4.0, 5.0, 6.0)
        for j in (0.0, 0.1, 0.2)
        for d in ((-0.2, -0.1, 0.0, 0.1, 0.2) if j == 0.1 else (-0.2, 0.0, 0.2))
    }
    # A run that has a name already keeps it.
    return runs | {name: flow for name, flow in mapped.items() if flow not in runs.values()}


def level(filling: float) -> float:
    """Chemical potential in eV, to the four decimals that the paper prints."""
    return round(chemical_potential(MODEL, filling), 4)


def run(flow: Flow) -> dict[str, np.ndarray]:
    """Everything that is kept of one flow."""
    mu = flow.mu if np.isfinite(flow.mu) else level(flow.filling)
    along = Responses(MOMENTA)
    result = frg_flow(
        MODEL,
        mu,
        U=flow.U,
        J=flow.hund * flow.U,
        patches=flow.patches,
        regulator=flow.cutoff,
        keep=flow.keep,
        mesh=flow.mesh,
        projection=flow.projection,
        start=flow.start if np.isfinite(flow.start) else None,
        stop=5e-4,
        momenta=(),
        progress=along,
    )
    modes = result.pairing()[:3]
    # The last step names all channels; at the first there is no loop yet.
    channels = sorted(along.added[-1])
    kept = {
        "mu": mu,
        "critical_scale": result.critical_scale,
        "scales": result.scales,
        "channels": np.array(channels),
        "added": np.transpose([along.of(name, added=True) for name in channels]),
        "responses": np.array([along.of(name)[-1] for name in channels]),
        "largest": result.largest,
        "points": result.patches.points,
        "weights": result.patches.weights,
        "counts": np.array([len(s.weights) for s in result.patches.sheets]),
        "gaps": np.array([mode.values for mode in modes]),
        "gap_eigenvalues": np.array([mode.eigenvalue for mode in modes]),
        "gap_names": np.array([mode.name for mode in modes]),
    }
    kept["scattering"] = Vertex(result.equation, result.part).pairing_vertex("singlet")
    kept["blocks"] = np.array(blocks(kept["scattering"], result.patches))
    return kept


def second_order() -> dict[str, np.ndarray]:
    """One loop of the bare vertex in `blocks`: of three bands, of all four, and of both rules.

    Averages over pairs of patches by sum, diagram and block, in eV, and by rule and diagram the
    root mean square of what the pairs between all sheets miss, in units of that of the sum itself.
    """
    patches = fermi_patches(MODEL, level(3.0), LOOP_PATCHES)
    interaction = kanamori(MODEL.sites, 5.0, 0.5)
    size = len(patches.weights)
    # One patch of each that the symmetries map onto each other, with all others.
    first = FlowEquation(patches).first
    pairs = [(int(a), b) for a in first for b in range(size)]
    sums = [
        exact_second_order(patches, interaction, LOOP_SCALE, pairs, bands=bands, mesh=48).T
        for bands in (None, range(MODEL.hoppings.shape[-1]))
    ]
    for projection in PROJECTIONS:
        found = []
        for term in TERMS:
            equation = FlowEquation(patches, keep=(term,), mesh=32, projection=projection)
            part = flow_second_order(equation, interaction, LOOP_SCALE, nodes=24)
            vertex = Vertex(equation, part).pairing_vertex("singlet")
            found.append(vertex[tuple(np.transpose(pairs))])
        sums.append(np.array(found))
    sheet = np.repeat(np.arange(3), LOOP_PATCHES)
    ends = sheet[np.transpose(pairs)]
    between = [{0, 1}, {1, 2}, {0, 2}, {0}, {1}, {2}]
    chosen = [np.array([set(e) == s for e in ends.T.tolist()]) for s in between]
    exact, others = sums[0], sums[2:]
    norm = np.square(exact).mean(axis=1)
    return {
        "averages": np.array(
            [[term[c].mean() for c in chosen] for one in sums for term in one]
        ).reshape(len(sums), len(TERMS), len(between)),
        "misses": np.sqrt([np.square(found - exact).mean(axis=1) / norm for found in others]),
    }


def diverge(U: float, mu: float, mesh: int, refinement: int, distance: float) -> dict:
    """Truncated-unity flow of divERGe."""
    return diverge_flow(
        MODEL,
        mu,
        kanamori(MODEL.sites, U, HUND * U),
        task="tu",
        mesh=mesh,
        refinement=refinement,
        distance=distance,
        limit=3600,
        channels="PCD",
        keep_growth=True,
        keep_vertices=True,
    )


def referee(
    U: float, mesh: int, refinement: int, distance: float, filling: float, printed: bool = False
) -> dict:
    """Truncated-unity flow of divERGe, its gap on our patches and its magnetic momenta."""
    mu = PRINTED if printed else level(filling)
    answer = diverge(U, mu, mesh, refinement, distance)
    patches = fermi_patches(MODEL, mu, 40)
    modes = np.array([gap_from_bonds(patches, mode, answer) for mode in answer["modes"]])
    even = np.abs(modes - modes[:, patches.minus]).max(axis=1) < 1e-6
    modes = modes[even][:4]
    strongest = answer["magnetic_growth"].argmax(axis=1)
    places = answer["momenta"][answer["irreducible"]]
    followed = [at_momentum(answer["magnetic_growth"], places, q) for q in FOLLOWED]
    return {
        "mu": mu,
        "U": U,
        "filling": filling,
        "mesh": mesh,
        "refinement": refinement,
        "distance": distance,
        "scales": answer["scales"][:, 0],
        "maxima": answer["maxima"],
        "pairing": answer["pairing_growth"][:, :3],
        "magnetic": answer["magnetic_growth"].max(axis=1),
        "magnetic_momentum": places[strongest],
        "magnetic_followed": np.transpose(followed),
        "magnetic_all": answer["magnetic_growth"][-1],
        "places": places,
        "vertex": pairing_vertex(patches, answer),
        "points": patches.points,
        "modes": modes,
        "mode_values": answer["mode_values"][even][:4],
        "representations": np.array([patches.representation(gap)[0] for gap in modes]),
    }


def at_momentum(growth: np.ndarray, places: np.ndarray, q: tuple[float, float]) -> np.ndarray:
    """Eigenvalue along the flow at one momentum, NaN where the mesh does not hold it."""
    away = np.abs(np.sort(np.abs(places), axis=1) - np.sort(q)).max(axis=1)
    there = growth[:, away.argmin()]
    return there if away.min() < 1e-9 else np.full_like(there, np.nan)


def referees() -> dict[str, tuple]:
    """Runs of divERGe: U, mesh, refinement, reach of form factors, filling, level as printed."""
    runs = {f"U {u}": (u, 12, 5, 1.01, 3.0) for u in (3.5, 4.0, 4.5, 5.0, 5.5, 6.0)}
    runs |= {f"doping {d}": (4.0, 12, 5, 1.01, 3.0 + d) for d in (0.1, 0.2)}
    runs["printed"] = (5.0, 12, 5, 1.01, float(band_fillings(MODEL, PRINTED).sum()), True)
    sizes = ((8, 4), (14, 5), (16, 5), (18, 5), (24, 4))
    runs |= {f"5 eV, mesh {m}": (5.0, m, refinement, 1.01, 3.0) for m, refinement in sizes}
    # Bonds along the diagonals, within a layer and between both.
    bonds = ((8, 4, 1.45), (8, 4, 1.8), (12, 5, 1.45), (18, 4, 1.45))
    return runs | {f"5 eV, reach {d}, mesh {m}": (5.0, m, r, d, 3.0) for m, r, d in bonds}


def loop_table(found: dict[str, np.ndarray]) -> xr.Dataset:
    between = ["β–γ", "α–γ", "α–β", "β–β", "γ–γ", "α–α"]
    sums = ["three bands", "four bands", *PROJECTIONS]
    axes = {"sum": sums, "rule": list(PROJECTIONS), "diagram": list(TERMS), "between": between}
    table = xr.Dataset(coords=axes)
    table["loop_average"] = (("sum", "diagram", "between"), found["averages"])
    table["loop_miss"] = (("rule", "diagram"), found["misses"])
    return table


def around_gamma(filling: float) -> dict[str, np.ndarray]:
    """N-patch flow at a filling near that at which γ vanishes."""
    mu = level(filling)
    result = frg_flow(MODEL, mu, U=5.0, J=0.5, patches=16, stop=5e-4, momenta=MOMENTA)
    return {
        "sheets": len(fermi_sheets(MODEL, mu)),
        "scale": result.critical_scale,
        "channel": result.leading(),
    }


def referee_around_gamma(filling: float) -> dict[str, np.ndarray]:
    """Flow of divERGe there."""
    answer = diverge(5.0, level(filling), 8, 4, 1.01)
    return {
        "referee_scale": answer["scales"][-1, 0],
        "referee_magnetic": answer["magnetic_growth"][-1].max(),
        "referee_pairing": -answer["pairing_growth"][-1, 0],
    }


def file_of(cache: Path, name: str) -> Path:
    return cache / f"{name.replace(' ', '_')}.npz"


def make(cache: Path, name: str, task: Callable, *given) -> str:
    """Keep what a task finds under a name."""
    file = file_of(cache, name)
    draft, begin = cache / f"{file.stem}.draft.npz", time.perf_counter()
    np.savez(draft, **task(*given))
    draft.rename(file)
    return f"{name}: {time.perf_counter() - begin:.0f} s"


def made(cache: Path, tasks: dict[str, tuple], workers: int) -> dict[str, dict[str, np.ndarray]]:
    """What is kept of all tasks by name, after those that are not there yet have been run."""
    missing = {name: task for name, task in tasks.items() if not file_of(cache, name).exists()}
    # A thread for each process, set before it loads what reads it.
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    os.environ |= dict.fromkeys(threads, "1")
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(make, cache, name, *task) for name, task in missing.items()]
        for done in track(as_completed(waiting), "flows", len(waiting)):
            said = done.result()
            if not visible():
                print(said, flush=True)
    return {name: dict(np.load(file_of(cache, name))) for name in tasks}


def cost(named: tuple[str, tuple]) -> float:
    """What a task takes, relative to others of its kind."""
    task, *given = named[1]
    if task is run:
        dear = given[0].cutoff != "sharp" or given[0].projection == "internal"
        return given[0].patches ** 4 * (2 if dear else 1)
    return 24**4 if task is not referee else float(given[1] ** 2 * given[3] ** 4) * 50


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length as one array, filled up with NaN."""
    shape = np.max([r.shape for r in rows], axis=0)
    table = np.full((len(rows), *shape), np.nan)
    for entry, row in zip(table, rows, strict=True):
        entry[tuple(slice(n) for n in row.shape)] = row
    return table


def patch_table(found: dict[str, dict], runs: dict[str, Flow]) -> xr.Dataset:
    rows = list(found.values())
    names = sorted({str(n) for r in rows for n in r["channels"]})
    table = xr.Dataset(coords={"run": list(found), "channel": names})
    for field in ("U", "hund", "filling", "patches", "cutoff", "start", "mesh", "projection"):
        table[field] = ("run", np.array([getattr(runs[name], field) for name in found]))
    table["terms"] = ("run", [" ".join(runs[name].keep) for name in found])
    for field in ("mu", "critical_scale"):
        table[field] = ("run", np.array([float(r[field]) for r in rows]))
    for r in rows:
        place = np.searchsorted(names, r["channels"])
        for field in ("added", "responses"):
            full = np.full((*r[field].shape[:-1], len(names)), np.nan)
            full[..., place] = r[field]
            r[field] = full
    for field, dims in (
        ("scales", ("step",)),
        ("largest", ("step",)),
        ("added", ("step", "channel")),
        ("responses", ("channel",)),
        ("points", ("patch", "axis")),
        ("weights", ("patch",)),
        ("counts", ("sheet",)),
        ("gaps", ("mode", "patch")),
        ("gap_eigenvalues", ("mode",)),
        ("blocks", ("block", "extreme")),
    ):
        table[field] = (("run", *dims), padded([np.asarray(r[field], dtype=float) for r in rows]))
    table["gap_names"] = (("run", "mode"), [[str(n) for n in r["gap_names"]] for r in rows])
    for name in ("main", "internal main"):
        field = f"{name.removesuffix('main')}scattering".replace(" ", "_")
        table[field] = (("first", "second"), found[name]["scattering"])
    return table


def around_table(rows: list[dict]) -> xr.Dataset:
    table = xr.Dataset(coords={"electrons": list(AROUND)})
    for field in rows[0]:
        values = [r[field].item() for r in rows]
        table[f"around_{field}"] = ("electrons", values)
    return table


def stored(whose: str) -> xr.Dataset:
    """Part of the table as it is: "patches" or "referees"."""
    table = frg_table()
    referees = [n for n in table.variables if "referee" in table[n].dims or n.startswith(REFEREES)]
    others = [n for n in table.variables if n not in {*referees, "electrons"}]
    return table.drop_vars(referees if whose == "patches" else others)


def blocks(vertex: np.ndarray, patches=None) -> list[list[float]]:
    """Smallest, mean and largest element between β and γ, α and γ, α and β; NaN without γ."""
    sheets = np.split(np.arange(len(vertex)), 3)
    if patches is not None:
        sheets = patches.split(np.arange(len(vertex)))
        if len(sheets) < 3:
            return [[np.nan] * 3] * 3
    beta, gamma, alpha = sheets
    parts = [vertex[np.ix_(*ends)] for ends in ((beta, gamma), (alpha, gamma), (alpha, beta))]
    return [[part.min(), part.mean(), part.max()] for part in parts]


def referee_table(found: dict[str, dict]) -> xr.Dataset:
    rows = list(found.values())
    table = xr.Dataset(coords={"referee": list(found)})
    table["referee_hund"] = ("referee", np.full(len(rows), HUND))
    for field in ("U", "filling", "mu", "mesh", "refinement", "distance"):
        table[f"referee_{field}"] = ("referee", np.array([float(r[field]) for r in rows]))
    for field, dims in (
        ("scales", ("flow",)),
        ("maxima", ("flow", "part")),
        ("pairing", ("flow", "eigenvalue")),
        ("magnetic", ("flow",)),
        ("magnetic_momentum", ("flow", "axis")),
        ("magnetic_followed", ("flow", "followed")),
        ("points", ("sheet_patch", "axis")),
        ("modes", ("pair_mode", "sheet_patch")),
        ("mode_values", ("pair_mode",)),
    ):
        values = padded([np.asarray(r[field], dtype=float) for r in rows])
        table[f"referee_{field}"] = (("referee", *dims), values)
    vertices = [blocks(r["vertex"]) for r in rows]
    table["referee_blocks"] = (("referee", "block", "extreme"), np.array(vertices))
    table["referee_scattering"] = (("first", "second"), found["U 5.0"]["vertex"])
    names = [[str(n) for n in r["representations"]] + ["none"] * 4 for r in rows]
    table["referee_representations"] = (("referee", "pair_mode"), [n[:4] for n in names])
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("cache", nargs="?", type=Path, default=ROOT / "_build" / "frg")
    parser.add_argument("--keep", choices=("patches", "referees"), help="leave these as they are")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side")
    given = parser.parse_args()
    cache: Path = given.cache
    cache.mkdir(parents=True, exist_ok=True)
    runs, calls = flows(), referees()
    ours, theirs = {}, {}
    if given.keep != "patches":
        ours = {"second order": (second_order,)}
        ours |= {f"around {n}": (around_gamma, n) for n in AROUND}
        ours |= {name: (run, flow) for name, flow in runs.items()}
    if given.keep != "referees":
        theirs = {f"diverge {name}": (referee, *call) for name, call in calls.items()}
        theirs |= {f"diverge around {n}": (referee_around_gamma, n) for n in AROUND}
    # The cheap ones first, so that most is soon there.
    tasks = dict(sorted((ours | theirs).items(), key=cost))
    found = made(cache, tasks, given.workers)
    parts = [stored(given.keep)] if given.keep else []
    if ours:
        around = around_table([found[f"around {n}"] for n in AROUND])
        patches = patch_table({name: found[name] for name in runs}, runs)
        parts += [patches, around, loop_table(found["second order"])]
    if theirs:
        around = around_table([found[f"diverge around {n}"] for n in AROUND])
        parts += [referee_table({name: found[f"diverge {name}"] for name in calls}), around]
    table = xr.merge(parts)
    table.attrs = {
        "made by": "tools/frg_table.py",
        "versions": json.dumps(
            {
                "nickbook": nickbook.__version__,
                "diverge-flow": version("diverge-flow"),
                "numpy": np.__version__,
                "python": platform.python_version(),
            }
        ),
        "model": MODEL.name,
        "sheets": json.dumps(
            [s.name for s in fermi_sheets(MODEL, float(table.mu.sel(run="main")))]
        ),
    }
    single = {
        n: {"dtype": "float32"} for n, v in table.items() if v.ndim > 1 and v.dtype.kind == "f"
    }
    table.to_netcdf(PATH, engine="scipy", encoding=single)
    print(
        f"{PATH.name}: {PATH.stat().st_size // 1024} kB, {table.sizes['run']} flows, "
        f"{table.sizes['referee']} referees"
    )


if __name__ == "__main__":
    main()
