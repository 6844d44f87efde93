"""`python tools/picture.py`: take the picture of the README from the built site.

It shows the top of a chapter with its live figure, after a reader has moved the first slider.
"""

import io
from pathlib import Path

from pdf import browser_path
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
CHAPTER = "gap-ratio.html"


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path(), args=["--no-sandbox", "--disable-gpu"]
        )
        view = {"width": 1280, "height": 860}
        page = browser.new_page(viewport=view, color_scheme="light", device_scale_factor=1.5)
        page.goto((ROOT / "_build" / "html" / CHAPTER).as_uri())
        slider = page.locator("article input[type=range]").first
        for _ in range(3):
            slider.press("ArrowRight")
        page.evaluate("document.activeElement.blur(); scrollTo({top: 0, behavior: 'instant'})")
        page.wait_for_timeout(1000)
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    small = picture.quantize(128, dither=Image.Dither.NONE)
    small.save(ROOT / ".github" / "book.png", optimize=True)


if __name__ == "__main__":
    main()
