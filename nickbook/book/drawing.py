"""A drawing as plain data, which matplotlib and the explorer's front end both can draw.

Labels may hold subscripts and superscripts, written ``Δ_{α}`` and ``10^{3}``.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.book.figures import PIXELS_PER_INCH, require
from nickbook.book.formula import Formula
from nickbook.checks import one_of
from nickbook.plot import STYLE
from nickbook.results import Described

Limits = tuple[float, float]

_INK = "#1c2024"

# A box of unit edges, the room it needs in any view, the layers that show its depth, and how far
# outside the names of its axes stand; all the same in explorer.mjs.
BOX_EXTENT, DEPTHS, NAME_DISTANCE = 0.9, 4, 0.1
_HAIRLINE: dict[str, Any] = {"color": "#7a7a7a", "linewidth": 0.8}


@dataclass(frozen=True, eq=False)
class Curve(Described):
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
    z : array_like, shape (n,), optional
        Heights, for a panel with ``z_limits``.
    moves : (str, str), optional
        Names of two sliders whose values are added to x and y when the curve is drawn. It then
        follows them at once; what leaves the frame on the way is cut off.
    link : str
        Curves of one link, in any panels, are at the same place at the same index: a reader who
        points at one of them sees the place on all. They have equally many points, or else a longer
        one comes back to the place after as many steps as the shorter one has.
    formula : Formula, optional
        Its closed form, with which the page needs no stored points.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.book import Curve
    >>> k = np.linspace(0, np.pi, 101)
    >>> Curve("band", k, -np.cos(k), color="#0072b2", dash="dashed").name
    'band'
    """

    name: str
    x: Floats
    y: Floats
    color: str = ""
    dash: Literal["solid", "dashed", "dotted"] = "solid"
    points: bool = False
    z: Floats | None = None
    moves: tuple[str, str] | tuple[()] = ()
    link: str = ""
    formula: Formula | None = None

    def __post_init__(self) -> None:
        for axis in "xy" if self.z is None else "xyz":
            _freeze(self, axis, ndim=1)
            size = getattr(self, axis).size
            if size != self.x.size:
                raise ValueError(
                    f"x and {axis} of curve {self.name!r} must have the same length, "
                    f"got {self.x.size} and {size}"
                )
        _check_pair(f"moves of curve {self.name!r}", self.moves)
        if self.formula and (self.moves or self.z is not None):
            raise ValueError(f"curve {self.name!r} has a formula, so it takes no moves or z")
        if not re.fullmatch(r"(#[0-9a-f]{6})?", self.color):
            raise ValueError(f"color must be '#rrggbb' or empty, got {self.color!r}")
        one_of("dash", self.dash, ("solid", "dashed", "dotted"))


