"""Verdicts of the ledger, as a chapter shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nickbook.claims import VERDICTS, Claim, ledger

#: The published ledger page. A notebook is read where the page is not beside it.
LEDGER = "https://nickbook.github.io/nickbook/ledger.html"
#: Lines that a terminal shows, and characters of each; notebooks have the whole table.
_LINES, _WIDTH = 10, 90
#: Groups of verdicts, the first of which that has rows is shown unfolded.
_FIRST = (("not as written", "open"), ("with caveat",), ("reproduced",), ("outside",))


@dataclass(frozen=True)
class Verdicts:
    """Rows of the ledger, shown as a table that links to the ledger page.

    Rows where the book and the paper part, or that are open, come first; the others are folded.

    Parameters
    ----------
    claims : tuple of Claim
        The rows.

    Examples
    --------
    >>> from nickbook.book import verdicts
    >>> [(claim.id, claim.verdict) for claim in verdicts(["LK-fig2-fillings"]).claims]
    [('LK-fig2-fillings', 'reproduced')]
    """

    claims: tuple[Claim, ...]

    def _repr_markdown_(self) -> str:
        first = next(g for g in _FIRST if any(c.verdict in g for c in self.claims))
        rest = [c for verdict in VERDICTS for c in self._of(verdict) if verdict not in first]
        shown = _table(c for verdict in first for c in self._of(verdict))
        if not rest:
            return shown
        counts = {v: len(self._of(v)) for v in VERDICTS if v not in first}
        words = ", ".join(f"{v}: {count}" for v, count in counts.items() if count)
        summary = f"<details>\n<summary>{words.capitalize()}</summary>"
        return f"{shown}\n\n{summary}\n\n{_table(rest)}\n\n</details>"

    def _of(self, verdict: str) -> list[Claim]:
        return [claim for claim in self.claims if claim.verdict == verdict]

    def __repr__(self) -> str:
        lines = [f"{c.id}: {c.verdict}. {c.value}"[:_WIDTH] for c in self.claims]
        rest = len(lines) - _LINES
        return "\n".join([*lines[:_LINES], *[f"and {rest} more"] * (rest > 0)])


def verdicts(identifiers: Sequence[str]) -> Verdicts:
    """Look up claims in the ledger.

    Parameters
    ----------
    identifiers : sequence of str
        Ids of rows; those with the same verdict are shown in this order.

    Returns
    -------
    Verdicts
        Shown as a table in a notebook and on a page.

    Raises
    ------
    ValueError
        If the ledger has no such row.

    Examples
    --------
    >>> from nickbook.book import verdicts
    >>> verdicts(["LK-fig2-fillings"]).claims[0].verdict
    'reproduced'
    """
    return Verdicts(tuple(ledger(identifiers)))


def _table(claims: Iterable[Claim]) -> str:
    head = "| claim | the paper says | we find | verdict |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(map(_row, claims))


def _row(claim: Claim) -> str:
    style = claim.verdict.replace(" ", "-")
    badge = f'<span class="verdict verdict-{style}">{claim.verdict}</span>'
    link = f"[{claim.id}]({LEDGER}#{claim.id.lower()})"
    return f"| {link} | {claim.statement} | {claim.value} | {badge} |"
