"""What results have in common: how they print, and how they are saved.

The annotation of a field says in which unit it is and, for an array, along which axes it runs:
``points: Annotated[Floats, "1/a", "point", "xy"]``, with an empty unit for a pure number.  The
docstring of its class says what it is.  Axes of a part's array are named by its path, as in
``"sheets.*.point"``, where the star is the place in a tuple.
"""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import xarray as xr

#: Characters that a result takes at most to print, and numbers of an array that are printed.
_LONGEST, _FEW = 700, 8
#: Types of numbers as the package has them; NetCDF files hold others.
_TYPES = {"f": np.float64, "i": np.int64, "b": np.bool_}


class Described:
    """A data class that prints as one sentence, and in a notebook with a picture."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__repr__" not in vars(cls):
            # `dataclass`, which comes later, leaves a class alone that has its own.
            setattr(cls, "__repr__", Described.__repr__)  # noqa: B010

    def __repr__(self) -> str:
        words = self._words()
        words = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
        return f"{type(self).__name__}({words})"

    def _words(self) -> str:
        """Say what stands in the parentheses, from what is there and without a computation."""
        values = [(n.name, getattr(self, n.name), n.unit) for n in notes(self)]
        return ", ".join(f"{name}={shown(value, unit)}" for name, value, unit in values)

    def _picture(self) -> str:
        """Draw in SVG what a glance at the numbers does not show."""
        return ""

    def _repr_html_(self) -> str | None:
        picture = self._picture()
        words = f'<div style="font-family: monospace">{escape(repr(self))}</div>'
        return f"<div>{picture}{words}</div>" if picture else None


class Result(Described):
    """A data class that can be saved with all that it was computed from."""

    _classes: ClassVar[dict[str, type["Result"]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        Result._classes[cls.__name__] = cls

    def to_dataset(self) -> "xr.Dataset":
        """Return everything in the result as a data set with units.

        Parts have names such as ``sea.model.hoppings_real``: complex numbers are pairs of real
        ones, as NetCDF files have no others.  Words and counts are in the attribute ``parameters``.
        """
        import xarray as xr

        from nickbook import __version__

        variables: dict[str, Any] = {}
        tree = _Packer(variables).part(self, "")
        attributes = {
            "title": repr(self),
            "content": f"nickbook {type(self).__name__}",
            "version": __version__,
            "parameters": json.dumps(tree, ensure_ascii=False),
        }
        return xr.Dataset(variables, attrs=attributes)

    @classmethod
    def from_dataset(cls, data: "xr.Dataset") -> Self:
        """Return the result that a data set of `to_dataset` holds.

        Raises ValueError if the set holds something else or lacks a part.
        """
        found = str(data.attrs.get("content", "")).removeprefix("nickbook ")
        kind = Result._classes.get(found)
        if kind is None or not issubclass(kind, cls):
            what = f"a {found}" if found else "no result of this package"
            raise ValueError(f"holds {what}; allowed: what {cls.__name__}.save wrote")
        try:
            made: Self = _unpack(json.loads(data.attrs["parameters"]), data, "", {})
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"of version {data.attrs.get('version')} lacks a part of a {found} or has one "
                f"too many ({error}); compute it again, or read it with that version"
            ) from error
        return made

    def save(self, path: str | Path) -> None:
        """Write `to_dataset` to a NetCDF file.

        The file appears at once when it is complete: a crash leaves an older one as it was.
        """
        path = Path(path)
        draft = path.with_name(path.name + ".partial")
        self.to_dataset().to_netcdf(draft, engine="scipy")
        draft.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises ValueError, with the way out, if the file is damaged or holds something else.
        """
        import xarray as xr

        try:
            with xr.open_dataset(path, engine="scipy") as data:
                data = data.load()
        except FileNotFoundError:
            raise
        except Exception as error:
            # A file cut short makes scipy raise whatever its reader meets first.
            raise ValueError(f"{path} is damaged or no NetCDF file; delete it") from error
        try:
            return cls.from_dataset(data)
        except ValueError as error:
            raise ValueError(f"{path} {error}") from error


@dataclass(frozen=True)
class Note:
    """What is said about a field: name, unit, axes, and what it is."""

    name: str
    unit: str
    axes: tuple[str, ...]
    about: str


def notes(value: Described) -> tuple[Note, ...]:
    """Return what is said about the fields that an object is made from."""
    return _notes(type(value))  # type: ignore[arg-type]


@cache
def _notes(cls: type) -> tuple[Note, ...]:
    document = "\n".join(inspect.getdoc(base) or "" for base in cls.__mro__[:-1])
    about: dict[str, str] = {}
    for names, text in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .+\n?)+)", document, re.MULTILINE):
        first = re.split(r"(?<=\w)[.;:] ", " ".join(text.split()))[0].rstrip(".")
        about |= {name: about.get(name, first) for name in names.split(", ")}
    made = [f for f in fields(cls) if f.init]
    return tuple(Note(f.name, *_declared(f), about.get(f.name, f.name)) for f in made)


def _declared(field: Field[Any]) -> tuple[str, tuple[str, ...]]:
    unit, *axes = getattr(field.type, "__metadata__", ("",))
    return unit, tuple(axes)


