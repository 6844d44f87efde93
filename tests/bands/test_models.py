"""Bloch models: LK Eq. 5 and what every model checks."""

import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    bilayer_hubbard,
    bilayer_plane,
    conduction_bands,
    distorted,
    eight_band,
    eta_k,
    fermi_sheets,
    four_band,
    three_band,
    zone_mesh,
)

LAYER_SWAP = np.array([[0, 1], [1, 0]])


def two_orbital_bilayer(seed=7):
    """Two inequivalent orbitals in each of two layers, complex hoppings, mirror symmetric."""
    rng = np.random.default_rng(seed)
    swap = np.kron(LAYER_SWAP, np.eye(2))
    terms = {(0, 0): np.diag([0.3, -0.5, 0.3, -0.5]).astype(complex)}
    for r in ((1, 0), (0, 1), (1, 1), (2, -1)):
        t = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
        terms[r] = (t + swap @ t @ swap) / 2
        terms[(-r[0], -r[1])] = terms[r].conj().T
    return BlochModel(
        name="random bilayer",
        orbitals=("tx", "tz", "bx", "bz"),
        translations=np.array(list(terms)),
        hoppings=np.array(list(terms.values())),
        mirror=swap,
    )


@pytest.mark.equation("LK", 4, 5)
def test_conduction_bands_are_lk_eq_5_as_printed():
    k = np.random.default_rng(2).uniform(-4, 4, (40, 2))
    (x, y), (x2, y2) = np.cos(k.T), np.cos(2 * k.T)
    common = -4 * (0.45 * (x + y) / 2 - 0.24 * x * y + 0.06 * (x2 + y2) / 2)
    expected = np.transpose([common + epsilon * eta_k(k) ** 2 for epsilon in (0.4, 0.1)])
    assert np.allclose(conduction_bands().band_energies(k), expected, atol=1e-14)
    # β is the lower one; energies of any model ascend.
    assert np.allclose(conduction_bands().energies(k), expected[:, ::-1], atol=1e-14)


def test_hamiltonian_is_the_plain_sum_over_lattice_vectors():
    model, k = two_orbital_bilayer(), np.random.default_rng(3).uniform(-4, 4, (5, 6, 2))
    h = np.tensordot(np.exp(1j * k @ model.translations.T), model.hoppings, axes=1)
    assert np.allclose(model.hamiltonian(k), h)
    assert np.allclose(model.energies(k), np.linalg.eigvalsh(h))


def test_mirror_blocks_hold_all_bands_with_their_parity():
    model, k = two_orbital_bilayer(), zone_mesh(6)
    assert model.parity == (-1, -1, 1, 1)
    assert np.allclose(np.sort(model.band_energies(k)), np.linalg.eigvalsh(model.hamiltonian(k)))
    for number, band in enumerate(model.bands):
        assert np.allclose(band.energy(k), model.band_energies(k)[..., number])
        weights = band.orbital_weights(k)
        assert np.allclose(weights.sum(axis=-1), 1)
        assert np.allclose(weights[..., :2], weights[..., 2:])


def test_velocity_is_the_gradient_of_the_energy():
    model, k = two_orbital_bilayer(), np.random.default_rng(5).uniform(-3, 3, (20, 2))
    for band in model.bands:
        velocity = band.energy_and_velocity(k)[1]
        for axis, step in enumerate(1e-5 * np.eye(2)):
            ahead, behind = (band.energy(k + s * step) for s in (1, -1))
            assert np.allclose(velocity[:, axis], (ahead - behind) / 2e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hoppings": np.zeros((3, 2, 2))}, "translations .* and hoppings"),
        ({"hoppings": np.full((1, 2, 2), np.nan)}, "NaN"),
        ({"hoppings": [[[0, 1], [0, 0]]]}, "not Hermitian"),
        ({"translations": [[1, 0]]}, "not Hermitian"),
        ({"translations": [[0.5, 0]]}, "whole multiples"),
        ({"mirror": np.eye(3)}, "involution"),
        ({"mirror": LAYER_SWAP, "hoppings": [[[1, 0], [0, 2]]]}, "does not commute"),
        ({"band_names": ("only one",)}, "band_names"),
        ({"sheet_names": ("α", "β", "γ")}, "sheet_names"),
        ({"spin_degeneracy": 0}, "spin_degeneracy = 0"),
    ],
)
def test_impossible_models_are_refused(change, message):
    sound = {"translations": [[0, 0]], "hoppings": np.eye(2)[None]}
    with pytest.raises(ValueError, match=message):
        BlochModel(name="bad", orbitals=("a", "b"), **(sound | change))


