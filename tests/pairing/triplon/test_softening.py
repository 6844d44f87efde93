"""Polarization from the grand potential of bands mixed by a static field."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from nickbook.bands import FermiSea, conduction_bands, density_of_states, eta_k, zone_mesh
from nickbook.dimers import interaction_hamiltonian, pair_states
from nickbook.dimers.spins import PAULI
from nickbook.pairing import (
    bare_susceptibility,
    condensation_energy,
    triplets_of_bands,
    triplon_feedback,
    triplon_polarization,
    triplon_width,
)

MU, T, MESH = -0.65, 0.05, 32


def polarization(model, q, temperature=T, mesh=MESH):
    """Response of the interband spin density, as `triplon_feedback` takes it."""
    chi = bare_susceptibility(model, MU, temperature=temperature, mesh=mesh, pairs=[(0, 1)])
    return chi.on(q)[..., 0, 0].real


def grand_potential(field, q):
    """-field (s_alphabeta + s_betaalpha)_z with momentum q = G/2; the cell holds k and k + q.

    For spin up the field mixes alpha and beta by -field/2; spin down differs by its sign.
    """
    model = conduction_bands()
    k = zone_mesh(MESH)
    levels = [model.hamiltonian(p)[..., i, i].real - MU for p in (k, k + q) for i in (0, 1)]
    h = np.zeros((MESH, MESH, 4, 4))
    for i, level in enumerate(levels):
        h[..., i, i] = level
    for i, j in ((0, 3), (1, 2)) if np.any(q) else ((0, 1), (2, 3)):
        h[..., i, j] = h[..., j, i] = -field / 2
    energies = np.linalg.eigvalsh(h)
    # Two spins; every k is in the sum twice.
    return -2 * T * np.log1p(np.exp(-energies / T)).sum(axis=-1).mean() / 2


@pytest.mark.parametrize("q", [(0.0, 0.0), (np.pi, np.pi), (np.pi, 0.0)])
def test_polarization_is_the_curvature_of_the_grand_potential(q):
    step = 0.02
    values = [grand_potential(x * step, np.array(q)) for x in (-2, -1, 0, 1, 2)]
    curvature = np.dot([1, -16, 30, -16, 1], values) / (12 * step**2)
    found = polarization(conduction_bands(), q)
    assert curvature == pytest.approx(float(found), rel=1e-4)


def test_equal_bands_respond_with_their_density_of_states():
    model = conduction_bands(epsilon_alpha=0.25, epsilon_beta=0.25)
    found = polarization(model, [0.0, 0.0], temperature=0.01, mesh=256)
    assert float(found) == pytest.approx(density_of_states(model, MU)[0], rel=5e-3)


def test_static_response_of_a_dimer():
    """A field h on T + T+ lowers the singlet by h**2/J_c: half of the response 2/J_c."""
    field, J_c = 1e-3, 0.3
    lowered = -np.linalg.eigvalsh([[0.0, field], [field, J_c]])[0]
    assert triplon_feedback(1.0, 1.0, J_c=J_c) == pytest.approx(2 * lowered / field**2, rel=1e-4)


KAPPA = (1.27, 0.443)
CORNER = np.array([np.pi, np.pi])


def printed_form(amplitude, q, hund):
    """Grand potential with T = amplitude·exp(iqr) for one component of LK Eq. 11 as printed.

    q is half a reciprocal vector, so that the phase is real.  Spin up; spin down is the same.
    """
    model, k = conduction_bands(), zone_mesh(MESH)
    levels = [model.hamiltonian(p)[..., i, i].real - MU for p in (k, k + q) for i in (0, 1)]
    h = np.zeros((MESH, MESH, 4, 4), complex)
    for i, level in enumerate(levels):
        h[..., i, i] = level
    forms = eta_k(k) * eta_k(k + q)
    f_a, f_b = (1 - kappa * forms for kappa in KAPPA)
    raised = -hund * (f_a * amplitude + f_b * np.conj(amplitude)) / 2  # α†(k+q) β(k)
    for alpha, beta in ((2, 1), (0, 3)) if np.any(q) else ((0, 1), (2, 3)):
        h[..., alpha, beta], h[..., beta, alpha] = raised, raised.conj()
    energies = np.linalg.eigvalsh(h)
    return -2 * T * np.log1p(np.exp(-energies / T)).sum(axis=-1).mean() / 2


@pytest.mark.parametrize("q", [(0.0, 0.0), (np.pi, np.pi), (np.pi, 0.0)])
@pytest.mark.equation("LK", 11)
def test_vertices_are_those_of_the_printed_interaction(q):
    """Real T feels the mean of f^a and f^b, imaginary T half their difference."""
    found = triplon_polarization(conduction_bands(), MU, q=q, kappa=KAPPA, temperature=T, mesh=MESH)
    step = 0.01
    for phase, response in ((1.0, found.real), (1j, found.imaginary)):
        energies = [printed_form(phase * x * step, np.array(q), 1.0) for x in (-2, -1, 0, 1, 2)]
        curvature = -np.dot([-1, 16, -30, 16, -1], energies) / (12 * step**2)
        assert curvature / 4 == pytest.approx(float(response), rel=2e-3)


def test_without_kondo_terms_it_is_the_bare_susceptibility():
    q = np.array([[0.0, 0.0], [np.pi, np.pi], [np.pi, np.pi / 2]])
    found = triplon_polarization(conduction_bands(), MU, q=q, temperature=T, mesh=MESH)
    np.testing.assert_allclose(found.real, polarization(conduction_bands(), q), rtol=1e-9)
    assert not found.imaginary.any()


def spiral(moment, q, hund, mesh):
    """Grand potential of bands in the field of turning triplets, four momenta k + nq at once."""
    model, k = conduction_bands(), zone_mesh(mesh)
    places = [(n, band, spin) for n in range(4) for band in (0, 1) for spin in (0, 1)]
    h = np.zeros((mesh, mesh, 16, 16), complex)
    for i, (n, band, _) in enumerate(places):
        h[..., i, i] = model.hamiltonian(k + n * q)[..., band, band].real - MU
    for n, turn in product(range(4), (1, -1)):
        forms = eta_k(k + n * q) * eta_k(k + (n + turn) * q)
        both = sum(1 - kappa * forms for kappa in KAPPA)
        # <T> is moment/2 times (cos qr, sin qr, 0): the part that adds turn·q.
        spin = (PAULI[0] - 1j * turn * PAULI[1]) / 2 / 2
        for s, t in product((0, 1), repeat=2):
            i, j = places.index(((n + turn) % 4, 0, s)), places.index((n, 1, t))
            h[..., i, j] += -hund * moment / 2 * both * spin[s, t]
            h[..., j, i] += (-hund * moment / 2 * both * spin[s, t]).conj()
    energies = np.linalg.eigvalsh(h)
    return -T * np.log1p(np.exp(-energies / T)).sum(axis=-1).mean() / 4


def test_turning_triplets_against_four_momenta_at_once():
    q, coupling, J_c, J_ab, angle = np.array([np.pi / 2, np.pi]), 0.4, 0.3, 0.02, 0.35
    sea = FermiSea(conduction_bands(), MU)
    found = condensation_energy(
        sea,
        angle=angle,
        q=q,
        coupling=coupling,
        kappa=KAPPA,
        J_c=J_c,
        J_ab=J_ab,
        temperature=T,
        mesh=24,
    )
    mean = np.sqrt(np.prod(density_of_states(conduction_bands(), MU)))
    hund = np.sqrt(2 * J_c * coupling / (3 * mean))
    moment = np.sin(2 * angle)
    bands = spiral(moment, q, hund, 24) - spiral(0.0, q, hund, 24)
    # Spins of either layer are half the moment; each dimer has one bond along x and one along y.
    planes = 2 * J_ab * (moment / 2) ** 2 * np.cos(q).sum()
    assert found == pytest.approx(J_c * np.sin(angle) ** 2 + planes + bands, rel=1e-4)


@pytest.mark.parametrize("ratio", [0.0, 1 / 16])
def test_hard_core_dimers_go_soft_at_the_critical_coupling(ratio):
    sea, J_c = FermiSea(conduction_bands(), MU), 0.288
    options = {"q": CORNER, "kappa": KAPPA, "temperature": T, "mesh": 48}
    critical = float(triplon_polarization(sea, **options).critical_coupling(exchange_ratio=ratio))
    angles = np.linspace(0, np.pi / 4, 40)
    for share, soft in ((0.97, False), (1.03, True)):
        energy = condensation_energy(
            sea, angle=angles, coupling=share * critical, J_c=J_c, J_ab=ratio * J_c, **options
        )
        assert bool(energy.min() < -1e-7) is soft
    small = condensation_energy(
        sea, angle=1e-2, coupling=0.5 * critical, J_c=J_c, J_ab=ratio * J_c, **options
    )
    stiffness = 1 - 4 * ratio
    assert small == pytest.approx(J_c * 1e-4 * stiffness * 0.5, rel=2e-3)


def test_kondo_terms_move_the_soft_point_to_the_corner():
    """The opposite of Hund's vertex alone, which responds least at M."""
    q = [[0.0, 0.0], [np.pi, 0.0], [np.pi, np.pi]]
    hund, both = (
        triplon_polarization(conduction_bands(), MU, q=q, kappa=k).critical_coupling()
        for k in (0.0, KAPPA)
    )
    assert hund.argmax() == 2 and both.argmin() == 2
    assert both[2] < 0.3 < hund.min()


