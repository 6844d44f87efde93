"""Functions that settle what GLYWH say about nesting, and about pairing by spin fluctuations."""

from functools import cache

import numpy as np
from scipy.ndimage import maximum_filter

from nickbook.arrays import Floats
from nickbook.bands import chemical_potential, four_band
from nickbook.claims.rows import Finding, agrees, settles, verdict_on
from nickbook.pairing import (
    Nesting,
    PairingState,
    PairScattering,
    Susceptibility,
    bare_susceptibility,
    fermi_patches,
    kanamori,
    linearized_gap,
    nesting,
    pair_scattering,
    stoner_point,
)

MODEL = four_band()
PRINTED = 10.0585
TEMPERATURE, MESH = 0.005, 256
#: The paper states no temperature: at this one peaks are wider, and a coarser mesh does.
WIDE, WIDE_MESH = 0.01, 192
#: For pairing, where a coarser mesh has to do.
WARM, WARM_MESH = 0.02, 64
#: From far away towards the Fermi level; the temperature stands for the scale.
SCALES = (0.1, 0.05, WARM)
HUND = 0.1
#: Bands that form the Fermi sheets, as the model numbers them.
SHEETS = {"β": 0, "γ": 2, "α": 3}
COUPLES = [(a, b) for i, a in enumerate("βγα") for b in "βγα"[i:]]
Q2, Q3, M = (np.pi, 0.0), (np.pi / 2, np.pi / 2), (np.pi, np.pi)


@cache
def mu_of(electrons: float) -> float:
    """Chemical potential of a filling per cell."""
    return chemical_potential(MODEL, electrons)


@cache
def chi0_at(mu: float, temperature: float, mesh: int) -> Susceptibility:
    """Bare susceptibility between pairs of orbitals on the same Ni."""
    return bare_susceptibility(MODEL, mu, temperature, mesh)


def on_site(mu: float | None = None, temperature: float = TEMPERATURE) -> Susceptibility:
    """Bare susceptibility on the mesh of its temperature; at three electrons unless μ is given."""
    mesh = MESH if temperature == TEMPERATURE else WIDE_MESH
    return chi0_at(mu_of(3.0) if mu is None else mu, temperature, mesh)


def leading(chi0: Susceptibility) -> Floats:
    """Largest eigenvalue at each momentum of the mesh; reflections leave a quarter of it."""
    half = chi0.mesh // 2
    quarter = np.linalg.eigvalsh(chi0.values[: half + 1, : half + 1])[..., -1]
    fold = np.minimum(np.arange(chi0.mesh), chi0.mesh - np.arange(chi0.mesh))
    whole: Floats = quarter[np.ix_(fold, fold)]
    return whole


def place(chi0: Susceptibility, direction: tuple[float, float], start: float, stop: float) -> float:
    """Position in units of π of the largest eigenvalue on a line from Γ, between two positions."""
    x = np.linspace(start, stop, 1 + round((stop - start) / 0.0025))
    values = np.linalg.eigvalsh(chi0.on(np.pi * x[:, None] * np.array(direction)))[:, -1]
    return float(x[values.argmax()])


#: A maximum is higher than everything this far away, in units of π; ripples of the mesh are not.
REACH = 0.05


def peaks(values: Floats) -> Floats:
    """Maxima of a map on the mesh, in units of π, in the wedge 0 <= y <= x <= 1."""
    half = len(values) // 2
    highest = maximum_filter(values, size=1 + 2 * round(REACH * half), mode="wrap")
    x, y = np.nonzero(values[: half + 1, : half + 1] >= highest[: half + 1, : half + 1] - 1e-9)
    return np.stack([x, y], axis=-1)[x >= y] / half


