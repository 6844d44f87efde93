"""A table of drawings, packed small enough to travel inside a page.

Drawings of one table share their structure: panels, curves and readouts. Everything that is the
same at all points is stored once, in a template; its holes are filled per point from a pool of
distinct arrays and a list of distinct scalars. Curves are stored as fractions of the frame of
their panel in 65534 steps (logarithmic where the axis is), images in 254 levels of their colour
scale, so a decoded value is off by at most half a step. ``explorer.mjs`` holds the decoder,
which also averages neighbouring drawings for what lies between; `error_midway` says how well.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Floats

CURVE_STEPS = 65534
IMAGE_STEPS = 254
NOT_A_NUMBER = 65535

Path = tuple[str | int, ...]
Steps = NDArray[np.uint16]


def pack(drawings: Sequence[dict[str, Any]]) -> bytes:
    """Pack drawings of one structure, as `Drawing.as_dict` gives them, into deflated bytes.

    The zlib stream holds: the header's length (uint32, little endian), the header (JSON), the low
    bytes and then the high bytes of a sequence of 16-bit numbers. They are the pooled arrays, each
    minus the one before it when both have the same length, differenced twice modulo 65536, with
    the sign moved to the lowest bit (0, -1, 1, -2 become 0, 1, 2, 3). A drawing whose structure
    differs from that of the first raises ValueError.
    """
    table = [dict(_leaves(_quantize(drawing))) for drawing in drawings]
    for number, leaves in enumerate(table):
        if leaves.keys() != table[0].keys():
            path = min(leaves.keys() ^ table[0].keys(), key=str)
            raise ValueError(
                f"drawing {number} of the table has other panels, curves or readouts than the "
                f"first (at {'/'.join(map(str, path))}): return the same ones everywhere, "
                "with empty arrays for a curve that is absent"
            )
    first = table[0]
    array_holes = [path for path, value in first.items() if isinstance(value, np.ndarray)]
    scalars_of_first = [path for path in first if path not in array_holes]
    scalar_holes = [p for p in scalars_of_first if any(row[p] != first[p] for row in table)]
    arrays: dict[bytes, int] = {}
    scalars: dict[str, int] = {}
    rows = [
        [arrays.setdefault(row[path].tobytes(), len(arrays)) for row in table]
        for path in array_holes
    ] + [
        [scalars.setdefault(json.dumps(row[path]), len(scalars)) for row in table]
        for path in scalar_holes
    ]
    pool = [np.frombuffer(array, dtype=np.uint16) for array in arrays]
    header = {
        "template": replaced(_quantize(drawings[0]), lambda _: None),
        "arrayHoles": array_holes,
        "scalarHoles": scalar_holes,
        # Neighbouring points use neighbouring entries: differences are mostly 0 and 1.
        "rows": [np.diff(row, prepend=0).tolist() for row in rows],
        "scalars": [json.loads(scalar) for scalar in scalars],
        "lengths": [array.size for array in pool],
    }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return zlib.compress(len(text).to_bytes(4, "little") + text + _shuffle(pool), 9)


def replaced(node: Any, leaf: Callable[[NDArray[Any]], Any]) -> Any:
    """Put something else in the place of each array in nested dicts and lists."""
    if isinstance(node, dict):
        return {name: replaced(child, leaf) for name, child in node.items()}
    if isinstance(node, list):
        return [replaced(child, leaf) for child in node]
    return leaf(node) if isinstance(node, np.ndarray) else node


def error_midway(one: dict[str, Any], two: dict[str, Any], truth: dict[str, Any]) -> float:
    """Tell how far the front end's drawing midway between two settings is from the true one.

    The result is the largest distance in units of the frame, or of an image's colour scale, between
    what is drawn and what should be; infinite where something is missing or too much. The front end
    averages arrays of equal length, entry by entry where both numbers are finite; all else is that
    of the upper setting.
    """
    worst = 0.0
    for below, above, wanted in zip(one["panels"], two["panels"], truth["panels"], strict=True):
        if _frame(above) != _frame(wanted):
            return math.inf
        panels = (below if _frame(below) == _frame(above) else above, above, wanted)
        for lines, axis in (("vertical", "x"), ("horizontal", "y")):
            limits = _limits_of(above, axis)
            low, high, true = (_fraction(np.array(p[lines], float), *limits) for p in panels)
            worst = max(worst, _gap(_average(low, high), true))
        frame = {axis: _limits_of(above, axis) for axis in _axes(above)}
        for curves in zip(*(panel["curves"] for panel in panels), strict=True):
            low, high, true = (
                np.stack([_fraction(curve[a], *frame[a]) for a in frame], axis=1)
                for curve in curves
            )
            shown = _average(low, high)
            worst = max(worst, _distance(shown, true, dots=curves[1]["points"], at_least=worst))
        for images in zip(*(panel["images"] for panel in panels), strict=True):
            low, high, true = (
                np.clip(_fraction(image["values"], image["limits"], False), 0, 1)
                for image in images
            )
            worst = max(worst, _gap(_average(low, high), true))
    return worst


def distance(panel: dict[str, Any], number: int, points: Floats) -> float:
    """Tell how far points, shape (2, n), are from a curve, as a part of the frame they are seen in.

    The result is infinite if only one of both is in the frame.
    """
    curve = panel["curves"][number]
    shown, true = (
        np.stack([_fraction(v, *_limits_of(panel, a)) for a, v in zip("xy", pair, strict=True)], 1)
        for pair in (points, (curve["x"], curve["y"]))
    )
    outside = ((shown < -1e-9) | (shown > 1 + 1e-9)).any(axis=1)
    shown[outside] = np.nan
    return _distance(shown, true, dots=curve["points"], at_least=0.0)


def _axes(panel: dict[str, Any]) -> str:
    return "xyz" if panel["z_limits"] else "xy"


def _limits_of(panel: dict[str, Any], axis: str) -> tuple[Sequence[float], bool]:
    return panel[f"{axis}_limits"], axis != "z" and panel[f"{axis}_log"]


def _frame(panel: dict[str, Any]) -> list[Any]:
    """Return what must agree for the numbers of two panels to be averaged."""
    limits = [_limits_of(panel, axis) for axis in _axes(panel)]
    return [limits, [image["limits"] for image in panel["images"]]]


def _average(one: Floats, two: Floats) -> Floats:
    if one.shape != two.shape:
        return two
    mean = (one + two) / 2
    return np.where(np.isfinite(mean), mean, two)


def _gap(shown: Floats, true: Floats) -> float:
    if shown.shape != true.shape or (np.isnan(shown) != np.isnan(true)).any():
        return math.inf
    return float(np.nanmax(abs(shown - true), initial=0.0))


def _distance(shown: Floats, true: Floats, *, dots: bool, at_least: float) -> float:
    """Return how far a point of either curve is at most from the other curve, or `at_least`."""
    here, there = (np.isfinite(curve).all(axis=1) for curve in (shown, true))
    if here.any() != there.any():
        return math.inf
    if shown.shape == true.shape and (here == there).all():
        bound = np.linalg.norm(shown - true, axis=1)[here].max(initial=0.0)
        if bound <= at_least:
            return at_least
    return max(_from_curve(shown, true, dots), _from_curve(true, shown, dots))


def _from_curve(points: Floats, curve: Floats, dots: bool) -> float:
    """Return the largest distance of a point from the nearest segment, or dot."""
    ends = curve if dots else np.concatenate([curve[1:], curve])
    starts = curve if dots else np.concatenate([curve[:-1], curve])  # and lone points
    whole = np.isfinite(starts + ends).all(axis=1)
    starts, along = starts[whole], (ends - starts)[whole]
    length = (along**2).sum(axis=1)
    worst = 0.0
    for point in points[np.isfinite(points).all(axis=1)]:
        across = point - starts
        place = (across * along).sum(axis=1) / np.where(length > 0, length, 1)
        foot = across - np.clip(place, 0, 1)[:, None] * along
        worst = max(worst, float((foot**2).sum(axis=1).min()))
    return math.sqrt(worst)


def _quantize(drawing: dict[str, Any]) -> dict[str, Any]:
    """Replace arrays by whole steps within the limits that the drawing itself states."""
    panels = []
    for panel in drawing["panels"]:
        frame = {axis: _limits_of(panel, axis) for axis in _axes(panel)}
        curves = [
            curve
            | {axis: _steps(curve[axis], *limits, CURVE_STEPS) for axis, limits in frame.items()}
            for curve in panel["curves"]
        ]
        images = [
            image | {"values": _steps(image["values"], image["limits"], False, IMAGE_STEPS)}
            for image in panel["images"]
        ]
        panels.append(panel | {"curves": curves, "images": images})
    return drawing | {"panels": panels}


def _steps(values: Floats, limits: Sequence[float], log: bool, steps: int) -> Steps:
    whole = np.rint(np.clip(_fraction(values, limits, log), 0, 1) * steps)
    return np.where(np.isnan(whole), NOT_A_NUMBER, whole).astype(np.uint16)


def _fraction(values: Floats, limits: Sequence[float], log: bool) -> Floats:
    low, high = np.log(limits) if log else limits
    fraction: Floats = ((np.log(values) if log else values) - low) / (high - low)
    return fraction


def _shuffle(pool: list[Steps]) -> bytes:
    """Prepare for deflate: smooth families of curves leave small numbers, empty high bytes."""
    words = [np.empty(0, dtype=np.int64)]
    previous = np.empty(0, dtype=np.int64)
    for array in pool:
        current = array.astype(np.int64)
        change = current - previous if current.size == previous.size else current
        signed = (np.diff(change, n=2, prepend=[0, 0]) + 0x8000 & 0xFFFF) - 0x8000
        words.append(np.where(signed < 0, -2 * signed - 1, 2 * signed))
        previous = current
    joined = np.concatenate(words)
    return (joined & 0xFF).astype(np.uint8).tobytes() + (joined >> 8).astype(np.uint8).tobytes()


def _leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _leaves(child, (*path, name))
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from _leaves(child, (*path, place))
    else:
        yield path, node