def test_models_are_equal_by_value_and_a_mirror_counts():
    model = conduction_bands()
    assert model == conduction_bands() and hash(model) == hash(conduction_bands())
    assert model != conduction_bands(t1=0.46)
    # The bands of these two are the same, their parities are opposite.
    flipped = [
        BlochModel("bands", ("a", "b"), model.translations, model.hoppings, mirror=np.diag(signs))
        for signs in ([-1.0, -1.0], [1.0, 1.0])
    ]
    assert flipped[0] != flipped[1]


def test_a_band_keeps_what_it_found_as_long_as_its_model_lives():
    model, other = four_band(), four_band()
    assert model.bands[2].critical_points is model.bands[2].critical_points
    assert model.bands[2].critical_points is not other.bands[2].critical_points
    with pytest.raises(ValueError, match=r"two dimensions; take one plane"):
        eight_band().bands[0].contours(10.1)


@pytest.mark.parametrize(
    ("model", "mu", "there"),
    [
        (four_band(), 10.0585, "βγα"),
        (four_band(), 9.95, "βγα"),
        (four_band(), 10.2, "βα"),
        (three_band(), 10.256, "βγα"),
    ],
)
def test_sheets_have_the_names_of_glywh_at_any_filling(model, mu, there):
    papers = {"α": ("Γ", "electron", "even 1"), "γ": ("M", "hole", "even 0")}
    papers["β"] = ("M", "hole", "odd 0")
    sheets = fermi_sheets(model, mu)
    assert [s.name for s in sheets] == list(there)
    for sheet in sheets:
        assert (sheet.center, sheet.kind, sheet.band_name) == papers[sheet.name]


def test_sheets_of_planes_are_named_where_parity_is_a_label():
    for kz, mirrored in ((0.0, True), (1.0, False), (2 * np.pi, True)):
        sheets = fermi_sheets(bilayer_plane(kz), 10.1277)
        assert {s.name for s in sheets} == ({"α", "β", "γ"} if mirrored else {"0", "1", "2"})


@pytest.mark.parametrize("diagonal", [False, True])
def test_distortion_makes_hoppings_in_two_directions_unlike(diagonal):
    model, strained = four_band(), distorted(0.1, diagonal=diagonal)
    grown, shrunk = ((1, 1), (1, -1)) if diagonal else ((2, 0), (0, 2))
    vectors = [tuple(r) for r in model.translations.tolist()]
    share = {
        r: after[0, 0] / before[0, 0]
        for r, before, after in zip(vectors, model.hoppings, strained.hoppings, strict=True)
    }
    assert (share[grown], share[shrunk], share[0, 0]) == pytest.approx((1.1, 0.9, 1.0))
    assert len(strained.symmetries) == 4 and strained.sheet_names == model.sheet_names


def test_bilayer_hubbard_bands_are_a_square_lattice_split_by_the_layers():
    k = np.random.default_rng(4).uniform(-4, 4, (20, 2))
    odd, even = bilayer_hubbard(0.7).band_energies(k).T
    plane = -2 * np.cos(k).sum(axis=-1)
    assert np.allclose(odd, plane + 0.7) and np.allclose(even, plane - 0.7)


def test_unknown_or_impossible_parameters_are_named():
    with pytest.raises(TypeError, match="epsilon_gamma"):
        conduction_bands(epsilon_gamma=0.1)
    with pytest.raises(TypeError, match=r"t1 = '0\.45' has type str"):
        conduction_bands(t1="0.45")
    with pytest.raises(ValueError, match="epsilon_beta = inf"):
        conduction_bands(epsilon_beta=np.inf)
    with pytest.raises(ValueError, match=r"k has shape \(4, 3\)"):
        conduction_bands().energies(np.zeros((4, 3)))
