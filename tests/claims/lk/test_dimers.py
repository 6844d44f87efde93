"""What the measures on dimers rest on, by a second route."""

import numpy as np
import pytest

from nickbook.bands import FermiSea, conduction_bands, eta_k
from nickbook.claims.lk import dimers
from nickbook.dimers import HubbardDimer, self_energies, self_energy_weights, virtual_energies
from nickbook.papers import LK


def test_bonds_between_s_and_d_wave_orbitals():
    """A quarter turn changes the sign of every bond, a mirror none: what any s level shares."""
    size = dimers.SIZE
    coupling = np.diag(dimers.bloch_hopping()).real.reshape(size, size, 2)
    np.testing.assert_allclose(coupling.transpose(1, 0, 2), -coupling, atol=1e-12)
    flipped = np.roll(coupling[::-1], 1, axis=0)  # k_x to -k_x
    np.testing.assert_allclose(flipped, coupling, atol=1e-12)


def test_addition_share_from_the_tables_of_virtual_states():
    depth = 0.7
    dimer = HubbardDimer(t_c=LK.t_c, U=LK.U, level=-depth - LK.t_c)
    energies = virtual_energies(dimer, start="triplet")
    for band, share in zip(("alpha", "beta"), dimers.addition_share(depth), strict=True):
        terms = {m: w / energies[m] for m, w in self_energy_weights(0.5)[band].items()}
        assert -min(terms.values()) / max(terms.values()) == pytest.approx(share)


def test_printed_parameters_give_the_bands_of_fig_2():
    fit = dimers.fig2_hybridization()
    found = self_energies(t_xz=fit.t_xz, E_a=fit.E_a)
    assert (found.alpha, found.beta) == pytest.approx((LK.epsilon_alpha, LK.epsilon_beta))


def test_weight_of_virtual_states_is_minus_the_slope_of_the_self_energy():
    """Move the level against the Fermi energy, without the terms that add an electron."""
    fit, step = dimers.fig2_hybridization(), 1e-5
    before, after = (
        self_energies(t_xz=fit.t_xz, E_a=fit.E_a + shift, U=1e9) for shift in (-step, step)
    )
    weights = dimers.eq3_perturbative()
    sheets = FermiSea(conduction_bands(), LK.mu).sheets
    for name, sheet in zip(("alpha", "beta"), sheets, strict=True):
        slope = (getattr(after, name) - getattr(before, name)) / (2 * step)
        found = weights[name]
        assert found == pytest.approx(-slope * sheet.average(eta_k(sheet.points) ** 2), rel=1e-4)
