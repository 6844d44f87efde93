"""Spin, charge and pairing susceptibilities with a flow of their own, beside that of the vertex."""

from dataclasses import dataclass, field

import numpy as np

from nickbook.arrays import Floats, Integers
from nickbook.bands.lattice import in_pi
from nickbook.checks import real
from nickbook.pairing.frg.equation import FlowEquation, Numbers
from nickbook.pairing.frg.flow import MOMENTA, FlowResult
from nickbook.pairing.frg.regulator import REGULATORS
from nickbook.pairing.frg.vertex import DENSITY, Momenta, partners
from nickbook.results import Described

#: Bonds in the plane, from a cell, on which pairs are tried, one of each and its reverse: on site,
#: nearest neighbours, and the diagonals, without which there is no d_xy.
BONDS = ((0, 0), (1, 0), (0, 1), (1, 1), (1, -1))


@dataclass(eq=False)
class Responses(Described):
    r"""Static susceptibilities along a flow; give the object to `frg_flow` as its `progress`.

    A field that couples to a pair of electrons sees them through a vertex with three legs,
    :math:`h`, which is dressed by the same loops:

    .. math::
        -\frac{dh}{d\Lambda} = h\,L\,\Gamma_c, \qquad
        -\frac{d\chi}{d\Lambda} = h^\dagger L\,h,

    with :math:`\Gamma_c` = X for the spin, X − 2Γ for the charge, and minus the even part of Γ for
    singlet pairs.  No weight has to be chosen, as one must for the eigenvalues of the vertex alone.
    Beside χ goes χ⁰, that of electrons which do not interact: pairs have a large one whatever the
    interaction, so what diverges, and what leads before, is judged by χ − χ⁰.

    Parameters
    ----------
    momenta : tuple of tuple of float, optional
        Momenta q of the spin and charge susceptibilities, in inverse lattice constants.

    Attributes
    ----------
    scales : list of float
        Λ in eV, from the start of the flow.
    leading : list of dict of str to float
        At each scale the largest eigenvalue of each matrix of susceptibilities in states per eV and
        cell.  ``"spin (π, 0)"``: of all bilinears of two orbitals of one site at that momentum.
        ``"singlet A1"``: of pairs of any two orbitals in a cell or in neighbouring ones, diagonal
        ones too, by the representation of the eigenvector.
    added : list of dict of str to float
        The same of χ − χ⁰, what the interaction adds; below zero where it weakens all of a kind.

    Notes
    -----
    Between two steps of the flow the vertex is taken as linear in ln Λ and the step as one of the
    fourth-order Runge–Kutta method.  Cost: that of a few hundred loops and a product of matrices of
    :math:`(2PB)^2` elements for each momentum and step, far below a step of the vertex.

    A leg that is not on the patches has its own energy in the loops and the vertex of the patch
    nearest to it, one for each pair of a patch with a momentum, by either rule of the flow.  A
    sharp cutoff has no loop of a particle and a hole in one band that differ in no momentum, so
    that uniform waves show only what joins two bands.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, bilayer_hubbard
    >>> from nickbook.pairing import frg_flow, kanamori
    >>> from nickbook.pairing.frg import Responses
    >>> along, sea = Responses(momenta=((0.0, 0.0),)), FermiSea(bilayer_hubbard(2.0), -0.5)
    >>> given = {"interaction": kanamori((0, 1), U=1.0, J=0.0), "patches": 8, "mesh": 16}
    >>> _ = frg_flow(sea, stop=1.0, progress=along, **given)
    >>> bool(along.of("spin (0, 0)")[-1] > along.of("spin (0, 0)")[0])
    True
    """

    momenta: Momenta = MOMENTA
    scales: list[float] = field(default_factory=list)
    leading: list[dict[str, float]] = field(default_factory=list)
    added: list[dict[str, float]] = field(default_factory=list)
    _channels: "list[_Channel]" = field(default_factory=list, repr=False)
    _vertex: Numbers | None = field(default=None, repr=False)

    def _words(self) -> str:
        if not self.leading:
            return "no flow yet"
        best = sorted(self.leading[-1].items(), key=lambda item: -item[1])[:3]
        found = ", ".join(f"{name} {value:.4g}/eV" for name, value in best)
        return f"down to {self.scales[-1]:.4g} eV; largest: {found}"

    def __call__(self, result: FlowResult) -> None:
        """Go on from the last scale to that of a result."""
        equation = result.equation
        if self._vertex is None:
            self._channels = [_Pairs(equation)]
            self._channels += [_Waves(equation, n, q) for n in DENSITY for q in self.momenta]
            self.scales.append(result.options.start)
            self._vertex = equation.full(equation.bare(result.interaction))
            self._record()
        vertex, last = result.vertex, self._vertex
        begin, end = self.scales[-1], real("scale", float(result.scales[-1]), above=0.0)
        points = np.geomspace(begin, end, 3)
        vertices = (last, (last + vertex) / 2, vertex)
        # One sum over the shell at each scale for all channels.
        transfers = np.concatenate([channel.transfers for channel in self._channels])
        ends = np.cumsum([len(channel.transfers) for channel in self._channels])[:-1]
        loops = [_loops(equation, transfers, float(scale)) for scale in points]
        parts = [[np.split(kind, ends) for kind in both] for both in loops]
        for i, channel in enumerate(self._channels):
            rates = [
                scale * channel.rate((pp[i], ph[i]))
                for scale, (pp, ph) in zip(points, parts, strict=True)
            ]
            channel.step(float(np.log(begin / end)), rates, vertices)
        self.scales.append(end)
        self._vertex = vertex
        self._record()

    def of(self, channel: str, *, added: bool = False) -> Floats:
        """Leading χ of a channel at all `scales`, or χ − χ⁰; zero where it has none yet."""
        rows = self.added if added else self.leading
        names = sorted({name for found in rows for name in found})
        if channel not in names:
            raise ValueError(f"channel = {channel!r}; allowed: {', '.join(names)}")
        return np.array([found.get(channel, 0.0) for found in rows])

    def _record(self) -> None:
        for rows, name in ((self.leading, "chi"), (self.added, "gained")):
            found: dict[str, float] = {}
            for channel in self._channels:
                found |= channel.largest(getattr(channel, name))
            rows.append(found)


