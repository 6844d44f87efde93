"""What is declared in one place agrees with the others, and nothing tracked names a machine."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path

import mystmd_py
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nickbook

# conda-forge's names where they differ: matplotlib without Qt, Playwright for Python.
CONDA_NAMES = {"matplotlib": "matplotlib-base", "playwright": "playwright-python"}
# In conda's file only: what pip brings, or what another package manager provides.
CONDA_ONLY = {"nodejs", "pip", "python"}

LOCKS = ["requirements.lock", "requirements-node.lock", "binder/requirements.txt"]

# Each pattern has a bracket in it, so that this file does not match itself.
MACHINE = re.compile(
    r"p[y]pi\.(org|python)|python[h]osted|np[m]js\.(org|com)|yarn[p]kg|deb[.]debian"
    r"|(?<![\w.])/(root|work|Users)[/]|(?<![\w.])/home[/]\w"
)
DOWNLOAD = re.compile(r"https?:[/]/\S+\.(whl|tgz|tar\.gz|tar\.xz|zip|deb)\b")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, object]:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def requirements(project: dict) -> dict[str, Requirement]:
    """Return every declared requirement but the package itself, by name.

    Without what computes the stored bands anew: that needs libraries which pip does not bring.
    """
    extras = [e for name, e in project["optional-dependencies"].items() if name != "dft"]
    declared = [Requirement(text) for text in sum(extras, project["dependencies"])]
    return {canonicalize_name(r.name): r for r in declared if r.name != "nickbook"}


def locked_versions(path: Path) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==([^\s;\\]+)", path.read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def tracked_text(root: Path) -> dict[str, str]:
    """Return tracked text files by name; attachments in notebooks and lock hashes included."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    )
    names = [name for name in listing.stdout.split("\0") if (root / name).is_file()]
    contents = {name: (root / name).read_bytes() for name in names}
    return {name: text.decode() for name, text in contents.items() if b"\0" not in text}


def test_conda_environment_asks_for_the_same_as_pip(
    root: Path, project: dict, requirements: dict[str, Requirement]
) -> None:
    environment = yaml.safe_load((root / "environment.yml").read_text())
    packages = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (from_pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    packages += [entry for entry in from_pip if entry != "-e ."]
    conda = {Requirement(entry).name: Requirement(entry).specifier for entry in packages}
    expected = {CONDA_NAMES.get(name, name): r.specifier for name, r in requirements.items()}
    assert environment["name"] == project["name"]
    assert {n: s for n, s in conda.items() if n not in CONDA_ONLY} == expected
    assert str(conda["python"]) == project["requires-python"]
    assert "-e ." in from_pip


def test_lock_covers_what_is_declared(root: Path, requirements: dict[str, Requirement]) -> None:
    locked = locked_versions(root / "requirements.lock")
    for name, requirement in requirements.items():
        assert locked[name] in requirement.specifier, f"{requirement}: run `make lock`"


def test_binder_takes_from_the_lock_what_chapters_need(root: Path, project: dict) -> None:
    ours, all_of_it = (
        locked_versions(root / name) for name in ("binder/requirements.txt", "requirements.lock")
    )
    extras = project["optional-dependencies"]
    needed = project["dependencies"] + extras["frg"] + extras["plot"] + extras["book"]
    names = {canonicalize_name(Requirement(text).name) for text in needed} - {"nickbook"}
    assert names <= ours.keys()
    assert ours.items() <= all_of_it.items(), "run `make lock`"
    assert not {"mypy", "playwright", "pytest", "pythtb", "ruff"} & ours.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_hashes_and_no_address(root: Path, name: str) -> None:
    text = (root / name).read_text()
    entries = re.split(r"\n(?=[\w.-]+==)", text)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|^-|--(extra-)?index|--find-links", text, re.MULTILINE)


def test_versions_agree(root: Path) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert citation["version"] == nickbook.__version__
    assert importlib.metadata.version("nickbook") == nickbook.__version__


def test_formulas_of_outputs_are_typeset_by_the_katex_of_mystmd(root: Path) -> None:
    """mystmd typesets the rest of a page, and one style sheet with its fonts serves both."""
    bundle = Path(mystmd_py.__file__).with_name("myst.cjs").read_text(encoding="utf-8")
    inside = set(re.findall(r"/katex@([\d.]+)/", bundle))
    ours = json.loads((root / "theme" / "package.json").read_text())["dependencies"]["katex"]
    assert inside == {ours}, "pin the theme's katex to mystmd's"


def test_nothing_tracked_names_a_registry_or_a_machine(root: Path) -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in tracked_text(root).items()
        for pattern in (MACHINE, DOWNLOAD)
        for match in pattern.finditer(text)
    ]
    assert found == []


def test_rooms_import_only_from_earlier_rooms_in_the_documented_order(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = (c["layers"] for c in settings["contracts"] if c["type"] == "layers")
    rooms = [layer.strip("()") for layer in reversed(layers)]
    present = {p.parent.name for p in (root / "nickbook").glob("*/__init__.py")}
    earlier = ["sweeps", "bands", "crystal", "dimers", "pairing", "observables"]
    assert rooms == [*earlier, "plot", "report", "claims", "book"]
    assert present <= set(rooms)


def test_readme_commands_are_targets_of_the_makefile(root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    texts = [(root / name).read_text() for name in ("README.md", "CONTRIBUTING.md")]
    named = {m for text in texts for m in re.findall(r"`make (?:PYTHON=\S+ )?([a-z-]+)", text)}
    assert {"book", "test", "check", "lab"} <= named <= targets