@dataclass(frozen=True, eq=False)
class Image(Described):
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

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import eta_k, zone_mesh
    >>> from nickbook.book import Image
    >>> zone = (0.0, 2 * np.pi)
    >>> image = Image(eta_k(zone_mesh(16)), zone, zone, limits=(-2.0, 2.0), scale="RdBu_r")
    >>> np.shape(image.values)
    (16, 16)
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
class Panel(Described):
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
    drag : (str, str), optional
        Names of two sliders that take x and y of the point where a reader presses or drags.
    z_limits : (float, float), optional
        The third axis of a panel whose curves all have heights; it is then drawn as a box that
        the reader turns, with linear axes, without ticks, maps and marked lines. With ``equal``
        x and y share a scale, and the height is that of the longer one.
    z_label : str
        The name of the third axis.
    view : (float, float)
        Azimuth and elevation, in degrees, of the eye at the start.

    Examples
    --------
    >>> from nickbook.book import Curve, Panel
    >>> line = Curve("E = k", [0.0, 1.0], [0.0, 1.0])
    >>> panel = Panel("", "k", "E (eV)", (0.0, 1.0), (0.0, 1.0), curves=(line,), equal=True)
    >>> panel.curves[0].name
    'E = k'
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
    drag: tuple[str, str] | tuple[()] = ()
    z_limits: Limits | None = None
    z_label: str = ""
    view: tuple[float, float] = (-60.0, 30.0)

    def __post_init__(self) -> None:
        for axis, lines in (("x", self.vertical), ("y", self.horizontal)):
            limits, log = getattr(self, f"{axis}_limits"), getattr(self, f"{axis}_log")
            self._check_axis(axis, limits)
            if log and limits[0] <= 0:
                message = f"{axis}_limits of a logarithmic axis must be positive, got {limits}"
                raise ValueError(message)
            if log and any(curve.moves for curve in self.curves):
                raise ValueError(f"curves that move need linear axes, in panel {self.title!r}")
            self._check_inside("a marked line", axis, np.asarray(lines, dtype=float), limits)
        _check_pair(f"drag of panel {self.title!r}", self.drag)
        flat = [curve.name for curve in self.curves if curve.z is None]
        if self.z_limits is None:
            if len(flat) < len(self.curves):
                raise ValueError(f"z_limits of panel {self.title!r} are missing: its curves have z")
            return
        self._check_axis("z", self.z_limits)
        if flat:
            raise ValueError(
                f"z of curve {flat[0]!r} is missing: panel {self.title!r} has z_limits"
            )
        if self.images or self.vertical or self.horizontal or self.x_log or self.y_log or self.drag:
            raise ValueError(
                f"panel {self.title!r} has z_limits, so it takes no images, marked lines, "
                "logarithmic axes or drag"
            )

    def _check_axis(self, axis: str, limits: Limits) -> None:
        _check_limits(f"{axis}_limits of panel {self.title!r}", limits)
        for curve in self.curves:
            values = getattr(curve, axis)
            if values is not None:
                self._check_inside(f"curve {curve.name!r}", axis, values, limits)

    def _check_inside(self, what: str, axis: str, values: Floats, limits: Limits) -> None:
        slack = 1e-9 * (limits[1] - limits[0])
        outside = (values < limits[0] - slack) | (values > limits[1] + slack)
        if outside.any():
            raise ValueError(
                f"{what} of panel {self.title!r} has {axis} = {values[outside][0]:.6g} outside "
                f"{axis}_limits = {limits}: widen the limits or put NaN there"
            )


@dataclass(frozen=True, eq=False)
class Drawing(Described):
    """All that an explorer shows for one setting of its sliders.

    Parameters
    ----------
    panels : tuple of Panel
        Drawn row by row.
    readouts : mapping of str to str
        Numbers to be read beside the panels, already formatted.

    Examples
    --------
    >>> from nickbook.book import Curve, Drawing, Panel
    >>> falling = Curve("gap", [0.0, 1.0], [1.0, 0.0])
    >>> panel = Panel("gap", "T", "Δ", (0.0, 1.0), (0.0, 2.0), curves=(falling,))
    >>> Drawing((panel,), {"T_c": "1.0 eV"}).readouts["T_c"]
    '1.0 eV'
    """

    panels: tuple[Panel, ...]
    readouts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.panels, tuple, "panels")
        if not self.panels:
            raise ValueError("panels must hold at least one Panel, got ()")
        for panel in self.panels:
            require(panel, Panel, "each of panels")
        steps: dict[str, int] = {}  # of the shortest curve of each link
        curves = [c for panel in self.panels for c in panel.curves if c.link and c.x.size]
        for curve in sorted(curves, key=lambda c: c.x.size):
            least = steps.setdefault(curve.link, curve.x.size - 1)
            if curve.x.size - 1 != least and (least < 1 or (curve.x.size - 1) % least):
                raise ValueError(
                    f"curves of link {curve.link!r} must have as many points, or one takes a whole "
                    f"number of turns of another: got {least + 1} and {curve.x.size}"
                )
        for label, text in self.readouts.items():
            require(text, str, f"readouts[{label!r}]")

    def as_dict(self) -> dict[str, Any]:
        """Return nested dicts and lists with arrays as leaves, as the front end reads them."""
        panels = [_plain(panel) for panel in self.panels]
        return {"panels": panels, "readouts": [list(item) for item in self.readouts.items()]}


