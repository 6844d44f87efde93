"""Lines where bands cross, nearly cross, or touch in points."""

import lattices
import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    density_of_states,
    fermi_patches,
    fermi_sheets,
    filling,
)


def test_lines_go_straight_through_crossings():
    model = lattices.crossing_chains()
    sheets = fermi_sheets(model, 0.3)
    assert [sheet.kind for sheet in sheets] == ["open"] * 4
    for sheet in sheets:
        own = int(sheet.orbital_weights.mean(axis=0).argmax())
        assert sheet.orbital_weights[:, own] == pytest.approx(1, abs=1e-12)
        assert sheet.velocity[:, 1 - own] == pytest.approx(0, abs=1e-12)
        assert set(sheet.bands) == {0, 1}
        assert sheet.density_of_states == pytest.approx(
            1 / (4 * np.pi * np.sqrt(1 - 0.15**2)), rel=1e-10
        )
    assert density_of_states(model, 0.3).sum() == pytest.approx(
        sum(sheet.density_of_states for sheet in sheets), rel=1e-12
    )


def test_patches_lie_on_lines_that_change_their_band():
    model = lattices.crossing_chains()
    patches = fermi_patches(model, 0.3, 8)
    assert patches.points.shape == (32, 2)
    h = model.hamiltonian(patches.points)
    residue = np.einsum("pij,pj->pi", h, patches.states) - 0.3 * patches.states
    assert np.abs(residue).max() < 1e-10
    assert patches.points[patches.minus] == pytest.approx(
        -patches.points
        + 2 * np.pi * np.round((patches.points[patches.minus] + patches.points) / (2 * np.pi))
    )


@pytest.mark.parametrize("gap", [0.2, 1e-2, 1e-4])
def test_lines_turn_where_bands_nearly_cross(gap):
    """A coupling of the chains leaves closed lines: one round Γ, and one round M."""
    chains = lattices.crossing_chains()
    hoppings = chains.hoppings.copy()
    hoppings[(chains.translations == 0).all(axis=1)] += gap / 2 * lattices.X
    model = BlochModel("coupled chains", chains.orbitals, chains.translations, hoppings)
    sheets = fermi_sheets(model, 0.3)
    assert sorted(sheet.center for sheet in sheets) == ["M", "Γ"]
    step = 1e-3
    slope = (filling(model, 0.3 + step) - filling(model, 0.3 - step)) / (4 * step)
    total = sum(sheet.density_of_states for sheet in sheets)
    assert total == pytest.approx(slope, rel=1e-4)
    hole, electron = (next(s.area for s in sheets if s.center == name) for name in ("M", "Γ"))
    assert filling(model, 0.3) / 2 == pytest.approx(1 - hole + electron, abs=1e-6)


@pytest.mark.parametrize("energy", [1e-4, 1e-2, -0.3])
def test_cones_of_graphene(energy):
    sheets = fermi_sheets(lattices.graphene(), energy)
    assert len(sheets) == 2
    density = 2 * abs(energy) / (np.sqrt(3) * np.pi * 2.8**2)
    total = sum(sheet.density_of_states for sheet in sheets)
    assert total == pytest.approx(density, rel=max(1e-7, energy**2 / 2.8**2))
    assert {sheet.kind for sheet in sheets} == {"electron" if energy > 0 else "hole"}


@pytest.mark.parametrize("mass", [0.0, 1e-4])
def test_cones_between_the_points_of_the_search_mesh(mass):
    """Stretched graphene has its cones off the corners of the zone."""
    hop = np.array([[0, 0], [-1.0, 0]])
    terms = {(0, 0): hop + hop.T + mass * lattices.Z, (1, 0): 0.8 * hop, (0, 1): 0.9 * hop}
    model = lattices.lattice(terms)
    low, high = model.state_count.edges(1)
    level = (low + high) / 2 + 6e-3
    sheets = fermi_sheets(model, level)
    assert len(sheets) == 2
    extra = filling(model, level) / 2 - 1
    assert sum(sheet.area for sheet in sheets) == pytest.approx(extra, abs=1e-7)
    assert extra > 5e-6


