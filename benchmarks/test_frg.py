"""One step of the functional renormalization group, and a flow, against plain numpy."""

import time
import tracemalloc

import numpy as np

from nickbook.bands import four_band
from nickbook.pairing import FlowEquation, fermi_patches, frg_flow, kanamori

from .plain import best_time, print_table

MODEL, MU = four_band(), 10.0585
KANAMORI = kanamori(MODEL.sites, 5.0, 0.5)
SCALE = 0.1


def plain_rate(equation, vertex, pp, ph):
    """The one-loop terms of all entries by numpy, without crossing, Hermiticity and C4v.

    vertex, pp and ph are on all patches, (P, P, P, B).
    """
    size, bands = equation.size, len(equation.bands)
    rows = vertex.reshape(size, size, -1)
    x = vertex.transpose(1, 2, 0, 3).reshape(size, size, -1)
    c = 2 * vertex.transpose(0, 2, 1, 3).reshape(size, size, -1) - x
    pp, ph = pp.reshape(size, size, -1), ph.reshape(size, size, -1)
    rate = np.empty((size, size, size, bands))
    p3 = np.arange(size)[:, None]
    for p1 in range(size):
        for p2 in range(size):
            p4 = equation.fourth[p1, p2]
            total = -(rows[p3, p4] @ (pp[p1, p2] * rows[p1, p2]))
            total -= rows[p4, p3] @ (pp[p1, p2] * rows[p2, p1])
            for sign, part in ((0.5, x), (-0.5, c)):
                ahead, back = ph[p1] * part[p1], ph[:, p1] * part[:, p1]
                total += sign * np.einsum("ij,isj->is", ahead, part[p4, p2])
                total += sign * np.einsum("ij,isj->is", back, part[p2, p4])
            total += np.einsum("ij,isj->is", ph[:, p2] * x[:, p2], x[p1, p4])
            total += np.einsum("ij,isj->is", ph[p2] * x[p2], x[p4, p1])
            rate[p1, p2] = total
    return rate


def test_one_step():
    rows = []
    for count in (8, 16, 24):
        equation = FlowEquation(fermi_patches(MODEL, MU, count))
        part = equation.bare(KANAMORI)
        pp, ph = (equation.full(loop) for loop in equation.loops(SCALE))
        vertex = equation.full(part)
        plain = plain_rate(equation, vertex, pp, ph)
        rate = equation.derivative(part, SCALE)
        own = equation._sources[0]
        difference = np.abs(rate - plain[equation.first])[own].max() / np.abs(plain).max()
        assert difference < 1e-5
        ours = best_time(lambda e=equation, v=part: e.derivative(v, SCALE), 3)
        loops = best_time(lambda e=equation: e.loops(SCALE), 3)
        theirs = best_time(lambda a=(equation, vertex, pp, ph): plain_rate(*a), 1)
        row = (f"{3 * count} patches", f"{difference:.0e}", f"{loops:.0f}", f"{ours:.0f}")
        rows.append((*row, f"{theirs:.0f}", f"{theirs / (ours - loops):.0f}"))
    columns = ("difference", "loops, ms", "step with loops, ms", "numpy sums, ms", "ratio of sums")
    print_table("One step on three bands, sums over loops given", columns, rows)


def test_flow_with_120_patches():
    patches = fermi_patches(MODEL, MU, 40)
    frg_flow(MODEL, MU, interaction=KANAMORI, patches=8, limit=3.0)
    tracemalloc.start()
    wall, busy = time.perf_counter(), time.process_time()
    flow = frg_flow(MODEL, MU, interaction=KANAMORI, patches=patches)
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    memory = tracemalloc.get_traced_memory()[1] / 1e9
    tracemalloc.stop()
    assert flow.diverged
    row = (f"{len(flow.scales) - 1} steps", f"{wall:.0f}", f"{busy:.0f}", f"{memory:.2f}")
    print_table(
        "Flow with 120 patches to divergence", ("s", "of all cores, s", "memory, GB"), [row]
    )
