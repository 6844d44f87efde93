"""Run divERGe, a functional renormalization code of other authors, in a process of its own.

    python tools/run_diverge.py JOB.npz ANSWER.npz

Only the tests, the benchmarks and the script behind the stored tables start this program.  The
package never imports divERGe, whose licence (GPL) is not the package's.  A job and its answer are
numpy archives, so that the caller needs nothing but numpy.

A job holds ``task``, "patch" or "tu", and a model: ``translations`` (nR, 2) and ``hoppings``
(nR, n, n) as in `BlochModel`, ``positions`` (n, 3), ``rotations`` (g, 2, 2) with ``orbitals``
(g, n, n), ``chemical_potential``, ``interaction`` (n, n, n, n) as in `Interaction`, ``mesh``, and
``channels`` from "PCD": particle-particle, crossed and direct particle-hole.

- "patch": one patch per entry of ``patches`` (mesh index kx * mesh + ky) with the loop momenta
  ``members`` and their share ``member_weights``, cut at ``splits``; without ``patches`` divERGe
  finds its own, ``irreducible_patches`` in the eighth of the zone.  The vertex flows through
  ``scales`` (steps, 2) of pairs Λ, dΛ.
- "tu": ``refinement`` of the mesh in loops, form factors up to ``distance``, and a flow with the
  library's own steps from ``start`` until the vertex exceeds ``stop_vertex`` or Λ falls below
  ``stop_scale``; or, with ``scales``, through given steps.  ``keep_growth`` asks for eigenvalues at
  every step, ``keep_vertices`` for the vertices at the end.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import diverge
import numpy as np


def main() -> None:
    job = dict(np.load(sys.argv[1]))
    if not hasattr(diverge, "init"):
        raise SystemExit("divERGe cannot load its library on this machine")
    diverge.init(None, None)
    diverge.mpi_loglevel_set(2)
    model, keep = build(job)
    task = {"patch": patch_flow, "tu": truncated_unity_flow}[str(job["task"])]
    np.savez(sys.argv[2], **task(model, job))
    del keep


def structures(name: str, rows: list[dict]):
    array = diverge.alloc_array((len(rows),), name)
    for entry, row in zip(array, rows, strict=True):
        for key, value in row.items():
            if isinstance(value, complex):
                entry[key]["x"], entry[key]["y"] = value.real, value.imag
            else:
                entry[key] = value
    return array


def build(job: dict):
    """A divERGe model with meshes, bands and symmetries; memory that has to outlive it."""
    model = diverge.model_init()
    fields = model.contents
    count = job["hoppings"].shape[-1]
    mesh, refinement = int(job["mesh"]), int(job.get("refinement", 1))
    fields.name = b"model"
    fields.nk[:], fields.nkf[:] = [mesh, mesh, 0], [refinement, refinement, 0]
    view(fields.lattice, (3, 3))[:] = np.eye(3)
    fields.n_orb, fields.SU2, fields.n_spin = count, 1, 1
    view(fields.positions, (count, 3))[:] = job["positions"]
    hops = structures("rs_hopping_t", hopping_rows(job["translations"], job["hoppings"]))
    fields.hop, fields.n_hop = hops.ctypes.data, len(hops)
    vertex = structures("rs_vertex_t", vertex_rows(job["interaction"]))
    fields.vert, fields.n_vert = vertex.ctypes.data, len(vertex)
    turns = np.tile(np.eye(3), (len(job["rotations"]), 1, 1))
    turns[:, :2, :2] = job["rotations"]
    view(fields.rs_symmetries, turns.shape)[:] = turns
    orbitals = diverge.alloc_array(job["orbitals"].shape, "complex128_t")
    orbitals[:] = job["orbitals"]
    fields.orb_symmetries, fields.n_sym = orbitals.ctypes.data, len(turns)
    if diverge.model_validate(model):
        raise SystemExit("divERGe refuses the model")
    diverge.model_internals_common(model)
    diverge.model_set_chempot(model, None, -1, float(job["chemical_potential"]))
    return model, (hops, vertex, orbitals)


def hopping_rows(translations: np.ndarray, hoppings: np.ndarray) -> list[dict]:
    # divERGe sums exp(ikR) t over hoppings from orbital o1 to o2 like the periodic gauge here.
    return [
        {"R": (*r, 0), "o1": a, "o2": b, "s1": 0, "s2": 0, "t": complex(t[a, b])}
        for r, t in zip(translations.tolist(), hoppings, strict=True)
        for a, b in zip(*np.nonzero(t), strict=True)
    ]


def vertex_rows(tensor: np.ndarray) -> list[dict]:
    """Density-density terms go to channel D, exchange to C, pair hopping to P."""
    rows, taken = [], np.zeros_like(tensor)
    count = len(tensor)
    for a in range(count):
        for b in range(count):
            for channel, where in (("D", (a, b, a, b)), ("C", (a, b, b, a)), ("P", (a, a, b, b))):
                if tensor[where] and not taken[where]:
                    taken[where] = tensor[where]
                    spins = {"s1": -1, "s2": 0, "s3": 0, "s4": 0}
                    rows.append(
                        {"chan": channel.encode(), "R": (0, 0, 0), "o1": a, "o2": b}
                        | spins
                        | {"V": complex(tensor[where])}
                    )
    if not np.array_equal(taken, tensor):
        raise SystemExit("the interaction holds terms that no channel of divERGe takes")
    return rows


def patch_flow(model, job: dict) -> dict:
    if "patches" in job:
        set_patches(model, job)
        diverge.model_internals_patch(model, -1)
    else:
        diverge.model_internals_patch(model, int(job["irreducible_patches"]))
    patching = model.contents.patching.contents
    count = patching.n_patches
    step = diverge.flow_step_init(model, "patch", str(job["channels"]))
    seconds, maxima, vertices = [], [], []
    size = count**3 * job["hoppings"].shape[-1] ** 4
    for scale, change in job["scales"]:
        begin = time.process_time()
        diverge.flow_step_euler(step, scale, change)
        seconds.append(time.process_time() - begin)
        maxima.append(channel_maxima(step))
        vertices.append(view(diverge.flow_step_vertex(step, b"V").ary, (size,), complex).copy())
    members = view(patching.p_count, (count,), np.int64).copy()
    return {
        "patches": view(patching.patches, (count,), np.int64).copy(),
        "weights": view(patching.weights, (count,), float).copy(),
        "splits": np.cumsum(members)[:-1],
        "members": view(patching.p_map, (members.sum(),), np.int64).copy(),
        "member_weights": view(patching.p_weights, (members.sum(),), float).copy(),
        "seconds": np.array(seconds),
        "maxima": np.array(maxima),
        "vertices": np.array(vertices).reshape(len(vertices), *[count] * 3, -1),
    }


def set_patches(model, job: dict) -> None:
    """Give divERGe patches and their loop momenta; it stores members relative to the patch."""
    mesh, centres = int(job["mesh"]), np.ascontiguousarray(job["patches"], dtype=np.int64)
    patching = diverge.patching_from_indices(model, centres.ctypes.data, len(centres))
    groups = np.split(job["members"], job["splits"])
    shares = np.split(job["member_weights"], job["splits"])
    relative = [
        (m // mesh - c // mesh) % mesh * mesh + (m - c) % mesh
        for m, c in zip(groups, centres, strict=True)
    ]
    counts = np.array([len(g) for g in groups], dtype=np.int64)
    totals = np.array([s.sum() for s in shares])
    fields = patching.contents
    view(fields.weights, (len(centres),))[:] = totals
    for name, values in (
        ("p_count", counts),
        ("p_displ", np.cumsum(counts) - counts),
        ("p_map", np.concatenate(relative)),
        ("p_weights", np.concatenate([s / t for s, t in zip(shares, totals, strict=True)])),
    ):
        memory = diverge.mem_alloc(values.nbytes)
        view(memory, values.shape, values.dtype)[:] = values
        setattr(fields, name, diverge.cast(memory, type(getattr(fields, name))))
    model.contents.patching = patching


def truncated_unity_flow(model, job: dict) -> dict:
    diverge.model_internals_tu(model, float(job["distance"]))
    step = diverge.flow_step_init(model, "tu", str(job["channels"]))
    given = iter(job.get("scales", []))
    integrator = diverge.euler_defaults_CPP()
    integrator.Lambda = float(job.get("start", 50.0))
    integrator.dLambda = -0.1 * integrator.Lambda
    integrator.Lambda_min = float(job.get("stop_scale", 1e-3))
    integrator.dLambda_min = 1e-6
    integrator.dLambda_fac, integrator.dLambda_fac_scale = float(job.get("step", 0.1)), 1.0
    integrator.maxvert = float(job.get("stop_vertex", 50.0))
    integrator.maxiter = 10_000
    scales, seconds, maxima, pairing, magnetic = [], [], [], [], []
    running = True
    while running:
        if "scales" in job:
            scale, change = next(given, (None, None))
            if scale is None:
                break
        else:
            scale, change = integrator.Lambda, integrator.dLambda
        begin = time.process_time()
        diverge.flow_step_euler(step, scale, change)
        seconds.append(time.process_time() - begin)
        scales.append((scale, change))
        maxima.append(channel_maxima(step))
        if job.get("keep_growth", False):
            pairing.append(np.linalg.eigvals(channel(step, "P")[0]).real)
            magnetic.append(np.linalg.eigvals(channel(step, "C")).real.max(axis=1))
        if "scales" not in job:
            running = diverge.euler_next(diverge.byref(integrator), max(maxima[-1][1:]))
    found = postprocess(step, tu_lingap=True, tu_storing_threshold=0.2, tu_storing_relative=True)
    channels = {
        f"{name}_{part}": getattr(found, name + part)
        for name in "PCD"
        for part in ("len", "off", "val", "vec")
    }
    vertices = {}
    if "P" in str(job["channels"]):
        pairs = channel(step, "P")[0]
        strengths, modes = np.linalg.eigh((pairs + pairs.conj().T) / 2)
        vertices |= {"mode_values": strengths[:8], "modes": modes.T[:8]}
    if job.get("keep_vertices", False):
        vertices |= {f"vertex_{name}": channel(step, name) for name in str(job["channels"])}
    return {
        "scales": np.array(scales),
        "seconds": np.array(seconds),
        "maxima": np.array(maxima),
        "pairing_growth": np.sort(pairing),
        "magnetic_growth": np.array(magnetic),
        "from": found.mi_to_ofrom,
        "to": found.mi_to_oto,
        "cells": found.mi_to_R,
        "irreducible": found.idx_ibz_in_bz,
        "gap_values": found.S_sc,
        "gap_left": found.U_sc,
        "gap_right": found.V_sc,
        "magnetic_values": found.S_mag,
        "magnetic_left": found.U_mag,
        "momenta": view(diverge.model_internals_get_kmesh(model), (int(job["mesh"]) ** 2, 3))[
            :, :2
        ],
        **channels,
        **vertices,
    }


def channel(step, name: str) -> np.ndarray:
    """Vertex of one channel at the irreducible transfer momenta, in pairs of form factors."""
    found = diverge.flow_step_vertex(step, name.encode())
    shape = (found.q_1 - found.q_0, found.n_orbff, found.n_orbff)
    return view(found.ary, shape, complex).copy()


def channel_maxima(step) -> np.ndarray:
    """Largest elements of the vertex and of the channels P, C, D."""
    vertex, channels = np.zeros(1), np.zeros(3)
    diverge.flow_step_vertmax(step, vertex.ctypes.data)
    diverge.flow_step_chanmax(step, channels.ctypes.data)
    return np.concatenate([vertex, channels])


def postprocess(step, **options):
    import diverge.output

    with TemporaryDirectory() as folder:
        name = str(Path(folder) / "post.dvg")
        diverge.postprocess_and_write_PY(step, name, **options)
        return diverge.output.read(name)


def view(memory, shape, kind=np.float64) -> np.ndarray:
    return diverge.view_array(memory, dtype=kind, shape=shape)


if __name__ == "__main__":
    main()
