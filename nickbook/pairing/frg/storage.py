"""Flows in files of version 0.1, which held a model and its level in place of the patches."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from nickbook.bands import BlochModel, Symmetry, fermi_patches
from nickbook.pairing.frg.equation import FlowEquation
from nickbook.pairing.interaction import Interaction
from nickbook.results import read_array

if TYPE_CHECKING:
    import xarray as xr

#: What those files say they hold.
CONTENT = "nickbook functional renormalization group flow"
#: Arguments of the flow equation beside its patches, and what the oldest files call them.
EQUATION = {
    "regulator": "cutoff",
    "keep": "keep",
    "mesh": "resolution",
    "projection": "projection",
}


def read(data: "xr.Dataset") -> dict[str, Any]:
    """Read the fields of a `FlowResult`, with those of its `FlowOptions` as a dictionary.

    Raises ValueError if this version places patches differently.
    """
    stored = data.attrs
    counts = np.atleast_1d(stored["counts"]).tolist()
    patches = fermi_patches(_model(data), float(stored["mu"]), counts)
    if not np.allclose(patches.points, read_array(data, "point"), atol=1e-9):
        raise ValueError(
            f"was written by version {stored['version']}, which placed patches differently; run "
            "the flow again"
        )
    options = json.loads(stored["options"])
    options["momenta"] = tuple(tuple(q) for q in options["momenta"])
    # Up to version 0.2 there was no other rule.
    options.setdefault("projection", "external")
    given = {name: options.pop(name, options.pop(old, None)) for name, old in EQUATION.items()}
    return {
        "equation": FlowEquation(patches, **given | {"keep": tuple(given["keep"])}),
        "interaction": Interaction(read_array(data, "tensor")),
        "options": options,
        "scales": read_array(data, "scale"),
        "channels": tuple(str(c) for c in data["channel"].to_numpy()),
        "eigenvalues": read_array(data, "eigenvalue"),
        "largest": read_array(data, "largest"),
        "part": read_array(data, "vertex"),
        "step": float(stored["step"]),
        "finished": bool(stored["finished"]),
    }


def _model(data: "xr.Dataset") -> BlochModel:
    words = json.loads(data.attrs["model"])
    symmetries: list[Symmetry] = []
    if "rotation" in data:
        rotations = read_array(data, "rotation")
        matrices = zip(words["symmetries"], rotations, read_array(data, "symmetry"), strict=True)
        symmetries = [Symmetry(*parts) for parts in matrices]
    words |= {key: tuple(words[key]) for key in ("orbitals", "band_names", "sites")}
    return BlochModel(
        **words | {"symmetries": tuple(symmetries)},
        translations=read_array(data, "translation"),
        hoppings=read_array(data, "hopping"),
        mirror=read_array(data, "mirror") if "mirror" in data else None,
    )
