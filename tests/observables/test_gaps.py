"""A gap of any theory becomes the same numbers on the lines."""

import numpy as np
import pytest
from circles import circle

from nickbook.bands import FermiSea, conduction_bands, eta_k, four_band, three_band
from nickbook.observables import gap_on_sheets, tunnelling
from nickbook.observables.gaps import GapField, closed, layer_operator, refined
from nickbook.pairing import GapFunction, kanamori, rpa_gap, tj_mean_field, triplon_gap

FOUR = FermiSea(four_band(), 10.0585)
TWO = FermiSea(conduction_bands(), -0.65)


def test_three_kinds_of_functions_are_one_gap():
    def matrix(k):
        return 0.01 * eta_k(k)[:, None, None] * np.eye(4)

    def bands(k):
        return np.tile(0.01 * eta_k(k)[:, None], 4)

    found = [gap_on_sheets(FOUR, gap=g) for g in (lambda k: 0.01 * eta_k(k), bands, matrix)]
    for sheet, *values in zip(FOUR.sheets, *(f.values for f in found), strict=True):
        for v in values:
            assert v == pytest.approx(0.01 * eta_k(sheet.points), abs=1e-12)


def test_each_band_has_its_own_column():
    found = gap_on_sheets(FOUR, gap=lambda k: np.tile([1.0, 2.0, 3.0, 4.0], (len(k), 1)))
    names = dict(zip(four_band().sheet_names, (1.0, 2.0, 3.0, 4.0), strict=True))
    for sheet, values in zip(found.sheets, found.values, strict=True):
        assert set(values) == {names[sheet.name]}


def test_a_matrix_is_what_the_t_j_theory_projects():
    solution = tj_mean_field(four_band(), 3, J1=0.15, J2=0.075, J2_inter=0.375, mesh=64)
    ours = gap_on_sheets(solution.sea, gap=solution.gap_matrix)
    for a, b in zip(ours.values, solution.gap_function().values, strict=True):
        assert a == pytest.approx(b, abs=1e-12)


def test_patches_become_a_line():
    patches = FOUR.patches(32)
    few = GapFunction(patches.sheets, tuple(eta_k(s.points) for s in patches.sheets))
    found = gap_on_sheets(FOUR, gap=few)
    for sheet, values in zip(found.sheets, found.values, strict=True):
        assert values == pytest.approx(eta_k(sheet.points), abs=1e-3)


def test_what_theories_return_goes_in():
    interaction = kanamori(FOUR.model.sites, U=1.0, J=0.1)
    state = rpa_gap(FOUR, interaction=interaction, temperature=0.05, mesh=32, patches=16)[0]
    assert gap_on_sheets(FOUR, gap=state.gap_function()).channel == state.gap.channel
    given = triplon_gap(TWO, coupling=0.5, kappa=0.75)
    assert gap_on_sheets(TWO, gap=given).values[0] is given.values[0]


def test_open_lines_are_periodic():
    sea = FermiSea(FOUR.model, 10.5)
    lines = [s for s in sea.sheets if s.kind == "open"]
    model = conduction_bands(t1=0.45, t2=0.0, t3=0.0, epsilon_alpha=0.0, epsilon_beta=0.0)
    lines += [s for s in FermiSea(model, -0.3).sheets if s.kind == "open"]
    for sheet in (*lines, *FOUR.sheets):
        line = refined(sheet, np.cos(sheet.points).sum(axis=1), 1000)
        assert line.gap == pytest.approx(np.cos(line.points).sum(axis=1), abs=1e-4)
        assert line.weights.sum() == pytest.approx(sheet.density_of_states, rel=1e-12)
        turns = (closed(sheet)[-1] - sheet.points[0]) / (2 * np.pi)
        assert turns == pytest.approx(np.rint(turns), abs=1e-9)


def test_between_lines_a_band_has_the_gap_of_the_closest_point():
    given = gap_on_sheets(FOUR, gap=lambda k: eta_k(k) + 0.3)
    field = GapField(FOUR, given)
    for sheet, values in zip(given.sheets, given.values, strict=True):
        normal = sheet.velocity / np.linalg.norm(sheet.velocity, axis=1)[:, None]
        away = sheet.points + 0.05 * normal + [2 * np.pi, 0]
        _, states = four_band().states(away)
        found = field.of_bands(away, states)
        assert found[:, sheet.band] == pytest.approx(values, abs=0.01)
    assert not found[:, four_band().sheet_names.index("z−")].any()
    # Its matrix has these gaps in the bands.
    matrix = field.matrices(away)
    diagonal = np.einsum("kan,kab,kbn->kn", states.conj(), matrix, states)
    assert diagonal == pytest.approx(found, abs=1e-12)


def test_layers_are_exchanged_by_the_mirror():
    for model in (four_band(), conduction_bands()):
        layer = layer_operator(model)
        assert model.mirror @ layer == pytest.approx(-layer @ model.mirror)
        assert layer @ layer == pytest.approx(np.eye(len(layer)))
    with pytest.raises(ValueError, match=r"three-band.*does not tell two layers apart; give .*sit"):
        layer_operator(three_band())


@pytest.mark.parametrize(
    ("gap", "error", "message"),
    [
        (3.0, TypeError, r"gap has type float; allowed: a GapFunction, .* or a function"),
        (lambda k: np.ones((len(k), 3)), ValueError, r"gap returned shape .*allowed: \(\d+,\), "),
        (lambda k: np.full(len(k), np.nan), ValueError, r"gap returned NaN"),
        (lambda k: 1j * eta_k(k), ValueError, r"gap is complex on sheet 'α'; allowed: real"),
        (
            triplon_gap(FermiSea(conduction_bands(), -0.6), coupling=0.5),
            ValueError,
            r"no values on",
        ),
    ],
)
def test_other_gaps_are_refused(gap, error, message):
    with pytest.raises(error, match=message):
        gap_on_sheets(TWO, gap=gap)


def test_arguments_are_named():
    with pytest.raises(TypeError, match=r"allowed: a FermiSea alone"):
        gap_on_sheets(conduction_bands(), gap=eta_k)
    with pytest.raises(ValueError, match=r"broadening = 0 eV; allowed"):
        tunnelling(TWO, gap=eta_k, broadening=0)
    with pytest.raises(ValueError, match=r"layer = 2; allowed: 0, 1"):
        tunnelling(TWO, gap=eta_k, broadening=0.1, layer=2)
    with pytest.raises(ValueError, match=r"orbitals = 2; allowed"):
        tunnelling(TWO, gap=eta_k, broadening=0.1, orbitals=[2])
    with pytest.raises(ValueError, match=r"energies has shape \(0,\)"):
        tunnelling(circle(), gap=eta_k, broadening=0.1, energies=[])
    with pytest.raises(ValueError, match=r"energies holds inf; allowed: finite numbers"):
        tunnelling(circle(), gap=eta_k, broadening=0.1, energies=[np.inf])
