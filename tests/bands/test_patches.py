"""Patches: on the sheet, symmetric, and with states that the point group maps onto each other."""

import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    FermiSea,
    bilayer_plane,
    fermi_patches,
    fermi_sheets,
    four_band,
    square_group,
    three_band,
)

MU = 10.0585
ONE = np.eye(1)


def square_lattice(t=1.0, t_prime=0.0, t_y=None):
    """One orbital on the square lattice, stretched when t_y differs from t."""
    t_y = t if t_y is None else t_y
    hops = {(1, 0): -t, (0, 1): -t_y, (1, 1): -t_prime, (1, -1): -t_prime}
    hops |= {(-x, -y): hop for (x, y), hop in hops.items()}
    group = square_group(ONE, ONE)
    return BlochModel(
        name="square lattice",
        orbitals=("s",),
        translations=np.array(list(hops)),
        hoppings=np.array(list(hops.values()), dtype=complex).reshape(-1, 1, 1),
        symmetries=group if t_y == t else group[::2],
    )


def chiral_square():
    """Two orbitals with complex hoppings, the turns of the square and no mirror."""
    sigma_x, sigma_y = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])
    hops = {}
    turn = np.diag([1.0, 1j])
    hop = -np.eye(2) + 0.3 * sigma_x + 0.2j * sigma_y @ np.diag([1, 0.5])
    for r in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        hops[r] = hop
        hop = turn @ hop @ turn.conj().T
    for r in ((1, 0), (0, 1)):
        back = (-r[0], -r[1])
        hops[r] = (hops[r] + hops[back].conj().T) / 2
        hops[back] = hops[r].conj().T
    hops[(0, 0)] = np.diag([0.3, -0.2])
    return BlochModel(
        name="chiral square",
        orbitals=("s", "p"),
        translations=np.array(list(hops)),
        hoppings=np.array(list(hops.values()), dtype=complex),
        symmetries=square_group(turn, np.eye(2))[:4],
    )


CASES = [
    (four_band(), MU, [8, 16, 24]),
    (three_band(), 10.256, 8),
    (bilayer_plane(0.0), 10.1277, 16),
    (bilayer_plane(1.0), 10.1277, 16),
    (square_lattice(t_prime=-0.3), -0.8, 24),
    (square_lattice(t_y=0.2), -0.9, 12),
    (chiral_square(), -2.0, 12),
]


@pytest.mark.parametrize(("model", "mu", "count"), CASES, ids=lambda x: getattr(x, "name", ""))
def test_patches_are_eigenstates_at_the_chemical_potential(model, mu, count):
    patches = fermi_patches(model, mu, count)
    h = model.hamiltonian(patches.points)
    residue = np.einsum("pij,pj->pi", h, patches.states) - mu * patches.states
    assert np.abs(residue).max() < 1e-9
    assert np.linalg.norm(patches.states, axis=1) == pytest.approx(1, abs=1e-12)
    if model.mirror is not None:
        parity = np.array([s.parity for s in patches.sheets])[patches.sheet_index]
        assert patches.states @ model.mirror.T == pytest.approx(parity[:, None] * patches.states)


@pytest.mark.parametrize(("model", "mu", "count"), CASES, ids=lambda x: getattr(x, "name", ""))
def test_the_point_group_maps_patches_and_states_onto_each_other(model, mu, count):
    patches = fermi_patches(model, mu, count)
    for g, images, phases in zip(
        patches.symmetries, patches.permutations, patches.phases, strict=True
    ):
        turns = (g.momentum(patches.points) - patches.points[images]) / (2 * np.pi)
        assert np.abs(turns - turns.round()).max() < 1e-8
        moved = patches.states @ g.orbitals.T
        assert moved == pytest.approx(phases[:, None] * patches.states[images], abs=1e-8)
    turns = (patches.points + patches.points[patches.minus]) / (2 * np.pi)
    assert np.abs(turns - turns.round()).max() < 1e-8
    assert np.abs(patches.phases - 1).max() < 1e-8


