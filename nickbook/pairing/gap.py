r"""Gap functions on Fermi sheets: what every pairing theory of this package returns.

A gap is named by two words that hold in every theory, its `spin` and its `representation` of the
square's point group, together its `channel`: ``"singlet A1"``, ``"singlet B1"``, ``"triplet E"``.
Models without that group leave the representation open: ``"singlet"``.  What the gap looks like on
the sheets at hand, ``"s±"`` or ``"d"``, is not told but read off its values, by `kind`.
"""

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from nickbook.arrays import Floats
from nickbook.bands import SQUARE_CHARACTERS, FermiSheet, eta_k
from nickbook.bands.fermi import zone_picture
from nickbook.checks import one_of
from nickbook.results import Result, span
from nickbook.svg import color


@dataclass(frozen=True, eq=False)
class GapFunction(Result):
    """A real superconducting gap on the sheets of a Fermi surface.

    Parameters
    ----------
    sheets : tuple of FermiSheet
        The Fermi lines.
    values : tuple of ndarray
        The gap in eV at each point of each sheet; the overall sign is free.
    spin : {"singlet", "triplet"}
        Spin of the pairs.
    representation : {"A1", "A2", "B1", "B2", "E", ""}
        Irreducible representation of the square's point group; empty where there is none.

    Raises
    ------
    ValueError
        If values do not match the sheets or are not finite, or for an unknown word.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> from nickbook.pairing import GapFunction
    >>> sheets = FermiSea(conduction_bands(), -0.65).sheets
    >>> gap = GapFunction(sheets, [0.02 * eta_k(sheet.points) for sheet in sheets])
    >>> gap.kind, gap.sign_changes(), round(gap.ratio(angle=0.0), 3)
    ('d', [4, 4], 0.41)
    """

    sheets: tuple[FermiSheet, ...]
    values: Annotated[tuple[Floats, ...], "eV", "sheets.*.point"]
    _: KW_ONLY
    spin: str = "singlet"
    representation: str = ""

    def __post_init__(self) -> None:
        one_of("spin", self.spin, ("singlet", "triplet"))
        one_of("representation", self.representation, (*SQUARE_CHARACTERS, ""))
        shapes = [sheet.weights.shape for sheet in self.sheets]
        if [np.shape(v) for v in self.values] != shapes:
            raise ValueError(
                f"values have shapes {[np.shape(v) for v in self.values]}; allowed: one number "
                f"for each point of each sheet, {shapes}"
            )
        if not all(np.isfinite(v).all() for v in self.values):
            raise ValueError("values hold NaN or infinite gaps")

    def _words(self) -> str:
        # A gap whose largest value is one has a shape and no scale.
        scale, unit = (1.0, "") if abs(self._largest - 1) < 1e-9 else (1e3, "meV")
        pairs = list(zip(self.sheets, self.values, strict=True))[:8]
        parts = ", ".join(f"{s.name} {span(scale * v, unit)}" for s, v in pairs)
        return f"{self.channel}, {self.kind}: {parts}"

    @property
    def _largest(self) -> float:
        return max((float(np.abs(v).max()) for v in self.values), default=0.0)

    def _picture(self) -> str:
        lines = []
        for sheet, gap in zip(self.sheets, self.values, strict=True):
            points = np.concatenate([sheet.points, sheet.points[:1]])
            width = 1 + (6 * np.abs(gap) / (self._largest or 1.0)).round().astype(int)
            looks = list(zip(np.sign(gap).astype(int).tolist(), width.tolist(), strict=True))
            ends = [i for i in range(1, len(gap)) if looks[i] != looks[i - 1]]
            for start, end in pairwise([0, *ends, len(gap)]):
                sign, thickness = looks[start]
                lines.append((points[start : end + 1], color(sign), "", thickness))
        return zone_picture(lines, f"{self.channel}, {self.kind}")

    @property
    def channel(self) -> str:
        """Spin and representation, such as ``"singlet A1"``."""
        return f"{self.spin} {self.representation}".strip()

    @property
    def kind(self) -> str:
        r"""What the values look like: "s±", "s++", "s", "d", "dxy", "g", "p", or "normal".

        The best fit by a constant, by :math:`\cos k_x - \cos k_y`, by :math:`\sin k_x \sin k_y`
        or by their product, with coefficients of their own on the odd and on the even sheets (on
        each band where one has no mirror parity), is called s, d, dxy or g.  Among s, opposite
        signs of these averages make "s±", equal ones "s++"; a gap on one side only is "s".
        Triplets are "p", a gap of zero is "normal".
        """
        if not any(v.any() for v in self.values):
            return "normal"
        if self.spin == "triplet":
            return "p"
        by_parity = all(sheet.parity for sheet in self.sheets)
        sides = [sheet.parity if by_parity else sheet.band for sheet in self.sheets]
        w, gap = (np.concatenate(x) for x in ([s.weights for s in self.sheets], self.values))
        points = np.concatenate([sheet.points for sheet in self.sheets])
        side = np.repeat(sides, [len(v) for v in self.values])
        chosen = [side == number for number in sorted(set(sides))]
        d, dxy = eta_k(points), np.prod(np.sin(points), axis=-1)
        shapes = {"s": np.ones_like(d), "d": d, "dxy": dxy, "g": d * dxy}
        overlaps = {
            name: np.array([w[c] @ (gap * f)[c] / np.sqrt(w[c] @ f[c] ** 2 or 1.0) for c in chosen])
            for name, f in shapes.items()
        }
        kind = max(shapes, key=lambda name: np.square(overlaps[name]).sum())
        if kind == "s" and len(chosen) > 1:
            return "s±" if np.ptp(np.sign(overlaps["s"])) == 2 else "s++"
        return kind

    def anisotropy(self) -> list[float]:
        """Relative spread (max − min)/(max + min) of the magnitude on each sheet, from 0 to 1."""
        spreads = []
        for values in self.values:
            high, low = np.abs(values).max(), np.abs(values).min()
            spreads.append(float((high - low) / (high + low)) if high > 0 else 0.0)
        return spreads

    def sign_changes(self) -> list[int]:
        """Count the sign changes met on one turn round each sheet."""
        # A point on a node has no sign of its own.
        signs = [np.sign(v)[v != 0] for v in self.values]
        return [int((np.diff(s, append=s[:1]) != 0).sum()) for s in signs]

    def signs(self) -> list[int]:
        """Sign of the average gap on each sheet."""
        pairs = zip(self.sheets, self.values, strict=True)
        return [int(np.sign(sheet.average(values))) for sheet, values in pairs]

    def at_angle(self, sheet: int, angle: ArrayLike) -> Floats:
        """Gap in eV on one sheet as a function of the angle θ about the sheet's centre.

        Angles are in radians from the kx direction; a periodic cubic spline goes through the
        sheet's points.  Raises ValueError if one angle meets the sheet more than once.
        """
        theta = np.unwrap(self.sheets[sheet].angle)
        values = self.values[sheet]
        if theta[-1] < theta[0]:
            theta, values = theta[::-1], values[::-1]
        if (np.diff(theta) <= 0).any() or theta[-1] - theta[0] > 2 * np.pi:
            raise ValueError(
                f"sheet = {sheet} ({self.sheets[sheet].name}) meets some angle more than once; "
                "plot its gap along the line instead"
            )
        knots = np.append(theta, theta[0] + 2 * np.pi)
        spline = CubicSpline(knots, np.append(values, values[0]), bc_type="periodic")
        return np.asarray(spline(np.asarray(angle, dtype=float)))

    def ratio(self, numerator: int = 0, denominator: int = 1, angle: float = np.pi / 4) -> float:
        """Ratio of the gap magnitudes on two sheets at one angle θ, by default the diagonal."""
        above = np.abs(self.at_angle(numerator, angle))
        return float(above / np.abs(self.at_angle(denominator, angle)))
