"""Compute what `nickbook.crystal` stores: from the crystal to bands, with GPAW and Wannier90.

Each stage leaves a file under _build/dft/<run>/ and is left out where that file is there, so an
interrupted calculation goes on where it stopped; a relaxation continues from its last step.

    python tools/first_principles.py            all runs, see RUNS
    python tools/first_principles.py pressure   some of them
    python tools/first_principles.py --check    a coarse run against the stored files, two minutes
"""

import argparse
import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from time import process_time

import numpy as np

from nickbook.crystal import ProjectedStates, structure

BUILD = Path(__file__).parents[1] / "_build" / "dft"
STORE = Path(__file__).parents[1] / "nickbook" / "crystal" / "data"
MISSING = """make dft needs GPAW with its data, and for the second of its two routes Wannier90:
  Debian, Ubuntu: apt-get install g++ libxc-dev libopenblas-dev libfftw3-dev wannier90, then
                  write compiler = 'g++', linker = 'g++', mpi = False, fftw = True and
                  libraries = ['xc', 'openblas', 'fftw3'] into a file, one to a line, and
                  GPAW_CONFIG=<that file> .venv/bin/pip install 'nickbook[dft]'
  macOS:          brew install libxc fftw openblas, then the same with compiler = 'clang++'
  conda:          conda install -c conda-forge gpaw wannier90
The book and its tests need neither: they read the stored files."""

#: Lattice constants a, b, c in Å at 29.5 GPa, orthorhombic axes (Sun et al., 2023).
UNDER_PRESSURE = (5.289, 5.218, 19.734)
#: Heights of La, Ni, outer apical O and planar O over the inner apical O, in units of c.
HEIGHTS = (0.3205, 0.0966, 0.2050, 0.0955)
#: A shift of the third vector in Å.  It takes away the symmetries that mix this vector with the
#: others, for which all directions would need the finest grid of them: seven times the points.
SLANT = 1e-5
#: Of a formula unit: bands below those of O 2p, valence electrons of GPAW's sets.
SEMICORE, ELECTRONS = 25, 107
#: Empty bands, of which the last ones are not converged.
EMPTY, LOOSE = 17, 12
#: Corners in units of (π/a, π/a, 2π/c), and steps between them.
CORNERS = ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 0, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 0, 1))
STEPS = (10, 10, 14, 6, 10, 10, 14)


@dataclass(frozen=True)
class Run:
    """One calculation: a crystal, and the settings that its bands depend on."""

    crystal: Callable[[], "object"]
    cutoff: float = 500.0
    mesh: tuple[int, int, int] = (8, 8, 5)
    hubbard: float = 0.0
    #: Largest force in eV/Å that is left, and the mesh for it; None for a crystal as it stands.
    force: float | None = 0.01
    relax_mesh: tuple[int, int, int] = (6, 6, 2)
    #: Bands to keep, counted from the lowest of O 2p, and kinds of orbitals.
    bands: tuple[int, int] = (21, 37)
    oxygen: bool = False


def straight(a: float, c: float):
    """The body-centred crystal without tilts, in the primitive cell."""
    from ase import Atoms

    la, ni, outer, planar = (c * h for h in HEIGHTS)
    places = [(0, 0, c / 2), (0, 0, la), (0, 0, -la), (0, 0, ni), (0, 0, -ni)]
    places += [(0, 0, 0), (0, 0, outer), (0, 0, -outer)]
    places += [(a / 2, 0, planar), (0, a / 2, planar), (a / 2, 0, -planar), (0, a / 2, -planar)]
    cell = [(a, 0, 0), (0, a, 0), (a / 2 + SLANT, a / 2 + SLANT, c / 2)]
    return Atoms("La3Ni2O7", positions=places, cell=cell, pbc=True)


def stored(name: str):
    """The crystal that the package holds."""
    return structure(name)


A_O, B_O, C_O = UNDER_PRESSURE
RUNS = {
    "pressure": Run(partial(straight, (A_O + B_O) / 8**0.5, C_O), bands=(0, 37), oxygen=True),
    "pressure-U2": Run(partial(stored, "pressure"), mesh=(8, 8, 3), hubbard=2.0, force=None),
    "pressure-U4": Run(partial(stored, "pressure"), mesh=(8, 8, 3), hubbard=4.0, force=None),
}
CHECK = {
    "check": replace(
        RUNS["pressure"],
        crystal=partial(stored, "pressure"),
        cutoff=400.0,
        mesh=(4, 4, 3),
        force=None,
    )
}
#: Differences of levels in eV, root mean square, that a coarse run may show.
ALLOWED = 0.02


