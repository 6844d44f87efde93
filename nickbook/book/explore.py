"""Figures with sliders: recomputed by Python in Jupyter, looked up in a table on the page."""

import base64
import itertools
import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from nickbook.book import table
from nickbook.book.drawing import Drawing, draw
from nickbook.book.figures import data_file, describe, png_bytes, require, show
from nickbook.book.formula import Formula
from nickbook.checks import one_of, real
from nickbook.results import Described

#: Beyond this part of the frame a page does not average stored settings: the slider then steps.
AVERAGED = 0.02
#: A formula must give the curve to this part of the frame, at so many settings drawn at random.
AGREED, TRIALS = 0.002, 24
#: At most so many places along each slider are computed to measure this.
MIDPOINTS = 8
EXPLORER_MIME = "application/vnd.nickbook.explorer+json"


@dataclass(frozen=True)
class Slider(Described):
    """A number that the reader sets.

    Parameters
    ----------
    name : str
        The argument of ``compute``.
    label : str
        What the reader sees; ``κ_{0}`` sets a subscript.
    values : sequence of float
        The settings that the static page stores, ascending. The slider also moves between them,
        unless it is told not to.
    value : float
        The setting at the start, one of ``values``.
    unit : str
        Shown behind the number.
    format : str
        ``".2f"``, ``".1e"`` or ``".3g"``.
    steps_only : bool
        Whether the slider stops at ``values`` alone, since nothing lies between them.

    Examples
    --------
    >>> from nickbook.book import Slider
    >>> kappa = Slider("kappa", "κ", (0.0, 0.5, 1.0), 0.5, format=".1f")
    >>> kappa.text()
    'κ = 0.5'
    """

    name: str
    label: str
    values: tuple[float, ...]
    value: float
    unit: str = ""
    format: str = ".2f"
    steps_only: bool = False

    def __post_init__(self) -> None:
        """Check the settings; the start becomes exactly one of them."""
        values = np.asarray(self.values, dtype=float)
        if values.ndim != 1 or values.size < 2 or not (np.diff(values) > 0).all():
            message = f"values of slider {self.name!r} must ascend, two at least: {self.values!r}"
            raise ValueError(message)
        nearest = values[np.argmin(abs(values - self.value))]
        if not math.isclose(nearest, self.value, abs_tol=1e-9 * (values[-1] - values[0])):
            raise ValueError(
                f"value of slider {self.name!r} must be one of its values, got {self.value}; "
                f"the nearest is {nearest}"
            )
        if not re.fullmatch(r"\.\d[feg]", self.format):
            raise ValueError(
                f"format of slider {self.name!r} must be like '.2f', '.1e' or '.3g', "
                f"got {self.format!r}"
            )
        object.__setattr__(self, "values", tuple(values.tolist()))
        object.__setattr__(self, "value", float(nearest))

    def parse(self, value: Any) -> float:
        """Check a setting sent by the front end, or by another cell."""
        number = real(self.name, value, at_least=self.values[0], at_most=self.values[-1])
        if self.steps_only and number not in self.values:
            allowed = ", ".join(map(str, self.values))
            raise ValueError(f"{self.name} = {value!r}; allowed: {allowed}, and nothing between")
        return number

    def somewhere(self, rng: np.random.Generator) -> float:
        """Draw a setting at random."""
        if self.steps_only:
            return float(rng.choice(self.values))
        return float(rng.uniform(self.values[0], self.values[-1]))

    def text(self) -> str:
        """Write the start setting."""
        return f"{self.label} = {self.value:z{self.format}} {self.unit}".strip()


