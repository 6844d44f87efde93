"""Point groups acting on lattice vectors, momenta and orbitals."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Floats
from nickbook.results import Result

#: Elements of the point group of the square, in the order of `square_group`.
SQUARE_ELEMENTS = ("E", "C4", "C2", "C4³", "σx", "σd", "σy", "σd′")

#: Characters of its representations on those elements.
SQUARE_CHARACTERS: dict[str, tuple[int, ...]] = {
    "A1": (1, 1, 1, 1, 1, 1, 1, 1),
    "A2": (1, 1, 1, 1, -1, -1, -1, -1),
    "B1": (1, -1, 1, -1, 1, -1, 1, -1),
    "B2": (1, -1, 1, -1, -1, 1, -1, 1),
    "E": (2, 0, -2, 0, 0, 0, 0, 0),
}

#: Characters of the little group of a momentum by its order; its elements as in the square's.
LITTLE_GROUP_CHARACTERS: dict[int, dict[str, tuple[int, ...]]] = {
    8: SQUARE_CHARACTERS,
    4: {"A1": (1, 1, 1, 1), "A2": (1, 1, -1, -1), "B1": (1, -1, 1, -1), "B2": (1, -1, -1, 1)},
    2: {"A′": (1, 1), "A″": (1, -1)},
    1: {"A": (1,)},
}


@dataclass(frozen=True, eq=False)
class Symmetry(Result):
    r"""A rotation or reflection g of a model: :math:`T_{gR} = D\,T_R\,D^\dagger`.

    Parameters
    ----------
    name : str
        Name of the element.
    rotation : ndarray of int, shape (d, d)
        Its action on lattice vectors, in units of the primitive vectors.
    orbitals : ndarray, shape (n, n)
        The unitary matrix D in orbital space.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> turn = four_band().symmetries[1]
    >>> turn.name, turn.momentum([1.0, 0.0]).round(12).tolist()
    ('C4', [0.0, 1.0])
    """

    name: str
    rotation: Annotated[NDArray[np.int64], "", "direction", "other direction"]
    orbitals: Annotated[NDArray[np.complex128], "", "row", "column"]

    def _words(self) -> str:
        return f"{self.name!r}, rotation {self.rotation.tolist()}, {len(self.orbitals)} orbitals"

    def momentum(self, k: ArrayLike) -> Floats:
        """Momenta after the operation, shape (..., d): the Hamiltonian there is D h(k) D†."""
        turned: Floats = np.asarray(k, dtype=float) @ np.linalg.inv(self.rotation)
        return turned


def square_group(
    quarter_turn: ArrayLike, reflection: ArrayLike, *, axes: ArrayLike | None = None
) -> tuple[Symmetry, ...]:
    """Point group of the square from its action on the orbitals.

    Parameters
    ----------
    quarter_turn, reflection : array_like, shape (n, n)
        What the turn by 90° and the reflection x → −x do to the orbitals.
    axes : array_like, shape (2, 2), optional
        The primitive vectors as rows, in units of the Ni-Ni distance; the square lattice of Ni
        sites when not given.

    Returns
    -------
    tuple of Symmetry
        The eight elements in the order of `SQUARE_ELEMENTS`.

    Raises
    ------
    ValueError
        If the group does not map the lattice onto itself.

    Examples
    --------
    >>> from nickbook.bands import square_group
    >>> group = square_group([[-1.0]], [[1.0]])  # one x²−y² orbital
    >>> [int(symmetry.orbitals[0, 0].real) for symmetry in group]  # the characters of B1
    [1, -1, 1, -1, 1, -1, 1, -1]
    """
    vectors = np.eye(2) if axes is None else np.asarray(axes, dtype=float)
    lattice = []
    for matrix in ([[0, -1], [1, 0]], [[-1, 0], [0, 1]]):
        exact = np.linalg.inv(vectors).T @ np.array(matrix) @ vectors.T
        if np.abs(exact - exact.round()).max() > 1e-9:
            raise ValueError(f"axes = {vectors.tolist()} span no square lattice")
        lattice.append(exact.round().astype(np.int64))
    turn, flip = lattice
    orbital_turn, orbital_flip = (np.asarray(m, dtype=complex) for m in (quarter_turn, reflection))
    power = np.linalg.matrix_power
    return tuple(
        Symmetry(
            name,
            power(turn, turns) @ power(flip, flips),
            power(orbital_turn, turns) @ power(orbital_flip, flips),
        )
        for name, (flips, turns) in zip(SQUARE_ELEMENTS, np.ndindex(2, 4), strict=True)
    )
