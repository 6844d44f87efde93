"""A sweep is the loop that one would write, keeps what it has, and mixes nothing."""

import functools
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import nickbook
from nickbook.bands import FermiSea, four_band
from nickbook.checks import positive_integer
from nickbook.sweeps import fingerprint, grid, sweep, table, workers
from nickbook.sweeps.fingerprint import Fingerprint

here = functools.partial(sweep, workers=1)


class Calls:
    """Notes calls, and is no part of what a function computes."""

    def __init__(self):
        self.seen = []

    def __getstate__(self):
        return None


@pytest.fixture
def counted():
    """Return a function of two parameters, and the list of its calls."""
    calls = Calls()

    def ratio(x, y, factor=1.0):
        calls.seen.append((x, y))
        if x == y:
            raise ZeroDivisionError(f"{x} is {y}")
        return factor * x / (x - y)

    return ratio, calls.seen


def test_the_package_exports_it():
    assert nickbook.sweep is sweep
    with pytest.raises(AttributeError, match="swept"):
        _ = nickbook.swept


def test_numbers_texts_and_arrays_are_those_of_a_loop():
    def everything(U, name, n, scale):
        line = xr.DataArray(scale * U * np.arange(3), dims="m", attrs={"units": "eV"})
        return {
            "half": U / 2,
            "wave": np.exp(1j * U) * np.ones((2, n)),
            "line": line,
            "label": name * n,
            "labels": [name, "x" * n],
            "labelled": xr.DataArray(np.arange(4.0), coords={"k": [1, 2, 3, 4]}, dims="k"),
            "chosen": xr.DataArray(n, coords={"U": U}),
        }

    axes = {"U": [1.0, 2.5, 4.0], "name": ["s", "dxy"], "n": range(1, 4)}
    data = here(everything, **axes, scale=2.0, units={"U": "eV", "half": "eV"})
    assert data.half.dims == ("U", "name", "n")
    in_eV = {name for name, v in data.variables.items() if v.attrs.get("units") == "eV"}
    assert in_eV == {"U", "half", "line"}
    assert data.k.values.tolist() == [1, 2, 3, 4] and data.n.dtype.kind == "i"
    for U, name, n in itertools.product(*axes.values()):
        wanted = everything(U, name, n, 2.0)
        point = data.sel(U=U, name=name, n=n)
        assert point.half == wanted["half"] and point.chosen == n
        np.testing.assert_array_equal(point.wave.values[:, :n], wanted["wave"])
        assert np.isnan(point.wave.values[:, n:]).all()
        np.testing.assert_array_equal(point.line, wanted["line"])
        assert point.label == wanted["label"] and point.labels.values.tolist() == wanted["labels"]
        assert point.error == ""


def test_results_and_data_sets_keep_their_parts():
    model = four_band()
    data = here(FermiSea.at, model=model, filling=[2.9, 3.0])
    levels = [FermiSea.at(model, filling=n).mu for n in (2.9, 3.0)]
    np.testing.assert_allclose(data.mu, levels, rtol=1e-12)
    assert data.mu.attrs["units"] == "eV"
    single = here(lambda x: xr.Dataset({"a": ("t", [x, 2 * x])}, coords={"t": [0, 1]}), x=[3])
    assert single.a.sel(x=3, t=1) == 6
    unnamed = here(lambda x: xr.DataArray([x], dims="t"), x=[3])
    assert unnamed["value"].dims == ("x", "t")
    assert here(positive_integer, name="n", value=3).positive_integer == 3.0


def test_attributes_say_from_what():
    data = here(functools.partial(lambda b, a: a * b, 2), a=[1])
    assert data["value"].values.tolist() == [2.0]
    data = here(positive_integer, name="n", value=[3], at_least=2)
    said = data.attrs
    assert said["function"] == "nickbook.checks.positive_integer"
    assert '"at_least": "2"' in said["parameters"] and said["seed"] == ""
    assert "def positive_integer(" in said["source"]
    assert f'"numpy": "{np.__version__}"' in said["versions"] and "nickbook.checks" in said["code"]
    assert said["date"].startswith("20")


