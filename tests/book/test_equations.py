"""The map between equations, chapters and functions."""

import pytest

from nickbook.book import equations


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("as LK Eq. 7 says", [7]),
        ("LK Eqs. 3, 9 and 10", [3, 9, 10]),
        ("LK Eqs. 11-13; LK\nEq. 15", [11, 12, 13, 15]),
        ("Eq. 4 of somebody else", []),
    ],
)
def test_citations_are_read_with_lists_and_ranges(text, numbers):
    assert sorted(equations.cited(text)) == [("LK", n) for n in numbers]


def test_each_equation_of_lk_is_shown_computed_and_tested(root):
    entries = equations.equation_map(root)
    for number in range(1, 19):
        entry = entries["LK", number]
        assert entry.labels, f"no chapter shows LK Eq. {number}"
        assert entry.functions, f"no function names LK Eq. {number}"
        assert entry.tests, f"no test uses a function of LK Eq. {number}"
    assert max(number for paper, number in entries if paper == "LK") == 18


def test_each_equation_of_glywh_is_shown_computed_and_tested(root):
    entries = equations.equation_map(root)
    known = {n: entry for (paper, n), entry in entries.items() if paper == "GLYWH"}
    assert all(entry.functions and entry.tests for entry in known.values())
    # Eqs. 26-29 number rows of Eq. 30, Eqs. 31 and 32 its elements and their parameters.
    shown = {n for n, entry in known.items() if entry.labels}
    assert shown == {
        *range(1, 5),
        9,
        10,
        11,
        *range(20, 26),
        30,
        *range(33, 38),
        40,
        *range(45, 49),
    }


def test_the_page_is_as_the_package_writes_it(root):
    written = (root / "notebooks" / "equations.md").read_text(encoding="utf-8")
    assert written == equations.page(equations.equation_map(root))
