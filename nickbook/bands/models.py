"""The tight-binding models of the two papers."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from nickbook.arrays import Complexes, Energy, Floats, Integers
from nickbook.bands.bloch import BlochModel
from nickbook.bands.symmetry import square_group
from nickbook.checks import real
from nickbook.papers import LK
from nickbook.results import Result

#: Hopping matrices by lattice vector.
Terms = dict[tuple[int, ...], Floats | Complexes]


def conduction_bands(
    t1: float = LK.t1,
    t2: float = LK.t2,
    t3: float = LK.t3,
    epsilon_alpha: float = LK.epsilon_alpha,
    epsilon_beta: float = LK.epsilon_beta,
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
    >>> from nickbook.bands import conduction_bands
    >>> conduction_bands().energies([0.0, 0.0]).round(12).tolist()
    [-1.08, -1.08]
    """
    epsilons = {"epsilon_alpha": epsilon_alpha, "epsilon_beta": epsilon_beta}
    for name, value in ({"t1": t1, "t2": t2, "t3": t3} | epsilons).items():
        real(name, value, unit="eV")
    epsilon, one = np.diag([epsilon_alpha, epsilon_beta]), np.eye(2)
    # η² = 1 + (cos 2kx + cos 2ky)/2 − 2 cos kx cos ky
    eta_squared = _terms(epsilon, 1.0, 0.0, -0.5, 0.25)
    terms = _added(_terms(one, 0.0, -t1, -t2, -t3), eta_squared)
    return BlochModel(
        "conduction bands (LK Eq. 5)",
        ("α", "β"),
        *_arrays(terms),
        mirror=np.diag([-1.0, 1.0]),
        band_names=("α", "β"),
        symmetries=square_group(-one, one),
    )


class _Hoppings(Result):
    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            real(name, value, unit="eV")


@dataclass(frozen=True)
class FourBandParameters(_Hoppings):
    """Hoppings of the bilayer two-orbital model in eV, GLYWH Eq. 11.

    Orbital 1 is x²−y², orbital 2 is z²; t is within a layer, s between the layers; ``0`` stands
    for the same place in the plane, ``x`` for first, ``xy`` for second and ``xx`` for third
    neighbours.

    Parameters
    ----------
    epsilon_x, t11_x, t11_xy, t11_xx : float
        Level and hoppings of x²−y² in a layer.
    epsilon_z, t22_x, t22_xy, t22_xx : float
        Level and hoppings of z² in a layer.
    s11_0, s11_x, s11_xy, s11_xx : float
        Hoppings of x²−y² between the layers.
    s22_0, s22_x, s22_xy, s22_xx : float
        Hoppings of z² between the layers.  The last is printed as a first "s12xx".
    t12_x, t12_xx, s12_x, s12_xx : float
        Hoppings between x²−y² and z², positive along x and negative along y.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a finite real number.

    Examples
    --------
    The γ pocket is gone where the levels of z² are 0.17 eV lower:

    >>> from nickbook.bands import FermiSea, FourBandParameters, four_band
    >>> lower = four_band(FourBandParameters(epsilon_z=10.3))
    >>> [sheet.name for sheet in FermiSea(lower, 10.0585).sheets]
    ['β', 'α']
    """

    epsilon_x: Energy = 10.929
    t11_x: Energy = -0.505
    t11_xy: Energy = 0.060
    t11_xx: Energy = -0.047
    epsilon_z: Energy = 10.474
    t22_x: Energy = -0.126
    t22_xy: Energy = -0.003
    t22_xx: Energy = -0.021
    s11_0: Energy = -0.049
    s11_x: Energy = 0.001
    s11_xy: Energy = 0.035
    s11_xx: Energy = -0.022
    s22_0: Energy = -0.628
    s22_x: Energy = 0.011
    s22_xy: Energy = -0.032
    s22_xx: Energy = 0.024
    t12_x: Energy = 0.253
    t12_xx: Energy = 0.037
    s12_x: Energy = -0.038
    s12_xx: Energy = -0.009


