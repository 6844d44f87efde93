"""Bloch Hamiltonians as finite Fourier series, and the models of the two papers."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nickbook.bands.checks import momenta, positive_integer, real

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


class Fourier:
    """The sum over lattice vectors and its momentum derivatives, as one matrix product."""

    def __init__(self, translations: NDArray[np.int64], matrices: Complexes) -> None:
        # T(-R) = T(R)^dagger: half of the vectors and the Hermitian part of their sum suffice.
        half = [i for i, r in enumerate(translations.tolist()) if tuple(r) >= (0, 0)]
        translations, matrices = translations[half], matrices[half].copy()
        matrices[(translations == 0).all(axis=1)] /= 2
        self._size = matrices.shape[-1]
        self._reach = int(np.abs(translations).max(initial=0))
        self._rows = (translations + self._reach).T
        lift = [matrices] + [1j * translations[:, a, None, None] * matrices for a in (0, 1)]
        self._columns = np.array([m.reshape(len(half), -1).T for m in lift])

    def __call__(self, k: Floats, derivatives: int = 0) -> Complexes:
        """Shape (1, ..., n, n): h; with derivatives=1 shape (3, ..., n, n): h, ∂h/∂kx, ∂h/∂ky."""
        parts = 1 + 2 * derivatives
        columns = self._columns[:parts].reshape(-1, self._columns.shape[-1])
        sums = (columns @ self._phases(k.reshape(-1, 2).T)).reshape(parts, self._size**2, -1)
        shape = (parts, *k.shape[:-1], self._size, self._size)
        if self._size == 1:
            return (sums + sums.conj()).reshape(shape)
        square = sums.reshape(parts, self._size, self._size, -1)
        hermitian: Complexes = square + square.swapaxes(1, 2).conj()
        return np.moveaxis(hermitian, -1, 1).reshape(shape)

    def _phases(self, k: Floats) -> Complexes:
        # exp(ikR) from powers of exp(ikx), exp(iky): two exponentials a point instead of nR.
        step = np.exp(1j * k)
        powers = np.empty((2 * self._reach + 1, *step.shape), complex)
        powers[self._reach] = 1.0
        for n in range(1, self._reach + 1):
            np.multiply(powers[self._reach + n - 1], step, out=powers[self._reach + n])
            np.conjugate(powers[self._reach + n], out=powers[self._reach - n])
        phases: Complexes = powers[:, 0].take(self._rows[0], 0) * powers[:, 1].take(
            self._rows[1], 0
        )
        return phases


@dataclass(frozen=True, eq=False)
class Block:
    """One mirror block of a model: its parity and the orthonormal orbitals that span it."""

    parity: int
    basis: Complexes
    fourier: Fourier

    @property
    def size(self) -> int:
        """Number of bands in the block."""
        return int(self.basis.shape[1])

    @property
    def label(self) -> str:
        """Word that band names of the block start with."""
        return {-1: "odd ", 0: "", 1: "even "}[self.parity]

    def energies(self, k: Floats) -> Floats:
        """Ascending energies, shape (..., size)."""
        (h,) = self.fourier(k)
        return h[..., 0].real if self.size == 1 else np.linalg.eigvalsh(h)

    def band(self, k: Floats, index: int) -> tuple[Floats, Floats]:
        """Energy (...) and velocity (..., 2) of one band, by the Hellmann-Feynman theorem."""
        h, *slopes = self.fourier(k, derivatives=1)
        if self.size == 1:
            energy, *velocity = (part[..., 0, 0].real for part in (h, *slopes))
        else:
            energies, vectors = np.linalg.eigh(h)
            energy, state = energies[..., index], vectors[..., :, index, None]
            velocity = [(state.conj() * (s @ state)).sum(axis=(-2, -1)).real for s in slopes]
        return energy, np.stack(velocity, axis=-1)

    def orbital_weights(self, k: Floats, index: int) -> Floats:
        """Squared components of one band on the model's orbitals, shape (..., n)."""
        if self.size == 1:
            return np.broadcast_to(np.abs(self.basis.T[0]) ** 2, (*k.shape[:-1], len(self.basis)))
        _, vectors = np.linalg.eigh(self.fourier(k)[0])
        weights: Floats = np.abs(vectors[..., :, index] @ self.basis.T) ** 2
        return weights


