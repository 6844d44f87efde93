"""What a room exports says what it takes and what it returns, and shows how it is used."""

import ast
import builtins
import doctest
import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import validate

import nickbook
from nickbook.book import api

ROOMS = [f"nickbook.{m.name}" for m in pkgutil.iter_modules(nickbook.__path__) if m.ispkg]
CHECKS = {
    *("GL03", "GL06", "GL07", "GL08", "GL10"),  # sections: known, in order, with blank lines
    *("PR01", "PR02", "PR03", "PR04", "PR07"),  # arguments: all, in order, with type and meaning
    *("RT01", "RT03"),  # what is returned
    *("SS01", "SS02", "SS03", "SS06"),  # a summary: one sentence on one line
}


def public_callables() -> list[str]:
    rooms = {room: importlib.import_module(room) for room in ROOMS}
    names = [(room, name) for room, module in rooms.items() for name in module.__all__]
    return [f"{room}.{name}" for room, name in names if callable(getattr(rooms[room], name))]


@pytest.mark.parametrize("name", public_callables())
def test_docstring_is_complete(name: str) -> None:
    errors = validate(name)["errors"]
    assert [f"{code}: {text}" for code, text in errors if code in CHECKS] == []


EXAMPLES = {
    name: doctest.DocTestParser().get_examples(inspect.getdoc(entry.thing) or "")
    for name, entry in api.public().items()
    if callable(entry.thing)
    and not (inspect.isclass(entry.thing) and issubclass(entry.thing, Exception))
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_can_be_copied_as_it_stands(name: str) -> None:
    assert EXAMPLES[name], f"the docstring of {name} has no example"
    assert not any(example.options for example in EXAMPLES[name]), "a directive is no Python"
    tree = ast.parse("".join(example.source for example in EXAMPLES[name]))
    assert isinstance(tree.body[0], ast.Import | ast.ImportFrom), "imports come first"
    known, used = set(dir(builtins)), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            known.add(node.asname or node.name)
        elif isinstance(node, ast.FunctionDef):
            known.add(node.name)
        elif isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else known).add(node.id)
    assert not used - known, f"the example of {name} does not import {used - known}"
    # Of a class that users only receive, the example says how to get one.
    assert name in used or inspect.isclass(api.public()[name].thing), f"{name} is not called"


def test_examples_run_among_the_tests(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.option.doctestmodules and "nickbook" in pytestconfig.getini("testpaths")