@dataclass(frozen=True)
class ThreeBandParameters(_Hoppings):
    """Hoppings of the model without the antibonding z² orbital in eV, GLYWH Eq. 22.

    The symbols are those of `FourBandParameters`, there with a tilde; z is the bonding z² orbital.

    Parameters
    ----------
    epsilon_x, t11_x, t11_xy, t11_xx : float
        Level and hoppings of x²−y² in a layer.
    epsilon_z, t22_x, t22_xy, t22_xx : float
        Level and hoppings of the bonding z² orbital.
    s11_0, s11_x, s11_xy, s11_xx : float
        Hoppings of x²−y² between the layers.
    t12_x, t12_xx : float
        Hoppings between x²−y² of one layer and the bonding orbital.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a finite real number.

    Examples
    --------
    >>> from nickbook.bands import ThreeBandParameters, three_band
    >>> higher = ThreeBandParameters(epsilon_x=10.846, epsilon_z=9.969)  # both by 0.1 eV
    >>> shift = three_band(higher).energies([1.0, 0.5]) - three_band().energies([1.0, 0.5])
    >>> shift.round(9).tolist()
    [0.1, 0.1, 0.1]
    """

    epsilon_x: Energy = 10.746
    t11_x: Energy = -0.518
    t11_xy: Energy = 0.097
    t11_xx: Energy = -0.079
    epsilon_z: Energy = 9.869
    t22_x: Energy = -0.163
    t22_xy: Energy = -0.004
    t22_xx: Energy = -0.022
    s11_0: Energy = 0.05
    s11_x: Energy = -0.001
    s11_xy: Energy = -0.014
    s11_xx: Energy = 0.043
    t12_x: Energy = 0.134
    t12_xx: Energy = 0.034


@dataclass(frozen=True)
class EightBandParameters(FourBandParameters):
    """Hoppings of the model with hopping between bilayers in eV, GLYWH App. D.

    Parameters
    ----------
    epsilon_x, t11_x, t11_xy, t11_xx, epsilon_z, t22_x, t22_xy, t22_xx : float
        As for `FourBandParameters`, in a layer.
    s11_0, s11_x, s11_xy, s11_xx, s22_0, s22_x, s22_xy, s22_xx : float
        The same between the layers of a bilayer.  The last is printed as a first "s12xx".
    t12_x, t12_xx, s12_x, s12_xx : float
        The same between x²−y² and z².
    s11_z, s13_z : float
        Hoppings of x²−y² to the like layer, and between the facing layers, of the next bilayers.
    s22_z, s24_z : float
        The same two for z².

    Raises
    ------
    TypeError, ValueError
        If a parameter is not a finite real number.

    Examples
    --------
    Without hopping between the bilayers, energies do not depend on kz:

    >>> from nickbook.bands import EightBandParameters, eight_band
    >>> model = eight_band(EightBandParameters(s11_z=0, s13_z=0, s22_z=0, s24_z=0))
    >>> bottom, top = model.energies([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> round(float(abs(top - bottom).max()), 12)
    0.0
    """

    epsilon_x: Energy = 10.920
    t11_x: Energy = -0.512
    t11_xy: Energy = 0.062
    t11_xx: Energy = -0.053
    epsilon_z: Energy = 10.501
    t22_x: Energy = -0.123
    t22_xy: Energy = -0.005
    t22_xx: Energy = -0.022
    s11_0: Energy = -0.030
    s11_x: Energy = 0.001
    s11_xy: Energy = 0.023
    s11_xx: Energy = -0.015
    s22_0: Energy = -0.601
    s22_x: Energy = 0.025
    s22_xy: Energy = -0.011
    s22_xx: Energy = 0.011
    t12_x: Energy = 0.250
    t12_xx: Energy = 0.035
    s12_x: Energy = -0.038
    s12_xx: Energy = -0.006
    s11_z: Energy = 0.001
    s13_z: Energy = 0.0004
    s22_z: Energy = -0.006
    s24_z: Energy = -0.031


