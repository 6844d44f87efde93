"""The table of functional renormalization group flows that is kept beside this module."""

from functools import cache
from pathlib import Path

import xarray as xr

#: The file; `make tables` writes it anew.
PATH = Path(__file__).with_name("frg.nc")


@cache
def frg_table() -> xr.Dataset:
    """Read the stored flows.

    Returns
    -------
    Dataset
        Flows along ``run``, runs of divERGe along ``referee``, versions among the attributes.
    """
    with xr.open_dataset(PATH, engine="scipy") as stored:
        return stored.load()
