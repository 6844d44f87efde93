"""Abrikosov and Gor'kov's theory, Anderson's theorem, and equations of one band written out."""

import numpy as np
import pytest
from circles import circle, constant, d_wave, twins
from scipy.optimize import brentq
from scipy.special import digamma

from nickbook.bands import FermiSea, conduction_bands, eta_k, four_band, three_band
from nickbook.observables import impurity_scattering, tunnelling

TWO = FermiSea(conduction_bands(), -0.65)
INFINITE = float("inf")


def opposite(k):
    return [[1.0, -1.0]] * len(k)


def abrikosov_gorkov(rate, clean=1.0):
    """Root of ln(T_c0/T_c) = ψ(1/2 + rate/2πT_c) − ψ(1/2)."""

    def excess(t):
        return np.log(clean / t) + digamma(0.5) - digamma(0.5 + rate / (2 * np.pi * t))

    return brentq(excess, 1e-6 * clean, clean)


def test_one_sign_is_anderson_s_theorem():
    for layers, born, strength in (("one", True, 0.3), ("both", False, 2.0), ("one", False, 5.0)):
        found = impurity_scattering(TWO, gap=constant, strength=strength, layers=layers, born=born)
        assert found.critical_temperature(0.5, clean=1.0) == pytest.approx(1.0, abs=1e-9)
        assert found.critical_concentration(clean=1.0) == INFINITE
        energies = np.array([0.5, 1.5])
        clean = tunnelling(TWO, gap=constant, broadening=1e-2, energies=energies)
        # The width is renormalized with the energy: take it small.
        dirty = found.spectrum(0.2, energies=energies, broadening=1e-4)
        assert dirty.ratio[1] == pytest.approx(clean.ratio[1], rel=1e-3)
        assert dirty.ratio[0] < 1e-3


def test_d_wave_is_broken_by_the_whole_rate():
    """Slope −π/4 and critical rate π T_c0/2e^γ = 0.882 T_c0 (Abrikosov and Gor'kov 1961)."""
    sea, strength = circle(), 2.0
    found = impurity_scattering(sea, gap=d_wave, strength=strength, layers="both", born=True)
    density = sea.sheets[0].density_of_states
    assert found.rate == pytest.approx(np.pi * density * strength**2, rel=1e-9)
    assert found.pair_breaking == pytest.approx(found.rate, rel=1e-6)
    numbers = np.array([0.1, 0.3, 0.5]) / found.rate
    expected = [abrikosov_gorkov(c * found.rate) for c in numbers]
    assert found.critical_temperature(numbers, clean=1.0) == pytest.approx(expected, rel=1e-5)
    last = found.critical_concentration(clean=1.0)
    assert last * found.rate == pytest.approx(0.8819, abs=1e-4)
    assert found.critical_temperature(1.01 * last, clean=1.0) == 0
    few = 1e-3 / found.rate
    slope = (1 - found.critical_temperature(few, clean=1.0)) / 1e-3
    assert slope == pytest.approx(np.pi / 4, rel=2e-3)


@pytest.mark.parametrize("strength", [1.0, 20.0, INFINITE])
def test_phase_shift_of_one_band(strength):
    """c sin²δ/πN with cot δ = 1/πNV."""
    sea = circle()
    density = sea.sheets[0].density_of_states
    found = impurity_scattering(sea, gap=d_wave, strength=strength, layers="both")
    shift = np.arctan(np.pi * density * strength)
    assert found.rate == pytest.approx(np.sin(shift) ** 2 / (np.pi * density), rel=1e-9)


def two_gaps(rates, weights, shape, t):
    """Sum of the linearized gap equation of two constant gaps, frequency by frequency."""
    omega = np.pi * t * (2 * np.arange(200_000) + 1)
    ab, ba = rates
    # F_a (ω + Γ_ab) − Γ_ab F_b = φ_a, from eliminating the renormalized quantities.
    det = (omega + ab) * (omega + ba) - ab * ba
    first = ((omega + ba) * shape[0] + ab * shape[1]) / det
    second = ((omega + ab) * shape[1] + ba * shape[0]) / det
    square = weights @ shape**2
    pairs = (weights[0] * shape[0] * first + weights[1] * shape[1] * second) / square
    return 2 * np.pi * t * (1 / omega - pairs).sum()


