"""GLYWH's bands and Fermi sheets by other routes."""

from dataclasses import fields, replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from nickbook.bands import (
    FermiSea,
    FourBandParameters,
    ThreeBandParameters,
    fermi_sheets,
    four_band,
    zone_mesh,
)
from nickbook.claims import measure
from nickbook.claims.glywh import bands as measures

P, LEVEL, PRINTED, PRINTED_THREE = FourBandParameters(), 10.0975, 10.0585, 10.256
SWAP = np.eye(4)[[2, 3, 0, 1]]


def wedge(size):
    """Shifted mesh on an eighth of the zone, and weights that sum to one."""
    axis = np.pi * (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(axis, axis, indexing="ij")
    weight = np.where(x < y, 2.0, 1.0)[x <= y]
    return np.stack([x, y], axis=-1)[x <= y], weight / weight.sum()


def even(k, level, first, second, third):
    """GLYWH's h11, h22, h13 and h24."""
    c = np.cos(k)
    return (
        level + 2 * first * c.sum(-1) + 4 * second * c.prod(-1) + 2 * third * np.cos(2 * k).sum(-1)
    )


def odd(k, first, third):
    """GLYWH's h12 and h14."""
    one, two = np.cos(k), np.cos(2 * k)
    return 2 * first * (one[..., 0] - one[..., 1]) + 2 * third * (two[..., 0] - two[..., 1])


def elements(k, p=P):
    """The six different matrix elements of GLYWH Eq. 10."""
    return {
        11: even(k, p.epsilon_x, p.t11_x, p.t11_xy, p.t11_xx),
        22: even(k, p.epsilon_z, p.t22_x, p.t22_xy, p.t22_xx),
        13: even(k, p.s11_0, p.s11_x, p.s11_xy, p.s11_xx),
        24: even(k, p.s22_0, p.s22_x, p.s22_xy, p.s22_xx),
        12: odd(k, p.t12_x, p.t12_xx),
        14: odd(k, p.s12_x, p.s12_xx),
    }


def block(k, parity, p=P):
    """Levels of x and z in one mirror block, and their coupling."""
    e = elements(np.asarray(k, float), p)
    return e[11] + parity * e[13], e[22] + parity * e[24], e[12] + parity * e[14]


def mixed(k, parity, upper, p=P):
    """Energy and share of x of one band of a block: with tan 2φ = 2 coupling / (x − z), cos² φ."""
    x, z, coupling = block(k, parity, p)
    sign, root = 1 if upper else -1, np.hypot((x - z) / 2, coupling)
    return (x + z) / 2 + sign * root, (1 + sign * (x - z) / (2 * root)) / 2


def full(k):
    """Energies, parities and shares of x from the full matrix, without mirror blocks."""
    e = elements(k)
    rows = ((11, 12, 13, 14), (12, 22, 14, 24), (13, 14, 11, 12), (14, 24, 12, 22))
    h = np.moveaxis([[e[name] for name in row] for row in rows], -1, 0)
    # A hair of the mirror parts states of different parity where their energies cross.
    energies, vectors = np.linalg.eigh(h + 1e-9 * SWAP)
    parity = np.einsum("kin,ij,kjn->kn", vectors, SWAP, vectors)
    assert np.abs(np.abs(parity) - 1).max() < 1e-6
    return energies, np.sign(parity), (vectors[:, [0, 2]] ** 2).sum(axis=1)


@pytest.fixture(scope="module")
def states():
    """Energies, parities, shares of x and weights on a mesh."""
    k, weight = wedge(420)
    return *full(k), weight


def broadened(states, parity, band, width=4e-3):
    """Density of states and share of x of a band of one parity, from −df/dE at a few meV."""
    energies, parities, share, weight = states
    f = expit((LEVEL - energies) / width)
    # Inside a parity the first band comes first.
    chosen = (parities == parity) & (np.cumsum(parities == parity, axis=1) == band + 1)
    delta = f * (1 - f) / width * chosen * weight[:, None]
    return delta.sum(), (delta * share).sum() / delta.sum()


def test_contents_and_densities_from_the_full_matrix(states):
    """Sums over a mesh know neither blocks nor lines; they agree within their broadening."""
    found, densities = measures.pockets(measures.at_three()), {}
    for name, parity, band in (("β", -1, 0), ("γ", 1, 0), ("α", 1, 1)):
        density, share = broadened(states, parity, band)
        sheet, densities[name] = found[name], density
        assert density == pytest.approx(sheet.density_of_states, rel=0.01)
        assert share == pytest.approx(float(sheet.average(measures.x_share(sheet))), abs=3e-3)
    odd_density, odd_share = broadened(states, -1, 0)
    minus = odd_density * (1 - odd_share)
    total = measures.at_three().density_of_states().sum()
    assert minus / total == pytest.approx(measures.eq20()["minus"], abs=2e-3)
    share = densities["γ"] / sum(densities.values())
    assert share == pytest.approx(measures.fig2c()["shares"][0], abs=3e-3)


@pytest.mark.parametrize("mu", [LEVEL, PRINTED])
def test_areas_are_the_shares_of_states_of_one_parity(states, mu):
    energies, parities, _, weight = states
    found = measures.pockets(FermiSea(four_band(), mu))
    occupied = {p: float(weight @ ((energies < mu) & (parities == p)).sum(1)) for p in (-1, 1)}
    assert 1 - found["β"].area == pytest.approx(occupied[-1], abs=1e-3)
    assert 1 - found["γ"].area + found["α"].area == pytest.approx(occupied[1], abs=1e-3)
    if mu == LEVEL:
        assert measures.fig2c()["holes"] == pytest.approx(2 * (1 - occupied[-1]), abs=2e-3)
    # γ ends where the lower even band does: at M it is empty, at Γ and X full.
    assert occupied[1] - found["α"].area < 1


def test_areas_of_the_three_band_model_count_its_states():
    k, weight = wedge(420)
    p = ThreeBandParameters()
    e = elements(k, replace(P, **{f.name: getattr(p, f.name) for f in fields(p)}))
    mu, found = PRINTED_THREE, measures.pockets(measures.refitted())
    assert 1 - found["β"].area == pytest.approx(weight @ (e[11] - e[13] < mu), abs=1e-3)
    middle, half = (e[11] + e[13] + e[22]) / 2, (e[11] + e[13] - e[22]) / 2
    root = np.hypot(half, np.sqrt(2) * e[12])
    assert found["α"].area == pytest.approx(weight @ (middle + root < mu), abs=1e-3)
    assert 1 - found["γ"].area == pytest.approx(weight @ (middle - root < mu), abs=1e-3)


def test_bonding_and_antibonding_levels_are_zone_averages():
    k = zone_mesh(16)
    found = measures.levels()
    for parity, name in ((1, "bonding"), (-1, "antibonding")):
        assert block(k, parity)[1].mean() == pytest.approx(found[name], abs=1e-12)


def test_the_same_name_is_printed_twice_in_appendix_d():
    """App. D repeats the list of Eq. 11 with the same slip; its values tell which is which."""
    appendix = {"s22_0": -0.601, "s22_x": 0.025, "s22_xy": -0.011, "first": 0.011}
    appendix |= {"t12_x": 0.250, "t12_xx": 0.035, "s12_x": -0.038, "second": -0.006}
    ours = [P.s22_0, P.s22_x, P.s22_xy, P.s22_xx, P.t12_x, P.t12_xx, P.s12_x, P.s12_xx]
    assert [np.sign(v) for v in ours] == [np.sign(v) for v in appendix.values()]
    assert measures.PRINTED_NAMES.count("s12_xx") == 2
    assert "s22_xx" not in measures.PRINTED_NAMES


@pytest.mark.parametrize(
    ("reading", "electrons", "pockets", "level", "at_three"),
    [
        ("the first is s22xx", 2.8650, 3, 10.0975, 3),
        ("exchanged", 2.7044, 4, 10.0910, 4),
        ("both 0.024", 2.7977, 3, 10.1102, 3),
        ("both −0.009", 2.7865, 4, 10.0832, 4),
        ("s22xx = 0", 2.7971, 3, 10.0903, 4),
    ],
)
def test_every_reading_counted_on_a_mesh(reading, electrons, pockets, level, at_three):
    p = replace(P, **measures.readings(0.024, -0.009)[reading])
    s22 = p.s22_xx
    k, weight = wedge(420)
    counted = np.zeros(2)
    for parity in (-1, 1):
        for upper in (False, True):
            band = mixed(k, parity, upper, p)[0]
            counted += [2 * weight @ (band < mu) for mu in (PRINTED, level)]
    assert counted == pytest.approx([electrons, 3.0], abs=2e-3)
    assert len(fermi_sheets(four_band(p), PRINTED)) == pockets
    # Three pockets at n = 3 leave 0.024 alone for s22xx; at the printed level they leave 0 too.
    assert len(fermi_sheets(four_band(p), level)) == at_three
    assert (at_three == 3) == (s22 == 0.024)
    # At M the curvature of the γ band is that of z+ alone.
    curvature = -2 * (-P.t22_x + 4 * P.t22_xx - P.s22_x + 4 * s22) - 4 * (P.t22_xy + P.s22_xy)
    assert (curvature < 0) == (s22 > 0.01)
    (found,) = (row for row in measure("GLYWH-eq11-names")["readings"] if row["words"] == reading)
    assert found["electrons"] == pytest.approx(counted[0], abs=2e-3)
    assert found["kind"] == ("maximum" if curvature < 0 else "minimum")


@pytest.mark.equation("GLYWH", 20)
def test_eq_20_needs_like_layers_and_a_real_coupling():
    """For a general Hermitian matrix z+ and z− do couple; the printed zero is a symmetry."""
    random = np.random.default_rng(2)
    h = random.normal(size=(4, 4)) + 1j * random.normal(size=(4, 4))
    h = h + h.conj().T
    u = measures.TRANSFORMATION
    assert abs((u @ h @ u.T)[3, 1] - (h[1, 1] - h[3, 3] + 2j * h[1, 3].imag) / 2) < 1e-14
    h[3, 3], h[1, 3], h[3, 1] = h[1, 1], h[1, 3].real, h[1, 3].real
    h[2, 2] = h[0, 0]
    form = measures.printed_form(h)
    assert np.allclose(u @ h @ u.T, form, atol=1e-14)
    assert np.allclose(u @ u.T, np.eye(4))


def test_minus_z_starts_above_the_level_and_pushes_beta_below_x():
    x, z, coupling = block([0.0, 0.0], -1)
    assert coupling == 0 and z > x
    bottom = min(z, block([np.pi, np.pi], -1)[1])
    assert bottom == pytest.approx(10.49, abs=1e-9)
    assert measures.levels()["bottom"] == pytest.approx(bottom, abs=1e-9)
    # Without z− X is empty, so the line would close round Γ.
    assert block([np.pi, 0.0], -1)[0] > LEVEL > mixed([np.pi, 0.0], -1, False)[0]


def test_mixing_angles_in_closed_form():
    mu = measures.at_three().mu
    on_x = brentq(lambda q: mixed([q, 0.0], 1, True)[0] - mu, 0.5, 3.0)
    lines = measures.fig2c()
    assert mixed([on_x, 0.0], 1, True)[1] == pytest.approx(lines["alpha"]["low"], abs=1e-3)
    on_mx = brentq(lambda q: mixed([np.pi, q], -1, False)[0] - mu, 0.1, 3.0)
    assert mixed([np.pi, on_mx], -1, False)[1] == pytest.approx(lines["beta"]["low"], abs=1e-3)
    # Strong: most of Γ–X is mixed, and is not once the hopping to first neighbours is gone.
    line = np.stack([np.linspace(0, np.pi, 2001)[1:], np.zeros(2000)], axis=-1)
    without = replace(P, t12_x=0.0, s12_x=0.0)
    found = measures.fig2b()
    for i, parity in enumerate((-1, 1)):
        for p, parts in ((P, found["mixed"]), (without, found["without"])):
            shares = mixed(line, parity, False, p)[1]
            assert ((shares > 0.2) & (shares < 0.8)).mean() == pytest.approx(parts[i], abs=2e-3)


def test_x_bands_on_the_diagonal_are_a_parabola_in_cos_k():
    """Their half splitting is s0 − 4 sxx + 4 sx c + (4 sxy + 8 sxx) c²."""
    c = np.linspace(-1, 1, 1001)
    half = P.s11_0 - 4 * P.s11_xx + 4 * P.s11_x * c + (4 * P.s11_xy + 8 * P.s11_xx) * c**2
    k = np.arccos(c)[:, None] * [1, 1]
    x_even, x_odd = block(k, 1)[0], block(k, -1)[0]
    assert np.allclose((x_even - x_odd) / 2, half, atol=1e-12)
    assert 2 * np.abs(half).max() == pytest.approx(measures.fig2b()["splitting"], abs=1e-3)


def test_beta_is_odd_and_lower_in_the_full_matrix():
    energies, parity, share = (found[0] for found in full(np.array([[np.pi, 0.0]])))
    # Odd x lies below z−, even x above z+.
    even_x = energies[np.argmax(np.where(parity == 1, share, 0))]
    apart, found = even_x - energies[parity == -1].min(), measures.fig2c()
    assert apart == pytest.approx(found["even"] - found["odd"], abs=1e-8)
    assert apart > 1


@pytest.mark.parametrize(("mu", "expected"), [(LEVEL, (0.203, 0.044)), (PRINTED, (0.043, 0.043))])
def test_mismatch_of_alpha_and_gamma_by_root_finding_along_rays(mu, expected):
    """At n = 3 mostly of size, at the printed level of shape alone."""

    def radius(angle, centre, upper):
        ray = np.array([np.cos(angle), np.sin(angle)])
        return brentq(lambda r: mixed(centre + r * ray, 1, upper)[0] - mu, 0.5, 2.0)

    angles = np.pi / 4 * (np.arange(12) + 0.5) / 12
    alpha = np.array([radius(angle, 0.0, True) for angle in angles])
    gamma = np.array([radius(angle, np.pi, False) for angle in angles])
    sizes = [np.sqrt((line**2).mean()) for line in (alpha, gamma)]
    apart = np.sqrt(((alpha - gamma) ** 2).mean()) / np.mean(sizes)
    scaled = np.sqrt(((alpha / sizes[0] - gamma / sizes[1]) ** 2).mean())
    assert (apart, scaled) == pytest.approx(expected, abs=1e-3)
    found = measures.mismatch_of_shapes(FermiSea(four_band(), mu))
    assert found == pytest.approx({"apart": apart, "scaled": scaled}, abs=1e-3)


def test_the_loop_at_pi_pi_is_largest_where_the_areas_agree():
    """The shapes differ there as they do at n = 3, so the size makes the nesting weak at n = 3."""
    k, weight = wedge(240)
    alpha, gamma, width = mixed(k, 1, True)[0], mixed(k + np.pi, 1, False)[0], 0.01

    def loop(mu):
        one, other = expit((mu - alpha) / width), expit((mu - gamma) / width)
        gap = alpha - gamma
        gap = np.where(np.abs(gap) < 1e-7, 1e-7, gap)
        return float(weight @ ((other - one) / gap))

    levels = np.array([10.03, 10.045, 10.0594, 10.075, LEVEL])
    heights = [loop(mu) for mu in levels]
    sheets = measures.pockets(FermiSea(four_band(), 10.0594))
    assert sheets["α"].area == pytest.approx(sheets["γ"].area, abs=1e-4)
    assert int(np.argmax(heights)) == 2
    assert heights[2] / heights[-1] == pytest.approx(1.31, abs=0.02)


def test_even_bands_of_the_two_models_on_the_diagonal():
    """There the even block is diagonal, so α's energies are two cosines sums, and differ."""
    p, mu = ThreeBandParameters(), measures.at_three().mu
    q = brentq(lambda q: block([q, q], 1)[0] - mu, 0.5, 2.0)
    k = np.array([q, q])
    three = even(k, p.epsilon_x, p.t11_x, p.t11_xy, p.t11_xx)
    three += even(k, p.s11_0, p.s11_x, p.s11_xy, p.s11_xx)
    assert 0.15 <= PRINTED_THREE - three <= measures.fig6()["worst"][0] + 1e-3


def test_gamma_ends_where_the_closed_form_says(states):
    """At M the hybridization vanishes: the maximum is h22 + h24 there."""
    top = float(block([np.pi, np.pi], 1)[1])
    assert top == pytest.approx(10.178, abs=1e-9)
    energies, _, _, weight = states
    electrons = measures.fig4d_pocket()["electrons"]
    assert 2 * float(weight @ (energies < top).sum(1)) == pytest.approx(electrons, abs=2e-3)
    assert "γ" in measures.pockets(FermiSea(four_band(), top - 1e-3))
    assert "γ" not in measures.pockets(FermiSea(four_band(), top + 1e-3))


def test_electrons_of_two_nickel_fill_the_three_bands_to_their_printed_level():
    """Oxygen balances lanthanum; the three-band model is counted on a mesh."""
    k, weight = wedge(300)
    e = elements(k, replace(P, **{f.name: getattr(ThreeBandParameters(), f.name)
                                  for f in fields(ThreeBandParameters)}))  # fmt: skip
    root = np.sqrt(2)
    odd_x, even_x = e[11] - e[13], e[11] + e[13]
    half, coupling = (even_x - e[22]) / 2, root * e[12]
    middle, width = (even_x + e[22]) / 2, np.hypot(half, coupling)
    levels = np.stack([odd_x, middle - width, middle + width])
    count = 2 * expit((PRINTED_THREE - levels) / 1e-3).sum(axis=0) @ weight
    found = measures.valence()
    assert 3 * 3 + 2 * found["charge"] == 7 * 2
    assert count == pytest.approx(found["electrons"], abs=2e-3)


def test_printed_cosines_have_the_symmetry_of_the_square():
    """h12 and h14 are odd under a quarter turn and at the diagonal, the others even."""
    k = np.random.default_rng(1).uniform(-3, 3, size=(30, 2))
    for image, sign in ((k @ [[0, 1], [-1, 0]], -1), (k[:, ::-1], -1), (k * [1, -1], 1)):
        for name, value in elements(image).items():
            kept = sign if name in (12, 14) else 1
            assert value == pytest.approx(kept * elements(k)[name], abs=1e-13)
    assert max(measures.eq10_square().values()) < 1e-12


def test_crossing_out_leaves_the_harmonics_of_eq_21():
    """Each element of Eq. 20 is fitted by the cosines of Eq. 21, and s11 then differs in sign."""
    k, _ = wedge(12)
    e, c = elements(k), np.cos(k)
    like = [np.ones(len(k)), 2 * c.sum(-1), 4 * c.prod(-1), 2 * np.cos(2 * k).sum(-1)]
    unlike = [2 * (c[:, 0] - c[:, 1]), 2 * (np.cos(2 * k[:, 0]) - np.cos(2 * k[:, 1]))]
    printed, off = ThreeBandParameters(), []
    for names, basis, value in (
        (("epsilon_x", "t11_x", "t11_xy", "t11_xx"), like, e[11]),
        (("epsilon_z", "t22_x", "t22_xy", "t22_xx"), like, e[22] + e[24]),
        (("s11_0", "s11_x", "s11_xy", "s11_xx"), like, e[13]),
        (("t12_x", "t12_xx"), unlike, (e[12] + e[14]) / np.sqrt(2)),
    ):
        fit, rest, *_ = np.linalg.lstsq(np.array(basis).T, value, rcond=None)
        assert np.abs(rest).max(initial=0.0) < 1e-20
        off += [(abs(v - getattr(printed, n)), v * getattr(printed, n) < 0, n)
                for v, n in zip(fit, names, strict=True)]  # fmt: skip
    found = measures.eq21_structure()
    assert max(off)[2] == found["largest"]
    assert {n for _, turned, n in off if turned} == set(found["turned"])


def test_what_the_slips_mean():
    """Superscripts of Eq. 10 and orbitals of the cell as our models have them."""
    slips = {row["printed"]: row["meant"] for row in measures.misprints()["slips"]}
    superscripts = {f.name.split("_")[1] for f in fields(P) if not f.name.startswith("eps")}
    assert set(slips["(m = 1, 2)"][5:-1].split(", ")) == superscripts
    assert len(four_band().orbitals) == 4
    assert slips["two-band model"] == "four-band model"
