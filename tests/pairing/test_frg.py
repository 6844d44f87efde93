"""The flow: exact ladders, plain sums from the formulas, Fock space, symmetries, known outcomes."""

import numpy as np
import pytest

from nickbook.bands import BlochModel, four_band, square_group, zone_mesh
from nickbook.pairing import (
    FlowEquation,
    FlowResult,
    Interaction,
    bare_vertex,
    density_modes,
    fermi_patches,
    frg_flow,
    kanamori,
    pairing_modes,
)

ONE = np.eye(1)


def lattice(hops, orbitals, name, group=()):
    """A model from hoppings of half of the vectors."""
    hops = dict(hops)
    hops |= {(-x, -y): np.conj(hop).T for (x, y), hop in hops.items()}
    return BlochModel(
        name=name,
        orbitals=orbitals,
        translations=np.array(list(hops)),
        hoppings=np.array([np.atleast_2d(hop) for hop in hops.values()], dtype=complex),
        sites=(0,) * len(orbitals),
        symmetries=group,
    )


def hubbard(t_prime=0.0):
    hops = {(1, 0): -1.0, (0, 1): -1.0, (1, 1): -t_prime, (1, -1): -t_prime}
    return lattice(hops, ("s",), "square lattice", square_group(ONE, ONE))


def nested(shift=1.5):
    """An electron pocket round Γ and a hole pocket round M that Q = (π, π) maps onto it."""
    hops = {(1, 0): -0.5 * np.eye(2), (0, 1): -0.5 * np.eye(2), (0, 0): np.diag([shift, -shift])}
    return lattice(hops, ("e", "h"), "nested pockets", square_group(np.eye(2), np.eye(2)))


def chiral():
    """Two orbitals with complex hoppings and the turns of the square alone."""
    turn, hops = np.diag([1.0, 1j]), {}
    hop = np.array([[-1.0, 0.25 + 0.1j], [0.15 - 0.1j, -0.9]])
    for r in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        hops[r] = hop
        hop = turn @ hop @ turn.conj().T
    half = {r: (hops[r] + hops[(-r[0], -r[1])].conj().T) / 2 for r in ((1, 0), (0, 1))}
    half[(0, 0)] = np.diag([0.3, -0.2])
    return lattice(half, ("s", "p"), "chiral square", square_group(turn, np.eye(2))[:4])


def scattering(sites, **couplings):
    """Kanamori interaction of the couplings named, the others zero."""
    given = {"U": 0.0, "J": 0.0, "U_prime": 0.0, "J_prime": 0.0} | couplings
    return kanamori(sites, given.pop("U"), given.pop("J"), **given)


class PlainVertex:
    """Γ with one leg away from the patches, from its definition alone."""

    def __init__(self, equation, part):
        self.vertex, self.equation = equation.full(part), equation

    def __call__(self, *legs):
        """Legs are patches; the one given as ("away", band) is away from them."""
        away = next(i for i, leg in enumerate(legs) if isinstance(leg, tuple))
        one, two, three, four = legs
        band = legs[away][1]
        if away == 3:
            return self.vertex[one, two, three, band]
        if away == 2:
            return self.vertex[two, one, four, band]
        if away == 1:
            return np.conj(self.vertex[three, four, one, band])
        return np.conj(self.vertex[four, three, two, band])