@pytest.mark.parametrize("values", [[], [[1, 2]], [1, "a"], [None], np.ones((2, 2))])
def test_what_is_no_axis(values):
    with pytest.raises(ValueError, match=r"^x = .* is no axis; allowed: one or more numbers"):
        here(abs, x=values)


def test_a_failed_point_ends_nothing(counted, tmp_path):
    function, calls = counted
    given = {"x": [1, 2, 3], "y": [2, 3], "store": tmp_path / "store"}
    with pytest.warns(
        RuntimeWarning, match=r"2 of 6 points failed, the first by ZeroDivision.*retry"
    ):
        data = here(function, **given)
    assert np.isnan(data.ratio.values).tolist() == [[False] * 2, [True, False], [False, True]]
    text = data.error.sel(x=2, y=2).item()
    assert text.startswith("ZeroDivisionError: 2 is 2\n") and "in ratio" in text
    assert data.error.sel(x=1, y=2) == ""
    calls.clear()
    with pytest.warns(RuntimeWarning, match="2 of 6"):
        again = here(function, **given)
    assert calls == [] and again.drop_attrs().identical(data.drop_attrs())
    with pytest.warns(RuntimeWarning, match="2 of 6"):
        here(function, **given, retry=True)
    assert calls == [(2, 2), (3, 3)]


def test_points_that_fail_for_a_while(tmp_path):
    broken = tmp_path / "broken"
    broken.touch()

    def careful(x):
        if Path(broken).exists():
            raise OSError("not yet")
        return {"x squared": x**2}

    given = {"x": [1, 2, 3], "store": tmp_path / "store"}
    with pytest.warns(RuntimeWarning, match="3 of 3"):
        data = here(careful, **given)
    assert list(data) == ["error"]
    broken.unlink()
    data = here(careful, **given, retry=True)
    assert data["x squared"].values.tolist() == [1, 4, 9] and not data.error.values.any()
    stored = here(careful, **given)
    assert stored["x squared"].equals(data["x squared"]) and stored.error.dtype == object


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("text", "v has dimensions .* at another point"),
        ([1.0], r"v has dimensions \('v axis 0',\)"),
        (1j, "complex128; at another point .* float64"),
        (None, "returned array\\(None.*allowed: numbers, texts"),
        (xr.DataArray([1.0], dims="x"), "x is a name of the sweep"),
        (xr.DataArray([1.0, 2.0], {"t": [0, 2]}, "t"), "coordinate t is not that of"),
        (xr.DataArray([1.0, 2.0, 3.0], dims="t"), "along t are longer than its coordinate"),
    ],
)
def test_what_does_not_fit_is_an_error_of_its_point(second, message):
    first = {"v": 1.0, "w": xr.DataArray([0.0, 1.0], {"t": [0, 1]}, "t")}
    name = "u" if isinstance(second, xr.DataArray) else "v"

    def differing(x):
        return {**first, name: second} if x else first

    with pytest.warns(RuntimeWarning, match="1 of 3 points"):
        data = here(differing, x=[0, 1, 0])
    assert re.search(message, data.error.values[1])
    assert np.isfinite(data.v.values).tolist() == [True, False, True]


@pytest.fixture
def stored(tmp_path):
    """Return a sweep of two points that a folder keeps, and the function that repeats it."""

    def line(x, seed, slope=2.0):
        return slope * x + 0 * seed

    return functools.partial(here, line, x=[1, 2], store=tmp_path / "kept")


