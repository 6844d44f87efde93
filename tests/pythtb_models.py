"""PythTB as a referee for bands. Versions 1 and 2 have other names for the same things."""

import numpy as np
import pythtb

NEW = hasattr(pythtb, "TBModel")  # version 2, which asks for Python 3.12


def tight_binding(places, levels, hops):
    """Model from the orbitals' places in units of the cell, their levels, and (i, j, R, hopping).

    PythTB adds the opposite of each hopping itself.
    """
    axes = np.eye(np.shape(places)[1])
    if NEW:
        model = pythtb.TBModel(pythtb.Lattice(axes, places, periodic_dirs="all"))
    else:
        model = pythtb.tb_model(len(axes), len(axes), axes, places)
    model.set_onsite(levels)
    for i, j, r, t in hops:
        model.set_hop(t, i, j, list(r))
    return model


def from_wannier90(folder, seedname):
    reader = pythtb.W90 if NEW else pythtb.w90
    return reader(str(folder), seedname).model()


def hamiltonians(model, k):
    """Matrices at momenta of shape (n, d), with the places of the orbitals in their phases."""
    reduced = k / (2 * np.pi)
    return model.hamiltonian(reduced) if NEW else np.array([model._gen_ham(q) for q in reduced])


def energies(model, k):
    """Bands in ascending order at momenta of shape (n, d), shape (n, bands)."""
    reduced = k / (2 * np.pi)
    return model.solve_ham(reduced) if NEW else model.solve_all(reduced).T


def states(model, k):
    """Bands as `energies` gives them, and their states, shape (n, bands, orbitals)."""
    reduced = k / (2 * np.pi)
    if NEW:
        return model.solve_ham(reduced, return_eigvecs=True)
    levels, vectors = model.solve_all(reduced, eig_vectors=True)
    return levels.T, vectors.swapaxes(0, 1)
