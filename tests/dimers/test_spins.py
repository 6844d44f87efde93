"""Bond operators, triplon dispersion and intensity."""

import numpy as np
import pytest
from scipy.linalg import eigvals
from scipy.optimize import brentq

from nickbook.dimers import (
    SINGLET,
    TRIPLON_SOFTENING,
    exact_triplons,
    spin_from_triplons,
    spin_operators,
    triplon_bosons,
    triplon_creators,
    triplon_dispersion,
    triplon_structure_factor,
)
from nickbook.dimers.cluster import MOMENTA, SITES, plane_bonds

PRINTED = 1 / 16  # J_ab/J_c for t_ab = t_c/4


def commutator(x, y):
    return x @ y - y @ x


@pytest.mark.equation("LK", 7)
def test_eq7_is_exact_on_the_four_states():
    for built, true in zip(spin_from_triplons(triplon_creators()), spin_operators(), strict=True):
        np.testing.assert_allclose(built, true, atol=1e-14)


@pytest.mark.equation("LK", 7)
def test_eq7_signs_follow_from_the_spin_algebra_alone():
    first, second = spin_from_triplons(triplon_creators())
    for spin in (first, second):
        np.testing.assert_allclose(commutator(spin[0], spin[1]), 1j * spin[2], atol=1e-14)
        np.testing.assert_allclose(sum(s @ s for s in spin), 0.75 * np.eye(4), atol=1e-14)
    np.testing.assert_allclose(commutator(first[0], second[1]), 0, atol=1e-14)
    # The other sign of the cross term, or half of it, breaks the algebra.
    linear, cross = (first - second) / 2, (first + second) / 2
    for factor in (-1.0, 0.5, 0.0):
        wrong = linear + factor * cross
        assert np.abs(commutator(wrong[0], wrong[1]) - 1j * wrong[2]).max() > 0.2


@pytest.mark.parametrize("capacity", [1, 2, 3])
@pytest.mark.equation("LK", 7)
def test_free_bosons_agree_up_to_one_triplon_and_fail_at_two(capacity):
    soft = spin_from_triplons(triplon_bosons(capacity))
    # In the ordering vacuum, z, y, x the first four boson states are s, t_z, t_y, t_x.
    create = triplon_creators()
    states = np.array([SINGLET, *(create[c] @ SINGLET for c in (2, 1, 0))]).T
    for built, true in zip(soft, spin_operators(), strict=True):
        exact = states.conj().T @ true @ states
        np.testing.assert_allclose(built[:, :4, :4], exact, atol=1e-14)
    if capacity > 1:
        first = soft[0]
        defect = commutator(first[0], first[1]) - 1j * first[2]
        assert np.abs(defect[:1, :4]).max() < 1e-14
        assert np.abs(defect[1:4, 1:4]).max() == pytest.approx(0.25)
        # S^2 of a site, 3/4 for spin 1/2, comes out right on the vacuum only.
        square = sum(s @ s for s in first)
        assert square[0, 0].real == pytest.approx(0.75)
        assert square[1, 1].real == pytest.approx(1.75)


def test_leading_dispersion_from_the_hopping_of_one_triplon():
    """Two dimers, J_ab in both layers: the triplet hops with amplitude J_ab/2."""
    first, second = spin_operators()
    coupling = sum(np.kron(s, s) for spin in (first, second) for s in spin)
    for create in triplon_creators():
        left, right = np.kron(create @ SINGLET, SINGLET), np.kron(SINGLET, create @ SINGLET)
        hop = np.vdot(left, coupling @ right).real
        assert hop == pytest.approx(0.5)
        # Sum over four neighbours: 2 * hop * (cos qx + cos qy) * J_ab.
        q = np.array([0.7, -1.9])
        shift = triplon_dispersion(q, J_c=1.0, J_ab=0.1) - 1.0
        assert shift == pytest.approx(2 * hop * 0.1 * np.cos(q).sum())
        assert np.vdot(left, coupling @ left).real == pytest.approx(0)


def test_harmonic_dispersion_from_the_real_space_quadratic_form():
    """Eigenfrequencies of H = J_c T+T + (J_ab/2) sum_bonds (T+T+)_i (T+T+)_j on eight dimers."""
    neighbours = np.zeros((8, 8))
    for i, j in plane_bonds():
        neighbours[[i, j], [j, i]] += 1
    J_c, J_ab = 1.0, 0.15
    pair = J_ab / 2 * neighbours
    normal = J_c * np.eye(8) + pair
    frequencies = np.sort(eigvals(np.block([[normal, pair], [-pair, -normal]])).real)[8:]
    expected = np.sort(triplon_dispersion(MOMENTA, J_c=J_c, J_ab=J_ab, method="harmonic"))
    np.testing.assert_allclose(frequencies, expected, atol=1e-7)


def test_dispersion_against_exact_diagonalization_of_eight_dimers():
    """Errors of order J_ab**2 for the two printed-order forms, J_ab**3 for the second order."""
    bounds = {"leading": 2.2, "harmonic": 2.4, "second order": 5.0}
    for ratio in (0.01, 0.02, PRINTED):
        exact = exact_triplons(1.0, ratio).energies
        for method, bound in bounds.items():
            power = 3 if method == "second order" else 2
            form = triplon_dispersion(MOMENTA, J_c=1.0, J_ab=ratio, method=method)
            assert np.abs(exact - form).max() < bound * ratio**power


def test_softening_point_by_root_finding():
    root = brentq(lambda ratio: (1 - 2 * ratio) ** 2 - (2 * ratio) ** 2, 0.1, 0.4)
    assert root == pytest.approx(TRIPLON_SOFTENING)
    with pytest.raises(ValueError, match="soft"):
        triplon_dispersion([np.pi, np.pi], J_c=1.0, J_ab=0.26, method="harmonic")
    gap = triplon_dispersion([np.pi, np.pi], J_c=1.0, J_ab=0.25, method="harmonic")
    assert gap == pytest.approx(0, abs=1e-7)
    # Quantum Monte Carlo: the dimer phase survives to J_ab/J_c = 1/2.522.
    assert TRIPLON_SOFTENING < 1 / 2.522


def test_form_factor_from_matrix_elements():
    first, second = spin_operators()
    for q_z in (0.0, 0.4, np.pi / 2, np.pi, 2 * np.pi):
        image = (first[2] + np.exp(1j * q_z) * second[2]) @ SINGLET
        _, intensity = triplon_structure_factor([0.3, 1.0], q_z, J_c=1.0, J_ab=0.0)
        assert np.vdot(image, image).real == pytest.approx(float(intensity), abs=1e-14)
        assert float(intensity) == pytest.approx((1 - np.cos(q_z)) / 2, abs=1e-14)
    grid = np.linspace(0, 2 * np.pi, 201)
    _, line = triplon_structure_factor([0.0, 0.0], grid)
    assert grid[np.argmax(line)] == pytest.approx(np.pi)


def test_intensity_against_exact_diagonalization():
    exact = exact_triplons(1.0, PRINTED)
    energy, weight = triplon_structure_factor(MOMENTA, np.pi, J_c=1.0, J_ab=PRINTED)
    np.testing.assert_allclose(exact.energies, energy, rtol=0.011)
    np.testing.assert_allclose(exact.intensities, weight, rtol=0.04)


def test_lattice_oracle_knows_its_momenta():
    assert len(set(plane_bonds())) == 16
    phases = np.exp(1j * MOMENTA @ np.array(SITES).T)
    np.testing.assert_allclose(phases @ phases.conj().T, 8 * np.eye(8), atol=1e-12)