def line_maxima(values: Floats) -> Floats:
    """Maxima of a map along Γ–X and Γ–M, in units of π.

    The mirrors of the square make the map stationary across these lines: such a point is either a
    peak or a saddle, from which the map rises to both sides.
    """
    half = len(values) // 2
    step, size = np.arange(half + 1), 1 + 2 * round(REACH * half)
    found = []
    for direction in ((1, 0), (1, 1)):
        x, y = np.multiply.outer(direction, step)
        highest = maximum_filter(values[x, y], size=size, mode="mirror")
        places = np.flatnonzero(values[x, y] >= highest - 1e-9)
        found.append(np.multiply.outer(places, direction))
    return np.concatenate(found) / half


def readings() -> dict[str, Floats]:
    """Compute maps that Fig. 2(d) may show, at three electrons per cell."""
    chi0 = bare_susceptibility(MODEL, mu_of(3.0), TEMPERATURE, MESH, pairs="all")
    density = chi0.restricted("density")
    return {
        "matrix of all pairs on a Ni": leading(on_site()),
        "matrix of the four densities": leading(density),
        "matrix with pairs between layers": leading(chi0),
        "sum of all elements": density.total,
        "trace": np.trace(density.values, axis1=-2, axis2=-1).real,
    }


@cache
def modes_at(*points: tuple[float, float], temperature: float = TEMPERATURE) -> Nesting:
    """Leading modes at three electrons and the bands they come from."""
    return nesting(on_site(temperature=temperature), np.array(points))


def shares(point: tuple[float, float], temperature: float = TEMPERATURE) -> dict[str, float]:
    """Share of each pair of bands in the largest eigenvalue."""
    found = modes_at(point, temperature=temperature)
    total = found.eigenvalues[0]
    return {a + b: float(found.between(SHEETS[a], SHEETS[b])[0] / total) for a, b in COUPLES}


def rise(
    point: tuple[float, float],
    *along: tuple[float, float],
    temperature: float = TEMPERATURE,
) -> dict[str, float]:
    """Share of each pair of bands in what makes the point a peak.

    Excess of the mode's response at the point over the mean of both sides, 0.1 π away on each line.
    """
    steps = 0.1 * np.pi * np.array(along)
    q = np.array(point) + np.concatenate([[[0.0, 0.0]], steps, -steps])
    parity = int(modes_at(point, temperature=temperature).parity[0])
    found = nesting(on_site(temperature=temperature), q, parity=parity)
    parts = {a + b: found.between(SHEETS[a], SHEETS[b]) for a, b in COUPLES}
    return {name: float(part[0] - part[1:].mean()) for name, part in parts.items()}


@cache
def peak_of(
    name: str, mu: float | None = None, temperature: float = TEMPERATURE
) -> tuple[float, float]:
    """Momentum of a maximum of the largest eigenvalue near one of the paper's vectors.

    For q1 and q2 along Γ–X, for q3 in the plane.
    """
    chi0 = on_site(mu, temperature)
    if name == "q1":
        return (np.pi * place(chi0, (1, 0), 0.3, 0.6), 0.0)
    if name == "q2":
        return (np.pi * place(chi0, (1, 0), 0.7, 1.0), 0.0)
    found = peaks(leading(chi0))
    x, y = np.pi * found[np.linalg.norm(found - 0.5, axis=1).argmin()]
    return (float(x), float(y))


def drop_across(point: tuple[float, float]) -> float:
    """Height in 1/eV of a point of Γ–X over the points 0.1 π away on both sides of the line."""
    q = np.array([point, (point[0], 0.1 * np.pi)])
    top, side = np.linalg.eigvalsh(on_site().on(q))[:, -1]
    return float(top - side)


@cache
def scattering_at(electrons: float) -> PairScattering:
    """Scattering of pairs on the Fermi sheets at a filling."""
    mu = mu_of(electrons)
    return pair_scattering(fermi_patches(MODEL, mu, 40), chi0_at(mu, WARM, WARM_MESH))


def stoner(channel: str = "spin", electrons: float = 3.0, hund: float = HUND) -> float:
    """Critical U in eV of the random-phase approximation."""
    chi0 = scattering_at(electrons).chi0
    return stoner_point(chi0, kanamori(MODEL.sites, U=1.0, J=hund), channel).scale


