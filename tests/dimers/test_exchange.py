"""Self-energies and Kondo couplings: matrices, symbols, Lehmann sums, exact diagonalization."""

import itertools
from dataclasses import astuple

import numpy as np
import pytest
import sympy
from scipy.sparse import eye_array
from scipy.sparse.linalg import eigsh

from nickbook.bands import eta_k
from nickbook.dimers import (
    HubbardDimer,
    annihilators,
    exact_couplings,
    hund_coupling,
    hybridization_for_splitting,
    hybridization_from_bands,
    kondo_couplings,
    kondo_weights,
    self_energies,
    self_energy_weights,
    virtual_energies,
    virtual_paths,
)
from nickbook.dimers.fock import effective_hamiltonian, restrict, second_order, sector
from nickbook.dimers.spins import PAULI

DIMER = HubbardDimer(t_c=0.6, U=5.0, level=-1.1)  # E_a = 0.5


def symbolic(table, energies):
    return sum(sympy.nsimplify(w) / energies[m] for m, w in table.items())


def richardson(dimer, name):
    """Limit of coupling/v**2 from two small hybridizations."""
    small, large = (getattr(exact_couplings(dimer, v), name) / v**2 for v in (0.01, 0.02))
    return (4 * small - large) / 3


# --- Eqs. 1 and 2 -------------------------------------------------------------------------


@pytest.mark.equation("LK", 1, 2)
def test_eq2_from_the_bonds_of_eq1():
    """Hop from z at i + delta to x at i, + along x and - along y, over all four neighbours."""
    size, t_xz = 6, 0.25
    hop = np.zeros((size, size, size, size))
    for x, y in np.ndindex(size, size):
        for step in (1, -1):
            hop[x, y, (x + step) % size, y] += t_xz
            hop[x, y, x, (y + step) % size] -= t_xz
    k = 2 * np.pi * np.arange(size) / size
    wave = np.exp(1j * np.outer(k, np.arange(size))) / np.sqrt(size)
    bloch = np.einsum("kx,ly,xyab,pa,qb->klpq", wave.conj(), wave.conj(), hop, wave, wave)
    expected = np.zeros_like(bloch)
    i, j = np.indices((size, size))
    expected[i, j, i, j] = 2 * t_xz * eta_k(np.stack([k[i], k[j]], axis=-1))
    np.testing.assert_allclose(bloch, expected, atol=1e-12)


# --- Eq. 3 --------------------------------------------------------------------------------


@pytest.mark.equation("LK", 3, 9)
def test_eq3_on_the_heisenberg_singlet_symbolically():
    """epsilon_alpha = 2 t^2 (1/E_b - 1/(U - E_b)); beta the same with E_a: channels swapped."""
    E_a, t_c, U = sympy.symbols("E_a t_c U", positive=True)
    E_b = E_a + 2 * t_c
    z = -E_a - t_c
    energies = {  # above two electrons at z, exchange energy neglected
        "b": (z - t_c) - 2 * z,
        "a": (z + t_c) - 2 * z,
        "bba": (3 * z + U - t_c) - 2 * z,
        "baa": (3 * z + U + t_c) - 2 * z,
    }
    weights = self_energy_weights(0.5)
    half = sympy.Rational(1, 2)
    for band, depth in (("alpha", E_b), ("beta", E_a)):
        expected = half * (1 / depth - 1 / (U - depth))
        assert sympy.simplify(symbolic(weights[band], energies) - expected) == 0
    kondo = kondo_weights(0.5)
    for name, depth, other in (("a", E_a, E_b), ("b", E_b, E_a)):
        expected = 1 / depth + 1 / (U - other)
        assert sympy.simplify(symbolic(kondo[name], energies) - expected) == 0


def test_derived_formulas_use_the_symbols():
    for t_xz, E_a, t_c, U in ((0.24, 0.5, 0.6, 5.0), (0.1, 1.3, 0.2, 4.0)):
        E_b = E_a + 2 * t_c
        parameters = {"t_xz": t_xz, "E_a": E_a, "t_c": t_c, "U": U}
        shifts = self_energies(**parameters, variant="heisenberg")
        assert shifts.alpha == pytest.approx(2 * t_xz**2 * (1 / E_b - 1 / (U - E_b)))
        assert shifts.beta == pytest.approx(2 * t_xz**2 * (1 / E_a - 1 / (U - E_a)))
        couplings = kondo_couplings(**parameters, variant="heisenberg")
        assert couplings.a == pytest.approx(4 * t_xz**2 * (1 / E_a + 1 / (U - E_b)))
        assert couplings.b == pytest.approx(4 * t_xz**2 * (1 / E_b + 1 / (U - E_a)))


