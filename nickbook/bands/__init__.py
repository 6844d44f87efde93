"""Bloch Hamiltonians, and what follows from them alone: fillings, Fermi lines, densities."""

from nickbook.bands.band import Band
from nickbook.bands.bloch import BlochModel
from nickbook.bands.counting import StateCount
from nickbook.bands.fermi import (
    FermiSheet,
    density_of_states,
    fermi_sheets,
    weighted_density_of_states,
)
from nickbook.bands.fillings import band_fillings, chemical_potential, filling
from nickbook.bands.hoppings import read_hoppings
from nickbook.bands.lattice import HIGH_SYMMETRY, eta_k, zone_mesh, zone_path
from nickbook.bands.models import (
    EightBandParameters,
    FourBandParameters,
    ThreeBandParameters,
    bilayer_hubbard,
    bilayer_plane,
    conduction_bands,
    distorted,
    eight_band,
    four_band,
    three_band,
)
from nickbook.bands.patches import FermiPatches, fermi_patches
from nickbook.bands.recognition import recognized
from nickbook.bands.sea import FermiSea
from nickbook.bands.sensitivity import chemical_potential_slopes
from nickbook.bands.symmetry import (
    LITTLE_GROUP_CHARACTERS,
    SQUARE_CHARACTERS,
    SQUARE_ELEMENTS,
    Symmetry,
    square_group,
)
from nickbook.bands.vanhove import VanHovePoint, van_hove_points
from nickbook.bands.wannier import read_wannier90, write_wannier90

__all__ = [
    "HIGH_SYMMETRY",
    "LITTLE_GROUP_CHARACTERS",
    "SQUARE_CHARACTERS",
    "SQUARE_ELEMENTS",
    "Band",
    "BlochModel",
    "EightBandParameters",
    "FermiPatches",
    "FermiSea",
    "FermiSheet",
    "FourBandParameters",
    "StateCount",
    "Symmetry",
    "ThreeBandParameters",
    "VanHovePoint",
    "band_fillings",
    "bilayer_hubbard",
    "bilayer_plane",
    "chemical_potential",
    "chemical_potential_slopes",
    "conduction_bands",
    "density_of_states",
    "distorted",
    "eight_band",
    "eta_k",
    "fermi_patches",
    "fermi_sheets",
    "filling",
    "four_band",
    "read_hoppings",
    "read_wannier90",
    "recognized",
    "square_group",
    "three_band",
    "van_hove_points",
    "weighted_density_of_states",
    "write_wannier90",
    "zone_mesh",
    "zone_path",
]
