"""Functions that settle what GLYWH say about the third dimension (App. D, Fig. 7 and text)."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands import (
    EightBandParameters,
    FermiSheet,
    bilayer_plane,
    eight_band,
    fermi_sheets,
    filling,
    four_band,
)
from nickbook.claims.glywh.bands import PRINTED_NAMES, radii, verdict_on_level
from nickbook.claims.rows import Finding, agrees, outside, settles, verdict_on

MU, MU_DFT = 10.1277, 10.1367
DELTA_Z = 0.2
#: Planes between 0 and π and their weights in the mean over kz; the other half is their image.
PLANES = ((0.0, 0.25), (np.pi / 2, 0.5), (np.pi, 0.25))
#: The names of the list in App. D in the order of print; the first twenty repeat those of Eq. 11.
PRINTED_IN_D = (*PRINTED_NAMES, "s11_z", "s13_z", "s22_z", "s24_z")
#: What the two numbers printed as s12xx may mean: values of (s22_xx, s12_xx).
READINGS = {
    "the first is s22xx": (0.011, -0.006),
    "exchanged": (-0.006, 0.011),
    "both 0.011": (0.011, 0.011),
    "both −0.006": (-0.006, -0.006),
    "s22xx = 0": (0.0, -0.006),
}
_SAMPLE = np.random.default_rng(24).uniform(-7, 7, (60, 3))


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


def hops_between() -> dict[tuple[int, int], dict[tuple[float, float, float], complex]]:
    """Hops that the printed elements of H_z stand for, by Fourier sums over momenta.

    Returns
    -------
    dict
        By orbitals (of the first bilayer, of the second) the hops in eV by their vectors in units
        of the lattice constants, for vectors of up to one constant in steps of a half; with
        δz = 0.
    """
    # Momenta over two periods: half vectors are then whole ones of a mesh of eight.
    axis = 4 * np.pi * np.arange(8) / 8
    k = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    between = printed_parts(k, 0.0)[1]
    steps = np.arange(-2, 3) / 2
    vectors = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    hops = np.tensordot(np.exp(-1j * vectors @ k.T), between, axes=1) / len(k)
    return {
        (i, j): {
            (float(x), float(y), float(z)): complex(hop[i, j])
            for (x, y, z), hop in zip(vectors, hops, strict=True)
        }
        for i in range(4)
        for j in range(4)
    }


@cache
def sheets_on_plane(kz: float) -> tuple[FermiSheet, ...]:
    """Fermi sheets of the block H_2D + H_z at the printed chemical potential.

    Parameters
    ----------
    kz : float
        Momentum in 1/c.

    Returns
    -------
    tuple of FermiSheet
        In momenta ((kx + ky)/2, (kx − ky)/2), as `bilayer_plane` has them.
    """
    return tuple(fermi_sheets(bilayer_plane(kz), MU))


@cache
def average_filling(mu: float) -> float:
    """Electrons per bilayer, averaged over kz; four planes hold it to 1e-6."""
    return sum(weight * filling(bilayer_plane(kz), mu) for kz, weight in PLANES)


@cache
def level_at_three() -> float:
    """Chemical potential of three electrons per bilayer, by two steps along the filling."""
    mu = MU
    slope = 2 * sum(w * sum(s.density_of_states for s in sheets_on_plane(z)) for z, w in PLANES)
    for _ in range(2):
        mu += (3 - average_filling(mu)) / slope
    return mu


@cache
def level_slopes() -> dict[str, float]:
    """Slopes of the level at constant filling with respect to each parameter.

    By the Hellmann-Feynman theorem a parameter moves the level by the Fermi-surface average of
    what it does to the energies.

    Returns
    -------
    dict of str to float
        By the parameter's name, in eV per eV, at the printed chemical potential.
    """
    p = EightBandParameters()
    shifts, total = dict.fromkeys((f.name for f in fields(p)), 0.0), 0.0
    for kz, weight in PLANES:
        model, sheets = bilayer_plane(kz, p), sheets_on_plane(kz)
        total += weight * sum(s.density_of_states for s in sheets)
        changed = {n: bilayer_plane(kz, replace(p, **{n: getattr(p, n) + 1})) for n in shifts}
        for sheet in sheets:
            states, h = (
                model.bands[sheet.band].states(sheet.points),
                model.hamiltonian(sheet.points),
            )
            for name, other in changed.items():
                change = other.hamiltonian(sheet.points) - h
                moved = np.einsum("ka,kab,kb->k", states.conj(), change, states).real
                shifts[name] += weight * float(sheet.weights @ moved)
    return {name: shift / total for name, shift in shifts.items()}


def rounding_of_level() -> tuple[float, float]:
    """Largest and root-mean-square shift of the level at n = 3 by rounding of the parameters.

    Returns
    -------
    tuple of float
        In eV; the second takes each error as evenly spread over half a unit of the last digit.
    """
    slopes = level_slopes()
    digit = {name: 5e-5 if name == "s13_z" else 5e-4 for name in slopes}
    moves = np.array([abs(slope) * digit[name] for name, slope in slopes.items()])
    return float(moves.sum()), float(np.sqrt((moves**2).sum() / 3))


def gamma_radii(kz: float) -> tuple[float, float, float]:
    """Distance of the γ line from M, along kx and along both diagonals, in units of π/a.

    Parameters
    ----------
    kz : float
        Momentum in 1/c.

    Returns
    -------
    tuple of float
        Along kx, along the diagonal towards Γ, and along the other one.
    """
    gamma = min((s for s in sheets_on_plane(kz) if s.center == "X"), key=lambda s: s.area)
    places = in_nickel_zone(gamma.points - np.array(gamma.center_point)) / np.pi
    found = radii(places, np.pi * np.array([0, 0.25, -0.25]))
    return float(found[0]), float(found[1]), float(found[2])


def in_nickel_zone(points: Floats) -> Floats:
    """Momenta (kx, ky) in 1/a of momenta ((kx + ky)/2, (kx − ky)/2), shape (..., 2)."""
    return np.stack([points[..., 0] + points[..., 1], points[..., 0] - points[..., 1]], axis=-1)


def _distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(np.abs(a - b).max())


@settles("GLYWH-eq24-layers")
def _layers(_: float | None) -> Finding:
    ours = eight_band(delta_z=DELTA_Z).hamiltonian(_SAMPLE, gauge="position")
    same = _distance(printed_matrix(_SAMPLE), ours) < 1e-12
    return Finding("Equal to the sum over hops in the position gauge", verdict_on(same))


@settles("GLYWH-appd-names")
def _names(_: float | None) -> Finding:
    needed = [item.name for item in fields(EightBandParameters)]
    missing = ", ".join(name for name in needed if name not in PRINTED_IN_D)
    found = []
    for words, (s22, s12) in READINGS.items():
        p = replace(EightBandParameters(), s22_xx=s22, s12_xx=s12)
        found.append(f"{words}: {len(fermi_sheets(bilayer_plane(0.0, p), MU))}")
    return Finding(
        f"missing: {missing or 'none'}. Fermi lines at $k_z=0$: " + "; ".join(found),
        verdict_on(sorted(PRINTED_IN_D) == sorted(needed)),
    )


@settles("GLYWH-appd-like-layers")
def _like_layers(_: float | None) -> Finding:
    p, hops = EightBandParameters(), hops_between()
    orbitals = {(0, 0): p.s11_z, (1, 1): p.s22_z, (2, 2): p.s11_z, (3, 3): p.s22_z}
    eight = {(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)}
    like = {
        (i, j): {r: t for r, t in found.items() if abs(t) > 1e-9}
        for (i, j), found in hops.items()
        if i // 2 == j // 2
    }
    right = all(
        set(found) == (eight if i == j else set())
        and all(abs(t - orbitals[i, j]) < 1e-12 for t in found.values())
        for (i, j), found in like.items()
    )
    counts = sorted({len(like[i, i]) for i in range(4)})
    heights = sorted({abs(r[2]) for i in range(4) for r in like[i, i]})
    return Finding(
        f"{' or '.join(map(str, counts))} hops of equal size from each orbital to its like, "
        f"all over {' or '.join(f'{z:g}' for z in heights)} c along z, up and down",
        verdict_on(right),
    )


@settles("GLYWH-eq24-hermitian")
def _hermitian(_: float | None) -> Finding:
    between = printed_parts(_SAMPLE)[1]
    same = _distance(between, between.conj().swapaxes(1, 2)) < 1e-13
    return Finding("$H_z^\\dagger=H_z$, so Eqs. 24 and 30 agree", verdict_on(same))


@settles("GLYWH-eq24-delta-z")
def _delta_z(_: float | None) -> Finding:
    energies = [np.linalg.eigvalsh(printed_matrix(_SAMPLE, d)) for d in (0.0, DELTA_Z, 0.37)]
    same = max(_distance(energies[0], e) for e in energies[1:]) < 1e-12
    return Finding("$\\delta_z$ has no value and needs none: it is a gauge", verdict_on(same))


@settles("GLYWH-eq31-distance")
def _facing(_: float | None) -> Finding:
    near, far = printed_matrix(_SAMPLE), printed_matrix(_SAMPLE, far=True)
    moved = _distance(near, far)
    bands = _distance(np.linalg.eigvalsh(near), np.linalg.eigvalsh(far))
    value = (
        "The printed phase leads to $z=-1/2+\\delta_z$, the image one cell below; "
        "the literal reading has other matrices and the same bands"
    )
    return Finding(value, verdict_on(bands < 1e-12, in_full=moved <= 0.01))


@settles("GLYWH-eq33-blocks")
def _blocks(_: float | None) -> Finding:
    within, between = printed_parts(_SAMPLE)
    rotation = np.kron([[1, 1], [1, -1]], np.eye(4)) / np.sqrt(2)
    rotated = rotation @ printed_matrix(_SAMPLE) @ rotation
    left = _distance(rotated[:, :4, :4], within + between)
    rest = np.abs(rotated[:, :4, 4:]).max()
    value = "The constant rotation $(\\psi\\pm\\psi')/\\sqrt2$ does it at every momentum"
    return Finding(value, verdict_on(max(left, rest) < 1e-12))


@settles("GLYWH-eq34-shift")
def _shift(_: float | None) -> Finding:
    within, between = printed_parts(_SAMPLE)
    moved, short = (
        np.add(*printed_parts(_SAMPLE + 2 * np.pi * np.array(q))) for q in ((1, 1, 1), (1, 0, 0))
    )
    phase = np.exp(2j * np.pi * DELTA_Z * np.array([0, 0, 1, 1]))
    turned = phase.conj()[:, None] * (within - between) * phase
    equivalent = _distance(moved, turned) < 1e-12 and _distance(short, within - between) < 1e-12
    equal = _distance(moved, within - between) < 1e-12
    value = (
        "Equal up to the phases $\\mathrm{e}^{2\\pi\\mathrm{i}\\delta_z}$ of the orbitals in b; "
        "exactly equal for $(2\\pi/a,0,0)$"
    )
    return Finding(value, verdict_on(equivalent or equal, in_full=equal))


@settles("GLYWH-fig7-degenerate")
def _degenerate(_: float | None) -> Finding:
    gaps = []
    for axis in range(3):
        k = _SAMPLE.copy()
        k[:, axis] = np.pi
        energies = np.linalg.eigvalsh(printed_matrix(k))
        gaps.append(np.abs(energies[:, ::2] - energies[:, 1::2]).max())
    value = "Splitting below 1e-12 eV at $k_z=\\pi/c$, and also at $k_x=\\pi/a$ and $k_y=\\pi/a$"
    return Finding(value, verdict_on(max(gaps) < 1e-12))


@settles("GLYWH-fig7-bands")
def _bands(_: float | None) -> Finding:
    worst = 0.0
    for kx, ky, kz in _SAMPLE[:20]:
        k = np.array([kx + ky, kx - ky]) / 2
        parts = [bilayer_plane(z).energies(k) for z in (kz, kz + 2 * np.pi)]
        worst = max(worst, _distance(np.sort(np.ravel(parts)), eight_band().energies([kx, ky, kz])))
    return Finding(
        "Both blocks together give the eight bands to 1e-12 eV", verdict_on(worst < 1e-12)
    )


@settles("GLYWH-appd-filling")
def _filling(tolerance: float | None) -> Finding:
    count, level = average_filling(MU), level_at_three()
    largest, typical = rounding_of_level()
    value = (
        f"$n$ = {count:.3f}; $n=3$ needs {level:.4f} eV. Rounding of the parameters moves it by "
        f"{1e3 * typical:.1f} meV (rms), {1e3 * largest:.1f} meV at most"
    )
    return Finding(value, verdict_on_level(level, MU, tolerance, largest))


outside("GLYWH-fig7a-dft", "needs the density functional bands")


@settles("GLYWH-appd-dft-level")
def _dft_level(tolerance: float | None) -> Finding:
    level = level_at_three()
    value = (
        f"{level:.4f} eV holds three electrons, {1e3 * (MU_DFT - level):.1f} meV below the DFT "
        f"level; the printed one is {1e3 * (MU_DFT - MU):.1f} meV below"
    )
    return Finding(value, verdict_on(agrees(level, MU_DFT, tolerance)))


@settles("GLYWH-fig7-sheets")
def _sheets(_: float | None) -> Finding:
    kinds = [sorted((s.kind, s.center) for s in sheets_on_plane(z)) for z, _ in PLANES]
    centers = sorted([("hole", "X"), ("hole", "Y")] * 2 + [("electron", "M"), ("electron", "Γ")])
    alpha = [
        np.array([2 * s.area for s in sheets_on_plane(z) if s.kind == "electron"])
        for z, _ in PLANES
    ]
    split = [float(np.ptp(a)) for a in alpha]
    value = (
        "α, β and γ on every plane; the two α pockets hold "
        f"{alpha[0].max():.3f} and {alpha[0].min():.3f} of the zone at $k_z=0$ and both "
        f"{alpha[2].mean():.3f} at $\\pi/c$"
    )
    return Finding(
        value, verdict_on(all(k == centers for k in kinds) and split[2] < 1e-9 < split[0])
    )


@settles("GLYWH-text-two-dimensional")
def _two_dimensional(tolerance: float | None) -> Finding:
    areas: dict[tuple[str, str, bool], list[float]] = {}
    for kz in (0.0, np.pi / 2, np.pi, 3 * np.pi / 2, 2 * np.pi):
        for sheet in sheets_on_plane(kz):
            pocket = (sheet.kind, sheet.center, sheet.area < 0.2)
            areas.setdefault(pocket, []).append(2 * sheet.area)
    change = max(float(np.ptp(a)) for a in areas.values())
    _, long, short = gamma_radii(0.0)
    ratio = max(long, short) / min(long, short)
    value = (
        f"No pocket's area changes with $k_z$ by more than {change:.3f} of the zone, "
        f"but γ at $k_z=0$ is {ratio:.2f} times as long as wide"
    )
    return Finding(value, verdict_on(agrees(change, 0.0, tolerance), in_full=ratio <= 1.2))


@settles("GLYWH-text-z2-dispersion")
def _z2_dispersion(_: float | None) -> Finding:
    # At Γ the two orbitals do not mix: each pair of layers is a 2 × 2 problem.
    gamma = np.array(
        [bilayer_plane(z).hamiltonian([0.0, 0.0]) for z in np.linspace(0, 4 * np.pi, 33)]
    )
    x, z = (np.linalg.eigvalsh(gamma[:, i::2, i::2]) for i in (0, 1))
    widths = np.ptp(z, axis=0)
    value = (
        f"Along $k_z$ at Γ bonding z² spreads over {widths[0]:.3f}, antibonding z² over "
        f"{widths[1]:.3f}, x²−y² over at most {np.ptp(x, axis=0).max():.3f} eV"
    )
    return Finding(value, verdict_on(float(widths.min()) > 5 * float(np.ptp(x, axis=0).max())))


@settles("GLYWH-text-flower")
def _flower(_: float | None) -> Finding:
    at_zero, at_pi = gamma_radii(0.0), gamma_radii(np.pi)
    long, short = max(at_zero[1:]), min(at_zero[1:])
    value = (
        f"Needs DFT. In the model γ is longest at $k_z=0$ and $2\\pi/c$ ({long:.3f} and "
        f"{short:.3f} π/a along the diagonals) and fourfold at $\\pi/c$ ({at_pi[1]:.3f})"
    )
    return Finding(value, "outside")


@settles("GLYWH-text-nesting-plane")
def _nesting_plane(_: float | None) -> Finding:
    value = (
        "Needs DFT; in the model α moved by (π, π) misses γ by "
        f"{mismatch(0.0):.3f} π/a (rms) at $k_z=0$ and {mismatch(np.pi):.3f} at $\\pi/c$"
    )
    return Finding(value, "outside")


def mismatch(kz: float) -> float:
    """Root-mean-square distance between γ and α moved by (π, π), over angles, in π/a.

    Parameters
    ----------
    kz : float
        Momentum in 1/c.

    Returns
    -------
    float
        The smaller one of the two α pockets of the folded zone.
    """
    angles, found = np.linspace(-np.pi, np.pi, 180, endpoint=False), {}
    for sheet in sheets_on_plane(kz):
        small = sheet.area < 0.15 and sheet.center in ("X", "M", "Γ")
        if small:
            places = in_nickel_zone(sheet.points - np.array(sheet.center_point)) / np.pi
            found[sheet.center] = radii(places, angles)
    gaps = [np.sqrt(np.mean((found["X"] - found[c]) ** 2)) for c in ("M", "Γ")]
    return float(min(gaps))
