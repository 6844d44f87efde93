"""What a calculation is made from, as hashes that are the same after a restart.

A function is its compiled code, its defaults, and all that it names: functions of a notebook or of
a user's files, constants, and whole modules of this package, with what those call.  Comments and
docstrings do not count, and other packages count by their versions.
"""

import functools
import hashlib
import inspect
import platform
import re
import sys
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from nickbook.closure import digest, parse

#: Folders of packages, which count by their versions.
_INSTALLED = [Path(sysconfig.get_path(key)) for key in ("stdlib", "platstdlib")]


def versions() -> dict[str, str]:
    """Return the versions on which numbers depend, by name."""
    import scipy

    from nickbook import __version__

    python = platform.python_version().rpartition(".")[0]
    ours = {"nickbook": __version__, "numpy": np.__version__, "scipy": scipy.__version__}
    return {**ours, "python": python}


class Fingerprint:
    """Hashes by name of everything that values are made from.

    Attributes
    ----------
    found : dict of str to str
        Hashes of functions, files and modules by their names.
    own : set of ModuleType
        Modules met that belong to no installed package, such as a user's files.
    """

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.own: set[ModuleType] = set()
        self._seen: dict[int, Any] = {}  # by identity, and kept alive, so that none is given twice

    def add(self, name: str, value: Any) -> None:
        """Hash a value under a name."""
        self.found[name] = _hash(self._said(value))

    def _said(self, value: Any) -> str:
        """Write a value such that equal ones are written alike in every process."""
        if isinstance(value, CodeType):
            parts = (value.co_varnames, value.co_names, value.co_freevars, value.co_consts)
            return f"{value.co_code.hex()} {self._said(parts)}"
        if isinstance(value, functools.partial):
            return self._said((value.func, value.args, value.keywords))
        if isinstance(value, MethodType):
            return self._said((value.__func__, value.__self__))
        if isinstance(value, ModuleType):
            return self._module(value, whole=True)
        if isinstance(value, property):
            return self._said((value.fget, value.fset))
        # What numba compiles, caches and decorates is the function inside.
        inner = inspect.unwrap(getattr(value, "func", getattr(value, "py_func", value)))
        if isinstance(inner, FunctionType | type):
            return self._named(inner)
        return self._content(value)

    def _content(self, value: Any) -> str:
        if isinstance(value, np.ndarray):
            content = value.tolist() if value.dtype.hasobject else value.tobytes().hex()
            return f"{value.dtype} {value.shape} {content}"
        if isinstance(value, tuple | list):
            return f"{type(value).__name__}({','.join(map(self._said, value))})"
        if isinstance(value, set | frozenset):
            return f"set({','.join(sorted(map(self._said, value)))})"
        if isinstance(value, Mapping):
            return self._said([*value.items()])
        return self._object(value)

    def _object(self, value: Any) -> str:
        kind = type(value)
        if kind.__module__ != "builtins" and id(value) not in self._seen:
            self._seen[id(value)] = value
            if is_dataclass(kind):  # without what it keeps aside once it is computed
                return self._said((kind, {f.name: getattr(value, f.name) for f in fields(value)}))
            with suppress(TypeError):  # of what has no state that could be written down
                return self._said((kind, value.__getstate__() or _bare(value)))
        return f"{kind.__name__} {_bare(value)}"

    def _named(self, value: FunctionType | type) -> str:
        home = sys.modules.get(value.__module__)
        name = f"{value.__module__}.{value.__qualname__}"
        if id(value) in self._seen or (home and not _is_own(home)):
            return name + self._module(home, whole=False)
        self._seen[id(value)] = value
        if home:
            self.own.add(home)
        if isinstance(value, FunctionType):
            text = self._function(value)
        else:
            kept = {k: v for k, v in vars(value).items() if k[:2] != "__" or callable(v)}
            text = self._said(([b for b in value.__bases__ if b is not object], kept))
        # Two of the same name, such as lambdas, share an entry.
        self.found[name] = _hash(self.found.get(name, "") + text)
        return name

    def _function(self, function: FunctionType) -> str:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        code = function.__code__
        named, codes = set[str](), [code]
        for part in codes:
            named.update(part.co_names)
            codes += [const for const in part.co_consts if isinstance(const, CodeType)]
        for name in named:  # imported where the function runs
            if name.partition(".")[0] == "nickbook" and "." in name:
                self.found[name] = digest(name)
        known = {
            name: function.__globals__[name] for name in sorted(named & {*function.__globals__})
        }
        docless = code.replace(co_consts=tuple(c for c in code.co_consts if c != function.__doc__))
        return self._said((docless, function.__defaults__, function.__kwdefaults__, cells, known))

    def _module(self, module: ModuleType | None, *, whole: bool) -> str:
        """Note a module by what its text says, if it is of this package or a file of the user."""
        name = module.__name__ if module else ""
        if name.partition(".")[0] == "nickbook":
            self.found[name] = digest(name)
        elif whole and module and _is_own(module) and getattr(module, "__file__", None):
            self.own.add(module)
            self.found[name] = _hash(parse(Path(str(module.__file__)).read_text("utf-8")).text)
        return f" {name}"


def _is_own(module: ModuleType) -> bool:
    if module.__name__ == "__main__":
        return True
    file = getattr(module, "__file__", None)
    if file is None or module.__name__.partition(".")[0] == "nickbook":
        return False
    path = Path(file)
    installed = {"site-packages", "dist-packages"}.intersection(path.parts)
    return not installed and not any(path.is_relative_to(folder) for folder in _INSTALLED)


def _bare(value: Any) -> str:
    return re.sub(" at 0x[0-9a-f]+", "", repr(value))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