def four_band(parameters: FourBandParameters | None = None) -> BlochModel:
    """Bilayer two-orbital model of GLYWH Eqs. 1 and 9-11, without the chemical potential.

    Parameters
    ----------
    parameters : FourBandParameters, optional
        Hoppings; the printed ones when not given.

    Returns
    -------
    BlochModel
        Orbitals x²−y² and z² of the top layer, then of the bottom layer.  The cell holds two Ni,
        so three electrons a cell are Ni 2.5+.  Odd and even blocks under the bilayer mirror, of
        which GLYWH Eq. 20 forms those of z².  Sheets of the bands are called β and z− (odd), γ
        and α (even); at the printed filling γ and β are pockets round M, and α is one round Γ.

    Examples
    --------
    >>> from nickbook.bands import chemical_potential, four_band
    >>> round(chemical_potential(four_band(), filling=3), 4)
    10.0975
    """
    terms = _bilayer_terms(parameters or FourBandParameters())
    return BlochModel(
        "four-band bilayer model (GLYWH Eq. 1)",
        _BILAYER_ORBITALS,
        *_arrays(terms),
        mirror=_LAYER_SWAP,
        sites=(0, 0, 1, 1),
        symmetries=square_group(_QUARTER_TURN, np.eye(4)),
        sheet_names=("β", "z−", "γ", "α"),
    )


def three_band(parameters: ThreeBandParameters | None = None) -> BlochModel:
    """Model of GLYWH Eqs. 21 and 22 without the antibonding z² orbital.

    Parameters
    ----------
    parameters : ThreeBandParameters, optional
        Hoppings; the printed ones when not given.

    Returns
    -------
    BlochModel
        Orbitals x²−y² of the top layer, bonding z², x²−y² of the bottom layer.  The cell holds
        two Ni.  One odd and two even bands under the bilayer mirror.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, three_band
    >>> sea = FermiSea(three_band(), 10.256)  # the printed level
    >>> [(sheet.name, sheet.center) for sheet in sea.sheets], round(sea.filling, 3)
    ([('β', 'M'), ('γ', 'M'), ('α', 'Γ')], 3.0)
    """
    p = parameters or ThreeBandParameters()
    terms = _added(
        _terms(_matrix(3, (0, 0), (2, 2)), p.epsilon_x, p.t11_x, p.t11_xy, p.t11_xx),
        _terms(_matrix(3, (1, 1)), p.epsilon_z, p.t22_x, p.t22_xy, p.t22_xx),
        _terms(_matrix(3, (0, 2)), p.s11_0, p.s11_x, p.s11_xy, p.s11_xx),
        _terms(_matrix(3, (0, 1), (1, 2)), 0.0, p.t12_x, 0.0, p.t12_xx, along_y=-1),
    )
    return BlochModel(
        "three-band model (GLYWH Eq. 21)",
        ("t x²−y²", "+ z²", "b x²−y²"),
        *_arrays(terms),
        mirror=_matrix(3, (0, 2), (1, 1)),
        symmetries=square_group(np.diag([-1.0, 1.0, -1.0]), np.eye(3)),
        sheet_names=("β", "γ", "α"),
    )


def eight_band(
    parameters: EightBandParameters | None = None, *, delta_z: float = 0.2
) -> BlochModel:
    """Three-dimensional model of two bilayers in the tetragonal cell, GLYWH Eqs. 23-32.

    Parameters
    ----------
    parameters : EightBandParameters, optional
        Hoppings; the printed ones when not given.
    delta_z : float, optional
        Distance between the layers of a bilayer as a fraction of c.  The paper does not print it;
        it enters `positions` and the position gauge, and no energy.

    Returns
    -------
    BlochModel
        The orbitals of `four_band` at z = 0 and `delta_z`, then those of the bilayer shifted by
        half of each lattice vector.  The cell holds four Ni: six electrons are Ni 2.5+.  Momenta
        are in inverse lattice constants (a, a, c).  The position gauge is that of the paper.

    Examples
    --------
    Bands pair up on the upper face of the zone, kz = π/c:

    >>> from nickbook.bands import eight_band
    >>> eight_band().energies([0.0, 0.0, 3.141592653589793]).round(3).tolist()
    [8.902, 8.902, 8.914, 8.914, 9.385, 9.385, 10.417, 10.417]
    """
    p = parameters or EightBandParameters()
    within: Terms = {
        (*r, 0): np.kron(np.eye(2), t).astype(float) for r, t in _bilayer_terms(p).items()
    }
    like = np.diag([p.s11_z, p.s22_z, p.s11_z, p.s22_z])
    # Facing layers of two bilayers: top with primed bottom one cell lower, bottom with primed top.
    down = np.zeros((4, 4))
    down[[0, 1], [2, 3]] = p.s13_z, p.s24_z
    between: Terms = {}
    for x, y, z in product((0, -1), repeat=3):
        hop = np.zeros((8, 8))
        hop[:4, 4:] = like + (down if z else down.T)
        between[(x, y, z)] = hop
    conjugate: Terms = {(-x, -y, -z): hop.T for (x, y, z), hop in between.items()}
    terms = _added(within, between, conjugate)
    heights = np.repeat([0.0, real("delta_z", delta_z, above=0.0, below=0.5)], 2)
    lower = np.stack([np.zeros(4), np.zeros(4), heights], axis=-1)
    primed = tuple(name.replace(" ", "′ ") for name in _BILAYER_ORBITALS)
    return BlochModel(
        "eight-band model (GLYWH Eq. 24)",
        _BILAYER_ORBITALS + primed,
        *_arrays(terms),
        sites=(0, 0, 1, 1, 2, 2, 3, 3),
        positions=np.concatenate([lower, lower + 0.5]),
    )


