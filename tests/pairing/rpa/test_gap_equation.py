"""The linearized gap equation: its vertex against exact many-electron states, and known results."""

from dataclasses import replace

import numpy as np
import pytest
from lattices import lattice, square_lattice
from scipy.sparse.linalg import LinearOperator, eigsh

from nickbook.bands import (
    SQUARE_CHARACTERS,
    FermiSea,
    FermiSheet,
    chemical_potential,
    density_of_states,
    four_band,
    zone_mesh,
)
from nickbook.dimers.fock import annihilators, restrict, second_order, sector, total
from nickbook.pairing import (
    FermiPatches,
    Interaction,
    PairScattering,
    Susceptibility,
    bare_susceptibility,
    fermi_patches,
    kanamori,
    linearized_gap,
    pair_scattering,
    rpa_gap,
    rpa_susceptibility,
    stoner_point,
)

MU = 10.0975


def hubbard(U):
    return kanamori((0,), U=U, J=0.0)


def at_filling(n, t_prime=0.0, *, count=40, temperature=0.1, mesh=48):
    model = square_lattice(t_prime)
    mu = chemical_potential(model, n)
    chi0 = bare_susceptibility(model, mu, temperature=temperature, mesh=mesh)
    return pair_scattering(fermi_patches(model, mu, count), chi0)


@pytest.fixture(scope="module")
def bilayer():
    model = four_band()
    chi0 = bare_susceptibility(model, MU, temperature=0.03, mesh=48)
    return pair_scattering(fermi_patches(model, MU, 16), chi0)


# Exact: two electrons on a ring of three cells, with complex h(k) and two unlike orbitals.

CELLS, ORBITALS, RING = 3, 2, 6
STEP = 2 * np.pi / CELLS
ONSITE = np.array([[0.1, 0.25], [0.25, 0.9]])
AHEAD = np.array([[-0.6, 0.5], [-0.15, 0.2]])


def ring():
    """Ring along x, with its momenta, energies from the level at ±2π/3, and Bloch states."""
    model = lattice({(0, 0): ONSITE, (1, 0): AHEAD}, "ring")
    k = STEP * np.array([0, 1, -1])
    energies, vectors = np.linalg.eigh(model.hamiltonian(np.stack([k, 0 * k], -1)))
    vectors[2] = vectors[1].conj()
    level = energies[1, 0]
    assert energies[0, 0] < level - 0.1
    assert energies[:, 1].min() > level + 0.1
    assert np.abs(vectors.imag).max() > 0.1
    return model, k, energies - level, vectors


def ring_scattering():
    """What `pair_scattering` makes, with both electrons' level empty and only the lowest full."""
    model, k, energies, vectors = ring()
    full = np.zeros_like(energies)
    full[0, 0] = 1.0
    pairs = np.array([(a, c) for a in range(ORBITALS) for c in range(ORBITALS)])
    chi = np.zeros((CELLS, 4, 4), complex)
    for i in range(CELLS):
        for j in range(CELLS):
            q = round((k[j] - k[i]) / STEP) % CELLS
            for m in range(ORBITALS):
                for n in range(ORBITALS):
                    if full[i, m] != full[j, n]:
                        share = (full[i, m] - full[j, n]) / (energies[j, n] - energies[i, m])
                        left, right = vectors[i, :, m], vectors[j, :, n]
                        jump = np.array([left[a].conj() * right[c] for a, c in pairs])
                        chi[q] += share / CELLS * np.outer(jump, jump.conj())
    chi0 = Susceptibility(FermiSea(model, 0.0), 1e-3, pairs, np.repeat(chi[:, None], CELLS, 1), 0.0)
    two = np.stack([k[1:], 0 * k[1:]], axis=-1)
    weights = np.ones(2)
    sheet = FermiSheet(
        "ring", 0, 0, two, 0 * two, weights, np.ones((2, 2)), "open", (0.0, 0.0), "open", np.nan
    )
    identity, states = np.array([[0, 1]]), vectors[1:, :, 0]
    patches = FermiPatches(
        FermiSea(model, 0.0), (sheet,), states, identity, np.ones((1, 2)), np.array([1, 0])
    )
    return pair_scattering(patches, chi0)


