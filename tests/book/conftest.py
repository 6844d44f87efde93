"""What the tests of figures share."""

import pytest

from nickbook.book import figures


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Return the bundles that are displayed, as they come."""
    bundles: list[dict[str, object]] = []
    monkeypatch.setattr(figures, "display", lambda bundle, **_: bundles.append(bundle))
    return bundles
