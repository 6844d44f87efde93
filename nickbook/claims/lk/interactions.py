"""What LK's Kondo, Hund and pairing interactions come to (Eqs. 6–13)."""

from collections.abc import Callable
from functools import cache, partial
from itertools import product
from typing import Literal

import numpy as np
from scipy import constants
from scipy.optimize import brentq
from scipy.special import expit, log_expit

from nickbook.arrays import Complexes, Floats
from nickbook.bands import FermiSea, eta_k, zone_mesh
from nickbook.claims.findings import Numbers
from nickbook.claims.lk.dimers import (
    DIMER,
    SIZE,
    Form,
    bloch_hopping,
    couplings_of_fig2,
    fig2_dimer,
    fig2_hybridization,
    kappa_of_ratio,
    polarization,
    printed_kappa,
    torus_momenta,
)
from nickbook.claims.lk.gap_ratio import sea_at
from nickbook.dimers import (
    SINGLET,
    HubbardDimer,
    KondoCouplings,
    annihilators,
    band_spins,
    exact_couplings,
    hund_coupling,
    hund_hamiltonian,
    hybridization_for_splitting,
    interaction_hamiltonian,
    kondo_couplings,
    kondo_weights,
    pair_states,
    pairing_constant,
    pairing_enhancement,
    pairing_matrix,
    self_energies,
    spin_operators,
    virtual_paths,
)
from nickbook.dimers.spins import PAULI
from nickbook.pairing import (
    GapFunction,
    TriplonPolarization,
    channel_strengths,
    condensation_energy,
    factorized_gap,
    retarded_pairing,
    triplon_feedback,
    triplon_polarization,
    triplon_width,
)
from nickbook.papers import LK

DEPTHS = (0.1, 0.2, 0.525, 1.0, 2.0)
FORMS: tuple[Form, ...] = ("printed", "heisenberg", "hubbard")


def printed_hund() -> float:
    """J_H (eV) that gives the printed κ with these couplings."""
    return hund_coupling(couplings_of_fig2(), kappa=LK.kappa)


def sea() -> FermiSea:
    """LK's bands at the density of LK Fig. 4(b)."""
    return sea_at(LK.density)


def mean_density_of_states() -> float:
    """Geometric mean of the two densities of states (1/eV per spin and cell)."""
    alpha, beta = sea().sheets
    return float(np.sqrt(alpha.density_of_states * beta.density_of_states))


def kappa_squared_lambda(couplings: KondoCouplings) -> float:
    """κ²λ = (3/2J_c) J_K^a J_K^b √(N_α N_β), in which the Hund coupling cancels."""
    return 1.5 / LK.J_c * couplings.a * couplings.b * mean_density_of_states()


def bandwidth() -> float:
    """Distance (eV) of the highest from the lowest critical point of both bands."""
    return float(np.ptp([p.energy for p in sea().van_hove]))


def kondo_scale() -> float:
    """Estimate D exp(−1/Jρ) of one site's Kondo scale in the η channel (eV).

    D is half the bandwidth, J = 2√(J_K^a J_K^b), and ρ the mean of the two densities of states
    weighted with η².
    """
    couplings = couplings_of_fig2()
    density = np.mean([s.density_of_states * s.average(eta_k(s.points) ** 2) for s in sea().sheets])
    strength = 2 * np.sqrt(couplings.a * couplings.b) * density
    return float(bandwidth() / 2 * np.exp(-1 / strength))