@pytest.mark.parametrize("second", [-1.0, -0.3, 0.3])
def test_two_gaps_and_impurities_in_one_layer(second):
    """Golubov and Mazin, Phys. Rev. B 55, 15146 (1997): rates between the bands alone count."""
    shape, strength, c = np.array([1.0, second]), 0.3, 0.2
    found = impurity_scattering(
        TWO, gap=lambda k: [list(shape)] * len(k), strength=strength, born=True
    )
    n = np.array([s.density_of_states for s in TWO.sheets])
    # An impurity in one layer takes half of each amplitude.
    assert found.between == pytest.approx(np.pi * strength**2 / 4 * np.array([n, n]), rel=1e-9)
    rates = c * found.between[0, 1], c * found.between[1, 0]
    clean = 0.02
    critical = float(found.critical_temperature(c, clean=clean))
    assert critical < clean
    total = two_gaps(rates, n, shape, critical)
    assert np.log(clean / critical) == pytest.approx(total, abs=1e-3)


def test_a_potential_on_both_layers_does_not_mix_the_sheets():
    for strength, born in ((0.3, True), (3.0, False), (INFINITE, False)):
        found = impurity_scattering(TWO, gap=opposite, strength=strength, layers="both", born=born)
        assert found.between[0, 1] == pytest.approx(0, abs=1e-12)
        assert found.critical_temperature(0.3, clean=0.01) == pytest.approx(0.01)
        one = impurity_scattering(TWO, gap=opposite, strength=strength, born=born)
        assert one.critical_temperature(0.3, clean=0.01) < 0.005


def test_unequal_gaps_of_one_sign_become_one():
    """T_c saturates at strong scattering, where both sheets have the average gap."""
    found = impurity_scattering(TWO, gap=lambda k: [[1.0, 0.3]] * len(k), strength=0.3, born=True)
    assert found.critical_concentration(clean=0.01) == INFINITE
    n = np.array([s.density_of_states for s in TWO.sheets]) / TWO.density_of_states().sum()
    kept = (n @ [1.0, 0.3]) ** 2 / (n @ [1.0, 0.09])
    assert found.shares[found.rates < 1e-9 * found.rates.max()].sum() == pytest.approx(kept)


def test_strong_impurities_limit_the_rate():
    """Born's rate grows as V², the T-matrix's saturates and has Born's at first."""
    sea = FermiSea(four_band(), 10.0585)
    weak = [impurity_scattering(sea, gap=eta_k, strength=1e-3, born=b).rate for b in (True, False)]
    assert weak[0] == pytest.approx(weak[1], rel=1e-4)
    strong = [impurity_scattering(sea, gap=eta_k, strength=v).rate for v in (1e4, INFINITE)]
    assert strong[0] == pytest.approx(strong[1], rel=1e-3)


def test_optical_theorem():
    """The rate from |t|² is minus the imaginary part of t forward, with the same sums."""
    sea = FermiSea(four_band(), 10.0585)
    found = impurity_scattering(sea, gap=eta_k, strength=2.0)
    own = found.between.sum(axis=1)
    states = [sheet.states for sheet in sea.sheets]
    local = sum(
        np.einsum("k,ka,kb->ab", s.weights, u, u.conj())
        for s, u in zip(sea.sheets, states, strict=True)
    )
    for i, u in enumerate(states):
        forward = 0.0
        for sites in ([0, 1], [2, 3]):
            inside = local[np.ix_(sites, sites)]
            t = np.linalg.inv(np.eye(2) / 2.0 + 1j * np.pi * inside)
            values = np.einsum("ka,ab,kb->k", u[:, sites].conj(), t, u[:, sites])
            forward -= sea.sheets[i].average(values.imag) / 2
        assert own[i] == pytest.approx(forward, rel=1e-9)


def test_magnetic_like_density_of_states():
    """Abrikosov and Gor'kov: E = u (1 − Γ/√(1 − u²)), with Γ in units of the gap; gapless at 1."""
    sea = twins()
    found = impurity_scattering(sea, gap=opposite, strength=0.3, born=True)
    broken = 2 * found.between[0, 1]
    assert found.pair_breaking == pytest.approx(broken, rel=1e-9)
    energies = np.array([0.2, 0.5, 0.9, 1.3])
    for rate in (0.3, 1.2):
        spectrum = found.spectrum(rate / broken, energies=energies, broadening=1e-6)
        for energy, ratio in zip(energies, spectrum.ratio, strict=True):
            u = energy + 0.5j
            for _ in range(100):
                root = np.sqrt(1 - u**2)
                miss = u * (1 - rate / root) - energy - 1e-6j
                u = u - miss / (1 - rate / root - rate * u**2 / root**3)
            assert ratio == pytest.approx((u / np.sqrt(1 - u**2)).imag, abs=2e-4)
    edge = (1 - 0.3 ** (2 / 3)) ** 1.5
    close = np.array([edge - 0.02, edge + 0.02])
    below, above = found.spectrum(0.3 / broken, energies=close, broadening=1e-6).ratio
    assert below < 1e-3 < 0.2 < above


