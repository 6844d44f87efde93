"""One step of the N-patch flow of a square lattice, beside divERGe's N-patch backend."""

import importlib.util
import os
import platform
import resource

import numpy as np
import pytest
from referee import diverge_flow

from nickbook.bands import BlochModel, FermiSea, square_group
from nickbook.pairing import FlowEquation, kanamori

from .plain import cpu_time, medians, print_table

MU, U, PATCHES, MESH = -1.0, 3.0, 96, 96
ROUNDS = 3
SCALES = np.array([[1.0, -0.1]])

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64")
    or importlib.util.find_spec("diverge") is None,
    reason="divERGe (extra: test) comes with a library for 64-bit Linux on x86 only",
)


def square_lattice():
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
    hops = np.array([-1.0 if 0 in r else 0.3 for r in steps], dtype=complex)
    group = square_group(np.eye(1), np.eye(1))
    hoppings = hops[:, None, None]
    return BlochModel("square", ("s",), np.array(steps), hoppings, sites=(0,), symmetries=group)


class OnMesh(FlowEquation):
    """The same patches with divERGe's loops: both legs at the frequencies ±Λ, on its mesh."""

    def loops(self, scale):
        line = np.arange(MESH)
        places = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
        k = 2 * np.pi * places / MESH
        energies = self.patches.model.energies(k)[:, 0] - MU
        owner = self.nearest(k, 0)
        centres = snapped(self.patches)
        found = np.zeros((2, *self.shape))
        for r, first in enumerate(self.first):
            for b in range(self.size):
                for out, sign in zip(found, (-1, 1), strict=True):
                    other = (centres[first] - sign * centres[b] + sign * places) % MESH
                    there = energies[other @ [MESH, 1]]
                    product = (1j * scale - energies) * (sign * 1j * scale - there)
                    rate = -sign * (1 / product).real / (np.pi * MESH**2)
                    out[r, b, :, 0] = np.bincount(owner, rate, minlength=self.size) / 2
        return found[0], found[1]


def snapped(patches):
    """Mesh points nearest to the patches."""
    return np.round(patches.points * MESH / (2 * np.pi)).astype(int)


def diverge(model, patches, owner):
    order = np.argsort(owner, kind="stable")
    return diverge_flow(
        model,
        MU,
        kanamori((0,), U, 0.0),
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        task="patch",
        mesh=MESH,
        patches=snapped(patches) % MESH @ [MESH, 1],
        members=order,
        member_weights=np.full(MESH**2, 1 / MESH**2),
        splits=np.searchsorted(owner[order], np.arange(1, PATCHES)),
        channels="PCD",
        scales=SCALES,
    )


def test_step_of_96_patches():
    model = square_lattice()
    patches = FermiSea(model, MU).patches(PATCHES)
    interaction = kanamori((0,), U, 0.0)
    line = 2 * np.pi * np.arange(MESH) / MESH
    k = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    same = OnMesh(patches)
    flow = FlowEquation(patches, regulator="frequency")
    ((scale, change),) = SCALES
    vertex = same.bare(interaction)
    flow.derivative(vertex, scale)
    rounds = []
    for _ in range(ROUNDS):
        step = cpu_time(lambda: flow.derivative(vertex, scale))
        loops = cpu_time(lambda: flow.loops(scale))
        # Its own clock, around the step alone.
        answer = diverge(model, patches, same.nearest(k, 0))
        rounds.append((step, loops, 1e3 * answer["seconds"].item()))
    times, ratios = medians(rounds)
    stepped = vertex - change * same.derivative(vertex, scale)
    # The codes project a fourth leg between the patches differently; compare where it is on one.
    a, b = np.arange(PATCHES)[:, None], np.arange(PATCHES)
    legs = ((a, patches.minus[a], b), (a, b, a), (a, b, b))
    ours, theirs = same.full(stepped)[..., 0], answer["vertices"][-1][..., 0].real
    difference = max(np.abs(ours[leg] - theirs[leg]).max() for leg in legs)
    size = max(np.abs(theirs[leg] - U).max() for leg in legs)
    points = len(flow.shell(scale)[0])
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print_table(
        f"One step at {PATCHES} patches, U = {U} t, one thread",
        ("loop points", "loops, ms", "step, ms", "ratio"),
        [
            ("nickbook", str(points), f"{times[1]:.0f}", f"{times[0]:.0f}", ""),
            ("divERGe, N-patch", str(MESH**2), "", f"{times[2]:.0f}", f"{ratios[2]:.0f}"),
        ],
    )
    print(f"pair, forward and exchange vertices after the step: {difference / size:.0e} apart")
    print(f"memory of divERGe: {memory:.0f} MB")
    assert difference < 1e-6 * size
