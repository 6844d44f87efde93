"""The Kanamori interaction against GLYWH Eq. 2 in Fock space, its vertices against exact response.

To first order in a coupling g the exact susceptibility changes by the vertex, ±χ0 U χ0, and by the
Hartree-Fock change of the levels in χ0.  The cluster has complex hoppings and no two equal
orbitals, so that no pair of indices can be exchanged unnoticed.
"""

from functools import cache
from itertools import product

import numpy as np
import pytest
from lattices import lattice
from scipy.special import expit

from nickbook.bands import zone_mesh
from nickbook.dimers.fock import annihilators, restrict, sector, total
from nickbook.pairing import Interaction, bare_susceptibility, kanamori

SITES = (0, 0, 1, 1)
ALONE = {
    "U": {"U": 1.0, "J": 0.0, "U_prime": 0.0, "J_prime": 0.0},
    "U_prime": {"U": 0.0, "J": 0.0, "U_prime": 1.0, "J_prime": 0.0},
    "J": {"U": 0.0, "J": 1.0, "U_prime": 0.0, "J_prime": 0.0},
    "J_prime": {"U": 0.0, "J": 0.0, "U_prime": 0.0, "J_prime": 1.0},
}
SIGNS = {"spin": -1, "charge": 1}


@cache
def modes(orbitals):
    """Annihilators by (orbital, spin), spin up in the even modes."""
    found = annihilators(2 * orbitals)
    return {(a, s): found[2 * a + s] for a in range(orbitals) for s in (0, 1)}


def one_body(h):
    c = modes(len(h))
    return total(
        h[a, b] * c[a, s].T @ c[b, s]
        for a, b, s in product(range(len(h)), range(len(h)), (0, 1))
        if h[a, b]
    )


def two_body(tensor, cells=1):
    """Interaction written out from its tensor, once in each cell."""
    n = len(tensor)
    c = modes(n * cells)
    return total(
        tensor[a, b, g, d]
        / 2
        * c[r * n + a, s].T
        @ c[r * n + b, t].T
        @ c[r * n + d, t]
        @ c[r * n + g, s]
        for r, (a, b, g, d), s, t in product(
            range(cells), np.argwhere(tensor).tolist(), (0, 1), (0, 1)
        )
    )


def equation_2(sites, U, J, U_prime, J_prime):
    """GLYWH Eq. 2, term by term."""
    orbitals = range(len(sites))
    c = modes(len(sites))

    def n(a, s):
        return c[a, s].T @ c[a, s]

    terms = [U * n(a, 0) @ n(a, 1) for a in orbitals]
    for a, b in product(orbitals, orbitals):
        if a == b or sites[a] != sites[b]:
            continue
        terms.append(J_prime * c[a, 0].T @ c[a, 1].T @ c[b, 1] @ c[b, 0])
        if a < b:
            for s, t in product((0, 1), (0, 1)):
                terms.append(U_prime * n(a, s) @ n(b, t))
                terms.append(J * c[a, s].T @ c[b, t].T @ c[a, t] @ c[b, s])
    return total(terms)


@pytest.mark.parametrize(
    "couplings", [*ALONE.values(), {"U": 5.0, "J": 0.5, "U_prime": 3.7, "J_prime": 0.3}]
)
@pytest.mark.equation("GLYWH", 2)
def test_kanamori_is_equation_2(couplings):
    ours = two_body(kanamori(SITES, **couplings).tensor)
    assert abs(ours - equation_2(SITES, **couplings)).max() < 1e-14


def test_defaults_are_the_rotationally_invariant_ones():
    expected = kanamori(SITES, 5.0, 0.5, U_prime=4.0, J_prime=0.5).tensor
    np.testing.assert_array_equal(kanamori(SITES, 5.0, 0.5).tensor, expected)
    # With them no rotation of the orbitals of a site changes the interaction.
    angle = 0.7
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned = np.einsum("abcd,ae,bf,cg,dh->efgh", expected, turn, turn, turn, turn)
    np.testing.assert_allclose(turned, expected, atol=1e-14)
    broken = kanamori(SITES, 5.0, 0.5, J_prime=0.0).tensor
    turned = np.einsum("abcd,ae,bf,cg,dh->efgh", broken, turn, turn, turn, turn)
    assert np.abs(turned - broken).max() > 0.1


