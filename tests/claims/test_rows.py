"""The ledger: its rows, its verdicts, and that they follow from the numbers."""

import ast
import contextlib
import json
import re
from dataclasses import fields

import numpy as np
import pytest
import yaml

from nickbook.claims import VERDICTS, Claim, DisagreementError, findings, ledger, measure
from nickbook.claims import rows as machinery
from nickbook.claims.page import count, page, records, tally, typeset

DECIDED = [name for name, row in machinery.rows().items() if "needs" not in row]
CONDITIONS = ("agree", "settled", "holds", "in_full")


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
    listed = (root / "notebooks" / "ledger.json").read_text("utf-8")
    assert listed == records(ledger()), "run `make notebooks` to write the ledger's rows again"
    assert [row["verdict"] for row in json.loads(listed)] == [c.verdict for c in ledger()]
    for claim in ledger():
        assert f"\n({claim.id})=\n" in written


def test_each_counted_claim_is_a_square_of_its_chapter():
    claims = ledger()
    drawn = tally(claims)
    assert drawn.count("■") == sum(not claim.repeats for claim in claims)
    (first,) = [line for line in drawn.splitlines() if "(#sec-1-verdicts)" in line]
    here = [c for c in claims if c.chapter.startswith("sec-1-") and not c.repeats]
    assert first.count("■") == len(here)


@pytest.mark.parametrize(
    ("text", "set_low"),
    [
        ("J_c = 4t_c²/U", "J{sub}`c` = 4t{sub}`c`²/U"),
        ("ε_α > ε_β", "ε{sub}`α` > ε{sub}`β`"),
        ("s22_xx", "s22{sub}`xx`"),
        ("`band_admixture` and $k_z$", "`band_admixture` and $k_z$"),
        ("tests/test_bands.py", "tests/test_bands.py"),
    ],
)
def test_indices_are_set_low_outside_code_and_formulas(text, set_low):
    assert typeset(text) == set_low


def candidates(row, numbers):
    """Values at which a row's conditions may change: printed numbers, bounds and computed sides."""
    values = [0, 1, -1, 1e-12, 1e9, -1e9, float("inf")]
    for field in CONDITIONS:
        for node in ast.walk(ast.parse(row.get(field, "0"), mode="eval")):
            with contextlib.suppress(ValueError, AttributeError):  # in a comprehension, or a name
                side = row | {"x": ast.unparse(node)}
                value = machinery._evaluator(side, numbers)("x", plain=True)
                values += value if isinstance(value, list | tuple | set) else [value]
    texts = [v for v in values if isinstance(v, str)]
    sides = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    return [*texts, *{v * f: None for v in sides for f in (1.0, 0.999, 1.001, -1, 2)}]


def another(value, values, rng):
    """Another value for a number or a text; in a nest for one entry, or for all in one way."""
    if isinstance(value, list | dict):
        names = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not names or (isinstance(value, list) and rng.random() < 0.1):
            return value[::-1] if isinstance(value, list) else value
        seed, copy = rng.integers(2**32), value.copy()
        for name in names if rng.random() < 0.5 else [names[rng.integers(len(names))]]:
            copy[name] = another(value[name], values, np.random.default_rng(seed))
        return copy
    if isinstance(value, bool):
        return not value
    texts = isinstance(value, str)
    options = [v for v in values if isinstance(v, str) == texts]
    options += ["another"] if texts else [(value or 0) * f for f in (-1, 0.5, 0.9, 1.1, 3)]
    return options[rng.integers(len(options))]


@np.errstate(invalid="ignore")
def reached(row, numbers, wanted):
    """Verdicts met on walks among changed numbers, towards what the conditions ask for or away."""
    values, found, rng = candidates(row, numbers), set(), np.random.default_rng(7)
    trees = {f: ast.parse(row[f], mode="eval").body for f in CONDITIONS if f in row}
    used = {n.id for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names = [name for name in numbers if name in used]
    parts = [ast.unparse(p) for f in trees if f != "agree" for p in conjuncts(trees[f])]

    def score(changed):
        count = 0
        for part in parts:
            with contextlib.suppress(ValueError, ZeroDivisionError):
                count += bool(machinery._evaluator(row | {"x": part}, changed)("x"))
        return count

    here, best, sign = numbers, score(numbers), 1
    for _ in range(60_000):
        name = names[rng.integers(len(names))]
        changed = here | {name: another(here[name], values, rng)}
        try:
            found.add(machinery.settle(row, changed)[1])
        except DisagreementError:
            found.add("disagreement")
        except (ValueError, ZeroDivisionError):
            continue  # numbers that no sentence can report
        if wanted <= found:
            break
        gained = sign * ((now := score(changed)) - best)
        if gained > 0 or (gained == 0 and rng.random() < 0.1):
            here, best = changed, now
        elif rng.random() < 0.01:
            here, best, sign = numbers, score(numbers), -sign
    return found


def conjuncts(tree):
    """Parts of a condition that must all hold."""
    is_and = isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And)
    return tree.values if is_and else [tree]


@pytest.mark.parametrize("identifier", DECIDED)
def test_every_verdict_of_a_row_can_be_reached(identifier):
    row = machinery.rows()[identifier]
    wanted = {"not as written", "with caveat" if "caveat" in row else "reproduced"}
    wanted |= {"with caveat"} if "in_full" in row else set()
    wanted |= {"open"} if "settled" in row else set()
    wanted |= {"disagreement"} if "agree" in row else set()
    assert wanted <= reached(row, measure(identifier), wanted)


