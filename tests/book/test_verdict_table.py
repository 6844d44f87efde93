"""The ledger as chapters show it."""

import pytest

from nickbook.book import verdicts
from nickbook.book.verdict_table import LEDGER
from nickbook.claims import ledger


def test_rows_come_in_the_order_asked_for_with_what_the_ledger_computed():
    asked = ["LK-fig2-sheets", "LK-fig2-experiment", "LK-fig2-fillings"]
    shown = verdicts(asked)._repr_markdown_().splitlines()[2:]
    for line, claim in zip(shown, ledger(asked), strict=True):
        assert line.startswith(f"| [{claim.id}]({LEDGER}#{claim.id.lower()}) |")
        assert claim.value in line and f">{claim.verdict}</span>" in line


def test_unknown_rows_are_named():
    with pytest.raises(ValueError, match="LK-fig99-nothing not in the ledger"):
        verdicts(["LK-fig99-nothing"])
