"""The flow: exact ladders, plain sums from the formulas, Fock space, symmetries, known outcomes."""

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from lattices import lattice, square_lattice

from nickbook.bands import (
    FermiSea,
    density_of_states,
    four_band,
    square_group,
    three_band,
    van_hove_points,
)
from nickbook.dimers.fock import annihilators
from nickbook.pairing import (
    FlowEquation,
    FlowResult,
    Interaction,
    bare_vertex,
    fermi_patches,
    frg_flow,
    kanamori,
)


def nested(shift=1.5):
    """An electron pocket round Γ and a hole pocket round M that Q = (π, π) maps onto it."""
    hops = {(1, 0): -0.5 * np.eye(2), (0, 1): -0.5 * np.eye(2), (0, 0): np.diag([shift, -shift])}
    return lattice(hops, "nested pockets", group=square_group(np.eye(2), np.eye(2)))


def chiral():
    """Two orbitals with complex hoppings and the turns of the square alone."""
    turn, hops = np.diag([1.0, 1j]), {}
    hop = np.array([[-1.0, 0.25 + 0.1j], [0.15 - 0.1j, -0.9]])
    for r in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        hops[r] = hop
        hop = turn @ hop @ turn.conj().T
    half = {r: (hops[r] + hops[(-r[0], -r[1])].conj().T) / 2 for r in ((1, 0), (0, 1))}
    half[(0, 0)] = np.diag([0.3, -0.2])
    return lattice(half, "chiral square", group=square_group(turn, np.eye(2))[:4])


def scattering(sites, **couplings):
    """Kanamori interaction of the couplings named, the others zero."""
    given = {"U": 0.0, "J": 0.0, "U_prime": 0.0, "J_prime": 0.0} | couplings
    return kanamori(sites, given.pop("U"), given.pop("J"), **given)


class PlainVertex:
    """Γ with one leg away from the patches, from its definition alone."""

    def __init__(self, equation, part):
        self.vertex, self.equation = equation.full(part), equation

    def __call__(self, *legs):
        """Legs are patches; the one given as ("away", band) is away from them."""
        away = next(i for i, leg in enumerate(legs) if isinstance(leg, tuple))
        one, two, three, four = legs
        band = legs[away][1]
        if away == 3:
            return self.vertex[one, two, three, band]
        if away == 2:
            return self.vertex[two, one, four, band]
        if away == 1:
            return np.conj(self.vertex[three, four, one, band])
        return np.conj(self.vertex[four, three, two, band])


def plain_derivative(equation, part, scale, legs):
    """One-loop terms for the legs (1, 2; 3, 4): point by point over the shell, exact energies.

    5 is the leg next to 1 or to 5 in the names of the diagrams, 6 the other; each of them is once
    the one whose regulator moves.  The second vertex keeps the outer legs on their patches, or the
    inner ones; then leg 4 follows.
    """
    gamma = PlainVertex(equation, part)
    p1, p2, p3, p4 = legs
    patches = equation.patches
    k = patches.points
    shell, labels, energies = equation.shell(scale)
    place, weight = shell[:, :2], shell[:, 2]
    outer = equation.projection == "external"
    last = p4 if outer else ("away", equation.band_of[p4])

    def other(momentum, pair):
        xi = patches.model.band_energies(momentum)[:, equation.bands] - patches.mu
        size = np.abs(xi)
        if equation.regulator == "frequency":
            x, w = np.polynomial.legendre.leggauss(200)
            omega = scale * np.tan((x + 1) * np.pi / 4)[:, None, None]
            w = w[:, None, None] * np.pi / 4 * (scale + omega**2 / scale)
            own = energies[:, None]
            green = (omega**2 + pair * own * xi) / (omega**2 + own**2) / (omega**2 + xi**2)
            return (w / np.pi * 2 * scale * omega**4 / (omega**2 + scale**2) ** 3 * green).sum(0)
        width = 0.02 if equation.regulator == "sharp" else 0.5
        t = np.clip((size / scale - 1 + width) / (2 * width), 0, 1)
        allowed = pair * energies[:, None] * xi > 0
        return allowed * t * t * (3 - 2 * t) / (np.abs(energies)[:, None] + size)

    def near(momentum, band):
        away = momentum[:, None] - k[equation.band_of == band]
        away = np.square(away - 2 * np.pi * np.round(away / (2 * np.pi))).sum(axis=-1)
        return np.flatnonzero(equation.band_of == band)[away.argmin(axis=1)]

    total = 0.0
    places = {
        "pp": k[p1] + k[p2] - place,
        "forward": place + k[p1] - k[p3],
        "backward": place + k[p3] - k[p1],
        "crossing": place + k[p3] - k[p2],
        "recrossing": place + k[p2] - k[p3],
    }
    loops = {
        name: weight[:, None] * other(q, 1 if name == "pp" else -1) for name, q in places.items()
    }
    p = labels
    for band in range(len(equation.bands)):
        away = ("away", band)
        for name, q in places.items():
            loop = loops[name][:, band]
            # The other inner leg in the second vertex.
            inner = away if outer else near(q, band)
            if name == "pp":
                total -= loop @ (gamma(p1, p2, p, away) * gamma(p, inner, p3, last))
                total -= loop @ (gamma(p1, p2, away, p) * gamma(inner, p, p3, last))
                continue
            five, six, at5, at6 = away, p, inner, p
            if name in ("backward", "recrossing"):
                five, six, at5, at6 = p, away, p, inner
            if name in ("forward", "backward"):
                bubble = -2 * gamma(p1, six, p3, five) * gamma(at5, p2, at6, last)
                bubble += gamma(p1, six, five, p3) * gamma(at5, p2, at6, last)
                bubble += gamma(p1, six, p3, five) * gamma(at5, p2, last, at6)
                total += loop @ bubble
            else:
                total += loop @ (gamma(p1, at6, at5, last) * gamma(five, p2, p3, six))
    return total


