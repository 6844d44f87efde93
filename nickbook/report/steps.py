"""The steps of a report, each of which is one or two calls of the package."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from nickbook.arrays import Energy, Floats
from nickbook.bands import (
    BlochModel,
    FermiSea,
    chemical_potential,
    density_of_states,
    read_hoppings,
    read_wannier90,
    recognized,
    zone_path,
)
from nickbook.bands.lattice import folded
from nickbook.observables import SpinSpectrum, spin_spectrum
from nickbook.pairing import (
    FlowResult,
    GapFunction,
    Interaction,
    Nesting,
    PairingState,
    StonerPoint,
    Susceptibility,
    TJSolution,
    bare_susceptibility,
    frg_flow,
    kanamori,
    linearized_gap,
    nesting,
    pair_scattering,
    stoner_point,
    tj_mean_field,
)
from nickbook.pairing.rpa import peaks
from nickbook.progress import track
from nickbook.results import Result

#: Where a file comes from that is read as Wannier90's, and not as a table.
_WANNIER = ("_hr.dat", "_tb.dat", "_hr.dat.gz", "_tb.dat.gz")
#: Interactions of the pairing states, as shares of the Stoner point; the middle one leads on.
SHARES = (0.5, 0.8, 0.95)
#: Peaks whose bands are told.
_PEAKS = 3


@dataclass(frozen=True)
class Quality(Result):
    """Meshes and patches of a report, and what they cost.

    Parameters
    ----------
    name, cost : str
        What it is called, and the time for four orbitals on one core.
    energies : int
        Energies of the density of states.
    mesh : int
        Points along each direction for the susceptibility.
    patches, flow_patches, flow_mesh : int
        Points on each sheet for the pairing states, and patches and mesh of the flow.
    bond_mesh, spin_mesh : int
        Meshes of the gap equations of the t-J model and of the spin response.

    Examples
    --------
    >>> from nickbook.report import QUALITIES
    >>> QUALITIES["fast"].mesh < QUALITIES["default"].mesh < QUALITIES["fine"].mesh
    True
    """

    name: str
    cost: str
    energies: int
    mesh: int
    patches: int
    flow_patches: int
    flow_mesh: int
    bond_mesh: int
    spin_mesh: int


#: What `compare` takes as ``quality``, by name.
QUALITIES = {
    quality.name: quality
    for quality in (
        Quality("fast", "seconds", 41, 48, 16, 8, 16, 64, 96),
        Quality("default", "half a minute", 121, 96, 40, 8, 32, 128, 256),
        Quality("fine", "some minutes", 401, 160, 64, 16, 64, 256, 512),
    )
}


@dataclass(frozen=True, eq=False)
class Spectrum(Result):
    """Bands along Γ–X–M–Γ and their densities of states; made by `spectrum`.

    Parameters
    ----------
    path : ndarray, shape (K, 2)
        Momenta, with X and M half of one and of both reciprocal vectors.
    bands : ndarray, shape (K, n)
        Energies from the level in the order of the model's `band_names`.
    energies : ndarray, shape (E,)
        Energies from the level.
    densities : ndarray, shape (E, n)
        Density of states of each band, per spin and cell; infinite on a van Hove saddle.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import spectrum
    >>> spectrum(FermiSea(bilayer_hubbard(1.0), -0.5), energies=3).bands.shape
    (301, 2)
    """

    path: Annotated[Floats, "1/a", "place", "direction"]
    bands: Annotated[Floats, "eV", "place", "band"]
    energies: Annotated[Floats, "eV", "energy"]
    densities: Annotated[Floats, "1/eV", "energy", "band"]


@dataclass(frozen=True, eq=False)
class Response(Result):
    """Susceptibility without interaction, and what orders; made by `response`.

    Parameters
    ----------
    chi0 : Susceptibility
        The matrices.
    largest : ndarray, shape (L, L)
        Their largest eigenvalues on the mesh.
    peaks : Nesting
        Highest peaks of that map, highest first, with parity and bands; for bands without the group
        of the square, the highest point alone.
    stoner : StonerPoint or None
        Where the spins order, in units of a repulsion of one eV; None without sites.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import QUALITIES, response
    >>> sea, quality = FermiSea(bilayer_hubbard(1.0), -0.5), QUALITIES["fast"]
    >>> response(sea, quality, temperature=0.2, hund=0.0).stoner.channel
    'spin'
    """

    chi0: Susceptibility
    largest: Annotated[Floats, "1/eV", "x", "y"]
    peaks: Nesting
    stoner: StonerPoint | None


@dataclass(frozen=True, eq=False)
class Pairing(Result):
    """Leading pairing state of each channel at one interaction.

    Parameters
    ----------
    U, J : float
        Repulsion and Hund's coupling in eV.
    share : float
        Repulsion over that of the Stoner point.
    states : tuple of PairingState
        From the strongest on.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import QUALITIES, pairing, response
    >>> sea, quality = FermiSea(bilayer_hubbard(1.0), -0.5), QUALITIES["fast"]
    >>> found = response(sea, quality, temperature=0.2, hund=0.0)
    >>> [round(item.share, 2) for item in pairing(found, quality, hund=0.0)]
    [0.5, 0.8, 0.95]
    """

    U: Energy
    J: Energy
    share: float
    states: tuple[PairingState, ...]


def open_sea(
    source: BlochModel | str | Path,
    *,
    filling: float,
    kz: float | None = None,
    sites: tuple[int, ...] = (),
    tolerance: float = 2e-6,
) -> FermiSea:
    """Read a model if it is a file, recognize its layers and symmetries, and fill it.

    Parameters
    ----------
    source : BlochModel, str or Path
        The bands, a file of Wannier90 (its name ends in ``_hr.dat`` or ``_tb.dat``), or a table for
        `read_hoppings`.
    filling : float
        Electrons per cell, both spins.
    kz : float, optional
        Plane of a model in three dimensions; the level is that of the whole model.
    sites, tolerance : tuple of int, float, optional
        As for `recognized`.

    Returns
    -------
    FermiSea
        The plane up to its level, with a Fermi surface.

    Raises
    ------
    ValueError, OSError
        For a file that cannot be read, a filling out of range or without a Fermi surface, bands
        with the spin written out, or three dimensions without `kz`.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.report import open_sea
    >>> len(open_sea(four_band(), filling=3).sheets)
    3
    """
    model = source if isinstance(source, BlochModel) else _read(Path(source), tolerance)
    model.require_both_spins()
    points = np.random.default_rng(0).uniform(-np.pi, np.pi, (8, model.dimension))
    energies = model.energies(points)
    if len(model.orbitals) % 2 == 0 and np.ptp(energies) > 0:
        apart = np.abs(energies[:, 1::2] - energies[:, ::2]).max()
        if apart <= max(tolerance, 1e-9 * np.ptp(energies)):
            raise ValueError(
                f"every band of {model.name!r} is there twice, as in a calculation with the spin "
                "written out, and theories of pairing add the spin; give the orbitals of one spin"
            )
    level = chemical_potential(model, filling)
    if model.dimension == 3:
        if kz is None:
            model.require_plane("a report")
        model = model.plane(0.0 if kz is None else kz)
    elif kz is not None:
        raise ValueError(f"kz = {kz}: {model.name!r} has two dimensions; leave kz out")
    sea = FermiSea(recognized(model, sites=sites, tolerance=tolerance), level)
    _ = sea.sheets  # which says at once where there is none
    return sea


def _read(file: Path, tolerance: float) -> BlochModel:
    if file.name.endswith(_WANNIER):
        return read_wannier90(file, tolerance=tolerance)
    return read_hoppings(file)


def spectrum(sea: FermiSea, energies: int) -> Spectrum:
    """Compute bands along Γ–X–M–Γ and the density of states at some energies.

    Parameters
    ----------
    sea : FermiSea
        The bands.
    energies : int
        Energies over the whole range of the bands.

    Returns
    -------
    Spectrum
        Energies from the level; each density takes the lines of one energy.

    Examples
    --------
    Where the last energy lies no states are left:

    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import spectrum
    >>> float(spectrum(FermiSea(bilayer_hubbard(1.0), -0.5), energies=3).densities[-1].sum())
    0.0
    """
    path, _, _ = zone_path("ΓXMΓ", 301)
    model = sea.model
    bands = model.band_energies(path)
    low, high = min(b.range[0] for b in model.bands), max(b.range[1] for b in model.bands)
    margin = 0.02 * (high - low)
    grid = np.linspace(low - margin, high + margin, energies)
    rows = [density_of_states(model, float(e)) for e in track(grid, "density of states")]
    return Spectrum(path, bands - sea.mu, grid - sea.mu, np.array(rows))


def response(sea: FermiSea, quality: Quality, *, temperature: float, hund: float) -> Response:
    """Compute the susceptibility with its peaks, and the repulsion at which spins order.

    Parameters
    ----------
    sea : FermiSea
        The bands.
    quality : Quality
        Its mesh.
    temperature : float
        Temperature in eV.
    hund : float
        Hund's coupling over the repulsion.

    Returns
    -------
    Response
        What `bare_susceptibility`, `nesting` and `stoner_point` give.

    Raises
    ------
    ValueError
        If the temperature is too low for the mesh.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.report import QUALITIES, open_sea, response
    >>> sea = open_sea(four_band(), filling=3)
    >>> found = response(sea, QUALITIES["fast"], temperature=0.05, hund=0.1)
    >>> bool(found.peaks.eigenvalues[0] >= found.peaks.eigenvalues[1])  # highest first
    True
    """
    model = sea.model
    chi0 = bare_susceptibility(sea, temperature=temperature, mesh=quality.mesh)
    largest = np.linalg.eigvalsh(chi0.values)[..., -1].astype(float)
    place = np.array(np.unravel_index(largest.argmax(), largest.shape))
    # Maxima in one wedge of the zone stand for all only where the group of the square is there.
    found = np.pi * peaks(largest) if len(model.symmetries) == 8 else chi0.q[tuple(place)][None]
    step = np.rint(found * quality.mesh / (2 * np.pi)).astype(int)
    order = np.argsort(-largest[tuple(step.T)])[:_PEAKS]
    bare = kanamori(model.sites, U=1.0, J=hund) if model.sites else None
    stoner = None if bare is None else stoner_point(chi0, bare)
    if stoner is not None and len(model.symmetries) == 8:
        # One of the momenta that the group connects, the same in every report.
        high, low = sorted(np.abs(folded(np.array(stoner.q))).tolist(), reverse=True)
        stoner = replace(stoner, q=(high, low))
    return Response(chi0, largest, nesting(chi0, found[order]), stoner)


def pairing(
    found: Response, quality: Quality, *, hund: float, U: tuple[float, ...] = ()
) -> tuple[Pairing, ...]:
    """Compute the leading pairing states of each channel for some repulsions.

    Parameters
    ----------
    found : Response
        The susceptibility.
    quality : Quality
        Its points on the sheets.
    hund : float
        Hund's coupling over the repulsion.
    U : tuple of float, optional
        Repulsions in eV; 0.5, 0.8 and 0.95 of the Stoner point when not given.

    Returns
    -------
    tuple of Pairing
        What `linearized_gap` gives, for each repulsion.

    Raises
    ------
    ValueError
        Without sites, beyond the Stoner point, or for bands without time reversal.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import QUALITIES, pairing, response
    >>> sea, quality = FermiSea(bilayer_hubbard(1.0), -0.5), QUALITIES["fast"]
    >>> found = response(sea, quality, temperature=0.2, hund=0.0)
    >>> pairing(found, quality, hund=0.0, U=(1.0,))[0].U
    1.0
    """
    if found.stoner is None or not np.isfinite(found.stoner.scale):
        raise ValueError("the spins order at no repulsion that is known; give sites")
    critical = found.stoner.scale
    scattering = pair_scattering(found.chi0.sea.patches(quality.patches), found.chi0)
    states = []
    for u in U or tuple(share * critical for share in SHARES):
        leading = linearized_gap(scattering, repulsion(found.chi0.sea, u, hund))
        states.append(Pairing(u, hund * u, u / critical, tuple(leading)))
    return tuple(states)


def repulsion(sea: FermiSea, U: float, hund: float) -> Interaction:
    """Interaction on the sites of a model, with Hund's coupling as a share of the repulsion."""
    return kanamori(sea.model.sites, U=U, J=hund * U)


