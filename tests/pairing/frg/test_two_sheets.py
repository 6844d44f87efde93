"""Two nested sheets: the flow equation spelled out, closed forms, and the rays it ends on."""

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import fsolve

from nickbook.pairing.frg import two_sheet_flow
from nickbook.pairing.frg.two_sheets import STATES

COUPLINGS = ("density", "exchange", "pair", "within")
#: Legs 1, 2, 3, 4 of each coupling, as sheets.
LEGS = {"density": (0, 1, 0, 1), "exchange": (0, 1, 1, 0), "pair": (0, 0, 1, 1)}
LEGS |= {"within": (0, 0, 0, 0)}


def vertex(u):
    """Γ(1, 2; 3, 4) on two sheets: a loop over legs knows nothing of the names of couplings."""
    gamma = np.zeros((2, 2, 2, 2))
    for value, legs in zip(u, LEGS.values(), strict=True):
        for flip in (0, 1):
            gamma[tuple(leg ^ flip for leg in legs)] = value
    return gamma


def spelled_out(u, nesting):
    """The five terms of the flow equation, leg by leg: Λ times −dΓ/dΛ."""
    g = vertex(u)
    found = []
    for one, two, three, four in LEGS.values():
        total = 0.0
        for a, b in itertools.product((0, 1), repeat=2):
            # Momenta add up: transfers are zero or Q, which is its own negative.
            if a ^ b == one ^ two and a == b:
                total -= g[one, two, a, b] * g[a, b, three, four]
            if a != b and one ^ three == a ^ b:
                total += nesting * (
                    -2 * g[one, b, three, a] * g[a, two, b, four]
                    + g[one, b, a, three] * g[a, two, b, four]
                    + g[one, b, three, a] * g[a, two, four, b]
                )
            if a != b and one ^ four == a ^ b:
                total += nesting * g[one, b, a, four] * g[a, two, three, b]
        found.append(total)
    return np.array(found)


@pytest.mark.parametrize("mismatch", [0.0, 0.1, 1.0])
def test_flow_is_the_flow_equation_leg_by_leg(mismatch):
    flow = two_sheet_flow(0.3, 0.2, mismatch=mismatch, points=801)
    depth = -np.log(flow.scales)
    u = np.array([getattr(flow, name) for name in COUPLINGS])
    # Steps from the middles of the intervals; the couplings are small enough there.
    middle = (u[:, 1:] + u[:, :-1]) / 2
    scale = np.exp(-(depth[1:] + depth[:-1]) / 2)
    slopes = [spelled_out(x, s / (s + mismatch)) for x, s in zip(middle.T, scale, strict=True)]
    kept = np.abs(middle).max(axis=0) < 1
    assert kept.sum() > 300
    assert np.diff(u)[:, kept] == pytest.approx(
        (np.array(slopes) * np.diff(depth)[:, None]).T[:, kept], rel=2e-3, abs=2e-7
    )


def lorentz(x, width):
    return width / (x**2 + width**2) / np.pi


