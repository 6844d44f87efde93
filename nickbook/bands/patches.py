"""Patches on the Fermi sheets: momenta, Bloch states and their images under the point group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, TypeVar

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from nickbook.arrays import Complexes, Floats
from nickbook.bands.bloch import BlochModel
from nickbook.bands.fermi import FermiSheet, zone_picture
from nickbook.bands.lattice import folded
from nickbook.bands.sea import FermiSea
from nickbook.bands.symmetry import (
    LITTLE_GROUP_CHARACTERS,
    SQUARE_CHARACTERS,
    SQUARE_ELEMENTS,
    Symmetry,
)
from nickbook.checks import momenta, positive_integer
from nickbook.results import Result
from nickbook.svg import color

Integers = NDArray[np.intp]
Number = TypeVar("Number", bound=np.generic)

_TURN = 2 * np.pi
#: Fewest patches on a sheet that still tell a nodal gap from a constant one.
FEWEST = 4
#: Largest distance at which two momenta count as the same.
_CLOSE = 1e-7


@dataclass(frozen=True, eq=False)
class FermiPatches(Result):
    r"""Patches of the Fermi sheets, arranged as the model's point group wants.

    Parameters
    ----------
    sea : FermiSea
        The bands and their chemical potential.
    sheets : tuple of FermiSheet
        The Fermi sheets with the patches as their points; weights are the densities of states of
        the patches, in states/eV per spin and cell.
    states : ndarray, shape (P, n)
        Bloch states in the periodic gauge, real where the Hamiltonian allows it.
    permutations : ndarray of int, shape (G, P)
        Patch on which each symmetry of the model puts each patch, up to reciprocal vectors; the
        identity alone for a model without symmetries.
    phases : ndarray, shape (G, P)
        Phases in :math:`D\,u(k) = \mathrm{phase}\; u(gk)`.  They are +1 unless a symmetry leaves
        a patch in place.
    minus : ndarray of int, shape (P,)
        Patch at the opposite momentum.

    Examples
    --------
    >>> from nickbook.bands import FermiSea, conduction_bands, eta_k
    >>> patches = FermiSea(conduction_bands(), -0.65).patches(8)
    >>> [len(sheet.points) for sheet in patches.sheets]
    [8, 8]
    >>> name, weight = patches.representation(eta_k(patches.points))
    >>> name, round(weight, 9)  # of a d wave
    ('B1', 1.0)
    """

    sea: FermiSea
    sheets: tuple[FermiSheet, ...]
    states: Annotated[Floats | Complexes, "", "patch", "orbital"]
    permutations: Annotated[Integers, "", "symmetry", "patch"]
    phases: Annotated[Floats | Complexes, "", "symmetry", "patch"]
    minus: Annotated[Integers, "", "patch"]

    def _words(self) -> str:
        counts = ", ".join(f"{len(s.points)} on {s.name}" for s in self.sheets[:8])
        return f"{len(self.points)} points: {counts}; {self.sea!r}"

    def _picture(self) -> str:
        apart = [np.insert(s.points, slice(1, None), np.nan, axis=0) for s in self.sheets]
        pairs = zip(apart, self.sheets, strict=True)
        return zone_picture((dots, color(s.parity), s.name, 4.0) for dots, s in pairs)

    @property
    def model(self) -> BlochModel:
        """The bands."""
        return self.sea.model

    @property
    def mu(self) -> float:
        """Chemical potential in eV."""
        return self.sea.mu

    @cached_property
    def points(self) -> Floats:
        """Momenta of the patches, shape (P, 2)."""
        return np.concatenate([sheet.points for sheet in self.sheets])

    @cached_property
    def velocity(self) -> Floats:
        """Velocities in eV, shape (P, 2)."""
        return np.concatenate([sheet.velocity for sheet in self.sheets])

    @cached_property
    def weights(self) -> Floats:
        """Density of states of each patch in states/eV per spin and cell, shape (P,)."""
        return np.concatenate([sheet.weights for sheet in self.sheets])

    @cached_property
    def sheet_index(self) -> Integers:
        """Index of the sheet of each patch, shape (P,)."""
        return np.repeat(np.arange(len(self.sheets)), [len(s.weights) for s in self.sheets])

    @cached_property
    def bands(self) -> Integers:
        """Index of the band of each patch in the model's `band_names`, shape (P,)."""
        return np.concatenate([sheet.bands for sheet in self.sheets])

    @property
    def symmetries(self) -> tuple[Symmetry, ...]:
        """The model's point group, or the identity alone."""
        return self.model.symmetries or (_identity(self.model),)

    def split(self, values: NDArray[Number]) -> tuple[NDArray[Number], ...]:
        """Values on all patches, shape (P, ...), as one array for each sheet."""
        ends = np.cumsum([len(sheet.weights) for sheet in self.sheets])[:-1]
        return tuple(np.split(values, ends))

    def representation(
        self, values: ArrayLike, momentum: ArrayLike = (0.0, 0.0)
    ) -> tuple[str, float]:
        """Irreducible representation of the symmetries that leave a momentum alone.

        Parameters
        ----------
        values : array_like, shape (P,) or (P, B)
            A function on the patches that transforms as a scalar, such as a gap, or the amplitude
            of the pair of a patch k and the momentum k + q on each of some bands.
        momentum : array_like, shape (2,), optional
            The momentum q of the function in inverse lattice constants; zero for a gap.

        Returns
        -------
        name : str
            The representation with the largest weight: ``"A1"``, ``"A2"``, ``"B1"``, ``"B2"`` or
            ``"E"`` of C4v at Γ and M, ``"A1"`` to ``"B2"`` of C2v at X, ``"A′"`` or ``"A″"`` of Cs
            on other mirror lines, and ``"A"`` elsewhere.
        weight : float
            Its share of the function's norm, which counts each patch with its density of states;
            one for a pure representation.

        Raises
        ------
        ValueError
            If values are zero everywhere or of the wrong shape, or if the model's symmetries are
            not the eight of the square.
        """
        values = np.asarray(values)
        if values.shape[:1] != self.weights.shape or values.ndim > 2 or not np.any(values):
            raise ValueError(
                f"values has shape {values.shape}; allowed: ({len(self.weights)},) or "
                f"({len(self.weights)}, bands), one row for each patch, not all zero"
            )
        if not self.has_square_group:
            raise ValueError(
                f"{self.model.name!r} has no point group of the square; give the model the "
                "symmetries of square_group"
            )
        q = momenta("momentum", momentum, 2)
        turns = np.array([g.momentum(q) - q for g in self.symmetries]) / (2 * np.pi)
        still = self.permutations[np.abs(turns - turns.round()).max(axis=1) < 1e-9]
        rows = values.reshape(len(self.weights), -1)
        overlaps = np.einsum("gpb,pb,p->g", rows[still].conj(), rows, self.weights).real
        shares = {
            name: float(row[0] * (np.array(row) @ overlaps) / (len(still) * overlaps[0]))
            for name, row in LITTLE_GROUP_CHARACTERS[len(still)].items()
        }
        name = max(shares, key=lambda key: shares[key])
        return name, shares[name]

    def symmetry_functions(self, parity: int) -> dict[str, Floats]:
        """Orthonormal functions on the patches that are even or odd in k.

        Parameters
        ----------
        parity : {1, -1}
            Sign under k → −k.

        Returns
        -------
        dict of str to ndarray, shape (P, m)
            Columns, by irreducible representation of the square's point group; under an empty name
            for a model without it.
        """
        one = np.eye(len(self.weights))
        moves = one[self.permutations]
        projectors = {"": one}
        if self.has_square_group:
            projectors = {
                name: np.tensordot(np.array(row) * row[0] / 8, moves, axes=1)
                for name, row in SQUARE_CHARACTERS.items()
            }
        bases = {}
        for name, projector in projectors.items():
            kept = (projector + parity * projector[self.minus]) / 2
            shares, vectors = np.linalg.eigh((kept + kept.T) / 2)
            if (shares > 0.5).any():
                bases[name] = vectors[:, shares > 0.5]
        return bases

    @property
    def has_square_group(self) -> bool:
        """Whether the model is given with all eight symmetries of the square."""
        return tuple(s.name for s in self.model.symmetries) == SQUARE_ELEMENTS


