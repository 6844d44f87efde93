"""Eight dimers: the Lanczos routine against a Hamiltonian built from Pauli matrices."""

from functools import cache, reduce

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from nickbook.dimers import exact_triplons, triplon_dispersion
from nickbook.dimers.cluster import plane_bonds

SPINS = 16
HALF = [
    sp.csr_array(m) for m in ([[0, 0.5], [0.5, 0]], [[0, -0.5j], [0.5j, 0]], [[0.5, 0], [0, -0.5]])
]


def product(p, q):
    """S_p . S_q on sixteen spins, spin 0 leftmost."""
    one = sp.eye_array(2, format="csr")
    terms = []
    for s in HALF:
        factors = [s if i in (p, q) else one for i in range(SPINS)]
        terms.append(reduce(lambda x, y: sp.kron(x, y, "csr"), factors))
    return sum(terms)


@cache
def parts():
    rungs = sum(product(2 * i, 2 * i + 1) for i in range(8))
    planes = sum(
        product(2 * i + layer, 2 * j + layer) for i, j in plane_bonds() for layer in (0, 1)
    )
    return rungs, planes


def lowest(J_c, J_ab, up, number):
    rungs, planes = parts()
    states = np.flatnonzero(np.bitwise_count(~np.arange(2**SPINS, dtype=np.uint16)) == up)
    block = (J_c * rungs + J_ab * planes)[states][:, states]
    start = np.random.default_rng(2).normal(size=len(states))
    values = eigsh(block.real, k=number, which="SA", ncv=40, v0=start, tol=1e-12)[0]
    return np.sort(values)


@cache
def triplons(J_ab):
    return exact_triplons(1.0, J_ab)


@pytest.mark.parametrize("J_ab", [1 / 16, -0.1])
def test_triplons_are_the_lowest_levels_of_one_flipped_spin(J_ab):
    ground = lowest(1.0, J_ab, 8, 1)[0]
    # Lanczos does not find every member of a multiplet: compare distinct levels.
    levels = np.unique((lowest(1.0, J_ab, 9, 8) - ground).round(7))
    found = np.unique(triplons(J_ab).energies.round(7))
    np.testing.assert_allclose(found, levels[: len(found)], atol=2e-7)
    assert len(found) == 3


def test_density_is_the_slope_of_the_ground_state_energy():
    step, J_ab = 1e-4, 0.2
    high, low = (lowest(1 + s * step, J_ab, 8, 1)[0] for s in (1, -1))
    slope = (high - low) / (2 * step) / 8
    assert exact_triplons(1.0, J_ab).density == pytest.approx(0.75 + slope, abs=1e-6)


def test_density_of_bond_operator_theory_at_weak_coupling():
    """A bond makes a pair of triplets of weight 3 (J_ab/4J_c)^2; four bonds meet at a dimer."""
    ratio = 0.01
    density = exact_triplons(1.0, ratio).density
    assert density == pytest.approx(3 * (ratio / 2) ** 2, rel=0.05)


def test_energies_scale():
    one, two = triplons(1 / 16), exact_triplons(0.3, 0.3 / 16)
    np.testing.assert_allclose(two.energies, 0.3 * one.energies, atol=1e-10)
    np.testing.assert_allclose(two.intensities, one.intensities, atol=1e-10)


def test_mean_intensity_obeys_the_sum_rule():
    """One triplon carries almost all of <(S_1z - S_2z)^2> = 1/2 - (2/3)<S_1.S_2>."""
    found = triplons(1 / 16)
    bound = 1 - 2 * found.density / 3
    assert bound - 0.01 < found.intensities.mean() <= bound + 1e-9


def test_single_dimers():
    found = exact_triplons(0.7, 0.0)
    np.testing.assert_allclose(found.energies, 0.7, atol=1e-10)
    np.testing.assert_allclose(found.intensities, 1.0, atol=1e-10)
    assert found.density == pytest.approx(0.0, abs=1e-10)
    np.testing.assert_allclose(triplon_dispersion(found.momenta, J_c=0.7, J_ab=0.0), 0.7)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="J_c"):
        exact_triplons(0.0, 0.1)
