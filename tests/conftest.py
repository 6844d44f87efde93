"""What all tests share: the repository, a browser, and which tests need one."""

import fcntl
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from xdist.scheduler import LoadScopeScheduling

from .unchanged import Unchanged

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
collect_ignore = ["sample_book"]  # a notebook for the theme alone
INSTALL = "install one with `.venv/bin/playwright install chromium` or `apt install chromium`"
NEEDS_DIVERGE = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64") or find_spec("diverge") is None,
    reason="divERGe (extra: test) comes with a library for 64-bit Linux on x86 only",
)


@cache
def installed_browser() -> str | None:
    """Return the path of a browser of this machine, or of the one that Playwright downloaded."""
    for path in filter(None, map(shutil.which, CHROMIUMS)):
        return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--changed", action="store_true", help="leave out tests of unchanged code")


def pytest_configure(config: pytest.Config) -> None:
    """Fail at once, and not page by page, where the book's pages are asked for."""
    os.environ.setdefault("NICKBOOK_PROGRESS", "0")
    if re.search(r"(?<!not )\bsite\b", config.option.markexpr) and installed_browser() is None:
        raise pytest.UsageError(f"No browser: {INSTALL}.")
    config.pluginmanager.register(Unchanged(config))


class FilesButPages(LoadScopeScheduling):
    """Give a file to one worker, as a chapter's cells need, but spread the tests of the site."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return nodeid if file.endswith("test_site.py") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log) -> FilesButPages | None:
    return FilesButPages(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run."""
    for item in items:
        if item.get_closest_marker("diverge"):
            item.add_marker(NEEDS_DIVERGE)
    shown = [
        item
        for item in items
        if "browser" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("site")
    ]
    if shown and installed_browser() is None:
        config.hook.pytest_deselected(items=shown)
        items[:] = [item for item in items if item not in shown]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if installed_browser() is None:
        terminalreporter.write_line(f"No browser, so no page was opened: {INSTALL}.", yellow=True)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top directory of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one headless browser for all tests; Playwright takes no second one in a process."""
    path = installed_browser()
    if path is None:
        pytest.fail(f"No browser: {INSTALL}.")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    expect.set_options(timeout=60_000)  # ms; 5 s are too few on a loaded machine
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Callable[[], AbstractContextManager[Path]]:
    """Return a directory of all workers, of which one at a time makes use."""
    base = tmp_path_factory.getbasetemp()
    directory = base if worker_id == "master" else base.parent

    @contextmanager
    def alone() -> Iterator[Path]:
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield directory

    return alone