def fermi_patches(model: BlochModel, mu: float, count: int | Sequence[int]) -> FermiPatches:
    r"""Patches on all Fermi sheets of a model.

    On a pocket that each direction from its centre meets once, patches lie at the angles
    :math:`2\pi(j+\frac12)/\mathrm{count}`, between the mirror lines.  On other lines they follow
    at equal steps of the time of motion, which gives each the same density of states.

    Parameters
    ----------
    model : BlochModel
        A two-dimensional model.
    mu : float
        Chemical potential in eV.
    count : int or sequence of int
        Patches on each sheet: a multiple of the number of symmetries that leave the sheet in
        place (8 for a pocket of the square lattice round Γ or M).

    Returns
    -------
    FermiPatches
        The patches, sheet by sheet in the order of `fermi_sheets`.

    Raises
    ------
    TypeError, ValueError
        If no band crosses `mu`, or `count` is too small, not a multiple of the symmetry, or does
        not give as many patches to sheets that a symmetry maps onto each other.

    Notes
    -----
    States follow from those of one patch of each set of equivalent patches by the symmetries, so
    they need not be continuous along a sheet.  Gaps and susceptibilities do not depend on that.  A
    flow of the interaction does, since it moves legs to a neighbouring patch with the sign there.

    Examples
    --------
    >>> from nickbook.bands import fermi_patches, four_band
    >>> patches = fermi_patches(four_band(), 10.0585, 8)
    >>> patches.points.shape, patches.representation(patches.weights)[0]
    ((24, 2), 'A1')
    """
    return cut(FermiSea(model, mu), count)


