"""Removal and addition spectra of the dimer."""

import numpy as np
import pytest

from nickbook.dimers import HubbardDimer, self_energies, spectral_poles

DIMER = HubbardDimer(t_c=0.6, U=5.0, level=-1.1)  # E_a = 0.5


def test_poles_are_the_closed_forms():
    for orbital, filled in (("b", DIMER.bonding_occupation), ("a", 1 - DIMER.bonding_occupation)):
        removal, addition = spectral_poles(DIMER, orbital)
        assert removal == pytest.approx((-DIMER.removal(orbital), filled))
        assert addition == pytest.approx((DIMER.addition(orbital), 1 - filled))


def test_static_self_energy_from_poles():
    shifts = self_energies(t_xz=0.5, E_a=0.5, variant="hubbard")
    for orbital, band in (("b", "beta"), ("a", "alpha")):
        poles = spectral_poles(DIMER, orbital)
        assert -sum(p.weight / p.energy for p in poles) == pytest.approx(getattr(shifts, band))


def test_without_repulsion_each_orbital_has_one_line():
    free = HubbardDimer(t_c=0.6, U=0.0, level=0.2)
    assert [tuple(np.round(p, 12)) for p in spectral_poles(free, "b")] == [(-0.4, 1.0)]
    assert [tuple(np.round(p, 12)) for p in spectral_poles(free, "a")] == [(0.8, 1.0)]


def test_moments():
    """Sum of weights 1, mean energy level + U/2 -+ t_c: equation of motion at half filling."""
    for orbital, shift in (("b", -0.6), ("a", 0.6)):
        poles = spectral_poles(DIMER, orbital)
        assert sum(p.weight for p in poles) == pytest.approx(1)
        assert sum(p.weight * p.energy for p in poles) == pytest.approx(-1.1 + 2.5 + shift)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="orbital"):
        spectral_poles(DIMER, "c")
    with pytest.raises(ValueError, match="level"):
        spectral_poles(HubbardDimer(level=1.0), "b")
