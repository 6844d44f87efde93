"""What LK's dimers, triplons and self-energies come to (Eqs. 1–5 and 7)."""

from collections.abc import Iterable
from functools import cache
from typing import Literal

import numpy as np

from nickbook.arrays import Complexes, Floats
from nickbook.bands import FermiSea, FourBandParameters, conduction_bands, eta_k, zone_mesh
from nickbook.claims.findings import Numbers
from nickbook.claims.lk.gap_ratio import sea_at
from nickbook.crystal import bilayer, crystal_model
from nickbook.dimers import (
    SINGLET,
    HubbardDimer,
    Hybridization,
    KondoCouplings,
    exact_couplings,
    exact_triplons,
    exchange_constant,
    hybridization_from_bands,
    kondo_couplings,
    self_energies,
    self_energy_weights,
    spectral_poles,
    spin_from_triplons,
    spin_operators,
    triplon_bosons,
    triplon_creators,
    triplon_dispersion,
    triplon_structure_factor,
    virtual_energies,
)
from nickbook.pairing import TriplonPolarization, triplets_of_bands, triplon_polarization
from nickbook.papers import LK

Form = Literal["printed", "heisenberg", "hubbard"]
#: J_ab/J_c where the dimer phase ends, from quantum Monte Carlo (Wang, Beach and Sandvik 2006).
MONTE_CARLO = 1 / 2.522
DIMER = HubbardDimer(t_c=LK.t_c, U=LK.U, level=-1.1)  # E_a = 0.5 eV
SIZE = 6
#: Values of λ in LK Figs. 3(b) and 4(b).
COUPLINGS = (0.3, LK.coupling, 0.6)


@cache
def fig2_hybridization() -> Hybridization:
    """Level depth and hopping for which the printed LK Eq. 3 gives the bands of LK Fig. 2."""
    return hybridization_from_bands(LK.epsilon_alpha, LK.epsilon_beta, t_c=LK.t_c, U=LK.U)


def couplings_of_fig2(form: Form = "printed") -> KondoCouplings:
    """J_K of LK Eq. 10 for the level depth and hopping that LK Eq. 3 gives Fig. 2."""
    fit = fig2_hybridization()
    return kondo_couplings(t_xz=fit.t_xz, E_a=fit.E_a, t_c=LK.t_c, U=LK.U, variant=form)


def kappa_of_ratio(ratio: float) -> tuple[float, float]:
    """κ_a and κ_b of a ratio κ_a/κ_b, with the κ = √(κ_a κ_b) of LK Fig. 4(b)."""
    root = float(np.sqrt(ratio))
    return LK.kappa * root, LK.kappa / root


def printed_kappa() -> tuple[float, float]:
    """κ_a and κ_b with the κ of LK Fig. 4(b) and the ratio of LK Eqs. 3 and 10 as printed."""
    couplings = couplings_of_fig2()
    return kappa_of_ratio(couplings.a / couplings.b)


@cache
def polarization(shell: float = np.inf) -> TriplonPolarization:
    """Response of LK's bands to triplons with the vertices of LK Eq. 11, on a wedge of the zone.

    Only electrons within `shell` (eV) of the Fermi level take part.
    """
    wedge = zone_mesh(32)[np.tril_indices(17)]
    return triplon_polarization(sea_at(LK.density), q=wedge, kappa=printed_kappa(), shell=shell)


def torus_momenta() -> Floats:
    """Momenta of a square torus of `SIZE` sites a side, shape (SIZE², 2)."""
    return 2 * np.pi * np.stack(np.divmod(np.arange(SIZE**2), SIZE), axis=-1) / SIZE


def bloch_hopping(t_xz: float = 1.0) -> Complexes:
    """Matrix (eV) of the bonds of LK Eq. 1 between Bloch states of x and of z on a bilayer torus.

    Rows and columns are the momenta of `torus_momenta`, each with its even and its odd state.
    """
    one = np.eye(SIZE)
    ring = np.roll(one, 1, axis=0) + np.roll(one, -1, axis=0)
    bonds = np.kron(np.kron(ring, one) - np.kron(one, ring), np.eye(2))
    waves = np.exp(2j * np.pi * np.outer(np.arange(SIZE), np.arange(SIZE)) / SIZE)
    states = np.kron(np.kron(waves, waves), [[1, 1], [1, -1]]) / (SIZE * np.sqrt(2))
    return np.asarray(states.conj().T @ (t_xz * bonds) @ states)


