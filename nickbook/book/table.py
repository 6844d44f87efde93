"""A table of drawings, packed small enough to travel inside a page.

Drawings of one table share their structure: panels, curves and readouts. Everything that is the
same at all points is stored once, in a template; its holes are filled per point from a pool of
distinct arrays and a list of distinct scalars. Curves are stored as fractions of the frame of
their panel in 65534 steps (logarithmic where the axis is), images in 254 levels of their colour
scale, so a decoded value is off by at most half a step. ``explorer.mjs`` holds the decoder.
"""

import json
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


def _quantize(drawing: dict[str, Any]) -> dict[str, Any]:
    """Replace arrays by whole steps within the limits that the drawing itself states."""
    panels = []
    for panel in drawing["panels"]:
        frame = {axis: (panel[f"{axis}_limits"], panel[f"{axis}_log"]) for axis in ("x", "y")}
        if panel["z_limits"]:
            frame["z"] = (panel["z_limits"], False)
        curves = [
            curve | {a: _steps(curve[a], *frame[a], CURVE_STEPS) for a in frame}
            for curve in panel["curves"]
        ]
        images = [
            image | {"values": _steps(image["values"], image["limits"], False, IMAGE_STEPS)}
            for image in panel["images"]
        ]
        panels.append(panel | {"curves": curves, "images": images})
    return drawing | {"panels": panels}


def _steps(values: Floats, limits: Sequence[float], log: bool, steps: int) -> Steps:
    low, high = np.log(limits) if log else limits
    fraction = ((np.log(values) if log else values) - low) / (high - low)
    whole = np.rint(np.clip(fraction, 0, 1) * steps)
    return np.where(np.isnan(whole), NOT_A_NUMBER, whole).astype(np.uint16)


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