@pytest.mark.equation("LK", 3, 10)
def test_printed_formulas():
    """Eqs. 3 and 10 as they stand, in numbers worked out by hand: E_a = 1, E_b = 2, U = 4."""
    parameters = {"t_xz": 0.5, "E_a": 1.0, "t_c": 0.5, "U": 4.0}
    assert astuple(self_energies(**parameters)) == pytest.approx((1 - 1 / 5, 1 / 2 - 1 / 6))
    assert astuple(kondo_couplings(**parameters)) == pytest.approx((1 + 1 / 5, 1 / 2 + 1 / 6))


@pytest.mark.equation("LK", 3)
def test_self_energy_is_the_lehmann_sum_of_the_dimer():
    """Sigma(0) = v^2 G(0) with the exact dimer propagator, built in the site basis."""
    c = annihilators(4)
    number = [x.T @ x for x in c]
    hop = sum(c[s].T @ c[s + 2] for s in (0, 1))
    full = DIMER.level * sum(number) - DIMER.t_c * (hop + hop.T)
    full = full + DIMER.U * (number[0] @ number[1] + number[2] @ number[3])
    dense = full.toarray()
    two = sector(4, 2)
    energies, vectors = np.linalg.eigh(restrict(full, two))
    ground = np.zeros(16, dtype=complex)
    ground[two] = vectors[:, 0]
    formula = self_energies(t_xz=0.5, E_a=0.5, variant="hubbard")
    for found, sign in ((formula.beta, 1), (formula.alpha, -1)):
        orbital = ((c[0] + sign * c[2]) / np.sqrt(2)).toarray()
        exact = 0.0
        for operator, side in ((orbital, 1), (orbital.T, -1)):
            image = operator @ ground
            resolvent = np.linalg.solve(dense - energies[0] * np.eye(16), image)
            exact += side * np.vdot(image, resolvent).real
        assert found == pytest.approx(exact)


@pytest.mark.parametrize(
    "dimer",
    [DIMER, HubbardDimer(0.1, 4.0, -1.0), HubbardDimer(0.9, 3.0, -1.6), HubbardDimer(0.6, 5, -2.5)],
)
@pytest.mark.equation("LK", 3, 9, 10)
def test_second_order_meets_exact_diagonalization(dimer):
    parameters = {"t_xz": 0.5, "E_a": -dimer.level - dimer.t_c, "t_c": dimer.t_c, "U": dimer.U}
    shifts = self_energies(**parameters, variant="hubbard")
    couplings = kondo_couplings(**parameters, variant="hubbard")
    assert richardson(dimer, "alpha") == pytest.approx(shifts.alpha, rel=3e-3, abs=3e-4)
    assert richardson(dimer, "beta") == pytest.approx(shifts.beta, rel=3e-3, abs=3e-4)
    assert richardson(dimer, "kondo_a") == pytest.approx(couplings.a, rel=3e-3)
    assert richardson(dimer, "kondo_b") == pytest.approx(couplings.b, rel=3e-3)


def cluster(dimer, v, electrons):
    """Energies of z1, z2 and a band orbital beside each, with their spins and parities."""
    c = annihilators(8)  # z1, z2, x1, x2, each up and down
    n = [o.T @ o for o in c]
    hop = sum(-dimer.t_c * c[s].T @ c[2 + s] for s in (0, 1))
    hop = hop + sum(v * c[4 + i].T @ c[i] for i in range(4))
    h = hop + hop.T + dimer.level * sum(n[:4]) + dimer.U * (n[0] @ n[1] + n[2] @ n[3])
    raised = sum(c[i].T @ c[i + 1] for i in range(0, 8, 2))
    spin = raised @ raised.T + raised.T @ raised
    # Each electron in (1 − 2)/√2 counts −1; the two odd orbitals commute with their mirror.
    odd = [(c[i] - c[i + 2]) / np.sqrt(2) for i in (0, 1, 4, 5)]
    mirror = eye_array(256)
    for o in odd:
        mirror = mirror @ (eye_array(256) - 2 * o.T @ o)
    states = sector(8, electrons, up=2 if electrons == 3 else 1)
    # Small unlike multiples part levels of unlike spin or parity that coincide.
    marks = restrict(spin, states), restrict(mirror, states)
    levels, vectors = np.linalg.eigh(restrict(h, states) + 1e-9 * (marks[0] + 0.3 * marks[1]))
    kinds = [np.einsum("ia,ij,ja->a", vectors.conj(), mark, vectors).real for mark in marks]
    return levels, *kinds


