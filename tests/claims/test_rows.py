"""The ledger: its rows, its verdicts, and that they follow from the numbers."""

import ast
import contextlib
import itertools
import re

import numpy as np
import pytest
import yaml

from nickbook.claims import VERDICTS, DisagreementError, findings, ledger, measure
from nickbook.claims import rows as machinery
from nickbook.claims.page import page

DECIDED = [name for name, row in machinery.rows().items() if "needs" not in row]
CONDITIONS = ("agree", "holds", "in_full")


def test_every_row_is_complete():
    claims = ledger()
    for claim in claims:
        for word in ("id", "where", "statement", "chapter", "method", "check", "value"):
            assert getattr(claim, word).strip(), f"{claim.id} has no {word}"
        assert claim.paper in ("LK", "GLYWH")
        assert claim.verdict in VERDICTS
    assert len({claim.statement for claim in claims}) == len(claims)


def test_every_check_names_a_test_file_unless_none_is_possible(root):
    for claim in ledger():
        if claim.verdict == "outside":
            assert claim.check.startswith("none possible")
        else:
            file, what = claim.check.split(", ", 1)
            assert (root / file).is_file(), f"{claim.id}: {file} does not exist"
            assert file.startswith("tests/") and what


def test_every_chapter_label_exists(root):
    labels = set()
    for source in (root / "notebooks").glob("*.md"):
        labels |= set(re.findall(r"^\((sec-[\w-]+)\)=$", source.read_text("utf-8"), re.MULTILINE))
    assert {claim.chapter for claim in ledger()} <= labels


def test_the_page_is_the_ledger(root):
    written = (root / "notebooks" / "ledger.md").read_text("utf-8")
    assert written == page(ledger()), "run `make notebooks` to write the ledger page again"
    for claim in ledger():
        assert f"\n({claim.id})=\n" in written


def candidates(row, numbers):
    """Values at which a row's conditions may change: printed numbers, bounds and computed sides."""
    values: list[object] = [0, 1, -1, 1e-12, 1e9, -1e9, float("inf")]
    machine = machinery._evaluator
    for field in CONDITIONS:
        for node in ast.walk(ast.parse(row.get(field, "0"), mode="eval")):
            if isinstance(node, ast.expr):
                try:
                    values.append(machine(row | {"x": ast.unparse(node)}, numbers)("x", plain=True))
                except (ValueError, AttributeError):
                    continue  # inside a comprehension, or a function's name
    flat: list[object] = []
    for value in values:
        flat += value if isinstance(value, list | tuple | set) else [value]
    kinds = [v for v in flat if isinstance(v, str | int | float) and not isinstance(v, bool)]
    near = [v * f for v in kinds if isinstance(v, int | float) for f in (1.0, 0.999, 1.001, -1, 2)]
    return list(dict.fromkeys([*near, *(v for v in kinds if isinstance(v, str))]))


def variants(value, values):
    """Other values that a number, a text, or a nest of them may take."""
    if isinstance(value, list | dict):
        yield from nested(value, values)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield from (v for v in values if isinstance(v, str))
        yield "another"
    else:
        yield from (v for v in values if not isinstance(v, str))
        yield from (value * f for f in (-1, 0.5, 0.9, 1.1, 3) if value is not None)


def nested(value, values):
    """Other values of a list or a mapping: all entries changed in one way, or a single one."""
    names = list(value) if isinstance(value, dict) else range(len(value))
    parts = {n: list(itertools.islice(variants(value[n], values), 400)) for n in names}
    same = type(value)
    if same is list:
        yield value[::-1]
    for i in range(max(map(len, parts.values()), default=0)):
        new = {n: part[min(i, len(part) - 1)] for n, part in parts.items()}
        yield list(new.values()) if same is list else new
    for name in names:
        for changed in parts[name]:
            copy = same(value)
            copy[name] = changed
            yield copy


def climbed(row, numbers, names, values):
    """Numbers changed one by one while more parts of the conditions hold."""
    trees = [ast.parse(row[f], mode="eval").body for f in ("holds", "in_full") if f in row]
    parts = [ast.unparse(p) for t in trees for p in (t.values if is_and(t) else [t])]

    def score(changed):
        count = 0
        for part in parts:
            with contextlib.suppress(ValueError, ZeroDivisionError):
                count += bool(machinery._evaluator(row | {"x": part}, changed)("x"))
        return count

    for name in names:
        best, looking = score(numbers), True
        while looking:
            looking = False
            for new in itertools.islice(variants(numbers[name], values), 4000):
                if score(numbers | {name: new}) > best:
                    numbers = numbers | {name: new}
                    best, looking = score(numbers), True
                    break
    return numbers


def is_and(tree):
    """Whether all of its parts must hold."""
    return isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)


def reached(row, numbers, wanted):
    """Verdicts that changed numbers lead to; stops when all wanted ones are found."""
    values = candidates(row, numbers)
    found = set()

    def look(changed):
        try:
            found.add(machinery.settle(row, changed)[1])
        except DisagreementError:
            found.add("disagreement")
        except (ValueError, ZeroDivisionError):
            pass  # numbers that no sentence can report

    used = {n.id for f in CONDITIONS for n in ast.walk(ast.parse(row.get(f, "0"), mode="eval"))
            if isinstance(n, ast.Name)}  # fmt: skip
    names = [name for name in numbers if name in used]
    alike = {n: [v for v in numbers.values() if type(v) is type(numbers[n])] for n in names}
    options = {n: [*alike[n], *itertools.islice(variants(numbers[n], values), 4000)] for n in names}
    look(numbers)
    for name in names:
        for new in options[name]:
            look(numbers | {name: new})
            if wanted <= found:
                return found
    look(climbed(row, numbers, names, values))
    if wanted <= found:
        return found
    rng = np.random.default_rng(7)
    for _ in range(6000):
        chosen = [n for n in names if rng.random() < 0.7]
        changed = {n: options[n][rng.integers(len(options[n]))] for n in chosen if options[n]}
        look(numbers | changed)
        if wanted <= found:
            break
    return found