def calculator(run: Run, folder: Path, stage: str, mesh, **settings):
    """A calculator of GPAW with the settings of a run."""
    from gpaw import GPAW, PW, FermiDirac

    return GPAW(
        mode=PW(run.cutoff),
        xc="PBE",
        kpts={"size": mesh, "gamma": True},
        occupations=FermiDirac(0.05),
        nbands=ELECTRONS // 2 + EMPTY,
        setups={"Ni": f":d,{run.hubbard}"} if run.hubbard else {},
        symmetry={"symmorphic": True},
        txt=str(folder / f"{stage}.txt"),
        **settings,
    )


def relax(run: Run, folder: Path) -> None:
    """Move the atoms along z until forces vanish."""
    from ase.constraints import FixCartesian
    from ase.io import read
    from ase.optimize import BFGS

    trajectory = folder / "relax.traj"
    atoms = read(trajectory) if trajectory.exists() else run.crystal()
    atoms.calc = calculator(
        run,
        folder,
        "relax",
        run.relax_mesh,
        convergence={"density": 1e-5, "forces": 1e-3},
    )
    # The crystal's symmetry, which the slant and the mesh break a little, leaves heights alone.
    atoms.set_constraint(FixCartesian(range(len(atoms)), mask=(True, True, False)))
    search = BFGS(
        atoms, logfile="-", trajectory=str(trajectory), restart=str(folder / "relax.json"), alpha=50
    )
    search.run(fmax=run.force)
    atoms.write(folder / "relaxed.json")


def projected(calc, orbitals: list[list[int]], bands: range, folder: Path) -> None:
    """Write energies, projections and overlaps for Wannier90, and its list of neighbours."""
    from gpaw.wannier.wannier90 import Wannier90

    seed = str(folder / "wannier")
    writer = Wannier90(calc, seed=seed, bands=list(bands), orbitals_ai=orbitals)
    writer.write_input(num_iter=0)
    with Path(f"{seed}.win").open("a") as file:
        file.write("kmesh_tol = 0.001\n")  # the slant splits shells of neighbours
    writer.write_projections()
    writer.write_eigenvalues()
    if shutil.which("wannier90.x"):
        subprocess.run(["wannier90.x", "-pp", "wannier"], check=True, cwd=folder)
        writer.write_overlaps()


def chosen(
    calc,
    atoms,
    *,
    oxygen: bool,
    t2g: bool,
) -> dict[tuple[int, int], str]:
    """Name of each orbital by atom and projector: e_g, then t2g, then σ orbitals of oxygen."""
    symbols = atoms.get_chemical_symbols()
    ni = [i for i, symbol in enumerate(symbols) if symbol == "Ni"]
    names = {}
    for shells in ({4: "x²−y²", 2: "z²"}, {0: "xy", 1: "yz", 3: "xz"} if t2g else {}):
        for number, i in enumerate(ni):
            layer = "tb"[number]
            start = _projector(calc.setups[i], 3, 2)
            names |= {(i, start + m): f"{layer} {name}" for m, name in shells.items()}
    for i, symbol in enumerate(symbols):
        if symbol != "O" or not oxygen:
            continue
        ways = atoms.get_distances(i, ni, mic=True, vector=True)
        way = ways[np.argmin(np.linalg.norm(ways, axis=1))]
        axis = int(np.argmax(np.abs(way)))
        height = atoms.positions[i, 2]
        layer = "" if abs(height) < 0.5 else "t " if height > 0 else "b "
        kind = "planar p_" + "xy"[axis] if axis < 2 else "outer p_z" if layer else "inner p_z"
        names[i, _projector(calc.setups[i], 2, 1) + (2, 0, 1)[axis]] = layer + kind
    return names


def _projector(setup, n: int, angular: int) -> int:
    """Number of the first projector of a shell; d: xy, yz, z², xz, x²−y²; p: y, z, x."""
    start = 0
    for number, momentum in zip(setup.n_j, setup.l_j, strict=True):
        if (number, momentum) == (n, angular):
            return start
        start += 2 * momentum + 1
    raise ValueError(f"{setup.symbol} has no shell {n}, {angular}")


