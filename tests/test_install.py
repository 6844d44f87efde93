"""What an installation of the package alone holds, and what it says of what it does not."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nickbook.closure import parse

# Hides packages, then runs what follows.
WITHOUT = """
import json, sys
hidden = set(json.loads(sys.argv[1]))
class Finder:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, *given):
        return None if name.partition(".")[0] in hidden else self.finder.find_spec(name, *given)
sys.meta_path[:] = map(Finder, sys.meta_path)
"""
LOADED = "print(json.dumps(sorted(sys.modules)))"
MODULES = f"""
import pkgutil, importlib
import nickbook.pairing
{LOADED}
"""
MODULES += """
def missing(name):
    try:
        importlib.import_module(name)
    except ImportError as error:
        return str(error)
names = (module.name for module in pkgutil.walk_packages(nickbook.__path__, "nickbook.", id))
print(json.dumps({name: text for name in names if (text := missing(name))}))
"""
FLOW = """
from nickbook.bands import FermiSea, four_band
from nickbook.pairing import frg_flow
try:
    frg_flow(FermiSea.at(four_band(), filling=3), U=1.0, patches=8, mesh=16)
except ImportError as error:
    print(error)
"""
SWEEP = """
from nickbook import sweep
def square(x):
    return x**2
print(sweep(square, x=[1, 2], workers=1).square.astype(int).values.tolist())
try:
    sweep(square, x=[1, 2], {given})
except ImportError as error:
    print(error)
"""
REPORT = """
from nickbook.bands import four_band
from nickbook.report import compare
steps = ("response", "pairing", "flow", "tunnelling", "exchange")
report = compare(four_band(), filling=3, quality="fast", temperature=0.06, only=steps)
asked = {step: report.missing[step] for step in steps if step in report.missing}
print(json.dumps(asked))
print(report.to_html().count("<svg"))
"""


def beyond_the_core(project: dict) -> list[str]:
    """Names of all that is installed but the core's requirements, and theirs."""
    todo = [Requirement(text) for text in project["dependencies"]]
    found = {"nickbook"}
    for requirement in todo:
        name = canonicalize_name(requirement.name)
        if name not in found and (
            requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ):
            found.add(name)
            todo += map(Requirement, importlib.metadata.requires(name) or [])
    providers = importlib.metadata.packages_distributions()
    return [n for n, dists in providers.items() if not found & {*map(canonicalize_name, dists)}]


