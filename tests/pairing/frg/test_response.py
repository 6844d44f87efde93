"""Susceptibilities by their own flow: exact ladders, free electrons, and what grows with them."""

import numpy as np
import pytest
from lattices import lattice, square_lattice

from nickbook.bands import square_group
from nickbook.pairing import Interaction, fermi_patches, frg_flow, kanamori
from nickbook.pairing.frg import Responses

Q = (np.pi, np.pi)


@pytest.fixture(scope="module")
def patches():
    """An electron pocket round Γ and a hole pocket round M that Q maps onto it."""
    hops = {(1, 0): -0.5 * np.eye(2), (0, 1): -0.5 * np.eye(2), (0, 0): np.diag([1.5, -1.5])}
    model = lattice(hops, "nested pockets", group=square_group(np.eye(2), np.eye(2)))
    return fermi_patches(model, 0.0, 8)


def free_loop(model, mu, start, stop):
    """Sum of 1/2|ξ| between two scales over the modes of one band, on a fine mesh."""
    k = 2 * np.pi * (np.arange(1200) + 0.37) / 1200
    size = np.abs(model.band_energies(np.stack(np.meshgrid(k, k), axis=-1))[..., 0] - mu)
    return (((size > stop) & (size < start)) / (2 * size)).mean()


@pytest.mark.parametrize("projection", ["external", "internal"])
def test_ladders(patches, projection):
    """1/(1/L − V) of each channel alone, at a momentum that nests the sheets and for pairs."""
    model, start, stop = patches.model, 0.3, 0.05
    numeric = {"start": start, "stop": stop, "mesh": 32, "tolerance": 1e-3, "longest_step": 0.2}
    given = {"patches": patches, "projection": projection} | numeric
    loop = free_loop(model, 0.0, start, stop)
    exchange = kanamori((0, 0), 0.0, 0.0, U_prime=0.5, J_prime=0.3)

    seen = Responses((Q,))
    frg_flow(model, 0.0, interaction=exchange, keep=("spin",), progress=seen, **given)
    # c†_1 c_2 and c†_2 c_1 are mixed by J′.
    assert seen.of("spin (π, π)")[-1] == pytest.approx(1 / (1 / loop - 0.8), rel=0.01)
    assert loop < 0.8 * seen.of("spin (π, π)")[-1]
    gained = 1 / (1 / loop - 0.8) - loop
    assert seen.of("spin (π, π)", added=True)[-1] == pytest.approx(gained, rel=0.03)

    pairing = kanamori((0, 0), 2.0, 0.0, U_prime=0.0, J_prime=0.5)
    seen = Responses(())
    frg_flow(model, 0.0, interaction=pairing, keep=("pp",), progress=seen, **given)
    # Pairs on one site: of the first orbital, of both, and of the second.
    (pairs,) = seen._channels
    onsite = pairs.chi[np.ix_([0, 2], [0, 2])]
    exact = np.linalg.inv(np.eye(2) / loop + np.array([[2.0, 0.5], [0.5, 2.0]]))
    assert onsite == pytest.approx(exact, rel=0.01)


def test_nothing_interacting():
    """χ of free electrons is the loop alone."""
    model, mu = square_lattice(-0.25), -0.9
    patches = fermi_patches(model, mu, 16)
    nothing = Interaction(np.full((1, 1, 1, 1), 1e-9))
    seen = Responses((Q,))
    numeric = {"stop": 0.1, "mesh": 64, "longest_step": 0.2}
    frg_flow(model, mu, interaction=nothing, patches=patches, progress=seen, **numeric)
    k = 2 * np.pi * (np.arange(900) + 0.37) / 900
    k = np.stack(np.meshgrid(k, k), axis=-1)
    x = model.band_energies(k)[..., 0] - mu
    y = model.band_energies(k + np.array(Q))[..., 0] - mu
    kept = (np.abs(x) > 0.1) & (np.abs(y) > 0.1) & (x * y < 0)
    expected = (kept / (np.abs(x) + np.abs(y))).mean()
    for channel in ("spin", "charge"):
        assert seen.of(f"{channel} (π, π)")[-1] == pytest.approx(expected, rel=0.02)
        assert abs(seen.of(f"{channel} (π, π)", added=True)[-1]) < 1e-6
    # Pairs on the site, its neighbours and those along the diagonals, which alone give d_xy.
    for name in ("A1", "B1", "B2"):
        assert seen.of(f"singlet {name}")[-1] > 0.01
        assert abs(seen.of(f"singlet {name}", added=True)[-1]) < 1e-6
    with pytest.raises(ValueError, match=r"channel = 'spin'; allowed: charge \(π, π\)"):
        seen.of("spin")


def test_what_grows_with_repulsion_and_attraction():
    model, mu = square_lattice(-0.25), -0.9
    patches = fermi_patches(model, mu, 8)

    def ends(u):
        seen = Responses((Q,))
        given = Interaction(np.full((1, 1, 1, 1), u))
        frg_flow(model, mu, interaction=given, patches=patches, mesh=32, stop=0.1, progress=seen)
        names = ("spin (π, π)", "charge (π, π)", "singlet A1")
        return dict(zip(names, (seen.of(name)[-1] for name in names), strict=True))

    repelled, attracted = ends(1.5), ends(-1.5)
    assert repelled["spin (π, π)"] > 1.5 * repelled["charge (π, π)"]
    assert attracted["charge (π, π)"] > 1.5 * attracted["spin (π, π)"]
    assert attracted["singlet A1"] > 3 * repelled["singlet A1"]


def test_what_repulsion_takes_from_pairs_is_below_zero():
    """On one site and in a cell alone no pair gains from it."""
    model, mu = square_lattice(-0.25), -0.9
    given = {"interaction": Interaction(np.full((1, 1, 1, 1), 1.5)), "keep": ("pp",)}
    seen = Responses(())
    patches = fermi_patches(model, mu, 8)
    frg_flow(model, mu, patches=patches, mesh=32, stop=0.1, progress=seen, **given)
    (pairs,) = seen._channels
    assert pairs.gained[0, 0] < -0.3 * pairs.free[0, 0] < 0
    assert np.linalg.eigvalsh(pairs.gained).max() < 1e-3 * pairs.free[0, 0]
