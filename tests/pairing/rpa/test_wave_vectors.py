"""Modes of the susceptibility: their parity, and the bands that make them."""

from dataclasses import replace

import numpy as np
import pytest
from lattices import lattice, square_lattice
from scipy.special import expit

from nickbook.bands import FermiSea, four_band, zone_mesh
from nickbook.pairing import bare_susceptibility, fermi_patches, nesting
from nickbook.pairing.rpa import line_maxima, peaks

MU, T, L = 10.0975, 0.03, 48
BETA, HIGH, GAMMA, ALPHA = range(4)
#: On the mesh: Γ, X, M, and two points without symmetry.
Q = 2 * np.pi / L * np.array([[0, 0], [24, 0], [24, 24], [11, 3], [17, 9]])


@pytest.fixture(scope="module")
def chi0():
    return bare_susceptibility(four_band(), MU, temperature=T, mesh=L)


def test_momenta_off_the_mesh_differ_by_its_error(chi0):
    between = Q + 0.4 * 2 * np.pi / L * np.array([1.0, 0.7])
    found = nesting(chi0, between)
    expected = np.linalg.eigvalsh(chi0.on(between))[:, -1]
    assert found.eigenvalues == pytest.approx(expected, rel=chi0.mesh_error)
    # Without inversion, q and -q are told apart on the mesh and off it.
    hops = {(0, 0): np.diag([0.1, 0.6]), (1, 0): np.array([[-0.6, 0.5], [-0.15, 0.2]])}
    hops[0, 1] = np.array([[-0.4, 0.1], [0.3, -0.3]])
    skew = lattice(hops)
    chi = bare_susceptibility(skew, 0.0, temperature=0.1, mesh=32)
    q = 2 * np.pi / 32 * np.array([[5.0, 3.0], [-5.0, -3.0]])
    shifted, solved = nesting(chi, q), nesting(chi, q + 1e-7)
    assert np.abs(chi.on(q[0]) - chi.on(q[1])).max() > 1e-3
    assert shifted.contributions == pytest.approx(solved.contributions, abs=1e-6)
    assert shifted.eigenvalues == pytest.approx(np.linalg.eigvalsh(chi.on(q))[:, -1], abs=1e-9)


@pytest.mark.parametrize("parity", [0, 1, -1])
def test_contributions_add_up_to_the_eigenvalue_of_the_convolution(chi0, parity):
    found = nesting(chi0, Q, parity=parity)
    values = chi0.on(Q)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1)
    expected = np.einsum("qi,qij,qj->q", found.vectors.conj(), values, found.vectors).real
    assert found.eigenvalues == pytest.approx(expected, abs=1e-9)
    if not parity:
        assert found.eigenvalues == pytest.approx(np.linalg.eigvalsh(values)[:, -1], abs=1e-9)


def test_modes_need_no_time_reversal():
    hop = np.array([[-0.6, 0.5j], [0.2, 0.3]])
    magnet = lattice({(0, 0): np.diag([0.1, 0.6]), (1, 0): hop, (0, 1): hop.T * 0.7})
    chi = bare_susceptibility(magnet, 0.0, temperature=0.1, mesh=32)
    q = 2 * np.pi / 32 * np.array([[5.0, 3.0], [9.0, -4.0]])
    found = nesting(chi, q)
    swapped = found.vectors[:, [0, 2, 1, 3]]
    assert np.abs(np.abs((swapped.conj() * found.vectors).sum(-1)) - 1).min() > 1e-3
    assert found.eigenvalues == pytest.approx(np.linalg.eigvalsh(chi.on(q))[:, -1], abs=1e-9)


def test_larger_of_both_parities_is_the_leading_mode(chi0):
    even, odd = (nesting(chi0, Q, parity=p).eigenvalues for p in (1, -1))
    both = nesting(chi0, Q)
    assert both.eigenvalues == pytest.approx(np.maximum(even, odd), abs=1e-9)
    assert both.parity.tolist() == np.where(even > odd, 1, -1).tolist()


