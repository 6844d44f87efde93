"""The pages: complete, self-contained, light, accessible, and alive without a kernel.

Most tests run twice: on ``sample_book``, which holds one of everything that the theme can show,
and, marked ``site``, on the book, whatever chapters it has.
"""

import colorsys
import gzip
import io
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
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect
from pypdf import PdfReader

import nickbook
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
def test_every_page_says_which_version_it_is(book: Site) -> None:
    for path in book.directory.rglob("*.html"):
        footer = path.read_text(encoding="utf-8").split("<footer>")[1]
        assert re.search(rf"Version {re.escape(nickbook.__version__)} of 20\d\d-\d\d-\d\d", footer)


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


def test_a_link_to_a_chapter_shows_its_first_figure(site: Site) -> None:
    base = "https://nickbook.github.io/nickbook/"
    for page, document in documents(site).items():
        meta = document.meta
        picture = site.directory / meta["og:image"].removeprefix(base)
        with Image.open(picture) as image:
            size = image.size
        assert (meta["og:image:width"], meta["og:image:height"]) == tuple(map(str, size))
        assert len(meta["og:image:alt"]) > 10
        figure = re.search(r'<figure id="(fig-[^"]+)" class="fig"', document.text)
        chapter = '<h1><span class="num">' in document.text
        expected = f"{figure[1]}.png" if figure and chapter else "card.png"
        assert picture.name == expected, page


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
    assert f"{site.url}site.js" in opened.loaded
    assert opened.page.locator(".top").evaluate("el => getComputedStyle(el).position") == "sticky"


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
        scripts = {u: d for u, d in text.items() if u.endswith(".js") and u not in models}
        # What a reader waits for; figures come alive after it.
        alive = {*models, urljoin(site.url, "files/explorer.mjs.js")}
        page = {url: data for url, data in text.items() if url not in alive}
        assert compressed(page) < 153 * KB, (path, compressed(page))
        assert compressed(scripts) < 100 * KB, (path, compressed(scripts))


PHONE = {"width": 390, "height": 844}


def test_nothing_stands_between_a_page_and_its_first_screen(site: Site) -> None:
    for path, document in documents(site).items():
        head = document.text.split("</head>")[0]
        assert 'rel="stylesheet"' not in head, path
        assert all("defer" in tag for tag in re.findall(r"<script[^>]*src=[^>]*>", head)), path
        pictures = re.findall(r'<img class="plot[^>]*>', document.text)
        lazy = ['loading="lazy"' in picture for picture in pictures if "files/" in picture]
        assert not lazy or not lazy[0], path
        assert all(lazy[1:]), path


def test_a_page_loads_the_fonts_of_its_formulas_and_the_first_ones_early(
    site: Site, visit: Callable[..., Visit]
) -> None:
    early = 0
    for path in site.pages():
        opened = visit(site, site.url_of(path), viewport=PHONE)
        opened.page.wait_for_function("[...document.fonts].every((f) => f.status === 'loaded')")
        loaded = {url for url in opened.loaded if url.endswith(".woff2")}
        formulas = opened.page.locator(".katex").count()
        assert bool(loaded) == (formulas > 0), path
        head = path.read_text(encoding="utf-8").partition("<style>")[0]
        named = re.findall(r'"([^"]+[.]woff2)"', head)
        assert {urljoin(site.url, name) for name in named} <= loaded, path
        early += len(named)
        # Whatever is open now needs no other font, as one that is missing here would.
        opened.page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
        opened.page.evaluate(SHOW_SECTIONS)
        families = opened.page.evaluate(FAMILIES)
        faces = opened.page.evaluate(
            """[...document.fonts].map(
              (f) => `${f.family.replaceAll('"', '')} ${f.weight} ${f.style}`)"""
        )
        assert set(families) == set(faces), path
    assert early > 0


# Fonts that formulas ask for.
#: Lays out what browsers leave for later.
SHOW_SECTIONS = """document.querySelectorAll('.section').forEach(
  (s) => s.style.contentVisibility = 'visible')"""
