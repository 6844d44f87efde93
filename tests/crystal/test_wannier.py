"""Wannier functions from projections: models come back, frozen bands stay, symmetry is kept."""

from dataclasses import replace

import numpy as np
import pytest

from nickbook.bands import BlochModel, FourBandParameters, eight_band, four_band
from nickbook.crystal import (
    ProjectedStates,
    bilayer,
    crystal_plane,
    symmetrized,
    tetragonal_group,
    wannier_functions,
)

A, C, HALF = 3.7, 19.7, 1.93
CELL = np.array([[A, 0, 0], [0, A, 0], [A / 2, A / 2, C / 2]])
PLACES = np.array([[0, 0, HALF], [0, 0, HALF], [0, 0, -HALF], [0, 0, -HALF]])
MESH = (6, 6, 5)


def crystal(*hops: tuple[tuple[int, int, int], np.ndarray]) -> BlochModel:
    """GLYWH's bilayer in the body-centred crystal, with hops between the bilayers."""
    flat = four_band()
    terms = {(x, y, 0): t for (x, y), t in zip(flat.translations, flat.hoppings, strict=True)}
    for r, t in hops:
        terms[r], terms[tuple(-x for x in r)] = t, np.conj(t).T
    return BlochModel(
        "crystal", flat.orbitals, list(terms), list(terms.values()), sites=flat.sites,
        positions=PLACES @ np.linalg.inv(CELL),
    )  # fmt: skip


def states_of(model: BlochModel, extra: int = 0, mesh: tuple[int, ...] = MESH) -> ProjectedStates:
    """Return the model's states, mixed with bands of other orbitals if asked for."""
    k = np.array(list(np.ndindex(*mesh))) / mesh
    h = model.hamiltonian(2 * np.pi * k)
    n = len(model.orbitals)
    if extra:
        whole = np.zeros((len(k), n + extra, n + extra), complex)
        whole[:, :n, :n] = h
        rungs = np.arange(extra)
        whole[:, n + rungs, n + rungs] = 14.0 + rungs + 0.3 * np.cos(2 * np.pi * k[:, :1])
        couple = 0.4 * np.sin(2 * np.pi * k[:, 0])
        whole[:, 0, n], whole[:, n, 0] = couple, couple
        h = whole
    energies, vectors = np.linalg.eigh(h)
    return ProjectedStates(
        "toy", model.orbitals, model.sites or tuple(range(n)), PLACES[:n], CELL, mesh, k, energies,
        vectors[:, :n].conj().swapaxes(1, 2),
    )  # fmt: skip


FACING = (0, 0, 1), np.array([[0, 0, 0.01j, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0.03, 0, 0.02]])


@pytest.fixture(scope="module")
def anywhere() -> np.ndarray:
    return np.random.default_rng(1).uniform(-np.pi, np.pi, (40, 3))


def test_a_models_own_states_give_the_model_back(anywhere: np.ndarray) -> None:
    model = crystal(FACING)
    found = wannier_functions(states_of(model))
    assert abs(found.hamiltonian(anywhere) - model.hamiltonian(anywhere)).max() < 1e-12


def test_the_phase_of_a_state_does_not_matter(anywhere: np.ndarray) -> None:
    states = states_of(crystal())
    phases = np.exp(1j * np.random.default_rng(2).uniform(0, 7, states.energies.shape))
    turned = replace(states, overlaps=states.overlaps * phases[..., None])
    change = wannier_functions(turned).energies(anywhere) - wannier_functions(states).energies(
        anywhere
    )
    assert abs(change).max() < 1e-12


def test_the_other_half_of_a_mesh_follows_by_time_reversal(anywhere: np.ndarray) -> None:
    states = states_of(crystal())
    points = np.rint(states.momenta * MESH).astype(int)
    half = [i for i, p in enumerate(points) if tuple(p) <= tuple(-p % np.array(MESH))]
    part = replace(
        states,
        momenta=states.momenta[half],
        energies=states.energies[half],
        overlaps=states.overlaps[half],
    )
    assert len(half) == 92
    expected = wannier_functions(states).energies(anywhere)
    assert abs(wannier_functions(part).energies(anywhere) - expected).max() < 1e-12
    lacking = replace(part, momenta=part.momenta[1:], energies=part.energies[1:])
    with pytest.raises(ValueError, match="lacks 1 of 180 momenta"):
        lacking.on_mesh()


