"""Every public class prints in a few words, and every result is the same after it was saved."""

import dataclasses
import inspect
import re
from functools import cached_property
from xml.etree import ElementTree as ET  # of our own pictures

import numpy as np
import pytest
import xarray as xr
from instances import MAKERS, OTHERS, instance, interaction

from nickbook.bands import BlochModel, FermiSea, four_band
from nickbook.book.api import public
from nickbook.pairing import GapFunction, Susceptibility, kanamori
from nickbook.results import Result

CLASSES = sorted(name for name, entry in public().items() if inspect.isclass(entry.thing))
NAMES = [*CLASSES, *OTHERS]
#: What is no result: views of a model, parts of figures, tables of rows, printed numbers.
UNSAVED = {
    *(
        "Band",
        "MomentumPath",
        "Responses",
        "StateCount",
        "StillExplorer",
        "Choice",
        "Curve",
        "Drawing",
        "Explorer",
        "Formula",
        "Image",
        "Panel",
        "Slider",
    ),
    *("Verdicts", "DisagreementError", "LiuKhaliullin", "GuLeYangWuHu"),
}
SAVED = [name for name in NAMES if name not in UNSAVED]
K = np.array([[0.3, 1.2], [2.0, -0.4]])
#: Methods that take arguments.
ASKED = {
    "BlochModel": lambda m: (m.hamiltonian(K), m.hamiltonian(K, "position"), m.states(K)),
    "FermiSea": lambda sea: (sea.patches(8), sea.density_of_states(10.0)),
    "FermiPatches": lambda p: p.representation(p.weights),
    "Susceptibility": lambda chi: (chi.on(K), chi.restricted("density").values),
    "GapFunction": lambda gap: (gap.at_angle(0, 0.3), gap.ratio()),
    "PairScattering": lambda s: s.vertex(kanamori((0, 0, 1, 1), 0.5, 0.1)),
    "Nesting": lambda n: n.between(0, 1),
    "FlowEquation": lambda e: e.derivative(e.bare(kanamori((0, 0, 1, 1), 0.5, 0.1)), 0.5),
    "FlowResult": lambda f: f.density_wave("spin", (np.pi, 0.0)),
    "ImpurityScattering": lambda i: i.critical_temperature([0.01, 0.1], clean=0.01),
    "SpinSpectrum": lambda s: s.absorption(interaction()),
    "TJModel": lambda model: model.solve(mesh=64).x,
    "ProjectedTJModel": lambda model: model.solve(mesh=32, temperature=0.01).x,
    "TJSolution": lambda s: (s.energies(K), s.gap_function().values),
    "TriplonMeanField": lambda t: t.specific_heat(temperature=0.01),
}
#: Methods without arguments that take too long.
SLOW = {"solve", "relaxed", "critical_temperature", "van_hove"}


def test_every_public_class_has_an_instance():
    assert set(MAKERS) == set(CLASSES)
    for name in CLASSES:
        assert isinstance(instance(name), public()[name].thing)
        assert isinstance(instance(name), Result) == (name not in UNSAVED)


@pytest.mark.parametrize("name", NAMES)
def test_prints_in_a_few_words(name):
    this = instance(name)
    for text in (repr(this), str(this), repr((this,))):
        assert len(text.splitlines()) <= 15 and len(text) <= 1000
        assert "array(" not in text and len(re.findall(r"\d\.\d", text)) <= 30
        assert not re.search(r"object at 0x", text) or name == "Explorer"


