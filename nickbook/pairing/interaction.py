"""Interactions of electrons on one site, as tensors in orbital space."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.bands import BlochModel
from nickbook.checks import one_of, positive_integer, real
from nickbook.results import Result, span


@dataclass(frozen=True, eq=False)
class Interaction(Result):
    r"""A spin-rotation invariant interaction that acts inside one unit cell.

    .. math:: H = \frac12 \sum_{abcd\,\sigma\sigma'} V_{abcd}\,
        c^\dagger_{a\sigma} c^\dagger_{b\sigma'} c_{d\sigma'} c_{c\sigma}

    Parameters
    ----------
    tensor : ndarray, shape (n, n, n, n)
        :math:`V_{abcd}` in eV: electrons with unchanged spin go from c to a and from d to b.

    Raises
    ------
    ValueError
        If the tensor is not symmetric under exchange of the two electrons, or the Hamiltonian
        not Hermitian.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.pairing import Interaction
    >>> hubbard = Interaction(np.full((1, 1, 1, 1), 3.0))  # U = 3 eV on one orbital
    >>> hubbard.spin.item(), hubbard.charge.item()
    (3.0, 3.0)
    """

    tensor: Annotated[Floats, "eV", "a", "b", "c", "d"]

    def __post_init__(self) -> None:
        v = np.asarray(self.tensor, dtype=float)
        if v.ndim != 4 or len(set(v.shape)) != 1 or not np.isfinite(v).all():
            raise ValueError(
                f"tensor of shape {v.shape}; allowed: finite numbers in (n, n, n, n) for n orbitals"
            )
        for name, order in (("exchange of the electrons", (1, 0, 3, 2)), ("h.c.", (2, 3, 0, 1))):
            miss = np.abs(v - v.transpose(order)).max()
            if miss > 1e-12 * max(1.0, np.abs(v).max()):
                raise ValueError(f"tensor breaks its symmetry under {name} by {miss:.2e} eV")
        object.__setattr__(self, "tensor", v)

    def _words(self) -> str:
        n = len(self.tensor)
        inside = span([self.tensor[a, a, a, a] for a in range(n)], "eV within an orbital")
        pairs = list(itertools.combinations(range(n), 2))
        kinds = {"between two": "abab", "exchanged": "abba", "as a pair": "aabb"}
        parts = [f"{n} orbitals", inside]
        for name, order in kinds.items():
            found = [self.tensor[tuple((a, b)["ab".index(o)] for o in order)] for a, b in pairs]
            parts += [f"{name} up to {max(found, key=abs):.4g} eV"] * any(found)
        return ", ".join(parts)

    @property
    def spin(self) -> Floats:
        r"""Vertex in the spin channel, shape (n², n²), symmetric, in eV.

        Entry :math:`(db), (ac)` is :math:`V_{abdc}`: minus the mean field that the average of
        :math:`c^\dagger_a c_c` exerts on :math:`c^\dagger_b c_d` of the same spin when both spins'
        averages are opposite.
        """
        n = len(self.tensor)
        return self.tensor.transpose(2, 1, 0, 3).reshape(n * n, n * n)

    @property
    def charge(self) -> Floats:
        r"""Vertex in the charge channel: :math:`2V_{abcd} - V_{abdc}`, pairs as in `spin`."""
        n = len(self.tensor)
        direct: Floats = self.tensor.transpose(3, 1, 0, 2).reshape(n * n, n * n)
        return 2 * direct - self.spin

    def vertex(self, channel: str, pairs: ArrayLike) -> Floats:
        """Vertex `spin` or `charge` in eV between some pairs (a, c) of orbitals, shape (P, P).

        Raises ValueError if the interaction acts on other pairs than `pairs`, of shape (P, 2),
        so that leaving them out would be wrong.
        """
        one_of("channel", channel, ("spin", "charge"))
        full = self.spin if channel == "spin" else self.charge
        n, chosen = len(self.tensor), np.asarray(pairs)
        if chosen.ndim != 2 or chosen.shape[1] != 2 or not ((chosen >= 0) & (chosen < n)).all():
            raise ValueError(f"pairs of shape {chosen.shape}; allowed: (P, 2) orbitals below {n}")
        places = chosen[:, 0] * n + chosen[:, 1]
        missing = np.setdiff1d(np.flatnonzero(full.any(axis=1)), places)
        if len(missing):
            left_out = [divmod(int(i), n) for i in missing]
            raise ValueError(f"the interaction acts on the pairs {left_out} too; add them to pairs")
        return full[np.ix_(places, places)]


def kanamori(
    sites: Sequence[int],
    U: float,
    J: float,
    *,
    U_prime: float | None = None,
    J_prime: float | None = None,
) -> Interaction:
    """Interaction of GLYWH Eq. 2 between orbitals of the same site.

    Parameters
    ----------
    sites : sequence of int
        Number of the site that each orbital sits on, such as ``four_band().sites``.
    U : float
        Repulsion within an orbital in eV.
    J : float
        Hund's coupling between orbitals of a site in eV.
    U_prime : float, optional
        Repulsion between orbitals of a site; ``U - 2 J`` when not given.
    J_prime : float, optional
        Hopping of pairs between orbitals of a site; `J` when not given.

    Returns
    -------
    Interaction
        The interaction in orbital space.

    Raises
    ------
    TypeError, ValueError
        If a coupling is not a finite real number, or no site is given.

    Examples
    --------
    >>> from nickbook.pairing import kanamori
    >>> float(kanamori((0, 0), U=5.0, J=0.5).tensor[0, 1, 0, 1])  # U′
    4.0
    """
    U, J = real("U", U, unit="eV"), real("J", J, unit="eV")
    between = real("U_prime", U - 2 * J if U_prime is None else U_prime, unit="eV")
    pairs = real("J_prime", J if J_prime is None else J_prime, unit="eV")
    if not len(sites):
        raise ValueError("sites is empty; give the site of each orbital, such as (0, 0, 1, 1)")
    n = len(sites)
    tensor = np.zeros((n, n, n, n))
    for a, site in enumerate(sites):
        positive_integer("sites", site, at_least=0)
        tensor[a, a, a, a] = U
        for b in (b for b in range(n) if b != a and sites[b] == site):
            tensor[a, b, a, b] = between
            tensor[a, b, b, a] = J
            tensor[a, a, b, b] = pairs
    return Interaction(tensor)


def require_orbitals(interaction: Interaction, model: BlochModel) -> None:
    """Raise ValueError unless both have equally many orbitals, which stand for both spins."""
    model.require_both_spins()
    if len(interaction.tensor) != len(model.orbitals):
        raise ValueError(
            f"interaction of {len(interaction.tensor)} orbitals; allowed: {len(model.orbitals)}, "
            f"as in {model.name!r}"
        )


def require_invariant(interaction: Interaction, model: BlochModel) -> None:
    """Refuse an interaction that lacks a symmetry of the bands.

    It counts as broken where it changes the interaction by more than 1e-10 of its largest element,
    or of 1 eV for weaker ones.
    """
    require_orbitals(interaction, model)
    v = interaction.tensor
    for g in model.symmetries:
        d = g.orbitals
        turned = np.einsum("ai,bj,ijkl,ck,dl->abcd", d, d, v, d.conj(), d.conj(), optimize=True)
        miss = np.abs(turned - v).max()
        if miss > 1e-10 * max(1.0, np.abs(v).max()):
            raise ValueError(
                f"interaction changes by {miss:.2e} eV under {g.name!r}, a symmetry of "
                f"{model.name!r}; give the model only the symmetries they share"
            )
