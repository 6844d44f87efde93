"""Eliashberg theory against published numbers, brute-force sums, second order and the static limit.

Published, for one band and an Einstein spectrum: T_c/ω = 0.1827262477 √λ at large λ (Kiessling,
Altshuler and Yuzbashyan, arXiv:2409.02121) and 1.134 exp(-1/2 - (1 + λ)/λ) at small λ (Marsiglio,
arXiv:1807.04907).
"""

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.optimize import brentq

from nickbook.bands import FermiSea, conduction_bands, eta_k
from nickbook.dimers import SINGLET, annihilators, interaction_hamiltonian, kondo_couplings
from nickbook.dimers.fock import sector
from nickbook.pairing import (
    channel_strengths,
    coulomb_matrix,
    crossing_ratio,
    pseudopotential,
    retarded_pairing,
    triplon_critical_temperature,
    triplon_gap,
    triplon_mean_field,
)
from nickbook.pairing.triplon import eliashberg

SEA = FermiSea(conduction_bands(), -0.65)
KAPPA = (1.27, 0.443)
#: Two bands that are one: the s± state without Kondo terms is that of one band.
ONE_BAND = FermiSea(conduction_bands(epsilon_alpha=0.25, epsilon_beta=0.25), -0.65)


def one_band(coupling):
    """Critical temperature of one band in units of the boson's energy."""
    return retarded_pairing(ONE_BAND, coupling=coupling, J_c=1.0).critical_temperature()


def written_out(coupling, count=400):
    """The same from the gap Δ on frequencies of both signs, where λ is an inverse eigenvalue."""
    index = 2 * np.arange(-count, count) + 1

    def excess(log_t):
        boson = 1 / (1 + (np.pi * np.exp(log_t) * np.subtract.outer(index, index)) ** 2)
        own = np.diag(boson @ np.sign(index) * np.sign(index))
        scale = np.sqrt(np.abs(index))
        largest = np.linalg.eigvalsh((boson - own) / np.multiply.outer(scale, scale))[-1]
        return coupling * largest - 1

    return np.exp(brentq(excess, np.log(0.05), np.log(2.0)))


def test_one_band_at_strong_coupling_has_the_published_constant():
    assert one_band(1e5) / np.sqrt(1e5) == pytest.approx(0.1827262477, rel=2e-5)


def test_one_band_at_weak_coupling_has_the_published_constant():
    theory = retarded_pairing(ONE_BAND, coupling=0.3, J_c=1.0)
    temperatures = np.array([0.0018, 0.005, 0.01])
    couplings = [theory.critical_coupling(temperature=t) for t in temperatures]
    prefactors = temperatures * np.exp(1 + 1 / np.array(couplings))
    limit = np.polyval(np.polyfit(couplings, prefactors, 2), 0.0)
    assert limit == pytest.approx(2 * np.exp(np.euler_gamma - 0.5) / np.pi, rel=4e-3)


@pytest.mark.parametrize("coupling", [0.7, 1.0, 3.0])
def test_one_band_against_the_equation_for_the_gap(coupling):
    assert one_band(coupling) == pytest.approx(written_out(coupling), rel=2e-4)


class WrittenOut:
    """The equations at all points of the lines, all frequencies and energies, nothing separated."""

    def __init__(self, theory, solution):
        self.theory = theory
        positive = solution.frequencies
        self.omega = np.concatenate([-positive[::-1], positive])
        self.sides = []
        for parity in (-1, 1):
            sheets = [s for s in theory.sea.sheets if s.parity == parity]
            eta = np.concatenate([eta_k(s.points) for s in sheets])
            weights = np.concatenate([s.weights for s in sheets])
            mass, gap = (
                np.concatenate([f(parity, eta)[:, ::-1], f(parity, eta)], axis=1)
                for f in (solution.mass, solution.gap)
            )
            self.sides.append((eta, weights, mass * self.omega, mass * gap))
        nu = np.subtract.outer(self.omega, self.omega)
        self.boson = theory.J_c**2 / (theory.J_c**2 + nu**2)
        self.temperature = positive[0] / np.pi

    def energy_integrals(self, side):
        """Integrals of ω̃/(ξ² + ω̃² + φ²) and φ/(...) over |ξ| < shell."""
        _, _, omega, phi = side
        nodes, shares = np.polynomial.legendre.leggauss(200)
        xi, step = self.theory.shell * nodes, self.theory.shell * shares
        inverse = (step / (xi**2 + (omega**2 + phi**2)[..., None])).sum(axis=-1)
        return omega * inverse, phi * inverse

    def images(self, number):
        """ω̃ and φ of one side from those of both."""
        (eta, *_), other = self.sides[number], self.sides[1 - number]
        f_a, f_b = (1 - k * np.multiply.outer(eta, other[0]) for k in self.theory.kappa)
        v = self.theory.strength * self.temperature
        normal, pairs = self.energy_integrals(other)
        own = v * ((f_a**2 + f_b**2) / 2 * other[1]) @ normal @ self.boson
        exchanged = -v * (f_a * f_b * other[1]) @ pairs @ self.boson
        repulsion = [
            self.theory.coulomb[number, n] * (side[1] @ self.energy_integrals(side)[1]).sum()
            for n, side in enumerate(self.sides)
        ]
        return self.omega + own, exchanged - self.temperature * sum(repulsion)


