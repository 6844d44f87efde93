"""Which chapter shows an equation of the papers, and which function computes it.

``python -m nickbook.book.equations notebooks/equations.md`` writes the page from the labels of the
chapters and the docstrings of the package, which name their equation (``LK Eq. 13``).
"""

import inspect
import pkgutil
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import nickbook

ROOT = Path(nickbook.__file__).parents[1]
SOURCE = "https://github.com/nickbook/nickbook/blob/HEAD/"
PAPERS = {"LK": "Liu and Khaliullin (LK)", "GLYWH": "Gu, Le, Yang, Wu and Hu (GLYWH)"}

_CITED = re.compile(r"\b(LK|GLYWH)\s+Eqs?\.\s+(\d+(?:\s*(?:,|and|–|-|, and)\s*\d+)*)")
_LABEL = re.compile(r"^:label: (eq-\d+-(lk|glywh)(\d+))$", re.MULTILINE)

_HEAD = """---
title: Equations and code
description: Where each numbered equation of the papers is derived, computed and tested.
numbering:
  heading_2: false
---

This page is written from the labels of the chapters and from the docstrings of the package, each of
which names the equations that it computes.
"""


@dataclass
class Entry:
    """What is known about one equation.

    Parameters
    ----------
    labels : list of str
        Labels under which chapters show it.
    functions : dict of str to str
        Public functions and classes that name it, with their source files.
    tests : list of str
        Test files that use one of them.
    """

    labels: list[str] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    tests: list[str] = field(default_factory=list)


def cited(text: str) -> set[tuple[str, int]]:
    """Find the equations that a text cites.

    Parameters
    ----------
    text : str
        A docstring, such as ``"LK Eqs. 12–14 and 18"``.

    Returns
    -------
    set of (str, int)
        Paper and number of each equation, ranges filled in.

    Examples
    --------
    >>> sorted(cited("as in LK Eqs. 3 and 9-10"))
    [('LK', 3), ('LK', 9), ('LK', 10)]
    """
    found = set()
    for paper, numbers in _CITED.findall(text):
        for first, last in re.findall(r"(\d+)(?:\s*[–-]\s*(\d+))?", numbers):
            found |= {(paper, n) for n in range(int(first), int(last or first) + 1)}
    return found


def equation_map(root: Path = ROOT) -> dict[tuple[str, int], Entry]:
    """Collect what chapters, package and tests say about each numbered equation.

    Parameters
    ----------
    root : Path
        Top directory of the repository.

    Returns
    -------
    dict
        From paper and number to an `Entry`, in order.
    """
    entries: dict[tuple[str, int], Entry] = defaultdict(Entry)
    for chapter in sorted((root / "notebooks").glob("[0-9]*.md")):
        for label, paper, number in _LABEL.findall(chapter.read_text(encoding="utf-8")):
            entries[paper.upper(), int(number)].labels.append(label)
    tests = {
        path.relative_to(root).as_posix(): set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for path in sorted((root / "tests").rglob("test_*.py"))
    }
    for name, thing in sorted(_public().items()):
        path = Path(inspect.getsourcefile(thing) or "").relative_to(root).as_posix()
        for key in cited(inspect.getdoc(thing) or ""):
            entries[key].functions[name] = path
            users = [test for test, words in tests.items() if name in words]
            entries[key].tests = sorted({*entries[key].tests, *users})
    return dict(sorted(entries.items()))


def page(entries: dict[tuple[str, int], Entry]) -> str:
    """Write the page in MyST Markdown.

    Parameters
    ----------
    entries : dict
        From `equation_map`.

    Returns
    -------
    str
        One table per paper.
    """
    parts = [_HEAD]
    for paper, title in PAPERS.items():
        rows = [(number, entry) for (p, number), entry in entries.items() if p == paper]
        if not rows:
            continue
        lines = [f"| {number} | {' | '.join(_cells(entry))} |" for number, entry in rows]
        head = "| equation | shown as | computed by | tested in |\n| --- | --- | --- | --- |\n"
        table = head + "\n".join(lines)
        parts.append(f"## {title}\n\n:::{{div}}\n:class: wide\n\n{table}\n\n:::\n")
    return "\n".join(parts)


def _public() -> dict[str, Any]:
    """Return exported functions and classes of all rooms by name."""
    found = {}
    for room in pkgutil.iter_modules(nickbook.__path__):
        module = import_module(f"nickbook.{room.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                found[name] = thing
    return found


def _cells(entry: Entry) -> tuple[str, str, str]:
    return (
        ", ".join(f"[](#{label})" for label in entry.labels),
        ", ".join(f"[`{name}`]({SOURCE}{path})" for name, path in entry.functions.items()),
        ", ".join(f"[{Path(test).stem}]({SOURCE}{test})" for test in entry.tests),
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nickbook.book.equations OUTPUT.md")
    Path(sys.argv[1]).write_text(page(equation_map()), encoding="utf-8", newline="\n")
