"""What the measures on dimers rest on, by a second route."""

from importlib.resources import as_file, files

import numpy as np
import pytest

from nickbook.bands import (
    BlochModel,
    FermiSea,
    conduction_bands,
    eta_k,
    read_wannier90,
    zone_mesh,
)
from nickbook.claims import measure
from nickbook.claims.lk import dimers
from nickbook.dimers import self_energies, spectral_poles
from nickbook.papers import LK


def test_bonds_between_s_and_d_wave_orbitals():
    """A quarter turn changes the sign of every bond, a mirror none: what any s level shares."""
    size = dimers.SIZE
    coupling = np.diag(dimers.bloch_hopping()).real.reshape(size, size, 2)
    np.testing.assert_allclose(coupling.transpose(1, 0, 2), -coupling, atol=1e-12)
    flipped = np.roll(coupling[::-1], 1, axis=0)  # k_x to -k_x
    np.testing.assert_allclose(flipped, coupling, atol=1e-12)


@pytest.mark.equation("LK", 1, 2)
def test_bloch_matrix_from_bonds_one_by_one():
    """Each bond by its sites and its layer, each Bloch state by its phases: all elements."""
    size, t_xz = dimers.SIZE, 0.25
    sites = np.array(list(np.ndindex(size, size)))
    hop = np.zeros((len(sites), len(sites)))
    for i, site in enumerate(sites):
        for step, sign in (((1, 0), 1), ((-1, 0), 1), ((0, 1), -1), ((0, -1), -1)):
            there = (site + step) % size
            hop[i, there[0] * size + there[1]] += sign * t_xz
    waves = np.exp(1j * sites @ dimers.torus_momenta().T) / size
    layer = waves.conj().T @ hop @ waves
    expected = np.kron(layer, np.eye(2))  # the layers do not mix, nor do their sum and difference
    np.testing.assert_allclose(dimers.bloch_hopping(t_xz), expected, atol=1e-12)


def test_band_next_to_an_s_level_hop_by_hop():
    """x and s on a lattice, with bonds of opposite sign along x and y: the shift goes as η²."""
    hop, level = 0.05, 3.0
    steps = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
    hoppings = np.zeros((5, 2, 2))
    hoppings[0, 1, 1] = level
    hoppings[1:, 0, 1] = hoppings[1:, 1, 0] = hop * np.array([1, 1, -1, -1])
    model = BlochModel(name="x and s", orbitals=("x", "s"), translations=steps, hoppings=hoppings)
    k = np.array([[np.pi, 0.0], [1.0, 0.3], [0.4, 2.0]])
    shifts = model.energies(k)[..., 0] / eta_k(k) ** 2
    assert np.ptp(shifts) < 0.01 * abs(shifts[0])
    assert shifts == pytest.approx(-4 * hop**2 / level, rel=0.01)
    found = dimers.bonds()
    assert found["highest"] == pytest.approx(shifts.max(), rel=0.01)


def lines(orbital):
    """Weight and energy of what removes an electron from the dimer of Fig. 2, and of what adds."""
    poles = spectral_poles(dimers.fig2_dimer(), orbital)
    return [(p.weight, -p.energy) for p in poles if p.energy < 0], [
        (p.weight, p.energy) for p in poles if p.energy > 0
    ]


@pytest.mark.parametrize(("band", "orbital"), [("alpha", "a"), ("beta", "b")])
def test_addition_share_from_the_lines_of_the_dimer(band, orbital):
    removal, addition = lines(orbital)
    share = sum(w / e for w, e in addition) / sum(w / e for w, e in removal)
    assert dimers.eq3_terms()["share"][band] == pytest.approx(share)


def test_share_of_the_heisenberg_singlet_in_closed_form():
    E_a = dimers.fig2_hybridization().E_a
    found = dimers.eq3_terms()["share"]
    assert found["beta_spins"] == pytest.approx(E_a / (LK.U - E_a))
    E_b = E_a + 2 * LK.t_c
    assert found["alpha_spins"] == pytest.approx(E_b / (LK.U - E_b))


def test_lost_electrons_are_the_slope_of_the_energy_in_the_depth():
    """Hellmann and Feynman: moving all levels down by x costs x for each electron that is lost."""
    fit, k, step = dimers.fig2_hybridization(), zone_mesh(64), 1e-4
    xi = conduction_bands().band_energies(k) - LK.mu
    strength = (2 * fit.t_xz * eta_k(k)) ** 2

    def energy(shift):
        total = 0.0
        for band, orbital in ((0, "a"), (1, "b")):
            empty = xi[..., band] > 0
            for weight, cost in lines(orbital)[0]:
                total -= 2 * np.mean(strength * weight / (cost + shift + xi[..., band]) * empty)
        return total

    slope = (energy(step) - energy(-step)) / (2 * step)
    assert dimers.share_without_electron() == pytest.approx(slope, rel=1e-6)


def test_printed_parameters_give_the_bands_of_fig_2():
    fit = dimers.fig2_hybridization()
    found = self_energies(t_xz=fit.t_xz, E_a=fit.E_a)
    assert (found.alpha, found.beta) == pytest.approx((LK.epsilon_alpha, LK.epsilon_beta))


def test_weight_of_virtual_states_is_minus_the_slope_of_the_self_energy():
    """Σ(ω) of the lines of b and a, moved by a small energy of the band electron."""
    fit, step = dimers.fig2_hybridization(), 1e-5
    found = dimers.eq3_perturbative()
    sheets = FermiSea(conduction_bands(), LK.mu).sheets
    for band, orbital, sheet in zip(("alpha", "beta"), ("a", "b"), sheets, strict=True):
        poles = spectral_poles(dimers.fig2_dimer(), orbital)
        above, below = (sum(p.weight / (w - p.energy) for p in poles) for w in (step, -step))
        mean = sheet.average((2 * fit.t_xz * eta_k(sheet.points)) ** 2)
        assert found[band] == pytest.approx(-mean * (above - below) / (2 * step), rel=1e-6)


def test_levels_in_the_hoppings_of_wannier90() -> None:
    """By the least-spread functions of the same bands, and from their band bottoms at Γ."""
    with as_file(files("nickbook.crystal") / "data") as folder:
        model = read_wannier90(folder / "pressure_hr.dat.gz")
    home = model.hoppings[(model.translations == 0).all(axis=1)][0].real
    row = measure("LK-orbital-splitting")
    assert row["own"] == pytest.approx(home[0, 0] - home[1, 1], abs=0.03)
    assert row["bonding"] == pytest.approx(home[0, 0] - home[1, 1] - home[1, 3], abs=0.03)
