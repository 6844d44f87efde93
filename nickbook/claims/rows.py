"""The ledger: what the papers say, what the code finds, and the verdict that follows.

A row's words live in a YAML file beside this module; its value and verdict come from the function
registered under the row's id, each time the ledger is made.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files

import yaml

#: The four verdicts, in the order in which the ledger counts them.
VERDICTS = ("reproduced", "with caveat", "not as written", "outside")

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
)

_FIELDS = {"id", "where", "statement", "paper_value", "chapter", "method", "check"}
_OPTIONAL = {"tolerance", "because"}


@dataclass(frozen=True)
class Finding:
    """What a function finds about one statement.

    Parameters
    ----------
    value : str
        The computed value, in words and numbers.
    verdict : str
        One of `VERDICTS`.
    """

    value: str
    verdict: str

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"verdict = {self.verdict!r}; allowed: {', '.join(VERDICTS)}")


@dataclass(frozen=True)
class Claim:
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
    finding : Finding
        Our value and the verdict.
    """

    id: str
    where: str
    statement: str
    paper_value: str
    chapter: str
    method: str
    check: str
    tolerance: str
    finding: Finding

    @property
    def paper(self) -> str:
        """Key of the paper."""
        return self.id.split("-")[0]

    @property
    def value(self) -> str:
        """What we find."""
        return self.finding.value

    @property
    def verdict(self) -> str:
        """One of `VERDICTS`."""
        return self.finding.verdict


Judge = Callable[[float | None], Finding]
_JUDGES: dict[str, Judge] = {}


def settles(identifier: str) -> Callable[[Judge], Judge]:
    """Register the function that settles one row; it is given the row's tolerance.

    Parameters
    ----------
    identifier : str
        Id of the row.

    Returns
    -------
    callable
        The decorator.
    """

    def register(judge: Judge) -> Judge:
        if identifier in _JUDGES:
            raise ValueError(f"claim {identifier!r} is settled twice")
        _JUDGES[identifier] = judge
        return judge

    return register


def ledger(identifiers: Sequence[str] | None = None) -> list[Claim]:
    """Compute rows of the ledger; each is computed once.

    Parameters
    ----------
    identifiers : sequence of str, optional
        Ids of the rows to compute; all when not given.

    Returns
    -------
    list of Claim
        In the order of `identifiers`, or of the YAML files.

    Raises
    ------
    ValueError
        If there is no such row, a row lacks a field or a function, or a function lacks its row.
    """
    rows = _table()
    names = list(rows) if identifiers is None else list(identifiers)
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise ValueError(f"identifiers: {', '.join(unknown)} not in the ledger")
    return [_claim(name) for name in names]


def agrees(value: float, paper: float, tolerance: float | None) -> bool:
    """Whether a value is within the row's tolerance of the paper's.

    Parameters
    ----------
    value, paper : float
        Ours and the paper's.
    tolerance : float or None
        Largest allowed distance; a row that compares numbers must state one.

    Returns
    -------
    bool
        The answer.
    """
    if tolerance is None:
        raise ValueError("this row compares numbers: give it a tolerance and a because")
    return math.isfinite(value) and abs(value - paper) <= tolerance


def verdict_on(holds: bool, *, in_full: bool = True) -> str:
    """Verdict on a statement.

    Parameters
    ----------
    holds : bool
        Whether the statement holds in some reading, or for some of its cases.
    in_full : bool, optional
        Whether it then holds in every reading and case.

    Returns
    -------
    str
        "reproduced", "with caveat" or "not as written".
    """
    if not holds:
        return "not as written"
    return "reproduced" if in_full else "with caveat"


def outside(identifier: str, needs: str) -> None:
    """Settle a row that this book cannot decide.

    Parameters
    ----------
    identifier : str
        Id of the row.
    needs : str
        What would decide it, such as ``"needs the density functional bands"``.
    """
    settles(identifier)(lambda _: Finding(needs, "outside"))


@cache
def _table() -> dict[str, dict[str, str]]:
    """Rows of all sources by id, each with the function that settles it."""
    rows = []
    for source in SOURCES:
        # The judges register themselves; they import this module, so it cannot import them first.
        import_module(f"nickbook.claims.{source}")
        rows.extend(_rows(source))
    ids = [row["id"] for row in rows]
    if len(set(ids)) < len(ids) or set(ids) != set(_JUDGES):
        raise ValueError(
            f"rows and functions differ: {sorted(set(ids) ^ set(_JUDGES))}; give each id of the "
            "YAML files exactly one function registered with settles()"
        )
    return {row["id"]: row for row in rows}


def _rows(source: str) -> list[dict[str, str]]:
    path = files("nickbook.claims").joinpath(*f"{source}.yml".split(".", 1))
    text = path.read_text(encoding="utf-8")
    rows: list[dict[str, str]] = yaml.safe_load(text)
    for row in rows:
        missing, unknown = _FIELDS - set(row), set(row) - _FIELDS - _OPTIONAL
        if missing or unknown or ("tolerance" in row) != ("because" in row):
            raise ValueError(
                f"{source}.yml, row {row.get('id')!r}: missing {sorted(missing)}, unknown "
                f"{sorted(unknown)}; a tolerance needs a because"
            )
    return rows


@cache
def _claim(identifier: str) -> Claim:
    row = _table()[identifier]
    tolerance = float(row["tolerance"]) if "tolerance" in row else None
    stated = "" if tolerance is None else f"±{tolerance:g}: {row['because'].strip()}"
    words = {name: str(row[name]).strip() for name in _FIELDS}
    return Claim(**words, tolerance=stated, finding=_JUDGES[identifier](tolerance))