def pairing(electrons: float = 3.0, *, U: float, hund: float = HUND) -> dict[str, PairingState]:
    """Leading state of each symmetry channel."""
    states = linearized_gap(scattering_at(electrons), kanamori(MODEL.sites, U=U, J=hund * U))
    return {state.gap.channel: state for state in states}


def between_sheets(U: float) -> dict[str, float]:
    """Average singlet amplitude in eV between two sheets."""
    scattering = scattering_at(3.0)
    patches = scattering.patches
    v = scattering.vertex(kanamori(MODEL.sites, U=U, J=HUND * U))
    v = (v + v[:, patches.minus]) / 2
    names = ["β", "γ", "α"]
    averages = {}
    for i, a in enumerate(names):
        for j, b in enumerate(names[:i]):
            left, right = (patches.weights * (patches.sheet_index == x) for x in (i, j))
            averages[b + a] = float(left @ v @ right / (left.sum() * right.sum()))
    return averages


def _percent(x: float) -> str:
    return f"{100 * x:.0f}%"


def _largest(parts: dict[str, float]) -> str:
    return max(parts, key=lambda name: parts[name])


@settles("GLYWH-fig2d-matrix")
def _matrix(tolerance: float | None) -> Finding:
    wanted = np.array([[0.47, 0.0], [1.0, 0.0], [0.5, 0.5]])
    names = np.array(["q1", "q2", "q3"])

    def near(places: Floats) -> set[str]:
        away = np.linalg.norm(places[:, None] - wanted, axis=-1).min(axis=0)
        return set(names[[agrees(float(d), 0.0, tolerance) for d in away]].tolist())

    words, complete, summits = [], [], []
    for reading, values in readings().items():
        full = near(peaks(values))
        seen = full | near(line_maxima(values))
        complete.append(len(seen) == 3)
        summits.append(len(full) == 3)
        listed = ", ".join(n if n in full else f"{n} as a saddle" for n in sorted(seen))
        words.append(f"{reading}: {listed or 'none'}")
    return Finding(
        f"maxima near q1, q2, q3 at n = 3, T = {1e3 * TEMPERATURE:.0f} meV: {'; '.join(words)}",
        verdict_on(any(complete), in_full=all(summits)),
    )


@settles("GLYWH-fig2d-q1")
def _q1(tolerance: float | None) -> Finding:
    at_three, printed = (peak_of("q1", mu) for mu in (None, PRINTED))
    right, also = (agrees(q[0] / np.pi, 0.47, tolerance) for q in (at_three, printed))
    drop = drop_across(at_three)
    return Finding(
        f"({at_three[0] / np.pi:.3f}π, 0) at three electrons, ({printed[0] / np.pi:.3f}π, 0) at "
        f"the printed μ; across Γ–X, 0.1π away, the map is {abs(drop):.3f}/eV "
        f"{'lower' if drop > 0 else 'higher'}",
        verdict_on(right, in_full=also and drop > 0),
    )


@settles("GLYWH-fig2d-q2")
def _q2(tolerance: float | None) -> Finding:
    at_three, printed = (peak_of("q2", mu)[0] / np.pi for mu in (None, PRINTED))
    right, also = (agrees(x, 1.0, tolerance) for x in (at_three, printed))
    return Finding(
        f"({at_three:.2f}π, 0) at three electrons, ({printed:.2f}π, 0) at the printed μ",
        verdict_on(right, in_full=also),
    )


@settles("GLYWH-fig2d-q3")
def _q3(tolerance: float | None) -> Finding:
    places = {
        "n = 3, 5 meV": peak_of("q3"),
        "n = 3, 10 meV": peak_of("q3", temperature=WIDE),
        "printed μ, 5 meV": peak_of("q3", PRINTED),
    }
    away = [float(np.linalg.norm(np.array(q) / np.pi - 0.5)) for q in places.values()]
    near = [agrees(d, 0.0, tolerance) for d in away]
    words = "; ".join(
        f"({q[0] / np.pi:.2f}π, {q[1] / np.pi:.2f}π) at {case}" for case, q in places.items()
    )
    return Finding(words, verdict_on(any(near), in_full=all(near)))


