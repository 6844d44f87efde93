"""Reading a Wannier90 file of 300,000 elements against PythTB's reader."""

import numpy as np
import pythtb

from nickbook.bands import BlochModel, read_wannier90, write_wannier90

from .plain import best_time, print_table

SIZE, REACH = 15, 5


def big_model():
    """Random Hermitian hoppings on a cube of lattice vectors."""
    rng, axis = np.random.default_rng(1), np.arange(-REACH, REACH + 1)
    vectors = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    t = rng.normal(size=(len(vectors), SIZE, SIZE, 2)) @ [1, 1j]
    t = (t + t[::-1].conj().swapaxes(1, 2)) / 2
    return BlochModel("big", tuple(map(str, range(SIZE))), vectors, t)


def test_read_wannier90(tmp_path):
    model = big_model()
    write_wannier90(model, tmp_path / "big_hr.dat")
    unit = "begin unit_cell_cart\nang\n1 0 0\n0 1 0\n0 0 1\nend unit_cell_cart\n"
    (tmp_path / "big.win").write_text(unit)
    (tmp_path / "big_centres.xyz").write_text(f"{SIZE}\n\n" + "X 0 0 0\n" * SIZE)
    ours = best_time(lambda: read_wannier90(tmp_path / "big_hr.dat"), 3)
    theirs = best_time(lambda: pythtb.w90(str(tmp_path), "big"), 2)
    read, other = read_wannier90(tmp_path / "big_hr.dat"), pythtb.w90(str(tmp_path), "big").ham_r
    found = np.array([other[tuple(r)]["h"] for r in read.translations.tolist()])
    assert np.abs(found - read.hoppings).max() < 1e-12
    lines = len(model.translations) * SIZE**2
    print_table(
        f"Wannier90 file of {lines} elements, read and checked",
        ["time (ms)", "ratio"],
        [
            ["read_wannier90", f"{ours:.0f}", "1"],
            ["PythTB's w90, which reads only", f"{theirs:.0f}", f"{theirs / ours:.1f}"],
        ],
    )
