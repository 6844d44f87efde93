"""What a room exports says what it takes and what it returns, in numpydoc's format."""

import importlib
import pkgutil

import pytest
from numpydoc.validate import validate

import nickbook

ROOMS = [f"nickbook.{m.name}" for m in pkgutil.iter_modules(nickbook.__path__) if m.ispkg]
CHECKS = {
    "GL03",  # blank lines
    "GL06",  # unknown section
    "GL07",  # order of sections
    "GL08",  # no docstring
    "GL10",  # malformed section
    "PR01",  # argument not described
    "PR02",  # argument that does not exist
    "PR03",  # order of arguments
    "PR04",  # argument without its type
    "PR07",  # argument with an empty description
    "RT01",  # no word on what is returned
    "RT03",  # empty description of what is returned
    "SS01",  # no summary
    "SS02",  # summary in lower case
    "SS03",  # summary without its full stop
    "SS06",  # summary longer than a line
}


def public_callables() -> list[str]:
    rooms = {room: importlib.import_module(room) for room in ROOMS}
    names = [(room, name) for room, module in rooms.items() for name in module.__all__]
    return [f"{room}.{name}" for room, name in names if callable(getattr(rooms[room], name))]


@pytest.mark.parametrize("name", public_callables())
def test_docstring_is_complete(name: str) -> None:
    errors = validate(name)["errors"]
    assert [f"{code}: {text}" for code, text in errors if code in CHECKS] == []
