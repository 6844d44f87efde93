"""What the ledger says about the weak-coupling flow, and the table of flows it rests on."""

import importlib.util
import platform
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import nickbook.claims.glywh_frg as judges
from nickbook.bands import four_band
from nickbook.claims.frg_table import frg_table, gap_from_bonds
from nickbook.pairing import FlowEquation, fermi_patches, frg_flow, kanamori

machinery = import_module("nickbook.claims.ledger")
SCRIPT = Path(__file__).parents[1] / "pairing" / "diverge_reference.py"
LAYERS = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]], dtype=float)


def judged(identifier):
    (row,) = (r for r in machinery._rows("glywh_frg") if r["id"] == identifier)
    tolerance = float(row["tolerance"]) if "tolerance" in row else None
    return machinery._JUDGES[identifier](tolerance).verdict


def test_one_stored_flow_run_again():
    """Another run of the smallest flow gives the stored numbers, mode by mode."""
    stored = judges.flow("smallest")
    u = float(stored.U)
    q = 0.47 * np.pi
    places = ((0.0, 0.0), (np.pi, 0.0), (np.pi, np.pi), (np.pi / 2, np.pi / 2), (q, 0.0))
    again = frg_flow(
        four_band(),
        float(stored.mu),
        U=u,
        J=float(stored.hund) * u,
        patches=int(stored.patches),
        stop=5e-4,
        momenta=places,
    )
    assert list(again.channels) == [str(c) for c in frg_table().channel.to_numpy()]
    scales = stored.scales.dropna("step").to_numpy()
    assert np.abs(again.scales / scales - 1).max() < 1e-4
    eigenvalues = stored.eigenvalues.dropna("step", how="all").to_numpy()
    # The last steps grow without bound and multiply rounding.
    assert np.abs(again.eigenvalues - eigenvalues)[:-3].max() < 1e-4
    gap = stored.gaps.isel(mode=0).dropna("patch").to_numpy()
    assert np.abs(again.pairing()[0].values - gap).max() < 1e-3


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64")
    or importlib.util.find_spec("diverge") is None,
    reason="divERGe (extra: test) comes with a library for 64-bit Linux on x86 only",
)
def test_truncated_unity_flow_of_diverge(tmp_path):
    """A coarse flow of another code, on all four bands: what the two have in common."""
    model, mu, u = four_band(), 10.0975, 5.0
    job = {
        "task": "tu",
        "translations": model.translations,
        "hoppings": model.hoppings,
        "positions": LAYERS,
        "rotations": np.array([s.rotation for s in model.symmetries]),
        "orbitals": np.array([s.orbitals for s in model.symmetries]),
        "chemical_potential": mu,
        "interaction": kanamori(model.sites, u, 0.1 * u).tensor,
        "mesh": 8,
        "refinement": 4,
        "distance": 1.01,
        "channels": "PCD",
    }
    np.savez(tmp_path / "job.npz", **job)
    command = [sys.executable, SCRIPT, tmp_path / "job.npz", tmp_path / "answer.npz"]
    subprocess.run(command, check=True, timeout=500, capture_output=True)
    answer = dict(np.load(tmp_path / "answer.npz"))
    patches = fermi_patches(model, mu, 16)
    amplitudes = answer["P_vec"][answer["P_off"][0], 0, 0]
    gap = gap_from_bonds(patches, amplitudes, answer["from"], answer["to"], answer["cells"])
    assert answer["P_val"][answer["P_off"][0]] < 0
    assert patches.representation(gap)[0] == "A1"
    beta, gamma, alpha = patches.split(gap)
    assert beta.mean() * gamma.mean() < 0
    assert judges.sign_changes(alpha) == 0
    assert np.ptp(beta) > 3 * np.ptp(gamma)
    stored = judges.referee_gaps("U 5.0")
    for ours, theirs in zip((beta, gamma, alpha), stored, strict=True):
        assert abs(ours.mean() - theirs.mean()) < 0.15


