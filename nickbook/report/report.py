"""All steps in a row, and what they found."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from nickbook.arrays import Energy
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import one_of, real
from nickbook.observables import (
    ImpurityScattering,
    SpinSpectrum,
    TunnellingSpectrum,
    WeakCoupling,
    impurity_scattering,
    tunnelling,
    weak_coupling,
)
from nickbook.pairing import FlowResult, GapFunction, PairingState, TJSolution
from nickbook.progress import meter
from nickbook.report import steps
from nickbook.report.steps import QUALITIES, Pairing, Quality, Response, Spectrum
from nickbook.results import Result


@dataclass(frozen=True, eq=False)
class Report(Result):
    """What the book computes, of one model; made by `compare`.

    Parameters
    ----------
    sea : FermiSea
        The bands up to their level.
    quality : Quality
        Meshes and patches.
    hund : float
        Hund's coupling over the repulsion.
    gap : float
        Largest gap in eV that the observables are of.
    spectrum, response : Spectrum, Response or None
        Bands and susceptibility.
    pairing : tuple of Pairing
        Pairing states of each interaction, which grows.
    flow, exchange : FlowResult, TJSolution or None
        Flow of the interaction, and mean field of the t-J model.
    tunnelling, thermodynamics, spins, impurities : results of `nickbook.observables` or None
        Of the leading state of the middle interaction.
    missing : dict of str to str
        Why a step has no result.
    seconds : dict of str to float
        What each step took.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.report import compare
    >>> report = compare(four_band(), filling=3, quality="fast", only=("exchange",))
    >>> report.exchange.gap_function().channel, report.missing["flow"]
    ('singlet A1', 'it was not asked for')
    """

    sea: FermiSea
    quality: Quality
    hund: float
    gap: Energy
    spectrum: Spectrum | None
    response: Response | None
    pairing: tuple[Pairing, ...]
    flow: FlowResult | None
    exchange: TJSolution | None
    tunnelling: TunnellingSpectrum | None
    thermodynamics: WeakCoupling | None
    spins: SpinSpectrum | None
    impurities: ImpurityScattering | None
    missing: dict[str, str]
    seconds: dict[str, float]

    def _words(self) -> str:
        return f"{self.sea!r}, {self.quality.name}, {len(self.missing)} steps left out"

    @property
    def chosen(self) -> Pairing:
        """The middle interaction, whose leading state the observables are of."""
        return self.pairing[len(self.pairing) // 2]

    @property
    def leading(self) -> PairingState:
        """The leading state of that interaction."""
        return self.chosen.states[0]

    def to_netcdf(self, path: str | Path) -> None:
        """Write everything to a NetCDF file, which `load` reads."""
        self.save(path)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the page as HTML, and write it to a file if there is a path."""
        from nickbook.report.page import page

        text = page(self)
        if path is not None:
            Path(path).write_text(text, "utf-8")
        return text

    def _repr_html_(self) -> str:
        from nickbook.report.page import body

        return body(self)


STEPS = (
    *("spectrum", "response", "pairing", "flow", "exchange"),
    *("tunnelling", "thermodynamics", "spins", "impurities"),
)