def many_electrons(interaction):
    """First- and second-order amplitude between (k↑, -k↓) and (-k↑, k↓), without ladder terms."""
    _, k, energies, vectors = ring()
    modes = [(i, n) for n in range(ORBITALS) for i in range(CELLS)]  # band 0: k = 0, +, -
    levels = np.array([energies[i, n] for i, n in modes])
    waves = np.array(
        [
            [np.exp(1j * k[i] * r) * vectors[i, a, n] / np.sqrt(CELLS) for i, n in modes]
            for r in range(CELLS)
            for a in range(ORBITALS)
        ]
    )
    tensor = np.zeros((RING,) * 4)
    for r in range(CELLS):
        tensor[(slice(2 * r, 2 * r + 2),) * 4] = interaction.tensor
    v = np.einsum(
        "abcd,ai,bj,ck,dl->ijkl", tensor, waves.conj(), waves.conj(), waves, waves, optimize=True
    )
    first, second = _effective(v, levels)
    # The ladder of two particles or two holes is what the gap equation itself sums.
    occupied = np.arange(RING) == 0
    for p in range(RING):
        for q in range(RING):
            blocked = 1.0 - occupied[p] - occupied[q]
            if blocked and abs(levels[p] + levels[q]) > 1e-9:
                pair = np.einsum("ij,kl->ijkl", v[:, :, p, q], v[p, q])
                second += (blocked / (levels[p] + levels[q]) * pair)[1:3, 1:3, 1:3, 1:3]
    return [
        CELLS * np.array([[part[i, 1 - i, j, 1 - j] for j in (0, 1)] for i in (0, 1)])
        for part in (first, second)
    ]


def _effective(v, levels):
    """Two-body amplitudes [i, j, k, l] between the levels at zero, by degenerate perturbation."""
    c = annihilators(2 * RING)  # mode 2 * level + spin
    pairs = {(a, b): c[b] @ c[a] for a in range(2 * RING) for b in range(2 * RING) if a != b}
    scattered = []
    for (a, b), pair in pairs.items():
        (i, s), (j, t) = divmod(a, 2), divmod(b, 2)
        sources = [
            v[i, j, k, m] / 2 * pairs[2 * k + s, 2 * m + t]
            for k, m in zip(*np.nonzero(np.abs(v[i, j]) > 1e-14), strict=True)
            if (k, s) != (m, t)
        ]
        if sources:
            scattered.append(pair.T @ total(sources))
    # Subtracting the mean field of the full level leaves scattering as the only process.
    field = 2 * v[0, :, 0, :] - v[0, :, :, 0]
    mean = [
        field[i, j] * (c[2 * i + s].T @ c[2 * j + s])
        for i in range(RING)
        for j in range(RING)
        for s in (0, 1)
    ]
    free = total(levels[i] * (c[2 * i + s].T @ c[2 * i + s]) for i in range(RING) for s in (0, 1))
    coupling = total(scattered) - total(mean)
    parts = []
    for electrons in (0, 1, 2):
        states = sector(2 * RING, 2 + electrons)
        bits = (states[:, None] >> np.arange(2 * RING)[::-1]) & 1
        model = bits[:, :2].all(axis=1) & ~bits[:, 6:].any(axis=1)
        columns = np.eye(len(states))[:, model]
        h0, h1 = restrict(free, states), restrict(coupling, states)
        one = columns.T @ h1 @ columns
        two = second_order(h0, h1, columns) - columns.T @ h0 @ columns - one
        parts.append((bits[model][:, 2:6], one, two))
    return tuple(_connected(parts, order) for order in (1, 2))


def _connected(parts, order):
    """Remove what the electrons do alone."""
    (_, *empty), (single, *ones), (double, *twos) = parts
    shift = empty[order - 1][0, 0]
    d = annihilators(4)
    places = single.argmax(axis=1)
    alone = np.zeros((4, 4), complex)
    alone[np.ix_(places, places)] = ones[order - 1] - shift * np.eye(4)
    weights = 2 ** np.arange(4)[::-1]
    states = double @ weights
    lone = restrict(
        total(alone[i, j] * (d[i].T @ d[j]) for i in range(4) for j in range(4)), states
    )
    rest = twos[order - 1] - lone - shift * np.eye(len(states))
    vacuum = np.eye(16)[0]
    kets = np.array(
        [[(d[2 * i].T @ (d[2 * j + 1].T @ vacuum))[states] for j in (0, 1)] for i in (0, 1)]
    )
    return np.einsum("ijx,xy,kly->ijkl", kets, rest, kets)


COUPLINGS = {
    "U": (1.0, 0.0, 0.0, 0.0),
    "U'": (0.0, 0.0, 1.0, 0.0),
    "J": (0.0, 1.0, 0.0, 0.0),
    "J'": (0.0, 0.0, 0.0, 1.0),
    "all": (1.0, 0.23, 0.41, 0.17),
}