FAMILIES = """() => {
  const found = new Set();
  for (const formula of document.querySelectorAll('.katex-html')) {
    const walker = document.createTreeWalker(formula, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const style = getComputedStyle(walker.currentNode.parentElement);
      const family = style.fontFamily.split(',')[0].replaceAll('"', '');
      found.add(`${family} ${style.fontWeight} ${style.fontStyle}`);
    }
  }
  return [...found];
}"""
# Whether each section has been laid out, and its height.
SECTIONS = """[...document.querySelectorAll('.section')].map((section) => [
  section.firstElementChild.checkVisibility({ contentVisibilityAuto: true }), section.offsetHeight])
"""


@pytest.mark.site
@pytest.mark.parametrize("view", [PHONE, {"width": 1440, "height": 900}])
def test_far_sections_wait_and_keep_about_their_place(
    book: Site, visit: Callable[..., Visit], view: dict[str, int]
) -> None:
    long = 0
    for path in book.pages():
        page = visit(book, book.url_of(path), viewport=view).page
        before = page.evaluate(SECTIONS)
        if sum(height for _, height in before) < 8 * view["height"]:
            continue
        long += 1
        assert not before[-1][0], path.name
        page.evaluate(SHOW_SECTIONS)
        page.wait_for_function(f"{SECTIONS.strip()}.every(([shown]) => shown)")
        after = page.evaluate(SECTIONS)
        kept, taken = (sum(height for _, height in sections) for sections in (before, after))
        assert 0.7 < kept / taken < 1.4, (path.name, kept, taken)
    assert long > 10


@pytest.mark.site
def test_an_explorer_starts_after_its_page_and_when_it_is_near(
    book: Site, visit: Callable[..., Visit]
) -> None:
    page = visit(book, "dimer-triplons.html", viewport=PHONE).page
    near, far = page.locator("#fig-1-triplon"), page.locator("#fig-1-explorer")
    expect(near.locator("svg.nb-plot").first).to_be_visible()
    started, ready = page.evaluate(
        """() => [
          performance.getEntriesByType('resource')
            .find((e) => /explorer[.]mjs/.test(e.name)).startTime,
          performance.getEntriesByType('navigation')[0].loadEventStart]"""
    )
    assert started >= ready > 0
    expect(far.locator(".fallback")).to_have_count(1)
    far.scroll_into_view_if_needed()
    expect(far.locator("svg.nb-plot").first).to_be_visible()


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
        page.keyboard.press("Tab")  # then what scrolls can be reached
        page.add_script_tag(path=axe)
        result = page.evaluate("rules => axe.run(rules)", rules)
        found += [
            (path.name, v["id"], [n["html"][:200] for n in v["nodes"]])
            for v in result["violations"]
        ]
    assert not found


DRAWING = "el => [...el.querySelectorAll('svg')].map(svg => svg.outerHTML).join('')"


def assert_sliders_redraw(page: Page) -> int:
    """Move every slider of a page, or the choice where there is none; count the explorers."""
    explorers = page.locator(".explorer").all()
    for explorer in explorers:
        explorer.scroll_into_view_if_needed()
        expect(explorer.locator("svg").first).to_be_visible()
        sliders = explorer.locator("input[type=range]")
        choices = explorer.locator("select")
        expect(sliders.or_(choices).first).to_be_visible()
        for control in sliders.all() or choices.all():
            before = explorer.evaluate(DRAWING)
            at_end = control.evaluate("el => el.type === 'range' && el.value === el.max")
            control.press("Home" if at_end else "End")
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


def first_hit(page: Page, query: str) -> Locator:
    """Ask for something as a reader types it; the best answer."""
    if not page.locator("dialog.search").is_visible():
        page.keyboard.press("/")
    page.get_by_role("searchbox").fill(query)
    return page.locator("dialog li a").first


def test_search_looks_into_text_and_captions(sample: Site, visit: Callable[..., Visit]) -> None:
    page = visit(sample, "").page
    # Beginnings of words, a misspelling, a subscript, another word for the same.
    for query, address in {
        "smallest exc": "theory.html#term-gap",
        "smalest excitaton": "theory.html#term-gap",
        "wave slider": "theory.html#sec-5-second",
        "energy gap": "theory.html#term-gap",
        "pseudopocket": "theory.html#term-gap",
        "La3Ni2O7": "theory.html#sec-5-second",
        "La₃Ni₂O₇": "theory.html#sec-5-second",
        "Delta": "theory.html#sec-5-first",
        "Δ": "theory.html#sec-5-first",
    }.items():
        expect(first_hit(page, query)).to_have_attribute("href", re.compile(re.escape(address)))
    first_hit(page, "jagged")  # an alternative text is none that a reader sees
    expect(page.locator("dialog li")).to_have_text("Nothing found.")
    for query in ("opens", "Delta"):
        expect(first_hit(page, query).locator("mark").first).to_be_attached()
    assert "\\" not in "".join(page.locator("dialog li").all_text_contents())


