"""Figures carry words and data, and the same figure gives the same bytes."""

import base64
import csv
import io
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from nickbook import plot
from nickbook.book import figure, figures, subplots

WORDS = {
    "label": "fig-5-gaps",
    "caption": r"The gaps $\Delta_\alpha(\theta)$.",
    "alt": "Two smooth curves against the angle; the upper one has its maximum at 45 degrees.",
    "check": "Converged to $10^{-8}$ with 400 points.",
}
COLUMNS = {"theta": np.linspace(0, 1, 4), "sheet": ["alpha"] * 4, "count": [1, 2, 3, 4]}


def drawn() -> Figure:
    fig, ax = subplots()
    ax.plot([0, 1], [0, 2], label="a")
    ax.set_xlabel("θ")
    return fig


def test_a_figure_is_shown_once_with_words_size_and_data(shown):
    figure(drawn(), data=COLUMNS, **WORDS)
    first, second = shown
    content = first[figures.FIGURE_MIME]
    assert {name: content[name] for name in WORDS} == WORDS
    assert (content["width"], content["height"]) == (648, 396)
    assert second["text/markdown"].startswith(WORDS["caption"])
    assert WORDS["check"] in second["text/markdown"]
    assert second[figures.CAPTION_MIME]["label"] == WORDS["label"]
    assert not plt.get_fignums()


def test_a_figure_knows_its_smallest_letters_and_whether_it_is_a_map(shown):
    fig = drawn()
    fig.axes[0].text(0.5, 0.5, "small", fontsize=6)
    fig.axes[0].text(0.5, 0.9, "", fontsize=1)
    figure(fig, data=COLUMNS, **WORDS)
    for colors in ("viridis", "gray_r", "RdBu_r"):
        fig, ax = subplots()
        ax.pcolormesh(np.arange(6.0).reshape(2, 3), cmap=colors)
        figure(fig, data=COLUMNS, **WORDS)
    contents = [bundle[figures.FIGURE_MIME] for bundle in shown[::2]]
    assert contents[0]["text"] == 10.0  # 6 points of 1/72 inch at 120 pixels an inch
    assert contents[1]["text"] > 12
    assert [content["map"] for content in contents] == [False, True, True, False]


class Picture(HTMLParser):
    """The attributes of the one element of a figure's HTML."""

    def __init__(self, bundle: dict[str, str]) -> None:
        super().__init__()
        self.elements: list[dict[str, str]] = []
        self.feed(bundle["text/html"])
        ((self.tag, self.attributes),) = self.elements
        self.png = base64.b64decode(self.attributes["src"].removeprefix("data:image/png;base64,"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))


def test_front_ends_find_alternative_text_size_and_target(shown):
    alt = 'Two curves; where "a" < 1 & "b" > 1 the upper one has its maximum at 45 degrees.'
    figure(drawn(), data=COLUMNS, **WORDS | {"alt": alt})
    picture = Picture(shown[0])
    assert picture.tag == "img"
    assert picture.attributes["alt"] == alt
    assert picture.attributes["id"] == WORDS["label"]
    assert (picture.attributes["width"], picture.attributes["height"]) == ("648", "396")
    assert alt in shown[0]["text/plain"]


def test_the_png_has_two_pixels_per_css_pixel(shown):
    figure(drawn(), data=COLUMNS, **WORDS)
    png = Picture(shown[0]).png
    assert png[16:24] == (1296).to_bytes(4, "big") + (792).to_bytes(4, "big")
    assert b"tEXt" not in png


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)


def full_colour(fig: Figure) -> np.ndarray:
    buffer = io.BytesIO()
    with plt.rc_context(figures.STYLE):
        fig.savefig(buffer, format="png", dpi=2 * figures.PIXELS_PER_INCH)
    return pixels(buffer.getvalue())


