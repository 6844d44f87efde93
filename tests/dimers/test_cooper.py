"""The pairing interaction by matrices: factor 3/2, signs, momentum structure, retardation."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import cg, eigsh

from nickbook.dimers import (
    SINGLET,
    annihilators,
    dispersive_kernel,
    exact_triplons,
    interaction_hamiltonian,
    pair_states,
    pairing_constant,
    pairing_enhancement,
    pairing_matrix,
    spin_from_triplons,
    triplon_creators,
)
from nickbook.dimers.cluster import MOMENTA, SITES, SPINS, _sector
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


def triplon_parts(states, q):
    """T + T+ and T - T+ of one component with momentum q on eight dimers, from spins."""
    real, imaginary = (sp.csr_array((len(states),) * 2, dtype=complex) for _ in range(2))
    for i, site in enumerate(SITES):
        phase = np.exp(1j * np.dot(q, site)) / np.sqrt(len(SITES))
        first, second = (((states >> (2 * i + layer)) & 1) - 0.5 for layer in (0, 1))
        real = real + phase * sp.diags_array(first - second)  # S_1z - S_2z
        # <s|T|t_z> = 1 with the phases of `triplon_creators`: T - T+ = |ud><du| - |du><ud|.
        down_up = np.flatnonzero(first < second)
        up_down = np.searchsorted(states, states[down_up] ^ (0b11 << (2 * i)))
        turn = sp.csr_array((np.ones(len(up_down)), (up_down, down_up)), shape=(len(states),) * 2)
        imaginary = imaginary + phase * (turn - turn.T)
    return real, imaginary


def test_parts_of_a_triplon_on_one_dimer():
    create = triplon_creators()[2]
    real, imaginary = create.T + create, create.T - create
    first, second = (np.diag([0.5, s, -s, -0.5]) for s in (0.5, -0.5))
    np.testing.assert_allclose(real, first - second, atol=1e-15)
    turn = np.zeros((4, 4))
    turn[1, 2], turn[2, 1] = 1, -1
    np.testing.assert_allclose(imaginary, turn, atol=1e-15)


def exchanged(kappa, ratio, momenta):
    """Second-order amplitude of pairs over its value without dispersion in f^a f^b/J_c."""
    states, rungs, planes = _sector(SPINS // 2)
    hamiltonian = sp.csr_array(rungs + ratio * planes)
    start = np.random.default_rng(0).normal(size=len(states))
    levels, vectors = eigsh(hamiltonian, k=1, which="SA", v0=start, tol=1e-13)
    raised = hamiltonian - levels[0] * sp.eye_array(len(states))
    found = []
    for q, forms in momenta:
        f_a, f_b = (1 - k * forms for k in kappa)
        total = 0.0
        for sign in (1, -1):  # either electron comes first
            (real, imaginary), (real_back, imaginary_back) = (
                triplon_parts(states, s * sign * q) for s in (1, -1)
            )
            there = (f_a + f_b) / 2 * real + (f_a - f_b) / 2 * imaginary
            back = (f_a + f_b) / 2 * real_back + (f_a - f_b) / 2 * imaginary_back
            image = there @ vectors[:, 0]
            solved, failed = cg(raised, image, rtol=1e-10)
            assert failed == 0
            total += (vectors[:, 0] @ (back @ solved)).real
        found.append(total / 2)
    return np.array(found)


@pytest.mark.equation("LK", 13)
def test_dispersive_kernel_against_exact_diagonalization_of_eight_dimers():
    """The part linear in J_ab with all its signs; the rest is quadratic."""
    kappa, step = (1.27, 0.443), 0.02
    pairs = [
        ((0.0, np.pi), (np.pi, 0.0)),
        ((0.4, 1.1), (0.4 + np.pi, 1.1)),
        ((np.pi, 0.3), (np.pi / 2, 0.3 + np.pi / 2)),
        ((2.9, 0.2), (2.9, 0.2)),
    ]
    eta = [[np.cos(k[0]) - np.cos(k[1]) for k in pair] for pair in pairs]
    momenta = [(np.subtract(p, k), x * y) for (k, p), (x, y) in zip(pairs, eta, strict=True)]
    k, p = np.array(pairs).swapaxes(0, 1)

    def formula(ratio):
        return dispersive_kernel(k, p, kappa=kappa, J_c=1.0, J_ab=ratio)

    plus, minus = (exchanged(kappa, s * step, momenta) for s in (1, -1))
    slope = (formula(step) - formula(-step)) / 2
    np.testing.assert_allclose((plus - minus) / 2, slope, atol=0.02 * np.abs(slope).max())
    scale = np.array([(1 + sum(kappa) / 2 * abs(f)) ** 2 for _, f in momenta])
    even = (formula(step) + formula(-step)) / 2
    assert (np.abs((plus + minus) / 2 - even) < 5 * step**2 * scale).all()
    product = [(1 - kappa[0] * f) * (1 - kappa[1] * f) for _, f in momenta]
    np.testing.assert_allclose(formula(0.0), product)