def flow_of_interaction(sea: FermiSea, quality: Quality, *, U: float, hund: float) -> FlowResult:
    """Let the interaction flow down to a thousandth of the range of energies.

    Parameters
    ----------
    sea : FermiSea
        The bands.
    quality : Quality
        Its patches and its mesh.
    U, hund : float
        Repulsion in eV, and Hund's coupling over it.

    Returns
    -------
    FlowResult
        What `frg_flow` gives.

    Raises
    ------
    ImportError
        Without the extra ``frg``.
    ValueError
        As for `frg_flow`.

    Notes
    -----
    Legs of the vertex that lie beside the patches are moved to them with the states that those
    happen to have, so the scale and the weaker channels change with the signs of these states.
    Symmetries that are recognized rather than named may differ in such a sign.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.report import QUALITIES, flow_of_interaction
    >>> sea = FermiSea(bilayer_hubbard(2.0), -0.5)
    >>> flow_of_interaction(sea, QUALITIES["fast"], U=1.0, hund=0.0).finished
    True
    """
    return frg_flow(
        sea,
        interaction=repulsion(sea, U, hund),
        patches=quality.flow_patches,
        mesh=quality.flow_mesh,
        stop=1e-3 * sea.model.state_count.width,
    )


def exchange(
    sea: FermiSea, quality: Quality, *, J: tuple[float, float, float, float]
) -> TJSolution:
    """Mean field of the t-J model, where the bands are those of two layers with two orbitals.

    The orbital with the larger hopping between the layers counts as z².

    Parameters
    ----------
    sea : FermiSea
        The bands.
    quality : Quality
        Its mesh.
    J : tuple of float
        Exchange within a layer of x²−y² and z², and between layers of both, in eV.

    Returns
    -------
    TJSolution
        The gap with the lowest free energy.

    Raises
    ------
    ValueError
        If the model is no such bilayer, or its gap is too small for the mesh.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.report import QUALITIES, exchange, open_sea
    >>> sea = open_sea(four_band(), filling=3)
    >>> exchange(sea, QUALITIES["fast"], J=(0.15, 0.075, 0.03, 0.375)).channel
    's'
    """
    layers = bilayer(sea.model)
    bonds: dict[str, Any] = dict(zip(("J1", "J2", "J1_inter", "J2_inter"), J, strict=True))
    return tj_mean_field(sea, mesh=quality.bond_mesh, layers=layers, **bonds)


