"""No double occupancy: factors from states of a site, textbook limits, and a plain loop."""

from dataclasses import replace

import numpy as np
import pytest
from lattices import square_lattice
from scipy.optimize import brentq, root
from scipy.special import expit

from nickbook.bands import FermiSea, bilayer_plane, four_band
from nickbook.dimers.fock import annihilators
from nickbook.pairing import ProjectedTJModel, TJModel, gutzwiller_factors

PRINTED = {"J1": 0.15, "J2": 0.075, "J1_inter": 0.03, "J2_inter": 0.375}
WARM = 0.03
#: Places of the orbitals of a layer, and to which of them each orbital of a cell is like.
ORBITALS = np.array([0, 1, 0, 1])


class TestFactors:
    @pytest.mark.parametrize("n", [0.05, 0.6, 0.95])
    def test_from_the_states_of_one_site(self, n):
        """P†OP in first order of the distance from the average, with P from its two conditions."""
        up, down = (c.toarray().real for c in annihilators(2))
        numbers = [c.T @ c for c in (up, down)]
        empty = (np.eye(4) - numbers[0]) @ (np.eye(4) - numbers[1])
        single = sum(numbers) - 2 * numbers[0] @ numbers[1]
        free = n / 2 * numbers[0] + (1 - n / 2) * (np.eye(4) - numbers[0])
        free = free @ (n / 2 * numbers[1] + (1 - n / 2) * (np.eye(4) - numbers[1]))
        # ⟨P†P⟩ = 1 and ⟨P†P n⟩ = n fix the weights of the empty and of the singly filled site.
        rows = [[np.trace(free @ part @ o) for part in (empty, single)]
                for o in (np.eye(4), sum(numbers))]  # fmt: skip
        a, b = np.linalg.solve(rows, [1, n])
        projector = np.sqrt(a) * empty + np.sqrt(b) * single

        def factor(operator, probe):
            """Ratio of the correlations with a probe, after and before the projection."""
            after = projector @ operator @ projector
            return np.trace(free @ after @ probe) / np.trace(free @ operator @ probe)

        found = gutzwiller_factors(n)
        charge, spin = (sum(numbers) - n * np.eye(4), numbers[0] - numbers[1])
        assert found.hopping[0] == pytest.approx(factor(up, up.T) ** 2)
        assert found.spin[0] == pytest.approx(factor(spin, spin) ** 2)
        # The average itself is subtracted: P†P is not one.
        shifted = projector @ sum(numbers) @ projector - n * np.eye(4)
        density = np.trace(free @ shifted @ charge) / np.trace(free @ charge @ charge)
        assert found.density[0] == pytest.approx(density**2)

    def test_limits(self):
        f = gutzwiller_factors([0.0, 1.0])
        assert f.hopping.tolist() == [1.0, 0.0]
        assert f.spin.tolist() == [1.0, 4.0]
        assert f.pairs.tolist() == [1.0, 3.0]
        assert f.hops.tolist() == [1.0, 6.0]

    @pytest.mark.parametrize("n", [-0.1, 1.1, np.nan])
    def test_electrons_out_of_range(self, n):
        with pytest.raises(ValueError, match="electrons = "):
            gutzwiller_factors([0.5, n])


class TestTextbook:
    def test_half_filled_square_lattice(self):
        """Zhang and others: Δ = χ = 0.339 at half filling, half the mean of √(cos²kx + cos²ky)/√2."""
        model = ProjectedTJModel(square_lattice(), J1=1.0)
        solution = model.solve(1 - 1e-4, temperature=1e-3, channel="d", mesh=64)
        strength = 3 / 4 * 4
        gap = abs(solution.gaps["d1"]) / strength
        hop = abs(solution.unknowns["fock 1"].real) / strength
        axis = np.cos(2 * np.pi * (np.arange(400) + 0.5) / 400)
        expected = np.hypot.outer(axis, axis).mean() / 2 / np.sqrt(2)
        assert expected == pytest.approx(0.339, abs=5e-4)
        assert [gap, hop] == pytest.approx([expected] * 2, rel=2e-3)

    def test_doping_halves_of_the_dome(self):
        """The order parameter of d waves is a dome: the gap falls with doping, the factor rises."""
        model = ProjectedTJModel(square_lattice(), J1=1 / 3)
        found = [
            model.solve(1 - x, temperature=2e-3, channel="d", mesh=64) for x in (0.02, 0.15, 0.35)
        ]
        gaps = [abs(s.gaps["d1"]) for s in found]
        orders = [abs(s.order_parameters["d1"]) for s in found]
        assert gaps == sorted(gaps, reverse=True)
        assert orders[1] > max(orders[0], orders[2])

    def test_few_electrons_do_not_notice(self):
        """The distance from the theory without the constraint goes with the filling."""
        rest = []
        for filling in (0.05, 0.1):
            options = {"J1": 5.0, "bond_fields": "fock"}
            plain, projected = (
                kind(square_lattice(), **options).critical_temperature(filling, mesh=64)
                for kind in (TJModel, ProjectedTJModel)
            )
            rest.append(abs(projected / plain - 1))
        assert rest[1] < 0.1
        assert rest[0] == pytest.approx(rest[1] / 2, rel=0.25)


