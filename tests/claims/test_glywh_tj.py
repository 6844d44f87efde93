"""Verdicts on the t-J model follow from the physics."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import nickbook.claims.glywh_tj as judges
from nickbook.bands import SQUARE_CHARACTERS, SQUARE_ELEMENTS, four_band, square_group, zone_mesh
from nickbook.claims import ledger
from nickbook.pairing import GapFunction
from nickbook.pairing.tj_solver import Mode

machinery = import_module("nickbook.claims.ledger")


def judged(identifier, tolerance=None):
    """One verdict, with the tolerance of its row unless another is given."""
    (row,) = (r for r in machinery._rows("glywh_tj") if r["id"] == identifier)
    if tolerance is None and "tolerance" in row:
        tolerance = float(row["tolerance"])
    return machinery._JUDGES[identifier](tolerance).verdict


class TestSecondRoutes:
    @pytest.mark.parametrize(
        ("in_plane", "multiple"), [(2.0, 1.0), (1.0, 2.0), (0.5, 4.0)], ids=["H_J", "summed", "37"]
    )
    def test_constant_and_gap_equation_belong_together(self, in_plane, multiple):
        """Solve with each constant of Eq. 37, and read the multiple off the averages."""
        found = judges.solution()
        strength = 0.4
        modes = tuple(
            replace(mode, stiffness=in_plane / strength)
            if mode.name == "s 2"
            else replace(mode, stiffness=2 / 1.0)
            for mode in found.problem.modes
            if mode.name in ("s 2", "interlayer 2")
        )
        problem = replace(found.problem, modes=modes, mesh=24, temperature=0.02)
        x, mu = problem.iterate(np.array([-0.1, 0.3]), 10.1, 1e-4)
        x, mu, residual = problem.polish(x, mu)
        assert residual < 1e-10
        k = zone_mesh(24).reshape(-1, 2)
        form = np.cos(k).sum(axis=-1)
        gap = np.zeros((len(k), 4, 4))
        gap[:, 1, 1] = gap[:, 3, 3] = x[0] * form
        gap[:, 1, 3] = gap[:, 3, 1] = x[1]
        h = four_band().hamiltonian(k).real - mu * np.eye(4)
        energies, u = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
        average = (u / (1 + np.exp(energies / 0.02))[:, None]) @ u.swapaxes(1, 2)
        d = np.mean(form * average[:, 1, 5])
        assert x[0] == pytest.approx(-multiple * strength * d, rel=1e-8)
        between = np.mean(average[:, 1, 7] + average[:, 3, 5])
        assert x[1] == pytest.approx(-1.0 / 2 * between, rel=1e-8)

    def test_end_of_gamma_by_counting(self):
        """Electrons on a fine mesh up to the highest level of the γ band."""
        model = four_band()
        levels = [block.energies(zone_mesh(1200)) for block in model.blocks]
        top = levels[1][..., 0].max()
        count = 2 * sum((level < top).mean(axis=(0, 1)).sum() for level in levels)
        assert count - 3 == pytest.approx(judges.gamma_top(), abs=1e-3)

    def test_a_diagonal_strain_couples_s_to_dxy_only(self):
        """Characters of B2 times A1 against B1, and a projection of the form factors."""
        order = len(SQUARE_ELEMENTS)
        product = {
            name: sum(
                a * b * c
                for a, b, c in zip(
                    SQUARE_CHARACTERS["B2"], SQUARE_CHARACTERS["A1"], characters, strict=True
                )
            )
            / order
            for name, characters in SQUARE_CHARACTERS.items()
        }
        assert product == {"A1": 0, "A2": 0, "B1": 0, "B2": 1, "E": 0}
        k = np.random.default_rng(3).uniform(-3, 3, size=(40, 2))
        strain = np.sin(k[:, 0]) * np.sin(k[:, 1])
        for element, b2 in zip(
            square_group(np.eye(1), np.eye(1)), SQUARE_CHARACTERS["B2"], strict=True
        ):
            moved = element.momentum(k)
            assert np.allclose(np.sin(moved[:, 0]) * np.sin(moved[:, 1]), b2 * strain)


def with_gaps(change, original=judges.gaps):
    """The amplitudes with something done to them."""

    def solve(*given, **options):
        found = dict(original(*given, **options))
        change(found)
        return found

    return solve


def with_lines(change, original=judges.gap_on_lines):
    """The gaps on β, γ and α with something done to them."""

    def solve(*given, **options):
        gap = original(*given, **options)
        return GapFunction(gap.sheets, tuple(change(*gap.values)), gap.channel)

    return solve


def with_critical(change, original=judges.critical_kelvin):
    """The critical temperature with something done to it."""
    return lambda doping=0.0, **options: change(original(doping, **options), doping, options)


#: Another physics, by the name of what it replaces, and the verdict that must follow.
CHANGES = {
    "bonds counted twice": (
        "GLYWH-eq36-intralayer", "pair_attraction", lambda: (2.0, 1.0), "reproduced"),
    "other layers": (
        "GLYWH-eq36-interlayer", "pair_attraction", lambda: (1.0, 2.0), "not as written"),
    "a sum over layers": (
        "GLYWH-eq37-constants", "slope_multiples", lambda: (2.0, 1.0), "reproduced"),
    "another constant": (
        "GLYWH-eq37-constants", "slope_multiples", lambda: (3.0, 1.0), "not as written"),
    "one interlayer coupling": (
        "GLYWH-eq48-prefactor", "gaps", lambda **_: {"inter2": 0.02}, "reproduced"),
    "x squared that pairs": (
        "GLYWH-tj-weak-J1", "gaps", lambda first: {"inter2": 1 + first}, "not as written"),
    "layers first": (
        "GLYWH-fig4a-interlayer", "gaps", with_gaps(lambda g: g.update(s2=-0.5)), "not as written"),
    "no pairs in the layers": (
        "GLYWH-fig4a-intralayer", "gaps", with_gaps(lambda g: g.update(s2=0.0)), "not as written"),
    "substantial everywhere": (
        "GLYWH-fig4a-intralayer", "gaps", lambda **_: {"s2": -0.01, "inter2": 0.02}, "reproduced"),
    "equal signs": (
        "GLYWH-fig4a-opposite", "gaps", with_gaps(lambda g: g.update(s2=-g["s2"])),
        "not as written"),
    "large x squared": (
        "GLYWH-fig4a-x-weak", "gaps", with_gaps(lambda g: g.update(s1=0.01)), "not as written"),
    "d first": (
        "GLYWH-fig4a-d-wave", "critical_kelvin",
        lambda channel="s", **_: {"s": 1.0, "d": 2.0}[channel], "not as written"),
    "large beta": (
        "GLYWH-fig4b-gamma", "gap_on_lines",
        with_lines(lambda b, g, a: (3 * b, g, a)), "not as written"),
    "alpha like beta": (
        "GLYWH-fig4b-signs", "gap_on_lines", with_lines(lambda b, g, a: (b, g, -a)),
        "not as written"),
    "no quasi-node on beta": (
        "GLYWH-fig4b-quasinodes", "gap_on_lines",
        with_lines(lambda b, g, a: (b - 0.005, g, a)), "not as written"),
    "signs that do not help": (
        "GLYWH-fig4b-enhancement", "gaps", with_gaps(lambda g: g.update(s2=0.001)),
        "not as written"),
    "no use of J2": (
        "GLYWH-fig4c-zero-J2", "gap_on_lines", lambda _: judges.gap_on_lines(judges.J2),
        "not as written"),
    "alpha never turns": (
        "GLYWH-fig4c-strong-J2", "gap_on_lines",
        with_lines(lambda b, g, a: (b, g, np.abs(a))), "not as written"),
    "late optimum": (
        "GLYWH-fig4d-optimum", "critical_kelvin",
        with_critical(lambda _, doping, __: 100 - abs(doping - 0.25)), "not as written"),
    "shallow gamma": ("GLYWH-fig4d-end", "gamma_top", lambda: 0.1, "not as written"),
    "deep gamma": ("GLYWH-fig4d-end", "gamma_top", lambda: 0.41, "reproduced"),
    "pairs without gamma": (
        "GLYWH-fig4d-gamma", "critical_kelvin", with_critical(lambda *_: 50.0), "not as written"),
    "holes are better": (
        "GLYWH-tj-doping-Tc", "critical_kelvin",
        with_critical(lambda _, doping, __: 100 - 100 * doping), "not as written"),
    "electrons are much better": (
        "GLYWH-tj-doping-Tc", "critical_kelvin",
        with_critical(lambda _, doping, __: 100 + 100 * doping), "reproduced"),
    "a plane with equal signs": (
        "GLYWH-tj-planes", "plane_gaps", lambda _: {"s2": 1.0, "inter2": 1.0}, "not as written"),
    "mixing": ("GLYWH-tj-distortion", "admixture", lambda *_: 0.1, "not as written"),
    "only one coupling": (
        "GLYWH-tj-both-couplings", "critical_kelvin", lambda **_: 100.0, "not as written"),
    "dramatic": (
        "GLYWH-tj-dramatic", "gaps", lambda second=1, **_: {"inter2": 1 + 2 * second},
        "reproduced"),
    "no enhancement": (
        "GLYWH-tj-dramatic", "gaps", lambda **_: {"inter2": 1.0}, "not as written"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_verdicts_follow_the_physics(change, monkeypatch):
    identifier, name, replacement, verdict = CHANGES[change]
    ledger()  # fills what is cached before anything is replaced
    if change == "no use of J2":
        constant = judges.gap_on_lines(judges.J2)
        monkeypatch.setattr(judges, "gaps", lambda **_: {"inter2": 1.0})
        replacement = lambda _: constant  # noqa: E731
    monkeypatch.setattr(judges, name, replacement)
    assert judged(identifier) == verdict


def test_growth_needs_growing_gaps(monkeypatch):
    ledger()
    fixed = judges.solution()
    monkeypatch.setattr(judges, "solution", lambda **_: fixed)
    assert judged("GLYWH-fig4a-growth") == "not as written"


@pytest.mark.parametrize(
    ("identifier", "tolerance", "verdict"),
    [
        ("GLYWH-tj-weak-J1", 1e-4, "not as written"),
        ("GLYWH-fig4a-x-weak", 1e-3, "not as written"),
        ("GLYWH-fig4b-quasinodes", 1e-3, "not as written"),
        ("GLYWH-fig4c-zero-J2", 0.8, "reproduced"),
        ("GLYWH-fig4c-zero-J2", 0.3, "not as written"),
        ("GLYWH-fig4d-optimum", 0.001, "not as written"),
        ("GLYWH-fig4d-end", 0.2, "reproduced"),
        ("GLYWH-tj-doping-Tc", 0.02, "reproduced"),
        ("GLYWH-tj-dramatic", 1.3, "reproduced"),
    ],
)
def test_verdicts_follow_the_tolerance(identifier, tolerance, verdict):
    assert judged(identifier, tolerance) == verdict


def test_the_mode_names_used_here_exist():
    assert {mode.name for mode in judges.solution().problem.modes} == {
        "s 1", "s 2", "interlayer 1", "interlayer 2",
    }  # fmt: skip
    assert isinstance(judges.solution().problem.modes[0], Mode)
