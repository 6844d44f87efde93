"""What the ledger says about the weak-coupling flow, and the table of flows it rests on."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from referee import diverge_flow, gap_from_bonds, pairing_vertex

from nickbook.bands import chemical_potential, four_band, zone_mesh
from nickbook.claims import measure
from nickbook.claims.glywh import flow as rows
from nickbook.claims.glywh import stored
from nickbook.dimers.fock import annihilators
from nickbook.pairing import FlowEquation, Vertex, fermi_patches, frg_flow, kanamori
from nickbook.pairing.frg import Responses, exact_second_order, flow_second_order

OURS, THEIRS = stored.patch_flows(), stored.diverge_flows()
MU = OURS[stored.MAIN].mu


@pytest.mark.parametrize("projection", stored.RULES)
def test_one_stored_flow_run_again(projection):
    """Another run of the smallest flow gives the stored numbers, mode by mode."""
    flow = stored.patch_flows(projection)["smallest"]
    q, p = 0.47 * np.pi, 2 * np.pi / 3
    places = ((0.0, 0.0), (np.pi, 0.0), (np.pi, np.pi), (np.pi / 2, np.pi / 2), (q, 0.0), (p, p))
    given = {"U": flow.U, "J": flow.hund * flow.U, "patches": flow.size, "stop": 5e-4}
    along = Responses(places)
    again = frg_flow(four_band(), flow.mu, **given, projection=projection, progress=along)
    assert set(along.added[-1]) == {c for c in flow.channels if np.isfinite(flow.end(c))}
    assert np.abs(again.scales / flow.scales - 1).max() < 1e-4
    assert np.abs(again.largest / flow.largest - 1)[:-3].max() < 1e-4
    for channel in along.added[-1]:
        # The last steps grow without bound and multiply rounding.
        found = along.of(channel, added=True)
        assert np.abs(found - flow.channels[channel])[:-3].max() < 1e-4
        assert along.of(channel)[-1] == pytest.approx(flow.responses[channel], rel=1e-2)
    assert np.abs(again.pairing()[0].values - np.concatenate(flow.gaps[0])).max() < 1e-3
    assert round(chemical_potential(four_band(), 3), 4) == flow.mu == MU
    # Eight patches make a gap of one number a sheet.
    assert max(map(np.ptp, flow.gaps[0])) < 1e-6


def test_stored_loops_worked_out_again():
    """What one loop adds between β and γ, by sums over other momenta and other scales."""
    table = stored.frg_table().loop_average.sel(between="β–γ")
    patches = fermi_patches(four_band(), MU, 24)
    interaction = kanamori(four_band().sites, 5.0, 0.5)
    first = FlowEquation(patches).first
    pairs = [(int(a), b) for a in first for b in range(48) if {int(a) // 24, b // 24} == {0, 1}]
    exact = exact_second_order(patches, interaction, 0.1, pairs, mesh=32).mean(axis=0)
    assert table.sel(sum="three bands").to_numpy() == pytest.approx(exact, rel=0.1)
    for rule in stored.RULES:
        equation = FlowEquation(patches, keep=("ph-crossed",), mesh=24, projection=rule)
        part = flow_second_order(equation, interaction, 0.1, nodes=12)
        found = Vertex(equation, part).pairing_vertex("singlet")[tuple(np.transpose(pairs))]
        kept = float(table.sel(sum=rule, diagram="ph-crossed"))
        assert kept == pytest.approx(found.mean(), rel=0.1)


@pytest.fixture(scope="module")
def diverge():
    """Coarse flows of another code, on all four bands, by repulsion and chemical potential."""
    model = four_band()

    @cache
    def run(u, mu=MU, channels="PCD"):
        return diverge_flow(
            model,
            mu,
            kanamori(model.sites, u, 0.1 * u),
            task="tu",
            mesh=8,
            refinement=4,
            distance=1.01,
            channels=channels,
            keep_growth="C" in channels,
            stop_scale=1e-3 if "C" in channels else 0.03,
            keep_vertices=True,
        )

    return run


def pairing_states(answer, mu=MU):
    """Representation, attraction and gap of its pairing states on our patches, singlets only."""
    patches = fermi_patches(four_band(), mu, 16)
    found = []
    for value, mode in zip(answer["mode_values"], answer["modes"], strict=True):
        gap = gap_from_bonds(patches, mode, answer)
        if np.abs(gap - gap[patches.minus]).max() < 1e-6:
            found.append((patches.representation(gap)[0], -value, gap))
    return patches, found


@pytest.mark.diverge
def test_truncated_unity_flow_of_diverge(diverge):
    """What its leading state has in common with ours."""
    patches, ((name, attraction, gap), *_) = pairing_states(diverge(5.0))
    assert name == "A1" and attraction > 0
    beta, gamma, alpha = patches.split(gap)
    assert beta.mean() * gamma.mean() < 0
    assert np.ptp(np.sign(alpha)) == 0
    assert np.ptp(beta) > 3 * np.ptp(gamma)
    for ours, theirs in zip((beta, gamma, alpha), THEIRS["U 5.0"].gaps[0], strict=True):
        assert abs(ours.mean() - theirs.mean()) < 0.15


@pytest.mark.diverge
def test_order_of_the_pairing_states(diverge):
    """A1 leads, another A1 follows, and d is the strongest state of another symmetry."""
    patches, states = pairing_states(diverge(5.0))
    names = [name for name, _, _ in states]
    assert names[:3] == ["A1", "A1", "B1"]
    x, y = patches.points.T
    gap = states[2][2]
    for sheet in patches.split(gap * (np.cos(x) - np.cos(y))):
        # One sign but for a rounded zero: the nodes are those of cos x − cos y, the diagonals.
        assert max(sheet.max(), 0) * max(-sheet.min(), 0) < 1e-12
    # The patches lie beside the diagonals, where the gap does not vanish.
    assert np.abs(gap).min() > 0.01


@pytest.mark.diverge
def test_scattering_of_pairs(diverge):
    """The whole pairing vertex on our sheets, from the bonds and no single mode of it.

    Between β and γ it repels everywhere and is the strongest of the three.  Between α and β it
    repels but on the patches of β beside the diagonals, and nowhere attracts as on our patches.
    """
    patches = fermi_patches(four_band(), MU, 40)
    answer = diverge(5.0)
    vertex = pairing_vertex(patches, answer)
    beta, gamma, alpha = patches.split(np.arange(len(vertex)))
    block = {
        "βγ": vertex[np.ix_(beta, gamma)],
        "αγ": vertex[np.ix_(alpha, gamma)],
        "αβ": vertex[np.ix_(alpha, beta)],
    }
    assert block["βγ"].min() > 0
    assert block["βγ"].mean() > 1.2 * max(abs(block[x].mean()) for x in ("αγ", "αβ"))
    x, y = patches.points[beta].T
    diagonal = np.abs(np.cos(x) - np.cos(y)) < 0.3
    assert (block["αβ"][:, diagonal] < 0).any()
    assert (block["αβ"][:, ~diagonal] > 0).all()
    assert block["αβ"].mean() > 0 > OURS[stored.MAIN].blocks["α–β"][2]
    low, _, high = THEIRS["5 eV, mesh 8"].blocks["α–β"]
    assert (low, high) == pytest.approx((block["αβ"].min(), block["αβ"].max()), rel=1e-3)
    # Powers of the vertex give its leading state with and without what joins β and γ.
    without = vertex.copy()
    without[np.ix_(beta, gamma)] = without[np.ix_(gamma, beta)] = 0
    signs = []
    for part in (vertex, without):
        gap = np.cos(np.arange(len(vertex)) // 40)
        for _ in range(200):
            gap = gap - part @ (patches.weights * gap) / 10
            gap /= np.abs(gap).max()
        signs.append(gap[beta].mean() * gap[gamma].mean())
    assert signs[0] < -0.5
    assert abs(signs[1]) < 0.1


@pytest.mark.diverge
@pytest.mark.parametrize("u", [4.0, 5.0])
def test_spin_and_pairing_along_the_flow(diverge, u):
    """Spin fluctuations first, pairing last on the mesh of 8²; of the pairing states only s±."""
    answer = diverge(u)
    scales = answer["scales"][:, 0]
    spin, pairs = answer["magnetic_growth"].max(axis=1), -answer["pairing_growth"][:, 0]
    assert (spin > pairs)[scales > 0.15].all()
    assert pairs[-1] > 2 * spin[-1]
    d_wave = next(value for name, value, _ in pairing_states(answer)[1] if name == "B1")
    assert d_wave < 0.3 * spin[-1]


@pytest.mark.diverge
def test_printed_level(diverge):
    """At the printed chemical potential the patches end in a wave, divERGe in s±."""
    answer = diverge(5.0, 10.0585)
    assert pairing_states(answer, 10.0585)[1][0][0] == "A1"
    assert answer["magnetic_growth"][-1].max() < -0.5 * answer["pairing_growth"][-1, 0]
    assert OURS["printed"].leading == "spin (π, π)"
    assert THEIRS["printed"].leading == "singlet A1"


@pytest.mark.diverge
def test_without_the_crossed_channel(diverge):
    """divERGe's flow without it passes the scale of pairing and stays a hundred times weaker."""
    without, full = diverge(5.0, channels="PD"), diverge(5.0)
    assert without["scales"][-1, 0] < 0.4 * full["scales"][-1, 0]
    assert abs(without["mode_values"][0]) < 0.02 * abs(full["mode_values"][0])


