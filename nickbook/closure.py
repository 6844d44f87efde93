"""Which code a module of the package is made from."""


def digest(module: str) -> str:
    """Hash a module and what it imports."""
    return module
