"""What a room exports says what it takes and what it returns, in numpydoc's format."""

import importlib
import pkgutil

import pytest
from numpydoc.validate import validate

import nickbook

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
