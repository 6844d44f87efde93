"""Gap of LK Eq. 14 summed over the zone: three sums against the full matrix on the same points."""

import numpy as np

from nickbook.bands import FermiSea, conduction_bands, eta_k, zone_mesh
from nickbook.pairing import triplon_critical_temperature, triplon_mean_field

from .plain import print_table, side_by_side

SEA = FermiSea.at(conduction_bands(), filling=0.9)
COUPLING, KAPPA, CUTOFF = 0.5, (1.27, 0.443), 0.3


def solve(mesh):
    """Bands, shell, gap: all that one solve takes."""
    return triplon_mean_field(SEA, coupling=COUPLING, kappa=KAPPA, cutoff=CUTOFF, mesh=mesh).gap()


def solve_dense(mesh):
    """LK Eq. 14 iterated with the full matrix of LK Eq. 13 over the points within the cutoff."""
    k = zone_mesh(mesh).reshape(-1, 2)
    xi, eta = SEA.model.band_energies(k).T - SEA.mu, eta_k(k)
    inside = np.abs(xi) < CUTOFF
    strength = COUPLING / np.sqrt(np.prod([s.density_of_states for s in SEA.sheets]))
    outer = np.multiply.outer(eta[inside[0]], eta[inside[1]])
    matrix = (1 - KAPPA[0] * outer) * (1 - KAPPA[1] * outer) * (strength / mesh**2)
    alpha = np.full(inside[0].sum(), 0.1)
    while True:
        beta = -matrix.T @ (alpha / (2 * np.hypot(xi[0][inside[0]], alpha)))
        after = -matrix @ (beta / (2 * np.hypot(xi[1][inside[1]], beta)))
        if np.abs(after - alpha).max() < 1e-12:
            return eta[inside[0]], after
        alpha = after


def test_gap_on_the_zone():
    finest, meshes = solve(4000)[:, [0, 2]], (100, 500, 2000)
    errors = [np.abs(solve(mesh)[:, [0, 2]] / finest - 1).max() for mesh in meshes]
    eta, dense = solve_dense(100)
    difference = np.abs(np.polynomial.polynomial.polyval(eta, solve(100)[0]) - dense).max()
    assert difference < 1e-10
    functions = [lambda mesh=mesh: solve(mesh) for mesh in meshes]
    times, ratios = side_by_side([*functions, lambda: solve_dense(100)], 7)
    names = [f"three sums, {mesh}² mesh" for mesh in meshes] + ["full matrix, 100² mesh"]
    print_table(
        f"Gap of LK Eq. 14 at T = 0, coupling = {COUPLING}, cutoff = {CUTOFF} eV",
        ("error from 4000²", "all, ms", "ratio to 100²"),
        [
            (name, f"{e:.1e}", f"{t:.3g}", f"{r:.3g}")
            for name, e, t, r in zip(names, [*errors, errors[0]], times, ratios, strict=True)
        ],
    )


def test_critical_temperature():
    field = triplon_mean_field(SEA, coupling=COUPLING, kappa=KAPPA, mesh=500)

    def on_lines():
        return triplon_critical_temperature(SEA, coupling=COUPLING, kappa=KAPPA)

    assert abs(field.critical_temperature() / on_lines() - 1) < 0.02
    times, ratios = side_by_side((on_lines, field.critical_temperature), 15)
    rows = [
        (name, f"{t:.2g}", f"{r:.3g}")
        for name, t, r in zip(("Fermi lines", "500² mesh"), times, ratios, strict=True)
    ]
    print_table("Critical temperature of the s± state", ("ms", "ratio to lines"), rows)
