"""Polarization from the grand potential of bands mixed by a static field."""

import numpy as np
import pytest

from nickbook.bands import conduction_bands, density_of_states, zone_mesh
from nickbook.pairing import bare_susceptibility, triplon_feedback

MU, T, MESH = -0.65, 0.05, 32


def polarization(model, q, temperature=T, mesh=MESH):
    """Response of the interband spin density, as `triplon_feedback` takes it."""
    chi = bare_susceptibility(model, MU, temperature=temperature, mesh=mesh, pairs=[(0, 1)])
    return chi.on(q)[..., 0, 0].real


def grand_potential(field, q):
    """-field (s_alphabeta + s_betaalpha)_z with momentum q = G/2; the cell holds k and k + q.

    For spin up the field mixes alpha and beta by -field/2; spin down differs by its sign.
    """
    model = conduction_bands()
    k = zone_mesh(MESH)
    levels = [model.hamiltonian(p)[..., i, i].real - MU for p in (k, k + q) for i in (0, 1)]
    h = np.zeros((MESH, MESH, 4, 4))
    for i, level in enumerate(levels):
        h[..., i, i] = level
    for i, j in ((0, 3), (1, 2)) if np.any(q) else ((0, 1), (2, 3)):
        h[..., i, j] = h[..., j, i] = -field / 2
    energies = np.linalg.eigvalsh(h)
    # Two spins; every k is in the sum twice.
    return -2 * T * np.log1p(np.exp(-energies / T)).sum(axis=-1).mean() / 2


@pytest.mark.parametrize("q", [(0.0, 0.0), (np.pi, np.pi), (np.pi, 0.0)])
def test_polarization_is_the_curvature_of_the_grand_potential(q):
    step = 0.02
    values = [grand_potential(x * step, np.array(q)) for x in (-2, -1, 0, 1, 2)]
    curvature = np.dot([1, -16, 30, -16, 1], values) / (12 * step**2)
    found = polarization(conduction_bands(), q)
    assert curvature == pytest.approx(float(found), rel=1e-4)


def test_equal_bands_respond_with_their_density_of_states():
    model = conduction_bands(epsilon_alpha=0.25, epsilon_beta=0.25)
    found = polarization(model, [0.0, 0.0], temperature=0.01, mesh=256)
    assert float(found) == pytest.approx(density_of_states(model, MU)[0], rel=5e-3)


def test_static_response_of_a_dimer():
    """A field h on T + T+ lowers the singlet by h**2/J_c: half of the response 2/J_c."""
    field, J_c = 1e-3, 0.3
    lowered = -np.linalg.eigvalsh([[0.0, field], [field, J_c]])[0]
    assert triplon_feedback(1.0, 1.0, J_c=J_c) == pytest.approx(2 * lowered / field**2, rel=1e-4)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="J_c"):
        triplon_feedback(0.3, 0.5, J_c=0.0)
    with pytest.raises(ValueError, match="J_H"):
        triplon_feedback(np.nan, 0.5)
    assert triplon_feedback(0.3, np.zeros((2, 3))).shape == (2, 3)