def run_without(hidden: list[str], code: str) -> list[str]:
    command = [sys.executable, "-c", WITHOUT + code, json.dumps(hidden)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def test_the_core_does_without_the_extras_which_the_messages_name(project: dict) -> None:
    loaded, missing = map(json.loads, run_without(beyond_the_core(project), MODULES))
    assert "nickbook.pairing" in loaded
    assert not {"matplotlib", "numba", "pandas", "xarray", "yaml"}.intersection(loaded)
    places = {
        "frg": r"nickbook\.pairing\.frg\.kernels",
        "plot": r"nickbook\.plot\b.*",
        "book": r"nickbook\.book\b.*",
    }
    assert {"nickbook.book", "nickbook.pairing.frg.kernels", "nickbook.plot"} <= missing.keys()
    for module, text in missing.items():
        extra = re.search(r"needs \w+, .* pip install 'nickbook\[(\w+)\]'$", text)[1]
        assert re.fullmatch(places[extra], module), text
        assert extra in project["optional-dependencies"]


def test_bands_wait_for_no_part_of_scipy_that_they_may_not_need() -> None:
    (loaded,) = map(json.loads, run_without([], "import nickbook.bands, sys\n" + LOADED))
    assert "scipy" in loaded
    assert not {"scipy.linalg", "scipy.optimize", "scipy.special"}.intersection(loaded)


def test_a_flow_without_numba_says_what_to_install(project: dict) -> None:
    (said,) = run_without(beyond_the_core(project), FLOW)
    assert "flow needs numba" in said
    assert said.endswith("pip install 'nickbook[frg]'")


@pytest.mark.parametrize("given", ["store='kept'", "workers=2"])
def test_a_sweep_without_dask_or_zarr_says_what_to_install(project: dict, given: str) -> None:
    loop, said = run_without(beyond_the_core(project), SWEEP.format(given=given))
    assert loop == "[1, 4]"
    assert re.fullmatch(r"sweep with .* needs \w+, .*pip install 'nickbook\[sweep\]'", said)


def test_a_report_without_extras_lacks_the_flow_alone(project: dict) -> None:
    found, pictures = map(json.loads, run_without(beyond_the_core(project), REPORT))
    assert set(found) == {"flow"} and "pip install 'nickbook[frg]'" in found["flow"]
    assert pictures > 3


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (("nickbook",), {"crystal", "frg", "plot", "book", "sweep"}),
        (("notebooks",), {"book"}),
        (("tests", "tools", "benchmarks"), {"test", "dft"}),
    ],
)
def test_what_is_imported_is_declared(
    root: Path, project: dict, folders: tuple[str, ...], extras: set[str]
) -> None:
    """Under its own name, and not through another package that happens to bring it."""
    todo = [*project["dependencies"], f"nickbook[{','.join(extras)}]"]
    declared = set()
    for text in todo:
        requirement = Requirement(text)
        declared.add(canonicalize_name(requirement.name))
        for extra in requirement.extras:
            todo += project["optional-dependencies"][extra]
    files = [path for folder in folders for path in (root / folder).rglob("*.py")]
    codes = [path.read_text() for path in files]
    if "notebooks" in folders:
        chapters = [json.loads(p.read_text()) for p in (root / "notebooks").glob("[0-9]*.ipynb")]
        cells = [cell for chapter in chapters for cell in chapter["cells"]]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    local = {path.stem for path in files} | {"nickbook"}
    imported = {
        module.partition(".")[0]
        for code in codes
        for module, _ in parse(re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", code)).imports
    }
    imported -= sys.stdlib_module_names | local | {""}
    providers = importlib.metadata.packages_distributions()
    undeclared = {
        name
        for name in imported
        if not declared.intersection(map(canonicalize_name, providers.get(name, (name,))))
    }
    assert {"numpy", "scipy"} <= imported
    assert undeclared == set()


@pytest.fixture(scope="module")
def distributions(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build what a release uploads."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)
    return {path.suffix: path for path in folder.iterdir()}


def test_distributions_hold_the_package_and_no_notebook(distributions: dict[str, Path]) -> None:
    source, wheel = distributions[".gz"], distributions[".whl"]
    with tarfile.open(source) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        installed = set(archive.namelist())
    # First-principles states take more than half of it.
    assert source.stat().st_size < 2e6
    assert wheel.stat().st_size < 2e6
    modules = {name for name in installed if name.startswith("nickbook/")}
    assert modules == {name for name in inside if name.startswith("nickbook/")}
    kinds = {".py", ".typed", ".yml", ".nc", ".mjs", ".cif", ".gz"}
    assert {Path(name).suffix for name in modules} == kinds
    assert {"pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "CITATION.cff"} <= inside
    assert not any(name.endswith(".ipynb") for name in inside)


def test_links_of_the_readme_work_where_it_is_shown_alone(root: Path, project: dict) -> None:
    text = (root / "README.md").read_text()
    links = re.findall(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)
    links = [inline or defined for inline, defined in links]
    assert len(links) > 5
    assert [link for link in links if not link.startswith("https://")] == []
    repository = project["urls"]["Repository"]
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    for link in links:
        path = re.fullmatch(rf"{repository}/(?:blob|tree)/HEAD/(.+)|{raw}/HEAD/(.+)", link)
        if path:
            assert (root / (path[1] or path[2])).exists(), link
