"""Wannier90 files: round trips, PythTB as a second reader, and what is refused."""

import gzip

import numpy as np
import pytest
from pythtb_models import energies, from_wannier90

from nickbook.bands import (
    SQUARE_ELEMENTS,
    BlochModel,
    chemical_potential,
    eight_band,
    fermi_sheets,
    filling,
    four_band,
    read_wannier90,
    square_group,
    write_wannier90,
)

RANDOM = np.random.default_rng(4)
LAYER_SWAP = np.eye(4)[[2, 3, 0, 1]]
CUBE = np.stack(np.meshgrid(*[np.arange(-1, 2)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


def random_model(vectors=CUBE, size=3):
    """Complex hoppings without any symmetry but Hermiticity; the vectors come in pairs."""
    t = RANDOM.normal(size=(len(vectors), size, size, 2)) @ [1, 1j]
    t = (t + t[::-1].conj().swapaxes(1, 2)) / 2
    return BlochModel("random", tuple("abcdefgh"[:size]), vectors, t)


def largest_difference(a, b):
    k = RANDOM.uniform(-4, 4, (40, a.dimension))
    return np.abs(a.hamiltonian(k) - b.hamiltonian(k)).max()


def pythtb_energies(folder, k):
    """Bands by PythTB, which wants two companions of the file to know lengths and centres."""
    size = int((folder / "book_hr.dat").read_text().splitlines()[1])
    vectors = "\n".join(["1 0 0", "0 1 0", "0 0 1"])
    (folder / "book.win").write_text(f"begin unit_cell_cart\nang\n{vectors}\nend unit_cell_cart\n")
    centres = "\n".join(["X 0.1 0.2 0.3"] * size)
    (folder / "book_centres.xyz").write_text(f"{size}\n\n{centres}\n")
    full = np.zeros((len(k), 3))
    full[:, : k.shape[1]] = k
    return energies(from_wannier90(folder, "book"), full)


@pytest.mark.parametrize("model", [four_band(), eight_band(), random_model()], ids=lambda m: m.name)
def test_bands_survive_a_round_trip_and_pythtb_reads_the_same(model, tmp_path):
    write_wannier90(model, tmp_path / "book_hr.dat")
    again = read_wannier90(tmp_path / "book_hr.dat")
    # Wannier90 lets the first of the two orbital indices run fastest.
    elements = [line.split() for line in (tmp_path / "book_hr.dat").read_text().splitlines()]
    first = next(i for i, words in enumerate(elements) if len(words) == 7 and i > 3)
    assert [words[3:5] for words in elements[first : first + 2]] == [["1", "1"], ["2", "1"]]
    k = RANDOM.uniform(-4, 4, (30, model.dimension))
    assert again.dimension == model.dimension
    assert np.abs(again.energies(k) - model.energies(k)).max() < 1e-12
    assert np.abs(pythtb_energies(tmp_path, k) - model.energies(k)).max() < 1e-12
    write_wannier90(again, tmp_path / "second_hr.dat", comment=f"{model.name}, written by nickbook")
    assert (tmp_path / "second_hr.dat").read_bytes() == (tmp_path / "book_hr.dat").read_bytes()


def folded_file(folder, decimals=17):
    """Hoppings of a ring of 4 x 4 x 2 cells on its Wigner-Seitz vectors, and the plain model.

    A vector on the boundary of the Wigner-Seitz cell stands for one hopping of the ring and comes
    in several images, each written with the whole hopping and the number of images.
    """
    ring = np.array([4, 4, 2])
    lattice = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in ring], indexing="ij"), axis=-1)
    lattice = lattice.reshape(-1, 3)
    # Any order of the vectors is good; degeneracies go with the first line of each.
    inside = RANDOM.permutation(lattice[(2 * np.abs(lattice) <= ring).all(axis=1)])
    images = 2 ** (2 * np.abs(inside) == ring).sum(axis=1)
    assert set(images) == {1, 2, 4, 8}
    matrices, written, lines = {}, [], []
    for r in inside:
        cell, opposite = tuple(r % ring), tuple(-r % ring)
        if cell not in matrices:
            t = (RANDOM.normal(size=(2, 2, 2)) @ [1, 1j]).round(decimals)
            matrices[cell] = t if cell != opposite else (t + t.conj().T).round(decimals)
            matrices[opposite] = matrices[cell].conj().T
        written.append(matrices[cell])
        for n, m in np.ndindex(2, 2):
            t = matrices[cell][m, n]
            numbers = f"{t.real:24.{decimals}f}{t.imag:24.{decimals}f}"
            lines.append("".join(f"{i:5d}" for i in (*r, m + 1, n + 1)) + numbers)
    head = [" written by hand", "           2", f"{len(inside):12d}"]
    rows = [images[i : i + 15] for i in range(0, len(images), 15)]
    head += ["".join(f"{d:5d}" for d in row) for row in rows]
    (folder / "book_hr.dat").write_text("\n".join(head + lines) + "\n")
    return BlochModel("plain", ("a", "b"), inside, np.array(written) / images[:, None, None])