def plain_derivative(equation, part, scale, legs):
    """One-loop terms for the legs (1, 2; 3, 4): point by point over the shell, exact energies.

    5 is the leg next to 1 or to 5 in the names of the diagrams, 6 the other; each of them is once
    the one whose cutoff moves.
    """
    gamma = PlainVertex(equation, part)
    p1, p2, p3, p4 = legs
    patches = equation.patches
    k = patches.points
    shell, labels, energies = equation.shell(scale)
    place, weight = shell[:, :2], shell[:, 2]

    def other(momentum, pair):
        xi = patches.model.band_energies(momentum)[:, equation.bands] - patches.mu
        size = np.abs(xi)
        if equation.cutoff == "frequency":
            x, w = np.polynomial.legendre.leggauss(200)
            omega = scale * np.tan((x + 1) * np.pi / 4)[:, None, None]
            w = w[:, None, None] * np.pi / 4 * (scale + omega**2 / scale)
            own = energies[:, None]
            green = (omega**2 + pair * own * xi) / (omega**2 + own**2) / (omega**2 + xi**2)
            return (w / np.pi * 2 * scale * omega**4 / (omega**2 + scale**2) ** 3 * green).sum(0)
        width = 0.02 if equation.cutoff == "sharp" else 0.5
        t = np.clip((size / scale - 1 + width) / (2 * width), 0, 1)
        allowed = pair * energies[:, None] * xi > 0
        return allowed * t * t * (3 - 2 * t) / (np.abs(energies)[:, None] + size)

    total = 0.0
    pp = weight[:, None] * other(k[p1] + k[p2] - place, 1)
    forward = weight[:, None] * other(place + k[p1] - k[p3], -1)
    backward = weight[:, None] * other(place + k[p3] - k[p1], -1)
    crossing = weight[:, None] * other(place + k[p3] - k[p2], -1)
    recrossing = weight[:, None] * other(place + k[p2] - k[p3], -1)
    for i, p in enumerate(labels):
        for band in range(len(equation.bands)):
            away = ("away", band)
            total -= pp[i, band] * gamma(p1, p2, p, away) * gamma(p, away, p3, p4)
            total -= pp[i, band] * gamma(p1, p2, away, p) * gamma(away, p, p3, p4)
            for loop, five, six in ((forward, away, p), (backward, p, away)):
                bubble = -2 * gamma(p1, six, p3, five) * gamma(five, p2, six, p4)
                bubble += gamma(p1, six, five, p3) * gamma(five, p2, six, p4)
                bubble += gamma(p1, six, p3, five) * gamma(five, p2, p4, six)
                total += loop[i, band] * bubble
            for loop, five, six in ((crossing, away, p), (recrossing, p, away)):
                total += loop[i, band] * gamma(p1, six, five, p4) * gamma(five, p2, p3, six)
    return total


MODELS = {
    "four-band": (four_band(), 10.0585, 8),
    "square": (hubbard(-0.3), -0.8, 16),
    "chiral": (chiral(), -2.0, 12),
}


@pytest.mark.parametrize("cutoff", ["sharp", "smooth", "frequency"])
@pytest.mark.parametrize("name", MODELS)
def test_one_step_is_the_plain_sum_of_the_diagrams(name, cutoff):
    model, mu, count = MODELS[name]
    patches = fermi_patches(model, mu, count)
    equation = FlowEquation(patches, cutoff=cutoff, resolution=16)
    interaction = kanamori(model.sites, 2.0, 0.3, U_prime=1.1, J_prime=0.2)
    # A vertex as rough as any: that of one step of random size for each entry.
    part = equation.bare(interaction)
    part = part + 0.2 * equation.derivative(part, 0.7)
    rate = equation.derivative(part, 0.4)
    random = np.random.default_rng(5)
    for _ in range(6):
        r, p2, p3 = (int(random.integers(n)) for n in equation.shape[:3])
        band = int(random.integers(equation.shape[3]))
        p1 = int(equation.first[r])
        if not equation._sources[0][r, p2, p3, band]:
            continue
        p4 = int(equation.fourth[p1, p2, p3, band])
        plain = plain_derivative(equation, part, 0.4, (p1, p2, p3, p4))
        assert rate[r, p2, p3, band] == pytest.approx(plain, abs=2e-4 * np.abs(rate).max())


def logarithm(model, mu, cutoff, scale, band=0):
    """Sum of 1/2|ξ| of one band over the modes that the cutoff leaves in, on a mesh."""
    xi = np.abs(model.band_energies(zone_mesh(2000))[..., band] - mu)
    if cutoff == "sharp":
        share = (xi > scale).astype(float)
    elif cutoff == "smooth":
        t = np.clip(xi / scale - 0.5, 0, 1)
        share = (t * t * (3 - 2 * t)) ** 2
    else:
        # ∫dω/π ω⁴/((ω² + Λ²)²(ω² + ξ²)) times ξ, by residues.
        a = xi / scale
        share = a * (a + 2) / (1 + a) ** 2
        share = a * (2 * a + 1) / (2 * (1 + a) ** 2) * 0 + share_of_frequency(a)
    return float((share / (2 * xi)).mean())


def share_of_frequency(a):
    x, w = np.polynomial.legendre.leggauss(400)
    angle = (x + 1) * np.pi / 4
    grid = np.linspace(0, 60, 4001)
    omega = np.tan(angle)[:, None]
    values = w[:, None] * np.pi / 4 / np.cos(angle[:, None]) ** 2
    table = values * 2 / np.pi * grid * omega**4 / ((omega**2 + 1) ** 2 * (omega**2 + grid**2))
    return np.interp(a, grid, table.sum(axis=0), right=1.0)
