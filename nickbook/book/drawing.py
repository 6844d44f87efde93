"""A drawing as plain data, which matplotlib and the explorer's front end both can draw.

Labels may hold subscripts and superscripts, written ``Δ_{α}`` and ``10^{3}``.
"""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from nickbook.arrays import Floats
from nickbook.book.figures import PIXELS_PER_INCH, require
from nickbook.checks import one_of
from nickbook.plot import STYLE

Limits = tuple[float, float]

_INK = "#1c2024"
_HAIRLINE: dict[str, Any] = {"color": "#7a7a7a", "linewidth": 0.8}


@dataclass(frozen=True, eq=False)
class Curve:
    """A line or a set of points in a panel.

    Parameters
    ----------
    name : str
        Its entry in the legend; an empty name has none.
    x, y : array_like, shape (n,)
        NaN interrupts the line, so one curve may hold several loops.
    color : str
        ``"#rrggbb"``; empty for the colour of the text.
    dash : {"solid", "dashed", "dotted"}
        How the line is drawn.
    points : bool
        Draw dots instead of a line.
    """

    name: str
    x: Floats
    y: Floats
    color: str = ""
    dash: Literal["solid", "dashed", "dotted"] = "solid"
    points: bool = False

    def __post_init__(self) -> None:
        _freeze(self, "x", ndim=1)
        _freeze(self, "y", ndim=1)
        if self.x.shape != self.y.shape:
            raise ValueError(
                f"x and y of curve {self.name!r} must have the same length, "
                f"got {self.x.size} and {self.y.size}"
            )
        if not re.fullmatch(r"(#[0-9a-f]{6})?", self.color):
            raise ValueError(f"color must be '#rrggbb' or empty, got {self.color!r}")
        one_of("dash", self.dash, ("solid", "dashed", "dotted"))