@dataclass(frozen=True)
class Choice(Described):
    """One of several alternatives that the reader picks.

    Parameters
    ----------
    name : str
        The argument of ``compute``, which gets the option's text.
    label : str
        What the reader sees.
    options : sequence of str
        The alternatives.
    value : str
        The option at the start.

    Examples
    --------
    >>> from nickbook.book import Choice
    >>> form = Choice("form", "form", ("printed", "derived"), "printed")
    >>> form.text(), form.parse("derived")
    ('form: printed', 'derived')
    """

    name: str
    label: str
    options: tuple[str, ...]
    value: str

    def __post_init__(self) -> None:
        if len(self.options) < 2 or len(set(self.options)) < len(self.options):
            raise ValueError(
                f"options of choice {self.name!r} must be distinct, two at least: {self.options!r}"
            )
        object.__setattr__(self, "options", tuple(self.options))
        self.parse(self.value)

    @property
    def values(self) -> tuple[str, ...]:
        """The options, under the name that sliders use."""
        return self.options

    def parse(self, value: Any) -> str:
        """Check an option sent by the front end, or by another cell."""
        return one_of(self.name, value, self.options)

    def somewhere(self, rng: np.random.Generator) -> str:
        """Draw an option at random."""
        return str(rng.choice(self.options))

    def text(self) -> str:
        """Write the start option."""
        return f"{self.label}: {self.value}"


Control = Slider | Choice


class Explorer(anywidget.AnyWidget):
    """The live widget: the front end sets ``values``, Python answers with ``drawing``.

    Another cell reads the reader's settings from ``values``, a dict with the controls' names, and
    moves the controls with `set`. A cell shows the figure, as often as one likes, when its last
    line is the widget.

    Parameters
    ----------
    compute : callable
        Returns a Drawing for one setting of all controls.
    controls : sequence of Slider or Choice
        One for each argument of ``compute``.
    spec : dict
        What the front end needs to lay itself out.
    png : bytes
        The start, for what shows no widgets.
    content : dict
        Caption, alternative text and size, as `figures.show` wants them.

    Examples
    --------
    >>> from nickbook.book import Drawing, Panel, Slider
    >>> from nickbook.book.explore import Explorer
    >>> def compute(T):
    ...     return Drawing((Panel("", "k", "E", (0, 1), (0, 1)),), {"T": f"{T:.1f} eV"})
    >>> live = Explorer(compute, [Slider("T", "T", (0.0, 1.0), 0.0)], {})
    >>> live.values = {"T": 1.0}  # as the front end does
    >>> live.drawing["readouts"]
    [['T', '1.0 eV']]
    >>> live.set(T=0.0)  # as another cell may
    >>> live.drawing["readouts"]
    [['T', '0.0 eV']]
    """

    _esm = Path(__file__).with_name("explorer.mjs")
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    drawing = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)
    answered = traitlets.Dict().tag(sync=True)  # the values that drawing or error belong to

    def __init__(
        self,
        compute: Callable[..., Drawing],
        controls: Sequence[Control],
        spec: dict[str, Any],
        *,
        png: bytes = b"",
        content: Mapping[str, Any] | None = None,
    ) -> None:
        self._compute, self._png, self._content = compute, png, content or {}
        self._controls = {control.name: control for control in controls}
        start = {control.name: control.value for control in controls}
        drawing = _buffers(compute(**start).as_dict())
        super().__init__(spec=spec, values=start, drawing=drawing, answered=start)
        self.observe(self._recompute, "values")

    def set(self, **settings: float | str) -> None:
        """Move controls, named as the arguments of ``compute``, as a reader would.

        Raises
        ------
        ValueError
            If there is no such control, or it cannot take the value. What ``compute`` has to say
            against the values appears in the figure.
        """
        for name in settings:
            one_of("a control's name", name, tuple(self._controls))
        parsed = {name: self._controls[name].parse(value) for name, value in settings.items()}
        self.values = {**self.values, **parsed}

    def _ipython_display_(self) -> None:
        """Show the figure as the value of a cell's last line."""
        bundle = self._repr_mimebundle_()
        show(bundle[0] if bundle else {}, self._png, self._content)

    def _recompute(self, _change: object) -> None:
        try:
            if self.values.keys() != self._controls.keys():
                message = f"values must name {list(self._controls)}, got {list(self.values)}"
                raise ValueError(message)
            settings = {name: self._controls[name].parse(v) for name, v in self.values.items()}
            drawing = _buffers(self._compute(**settings).as_dict())
        except Exception as problem:  # Jupyter would write it to a log nobody sees
            name = "" if isinstance(problem, ValueError) else f"{type(problem).__name__}: "
            drawing, error = self.drawing, f"{name}{problem}"
        else:
            error = ""
        with self.hold_sync():
            self.drawing, self.error, self.answered = drawing, error, self.values


