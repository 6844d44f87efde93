"""Symmetries that a table of hoppings does not name are found, and no others."""

from dataclasses import replace

import lattices
import numpy as np
import pytest

from nickbook.bands import four_band, read_hoppings, recognized

BARE = {"mirror": None, "sites": (), "symmetries": (), "band_names": (), "sheet_names": ()}


def bare(model):
    return replace(model, **BARE)


def test_the_bilayer_has_the_symmetries_that_its_authors_name():
    known, found = four_band(), recognized(bare(four_band()))
    assert found.sites == known.sites and np.array_equal(found.mirror, known.mirror)
    for ours, theirs in zip(found.symmetries, known.symmetries, strict=True):
        assert np.array_equal(ours.rotation, theirs.rotation)
        sign = ours.orbitals[0, 0] * theirs.orbitals[0, 0]  # a common sign means nothing
        assert np.array_equal(ours.orbitals, sign * theirs.orbitals)


def test_layers_in_turn_are_layers_too():
    model, order = bare(four_band()), [0, 2, 1, 3]
    turned = replace(model, hoppings=model.hoppings[:, order][:, :, order])
    assert recognized(turned).sites == (0, 1, 0, 1)


@pytest.mark.parametrize("name", ["graphene", "kagome", "chain", "Haldane", "random 4"])
def test_what_has_no_square_gets_none(name):
    found = recognized(bare(lattices.KINDS[name]()))
    assert not found.symmetries and found.mirror is None and set(found.sites) == {0}


@pytest.mark.parametrize("name", ["pnictide", "ruthenate"])
def test_orbitals_that_turn_into_each_other(name):
    found = recognized(bare(lattices.KINDS[name]()))
    turn = found.symmetries[1]
    k = np.array([[0.3, 1.1], [2.0, -0.4]])
    turned = turn.orbitals @ found.hamiltonian(k) @ turn.orbitals.conj().T
    assert np.abs(turned - found.hamiltonian(k @ [[0, 1], [-1, 0]])).max() < 1e-12
    # xz and yz are a vector: half a turn changes its sign and not that of xy.
    half = found.symmetries[2].orbitals.diagonal()
    assert np.array_equal(half, [-1, -1, 1][: len(half)])


def test_rounding_is_averaged_away_and_more_is_an_asymmetry():
    model = bare(four_band())
    noise = np.random.default_rng(1).normal(size=model.hoppings.shape)
    noise += np.array([noise[i].T for i in partners(model)])
    near = replace(model, hoppings=model.hoppings + 1e-4 * noise)
    assert not recognized(near).symmetries
    found = recognized(near, tolerance=1e-3)
    assert len(found.symmetries) == 8 and found.mirror is not None
    assert 0 < np.abs(found.hoppings - model.hoppings).max() < 1e-3


def partners(model):
    where = {tuple(r): i for i, r in enumerate(model.translations.tolist())}
    return [where[tuple(-r)] for r in model.translations]


def table(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    return tmp_path / "t.csv"


def test_a_table_is_the_model_that_it_lists(tmp_path):
    model = lattices.haldane()
    lines = [
        f"{x} {y} {m + 1} {n + 1} {hop[m, n].real:.17g} {hop[m, n].imag:.17g}"
        for (x, y), hop in zip(model.translations.tolist(), model.hoppings, strict=True)
        for m in range(2)
        for n in range(2)
        # One of each two partners is enough.
        if (x, y) > (0, 0) or ((x, y) == (0, 0) and m <= n)
    ]
    k = np.random.default_rng(0).normal(size=(5, 2))
    found = read_hoppings(table(tmp_path, "# Haldane\n" + "\n".join(lines)))
    assert np.abs(found.hamiltonian(k) - model.hamiltonian(k)).max() < 1e-12


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 columns"),
        ("1 0 1 1", "4 columns"),
        ("1 0 1 1 t", "no table of numbers"),
        ("1 0 0 1 1.0", "no whole numbers"),
        ("0.5 0 1 1 1.0", "no whole numbers"),
        ("1 0 1 1 1.0\n1 0 1 1 2.0", "twice"),
        ("1 0 1 1 1.0\n-1 0 1 1 2.0", "Hermitian"),
    ],
)
def test_a_table_that_is_none_says_why(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        read_hoppings(table(tmp_path, text))
