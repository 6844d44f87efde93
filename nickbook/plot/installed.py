"""What pictures need beside the core; imported before any other module of the room."""

from importlib import import_module

from nickbook.checks import extra

with extra("plot", "nickbook.plot"):
    for _name in ("cycler", "matplotlib"):
        import_module(_name)
