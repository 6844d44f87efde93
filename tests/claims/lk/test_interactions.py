"""Second routes for rows on Kondo, Hund and pairing interactions."""

import numpy as np
import pytest

from nickbook.bands import density_of_states, eta_k, weighted_density_of_states, zone_mesh
from nickbook.claims.lk import interactions
from nickbook.dimers import (
    HubbardDimer,
    hund_coupling,
    hybridization_for_splitting,
    pairing_matrix,
)
from nickbook.papers import LK

SEA = interactions.sea()
COUPLINGS = interactions.couplings_of_fig2()


def test_bandwidth_on_a_mesh():
    energies = SEA.model.energies(zone_mesh(400))
    assert 3.599 < energies.max() - energies.min() <= interactions.bandwidth() + 1e-9


def test_constant_and_eta_channels_are_the_singular_vectors_of_the_kernel():
    """J_H - J_K eta eta' on the Fermi lines: Hund's and Kondo's coupling do not mix."""
    alpha, beta = SEA.sheets
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


def densities(power=0, step=0.01, mesh=600):
    """Levels from the Fermi level, and states of α and β at each, per spin and cell."""
    k = zone_mesh(mesh)
    levels = SEA.model.band_energies(k) - SEA.mu
    edges = np.arange(-3.0, 3.5, step)
    shares = eta_k(k).ravel() ** power / k[..., 0].size
    counts = [np.histogram(x.ravel(), edges, weights=shares)[0] for x in np.moveaxis(levels, -1, 0)]
    return (edges[1:] + edges[:-1]) / 2, np.array(counts)


def test_ladder_from_a_weighted_density_of_states():
    energies, states = densities(power=2)
    strength = 2 * np.sqrt(COUPLINGS.a * COUPLINGS.b)
    scale = interactions.kondo()["zone"]
    ladders = strength * states.mean(axis=0) @ (np.tanh(energies / (2 * scale)) / (2 * energies))
    assert ladders == pytest.approx(1.0, rel=2e-3)


def test_parallel_layers_from_a_density_of_states():
    """At T = 0: fill both spins by counting, and gain J_H/2 for each electron that turned."""
    J_H = interactions.spin_one()["parallel"]
    energies, states = densities(step=0.005)
    count = np.append(0.0, np.cumsum(states.sum(axis=0)))
    energy = np.append(0.0, np.cumsum(states.sum(axis=0) * energies))
    up = np.linspace(0.45, 0.9, 901)

    def kinetic(n):
        return np.interp(n, count, energy)

    total = kinetic(up) + kinetic(0.9 - up) - J_H / 2 * (2 * up - 0.9)
    gain = total.min() - 2 * kinetic(0.45)
    assert LK.J_c + 4 * LK.J_ab / 4 + gain == pytest.approx(0.0, abs=3e-3)


def test_antiparallel_layers_by_layer():
    """One spin on two layers, with opposite fields J_H/2, at the level of the bands."""
    J_H, temperature = interactions.spin_one()["antiparallel"], 0.02
    alpha, beta = np.moveaxis(SEA.model.band_energies(zone_mesh(64)) - SEA.mu, -1, 0)

    def grand(field):
        h = np.zeros((*alpha.shape, 2, 2))
        h[..., 0, 0], h[..., 1, 1] = (alpha + beta) / 2 - field, (alpha + beta) / 2 + field
        h[..., 0, 1] = h[..., 1, 0] = (beta - alpha) / 2
        levels = np.linalg.eigvalsh(h)
        return -2 * temperature * np.log1p(np.exp(-levels / temperature)).sum(axis=-1).mean()

    spins = LK.J_c / 2 + LK.J_ab  # of ↑↓ on a dimer, and of parallel neighbours in both layers
    assert spins + grand(J_H / 2) - grand(0.0) == pytest.approx(0.0, abs=1e-6)


def test_soft_coupling_with_second_order_vertices_is_that_of_the_package():
    found = interactions.soft_coupling(weakened=False)
    assert found == pytest.approx(interactions.perturbative()["soft"][0], rel=1e-3)
    assert interactions.perturbative()["weakened"] > found


