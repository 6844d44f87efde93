"""The sweep: a grid, its points and their results."""

import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nickbook.progress import meter
from nickbook.results import shown
from nickbook.sweeps.fingerprint import Fingerprint, versions
from nickbook.sweeps.points import Index, Point, Task
from nickbook.sweeps.table import PENDING, Store, Table
from nickbook.sweeps.workers import computed

if TYPE_CHECKING:
    import xarray as xr


def sweep(
    function: Callable[..., Any],
    /,
    *,
    store: str | Path | None = None,
    extend: bool = False,
    retry: bool = False,
    seed: int | None = 0,
    units: Mapping[str, str] | None = None,
    workers: int | None = None,
    progress: bool | None = None,
    **parameters: Any,
) -> "xr.Dataset":
    """Compute a function on a grid of its parameters.

    Costs the function's time over the number of cores, some seconds to start local workers, and
    about 1 ms a point.  In a script, call it below ``if __name__ == "__main__":``, since workers
    read the script too.

    Parameters
    ----------
    function : callable
        Takes the parameters by name, and returns a number, a text, an array, a data set or a
        result of this package, or a dict of numbers, texts and arrays.  If it has a parameter
        ``rng`` or ``seed`` that is not given, it gets a random generator or an integer of its own
        at each point, which depends on the place in the grid and on nothing else.
    store : str or Path, optional
        Zarr folder that keeps every point once it is computed.  The same call goes on where an
        interrupted one stopped.
    extend : bool
        Whether axes may be longer than those of the store, and begin with them.
    retry : bool
        Whether points of the store that failed are computed again.
    seed : int, optional
        Root of all random numbers; None takes a new one, which the attributes name.
    units : mapping of str to str, optional
        Units of axes and variables by name, beside those that the function returns.
    workers : int, optional
        Processes on this machine; 1 computes in this one, without Dask.  When not given, the
        workers of the active client of Dask, or one for each core of this machine.
    progress : bool, optional
        Whether there is a bar; where somebody looks when not given.
    **parameters : sequence of numbers or texts, or anything else
        Lists, tuples, ranges and arrays are axes of the grid, in the order given; everything else
        is the same at every point.  `functools.partial` gives a function what has one of the names
        above.

    Returns
    -------
    xarray.Dataset
        What the function returned, along the axes first.  A number or an array has the function's
        name, numbers are floating-point, and where arrays differ in length the rest is NaN.
        ``error`` is empty, or the type, message and last calls of an exception, with NaN in the
        other variables.  Attributes say from what and with what it was computed.

    Raises
    ------
    ValueError
        If the store holds another sweep; the message says what differs and what to do.
    ImportError
        If the extra ``sweep`` is missing, which workers and stores need.

    Warns
    -----
    RuntimeWarning
        If points failed.

    Examples
    --------
    >>> from nickbook.sweeps import sweep
    >>> def distance(x, y, origin=0):
    ...     return abs(x + 1j * y - origin)
    >>> data = sweep(distance, x=[0, 3], y=[0, 4], workers=1, units={"x": "a", "distance": "a"})
    >>> data.distance.dims, float(data.distance.sel(x=3, y=4))
    (('x', 'y'), 5.0)
    """
    axes = {name: _axis(name, v) for name, v in parameters.items() if _is_axis(v)}
    fixed = {name: value for name, value in parameters.items() if name not in axes}
    inner = inspect.unwrap(getattr(function, "func", function))
    name = getattr(inner, "__name__", "value")
    wanted = inspect.signature(function).parameters.keys() - parameters.keys()
    drawn = frozenset({"rng", "seed"} & wanted)
    entropy = np.random.SeedSequence(seed).entropy
    task = Task(
        partial(function, **fixed), name if name.isidentifier() else "value", drawn, entropy
    )
    prints = Fingerprint()
    for key, value in {"function": function, **fixed}.items():
        prints.add(key, value)
    attributes = {
        "content": "nickbook sweep",
        "function": f"{inner.__module__}.{getattr(inner, '__qualname__', type(inner).__name__)}",
        "source": _source(inner),
        "parameters": json.dumps({n: shown(v) for n, v in fixed.items()}, ensure_ascii=False),
        "seed": str(entropy) if drawn else "",
        "code": json.dumps(prints.found, sort_keys=True),
        "versions": json.dumps(versions()),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    table, kept = Table(axes, attributes, units or {}), Store(store) if store else None
    if kept:
        kept.read(table, extend=extend)
    missing = np.argwhere(table.errors != "" if retry else table.errors == PENDING)
    points = (_point(axes, tuple(index.tolist())) for index in missing)
    found = computed(task, points, len(missing), workers, prints.own)
    with closing(found), meter(task.name, table.errors.size, shown=progress) as step:
        step(table.errors.size - len(missing))
        for outcomes in found:
            for index, outcome in outcomes:
                table.enter(index, outcome)
            if kept:
                kept.write(table, (index for index, _ in outcomes))
            step(len(outcomes), f"{table.failed} failed" if table.failed else "")
    if table.failed:
        first = next(text for text in table.errors.flat if text).partition("\n")[0]
        again = "; retry=True computes them again" if kept else ""
        warnings.warn(
            f"{table.failed} of {table.errors.size} points failed, the first by {first}; "
            f"the variable `error` says more{again}",
            RuntimeWarning,
            stacklevel=2,
        )
    return table.data


def _is_axis(value: Any) -> bool:
    return isinstance(value, list | tuple | range) or (
        isinstance(value, np.ndarray) and value.ndim > 0
    )


def _axis(name: str, value: Any) -> np.ndarray:
    values = np.asarray(value)
    texts = values.dtype.kind == "U" and all(isinstance(v, str) for v in value)
    if values.ndim != 1 or not values.size or not (texts or values.dtype.kind in "biuf"):
        raise ValueError(
            f"{name} = {shown(value)} is no axis; allowed: one or more numbers, or texts, along "
            "one dimension; `functools.partial` gives a function other arrays"
        )
    return values


def _point(axes: dict[str, np.ndarray], index: Index) -> Point:
    along = zip(axes.items(), index, strict=True)
    return index, {name: values[i].item() for (name, values), i in along}


def _source(function: Any) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # typed into a shell, or no function
        return ""
