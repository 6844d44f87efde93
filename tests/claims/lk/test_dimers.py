"""What the judges of the dimer claims rest on, by a second route."""

import numpy as np
import pytest

from nickbook.bands import eta_k
from nickbook.claims.lk import dimers as lk_dimers
from nickbook.dimers import (
    HubbardDimer,
    SelfEnergies,
    self_energies,
    self_energy_weights,
    virtual_energies,
)


def test_bonds_of_eq1_point_by_point():
    size, t_xz = 5, 0.3
    k = 2 * np.pi * np.arange(size) / size
    found = lk_dimers.bloch_hopping(size, t_xz)
    for i in range(size):
        for j in range(size):
            row = size * i + j
            assert found[row, row] == pytest.approx(2 * t_xz * eta_k([k[i], k[j]]))
    assert np.abs(found - np.diag(np.diag(found))).max() < 1e-12


def test_bonds_between_s_and_d_wave_orbitals():
    """A quarter turn changes the sign of every bond, a mirror none: what any s level shares."""
    size = 6
    coupling = np.diag(lk_dimers.bloch_hopping(size)).real.reshape(size, size)
    np.testing.assert_allclose(coupling.T, -coupling, atol=1e-12)
    flipped = np.roll(coupling[::-1], 1, axis=0)  # k_x to -k_x
    np.testing.assert_allclose(flipped, coupling, atol=1e-12)


def test_addition_share_from_the_tables_of_virtual_states():
    depth = 0.7
    energies = virtual_energies(
        HubbardDimer(t_c=lk_dimers.T_C, U=lk_dimers.U, level=-depth - lk_dimers.T_C),
        start="triplet",
    )
    for band, share in zip(("alpha", "beta"), lk_dimers.addition_share(depth), strict=True):
        terms = {m: w / energies[m] for m, w in self_energy_weights(0.5)[band].items()}
        assert -min(terms.values()) / max(terms.values()) == pytest.approx(share)


def test_printed_parameters_give_the_bands_of_fig_2():
    depth, t_xz = lk_dimers.fig2_hybridization()
    assert self_energies(t_xz=t_xz, E_a=depth) == pytest.approx((0.4, 0.1))


def test_verdict_on_the_order_follows_what_is_computed(monkeypatch):
    """A package that found the printed order would say so."""

    def exchanged(**parameters):
        shifts = self_energies(**parameters)
        return SelfEnergies(alpha=shifts.beta, beta=shifts.alpha)

    monkeypatch.setattr(lk_dimers, "self_energies", exchanged)
    assert lk_dimers._eq3_order(None).verdict == "reproduced"


def test_verdict_on_removal_follows_the_diagonalization(monkeypatch):
    poles = lk_dimers.spectral_poles
    other = {"a": "b", "b": "a"}
    monkeypatch.setattr(lk_dimers, "spectral_poles", lambda d, orbital: poles(d, other[orbital]))
    assert lk_dimers._fig1c_removal(0.1).verdict == "reproduced"
