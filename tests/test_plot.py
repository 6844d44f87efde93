"""Pictures show the numbers that they claim to show, of any model."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pytest
from contourpy import contour_generator
from lattices import KINDS, graphene, kagome, kramers, lattice, rashba, square_lattice
from matplotlib.colors import to_rgb

from nickbook import plot
from nickbook.bands import FermiSea, eta_k, fermi_patches, four_band, zone_path
from nickbook.pairing import GapFunction, bare_susceptibility, frg_flow, nesting
from nickbook.plot.energies import orbital_shares
from nickbook.plot.responses import spread
from nickbook.plot.style import SHARE, SIGNED

TRIANGLES = np.array([[1, 0], [0.5, np.sqrt(3) / 2]])
HOP = np.diag([1.0, 0.3])
LAYERS = lattice(
    {(1, 0, 0): -HOP, (0, 1, 0): -HOP, (0, 0, 1): [[-0.1, 0.2], [0.2, -0.1]], (1, 1, 1): 0.1 * HOP},
    "layers",
)
SEAS = {
    "graphene": (graphene(), 1.5),
    "kagome": (kagome(), -0.4),
    "one band": (square_lattice(-0.3), -0.5),
    "one orbital with spin": (rashba(), -1.0),
    "spin-orbit": (kramers(), -0.3),
    "open lines": (KINDS["chain"](), 0.4),
    "plane of three dimensions": (LAYERS.plane(0.5), -0.7),
    "four bands": (four_band(), 10.0975),
}
X_ORBITALS = ("t x²−y²", "b x²−y²")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def sea():
    return FermiSea.at(four_band(), filling=3)


@pytest.fixture(scope="module")
def chi(sea):
    return bare_susceptibility(sea, temperature=0.05, mesh=32)


def drawn(ax):
    """Pieces of lines that the collections of axes hold."""
    return [np.asarray(s) for lines in ax.collections for s in lines.get_segments()]


def length(pieces):
    return sum(np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in pieces)


@pytest.mark.parametrize("name", SEAS)
@pytest.mark.parametrize("window", [(-1, 1), (0, 2), (-0.5, 1.5)])
def test_sheets_are_all_lines_of_the_level_and_none_outside(name, window):
    model, mu = SEAS[name]
    pieces = drawn(plot.sheets(FermiSea(model, mu), window=window))
    points = np.concatenate(pieces)
    assert points.min() >= window[0] and points.max() <= window[1]
    width = np.ptp(model.energies(np.pi * points))
    near = np.abs(model.energies(np.pi * points) - mu).min(axis=-1)
    assert near.max() < 1e-3 * max(width, 1.0)
    # Lines of plain marching squares are as long.
    axis = np.linspace(*window, 401)
    mesh = model.energies(np.pi * np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1))
    squares = [contour_generator(axis, axis, e.T).lines(mu) for e in np.moveaxis(mesh, -1, 0)]
    assert length(pieces) == pytest.approx(sum(map(length, squares)), rel=2e-3)


def test_lines_end_on_the_border_where_they_are_cut():
    pieces = drawn(plot.sheets(FermiSea(square_lattice(-0.3), -0.5)))
    assert len(pieces) == 4
    for piece in pieces:
        assert np.abs(piece[[0, -1]]).max(axis=1) == pytest.approx(1, abs=1e-12)


def test_primitive_vectors_give_the_hexagon_its_pockets():
    ax = plot.sheets(FermiSea(graphene(t=2.8), 1.5), axes=TRIANGLES)
    points = np.pi * np.concatenate(drawn(ax))
    # The textbook's formula with vectors in space, which knows no components along them.
    steps = np.exp(1j * points @ TRIANGLES.T)
    assert np.abs(2.8 * np.abs(1 + steps.sum(axis=1)) - 1.5).max() < 2e-3
    corners = 4 / 3 * np.stack([np.cos(np.pi / 3 * np.arange(6)), np.sin(np.pi / 3 * np.arange(6))])
    away = np.linalg.norm(points[:, None] / np.pi - corners.T, axis=-1)
    assert set(away.argmin(axis=1)) == set(range(6)) and away.min(axis=1).max() < 0.35
    (border,) = ax.patches
    assert np.allclose(np.linalg.norm(border.get_xy(), axis=1), 4 / 3)
    assert ax.get_xlim() == pytest.approx((-4 / 3, 4 / 3))


def test_sheets_are_named_once_and_coloured_by_name(sea):
    ax = plot.sheets(sea, window=(-2, 2))
    colors = {text.get_text(): text.get_color() for text in ax.texts}
    assert colors == {
        "α": plot.SHEET_COLORS["alpha"],
        "β": plot.SHEET_COLORS["beta"],
        "γ": plot.SHEET_COLORS["gamma"],
    }
    for text in ax.texts:
        sheet = next(s for s in sea.sheets if s.name == text.get_text())
        away = np.pi * np.array(text.xy) - sheet.points
        away -= 2 * np.pi * np.round(away / (2 * np.pi))
        assert np.linalg.norm(away, axis=1).min() < 0.05


def test_parity_of_sheets_and_bands(sea):
    ax = plot.sheets(sea, color_by="parity")
    styles = [tuple(lines.get_edgecolor()[0]) for lines in ax.collections]
    parities = [sheet.parity for sheet in sea.sheets]
    assert [styles.index(s) == 0 for s in styles] == [p == parities[0] for p in parities]
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {"even", "odd"}
    ax = plot.bands(sea, character="parity", labels=False)
    named = {line.get_label(): line.get_color() for line in ax.lines}
    for band, line in enumerate(ax.lines[1:5]):
        assert line.get_color() == named["even" if sea.model.parity[band] > 0 else "odd"]


@pytest.mark.parametrize("name", SEAS)
def test_characters_add_up_to_one_in_each_band(name):
    model, _ = SEAS[name]
    k = np.random.default_rng(1).uniform(-4, 4, (50, 2))
    shares = [orbital_shares(model, k, orbital) for orbital in model.orbitals]
    assert np.allclose(np.sum(shares, axis=0), 1)
    assert np.allclose(np.sum(shares, axis=-1), 1)
    half = model.orbitals[: len(model.orbitals) // 2 + 1]
    assert np.allclose(orbital_shares(model, k, half), np.sum(shares[: len(half)], axis=0))


def test_spins_have_equal_shares_where_bands_are_degenerate():
    k = np.random.default_rng(2).uniform(-4, 4, (50, 2))
    up, down = (orbital_shares(kramers(), k, name) for name in "ab")
    assert np.allclose(up, down) and np.ptp(up) > 0.4
    sheets = plot.sheets(FermiSea(kramers(), -0.3), color_by="a").collections[0]
    assert np.nanmax(sheets.get_array()) < 0.5 + 1e-9


def test_colour_is_the_share_at_its_place(sea):
    ax = plot.bands(sea, "ΓXM", character=X_ORBITALS)
    (lines,) = ax.collections
    path = plot.MomentumPath.through("ΓXM")
    rows = [sea.model.orbitals.index(name) for name in X_ORBITALS]
    for segment, value in list(zip(lines.get_segments(), lines.get_array(), strict=True))[::37]:
        (x, y), (x2, y2) = segment[:2]
        k = [np.interp((x + x2) / 2, path.distance, c) for c in path.k.T]
        energies, states = np.linalg.eigh(sea.model.hamiltonian(k))
        band = np.abs(energies - sea.mu - (y + y2) / 2).argmin()
        assert value == pytest.approx((np.abs(states[rows, band]) ** 2).sum(), abs=1e-3)
    sheets = plot.sheets(sea, color_by=X_ORBITALS).collections[0]
    for segment, value in list(zip(sheets.get_segments(), sheets.get_array(), strict=True))[::53]:
        energies, states = np.linalg.eigh(sea.model.hamiltonian(np.pi * segment[:2].mean(axis=0)))
        band = np.abs(energies - sea.mu).argmin()
        assert value == pytest.approx((np.abs(states[rows, band]) ** 2).sum(), abs=2e-3)


@pytest.mark.parametrize("name", SEAS)
def test_bands_are_the_eigenvalues_on_the_path(name):
    model, mu = SEAS[name]
    ax = plot.bands(model, "XΓM", level=mu, labels=False)
    k, distance, ticks = zone_path("XΓM", 401)
    lines = [line for line in ax.lines if len(line.get_xdata()) == 401]
    energies = np.sort([line.get_ydata() for line in lines], axis=0).T
    assert np.allclose(energies, np.linalg.eigvalsh(model.hamiltonian(k)) - mu)
    assert np.allclose(lines[0].get_xdata(), distance)
    assert np.allclose(ax.get_xticks(), ticks)


def test_three_dimensions_are_drawn_on_a_plane_or_along_a_path_in_space():
    model = LAYERS
    ax = plot.bands(model, "ΓX", kz=0.5, labels=False)
    k = np.column_stack([zone_path("ΓX", 401)[0], np.full(401, 0.5)])
    assert np.allclose(
        np.sort([line.get_ydata() for line in ax.lines[:2]], axis=0).T, model.energies(k)
    )
    ax = plot.bands(model, "ΓXRZ", level=0.1, labels=False)
    assert np.allclose(ax.get_xticks(), np.pi * np.arange(4))
    on_plane = drawn(plot.sheets(FermiSea(model, -0.7), kz=0.5))
    ready = drawn(plot.sheets(FermiSea(model.plane(0.5), -0.7)))
    assert length(on_plane) == length(ready)


def test_lengths_of_a_path_are_those_in_space():
    third = 2 * np.pi / 3
    corners = {"Γ": (0, 0), "K": (2 * third, third), "M": (np.pi, 0), "Γ ": (0, 0)}
    path = plot.MomentumPath.through(corners, axes=TRIANGLES)
    assert np.diff(path.ticks) == pytest.approx(
        [2 * third, third, 2 * np.pi / np.sqrt(3)]
    )  # ΓK, KM and MΓ of the textbooks
    ax = path.frame(plt.subplots()[1])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["Γ", "K", "M", "Γ"]


def test_some_bands_by_either_name(sea):
    ax = plot.bands(sea, only=["γ", "odd 1"], ls=":", ylim=(-1, 1))
    assert [line.get_linestyle() for line in ax.lines if len(line.get_xdata()) > 2] == [":"] * 2
    assert {text.get_text() for text in ax.texts} == {"γ", "z−"}
    assert all(-1 < text.xy[1] < 1 for text in ax.texts)


@pytest.mark.parametrize("patches", [0, 40])
def test_colours_of_a_gap_are_its_values(sea, patches):
    sheets = fermi_patches(sea.model, sea.mu, patches).sheets if patches else sea.sheets
    gap = GapFunction(sheets, tuple(1e-3 * eta_k(s.points) for s in sheets))
    ax = plot.gap(gap, unit="meV", window=(0, 2))
    (lines,) = ax.collections
    middle = np.array([s[:2].mean(axis=0) for s in lines.get_segments()])
    assert np.abs(lines.get_array() - eta_k(np.pi * middle)).max() < (0.02 if patches else 2e-3)
    largest = max(np.abs(eta_k(s.points)).max() for s in sheets)
    assert lines.get_clim() == pytest.approx((-largest, largest))
    assert np.allclose(lines.cmap(lines.norm(0.0))[:3], to_rgb(plot.SIGNED_COLORS[1]), atol=0.01)
    by_hand = plot.gap(gap.sheets, gap.values, unit=2e-3, limit=0.5).collections[0]
    assert by_hand.get_clim() == (-0.5, 0.5)
    assert np.abs(by_hand.get_array()).max() == pytest.approx(largest / 2, rel=1e-2)


def test_a_gap_against_the_angle_is_the_one_of_the_sheet(sea):
    gap = GapFunction(sea.sheets, tuple(eta_k(s.points) ** 3 for s in sea.sheets))
    ax = plot.gap_angle(gap, unit="eV")
    theta = np.linspace(0, 2 * np.pi, 50)
    for number, (sheet, line) in enumerate(zip(gap.sheets, ax.lines, strict=False)):
        assert line.get_label() == sheet.name
        seen = np.interp(theta / np.pi, *line.get_data())
        assert np.abs(seen - gap.at_angle(number, theta)).max() < 5e-3
    sizes = plot.gap_angle(gap, magnitude=True, labels="{}, cubed").lines
    assert [line.get_label() for line in sizes] == [f"{s.name}, cubed" for s in gap.sheets]
    assert max(line.get_ydata().max() for line in sizes) == pytest.approx(1, rel=1e-12)
    assert min(line.get_ydata().min() for line in sizes) >= 0


def test_a_pixel_is_the_susceptibility_at_its_middle(chi):
    ax = plot.susceptibility(chi, window=(-0.5, 1.5))
    (image,) = ax.images
    values, (left, right, bottom, top) = image.get_array(), image.get_extent()
    x = left + (right - left) * (np.arange(values.shape[1]) + 0.5) / values.shape[1]
    y = bottom + (top - bottom) * (np.arange(values.shape[0]) + 0.5) / values.shape[0]
    for i, j in ((0, 0), (3, 11), (20, 7), (32, 32)):
        matrix = chi.on(np.pi * np.array([x[j], y[i]]))
        assert values[i, j] == pytest.approx(np.linalg.eigvalsh(matrix)[-1])
    assert x[[0, -1]] == pytest.approx([-0.5, 1.5]) == y[[0, -1]]
    density = plot.susceptibility(chi, reading="density", window=(0, 1)).images[0]
    assert np.allclose(density.get_array(), chi.density_response[:17, :17].T)
    plain = plot.susceptibility(np.arange(16.0).reshape(4, 4), window=(0, 1)).images[0]
    assert plain.get_array().tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10]]


def test_a_susceptibility_along_a_path_is_that_of_the_double_sum(chi):
    path = plot.MomentumPath.through("ΓXMΓ", 25)
    ax = plot.susceptibility(chi, path)
    x, y = ax.lines[0].get_data()
    assert np.allclose(y, nesting(chi, path.k).eigenvalues, atol=3e-3)
    assert np.allclose(x, path.distance) and ax.get_xticks().tolist() == list(path.ticks)


def test_a_flow_falls_to_the_right_and_names_its_ends(sea):
    result = frg_flow(sea, U=3.0, patches=8, stop=0.3, mesh=16)
    ax = plot.flow(result, {"singlet B2": "d wave", "spin (π, 0)": "spin wave"}, ylim=(1e-3, 10))
    pairs, waves = ax.lines
    assert np.allclose(waves.get_ydata(), result.of("spin (π, 0)"))
    assert (waves.get_linestyle(), pairs.get_linestyle()) == ("--", "-")
    assert ax.get_xlim() == (result.scales.max(), result.scales.min())
    colors = {line.get_label(): line.get_color() for line in ax.lines}
    assert {text.get_text(): text.get_color() for text in ax.texts} == colors
    assert set(colors) == {"d wave", "spin wave"}
    assert len(plot.flow(result).lines) == len(plot.PALETTE)

    @dataclass
    class Other:
        scales: np.ndarray
        channels: dict

    line = plot.flow(Other(np.array([1.0, 0.1]), {"any": np.array([-1.0, 2.0])})).lines[0]
    assert np.isnan(line.get_ydata()[0]) and line.get_ydata()[1] == 2


def test_names_are_spread_as_little_as_possible():
    places = np.array([0.0, 1.0, 2.0, 30.0])
    moved = spread(places, 10.0)
    assert (np.diff(moved) > 10 - 1e-9).all()
    assert moved == pytest.approx([-9, 1, 11, 30])
    assert spread(moved, 10.0) == pytest.approx(moved)


def test_given_axes_are_given_back_and_settings_stay(sea, chi):
    before = dict(plt.rcParams)
    ax = plt.subplots()[1]
    for picture in (
        lambda **on: plot.bands(sea, **on),
        lambda **on: plot.sheets(sea, **on),
        lambda **on: plot.gap(sea.sheets, [eta_k(s.points) for s in sea.sheets], **on),
        lambda **on: plot.gap_angle(sea.sheets, [eta_k(s.points) for s in sea.sheets], **on),
        lambda **on: plot.susceptibility(chi, **on),
        lambda **on: plot.susceptibility(chi, "ΓX", **on),
    ):
        assert picture(ax=ax) is ax
        assert picture().figure is not ax.figure
    assert dict(plt.rcParams) == before


def test_a_level_is_drawn_whatever_its_unit_and_many_bands_go_unnamed():
    model = lattice({(0, 0): np.diag([2.0, -1.0]), (1, 0): np.diag([1, 0.2])}, "own")
    ax = plot.bands(model)
    assert ax.get_ylabel() == "E (eV)" and len(ax.lines) == 2 + 2  # and the lines from X and M
    assert plot.bands(model, level=0.5).get_ylabel() == "E − μ (eV)"
    assert plot.bands(KINDS["random 10"]()).texts[:] == []


#: Machado, Oliveira and Fernandes (2009): what light looks like without one kind of cones.
BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": np.eye(3),
}


def light(rgb):
    rgb = np.asarray(rgb)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rays):
    """CIE L*a*b* of linear RGB."""
    xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.clip(rays, 0, 1) @ np.transpose(xyz) / [0.9505, 1, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    a, b = 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])
    return np.stack([116 * f[..., 1] - 16, a, b], axis=-1)


@pytest.mark.parametrize("colors", [SIGNED, SHARE], ids=lambda c: c.name)
def test_colours_are_seen_on_both_pages_and_by_the_colour_blind(colors):
    rays = light(colors(np.linspace(0, 1, 101))[:, :3])
    brightness = rays @ [0.2126, 0.7152, 0.0722]
    dark = light(to_rgb("#15181c")) @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (brightness + 0.05)).min() > 3
    assert ((brightness + 0.05) / (dark + 0.05)).min() > 3
    for matrix in BLIND.values():
        seen = lab(rays @ np.transpose(matrix))
        assert np.linalg.norm(seen[0] - seen[-1]) > 40
        # A step along the scale is a step away from its end.
        assert (np.diff(np.linalg.norm(seen - seen[0], axis=1)) > 0).mean() > 0.8


THREE = FermiSea(LAYERS, -0.7)
SQUARE = FermiSea(square_lattice(), -0.5)
GAP = GapFunction(SQUARE.sheets, tuple(np.ones(len(s.points)) for s in SQUARE.sheets))


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: plot.bands(LAYERS), ValueError, r"kz = None.*three dimensions.*kz=0\.0"),
        (lambda: plot.bands(graphene(), kz=0.3), ValueError, "'graphene' has two dimensions"),
        (lambda: plot.bands(graphene(), "ΓZ"), ValueError, "path.*'graphene' has 2.*corners"),
        (lambda: plot.bands(graphene(), "ΓQ"), ValueError, "corners = 'ΓQ'; allowed.*Γ, X"),
        (lambda: plot.bands(graphene(), {"Γ": 0}), ValueError, "corners = .*two or more"),
        (lambda: plot.bands(graphene(), only="x"), ValueError, "only = 'x'.*'graphene', '0', '1'"),
        (
            lambda: plot.bands(graphene(), character="dxz"),
            ValueError,
            "'dxz'.*'graphene'.*'a', 'b'",
        ),
        (
            lambda: plot.bands(graphene(), character="parity"),
            ValueError,
            "'graphene' has no mirror",
        ),
        (lambda: plot.bands(SQUARE, level=1.0), TypeError, "level = 1.0 and a sea"),
        (lambda: plot.sheets(THREE), ValueError, "kz = None, but .*three dimensions"),
        (lambda: plot.sheets(SQUARE, kz=1.0), ValueError, "has two dimensions"),
        (lambda: plot.sheets(SQUARE, color_by="parity"), ValueError, "no mirror; give one"),
        (lambda: plot.sheets(SQUARE, color_by="z"), ValueError, "'z' names no orbital.*'a'"),
        (lambda: plot.sheets(SQUARE.sheets, color_by="a"), TypeError, "color_by = 'a'.*FermiSea"),
        (lambda: plot.sheets([1.0]), TypeError, "got float in place of Fermi sheets"),
        (lambda: plot.sheets([]), TypeError, "got list in place of"),
        (lambda: plot.sheets(graphene()), TypeError, r"got BlochModel.*FermiSea\(model, mu\)"),
        (lambda: plot.bands("graphene"), TypeError, "model is a str; allowed: a BlochModel or"),
        (lambda: plot.sheets(SQUARE, window=(1, 0)), ValueError, r"window = \(1, 0\).*\(-1, 1\)"),
        (lambda: plot.sheets(SQUARE, axes=[[1, 0], [2, 0]]), ValueError, "axes = .*independent"),
        (lambda: plot.gap(SQUARE.sheets), TypeError, "values = None"),
        (lambda: plot.gap(GAP, GAP.values), TypeError, "GapFunction alone"),
        (lambda: plot.gap(GAP, unit="K"), ValueError, "unit = 'K'; allowed: 'max', 'meV'"),
        (lambda: plot.gap(GAP, limit=0.0), ValueError, "limit = 0.0"),
        (lambda: plot.gap(GAP.sheets, [[1.0]]), ValueError, "values have shapes"),
        (lambda: plot.susceptibility(np.ones((2, 3))), ValueError, r"chi has shape \(2, 3\)"),
        (lambda: plot.susceptibility(np.eye(2), "ΓX"), TypeError, "path.*Susceptibility"),
        (lambda: plot.susceptibility(np.eye(2), reading="sum"), ValueError, "reading = 'sum'"),
        (lambda: plot.flow(SQUARE), TypeError, "result is a FermiSea; allowed: a FlowResult"),
        (lambda: plot.MomentumPath.through("ΓZ", kz=1.0), ValueError, "kz = 1.0.*of their own"),
    ],
)
def test_messages_name_argument_value_and_remedy(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
    assert not plt.get_fignums()


def test_an_open_line_has_no_angle():
    sheets = FermiSea(KINDS["chain"](), 0.4).sheets
    with pytest.raises(ValueError, match=r"sheet = 0 \(0\) is open.*plot\.gap"):
        plot.gap_angle(sheets, [np.ones(len(s.points)) for s in sheets])
    plot.gap(sheets, [np.ones(len(s.points)) for s in sheets])


def test_a_line_of_few_patches_is_round(sea):
    patches = fermi_patches(sea.model, sea.mu, 40)
    points = np.concatenate(drawn(plot.sheets(patches.sheets)))
    near = np.abs(sea.model.energies(np.pi * points) - sea.mu).min(axis=-1)
    chords = [(s.points[1:] + s.points[:-1]) / 2 for s in patches.sheets]
    straight = np.abs(sea.model.energies(np.concatenate(chords)) - sea.mu).min(axis=-1)
    assert near.max() < straight.max() / 4
