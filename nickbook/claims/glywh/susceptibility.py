"""What GLYWH's nesting, and pairing by the spin fluctuations of their model, come to."""

from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea, FourBandParameters, four_band
from nickbook.claims.findings import Numbers
from nickbook.claims.glywh.bands import as_printed, at_three, readings
from nickbook.pairing import (
    Nesting,
    PairingState,
    PairScattering,
    Susceptibility,
    bare_susceptibility,
    kanamori,
    linearized_gap,
    nesting,
    pair_scattering,
    stoner_point,
)
from nickbook.pairing.rpa import largest_eigenvalues, line_maxima, peaks
from nickbook.papers import GLYWH

COLD, WIDE, WARM = 0.005, 0.01, 0.02
#: Momenta along the zone by temperature: the paper states none, and where peaks are wider a coarser
#: mesh does.  At 20 meV, where pairs are looked for, it has to do.
MESHES = {COLD: 256, WIDE: 192}
#: From far away towards the Fermi level; the temperature stands for the scale.
SCALES = (0.1, 0.05, WARM)
HUND = GLYWH.J / GLYWH.U
#: Share of the critical repulsion at which pairs are looked for.
SHARE = 0.8
#: Bands that form the Fermi sheets, as the model numbers them, and the pairs of them.
SHEETS = {"β": 0, "γ": 2, "α": 3}
COUPLES = [(a, b) for i, a in enumerate("βγα") for b in "βγα"[i:]]
#: Momenta in units of π.
VECTORS = {"q1": (0.47, 0.0), "q2": (1.0, 0.0), "q3": (0.5, 0.5), "M": (1.0, 1.0)}

Place = tuple[float, float]


@lru_cache(maxsize=4)
def chi0_at(sea: FermiSea, temperature: float = COLD) -> Susceptibility:
    """Bare susceptibility between pairs of orbitals on the same Ni, on the temperature's mesh."""
    return bare_susceptibility(sea, temperature=temperature, mesh=MESHES.get(temperature, 64))


def heights(chi0: Susceptibility, *places: Place) -> Floats:
    """Largest eigenvalue in 1/eV at momenta in units of π."""
    return np.asarray(np.linalg.eigvalsh(chi0.on(np.pi * np.array(places)))[:, -1])


def place(chi0: Susceptibility, start: float, stop: float) -> float:
    """Position in units of π of the largest eigenvalue on Γ–X, between two positions."""
    x = np.linspace(start, stop, 1 + round((stop - start) / 0.0025))
    return float(x[heights(chi0, *((float(v), 0.0) for v in x)).argmax()])


@cache
def peak_of(name: str, sea: FermiSea | None = None, temperature: float = COLD) -> Place:
    """Maximum near one of the paper's vectors, in units of π; at three electrons unless given.

    For q1 and q2 along Γ–X, for q3 in the plane.
    """
    chi0 = chi0_at(sea or at_three(), temperature)
    if name in ("q1", "q2"):
        return (place(chi0, *((0.3, 0.6) if name == "q1" else (0.7, 1.0))), 0.0)
    found = peaks(largest_eigenvalues(chi0))
    x, y = found[np.linalg.norm(found - VECTORS["q3"], axis=1).argmin()]
    return (float(x), float(y))


def origin(point: Place, *along: Place, temperature: float = COLD) -> Numbers:
    """Which pairs of bands make the largest eigenvalue at a point, and which make it a peak.

    The rise is the excess of the mode's response at the point over the mean of both sides, 0.1 π
    away on each line that is named.
    """
    chi0, center = chi0_at(at_three(), temperature), np.array([point])
    mode = nesting(chi0, np.pi * center)

    def parts(found: Nesting) -> dict[str, Floats]:
        return {a + b: found.between(SHEETS[a], SHEETS[b]) for a, b in COUPLES}

    share = {name: float(x[0] / mode.eigenvalues[0]) for name, x in parts(mode).items()}
    parity = int(mode.parity[0])
    found = {"parity": parity, "share": share, "largest": max(share, key=share.__getitem__)}
    if not along:
        return found
    steps = 0.1 * np.array(along)
    places = np.concatenate([center, center + steps, center - steps])
    sides = parts(nesting(chi0, np.pi * places, parity=parity))
    rise = {name: float(x[0] - x[1:].mean()) for name, x in sides.items()}
    return found | {"rise": rise, "cusp": max(rise, key=rise.__getitem__)}


