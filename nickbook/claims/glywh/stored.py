"""The stored flows of GLYWH's model: those on patches, and those of divERGe that referee them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import xarray as xr

from nickbook.arrays import Energy, Floats
from nickbook.results import Result

#: The table of flows; `make tables` writes it anew.
PATH = Path(__file__).with_name("frg.nc")
#: Sheets in the order of the table, and the pairs of them in the order of its blocks.
BETA, GAMMA, ALPHA = range(3)
SHEET_PAIRS = {"β–γ": (BETA, GAMMA), "α–γ": (ALPHA, GAMMA), "α–β": (ALPHA, BETA)}
#: The flow with the most patches, and the momenta that GLYWH follow in Fig. 3(a).
MAIN, Q2, Q3 = "main", "spin (π, 0)", "spin (0.5π, 0.5π)"
#: Flows at 0, 0.1 and 0.2 electrons a cell more than three, by patches on each sheet.
DOPED = {
    24: ("base", "doping 0.1", "doping 0.2"),
    16: ("coarse", "map 5.0 0.1 0.1", "map 5.0 0.1 0.2"),
}
#: Which legs flows move to their patches; see `FlowEquation`.
RULES = ("external", "internal")


@cache
def frg_table() -> xr.Dataset:
    """Flows along ``run``, runs of divERGe along ``referee``, versions among the attributes."""
    with xr.open_dataset(PATH, engine="scipy") as stored:
        return stored.load()


@dataclass(frozen=True, eq=False)
class StoredFlow(Result):
    """A flow as it was stored, by the patches of this book or by divERGe's truncated unity.

    Parameters
    ----------
    U, mu : float
        Repulsion within an orbital and chemical potential in eV.
    hund : float
        Hund's coupling J in units of U.
    filling : float
        Electrons per cell that were asked for.
    size : int
        Patches on each sheet, or momenta along a side of divERGe's mesh.
    reach : float
        Longest bond of divERGe's form factors in lattice constants; zero on patches.
    complete : bool
        Whether the flow holds all terms of the paper.
    critical_scale : float
        Scale in eV at which it diverges, NaN when it does not.
    scales : ndarray, shape (S,)
        Scales in eV, descending.
    channels : dict of ndarray, shape (S,)
        What is followed of each channel.  On patches: the largest eigenvalue of χ − χ⁰, what the
        interaction adds to the susceptibility, in 1/eV, see `Responses`.  Of divERGe: that of its
        vertex in eV; of its singlets but the strongest only the end is stored, and its strongest
        spin wave is named by its momentum at the end.
    responses : dict of float
        Largest eigenvalue of χ itself at the end in 1/eV; empty for divERGe.
    largest : ndarray, shape (S,)
        Largest magnitude of the vertex in eV.
    singlets : tuple of str
        Representations of the singlet pairing states, the strongest first.
    gaps : list of list of ndarray
        Their gaps on β, γ and α, largest magnitude one.
    points : list of ndarray, shape (P, 2)
        Momenta of the patches of β, γ and α.
    weights : ndarray
        Density of states of all patches in states/eV; empty for divERGe.
    blocks : dict of tuple
        Smallest, average and largest amplitude in eV of singlet pairs between two sheets.
    vertex : ndarray
        All amplitudes, shape (P, P), for one flow of each kind; empty for the others.

    Examples
    --------
    >>> from nickbook.claims.glywh import patch_flows
    >>> flow = patch_flows()["main"]
    >>> flow.leading, flow.signs()
    ('singlet A1', [1, -1, 1])
    """

    U: Energy
    mu: Energy
    hund: float
    filling: float
    size: int
    reach: float
    complete: bool
    critical_scale: Energy
    scales: Annotated[Floats, "eV", "step"]
    channels: Annotated[dict[str, Floats], "", "step"]
    responses: Annotated[dict[str, float], "1/eV"]
    largest: Annotated[Floats, "eV", "step"]
    singlets: tuple[str, ...]
    gaps: Annotated[list[list[Floats]], "", "points.*.patch"]
    points: Annotated[list[Floats], "1/a", "points.*.patch", "direction"]
    weights: Annotated[Floats, "1/eV", "patch"]
    blocks: Annotated[dict[str, tuple[float, float, float]], "eV"]
    vertex: Annotated[Floats, "eV", "patch", "other patch"]

    def _words(self) -> str:
        where = f"U {self.U:.4g} eV, filling {self.filling:.4g}, size {self.size}"
        return f"{where}, scale {self.critical_scale:.4g} eV, leading {self.leading}"

    @property
    def spin(self) -> Floats:
        """Strongest spin wave along the flow."""
        return self._strongest("spin")

    @property
    def pairing(self) -> Floats:
        """Strongest pairing state along the flow."""
        return self._strongest("singlet", "triplet")

    @property
    def leading(self) -> str:
        """Channel that is largest at the end."""
        return self._last(self.channels)

    @property
    def wave(self) -> str:
        """Momentum of the strongest spin wave at the end."""
        return self._last(c for c in self.channels if c.startswith("spin")).removeprefix("spin ")

    @property
    def spin_share(self) -> float:
        """Strongest spin wave over strongest pairing state at the end."""
        return float(self.spin[-1] / self.pairing[-1])

    @property
    def lead(self) -> int:
        """Steps at the end in which pairing leads over every spin wave."""
        behind = np.flatnonzero(self.pairing <= self.spin)
        return len(self.scales) - 1 - int(behind[-1]) if len(behind) else len(self.scales)

    @property
    def crossing(self) -> float:
        """Scale in eV below which pairing leads."""
        return float(self.scales[-max(self.lead, 1)])

    @property
    def spin_first(self) -> float:
        """Share of the steps, before pairing leads for good, in which a spin wave does."""
        before = slice(1, len(self.scales) - self.lead)
        return float(np.mean(self.spin[before] > self.pairing[before]))

    @property
    def wave_before(self) -> str:
        """Momentum of the strongest spin wave in most of the steps before pairing leads."""
        waves = {c: self.share_ahead(c) for c in self.channels if c.startswith("spin")}
        return max(waves, key=lambda c: waves[c]).removeprefix("spin ")

    @property
    def leading_at_half(self) -> str:
        """Channel that leads in the last step with a vertex half as large as at the end."""
        step = int(np.flatnonzero(self.largest <= self.largest[-1] / 2)[-1])
        return max(self.channels, key=lambda c: np.nan_to_num(self.channels[c][step], nan=-np.inf))

    def share_ahead(self, channel: str, other: str | None = None) -> float:
        """Share of the steps, before pairing leads, in which a wave exceeds another, or all."""
        before = slice(1, len(self.scales) - self.lead)
        rival = self.spin if other is None else self.channels[other]
        one = self.channels[channel][before]
        return float(np.mean(one >= rival[before] if other is None else one > rival[before]))

    @property
    def q3_ahead(self) -> float:
        """Lowest scale in eV at which q3 leads over q2; zero if never, NaN if one is not known."""
        at_q2, at_q3 = self.channels[Q2], self.channels[Q3]
        if np.isnan(at_q2 + at_q3).all():
            return float("nan")
        return float(min(self.scales[at_q3 > at_q2], default=0.0))

    def end(self, channel: str) -> float:
        """Last value of one of `channels`."""
        return float(self.channels[channel][-1])

    def diverges(self, channel: str) -> bool:
        """Whether the interaction makes up more than half of a susceptibility at the end."""
        return self.end(channel) > self.responses[channel] / 2

    def gap(self, representation: str) -> list[Floats]:
        """Gaps on β, γ and α of the strongest singlet of a representation."""
        return self.gaps[self.singlets.index(representation)]

    def signs(self) -> list[int]:
        """Sign of the average gap on β, γ and α in the strongest singlet."""
        return [int(np.sign(g.mean())) for g in self.gaps[0]]

    @property
    def best(self) -> str:
        """Representation of the strongest singlet."""
        return self.singlets[0]

    @property
    def opposite(self) -> bool:
        """Whether β and γ have opposite gaps, on average, in that state."""
        # Averages that cancel to rounding have no signs.
        beta, gamma = (self.gaps[0][sheet].mean() for sheet in (BETA, GAMMA))
        return bool(beta * gamma < -1e-3)

    def nodes(self) -> list[int]:
        """Sign changes of that gap on one turn round each sheet."""
        return [int((np.sign(g) != np.sign(np.roll(g, 1))).sum()) for g in self.gaps[0]]

    def opposite_share(self, near: float) -> float:
        """Weight of opposite gaps of the best B1 state among pairs of β and γ that q2 connects.

        They are connected if their difference is `near` q2 or one of its images, in 1/a; the weight
        is the sum of the products of both gaps where they are negative over that of all magnitudes.
        """
        gap = self.gap("B1")
        product = np.multiply.outer(gap[BETA], gap[GAMMA])
        total = opposite = 0.0
        for q in ((np.pi, 0.0), (0.0, np.pi)):
            away = self.points[BETA][:, None] - self.points[GAMMA] - np.array(q)
            away -= 2 * np.pi * np.round(away / (2 * np.pi))
            close = np.hypot(*np.moveaxis(away, -1, 0)) < near
            total += np.abs(product[close]).sum()
            opposite += np.abs(product[close & (product < 0)]).sum()
        return float(opposite / total)

    def _strongest(self, *kinds: str) -> Floats:
        values: Floats = np.fmax.reduce(
            [v for c, v in self.channels.items() if c.startswith(kinds)]
        )
        return values

    def _last(self, channels: Iterable[str]) -> str:
        ends = {c: self.end(c) for c in channels}
        return max((c for c in ends if np.isfinite(ends[c])), key=lambda c: ends[c])


@cache
def patch_flows(projection: str = "external") -> dict[str, StoredFlow]:
    """Return the stored flows of this book on patches.

    Parameters
    ----------
    projection : {"external", "internal"}, optional
        Which legs the flows move to their patches.

    Returns
    -------
    dict of StoredFlow
        By name, such as ``"main"``, that with as many patches as GLYWH have.

    Examples
    --------
    >>> from nickbook.claims.glywh import patch_flows
    >>> flow = patch_flows()["main"]
    >>> flow.U, flow.size, round(flow.critical_scale, 4)
    (5.0, 40, 0.0201)
    """
    table = frg_table()
    names = _texts(table.run[table.projection == projection])
    return {name.removeprefix(f"{projection} "): _on_patches(table, name) for name in names}


@cache
def diverge_flows() -> dict[str, StoredFlow]:
    """Return the stored flows of divERGe, which referee those on patches.

    Returns
    -------
    dict of StoredFlow
        By name; those of `repulsions` are called by U, such as ``"U 5.0"``.

    Examples
    --------
    >>> from nickbook.claims.glywh import diverge_flows
    >>> diverge_flows()["U 5.0"].leading
    'singlet A1'
    """
    return {name: _diverge(frg_table(), name) for name in _texts(frg_table().referee)}


def reaches() -> list[StoredFlow]:
    """Those of divERGe at three electrons and 5 eV with longer bonds, the shortest first."""
    found = [f for name, f in diverge_flows().items() if name.startswith("5 eV, reach")]
    return sorted(found, key=lambda flow: flow.reach)


def repulsions() -> list[StoredFlow]:
    """Select the flows of divERGe at three electrons that differ in U alone.

    Returns
    -------
    list of StoredFlow
        From 3.5 to 6 eV on 12² momenta.

    Examples
    --------
    >>> from nickbook.claims.glywh import repulsions
    >>> [flow.U for flow in repulsions()]
    [3.5, 4.0, 4.5, 5.0, 5.5, 6.0]
    """
    return [flow for name, flow in diverge_flows().items() if name.startswith("U ")]


def meshes() -> list[StoredFlow]:
    """Select the flows of divERGe at three electrons and 5 eV.

    Returns
    -------
    list of StoredFlow
        The coarsest mesh first.

    Examples
    --------
    >>> from nickbook.claims.glywh import meshes
    >>> [flow.size for flow in meshes()]
    [8, 12, 14, 16, 18, 24]
    """
    named = diverge_flows().items()
    found = [f for name, f in named if name == "U 5.0" or name.startswith("5 eV, mesh")]
    return sorted(found, key=lambda flow: flow.size)


def mapped(
    projection: str = "external", hund: float = 0.1
) -> dict[tuple[float, float], StoredFlow]:
    """Select the flows with 16 patches a sheet that make a map of couplings and fillings.

    Parameters
    ----------
    projection : {"external", "internal"}, optional
        Which legs the flows move to their patches.
    hund : float, optional
        Hund's coupling in units of U: 0, 0.1 or 0.2.

    Returns
    -------
    dict of StoredFlow
        By U in eV and the electrons per cell more than three.

    Examples
    --------
    >>> from nickbook.claims.glywh import mapped
    >>> mapped()[6.0, 0.0].leading
    'singlet A1'
    """
    base = patch_flows(projection)["coarse"]
    found = {}
    for name, flow in patch_flows(projection).items():
        alike = flow.size == base.size and abs(flow.hund - hund) < 1e-9
        if alike and name.startswith(("map", "hund", "coarse")):
            found[flow.U, round(flow.filling - 3, 9)] = flow
    return dict(sorted(found.items()))


def doped_scales(projection: str = "external") -> dict[str, list[float]]:
    """Critical scales in meV at 0, 0.1 and 0.2 electrons a cell more than three, by method."""
    found = {f"{n} patches": critical_scales(*d, projection=projection) for n, d in DOPED.items()}
    theirs = [diverge_flows()[n] for n in ("U 4.0", "doping 0.1", "doping 0.2")]
    return found | {"divERGe at U = 4 eV": [1e3 * f.critical_scale for f in theirs]}


def critical_scales(*names: str, projection: str = "external") -> list[float]:
    """Critical scales of flows on patches in meV."""
    return [1e3 * patch_flows(projection)[name].critical_scale for name in names]


def _on_patches(table: xr.Dataset, name: str) -> StoredFlow:
    row = table.sel(run=name).dropna("step", how="all", subset=["scales"])
    ends = np.cumsum(_floats(row.counts).astype(int))
    sheets = [slice(a, b) for a, b in zip((0, *ends), ends, strict=False)]
    scattering = {MAIN: "scattering", f"internal {MAIN}": "internal_scattering"}
    vertex = _floats(table[scattering[name]]) if name in scattering else np.empty((0, 0))
    return StoredFlow(
        **_numbers(row, "U", "mu", "hund", "filling", "critical_scale"),
        size=int(row.patches),
        complete=row.terms.item() == "pp ph-direct ph-crossed",
        scales=_floats(row.scales),
        largest=_floats(row.largest),
        reach=0.0,
        channels=dict(zip(_texts(row.channel), _floats(row.added).T, strict=True)),
        responses=dict(zip(_texts(row.channel), _floats(row.responses).tolist(), strict=True)),
        singlets=tuple(name.removeprefix("singlet ") for name in _texts(row.gap_names)),
        gaps=[[gap[s] for s in sheets] for gap in _floats(row.gaps)],
        points=[_floats(row.points)[s] for s in sheets],
        weights=_floats(row.weights)[: ends[-1]],
        blocks=dict(zip(SHEET_PAIRS, map(tuple, _floats(row.blocks).tolist()), strict=True)),
        vertex=vertex,
    )


def _diverge(table: xr.Dataset, name: str) -> StoredFlow:
    row = table.sel(referee=name).dropna("flow", how="all", subset=["referee_scales"])
    scales, singlets = _floats(row.referee_scales), _texts(row.referee_representations)
    x, y = np.abs(_floats(row.referee_magnetic_momentum)[-1]) / np.pi
    at_q2, at_q3 = _floats(row.referee_magnetic_followed).T
    spin = {f"spin ({x:.2f}π, {y:.2f}π)": _floats(row.referee_magnetic), Q2: at_q2, Q3: at_q3}
    pairs = {
        f"singlet {n}": np.append(np.full(len(scales) - 1, np.nan), end)
        for n, end in zip(singlets[::-1], -_floats(row.referee_mode_values)[::-1], strict=True)
    }
    pairs[f"singlet {singlets[0]}"] = -_floats(row.referee_pairing).min(axis=1)
    return StoredFlow(
        **_numbers(row, "U", "mu", "hund", "filling", prefix="referee_"),
        size=int(row.referee_mesh),
        reach=float(row.referee_distance),
        complete=True,
        critical_scale=float(scales[-1]),
        scales=scales,
        channels=pairs | spin,
        responses={},
        largest=_floats(row.referee_maxima)[:, 0],
        singlets=tuple(singlets),
        gaps=[np.split(gap, 3) for gap in _floats(row.referee_modes)],
        points=np.split(_floats(row.referee_points), 3),
        weights=np.empty(0),
        blocks=dict(
            zip(SHEET_PAIRS, map(tuple, _floats(row.referee_blocks).tolist()), strict=True)
        ),
        vertex=_floats(table.referee_scattering) if name == "U 5.0" else np.empty((0, 0)),
    )


def _floats(stored: xr.DataArray) -> Floats:
    return stored.to_numpy().astype(float)


def _texts(stored: xr.DataArray) -> list[str]:
    return [str(text) for text in stored.to_numpy()]


def _numbers(row: xr.Dataset, *names: str, prefix: str = "") -> dict[str, Any]:
    return {name: row[prefix + name].item() for name in names}
