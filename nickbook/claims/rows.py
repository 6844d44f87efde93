"""The ledger: what the papers say, what the code measures, and the verdict that follows.

A row is YAML: the statement, the sentence that reports what is found, and the conditions that
decide.  Its measure is a Python function beside the YAML file, which returns named numbers and
judges nothing; rows may share one, or take a part of what it returns.  Sentence and conditions
are expressions over these numbers, read by `simpleeval`, and the conditions are printed with the
verdict.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import yaml
from simpleeval import EvalWithCompoundTypes, InvalidExpression

from nickbook.claims.findings import Numbers, kept
from nickbook.papers import GLYWH, LK
from nickbook.progress import track
from nickbook.results import Result

#: The five verdicts, in the order in which the ledger counts them.
VERDICTS = ("reproduced", "with caveat", "not as written", "open", "outside")

#: Pairs of a YAML file and a module, in the order of the chapters they belong to.
SOURCES = (
    "lk.dimers",
    "lk.interactions",
    "lk.gap_ratio",
    "lk.full_gap",
    "glywh.bands",
    "glywh.third_dimension",
    "glywh.susceptibility",
    "glywh.flow",
    "glywh.tj",
    "glywh.crystal",
)

_WORDS = ("id", "where", "statement", "paper_value", "chapter", "method", "check")
_DECIDED = {"found", "holds"}
_REPORTED = {"measure", "found"}
_OPTIONAL = {"measure", "in_full", "caveat", "agree", "settled", "would_settle", "tolerance"}
_OPTIONAL |= {"because", "bounds"}
#: Other rows that a row names: those whose statement it tests once more, those with the same error.
_LINKS = ("repeats", "same_error")


class DisagreementError(RuntimeError):
    """Two routes of this book contradict each other, so that a row has no verdict."""


@dataclass(frozen=True)
class Claim(Result):
    """One row of the ledger.

    Parameters
    ----------
    id : str
        Such as ``"LK-fig2-fillings"``; the part before the first hyphen names the paper.
    where : str
        Place in the paper.
    statement : str
        What the paper says, in our words.
    paper_value : str
        The paper's number, or an empty string.
    chapter : str
        Label of the section that shows it.
    method : str
        How our value is computed.
    check : str
        The second, independent route, by the name of the test that takes it.
    tolerance : str
        How far the value may be from the paper's, and why; empty where nothing is compared.
    holds, in_full, caveat : str
        Condition under which the statement holds, condition under which it then holds in every
        reading and case, and what stands against the latter whatever the numbers are.
    settled, would_settle : str
        Condition under which the methods of this book agree and have converged, so that there is
        something to judge by, and what would settle the row where it is false.
    bounds : str
        Why the bounds in the conditions are what they are.
    repeats : tuple of str
        Rows whose statement this one tests by another method. It stands beside them and is not
        counted.
    same_error : tuple of str
        Rows that fail for the same reason, so that together they count as one error.
    value : str
        What we find.
    verdict : str
        One of `VERDICTS`.

    Examples
    --------
    >>> from nickbook.claims import ledger
    >>> (claim,) = ledger(["LK-fig2-fillings"])
    >>> claim.paper, claim.where, claim.verdict
    ('LK', 'Fig. 2, caption', 'reproduced')
    """

    id: str
    where: str
    statement: str
    paper_value: str
    chapter: str
    method: str
    check: str
    tolerance: str
    holds: str
    in_full: str
    caveat: str
    settled: str
    would_settle: str
    bounds: str
    repeats: tuple[str, ...]
    same_error: tuple[str, ...]
    value: str
    verdict: str

    def _words(self) -> str:
        return f"{self.id}, {self.verdict}: {self.value}"

    @property
    def paper(self) -> str:
        """Key of the paper."""
        return self.id.split("-")[0]


def ledger(identifiers: Sequence[str] | None = None) -> list[Claim]:
    """Settle rows of the ledger; each is measured once.

    Parameters
    ----------
    identifiers : sequence of str, optional
        Ids of the rows; all when not given.

    Returns
    -------
    list of Claim
        In the order of `identifiers`, or of the YAML files.

    Raises
    ------
    ValueError
        If there is no such row, or a row lacks a field, its measure, or a number that it names.
    DisagreementError
        If two routes of this book contradict each other.

    Examples
    --------
    >>> from nickbook.claims import ledger
    >>> for claim in ledger(["LK-fig2-fillings"]):
    ...     print(claim.id, claim.verdict)
    LK-fig2-fillings reproduced
    """
    names = list(rows()) if identifiers is None else list(identifiers)
    unknown = [name for name in names if name not in rows()]
    if unknown:
        raise ValueError(f"identifiers: {', '.join(unknown)} not in the ledger")
    return [_claim(name) for name in track(names, "ledger")]


def measure(identifier: str) -> Numbers:
    """Return the numbers behind one row.

    Parameters
    ----------
    identifier : str
        Id of the row.

    Returns
    -------
    dict
        Numbers by name, arrays as lists.  They are kept on disk when the environment variable
        ``NICKBOOK_FINDINGS`` names a directory, until the code behind them changes.

    Raises
    ------
    ValueError
        If there is no such row, or none of its kind is measured.

    Examples
    --------
    >>> from nickbook.claims import measure
    >>> numbers = measure("LK-fig2-fillings")  # the paper has 0.14 and 0.31
    >>> f"{numbers['alpha']:.4f} {numbers['beta']:.4f}"
    '0.1442 0.3075'
    """
    row = rows().get(identifier)
    if row is None or "found" not in row:
        raise ValueError(f"identifier = {identifier!r}; allowed: a row that the book measures")
    name, _, part = row["measure"].partition(".")
    numbers = kept(row["source"], name)
    if part and part not in numbers:
        raise ValueError(f"row {identifier!r}: {name} returns no {part!r}; allowed: {[*numbers]}")
    return numbers[part] if part else numbers


@cache
def rows() -> dict[str, dict[str, str]]:
    """Read the fields of all rows as text, by id, with the ``source`` that measures.

    A row that lacks a field, has one too many, comes twice, or names a row that there is not is
    refused.
    """
    found: dict[str, dict[str, str]] = {}
    for source in SOURCES:
        path = files("nickbook.claims").joinpath(*f"{source}.yml".split(".", 1))
        for row in yaml.safe_load(path.read_text(encoding="utf-8")):
            texts = {name: str(words).strip() for name, words in row.items()}
            _require_fields(source, texts)
            name = texts["id"]
            if name in found:
                raise ValueError(f"{source}.yml: row {name!r} comes twice")
            own = name.split("-", 1)[1].replace("-", "_")
            found[name] = {"measure": own, "source": f"nickbook.claims.{source}"} | texts
    for name, row in found.items():
        _require_links(name, row, found)
    return found


def settle(row: Mapping[str, str], numbers: Numbers) -> tuple[str, str]:
    """Sentence and verdict of a row for the numbers that its measure returned."""
    evaluate = _evaluator(row, numbers)
    if "agree" in row and not evaluate("agree"):
        raise DisagreementError(
            f"row {row['id']!r}: two routes of this book disagree, {row['agree']} is false for "
            f"{numbers}; mend the wrong one"
        )
    verdict = "not as written"
    if not evaluate("settled", default=True):
        verdict = "open"
    elif evaluate("holds"):
        in_full = "caveat" not in row and evaluate("in_full", default=True)
        verdict = "reproduced" if in_full else "with caveat"
    return str(_evaluator(row, numbers | {"verdict": verdict})("found")), verdict


def _evaluator(row: Mapping[str, str], numbers: Numbers) -> Callable[..., Any]:
    """Evaluate fields of a row by name."""
    tolerance = float(row["tolerance"]) if "tolerance" in row else math.nan

    def agrees(value: float | list[float], paper: float) -> bool:
        if math.isnan(tolerance):
            raise ValueError(f"row {row['id']!r} compares numbers: give it a tolerance")
        return bool((np.abs(np.subtract(value, paper)) <= tolerance).all())

    functions = _FUNCTIONS | {"agrees": agrees}
    names = _NAMES | {"tolerance": tolerance} | numbers
    machine = EvalWithCompoundTypes(functions=functions, names=names)

    def evaluate(field: str, *, default: object = None, plain: bool = False) -> object:
        if field not in row:
            return default
        text = row[field]
        if field == "found":
            text = f'rf"""{text}"""'
        try:
            found = machine.eval(text)
        except (InvalidExpression, TypeError, KeyError, IndexError, SyntaxError) as error:
            raise ValueError(f"row {row['id']!r}, {field}: {error}") from error
        return found if plain or field == "found" else bool(found)

    return evaluate


def _each(values: Sequence[float], spec: str, between: str = ", ") -> str:
    """Join formatted numbers."""
    return between.join(format(value, spec) for value in values)


_NAMES = {"pi": math.pi, "inf": math.inf, "LK": LK, "GLYWH": GLYWH}
_FUNCTIONS = {f.__name__: f for f in (abs, all, any, len, max, min, set, sorted, sum, zip)} | {
    "each": _each,
    "enumerate": enumerate,
    "isfinite": math.isfinite,
    "list": list,
    "range": range,
}


def _require_fields(source: str, row: Mapping[str, str]) -> None:
    decided = {"needs"} if "needs" in row else _DECIDED
    missing = (set(_WORDS) | decided) - set(row)
    allowed = {*_WORDS, *_LINKS} | decided | (_REPORTED if "needs" in row else _OPTIONAL)
    unknown = set(row) - allowed
    pairs = (("tolerance", "because"), ("settled", "would_settle"))
    if missing or unknown or any(one in row and other not in row for one, other in pairs):
        raise ValueError(
            f"{source}.yml, row {row.get('id')!r}: missing {sorted(missing)}, unknown "
            f"{sorted(unknown)}; a tolerance needs a because, settled needs would_settle"
        )


def _linked(row: Mapping[str, str], link: str) -> tuple[str, ...]:
    return tuple(row.get(link, "").replace(",", " ").split())


def _require_links(name: str, row: Mapping[str, str], found: Mapping[str, Any]) -> None:
    """Refuse links to rows that are not there, that stand beside another, or that go one way."""
    for link in _LINKS:
        for other in _linked(row, link):
            wrong = other == name or other not in found
            wrong |= link == "repeats" and bool(_linked(found.get(other, {}), link))
            wrong |= link == "same_error" and name not in _linked(found.get(other, {}), link)
            if wrong:
                raise ValueError(
                    f"row {name!r}, {link}: {other!r} must be another row of the ledger, for "
                    "repeats a counted one, for same_error one that names this row too"
                )


@cache
def _claim(identifier: str) -> Claim:
    row = rows()[identifier]
    if "needs" in row:
        value, verdict = row["needs"], "outside"
        if "found" in row:  # what the models alone say of it
            value = str(_evaluator(row, measure(identifier))("found"))
    else:
        value, verdict = settle(row, measure(identifier))
    stated = f"±{float(row['tolerance']):g}: {row['because']}" if "tolerance" in row else ""
    words: dict[str, Any] = {field.name: row.get(field.name, "") for field in fields(Claim)}
    words |= {link: _linked(row, link) for link in _LINKS}
    return Claim(**words | {"tolerance": stated, "value": value, "verdict": verdict})
