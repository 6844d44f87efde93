"""Whoever computes the points, the results are the same."""

import os
from collections import Counter

import dask
import numpy as np
import pytest
import xarray as xr
from clusters import cluster
from distributed import Client

from nickbook.bands import filling, four_band
from nickbook.sweeps import sweep, workers

MODEL = four_band()


def electrons(mu, rng):
    """Name what workers do not have: this file, with a model of its own."""
    return {"n": filling(MODEL, mu), "r": rng.random(3), "worker": str(os.getpid())}


def same(data, other):
    return data.drop_vars("worker").drop_attrs().equals(other.drop_vars("worker").drop_attrs())


def test_local_workers_do_what_this_process_does(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "BATCH", 1e6)  # 7 does not travel alone
    monkeypatch.setattr(workers, "AT_LEAST", 1)
    monkeypatch.setattr(workers, "FOR_EACH", 1)
    monkeypatch.setattr(workers, "LARGE", 1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    store = tmp_path / "store"

    def fragile(x, seed):
        if x == 7:
            os._exit(3)  # as a crash of compiled code, or the system where memory is short
        threads = os.environ["OMP_NUM_THREADS"] + os.environ["OPENBLAS_NUM_THREADS"]
        return {"value": x**2 + seed, "worker": str(os.getpid()), "threads": threads}

    once = dask.config.set({"distributed.scheduler.allowed-failures": 0})
    said = pytest.warns(RuntimeWarning, match="1 of 12 points failed, the first by KilledWorker")
    with once, said:
        data = sweep(fragile, x=range(12), workers=2, store=store)
    assert (data.error != "").values.nonzero()[0].tolist() == [7]
    alone = sweep(lambda x, seed: x**2 + seed, x=range(12), workers=1)["value"]
    np.testing.assert_array_equal(data["value"], alone.where(alone.x != 7))
    assert str(os.getpid()) not in data.worker and set(data.threads.values) == {"11", ""}
    with xr.open_zarr(store, consolidated=False, chunks=None) as kept:
        assert kept["value"].equals(data["value"])


def test_a_client_somewhere_does_it_unchanged(tmp_path, monkeypatch):
    given = {"mu": np.linspace(10.0, 10.1, 12), "seed": 4}
    with cluster(tmp_path) as (file, processes), Client(scheduler_file=file, timeout=60) as client:
        client.wait_for_workers(2)
        data = sweep(electrons, **given, store=tmp_path / "store")
        monkeypatch.setattr(workers, "versions", lambda: {"numpy": "1.0"})
        with pytest.warns(RuntimeWarning, match="12 of 12 .* WrongVersion: a worker has .*numpy"):
            sweep(electrons, **given)
    assert set(map(int, data.worker.values.flat)) <= processes
    assert same(data, sweep(electrons, **given, workers=1))
    again = sweep(electrons, **given, store=tmp_path / "store")  # nothing is left to compute
    assert again.worker.equals(data.worker)


def test_quick_points_travel_together():
    def quick(x, y):
        return x - y

    asked = Counter()
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with Client(processes=False, **options) as client:
        submit = client.submit

        def counted(function, *given, **others):
            asked[function] += 1
            return submit(function, *given, **others)

        client.submit = counted
        data = sweep(quick, x=range(40), y=range(50))
    np.testing.assert_array_equal(data.quick, np.subtract.outer(range(40), range(50)))
    assert asked[workers._worked] < 400