@pytest.mark.diverge
def test_spin_waves_at_all_momenta(diverge):
    """q2 passes q3 only near 0.14 eV, where the patches have it ahead from the start.

    Neither is the strongest at the end.
    """
    answer = diverge(5.0)
    places = np.sort(np.abs(answer["momenta"][answer["irreducible"]]) / np.pi, axis=1)
    at = {
        q: answer["magnetic_growth"][:, np.abs(places - q).max(axis=1).argmin()]
        for q in ((0.0, 1.0), (0.5, 0.5))
    }
    for q in at:
        assert np.abs(places - q).max(axis=1).min() < 1e-9
    scales = answer["scales"][:, 0]
    assert THEIRS["U 5.0"].q3_ahead == pytest.approx(0.14, abs=0.02)
    assert (at[0.0, 1.0] > at[0.5, 0.5])[scales < 0.12].all()
    assert (at[0.0, 1.0] < at[0.5, 0.5])[(scales > 0.2) & (scales < 3)].all()
    strongest = answer["magnetic_growth"][-1]
    assert strongest.max() > 1.5 * at[0.0, 1.0][-1]
    assert places[strongest.argmax()] == pytest.approx([0.75, 0.75])


@pytest.mark.diverge
def test_three_repulsions(diverge):
    share = [
        diverge(u)["magnetic_growth"][-1].max() / -diverge(u)["pairing_growth"][-1, 0]
        for u in (4.0, 5.0, 6.0)
    ]
    assert share[0] < share[1] < 1 < share[2]