def bilayer_plane(kz: float, parameters: EightBandParameters | None = None) -> BlochModel:
    r"""Block :math:`H_{2D} + H_z` of GLYWH Eqs. 33 and 34 on a plane of constant kz.

    The translation by half of each lattice vector makes all bilayers alike, so four orbitals on
    the centred square lattice hold all bands of `eight_band`, each once.

    Parameters
    ----------
    kz : float
        Momentum in units of 1/c; the period is 4π.
    parameters : EightBandParameters, optional
        Hoppings; the printed ones when not given.

    Returns
    -------
    BlochModel
        Momenta are (kx + ky)/2 and (kx − ky)/2, the inverse of the primitive vectors (½, ½) and
        (½, −½).  Orbitals as in `four_band`; phases along z are those of GLYWH with
        :math:`\delta_z` moved out of the Hamiltonian.  Mirror blocks at kz = 0 and ±2π, where
        the mirror maps the plane onto itself.

    Examples
    --------
    >>> import numpy as np
    >>> from nickbook.bands import bilayer_plane, eight_band
    >>> halves = bilayer_plane(0.0).energies([[0.0, 0.0], [np.pi, np.pi]])
    >>> whole = eight_band().energies([0.0, 0.0, 0.0])
    >>> bool(np.allclose(np.sort(halves.ravel()), whole))
    True
    """
    p = parameters or EightBandParameters()
    kz = real("kz", kz)
    like = np.diag([p.s11_z, p.s22_z, p.s11_z, p.s22_z]) * 2 * np.cos(kz / 2)
    facing = np.zeros((4, 4), complex)
    facing[[0, 1], [2, 3]] = np.array([p.s13_z, p.s24_z]) * np.exp(-0.5j * kz)
    next_bilayer = like + facing + facing.conj().T
    mirrored = abs(np.sin(kz / 2)) < 1e-12
    if mirrored:
        next_bilayer = next_bilayer.real
    # (x, y) = (m + n, m − n)/2 in the primitive vectors of the centred lattice.
    terms: Terms = {(x + y, x - y): t for (x, y), t in _bilayer_terms(p).items()}
    terms |= dict.fromkeys(((1, 0), (-1, 0), (0, 1), (0, -1)), next_bilayer)
    return BlochModel(
        f"bilayer block of the eight-band model at kz = {kz:.6g}/c",
        _BILAYER_ORBITALS,
        *_arrays(terms),
        mirror=_LAYER_SWAP if mirrored else None,
        sites=(0, 0, 1, 1),
        symmetries=square_group(_QUARTER_TURN, np.eye(4), axes=[[0.5, 0.5], [0.5, -0.5]]),
        sheet_names=("β", "z−", "γ", "α") if mirrored else (),
    )