def mean_over_equals(equation, part, scale, legs):
    """Plain sum for each order of the same legs, with Γ(1,2;3,4) = Γ(2,1;4,3) = Γ(3,4;1,2)*."""
    a, b, c, d = legs
    orders = {(a, b, c, d): False, (b, a, d, c): False, (c, d, a, b): True, (d, c, b, a): True}
    found = []
    for order, conjugate in orders.items():
        p4 = order[3]
        if equation.fourth[(*order[:3], equation.band_of[p4])] != p4:
            continue
        value = plain_derivative(equation, part, scale, order)
        found.append(np.conj(value) if conjugate else value)
    return np.mean(found), len(found)


MODELS = {
    "four-band": (four_band(), 10.0585, 8),
    "square": (square_lattice(-0.3), -0.8, 16),
    "chiral": (chiral(), -2.0, 12),
}


@pytest.mark.parametrize("regulator", ["sharp", "smooth", "frequency"])
@pytest.mark.parametrize("projection", ["external", "internal"])
@pytest.mark.parametrize("name", MODELS)
def test_one_step_is_the_plain_sum_of_the_diagrams(name, regulator, projection):
    model, mu, count = MODELS[name]
    patches = fermi_patches(model, mu, count)
    equation = FlowEquation(patches, regulator=regulator, mesh=16, projection=projection)
    pairs = 0.0 if name == "chiral" else 0.2
    interaction = kanamori(model.sites, 2.0, 0.3, U_prime=1.1, J_prime=pairs)
    # A vertex as rough as any: that of one step of random size for each entry.
    part = equation.bare(interaction)
    part = part + 0.2 * equation.derivative(part, 0.7)
    rate = equation.derivative(part, 0.4)
    random, counts = np.random.default_rng(5), []
    for _ in range(3):
        r, p2, p3 = (int(random.integers(n)) for n in equation.shape[:3])
        band = int(random.integers(equation.shape[3]))
        p1 = int(equation.first[r])
        p4 = int(equation.fourth[p1, p2, p3, band])
        plain, count = mean_over_equals(equation, part, 0.4, (p1, p2, p3, p4))
        counts.append(count)
        assert rate[r, p2, p3, band] == pytest.approx(plain, abs=2e-4 * np.abs(rate).max())
    assert max(counts) > 1


@cache
def density(model, xi):
    return density_of_states(model, xi)[0]


