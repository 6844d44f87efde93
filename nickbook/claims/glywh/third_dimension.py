"""What GLYWH's third dimension comes to (App. D, Fig. 7 and text)."""

from dataclasses import fields, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands import (
    EightBandParameters,
    FermiSea,
    FermiSheet,
    bilayer_plane,
    chemical_potential_slopes,
    eight_band,
    fermi_sheets,
    filling,
    four_band,
)
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh.bands import PRINTED_NAMES, RAYS, apart, radii, readings, rounding
from nickbook.papers import GLYWH

#: For our own matrices alone; the paper gives no number, and the bands do not depend on it.
DELTA_Z = 0.2
#: Planes between 0 and π and their weights in the mean over kz; the other half is their image.
PLANES = ((0.0, 0.25), (np.pi / 2, 0.5), (np.pi, 0.25))
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
    """H_3D of GLYWH Eq. 24, shape (..., 8, 8); parameters as in `printed_parts`."""
    within, between = printed_parts(k, delta_z, far=far)
    return np.block([[within, between], [between.conj().swapaxes(-1, -2), within]])


def momenta(count: int = 60) -> Floats:
    """Momenta in general places, shape (count, 3)."""
    return np.random.default_rng(24).uniform(-7, 7, (count, 3))


def distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Largest difference of two arrays."""
    return float(np.abs(a - b).max())


@cache
def plane(kz: float) -> FermiSea:
    """Block H_2D + H_z on a plane of constant kz, at the printed chemical potential."""
    return FermiSea(bilayer_plane(kz), GLYWH.mu_eight_band)


def average_filling(mu: float) -> float:
    """Electrons per bilayer, averaged over kz; four planes hold it to 1e-6."""
    return sum(weight * filling(bilayer_plane(kz), mu) for kz, weight in PLANES)


@cache
def level_at_three() -> float:
    """Chemical potential of three electrons per bilayer, by two steps along the filling."""
    mu = GLYWH.mu_eight_band
    slope = 2 * sum(weight * plane(kz).density_of_states().sum() for kz, weight in PLANES)
    for _ in range(2):
        mu += (GLYWH.filling - average_filling(mu)) / slope
    return float(mu)


def level_slopes() -> dict[str, float]:
    """Slopes of the printed level at constant filling, by the parameter's name, in eV per eV.

    A parameter moves the common level of all planes by the mean of what it does to each, weighted
    with the densities of states.
    """
    found, states = [], []
    for kz, weight in PLANES:
        build = partial(bilayer_plane, kz)
        own = chemical_potential_slopes(build, EightBandParameters(), plane(kz).filling)
        found.append(list(own.values()))
        states.append(weight * plane(kz).density_of_states().sum())
    mean = np.average(found, axis=0, weights=states)
    return dict(zip(own, mean.tolist(), strict=True))


def gamma_radii(kz: float) -> dict[str, float]:
    """Distance of γ from M in π/a: along kx, along the diagonal towards Γ, and the other one."""
    gamma = min((s for s in plane(kz).sheets if s.center == "X"), key=lambda s: s.area)
    found = radii(gamma, np.pi * np.array([0, 0.25, -0.25]), NICKEL_AXES)
    return dict(zip(("along", "one", "other"), found.tolist(), strict=True))


def eq24_layers() -> Numbers:
    ours = eight_band(delta_z=DELTA_Z).hamiltonian(momenta(), gauge="position")
    return {"distance": distance(printed_matrix(momenta()), ours)}


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


def eq24_hermitian() -> Numbers:
    between = printed_parts(momenta())[1]
    return {"distance": distance(between, between.conj().swapaxes(1, 2))}


def eq24_delta_z() -> Numbers:
    first, *others = (
        np.linalg.eigvalsh(printed_matrix(momenta(), d)) for d in (0.0, DELTA_Z, 0.37)
    )
    return {"distance": max(distance(first, e) for e in others)}


def eq31_distance() -> Numbers:
    near, far = (printed_matrix(momenta(), far=far) for far in (False, True))
    bands = distance(np.linalg.eigvalsh(near), np.linalg.eigvalsh(far))
    return {"matrices": distance(near, far), "bands": bands}


def eq33_blocks() -> Numbers:
    within, between = printed_parts(momenta())
    rotation = np.kron([[1, 1], [1, -1]], np.eye(4)) / np.sqrt(2)
    rotated = rotation @ printed_matrix(momenta()) @ rotation
    blocks = rotated[:, :4, :4] - within - between, rotated[:, 4:, 4:] - within + between
    return {"blocks": np.abs(blocks).max(), "rest": np.abs(rotated[:, :4, 4:]).max()}


def eq34_shift() -> Numbers:
    within, between = printed_parts(momenta())
    moved, short = (
        np.add(*printed_parts(momenta() + 2 * np.pi * np.array(q))) for q in ((1, 1, 1), (1, 0, 0))
    )
    phase = np.exp(2j * np.pi * DELTA_Z * np.array([0, 0, 1, 1]))
    turned = phase.conj()[:, None] * (within - between) * phase
    return {
        "equal": distance(moved, within - between),
        "turned": distance(moved, turned),
        "short": distance(short, within - between),
    }


def fig7_degenerate() -> Numbers:
    found = {}
    for axis, name in enumerate(("kx", "ky", "kz")):
        k = momenta()
        k[:, axis] = np.pi
        energies = np.linalg.eigvalsh(printed_matrix(k))
        found[name] = distance(energies[:, ::2], energies[:, 1::2])
    return found


def fig7_bands() -> Numbers:
    worst = 0.0
    for kx, ky, kz in momenta(20):
        k = np.array([kx + ky, kx - ky]) / 2
        parts = [bilayer_plane(z).energies(k) for z in (kz, kz + 2 * np.pi)]
        worst = max(worst, distance(np.sort(np.ravel(parts)), eight_band().energies([kx, ky, kz])))
    return {"distance": worst}


def appd_filling() -> Numbers:
    largest, typical = rounding(level_slopes())
    return {
        "level": level_at_three(),
        "printed": GLYWH.mu_eight_band,
        "electrons": average_filling(GLYWH.mu_eight_band),
        "rounding": largest,
        "typical": typical,
    }


def appd_dft_level() -> Numbers:
    return {
        "level": level_at_three(),
        "printed": GLYWH.mu_eight_band,
        "dft": GLYWH.mu_density_functional,
    }


def fig7_sheets() -> Numbers:
    kinds = {
        ", ".join(sorted(f"{s.kind} {s.center}" for s in plane(kz).sheets)) for kz, _ in PLANES
    }
    alpha = [
        sorted(2 * s.area for s in plane(kz).sheets if s.kind == "electron") for kz in (0.0, np.pi)
    ]
    return {"pockets": sorted(kinds), "at_zero": alpha[0], "at_pi": alpha[1]}


def text_two_dimensional() -> Numbers:
    """Largest change of a pocket's area over the period, and the outline of γ on each plane."""
    planes = (0.0, np.pi / 2, np.pi, 3 * np.pi / 2, 2 * np.pi)
    areas: dict[tuple[str, str, bool], list[float]] = {}
    for kz in planes:
        for sheet in plane(kz).sheets:
            pocket = (sheet.kind, sheet.center, sheet.area < 0.2)
            areas.setdefault(pocket, []).append(2 * sheet.area)
    outlines = [gamma_radii(kz) for kz in planes]
    short, long = sorted((outlines[0]["one"], outlines[0]["other"]))
    return {
        "change": max(np.ptp(a) for a in areas.values()),
        "long": long,
        "short": short,
        "outlines": outlines,
    }


def text_z2_dispersion() -> Numbers:
    # At Γ the two orbitals do not mix: each pair of layers is a 2 × 2 problem.
    gamma = np.array(
        [bilayer_plane(z).hamiltonian([0.0, 0.0]) for z in np.linspace(0, 4 * np.pi, 33)]
    )
    x, z = (np.ptp(np.linalg.eigvalsh(gamma[:, i::2, i::2]), axis=0) for i in (0, 1))
    return {"x": x, "z": z}


def text_nesting_plane() -> Numbers:
    """Distance of γ from the nearer of the two α pockets moved by (π, π), in π/a."""
    found = {}
    for name, kz in (("at_zero", 0.0), ("at_pi", np.pi)):
        small: dict[str, FermiSheet] = {s.center: s for s in plane(kz).sheets if s.area < 0.15}
        lines = {c: radii(small[c], RAYS, NICKEL_AXES) for c in ("X", "M", "Γ")}
        found[name] = min(apart(lines["X"], lines[c]) for c in ("M", "Γ"))
    return found