def fig2_dimer() -> HubbardDimer:
    """LK's dimer at the depth behind LK Fig. 2."""
    return HubbardDimer(t_c=LK.t_c, U=LK.U, level=-fig2_hybridization().E_a - LK.t_c)


def virtual_terms(occupation: float | None = None) -> dict[str, dict[str, tuple[float, float]]]:
    """Weight and energy (eV) of each virtual state of α and of β, at the depth behind LK Fig. 2.

    A positive weight removes an electron from the dimer, a negative one adds one.  The states are
    those of the exact singlet, or of one in which b holds another number of electrons per spin;
    the energies of that one leave out the exchange, as LK do.
    """
    dimer = fig2_dimer()
    occupied = dimer.bonding_occupation if occupation is None else occupation
    energies = virtual_energies(dimer, start="singlet" if occupation is None else "triplet")
    weights = self_energy_weights(occupied)
    return {
        band: {state: (w, energies[state]) for state, w in weights[band].items()}
        for band in ("alpha", "beta")
    }


def addition_share(terms: Iterable[tuple[float, float]]) -> float:
    """Sum of weight over energy of the terms that add an electron over that of the others."""
    parts = [(w > 0, abs(w) / energy) for w, energy in terms]
    removal = sum(part for removes, part in parts if removes)
    return sum(part for removes, part in parts if not removes) / removal


def share_without_electron(mesh: int = 64) -> float:
    """Share of dimers that have lost one electron to an empty band state of LK Fig. 2.

    Norm of the virtual states in second order of the hopping, both spins, on mesh² momenta.
    """
    k = zone_mesh(mesh)
    xi = conduction_bands().band_energies(k) - LK.mu
    strength = (2 * fig2_hybridization().t_xz * eta_k(k)) ** 2
    terms = virtual_terms()
    return sum(
        2 * float(np.mean(strength * w / (energy + xi[..., i]) ** 2 * (xi[..., i] > 0)))
        for i, band in enumerate(("alpha", "beta"))
        for w, energy in terms[band].values()
        if w > 0
    )


def two_sites() -> Numbers:
    """Exchange constants (eV) of LK's dimer, of a bond in the plane, and where t_c is not small."""
    exact, strong, plane = (
        exchange_constant(t, LK.U, method="exact") for t in (LK.t_c, 2.0, LK.t_c / 4)
    )
    printed = exchange_constant(LK.t_c, LK.U)
    return {
        "exact": exact,
        "rung": exact,
        "plane": plane,
        "printed": printed,
        "weak": printed / exact,
        "strong": exchange_constant(2.0, LK.U) / strong,
        "share": DIMER.double_occupancy,
        "lattice": share_without_electron(),
    }


def eq7() -> Numbers:
    """Misfit of Eq. 7 on a dimer, and S² from hard-core and from unconstrained bosons."""
    pairs = zip(spin_from_triplons(triplon_creators()), spin_operators(), strict=True)
    found = {"worst": max(np.abs(built - true).max() for built, true in pairs)}
    states = {"hard": (triplon_creators(), SINGLET), "free": (triplon_bosons(2), np.eye(10)[0])}
    for name, (create, vacuum) in states.items():
        one, spin = create[2] @ vacuum, spin_from_triplons(create)[0]
        found[name] = np.vdot(one, sum(s @ s for s in spin) @ one).real
    return found


def triplons() -> Numbers:
    """Triplons at LK's exchange ratio in units of J_c, with and without bands; strongest q_z."""
    given, zone = {"J_c": 1.0, "J_ab": LK.exchange_ratio}, zone_mesh(16)
    exact = exact_triplons(*given.values())
    leading, bosons = (
        np.abs(exact.energies - triplon_dispersion(exact.momenta, **given, method=method)).max()
        for method in ("leading", "harmonic")
    )
    energy = triplon_dispersion(zone, **given, method="second order")
    q_z = np.linspace(0, 2 * np.pi, 6284)
    strongest = q_z[np.argmax(triplon_structure_factor([0.0, 0.0], q_z, spacing=1.0)[1])]
    sea, kappa = sea_at(LK.density), printed_kappa()
    return {
        "density": exact.density,
        "couplings": COUPLINGS,
        "bands": [triplets_of_bands(sea, coupling=c, kappa=kappa) for c in COUPLINGS],
        "leading": leading,
        "bosons": bosons,
        "energy": [energy.min(), energy.max()],
        "strongest": strongest,
    }