@pytest.mark.parametrize("name", COUPLINGS)
def test_vertex_to_second_order_is_that_of_many_electrons(name):
    U, J, U_prime, J_prime = COUPLINGS[name]
    small = 1e-3
    scattering = ring_scattering()

    def vertex(scale):
        return scattering.vertex(
            kanamori(
                (0, 0), U=scale * U, J=scale * J, U_prime=scale * U_prime, J_prime=scale * J_prime
            )
        )

    plus, minus = vertex(small), vertex(-small)
    first, second = many_electrons(kanamori((0, 0), U=U, J=J, U_prime=U_prime, J_prime=J_prime))
    assert np.abs(second).max() > 1e-3
    assert (plus - minus) / (2 * small) == pytest.approx(first, abs=1e-5)
    assert (plus + minus) / (2 * small**2) == pytest.approx(second, abs=1e-5)


def test_vertex_is_the_singlet_and_triplet_one_written_out(bilayer):
    interaction = kanamori(four_band().sites, U=0.9, J=0.12, U_prime=0.5, J_prime=0.2)
    patches, chi0 = bilayer.patches, bilayer.chi0
    v = bilayer.vertex(interaction)
    n = 4
    spin, charge = interaction.spin, interaction.charge
    where = chi0.pairs @ [n, 1]

    def vertices(k, p):
        """Three halves of the spin vertex and so on, for the transfer from p to k."""
        chi = np.zeros((n * n, n * n), complex)
        chi[np.ix_(where, where)] = chi0.on(patches.points[p] - patches.points[k])
        one = np.eye(n * n)
        s = spin @ np.linalg.inv(one - chi @ spin) @ chi @ spin
        c = charge @ np.linalg.inv(one + chi @ charge) @ chi @ charge
        singlet = 1.5 * s - 0.5 * c + 0.5 * (spin + charge)
        triplet = -0.5 * s - 0.5 * c + 0.5 * (charge - spin)
        # pairs (d, b), (a, c)
        return (x.reshape(n, n, n, n).transpose(2, 1, 3, 0) for x in (singlet, triplet))

    rng = np.random.default_rng(7)
    for k, p in rng.integers(len(v), size=(12, 2)):
        u = patches.states[k]
        found = []
        for target in (p, patches.minus[p]):
            singlet, triplet = vertices(k, target)
            x = patches.states[target]
            found.append(
                [
                    np.einsum("abcd,a,b,c,d", part, u.conj(), u, x, x.conj()).real
                    for part in (singlet, triplet)
                ]
            )
        even = (v[k, p] + v[k, patches.minus[p]]) / 2
        odd = (v[k, p] - v[k, patches.minus[p]]) / 2
        assert even == pytest.approx((found[0][0] + found[1][0]) / 2, abs=1e-10)
        assert odd == pytest.approx((found[0][1] - found[1][1]) / 2, abs=1e-10)


def test_weak_attraction_pairs_all_states_equally():
    scattering = at_filling(0.7)
    (best, *rest) = linearized_gap(scattering, hubbard(-1e-6))
    states = density_of_states(square_lattice(), scattering.patches.mu).sum()
    assert (best.gap.channel, best.gap_function().kind) == ("singlet A1", "s")
    assert best.eigenvalue == pytest.approx(1e-6 * states, rel=1e-5)
    assert best.gap.values[0] == pytest.approx(1, abs=1e-5)
    assert max(abs(s.eigenvalue) for s in rest) < 1e-5 * best.eigenvalue


@pytest.mark.parametrize(
    ("filling", "channel", "kind"),
    [
        (0.85, "singlet B1", "d"),
        (0.75, "singlet B1", "d"),
        (0.45, "singlet B2", "dxy"),
        (0.35, "singlet B2", "dxy"),
    ],
    ids=["d(x²−y²) near half filling", "d(x²−y²)", "d(xy)", "d(xy) when dilute"],
)
def test_weakly_repelling_hubbard_model_pairs_as_known(filling, channel, kind):
    # Hlubina, Phys. Rev. B 59, 9600 (1999); Raghu, Kivelson and Scalapino, 81, 224505 (2010).
    best = linearized_gap(at_filling(filling, temperature=0.05, mesh=96), hubbard(0.3))[0]
    assert (best.gap.channel, best.gap.kind) == (channel, kind)
    assert best.eigenvalue > 0