@pytest.mark.parametrize(("model", "mu", "count"), CASES, ids=lambda x: getattr(x, "name", ""))
def test_weights_share_out_the_density_of_states(model, mu, count):
    patches = fermi_patches(model, mu, count)
    for sheet, line in zip(patches.sheets, fermi_sheets(model, mu), strict=True):
        assert sheet.density_of_states == pytest.approx(line.density_of_states, rel=1e-9)
        assert (sheet.weights > 0).all()


def test_weight_of_a_patch_is_the_density_of_states_between_its_angles():
    model = four_band()
    patches = fermi_patches(model, MU, 16)
    # dk/(4π²|v|) along the line, from a finely divided sheet met by angle.
    fine = fermi_patches(model, MU, 400)
    for coarse, sheet in zip(patches.sheets, fine.sheets, strict=True):
        expected = sheet.weights.reshape(16, 25).sum(axis=1)
        assert coarse.weights == pytest.approx(expected, rel=1e-6)
        closed = np.append(sheet.points, sheet.points[:1], axis=0)
        length = np.linalg.norm(np.diff(closed, axis=0), axis=1)
        speed = np.linalg.norm(sheet.velocity, axis=1)
        steps = length * (1 / speed + 1 / np.roll(speed, -1)) / 2 / (4 * np.pi**2)
        assert steps.sum() == pytest.approx(sheet.density_of_states, rel=1e-4)


def test_patches_know_their_sea():
    sea = FermiSea.at(four_band(), filling=3)
    patches = sea.patches(8)
    assert patches.sea is sea and patches.model is sea.model and patches.mu == sea.mu
    assert patches.sea == fermi_patches(four_band(), sea.mu, 8).sea
    assert [s.name for s in patches.sheets] == ["β", "γ", "α"]


def test_angles_lie_between_the_mirror_lines():
    for sheet in fermi_patches(four_band(), MU, 40).sheets:
        assert sheet.angle == pytest.approx(2 * np.pi * (np.arange(40) + 0.5) / 40, abs=1e-9)


def test_representations_of_lattice_harmonics():
    patches = fermi_patches(four_band(), MU, 16)
    x, y = patches.points.T
    harmonics = {
        "A1": np.cos(x) + np.cos(y),
        "A2": np.sin(x) * np.sin(y) * (np.cos(x) - np.cos(y)),
        "B1": np.cos(x) - np.cos(y),
        "B2": np.sin(x) * np.sin(y),
        "E": np.sin(x) + 0.3 * np.sin(y),
    }
    for name, values in harmonics.items():
        assert patches.representation(values) == (name, pytest.approx(1, abs=1e-12))
    name, weight = patches.representation(harmonics["A1"] + 0.01 * harmonics["B1"])
    assert name == "A1" and weight < 1 - 1e-6


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (12, "multiple of 8"),
        (2, "integer >= 4"),
        ([8, 8], "one for each of the 3 sheets"),
        (8.0, "not iterable|type float"),
    ],
)
def test_bad_counts(count, message):
    with pytest.raises((TypeError, ValueError), match=message):
        fermi_patches(four_band(), MU, count)


def test_bad_models_and_functions():
    with pytest.raises(ValueError, match="crosses no band"):
        fermi_patches(four_band(), 20.0, 8)
    with pytest.raises(ValueError, match="maps onto each other"):
        fermi_patches(bilayer_plane(0.0), 10.1277, [16, 8, 16, 16, 16, 16])
    patches = fermi_patches(four_band(), MU, 8)
    with pytest.raises(ValueError, match="values has shape"):
        patches.representation(np.ones(3))
    with pytest.raises(ValueError, match="no point group of the square"):
        fermi_patches(square_lattice(t_y=0.2), -0.9, 12).representation(np.ones(24))
