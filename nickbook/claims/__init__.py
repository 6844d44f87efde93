"""What the papers say, and the functions that test it."""

from nickbook.claims.ledger import VERDICTS, Claim, Finding, ledger

__all__ = ["VERDICTS", "Claim", "Finding", "ledger"]
