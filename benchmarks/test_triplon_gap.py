"""Gap of LK Eq. 15 on the Fermi lines against plain iteration on the points of a histogram."""

import numpy as np

from nickbook.bands import FermiSea, conduction_bands, eta_k
from nickbook.pairing import triplon_gap

from .plain import (
    BIN,
    MU,
    SIZE,
    histogram,
    mesh,
    print_table,
    reference,
    relative_error,
    side_by_side,
)

KAPPA, CUTOFF = 0.75, 0.3


def iterated(sides, coupling):
    """Coefficients of 1 and η² on both bands by iteration of the gap equations."""
    basis = [np.stack([np.ones_like(e), KAPPA * e]) for e, _ in sides]
    weights = [w for _, w in sides]
    strength = coupling / np.sqrt(weights[0].sum() * weights[1].sum())
    found = np.array([[0.1, 0.0], [0.1, 0.0]])
    while True:
        gaps = [c @ b for c, b in zip(found, basis, strict=True)]
        pairs = [w * g * np.arcsinh(CUTOFF / g) for w, g in zip(weights, gaps, strict=True)]
        new = strength * np.array([basis[1] @ pairs[1], basis[0] @ pairs[0]])
        if np.abs(new - found).max() < 1e-14:
            return new * [1, KAPPA]
        found = new


def coefficients(gap):
    """The same from a gap function: by least squares, since it is a line in η²."""
    fits = [
        np.polyfit(eta_k(s.points) ** 2, v, 1) for s, v in zip(gap.sheets, gap.values, strict=True)
    ]
    return np.abs(fits)[:, ::-1]


def test_triplon_gap():
    model, (energies, eta_squared) = conduction_bands(), mesh()
    exact_sides = reference()

    def chosen():
        return [histogram(e, eta_squared) for e in energies]

    sea, points = FermiSea(model, MU), chosen()
    assert len(sea.sheets) == 2  # kept by the sea, so that the gap is timed alone
    for coupling in (0.3, 0.5, 0.6):
        exact = iterated(exact_sides, coupling)

        def ours(sea=sea, coupling=coupling):
            return triplon_gap(sea, coupling=coupling, kappa=KAPPA)

        def plain(points=points, coupling=coupling):
            return iterated(points, coupling)

        def ours_with_lines(gap=ours):
            return gap(FermiSea(model, MU))

        def plain_with_points(gap=plain):
            return gap(chosen())

        errors = relative_error(coefficients(ours()), exact), relative_error(plain(), exact)
        assert errors[0] < 1e-9
        assert errors[1] < 0.02
        alone = side_by_side((ours, plain), 15)
        whole = side_by_side((ours_with_lines, plain_with_points), 15)
        names = "Fermi lines", f"{SIZE}² histogram, {1e3 * BIN:g} meV"
        print_table(
            f"Gap of LK Eq. 15 at mu = {MU} eV, coupling = {coupling}, kappa = {KAPPA}",
            ("largest error", "gap, ms", "ratio to ours", "with lines, ms", "ratio to ours"),
            [
                (name, f"{e:.1e}", *(f"{x:.3g}" for x in numbers))
                for name, e, *numbers in zip(names, errors, *alone, *whole, strict=True)
            ],
        )
