"""Bars for what takes long: shown in a terminal or a notebook after two seconds.

The environment variable ``NICKBOOK_PROGRESS`` is the switch: ``0`` hides every bar, ``1`` shows
them in pipes and files too.  Without it they are hidden where the output is not a terminal's and
where chapters are run for the book (``NICKBOOK_STATIC``).
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

#: Seconds before a bar is shown, and between two of its states.
DELAY, INTERVAL = 2.0, 0.1


def visible() -> bool:
    """Whether somebody looks."""
    if said := os.environ.get("NICKBOOK_PROGRESS"):
        return said != "0"
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return not os.environ.get("NICKBOOK_STATIC") and (terminal or _in_notebook())


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config


@contextmanager
def meter(
    about: str, total: float | None = None, *, shown: bool | None = None
) -> Iterator[Callable[..., None]]:
    """Give a function ``step(amount=1, words="")`` that moves a bar on.

    Parameters
    ----------
    about : str
        What takes long.
    total : float, optional
        Amount at the end, where it is known.
    shown : bool, optional
        Whether there is a bar; where somebody looks when not given.

    Yields
    ------
    callable
        Moves the bar by an amount, and writes words behind it.
    """
    if not (visible() if shown is None else shown):
        yield lambda *_, **__: None
        return
    from tqdm.auto import tqdm  # type: ignore[import-not-found,import-untyped,unused-ignore]

    # A total that is no count, such as a logarithm, says nothing to a reader.
    form = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}" if isinstance(total, float) else None
    times = {"delay": DELAY, "mininterval": INTERVAL, "miniters": 0}
    with tqdm(desc=about, total=total, leave=False, bar_format=form, **times) as bar:

        def step(amount: float = 1, words: str = "") -> None:
            bar.set_postfix_str(words, refresh=False)
            # A sum of fractions may come out above their total.
            bar.update(amount if total is None else min(amount, total - bar.n))

        yield step


def track(items: Iterable[Item], about: str, total: int | None = None) -> Iterator[Item]:
    """Yield items; a bar says how many of them, or of a total, are done."""
    total = len(items) if isinstance(items, Sized) else total
    with meter(about, total) as step:
        for item in items:
            yield item
            step()
