"""Figures with sliders: recomputed by Python in Jupyter, looked up in a table on the page."""

import base64
import itertools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import ArrayLike

from nickbook.book import table
from nickbook.book.drawing import Drawing, draw
from nickbook.book.figures import data_file, describe, png_bytes, require, show
from nickbook.checks import one_of, real
from nickbook.results import Described

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
        The settings of the static page, ascending. The live slider also moves between them.
    value : float
        The setting at the start, one of ``values``.
    unit : str
        Shown behind the number.
    format : str
        ``".2f"``, ``".1e"`` or ``".3g"``.
    """

    name: str
    label: str
    values: tuple[float, ...]
    value: float
    unit: str = ""
    format: str = ".2f"

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
        """Check a setting sent by the front end."""
        return real(self.name, value, at_least=self.values[0], at_most=self.values[-1])

    def text(self) -> str:
        """Write the start setting."""
        return f"{self.label} = {self.value:{self.format}} {self.unit}".strip()


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
        """Check an option sent by the front end."""
        return one_of(self.name, value, self.options)

    def text(self) -> str:
        """Write the start option."""
        return f"{self.label}: {self.value}"


Control = Slider | Choice


class Explorer(anywidget.AnyWidget):
    """The live widget: the front end sets ``values``, Python answers with ``drawing``.

    Parameters
    ----------
    compute : callable
        Returns a Drawing for one setting of all controls.
    controls : sequence of Slider or Choice
        One for each argument of ``compute``.
    spec : dict
        What the front end needs to lay itself out.
    """

    _esm = Path(__file__).with_name("explorer.mjs")
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    drawing = traitlets.Dict().tag(sync=True)
    error = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self, compute: Callable[..., Drawing], controls: Sequence[Control], spec: dict[str, Any]
    ) -> None:
        self._compute = compute
        self._controls = {control.name: control for control in controls}
        start = {control.name: control.value for control in controls}
        super().__init__(spec=spec, values=start, drawing=_buffers(compute(**start).as_dict()))
        self.observe(self._recompute, "values")

    def _recompute(self, _change: object) -> None:
        try:
            if self.values.keys() != self._controls.keys():
                message = f"values must name {list(self._controls)}, got {list(self.values)}"
                raise ValueError(message)
            settings = {name: self._controls[name].parse(v) for name, v in self.values.items()}
            drawing = _buffers(self._compute(**settings).as_dict())
        except Exception as problem:  # Jupyter would write it to a log nobody sees
            name = "" if isinstance(problem, ValueError) else f"{type(problem).__name__}: "
            self.error = f"{name}{problem}"
        else:
            with self.hold_sync():
                self.drawing, self.error = drawing, ""


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
) -> None:
    """Show a figure with sliders.

    In Jupyter the sliders move continuously and Python recomputes the drawing. When the book is
    built (``NICKBOOK_STATIC=1``), ``compute`` is called at every combination of the sliders'
    values and the page carries the table; with ``NICKBOOK_STATIC=dry``, for tests, the table stays
    empty. Everything else shows a PNG of the start.

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

    Raises
    ------
    TypeError, ValueError
        If a part is malformed, ``compute`` fails at the start, or the table grows too large.
    """
    words = describe(label, caption, alt, check)
    _check_controls(sliders, max_points)
    start = compute(**{control.name: control.value for control in sliders})
    require(start, Drawing, "what compute returns")
    columns = min(columns, len(start.panels))
    footer = ", ".join(control.text() for control in sliders)
    png = png_bytes(draw(start, width=width, height=height, columns=columns, footer=footer))
    spec: dict[str, Any] = {"controls": list(map(_plain_control, sliders)), "alt": words["alt"]}
    spec |= {"width": width, "height": height, "columns": columns}
    total = {"width": width, "height": height * math.ceil(len(start.panels) / columns)}
    content: dict[str, Any] = {**words, **total}
    static = os.environ.get("NICKBOOK_STATIC")
    if static in {"1", "dry"}:
        packed = tabulate(compute, sliders) if static == "1" else b""
        if len(packed) > 1000 * max_kilobytes:
            raise ValueError(
                f"the table takes {len(packed) / 1000:.0f} kB, more than max_kilobytes = "
                f"{max_kilobytes:g}: {_coarsen(sliders)}, or sample the curves at fewer points"
            )
        content |= {"data": data_file(label, data)} if data else {}
        model = {"spec": spec, "table": base64.b64encode(packed).decode()}
        content |= {"esm": "explorer.mjs", "model": model}
        show({EXPLORER_MIME: content}, png, content)
    else:
        bundle = Explorer(compute, sliders, spec)._repr_mimebundle_()
        show(bundle[0] if bundle else {}, png, content)


def tabulate(compute: Callable[..., Drawing], controls: Sequence[Control]) -> bytes:
    """Compute and pack the drawings at all combinations of the controls' values, the last fastest.

    Where ``compute`` raises a ValueError the drawing at the start stands in, and the key ``error``
    holds the message; `table.pack` says what the bytes are.
    """
    names = [control.name for control in controls]
    start = compute(**{control.name: control.value for control in controls}).as_dict()
    drawings = []
    for settings in itertools.product(*(control.values for control in controls)):
        try:
            drawing = compute(**dict(zip(names, settings, strict=True))).as_dict() | {"error": ""}
        except ValueError as problem:
            drawing = start | {"error": str(problem)}
        drawings.append(drawing)
    return table.pack(drawings)


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


def _coarsen(controls: Sequence[Control]) -> str:
    finest = max(controls, key=lambda control: len(control.values))
    return f"coarsen slider {finest.name!r}, which has {len(finest.values)} values"


def _plain_control(control: Control) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(control, name) for name in ("name", "label", "value")}
    plain["values"] = list(control.values)
    if isinstance(control, Choice):
        return {"kind": "choice", **plain}
    return {"kind": "slider", **plain, "unit": control.unit, "format": control.format}


def _buffers(drawing: dict[str, Any]) -> Any:
    """Replace arrays by their bytes, which travel to the browser outside the JSON."""
    return table.replaced(drawing, np.ndarray.tobytes)
