"""What the measures on LK's bands rest on, by a second route."""

import numpy as np
import pytest

from nickbook.bands import FermiSea, band_fillings, four_band
from nickbook.claims.lk import gap_ratio
from nickbook.pairing import gap_ratio_exact
from nickbook.papers import GLYWH


def test_splitting_on_the_diagonal_from_the_distance_of_the_two_lines():
    """Even and odd states of x²−y² alone on the diagonal: distance of the lines times the speed."""
    sea = FermiSea.at(four_band(), filling=GLYWH.filling)
    places = np.linspace(0.9, 1.2, 3001)
    h = sea.model.hamiltonian(np.stack([places, places], axis=-1)).real
    crossings = []
    for sign in (1, -1):
        energy = h[:, 0, 0] + sign * h[:, 0, 2] - sea.mu
        crossings.append(np.interp(0.0, energy, places))
    speed = np.interp(np.mean(crossings), places, np.gradient(h[:, 0, 0], places))
    found = gap_ratio.direct_overlap()["splitting"]
    assert found == pytest.approx(abs(np.subtract(*crossings)) * speed, rel=0.02)


def test_pairing_within_each_band_reverses_the_order_of_the_gaps():
    """Each band on its own, Δ = 2Ω exp(−1/VN), with the V of the same λ."""
    alpha, beta = 1.0, gap_ratio.dos_ratio(gap_ratio.sea_at(0.45))
    strength = 0.5 / np.sqrt(alpha * beta)
    within = np.exp(-1 / (strength * alpha)) / np.exp(-1 / (strength * beta))
    found = gap_ratio.fig4b()
    assert found["intraband"] == pytest.approx(within)
    assert found["interband"] == pytest.approx(gap_ratio_exact(beta, 0.5))


def slopes_of_the_fillings(model, level, step=1e-3):
    """States of α and β at a level from the areas of their Fermi lines at two others."""
    high, low = (band_fillings(model, level + x) for x in (step, -step))
    return (high - low) / (4 * step)  # both spins


def test_order_of_the_gaps_where_bands_and_filling_change():
    found = gap_ratio.fig4b()
    changed = gap_ratio.changed_seas().values()
    ratios = [np.divide(*slopes_of_the_fillings(sea.model, sea.mu)[::-1]) for sea in changed]
    assert min(ratios) == pytest.approx(found["low"], rel=2e-3)
    assert max(ratios) == pytest.approx(found["high"], rel=2e-3)
    sea = gap_ratio.sea_at(found["crossing"])
    assert np.divide(*slopes_of_the_fillings(sea.model, sea.mu)) == pytest.approx(1.0, rel=2e-3)
