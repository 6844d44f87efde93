"""Sums over the zone against full matrices, lines of constant energy and thermodynamics."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nickbook.bands import (
    BlochModel,
    FermiSea,
    chemical_potential,
    conduction_bands,
    eta_k,
    zone_mesh,
)
from nickbook.pairing import (
    TriplonMeanField,
    channel_boundaries,
    channel_strengths,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
    triplon_mean_field,
)

MODEL = conduction_bands()
MU = chemical_potential(MODEL, 0.9)
SEA = FermiSea(MODEL, MU)
CUTOFF, COUPLING, KAPPA = 0.3, 0.5, (1.27, 0.443)


@cache
def field(mesh: int = 300, kappa: object = KAPPA, coupling: float = COUPLING) -> TriplonMeanField:
    return triplon_mean_field(SEA, coupling=coupling, kappa=kappa, cutoff=CUTOFF, mesh=mesh)


def dense_zone(mesh, mu=MU):
    """Energies and form factors of all points of the zone, and which of them pair."""
    k = zone_mesh(mesh).reshape(-1, 2)
    xi = MODEL.band_energies(k).T - mu
    return k, xi, eta_k(k), np.abs(xi) < CUTOFF


def dense_solution(mesh, kappa, coupling, temperature, channel):
    """LK Eq. 14 with the full matrix V_kk' of Eq. 13, iterated point by point over the zone.

    After each step the part with the channel's sign under kx <-> ky is kept, since rounding errors
    in an unstable channel's complement grow.
    """
    sign = 1 if channel == "s±" else -1
    k, xi, eta, inside = dense_zone(mesh)
    n_alpha, n_beta = (s.density_of_states for s in SEA.sheets)
    strength = coupling / np.sqrt(n_alpha * n_beta)
    outer = np.multiply.outer(eta[inside[0]], eta[inside[1]])
    matrix = strength * (1 - kappa[0] * outer) * (1 - kappa[1] * outer) / len(k)
    xi_a, xi_b = (xi[i][inside[i]] for i in (0, 1))

    def pairs(gap, energies):
        size = np.hypot(energies, gap)
        thermal = np.tanh(size / (2 * temperature)) if temperature else 1.0
        return gap * thermal / (2 * size)

    swapped = np.arange(mesh**2).reshape(mesh, mesh).T.ravel()
    place = np.zeros(mesh**2, int)
    place[inside[0]] = np.arange(inside[0].sum())
    mirrored = place[swapped[inside[0]]]
    alpha = 0.2 * eta[inside[0]] ** (0 if sign == 1 else 1)
    for _ in range(400):
        beta = -matrix.T @ pairs(alpha, xi_a)
        alpha = -matrix @ pairs(beta, xi_b)
        alpha = (alpha + sign * alpha[mirrored]) / 2
    return (eta[inside[0]], alpha), (eta[inside[1]], beta)


@pytest.mark.parametrize("temperature", [0.0, 0.03])
@pytest.mark.parametrize("channel", ["s±", "d"])
@pytest.mark.equation("LK", 13, 14)
def test_gap_is_that_of_the_full_matrix(channel, temperature):
    mesh = 40
    solved = field(mesh).gap(channel, temperature=temperature)
    pair = dense_solution(mesh, KAPPA, COUPLING, temperature, channel)
    for (eta, gap), row in zip(pair, solved, strict=True):
        np.testing.assert_allclose(np.polynomial.polynomial.polyval(eta, row), gap, atol=1e-10)
    assert field(mesh).residual(solved, temperature=temperature) < 1e-14
    # s±: opposite signs; d: the same sign, for the terms linear in κ attract.
    assert np.sign(solved[0].sum() * solved[1].sum()) == (-1 if channel == "s±" else 1)


@pytest.mark.equation("LK", 14)
def test_critical_temperature_is_where_the_full_matrix_has_eigenvalue_one():
    mesh = 32
    for channel in ("s±", "d"):
        t_c = field(mesh).critical_temperature(channel)
        k, xi, eta, inside = dense_zone(mesh)
        strength = field(mesh).strength / len(k)
        parts = [inside[i] for i in (0, 1)]
        outer = np.multiply.outer(eta[parts[0]], eta[parts[1]])
        matrix = -strength * (1 - KAPPA[0] * outer) * (1 - KAPPA[1] * outer)
        root = [
            np.sqrt(np.tanh(xi[i][p] / (2 * t_c)) / (2 * xi[i][p])) for i, p in enumerate(parts)
        ]
        left, values, right = np.linalg.svd(root[0][:, None] * matrix * root[1])
        assert np.abs(values - 1).min() < 1e-9
        # The singular vector tells the channel: a sign change between the bands, or none.
        n = np.argmin(np.abs(values - 1))
        overlap = [v @ (root[i] * eta[parts[i]]) for i, v in enumerate((left[:, n], right[n]))]
        assert (abs(overlap[0]) > 1e-6) == (channel == "d")


@pytest.mark.equation("LK", 14, 15)
def test_gap_agrees_with_quadrature_over_lines_of_constant_energy():
    """No mesh over the zone: Gauss points in energy, broken at the band's van Hove points."""
    edges = sorted({-CUTOFF, *(e - MU for e in (-0.8, -0.765)), 0.0, CUTOFF})
    nodes, shares = np.polynomial.legendre.leggauss(8)
    points = {0: [], 1: []}
    for low, high in pairwise(edges):
        # x = u³ at both ends takes the logarithms of saddles and the peak at ξ = 0.
        u = (nodes + 1) / 2
        x, measure = u**3 * (10 - 15 * u + 6 * u**2), 30 * u**2 * (1 - u) ** 2 * shares / 2
        for xi, weight in zip(low + (high - low) * x, (high - low) * measure, strict=True):
            for band in (0, 1):
                for line in MODEL.bands[band].contours(MU + float(xi)):
                    e2 = eta_k(line.points) ** 2
                    points[band].append((np.full_like(e2, xi), e2, weight * line.weights))
    alpha, beta = (np.concatenate(points[b], axis=1) for b in (0, 1))
    strength, product = field().strength, KAPPA[0] * KAPPA[1]

    def feed(side, row):
        xi, e2, weight = side
        gap = row[0] + row[1] * e2
        pairs = weight * gap / (2 * np.hypot(xi, gap))
        return strength * np.array([pairs.sum(), product * (pairs @ e2)])

    a = np.array([0.2, 0.1])
    for _ in range(200):
        b = feed(alpha, a)
        a = feed(beta, b)
    solved = field(2000).gap()
    np.testing.assert_allclose(solved[:, [0, 2]], [a, -b], rtol=2e-3, atol=1e-5)


