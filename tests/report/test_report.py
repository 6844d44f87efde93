"""A report is what the package computes, call by call, and survives its file."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import lattices
import numpy as np
import pytest

import nickbook
from nickbook import report as room
from nickbook.bands import FermiSea, density_of_states, four_band, write_wannier90
from nickbook.observables import impurity_scattering, spin_spectrum, tunnelling, weak_coupling
from nickbook.pairing import (
    GapFunction,
    bare_susceptibility,
    frg_flow,
    kanamori,
    rpa_gap,
    stoner_point,
    tj_mean_field,
)
from nickbook.report import QUALITIES, Report, compare, comparison
from nickbook.report.command import main
from nickbook.report.page import findings
from nickbook.report.report import STEPS
from nickbook.report.steps import bilayer

J = (0.15, 0.075, 0.03, 0.375)
FAST = QUALITIES["fast"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "own_hr.dat"
    write_wannier90(four_band(), path)
    return path


@pytest.fixture(scope="module")
def report(file):
    return compare(file, filling=3, quality="fast", temperature=0.06)


@pytest.fixture(scope="module")
def sea():
    return FermiSea.at(four_band(), filling=3)


def largest(gap):
    return max(float(np.abs(v).max()) for v in gap.values)


def test_every_step_has_its_result(report):
    assert not report.missing and set(report.seconds) == set(STEPS)


def test_bands_and_densities(report, sea):
    path, lines = report.spectrum.path, report.spectrum
    assert np.sort(lines.bands) == pytest.approx(sea.model.energies(path) - sea.mu, abs=1e-9)
    i = len(lines.energies) // 3
    expected = density_of_states(sea.model, float(lines.energies[i]) + sea.mu)
    assert np.sort(lines.densities[i]) == pytest.approx(np.sort(expected), rel=1e-8)
    # The sum over all energies counts the bands, up to the steps between energies.
    finite = np.where(np.isfinite(lines.densities), lines.densities, 0)
    assert finite.sum() * np.diff(lines.energies)[0] == pytest.approx(4, rel=0.1)


def test_the_response_and_its_peaks(report, sea):
    chi0 = bare_susceptibility(sea, temperature=0.06, mesh=FAST.mesh)
    assert report.response.chi0.values == pytest.approx(chi0.values, abs=1e-9)
    for q, height in zip(report.response.peaks.q, report.response.peaks.eigenvalues, strict=True):
        assert height == pytest.approx(np.linalg.eigvalsh(chi0.on(q))[-1], rel=1e-6)
    assert report.response.peaks.eigenvalues[0] == pytest.approx(report.response.largest.max())
    point = stoner_point(chi0, kanamori((0, 0, 1, 1), U=1.0, J=0.1))
    assert report.response.stoner.scale == pytest.approx(point.scale, rel=1e-9)
    assert sorted(np.abs(report.response.stoner.q)) == pytest.approx(sorted(np.abs(point.q)))


def test_pairing_states(report, sea):
    for item in report.pairing:
        expected = rpa_gap(
            sea,
            interaction=kanamori((0, 0, 1, 1), U=item.U, J=0.1 * item.U),
            temperature=0.06,
            mesh=FAST.mesh,
            patches=FAST.patches,
        )
        found = {s.gap.channel: s.eigenvalue for s in item.states}
        assert found == pytest.approx({s.gap.channel: s.eigenvalue for s in expected}, rel=1e-6)
        assert item.states[0].eigenvalue == max(found.values())
    assert [item.share for item in report.pairing] == pytest.approx([0.5, 0.8, 0.95])


def test_the_flow(report):
    width = report.sea.model.state_count.width
    given = {"patches": FAST.flow_patches, "mesh": FAST.flow_mesh, "stop": 1e-3 * width}
    # The repulsion is the range of energies where nothing else was asked for.
    expected = frg_flow(report.sea, U=width, J=0.1 * width, **given)
    assert report.flow.channels == expected.channels
    assert report.flow.scales == pytest.approx(expected.scales)
    assert report.flow.eigenvalues == pytest.approx(expected.eigenvalues, abs=1e-4)


def test_the_mean_field(report, sea):
    names = dict(zip(("J1", "J2", "J1_inter", "J2_inter"), J, strict=True))
    expected = tj_mean_field(sea, mesh=FAST.bond_mesh, **names)
    assert report.exchange.unknowns == pytest.approx(expected.unknowns, abs=1e-8)


def test_the_mean_field_knows_x2_and_z2_in_any_order(sea):
    model, order = sea.model, [1, 0, 3, 2]
    swapped = replace(
        model,
        hoppings=model.hoppings[:, order][:, :, order],
        symmetries=(),
        mirror=None,
        band_names=(),
        sheet_names=(),
    )
    found = compare(swapped, filling=3, quality="fast", only=("exchange",))
    assert bilayer(found.sea.model) == ((1, 0), (3, 2))
    assert bilayer(model) == ((0, 1), (2, 3))
    names = dict(zip(("J1", "J2", "J1_inter", "J2_inter"), J, strict=True))
    expected = tj_mean_field(sea, mesh=FAST.bond_mesh, **names)
    assert found.exchange.unknowns == pytest.approx(expected.unknowns, abs=1e-8)


def test_observables_are_of_the_leading_state(report):
    sea, middle = report.sea, report.pairing[1]
    gap = middle.states[0].gap
    assert report.chosen is middle and middle.share == pytest.approx(0.8)
    chosen = GapFunction(gap.sheets, tuple(report.gap * v for v in gap.values), spin=gap.spin)
    assert largest(gap) == pytest.approx(1.0)
    assert report.gap == pytest.approx(5e-3 * sea.model.state_count.width)
    assert report.thermodynamics.ratio == pytest.approx(weak_coupling(sea, gap=chosen).ratio)
    seen = tunnelling(sea, gap=chosen, broadening=report.gap / 40)
    assert report.tunnelling.ratio == pytest.approx(seen.ratio)
    dirt = impurity_scattering(sea, gap=chosen, strength=np.inf)
    assert report.impurities.pair_breaking == pytest.approx(dirt.pair_breaking)
    few = report.spins.energies[[10, 40]]
    given = {"q": report.response.stoner.q, "broadening": report.gap / 5}
    spins = spin_spectrum(sea, gap=chosen, energies=few, mesh=FAST.spin_mesh, **given)
    assert report.spins.bare[[10, 40]] == pytest.approx(spins.bare)


def test_a_file_holds_all_of_a_report(report, tmp_path):
    report.to_netcdf(tmp_path / "own.nc")
    again = Report.load(tmp_path / "own.nc")
    assert again.sea == report.sea and again.seconds == report.seconds
    assert findings(again) == findings(report) and again.to_html() == report.to_html()
    assert np.array_equal(again.flow.part, report.flow.part)


class Page(HTMLParser):
    """Whether each element is closed, no name is used twice, and nothing comes from elsewhere."""

    EMPTY = frozenset({"meta", "br", "hr", "img", "link"})

    def __init__(self, text):
        super().__init__()
        self.open, self.names, self.targets, self.tags, self.texts = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        self.open += [tag] * (tag not in self.EMPTY)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.names += [value for key, value in attrs if key == "id"]
        self.targets += [v for key, v in attrs if key in {"href", "src", "xlink:href", "data"}]
        self.targets += [t for _, v in attrs for t in re.findall(r"url\((.*?)\)", v or "")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_stands_alone(report):
    page = Page(report.to_html())
    assert len(page.names) == len(set(page.names))
    own = {f"#{name}" for name in page.names}
    assert {t for t in page.targets if not t.startswith("data:image/png;base64,")} <= own
    assert not {"script", "link", "iframe", "metadata"} & set(page.tags)
    assert page.tags.count("svg") == 8 and "#010203" not in report.to_html()
    assert {"viewport", "light dark"} <= set(re.findall("viewport|light dark", report.to_html()))
    words = " ".join(page.texts)
    for rows in findings(report).values():
        for label, text in rows.items():
            assert label in words and text in words


def test_without_matplotlib_figures_are_plainer(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "nickbook.plot", None)
    monkeypatch.delattr(nickbook, "plot", raising=False)
    page = Page(report.to_html())
    assert page.tags.count("svg") == 7  # the density of states has no picture of its own


def test_a_name_is_a_text_and_no_markup(sea):
    named = replace(sea.model, name="<b>bold</b> & co")
    page = Page(compare(named, filling=3, only=()).to_html())
    assert "b" not in page.tags and "<b>bold</b> & co" in page.texts


def test_reports_side_by_side_show_what_differs(report, sea):
    other = compare(sea.model, filling=3.2, quality="fast", only=("spectrum",))
    page = comparison([report, other])
    Page(page)
    marked = re.findall(r'<tr class="differs"><th>(.*?)</th>', page)
    assert "Level" in marked and "Mirror between layers" not in marked
    assert "differs" not in comparison([report, report]).partition("</style>")[2]


def test_the_package_hands_the_function_out():
    assert nickbook.compare is room.compare
    with pytest.raises(AttributeError):
        nickbook.comparison  # noqa: B018


def said(capsys, *arguments):
    assert main(["compare", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("nickbook compare: ") and err.count("\n") == 1
    return err


def written(tmp_path, model, name="own_hr.dat"):
    write_wannier90(model, tmp_path / name)
    return tmp_path / name


def test_bad_input_ends_in_one_sentence(capsys, tmp_path, file):
    own = ("--output", tmp_path / "page")
    (tmp_path / "novel.dat").write_text("Call me Ishmael.\n")
    (tmp_path / "novel_hr.dat").write_text("Call me Ishmael.\n")
    (tmp_path / "novel.nc").write_text("Call me Ishmael.\n")
    assert "No such file" in said(capsys, tmp_path / "none_hr.dat", "--filling", 3, *own)
    assert "no table of numbers" in said(capsys, tmp_path / "novel.dat", "--filling", 3, *own)
    assert "write it again" in said(capsys, tmp_path / "novel_hr.dat", "--filling", 3, *own)
    assert "damaged or no NetCDF" in said(capsys, tmp_path / "novel.nc", *own)
    assert "filling = 8.5" in said(capsys, file, "--filling", 8.5, *own)
    assert "--filling 3" in said(capsys, file, *own)
    assert "quality" in said_by_parser(capsys, file, "--filling", 3, "--quality", "best")
    assert "sites" in said(capsys, file, "--filling", 3, "--sites", "0,1", *own)
    assert "no folder" in said(capsys, file, "--filling", 3, "--output", tmp_path / "a" / "b")
    gapped = written(tmp_path, lattices.gapped(), "gap_hr.dat")
    assert "lies in the gap" in said(capsys, gapped, "--filling", 2, *own)
    doubled = written(tmp_path, lattices.kramers(), "spin_hr.dat")
    assert "one spin" in said(capsys, doubled, "--filling", 1.3, *own)
    assert "two dimensions" in said(capsys, file, "--filling", 3, "--kz", 0, *own)
    assert not list(tmp_path.glob("page*"))


def said_by_parser(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["compare", *map(str, arguments)])
    assert left.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_spin_in_the_orbitals_is_refused_in_python_too():
    with pytest.raises(ValueError, match="spin_degeneracy"):
        compare(lattices.rashba(), filling=0.5)


def test_a_lattice_that_is_not_square_gets_what_is_possible():
    model = replace(lattices.graphene(), sites=(0, 1))
    found = compare(model, filling=2.4, quality="fast", only=tuple(set(STEPS) - {"flow", "spins"}))
    assert set(found.missing) == {"flow", "spins", "exchange"}
    assert "two layers of two orbitals" in found.missing["exchange"]
    assert {s.gap.channel for s in found.pairing[0].states} == {"singlet", "triplet"}
    assert "none was found" in findings(found)["Model"]["Point group"]
    Page(found.to_html())


def test_a_step_without_its_start_says_so(sea):
    found = compare(sea.model, filling=3, quality="fast", temperature=1e-6, only=STEPS[1:3])
    assert "below the lowest one" in found.missing["response"]
    assert "no susceptibility" in found.missing["pairing"]
    assert "temperature" in found.to_html()


def test_a_plane_has_the_level_of_its_crystal():
    flat = lattices.square_lattice()
    vectors = [(*r, 0) for r in flat.translations.tolist()] + [(0, 0, 1), (0, 0, -1)]
    hops = np.concatenate([flat.hoppings, np.full((2, 1, 1), -0.2)])
    crystal = replace(flat, translations=np.array(vectors), hoppings=hops, symmetries=())
    with pytest.raises(ValueError, match="three dimensions"):
        compare(crystal, filling=0.8)
    planes = [compare(crystal, filling=0.8, kz=kz, only=()).sea for kz in (0.0, np.pi)]
    assert planes[0].mu == planes[1].mu
    assert planes[0].filling > 0.8 > planes[1].filling  # k_z = 0 lies lower


def test_the_command_writes_two_files_that_open_again(file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick = ["--filling", "3", "--quality", "fast", "--temperature", "0.06", "--flow-U", "0.5"]
    code = "import sys; from nickbook.report.command import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "compare", str(file), *quick]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "wrote own_hr.html and own_hr.nc\n"
    page = (tmp_path / "own_hr.html").read_text("utf-8")
    assert main(["compare", "own_hr.nc", "--output", "again"]) == 0
    assert (tmp_path / "again.html").read_text("utf-8") == page
    assert main(["compare", "own_hr.nc", "own_hr.nc"]) == 0
    Page((tmp_path / "side-by-side.html").read_text("utf-8"))
    capsys.readouterr()
    assert "one model, or reports" in said(capsys, file, "own_hr.nc")


def test_steps_wait_for_no_picture():
    code = "import sys, nickbook.report; print({'matplotlib', 'xarray'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
