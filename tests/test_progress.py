"""Bars are shown where somebody looks, after a while, and nowhere else."""

import io
import sys
from types import SimpleNamespace

import pytest
from lattices import square_lattice

from nickbook import progress
from nickbook.claims import ledger
from nickbook.pairing import frg_flow
from nickbook.progress import meter, track, visible


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def open_terminal(monkeypatch):
    """Return a function that makes a terminal of standard error, without the tests' switch.

    A fixture alone cannot: pytest puts its own stream there before each test.
    """

    def made():
        monkeypatch.delenv("NICKBOOK_PROGRESS")
        monkeypatch.delenv("NICKBOOK_STATIC", raising=False)
        monkeypatch.setattr(sys, "stderr", Terminal())
        monkeypatch.setattr(progress, "DELAY", 0.0)
        monkeypatch.setattr(progress, "INTERVAL", 0.0)
        return sys.stderr

    return made


def test_who_sees_bars(open_terminal, monkeypatch):
    terminal = open_terminal()
    assert visible()
    monkeypatch.setenv("NICKBOOK_STATIC", "1")
    assert not visible()
    monkeypatch.setenv("NICKBOOK_PROGRESS", "1")
    assert visible()
    monkeypatch.setenv("NICKBOOK_PROGRESS", "0")
    monkeypatch.delenv("NICKBOOK_STATIC")
    assert not visible()
    monkeypatch.delenv("NICKBOOK_PROGRESS")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not visible()
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert visible()
    monkeypatch.setenv("NICKBOOK_STATIC", "dry")
    assert not visible()
    assert terminal.getvalue() == ""


def test_a_bar_counts_and_goes_away(open_terminal):
    terminal = open_terminal()
    assert list(track([1, 2, 3], "work")) == [1, 2, 3]
    text = terminal.getvalue()
    assert "work: 100%" in text and "3/3" in text and text.rsplit("\r", 1)[-1] == ""
    list(track(iter("ab"), "unknown"))
    assert "unknown: 2it" in terminal.getvalue()
    with meter("flow", 2.5) as step:
        step(0.5, "at the start")
    assert "flow:  20%" in terminal.getvalue() and "at the start" in terminal.getvalue()


def test_what_is_short_shows_no_bar(open_terminal, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setattr(progress, "DELAY", 2.0)
    list(track(range(100), "work"))
    assert terminal.getvalue() == ""


def test_tests_are_silent(capsys):
    assert not visible()
    list(track(range(3), "work"))
    assert capsys.readouterr().err == ""


def test_a_flow_shows_its_scale(open_terminal):
    terminal = open_terminal()
    given = {"U": 2.0, "patches": 8, "mesh": 16, "stop": 1.0}
    flow = frg_flow(square_lattice(-0.25), -0.9, **given)
    shown = terminal.getvalue()
    assert "flow: 100%" in shown and f"{flow.scales[-1]:.2e} eV, {flow.leading()}" in shown
    seen = []
    frg_flow(square_lattice(-0.25), -0.9, **given, progress=seen.append)
    frg_flow(square_lattice(-0.25), -0.9, **given, progress=False)
    assert len(seen) == len(flow.scales) - 1 and terminal.getvalue() == shown


def test_a_bar_can_be_asked_for(open_terminal, monkeypatch):
    terminal = open_terminal()
    monkeypatch.setenv("NICKBOOK_PROGRESS", "0")
    frg_flow(square_lattice(-0.25), -0.9, U=2.0, patches=8, mesh=16, stop=1.0, progress=True)
    assert "flow: 100%" in terminal.getvalue()


def test_the_ledger_counts_its_rows(open_terminal):
    terminal = open_terminal()
    ledger(["LK-exchange-value", "LK-exchange-formula"])
    assert "ledger: 100%" in terminal.getvalue() and "2/2" in terminal.getvalue()
