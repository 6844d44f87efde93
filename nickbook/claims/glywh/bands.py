"""What GLYWH's bands and Fermi sheets come to (Figs. 1, 2, 5, 6, App. C)."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.bands import (
    BlochModel,
    FermiSea,
    FermiSheet,
    FourBandParameters,
    ThreeBandParameters,
    chemical_potential,
    chemical_potential_slopes,
    filling,
    four_band,
    three_band,
    van_hove_points,
    zone_mesh,
    zone_path,
)
from nickbook.claims.findings import Numbers
from nickbook.papers import GLYWH

#: The names of Eq. 11 in the order of print.
PRINTED_NAMES = (
    *("epsilon_x", "t11_x", "t11_xy", "t11_xx", "epsilon_z", "t22_x", "t22_xy", "t22_xx"),
    *("s11_0", "s11_x", "s11_xy", "s11_xx", "s22_0", "s22_x", "s22_xy", "s12_xx"),
    *("t12_x", "t12_xx", "s12_x", "s12_xx"),
)
#: Decimals of parameters that are not printed to three.
DECIMALS = {"s13_z": 4}
#: GLYWH Eq. 20: rows t x, +z, b x, −z.
TRANSFORMATION = np.array(
    [[1, 0, 0, 0], [0, 0.5**0.5, 0, 0.5**0.5], [0, 0, 1, 0], [0, 0.5**0.5, 0, -(0.5**0.5)]]
)
RAYS = np.linspace(-np.pi, np.pi, 360, endpoint=False)


@cache
def at_three() -> FermiSea:
    """Four-band model with three electrons a cell."""
    return FermiSea.at(four_band(), filling=GLYWH.filling)


@cache
def as_printed() -> FermiSea:
    """Four-band model at the printed chemical potential."""
    return FermiSea(four_band(), GLYWH.mu)


@cache
def refitted() -> FermiSea:
    """Three-band model at the printed chemical potential."""
    return FermiSea(three_band(), GLYWH.mu_three_band)


def pockets(sea: FermiSea) -> dict[str, FermiSheet]:
    """Fermi sheets under GLYWH's names: β is odd, γ the even hole and α the even electron pocket.

    A sheet of another kind keeps the name of its band.
    """
    names = {(-1, "hole", "M"): "β", (1, "hole", "M"): "γ", (1, "electron", "Γ"): "α"}
    found = {names.get((s.parity, s.kind, s.center), s.name): s for s in sea.sheets}
    return dict(sorted(found.items()))


def areas(sea: FermiSea) -> list[dict[str, Any]]:
    """Name and area of each sheet, by name."""
    return [{"name": name, "area": sheet.area} for name, sheet in pockets(sea).items()]


def x_share(sheet: FermiSheet) -> Floats:
    """Share of x²−y² at each point of a sheet of the four- or three-band model."""
    return np.asarray(sheet.orbital_weights[:, [0, 2]].sum(axis=1))


def gamma_top() -> float:
    """Upper end of the γ band in eV."""
    return max(p.energy for p in van_hove_points(four_band()) if p.band == 2)


def readings(first: float, second: float) -> dict[str, dict[str, float]]:
    """Return what two numbers that are both printed as s12xx may mean."""
    values = {
        "the first is s22xx": (first, second),
        "exchanged": (second, first),
        f"both {first}": (first, first),
        f"both {second}".replace("-", "−"): (second, second),
        "s22xx = 0": (0.0, second),
    }
    return {words: {"s22_xx": s22, "s12_xx": s12} for words, (s22, s12) in values.items()}


def rounding(slopes: Mapping[str, float]) -> tuple[float, float]:
    """Largest and root-mean-square shift of a level by the rounding of parameters, in eV.

    The second takes each error as evenly spread over one unit of the last printed digit.
    """
    moves = [slope * 0.5 * 10.0 ** -DECIMALS.get(name, 3) for name, slope in slopes.items()]
    return float(np.abs(moves).sum()), float(np.linalg.norm(moves) / np.sqrt(3))


def radii(sheet: FermiSheet, angles: Floats, axes: Floats | None = None) -> Floats:
    """Distance of a pocket's line from its centre in given directions, in π/a.

    The coordinates of momentum stand for the rows of `axes` in units of 1/a, if there are any.
    """
    places = (sheet.points - np.array(sheet.center_point)) / np.pi
    places = places if axes is None else places @ axes
    angle, radius = np.arctan2(places[:, 1], places[:, 0]), np.hypot(*places.T)
    order = np.argsort(angle)
    return np.asarray(np.interp(angles, angle[order], radius[order], period=2 * np.pi))


def root_mean_square(values: Floats) -> float:
    """Root of the mean square, as of distances over directions."""
    return float(np.sqrt(np.mean(values**2)))


def mismatch_of_shapes(sea: FermiSea) -> dict[str, float]:
    """Distance of α, moved by (π, π), from γ, over their mean radius: as they are, and scaled."""
    alpha, gamma = (radii(pockets(sea)[name], RAYS) for name in "αγ")
    sizes = root_mean_square(alpha), root_mean_square(gamma)
    scaled = root_mean_square(alpha / sizes[0] - gamma / sizes[1])
    return {"apart": root_mean_square(alpha - gamma) / float(np.mean(sizes)), "scaled": scaled}


def valence() -> Numbers:
    """Electrons of the e_g orbitals of two Ni, from the charges of the formula unit."""
    nickel = (7 * 2 - 3 * 3) / 2  # seven O2− against three La3+, over two Ni
    shell = 10 - nickel  # of the ten valence electrons of Ni, as d electrons
    return {"charge": nickel, "shell": shell, "electrons": 2 * (shell - 6)}


def eq10_square() -> Numbers:
    """Largest change of Eq. 10 in eV under the square's elements and the exchange of the layers.

    A quarter turn changes the sign of x²−y² alone.
    """
    k = np.random.default_rng(10).uniform(-np.pi, np.pi, size=(50, 2))
    h = four_band().hamiltonian(k)
    found: Numbers = {}
    for name, turn, sign in (
        ("turned", [[0, -1], [1, 0]], -1),
        ("reflected", [[1, 0], [0, -1]], 1),
        ("diagonal", [[0, 1], [1, 0]], -1),
    ):
        signs = np.array([sign, 1, sign, 1])
        image = four_band().hamiltonian(k @ np.array(turn).T) * np.outer(signs, signs)
        found[name] = float(np.abs(image - h).max())
    layers = [2, 3, 0, 1]
    found["layers"] = float(np.abs(h[:, layers][:, :, layers] - h).max())
    return found


def eq21_structure() -> Numbers:
    """Eq. 20 without its last row and column against the form of Eq. 21, and their parameters."""
    p, printed = FourBandParameters(), ThreeBandParameters()
    values = {f.name: getattr(p, f.name) for f in fields(printed)}
    for three, four in (
        ("epsilon_z", "s22_0"),
        ("t22_x", "s22_x"),
        ("t22_xy", "s22_xy"),
        ("t22_xx", "s22_xx"),
    ):
        values[three] += getattr(p, four)
    for name in ("x", "xx"):
        mixed = getattr(p, f"t12_{name}") + getattr(p, f"s12_{name}")
        values[f"t12_{name}"] = mixed / np.sqrt(2)
    crossed, k = three_band(ThreeBandParameters(**values)), zone_mesh(16)
    distance = np.abs(crossed.hamiltonian(k) - without_minus_z().hamiltonian(k)).max()
    moved = {name: abs(getattr(printed, name) - value) for name, value in values.items()}
    largest = max(moved, key=lambda name: moved[name])
    return {
        "distance": float(distance),
        "largest": largest,
        "from_four": values[largest],
        "printed": getattr(printed, largest),
        "turned": [n for n, v in values.items() if v * getattr(printed, n) < 0],
    }


def misprints() -> Numbers:
    """Slips of the text as printed and as the equations round them have it."""
    rows = (
        ("below Eq. 11", "(m = 1, 2)", "(m = 0, x, xy, xx)"),
        ("Eq. 23, last operator", "b'z^σ", "b'z²σ"),
        ("Eq. 30, elements", "H11", "Hz,11"),
        ("App. D", "Fig. 7(d–f)", "Fig. 7(c–e)"),
        ("App. C and Fig. 6", "two-band model", "four-band model"),
    )
    return {"slips": [{"place": p, "printed": w, "meant": m} for p, w, m in rows]}


def without_minus_z() -> BlochModel:
    """Four-band model with the row and the column of the antibonding z² orbital crossed out."""
    model, three = four_band(), three_band()
    hoppings = TRANSFORMATION @ model.hoppings @ TRANSFORMATION.T
    return BlochModel(
        "truncated", three.orbitals, model.translations, hoppings[:, :3, :3], mirror=three.mirror
    )


def levels() -> Numbers:
    p = FourBandParameters()
    return {
        "bonding": p.epsilon_z + p.s22_0,
        "antibonding": p.epsilon_z - p.s22_0,
        "bottom": min(point.energy for point in van_hove_points(four_band()) if point.band == 1),
        "level": at_three().mu,
    }


def eq11_names() -> Numbers:
    found = []
    for words, values in readings(0.024, -0.009).items():
        model = four_band(replace(FourBandParameters(), **values))
        (kind,) = (p.kind for p in van_hove_points(model) if p.band == 2 and min(p.point) > 3.14)
        found.append({"words": words, "electrons": filling(model, GLYWH.mu), "kind": kind})
    needed = [item.name for item in fields(FourBandParameters)]
    return {"printed": PRINTED_NAMES, "needed": needed, "readings": found}


def filled(build: Callable[..., BlochModel], parameters: Any, mu: float) -> Numbers:
    """Level of three electrons, electrons at a printed level, and what rounding does to it."""
    slopes = chemical_potential_slopes(build, parameters, GLYWH.filling)
    level, electrons = chemical_potential(build(), GLYWH.filling), filling(build(), mu)
    return {"level": level, "printed": mu, "electrons": electrons, "rounding": rounding(slopes)[0]}


def eq11_filling() -> Numbers:
    return filled(four_band, FourBandParameters(), GLYWH.mu)


def eq22_filling() -> Numbers:
    return filled(three_band, ThreeBandParameters(), GLYWH.mu_three_band)


def eq20() -> Numbers:
    h = four_band().hamiltonian(zone_mesh(12))
    transformed = TRANSFORMATION @ h @ np.linalg.inv(TRANSFORMATION)
    # Odd states hold no z+, even ones no z−.
    minus = sum(s.weights @ (1 - x_share(s)) for s in at_three().sheets if s.parity == -1)
    return {
        "worst": np.abs(transformed - printed_form(h)).max(),
        "minus": minus / at_three().density_of_states().sum(),
    }


def eq20_neglect() -> Numbers:
    full, truncated = pockets(at_three()), pockets(FermiSea(without_minus_z(), at_three().mu))
    (other,) = (s for s in truncated.values() if s.parity == -1)
    before, after = (
        [s.area for s in found.values() if s.parity == 1] for found in (full, truncated)
    )
    return {
        "share": full["β"].average(1 - x_share(full["β"])),
        "full": list(full),
        "truncated": list(truncated),
        "refitted": list(pockets(refitted())),
        "other": {"kind": other.kind, "center": other.center},
        "change": np.abs(np.subtract(before, after)).max(),
    }


def fig6() -> Numbers:
    """Sheets of both models; in eV, distances of the bands that make α, β, γ, and their range."""
    k = zone_path("ΓXMΓ", 601)[0]
    four, three = (
        sea.model.band_energies(k)[:, order] - sea.mu
        for sea, order in ((at_three(), [3, 0, 2]), (refitted(), [2, 0, 1]))
    )
    differences = np.where(np.abs(four) < 0.1, three - four, np.nan)
    return {
        "four": areas(at_three()),
        "three": areas(refitted()),
        "worst": np.nanmax(np.abs(differences), axis=0),
        "spread": np.nanmax(differences) - np.nanmin(differences),
    }


def fig2b() -> Numbers:
    """Mixed parts of Γ–X, with and without the nearest neighbours; couplings in eV on Γ–M."""
    p, k, found = FourBandParameters(), zone_path("ΓX", 801)[0], {}
    for name, parameters in (("mixed", p), ("without", replace(p, t12_x=0.0, s12_x=0.0))):
        lower = (block.bands[0] for block in four_band(parameters).blocks)
        shares = (band.orbital_weights(k)[:, [0, 2]].sum(axis=1) for band in lower)
        found[name] = [((share > 0.2) & (share < 0.8)).mean() for share in shares]
    h = four_band().hamiltonian(zone_path("ΓM", 401)[0])
    return found | {
        "coupling": np.abs(h[:, [0, 0], [1, 3]]).max(),
        "splitting": 2 * np.abs(h[:, 0, 2]).max(),
        "without_signs": 2 * abs(p.s11_0) + 8 * (abs(p.s11_x) + abs(p.s11_xy) + abs(p.s11_xx)),
    }


def fig2c() -> Numbers:
    """Sheets and shares of x²−y²; the least is ``off`` from the lines kx or ky = 0, π, in π/a."""
    seas, found, speed = (at_three(), as_printed()), {}, {}
    for name, sheet in zip(("alpha", "beta", "gamma"), pockets(at_three()).values(), strict=True):
        share = x_share(sheet)
        least = sheet.points[share.argmin()] / np.pi
        found[name] = {
            "mean": sheet.average(share),
            "low": share.min(),
            "high": share.max(),
            "parity": sheet.parity,
            "off": np.abs(least - np.round(least)).min(),
        }
        speed[name] = sheet.average(np.linalg.norm(sheet.velocity, axis=1))
    beta, densities = pockets(at_three())["β"], [sea.density_of_states() for sea in seas]
    # By kind and content: the names of `pockets` would presuppose the parities.
    order = sorted(at_three().sheets, key=lambda s: (s.kind, -float(s.average(x_share(s)))))
    odd, _, _, even = four_band().band_energies([np.pi, 0.0])
    return found | {
        "parities": [s.parity for s in order],
        "odd": odd,
        "even": even,
        "levels": [{"mu": sea.mu, "sheets": areas(sea)} for sea in seas],
        "kind": beta.kind,
        "center": beta.center,
        "holes": 2 * beta.area,
        "shares": [d[2] / d.sum() for d in densities],
        "speed": speed,
        "top": gamma_top() - at_three().mu,
    }


def fig2d_pi_pi_shape() -> Numbers:
    found = {
        "three": mismatch_of_shapes(at_three()),
        "at_printed": mismatch_of_shapes(as_printed()),
    }
    sheets = pockets(at_three())
    return found | {"alpha": sheets["α"].area, "gamma": sheets["γ"].area}


def fig4d_pocket() -> Numbers:
    electrons = filling(four_band(), gamma_top())
    from_printed = electrons - as_printed().filling
    return {
        "electrons": electrons,
        "delta": electrons - GLYWH.filling,
        "from_printed": from_printed,
    }


def printed_form(h: Complexes) -> Complexes:
    """Right side of GLYWH Eq. 20 for matrices of the four-band model, shape (..., 4, 4)."""
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
