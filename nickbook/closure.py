"""What a piece of Python is made from: the modules of the package that it calls, and their data.

Imports are read from the text, those inside functions too, and names are followed through the
packages that only hand them on: ``from nickbook.pairing import frg_flow`` leads to the module that
defines it and not to its neighbours. What is imported by a computed name is not seen.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import resolve_name
from itertools import accumulate
from pathlib import Path

PACKAGE = Path(__file__).parent

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Code:
    """What a text of Python says.

    `text` is its syntax without places, comments and docstrings, the same in all versions of
    Python. `imports` holds pairs of a module and the name taken from it, empty for the whole
    module, and `bound` the same by the name that each has at the top level. `strings` are all
    string literals. A `facade` does nothing but import and set names such as ``__all__``.
    """

    text: str
    imports: frozenset[tuple[str, str]] = frozenset()
    bound: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    strings: frozenset[str] = frozenset()
    facade: bool = False


@cache
def parse(source: str, *, documented: bool = True) -> Code:
    """Read a text of Python, or raise SyntaxError.

    A string that comes first is a docstring unless `documented` is false, as for a notebook's cell,
    where it is an output.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    return Code(
        text=repr(_syntax(tree if documented else tree.body)),
        imports=frozenset(target for node in nodes for target in _imports(node).values()),
        bound={name: target for node in tree.body for name, target in _imports(node).items()},
        strings=frozenset(
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ),
        facade=all(map(_hands_on, tree.body)),
    )


def closure(
    modules: Iterable[str] = (), codes: Iterable[Code] = (), *, package: Path = PACKAGE
) -> dict[str, str]:
    """Hash everything in a package that modules, or texts outside it, are made from.

    Modules have full names, such as ``"nickbook.pairing.gap"``; one that `package` does not have
    raises ValueError. The result holds a hash of each module's `Code.text` and, as
    ``module: file``, of each file of its folder that a module names in a string. Packages that
    only hand names on are not listed.
    """
    todo = list(modules)
    for module in todo:
        if _path(package, module) is None:
            raise ValueError(f"module = {module!r}; allowed: a module of {package}")
    for code in codes:
        todo += _targets(package, code, "")
    found: dict[str, str] = {}
    while todo:
        module = todo.pop()
        path = _path(package, module)
        if module in found or path is None:
            continue
        code = _parsed(path)
        found[module] = _hash(code.text.encode())
        parents = list(accumulate(module.split(".")[:-1], "{}.{}".format))
        home = module if path.name == "__init__.py" else parents[-1]
        todo += _targets(package, code, home)
        todo += [name for name in parents if not _parsed(_path(package, name)).facade]
        files = data_files(path.parent, code.strings)
        found |= {f"{module}: {name}": content for name, content in files.items()}
    return found


def data_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Hash the files below a folder, apart from modules, whose names are among any strings.

    The hashes are the same for either kind of line ending.
    """
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.suffix != ".py"}
    return {
        name: _hash(b"\n".join(files[name].read_bytes().splitlines()))
        for name in sorted(set(names) & files.keys())
        if files[name].is_file()
    }


def fold(hashes: Mapping[str, str]) -> str:
    """Hash names with their hashes into one, in whatever order they come."""
    return _hash("".join(f"{name}\n{hashes[name]}\n" for name in sorted(hashes)).encode())


@cache
def digest(module: str) -> str:
    """Hash a module and everything that it calls in this package (SHA-256, hexadecimal)."""
    return fold(closure([module]))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _parsed(path: Path | None) -> Code:
    return parse(path.read_text(encoding="utf-8")) if path else Code("", facade=True)


def _path(package: Path, module: str) -> Path | None:
    """File of a module, or nothing if it belongs to another package."""
    first, *others = module.split(".")
    place = package.joinpath(*others)
    files = (place / "__init__.py", place.parent / f"{place.name}.py")
    return next((f for f in files if first == package.name and f.is_file()), None)


def _targets(package: Path, code: Code, home: str) -> Iterator[str]:
    """Modules of the package that define what a text imports."""
    for module, name in code.imports:
        yield from _defining(package, resolve_name(module, home or None), name)


def _defining(package: Path, module: str, name: str) -> Iterator[str]:
    path = _path(package, module)
    if path is None:
        return
    bound = _parsed(path).bound if path.name == "__init__.py" else {}
    # A room may import a module of its own by name, which then is that module.
    if name in bound and (resolve_name(bound[name][0], module), bound[name][1]) != (module, name):
        origin, original = bound[name]
        yield from _defining(package, resolve_name(origin, module), original)
    else:
        part = f"{module}.{name}"
        inside = name and path.name == "__init__.py" and _path(package, part)
        yield part if inside else module


def _imports(node: ast.AST) -> dict[str, tuple[str, str]]:
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name: (alias.name, "") for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return {alias.asname or alias.name: (module, alias.name) for alias in node.names}
    return {}


def _hands_on(node: ast.stmt) -> bool:
    """Whether a statement is an import, a name such as ``__all__``, or a docstring."""
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("__") for t in node.targets)
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.Import | ast.ImportFrom)


def _syntax(node: object) -> object:
    """Return what a node says; empty fields, which new versions of Python add, are left out."""
    if isinstance(node, list):
        return [_syntax(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    parts = dict(ast.iter_fields(node))
    if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
        parts["body"] = parts["body"][1:]
    said = {name: _syntax(part) for name, part in parts.items() if part not in (None, [])}
    return [type(node).__name__, said]