def test_shell_leaves_out_electrons_far_from_the_fermi_level():
    sea = FermiSea(conduction_bands(), MU)
    values = [
        float(triplon_polarization(sea, q=CORNER, kappa=KAPPA, shell=s).real)
        for s in (0.3, 1.0, 1.5, np.inf)
    ]
    assert values == sorted(values) and values[1] < 0.1 * values[3]
    empty = triplon_polarization(sea, q=CORNER, shell=0.01)  # noqa: S604
    assert empty.critical_coupling() == np.inf


def test_triplets_from_densities_of_states():
    """For Hund's vertex: a convolution of two densities, with the norm that matrices give."""
    model, J_c, coupling = conduction_bands(), 0.288, 0.5
    found = triplets_of_bands(model, MU, coupling=coupling, temperature=0.02, mesh=48)
    levels = (model.band_energies(zone_mesh(600)) - MU).reshape(-1, 2)
    counts, centres = [], []
    for energies in levels.T:
        count, edges = np.histogram(energies, bins=600)
        counts.append(count / len(levels))
        centres.append((edges[1:] + edges[:-1]) / 2)
    # Two electrons go to two momenta each: a quarter of the norm for one, both spins.
    events = interaction_hamiltonian(1.0, lambda *_: 1.0, lambda *_: 1.0) @ pair_states("beta")
    norm = 2 * np.vdot(events, events).real / 4
    total = 0.0
    for filled, empty in ((0, 1), (1, 0)):
        x, y = np.meshgrid(centres[filled], centres[empty], indexing="ij")
        factor = expit(-x / 0.02) * expit(y / 0.02) / (J_c + np.abs(x) + np.abs(y)) ** 2
        total += counts[filled] @ factor @ counts[empty]
    hund2 = 2 * J_c * coupling / (3 * np.sqrt(np.prod(density_of_states(model, MU))))
    assert found == pytest.approx(norm * hund2 * total, rel=0.01)


