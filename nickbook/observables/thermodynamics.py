r"""Thermodynamics of weak coupling, with a gap whose dependence on momentum is given.

The pairing interaction is the one that makes the gap :math:`\Delta(T)\,\varphi_k` with
:math:`|\varphi| \le 1` and no other: :math:`-g\,\varphi_k\varphi_{k'}`.  Everything follows from
three functions of :math:`x = |\Delta_k|/T`: the logarithm of pairs

.. math:: L(x) = \int_0^\infty\!du\,\Big[\frac{\tanh(\epsilon/2)}{\epsilon} -
    \frac{\tanh(u/2)}{u}\Big], \qquad \epsilon^2 = u^2 + x^2 ,

Yosida's function :math:`Y(x) = \frac12\int_0^\infty du\,\mathrm{sech}^2(\epsilon/2)` and the
entropy :math:`S(x)/\gamma T`.  Averages are over the Fermi lines.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy import constants
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import xlogy, zeta

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, FermiSea
from nickbook.checks import real
from nickbook.observables.gaps import Gap, GapField, Line, finite, refined_lines
from nickbook.pairing import GapFunction
from nickbook.results import Result

#: Points of a line over which thermal averages go.
_POINTS = 512
#: Beyond this gap in units of temperature quasiparticles are frozen out to rounding.
_FROZEN = 45.0
_EULER = float(np.exp(np.euler_gamma))


@dataclass(frozen=True, eq=False)
class WeakCoupling(Result):
    r"""What a gap means for thermodynamics at weak coupling; made by `weak_coupling`.

    Parameters
    ----------
    gap : GapFunction
        The gap on the Fermi sheets at T = 0.
    ratio : float
        :math:`2\Delta_\mathrm{max}(0)/k_BT_c`.
    jump : float
        Jump of the specific heat over that of the normal state, :math:`\Delta C/\gamma T_c`.
    temperatures : ndarray, shape (T,)
        Temperatures in units of the critical one.
    amplitudes : ndarray, shape (T,)
        :math:`\Delta_\mathrm{max}(T)/\Delta_\mathrm{max}(0)`.
    specific_heat : ndarray, shape (T,)
        Specific heat over that of the normal state at the critical temperature.
    superfluid : ndarray, shape (2, T)
        Superfluid density along x and y over that at T = 0.
    stiffness : ndarray, shape (2,)
        :math:`2\sum_k \delta(\xi_k)\,v^2` along x and y in eV per cell.
    density_of_states : float
        Of all sheets, in states/eV per spin and cell.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands
    >>> from nickbook.observables import weak_coupling
    >>> sea = FermiSea(conduction_bands(), -0.65)
    >>> found = weak_coupling(sea, gap=lambda k: 0.02 + 0 * k[:, 0])
    >>> round(found.ratio, 3), round(found.jump, 3), round(found.critical_temperature, 5)
    (3.528, 1.426, 0.01134)
    """

    gap: GapFunction
    ratio: float
    jump: float
    temperatures: Annotated[Floats, "T_c", "temperature"]
    amplitudes: Annotated[Floats, "", "temperature"]
    specific_heat: Annotated[Floats, "", "temperature"]
    superfluid: Annotated[Floats, "", "direction", "temperature"]
    stiffness: Annotated[Floats, "eV", "direction"]
    density_of_states: Annotated[float, "1/eV"]

    def _words(self) -> str:
        return f"2Δ/T_c {self.ratio:.4g}, ΔC/γT_c {self.jump:.4g}, {self.gap!r}"

    @property
    def critical_temperature(self) -> float:
        """Temperature in eV at which the gap closes if the one given is that at T = 0."""
        return 2 * max(float(np.abs(v).max()) for v in self.gap.values) / self.ratio

    @property
    def sommerfeld(self) -> float:
        r"""Sommerfeld coefficient of the normal state in mJ/(mol K²), a mole of the model's cells.

        .. math:: \gamma = \frac{2\pi^2}{3} k_B^2 N
        """
        per_cell = 2 * np.pi**2 / 3 * self.density_of_states / constants.e
        return float(1e3 * per_cell * constants.k**2 * constants.N_A)

    def penetration_depth(self, spacing: float) -> Floats:
        r"""In-plane penetration depth at T = 0 in nm for currents along x and y.

        .. math:: \lambda^{-2} = \mu_0 e^2 D/\hbar^2 d

        with the `stiffness` D and the height d = `spacing` of a cell in nm, without disorder and
        without the renormalization of velocities that the bands lack.
        """
        height = real("spacing", spacing, above=0.0, unit="nm") * 1e-9
        inverse = constants.mu_0 * constants.e**3 * self.stiffness / (constants.hbar**2 * height)
        return np.asarray(1e9 / np.sqrt(inverse))


def weak_coupling(
    sea: FermiSea | BlochModel,
    mu: float | None = None,
    *,
    gap: Gap,
    temperatures: ArrayLike | None = None,
) -> WeakCoupling:
    r"""Thermodynamics of a gap in the gap equation of weak coupling.

    .. math:: \ln\frac{T}{T_c}\,\langle\varphi^2\rangle = \langle\varphi^2 L(x)\rangle , \qquad
        \frac{2\Delta_\mathrm{max}}{T_c} = \frac{2\pi}{e^{\gamma_E}}\,
        e^{-\langle\varphi^2\ln|\varphi|\rangle/\langle\varphi^2\rangle} , \qquad
        \frac{\Delta C}{\gamma T_c} = \frac{12}{7\zeta(3)}
        \frac{\langle\varphi^2\rangle^2}{\langle\varphi^4\rangle}

    Parameters
    ----------
    sea, mu : FermiSea or BlochModel, float
        Bands in two dimensions and their level in eV, together or apart.
    gap : GapFunction or callable
        The gap, as for `gap_on_sheets`.  Ratios do not depend on its scale.
    temperatures : array_like, shape (T,), optional
        In units of the critical temperature, not negative; 61 up to 1.2 when not given.

    Returns
    -------
    WeakCoupling
        Ratios, and what depends on temperature.

    Raises
    ------
    TypeError, ValueError
        As for `gap_on_sheets`, for a negative temperature, or a gap of zero.

    Notes
    -----
    The shape of the gap is held at all temperatures, which is exact for a separable interaction
    only.  Nodes need temperatures above a hundredth of the largest gap.

    Examples
    --------
    A d wave on the sheets of LK:

    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.observables import weak_coupling
    >>> found = weak_coupling(FermiSea(conduction_bands(), -0.65), gap=eta_k, temperatures=[0.1])
    >>> round(found.ratio, 2), bool(found.superfluid[0, 0] < 0.99)  # nodes
    (4.65, True)
    """
    sea = FermiSea.of(sea, mu)
    t = finite("temperatures", np.linspace(0, 1.2, 61) if temperatures is None else temperatures)
    if (t < 0).any():
        raise ValueError(
            f"temperatures = {temperatures!r}; allowed: numbers that are not negative, in units of "
            "T_c"
        )
    found = GapField(sea, gap).on_sheets
    lines = refined_lines(found, _POINTS)
    w, shape = _shape(lines)
    density = float(w.sum())
    w = w / density
    v2 = np.concatenate([line.velocity**2 for line in lines])
    square = float(w @ shape**2)
    start = np.pi / _EULER * np.exp(-float(w @ xlogy(shape**2, shape)) / square)
    jump = 12 / (7 * zeta(3)) * square**2 / float(w @ shape**4)
    sizes = [_amplitude(float(x), w * shape**2 / square, shape, float(start)) for x in t]
    heat, fluid = np.zeros(len(t)), np.ones((2, len(t)))
    for i, (now, size) in enumerate(zip(t, sizes, strict=True)):
        if now == 0:
            continue
        x = size / now * shape
        yosida = _function("yosida")(np.minimum(x, _FROZEN)) * (x < _FROZEN)
        entropy = _function("entropy")(np.minimum(x, _FROZEN)) * (x < _FROZEN)
        # γ is one; the second term is the heat that closing the gap takes.
        heat[i] = w @ entropy
        if size:
            closing = square / float(w @ (shape**2 * (1 - yosida)))
            heat[i] += 3 / np.pi**2 * float(w @ (x**2 * yosida)) * closing
        heat[i] *= now
        fluid[:, i] = 1 - (w * yosida) @ v2 / (w @ v2)
    return WeakCoupling(
        gap=found,
        ratio=2 * float(start),
        jump=float(jump),
        temperatures=t,
        amplitudes=np.array(sizes) / start,
        specific_heat=heat,
        superfluid=fluid,
        stiffness=2 * density * (w @ v2),
        density_of_states=density,
    )


def _shape(lines: list[Line]) -> tuple[Floats, Floats]:
    """Weights of all points, and the magnitude of the gap there with the largest one."""
    w, size = (np.concatenate(x) for x in ([i.weights for i in lines], [i.size for i in lines]))
    largest = float(size.max())
    if not largest > 0:
        raise ValueError("gap is zero on all sheets; give a gap that pairs some electrons")
    return w, size / largest


def _amplitude(t: float, weights: Floats, shape: Floats, start: float) -> float:
    """Largest gap over the critical temperature at one reduced temperature."""
    if t == 0:
        return start
    if t >= 1:
        return 0.0

    def excess(log_x: float) -> float:
        return float(weights @ _pair_logarithm(np.exp(log_x) * shape)) - float(np.log(t))

    low, high = np.log(1e-6), np.log(1.001 * start / t)
    if excess(low) < 0:
        return 0.0
    return t * float(np.exp(brentq(excess, low, high, xtol=1e-12)))


def _pair_logarithm(x: Floats) -> Floats:
    """Return L(x) of the module's head."""
    table = _function("pairs")(np.minimum(x, _FROZEN))
    far = np.log(np.pi / _EULER / np.maximum(x, _FROZEN))
    return np.asarray(np.where(x < _FROZEN, table, far))