def cut(sea: FermiSea, count: int | Sequence[int]) -> FermiPatches:
    """Patches on all sheets of a sea; see `fermi_patches`."""
    sea.model.require_plane("fermi_patches")
    model, lines = sea.model, sea.sheets
    counts = _counts(count, lines)
    group = model.symmetries or (_identity(model),)
    moves = _moves(model, group)
    placed: dict[int, FermiSheet] = {}
    for i, (line, number) in enumerate(zip(lines, counts, strict=True)):
        targets = [_target(lines, line, g) for g in moves]
        if i not in placed:
            order = targets.count(i)
            if number % order:
                raise ValueError(
                    f"count = {number} on sheet {line.name!r}; allowed: a multiple of {order}, the "
                    "number of symmetries that leave the sheet in place"
                )
            placed[i] = _placed(sea, line, number, moves, targets, i)
        for g, target in zip(moves, targets, strict=True):
            if counts[target] != number:
                raise ValueError(
                    f"count = {counts}; allowed: the same number for sheets {i} and {target} "
                    f"({line.name!r}), which {g.name} maps onto each other"
                )
            if target not in placed:
                points = g.momentum(placed[i].points)
                placed[target] = _sheet(sea, lines[target], points, placed[i].weights)
    return _with_states(sea, tuple(placed[i] for i in range(len(lines))), group)


def _moves(model: BlochModel, group: tuple[Symmetry, ...]) -> tuple[Symmetry, ...]:
    """Return the group, with k → −k where energies are even and no element says so."""
    minus = -np.eye(2, dtype=np.int64)
    k = np.random.default_rng(0).uniform(-np.pi, np.pi, (16, 2))
    odd = np.abs(model.energies(k) - model.energies(-k)).max()
    if any((g.rotation == minus).all() for g in group) or odd > 1e-9 * model.state_count.width:
        return group
    names = ["k → −k" if g.name == "E" else f"{g.name} with k → −k" for g in group]
    turned = [Symmetry(n, -g.rotation, g.orbitals) for n, g in zip(names, group, strict=True)]
    return group + tuple(turned)


def _identity(model: BlochModel) -> Symmetry:
    n, dimension = len(model.orbitals), model.dimension
    return Symmetry("E", np.eye(dimension, dtype=np.int64), np.eye(n, dtype=complex))


def _counts(count: int | Sequence[int], lines: Sequence[FermiSheet]) -> list[int]:
    each = isinstance(count, Sequence | np.ndarray)
    given = list(count) if each else [positive_integer("count", count)] * len(lines)  # type: ignore[arg-type]
    if len(given) != len(lines):
        raise ValueError(
            f"count = {count!r}; allowed: one number, or one for each of the {len(lines)} sheets "
            f"{[line.name for line in lines]}"
        )
    return [positive_integer("count", number, at_least=FEWEST) for number in given]


def _distance(a: Floats, b: Floats) -> Floats:
    """Distances on the zone torus between all pairs of two sets of momenta."""
    distance: Floats = np.linalg.norm(folded(a[:, None] - b[None]), axis=-1)
    return distance


