"""The ledger as chapters show it."""

import pytest

from nickbook.book import verdicts
from nickbook.book.verdict_table import LEDGER
from nickbook.claims import ledger


def test_what_differs_comes_first_and_the_rest_is_folded_in_the_order_asked_for():
    asked = ["LK-fig2-sheets", "LK-eq3-order", "LK-fig2-experiment", "LK-fig2-fillings"]
    claims = {claim.id: claim for claim in ledger(asked)}
    assert claims["LK-eq3-order"].verdict == "not as written"
    text = verdicts(asked)._repr_markdown_()
    shown, folded = text.split("<details>")
    assert folded.startswith("\n<summary>Reproduced: 2, outside: 1</summary>\n\n|")
    assert folded.endswith("\n\n</details>")
    order = ["LK-eq3-order", "LK-fig2-sheets", "LK-fig2-fillings", "LK-fig2-experiment"]
    rows = [row for row in (shown + folded).splitlines() if row.startswith("| [")]
    assert shown.count("| [") == 1
    for row, identifier in zip(rows, order, strict=True):
        claim = claims[identifier]
        assert row.startswith(f"| [{claim.id}]({LEDGER}#{claim.id.lower()}) |")
        assert claim.value in row and f">{claim.verdict}</span>" in row


@pytest.mark.parametrize("identifier", ["LK-fig2-fillings", "LK-fig2-experiment"])
def test_the_best_group_there_is_stands_open(identifier: str):
    assert "details" not in verdicts([identifier])._repr_markdown_()


def test_unknown_rows_are_named():
    with pytest.raises(ValueError, match="LK-fig99-nothing not in the ledger"):
        verdicts(["LK-fig99-nothing"])
