"""Slopes of the chemical potential against solving for it again."""

from dataclasses import fields, replace

import numpy as np
import pytest

from nickbook.bands import (
    EightBandParameters,
    FourBandParameters,
    ThreeBandParameters,
    bilayer_plane,
    chemical_potential,
    chemical_potential_slopes,
    filling,
    four_band,
    three_band,
)

CASES = [(four_band, FourBandParameters()), (three_band, ThreeBandParameters())]


@pytest.mark.parametrize(
    ("build", "parameters", "electrons", "names"),
    [
        (four_band, FourBandParameters(), 3.0, ("epsilon_z", "s11_xy", "t12_x")),
        (three_band, ThreeBandParameters(), 2.7, ("t22_x", "t12_x", "t11_xx")),
    ],
)
def test_slopes_are_the_change_of_the_solved_potential(build, parameters, electrons, names):
    slopes = chemical_potential_slopes(build, parameters, electrons)
    assert list(slopes) == [item.name for item in fields(parameters)]
    for name in names:
        low, high = (
            chemical_potential(
                build(replace(parameters, **{name: getattr(parameters, name) + step})), electrons
            )
            for step in (-1e-3, 1e-3)
        )
        assert slopes[name] == pytest.approx((high - low) / 2e-3, abs=2e-4)


@pytest.mark.parametrize(("build", "parameters"), CASES)
def test_a_shift_of_both_levels_shifts_the_potential(build, parameters):
    slopes = chemical_potential_slopes(build, parameters, 3.0)
    assert slopes["epsilon_x"] + slopes["epsilon_z"] == pytest.approx(1, abs=1e-9)
    # Doubling every hopping and level doubles the potential: Euler's theorem.
    weighted = sum(getattr(parameters, name) * slope for name, slope in slopes.items())
    assert weighted == pytest.approx(chemical_potential(build(parameters), 3.0), abs=1e-6)


def test_rounding_of_all_parameters_adds_up_as_the_slopes_say():
    """Random digits behind the printed ones, solved for each time, against the linear sum."""
    random = np.random.default_rng(5)
    printed = FourBandParameters()
    slopes = chemical_potential_slopes(four_band, printed, 3.0)
    start = chemical_potential(four_band(), 3.0)
    for _ in range(4):
        change = dict(zip(slopes, random.uniform(-5e-4, 5e-4, len(slopes)), strict=True))
        moved = replace(printed, **{n: getattr(printed, n) + c for n, c in change.items()})
        expected = sum(slope * change[name] for name, slope in slopes.items())
        found = chemical_potential(four_band(moved), 3.0) - start
        assert found == pytest.approx(expected, abs=3e-5)


def test_planes_share_a_level_and_its_slopes():
    """Hellmann and Feynman against the electrons that all planes gain or lose together."""

    def planes(parameters):
        return [bilayer_plane(kz, parameters) for kz in (0.0, 2 * np.pi)]

    def electrons(level, **changed):
        held = planes(replace(EightBandParameters(), **changed))
        return np.mean([filling(plane, level) for plane in held])

    mu = chemical_potential(planes(EightBandParameters()), 3.0)
    assert electrons(mu) == pytest.approx(3.0, abs=1e-9)
    slopes, step = chemical_potential_slopes(planes, EightBandParameters(), 3.0, mu=mu), 1e-4
    value = EightBandParameters().s24_z
    gained = electrons(mu, s24_z=value + step) - electrons(mu, s24_z=value - step)
    assert slopes["s24_z"] == pytest.approx(
        -gained / (electrons(mu + step) - electrons(mu - step)), abs=1e-4
    )


def test_a_given_level_is_not_solved_for():
    mu = chemical_potential(three_band(), 3.0)
    solved = chemical_potential_slopes(three_band, ThreeBandParameters(), 3.0)
    assert chemical_potential_slopes(three_band, ThreeBandParameters(), 3.0, mu=mu) == solved
    with pytest.raises(ValueError, match=r"planes hold up to \[6, 8\] electrons"):
        chemical_potential([three_band(), four_band()], 3.0)


def test_a_filling_in_a_gap_is_refused():
    gapped = replace(ThreeBandParameters(), epsilon_z=0.0)
    with pytest.raises(ValueError, match="crosses no band"):
        chemical_potential_slopes(three_band, gapped, 2.0)
    with pytest.raises(ValueError, match=r"filling = 6\.0"):
        chemical_potential_slopes(three_band, ThreeBandParameters(), 6.0)
