"""What figures and explorers need beside the core; imported before any other module of the room."""

from importlib import import_module

from nickbook.checks import extra

with extra("book", "nickbook.book"):
    for _name in ("anywidget", "cycler", "IPython", "matplotlib", "traitlets"):
        import_module(_name)