@settles("GLYWH-fig2d-q2-sheets")
def _q2_sheets(_: float | None) -> Finding:
    parts, parity = shares(Q2), int(modes_at(Q2).parity[0])
    right = _largest(parts) == "βγ" and parts["βγ"] > 0.5
    return Finding(
        f"β–γ gives {_percent(parts['βγ'])} of the largest eigenvalue at (π, 0), whose mode is "
        f"{'odd' if parity < 0 else 'even'} under the mirror",
        verdict_on(right),
    )


@settles("GLYWH-fig2d-q1-sheets")
def _q1_sheets(_: float | None) -> Finding:
    q = peak_of("q1")
    parts, parity = shares(q), int(modes_at(q).parity[0])
    excess = rise(q, (1, 0))
    right = _largest(parts) == "βγ" or _largest(excess) == "βγ"
    return Finding(
        f"the mode is {'odd' if parity < 0 else 'even'} under the mirror and β–γ gives "
        f"{_percent(parts['βγ'])} of it; γ–γ gives {_percent(parts['γγ'])}, and the cusp comes "
        f"from {_largest(excess)[0]}–{_largest(excess)[1]}",
        verdict_on(right),
    )


@settles("GLYWH-fig2d-q3-sheets")
def _q3_sheets(_: float | None) -> Finding:
    words, right = [], []
    for t in (TEMPERATURE, WIDE):
        q = peak_of("q3", temperature=t)
        parts, excess = shares(q, t), rise(q, (1, 1), (1, -1), temperature=t)
        right.append("γα" in (_largest(parts), _largest(excess)))
        words.append(
            f"({q[0] / np.pi:.2f}π, {q[1] / np.pi:.2f}π) at {1e3 * t:.0f} meV: α–γ gives "
            f"{_percent(parts['γα'])} and γ–γ {_percent(parts['γγ'])}; above its surroundings γ–γ "
            f"rises by {excess['γγ']:.3f}/eV, β–β by {excess['ββ']:.3f}/eV, α–γ by "
            f"{round(excess['γα'], 3) + 0.0:.3f}/eV"
        )
    return Finding(". ".join(words), verdict_on(any(right), in_full=all(right)))


