"""Pictures of bands, Fermi sheets, gaps, susceptibilities and flows, of any model.

Every function takes matplotlib axes and gives them back, so that pictures share a figure and take
what matplotlib can do with them; without axes it opens a figure in the book's style.  A model of
your own needs nothing but its hoppings, here of one orbital on a triangular lattice:

>>> import numpy as np
>>> from nickbook import plot
>>> from nickbook.bands import BlochModel, FermiSea
>>> vectors = [(1, 0), (0, 1), (1, -1), (-1, 0), (0, -1), (-1, 1)]
>>> model = BlochModel("triangles", ("s",), np.array(vectors), np.full((6, 1, 1), -0.3))
>>> sea = FermiSea.at(model, filling=0.8)

The primitive vectors turn components along reciprocal vectors into a picture of the zone:

>>> triangles = [[1, 0], [0.5, np.sqrt(3) / 2]]
>>> third = 2 * np.pi / 3
>>> corners = {"Γ": (0, 0), "K": (2 * third, third), "M": (np.pi, 0), "Γ′": (0, 0)}
>>> path = plot.MomentumPath.through(corners, axes=triangles)
>>> ax = plot.bands(sea, path)
>>> ax.get_ylabel(), [label.get_text() for label in ax.get_xticklabels()]
('E − μ (eV)', ['Γ', 'K', 'M', 'Γ′'])
>>> ax = plot.sheets(sea, axes=triangles)

Of a model in three dimensions one plane is drawn, that of a given ``kz``.  Momenta of windows and
axes are in units of π over the lattice constant, those that are handed over in its inverse.
"""

from nickbook.plot import installed  # noqa: F401, asks for the extra before all else
from nickbook.plot.energies import bands
from nickbook.plot.lines import gap, gap_angle, sheets
from nickbook.plot.momentum import MomentumPath
from nickbook.plot.responses import flow, susceptibility
from nickbook.plot.style import PALETTE, SHARE_COLORS, SHEET_COLORS, SIGNED_COLORS, STYLE

__all__ = [
    "PALETTE",
    "SHARE_COLORS",
    "SHEET_COLORS",
    "SIGNED_COLORS",
    "STYLE",
    "MomentumPath",
    "bands",
    "flow",
    "gap",
    "gap_angle",
    "sheets",
    "susceptibility",
]