@lru_cache(maxsize=8)
def scattering_at(
    model: BlochModel, filling: float, temperature: float = WARM, mesh: int = 64, points: int = 40
) -> PairScattering:
    """Scattering of pairs on the Fermi sheets of a model at a filling."""
    sea = FermiSea.at(model, filling=filling)
    chi0 = bare_susceptibility(sea, temperature=temperature, mesh=mesh)
    return pair_scattering(sea.patches(points), chi0)


def critical(scattering: PairScattering, hund: float = HUND, channel: str = "spin") -> float:
    """Critical U in eV of the random-phase approximation at a ratio J/U."""
    interaction = kanamori(scattering.patches.model.sites, U=1.0, J=hund)
    return stoner_point(scattering.chi0, interaction, channel).scale


@cache
def rpa_state(
    model: BlochModel, filling: float, *, share: float = SHARE, hund: float = HUND, **sizes: Any
) -> tuple[PairingState, ...]:
    """Pairing by fluctuations close to their divergence: the best state of each symmetry channel.

    U is a share of the repulsion at which the spin channel diverges, and `hund` is J/U; `sizes`
    are those of `scattering_at`.
    """
    scattering = scattering_at(model, filling, **sizes)
    U = share * critical(scattering, hund)
    return tuple(linearized_gap(scattering, kanamori(model.sites, U=U, J=hund * U)))


def best_a1(states: tuple[PairingState, ...]) -> PairingState:
    """State that keeps all symmetries of the square."""
    return next(state for state in states if state.gap.representation == "A1")


def between_sheets(electrons: float, U: float) -> dict[str, float]:
    """Average singlet amplitude in eV between two sheets, or within γ, at J/U = 0.1."""
    scattering = scattering_at(four_band(), electrons)
    patches = scattering.patches
    v = scattering.vertex(kanamori(patches.model.sites, U=U, J=HUND * U))
    v = (v + v[:, patches.minus]) / 2
    sheets = {name: patches.weights * (patches.sheet_index == i) for i, name in enumerate("βγα")}
    return {
        a + b: float(sheets[a] @ v @ sheets[b] / (sheets[a].sum() * sheets[b].sum()))
        for a, b in ("βγ", "βα", "γα", "γγ")
    }


def fig2d_matrix() -> Numbers:
    chi0 = bare_susceptibility(at_three(), temperature=COLD, mesh=MESHES[COLD], pairs="all")
    density = chi0.restricted("density")
    readings = {
        "matrix of all pairs on a Ni": largest_eigenvalues(chi0_at(at_three())),
        "matrix of the four densities": largest_eigenvalues(density),
        "matrix with pairs between layers": largest_eigenvalues(chi0),
        "sum of all elements": density.density_response,
        "trace": np.trace(density.values, axis1=-2, axis2=-1).real,
    }
    wanted = np.array([VECTORS[name] for name in ("q1", "q2", "q3")])
    return {"meV": 1e3 * COLD, "readings": list(readings)} | {
        where: [
            np.linalg.norm(maxima(values)[:, None] - wanted, axis=-1).min(axis=0)
            for values in readings.values()
        ]
        for where, maxima in (("peaks", peaks), ("lines", line_maxima))
    }


def eq11_reading() -> Numbers:
    """Distance in π of q1, q2 and q3 from a maximum, of the map or of a line, by reading of Eq. 11.

    The readings are those of the name that is printed twice.
    """
    wanted = np.array([VECTORS[name] for name in ("q1", "q2", "q3")])
    found = []
    for words, values in readings(0.024, -0.009).items():
        model = four_band(replace(FourBandParameters(), **values))
        chi0 = chi0_at(FermiSea.at(model, filling=GLYWH.filling))
        heights = largest_eigenvalues(chi0)
        places = np.concatenate([peaks(heights), line_maxima(heights)])
        away = np.linalg.norm(places[:, None] - wanted, axis=-1).min(axis=0)
        found.append({"words": words, "away": float(away.max())})
    return {"readings": found}