class _Channel:
    """Three-leg vertices h, shape (pairs, fields), and their susceptibilities, (fields, fields)."""

    def __init__(self, equation: FlowEquation, fields: Numbers) -> None:
        self.equation, self.fields, self.bare = equation, fields, fields
        self.chi = np.zeros((fields.shape[1],) * 2, fields.dtype)
        self.free = self.chi

    @property
    def gained(self) -> Numbers:
        """What the interaction adds to the susceptibilities."""
        return np.asarray(self.chi - self.free)

    @property
    def transfers(self) -> Floats:
        """Momenta of the loops that the channel needs, shape (n, 2)."""
        raise NotImplementedError

    def kernel(self, vertex: Numbers) -> Numbers:
        """Attraction between pairs, a Hermitian matrix, in eV."""
        raise NotImplementedError

    def rate(self, loops: tuple[Floats, Floats]) -> Floats:
        """Growth of the loop of each pair, shape (pairs, 1), from both kinds at `transfers`."""
        raise NotImplementedError

    def largest(self, matrix: Numbers) -> dict[str, float]:
        """Largest eigenvalues of a matrix of susceptibilities by name."""
        raise NotImplementedError

    def step(self, width: float, rates: list[Floats], vertices: tuple[Numbers, ...]) -> None:
        """Go on by a width of ln Λ, given the start, the middle and the end of it."""
        kernels = [self.kernel(vertex) for vertex in vertices]

        def growth(i: int, h: Numbers) -> tuple[Numbers, Numbers]:
            return kernels[i] @ (rates[i] * h), h.conj().T @ (rates[i] * h)

        h = self.fields
        first = growth(0, h)
        second = growth(1, h + width / 2 * first[0])
        third = growth(1, h + width / 2 * second[0])
        last = growth(2, h + width * third[0])
        slopes = zip(first, second, third, last, strict=True)
        change = [width / 6 * (a + 2 * b + 2 * c + d) for a, b, c, d in slopes]
        self.fields, self.chi = h + change[0], self.chi + change[1]
        ends = (rates[0] + 4 * rates[1] + rates[2]) * width / 6
        self.free = self.free + self.bare.conj().T @ (ends * self.bare)


