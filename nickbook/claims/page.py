"""Write the ledger as a page: ``python -m nickbook.claims.page notebooks/ledger.md``."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
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

This page is written by the package, from the functions that settle each claim; no verdict is
entered by hand, and the tests fail when one changes. *Reproduced* means that the printed
statement holds. *With caveat* means that it holds under a condition which the paper does not
state. *Not as written* means that two independent methods contradict it. *Open* means that the
methods of this book disagree or have not converged; the row says what would settle it. *Outside*
means that it needs data which are not part of this book.

A row that tests the statement of another one by a further method stands here as a cross-check and
is not counted. Rows that fail for the same reason name each other: together they are one error.

What decides stands with each row. A measure returns named numbers; *holds if* is the condition
on them under which the statement holds, *in full if* the one under which it then holds in every
reading and case, and *bounds* says why a number in them is what it is. `agrees` means within the
row's tolerance. Where *routes agree if* is false, two routes of this book contradict each other,
and the row fails instead of judging the paper; where *settled if* is false, both may be right as
far as they go, and the row is open.
"""

_PAPERS = {"LK": "Liu and Khaliullin (LK)", "GLYWH": "Gu, Le, Yang, Wu and Hu (GLYWH)"}


def page(claims: list[Claim]) -> str:
    """Write the ledger in MyST Markdown: a table with one line a claim, then a section for each."""
    parts = [_HEAD]
    for paper in dict.fromkeys(claim.paper for claim in claims):
        own = [claim for claim in claims if claim.paper == paper]
        parts.append(f"## {_PAPERS[paper]}\n\n{VERSIONS[paper]} {count(own)}\n")
        parts.append(_table(own))
        parts.extend(_section(claim) for claim in own)
    return "\n".join(parts)


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
    return f"{{span .verdict .verdict-{verdict.replace(' ', '-')}}}`{verdict}`"


def code(condition: str) -> str:
    """Return a condition as code in MyST Markdown."""
    return f"`{' '.join(condition.split())}`" if condition else ""


def _table(rows: list[Claim]) -> str:
    lines = [
        f"| [{claim.id}](#{claim.id}) | {claim.statement} | {badge(claim.verdict)} |"
        for claim in rows
    ]
    head = "| claim | the paper says | verdict |\n| --- | --- | --- |\n"
    return ":::{div}\n:class: wide\n\n" + head + "\n".join(lines) + "\n\n:::\n"


def _section(claim: Claim) -> str:
    entries = [
        ("Paper", f"{claim.where}. {claim.statement}"),
        ("Paper's value", claim.paper_value),
        ("Found", claim.value),
        ("Verdict", badge(claim.verdict)),
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
    return f"({claim.id})=\n### {claim.id}\n\n{body}"


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
    Path(sys.argv[1]).write_text(page(ledger()), encoding="utf-8", newline="\n")