def ladder_scale(J_H: float, mesh: int = 400) -> float:
    """Temperature (eV) at which scattering off one site diverges, summed over the zone.

    Electrons scatter with −2J_H in the constant channel and with J = 2√(J_K^a J_K^b) in that of η,
    and the two mix where the average of η over the bands is not zero.
    """
    couplings, k = couplings_of_fig2(), zone_mesh(mesh)
    xi = np.maximum(np.abs(sea().model.band_energies(k) - sea().mu), 1e-9)
    forms = np.stack([np.ones(k.shape[:-1]), eta_k(k)])
    bare = np.diag([-2 * J_H, 2 * np.sqrt(couplings.a * couplings.b)])

    def excess(temperature: float) -> float:
        pairs = (np.tanh(xi / (2 * temperature)) / (2 * xi)).mean(axis=-1)
        matrix = np.einsum("pxy,qxy,xy->pq", forms, forms, pairs) / mesh**2
        return float(np.linalg.eigvals(bare @ matrix).real.max()) - 1

    return float(brentq(excess, 1e-3, 2.0, xtol=1e-6))


def kondo() -> Numbers:
    """Kondo scales in eV: on the Fermi lines, and over the zone with and without J_H."""
    return {
        "line": kondo_scale(),
        "zone": ladder_scale(printed_hund()),
        "without": ladder_scale(0.0),
        "gap": LK.J_c,
    }


def hund() -> Numbers:
    """Levels of an ion in units of J_H; bandwidth and 2J_H in eV."""
    first, second = spin_operators()
    pairs = [*_couplings_by_depth("heisenberg"), *_couplings_by_depth("hubbard")]
    derived = [2 * hund_coupling(pair, kappa=LK.kappa) for pair in pairs]
    return {
        "derived": [min(derived), max(derived)],
        "energies": np.linalg.eigvalsh(-2 * sum(map(np.matmul, first, second))),
        "width": bandwidth(),
        "splitting": 2 * printed_hund(),
    }


def spin_one() -> Numbers:
    """Hund couplings in eV above which spins align: any of them, and all of a layer."""
    soft = float(hund_polarization().critical_coupling().min())
    return {
        "onset": np.sqrt(soft * 2 * LK.J_c / 3 / mean_density_of_states()),
        "parallel": float(brentq(_parallel_layers, 0.1, 4.0)),
        "antiparallel": float(brentq(_antiparallel_layers, 0.1, 4.0)),
        "printed": printed_hund(),
        "derived": max(hund()["derived"]) / 2,
    }


@cache
def hund_polarization() -> TriplonPolarization:
    """Response of LK's bands to triplons with Hund's vertex alone, on the wedge of the zone."""
    return triplon_polarization(sea(), q=polarization().q, kappa=0.0)


def _parallel_layers(J_H: float, mesh: int = 200, temperature: float = 0.005) -> float:
    """Energy per dimer against singlets, all local spins up, at the filling of the bands."""
    levels = sea().model.band_energies(zone_mesh(mesh)).reshape(-1, 2)

    def bands(field: float) -> float:
        split = np.stack([levels - field / 2, levels + field / 2])

        def surplus(mu: float) -> float:
            return float(expit((mu - split) / temperature).sum()) / len(levels) - 2 * LK.density

        mu = float(brentq(surplus, split.min(), split.max()))
        grand = temperature * log_expit((split - mu) / temperature).sum() / len(levels)
        return float(grand) + mu * 2 * LK.density

    # Two layers with two bonds per site and a quarter of J_ab for each.
    return LK.J_c + LK.J_ab + bands(J_H) - bands(0.0)


def _antiparallel_layers(J_H: float) -> float:
    """Energy per dimer against singlets, the local spins up in one layer and down in the other."""
    coupling = pairing_constant(J_H, J_c=LK.J_c) * mean_density_of_states()
    return float(
        condensation_energy(
            sea(),
            angle=np.pi / 4,
            q=[0.0, 0.0],
            coupling=coupling,
            J_c=LK.J_c,
            J_ab=LK.J_ab,
            mesh=64,
        )
    )


