"""Peaks of the susceptibility: where they are, which bands they come from, and their parity."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter
from scipy.special import expit

from nickbook.arrays import Complexes, Floats
from nickbook.bands.lattice import in_pi
from nickbook.checks import momenta
from nickbook.pairing.rpa.susceptibility import Susceptibility
from nickbook.progress import track
from nickbook.results import Result

#: Energies over temperature, occupations and states.
States = tuple[Floats, Floats, Complexes]
#: A maximum is higher than everything this far away, in units of π; ripples of the mesh are not.
REACH = 0.05


@dataclass(frozen=True, eq=False)
class Nesting(Result):
    """Leading modes of a bare susceptibility at some momenta; made by `nesting`.

    Parameters
    ----------
    q : ndarray, shape (Q, 2)
        The momenta.
    parity : ndarray of int, shape (Q,)
        +1 where both layers fluctuate in phase, -1 where they do so in antiphase, 0 without a
        mirror.
    vectors : ndarray, shape (Q, P)
        The normalized modes on the pairs of orbitals of the susceptibility.
    contributions : ndarray, shape (Q, n, n)
        Part of the eigenvalue in 1/eV that comes from each two bands, as numbered in the model's
        `band_names`.  Symmetric: half of what two different bands give together is at each place.

    Examples
    --------
    Layers in antiphase: all comes from pairs of an α and a β state.

    >>> from nickbook.bands import conduction_bands
    >>> from nickbook.pairing import bare_susceptibility, nesting
    >>> chi0 = bare_susceptibility(conduction_bands(), -0.65, temperature=0.05, mesh=32)
    >>> mode = nesting(chi0, [[0.0, 0.0]], parity=-1)
    >>> round(mode.between(0, 1).item() / mode.eigenvalues.item(), 9)
    1.0
    """

    q: Annotated[Floats, "1/a", "momentum", "direction"]
    parity: Annotated[NDArray[np.int64], "", "momentum"]
    vectors: Annotated[Complexes, "", "momentum", "pair"]
    contributions: Annotated[Floats, "1/eV", "momentum", "band", "other band"]

    def _words(self) -> str:
        word = {1: "even", -1: "odd", 0: "leading"}
        rows = zip(self.q, self.parity.tolist(), self.eigenvalues, strict=True)
        parts = [f"{in_pi(q)} {word[parity]} {value:.4g}/eV" for q, parity, value in rows]
        return f"{len(parts)} momenta: {', '.join(parts[:6])}"

    @property
    def eigenvalues(self) -> Floats:
        """The sums of all contributions, shape (Q,)."""
        return np.asarray(self.contributions.sum(axis=(-2, -1)))

    def between(self, first: int, second: int) -> Floats:
        """Return the part that two bands, or one band with itself, contribute, shape (Q,)."""
        share = self.contributions[:, first, second]
        return share if first == second else 2 * share


def nesting(chi0: Susceptibility, q: ArrayLike, *, parity: int = 0) -> Nesting:
    r"""Leading mode of a bare susceptibility at each momentum, and which bands it comes from.

    A mode v has the eigenvalue

    .. math:: \frac1N \sum_{k,mn} \frac{f(\xi_{mk}) - f(\xi_{n,k+q})}{\xi_{n,k+q} - \xi_{mk}}
        \Bigl|\sum_{ac} v^*_{ac} u^*_{am}(k)\, u_{cn}(k+q)\Bigr|^2 ,

    a sum over bands m and n of positive parts.  A mode that is even under the mirror connects
    bands of equal parity only, an odd one bands of opposite parity.

    Parameters
    ----------
    chi0 : Susceptibility
        Bare susceptibility, whose eigenvectors are the modes.
    q : array_like, shape (Q, 2)
        Momenta.
    parity : {0, 1, -1}, optional
        Parity of the mode under the mirror; 0 takes the leading mode whatever its parity.

    Returns
    -------
    Nesting
        Modes, parities and contributions.

    Raises
    ------
    ValueError
        If a parity is asked for and the model has no mirror.

    Notes
    -----
    The sum over k is done as it stands on the mesh of `chi0`, at O(Q L² n³), and shares no step
    with `bare_susceptibility`.  Between mesh points the two differ by the error of the mesh.

    Examples
    --------
    >>> from nickbook.bands import four_band
    >>> from nickbook.pairing import bare_susceptibility, nesting
    >>> chi0 = bare_susceptibility(four_band(), 10.0975, temperature=0.05, mesh=32)
    >>> nesting(chi0, [[0.0, 0.0], [3.14159265, 0.0]]).parity.tolist()
    [1, -1]
    """
    if parity not in (0, 1, -1):
        raise ValueError(f"parity = {parity!r}; allowed: 1 (even), -1 (odd), or 0 for either")
    points = momenta("q", q, 2).reshape(-1, 2)
    model = chi0.sea.model
    if parity and model.mirror is None:
        raise ValueError(f"parity = {parity}: {model.name!r} has no mirror; allowed: 0")
    matrices, mirror = chi0.on(points), np.zeros((len(chi0.pairs),) * 2)
    if model.mirror is not None:
        mirror = _on_pairs(chi0, model.mirror)
        # Eigenvectors of definite parity even where an even and an odd one are degenerate.
        matrices = (matrices + mirror @ matrices @ mirror.T) / 2
    if parity:
        keep = (np.eye(len(mirror)) + parity * mirror) / 2
        matrices = keep @ matrices @ keep
    vectors = np.linalg.eigh(matrices)[1][..., -1]
    signs = np.rint((vectors.conj() * (vectors @ mirror.T)).sum(-1).real).astype(int)
    at_k = _occupied(chi0, np.zeros(2))
    pairs = zip(track(points, "nesting"), vectors, strict=True)
    parts = np.array([_parts(chi0, at_k, step, v) for step, v in pairs])
    return Nesting(points, signs, vectors, (parts + parts.swapaxes(-1, -2)) / 2)


def largest_eigenvalues(chi0: Susceptibility) -> Floats:
    """Largest eigenvalue of a susceptibility with the mirrors of the square on its mesh.

    Parameters
    ----------
    chi0 : Susceptibility
        Susceptibility that both mirrors kx → −kx and ky → −ky leave alone, so that a quarter of
        the momenta is enough.

    Returns
    -------
    ndarray, shape (L, L)
        The eigenvalues in 1/eV at the momenta of ``zone_mesh(L)``.

    Examples
    --------
    The strongest response, above that to a uniform field:

    >>> from nickbook.bands import conduction_bands
    >>> from nickbook.pairing import bare_susceptibility
    >>> from nickbook.pairing.rpa import largest_eigenvalues
    >>> chi0 = bare_susceptibility(conduction_bands(), -0.65, temperature=0.05, mesh=32)
    >>> values = largest_eigenvalues(chi0)
    >>> values.shape, bool(values.max() > values[0, 0])
    ((32, 32), True)
    """
    half = chi0.mesh // 2
    quarter = np.linalg.eigvalsh(chi0.values[: half + 1, : half + 1])[..., -1]
    fold = np.minimum(np.arange(chi0.mesh), chi0.mesh - np.arange(chi0.mesh))
    return np.asarray(quarter[np.ix_(fold, fold)])


def peaks(values: Floats) -> Floats:
    """Maxima of a map with the symmetries of the square, in the wedge 0 <= y <= x <= 1.

    Parameters
    ----------
    values : ndarray, shape (L, L)
        The map at the momenta of ``zone_mesh(L)``.

    Returns
    -------
    ndarray, shape (M, 2)
        Momenta in units of π that nothing within 0.05π along kx and ky exceeds.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import zone_mesh
    >>> from nickbook.pairing.rpa import peaks
    >>> kx, ky = np.moveaxis(zone_mesh(32), -1, 0)
    >>> peaks(-np.cos(kx) - np.cos(ky)).tolist()
    [[1.0, 1.0]]
    """
    half = len(values) // 2
    highest = maximum_filter(values, size=1 + 2 * round(REACH * half), mode="wrap")
    found = np.argwhere((values >= highest - 1e-9)[: half + 1, : half + 1])
    return found[found[:, 0] >= found[:, 1]] / half


def line_maxima(values: Floats) -> Floats:
    """Maxima of such a map along Γ–X and Γ–M.

    The mirrors make the map stationary across these lines: such a point is a peak, or a saddle from
    which the map rises to both sides.

    Parameters
    ----------
    values : ndarray, shape (L, L)
        As for `peaks`.

    Returns
    -------
    ndarray, shape (M, 2)
        Momenta in units of π.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import zone_mesh
    >>> from nickbook.pairing.rpa import line_maxima
    >>> kx, ky = np.moveaxis(zone_mesh(32), -1, 0)
    >>> line_maxima(-np.cos(kx) - np.cos(ky)).tolist()  # a saddle at X, the peak at M
    [[1.0, 0.0], [1.0, 1.0]]
    """
    half = len(values) // 2
    step, size = np.arange(half + 1), 1 + 2 * round(REACH * half)
    found = []
    for direction in ((1, 0), (1, 1)):
        x, y = np.multiply.outer(direction, step)
        highest = maximum_filter(values[x, y], size=size, mode="mirror")
        places = np.flatnonzero(values[x, y] >= highest - 1e-9)
        found.append(np.multiply.outer(places, direction))
    return np.concatenate(found) / half


def _occupied(chi0: Susceptibility, q: Floats) -> States:
    """Energies over temperature, occupations and states at k + q on the mesh."""
    energies, states = chi0.sea.model.states(chi0.q + q)
    x = (energies - chi0.sea.mu) / chi0.temperature
    return x, expit(-x), states


def _moved(chi0: Susceptibility, at_k: States, q: Floats) -> States:
    """Return the same at k + q: where q is on the mesh, by a shift."""
    steps = q * chi0.mesh / (2 * np.pi)
    if np.abs(steps - np.rint(steps)).max() > 1e-9:
        return _occupied(chi0, q)
    shift, (x, full, states) = -np.rint(steps).astype(int), at_k
    return np.roll(x, shift, (0, 1)), np.roll(full, shift, (0, 1)), np.roll(states, shift, (0, 1))


def _parts(chi0: Susceptibility, at_k: States, q: Floats, vector: Complexes) -> Floats:
    x, full, left = at_k
    y, reached, right = _moved(chi0, at_k, q)
    n = len(chi0.sea.model.orbitals)
    mode = np.zeros((n, n), complex)
    mode[tuple(chi0.pairs.T)] = vector.conj()
    amplitudes = np.abs(left.conj().swapaxes(-1, -2) @ (mode @ right)) ** 2
    gap = y[..., None, :] - x[..., :, None]
    near = np.abs(gap) < 1e-5
    middle = expit((y[..., None, :] + x[..., :, None]) / 2)
    jump = full[..., :, None] - reached[..., None, :]
    weights = np.where(near, middle * (1 - middle), jump / np.where(near, 1.0, gap))
    parts: Floats = (weights * amplitudes).sum(axis=(0, 1))
    return parts / (chi0.mesh**2 * chi0.temperature)


def _on_pairs(chi0: Susceptibility, mirror: Floats) -> Floats:
    """Return the mirror as a matrix on the pairs of orbitals."""
    a, c = chi0.pairs.T
    matrix: Floats = np.asarray(mirror)[np.ix_(a, a)] * np.asarray(mirror)[np.ix_(c, c)]
    if not np.allclose(matrix @ matrix.T, np.eye(len(a))):
        raise ValueError("the pairs of orbitals are not closed under the mirror; take all of them")
    return matrix
