"""Models with round Fermi lines, for which textbooks have formulas."""

import numpy as np

from nickbook.bands import BlochModel, FermiSea, conduction_bands

STEPS = [(1, 0), (-1, 0), (0, 1), (0, -1)]


def circle(mu=-3.9999):
    """One band near its bottom: a circle with N = 1/4π, to the fourth digit."""
    return FermiSea(BlochModel("square lattice", ("s",), STEPS, [[[-1.0]]] * 4), mu)


def twins():
    """Bands of LK without hybridization: alike, one odd and one even."""
    return FermiSea(conduction_bands(epsilon_alpha=0.0, epsilon_beta=0.0), -0.65)


def d_wave(k):
    """cos 2θ round Γ."""
    return (k[:, 0] ** 2 - k[:, 1] ** 2) / (k**2).sum(axis=1)


def constant(k):
    return np.ones(len(k))