def bilayer(model: BlochModel) -> tuple[tuple[int, int], tuple[int, int]]:
    """Find the orbitals x²−y² and z² of each layer, or raise ValueError that says what lacks."""
    layers = [[i for i, s in enumerate(model.sites) if s == n] for n in sorted(set(model.sites))]
    if [len(layer) for layer in layers] != [2, 2] or model.mirror is None:
        sizes = " and ".join(str(len(layer)) for layer in layers) or "no"
        raise ValueError(
            f"the t-J model takes two layers of two orbitals that a mirror exchanges, and this one "
            f"has {sizes} on its sites{'' if model.mirror is not None else ' and no such mirror'}"
        )
    if len(model.symmetries) != 8:
        raise ValueError("the t-J model takes the square lattice, whose group these bands lack")
    # The mirror tells the partners; vertical hops tell the orbital that points at the other layer.
    pairs = [(i, int(np.abs(model.mirror[i]).argmax())) for i in layers[0]]
    home = model.hoppings[(model.translations == 0).all(axis=1)][0]
    (a, b), (c, d) = sorted(pairs, key=lambda pair: abs(home[pair]))
    return (a, c), (b, d)


def scaled(gap: GapFunction, size: float) -> GapFunction:
    """Give a gap a size, of which the theory of its transition knows the shape alone.

    Parameters
    ----------
    gap : GapFunction
        Any gap.
    size : float
        Largest magnitude in eV.

    Returns
    -------
    GapFunction
        The gap of that size.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.observables import gap_on_sheets
    >>> from nickbook.report import scaled
    >>> gap = gap_on_sheets(FermiSea(conduction_bands(), -0.65), gap=eta_k)
    >>> round(float(max(abs(values).max() for values in scaled(gap, 0.02).values)), 9)
    0.02
    """
    largest = max(float(np.abs(v).max()) for v in gap.values)
    return replace(gap, values=tuple(size / largest * v for v in gap.values))