def test_mean_damping_from_densities_of_states():
    """All momenta at once: a level of one band and one of the other, J_c higher."""
    step, temperature, (kappa_a, kappa_b) = 0.012, 0.02, interactions.printed_kappa()
    energies, plain = densities(step=step)
    _, squared = densities(power=2, step=step)
    shift = round(LK.J_c / step)
    filled = 1 / (1 + np.exp(energies / temperature))

    def rises(lower, upper, kappa):
        pairs = plain[lower][:-shift] * plain[upper][shift:]
        pairs += kappa**2 * squared[lower][:-shift] * squared[upper][shift:]
        return pairs @ (filled[:-shift] - filled[shift:]) / step

    J_H2 = LK.coupling * 2 * LK.J_c / 3 / interactions.mean_density_of_states()
    width = np.pi / 2 * J_H2 * (rises(1, 0, kappa_a) + rises(0, 1, kappa_b))
    assert interactions.triplon_damping()["mean"] == pytest.approx(width / LK.J_c, rel=0.03)


def test_product_of_kappa_squared_and_lambda_from_the_kondo_vertices_alone():
    """Second order in H_K of Eq. 9: the matrix element at η η' = 1, as J_H goes to zero."""
    tiny = 1e-3
    a, b = COUPLINGS.a / tiny, COUPLINGS.b / tiny
    element = (
        pairing_matrix(tiny, J_c=LK.J_c, f_a=lambda *_: -a, f_b=lambda *_: -b).real / 2
    )  # normalized pairs hold k and −k
    densities = density_of_states(SEA.model, SEA.mu)
    product = element * np.sqrt(densities.prod())
    assert interactions.kappa_squared_lambda(COUPLINGS) == pytest.approx(product, rel=1e-6)


def test_kondo_couplings_at_the_splitting_of_fig_2_by_diagonalization():
    """What J_H is asked for: couplings of the cluster, extrapolated, at one depth."""
    depth = 1.0
    t_xz = hybridization_for_splitting(0.3, E_a=depth, variant="hubbard")
    found = interactions._exact_unit(HubbardDimer(t_c=LK.t_c, U=LK.U, level=-depth - LK.t_c))
    J_H = 4 * t_xz**2 * np.sqrt(found.a * found.b) / LK.kappa
    derived = interactions.hund()["derived"]
    assert derived[0] <= 2 * J_H <= derived[1]
    pair = interactions._couplings_by_depth("hubbard")[interactions.DEPTHS.index(depth)]
    assert hund_coupling(pair, kappa=LK.kappa) == pytest.approx(J_H, rel=0.01)


def test_kondo_form_factor_over_all_pairs_of_neighbours():
    """x to z along one bond and back along another: sixteen terms with the signs of the bonds."""
    bonds = (((1, 0), 1), ((-1, 0), 1), ((0, 1), -1), ((0, -1), -1))
    rng = np.random.default_rng(3)
    k, p = rng.uniform(-np.pi, np.pi, (2, 2))
    amplitude = sum(
        sign * other * np.exp(1j * (k @ np.array(r) - p @ np.array(q)))
        for r, sign in bonds
        for q, other in bonds
    )
    assert amplitude == pytest.approx(4 * eta_k(k) * eta_k(p))
    assert interactions.eq9_form()["misfit"] < 1e-12


def test_average_kernel_from_weighted_densities_of_states():
    """Linear terms cancel: the average of (1 - kappa_a x)(1 - kappa_b x) has no other part."""
    plain = density_of_states(SEA.model, SEA.mu)
    weighted = weighted_density_of_states(SEA.model, SEA.mu, lambda k: eta_k(k) ** 2)
    average = 1 + LK.kappa**2 * np.prod(weighted / plain)
    assert interactions.eq13_sign()["average"] == pytest.approx(average, rel=1e-5)
    assert hund_coupling(COUPLINGS, kappa=LK.kappa) == pytest.approx(0.38132, abs=1e-5)