def draw(
    drawing: Drawing,
    settings: Mapping[str, float | str],
    *,
    width: int,
    height: int,
    columns: int,
    footer: str = "",
) -> Figure:
    """Draw with matplotlib, `columns` panels in a row, and a line of text below.

    The `settings` of the controls place the curves that move. `width` of the figure and `height` of
    one row of panels are in CSS pixels. Pyplot does not know the figure, so nothing shows it on its
    own.
    """
    rows = math.ceil(len(drawing.panels) / columns)
    size = (width / PIXELS_PER_INCH, rows * height / PIXELS_PER_INCH)
    with plt.rc_context(STYLE):
        fig = Figure(figsize=size, layout="constrained")
        axes = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax, panel in zip(axes, drawing.panels, strict=False):
            _draw_panel(ax, panel, settings)
        for ax in axes[len(drawing.panels) :]:
            ax.set_axis_off()
        readouts = [f"{label} = {text}" for label, text in drawing.readouts.items()]
        fig.supxlabel(mathtext("   ".join([footer, *readouts]).strip()), fontsize="small")
    return fig


def mathtext(label: str) -> str:
    """Turn ``Δ_{α}`` into what matplotlib sets as a subscript."""
    return re.sub(r"([_^])\{([^}]*)\}", r"$\1{\\mathregular{\2}}$", label.replace("$", r"\$"))


def _moved(curve: Curve, settings: Mapping[str, float | str]) -> tuple[Floats, Floats]:
    if not curve.moves:
        return curve.x, curve.y
    x, y = (float(settings[name]) for name in curve.moves)
    return curve.x + x, curve.y + y


def _draw_panel(ax: Axes, panel: Panel, settings: Mapping[str, float | str]) -> None:
    if panel.z_limits is None:
        _draw_flat(ax, panel, settings)
    else:
        _draw_box(ax, panel, settings)
    ax.set_title(mathtext(panel.title), fontsize="medium")
    if any(curve.name for curve in panel.curves):
        handles, names = ax.get_legend_handles_labels()
        unique = dict(zip(names, handles, strict=True))
        ax.legend(unique.values(), unique.keys(), fontsize="small", frameon=bool(panel.images))


def _draw_flat(ax: Axes, panel: Panel, settings: Mapping[str, float | str]) -> None:
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
        ax.plot(*_moved(curve, settings), label=mathtext(curve.name) or "_", **_style(curve))
    ax.set_xscale("log" if panel.x_log else "linear")
    ax.set_yscale("log" if panel.y_log else "linear")
    for axis, ticks in ((ax.xaxis, panel.x_ticks), (ax.yaxis, panel.y_ticks)):
        if ticks:
            places, labels = zip(*ticks, strict=True)
            axis.set_ticks(places, [mathtext(label) for label in labels])
    ax.set(xlabel=mathtext(panel.x_label), ylabel=mathtext(panel.y_label))
    ax.set(xlim=panel.x_limits, ylim=panel.y_limits, aspect="equal" if panel.equal else "auto")


def _style(curve: Curve) -> dict[str, Any]:
    line = {"linestyle": "none", "marker": "."} if curve.points else {"linestyle": curve.dash}
    return {"color": curve.color or _INK, **line}


def project(panel: Panel, x: ArrayLike, y: ArrayLike, z: ArrayLike) -> tuple[Floats, ...]:
    """Look at points of a panel with ``z_limits`` from far away.

    Returns the place to the right, the place upwards, and the nearness to the eye, each zero for
    the middle of the box and in units of its longest edge. ``explorer.mjs`` does the same.
    """
    limits = np.array([panel.x_limits, panel.y_limits, panel.z_limits], dtype=float)
    middle, lengths = limits.mean(axis=1), np.diff(limits)[:, 0]
    if panel.equal:
        lengths[:2] = lengths[:2].max()
    place = [(np.asarray(v) - m) / d for v, m, d in zip((x, y, z), middle, lengths, strict=True)]
    azimuth, elevation = np.radians(panel.view)
    outward = np.cos(azimuth) * place[0] + np.sin(azimuth) * place[1]
    return (
        np.cos(azimuth) * place[1] - np.sin(azimuth) * place[0],
        np.cos(elevation) * place[2] - np.sin(elevation) * outward,
        np.cos(elevation) * outward + np.sin(elevation) * place[2],
    )


