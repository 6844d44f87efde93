"""What a piece of Python is made from: the modules of the package that it calls, and their data.

Imports are read from the text, those inside functions too, and names are followed through the
packages that only hand them on: ``from nickbook.pairing import frg_flow`` leads to the module that
defines it and not to its neighbours. What is imported by a computed name is not seen.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

PACKAGE = Path(__file__).parent

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Code:
    """What a text of Python says.

    Parameters
    ----------
    text : str
        The text without comments, docstrings and blank lines; the same in all versions of Python.
    imports : frozenset of (str, str)
        Modules with the name taken from each, which is empty for the whole module.
    bound : mapping of str to (str, str)
        The same by the name under which it is known at the top level.
    strings : frozenset of str
        All string literals.
    facade : bool
        Whether it does nothing but import and set names such as ``__all__``.
    """

    text: str
    imports: frozenset[tuple[str, str]] = frozenset()
    bound: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    strings: frozenset[str] = frozenset()
    facade: bool = False


@cache
def parse(source: str, *, documented: bool = True) -> Code:
    """Read a text of Python.

    Parameters
    ----------
    source : str
        The text.
    documented : bool
        Whether a string that comes first is a docstring; in a notebook's cell it is an output.

    Returns
    -------
    Code
        What counts in it.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    statements = [node for node in tree.body if not _is_text(node)]
    return Code(
        text=_bare(source, nodes, nodes if documented else nodes[1:]),
        imports=frozenset(target for node in nodes for target in _imports(node).values()),
        bound={name: target for node in tree.body for name, target in _imports(node).items()},
        strings=frozenset(
            node.value
            for node in nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ),
        facade=all(
            isinstance(node, ast.Import | ast.ImportFrom) or _is_dunder(node) for node in statements
        ),
    )


def closure(
    modules: Iterable[str] = (), codes: Iterable[Code] = (), *, package: Path = PACKAGE
) -> dict[str, str]:
    """Find everything in a package that modules, or texts outside it, are made from.

    Parameters
    ----------
    modules : iterable of str
        Full names, such as ``"nickbook.pairing.gap"``.
    codes : iterable of Code
        Texts that import from the package.
    package : Path
        Directory of the package.

    Returns
    -------
    dict of str to str
        A hash of each module's `Code.text`, and of each file that a module names in a string
        and that lies in its folder, by name. Packages that only hand names on are not listed.

    Raises
    ------
    ValueError
        If the package has no such module.
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
        home = module if path.name == "__init__.py" else module.rpartition(".")[0]
        todo += _targets(package, code, home)
        todo += [name for name in _parents(module) if not _parsed(_path(package, name)).facade]
        found |= {
            f"{module}: {name}": content
            for name, content in data_files(path.parent, code.strings).items()
        }
    return found


def data_files(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Hash the files of a folder that are named, apart from modules.

    Parameters
    ----------
    folder : Path
        Where they lie, or folders below.
    names : iterable of str
        Any strings; those that are no file are passed over.

    Returns
    -------
    dict of str to str
        A hash of each file's content by name, the same for either kind of line ending.
    """
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.suffix != ".py"}
    named = sorted(set(names) & files.keys())
    return {
        name: _hash(b"\n".join(files[name].read_bytes().splitlines()))
        for name in named
        if files[name].is_file()
    }


def fold(hashes: Mapping[str, str]) -> str:
    """Hash names with their hashes into one, in whatever order they come."""
    return _hash("".join(f"{name}\n{hashes[name]}\n" for name in sorted(hashes)).encode())


@cache
def digest(module: str) -> str:
    """Hash a module and everything that it calls in this package.

    Parameters
    ----------
    module : str
        Full name, such as ``"nickbook.pairing.gap"``.

    Returns
    -------
    str
        A hexadecimal SHA-256 that comments, docstrings and blank lines do not change.
    """
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


def _parents(module: str) -> Iterator[str]:
    while module := module.rpartition(".")[0]:
        yield module


def _targets(package: Path, code: Code, home: str) -> Iterator[str]:
    """Modules of the package that define what a text imports."""
    for module, name in code.imports:
        yield from _defining(package, resolve_name(module, home or None), name)


def _defining(package: Path, module: str, name: str) -> Iterator[str]:
    path = _path(package, module)
    if path is None:
        return
    bound = _parsed(path).bound if path.name == "__init__.py" else {}
    if name in bound:
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


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_dunder(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and all(
        isinstance(target, ast.Name) and target.id.startswith("__") for target in node.targets
    )


def _bare(source: str, nodes: list[ast.AST], documented: list[ast.AST]) -> str:
    """Cut comments, docstrings and blank lines by their places: `ast.dump` differs by version."""
    lines = [line.encode() for line in source.split("\n")]  # the places count bytes
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:  # runs to the end of its line
            row = token.start[0] - 1
            lines[row] = lines[row][: -len(token.string.encode())].rstrip()
    docstrings = [
        node.body[0]
        for node in documented
        if isinstance(node, _DOCUMENTED) and node.body and _is_text(node.body[0])
    ]
    for text in docstrings:
        first, last = text.lineno - 1, (text.end_lineno or text.lineno) - 1
        rest = lines[first][: text.col_offset], lines[last][text.end_col_offset :]
        lines[first : last + 1] = [b"".join(rest), *[b""] * (last - first)]
    cut = {id(text.value) for text in docstrings if isinstance(text, ast.Expr)}
    inside = {  # rows whose end lies in a string, where blanks count
        row
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in cut
        for row in range(node.lineno - 1, (node.end_lineno or node.lineno) - 1)
    }
    return "\n".join(
        line.decode() if row in inside else line.decode().rstrip()
        for row, line in enumerate(lines)
        if row in inside or line.strip()
    )