def test_triplets_with_kondo_terms_pair_by_pair():
    model, J_c, mesh = conduction_bands(), 0.3, 8
    found = triplets_of_bands(
        model, MU, coupling=0.4, kappa=KAPPA, J_c=J_c, temperature=0.05, mesh=mesh
    )
    k = zone_mesh(mesh).reshape(-1, 2)
    alpha, beta = (model.band_energies(k) - MU).T
    total = 0.0
    for i, j in np.ndindex(len(k), len(k)):  # α at i, β at j
        form = eta_k(k[i]) * eta_k(k[j])
        f_a, f_b = (1 - kappa * form for kappa in KAPPA)
        cost = J_c + abs(alpha[i]) + abs(beta[j])
        down, up = expit(-np.array([alpha[i], beta[j]]) / 0.05)
        total += (f_b**2 * up * (1 - down) + f_a**2 * down * (1 - up)) / cost**2
    hund2 = 2 * J_c * 0.4 / (3 * np.sqrt(np.prod(density_of_states(model, MU))))
    assert found == pytest.approx(1.5 * hund2 * total / len(k) ** 2, rel=1e-9)


def test_widths_and_the_static_response_obey_kramers_and_kronig():
    """With f^a = f^b the width is J_H² Im χ(J_c), whose integral over dω/ω is the static χ."""
    sea = FermiSea(conduction_bands(), MU)
    options = {"q": [[np.pi, 1.4], [1.8, 1.8]], "kappa": 0.7, "temperature": T, "mesh": 64}
    static = triplon_polarization(sea, **options)
    energies = np.arange(0.02, 6.0, 0.04)
    absorbed = []
    for energy in energies:
        found = triplon_width(sea, coupling=1.0, J_c=energy, broadening=0.06, **options)
        absorbed.append(found / (2 * energy / (3 * static.density_of_states)))
    total = 2 / np.pi * 0.04 * np.sum(np.array(absorbed) / energies[:, None], axis=0)
    np.testing.assert_allclose(total, static.real, rtol=0.01)