ROW = {
    "id": "LK-fig2-fillings",
    "found": "{a:.1f}",
    "holds": "agrees(a, 1)",
    "in_full": "b > 2",
    "agree": "c",
    "settled": "b < 9",
    "tolerance": "0.1",
}


@pytest.mark.parametrize(
    ("change", "numbers", "verdict"),
    [
        ({}, {"a": 1.05, "b": 3, "c": True}, "reproduced"),
        ({}, {"a": 1.05, "b": 1, "c": True}, "with caveat"),
        ({}, {"a": 1.2, "b": 3, "c": True}, "not as written"),
        ({}, {"a": float("nan"), "b": 3, "c": True}, "not as written"),
        ({}, {"a": 1.2, "b": 9, "c": True}, "open"),
        ({}, {"a": 1.0, "b": 9, "c": True}, "open"),
        ({"caveat": "the paper prints no mesh"}, {"a": 1, "b": 3, "c": True}, "with caveat"),
    ],
)
def test_conditions_decide(change, numbers, verdict):
    assert machinery.settle(ROW | change, numbers) == (f"{numbers['a']:.1f}", verdict)


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
        ({"tolerance": ""}, "'LK-fig2-fillings' compares numbers: give it a tolerance"),
    ],
)
def test_conditions_that_cannot_be_read_are_named(change, message):
    row = {field: text for field, text in (ROW | change).items() if text}
    with pytest.raises(ValueError, match=message):
        machinery.settle(row, {"a": 1.0, "b": 3, "c": True})


def outside(rows):
    return next(row for row in rows if "needs" in row)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r[0].update(colour="red"), r"'LK-fig2-fillings'.*unknown \['colour'\]"),
        (lambda r: r[1].pop("method"), r"'LK-fig2-sheets': missing \['method'\]"),
        (lambda r: r[1].pop("holds"), r"'LK-fig2-sheets': missing \['holds'\]"),
        (lambda r: outside(r).update(holds="True"), r"'LK-fig2-experiment'.*unknown \['holds'\]"),
        (lambda r: r[0].pop("because"), "a tolerance needs a because"),
        (lambda r: r.append(r[0]), "'LK-fig2-fillings' comes twice"),
        (lambda r: r[0].update(settled="n > 1"), "settled needs would_settle"),
        (lambda r: r[0].update(repeats="LK-fig9"), "repeats: 'LK-fig9' must be another row"),
        (lambda r: r[0].update(repeats="LK-fig2-fillings"), "'LK-fig2-fillings' must be another"),
        (
            lambda r: (r[0].update(repeats=r[1]["id"]), r[1].update(repeats=r[2]["id"])),
            "repeats: 'LK-fig2-sheets' must be another row of the ledger, for repeats a counted",
        ),
        (lambda r: r[0].update(same_error=r[1]["id"]), "same_error: .* names this row too"),
    ],
)
def test_incomplete_rows_are_refused(change, message, monkeypatch):
    path = machinery.files("nickbook.claims").joinpath("lk", "gap_ratio.yml")
    changed = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(changed)
    monkeypatch.setattr(machinery, "SOURCES", ("lk.gap_ratio",))
    monkeypatch.setattr(machinery.yaml, "safe_load", lambda _: changed)
    with pytest.raises(ValueError, match=message):
        machinery.rows.__wrapped__()


def counted(name, verdict, **links):
    words = dict.fromkeys((field.name for field in fields(Claim)), "")
    links = {"repeats": (), "same_error": ()} | links
    return Claim(**words | {"id": name, "verdict": verdict} | links)


def test_rows_that_share_an_error_or_repeat_a_statement_are_not_counted_twice():
    claims = [
        counted("LK-a", "not as written", same_error=("LK-b",)),
        counted("LK-b", "not as written", same_error=("LK-a",)),
        counted("LK-c", "not as written"),
        counted("LK-d", "open"),
        counted("LK-e", "reproduced", repeats=("LK-d",)),
    ]
    assert count(claims) == (
        "4 claims: 3 not as written, 1 open. The 3 that are not as written come from 2 errors. "
        "1 cross-checks stand beside them."
    )


def test_errors_are_shared_by_rows_that_are_not_reproduced():
    shared = [claim for claim in ledger() if claim.same_error]
    assert not [claim.id for claim in shared if claim.verdict == "reproduced"]


def test_unknown_names_are_refused(monkeypatch):
    with pytest.raises(ValueError, match="LK-new not in the ledger"):
        ledger(["LK-new"])
    with pytest.raises(ValueError, match="'LK-stm-gaps'; allowed: a row that the book measures"):
        measure("LK-stm-gaps")
    with pytest.raises(ValueError, match=r"nickbook.claims.lk.gap_ratio has no measure 'fig9'"):
        findings.kept.__wrapped__("nickbook.claims.lk.gap_ratio", "fig9")
    monkeypatch.setitem(machinery.rows()["LK-fig2-sheets"], "measure", "fig2.areas")
    with pytest.raises(ValueError, match=r"'LK-fig2-sheets': fig2 returns no 'areas'"):
        measure("LK-fig2-sheets")


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
