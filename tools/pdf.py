"""`make pdf`: print the pages of the site, in the order of the contents, as one book.

A browser prints each page by the print rules of the theme: solutions and checks unfolded, code that
is folded left out, explorers as their picture. Then the parts are joined, with a title page, a
table of contents, numbers on the pages, bookmarks, and links that lead to pages of the book.
"""

import argparse
import html
import io
import os
import re
import shutil
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlparse

from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject, TextStringObject

ROOT = Path(__file__).parents[1]
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PAPER: dict[str, Any] = {
    "format": "A4",
    "margin": {"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"},
    "print_background": True,
}
# Explorers start when they come near the screen; here nothing comes near.
STILL = "window.IntersectionObserver = class { observe() {} unobserve() {} disconnect() {} };"
# Pages share some ids, such as "summary"; in the book each has its page's name in front.
READY = """async (name) => {
  dispatchEvent(new Event('beforeprint'));
  for (const link of document.querySelectorAll('a[href^="#"]'))
    link.setAttribute('href', link.getAttribute('href').replace('#', `#${name}--`));
  for (const element of document.querySelectorAll('[id]')) element.id = `${name}--${element.id}`;
  document.querySelector('footer').remove();
  for (const anchor of document.querySelectorAll('.anchor')) anchor.remove();
  for (const image of document.images) image.loading = 'eager';
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  await document.fonts.ready;
  return [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) =>
    heading.textContent.trim().replace(/\\s+/g, ' '));
}"""
FRONT = """<!doctype html><meta charset="utf-8"><style>
body {{ font: 11pt/1.5 "DejaVu Sans", Arial, sans-serif; margin: 0 }}
section {{ break-after: page }} h1 {{ font-size: 28pt; line-height: 1.2; margin: 70mm 0 6mm }}
.subtitle {{ font-size: 15pt; color: #444 }} .small {{ margin-top: 70mm; color: #444 }}
li {{ list-style: none; display: flex; justify-content: space-between }} ol {{ padding: 0 }}
</style>
<section><h1>{title}</h1><p class="subtitle">{subtitle}</p>
<p class="small">{authors}<br>{address}<br>Printed on {date}</p></section>
<h2>Contents</h2><ol>{contents}</ol>"""
# An empty page with a number for each page of the book, to lay over it.
NUMBERS = """<!doctype html><style>@page {{ size: A4; margin: 0 }} body {{ margin: 0 }}
div {{ height: 297mm; box-sizing: border-box; padding-top: 284mm; text-align: center;
break-after: page; font: 9pt "DejaVu Sans", Arial, sans-serif; color: #444 }}
div:last-child {{ break-after: auto }}</style>{pages}"""


CANONICAL = r'<link rel="canonical" href="(.*?)"'


