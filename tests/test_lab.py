"""Chapters in a real JupyterLab, as `make lab` starts it, and what it leaves in the checkout.

All of it happens in a copy of this checkout, with an autosave that does not wait for two minutes.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from nickbook.book import notebooks

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
TIMEOUT = 180_000  # ms: a loaded machine is slow
# Two that run fast: the label of their explorer, and their page.
CHAPTERS = {
    "10-frg": ("fig-10-explorer", "frg.html"),
    "03-kondo-hund": ("fig-3-explorer", "kondo-hund.html"),
}
AUTOSAVE = 3  # seconds
SETTINGS = {
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": AUTOSAVE},
    # All cells are in the page, so that a test need not scroll to them.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
}

pytestmark = pytest.mark.site


class Lab(NamedTuple):
    """A running server and the copy of the checkout that it shows."""

    checkout: Path
    url: str

    def git(self, *arguments: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
        return subprocess.run(
            command, cwd=self.checkout, check=True, capture_output=True, text=True
        ).stdout


def copy_of_checkout(directory: Path) -> None:
    """Copy what git would take, and where it is there the theme's packages."""
    listing = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
    if (ROOT / "theme/node_modules").exists():
        (directory / "theme/node_modules").symlink_to(ROOT / "theme/node_modules")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    base = tmp_path_factory.mktemp("lab")
    checkout = base / "checkout"
    copy_of_checkout(checkout)
    port = free_port()
    lab = Lab(checkout, f"http://127.0.0.1:{port}")
    lab.git("init", "--quiet")
    lab.git("add", "--all")
    lab.git("commit", "--quiet", "--message", "As it was")
    (base / "settings/labconfig").mkdir(parents=True)
    overrides = base / "settings/labconfig/default_setting_overrides.json"
    overrides.write_text(json.dumps(SETTINGS))
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        # As in the Makefile.
        "JUPYTER_CONFIG_PATH": f"{base / 'settings'}{os.pathsep}{checkout / 'jupyter'}",
        "JUPYTER_PATH": str(checkout / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "HOME": str(base),  # where Lab keeps a user's settings
        "NICKBOOK_FINDINGS": str(ROOT / "_build/findings"),
    }
    environment.pop("NICKBOOK_STATIC", None)
    options = [f"--port={port}", "--no-browser", "--IdentityProvider.token=", "--allow-root"]
    options += ["--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True"]
    command = [BIN / "jupyter", "lab", f"--notebook-dir={checkout / 'notebooks'}", *options]
    log = base / "log"
    with log.open("w") as stream:
        server = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    try:
        for _ in range(600):
            try:
                urlopen(f"{lab.url}/api", timeout=5).close()  # noqa: S310
                break
            except URLError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield lab
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(TIMEOUT)
    page.on("dialog", lambda dialog: dialog.accept())  # leave without saving
    yield page
    page.close()


NOTEBOOK = "window.jupyterapp?.shell.currentWidget"
SESSION = f"{NOTEBOOK}.sessionContext"


def open_chapter(lab: Lab, page: Page, name: str) -> None:
    page.goto(f"{lab.url}/lab/tree/{name}?reset")
    page.wait_for_function(f"{NOTEBOOK}?.sessionContext?.session?.kernel?.status === 'idle'")


def run_in(page: Page, command: str) -> None:
    page.evaluate(f"jupyterapp.commands.execute({command!r})")


def in_kernel(page: Page, code: str) -> str:
    """Run code in the notebook's kernel, past the notebook; return what it prints first."""
    script = f"""new Promise((resolve) => {{
      const request = {SESSION}.session.kernel.requestExecute({{ code: {json.dumps(code)} }});
      request.onIOPub = ({{ content }}) => content.text && resolve(content.text.trim());
    }})"""
    return str(page.evaluate(script))


def assert_last_slider_answers(page: Page) -> None:
    """Move it to both ends: the drawing changes, and nobody complains.

    Not by its keys, since Lab may take the focus away once a cell has run.
    """
    explorer = page.locator(".nb-explorer").last
    slider = explorer.locator("input[type=range]").last
    drawing = explorer.locator("g[clip-path]").first
    for end in ("min", "max"):
        before = drawing.inner_html()
        slider.fill(slider.get_attribute(end) or "")
        expect(drawing).not_to_have_js_property("innerHTML", before, timeout=TIMEOUT)
        expect(explorer.locator(".nb-message")).to_be_hidden(timeout=TIMEOUT)


def shut_down(page: Page) -> None:
    page.evaluate(f"{SESSION}.shutdown()")


def wait_until_saved(page: Page, source: Path, since: float) -> None:
    """Wait for both files of a chapter."""
    for _ in range(TIMEOUT // 100):
        times = [source.with_suffix(suffix).stat().st_mtime for suffix in (".md", ".ipynb")]
        if min(times) > since and not page.evaluate(f"{NOTEBOOK}.context.model.dirty"):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"JupyterLab did not save {source.name}")