@pytest.mark.parametrize(("channel", "repulsion"), [("s±", 0.0), ("s±", 0.3), ("d", 0.3)])
@pytest.mark.equation("LK", 11, 13)
def test_solution_against_sums_written_out(channel, repulsion):
    theory = retarded_pairing(  # noqa: S604
        SEA,
        coupling=0.8,
        kappa=KAPPA,
        J_c=0.1,
        shell=0.2,
        coulomb=coulomb_matrix(repulsion, interlayer=0.1),
    )
    # Half the critical temperature or less, such that the cutoff lies between two frequencies.
    count = np.ceil(theory.coulomb_cutoff / (np.pi * theory.critical_temperature(channel)))
    temperature = theory.coulomb_cutoff / (2 * np.pi * count)
    solution = theory.gap(channel, temperature=temperature)
    written = WrittenOut(theory, solution)
    for number, (_, _, omega, phi) in enumerate(written.sides):
        images = written.images(number)
        assert np.abs(phi).max() > 0.5 * temperature
        np.testing.assert_allclose(images[0], omega, atol=1e-7 * np.abs(omega).max())
        np.testing.assert_allclose(images[1], phi, atol=2e-7 * np.abs(phi).max())


def test_mass_is_that_of_second_order_on_the_real_axis():
    """An α electron emits with one vertex into empty states and absorbs with the other from filled.

    Its energy shifts by -g²/(J_c + ε - ω) for each empty β level at ε > 0, and by
    +g'²/(J_c - ε + ω) for each filled one; minus the slope in ω, summed over levels, is Z - 1.
    """
    eta, (a, b) = 0.7, KAPPA
    theory = retarded_pairing(SEA, coupling=0.5, kappa=KAPPA, J_c=0.3)
    hund = np.sqrt(2 * 0.3 * theory.strength / 3)
    beta = SEA.sheets[1]
    expected = 1.0
    for form, weight in zip(eta_k(beta.points), beta.weights, strict=True):
        f_a, f_b = 1 - a * eta * form, 1 - b * eta * form
        g2 = squared_matrix_element(hund, f_a, f_b)
        # An integral over ε of weight/(J_c + |ε|)² on either side of the level.
        expected += weight * sum(g2) / 0.3
    assert theory.mass(-1, eta) == pytest.approx(expected, rel=1e-9)
    cold = theory.gap("d", temperature=0.9 * theory.critical_temperature())
    assert cold.mass(-1, eta)[0] == pytest.approx(expected, rel=1e-9)  # no d gap up there
    assert retarded_pairing(SEA, coupling=0.5, renormalize=False).mass(1, 1.3) == 1.0


@cache
def images_of_pairs():
    """What the terms of LK Eq. 11 with f^a and with f^b make of a pair in α and of one in β."""
    vacuum = np.eye(1, 2**8)[0]
    modes = annihilators(8)  # α +k, α -k, β +k, β -k, each up and down
    pairs = [(modes[n].T @ (modes[n + 3].T @ vacuum))[sector(8, 2)] for n in (0, 4)]
    states = np.array([np.kron(SINGLET, pair) for pair in pairs]).T
    return [
        interaction_hamiltonian(1.0, lambda *_, a=a: a, lambda *_, a=a: 1 - a) @ states
        for a in (1.0, 0.0)
    ]


def squared_matrix_element(hund, f_a, f_b):
    """Strengths with which an α electron turns into one β state, and a β electron into one α state.

    Of two electrons at +k and -k each has two momenta to go to, on a dimer singlet.
    """
    with_a, with_b = images_of_pairs()
    return hund**2 * np.linalg.norm(f_a * with_a + f_b * with_b, axis=0) ** 2 / 4


