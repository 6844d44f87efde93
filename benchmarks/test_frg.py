"""One step of the functional renormalization group, and a flow, against plain numpy."""

import time
import tracemalloc
from functools import cached_property

import numpy as np

from nickbook.bands import FermiSea, four_band
from nickbook.pairing import FlowEquation, frg_flow, kanamori

from .plain import print_table, side_by_side

SEA = FermiSea(four_band(), 10.0585)
KANAMORI = kanamori(SEA.model.sites, 5.0, 0.5)
SCALE = 0.1


class LoopsGiven(FlowEquation):
    """The same equation with its loops at one scale worked out once: a step is its sums alone."""

    @cached_property
    def given(self):
        return super().loops(SCALE)

    def loops(self, scale):
        assert scale == SCALE
        return self.given


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
        patches = SEA.patches(count)
        equation, whole = LoopsGiven(patches), FlowEquation(patches)
        inner = FlowEquation(patches, projection="internal")
        part = equation.bare(KANAMORI)
        pp, ph = (equation.full(loop) for loop in equation.given)
        vertex = equation.full(part)
        plain = plain_rate(equation, vertex, pp, ph)
        rate = equation.derivative(part, SCALE)
        expected = equation.symmetrized(plain[equation.first])
        difference = np.abs(rate - expected).max() / np.abs(plain).max()
        assert difference < 1e-5
        functions = (
            lambda e=equation, v=part: e.derivative(v, SCALE),
            lambda e=whole, v=part: e.derivative(v, SCALE),
            lambda a=(equation, vertex, pp, ph): plain_rate(*a),
            lambda e=inner, v=part: e.derivative(v, SCALE),
        )
        times, ratios = side_by_side(functions, 5)
        numbers = (*(f"{t:.3g}" for t in times), f"{ratios[2]:.0f}", f"{ratios[3] / ratios[1]:.1f}")
        rows.append((f"{3 * count} patches", f"{difference:.0e}", *numbers))
        assert ratios[3] < 3 * ratios[1]
    columns = (
        "difference", "sums, ms", "with loops, ms", "numpy sums, ms", "inner legs moved, ms",
        "ratio of sums", "inner to outer",
    )  # fmt: skip
    print_table("One step on three bands, sums over loops given", columns, rows)


def test_flow_with_120_patches():
    patches = SEA.patches(40)
    frg_flow(SEA, interaction=KANAMORI, patches=8, limit=3.0)
    tracemalloc.start()
    start = time.process_time()
    flow = frg_flow(SEA, interaction=KANAMORI, patches=patches)
    busy = time.process_time() - start
    memory = tracemalloc.get_traced_memory()[1] / 1e9
    tracemalloc.stop()
    assert flow.diverged
    row = (f"{len(flow.scales) - 1} steps", f"{busy:.0f}", f"{memory:.2f}")
    print_table("Flow with 120 patches to divergence", ("CPU time, s", "memory, GB"), [row])
