"""Verdicts of the ledger, as a chapter shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nickbook.claims import Claim, ledger

#: Lines that a terminal shows, and characters of each; notebooks have the whole table.
_LINES, _WIDTH = 10, 90


@dataclass(frozen=True)
class Verdicts:
    """Rows of the ledger, shown as a table that links to the ledger page.

    Parameters
    ----------
    claims : tuple of Claim
        The rows.
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
    """
    return Verdicts(tuple(ledger(identifiers)))


def _row(claim: Claim) -> str:
    style = claim.verdict.replace(" ", "-")
    badge = f'<span class="verdict verdict-{style}">{claim.verdict}</span>'
    return f"| [{claim.id}](#{claim.id}) | {claim.statement} | {claim.value} | {badge} |"
