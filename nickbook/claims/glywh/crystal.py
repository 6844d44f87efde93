"""What GLYWH say of density functional theory, measured on the book's own bands."""

from functools import cache

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.bands import (
    BlochModel,
    FermiSea,
    chemical_potential,
    eight_band,
    fermi_sheets,
    zone_path,
)
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh.bands import (
    RAYS,
    at_three,
    pockets,
    radii,
    refitted,
    root_mean_square,
    x_share,
)
from nickbook.claims.glywh.third_dimension import NICKEL_AXES, nesting_of_model
from nickbook.crystal import (
    ProjectedStates,
    bilayer,
    crystal_model,
    crystal_plane,
    crystal_states,
    wannier_functions,
)
from nickbook.papers import GLYWH

#: Widths in eV over which sheets are smeared to see how much they overlap.
WIDTHS = (0.02, 0.06)
#: Energies in eV round the level over which bands are compared.
NEAR = 0.3
#: Bands of t2g, counted from the lowest of oxygen 2p.
T2G = slice(21, 27)
#: Energy in eV that divides bonding bands of oxygen and z² from antibonding ones.
EDGE = 9.0


@cache
def under_pressure() -> tuple[BlochModel, float]:
    """Own model at 29.5 GPa in three dimensions, and its level at three electrons."""
    model = crystal_model("pressure")
    return model, chemical_potential(model, filling=GLYWH.filling)


@cache
def path() -> tuple[ProjectedStates, Floats]:
    """First-principles states between points of high symmetry, and (kx, ky, kz) of the points.

    The last in units of (1/a, 1/a, 1/c).
    """
    states = crystal_states("pressure", path=True)
    first, second, third = 2 * np.pi * states.momenta.T
    return states, np.stack([first, second, 2 * third - first - second], axis=-1)


def levels(states: ProjectedStates, orbitals: tuple[str, ...]) -> Floats:
    """Mean energy in eV of orbitals over the bands of t2g, e_g and above."""
    weights = np.abs(states.keep(*orbitals).overlaps[:, T2G.start :]) ** 2
    energies = states.energies[:, T2G.start :, None]
    found: Floats = (weights * energies).sum(axis=(0, 1)) / weights.sum(axis=(0, 1))
    return found


def fig1b() -> Numbers:
    """Levels of the d orbitals in eV: distance of e_g from t2g, and how far each set spreads."""
    states, _ = path()
    sets = ("xy", "yz", "xz"), ("x²−y²", "z²")
    low, high = (
        levels(states, tuple(f"{layer} {name}" for layer in "tb" for name in names))
        for names in sets
    )
    return {"apart": float(high.mean() - low.mean()), "spreads": [np.ptp(low), np.ptp(high)]}


def fig1c() -> Numbers:
    """Distance in eV from the level to the bands of t2g below and to those of La above."""
    _, mu = under_pressure()
    (below, above), _ = crystal_states("pressure").eg_windows()
    return {"below": mu - below, "above": above - mu}


def fig1d() -> Numbers:
    """Sheets of one bilayer at three electrons, and the mean share of x²−y² on each."""
    found = pockets(FermiSea.at(bilayer(under_pressure()[0]), filling=GLYWH.filling))
    return {
        "names": list(found),
        "areas": [sheet.area for sheet in found.values()],
        "shares": [float(x_share(sheet).mean()) for sheet in found.values()],
    }


def distances(theirs: Floats, mine: Floats) -> dict[str, float]:
    """Differences in eV where own bands are near the level, as they are and after a shift."""
    off = (theirs - mine)[np.abs(mine) < NEAR]
    return {
        "rms": root_mean_square(off),
        "shifted": float(np.std(off)),
        "worst": float(np.abs(off - off.mean()).max()),
    }


def fig6() -> Numbers:
    """Distances of both printed models from own bands on the plane kz = 0."""
    k = zone_path("ΓXMΓ", 301)[0]
    own, mu = under_pressure()
    mine = crystal_plane(own, 0.0).band_energies(k @ NICKEL_AXES / 2) - mu
    four, three = at_three(), refitted()
    return {
        "four": distances(four.model.band_energies(k) - four.mu, mine),
        # α, β and γ, in the order in which each model has them.
        "three": distances(
            three.model.band_energies(k)[:, [2, 0, 1]] - three.mu, mine[:, [3, 0, 2]]
        ),
        "sheets": [sorted(pockets(sea)) for sea in (four, three)],
        "own": fig1d()["names"],
        "off": [
            abs(float(x_share(pockets(four)[name]).mean()) - share)
            for name, share in zip(fig1d()["names"], fig1d()["shares"], strict=True)
        ],
    }


