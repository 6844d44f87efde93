"""What GLYWH's third dimension comes to (App. D, Fig. 7 and text)."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands import (
    BlochModel,
    EightBandParameters,
    FermiSea,
    FourBandParameters,
    bilayer_plane,
    chemical_potential,
    chemical_potential_slopes,
    eight_band,
    fermi_sheets,
    filling,
    four_band,
)
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh.bands import (
    PRINTED_NAMES,
    RAYS,
    pockets,
    radii,
    readings,
    root_mean_square,
    rounding,
)
from nickbook.papers import GLYWH

#: For our own matrices alone; the paper gives no number, and the bands do not depend on it.
DELTA_Z = 0.2
#: Planes of constant kz that stand for all; they hold the filling to 1e-6.
PLANES = (0.0, np.pi / 2, np.pi, 3 * np.pi / 2)
#: The names of the list in App. D in the order of print; the first twenty repeat those of Eq. 11.
PRINTED_IN_D = (*PRINTED_NAMES, "s11_z", "s13_z", "s22_z", "s24_z")
#: (kx, ky) of the momenta ((kx + ky)/2, (kx − ky)/2) of `bilayer_plane`.
NICKEL_AXES = np.array([[1.0, 1.0], [1.0, -1.0]])


def printed_parts(
    k: Floats, delta_z: float = DELTA_Z, *, far: bool = False
) -> tuple[Complexes, Complexes]:
    """H_2D and H_z of GLYWH Eqs. 24-32, element by element as printed.

    Parameters
    ----------
    k : ndarray, shape (..., 3)
        Momenta in (1/a, 1/a, 1/c).
    delta_z : float
        Distance of the two layers of a bilayer in units of c.
    far : bool, optional
        Read "layer z = 1/2 + δz" literally, in the same cell, instead of the printed phase.

    Returns
    -------
    tuple of ndarray, each of shape (..., 4, 4)
        The two matrices in eV.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.claims.glywh import printed_parts
    >>> plane, between = printed_parts(np.zeros(3))
    >>> round(float(abs(between).max()), 3)  # four times the largest hopping, 0.031 eV
    0.124
    """
    p, kz = EightBandParameters(), k[..., 2]
    within = four_band(p).hamiltonian(k[..., :2])
    phase = np.exp(1j * delta_z * kz)[..., None, None]
    within[..., :2, 2:] *= phase
    within[..., 2:, :2] *= phase.conj()
    plane = np.cos(k[..., 0] / 2) * np.cos(k[..., 1] / 2)
    way = 0.5 + delta_z if far else -(0.5 - delta_z)
    between = np.zeros_like(within)
    for orbital, like, facing in ((0, p.s11_z, p.s13_z), (1, p.s22_z, p.s24_z)):
        upper = orbital + 2
        between[..., orbital, orbital] = between[..., upper, upper] = (
            8 * like * np.cos(kz / 2) * plane
        )
        between[..., orbital, upper] = 4 * facing * np.exp(1j * way * kz) * plane
        between[..., upper, orbital] = between[..., orbital, upper].conj()
    return within, between


def printed_matrix(k: Floats, delta_z: float = DELTA_Z, *, far: bool = False) -> Complexes:
    """H_3D of GLYWH Eq. 24, shape (..., 8, 8); parameters as in `printed_parts`.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import eight_band
    >>> from nickbook.claims.glywh import printed_matrix
    >>> printed = np.linalg.eigvalsh(printed_matrix(np.array([0.3, 0.2, 0.1])))
    >>> round(float(abs(printed - eight_band().energies([0.3, 0.2, 0.1])).max()), 9)
    0.0
    """
    within, between = printed_parts(k, delta_z, far=far)
    return np.block([[within, between], [between.conj().swapaxes(-1, -2), within]])


def appd_similar() -> Numbers:
    """Largest change of a parameter in eV from Eq. 11 to App. D, and the areas of both."""
    flat = FourBandParameters()
    deep = EightBandParameters()
    moved = {f.name: getattr(deep, f.name) - getattr(flat, f.name) for f in fields(flat)}
    largest = max(moved, key=lambda name: abs(moved[name]))
    alone = FourBandParameters(**{f.name: getattr(deep, f.name) for f in fields(flat)})
    after, before = (
        pockets(FermiSea.at(four_band(p), filling=GLYWH.filling)) for p in (alone, flat)
    )
    return {
        "largest": largest,
        "change": abs(moved[largest]),
        "names": list(after),
        "areas": [sheet.area for sheet in after.values()],
        "before": [sheet.area for sheet in before.values()],
    }


@cache
def plane(kz: float) -> FermiSea:
    """Block H_2D + H_z on a plane of constant kz, at the printed chemical potential."""
    return FermiSea(bilayer_plane(kz), GLYWH.mu_eight_band)


def planes(parameters: EightBandParameters | None = None) -> list[BlochModel]:
    """Blocks on the planes that stand for all."""
    return [bilayer_plane(kz, parameters) for kz in PLANES]


def average_filling(mu: float) -> float:
    """Electrons per bilayer, averaged over kz."""
    return float(np.mean([filling(model, mu) for model in planes()]))


def level_slopes() -> dict[str, float]:
    """Slopes of the printed level at constant filling, by the parameter's name, in eV per eV."""
    given = EightBandParameters(), GLYWH.filling
    return chemical_potential_slopes(planes, *given, mu=GLYWH.mu_eight_band)


