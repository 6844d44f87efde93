"""Ratios of textbooks, sums over Matsubara frequencies, and entropy that adds up."""

import numpy as np
import pytest
from circles import circle, constant, d_wave
from scipy import constants
from scipy.integrate import quad
from scipy.optimize import brentq

from nickbook.bands import FermiSea, conduction_bands, eta_k, zone_mesh
from nickbook.observables import weak_coupling
from nickbook.observables.thermodynamics import _function

TWO = FermiSea(conduction_bands(), -0.65)


def test_numbers_of_one_gap():
    """Bardeen, Cooper and Schrieffer, Phys. Rev. 108, 1175 (1957), with more digits.

    The gap is that of B. Mühlschlegel, Z. Phys. 155, 313 (1959), Table 1.
    """
    found = weak_coupling(TWO, gap=constant, temperatures=[0.0, 0.5, 0.6, 0.8, 0.9, 1.0])
    assert found.ratio == pytest.approx(3.528, abs=5e-4)
    assert found.jump == pytest.approx(1.426, abs=5e-4)
    table = [1.0, 0.9569, 0.9070, 0.7110, 0.5263, 0.0]
    assert found.amplitudes == pytest.approx(table, abs=6e-5)


def test_numbers_of_a_d_wave():
    """Won and Maki, Phys. Rev. B 49, 1397 (1994)."""
    found = weak_coupling(circle(), gap=d_wave, temperatures=[0.02, 0.04])
    assert found.ratio == pytest.approx(4.28, abs=5e-3)
    assert found.jump == pytest.approx(0.951, abs=1e-3)
    # Linear in temperature: 1 − 2 ln 2 T/Δ; and a specific heat 27ζ(3)/π² (T/Δ) γT.
    slope = 2 * np.log(2) * found.temperatures * 2 / found.ratio
    assert 1 - found.superfluid[0] == pytest.approx(slope, rel=0.01)
    heat = 27 * 1.2020569 / np.pi**2 * found.temperatures**2 * 2 / found.ratio
    assert found.specific_heat == pytest.approx(heat, rel=0.01)


@pytest.mark.parametrize("x", [0.3, 2.0, 9.0])
def test_functions_from_sums_over_frequencies(x):
    """Y = 1 − 2π Σ x²/(ω² + x²)^{3/2} and L = 2π Σ (1/√(ω² + x²) − 1/ω), at T = 1."""
    omega = np.pi * (2 * np.arange(400_000) + 1)
    root = np.hypot(omega, x)
    yosida = 1 - 2 * np.pi * (x**2 / root**3).sum()
    pairs = 2 * np.pi * (1 / root - 1 / omega).sum()
    assert _function("yosida")(x) == pytest.approx(yosida, abs=1e-7)
    assert _function("pairs")(x) == pytest.approx(pairs, abs=1e-7)


def test_superfluid_density_is_yosidas():
    """K. Yosida, Phys. Rev. 110, 769 (1958), with the integral as he has it."""
    found = weak_coupling(TWO, gap=constant, temperatures=[0.3, 0.7])
    for t, share, size in zip(
        found.temperatures, found.superfluid[0], found.amplitudes, strict=True
    ):
        x = size * found.ratio / 2 / t
        normal = quad(lambda u, x=x: 0.5 / np.cosh(np.hypot(u, x) / 2) ** 2, 0, 80)[0]
        assert 1 - share == pytest.approx(normal, abs=1e-7)


@pytest.mark.parametrize("gap", [constant, eta_k, lambda k: [[1.0, -0.3]] * len(k)])
def test_entropy_of_both_states_is_one_at_the_transition(gap):
    t = (np.polynomial.legendre.leggauss(40)[0] + 1) / 2
    weights = np.polynomial.legendre.leggauss(40)[1] / 2
    found = weak_coupling(TWO, gap=gap, temperatures=[*t, 1 - 1e-5, 1.0])
    assert weights @ (found.specific_heat[:-2] / t) == pytest.approx(1.0, abs=2e-3)
    # The step at the transition is the one in closed form.
    below, at = found.specific_heat[-2:]
    assert below - at == pytest.approx(found.jump, rel=1e-3)


