"""The eight-band model from its printed formulas by PythTB, hop by hop, and what follows from it.

PythTB keeps the positions of the orbitals in its phases, as GLYWH App. D does, so that matrices can
be compared and not only energies.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from pythtb_models import energies, hamiltonians, tight_binding

from nickbook.bands import bilayer_plane, eight_band

# App. D as printed, with the first of the two "s12xx" as s22xx.
P = SimpleNamespace(
    epsilon_x=10.920,
    t11_x=-0.512,
    t11_xy=0.062,
    t11_xx=-0.053,
    epsilon_z=10.501,
    t22_x=-0.123,
    t22_xy=-0.005,
    t22_xx=-0.022,
    s11_0=-0.030,
    s11_x=0.001,
    s11_xy=0.023,
    s11_xx=-0.015,
    s22_0=-0.601,
    s22_x=0.025,
    s22_xy=-0.011,
    s22_xx=0.011,
    t12_x=0.250,
    t12_xx=0.035,
    s12_x=-0.038,
    s12_xx=-0.006,
    s11_z=0.001,
    s13_z=0.0004,
    s22_z=-0.006,
    s24_z=-0.031,
)
RANDOM = np.random.default_rng(8)
AROUND = [(1, 0), (-1, 0), (0, 1), (0, -1)]
DIAGONAL = [(1, 1), (1, -1), (-1, 1), (-1, -1)]


def even(first, second, third):
    """Hops alike in all four directions."""
    hops = [(r, first) for r in AROUND] + [(r, second) for r in DIAGONAL]
    return hops + [((2 * x, 2 * y), third) for x, y in AROUND]


def odd(first, third):
    """Hops that change sign under a quarter turn."""
    near = [((x, y), first * (1 if y == 0 else -1)) for x, y in AROUND]
    return near + [((2 * x, 2 * y), third * (1 if y == 0 else -1)) for x, y in AROUND]


def in_a_bilayer():
    """Orbitals i <= j, vector and hopping of GLYWH Eqs. 9 and 10."""
    mixed, layers = odd(P.t12_x, P.t12_xx), odd(P.s12_x, P.s12_xx)
    hops = {
        (0, 0): even(P.t11_x, P.t11_xy, P.t11_xx),
        (1, 1): even(P.t22_x, P.t22_xy, P.t22_xx),
        (0, 2): [((0, 0), P.s11_0), *even(P.s11_x, P.s11_xy, P.s11_xx)],
        (1, 3): [((0, 0), P.s22_0), *even(P.s22_x, P.s22_xy, P.s22_xx)],
    }
    hops |= {(0, 1): mixed, (2, 3): mixed, (0, 3): layers, (1, 2): layers}
    hops |= {(2, 2): hops[0, 0], (3, 3): hops[1, 1]}
    for (i, j), terms in hops.items():
        for r, t in terms:
            # PythTB adds the opposite hops of an orbital to itself.
            if i != j or r > (0, 0):
                yield i, j, [*r, 0], t


def between_bilayers(far):
    """Hops of GLYWH Eq. 30."""
    for i, (like, facing) in enumerate([(P.s11_z, P.s13_z), (P.s22_z, P.s24_z)]):
        for x, y in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            for z in (0, -1):
                yield i, 4 + i, [x, y, z], like
                yield 2 + i, 6 + i, [x, y, z], like
            yield i, 6 + i, [x, y, 0 if far else -1], facing
            yield 2 + i, 4 + i, [x, y, -1 if far else 0], facing


def referee(delta_z, far=False):
    """PythTB's model; far=True joins t with b' in the same cell, as GLYWH's words have it."""
    heights = [0, 0, delta_z, delta_z]
    places = [[0, 0, z] for z in heights] + [[0.5, 0.5, 0.5 + z] for z in heights]
    hops = list(between_bilayers(far))
    for i, j, r, t in in_a_bilayer():
        hops += [(i, j, r, t), (4 + i, 4 + j, r, t)]
    return tight_binding(places, [P.epsilon_x, P.epsilon_z] * 4, hops)