@pytest.mark.parametrize("decimals", [17, 6])
def test_degenerate_vectors_of_a_wigner_seitz_cell(decimals, tmp_path):
    plain = folded_file(tmp_path, decimals)
    with pytest.warns(UserWarning, match=r"book_hr\.dat .* no book_wsvec\.dat .* shared equally"):
        folded = read_wannier90(tmp_path / "book_hr.dat")
    assert largest_difference(folded, plain) < 1e-14
    k = RANDOM.uniform(-4, 4, (20, 3))
    assert np.abs(pythtb_energies(tmp_path, k) - folded.energies(k)).max() < 1e-12
    # At momenta of the ring the images add up to one hopping: only there they are one phase.
    k = 2 * np.pi * np.array([[1, 3, 1], [2, 1, 0]]) / [4, 4, 2]
    assert len({tuple(r) for r in (folded.translations % [4, 4, 2]).tolist()}) == 32
    phases = np.exp(1j * k @ folded.translations.T)
    assert np.allclose(folded.hamiltonian(k), np.tensordot(phases, plain.hoppings, 1), atol=1e-13)


def test_order_of_lines_does_not_matter_but_that_of_first_appearance(tmp_path):
    model = folded_file(tmp_path)
    lines = (tmp_path / "book_hr.dat").read_text().splitlines()
    # Within each vector, Wannier90's order is a custom only.
    head, elements = lines[: len(lines) - 300], np.array(lines[len(lines) - 300 :])
    turned = elements.reshape(-1, 4)[:, ::-1].ravel().tolist()
    (tmp_path / "book_hr.dat").write_text("\n".join([*head, *turned]) + "\n\n")
    again = read_wannier90(tmp_path / "book_hr.dat", shifts=False)
    assert largest_difference(again, model) < 1e-14


def test_what_is_read_has_fermi_lines_and_fillings(tmp_path):
    write_wannier90(four_band(), tmp_path / "plane_hr.dat")
    model = read_wannier90(
        tmp_path / "plane_hr.dat",
        name="read",
        orbitals=four_band().orbitals,
        mirror=LAYER_SWAP,
        sites=(0, 0, 1, 1),
        symmetries=four_band().symmetries,
    )
    assert (model.name, model.parity, model.sites) == ("read", (-1, -1, 1, 1), (0, 0, 1, 1))
    assert tuple(s.name for s in model.symmetries) == SQUARE_ELEMENTS
    mu = 10.0585
    assert filling(model, mu) == pytest.approx(filling(four_band(), mu), abs=1e-11)
    assert chemical_potential(model, 3) == pytest.approx(chemical_potential(four_band(), 3))
    for a, b in zip(fermi_sheets(model, mu), fermi_sheets(four_band(), mu), strict=True):
        assert (a.center, a.kind, a.parity) == (b.center, b.kind, b.parity)
        assert a.area == pytest.approx(b.area, abs=1e-11)
    written = random_model()
    write_wannier90(written, tmp_path / "space_hr.dat")
    space = read_wannier90(tmp_path / "space_hr.dat")
    for kz in (0.4, 2.0):
        found, expected = (fermi_sheets(m.plane(kz), 0.0) for m in (space, written))
        assert [s.kind for s in found] == [s.kind for s in expected]
        areas = [[s.area for s in sheets] for sheets in (found, expected)]
        assert areas[0] == pytest.approx(areas[1], abs=1e-10, nan_ok=True)  # of open lines
    with pytest.raises(ValueError, match=r"three dimensions.*model\.plane\(kz\)"):
        fermi_sheets(space, mu)