@pytest.mark.equation("LK", 11)
def test_mean_width_from_densities_of_states():
    """Over all momenta the term linear in κ cancels, and levels of both bands meet at random."""
    model, J_c, coupling, mesh = conduction_bands(), 0.288, 0.4, 32
    q = zone_mesh(mesh).reshape(-1, 2)
    found = triplon_width(
        model, MU, q=q, coupling=coupling, kappa=KAPPA, temperature=T, mesh=mesh, broadening=0.05
    ).mean()
    k = zone_mesh(500)
    levels, forms = model.band_energies(k).reshape(-1, 2) - MU, eta_k(k).ravel() ** 2
    edges = np.arange(-3.0, 4.5, 0.01)
    centres = (edges[1:] + edges[:-1]) / 2
    plain, weighted = (
        [np.histogram(x, edges, weights=w)[0] / len(levels) for x in levels.T]
        for w in (None, forms)
    )
    occupied = expit(-centres / T)
    hund2 = 2 * J_c * coupling / (3 * np.sqrt(np.prod(density_of_states(model, MU))))
    shift = round(J_c / 0.01)

    def absorbed(lower, upper, kappa):
        """Transitions from one band to another, J_c higher."""
        return sum(
            strength
            * (states[lower][:-shift] * states[upper][shift:])
            @ (occupied[:-shift] - occupied[shift:])
            / 0.01
            for strength, states in ((1.0, plain), (kappa**2, weighted))
        )

    total = absorbed(1, 0, KAPPA[0]) + absorbed(0, 1, KAPPA[1])
    assert found == pytest.approx(np.pi / 2 * hund2 * total, rel=0.03)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="broadening"):
        triplon_width(conduction_bands(), MU, q=CORNER, coupling=0.3, broadening=0.0)
    with pytest.raises(ValueError, match="J_c"):
        triplon_feedback(0.3, 0.5, J_c=0.0)
    with pytest.raises(ValueError, match="J_H"):
        triplon_feedback(np.nan, 0.5)
    assert triplon_feedback(0.3, np.zeros((2, 3))).shape == (2, 3)
    with pytest.raises(ValueError, match="temperature"):
        triplon_polarization(conduction_bands(), MU, q=CORNER, temperature=0.0)
    with pytest.raises(ValueError, match="shell"):
        triplon_polarization(conduction_bands(), MU, q=CORNER, shell=-1.0)
    with pytest.raises(ValueError, match="coupling"):
        condensation_energy(conduction_bands(), MU, angle=0.1, q=CORNER, coupling=0.0)
    with pytest.raises(ValueError, match="mesh = 200"):
        triplets_of_bands(conduction_bands(), MU, coupling=0.1, mesh=200)