def test_impurity_band_of_opposite_gaps_in_the_unitary_limit():
    """z̃ = E − Γ√(1 − z̃²)/z̃ for like bands, Γ = c/2πN: a band at zero, and an edge above Δ.

    Pairs drop out of the local propagator of one layer, and the edge is 1 + Γ²/2 for small Γ.
    """
    sea = twins()
    density = sea.sheets[0].density_of_states
    found = impurity_scattering(sea, gap=opposite, strength=INFINITE)
    rate, energies = 0.1, np.array([0.1, 0.25, 0.7, 1.003, 1.05, 1.3])
    c = rate * 2 * np.pi * density
    spectrum = found.spectrum(c, energies=energies, broadening=1e-7)
    for energy, ratio in zip(energies, spectrum.ratio, strict=True):
        z = energy + 1e-7j
        # (z̃² − E z̃)² = Γ² (1 − z̃²); the root that solves the equation itself, with N ≥ 0.
        roots = np.roots([1, -2 * z, z**2 + rate**2, 0, -(rate**2)])
        misses = np.abs(roots - z + rate * np.sqrt(1 - roots**2) / roots)
        states = (roots / np.sqrt(1 - roots**2)).imag
        allowed = [n for n, m in zip(states, misses, strict=True) if m < 1e-6 and n > -1e-9]
        assert ratio == pytest.approx(max(allowed), abs=1e-3)
    assert spectrum.ratio[0] > 0.3 and max(spectrum.ratio[2:4]) < 0.01 < 1 < spectrum.ratio[4]


def test_resonance_of_a_d_wave_in_the_unitary_limit():
    """Width γ of states at zero energy: γ = c/(πN g), g the average of γ/√(Δ² + γ²)."""
    sea, c = circle(), 0.01
    density = sea.sheets[0].density_of_states
    found = impurity_scattering(sea, gap=d_wave, strength=INFINITE, layers="both")
    angle = (np.arange(4000) + 0.5) * 2 * np.pi / 4000

    def average(width):
        return (width / np.hypot(np.cos(2 * angle), width)).mean()

    width = brentq(lambda g: g * average(g) - c / (np.pi * density), 1e-6, 10)
    zero = found.spectrum(c, energies=[0.0], broadening=1e-7).ratio[0]
    assert zero == pytest.approx(average(width), rel=2e-3)


def test_gap_parameter_of_a_dirty_d_wave():
    """The gap equation in Born's approximation, written out for one band."""
    sea, t, clean = circle(), 0.1, 1.0
    found = impurity_scattering(sea, gap=d_wave, strength=2.0, layers="both", born=True)
    rate = 0.4
    angle = (np.arange(40) + 0.5) * 2 * np.pi / 40
    shape = np.cos(2 * angle)
    omega = np.pi * t * (2 * np.arange(1500) + 1)

    def excess(size):
        new = omega.copy()
        for _ in range(40):
            new = omega + rate * (new[:, None] / np.hypot(new[:, None], size * shape)).mean(axis=1)
        pairs = (shape**2 / np.hypot(new[:, None], size * shape)).mean(axis=1) / 0.5
        return np.log(t / clean) + 2 * np.pi * t * (1 / omega - pairs).sum()

    size = brentq(excess, 0.1, 3.0, xtol=1e-4)
    ours = found.amplitude(rate / found.rate, clean=clean, temperature=t)
    assert ours == pytest.approx(size, rel=2e-3)
    # Without impurities it is that of weak coupling, and at T_c it closes.
    assert found.amplitude(0, clean=1.0, temperature=0.05) == pytest.approx(2.14, abs=0.01)
    critical = float(found.critical_temperature(rate / found.rate, clean=1.0))
    assert found.amplitude(rate / found.rate, clean=1.0, temperature=1.001 * critical) == 0
    assert found.amplitude(rate / found.rate, clean=1.0, temperature=0.98 * critical) < 0.5


def test_errors():
    with pytest.raises(ValueError, match=r"layers = 'two'; allowed: 'one', 'both'"):
        impurity_scattering(TWO, gap=opposite, strength=1.0, layers="two")
    with pytest.raises(ValueError, match=r"strength = 0 eV scatters nothing"):
        impurity_scattering(TWO, gap=opposite, strength=0)
    with pytest.raises(ValueError, match=r"strength = inf eV; allowed"):
        impurity_scattering(TWO, gap=opposite, strength=INFINITE, born=True)
    with pytest.raises(ValueError, match=r"does not tell two layers apart; give the model `sites`"):
        impurity_scattering(three_band(), 10.256, gap=eta_k, strength=1.0)
    found = impurity_scattering(TWO, gap=opposite, strength=1.0)
    with pytest.raises(ValueError, match=r"concentration = -1; allowed"):
        found.critical_temperature(-1, clean=1.0)
    with pytest.raises(ValueError, match=r"clean = 0 eV"):
        found.critical_concentration(clean=0)
