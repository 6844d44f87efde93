"""What is known on a grid: in memory as a data set, and on disk as a Zarr folder.

Everything is in memory, so that the parts of a folder are always written whole.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import numpy as np

from nickbook.checks import extra
from nickbook.sweeps.points import Index, Outcome, Parts

if TYPE_CHECKING:
    import xarray as xr

#: What the variable ``error`` says of a point that nobody has computed yet.
PENDING = "not computed"
#: Largest part of a variable that is written to a file at once: points and bytes.
CHUNK_POINTS, CHUNK_BYTES = 1024, 2**18
#: Names that a sentence lists.
_FEW = 3


class Table:
    """Results on the grid so far.

    Parameters
    ----------
    axes : dict of str to array
        Axes of the grid.
    attributes : dict of str to str
        What is said of the sweep as a whole.
    units : mapping of str to str
        Units of axes and variables.

    Attributes
    ----------
    failed : int
        How many points failed.
    """

    def __init__(
        self, axes: dict[str, np.ndarray], attributes: dict[str, str], units: Mapping[str, str]
    ) -> None:
        import xarray as xr

        self.axes, self.units, self.failed = tuple(axes), units, 0
        errors = np.full(tuple(map(len, axes.values())), PENDING, dtype=object)
        self.data = xr.Dataset({"error": (self.axes, errors)}, coords=axes, attrs=attributes)
        self._label()

    @property
    def errors(self) -> np.ndarray:
        """What went wrong, by point: empty, an error, or `PENDING`."""
        errors: np.ndarray = self.data["error"].values
        return errors

    def take(self, found: "xr.Dataset") -> None:
        """Take over what is known on a grid with axes that are as long or shorter."""
        wanted = {name: self.data.coords[name] for name in self.axes}
        grown = _grown(found, {name: len(values) for name, values in wanted.items()})
        self.data = grown.assign_coords(wanted)
        self.failed = int(np.sum((self.errors != "") & (self.errors != PENDING)))
        self._label()

    def enter(self, index: Index, outcome: Outcome) -> None:
        """Note what a point gave; what does not fit to the others is an error of this point."""
        variables: Parts = {}
        if not isinstance(outcome, str):
            try:
                self._make_room(*outcome)
                variables, outcome = outcome[0], ""
            except ValueError as error:
                outcome = f"ValueError: {error}"
        self.failed += bool(outcome) - (self.errors[index] not in ("", PENDING))
        self.errors[index] = outcome
        for name, (_, values, _) in variables.items():
            place: tuple[int | slice, ...] = (*index, *map(slice, values.shape))
            self.data[name].values[place] = values[()]  # a text, not an array that holds one

    def _make_room(self, variables: Parts, coordinates: Parts) -> None:
        self._compare(variables, coordinates)
        sizes = {str(dim): size for dim, size in self.data.sizes.items()}
        for dims, values, _ in (variables | coordinates).values():
            for dim, size in zip(dims, values.shape, strict=True):
                sizes[dim] = max(size, sizes.get(dim, 0))
        if longer := [d for d in self.data.indexes if sizes[str(d)] > self.data.sizes[d]]:
            raise ValueError(f"arrays along {longer[0]} are longer than its coordinate")
        new = (variables | coordinates).keys() - {str(name) for name in self.data.variables}
        if not new and sizes == self.data.sizes:
            return
        self.data = _grown(self.data, sizes)
        self.data = self.data.assign_coords({n: c for n, c in coordinates.items() if n in new})
        for name in sorted(new & variables.keys()):
            dims, values, attributes = variables[name]
            along = (*self.axes, *dims)
            empty = _filled([sizes[dim] for dim in along], values.dtype)
            self.data[name] = (along, empty, attributes)
        self._label()

    def _compare(self, variables: Parts, coordinates: Parts) -> None:
        """Raise ValueError if a point's arrays cannot stand beside those of the others."""
        for name, (dims, values, _) in (variables | coordinates).items():
            if taken := {name, *dims} & {*self.axes, "error"}:
                raise ValueError(f"{taken.pop()} is a name of the sweep; return {name} by another")
            here = self.data.variables.get(name)
            if here is None:
                continue
            if name in coordinates:
                if not np.array_equal(here.values, values):
                    raise ValueError(f"the coordinate {name} is not that of another point")
            elif here.dims != (*self.axes, *dims) or here.dtype.kind != values.dtype.kind:
                before = here.dims[len(self.axes) :]
                raise ValueError(
                    f"{name} has dimensions {dims} and type {values.dtype}; "
                    f"at another point {before} and {here.dtype}"
                )

    def _label(self) -> None:
        for name in self.units.keys() & self.data.variables.keys():
            self.data[name].attrs["units"] = self.units[name]


def _filled(shape: Sequence[int], dtype: np.dtype[Any], word: str = "") -> np.ndarray:
    return np.full(shape, word if dtype.kind == "O" else np.nan, dtype)


def _grown(data: "xr.Dataset", sizes: Mapping[str, int]) -> "xr.Dataset":
    """Lengthen dimensions of variables; coordinates along them are left out."""
    import xarray as xr

    variables = {}
    for name, old in data.data_vars.items():
        shape = [sizes.get(str(dim), size) for dim, size in old.sizes.items()]
        values = _filled(shape, old.dtype, PENDING if name == "error" else "")
        values[tuple(map(slice, old.shape))] = old.values
        variables[name] = (old.dims, values, old.attrs)
    kept = {
        name: along
        for name, along in data.coords.items()
        if all(sizes.get(str(dim), size) == size for dim, size in along.sizes.items())
    }
    return xr.Dataset(variables, coords=kept, attrs=data.attrs)