def _target(lines: Sequence[FermiSheet], line: FermiSheet, g: Symmetry) -> int:
    """Index of the sheet onto which a symmetry maps a line."""
    image = g.momentum(line.points[:1])
    # Sheets of degenerate bands coincide: then the one of the same band.
    misses = [_off_line(image, other) + _CLOSE * (other.band != line.band) for other in lines]
    return int(np.argmin(misses))


def _off_line(k: Floats, line: FermiSheet) -> float:
    """Distance of a momentum from the polygon through a line's points."""
    start = line.points
    step = folded(np.roll(start, -1, axis=0) - start)
    away = folded(k - start)
    along = np.clip((away * step).sum(axis=1) / np.square(step).sum(axis=1), 0, 1)
    return float(np.linalg.norm(away - along[:, None] * step, axis=1).min())


def _placed(
    sea: FermiSea,
    line: FermiSheet,
    count: int,
    group: tuple[Symmetry, ...],
    targets: list[int],
    own: int,
) -> FermiSheet:
    """Return the patches of one sheet, exactly on it."""
    clock = _clock(line)
    angle = np.unwrap(np.append(line.angle, line.angle[0]))
    if line.kind != "open" and (np.diff(angle) * np.sign(angle[-1] - angle[0]) > 0).all():
        return _at_angles(sea, line, count, clock, angle)
    stabilizer = [g for g, target in zip(group, targets, strict=True) if target == own]
    closing = line.points[:1] + _closing(line)
    path = scipy.interpolate.CubicSpline(clock, np.concatenate([line.points, closing]))
    start = _symmetric_start(line, clock, path, stabilizer)
    times = (start + clock[-1] * (np.arange(count) + 0.5) / count) % clock[-1]
    points = _settled(sea, line, path(times))
    return _sheet(sea, line, points, np.full(count, clock[-1] / count))


def _clock(line: FermiSheet) -> Floats:
    """Time at each point of a line and after one turn: the integral of its weights."""
    count = len(line.weights)
    spectrum = np.fft.rfft(line.weights)
    spectrum[1:] /= _TURN * 1j * np.arange(1, len(spectrum)) / count
    total, spectrum[0] = line.weights.sum(), 0.0
    wave = np.fft.irfft(spectrum, count)
    clock: Floats = np.append(wave - wave[0], 0.0) + total * np.arange(count + 1) / count
    return clock


def _closing(line: FermiSheet) -> Floats:
    """Momentum by which a line misses its start after one turn: zero for a pocket."""
    step = np.diff(line.points, axis=0).mean(axis=0)
    turns: Floats = np.round(len(line.points) * step / _TURN) * _TURN
    return turns if line.kind == "open" else np.zeros(2)


def _at_angles(
    sea: FermiSea, line: FermiSheet, count: int, clock: Floats, angle: Floats
) -> FermiSheet:
    """Patches at equal angles about the centre, with the density of states between them."""
    away = line.points - np.array(line.center_point)
    radius = np.linalg.norm(away, axis=-1)[np.append(np.arange(len(away)), 0)]
    if angle[-1] < angle[0]:
        angle, clock, radius = angle[::-1], clock[-1] - clock[::-1], radius[::-1]
    drift = clock[-1] * (angle - angle[0]) / _TURN
    elapsed = scipy.interpolate.CubicSpline(angle, clock - drift, bc_type="periodic")
    edges = _TURN * np.arange(count + 1) / count
    weights = np.diff(elapsed(edges)) + clock[-1] / count
    theta = _TURN * (np.arange(count) + 0.5) / count
    ray = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
    r = scipy.interpolate.CubicSpline(angle, radius, bc_type="periodic")(theta)
    points = _settled(sea, line, np.array(line.center_point) + r[:, None] * ray, ray)
    return _sheet(sea, line, points, weights)


def _settled(sea: FermiSea, line: FermiSheet, k: Floats, ray: Floats | None = None) -> Floats:
    """Momenta moved along given directions, or along the velocity, onto the Fermi line."""
    for _ in range(8):
        energy, velocity, _, _ = _motion(sea, line, k)
        direction = velocity if ray is None else ray
        step = (sea.mu - energy) / (velocity * direction).sum(axis=-1)
        k = k + step[:, None] * direction
        if np.abs(step).max() < 1e-14:
            break
    return k


