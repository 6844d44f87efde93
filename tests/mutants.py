"""A test run on a copy of the package in which one line is wrong.

Each run is a process of its own. It is forked from one that has imported what all of them need and
nothing of the package, so that a run costs little more than its test.
"""

import io
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import pytest

PRELOADED = [
    *("numpy", "pytest", "sympy", "xarray", "yaml", "simpleeval", "playwright.sync_api"),
    *("scipy.integrate", "scipy.interpolate", "scipy.linalg", "scipy.optimize", "scipy.special"),
    *("scipy.sparse.linalg", "scipy.spatial", "pythtb", "hypothesis"),
]
#: Of the plugins only the one that `conftest.py` names: to import the others takes seconds.
OPTIONS = ["-q", "-x", "-p", "xdist", "-n", "0", "-p", "no:cacheprovider", "-m", ""]


class Outcome(NamedTuple):
    """How a run ended: pytest's exit code, the kinds of exception that failed it, what it said."""

    code: int
    raised: tuple[str, ...]
    text: str


class Witness:
    """A plugin of pytest that keeps the kind of each exception."""

    def __init__(self) -> None:
        self.raised: list[str] = []

    @pytest.hookimpl
    def pytest_exception_interact(self, call: pytest.CallInfo) -> None:
        self.raised.append(call.excinfo.typename)


@contextmanager
def processes() -> Iterator[ProcessPoolExecutor]:
    """Make processes for `outcome`, a new one for each."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        yield pool


def changed_copy(root: Path, directory: Path, file: str, replace: str, by: str) -> None:
    """Copy the package to a directory with one text, which must occur once, replaced in a file."""
    shutil.copytree(root / "nickbook", directory / "nickbook")
    path = directory / file
    text = path.read_text("utf-8")
    assert text.count(replace) == 1, f"{replace!r} in {file}"
    path.write_text(text.replace(replace, by), encoding="utf-8")


def outcome(root: Path, directory: Path, test: str) -> Outcome:
    """Run a test on the package in a directory; only for a process that has not imported it."""
    assert "nickbook" not in sys.modules
    os.chdir(root)
    os.environ.pop("NICKBOOK_FINDINGS", None)  # these would be of the right package
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.path.insert(0, str(directory))
    witness, said = Witness(), io.StringIO()
    with redirect_stdout(said):
        code = pytest.main([*OPTIONS, test], plugins=[witness])
    assert Path(sys.modules["nickbook"].__file__).is_relative_to(directory)
    return Outcome(int(code), tuple(witness.raised), said.getvalue()[-2000:])
