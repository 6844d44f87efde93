"""Wannier functions projected from first-principles states, and their model on planes of kz."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import numpy as np

from nickbook.arrays import Complexes, Floats, Integers
from nickbook.bands.bloch import BlochModel
from nickbook.bands.models import four_band
from nickbook.bands.symmetry import Symmetry, square_group
from nickbook.checks import real
from nickbook.crystal.states import ProjectedStates, crystal_states

#: Copies of the mesh's supercell, in each direction, that may hold the nearest image of an orbital.
_COPIES = 2
#: Distances in Å up to which images count as equally near.
_EQUAL = 1e-3
#: Vectors (½, ½, ½), in units of the tetragonal cell, and the two in the plane.
_CENTRED = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]])
#: What the e_g orbitals of a bilayer do under the mirror and the turns of the square.
_BILAYER = four_band()


def wannier_functions(
    states: ProjectedStates,
    *,
    frozen: tuple[float, float] | None = None,
    window: tuple[float, float] = (-np.inf, np.inf),
    name: str | None = None,
) -> BlochModel:
    r"""Hoppings between Wannier functions that are projected from atomic orbitals.

    At each momentum the states of the window span a space.  Its part that resembles the orbitals
    most is kept, with every frozen state in it (Souza, Marzari and Vanderbilt, 2001), and rotated
    to be as close to the orbitals as an orthonormal set can be (Löwdin).  The Fourier transform of
    the Hamiltonian gives the hoppings, each to the nearest image of its orbital.

    Parameters
    ----------
    states : ProjectedStates
        On a mesh, with the orbitals wanted; see `ProjectedStates.keep`.
    frozen : tuple of float, optional
        Energies in eV between which every state is kept as it is.
    window : tuple of float, optional
        Energies in eV between which states take part at all.
    name : str, optional
        Name of the model; that of the states when not given.

    Returns
    -------
    BlochModel
        Three-dimensional, in units of the cell's primitive vectors.

    Raises
    ------
    ValueError
        If a momentum has fewer states in the window, or more frozen ones, than orbitals.

    Notes
    -----
    O(nk bands³); 320 momenta with 31 bands take a tenth of a second.  No iteration: spreads are
    not minimized, which symmetric orbitals on atoms hardly need.

    Examples
    --------
    Projecting the states of a model on its own orbitals gives the model back:

    >>> import numpy as np
    >>> from nickbook.bands import BlochModel
    >>> from nickbook.crystal import ProjectedStates, wannier_functions
    >>> chain = BlochModel("chain", ("s",), [(1, 0, 0), (-1, 0, 0)], [[[-0.5]]] * 2)
    >>> k = np.array([[i / 4, 0, 0] for i in range(4)])
    >>> states = ProjectedStates(
    ...     "chain", ("s",), (0,), np.zeros((1, 3)), np.eye(3), (4, 1, 1), k,
    ...     chain.energies(2 * np.pi * k), np.ones((4, 1, 1), complex))
    >>> found = wannier_functions(states)
    >>> float(abs(found.energies([0.7, 0, 0]) - chain.energies([0.7, 0, 0])).max().round(12))
    0.0
    """
    states = states.on_mesh()
    low, high = (real(f"window[{i}]", e) if np.isfinite(e) else e for i, e in enumerate(window))
    size = len(states.orbitals)
    inside = (states.energies >= low) & (states.energies <= high)
    kept = np.zeros_like(inside)
    if frozen is not None:
        bottom, top = (real(f"frozen[{i}]", e, unit="eV") for i, e in enumerate(frozen))
        kept = inside & (states.energies >= bottom) & (states.energies <= top)
    few, many = inside.sum(axis=1).min(), kept.sum(axis=1).max()
    if few < size:
        raise ValueError(f"window = {window} holds {few} states at a momentum; give {size} or more")
    if many > size:
        raise ValueError(
            f"frozen = {frozen} holds {many} states at a momentum; give at most {size}"
        )
    hamiltonians = np.array(
        [
            _downfolded(e[i], a[i], f[i])
            for e, a, i, f in zip(states.energies, states.overlaps, inside, kept, strict=True)
        ]
    )
    translations, hoppings = _hoppings(states, hamiltonians)
    return BlochModel(
        name=name or states.name,
        orbitals=states.orbitals,
        translations=translations,
        hoppings=hoppings,
        sites=states.sites,
        positions=states.positions @ np.linalg.inv(states.cell),
    )


def _downfolded(energies: Floats, overlaps: Complexes, frozen: np.ndarray) -> Complexes:
    """Hamiltonian between the Wannier functions at one momentum."""
    size = overlaps.shape[1]
    space = _orthonormal(overlaps)
    if frozen.any():
        rest = np.flatnonzero(~frozen)
        kept = np.eye(len(energies))[:, frozen]
        best = np.zeros((len(energies), size - kept.shape[1]), complex)
        best[rest] = np.linalg.svd(space[rest], full_matrices=False)[0][:, : best.shape[1]]
        space = np.concatenate([kept, best], axis=1)
    rotation = space @ _orthonormal(space.conj().T @ overlaps)
    matrix: Complexes = rotation.conj().T @ (energies[:, None] * rotation)
    return (matrix + matrix.conj().T) / 2


def _orthonormal(columns: Complexes) -> Complexes:
    """Return the orthonormal columns that are nearest to the given ones (Löwdin)."""
    left, _, right = np.linalg.svd(columns, full_matrices=False)
    nearest: Complexes = left @ right
    return nearest


def _hoppings(states: ProjectedStates, hamiltonians: Complexes) -> tuple[Integers, Complexes]:
    """Fourier transform to lattice vectors, and move each hop to the nearest images."""
    mesh = np.array(states.mesh)
    size = hamiltonians.shape[-1]
    on_mesh = hamiltonians.reshape(*states.mesh, size, size)
    hops = np.fft.fftn(on_mesh, axes=(0, 1, 2)).reshape(-1, size, size) / mesh.prod()
    home = np.array(list(np.ndindex(*states.mesh)))
    copies = np.array(list(product(range(-_COPIES, _COPIES + 1), repeat=3))) * mesh
    images = home[:, None] + copies
    between = states.positions[None] - states.positions[:, None]
    ways = (images @ states.cell)[:, :, None, None] + between
    distances = np.linalg.norm(ways, axis=-1)
    nearest = distances < distances.min(axis=1, keepdims=True) + _EQUAL
    shared = nearest * (hops / nearest.sum(axis=1))[:, None]
    used = nearest.any(axis=(2, 3))
    translations, where = np.unique(images[used], axis=0, return_inverse=True)
    hoppings = np.zeros((len(translations), size, size), complex)
    np.add.at(hoppings, where.ravel(), shared[used])
    return translations, hoppings


def tetragonal_group() -> tuple[Symmetry, ...]:
    """Point group D4h of the body-centred crystal, on the orbitals of `four_band`.

    The primitive vectors are (a, 0, 0), (0, a, 0) and (a, a, c)/2; all elements leave the inner
    apical oxygen where it is.

    Returns
    -------
    tuple of Symmetry
        The eight elements of the square, then each followed by the mirror between the layers.

    Examples
    --------
    >>> from nickbook.crystal import tetragonal_group
    >>> [element.name for element in tetragonal_group()[7:10]]
    ['σd′', 'σz E', 'σz C4']
    """
    swap = np.asarray(_BILAYER.mirror)
    group = []
    for element in _BILAYER.symmetries:
        for height, orbitals in ((1, element.orbitals), (-1, swap @ element.orbitals)):
            turn = np.zeros((3, 3))
            turn[:2, :2], turn[2, 2] = element.rotation, height
            lattice = np.linalg.inv(_CENTRED).T @ turn @ _CENTRED.T
            name = element.name if height == 1 else f"σz {element.name}"
            group.append(Symmetry(name, lattice.round().astype(np.int64), orbitals))
    group.sort(key=lambda s: s.name.startswith("σz"))
    return tuple(group)


def symmetrized(model: BlochModel, symmetries: Iterable[Symmetry]) -> tuple[BlochModel, float]:
    """Average a model over a group that a calculation has broken a little.

    Parameters
    ----------
    model : BlochModel
        Any model.
    symmetries : iterable of Symmetry
        A whole group.

    Returns
    -------
    model : BlochModel
        The average, with the group.
    change : float
        Largest change of a matrix element, in eV.

    Examples
    --------
    Hops along x and y that differ by a little become equal:

    >>> from nickbook.bands import BlochModel, square_group
    >>> from nickbook.crystal import symmetrized
    >>> steps = [(1, 0), (-1, 0), (0, 1), (0, -1)]
    >>> model = BlochModel("s", ("s",), steps, [[[-1.0]], [[-1.0]], [[-0.9]], [[-0.9]]])
    >>> made, change = symmetrized(model, square_group([[1.0]], [[1.0]]))
    >>> [float(t.real.round(2)) for t in made.hoppings.ravel()], round(change, 2)
    ([-0.95, -0.95, -0.95, -0.95], 0.05)
    """
    symmetries = tuple(symmetries)
    turned = [model.translations @ s.rotation.T for s in symmetries]
    translations, where = np.unique(np.concatenate(turned), axis=0, return_inverse=True)
    hoppings = np.zeros((len(translations), *model.hoppings.shape[1:]), complex)
    parts = [s.orbitals @ model.hoppings @ s.orbitals.conj().T for s in symmetries]
    np.add.at(hoppings, where.ravel(), np.concatenate(parts) / len(symmetries))
    known = {tuple(r): t for r, t in zip(model.translations.tolist(), model.hoppings, strict=True)}
    change = max(
        np.abs(t - known.get(tuple(r), 0)).max()
        for r, t in zip(translations.tolist(), hoppings, strict=True)
    )
    made = replace(model, translations=translations, hoppings=hoppings, symmetries=symmetries)
    return made, float(change)


def bilayer(model: BlochModel) -> BlochModel:
    """Keep the hops within one bilayer: a four-band model on the square lattice of Ni.

    In the crystal's primitive vectors these are exactly the hops with R3 = 0.

    Parameters
    ----------
    model : BlochModel
        Three-dimensional, with the orbitals of `four_band`.

    Returns
    -------
    BlochModel
        With the mirror, and with the group of the square if the model has that of the crystal.

    Raises
    ------
    ValueError
        If the model has other orbitals or no third dimension.

    Examples
    --------
    A bilayer is what all heights share:

    >>> import numpy as np
    >>> from nickbook.crystal import bilayer, crystal_model
    >>> model = crystal_model("pressure")
    >>> heights = [[0.3, 0.2, kz] for kz in np.arange(8) * np.pi / 4]
    >>> mean = model.hamiltonian(heights).mean(axis=0)
    >>> bool(np.allclose(mean, bilayer(model).hamiltonian([0.3, 0.2])))
    True
    """
    _require_crystal(model)
    inside = model.translations[:, 2] == 0
    return BlochModel(
        f"{model.name}, one bilayer",
        model.orbitals,
        model.translations[inside][:, :2],
        model.hoppings[inside],
        mirror=_BILAYER.mirror,
        sites=model.sites,
        symmetries=_BILAYER.symmetries if model.symmetries else (),
        sheet_names=_BILAYER.sheet_names,
    )


def crystal_plane(model: BlochModel, kz: float) -> BlochModel:
    """Put the body-centred crystal on a plane of constant kz, as `bilayer_plane` does GLYWH's.

    Parameters
    ----------
    model : BlochModel
        Three-dimensional, with the orbitals of `four_band`.
    kz : float
        Momentum in units of 1/c; the period is 4π.

    Returns
    -------
    BlochModel
        On the centred square lattice with the primitive vectors (½, ½) and (½, −½): momenta are
        (kx + ky)/2 and (kx − ky)/2.  It has the mirror at kz = 0 and 2π if the crystal has.

    Raises
    ------
    ValueError
        If the model has other orbitals or no third dimension.

    Examples
    --------
    The crystal is the same at kz = 0 and 4π/c, and has another plane halfway:

    >>> import numpy as np
    >>> from nickbook.crystal import crystal_model, crystal_plane
    >>> model = crystal_model("pressure")
    >>> bottom, top, half = (
    ...     crystal_plane(model, kz).energies([0.3, 0.1]) for kz in (0, 4 * np.pi, 2 * np.pi))
    >>> bool(np.allclose(bottom, top)), bool(np.allclose(bottom, half))
    (True, False)
    """
    _require_crystal(model)
    kz = real("kz", kz)
    x, y, z = model.translations.T
    # x (1, 0) + y (0, 1) + z (½, ½) in the primitive vectors of the centred lattice.
    vectors, where = np.unique(np.stack([x + y + z, x - y], axis=-1), axis=0, return_inverse=True)
    hoppings = np.zeros((len(vectors), *model.hoppings.shape[1:]), complex)
    phases = np.exp(0.5j * kz * z)
    np.add.at(hoppings, where.ravel(), phases[:, None, None] * model.hoppings)
    mirrored = bool(model.symmetries) and abs(np.sin(kz / 2)) < 1e-12
    turn, flip = (_BILAYER.symmetries[i].orbitals for i in (1, 4))
    square = square_group(turn, flip, axes=[[0.5, 0.5], [0.5, -0.5]])
    return BlochModel(
        f"{model.name} at kz = {kz:.6g}/c",
        model.orbitals,
        vectors,
        hoppings,
        mirror=_BILAYER.mirror if mirrored else None,
        sites=model.sites,
        symmetries=square if model.symmetries else (),
        sheet_names=_BILAYER.sheet_names if mirrored else (),
    )


def _require_crystal(model: BlochModel) -> None:
    if model.dimension != 3 or len(model.orbitals) != 4:
        raise ValueError(
            f"{model.name!r} has {len(model.orbitals)} orbitals in {model.dimension} dimensions; "
            "allowed: four e_g orbitals in three, such as `wannier_functions` returns"
        )


def crystal_model(calculation: str = "pressure") -> BlochModel:
    """Four-orbital model of a stored crystal, from its projected Wannier functions.

    Parameters
    ----------
    calculation : str, optional
        A name of `CALCULATIONS`.

    Returns
    -------
    BlochModel
        The orbitals of `four_band` in three dimensions, with the crystal's point group; three
        electrons a cell.  `bilayer` and `crystal_plane` take it to two.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from nickbook.crystal import bilayer, crystal_model
    >>> model = bilayer(crystal_model("pressure"))
    >>> model.orbitals, len(model.symmetries)
    (('t x²−y²', 't z²', 'b x²−y²', 'b z²'), 8)
    """
    states = crystal_states(calculation)
    frozen, window = states.eg_windows()
    made = wannier_functions(states.keep(*_BILAYER.orbitals), frozen=frozen, window=window)
    return symmetrized(made, tetragonal_group())[0]