@pytest.mark.parametrize("v", [0.02, 0.2, 0.5])
@pytest.mark.parametrize("level", [-1.1, -1.7])
@pytest.mark.equation("LK", 3, 9)
def test_couplings_give_the_exact_levels_at_any_hybridization(v, level):
    """Band electron on the singlet, and spin 1/2 with the triplet: two levels of each parity.

    The first lies at the shift of its band, and T·s or its adjoint joins both with √3/2 times the
    coupling, so that its distances from the two exact levels multiply to minus that squared.
    """
    dimer = HubbardDimer(t_c=0.6, U=5.0, level=level)
    exact = exact_couplings(dimer, v)
    vacuum = cluster(dimer, v, 2)[0][0]
    levels, spin, mirror = cluster(dimer, v, 3)
    found = ((1, exact.beta, exact.kondo_b), (-1, exact.alpha, exact.kondo_a))
    for parity, shift, coupling in found:
        # S₊S₋ + S₋S₊ is 2S(S + 1) − 1/2, which is one in a doublet.
        own = levels[np.isclose(spin, 1) & np.isclose(mirror, parity)][:2] - vacuum
        assert np.prod(shift - own) == pytest.approx(-3 / 4 * coupling**2, rel=1e-5, abs=1e-9)
        assert coupling > 0


def ring(dimer, t_x, electrons, up):
    """Two dimers in a ring, each next to the other twice: v_k = 2 t_x cos k = +-2 t_x."""
    c = annihilators(16)  # cell, orbital z1 z2 x1 x2, spin

    def mode(cell, orbital, spin):
        return c[8 * cell + 2 * orbital + spin]

    hops = [(-dimer.t_c, mode(r, 0, s), mode(r, 1, s)) for r, s in np.ndindex(2, 2)]
    places = np.ndindex(2, 2, 2)
    hops += [(2 * t_x, mode(r, 2 + i, s), mode(1 - r, i, s)) for r, i, s in places]
    half = sum(t * (p.T @ q) for t, p, q in hops)
    total = half + half.T
    for r, i in np.ndindex(2, 2):
        above, below = (z.T @ z for z in (mode(r, i, 0), mode(r, i, 1)))
        total = total + dimer.level * (above + below) + dimer.U * (above @ below)
    states = sector(16, electrons, up=up)
    return total[states][:, states]


@pytest.mark.equation("LK", 3)
def test_lattice_of_dimers_shifts_every_momentum_by_its_own_v_squared():
    """Four Bloch levels (two momenta, two parities) above four z electrons."""
    t_x = 0.005
    start = np.random.default_rng(1).normal(size=2000)

    def lowest(electrons, up, k):
        block = ring(DIMER, t_x, electrons, up)
        values = eigsh(block, k=k, which="SA", ncv=60, v0=start[: block.shape[0]], tol=1e-13)[0]
        return np.sort(values)

    vacuum = lowest(4, 2, 1)[0]
    levels = (lowest(5, 3, 4) - vacuum) / (2 * t_x) ** 2
    shifts = self_energies(t_xz=0.5, E_a=0.5, variant="hubbard")
    np.testing.assert_allclose(levels[:2], shifts.alpha, atol=2e-3)
    np.testing.assert_allclose(levels[2:], shifts.beta, atol=2e-3)


@pytest.mark.parametrize("variant", ["heisenberg", "hubbard"])
@pytest.mark.equation("LK", 3)
def test_the_even_band_is_pushed_up_more_at_every_depth(variant):
    """Opposite to Eq. 3: removing an a electron from the singlet leaves the costly a state."""
    for t_c, share in itertools.product((0.1, 0.3, 0.6), np.linspace(0.01, 0.99, 40)):
        parameters = {"t_xz": 0.2, "E_a": share * (5 - 2 * t_c), "t_c": t_c}
        shifts, printed = self_energies(**parameters, variant=variant), self_energies(**parameters)
        assert shifts.beta > shifts.alpha
        assert printed.alpha > printed.beta