def fig2d_peaks() -> Numbers:
    """Where the peaks are, how high each is and how high M, over the highest value of the map."""
    found: Numbers = {}
    for case, sea in (("three", at_three()), ("printed", as_printed())):
        places = {name: peak_of(name, sea) for name in ("q1", "q2", "q3")}
        levels = heights(chi0_at(sea), *places.values(), VECTORS["M"])
        levels = levels / largest_eigenvalues(chi0_at(sea)).max()
        found[case] = places | {"peaks": levels[:3], "M": levels[3]}
    x = found["three"]["q1"][0]
    top, side = heights(chi0_at(at_three()), (x, 0.0), (x, 0.1))
    places = {
        "n = 3, 5 meV": found["three"]["q3"],
        "n = 3, 10 meV": peak_of("q3", None, WIDE),
        "printed μ, 5 meV": found["printed"]["q3"],
    }
    away = np.linalg.norm(np.subtract(list(places.values()), VECTORS["q3"]), axis=1)
    cases = {"cases": list(places), "places": list(places.values()), "away": away}
    return found | cases | {"drop": top - side}


def fig2d_sheets() -> Numbers:
    found = []
    for temperature in (COLD, WIDE):
        q = peak_of("q3", None, temperature)
        parts = origin(q, (1, 1), (1, -1), temperature=temperature)
        found.append(parts | {"meV": 1e3 * temperature, "q": q})
    return {
        "q1": origin(peak_of("q1"), (1, 0)),
        "q2": origin(VECTORS["q2"]),
        "M": origin(VECTORS["M"]),
        "peaks": found,
    }


def fig3_sdw() -> Numbers:
    scattering = scattering_at(four_band(), GLYWH.filling)
    interaction = kanamori(four_band().sites, U=1.0, J=HUND)
    q = np.array([stoner_point(chi0_at(at_three(), t), interaction).q for t in SCALES])
    places = np.sort(np.abs((q + np.pi) % (2 * np.pi) - np.pi) / np.pi, axis=1)[:, ::-1]
    return {
        "spin": critical(scattering),
        "charge": critical(scattering, channel="charge"),
        "meV": 1e3 * np.array(SCALES),
        "places": places,
        "away": np.linalg.norm(places - VECTORS["q2"], axis=1),
    }


def fig3c_states() -> Numbers:
    def found(electrons: float, hund: float) -> Numbers:
        states = rpa_state(four_band(), electrons, hund=hund)
        a1 = best_a1(states).gap
        return {
            "hund": hund,
            "channels": [s.gap.representation for s in states],
            "strengths": [s.eigenvalue for s in states],
            "signs": a1.signs(),
            "changes": a1.sign_changes(),
        }

    return {"share": SHARE, "three": found(GLYWH.filling, HUND), "doped": found(3.2, 0.2)}


def fig3b_scattering() -> Numbers:
    U = SHARE * critical(scattering_at(four_band(), GLYWH.filling))
    found = {"three": GLYWH.filling, "doped": 3.2}
    return {"share": SHARE} | {name: between_sheets(n, U) for name, n in found.items()}


def doping_enhances() -> Numbers:
    """Pairing at n = 3 and 3.1 with the same repulsion."""
    here, there = (critical(scattering_at(four_band(), n)) for n in (GLYWH.filling, 3.1))
    U, model = SHARE * here, four_band()
    found = [rpa_state(model, GLYWH.filling), rpa_state(model, 3.1, share=U / there)]
    return {
        "U": U,
        "A1": [best_a1(states).eigenvalue for states in found],
        "largest": [states[0].eigenvalue for states in found],
        "channels": [states[0].gap.representation for states in found],
    }
