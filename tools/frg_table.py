"""Run the flows behind chapter 10 and store what the chapter and the ledger need of them.

    python tools/frg_table.py [CACHE] [--keep patches|referees]

Takes about forty minutes on two cores.  Each finished run is kept in the folder CACHE
(_build/frg), so that an interrupted scan goes on where it stopped; delete the folder to start anew.
With --keep the N-patch flows, or the flows of divERGe, stay as the table has them.  The table is
nickbook/claims/glywh/frg.nc, and divERGe's part comes from tools/referee.py.
"""

import argparse
import json
import platform
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr
from referee import diverge_flow, gap_from_bonds, pairing_vertex

import nickbook
from nickbook.bands import band_fillings, chemical_potential, fermi_sheets, four_band
from nickbook.claims.glywh.stored import PATH, frg_table
from nickbook.pairing import Vertex, fermi_patches, frg_flow, kanamori
from nickbook.pairing.frg.equation import FLUCTUATIONS, PROJECTIONS, TERMS
from nickbook.progress import track, visible

ROOT = Path(__file__).parents[1]
MODEL = four_band()
PI = np.pi
#: Chemical potential in eV that GLYWH print.
PRINTED = 10.0585
#: Spin and charge density waves that each flow follows: 0, q2, (π, π), q3 and q1 of GLYWH.
MOMENTA = ((0.0, 0.0), (PI, 0.0), (PI, PI), (PI / 2, PI / 2), (0.47 * PI, 0.0))
#: Those at which divERGe's spin eigenvalue is kept at every step: q2 and q3.
FOLLOWED = ((PI, 0.0), (PI / 2, PI / 2))
#: Electrons per cell below and above 3.303, where γ vanishes.
AROUND = (3.25, 3.28, 3.32, 3.35)
#: How the names of divERGe's part of the table begin.
REFEREES = ("referee", "around_referee")
#: Line Γ–X–M–Γ along which the last vertex of the main flow is searched for density waves.
PATH_POINTS = 8


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
    runs |= {"no spin": replace(coarse, keep=("pp", "ph-direct"))}
    runs |= {f"{kind} only": replace(coarse, keep=("pp", kind)) for kind in FLUCTUATIONS}
    runs |= {f"patches {n}": replace(base, patches=n) for n in (32, 48)}
    runs |= {f"mesh {n}": replace(coarse, mesh=n) for n in (32, 128)}
    runs |= {f"hund {j}": replace(coarse, hund=j) for j in (0.0, 0.2)}
    runs |= {f"cutoff {c}": replace(coarse, cutoff=c) for c in ("smooth", "frequency")}
    runs |= {f"start {s}": replace(coarse, start=s) for s in (1.0, 0.5)}
    runs |= {
        f"map {u} {d}": replace(coarse, U=u, filling=3.0 + d)
        for u in (4.0, 5.0, 6.0)
        for d in (-0.2, -0.1, 0.0, 0.1, 0.2)
        if (u, d) != (5.0, 0.0)
    }
    return runs


def level(filling: float) -> float:
    """Chemical potential in eV, to the four decimals that the paper prints."""
    return round(chemical_potential(MODEL, filling), 4)