@pytest.mark.diverge
def test_two_fillings(diverge):
    more = round(chemical_potential(four_band(), 3.2), 4)
    ends = [diverge(4.0, mu)["scales"][-1, 0] for mu in (MU, more)]
    assert ends[1] > 1.2 * ends[0]
    for mu in (MU, more):
        assert pairing_states(diverge(4.0, mu), mu)[1][0][0] == "A1"


def test_levels_counted_on_a_mesh():
    """Density of states by counting, the band edges at the centre, side and corner of the zone."""
    model, window, found = four_band(), 0.01, measure("GLYWH-fig3-intermediate")
    energies = model.band_energies(zone_mesh(1200)) - MU
    counted = (np.abs(energies) < window).sum() / (2 * window) / 1200**2
    assert abs(found["density"] / counted - 1) < 0.02
    corners = np.pi * np.array([[0, 0], [1, 0], [1, 1]])
    levels = np.linalg.eigvalsh(model.hamiltonian(corners))
    assert abs(found["width"] - np.ptp(levels)) < 1e-9


def test_pairing_without_gamma():
    """Both pairing vertices at n = 3 without the patches of γ, and flows of eight patches."""
    weights = OURS[stored.MAIN].weights
    left = np.r_[0:40, 80:120]
    for flow in (OURS[stored.MAIN], THEIRS["U 5.0"]):
        vertex = flow.vertex * np.sqrt(np.outer(weights, weights))
        full, part = (np.linalg.eigvalsh(v)[0] for v in (vertex, vertex[np.ix_(left, left)]))
        assert full < 2 * part < 0
    scales = {}
    for electrons in (3.28, 3.35):
        mu = chemical_potential(four_band(), electrons)
        small = frg_flow(four_band(), mu, U=5.0, J=0.5, patches=8, stop=2e-3)
        assert small.leading() == "singlet A1"
        scales[len(small.patches.sheets)] = small.critical_scale
    assert 0 < scales[2] < 0.1 * scales[3]


def test_modes_turned_and_mirrored():
    """The stored gaps at the image of each point, against the characters of the square."""
    flow = OURS[stored.MAIN]
    k, sheet = np.concatenate(flow.points), np.repeat(np.arange(3), flow.size)
    turn, mirror, swap = [[0, -1], [1, 0]], [[1, 0], [0, -1]], [[0, 1], [1, 0]]
    signs = {"A1": (1, 1, 1), "A2": (1, -1, -1), "B1": (-1, 1, -1), "B2": (-1, -1, 1)}
    for name, gap in zip(flow.singlets, map(np.concatenate, flow.gaps), strict=True):
        for g, sign in zip((turn, mirror, swap), signs[name], strict=True):
            away = (k @ np.transpose(g))[:, None] - k
            away = np.hypot(*np.moveaxis(away - 2 * np.pi * np.round(away / (2 * np.pi)), -1, 0))
            image = (away + 10 * np.not_equal.outer(sheet, sheet)).argmin(axis=1)
            assert away[np.arange(len(k)), image].max() < 1e-5
            assert np.abs(gap[image] - sign * gap).max() < 1e-4


