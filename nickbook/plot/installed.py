"""What pictures need beside the core; imported before any other module of the room."""

from importlib import import_module

from nickbook.checks import extra

with extra("plot", "nickbook.plot"):
    import_module("matplotlib")
