"""The pairing interaction by matrices: factor 3/2, signs, momentum structure, retardation."""

import numpy as np
import pytest

from nickbook.dimers import (
    SINGLET,
    annihilators,
    exact_triplons,
    interaction_hamiltonian,
    pair_states,
    pairing_constant,
    pairing_enhancement,
    pairing_matrix,
    spin_from_triplons,
    triplon_creators,
)
from nickbook.dimers.cluster import MOMENTA
from nickbook.dimers.fock import restrict, sector
from nickbook.dimers.spins import PAULI

J_H, J_c = 0.1, 0.3
KERNEL = J_H**2 / J_c


def vertex(seed):
    values = np.random.default_rng(seed).normal(size=(2, 2))
    return lambda final, initial: float(values[(1 - final) // 2, (1 - initial) // 2])


def even(strength):
    """1 - kappa eta_k' eta_k is even in both momenta."""
    return lambda _final, _initial: 1 - strength


# --- Eqs. 6, 8, 11 ------------------------------------------------------------------------


def band_spin(left, right):
    return [
        sum(p[i, j] / 2 * (left[i].T @ right[j]) for i in (0, 1) for j in (0, 1)) for p in PAULI
    ]


@pytest.mark.equation("LK", 6, 8)
def test_eq8_from_eq6():
    """-2 J_H (S.s)_1 + (S.s)_2, linear in T: -J_H (T + T+).(s_alphabeta + s_betaalpha)."""
    c = annihilators(4)  # beta up, beta down, alpha up, alpha down
    beta, alpha = c[:2], c[2:]
    layers = [
        [(b + sign * a) / np.sqrt(2) for b, a in zip(beta, alpha, strict=True)] for sign in (1, -1)
    ]
    spins = [band_spin(layer, layer) for layer in layers]
    odd = [x - y for x, y in zip(*spins, strict=True)]
    cross = [x + y for x, y in zip(band_spin(alpha, beta), band_spin(beta, alpha), strict=True)]
    for x, y in zip(odd, cross, strict=True):
        assert abs(x - y).max() < 1e-14

    create = triplon_creators()
    local = spin_from_triplons(create)
    places = np.ndindex(2, 3)
    full = -2 * J_H * sum(np.kron(local[i][c], spins[i][c].toarray()) for i, c in places)
    triplon = create + create.conj().transpose(0, 2, 1)
    linear = -J_H * sum(np.kron(t, x.toarray()) for t, x in zip(triplon, cross, strict=True))
    singlet = np.kron(np.outer(SINGLET, SINGLET), np.eye(16))
    np.testing.assert_allclose(full @ singlet, linear @ singlet, atol=1e-14)
    np.testing.assert_allclose(singlet @ full, singlet @ linear, atol=1e-14)


@pytest.mark.equation("LK", 11)
def test_eq11_counts_the_hund_term_of_eq8_once():
    """With f^a = f^b = 1, [(T + T+).s_alphabeta + H.c.] is Eq. 8, at all four momentum pairs."""
    states = sector(8, 2)
    c = annihilators(8)  # alpha +k, alpha -k, beta +k, beta -k, each up and down
    alpha = [(c[s] + c[2 + s], s) for s in (0, 1)]
    beta = [(c[4 + s] + c[6 + s], s) for s in (0, 1)]
    create = triplon_creators()
    expected = 0
    for p, t in zip(PAULI, create, strict=True):
        flip = sum(p[i, j] / 2 * (x.T @ y) for x, i in alpha for y, j in beta)
        spin = restrict(flip, states)
        expected = expected - J_H * np.kron(t + t.conj().T, spin + spin.conj().T)
    built = interaction_hamiltonian(J_H, even(0.0), even(0.0))
    np.testing.assert_allclose(built, expected, atol=1e-14)


@pytest.mark.equation("LK", 11)
def test_interaction_is_hermitian_for_any_vertices():
    built = interaction_hamiltonian(J_H, vertex(1), vertex(2))
    np.testing.assert_allclose(built, built.conj().T, atol=1e-15)


# --- Eqs. 12 and 13 -----------------------------------------------------------------------


@pytest.mark.equation("LK", 12, 13)
def test_factor_three_halves_and_its_sign():
    """Normalized pairs see V_kk' + V_k,-k' = 2 V."""
    assert pairing_matrix(J_H, J_c=J_c) == pytest.approx(2 * 1.5 * KERNEL)
    assert pairing_constant(J_H, J_c=J_c) == pytest.approx(1.5 * KERNEL)
    assert pairing_constant(J_H, J_c=J_c) > 0  # repulsive between bands: opposite gap signs


@pytest.mark.equation("LK", 13)
def test_factor_from_the_fierz_identity():
    """-(J_H^2/J_c) s.s with s = sigma/2 on a spin pair, both orders of the two electrons."""
    dot = sum(np.kron(p, p) for p in PAULI).real / 4
    for state, channel in ((SINGLET, "singlet"), (abs(SINGLET), "triplet")):
        value = -2 * KERNEL * (state @ dot @ state)
        assert value == pytest.approx(pairing_constant(J_H, J_c=J_c, channel=channel))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("spin", "parity"), [("singlet", 1), ("triplet", -1)])
@pytest.mark.equation("LK", 12, 13)
def test_momentum_structure_for_arbitrary_vertices(seed, spin, parity):
    """V_k'k = V [f^a_k'k f^b_-k'-k + f^b_k'k f^a_-k'-k]/2: one event makes, one absorbs."""
    f_a, f_b = vertex(seed), vertex(seed + 100)
    constant = pairing_constant(J_H, J_c=J_c, channel=spin)

    def kernel(final, initial):
        first = f_a(final, initial) * f_b(-final, -initial)
        second = f_b(final, initial) * f_a(-final, -initial)
        return constant * (first + second) / 2

    expected = kernel(1, 1) + parity * kernel(1, -1)
    # With arbitrary vertices (k, -k) and (-k, k) differ; the pair averages over both.
    expected = (expected + kernel(-1, -1) + parity * kernel(-1, 1)) / 2
    assert pairing_matrix(J_H, J_c=J_c, f_a=f_a, f_b=f_b, spin=spin) == pytest.approx(expected)


@pytest.mark.equation("LK", 13)
def test_even_vertices_give_the_product_and_no_triplet_pairing():
    a, b = 0.35, -1.2
    value = pairing_matrix(J_H, J_c=J_c, f_a=even(a), f_b=even(b))
    assert value == pytest.approx(2 * pairing_constant(J_H, J_c=J_c) * (1 - a) * (1 - b))
    # Neither the mean of the squares nor the square of the mean.
    assert value != pytest.approx(pairing_constant(J_H, J_c=J_c) * ((1 - a) ** 2 + (1 - b) ** 2))
    triplet = pairing_matrix(J_H, J_c=J_c, f_a=even(a), f_b=even(b), spin="triplet")
    assert triplet == pytest.approx(0, abs=1e-14)


@pytest.mark.equation("LK", 12)
def test_second_order_meets_exact_diagonalization():
    f_a, f_b = vertex(7), vertex(8)
    for spin in ("singlet", "triplet"):
        limit = pairing_matrix(1.0, J_c=J_c, f_a=f_a, f_b=f_b, spin=spin)
        small, large = (
            pairing_matrix(j, J_c=J_c, f_a=f_a, f_b=f_b, spin=spin, method="exact") / j**2
            for j in (0.004, 0.008)
        )
        assert (4 * small - large) / 3 == pytest.approx(limit, rel=1e-3)


def test_no_pairing_within_a_band_at_this_order():
    """An alpha pair costs twice what one alpha electron does: nothing binds or repels."""
    coupling = interaction_hamiltonian(J_H, even(0.3), even(-0.4))
    # One electron: (3/4) from s.s, two momenta to go to, the vertex of its own T+ event.
    single = {"alpha": 0.7, "beta": 1.4}  # alpha leaves with f^a (s_betaalpha), beta with f^b
    for band, f in single.items():
        shift = -(np.linalg.norm(coupling @ pair_states(band)) ** 2) / J_c
        assert shift == pytest.approx(-2 * 2 * 0.75 * KERNEL * f**2)


def test_energy_transfer_enhances():
    for transfer in (0.05, 0.1, 0.2):
        matrix = pairing_matrix(J_H, J_c=J_c, offset=transfer)
        assert matrix / 2 == pytest.approx(pairing_constant(J_H, J_c=J_c, transfer=transfer))


def test_dispersion_against_exact_diagonalization_of_eight_dimers():
    """Static response of T + T+: intensity over energy, 1/J_c for a single dimer."""
    exact = exact_triplons(1.0, 1 / 16)
    harmonic = pairing_enhancement(MOMENTA, J_c=1.0, J_ab=1 / 16)
    np.testing.assert_allclose(exact.intensities / exact.energies, harmonic, rtol=0.02)
    assert harmonic.max() == pytest.approx(4 / 3)
    assert harmonic.min() == pytest.approx(4 / 5)
