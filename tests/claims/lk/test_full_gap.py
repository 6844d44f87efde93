"""Verdicts on the full gap equations follow from the physics."""

import numpy as np
import pytest

import nickbook.claims.lk.full_gap as judges
from nickbook.bands import eta_k
from nickbook.claims import ledger
from nickbook.pairing import GapFunction, channel_strengths


def changed(change, original=judges.gap_on_zone):
    """The solved gap with something done to the values on α and β."""

    def solve(*given, **options):
        gap = original(*given, **options)
        eta_squared = [eta_k(s.points) ** 2 for s in gap.sheets]
        return GapFunction(gap.sheets, change(*gap.values, *eta_squared), gap.channel)

    return solve


def exchanged_strengths(*given):
    found = channel_strengths(*given)
    return {"s±": found["d"], "d": found["s±"]}


#: Another physics, by the name of what it replaces, and the verdict that must follow.
CHANGES = {
    "d first": ("LK-eq14-leading", "printed_kappa_ratio", lambda: 6.0, "not as written"),
    "d first on the lines": (
        "LK-eq14-leading",
        "channel_strengths",
        exchanged_strengths,
        "not as written",
    ),
    "no boundary": (
        "LK-eq14-leading",
        "channel_boundaries",
        lambda *_: {"equal T_c": 20.0},
        "reproduced",
    ),
    "equal signs": (
        "LK-eq14-signs",
        "gap_on_zone",
        changed(lambda a, b, *_: (a, -b)),
        "not as written",
    ),
    "node on beta": (
        "LK-eq14-signs",
        "gap_on_zone",
        changed(lambda a, b, _, e: (a, b * (e - 1))),
        "not as written",
    ),
    "kappas changed alone": (
        "LK-eq15-product",
        "pair_of",
        lambda kappa, ratio: (kappa * ratio, kappa),
        "not as written",
    ),
    "twice the cutoff in the logarithm": ("LK-eq15-plain-sum", "CUTOFF", 0.6, "not as written"),
    "no eta on alpha": (
        "LK-eq15-weighted-sum",
        "eta_k",
        lambda k: 1.2 * eta_k(k),
        "not as written",
    ),
    "other average": ("LK-eq16-zone", "eta_k", lambda k: 1.1 * eta_k(k), "not as written"),
    "other exponent": ("LK-fig3b-zone", "gap_ratio", lambda r, _: r**0.2, "not as written"),
    "closed form everywhere": (
        "LK-fig3b-zone",
        "_ratio_over_eq18",
        lambda *_, **__: 1.01,
        "reproduced",
    ),
    "larger beta": (
        "LK-fig4b-zone",
        "gap_on_zone",
        changed(lambda a, b, *_: (a, 1.2 * b)),
        "not as written",
    ),
    "order lost": (
        "LK-fig4b-hierarchy-zone",
        "changed_gaps",
        lambda: {"weak": changed(lambda a, b, *_: (0.5 * a, b))()},
        "not as written",
    ),
    "constant gaps": (
        "LK-fig4b-anisotropy-zone",
        "changed_gaps",
        lambda: {"flat": changed(lambda a, b, *_: (np.ones_like(a), -np.ones_like(b)))()},
        "with caveat",
    ),
    "ratio that doubles when the shell is narrow": (
        "LK-eq18-cutoff",
        "gap_on_zone",
        lambda cutoff, **_: changed(lambda a, b, *_: (a * cutoff, b))(),
        "not as written",
    ),
    "ratio without cutoff": (
        "LK-eq18-cutoff",
        "gap_on_zone",
        lambda **_: judges.GapFunction(*_constant()),
        "reproduced",
    ),
    "cold theory": ("LK-eq18-small-coupling", "KELVIN", 1.0, "reproduced"),
}


def _constant():
    sheets = judges.sheets_at(judges.DENSITY)
    values = [np.full(len(s.points), size) for s, size in zip(sheets, (0.2, -0.1), strict=True)]
    return sheets, tuple(values), "s±"


@pytest.mark.parametrize("change", CHANGES)
def test_verdicts_follow_the_physics(judged, change, monkeypatch):
    identifier, name, replacement, verdict = CHANGES[change]
    ledger()  # fills what is cached before anything is replaced
    if name == "KELVIN":
        monkeypatch.setattr(judges, "coupling_for", lambda _: 0.2)
    monkeypatch.setattr(judges, name, replacement)
    assert judged(identifier) == verdict


@pytest.mark.parametrize(
    ("identifier", "tolerance", "verdict"),
    [
        ("LK-eq15-plain-sum", 0.01, "not as written"),
        ("LK-eq15-weighted-sum", 0.2, "reproduced"),
        ("LK-eq16-zone", 0.2, "reproduced"),
        ("LK-fig3b-zone", 0.5, "reproduced"),
        ("LK-fig4b-zone", 0.01, "not as written"),
        ("LK-eq18-cutoff", 0.5, "reproduced"),
    ],
)
def test_verdicts_follow_the_tolerance(judged, identifier, tolerance, verdict):
    assert judged(identifier, tolerance) == verdict