def pair_sum(model, regulator, scale):
    """Sum of 1/2|ξ| over the modes of band 0 that the regulator leaves in, by its definition."""

    def integrand(xi):
        a = abs(xi) / scale
        if regulator == "sharp":
            share = 1.0
        elif regulator == "smooth":
            t = min(max(a - 0.5, 0), 1)
            share = (t * t * (3 - 2 * t)) ** 2
        else:
            # ∫dω/π |ξ| ω⁴/((ω² + Λ²)²(ω² + ξ²)), from the residues.
            share = a * (2 * a + 1) / (2 * (1 + a) ** 2)
        return share * density(model, xi) / (2 * abs(xi))

    low = {"sharp": scale, "smooth": scale / 2, "frequency": 1e-9}[regulator]
    edges = sorted(p.energy for p in van_hove_points(model) if p.band == 0)
    total = 0.0
    for sign in (-1, 1):
        # Logarithms at the saddles and the steps are ends of the intervals.
        ends = {low, *([1.5 * scale] if regulator == "smooth" else [])}
        ends |= {sign * e for e in edges if sign * e > low}
        ends = sorted(e for e in ends if e <= max(sign * edges[0], sign * edges[-1]))
        for a, b in pairwise(ends):
            t, w = np.polynomial.legendre.leggauss(12)
            # Both ends stretched: x = a + (b - a) s²(3 − 2s) smooths what is singular there.
            s, w = (t + 1) / 2, w / 2
            x, jacobian = a + (b - a) * s * s * (3 - 2 * s), (b - a) * 6 * s * (1 - s)
            values = [integrand(sign * e) for e in x]
            total += float(np.sum(w * jacobian * values))
    return total


@pytest.mark.parametrize("projection", ["external", "internal"])
@pytest.mark.parametrize("regulator", ["sharp", "smooth", "frequency"])
def test_ladders_are_geometric_series(regulator, projection):
    model = nested()
    patches = fermi_patches(model, 0.0, 8)
    density, q = patches.sheets[0].density_of_states, (np.pi, np.pi)
    # Between these scales no van Hove point is met; what lies above the first is left out.
    start, stop = 0.3, 0.05
    numeric = {
        "regulator": regulator,
        "start": start,
        "stop": stop,
        "tolerance": 1e-3,
        "momenta": [q],
        "mesh": 32,
        "projection": projection,
    }
    # The frequency regulator sums over whole bands, van Hove points included, at 24 energies.
    accuracy = 2e-3 if regulator == "frequency" else 1e-3
    sites, minus = (0, 0), patches.minus
    hole, electron = 0, 8
    assert patches.sheets[0].center == "M" and patches.sheets[1].center == "Γ"
    loop = pair_sum(model, regulator, stop) - pair_sum(model, regulator, start)

    given = scattering(sites, U=2.0, J_prime=0.5)
    flow = frg_flow(model, 0.0, interaction=given, patches=patches, keep=("pp",), **numeric)
    # Pairs of both bands together, and with opposite signs: a series of numbers for each.
    exact = [1 / (1 / (2.0 + sign * 0.5) + loop) for sign in (1, -1)]
    found = flow.vertex[hole, minus[hole]][[hole + 1, electron + 3], [0, 1]]
    assert found[0] + found[1] * np.array([1, -1]) == pytest.approx(exact, rel=accuracy)
    lowest = min(mode.eigenvalue for mode in flow.pairing())
    assert lowest == pytest.approx(-density * exact[0], rel=accuracy)

    given = scattering(sites, U_prime=0.5, J_prime=0.3)
    flow = frg_flow(model, 0.0, interaction=given, patches=patches, keep=("ph-crossed",), **numeric)
    exact = np.linalg.inv(np.linalg.inv([[0.5, 0.3], [0.3, 0.5]]) - loop * np.eye(2))
    found = flow.vertex[[electron + 3, hole + 3], hole, electron, [0, 1]]
    assert found == pytest.approx(exact[0], rel=accuracy)
    wave = density * (exact[0, 0] + exact[0, 1])
    assert flow.of("spin (π, π)")[-1] == pytest.approx(wave, rel=accuracy)
    assert flow.leading() == "spin (π, π)"

    given = scattering(sites, J=0.4)
    flow = frg_flow(model, 0.0, interaction=given, patches=patches, keep=("ph-direct",), **numeric)
    # Electron to hole on one line, hole to electron on the other: −2 for the spins of the bubble.
    exact = 0.4 / (1 + 2 * 0.4 * loop)
    assert flow.vertex[hole, electron, electron, 0] == pytest.approx(exact, rel=accuracy)
    (mode,) = flow.density_wave("charge", q)
    assert mode.eigenvalue < 0.01


