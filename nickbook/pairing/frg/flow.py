"""N-patch functional renormalization group: the flow of the vertex and what diverges first."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.integrate import RK23

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, Symmetry
from nickbook.bands.patches import FermiPatches, fermi_patches
from nickbook.checks import real
from nickbook.pairing.frg.equation import TERMS, FlowEquation, Numbers
from nickbook.pairing.frg.kernels import SMOOTH_STEP
from nickbook.pairing.frg.vertex import (
    FlowMode,
    Momenta,
    density_modes,
    leading_eigenvalues,
    pairing_modes,
)
from nickbook.pairing.interaction import Interaction, kanamori

#: Momenta of density waves that are followed: Γ, X, M and half-way to M.
MOMENTA: Momenta = ((0.0, 0.0), (np.pi, 0.0), (np.pi, np.pi), (np.pi / 2, np.pi / 2))
#: Scale at which a cutoff still leaves out all modes, relative to the reach of the bands; far above
#: them for the frequency cutoff, whose loops begin as bands/Λ.
_START = {"sharp": 1.0, "smooth": 1 / (1 - SMOOTH_STEP), "frequency": 10.0}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FlowOptions:
    """How a flow was run.

    Parameters
    ----------
    cutoff, keep, resolution : str, tuple of str, int
        Arguments of `FlowEquation`.
    start, stop, limit, tolerance, longest_step, momenta : float or tuple
        Arguments of `frg_flow`.
    """

    cutoff: str
    keep: tuple[str, ...]
    resolution: int
    start: float
    stop: float
    limit: float
    tolerance: float
    longest_step: float
    momenta: Momenta


@dataclass(frozen=True, eq=False)
class FlowResult:
    """A flow of the vertex, from its start to its stop or divergence.

    Parameters
    ----------
    patches : FermiPatches
        The patches.
    interaction : Interaction
        The bare interaction.
    options : FlowOptions
        How the flow was run.
    scales : ndarray, shape (n,)
        Λ in eV after each step, falling.
    channels : tuple of str
        Names of the columns of `eigenvalues`, such as ``"singlet A1"`` or ``"spin (π, 0)"``.
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
    """

    patches: FermiPatches
    interaction: Interaction
    options: FlowOptions
    scales: Floats
    channels: tuple[str, ...]
    eigenvalues: Floats
    largest: Floats
    part: Numbers
    step: float
    finished: bool

    @cached_property
    def equation(self) -> FlowEquation:
        """The flow equation, with the projection of the fourth leg in ``equation.fourth``."""
        o = self.options
        return FlowEquation(self.patches, cutoff=o.cutoff, keep=o.keep, resolution=o.resolution)

    @property
    def vertex(self) -> Numbers:
        """Γ[p1, p2, p3, band of 4] at the last scale in eV per cell, shape (P, P, P, B)."""
        return self.equation.full(self.part)

    @property
    def diverged(self) -> bool:
        """Whether the vertex passed the limit."""
        return bool(self.largest[-1] >= self.options.limit)

    @property
    def critical_scale(self) -> float:
        """Scale in eV at which the vertex passed the limit; NaN if it did not."""
        return float(self.scales[-1]) if self.diverged else float("nan")

    def leading(self) -> str:
        """Name of the channel with the largest eigenvalue at the last scale.

        Returns
        -------
        str
            One of `channels`.
        """
        return self.channels[int(np.argmax(self.eigenvalues[-1]))]

    def of(self, channel: str) -> Floats:
        """Largest eigenvalue of one channel at all scales.

        Parameters
        ----------
        channel : str
            One of `channels`.

        Returns
        -------
        ndarray, shape (n,)
            The eigenvalues.

        Raises
        ------
        ValueError
            If the channel was not followed.
        """
        if channel not in self.channels:
            raise ValueError(f"channel = {channel!r}; allowed: {', '.join(self.channels)}")
        return self.eigenvalues[:, self.channels.index(channel)]

    def pairing(self, channel: str = "singlet") -> list[FlowMode]:
        """Pairing modes at the last scale, the strongest first.

        Parameters
        ----------
        channel : {"singlet", "triplet"}
            Which pairs.

        Returns
        -------
        list of FlowMode
            The modes; ``mode.gap()`` is the GapFunction.
        """
        return pairing_modes(self.equation, self.part, channel)

    def density_wave(
        self, channel: str, momentum: tuple[float, float], *, count: int = 1
    ) -> list[FlowMode]:
        """Spin or charge density waves of any momentum at the last scale, the strongest first.

        Parameters
        ----------
        channel : {"spin", "charge"}
            Which density.
        momentum : tuple of float
            Their momentum in inverse lattice constants.
        count : int, optional
            How many modes.

        Returns
        -------
        list of FlowMode
            The modes.
        """
        scale = float(self.scales[-1])
        return density_modes(self.equation, self.part, channel, momentum, scale, count=count)

    def save(self, path: str | Path) -> None:
        """Write the result to a NetCDF file, with all parameters and the package version.

        The file appears at once when it is complete: a crash leaves an older one as it was.

        Parameters
        ----------
        path : str or Path
            Where to write.
        """
        path = Path(path)
        draft = path.with_name(path.name + ".partial")
        _dataset(self).to_netcdf(draft, engine="scipy")
        draft.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "FlowResult":
        """Read a result that `save` wrote.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        FlowResult
            The same result.

        Raises
        ------
        ValueError
            If the file holds something else, or patches this version places differently.
        """
        with xr.open_dataset(path, engine="scipy") as data:
            if data.attrs.get("content") != _CONTENT:
                raise ValueError(f"{path} holds no flow; give a file that FlowResult.save wrote")
            return _from_dataset(data.load(), str(path))


def frg_flow(
    model: BlochModel,
    mu: float,
    *,
    U: float | None = None,
    J: float = 0.0,
    U_prime: float | None = None,
    J_prime: float | None = None,
    interaction: Interaction | None = None,
    patches: int | Sequence[int] | FermiPatches = 40,
    cutoff: str = "sharp",
    keep: tuple[str, ...] = TERMS,
    start: float | None = None,
    stop: float = 1e-4,
    limit: float | None = None,
    resolution: int = 64,
    tolerance: float = 1e-2,
    longest_step: float = 0.4,
    momenta: Momenta = MOMENTA,
    checkpoint: str | Path | None = None,
    progress: Callable[[FlowResult], None] | None = None,
) -> FlowResult:
    r"""Flow of the SU(2)-symmetric static one-loop vertex without self-energy.

    Parameters
    ----------
    model : BlochModel
        A two-dimensional model.
    mu : float
        Chemical potential in eV.
    U, J : float, optional
        Repulsion within an orbital and Hund's coupling in eV, for `kanamori` on ``model.sites``.
    U_prime, J_prime : float, optional
        Repulsion between orbitals and pair hopping; ``U - 2 J`` and `J` when not given.
    interaction : Interaction, optional
        The interaction itself, in place of the four numbers.
    patches : int, sequence of int or FermiPatches, optional
        Patches on each sheet, as for `fermi_patches`, or the patches themselves.
    cutoff : {"sharp", "smooth", "frequency"}, optional
        As for `FlowEquation`.
    keep : tuple of str, optional
        Terms of the flow, as for `FlowEquation`.
    start : float, optional
        First scale Λ0 in eV; when not given the largest distance of the bands from `mu`, two
        times as much for the smooth and ten times for the frequency cutoff.
    stop : float, optional
        Last scale in eV.
    limit : float, optional
        The flow counts as diverged where the vertex exceeds this, in eV per cell; ten times the
        largest bare vertex when not given.
    resolution : int, optional
        Mesh for the loops.
    tolerance : float, optional
        Error of a step relative to each entry of the vertex and to the largest bare one.
    longest_step : float, optional
        Longest step in ln Λ; shorter ones do not miss the van Hove singularities of the loops.
    momenta : tuple of tuple of float, optional
        Momenta of the density waves that are followed.
    checkpoint : str or Path, optional
        File to which the flow is saved after each step.  If it exists, the flow goes on from
        there.
    progress : callable, optional
        Called with the result so far after each step.

    Returns
    -------
    FlowResult
        The flow.

    Raises
    ------
    TypeError, ValueError
        For parameters out of range, no Fermi sheet at `mu`, unfit patches, a start not above the
        stop, or a checkpoint of another flow.

    Notes
    -----
    Steps are those of the adaptive third-order Runge–Kutta method in ln Λ.  Λ counts from the
    chemical potential; temperature is zero.  The cost is some 40 to 100 derivatives, see
    `FlowEquation`.  Messages go to the logger of this module.
    """
    interaction = _interaction(model, U, J, U_prime, J_prime, interaction)
    given = patches if isinstance(patches, FermiPatches) else fermi_patches(model, mu, patches)
    equation = FlowEquation(given, cutoff=cutoff, keep=tuple(keep), resolution=resolution)
    bare = equation.bare(interaction)
    stop = real("stop", stop, above=0.0, unit="eV")
    start = _START[cutoff] * equation.reach if start is None else real("start", start, unit="eV")
    if start <= stop:
        raise ValueError(f"start = {start} eV; allowed: above stop = {stop} eV")
    largest = float(np.abs(bare).max())
    limit = 10 * largest if limit is None else real("limit", limit, above=largest)
    tolerance = real("tolerance", tolerance, above=0.0, at_most=0.1)
    longest = real("longest_step", longest_step, above=0.0, at_most=1.0)
    follow = tuple((float(x), float(y)) for x, y in momenta)
    options = FlowOptions(
        cutoff, tuple(keep), resolution, float(start), stop, limit, tolerance, longest, follow
    )
    state = _started(equation, interaction, options, bare)
    if checkpoint is not None and Path(checkpoint).exists():
        state = _resumed(state, checkpoint)
    return _run(state, largest, checkpoint, progress)


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
    found = leading_eigenvalues(equation, bare, options.start, options.momenta)
    return FlowResult(
        patches=equation.patches,
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
    same = (
        found.options == state.options
        and np.array_equal(found.interaction.tensor, state.interaction.tensor)
        and found.patches.points.shape == state.patches.points.shape
        and np.allclose(found.patches.points, state.patches.points, atol=1e-9)
        and np.array_equal(found.patches.model.hoppings, state.patches.model.hoppings)
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
    progress: Callable[[FlowResult], None] | None,
) -> FlowResult:
    """Step until the vertex passes the limit or the scale the stop."""
    options, equation = state.options, state.equation

    def growth(t: float, y: Numbers) -> Numbers:
        scale = options.start * float(np.exp(-t))
        rate: Numbers = scale * equation.derivative(y.reshape(equation.shape), scale)
        return rate.reshape(-1)

    last = float(np.log(options.start / options.stop))
    solver = None
    while not state.finished:
        if solver is None:
            begin = float(np.log(options.start / state.scales[-1]))
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
        message = solver.step()
        if solver.status == "failed":
            raise RuntimeError(f"the flow stopped at {state.scales[-1]:.3e} eV: {message}")
        done = solver.status == "finished"
        state = _appended(
            state, options.start * float(np.exp(-solver.t)), solver.y, float(solver.h_abs), done
        )
        _log.info(
            "scale %.4e eV, largest vertex %.3f eV, leading: %s %.4f",
            state.scales[-1],
            state.largest[-1],
            state.leading(),
            state.eigenvalues[-1].max(),
        )
        if checkpoint is not None:
            state.save(checkpoint)
        if progress is not None:
            progress(state)
    return state


def _appended(state: FlowResult, scale: float, y: Numbers, step: float, done: bool) -> FlowResult:
    part = y.reshape(state.equation.shape)
    found = leading_eigenvalues(state.equation, part, scale, state.options.momenta)
    values = np.array([found[name] for name in state.channels])
    largest = float(np.abs(part).max())
    after = replace(
        state,
        scales=np.append(state.scales, scale),
        eigenvalues=np.concatenate([state.eigenvalues, values[None]]),
        largest=np.append(state.largest, largest),
        part=part,
        step=step,
        finished=done or largest >= state.options.limit,
    )
    # The equation holds tables that took time to make.
    after.__dict__["equation"] = state.equation
    return after


_CONTENT = "nickbook functional renormalization group flow"


def _dataset(result: FlowResult) -> xr.Dataset:
    """Everything in a result as one data set."""
    from nickbook import __version__

    model, part = result.patches.model, np.asarray(result.part)
    data = xr.Dataset(
        {
            "scale": ("step", result.scales),
            "eigenvalue": (("step", "channel"), result.eigenvalues),
            "largest": ("step", result.largest),
            "vertex_real": (("first", "second", "third", "band"), part.real),
            "point": (("patch", "axis"), result.patches.points),
            "tensor": (("a", "b", "c", "d"), result.interaction.tensor),
            "translation": (("hop", "axis"), model.translations),
            "hopping_real": (("hop", "row", "column"), model.hoppings.real),
            "hopping_imag": (("hop", "row", "column"), model.hoppings.imag),
        },
        coords={"channel": list(result.channels)},
        attrs={"content": _CONTENT, "version": __version__, "finished": int(result.finished)},
    )
    if np.iscomplexobj(part):
        data["vertex_imag"] = (("first", "second", "third", "band"), part.imag)
    if model.mirror is not None:
        data["mirror"] = (("row", "column"), np.asarray(model.mirror))
    if model.symmetries:
        orbitals = np.array([s.orbitals for s in model.symmetries])
        data["rotation"] = (
            ("symmetry", "axis", "other"),
            np.array([s.rotation for s in model.symmetries]),
        )
        data["symmetry_real"] = (("symmetry", "row", "column"), orbitals.real)
        data["symmetry_imag"] = (("symmetry", "row", "column"), orbitals.imag)
    data.attrs["step"] = result.step
    data.attrs["mu"] = result.patches.mu
    data.attrs["counts"] = [len(s.weights) for s in result.patches.sheets]
    data.attrs["options"] = json.dumps(asdict(result.options))
    described = {
        "name": model.name,
        "orbitals": model.orbitals,
        "band_names": model.band_names,
        "spin_degeneracy": model.spin_degeneracy,
        "sites": model.sites,
        "symmetries": [s.name for s in model.symmetries],
    }
    data.attrs["model"] = json.dumps(described, ensure_ascii=False)
    return data


def _from_dataset(data: xr.Dataset, path: str) -> FlowResult:
    patches = fermi_patches(
        _model(data), float(data.attrs["mu"]), np.atleast_1d(data.attrs["counts"]).tolist()
    )
    if not np.allclose(patches.points, _array(data, "point"), atol=1e-9):
        raise ValueError(
            f"{path} was written by version {data.attrs['version']}, which placed patches "
            "differently; run the flow again"
        )
    options = json.loads(data.attrs["options"])
    options["keep"] = tuple(options["keep"])
    options["momenta"] = tuple(tuple(q) for q in options["momenta"])
    part = _array(data, "vertex_real")
    if "vertex_imag" in data:
        part = part + 1j * _array(data, "vertex_imag")
    return FlowResult(
        patches=patches,
        interaction=Interaction(_array(data, "tensor")),
        options=FlowOptions(**{f.name: options[f.name] for f in fields(FlowOptions)}),
        scales=_array(data, "scale"),
        channels=tuple(str(c) for c in data["channel"].to_numpy()),
        eigenvalues=_array(data, "eigenvalue"),
        largest=_array(data, "largest"),
        part=part,
        step=float(data.attrs["step"]),
        finished=bool(data.attrs["finished"]),
    )


def _array(data: xr.Dataset, name: str) -> Floats:
    # NetCDF files hold big-endian numbers, which compiled code does not take.
    return data[name].to_numpy().astype(float)


def _model(data: xr.Dataset) -> BlochModel:
    described = json.loads(data.attrs["model"])
    symmetries: list[Symmetry] = []
    if "rotation" in data:
        orbitals = _array(data, "symmetry_real") + 1j * _array(data, "symmetry_imag")
        symmetries = [
            Symmetry(name, rotation, matrix)
            for name, rotation, matrix in zip(
                described["symmetries"],
                _array(data, "rotation").astype(np.int64),
                orbitals,
                strict=True,
            )
        ]
    return BlochModel(
        name=described["name"],
        orbitals=tuple(described["orbitals"]),
        translations=_array(data, "translation").astype(np.int64),
        hoppings=_array(data, "hopping_real") + 1j * _array(data, "hopping_imag"),
        mirror=_array(data, "mirror") if "mirror" in data else None,
        band_names=tuple(described["band_names"]),
        spin_degeneracy=described["spin_degeneracy"],
        sites=tuple(described["sites"]),
        symmetries=tuple(symmetries),
    )
