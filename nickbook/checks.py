"""Checks of arguments: each names the argument, the value it got and what it takes.

And of the installation: what is missing, and how it is had.
"""

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray


def real(
    name: str,
    value: object,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    unit: str = "",
) -> float:
    """Return `value` as a finite float in the stated range, or raise TypeError or ValueError.

    `above` and `below` are open bounds, `at_least` and `at_most` closed ones. The message names the
    argument and writes `unit` behind numbers.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} = {value!r} has type {type(value).__name__}; give one real number")
    number = float(value)
    fits = math.isfinite(number)
    allowed = []
    for bound, sign, holds in (
        (above, ">", operator.gt),
        (at_least, ">=", operator.ge),
        (below, "<", operator.lt),
        (at_most, "<=", operator.le),
    ):
        if bound is not None:
            fits = fits and bool(holds(number, bound))
            allowed.append(f"{name} {sign} {bound:.6g}")
    if not fits:
        suffix = f" {unit}" if unit else ""
        stated = f" with {' and '.join(allowed)}{suffix}" if allowed else ""
        raise ValueError(f"{name} = {value}{suffix}; allowed: a finite number{stated}")
    return number


def positive_integer(
    name: str, value: object, *, at_least: int = 1, at_most: int | None = None
) -> int:
    """Return `value` as an int in the stated range, or raise TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} = {value!r} has type {type(value).__name__}; give an integer")
    number = int(value)
    if number < at_least or (at_most is not None and number > at_most):
        limits = f">= {at_least}" if at_most is None else f"from {at_least} to {at_most}"
        raise ValueError(f"{name} = {value}; allowed: an integer {limits}")
    return number


def momenta(name: str, k: ArrayLike, dimension: int) -> NDArray[np.float64]:
    """Return `k` as a finite float array of shape (..., dimension), or raise ValueError."""
    try:
        array = np.asarray(k, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: momenta are real numbers of shape (..., {dimension})") from error
    if array.ndim == 0 or array.shape[-1] != dimension:
        raise ValueError(
            f"{name} has shape {array.shape}; allowed: (..., {dimension}), "
            "momentum components on the last axis"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {array[~np.isfinite(array)][0]}; momenta must be finite")
    return array


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Say which extra of the package brings a module that is missing.

    Around imports: ``with extra("frg", "frg_flow"): from numba import njit``. A missing module then
    raises an ImportError that names it, the extra and the command.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{what} needs {error.name}, which is not installed; it comes with the extra "
            f"{name!r}: pip install 'nickbook[{name}]'",
            name=error.name,
        ) from None


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return `value` if it is one of `allowed`, or raise ValueError."""
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}; allowed: {', '.join(map(repr, allowed))}")
    return value