@dataclass(frozen=True, eq=False)
class Image:
    """A heat map below the curves of a panel.

    Parameters
    ----------
    values : array_like, shape (rows, columns)
        ``values[0, 0]`` is the cell at the lower ends of both limits; NaN stays transparent.
    x_limits, y_limits : (float, float)
        The outer edges of the map.
    limits : (float, float)
        Values at the two ends of the colour scale; what lies beyond takes the end colour.
    scale : {"viridis", "RdBu_r", "twilight"}
        Sequential, diverging or cyclic colours.
    label : str
        Written along the colour bar.
    """

    values: Floats
    x_limits: Limits
    y_limits: Limits
    limits: Limits
    scale: Literal["viridis", "RdBu_r", "twilight"] = "viridis"
    label: str = ""

    def __post_init__(self) -> None:
        _freeze(self, "values", ndim=2)
        for name in ("x_limits", "y_limits", "limits"):
            _check_limits(f"{name} of an image", getattr(self, name))
        one_of("scale", self.scale, ("viridis", "RdBu_r", "twilight"))


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes and what is drawn in it.

    Parameters
    ----------
    title, x_label, y_label : str
        Words around the frame.
    x_limits, y_limits : (float, float)
        The frame. A curve that leaves it is an error and never cut silently: widen the limits
        or put NaN where the curve shall not be seen.
    curves : tuple of Curve
        Later curves lie on top.
    images : tuple of Image
        Heat maps, below the curves.
    vertical, horizontal : tuple of float
        Thin grey lines across the frame.
    x_log, y_log : bool
        Logarithmic axes.
    equal : bool
        One unit is as long on x as on y.
    x_ticks, y_ticks : tuple of (float, str)
        Places and labels of the ticks; chosen automatically when empty.
    """

    title: str
    x_label: str
    y_label: str
    x_limits: Limits
    y_limits: Limits
    curves: tuple[Curve, ...] = ()
    images: tuple[Image, ...] = ()
    vertical: tuple[float, ...] = ()
    horizontal: tuple[float, ...] = ()
    x_log: bool = False
    y_log: bool = False
    equal: bool = False
    x_ticks: tuple[tuple[float, str], ...] = ()
    y_ticks: tuple[tuple[float, str], ...] = ()

    def __post_init__(self) -> None:
        for axis, lines in (("x", self.vertical), ("y", self.horizontal)):
            limits, log = getattr(self, f"{axis}_limits"), getattr(self, f"{axis}_log")
            _check_limits(f"{axis}_limits of panel {self.title!r}", limits)
            if log and limits[0] <= 0:
                message = f"{axis}_limits of a logarithmic axis must be positive, got {limits}"
                raise ValueError(message)
            for curve in self.curves:
                self._check_inside(f"curve {curve.name!r}", axis, getattr(curve, axis), limits)
            self._check_inside("a marked line", axis, np.asarray(lines, dtype=float), limits)

    def _check_inside(self, what: str, axis: str, values: Floats, limits: Limits) -> None:
        slack = 1e-9 * (limits[1] - limits[0])
        outside = (values < limits[0] - slack) | (values > limits[1] + slack)
        if outside.any():
            raise ValueError(
                f"{what} of panel {self.title!r} has {axis} = {values[outside][0]:.6g} outside "
                f"{axis}_limits = {limits}: widen the limits or put NaN there"
            )


@dataclass(frozen=True, eq=False)
class Drawing:
    """All that an explorer shows for one setting of its sliders.

    Parameters
    ----------
    panels : tuple of Panel
        Drawn row by row.
    readouts : mapping of str to str
        Numbers to be read beside the panels, already formatted.
    """

    panels: tuple[Panel, ...]
    readouts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.panels, tuple, "panels")
        if not self.panels:
            raise ValueError("panels must hold at least one Panel, got ()")
        for panel in self.panels:
            require(panel, Panel, "each of panels")
        for label, text in self.readouts.items():
            require(text, str, f"readouts[{label!r}]")

    def as_dict(self) -> dict[str, Any]:
        """Return nested dicts and lists with arrays as leaves, as the front end reads them."""
        panels = [_plain(panel) for panel in self.panels]
        return {"panels": panels, "readouts": [list(item) for item in self.readouts.items()]}


def draw(drawing: Drawing, *, width: int, height: int, columns: int, footer: str = "") -> Figure:
    """Draw with matplotlib, `columns` panels in a row, and a line of text below.

    `width` of the figure and `height` of one row of panels are in CSS pixels. Pyplot does not know
    the figure, so nothing shows it on its own.
    """
    rows = math.ceil(len(drawing.panels) / columns)
    size = (width / PIXELS_PER_INCH, rows * height / PIXELS_PER_INCH)
    with plt.rc_context(STYLE):
        fig = Figure(figsize=size, layout="constrained")
        axes = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax, panel in zip(axes, drawing.panels, strict=False):
            _draw_panel(ax, panel)
        for ax in axes[len(drawing.panels) :]:
            ax.set_axis_off()
        readouts = [f"{label} = {text}" for label, text in drawing.readouts.items()]
        fig.supxlabel(mathtext("   ".join([footer, *readouts]).strip()), fontsize="small")
    return fig


def mathtext(label: str) -> str:
    """Turn ``Δ_{α}`` into what matplotlib sets as a subscript."""
    return re.sub(r"([_^])\{([^}]*)\}", r"$\1{\\mathregular{\2}}$", label.replace("$", r"\$"))


def _draw_panel(ax: Axes, panel: Panel) -> None:
    for image in panel.images:
        ax.grid(visible=False)
        frame = (*image.x_limits, *image.y_limits)
        mesh = ax.imshow(image.values, image.scale, origin="lower", extent=frame, aspect="auto")
        mesh.set_clim(*image.limits)
        ax.figure.colorbar(mesh, ax=ax, label=mathtext(image.label))
    for x in panel.vertical:
        ax.axvline(x, **_HAIRLINE)
    for y in panel.horizontal:
        ax.axhline(y, **_HAIRLINE)
    for curve in panel.curves:
        style = {"linestyle": "none", "marker": "."} if curve.points else {"linestyle": curve.dash}
        name = mathtext(curve.name) or "_"
        ax.plot(curve.x, curve.y, color=curve.color or _INK, label=name, **style)
    ax.set_title(mathtext(panel.title), fontsize="medium")
    ax.set_xscale("log" if panel.x_log else "linear")
    ax.set_yscale("log" if panel.y_log else "linear")
    for axis, ticks in ((ax.xaxis, panel.x_ticks), (ax.yaxis, panel.y_ticks)):
        if ticks:
            places, labels = zip(*ticks, strict=True)
            axis.set_ticks(places, [mathtext(label) for label in labels])
    ax.set(xlabel=mathtext(panel.x_label), ylabel=mathtext(panel.y_label))
    ax.set(xlim=panel.x_limits, ylim=panel.y_limits, aspect="equal" if panel.equal else "auto")
    if any(curve.name for curve in panel.curves):
        handles, names = ax.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        ax.legend(unique.values(), unique.keys(), fontsize="small", frameon=bool(panel.images))


def _plain(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part.ravel()
    if isinstance(part, tuple):
        return [_plain(item) for item in part]
    if not dataclasses.is_dataclass(part):
        return part.item() if isinstance(part, np.generic) else part
    plain = {item.name: _plain(getattr(part, item.name)) for item in dataclasses.fields(part)}
    if isinstance(part, Image):
        colors = mpl.colormaps[part.scale](np.linspace(0, 1, 17))
        plain |= {"shape": list(part.values.shape), "colors": [to_hex(color) for color in colors]}
    return plain


def _freeze(part: Any, name: str, *, ndim: int) -> None:
    """Copy an array, so that nothing changes it later."""
    array = np.array(getattr(part, name), dtype=np.float64)
    if array.ndim != ndim:
        raise ValueError(f"{name} must be an array of {ndim} dimension(s), got shape {array.shape}")
    array.setflags(write=False)
    object.__setattr__(part, name, array)


def _check_limits(what: str, limits: Sequence[float]) -> None:
    if len(limits) != 2 or not np.isfinite(limits).all() or limits[0] >= limits[1]:
        raise ValueError(f"{what} must be two finite ascending numbers, got {limits}")