def test_bare_vertex_in_fock_space():
    """⟨1↑ 2↓|H|3↑ 4↓⟩ on a ring of three cells, with GLYWH Eq. 2 written in operators."""
    cells, orbitals = 3, 2
    lower = annihilators(cells * orbitals * 2)
    c = np.array(lower, dtype=object).reshape(cells, orbitals, 2)
    vacuum = np.zeros(2 ** len(lower))
    vacuum[0] = 1.0
    assert all(np.abs(x @ vacuum).max() == 0 for x in lower)
    n = [[[x.T @ x for x in spins] for spins in cell] for cell in c]
    terms = dict.fromkeys(("U", "U_prime", "J", "J_prime"), 0)
    for i in range(cells):
        for a in range(orbitals):
            terms["U"] += n[i][a][0] @ n[i][a][1]
        terms["U_prime"] += (n[i][0][0] + n[i][0][1]) @ (n[i][1][0] + n[i][1][1])
        for s in range(2):
            for t in range(2):
                terms["J"] += c[i, 0, s].T @ c[i, 1, t].T @ c[i, 0, t] @ c[i, 1, s]
        for a, b in ((0, 1), (1, 0)):
            terms["J_prime"] += c[i, a, 0].T @ c[i, a, 1].T @ c[i, b, 1] @ c[i, b, 0]
    random = np.random.default_rng(3)
    model, twist = chiral(), random.uniform(-np.pi, np.pi, 2)
    for _ in range(4):
        turns = random.integers(0, cells, 3)
        turns = np.append(turns, (turns[0] + turns[1] - turns[2]) % cells)
        k = twist + np.outer(turns, [2 * np.pi / cells, 0])
        bands = random.integers(0, orbitals, 4)
        vectors = np.linalg.eigh(model.hamiltonian(k))[1]
        u = vectors[np.arange(4), :, bands] * np.exp(1j * random.uniform(0, 6, 4))[:, None]

        def bloch(j, spin, k=k, u=u):
            phases = np.exp(-1j * k[j, 0] * np.arange(cells)) / np.sqrt(cells)
            terms = np.outer(phases, u[j].conj())
            return sum(terms[i, a] * c[i, a, spin] for i in range(cells) for a in range(orbitals))

        initial = bloch(2, 0).conj().T @ (bloch(3, 1).conj().T @ vacuum)
        final = bloch(0, 0).conj().T @ (bloch(1, 1).conj().T @ vacuum)
        for name, term in terms.items():
            expected = cells * (final.conj() @ (term @ initial))
            found = bare_vertex(scattering((0, 0), **{name: 1.0}), *u)
            assert found == pytest.approx(expected, abs=1e-12)
            assert abs(expected) > 1e-3


def test_bare_vertex_on_patches_is_that_of_their_states():
    model = four_band()
    patches = fermi_patches(model, 10.0585, 8)
    equation = FlowEquation(patches)
    interaction = kanamori(model.sites, 5.0, 0.5)
    vertex = equation.full(equation.bare(interaction))
    u, fourth = patches.states, equation.fourth
    p = np.indices(vertex.shape)
    expected = bare_vertex(interaction, u[p[0]], u[p[1]], u[p[2]], u[fourth])
    assert vertex == pytest.approx(expected, abs=1e-12)
    # The fourth leg is on the nearest patch of its band.
    k = patches.points[p[0]] + patches.points[p[1]] - patches.points[p[2]]
    away = np.abs((k[..., None, :] - patches.points + np.pi) % (2 * np.pi) - np.pi)
    distance = np.linalg.norm(away, axis=-1) + 10 * (equation.band_of != p[3][..., None])
    taken = np.take_along_axis(distance, fourth[..., None], axis=-1)[..., 0]
    assert np.abs(taken - distance.min(axis=-1)).max() < 1e-8