def test_a_store_is_mixed_with_nothing_else(stored, monkeypatch, tmp_path):
    first = stored()

    def line(x, seed, slope=2.0):
        return slope * x + 1 + 0 * seed

    def refused(text, call=stored, **changes):
        with pytest.raises(ValueError, match=f"kept holds another sweep: .*{text}.*Give another"):
            call(**changes)

    refused("slope None there, 3 here", slope=3)
    refused("seed 0 there, 1 here", seed=1)
    refused(r"x \(1, 2\) there, \(1, 3\) here", x=[1, 3])
    refused(r"x \(1, 2\) there, \(2\) here", x=[2], extend=True)
    refused(r"axes \('x',\) there, \('x', 'slope'\) here", slope=[2.0])
    other = functools.partial(here, line, x=[1, 2], store=tmp_path / "kept")
    refused("function .*stored.<locals>.line there, .*line here; the code or value of", other)
    with monkeypatch.context() as patch:
        patch.setattr(grid, "versions", lambda: fingerprint.versions() | {"numpy": "1.0"})
        refused(f"numpy {np.__version__} there, 1.0 here")
    with pytest.raises(ValueError, match="fewer values of x; with extend=True the"):
        stored(x=[1, 2, 3])
    assert stored().identical(first)
    (tmp_path / "kept" / ".zattrs").write_text("{}")
    with pytest.raises(ValueError, match="another sweep: not one of this package"):
        stored()
    shutil.rmtree(tmp_path / "kept")
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(ValueError, match=r"kept holds no sweep .*give another store"):
        stored()


def test_longer_axes_keep_what_is_there(counted, tmp_path):
    function, calls = counted
    store = tmp_path / "store"
    here(function, x=[1, 2], y=[5], store=store)
    calls.clear()
    data = here(function, x=[1, 2, 3], y=[5, 6], store=store, extend=True)
    assert set(calls) == {(3, 5), (1, 6), (2, 6), (3, 6)} and len(calls) == 4
    fresh = here(function, x=[1, 2, 3], y=[5, 6])
    assert data.drop_attrs().identical(fresh.drop_attrs())
    with xr.open_zarr(store, consolidated=False, chunks=None) as kept:
        assert kept.ratio.equals(fresh.ratio) and not (kept.error != "").any()


def test_parts_of_a_store_join(monkeypatch, tmp_path):
    monkeypatch.setattr(table, "CHUNK_POINTS", 4)
    monkeypatch.setattr(workers, "BATCH_HERE", -1.0)  # written after each point

    def rows(x, y):
        return {"n": np.arange(10.0 * x + y, 3 + 10 * x + y), "name": "xy"[x % 2] * y}

    given = {"x": range(5), "y": range(3)}
    data = here(rows, **given, store=tmp_path / "store")
    with xr.open_zarr(tmp_path / "store", consolidated=False) as kept:
        assert kept.n.encoding["chunks"] == (1, 3, 3)
        assert kept.n.equals(data.n) and (kept.name == data.name).all()
    assert data.n.values[3, 2].tolist() == [32.0, 33.0, 34.0]
    assert here(rows, **given, store=tmp_path / "store").identical(data)


def test_a_store_that_was_being_exchanged(stored, tmp_path):
    date = stored().attrs["date"]
    kept = tmp_path / "kept" / ".zattrs"
    kept.write_text(kept.read_text().replace(date, "long ago"))
    (tmp_path / "kept").rename(tmp_path / "kept.old")
    assert stored().attrs["date"] == "long ago"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


SCRIPT = """
import sys, time
from nickbook.sweeps import sweep

MODES = {"s", "p", "d", "f"}  # in another order after each start

def slow(x, y, rng):
    assert x not in MODES
    with open("calls", "a") as calls:
        calls.write(f"{x} {y}\\n")
    time.sleep(0.15)
    return 10 * x + y + rng.random()

data = sweep(slow, x=[1, 2, 3], y=[1, 2, 3], workers=1, store="store", seed=5)
print(data.slow.values.tolist())
"""