class _Waves(_Channel):
    """Spin or charge at one momentum: pairs of a patch p with p + q, then of p with p − q."""

    def __init__(self, equation: FlowEquation, kind: str, q: tuple[float, float]) -> None:
        self.kind, self.q = kind, q
        p = np.repeat(np.arange(equation.size), len(equation.bands))
        ahead, behind = (partners(equation, s * np.array(q)).reshape(-1) for s in (1, -1))
        #: Patches of both legs; the first half of the pairs has its lower leg on the patch.
        self.lower, self.upper = np.append(p, behind), np.append(ahead, p)
        self.half = len(p)
        u, sites = equation.patches.states, equation.patches.model.sites
        n = u.shape[1]
        same = [(a, b) for a in range(n) for b in range(n) if not sites or sites[a] == sites[b]]
        fields = [u[self.upper, a].conj() * u[self.lower, b] for a, b in same]
        super().__init__(equation, np.transpose(fields))

    def kernel(self, vertex: Numbers) -> Numbers:
        band = self.equation.band_of
        low, up, half = self.lower, self.upper, self.half
        i, j = np.s_[:, None], np.s_[None, :half]
        k = np.s_[None, half:]
        # Of the second pair the leg beside the patches follows from the other three.
        found = np.hstack(
            [
                vertex[low[j], up[i], low[i], band[up[j]]],
                vertex[up[k], low[i], up[i], band[low[k]]].conj(),
            ]
        )
        if self.kind == "charge":
            found = found - 2 * np.hstack(
                [
                    vertex[up[i], low[j], low[i], band[up[j]]],
                    vertex[low[i], up[k], up[i], band[low[k]]].conj(),
                ]
            )
        return _hermitian(found).T

    @property
    def transfers(self) -> Floats:
        return np.array([self.q, (-self.q[0], -self.q[1])])

    def rate(self, loops: tuple[Floats, Floats]) -> Floats:
        return loops[1].reshape(-1, 1)

    def largest(self, matrix: Numbers) -> dict[str, float]:
        return {f"{self.kind} {in_pi(self.q)}": float(np.linalg.eigvalsh(matrix)[-1])}


class _Pairs(_Channel):
    """Singlet pairs of no momentum: a patch and the opposite momentum on each band."""

    def __init__(self, equation: FlowEquation) -> None:
        patches, bands = equation.patches, len(equation.bands)
        self.first: Integers = np.repeat(np.arange(equation.size), bands)
        self.second = partners(equation, np.zeros(2))[patches.minus].reshape(-1)
        u, k = patches.states, patches.points[self.first]
        n = u.shape[1]
        fields = []
        for bond in BONDS:
            phase = np.exp(1j * k @ np.array(bond))
            for a in range(n):
                for b in range(n if any(bond) else a + 1):
                    one = u[self.first, a].conj() * u[self.second, b].conj() * phase
                    other = u[self.first, b].conj() * u[self.second, a].conj() * phase.conj()
                    # Each is a pair of norm one.
                    alone = a == b and not any(bond)
                    fields.append((one + other) / (2 if alone else np.sqrt(2)))
        super().__init__(equation, np.transpose(fields))

    def kernel(self, vertex: Numbers) -> Numbers:
        a, b, band = self.first, self.second, self.equation.band_of
        i, j = np.s_[:, None], np.s_[None, :]
        both = vertex[a[i], b[i], a[j], band[b[j]]] + vertex[b[i], a[i], a[j], band[b[j]]]
        return -_hermitian(both / 2)

    @property
    def transfers(self) -> Floats:
        return np.zeros((1, 2))

    def rate(self, loops: tuple[Floats, Floats]) -> Floats:
        # Either leg moves, and both give the same.
        return np.asarray(2 * loops[0][0][self.equation.patches.minus].reshape(-1, 1))

    def largest(self, matrix: Numbers) -> dict[str, float]:
        values, vectors = np.linalg.eigh(matrix)
        found: dict[str, float] = {}
        patches, own = self.equation.patches, self.equation.band_of
        gaps = (self.bare @ vectors).reshape(len(own), -1, len(values))[np.arange(len(own)), own]
        for value, gap in zip(values[::-1], gaps.T[::-1], strict=True):
            # Fields that no patch sees have no name, and nothing to add.
            if np.abs(gap).max() < 1e-3:
                continue
            name = patches.representation(gap)[0] if patches.has_square_group else ""
            found.setdefault(f"singlet {name}".strip(), float(value))
        return found


def _hermitian(matrix: Numbers) -> Numbers:
    return np.asarray((matrix + matrix.conj().T) / 2)


def _loops(equation: FlowEquation, transfers: Floats, scale: float) -> tuple[Floats, Floats]:
    from nickbook.pairing.frg.kernels import loop_rates

    which = REGULATORS.index(equation.regulator)
    shell = equation.shell(scale)
    found: tuple[Floats, Floats] = loop_rates(
        equation.splines, transfers, equation.size, *shell, scale, which
    )
    return found
