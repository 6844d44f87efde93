"""Verdicts of the ledger, as a chapter shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nickbook.claims import Claim, ledger

#: The published ledger page. A notebook is read where the page is not beside it.
LEDGER = "https://nickbook.github.io/nickbook/ledger.html"
#: Lines that a terminal shows, and characters of each; notebooks have the whole table.
_LINES, _WIDTH = 10, 90


@dataclass(frozen=True)
class Verdicts:
    """Rows of the ledger, shown as a table that links to the ledger page.

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
        head = "| claim | the paper says | we find | verdict |\n| --- | --- | --- | --- |\n"
        return head + "\n".join(map(_row, self.claims))

    def __repr__(self) -> str:
        lines = [f"{c.id}: {c.verdict}. {c.value}"[:_WIDTH] for c in self.claims]
        rest = len(lines) - _LINES
        return "\n".join([*lines[:_LINES], *[f"and {rest} more"] * (rest > 0)])


def verdicts(identifiers: Sequence[str]) -> Verdicts:
    """Look up claims in the ledger.

    Parameters
    ----------
    identifiers : sequence of str
        Ids of rows, in the order in which to show them.

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


def _row(claim: Claim) -> str:
    style = claim.verdict.replace(" ", "-")
    badge = f'<span class="verdict verdict-{style}">{claim.verdict}</span>'
    link = f"[{claim.id}]({LEDGER}#{claim.id.lower()})"
    return f"| {link} | {claim.statement} | {claim.value} | {badge} |"