def edges(panel: Panel) -> Iterator[tuple[int, Floats]]:
    """Yield the twelve edges of a box: the axis along which each runs, and its two ends."""
    limits = (panel.x_limits, panel.y_limits, panel.z_limits or (0.0, 0.0))
    for axis, ends in enumerate(limits):
        for sides in itertools.product(*limits[:axis], *limits[axis + 1 :]):
            yield axis, np.array([[*sides[:axis], end, *sides[axis:]] for end in ends])


def _draw_box(ax: Axes, panel: Panel, settings: Mapping[str, float | str]) -> None:
    outer: dict[int, tuple[float, float]] = {}
    for axis, ends in edges(panel):
        right, up, _ = project(panel, *ends.T)
        ax.plot(right, up, **_HAIRLINE)
        # The name of an axis stands at its lowest edge, that of the height at the leftmost.
        middle = (float(right.mean()), float(up.mean()))
        along = 0 if axis == 2 else 1
        if axis not in outer or middle[along] < outer[axis][along] - 1e-9:
            outer[axis] = middle
    for axis, label in enumerate((panel.x_label, panel.y_label, panel.z_label)):
        place = np.array(outer[axis])
        place *= 1 + NAME_DISTANCE / np.hypot(*place)
        ax.text(place[0], place[1], mathtext(label), ha="center", va="center")
    for layer in range(DEPTHS):  # the nearer, the later and the stronger
        for curve in panel.curves:
            style = _style(curve) | {"alpha": (layer + 1) / DEPTHS}
            label = mathtext(curve.name) if layer == DEPTHS - 1 else ""
            ax.plot(*_slice(panel, curve, settings, layer), label=label or "_", **style)
    extent = (-BOX_EXTENT, BOX_EXTENT)
    ax.set(xlim=extent, ylim=extent, aspect="equal")
    ax.set_axis_off()


def _slice(
    panel: Panel, curve: Curve, settings: Mapping[str, float | str], layer: int
) -> tuple[Floats, Floats]:
    """Take the segments, or points, of a curve whose middle lies in one layer of the depth."""
    heights = np.asarray(curve.z, dtype=float)
    right, up, near = project(panel, *_moved(curve, settings), heights)
    if curve.points:
        pieces = np.stack([right, up])[:, :, None]
        depth = near
    else:
        gap = np.full(max(right.size - 1, 0), np.nan)
        pieces = np.stack([np.stack([v[:-1], v[1:], gap], axis=1) for v in (right, up)])
        depth = (near[:-1] + near[1:]) / 2
    place = np.nan_to_num((depth / BOX_EXTENT + 1) / 2 * DEPTHS, nan=-1)
    chosen = np.clip(np.floor(place), 0, DEPTHS - 1) == layer
    x, y = pieces[:, chosen].reshape(2, -1)
    return x, y


def _plain(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part.ravel()
    if isinstance(part, tuple):
        return [_plain(item) for item in part]
    if not dataclasses.is_dataclass(part):
        return part.item() if isinstance(part, np.generic) else part
    names = [item.name for item in dataclasses.fields(part) if item.name != "formula"]
    plain = {name: _plain(getattr(part, name)) for name in names}
    if isinstance(part, Image):
        colors = mpl.colormaps[part.scale](np.linspace(0, 1, 17))
        plain |= {"shape": list(part.values.shape), "colors": [to_hex(color) for color in colors]}
    return plain


def _check_pair(what: str, names: Sequence[str]) -> None:
    if len(names) not in {0, 2} or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{what} must be empty or the names of two sliders, got {names!r}")


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