@pytest.mark.parametrize("mismatch", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_particle_hole_loop_of_two_sheets_with_a_sharp_cutoff(mismatch, scale):
    """Integrate the loop of the flow equation over the energies of both sheets."""
    m, width = mismatch, 2e-4 * scale  # a narrow delta

    def loop(e):
        own, other = e - m, -e - m
        if own * other >= 0:
            return 0.0
        total = 0.0
        for x, y in ((own, other), (other, own)):
            d = abs(x) - scale
            theta = 0.5 + np.arctan((abs(y) - scale) / width) / np.pi
            total += lorentz(d, width) * theta / (abs(x) + abs(y))
        return total

    peaks = sorted({s * scale + t * m for s in (-1, 1) for t in (-1, 1)})
    value, _ = quad(loop, -50 * scale, 50 * scale, points=peaks, limit=2000)
    flow_has = 1 / (scale + m)
    assert value == pytest.approx(flow_has, rel=3e-3)


def test_a_ladder_alone_is_the_logarithm_of_cooper():
    """Without nesting pairs decouple into u4 + u3 and u4 − u3, each of a closed form."""
    flow = two_sheet_flow(0.3, 0.2, mismatch=1e9)
    depth = -np.log(flow.scales)
    for sign in (1, -1):
        start = 0.3 + sign * 0.2
        assert flow.within + sign * flow.pair == pytest.approx(
            start / (1 + start * depth), rel=1e-6
        )
    assert not flow.diverged and np.isnan(flow.turning_scale)
    assert flow.susceptibility("s±") == pytest.approx(depth / (1 + 0.1 * depth), rel=1e-6)


def test_attraction_at_the_start_diverges_where_the_gap_equation_says():
    flow = two_sheet_flow(0.1, 0.4, mismatch=1e9, limit=1e6)
    assert flow.leading == "s±" and flow.diverged and flow.turning_scale == 1
    assert flow.scales[-1] == pytest.approx(np.exp(-1 / 0.3), rel=1e-4)


def test_perfect_nesting_without_pair_hopping_is_the_ladder_of_waves():
    """`between` = 0 leaves a repulsion within sheets that nothing turns."""
    flow = two_sheet_flow(0.3, 0.0)
    depth = -np.log(flow.scales)
    assert flow.within == pytest.approx(0.3 / (1 + 0.3 * depth), rel=1e-6)
    assert not flow.density.any() and np.isnan(flow.turning_scale)


@pytest.mark.parametrize("start", [(0.3, 0.3), (0.3, 0.2), (0.15, 0.12)])
def test_nested_sheets_end_on_the_ray_of_chubukov(start):
    """The couplings' ratios: roots of the flow of g / (l_c − l), found without integrating."""
    flow = two_sheet_flow(*start, limit=1e6)
    last = np.array([getattr(flow, name)[-1] for name in COUPLINGS])

    def residual(g):
        return spelled_out(g, 1.0) - g

    ray = fsolve(residual, [0.2, 0.0, 0.4, -0.2], xtol=1e-12)
    assert residual(ray) == pytest.approx(0, abs=1e-10)
    assert last / last[0] == pytest.approx(ray / ray[0], abs=0.02)
    assert ray[2] / ray[0] == pytest.approx(5**0.5) and ray[3] == pytest.approx(-ray[0])
    # There waves and pairs are equally strong.
    assert ray[0] + ray[2] == pytest.approx(ray[2] - ray[3])


def test_nesting_decides_between_wave_pairs_and_nothing():
    outcomes = [two_sheet_flow(0.3, 0.2, mismatch=m) for m in (0.0, 0.1, 1.0)]
    assert [f.leading for f in outcomes[:2]] == ["SDW", "s±"]
    assert [f.diverged for f in outcomes] == [True, True, False]
    # What is called attraction is the turn of the dressed field: its logarithm falls, then rises.
    for f in outcomes[:2]:
        dressed = np.diff(f.susceptibility("s±")) / -np.diff(np.log(f.scales))
        assert f.scales[np.argmin(dressed)] == pytest.approx(f.turning_scale, rel=0.05)
    assert STATES == ("s±", "s++", "SDW")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"within": -0.1}, "within >= 0"),
        ({"between": 1.0}, "between < 1"),
        ({"mismatch": -1.0}, "mismatch >= 0"),
        ({"stop": 1.0}, "stop > 0 and stop < 1"),
        ({"limit": 0.5}, "limit >= 1"),
        ({"points": 1}, ">= 2"),
    ],
)
def test_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        two_sheet_flow(**({"within": 0.3, "between": 0.2} | arguments))


def test_an_unknown_state_is_named():
    with pytest.raises(ValueError, match="s±"):
        two_sheet_flow(0.3, 0.2).susceptibility("d")
