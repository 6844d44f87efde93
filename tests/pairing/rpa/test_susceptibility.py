"""Susceptibilities against double sums, fields in real space, thermodynamics and known limits."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lattices import KINDS, lattice, square_lattice
from scipy.integrate import quad
from scipy.special import ellipk, expit

from nickbook.bands import (
    BlochModel,
    bilayer_plane,
    conduction_bands,
    eight_band,
    filling,
    four_band,
    three_band,
    zone_mesh,
)
from nickbook.pairing import (
    Interaction,
    bare_susceptibility,
    kanamori,
    orbital_pairs,
    rpa_susceptibility,
    stoner_point,
)
from nickbook.pairing.rpa import susceptibility
from nickbook.pairing.rpa.susceptibility import TIME_ERROR, _memory, _time_nodes

MU, TEMPERATURE = 10.0585, 0.1


def complex_model(sites=(0, 0, 1), seed=4):
    """Three inequivalent orbitals with complex hoppings and no symmetry at all."""
    rng = np.random.default_rng(seed)
    hops = {}
    for r in ((0, 0), (1, 0), (0, 1), (1, -1)):
        t = 0.3 * (rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))
        hops[r] = t + t.conj().T if r == (0, 0) else t
    return lattice(hops, "random", sites=sites)


def double_sum(model, mu, temperature, mesh, pairs, q):
    """The definition at one momentum q, term by term in k and both bands."""
    k = zone_mesh(mesh).reshape(-1, 2)
    (e, u), (e_q, u_q) = model.states(k), model.states(k + q)
    a, c = pairs.T
    found = np.zeros((len(pairs), len(pairs)), complex)
    for m, n in product(range(len(model.orbitals)), repeat=2):
        gap = e_q[:, n] - e[:, m]
        flat = np.abs(gap) < 1e-7
        f, f_q = (expit((mu - x) / temperature) for x in (e[:, m], e_q[:, n]))
        ratio = np.where(flat, f * (1 - f) / temperature, (f - f_q) / np.where(flat, 1, gap))
        v = u[:, a, m].conj() * u_q[:, c, n]
        found += (v * ratio[:, None]).T @ v.conj() / len(k)
    return found


CASES = {
    "four-band": (four_band(), MU, "on-site", 10),
    "three-band": (three_band(), 10.256, "on-site", 8),
    "plane of the eight-band model": (bilayer_plane(0.9), 10.1277, "density", 6),
    "complex": (complex_model(), 0.1, "all", 9),
    "complex, even mesh": (complex_model(), 0.1, "on-site", 8),
    "complex, some pairs": (complex_model(), 0.1, [(2, 0), (1, 1)], 9),
}


CASES |= {name: (make(), 0.1, "all", 10) for name, make in KINDS.items() if "10" not in name}


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_the_double_sum(name):
    model, mu, pairs, mesh = CASES[name]
    temperature = 0.6 if model.name == "random" else 0.2
    found = bare_susceptibility(model, mu, temperature=temperature, mesh=mesh, pairs=pairs)
    for i, j in ((0, 0), (1, 0), (2, 5), (mesh - 1, 3), (mesh // 2, mesh // 2)):
        expected = double_sum(model, mu, temperature, mesh, found.pairs, found.q[i, j])
        np.testing.assert_allclose(
            found.values[i, j], expected, atol=10 * TIME_ERROR * np.abs(expected).max()
        )


def test_values_are_the_response_to_a_field_in_real_space():
    """A finite cluster in a weak field: signs, order in a pair, q and factor."""
    size, temperature, mu = 4, 0.9, 0.2
    model = complex_model()
    chi = bare_susceptibility(model, mu, temperature=temperature, mesh=size, pairs="all")
    cells = list(product(range(size), range(size)))
    n, place = 3, {r: i for i, r in enumerate(cells)}
    free = np.zeros((len(cells), n, len(cells), n), complex)
    for (x, y), (shift, t) in product(
        cells, zip(model.translations.tolist(), model.hoppings, strict=True)
    ):
        # h(k) = Σ T e^{ikR} multiplies c†_k c_k, so T leads from the cell at r + R to that at r.
        target = place[(x + shift[0]) % size, (y + shift[1]) % size]
        free[place[x, y], :, target] += t
    free = free.reshape(len(cells) * n, -1)

    def averages(h):
        energies, vectors = np.linalg.eigh(h)
        density = (vectors.conj() * expit((mu - energies) / temperature)) @ vectors.T
        blocks = density.reshape(len(cells), n, len(cells), n)
        return np.einsum("rarc->rac", blocks)

    i, j = 1, 2
    q = zone_mesh(size)[i, j]
    wave = np.exp(1j * np.array(cells) @ q)
    for p in range(9):
        b, d = chi.pairs[p]
        strength, found = 1e-4, []
        for field in (strength, -strength):
            # H' = −φ Σ e^{iqr} (c†_b c_d)† + h.c., with (c†_b c_d)† = c†_d c_b
            matrix = np.zeros((len(cells), n, len(cells), n), complex)
            for r in range(len(cells)):
                matrix[r, d, r, b] -= field * wave[r]
                matrix[r, b, r, d] -= field * wave[r].conj()
            found.append(averages(free + matrix.reshape(free.shape)))
        change = (found[0] - found[1]) / (2 * strength)
        response = np.einsum("r,rac->ac", wave.conj(), change) / len(cells)
        np.testing.assert_allclose(response.ravel(), chi.values[i, j, :, p], atol=1e-7)


@pytest.mark.parametrize("model", [four_band(), complex_model()], ids=lambda m: m.name)
def test_matrices_are_hermitian_positive_and_reversed_at_minus_q(model):
    mu, temperature = (MU, TEMPERATURE) if model.mirror is not None else (0.1, 0.5)
    chi = bare_susceptibility(model, mu, temperature=temperature, mesh=12, pairs="all")
    v = chi.values
    np.testing.assert_array_equal(v, v.conj().swapaxes(-1, -2))
    assert np.linalg.eigvalsh(v).min() > -1e-12
    n = len(model.orbitals)
    tensor = v.reshape(12, 12, n, n, n, n)
    minus = np.roll(tensor[::-1, ::-1], 1, (0, 1))
    # χ_ac,bd(q) = χ_db,ca(−q): exchange of the two lines.
    np.testing.assert_allclose(tensor, minus.transpose(0, 1, 5, 4, 3, 2), atol=1e-12)
    reversal = np.abs(tensor - minus.conj()).max()
    assert reversal < 1e-12 if model.mirror is not None else reversal > 1e-2


@pytest.mark.parametrize(
    "model", [four_band(), three_band(), conduction_bands()], ids=lambda m: m.name
)
def test_point_group_and_mirror(model):
    mu = {4: MU, 3: 10.256, 2: -0.65}[len(model.orbitals)]
    size = 12
    chi = bare_susceptibility(model, mu, temperature=0.2, mesh=size, pairs="all")
    q = zone_mesh(size)
    for symmetry in model.symmetries:
        turn = np.kron(symmetry.orbitals.conj(), symmetry.orbitals)
        i, j = np.round(symmetry.momentum(q) * size / (2 * np.pi)).astype(int).T % size
        expected = turn @ chi.values @ turn.conj().T
        np.testing.assert_allclose(chi.values[i.T, j.T], expected, atol=1e-12)
    mirror = np.kron(model.mirror, model.mirror)
    np.testing.assert_allclose(chi.values, mirror @ chi.values @ mirror, atol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_change_of_the_orbital_basis_turns_the_matrices(seed):
    model, rng = complex_model(), np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3)))[0]
    turned = BlochModel(
        "turned", model.orbitals, model.translations, turn @ model.hoppings @ turn.conj().T
    )
    old, new = (
        bare_susceptibility(m, 0.1, temperature=0.6, mesh=6, pairs="all") for m in (model, turned)
    )
    pair_turn = np.kron(turn.conj(), turn)
    np.testing.assert_allclose(new.values, pair_turn @ old.values @ pair_turn.conj().T, atol=1e-11)


def test_uniform_response_is_the_compressibility():
    temperature, step = 0.05, 1e-4
    chi = bare_susceptibility(four_band(), MU, temperature=temperature, mesh=96)
    low, high = (filling(four_band(), MU + s * step, temperature) for s in (-1, 1))
    assert chi.density_response[0, 0] == pytest.approx(
        (high - low) / (4 * step), rel=1e-5
    )  # per spin


def test_local_moment_limit():
    """Hot electrons respond as free spins: β f (1 − f) at every momentum."""
    chi = bare_susceptibility(four_band(), MU, temperature=1e4, mesh=4)
    np.testing.assert_allclose(
        chi.values * 1e4, np.broadcast_to(np.eye(8) / 4, chi.values.shape), atol=5e-4
    )


@pytest.mark.parametrize("temperature", [0.1, 0.2, 0.4])
def test_nesting_of_chain_and_square(temperature):
    """ξ(k+Q) = −ξ(k): an integral over the density of states, known in closed form for both."""

    def paired(e):
        return np.tanh(e / (2 * temperature)) / (2 * e) if e else 1 / (4 * temperature)

    # e = 2 sin x takes the inverse square roots at the chain's band edges.
    expected, _ = quad(lambda x: paired(2 * np.sin(x)) / np.pi, -np.pi / 2, np.pi / 2, epsabs=1e-12)
    chi = bare_susceptibility(lattice({(1, 0): -1.0}), 0.0, temperature=temperature, mesh=128)
    np.testing.assert_allclose(chi.values[64, :, 0, 0], expected, rtol=1e-7)

    def density(e):
        return ellipk(1 - (e / 4) ** 2) / (2 * np.pi**2)

    expected = 2 * quad(lambda e: density(e) * paired(e), 0, 4, epsabs=1e-10, limit=200)[0]
    found = bare_susceptibility(square_lattice(), 0.0, temperature=temperature, mesh=160).values
    np.testing.assert_allclose(found[80, 80, 0, 0], expected, rtol=1e-6)
    assert np.unravel_index(found[..., 0, 0].real.argmax(), (160, 160)) == (80, 80)


@given(scale=st.floats(0.0, 1e6), share=st.floats(0.0, 1.0))
@settings(max_examples=200, deadline=None)
def test_time_nodes_integrate_every_excitation(scale, share):
    times, weights = _time_nodes(scale)
    y = scale * share
    exact = -np.expm1(-y) / y if y > 1e-12 else 1.0
    found = weights @ (np.exp(-y * times) + np.exp(-y * (1 - times)))
    assert abs(found / exact - 1) < TIME_ERROR
    assert len(times) < 8 + 12 * np.log10(max(scale, 1))


def test_error_of_the_mesh_is_below_its_estimate():
    model, temperature = four_band(), 0.05
    fine = bare_susceptibility(model, MU, temperature=temperature, mesh=192)
    largest, errors = np.abs(fine.values).max(), []
    for size in (16, 32, 64):
        chi = bare_susceptibility(model, MU, temperature=temperature, mesh=size)
        step = 192 // size if 192 % size == 0 else None
        errors.append(np.abs(chi.values - fine.values[::step, ::step]).max() / largest)
        assert errors[-1] < chi.mesh_error
        q = np.array([[0.3, 0.7], [1.1, 2.5], [0.05, 3.1]])
        assert np.abs(chi.on(q) - fine.on(q)).max() / largest < chi.mesh_error
    assert errors[2] < 1e-4 < 1e-3 < errors[0]


@pytest.mark.parametrize("size", [24, 25])
def test_interpolation_agrees_with_the_sum_at_any_momentum(size):
    model = four_band()
    chi = bare_susceptibility(model, MU, temperature=0.4, mesh=size)
    np.testing.assert_allclose(chi.on(chi.q), chi.values, atol=1e-13)
    q = np.array([0.611, -1.73])
    exact = double_sum(model, MU, 0.4, 96, chi.pairs, q)
    np.testing.assert_allclose(chi.on(q), exact, atol=1e-5)
    assert np.abs(chi.on(q) - chi.on(q).conj().T).max() < 1e-13


def test_chunks_change_nothing(monkeypatch):
    for model in (four_band(), complex_model()):
        mu, temperature = (MU, 0.1) if model.mirror is not None else (0.1, 0.5)
        found = []
        for workspace in (1.0, 1e-6):
            monkeypatch.setattr(susceptibility, "_WORKSPACE", workspace)
            found.append(bare_susceptibility(model, mu, temperature=temperature, mesh=16).values)
        np.testing.assert_allclose(*found, atol=1e-14)


def test_readings_of_the_matrix():
    chi = bare_susceptibility(four_band(), MU, temperature=TEMPERATURE, mesh=8, pairs="all")
    onsite, density = chi.restricted("on-site"), chi.restricted("density")
    direct = bare_susceptibility(four_band(), MU, temperature=TEMPERATURE, mesh=8, pairs="density")
    np.testing.assert_allclose(density.values, direct.values, atol=1e-14)
    np.testing.assert_allclose(density.values.sum((-2, -1)).real, chi.density_response, atol=1e-14)
    tops = [np.linalg.eigvalsh(x.values)[..., -1] for x in (density, onsite, chi)]
    assert (tops[0] <= tops[1] + 1e-12).all() and (tops[1] <= tops[2] + 1e-12).all()
    assert onsite.values.shape[-1] == 8 and density.values.shape[-1] == 4
    np.testing.assert_allclose(onsite.density_response, chi.density_response)


def test_random_phase_approximation_is_a_geometric_series():
    model = four_band()
    chi0 = bare_susceptibility(model, MU, temperature=TEMPERATURE, mesh=8)
    interaction = kanamori(model.sites, 0.3, 0.05, U_prime=0.22, J_prime=0.03)
    for channel, sign in (("spin", 1), ("charge", -1)):
        vertex = interaction.vertex(channel, chi0.pairs)
        term = series = chi0.values
        for _ in range(200):
            term = sign * chi0.values @ vertex @ term
            series = series + term
        found = rpa_susceptibility(chi0, interaction, channel)
        np.testing.assert_allclose(found.values, series, atol=1e-12)
    one = bare_susceptibility(square_lattice(), -0.3, temperature=0.2, mesh=16)
    x = one.values
    repulsion = kanamori((0,), 0.7, 0.0)
    np.testing.assert_allclose(rpa_susceptibility(one, repulsion).values, x / (1 - 0.7 * x))
    charge = rpa_susceptibility(one, repulsion, "charge")
    np.testing.assert_allclose(charge.values, x / (1 + 0.7 * x))


@pytest.mark.parametrize("channel", ["spin", "charge"])
def test_stoner_point_is_where_the_response_diverges(channel):
    model = four_band()
    chi0 = bare_susceptibility(model, MU, temperature=TEMPERATURE, mesh=16)
    couplings = {"spin": {"U": 1.0, "J": 0.1}, "charge": {"U": 0.4, "J": 0.0, "U_prime": 1.0}}
    shape = kanamori(model.sites, **couplings[channel])
    point = stoner_point(chi0, shape, channel)
    below = Interaction(shape.tensor * point.scale * (1 - 1e-6))
    chi = rpa_susceptibility(chi0, below, channel)
    top = np.linalg.eigvalsh(chi.values)[..., -1]
    i, j = np.unravel_index(top.argmax(), top.shape)
    assert top.max() > 1e4
    # The leading mode is an eigenvector of χ0 U; the place is one of the star of equal maxima.
    at = tuple(np.round(np.array(point.q) * 16 / (2 * np.pi)).astype(int))
    assert top[at] == pytest.approx(top[i, j], rel=1e-3)
    vertex = shape.vertex(channel, chi0.pairs) * (1 if channel == "spin" else -1)
    np.testing.assert_allclose(
        chi0.values[at] @ vertex @ point.vector * point.scale, point.vector, atol=1e-10
    )
    assert np.linalg.norm(point.vector) == pytest.approx(1)
    with pytest.raises(ValueError, match=r"orders: the largest eigenvalue is 1\.1"):
        rpa_susceptibility(chi0, Interaction(shape.tensor * point.scale * 1.1), channel)


def test_stoner_criterion_of_one_band_and_of_repulsion_in_the_charge_channel():
    model = four_band()
    bilayer = bare_susceptibility(model, MU, temperature=TEMPERATURE, mesh=16)
    repulsion = kanamori(model.sites, 1.0, 0.0, U_prime=0.0)
    # Pairs of unlike orbitals feel nothing: their zero must not pass for a tiny attraction.
    assert stoner_point(bilayer, repulsion, "charge").scale == np.inf
    chi0 = bare_susceptibility(square_lattice(), 0.0, temperature=0.2, mesh=32)
    point = stoner_point(chi0, kanamori((0,), 1.0, 0.0))
    assert point.scale == pytest.approx(1 / chi0.values.real.max())
    assert point.q == pytest.approx((np.pi, np.pi))
    assert stoner_point(chi0, kanamori((0,), 1.0, 0.0), "charge").scale == np.inf


@pytest.mark.parametrize(
    "model", [four_band(), three_band(), complex_model()], ids=lambda m: m.name
)
def test_states_make_up_the_hamiltonian(model):
    k = np.add(zone_mesh(5), (0.1, 0.3))
    energies, u = model.states(k)
    made = (u * energies[..., None, :]) @ u.conj().swapaxes(-1, -2)
    np.testing.assert_allclose(made, model.hamiltonian(k), atol=1e-13)
    np.testing.assert_allclose(energies, model.band_energies(k), atol=1e-13)
    unit = np.broadcast_to(np.eye(len(model.orbitals)), u.shape)
    np.testing.assert_allclose(u.conj().swapaxes(-1, -2) @ u, unit, atol=1e-13)


def test_models_without_sites_take_all_pairs():
    assert orbital_pairs(three_band()).shape == (9, 2)
    assert orbital_pairs(four_band()).tolist() == [
        [a, b] for s in (0, 2) for a in (s, s + 1) for b in (s, s + 1)
    ]
    assert orbital_pairs(four_band(), "density").tolist() == [[a, a] for a in range(4)]


@pytest.mark.parametrize("model", [four_band(), complex_model()], ids=["real", "complex"])
@pytest.mark.parametrize("workspace", [0.003, 0.03])
def test_memory_stays_below_its_estimate(model, workspace, monkeypatch):
    monkeypatch.setattr(susceptibility, "_WORKSPACE", workspace)
    mu, size = MU if model.mirror is not None else 0.1, 64
    tracemalloc.start()
    chi = bare_susceptibility(model, mu, temperature=0.1, mesh=size, pairs="all")
    peak = tracemalloc.get_traced_memory()[1] / 2**30
    tracemalloc.stop()
    estimate = _memory(model, size, chi.pairs)
    assert 0.3 * estimate < peak < estimate


def test_large_allocations_are_announced(caplog, monkeypatch):
    bare_susceptibility(four_band(), MU, temperature=TEMPERATURE, mesh=16)
    assert not caplog.messages
    monkeypatch.setattr(susceptibility, "_memory", lambda *_: 1.5)
    bare_susceptibility(four_band(), MU, temperature=TEMPERATURE, mesh=16)
    assert caplog.messages == ["bare_susceptibility: up to 1.5 GiB for 16² momenta and 8 pairs"]


def test_what_cannot_be_computed_is_refused():
    model = four_band()
    with pytest.raises(ValueError, match="three dimensions"):
        bare_susceptibility(eight_band(), 10.1, temperature=0.1, mesh=8)
    with pytest.raises(ValueError, match=r"below the lowest one.*mesh >= "):
        bare_susceptibility(model, MU, temperature=0.002, mesh=16)
    for temperature in (0.0, -0.1, np.nan):
        with pytest.raises(ValueError, match="temperature"):
            bare_susceptibility(model, MU, temperature=temperature, mesh=16)
    with pytest.raises(ValueError, match="mesh"):
        bare_susceptibility(model, MU, temperature=0.1, mesh=0)
    with pytest.raises(TypeError, match="mesh"):
        bare_susceptibility(model, MU, temperature=0.1, mesh=16.0)
    for pairs in ([(0, 4)], [(-1, 0)], [0, 1], [], [(0.5, 1.0)]):
        with pytest.raises(ValueError, match="whole numbers"):
            orbital_pairs(model, pairs)
    with pytest.raises(ValueError, match="twice"):
        orbital_pairs(model, [(0, 1), (0, 1)])
    with pytest.raises(ValueError, match="on-site"):
        orbital_pairs(model, "diagonal")
    chi = bare_susceptibility(model, MU, temperature=0.1, mesh=16, pairs="density")
    with pytest.raises(ValueError, match="not among those computed"):
        chi.restricted("on-site")
    with pytest.raises(ValueError, match="add them to pairs"):
        rpa_susceptibility(chi, kanamori(model.sites, 0.1, 0.01))
    with pytest.raises(ValueError, match="interaction of 1 orbitals"):
        stoner_point(chi, kanamori((0,), 0.1, 0.0))
    with pytest.raises(ValueError, match="channel"):
        stoner_point(chi, kanamori(model.sites, 0.1, 0.0), "pairing")
