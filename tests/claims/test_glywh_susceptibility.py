"""Verdicts on GLYWH's nesting and on pairing by spin fluctuations follow from the physics."""

from importlib import import_module

import numpy as np
import pytest
from scipy.special import expit

import nickbook.claims.glywh_susceptibility as judges
from nickbook.bands import chemical_potential, fermi_sheets, zone_mesh
from nickbook.claims import ledger
from nickbook.pairing import GapFunction, PairingState, bare_susceptibility

machinery = import_module("nickbook.claims.ledger")


def judged(identifier):
    """One verdict, with the tolerance of its row."""
    (row,) = (r for r in machinery._rows("glywh_susceptibility") if r["id"] == identifier)
    return machinery._JUDGES[identifier](
        float(row["tolerance"]) if "tolerance" in row else None
    ).verdict


# Second routes.


def test_eigenvalues_are_those_of_the_plain_sum():
    chi0, q = judges.on_site(), np.pi * np.array([[0.4375, 0], [1, 0], [0.5, 0.5], [1, 1]])
    k = zone_mesh(chi0.mesh).reshape(-1, 2)
    h = chi0.model.hamiltonian
    for step in q:
        (e1, u1), (e2, u2) = (np.linalg.eigh(h(x)) for x in (k, k + step))
        f1, f2 = (expit(-(e - chi0.mu) / chi0.temperature) for e in (e1, e2))
        gap = e2[:, None, :] - e1[:, :, None]
        flat = np.abs(gap) < 1e-9
        slope = (f1 * (1 - f1))[:, :, None] / chi0.temperature
        jump = (f1[:, :, None] - f2[:, None, :]) / np.where(flat, 1, gap)
        weight = np.where(flat, slope, jump)
        a, c = chi0.pairs.T
        x = u1.conj()[:, a][..., :, None] * u2[:, c][..., None, :]
        x = x.transpose(1, 0, 2, 3).reshape(len(a), -1)
        plain = (x * weight.ravel()) @ x.conj().T / len(k)
        found = np.linalg.eigvalsh(chi0.on(step))
        assert found == pytest.approx(np.linalg.eigvalsh(plain), abs=1e-8)


@pytest.mark.parametrize("electrons", [2.8, 2.87, 2.94, 3.0])
def test_first_peak_follows_the_diameter_of_beta(electrons):
    mu = chemical_potential(judges.MODEL, electrons)
    beta = fermi_sheets(judges.MODEL, mu)[0]
    across = np.abs(beta.points[:, 0] - beta.center_point[0]).max() / np.pi
    chi0 = bare_susceptibility(judges.MODEL, mu, judges.TEMPERATURE, 96)
    x = judges.place(chi0, (1, 0), 0.35, 0.6)
    assert x == pytest.approx(2 - 2 * across, abs=0.015)


def test_third_peak_is_a_cusp_of_gamma_and_beta_but_not_of_alpha_and_gamma():
    beta, _, gamma, alpha = range(4)
    model, mu = judges.MODEL, judges.mu_of(3.0)
    x = np.array([0.375, 0.46875, 0.5625]) * np.pi
    cusps = {}
    for name, (m, n) in {"ββ": (beta, beta), "γγ": (gamma, gamma), "αγ": (alpha, gamma)}.items():
        sides = {((m,), (n,)), ((n,), (m,))}
        values = sum(
            bare_susceptibility(model, mu, 0.01, 96, pairs="density", bands=s).on(
                np.stack([x, x], -1)
            )
            for s in sides
        )
        trace = np.trace(values, axis1=-2, axis2=-1).real
        total = values.sum(axis=(-2, -1)).real / 4
        cusps[name] = [z[1] - (z[0] + z[2]) / 2 for z in (trace, total)]
    assert min(cusps["γγ"]) > 0.03
    assert min(cusps["ββ"]) > 0.03
    assert max(np.abs(cusps["αγ"])) < 0.005


def test_signs_follow_from_three_numbers_between_sheets():
    # One gap a sheet, and the average vertex between and within sheets.
    scattering = judges.scattering_at(3.0)
    patches = scattering.patches
    U = 0.8 * judges.stoner()
    v = scattering.vertex(judges.kanamori(judges.MODEL.sites, U=U, J=judges.HUND * U))
    weights = np.array([patches.weights * (patches.sheet_index == i) for i in range(3)])
    states = weights.sum(axis=1)
    average = weights @ v @ weights.T / np.sqrt(np.outer(states, states))
    beta, gamma, _ = np.linalg.eigh(-average)[1][:, -1]
    assert beta * gamma < 0


# Another physics, by the name of what it replaces, and the verdict that must follow.


def on_map(shift):
    """Positions of a peak at three electrons and at the printed chemical potential."""
    return lambda _, mu=None: (np.pi * (shift if mu is None else 0.3),) * 2


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


#: Name: row, replaced function, replacement, verdict.
CHANGES = {
    "one map": (
        "fig2d-matrix",
        "readings",
        lambda original=judges.readings: {"matrix": original()["matrix of all pairs on a Ni"]},
        "reproduced",
    ),
    "no map": (
        "fig2d-matrix",
        "readings",
        lambda original=judges.readings: {"trace": original()["trace"]},
        "not as written",
    ),
    "first peak elsewhere": ("fig2d-q1", "peak_of", on_map(0.44), "not as written"),
    "first peak at both": ("fig2d-q1", "peak_of", lambda *_: (0.47 * np.pi, 0), "reproduced"),
    "second peak elsewhere": ("fig2d-q2", "peak_of", on_map(0.9), "not as written"),
    "second peak at both": ("fig2d-q2", "peak_of", lambda *_: (np.pi, 0), "reproduced"),
    "third peak elsewhere": ("fig2d-q3", "peak_of", on_map(0.3), "not as written"),
    "third peak at one": ("fig2d-q3", "peak_of", on_map(0.5), "with caveat"),
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
        lambda *_: (np.pi, np.pi),
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
    "always at q2": ("fig3-sdw2", "WARM", 0.06, "reproduced"),
    "s± first": ("fig3c-leading", "pairing", states_with({"A1": 0.5, "B1": 0.4}), "reproduced"),
    "s± never": ("fig3c-leading", "pairing", states_with({"A1": 0.3, "B1": 0.4}), "not as written"),
    "equal signs": (
        "fig3c-signs",
        "pairing",
        states_with({"A1": 0.1}, same_sign),
        "not as written",
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
def test_verdicts_follow_the_physics(change, monkeypatch):
    identifier, name, replacement, verdict = CHANGES[change]
    ledger()  # fills what is cached before anything is replaced
    monkeypatch.setattr(judges, name, replacement)
    assert judged(f"GLYWH-{identifier}") == verdict