@dataclass(frozen=True, eq=False)
class BlochModel:
    r"""A tight-binding model :math:`h(k) = \sum_R T_R\, e^{i k R}` in the periodic gauge.

    Parameters
    ----------
    name : str
        What the model is, for messages and figure titles.
    orbitals : tuple of str
        Names of the n orbitals, in the order of the matrix rows.
    translations : ndarray of int, shape (nR, 2)
        Lattice vectors R in units of the Ni-Ni distance.
    hoppings : ndarray, shape (nR, n, n)
        Matrices :math:`T_R` in eV, with :math:`T_{-R} = T_R^\dagger`.
    mirror : ndarray, shape (n, n), optional
        The bilayer mirror in orbital space, a Hermitian involution that commutes with every
        :math:`T_R`.  It splits the model into an odd and an even block.
    band_names : tuple of str, optional
        Names of the bands in block order (odd block first); made up when not given.
    spin_degeneracy : int
        Electrons that one band state takes.

    Raises
    ------
    ValueError
        For wrong shapes, numbers that are not finite, a Hamiltonian that is not Hermitian, or a
        mirror that is no symmetry.

    Notes
    -----
    Evaluating at N momenta costs O(N nR n²) for the Fourier sum, done as one matrix product, and
    O(N n³) for the eigenvalues.
    """

    name: str
    orbitals: tuple[str, ...]
    translations: NDArray[np.int64]
    hoppings: Complexes
    mirror: Floats | None = None
    band_names: tuple[str, ...] = ()
    spin_degeneracy: int = 2
    _blocks: tuple[Block, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.orbitals)
        translations, hoppings = np.asarray(self.translations), np.asarray(self.hoppings, complex)
        count = len(translations)
        if n == 0 or translations.shape != (count, 2) or hoppings.shape != (count, n, n):
            raise ValueError(
                f"translations {translations.shape} and hoppings {hoppings.shape}; allowed: "
                f"(nR, 2) and (nR, {n}, {n}) for the {n} orbitals {self.orbitals}"
            )
        if not np.array_equal(translations, translations.astype(np.int64)):
            raise ValueError("translations must be whole multiples of the Ni-Ni distance")
        if not np.isfinite(hoppings).all():
            raise ValueError(f"hoppings of {self.name!r} hold NaN or infinite numbers")
        translations = translations.astype(np.int64)
        _require_hermitian(self.name, translations, hoppings)
        positive_integer("spin_degeneracy", self.spin_degeneracy)
        object.__setattr__(self, "translations", translations)
        object.__setattr__(self, "hoppings", hoppings)
        blocks = _mirror_blocks(translations, hoppings, self.mirror)
        object.__setattr__(self, "_blocks", blocks)
        if not self.band_names:
            names = [f"{b.label}{i}" for b in blocks for i in range(b.size)]
            object.__setattr__(self, "band_names", tuple(names))
        if len(self.band_names) != n:
            raise ValueError(f"band_names = {self.band_names}; allowed: one for each of {n} bands")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The mirror blocks, odd before even; one block with parity 0 where there is no mirror."""
        return self._blocks

    @cached_property
    def parity(self) -> tuple[int, ...]:
        """Mirror parity of each band in block order: -1 odd, +1 even, 0 where it is no label."""
        return tuple(block.parity for block in self._blocks for _ in range(block.size))

    def hamiltonian(self, k: ArrayLike) -> Complexes:
        """Hamiltonian matrices, shape (..., n, n), in eV.

        Parameters
        ----------
        k : array_like, shape (..., 2)
            Momenta in inverse Ni-Ni distance.

        Returns
        -------
        ndarray, shape (..., n, n)
            Hermitian matrices, periodic in the reciprocal lattice.
        """
        h: Complexes = self._fourier(momenta("k", k, 2))[0] + 0j
        return h

    def energies(self, k: ArrayLike) -> Floats:
        """Band energies, shape (..., n), in eV.

        They ascend, except where the mirror makes every block one-dimensional: then each column
        is one band, in the order of `band_names` (α, β for `conduction_bands`).

        Parameters
        ----------
        k : array_like, shape (..., 2)
            Momenta in inverse Ni-Ni distance.

        Returns
        -------
        ndarray, shape (..., n)
            Energies in eV.
        """
        energies = self.band_energies(k)
        return energies if self._decoupled else np.sort(energies, axis=-1)

    def band_energies(self, k: ArrayLike) -> Floats:
        """Energies in the order of `band_names`, ascending inside each mirror block only.

        Bands of different parity cross freely in this order, so each one is a smooth function.

        Parameters
        ----------
        k : array_like, shape (..., 2)
            Momenta in inverse Ni-Ni distance.

        Returns
        -------
        ndarray, shape (..., n)
            Energies in eV.
        """
        points = momenta("k", k, 2)
        return np.concatenate([block.energies(points) for block in self._blocks], axis=-1)

    def locate(self, band: int) -> tuple[Block, int]:
        """Mirror block of a band and its index there."""
        for block in self._blocks:
            if band < block.size:
                return block, band
            band -= block.size
        raise ValueError(f"band index out of range; the model has {len(self.orbitals)} bands")

    @cached_property
    def _fourier(self) -> Fourier:
        return Fourier(self.translations, self.hoppings)

    @cached_property
    def _decoupled(self) -> bool:
        return all(block.size == 1 for block in self._blocks)


def conduction_bands(
    t1: float = 0.45,
    t2: float = -0.24,
    t3: float = 0.06,
    epsilon_alpha: float = 0.4,
    epsilon_beta: float = 0.1,
) -> BlochModel:
    r"""Return the antibonding α and bonding β bands of LK Eqs. 4 and 5, without :math:`-\mu`.

    .. math:: \xi_{\alpha/\beta,k} = -4(t_1\gamma_{1k} + t_2\gamma_{2k} + t_3\gamma_{3k})
        + \epsilon_{\alpha/\beta}\,\eta_k^2

    Parameters
    ----------
    t1, t2, t3 : float
        Hopping to first, second and third neighbours in eV; defaults from the caption of LK
        Fig. 2.
    epsilon_alpha, epsilon_beta : float
        Self-energies of LK Eq. 3 in eV.

    Returns
    -------
    BlochModel
        Bands in the order (α, β), α odd and β even under the bilayer mirror.  The cell is one
        bilayer cell with two Ni, so two electrons a cell are one electron per Ni.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a finite real number.

    Examples
    --------
    >>> conduction_bands().energies([0.0, 0.0]).round(12).tolist()
    [-1.08, -1.08]
    """
    given = {"t1": t1, "t2": t2, "t3": t3, "epsilon_alpha": epsilon_alpha}
    given["epsilon_beta"] = epsilon_beta
    for name, value in given.items():
        real(name, value, unit="eV")
    epsilon = np.diag([epsilon_alpha, epsilon_beta]).astype(float)
    one = np.eye(2)
    # η² = 1 + (cos 2kx + cos 2ky)/2 − 2 cos kx cos ky
    terms = {(0, 0): epsilon}
    for sign in (1, -1):
        terms[(sign, 0)] = terms[(0, sign)] = -t1 * one
        terms[(2 * sign, 0)] = terms[(0, 2 * sign)] = -t3 * one + epsilon / 4
        for other in (1, -1):
            terms[(sign, other)] = -t2 * one - epsilon / 2
    return BlochModel(
        name="conduction bands (LK Eq. 5)",
        orbitals=("α", "β"),
        translations=np.array(list(terms)),
        hoppings=np.array(list(terms.values()), dtype=complex),
        mirror=np.diag([-1.0, 1.0]),
        band_names=("α", "β"),
    )


def _require_hermitian(name: str, translations: NDArray[np.int64], hoppings: Complexes) -> None:
    where = {tuple(r): i for i, r in enumerate(translations.tolist())}
    if len(where) != len(translations):
        raise ValueError(f"translations of {name!r} name a lattice vector twice; add them up first")
    for r, i in where.items():
        partner = where.get((-r[0], -r[1]))
        miss = np.inf if partner is None else np.abs(hoppings[partner] - hoppings[i].conj().T).max()
        if miss > 1e-10 * max(1.0, np.abs(hoppings[i]).max()):
            raise ValueError(
                f"hoppings of {name!r} are not Hermitian: T(-R) differs from T(R)^dagger by "
                f"{miss:.2e} eV at R = {r}; give both members of each pair"
            )


def _mirror_blocks(
    translations: NDArray[np.int64], hoppings: Complexes, mirror: Floats | None
) -> tuple[Block, ...]:
    n = hoppings.shape[-1]
    if mirror is None:
        return (Block(0, np.eye(n, dtype=complex), Fourier(translations, hoppings)),)
    mirror = np.asarray(mirror)
    if mirror.shape != (n, n) or not np.allclose(mirror @ mirror, np.eye(n), atol=1e-12):
        raise ValueError(f"mirror of shape {mirror.shape}; allowed: an ({n}, {n}) involution")
    if np.abs(mirror @ hoppings - hoppings @ mirror).max() > 1e-10:
        raise ValueError("mirror does not commute with the Hamiltonian; leave it out")
    signs, vectors = np.linalg.eigh(mirror)
    blocks = []
    for parity in (-1, 1):
        basis = vectors[:, np.isclose(signs, parity)].astype(complex)
        if basis.shape[1]:
            reduced = basis.conj().T @ hoppings @ basis
            blocks.append(Block(parity, basis, Fourier(translations, reduced)))
    return tuple(blocks)
