"""What a sweep adds to the time of its points, with two workers that sleep."""

import time
from contextlib import contextmanager

import pytest
from clusters import cluster
from distributed import Client, LocalCluster

from nickbook.sweeps import sweep

from .plain import print_table

LOCAL = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}


def sleeping(i, seconds):
    time.sleep(seconds)
    return seconds * i


def plainly(seconds, calls):
    """Time of one call in a loop, which is longer than what is asked for."""
    begin = time.perf_counter()
    for i in range(calls):
        sleeping(i, seconds)
    return (time.perf_counter() - begin) / calls


@contextmanager
def local(_):
    with LocalCluster(**LOCAL) as there, Client(there) as client:
        yield client


@contextmanager
def remote(folder):
    with cluster(folder) as (file, _), Client(scheduler_file=file, timeout=60) as client:
        client.wait_for_workers(2)
        yield client


@pytest.mark.parametrize("start", [local, remote])
def test_overhead_per_point(start, tmp_path):
    rows = []
    begin = time.perf_counter()
    with start(tmp_path):
        ready = time.perf_counter() - begin
        sweep(sleeping, i=range(8), seconds=0.0)  # loads what workers need
        for seconds, points in ((0.001, 4000), (0.1, 200), (10.0, 4)):
            one = plainly(seconds, 1 if points < 10 else 50)
            for store in (None, tmp_path / f"{seconds}"):
                begin, processor = time.perf_counter(), time.process_time()
                data = sweep(sleeping, i=range(points), seconds=seconds, store=store)
                took = 2 * (time.perf_counter() - begin) / points - one
                here = (time.process_time() - processor) / points
                assert (data.sleeping == seconds * data.i).all()
                kept = "in a store" if store else "in memory"
                rows.append((f"{seconds:g} s, {kept}", f"{1e3 * took:.2g}", f"{1e3 * here:.2g}"))
    title = f"Sweep with {start.__name__} workers, ready after {ready:.1f} s"
    print_table(title, ("overhead of a worker / ms", "CPU here / ms"), rows)
