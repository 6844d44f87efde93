"""Fermi lines and densities of states, each by a second route."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from nickbook.bands import (
    BlochModel,
    band_fillings,
    conduction_bands,
    density_of_states,
    eta_k,
    fermi_sheets,
    van_hove_points,
    weighted_density_of_states,
    zone_mesh,
)
from nickbook.bands.orbits import orbits

from .test_models import two_orbital_bilayer


def circular(mass=1.0):
    """A band whose Fermi line near the bottom is almost a circle: nearest neighbours only."""
    terms = {(0, 0): 2 / mass, (1, 0): -0.5 / mass, (-1, 0): -0.5 / mass}
    terms |= {(0, 1): -0.5 / mass, (0, -1): -0.5 / mass}
    hoppings = np.array(list(terms.values()))[:, None, None]
    return BlochModel("one band", ("s",), np.array(list(terms)), hoppings)


def striped(basis):
    """A band along x that disperses weakly along y, in a basis of its lattice: lines are open."""
    terms = {(1, 0): -0.5, (-1, 0): -0.5, (0, 1): 0.05, (0, -1): 0.05}
    hoppings = np.array(list(terms.values()))[:, None, None]
    return BlochModel("stripes", ("s",), np.array(list(terms)) @ basis, hoppings)


def triangle_density(values, factor, energy):
    """Linear interpolation on two triangles a mesh cell, in closed form."""
    total = 0.0
    for corners in (((0, 0), (1, 0), (0, 1)), ((1, 1), (1, 0), (0, 1))):
        e = np.stack([np.roll(values, (-i, -j), (0, 1)) for i, j in corners], axis=-1).reshape(
            -1, 3
        )
        w = np.stack([np.roll(factor, (-i, -j), (0, 1)) for i, j in corners], axis=-1).reshape(
            -1, 3
        )
        order = np.argsort(e, axis=-1)
        (a, b, c), (u, v, x) = (
            np.take_along_axis(e, order, -1).T,
            np.take_along_axis(w, order, -1).T,
        )
        low, high = (a < energy) & (energy <= b), (b < energy) & (energy < c)
        s, t = (energy - a[low]) / (b - a)[low], (energy - a[low]) / (c - a)[low]
        total += ((s / (c - a)[low]) * (2 * u[low] + s * (v - u)[low] + t * (x - u)[low]) / 2).sum()
        s, t = (c[high] - energy) / (c - b)[high], (c[high] - energy) / (c - a)[high]
        total += (
            (s / (c - a)[high]) * (2 * x[high] + s * (v - x)[high] + t * (u - x)[high]) / 2
        ).sum()
    return total / values.size


def test_densities_of_states_against_triangles():
    model, k = conduction_bands(), zone_mesh(600)
    energies = model.band_energies(k)
    for weight in (lambda k: np.ones(k.shape[:-1]), lambda k: eta_k(k) ** 2):
        factor = weight(k)
        for mu in (-1.0, -0.79, -0.65, 0.2, 1.5):
            exact = weighted_density_of_states(model, mu, weight)
            # A second-order rule; its error jitters with the mesh, so only its size is tested.
            found = [triangle_density(energies[..., band], factor, mu) for band in (0, 1)]
            assert found == pytest.approx(exact, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("mu", [-0.9, -0.65, 0.3])
def test_density_of_states_is_the_derivative_of_the_filling(mu):
    model, step = conduction_bands(), 1e-4
    five_point = [(-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)]
    slope = sum(c * band_fillings(model, mu + i * step) for i, c in five_point) / step
    assert slope / 2 == pytest.approx(density_of_states(model, mu), rel=1e-9)


@pytest.mark.parametrize("mu", [-0.7999, -0.764, -0.65, 0.39, 2.0])
def test_smooth_lines_agree_with_those_followed_step_by_step(mu):
    model = conduction_bands()
    for band in model.bands:
        lines = band.contours(mu)
        starts = np.concatenate([line.points[::7] for line in lines])
        followed = orbits(band.block, mu, [(band, starts)])
        followed.sort(key=lambda c: -abs(c.area))
        assert len(followed) == len(lines)
        for line, orbit in zip(lines, followed, strict=True):
            assert line.area == pytest.approx(orbit.area, abs=1e-11)
            assert line.weights.sum() == pytest.approx(orbit.weights.sum(), rel=1e-9)


@pytest.mark.parametrize("mu", [-0.764, -0.65])
def test_lines_follow_the_equation_of_motion(mu):
    """After the time that its weights say, an orbit is back at its start."""
    for band in conduction_bands().bands:
        for line in band.contours(mu):
            period = 4 * np.pi**2 * line.weights.sum()

            def motion(_, k, band=band):
                x, y = band.energy_and_velocity(k)[1]
                return np.array([-y, x])

            path = solve_ivp(motion, (0, period), line.points[0], "DOP853", rtol=1e-11, atol=1e-12)
            turns = 2 * np.pi * np.array(line.winding)
            assert path.y[:, -1] == pytest.approx(line.points[0] + turns, abs=1e-7)


def test_small_pocket_has_the_density_of_a_parabolic_band():
    (sheet,) = fermi_sheets(circular(mass=3.0), 1e-5)
    assert sheet.density_of_states == pytest.approx(3 / (2 * np.pi), rel=1e-5)
    assert sheet.area == pytest.approx(3 * 1e-5 / (2 * np.pi), rel=1e-5)
    assert sheet.kind == "electron" and sheet.center == "Γ"


def test_complete_elliptic_integral_of_the_square_lattice():
    from scipy.special import ellipk

    for energy in (0.1, 1.0, 1.9, 3.3):
        # Density of states of -cos kx - cos ky at a distance x from the centre of the band.
        x = abs(energy - 2)
        expected = ellipk(1 - (x / 2) ** 2) / np.pi**2
        assert density_of_states(circular(), energy)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("basis", "winding"),
    [
        ([[1, 0], [0, 1]], (0, 1)),
        ([[0, 1], [1, 0]], (1, 0)),
        ([[1, -1], [0, 1]], (1, 1)),
        ([[2, 1], [1, 1]], (-1, 2)),
        ([[3, -2], [-1, 1]], (2, 3)),
    ],
)
def test_open_lines_wind_and_have_the_right_density_and_filling(basis, winding):
    model = striped(np.array(basis))
    sheets = fermi_sheets(model, 0.2)
    assert [s.kind for s in sheets] == ["open", "open"]
    assert sorted(c.winding for c in model.bands[0].contours(0.2)) == sorted(
        [winding, tuple(-n for n in winding)]
    )
    ky = 2 * np.pi * np.arange(400) / 400
    kf = np.arccos(-0.2 + 0.1 * np.cos(ky))
    assert band_fillings(model, 0.2)[0] == pytest.approx(2 * (kf / np.pi).mean(), abs=1e-12)
    density = (1 / np.sin(kf)).mean() / np.pi
    assert density_of_states(model, 0.2)[0] == pytest.approx(density, rel=1e-11)


def test_sheets_of_fig_2_know_what_they_are():
    alpha, beta = fermi_sheets(conduction_bands(), -0.65)
    assert (alpha.name, alpha.center, alpha.kind, alpha.parity) == ("α", "Γ", "electron", -1)
    assert (beta.name, beta.center, beta.kind, beta.parity) == ("β", "M", "hole", 1)
    for sheet in (alpha, beta):
        energies = conduction_bands().band_energies(sheet.points)[:, sheet.band]
        assert np.allclose(energies, -0.65, atol=1e-13)
        assert np.allclose(sheet.orbital_weights[:, sheet.band], 1)
        outward = ((sheet.points - sheet.center_point) * sheet.velocity).sum(axis=-1)
        assert (outward > 0).all() if sheet.kind == "electron" else (outward < 0).all()
        # Fourfold: averages over each quadrant agree.
        quadrant = (sheet.angle // (np.pi / 2)).astype(int)
        shares = [sheet.weights[quadrant == q].sum() for q in range(4)]
        assert np.allclose(shares, sheet.density_of_states / 4, rtol=0.05)


def test_coupled_bands_with_complex_hoppings_fill_up_to_the_sum_of_their_areas():
    model, mu = two_orbital_bilayer(seed=4), 0.4
    sheets = fermi_sheets(model, mu)
    k = zone_mesh(300)
    counted = 2 * (model.band_energies(k) < mu).mean(axis=(0, 1))
    assert band_fillings(model, mu) == pytest.approx(counted, abs=2e-3)
    total = sum(s.density_of_states for s in sheets)
    assert total == pytest.approx(density_of_states(model, mu).sum(), rel=1e-12)


def test_bad_chemical_potentials_are_refused():
    model = conduction_bands()
    with pytest.raises(ValueError, match=r"mu = 5.0 eV crosses no band.*-1.08 and 2.52"):
        fermi_sheets(model, 5.0)
    with pytest.raises(ValueError, match="mu = nan"):
        fermi_sheets(model, float("nan"))
    with pytest.raises(TypeError, match="mu = 'low'"):
        fermi_sheets(model, "low")
    saddle = next(p for p in van_hove_points(model) if p.kind == "saddle")
    with pytest.raises(ValueError, match="van Hove saddle"):
        fermi_sheets(model, saddle.energy)
    with pytest.raises(ValueError, match=r"values has shape \(3,\)"):
        fermi_sheets(model, -0.65)[0].average(np.ones(3))
