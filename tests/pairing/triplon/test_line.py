"""LK Eqs. 12–18, each relation by a second route written out from the printed equations."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, root

from nickbook.bands import BlochModel, FermiSea, conduction_bands, four_band
from nickbook.pairing import (
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
    triplon_mean_field,
)

MU, CUTOFF = -0.65, 0.3
#: Here the β band has pockets round Γ, X and Y.
MANY_POCKETS = -0.79


@cache
def sea(mu):
    return FermiSea(conduction_bands(), mu)


def solved(mu=MU, **parameters):
    return triplon_gap(sea(mu), **parameters)


def critical(mu=MU, **parameters):
    return triplon_critical_temperature(sea(mu), **parameters)


def eta_squared(points):
    return (np.cos(points[:, 0]) - np.cos(points[:, 1])) ** 2


def roots_of_eq_17(dos_ratio, coupling, cutoff):
    """Both amplitudes from the two printed equations, with N_α = 1 and N_β = dos_ratio."""
    v = coupling / np.sqrt(dos_ratio)

    def alpha_of(log_beta):
        beta = np.exp(log_beta)
        return v * dos_ratio * beta * np.log(2 * cutoff / beta)

    def miss(log_beta):
        alpha = alpha_of(log_beta)
        return v * alpha * np.log(2 * cutoff / alpha) / np.exp(log_beta) - 1

    grid = np.log(2 * cutoff) - np.geomspace(1e-3, 60, 4000)
    grid = grid[alpha_of(grid) < 2 * cutoff]
    (found,) = np.flatnonzero(np.diff(np.sign(miss(grid))))
    log_beta = brentq(miss, *grid[found : found + 2], xtol=1e-15, rtol=1e-15)
    return alpha_of(log_beta), np.exp(log_beta)


@pytest.mark.parametrize("coupling", [0.05, 0.3, 0.6, 1.2])
@pytest.mark.parametrize("dos_ratio", [0.25, 1.0, 1.7, 4.0])
@pytest.mark.equation("LK", 17)
def test_eq_17_against_root_finding_on_the_two_printed_equations(dos_ratio, coupling):
    expected = roots_of_eq_17(dos_ratio, coupling, CUTOFF)
    assert gap_amplitudes(dos_ratio, coupling, CUTOFF) == pytest.approx(expected, rel=1e-11)
    ratio = expected[0] / expected[1]
    assert gap_ratio_exact(dos_ratio, coupling) == pytest.approx(ratio, rel=1e-11)


@pytest.mark.equation("LK", 17)
def test_amplitudes_solve_eq_17():
    ratio, coupling = np.meshgrid(np.geomspace(0.05, 20, 23), np.linspace(0.05, 1.9, 19))
    alpha, beta = gap_amplitudes(ratio, coupling, 0.17)
    v = coupling / np.sqrt(ratio)
    assert v * ratio * beta * np.log(0.34 / beta) == pytest.approx(alpha, rel=1e-12)
    assert v * alpha * np.log(0.34 / alpha) == pytest.approx(beta, rel=1e-12)


@pytest.mark.equation("LK", 18)
def test_eq_18_is_the_printed_power():
    assert gap_ratio(9.0, 1.0) == pytest.approx(9.0)
    assert gap_ratio(2.0, 0.5) == pytest.approx(2 ** (1 / 1.5))
    assert gap_ratio([1.0, 4.0], 0.0) == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("coupling", [0.3, 0.6, 1.0])
@pytest.mark.equation("LK", 18)
def test_eq_18_misses_eq_17_by_its_third_order(coupling):
    # x = h + arsinh(λx/2) with arsinh y = y - y³/6 + 3y⁵/40: Eq. 18 keeps y, so that its x is too
    # large by λ³x³/48 over 1 - λ/2.
    for size in (0.1, 0.03):
        ratio = np.exp(size)
        x, closed = np.log(gap_ratio_exact(ratio, coupling)), np.log(gap_ratio(ratio, coupling))
        third = coupling**3 * x**3 / (48 * (1 - coupling / 2))
        assert (closed - x) / third == pytest.approx(1, abs=size**2)


def test_small_couplings_give_the_square_root():
    ratio = np.array([0.3, 1.0, 2.5])
    for function in (gap_ratio, gap_ratio_exact):
        assert function(ratio, 0.0) == pytest.approx(np.sqrt(ratio), rel=1e-14)
        # The next term: a relative λ/4 ln(N_β/N_α).
        drift = function(ratio, 1e-5) / np.sqrt(ratio) - 1
        assert drift == pytest.approx(1e-5 / 4 * np.log(ratio), rel=1e-4, abs=1e-14)


def test_exchange_of_the_bands_inverts_the_ratio():
    ratio, coupling = np.geomspace(0.1, 10, 9), np.linspace(0, 1.9, 9)
    for function in (gap_ratio, gap_ratio_exact):
        assert function(ratio, coupling) * function(1 / ratio, coupling) == pytest.approx(1.0)
    alpha, beta = gap_amplitudes(3.0, 0.5)
    assert gap_amplitudes(1 / 3.0, 0.5) == pytest.approx((beta, alpha), rel=1e-13)


@pytest.mark.parametrize("temperature", [1e-6, 1e-4, 0.003, 0.05, 1.0])
@pytest.mark.parametrize("gap", [0.0, 1e-8, 1e-5, 1e-3, 0.04, 0.3, 5.0])
def test_pair_logarithm_against_adaptive_quadrature(gap, temperature):
    def integrand(log_xi):
        xi = np.exp(log_xi)
        energy = np.hypot(xi, gap)
        return xi * np.tanh(energy / (2 * temperature)) / energy

    marks = sorted({np.log(x) for x in (gap or 1e-9, temperature) if 1e-20 < x < CUTOFF})
    edges = [np.log(1e-16), *marks, np.log(CUTOFF)]
    total = sum(
        quad(integrand, low, high, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
        for low, high in pairwise(edges)
    )
    found = pair_logarithm([gap, -gap], temperature=temperature, cutoff=CUTOFF)
    assert found[0] == pytest.approx(total, rel=1e-11) and found[0] == found[1]


def test_pair_logarithm_at_zero_temperature():
    for gap in (1e-5, 0.02, 1.0):
        expected = quad(lambda xi, d=gap: 1 / np.hypot(xi, d), 0, CUTOFF, points=[gap], limit=200)
        found = pair_logarithm(gap, temperature=0.0, cutoff=CUTOFF)
        assert found == pytest.approx(expected[0], rel=1e-10)
        assert pair_logarithm(gap, temperature=gap * 1e-3, cutoff=CUTOFF) == pytest.approx(
            found, rel=1e-9
        )
    # The logarithm that LK put for it above Eq. 16 is its small-gap limit.
    small, none = pair_logarithm([1e-4, 0.0], temperature=0.0, cutoff=CUTOFF)
    assert small == pytest.approx(np.log(0.6 / 1e-4), rel=1e-7) and none == np.inf


def test_pair_logarithm_has_the_constant_of_weak_coupling():
    for temperature in (1e-3, 1e-6, 1e-40):
        expected = np.log(2 * np.exp(np.euler_gamma) / np.pi * CUTOFF / temperature)
        assert pair_logarithm(0.0, temperature=temperature, cutoff=CUTOFF) == pytest.approx(
            expected, rel=1e-12
        )


@pytest.mark.parametrize("kappa", [0.0, 0.4, 0.75])
@pytest.mark.equation("LK", 16)
def test_factorized_gap_is_eq_16(kappa):
    alpha, beta = sea(MU).sheets
    densities = [s.weights.sum() for s in (alpha, beta)]
    weighted = [(s.weights * eta_squared(s.points)).sum() for s in (alpha, beta)]
    dos_ratio = densities[1] / densities[0]
    mean, half = 2 * CUTOFF * np.exp(-1 / 0.5), dos_ratio ** (0.5 / (2 - 0.5))
    sizes = {"eq-18": (mean * half, mean / half), "eq-17": roots_of_eq_17(dos_ratio, 0.5, CUTOFF)}
    for ratio, (size_alpha, size_beta) in sizes.items():
        gap = factorized_gap(sea(MU), coupling=0.5, kappa=kappa, ratio=ratio)
        grown_alpha = 1 + weighted[1] / densities[1] * kappa**2 * eta_squared(alpha.points)
        grown_beta = 1 + weighted[0] / densities[0] * kappa**2 * eta_squared(beta.points)
        assert gap.values[0] == pytest.approx(size_alpha * grown_alpha, rel=1e-10)
        assert gap.values[1] == pytest.approx(-size_beta * grown_beta, rel=1e-10)
        assert gap.channel == "singlet A1" and gap.kind == "s±" and gap.signs() == [1, -1]


class DenseEquation:
    """LK Eq. 14 at all points of all sheets, with the matrix element of Eq. 13 as printed."""

    def __init__(self, sheets, coupling, kappa, cutoff, temperature=0.0):
        self.sheets, self.cutoff, self.temperature = sheets, cutoff, temperature
        self.band = np.concatenate([np.full(len(s.weights), s.band) for s in sheets])
        points = np.concatenate([s.points for s in sheets])
        self.weights = np.concatenate([s.weights for s in sheets])
        eta = np.cos(points[:, 0]) - np.cos(points[:, 1])
        product = np.multiply.outer(eta, eta)
        # Unequal κ_a and κ_b of the given geometric mean: their sum must drop out.
        self.kernel = (1 - 2 * kappa * product) * (1 - kappa / 2 * product)
        self.kernel *= self.band[:, None] != self.band
        densities = [self.weights[self.band == b].sum() for b in (0, 1)]
        self.kernel *= coupling / np.sqrt(densities[0] * densities[1])

    def right_side(self, values):
        logarithm = pair_logarithm(values, temperature=self.temperature, cutoff=self.cutoff)
        return -self.kernel @ (self.weights * values * logarithm)

    def iterated(self, steps=150):
        values = np.where(self.band == 0, 0.05, -0.03)
        for _ in range(steps):
            values = self.right_side(values)
        return values


@pytest.mark.parametrize(
    ("coupling", "kappa"), [(0.3, 0.75), (0.5, 0.0), (0.5, 0.75), (0.9, 1.5), (0.3, 6.0)]
)
@pytest.mark.parametrize(("mu", "even"), [(MU, 1), (MANY_POCKETS, 3), (0.2, 1)])
@pytest.mark.equation("LK", 13, 14, 15)
def test_triplon_gap_against_iteration_with_the_dense_kernel(mu, even, coupling, kappa):
    assert [s.parity for s in sea(mu).sheets].count(1) == even
    gap = solved(mu, coupling=coupling, kappa=kappa, cutoff=CUTOFF)
    dense = DenseEquation(sea(mu).sheets, coupling, kappa, CUTOFF)
    assert np.concatenate(gap.values) == pytest.approx(dense.iterated(), rel=1e-9)


@pytest.mark.parametrize("coupling", [0.1, 0.5, 1.5])
def test_without_kappa_the_gaps_are_constant_and_solve_two_scalar_equations(coupling):
    alpha, beta = (s.density_of_states for s in sea(MU).sheets)
    v = coupling / np.sqrt(alpha * beta)

    def equations(logs):
        a, b = np.exp(logs)
        return [
            np.log(v * beta * b / a * np.arcsinh(CUTOFF / b)),
            np.log(v * alpha * a / b * np.arcsinh(CUTOFF / a)),
        ]

    guess = np.log(CUTOFF / np.sinh(1 / coupling))
    sizes = np.exp(root(equations, [guess, guess], tol=1e-13).x)
    gap = solved(coupling=coupling, kappa=0.0, cutoff=CUTOFF)
    assert gap.anisotropy() == pytest.approx([0.0, 0.0], abs=1e-15)
    assert gap.values[0] == pytest.approx(sizes[0], rel=1e-11)
    assert gap.values[1] == pytest.approx(-sizes[1], rel=1e-11)


@pytest.mark.parametrize("temperature", [0.0, 0.02])
@pytest.mark.equation("LK", 15)
def test_pair_sum_on_an_energy_grid(temperature):
    kappa, coupling = 0.75, 0.5
    gap = solved(coupling=coupling, kappa=kappa, cutoff=CUTOFF, temperature=temperature)
    alpha, beta = sea(MU).sheets
    v = coupling / np.sqrt(alpha.density_of_states * beta.density_of_states)
    energies = CUTOFF * (2 * (np.arange(3000) + 0.5) / 3000 - 1)
    for here, there, own, other in ((0, 1, alpha, beta), (1, 0, beta, alpha)):
        delta = np.abs(gap.values[there])[:, None]
        epsilon = np.hypot(energies, delta)
        thermal = np.tanh(epsilon / (2 * temperature)) if temperature else 1.0
        step = 2 * CUTOFF / len(energies)
        pairs = other.weights * (delta / (2 * epsilon) * thermal).sum(axis=-1) * step
        kernel = 1 + kappa**2 * np.multiply.outer(
            eta_squared(own.points), eta_squared(other.points)
        )
        assert v * kernel @ pairs == pytest.approx(np.abs(gap.values[here]), rel=1e-6)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999, 1 - 1e-6])
@pytest.mark.parametrize(("coupling", "kappa"), [(0.3, 0.0), (0.5, 0.75), (1.2, 1.5)])
@pytest.mark.equation("LK", 14)
def test_gap_equation_is_solved_at_finite_temperature(share, coupling, kappa):
    temperature = share * critical(coupling=coupling, kappa=kappa, cutoff=CUTOFF)
    gap = solved(coupling=coupling, kappa=kappa, cutoff=CUTOFF, temperature=temperature)
    dense = DenseEquation(sea(MU).sheets, coupling, kappa, CUTOFF, temperature)
    values = np.concatenate(gap.values)
    assert np.abs(values).min() > 0 and gap.signs() == [1, -1]
    assert dense.right_side(values) == pytest.approx(values, rel=1e-8)


def test_gap_vanishes_like_a_square_root_at_the_critical_temperature():
    parameters = {"coupling": 0.5, "kappa": 0.75, "cutoff": CUTOFF}
    critical_temperature = critical(**parameters)

    def size(distance):
        gap = solved(**parameters, temperature=critical_temperature * (1 - distance))
        return gap.values[0][0]

    assert size(4e-5) / size(1e-5) == pytest.approx(2, rel=1e-4)
    assert size(1e-9) < 1e-3 * size(0.5)
    for above in (critical_temperature, 2 * critical_temperature):
        assert all((v == 0).all() for v in solved(**parameters, temperature=above).values)
    # Continuous at the other end, where thermal pairs are broken only exponentially rarely.
    cold = solved(**parameters, temperature=critical_temperature / 40)
    for values, at_zero in zip(cold.values, solved(**parameters).values, strict=True):
        assert values == pytest.approx(at_zero, rel=1e-10)
    falling = [size(d) for d in (0.9, 0.6, 0.3, 0.1, 0.01)]
    assert (np.diff(falling) < 0).all()


def test_equal_bands_in_weak_coupling_are_bcs():
    model = conduction_bands(epsilon_alpha=0.25, epsilon_beta=0.25)
    parameters = {"coupling": 0.08, "cutoff": CUTOFF}
    temperature = triplon_critical_temperature(model, MU, **parameters)
    gap = np.abs(triplon_gap(model, MU, **parameters).values)
    assert gap == pytest.approx(CUTOFF / np.sinh(1 / 0.08), rel=1e-9)
    euler = np.exp(np.euler_gamma)
    assert temperature == pytest.approx(2 * euler / np.pi * CUTOFF * np.exp(-1 / 0.08), rel=1e-9)
    assert 2 * gap[0][0] / temperature == pytest.approx(2 * np.pi / euler, rel=1e-9)
    # Δ = π T_c √(8/7ζ(3)) √(1 - T/T_c) close to T_c.
    near = triplon_gap(model, MU, temperature=temperature * (1 - 1e-5), **parameters)
    slope = np.pi * np.sqrt(8 / (7 * 1.2020569031595942))
    assert near.values[0][0] / temperature == pytest.approx(slope * np.sqrt(1e-5), rel=1e-4)


def test_critical_temperature_is_where_the_dense_linear_equation_has_a_solution():
    for mu, coupling, kappa in ((MU, 0.5, 0.75), (MANY_POCKETS, 0.3, 1.0), (MU, 1.9, 2.0)):
        temperature = critical(mu, coupling=coupling, kappa=kappa, cutoff=CUTOFF)
        dense = DenseEquation(sea(mu).sheets, coupling, kappa, CUTOFF)
        logarithm = pair_logarithm(0.0, temperature=temperature, cutoff=CUTOFF)
        root_weights = np.sqrt(dense.weights)
        symmetric = root_weights[:, None] * dense.kernel * root_weights * logarithm
        # Not always the largest eigenvalue: for unequal κ_a and κ_b a gap ∝ η can come first.
        assert np.abs(np.linalg.eigvalsh(symmetric) - 1).min() < 1e-11


def test_exchange_of_the_two_bands_exchanges_their_gaps():
    swapped = conduction_bands(epsilon_alpha=0.1, epsilon_beta=0.4)
    for temperature in (0.0, 0.03):
        parameters = {"coupling": 0.5, "kappa": 0.75, "temperature": temperature}
        gap, other = solved(**parameters), triplon_gap(swapped, MU, **parameters)
        for mine, theirs in ((0, 1), (1, 0)):
            assert other.values[theirs] == pytest.approx(-gap.values[mine], rel=1e-9)
    parameters = {"coupling": 0.5, "kappa": 0.75}
    assert triplon_critical_temperature(swapped, MU, **parameters) == pytest.approx(
        critical(**parameters), rel=1e-10
    )


def test_gaps_scale_with_the_cutoff():
    small, large = (solved(coupling=0.5, kappa=0.75, cutoff=c) for c in (0.1, 0.3))
    assert large.values[1] == pytest.approx(3 * small.values[1], rel=1e-10)


SOUND = {"coupling": 0.5, "kappa": 0.75, "cutoff": 0.3}
DOORS = (triplon_gap, triplon_critical_temperature, triplon_mean_field, factorized_gap)


@pytest.mark.parametrize("function", DOORS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coupling": 0.0}, r"coupling = 0\.0.*coupling > 0 and coupling < 2"),
        ({"coupling": 2.0}, r"coupling = 2\.0.*coupling < 2"),
        ({"coupling": np.nan}, "coupling = nan"),
        ({"kappa": -0.1}, r"kappa = -0\.1.*kappa >= 0"),
        ({"kappa": (1.0, -1.0)}, r"kappa = -1\.0"),
        ({"kappa": 6.1}, r"kappa = 6\.1.*kappa <= 6"),
        ({"kappa": (1.0, 2.0, 3.0)}, "one number or a pair"),
        ({"cutoff": 0.0}, r"cutoff = 0\.0 eV.*cutoff > 0"),
        ({"cutoff": np.inf}, "cutoff = inf"),
        ({"mu": 5.0}, r"mu = 5\.0 eV crosses no band"),
        ({"mu": np.nan}, "mu = nan"),
    ],
)
def test_impossible_parameters_are_named(function, change, message):
    with pytest.raises(ValueError, match=message):
        function(conduction_bands(), **{"mu": MU} | SOUND | change)


def test_sheets_of_another_level_cannot_be_given():
    for function in DOORS:
        with pytest.raises(TypeError, match="sheets"):
            function(four_band(), np.nan, sheets=sea(MU).sheets, **SOUND)
        with pytest.raises(TypeError, match=r"FermiSea alone, or a BlochModel"):
            function(sea(MU), MU, **SOUND)


@pytest.mark.parametrize("pair", [(1.5, 0.375), [0.375, 1.5]])
def test_s_wave_sees_the_product_of_both_kappas(pair):
    for function in (triplon_gap, factorized_gap):
        ours, expected = (function(sea(MU), coupling=0.5, kappa=k) for k in (pair, 0.75))
        assert ours.values[1] == pytest.approx(expected.values[1], rel=1e-12)
    expected = critical(coupling=0.5, kappa=0.75)
    assert critical(coupling=0.5, kappa=pair) == pytest.approx(expected, rel=1e-12)


def test_other_impossible_input_is_named():
    with pytest.raises(ValueError, match=r"temperature = -0\.01 eV.*temperature >= 0"):
        solved(**SOUND, temperature=-0.01)
    with pytest.raises(TypeError, match="temperature = 'cold'"):
        solved(**SOUND, temperature="cold")
    with pytest.raises(ValueError, match=r"method = 'line'.*fermi-line.*mesh"):
        solved(**SOUND, method="line")
    with pytest.raises(ValueError, match=r"ratio = 'eq-19'.*eq-18.*eq-17"):
        factorized_gap(sea(MU), **SOUND, ratio="eq-19")
    with pytest.raises(ValueError, match=r"coupling = 0\.001 gives .* coupling >= 0\.0017"):
        solved(coupling=0.001)


@pytest.mark.parametrize("function", DOORS)
@pytest.mark.parametrize(("mirror", "word"), [(None, "odd"), (1, "odd"), (-1, "even")])
def test_models_without_both_parities_are_refused(function, mirror, word):
    bands, matrix = conduction_bands(), None if mirror is None else mirror * np.eye(2)
    model = BlochModel("m", bands.orbitals, bands.translations, bands.hoppings, matrix)
    with pytest.raises(ValueError, match=rf"no Fermi line of 'm' .* is {word} under the bilayer"):
        function(model, MU, **SOUND)


@pytest.mark.parametrize("function", [gap_ratio, gap_ratio_exact, gap_amplitudes])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.5), r"dos_ratio = 0\.0; allowed: finite numbers > 0"),
        ((-1.0, 0.5), "dos_ratio"),
        (([1.0, np.nan], 0.5), "dos_ratio"),
        ((np.inf, 0.5), "dos_ratio"),
        ((1.5, 2.0), r"coupling = 2\.0; allowed: 0 <= coupling < 2"),
        ((1.5, -0.1), "coupling"),
        ((1.5, np.nan), "coupling = nan"),
    ],
)
def test_ratios_out_of_range_are_named(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_amplitudes_need_a_coupling_and_a_cutoff():
    with pytest.raises(ValueError, match="coupling = 0 gives no gap"):
        gap_amplitudes(1.5, 0.0)
    with pytest.raises(ValueError, match=r"cutoff = -1\.0 eV"):
        gap_amplitudes(1.5, 0.5, -1.0)
