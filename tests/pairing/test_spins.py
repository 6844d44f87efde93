"""Models that write out their spin are refused where a theory adds the other one."""

from dataclasses import replace

import numpy as np
import pytest

from nickbook.bands import FermiSea, conduction_bands, four_band
from nickbook.pairing import (
    bare_susceptibility,
    factorized_gap,
    frg_flow,
    kanamori,
    pair_scattering,
    rpa_gap,
    rpa_susceptibility,
    stoner_point,
    tj_critical_temperature,
    tj_mean_field,
    triplon_critical_temperature,
    triplon_gap,
    triplon_mean_field,
)

LK = FermiSea(replace(conduction_bands(), spin_degeneracy=1), -0.65)
BILAYER = FermiSea(replace(four_band(), spin_degeneracy=1), 10.06)
INTERACTION = kanamori(four_band().sites, U=1.0, J=0.1)


def chi0():
    return bare_susceptibility(BILAYER, temperature=0.1, mesh=32)


DOORS = {
    "triplon_gap": lambda: triplon_gap(LK, coupling=0.5),
    "factorized_gap": lambda: factorized_gap(LK, coupling=0.5),
    "triplon_critical_temperature": lambda: triplon_critical_temperature(LK, coupling=0.5),
    "triplon_mean_field": lambda: triplon_mean_field(LK, coupling=0.5, mesh=64),
    "rpa_susceptibility": lambda: rpa_susceptibility(chi0(), INTERACTION, channel="spin"),
    "stoner_point": lambda: stoner_point(chi0(), INTERACTION, channel="spin"),
    "pair_scattering": lambda: pair_scattering(BILAYER.patches(8), chi0()),
    "rpa_gap": lambda: rpa_gap(
        BILAYER, interaction=INTERACTION, temperature=0.1, mesh=32, patches=8
    ),
    "frg_flow": lambda: frg_flow(BILAYER, U=1.0, patches=8, mesh=16),
    "tj_mean_field": lambda: tj_mean_field(BILAYER.model, 3.0, J1=0.1, mesh=16),
    "tj_critical_temperature": lambda: tj_critical_temperature(BILAYER.model, 3.0, J1=0.1),
}


@pytest.mark.parametrize("door", DOORS)
def test_theories_of_two_spins_refuse_one(door):
    with pytest.raises(ValueError, match="spin_degeneracy = 1"):
        DOORS[door]()


def test_a_susceptibility_of_spinful_orbitals_is_that_of_one_spin():
    plain = FermiSea(four_band(), 10.06)
    doubled = replace(
        plain.model,
        orbitals=tuple(f"{o}{s}" for s in "↑↓" for o in plain.model.orbitals),
        hoppings=np.kron(np.eye(2), plain.model.hoppings),
        mirror=None,
        symmetries=(),
        band_names=(),
        sheet_names=(),
        positions=None,
        sites=plain.model.sites * 2,
        spin_degeneracy=1,
    )
    pairs = [(0, 0), (0, 1)]
    one = bare_susceptibility(plain, temperature=0.1, mesh=32, pairs=pairs)
    other = bare_susceptibility(FermiSea(doubled, 10.06), temperature=0.1, mesh=32, pairs=pairs)
    assert other.values == pytest.approx(one.values, abs=1e-12)
