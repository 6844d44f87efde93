"""One instance of each public class, built once on cheap meshes when it is asked for."""

from functools import cache

import numpy as np

from nickbook.bands import (
    EightBandParameters,
    FermiSea,
    FourBandParameters,
    ThreeBandParameters,
    conduction_bands,
    eight_band,
    eta_k,
    four_band,
)
from nickbook.book import Choice, Curve, Drawing, Formula, Image, Panel, Slider, verdicts
from nickbook.book.explore import Explorer, StillExplorer
from nickbook.claims import DisagreementError, ledger
from nickbook.claims.glywh import diverge_flows, patch_flows
from nickbook.crystal import crystal_states, octahedron, structure
from nickbook.dimers import (
    HubbardDimer,
    band_spins,
    exact_couplings,
    exact_triplons,
    hybridization_from_bands,
    kondo_couplings,
    self_energies,
    spectral_poles,
)
from nickbook.observables import (
    impurity_scattering,
    mirror_parities,
    photoemission_gap,
    spin_spectrum,
    tunnelling,
    weak_coupling,
)
from nickbook.pairing import (
    PairAmplitudes,
    ProjectedTJModel,
    TJModel,
    TriplonParameters,
    Vertex,
    bare_susceptibility,
    frg_flow,
    gutzwiller_factors,
    kanamori,
    linearized_gap,
    nesting,
    pair_scattering,
    retarded_pairing,
    stoner_point,
    triplon_mean_field,
    triplon_polarization,
)
from nickbook.pairing.frg import Responses, two_sheet_flow
from nickbook.papers import GLYWH, LK
from nickbook.plot import MomentumPath
from nickbook.report import QUALITIES, compare

IDS = ["LK-exchange-value", "LK-exchange-formula", "LK-inplane-exchange"]
BONDS = {"J1": 0.15, "J2": 0.075, "J1_inter": 0.03, "J2_inter": 0.375}
DEEP = HubbardDimer(level=-1.0)


@cache
def sea():
    filled = FermiSea(four_band(), 10.0585)
    assert filled.sheets
    return filled


@cache
def interaction():
    return kanamori(sea().model.sites, U=1.0, J=0.1)


@cache
def chi0():
    return bare_susceptibility(sea(), temperature=0.05, mesh=32)


@cache
def scattering():
    return pair_scattering(sea().patches(8), chi0())


@cache
def state():
    return linearized_gap(scattering(), interaction())[0]


@cache
def flow():
    return frg_flow(sea(), interaction=interaction(), patches=8, mesh=32, stop=0.5)


@cache
def solution():
    return TJModel(sea(), **BONDS).solve(mesh=64)


@cache
def projected():
    return ProjectedTJModel(sea(), **BONDS).solve(mesh=32, temperature=0.01, channel="s")


def complex_pairs():
    s, d = (np.full((2, 2), number) for number in (0.01 + 0j, 0.01j))
    start = PairAmplitudes(s=s, d=d, interlayer=np.full(2, 0.02 + 0j))
    return TJModel(sea(), **BONDS).solve(mesh=16, channel="full", start=start)


def curve():
    return Curve("a", np.linspace(0, 1, 50), np.linspace(0, 1, 50))


def image():
    return Image(np.zeros((20, 20)), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0))


def drawing():
    unit = (0.0, 1.0)
    return Drawing((Panel("b", "x", "y", unit, unit, (curve(),), (image(),)),), {"c": "1"})


def slider():
    return Slider("x", "x", (0.0, 1.0), 0.0)


def responses():
    found = Responses(momenta=((0.0, 0.0),))
    found(flow())
    return found


def opposite(k):
    """Gaps of two sheets with one sign each."""
    return np.tile([0.02, -0.01], (len(k), 1))


@cache
def report():
    steps = ("spectrum", "response", "pairing")
    return compare(four_band(), filling=3, quality="fast", temperature=0.06, only=steps)


def two_bands():
    return FermiSea(conduction_bands(), -0.65)


def spectrum():
    given = {"energies": [0.02, 0.05], "broadening": 0.02, "mesh": 16}
    return spin_spectrum(sea(), gap=solution().gap_matrix, q=(np.pi, 0.0), **given)


def retarded():
    return retarded_pairing(two_bands(), coupling=0.5, kappa=0.75)