def eq9_paths() -> Numbers:
    """Paths from the singlet to a triplet: of all elements, and of Fig. 1(d)."""
    electrons = [(band, spin) for band in ("beta", "alpha") for spin in ("up", "down")]
    change = {"t+": 1, "t0": 0, "t-": -1}
    found, allowed = [], []
    for triplet, here, there in product(change, electrons, electrons):
        found.append(bool(virtual_paths(("s", " ".join(here)), (triplet, " ".join(there)))))
        flip = (there[1] == "up") - (here[1] == "up")
        allowed.append(here[0] != there[0] and change[triplet] + flip == 0)
    return {
        "elements": len(found),
        "nonzero": sum(found),
        "exceptions": sum(a != b for a, b in zip(found, allowed, strict=True)),
        "paths": list(virtual_paths(("s", "beta up"), ("t+", "alpha down"))),
        "without_flip": list(virtual_paths(("s", "beta up"), ("t+", "alpha up"))),
        "terms": list(kondo_weights()["b"]),
    }


def eq9_form() -> Numbers:
    """Misfit of one site's amplitude from k to k' to η_kη_k', and its spread."""
    hops = bloch_hopping().reshape(SIZE**2, 2, SIZE**2, 2)[:, 0, :, 0]
    # From k to the z orbital at the origin, a sum over its Bloch states, and back.
    onto = hops.sum(axis=0) / SIZE
    back = hops.sum(axis=1) / SIZE
    eta = eta_k(torus_momenta())
    expected = 4 * np.multiply.outer(eta, eta) / SIZE**2
    product = np.multiply.outer(back, onto)
    largest = np.abs(expected).max() / np.sqrt((expected**2).mean())
    return {"misfit": np.abs(product - expected).max(), "largest": largest}


def eq9_antiferromagnetic() -> Numbers:
    forms = [kondo_couplings(t_xz=0.24, E_a=e, variant=f) for e in DEPTHS for f in FORMS]
    exact = exact_couplings(DIMER, 0.5)
    return {
        "smallest": min(min(pair.a, pair.b) for pair in forms),
        "exact": min(exact.kondo_a, exact.kondo_b),
    }


def eq10_paths() -> Numbers:
    dimer = HubbardDimer(t_c=LK.t_c, U=LK.U, level=-1.125)
    exact, derived = _exact_unit(dimer), _unit(dimer, "hubbard")
    heisenberg, hubbard = (kondo_weights(n) for n in (0.5, dimer.bonding_occupation))
    return {
        "with_T": list(heisenberg["a"]),
        "with_T_dagger": list(heisenberg["b"]),
        "exact": [exact.a, exact.b],
        "derived": [derived.a, derived.b],
        "heisenberg": [heisenberg["a"]["b"], heisenberg["b"]["a"]],
        "hubbard": [hubbard["a"]["b"], hubbard["b"]["a"]],
    }


def eq10_addition() -> Numbers:
    # t_c << U, where singlet and triplet have equal energies and equal weights.
    dimer = HubbardDimer(t_c=0.02, U=LK.U, level=-1.52)
    printed, derived = (couplings_of_fig2(form) for form in FORMS[:2])
    return {
        "exact": _exact_unit(dimer).a,
        "printed": _unit(dimer, "printed").a,
        "derived": _unit(dimer, "heisenberg").a,
        "changes": [derived.a / printed.a - 1, derived.b / printed.b - 1],
    }


def eq10_order() -> Numbers:
    dimer = HubbardDimer(t_c=LK.t_c, U=LK.U, level=-(fig2_hybridization().E_a + LK.t_c))
    found = *(couplings_of_fig2(form) for form in FORMS[:2]), _exact_unit(dimer)
    names = "printed", "derived", "exact"
    return {name: pair.a / pair.b for name, pair in zip(names, found, strict=True)}


