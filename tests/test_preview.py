"""What an author sees while writing: the changed page, again, by itself."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

ROOT = Path(__file__).parents[1]
TIMEOUT = 120_000  # ms: a loaded machine is slow

pytestmark = pytest.mark.site


def free_ports() -> int:
    """Return the first of two ports that are free."""
    for _ in range(100):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the sample book, with the theme where its myst.yml looks for it."""
    ignored = shutil.ignore_patterns("_build", "node_modules")
    project = tmp_path / "tests" / "sample_book"
    shutil.copytree(ROOT / "tests" / "sample_book", project, ignore=ignored)
    shutil.copytree(ROOT / "theme", tmp_path / "theme", ignore=ignored)
    (tmp_path / "theme" / "node_modules").symlink_to(ROOT / "theme" / "node_modules")
    return project


@pytest.fixture
def preview(project: Path, tmp_path: Path) -> Iterator[str]:
    """Start it; return its address."""
    port = free_ports()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            ["node", ROOT / "theme" / "preview.mjs"],
            cwd=project,
            env={**os.environ, "PATH": path, "PORT": str(port)},
            stdout=stream,
            stderr=stream,
        )
    yield f"http://localhost:{port}/"
    alive = process.poll() is None
    process.terminate()
    process.wait()
    assert alive, log.read_text()


def test_a_saved_page_is_shown_again(preview: str, project: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    for _ in range(TIMEOUT // 100):  # until the server listens
        try:
            page.goto(f"{preview}ledger.html")
            break
        except Exception:
            page.wait_for_timeout(100)
    source = project / "ledger.md"
    text = source.read_text(encoding="utf-8")
    for words in ("A comma, saved", "Saved again"):
        expect(page.get_by_text(words)).to_have_count(0)
        source.write_text(f"{text}\n{words}.\n", encoding="utf-8")
        expect(page.get_by_text(words)).to_be_visible(timeout=TIMEOUT)
    page.goto(f"{preview}theory.html")
    page.locator(".explorer").first.scroll_into_view_if_needed()
    expect(page.locator(".explorer svg").first).to_be_visible(timeout=TIMEOUT)
    assert page.goto(f"{preview}nowhere.html").status == 404
    page.close()
