"""The map between equations, chapters, functions and tests."""

import pytest

from nickbook.book import equations


@pytest.fixture(scope="module")
def entries(root):
    return equations.equation_map(root)


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


def test_marks_are_read_with_other_decorators_and_in_classes():
    source = """
class TestTwo:
    @pytest.mark.parametrize("n", [1, 2])
    @pytest.mark.equation("LK", 3)
    @pytest.mark.equation("GLYWH", 4, 36)
    def test_it(self, n):
        '''LK Eq. 5 is mentioned only.'''

def test_other(): ...
"""
    assert equations.marked(source) == {"test_it": [("LK", 3), ("GLYWH", 4), ("GLYWH", 36)]}


def test_every_equation_that_is_shown_or_computed_is_all_three(entries):
    # GLYWH Eqs. 26-29 number rows of Eq. 30, Eqs. 31 and 32 its elements and their parameters.
    hidden = {("GLYWH", n) for n in (26, 27, 28, 29, 31, 32)}
    for key, entry in entries.items():
        assert bool(entry.labels) != (key in hidden), f"{key} has the labels {entry.labels}"
        assert entry.functions, f"no function names {key}"
        assert entry.tests, f"no test is marked with {key}"


def test_all_equations_of_lk_and_most_of_glywh_are_there(entries):
    chosen = [1, 2, 3, 4, 9, 10, 11, *range(20, 38), 40, *range(45, 49)]
    expected = [("GLYWH", n) for n in chosen] + [("LK", n) for n in range(1, 19)]
    assert list(entries) == expected  # a mark or a docstring with another number shows here


def test_a_test_of_each_equation_stands_where_one_of_its_functions_is_called(root, entries):
    for key, entry in entries.items():
        sources = {path: (root / path).read_text(encoding="utf-8") for _, path in entry.tests}
        calls = [name for name in entry.functions for s in sources.values() if f"{name}(" in s]
        assert calls, f"{key}: {sorted(sources)} call none of {sorted(entry.functions)}"


def test_the_page_is_as_the_package_writes_it(root, entries):
    written = (root / "notebooks" / "equations.md").read_text(encoding="utf-8")
    assert written == equations.page(entries)