@pytest.mark.parametrize("identifier", DECIDED)
def test_every_verdict_of_a_row_can_be_reached(identifier):
    row = machinery.rows()[identifier]
    wanted = {"not as written", "with caveat" if "caveat" in row else "reproduced"}
    wanted |= {"with caveat"} if "in_full" in row else set()
    wanted |= {"disagreement"} if "agree" in row else set()
    assert wanted <= reached(row, measure(identifier), wanted)


ROW = {
    "id": "LK-fig2-fillings",
    "found": "{a:.1f}",
    "holds": "agrees(a, 1)",
    "in_full": "b > 2",
    "agree": "c",
    "tolerance": "0.1",
}


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        ({"a": 1.05, "b": 3, "c": True}, "reproduced"),
        ({"a": 1.05, "b": 1, "c": True}, "with caveat"),
        ({"a": 1.2, "b": 3, "c": True}, "not as written"),
        ({"a": float("nan"), "b": 3, "c": True}, "not as written"),
    ],
)
def test_conditions_decide(numbers, verdict):
    assert machinery.settle(ROW, numbers) == (f"{numbers['a']:.1f}", verdict)


def test_a_caveat_stays_whatever_the_numbers_are():
    row = ROW | {"caveat": "the paper prints no mesh"}
    assert machinery.settle(row, {"a": 1, "b": 3, "c": True})[1] == "with caveat"


def test_routes_that_disagree_praise_nobody():
    with pytest.raises(DisagreementError, match=r"'LK-fig2-fillings': two routes.*c is false"):
        machinery.settle(ROW, {"a": 1, "b": 3, "c": False})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holds": "d > 1"}, "'LK-fig2-fillings', holds: 'd' is not defined"),
        ({"found": "{d}"}, "'LK-fig2-fillings', found: 'd' is not defined"),
        ({"holds": "__import__('os')"}, "'LK-fig2-fillings', holds"),
        ({"holds": "a >"}, "'LK-fig2-fillings', holds"),
    ],
)
def test_expressions_that_cannot_be_read_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        machinery.settle(ROW | change, {"a": 1.0, "b": 3, "c": True})


def test_a_comparison_needs_a_tolerance():
    row = {name: words for name, words in ROW.items() if name != "tolerance"}
    with pytest.raises(ValueError, match="give it a tolerance"):
        machinery.settle(row, {"a": 1.0, "b": 3, "c": True})


@pytest.fixture
def changed(tmp_path, monkeypatch):
    """Function that replaces the rows of one YAML file by changed ones."""

    def replace(change):
        source = "lk.gap_ratio"
        path = machinery.files("nickbook.claims").joinpath("lk", "gap_ratio.yml")
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        change(rows)
        (tmp_path / "lk").mkdir()
        text = yaml.safe_dump(rows, allow_unicode=True)
        (tmp_path / "lk" / "gap_ratio.yml").write_text(text, "utf-8")
        monkeypatch.setattr(machinery, "SOURCES", (source,))
        monkeypatch.setattr(machinery, "files", lambda _: tmp_path)
        return machinery.rows.__wrapped__

    return replace


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r[0].update(colour="red"), r"'LK-fig2-fillings'.*unknown \['colour'\]"),
        (lambda r: r[1].pop("method"), r"'LK-fig2-sheets': missing \['method'\]"),
        (lambda r: r[1].pop("holds"), r"'LK-fig2-sheets': missing \['holds'\]"),
        (lambda r: r[2].update(holds="True"), r"'LK-fig2-experiment'.*unknown \['holds'\]"),
        (lambda r: r[0].pop("because"), "a tolerance needs a because"),
        (lambda r: r.append(r[0]), "'LK-fig2-fillings' comes twice"),
    ],
)
def test_incomplete_rows_are_refused(change, message, changed):
    rows = changed(change)
    with pytest.raises(ValueError, match=message):
        rows()


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="LK-new not in the ledger"):
        ledger(["LK-new"])
    with pytest.raises(ValueError, match="'LK-stm-gaps'; allowed: a row that the book measures"):
        measure("LK-stm-gaps")
    with pytest.raises(ValueError, match=r"nickbook.claims.lk.gap_ratio has no measure 'fig9'"):
        findings.kept.__wrapped__("nickbook.claims.lk.gap_ratio", "fig9")


def test_findings_are_kept_until_their_code_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("NICKBOOK_FINDINGS", str(tmp_path))
    calls = []
    monkeypatch.setattr(
        findings, "_computed", lambda *_: calls.append(1) or {"a": np.arange(2), "b": (1.5, "x")}
    )
    monkeypatch.setattr(findings, "digest", lambda _: "as it was")
    once = findings.kept.__wrapped__
    for _ in range(2):
        assert once("module", "name") == {"a": [0, 1], "b": [1.5, "x"]}
    assert len(calls) == 1
    monkeypatch.setattr(findings, "digest", lambda _: "changed")
    once("module", "name")
    assert len(calls) == 2
