"""Small models that several tests build."""

import numpy as np

from nickbook.bands import BlochModel, square_group


def lattice(hops, name="lattice", *, sites=None, mirror=None, group=()):
    """A model from the hoppings along half of the vectors, with all orbitals on one site."""
    hops = {r: np.atleast_2d(hop) for r, hop in hops.items()}
    hops |= {(-x, -y): hop.conj().T for (x, y), hop in hops.items()}
    count = len(next(iter(hops.values())))
    return BlochModel(
        name=name,
        orbitals=tuple("abcd"[:count]),
        translations=np.array(list(hops)),
        hoppings=np.array(list(hops.values()), dtype=complex),
        mirror=mirror,
        sites=(0,) * count if sites is None else sites,
        symmetries=group,
    )


def square_lattice(t_prime=0.0):
    """The one-band Hubbard model's band, t = 1."""
    hops = {(1, 0): -1.0, (0, 1): -1.0, (1, 1): -t_prime, (1, -1): -t_prime}
    return lattice(hops, "square lattice", group=square_group(np.eye(1), np.eye(1)))
