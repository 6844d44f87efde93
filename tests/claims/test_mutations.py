"""Second routes are independent: a wrong factor in the first one makes them disagree."""

import pytest
import yaml
from mutants import changed_copy, outcome

from nickbook.claims import ledger
from nickbook.claims.rows import rows

#: What a test raises that compares numbers, not one that the wrong line stops.
COMPARED = {"AssertionError", "Failed"}


def mutations(root):
    return yaml.safe_load((root / "tests" / "mutations.yml").read_text("utf-8"))


def pytest_generate_tests(metafunc):
    if "mutation" in metafunc.fixturenames:
        listed = mutations(metafunc.config.rootpath)
        metafunc.parametrize("mutation", listed, ids=[entry["row"] for entry in listed])


def test_a_mutation_is_caught_by_the_check_of_its_row(root, mutation):
    file, replace = mutation["file"], mutation["replace"]
    assert mutation["replace"] != mutation["by"]
    assert (root / file).read_text("utf-8").count(replace) == 1, f"{replace!r} in {file}"
    checks = rows()[mutation["row"]]["check"]
    assert mutation["caught_by"].split("::")[0] in checks, checks


def test_every_row_that_is_not_as_written_has_a_mutation(root):
    listed = [entry["row"] for entry in mutations(root)]
    order = list(rows())
    assert listed == sorted(set(listed), key=order.index), "one for a row, in the ledger's order"
    assert len(listed) >= 40
    wrong = {claim.id for claim in ledger() if claim.verdict == "not as written"}
    # What rests on stored flows is not computed here: no line of code stands behind a verdict.
    stored = {name for name, row in rows().items() if row["source"].endswith(".flow")}
    assert wrong - stored <= set(listed)


@pytest.mark.mutations
def test_the_second_route_notices(root, mutation, tmp_path):
    changed_copy(root, tmp_path, *(mutation[part] for part in ("file", "replace", "by")))
    test = mutation["caught_by"]
    found = outcome(root, tmp_path, test)
    assert found.code == pytest.ExitCode.TESTS_FAILED, (
        f"{test} does not notice: {mutation['wrong']}\n{found.text}"
    )
    assert set(found.raised) <= COMPARED, f"{found.raised} of {test}\n{found.text}"