def test_lines_and_text_have_a_palette_that_changes_no_colour_visibly():
    fig = drawn()
    fig.axes[0].set_title("What a reader sees")
    for color in plot.PALETTE:
        fig.axes[0].plot([0, 1], np.random.default_rng(len(color)).random(2), color)
    with plt.rc_context(figures.STYLE):
        png = figures.png_bytes(fig)
    assert Image.open(io.BytesIO(png)).mode == "P"
    assert (np.abs(pixels(png) - full_colour(fig)).max(axis=-1) > 8).mean() < 0.002
    plt.close(fig)


def test_a_map_of_two_variables_keeps_its_colours():
    fig, ax = subplots()
    x, y = np.linspace(0, 1, 300), np.linspace(0, 1, 200)[:, None]
    ax.imshow(np.stack(np.broadcast_arrays(x, y, x * y), axis=-1), aspect="auto")
    with plt.rc_context(figures.STYLE):
        png = figures.png_bytes(fig)
    assert Image.open(io.BytesIO(png)).mode == "RGB"
    assert np.array_equal(pixels(png), full_colour(fig))
    plt.close(fig)


def test_the_same_figure_gives_the_same_bytes(shown):
    for _ in range(2):
        figure(drawn(), data=COLUMNS | {"matrix": np.eye(3)}, **WORDS)
    assert shown[0] == shown[2]
    assert shown[1] == shown[3]


def test_columns_become_csv_with_ten_digits():
    table = figures.data_file("fig-5-x", COLUMNS | {"third": np.full(4, 1 / 3)})
    rows = list(csv.DictReader(io.StringIO(table["text"])))
    assert table["filename"] == "fig-5-x.csv"
    third = "0.3333333333"
    assert rows[1] == {"theta": third, "sheet": "alpha", "count": "2", "third": third}


@pytest.mark.parametrize("values", [np.arange(6.0).reshape(2, 3), np.array([1j, 2.0]), 3.5])
def test_other_shapes_become_npz(values):
    file = figures.data_file("fig-5-x", {"values": values, "k": [1.0, 2.0]})
    assert file["filename"] == "fig-5-x.npz"
    with np.load(io.BytesIO(base64.b64decode(file["base64"]))) as stored:
        np.testing.assert_array_equal(stored["values"], values)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"label": "gaps"}, ValueError, "label .*fig-<chapter>-<name>.*'gaps'"),
        ({"label": "fig-5"}, ValueError, "label"),
        ({"caption": "  "}, ValueError, "caption must not be empty"),
        ({"check": ""}, ValueError, "check must not be empty"),
        ({"check": None}, TypeError, "check must be a str, got None"),
        ({"alt": "gaps"}, ValueError, "alt .* 40 characters .*'gaps'"),
        ({"caption": WORDS["alt"]}, ValueError, "alt must not repeat the caption"),
        ({"data": {}}, ValueError, "data must map"),
        ({"data": [1, 2]}, TypeError, "data must be a Mapping"),
        ({"data": {"a": [{}]}}, TypeError, r"data\['a'\] must be an array of numbers"),
        ({"fig": None}, TypeError, "fig must be a Figure, got None"),
        ({"fig": Figure()}, ValueError, "axes with something drawn"),
    ],
)
def test_a_missing_part_is_named(change, kind, words):
    arguments = {"fig": drawn(), "data": COLUMNS, **WORDS, **change}
    with pytest.raises(kind, match=words):
        figure(**arguments)
    plt.close("all")


def test_the_style_does_not_leak():
    before = dict(plt.rcParams)
    figures.png_bytes(drawn())
    plt.close("all")
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("page", ["#ffffff", "#15181c"])
@pytest.mark.parametrize("color", plot.PALETTE)
def test_colours_are_seen_on_light_and_dark_pages(color, page):
    darker, lighter = sorted((luminance(color), luminance(page)))
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def luminance(color: str) -> float:
    """Return the relative luminance as WCAG 2 defines it."""
    levels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
