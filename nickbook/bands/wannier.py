"""Wannier90's files of hoppings, ``seedname_hr.dat`` and ``seedname_tb.dat``, in and out."""

import gzip
import re
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Complexes, Floats, Integers
from nickbook.bands.bloch import BlochModel
from nickbook.bands.symmetry import Symmetry
from nickbook.checks import real

_COLUMNS = "R1 R2 R3 m n Re Im"
_WHOLE = re.compile(r"[+-]?\d+")
#: Fortran also writes 1.0D-3, and 1.0-103 where the exponent has three digits.
_FORTRAN = re.compile(r"(?<=[\d.])(?:[dDqQ]([+-]?\d+)|(?<![eE])([+-]\d{3}))(?!\S)")
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
    shifts: str | Path | bool | None = None,
) -> BlochModel:
    """Read the hoppings that Wannier90 writes with ``write_hr`` or ``write_tb = true``.

    The file holds a comment, the number of orbitals, the number of lattice vectors, their
    degeneracies and then one line ``R1 R2 R3 m n Re Im`` for each matrix element
    ⟨m at 0|H|n at R⟩.  Elements are divided by the degeneracy of their lattice vector, and moved
    to the nearest images of their orbitals where ``seedname_wsvec.dat`` lies beside the file.

    Parameters
    ----------
    path : str or Path
        The file, such as ``"La3Ni2O7_hr.dat"``; one whose name ends in ``_tb.dat`` also gives the
        places of the orbitals.  Compressed if its name ends in ``.gz``.
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
        Places of the orbitals in units of the primitive vectors; those of a ``_tb.dat`` file when
        not given.
    symmetries : tuple of Symmetry, optional
        A whole group, such as `square_group`.
    tolerance : float, optional
        Deviations up to this size in eV from Hermiticity and from the given symmetries are taken
        for rounding, and averaged away; larger ones are an error.  The default suits the six
        decimals of Wannier90.
    shifts : str, Path or bool, optional
        File of the shifts of Wannier90's ``use_ws_distance``.  By default that beside the file, if
        there is one; False leaves it aside, True demands it.

    Returns
    -------
    BlochModel
        The model, in the periodic gauge of the file.

    Raises
    ------
    ValueError
        For a file that is not complete, consistent, finite and Hermitian; the message names the
        line and what to do.  Also for a mirror or a symmetry that the hoppings do not have.
    OSError
        If the file cannot be read.

    Warns
    -----
    UserWarning
        If vectors on the border of the Wigner-Seitz cell stand for several images and no shifts say
        which is nearest: each hopping is then shared equally, as Wannier90 2 did.

    Notes
    -----
    A million lines take some seconds.  What list-directed Fortran input reads is read: comments
    behind the numbers, repeat counts, D exponents, and bytes of any encoding.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> from nickbook.bands import four_band, read_wannier90, write_wannier90
    >>> with NamedTemporaryFile(suffix="_hr.dat") as file:
    ...     write_wannier90(four_band(), file.name)
    ...     model = read_wannier90(file.name, sites=(0, 0, 1, 1))
    >>> round(float(abs(model.energies([1.0, 0.5]) - four_band().energies([1.0, 0.5])).max()), 9)
    0.0
    """
    file = Path(path)
    tolerance = real("tolerance", tolerance, at_least=0.0, unit="eV")
    source = _Source(file)
    vectors, elements = source.hoppings(tolerance)
    size = elements.shape[-1]
    vectors, elements = _shifted(source, vectors, elements, shifts)
    if orbitals and len(orbitals) != size:
        raise ValueError(f"orbitals = {orbitals}; allowed: {size} names, as {file} has num_wann")
    vectors = _in_dimension(vectors, dimension, elements, file)
    if positions is None and source.positions is not None:
        positions = source.positions[:, : vectors.shape[1]]
    elements = symmetrized(vectors, elements, mirror, symmetries, tolerance)
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
    Reading the file back gives the same numbers.  The format has no place for orbital names,
    positions, mirror and symmetries: give them to `read_wannier90` again.

    Examples
    --------
    >>> from tempfile import NamedTemporaryFile
    >>> from nickbook.bands import four_band, write_wannier90
    >>> with NamedTemporaryFile(suffix="_hr.dat") as file:
    ...     write_wannier90(four_band(), file.name, comment="bilayer")
    ...     lines = file.read().decode().splitlines()
    >>> lines[0].strip(), int(lines[1])  # the comment, the number of orbitals
    ('bilayer', 4)
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
    with Path(path).open("w", encoding="ascii", errors="replace") as out:
        out.write(f" {comment}\n{size:12d}\n{count:12d}\n")
        for start in range(0, count, _PER_LINE):
            out.write("    1" * min(_PER_LINE, count - start) + "\n")
        np.savetxt(out, rows.reshape(-1, 7), fmt="%5d%5d%5d%5d%5d %24.16e %24.16e")


