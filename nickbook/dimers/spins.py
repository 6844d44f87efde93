"""Two spins 1/2 on a c-axis bond: bond operators, triplons, and what neutrons see of them."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Complexes, Floats
from nickbook.checks import momenta, one_of, positive_integer, real
from nickbook.papers import LK

PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
#: (ud - du)/sqrt(2) in the basis of `spin_operators`.
SINGLET = np.array([0, 1, -1, 0]) / np.sqrt(2)
#: J_ab/J_c at which the harmonic energy, squared J_c**2 - 4 J_c J_ab at (pi, pi), vanishes.
TRIPLON_SOFTENING = 0.25


def spin_operators() -> tuple[Complexes, Complexes]:
    """Spin vectors of the two sites in the basis (uu, ud, du, dd).

    Returns
    -------
    tuple of two ndarray, shape (3, 4, 4)
        Components x, y, z of the spins of layers 1 and 2.

    Examples
    --------
    >>> from nickbook.dimers import SINGLET, spin_operators
    >>> first, second = spin_operators()
    >>> bond = sum(a @ b for a, b in zip(first, second, strict=True))
    >>> round(float((SINGLET @ bond @ SINGLET).real), 9)  # of S₁S₂
    -0.75
    """
    one = np.eye(2)
    first, second = np.kron(PAULI / 2, one), np.kron(one, PAULI / 2)
    return first.astype(complex), second.astype(complex)


def triplon_creators() -> Complexes:
    """Hard-core triplon creators |t_x><s|, |t_y><s|, |t_z><s|, LK Eq. 7.

    The singlet is (ud - du)/sqrt(2); the phase of each triplet is fixed by
    <t_c| S_1c |s> = +1/2, the sign with which T enters the first layer.

    Returns
    -------
    ndarray, shape (3, 4, 4)
        Creators of the triplons x, y, z in the basis of `spin_operators`.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import SINGLET, triplon_creators
    >>> x, y, z = triplon_creators()
    >>> [round(float(np.linalg.norm(state)), 9) for state in (z @ SINGLET, x @ z @ SINGLET)]
    [1.0, 0.0]
    """
    first, second = spin_operators()
    triplets = (first - second) @ SINGLET
    return np.asarray(np.einsum("ci,j->cij", triplets, SINGLET), dtype=complex)


def triplon_bosons(capacity: int) -> Complexes:
    """Creators of three ordinary bosons with at most `capacity` quanta in total.

    They stand in for the hard-core triplons once the constraint of one triplon per dimer is
    dropped; `spin_from_triplons` then shows what Eq. 7 loses.

    Parameters
    ----------
    capacity : int
        Largest total number of bosons kept.

    Returns
    -------
    ndarray, shape (3, n, n)
        States are ordered by their number of bosons; the first one is the vacuum.

    Raises
    ------
    ValueError
        If `capacity` is below 1.

    Examples
    --------
    >>> from nickbook.dimers import triplon_bosons
    >>> create = triplon_bosons(2)
    >>> create.shape  # one vacuum, three states with one boson, six with two
    (3, 10, 10)
    """
    capacity = positive_integer("capacity", capacity)
    occupations = np.ndindex(*(capacity + 1,) * 3)
    states = sorted((sum(n), n) for n in occupations if sum(n) <= capacity)
    place = {n: i for i, (_, n) in enumerate(states)}
    create = np.zeros((3, len(place), len(place)), dtype=complex)
    for n, i in place.items():
        for c in range(3):
            more = tuple(m + (k == c) for k, m in enumerate(n))
            if more in place:
                create[c, place[more], i] = np.sqrt(n[c] + 1)
    return create


def spin_from_triplons(create: ArrayLike) -> tuple[Complexes, Complexes]:
    """Spins of the two layers from triplon operators, LK Eq. 7.

    Exact for the hard-core operators of `triplon_creators`; for unconstrained bosons only
    the matrix elements between states with at most one triplon are right.

    Parameters
    ----------
    create : array_like, shape (3, n, n)
        Creation operators T+ of the three triplons.

    Returns
    -------
    tuple of two ndarray, shape (3, n, n)
        Spin components of layers 1 and 2.

    Raises
    ------
    ValueError
        If `create` does not hold three square matrices.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import spin_from_triplons, spin_operators, triplon_creators
    >>> exact, made = spin_operators(), spin_from_triplons(triplon_creators())
    >>> bool(np.allclose(exact, made))
    True
    """
    up = np.asarray(create, dtype=complex)
    if up.ndim != 3 or up.shape[0] != 3 or up.shape[1] != up.shape[2]:
        raise ValueError(f"create has shape {up.shape}; allowed: (3, n, n)")
    down = up.conj().transpose(0, 2, 1)
    linear = (down + up) / 2
    products = up[:, None] @ down  # T+_a T_b
    cross = -0.5j * np.array([products[a, b] - products[b, a] for a, b in ((1, 2), (2, 0), (0, 1))])
    return linear + cross, -linear + cross


def triplon_dispersion(
    q: ArrayLike,
    *,
    J_c: float = LK.J_c,
    J_ab: float = LK.J_ab,
    method: Literal["leading", "harmonic", "second order"] = "leading",
) -> Floats:
    """Triplon energy of the bilayer Heisenberg model on the square lattice.

    Parameters
    ----------
    q : array_like, shape (..., 2)
        In-plane momentum, units of the inverse lattice constant.
    J_c, J_ab : float
        Interlayer and in-plane exchange (eV).
    method : {"leading", "harmonic", "second order"}
        With c = cos qx + cos qy: first order in J_ab as printed by LK, J_c + J_ab c;
        the quadratic bond-operator theory, sqrt(J_c**2 + 2 J_c J_ab c); or the exact expansion
        to second order, J_c + J_ab c + (2 - c**2/2) J_ab**2/J_c. Bond operators without the
        constraint of one triplon per dimer miss the momentum-independent 2 J_ab**2/J_c.

    Returns
    -------
    ndarray, shape (...)
        Energy in eV.

    Raises
    ------
    ValueError
        If a shape or parameter is not as stated, or the harmonic mode is soft.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import triplon_dispersion
    >>> float(triplon_dispersion([np.pi, np.pi], J_c=1.0, J_ab=0.1))
    0.8
    """
    J_c, J_ab = real("J_c", J_c, above=0.0, unit="eV"), real("J_ab", J_ab, unit="eV")
    one_of("method", method, ("leading", "harmonic", "second order"))
    harmonic = np.cos(momenta("q", q, 2)).sum(axis=-1)
    hop = J_ab * harmonic
    if method == "leading":
        return np.asarray(J_c + hop)
    if method == "second order":
        return np.asarray(J_c + hop + (2 - harmonic**2 / 2) * J_ab**2 / J_c)
    square = J_c**2 + 2 * J_c * hop
    if np.any(square < 0):
        raise ValueError(
            f"J_ab = {J_ab} eV; allowed: |J_ab| <= J_c/4 = {TRIPLON_SOFTENING * J_c:.6g} eV, "
            "where the triplon goes soft"
        )
    return np.asarray(np.sqrt(square))


def triplon_structure_factor(
    q: ArrayLike,
    q_z: ArrayLike,
    *,
    J_c: float = LK.J_c,
    J_ab: float = LK.J_ab,
    spacing: float = 1.0,
) -> tuple[Floats, Floats]:
    """Energy and intensity of the triplon line in the dynamical structure factor.

    The intensity is that of one spin component per dimer,
    |<one triplon| S_1c + exp(i q_z spacing) S_2c |0>|**2 = sin**2(q_z spacing / 2) J_c / omega_q.

    Parameters
    ----------
    q : array_like, shape (..., 2)
        In-plane momentum.
    q_z : array, broadcast against the leading axes of `q`
        Momentum along c, in units of the inverse of that in which `spacing` is given.
    J_c, J_ab : float
        Interlayer and in-plane exchange (eV).
    spacing : float
        Distance between the two layers of a bilayer.

    Returns
    -------
    energy, intensity : arrays
        Harmonic energy (eV), and intensity per dimer and spin component.

    Raises
    ------
    ValueError
        If a shape or parameter is not as stated, or the harmonic mode is soft.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.dimers import triplon_structure_factor
    >>> energy, intensity = triplon_structure_factor([[np.pi, np.pi]], [0.0, np.pi])
    >>> energy.round(4).tolist(), intensity.round(3).tolist()
    ([0.2494], [0.0, 1.155])
    """
    spacing = real("spacing", spacing, above=0.0)
    energy = triplon_dispersion(q, J_c=J_c, J_ab=J_ab, method="harmonic")
    form = np.sin(np.asarray(q_z, dtype=float) * spacing / 2) ** 2
    return energy, np.asarray(form * J_c / energy)