def singlet_phase() -> Numbers:
    """Gap of eight dimers in J_c, and the λ at which the bands make the singlets go soft."""
    ratio = LK.exchange_ratio
    exact = exact_triplons(1.0, ratio)
    found = {
        name: polarization(shell).critical_coupling()
        for name, shell in (("all", np.inf), ("near", LK.cutoff))
    }
    softest = polarization().q[found["all"].argmin()]
    moving = polarization().critical_coupling(exchange_ratio=ratio)
    return {
        "gap": exact.energies.min(),
        "margin": MONTE_CARLO / ratio,
        "couplings": COUPLINGS,
        "soft": [values.min() for values in found.values()],
        "moving": moving.min(),
        "place": softest / np.pi,
        "cutoff": LK.cutoff,
    }


def bonds() -> Numbers:
    """Misfits of the hopping between x and z to LK Eq. 2, and shifts in eV by an s level."""
    found = bloch_hopping().reshape(SIZE**2, 2, SIZE**2, 2)
    even, odd = found[:, 0, :, 0], found[:, 1, :, 1]
    eta = eta_k(torus_momenta())
    couplings = np.diag(bloch_hopping(t_xz=0.05)).real[::2]
    shifts = np.array([np.linalg.eigvalsh([[0.0, v], [v, 3.0]])[0] for v in couplings])
    nodal = eta**2 <= 1e-9
    ratio = shifts[~nodal] / eta[~nodal] ** 2
    even_s, odd_s = (
        np.linalg.eigvalsh([[0.0, np.abs(couplings).max()], [np.abs(couplings).max(), level]])[0]
        for level in (2.5, 3.5)
    )
    return {
        "even_odd": even_s / odd_s,
        "misfit": max(np.abs(block - np.diag(2 * eta)).max() for block in (even, odd)),
        "mixing": np.abs(found[:, [0, 1], :, [1, 0]]).max(),
        "nodal": np.abs(shifts[nodal]).max(),
        "highest": ratio.max(),
        "spread": np.ptp(ratio) / np.abs(ratio).max(),
    }


def fig1c_removal() -> Numbers:
    """E_b - E_a in eV: lines by diagonalization, closed forms from the singlet and the triplet."""
    b, a = (-spectral_poles(DIMER, orbital)[0].energy for orbital in ("b", "a"))
    closed, triplet = (
        DIMER.removal("b", start=start) - DIMER.removal("a", start=start)
        for start in ("singlet", "triplet")
    )
    return {"distance": abs(b - a), "lines": b - a, "closed": closed, "triplet": triplet}


def eq3_shifts() -> Numbers:
    """Shifts over v² on the cluster; their splitting over t_c, and their difference over depth."""
    weak, exact, strong = (
        np.array([found.alpha, found.beta]) / v**2
        for v, found in ((v, exact_couplings(DIMER, v)) for v in (0.01, 0.02, 0.04))
    )
    split = [
        self_energies(t_xz=1.0, E_a=1.1 - t_c, t_c=t_c, variant="hubbard")
        for t_c in (0.0, 0.3, 0.6)
    ]
    eta, fit, dimer = np.array([0.5, 1.0, 1.32, 1.92]), fig2_hybridization(), fig2_dimer()
    hops = 2 * fit.t_xz * eta
    limit = exact_couplings(dimer, 0.01).beta / 0.01**2
    fine = np.linspace(0.05, 1, 96)
    signs = [exact_couplings(dimer, 2 * fit.t_xz * x).alpha > 0 for x in fine]
    depths = [*np.linspace(0.1, 3.0, 30), 0.5]
    shifts = [self_energies(t_xz=0.5, E_a=float(e), variant="hubbard") for e in depths]
    differences = [s.alpha - s.beta for s in shifts]
    return {
        "change": np.abs(strong - weak).max() / np.abs(weak).max(),
        "eta": eta,
        "ratios": [exact_couplings(dimer, v).beta / v**2 / limit for v in hops],
        "sign": fine[np.flatnonzero(np.diff(signs))[0]] if len(set(signs)) == 2 else np.nan,
        "splittings": [s.beta - s.alpha for s in split],
        "lowest": min(differences),
        "highest": max(differences),
        "perturbative": [shifts[-1].alpha, shifts[-1].beta],
        "exact": exact,
    }