def test_frozen_states_are_kept_at_every_momentum_of_the_mesh() -> None:
    states = states_of(crystal(FACING), extra=3)
    top = 10.6
    found = wannier_functions(states, frozen=(0.0, top)).energies(2 * np.pi * states.momenta)
    for mine, theirs in zip(found, states.energies, strict=True):
        wanted = theirs[theirs <= top]
        assert abs(mine[: len(wanted)] - wanted).max() < 1e-10
    free = wannier_functions(states).energies(2 * np.pi * states.momenta)
    assert abs(free - found).max() > 0.01  # without the window bands above bend those below


def test_a_window_without_room_is_refused_with_its_numbers() -> None:
    states = states_of(crystal(), extra=2)
    with pytest.raises(ValueError, match=r"holds \d states at a momentum; give 4 or more"):
        wannier_functions(states, window=(0.0, 10.5))
    with pytest.raises(ValueError, match=r"holds 6 states at a momentum; give at most 4"):
        wannier_functions(states, frozen=(0.0, 20.0))
    with pytest.raises(ValueError, match="allowed: names out of"):
        states.keep("t z²", "p_z")
    with pytest.raises(ValueError, match="holds a path"):
        wannier_functions(replace(states, mesh=()))


def test_each_hop_leads_to_the_nearest_image() -> None:
    """An orbital written down a cell away, as codes that wrap atoms do, changes the gauge only."""
    model = crystal(FACING)
    states = states_of(model)
    moved = PLACES.copy()
    moved[2:] += CELL[2]
    phases = np.exp(-2j * np.pi * states.momenta[:, 2])
    overlaps = states.overlaps.copy()
    overlaps[..., 2:] *= phases[:, None, None]
    found = wannier_functions(replace(states, positions=moved, overlaps=overlaps))
    between = dict(zip(map(tuple, found.translations.tolist()), found.hoppings, strict=True))
    assert abs(between[0, 0, -1][1, 3] - FourBandParameters().s22_0) < 1e-9  # z² on z²


def test_symmetries_that_a_mesh_has_broken_are_put_back(anywhere: np.ndarray) -> None:
    p = FourBandParameters()
    between = np.zeros((4, 4))
    between[1, 3] = 0.02
    whole = crystal()
    group = tetragonal_group()
    assert len(group) == 16
    made, change = symmetrized(whole, group)
    assert change < 1e-12
    broken, change = symmetrized(crystal(((0, 0, 1), between)), group)
    assert 0.01 < change <= 0.02
    for element in group:
        turned = element.orbitals @ broken.hamiltonian(anywhere) @ element.orbitals.conj().T
        assert abs(broken.hamiltonian(element.momentum(anywhere)) - turned).max() < 1e-12
    flat = bilayer(made)
    assert (
        abs(flat.energies(anywhere[:, :2]) - four_band(p).energies(anywhere[:, :2])).max() < 1e-12
    )
    assert [s.name for s in flat.symmetries][:2] == ["E", "C4"]


def test_planes_hold_the_crystals_bands() -> None:
    """GLYWH's crystal of two bilayers in the simple cell has the same bands, each once."""
    printed = eight_band()
    p = {
        (tuple(r)): t for r, t in zip(printed.translations.tolist(), printed.hoppings, strict=True)
    }
    flat = {r: t[:4, :4] for r, t in p.items()}
    terms = {(x, y, 0): t for (x, y, z), t in flat.items() if z == 0}
    up, down = p[0, 0, 0][:4, 4:], p[0, 0, -1][:4, 4:]
    for x in (0, -1):
        for y in (0, -1):
            terms[x, y, 1] = up
            terms[-x, -y, -1] = up.T
            terms[x + 1, y + 1, -1] = down
            terms[-x - 1, -y - 1, 1] = down.T
    model = BlochModel(
        "centred", four_band().orbitals, list(terms), list(terms.values()), sites=(0, 0, 1, 1)
    )
    k = np.random.default_rng(3).uniform(-3, 3, (10, 2))
    for kz in (0.0, 1.1, 2 * np.pi):
        centred = np.stack([k.sum(axis=1), k[:, 0] - k[:, 1]], axis=-1) / 2
        halves = [crystal_plane(model, kz + s).energies(centred) for s in (0, 2 * np.pi)]
        whole = printed.energies(np.concatenate([k, np.full((10, 1), kz)], axis=1))
        assert abs(np.sort(np.concatenate(halves, axis=1)) - whole).max() < 1e-10
