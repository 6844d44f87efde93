"""The occupied states of a model up to one level: what every theory of pairing starts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nickbook.arrays import Energy, Floats
from nickbook.bands.bloch import DRAWN, BlochModel
from nickbook.bands.contours import mesh_lines
from nickbook.bands.fermi import FermiSheet, density_of_states, fermi_sheets, zone_picture
from nickbook.bands.fillings import chemical_potential, filling
from nickbook.bands.vanhove import VanHovePoint, van_hove_points
from nickbook.checks import real
from nickbook.results import Result
from nickbook.svg import color

if TYPE_CHECKING:
    from nickbook.bands.patches import FermiPatches


@dataclass(frozen=True)
class FermiSea(Result):
    """A model filled up to a chemical potential.

    Two seas are equal when their models have the same matrices and their levels are the same.

    Parameters
    ----------
    model : BlochModel
        The bands.
    mu : float
        Chemical potential in eV.

    Raises
    ------
    TypeError, ValueError
        If `mu` is not a finite real number.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, four_band
    >>> sea = FermiSea.at(four_band(), filling=3)
    >>> round(sea.mu, 4), len(sea.sheets)
    (10.0975, 3)
    """

    model: BlochModel
    mu: Energy

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", real("mu", self.mu, unit="eV"))

    def _words(self) -> str:
        words = f"{self.model.name!r}, mu {self.mu:.6g} eV"
        known = ", ".join(f"{s.name} {s.shape}" for s in vars(self).get("sheets", ())[:6])
        return f"{words}: {known}" if known else words

    def _picture(self) -> str:
        if self.model.dimension != 2 or len(self.model.orbitals) > DRAWN:
            return ""
        # Lines on the mesh that the exact sheets start from are enough for the eye.
        named = zip(self.model.bands, self.model.sheet_names, strict=True)
        lines = [
            (line, color(band.parity), name, 1.5)
            for band, name in named
            for line in mesh_lines(band, self.mu)
        ]
        return zone_picture(lines)

    @classmethod
    def of(cls, given: "FermiSea | BlochModel", mu: float | None = None) -> "FermiSea":
        """Return a sea that is given whole, or as a model and its level.

        Parameters
        ----------
        given : FermiSea or BlochModel
            A sea, or the bands alone.
        mu : float, optional
            Chemical potential in eV, with a model only.

        Returns
        -------
        FermiSea
            The sea.

        Raises
        ------
        TypeError
            If a model comes without its level, a sea with another one, or neither is given.
        """
        if isinstance(given, FermiSea) and mu is None:
            return given
        if isinstance(given, BlochModel) and mu is not None:
            return cls(given, mu)
        raise TypeError(
            f"got {type(given).__name__} and mu = {mu}; allowed: a FermiSea alone, or a BlochModel "
            "and its chemical potential"
        )

    @classmethod
    def at(cls, model: BlochModel, *, filling: float, temperature: float = 0.0) -> "FermiSea":
        """Fill a model with a number of electrons.

        Parameters
        ----------
        model : BlochModel
            The bands.
        filling : float
            Electrons per cell of the model, both spins.
        temperature : float, optional
            Temperature in eV at which the level gives that filling.

        Returns
        -------
        FermiSea
            The sea up to that level.

        Raises
        ------
        ValueError
            As for `chemical_potential`.
        """
        return cls(model, chemical_potential(model, filling, temperature))

    @cached_property
    def sheets(self) -> tuple[FermiSheet, ...]:
        """The Fermi sheets, as `fermi_sheets` orders them."""
        return tuple(fermi_sheets(self.model, self.mu))

    @cached_property
    def filling(self) -> float:
        """Electrons per cell at zero temperature, both spins."""
        return filling(self.model, self.mu)

    @property
    def van_hove(self) -> list[VanHovePoint]:
        """The van Hove points of the model."""
        return van_hove_points(self.model)

    def density_of_states(self, energy: float | None = None) -> Floats:
        """Density of states of each band, as `density_of_states` gives it.

        Parameters
        ----------
        energy : float, optional
            Energy in eV; the chemical potential when not given.

        Returns
        -------
        ndarray, shape (bands,)
            States/eV per spin and cell.
        """
        return density_of_states(self.model, self.mu if energy is None else energy)

    def patches(self, count: int | Sequence[int]) -> "FermiPatches":
        """Cut the Fermi sheets into patches, as `fermi_patches` does.

        Parameters
        ----------
        count : int or sequence of int
            Patches on each sheet.

        Returns
        -------
        FermiPatches
            The patches.
        """
        # Patches know their sea: their module is above this one.
        from nickbook.bands.patches import cut

        return cut(self, count)