class _Source:
    """One file while it is read; errors know its lines."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._texts = _texts(file)
        if not self._texts:
            raise self._error("the file is empty", "write it again with write_hr = true")
        self.positions: Floats | None = None
        with_places = file.name.removesuffix(".gz").endswith("_tb.dat")
        header = 4 if with_places else 1
        self._size = self._header(header + 1, "num_wann, the number of orbitals")
        self._count = self._header(header + 2, "nrpts, the number of lattice vectors")
        self.degeneracies, first = self._read_degeneracies(header + 3)
        #: Number of the line of each element.
        self._lines = np.array(
            [i for i, text in enumerate(self._texts[first - 1 :], first) if text.strip()], dtype=int
        )
        self._rows = self._blocks() if with_places else self._table(self._lines, _COLUMNS)
        self._check_rows()

    def hoppings(self, tolerance: float) -> tuple[Integers, Complexes]:
        """Lattice vectors (nR, 3) and Hermitian matrices (nR, n, n), degeneracies divided out."""
        rows = self._rows
        where = rows[:, :5].astype(np.int64)
        number: dict[tuple[int, ...], int] = {}
        of_rows = zip(*where[:, :3].T.tolist(), strict=True)
        owner = np.array([number.setdefault(r, len(number)) for r in of_rows])
        vectors = np.array(list(number))
        size = self._size
        place = (owner * size + where[:, 3] - 1) * size + where[:, 4] - 1
        line = np.full(max(self._count, len(vectors)) * size**2, -1)
        line[place[::-1]] = np.arange(len(place))[::-1]
        repeated = np.flatnonzero(line[place] != np.arange(len(place)))
        if repeated.size:
            row = int(repeated[0])
            earlier = self._lines[line[place[row]]]
            raise self._error(
                f"the element R = {tuple(where[row, :3].tolist())}, m = {where[row, 3]}, n = "
                f"{where[row, 4]} was given before, on line {earlier}",
                "keep one of the two lines",
                self._lines[row],
            )
        if len(vectors) > self._count:
            row = int(np.flatnonzero(owner == self._count)[0])
            raise self._error(
                f"R = {tuple(where[row, :3].tolist())} is lattice vector {self._count + 1}, but "
                f"nrpts = {self._count} and some vector lacks elements",
                "correct R here, or write the file again",
                self._lines[row],
            )
        found = line.reshape(-1, size, size)
        elements = rows[found, 5] + 1j * rows[found, 6]
        hermitian = self._hermitian(vectors, elements, self._lines[found], tolerance)
        return vectors, hermitian / self.degeneracies[:, None, None]

    def _header(self, at: int, what: str) -> int:
        if at > len(self._texts):
            raise self._error(f"the file ends before {what}", "write it again")
        words = _words(self._texts[at - 1])
        # A line of the table in place of the header would begin with a number as well.
        table = len(words) > 1 and all(map(_is_number, words))
        if table or not words or not _WHOLE.fullmatch(words[0]) or int(words[0]) < 1:
            held = self._texts[at - 1].strip()[:40]
            raise self._error(f"{held!r} stands for {what}", "give one positive integer", at)
        return int(words[0])

    def _read_degeneracies(self, at: int) -> tuple[Integers, int]:
        """Degeneracies of the lattice vectors and the number of the line after them."""
        found: list[int] = []
        while len(found) < self._count:
            if at > len(self._texts):
                raise self._truncated(len(found), f"nrpts = {self._count} degeneracies")
            # Fortran skips the rest of the last line.
            for word in _words(self._texts[at - 1])[: self._count - len(found)]:
                if not _WHOLE.fullmatch(word) or int(word) < 1:
                    raise self._error(
                        f"{word!r} stands where degeneracy {len(found) + 1} of nrpts = "
                        f"{self._count} should be",
                        "give positive integers, one for each lattice vector, before the elements",
                        at,
                    )
                found.append(int(word))
            at += 1
        return np.array(found), at

    def _table(self, lines: ArrayLike, names: str) -> Floats:
        """Numbers of some lines, a column for each name; the rest of each line is skipped."""
        numbers, columns = np.ravel(lines).tolist(), len(names.split())
        texts = [self._texts[at - 1] for at in numbers]
        with warnings.catch_warnings(), suppress(ValueError):
            warnings.simplefilter("ignore", UserWarning)  # no elements at all: counted below
            read = np.loadtxt(texts, ndmin=2, comments=["!", "#"])
            if read.shape[1] == columns:
                return read
        # Read what the fast reader does not know, or name the line that nobody can read.
        rows = (self._numbers(at, names) for at in numbers)
        return np.fromiter(rows, np.dtype((float, columns)), len(numbers))

    def _numbers(self, at: int, names: str) -> list[float]:
        words, columns = _words(self._texts[at - 1]), names.split()
        numbers = list(map(_is_number, words))
        if len(words) < len(columns) or (all(numbers) and len(words) > len(columns)):
            held = f"{len(words)} columns: {self._texts[at - 1].strip()[:60]!r}"
            raise self._error(held, f"give the {len(columns)} columns {names}", at)
        for name, word, is_number in zip(columns, words, numbers, strict=False):
            if not is_number:
                raise self._error(f"{name} = {word!r}", "give a number", at)
        return [float(word) for word in words[: len(columns)]]

    def _blocks(self) -> Floats:
        """Elements of a ``_tb.dat`` file as rows of the other format, and the orbitals' places."""
        count, per_block = self._count, 1 + self._size**2
        lattice = self._table([2, 3, 4], "x y z")
        if abs(np.linalg.det(lattice)) <= 1e-9 * np.linalg.norm(lattice, axis=1).prod():
            held = f"lattice vectors {lattice.tolist()} that lie in a plane"
            raise self._error(held, "give three independent ones", 2)
        whole = len(self._lines) // per_block
        if whole < 2 * count:
            raise self._truncated(whole, f"2 nrpts = {2 * count} blocks of elements and positions")
        parts, places = self._lines[: 2 * count * per_block].reshape(2, count, per_block)
        vectors = self._table(parts[:, 0], "R1 R2 R3")
        elements = self._table(parts[:, 1:].ravel(), "m n Re Im")
        home = np.flatnonzero((self._table(places[:, 0], "R1 R2 R3") == 0).all(axis=1))
        if home.size:
            names = "m n Re(x) Im(x) Re(y) Im(y) Re(z) Im(z)"
            inside = self._table(places[home[0], 1:], names)
            same = inside[:, 0] == inside[:, 1]
            ordered = inside[same][np.argsort(inside[same, 0])]
            self.positions = ordered[:, 2::2] @ np.linalg.inv(lattice)
        self._lines = parts[:, 1:].ravel()
        return np.hstack([np.repeat(vectors, self._size**2, axis=0), elements])

    def _check_rows(self) -> None:
        """Refuse elements that are not complete, finite and in range."""
        expected = self._count * self._size**2
        product = f"nrpts = {self._count} times num_wann² = {self._size**2}"
        if len(self._rows) < expected:
            raise self._truncated(len(self._rows), f"{expected} elements ({product})")
        if len(self._rows) > expected:
            raise self._error(
                f"an element beyond the {expected} of {product}",
                "correct the header, or remove what follows",
                self._lines[expected],
            )
        whole, orbitals = self._rows[:, :5], self._rows[:, 3:5]
        outside = (orbitals < 1) | (orbitals > self._size)
        for first, bad, remedy in (
            (0, ~np.isfinite(self._rows), "give a finite number"),
            (0, whole != np.round(whole), "give an integer"),
            (3, outside, f"give an orbital from 1 to {self._size}"),
        ):
            if bad.any():
                row, column = np.argwhere(bad)[0] + (0, first)
                held = f"{_COLUMNS.split()[column]} = {self._rows[row, column]:.15g}"
                raise self._error(held, remedy, self._lines[row])

    def _hermitian(
        self, vectors: Integers, elements: Complexes, lines: Integers, tolerance: float
    ) -> Complexes:
        """Average of each matrix and the adjoint of its partner's, if they agree."""
        partner = _places(-vectors, vectors)
        lonely = np.flatnonzero(partner < 0)
        if lonely.size:
            here = lonely[0]
            raise self._error(
                f"R = {tuple(vectors[here].tolist())} has no partner −R in the file",
                "give both vectors of each pair",
                lines[here, 0, 0],
            )
        unlike = np.flatnonzero(self.degeneracies[partner] != self.degeneracies)
        if unlike.size:
            here = unlike[0]
            raise self._error(
                f"R = {tuple(vectors[here].tolist())} has degeneracy {self.degeneracies[here]}, "
                f"its partner −R has {self.degeneracies[partner[here]]}",
                "correct the degeneracies, which stand in the order of the vectors",
                lines[here, 0, 0],
            )
        adjoint = elements[partner].conj().swapaxes(1, 2)
        miss = np.abs(elements - adjoint)
        if miss.max() > tolerance:
            r, m, n = (int(i) for i in np.unravel_index(miss.argmax(), miss.shape))
            raise self._error(
                f"the element {elements[r, m, n]:.6g} and its conjugate {adjoint[r, m, n]:.6g} of "
                f"line {lines[partner[r], n, m]} differ by {miss.max():.2e} eV: not Hermitian",
                f"correct one of them, or raise tolerance = {tolerance:g}",
                lines[r, m, n],
            )
        averaged: Complexes = (elements + adjoint) / 2
        return averaged

    def _truncated(self, found: int, wanted: str) -> ValueError:
        return self._error(
            f"the file ends after {found} of {wanted}",
            "copy or write it again: it is truncated, or its header is wrong",
        )

    def _error(self, held: str, remedy: str, line: int | None = None) -> ValueError:
        place = f"{self.file}" if line is None else f"{self.file}, line {line}"
        return ValueError(f"{place}: {held}; {remedy}")


