"""The reference of the package: what every public name is, takes and returns.

``python -m nickbook.book.api notebooks/api.md`` writes the page from the docstrings, which are in
numpydoc's format, and from the comments (``#:``) above public constants.
"""

import inspect
import pprint
import re
import sys
import textwrap
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

from numpydoc.docscrape import NumpyDocString

import nickbook

ROOT = Path(nickbook.__file__).parents[1]
SOURCE = "https://github.com/nickbook/nickbook/blob/HEAD/"
ROOMS = (
    *("bands", "dimers", "pairing", "pairing.triplon", "pairing.rpa", "pairing.frg", "pairing.tj"),
    *("plot", "claims", "claims.lk", "claims.glywh", "book", "book.explore", "papers"),
)

_HEAD = """---
title: API reference
description: Every public function, class and constant of the package, from its docstring.
numbering: false
---

This page is written from the docstrings of the package. Names are imported from the module under
which they stand here, as in `from nickbook.bands import fermi_sheets`; the examples run among the
tests. Energies are in eV; [](conventions.md) says the rest.
"""

# What reStructuredText marks up inside a paragraph, and what Markdown would take for markup.
_INLINE = re.compile(
    r":math:`(?P<math>[^`]+)`|``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|(?P<mark>[\\*_|<$@~\[\]{}])"
)


@dataclass(frozen=True)
class Entry:
    """A public name: the module that exports it, its label on the page, what it names."""

    room: ModuleType
    label: str
    thing: Any


def public() -> dict[str, Entry]:
    """Return what the rooms and their wings export, by name, each where it is exported first."""
    entries: dict[str, Entry] = {}
    for room in (import_module(f"nickbook.{name}") for name in ROOMS):
        own = [n for n, v in vars(room).items() if n[0] != "_" and _home(n, v)[0] is room]
        for name in getattr(room, "__all__", own):
            if name not in entries:
                label = _label(f"{room.__name__}.{name}")
                if label in {entry.label for entry in entries.values()}:
                    label += "-function"  # labels have no capitals: `nesting` is not `Nesting`
                entries[name] = Entry(room, label, getattr(room, name))
    return entries


def page(entries: Mapping[str, Entry]) -> str:
    """Write the page in MyST Markdown: a section for each room, and in it one for each name."""
    parts = [_HEAD]
    labels = {entry.room.__name__: _label(entry.room.__name__) for entry in entries.values()}
    labels |= {name: entry.label for name, entry in entries.items()}
    for room, names in groupby(entries, lambda name: entries[name].room):
        about = f"## `{room.__name__}`\n\n{_markdown(room.__doc__ or '', labels)}"
        parts.append(f"({labels[room.__name__]})=\n{about}\n")
        for name in names:
            entry = entries[name]
            path = f"{(_home(name, entry.thing)[0] or room).__name__.replace('.', '/')}.py"
            body = f"{_body(name, entry.thing, labels)}\n\nSource: [`{path}`]({SOURCE}{path})"
            parts.append(f"({entry.label})=\n### {_markdown(name, {})}\n\n{body}\n")
    return "\n".join(parts)


def _label(name: str) -> str:
    return "api-" + re.sub(r"[._]", "-", name).lower()


def _home(name: str, thing: Any) -> tuple[ModuleType | None, str]:
    """Return the module that defines something and, for a constant, the comment above it."""
    if hasattr(thing, "__qualname__"):
        return sys.modules[thing.__module__], ""
    line = re.compile(rf"^((?:#:.*\n)+){name}\b[^=\n]* = ", re.MULTILINE)
    for module in [m for n, m in sys.modules.items() if n.startswith("nickbook.")]:
        if name in vars(module) and (found := line.search(inspect.getsource(module))):
            return module, found[1].replace("#:", "")
    return None, ""


def _body(name: str, thing: Any, labels: Mapping[str, str]) -> str:
    if not callable(thing):
        value, about = pprint.pformat(thing, sort_dicts=False), _home(name, thing)[1]
        return f"```python\n{value}\n```\n\n{_markdown(about, labels)}"
    doc = NumpyDocString(inspect.getdoc(thing) or "")
    # In its own docstring a parameter is meant, whatever else has its name.
    own = {*vars(thing), *(n.strip() for p in doc["Parameters"] for n in p.name.split(","))}
    labels = {n: label for n, label in labels.items() if n not in own}
    parts = [f"```python\n{_signature(name, thing)}\n```"]
    for title, lines in doc.items():
        if lines and title not in ("Summary", "Extended Summary"):
            parts.append(f"**{title}**")
        if lines and hasattr(lines[0], "desc"):
            parts += [_item(p.name, p.type, "\n".join(p.desc), labels) for p in lines]
        elif lines:
            parts.append(_markdown("\n".join(lines), labels))
    members = _members(thing) if inspect.isclass(thing) else {}
    if members:
        parts.append("**Members**")
        parts += [_item(call, "", text, labels) for call, text in members.items()]
    return "\n\n".join(parts)


def _signature(name: str, thing: Any) -> str:
    """How something is called; types stand with the parameters."""
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return f"{name}(message)"
    signature = inspect.signature(thing)
    kept = [p.replace(annotation=p.empty) for n, p in signature.parameters.items() if n != "self"]
    text = str(signature.replace(parameters=kept, return_annotation=signature.empty))
    text = name + re.sub(r"<function (\w+)[^>]*>", r"\1", text)
    return "\n    ".join(textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False))


def _members(cls: type) -> dict[str, str]:
    """Return calls of methods, and properties, with the first paragraphs of their docstrings."""
    members = {}
    own = [base for base in cls.__mro__ if base.__module__.startswith("nickbook.")]
    for name, member in ChainMap(*(dict(vars(base)) for base in own)).items():
        value = isinstance(member, property | cached_property)
        if name[0] != "_" and (value or inspect.isroutine(member)):
            call = name if value else " ".join(_signature(name, getattr(cls, name)).split())
            members[call] = (inspect.getdoc(getattr(cls, name)) or "").partition("\n\n")[0]
    return members


def _item(names: str, kind: str, text: str, labels: Mapping[str, str]) -> str:
    """One entry of a definition list; classes in its type become links."""
    links = {name: f"[{name}](#{label})" for name, label in labels.items()}
    kind = _markdown(re.sub(r'"[^"]*"', r"``\g<0>``", kind), {})
    kind = re.sub(r"\b[A-Z]\w+", lambda word: links.get(word[0], word[0]), kind)
    term = " : ".join(filter(None, (names and f"`{names}`", kind)))
    return f"{term}\n: " + _markdown(text, labels).replace("\n", "\n  ")


def _markdown(text: str, labels: Mapping[str, str]) -> str:
    """Translate paragraphs, formulas and examples; names in backticks become links."""

    def inline(found: re.Match[str]) -> str:
        if found["mark"] or found["math"]:
            return f"\\{found['mark']}" if found["mark"] else f"${found['math']}$"
        name = found["name"] or ""
        label = labels.get(name, labels.get(name.partition(".")[0]))
        return f"[`{name}`](#{label})" if label else f"`{found['code'] or name}`"

    parts = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        directive, _, formula = block.partition("::")
        if directive == ".. math":
            parts.append(f"$$\n{inspect.cleandoc(formula)}\n$$")
        elif block.startswith(">>>"):
            parts.append(f"```python\n{block}\n```")
        else:
            parts.append(_INLINE.sub(inline, " ".join(block.split())))
    return "\n\n".join(parts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nickbook.book.api OUTPUT.md")
    Path(sys.argv[1]).write_text(page(public()), encoding="utf-8", newline="\n")
