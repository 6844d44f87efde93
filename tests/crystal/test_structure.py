"""Crystals as stored: symmetric, at the published size, with octahedra measured by hand."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell

from nickbook.crystal import octahedron, octahedron_edges, structure


def tilted(angle: float) -> Atoms:
    """Two ideal octahedra joined at an apex, each turned about x by an angle, upside down."""
    d, c, s = 2.0, np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    corners = d * np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)])
    upper = (np.vstack([[0, 0, 0], corners]) - [0, 0, -d]) @ turn.T
    lower = upper * [1, 1, -1]
    return Atoms("ONiO5NiO5", np.vstack([[0, 0, 0], upper, lower]), cell=[20, 20, 30], pbc=True)


@pytest.mark.parametrize("degrees", [0.0, 7.0, 12.0])
def test_an_angle_is_measured_as_it_was_built(degrees: float) -> None:
    found = octahedron(tilted(np.radians(degrees)))
    assert found.apical_angle == pytest.approx(180 - 2 * degrees, abs=1e-5)
    assert (found.inner, found.outer) == pytest.approx((2.0, 2.0))


def test_a_larger_cell_has_the_same_octahedra() -> None:
    atoms = structure("pressure")
    whole = octahedron(make_supercell(atoms, [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]))
    for name in ("planar", "inner", "outer", "planar_angle", "apical_angle"):
        assert getattr(whole, name) == pytest.approx(getattr(octahedron(atoms), name), abs=1e-6)


def test_edges_join_neighbouring_corners() -> None:
    edges = octahedron_edges(tilted(0.0))
    assert edges.shape == (24, 2, 3)
    assert np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1) == pytest.approx(2 * 2**0.5)


def test_the_crystal_under_pressure_has_the_published_cell_and_is_square() -> None:
    atoms = structure("pressure")
    assert atoms.cell.volume == pytest.approx(5.289 * 5.218 * 19.734 / 4, rel=1e-3)
    turned = atoms.copy()
    turned.positions = atoms.positions @ [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]
    turned.wrap()
    for atom in turned:
        # The nearest atom of the same element, under the periodicity.
        same = [i for i, s in enumerate(atoms.get_chemical_symbols()) if s == atom.symbol]
        probe = atoms + Atoms(atom.symbol, [atom.position])
        assert min(probe.get_distances(12, same, mic=True)) < 0.01


def test_crystals_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Ni with \[5\] oxygens within 2.5"):
        octahedron(tilted(0.0)[:-1])
    with pytest.raises(ValueError, match="crystal = 'La4Ni3O10'; allowed: 'pressure'"):
        structure("La4Ni3O10")
