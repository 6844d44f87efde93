"""GLYWH's models against PythTB, built from the matrix elements as they are printed.

Nothing of the package's arrays enters: each printed term is one call of ``set_hop``.
"""

import numpy as np
import pytest
from pythtb import tb_model

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
    model = tb_model(2, 2, np.eye(2), np.zeros((len(levels), 2)))
    model.set_onsite(levels)
    for (i, j), (at_once, first, second, third) in even.items():
        if i != j:
            model.set_hop(at_once, i, j, [0, 0])
        ring = [([1, 0], first), ([0, 1], first), ([1, 1], second), ([1, -1], second)]
        _around(model, i, j, [*ring, ([2, 0], third), ([0, 2], third)])
    for (i, j), (first, third) in odd.items():
        _around(model, i, j, [([1, 0], first), ([0, 1], -first), ([2, 0], third), ([0, 2], -third)])
    return model


def _around(model, i, j, half):
    """Hop along half of the bonds; the other half is the conjugate, or asked for when i ≠ j."""
    for r, value in half:
        model.set_hop(value, i, j, r)
        if i != j:
            model.set_hop(value, i, j, [-x for x in r])


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
    expected = theirs.solve_all(k / (2 * np.pi)).T
    assert np.allclose(ours.energies(k), expected, atol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), MODELS, ids=["four", "three"])
def test_orbital_weights_on_the_fermi_lines_agree(ours, theirs):
    mu = chemical_potential(ours, 3)
    for sheet in fermi_sheets(ours, mu):
        k = sheet.points[:: len(sheet.points) // 7]
        energies, vectors = theirs.solve_all(k / (2 * np.pi), eig_vectors=True)
        band = np.abs(energies - mu).argmin(axis=0)
        assert np.allclose(np.take_along_axis(energies, band[None], 0), mu, atol=1e-9)
        weights = np.abs(vectors[band, np.arange(len(k))]) ** 2
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
    axis = (np.arange(size) + 0.5) / size / 2
    x, y = (part.ravel() for part in np.meshgrid(axis, axis, indexing="ij"))
    weight = np.where(x < y, 2.0, 1.0)[x <= y]
    energies = theirs.solve_all(np.stack([x, y], axis=-1)[x <= y])
    for mu, electrons in levels.items():
        counted = 2 * float(((energies < mu) @ weight).sum() / weight.sum())
        assert counted == pytest.approx(electrons, abs=2e-3)
        assert filling(ours, mu) == pytest.approx(counted, abs=2e-3)
