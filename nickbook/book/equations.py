"""Which chapter shows an equation of the papers, which function computes it, which test checks it.

``python -m nickbook.book.equations notebooks/equations.md`` writes the page from the labels of the
chapters, the docstrings of the package, which name their equation (``LK Eq. 13``), and the marks
of the tests (``@pytest.mark.equation("LK", 13)``).
"""

import ast
import inspect
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from nickbook.book.api import ROOT, SOURCE, public

PAPERS = {"LK": "Liu and Khaliullin (LK)", "GLYWH": "Gu, Le, Yang, Wu and Hu (GLYWH)"}

_CITED = re.compile(r"\b(LK|GLYWH)\s+Eqs?\.\s+(\d+(?:\s*(?:,|and|–|-|, and)\s*\d+)*)")
_LABEL = re.compile(r"^\$\$ \((eq-\d+-(lk|glywh)(\d+))\)$", re.MULTILINE)

_HEAD = """---
title: Equations and code
description: Where each numbered equation of the papers is derived, computed and checked.
numbering:
  heading_2: false
---

This page is written from the labels of the chapters, from the docstrings of the package, each of
which names the equations that it computes, and from the marks of the tests that check them. A test
stands here under its name: "printed formulas" is `test_printed_formulas` in the linked file.
"""


@dataclass
class Entry:
    """What is known about one equation.

    `labels` are those under which chapters show it, `functions` the public names whose docstrings
    cite it, with their labels in the reference, and `tests` those marked with it, with their files.
    """

    labels: list[str] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    tests: list[tuple[str, str]] = field(default_factory=list)


def cited(text: str) -> set[tuple[str, int]]:
    """Find the equations that a text cites, as paper and number, with ranges filled in."""
    found = set()
    for paper, numbers in _CITED.findall(text):
        for first, last in re.findall(r"(\d+)(?:\s*[–-]\s*(\d+))?", numbers):
            found |= {(paper, n) for n in range(int(first), int(last or first) + 1)}
    return found


def marked(source: str) -> dict[str, list[tuple[str, int]]]:
    """Find the tests of a file that are marked with equations, without running anything."""
    found = {}
    for test in ast.walk(ast.parse(source)):
        if not isinstance(test, ast.FunctionDef):
            continue
        calls = [d for d in test.decorator_list if isinstance(d, ast.Call)]
        marks = [d for d in calls if ast.unparse(d.func) == "pytest.mark.equation"]
        values = [[ast.literal_eval(x) for x in mark.args] for mark in marks]
        if values:
            found[test.name] = [(paper, n) for paper, *numbers in values for n in numbers]
    return found


def equation_map(root: Path = ROOT) -> dict[tuple[str, int], Entry]:
    """Collect what chapters, package and tests say about each numbered equation, in order."""
    entries: dict[tuple[str, int], Entry] = defaultdict(Entry)
    for chapter in sorted((root / "notebooks").glob("[0-9]*.md")):
        for label, paper, number in _LABEL.findall(chapter.read_text(encoding="utf-8")):
            entries[paper.upper(), int(number)].labels.append(label)
    for name, api_entry in sorted(public().items()):
        doc = inspect.getdoc(api_entry.thing) if callable(api_entry.thing) else None
        for key in cited(doc or ""):
            entries[key].functions[name] = api_entry.label
    for path in sorted((root / "tests").rglob("test_*.py")):
        for name, keys in marked(path.read_text(encoding="utf-8")).items():
            for key in keys:
                entries[key].tests.append((name, path.relative_to(root).as_posix()))
    return dict(sorted(entries.items()))


def page(entries: dict[tuple[str, int], Entry]) -> str:
    """Write the page in MyST Markdown, one table for each paper."""
    parts = [_HEAD]
    for paper, title in PAPERS.items():
        lines = ["| equation | shown as | computed by | checked by |", "| --- | --- | --- | --- |"]
        lines += [_row(number, entry) for (of, number), entry in entries.items() if of == paper]
        table = "\n".join(lines)
        parts.append(f"## {title}\n\n:::{{div}}\n:class: wide\n\n{table}\n\n:::\n")
    return "\n".join(parts)


def _row(number: int, entry: Entry) -> str:
    labels = ", ".join(f"[](#{label})" for label in entry.labels)
    functions = ", ".join(f"[`{name}`](#{label})" for name, label in entry.functions.items())
    tests = ", ".join(
        f"[{name.removeprefix('test_').replace('_', ' ')}]({SOURCE}{path})"
        for name, path in entry.tests
    )
    return f"| {number} | {labels} | {functions} | {tests} |"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nickbook.book.equations OUTPUT.md")
    Path(sys.argv[1]).write_text(page(equation_map()), encoding="utf-8", newline="\n")