def test_free_electrons_agree_that_the_even_band_goes_up():
    """U = 0, b full and a empty: the weights become those of two-level repulsion."""
    v = 1e-3
    energies = virtual_energies(HubbardDimer(t_c=0.6, U=0.0, level=0.2))  # b at -0.4, a at +0.8
    weights = self_energy_weights(1.0)
    assert weights == {"alpha": {"bba": -1.0}, "beta": {"b": 1.0}}
    even = np.linalg.eigvalsh([[-0.4, v], [v, 0.0]])[1] / v**2
    odd = np.linalg.eigvalsh([[0.8, v], [v, 0.0]])[0] / v**2
    assert 1 / energies["b"] == pytest.approx(even, rel=1e-4)
    assert -1 / energies["bba"] == pytest.approx(odd, rel=1e-4)
    assert even > 0 > odd


@pytest.mark.equation("LK", 5)
def test_common_shift_is_absorbed_by_the_other_band_parameters():
    """eta^2 = 1 - 2 gamma_2 + gamma_3: only epsilon_alpha - epsilon_beta is observable."""
    kx, ky = sympy.symbols("k_x k_y")
    eta = sympy.cos(kx) - sympy.cos(ky)
    gamma_2 = sympy.cos(kx) * sympy.cos(ky)
    gamma_3 = (sympy.cos(2 * kx) + sympy.cos(2 * ky)) / 2
    difference = sympy.expand(sympy.expand_trig(eta**2 - (1 - 2 * gamma_2 + gamma_3)))
    assert sympy.simplify(difference) == 0


# --- Eqs. 6-10 ----------------------------------------------------------------------------


def test_hund_splitting_is_twice_the_coupling():
    energies = np.linalg.eigvalsh(-2 * 0.4 * sum(np.kron(s, s) for s in PAULI / 2))
    assert energies[3] - energies[0] == pytest.approx(2 * 0.4)


@pytest.mark.equation("LK", 10)
def test_kondo_couplings_join_the_single_site_limit():
    """t_c = 0: two Anderson impurities, J = 2 v^2 (1/E + 1/(U - E)) for S . s, halved by Eq. 7."""
    E, U, v = 1.3, 4.0, 0.01
    c = annihilators(4)  # z up, z down, x up, x down
    number = [o.T @ o for o in c]
    free = -E * (number[0] + number[1]) + U * number[0] @ number[1]
    hop = c[2].T @ c[0] + c[3].T @ c[1]
    two = sector(4, 2)
    energies = np.linalg.eigvalsh(restrict(free + v * (hop + hop.T), two))
    # Ascending: the exchange singlet, three triplets (which do not move), then charge states.
    splitting = (energies[1] - energies[0]) / v**2
    assert splitting == pytest.approx(2 * (1 / E + 1 / (U - E)), rel=1e-3)
    couplings = kondo_couplings(t_xz=0.5, E_a=E, t_c=0.0, U=U, variant="heisenberg")
    assert astuple(couplings) == pytest.approx((splitting / 2, splitting / 2), rel=1e-3)
    assert couplings.a > 0  # antiferromagnetic, as Eq. 9 has it


@pytest.mark.equation("LK", 9, 10)
def test_printed_assignment_of_the_two_kondo_couplings():
    """T goes with the cheap path (b left behind), T+ with the costly one; both positive."""
    for n in (0.5, DIMER.bonding_occupation):
        weights = kondo_weights(n)
        assert set(weights["a"]) == {"b", "bba"}
        assert set(weights["b"]) == {"a", "baa"}
        assert weights["a"]["b"] == pytest.approx(np.sqrt(2 * n))
        assert weights["b"]["a"] == pytest.approx(np.sqrt(2 * (1 - n)))
    energies = virtual_energies(DIMER, start="triplet")
    assert energies["b"] == pytest.approx(0.5)
    assert energies["a"] == pytest.approx(1.7)
    for variant, E_a in itertools.product(("printed", "heisenberg", "hubbard"), (0.2, 0.5, 2.0)):
        couplings = kondo_couplings(t_xz=0.2, E_a=E_a, variant=variant)
        assert couplings.a > couplings.b > 0