def test_search_answers_what_was_typed_before_its_index_came(
    sample: Site, visit: Callable[..., Visit]
) -> None:
    page = visit(sample, "").page
    held: list[Route] = []
    page.route("**/search.js", lambda route: held.append(route))
    hit = first_hit(page, "smallest")
    expect(page.locator("dialog li")).to_have_text("Loading …")
    expect(hit).to_have_count(0)
    held[0].fallback()
    expect(hit).to_have_attribute("href", "theory.html#term-gap")


QUERIES = {  # what a reader asks: the pages of which one must come first
    "La3Ni2O7": "six-pictures|index",
    "Lifshitz": "glossary|bilayer-bands",
    "glossary": "glossary",
    "how to install": "index",
    "how to run": "index",
    "Tc": "glossary|dimer-triplons|beyond-fermi-line|tj-mean-field",
    "gamma pocket": "six-pictures|bilayer-bands",
    "γ pocket": "six-pictures|bilayer-bands",
    "Fermi surface": "six-pictures|glossary|bilayer-bands",
    "gap ratio": "gap-ratio",
    "suceptibility": "glossary|susceptibility",
    "bogolubov": "glossary|dimer-triplons",
    "read_wannier90": "api-bands",
    "eq14-leading": "ledger",
}


@pytest.mark.site
@pytest.mark.parametrize("protocol", ["http", "file"])
def test_search_knows_what_readers_ask(
    book: Site, visit: Callable[..., Visit], protocol: str
) -> None:
    page, complaints, _ = visit(
        book, "" if protocol == "http" else (book.directory / "index.html").as_uri()
    )
    for query, pages in QUERIES.items():
        hit = first_hit(page, query)
        expect(hit).to_have_attribute("href", re.compile(rf"^({pages})\.html"))
        shown = " ".join(page.locator("dialog li").all_text_contents())
        assert not re.search(r"\\[a-z]|\bmathrm\b|\bfrac\b", shown), query
    assert not complaints