def test_rounding_is_averaged_away_and_more_is_refused(tmp_path):
    """Six decimals break mirror and fourfold symmetry a little; a real breaking stays an error."""
    model, path = four_band(), tmp_path / "rounded_hr.dat"
    noise = RANDOM.uniform(-4e-7, 4e-7, model.hoppings.shape)
    vectors = model.translations.tolist()
    partner = [vectors.index([-x for x in r]) for r in vectors]
    noisy = model.hoppings + (noise + noise[partner].swapaxes(1, 2)) / 2
    write_wannier90(BlochModel("noisy", model.orbitals, model.translations, noisy), path)
    read = read_wannier90(path, mirror=LAYER_SWAP, symmetries=model.symmetries)
    assert 1e-9 < largest_difference(read, model) < 1e-5
    for given in ({"mirror": LAYER_SWAP}, {"symmetries": model.symmetries}):
        with pytest.raises(ValueError, match=r"does not commute|not invariant"):
            read_wannier90(path, tolerance=1e-9, **given)
    wrong = square_group(np.eye(4), np.eye(4))
    with pytest.raises(ValueError, match="not invariant under 'C4'"):
        read_wannier90(path, symmetries=wrong)


def test_dimension_follows_the_file_unless_given(tmp_path):
    path = tmp_path / "flat_hr.dat"
    write_wannier90(four_band(), path)
    assert read_wannier90(path).dimension == 2
    assert read_wannier90(path, dimension=3).dimension == 3
    write_wannier90(eight_band(), path)
    with pytest.raises(ValueError, match=r"R3 ≠ 0, with elements up to 3\.10e-02 eV; .*plane"):
        read_wannier90(path, dimension=2)
    with pytest.raises(ValueError, match="dimension = 4; allowed: 2, 3 or None"):
        read_wannier90(path, dimension=4)
    with pytest.raises(ValueError, match=r"orbitals = \('a',\); allowed: 8 names"):
        read_wannier90(path, orbitals=("a",))
    with pytest.raises(ValueError, match="allowed: one line"):
        write_wannier90(four_band(), path, comment="two\nlines")


#: A sound file of two orbitals on a chain, line by line; each change below spoils it.
SOUND = """ a chain
2
3
1 1 1
-1 0 0 1 1 0.5 0.0
-1 0 0 2 1 0.1 0.2
-1 0 0 1 2 0.3 0.0
-1 0 0 2 2 -0.5 0.0
0 0 0 1 1 1.0 0.0
0 0 0 2 1 0.25 0.125
0 0 0 1 2 0.25 -0.125
0 0 0 2 2 2.0 0.0
1 0 0 1 1 0.5 0.0
1 0 0 2 1 0.3 0.0
1 0 0 1 2 0.1 -0.2
1 0 0 2 2 -0.5 0.0
"""


def spoiled(folder, change):
    lines = SOUND.splitlines()
    for number, text in change.items():
        lines[number - 1] = text
    path = folder / "spoiled_hr.dat"
    path.write_text("\n".join(line for line in lines if line is not None) + "\n")
    return path


def test_the_sound_file_is_read(tmp_path):
    model = read_wannier90(spoiled(tmp_path, {}))
    k = 0.7
    up, step = np.array([[1, 0.25 - 0.125j], [0.25 + 0.125j, 2]]), np.exp(1j * k)
    hop = np.array([[0.5, 0.1 - 0.2j], [0.3, -0.5]])
    expected = up + hop * step + hop.conj().T / step
    assert np.allclose(model.hamiltonian([k, 0.0]), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({1: None, 2: None, 3: None}, "line 2: '-1 0 0 1 1 0.5 0.0' stands for num_wann"),
        ({2: "0"}, "line 2: '0' stands for num_wann, the number of orbitals; give one positive"),
        ({3: "-3"}, "line 3: '-3' stands for nrpts"),
        ({4: "1 0 1"}, "line 4: '0' stands where degeneracy 2 of nrpts = 3 should be"),
        ({4: "1 1.5 1"}, "line 4: '1.5' stands where degeneracy 2"),
        ({4: None}, "line 4: '-1' stands where degeneracy 1 of nrpts = 3 should be"),
        ({4: "1 1"}, "line 5: '-1' stands where degeneracy 3 of nrpts = 3 should be"),
        ({4: "2 1 1"}, "line 5: R = (-1, 0, 0) has degeneracy 2, its partner −R has 1"),
        ({16: None}, "the file ends after 11 of 12 elements (nrpts = 3 times num_wann² = 4)"),
        ({2: "1"}, "line 8: an element beyond the 3 of nrpts = 3 times num_wann² = 1"),
        ({2: "3"}, "the file ends after 12 of 27 elements"),
        ({16: "1 0 0 2"}, "line 16: 4 columns: '1 0 0 2'; give the 7 columns R1 R2 R3 m n Re Im"),
        ({9: "0 0 0 1 1 1.0 0.0 0.0"}, "line 9: 8 columns"),
        ({9: "0 0 0 1 1 1.0x 0.0"}, "line 9: Re = '1.0x'; give a number"),
        ({9: "\n\n0 0 0 1 1 nan 0.0"}, "line 11: Re = nan; give a finite number"),
        ({9: "0 0 0 1 1 0.0 inf"}, "line 9: Im = inf; give a finite number"),
        ({9: "0 0.5 0 1 1 1.0 0.0"}, "line 9: R2 = 0.5; give an integer"),
        ({12: "0 0 0 2 3 2.0 0.0"}, "line 12: n = 3; give an orbital from 1 to 2"),
        ({12: "0 0 0 0 2 2.0 0.0"}, "line 12: m = 0; give an orbital from 1 to 2"),
        (
            {11: "0 0 0 2 1 0.25 -0.125"},
            "line 11: the element R = (0, 0, 0), m = 2, n = 1 was given before, on line 10; keep",
        ),
        ({12: "0 0 1 2 2 2.0 0.0"}, "line 13: R = (1, 0, 0) is lattice vector 4, but nrpts = 3"),
        (
            {n: f"2 0 0 {SOUND.splitlines()[n - 1][6:]}" for n in range(13, 17)},
            "line 5: R = (-1, 0, 0) has no partner −R in the file; give both",
        ),
        (
            {14: "1 0 0 2 1 0.3 0.001"},
            "line 7: the element 0.3+0j and its conjugate 0.3-0.001j of line 14 differ by 1.00e-03",
        ),
        ({9: "0 0 0 1 1 1.0 0.1"}, "line 9: the element 1+0.1j and its conjugate 1-0.1j of line 9"),
    ],
)
def test_spoiled_files_are_refused_with_the_line(change, message, tmp_path):
    path = spoiled(tmp_path, change)
    with pytest.raises(ValueError, match=r"^.*spoiled_hr\.dat") as refused:
        read_wannier90(path)
    assert str(refused.value).startswith(f"{path}{', line' if message[:4] == 'line' else ': '}")
    assert message in str(refused.value)


