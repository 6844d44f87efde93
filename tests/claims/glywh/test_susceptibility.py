"""Second routes to what the ledger says about nesting and pairing by spin fluctuations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

import nickbook.claims.glywh.susceptibility as rows
from nickbook.bands import FermiSea, FourBandParameters, four_band, zone_mesh
from nickbook.pairing import bare_susceptibility, kanamori, stoner_point

MODEL, MU = four_band(), rows.at_three().mu


def plain_sum(chi0, q, between=None):
    """Matrix at one momentum by the double sum over bands, or two of them, at each k."""
    k = zone_mesh(chi0.mesh).reshape(-1, 2)
    here, there = (chi0.sea.model.states(x) for x in (k, k + q))
    couples = {between, between[::-1]} if between else [(slice(None), slice(None))]
    return sum(_part(chi0, here, there, *couple) for couple in couples)


def _part(chi0, here, there, m, n):
    """Sum over some bands at k and some at k + q."""
    m, n = (np.arange(here[0].shape[1])[x].reshape(-1) for x in (m, n))
    (e1, u1), (e2, u2) = (here[0][:, m], here[1][..., m]), (there[0][:, n], there[1][..., n])
    f1, f2 = (expit(-(e - chi0.sea.mu) / chi0.temperature) for e in (e1, e2))
    gap = e2[:, None, :] - e1[:, :, None]
    flat = np.abs(gap) < 1e-9
    slope = (f1 * (1 - f1))[:, :, None] / chi0.temperature
    jump = (f1[:, :, None] - f2[:, None, :]) / np.where(flat, 1, gap)
    weight = np.where(flat, slope, jump)
    a, c = chi0.pairs.T
    x = u1.conj()[:, a][..., :, None] * u2[:, c][..., None, :]
    x = x.transpose(1, 0, 2, 3).reshape(len(a), -1)
    return (x * weight.ravel()) @ x.conj().T / len(weight)


def test_eigenvalues_are_those_of_the_plain_sum():
    chi0 = bare_susceptibility(MODEL, MU, temperature=rows.COLD, mesh=128)
    for q in np.pi * np.array([[0.4375, 0], [1, 0], [0.5, 0.5], [1, 1]]):
        found = np.linalg.eigvalsh(chi0.on(q))
        assert found == pytest.approx(np.linalg.eigvalsh(plain_sum(chi0, q)), abs=1e-8)


def height(chi0, q):
    """Largest eigenvalue of the plain sum at a momentum in units of π."""
    return np.linalg.eigvalsh(plain_sum(chi0, np.pi * np.array(q)))[-1]


def test_first_peak_is_a_saddle_on_the_way_to_the_third():
    # The plain sum at 5 meV on another mesh: lower on both sides along Γ–X, higher across it.
    chi0 = bare_susceptibility(MODEL, MU, temperature=rows.COLD, mesh=160)
    heights = {q: height(chi0, q) for q in ((0.46, 0), (0.36, 0), (0.56, 0), (0.46, 0.1))}
    top = heights[0.46, 0]
    assert top > heights[0.36, 0] + 0.005 and top > heights[0.56, 0] + 0.02
    assert top + 0.001 < heights[0.46, 0.1] < height(chi0, (0.46, 0.3)) - 0.01


@pytest.mark.parametrize(("first", "peak"), [((0.024, -0.009), True), ((0.024, 0.024), False)])
def test_only_one_reading_of_eq_11_has_the_first_peak(first, peak):
    """Plain sums on both sides of q1 along Γ–X, for the two readings with three pockets."""
    s22, s12 = first
    model = four_band(replace(FourBandParameters(), s22_xx=s22, s12_xx=s12))
    sea = FermiSea.at(model, filling=3)
    assert [sheet.name for sheet in sea.sheets] == ["β", "γ", "α"]
    chi0 = bare_susceptibility(sea, temperature=rows.COLD, mesh=160)
    before, at, after = (height(chi0, (x, 0)) for x in (0.36, 0.46, 0.56))
    assert (at > max(before, after)) == peak


@pytest.mark.parametrize(
    ("temperature", "place", "mesh"), [(0.005, (0.47, 0.47), 160), (0.01, (0.47, 0.355), 120)]
)
def test_third_peak_is_higher_than_all_round_it(temperature, place, mesh):
    chi0 = bare_susceptibility(MODEL, MU, temperature=temperature, mesh=mesh)
    top = height(chi0, place)
    angles = np.arange(8) * np.pi / 4
    ring = np.array(place) + 0.08 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    assert top > max(height(chi0, q) for q in ring) + 0.0005
    assert rows.peak_of("q3", None, temperature) == pytest.approx(place, abs=0.01)


@pytest.mark.parametrize("electrons", [2.8, 2.87, 2.94, 3.0])
def test_first_peak_follows_the_diameter_of_beta(electrons):
    sea = FermiSea.at(MODEL, filling=electrons)
    beta = sea.sheets[0]
    across = np.abs(beta.points[:, 0] - beta.center_point[0]).max() / np.pi
    x = rows.place(bare_susceptibility(sea, temperature=0.01, mesh=96), 0.35, 0.6)
    assert x == pytest.approx(2 - 2 * across, abs=0.015)


@pytest.mark.parametrize(
    ("temperature", "place"), [(0.005, (0.46875, 0.46875)), (0.01, (0.46875, 0.354))]
)
def test_third_peak_is_made_by_gamma_in_every_reading_and_never_by_alpha_and_gamma(
    temperature, place
):
    beta, _, gamma, alpha = range(4)
    chi0 = bare_susceptibility(MODEL, MU, temperature=temperature, mesh=192)
    density_pairs = [list(map(tuple, chi0.pairs.tolist())).index((a, a)) for a in range(4)]
    around = np.array([[0, 0], [0.1, 0.1], [-0.1, -0.1], [0.1, -0.1], [-0.1, 0.1]])
    q = np.pi * (np.array(place) + around)
    mode = np.linalg.eigh(chi0.on(q[0]))[1][:, -1]
    rises = {}
    for name, pair in {"ββ": (beta, beta), "γγ": (gamma, gamma), "αγ": (alpha, gamma)}.items():
        onsite = np.array([plain_sum(chi0, point, pair) for point in q])
        density = onsite[:, density_pairs][:, :, density_pairs]
        readings = {
            "leading mode": np.einsum("i,qij,j->q", mode.conj(), onsite, mode).real,
            "pairs on a Ni": np.linalg.eigvalsh(onsite)[:, -1],
            "densities": np.linalg.eigvalsh(density)[:, -1],
            "sum": density.sum(axis=(-2, -1)).real,
            "trace": np.trace(density, axis1=-2, axis2=-1).real,
        }
        rises[name] = {r: z[0] - z[1:].mean() for r, z in readings.items()}
    assert min(rises["γγ"].values()) > 0.025
    assert min(rises["ββ"].values()) > 0.01
    for reading, rise in rises["αγ"].items():
        assert abs(rise) < 0.12 * rises["γγ"][reading], reading


def test_parts_of_a_mode_are_sums_over_two_bands(monkeypatch):
    """Shares and rises as `origin` reports them, from plain sums in the same mode."""
    warm = 0.03
    monkeypatch.setitem(rows.MESHES, warm, 60)  # holds all of these momenta
    point = np.array([0.5, 0.3])
    around = np.array([[0, 0], [0.1, 0.1], [-0.1, -0.1]])
    found = rows.origin(tuple(point), (1, 1), temperature=warm)
    chi0 = rows.chi0_at(rows.at_three(), warm)
    here = [chi0.on(np.pi * (point + step)) for step in around]
    modes = [mode_of_parity(chi0, matrix, found["parity"]) for matrix in here]
    values = [(v.conj() @ m @ v).real for v, m in zip(modes, here, strict=True)]
    for a, b in rows.COUPLES:
        pair = rows.SHEETS[a], rows.SHEETS[b]
        parts = [
            (v.conj() @ plain_sum(chi0, np.pi * (point + step), pair) @ v).real
            for v, step in zip(modes, around, strict=True)
        ]
        assert found["share"][a + b] == pytest.approx(parts[0] / values[0], abs=1e-8)
        assert found["rise"][a + b] == pytest.approx(parts[0] - np.mean(parts[1:]), abs=1e-8)


def mode_of_parity(chi0, matrix, parity):
    """Leading mode among those that an exchange of the layers multiplies by a sign."""
    swapped = [chi0.pairs.tolist().index([(a + 2) % 4, (c + 2) % 4]) for a, c in chi0.pairs]
    exchange = np.eye(len(swapped))[swapped]
    values, vectors = np.linalg.eigh(exchange)
    basis = vectors[:, np.isclose(values, parity)]
    return basis @ np.linalg.eigh(basis.T @ matrix @ basis)[1][:, -1]


def test_first_divergence_at_50_mev_is_at_q2():
    chi0 = bare_susceptibility(MODEL, MU, temperature=0.05, mesh=48)
    vertex = kanamori(MODEL.sites, U=1.0, J=rows.HUND).vertex("spin", chi0.pairs)
    third = 2 / 3
    places = [(0, 0), (11 / 24, 0), (1, 0), (0.5, 0.5), (third, third), (1, 1)]
    strengths = {
        q: np.linalg.eigvals(vertex @ plain_sum(chi0, np.pi * np.array(q))).real.max()
        for q in places
    }
    assert max(strengths, key=strengths.get) == (1, 0)
    point = stoner_point(chi0, kanamori(MODEL.sites, U=1.0, J=rows.HUND))
    assert point.scale == pytest.approx(1 / strengths[1, 0], rel=1e-6)


@pytest.mark.parametrize(("kept", "sign"), [(1, -1), (0, 1)])
def test_signs_follow_from_the_scattering_between_beta_and_gamma(kept, sign):
    # One gap a sheet, and the average vertex between and within sheets, with or without β–γ.
    scattering = rows.scattering_at(MODEL, 3.0)
    patches = scattering.patches
    U = rows.SHARE * rows.critical(scattering)
    v = scattering.vertex(kanamori(MODEL.sites, U=U, J=rows.HUND * U))
    weights = np.array([patches.weights * (patches.sheet_index == i) for i in range(3)])
    states = weights.sum(axis=1)
    average = weights @ v @ weights.T / np.sqrt(np.outer(states, states))
    average[[0, 1], [1, 0]] *= kept
    strengths, vectors = np.linalg.eigh(-average)
    beta, gamma, _ = vectors[:, -1]
    assert strengths[-1] > 0
    assert beta * gamma * sign > 0