@pytest.mark.parametrize(
    ("model", "mu", "words"),
    [
        (lattices.graphene(), 0.0, r"bands touch in points at .* have no lines"),
        (lattices.graphene(), 1e-13, r"bands touch in points at .* have no lines"),
        (lattices.kagome(), -1.0, r"bands touch in points at -1 eV"),
        (lattices.kagome(), 2.0, r"flat part of band '2'.* 2 electrons per cell at 2 eV"),
        (lattices.kagome(), 2 + 1e-12, "flat part"),
        (lattices.flat_and_wide(), 0.3, r"flat part of band '0'"),
        (lattices.gapped(), 0.0, r"in the gap from -0\.8 to 1\.6 eV; allowed: inside a band"),
        (lattices.chain(), 2.5, r"all lie between -2 and 2 eV"),
        (lattices.chain(), -2.5, r"all lie between -2 and 2 eV"),
    ],
)
def test_levels_without_lines_say_why(model, mu, words):
    with pytest.raises(ValueError, match=words):
        fermi_sheets(model, mu)


def test_a_flat_band_has_an_infinite_density_of_states():
    assert density_of_states(lattices.kagome(), 2.0)[2] == np.inf
    assert np.isfinite(density_of_states(lattices.kagome(), 1.3)).all()


@pytest.mark.parametrize("count", [8, 12])
def test_pockets_at_opposite_corners_get_opposite_patches(count):
    patches = fermi_patches(lattices.graphene(), 1.5, count)
    assert patches.points.shape == (2 * count, 2)
    away = patches.points[patches.minus] + patches.points
    assert away / (2 * np.pi) == pytest.approx(np.round(away / (2 * np.pi)), abs=1e-9)
    assert (patches.sheet_index[patches.minus] != patches.sheet_index).all()
    assert patches.weights[patches.minus] == pytest.approx(patches.weights, rel=1e-12)


def test_a_count_that_is_no_whole_number_is_named():
    with pytest.raises(TypeError, match=r"count = 8\.0"):
        fermi_patches(lattices.square_lattice(), -1.0, 8.0)


@pytest.mark.parametrize("energy", [-1.0, -0.99999, -0.9999999])
def test_a_shallow_valley_next_to_a_saddle_is_searched_in_bounded_time(energy):
    model = lattices.haldane(0.01)
    assert filling(model, energy) == pytest.approx(1.5005, abs=1e-3)


def test_other_bands_are_followed_where_one_has_a_saddle():
    for model, energy in ((lattices.graphene(1.0), 1.0), (lattices.qi_wu_zhang(), 1.0)):
        assert density_of_states(model, energy).tolist() == [0, np.inf]


@pytest.mark.parametrize("energy", [0.0, 1e-6, -1e-6])
def test_lines_that_pass_through_a_cone(energy):
    total = density_of_states(lattices.rashba(0.1), energy).sum()
    around = [density_of_states(lattices.rashba(0.1), energy + s).sum() for s in (-1e-4, 1e-4)]
    assert min(around) - 0.06 < total < max(around) + 0.06


def test_a_chain_close_to_the_edge_of_its_band():
    chain = lattices.chain()
    for depth in (1e-4, 1e-6):
        energy = 2 - depth
        density = 1 / (2 * np.pi * np.sqrt(1 - energy**2 / 4))
        assert density_of_states(chain, energy)[0] == pytest.approx(density, rel=1e-9)


def test_starts_that_settle_on_no_line_are_passed_over():
    model = lattices.random(4)
    level, step = -1.3834943783604157, 1e-3
    slope = (filling(model, level + step) - filling(model, level - step)) / (4 * step)
    total = sum(sheet.density_of_states for sheet in fermi_sheets(model, level))
    assert total == pytest.approx(slope, rel=1e-4)