@pytest.mark.parametrize("kept", range(0, len(SOUND) - 1, 7))
def test_truncated_files_are_refused(kept, tmp_path):
    path = tmp_path / "cut_hr.dat"
    path.write_text(SOUND[:kept])
    with pytest.raises(ValueError, match=r"cut_hr\.dat"):
        read_wannier90(path)


def test_missing_files_are_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_wannier90(tmp_path / "nowhere_hr.dat")


@pytest.mark.parametrize(
    "change",
    [
        {2: "2 ! num_wann", 3: "+3  # nrpts, the number of vectors"},
        {2: "2, orbitals"},
        {4: "1 1 1 1 7"},
        {4: "3*1 / the rest is not read"},
        {5: "-1 0 0 1 1 5.0D-1 +0.0d0 ! a comment", 13: "+1 0 0 1 1 0.5 0.0"},
        {5: "-1,0,0,1,1,0.5,0.0"},
        {1: " a = 3.8 \xc5"},
        {9: "0 0 0 1 1 1.0 1.0-103"},
        {9: "0 0 0 1 1 1.0 1.0D-103"},
    ],
    ids=str,
)
def test_what_fortran_reads_is_read(change, tmp_path):
    path = spoiled(tmp_path, change)
    path.write_bytes(path.read_text().encode("latin-1"))
    sound = tmp_path / "sound_hr.dat"
    sound.write_text(SOUND)
    assert largest_difference(read_wannier90(path), read_wannier90(sound)) < 1e-15


def test_compressed_files_are_read(tmp_path):
    whole = spoiled(tmp_path, {}).read_bytes()
    packed = tmp_path / "chain_hr.dat.gz"
    packed.write_bytes(gzip.compress(whole))
    sound = read_wannier90(tmp_path / "spoiled_hr.dat")
    assert largest_difference(read_wannier90(packed), sound) == 0
    packed.write_bytes(gzip.compress(whole)[:-20])
    with pytest.raises(ValueError, match=r"chain_hr\.dat\.gz: .*copy it again"):
        read_wannier90(packed)


RING = 4