def shown(value: Any, unit: str = "") -> str:
    """Write a value shortly: numbers with six digits, arrays by their size."""
    behind = f" {unit}" if unit else ""
    if isinstance(value, np.ndarray) and value.size > _FEW:
        kind = "complex numbers" if np.iscomplexobj(value) else "numbers"
        return f"{' × '.join(map(str, value.shape))} {kind}{f' in {unit}' if unit else ''}"
    if isinstance(value, np.ndarray):
        return f"{np.array2string(value, precision=4, separator=', ')}{behind}".replace("\n", "")
    if isinstance(value, float | np.floating):
        return f"{value:.6g}{behind}"
    if isinstance(value, tuple | list) and len(value) > _FEW // 2:
        return f"{len(value)} × {type(value[0]).__name__}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(shown, value))}){behind}"
    return f"{{{', '.join(map(repr, value))}}}" if isinstance(value, dict) else repr(value)


def span(values: ArrayLike, unit: str = "") -> str:
    """Write the range of some numbers, such as "1.2 … 1.5 eV"."""
    low, high = (f"{x:.4g}" for x in (np.min(values), np.max(values)))
    return f"{low if low == high else f'{low} … {high}'} {unit}".strip()


class _Packer:
    """Takes a result apart into named arrays and a tree of words and counts.

    A part that is there twice is stored once, so that it is one part again after reading.
    """

    def __init__(self, variables: dict[str, Any]) -> None:
        self.variables, self.seen = variables, dict[int, str]()

    def part(self, value: Result, path: str) -> dict[str, Any]:
        if id(value) in self.seen:
            return {"same": self.seen[id(value)]}
        self.seen[id(value)] = path
        tree: dict[str, Any] = {"class": type(value).__name__}
        for note in notes(value):
            content, name = getattr(value, note.name), _joined(path, note.name)
            if isinstance(content, float | np.floating):
                content = np.array(content)
            tree[note.name] = self.any(content, name, note, path)
        return tree

    def any(self, value: Any, path: str, note: Note, owner: str) -> Any:
        if isinstance(value, Result):
            return self.part(value, path)
        if isinstance(value, np.ndarray):
            return self.array(value, path, note, owner)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, tuple | list):
            if note.axes and value and all(isinstance(v, str) for v in value):
                axis = _joined(owner, note.axes[0])
                self.variables[axis] = ([axis], list(value))
            items = [self.any(v, f"{path}.{i}", note, owner) for i, v in enumerate(value)]
            return items if isinstance(value, tuple) else {"list": items}
        if isinstance(value, Mapping):
            items = [self.any(v, f"{path}.{i}", note, owner) for i, v in enumerate(value.values())]
            return {"keys": list(value), "items": items}
        if value is None or isinstance(value, str | int | float):
            return value
        raise TypeError(f"{path} = {value!r} cannot be saved; allowed: numbers, texts, results")

    def array(self, value: np.ndarray, path: str, note: Note, owner: str) -> dict[str, Any]:
        if not value.size:  # a length of zero is that of NetCDF's unlimited axis
            return {"empty": value.shape, "type": value.dtype.str}
        place = path.rpartition(".")[2]
        given = [axis.replace("*", place) for axis in note.axes[: value.ndim]]
        given += [f"{note.name} axis {i}" for i in range(len(given), value.ndim)]
        axes = [_joined(owner, axis) for axis in given]
        says = {"units": note.unit or "1", "long_name": note.about}
        parts = {path: value}
        if np.iscomplexobj(value):
            parts = {f"{path}_real": value.real, f"{path}_imag": value.imag}
        self.variables |= {name: (axes, part, says) for name, part in parts.items()}
        return {"array": path}


def _unpack(tree: Any, data: "xr.Dataset", path: str, made: dict[str, Any]) -> Any:
    """Put together what `_Packer` took apart; `made` holds the parts by their paths."""
    if isinstance(tree, list):
        return tuple(_unpack(t, data, f"{path}.{i}", made) for i, t in enumerate(tree))
    if not isinstance(tree, dict):
        return tree
    if "class" in tree:
        parts = {n: _unpack(t, data, _joined(path, n), made) for n, t in tree.items()}
        made[path] = Result._classes[parts.pop("class")](**parts)
        return made[path]
    if "same" in tree:
        return made[tree["same"]]
    if "array" in tree:
        return read_array(data, tree["array"])
    if "empty" in tree:
        return np.empty(tree["empty"], tree["type"])
    if "list" in tree:
        return list(_unpack(tree["list"], data, path, made))
    return dict(zip(tree["keys"], _unpack(tree["items"], data, path, made), strict=True))


def read_array(data: "xr.Dataset", name: str) -> Any:
    """Return an array of a data set, or a float where it has no axes."""
    if f"{name}_real" in data:
        imaginary = f"{name}_imag" in data
        real = read_array(data, f"{name}_real")
        return real + 1j * read_array(data, f"{name}_imag") if imaginary else real
    # NetCDF files hold big-endian numbers, which compiled code does not take.
    values = data[name].to_numpy()
    values = values.astype(_TYPES[values.dtype.kind])
    return values if values.ndim else values.item()


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