def broken_symmetries(equation, vertex):
    """Largest violations of crossing, Hermiticity and the point group, with their counts."""
    fourth, patches = equation.fourth, equation.patches
    a, b, c, s = np.indices(vertex.shape)
    d, band = fourth, equation.band_of
    found = {}
    for name, legs, conjugate in (
        ("crossing", (b, a, d, c), False),
        ("Hermiticity", (c, d, a, b), True),
        ("both", (d, c, b, a), True),
    ):
        image = (*legs[:3], band[legs[3]])
        closes = fourth[image] == legs[3]
        other = vertex[image].conj() if conjugate else vertex[image]
        found[name] = (np.abs(other - vertex)[closes].max(), closes.mean())
    for symmetry, moved in zip(patches.symmetries, patches.permutations, strict=True):
        other = vertex[moved[a], moved[b], moved[c], s]
        assert (fourth[moved[a], moved[b], moved[c], s] == moved[fourth]).all()
        found[symmetry.name] = (np.abs(other - vertex).max(), 1.0)
    return found


@pytest.mark.parametrize("projection", ["external", "internal"])
@pytest.mark.parametrize("name", MODELS)
def test_symmetries_hold_along_the_whole_flow(name, projection):
    model, mu, count = MODELS[name]
    seen, numeric = [], {"projection": projection, "mesh": 32, "stop": 0.05}

    def check(result):
        vertex = result.vertex
        for symmetry, (miss, share) in broken_symmetries(result.equation, vertex).items():
            assert miss < 1e-10, symmetry
            assert share > 0.1, symmetry
        seen.append(np.abs(vertex).max())

    # A turn of the chiral model takes p to ip and forbids pair hopping.
    pairs = 0.0 if name == "chiral" else 0.3
    interaction = kanamori(model.sites, 3.0, 0.3, J_prime=pairs)
    frg_flow(model, mu, interaction=interaction, patches=count, progress=check, **numeric)
    assert len(seen) > 5 and abs(seen[-1] / seen[0] - 1) > 0.05


@pytest.mark.parametrize("regulator", ["sharp", "smooth", "frequency"])
def test_antiferromagnetism_near_half_filling(regulator):
    flow = frg_flow(square_lattice(), -0.02, U=2.0, patches=16, regulator=regulator, mesh=24)
    assert flow.diverged and flow.leading() == "spin (π, π)"
    assert flow.of("spin (π, π)")[-1] > 2 * flow.of("singlet B1")[-1] > 0
    assert flow.pairing()[0].representation == "B1"


@pytest.fixture(scope="module")
def short_flow():
    """First steps of a flow on a square lattice."""
    return frg_flow(square_lattice(-0.25), -0.9, U=2.0, patches=16, stop=0.3, mesh=32)


@pytest.mark.parametrize(
    ("q", "shares"),
    [
        ((np.pi, np.pi), {"A1": 1 / 8, "A2": 1 / 8, "B1": 1 / 8, "B2": 1 / 8, "E": 1 / 2}),
        ((np.pi, 0.0), {"A1": 1 / 4, "A2": 1 / 4, "B1": 1 / 4, "B2": 1 / 4}),
        ((1.1, 1.1), {"A′": 1 / 2, "A″": 1 / 2}),
        ((0.0, -0.7), {"A′": 1 / 2, "A″": 1 / 2}),
        ((1.1, 0.3), {"A": 1.0}),
    ],
)
def test_density_waves_fill_the_representations_of_their_little_group(short_flow, q, shares):
    # No symmetry leaves a patch in place, so a representation of dimension d appears in a share
    # d²/|G| of all modes.
    every = short_flow.patches.weights.size
    modes = short_flow.density_wave("charge", q, count=every)
    found = Counter(mode.representation for mode in modes)
    assert {name: n / every for name, n in found.items()} == shares
    # A contact interaction makes an even wave grow.
    assert short_flow.density_wave("spin", q)[0].representation in {"A", "A1", "A′"}


