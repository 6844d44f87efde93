"""How much a chemical potential depends on each parameter of a model."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import TypeVar

import numpy as np

from nickbook.bands.bloch import BlochModel
from nickbook.bands.fermi import fermi_sheets
from nickbook.bands.fillings import chemical_potential
from nickbook.bands.models import EightBandParameters, FourBandParameters, ThreeBandParameters

Parameters = TypeVar("Parameters", FourBandParameters, ThreeBandParameters, EightBandParameters)

_STEP = 1e-4


def chemical_potential_slopes(
    build: Callable[[Parameters], BlochModel | Sequence[BlochModel]],
    parameters: Parameters,
    filling: float,
    *,
    mu: float | None = None,
) -> dict[str, float]:
    r"""Differentiate the chemical potential by each parameter, at constant filling.

    A small change of a parameter p shifts the energies on the Fermi lines by its mean in their
    states (Hellmann-Feynman), and the Fermi level follows the average:

    .. math:: \frac{\partial\mu}{\partial p} =
        \frac{\oint \partial_p E\,\mathrm{d}N}{\oint \mathrm{d}N}

    Parameters
    ----------
    build : callable
        Makes a two-dimensional model of its parameters, such as `four_band`, or planes that share
        a level, such as `bilayer_plane` at some kz, whose mean filling is held.
    parameters : FourBandParameters, ThreeBandParameters or EightBandParameters
        Where to take the derivative.
    filling : float
        Electrons per cell, both spins.
    mu : float, optional
        The level of that filling in eV, where it is known; it is solved for when not given.

    Returns
    -------
    dict of str to float
        By the parameter's name, in eV per eV.

    Raises
    ------
    ValueError
        If the filling is not strictly between zero and the capacity, or a plane has no Fermi line.

    Notes
    -----
    The derivative of the Hamiltonian is a central difference, exact to 1e-10 for models that are
    linear in their parameters.  The cost is two models and the sum over their hoppings on the
    Fermi lines per parameter.

    Examples
    --------
    >>> from nickbook.bands import ThreeBandParameters, chemical_potential_slopes, three_band
    >>> slopes = chemical_potential_slopes(three_band, ThreeBandParameters(), 3.0)
    >>> round(slopes["epsilon_x"] + slopes["epsilon_z"], 9)  # a shift of all levels
    1.0
    """

    def planes(changed: Parameters) -> tuple[BlochModel, ...]:
        built = build(changed)
        return (built,) if isinstance(built, BlochModel) else tuple(built)

    models = planes(parameters)
    level = chemical_potential(models, filling) if mu is None else mu
    sheets = [(i, s) for i, model in enumerate(models) for s in fermi_sheets(model, level)]
    total = sum(sheet.density_of_states for _, sheet in sheets)
    slopes = {}
    for name in (item.name for item in fields(parameters)):
        value, shift = getattr(parameters, name), 0.0
        low, high = (planes(replace(parameters, **{name: value + d})) for d in (-_STEP, _STEP))
        for i, sheet in sheets:
            change = high[i].hamiltonian(sheet.points) - low[i].hamiltonian(sheet.points)
            moved = np.einsum("ka,kab,kb->k", sheet.states.conj(), change, sheet.states).real
            shift += float(sheet.weights @ moved)
        slopes[name] = shift / (2 * _STEP * total)
    return slopes