def spins(sea: FermiSea, gap: GapFunction, quality: Quality, found: Response) -> SpinSpectrum:
    """Compute the response of the spins at the momentum that orders first.

    Parameters
    ----------
    sea : FermiSea
        The bands.
    gap : GapFunction
        The gap in eV.
    quality : Quality
        Its mesh.
    found : Response
        The susceptibility without a gap, which tells the momentum.

    Returns
    -------
    SpinSpectrum
        What `spin_spectrum` gives, up to three times the largest gap.

    Raises
    ------
    ValueError
        If the gap is a triplet.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.observables import gap_on_sheets
    >>> from nickbook.report import QUALITIES, response, spins
    >>> sea, quality = FermiSea(bilayer_hubbard(1.0), -0.5), QUALITIES["fast"]
    >>> found = response(sea, quality, temperature=0.2, hund=0.0)
    >>> gap = gap_on_sheets(sea, gap=lambda k: 0.2 + 0 * k[:, 0])
    >>> spins(sea, gap, quality, found).q == found.stoner.q
    True
    """
    q = (0.0, 0.0) if found.stoner is None else found.stoner.q
    top = 3 * max(float(np.abs(v).max()) for v in gap.values)
    return spin_spectrum(
        sea,
        gap=gap,
        q=q,
        energies=np.linspace(top / 60, top, 60),
        broadening=top / 15,
        mesh=quality.spin_mesh,
    )


def resonances(found: SpinSpectrum, interaction: Interaction) -> dict[str, Any]:
    """Energy in eV of the bound state of even and of odd spins, None where there is none."""
    words = {1: "even", -1: "odd"} if found.sea.model.mirror is not None else {1: "all"}
    return {word: found.resonance(interaction, parity=p) for p, word in words.items()}