MAKERS = {
    "Band": lambda: sea().model.bands[0],
    "BandSpins": band_spins,
    "BlochModel": lambda: sea().model,
    "Choice": lambda: Choice("y", "y", ("a", "b"), "a"),
    "Claim": lambda: ledger(IDS)[0],
    "Curve": curve,
    "DisagreementError": lambda: DisagreementError("two routes disagree"),
    "Drawing": drawing,
    "EightBandParameters": EightBandParameters,
    "ExactCouplings": lambda: exact_couplings(DEEP, 0.1),
    "ExactTriplons": exact_triplons,
    "Explorer": lambda: Explorer(lambda **_: drawing(), [slider()], {}),
    "FermiPatches": lambda: scattering().patches,
    "FermiSea": sea,
    "FermiSheet": lambda: sea().sheets[0],
    "FlowEquation": lambda: flow().equation,
    "FlowMode": lambda: flow().pairing()[0],
    "FlowOptions": lambda: flow().options,
    "FlowResult": flow,
    "Formula": lambda: Formula("y = a * x", {"x": [0.0, 1.0]}),
    "FourBandParameters": FourBandParameters,
    "GapFunction": lambda: state().gap,
    "GutzwillerFactors": lambda: gutzwiller_factors([0.6, 0.9]),
    "GuLeYangWuHu": lambda: GLYWH,
    "HubbardDimer": HubbardDimer,
    "Hybridization": lambda: hybridization_from_bands(LK.epsilon_alpha, LK.epsilon_beta),
    "Image": image,
    "ImpurityScattering": lambda: impurity_scattering(two_bands(), gap=opposite, strength=0.5),
    "Interaction": interaction,
    "KondoCouplings": lambda: kondo_couplings(t_xz=0.2, E_a=0.5),
    "LiuKhaliullin": lambda: LK,
    "MirrorParities": lambda: mirror_parities(sea()),
    "MomentumPath": lambda: MomentumPath.through("ΓXM", 21),
    "Octahedron": lambda: octahedron(structure("pressure")),
    "Nesting": lambda: nesting(chi0(), [[0.0, 0.0], [np.pi, 0.0]]),
    "PairAmplitudes": lambda: solution().amplitudes,
    "PairScattering": scattering,
    "Pairing": lambda: report().pairing[1],
    "PairingState": state,
    "Panel": lambda: drawing().panels[0],
    "ProjectedStates": lambda: crystal_states("pressure").keep("t z²"),
    "ProjectedTJModel": lambda: projected().bonds,
    "PhotoemissionGap": lambda: photoemission_gap(sea(), gap=eta_k),
    "Pole": lambda: spectral_poles(DEEP, "b")[0],
    "SelfEnergies": lambda: self_energies(t_xz=0.2, E_a=0.5),
    "Slider": slider,
    "SpinSpectrum": spectrum,
    "StateCount": lambda: sea().model.state_count,
    "Quality": lambda: QUALITIES["fast"],
    "Report": report,
    "Response": lambda: report().response,
    "Responses": responses,
    "Spectrum": lambda: report().spectrum,
    "RetardedGap": lambda: retarded().gap(temperature=0.01),
    "RetardedPairing": retarded,
    "StillExplorer": lambda: StillExplorer({"x": 0.5}, {}, b"", {}),
    "StonerPoint": lambda: stoner_point(chi0(), interaction()),
    "StoredFlow": lambda: patch_flows()["main"],
    "Susceptibility": chi0,
    "Symmetry": lambda: sea().model.symmetries[1],
    "TJModel": lambda: solution().bonds,
    "TJSolution": solution,
    "ThreeBandParameters": ThreeBandParameters,
    "TriplonMeanField": lambda: triplon_mean_field(sea(), coupling=0.5, kappa=0.75, mesh=100),
    "TriplonPolarization": lambda: triplon_polarization(
        two_bands(), q=[[0.0, 0.0], [3.0, 3.0]], kappa=0.75, mesh=16
    ),
    "TriplonParameters": lambda: TriplonParameters(0.5, (0.75, 0.5)),
    "TwoSheetFlow": lambda: two_sheet_flow(within=0.3, between=0.2, mismatch=0.1, points=21),
    "TunnellingSpectrum": lambda: tunnelling(two_bands(), gap=opposite, broadening=1e-3),
    "VanHovePoint": lambda: sea().van_hove[0],
    "Verdicts": lambda: verdicts(IDS),
    "Vertex": lambda: Vertex(flow().equation, flow().part),
    "WeakCoupling": lambda: weak_coupling(two_bands(), gap=opposite, temperatures=[0.0, 0.5]),
}
#: Instances that differ in what they hold.
OTHERS = {
    "complex pairs": complex_pairs,
    "never orders": lambda: stoner_point(chi0(), kanamori((0, 0, 1, 1), U=0.0, J=0.0)),
    "normal state": lambda: TJModel(sea(), J1=0.01).solve(temperature=0.1, mesh=16),
    "no double occupancy": projected,
    "referee": lambda: diverge_flows()["U 5.0"],
    "spin wave": lambda: flow().density_wave("spin", (np.pi, np.pi))[0],
    "three dimensions": eight_band,
}


@cache
def instance(name):
    """An instance by the name of its class, or by that of one of the others."""
    return (MAKERS | OTHERS)[name]()
