"""The pages: complete, self-contained, light, accessible, and alive without a kernel.

Most tests run twice: on ``sample_book``, which holds one of everything that the theme can show,
and, marked ``site``, on the book, whatever chapters it has.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import jupytext
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from nickbook.bands import chemical_potential, conduction_bands
from nickbook.book.api import public
from nickbook.book.notebooks import cell_code
from nickbook.pairing import triplon_gap

ROOT = Path(__file__).parents[1]
THEME = ROOT / "theme"
TIMEOUT = 60_000  # ms: a loaded machine is slow
SAMPLE = Path(__file__).parent / "sample_book"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
NODE = shutil.which("node", path=PATH) or "node"
KB = 1000


class Site(NamedTuple):
    """A built site on disk, and its address: as a project page has it, not at the root."""

    directory: Path
    url: str = "http://localhost/nickbook/"

    def file_at(self, url: str) -> Path | None:
        """File that is served at an address, or nothing."""
        path = self.directory / unquote(urlparse(url).path).removeprefix("/nickbook/")
        path = path / "index.html" if path.is_dir() else path
        return path if path.is_file() else None

    def pages(self) -> list[Path]:
        return sorted(self.directory.rglob("*.html"))

    def url_of(self, page: Path) -> str:
        return f"{self.url}{page.relative_to(self.directory).as_posix()}"


def build(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", str(THEME / "build.mjs")],  # installs the packages of this theme if need be
        cwd=project,
        env={**os.environ, "PATH": PATH},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_sample(directory: Path) -> Path:
    """Copy the sample book, with the theme where its myst.yml looks for it."""
    project = directory / "tests" / "sample_book"
    ignored = shutil.ignore_patterns("_build", "node_modules")
    shutil.copytree(SAMPLE, project, ignore=ignored)
    shutil.copytree(THEME, directory / "theme", ignore=ignored)
    (directory / "theme" / "node_modules").symlink_to(THEME / "node_modules")
    return project


def book_is_current() -> bool:
    built = ROOT / "_build" / "html" / "404.html"
    folders = [ROOT / "notebooks", THEME, THEME / "assets"]
    sources = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    sources += [ROOT / "myst.yml", ROOT / "references.bib", ROOT / "nickbook/book/explorer.mjs"]
    newest = max(path.stat().st_mtime for path in sources)
    return built.exists() and built.stat().st_mtime > newest


@pytest.fixture(scope="session")
def sample(shared) -> Site:
    with shared() as directory:
        project = directory / "sample" / "tests" / "sample_book"
        if not (project / "_build" / "html" / "404.html").exists():
            shutil.rmtree(directory / "sample", ignore_errors=True)
            result = build(copy_of_sample(directory / "sample"))
            assert result.returncode == 0, result.stdout + result.stderr
    return Site(project / "_build" / "html")


@pytest.fixture(scope="session")
def book(shared) -> Site:
    with shared():
        if not book_is_current():
            result = build(ROOT)
            assert result.returncode == 0, result.stdout + result.stderr
    return Site(ROOT / "_build" / "html")


@pytest.fixture(params=["sample", pytest.param("book", marks=pytest.mark.site)])
def site(request: pytest.FixtureRequest) -> Site:
    return request.getfixturevalue(request.param)


class Visit(NamedTuple):
    """A browser tab that remembers what went wrong and what it loaded."""

    page: Page
    complaints: list[str]
    loaded: dict[str, bytes]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    contexts = []

    def open_page(site: Site, address: str, **options: object) -> Visit:
        context = browser.new_context(**options)
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        complaints: list[str] = []
        loaded: dict[str, bytes] = {}
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if m.type != "log" else None)
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))

        def answer(route) -> None:
            """Serve the site without a server, with its own page for an unknown address."""
            url = route.request.url
            if url.startswith(("file:", "data:", "blob:")):
                route.continue_()
            elif url.startswith(site.url):
                file = site.file_at(url)
                status = 200 if file else 404
                route.fulfill(status=status, path=file or site.directory / "404.html")
            else:
                complaints.append(f"external: {url}")
                route.abort()

        def remember(response) -> None:
            if response.url.startswith("http") and response.ok:
                loaded[response.url] = response.body()

        context.route("**/*", answer)
        page.on("requestfinished", lambda request: remember(request.response()))
        page.goto(urljoin(site.url, address), wait_until="networkidle")
        return Visit(page, complaints, loaded)

    yield open_page
    for context in contexts:
        context.close()


LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src"}


class Document(HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.assets: list[str] = []
        self.meta: dict[str, str] = {}
        self.tags: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "meta":
            self.meta[values.get("name") or values.get("property", "")] = values.get("content", "")
        if values.get("rel") == "canonical":
            self.meta["canonical"] = values["href"]
            return
        if tag in LOADING and values.get(LOADING[tag]):
            self.assets.append(values[LOADING[tag]])
        self.assets += values.get("data-scripts", "").split()


def is_external(url: str) -> bool:
    return bool(urlparse(url).scheme) and not url.startswith("data:")


def documents(site: Site) -> dict[Path, Document]:
    return {page: Document(page) for page in site.pages()}


def test_every_link_and_anchor_of_the_site_leads_somewhere(site: Site) -> None:
    parsed = documents(site)
    dead = []
    for page, document in parsed.items():
        for link in document.links + document.assets:
            if is_external(link) or link.startswith("data:"):
                continue
            path, anchor = urldefrag(link)
            target = (page.parent / unquote(path)).resolve() if path else page
            missing = not target.is_file() or (
                anchor and target.suffix == ".html" and unquote(anchor) not in parsed[target].ids
            )
            if missing:
                dead.append(f"{page.name}: {link}")
    assert not dead


@pytest.mark.site
def test_chapters_lead_to_the_reference_of_all_they_import(book: Site) -> None:
    entries = public()
    for source in sorted((ROOT / "notebooks").glob("[0-9]*.md")):
        links = Document(book.directory / f"{source.stem[3:]}.html").links
        anchors = {urldefrag(link)[1] for link in links if link.startswith("api")}
        cells = jupytext.read(source, fmt="md:myst").cells
        imports = [cell_code(cell.source).imports for cell in cells if cell.cell_type == "code"]
        names = {name for found in imports for module, name in found if module[:8] == "nickbook"}
        labels = {entries[n].label if n in entries else f"api-nickbook-{n}" for n in names}
        assert names and labels <= anchors, source.stem


@pytest.mark.site
def test_claims_are_chosen_by_words_and_verdict_and_the_address_keeps_it(
    book: Site, visit: Callable[..., Visit]
) -> None:
    rows = json.loads((ROOT / "notebooks" / "ledger.json").read_text(encoding="utf-8"))
    open_rows = {row["id"].lower() for row in rows if row["verdict"] == "open"}
    page = visit(book, "ledger.html?verdict=open").page
    shown = page.locator("details.claim:visible")
    assert {claim.get_attribute("id") for claim in shown.all()} == open_rows
    page.get_by_label("Find").fill("eq14-leading")
    expect(shown).to_have_count(1)
    assert page.url.endswith("ledger.html?q=eq14-leading&verdict=open")
    shown.first.locator("summary").click()
    expect(page.get_by_role("button", name="Cite this claim")).to_be_visible()
    # A link to a claim that is not chosen shows it all the same.
    hidden = next(row["id"].lower() for row in rows if row["verdict"] == "not as written")
    page = visit(book, f"ledger.html?verdict=open#{hidden}").page
    expect(page.locator(f"#{hidden} dl")).to_be_visible()


def test_pages_load_nothing_from_elsewhere(site: Site) -> None:
    for page, document in documents(site).items():
        assert not [url for url in document.assets if is_external(url) or url.startswith("/")], page
    for style in site.directory.rglob("*.css"):
        urls = re.findall(r"url\(([^)]*)\)", style.read_text(encoding="utf-8"))
        assert all((style.parent / url.strip("\"'")).is_file() for url in urls), style


def test_pages_say_what_they_are(site: Site) -> None:
    descriptions = []
    for page, document in documents(site).items():
        assert len(document.ids) == len(set(document.ids)), page
        assert document.tags.count("h1") == 1, page
        assert document.tags.count("main") == 1, page
        assert document.meta["og:title"], page
        assert document.meta["canonical"].startswith("https://nickbook.github.io/nickbook/"), page
        descriptions.append(document.meta["description"])
    assert all(descriptions)
    assert len(set(descriptions)) == len(descriptions)


def test_sitemap_names_every_page(site: Site) -> None:
    base = "https://nickbook.github.io/nickbook/"
    named = re.findall("<loc>(.*?)</loc>", (site.directory / "sitemap.xml").read_text())
    pages = {site.url_of(page).replace(site.url, base) for page in site.pages()}
    expected = {re.sub("index.html$", "", page) for page in pages} - {f"{base}404.html"}
    assert set(named) == expected
    assert f"{base}sitemap.xml" in (site.directory / "robots.txt").read_text()
    assert (site.directory / "card.png").stat().st_size < 60 * KB


def test_error_page_works_at_any_address(site: Site, visit: Callable[..., Visit]) -> None:
    opened = visit(site, "no/such/page.html")
    assert "Page not found" in opened.page.title()
    opened.page.get_by_role("link", name="start of the book").click()
    opened.page.wait_for_url(f"{site.url}index.html")
    assert f"{site.url}style.css" in opened.loaded
    assert f"{site.url}site.js" in opened.loaded


def compressed(files: dict[str, bytes]) -> int:
    """Count bytes as a server sends them; fonts are compressed already."""
    return sum(
        len(data) if url.endswith(".woff2") else len(gzip.compress(data))
        for url, data in files.items()
    )


def test_pages_are_light_and_run_without_complaint_or_network(
    site: Site, visit: Callable[..., Visit]
) -> None:
    for path in site.pages():
        opened = visit(site, site.url_of(path))
        files = dict(opened.loaded)
        opened.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        opened.page.wait_for_load_state("networkidle")
        assert not opened.complaints, path
        text = {u: d for u, d in files.items() if not u.endswith((".png", ".svg", ".jpg"))}
        models = {urljoin(site.url, f"files/{label}.js") for label in Document(path).ids}
        page = {url: data for url, data in text.items() if url not in models}
        scripts = {url: data for url, data in page.items() if url.endswith(".js")}
        assert compressed(page) < 153 * KB, (path, compressed(page))
        assert compressed(scripts) < 100 * KB, (path, compressed(scripts))


# What depends on colours needs no second width, and what does not, no second scheme.
ACCESSIBLE = {
    "light": ("light", 1280, {}),
    "narrow": ("light", 390, {"rules": {"color-contrast": {"enabled": False}}}),
    "dark": ("dark", 1280, {"runOnly": ["color-contrast"]}),
}
# Everything is unfolded. Of long tables and of the ledger's rows, which are all alike, a part is
# looked at: the whole ledger takes axe longer than all other pages.
PREPARE = """
document.querySelectorAll('tbody tr:nth-child(n + 12)').forEach((row) => row.remove());
[...document.querySelectorAll('.claim')].slice(12).forEach((claim) => claim.remove());
document.querySelectorAll('details').forEach((element) => { element.open = true; });
"""


@pytest.mark.parametrize("case", ACCESSIBLE)
def test_pages_are_accessible(
    site: Site, visit: Callable[..., Visit], shared: Callable, case: str
) -> None:
    scheme, width, rules = ACCESSIBLE[case]
    everything = [NODE, THEME / "dependencies.mjs"]  # a build installs no axe
    with shared():
        subprocess.run(everything, env={**os.environ, "PATH": PATH}, check=True)
    axe = THEME / "node_modules" / "axe-core" / "axe.min.js"
    found = []
    # One tab for all pages: a new one costs more than what is looked at in it.
    page = visit(site, site.url, color_scheme=scheme, viewport={"width": width, "height": 900}).page
    for path in site.pages():
        page.goto(site.url_of(path), wait_until="networkidle")
        page.evaluate(PREPARE)
        page.add_script_tag(path=axe)
        result = page.evaluate("rules => axe.run(rules)", rules)
        found += [
            (path.name, v["id"], [n["html"][:200] for n in v["nodes"]])
            for v in result["violations"]
        ]
    assert not found


DRAWING = "el => [...el.querySelectorAll('svg')].map(svg => svg.outerHTML).join('')"


def assert_sliders_redraw(page: Page) -> int:
    """Move every slider of a page; return how many explorers it has."""
    explorers = page.locator(".explorer").all()
    for explorer in explorers:
        explorer.scroll_into_view_if_needed()
        expect(explorer.locator("svg").first).to_be_visible()
        sliders = explorer.locator("input[type=range]")
        expect(sliders.first).to_be_visible()
        for slider in sliders.all():
            before = explorer.evaluate(DRAWING)
            at_end = slider.evaluate("el => el.value === el.max")
            slider.press("Home" if at_end else "End")
            page.wait_for_function(
                f"([el, before]) => ({DRAWING})(el) !== before",
                arg=[explorer.element_handle(), before],
            )
    return len(explorers)


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_sliders_change_their_figure_without_a_kernel(
    site: Site, visit: Callable[..., Visit], protocol: str
) -> None:
    explorers = 0
    for path in site.pages():
        if "data-esm" not in path.read_text(encoding="utf-8"):
            continue
        address = site.url_of(path) if protocol == "http" else path.resolve().as_uri()
        opened = visit(site, address)
        explorers += assert_sliders_redraw(opened.page)
        assert not opened.complaints
    assert explorers > 0


@pytest.mark.site
@pytest.mark.parametrize("protocol", ["http", "file"])
def test_a_link_opens_an_explorer_with_its_setting(
    book: Site, visit: Callable[..., Visit], protocol: str
) -> None:
    path = book.directory / "gap-ratio.html"
    page_url = book.url_of(path) if protocol == "http" else path.resolve().as_uri()
    asked = "?fig-5-explorer.n_c=0.85&fig-5-explorer.kappa=0.8"
    page, complaints, _ = visit(book, f"{page_url}{asked}#sec-5-why")
    heading = page.locator("#sec-5-why")
    expect(heading).to_be_in_viewport()  # a place on the page is still one
    page.locator("#fig-5-explorer").scroll_into_view_if_needed()
    kappa = page.get_by_label("κ", exact=True)
    expect(kappa).to_have_attribute("aria-valuetext", "0.800")
    expect(page.get_by_label("nc per Ni")).to_have_attribute("aria-valuetext", "0.85")
    expect(page.get_by_role("button", name="order reversed")).to_have_attribute(
        "aria-pressed", "false"
    )
    kappa.press("ArrowLeft")  # to the start of κ, so that a preset holds
    expect(page.get_by_role("button", name="order reversed")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.wait_for_function("location.search === '?fig-5-explorer.n_c=0.85'")
    assert page.url == f"{page_url}?fig-5-explorer.n_c=0.85#sec-5-why"
    assert not complaints


HEIGHTS = "[...document.querySelectorAll('.explorer')].map((e) => e.offsetHeight)"
SHIFTS = f"""
window.shifts = [];
new PerformanceObserver((list) => {{
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
}}).observe({{ type: 'layout-shift', buffered: true }});
addEventListener('DOMContentLoaded', () => {{ window.kept = {HEIGHTS}; }});
"""


@pytest.mark.site
@pytest.mark.parametrize("size", [(390, 664), (1440, 900)])
def test_explorers_take_the_space_that_is_kept_for_them(
    book: Site, visit: Callable[..., Visit], size: tuple[int, int]
) -> None:
    page = visit(book, "", viewport={"width": size[0], "height": size[1]}).page
    page.add_init_script(SHIFTS)
    found = []
    for path in book.pages():
        if "nb-still" not in path.read_text(encoding="utf-8"):
            continue
        page.goto(book.url_of(path))
        page.evaluate("document.fonts.ready")  # formulas have theirs before a reader scrolls on
        page.evaluate("shifts.length = 0")
        for explorer in page.locator(".explorer").all():
            explorer.scroll_into_view_if_needed()
            expect(explorer.locator("svg.nb-plot").first).to_be_visible()
        page.wait_for_timeout(300)
        assert page.evaluate(HEIGHTS) == page.evaluate("kept"), path.name
        assert page.evaluate("shifts.reduce((sum, shift) => sum + shift, 0)") <= 0.02, path.name
        found.append(path.name)
    assert "gap-ratio.html" in found


def test_search_finds_every_page_by_its_title(site: Site, visit: Callable[..., Visit]) -> None:
    page = visit(site, "").page
    for path in set(site.pages()) - {site.directory / "404.html"}:
        title = Document(path).meta["og:title"]
        page.keyboard.press("/")
        page.get_by_role("searchbox").fill(title)
        expect(page.locator(f"dialog a[href^='{path.name}']").first).to_be_visible()
        page.keyboard.press("Escape")


def test_search_looks_into_text_and_captions(sample: Site, visit: Callable[..., Visit]) -> None:
    page = visit(sample, "").page
    for query, address in [("smallest exc", "theory.html#sec-5-second"), ("jagg lin", None)]:
        page.keyboard.press("/")
        page.get_by_role("searchbox").fill(query)
        hits = page.locator("dialog li a")
        if address is None:
            expect(hits).to_have_count(0)
        else:
            expect(hits.first).to_have_attribute("href", address)
        page.keyboard.press("Escape")


@pytest.mark.parametrize("page", ["index.html", "theory.html"])
def test_hover_card_shows_the_equation(
    sample: Site, visit: Callable[..., Visit], page: str
) -> None:
    tab = visit(sample, page).page
    tab.locator("a.xref[href$='#eq-5-gap']").first.hover()
    expect(tab.locator(".hover-card .katex")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator(".hover-card")).to_have_count(0)


def test_keyboard_reaches_the_content_and_the_mode_is_kept(
    sample: Site, visit: Callable[..., Visit]
) -> None:
    page = visit(sample, "theory.html", color_scheme="light").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.locator(".mode").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_sample_reads_without_javascript(sample: Site, visit: Callable[..., Visit]) -> None:
    page = visit(sample, "theory.html", java_script_enabled=False).page
    for visible in (".explorer img", "#fig-5-line img", "#eq-5-gap .katex", ".toc", ".outline"):
        expect(page.locator(visible).first).to_be_visible()
    expect(page.locator(".search-open")).to_be_hidden()


def test_print_shows_solutions_and_hides_navigation(
    sample: Site, visit: Callable[..., Visit]
) -> None:
    page = visit(sample, "theory.html").page
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".solution p")).to_be_visible()
    for hidden in (".toc", ".top", ".outline", ".fold", ".steps"):
        expect(page.locator(hidden).first).to_be_hidden()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"


def test_a_chapter_says_where_else_it_runs(sample: Site) -> None:
    theory = Document(sample.directory / "theory.html")
    for url, words in [
        ("https://mybinder.org/v2/gh/nickbook/nickbook/HEAD?urlpath=lab/tree", "Binder"),
        ("https://colab.research.google.com/github/nickbook/nickbook/blob/main", "Colab"),
    ]:
        assert f'<a href="{url}/05-theory.ipynb">Open in {words}</a>' in theory.text


def test_figures_have_numbers_captions_checks_and_data(sample: Site) -> None:
    theory = Document(sample.directory / "theory.html")
    for label, number in [("fig-5-line", 1), ("fig-5-wave", 2), ("fig-5-both", 3)]:
        assert f'<a class="capnum" href="#{label}">Figure 5.{number}</a>' in theory.text
    index = (sample.directory / "index.html").read_text(encoding="utf-8")
    assert '<a class="xref" href="theory.html#fig-5-line">Figure 5.1</a>' in index
    assert '<a class="capnum" href="theory.html#fig-5-line">Figure 5.1</a>' in index
    assert '<a class="xref" href="theory.html#eq-5-gap">(5.1)</a>' in index
    assert '<a class="xref" href="ledger.html#s-first">S-first</a>' in theory.text
    assert '<p class="check">Halving the mesh' in theory.text
    assert "<p>This caption is for readers in Jupyter." not in theory.text
    assert (sample.directory / "files/fig-5-line.csv").read_text() == "x,y\n0,0\n1,1\n"
    assert (sample.directory / "files/fig-5-wave.npz").read_bytes() == b"PK"


def test_code_that_is_collapsed_in_jupyterlab_is_folded(sample: Site) -> None:
    cells = json.loads((SAMPLE / "05-theory.ipynb").read_text(encoding="utf-8"))["cells"]
    cell = next(cell for cell in cells if cell["metadata"].get("label") == "fig-5-line")
    assert cell["metadata"]["jupyter"] == {"source_hidden": True}
    page = (sample.directory / "theory.html").read_text(encoding="utf-8")
    folds = re.findall(r'<details class="fold">.*?</details>', page, re.DOTALL)
    assert [fold for fold in folds if "A jagged line" in fold]
    assert len(folds) == 2  # the other cell has mystmd's own tag, hide-input


def test_published_addresses_become_links_of_the_site(sample: Site) -> None:
    index = (sample.directory / "index.html").read_text(encoding="utf-8")
    assert '<a class="xref" href="ledger.html#s-first">the first claim</a>' in index
    assert '<a class="cite" href="#cite-bardeen1957">Bardeen et al.</a>' in index
    assert '<li id="cite-bardeen1957">' in index
    theory = (sample.directory / "theory.html").read_text(encoding="utf-8")
    assert '<a class="xref" href="ledger.html#s-first">again</a>' in theory


def test_notebooks_are_downloaded_under_their_own_names(site: Site) -> None:
    offered = {path.name for path in (site.directory / "files").glob("*.ipynb")}
    folder = site.directory.parents[1]
    sources = [*folder.glob("*.ipynb"), *folder.glob("notebooks/*.ipynb")]
    assert offered == {path.name for path in sources}


@pytest.mark.site
def test_two_builds_in_two_places_are_equal(sample: Site, tmp_path: Path) -> None:
    project = copy_of_sample(tmp_path)
    assert build(project).returncode == 0

    def contents(directory: Path) -> dict[str, bytes]:
        files = (path for path in directory.rglob("*") if path.is_file())
        return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}

    first, second = contents(sample.directory), contents(project / "_build" / "html")
    assert first.keys() == second.keys()
    assert not [name for name in first if first[name] != second[name]]


MISTAKES = {
    "node type": ("```{mermaid}\ngraph\n```", 'no renderer for a node of type "mermaid"'),
    "directive": ("```{nosuch} thing\n```", "nosuch"),
    "role": ("{nosuch}`thing`", "nosuch"),
    "reference": ("See [](#eq-nowhere).", "eq-nowhere"),
    "role reference": ("See {eq}`eq-nowhere`.", "eq-nowhere"),
    "link": ("See [there](nowhere.md).", "nowhere.md"),
    "citation": ("See [@nobody1900].", "nobody1900"),
    "address": (
        "See [it](https://nickbook.github.io/nickbook/ledger.html#s-none).",
        '"ledger.html" has no "s-none"',
    ),
    "formula": (r"A formula $\frac{1$ with an error.", "ledger.md"),
}


@pytest.mark.site
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_fails_the_build(tmp_path: Path, mistake: str) -> None:
    text, message = MISTAKES[mistake]
    project = copy_of_sample(tmp_path)
    ledger = project / "ledger.md"
    ledger.write_text(f"{ledger.read_text(encoding='utf-8')}\n{text}\n", encoding="utf-8")
    result = build(project)
    assert result.returncode != 0
    assert message in result.stderr


@pytest.mark.site
def test_a_mistake_in_an_output_fails_the_build(tmp_path: Path) -> None:
    project = copy_of_sample(tmp_path)
    path = project / "05-theory.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    bundles = [
        output["data"]
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    for data in bundles:
        figure = data.get("application/vnd.nickbook.figure+json")
        if figure and figure["label"] == "fig-5-line":
            figure["label"] = "fig-5-other"
        if "application/vnd.nickbook.explorer+json" in data:
            data["application/vnd.nickbook.explorer+json"]["esm"] = "other.mjs"
        if "text/markdown" in data:
            data["text/markdown"] = "[](#S-nowhere)"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    result = build(project)
    assert result.returncode != 0
    for message in ("both must agree", "is not among the widgets", "#S-nowhere"):
        assert message in result.stderr


EXPLORER = "application/vnd.nickbook.explorer+json"


@pytest.mark.site
@pytest.mark.parametrize("sign", ["label", "call", "empty"])
def test_an_explorer_without_a_table_fails_the_build(tmp_path: Path, sign: str) -> None:
    project = copy_of_sample(tmp_path)
    path = project / "05-theory.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if sign == "empty" and EXPLORER in data:
                data[EXPLORER]["model"]["table"] = ""  # as a dry run leaves it
                cell["source"] = "explore(wave)"
            elif EXPLORER in data:  # as JupyterLab saves it after a live run
                data["application/vnd.jupyter.widget-view+json"] = {"model_id": "1"}
                del data[EXPLORER]
                cell["source"] = "explore(wave)" if sign == "call" else "1"
                if sign == "label":
                    cell["metadata"]["label"] = "fig-5-explorer"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    result = build(project)
    assert result.returncode != 0
    assert "has no table, so its sliders would be missing: run `make notebooks`" in result.stderr


def test_installed_packages_are_not_installed_again(sample: Site) -> None:
    assert sample.directory.exists()  # building it has installed them
    script = f"import('{(THEME / 'dependencies.mjs').as_uri()}').then(m => m.ensureDependencies())"
    subprocess.run([NODE, "-e", script], env={"PATH": ""}, check=True, capture_output=True)
    assert "http" not in (THEME / "package-lock.json").read_text(encoding="utf-8")


def drawn_curve(page: Page, figure: str, curve: int) -> np.ndarray:
    """Points of one drawn curve of an explorer's first panel, in fractions of its frame."""
    svg = page.locator(f"#{figure} .nb-panel svg[viewBox]:not(.nb-key svg)").first
    frame = svg.locator("> rect").evaluate(
        "r => ['x', 'y', 'width', 'height'].map((n) => +r.getAttribute(n))"
    )
    path = svg.locator("g[clip-path] > path:not([d=''])").nth(curve).get_attribute("d")
    points = [point.split() for point in path.replace("M", "L").split("L")[1:]]
    x, y = np.array(points, float).T
    return np.stack([(x - frame[0]) / frame[2], 1 - (y - frame[1]) / frame[3]])


def test_gap_curves_of_chapter_5_are_those_of_the_package(book: Site, visit) -> None:
    page, complaints, _ = visit(book, "gap-ratio.html")
    page.locator("#fig-5-explorer").scroll_into_view_if_needed()
    page.get_by_label("κ", exact=True).press("End")  # κ = 1
    page.get_by_label("λ", exact=True).press("Home")  # λ = 0.15
    page.get_by_label("nc per Ni").press("ArrowRight")  # n_c = 0.50
    model = conduction_bands()
    gap = triplon_gap(model, chemical_potential(model, 1.0), coupling=0.15, kappa=1.0)
    theta = np.linspace(0, np.pi / 2, 31)
    unit = abs(float(gap.at_angle(0, 0.0)))
    for sheet in (0, 1):
        x, y = drawn_curve(page, "fig-5-explorer", 2 + sheet)
        np.testing.assert_allclose(x, theta / (np.pi / 2), atol=2e-4)
        np.testing.assert_allclose(1.1 * y, abs(gap.at_angle(sheet, theta)) / unit, atol=2e-4)
    assert not complaints