def test_quick_triplons_give_the_static_theory():
    """J_c → ∞ within a shell: the first two powers of shell/J_c are extrapolated away."""
    coupling, kappa, shell = 0.9, 0.75, 0.3
    static = triplon_critical_temperature(SEA, coupling=coupling, kappa=kappa, cutoff=shell)
    found = {}
    for J_c in (6.0, 12.0, 24.0):
        theory = retarded_pairing(SEA, coupling=coupling, kappa=kappa, J_c=J_c, shell=shell)
        gap = theory.gap(temperature=0.5 * static).gap_function()
        found[J_c] = theory.critical_temperature(), gap.ratio(), gap.values[0].max()
    slow, middle, fast = np.array(list(found.values()))
    limit = (8 * fast - 6 * middle + slow) / 3
    gap = triplon_gap(SEA, coupling=coupling, kappa=kappa, cutoff=shell, temperature=0.5 * static)
    np.testing.assert_allclose(limit, [static, gap.ratio(), gap.values[0].max()], rtol=5e-3)
    assert fast[0] < 0.96 * static


def test_d_channel_of_quick_triplons_gives_the_static_strengths():
    kappa = (0.75 * 3**0.5, 0.75 / 3**0.5)
    theory = retarded_pairing(SEA, coupling=0.9, kappa=kappa, renormalize=False)
    t = 0.02
    ratio = theory.critical_coupling("s±", temperature=t) / theory.critical_coupling(
        "d", temperature=t
    )
    strengths = channel_strengths(SEA, kappa=kappa)
    assert ratio == pytest.approx(strengths["d"] / strengths["s±"], rel=1e-6)


def test_more_frequencies_change_nothing(monkeypatch):
    def numbers():
        theory = retarded_pairing(SEA, coupling=0.5, kappa=KAPPA)
        gap = theory.gap(temperature=0.005).gap_function().values
        return theory.critical_temperature(), theory.critical_temperature("d"), *map(np.max, gap)

    usual = numbers()
    monkeypatch.setattr(eliashberg, "_REACH", 30.0)
    np.testing.assert_allclose(usual, numbers(), rtol=1e-4)


def test_retardation_lowers_the_temperature_and_levels_the_gap():
    options = {"coupling": 0.5, "kappa": KAPPA}
    full, light = (retarded_pairing(SEA, renormalize=r, **options) for r in (True, False))
    static = triplon_critical_temperature(SEA, cutoff=0.288, **options)
    assert full.critical_temperature() < 0.3 * light.critical_temperature() < 0.3 * static
    spreads = [t.gap(temperature=0.002).gap_function().anisotropy()[0] for t in (full, light)]
    assert spreads[0] < 0.35 * spreads[1]


def test_pairing_closes_at_the_critical_temperature():
    theory = retarded_pairing(SEA, coupling=0.5, kappa=KAPPA)
    for channel in ("s±", "d"):
        t_c = theory.critical_temperature(channel)
        sizes = [
            np.abs(theory.gap(channel, temperature=t_c * (1 - x)).pairing).max()
            for x in (1e-3, 4e-3)
        ]
        assert sizes[1] / sizes[0] == pytest.approx(2.0, rel=0.02)
        assert not theory.gap(channel, temperature=1.001 * t_c).pairing.any()
        assert theory.critical_coupling(channel, temperature=t_c) == pytest.approx(0.5, rel=1e-6)


def test_repulsion_of_a_bilayer_in_its_bands():
    """U n↑n↓ on either site and U' n n between them, between singlet pairs of one band."""
    u, other = 1.3, 0.4
    c = annihilators(4)  # α up, α down, β up, β down
    sites = [[(c[2 + s] + sign * c[s]) / np.sqrt(2) for s in (0, 1)] for sign in (1, -1)]
    numbers = [[x.T @ x for x in site] for site in sites]
    energy = u * sum(up @ down for up, down in numbers)
    energy = energy + other * sum(
        numbers[0][i] @ numbers[1][j] for i, j in product((0, 1), repeat=2)
    )
    vacuum = np.eye(1, 16)[0]
    pairs = np.array([c[n].T @ (c[n + 1].T @ vacuum) for n in (0, 2)])
    np.testing.assert_allclose(
        pairs @ (energy @ pairs.T), coulomb_matrix(u, interlayer=other), atol=1e-14
    )


def test_repulsion_acts_on_s_waves_only_and_changes_their_ratio():
    plain = retarded_pairing(SEA, coupling=0.5, kappa=KAPPA)
    site = retarded_pairing(SEA, coupling=0.5, kappa=KAPPA, coulomb=coulomb_matrix(2.0))
    layers = retarded_pairing(
        SEA, coupling=0.5, kappa=KAPPA, coulomb=coulomb_matrix(2.0, interlayer=0.2)
    )
    assert site.critical_temperature("d") == plain.critical_temperature("d")
    t = 80 * 8.617e-5
    costs = [x.critical_coupling(temperature=t) for x in (plain, site, layers)]
    assert 1.05 * costs[0] < costs[1] < 1.12 * costs[0]
    assert costs[2] > 1.2 * costs[1]  # the pairs sit on two sites
    ratios = [x.gap(temperature=0.002).gap_function().ratio() for x in (plain, site)]
    assert ratios[1] > 1.3 * ratios[0]


