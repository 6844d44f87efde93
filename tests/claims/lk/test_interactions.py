"""Second routes for rows on Kondo, Hund and pairing interactions."""

import numpy as np
import pytest

from nickbook.bands import (
    chemical_potential,
    conduction_bands,
    density_of_states,
    eta_k,
    weighted_density_of_states,
    zone_mesh,
)
from nickbook.claims import ledger
from nickbook.claims.lk.interactions import (
    COUPLING,
    KAPPA,
    kappa_squared_lambda,
    kondo_scale,
    lines,
    printed_couplings,
)
from nickbook.dimers import hund_coupling, pairing_constant

MODEL = conduction_bands()
MU = chemical_potential(MODEL, 0.9)


def test_bandwidth_on_a_mesh():
    energies = MODEL.energies(zone_mesh(400))
    assert 3.599 < energies.max() - energies.min() <= 3.6 + 1e-9


def test_constant_and_eta_channels_are_the_singular_vectors_of_the_kernel():
    """J_H - J_K eta eta' on the Fermi lines: Hund's and Kondo's coupling do not mix."""
    alpha, beta = lines()
    J_H, J_K = 0.38, 0.29
    left, right = (np.sqrt(s.weights / s.weights.sum()) for s in (alpha, beta))
    eta = [eta_k(s.points) for s in (alpha, beta)]
    kernel = left[:, None] * (J_H - J_K * np.multiply.outer(*eta)) * right[None]
    values = np.linalg.svd(kernel, compute_uv=False)
    mean = [float(w**2 @ e**2) for w, e in zip((left, right), eta, strict=True)]
    expected = sorted((J_H, J_K * np.sqrt(mean[0] * mean[1])), reverse=True)
    assert values[:2] == pytest.approx(expected)
    assert values[2] < 1e-12
    # The constant couples with Hund's sign, eta with the opposite one, whatever J_H is.
    assert left @ kernel @ right == pytest.approx(J_H)
    assert (left * eta[0]) @ kernel @ (right * eta[1]) < 0


def test_kondo_scale_is_an_order_below_the_bandwidth():
    weighted = weighted_density_of_states(MODEL, MU, lambda k: eta_k(k) ** 2)
    couplings = printed_couplings()
    g = 2 * np.sqrt(couplings.a * couplings.b) * weighted.mean()
    assert kondo_scale() == pytest.approx(1.8 * np.exp(-1 / g), rel=1e-6)
    assert 0.05 < kondo_scale() < 0.288


def test_product_of_kappa_squared_and_lambda_does_not_know_the_hund_coupling():
    couplings = printed_couplings()
    densities = density_of_states(MODEL, MU)
    for J_H in (0.2, 0.381, 0.7):
        kappa = np.sqrt(couplings.a * couplings.b) / J_H
        coupling = pairing_constant(J_H, J_c=0.288) * np.sqrt(densities.prod())
        assert kappa**2 * coupling == pytest.approx(kappa_squared_lambda(couplings), rel=1e-6)
    assert kappa_squared_lambda(couplings) < 0.8 * KAPPA**2 * COUPLING


def test_average_kernel_from_weighted_densities_of_states():
    """Linear terms cancel: the average of (1 - kappa_a x)(1 - kappa_b x) has no other part."""
    plain = density_of_states(MODEL, MU)
    weighted = weighted_density_of_states(MODEL, MU, lambda k: eta_k(k) ** 2)
    average = 1 + KAPPA**2 * np.prod(weighted / plain)
    row = next(claim for claim in ledger() if claim.id == "LK-eq13-sign")
    assert f"+{average:.2f} V" in row.value
    assert hund_coupling(printed_couplings(), kappa=KAPPA) == pytest.approx(0.38132, abs=1e-5)