def compare(
    model: BlochModel | str | Path,
    *,
    filling: float,
    quality: str = "default",
    kz: float | None = None,
    sites: tuple[int, ...] = (),
    tolerance: float = 2e-6,
    hund: float = 0.1,
    U: tuple[float, ...] = (),
    temperature: float | None = None,
    flow_U: float | None = None,
    J: tuple[float, float, float, float] = (0.15, 0.075, 0.03, 0.375),
    gap: float | None = None,
    only: tuple[str, ...] = STEPS,
) -> Report:
    """Take a model through everything the book computes.

    Parameters
    ----------
    model, filling : BlochModel, str or Path, float
        The bands or their file, and electrons per cell, as for `open_sea`.
    quality : {"fast", "default", "fine"}
        One of `QUALITIES`.
    kz, sites, tolerance : float, tuple of int, float
        As for `open_sea`.
    hund : float
        Hund's coupling over the repulsion.
    U : tuple of float, optional
        Repulsions in eV for the pairing states; 0.5, 0.8 and 0.95 of the Stoner point when not
        given.  Observables are of the leading state at the middle one.
    temperature : float, optional
        Temperature in eV of the susceptibility; half a percent of the range of all energies when
        not given.
    flow_U : float, optional
        Repulsion in eV for the flow; the range of all energies of the bands when not given.
    J : tuple of float
        Exchange for the t-J model in eV, as for `exchange`.
    gap : float, optional
        Largest gap in eV that the observables are of; half a percent of the range of energies when
        not given, as theories near the transition tell its shape alone.
    only : tuple of str, optional
        Steps to take, of `STEPS`.

    Returns
    -------
    Report
        Results, and for each step without one the reason.

    Raises
    ------
    TypeError, ValueError, OSError
        As for `open_sea`, or for a number or a word out of range.

    Examples
    --------
    >>> from nickbook.bands import bilayer_hubbard
    >>> from nickbook.report import compare
    >>> report = compare(bilayer_hubbard(1.0), filling=1.8, quality="fast", only=("exchange",))
    >>> report.missing["exchange"].startswith("the t-J model takes two layers of two orbitals")
    True
    """
    size = QUALITIES[one_of("quality", quality, tuple(QUALITIES))]
    for step in only:
        one_of("only", step, STEPS)
    hund = real("hund", hund, at_least=0.0, below=1 / 3)
    for u in U:
        real("U", u, above=0.0, unit="eV")
    sea = steps.open_sea(model, filling=filling, kz=kz, sites=sites, tolerance=tolerance)
    width = sea.model.state_count.width
    height = real("gap", 5e-3 * width if gap is None else gap, above=0.0, unit="eV")
    warm = 5e-3 * width if temperature is None else temperature
    strength = width if flow_U is None else flow_U

    def shape(so_far: Report) -> GapFunction:
        if not so_far.pairing:
            raise ValueError("there is no pairing state to observe")
        return steps.scaled(so_far.leading.gap, height)

    def known(so_far: Report) -> Response:
        if so_far.response is None:
            raise ValueError("there is no susceptibility to start from")
        return so_far.response

    layers = "one" if len(set(sea.model.sites)) == 2 else "both"
    makers: dict[str, Callable[[Report], Any]] = {
        "spectrum": lambda _: steps.spectrum(sea, size.energies),
        "response": lambda _: steps.response(sea, size, temperature=warm, hund=hund),
        "pairing": lambda so_far: steps.pairing(known(so_far), size, hund=hund, U=U),
        "flow": lambda _: steps.flow_of_interaction(sea, size, U=strength, hund=hund),
        "exchange": lambda _: steps.exchange(sea, size, J=J),
        "tunnelling": lambda so_far: tunnelling(sea, gap=shape(so_far), broadening=height / 40),
        "thermodynamics": lambda so_far: weak_coupling(sea, gap=shape(so_far)),
        "spins": lambda so_far: steps.spins(sea, shape(so_far), size, known(so_far)),
        "impurities": lambda so_far: impurity_scattering(
            sea, gap=shape(so_far), strength=np.inf, layers=layers
        ),
    }
    nothing = (None, None, (), None, None, None, None, None, None)
    return _run(Report(sea, size, hund, height, *nothing, {}, {}), makers, only)


def _run(
    report: Report, makers: dict[str, Callable[[Report], Any]], only: tuple[str, ...]
) -> Report:
    """Take the steps, each from what is there so far, and keep the reasons of those that fail."""
    with meter("report", len(makers)) as advance:
        for name, make in makers.items():
            start, reason = perf_counter(), "it was not asked for"
            if name in only:
                try:
                    report = replace(report, **{name: make(report)})
                    took = {name: perf_counter() - start}
                    report = replace(report, seconds=report.seconds | took)
                    reason = ""
                except (ValueError, RuntimeError, ImportError) as error:
                    reason = str(error)
            if reason:
                report = replace(report, missing=report.missing | {name: reason})
            advance(words=name)
    return report
