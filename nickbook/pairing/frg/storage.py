"""Flows in NetCDF files, with everything that they were run with."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from nickbook.arrays import Floats
from nickbook.bands import BlochModel, Symmetry, fermi_patches
from nickbook.pairing.frg.equation import FlowEquation
from nickbook.pairing.interaction import Interaction

if TYPE_CHECKING:
    from nickbook.pairing.frg.flow import FlowResult

_CONTENT = "nickbook functional renormalization group flow"
#: Arguments of the flow equation beside its patches.
_EQUATION = ("regulator", "keep", "mesh")
#: What files up to version 0.1 call them.
_OLD_NAMES = {"regulator": "cutoff", "mesh": "resolution"}


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
    return _fields(data, path)


def _dataset(result: "FlowResult") -> xr.Dataset:
    """Everything in a result as one data set."""
    from nickbook import __version__

    model, part = result.patches.model, np.asarray(result.part)
    data = xr.Dataset(
        {
            "scale": ("step", result.scales),
            "eigenvalue": (("step", "channel"), result.eigenvalues),
            "largest": ("step", result.largest),
            "vertex_real": (("first", "second", "third", "band"), part.real),
            "point": (("patch", "axis"), result.patches.points),
            "tensor": (("a", "b", "c", "d"), result.interaction.tensor),
            "translation": (("hop", "axis"), model.translations),
            "hopping_real": (("hop", "row", "column"), model.hoppings.real),
            "hopping_imag": (("hop", "row", "column"), model.hoppings.imag),
        },
        coords={"channel": list(result.channels)},
        attrs={"content": _CONTENT, "version": __version__, "finished": int(result.finished)},
    )
    if np.iscomplexobj(part):
        data["vertex_imag"] = (("first", "second", "third", "band"), part.imag)
    if model.mirror is not None:
        data["mirror"] = (("row", "column"), np.asarray(model.mirror))
    if model.symmetries:
        orbitals = np.array([s.orbitals for s in model.symmetries])
        data["rotation"] = (
            ("symmetry", "axis", "other"),
            np.array([s.rotation for s in model.symmetries]),
        )
        data["symmetry_real"] = (("symmetry", "row", "column"), orbitals.real)
        data["symmetry_imag"] = (("symmetry", "row", "column"), orbitals.imag)
    data.attrs["step"] = result.step
    data.attrs["mu"] = result.patches.mu
    data.attrs["counts"] = [len(s.weights) for s in result.patches.sheets]
    equation = result.equation
    options = asdict(result.options) | {name: getattr(equation, name) for name in _EQUATION}
    data.attrs["options"] = json.dumps(options)
    described = {
        "name": model.name,
        "orbitals": model.orbitals,
        "band_names": model.band_names,
        "spin_degeneracy": model.spin_degeneracy,
        "sites": model.sites,
        "symmetries": [s.name for s in model.symmetries],
    }
    data.attrs["model"] = json.dumps(described, ensure_ascii=False)
    return data


def _fields(data: xr.Dataset, path: Path) -> dict[str, Any]:
    patches = fermi_patches(
        _model(data), float(data.attrs["mu"]), np.atleast_1d(data.attrs["counts"]).tolist()
    )
    if not np.allclose(patches.points, _array(data, "point"), atol=1e-9):
        raise ValueError(
            f"{path} was written by version {data.attrs['version']}, which placed patches "
            "differently; run the flow again"
        )
    options = json.loads(data.attrs["options"])
    options["keep"] = tuple(options["keep"])
    options["momenta"] = tuple(tuple(q) for q in options["momenta"])
    for name, old in _OLD_NAMES.items():
        options.setdefault(name, options.pop(old, None))
    equation = FlowEquation(patches, **{name: options.pop(name) for name in _EQUATION})
    part = _array(data, "vertex_real")
    if "vertex_imag" in data:
        part = part + 1j * _array(data, "vertex_imag")
    return {
        "equation": equation,
        "interaction": Interaction(_array(data, "tensor")),
        "options": options,
        "scales": _array(data, "scale"),
        "channels": tuple(str(c) for c in data["channel"].to_numpy()),
        "eigenvalues": _array(data, "eigenvalue"),
        "largest": _array(data, "largest"),
        "part": part,
        "step": float(data.attrs["step"]),
        "finished": bool(data.attrs["finished"]),
    }


def _array(data: xr.Dataset, name: str) -> Floats:
    # NetCDF files hold big-endian numbers, which compiled code does not take.
    return data[name].to_numpy().astype(float)


def _model(data: xr.Dataset) -> BlochModel:
    described = json.loads(data.attrs["model"])
    symmetries: list[Symmetry] = []
    if "rotation" in data:
        orbitals = _array(data, "symmetry_real") + 1j * _array(data, "symmetry_imag")
        symmetries = [
            Symmetry(name, rotation, matrix)
            for name, rotation, matrix in zip(
                described["symmetries"],
                _array(data, "rotation").astype(np.int64),
                orbitals,
                strict=True,
            )
        ]
    return BlochModel(
        name=described["name"],
        orbitals=tuple(described["orbitals"]),
        translations=_array(data, "translation").astype(np.int64),
        hoppings=_array(data, "hopping_real") + 1j * _array(data, "hopping_imag"),
        mirror=_array(data, "mirror") if "mirror" in data else None,
        band_names=tuple(described["band_names"]),
        spin_degeneracy=described["spin_degeneracy"],
        sites=tuple(described["sites"]),
        symmetries=tuple(symmetries),
    )
