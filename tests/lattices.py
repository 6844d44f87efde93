"""Models that several tests build: those of the textbooks, and of kinds that Wannier files have."""

import string
from dataclasses import replace

import numpy as np

from nickbook.bands import BlochModel, four_band, square_group, zone_mesh

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
X, Y, Z = PAULI


def lattice(hops, name="lattice", *, sites=None, mirror=None, group=(), spin_degeneracy=2):
    """A model from the hoppings along half of the vectors, with all orbitals on one site."""
    hops = {r: np.atleast_2d(hop) for r, hop in hops.items()}
    hops |= {tuple(-x for x in r): hop.conj().T for r, hop in hops.items()}
    count = len(next(iter(hops.values())))
    return BlochModel(
        name=name,
        orbitals=tuple(string.ascii_letters[:count]),
        translations=np.array(list(hops)),
        hoppings=np.array(list(hops.values()), dtype=complex),
        mirror=mirror,
        spin_degeneracy=spin_degeneracy,
        sites=(0,) * count if sites is None else sites,
        symmetries=group,
    )


def square_lattice(t_prime=0.0):
    """The one-band Hubbard model's band, t = 1."""
    hops = {(1, 0): -1.0, (0, 1): -1.0, (1, 1): -t_prime, (1, -1): -t_prime}
    return lattice(hops, "square lattice", group=square_group(np.eye(1), np.eye(1)))


def graphene(t=2.8, mass=0.0):
    """Honeycomb lattice of nearest neighbours."""
    hop = np.array([[0, 0], [-t, 0]])
    return lattice({(0, 0): hop + hop.T + mass * Z, (1, 0): hop, (0, 1): hop}, "graphene")


def haldane(t2=0.1, mass=0.0):
    """Honeycomb lattice with imaginary hopping inside its sublattices."""
    lower, turning = np.array([[0, 0], [1, 0]]), 1j * t2 * Z
    terms = {(0, 0): -X + mass * Z, (1, 0): turning - lower, (0, 1): -turning - lower}
    return lattice(terms | {(-1, 1): turning}, "Haldane")


def kagome():
    """Corner-sharing triangles: a flat band on top, touched by another one."""
    terms = {(0, 0): -np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0.0]])}
    for r, i, j in (((1, 0), 1, 0), ((0, 1), 2, 0), ((-1, 1), 2, 1)):
        terms[r] = np.zeros((3, 3))
        terms[r][i, j] = -1.0
    return lattice(terms, "kagome")


def lieb():
    """Square lattice with sites on the bonds: a flat band through the touching point of two."""
    terms = {(0, 0): -np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0.0]])}
    for r, i in (((1, 0), 1), ((0, 1), 2)):
        terms[r] = np.zeros((3, 3))
        terms[r][i, 0] = -1.0
    return lattice(terms, "Lieb")


def chain():
    """A band that disperses along one direction only."""
    return lattice({(0, 0): [[0.0]], (1, 0): [[-1.0]], (0, 1): [[0.0]]}, "chain")


def crossing_chains():
    """Perpendicular chains, whose lines cross."""
    terms = {(0, 0): np.zeros((2, 2)), (1, 0): np.diag([-1.0, 0]), (0, 1): np.diag([0, -1.0])}
    return lattice(terms, "crossing chains")


def flat_and_wide():
    """A level without hopping inside a band that it does not meet."""
    terms = {(0, 0): np.diag([0.3, 0.0]), (1, 0): np.diag([0, -1.0]), (0, 1): np.diag([0, -1.0])}
    return lattice(terms, "flat and wide")


def rashba(strength=0.4):
    """Square lattice of spins with spin-orbit coupling: bands touch at four momenta."""
    eye = np.eye(2)
    terms = {
        (0, 0): 0 * eye,
        (1, 0): -eye + 0.5j * strength * Y,
        (0, 1): -eye - 0.5j * strength * X,
    }
    return lattice(terms, "Rashba", spin_degeneracy=1)


def kramers():
    """Two orbitals and spin with inversion and time reversal: every band is there twice."""
    soc = 0.25 * np.kron(Y, Z)
    hop_x, hop_y = np.diag([-1.0, -0.2]), np.diag([-0.2, -1.0])
    terms = {(0, 0): soc, (1, 0): np.kron(hop_x, np.eye(2)), (0, 1): np.kron(hop_y, np.eye(2))}
    return lattice(terms, "Kramers", spin_degeneracy=1)