def test_d_wave_grows_towards_the_antiferromagnet():
    scattering = at_filling(0.85, t_prime=-0.15)
    stoner = stoner_point(scattering.chi0, hubbard(1.0))
    values = []
    for share in (0.3, 0.6, 0.9, 0.97):
        best = linearized_gap(scattering, hubbard(share * stoner.scale))[0]
        assert best.gap.channel == "singlet B1"
        assert best.gap.sign_changes() == [4]
        values.append(best.eigenvalue)
    assert (np.diff(values) > 0).all()
    assert values[-1] > 5 * values[1]


def test_eigenvalues_are_the_limit_of_a_gap_on_the_whole_zone():
    # Pairs within a width of the Fermi energy, on the mesh, with no Fermi line drawn.
    model, U, size = square_lattice(-0.2), 1.5, 320
    mu = chemical_potential(model, 0.6)
    chi0 = bare_susceptibility(model, mu, temperature=0.2, mesh=size)
    spin, charge = (
        rpa_susceptibility(chi0, hubbard(U), c).values[..., 0, 0].real for c in ("spin", "charge")
    )
    singlet = np.fft.fft2(U + U**2 * (1.5 * spin - 0.5 * charge)) / size**2
    xi = model.energies(zone_mesh(size))[..., 0] - mu

    def eigenvalue(width):
        root = 1 / np.cosh(xi / (2 * width)) / np.sqrt(4 * width)

        def apply(x):
            x = x.reshape(size, size)
            x = x - x.T  # of the even functions, those odd in the diagonal
            x = x + np.roll(x[::-1], 1, 0)
            x = x + np.roll(x[:, ::-1], 1, 1)
            return -(root * np.fft.ifft2(singlet * np.fft.fft2(root * x)).real / 8).ravel()

        operator = LinearOperator((size**2, size**2), apply, dtype=float)
        start = root * (np.cos(zone_mesh(size)) @ [1, -1])
        return eigsh(operator, k=1, which="LA", v0=start.ravel(), tol=1e-8)[0][0]

    wide, narrow = eigenvalue(0.06), eigenvalue(0.03)
    limit = (4 * narrow - wide) / 3
    scattering = pair_scattering(fermi_patches(model, mu, 128), chi0)
    found = {s.gap.channel: s.eigenvalue for s in linearized_gap(scattering, hubbard(U))}
    found = found["singlet B1"]
    assert found == pytest.approx(limit, rel=1e-3)


def test_gaps_belong_to_their_channels(bilayer):
    interaction = kanamori(four_band().sites, U=1.0, J=0.1)
    found = linearized_gap(bilayer, interaction, states=2)
    values = [s.eigenvalue for s in found]
    assert values == sorted(values, reverse=True)
    assert sorted({s.gap.representation for s in found}) == sorted(SQUARE_CHARACTERS)
    kernel = bilayer.vertex(interaction) * bilayer.patches.weights
    for state in found:
        gap = np.concatenate(state.gap.values)
        name, share = bilayer.patches.representation(gap)
        assert (name, round(share, 9)) == (state.gap.representation, 1.0)
        assert -kernel @ gap == pytest.approx(state.eigenvalue * gap, abs=1e-7)
        even = 1 if state.gap.spin == "singlet" else -1
        assert gap[bilayer.patches.minus] == pytest.approx(even * gap, abs=1e-7)
        assert gap.max() == pytest.approx(1)
        assert np.abs(gap).max() == pytest.approx(1)
    triplet = next(s for s in found if s.gap.spin == "triplet")
    flip = bilayer.patches.permutations[4]
    gap = np.concatenate(triplet.gap.values)
    assert gap[flip] == pytest.approx(-gap, abs=1e-7)


def test_symmetry_only_saves_work(bilayer):
    model = replace(four_band(), symmetries=())
    interaction = kanamori(model.sites, U=1.0, J=0.1)
    chi0 = bare_susceptibility(model, MU, temperature=0.03, mesh=48)
    plain = pair_scattering(fermi_patches(model, MU, 16), chi0)
    assert len(plain.rows) == 8 * len(bilayer.rows)
    assert plain.vertex(interaction) == pytest.approx(bilayer.vertex(interaction), abs=1e-10)
    known = linearized_gap(bilayer, interaction, states=2)
    for state in linearized_gap(plain, interaction):
        same = [s for s in known if s.gap.spin == state.gap.spin]
        assert state.gap.channel == state.gap.spin
        assert state.eigenvalue == pytest.approx(same[0].eigenvalue, abs=1e-10)


