"""What examples in docstrings share: a screen that shows nothing.

Outside of Jupyter, a figure would print its picture as text.
"""

import pytest


@pytest.fixture(autouse=True)
def _blank_screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.setattr("nickbook.book.figures.display", lambda *_, **__: None)