@dataclass(frozen=True)
class StillExplorer(Described):
    """What takes the widget's place while the book is built: its controls stay at the start.

    Parameters
    ----------
    values : mapping of str to float or str
        The start of each control.
    bundle : mapping
        The table of the page, by its MIME type.
    png : bytes
        The start, for what shows no table.
    content : mapping
        Caption, alternative text and size, as `figures.show` wants them.

    Examples
    --------
    >>> from nickbook.book.explore import StillExplorer
    >>> still = StillExplorer({"kappa": 0.5}, {}, b"", {})
    >>> still.values["kappa"]  # as of the live widget
    0.5
    """

    values: Mapping[str, float | str]
    bundle: Mapping[str, Any] = field(repr=False)
    png: bytes = field(repr=False)
    content: Mapping[str, Any] = field(repr=False)

    def _words(self) -> str:
        return ", ".join(f"{name} = {value}" for name, value in self.values.items())

    def set(self, **settings: float | str) -> None:
        """Refuse: a chapter's outputs are those of the start."""
        raise RuntimeError(
            f"{settings} cannot be set while the book is built (NICKBOOK_STATIC): its pages show "
            f"the start, {dict(self.values)}; in Jupyter the same call moves the controls"
        )

    def _ipython_display_(self) -> None:
        show(self.bundle, self.png, self.content)


def explore(
    compute: Callable[..., Drawing],
    sliders: Sequence[Control],
    *,
    label: str,
    caption: str,
    alt: str,
    check: str,
    data: Mapping[str, ArrayLike] | None = None,
    width: int = 720,
    height: int = 380,
    columns: int = 2,
    max_points: int = 4000,
    max_kilobytes: float = 60,
    presets: Mapping[str, Mapping[str, float | str]] | None = None,
    ghost: bool = True,
) -> Explorer | StillExplorer:
    """Make a figure with sliders, which a cell shows when it ends with it.

    In Jupyter the sliders move continuously and Python recomputes the drawing. When the book is
    built (``NICKBOOK_STATIC=1``), ``compute`` is called at every combination of the sliders'
    values and the page carries the table; with ``NICKBOOK_STATIC=dry``, for tests, the table stays
    empty. Between stored settings the page averages what is drawn, and ``compute`` is called at
    some places midway to measure the error, which the caption states; where it exceeds two per
    cent of the frame, the slider steps. Curves with a `Formula` are worked out by the front end
    instead, in Jupyter too; the build compares them with ``compute`` at random settings. Everything
    else shows a PNG of the start.

    Parameters
    ----------
    compute : callable
        Takes the controls' names as keyword arguments and returns a `Drawing` with the same
        panels, curves and readouts for all values. An exception becomes a message in the live
        figure; on the page a ValueError does, and any other ends the build.
    sliders : sequence of Slider or Choice
        The controls, in the order in which they appear.
    label, caption, alt, check : str
        As for `figure`; ``alt`` should hold for all settings, readouts are added to it.
    data : mapping of str to array_like, optional
        Numbers to download, as for `figure`.
    width, height : int
        Width, and height of one row of panels, in CSS pixels.
    columns : int
        Panels in a row; narrow screens stack them.
    max_points, max_kilobytes : float
        The largest table that the page may carry, compressed.
    presets : mapping of str to mapping, optional
        Settings to offer by name, each as controls' names with values; controls that it does not
        name are at their start.
    ghost : bool
        Whether the curves of the start stay faintly visible once a control has moved. They never
        do in a panel with a map or with three axes.

    Returns
    -------
    Explorer or StillExplorer
        The widget: other cells can read its ``values`` and ``set`` them. On a page they are those
        of the start.

    Raises
    ------
    TypeError, ValueError
        If a part is malformed, ``compute`` fails at the start, or the table grows too large.

    Examples
    --------
    >>> from nickbook.book import Curve, Drawing, Panel, Slider
    >>> from nickbook.book.explore import explore
    >>> def compute(slope):
    ...     line = Curve("", [0, 1], [0, slope])
    ...     return Drawing((Panel("", "x", "y", (0, 1), (0, 2), curves=(line,)),))
    >>> shown = explore(
    ...     compute,
    ...     [Slider("slope", "slope", (1.0, 2.0), 1.0)],
    ...     label="fig-5-line",
    ...     caption="A line through the origin.",
    ...     alt="A line that rises from the origin, as steep as the slider says.",
    ...     check="Two points make a line.",
    ... )
    """
    words = describe(label, caption, alt, check)
    _check_controls(sliders, max_points)
    settings = {control.name: control.value for control in sliders}
    start = compute(**settings)
    require(start, Drawing, "what compute returns")
    _check_names(start, sliders)
    formulas = _formulas(start)
    columns = min(columns, len(start.panels))
    footer = ", ".join(control.text() for control in sliders)
    picture = draw(start, settings, width=width, height=height, columns=columns, footer=footer)
    png = png_bytes(picture)
    shown = start.as_dict()
    spec: dict[str, Any] = {"label": label, "alt": words["alt"], "ghost": ghost}
    spec |= {"width": width, "height": height, "columns": columns}
    spec |= {"controls": list(map(_plain_control, sliders)), "readouts": shown["readouts"]}
    spec["heads"] = [_head(panel) for panel in shown["panels"]]
    spec["formulas"] = [[*place, formula.as_list()] for place, formula in formulas.items()]
    spec["presets"] = _settings_of(presets or {}, sliders)
    total = {"width": width, "height": height * math.ceil(len(start.panels) / columns)}
    content: dict[str, Any] = {**words, **total}
    static = os.environ.get("NICKBOOK_STATIC")
    if static not in {"1", "dry"}:
        return Explorer(compute, sliders, spec, png=png, content=content)
    packed = b""
    if static == "1":
        _check_formulas(compute, sliders, formulas)
        rest = _without_formulas(compute, formulas)
        drawings = _drawings(rest, sliders)
        packed = table.pack(drawings)
        content |= _average(rest, sliders, drawings, spec, formulas.values())
    if len(packed) > 1000 * max_kilobytes:
        raise ValueError(
            f"the table takes {len(packed) / 1000:.0f} kB, more than max_kilobytes = "
            f"{max_kilobytes:g}: {_coarsen(sliders)}, or sample the curves at fewer points"
        )
    content |= {"data": data_file(label, data)} if data else {}
    model = {"spec": spec, "table": base64.b64encode(packed).decode()}
    content |= {"esm": "explorer.mjs", "model": model}
    return StillExplorer(MappingProxyType(settings), {EXPLORER_MIME: content}, png, content)