def kubo(hamiltonian, operators, temperature, states, copies=1):
    """Static isothermal <O_p; O_p'†> of `operators`, summed over the sectors in `states`.

    Each sector counts `copies` times: for those with all spins turned, if averages vanish.
    """
    levels, elements, diagonal = [], [], []
    for chosen in states:
        energies, vectors = np.linalg.eigh(restrict(hamiltonian, chosen))
        o = np.array([vectors.conj().T @ restrict(p, chosen) @ vectors for p in operators])
        levels.append(energies)
        elements.append(o)
        diagonal.append(np.einsum("pii->pi", o))
    ground = min(e[0] for e in levels)
    copies = np.broadcast_to(copies, len(levels))
    weights = [n * np.exp(-(e - ground) / temperature) for e, n in zip(levels, copies, strict=True)]
    partition = sum(w.sum() for w in weights)
    response, mean = 0.0, 0.0
    for energies, w, o, d in zip(levels, weights, elements, diagonal, strict=True):
        gap = energies[:, None] - energies
        flat = np.abs(gap) < 1e-9
        factor = np.where(
            flat, w[:, None] / temperature, (w - w[:, None]) / np.where(flat, 1.0, gap)
        )
        response = response + np.einsum("ij,pij,rij->pr", factor, o, o.conj(), optimize=True)
        mean = mean + d @ w
    mean = mean / partition
    return response / partition - np.multiply.outer(mean, mean.conj()) / temperature


def pair_operators(pairs, orbitals, channel, phases=(1.0,)):
    """c†_a c_c of both spins with the channel's sign, summed over cells with phases."""
    c, n = modes(orbitals * len(phases)), orbitals
    return [
        total(
            phase * SIGNS[channel] ** s * c[r * n + a, s].T @ c[r * n + g, s]
            for (r, phase), s in product(enumerate(phases), (0, 1))
        )
        for a, g in pairs
    ]


def hartree_fock(tensor, density):
    """Mean field of the interaction; density[a, c] is the average of c†_a c_c for one spin."""
    return 2 * np.einsum("abcd,ac->bd", tensor, density) - np.einsum("abdc,ac->bd", tensor, density)


def derivative(function, step):
    return (function(step) - function(-step)) / (2 * step)


def slope_of_rpa(bare, interaction, channel, pairs, density):
    """First-order change of the susceptibility: vertex and Hartree-Fock levels."""
    chi = bare(0.0)
    field = hartree_fock(interaction.tensor, density)
    levels = derivative(lambda g: bare(g, field), 1e-4)
    vertex = interaction.vertex(channel, pairs)
    return -SIGNS[channel] * chi @ vertex @ chi + levels


MU, TEMPERATURE = 0.2, 0.4


def cluster_levels():
    rng = np.random.default_rng(11)
    h = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
    return (h + h.conj().T) / 2


def single_cell(h):
    return lattice({(0, 0): h}, sites=SITES)


@pytest.mark.parametrize("channel", ["spin", "charge"])
@pytest.mark.parametrize("name", ALONE)
def test_first_order_response_of_a_cluster(name, channel):
    """Each coupling alone, both channels, all pairs of indices on a site."""
    h, interaction = cluster_levels(), kanamori(SITES, **ALONE[name])

    def bare(g, field=0.0):
        chi = bare_susceptibility(single_cell(h + g * field), MU, temperature=TEMPERATURE, mesh=1)
        return chi.values[0, 0]

    pairs = bare_susceptibility(single_cell(h), MU, temperature=TEMPERATURE, mesh=1).pairs
    free = one_body(h - MU * np.eye(4))
    repulsion = two_body(interaction.tensor)
    operators = pair_operators(pairs, 4, channel)
    sectors = [sector(8, n, up=u) for n in range(9) for u in range(5)]
    sectors = [s for s in sectors if len(s)]

    def exact(g):
        return kubo(free + g * repulsion, operators, TEMPERATURE, sectors) / 2

    np.testing.assert_allclose(exact(0.0), bare(0.0), atol=1e-12)
    energies, vectors = np.linalg.eigh(h)
    density = (vectors.conj() * expit((MU - energies) / TEMPERATURE)) @ vectors.T
    expected = slope_of_rpa(bare, interaction, channel, pairs, density)
    found = derivative(exact, 1e-3)
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=2e-6)


def ring(h0, hop):
    """Chains of two orbitals a cell along x, uncoupled along y."""
    return lattice({(0, 0): h0, (1, 0): hop})


