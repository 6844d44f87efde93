"""How much a chemical potential depends on each parameter of a model."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TypeVar

from nickbook.bands.bloch import BlochModel
from nickbook.bands.fermi import fermi_sheets
from nickbook.bands.fillings import chemical_potential
from nickbook.bands.models import EightBandParameters, FourBandParameters, ThreeBandParameters

Parameters = TypeVar("Parameters", FourBandParameters, ThreeBandParameters, EightBandParameters)

_STEP = 1e-4


def chemical_potential_slopes(
    build: Callable[[Parameters], BlochModel], parameters: Parameters, filling: float
) -> dict[str, float]:
    r"""Differentiate the chemical potential by each parameter, at constant filling.

    A small change of a parameter p shifts the energies on the Fermi lines, and the Fermi level
    follows their average:

    .. math:: \frac{\partial\mu}{\partial p} =
        \frac{\oint \partial_p E\,\mathrm{d}N}{\oint \mathrm{d}N}

    Parameters
    ----------
    build : callable
        Makes a two-dimensional model of its parameters, such as `four_band`.
    parameters : FourBandParameters, ThreeBandParameters or EightBandParameters
        Where to take the derivative.
    filling : float
        Electrons per cell, both spins.

    Returns
    -------
    dict of str to float
        By the parameter's name, in eV per eV.

    Raises
    ------
    ValueError
        If the filling is not strictly between zero and the capacity, or leaves no Fermi line.

    Notes
    -----
    The derivative of the energies is a central difference with an error near 1e-8.  The cost is
    two band evaluations on the Fermi lines per parameter.

    Examples
    --------
    >>> from nickbook.bands import ThreeBandParameters, three_band
    >>> slopes = chemical_potential_slopes(three_band, ThreeBandParameters(), 3.0)
    >>> round(slopes["epsilon_x"] + slopes["epsilon_z"], 9)  # a shift of all levels
    1.0
    """
    model = build(parameters)
    sheets = fermi_sheets(model, chemical_potential(model, filling))
    states = sum(sheet.density_of_states for sheet in sheets)
    slopes = {}
    for item in fields(parameters):
        value = getattr(parameters, item.name)
        low, high = (
            build(replace(parameters, **{item.name: value + step})) for step in (-_STEP, _STEP)
        )
        shift = 0.0
        for sheet in sheets:
            change = high.band_energies(sheet.points) - low.band_energies(sheet.points)
            shift += float(sheet.weights @ change[:, sheet.band])
        slopes[item.name] = shift / (2 * _STEP * states)
    return slopes
