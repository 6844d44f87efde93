"""Gap of LK Eq. 14 summed over the zone: three sums against the full matrix on the same points."""

import numpy as np

from nickbook.bands import FermiSea, chemical_potential, conduction_bands, eta_k, zone_mesh
from nickbook.pairing import triplon_critical_temperature, triplon_mean_field

from .plain import best_time, print_table

MODEL = conduction_bands()
MU = chemical_potential(MODEL, 0.9)
SEA = FermiSea(MODEL, MU)
COUPLING, KAPPA, CUTOFF = 0.5, (1.27, 0.443), 0.3


def solve(mesh):
    """Bands, shell, gap: all that one solve takes."""
    return triplon_mean_field(SEA, coupling=COUPLING, kappa=KAPPA, cutoff=CUTOFF, mesh=mesh).gap()


def solve_dense(mesh):
    """LK Eq. 14 iterated with the full matrix of LK Eq. 13 over the points within the cutoff."""
    k = zone_mesh(mesh).reshape(-1, 2)
    xi, eta = MODEL.band_energies(k).T - MU, eta_k(k)
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
    finest, rows = solve(4000), []
    for mesh in (100, 500, 2000):
        time = best_time(lambda mesh=mesh: solve(mesh), 5)
        error = np.abs(solve(mesh)[:, [0, 2]] / finest[:, [0, 2]] - 1).max()
        rows.append((f"three sums, {mesh}² mesh", f"{error:.1e}", f"{time:.2f}", ""))
    eta, dense = solve_dense(100)
    difference = np.abs(np.polynomial.polynomial.polyval(eta, solve(100)[0]) - dense).max()
    assert difference < 1e-10
    dense_time = best_time(lambda: solve_dense(100), 1)
    ratio = dense_time / float(rows[0][2])
    rows.append(("full matrix, 100² mesh", rows[0][1], f"{dense_time:.0f}", f"{ratio:.0f}"))
    title = f"Gap of LK Eq. 14 at T = 0, coupling = {COUPLING}, cutoff = {CUTOFF} eV"
    print_table(title, ("error from 4000²", "all, ms", "ratio at 100²"), rows)


def test_critical_temperature():
    field = triplon_mean_field(SEA, coupling=COUPLING, kappa=KAPPA, mesh=500)

    def on_lines():
        return triplon_critical_temperature(SEA, coupling=COUPLING, kappa=KAPPA)

    rows = [
        ("Fermi lines", f"{best_time(on_lines, 20):.2f}"),
        ("500² mesh", f"{best_time(field.critical_temperature, 5):.2f}"),
    ]
    assert abs(field.critical_temperature() / on_lines() - 1) < 0.02
    print_table("Critical temperature of the s± state", ("ms",), rows)
