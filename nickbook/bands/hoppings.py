"""Tables of hoppings, one in a line."""

from pathlib import Path

import numpy as np

from nickbook.bands.bloch import BlochModel

_COLUMNS = {5: "R1 R2 m n Re", 6: "R1 R2 m n Re Im", 7: "R1 R2 R3 m n Re Im"}


def read_hoppings(path: str | Path, *, name: str | None = None) -> BlochModel:
    r"""Read a table of hoppings, one in a line and no header.

    Parameters
    ----------
    path : str or Path
        Text with 5, 6 or 7 columns, divided by spaces or commas: the lattice vector R in two
        dimensions or, with 7 columns, in three, the numbers m and n of two orbitals from one on,
        and ⟨m at 0|H|n at R⟩ in eV, real or as two parts.  Words behind # are comments.  An element
        whose Hermitian partner is missing brings it along.
    name : str, optional
        Name of the model; that of the file when not given.

    Returns
    -------
    BlochModel
        The model, its orbitals named by their numbers.

    Raises
    ------
    ValueError
        For other columns, orbitals or vectors that are no whole numbers, an element that is there
        twice, or one that contradicts its partner.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> from nickbook.bands import read_hoppings
    >>> with NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("1, 0, 1, 1, -0.5 # along x\n0, 1, 1, 1, -0.5\n")
    ...     _ = file.flush()
    ...     model = read_hoppings(file.name)
    >>> model.energies([0.0, 0.0]).tolist()
    [-2.0]
    """
    file = Path(path)
    try:
        words = [x.split("#")[0].replace(",", " ") for x in file.read_text("utf-8").splitlines()]
        lines = [x for x in words if x.strip()]
        rows = np.loadtxt(lines, ndmin=2) if lines else np.empty((0, 0))
    except ValueError as error:
        raise ValueError(f"{file} is no table of numbers ({error}); {_allowed()}") from error
    columns = rows.shape[1]
    if columns not in _COLUMNS:
        raise ValueError(f"{file} has {columns} columns; {_allowed()}")
    dimension = 3 if columns == 7 else 2
    whole = rows[:, : dimension + 2].astype(int)
    if (whole != rows[:, : dimension + 2]).any() or (whole[:, dimension:] < 1).any():
        raise ValueError(f"{file} has vectors or orbitals that are no whole numbers; {_allowed()}")
    values = rows[:, dimension + 2] + (1j * rows[:, -1] if columns > 5 else 0)
    elements: dict[tuple[int, ...], complex] = {}
    for place, value in zip(map(tuple, whole.tolist()), values.tolist(), strict=True):
        if place in elements:
            raise ValueError(f"{file} gives {place} twice; keep one of the two lines")
        elements[place] = value
    for place, value in list(elements.items()):
        partner = (*(-x for x in place[:dimension]), place[-1], place[-2])
        elements.setdefault(partner, np.conj(value))
    vectors = sorted({place[:dimension] for place in elements})
    size = max(max(place[dimension:]) for place in elements)
    hops = np.zeros((len(vectors), size, size), complex)
    for place, value in elements.items():
        hops[vectors.index(place[:dimension]), place[-2] - 1, place[-1] - 1] = value
    numbers = tuple(str(i + 1) for i in range(size))
    return BlochModel(name or file.name, numbers, np.array(vectors), hops)


def _allowed() -> str:
    return f"allowed: in each line {', or '.join(_COLUMNS.values())}"
