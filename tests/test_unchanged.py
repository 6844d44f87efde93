"""Tests of unchanged code are left out, and everything else runs."""

import shutil
import sys
from pathlib import Path

import pytest

from .unchanged import Unchanged

pytest_plugins = ["pytester"]

FILES = {
    "pyproject.toml": f"""
[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = [".", "{Path(__file__).parent}"]
addopts = ["-m", "not slow"]
markers = ["slow"]
""",
    "tools/referee.py": "Z = 1\n",
    "tests/conftest.py": """
import pytest
from unchanged import Unchanged

def pytest_addoption(parser):
    parser.addoption("--changed", action="store_true")

def pytest_configure(config):
    config.pluginmanager.register(Unchanged(config, config.rootpath / "pack"))

@pytest.fixture
def root():
    return 1
""",
    "pack/__init__.py": "",
    "pack/bands/__init__.py": "from pack.bands.near import X\n",
    "pack/bands/near.py": '"""A table."""\nX = 1, "table.nc"\n',
    "pack/bands/table.nc": "1",
    "pack/aside.py": "Y = 1\n",
    "pack/claims/__init__.py": "C = 1\n",
    "tests/bands/__init__.py": "",
    "tests/bands/test_near.py": """
import pytest
from pack.bands import X
from .test_other import TWO

@pytest.mark.parametrize("x", range(3))
def test_first(x): assert (X[0], TWO) == (1, 2)

def test_root(root): pass
""",
    "tests/bands/test_other.py": "TWO = 2\n\ndef test_aside(): from pack.aside import Y\n",
    "tests/claims/test_claim.py": "def test_claim(): from pack.claims import C\n",
    "tests/dimers/test_whole.py": "import pack\n\ndef test_whole(): pass\n",
    "tests/dimers/test_path.py": """
from pathlib import Path

def test_path(): Path("pyproject.toml").read_text()
""",
    "tests/pairing/deep/test_far.py": "import subprocess\n\ndef test_far(): pass\n",
    "tests/book/test_book.py": "def test_book(): pass\n",
}
NEAR, OTHER, CLAIM = "bands/test_near.py", "bands/test_other.py", "claims/test_claim.py"
EVERY, ALWAYS = 10, 5  # tests


@pytest.fixture
def project(pytester, monkeypatch):
    """Go into a small repository."""
    for name, text in FILES.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Compiled files tell by the second and the size whether they are old.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return pytester


@pytest.fixture
def run(project):
    """Run its tests as `make test` does; return how many ran and failed."""

    def once(*options: str) -> tuple[int, int]:
        result = project.runpytest_inprocess("-p", "xdist", "--changed", *options)
        outcomes = result.parseoutcomes()
        passed, failed = outcomes["passed"], outcomes.get("failed", 0)
        if "Left out" in result.stdout.str():
            result.stdout.fnmatch_lines(f"Left out {EVERY - passed - failed} tests whose code*")
        return passed, failed

    return once


def change(file: str, old: str, new: str) -> None:
    path = Path(file)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_what_passed_is_left_out_and_all_can_be_asked_for(run, monkeypatch):
    assert run() == (EVERY, 0)
    assert run("-n", "2") == (ALWAYS, 0)
    assert run("-k", "first") == (3, 0)
    assert run(f"tests/{NEAR}") == (4, 0)
    for name in ("ALL", "CI"):
        with monkeypatch.context() as patch:
            patch.setenv(name, "1")
            assert run() == (EVERY, 0)
    assert run() == (ALWAYS, 0)
    shutil.rmtree("_build")
    assert run() == (EVERY, 0)


def test_a_failure_is_forgotten_and_runs_again(run):
    run()
    change("pack/bands/near.py", "X = 1", "X = 2")
    assert run() == (ALWAYS + 1, 3)
    assert run() == (ALWAYS, 3)
    change("pack/bands/near.py", "X = 2", "X = 1")  # as when it passed
    assert run("-n", "2") == (EVERY - 1, 0)


def test_what_ran_in_part_or_changed_meanwhile_is_not_noted(run):
    for options in (["-k", "first"], ["--maxfail", "1"], [f"tests/{NEAR}"]):
        run(*options)
        assert not Path("_build").exists()
    change(
        "tests/dimers/test_path.py",
        '"pyproject.toml").read_text()',
        '"pack/aside.py").write_text("Y = 2")',
    )
    assert run() == run() == (EVERY, 0)  # all three depend on it
    assert run() == (ALWAYS, 0)


@pytest.mark.parametrize(
    ("file", "old", "new", "again"),
    [
        ("pack/bands/near.py", "A table.", "One table.", set()),
        ("pack/bands/near.py", "\nX", "\n# The table.\nX", set()),
        (f"tests/{NEAR}", "\n@", "\n# Three.\n@", set()),
        ("pack/bands/near.py", "X = 1", "X = 1.0", {NEAR, CLAIM}),
        ("pack/bands/table.nc", "1", "2", {NEAR, CLAIM}),
        ("pack/aside.py", "1", "2", {NEAR, OTHER, CLAIM}),
        (f"tests/{OTHER}", "def", "ONE = 1\n\ndef", {NEAR, OTHER}),
        (f"tests/{NEAR}", "(3)", "(4)", {NEAR}),
        (f"tests/{CLAIM}", "import C", "import C as D", {CLAIM}),
        ("tests/conftest.py", "return 1", "return 2", {NEAR, OTHER, CLAIM}),
        ("tools/referee.py", "1", "2", {NEAR, OTHER, CLAIM}),
        ("pyproject.toml", "slow", "heavy", {NEAR, OTHER, CLAIM}),
    ],
)
def test_what_counts_as_a_change(project, file, old, new, again):
    record = Unchanged(project.parseconfig("--changed"), Path("pack"))
    before = record.current()
    change(file, old, new)
    after = record.current()
    assert before.keys() == after.keys() == {f"tests/{name}" for name in (NEAR, OTHER, CLAIM)}
    assert {f for f in after if before[f] != after[f]} == {f"tests/{name}" for name in again}
