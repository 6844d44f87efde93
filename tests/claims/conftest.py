"""What the tests of the ledger's rows share."""

from importlib import import_module

import pytest

# The package exports a function of the same name.
machinery = import_module("nickbook.claims.rows")


@pytest.fixture(scope="session")
def judged():
    """Verdict on a row as its module stands, with the row's tolerance unless another is given."""
    rows = machinery._table()  # imports all modules before a test replaces what they take

    def verdict(identifier, tolerance=None):
        if tolerance is None and "tolerance" in rows[identifier]:
            tolerance = float(rows[identifier]["tolerance"])
        return machinery._JUDGES[identifier](tolerance).verdict

    return verdict


@pytest.fixture(scope="session")
def decided():
    """Ids of a source's rows that the book decides."""

    def of(source):
        names = [row["id"] for row in machinery._rows(source)]
        return {claim.id for claim in machinery.ledger(names) if claim.verdict != "outside"}

    return of
