"""Functions that settle what GLYWH say about bands and Fermi sheets (Figs. 1, 2, 5, 6, App. C)."""

from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from nickbook.bands import (
    BlochModel,
    FermiSheet,
    FourBandParameters,
    ThreeBandParameters,
    chemical_potential,
    chemical_potential_slopes,
    density_of_states,
    fermi_sheets,
    filling,
    four_band,
    three_band,
    van_hove_points,
    zone_mesh,
    zone_path,
)
from nickbook.claims.rows import Finding, agrees, outside, settles, verdict_on

MU, MU_THREE = 10.0585, 10.256
ELECTRONS = 3.0
#: The names of Eq. 11 in the order of print.
PRINTED_NAMES = (
    *("epsilon_x", "t11_x", "t11_xy", "t11_xx", "epsilon_z", "t22_x", "t22_xy", "t22_xx"),
    *("s11_0", "s11_x", "s11_xy", "s11_xx", "s22_0", "s22_x", "s22_xy", "s12_xx"),
    *("t12_x", "t12_xx", "s12_x", "s12_xx"),
)
#: What the two numbers printed as s12xx may mean: values of (s22_xx, s12_xx).
READINGS = {
    "the first is s22xx": (0.024, -0.009),
    "exchanged": (-0.009, 0.024),
    "both 0.024": (0.024, 0.024),
    "both −0.009": (-0.009, -0.009),
    "s22xx = 0": (0.0, -0.009),
}
#: GLYWH Eq. 20: rows t x, +z, b x, −z.
TRANSFORMATION = np.array(
    [[1, 0, 0, 0], [0, 0.5**0.5, 0, 0.5**0.5], [0, 0, 1, 0], [0, 0.5**0.5, 0, -(0.5**0.5)]]
)
PRINTED_DELTA = 0.4


def level() -> float:
    """Chemical potential of the four-band model with three electrons a cell."""
    return chemical_potential(four_band(), ELECTRONS)


def pockets(model: BlochModel, mu: float) -> dict[str, FermiSheet]:
    """Fermi sheets under GLYWH's names: β is odd, γ the even hole and α the even electron pocket.

    Parameters
    ----------
    model : BlochModel
        The four- or the three-band model.
    mu : float
        Chemical potential in eV.

    Returns
    -------
    dict of str to FermiSheet
        A sheet of another kind keeps the name of its band.
    """
    names = {(-1, "hole", "M"): "β", (1, "hole", "M"): "γ", (1, "electron", "Γ"): "α"}
    sheets = fermi_sheets(model, mu)
    return {names.get((s.parity, s.kind, s.center), s.name): s for s in sheets}


def x_share(sheet: FermiSheet) -> NDArray[np.float64]:
    """Share of x²−y² at each point of a sheet of the four- or three-band model."""
    return np.asarray(sheet.orbital_weights[:, [0, 2]].sum(axis=1))


def rounding_of(slopes: dict[str, float]) -> float:
    """Largest shift of a level by the rounding of parameters printed to three decimals, in eV."""
    return 5e-4 * sum(map(abs, slopes.values()))


def verdict_on_level(level: float, printed: float, tolerance: float | None, rounding: float) -> str:
    """Verdict on a printed chemical potential, by one rule for all models.

    Parameters
    ----------
    level, printed : float
        Ours from the printed parameters, and the paper's, in eV.
    tolerance : float or None
        Half of the last digit of the printed one.
    rounding : float
        Largest shift by the digits behind the printed parameters.

    Returns
    -------
    str
        "reproduced" if the printed parameters give it, "with caveat" if only others that round to
        them can, else "not as written".
    """
    exact = agrees(level, printed, tolerance)
    near = tolerance is not None and agrees(level, printed, tolerance + rounding)
    return verdict_on(near, in_full=exact)