def states(run: Run, folder: Path, name: str) -> None:
    """Run to self-consistency; keep energies and projections on the mesh and on a path."""
    from ase.io import read

    atoms = read(folder / "relaxed.json") if run.force else run.crystal()
    atoms.calc = None
    last = ELECTRONS // 2 + EMPTY - LOOSE
    converged = {"bands": last, "density": 1e-5, "eigenstates": 1e-4}
    calc = calculator(run, folder, "ground", run.mesh, convergence=converged)
    atoms.calc = calc
    energy = atoms.get_potential_energy()
    picked = chosen(calc, atoms, oxygen=run.oxygen, t2g=False)
    by_atom = [[p for i, p in picked if i == atom] for atom in range(len(atoms))]
    bands = range(SEMICORE + run.bands[0], SEMICORE + run.bands[1])
    projected(calc, by_atom, bands, folder)
    settings = (
        f"GPAW {version('gpaw')}, gpaw-data {version('gpaw-data')}, PBE"
        + (f" + U = {run.hubbard:g} eV on Ni d" if run.hubbard else ""),
        f"plane waves {run.cutoff:g} eV, mesh {run.mesh}, Fermi-Dirac width 0.05 eV",
        f"total energy {energy:.4f} eV, level of the code {calc.get_fermi_level():.4f} eV",
    )
    cell = np.array(atoms.cell)
    # GPAW puts every atom into the cell: its Bloch sums differ from ours by a lattice vector.
    shifts = np.rint(calc.spos_ac - np.linalg.solve(cell.T, atoms.positions.T).T)

    def packed(orbitals, k, energies, overlaps, mesh):
        """Keep states; overlaps come with the orbitals in the order of atoms and projectors."""
        at = np.array([i for i, _ in orbitals])
        order = [_by_atom(orbitals).index(o) for o in orbitals]
        overlaps = overlaps[..., order] * np.exp(2j * np.pi * (k @ shifts[at].T))[:, None]
        names, places = tuple(orbitals.values()), atoms.positions[at]
        return ProjectedStates(
            name, names, tuple(at.tolist()), places, cell, mesh, k, energies, overlaps,
            run.bands[0], settings,
        )  # fmt: skip

    k, energies, overlaps = from_wannier90(folder / "wannier", len(bands), len(picked))
    mesh = np.array(run.mesh)
    whole = np.rint(k * mesh).astype(int) % mesh
    half = [tuple(p) <= tuple(-p % mesh) for p in whole]
    packed(picked, k[half], energies[half], overlaps[half], run.mesh).save(folder / "mesh.nc")
    along, wider = path(), chosen(calc, atoms, oxygen=run.oxygen, t2g=run.oxygen)
    fixed = calc.fixed_density(
        kpts=along, symmetry="off", txt=str(folder / "path.txt"), convergence=converged
    )
    window = slice(bands.start, bands.stop)
    found = np.array([fixed.get_eigenvalues(kpt=i)[window] for i in range(len(along))])
    parts = np.array(
        [
            np.stack([point.P_ani[i][window, p] for i, p in _by_atom(wider)], axis=-1)
            for point in fixed.wfs.kpt_u
        ]
    )
    packed(wider, along, found, parts.conj(), ()).save(folder / "path.nc")


def _by_atom(orbitals: dict[tuple[int, int], str]) -> list[tuple[int, int]]:
    """Order of the orbitals in Wannier90's files: by atom, and as given on each."""
    return sorted(orbitals, key=lambda orbital: orbital[0])


def path() -> np.ndarray:
    """Momenta between the corners, in units of the primitive cell's reciprocal vectors."""
    points = [
        np.array(a) + (np.array(b) - a) * i / n
        for a, b, n in zip(CORNERS, CORNERS[1:], STEPS, strict=False)
        for i in range(n)
    ]
    x, y, z = np.array([*points, CORNERS[-1]], float).T
    return np.stack([x / 2, y / 2, (x + y) / 4 + z / 2], axis=-1)


def from_wannier90(seed: Path, bands: int, size: int) -> tuple[np.ndarray, ...]:
    """Momenta, energies and projections out of the files that Wannier90 takes."""
    text = seed.with_suffix(".win").read_text()
    k = np.array(text.split("begin kpoints")[1].split("end kpoints")[0].split(), float)
    k = k.reshape(-1, 3)
    energies = np.loadtxt(seed.with_suffix(".eig"), usecols=2).reshape(len(k), bands)
    real, imag = np.loadtxt(seed.with_suffix(".amn"), skiprows=2, usecols=(3, 4), unpack=True)
    return k, energies, (real + 1j * imag).reshape(len(k), size, bands).swapaxes(1, 2)


