"""Rooms have doors: what is public, and that chapters use nothing else."""

import importlib
import pkgutil

import jupytext
import pytest

import nickbook
from nickbook.book import sketches
from nickbook.book.notebooks import cell_code

PACKAGES = [
    name
    for _, name, is_package in pkgutil.walk_packages(nickbook.__path__, "nickbook.")
    if is_package
]
#: Modules that chapters import from: one whose main function has its name, and one for pictures.
OPEN_MODULES = {
    "nickbook.book.explore": {"explore"},
    "nickbook.book.sketches": set(sketches.__all__),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_is_hidden_by_an_export(name):
    package = importlib.import_module(name)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert modules.isdisjoint(getattr(package, "__all__", ()))


def imports_of(source):
    """Modules and names that the code cells of a chapter import from the package."""
    for cell in jupytext.read(source, fmt="md:myst").cells:
        if cell.cell_type == "code":
            imports = cell_code(cell.source).imports
            yield from ((m, name) for m, name in imports if m.startswith("nickbook"))


def test_chapters_import_what_is_public(root):
    found = {
        (source.stem, module, name)
        for source in (root / "notebooks").glob("[0-9]*.md")
        for module, name in imports_of(source)
    }
    assert len(found) > 50
    for chapter, module, name in sorted(found):
        if module == "nickbook":  # a whole room, as in `from nickbook import plot`
            assert f"nickbook.{name}" in PACKAGES, f"{chapter} imports the module {name}"
            continue
        public = OPEN_MODULES.get(module)
        if public is None:
            assert module in PACKAGES, f"{chapter} imports from the module {module}"
            public = importlib.import_module(module).__all__
        assert name in public, f"{chapter} imports {name}, which {module} does not export"