@settles("GLYWH-fig2d-pi-pi-weak")
def _weak(_: float | None) -> Finding:
    ratios = []
    for mu in (None, PRINTED):
        values = leading(on_site(mu))
        ratios.append(float(values[MESH // 2, MESH // 2] / values.max()))
    others = [float(modes_at(peak_of(name)).eigenvalues[0]) for name in ("q1", "q2", "q3")]
    weak = ratios[0] * leading(on_site()).max() < min(others)
    return Finding(
        f"{ratios[0]:.2f} of the highest value at three electrons, "
        f"{'' if weak else 'not '}below all three peaks; {ratios[1]:.2f} at the printed μ",
        verdict_on(weak, in_full=ratios[1] < 0.95),
    )


@settles("GLYWH-fig2d-pi-pi-sheets")
def _pi_pi_sheets(_: float | None) -> Finding:
    parts = shares(M)
    right = _largest(parts) == "γα" and parts["γα"] > 0.5
    return Finding(
        f"α–γ gives {_percent(parts['γα'])} of the largest eigenvalue at (π, π)",
        verdict_on(right),
    )


@settles("GLYWH-fig3-sdw")
def _sdw(_: float | None) -> Finding:
    spin, charge = stoner("spin"), stoner("charge")
    return Finding(
        f"at J/U = {HUND}, T = 20 meV the spin channel diverges at U = {spin:.2f} eV, the charge "
        f"channel at {charge:.2f} eV",
        verdict_on(spin < charge and np.isfinite(spin)),
    )


@settles("GLYWH-fig3-sdw2")
def _sdw2(tolerance: float | None) -> Finding:
    found = {}
    for temperature in SCALES:
        chi0 = chi0_at(mu_of(3.0), temperature, WARM_MESH)
        point = stoner_point(chi0, kanamori(MODEL.sites, U=1.0, J=HUND))
        folded = np.abs((np.array(point.q) + np.pi) % (2 * np.pi) - np.pi) / np.pi
        found[temperature] = np.sort(folded)[::-1]
    q2 = [agrees(float(np.linalg.norm(q - [1, 0])), 0.0, tolerance) for q in found.values()]
    words = ", ".join(f"({q[0]:.2f}π, {q[1]:.2f}π) at {1e3 * t:.0f} meV" for t, q in found.items())
    return Finding(
        f"first to diverge at J/U = {HUND}: {words}", verdict_on(any(q2), in_full=all(q2))
    )


@settles("GLYWH-fig3c-leading")
def _leading(_: float | None) -> Finding:
    at_three = pairing(U=0.8 * stoner())
    doped = pairing(3.2, U=0.8 * stoner(electrons=3.2, hund=0.2), hund=0.2)
    orders = [ranked(found) for found in (at_three, doped)]
    here, there = (
        ", ".join(f"{c} {found[c].eigenvalue:.3f}" for c in order)
        for found, order in zip((at_three, doped), orders, strict=True)
    )
    return Finding(
        f"RPA at n = 3, J/U = {HUND}, 0.8 of the critical U: {here}; at n = 3.2, J/U = 0.2: "
        f"{there}",
        verdict_on("A1" in (order[0] for order in orders), in_full=orders[0][:2] == ["A1", "B1"]),
    )


def ranked(states: dict[str, PairingState]) -> list[str]:
    """Symmetry channels, the strongest first."""
    return sorted(states, key=lambda c: -states[c].eigenvalue)


@settles("GLYWH-fig3c-signs")
def _signs(_: float | None) -> Finding:
    here = pairing(U=0.8 * stoner())["A1"].gap
    there = pairing(3.2, U=0.8 * stoner(electrons=3.2, hund=0.2), hund=0.2)["A1"].gap
    words, opposite, constant = [], [], []
    for gap in (here, there):
        beta, gamma, alpha = gap.signs()
        changes = gap.sign_changes()
        opposite.append(beta * gamma < 0)
        constant.append(changes[0] == changes[1] == 0)
        words.append(
            f"average signs β {beta:+d}, γ {gamma:+d}, α {alpha:+d}, sign changes round them "
            f"{changes[0]}, {changes[1]}, {changes[2]}"
        )
    return Finding(
        f"best A1 state of RPA at n = 3, J/U = {HUND}: {words[0]}; at n = 3.2, J/U = 0.2, where it "
        f"leads: {words[1]}",
        verdict_on(opposite[0], in_full=all(opposite) and all(constant)),
    )


@settles("GLYWH-fig3b-scattering")
def _scattering(_: float | None) -> Finding:
    averages = between_sheets(0.8 * stoner())
    right = _largest(averages) == "βγ" and averages["βγ"] > 0
    words = ", ".join(f"{name[0]}–{name[1]} {v:.2f}" for name, v in averages.items())
    return Finding(
        f"average singlet amplitude in eV at 0.8 of the critical U: {words}",
        verdict_on(right),
    )


@settles("GLYWH-doping-enhances")
def _doping(_: float | None) -> Finding:
    U = 0.8 * stoner()
    found = {n: pairing(n, U=U) for n in (3.0, 3.1)}
    grows = found[3.1]["A1"].eigenvalue > found[3.0]["A1"].eigenvalue
    first = [ranked(states)[0] for states in found.values()]
    values = [f"{states['A1'].eigenvalue:.3f}" for states in found.values()]
    tops = [f"{s[c].eigenvalue:.3f} ({c})" for s, c in zip(found.values(), first, strict=True)]
    return Finding(
        f"at U = {U:.2f} eV, from n = 3 to 3.1, λ of the best A1 state goes from {values[0]} to "
        f"{values[1]}, the largest λ from {tops[0]} to {tops[1]}",
        verdict_on(grows, in_full=first == ["A1", "A1"]),
    )