def _symmetric_start(
    line: FermiSheet,
    clock: Floats,
    path: Callable[[Floats], Floats],
    stabilizer: list[Symmetry],
) -> float:
    """Time of a point that a reflection of the line leaves in place; zero if none reflects it."""
    fine = clock[-1] * np.arange(4096) / 4096
    points = path(fine)
    for g in stabilizer:
        first, second = fine[_distance(g.momentum(line.points[:2]), points).argmin(axis=1)]
        if (second - first) % clock[-1] > clock[-1] / 2:
            # The image of time t is c − t; a finer look at the first point's image gives c.
            near = first + clock[-1] * np.linspace(-1, 1, 4097) / 4096
            images = path(near % clock[-1])
            best = near[_distance(g.momentum(line.points[:1]), images).argmin()]
            return float(best / 2)
    return 0.0


def _motion(
    sea: FermiSea, line: FermiSheet, k: Floats
) -> tuple[Floats, Floats, Complexes, Integers]:
    """Energies, velocities, states and bands at momenta close to a line."""
    band = sea.model.bands[line.band]
    if (line.bands == line.band).all():
        energy, velocity = band.energy_and_velocity(k)
        return energy, velocity, band.states(k), np.full(len(k), line.band)
    basis, first = band.block.basis, line.band - band.index
    nearest = _distance(k, line.points).argmin(axis=1)
    like = line.states[nearest] @ basis.conj()
    energy, velocity, states, index = band.block.follow(k, like)
    return energy, velocity, states @ basis.T, first + index


def _sheet(sea: FermiSea, line: FermiSheet, points: Floats, weights: Floats) -> FermiSheet:
    """Return a line with other points on it."""
    _, velocity, states, bands = _motion(sea, line, points)
    return replace(
        line,
        points=points,
        velocity=velocity,
        weights=weights,
        orbital_weights=np.abs(states) ** 2,
        bands=bands,
        states=states,
    )


def _with_states(
    sea: FermiSea, sheets: tuple[FermiSheet, ...], group: tuple[Symmetry, ...]
) -> FermiPatches:
    points = np.concatenate([sheet.points for sheet in sheets])
    bands = np.concatenate([sheet.bands for sheet in sheets])
    permutations = np.array([_matched(g.momentum(points), points, bands, g.name) for g in group])
    minus = _matched(-points, points, bands, "k → −k")
    own = np.concatenate([_positive(sheet.states) for sheet in sheets])
    states, done = own.copy(), np.zeros(len(points), bool)
    for p in range(len(points)):
        for g, image in zip(group, permutations[:, p], strict=True):
            if not done[image]:
                states[image] = states[p] if image == p else g.orbitals @ states[p]
                done[image] = True
    moved = np.array([states @ g.orbitals.T for g in group])
    phases = (states[permutations].conj() * moved).sum(axis=-1)
    if max(np.abs(states.imag).max(), np.abs(phases.imag).max()) < 1e-12:
        states, phases = states.real.copy(), phases.real.round(12)
    return FermiPatches(sea, sheets, states, permutations, phases, minus)


def _matched(images: Floats, points: Floats, bands: Integers, name: str) -> Integers:
    """Patch of the same band at each momentum."""
    # Bands lie ten apart in a third direction, and the zone is a torus; -1e-17 % 1 is 1.
    there, here = (np.column_stack([k % _TURN % _TURN, 10.0 * bands]) for k in (images, points))
    tree = scipy.spatial.cKDTree(here, boxsize=np.array([_TURN, _TURN, 0.0]))
    distance, nearest = (np.asarray(found) for found in tree.query(there))
    miss = distance.max()
    if miss > _CLOSE or len(set(nearest.tolist())) != len(points):
        raise ValueError(
            f"the patches are not invariant under {name} (one misses by {miss:.1e}); give each "
            "sheet an even count, a multiple of the model's symmetry, or a model with inversion"
        )
    return nearest


def _positive(states: Complexes) -> Complexes:
    """States (P, n) in the phase that makes the largest component real and positive."""
    largest = np.take_along_axis(states, np.abs(states).argmax(axis=1)[:, None], axis=1)
    return states * (largest.conj() / np.abs(largest))
