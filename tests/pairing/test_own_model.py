"""Models read from Wannier90 files go through every theory as the built-in ones do."""

import numpy as np
import pytest

from nickbook.bands import fermi_sheets, four_band, read_wannier90, write_wannier90
from nickbook.pairing import (
    bare_susceptibility,
    fermi_patches,
    frg_flow,
    kanamori,
    linearized_gap,
    pair_scattering,
    tj_mean_field,
)

BUILT_IN, MU = four_band(), 10.0975
SITES = (0, 0, 1, 1)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("own") / "nickelate_hr.dat"
    write_wannier90(BUILT_IN, file)
    return file


@pytest.fixture(scope="module")
def model(path):
    told = {"mirror": BUILT_IN.mirror, "symmetries": BUILT_IN.symmetries}
    return read_wannier90(path, sites=SITES, **told)


def leading_gap(model):
    chi0 = bare_susceptibility(model, MU, temperature=0.05, mesh=32)
    scattering = pair_scattering(fermi_patches(model, MU, 16), chi0)
    return chi0, linearized_gap(scattering, kanamori(SITES, 1.0, 0.1))[0]


def test_susceptibility_and_gap_equation(model):
    (chi0, state), (expected_chi0, expected) = map(leading_gap, (model, BUILT_IN))
    assert np.abs(chi0.values - expected_chi0.values).max() < 1e-10
    assert state.gap.channel == expected.gap.channel
    assert state.eigenvalue == pytest.approx(expected.eigenvalue, rel=1e-8)


def test_flow(model):
    given = {"U": 5.0, "patches": 8, "mesh": 32, "start": 1.0, "stop": 0.5}
    flow, expected = (frg_flow(m, MU, **given) for m in (model, BUILT_IN))
    assert flow.channels == expected.channels and len(flow.scales) > 3
    assert flow.eigenvalues == pytest.approx(expected.eigenvalues, abs=1e-6)


def test_mean_field(model):
    exchange = {"J1": 0.15, "J2": 0.075, "J1_inter": 0.03, "J2_inter": 0.375}
    gaps, expected = (
        tj_mean_field(m, 3, **exchange, mesh=64, temperature=2e-3).gaps for m in (model, BUILT_IN)
    )
    assert gaps == pytest.approx(expected, abs=1e-9)


def test_a_file_alone_needs_no_more_than_sites(path):
    bare = read_wannier90(path, sites=SITES)
    assert bare.parity == (0, 0, 0, 0) and not bare.symmetries
    values = bare_susceptibility(bare, MU, temperature=0.05, mesh=32).values
    assert (
        np.abs(values - bare_susceptibility(BUILT_IN, MU, temperature=0.05, mesh=32).values).max()
        < 1e-10
    )
    # Bands in order of energy: other names for the same sheets, and the same first vertex.
    areas = sorted(s.area for s in fermi_sheets(bare, MU))
    assert areas == pytest.approx(sorted(s.area for s in fermi_sheets(BUILT_IN, MU)), abs=1e-9)
    flow = frg_flow(bare, MU, U=5.0, patches=8, start=0.5, stop=0.4, keep=())
    assert np.abs(flow.vertex).max() == pytest.approx(2.5, abs=1e-9)
