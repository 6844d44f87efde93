"""Gap equations of the t-J model: closed forms and Newton against 8 × 8 matrices and mixing."""

import numpy as np

from nickbook.bands import four_band, zone_mesh
from nickbook.pairing import tj_mean_field

from .plain import print_table, side_by_side

MODEL = four_band()
EXCHANGE = {"J1": 0.15, "J2": 0.075, "J1_inter": 0.03, "J2_inter": 0.375}
MIXING, LEVEL_MIXING = 0.7, 0.2


def solve(mesh):
    """The lowest s-wave state from all starts, with the chemical potential of three electrons."""
    return tj_mean_field(MODEL, 3, **EXCHANGE, mesh=mesh, channel="s")


def solve_plainly(mesh):
    """GLYWH Eq. 48 from one start, on all points, with linear mixing."""
    k = zone_mesh(mesh).reshape(-1, 2)
    s = np.cos(k).sum(axis=-1)
    h = MODEL.hamiltonian(k).real
    gap, mu, steps = np.array([0.01, -0.01, 0.01, 0.02]), 10.1, 0
    while True:
        a = np.zeros((len(k), 8, 8))
        a[:, :4, :4], a[:, 4:, 4:] = h - mu * np.eye(4), mu * np.eye(4) - h
        for i in range(4):
            a[:, i, 4 + i] = gap[i % 2] * s
            a[:, i, 4 + (i + 2) % 4] = gap[2 + i % 2]
        a[:, 4:, :4] = a[:, :4, 4:].swapaxes(1, 2)
        energies, u = np.linalg.eigh(a)
        average = (u * (energies < 0)[:, None, :]) @ u.swapaxes(1, 2)
        after = np.empty(4)
        for i in (0, 1):
            in_plane, between = EXCHANGE[f"J{i + 1}"], EXCHANGE[f"J{i + 1}_inter"]
            after[i] = -in_plane * np.mean(s * average[:, i, 4 + i])
            links = average[:, i, 6 + i] + average[:, 2 + i, 4 + i]
            after[2 + i] = -between / 2 * np.mean(links)
        electrons = 2 * np.einsum("kaa->", average[:, :4, :4]) / len(k)
        change = max(np.abs(after - gap).max(), abs(3 - electrons))
        gap, mu, steps = (
            gap + MIXING * (after - gap),
            mu + LEVEL_MIXING * (3 - electrons),
            steps + 1,
        )
        if change < 3e-11:
            return gap, mu, steps


def test_gap_equations():
    found = solve(128)
    gap, mu, steps = solve_plainly(128)
    ours = found.gaps
    difference = np.abs(gap) - np.abs([ours[name] for name in ("s1", "s2", "inter1", "inter2")])
    assert np.abs(difference).max() < 1e-9
    assert abs(mu - found.mu) < 1e-9
    meshes = (128, 64, 256)
    functions = [lambda mesh=mesh: solve(mesh) for mesh in meshes]
    times, ratios = side_by_side([*functions, lambda: solve_plainly(128)], 3)
    names = [f"closed forms, {mesh}²" for mesh in meshes] + [f"8 × 8 matrices, 128², {steps} steps"]
    rows = [(name, f"{t:.0f}", f"{r:.3g}") for name, t, r in zip(names, times, ratios, strict=True)]
    print_table("t-J gaps of GLYWH Fig. 4(b), the same to 1e-9", ("ms", "ratio to 128²"), rows)
