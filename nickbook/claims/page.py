"""Write the ledger as a page: ``python -m nickbook.claims.page notebooks/ledger.md``.

The same rows go into ``notebooks/ledger.json`` beside it.
"""

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from nickbook.claims.rows import SOURCES, VERDICTS, Claim, ledger, rows
from nickbook.papers import VERSIONS
from nickbook.progress import track

_HEAD = """---
description: Every claim of the two papers that this book tests, with its computed verdict.
numbering:
  heading_2: false
  heading_3: false
---

# Claims ledger

What do the two papers say, and which of it holds? Each line below is one statement with its
verdict; it unfolds to the number that was found, the condition that decides, and the second route
that checks it. *Reproduced* means that the printed statement holds. *With caveat* means that it
holds under a condition which the paper does not state. *Not as written* means that two independent
methods contradict it. *Open* means that the methods of this book disagree or have not converged;
the row says what would settle it. *Outside* means that it needs data which are not part of this
book.
"""

_HOW = """
:::{dropdown} How verdicts are computed

This page is written by the package, from the functions that settle each claim; no verdict is
entered by hand, and the tests fail when one changes. A row that tests the statement of another one
by a further method stands here as a cross-check and is not counted. Rows that fail for the same
reason name each other: together they are one error.

A measure returns named numbers; *holds if* is the condition on them under which the statement
holds, *in full if* the one under which it then holds in every reading and case, and *bounds* says
why a number in them is what it is. `agrees` means within the row's tolerance. Where *routes agree
if* is false, two routes of this book contradict each other, and the row fails instead of judging
the paper; where *settled if* is false, both may be right as far as they go, and the row is open.

:::

All rows, as [JSON](./ledger.json).
"""

#: A letter with an index, as in t_xz or ε_α, but no name of code.
_INDEXED = re.compile(
    r"(?<![A-Za-zα-ω_`])([A-Za-zα-ωΑ-Ω]\d*[′̃]?)_([A-Za-z0-9α-ω]{1,3})(?![A-Za-z0-9_])"
)

_PAPERS = {"LK": "Liu and Khaliullin (LK)", "GLYWH": "Gu, Le, Yang, Wu and Hu (GLYWH)"}


def page(claims: list[Claim]) -> str:
    """Write the ledger in MyST Markdown: verdicts by chapter, then a line for each claim."""
    parts = [_HEAD, tally(claims), _HOW]
    for paper in dict.fromkeys(claim.paper for claim in claims):
        own = [claim for claim in claims if claim.paper == paper]
        parts.append(f"## {_PAPERS[paper]}\n\n{VERSIONS[paper]} {count(own)}\n")
        parts.extend(map(_line, own))
    return "\n".join(parts)


def records(claims: list[Claim]) -> str:
    """Write the ledger as JSON: a list with an object for each claim."""
    listed = [{n: x for n, x in asdict(claim).items() if x not in ("", ())} for claim in claims]
    return json.dumps(listed, ensure_ascii=False, indent=1) + "\n"


def tally(claims: Sequence[Claim]) -> str:
    """Draw how many counted claims of each chapter have which verdict, a square for each."""
    lines = ["| chapter | verdicts | not as written | open |", "| --- | --- | --- | --- |"]
    counted = [claim for claim in claims if not claim.repeats]
    for chapter in sorted({_chapter(claim) for claim in counted}):
        verdicts = Counter(claim.verdict for claim in counted if _chapter(claim) == chapter)
        bars = [
            f"{{span .tally .of-{_style(verdict)}}}`{'■' * verdicts[verdict]}`"
            for verdict in VERDICTS
            if verdicts[verdict]
        ]
        few = " | ".join(str(verdicts[verdict] or "–") for verdict in ("not as written", "open"))
        lines.append(f"| [{chapter}](#sec-{chapter}-verdicts) | {' '.join(bars)} | {few} |")
    return (
        ":::{div}\n:class: wide\n:label: verdicts-by-chapter\n\n" + "\n".join(lines) + "\n\n:::\n"
    )