def tabulate(compute: Callable[..., Drawing], controls: Sequence[Control]) -> bytes:
    """Compute and pack the drawings at all combinations of the controls' values, the last fastest.

    Where ``compute`` raises a ValueError the drawing at the start stands in, and the key ``error``
    holds the message; `table.pack` says what the bytes are.

    Examples
    --------
    >>> from nickbook.book import Curve, Drawing, Panel, Slider
    >>> from nickbook.book.explore import tabulate
    >>> def compute(slope):
    ...     line = Curve("", [0, 1], [0, slope])
    ...     return Drawing((Panel("", "x", "y", (0, 1), (0, 2), curves=(line,)),))
    >>> table = tabulate(compute, [Slider("slope", "slope", (1.0, 2.0), 1.0)])
    >>> 0 < len(table) < 1000  # bytes
    True
    """
    return table.pack(_drawings(compute, controls))


def _drawings(compute: Callable[..., Drawing], controls: Sequence[Control]) -> list[dict[str, Any]]:
    names = [control.name for control in controls]
    start = compute(**{control.name: control.value for control in controls}).as_dict()
    drawings = []
    for settings in itertools.product(*(control.values for control in controls)):
        try:
            drawing = compute(**dict(zip(names, settings, strict=True))).as_dict() | {"error": ""}
        except ValueError as problem:
            drawing = start | {"error": str(problem)}
        drawings.append(drawing)
    return drawings