def distorted(
    strain: float, *, diagonal: bool = False, model: BlochModel | None = None
) -> BlochModel:
    """Model of a square lattice whose hoppings along two directions become unlike.

    Parameters
    ----------
    strain : float
        Hoppings grow by this share along one direction and shrink along the other.
    diagonal : bool, optional
        Whether the directions are the diagonals, and not the axes.
    model : BlochModel, optional
        A two-dimensional model with the symmetries of the square; `four_band` when not given.

    Returns
    -------
    BlochModel
        The model with the symmetries that are left.

    Raises
    ------
    TypeError, ValueError
        If `strain` is not a finite real number.

    Examples
    --------
    >>> from nickbook.bands import distorted
    >>> model = distorted(0.01)  # four bands, 1 % orthorhombic
    >>> [symmetry.name for symmetry in model.symmetries]
    ['E', 'C2', 'σx', 'σy']
    """
    model = model or four_band()
    strain = real("strain", strain)
    x, y = model.translations.T
    # Along an axis one component is zero, and the sign tells the longer one.
    unlike = np.sign(x * y) if diagonal else np.sign(np.abs(x) - np.abs(y)) * (x * y == 0)
    keep = ("E", "C2", "σd", "σd′") if diagonal else ("E", "C2", "σx", "σy")
    return replace(
        model,
        name=f"{model.name} distorted by {strain:g}",
        hoppings=model.hoppings * (1 + strain * unlike)[:, None, None],
        symmetries=tuple(s for s in model.symmetries if s.name in keep),
    )


def bilayer_hubbard(between: float = 2.0) -> BlochModel:
    """One orbital on each site of two square layers, the kinetic part of a Hubbard model.

    Parameters
    ----------
    between : float, optional
        Hopping between the layers, in units of the one between neighbours in a layer.

    Returns
    -------
    BlochModel
        Energies in units of the hopping in a layer.  The cell holds two sites.

    Raises
    ------
    TypeError, ValueError
        If `between` is not a finite real number.

    Examples
    --------
    >>> from nickbook.bands import bilayer_hubbard
    >>> bilayer_hubbard(2.0).energies([0.0, 0.0]).round(12).tolist()
    [-6.0, -2.0]
    """
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    return BlochModel(
        name="bilayer Hubbard model",
        orbitals=("top", "bottom"),
        translations=np.array([(1, 0), (0, 1), (-1, 0), (0, -1), (0, 0)]),
        hoppings=np.array([-np.eye(2)] * 4 + [-real("between", between) * swap]),
        mirror=swap,
        sites=(0, 1),
        symmetries=square_group(np.eye(2), np.eye(2)),
    )


_BILAYER_ORBITALS = ("t x²−y²", "t z²", "b x²−y²", "b z²")
_LAYER_SWAP: Floats = np.eye(4)[[2, 3, 0, 1]]
_QUARTER_TURN = np.diag([-1.0, 1.0, -1.0, 1.0])


def _arrays(terms: Terms) -> tuple[Integers, Complexes]:
    return np.array(list(terms)), np.array(list(terms.values()), dtype=complex)


def _bilayer_terms(p: FourBandParameters) -> Terms:
    return _added(
        _terms(_matrix(4, (0, 0), (2, 2)), p.epsilon_x, p.t11_x, p.t11_xy, p.t11_xx),
        _terms(_matrix(4, (1, 1), (3, 3)), p.epsilon_z, p.t22_x, p.t22_xy, p.t22_xx),
        _terms(_matrix(4, (0, 2)), p.s11_0, p.s11_x, p.s11_xy, p.s11_xx),
        _terms(_matrix(4, (1, 3)), p.s22_0, p.s22_x, p.s22_xy, p.s22_xx),
        _terms(_matrix(4, (0, 1), (2, 3)), 0.0, p.t12_x, 0.0, p.t12_xx, along_y=-1),
        _terms(_matrix(4, (0, 3), (1, 2)), 0.0, p.s12_x, 0.0, p.s12_xx, along_y=-1),
    )


def _matrix(size: int, *pairs: tuple[int, int]) -> Floats:
    """Return the symmetric matrix with ones at the given places."""
    matrix = np.zeros((size, size))
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = 1.0
    return matrix


def _terms(
    matrix: Floats, level: float, first: float, second: float, third: float, *, along_y: int = 1
) -> Terms:
    """Hoppings in all directions; those of GLYWH's h12 and h14 are odd under a quarter turn."""
    terms: Terms = {(0, 0): level * matrix}
    for s in (1, -1):
        terms |= {(s, 0): first * matrix, (0, s): along_y * first * matrix}
        terms |= {(2 * s, 0): third * matrix, (0, 2 * s): along_y * third * matrix}
        terms |= {(s, 1): second * matrix, (s, -1): second * matrix}
    return terms


def _added(*parts: Terms) -> Terms:
    total: Terms = {}
    for part in parts:
        for r, matrix in part.items():
            total[r] = total.get(r, 0.0) + matrix
    return total
