"""Densities of states and their η²-weighted forms: Fermi lines against meshes."""

import numpy as np

from nickbook.bands import conduction_bands, eta_k, fermi_sheets

from .plain import (
    BIN,
    MU,
    SIZE,
    best_time,
    densities,
    histogram,
    mesh,
    print_table,
    reference,
    relative_error,
    triangles,
)


def on_lines(model):
    sheets = fermi_sheets(model, MU)
    shares = [s.average(eta_k(s.points) ** 2) for s in sheets]
    return np.array(
        [s.density_of_states * np.array([1, a]) for s, a in zip(sheets, shares, strict=True)]
    )


def on_histogram(sampled):
    energies, eta_squared = sampled
    return np.array([densities(histogram(e, eta_squared)) for e in energies])


def on_triangles(sampled):
    energies, eta_squared = sampled
    return np.array([triangles(e, eta_squared) for e in energies])


def test_densities_of_states():
    model, sampled = conduction_bands(), mesh()
    exact = np.array([densities(side) for side in reference()])
    setup = best_time(mesh, 3)
    rows = []
    for name, function, given, first, repeats, tolerance in (
        ("Fermi lines", on_lines, model, lambda: on_lines(conduction_bands()), 50, 1e-10),
        (f"{SIZE}² histogram, {1e3 * BIN:g} meV", on_histogram, sampled, None, 5, 0.02),
        (f"{SIZE}² linear triangles", on_triangles, sampled, None, 5, 1e-4),
    ):
        error = relative_error(function(given), exact)
        assert error < tolerance
        again = best_time(lambda f=function, g=given: f(g), repeats)
        new = best_time(first, 3) if first else setup + again
        rows.append((name, error, again, new))
    ours = rows[0][2]
    print_table(
        f"N and η²-weighted N of both bands at mu = {MU} eV",
        ("largest error", "next mu, ms", "ratio to ours", "new model, ms"),
        [(n, f"{e:.1e}", f"{t:.2f}", f"{t / ours:.0f}", f"{c:.0f}") for n, e, t, c in rows],
    )
