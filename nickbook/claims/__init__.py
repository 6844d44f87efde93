"""What the papers say, and the functions that test it."""

from nickbook.claims.rows import VERDICTS, Claim, Finding, ledger

__all__ = ["VERDICTS", "Claim", "Finding", "ledger"]
