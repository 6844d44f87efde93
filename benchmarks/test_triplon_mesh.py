"""Gap solve of LK Eq. 14 on a mesh: three sums instead of a full matrix, side by side.

Run with ``make bench``, on one thread.
"""

from time import perf_counter

import numpy as np
import pytest

from nickbook.bands import chemical_potential, conduction_bands, eta_k, fermi_sheets, zone_mesh
from nickbook.pairing import triplon_critical_temperature, triplon_mean_field

MODEL = conduction_bands()
MU = chemical_potential(MODEL, 0.9)
SHEETS = fermi_sheets(MODEL, MU)
COUPLING, KAPPA, CUTOFF = 0.5, (1.27, 0.443), 0.3


def best_of(repeats, task):
    """Shortest time in seconds, and the result."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        result = task()
        times.append(perf_counter() - start)
    return min(times), result


def solve(mesh):
    """Bands, shell, gap: all that one solve takes."""
    return triplon_mean_field(
        MODEL, MU, coupling=COUPLING, kappa=KAPPA, cutoff=CUTOFF, mesh=mesh, sheets=SHEETS
    ).gap()


def solve_dense(mesh):
    """LK Eq. 14 iterated with the full matrix V_kk' over the points within the cutoff."""
    k = zone_mesh(mesh).reshape(-1, 2)
    xi, eta = MODEL.band_energies(k).T - MU, eta_k(k)
    inside = np.abs(xi) < CUTOFF
    strength = COUPLING / np.sqrt(np.prod([s.density_of_states for s in SHEETS]))
    outer = np.multiply.outer(eta[inside[0]], eta[inside[1]])
    matrix = (1 - KAPPA[0] * outer) * (1 - KAPPA[1] * outer) * (strength / mesh**2)
    alpha = np.full(inside[0].sum(), 0.1)
    while True:
        beta = -matrix.T @ (alpha / (2 * np.hypot(xi[0][inside[0]], alpha)))
        after = -matrix @ (beta / (2 * np.hypot(xi[1][inside[1]], beta)))
        if np.abs(after - alpha).max() < 1e-12:
            return eta[inside[0]], after
        alpha = after


@pytest.mark.parametrize(("mesh", "target"), [(500, 15e-3), (2000, 0.4)])
def test_gap_solve(mesh, target):
    seconds, _ = best_of(5, lambda: solve(mesh))
    print(f"\ngap on a {mesh}² mesh: {1e3 * seconds:.1f} ms (target {1e3 * target:.0f} ms)")
    assert seconds < target


def test_critical_temperature_on_the_fermi_line():
    seconds, _ = best_of(
        5,
        lambda: triplon_critical_temperature(
            MODEL, MU, coupling=COUPLING, kappa=0.75, sheets=SHEETS
        ),
    )
    print(f"\nT_c on the Fermi line: {1e3 * seconds:.2f} ms (target 10 ms)")
    assert seconds < 10e-3


def test_against_the_full_matrix():
    mesh = 100
    seconds, gap = best_of(3, lambda: solve(mesh))
    dense_seconds, (eta, alpha) = best_of(1, lambda: solve_dense(mesh))
    difference = np.abs(np.polynomial.polynomial.polyval(eta, gap[0]) - alpha).max()
    print(
        f"\ngap on a {mesh}² mesh: {1e3 * seconds:.2f} ms; full matrix {1e3 * dense_seconds:.0f} "
        f"ms, {dense_seconds / seconds:.0f} times longer; largest difference {difference:.0e} eV"
    )
    assert difference < 1e-10
    assert seconds < dense_seconds / 20
