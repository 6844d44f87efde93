"""Gap functions: shapes with known answers, and real Fermi lines met by root finding."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from nickbook.bands import FermiSheet, conduction_bands, eta_k, fermi_sheets, four_band
from nickbook.pairing import GapFunction, triplon_gap

MU = -0.65


def closed_line(points, center=(0.0, 0.0)):
    """A sheet through given points, all of the same weight."""
    count = len(points)
    return FermiSheet(
        name="test",
        band=0,
        parity=-1,
        points=np.asarray(points, dtype=float),
        velocity=np.ones((count, 2)),
        weights=np.full(count, 1 / count),
        orbital_weights=np.ones((count, 1)),
        center="Γ",
        center_point=center,
        kind="electron",
        area=0.1,
    )


def ring(count=200, start=0.3, turn=1):
    """A circle whose points are unevenly spaced and begin at any angle."""
    phase = 2 * np.pi * np.arange(count) / count
    angle = start + turn * (phase + 0.3 * np.sin(phase))
    return closed_line(np.stack([np.cos(angle), np.sin(angle)], axis=-1))


def gap_on(sheet, values):
    return GapFunction((sheet,), (np.asarray(values, dtype=float),))


def test_anisotropy_is_the_relative_spread_of_the_magnitude():
    sheet = ring()
    assert gap_on(sheet, np.full(200, -3.0)).anisotropy() == [0.0]
    # Between 1 and 3: spread (3 - 1)/(3 + 1), whatever the sign.
    wave = 2 + np.cos(2 * np.pi * np.arange(200) / 200)
    for sign in (1, -1):
        assert gap_on(sheet, sign * wave).anisotropy() == [pytest.approx(0.5)]
    assert gap_on(sheet, np.zeros(200)).anisotropy() == [0.0]


@pytest.mark.parametrize("harmonic", [1, 2, 4])
def test_a_harmonic_has_two_nodes_for_each_turn_of_its_phase(harmonic):
    sheet = ring()
    assert gap_on(sheet, np.cos(harmonic * sheet.angle + 0.1)).sign_changes() == [2 * harmonic]
    assert gap_on(sheet, 1.1 + np.cos(harmonic * sheet.angle)).sign_changes() == [0]
    # One node lies between the last point and the first.
    phase = 2 * np.pi * (np.arange(200) + 0.5) / 200
    assert gap_on(sheet, np.sin(harmonic * phase)).sign_changes() == [2 * harmonic]


def test_signs_are_those_of_the_averages():
    sheets = (ring(), ring(turn=-1))
    wave = 0.8 + np.cos(2 * np.pi * np.arange(200) / 200)
    gap = GapFunction(sheets, (wave, -wave))
    assert gap.signs() == [1, -1]


#: What the gaps look like, and a factor on β (odd), γ and α (even).
KINDS = {
    "s±": (lambda kx, ky: 2 + np.cos(kx) * np.cos(ky), (-1, 1, 1)),
    "s++": (lambda kx, ky: 2.5 + np.cos(kx) + np.cos(ky), (1, 1, 2)),
    "d": (lambda kx, ky: np.cos(2 * kx) - np.cos(2 * ky), (1, -1, 1)),
    "dxy": (lambda kx, ky: np.sin(kx) * np.sin(2 * ky) + np.sin(2 * kx) * np.sin(ky), (2, 1, 1)),
    "g": (lambda kx, ky: np.sin(kx) * np.sin(ky) * (np.cos(kx) - np.cos(ky)), (1, 1, 1)),
    "normal": (lambda kx, _: 0 * kx, (1, 1, 1)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_read_off_the_values(kind):
    shape, factors = KINDS[kind]
    for model in (four_band(), replace(four_band(), mirror=None)):
        sheets = tuple(fermi_sheets(model, 10.0585))
        values = (f * shape(*s.points.T) for s, f in zip(sheets, factors, strict=True))
        gap = GapFunction(sheets, tuple(values))
        assert gap.kind == kind


def test_words_name_a_gap_in_every_theory():
    sheet = ring()
    gap = GapFunction((sheet,), (np.cos(sheet.angle),), spin="triplet", representation="E")
    assert (gap.channel, gap.kind) == ("triplet E", "p")
    plain = gap_on(sheet, 2 + np.cos(4 * sheet.angle))
    assert (plain.channel, plain.kind) == ("singlet", "s")
    with pytest.raises(ValueError, match="spin = 's±'"):
        GapFunction((sheet,), plain.values, spin="s±")
    with pytest.raises(ValueError, match=r"representation = 'd'.*'B1'"):
        GapFunction((sheet,), plain.values, representation="d")


@pytest.mark.parametrize("turn", [1, -1])
def test_gap_at_an_angle_on_a_circle(turn):
    sheet = ring(turn=turn)
    theta = np.linspace(-7, 9, 83)
    found = gap_on(sheet, 2 + np.cos(4 * sheet.angle - 0.2)).at_angle(0, theta)
    assert found == pytest.approx(2 + np.cos(4 * theta - 0.2), abs=1e-4)


def test_gap_at_an_angle_is_the_gap_where_the_ray_meets_the_fermi_line():
    model = conduction_bands()
    gap = triplon_gap(model, MU, coupling=0.5, kappa=0.75)
    for index, sheet in enumerate(gap.sheets):
        slope, constant = np.polyfit(eta_k(sheet.points) ** 2, gap.values[index], 1)
        for theta in (0.0, 0.3, np.pi / 4, 1.1, 2.5, 5.9):
            ray = np.array([np.cos(theta), np.sin(theta)])
            center = np.array(sheet.center_point)

            def excess(r, center=center, ray=ray, band=sheet.band):
                return model.band_energies(center + r * ray)[band] - MU

            radii = np.linspace(0.1, 3.2, 32)
            first = np.flatnonzero(np.diff(np.sign([excess(r) for r in radii])))[0]
            k = center + brentq(excess, radii[first], radii[first + 1], xtol=1e-13) * ray
            expected = constant + slope * eta_k(k) ** 2
            assert gap.at_angle(index, theta) == pytest.approx(expected, rel=1e-6)


def test_gap_is_symmetric_about_the_diagonal_and_under_quarter_turns():
    gap = triplon_gap(conduction_bands(), MU, coupling=0.5, kappa=0.75)
    theta = np.linspace(0, np.pi / 2, 61)
    for index in (0, 1):
        values = gap.at_angle(index, theta)
        assert gap.at_angle(index, np.pi / 2 - theta) == pytest.approx(values, rel=1e-6)
        assert gap.at_angle(index, theta + np.pi / 2) == pytest.approx(values, rel=1e-6)
        # The smallest gap lies on the diagonal, where η vanishes.
        assert np.argmin(np.abs(values)) == 30


def test_ratio_compares_magnitudes_at_equal_angles():
    first, second = ring(), ring(turn=-1)
    gap = GapFunction((first, second), (2 + np.cos(4 * first.angle), -4 + np.cos(4 * second.angle)))
    assert gap.ratio() == pytest.approx(1 / 5, rel=1e-5)
    assert gap.ratio(1, 0) == pytest.approx(5, rel=1e-5)
    assert gap.ratio(angle=0.0) == pytest.approx(3 / 3, rel=1e-5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((np.ones(199),), r"shapes \[\(199,\)\].*\[\(200,\)\]"),
        ((np.ones(200), np.ones(200)), r"values have shapes .*one number"),
        ((), r"values have shapes \[\]"),
        ((np.ones((200, 1)),), r"\(200, 1\)"),
        ((np.full(200, np.nan),), "NaN or infinite"),
        ((np.full(200, np.inf),), "NaN or infinite"),
    ],
)
def test_values_that_are_no_gap_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        GapFunction((ring(),), values)


def test_lines_that_meet_an_angle_twice_have_no_gap_at_an_angle():
    phase = 2 * np.pi * np.arange(100) / 100
    circle = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    outside = closed_line(circle, center=(3.0, 0.0))
    bean = closed_line(circle * (0.2 + np.cos(phase))[:, None])
    for sheet in (outside, bean):
        with pytest.raises(ValueError, match=r"sheet = 0 \(test\) meets some angle more than once"):
            gap_on(sheet, np.ones(100)).at_angle(0, 0.1)
