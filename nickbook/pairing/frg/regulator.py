"""What a flow leaves out at scale Λ, in three forms."""

import numpy as np

#: Names of the regulators; `FlowEquation` says what each leaves out.
REGULATORS = ("sharp", "smooth", "frequency")
#: Half width of a sharp step relative to the scale: two equal energies share it evenly.
STEP = 0.02
#: Half width of the smooth step relative to the scale.
SMOOTH_STEP = 0.5
#: Scale at which a regulator still leaves out all modes, relative to the reach of the bands; far
#: above them for the one in frequency, whose loops begin as bands/Λ.
START = {"sharp": 1.0, "smooth": 1 / (1 - SMOOTH_STEP), "frequency": 10.0}


def moving_levels(regulator: str, scale: float, reach: float) -> list[tuple[float, float]]:
    """Energies in eV at which a regulator moves at a scale, with the weights of a quadrature.

    The bands reach as far as `reach` from the chemical potential, in eV.
    """
    if regulator == "sharp":
        return [(-scale, 1.0), (scale, 1.0)]
    if regulator == "smooth":
        t, w = (a / 2 for a in np.polynomial.legendre.leggauss(4))
        x = 1 + 2 * SMOOTH_STEP * t
        # dΛ moves the share χ(|ξ|/Λ) by χ′ |ξ|/Λ².
        slope = 6 * (t + 0.5) * (0.5 - t) * w
        pairs = [(scale * a, a * b) for a, b in zip(x, slope, strict=True)]
    else:
        t, w = np.polynomial.legendre.leggauss(12)
        top = np.arcsinh(reach / scale)
        y = top * (1 + t) / 2
        pairs = list(zip(scale * np.sinh(y), scale * np.cosh(y) * top * w / 2, strict=True))
    return [(float(sign * e), float(w)) for e, w in pairs for sign in (-1, 1)]
