"""Verdicts on GLYWH's nesting and on pairing by spin fluctuations follow from the physics."""

import numpy as np
import pytest
from scipy.special import expit

import nickbook.claims.glywh.susceptibility as judges
from nickbook.bands import chemical_potential, fermi_sheets, zone_mesh
from nickbook.claims import ledger
from nickbook.pairing import GapFunction, PairingState, bare_susceptibility

# Second routes.


def plain_sum(chi0, q):
    """Matrix at one momentum by the double sum over bands at each k."""
    k = zone_mesh(chi0.mesh).reshape(-1, 2)
    h = chi0.model.hamiltonian
    (e1, u1), (e2, u2) = (np.linalg.eigh(h(x)) for x in (k, k + q))
    f1, f2 = (expit(-(e - chi0.mu) / chi0.temperature) for e in (e1, e2))
    gap = e2[:, None, :] - e1[:, :, None]
    flat = np.abs(gap) < 1e-9
    slope = (f1 * (1 - f1))[:, :, None] / chi0.temperature
    jump = (f1[:, :, None] - f2[:, None, :]) / np.where(flat, 1, gap)
    weight = np.where(flat, slope, jump)
    a, c = chi0.pairs.T
    x = u1.conj()[:, a][..., :, None] * u2[:, c][..., None, :]
    x = x.transpose(1, 0, 2, 3).reshape(len(a), -1)
    return (x * weight.ravel()) @ x.conj().T / len(k)


def test_eigenvalues_are_those_of_the_plain_sum():
    chi0 = judges.on_site()
    for q in np.pi * np.array([[0.4375, 0], [1, 0], [0.5, 0.5], [1, 1]]):
        found = np.linalg.eigvalsh(chi0.on(q))
        assert found == pytest.approx(np.linalg.eigvalsh(plain_sum(chi0, q)), abs=1e-8)


def height(chi0, q):
    """Largest eigenvalue of the plain sum at a momentum in units of π."""
    return np.linalg.eigvalsh(plain_sum(chi0, np.pi * np.array(q)))[-1]


def test_first_peak_is_a_saddle_on_the_way_to_the_third():
    # The plain sum at 5 meV on another mesh: lower on both sides along Γ–X, higher across it.
    chi0 = bare_susceptibility(judges.MODEL, judges.mu_of(3.0), judges.TEMPERATURE, 300)
    heights = {q: height(chi0, q) for q in ((0.46, 0), (0.36, 0), (0.56, 0), (0.46, 0.1))}
    top = heights[0.46, 0]
    assert top > heights[0.36, 0] + 0.005 and top > heights[0.56, 0] + 0.02
    assert top + 0.001 < heights[0.46, 0.1] < height(chi0, (0.46, 0.3)) - 0.01


@pytest.mark.parametrize(
    ("temperature", "place", "mesh"), [(0.005, (0.47, 0.47), 300), (0.01, (0.47, 0.355), 200)]
)
def test_third_peak_is_higher_than_all_round_it(temperature, place, mesh):
    chi0 = bare_susceptibility(judges.MODEL, judges.mu_of(3.0), temperature, mesh)
    top = height(chi0, place)
    angles = np.arange(8) * np.pi / 4
    ring = np.array(place) + 0.08 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    assert top > max(height(chi0, q) for q in ring) + 0.0005
    assert np.array(judges.peak_of("q3", temperature=temperature)) / np.pi == pytest.approx(
        np.array(place), abs=0.01
    )


@pytest.mark.parametrize("electrons", [2.8, 2.87, 2.94, 3.0])
def test_first_peak_follows_the_diameter_of_beta(electrons):
    mu = chemical_potential(judges.MODEL, electrons)
    beta = fermi_sheets(judges.MODEL, mu)[0]
    across = np.abs(beta.points[:, 0] - beta.center_point[0]).max() / np.pi
    chi0 = bare_susceptibility(judges.MODEL, mu, 0.01, 96)
    x = judges.place(chi0, (1, 0), 0.35, 0.6)
    assert x == pytest.approx(2 - 2 * across, abs=0.015)


