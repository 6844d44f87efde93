"""Wannier90's files of hoppings, ``seedname_hr.dat``, in and out."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Complexes, Floats, Integers
from nickbook.bands.bloch import BlochModel
from nickbook.bands.symmetry import Symmetry
from nickbook.checks import real

_COLUMNS = "R1 R2 R3 m n Re Im"
_PER_LINE = 15


def read_wannier90(
    path: str | Path,
    *,
    name: str | None = None,
    orbitals: tuple[str, ...] = (),
    dimension: int | None = None,
    mirror: Floats | None = None,
    band_names: tuple[str, ...] = (),
    spin_degeneracy: int = 2,
    sites: tuple[int, ...] = (),
    positions: ArrayLike | None = None,
    symmetries: tuple[Symmetry, ...] = (),
    tolerance: float = 2e-6,
) -> BlochModel:
    """Read the hoppings that Wannier90 writes with ``write_hr = true``.

    The file holds a comment, the number of orbitals, the number of lattice vectors, their
    degeneracies and then one line ``R1 R2 R3 m n Re Im`` for each matrix element
    ⟨m at 0|H|n at R⟩.  Elements are divided by the degeneracy of their lattice vector.

    Parameters
    ----------
    path : str or Path
        The file, such as ``"La3Ni2O7_hr.dat"``.
    name : str, optional
        Name of the model; that of the file when not given.
    orbitals : tuple of str, optional
        Names of the orbitals; ``"1"``, ``"2"``, ... when not given.
    dimension : {2, 3}, optional
        By default two if every R3 is zero, else three.
    mirror : ndarray, shape (n, n), optional
        The bilayer mirror in orbital space, as for `BlochModel`.
    band_names : tuple of str, optional
        Names of the bands in block order.
    spin_degeneracy : int, optional
        Electrons that one band state takes; one for a calculation with spin-orbit coupling.
    sites : tuple of int, optional
        Number of the atom that each orbital sits on.
    positions : array_like, shape (n, dimension), optional
        Places of the orbitals in units of the primitive vectors.
    symmetries : tuple of Symmetry, optional
        A whole group, such as `square_group`.
    tolerance : float, optional
        Deviations up to this size in eV from Hermiticity and from the given symmetries are taken
        for rounding, and averaged away; larger ones are an error.  The default suits the six
        decimals of Wannier90.

    Returns
    -------
    BlochModel
        The model, in the periodic gauge of the file.

    Raises
    ------
    ValueError
        For a file that is not complete, consistent, finite and Hermitian; the message names the
        file, the line, what it holds and what to do.  Also for a mirror or a symmetry that the
        hoppings do not have.
    OSError
        If the file cannot be read.

    Notes
    -----
    All elements are parsed and checked as arrays, about three seconds for a million lines; only
    an error makes the file be read line by line.
    """
    file = Path(path)
    tolerance = real("tolerance", tolerance, at_least=0.0, unit="eV")
    source = _Source(file)
    vectors, elements = source.hoppings(tolerance)
    size = elements.shape[-1]
    if orbitals and len(orbitals) != size:
        raise ValueError(f"orbitals = {orbitals}; allowed: {size} names, as {file} has num_wann")
    vectors = _in_dimension(vectors, dimension, elements, file)
    elements = _symmetrized(vectors, elements, mirror, symmetries, tolerance)
    return BlochModel(
        name=name or file.name,
        orbitals=orbitals or tuple(str(i + 1) for i in range(size)),
        translations=vectors,
        hoppings=elements,
        mirror=mirror,
        band_names=band_names,
        spin_degeneracy=spin_degeneracy,
        sites=sites,
        positions=positions,
        symmetries=symmetries,
    )


def write_wannier90(model: BlochModel, path: str | Path, *, comment: str | None = None) -> None:
    """Write the hoppings of a model as Wannier90 does, with all digits.

    Parameters
    ----------
    model : BlochModel
        Any model; R3 is zero for one in two dimensions.
    path : str or Path
        The file; PythTB and other readers expect a name that ends in ``_hr.dat``.
    comment : str, optional
        First line of the file; the name of the model when not given.

    Raises
    ------
    ValueError
        If the comment has more than one line.
    OSError
        If the file cannot be written.

    Notes
    -----
    Reading the file back gives the same floating-point numbers.  The format has no place for
    orbital names, positions, mirror and symmetries: give them to `read_wannier90` again.
    """
    comment = f"{model.name}, written by nickbook" if comment is None else comment
    if len(comment.splitlines()) > 1:
        raise ValueError(f"comment = {comment!r}; allowed: one line")
    size, count = len(model.orbitals), len(model.translations)
    vectors = np.zeros((count, 3), dtype=np.int64)
    vectors[:, : model.dimension] = model.translations
    order = np.lexsort(vectors.T[::-1])
    # The first orbital index runs fastest, as Wannier90 writes it.
    n, m = (i.ravel() + 1 for i in np.indices((size, size)))
    rows = np.empty((count, size**2, 7))
    rows[..., :3] = vectors[order, None]
    rows[..., 3], rows[..., 4] = m, n
    elements = model.hoppings[order][:, m - 1, n - 1] + 0.0
    rows[..., 5], rows[..., 6] = elements.real, elements.imag
    ones = [1] * count
    with Path(path).open("w", encoding="ascii", errors="replace") as out:
        out.write(f" {comment}\n{size:12d}\n{count:12d}\n")
        for start in range(0, count, _PER_LINE):
            out.write("".join(f"{d:5d}" for d in ones[start : start + _PER_LINE]) + "\n")
        np.savetxt(out, rows.reshape(-1, 7), fmt="%5d%5d%5d%5d%5d %24.16e %24.16e")


class _Source:
    """One file while it is read; errors know its lines."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open(encoding="utf-8", errors="replace") as lines:
            numbered = enumerate(lines, start=1)
            if next(numbered, None) is None:
                raise self._error("the file is empty", "write it again with write_hr = true")
            self._size = self._header(numbered, "num_wann, the number of orbitals")
            self._count = self._header(numbered, "nrpts, the number of lattice vectors")
            self._degeneracies, self._first = self._read_degeneracies(numbered)

    def hoppings(self, tolerance: float) -> tuple[Integers, Complexes]:
        """Lattice vectors (nR, 3) and Hermitian matrices (nR, n, n), degeneracies divided out."""
        rows = self._rows()
        where = rows[:, :5].astype(np.int64)
        vectors, owner = self._lattice_vectors(where)
        size = self._size
        place = (owner * size + where[:, 3] - 1) * size + where[:, 4] - 1
        line = np.full(max(self._count, len(vectors)) * size**2, -1)
        line[place[::-1]] = np.arange(len(place))[::-1]
        repeated = np.flatnonzero(line[place] != np.arange(len(place)))
        if repeated.size:
            row = int(repeated[0])
            earlier = self._lines()[line[place[row]]]
            raise self._error(
                f"{_element(where[row])} was given before, on line {earlier}",
                "keep one of the two lines",
                row,
            )
        if len(vectors) > self._count:
            row = int(np.flatnonzero(owner == self._count)[0])
            raise self._error(
                f"R = {tuple(where[row, :3].tolist())} is lattice vector {self._count + 1}, but "
                f"nrpts = {self._count} and some vector lacks elements",
                "correct R here, or write the file again",
                row,
            )
        elements = (rows[line, 5] + 1j * rows[line, 6]).reshape(-1, size, size)
        hermitian = self._hermitian(vectors, elements, line, tolerance)
        return vectors, hermitian / self._degeneracies[:, None, None]

    def _header(self, numbered: Iterator[tuple[int, str]], what: str) -> int:
        number, text = next(numbered, (0, ""))
        if not number:
            raise self._error(f"the file ends before {what}", "write it again")
        if not text.strip().isdecimal() or int(text) < 1:
            raise self._error(
                f"{text.strip()[:40]!r} stands for {what}", "give one positive integer", at=number
            )
        return int(text)

    def _read_degeneracies(self, numbered: Iterator[tuple[int, str]]) -> tuple[Integers, int]:
        """Degeneracies of the lattice vectors and the number of the line after them."""
        found: list[int] = []
        number = 3
        while len(found) < self._count:
            number, text = next(numbered, (0, ""))
            if not number:
                raise self._error(
                    f"the file ends after {len(found)} of nrpts = {self._count} degeneracies",
                    "copy or write it again",
                )
            for word in text.split():
                if not word.isdecimal() or int(word) < 1:
                    raise self._error(
                        f"{word!r} stands where degeneracy {len(found) + 1} of nrpts = "
                        f"{self._count} should be",
                        "give positive integers, one for each lattice vector, before the elements",
                        at=number,
                    )
                found.append(int(word))
        if len(found) > self._count:
            raise self._error(
                f"this line brings {len(found)} degeneracies, but nrpts = {self._count}",
                "correct nrpts on line 3, or the degeneracies",
                at=number,
            )
        return np.array(found), number + 1

    def _rows(self) -> Floats:
        """All elements as an array (lines, 7), complete, finite and in range."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # no elements at all: counted below
                rows = np.loadtxt(
                    self._file, skiprows=self._first - 1, ndmin=2, comments=None, encoding="utf-8"
                )
        except ValueError:
            raise self._malformed() from None
        expected = self._count * self._size**2
        if rows.shape[1:] != (7,) and rows.size:
            raise self._malformed()
        if len(rows) < expected:
            raise self._error(
                f"the file ends after {len(rows)} of {expected} elements (nrpts = {self._count} "
                f"times num_wann² = {self._size**2})",
                "copy or write it again: it is truncated, or its header is wrong",
            )
        if len(rows) > expected:
            raise self._error(
                f"an element beyond the {expected} of nrpts = {self._count} times num_wann² = "
                f"{self._size**2}",
                "correct the header, or remove what follows",
                expected,
            )
        self._check_values(rows)
        return rows

    def _check_values(self, rows: Floats) -> None:
        finite = np.isfinite(rows)
        if not finite.all():
            row, column = np.argwhere(~finite)[0].tolist()
            value, what = rows[row, column], _COLUMNS.split()[column]
            raise self._error(f"{what} = {value}", "give a finite number", row)
        whole = rows[:, :5] == np.round(rows[:, :5])
        if not whole.all():
            row, column = np.argwhere(~whole)[0].tolist()
            value, what = rows[row, column], _COLUMNS.split()[column]
            raise self._error(f"{what} = {value}", "give an integer", row)
        inside = (rows[:, 3:5] >= 1) & (rows[:, 3:5] <= self._size)
        if not inside.all():
            row, column = np.argwhere(~inside)[0].tolist()
            value, what = int(rows[row, 3 + column]), "mn"[column]
            raise self._error(f"{what} = {value}", f"give an orbital from 1 to {self._size}", row)

    def _lattice_vectors(self, where: Integers) -> tuple[Integers, Integers]:
        """Distinct lattice vectors in order of appearance, and the number of each line's."""
        low = where[:, :3].min(axis=0)
        span = where[:, :3].max(axis=0) - low + 1
        key = np.ravel_multi_index(tuple((where[:, :3] - low).T), tuple(span.tolist()))
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return where[first[order], :3], rank[inverse]

    def _hermitian(
        self, vectors: Integers, elements: Complexes, line: Integers, tolerance: float
    ) -> Complexes:
        """Average of each matrix and the adjoint of its partner's, if they agree."""
        number = {tuple(r): i for i, r in enumerate(vectors.tolist())}
        partner = np.array([number.get(tuple(-x for x in r), -1) for r in vectors.tolist()])
        per_vector = self._size**2
        if (partner < 0).any():
            lonely = int(np.flatnonzero(partner < 0)[0])
            raise self._error(
                f"R = {tuple(vectors[lonely].tolist())} has no partner −R in the file",
                "give both vectors of each pair",
                int(line[lonely * per_vector]),
            )
        unlike = np.flatnonzero(self._degeneracies[partner] != self._degeneracies)
        if unlike.size:
            here = int(unlike[0])
            raise self._error(
                f"R = {tuple(vectors[here].tolist())} has degeneracy {self._degeneracies[here]}, "
                f"its partner −R has {self._degeneracies[partner[here]]}",
                "correct the degeneracies, which stand in the order of the vectors",
                int(line[here * per_vector]),
            )
        adjoint = elements[partner].conj().swapaxes(1, 2)
        miss = np.abs(elements - adjoint)
        if miss.max() > tolerance:
            r, m, n = (int(i) for i in np.unravel_index(miss.argmax(), miss.shape))
            row = int(line[(r * self._size + m) * self._size + n])
            other = self._lines()[line[(partner[r] * self._size + n) * self._size + m]]
            raise self._error(
                f"the element {elements[r, m, n]:.6g} and its conjugate {adjoint[r, m, n]:.6g} of "
                f"line {other} differ by {miss.max():.2e} eV: not Hermitian",
                f"correct one of them, or raise tolerance = {tolerance:g}",
                row,
            )
        averaged: Complexes = (elements + adjoint) / 2
        return averaged

    def _malformed(self) -> ValueError:
        """Find the line that keeps the elements from being read."""
        texts = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        for number in self._lines():
            words = texts[number - 1].split()
            if len(words) != 7:
                held = f"{len(words)} columns: {texts[number - 1].strip()[:60]!r}"
                return self._error(held, f"give the seven {_COLUMNS}", at=number)
            for word, what in zip(words, _COLUMNS.split(), strict=True):
                try:
                    float(word)
                except ValueError:
                    return self._error(f"{what} = {word!r}", "give a number", at=number)
        return self._error("its elements are no table of numbers", "write the file again")

    def _lines(self) -> list[int]:
        """Numbers of the lines that hold elements."""
        with self._file.open(encoding="utf-8", errors="replace") as lines:
            numbered = enumerate(lines, start=1)
            return [i for i, text in numbered if i >= self._first and text.strip()]

    def _error(
        self, held: str, remedy: str, row: int | None = None, at: int | None = None
    ) -> ValueError:
        number = self._lines()[row] if row is not None else at
        place = f"{self._file}" if number is None else f"{self._file}, line {number}"
        return ValueError(f"{place}: {held}; {remedy}")


