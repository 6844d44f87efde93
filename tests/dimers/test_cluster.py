"""Eight dimers: the Lanczos routine against a Hamiltonian built from Pauli matrices."""

from functools import cache, reduce

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import eigsh

from nickbook.dimers import exact_triplons
from nickbook.dimers.cluster import plane_bonds

SPINS = 16
HALF = [sp.csr_array(m) / 2 for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]


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


@pytest.mark.parametrize(("J_c", "J_ab"), [(1.0, 1 / 16), (0.7, -0.07)])
def test_triplons_are_the_lowest_levels_of_one_flipped_spin(J_c, J_ab):
    ground = lowest(J_c, J_ab, 8, 1)[0]
    # Lanczos does not find every member of a multiplet: compare distinct levels.
    levels = np.unique((lowest(J_c, J_ab, 9, 8) - ground).round(7))
    found = np.unique(exact_triplons(J_c, J_ab).energies.round(7))
    np.testing.assert_allclose(found, levels[: len(found)], atol=2e-7)
    assert len(found) == 3


def test_density_is_the_slope_of_the_ground_state_energy():
    step, J_ab = 1e-4, 0.2
    high, low = (lowest(1 + s * step, J_ab, 8, 1)[0] for s in (1, -1))
    slope = (high - low) / (2 * step) / 8
    assert exact_triplons(1.0, J_ab).density == pytest.approx(0.75 + slope, abs=1e-6)


def test_mean_intensity_obeys_the_sum_rule():
    """One triplon carries almost all of <(S_1z - S_2z)^2> = 1/2 - (2/3)<S_1.S_2>."""
    found = exact_triplons(1.0, 1 / 16)
    bound = 1 - 2 * found.density / 3
    assert bound - 0.01 < found.intensities.mean() <= bound + 1e-9