def _average(
    compute: Callable[..., Drawing],
    controls: Sequence[Control],
    drawings: Sequence[dict[str, Any]],
    spec: dict[str, Any],
    formulas: Collection[Formula],
) -> dict[str, str]:
    """Decide which sliders the page moves between stored settings, and say how well it does.

    In `spec` the others get ``stepsOnly``, or ``nearest`` if they also move curves by themselves.
    """
    movers = {
        name
        for panel in drawings[0]["panels"]
        for curve in panel["curves"]
        for name in curve["moves"]
    }.union(*(formula.sliders for formula in formulas))
    errors = []
    for place, plain in enumerate(spec["controls"]):
        if plain["kind"] == "choice" or plain.get("stepsOnly"):
            continue
        error = _error_along(place, compute, controls, drawings)
        if error <= AVERAGED:
            errors.append(error)
        elif plain["name"] in movers:
            plain["nearest"] = True
        else:
            plain["stepsOnly"] = True
            _check_steps(plain, spec["presets"])
    if not errors:
        return {}
    tenths = max(1, math.ceil(1000 * max(errors) - 1e-9))  # rounded up, of a per cent
    scale = " or colour scale" if any(p["images"] for p in drawings[0]["panels"]) else ""
    closed, rest = ("Curves in closed form are exact; b", " the rest") if formulas else ("B", "")
    return {
        "accuracy": f"{closed}etween stored settings the page interpolates{rest}, within "
        f"{tenths / 10:.1f} % of the frame{scale} where this was measured, midway along each "
        "slider from the start."
    }


def _formulas(drawing: Drawing) -> dict[tuple[int, int], Formula]:
    """Return the formulas by the places of panel and curve."""
    return {
        (p, c): curve.formula
        for p, panel in enumerate(drawing.panels)
        for c, curve in enumerate(panel.curves)
        if curve.formula
    }


def _without_formulas(
    compute: Callable[..., Drawing], formulas: Mapping[tuple[int, int], Formula]
) -> Callable[..., Drawing]:
    """Leave the points away that the front end works out by itself."""
    plain = {place: formula.as_list() for place, formula in formulas.items()}
    nothing: dict[str, Any] = {"x": np.empty(0), "y": np.empty(0)}

    def rest(**settings: float | str) -> Drawing:
        drawing = compute(**settings)
        if {place: f.as_list() for place, f in _formulas(drawing).items()} != plain:
            message = f"formulas must be the same for all settings, and are others at {settings}"
            raise TypeError(message)
        panels = []
        for panel in drawing.panels:
            curves = (replace(c, **nothing) if c.formula else c for c in panel.curves)
            panels.append(replace(panel, curves=tuple(curves)))
        return replace(drawing, panels=tuple(panels))

    return rest if formulas else compute


def _check_formulas(
    compute: Callable[..., Drawing],
    controls: Sequence[Control],
    formulas: Mapping[tuple[int, int], Formula],
) -> None:
    """Compare each formula with the curve that Python computes, at settings drawn at random."""
    rng = np.random.default_rng(0)
    for _ in range(TRIALS if formulas else 0):
        settings = {control.name: control.somewhere(rng) for control in controls}
        try:
            drawing = compute(**settings)
        except ValueError:
            continue  # the page then shows a message
        for (p, c), formula in formulas.items():
            panel, curve = drawing.panels[p], drawing.panels[p].curves[c]
            points = formula.points(**{name: float(settings[name]) for name in formula.sliders})
            error = table.distance(drawing.as_dict()["panels"][p], c, points)
            if error > AGREED:
                raise ValueError(
                    f"the formula of curve {curve.name!r} of panel {panel.title!r} misses what "
                    f"compute draws by {100 * error:.2g} % of the frame at {settings}"
                )