def _texts(file: Path) -> list[str]:
    """Lines of a file, compressed or not, with numbers as Python writes them."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rb") as raw:
            text = raw.read().decode("utf-8", errors="replace")
    except (EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{file}: {error}; copy it again, or give the file itself") from None
    head, separator, rest = text.partition("\n")
    return (head + separator + _FORTRAN.sub(r"e\1\2", rest)).splitlines()


def _words(text: str) -> list[str]:
    """Values of a line as list-directed Fortran input takes them: 2*1 is 1 1, a comma a blank."""
    words = []
    for word in re.split(r"[!#/]", text, maxsplit=1)[0].replace(",", " ").split():
        count, star, value = word.partition("*")
        words += [value] * int(count) if star and count.isdecimal() else [word]
    return words


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word  # which Python takes for a mark between digits


def _shifted(
    source: _Source, vectors: Integers, elements: Complexes, shifts: str | Path | bool | None
) -> tuple[Integers, Complexes]:
    """Move each element to the nearest images of its two orbitals, where a file knows them."""
    file = source.file
    name = re.sub(r"_(hr|tb)\.dat(\.gz)?$", "_wsvec.dat", file.name)
    beside = [file.with_name(name + end) for end in ("", ".gz")]
    found = next((path for path in beside if path != file and path.exists()), None)
    if isinstance(shifts, str | Path):
        found = Path(shifts)
    elif shifts is True and found is None:
        raise ValueError(f"shifts = True, but {beside[0]} does not exist; give its path")
    if shifts is False or found is None:
        if shifts is None and (source.degeneracies > 1).any():
            warnings.warn(
                f"{file} has lattice vectors with several images and no {name} beside it: each "
                "hopping is shared equally between the images; give shifts=False if this is meant",
                stacklevel=3,
            )
        return vectors, elements
    return _moved(found, vectors, elements)


def _read_images(file: Path) -> dict[tuple[int, ...], list[list[int]]]:
    """Images that share a hopping, by R1, R2, R3, m and n, from a ``_wsvec.dat`` file."""
    rows = iter([(i, text) for i, text in enumerate(_texts(file)[1:], 2) if text.strip()])

    def integers(at: int, text: str, count: int) -> list[int]:
        words = _words(text)[:count]
        if len(words) < count or not all(map(_WHOLE.fullmatch, words)):
            raise ValueError(
                f"{file}, line {at}: {text.strip()[:60]!r} where {count} integers should be; "
                "copy or write it again"
            )
        return [int(word) for word in words]

    images = {}
    for at, text in rows:
        key = integers(at, text, 5)
        (count,) = integers(*next(rows, (at, "")), 1)
        images[tuple(key)] = [integers(*next(rows, (at, "")), 3) for _ in range(count)]
    return images


def _moved(file: Path, vectors: Integers, elements: Complexes) -> tuple[Integers, Complexes]:
    size, images = elements.shape[-1], _read_images(file)
    moved: dict[tuple[int, ...], Complexes] = {}
    for vector, matrix in zip(vectors.tolist(), elements, strict=True):
        for m, n in np.ndindex(size, size):
            shared = images.get((*vector, m + 1, n + 1))
            if not shared:
                raise ValueError(
                    f"{file}: no images for R = {tuple(vector)}, m = {m + 1}, n = {n + 1}; it "
                    "belongs to another file, or give shifts=False"
                )
            for image in shared:
                place = tuple(a + b for a, b in zip(vector, image, strict=True))
                target = moved.setdefault(place, np.zeros((size, size), complex))
                target[m, n] += matrix[m, n] / len(shared)
    return np.array(list(moved)), np.array(list(moved.values()))


def _places(wanted: Integers, vectors: Integers) -> Integers:
    """Where the wanted vectors stand among others, -1 for those that do not."""
    number = {tuple(r): i for i, r in enumerate(vectors.tolist())}
    return np.array([number.get(tuple(r), -1) for r in wanted.tolist()])


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


def symmetrized(
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
        averaged = np.zeros_like(elements)
        for symmetry in symmetries:
            images = _places(vectors @ symmetry.rotation.T, vectors)
            if (images < 0).any():
                return elements  # which BlochModel refuses with its reason
            rotate = symmetry.orbitals
            averaged += rotate.conj().T @ elements[images] @ rotate / len(symmetries)
        if np.abs(averaged - elements).max() <= tolerance:
            elements = averaged
    return elements