def gapped():
    """Two bands with a gap between them, of different masses."""
    terms = {(0, 0): np.diag([-2.0, 2.0]), (1, 0): np.diag([-0.3, 0.1])}
    return lattice(terms | {(0, 1): np.diag([-0.3, 0.1])}, "gap")


def qi_wu_zhang(mass=1.0):
    """Two bands with a Chern number."""
    terms = {(0, 0): mass * Z, (1, 0): Z / 2 - 0.5j * X, (0, 1): Z / 2 - 0.5j * Y}
    return lattice(terms, "Qi-Wu-Zhang", spin_degeneracy=1)


def pnictide():
    """Raghu et al., Phys. Rev. B 77, 220503 (2008): two orbitals of an iron pnictide."""
    t1, t2, t3, t4 = -1.0, 1.3, -0.85, -0.85
    terms = {(0, 0): 0 * np.eye(2), (1, 0): -np.diag([t1, t2]), (0, 1): -np.diag([t2, t1])}
    terms |= {(1, 1): -t3 * np.eye(2) + t4 * X, (1, -1): -t3 * np.eye(2) - t4 * X}
    return lattice(terms, "pnictide")


def random(orbitals, seed=1):
    """Random hoppings up to second neighbours, complex."""
    rng = np.random.default_rng(seed)

    def matrix():
        return rng.normal(size=(2, orbitals, orbitals)).T @ [1, 1j]

    onsite = matrix()
    terms = {(0, 0): (onsite + onsite.conj().T) / 2}
    terms |= {r: 0.3 * matrix() for r in ((1, 0), (0, 1), (1, 1), (1, -1))}
    return lattice(terms, f"random {orbitals}")


def ruthenate():
    """Plane of xz, yz, xy with lines that nearly cross where xz and yz mix."""
    terms = {(0, 0): np.diag([-1.0, -1.0, -1.1])}
    terms |= {(1, 0): np.diag([-0.88, -0.09, -0.8]), (0, 1): np.diag([-0.09, -0.88, -0.8])}
    mix = np.zeros((3, 3))
    mix[0, 1] = mix[1, 0] = 0.03
    terms |= {(1, s): np.diag([0, 0, -0.4]) - s * mix for s in (1, -1)}
    return lattice(terms, "ruthenate")


def ruthenate_bct(kz=0.7):
    """Orbitals xz, yz, xy of a body-centred ruthenate in its primitive cell, on one plane."""
    terms = {(0, 0, 0): np.diag([-0.9, -0.9, -1.0])}
    # Primitive vectors (-a, a, c)/2, (a, -a, c)/2, (a, a, -c)/2: a = (0, 1, 1), b = (1, 0, 1).
    terms[(0, 1, 1)] = np.diag([-0.9, -0.1, -0.8])
    terms[(1, 0, 1)] = np.diag([-0.1, -0.9, -0.8])
    for r, sign in (((1, 1, 2), 1), ((1, -1, 0), -1)):
        terms[r] = np.diag([0, 0, -0.35])
        terms[r][0, 1] = terms[r][1, 0] = -0.03 * sign
    for r in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)):
        terms[r] = np.diag([-0.02, -0.02, 0.005])
    return lattice(terms, "body-centred ruthenate").plane(kz)


KINDS = {
    "graphene": graphene,
    "Haldane": haldane,
    "kagome": kagome,
    "Lieb": lieb,
    "square": square_lattice,
    "chain": chain,
    "crossing chains": crossing_chains,
    "flat and wide": flat_and_wide,
    "Rashba": rashba,
    "Kramers": kramers,
    "gap": gapped,
    "Qi-Wu-Zhang": qi_wu_zhang,
    "pnictide": pnictide,
    "random 4": lambda: random(4),
    "random 10": lambda: random(10),
    "ruthenate": ruthenate,
    "body-centred ruthenate": ruthenate_bct,
    "four bands": four_band,
}


def scaled(model, factor):
    """The same model in another unit of energy."""
    return replace(model, hoppings=factor * model.hoppings)


def counted_energies(model, size):
    """All energies on a mesh off every symmetry by plain numpy, sorted."""
    k = (zone_mesh(size) + np.array([0.37, 0.61]) * 2 * np.pi / size).reshape(-1, 2)
    blocks = np.array_split(k, 1 + len(k) // 50_000)
    phases = (np.exp(1j * block @ model.translations.T) for block in blocks)
    parts = [np.linalg.eigvalsh(np.tensordot(p, model.hoppings, 1)) for p in phases]
    return np.sort(np.concatenate(parts), axis=None)