def _error_along(
    place: int,
    compute: Callable[..., Drawing],
    controls: Sequence[Control],
    drawings: Sequence[dict[str, Any]],
) -> float:
    """Return the largest error midway between stored settings of one slider, from the start."""
    sizes = [len(control.values) for control in controls]
    at = [control.values.index(control.value) for control in controls]
    start = {control.name: control.value for control in controls}
    name, values = controls[place].name, np.array(controls[place].values, dtype=float)
    cells = np.unique(np.linspace(0, values.size - 2, MIDPOINTS).round().astype(int))
    worst = 0.0
    for cell in cells.tolist():
        ends = [
            np.ravel_multi_index([*at[:place], c, *at[place + 1 :]], sizes)
            for c in (cell, cell + 1)
        ]
        one, two = (drawings[int(end)] for end in ends)
        if one["error"] or two["error"]:
            continue  # the page then shows the nearer one, with its message
        try:
            truth = compute(**start | {name: float(values[cell : cell + 2].mean())})
        except ValueError:
            return math.inf
        worst = max(worst, table.error_midway(one, two, truth.as_dict()))
    return worst


def _check_steps(plain: dict[str, Any], presets: Sequence[tuple[str, dict[str, Any]]]) -> None:
    for preset, settings in presets:
        value = settings[plain["name"]]
        if value not in plain["values"]:
            raise ValueError(
                f"preset {preset!r} sets {plain['name']} = {value}, between the values where the "
                "page has to step: add it to the values of that slider"
            )


def _settings_of(
    presets: Mapping[str, Mapping[str, float | str]], controls: Sequence[Control]
) -> list[tuple[str, dict[str, float | str]]]:
    """Complete the presets with the start of what they do not name."""
    require(presets, Mapping, "presets")
    named = {control.name: control for control in controls}
    start = {control.name: control.value for control in controls}
    complete = []
    for preset, settings in presets.items():
        if not preset.strip() or not settings:
            raise ValueError(f"a preset needs a name and settings, got {preset!r}: {settings!r}")
        try:
            for name in settings:
                one_of("a control's name", name, tuple(named))
            parsed = {name: named[name].parse(value) for name, value in settings.items()}
        except ValueError as problem:
            message = f"preset {preset!r}: {problem}"
            raise ValueError(message) from None
        complete.append((preset, start | parsed))
    return complete


def _head(panel: dict[str, Any]) -> dict[str, Any]:
    """Return what stands above a panel: its space is kept before the drawing is there."""
    keys = {curve["name"]: curve for curve in panel["curves"] if curve["name"]}
    shown = ("name", "color", "dash", "points")
    curves = [{name: curve[name] for name in shown} for curve in keys.values()]
    return {"title": panel["title"], "curves": curves}


def _check_controls(controls: Sequence[Control], max_points: int) -> None:
    if not controls or not all(isinstance(control, Control) for control in controls):
        raise TypeError(f"sliders must be a sequence of Slider or Choice, got {controls!r}")
    names = [control.name for control in controls]
    if len(set(names)) < len(names):
        raise ValueError(f"sliders must have different names, got {names}")
    points = math.prod(len(control.values) for control in controls)
    if points > max_points:
        raise ValueError(
            f"the table would have {points} points, more than max_points = {max_points}: "
            f"{_coarsen(controls)}"
        )


def _check_names(drawing: Drawing, controls: Sequence[Control]) -> None:
    """Check that what follows sliders, or moves them, names some."""
    names = tuple(control.name for control in controls if isinstance(control, Slider))
    for panel in drawing.panels:
        for name in panel.drag:
            one_of(f"a slider in drag of panel {panel.title!r}", name, names)
        for curve in panel.curves:
            for name in curve.moves:
                one_of(f"a slider in moves of curve {curve.name!r}", name, names)
            for name in sorted(curve.formula.sliders) if curve.formula else ():
                one_of(f"a slider in the formula of curve {curve.name!r}", name, names)


def _coarsen(controls: Sequence[Control]) -> str:
    finest = max(controls, key=lambda control: len(control.values))
    return f"coarsen slider {finest.name!r}, which has {len(finest.values)} values"


def _plain_control(control: Control) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(control, name) for name in ("name", "label", "value")}
    plain["values"] = list(control.values)
    if isinstance(control, Choice):
        return {"kind": "choice", **plain}
    steps = {"stepsOnly": True} if control.steps_only else {}
    return {"kind": "slider", **plain, "unit": control.unit, "format": control.format, **steps}


def _buffers(drawing: dict[str, Any]) -> Any:
    """Replace arrays by their bytes, which travel to the browser outside the JSON."""
    return table.replaced(drawing, np.ndarray.tobytes)