@pytest.mark.parametrize("channel", ["spin", "charge"])
def test_first_order_response_of_a_ring_at_a_momentum(channel):
    """Three cells in a ring at q = 2π/3: q and -q, and with them k and k + q, are different."""
    rng = np.random.default_rng(5)
    hop = rng.normal(size=(2, 2)) / 2 + 1j * rng.normal(size=(2, 2)) / 2
    h0 = np.array([[0.4, 0.3j], [-0.3j, -0.5]])
    interaction = kanamori((0, 0), 1.0, 0.35, U_prime=0.6, J_prime=0.2)
    cells, temperature = 3, 0.8

    def bare(g, field=0.0):
        return bare_susceptibility(
            ring(h0 + g * field, hop), MU, temperature=temperature, mesh=cells
        ).values[1, 0]

    model = ring(h0, hop)
    pairs = bare_susceptibility(model, MU, temperature=temperature, mesh=cells).pairs
    space = np.zeros((cells, 2, cells, 2), complex)
    for r in range(cells):
        space[r, :, r] += h0
        space[r, :, (r + 1) % cells] += hop
        space[(r + 1) % cells, :, r] += hop.conj().T
    free = one_body(space.reshape(6, 6) - MU * np.eye(6))
    repulsion = two_body(interaction.tensor, cells)
    q = zone_mesh(cells)[1, 0, 0]
    operators = pair_operators(pairs, 2, channel, np.exp(-1j * q * np.arange(cells)))
    # Turning all spins changes nothing, and at q ≠ 0 averages vanish in every sector.
    spins = [(up, down) for up in range(7) for down in range(up + 1)]
    sectors = [sector(12, up + down, up=up) for up, down in spins]
    copies = [1 + (up != down) for up, down in spins]

    def exact(g):
        found = kubo(free + g * repulsion, operators, temperature, sectors, copies)
        return found / (2 * cells)

    energies, vectors = model.states(zone_mesh(cells)[:, 0])
    filled = vectors.conj() * expit((MU - energies) / temperature)[:, None, :]
    density = (filled @ vectors.swapaxes(-1, -2)).mean(axis=0)
    expected = slope_of_rpa(bare, interaction, channel, pairs, density)
    found = derivative(exact, 1e-3)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("channel", ["spin", "charge"])
def test_vertices_are_symmetric_and_hold_each_coupling_where_it_belongs(channel):
    full = kanamori((0, 0), 1.0, 0.01, U_prime=0.1, J_prime=0.001)
    vertex = full.spin if channel == "spin" else full.charge
    np.testing.assert_array_equal(vertex, vertex.T)
    pairs = list(product((0, 1), (0, 1)))
    found = {
        (p, r): vertex[i, j]
        for (i, p), (j, r) in product(enumerate(pairs), enumerate(pairs))
        if vertex[i, j]
    }
    if channel == "spin":
        same, other, cross, swap = 1.0, 0.01, 0.1, 0.001
    else:
        same, other, cross, swap = 1.0, 2 * 0.1 - 0.01, 2 * 0.01 - 0.1, 0.001
    assert found == pytest.approx(
        {
            ((0, 0), (0, 0)): same,
            ((1, 1), (1, 1)): same,
            ((0, 0), (1, 1)): other,
            ((1, 1), (0, 0)): other,
            ((0, 1), (0, 1)): cross,
            ((1, 0), (1, 0)): cross,
            ((0, 1), (1, 0)): swap,
            ((1, 0), (0, 1)): swap,
        }
    )


def test_bad_interactions_are_refused():
    with pytest.raises(ValueError, match="sites is empty"):
        kanamori((), 1.0, 0.1)
    with pytest.raises(ValueError, match="sites"):
        kanamori((0, -1), 1.0, 0.1)
    with pytest.raises(TypeError, match="U = 'one'"):
        kanamori((0,), "one", 0.1)
    with pytest.raises(ValueError, match="shape"):
        Interaction(np.zeros((2, 2)))
    lopsided = np.zeros((2, 2, 2, 2))
    lopsided[0, 1, 0, 1] = 1.0
    with pytest.raises(ValueError, match="exchange of the electrons"):
        Interaction(lopsided)
    lopsided[1, 0, 1, 0] = 1.0
    lopsided[0, 0, 1, 1] = 0.3
    with pytest.raises(ValueError, match=r"h\.c\."):
        Interaction(lopsided)
    onsite = kanamori(SITES, 1.0, 0.1)
    with pytest.raises(ValueError, match="add them to pairs"):
        onsite.vertex("spin", [(0, 0), (1, 1), (2, 2), (3, 3)])
    with pytest.raises(ValueError, match="orbitals below 4"):
        onsite.vertex("spin", [(0, 4)])
    with pytest.raises(ValueError, match="channel"):
        onsite.vertex("triplet", [(0, 0)])
