"""Flows in NetCDF files, with everything that they were run with."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, Symmetry, fermi_patches
from nickbook.pairing.frg.equation import FlowEquation, Numbers
from nickbook.pairing.interaction import Interaction

if TYPE_CHECKING:
    from nickbook.pairing.frg.flow import FlowResult

_CONTENT = "nickbook functional renormalization group flow"
#: Arguments of the flow equation beside its patches.
EQUATION = ("regulator", "keep", "mesh", "projection")
#: What files up to version 0.1 call them.
_OLD_NAMES = {"regulator": "cutoff", "mesh": "resolution"}
#: What a model is made from beside its matrices.
_WORDS = ("name", "orbitals", "band_names", "spin_degeneracy", "sites")


def write(result: "FlowResult", path: Path) -> None:
    """Write a result; the file appears at once when it is complete."""
    draft = path.with_name(path.name + ".partial")
    _dataset(result).to_netcdf(draft, engine="scipy")
    draft.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Read the fields of a `FlowResult`, with those of its `FlowOptions` as a dictionary."""
    try:
        with xr.open_dataset(path, engine="scipy") as data:
            data = data.load()
    except FileNotFoundError:
        raise
    except Exception as error:
        # A file cut short makes scipy raise whatever its reader meets first.
        raise ValueError(f"{path} is damaged or no NetCDF file; delete it") from error
    if data.attrs.get("content") != _CONTENT:
        raise ValueError(f"{path} holds no flow; give a file that FlowResult.save wrote")
    stored = data.attrs
    counts = np.atleast_1d(stored["counts"]).tolist()
    patches = fermi_patches(_model(data), float(stored["mu"]), counts)
    if not np.allclose(patches.points, _array(data, "point"), atol=1e-9):
        raise ValueError(
            f"{path} was written by version {stored['version']}, which placed patches "
            "differently; run the flow again"
        )
    options = json.loads(stored["options"])
    options["keep"] = tuple(options["keep"])
    options["momenta"] = tuple(tuple(q) for q in options["momenta"])
    for name, old in _OLD_NAMES.items():
        options.setdefault(name, options.pop(old, None))
    # Up to version 0.2 there was no other rule.
    options.setdefault("projection", "external")
    return {
        "equation": FlowEquation(patches, **{name: options.pop(name) for name in EQUATION}),
        "interaction": Interaction(_array(data, "tensor")),
        "options": options,
        "scales": _array(data, "scale"),
        "channels": tuple(str(c) for c in data["channel"].to_numpy()),
        "eigenvalues": _array(data, "eigenvalue"),
        "largest": _array(data, "largest"),
        "part": _get(data, "vertex"),
        "step": float(stored["step"]),
        "finished": bool(stored["finished"]),
    }


def _dataset(result: "FlowResult") -> xr.Dataset:
    """Everything in a result as one data set."""
    from nickbook import __version__

    model, patches = result.patches.model, result.patches
    equation = {name: getattr(result.equation, name) for name in EQUATION}
    words = {name: getattr(model, name) for name in _WORDS}
    words["symmetries"] = [s.name for s in model.symmetries]
    data = xr.Dataset(
        {
            "scale": ("step", result.scales),
            "eigenvalue": (("step", "channel"), result.eigenvalues),
            "largest": ("step", result.largest),
            "point": (("patch", "axis"), patches.points),
            "tensor": (("a", "b", "c", "d"), result.interaction.tensor),
            "translation": (("hop", "axis"), model.translations),
        },
        coords={"channel": list(result.channels)},
        attrs={
            "content": _CONTENT,
            "version": __version__,
            "finished": int(result.finished),
            "step": result.step,
            "mu": patches.mu,
            "counts": [len(s.weights) for s in patches.sheets],
            "options": json.dumps(asdict(result.options) | equation),
            "model": json.dumps(words, ensure_ascii=False),
        },
    )
    _put(data, "vertex", ("first", "second", "third", "band"), result.part)
    _put(data, "hopping", ("hop", "row", "column"), model.hoppings)
    if model.mirror is not None:
        data["mirror"] = (("row", "column"), np.asarray(model.mirror))
    if model.symmetries:
        rotations = np.array([s.rotation for s in model.symmetries])
        data["rotation"] = (("symmetry", "axis", "other"), rotations)
        orbitals = [s.orbitals for s in model.symmetries]
        _put(data, "symmetry", ("symmetry", "row", "column"), orbitals)
    return data


def _put(data: xr.Dataset, name: str, axes: tuple[str, ...], values: ArrayLike) -> None:
    """Store what may be complex: NetCDF files hold real numbers only."""
    array = np.asarray(values)
    data[f"{name}_real"] = (axes, array.real)
    if np.iscomplexobj(array):
        data[f"{name}_imag"] = (axes, array.imag)


def _get(data: xr.Dataset, name: str) -> Numbers:
    """Return what `_put` stored."""
    values = _array(data, f"{name}_real")
    return values + 1j * _array(data, f"{name}_imag") if f"{name}_imag" in data else values


def _array(data: xr.Dataset, name: str) -> Floats:
    # NetCDF files hold big-endian numbers, which compiled code does not take.
    return data[name].to_numpy().astype(float)


def _model(data: xr.Dataset) -> BlochModel:
    words = json.loads(data.attrs["model"])
    symmetries: list[Symmetry] = []
    if "rotation" in data:
        rotations = _array(data, "rotation").astype(np.int64)
        matrices = zip(words["symmetries"], rotations, _get(data, "symmetry"), strict=True)
        symmetries = [Symmetry(*parts) for parts in matrices]
    words |= {key: tuple(words[key]) for key in ("orbitals", "band_names", "sites")}
    return BlochModel(
        **words | {"symmetries": tuple(symmetries)},
        translations=_array(data, "translation").astype(np.int64),
        hoppings=_get(data, "hopping"),
        mirror=_array(data, "mirror") if "mirror" in data else None,
    )
