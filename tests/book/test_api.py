"""The reference of the package, made from its docstrings."""

import pkgutil
import re
from importlib import import_module

import numpy as np
import pytest

import nickbook
from nickbook.book import api


@pytest.fixture(scope="module")
def entries():
    return api.public()


@pytest.fixture(scope="module")
def pages(entries):
    return api.pages(entries)


def test_the_pages_are_as_the_package_writes_them(root, pages):
    files = (root / "notebooks").glob("api*.md")
    written = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert written == pages, "run `make notebooks`, or python -m nickbook.book.api notebooks"


def test_the_book_has_all_pages_and_an_index_of_all_names(root, entries, pages):
    listed = re.findall(r"notebooks/(api[\w-]*\.md)", (root / "myst.yml").read_text())
    assert listed == list(pages)
    rows = re.findall(r"^- \[`(\w+)`\]\(#([\w-]+)\): \S", pages["api.md"], re.MULTILINE)
    assert sorted(rows) == sorted((name, entry.label) for name, entry in entries.items())


def test_what_any_module_exports_is_there(entries):
    for found in pkgutil.walk_packages(nickbook.__path__, "nickbook."):
        module = import_module(found.name)
        for name in getattr(module, "__all__", ()):
            message = f"name {found.name} in PAGES: the reference lacks its {name}"
            assert name in entries and entries[name].thing is getattr(module, name), message
    assert {"LK", "GLYWH", "explore"} <= set(entries)


def test_labels_differ_and_every_link_has_its_target(pages):
    text = "\n".join(pages.values())
    targets = re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE)
    assert len(targets) == len(set(targets))
    assert "api-nickbook-bands-fermi-sheets" in targets
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= set(targets)


def test_names_stand_with_the_code_that_defines_them(entries, pages):
    places = {"frg_flow": "pairing-frg", "kanamori": "pairing", "LK": "claims", "Slider": "book"}
    for name, page in places.items():
        assert f"({entries[name].label})=" in pages[f"api-{page}.md"]
    assert "\nnickbook.pairing.frg_flow(sea, " in pages["api-pairing-frg.md"]


def test_every_name_has_words_and_an_existing_file(root, pages):
    sections = "\n".join(pages.values()).split("\n### ")[1:]
    assert len(sections) > 140
    for section in sections:
        name, _, about = section.partition("\n")
        assert re.search(r"```\n\n[^\n*]", about), f"{name} is not described"
        assert (root / re.search(r"Source: \[`(.*?)`\]", about)[1]).is_file(), name


def function(points, kind="a", angle=np.pi / 2):
    r"""Take `points` at :math:`\xi_k`, as `BlochModel.plane` and ``x**2`` do; N_a < 2.

    .. math:: E = \xi
        + 1

    Parameters
    ----------
    points, filling : list of FermiSheet
        What `filling` and
        `kind` say.
    kind : {"a", "b"}
        A word.
    angle : float
        A number.

    Returns
    -------
    float
        It.

    Examples
    --------
    >>> 1 + 1
    2
    """


def test_markup_of_a_docstring_is_translated(entries):
    room = import_module("nickbook.bands")
    written = api.pages({**entries, "function": api.Entry(room, "api-function", function)})
    section = re.search(r"\(api-function\)=.*?/blob/HEAD/\S+\n", written["api-bands.md"], re.DOTALL)
    assert section[0] == (
        """(api-function)=
### function

```{code} python
nickbook.bands.function(points, kind='a', angle=π/2)
```

Take `points` at $\\xi_k$, as [`BlochModel.plane`](#api-nickbook-bands-blochmodel) and `x**2` \
do; N\\_a \\< 2.

$$
E = \\xi
+ 1
$$

**Parameters**

`points, filling` : list of [FermiSheet](#api-nickbook-bands-fermisheet)
: What `filling` and `kind` say.

`kind` : \\{`"a"`, `"b"`\\}
: A word.

`angle` : float
: A number.

**Returns**

float
: It.

**Examples**

```{code} python
>>> 1 + 1
2
```

Source: [`{path}`]({source}{path})
""".replace("{path}", f"{__name__.replace('.', '/')}.py").replace("{source}", api.SOURCE)
    )