@pytest.mark.parametrize("delta_z", [0.08, 0.2, 0.37])
@pytest.mark.equation("GLYWH", 24, 25, 30, 31, 32)
def test_pythtb_builds_the_same_matrices(delta_z):
    k = RANDOM.uniform(-7, 7, (25, 3))
    ours = eight_band(delta_z=delta_z).hamiltonian(k, gauge="position")
    assert np.abs(ours - hamiltonians(referee(delta_z), k)).max() < 1e-12


def test_pythtb_finds_the_same_bands_for_every_delta_z():
    k = RANDOM.uniform(-7, 7, (25, 3))
    for delta_z in (0.08, 0.37):
        theirs = energies(referee(delta_z), k)
        assert np.abs(theirs - eight_band().energies(k)).max() < 1e-12


def test_the_other_image_of_the_facing_layer_has_other_matrices_and_the_same_bands():
    k = RANDOM.uniform(-7, 7, (25, 3))
    near, far = referee(0.2), referee(0.2, far=True)
    assert np.abs(hamiltonians(near, k) - hamiltonians(far, k)).max() > 0.05
    assert np.abs(energies(near, k) - energies(far, k)).max() < 1e-12


@pytest.mark.parametrize("delta_z", [0.2, 0.37])
@pytest.mark.equation("GLYWH", 33, 34)
def test_blocks_of_the_referee(delta_z):
    """GLYWH Eqs. 33 and 34, with the exchange of the bilayers as a constant rotation."""
    k = RANDOM.uniform(-7, 7, (25, 3))
    h = hamiltonians(referee(delta_z), k)
    within, between = h[:, :4, :4], h[:, :4, 4:]
    assert np.abs(between - between.conj().swapaxes(1, 2)).max() < 1e-14
    rotation = np.kron([[1, 1], [1, -1]], np.eye(4)) / np.sqrt(2)
    rotated = rotation @ h @ rotation
    assert np.abs(rotated[:, :4, 4:]).max() < 1e-13
    assert np.allclose(rotated[:, :4, :4], within + between)
    other = within - between
    phase = np.exp(2j * np.pi * delta_z * np.array([0, 0, 1, 1]))
    turned = phase.conj()[:, None] * other * phase
    for shift, same in (
        ((1, 0, 0), True),
        ((0, 1, 0), True),
        ((1, 1, 1), False),
        ((0, 0, 1), False),
    ):
        moved = hamiltonians(referee(delta_z), k + 2 * np.pi * np.array(shift))
        folded = moved[:, :4, :4] + moved[:, :4, 4:]
        assert np.allclose(folded, other if same else turned, atol=1e-12)
        assert same or np.abs(folded - other).max() > 0.1


def test_bands_are_doubly_degenerate_on_the_zone_boundary():
    model = referee(0.2)
    for axis in range(3):
        k = RANDOM.uniform(-np.pi, np.pi, (20, 3))
        k[:, axis] = np.pi
        bands = energies(model, k)
        assert np.abs(bands[:, ::2] - bands[:, 1::2]).max() < 1e-12
    inside = energies(model, RANDOM.uniform(0.3, 2.8, (20, 3)))
    assert np.abs(inside[:, ::2] - inside[:, 1::2]).max(axis=1).min() > 1e-4


def test_the_mirror_maps_a_plane_onto_its_opposite():
    swap = np.eye(4)[[2, 3, 0, 1]]
    k = RANDOM.uniform(-4, 4, (20, 2))
    for kz in (0.0, 0.9, np.pi, 2 * np.pi):
        here, there = bilayer_plane(kz).hamiltonian(k), bilayer_plane(-kz).hamiltonian(k)
        assert np.allclose(swap @ here @ swap, there)
        commutes = np.abs(swap @ here - here @ swap).max() < 1e-12
        assert commutes == (kz in (0.0, 2 * np.pi))