def test_gap_equation_of_two_sheets_by_matsubara_sums():
    """A separable interaction of two constant gaps, with a cutoff, solved as it stands."""
    shape = np.array([1.0, -0.3])
    n = np.array([s.density_of_states for s in TWO.sheets])
    weight = n * shape**2 / (n @ shape**2)
    cutoff, coupling = 40.0, 0.25  # far above the gap

    def excess(size, t):
        omega = np.pi * t * (2 * np.arange(4000) + 1)
        soft = cutoff**2 / (omega**2 + cutoff**2)
        roots = np.hypot(omega[:, None], size * shape)
        return 2 * np.pi * t * (soft @ (weight / roots).sum(axis=1)) - 1 / coupling

    critical = brentq(lambda t: excess(0.0, t), 0.1, 5.0)
    found = weak_coupling(TWO, gap=lambda k: [list(shape)] * len(k), temperatures=[0.5])
    size = brentq(lambda x: excess(x, 0.5 * critical), 1e-3, 10 * critical)
    ours = found.amplitudes[0] * found.ratio / 2
    assert ours == pytest.approx(size / critical, rel=0.01)


def test_stiffness_is_the_diamagnetic_response():
    """At T = 0 Σ 2 f ∂²ε/∂kx², by parts over the zone."""
    found = weak_coupling(TWO, gap=constant)
    k = zone_mesh(400).reshape(-1, 2)
    step, total = 0.01, 0.0
    for band in TWO.model.bands:
        energies = [band.energy(k + np.array([s, 0.0])) for s in (-step, 0.0, step)]
        curve = (energies[0] - 2 * energies[1] + energies[2]) / step**2
        total += 2 * (curve * (energies[1] < TWO.mu)).mean()
    assert found.stiffness == pytest.approx([total, total], rel=5e-3)
    # One electron of mass m in a cell of area a² and height d: λ² = m a² d/μ0 e².
    wide, height = 1e-9, 1e-9
    mass = constants.hbar**2 / (found.stiffness[0] * constants.e * wide**2)
    depth = np.sqrt(mass * wide**2 * height / (constants.mu_0 * constants.e**2))
    assert found.penetration_depth(1.0)[0] == pytest.approx(1e9 * depth, rel=1e-9)


def test_superfluid_density_is_the_response_of_the_zone():
    """The paramagnetic part 2 Σ v² (−∂f/∂E) over all states, for a gap that tells x from y."""
    sea, t = circle(-3.0), 0.6

    def gap(k):
        return 0.1 + 0.08 * np.cos(k[:, 0])

    found = weak_coupling(sea, gap=gap, temperatures=[t])
    k = zone_mesh(400).reshape(-1, 2)
    energy, v = sea.model.bands[0].energy_and_velocity(k)
    heat = t * found.critical_temperature
    quasi = np.hypot(energy - sea.mu, found.amplitudes[0] * gap(k))
    thermal = 1 / (4 * heat * np.cosh(np.minimum(quasi / (2 * heat), 300.0)) ** 2)
    normal = 2 * (v**2 * thermal[:, None]).mean(axis=0)
    assert found.superfluid[:, 0] == pytest.approx(1 - normal / found.stiffness, abs=0.01)
    assert abs(np.diff(found.superfluid[:, 0])) > 0.03


def test_superfluid_density_weighs_sheets_with_their_velocities():
    found = weak_coupling(TWO, gap=lambda k: [[1.0, 0.3]] * len(k), temperatures=[0.5])
    x = found.amplitudes[0] * found.ratio / 2 / 0.5 * np.array([1.0, 0.3])
    part = np.array([s.weights @ s.velocity[:, 0] ** 2 for s in TWO.sheets])
    normal = part @ _function("yosida")(x) / part.sum()
    assert 1 - found.superfluid[0, 0] == pytest.approx(normal, rel=1e-5)


def test_sommerfeld_coefficient_of_one_state_per_ev():
    """2.357 mJ/(mol K²) for one state/eV of each spin and formula unit, of both spins 4.714."""
    found = weak_coupling(TWO, gap=constant)
    assert found.sommerfeld / found.density_of_states == pytest.approx(4.714, abs=2e-3)


def test_scale_of_the_gap_does_not_matter():
    one, two = (weak_coupling(TWO, gap=lambda k, s=s: s * eta_k(k)) for s in (0.01, 1.0))
    assert one.ratio == pytest.approx(two.ratio, rel=1e-12)
    assert two.critical_temperature == pytest.approx(100 * one.critical_temperature, rel=1e-12)


def test_errors():
    with pytest.raises(ValueError, match=r"gap is zero on all sheets"):
        weak_coupling(TWO, gap=lambda k: 0 * constant(k))
    with pytest.raises(ValueError, match=r"temperatures = \[-1.0\]; allowed"):
        weak_coupling(TWO, gap=constant, temperatures=[-1.0])
    with pytest.raises(ValueError, match=r"spacing = 0 nm"):
        weak_coupling(TWO, gap=constant).penetration_depth(0)