def test_error_falls_with_the_mesh():
    finest = field(3000, coupling=0.25).gap()[:, [0, 2]]
    errors = [
        np.abs(field(n, coupling=0.25).gap()[:, [0, 2]] / finest - 1).max() for n in (100, 800)
    ]
    assert errors[0] < 0.06 and errors[1] < 2e-3


def test_fermi_line_is_the_limit_of_a_small_cutoff():
    """With a narrow shell the density of states is constant and the two methods agree."""
    narrow = {"coupling": 0.9, "kappa": 0.75, "cutoff": 0.02}
    line = triplon_gap(SEA, **narrow)
    mesh = triplon_gap(SEA, method="mesh", mesh=4000, **narrow)
    for ours, theirs in zip(mesh.values, line.values, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-2)
    wide = triplon_critical_temperature(SEA, **narrow)
    t_c = triplon_mean_field(SEA, mesh=4000, **narrow).critical_temperature()
    assert t_c == pytest.approx(wide, rel=1e-2)


def test_channel_strengths_give_the_weak_coupling_temperatures():
    """The Fermi-line T_c formula with each channel's strength; λ drops out of the comparison."""
    found = channel_strengths(SEA, kappa=KAPPA)
    assert channel_strengths(SEA, kappa=0.0) == pytest.approx({"s±": 1.0, "d": 0.0})
    averages = [s.average(eta_k(s.points) ** 2) for s in SEA.sheets]
    assert found["d"] == pytest.approx(sum(KAPPA) * np.sqrt(averages[0] * averages[1]))
    t_c = triplon_critical_temperature(SEA, coupling=0.3, kappa=KAPPA)
    logarithm = pair_logarithm(0.0, temperature=t_c, cutoff=CUTOFF)
    assert logarithm == pytest.approx(1 / (0.3 * found["s±"]), rel=1e-6)


