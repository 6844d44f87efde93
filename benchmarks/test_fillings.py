"""Chemical potentials of random metals: cells halved at the level against plain meshes."""

import numpy as np
import pytest

from nickbook.bands import BlochModel, chemical_potential, zone_mesh

from .plain import print_table, side_by_side


def metal(orbitals):
    """Levels that overlap, and hoppings to first and second neighbours that mix all of them."""
    rng = np.random.default_rng(5)
    hops = {(0, 0): np.diag(2 * rng.normal(size=orbitals))}
    for r in ((1, 0), (0, 1), (1, 1), (1, -1)):
        hops[r] = 0.3 / sum(map(abs, r)) * rng.normal(size=(orbitals, orbitals))
    hops |= {(-x, -y): t.T for (x, y), t in hops.items()}
    names = tuple(f"orbital {i}" for i in range(orbitals))
    return BlochModel("metal", names, np.array(list(hops)), np.array(list(hops.values())))


def plainly(model, filling, mesh):
    """The level below which the right number of energies on a mesh lies."""
    energies = np.sort(model.energies(zone_mesh(mesh)), axis=None)
    return energies[int(filling / 2 * mesh**2)]


@pytest.mark.parametrize("orbitals", [2, 8, 24, 48])
def test_chemical_potentials(orbitals):
    filling, sizes = 0.8 * orbitals, (48, 96, 192)
    model = metal(orbitals)
    exact = chemical_potential(model, filling)
    count, step = model.state_count, 1e-3 * model.state_count.width
    density = (count.rough(exact + step) - count.rough(exact - step)).sum() / (2 * step)
    stated = count.number(exact, 1.0)[1] / density / count.width
    functions = [lambda: chemical_potential(metal(orbitals), filling)]
    functions += [lambda n=n: plainly(metal(orbitals), filling, n) for n in sizes]
    times, ratios = side_by_side(functions, 3)
    errors = [f"{stated:.0e}"] + [f"{abs(f() - exact) / count.width:.0e}" for f in functions[1:]]
    names = ["counting in cells"] + [f"plain mesh, {n}²" for n in sizes]
    rows = [
        (name, f"{t:.0f}", f"{r:.3g}", error)
        for name, t, r, error in zip(names, times, ratios, errors, strict=True)
    ]
    print_table(f"Level of {orbitals} orbitals", ("ms", "ratio", "error / width"), rows)