@pytest.mark.parametrize(
    ("between", "pairs", "invariant"), [(4.0, 0.5, True), (5.0, 0.5, False), (4.0, 0.0, False)]
)
def test_turned_orbitals(between, pairs, invariant):
    """GLYWH Eq. 2 of one site: with U = U′ + 2J and J = J′ its orbitals may be turned, else not.

    Written out in 16 states, against the generator of turns, and as a tensor turned by an angle.
    """
    u, j = 5.0, 0.5
    c = dict(zip(((0, 0), (0, 1), (1, 0), (1, 1)), annihilators(4), strict=True))
    up = {mode: a.T for mode, a in c.items()}
    n = {mode: up[mode] @ c[mode] for mode in c}
    h = u * sum(n[a, 0] @ n[a, 1] for a in (0, 1))
    h += between * (n[0, 0] + n[0, 1]) @ (n[1, 0] + n[1, 1])
    h += j * sum(up[0, s] @ up[1, t] @ c[0, t] @ c[1, s] for s in (0, 1) for t in (0, 1))
    h += pairs * sum(up[a, 0] @ up[a, 1] @ c[1 - a, 1] @ c[1 - a, 0] for a in (0, 1))
    turn = sum(up[0, s] @ c[1, s] - up[1, s] @ c[0, s] for s in (0, 1))
    broken = np.abs(h @ turn - turn @ h).max()
    assert (broken < 1e-12) if invariant else (broken > 0.1)
    tensor = kanamori((0, 0), u, j, U_prime=between, J_prime=pairs).tensor
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    turned = np.einsum("abcd,ai,bj,ck,dl->ijkl", tensor, *[turn] * 4)
    assert (np.abs(turned - tensor).max() < 1e-12) == invariant


@pytest.mark.parametrize("j", [0.0, 0.3, 1.0])
def test_bound_on_the_bare_vertex(j):
    """Γ = Σ U′ (u1·u3)(u2·u4) + J [(u1·u4)(u2·u3) + (u1·u2)(u3·u4)] over layers of weight ½.

    Each product of unit vectors is at most one, so Γ is at most (U′ + 2J)/2 = U/2, and is that for
    four equal states.
    """
    model, u = four_band(), 5.0
    patches = fermi_patches(model, 10.0975, 16)
    layers = patches.states.reshape(-1, 2, 2)
    assert np.abs(np.square(layers).sum(axis=-1) - 0.5).max() < 1e-12
    equation = FlowEquation(patches)
    vertex = equation.bare(kanamori(model.sites, u, j))
    assert abs(np.abs(vertex).max() - u / 2) < 1e-12
    full = equation.full(vertex)
    p1, p2, p3 = np.random.default_rng(3).integers(len(layers), size=(3, 200))
    for band in range(3):
        four = (p1, p2, p3, equation.fourth[p1, p2, p3, band])
        dot = {(a, b): np.sum(layers[four[a]] * layers[four[b]], axis=-1)
               for a in range(4) for b in range(a)}  # fmt: skip
        value = (u - 2 * j) * dot[2, 0] * dot[3, 1]
        value = value + j * (dot[3, 0] * dot[2, 1] + dot[1, 0] * dot[3, 2])
        assert np.abs(value.sum(axis=-1) - full[p1, p2, p3, band]).max() < 1e-12


def plain_share(gap, k, count, near):
    """Opposite pairs of β and γ that lie q2 apart, each counted by hand."""
    weights = {True: 0.0, False: 0.0}
    for a, b, q in product(range(count), range(count, 2 * count), ((np.pi, 0), (0, np.pi))):
        away = (k[a] - k[b] - q + np.pi) % (2 * np.pi) - np.pi
        if away @ away < near**2:
            weights[bool(gap[a] * gap[b] < 0)] += abs(gap[a] * gap[b])
    return weights[True] / sum(weights.values())


@pytest.mark.parametrize("near", rows.NEAR)
def test_plain_loop_over_pairs_of_patches(near):
    for flow in (OURS[stored.MAIN], OURS["base"], THEIRS["U 5.0"]):
        gap, k = np.concatenate(flow.gaps[flow.singlets.index("B1")]), np.concatenate(flow.points)
        plain = plain_share(gap, k, len(k) // 3, near * np.pi)
        assert abs(plain - flow.opposite_share(near * np.pi)) < 1e-6


def test_the_table_says_how_it_was_made():
    table = stored.frg_table()
    assert table.attrs["made by"] == "tools/frg_table.py"
    assert "diverge-flow" in table.attrs["versions"]
    # Ending below the stop scale without divergence is stored as NaN, never as a number.
    ends = [flow.scales[-1] for flow in OURS.values()]
    diverged = np.array([flow.critical_scale for flow in OURS.values()])
    known = np.isfinite(diverged)
    assert np.allclose(diverged[known], np.array(ends)[known])
    assert (np.array(ends)[~known] < 6e-4).all()