def run(flow: Flow) -> dict[str, np.ndarray]:
    """Everything that is kept of one flow."""
    mu = flow.mu if np.isfinite(flow.mu) else level(flow.filling)
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
        momenta=MOMENTA,
    )
    modes = result.pairing()[:3]
    kept = {
        "mu": mu,
        "critical_scale": result.critical_scale,
        "scales": result.scales,
        "channels": np.array(result.channels),
        "eigenvalues": result.eigenvalues,
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
    line = np.linspace(0, 1, PATH_POINTS, endpoint=False)[:, None]
    corners = PI * np.array([[0, 0], [1, 0], [1, 1], [0, 0]])
    q = [a + (b - a) * line for a, b in pairwise(corners)]
    kept["momenta"] = np.concatenate([*q, corners[-1:]])
    waves = [result.density_wave("spin", x)[0] for x in kept["momenta"]]
    kept["spin_waves"] = np.array([mode.eigenvalue for mode in waves])
    return kept


def diverge(U: float, mu: float, mesh: int, refinement: int, distance: float) -> dict:
    """Truncated-unity flow of divERGe."""
    return diverge_flow(
        MODEL,
        mu,
        kanamori(MODEL.sites, U, 0.1 * U),
        task="tu",
        mesh=mesh,
        refinement=refinement,
        distance=distance,
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
    runs |= {"mesh": (4.0, 16, 5, 1.01, 3.0), "reach": (4.0, 12, 5, 1.45, 3.0)}
    runs |= {f"doping {d}": (4.0, 12, 5, 1.01, 3.0 + d) for d in (0.1, 0.2)}
    runs["printed"] = (5.0, 12, 5, 1.01, float(band_fillings(MODEL, PRINTED).sum()), True)
    sizes = ((8, 4), (14, 5), (16, 5))
    runs |= {f"5 eV, mesh {m}": (5.0, m, refinement, 1.01, 3.0) for m, refinement in sizes}
    return runs


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


def kept(cache: Path, name: str, make) -> dict[str, np.ndarray]:
    file = cache / f"{name.replace(' ', '_')}.npz"
    if not file.exists():
        draft = cache / f"{file.stem}.draft.npz"
        begin = time.perf_counter()
        np.savez(draft, **make())
        draft.rename(file)
        if not visible():
            print(f"{file.stem}: {time.perf_counter() - begin:.0f} s", flush=True)
    return dict(np.load(file))


def padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of unequal length as one array, filled up with NaN."""
    shape = np.max([r.shape for r in rows], axis=0)
    table = np.full((len(rows), *shape), np.nan)
    for entry, row in zip(table, rows, strict=True):
        entry[tuple(slice(n) for n in row.shape)] = row
    return table


def patch_table(found: dict[str, dict], runs: dict[str, Flow]) -> xr.Dataset:
    rows = list(found.values())
    names = rows[0]["channels"]
    assert all(np.array_equal(r["channels"], names) for r in rows)
    table = xr.Dataset(coords={"run": list(found), "channel": [str(n) for n in names]})
    for field in ("U", "hund", "filling", "patches", "cutoff", "start", "mesh", "projection"):
        table[field] = ("run", np.array([getattr(runs[name], field) for name in found]))
    table["terms"] = ("run", [" ".join(runs[name].keep) for name in found])
    for field in ("mu", "critical_scale"):
        table[field] = ("run", np.array([float(r[field]) for r in rows]))
    for field, dims in (
        ("scales", ("step",)),
        ("largest", ("step",)),
        ("eigenvalues", ("step", "channel")),
        ("points", ("patch", "axis")),
        ("weights", ("patch",)),
        ("counts", ("sheet",)),
        ("gaps", ("mode", "patch")),
        ("gap_eigenvalues", ("mode",)),
        ("spin_waves", ("momentum",)),
        ("blocks", ("block", "extreme")),
    ):
        table[field] = (("run", *dims), padded([np.asarray(r[field], dtype=float) for r in rows]))
    table["gap_names"] = (("run", "mode"), [[str(n) for n in r["gap_names"]] for r in rows])
    table["momenta"] = (("momentum", "axis"), rows[0]["momenta"])
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
    given = parser.parse_args()
    cache = given.cache
    cache.mkdir(parents=True, exist_ok=True)
    if given.keep == "patches":
        ours = stored("patches")
    else:
        runs = flows()
        # The cheap ones first, so that a table of most is soon there.
        for name in track(sorted(runs, key=lambda n: runs[n].patches), "flows"):
            kept(cache, name, lambda f=runs[name]: run(f))
        found = {name: kept(cache, name, lambda f=flow: run(f)) for name, flow in runs.items()}
        around = [
            kept(cache, f"around {n}", lambda n=n: around_gamma(n))
            for n in track(AROUND, "flows at which γ vanishes")
        ]
        ours = xr.merge([patch_table(found, runs), around_table(around)])
    if given.keep == "referees":
        theirs = stored("referees")
    else:
        answers = {
            name: kept(cache, f"diverge {name}", lambda a=call: referee(*a))
            for name, call in track(referees().items(), "runs of divERGe")
        }
        around = [
            kept(cache, f"diverge around {n}", lambda n=n: referee_around_gamma(n))
            for n in track(AROUND, "runs of divERGe at which γ vanishes")
        ]
        theirs = xr.merge([referee_table(answers), around_table(around)])
    table = xr.merge([ours, theirs])
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