def test_renormalized_repulsion_at_a_lower_cutoff_is_the_same_repulsion():
    bare = coulomb_matrix(2.0, interlayer=0.3)
    high = retarded_pairing(SEA, coupling=0.5, coulomb=bare, J_c=0.288)
    options = {"coupling": 0.5, "J_c": 0.288, "coulomb_cutoff": 1.92}
    star = pseudopotential(bare, high.densities, np.log(1.5))
    low, wrong = (
        retarded_pairing(SEA, coulomb=u, **options).critical_coupling(temperature=0.003)
        for u in (star, bare)
    )
    full = high.critical_coupling(temperature=0.003)
    assert low == pytest.approx(full, rel=4e-3)  # triplons still pair at 6.7 J_c, by 1/45
    assert abs(wrong / full - 1) > 5 * abs(low / full - 1)
    np.testing.assert_allclose(
        pseudopotential(0.4 * np.eye(2), (1, 2), 2), np.diag([0.4 / 1.8, 0.4 / 2.6])
    )


@pytest.mark.equation("LK", 14)
def test_channels_cross_at_the_ratio():
    kappa, temperature = 0.75, 0.02
    retarded = retarded_pairing(SEA, coupling=0.4)
    static = triplon_mean_field(SEA, coupling=0.4, cutoff=0.3, mesh=200)
    found = []
    for theory in (retarded, static):
        r = crossing_ratio(theory, kappa, temperature=temperature)
        at = theory.with_interaction(kappa=(kappa * r**0.5, kappa / r**0.5))
        at = at.with_interaction(coupling=at.critical_coupling(temperature=temperature))
        for channel in ("s±", "d"):
            assert at.critical_temperature(channel) == pytest.approx(temperature, rel=1e-5)
        found.append(r)
    assert found[0] > 1.05 * found[1]  # retardation favours s±
    flat = retarded_pairing(SEA, coupling=0.4, renormalize=False)
    strengths = {}
    r = crossing_ratio(flat, kappa, temperature=temperature)
    strengths = channel_strengths(SEA, kappa=(kappa * r**0.5, kappa / r**0.5))
    assert strengths["d"] == pytest.approx(strengths["s±"], rel=1e-6)
    assert np.isnan(crossing_ratio(retarded, 5.9, temperature=temperature))


def test_ratio_of_the_dimer_lies_between_what_the_theories_say():
    """κ_a/κ_b = 3.93 at 80 K: d without retardation, s± with it, d once electrons repel."""
    sea, temperature = FermiSea.at(conduction_bands(), filling=0.9), 80 * 8.617333e-5
    coupling = kondo_couplings(t_xz=0.24, E_a=0.525, variant="hubbard")
    ratio = coupling.a / coupling.b
    static = triplon_mean_field(sea, coupling=0.5, cutoff=0.288, mesh=500)
    retarded = retarded_pairing(sea, coupling=0.5, J_c=0.288)
    mean = float(np.sqrt(retarded.densities.prod()))
    repelled = retarded_pairing(sea, coupling=0.5, J_c=0.288, coulomb=0.1 / mean)
    found = [crossing_ratio(t, 0.75, temperature=temperature) for t in (static, retarded, repelled)]
    assert found[0] < ratio < found[1] and found[2] < ratio


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="coupling"):
        retarded_pairing(SEA, coupling=0.0)
    with pytest.raises(ValueError, match="coulomb_cutoff = 9"):
        retarded_pairing(SEA, coupling=0.5, coulomb_cutoff=9.0)
    with pytest.raises(ValueError, match="symmetric"):
        retarded_pairing(SEA, coupling=0.5, coulomb=[[1, 2], [3, 4]])
    with pytest.raises(TypeError, match="renormalize"):
        retarded_pairing(SEA, coupling=0.5, renormalize=1)
    theory = retarded_pairing(SEA, coupling=0.01)
    with pytest.raises(ValueError, match="frequencies; allowed: temperature >="):
        theory.gap(temperature=1e-6)
    with pytest.raises(ValueError, match="channel"):
        theory.eigenvalue("p", temperature=0.01)
    with pytest.raises(ValueError, match="parity = 0"):
        theory.mass(0, 0.0)
    assert theory.critical_temperature() == 0.0
    assert retarded_pairing(SEA, coupling=0.5).critical_coupling("d", temperature=0.01) == np.inf
