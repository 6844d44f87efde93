"""Every spin-flip path of Eq. 9, counted; spin and parity decide which exist."""

import itertools

import numpy as np
import pytest

from nickbook.dimers import kondo_weights, virtual_paths
from nickbook.dimers.spins import PAULI
from nickbook.dimers.virtual import DIMER_STATES, ELECTRONS

#: Components of a created triplet along x, y, z.
TRIPLET = {"t+": [1, 1j, 0], "t0": [0, 0, np.sqrt(2)], "t-": [1, -1j, 0]}


def expected(triplet, final, initial):
    """<triplet| T+.s |s> between spins 0 (up) and 1 (down), s = sigma/2."""
    components = np.conj(TRIPLET[triplet]) / np.sqrt(2)
    return sum(components[c] * PAULI[c, final, initial] / 2 for c in range(3))


@pytest.mark.parametrize("n", [0.5, 0.716])
@pytest.mark.equation("LK", 9)
def test_all_paths_that_make_a_triplon_are_those_of_eq9(n):
    weights = kondo_weights(n)
    for triplet, here, there in itertools.product(DIMER_STATES[1:], ELECTRONS, ELECTRONS):
        paths = virtual_paths(("s", here), (triplet, there), bonding_occupation=n)
        (band, spin), (new_band, new_spin) = here.split(), there.split()
        element = expected(triplet, int(new_spin == "down"), int(spin == "down"))
        if band == new_band:
            assert paths == {}
            continue
        # T+ stands with s_alphabeta (J_b) and, from H.c., with s_betaalpha (J_a).
        name = "b" if new_band == "alpha" else "a"
        table = {m: w * element.real for m, w in weights[name].items() if element != 0}
        assert paths == pytest.approx(table, abs=1e-6)
