"""What one loop adds to the scattering of pairs, with patches inside the loop and without."""

import numpy as np
import pytest

from nickbook.bands import FermiSea, four_band, zone_mesh
from nickbook.pairing import FlowEquation, bare_vertex, kanamori
from nickbook.pairing.frg import Vertex
from nickbook.pairing.frg.equation import TERMS
from nickbook.pairing.frg.second_order import exact_second_order, flow_second_order

SEA = FermiSea(four_band(), 10.0975)
INTERACTION = kanamori(SEA.model.sites, 5.0, 0.5)
SCALE = 0.1


@pytest.mark.parametrize("bands", [None, [1, 3]])
def test_exact_sums_are_those_of_the_diagrams(bands):
    """Written out with the vertex of four states each, mode by mode."""
    patches, size = SEA.patches(8), 16
    a, b = 0, 17
    inside = sorted(set(patches.bands)) if bands is None else bands
    k = (zone_mesh(size) + np.pi / (3 * size)).reshape(-1, 2)

    def modes(q):
        energies, states = SEA.model.states(q)
        return (energies - SEA.mu)[:, inside], states[..., inside].swapaxes(1, 2)

    def gamma(*legs):
        return bare_vertex(INTERACTION, *legs)

    (e5, u5), total = modes(k), np.zeros(3)
    for c in (b, patches.minus[b]):
        one, two, three, four = (
            patches.states[p] for p in (a, patches.minus[a], c, patches.minus[c])
        )
        k1, k3 = patches.points[a], patches.points[c]
        for term, q, pair in ((0, -k, 1), (1, k + k3 - k1, -1), (2, k - k1 - k3, -1)):
            e6, u6 = modes(q)
            five, six = u5[:, :, None], u6[:, None]
            xi, other = e5[:, :, None], e6[:, None]
            weight = (pair * xi * other > 0) & (abs(xi) > SCALE) & (abs(other) > SCALE)
            weight = weight / (abs(xi) + abs(other)) / len(k) / 2
            if term == 0:
                value = -gamma(one, two, five, six) * gamma(five, six, three, four)
            elif term == 1:
                value = -2 * gamma(one, six, three, five) * gamma(five, two, six, four)
                value = value + gamma(one, six, five, three) * gamma(five, two, six, four)
                value = value + gamma(one, six, three, five) * gamma(five, two, four, six)
            else:
                value = gamma(one, six, five, four) * gamma(five, two, three, six)
            total[term] += (weight * value).sum().real
    (found,) = exact_second_order(patches, INTERACTION, SCALE, [(a, b)], bands=bands, mesh=size)
    assert np.abs(total).min() > 0.01
    assert found == pytest.approx(total, abs=1e-12)


@pytest.fixture(scope="module")
def scattering():
    """Three legs of each block of sheets: exact, and as the flow has it by either rule."""
    patches = SEA.patches(16)
    ends = [(0, 16), (1, 16), (0, 32), (16, 32)]
    pairs = [(a, b + step) for a, b in ends for step in (1, 6, 11)]
    exact = exact_second_order(patches, INTERACTION, SCALE, pairs, mesh=48)
    flows = {}
    for projection in ("external", "internal"):
        columns = []
        for term in TERMS:
            equation = FlowEquation(patches, keep=(term,), mesh=24, projection=projection)
            part = flow_second_order(equation, INTERACTION, SCALE, nodes=12)
            columns.append(
                Vertex(equation, part).pairing_vertex("singlet")[tuple(np.transpose(pairs))]
            )
        flows[projection] = np.transpose(columns)
    return exact, flows


def test_pairs_of_particles_are_right_by_either_rule(scattering):
    exact, flows = scattering
    for found in flows.values():
        assert np.abs(found[:, 0] / exact[:, 0] - 1).max() < 0.25
        assert abs(found[:, 0].mean() / exact[:, 0].mean() - 1) < 0.12


def test_moving_outer_legs_is_nearer_to_the_exact_particle_hole_diagrams(scattering):
    """The evidence for the default."""
    exact, flows = scattering
    size = np.sqrt(np.square(exact[:, 1:]).mean(axis=0))
    misses = {
        name: np.sqrt(np.square(found - exact)[:, 1:].mean(axis=0)) / size
        for name, found in flows.items()
    }
    assert (misses["external"] < 0.6 * misses["internal"]).all()
    assert (misses["external"] < 0.45).all()
    assert FlowEquation(SEA.patches(8)).projection == "external"
    # Between α and β the direct diagram is lost when the inner legs are moved.
    alpha_beta = slice(6, 9)
    lost = {name: found[alpha_beta, 1].mean() for name, found in flows.items()}
    assert exact[alpha_beta, 1].mean() < -0.9
    assert abs(lost["external"] / exact[alpha_beta, 1].mean() - 1) < 0.35
    assert abs(lost["internal"]) < 0.4 * abs(exact[alpha_beta, 1].mean())


def test_the_fourth_band_doubles_what_pushes_beta_and_gamma_apart():
    """No rule can make good a band without patches."""
    patches = SEA.patches(16)
    pairs = [(0, 17), (0, 22), (1, 27)]
    three, four = (
        exact_second_order(patches, INTERACTION, SCALE, pairs, bands=bands, mesh=48)[:, 2].mean()
        for bands in (None, range(4))
    )
    assert three > 0
    assert four / three == pytest.approx(2.1, abs=0.2)
