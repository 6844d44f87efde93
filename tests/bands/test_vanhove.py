"""Critical points against closed forms and against what they do to the density of states."""

import numpy as np
import pytest

from nickbook.bands import conduction_bands, density_of_states, van_hove_points

PRINTED = {"t1": 0.45, "t2": -0.24, "t3": 0.06, "epsilon_alpha": 0.4, "epsilon_beta": 0.1}


def test_points_and_energies_follow_from_the_closed_form():
    # On ky = 0 the slope of LK Eq. 5 is sin(kx) (2 t1 + 4 t2 + 2 eps + (8 t3 - 2 eps) cos(kx)).
    t1, t2, t3, epsilon = 0.45, -0.24, 0.06, 0.1
    cosine = -(2 * t1 + 4 * t2 + 2 * epsilon) / (8 * t3 - 2 * epsilon)
    beta = [p for p in van_hove_points(conduction_bands()) if p.band == 1]
    saddles = [p for p in beta if p.kind == "saddle"]
    assert len(saddles) == 4
    for saddle in saddles:
        kx, ky = sorted(np.abs(saddle.point))[::-1]
        assert np.cos(kx) == pytest.approx(cosine, abs=1e-7) and ky == pytest.approx(0, abs=1e-7)
        assert saddle.energy == pytest.approx(
            -2 * t1 * (cosine + 1)
            - 4 * t2 * cosine
            - 4 * t3 * cosine**2
            + epsilon * (1 - cosine) ** 2,
            abs=1e-12,
        )
    at_x = [p for p in beta if np.allclose(np.abs(p.point), (np.pi, 0), atol=1e-6)]
    assert [p.kind for p in at_x] == ["minimum"]
    assert at_x[0].energy == pytest.approx(4 * t2 - 4 * t3 + 4 * epsilon, abs=1e-12)


@pytest.mark.parametrize("parameters", [PRINTED, PRINTED | {"t2": -0.1}, PRINTED | {"t3": 0.15}])
def test_minima_and_maxima_outnumber_saddles_by_none_on_a_torus(parameters):
    points = van_hove_points(conduction_bands(**parameters))
    for band in (0, 1):
        kinds = [p.kind for p in points if p.band == band]
        assert kinds.count("minimum") + kinds.count("maximum") == kinds.count("saddle")


def test_steps_have_the_stated_height():
    model = conduction_bands()
    for level, band in ((-1.08, 0), (-0.8, 1), (2.52, 0)):
        points = [p for p in van_hove_points(model) if p.band == band]
        points = [p for p in points if abs(p.energy - level) < 1e-9]
        # Over 2e-6 eV the other lines change by no more than the tolerance.
        inside = -1e-6 if points[0].kind == "maximum" else 1e-6
        jump = density_of_states(model, level + inside) - density_of_states(model, level - inside)
        assert jump[band] == pytest.approx(sum(p.strength for p in points), abs=5e-5)


def test_logarithms_have_the_stated_strength():
    model = conduction_bands()
    # On these sides of the saddles the lines are smooth; on the other they follow their orbits.
    for level, band, side in ((-0.765, 1, -1), (0.4, 0, 1)):
        points = [p for p in van_hove_points(model) if abs(p.energy - level) < 1e-9]
        near, far = (density_of_states(model, level + side * d)[band] for d in (1e-6, 1e-5))
        strength = sum(p.strength for p in points)
        assert near - far == pytest.approx(strength * np.log(10), rel=1e-3)
        assert density_of_states(model, points[0].energy)[band] == np.inf
