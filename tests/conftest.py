"""What all tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top directory of the repository."""
    return Path(__file__).parents[1]
