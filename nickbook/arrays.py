"""Names of the types of numbers that the package passes around."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Integers = NDArray[np.int64]
#: An energy in eV.
Energy = Annotated[float, "eV"]