@pytest.mark.parametrize(
    ("m", "n"), [(GAMMA, GAMMA), (BETA, GAMMA), (ALPHA, GAMMA), (GAMMA, ALPHA), (BETA, BETA)]
)
def test_bands_contribute_what_the_definition_gives(chi0, m, n):
    """Term by term in k, from band m to band n and back."""
    found, (a, c), k = nesting(chi0, Q), chi0.pairs.T, zone_mesh(L)
    for q, mode, share in zip(Q, found.vectors, found.between(m, n), strict=True):
        expected = 0.0
        (e, u), (e_q, u_q) = (four_band().states(x) for x in (k, k + q))
        for one, two in {(m, n), (n, m)}:
            gap = e_q[..., two] - e[..., one]
            f, f_q = expit((MU - e[..., one]) / T), expit((MU - e_q[..., two]) / T)
            flat = np.abs(gap) < 1e-7
            ratio = np.where(flat, f * (1 - f) / T, (f - f_q) / np.where(flat, 1.0, gap))
            jumps = (u[..., a, one].conj() * u_q[..., c, two]) @ mode.conj()
            expected += (ratio * np.abs(jumps) ** 2).mean()
        assert share == pytest.approx(expected, abs=1e-9)


def test_mirror_forbids_half_of_the_band_pairs(chi0):
    same = np.equal.outer(*[np.array(chi0.sea.model.parity)] * 2)
    for parity, allowed in ((1, same), (-1, ~same)):
        found = nesting(chi0, Q, parity=parity)
        assert (found.parity == parity).all()
        assert np.abs(found.contributions[:, ~allowed]).max() < 1e-12
        assert found.contributions[:, allowed].min() >= 0


def test_uniform_response_of_a_band_is_its_fermi_line():
    model = four_band()
    chi0 = bare_susceptibility(model, MU, temperature=0.008, mesh=128)
    found = nesting(chi0, [[0.0, 0.0]], parity=1)
    mode = np.zeros((4, 4), complex)
    mode[tuple(chi0.pairs.T)] = found.vectors[0]
    patches = fermi_patches(model, MU, 64)
    for sheet in range(3):
        chosen = patches.sheet_index == sheet
        u = patches.states[chosen]
        seen = np.abs(np.einsum("pa,ac,pc->p", u.conj(), mode.conj(), u)) ** 2
        band = patches.sheets[sheet].band
        expected = patches.weights[chosen] @ seen
        # The density of states varies over the temperature, by a few per cent on γ.
        assert found.between(band, band)[0] == pytest.approx(expected, rel=0.03, abs=1e-3)


def test_one_band_has_one_contribution():
    chi0 = bare_susceptibility(square_lattice(), -0.7, temperature=0.2, mesh=32)
    q = zone_mesh(32)[3, :5]
    found = nesting(chi0, q)
    assert found.parity.tolist() == [0] * 5
    assert found.between(0, 0) == pytest.approx(chi0.values[3, :5, 0, 0].real, abs=1e-9)


def test_bad_input_is_named(chi0):
    with pytest.raises(ValueError, match="parity"):
        nesting(chi0, Q, parity=2)
    model = replace(four_band(), mirror=None, band_names=())
    flat = replace(chi0, sea=FermiSea(model, MU))
    with pytest.raises(ValueError, match="has no mirror; allowed: 0"):
        nesting(flat, Q, parity=1)
    assert nesting(flat, Q).parity.tolist() == [0] * len(Q)
    with pytest.raises(ValueError, match="q"):
        nesting(chi0, [[0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match="not closed under the mirror"):
        nesting(chi0.restricted([[0, 0]]), Q)


def bumps(*places):
    """Smooth map with a peak at each momentum, in units of π, and its images under the square."""
    k = zone_mesh(64) / np.pi
    signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    images = {(a * x, b * y) for u, v in places for x, y in ((u, v), (v, u)) for a, b in signs}
    away = [np.abs((k - q + 1) % 2 - 1) for q in images]
    return np.sum([np.exp(-(d**2).sum(-1) / 0.02) for d in away], axis=0)


def test_peaks_and_saddles_of_a_map():
    found = bumps((0.5, 0.125), (1, 0), (0.5, 0.5))
    assert peaks(found).tolist() == [[0.5, 0.125], [0.5, 0.5], [1, 0]]
    # Two peaks beside the line Γ–X make a maximum on it that is a saddle of the map.
    assert {(0.5, 0), (1, 0), (0.5, 0.5)} <= set(map(tuple, line_maxima(found).tolist()))