SENTENCES = {
    "BlochModel": "2 dimensions, 4 orbitals t x²−y², t z², b x²−y², b z², 13 hops, mirror, 8",
    "FermiSheet": "'β', hole pocket round M, area 0.5664 of the zone, N 0.3619/eV, 320 points",
    "FermiPatches": "24 points: 8 on β, 8 on γ, 8 on α; FermiSea('four-band",
    "GapFunction": r"triplet E, p: β -0.6351 … 0.6351, γ -1 … 1, α -0.1915 … 0.1915",
    "Interaction": "4 orbitals, 1 eV within an orbital, between two up to 0.8 eV, exchanged up to",
    "FlowResult": "stopped at 0.5 eV after 6 steps; strongest: spin (0, 0) 0.6093, spin (π, π)",
    "TJModel": "J1 0.15 eV, J2 0.075 eV, J1_inter 0.03 eV, J2_inter 0.375 eV, convention 'bond'",
    "TJSolution": "s: s 1 0.03734, interlayer 1 0.1508, s 2 -2.051, interlayer 2 11.97 meV",
    "GutzwillerFactors": "electrons=[0.6, 0.9], hopping=[0.5714, 0.1818]",
    "TunnellingSpectrum": "601 energies, gaps from 10 meV, width 1 meV, GapFunction(singlet, s±: ",
    "WeakCoupling": "2Δ/T_c 4.557, ΔC/γT_c 0.9358, ",
    "PhotoemissionGap": "β 0 … ",
    "MirrorParities": "layers (mirrors of ΓX, ΓM, XM): β odd (none, odd, ",
    "SpinSpectrum": "q (π, 0), 20 … 50 meV, even from ",
    "ImpurityScattering": "T-matrix, 0.5 eV in one layer, pair breaking ",
    "HubbardDimer": "t_c=0.6 eV, U=5 eV, level=0 eV",
    "never orders": "spin, never",
    "complex pairs": "interlayer 2 11",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_says_what_a_physicist_asks(name):
    assert SENTENCES[name] in repr(instance(name))


def test_printing_computes_nothing():
    sea = FermiSea(four_band(), 10.0585)
    assert repr(sea) == "FermiSea('four-band bilayer model (GLYWH Eq. 1)', mu 10.0585 eV)"
    assert sea._repr_html_() and "sheets" not in vars(sea)
    assert len(sea.sheets) == 3 and "α electron pocket round Γ" in repr(sea)
    flat = BlochModel("flat", ("a",), np.array([[0, 0]]), np.zeros((1, 1, 1)))
    ET.fromstring(flat._repr_html_())  # noqa: S314
    ET.fromstring(FermiSea(flat, 1.0)._repr_html_())  # noqa: S314


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_small_and_valid(name):
    html = getattr(instance(name), "_repr_html_", lambda: None)()
    if html is None or name == "Report":  # which is a page of figures
        return
    assert len(html) < 20_000
    tree = ET.fromstring(html)  # noqa: S314
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert {"svg", "path"} <= tags <= {"div", "svg", "g", "path", "rect", "text", "tspan"}
    # Ink is that of the page, and no number is missing.
    assert "currentColor" in html and "nan" not in html and "black" not in html
    assert repr(instance(name)) in "".join(tree.itertext())


def test_which_classes_have_pictures():
    drawn = {n for n in CLASSES if getattr(instance(n), "_repr_html_", lambda: None)()}
    assert drawn == {
        *("BlochModel", "FermiSea", "FermiSheet", "FermiPatches", "Susceptibility"),
        *("GapFunction", "PairingState", "FlowMode", "FlowResult"),
        *("PhotoemissionGap", "TunnellingSpectrum", "Report"),
    }


def same(a, b):
    """Whether two values are equal to the last bit, parts of results included."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=True)
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and same(list(a.values()), list(b.values()))
    if isinstance(a, float | np.floating):
        return a == b or (a != a and b != b)
    # What holds functions, such as a count of states, is made anew.
    return a == b if isinstance(a, str | int | complex | type(None)) else True


def answers(result):
    """What properties and methods without arguments return, or the error that they raise."""
    found = {}
    for name in dir(type(result)):
        member = inspect.getattr_static(type(result), name)
        value = isinstance(member, property | cached_property)
        if name.startswith("_") or name in SLOW or not (value or inspect.isfunction(member)):
            continue
        if inspect.isfunction(member):
            _, *parameters = inspect.signature(member).parameters.values()
            if name == "to_dataset" or any(p.default is p.empty for p in parameters):
                continue
        try:
            found[name] = getattr(result, name) if value else getattr(result, name)()
        except ValueError as error:
            found[name] = str(error)
    return found


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_result_is_the_same(name, tmp_path):
    result = instance(name)
    kind = type(result)
    result.save(tmp_path / "result.nc")
    assert [path.name for path in tmp_path.iterdir()] == ["result.nc"]
    for again in (kind.load(tmp_path / "result.nc"), kind.from_dataset(result.to_dataset())):
        assert same(result, again)
    asked = ASKED.get(name, lambda _: None)
    assert same(asked(result), asked(again))
    ours, theirs = answers(result), answers(again)
    assert {n for n in ours if not same(ours[n], theirs[n])} == set()


@pytest.mark.parametrize("name", SAVED)
def test_data_sets_say_what_they_hold(name):
    result = instance(name)
    data = result.to_dataset()
    assert data.attrs["content"] == f"nickbook {type(result).__name__}"
    assert data.attrs["version"] and data.attrs["title"] == repr(result)
    for variable in data.data_vars.values():
        assert variable.attrs["units"] and variable.attrs["long_name"]
    assert not [axis for axis in data.dims if " axis " in axis]  # each is declared


def test_units_and_names_are_those_of_fields_and_docstrings():
    data = instance("Susceptibility").to_dataset()
    assert data["values_imag"].dims == ("x", "y", "pair", "other pair")
    assert data["values_real"].attrs == {
        "units": "1/eV",
        "long_name": "Hermitian matrices at the momenta `q`, in 1/eV per cell and per spin",
    }
    assert data["temperature"].attrs["units"] == data["sea.mu"].attrs["units"] == "eV"
    assert float(data["temperature"]) == 0.05
    gap = instance("GapFunction").to_dataset()
    assert gap["values.1"].dims == gap["sheets.1.weights"].dims == ("sheets.1.point",)


def test_parts_that_are_shared_stay_shared(tmp_path):
    scattering = instance("PairScattering")
    scattering.save(tmp_path / "result.nc")
    again = type(scattering).load(tmp_path / "result.nc")
    assert again.patches.sea is again.chi0.sea


def damaged(data, how):
    if how == "foreign":
        return xr.Dataset({"a": ("b", [1.0])})
    if how == "unknown":
        return data.assign_attrs(content="nickbook Nothing")
    if how == "lacks":
        return data.drop_vars("temperature")
    parameters = data.attrs["parameters"]
    changed = {"cut": parameters[:50], "newer": parameters.replace('"pairs"', '"twins"')}
    return data.assign_attrs(parameters=changed[how])


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("foreign", r"holds no result of this package; allowed: what Susceptibility\.save wrote"),
        ("unknown", r"holds a Nothing; allowed: what Susceptibility\.save wrote"),
        ("lacks", r"of version [\d.]+ lacks a part of a Susceptibility .*temperature"),
        (
            "newer",
            r"of version [\d.]+ lacks a part of a Susceptibility or has .*twins",
        ),
        ("cut", r"of version [\d.]+ lacks a part of a Susceptibility"),
    ],
)
def test_other_files_are_refused(how, message, tmp_path):
    path = tmp_path / "result.nc"
    damaged(instance("Susceptibility").to_dataset(), how).to_netcdf(path, engine="scipy")
    with pytest.raises(ValueError, match=rf"result\.nc {message}"):
        Susceptibility.load(path)


def test_another_class_a_broken_file_and_none(tmp_path):
    path = tmp_path / "result.nc"
    instance("BlochModel").save(path)
    with pytest.raises(ValueError, match=r"result\.nc holds a BlochModel; allowed: what GapFun"):
        GapFunction.load(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"result\.nc is damaged or no NetCDF file; delete it"):
        BlochModel.load(path)
    with pytest.raises(FileNotFoundError):
        BlochModel.load(tmp_path / "none.nc")


def test_what_cannot_be_saved_is_named():
    model = dataclasses.replace(instance("BlochModel"), name=object())
    with pytest.raises(TypeError, match=r"name = <object .* cannot be saved"):
        model.to_dataset()
