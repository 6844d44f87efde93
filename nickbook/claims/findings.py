"""What the measures return, kept on disk until the code behind them changes."""

import json
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nickbook.closure import digest

Numbers = dict[str, Any]


@cache
def kept(module: str, name: str) -> Numbers:
    """Numbers of a measure in a module: read if they are kept and fresh, else computed.

    Raises
    ------
    ValueError
        If the module has no such function, or it returns something other than named numbers.
    """
    folder = os.environ.get("NICKBOOK_FINDINGS")
    if not folder:
        return _plain(_computed(module, name))
    path = Path(folder) / f"{module}.{name}.json"
    code = digest(module)
    if path.exists():
        entry = json.loads(path.read_text(encoding="utf-8"))
        if entry["code"] == code:
            numbers: Numbers = entry["numbers"]
            return numbers
    numbers = _plain(_computed(module, name))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps({"code": code, "numbers": numbers}), encoding="utf-8")
    draft.replace(path)  # tests side by side read whole files only
    return numbers


def _computed(module: str, name: str) -> Numbers:
    function: Callable[[], Numbers] | None = getattr(import_module(module), name, None)
    if function is None:
        raise ValueError(f"{module} has no measure {name!r}; name one in the row or add it")
    return function()


def _plain(numbers: Numbers) -> Numbers:
    """Numbers as JSON holds them, whether they are read or computed."""
    plain: Numbers = json.loads(json.dumps(numbers, default=_listed))
    return plain


def _listed(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"a measure returned {value!r}; allowed: numbers, texts, lists and arrays")