def browser_path() -> str | None:
    """Find a browser of this machine; without one Playwright's own is taken."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)


def printed(browser: Browser, text: str, **options: Any) -> PdfReader:
    """Print HTML that needs no other file."""
    page = browser.new_page()
    page.set_content(text)
    data = page.pdf(**(options or PAPER))
    page.close()
    return PdfReader(io.BytesIO(data))


def first_of(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]).strip() if found else ""


def pages_of(site: Path) -> list[str]:
    """The pages in the order of the contents, as the site's map has them."""
    urls = re.findall("<loc>(.*?)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    return ["index.html", *(url.rpartition("/")[2] for url in urls if url.endswith(".html"))]


def front_matter(browser: Browser, index: str, rows: list[tuple[str, int]]) -> PdfReader:
    """The title page and the contents with the numbers of pages."""
    lines = "".join(f"<li><span>{html.escape(t)}</span><span>{n}</span></li>" for t, n in rows)
    text = FRONT.format(
        title=first_of(r"<h1>(.*?)</h1>", index),
        subtitle=first_of(r'<p class="subtitle">(.*?)</p>', index),
        authors=first_of(r"<footer><p>(.*?)</p>", index),
        address=first_of(CANONICAL, index),
        date=date.today().isoformat(),
        contents=lines,
    )
    return printed(browser, text)


def lead_inside(writer: PdfWriter, starts: dict[str, int], site: Path, address: str) -> None:
    """Turn links to pages of the site into links inside the book, those to its files outwards."""
    names = writer.named_destinations
    for page in writer.pages:
        for reference in page.get("/Annots", ()):
            annotation = reference.get_object()
            action = annotation.get("/A", {})
            path, anchor = urldefrag(str(action.get("/URI", "")))
            if not path.startswith("file:"):
                continue
            name = Path(unquote(urlparse(path).path)).relative_to(site).as_posix()
            if name not in starts:  # the data of a figure, or a notebook
                action[NameObject("/URI")] = TextStringObject(f"{address}{name}")
                continue
            there = names.get(f"/{name.removesuffix('.html')}--{unquote(anchor)}")
            target = there.page if there else writer.pages[starts[name]].indirect_reference
            top = there.top if there and there.top is not None else NullObject()
            del annotation["/A"]
            annotation[NameObject("/Dest")] = ArrayObject(
                [target, NameObject("/XYZ"), NullObject(), top, NullObject()]
            )


def name_bookmarks(above: DictionaryObject, words: dict[str, str]) -> None:
    """Give bookmarks the words of their headings: the browser drops spaces where lines break."""
    mark = above.get("/First")
    while mark is not None:
        mark = mark.get_object()
        title = str(mark["/Title"])
        mark[NameObject("/Title")] = TextStringObject(words.get("".join(title.split()), title))
        name_bookmarks(mark, words)
        mark = mark.get("/Next")


def make(site: Path, out: Path) -> None:
    """Print a built site to a file."""
    begin = time.monotonic()
    site = site.resolve()
    index = (site / "index.html").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(color_scheme="light", viewport={"width": 900, "height": 1200})
        context.add_init_script(STILL)
        context.set_default_timeout(300_000)
        parts: list[tuple[str, str, PdfReader]] = []
        words: dict[str, str] = {}
        for name in pages_of(site):
            page = context.new_page()
            page.goto((site / name).as_uri())
            headings = page.evaluate(READY, name.removesuffix(".html"))
            data = page.pdf(**PAPER, outline=True, tagged=True)
            page.close()
            words.update({"".join(heading.split()): heading for heading in headings})
            parts.append((name, headings[0], PdfReader(io.BytesIO(data))))
            if sys.stderr.isatty():
                print(f"{name}: {len(parts[-1][2].pages)} pages", file=sys.stderr)
        titles = [title for _, title, _ in parts]
        room = len(front_matter(browser, index, [(title, 0) for title in titles]).pages)
        starts, at = {}, room
        for name, _, reader in parts:
            starts[name] = at
            at += len(reader.pages)
        rows = [(title, starts[name] + 1) for name, title, _ in parts]
        writer = PdfWriter()
        writer.append(front_matter(browser, index, rows))
        for _, _, reader in parts:
            writer.append(reader, import_outline=True)
        sheets = "".join(f"<div>{n + 1}</div>" if n >= room else "<div></div>" for n in range(at))
        numbers = printed(browser, NUMBERS.format(pages=sheets), prefer_css_page_size=True)
        browser.close()
    for page, number in zip(writer.pages, numbers.pages, strict=True):
        page.merge_page(number)
    name_bookmarks(writer.get_outline_root(), words)
    lead_inside(writer, starts, site, first_of(CANONICAL, index))
    writer.add_metadata({"/Title": first_of(r"<title>(.*?)</title>", index)})
    writer.compress_identical_objects()
    out.parent.mkdir(parents=True, exist_ok=True)
    writer.write(out)
    size, seconds = out.stat().st_size / 1e6, time.monotonic() - begin
    print(f"The book: {out}, {at} pages, {size:.1f} MB, in {seconds:.0f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "_build" / "html")
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "_build" / "nickbook.pdf")
    arguments = parser.parse_args()
    make(arguments.site, arguments.out)
