"""The flow equation term by term: plain sums over dense lines of constant energy.

Everything here follows from the definitions alone.  Nothing of the flow's own loops, patch search
or contractions is used, only the vertex that both sides start from.
"""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from nickbook.bands import fermi_sheets, four_band
from nickbook.pairing import fermi_patches, kanamori
from nickbook.pairing.frg.equation import FlowEquation

MU, SCALE = 10.0975, 0.15
U, J = 5.0, 0.5
DENSE = 4_000


def dense_line(sheet):
    """Many points of a Fermi line with their weights, from a periodic spline in time."""
    count = len(sheet.points)
    closing = sheet.points[:1] + (0 if sheet.kind != "open" else np.nan)
    path = CubicSpline(np.arange(count + 1), np.concatenate([sheet.points, closing]), axis=0)
    time = CubicSpline(
        np.arange(count + 1), np.append(sheet.weights, sheet.weights[0]), bc_type="periodic"
    )
    place = count * (np.arange(DENSE) + 0.5) / DENSE
    return path(place), time(place) * count / DENSE


@pytest.fixture(scope="module")
def system():
    model = four_band()
    patches = fermi_patches(model, MU, 16)
    equation = FlowEquation(patches)
    vertex = equation.bare(kanamori(model.sites, U, J))
    # One step, so that the vertex depends on all momenta.
    vertex = vertex + 0.05 * equation.derivative(vertex, 0.4)
    moving = []
    for energy in (-SCALE, SCALE):
        for sheet in fermi_sheets(model, MU + energy):
            if sheet.band not in equation.bands:
                continue
            points, weights = dense_line(sheet)
            own = np.flatnonzero(patches.bands == sheet.band)
            away = points[:, None] - patches.points[own]
            away -= 2 * np.pi * np.round(away / (2 * np.pi))
            labels = own[np.square(away).sum(axis=-1).argmin(axis=1)]
            moving.append((points, weights, labels, energy))
    return model, patches, equation, vertex, moving


def loop(system, q, kind):
    """Growth of a loop by the patch of the moving leg and the band of the other, (P, B)."""
    model, patches, equation, _, moving = system
    total = np.zeros((len(patches.points), len(equation.bands)))
    for points, weights, labels, energy in moving:
        other = q - points if kind == "pp" else points + q
        energies = model.band_energies(other)[:, equation.bands] - MU
        # At T = 0 two particles, or two holes, or one of each, that cost |ξ| + |ξ′|.
        allowed = (energy * energies > 0) == (kind == "pp")
        # Two legs that meet the cutoff together, as k and −k do, share the step evenly.
        past = np.heaviside((np.abs(energies) - SCALE).round(5), 0.5)
        rate = np.where(allowed, past / (SCALE + np.abs(energies)), 0.0)
        np.add.at(total, labels, weights[:, None] * rate)
    return total


def terms(system, k1, k2, k3, k4):
    """The five one-loop terms for patches 1, 2 → 3, 4, by either leg that the cutoff moves."""
    _, patches, equation, vertex, _ = system
    v, k = equation.full(vertex), patches.points
    pair = loop(system, k[k1] + k[k2], "pp")
    direct, direct_back = (loop(system, s * (k[k3] - k[k1]), "ph") for s in (1, -1))
    crossed, crossed_back = (loop(system, s * (k[k2] - k[k3]), "ph") for s in (1, -1))
    return {
        "pp": -np.sum(pair * (v[k1, k2] * v[k3, k4] + v[k2, k1] * v[k4, k3])),
        "ph-direct": np.sum(
            direct
            * (
                -2 * v[k3, :, k1] * v[k2, :, k4]
                + v[:, k3, k1] * v[k2, :, k4]
                + v[k3, :, k1] * v[:, k2, k4]
            )
            + direct_back
            * (
                -2 * v[k1, :, k3] * v[k4, :, k2]
                + v[:, k1, k3] * v[k4, :, k2]
                + v[k1, :, k3] * v[:, k4, k2]
            )
        ),
        "ph-crossed": np.sum(
            crossed * v[:, k4, k1] * v[:, k2, k3] + crossed_back * v[:, k1, k4] * v[:, k3, k2]
        ),
    }


#: Scattering of pairs, and forward and exchange scattering of two electrons: the momenta add up on
#: the patches, so that no fourth leg is moved to its patch.
PAIRS = ((3, 3), (3, 20), (20, 40), (5, 41), (18, 30))
FORWARD = ((3, 20), (20, 41), (6, 9))


@pytest.fixture(scope="module")
def expected(system):
    patches = system[1]
    minus = patches.minus
    legs = [(a, minus[a], b, minus[b]) for a, b in PAIRS]
    legs += [(a, b, *out) for a, b in FORWARD for out in ((a, b), (b, a))]
    return {leg: terms(system, *leg) for leg in legs}


@pytest.mark.parametrize(("mesh", "tolerance"), [(64, 0.01), (192, 0.003)])
@pytest.mark.parametrize("term", ["pp", "ph-direct", "ph-crossed"])
def test_derivative_from_the_definitions(system, expected, term, mesh, tolerance):
    """What is left is the mesh of the flow's own loops and its slightly rounded step."""
    _, patches, equation, vertex, _ = system
    flow = FlowEquation(patches, keep=(term,), mesh=mesh)
    rate = flow.full(flow.derivative(vertex, SCALE))
    largest = np.abs(rate).max()
    misses = []
    for (k1, k2, k3, k4), values in expected.items():
        band = equation.band_of[k4]
        assert equation.fourth[k1, k2, k3, band] == k4
        misses.append(abs(rate[k1, k2, k3, band] - values[term]) / largest)
    assert max(abs(v[term]) for v in expected.values()) > 0.3 * largest
    assert max(misses) < tolerance