@cache
def _function(name: str) -> CubicSpline:
    """One of the three functions up to `_FROZEN`, a spline with an error below 1e-8."""
    x = 6 * np.sinh(np.linspace(0, np.arcsinh(_FROZEN / 6), 801))
    nodes, weights = np.polynomial.legendre.leggauss(80)
    # Up to |u| = √(x² + π²) the integrands are analytic, so u = D sinh s makes them smooth.
    scale, top = np.hypot(x, np.pi), 60.0 + x
    step = np.arcsinh(top / scale)[:, None] / 2
    s = step * (nodes + 1)
    u = scale[:, None] * np.sinh(s)
    measure = scale[:, None] * np.cosh(s) * step * weights
    e = np.hypot(u, x[:, None])
    if name == "pairs":
        values = (measure * (np.tanh(e / 2) / e - np.tanh(u / 2) / u)).sum(axis=1)
        values -= np.log((top + np.hypot(top, x)) / (2 * top))
    elif name == "yosida":
        values = (measure / (2 * np.cosh(e / 2) ** 2)).sum(axis=1)
    else:
        fermi = 1 / (1 + np.exp(e))
        each = np.log1p(np.exp(-e)) + e * fermi
        values = 6 / np.pi**2 * (measure * each).sum(axis=1)
    return CubicSpline(x, values, bc_type=("clamped", "not-a-knot"))