@pytest.mark.parametrize("ratio", [0.0, 1 / 16, -1 / 16])
def test_strengths_with_dispersion_from_the_unprojected_kernel(ratio):
    """Singular vectors of the full matrix between points, told apart by what they overlap with."""
    alpha, beta = SEA.sheets
    weights = [s.weights / s.weights.sum() for s in (alpha, beta)]
    form = np.multiply.outer(eta_k(alpha.points), eta_k(beta.points))
    u, w = 1 - sum(KAPPA) / 2 * form, (KAPPA[0] - KAPPA[1]) / 2 * form
    hop = np.cos(beta.points - alpha.points[:, None]).sum(axis=-1)
    kernel = u**2 / (1 + 2 * ratio * hop) - w**2
    root = [np.sqrt(x) for x in weights]
    left, values, _ = np.linalg.svd(root[0][:, None] * kernel * root[1])
    shapes = {"s±": root[0], "d": root[0] * eta_k(alpha.points)}
    found = channel_strengths(SEA, kappa=KAPPA, exchange_ratio=ratio)
    for channel, shape in shapes.items():
        first = np.flatnonzero(np.abs(shape @ left) > 0.5 * np.linalg.norm(shape))[0]
        assert found[channel] == pytest.approx(values[first], rel=1e-6)


def test_dispersion_helps_both_channels_and_d_more():
    """Without Kondo terms it would cost s± three per cent."""
    gains = {}
    for kappa in (1e-9, KAPPA):
        flat, moving = (
            channel_strengths(SEA, kappa=kappa, exchange_ratio=x) for x in (0.0, 1 / 16)
        )
        gains[kappa] = {c: moving[c] / flat[c] for c in flat}
    assert gains[1e-9]["s±"] == pytest.approx(0.9705, abs=1e-3)
    assert 1.03 < gains[KAPPA]["s±"] < gains[KAPPA]["d"] - 0.02


@given(r=st.floats(1.0, 8.0), kappa=st.floats(0.05, 1.5))
@settings(max_examples=30, deadline=None)
def test_s_wave_depends_on_the_product_only_and_d_wave_on_the_sum_only(r, kappa):
    pair = kappa * np.sqrt(r), kappa / np.sqrt(r)
    base = channel_strengths(SEA, kappa=kappa)
    found = channel_strengths(SEA, kappa=pair)
    assert found["s±"] == pytest.approx(base["s±"], rel=1e-9)
    assert found["d"] == pytest.approx(base["d"] * (np.sqrt(r) + 1 / np.sqrt(r)) / 2, rel=1e-9)
    # With equal κ the square (1 − κηη')² favours s: arithmetic above geometric mean.
    assert base["s±"] > base["d"]


@pytest.mark.parametrize("channel", ["s±", "d"])
@pytest.mark.parametrize("temperature", [0.0, 0.02])
def test_free_energy_is_stationary_and_below_the_normal_state(channel, temperature):
    theory = field()
    gap = theory.gap(channel, temperature=temperature)
    bottom = theory.free_energy(gap, temperature=temperature)
    assert bottom < 0
    rng = np.random.default_rng(3)
    for _ in range(5):
        change = rng.normal(size=(2, 3))
        slopes = [
            (theory.free_energy(gap + s * h * change, temperature=temperature) - bottom) / h
            for h in (1e-4,)
            for s in (1, -1)
        ]
        assert abs(slopes[0] - slopes[1]) / 2 < 5e-6  # eV per eV
        if channel == "s±":  # stable here: a minimum in every direction
            phase = theory.free_energy(gap + 1e-3j * change, temperature=temperature) - bottom
            assert sum(slopes) > 0 and phase > -1e-12


@pytest.mark.parametrize(("ratio", "stable"), [(2.86, True), (6.0, False)])
def test_stability_eigenvalue_agrees_with_the_free_energy(ratio, stable):
    theory = field(kappa=(0.75 * ratio**0.5, 0.75 / ratio**0.5))
    gap = theory.gap()
    assert (theory.eigenvalue("d", temperature=0.0, gap=gap) < 1) is stable
    gains = []
    for tilt in np.linspace(0.05, 1.5, 30):
        admixed = np.zeros((2, 3), complex)
        admixed[:, 1] = 1e-2j * np.array([np.cos(tilt), np.sin(tilt)])
        gains.append(theory.free_energy(gap + admixed) - theory.free_energy(gap))
    assert (min(gains) > 0) is stable


def test_boundaries_are_where_temperatures_and_energies_cross():
    kappa = 0.75
    found = channel_boundaries(field(), kappa)
    assert found["equal T_c"] < found["s± unstable"] < found["d stable"]

    def at(ratio):
        return field(kappa=(kappa * ratio**0.5, kappa / ratio**0.5))

    theory = at(found["equal T_c"])
    assert theory.critical_temperature("d") == pytest.approx(theory.critical_temperature())
    places = [(0, 0), (0, 2), (1, 0), (1, 2)]
    for factor, stable in ((1.1, True), (0.9, False)):
        theory = at(found["d stable"] * factor)
        gap, step = theory.gap("d"), 1e-3
        curvature = np.zeros((4, 4))
        for i, first in enumerate(places):
            for j, second in enumerate(places):
                plus, minus = np.zeros((2, 3), complex), np.zeros((2, 3), complex)
                plus[first] += 1j * step
                minus[first] += 1j * step
                plus[second] += 1j * step
                minus[second] -= 1j * step
                energies = [theory.free_energy(gap + change) for change in (plus, minus)]
                curvature[i, j] = (energies[0] - energies[1]) / (4 * step**2)
        assert bool(np.linalg.eigvalsh(curvature).min() > 0) is stable


