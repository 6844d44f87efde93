"""The smallest flow: two sheets that nest, four numbers, and no momenta."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from scipy.integrate import solve_ivp

from nickbook.arrays import Floats
from nickbook.checks import one_of, positive_integer, real
from nickbook.results import Result

#: What may diverge: gaps of opposite and of equal sign, and a spin-density wave at the nesting.
STATES = ("s±", "s++", "SDW")


@dataclass(frozen=True, eq=False)
class TwoSheetFlow(Result):
    """A flow of the interactions of two nested sheets, as `two_sheet_flow` computes it.

    Parameters
    ----------
    mismatch : float
        Half of the energy by which the sheets miss each other, over Λ0.
    scales : ndarray, shape (n,)
        Λ/Λ0, falling from one.
    density, exchange, pair, within : ndarray, shape (n,)
        Vertices times the density of states: between the sheets without and with an exchange of
        sheets, for a pair that hops from one sheet to the other, and within a sheet.
    susceptibilities : ndarray, shape (n, 3)
        Of each of `STATES`, per density of states.
    diverged : bool
        Whether a coupling reached the limit before the flow came to its stop.

    Examples
    --------
    >>> from nickbook.pairing.frg import two_sheet_flow
    >>> flow = two_sheet_flow(within=0.3, between=0.2, mismatch=0.1)
    >>> flow
    TwoSheetFlow(mismatch 0.1, diverged at Λ/Λ0 = 0.0098, s± leads, attracts below 0.34)
    """

    mismatch: float
    scales: Annotated[Floats, "", "place"]
    density: Annotated[Floats, "", "place"]
    exchange: Annotated[Floats, "", "place"]
    pair: Annotated[Floats, "", "place"]
    within: Annotated[Floats, "", "place"]
    susceptibilities: Annotated[Floats, "", "place", "state"]
    diverged: bool

    def _words(self) -> str:
        end = f"{'diverged' if self.diverged else 'stopped'} at Λ/Λ0 = {self.scales[-1]:.2g}"
        turn = self.turning_scale
        pull = "never attracts" if np.isnan(turn) else f"attracts below {turn:.2g}"
        return f"mismatch {self.mismatch:g}, {end}, {self.leading} leads, {pull}"

    def susceptibility(self, state: str) -> Floats:
        """Susceptibility of one of `STATES` at each scale, shape (n,)."""
        return self.susceptibilities[:, STATES.index(one_of("state", state, STATES))]

    @property
    def leading(self) -> str:
        """The state with the largest susceptibility at the end."""
        return STATES[int(np.argmax(self.susceptibilities[-1]))]

    @property
    def turning_scale(self) -> float:
        """Λ/Λ0 below which gaps of opposite sign attract, or nan: `pair` exceeds `within`."""
        pull = self.pair - self.within
        places = np.flatnonzero(pull > 0)
        if not places.size or places[0] == 0:
            return float("nan") if not places.size else 1.0
        i = int(places[0])
        share = pull[i - 1] / (pull[i - 1] - pull[i])
        low, high = np.log(self.scales[[i - 1, i]])
        return float(np.exp(low + share * (high - low)))


def two_sheet_flow(
    within: float,
    between: float,
    *,
    mismatch: float = 0.0,
    stop: float = 1e-4,
    limit: float = 1.5,
    points: int = 201,
) -> TwoSheetFlow:
    r"""Flow of the interactions of an electron and a hole sheet that nest at Q = −Q.

    All couplings between the sheets start alike, as those of electrons that repel on a site do. All
    numbers are pure: couplings are vertices of the chapters' normalization (that of `bare_vertex`)
    times the density of states of a sheet and spin, scales are in units of Λ0.

    Parameters
    ----------
    within : float
        Repulsion of two electrons on one sheet, at Λ0.
    between : float
        Repulsion of electrons on different sheets, and the amplitude of pairs that hop between
        them, at Λ0.
    mismatch : float, optional
        m of :math:`\xi_a = \epsilon - m`, :math:`\xi_b = -\epsilon - m`; zero for perfect nesting.
    stop : float, optional
        Scale at which a flow ends that does not diverge.
    limit : float, optional
        Magnitude of a coupling at which the flow ends as diverged.
    points : int, optional
        Number of scales of the result, closer to each other towards the end.

    Returns
    -------
    TwoSheetFlow
        Couplings and susceptibilities at falling scales.

    Raises
    ------
    TypeError, ValueError
        For an argument out of range.
    RuntimeError
        If the steps of the flow become too small.

    Notes
    -----
    The flow equation of `FlowEquation` with the sharp regulator and vertices without momenta, in
    :math:`l = \ln(\Lambda_0/\Lambda)`:

    .. math::

        \dot u_1 &= d\,(u_1^2 + u_3^2), &
        \dot u_2 &= 2 d\,u_2 (u_1 - u_2), \\
        \dot u_3 &= 2 u_3 (2 d\,u_1 - d\,u_2 - u_4), &
        \dot u_4 &= -(u_3^2 + u_4^2),

    with u1 … u4 `density`, `exchange`, `pair` and `within`. These are Chubukov, Efremov and Eremin,
    Phys. Rev. B 78, 134512 (2008), who have :math:`d = 1`. For the sheets above the sharp regulator
    gives :math:`d = \Lambda/(\Lambda+m)`. Loops without a logarithm, as of pairs with momentum Q,
    are left out, and so is everything beyond one loop: once couplings exceed one, the flow says
    where it is heading and no more. Cost: milliseconds.

    A field for pairs or waves is dressed as :math:`\dot T = w T` and answered by
    :math:`\dot\chi = p T^2`, with :math:`w = \pm u_3 - u_4`, :math:`p = 1` for the gaps of opposite
    and equal sign and :math:`w = d(u_1 + u_3)`, :math:`p = d` for the spin-density wave. Other
    waves have a smaller w while all couplings between the sheets are positive.

    Examples
    --------
    Repulsion alone ends in attraction if the sheets nest:

    >>> from nickbook.pairing.frg import two_sheet_flow
    >>> nested = two_sheet_flow(within=0.3, between=0.2, mismatch=0.1)
    >>> [bool(pull > 0) for pull in (nested.pair - nested.within)[[0, -1]]]
    [False, True]
    >>> two_sheet_flow(within=0.3, between=0.2, mismatch=1.0).turning_scale  # too far apart
    nan
    """
    u = real("within", within, at_least=0.0, below=1.0)
    v = real("between", between, at_least=0.0, below=1.0)
    m = real("mismatch", mismatch, at_least=0.0)
    end = -np.log(real("stop", stop, above=0.0, below=1.0))
    top = real("limit", limit, at_least=1.0)
    size = positive_integer("points", points, at_least=2)

    def slope(depth: float, y: Floats) -> Floats:
        u1, u2, u3, u4 = y[:4]
        scale = np.exp(-depth)
        d = scale / (scale + m)
        grow = np.array([u3 - u4, -u3 - u4, d * (u1 + u3)])
        return np.concatenate(
            [
                [d * (u1**2 + u3**2), 2 * d * u2 * (u1 - u2)],
                [2 * u3 * (d * (2 * u1 - u2) - u4), -(u3**2) - u4**2],
                grow * y[4:7],
                np.array([1, 1, d]) * y[4:7] ** 2,
            ]
        )

    def room(_: float, y: Floats) -> float:
        return float(top - np.abs(y[:4]).max())

    setattr(room, "terminal", True)  # noqa: B010
    # Dense output, since the end is known only when it is reached.
    start = [v, v, v, u, *(1.0,) * 3, *(0.0,) * 3]
    solved = solve_ivp(
        slope, (0.0, end), start, events=room, dense_output=True, rtol=1e-9, atol=1e-11
    )
    if solved.sol is None or not solved.success:
        raise RuntimeError(f"the flow broke off: {solved.message}")
    depth = solved.t[-1] * (1 - np.linspace(1, 0, size) ** 2)
    y = solved.sol(depth)
    return TwoSheetFlow(
        mismatch=m,
        scales=np.exp(-depth),
        density=y[0],
        exchange=y[1],
        pair=y[2],
        within=y[3],
        susceptibilities=y[7:].T.copy(),
        diverged=bool(solved.status == 1),
    )