class Store:
    """A Zarr folder that has what is in a table.

    ``error`` is written last, so that what it calls computed is there.  A whole folder is written
    beside the old one, and then takes its place.

    Parameters
    ----------
    path : str or Path
        The folder, which need not exist.
    """

    def __init__(self, path: str | Path) -> None:
        with extra("sweep", "sweep with a store"):
            import zarr  # noqa: F401
        self.path = Path(path)
        self._draft = self.path.with_name(f"{self.path.name}.partial")
        self._old = self.path.with_name(f"{self.path.name}.old")
        self._files: dict[str, Any] = {}  # arrays by name
        self._sizes: Mapping[Any, int] = {}

    def read(self, table: Table, *, extend: bool) -> None:
        """Put what is stored into a table, or raise ValueError if it is of another sweep."""
        import xarray as xr

        if not self.path.exists() and self._old.exists():  # stopped between two renamings
            self._old.rename(self.path)
        if not self.path.exists():
            return
        try:
            with xr.open_zarr(self.path, consolidated=False, chunks=None) as data:
                found = data.load().drop_encoding()
        except Exception as error:
            raise ValueError(f"{self.path} holds no sweep ({error}); give another store") from error
        texts = {n: v.astype(object) for n, v in found.items() if v.dtype.kind not in "fc"}
        found = found.assign(texts)
        if differences := [*_differences(found, table.data)]:
            raise ValueError(
                f"{self.path} holds another sweep: {'; '.join(differences)}. "
                "Give another store, or delete this one to compute everything anew"
            )
        longer = [n for n in table.axes if found.sizes[n] < table.data.sizes[n]]
        if longer and not extend:
            raise ValueError(
                f"{self.path} has fewer values of {' and '.join(longer)}; "
                "with extend=True the sweep goes on with what it has"
            )
        table.take(found)
        self._list(found)

    def write(self, table: Table, indices: Iterable[Index]) -> None:
        """Write the parts in which points are, or everything where arrays have become longer."""
        data, indices = table.data, list(indices)
        if {str(n) for n in data.data_vars} != self._files.keys() or data.sizes != self._sizes:
            self._write_all(table)
            return
        for name in sorted(self._files, key="error".__eq__):
            file, values = self._files[name], data[name].values
            chunk = np.array(file.chunks[: len(table.axes)], dtype=int)
            for part in {tuple(np.array(index, dtype=int) // chunk) for index in indices}:
                place = tuple(map(slice, part * chunk, (np.array(part, dtype=int) + 1) * chunk))
                file[place] = values[place]

    def _write_all(self, table: Table) -> None:
        data, first = table.data, (0,) * len(table.axes)
        largest = max(np.asarray(v.values[first]).nbytes for v in data.data_vars.values())
        points, chunk = max(1, min(CHUNK_POINTS, CHUNK_BYTES // max(largest, 1))), {}
        for name in reversed(table.axes):
            chunk[name] = min(points, data.sizes[name])
            points = max(1, points // chunk[name])
        encoding = {
            name: {"chunks": tuple(chunk.get(str(d), max(n, 1)) for d, n in v.sizes.items())}
            for name, v in data.data_vars.items()
        }
        # Version 2 of the format has texts and complex numbers in its specification.
        data.to_zarr(self._draft, mode="w", zarr_format=2, consolidated=False, encoding=encoding)
        if self.path.exists():
            self.path.rename(self._old)
        self._draft.rename(self.path)
        rmtree(self._old, ignore_errors=True)
        self._list(data)

    def _list(self, data: "xr.Dataset") -> None:
        import zarr

        group = zarr.open_group(self.path, mode="r+")
        self._files = {str(name): group[str(name)] for name in data.data_vars}
        self._sizes = dict(data.sizes)


def _differences(there: "xr.Dataset", here: "xr.Dataset") -> Iterator[str]:
    """Say in what two sweeps differ, apart from dates, comments, and how long axes are here."""
    if "code" not in there.attrs or "error" not in there:
        yield "not one of this package"
        return
    for name in ("function", "seed"):
        if there.attrs[name] != here.attrs[name]:
            yield f"{name} {there.attrs[name] or 'none'} there, {here.attrs[name] or 'none'} here"
    for name in ("parameters", "versions", "code"):
        old, new = (json.loads(data.attrs[name]) for data in (there, here))
        names = sorted(n for n in old | new if old.get(n) != new.get(n))
        if names and name == "code":
            more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
            yield f"the code or value of {', '.join(names[:_FEW])}{more}"
        elif names:
            yield from (f"{n} {old.get(n)} there, {new.get(n)} here" for n in names)
    if there["error"].dims != here["error"].dims:
        yield f"axes {there['error'].dims} there, {here['error'].dims} here"
        return
    for axis in map(str, here["error"].dims):
        old, new = there[axis].values, here[axis].values
        if len(old) > len(new) or not np.array_equal(old, new[: len(old)]):
            yield f"{axis} {_brief(old)} there, {_brief(new)} here"


def _brief(values: np.ndarray) -> str:
    few = values if len(values) <= _FEW else [*values[:2], "…", values[-1]]
    return f"({', '.join(map(str, few))})"
