"""What the measures on the whole zone rest on, by a second route."""

import numpy as np
import pytest

from nickbook.bands import zone_mesh
from nickbook.claims.lk import full_gap
from nickbook.papers import LK


def test_sums_over_pairs_from_every_momentum_of_the_zone():
    """No eighth of the zone and no shell: all momenta, each asked whether it pairs."""
    theory, (plain, weighted) = (
        full_gap.theory_at(),
        np.array([full_gap.zone_sums()[name] for name in ("plain", "weighted")]),
    )
    k = zone_mesh(full_gap.MESH)
    eta2 = (np.cos(k[..., 0]) - np.cos(k[..., 1])) ** 2
    xi = theory.sea.model.band_energies(k) - theory.sea.mu
    for i, coupling in enumerate(full_gap.COUPLINGS):
        rows = theory.with_interaction(coupling=coupling).gap()
        for band, (row, sheet) in enumerate(zip(rows, theory.sea.sheets, strict=True)):
            gap = abs(row[0])
            near = np.abs(xi[..., band]) < LK.cutoff
            pairs = near * gap / (2 * np.hypot(xi[..., band], gap))
            line = gap * np.log(2 * LK.cutoff / gap)
            weights = sheet.weights
            expected = pairs.mean() / (weights.sum() * line)
            on_line = (np.cos(sheet.points) @ [1, -1]) ** 2
            assert plain[i, band] == pytest.approx(expected, rel=1e-9)
            expected = (eta2 * pairs).mean() / ((weights @ on_line) * line)
            assert weighted[i, band] == pytest.approx(expected, rel=1e-9)


def test_anisotropy_from_sums_over_every_momentum():
    """Eq. 15 joins each gap to sums over the other band, here of the solved gap on all momenta."""
    theory, found = full_gap.theory_at(), full_gap.eq16_zone()["wide"]
    k = zone_mesh(full_gap.MESH)
    eta2 = (np.cos(k[..., 0]) - np.cos(k[..., 1])) ** 2
    xi = theory.sea.model.band_energies(k) - theory.sea.mu
    for band, other in ((0, 1), (1, 0)):
        row, sheet = theory.gap()[other], theory.sea.sheets[other]
        gap = row[0] + row[2] * eta2
        near = np.abs(xi[..., other]) < LK.cutoff
        pairs = near * gap / np.hypot(xi[..., other], gap)
        slope = LK.kappa**2 * (eta2 * pairs).sum() / pairs.sum()
        on_line = (np.cos(sheet.points) @ [1, -1]) ** 2
        printed = LK.kappa**2 * sheet.weights @ on_line / sheet.weights.sum()
        assert found[band] == pytest.approx(printed / slope, rel=1e-8)