def eq3_terms() -> Numbers:
    """Weights of removal, energies in eV of addition, and the share of addition in each band."""
    exact = self_energy_weights(DIMER.bonding_occupation)
    # One electron a site, level at -0.5 eV; then the levels -E_a and -E_b in the triplet.
    site = HubbardDimer(t_c=0.0, U=LK.U, level=-0.5)
    added = [site.addition("a"), *(DIMER.addition(o, start="triplet") for o in ("a", "b"))]
    spins, full = virtual_terms(0.5), virtual_terms()
    # α meets a alone; what is removed stands at negative energies.
    lines = [
        (-np.sign(p.energy) * p.weight, abs(p.energy)) for p in spectral_poles(fig2_dimer(), "a")
    ]
    return {
        "prefactor": {
            "heisenberg": self_energy_weights(0.5)["beta"]["b"],
            "blocked": [exact["beta"]["b"], exact["alpha"]["a"]],
            "lines": [spectral_poles(DIMER, orbital)[0].weight for orbital in ("b", "a")],
        },
        "addition": {
            "lines": spectral_poles(site, "a")[-1].energy,
            "closed": added,
            "printed": [LK.U + depth for depth in (0.5, 0.5, 0.5 + 2 * LK.t_c)],
        },
        "share": {
            "alpha": addition_share(full["alpha"].values()),
            "beta": addition_share(full["beta"].values()),
            "alpha_spins": addition_share(spins["alpha"].values()),
            "beta_spins": addition_share(spins["beta"].values()),
            "lines": addition_share(lines),
        },
    }


def eq3_perturbative() -> Numbers:
    fit, terms = fig2_hybridization(), virtual_terms()
    alpha, beta = FermiSea(conduction_bands(), LK.mu).sheets
    weights = {}
    for name, sheet in (("alpha", alpha), ("beta", beta)):
        norm = sum(abs(w) / energy**2 for w, energy in terms[name].values())
        weights[name] = norm * (2 * fit.t_xz * eta_k(sheet.points)) ** 2
    eta = float(beta.average(eta_k(beta.points) ** 2)) ** 0.5
    limit, exact = (
        exact_couplings(fig2_dimer(), v).beta / v**2 for v in (0.01, 2 * fit.t_xz * eta)
    )
    return {
        "alpha": alpha.average(weights["alpha"]),
        "beta": beta.average(weights["beta"]),
        "largest": weights["beta"].max(),
        "exact": exact / limit,
    }


def eq5_derived() -> Numbers:
    """Largest ε_α − ε_β of the derived forms over 4t_xz², and what of both ε the bands see."""
    forms: tuple[Literal["heisenberg", "hubbard"], ...] = ("heisenberg", "hubbard")
    differences = [
        shifts.alpha - shifts.beta
        for depth in np.linspace(0.1, 3.0, 30)
        for form in forms
        for shifts in [self_energies(t_xz=0.5, E_a=float(depth), variant=form)]
    ]
    found = exact_couplings(fig2_dimer(), 0.02)
    common, k = 0.1, zone_mesh(8)
    alpha, beta = LK.epsilon_alpha + common, LK.epsilon_beta + common
    both = conduction_bands(epsilon_alpha=alpha, epsilon_beta=beta).energies(k)
    absorbed = conduction_bands(t2=LK.t2 + common / 2, t3=LK.t3 - common / 4).energies(k)
    return {
        "below": max(differences),
        "exact": (found.alpha - found.beta) / 0.02**2,
        "common": np.abs(both - absorbed - common).max(),
    }


def orbital_splitting() -> Numbers:
    """x²−y² above z² and above bonding z² in eV, in GLYWH's model and in own bands at 29.5 GPa."""
    levels = FourBandParameters()
    own = bilayer(crystal_model("pressure"))
    home = own.hoppings[(own.translations == 0).all(axis=1)][0].real
    return {
        "splitting": levels.epsilon_x - levels.epsilon_z,
        "rung": abs(levels.s22_0),
        "own": home[0, 0] - home[1, 1],
        "bonding": home[0, 0] - home[1, 1] - home[1, 3],
    }
