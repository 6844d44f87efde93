"""The spin response against sums over pairs of bands, written out, and its resonance."""

import numpy as np
import pytest
from circles import constant
from lattices import square_lattice

from nickbook.bands import (
    FermiSea,
    bilayer_hubbard,
    conduction_bands,
    eta_k,
    four_band,
    three_band,
    zone_mesh,
)
from nickbook.observables import gap_on_sheets, spin_spectrum
from nickbook.pairing import GapFunction, bare_susceptibility, kanamori

SEA = FermiSea.at(four_band(), filling=3)
LAYERS = np.array([1, 1, -1, -1])


@pytest.mark.parametrize("q", [(np.pi, 0.0), (np.pi / 2, np.pi / 3)])
@pytest.mark.parametrize("signs", [(1, -1, 1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("parity", [1, -1])
def test_spins_absorb_by_coherence_factors(signs, q, parity):
    """Pairs of quasiparticles from the ground state, ½(1 − (ξξ′ + ΔΔ′)/EE′), band by band.

    At T = 0 no quasiparticles are there that could scatter, and for one sign of the gaps the
    factor vanishes where both are at the level.
    """
    sizes = np.array([0.02, 0.05, 0.03, 0.04]) * signs

    def gap(k):
        return np.tile(sizes, (len(k), 1)) * (1 + 0.3 * np.cos(k).sum(axis=1))[:, None]

    energies, width = np.array([0.03, 0.08]), 0.02
    found = spin_spectrum(SEA, gap=gap, q=q, energies=energies, broadening=width, mesh=24)
    k = zone_mesh(24).reshape(-1, 2)
    (xi, u), (eta, v) = (four_band().states(p) for p in (k, k + np.array(q)))
    xi, eta, d, e = xi - SEA.mu, eta - SEA.mu, gap(k), gap(k + np.array(q))
    form = LAYERS if parity == -1 else np.ones(4)
    element = np.abs(np.einsum("kam,a,kan->kmn", u.conj(), form, v)) ** 2
    first, second = np.hypot(xi, d)[:, :, None], np.hypot(eta, e)[:, None, :]
    inner = xi[:, :, None] * eta[:, None, :] + d[:, :, None] * e[:, None, :]
    factor = element * (1 - inner / (first * second)) / 2
    for energy, value in zip(energies, found.absorption(parity=parity), strict=True):
        apart = first + second
        pole = 1 / (apart - energy - 1j * width) + 1 / (apart + energy + 1j * width)
        # Half of both: a pair of quasiparticles of S_z has one of each spin.
        assert (factor * pole).sum(axis=(1, 2)).mean().imag / 2 == pytest.approx(value, rel=1e-9)


def test_spins_of_the_normal_state_are_those_of_the_bare_susceptibility():
    """The definition of the bare susceptibility of one spin, with an energy and sharp fillings."""
    q, width, energy = (np.pi, 0.0), 0.05, 0.1
    found = spin_spectrum(
        SEA, gap=lambda k: 0 * constant(k), q=q, energies=[energy], broadening=width, mesh=24
    ).bare[0]
    k = zone_mesh(24).reshape(-1, 2)
    (xi, u), (eta, v) = (
        np.linalg.eigh(four_band().hamiltonian(p).real - SEA.mu * np.eye(4)) for p in (k, k + q)
    )
    filled = (xi < 0)[:, :, None].astype(float) - (eta < 0)[:, None, :]
    factor = filled / (eta[:, None, :] - xi[:, :, None] - energy - 1j * width)
    pairs = [(a, c) for a in range(4) for c in range(4) if a // 2 == c // 2]
    rows = np.array([np.einsum("km,kn->kmn", u[:, a], v[:, c]) for a, c in pairs])
    expected = np.einsum("pkmn,kmn,rkmn->pr", rows, factor, rows) / len(k)
    # Both spins respond alike, also in pairs of unlike orbitals.
    assert np.abs(found - expected).max() < 1e-9
    swap = [pairs.index((c, a)) for a, c in pairs]
    assert np.abs(expected - expected[swap][:, swap]).max() > 1e-3


def test_static_response_without_gap_is_that_of_the_room_of_pairing():
    """At an energy of zero, where width and temperature round off the same steps a little apart."""
    sea = FermiSea(square_lattice(), 0.4)
    chi0 = bare_susceptibility(sea, temperature=0.05, mesh=64)
    found = spin_spectrum(
        sea, gap=lambda k: 0 * constant(k), q=(2.0, 0.9), energies=[0.0], broadening=0.05, mesh=256
    )
    assert found.bare[0, 0, 0].real == pytest.approx(chi0.on([2.0, 0.9])[0, 0].real, rel=0.03)


def test_a_gap_on_lines_gives_what_its_function_gives():
    """Where the gap of each band is a constant, its extension is exact."""

    def gap(k):
        return np.tile([0.05, -0.08], (len(k), 1))

    sea = FermiSea(bilayer_hubbard(1.0), 0.3)
    given = {"q": (2.5, 1.0), "energies": [0.1, 0.2], "broadening": 0.05, "mesh": 32}
    ours = spin_spectrum(sea, gap=gap_on_sheets(sea, gap=gap), **given)
    assert ours.bare == pytest.approx(spin_spectrum(sea, gap=gap, **given).bare, abs=1e-12)


def test_layers_and_bands_give_one_odd_response():
    """LK's bands without their layers, and the same bands on two layers."""
    model = conduction_bands()
    turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)  # α is odd
    layered = type(model)(
        "layers",
        ("top", "bottom"),
        model.translations,
        turn @ model.hoppings @ turn.T,
        mirror=np.array([[0.0, 1.0], [1.0, 0.0]]),
        sites=(0, 1),
    )
    given = {"q": (1.0, 2.0), "energies": [0.1], "broadening": 0.1, "mesh": 24}
    given["gap"] = lambda k: 0.05 * eta_k(k)
    for parity in (1, -1):
        one, two = (spin_spectrum(m, -0.65, **given) for m in (model, layered))
        ours = one.absorption(parity=parity)
        assert ours == pytest.approx(two.absorption(parity=parity), rel=1e-9)
    between = two.at_height([0.0, np.pi, np.pi / 2])
    even, odd = (two.absorption(parity=p) for p in (1, -1))
    assert between == pytest.approx(np.array([even, odd, (even + odd) / 2]), rel=1e-9)


def lindhard(sea, gap, q, z, mesh):
    """Response of one layer to opposite fields on both, from α to β and back, for scalar gaps."""
    k = zone_mesh(mesh).reshape(-1, 2)
    total = 0.0
    for here, there in ((0, 1), (1, 0)):
        xi = sea.model.bands[here].energy(k) - sea.mu
        eta = sea.model.bands[there].energy(k + np.array(q)) - sea.mu
        d, e = gap(k)[:, here], gap(k + np.array(q))[:, there]
        first, second = np.hypot(xi, d), np.hypot(eta, e)
        factor = (1 - (xi * eta + d * e) / (first * second)) / 2
        apart = first + second
        total = total + (factor * (1 / (apart - z) + 1 / (apart + z))).mean() / 4
    return total


SIZES = np.array([0.25, -0.25])
Q = (2.2, 2.2)


def opposite(k):
    return np.tile(SIZES, (len(k), 1))


def alike(k):
    return np.tile(np.abs(SIZES), (len(k), 1))


def resonant(gap, parity=-1, strength=0.85):
    """Spectrum and resonance of the bilayer, with U a share of the one that orders at rest."""
    sea, width = FermiSea(bilayer_hubbard(1.0), 0.3), 0.01
    energies = np.linspace(0.02, 0.6, 30)
    found = spin_spectrum(sea, gap=gap, q=Q, energies=energies, broadening=width, mesh=96)
    still = 1 / lindhard(sea, opposite, Q, 0.0, 96).real
    interaction = kanamori((0, 1), U=strength * still, J=0.0)
    return sea, found, interaction, found.resonance(interaction, parity=parity)


def test_resonance_where_the_gap_changes_sign():
    """1 = U Re χ⁰ of the odd channel, from the sum over pairs of α and β."""
    sea, found, interaction, energy = resonant(opposite)
    U = interaction.tensor[0, 0, 0, 0]
    assert found.signs[1] == -1 and found.thresholds[1] == pytest.approx(0.5, abs=1e-3)
    assert 0 < energy < found.thresholds[1]
    values = [U * lindhard(sea, opposite, Q, e + 0.01j, 96) for e in found.energies]
    assert found.strengths(interaction) == pytest.approx(values, rel=1e-9)
    real = np.real(values)
    i = int(np.flatnonzero((real[:-1] < 1) & (real[1:] >= 1))[0])
    assert found.energies[i] <= energy <= found.energies[i + 1]
    # The dressed absorption is largest there, and is that of the scalar formula.
    absorbed = found.absorption(interaction)
    assert abs(found.energies[absorbed.argmax()] - energy) < 0.03
    scalar = [2 * (v / (1 - v)).imag / U for v in values]
    assert absorbed == pytest.approx(scalar, rel=1e-8)


def test_no_resonance_where_it_does_not():
    _, found, _, energy = resonant(alike)
    assert found.signs[1] == 1 and energy is None


def test_stronger_interactions_bind_more():
    energies = [resonant(opposite, strength=s)[3] for s in (0.8, 0.9, 0.97)]
    assert energies == sorted(energies, reverse=True)
    with pytest.raises(ValueError, match=r"interaction: the spins order, with a strength of 1\."):
        resonant(opposite, strength=1.1)


def test_threshold_of_a_d_wave():
    """|Δ(k)| + |Δ(k + q)| where the line meets its image, found on a fine line by sign changes."""
    sea, q = FermiSea(square_lattice(0.0), -0.3), np.array([2.6, 2.6])
    found = spin_spectrum(
        sea, gap=lambda k: 0.1 * eta_k(k), q=tuple(q), energies=[0.1], broadening=0.05, mesh=16
    )
    (sheet,) = sea.sheets
    angle = np.linspace(0, 2 * np.pi, 20001)
    way = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    low, high = np.zeros(len(angle)), np.full(len(angle), 2.9)
    energy = sea.model.bands[0].energy
    for _ in range(50):
        middle = (low + high) / 2
        inside = energy(middle[:, None] * way) < sea.mu
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    points = low[:, None] * way
    there = energy(points + q) - sea.mu
    cross = np.flatnonzero(np.sign(there[1:]) != np.sign(there[:-1]))
    sums = 0.1 * (np.abs(eta_k(points)) + np.abs(eta_k(points + q)))[cross]
    best = sums.min()
    assert len(cross) and sheet.kind == "electron"
    assert found.thresholds[0] == pytest.approx(best, rel=0.01)


def test_errors():
    given = {"q": (1.0, 0.0), "energies": [0.1], "mesh": 8}
    found = spin_spectrum(SEA, gap=constant, **given)
    with pytest.raises(ValueError, match=r"parity = 0; allowed: 1 for even, -1 for odd"):
        found.absorption(parity=0)
    with pytest.raises(ValueError, match=r"interaction of 2 orbitals; allowed: 4"):
        found.dressed(kanamori((0, 1), U=1.0, J=0.0))
    with pytest.raises(ValueError, match=r"q has shape \(3,\)"):
        spin_spectrum(SEA, gap=constant, **given | {"q": (1.0, 0.0, 0.0)})
    with pytest.raises(ValueError, match=r"does not tell two layers apart"):
        spin_spectrum(three_band(), 10.256, gap=constant, **given).absorption()
    triplet = GapFunction(SEA.sheets, tuple(np.sin(s.points[:, 0]) for s in SEA.sheets),
                          spin="triplet")  # fmt: skip
    with pytest.raises(ValueError, match=r"gap is a triplet; allowed: singlets"):
        spin_spectrum(SEA, gap=triplet, **given)
    down = spin_spectrum(SEA, gap=constant, **given | {"energies": [0.2, 0.1]})
    with pytest.raises(ValueError, match=r"energies do not increase"):
        down.resonance(kanamori(SEA.model.sites, U=1.0, J=0.1))
