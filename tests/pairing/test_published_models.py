"""Other people's models go through the pairing theories, whatever the order of their orbitals."""

from dataclasses import fields, replace

import lattices
import numpy as np
import pytest

from nickbook.bands import FermiSea, FourBandParameters, filling, four_band
from nickbook.pairing import frg_flow, kanamori, rpa_gap


def luo():
    """Bilayer of Luo et al., Phys. Rev. Lett. 131, 126001 (2023), as quoted by others."""
    zero = {item.name: 0.0 for item in fields(FourBandParameters)}
    t = {"t11_x": -0.483, "t11_xy": 0.069, "t22_x": -0.110, "t22_xy": -0.017, "t12_x": 0.239}
    s = {"s12_x": -0.034, "s11_0": 0.005, "s22_0": -0.635, "epsilon_x": 0.776, "epsilon_z": 0.409}
    return four_band(FourBandParameters(**(zero | t | s)))


MODELS = {
    "graphene": (lambda: replace(lattices.graphene(), sites=(0, 1)), 2.4),
    "pnictide": (lambda: replace(lattices.pnictide(), sites=(0, 0)), 2.1),
    "ruthenate": (lambda: replace(lattices.ruthenate(), sites=(0, 0, 0)), 4.0),
    "Luo's bilayer": (luo, 3.0),
}


def reordered(model):
    """The same model with its orbitals in reverse order."""
    return replace(
        model,
        orbitals=model.orbitals[::-1],
        hoppings=model.hoppings[:, ::-1, ::-1],
        sites=model.sites[::-1],
        mirror=None if model.mirror is None else model.mirror[::-1, ::-1],
        symmetries=tuple(replace(g, orbitals=g.orbitals[::-1, ::-1]) for g in model.symmetries),
        positions=None,
        band_names=(),
        sheet_names=(),
    )


def interaction(model):
    width = model.state_count.width
    return kanamori(model.sites, U=0.1 * width, J=0.01 * width)


@pytest.mark.parametrize("name", MODELS)
def test_gaps_and_flows_do_not_know_the_order_of_orbitals(name):
    make, electrons = MODELS[name]
    gaps, flows = [], []
    for model in (make(), reordered(make())):
        sea, given = FermiSea.at(model, filling=electrons), interaction(model)
        width = model.state_count.width
        states = rpa_gap(sea, interaction=given, temperature=0.03 * width, mesh=32, patches=8)
        gaps.append({state.gap.channel: state.eigenvalue for state in states})
        start, stop = 0.1 * width, 0.01 * width
        flows.append(frg_flow(sea, interaction=given, patches=8, mesh=24, start=start, stop=stop))
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-6)
    assert flows[0].channels == flows[1].channels
    assert np.abs(flows[0].eigenvalues[-1]).max() > 0.01
    assert flows[0].eigenvalues[-1] == pytest.approx(flows[1].eigenvalues[-1], abs=1e-5)


def test_the_level_of_luos_bands_is_where_three_electrons_are():
    assert filling(luo(), 0.0) == pytest.approx(2.996, abs=5e-4)
