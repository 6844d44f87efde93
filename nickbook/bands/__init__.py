"""Bloch Hamiltonians, and what follows from them alone: fillings, Fermi lines, densities."""

from nickbook.bands.fermi import (
    FermiSheet,
    density_of_states,
    fermi_sheets,
    weighted_density_of_states,
)
from nickbook.bands.filling import band_fillings, chemical_potential, filling
from nickbook.bands.lattice import (
    HIGH_SYMMETRY,
    eta_k,
    gamma_1k,
    gamma_2k,
    gamma_3k,
    zone_mesh,
    zone_path,
)
from nickbook.bands.models import BlochModel, conduction_bands
from nickbook.bands.vanhove import VanHovePoint, van_hove_points

__all__ = [
    "HIGH_SYMMETRY",
    "BlochModel",
    "FermiSheet",
    "VanHovePoint",
    "band_fillings",
    "chemical_potential",
    "conduction_bands",
    "density_of_states",
    "eta_k",
    "fermi_sheets",
    "filling",
    "gamma_1k",
    "gamma_2k",
    "gamma_3k",
    "van_hove_points",
    "weighted_density_of_states",
    "zone_mesh",
    "zone_path",
]