def test_d_wave_pairing_away_from_half_filling():
    flow = frg_flow(square_lattice(-0.25), -0.9, U=3.0, patches=16, mesh=48)
    assert flow.diverged and flow.leading() == "singlet B1"
    best, second = flow.pairing()[:2]
    assert best.eigenvalue > 2 * second.eigenvalue
    # The gap of nearest neighbours, with its four nodes on the diagonals.
    x, y = flow.patches.points.T
    form = np.cos(x) - np.cos(y)
    overlap = (best.values * form).sum() ** 2
    assert overlap > 0.9 * (best.values**2).sum() * (form**2).sum()
    gap = flow.gap_function()
    assert gap.channel == flow.leading() and gap.kind == "d" and gap.sign_changes() == [4]
    assert flow.of("singlet B1")[0] == pytest.approx(0, abs=1e-12)


def test_attraction_pairs_in_the_s_wave():
    model = square_lattice(-0.25)
    attraction = Interaction(np.full((1, 1, 1, 1), -1.0))
    flow = frg_flow(model, -0.9, interaction=attraction, patches=8, mesh=32)
    assert flow.diverged and flow.leading() == "singlet A1"


def saved_flow(**options):
    given = {"U": 3.0, "J": 0.3, "patches": 8, "mesh": 32, "stop": 0.3} | options
    return frg_flow(FermiSea(four_band(), 10.0585), **given)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A flow and the file it was saved to."""
    path = tmp_path_factory.mktemp("flows") / "flow.nc"
    flow = saved_flow()
    flow.save(path)
    return flow, path


def test_save_and_load(stored, tmp_path):
    flow, path = stored
    again = FlowResult.load(path)
    assert again.options == flow.options and again.channels == flow.channels
    for name in ("scales", "eigenvalues", "largest", "part", "vertex"):
        assert np.array_equal(getattr(again, name), getattr(flow, name))
    assert again.finished
    ours, theirs = again.gap_function(), flow.gap_function()
    assert ours.channel == theirs.channel
    assert ours.anisotropy() == theirs.anisotropy()
    with xr.open_dataset(path, engine="scipy") as data:
        data = data.load()
    assert data.attrs["version"] and flow.leading() in data["channel"].to_numpy()
    (tmp_path / "cut.nc").write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"cut\.nc is damaged"):
        FlowResult.load(tmp_path / "cut.nc")


def test_files_of_version_0_1_are_read(tmp_path):
    path = Path(__file__).with_name("flow-0.1.nc")
    flow = FlowResult.load(path)
    again = frg_flow(square_lattice(-0.25), -0.9, U=3.0, patches=8, mesh=16, stop=0.3)
    assert flow.options == again.options and flow.channels == again.channels
    # That version copied rates where this one averages those of entries that are equal.
    assert np.abs(flow.eigenvalues - again.eigenvalues).max() < 0.01 * flow.eigenvalues.max()
    assert flow.part.shape == again.part.shape and np.isfinite(flow.part).all()
    with xr.open_dataset(path, engine="scipy") as data:
        data = data.load()
    # The oldest have other words for the regulator and the mesh.
    options = data.attrs["options"].replace("regulator", "cutoff").replace("mesh", "resolution")
    data.assign_attrs(options=options).to_netcdf(tmp_path / "oldest.nc", engine="scipy")
    assert FlowResult.load(tmp_path / "oldest.nc").equation.mesh == 16
    data["point"] += 0.1
    data.to_netcdf(tmp_path / "moved.nc", engine="scipy")
    with pytest.raises(ValueError, match=r"moved\.nc was written by version .* differently"):
        FlowResult.load(tmp_path / "moved.nc")


def test_an_interrupted_flow_goes_on(stored, tmp_path):
    path, straight = tmp_path / "flow.nc", stored[0]

    class PowerCutError(Exception):
        pass

    def pull_the_plug(result):
        if len(result.scales) == 4:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        saved_flow(checkpoint=path, progress=pull_the_plug)
    half = FlowResult.load(path)
    assert not half.finished and len(half.scales) == 4
    calls = []
    flow = saved_flow(checkpoint=path, progress=calls.append)
    assert flow.finished and np.array_equal(flow.scales[:4], half.scales)
    assert np.abs(flow.part - straight.part).max() < 1e-9
    # A finished flow is read, not run.
    calls.clear()
    again = saved_flow(checkpoint=path, progress=calls.append)
    assert not calls and np.array_equal(again.part, flow.part)
    for other in ({"regulator": "smooth"}, {"mesh": 16}, {"U": 3.1}, {"projection": "internal"}):
        with pytest.raises(ValueError, match="other parameters"):
            saved_flow(checkpoint=path, **other)


def test_a_crash_while_saving_leaves_the_last_result(stored, tmp_path, monkeypatch):
    path = tmp_path / "flow.nc"
    path.write_bytes(before := stored[1].read_bytes())

    def fails(_, target, **options):  # noqa: ARG001
        Path(target).write_bytes(b"half of it")
        raise OSError("disk full")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fails)
    with pytest.raises(OSError, match="disk full"):
        stored[0].save(path)
    assert path.read_bytes() == before


BAD = [
    ({"mu": 20.0}, "crosses no band"),
    ({"mu": float("nan")}, "mu = nan"),
    ({"patches": 12}, "multiple of 8"),
    ({"patches": 2}, "integer >= 4"),
    ({"U": 0.0}, "U = 0.0 eV; allowed: a finite number with U > 0"),
    ({"U": -1.0}, "U = -1.0"),
    ({"U": None}, "neither U nor an interaction"),
    ({"interaction": kanamori((0, 0, 1, 1), 1.0, 0.1)}, "both given"),
    ({"U": None, "interaction": kanamori((0,), 1.0, 0.0)}, "1 orbitals; allowed: 4"),
    ({"start": 0.1, "stop": 0.2}, "start = 0.1 eV; allowed: above stop = 0.2"),
    ({"stop": 0.0}, "stop = 0.0"),
    ({"limit": 0.1}, "limit = 0.1"),
    ({"regulator": "hard"}, "regulator = 'hard'"),
    ({"keep": ("pp", "hp")}, "keep = 'hp'"),
    ({"projection": "both"}, "projection = 'both'"),
    ({"mesh": 33}, "even"),
    ({"mesh": 8}, "mesh = 8"),
    ({"tolerance": 1.0}, "tolerance = 1.0"),
    ({"patches": fermi_patches(four_band(), 10.1, 8)}, "at mu = 10.1; allowed: patches of"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input(change, message):
    given = {"mu": 10.0585, "U": 5.0, "patches": 8} | change
    mu = given.pop("mu")
    with pytest.raises((TypeError, ValueError), match=message):
        frg_flow(four_band(), mu, **given)


def test_bad_models_and_channels():
    with pytest.raises(ValueError, match="NaN"):
        lattice({(1, 0): np.nan})
    with pytest.raises(ValueError, match="does not say on which sites"):
        frg_flow(three_band(), 10.256, U=5.0, patches=8)
    with pytest.raises(ValueError, match=r"interaction changes by .* under 'C4'"):
        frg_flow(chiral(), -2.0, U=3.0, J=0.3, patches=12)
    with pytest.raises(ValueError, match="spin_degeneracy = 1"):
        frg_flow(replace(square_lattice(), spin_degeneracy=1), -0.8, U=1.0, patches=8)
    flow = frg_flow(square_lattice(-0.3), -0.8, U=1.0, patches=8, stop=2.0)
    assert not flow.diverged and np.isnan(flow.critical_scale)
    with pytest.raises(ValueError, match="channel = 'spin'; allowed"):
        flow.of("spin")
    with pytest.raises(ValueError, match="no real gap"):
        flow.density_wave("spin", (np.pi, np.pi))[0].gap_function()


@pytest.mark.parametrize("projection", ["external", "internal"])
def test_charge_and_spin_are_the_particle_hole_terms_sorted_otherwise(projection):
    model = four_band()
    patches = fermi_patches(model, 10.0585, 8)
    interaction = kanamori(model.sites, 3.0, 0.3)

    def rate(*keep):
        equation = FlowEquation(patches, keep=keep, mesh=16, projection=projection)
        return equation.derivative(equation.bare(interaction), 0.5)

    whole = rate("ph-direct", "ph-crossed")
    charge, spin = rate("charge"), rate("spin")
    assert min(np.abs(part).max() for part in (charge, spin)) > 0.1
    assert charge + spin == pytest.approx(whole, abs=1e-5 * np.abs(whole).max())
    # The direct diagram holds a third of the spin, and all of the charge.
    direct, crossed = rate("ph-direct"), rate("ph-crossed")
    assert charge + spin - crossed == pytest.approx(direct, abs=1e-5 * np.abs(whole).max())
