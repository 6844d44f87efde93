"""What LK's Kondo, Hund and pairing interactions come to (Eqs. 6–13)."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Literal

import numpy as np

from nickbook.arrays import Floats
from nickbook.bands import FermiSea, eta_k, zone_mesh
from nickbook.claims.findings import Numbers
from nickbook.claims.lk.dimers import (
    DIMER,
    SIZE,
    bloch_hopping,
    fig2_hybridization,
    torus_momenta,
)
from nickbook.claims.lk.gap_ratio import sea_at
from nickbook.dimers import (
    SINGLET,
    HubbardDimer,
    KondoCouplings,
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
    triplon_creators,
    virtual_paths,
)
from nickbook.pairing import bare_susceptibility, factorized_gap, triplon_feedback
from nickbook.papers import LK

DEPTHS = (0.1, 0.2, 0.525, 1.0, 2.0)
Form = Literal["printed", "heisenberg", "hubbard"]
FORMS: tuple[Form, ...] = ("printed", "heisenberg", "hubbard")


def couplings_of_fig2(form: Form = "printed") -> KondoCouplings:
    """J_K of LK Eq. 10 for the level depth and hopping that LK Eq. 3 gives Fig. 2."""
    fit = fig2_hybridization()
    return kondo_couplings(t_xz=fit.t_xz, E_a=fit.E_a, t_c=LK.t_c, U=LK.U, variant=form)


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


def hund() -> Numbers:
    """Levels of an ion in J_H; in eV bandwidth, 2J_H, and what the Kondo effect has against it."""
    first, second = spin_operators()
    pairs = [*_couplings_by_depth("heisenberg"), *_couplings_by_depth("hubbard")]
    derived = [2 * hund_coupling(pair, kappa=LK.kappa) for pair in pairs]
    return {
        "derived": [min(derived), max(derived)],
        "energies": np.linalg.eigvalsh(-2 * sum(map(np.matmul, first, second))),
        "width": bandwidth(),
        "splitting": 2 * printed_hund(),
        "overlap": max(abs(s.average(eta_k(s.points))) for s in sea().sheets),
        "scale": kondo_scale(),
        "gap": LK.J_c,
    }


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


def identities() -> Numbers:
    """Errors of Eqs. 8 and 11 to 13, and powers of ten above, which rounding does not change."""
    spins, create = band_spins(), triplon_creators()
    linear = hund_hamiltonian(1.0, form="linear")
    odd = spins.layer_1 - spins.layer_2 - spins.alpha_beta - spins.beta_alpha
    on_singlet = (hund_hamiltonian(1.0) - linear) @ np.kron(SINGLET, np.eye(16)).T
    triplon = create + create.conj().transpose(0, 2, 1)
    half = -np.sum(list(map(np.kron, triplon, spins.alpha_beta)), axis=0)
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
        "eq11": np.abs(half + half.conj().T - linear).max(),
        "eq12": np.abs(np.subtract(singlet, triplet)).max(),
        "eq13": np.abs(np.subtract(products, 1)).max(),
        "phonon": np.abs(np.subtract(retarded, 1)).max(),
    }
    alpha, _ = sea().sheets
    gap = factorized_gap(sea(), kappa=LK.kappa, coupling=LK.coupling, cutoff=LK.cutoff)
    # On both sheets the gap is a straight line in η²; that of β is continued to the line of α.
    lines = [
        np.polyfit(eta_k(x.points) ** 2, abs(v), 1)
        for x, v in zip(gap.sheets, gap.values, strict=True)
    ]
    mine, other = (np.polyval(line, eta_k(alpha.points) ** 2) for line in lines)
    apart = (LK.epsilon_alpha - LK.epsilon_beta) * eta_k(alpha.points) ** 2
    powers = {name: np.ceil(np.log10(max(e, 1e-14) * 10)) for name, e in errors.items()}
    found: Numbers = {n: {"error": e, "bound": f"1e{powers[n]:.0f}"} for n, e in errors.items()}
    found["eq12"]["close"] = alpha.average(np.where(apart < mine + other, 1.0, 0.0))
    return found


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
    alpha, beta = sea().sheets
    eta2, share = _pairs(lambda points: eta_k(points) ** 2)
    transfer = beta.points[None] - alpha.points[:, None]
    ratio = pairing_enhancement(transfer, J_c=LK.J_c, J_ab=LK.J_ab)
    return {
        "extremes": [ratio.min(), ratio.max()],
        "constant": (share * ratio).sum(),
        "kondo": (share * eta2 * ratio).sum() / (share * eta2).sum(),
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
    J_H, wedge = printed_hund(), zone_mesh(32)[np.tril_indices(17)]
    chi = bare_susceptibility(sea(), temperature=0.02, mesh=96, pairs=[(0, 1)])
    feedback = triplon_feedback(J_H, chi.on(wedge)[..., 0, 0].real, J_c=LK.J_c)
    coupling = pairing_constant(J_H, J_c=LK.J_c) * mean_density_of_states()
    found = {"ratio": J_H / LK.J_c, "coupling": coupling}
    return found | {"lowest": feedback.min(), "highest": feedback.max()}


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