def gamma_radii(kz: float) -> dict[str, float]:
    """Distance of γ from M in π/a: along kx, along the diagonal towards Γ, and the other one."""
    gamma = min((s for s in plane(kz).sheets if s.center == "X"), key=lambda s: s.area)
    found = radii(gamma, np.pi * np.array([0, 0.25, -0.25]), NICKEL_AXES)
    return dict(zip(("along", "one", "other"), found.tolist(), strict=True))


def appd_names() -> Numbers:
    found = []
    for words, values in readings(0.011, -0.006).items():
        model = bilayer_plane(0.0, replace(EightBandParameters(), **values))
        found.append({"words": words, "lines": len(fermi_sheets(model, GLYWH.mu_eight_band))})
    needed = [item.name for item in fields(EightBandParameters)]
    return {"printed": PRINTED_IN_D, "needed": needed, "readings": found}


def appd_like_layers() -> Numbers:
    """Hops that the printed elements of H_z stand for, by Fourier sums with δz = 0."""
    # Momenta over two periods: half vectors are then whole ones of a mesh of eight.
    axis, steps = 4 * np.pi * np.arange(8) / 8, np.arange(-2, 3) / 2
    k, vectors = (
        np.stack(np.meshgrid(line, line, line, indexing="ij"), axis=-1).reshape(-1, 3)
        for line in (axis, steps)
    )
    hops = np.tensordot(np.exp(-1j * vectors @ k.T), printed_parts(k, 0.0)[1], axes=1) / len(k)
    p, like = EightBandParameters(), hops[:, range(4), range(4)]
    found = np.abs(like) > 1e-9
    return {
        "counts": found.sum(axis=0),
        "steps": sorted(set(np.abs(vectors[found.any(axis=1)]).ravel().tolist())),
        "off": np.abs(like - [p.s11_z, p.s22_z, p.s11_z, p.s22_z])[found].max(),
        "mixed": np.abs(hops[:, [0, 1, 2, 3], [1, 0, 3, 2]]).max(),
    }