def weights(n):
    """Factors of hopping, pairs and hops of the exchange, and their slopes, written out again."""
    hop, pair = 2 * (1 - n) / (2 - n), (3 + (1 - n) ** 2) / (2 - n) ** 2
    link = (6 - 2 * (1 - n) ** 2) / (2 - n) ** 2
    slopes = (
        -2 / (2 - n) ** 2,
        -2 * (1 - n) / (2 - n) ** 2 + 2 * (3 + (1 - n) ** 2) / (2 - n) ** 3,
        4 * (1 - n) / (2 - n) ** 2 + 2 * (6 - 2 * (1 - n) ** 2) / (2 - n) ** 3,
    )
    return (hop, pair, link), slopes


def plain_loop(filling, held=None, *, pairs=0.2, mesh=16, mixing=0.4):
    """Renormalized mean field on the whole mesh with 8 × 8 matrices, at T = 0.03 eV.

    The electrons of z² are held, or follow from the derivatives of the factors.
    """
    axis = 2 * np.pi * np.arange(mesh // 2 + 1) / mesh
    k = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    line = np.where(np.isin(axis, (axis[0], axis[-1])), 1.0, 2.0) / mesh
    share = np.outer(line, line).ravel()  # of the points with both signs of kx and of ky
    form = np.cos(k).sum(axis=1)
    bare = four_band().hamiltonian(k)
    levels = np.diag(np.einsum("k,kab->ab", share, bare)).real  # hops average to nothing
    hops = bare - np.diag(levels)
    inside, between = ([PRINTED[f"J{a}{word}"] for a in (1, 2)] for word in ("", "_inter"))
    n = np.array([filling / 2 - (held or 0.85), held or 0.85])
    x = {"s": np.zeros(2), "inter": np.array([0.0, pairs]), "fock": np.zeros(2),
         "link": np.zeros(2)}  # fmt: skip
    potential, mu, second = np.zeros(2), 10.5, 0.3
    for _ in range(4000):
        (hop, pair, link), (hop_slope, pair_slope, link_slope) = weights(n)
        amplitude = np.sqrt(hop)[ORBITALS]
        kinetic = hops * np.outer(amplitude, amplitude)
        h = kinetic + np.diag(levels)
        gap = np.zeros_like(h)
        for a in (0, 1):
            for i, j in ((a, a + 2), (a + 2, a)):
                h[:, i, i] += x["fock"][a] * form
                h[:, i, j] += x["link"][a]
                gap[:, i, i] = x["s"][a] * form
                gap[:, i, j] = x["inter"][a]

        def average(mu, second, h=h, gap=gap, potential=potential):
            both = potential if held is None else np.array([0.0, second])
            part = h + np.diag(both[ORBITALS] - mu)
            energies, u = np.linalg.eigh(np.block([[part, gap], [gap, -part]]))
            return np.einsum("kam,km,kbm->kab", u, expit(-energies / WARM), u.conj())

        def electrons(mu, second, average=average):
            rho = average(mu, second)
            return np.array([2 * (share @ rho[:, a, a].real) for a in (0, 1)])

        if held is None:
            mu = brentq(lambda m: 2 * electrons(m, 0.0).sum() - filling, 6, 16, xtol=1e-9)
        else:
            mu, second = root(lambda both: electrons(*both) - n, (mu, second), tol=1e-11).x
        rho = average(mu, second)
        new = {name: np.zeros(2) for name in x}
        slope = np.zeros(2)
        for a in (0, 1):
            chi = share @ (form * rho[:, a, a].real) / 2
            tie = share @ rho[:, a, a + 2].real
            f = share @ (form * rho[:, a, 4 + a].real) / 2
            g = share @ rho[:, a, 6 + a].real
            new["s"][a] = -2 * inside[a] * pair[a] * f
            new["inter"][a] = -between[a] * pair[a] * g
            new["fock"][a] = -inside[a] * link[a] * chi
            new["link"][a] = -between[a] * link[a] * tie / 2
            # Per site there are two bonds in the layer and half a bond between the layers; the
            # singlet's average is √2 that of one pair.
            slope[a] -= 2 * inside[a] * (2 * f**2 * pair_slope[a] + chi**2 * link_slope[a])
            slope[a] -= between[a] / 2 * (2 * g**2 * pair_slope[a] + tie**2 * link_slope[a])
            moved = np.einsum("kb,kb->k", kinetic[:, a], rho[:, a, :4].conj()).real
            slope[a] += 2 * (share @ moved) * hop_slope[a] / hop[a]
        change = max(np.abs(new[name] - x[name]).max() for name in x)
        x = {name: x[name] + mixing * (new[name] - x[name]) for name in x}
        if held is None:
            after = np.array([2 * (share @ rho[:, a, a].real) for a in (0, 1)])
            change = max(change, np.abs(after - n).max(), np.abs(slope - potential).max())
            n, potential = n + mixing * (after - n), potential + mixing * (slope - potential)
        if change < 1e-7:
            return n, x, mu
    raise AssertionError(f"the plain loop did not converge: {change}")


class TestFourBand:
    def test_equals_a_plain_loop_at_held_electrons(self):
        model = ProjectedTJModel(four_band(), **PRINTED, occupations=(0.65, 0.85))
        solution = model.solve(3.0, temperature=WARM, channel="s", mesh=16)
        _, x, mu = plain_loop(3.0, 0.85)
        gaps = solution.gaps
        for a in (0, 1):
            for name, key in (("s", f"s{a + 1}"), ("inter", f"inter{a + 1}")):
                assert abs(gaps[key]) == pytest.approx(abs(x[name][a]), abs=2e-5)
            for name in ("fock", "link"):
                value = solution.unknowns[f"{name} {a + 1}"].real
                assert value == pytest.approx(x[name][a], abs=2e-5)
        assert solution.mu == pytest.approx(mu, abs=2e-5)

    @pytest.mark.parametrize("filling", [2.4])
    def test_relaxed_electrons_follow_the_slopes_of_the_factors(self, filling):
        """The lowest free energy against a loop with the derivative of each factor as potential."""
        model = ProjectedTJModel(four_band(), **PRINTED)
        solution = model.relaxed(filling, temperature=WARM, channel="s", mesh=16)
        n, x, _ = plain_loop(filling, mixing=0.2)
        assert solution.bonds.factors.electrons == pytest.approx(n, abs=3e-4)
        assert abs(solution.gaps["inter2"]) == pytest.approx(abs(x["inter"][1]), rel=5e-3)

    def test_electrons_are_those_of_the_bands(self):
        solution = ProjectedTJModel(four_band(), **PRINTED).solve(
            3.0, temperature=0.01, channel="s", mesh=64
        )
        sea = FermiSea.at(four_band(), filling=3)
        k = 2 * np.pi * (np.indices((200, 200)).reshape(2, -1).T + 0.5) / 200
        energies, u = np.linalg.eigh(four_band().hamiltonian(k))
        filled = 2 * (np.abs(u) ** 2 * (energies < sea.mu)[:, None]).sum(axis=2).mean(axis=0)
        assert solution.bonds.occupations == pytest.approx(filled[:2], abs=2e-3)
        # And the projected state holds them, in a potential that the bare bands lack.
        problem = solution.problem
        slope, excess = problem(solution.x, solution.mu)[1:]
        assert np.abs(slope).max() < 1e-8
        assert abs(excess) < 1e-8
        assert abs(solution.unknowns["potential 2"]) > 0.1

    def test_gap_closes_at_the_critical_temperature(self):
        model = ProjectedTJModel(four_band(), **PRINTED, occupations=(0.7, 0.6))
        critical = model.critical_temperature(2.6, mesh=48)
        below, above = (
            model.solve(2.6, temperature=critical * share, channel="s", mesh=48)
            for share in (0.97, 1.01)
        )
        assert above.channel == "normal"
        assert below.channel == "s"
        lower = model.solve(2.6, temperature=critical * 0.94, channel="s", mesh=48)
        ratio = abs(lower.gaps["inter2"] / below.gaps["inter2"])
        assert ratio == pytest.approx(np.sqrt(2), rel=0.05)
        assert lower.condensation_energy > below.condensation_energy > 0

    def test_order_parameters_are_averages_of_pairs(self):
        """From the eigenvectors, and times the factor of the constraint."""
        options = {"temperature": WARM, "channel": "s", "mesh": 16}
        plain = TJModel(four_band(), J1=0.5, J2=0.4, J1_inter=0.3, J2_inter=1.0)
        projected = ProjectedTJModel(four_band(), **PRINTED)
        axis = 2 * np.pi * np.arange(16) / 16
        k = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        for model in (plain, projected):
            s = model.solve(3, **options)
            h, gap = s.hamiltonian(k) - s.mu * np.eye(4), s.gap_matrix(k)
            energies, u = np.linalg.eigh(np.block([[h, gap], [gap.conj().swapaxes(1, 2), -h]]))
            rho = np.einsum("kam,km,kbm->kab", u, expit(-energies / WARM), u.conj())
            factor = s.bonds.pair_factors[1]
            inside = np.mean(np.cos(k).sum(axis=1) * rho[:, 1, 5].real) / 2
            between = np.mean(rho[:, 1, 7].real)
            assert s.order_parameters["s2"] == pytest.approx(factor * inside, abs=1e-8)
            assert s.order_parameters["inter2"] == pytest.approx(factor * between, abs=1e-8)

    def test_planes(self):
        """A crystal of like planes is a plane."""
        options = {"temperature": 0.02, "channel": "s", "mesh": 16}
        given = PRINTED | {"neighbors": ((1, 1), (1, -1)), "occupations": (0.7, 0.8)}
        one = ProjectedTJModel(bilayer_plane(1.0), **given).solve(3, **options)
        planes = [bilayer_plane(1.0), bilayer_plane(-1.0)]
        two = ProjectedTJModel(planes, **given).solve(3, **options)
        for name, value in one.gaps.items():
            assert abs(two.gaps[name]) == pytest.approx(abs(value), abs=1e-7)


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"temperature": 0.0}, "temperature = 0.0"),
            ({"hold_mu": True}, "not with the constraint"),
            ({"channel": "full"}, "not with the constraint"),
            ({"filling": 3.4}, "allowed: up to one each"),
        ],
    )
    def test_is_named(self, options, words):
        options = {"filling": 3, "mesh": 16} | options
        with pytest.raises(ValueError, match=words):
            ProjectedTJModel(four_band(), **PRINTED).solve(**options)

    def test_occupations(self):
        for given, words in (((0.5,), "occupations = "), ((0.5, 1.2), "electrons = 1.2")):
            with pytest.raises(ValueError, match=words):
                ProjectedTJModel(four_band(), **PRINTED, occupations=given)

    def test_stability_is_not_that_of_held_electrons(self):
        solution = ProjectedTJModel(four_band(), **PRINTED).solve(3, temperature=WARM, mesh=16)
        with pytest.raises(ValueError, match="held electrons"):
            solution.stability()

    def test_the_search_for_the_potential_starts_anywhere(self):
        """Far from the answer, where Newton's method meets a flat filling."""
        model = ProjectedTJModel(four_band(), **PRINTED)
        near = model.solve(3, temperature=2e-3, channel="s", mesh=32)
        x = near.x.copy()
        x[-1] = -3.0
        found, mu = near.problem.balance(x, near.mu - 4)
        assert found[-1] == pytest.approx(near.x[-1], abs=1e-6)
        assert mu == pytest.approx(near.mu, abs=1e-6)
        assert replace(near, x=found, mu=mu).free_energy == pytest.approx(near.free_energy)