def eq10_same_reason() -> Numbers:
    found: Numbers = {name: [] for name in ("kondo", "kondo_exact", "shifts", "shifts_exact")}
    for depth in (0.2, 0.525, 1.0):
        shifts = self_energies(t_xz=0.24, E_a=depth, variant="hubbard")
        kondo = kondo_couplings(t_xz=0.24, E_a=depth, variant="hubbard")
        dimer = HubbardDimer(t_c=LK.t_c, U=LK.U, level=-(depth + LK.t_c))
        exact = exact_couplings(dimer, 0.05)
        found["kondo"].append(kondo.a - kondo.b)
        found["kondo_exact"].append(exact.kondo_a - exact.kondo_b)
        found["shifts"].append(shifts.alpha - shifts.beta)
        found["shifts_exact"].append(exact.alpha - exact.beta)
    flat = kondo_couplings(t_xz=0.24, E_a=0.525, t_c=0.0, variant="hubbard")
    level = self_energies(t_xz=0.24, E_a=0.525, t_c=0.0, variant="hubbard")
    return found | {"flat": [flat.a - flat.b, level.alpha - level.beta]}


def eq11() -> Numbers:
    """Take Hund's coupling in first order and hopping of x to z in second, site by site.

    Between the singlet and the triplets of a dimer with one x electron: the coefficients (eV) of
    T·s_αβ and T†·s_αβ, in units of −J_H for Hund's, and the largest element of another form,
    relative.
    """
    v, J_H = 0.1, printed_hund()
    hop, hund, vertical, model = _dimer_with_an_electron()
    energies = np.einsum("si,st,ti->i", model.conj(), vertical, model).real
    outside = np.eye(len(model)) - model @ model.conj().T
    kondo = np.zeros((16, 16), complex)
    for energy in np.unique(energies.round(9)):
        here = np.isclose(energies, energy)
        shifted = vertical - energy * np.eye(len(model))
        paths = hop @ np.linalg.pinv(outside @ shifted @ outside) @ hop
        paths = model.conj().T @ paths @ model
        kondo -= v**2 * (paths * here + here[:, None] * paths) / 2
    parts = [_linear_terms(x) for x in (kondo, -2 * J_H * model.conj().T @ hund @ model)]
    fit = fig2_hybridization()
    derived = kondo_couplings(t_xz=v / 2, E_a=fit.E_a, t_c=LK.t_c, U=LK.U, variant="hubbard")
    return {
        "kondo": parts[0][0],
        "derived": [derived.a, derived.b],
        "hund": [-x / J_H for x in parts[1][0]],
        "rest": [rest for _, rest in parts],
    }


def _dimer_with_an_electron() -> tuple[Complexes, Complexes, Complexes, Complexes]:
    """Hopping of x to z, S·s summed over both sites, the dimer alone, and 16 states as columns.

    Modes are z1, z2, x1, x2 with both spins; the states are the exact singlet and the triplets of
    LK Eq. 7, each with an electron β up, β down, α up or α down.
    """
    c = [mode.toarray() for mode in annihilators(8)]
    orbitals = [c[i : i + 2] for i in (0, 2, 4, 6)]
    z1, z2, x1, x2 = (
        np.array([sum(p[i, j] * x[i].T @ x[j] for i in (0, 1) for j in (0, 1)) for p in PAULI / 2])
        for x in orbitals
    )
    rung = sum(c[i].T @ c[i + 2] for i in (0, 1))
    level = -fig2_hybridization().E_a - LK.t_c
    vertical = -LK.t_c * (rung + rung.T) + level * sum(x.T @ x for x in c[:4])
    vertical += LK.U * sum(c[i].T @ c[i] @ c[i + 1].T @ c[i + 1] for i in (0, 2))
    hop = sum(c[i].T @ c[i + 4] for i in range(4))
    vacuum = np.eye(1, 256)[0]
    covalent = (c[0].T @ c[3].T - c[1].T @ c[2].T) @ vacuum / np.sqrt(2)
    pairs = np.array([covalent, (c[0].T @ c[1].T + c[2].T @ c[3].T) @ vacuum / np.sqrt(2)])
    lowest = np.linalg.eigh(pairs @ vertical @ pairs.T)[1][:, 0]
    dimers = [lowest @ pairs * np.sign(lowest[0]), *((z1 - z2) @ covalent)]
    bands = [(c[4 + s] + sign * c[6 + s]) / np.sqrt(2) for sign in (1, -1) for s in (0, 1)]
    model = np.array([x.T @ dimer for dimer in dimers for x in bands]).T
    hund = (z1 @ x1 + z2 @ x2).sum(axis=0)
    return hop + hop.T, hund, vertical, model


