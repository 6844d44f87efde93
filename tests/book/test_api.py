"""The reference of the package, made from its docstrings."""

import pkgutil
import re
from importlib import import_module

import pytest

import nickbook
from nickbook.book import api


@pytest.fixture(scope="module")
def entries():
    return api.public()


@pytest.fixture(scope="module")
def page(entries):
    return api.page(entries)


def test_the_page_is_as_the_package_writes_it(root, page):
    written = (root / "notebooks" / "api.md").read_text(encoding="utf-8")
    assert written == page, "run `make notebooks`, or python -m nickbook.book.api notebooks/api.md"


def test_what_any_room_exports_is_there(entries):
    for room in pkgutil.walk_packages(nickbook.__path__, "nickbook."):
        if room.ispkg:
            module = import_module(room.name)
            for name in getattr(module, "__all__", ()):
                assert entries[name].thing is getattr(module, name), f"{room.name}.{name}"
    assert {"LK", "GLYWH", "explore"} <= set(entries)


def test_labels_differ_and_every_link_has_its_target(page):
    targets = re.findall(r"^\(([\w-]+)\)=$", page, re.MULTILINE)
    assert len(targets) == len(set(targets))
    assert "api-nickbook-bands-fermi-sheets" in targets
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) <= set(targets)


def test_every_name_has_words_and_an_existing_file(root, page):
    for section in page.split("\n### ")[1:]:
        name, _, about = section.partition("\n")
        assert re.search(r"```\n\n[^\n*]", about), f"{name} is not described"
        assert (root / re.search(r"Source: \[`(.*?)`\]", about)[1]).is_file(), name


def function(points, kind="a"):
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
    text = api.page({**entries, "function": api.Entry(nickbook, "api-function", function)})
    assert text.endswith(
        """(api-function)=
### function

```python
function(points, kind='a')
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

**Returns**

float
: It.

**Examples**

```python
>>> 1 + 1
2
```

Source: [`{path}`]({source}{path})
""".replace("{path}", f"{__name__.replace('.', '/')}.py").replace("{source}", api.SOURCE)
    )
