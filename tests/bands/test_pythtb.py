"""GLYWH's models against PythTB, built from the matrix elements as they are printed.

Nothing of the package's arrays enters: each printed term is one hopping of PythTB.
"""

import numpy as np
import pytest
from pythtb_models import energies, states, tight_binding

from nickbook.bands import (
    chemical_potential,
    fermi_sheets,
    filling,
    four_band,
    three_band,
    zone_path,
)


def peer(levels, even, odd):
    """PythTB model; `even` and `odd` map pairs of orbitals to printed hoppings.

    An even element reads h0 + 2 hx (cos kx + cos ky) + 4 hxy cos kx cos ky
    + 2 hxx (cos 2kx + cos 2ky), an odd one 2 hx (cos kx − cos ky) + 2 hxx (cos 2kx − cos 2ky).
    """
    hops = []
    for (i, j), (at_once, first, second, third) in even.items():
        if i != j:
            hops.append((i, j, (0, 0), at_once))
        ring = [((1, 0), first), ((0, 1), first), ((1, 1), second), ((1, -1), second)]
        hops += _around(i, j, [*ring, ((2, 0), third), ((0, 2), third)])
    for (i, j), (first, third) in odd.items():
        half = [((1, 0), first), ((0, 1), -first), ((2, 0), third), ((0, 2), -third)]
        hops += _around(i, j, half)
    return tight_binding(np.zeros((len(levels), 2)), levels, hops)


def _around(i, j, half):
    """Hops along half of the bonds; the other half is the conjugate, or asked for when i ≠ j."""
    for r, value in half:
        yield i, j, r, value
        if i != j:
            yield i, j, tuple(-x for x in r), value


def printed_four():
    x = (None, -0.505, 0.060, -0.047)
    z = (None, -0.126, -0.003, -0.021)
    s11 = (-0.049, 0.001, 0.035, -0.022)
    s22 = (-0.628, 0.011, -0.032, 0.024)
    t12, s12 = (0.253, 0.037), (-0.038, -0.009)
    even = {(0, 0): x, (1, 1): z, (2, 2): x, (3, 3): z, (0, 2): s11, (1, 3): s22}
    odd = {(0, 1): t12, (2, 3): t12, (0, 3): s12, (1, 2): s12}
    return peer([10.929, 10.474, 10.929, 10.474], even, odd)


def printed_three():
    x = (None, -0.518, 0.097, -0.079)
    z = (None, -0.163, -0.004, -0.022)
    even = {(0, 0): x, (1, 1): z, (2, 2): x, (0, 2): (0.05, -0.001, -0.014, 0.043)}
    return peer([10.746, 9.869, 10.746], even, {(0, 1): (0.134, 0.034), (1, 2): (0.134, 0.034)})


MODELS = [(four_band(), printed_four()), (three_band(), printed_three())]


@pytest.mark.parametrize(("ours", "theirs"), MODELS, ids=["four", "three"])
@pytest.mark.equation("GLYWH", 1, 9, 10, 11, 21, 22)
def test_bands_agree(ours, theirs):
    k = np.concatenate(
        [np.random.default_rng(3).uniform(-4, 4, (200, 2)), zone_path("ΓXMΓ", 60)[0]]
    )
    assert np.allclose(ours.energies(k), energies(theirs, k), atol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), MODELS, ids=["four", "three"])
def test_orbital_weights_on_the_fermi_lines_agree(ours, theirs):
    mu = chemical_potential(ours, 3)
    for sheet in fermi_sheets(ours, mu):
        k = sheet.points[:: len(sheet.points) // 7]
        bands, vectors = states(theirs, k)
        band = np.abs(bands - mu).argmin(axis=1)
        assert np.allclose(bands[np.arange(len(k)), band], mu, atol=1e-9)
        weights = np.abs(vectors[np.arange(len(k)), band]) ** 2
        assert np.allclose(weights, sheet.orbital_weights[:: len(sheet.points) // 7], atol=1e-8)


@pytest.mark.parametrize(
    ("ours", "theirs", "levels"),
    [
        (four_band(), printed_four(), {10.0585: 2.8650, 10.0975: 3.0000}),
        (three_band(), printed_three(), {10.256: 3.0002}),
    ],
    ids=["four", "three"],
)
def test_electrons_counted_on_a_mesh_of_theirs(ours, theirs, levels):
    """Counting states below the level needs no Fermi line; the wedge x ≤ y holds all energies."""
    size = 80
    axis = (np.arange(size) + 0.5) / size * np.pi
    x, y = (part.ravel() for part in np.meshgrid(axis, axis, indexing="ij"))
    weight = np.where(x < y, 2.0, 1.0)[x <= y]
    bands = energies(theirs, np.stack([x, y], axis=-1)[x <= y])
    for mu, electrons in levels.items():
        counted = 2 * float((weight @ (bands < mu)).sum() / weight.sum())
        assert counted == pytest.approx(electrons, abs=2e-3)
        assert filling(ours, mu) == pytest.approx(counted, abs=2e-3)
