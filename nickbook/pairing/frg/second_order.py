"""What one loop adds to the scattering of pairs: exact sums over the bands, and the flow's."""

from collections.abc import Sequence

import numpy as np

from nickbook.arrays import Floats, Integers
from nickbook.bands import BlochModel, zone_mesh
from nickbook.bands.patches import FermiPatches
from nickbook.checks import positive_integer, real
from nickbook.pairing.frg.equation import FlowEquation, Numbers
from nickbook.pairing.interaction import Interaction, require_invariant


def exact_second_order(
    patches: FermiPatches,
    interaction: Interaction,
    scale: float,
    pairs: Sequence[tuple[int, int]],
    *,
    bands: Sequence[int] | None = None,
    mesh: int = 96,
) -> Floats:
    r"""Singlet vertex :math:`V_S(k, k')` of second order by diagram, without patches inside.

    All modes with :math:`|\xi| > \Lambda` are summed, each at its own momentum and with its own
    state: this is what a flow with the sharp regulator and a vertex that stays bare would give if
    nothing were projected.

    Parameters
    ----------
    patches : FermiPatches
        Their momenta and states are the outer legs.
    interaction : Interaction
        The interaction in a cell, in eV.
    scale : float
        Λ in eV.
    pairs : sequence of (int, int)
        Patches of k and k'.
    bands : sequence of int, optional
        Bands of the inner legs; those with patches if not given.
    mesh : int, optional
        Points along each direction of the sum; at the default the steps at Λ leave 1 to 3 %.

    Returns
    -------
    ndarray, shape (len(pairs), 3)
        Particle-particle, direct and crossed particle-hole diagram in eV per cell.

    Raises
    ------
    TypeError, ValueError
        For a scale or mesh out of range, or an interaction that does not fit the model.

    Notes
    -----
    :math:`-\Gamma L\Gamma` and so on with :math:`L = \theta(|\xi|-\Lambda)\,\theta(|\xi'|-\Lambda)
    /(|\xi|+|\xi'|)`.  Cost: five sums over the zone for each pair, a tenth of a second.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import kanamori
    >>> from nickbook.pairing.frg import exact_second_order
    >>> patches = FermiSea(bilayer_hubbard(2.0), -0.5).patches(8)
    >>> interaction = kanamori((0, 1), U=1.0, J=0.0)
    >>> pp, direct, crossed = exact_second_order(patches, interaction, 0.5, [(0, 3)], mesh=32)[0]
    >>> bool(pp < 0 < crossed)  # pairs weaken a repulsion, spin waves add to it
    True
    """
    model = patches.model
    require_invariant(interaction, model)
    scale = real("scale", scale, above=0.0, unit="eV")
    size = positive_integer("mesh", mesh, at_least=16)
    inside = np.unique(patches.bands) if bands is None else np.asarray(bands, dtype=np.int64)
    # Off the symmetry lines, where energies of a mesh coincide.
    k = (zone_mesh(size) + np.pi / (3 * size)).reshape(-1, 2)
    found = []
    for a, b in pairs:
        legs = [(a, patches.minus[a], c, patches.minus[c]) for c in (b, patches.minus[b])]
        sums = [_diagrams(patches, interaction.tensor, scale, inside, k, leg) for leg in legs]
        found.append(np.mean(sums, axis=0))
    return np.array(found)


