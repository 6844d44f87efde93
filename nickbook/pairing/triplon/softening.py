"""What the band electrons do to a triplon: the feedback that second order leaves out."""

import numpy as np
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.checks import real


def triplon_feedback(J_H: float, polarization: ArrayLike, *, J_c: float = 0.288) -> Floats:
    r"""Fraction by which the bands reduce the square of the triplon energy.

    In the random-phase approximation :math:`\omega^2 = J_c^2(1 - x)` with
    :math:`x = 2J_H^2\chi/J_c`, the product of the responses of :math:`T + T^\dagger`
    (:math:`2/J_c`) and of the interband spin density :math:`s_{\alpha\beta} + s_{\beta\alpha}`
    that couples to it (:math:`\chi`).  The static pairing constant grows by :math:`1/(1 - x)`; at
    x = 1 the singlets give way to magnetic order.

    Parameters
    ----------
    J_H : float
        Hund coupling in eV.
    polarization : array_like
        Static response :math:`\chi` of one component of the interband spin density in 1/eV per
        cell.  For the bands α, β of `conduction_bands` it is the element of
        ``bare_susceptibility(sea, ..., pairs=[(0, 1)])``.
    J_c : float
        Triplon energy without the bands in eV.

    Returns
    -------
    ndarray
        The fraction x, shaped like `polarization`.

    Raises
    ------
    TypeError, ValueError
        If `J_H` is not a finite real number, or `J_c` no positive one.

    Examples
    --------
    >>> from nickbook.pairing import triplon_feedback
    >>> x = triplon_feedback(0.4, polarization=0.5, J_c=0.288)
    >>> f"{x:.3f}, ω = {0.288 * (1 - x) ** 0.5:.3f} eV"
    '0.556, ω = 0.192 eV'
    """
    coupling, gap = real("J_H", J_H, unit="eV"), real("J_c", J_c, above=0.0, unit="eV")
    return np.asarray(2 * coupling**2 / gap * np.asarray(polarization, dtype=float))