def radii(places: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of a closed line from its centre in given directions.

    Parameters
    ----------
    places : ndarray, shape (points, 2)
        Points of the line, from its centre.
    angles : ndarray, shape (directions,)
        Directions from the first axis, in radians.

    Returns
    -------
    ndarray, shape (directions,)
        In the units of `places`.
    """
    angle, radius = np.arctan2(places[:, 1], places[:, 0]), np.hypot(*places.T)
    order = np.argsort(angle)
    return np.asarray(np.interp(angles, angle[order], radius[order], period=2 * np.pi))


def nesting_lines(mu: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radii of α, moved by (π, π), and of γ, in 360 directions, in π/a.

    Parameters
    ----------
    mu : float
        Chemical potential in eV.

    Returns
    -------
    tuple of ndarray, each of shape (360,)
        Along α and along γ.
    """
    sheets, angles = pockets(four_band(), mu), np.linspace(-np.pi, np.pi, 360, endpoint=False)
    alpha, gamma = (
        radii((sheets[name].points - np.array(sheets[name].center_point)) / np.pi, angles)
        for name in "αγ"
    )
    return alpha, gamma


def mismatch_of_shapes(mu: float) -> tuple[float, float]:
    """Root-mean-square distance of α, moved by (π, π), from γ, over their mean radius.

    Parameters
    ----------
    mu : float
        Chemical potential in eV.

    Returns
    -------
    tuple of float
        As they are, and after scaling both to the same area.
    """
    lines = nesting_lines(mu)
    sizes = [np.sqrt(np.mean(line**2)) for line in lines]
    one, other = (line / size for line, size in zip(lines, sizes, strict=True))
    apart = np.sqrt(np.mean((lines[0] - lines[1]) ** 2)) / np.mean(sizes)
    return float(apart), float(np.sqrt(np.mean((one - other) ** 2)))


def without_minus_z() -> BlochModel:
    """Four-band model with the row and the column of the antibonding z² orbital crossed out."""
    model, three = four_band(), three_band()
    hoppings = TRANSFORMATION @ model.hoppings @ TRANSFORMATION.T
    return BlochModel(
        "truncated", three.orbitals, model.translations, hoppings[:, :3, :3], mirror=three.mirror
    )


def model_differences(window: float = 0.1) -> dict[str, tuple[float, float]]:
    """Lowest and highest three-band energy over the four-band one near the Fermi level, in eV.

    Parameters
    ----------
    window : float
        Energies of the four-band model up to this far from its Fermi level count, in eV.

    Returns
    -------
    dict of str to tuple of float
        By the name of the sheet that the band makes, along Γ–X–M–Γ, both from their Fermi levels.
    """
    k = zone_path("ΓXMΓ", 601)[0]
    four = four_band().band_energies(k)[:, [0, 2, 3]] - level()
    apart = np.where(np.abs(four) < window, three_band().band_energies(k) - MU_THREE - four, np.nan)
    pairs = zip(np.nanmin(apart, axis=0), np.nanmax(apart, axis=0), strict=True)
    return {name: (float(low), float(high)) for name, (low, high) in zip("βγα", pairs, strict=True)}


outside("GLYWH-fig1b-crystal-field", "needs the density functional levels of all d orbitals")
outside("GLYWH-fig1c-dft", "needs the density functional bands")
outside("GLYWH-fig1d-dft", "needs the density functional Fermi surface")
outside("GLYWH-fig1d-distortion", "needs the density functional Fermi surface")
outside("GLYWH-fig5-pressure", "needs the density functional bands at both pressures")
outside("GLYWH-fig6a-dft", "needs the density functional bands")
outside("GLYWH-other-materials", "needs models of the other materials")
outside("GLYWH-pressure-gamma", "needs the bands at ambient pressure")


@settles("GLYWH-fig1b-level")
def _fig1b_level(_: float | None) -> Finding:
    p, mu = FourBandParameters(), level()
    bonding, antibonding = p.epsilon_z + p.s22_0, p.epsilon_z - p.s22_0
    return Finding(
        f"levels {bonding:.3f} and {antibonding:.3f} eV, Fermi level {mu:.4f} eV",
        verdict_on(bonding < mu < antibonding),
    )


@settles("GLYWH-eq11-names")
def _eq11_names(_: float | None) -> Finding:
    needed = [item.name for item in fields(FourBandParameters)]
    complete = sorted(PRINTED_NAMES) == sorted(needed)
    found = []
    for words, (s22, s12) in READINGS.items():
        model = four_band(replace(FourBandParameters(), s22_xx=s22, s12_xx=s12))
        (kind,) = (p.kind for p in van_hove_points(model) if p.band == 2 and min(p.point) > 3.14)
        found.append(f"{words}: {filling(model, MU):.3f} electrons, M a {kind} of the γ band")
    missing = ", ".join(name for name in needed if name not in PRINTED_NAMES)
    return Finding(f"missing: {missing or 'none'}. " + "; ".join(found), verdict_on(complete))


@settles("GLYWH-eq11-filling")
def _eq11_filling(tolerance: float | None) -> Finding:
    mu = level()
    bound = rounding_of(chemical_potential_slopes(four_band, FourBandParameters(), ELECTRONS))
    return Finding(
        f"{mu:.4f} eV at n = 3, and {filling(four_band(), MU):.4f} electrons at {MU} eV; rounding "
        f"of the parameters accounts for {bound:.4f} eV at most",
        verdict_on_level(mu, MU, tolerance, bound),
    )


@settles("GLYWH-eq20-form")
def _eq20_form(tolerance: float | None) -> Finding:
    h = four_band().hamiltonian(zone_mesh(12))
    transformed = TRANSFORMATION @ h @ np.linalg.inv(TRANSFORMATION)
    worst = float(np.abs(transformed - _printed_form(h)).max())
    holds = agrees(worst, 0.0, tolerance)
    return Finding(f"below {tolerance:g} eV" if holds else f"{worst:.1e} eV", verdict_on(holds))


@settles("GLYWH-eq20-content")
def _eq20_content(_: float | None) -> Finding:
    found = pockets(four_band(), level()).values()
    # Odd states hold no z+, even ones no z−.
    minus = sum(
        s.density_of_states * float(s.average(1 - x_share(s))) for s in found if s.parity == -1
    )
    share = minus / sum(s.density_of_states for s in found)
    return Finding(f"{1 - share:.3f} of the states are x and z+", verdict_on(share < 0.5))


@settles("GLYWH-eq20-minus-away")
def _eq20_minus_away(_: float | None) -> Finding:
    bottom = min(p.energy for p in van_hove_points(four_band()) if p.band == 1)
    mu = level()
    return Finding(
        f"its band starts {bottom - mu:.3f} eV above the Fermi level", verdict_on(bottom > mu)
    )


@settles("GLYWH-eq20-neglect")
def _eq20_neglect(_: float | None) -> Finding:
    mu = level()
    full, truncated = pockets(four_band(), mu), pockets(without_minus_z(), mu)
    (other,) = (s for s in truncated.values() if s.parity == -1)
    same = set(truncated) == set(full)
    refitted = set(pockets(three_band(), MU_THREE)) == set(full)
    return Finding(
        f"$z_-$ holds {float(full['β'].average(1 - x_share(full['β']))):.3f} of β; crossing it out "
        f"leaves an {other.kind} pocket round {other.center} in place of β, the even sheets do "
        "not change; fitted again, the three-band model has all three sheets",
        verdict_on(same or refitted, in_full=same),
    )


@settles("GLYWH-eq22-filling")
def _eq22_filling(tolerance: float | None) -> Finding:
    mu = chemical_potential(three_band(), ELECTRONS)
    electrons = filling(three_band(), MU_THREE)
    bound = rounding_of(chemical_potential_slopes(three_band, ThreeBandParameters(), ELECTRONS))
    return Finding(
        f"{mu:.4f} eV; {electrons:.4f} electrons at {MU_THREE} eV; rounding of the parameters "
        f"moves the level by {bound:.4f} eV at most",
        verdict_on_level(mu, MU_THREE, tolerance, bound),
    )


@settles("GLYWH-three-band-half-filled")
def _three_band_half_filled(tolerance: float | None) -> Finding:
    model = three_band()
    share = filling(model, MU_THREE) / (model.spin_degeneracy * len(model.orbitals))
    return Finding(f"{share:.4f} of the states", verdict_on(agrees(share, 0.5, tolerance)))


@settles("GLYWH-fig6b-sheets")
def _fig6b_sheets(tolerance: float | None) -> Finding:
    four, three = pockets(four_band(), level()), pockets(three_band(), MU_THREE)
    if set(four) != set(three):
        return Finding(f"{', '.join(four)} against {', '.join(three)}", verdict_on(False))
    ratios = {name: three[name].area / four[name].area for name in "αβγ"}
    words = [f"{n} {three[n].area:.3f} for {four[n].area:.3f}" for n in "αβγ"]
    alike = all(agrees(r, 1.0, tolerance) for r in ratios.values())
    return Finding(
        f"same parities and centres; areas {', '.join(words)} of the zone",
        verdict_on(True, in_full=alike),
    )


@settles("GLYWH-fig6-agreement")
def _fig6_agreement(_: float | None) -> Finding:
    found = model_differences()
    worst = {name: max(map(abs, found[name])) for name in "αβγ"}
    words = ", ".join(f"{worst[name]:.2f} eV ({name})" for name in "αβγ")
    spread = max(high for _, high in found.values()) - min(low for low, _ in found.values())
    return Finding(
        f"Needs DFT; the two models differ by up to {words} within 0.1 eV of the Fermi level: one "
        f"of them misses any common target by {max(worst.values()) / 2:.2f} eV or more, by "
        f"{spread / 4:.2f} eV if each may be shifted as a whole",
        "outside",
    )


@settles("GLYWH-fig2b-gamma-x")
def _fig2b_gamma_x(_: float | None) -> Finding:
    k, without = zone_path("ΓX", 801)[0], replace(FourBandParameters(), t12_x=0.0, s12_x=0.0)
    mixed = []
    for model in (four_band(), four_band(without)):
        for block in model.blocks:
            share = block.bands[0].orbital_weights(k)[:, [0, 2]].sum(axis=1)
            mixed.append(float(((share > 0.2) & (share < 0.8)).mean()))
    return Finding(
        f"both orbitals hold a fifth or more on {mixed[0]:.2f} (odd) and {mixed[1]:.2f} (even) of "
        f"the path; without that hopping on {mixed[2]:.2f} and {mixed[3]:.2f}",
        verdict_on(min(mixed[:2]) > 0.5 > max(mixed[2:])),
    )


@settles("GLYWH-fig2b-gamma-m")
def _fig2b_gamma_m(tolerance: float | None) -> Finding:
    p, h = FourBandParameters(), four_band().hamiltonian(zone_path("ΓM", 401)[0])
    decoupled = bool(np.abs(h[:, [0, 0], [1, 3]]).max() < 1e-12)
    splitting = 2 * float(np.abs(h[:, 0, 2]).max())
    uncancelled = 2 * abs(p.s11_0) + 8 * (abs(p.s11_x) + abs(p.s11_xy) + abs(p.s11_xx))
    return Finding(
        f"no coupling to z² there; the x bands split by {splitting:.3f} eV at most, and would by "
        f"up to {uncancelled:.3f} eV if the couplings between the layers added up",
        verdict_on(decoupled and agrees(splitting, 0.0, tolerance) and splitting < uncancelled / 2),
    )


@settles("GLYWH-fig2c-pockets")
def _fig2c_pockets(_: float | None) -> Finding:
    words, found = [], []
    for mu in (level(), MU):
        sheets = pockets(four_band(), mu)
        found.append(sorted(sheets) == ["α", "β", "γ"])
        areas = ", ".join(f"{name} {sheet.area:.4f}" for name, sheet in sorted(sheets.items()))
        words.append(f"{areas} at {mu:.4f} eV")
    return Finding("areas " + "; ".join(words), verdict_on(all(found)))


@settles("GLYWH-fig2c-alpha")
def _fig2c_alpha(tolerance: float | None) -> Finding:
    alpha = pockets(four_band(), level())["α"]
    share = float(alpha.average(x_share(alpha)))
    return Finding(
        f"x²−y² has {share:.3f} on average, from {x_share(alpha).min():.3f} on Γ–X to "
        f"{x_share(alpha).max():.3f} on Γ–M",
        verdict_on(agrees(share, 0.5, tolerance)),
    )


@settles("GLYWH-fig2c-beta")
def _fig2c_beta(_: float | None) -> Finding:
    beta = pockets(four_band(), level())["β"]
    share = float(beta.average(x_share(beta)))
    return Finding(f"x²−y² has {share:.3f} of β on average", verdict_on(share > 0.5))


@settles("GLYWH-fig2c-beta-hybridization")
def _fig2c_beta_hybridization(_: float | None) -> Finding:
    beta = pockets(four_band(), level())["β"]
    admixture = 1 - x_share(beta)
    most = beta.points[int(admixture.argmax())] / np.pi
    on_line = bool(np.abs(most - np.round(most)).min() < 0.01)
    return Finding(
        f"z² has {admixture.max():.3f} of the state where β meets M–X, all of it $z_-$, and "
        f"{admixture.min():.3f} on the diagonal",
        verdict_on(on_line, in_full=admixture.max() < 0.5),
    )


@settles("GLYWH-fig2c-beta-cuprate")
def _fig2c_beta_cuprate(_: float | None) -> Finding:
    beta = pockets(four_band(), level())["β"]
    return Finding(
        f"a {beta.kind} pocket round {beta.center} with {2 * beta.area:.3f} holes, as in a cuprate "
        f"with {2 * beta.area - 1:.3f} doped holes per Cu",
        verdict_on(beta.kind == "hole" and beta.center == "M" and beta.area > 0.5),
    )


@settles("GLYWH-fig2c-beta-antibonding")
def _fig2c_beta_antibonding(_: float | None) -> Finding:
    found = pockets(four_band(), level())
    parities = {name: sheet.parity for name, sheet in found.items()}
    odd, _, _, even = four_band().band_energies([np.pi, 0.0])
    # An odd hole pocket round M and an even electron pocket round Γ fix the order at X.
    as_said = parities == {"α": 1, "β": -1, "γ": 1}
    return Finding(
        "β is odd, α and γ are even. The words name the parity: at X the even x band lies "
        f"{even - odd:.3f} eV above the odd one",
        verdict_on(as_said),
    )


@settles("GLYWH-fig2c-gamma")
def _fig2c_gamma(_: float | None) -> Finding:
    gamma = pockets(four_band(), level())["γ"]
    share = 1 - float(gamma.average(x_share(gamma)))
    even = gamma.parity == 1
    return Finding(f"$z_+$ has {share:.3f} of γ", verdict_on(even and share > 0.5))


@settles("GLYWH-fig2c-gamma-density")
def _fig2c_gamma_density(_: float | None) -> Finding:
    mu = level()
    sheets = pockets(four_band(), mu)
    shares = [float(d[2] / d.sum()) for d in (density_of_states(four_band(), m) for m in (mu, MU))]
    speed = {n: float(s.average(np.linalg.norm(s.velocity, axis=1))) for n, s in sheets.items()}
    top = max(p.energy for p in van_hove_points(four_band()) if p.band == 2)
    return Finding(
        f"γ has {shares[0]:.3f} of the states at n = 3, {shares[1]:.3f} at {MU} eV; its speed is "
        f"{speed['γ']:.2f} eV, that of β {speed['β']:.2f} eV; its band ends {top - mu:.3f} eV "
        "above the Fermi level",
        verdict_on(min(shares) > 0.5 and speed["γ"] < 0.5 * min(speed["α"], speed["β"])),
    )


@settles("GLYWH-fig2d-pi-pi-shape")
def _pi_pi_shape(tolerance: float | None) -> Finding:
    mu = level()
    (apart, shape), (apart_printed, shape_printed) = map(mismatch_of_shapes, (mu, MU))
    areas = {name: sheet.area for name, sheet in pockets(four_band(), mu).items()}
    return Finding(
        f"moved by (π, π), α misses γ by {apart:.3f} of their radius (rms) at n = 3, and by "
        f"{shape:.3f} when both are scaled to one area; the areas are {areas['α']:.3f} and "
        f"{areas['γ']:.3f}. At {MU} eV {apart_printed:.3f} and {shape_printed:.3f}",
        verdict_on(not agrees(apart, 0.0, tolerance), in_full=not agrees(shape, 0.0, tolerance)),
    )


@settles("GLYWH-fig4d-pocket")
def _fig4d_gamma(tolerance: float | None) -> Finding:
    top = max(p.energy for p in van_hove_points(four_band()) if p.band == 2)
    electrons = filling(four_band(), top)
    delta, from_printed = electrons - ELECTRONS, electrons - filling(four_band(), MU)
    fits = agrees(delta, PRINTED_DELTA, tolerance)
    return Finding(
        f"γ vanishes at {electrons:.3f} electrons: δ = {delta:.3f} per cell, {delta / 2:.3f} per "
        f"Ni; counted from the filling at {MU} eV, {from_printed:.3f} per cell",
        verdict_on(fits or delta < PRINTED_DELTA, in_full=fits),
    )


def _printed_form(h: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Right side of GLYWH Eq. 20."""
    e = {(i, j): h[..., i - 1, j - 1] for i in range(1, 5) for j in range(1, 5)}
    conjugate = {key: value.conj() for key, value in e.items()}
    root, form = 2**-0.5, np.zeros_like(h)
    form[..., 0, 0], form[..., 2, 2] = e[1, 1], e[3, 3]
    form[..., 0, 1] = root * (e[1, 2] + e[1, 4])
    form[..., 0, 2] = e[1, 3]
    form[..., 0, 3] = root * (e[1, 2] - e[1, 4])
    form[..., 1, 1] = (e[2, 2] + e[2, 4] + conjugate[2, 4] + e[4, 4]) / 2
    form[..., 1, 2] = root * (e[2, 3] + conjugate[3, 4])
    form[..., 2, 3] = root * (conjugate[2, 3] - e[3, 4])
    form[..., 3, 3] = (e[2, 2] - e[2, 4] - conjugate[2, 4] + e[4, 4]) / 2
    for i, j in ((0, 1), (0, 2), (0, 3), (1, 2), (2, 3)):
        form[..., j, i] = form[..., i, j].conj()
    return form