def flow_second_order(
    equation: FlowEquation, interaction: Interaction, scale: float, *, nodes: int = 16
) -> Numbers:
    """Vertex that the flow adds from the band edge to a scale if its own stays bare.

    The difference from `exact_second_order` is what the patches leave out.

    Parameters
    ----------
    equation : FlowEquation
        Patches, regulator and terms.
    interaction : Interaction
        The interaction in a cell, in eV.
    scale : float
        Λ in eV.
    nodes : int, optional
        Points of the quadrature in ln Λ.

    Returns
    -------
    ndarray, shape (R, P, P, B)
        In eV per cell; the cost is that of as many steps of the flow as there are nodes.

    Raises
    ------
    TypeError, ValueError
        For a scale or number of nodes out of range.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import FlowEquation, kanamori
    >>> from nickbook.pairing.frg import flow_second_order
    >>> equation = FlowEquation(FermiSea(bilayer_hubbard(2.0), -0.5).patches(8), mesh=16)
    >>> interaction = kanamori((0, 1), U=1.0, J=0.0)
    >>> flow_second_order(equation, interaction, 1.0, nodes=4).shape == equation.shape
    True
    """
    bare = equation.bare(interaction)
    t, w = np.polynomial.legendre.leggauss(positive_integer("nodes", nodes))
    low, high = np.log(real("scale", scale, above=0.0, unit="eV")), np.log(equation.reach)
    points = np.exp(low + (high - low) * (t + 1) / 2)
    total = np.zeros_like(bare)
    for x, weight in zip(points, w * (high - low) / 2, strict=True):
        total += weight * x * equation.derivative(bare, float(x))
    return total


def _diagrams(
    patches: FermiPatches,
    tensor: Numbers,
    scale: float,
    bands: Integers,
    k: Floats,
    legs: tuple[int, int, int, int],
) -> Floats:
    """Three diagrams for outer legs on patches 1, 2 → 3, 4."""
    one, two, three, four = (patches.states[leg] for leg in legs)
    one, two = one.conj(), two.conj()
    k1, k2, k3, _ = (patches.points[leg] for leg in legs)

    def loop(q: Floats, pair: bool) -> Numbers:
        return _loop(patches.model, patches.mu, scale, bands, k, q, pair)

    def open_legs(sides: str, *outer: Numbers) -> Numbers:
        return np.asarray(np.einsum(sides, tensor, *outer))

    # Vertices with their inner legs open: (5, 6), and [6, 5] and [5, 6] of the bubbles.
    pp = -np.einsum(
        "cd,cdab,ab->",
        open_legs("abcd,a,b->cd", one, two),
        loop(k1 + k2, True),
        open_legs("abcd,c,d->ab", three, four),
    )

    def bubble(q: Floats) -> Numbers:
        return loop(q, False)

    inner = bubble(k3 - k1)
    left, left_x = open_legs("abcd,a,c->bd", one, three), open_legs("abcd,a,d->bc", one, three)
    right, right_x = open_legs("abcd,b,d->ac", two, four), open_legs("abcd,b,c->ad", two, four)
    direct = np.einsum("bd,dbac,ac->", left_x - 2 * left, inner, right)
    direct += np.einsum("bd,dbac,ac->", left, inner, right_x)
    crossed = np.einsum(
        "bd,dbac,ac->",
        open_legs("abcd,a,d->bc", one, four),
        bubble(k2 - k3),
        open_legs("abcd,b,c->ad", two, three),
    )
    return np.array([pp, direct, crossed]).real


def _loop(
    model: BlochModel, mu: float, scale: float, bands: Integers, k: Floats, q: Floats, pair: bool
) -> Numbers:
    """Sum over leg 5 at k and leg 6 at q − k, or at k + q for a particle and a hole.

    Indices: states of the legs where they end, (5, 6) or (5, 6*), then where they start.
    """

    def modes(at: Floats) -> tuple[Floats, Numbers]:
        energies, states = model.states(at)
        return (energies - mu)[:, bands], states[..., bands]

    (e5, u5), (e6, u6) = modes(k), modes(q - k if pair else k + q)
    size5, size6 = np.abs(e5)[:, :, None], np.abs(e6)[:, None]
    kept = ((e5[:, :, None] * e6[:, None] > 0) == pair) & (size5 > scale) & (size6 > scale)
    weight = kept / (size5 + size6) / len(k)
    own = np.einsum("kci,kai->kica", u5, u5.conj())
    other = np.einsum("kdj,kbj->kjdb", u6, u6.conj())
    if not pair:
        other = other.swapaxes(-1, -2)
    flat = [x.reshape(*x.shape[:2], -1) for x in (own, other)]
    both = np.einsum("kix,kiy->xy", flat[0], weight @ flat[1])
    n = u5.shape[1]
    return np.asarray(both.reshape(n, n, n, n).transpose(0, 2, 1, 3))
