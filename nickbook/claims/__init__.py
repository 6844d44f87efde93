"""What the papers say, and the measures that decide it."""

from nickbook.claims.rows import VERDICTS, Claim, DisagreementError, ledger, measure

__all__ = ["VERDICTS", "Claim", "DisagreementError", "ledger", "measure"]