def test_a_killed_sweep_goes_on(tmp_path):
    (tmp_path / "run.py").write_text(SCRIPT)
    calls = tmp_path / "calls"

    def start(salt):
        environment = os.environ | {
            "PYTHONPATH": str(Path(nickbook.__file__).parents[1]),
            "PYTHONHASHSEED": salt,
        }
        command = [sys.executable, "run.py"]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE
        )

    process = start("1")
    while not calls.exists() or len(calls.read_text().splitlines()) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    before = calls.read_text().splitlines()
    with xr.open_zarr(tmp_path / "store", consolidated=False, chunks=None) as kept:
        done = int((kept.error == "").sum())
        assert (kept.error == table.PENDING).sum() == 9 - done
    # All but the last one, which was underway, and perhaps the one that was being written.
    assert len(before) - 2 <= done <= len(before)
    said, _ = start("2").communicate()
    after = calls.read_text().splitlines()[len(before) :]
    assert len(after) == 9 - done and len({*before, *after}) == 9
    roots = np.random.SeedSequence(5).spawn(3)
    drawn = [[np.random.default_rng(s).random() for s in root.spawn(3)] for root in roots]
    grid_points = 10 * np.arange(1, 4)[:, None] + np.arange(1, 4)
    np.testing.assert_allclose(eval(said), grid_points + np.array(drawn))  # noqa: S307


def test_random_numbers_belong_to_places():
    def draw(x, seed):
        return seed + 0 * x

    first = here(draw, x=[7, 7, 8], seed=3).draw.values
    children = np.random.SeedSequence(3).spawn(3)
    assert first.tolist() == [child.generate_state(1)[0] for child in children]
    assert here(draw, x=[1], seed=3).draw.values == first[0] != here(draw, x=[1]).draw.values
    new, other = here(draw, x=[1], seed=None), here(draw, x=[1], seed=None)
    assert new.draw != other.draw
    assert here(draw, x=[1], seed=int(new.attrs["seed"])).draw == new.draw


CODE = """
import functools
import numpy as np
LEVEL, MODES = 0.5, {"s", "d"}
VALUES = np.arange(3.0)
def helper(x):
    "Help."
    return x + LEVEL  # at the level
class Line:
    slope = 2
    def at(self, x): return self.slope * x
    @functools.cached_property
    def end(self): return 1
LINE = Line()
@functools.cache
def kept(x): return helper(x) if x in {"a", "b"} else LINE.at(x)
def made(n=1):
    def function(x, y=3):
        inner = lambda z: kept(z) + n
        return inner(x) + VALUES[0] + len(MODES)
    return function
function = made()
"""


def prints(code):
    space = {"__name__": "__main__"}
    exec(textwrap.dedent(code), space)  # noqa: S102
    found = Fingerprint()
    found.add("it", space["function"])
    return found.found


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("  # at the level", "", True),
        ('"Help."', '"Another."', True),
        ("def helper", "\n\ndef helper", True),
        ('{"s", "d"}', '{"d", "s"}', True),
        ("class Line", "UNUSED = 3\nclass Line", True),
        ("LEVEL, MODES = 0.5", "LEVEL, MODES = 0.6", False),
        ("np.arange(3.0)", "np.arange(4.0)", False),
        ("np.arange(3.0)", "np.arange(3)", False),
        ("x + LEVEL", "x - LEVEL", False),
        ("slope = 2", "slope = 3", False),
        ("self.slope * x", "self.slope + x", False),
        ('"a", "b"', '"a", "c"', False),
        ("kept(z) + n", "kept(z) - n", False),
        ("made(n=1)", "made(n=2)", False),
        ("y=3", "y=4", False),
        ("end(self): return 1", "end(self): return 2", False),
        ("LINE = Line()", "LINE = Line(); LINE.slope = 5", False),
    ],
)
def test_what_is_another_function(old, new, same):
    assert CODE.count(old) == 1
    assert (prints(CODE) == prints(CODE.replace(old, new))) == same


def test_functions_of_the_package_stand_with_what_they_call():
    code = "def function(x):\n    from nickbook.bands import four_band\n    return four_band"
    assert {"nickbook.bands", "__main__.function"} < prints(code).keys()
    code = "from nickbook.bands import fillings\ndef function(x): return fillings.filling(x)"
    assert "nickbook.bands.fillings" in prints(code)
    code = "from nickbook.bands import filling\ndef function(x): return filling(x)"
    assert "nickbook.bands.fillings" in prints(code)