@pytest.mark.parametrize(
    ("temperature", "place"), [(0.005, (0.46875, 0.46875)), (0.01, (0.46875, 0.354))]
)
def test_third_peak_is_made_by_gamma_in_every_reading_and_never_by_alpha_and_gamma(
    temperature, place
):
    beta, _, gamma, alpha = range(4)
    model, mu = judges.MODEL, judges.mu_of(3.0)
    around = np.array([[0, 0], [0.1, 0.1], [-0.1, -0.1], [0.1, -0.1], [-0.1, 0.1]])
    q = np.pi * (np.array(place) + around)
    mode = np.linalg.eigh(bare_susceptibility(model, mu, temperature, 192).on(q[0]))[1][:, -1]
    rises = {}
    for name, (m, n) in {"ββ": (beta, beta), "γγ": (gamma, gamma), "αγ": (alpha, gamma)}.items():
        sides = {((m,), (n,)), ((n,), (m,))}
        parts = [bare_susceptibility(model, mu, temperature, 192, bands=s) for s in sides]
        onsite, density = (
            sum(part.restricted(p).on(q) for part in parts) for p in ("on-site", "density")
        )
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


def test_first_divergence_at_50_mev_is_at_q2():
    chi0 = judges.chi0_at(judges.mu_of(3.0), 0.05, 48)
    vertex = judges.kanamori(judges.MODEL.sites, U=1.0, J=judges.HUND).vertex("spin", chi0.pairs)
    third = 2 / 3
    places = [(0, 0), (11 / 24, 0), (1, 0), (0.5, 0.5), (third, third), (1, 1)]
    strengths = {
        q: np.linalg.eigvals(vertex @ plain_sum(chi0, np.pi * np.array(q))).real.max()
        for q in places
    }
    assert max(strengths, key=strengths.get) == (1, 0)
    point = judges.stoner_point(chi0, judges.kanamori(judges.MODEL.sites, U=1.0, J=judges.HUND))
    assert point.scale == pytest.approx(1 / strengths[1, 0], rel=1e-6)


@pytest.mark.parametrize(("kept", "sign"), [(1, -1), (0, 1)])
def test_signs_follow_from_the_scattering_between_beta_and_gamma(kept, sign):
    # One gap a sheet, and the average vertex between and within sheets, with or without β–γ.
    scattering = judges.scattering_at(3.0)
    patches = scattering.patches
    U = 0.8 * judges.stoner()
    v = scattering.vertex(judges.kanamori(judges.MODEL.sites, U=U, J=judges.HUND * U))
    weights = np.array([patches.weights * (patches.sheet_index == i) for i in range(3)])
    states = weights.sum(axis=1)
    average = weights @ v @ weights.T / np.sqrt(np.outer(states, states))
    average[[0, 1], [1, 0]] *= kept
    strengths, vectors = np.linalg.eigh(-average)
    beta, gamma, _ = vectors[:, -1]
    assert strengths[-1] > 0
    assert beta * gamma * sign > 0


# Another physics, by the name of what it replaces, and the verdict that must follow.


def on_map(shift):
    """Positions of a peak at three electrons and at the printed chemical potential."""
    return lambda _, mu=None, **__: (np.pi * (shift if mu is None else 0.3),) * 2


def bumps(*places):
    """Smooth map with a peak at each momentum, in units of π, and its images."""
    k = zone_mesh(64) / np.pi
    images = {
        (a * x, b * y)
        for u, v in places
        for x, y in ((u, v), (v, u))
        for a in (1, -1)
        for b in (1, -1)
    }
    away = [np.abs((k - q + 1) % 2 - 1) for q in images]
    return {"one": np.sum([np.exp(-(d**2).sum(-1) / 0.02) for d in away], axis=0)}


def states_with(values, change=lambda v: v):
    """Pairing states with given eigenvalues in two channels."""

    def solve(*_, **__):
        gap = judges.linearized_gap(
            judges.scattering_at(3.0), judges.kanamori(judges.MODEL.sites, U=1.0, J=0.1)
        )
        known = {s.gap.channel: s for s in gap}
        found = {}
        for channel, value in values.items():
            shape = known[channel].gap
            shape = GapFunction(shape.sheets, change(shape.values), channel)
            found[channel] = PairingState(value, "singlet", shape)
        return found

    return solve


def same_sign(values):
    return tuple(np.abs(v) for v in values)


def one_sign_each(values):
    return tuple(sign * np.abs(v) for sign, v in zip((-1, 1, 1), values, strict=True))