def _linear_terms(block: Complexes) -> tuple[list[float], float]:
    """Coefficients of T·s_αβ and T†·s_αβ between singlet and triplets, and what is left of it."""
    create = np.eye(4)[1:, :, None] * np.eye(4)[0]
    flip = np.kron([[0, 0], [1, 0]], PAULI / 2)
    terms = [
        np.einsum("nab,ncd->acbd", t, flip).reshape(16, 16)
        for t in (create.transpose(0, 2, 1), create)
    ]
    mask = np.kron(np.outer(np.eye(4)[0], 1 - np.eye(4)[0]), np.ones((4, 4)))
    linear = block * (mask + mask.T)
    found = [float((np.vdot(t, linear) / np.vdot(t, t)).real) for t in terms]
    rest = linear - sum(x * (t + t.conj().T) for x, t in zip(found, terms, strict=True))
    return found, float(np.abs(rest).max() / np.abs(linear).max())


def identities() -> Numbers:
    """Errors of Eqs. 8, 12 and 13, and powers of ten above, which rounding does not change."""
    spins = band_spins()
    linear = hund_hamiltonian(1.0, form="linear")
    odd = spins.layer_1 - spins.layer_2 - spins.alpha_beta - spins.beta_alpha
    on_singlet = (hund_hamiltonian(1.0) - linear) @ np.kron(SINGLET, np.eye(16)).T
    # A two-body force within a band would tell a singlet pair from a triplet pair.
    coupling = interaction_hamiltonian(1.0, _even(0.7), _even(1.4))
    singlet, triplet = (
        [np.linalg.norm(coupling @ pair_states(band, spin=spin)) ** 2 for band in ("alpha", "beta")]
        for spin in ("singlet", "triplet")
    )
    matrix, twice = partial(pairing_matrix, 0.1, J_c=LK.J_c), 2 * pairing_constant(0.1, J_c=LK.J_c)
    products = [
        matrix(f_a=_even(a), f_b=_even(b)) / (twice * a * b)
        for a, b in ((0.7, 0.9), (-0.27, 0.56), (-1.0, 1.5))
    ]
    retarded = [
        matrix(offset=x).real / matrix().real * (1 - (x / LK.J_c) ** 2) for x in (0.05, 0.1, 0.2)
    ]
    errors = {
        "eq8": max(np.abs(odd).max(), np.abs(on_singlet).max()),
        "eq12": np.abs(np.subtract(singlet, triplet)).max(),
        "eq13": np.abs(np.subtract(products, 1)).max(),
        "phonon": np.abs(np.subtract(retarded, 1)).max(),
    }
    powers = {name: np.ceil(np.log10(max(e, 1e-14) * 10)) for name, e in errors.items()}
    found: Numbers = {n: {"error": e, "bound": f"1e{powers[n]:.0f}"} for n, e in errors.items()}
    cold = 80 * constants.value("Boltzmann constant in eV/K")
    theory = retarded_pairing(sea(), coupling=LK.coupling, kappa=printed_kappa())
    theory = theory.with_interaction(coupling=theory.critical_coupling(temperature=cold))
    static = factorized_gap(sea(), kappa=LK.kappa, coupling=LK.coupling, cutoff=LK.cutoff)
    found["eq12"]["close"] = _close_bands(static)
    found["eq12"]["retarded"] = _close_bands(theory.gap(temperature=0.3 * cold).gap_function())
    return found


