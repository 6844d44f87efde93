"""What all tests share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "No browser: install one with `apt install chromium` or `playwright install chromium`."


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top directory of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one headless browser for all tests; Playwright takes no second one in a process."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        installed = next(filter(None, map(shutil.which, CHROMIUMS)), own)
        if not Path(installed).exists():
            pytest.fail(INSTALL)
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=installed, args=options)
        yield chromium
        chromium.close()
