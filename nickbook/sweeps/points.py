"""What happens at one point of a grid, in whatever process."""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nickbook.results import Result

Index = tuple[int, ...]
#: A point: where it is, and its parameters.
Point = tuple[Index, dict[str, Any]]
#: Variables or coordinates by name: dimensions, values, attributes.
Parts = dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, Any]]]
#: What a point gave: variables and coordinates, or what went wrong.
Outcome = tuple[Parts, Parts] | str
#: Calls before an error that are kept of it.
_CALLS = 3


@dataclass(frozen=True)
class Task:
    """What is done at every point.

    Attributes
    ----------
    function : callable
        Takes the parameters by name.
    name : str
        Name of a variable that has none of its own.
    drawn : set of str
        Which of ``rng`` and ``seed`` the function gets beside them.
    entropy : int
        Root of the random numbers.
    """

    function: Callable[..., Any]
    name: str
    drawn: frozenset[str]
    entropy: Any

    def __call__(self, point: Point) -> tuple[Index, Outcome]:
        """Compute a point; errors are returned."""
        index, given = point
        # Spawned by the place in the grid, so that neither order nor longer axes change it.
        seed = np.random.SeedSequence(self.entropy, spawn_key=index)
        if "rng" in self.drawn:
            given = given | {"rng": np.random.default_rng(seed)}
        if "seed" in self.drawn:
            given = given | {"seed": int(seed.generate_state(1)[0])}
        try:
            return index, _parts(self.function(**given), self.name)
        except Exception as error:
            return index, told(error)


def told(error: BaseException) -> str:
    """Write the type and message of an error, and the last calls before it."""
    inside = error.__traceback__.tb_next if error.__traceback__ else None
    calls = "".join(traceback.format_tb(inside)[-_CALLS:])
    return f"{type(error).__name__}: {error}\n{calls}".rstrip()


def _parts(value: Any, name: str) -> tuple[Parts, Parts]:
    """Take apart what a function returned: variables and coordinates."""
    import xarray as xr

    if isinstance(value, Result):
        value = value.to_dataset()
    if isinstance(value, xr.DataArray):
        value = {name if value.name is None else value.name: value}
    elif not isinstance(value, Mapping):  # of which a data set is one
        value = {name: value}
    variables, coordinates = Parts(), Parts()
    for key, part in value.items():
        if not isinstance(part, xr.DataArray):
            array = np.asarray(part)
            part = xr.DataArray(array, dims=[f"{key} axis {i}" for i in range(array.ndim)])
        variables[str(key)] = (_names(part), _plain(part.values), part.attrs)
        for label, along in part.coords.items():
            if along.ndim:  # one number is where something was chosen
                coordinates[str(label)] = (_names(along), along.values, along.attrs)
    return variables, coordinates


def _names(array: Any) -> tuple[str, ...]:
    return tuple(map(str, array.dims))


def _plain(values: np.ndarray) -> np.ndarray:
    """Numbers as floats or complex numbers, which have a NaN, and texts as objects."""
    if values.dtype.kind in "biuf":
        return values.astype(float)
    if values.dtype.kind == "c":
        return values.astype(complex)
    if values.dtype.kind in "UTO" and all(isinstance(v, str) for v in values.flat):
        return values.astype(object)
    raise TypeError(f"the function returned {values!r}; allowed: numbers, texts and arrays of them")