@pytest.mark.parametrize("j", [0.0, 0.3, 1.0])
def test_bound_on_the_bare_vertex(j):
    """Γ = Σ U′ (u1·u3)(u2·u4) + J [(u1·u4)(u2·u3) + (u1·u2)(u3·u4)] over layers of weight ½.

    Each product of unit vectors is at most one, so Γ is at most (U′ + 2J)/2 = U/2, and is that for
    four equal states.
    """
    model, u = four_band(), 5.0
    patches = fermi_patches(model, 10.0975, 16)
    layers = patches.states.reshape(-1, 2, 2)
    assert np.abs(np.square(layers).sum(axis=-1) - 0.5).max() < 1e-12
    vertex = FlowEquation(patches).bare(kanamori(model.sites, u, j))
    assert abs(np.abs(vertex).max() - u / 2) < 1e-12
    rng = np.random.default_rng(3)
    equation = FlowEquation(patches)
    full = equation.full(vertex)
    for _ in range(200):
        p1, p2, p3 = rng.integers(len(layers), size=3)
        band = rng.integers(3)
        u1, u2, u3, u4 = layers[[p1, p2, p3, equation.fourth[p1, p2, p3, band]]]
        dot = lambda a, b: np.sum(a * b, axis=-1)  # noqa: E731
        value = np.sum(
            (u - 2 * j) * dot(u1, u3) * dot(u2, u4)
            + j * (dot(u1, u4) * dot(u2, u3) + dot(u1, u2) * dot(u3, u4))
        )
        assert abs(value - full[p1, p2, p3, band]) < 1e-12


def test_plain_loop_over_pairs_of_patches():
    row = judges.flow(judges.MAIN)
    modes = [str(n) for n in row.gap_names.to_numpy()]
    gap = row.gaps.isel(mode=modes.index("singlet B1")).to_numpy()
    k = row.points.to_numpy()
    same = opposite = 0.0
    for a in range(40):
        for b in range(40, 80):
            for q in ((np.pi, 0), (0, np.pi)):
                away = [
                    (x - y - s + np.pi) % (2 * np.pi) - np.pi
                    for x, y, s in zip(k[a], k[b], q, strict=True)
                ]
                if away[0] ** 2 + away[1] ** 2 < judges.NEAR**2:
                    product = gap[a] * gap[b]
                    same, opposite = same + max(product, 0), opposite + max(-product, 0)
    assert abs(opposite / (same + opposite) - judges.connected_share(judges.MAIN)) < 1e-12


def test_the_table_says_how_it_was_made():
    table = frg_table()
    assert table.attrs["made by"] == "benchmarks/make_frg_table.py"
    assert "diverge-flow" in table.attrs["versions"]
    # Ending below the stop scale without divergence is stored as NaN, never as a number.
    ends = [judges.flow(str(n)).scales.dropna("step").to_numpy()[-1] for n in table.run.to_numpy()]
    diverged = table.critical_scale.to_numpy()
    known = np.isfinite(diverged)
    assert np.allclose(diverged[known], np.array(ends)[known])
    assert (np.array(ends)[~known] < 6e-4).all()


def gaps_with(change):
    original = judges.gaps

    def changed(name, mode=0):
        return change([g.copy() for g in original(name, mode)])

    return changed


#: Another physics, by the name of what it replaces, and the verdict that must follow.
CHANGES = {
    "equal signs": (
        "GLYWH-fig3c-beta-gamma",
        "gaps",
        gaps_with(lambda g: [abs(x) for x in g]),
        "not as written",
    ),
    "constant β": (
        "GLYWH-fig3c-beta-anisotropy",
        "gaps",
        gaps_with(lambda g: [np.ones(len(g[0])), *g[1:]]),
        "not as written",
    ),
    "another leader": ("GLYWH-fig3a-leading", "leading", lambda _: "singlet B1", "not as written"),
    "no other leader": ("GLYWH-fig3a-leading", "leading", lambda _: "singlet A1", "reproduced"),
    "pairing first": ("GLYWH-fig3a-order", "crossing", lambda _: 10.0, "not as written"),
    "larger vertex": ("GLYWH-fig3-vertex", "largest_bare_vertex", lambda *_: 5.0, "not as written"),
    "nodes on α": (
        "GLYWH-fig3c-alpha-nodes",
        "sign_changes",
        lambda _: 8,
        "reproduced",
    ),
    "no divergence by spins": (
        "GLYWH-fig3-proximity",
        "magnetic_share",
        lambda _: 0.1,
        "not as written",
    ),
    "attraction": (
        "GLYWH-fig3b-beta-gamma",
        "between_sheets",
        lambda: (-np.ones((3, 3)), -np.ones((3, 3))),
        "not as written",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_verdicts_follow_from_the_physics(name, monkeypatch):
    identifier, target, change, expected = CHANGES[name]
    before = judged(identifier)
    monkeypatch.setattr(judges, target, change)
    assert judged(identifier) == expected
    assert before != expected
