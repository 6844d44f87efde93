"""Layers, mirror and point group that a table of hoppings has and does not name."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.bloch import BlochModel
from nickbook.bands.symmetry import Symmetry, square_group
from nickbook.bands.wannier import symmetrized
from nickbook.checks import real

_STAY = np.eye(2, dtype=int)
_TURN = np.array([[0, -1], [1, 0]])
_FLIP = np.array([[-1, 0], [0, 1]])


def recognized(
    model: BlochModel, *, sites: tuple[int, ...] = (), tolerance: float = 2e-6
) -> BlochModel:
    """Return a model with the sites, the bilayer mirror and the point group that its hoppings have.

    Looked for are the mirror that exchanges two layers, and the group of the square, among the
    matrices that take each orbital to plus or minus one orbital.  What the model already names is
    kept.

    Parameters
    ----------
    model : BlochModel
        A model in two dimensions with primitive vectors along x and y.
    sites : tuple of int, optional
        Number of the atom that each orbital sits on.  When neither given nor named by the model,
        two layers where a mirror exchanges them, the orbitals of one before those of the other or
        in turn, and one site otherwise.
    tolerance : float, optional
        Deviations up to this size in eV are taken for rounding and averaged away.

    Returns
    -------
    BlochModel
        The same bands; the mirror changes their order and their names.

    Raises
    ------
    ValueError
        If the model has three dimensions, or `sites` are not one for each orbital.

    Notes
    -----
    Symmetries that mix orbitals, such as a turn by 60°, or move them to other cells, are not found.
    Orbitals are placed one by one and each place is tested at once, so that the cost is some n⁴ nR
    unless many orbitals are alike.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from nickbook.bands import four_band, recognized
    >>> known = four_band()
    >>> bare = replace(known, mirror=None, sites=(), symmetries=(), band_names=(), sheet_names=())
    >>> found = recognized(bare)
    >>> found.sites, len(found.symmetries), bool((found.mirror == known.mirror).all())
    ((0, 0, 1, 1), 8, True)
    """
    model.require_plane("recognized")
    tolerance = real("tolerance", tolerance, at_least=0.0, unit="eV")
    n = len(model.orbitals)
    if sites and len(sites) != n:
        raise ValueError(f"sites = {sites}; allowed: one for each of {n} orbitals")
    hops = {tuple(r): t for r, t in zip(model.translations.tolist(), model.hoppings, strict=True)}
    known, mirror = sites or model.sites, model.mirror
    if mirror is None:
        halves = tuple(int(i >= n // 2) for i in range(n)), tuple(i % 2 for i in range(n))
        for layers in (known,) if known else halves:
            if len(set(layers)) == 2 and mirror is None:
                mirror = _mirror(hops, layers, tolerance)
                known = layers if mirror is not None else known
        known = known or (0,) * n
    group = model.symmetries or _square(hops, known or (0,) * n, tolerance)
    elements = symmetrized(model.translations, model.hoppings, mirror, group, tolerance)
    found = replace(model, hoppings=elements, mirror=mirror, sites=known, symmetries=group)
    if model.mirror is None and mirror is not None:
        return replace(found, band_names=(), sheet_names=())
    return found


#: Matrices of a model by their lattice vectors.
Hops = dict[tuple[int, ...], Complexes]


def _mirror(hops: Hops, sites: tuple[int, ...], tolerance: float) -> Floats | None:
    """Matrix that exchanges two layers and leaves each cell in place."""
    layers = np.array(sites)
    allowed = layers[:, None] != layers[None, :]
    for matrix in _signed_permutations(hops, _STAY, allowed, tolerance):
        if np.array_equal(matrix @ matrix, np.eye(len(matrix))):
            return matrix
    return None


def _square(hops: Hops, sites: tuple[int, ...], tolerance: float) -> tuple[Symmetry, ...]:
    """Group of the square on orbitals, or nothing."""
    anywhere = np.ones((len(sites),) * 2, bool)
    one = np.eye(len(sites))
    kept = [
        [d for d in _signed_permutations(hops, g, anywhere, tolerance) if _keeps(d, sites)]
        for g in (_TURN, _FLIP)
    ]
    for turn in kept[0]:
        for flip in kept[1] if np.array_equal(np.linalg.matrix_power(turn, 4), one) else ():
            both = flip @ turn
            if np.array_equal(flip @ flip, one) and np.array_equal(both @ both, one):
                return square_group(turn, flip)
    return ()


def _keeps(matrix: Floats, sites: tuple[int, ...]) -> bool:
    """Whether orbitals of one site go to orbitals of one site, so that local terms stay local."""
    together = np.equal.outer(sites, sites)
    place = np.abs(matrix).argmax(axis=0)
    return np.array_equal(together[np.ix_(place, place)], together)


def _signed_permutations(
    hops: Hops, rotation: NDArray[np.int64], allowed: NDArray[np.bool_], tolerance: float
) -> Iterator[Floats]:
    """Matrices D of plus and minus one that take T_R to T_gR, those that move least first.

    The first orbital keeps its sign, as a sign of D as a whole changes nothing.
    """
    n = len(allowed)
    zero = np.zeros((n, n))
    pairs = [(t, hops.get(tuple((rotation @ r).tolist()), zero)) for r, t in hops.items()]
    before, after = (np.array(matrices) for matrices in zip(*pairs, strict=True))

    def placed(places: list[int], signs: list[int]) -> Iterator[Floats]:
        i = len(places)
        if i == n:
            matrix = np.zeros((n, n))
            matrix[places, range(n)] = signs
            yield matrix
            return
        free = [p for p in range(n) if p not in places and allowed[i, p]]
        for p in sorted(free, key=lambda p: (p != i, p)):
            for sign in (1, -1) if i else (1,):
                now, phase = [*places, p], np.array([*signs, sign])
                rows = after[:, p, now] * sign * phase - before[:, i, : i + 1]
                columns = after[:, now, p] * sign * phase - before[:, : i + 1, i]
                if max(np.abs(rows).max(), np.abs(columns).max()) <= 2 * tolerance:
                    yield from placed(now, [*signs, sign])

    yield from placed([], [])
