"""Curves in closed form: one text that Python and the page both work out."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.results import Described

#: What a formula may call: the name in Python, that of JavaScript's Math, and the function.
FUNCTIONS: dict[str, tuple[str, np.ufunc]] = {
    "abs": ("abs", np.abs),
    "arccos": ("acos", np.arccos),
    "cos": ("cos", np.cos),
    "exp": ("exp", np.exp),
    "hypot": ("hypot", np.hypot),
    "log": ("log", np.log),
    "maximum": ("max", np.maximum),
    "minimum": ("min", np.minimum),
    "sin": ("sin", np.sin),
    "sqrt": ("sqrt", np.sqrt),
}
_OPERATORS: dict[type[ast.operator], tuple[str, np.ufunc]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.divide),
    ast.Pow: ("pow", np.power),
}
_WORKED = dict((*FUNCTIONS.values(), *_OPERATORS.values()))

#: A number, a name, or an operation with its arguments.
Node = float | str | list[Any]


@dataclass(frozen=True, eq=False)
class Formula(Described):
    """A few lines that give a curve's points from the sliders' values.

    The page works them out at every position of the sliders, where it would otherwise average
    stored curves. `explore` compares them with what ``compute`` returns.

    Parameters
    ----------
    text : str
        Lines ``name = expression``, which may use sliders, `given` and the lines above, with
        ``+ - * / **`` and `abs`, `arccos`, `cos`, `exp`, `hypot`, `log`, `maximum`, `minimum`,
        `sin`, `sqrt`. Where a number does not exist the curve has a gap.
    given : mapping of str to array_like, shape (n,)
        Numbers that do not change, one for each point, which are kept to nine digits.

    Raises
    ------
    SyntaxError, ValueError
        If a line is something else, a name is used before it is there, or ``x`` or ``y`` is
        neither given nor worked out.

    Examples
    --------
    >>> from nickbook.book import Formula
    >>> half = Formula("y = height * sqrt(1 - x**2)", {"x": [-1.0, 0.0, 1.0]})
    >>> half.points(height=2.0).tolist()
    [[-1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]
    >>> sorted(half.sliders)
    ['height']
    """

    text: str
    given: Mapping[str, Floats]
    #: What each line gives, as nested lists that start with the operation.
    lines: dict[str, Node] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = {
            name: np.array([float(f"{value:.9g}") for value in np.asarray(values).tolist()])
            for name, values in self.given.items()
        }
        if len({values.size for values in given.values()}) != 1:
            raise ValueError(
                "given of a formula must be arrays (n,) of one length, got "
                f"{ {name: values.size for name, values in given.items()} }"
            )
        for values in given.values():
            values.setflags(write=False)
        object.__setattr__(self, "given", MappingProxyType(given))
        object.__setattr__(self, "lines", {})
        for statement in ast.parse(self.text).body:
            name, node = _line(statement)
            if name in {*self.lines, *given, *self.sliders, *_names(node)}:
                raise ValueError(f"{name} is used or there before the formula's line {name} = …")
            self.lines[name] = node
        if missing := {"x", "y"} - self.lines.keys() - given.keys():
            raise ValueError(f"the formula must give {' and '.join(sorted(missing))}")

    def _words(self) -> str:
        return f"{self.text.strip()!r}, given {', '.join(self.given) or 'nothing'}"

    @property
    def sliders(self) -> frozenset[str]:
        """Names that the formula takes from elsewhere."""
        used = {name for node in self.lines.values() for name in _names(node)}
        return frozenset(used - self.lines.keys() - self.given.keys())

    def points(self, **settings: float) -> Floats:
        """Work out x and y, shape (2, n)."""
        known: dict[str, ArrayLike] = {**settings, **self.given}
        with np.errstate(invalid="ignore", divide="ignore"):
            for name, node in self.lines.items():
                known[name] = _work(node, known)
        size = next(iter(self.given.values())).size
        return np.stack([np.broadcast_to(known[axis], size) for axis in "xy"]).astype(float)

    def as_list(self) -> list[Any]:
        """Return lines and given numbers, of which None is NaN, as the front end reads them."""
        given = {
            name: [None if np.isnan(value) else value for value in values.tolist()]
            for name, values in self.given.items()
        }
        return [list(self.lines.items()), given]


def _line(statement: ast.stmt) -> tuple[str, Node]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, _node(value)
    raise ValueError(f"a line of a formula must be 'name = …', got {ast.unparse(statement)!r}")


def _node(tree: ast.expr) -> Node:
    match tree:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return name
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return ["*", -1.0, _node(operand)]
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _OPERATORS:
            return [_OPERATORS[type(op)][0], _node(left), _node(right)]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            symbol, work = FUNCTIONS[name]
            if len(args) == work.nin:
                return [symbol, *map(_node, args)]
    raise ValueError(f"a formula cannot hold {ast.unparse(tree)!r}")


def _names(node: Node) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for part in node[1:]:
            yield from _names(part)


def _work(node: Node, known: Mapping[str, ArrayLike]) -> ArrayLike:
    if isinstance(node, str):
        return known[node]
    if isinstance(node, list):
        result: ArrayLike = _WORKED[node[0]](*(_work(part, known) for part in node[1:]))
        return result
    return node