def _close_bands(gap: GapFunction) -> float:
    """Share of the α line on which the bands are closer to each other than both gaps together."""
    alpha = gap.sheets[0]
    eta2 = eta_k(alpha.points) ** 2
    # On both sheets the gap is nearly a straight line in η²; that of β is continued to α's points.
    lines = [
        np.polyfit(eta_k(x.points) ** 2, abs(v), 1)
        for x, v in zip(gap.sheets, gap.values, strict=True)
    ]
    apart = (LK.epsilon_alpha - LK.epsilon_beta) * eta2
    both = sum(np.polyval(line, eta2) for line in lines)
    return float(alpha.average(np.where(apart < both, 1.0, 0.0)))


def eq13_sign() -> Numbers:
    couplings, J_H = couplings_of_fig2(), printed_hund()
    eta, share = _pairs(eta_k)
    kernel = (1 - couplings.a / J_H * eta) * (1 - couplings.b / J_H * eta)
    singlet = pairing_matrix(J_H, J_c=LK.J_c).real
    return {
        "singlet": singlet,
        "constant": singlet / 2 * LK.J_c / J_H**2,  # normalized pairs hold k and −k: it is 2V
        "triplet": abs(pairing_matrix(J_H, J_c=LK.J_c, spin="triplet")),
        "average": (share * kernel).sum(),
        "negative": share[kernel < 0].sum(),
    }


def eq13_dispersion() -> Numbers:
    """Strengths with triplons that disperse over those with flat ones, by channel."""
    alpha, beta = sea().sheets
    transfer = beta.points[None] - alpha.points[:, None]
    ratio = pairing_enhancement(transfer, J_c=LK.J_c, J_ab=LK.J_ab)
    share = np.multiply.outer(alpha.weights, beta.weights)
    changes = []
    for asymmetry in (1.0, eq10_order()["printed"], eq10_order()["exact"]):
        flat, moving = (
            channel_strengths(sea(), kappa=kappa_of_ratio(asymmetry), exchange_ratio=x)
            for x in (0.0, LK.exchange_ratio)
        )
        changes.append([moving[channel] / flat[channel] for channel in ("s±", "d")])
    s_wave, d_wave = np.transpose(changes)
    return {
        "extremes": [ratio.min(), ratio.max()],
        "hund": (share * ratio).sum() / share.sum(),
        "s_wave": s_wave,
        "d_wave": d_wave,
    }


def triplon_damping() -> Numbers:
    """Half width of triplons in units of J_c at λ = 0.5, to which it is proportional."""
    q = zone_mesh(64)[np.tril_indices(33)]  # a wedge of the zone
    width = triplon_width(
        sea(), q=q, coupling=LK.coupling, kappa=printed_kappa(), mesh=96, broadening=0.03
    )
    width = width / LK.J_c
    steps = np.round(32 * q / np.pi)
    images = np.where(steps % 32 == 0, 1, 2).prod(axis=-1) * np.where(np.ptp(steps, axis=-1), 2, 1)
    return {
        "mean": np.average(width, weights=images),
        "wide": np.average(width > 0.5, weights=images),
        "largest": width.max(),
        "place": q[width.argmax()] / np.pi,
    }


def fig4b_one_hund() -> Numbers:
    exact = [kappa_squared_lambda(couplings) for couplings in _couplings_by_depth("hubbard")]
    return {
        "kappa": LK.kappa,
        "coupling": LK.coupling,
        "product": kappa_squared_lambda(couplings_of_fig2()),
        "exact": [min(exact), max(exact)],
        "hund_of_kappa": printed_hund(),
        "hund_of_coupling": np.sqrt(LK.coupling * 2 * LK.J_c / 3 / mean_density_of_states()),
    }


def perturbative() -> Numbers:
    """Feedback of the bands on the triplon at the J_H of κ = 0.75, all and near the Fermi level."""
    J_H = printed_hund()
    feedback = [
        triplon_feedback(J_H, polarization(shell).real, J_c=LK.J_c) for shell in (np.inf, LK.cutoff)
    ]
    hund = hund_polarization().real
    return {
        "ratio": J_H / LK.J_c,
        "coupling": pairing_constant(J_H, J_c=LK.J_c) * mean_density_of_states(),
        "lowest": feedback[0].min(),
        "highest": feedback[0].max(),
        "near": feedback[1].max(),
        "hund": triplon_feedback(J_H, hund, J_c=LK.J_c).max(),
        "cutoff": LK.cutoff,
        "soft": [
            float(x.critical_coupling().min()) for x in map(polarization, (np.inf, LK.cutoff))
        ],
        "weakened": soft_coupling(weakened=True),
    }


