"""What the measures on LK's Fermi lines rest on, by a second route."""

import numpy as np
import pytest
from scipy.special import expit

from nickbook.bands import (
    FermiSea,
    FourBandParameters,
    band_fillings,
    conduction_bands,
    four_band,
)
from nickbook.claims.lk import gap_ratio
from nickbook.dimers import HubbardDimer, exact_couplings
from nickbook.papers import GLYWH, LK


def test_parity_of_the_pockets_from_the_energies_of_both_blocks():
    """Sum and difference of the layers, two levels each in closed form: one has the line."""
    p, found = FourBandParameters(), gap_ratio.sheet_parity()

    def away(points, parity, mu):
        """Distance in eV of the levels of one combination of the layers from the chemical one."""
        (x, y), (x2, y2) = np.cos(points.T), np.cos(2 * points.T)
        shapes = np.array([1 + 0 * x, 2 * (x + y), 4 * x * y, 2 * (x2 + y2)])
        first, second = (
            (np.array(inside) + parity * np.array(between)) @ shapes
            for inside, between in (
                (
                    (p.epsilon_x, p.t11_x, p.t11_xy, p.t11_xx),
                    (p.s11_0, p.s11_x, p.s11_xy, p.s11_xx),
                ),
                (
                    (p.epsilon_z, p.t22_x, p.t22_xy, p.t22_xx),
                    (p.s22_0, p.s22_x, p.s22_xy, p.s22_xx),
                ),
            )
        )
        mixed = 2 * (p.t12_x + parity * p.s12_x) * (x - y)
        mixed += 2 * (p.t12_xx + parity * p.s12_xx) * (x2 - y2)
        levels = (first + second) / 2 + np.outer([1, -1], np.hypot((first - second) / 2, mixed))
        return np.abs(levels - mu).min(axis=0).max()

    sea = FermiSea.at(four_band(), filling=GLYWH.filling)
    pockets = {"electron": "alpha", "hole": "beta"}
    large = [s for s in sea.sheets if s.kind == "electron" or s.area > 0.3]
    assert [(s.kind, s.center) for s in large] == [("hole", "M"), ("electron", "Γ")]
    for sheet in large:
        parity = found[pockets[sheet.kind]]
        assert parity == pytest.approx(round(parity), abs=1e-9)
        assert away(sheet.points, round(parity), sea.mu) < 1e-9
        assert away(sheet.points, -round(parity), sea.mu) > 0.1


def test_the_dimer_raises_the_band_that_it_raises_when_diagonalized():
    exact = exact_couplings(HubbardDimer(t_c=LK.t_c, U=LK.U, level=-0.525 - LK.t_c), 0.05)
    even = 1.0 if exact.beta > exact.alpha else -1.0
    assert gap_ratio.sheet_parity()["dimer"] == even


def test_averages_of_eta_squared_from_thermal_sums_over_a_mesh():
    """No lines: the slope of the Fermi function weighs the momenta."""
    temperature, found, axis = 0.004, gap_ratio.fig4a_order(), np.pi * (np.arange(480) + 0.5) / 480
    k = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)  # a quarter stands for all
    eta2 = (np.cos(k) @ [1, -1]) ** 2
    for n, alpha, beta in zip(*found.values(), strict=True):
        sea = gap_ratio.sea_at(n)
        occupied = expit((sea.mu - sea.model.band_energies(k)) / temperature)
        weights = occupied * (1 - occupied)
        mean = eta2 @ weights / weights.sum(axis=0)
        assert (alpha, beta) == pytest.approx(tuple(mean), rel=0.01)


def test_ratio_of_densities_of_states_from_electrons_that_a_higher_level_adds():
    found, step = gap_ratio.fig3a(), 1e-4
    for density, ratio in ((0.35, "low"), (0.45, "ratio"), (0.6, "high")):
        sea = gap_ratio.sea_at(density)
        high, low = (band_fillings(sea.model, sea.mu + s * step) for s in (1, -1))
        alpha, beta = high - low
        assert found[ratio] == pytest.approx(beta / alpha, rel=1e-4)


def test_electrons_below_the_saddle_counted_on_a_mesh():
    """On ky = 0 the slope of Eq. 5 is sin kx times 2t_1 + 4t_2 + 2ε + (8t_3 − 2ε) cos kx."""
    t1, t2, t3, epsilon = LK.t1, LK.t2, LK.t3, LK.epsilon_beta
    c = -(2 * t1 + 4 * t2 + 2 * epsilon) / (8 * t3 - 2 * epsilon)
    saddle = -2 * t1 * (c + 1) - 4 * t2 * c - 4 * t3 * c**2 + epsilon * (1 - c) ** 2
    axis = np.pi * (np.arange(500) + 0.5) / 500
    levels = conduction_bands().energies(np.stack(np.meshgrid(axis, axis), axis=-1))
    found = gap_ratio.fig3a()
    assert found["saddle"] == pytest.approx(saddle, abs=1e-9)
    # Both spins of a cell of two Ni.
    assert found["density"] == pytest.approx((levels < saddle).sum() / 500**2, abs=1e-3)


def iterated(sheets, kappa):
    """Gaps of Eq. 15 with its whole kernel at every point of both Fermi lines."""
    eta2 = [(np.cos(s.points) @ [1, -1]) ** 2 for s in sheets]
    weights = [s.weights for s in sheets]
    strength = LK.coupling / np.sqrt(weights[0].sum() * weights[1].sum())
    kernel = strength * (1 + kappa**2 * np.multiply.outer(*eta2))
    alpha, beta = (np.full(len(w), 0.05) for w in weights)
    for _ in range(100):
        beta = (weights[0] * alpha * np.arcsinh(LK.cutoff / alpha)) @ kernel
        alpha = kernel @ (weights[1] * beta * np.arcsinh(LK.cutoff / beta))
    return alpha, beta


def test_shape_of_the_gaps_by_iteration():
    found, sheets = gap_ratio.fig4b(), gap_ratio.sea_at(LK.density).sheets
    for kappa, spreads in (
        (0.0, found["off"]),
        *zip(found["kappas"], found["spreads"], strict=True),
    ):
        gaps = iterated(sheets, kappa)
        assert spreads == pytest.approx([gap.max() / gap.min() for gap in gaps], rel=1e-6)
    for gap, sheet, place in zip(gaps, sheets, (found["alpha"], found["beta"]), strict=True):
        angle = sheet.angle[gap.argmin()] % (np.pi / 2)
        assert angle == pytest.approx(place, abs=0.02)


def test_error_of_eq_18_in_closed_form():
    """Eq. 17 is ln(N_β/N_α)/2 = x − arsinh(λx/2), of x = ln(Δ_α/Δ_β); Eq. 18 gives x by a power."""
    found = gap_ratio.eq18()
    for name, left in (("half", 1.0), ("bound", 2.0)):
        for coupling, error in zip((0.3, 0.6), found[name], strict=True):
            x = left / coupling
            logarithm = 2 * (x - np.arcsinh(left / 2))
            assert error == pytest.approx(np.exp(logarithm / (2 - coupling) - x) - 1, rel=1e-9)