def ring_files(folder, centres=(0.0, 0.45)):
    """Two orbitals on a ring of four cells, as `_hr.dat` with `_wsvec.dat` and as `_tb.dat`.

    The hoppings are those of all pairs at distances below half of the ring, so that the bands on
    the whole line follow from the distances, without any file.
    """
    shifts, plain = ["## with use_ws_distance=.true."], {}
    head = ["a ring", "2", "5", "2 1 1 1 2"]
    lines, places = [], []
    blocks = ["a ring", "4.0 0.0 0.0", "0.0 4.0 0.0", "0.0 0.0 9.0", *head[1:]]
    for r in (-2, -1, 0, 1, 2):
        blocks += ["", f"{r} 0 0"]
        places += ["", f"{r} 0 0"]
        for n, m in ((1, 1), (1, 2), (2, 1), (2, 2)):
            away = {k: abs(r + k + centres[n - 1] - centres[m - 1]) for k in (-RING, 0, RING)}
            images = [k for k, d in away.items() if d < min(away.values()) + 1e-9]
            hopping = np.exp(-min(away.values()))
            lines.append(f"{r} 0 0 {m} {n} {hopping:.17g} 0.0")
            blocks.append(f"{m} {n} {hopping:.17g} 0.0")
            x = 4 * centres[m - 1] if r == 0 and m == n else 0.0
            places.append(f"{m} {n} {x} 0.0 0.0 0.0 0.0 0.0")
            shifts += [f"{r} 0 0 {m} {n}", f"{len(images)}", *(f"{k} 0 0" for k in images)]
            for k in images:
                matrix = plain.setdefault((r + k, 0), np.zeros((2, 2)))
                matrix[m - 1, n - 1] += hopping / len(images) / (2 if abs(r) == 2 else 1)
    files = {"hr": head + lines, "wsvec": shifts, "tb": blocks + places}
    for name, content in files.items():
        (folder / f"ring_{name}.dat").write_text("\n".join(content) + "\n")
    return BlochModel("plain", ("a", "b"), np.array(list(plain)), np.array(list(plain.values())))


def test_hoppings_go_to_the_nearest_images(tmp_path):
    plain = ring_files(tmp_path)
    found = read_wannier90(tmp_path / "ring_hr.dat")
    assert largest_difference(found, plain) < 1e-15
    unmoved = read_wannier90(tmp_path / "ring_hr.dat", shifts=False)
    assert largest_difference(unmoved, plain) > 0.02
    k = 2 * np.pi * np.arange(RING)[:, None] / RING * [1, 0]
    assert np.abs(unmoved.energies(k) - plain.energies(k)).max() < 1e-14  # the mesh of the file
    packed = tmp_path / "ring_wsvec.dat.gz"
    packed.write_bytes(gzip.compress((tmp_path / "ring_wsvec.dat").read_bytes()))
    (tmp_path / "ring_wsvec.dat").rename(tmp_path / "elsewhere.dat")
    assert largest_difference(read_wannier90(tmp_path / "ring_hr.dat"), plain) < 1e-15
    packed.unlink()
    path = tmp_path / "elsewhere.dat"
    assert largest_difference(read_wannier90(tmp_path / "ring_hr.dat", shifts=path), plain) < 1e-15
    with pytest.raises(ValueError, match=r"ring_wsvec\.dat does not exist; give its path"):
        read_wannier90(tmp_path / "ring_hr.dat", shifts=True)


def test_a_tb_file_holds_the_same_and_the_places(tmp_path):
    plain = ring_files(tmp_path)
    found = read_wannier90(tmp_path / "ring_tb.dat")
    assert largest_difference(found, plain) < 1e-15
    k = np.array([[0.7, 0.0]])
    phase = np.exp(1j * 0.7 * 0.45)
    moved = found.hamiltonian(k, gauge="position")[0, 0, 1]
    assert moved == pytest.approx(plain.hamiltonian(k)[0, 0, 1] * phase)


@pytest.mark.parametrize(
    ("name", "line", "text", "message"),
    [
        ("ring_wsvec.dat", 3, "two", r"ring_wsvec\.dat, line 3: 'two' where 1 integers"),
        ("ring_wsvec.dat", 2, "7 0 0 1 1", r"ring_wsvec\.dat: no images for R = \(-2, 0, 0\)"),
        ("ring_tb.dat", 3, "0.0 x 0.0", r"ring_tb\.dat, line 3: y = 'x'; give a number"),
        ("ring_tb.dat", 9, "-2 0", r"ring_tb\.dat, line 9: 2 columns.*give the 3 columns R1 R2 R3"),
        ("ring_tb.dat", 10, "1 1 x 0.0", r"ring_tb\.dat, line 10: Re = 'x'; give a number"),
        ("ring_tb.dat", 6, "50", r"ring_tb\.dat: the file ends|ring_tb\.dat, line \d+"),
    ],
)
def test_companions_are_refused_with_the_line(name, line, text, message, tmp_path):
    ring_files(tmp_path)
    lines = (tmp_path / name).read_text().splitlines()
    lines[line - 1] = text
    (tmp_path / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=message):
        read_wannier90(tmp_path / ("ring_hr.dat" if "ws" in name else name))