def _element(where: Integers) -> str:
    *vector, m, n = where.tolist()
    return f"the element R = {tuple(vector)}, m = {m}, n = {n}"


def _in_dimension(
    vectors: Integers, dimension: int | None, elements: Complexes, file: Path
) -> Integers:
    if dimension not in (None, 2, 3):
        raise ValueError(f"dimension = {dimension}; allowed: 2, 3 or None")
    out_of_plane = vectors[:, 2] != 0
    if dimension == 2 and out_of_plane.any():
        largest = np.abs(elements[out_of_plane]).max()
        raise ValueError(
            f"dimension = 2, but {file} has lattice vectors with R3 ≠ 0, with elements up to "
            f"{largest:.2e} eV; leave dimension out and take model.plane(kz)"
        )
    return vectors[:, :2] if dimension == 2 or not (dimension or out_of_plane.any()) else vectors


def _symmetrized(
    vectors: Integers,
    elements: Complexes,
    mirror: Floats | None,
    symmetries: tuple[Symmetry, ...],
    tolerance: float,
) -> Complexes:
    """Average over the mirror and the group, if that changes no more than rounding does."""
    size = elements.shape[-1]
    if mirror is not None and np.shape(mirror) == (size, size):
        averaged = (elements + mirror @ elements @ np.conj(mirror).T) / 2
        if np.abs(averaged - elements).max() <= tolerance:
            elements = averaged
    if symmetries and all(s.orbitals.shape == (size, size) for s in symmetries):
        number = {tuple(r): i for i, r in enumerate(vectors.tolist())}
        averaged = np.zeros_like(elements)
        for symmetry in symmetries:
            turned = (vectors @ symmetry.rotation.T).tolist()
            images = np.array([number.get(tuple(r), -1) for r in turned])
            if (images < 0).any():
                return elements  # which BlochModel refuses with its reason
            rotate = symmetry.orbitals
            averaged += rotate.conj().T @ elements[images] @ rotate / len(symmetries)
        if np.abs(averaged - elements).max() <= tolerance:
            elements = averaged
    return elements
