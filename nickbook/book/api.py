"""The reference of the package: what every public name is, takes and returns.

``python -m nickbook.book.api notebooks`` writes its pages, ``api.md`` and ``api-*.md``, from the
docstrings, which are in numpydoc's format, and from the comments (``#:``) above public constants.
"""

import inspect
import json
import math
import pprint
import re
import sys
import textwrap
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

from numpydoc.docscrape import NumpyDocString

import nickbook

ROOT = Path(nickbook.__file__).parents[1]
SOURCE = "https://github.com/nickbook/nickbook/blob/HEAD/"

#: Modules that export the names of each page; a name stands where the code is that defines it.
PAGES = {
    "bands": ("bands",),
    "crystal": ("crystal",),
    "dimers": ("dimers",),
    "pairing": ("pairing",),
    "pairing.triplon": ("pairing.triplon",),
    "pairing.rpa": ("pairing.rpa",),
    "pairing.frg": ("pairing.frg",),
    "pairing.tj": ("pairing.tj",),
    "observables": ("observables",),
    "plot": ("plot",),
    "sweeps": ("sweeps",),
    "claims": ("claims", "claims.lk", "claims.glywh", "papers"),
    "book": ("book", "book.explore", "book.sketches"),
}

_HEAD = """---
title: {title}
description: {description}
numbering: false
---
"""
_ABOUT = """
These pages are written from the docstrings of the package. Names are printed with the module to
import them from: `nickbook.bands.fermi_sheets` comes by `from nickbook.bands import fermi_sheets`.
Examples start with their imports and run among the tests. Energies are in eV; [](conventions.md)
says the rest.
"""

# What reStructuredText marks up inside a paragraph, and what Markdown would take for markup.
_INLINE = re.compile(
    r":math:`(?P<math>[^`]+)`|``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|(?P<mark>[\\*_|<$@~\[\]{}])"
)


@dataclass(frozen=True)
class Entry:
    """A public name: the module that exports it, its label in the reference, what it names."""

    room: ModuleType
    label: str
    thing: Any


def public() -> dict[str, Entry]:
    """Return what the modules of all pages export, by name, each where it is exported first."""
    entries: dict[str, Entry] = {}
    for room in (import_module(f"nickbook.{name}") for name in chain(*PAGES.values())):
        own = [n for n, v in vars(room).items() if n[0] != "_" and _home(n, v)[0] is room]
        for name in getattr(room, "__all__", own):
            if name not in entries:
                label = _label(f"{room.__name__}.{name}")
                if label in {entry.label for entry in entries.values()}:
                    label += "-function"  # labels have no capitals: `nesting` is not `Nesting`
                entries[name] = Entry(room, label, getattr(room, name))
    return entries


def pages(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Write the pages in MyST Markdown, by the names of their files: an index, and each room."""
    labels = {entry.room.__name__: _label(entry.room.__name__) for entry in entries.values()}
    labels |= {f"nickbook.{name}": _label(f"nickbook.{name}") for name in PAGES}
    labels |= {name: entry.label for name, entry in entries.items()}
    description = "Every public function, class and constant of the package."
    index = [_HEAD.format(title="API reference", description=description) + _ABOUT]
    written = {}
    for title, modules in PAGES.items():
        here = {n: e for n, e in entries.items() if _page(n, e) == title}
        kinds = {k: [n for n, e in here.items() if of(e.thing)] for k, of in _KINDS.items()}
        room = import_module(f"nickbook.{title}")
        summary = " ".join((room.__doc__ or "").partition("\n\n")[0].split())
        listed = [
            f"- [`{name}`](#{here[name].label}): {_summary(name, here[name].thing, labels)}"
            for name in chain(*kinds.values())
        ]
        head = f"## [`{room.__name__}`](#{labels[room.__name__]})"
        index.append("\n\n".join([head, _markdown(summary, labels), "\n".join(listed), ""]))
        parts = [_HEAD.format(title=room.__name__, description=json.dumps(summary))]
        for name in modules:
            module = import_module(f"nickbook.{name}")
            if module.__name__ in labels:
                about = _markdown(module.__doc__ or "", labels)
                parts.append(f"({labels[module.__name__]})=\n{about}\n")
        for kind, names in kinds.items():
            parts += [f"## {kind}\n"] if names else []
            parts += [_section(name, here[name], labels) for name in names]
        written[f"{_label(title)}.md"] = "\n".join(parts)
    return {"api.md": "\n".join(index), **written}


_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "Functions": lambda thing: callable(thing) and not inspect.isclass(thing),
    "Classes": inspect.isclass,
    "Constants": lambda thing: not callable(thing),
}


def _page(name: str, entry: Entry) -> str:
    """Return the page of a name: that of its module, or of the closest one above it."""
    places = {module: title for title, modules in PAGES.items() for module in modules}
    room = entry.room.__name__.removeprefix("nickbook.")
    module = (_home(name, entry.thing)[0] or entry.room).__name__.removeprefix("nickbook.")
    while module and module not in places:
        module = module.rpartition(".")[0]
    return places[module or room]


def _summary(name: str, thing: Any, labels: Mapping[str, str]) -> str:
    text = (inspect.getdoc(thing) or "") if callable(thing) else _home(name, thing)[1]
    return _markdown(text.partition("\n\n")[0], {n: x for n, x in labels.items() if n != name})


def _section(name: str, entry: Entry, labels: Mapping[str, str]) -> str:
    path = f"{(_home(name, entry.thing)[0] or entry.room).__name__.replace('.', '/')}.py"
    body = f"{_body(name, entry, labels)}\n\nSource: [`{path}`]({SOURCE}{path})"
    return f"({entry.label})=\n### {_markdown(name, {})}\n\n{body}\n"


def _code(text: str) -> str:
    # A directive, since formatters of Python leave it alone.
    return f"```{{code}} python\n{text}\n```"


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


def _body(name: str, entry: Entry, labels: Mapping[str, str]) -> str:
    thing, qualified = entry.thing, f"{entry.room.__name__}.{name}"
    if not callable(thing):
        value = f"# {qualified}\n{_in_pi(pprint.pformat(thing, sort_dicts=False))}"
        return f"{_code(value)}\n\n{_markdown(_home(name, thing)[1], labels)}"
    doc = NumpyDocString(inspect.getdoc(thing) or "")
    # In its own docstring a parameter is meant, whatever else has its name.
    own = {*vars(thing), *(n.strip() for p in doc["Parameters"] for n in p.name.split(","))}
    labels = {n: label for n, label in labels.items() if n not in own}
    parts = [_code(_signature(qualified, thing))]
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
    text = name + re.sub(r"<function (\w+)[^>]*>", r"\1", _in_pi(text).replace("<factory>", "…"))
    return "\n    ".join(textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False))


def _in_pi(text: str) -> str:
    """Write fractions of π as readers do."""
    for fraction, name in ((1, "π"), (2, "π/2"), (4, "π/4")):
        text = text.replace(repr(math.pi / fraction), name)
    return text


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
            parts.append(_code(block))
        else:
            parts.append(_INLINE.sub(inline, " ".join(block.split())))
    return "\n\n".join(parts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nickbook.book.api DIRECTORY")
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for file, text in pages(public()).items():
        Path(sys.argv[1], file).write_text(text, encoding="utf-8", newline="\n")