def run_all(page: Page) -> None:
    """Run all cells; the explorer is then a widget."""
    run_in(page, "notebook:run-all-cells")
    expect(page.locator("[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
    assert notebooks.WIDGET_MIME in page.evaluate(f"JSON.stringify({NOTEBOOK}.context.model)")
    expect(page.locator(".nb-explorer").last).to_be_visible(timeout=TIMEOUT)


def kill_kernel(page: Page) -> None:
    """Lab starts another, which it says in a dialog that the next page does not have."""
    os.kill(int(in_kernel(page, "import os; print(os.getpid())")), signal.SIGKILL)


def forget_widgets(page: Page) -> None:
    """Let the kernel know as little as one that started again without anybody's noticing."""
    in_kernel(page, "import comm; comm.get_comm_manager().comms.clear(); print('done')")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_goes_round_between_lab_and_the_book(lab: Lab, page: Page, chapter: str) -> None:
    source = lab.checkout / "notebooks" / f"{chapter}.md"
    assert not notebooks.is_stale(source), "run `make notebooks` first"

    # Open it and wait for an autosave: the kernel has told the notebook its language.
    opened = time.time()
    open_chapter(lab, page, f"{chapter}.ipynb")
    wait_until_saved(page, source, opened)
    assert lab.git("diff", "--stat") == ""
    assert_last_slider_answers(page)  # before anything ran, from the table

    run_all(page)
    assert_last_slider_answers(page)
    run_in(page, "docmanager:save")
    assert lab.git("diff", "--stat") == ""

    kill_kernel(page)
    lost = page.locator(".nb-message").last
    expect(lost).to_contain_text("start the kernel again", timeout=TIMEOUT)

    shut_down(page)
    open_chapter(lab, page, f"{chapter}.md")  # a click on either file opens the notebook
    assert_last_slider_answers(page)
    shut_down(page)


def test_a_page_that_is_no_chapter_opens_as_text(lab: Lab, page: Page) -> None:
    page.goto(f"{lab.url}/lab/tree/index.md?reset")
    expect(page.locator(".jp-FileEditor")).to_be_visible(timeout=TIMEOUT)


NEW = """# A chapter that is being written

```{code-cell} ipython3
import numpy as np

from nickbook.book import Curve, Drawing, Panel, Slider
from nickbook.book.explore import explore


def line(slope):
    x = np.linspace(0, 1, 5)
    panel = Panel("Line", "x", "y", (0, 1), (0, 1), (Curve("y", x, slope * x),))
    return Drawing((panel,), {"slope": f"{slope:.2f}"})
```

```{code-cell} ipython3
:label: fig-99-explorer

figure = explore(
    line,
    [Slider("slope", "s", (0.1, 0.5, 1.0), 0.5)],
    label="fig-99-explorer",
    caption="A line of slope $s$.",
    alt="A straight line through the origin, steeper with a larger slope.",
    check="It is straight.",
)
figure
```
"""


def test_a_new_chapter_has_a_table_once_the_book_is_made(lab: Lab, page: Page) -> None:
    chapter = next(iter(CHAPTERS))
    header = (lab.checkout / "notebooks" / f"{chapter}.md").read_text().split("---\n")[1]
    source = lab.checkout / "notebooks" / "99-new.md"
    source.write_text(f"---\n{header}---\n\n{NEW}")
    open_chapter(lab, page, "99-new.md")
    run_all(page)
    assert in_kernel(page, "figure.set(slope=1.0); print(figure.values)") == "{'slope': 1.0}"
    expect(page.locator(".nb-readouts")).to_have_text("slope = 1.00", timeout=TIMEOUT)
    busy = f"void {SESSION}.session.kernel.requestExecute({{ code: 'import time; time.sleep(5)' }})"
    page.evaluate(busy)
    page.locator(".nb-explorer input").press("Home")
    expect(page.locator(".nb-message")).to_have_text("computing…", timeout=4_000)
    expect(page.locator(".nb-readouts")).to_have_text("slope = 0.10", timeout=TIMEOUT)
    expect(page.locator(".nb-message")).to_be_hidden()

    # Saved as a widget, without a table: it still shows its last drawing, and the book runs it.
    saved = time.time()
    run_in(page, "docmanager:save")
    wait_until_saved(page, source, saved)
    forget_widgets(page)
    page.locator(".nb-explorer input").press("End")
    expect(page.locator(".nb-message")).to_contain_text("start the kernel again", timeout=TIMEOUT)
    shut_down(page)
    open_chapter(lab, page, "99-new.ipynb")
    expect(page.locator(".nb-readouts")).to_have_text("slope = 0.10", timeout=TIMEOUT)
    page.locator(".nb-explorer input").press("End")
    expect(page.locator(".nb-message")).to_contain_text("run this cell", timeout=TIMEOUT)
    shut_down(page)
    assert notebooks.is_stale(source)
    assert notebooks.main(["--directory", str(source.parent), "99-new"]) == 0
    open_chapter(lab, page, "99-new.ipynb")
    assert_last_slider_answers(page)
    shut_down(page)


def test_the_book_made_after_that_has_its_explorers(lab: Lab) -> None:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command = ["node", "theme/build.mjs"]
    build = subprocess.run(
        command, cwd=lab.checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert build.returncode == 0, build.stderr
    for words in ("extra keys", "localhost", "npm notice"):  # neither mistakes nor addresses
        assert words not in build.stdout + build.stderr
    for label, address in CHAPTERS.values():
        text = (lab.checkout / "_build/html" / address).read_text(encoding="utf-8")
        assert f'data-model="{label}"' in text