#: Name: row, replaced function, replacement, verdict.
CHANGES = {
    "one map": (
        "fig2d-matrix",
        "readings",
        lambda: bumps((0.47, 0), (1, 0), (0.5, 0.5)),
        "reproduced",
    ),
    "first peak a saddle between two": (
        "fig2d-matrix",
        "readings",
        lambda: bumps((0.47, 0.16), (1, 0), (0.5, 0.5)),
        "with caveat",
    ),
    "no map": (
        "fig2d-matrix",
        "readings",
        lambda: bumps((0.47, 0), (0.5, 0.5), (1, 1)),
        "not as written",
    ),
    "first peak elsewhere": ("fig2d-q1", "peak_of", on_map(0.44), "not as written"),
    "first peak at both but a saddle": (
        "fig2d-q1",
        "peak_of",
        lambda *_: (0.47 * np.pi, 0),
        "with caveat",
    ),
    "first peak a peak but at one": ("fig2d-q1", "drop_across", lambda _: 0.01, "with caveat"),
    "second peak elsewhere": ("fig2d-q2", "peak_of", on_map(0.9), "not as written"),
    "second peak at both": ("fig2d-q2", "peak_of", lambda *_: (np.pi, 0), "reproduced"),
    "third peak elsewhere": ("fig2d-q3", "peak_of", on_map(0.3), "not as written"),
    "third peak at one": ("fig2d-q3", "peak_of", on_map(0.5), "with caveat"),
    "third peak at all": (
        "fig2d-q3",
        "peak_of",
        lambda *_, **__: (np.pi / 2, np.pi / 2),
        "reproduced",
    ),
    "bands renamed at q2": (
        "fig2d-q2-sheets",
        "SHEETS",
        {"β": 3, "γ": 2, "α": 0},
        "not as written",
    ),
    "bands renamed at q1": (
        "fig2d-q1-sheets",
        "SHEETS",
        {"γ": 0, "β": 2, "α": 3},
        "not as written",
    ),
    "beta and gamma at q1": ("fig2d-q1-sheets", "peak_of", lambda *_: (np.pi, 0.0), "reproduced"),
    "alpha and gamma at q3": (
        "fig2d-q3-sheets",
        "peak_of",
        lambda *_, **__: (np.pi, np.pi),
        "reproduced",
    ),
    "bands renamed at M": (
        "fig2d-pi-pi-sheets",
        "SHEETS",
        {"α": 0, "γ": 2, "β": 3},
        "not as written",
    ),
    "strong at M": (
        "fig2d-pi-pi-weak",
        "leading",
        lambda chi0: np.ones((chi0.mesh,) * 2),
        "not as written",
    ),
    "weak at both": (
        "fig2d-pi-pi-weak",
        "leading",
        lambda _, original=judges.leading: original(judges.on_site()),
        "reproduced",
    ),
    "charge first": (
        "fig3-sdw",
        "stoner",
        lambda channel: {"spin": 2.0, "charge": 1.0}[channel],
        "not as written",
    ),
    "never at q2": ("fig3-sdw2", "HUND", 0.3, "not as written"),
    "always at q2": ("fig3-sdw2", "SCALES", (0.06, 0.05), "reproduced"),
    "s± first": ("fig3c-leading", "pairing", states_with({"A1": 0.5, "B1": 0.4}), "reproduced"),
    "s± first, but d not next": (
        "fig3c-leading",
        "pairing",
        states_with({"A1": 0.5, "E": 0.45, "B1": 0.4}),
        "with caveat",
    ),
    "s± never": ("fig3c-leading", "pairing", states_with({"A1": 0.3, "B1": 0.4}), "not as written"),
    "equal signs": (
        "fig3c-signs",
        "pairing",
        states_with({"A1": 0.1}, same_sign),
        "not as written",
    ),
    "one sign a sheet": (
        "fig3c-signs",
        "pairing",
        states_with({"A1": 0.1}, one_sign_each),
        "reproduced",
    ),
    "attraction": (
        "fig3b-scattering",
        "between_sheets",
        lambda _: {"γβ": 0.1, "βγ": -0.5},
        "not as written",
    ),
    "s± at both": (
        "doping-enhances",
        "pairing",
        lambda n, **_: states_with({"A1": n, "B1": 0.1})(),
        "reproduced",
    ),
    "weaker when doped": (
        "doping-enhances",
        "pairing",
        lambda n, **_: states_with({"A1": -n, "B1": 0.1})(),
        "not as written",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_verdicts_follow_the_physics(judged, change, monkeypatch):
    identifier, name, replacement, verdict = CHANGES[change]
    ledger()  # fills what is cached before anything is replaced
    monkeypatch.setattr(judges, name, replacement)
    assert judged(f"GLYWH-{identifier}") == verdict
