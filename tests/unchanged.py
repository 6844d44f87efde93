"""Leave out the tests that passed before, if nothing that decides them has changed since.

A test of physics is decided by its file, by the modules of the package that it imports, by data
that those name, and by what is installed. A file that may reach for more always runs.
"""

import ast
import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nickbook.closure import PACKAGE, closure, data_files, fold, parse

FOLDERS = ("bands", "dimers", "pairing", "observables", "claims")  # below tests
RECORD = Path("_build", "passed.json")
HARMLESS = {  # imports that lead to no file of the repository, but for what the text names
    *("ast", "collections", "contextlib", "dataclasses", "functools", "gzip", "itertools", "math"),
    *("pathlib", "re", "string", "tracemalloc", "types"),
    *("hypothesis", "numpy", "pytest", "pythtb", "scipy", "sympy", "xarray", "yaml"),
}
READING = re.compile(r"\b__file__\b|\bcwd\b|\b(open|Path)\(\s*[rf]?[\"']")
INDIRECT = ("claims", "book")  # rooms that import by computed names
PARTIAL = ("keyword", "deselect", "lf", "stepwise", "maxfail")  # options


class Unchanged:
    """Keep a record of the test files that passed, and leave them out.

    Parameters
    ----------
    config : pytest.Config
        The run. It leaves out and notes only with ``--changed``, and if it is about everything.
    package : Path
        Directory of the package under test.
    """

    def __init__(self, config: pytest.Config, package: Path = PACKAGE) -> None:
        self.root, self.package = config.rootpath, package
        self.worker = hasattr(config, "workerinput")  # of xdist: the main process decides
        self.digests: dict[str, str] = {}
        self.passed: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.count = 0
        self.ran: set[str] = set()
        self.failed: set[str] = set()
        if self.worker:
            self.left_out.update(config.workerinput["left_out"])
            return
        if (self.root / RECORD).exists():
            self.passed = json.loads((self.root / RECORD).read_text(encoding="utf-8"))
        if config.getoption("changed") and is_whole(config):
            self.digests = self.current()
            if not (os.environ.get("ALL") or os.environ.get("CI")):
                self.left_out.update(f for f, d in self.digests.items() if self.passed.get(f) == d)

    def current(self) -> dict[str, str]:
        """Hash what decides each file's tests, where that can be told."""
        installed = Path(sysconfig.get_path("purelib")).glob("*.dist-info")
        common = {
            "Python": f"{sys.version} {platform.platform()}",
            "packages": " ".join(sorted(path.name for path in installed)),
            "settings": (self.root / "pyproject.toml").read_text(encoding="utf-8"),
            **contents(self.root / "tools"),
            **{str(path): bare(path) for path in (Path(__file__), *self.conftests())},
        }
        found = {}
        for folder in FOLDERS:
            for path in (self.root / "tests" / folder).rglob("test_*.py"):
                parts = self.decided_by(path)
                if parts is not None:
                    found[path.relative_to(self.root).as_posix()] = fold(common | parts)
        return found

    def decided_by(self, path: Path) -> dict[str, str] | None:
        """Find the texts that decide a file's tests, by name, or nothing if it may read others."""
        source = path.read_text(encoding="utf-8")
        code = parse(source)
        imports: dict[str, set[tuple[str, str]]] = {"": set()}
        for module, name in code.imports:
            imports.setdefault(module.split(".")[0], set()).add((module, name))
        own = imports.pop(self.package.name, set())
        near = [path.with_name(f"{module[1:]}.py") for module, _ in imports.pop("")]
        tools = {tool.stem for tool in (self.root / "tools").glob("*.py")}
        helpers = {path.stem: path for path in (self.root / "tests").glob("*.py")}
        helpers = {name: path for name, path in helpers.items() if name not in HARMLESS}
        near += [helpers[module] for module in imports.keys() & helpers.keys()]
        if (
            imports.keys() - HARMLESS - tools - helpers.keys()
            or (self.package.name, "") in own  # hides what is used of it
            or not all(neighbour.is_file() for neighbour in near)
            or READING.search(source)
        ):
            return None
        behind = closure(codes=[replace(code, imports=frozenset(own))], package=self.package)
        if any(module.split(".")[1:2] in ([room] for room in INDIRECT) for module in behind):
            behind = contents(self.package)
        parts = {str(path): code.text, **data_files(path.parent, code.strings), **behind}
        for neighbour in near:
            others = self.decided_by(neighbour)
            if others is None:
                return None
            parts |= others
        return parts

    def conftests(self) -> Iterator[Path]:
        """Files of shared fixtures; there is one folder of them for all tests."""
        return (self.root / "tests").rglob("conftest.py")

    def pytest_configure_node(self, node) -> None:
        """Tell all workers the same."""
        node.workerinput["left_out"] = sorted(self.left_out)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list) -> None:
        """Leave out tests, except those with a shared fixture, which may read any file."""
        shared = {
            node.name
            for path in self.conftests()
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        chosen = [
            item
            for item in items
            if item.nodeid.split("::")[0] not in self.left_out
            or shared.intersection(item.fixturenames)
        ]
        self.count = len(items) - len(chosen)
        items[:] = chosen
        if self.worker:
            config.workeroutput["left_out"] = self.count

    def pytest_testnodedown(self, node) -> None:
        """Hear from a worker how many tests it left out."""
        self.count = getattr(node, "workeroutput", {}).get("left_out", self.count)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which files ran and where a test failed."""
        file = report.nodeid.split("::")[0]
        self.ran.add(file)
        if report.failed:
            self.failed.add(file)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Note what passed whole and is still the same, and forget what failed."""
        if self.worker:
            return
        passed = {file: digest for file, digest in self.passed.items() if file not in self.failed}
        if self.digests and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            now = self.current().items() & self.digests.items()
            passed |= {file: digest for file, digest in now if file in self.ran - self.failed}
        if passed != self.passed:
            (self.root / RECORD).parent.mkdir(exist_ok=True)
            draft = (self.root / RECORD).with_suffix(f".{os.getpid()}")
            draft.write_text(json.dumps(passed, indent=1), encoding="utf-8")
            draft.replace(self.root / RECORD)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how much was left out."""
        if self.left_out:
            terminalreporter.write_line(
                f"Left out {self.count:,} tests whose code has not changed since they passed; "
                "`make test ALL=1` runs them.",
                yellow=True,
            )


def is_whole(config: pytest.Config) -> bool:
    """Tell whether a run is about all tests that pytest runs without a choice of its own."""
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and config.option.markexpr in config.getini("addopts")
        and not any(getattr(config.option, name, None) for name in PARTIAL)
    )


def bare(path: Path) -> str:
    """Text of a Python file that counts."""
    return parse(path.read_text(encoding="utf-8")).text


def contents(folder: Path) -> dict[str, str]:
    """All that counts in a folder, by file."""
    return {
        str(path): bare(path) if path.suffix == ".py" else path.read_bytes().hex()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