def test_phases_of_bloch_states_do_not_matter(bilayer):
    rng = np.random.default_rng(1)
    turned = np.exp(2j * np.pi * rng.random(len(bilayer.patches.weights)))
    states = bilayer.patches.states * turned[:, None]
    other = PairScattering(
        replace(bilayer.patches, states=states), bilayer.chi0, bilayer.rows, bilayer.roots
    )
    interaction = kanamori(four_band().sites, U=1.0, J=0.1)
    assert other.vertex(interaction) == pytest.approx(bilayer.vertex(interaction), abs=1e-12)


def test_patches_and_mesh_converge():
    model = four_band()
    interaction = kanamori(model.sites, U=1.0, J=0.1)
    found, errors = {}, {}
    for mesh, count in ((32, 32), (48, 32), (64, 32), (64, 64)):
        chi0 = bare_susceptibility(model, MU, temperature=0.05, mesh=mesh)
        scattering = pair_scattering(fermi_patches(model, MU, count), chi0)
        values = {s.gap.channel: s.eigenvalue for s in linearized_gap(scattering, interaction)}
        found[mesh, count] = np.array(
            [values[c] for c in ("triplet E", "singlet A1", "singlet B1")]
        )
        errors[mesh] = chi0.mesh_error
    for mesh in (32, 48):
        off = np.abs(found[mesh, 32] / found[64, 32] - 1).max()
        assert errors[64] < off < 2.5 * errors[mesh]
    assert found[64, 32] == pytest.approx(found[64, 64], rel=5e-3)


def test_bad_input_is_named(bilayer):
    model = four_band()
    with pytest.raises(ValueError, match=r"spin channel orders.*scaled by less than 0\.8"):
        linearized_gap(bilayer, kanamori(model.sites, U=1.6, J=0.16))
    with pytest.raises(ValueError, match="charge channel orders"):
        linearized_gap(bilayer, kanamori(model.sites, U=-1.6, J=0.0, U_prime=0.0))
    strained = replace(model, hoppings=1.01 * model.hoppings, symmetries=())
    for other in (FermiSea(strained, MU), FermiSea(model, MU + 0.01)):
        with pytest.raises(ValueError, match="make both from one sea"):
            pair_scattering(other.patches(8), bilayer.chi0)
    with pytest.raises(ValueError, match="at most 6 in channel singlet A1"):
        linearized_gap(bilayer, kanamori(model.sites, U=1.0, J=0.1), states=7)
    with pytest.raises(ValueError, match="states"):
        linearized_gap(bilayer, kanamori(model.sites, U=1.0, J=0.1), states=0)
    density = bilayer.chi0.restricted("density")
    with pytest.raises(ValueError, match="acts on the pairs"):
        pair_scattering(bilayer.patches, density).vertex(kanamori(model.sites, U=1.0, J=0.1))


def test_interactions_must_keep_the_symmetries(bilayer):
    # One electron may not go from x²−y² to z² while another watches.
    tensor = np.zeros((4, 4, 4, 4))
    tensor[0, 0, 0, 1] = tensor[0, 0, 1, 0] = tensor[0, 1, 0, 0] = tensor[1, 0, 0, 0] = 0.1
    with pytest.raises(ValueError, match=r"interaction changes by .* under 'C4', a symmetry"):
        bilayer.vertex(Interaction(tensor))


def test_one_call_makes_what_the_parts_make(bilayer):
    interaction = kanamori(four_band().sites, U=1.0, J=0.1)
    options = {"interaction": interaction, "temperature": 0.03, "mesh": 48, "patches": 16}
    for sea in ((FermiSea(four_band(), MU),), (four_band(), MU)):
        found = rpa_gap(*sea, **options, states=2)
        expected = linearized_gap(bilayer, interaction, states=2)
        assert [s.gap.channel for s in found] == [s.gap.channel for s in expected]
        assert [s.eigenvalue for s in found] == [s.eigenvalue for s in expected]


def test_pairs_need_time_reversal():
    hop = np.array([[-1, 0.4j], [-0.4j, -1]])
    model = lattice({(0, 0): np.diag([0.3, -0.2]), (1, 0): hop, (0, 1): hop}, "magnet")
    patches = fermi_patches(model, -1.0, 8)
    with pytest.raises(ValueError, match="give a model with time reversal"):
        pair_scattering(patches, bare_susceptibility(model, -1.0, temperature=0.2, mesh=32))