def matrices() -> Numbers:
    """Distances in eV that vanish if the printed matrices are what the paper says of them."""
    k = np.random.default_rng(24).uniform(-7, 7, (60, 3))  # general places
    within, between = printed_parts(k)
    printed, far = (printed_matrix(k, far=reading) for reading in (False, True))
    energies, bands, *others = map(
        np.linalg.eigvalsh, (printed, far, printed_matrix(k, 0.0), printed_matrix(k, 0.37))
    )
    ours = eight_band(delta_z=DELTA_Z).hamiltonian(k, gauge="position")
    rotation = np.kron([[1, 1], [1, -1]], np.eye(4)) / np.sqrt(2)
    rotated = rotation @ printed @ rotation
    blocks = rotated[:, :4, :4] - within - between, rotated[:, 4:, 4:] - within + between
    moved, short = (
        np.add(*printed_parts(k + 2 * np.pi * np.array(q))) for q in ((1, 1, 1), (1, 0, 0))
    )
    phase = np.exp(2j * np.pi * DELTA_Z * np.array([0, 0, 1, 1]))
    turned = phase.conj()[:, None] * (within - between) * phase
    folded = [
        [bilayer_plane(z).energies([(kx + ky) / 2, (kx - ky) / 2]) for z in (kz, kz + 2 * np.pi)]
        for kx, ky, kz in k[:20]
    ]
    faces = {
        name: np.linalg.eigvalsh(printed_matrix(np.where(np.eye(3)[axis], np.pi, k)))
        for axis, name in enumerate(("kx", "ky", "kz"))
    }
    both = np.sort(np.reshape(folded, (20, 8)))
    return {
        "layers": {"distance": apart(printed, ours)},
        "hermitian": {"distance": apart(between, between.conj().swapaxes(1, 2))},
        "delta_z": {"distance": max(apart(energies, other) for other in others)},
        "folded": {"distance": apart(both, eight_band().energies(k[:20]))},
        "matrices": apart(printed, far),
        "bands": apart(energies, bands),
        "blocks": np.abs(blocks).max(),
        "rest": np.abs(rotated[:, :4, 4:]).max(),
        "equal": apart(moved, within - between),
        "turned": apart(moved, turned),
        "short": apart(short, within - between),
        **{name: apart(levels[:, ::2], levels[:, 1::2]) for name, levels in faces.items()},
    }


def appd_filling() -> Numbers:
    largest, typical = rounding(level_slopes())
    return {
        "level": chemical_potential(planes(), GLYWH.filling),
        "printed": GLYWH.mu_eight_band,
        "dft": GLYWH.mu_density_functional,
        "electrons": average_filling(GLYWH.mu_eight_band),
        "rounding": largest,
        "typical": typical,
    }


def fig7_sheets() -> Numbers:
    kinds = {", ".join(sorted(f"{s.kind} {s.center}" for s in plane(kz).sheets)) for kz in PLANES}
    at_zero, at_pi = (
        sorted(2 * s.area for s in plane(kz).sheets if s.kind == "electron") for kz in (0.0, np.pi)
    )
    return {"pockets": sorted(kinds), "at_zero": at_zero, "at_pi": at_pi}


def text_two_dimensional() -> Numbers:
    """Largest change of a pocket's area, outlines of γ, and spreads of the bands at Γ over kz."""
    period = (*PLANES, 2 * np.pi)
    areas: dict[tuple[str, str, bool], list[float]] = {}
    for sheet in (sheet for kz in period for sheet in plane(kz).sheets):
        pocket = (sheet.kind, sheet.center, sheet.area < 0.2)
        areas.setdefault(pocket, []).append(2 * sheet.area)
    outlines = [gamma_radii(kz) for kz in period]
    short, long = sorted((outlines[0]["one"], outlines[0]["other"]))
    change = max(np.ptp(a) for a in areas.values())
    # At Γ the two orbitals do not mix: each pair of layers is a 2 × 2 problem.
    heights = np.linspace(0, 4 * np.pi, 33)
    gamma = np.array([bilayer_plane(kz).hamiltonian([0.0, 0.0]) for kz in heights])
    x, z = (np.ptp(np.linalg.eigvalsh(gamma[:, i::2, i::2]), axis=0) for i in (0, 1))
    shape = {"change": change, "long": long, "short": short, "outlines": outlines}
    towards = [gamma_radii(kz)["one"] for kz in np.pi * np.arange(5) / 2]
    return shape | {"x": x, "z": z, "towards": towards}


def nesting_of_model() -> Numbers:
    """Distance of γ from the nearer of the two α pockets moved by (π, π), in π/a."""
    found = {}
    for name, kz in (("at_zero", 0.0), ("at_pi", np.pi)):
        small = {s.center: s for s in plane(kz).sheets if s.area < 0.15}
        lines = {c: radii(small[c], RAYS, NICKEL_AXES) for c in ("X", "M", "Γ")}
        found[name] = min(root_mean_square(lines["X"] - lines[c]) for c in ("M", "Γ"))
    return found


def apart(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Largest difference of two arrays."""
    return float(np.abs(a - b).max())
