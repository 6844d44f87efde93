r"""Pairing by exchange of spin and charge fluctuations, near the transition.

Electrons at :math:`k'\uparrow, -k'\downarrow` scatter to :math:`k\uparrow, -k\downarrow`.  With the
overlaps :math:`\ell_{ac}(k, k') = u^*_a(k)\,u_c(k')` of Bloch states and the vertices
:math:`U^s, U^c` of `Interaction` the amplitude is

.. math:: V(k, k') = \tfrac12[U^s + U^c]_{kk'} + \tfrac12[U^s\chi^s U^s - U^c\chi^c U^c]_{kk'}
    + [U^s\chi^s U^s]_{k,-k'} , \qquad
    [A]_{kk'} = \sum_{pp'} \ell_p(k', k)\, A_{pp'}(k' - k)\, \ell_{p'}(k, k') .

The first term is the interaction itself, the second exchanges a fluctuation of the charge or of
:math:`S_z`, the third one of :math:`S_x, S_y`: there the electrons exchange their spins, and the
momentum is that from k to −k′.  Acting on even gaps the three add up to the familiar singlet vertex
:math:`\frac32 U^s\chi^sU^s - \frac12 U^c\chi^cU^c + \frac12(U^s + U^c)`, on odd gaps to the triplet
one.  Partners of a pair are related by time reversal, :math:`u(-k) = u(k)^*`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands import SQUARE_ELEMENTS, BlochModel, FermiPatches, FermiSea
from nickbook.checks import positive_integer
from nickbook.pairing.gap import GapFunction
from nickbook.pairing.interaction import Interaction, require_invariant
from nickbook.pairing.rpa.susceptibility import (
    Susceptibility,
    bare_susceptibility,
    square_roots,
    stoner_point,
)
from nickbook.progress import track
from nickbook.results import Result


@dataclass(frozen=True, eq=False)
class PairScattering(Result):
    r"""Susceptibility between the points of a Fermi surface; made by `pair_scattering`.

    Parameters
    ----------
    patches : FermiPatches
        The P points.
    chi0 : Susceptibility
        Bare susceptibility on its mesh.
    rows : ndarray of int, shape (R,)
        One point of each set that the symmetries permute.
    roots : ndarray, shape (R, P, p, p)
        Matrices :math:`r` with :math:`\chi^0(k' - k) = r r^\dagger` for k among the rows and k'
        among all points.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import bare_susceptibility, kanamori, pair_scattering
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> chi0 = bare_susceptibility(sea, temperature=0.05, mesh=32)
    >>> amplitude = pair_scattering(sea.patches(8), chi0).vertex(kanamori((0, 1), U=0.5, J=0.0))
    >>> amplitude.shape, round(float(abs(amplitude - amplitude.T).max()), 9)
    ((16, 16), 0.0)
    """

    patches: FermiPatches
    chi0: Susceptibility
    rows: Annotated[NDArray[np.intp], "", "row"]
    roots: Annotated[Complexes, "eV^-1/2", "row", "point", "pair", "other pair"]

    def _words(self) -> str:
        return f"{len(self.patches.points)} points, {len(self.rows)} of them unlike; {self.chi0!r}"

    def vertex(self, interaction: Interaction) -> Floats:
        """Amplitude V(k, k') in eV for a pair of opposite spins, in the random-phase approximation.

        A real symmetric matrix, shape (P, P).  Raises ValueError if the interaction acts on pairs
        that `chi0` lacks, breaks a symmetry of the model, or is beyond the Stoner point.
        """
        require_invariant(interaction, self.patches.model)
        spin, charge = (interaction.vertex(c, self.chi0.pairs) for c in ("spin", "charge"))
        exchanged = self._fluctuations(interaction, "spin", spin)
        rows = (exchanged - self._fluctuations(interaction, "charge", -charge)) / 2
        rows += exchanged[:, self.patches.minus]
        ahead, back = self._overlaps
        rows += (((back @ (spin + charge)) * ahead).sum(axis=-1)).real / 2
        full = np.empty((len(self.patches.weights),) * 2)
        for images in self.patches.permutations:
            full[np.ix_(images[self.rows], images)] = rows
        return np.asarray((full + full.T) / 2)

    def _fluctuations(self, interaction: Interaction, channel: str, vertex: Floats) -> Floats:
        """[U χ U] at (k, k') for k among the rows, from ±U."""
        try:
            for roots in (*self._mesh_roots, self.roots):
                daggers = roots.conj().swapaxes(-1, -2)
                kernel = np.eye(len(vertex)) - daggers @ (vertex @ roots)
                np.linalg.cholesky(kernel)
        except np.linalg.LinAlgError:
            # Between mesh points it may order a little earlier than on them.
            scale = min(1.0, stoner_point(self.chi0, interaction, channel).scale)
            raise ValueError(
                f"interaction: the {channel} channel orders before pairs form; allowed: an "
                f"interaction scaled by less than {scale:.4g}, the Stoner point"
            ) from None
        ahead, back = self._overlaps
        driven = np.linalg.solve(kernel, daggers @ (ahead @ vertex.T)[..., None])
        return np.asarray(((back @ vertex)[..., None, :] @ self.roots @ driven)[..., 0, 0].real)

    @cached_property
    def _overlaps(self) -> tuple[Complexes, Complexes]:
        """Overlaps l(k, k') and l(k', k) for k among the rows, shape (R, P, p)."""
        left, right = self.chi0.pairs.T
        every = self.patches.states.astype(complex)
        some = every[self.rows]
        ahead = some.conj()[:, None, left] * every[None][..., right]
        back = every.conj()[None][..., left] * some[:, None, right]
        return ahead, back

    @cached_property
    def _mesh_roots(self) -> list[Complexes]:
        # χ(-q) is the complex conjugate of χ(q): half of the zone suffices.
        half = self.chi0.values[: self.chi0.mesh // 2 + 1]
        return [square_roots(row) for row in track(half, "pair scattering")]


@dataclass(frozen=True, eq=False)
class PairingState(Result):
    """A solution of the linearized gap equation.

    Parameters
    ----------
    eigenvalue : float
        λ; the critical temperature is about a band width times exp(-1/λ), and a negative λ
        repels.
    gap : GapFunction
        Its shape, with the largest value equal to one, and its channel.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import kanamori, rpa_gap
    >>> sea, repulsion = FermiSea(conduction_bands(), -0.65), kanamori((0, 1), U=0.5, J=0.0)
    >>> state = rpa_gap(sea, interaction=repulsion, temperature=0.05, mesh=32, patches=8)[0]
    >>> state.gap.channel, bool(state.eigenvalue > 0)  # it attracts
    ('triplet E', True)
    """

    eigenvalue: float
    gap: GapFunction

    def _words(self) -> str:
        return f"λ {self.eigenvalue:.4g}, {self.gap!r}"

    def _picture(self) -> str:
        return self.gap._picture()

    def gap_function(self) -> GapFunction:
        """Return `gap`, as the results of the other theories do."""
        return self.gap


def pair_scattering(patches: FermiPatches, chi0: Susceptibility) -> PairScattering:
    """Susceptibility between all points of a Fermi surface.

    Parameters
    ----------
    patches : FermiPatches
        Points on the Fermi sheets.
    chi0 : Susceptibility
        Bare susceptibility of the same sea, with all pairs that the interaction will act on.

    Returns
    -------
    PairScattering
        What `linearized_gap` needs for any interaction.

    Raises
    ------
    ValueError
        If model or chemical potential differ, or the states are not invariant under time reversal.

    Notes
    -----
    The susceptibility between mesh points is its Fourier series.  The error is that of the mesh,
    ``chi0.mesh_error``.  With G symmetries the cost is that of P²/G momenta.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import bare_susceptibility, pair_scattering
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> chi0 = bare_susceptibility(sea, temperature=0.05, mesh=32)
    >>> scattering = pair_scattering(sea.patches(8), chi0)
    >>> len(scattering.patches.weights), len(scattering.rows)  # the rest follows by symmetry
    (16, 2)
    """
    patches.model.require_both_spins()
    if patches.sea != chi0.sea:
        raise ValueError(
            f"patches of {patches.model.name!r} at mu = {patches.mu} and chi0 of "
            f"{chi0.sea.model.name!r} at mu = {chi0.sea.mu}; make both from one sea"
        )
    partners = (patches.states[patches.minus] * patches.states).sum(axis=-1)
    if np.abs(np.abs(partners) - 1).max() > 1e-6:
        raise ValueError(
            f"states of {patches.model.name!r} at k and −k are not complex conjugates; give a "
            "model with time reversal in a basis of real orbitals"
        )
    rows = np.unique(patches.permutations.min(axis=0))
    values = chi0.on(patches.points[None] - patches.points[rows, None])
    return PairScattering(patches, chi0, rows, square_roots(values))


def rpa_gap(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    interaction: Interaction,
    temperature: float,
    mesh: int,
    patches: int = 32,
    states: int = 1,
) -> list[PairingState]:
    """Leading gaps of a sea whose electrons pair by exchange of fluctuations.

    This is `bare_susceptibility`, `pair_scattering` and `linearized_gap` in one call.  For many
    interactions of one sea, call them one by one and keep what the first two return.

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    interaction : Interaction
        Interaction inside a cell, such as `kanamori`.
    temperature, mesh : float, int
        As for `bare_susceptibility`.
    patches : int
        Points on each Fermi sheet, as for `fermi_patches`.
    states : int
        As for `linearized_gap`.

    Returns
    -------
    list of PairingState
        As from `linearized_gap`, with the errors of all three.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> from nickbook.pairing import kanamori, rpa_gap
    >>> sea = FermiSea.at(four_band(), filling=3)
    >>> interaction = kanamori(sea.model.sites, U=1.0, J=0.1)
    >>> leading = rpa_gap(sea, interaction=interaction, temperature=0.05, mesh=32, patches=8)[0]
    >>> leading.gap_function().channel
    'triplet E'
    """
    sea = FermiSea.of(sea, mu)
    chi0 = bare_susceptibility(sea, temperature=temperature, mesh=mesh)
    return linearized_gap(pair_scattering(sea.patches(patches), chi0), interaction, states=states)


def linearized_gap(
    scattering: PairScattering, interaction: Interaction, *, states: int = 1
) -> list[PairingState]:
    r"""Leading solutions of the linearized gap equation in each symmetry channel.

    .. math:: -\sum_{k'} w_{k'} V(k, k')\, \Delta(k') = \lambda\, \Delta(k)

    with the densities of states w of the points and the amplitude of `PairScattering.vertex`.

    Parameters
    ----------
    scattering : PairScattering
        From `pair_scattering`.
    interaction : Interaction
        Interaction inside a cell, such as `kanamori`.
    states : int, optional
        Solutions in each channel.

    Returns
    -------
    list of PairingState
        In descending order of λ.  Channels are singlets A1, A2, B1, B2 and the triplet E, of which
        the partner is given that transforms as x, for a model with the symmetries of the square,
        otherwise "singlet" and "triplet".

    Raises
    ------
    ValueError
        As for `PairScattering.vertex`, or if a channel has fewer than `states` dimensions.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.pairing import bare_susceptibility, kanamori, linearized_gap, pair_scattering
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> chi0 = bare_susceptibility(sea, temperature=0.05, mesh=32)
    >>> scattering = pair_scattering(sea.patches(8), chi0)
    >>> linearized_gap(scattering, kanamori((0, 1), U=0.5, J=0.0))[0].gap.channel
    'triplet E'
    """
    states = positive_integer("states", states)
    patches = scattering.patches
    root = np.sqrt(patches.weights)
    kernel = -root[:, None] * scattering.vertex(interaction) * root
    found = []
    for spin, name, basis in _channels(patches):
        if basis.shape[1] < states:
            raise ValueError(
                f"states = {states}; allowed: at most {basis.shape[1]} in channel "
                f"{f'{spin} {name}'.strip()}, or take more patches"
            )
        values, vectors = np.linalg.eigh(basis.T @ kernel @ basis)
        for i in range(1, states + 1):
            gap = basis @ vectors[:, -i] / root
            gap /= gap[np.argmax(np.abs(gap) > np.abs(gap).max() - 1e-9)]
            shape = GapFunction(patches.sheets, patches.split(gap), spin=spin, representation=name)
            found.append(PairingState(float(values[-i]), shape))
    return sorted(found, key=lambda state: -state.eigenvalue)


def _channels(patches: FermiPatches) -> list[tuple[str, str, Floats]]:
    """Spin, representation and orthonormal functions on the patches of each channel."""
    channels = []
    for spin, parity in (("singlet", 1), ("triplet", -1)):
        for name, basis in patches.symmetry_functions(parity).items():
            if name == "E":
                # Its functions come in pairs; this keeps the one that is odd in x.
                reflected = basis[patches.permutations[SQUARE_ELEMENTS.index("σx")]]
                values, vectors = np.linalg.eigh(basis.T @ reflected)
                basis = basis @ vectors[:, values < 0]
            channels.append((spin, name, basis))
    return channels
