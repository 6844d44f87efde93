"""N-patch functional renormalization group: the flow of the vertex and what diverges first."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from scipy.integrate import RK23

from nickbook.arrays import Energy, Floats
from nickbook.bands import BlochModel, FermiPatches, FermiSea
from nickbook.checks import real
from nickbook.pairing.frg import storage
from nickbook.pairing.frg.equation import TERMS, FlowEquation, Numbers
from nickbook.pairing.frg.regulator import START
from nickbook.pairing.frg.vertex import FlowMode, Momenta, Vertex
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.interaction import Interaction, kanamori
from nickbook.progress import meter
from nickbook.results import Result
from nickbook.svg import COLORS, picture

if TYPE_CHECKING:
    import xarray as xr

#: Momenta of density waves that are followed: Γ, X, M and half-way to M.
MOMENTA: Momenta = ((0.0, 0.0), (np.pi, 0.0), (np.pi, np.pi), (np.pi / 2, np.pi / 2))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FlowOptions(Result):
    """How far and in which steps a flow was run.

    Parameters
    ----------
    start, stop, limit, tolerance, longest_step, momenta : float or tuple
        Arguments of `frg_flow`.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import frg_flow
    >>> sea = FermiSea(bilayer_hubbard(2.0), -0.5)
    >>> flow = frg_flow(sea, U=3.0, patches=8, mesh=16, start=1.0, stop=0.9)
    >>> flow.options.start, flow.options.stop, round(flow.options.limit, 9)
    (1.0, 0.9, 15.0)
    """

    start: Energy
    stop: Energy
    limit: Energy
    tolerance: float
    longest_step: float
    momenta: Annotated[Momenta, "1/a"]


@dataclass(frozen=True, eq=False)
class FlowResult(Result):
    """A flow of the vertex, from its start to its stop or divergence.

    Parameters
    ----------
    equation : FlowEquation
        The flow equation on its patches, with the projection of the fourth leg in
        ``equation.fourth``.
    interaction : Interaction
        The bare interaction.
    options : FlowOptions
        How the flow was run.
    scales : ndarray, shape (n,)
        Λ in eV after each step, falling.
    channels : tuple of str
        Names of the columns of `eigenvalues`: for pairs spin and representation as in the
        `GapFunction` of every theory, ``"singlet A1"``; for densities kind and momentum,
        ``"spin (π, 0)"``.
    eigenvalues : ndarray, shape (n, channels)
        Largest eigenvalue of each channel, as in `FlowMode`.
    largest : ndarray, shape (n,)
        Largest magnitude of the vertex in eV per cell.
    part : ndarray, shape (R, P, P, B)
        Vertex at the last scale, first leg on representative patches; see `vertex`.
    step : float
        Next step in ln Λ, with which a flow goes on as if it had not been interrupted.
    finished : bool
        Whether the flow reached its stop or its limit.

    Examples
    --------
    A band of two sites starts with half of their repulsion, which grows as the scale falls:

    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import frg_flow
    >>> sea = FermiSea(bilayer_hubbard(2.0), -0.5)
    >>> flow = frg_flow(sea, U=3.0, patches=8, mesh=16, start=1.0, stop=0.9)
    >>> round(float(flow.largest[0]), 6), bool(flow.largest[-1] > flow.largest[0])
    (1.5, True)
    """

    equation: FlowEquation
    interaction: Interaction
    options: FlowOptions
    scales: Annotated[Floats, "eV", "place"]
    channels: Annotated[tuple[str, ...], "", "channel"]
    eigenvalues: Annotated[Floats, "", "place", "channel"]
    largest: Annotated[Floats, "eV", "place"]
    part: Annotated[Numbers, "eV", "first", "second", "third", "band"]
    step: float
    finished: bool

    def _words(self) -> str:
        how = "diverged" if self.diverged else "stopped" if self.finished else "interrupted"
        best = np.argsort(-self.eigenvalues[-1])[:3]
        found = ", ".join(f"{self.channels[i]} {self.eigenvalues[-1, i]:.4g}" for i in best)
        where = f"{how} at {self.scales[-1]:.4g} eV after {len(self.scales) - 1} steps"
        return f"{where}; strongest: {found}; {self.patches!r}"

    def _picture(self) -> str:
        x = np.log10(self.scales[0] / self.scales)
        # The strongest of each kind: later ones take the place of earlier ones.
        best = {self.channels[i].split()[0]: i for i in np.argsort(self.eigenvalues[-1])}
        lines = [
            (np.stack([x, self.eigenvalues[:, i]], axis=-1), tint, self.channels[i], 1.5)
            for i, tint in zip(best.values(), COLORS, strict=False)
        ]
        drawn = self.eigenvalues[:, list(best.values())]
        low, high = min(float(drawn.min()), 0.0), float(drawn.max()) + 1e-9
        marks = ((0.0, f"{self.scales[0]:.2g}"), (float(x[-1]), f"{self.scales[-1]:.2g} eV"))
        edges = (0.0, float(x[-1]) or 1.0)
        return picture(lines, edges, (low, high), size=(320, 160), marks=marks, level=0.0)

    @property
    def patches(self) -> FermiPatches:
        """The patches."""
        return self.equation.patches

    @cached_property
    def _last(self) -> Vertex:
        return Vertex(self.equation, self.part)

    @property
    def vertex(self) -> Numbers:
        """Γ[p1, p2, p3, band of 4] at the last scale in eV per cell, shape (P, P, P, B)."""
        return self._last.full

    @property
    def diverged(self) -> bool:
        """Whether the vertex passed the limit."""
        return bool(self.largest[-1] >= self.options.limit)

    @property
    def critical_scale(self) -> float:
        """Scale in eV at which the vertex passed the limit; NaN if it did not."""
        return float(self.scales[-1]) if self.diverged else float("nan")

    def leading(self) -> str:
        """Name of the channel with the largest eigenvalue at the last scale."""
        return self.channels[int(np.argmax(self.eigenvalues[-1]))]

    def of(self, channel: str) -> Floats:
        """Largest eigenvalue of one of `channels` at all scales, shape (n,)."""
        if channel not in self.channels:
            raise ValueError(f"channel = {channel!r}; allowed: {', '.join(self.channels)}")
        return self.eigenvalues[:, self.channels.index(channel)]

    def pairing(self, channel: str = "singlet") -> list[FlowMode]:
        """Modes of "singlet" or "triplet" pairs at the last scale, the strongest first."""
        return self._last.pairing_modes(channel)

    def density_wave(
        self, channel: str, momentum: tuple[float, float], *, count: int = 1
    ) -> list[FlowMode]:
        """Spin or charge density waves of any momentum at the last scale, the `count` strongest."""
        return self._last.density_modes(channel, momentum, float(self.scales[-1]), count=count)

    def gap_function(self) -> GapFunction:
        """Gap of the strongest singlet pairs at the last scale, in units of its largest value.

        Raises ValueError for complex Bloch states.
        """
        return self.pairing()[0].gap_function()

    @classmethod
    def from_dataset(cls, data: "xr.Dataset") -> Self:
        """Return the result that a data set of `to_dataset`, or of version 0.1, holds.

        Raises ValueError if the set holds something else or lacks a part.
        """
        if data.attrs.get("content") != storage.CONTENT:
            return super().from_dataset(data)
        found = storage.read(data)
        return cls(**found | {"options": FlowOptions(**found["options"])})


def frg_flow(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    U: float | None = None,
    J: float = 0.0,
    U_prime: float | None = None,
    J_prime: float | None = None,
    interaction: Interaction | None = None,
    patches: int | Sequence[int] | FermiPatches = 40,
    regulator: str = "sharp",
    keep: tuple[str, ...] = TERMS,
    projection: str = "external",
    start: float | None = None,
    stop: float = 1e-4,
    limit: float | None = None,
    mesh: int = 64,
    tolerance: float = 1e-2,
    longest_step: float = 0.4,
    momenta: Momenta = MOMENTA,
    checkpoint: str | Path | None = None,
    progress: bool | Callable[[FlowResult], None] | None = None,
) -> FlowResult:
    r"""Flow of the SU(2)-symmetric static one-loop vertex without self-energy.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    U, J, U_prime, J_prime : float, optional
        Couplings in eV for `kanamori` on ``model.sites``.
    interaction : Interaction, optional
        The interaction itself, in place of the four numbers.
    patches : int, sequence of int or FermiPatches, optional
        Patches on each sheet, as for `fermi_patches`, or the patches of the same sea themselves.
    regulator, keep, projection : str, tuple of str, str, optional
        As for `FlowEquation`.
    start : float, optional
        First scale Λ0 in eV; when not given the largest distance of the bands from the level, two
        times as much for the smooth regulator and ten times for that in frequency.
    stop : float, optional
        Last scale in eV.
    limit : float, optional
        The flow counts as diverged where the vertex exceeds this, in eV per cell; ten times the
        largest bare vertex when not given.
    mesh : int, optional
        As for `FlowEquation`.
    tolerance : float, optional
        Error of a step relative to each entry of the vertex and to the largest bare one.
    longest_step : float, optional
        Longest step in ln Λ; shorter ones do not miss the van Hove singularities of the loops.
    momenta : tuple of tuple of float, optional
        Momenta of the density waves that are followed.
    checkpoint : str or Path, optional
        File to which the flow is saved after each step.  If it exists, the flow goes on from
        there.
    progress : bool or callable, optional
        Whether to show a bar; in a terminal or a notebook when not given.  A function is called
        with the result so far after each step, in place of the bar.

    Returns
    -------
    FlowResult
        The flow.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, no Fermi sheet at the level, unfit patches, a start not above
        the stop, or a damaged checkpoint or one of another flow.

    Notes
    -----
    Steps are those of the adaptive third-order Runge–Kutta method in ln Λ.  Λ counts from the
    chemical potential; temperature is zero.  The cost is some 40 to 100 derivatives, see
    `FlowEquation`.  Messages go to the logger of this module.

    Examples
    --------
    The first steps of a coarse flow; 40 patches and a low `stop` take minutes:

    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import frg_flow
    >>> sea = FermiSea(bilayer_hubbard(2.0), -0.5)
    >>> flow = frg_flow(sea, U=3.0, patches=8, mesh=16, start=1.0, stop=0.9)
    >>> flow.diverged, flow.leading()
    (False, 'spin (0, 0)')
    """
    sea = FermiSea.of(sea, mu)
    interaction = _interaction(sea.model, U, J, U_prime, J_prime, interaction)
    given = patches if isinstance(patches, FermiPatches) else sea.patches(patches)
    if given.sea != sea:
        raise ValueError(
            f"patches of {given.model.name!r} at mu = {given.mu}; allowed: patches of "
            f"{sea.model.name!r} at mu = {sea.mu}"
        )
    equation = FlowEquation(given, regulator, tuple(keep), mesh, projection)
    bare = equation.bare(interaction)
    stop = real("stop", stop, above=0.0, unit="eV")
    start = START[regulator] * equation.reach if start is None else real("start", start, unit="eV")
    if start <= stop:
        raise ValueError(f"start = {start} eV; allowed: above stop = {stop} eV")
    largest = float(np.abs(bare).max())
    limit = 10 * largest if limit is None else real("limit", limit, above=largest)
    tolerance = real("tolerance", tolerance, above=0.0, at_most=0.1)
    longest = real("longest_step", longest_step, above=0.0, at_most=1.0)
    follow = tuple((float(x), float(y)) for x, y in momenta)
    options = FlowOptions(float(start), stop, limit, tolerance, longest, follow)
    state = _started(equation, interaction, options, bare)
    if checkpoint is not None and Path(checkpoint).exists():
        state = _resumed(state, checkpoint)
    if state.finished:
        return state
    shown = None if progress is None else progress is True
    with meter("flow", float(np.log(state.scales[-1] / stop)), shown=shown) as step:

        def report(now: FlowResult) -> None:
            if callable(progress):
                progress(now)
            before, scale = now.scales[-2:].tolist()
            words = f"{scale:.2e} eV, {now.leading()} {now.eigenvalues[-1].max():.3g}"
            step(float(np.log(before / scale)), words)

        return _run(state, largest, checkpoint, report)


def _interaction(
    model: BlochModel,
    U: float | None,
    J: float,
    U_prime: float | None,
    J_prime: float | None,
    interaction: Interaction | None,
) -> Interaction:
    if interaction is not None:
        if U is not None:
            raise ValueError(f"U = {U} and an interaction are both given; give one of them")
        return interaction
    if U is None:
        raise ValueError("neither U nor an interaction is given; give one of them")
    real("U", U, above=0.0, unit="eV")
    sites = model.sites or ((0,) if len(model.orbitals) == 1 else ())
    if not sites:
        raise ValueError(
            f"{model.name!r} does not say on which sites its orbitals sit; give an interaction"
        )
    return kanamori(sites, U, J, U_prime=U_prime, J_prime=J_prime)


def _started(
    equation: FlowEquation, interaction: Interaction, options: FlowOptions, bare: Numbers
) -> FlowResult:
    found = Vertex(equation, bare).leading_eigenvalues(options.start, options.momenta)
    return FlowResult(
        equation=equation,
        interaction=interaction,
        options=options,
        scales=np.array([options.start]),
        channels=tuple(found),
        eigenvalues=np.array([list(found.values())]),
        largest=np.array([np.abs(bare).max()]),
        part=bare,
        step=min(0.1, options.longest_step),
        finished=False,
    )


def _resumed(state: FlowResult, checkpoint: str | Path) -> FlowResult:
    found = FlowResult.load(checkpoint)
    ours, theirs = state.equation, found.equation
    same = (
        found.options == state.options
        and all(getattr(theirs, name) == getattr(ours, name) for name in storage.EQUATION)
        and np.array_equal(found.interaction.tensor, state.interaction.tensor)
        and theirs.patches.points.shape == ours.patches.points.shape
        and np.allclose(theirs.patches.points, ours.patches.points, atol=1e-9)
        and np.array_equal(theirs.patches.model.hoppings, ours.patches.model.hoppings)
    )
    if not same:
        raise ValueError(
            f"checkpoint = {str(checkpoint)!r} belongs to a flow with other parameters; give "
            "another file or delete it"
        )
    return found


def _run(
    state: FlowResult,
    bare: float,
    checkpoint: str | Path | None,
    report: Callable[[FlowResult], None],
) -> FlowResult:
    """Step until the vertex passes the limit or the scale the stop."""
    options, equation = state.options, state.equation

    def growth(t: float, y: Numbers) -> Numbers:
        scale = options.start * float(np.exp(-t))
        rate: Numbers = scale * equation.derivative(y.reshape(equation.shape), scale)
        return rate.reshape(-1)

    begin, last = (float(np.log(options.start / x)) for x in (state.scales[-1], options.stop))
    solver = RK23(
        growth,
        begin,
        state.part.reshape(-1),
        last,
        first_step=min(state.step, last - begin),
        max_step=options.longest_step,
        rtol=options.tolerance,
        atol=options.tolerance * bare,
    )
    while not state.finished:
        message = solver.step()
        if solver.status == "failed":
            raise RuntimeError(f"the flow stopped at {state.scales[-1]:.3e} eV: {message}")
        scale, done = options.start * float(np.exp(-solver.t)), solver.status == "finished"
        state = _appended(state, scale, solver.y, float(solver.h_abs), done)
        _log.info(
            "scale %.4e eV, largest vertex %.3f eV, leading: %s %.4f",
            state.scales[-1],
            state.largest[-1],
            state.leading(),
            state.eigenvalues[-1].max(),
        )
        if checkpoint is not None:
            state.save(checkpoint)
        report(state)
    return state


def _appended(state: FlowResult, scale: float, y: Numbers, step: float, done: bool) -> FlowResult:
    part = y.reshape(state.equation.shape)
    found = Vertex(state.equation, part).leading_eigenvalues(scale, state.options.momenta)
    values = np.array([found[name] for name in state.channels])
    largest = float(np.abs(part).max())
    return replace(
        state,
        scales=np.append(state.scales, scale),
        eigenvalues=np.concatenate([state.eigenvalues, values[None]]),
        largest=np.append(state.largest, largest),
        part=part,
        step=step,
        finished=done or largest >= state.options.limit,
    )
