"""What nbval compares when it runs the chapters again: text, to the last character.

Pictures, and the data that figures and explorers carry, may differ in their last digits from one
machine to the next; the tests of the package hold their numbers. A widget in their place, as
JupyterLab saves it, fails.
"""

from collections.abc import Generator

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

FIGURES = (
    "application/vnd.nickbook.figure+json",
    "application/vnd.nickbook.explorer+json",
    "image/svg+xml",
    "text/html",  # the picture of a figure; what a table says is compared as plain text
)
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Tell nbval to pass over the figures of each notebook that it collects."""
    collectors = yield
    for notebook in collectors:
        if isinstance(notebook, IPyNbFile):
            compared = (mime for mime in notebook.skip_compare if mime != WIDGET)
            notebook.skip_compare = (*compared, *FIGURES)
    return collectors


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cells."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker("chapters")
