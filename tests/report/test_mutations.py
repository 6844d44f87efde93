"""A wrong line in a report is noticed."""

import pytest
from mutants import changed_copy, outcome

STEPS, PAGE = "nickbook/report/steps.py", "nickbook/report/page.py"
REPORT, COMMAND = "nickbook/report/report.py", "nickbook/report/command.py"
RECOGNITION, TABLES = "nickbook/bands/recognition.py", "nickbook/bands/hoppings.py"
OURS, BANDS = "tests/report/test_report.py::", "tests/bands/test_recognition.py::"

WRONG = [
    (RECOGNITION, "* sign * phase - before[:, i,", "- before[:, i,", BANDS, "orbitals_that_turn"),
    (RECOGNITION, "None] != layers", "None] == layers", BANDS, "the_bilayer_has"),
    (TABLES, "np.conj(value))", "value)", BANDS, "a_table_is_the_model"),
    (STEPS, "kanamori(sea.model.sites, U=U, J=hund * U)", "kanamori(sea.model.sites, U=U, J=hund)",
     OURS, "pairing_states"),
    (STEPS, "abs(home[pair])", "-abs(home[pair])", OURS, "knows_x2_and_z2"),
    (STEPS, "np.argsort(-largest", "np.argsort(largest", OURS, "its_peaks"),
    (STEPS, "bands - sea.mu, grid", "bands, grid", OURS, "bands_and_densities"),
    (STEPS, "level = chemical_potential(model, filling)\n    if model.dimension == 3:",
     "level = 0.0\n    if model.dimension == 3:", OURS, "a_plane_has"),
    (REPORT, "len(self.pairing) // 2", "-1", OURS, "of_the_leading_state"),
    (REPORT, "missing | {name: reason}", "missing", OURS, "without_its_start"),
    (PAGE, "\\g<1>{number}-", "\\g<1>", OURS, "stands_alone"),
    (PAGE, "<h1>{escape(report.sea.model.name)}", "<h1>{report.sea.model.name}", OURS, "no_markup"),
    (PAGE, "len(set(texts)) > 1", "True", OURS, "side_by_side"),
    (COMMAND, "    return 2\n", "    return 1\n", OURS, "bad_input"),
]  # fmt: skip


@pytest.mark.mutations
@pytest.mark.parametrize(("file", "replace", "by", "where", "test"), WRONG)
def test_a_wrong_line_is_noticed(root, tmp_path, file, replace, by, where, test):
    changed_copy(root, tmp_path, file, replace, by)
    text = (root / where.removesuffix("::")).read_text("utf-8")
    (name,) = [w for w in text.split() if w.startswith("test_") and test in w]
    found = outcome(root, tmp_path, where + name.partition("(")[0])
    assert found.code == pytest.ExitCode.TESTS_FAILED, found.text