def count(claims: Sequence[Claim]) -> str:
    """Return how many claims have which verdict, how many errors that is, and what is not counted.

    Rows that share an error are one error.
    """
    counted = [claim for claim in claims if not claim.repeats]
    counts = Counter(claim.verdict for claim in counted)
    numbers = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
    wrong = [claim for claim in counted if claim.verdict == "not as written"]
    errors = {frozenset({claim.id, *claim.same_error}) for claim in wrong}
    text = f"{len(counted)} claims: {numbers}."
    if len(errors) < len(wrong):
        text += f" The {len(wrong)} that are not as written come from {len(errors)} errors."
    others = len(claims) - len(counted)
    return text + (f" {others} cross-checks stand beside them." if others else "")


def badge(verdict: str) -> str:
    """Return a verdict as a coloured badge in MyST Markdown."""
    return f"{{span .verdict .verdict-{_style(verdict)}}}`{verdict}`"


def code(condition: str) -> str:
    """Return a condition as code in MyST Markdown."""
    return f"`{' '.join(condition.split())}`" if condition else ""


def typeset(text: str) -> str:
    """Set the indices of letters low in MyST Markdown, as in t_xz, outside code and formulas."""
    parts = re.split(r"(`[^`]*`|\$[^$]*\$)", text)
    parts[::2] = [_INDEXED.sub(r"\1{sub}`\2`", part) for part in parts[::2]]
    return "".join(parts)


def _chapter(claim: Claim) -> int:
    return int(claim.chapter.split("-")[1])


def _style(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _line(claim: Claim) -> str:
    entries = [
        ("Claim", f"[{claim.id}](#{claim.id}), {claim.where}"),
        ("Paper's value", typeset(claim.paper_value)),
        ("Found", typeset(claim.value)),
        ("Cross-check of", _links(claim.repeats)),
        ("Same error as", _links(claim.same_error)),
        ("Routes agree if", code(rows()[claim.id].get("agree", ""))),
        ("Holds if", code(claim.holds)),
        ("In full if", code(claim.in_full)),
        ("Settled if", code(claim.settled)),
        ("Would settle it", claim.would_settle if claim.verdict == "open" else ""),
        ("With caveat, since", claim.caveat),
        ("Bounds", claim.bounds),
        ("Method", claim.method),
        ("Second route", claim.check),
        ("Tolerance", claim.tolerance),
        ("Shown in", f"[](#{claim.chapter})"),
    ]
    body = "\n".join(f"{term}\n: {words}\n" for term, words in entries if words)
    kinds = f"claim of-{_style(claim.verdict)} in-{_chapter(claim)}"
    title = f"{badge(claim.verdict)} {typeset(claim.statement)}"
    return f"({claim.id})=\n:::{{dropdown}} {title}\n:class: {kinds}\n\n{body}\n:::\n"


def _links(identifiers: Sequence[str]) -> str:
    return ", ".join(f"[{name}](#{name})" for name in identifiers)


def measure_all(jobs: int = 2) -> None:
    """Measure what is not kept on disk, source by source in processes that end with it."""
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        list(track(pool.map(_measure_source, SOURCES), "ledger", len(SOURCES)))


def _measure_source(source: str) -> None:
    os.environ["NICKBOOK_PROGRESS"] = "0"  # bars of several processes would overwrite each other
    names = [name for name, row in rows().items() if row["source"] == f"nickbook.claims.{source}"]
    ledger(names)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m nickbook.claims.page OUTPUT.md")
    if os.environ.get("NICKBOOK_FINDINGS"):
        measure_all()
    output, claims = Path(sys.argv[1]), ledger()
    for file, text in ((output, page(claims)), (output.with_suffix(".json"), records(claims))):
        file.write_text(text, encoding="utf-8", newline="\n")
