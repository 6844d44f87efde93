"""Second routes to what the ledger says of the t-J model."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import nickbook.claims.glywh.tj as measures
from nickbook.bands import (
    SQUARE_CHARACTERS,
    FermiSea,
    FourBandParameters,
    bilayer_hubbard,
    chemical_potential,
    distorted,
    four_band,
    square_group,
    zone_mesh,
)
from nickbook.claims import measure
from nickbook.claims.glywh import stored
from nickbook.dimers.fock import annihilators
from nickbook.pairing import PairAmplitudes, frg_flow, tj_mean_field
from nickbook.pairing.tj.bogoliubov import Bogoliubov
from nickbook.pairing.tj.linear import PairKernel


@pytest.mark.parametrize(
    ("in_plane", "multiple"), [(2.0, 1.0), (1.0, 2.0), (0.5, 4.0)], ids=["H_J", "summed", "37"]
)
def test_constant_and_gap_equation_belong_together(in_plane, multiple):
    """Solve with each constant of Eq. 37, and read the multiple off the averages."""
    found = measures.solution()
    strength = 0.4
    stiffness = {"s 2": in_plane / strength, "interlayer 2": 2 / 1.0}
    modes = tuple(
        replace(mode, stiffness=stiffness[mode.name])
        for mode in found.problem.modes
        if mode.name in stiffness
    )
    problem = replace(found.problem, modes=modes, mesh=24, temperature=0.02)
    x, mu = problem.iterate(np.array([-0.1, 0.3]), 10.1, 1e-4)
    x, mu, residual = problem.polish(x, mu)
    assert residual < 1e-10
    k = zone_mesh(24).reshape(-1, 2)
    form = np.cos(k).sum(axis=-1)
    gap = np.zeros((len(k), 4, 4))
    gap[:, 1, 1] = gap[:, 3, 3] = x[0] * form
    gap[:, 1, 3] = gap[:, 3, 1] = x[1]
    h = four_band().hamiltonian(k).real - mu * np.eye(4)
    energies, u = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
    average = (u / (1 + np.exp(energies / 0.02))[:, None]) @ u.swapaxes(1, 2)
    d = np.mean(form * average[:, 1, 5])
    assert x[0] == pytest.approx(-multiple * strength * d, rel=1e-8)
    between = np.mean(average[:, 1, 7] + average[:, 3, 5])
    assert x[1] == pytest.approx(-1.0 / 2 * between, rel=1e-8)
    if in_plane == 0.5:  # as Eq. 37 prints it, with 2|Δ|²/J' between the layers
        expected = {"in_plane": multiple, "between": 1.0}
        assert measures.slope_multiples() == pytest.approx(expected, rel=1e-8)


def test_pairs_attract_as_two_particles_do():
    """First quantization: the exchange of a bond is minus half of one plus the swap of places."""
    length, q = 3, 2 * np.pi / 3
    places = [(x, layer) for x in range(length) for layer in (0, 1)]

    def element(bonds, final, initial):
        """Between waves of the distance of spin up from spin down, each in its layer."""
        total = 0.0
        for up, down in product(places, repeat=2):
            energy = -bonds(up, down) / 2
            for one, other in ((up, down), (down, up)):
                total += final(one, other).conjugate() * energy * initial(up, down)
        return (total / length**2).real

    def wave(k, layers):
        def amplitude(up, down):
            return np.exp(1j * k * (up[0] - down[0])) * ((up[1], down[1]) == layers)

        return amplitude

    def in_plane(a, b):
        return a[1] == b[1] and a[0] != b[0]  # on a ring of three all are neighbours

    def between(a, b):
        return a[1] != b[1] and a[0] == b[0]

    inside = element(in_plane, wave(0.0, (0, 0)), wave(q, (0, 0)))
    across = element(between, wave(0.0, (0, 1)), wave(q, (1, 0)))
    # Both printed terms ± give the same along one direction; W is −J'/2N.
    printed = {
        "intralayer": -4 * np.cos(q) / length / inside,
        "interlayer": -1 / 2 / length / across,
    }
    assert measures.pair_attraction() == pytest.approx(printed, rel=1e-12)
    assert inside == pytest.approx(-2 * np.cos(q) / length)


@pytest.mark.parametrize(("convention", "printed"), [("eq46-47", 1 / 2), ("eq48", 2.0)])
def test_amplitude_between_the_layers_solves_the_printed_equation(convention, printed):
    """With the eigenvectors of the 8 × 8 matrix on all momenta: −J'/2N in Eq. 47, −2J'/N in 48."""
    found = measures.solution(convention=convention)
    k = zone_mesh(found.problem.mesh).reshape(-1, 2)
    h = found.hamiltonian(k).real - found.mu * np.eye(4)
    gap = found.gap_matrix(k).real
    levels, u = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
    between = np.einsum("kam,km,kbm->kab", u[:, [1, 3]], levels < 0, u[:, [7, 5]])
    average = np.trace(between, axis1=1, axis2=2).mean()
    size = found.gaps["inter2"]
    assert size == pytest.approx(-printed * 5 * measures.J2 * average, rel=1e-8)
    row = measure("GLYWH-eq48-prefactor")
    assert row["ratio"] == pytest.approx(2.0 / (1 / 2))
    stored = row["printed" if convention == "eq46-47" else "other"]
    assert abs(stored) == pytest.approx(1e3 * abs(size), rel=1e-9)


def test_a_diagonal_strain_couples_s_to_dxy_only():
    """Characters of B2 times A1 against B1, and a projection of the form factors."""
    b2, a1 = SQUARE_CHARACTERS["B2"], SQUARE_CHARACTERS["A1"]
    product = {name: np.mean(np.prod([b2, a1, x], axis=0)) for name, x in SQUARE_CHARACTERS.items()}
    assert product == {"A1": 0, "A2": 0, "B1": 0, "B2": 1, "E": 0}
    k = np.random.default_rng(3).uniform(-3, 3, size=(40, 2))
    strain = np.sin(k).prod(axis=1)
    for element, sign in zip(square_group(np.eye(1), np.eye(1)), b2, strict=True):
        assert np.allclose(np.sin(element.momentum(k)).prod(axis=1), sign * strain)
    # So does what the distortion adds to the bands, with the orbitals turned along.
    model, strained = four_band(), distorted(0.1, diagonal=True)
    change, *images = (
        strained.hamiltonian(q) - model.hamiltonian(q)
        for q in (k, *(element.momentum(k) for element in model.symmetries))
    )
    assert np.abs(change).max() > 1e-3
    for element, sign, image in zip(model.symmetries, b2, images, strict=True):
        turned = element.orbitals @ change @ element.orbitals.T
        assert np.allclose(image, sign * turned)


def test_equal_signs_cost_energy():
    """Levels of the 8 × 8 matrix, and the term that couples the two amplitudes near T_c."""
    found = measures.solution()
    x = found.x * [-1.0 if m.name == "s 2" else 1.0 for m in found.problem.modes]
    mu = found.problem.level(x, found.mu)
    energies = []
    for state in (found, replace(found, x=x, mu=mu)):
        k = zone_mesh(found.problem.mesh).reshape(-1, 2)
        h = state.hamiltonian(k) - state.mu * np.eye(4)
        gap = state.gap_matrix(k)
        levels = np.linalg.eigvalsh(np.block([[h, gap], [gap.conj().swapaxes(1, 2), -h]]))
        pairs = found.problem.stiffness @ state.x**2
        energies.append(levels[:, :4].sum(axis=1).mean() + pairs + state.mu * 3
                        + np.trace(h, axis1=1, axis2=2).real.mean())  # fmt: skip
    reversal = measures.fig4b_enhancement()
    cost = (reversal["energy"] - reversal["energy_reversed"]) / 1e3
    assert energies[1] - energies[0] == pytest.approx(cost, abs=1e-10)
    assert cost > 0
    kernel = PairKernel.of(found.bonds, "s", 64)
    names = [mode.name for mode in found.problem.modes]
    i, j = names.index("s 2"), names.index("interlayer 2")
    assert kernel.matrix(0.01, found.mu)[i, j] < 0


@pytest.mark.parametrize("convention", measures.READINGS)
def test_amplitudes_near_their_maxima(convention):
    """Averages from eigenvectors of the 8 × 8 matrix on a quarter of the same mesh."""
    n = measures.FINE_MESH
    axis = 2 * np.pi * np.arange(n // 2 + 1) / n
    share = np.where((axis == 0) | (axis == np.pi), 1, 2) / n
    k = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    weights = np.outer(share, share).ravel()
    form = np.cos(k).sum(axis=-1)
    coupling, sizes = {"bond": 1, "eq46-47": 2}[convention], []
    for doping in (0.02, 0.1, 0.14):
        found = measures.solution(convention=convention, doping=doping, mesh=n)
        h = found.hamiltonian(k).real - found.mu * np.eye(4)
        gap = found.gap_matrix(k).real
        levels, u = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
        average = (u * (levels < 0)[:, None]) @ u.swapaxes(1, 2)
        s = -coupling * measures.J2 * weights @ (form * average[:, 1, 5])
        between = -5 * measures.J2 / 2 * weights @ (average[:, 1, 7] + average[:, 3, 5])
        assert s == pytest.approx(found.gaps["s2"], abs=1e-9)
        assert between == pytest.approx(found.gaps["inter2"], abs=1e-9)
        electrons = 2 * weights @ average[:, :4, :4].trace(axis1=1, axis2=2)
        assert electrons == pytest.approx(3 + doping, abs=1e-8)
        on_gamma = found.spectroscopic_gap(found.sea.sheets[1]).mean()
        sizes.append((abs(s), abs(between), on_gamma))
    low, best, high = np.array(sizes)
    assert (best > np.maximum(low, high))[[0, 2]].all()
    assert low[1] > best[1] > high[1]
    assert measures.best_dopings(convention)["inter2"] < 0.1 - 0.05


@pytest.mark.parametrize(("doping", "kind"), [(0.28, "saddle"), (0.34, "minimum")])
def test_normal_state_is_stable_beyond_the_end(doping, kind):
    """Second variations about zero amplitudes, with the 8 × 8 matrix, at 23 K."""
    template = tj_mean_field(
        four_band(), 3 + doping, **measures.exchange(), temperature=2e-3, mesh=128, channel="s"
    )
    general = Bogoliubov.like(template.problem)
    assert general.stability(np.zeros(len(general.names)), template.mu).kind == kind
    assert (doping < measures.last_doping()) == (kind == "saddle")


@pytest.mark.parametrize(("end", "first"), [("below", "s"), ("above", "d")])
def test_first_channel_from_the_normal_state(end, first):
    """Between the two critical temperatures one channel alone lowers the energy of no pairs."""
    strength = measures.fig4a_d_wave()[end]
    kelvin = [measures.critical_kelvin(first=strength, channel=channel) for channel in "sd"]
    given = measures.exchange(strength) | {"temperature": np.mean(kelvin) * measures.KELVIN}
    problem = tj_mean_field(four_band(), 3, **given, mesh=64, channel="s").problem
    general = Bogoliubov.like(problem)
    level = chemical_potential(four_band(), 3, problem.temperature)
    stability = general.stability(np.zeros(len(general.names)), level)
    words = [name.removeprefix("i ").split()[0] for name in stability.names]
    large = np.abs(stability.directions[:, : stability.falling]).max(axis=1, initial=0) > 1e-6
    falling = {"d" if word == "d" else "s" for word, x in zip(words, large, strict=True) if x}
    assert falling == {first}


@pytest.mark.parametrize("electrons", [1.8, 2.2])
def test_bilayer_hubbard_model_by_its_flow(electrons):
    """Another method, and with 2.2 electrons the particle-hole mirror image."""
    model = bilayer_hubbard()
    flow = frg_flow(model, chemical_potential(model, electrons), U=3.0, J=0.0, patches=16, mesh=32)
    assert flow.diverged and flow.leading() == "singlet A1"
    best = flow.pairing()[0].gap_function()
    even, odd = (
        next(v for s, v in zip(best.sheets, best.values, strict=True) if s.parity == p)
        for p in (1, -1)
    )
    assert np.ptp(np.sign(even)) == np.ptp(np.sign(odd)) == 0 > even[0] * odd[0]
    assert measures.hubbard_state(electrons).sign_changes() == [0, 0]


@pytest.mark.parametrize("diagonal", [True, False])
def test_distorted_state_from_general_amplitudes(diagonal):
    """Starts with d + is; signs from the electron and hole parts of the lowest level."""
    start = PairAmplitudes(
        np.array([[0.001, 0.01j]] * 2), np.array([[0.01, 0.01]] * 2, complex),
        np.array([0.001, -0.01], complex),
    )  # fmt: skip
    found = tj_mean_field(
        distorted(0.1, diagonal=diagonal), 3, **measures.exchange(), channel="full",
        mesh=48, temperature=4e-3, start=start,
    )  # fmt: skip
    assert found.stability().kind == "minimum"
    a = found.amplitudes
    assert np.abs(a.d).max() < 0.02 * np.abs(a.interlayer).max()
    signs = []
    for sheet in found.sea.sheets[:2]:
        h = found.hamiltonian(sheet.points) - found.mu * np.eye(4)
        gap = found.gap_matrix(sheet.points) * np.exp(-1j * np.angle(a.interlayer[1]))
        levels, u = np.linalg.eigh(np.block([[h, gap], [gap.conj().swapaxes(1, 2), -h]]))
        lowest = u[:, :, 4]
        overlap = np.einsum("ka,ka->k", lowest[:, :4].conj(), lowest[:, 4:]).real
        signs.append(np.sign(np.average(levels[:, 4] * np.sign(overlap), weights=sheet.weights)))
    assert signs[0] == -signs[1]


def test_exchange_of_two_sites():
    """Triplet over singlet of a Hubbard pair with U = 5 eV, for each hopping of Eq. 11."""
    p = FourBandParameters()
    c = annihilators(4)
    n = [a.T @ a for a in c]

    def splitting(hopping):
        hop = sum(c[s].T @ c[2 + s] for s in (0, 1))
        h = hopping * (hop + hop.T) + 5.0 * (n[0] @ n[1] + n[2] @ n[3])
        two = np.flatnonzero(np.isclose(sum(n).diagonal(), 2))
        levels = np.linalg.eigvalsh(h.toarray()[np.ix_(two, two)])
        assert np.abs(levels[1:4]).max() < 1e-12  # the triplet
        return levels[1] - levels[0]

    ratios = {
        "between_1": (p.s11_0, p.t11_x),
        "between_2": (p.s22_0, p.t22_x),
        "in_plane": (p.t11_x, p.t22_x),
    }
    for name, (one, other) in ratios.items():
        exact = splitting(one) / splitting(other)
        assert measures.hopping_ratios()[name] == pytest.approx(exact, rel=0.1)


def test_flows_agree_on_beta_and_not_on_alpha():
    """Other flows at J/U = 0.1 that end in s±, and all of divERGe; at J = 0 α turns over."""
    beta, gamma, alpha = stored.BETA, stored.GAMMA, stored.ALPHA
    ours = stored.patch_flows()
    here = [ours[n].gaps[0] for n in ("base", "coarse", "U 4.0", "U 6.0", "U 8.0")]
    there = [flow.gaps[0] for flow in stored.diverge_flows().values()]
    for lines, sign in ((here, -1), (there, 1)):
        for line in lines:
            mean = [np.sign(v.mean()) for v in line]
            assert mean[beta] == -mean[gamma]
            assert mean[alpha] == sign * mean[gamma]
    without = [np.sign(v.mean()) for v in ours["hund 0.0"].gaps[0]]
    assert without[alpha] == without[gamma] == -without[beta]
    assert np.all(np.diff(stored.critical_scales("base", "doping 0.1", "doping 0.2")) > 0)


def test_without_mu_the_matrix_of_eq_40_is_empty():
    """Electrons in the levels of the 8 × 8 matrix, with and without μ, and a small gap."""
    found = measures.eq40_level()
    k = zone_mesh(64).reshape(-1, 2)
    gap = np.broadcast_to(1e-3 * np.eye(4), (len(k), 4, 4))
    for mu, name in ((0.0, "printed"), (chemical_potential(four_band(), 3), "with_mu")):
        h = four_band().hamiltonian(k).real - mu * np.eye(4)
        levels, u = np.linalg.eigh(np.block([[h, gap], [gap, -h]]))
        filled = (u[:, :4] ** 2 * (levels < 0)[:, None]).sum(axis=(1, 2)).mean()
        assert 2 * filled == pytest.approx(found[name], abs=0.02)


@pytest.mark.parametrize(("step", "kind"), [(0.05, "saddle"), (-0.03, "minimum")])
def test_pairs_need_gamma_at_three_electrons_too(step, kind):
    """Second variations about zero amplitudes with 8 × 8 matrices, at 23 K, on both sides."""
    link = measures.tj_gamma()["link"]
    model = four_band(FourBandParameters(s22_0=link + step))
    template = tj_mean_field(
        model, 3, **measures.exchange(), temperature=2e-3, mesh=128, channel="s"
    )
    assert (len(FermiSea.at(model, filling=3).sheets) == 3) == (kind == "saddle")
    general = Bogoliubov.like(template.problem)
    assert general.stability(np.zeros(len(general.names)), template.mu).kind == kind


def test_electrons_of_z_from_the_areas():
    """The bands' z² electrons at the doping that fills the orbital, by the slope of the energy."""
    doping = measures.full_orbital()
    step = 1e-3
    energy = []
    for sign in (1, -1):
        model = four_band(
            FourBandParameters(epsilon_z=FourBandParameters().epsilon_z + sign * step)
        )
        k = zone_mesh(400).reshape(-1, 2)
        levels, mu = model.energies(k), chemical_potential(model, 3 + doping)
        grand = -2 * 2e-3 * np.logaddexp(0, (mu - levels) / 2e-3).sum(axis=1).mean()
        energy.append(grand + mu * (3 + doping))
    assert (energy[0] - energy[1]) / (2 * step) / 2 == pytest.approx(1.0, abs=2e-3)