def localize(run: Run, folder: Path) -> None:
    """Four Wannier functions of least spread by Wannier90, from the same states."""
    stored = ProjectedStates.load(folder / "mesh.nc")
    frozen, window = stored.eg_windows()
    lowest = max(window[0], float(stored.energies.min()))
    source = (folder / "wannier.win").read_text()

    def block(name: str) -> str:
        return f"begin {name}{source.split(f'begin {name}')[1].split(f'end {name}')[0]}end {name}\n"

    full = stored.keep(*stored.orbitals[:4]).on_mesh()
    bands = full.energies.shape[1]
    (folder / "eg.win").write_text(
        f"num_bands = {bands}\nnum_wann = 4\nmp_grid = {' '.join(map(str, run.mesh))}\n"
        f"dis_win_min = {lowest}\ndis_froz_min = {frozen[0]}\ndis_froz_max = {frozen[1]}\n"
        "dis_num_iter = 500\nnum_iter = 100\nkmesh_tol = 0.001\n"
        "write_hr = true\nuse_ws_distance = true\n"
        + "".join(map(block, ("unit_cell_cart", "atoms_frac", "kpoints")))
    )
    k, _, _ = from_wannier90(folder / "wannier", bands, len(stored.orbitals))
    place = np.ravel_multi_index(
        np.rint(k * run.mesh).astype(int).T % np.array(run.mesh)[:, None], run.mesh
    )
    with (folder / "eg.amn").open("w") as file:
        file.write(f"projections\n{bands} {len(k)} 4\n")
        for i, at in enumerate(place):
            for n in range(4):
                for m in range(bands):
                    a = full.overlaps[at, m, n]
                    file.write(f"{m + 1} {n + 1} {i + 1} {a.real:.12f} {a.imag:.12f}\n")
    for kind in ("eig", "mmn"):
        shutil.copy(folder / f"wannier.{kind}", folder / f"eg.{kind}")
    subprocess.run(["wannier90.x", "eg"], check=True, cwd=folder)


def carry_out(name: str) -> None:
    """Go through the stages of a run, but for those that have left their file."""
    run, folder = (RUNS | CHECK)[name], BUILD / name
    folder.mkdir(parents=True, exist_ok=True)
    stages: list[tuple[str, str, Callable[[], None]]] = [
        ("relaxed.json", "moving the atoms", lambda: relax(run, folder)),
        ("mesh.nc", "states on a mesh and a path", lambda: states(run, folder, name)),
        ("eg_hr.dat", "Wannier functions of least spread", lambda: localize(run, folder)),
    ]
    for file, words, stage in stages:
        localized = file == "eg_hr.dat" and not (run.oxygen and shutil.which("wannier90.x"))
        if (folder / file).exists() or localized or (file == "relaxed.json" and not run.force):
            continue
        print(f"{name}: {words}", flush=True)
        started = process_time()
        stage()
        print(f"{name}: {words} took {process_time() - started:.0f} CPU seconds", flush=True)


def store(name: str) -> None:
    """Copy what a run has found into the package, in few bytes."""
    from ase.io import read

    folder = BUILD / name
    STORE.mkdir(exist_ok=True)
    for made, kept in (("mesh.nc", f"{name}.nc"), ("path.nc", f"{name}-path.nc")):
        if (folder / made).exists():
            data = ProjectedStates.load(folder / made).to_dataset()
            rough = {v: data[v].astype(np.float32) for v in data if v.startswith("overlaps")}
            data.assign(rough).to_netcdf(STORE / kept, engine="scipy")
    if (folder / "relaxed.json").exists():
        read(folder / "relaxed.json").write(STORE / f"{name}.cif")
    for kind in ("hr", "wsvec"):
        if (folder / f"eg_{kind}.dat").exists():
            packed = gzip.compress((folder / f"eg_{kind}.dat").read_bytes(), mtime=0)
            (STORE / f"{name}_{kind}.dat.gz").write_bytes(packed)


def check() -> None:
    """Compare level differences of a coarse run with the stored ones, never the Fermi level."""
    carry_out("check")
    kept = ProjectedStates.load(STORE / "pressure-path.nc")
    found = ProjectedStates.load(BUILD / "check" / "path.nc")
    # The four e_g bands are the last ones below those of La: 27 bands of O 2p and t2g come first.
    levels = [p.energies[:, 27:31] for p in (kept, found)]
    off = np.subtract(*(e - e.mean() for e in levels))
    miss = float(np.sqrt((off**2).mean()))
    print(
        f"levels of e_g differ by {1000 * miss:.1f} meV (rms), {1000 * abs(off).max():.1f} at most"
    )
    if miss > ALLOWED:
        sys.exit(f"more than {1000 * ALLOWED:g} meV: the stored bands and this code do not agree")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="*", help=f"out of {', '.join(RUNS)}; all by default")
    parser.add_argument("--check", action="store_true", help="compare a coarse run")
    arguments = parser.parse_args()
    if find_spec("gpaw") is None:
        sys.exit(MISSING)
    if arguments.check:
        return check()
    for name in arguments.runs or RUNS:
        if name not in RUNS:
            sys.exit(f"{name!r} is no run; allowed: {', '.join(RUNS)}")
        carry_out(name)
        store(name)
    return None


if __name__ == "__main__":
    main()
