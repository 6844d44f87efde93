"""Your own model through everything the book computes, on one page and in one file.

From Python::

    from nickbook.report import compare

    report = compare("La3Ni2O7_hr.dat", filling=3)
    report.to_html("La3Ni2O7.html")
    report.to_netcdf("La3Ni2O7.nc")

and from the shell ``nickbook compare La3Ni2O7_hr.dat --filling 3``.
"""

from nickbook.report.page import comparison
from nickbook.report.report import Report, compare
from nickbook.report.steps import (
    QUALITIES,
    Pairing,
    Quality,
    Response,
    Spectrum,
    exchange,
    flow_of_interaction,
    open_sea,
    pairing,
    response,
    scaled,
    spectrum,
    spins,
)

__all__ = [
    "QUALITIES",
    "Pairing",
    "Quality",
    "Report",
    "Response",
    "Spectrum",
    "compare",
    "comparison",
    "exchange",
    "flow_of_interaction",
    "open_sea",
    "pairing",
    "response",
    "scaled",
    "spectrum",
    "spins",
]
