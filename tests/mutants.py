"""A test run on a copy of the package in which one line is wrong.

Each run is a process of its own. It is forked from one that has imported what all of them need and
nothing of the package, so that a run costs little more than its test.
"""

import io
import os
import shutil
import sys
from contextlib import redirect_stdout
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
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

    def pytest_exception_interact(self, call: pytest.CallInfo) -> None:
        self.raised.append(call.excinfo.typename)


def changed_copy(root: Path, directory: Path, file: str, replace: str, by: str) -> None:
    """Copy the package to a directory with one text, which must occur once, replaced in a file."""
    shutil.copytree(root / "nickbook", directory / "nickbook")
    path = directory / file
    text = path.read_text("utf-8")
    assert text.count(replace) == 1, f"{replace!r} in {file}"
    path.write_text(text.replace(replace, by), encoding="utf-8")


def outcome(root: Path, directory: Path, test: str) -> Outcome:
    """Run a test on the package in a directory; EOFError if the process dies of it."""
    receiver, sender = context().Pipe(duplex=False)
    process = context().Process(target=_run, args=(sender, root, directory, test))
    process.start()
    sender.close()
    with receiver:
        found: Outcome = receiver.recv()
    process.join()
    return found


@cache
def context() -> ForkServerContext:
    """Make processes out of one that has imported what is preloaded."""
    found = get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)
    return found


def _run(sender: Connection, root: Path, directory: Path, test: str) -> None:
    assert "nickbook" not in sys.modules
    os.chdir(root)
    os.environ.pop("NICKBOOK_FINDINGS", None)  # these would be of the right package
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.path.insert(0, str(directory))
    witness, said = Witness(), io.StringIO()
    with redirect_stdout(said):
        code = pytest.main([*OPTIONS, test], plugins=[witness])
    assert Path(sys.modules["nickbook"].__file__).is_relative_to(directory)
    sender.send(Outcome(int(code), tuple(witness.raised), said.getvalue()[-2000:]))
