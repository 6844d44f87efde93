"""t-J mean field: exact pair algebra, slopes, limits, symmetry, and a plain loop."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy
from lattices import lattice
from scipy.optimize import brentq
from scipy.special import logsumexp

from nickbook.bands import (
    BlochModel,
    EightBandParameters,
    FermiSea,
    FourBandParameters,
    bilayer_plane,
    eight_band,
    four_band,
    square_group,
    three_band,
    zone_mesh,
)
from nickbook.dimers.fock import annihilators
from nickbook.pairing import PairAmplitudes, TJModel, tj_critical_temperature, tj_mean_field
from nickbook.pairing.tj.bogoliubov import Bogoliubov
from nickbook.pairing.tj.free_energy import Problem, polar, reduced_mesh
from nickbook.pairing.tj.model import CONVENTIONS
from nickbook.pairing.tj.search import _Search

PRINTED = {"J1": 0.15, "J2": 0.075, "J1_inter": 0.03, "J2_inter": 0.375}
STRONG = {"J1": 0.5, "J2": 0.4, "J1_inter": 0.3, "J2_inter": 1.0}
DIAGONALS = ((1, 1), (1, -1))


@cache
def printed(convention="bond"):
    return tj_mean_field(four_band(), 3, **PRINTED, convention=convention, channel="s")


@cache
def strong(temperature=0.0, mesh=32, channel="s"):
    return tj_mean_field(
        four_band(), 3, **STRONG, temperature=temperature, mesh=mesh, channel=channel
    )


def square_model(layers=1, *, group=False):
    """One orbital in each of some layers that electrons do not leave, hopping with −1 eV."""
    unit = np.eye(layers)
    return lattice(
        {(1, 0): -unit, (0, 1): -unit},
        "square lattice",
        sites=tuple(range(layers)),
        mirror=unit[::-1] if layers == 2 else None,
        group=square_group(unit, unit) if group else (),
    )


def spin_products(c, i, j):
    """S_i·S_j and n_i n_j, with sites of two modes (up, down)."""
    vectors = []
    for site in (i, j):
        up, down = c[2 * site], c[2 * site + 1]
        plus = up.conj().T @ down
        z = (up.conj().T @ up - down.conj().T @ down) / 2
        x = (plus + plus.conj().T) / 2
        y = (plus - plus.conj().T) / 2j
        n = up.conj().T @ up + down.conj().T @ down
        vectors.append((x, y, z, n))
    spin = sum(a @ b for a, b in zip(vectors[0][:3], vectors[1][:3], strict=True))
    return spin, vectors[0][3] @ vectors[1][3]


def singlet(c, i, j):
    """Annihilator of the singlet on sites i and j."""
    return (c[2 * j + 1] @ c[2 * i] - c[2 * j] @ c[2 * i + 1]) / np.sqrt(2)


class TestDerivation:
    @pytest.mark.equation("GLYWH", 3, 35)
    def test_the_exchange_of_a_bond_counts_singlets(self):
        c = annihilators(4)
        spin, density = spin_products(c, 0, 1)
        b = singlet(c, 0, 1)
        assert abs(spin - density / 4 + b.conj().T @ b).max() < 1e-14

    @pytest.mark.equation("GLYWH", 4, 36)
    def test_pairs_of_a_cluster_attract_as_derived_and_not_as_printed(self):
        """A ring of three sites in two layers: matrix elements of H_J between pairs."""
        c, length = annihilators(12), 3
        site = lambda x, layer: 2 * (x % length) + layer  # noqa: E731
        bonds = [(site(x, a), site(x + 1, a), 1.0) for x in range(length) for a in (0, 1)]
        bonds += [(site(x, 0), site(x, 1), 0.7) for x in range(length)]
        energy = 0
        for i, j, exchange in bonds:
            spin, density = spin_products(c, i, j)
            energy = energy + exchange * (spin - density / 4)
        momenta = 2 * np.pi * np.arange(length) / length

        def pair(k, up, down):
            """c†_{up,↑}(k) c†_{down,↓}(−k) on the empty state."""
            empty = np.zeros(2**12, complex)
            # The vacuum is the state that every annihilator kills.
            empty[np.argmin(sum(a.conj().T @ a for a in c).diagonal().real)] = 1
            total = 0
            for x in range(length):
                for y in range(length):
                    phase = np.exp(1j * k * (x - y)) / length
                    create = c[2 * site(x, up)].conj().T @ c[2 * site(y, down) + 1].conj().T
                    total = total + phase * (create @ empty)
            return total

        for k in momenta:
            for q in momenta:
                inside = np.vdot(pair(k, 0, 0), energy @ pair(q, 0, 0))
                assert abs(inside + 2 / length * np.cos(k) * np.cos(q)) < 1e-12
                # GLYWH print −(2J/N) Σ± (cos kx ± cos ky)(cos qx ± cos qy), here without ky and qy.
                printed = sum(-2 / length * np.cos(k) * np.cos(q) for _ in "+-")
                assert abs(printed - CONVENTIONS["eq46-47"][0] * inside) < 1e-12
                between = np.vdot(pair(k, 0, 1), energy @ pair(q, 0, 1))
                assert abs(between + 0.7 / (2 * length)) < 1e-12
                swapped = np.vdot(pair(k, 0, 1), energy @ pair(q, 1, 0))
                assert abs(swapped + 0.7 / (2 * length)) < 1e-12

    def test_average_of_a_bond_has_three_parts(self):
        """Wick: singlet, hopping and density, in a random state of free quasiparticles."""
        random = np.random.default_rng(4)
        c = annihilators(4)
        hop, pair, level = random.normal(size=3)
        free = sum(hop * c[s].conj().T @ c[2 + s] for s in (0, 1)) + pair * singlet(c, 0, 1)
        # A pair on a site as well, so that the state is general for two alike sites.
        free = free + 0.4 * (c[1] @ c[0] + c[3] @ c[2])
        free = (free + free.conj().T).toarray()
        free = free + level * sum((a.conj().T @ a).toarray() for a in c)
        energies, vectors = np.linalg.eigh(free)
        weights = np.exp(-energies) / np.exp(-energies).sum()
        average = lambda a: complex(  # noqa: E731
            np.einsum("ai,ab,bi,i->", vectors.conj(), a.toarray(), vectors, weights)
        )
        b = singlet(c, 0, 1)
        chi = average(c[0].conj().T @ c[2])
        density = average(c[0].conj().T @ c[0] + c[1].conj().T @ c[1])
        parts = abs(average(b)) ** 2 + abs(chi) ** 2 + abs(density) ** 2 / 4
        assert abs(average(b.conj().T @ b) - parts) < 1e-12

    @pytest.mark.equation("GLYWH", 37, 46, 47)
    def test_gap_equation_symbolically(self):
        """dF/dΔ = 0 is Eq. 46 with J for 2J, and Eq. 47."""
        gap, xi, form, j = sympy.symbols("Delta xi f J", positive=True)
        energy = sympy.sqrt(xi**2 + gap**2 * form**2)
        anomalous = -gap * form / (2 * energy)  # ⟨c↓(−k) c↑(k)⟩ at T = 0
        free = gap**2 / j + xi - energy
        for multiple, misses in ((1, False), (2, True)):
            printed_slope = gap + multiple * j * form * anomalous
            assert (sympy.simplify(sympy.diff(free, gap) * j / 2 - printed_slope) != 0) == misses
        # Between the layers: F = 2Δ²/J' and two blocks with ±Δ.
        free = 2 * gap**2 / j + 2 * (xi - sympy.sqrt(xi**2 + gap**2))
        average = 2 * (-gap / (2 * sympy.sqrt(xi**2 + gap**2)))  # the g of Eq. 47
        assert sympy.simplify(sympy.diff(free, gap) * j / 4 - (gap + j / 2 * average)) == 0


class TestFreeEnergy:
    @pytest.mark.parametrize("temperature", [0.0, 0.03])
    @pytest.mark.parametrize("bond_fields", ["none", "hartree-fock"])
    def test_slopes(self, temperature, bond_fields):
        solution = tj_mean_field(
            four_band(),
            3,
            **STRONG,
            temperature=temperature,
            channel="s+d",
            mesh=24,
            bond_fields=bond_fields,
        )
        problem = solution.problem
        x = np.random.default_rng(1).normal(size=len(problem.modes)) * 0.1
        _, slope, excess = problem(x, 10.0)
        h = 1e-5
        for j, step in enumerate(h * np.eye(len(x))):
            numeric = (problem(x + step, 10.0)[0] - problem(x - step, 10.0)[0]) / (2 * h)
            assert abs(numeric - slope[j]) < 2e-8
        numeric = (problem(x, 10.0 + h)[0] - problem(x, 10.0 - h)[0]) / (2 * h)
        assert abs(numeric - excess) < 2e-8

    @pytest.mark.parametrize("temperature", [0.0, 0.03])
    @pytest.mark.equation("GLYWH", 40, 45)
    def test_closed_forms_equal_eigenvectors(self, temperature):
        solution = strong(temperature)
        problem = solution.problem
        general = Bogoliubov.like(problem)
        x = np.random.default_rng(2).normal(size=4) * 0.1
        value, slope, excess = problem(x, 10.05)
        named = dict(zip([mode.name for mode in problem.modes], x, strict=True))
        spread = [named.get(n, named.get(n[:-2], 0.0)) for n in general.names]
        other = general(np.array(spread), 10.05)
        assert abs(value - other[0]) < 1e-12
        assert abs(excess - other[2]) < 1e-12
        merged = dict.fromkeys(named, 0.0)
        for name, part in zip(general.names, other[1], strict=True):
            for key in (name, name[:-2]):
                if key in merged:
                    merged[key] += part
        assert np.abs(slope - list(merged.values())).max() < 1e-12

    @pytest.mark.parametrize("temperature", [0.0, 1e-3, 0.1])
    def test_polar_factor_of_two_by_two(self, temperature):
        random = np.random.default_rng(3)
        z = random.normal(size=(2, 2, 50)) + 1j * random.normal(size=(2, 2, 50))
        z[:, :, 0] = np.eye(2) * 0.3  # equal singular values
        z[:, :, 1] = np.diag([0.3, 0.3 * (1 + 2e-6)])  # nearly equal ones
        padded = np.zeros((3, 3, 50), complex)
        padded[:2, :2] = z
        padded[2, 2] = 5.0
        total, turn = polar(z, temperature)
        total3, turn3 = polar(padded, temperature)
        assert np.abs(total + 5.0 - total3).max() < 1e-12
        assert np.abs(turn - turn3[:2, :2]).max() < 1e-9

    def test_bogoliubov_hessian(self):
        solution = strong(0.03, 24)
        general = replace(Bogoliubov.like(solution.problem), mesh=16)
        random = np.random.default_rng(5)
        x = random.normal(size=len(general.names)) * 0.1
        hessian, h = general.hessian(x, 10.0), 1e-5
        for j in (0, 3, 11, len(x)):
            step = h * np.eye(len(x) + 1)[j]
            parts = [general(x + s * step[:-1], 10.0 + s * step[-1]) for s in (1, -1)]
            column = [(a - b) / (2 * h) for a, b in zip(parts[0][1], parts[1][1], strict=True)]
            column.append((parts[0][2] - parts[1][2]) / (2 * h))
            assert np.abs(hessian[:, j] - column).max() < 1e-7

    def test_stability_at_fixed_filling(self):
        """Second differences of the free energy with the filling restored at each point."""
        solution = strong(0.03, 24)
        problem, stability = solution.problem, solution.stability()
        scale = np.sqrt(2 * problem.stiffness)
        h = 2e-3
        for j, name in enumerate(mode.name for mode in problem.modes):
            step = np.zeros(4)
            step[j] = h / scale[j]
            points = (solution.x + step, solution.x, solution.x - step)
            values = [problem(x, problem.level(x, solution.mu))[0] for x in points]
            numeric = (values[0] - 2 * values[1] + values[2]) / h**2
            direction = np.zeros(len(stability.names))
            both = [
                i for i, n in enumerate(stability.names) if n in (name, f"{name} 0", f"{name} 1")
            ]
            direction[both] = 1 / np.sqrt(len(both))
            along = (stability.directions.T @ direction) ** 2 @ stability.variations
            assert numeric == pytest.approx(along, rel=1e-4)


class TestSolution:
    @pytest.mark.parametrize("convention", list(CONVENTIONS))
    def test_stationary_and_below_the_normal_state(self, convention):
        solution = printed(convention)
        _, slope, excess = solution.problem(solution.x, solution.mu)
        assert np.abs(slope).max() < 1e-10
        assert abs(excess) < 1e-10
        assert solution.condensation_energy > 1e-4

    def test_a_minimum_with_one_flat_direction(self):
        stability = printed().stability()
        assert stability.kind == "minimum"
        assert stability.flat == 1
        assert all(name.startswith("i ") for name in stability.leading())

    def test_zero_is_no_minimum(self):
        solution = printed()
        general = replace(Bogoliubov.like(solution.problem), temperature=1e-3, mesh=64)
        stability = general.stability(np.zeros(len(general.names)), 10.0975)
        assert stability.kind == "saddle"
        assert stability.falling == 2  # real and imaginary part of one s-wave state

    @pytest.mark.equation("GLYWH", 40, 45, 48)
    def test_equals_a_plain_loop_with_linear_mixing(self):
        """Eq. 48 with the eigenvectors of the 8 × 8 matrix, on all points of the mesh."""
        solution = strong(mesh=16)
        gaps = plain_loop(16, STRONG, solution.mu)
        found = solution.gaps
        for name, value in gaps.items():
            assert abs(abs(found[name]) - abs(value)) < 1e-9

    @pytest.mark.parametrize(
        "start",
        [
            ([[0.02, 0.05j], [0.02, 0.05j]], [[0.1, 0.03], [0.1, 0.03]], [0.01, -0.1]),
            ([[0.01, 0.1], [-0.01, -0.1]], [[0, 0.1j], [0, -0.1j]], [0.0, 0.01]),
        ],
        ids=["d + is", "layers opposite"],
    )
    def test_general_starts_end_in_the_s_wave(self, start):
        general = tj_mean_field(
            four_band(),
            3,
            **STRONG,
            mesh=16,
            channel="full",
            temperature=0.02,
            start=PairAmplitudes(*(np.array(part, complex) for part in start)),
        )
        pure = strong(0.02, 16)
        assert abs(general.free_energy - pure.free_energy) < 1e-9
        assert abs(np.abs(general.amplitudes.s) - np.abs(pure.amplitudes.s)).max() < 1e-6
        assert np.abs(general.amplitudes.d).max() < 1e-6
        assert general.stability().kind == "minimum"

    def test_layers_apart_are_a_saddle_that_is_found_when_asked_for(self):
        """Opposite layers without pairs between them stay so by symmetry."""
        start = PairAmplitudes(
            np.array([[0.5, 0], [-0.5, 0]], complex), np.zeros((2, 2), complex), np.zeros(2)
        )
        antisymmetric = tj_mean_field(
            four_band(), 3, J1=3.0, J1_inter=0.05, temperature=0.02,
            mesh=16, channel="full", start=start,
        )  # fmt: skip
        s = antisymmetric.amplitudes.s
        assert np.abs(s[0] + s[1]).max() < 1e-9 < np.abs(s).max()
        assert antisymmetric.stability().kind == "saddle"

    def test_chooses_the_lower_channel(self):
        """J1 alone on a cuprate-like orbital gives d."""
        model = square_model()
        options = {"J1": 1.0, "mesh": 64}
        best = tj_mean_field(model, 0.85, **options)
        assert best.channel == "d"
        other = tj_mean_field(model, 0.85, **options, channel="d")
        assert best.free_energy == other.free_energy
        # Near an empty band the extended s wave wins.
        assert tj_mean_field(model, 0.2, **options | {"J1": 4.0}).channel == "s"

    def test_the_lowest_of_several_is_taken(self):
        good = strong(mesh=24)
        search = _Search(good.bonds, 3.0, 0.0, 24, hold_mu=False)
        higher = replace(good, x=1.05 * good.x, residual=1.0)
        assert search._checked([higher, good]).x is good.x
        with pytest.raises(RuntimeError, match="did not converge"):
            search._checked([higher])

    def test_mesh_convergence(self):
        coarse, fine = (
            tj_mean_field(four_band(), 3, **PRINTED, mesh=n, channel="s", temperature=2e-3)
            for n in (128, 384)
        )
        for name in ("s2", "inter2"):
            assert abs(coarse.gaps[name] / fine.gaps[name] - 1) < 1e-2


def plain_loop(mesh, exchange, mu):
    """GLYWH Eq. 48 on the whole mesh with the prefactors that H_J gives."""
    axis = 2 * np.pi * np.arange(mesh) / mesh
    kx, ky = (a.ravel() for a in np.meshgrid(axis, axis, indexing="ij"))
    h = four_band().hamiltonian(np.stack([kx, ky], axis=-1)) - mu * np.eye(4)
    s = np.cos(kx) + np.cos(ky)
    gap = {"s1": 0.02, "s2": 0.1, "inter1": -0.02, "inter2": -0.2}
    for _ in range(3000):
        a = np.zeros((len(kx), 8, 8), complex)
        a[:, :4, :4], a[:, 4:, 4:] = h, -h.conj()
        for o in (0, 1):
            for layer in (0, 2):
                a[:, o + layer, 4 + o + layer] = gap[f"s{o + 1}"] * s
                a[:, o + layer, 4 + o + 2 - layer] = gap[f"inter{o + 1}"]
        a[:, 4:, :4] = a[:, :4, 4:].conj().swapaxes(1, 2)
        energies, u = np.linalg.eigh(a)
        filled = (energies < 0).astype(float)
        average = np.einsum("kam,km,kbm->kab", u, filled, u.conj())  # ⟨c_a c†_b⟩ reversed
        new = {}
        for o in (0, 1):
            inside = average[:, o, 4 + o].real
            between = (average[:, o, 6 + o] + average[:, 2 + o, 4 + o]).real
            new[f"s{o + 1}"] = -exchange[f"J{o + 1}"] * np.mean(s * inside)
            new[f"inter{o + 1}"] = -exchange[f"J{o + 1}_inter"] / 2 * np.mean(between)
        change = max(abs(new[name] - gap[name]) for name in gap)
        gap = {name: (gap[name] + new[name]) / 2 for name in gap}
        if change < 1e-11:
            break
    return gap


class TestLimits:
    @pytest.mark.equation("GLYWH", 47)
    def test_constant_gap_from_a_scalar_equation(self):
        """1 = (J'/2) mean of tanh(E/2T)/E, by another root finder."""
        axis = 2 * np.pi * np.arange(128) / 128
        band = -2 * (np.cos(axis)[:, None] + np.cos(axis)).ravel()
        for temperature in (0.0, 0.1):
            solution = tj_mean_field(
                square_model(2), 0.8, J1=0.0, J1_inter=4.0, temperature=temperature, channel="s"
            )
            xi = band - solution.mu

            def excess(gap, xi=xi, temperature=temperature):
                energy = np.hypot(xi, gap)
                factor = np.tanh(energy / (2 * temperature)) if temperature else 1.0
                return 4.0 / 2 * np.mean(factor / energy) - 1

            gap = brentq(excess, 1e-3, 5, xtol=1e-14)
            assert abs(solution.gaps["inter1"]) == pytest.approx(gap, abs=1e-10)

    @pytest.mark.equation("GLYWH", 46)
    def test_d_wave_from_a_scalar_equation(self):
        axis = 2 * np.pi * np.arange(96) / 96
        cosine = np.cos(axis)
        solution = tj_mean_field(square_model(), 0.85, J1=2.0, mesh=96, channel="d")
        xi = -2 * np.add.outer(cosine, cosine) - solution.mu
        form = np.subtract.outer(cosine, cosine)

        def excess(gap):
            return np.mean(2.0 * form**2 / (2 * np.hypot(xi, gap * form + 1e-300))) - 1

        assert abs(solution.gaps["d1"]) == pytest.approx(brentq(excess, 1e-2, 3), abs=1e-9)

    def test_weak_exchange_asks_for_a_mesh(self):
        with pytest.raises(ValueError, match="mesh = 128 is too coarse"):
            tj_mean_field(four_band(), 3, J1=0.01, J2=0.005, J2_inter=0.02)

    @pytest.mark.parametrize(("doping", "changes"), [(0.08, {}), (0.0, {"J2": 0.0})])
    def test_gap_closes_at_the_critical_temperature(self, doping, changes):
        given = PRINTED | {"mesh": 128} | changes
        critical = tj_critical_temperature(four_band(), 3 + doping, **given)
        below, above, zero = (
            tj_mean_field(
                four_band(), 3 + doping, **given, temperature=critical * factor, channel="s"
            )
            for factor in (0.99, 1.01, 0.05)
        )
        assert above.channel == "normal"
        # Near T_c the BCS gap is 1.74 sqrt(1 − T/T_c) of that at T = 0.
        share = below.gaps["inter2"] / zero.gaps["inter2"]
        assert abs(share) == pytest.approx(0.174, rel=0.1)

    @pytest.mark.parametrize("temperature", [0.0, 0.02])
    def test_insulator_with_weak_exchange_is_normal(self, temperature):
        """A gap of 2.8 eV against J = 0.2 eV; the level is in its middle."""
        hop = np.diag([-0.3, 0.3])
        model = lattice({(0, 0): np.diag([-2.0, 2.0]), (1, 0): hop, (0, 1): hop}, "insulator")
        options = {"J1": 0.2, "J2": 0.2, "mesh": 32, "temperature": temperature}
        solution = tj_mean_field(model, 2, **options)
        assert solution.channel == "normal"
        assert abs(solution.mu) < 1e-9


class TestSymmetry:
    def test_reduction_changes_nothing(self):
        solution = strong(mesh=24)
        m, rows = four_band(), solution.bonds.rows
        bare = BlochModel(m.name, m.orbitals, m.translations, m.hoppings)
        full = replace(solution.problem, bonds=replace(solution.bonds, bands=bare, layers=rows))
        value, slope, excess = full(solution.x, solution.mu)
        assert len(full.weights) == 24**2 > 6 * len(solution.problem.weights)
        assert abs(value - solution.free_energy) < 1e-12
        assert np.abs(slope).max() < 1e-10
        assert abs(excess) < 1e-10

    @pytest.mark.parametrize("shift", [0.0, 0.5])
    @pytest.mark.parametrize("channel", ["s", "s+d"])
    def test_reduced_momenta_stand_for_all(self, channel, shift):
        models = (four_band(),)
        k, weights = reduced_mesh(models, 12, channel, shift)
        full, equal = reduced_mesh((square_model(),), 12, channel, shift)
        assert len(full) == 144 > len(k)
        assert np.ptp(equal) == 0
        for harmonic in range(1, 5):
            value = [np.cos(harmonic * q).sum(axis=-1) + np.cos(q).prod(axis=-1) for q in (k, full)]
            square = [w @ v**2 for w, v in zip((weights, equal), value, strict=True)]
            assert square[0] == pytest.approx(square[1], abs=1e-13)

    def test_quarter_turn_reverses_d_and_a_phase_costs_nothing(self):
        solution = strong(0.03, 16)
        general = replace(Bogoliubov.like(solution.problem), mesh=16)
        x = np.random.default_rng(7).normal(size=len(general.names)) * 0.1
        reference = general(x, 10.0)[0]
        turned = np.array(
            [-v if " d " in f" {n}" else v for v, n in zip(x, general.names, strict=True)]
        )
        assert abs(general(turned, 10.0)[0] - reference) < 1e-12
        rotated = x.copy()
        real = [i for i, n in enumerate(general.names) if not n.startswith("i ")]
        for i in real:
            j = general.names.index(f"i {general.names[i]}")
            pair = (x[i] + 1j * x[j]) * np.exp(0.7j)
            rotated[i], rotated[j] = pair.real, pair.imag
        assert abs(general(rotated, 10.0)[0] - reference) < 1e-12
        assert abs(general(np.where(x > 0, 1.3, 1) * x, 10.0)[0] - reference) > 1e-3

    def test_sign_of_an_orbital_is_a_gauge(self):
        model = four_band()
        signs = np.diag([1.0, -1.0, 1.0, -1.0])
        changed = BlochModel(
            "z² reversed",
            model.orbitals,
            model.translations,
            signs @ model.hoppings @ signs,
            sites=model.sites,
        )
        other = tj_mean_field(changed, 3, **STRONG, mesh=24, channel="s")
        for name, value in strong(mesh=24).gaps.items():
            assert abs(abs(other.gaps[name]) - abs(value)) < 1e-9

    def test_planes_use_their_own_neighbours(self):
        """Without hopping between bilayers a plane is the four-band model on a turned lattice."""
        p = FourBandParameters()
        alone = EightBandParameters(
            **{name: getattr(p, name) for name in p.__dataclass_fields__},
            s11_z=0.0, s13_z=0.0, s22_z=0.0, s24_z=0.0,
        )  # fmt: skip
        flat = strong(0.05, 96)
        for kz in (0.0, 1.0):
            plane = tj_mean_field(
                bilayer_plane(kz, alone), 3, **STRONG, mesh=96, channel="s", temperature=0.05,
                neighbors=DIAGONALS,
            )  # fmt: skip
            for name, value in flat.gaps.items():
                assert abs(abs(plane.gaps[name]) - abs(value)) < 2e-6

    def test_planes_are_averaged(self):
        options = {"mesh": 24, "channel": "s", "temperature": 0.02, "neighbors": DIAGONALS}
        one = tj_mean_field(bilayer_plane(1.0), 3, **STRONG, **options)
        two = tj_mean_field([bilayer_plane(1.0), bilayer_plane(-1.0)], 3, **STRONG, **options)
        for name, value in one.gaps.items():
            assert abs(abs(two.gaps[name]) - abs(value)) < 1e-9


def quasiparticle_gaps(solution, sheet):
    """Lowest level of the full matrix on a Fermi line, signed by its electron and hole parts."""
    h = solution.hamiltonian(sheet.points) - solution.mu * np.eye(4)
    gap = solution.gap_matrix(sheet.points)
    levels, states = np.linalg.eigh(np.block([[h, gap], [gap.conj().swapaxes(1, 2), -h]]))
    lowest = states[:, :, 4]
    overlap = np.einsum("ka,ka->k", lowest[:, :4].conj(), lowest[:, 4:]).real
    return levels[:, 4] * np.sign(overlap)


class TestGapFunction:
    def test_projection_is_the_quasiparticle_gap_where_bands_are_apart(self):
        solution = printed()
        gap = solution.gap_function()
        for sheet, values in zip(gap.sheets, gap.values, strict=True):
            assert np.abs(np.abs(values) - solution.spectroscopic_gap(sheet)).max() < 1e-5

    def test_projection_on_a_plane_without_mirror(self):
        """States are complex there, and the projection is real all the same."""
        solution = tj_mean_field(
            bilayer_plane(1.0), 3, **PRINTED, mesh=64, temperature=1e-3, channel="s",
            neighbors=DIAGONALS,
        )  # fmt: skip
        gap = solution.gap_function()
        for sheet, values in zip(gap.sheets, gap.values, strict=True):
            assert (
                np.abs(np.abs(values) - solution.spectroscopic_gap(sheet, points=41)).max() < 2e-4
            )

    @pytest.mark.parametrize(
        ("changes", "signs"),
        [
            ({}, (-1, 1, 1)),
            ({"J2": 0.3}, (-1, 1, -1)),
            ({"J2": 0.2, "convention": "eq46-47"}, (-1, 1, -1)),
        ],
        ids=["printed", "strong J2", "strong J2, Eqs. 46-47"],
    )
    def test_signs_are_those_of_the_quasiparticles(self, changes, signs):
        """At a Fermi point the hole part v of the lowest level is the electron part u times sgn Δ.

        Neither the projection nor the mirror is used; averages weigh the points of a line alike.
        """
        solution = tj_mean_field(four_band(), 3, **PRINTED | changes, channel="s")
        lines = solution.sea.sheets
        found = [np.average(quasiparticle_gaps(solution, s), weights=s.weights) for s in lines]
        overall = np.sign(found[1])
        assert tuple(np.sign(found) * overall) == signs
        projected = solution.gap_function()
        assert tuple(overall * np.array(projected.signs())) == signs

    @pytest.mark.parametrize("kz", [np.pi / 2, np.pi])
    def test_signs_of_the_quasiparticles_on_a_plane(self, kz):
        """Large pockets of holes against small ones, on planes with and without mirror."""
        solution = tj_mean_field(
            bilayer_plane(kz), 3, **PRINTED, mesh=48, temperature=1e-3, neighbors=DIAGONALS
        )
        assert solution.channel == "s"
        holes = [s for s in solution.sea.sheets if s.kind == "hole"]
        gaps = {s.area: np.average(quasiparticle_gaps(solution, s), weights=s.weights)
                for s in holes}  # fmt: skip
        small, large = ([v for area, v in gaps.items() if (area < 0.15) == low]
                        for low in (True, False))  # fmt: skip
        assert small
        assert large
        assert max(np.sign(small) * np.sign(large[0])) == -1

    def test_lowest_energies_are_refined_between_points(self):
        solution = strong()
        sheet = solution.sea.sheets[0]
        few, many = (solution.spectroscopic_gap(sheet, points=n) for n in (41, 401))
        coarse = solution.energies(sheet.points)[:, 0]
        assert np.abs(few - many).max() < 0.06 * np.abs(coarse - many).max()

    def test_energies_are_those_of_the_matrix(self):
        solution = strong()
        k = np.random.default_rng(8).uniform(-3, 3, size=(20, 2))
        h = solution.hamiltonian(k) - solution.mu * np.eye(4)
        sigma = np.linalg.svd(h + 1j * solution.gap_matrix(k), compute_uv=False)
        assert np.abs(np.sort(sigma, axis=-1) - solution.energies(k)).max() < 1e-12


class TestDoors:
    def test_a_sea_brings_its_filling(self):
        model = TJModel(FermiSea.at(four_band(), filling=3), **STRONG)
        solution = model.solve(mesh=32, channel="s")
        for name, value in strong().gaps.items():
            assert solution.gaps[name] == pytest.approx(value, abs=1e-9)
        critical = model.critical_temperature(mesh=64)
        assert critical == pytest.approx(
            tj_critical_temperature(four_band(), 3, **STRONG, mesh=64), rel=1e-9
        )
        planes = [FermiSea(bilayer_plane(kz), 10.1) for kz in (0.5, 1.5)]
        fillings = [sea.filling for sea in planes]
        assert TJModel(planes, J1=1.0).filling(None) == pytest.approx(np.mean(fillings))

    def test_filling_and_sea_exclude_each_other(self):
        sea = FermiSea(bilayer_plane(0.5), 10.1)
        for bands, filling in ((sea, 3.0), (sea.model, None), ([sea, sea.model], None)):
            with pytest.raises(TypeError, match="FermiSea in place of each"):
                tj_mean_field(bands, filling, J1=1.0)
        with pytest.raises(ValueError, match="one level for all planes"):
            tj_mean_field([sea, FermiSea(sea.model, 10.2)], J1=1.0)

    def test_channel_of_the_gap_is_read_off_its_values(self):
        """By the representation of the same gap on patches, at the points that both share."""
        sea, doped = FermiSea(square_model(group=True), -1.0), {"mesh": 64, "temperature": 0.05}
        diagonal = {"J1": 3.0, "neighbors": DIAGONALS}
        for options, name in (
            ({"J1": 2.0, "channel": "d"}, "B1"),
            (diagonal | {"channel": "d"}, "B2"),
            (diagonal | {"channel": "s"}, "A1"),
        ):
            solution = tj_mean_field(sea, **doped, **options)
            gap = solution.gap_function()
            assert gap.channel == f"singlet {name}"
            patches = solution.sea.patches(16)
            values = solution.gap_matrix(patches.points)[:, 0, 0].real
            assert patches.representation(values) == (name, pytest.approx(1))
        assert (
            tj_mean_field(square_model(), 0.85, J1=2.0, channel="d", **doped)
            .gap_function(sea)
            .channel
            == "singlet"
        )
        assert tj_mean_field(sea, J1=0.0).gap_function().kind == "normal"


class TestBondFields:
    def test_energy_of_a_dimer(self):
        """Two uncoupled-cell sites: the hopping average renormalizes the splitting by J/2·χ."""
        swap = np.eye(2)[::-1]
        model = lattice({(0, 0): -swap}, "dimers", mirror=swap, sites=(0, 1))
        solution = tj_mean_field(
            model, 2.0, J1=0.0, J1_inter=0.2, temperature=0.05, bond_fields="fock", mesh=8
        )
        assert solution.channel == "normal"
        link = solution.unknowns["link 1"].real
        # Bonding orbital filled: χ = ½ tanh((1 − link)/2T)·…, and link = −(J/2) χ.
        chi = np.tanh((1 - link) / (2 * 0.05)) / 2
        assert link == pytest.approx(-0.1 * chi, abs=1e-9)

    def test_hopping_average_from_a_scalar_equation(self):
        """Above T_c: each hopping of the band gains −(J/2)⟨c†c⟩ of one spin."""
        solution = tj_mean_field(
            square_model(), 0.85, J1=1.0, temperature=0.4, mesh=48, bond_fields="fock"
        )
        assert solution.channel == "normal"
        cosine = np.cos(2 * np.pi * np.arange(48) / 48)
        form = np.add.outer(cosine, cosine)

        def miss(change):
            energy = -2 * form + 2 * change * form - solution.mu
            chi = np.mean(form / 2 / (1 + np.exp(energy / 0.4)))
            return change + 1.0 / 2 * chi

        expected = brentq(miss, -1, 1, xtol=1e-13)
        assert solution.unknowns["fock 1"].real == pytest.approx(2 * expected, abs=1e-8)

    def test_hartree_moves_levels_only(self):
        options = {"J1": 2.0, "mesh": 64, "channel": "d", "temperature": 0.05}
        plain, fock, both = (
            tj_mean_field(square_model(), 0.85, **options, bond_fields=fields)
            for fields in ("none", "fock", "hartree-fock")
        )
        assert both.unknowns["level 1"].real == pytest.approx(-2.0 * 0.85, abs=1e-9)
        assert abs(fock.gaps["d1"]) == pytest.approx(abs(both.gaps["d1"]), abs=1e-9)
        assert abs(abs(fock.gaps["d1"]) - abs(plain.gaps["d1"])) > 1e-3

    @pytest.mark.parametrize("fields", ["fock", "hartree-fock"])
    def test_lines_are_those_of_the_bands_with_bond_fields(self, fields):
        """Where the matrix of the solution has a level at μ; the bare bands do not."""
        solution = tj_mean_field(four_band(), 3, **PRINTED, mesh=48, bond_fields=fields)
        for sheet in solution.sea.sheets:
            levels = np.linalg.eigvalsh(solution.hamiltonian(sheet.points)) - solution.mu
            assert np.abs(levels).min(axis=1).max() < 1e-9
        k = np.array([[0.3, 1.1], [2.0, -0.7]])
        forms = np.cos(k).sum(axis=1)
        change = solution.hamiltonian(k) - four_band().hamiltonian(k)
        expected = forms * solution.unknowns["fock 1"].real
        expected += solution.unknowns.get("level 1", 0.0).real
        assert change[:, 0, 0].real == pytest.approx(expected)
        assert np.abs(change[0]).max() > 0.01

    @pytest.mark.parametrize("fields", ["none", "fock", "hartree-fock"])
    def test_the_gap_closes_at_the_critical_temperature(self, fields):
        """The nonlinear equations open a gap below T_c only, with the same fields."""
        given = PRINTED | {"bond_fields": fields, "channel": "s", "mesh": 96}
        critical = tj_critical_temperature(four_band(), 3.1, **given)
        below, above = (
            tj_mean_field(four_band(), 3.1, **given, temperature=critical * share)
            for share in (0.97, 1.01)
        )
        assert above.channel == "normal"
        assert below.channel == "s"
        # Near T_c the gap goes as the root of the distance.
        lower = tj_mean_field(four_band(), 3.1, **given, temperature=critical * 0.94)
        ratio = lower.gaps["inter2"] / below.gaps["inter2"]
        assert abs(ratio) == pytest.approx(np.sqrt(2), rel=0.03)

    def test_filling_of_the_bands_with_bond_fields(self):
        """Of a normal state: the area of its lines holds the electrons that were asked for."""
        options = {"temperature": 0.02, "mesh": 256, "bond_fields": "hartree-fock"}
        solution = tj_mean_field(four_band(), 3, J1=0.02, J2_inter=0.05, **options)
        assert solution.channel == "normal"
        assert solution.sea.filling == pytest.approx(3.0, abs=0.01)
        assert solution.sea.model != four_band()


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"J1": -0.1}, "J1 = -0.1 eV; allowed"),
            ({"J2_inter": float("nan")}, "J2_inter = nan"),
            ({"filling": 8.0}, "filling = 8.0"),
            ({"filling": -1}, "filling = -1"),
            ({"temperature": -1.0}, "temperature = -1.0"),
            ({"convention": "eq. 48"}, "convention = 'eq. 48'; allowed: 'bond'"),
            ({"channel": "p"}, "channel = 'p'"),
            ({"bond_fields": "all"}, "bond_fields = 'all'"),
            ({"mesh": 4}, "mesh = 4; allowed: an integer >= 8"),
            ({"neighbors": ((1, 0),)}, "neighbors"),
            ({"layers": ((0, 1), (2, 2))}, "layers"),
            ({"layers": ((0, 1), (2, 9))}, "layers"),
            ({"channel": "full"}, "start = None"),
            ({"channel": "full", "start": PairAmplitudes(np.zeros(2), np.zeros(2), np.zeros(2))},
             "start.s has shape"),
            ({"model": square_model(1), "J2": 0.1}, "one orbital in a layer"),
            ({"model": square_model(1), "J1_inter": 0.1, "J2": 0, "J2_inter": 0}, "one layer"),
            ({"model": []}, "give one BlochModel"),
        ],
    )  # fmt: skip
    def test_is_named(self, changes, words):
        given = {"model": four_band(), "filling": 3.0, **PRINTED, "mesh": 32} | changes
        if given["model"] != [] and len(given["model"].orbitals) == 1 and "J1_inter" not in changes:
            given |= {"J1_inter": 0.0, "J2_inter": 0.0}
        model, filling = given.pop("model"), given.pop("filling")
        with pytest.raises(ValueError, match=words):
            tj_mean_field(model, filling, **given)

    def test_models_without_layers_are_refused(self):
        with pytest.raises(ValueError, match="layers"):
            tj_mean_field(three_band(), 3, J1=0.1)
        with pytest.raises(ValueError, match="bilayer_plane"):
            tj_mean_field(eight_band(), 6, J1=0.1)

    def test_bands_with_the_spin_written_out_are_refused(self):
        with pytest.raises(ValueError, match="spin_degeneracy = 1"):
            tj_mean_field(replace(square_model(2), spin_degeneracy=1), 1.7, J1=1.0)

    def test_no_half_converged_answer(self, monkeypatch):
        monkeypatch.setattr(Problem, "polish", lambda _, x, mu: (x, mu, 1e-4))
        with pytest.raises(RuntimeError, match=r"did not converge .*residual 1\.0e-04 eV"):
            tj_mean_field(four_band(), 3, **STRONG, mesh=32, channel="s")

    def test_temperature_of_an_unresolved_channel(self):
        with pytest.raises(ValueError, match="too coarse for the critical temperature"):
            tj_critical_temperature(four_band(), 3, J1=0.05, channel="d", mesh=64)


@pytest.mark.parametrize("temperature", [0.005, 0.01, 0.02, 0.05])
def test_level_of_an_insulator_balances_electrons_and_holes(temperature):
    """Bands of different mass: the filling is flat in mu, and only its logarithm tells."""
    hops = {(0, 0): np.diag([-2.0, 2.0])} | {r: np.diag([-0.3, 0.1]) for r in ((1, 0), (0, 1))}
    model = lattice(hops)
    found = tj_mean_field(model, 2.0, J1=0.01, mesh=64, temperature=temperature, layers=[[0, 1]])
    low, high = model.energies(zone_mesh(512)).reshape(-1, 2).T

    def balance(mu):
        electrons, holes = (
            -np.logaddexp(0, (high - mu) / temperature),
            -np.logaddexp(0, (mu - low) / temperature),
        )
        return logsumexp(electrons) - logsumexp(holes)

    assert found.mu == pytest.approx(brentq(balance, -0.8, 1.6), abs=1e-5)