@pytest.mark.equation("LK", 9)
def test_process_of_fig_1d():
    """|singlet; beta up> -> |t_+1; alpha down>, through an a electron or a b hole only."""
    names = ("b", "a", "beta", "alpha")
    c = dict(zip(names, zip(*[iter(annihilators(8))] * 2, strict=True), strict=True))
    vacuum = np.eye(256)[0]

    def fill(*modes):
        state = vacuum
        for orbital, spin in reversed(modes):
            state = c[orbital][spin].T @ state
        return state

    def start(orbital, spin):
        band = (orbital, spin)
        pairs = fill(band, ("b", 0), ("b", 1)) - fill(band, ("a", 0), ("a", 1))
        return pairs / np.sqrt(2)

    hop = sum(c[x][s].T @ c[z][s] for x, z in (("beta", "b"), ("alpha", "a")) for s in (0, 1))
    hop = hop + hop.T
    count = {m: sum(o.T @ o for o in c[m]).diagonal() for m in ("b", "a")}

    def paths(final, initial):
        middle = (hop @ final) * (hop @ initial)
        kinds = {(int(count["b"][i]), int(count["a"][i])) for i in np.flatnonzero(middle)}
        return kinds, -middle.sum()

    # LK: T+ with alpha+_down beta_up, the coupling J_b; |T+.s| = 1/sqrt(2) for S_z = 1.
    kinds, amplitude = paths(fill(("alpha", 1), ("a", 0), ("b", 0)), start("beta", 0))
    assert kinds == {(0, 1), (1, 2)}
    named = virtual_paths(("s", "beta up"), ("t+", "alpha down"))
    assert set(named) == {{(0, 1): "a", (1, 2): "baa"}[kind] for kind in kinds}
    weight = sum(kondo_weights()["b"].values())
    assert abs(amplitude) == pytest.approx(weight / np.sqrt(2))
    # No triplon of S_z = +1 without a spin flip, nor within one band.
    assert not paths(fill(("alpha", 0), ("a", 0), ("b", 0)), start("beta", 0))[0]
    assert not paths(fill(("beta", 1), ("a", 0), ("b", 0)), start("beta", 0))[0]
    # The partner beta+_down alpha_up makes the triplon through the cheap states, J_a.
    kinds, _ = paths(fill(("beta", 1), ("a", 0), ("b", 0)), start("alpha", 0))
    assert kinds == {(1, 0), (2, 1)}


# --- parameters ---------------------------------------------------------------------------


def test_fit_to_the_bands_of_fig_2():
    fit = hybridization_from_bands(0.4, 0.1)
    assert astuple(fit) == pytest.approx((0.52488, 0.24083), abs=1e-5)
    shifts = self_energies(t_xz=fit.t_xz, E_a=fit.E_a)
    assert astuple(shifts) == pytest.approx((0.4, 0.1))
    couplings = kondo_couplings(t_xz=fit.t_xz, E_a=fit.E_a)
    assert astuple(couplings) == pytest.approx((0.48398, 0.16900), abs=1e-5)
    assert hund_coupling(couplings, kappa=0.75) == pytest.approx(0.38132, abs=1e-5)
    assert 2 * fit.t_xz * 2 / fit.E_a == pytest.approx(1.835, abs=1e-3)  # eta = 2: not small


@pytest.mark.parametrize("variant", ["heisenberg", "hubbard"])
@pytest.mark.parametrize("pair", [(0.4, 0.1), (0.1, 0.4)])
def test_derived_forms_cannot_give_both_coefficients(variant, pair):
    with pytest.raises(ValueError, match="no level depth"):
        hybridization_from_bands(*pair, variant=variant)


def test_splitting_fixes_the_hopping():
    for variant in ("printed", "heisenberg", "hubbard"):
        t_xz = hybridization_for_splitting(0.3, E_a=0.5, variant=variant)
        shifts = self_energies(t_xz=t_xz, E_a=0.5, variant=variant)
        assert abs(shifts.alpha - shifts.beta) == pytest.approx(0.3)


# --- the Fock-space tool ------------------------------------------------------------------


def test_anticommutators():
    c = annihilators(3)
    for i, x in enumerate(c):
        for j, y in enumerate(c):
            np.testing.assert_allclose((x @ y + y @ x).toarray(), 0, atol=0)
            np.testing.assert_allclose((x @ y.T + y.T @ x).toarray(), np.eye(8) * (i == j))


def test_second_order_is_the_limit_of_the_exact_projection():
    rng = np.random.default_rng(3)
    free = np.diag([0.0, 0.3, 1.5, 2.0, 2.7])
    coupling = rng.normal(size=(5, 5)) + 1j * rng.normal(size=(5, 5))
    coupling = coupling + coupling.conj().T
    model = np.eye(5)[:, :2]
    for size in (1e-2, 1e-3):
        exact = effective_hamiltonian(free + size * coupling, model)
        approximate = second_order(free, size * coupling, model)
        assert np.abs(exact - approximate).max() < 100 * size**3
    np.testing.assert_allclose(
        np.linalg.eigvalsh(exact), np.linalg.eigvalsh(free + size * coupling)[:2], atol=1e-12
    )