def fig7a() -> Numbers:
    """Distances of the eight-band model from own bands at all heights of the path."""
    states, k = path()
    own, mu = under_pressure()
    # Two bilayers in a simple cell have the bands at k and at k + (0, 0, 2π/c).
    mine = np.sort(
        np.concatenate(
            [
                own.energies(2 * np.pi * np.add(states.momenta, [0, 0, up])) - mu
                for up in (0.0, 0.5)
            ],
            axis=1,
        )
    )
    model = eight_band()
    level = chemical_potential(model, filling=2 * GLYWH.filling)
    return distances(model.energies(k) - level, mine)


def text_z2_dispersion() -> Numbers:
    """Ranges in eV over kz at Γ of the bands of z² and of x²−y², which do not mix there."""
    own, _ = under_pressure()
    heights = np.linspace(0, 4 * np.pi, 33)
    h = crystal_heights(own, heights)
    x, z = (np.ptp(np.linalg.eigvalsh(h[:, i::2, i::2]), axis=0) for i in (0, 1))
    return {"x": x, "z": z}


def crystal_heights(model: BlochModel, heights: Floats) -> Complexes:
    """Hamiltonians at Γ for each kz in units of 1/c."""
    k = np.stack([0 * heights, 0 * heights, heights / 2], axis=-1)
    return model.hamiltonian(k)


@cache
def small(kz: float, kind: str) -> dict[str, Floats]:
    """Distance in π/a from its centre of each small sheet of a kind on a plane, by its centre."""
    own, mu = under_pressure()
    found = fermi_sheets(crystal_plane(own, kz), mu)
    return {
        s.center: radii(s, RAYS, NICKEL_AXES) for s in found if s.kind == kind and s.area < 0.15
    }


def text_flower() -> Numbers:
    """How far γ reaches at five kz: towards Γ, and at the middle also across and along kx."""
    # Directions in the zone of Ni: 45° is the diagonal, on which Γ and its image at 2π/c lie.
    rays = [int(np.argmin(np.abs(RAYS - angle))) for angle in (-np.pi / 4, np.pi / 4, 0.0)]
    outlines = [small(kz, "hole")["X"][rays] for kz in np.pi * np.arange(5) / 2]
    middle = outlines[2]
    return {
        "towards": [float(r[1]) for r in outlines],
        "diagonal": float(middle[1]),
        "other": float(middle[0]),
        "along": float(middle[2]),
    }


def text_nesting_plane() -> Numbers:
    """Distance of γ from the nearer α moved by (π, π), in π/a, here and in the eight-band model."""
    found = nesting_of_model()
    for name, kz in (("own_zero", 0.0), ("own_pi", np.pi)):
        gamma = small(kz, "hole")["X"]
        found[name] = min(root_mean_square(gamma - r) for r in small(kz, "electron").values())
    return found | {
        "widths": [1000 * width for width in WIDTHS],
        "overlaps": [overlap(0.0, width) - overlap(np.pi, width) for width in WIDTHS],
    }


def overlap(kz: float, width: float) -> float:
    """Return the common part of γ and of α moved by (π, π), both smeared over a width in eV."""
    own, mu = under_pressure()
    axis = 2 * np.pi * np.arange(240) / 240
    # A square of the bilayer lattice that holds Γ and its image at (0, 0, 2π/c) alike.
    x, y = np.meshgrid(2 * axis, axis, indexing="ij")
    sheets = []
    for shift, band in ((0.0, 0), (np.pi, 2)):  # from Γ to M, α crosses first and γ last
        k = np.stack([x + shift, y + shift, (x + y + 2 * shift + kz) / 2], axis=-1)
        sheets.append(np.exp(-0.5 * ((own.energies(k)[..., band] - mu) / width) ** 2))
    gamma, alpha = sheets
    return float((gamma * alpha).mean() / np.sqrt((gamma**2).mean() * (alpha**2).mean()))


def apical_pz() -> Numbers:
    """Split z² at M into even and odd, in eV, with and without the inner p_z."""
    states = crystal_states("pressure")
    model = wannier_functions(states, frozen=states.eg_windows()[0])
    z2 = [model.orbitals.index(f"{layer} z²") for layer in "tb"]
    pz = model.orbitals.index("inner p_z")
    home = model.hoppings[(model.translations == 0).all(axis=1)][0].real
    corner = model.hamiltonian([np.pi, np.pi, np.pi])
    found: Numbers = {"t_pd": abs(home[z2[0], pz]), "direct": abs(home[z2[0], z2[1]])}
    for name, kept in (("whole", range(len(home))), ("without", np.delete(range(len(home)), pz))):
        rows = list(kept)
        energies, vectors = np.linalg.eigh(corner[np.ix_(rows, rows)])
        pair = vectors[[rows.index(i) for i in z2]] / np.sqrt(2)
        # Of each parity, the level with most of z², which is the antibonding one with oxygen.
        even, odd = (
            energies[np.argmax(np.abs(pair[0] + sign * pair[1]) ** 2 * (energies > EDGE))]
            for sign in (1, -1)
        )
        found[name] = float(odd - even)
    return found