def soft_coupling(*, weakened: bool, temperature: float = 0.02, mesh: int = 96) -> float:
    """Smallest λ at which T + T† goes soft, with J_K of second order or as the exact dimer has it.

    On the dimer J_K falls with the |η| of an electron; each of the two takes a square root of that.
    """
    dimer, fit = fig2_dimer(), fig2_hybridization()
    sizes = np.linspace(0.02, 2.0, 34)
    exact = [exact_couplings(dimer, 2 * fit.t_xz * x) for x in sizes]
    falls = [np.sqrt([getattr(e, name) for e in exact]) / sizes for name in ("kondo_a", "kondo_b")]

    def vertex(k: Floats, p: Floats) -> Floats:
        parts = []
        for kappa, fall in zip(printed_kappa(), falls, strict=True):
            form = eta_k(k) * eta_k(p)
            if weakened:
                shares = (np.interp(np.abs(eta_k(x)), sizes, fall / fall[0]) for x in (k, p))
                form = form * np.prod(list(shares), axis=0)
            parts.append(1 - kappa * form)
        return np.asarray(sum(parts) / 2)

    k = zone_mesh(mesh).reshape(-1, 2)
    beta = sea().model.band_energies(k)[:, 1] - sea().mu
    responses = []
    for q in polarization().q:
        alpha = sea().model.band_energies(k + q)[:, 0] - sea().mu
        apart = np.where(np.abs(alpha - beta) < 1e-6, 1e-6, alpha - beta)
        pairs = (expit(-beta / temperature) - expit(-(beta + apart) / temperature)) / apart
        responses.append(float(np.mean(vertex(k, k + q) ** 2 * pairs)))
    return 0.75 * mean_density_of_states() / max(responses)


def _couplings_by_depth(form: Literal["heisenberg", "hubbard"]) -> list[KondoCouplings]:
    """Derive couplings over level depths, each with the size of the band splitting of Fig. 2."""
    splitting, found = LK.epsilon_alpha - LK.epsilon_beta, []
    for depth in DEPTHS:
        t_xz = hybridization_for_splitting(splitting, E_a=depth, variant=form)
        found.append(kondo_couplings(t_xz=t_xz, E_a=depth, variant=form))
    return found


def _exact_unit(dimer: HubbardDimer) -> KondoCouplings:
    """Couplings over v² from exact diagonalization, extrapolated to vanishing hybridization."""
    small, large = (exact_couplings(dimer, v) for v in (0.01, 0.02))
    a, b = (
        (4 * getattr(small, name) / 0.01**2 - getattr(large, name) / 0.02**2) / 3
        for name in ("kondo_a", "kondo_b")
    )
    return KondoCouplings(a, b)


def _unit(dimer: HubbardDimer, variant: Form) -> KondoCouplings:
    """Couplings over v² in one of the forms of `kondo_couplings`."""
    depth = -dimer.level - dimer.t_c
    return kondo_couplings(t_xz=0.5, E_a=depth, t_c=dimer.t_c, U=dimer.U, variant=variant)


def _even(value: float) -> Callable[[int, int], float]:
    """Vertex that does not depend on the signs of the momenta, as 1 − κηη'."""
    return lambda _final, _initial: value


def _pairs(form: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Products of a form factor between the two Fermi lines, and the share of each pair."""
    alpha, beta = sea().sheets
    share = np.multiply.outer(alpha.weights, beta.weights)
    return np.multiply.outer(form(alpha.points), form(beta.points)), share / share.sum()
