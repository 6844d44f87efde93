"""Densities of states and their η²-weighted forms: Fermi lines against meshes."""

import numpy as np

from nickbook.bands import FermiSea, conduction_bands, eta_k

from .plain import (
    BIN,
    MU,
    SIZE,
    densities,
    histogram,
    mesh,
    print_table,
    reference,
    relative_error,
    side_by_side,
    triangles,
)


def on_lines(model):
    sheets = FermiSea(model, MU).sheets
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
    methods = (
        ("Fermi lines", on_lines, conduction_bands, model, 1e-10),
        (f"{SIZE}² histogram, {1e3 * BIN:g} meV", on_histogram, mesh, sampled, 0.02),
        (f"{SIZE}² linear triangles", on_triangles, mesh, sampled, 1e-4),
    )
    errors = []
    for _, function, _, given, tolerance in methods:
        errors.append(relative_error(function(given), exact))
        assert errors[-1] < tolerance
    again = side_by_side([lambda f=f, g=given: f(g) for _, f, _, given, _ in methods], 15)
    new = side_by_side([lambda f=f, first=first: f(first()) for _, f, first, _, _ in methods], 7)
    print_table(
        f"N and η²-weighted N of both bands at mu = {MU} eV",
        ("largest error", "next mu, ms", "ratio to ours", "new model, ms", "ratio to ours"),
        [
            (m[0], f"{e:.1e}", *(f"{x:.3g}" for x in numbers))
            for m, e, *numbers in zip(methods, errors, *again, *new, strict=True)
        ],
    )
