"""LK Eqs. 12–18, each relation by a second route written out from the printed equations."""

from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, root

from nickbook.bands import BlochModel, conduction_bands, fermi_sheets
from nickbook.pairing import (
    factorized_gap,
    gap_amplitudes,
    gap_ratio,
    gap_ratio_exact,
    pair_logarithm,
    triplon_critical_temperature,
    triplon_gap,
)

MU, CUTOFF = -0.65, 0.3
#: Here the β band has pockets round Γ, X and Y besides the one round M.
MANY_POCKETS = -0.79


@cache
def sheets_at(mu):
    return tuple(fermi_sheets(conduction_bands(), mu))


def solved(mu=MU, **parameters):
    return triplon_gap(conduction_bands(), mu, sheets=sheets_at(mu), **parameters)


def critical(mu=MU, **parameters):
    return triplon_critical_temperature(
        conduction_bands(), mu, sheets=sheets_at(mu), **parameters
    )


def eta_squared(points):
    return (np.cos(points[:, 0]) - np.cos(points[:, 1])) ** 2


# --- the two numbers of Eqs. 17 and 18 ------------------------------------------------------


def roots_of_eq_17(dos_ratio, coupling, cutoff):
    """Both amplitudes from the two printed equations, with N_α = 1 and N_β = dos_ratio."""
    v = coupling / np.sqrt(dos_ratio)

    def equations(logs):
        alpha, beta = np.exp(logs)
        return [
            logs[0] - np.log(v * dos_ratio * beta * np.log(2 * cutoff / beta)),
            logs[1] - np.log(v * alpha * np.log(2 * cutoff / alpha)),
        ]

    # The same from both bands, which is the answer for equal densities of states.
    start = np.log(2 * cutoff) - 1 / coupling
    for share in np.linspace(0, 1, 9)[1:]:
        found = root(
            lambda logs, r=dos_ratio**share: equations_at(logs, r, coupling, cutoff),
            np.broadcast_to(start, 2),
            tol=1e-14,
        )
        start = found.x
    assert np.abs(equations(start)).max() < 1e-12
    return np.exp(start)


def equations_at(logs, dos_ratio, coupling, cutoff):
    v = coupling / np.sqrt(dos_ratio)
    alpha, beta = np.exp(logs)
    return [
        alpha - v * dos_ratio * beta * np.log(2 * cutoff / beta),
        beta - v * alpha * np.log(2 * cutoff / alpha),
    ]