def test_entropy_is_minus_the_slope_of_the_free_energy():
    theory, t = field(), 0.03
    energies = [
        theory.free_energy(theory.gap(temperature=x), temperature=x) for x in (t - 1e-4, t + 1e-4)
    ]
    entropy = theory.entropy(theory.gap(temperature=t), temperature=t)
    assert entropy == pytest.approx(-(energies[1] - energies[0]) / 2e-4, rel=1e-5)


def test_specific_heat_jumps_as_in_bcs_theory_when_both_gaps_are_one():
    """Equal constant gaps on two bands: the jump is 12/(7ζ(3)) of the normal specific heat."""
    model = conduction_bands(epsilon_alpha=0.1, epsilon_beta=0.1)
    mu = chemical_potential(model, 1.2)
    theory = triplon_mean_field(model, mu, coupling=0.2, cutoff=0.3, mesh=2000)
    t_c = theory.critical_temperature()
    normal = 2 * np.pi**2 / 3 * sum(theory.densities) * t_c
    assert theory.specific_heat(temperature=t_c) / normal == pytest.approx(1.4261, rel=0.04)
    gap = theory.gap()
    np.testing.assert_allclose(gap[0, 0], -gap[1, 0])
    assert 2 * gap[0, 0] / t_c == pytest.approx(3.528, rel=0.02)


def test_gap_closes_at_the_critical_temperature():
    theory = field()
    t_c = theory.critical_temperature()
    above = theory.gap_function(temperature=1.0001 * t_c)
    assert above.kind == "normal" and not any(v.any() for v in above.values)
    near = [theory.gap(temperature=t_c * (1 - x))[0, 0] for x in (1e-3, 4e-3)]
    assert near[1] / near[0] == pytest.approx(2, rel=0.01)  # square root


def test_two_bands_of_one_parity_are_summed_as_well():
    """A spectator orbital far away changes nothing, whether energies come from cosines or not."""
    hoppings = np.zeros((len(MODEL.translations), 3, 3), complex)
    hoppings[:, :2, :2] = MODEL.hoppings
    hoppings[(MODEL.translations == 0).all(axis=1), 2, 2] = 9.0
    larger = BlochModel(
        "with a spectator",
        ("α", "β", "far"),
        MODEL.translations,
        hoppings,
        mirror=np.diag([-1.0, 1.0, 1.0]),
    )
    found = triplon_mean_field(larger, MU, coupling=0.5, kappa=KAPPA, mesh=60)
    np.testing.assert_allclose(found.gap(), field(60).gap(), atol=1e-13)


def test_what_cannot_be_solved_is_refused():
    with pytest.raises(ValueError, match="even number"):
        triplon_mean_field(MODEL, MU, coupling=0.5, mesh=101)
    with pytest.raises(ValueError, match="below the"):
        field(100, coupling=0.1).gap()
    assert field(100, coupling=0.1).critical_temperature() == 0.0
    with pytest.raises(ValueError, match="channel"):
        field(100).gap("p")
    hoppings = MODEL.hoppings * np.where(MODEL.translations[:, :1] == 0, 1.0, 0.9)[..., None]
    strained = BlochModel("strained", MODEL.orbitals, MODEL.translations, hoppings, MODEL.mirror)
    with pytest.raises(ValueError, match="symmetry of the square"):
        triplon_mean_field(strained, MU, coupling=0.5)


def test_gap_functions_of_both_solutions():
    gap = triplon_gap(SEA, coupling=0.5, kappa=KAPPA, method="mesh", mesh=100)
    assert (gap.channel, gap.kind, gap.signs()) == ("singlet A1", "s±", [1, -1])
    coefficients = field(100).gap("d", temperature=0.01)
    d = field(100).gap_function("d", temperature=0.01)
    assert (d.channel, d.kind, d.sign_changes()) == ("singlet B1", "d", [4, 4])
    for values, sheet, row in zip(d.values, SEA.sheets, coefficients, strict=True):
        np.testing.assert_allclose(values, row[1] * eta_k(sheet.points), atol=1e-15)