@pytest.mark.parametrize("protocol", ["http", "file"])
@pytest.mark.parametrize("page", ["index.html", "theory.html"])
def test_hover_card_shows_the_equation(
    sample: Site, visit: Callable[..., Visit], page: str, protocol: str
) -> None:
    address = page if protocol == "http" else (sample.directory / page).as_uri()
    tab, complaints, _ = visit(sample, address)
    tab.locator("a.xref[href$='#eq-5-gap']").first.hover()
    expect(tab.locator(".hover-card .katex").first).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator(".hover-card")).to_have_count(0)
    # A figure of another page finds its picture.
    tab.locator("a.xref[href$='#fig-5-line']").first.hover()
    picture = tab.locator(".hover-card img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    assert not complaints


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_a_word_of_the_glossary_explains_itself_to_the_keyboard_too(
    sample: Site, visit: Callable[..., Visit], protocol: str
) -> None:
    address = "" if protocol == "http" else (sample.directory / "index.html").as_uri()
    tab, complaints, _ = visit(sample, address)
    word = tab.locator("a.term")
    expect(word).to_have_count(1)  # the first of several
    expect(word).to_have_text("gap")
    word.focus()
    card = tab.locator("[role=tooltip]")
    expect(card).to_contain_text("The smallest energy of an excitation.")
    assert word.get_attribute("aria-describedby") == card.get_attribute("id")
    assert not complaints


@pytest.mark.site
def test_words_of_the_glossary_are_linked_once_in_each_chapter_and_in_prose_alone(
    book: Site,
) -> None:
    entries = {i for i in Document(book.directory / "glossary.html").ids if i.startswith("term-")}
    assert len(entries) > 40
    used = set()
    for source in sorted((ROOT / "notebooks").glob("[0-9]*.md")):
        text = (book.directory / f"{source.stem[3:]}.html").read_text(encoding="utf-8")
        links = re.findall(r'<a class="xref term" href="glossary.html#([^"]+)">', text)
        assert len(links) == len(set(links)) >= 8, source
        assert set(links) <= entries
        used |= set(links)
        silent = r"<(h[1-6]|summary|code|figcaption|table)\b[^>]*>(?:(?!</\1>).)*xref term"
        assert not re.search(silent, text, re.DOTALL), source
    assert len(used) > 35


def test_the_outline_marks_what_is_read(sample: Site, visit: Callable[..., Visit]) -> None:
    view = {"width": 1440, "height": 500}
    page = visit(sample, "theory.html#sec-5-second", viewport=view).page
    mark = page.locator(".outline [aria-current]")
    expect(mark).to_have_attribute("href", "#sec-5-second")
    page.keyboard.press("Home")
    page.wait_for_function("scrollY === 0")
    expect(mark).to_have_count(0)  # above the first section
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(mark).to_have_attribute("href", "#sec-5-second")


LANDS = """([id, top]) => {
  const box = (element) => element.getBoundingClientRect();
  const waiting = [...document.querySelectorAll('.explorer')].some((explorer) =>
    explorer.querySelector('.fallback') &&
    box(explorer).bottom > -200 && box(explorer).top < innerHeight + 200);
  return !waiting && Math.abs(box(document.getElementById(id)).top - top) < 1;
}"""


def assert_lands(page: Page, label: str) -> None:
    """A target stands right under the header, and does when all around it has come."""
    place = page.evaluate("parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)")
    page.wait_for_function(LANDS, arg=[label, place])
    page.wait_for_timeout(300)
    assert page.evaluate(LANDS, [label, place])


def test_a_deep_link_lands_where_it_says(sample: Site, visit: Callable[..., Visit]) -> None:
    view = {"width": 1440, "height": 300}
    page = visit(sample, "theory.html#fig-5-both", viewport=view).page
    expect(page.locator(".explorer svg")).to_be_attached()  # another height than its picture
    assert_lands(page, "fig-5-both")
    # A reader who then moves is not held back.
    page.mouse.move(700, 200)
    page.mouse.wheel(0, 100)
    top = "document.getElementById('fig-5-both').getBoundingClientRect().top"
    page.wait_for_function(f"{top} < 0")
    page.evaluate("document.querySelector('article').style.paddingBottom = '3px'")
    page.wait_for_timeout(300)
    assert page.evaluate(top) < 0


@pytest.mark.site
@pytest.mark.parametrize("protocol", ["http", "file"])
def test_deep_links_into_chapters_land_where_they_say(
    book: Site, visit: Callable[..., Visit], protocol: str
) -> None:
    for path in book.pages():
        text = path.read_text(encoding="utf-8")
        labels = re.findall(r'<h2 id="(sec-\d[^"]*)"', text.partition("data-esm")[2])
        if not labels:
            continue
        address = book.url_of(path) if protocol == "http" else path.resolve().as_uri()
        page = visit(book, f"{address}#{labels[0]}").page
        assert_lands(page, labels[0])
        page.locator(f".outline a[href='#{labels[-1]}']").click()
        assert_lands(page, labels[-1])


def corner_and_hue(image: Locator) -> tuple[tuple[int, ...], float]:
    """The colour of a picture's corner on the screen, and the hue of its most colourful pixel."""
    picture = Image.open(io.BytesIO(image.screenshot())).convert("RGB")
    pixels = np.asarray(picture, float).reshape(-1, 3) / 255
    vivid = pixels[np.argmax(np.ptp(pixels, axis=1))]
    return picture.getpixel((1, 1)), colorsys.rgb_to_hsv(*vivid)[0]


def test_figures_take_the_colour_of_the_page_and_keep_their_hues(
    sample: Site, visit: Callable[..., Visit]
) -> None:
    hues = {}
    for scheme, paper in (("light", (255, 255, 255)), ("dark", (21, 24, 28))):
        page = visit(sample, "theory.html", color_scheme=scheme).page
        corner, hues[scheme] = corner_and_hue(page.locator("#fig-5-line img"))
        assert corner == paper
        # Of a map the lightness says something, so it stays as it was drawn.
        corner, hue = corner_and_hue(page.locator("#fig-5-both img"))
        assert corner == (255, 255, 255)
        assert hue == pytest.approx(hues["light"], abs=0.02)
    assert hues["dark"] == pytest.approx(hues["light"], abs=0.05)
    page.emulate_media(media="print")
    assert corner_and_hue(page.locator("#fig-5-line img"))[0] == (255, 255, 255)


def test_figures_can_be_read_on_a_phone(site: Site, visit: Callable[..., Visit]) -> None:
    """Letters are nine pixels high or more; what is then too wide scrolls, by keyboard too."""
    folder = site.directory.parents[1]
    scrolled = 0
    for notebook in [*folder.glob("*.ipynb"), *folder.glob("notebooks/*.ipynb")]:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        bundles = [o.get("data", {}) for cell in cells for o in cell.get("outputs", [])]
        mime = "application/vnd.nickbook.figure+json"
        figures = {b[mime]["label"]: b[mime] for b in bundles if mime in b}
        address = f"{notebook.stem[3:]}.html"
        tab = visit(site, address, viewport={"width": 390, "height": 844}).page
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        tab.evaluate("document.querySelectorAll('details').forEach(el => { el.open = true; })")
        tab.keyboard.press("Tab")  # then what scrolls can be reached
        for image in tab.locator(".plot-scroll img").all():
            label = re.sub(r".*/(.*)\.png", r"\1", image.get_attribute("src") or "")
            width = image.evaluate("image => image.clientWidth")
            letters = figures[label].get("text", 12)
            assert letters * width / figures[label]["width"] >= min(9, letters), label
            room = image.locator("xpath=..")
            if width > room.evaluate("room => room.clientWidth") + 1:
                scrolled += 1
                expect(room).to_have_attribute("tabindex", "0")
                room.focus()
                tab.keyboard.press("ArrowRight")
                tab.wait_for_function("room => room.scrollLeft > 0", arg=room.element_handle())
    assert scrolled > 0


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
    for shown in (".solution p", ".check p"):
        expect(page.locator(shown).first).to_be_visible()
    for hidden in (".toc", ".top", ".outline", ".fold:not(.check)", ".steps"):
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
    assert "<p>Halving the mesh" in theory.text
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


@pytest.mark.usefixtures("browser")  # and so not where there is none
def test_the_book_prints_as_one_file(sample: Site, tmp_path: Path) -> None:
    out = tmp_path / "book.pdf"
    command = [sys.executable, ROOT / "tools" / "pdf.py", sample.directory, out]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    book = PdfReader(out)
    assert f"{len(book.pages)} pages" in said
    texts = [" ".join(page.extract_text().split()) for page in book.pages]
    assert texts[0].startswith("A sample book One of everything")
    # The numbers of the contents are those on the pages, and those of the bookmarks.
    parts = re.findall(r"(A sample book|5 A theory|Ledger|Bibliography) (\d+)", texts[1])
    assert [title for title, _ in parts] == [
        "A sample book",
        "5 A theory",
        "Ledger",
        "Bibliography",
    ]
    marks = {m.title: m for m in book.outline if not isinstance(m, list)}
    assert list(marks) == [title for title, _ in parts]
    for title, number in parts:
        assert texts[int(number) - 1].startswith(title)
        assert texts[int(number) - 1].endswith(f" {number}")
        assert book.get_destination_page_number(marks[title]) == int(number) - 1
    # Solutions are printed, folded code and navigation are not; an explorer is its picture.
    theory = " ".join(texts[int(parts[1][1]) - 1 : int(parts[2][1]) - 1])
    for words in ("A number.", "A closed warning.", "A wave with a slider."):
        assert words in theory
    for words in ("explorer+json", "On this page", "Waves", "Download notebook"):
        assert words not in theory
    # A link from the first page of the book leads to the equation, one to data out of it.
    links = [a.get_object() for page in book.pages for a in page.get("/Annots", ())]
    urls = [str(link["/A"]["/URI"]) for link in links if "/URI" in link.get("/A", {})]
    assert not [url for url in urls if url.startswith("file:")]
    numbers = {page.indirect_reference.idnum: n for n, page in enumerate(book.pages, 1)}
    first = [a.get_object() for a in book.pages[int(parts[0][1]) - 1].get("/Annots", ())]
    leads = {numbers[a["/Dest"][0].idnum] for a in first if isinstance(a.get("/Dest"), list)}
    assert int(parts[1][1]) in leads


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
