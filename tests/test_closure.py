"""What a text of Python is made from, on a package of a few lines."""

from pathlib import Path

import pytest

from nickbook.closure import closure, digest, fold, parse

FILES = {
    "__init__.py": '"""A package."""\n\n__version__ = "1"\n',
    "ground.py": "X = 1\n",
    "theory/__init__.py": "from pack.theory import wing\nfrom pack.theory.flow import run\n"
    "from .other import gap as other_gap\n",
    "theory/flow.py": '''"""Doc."""

TEXT = """first

last"""


def run():
    """Say more.

    Below.
    """
    from pack import __version__, ground  # late

    return ground.X, open("table.nc"), "# no comment", __version__
''',
    "theory/other.py": "def gap():\n    import pack.theory.wing\n",
    "theory/wing.py": "class Wing: 'doc'\n",
    "theory/table.nc": "1, 2",
    "theory/unused.nc": "3",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "pack" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return tmp_path / "pack"


def behind(package: Path, code: str) -> dict[str, str]:
    return closure(codes=[parse(code)], package=package)


RUN = {"pack.theory.flow", "pack.ground", "pack", "pack.theory.flow: table.nc"}
OTHER = {"pack.theory.other", "pack.theory.wing"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from pack.theory import run", RUN),
        ("def f():\n    from pack.theory import other_gap as g", OTHER),
        ("from pack.theory.other import gap", OTHER),
        ("from pack.theory import wing", {"pack.theory.wing"}),
        ("import pack.theory.wing as w", {"pack.theory.wing"}),
        ("import pack.theory", RUN | OTHER | {"pack.theory"}),
        ("from pack import theory", RUN | OTHER | {"pack.theory"}),
        ("from pack.theory import *", RUN | OTHER | {"pack.theory"}),
        ("import numpy, package.theory", set()),
    ],
)
def test_names_lead_to_the_modules_that_define_them(
    package: Path, code: str, expected: set[str]
) -> None:
    assert behind(package, code).keys() == expected


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("theory/flow.py", "  # late", "", False),
        ("theory/flow.py", "def run", "# Another; comment: «é»\n\n\ndef run", False),
        ("theory/flow.py", "Say more.\n\n    Below.", "Say.", False),
        ("theory/flow.py", '"""Doc."""\n\n', "", False),
        ("theory/flow.py", "\n", "\r\n", False),
        ("theory/flow.py", "    return ground", "    return 2 * ground", True),
        ("theory/flow.py", "first\n\nlast", "first\n\n\nlast", True),
        ("theory/flow.py", "first\n", "first \n", True),
        ("theory/flow.py", "# no comment", "# a comment", True),
        ("theory/table.nc", "1, 2", "1, 3", True),
        ("theory/unused.nc", "3", "4", False),
        ("theory/wing.py", "class", "X = 2\nclass", False),
        ("theory/other.py", "def gap", "def gap_", False),
        ("theory/__init__.py", "from .other", "__all__ = ['run']\nfrom .other", False),
        ("theory/__init__.py", "from .other", "set_up = print\nfrom .other", True),
        ("ground.py", "X = 1", "X = 2", True),
    ],
)
def test_what_counts(package: Path, file: str, old: str, new: str, counts: bool) -> None:
    before = fold(behind(package, "from pack.theory import run"))
    path = package / file
    assert old in path.read_text()
    path.write_bytes(path.read_text().replace(old, new).encode())
    assert (fold(behind(package, "from pack.theory import run")) != before) is counts


def test_a_string_that_comes_first_is_a_docstring_or_an_output() -> None:
    assert parse("'shown'").text == parse("").text
    assert parse("'shown'", documented=False).text != parse("", documented=False).text
    assert parse("def f(): 'doc'; return 1  # one\n").text == parse("def f(): return 1").text


def test_a_module_is_hashed_with_what_it_calls() -> None:
    names = closure(["nickbook.pairing.frg.flow"]).keys()
    assert {"nickbook.pairing.frg.kernels", "nickbook.bands.bloch"} <= names
    assert not {n for n in names if n.startswith(("nickbook.pairing.tj", "nickbook.claims"))}
    assert digest("nickbook.pairing.frg.flow") == fold(closure(["nickbook.pairing.frg.flow"]))
    with pytest.raises(ValueError, match=r"module = 'nickbook.flow'; allowed: a module of"):
        digest("nickbook.flow")
