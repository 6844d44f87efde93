"""Slopes of the chemical potential against solving for it again."""

from dataclasses import fields, replace

import numpy as np
import pytest

from nickbook.bands import (
    FourBandParameters,
    ThreeBandParameters,
    chemical_potential,
    chemical_potential_slopes,
    four_band,
    three_band,
)

CASES = [(four_band, FourBandParameters()), (three_band, ThreeBandParameters())]


@pytest.mark.parametrize(("build", "parameters"), CASES)
@pytest.mark.parametrize("filling", [3.0, 2.7])
def test_slopes_are_the_change_of_the_solved_potential(build, parameters, filling):
    slopes = chemical_potential_slopes(build, parameters, filling)
    assert list(slopes) == [item.name for item in fields(parameters)]
    for name in ("epsilon_z", "t22_x", "s11_xy", "t12_x", "t11_xx"):
        low, high = (
            chemical_potential(
                build(replace(parameters, **{name: getattr(parameters, name) + step})), filling
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
    for _ in range(8):
        change = dict(zip(slopes, random.uniform(-5e-4, 5e-4, len(slopes)), strict=True))
        moved = replace(printed, **{n: getattr(printed, n) + c for n, c in change.items()})
        expected = sum(slope * change[name] for name, slope in slopes.items())
        found = chemical_potential(four_band(moved), 3.0) - start
        assert found == pytest.approx(expected, abs=3e-5)


def test_a_filling_in_a_gap_is_refused():
    gapped = replace(ThreeBandParameters(), epsilon_z=0.0)
    with pytest.raises(ValueError, match="crosses no band"):
        chemical_potential_slopes(three_band, gapped, 2.0)
    with pytest.raises(ValueError, match=r"filling = 6\.0"):
        chemical_potential_slopes(three_band, ThreeBandParameters(), 6.0)
