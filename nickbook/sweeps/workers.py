"""Who computes the points of a grid: this process, or workers of Dask."""

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import islice
from types import ModuleType
from typing import Any

from nickbook.checks import extra, positive_integer
from nickbook.sweeps.fingerprint import versions
from nickbook.sweeps.points import Index, Outcome, Point, Task, told

#: Seconds that a batch of points takes on a worker, and in this process until it is written.
BATCH, BATCH_HERE = 1.0, 0.1
#: Batches that are underway: for each core, and at least, so that clusters see what is to do.
FOR_EACH, AT_LEAST = 4, 64
#: Bytes of a function with its arguments from which it is not sent with each batch.
LARGE = 10**6
#: Of local workers, beside what Dask says of linear algebra: one thread, and no bars of theirs.
_LOCAL = {"NUMBA_NUM_THREADS": "1", "NICKBOOK_PROGRESS": "0"}

Outcomes = list[tuple[Index, Outcome]]


def computed(
    task: Task,
    points: Iterator[Point],
    number: int,
    workers: int | None,
    own: Iterable[ModuleType],
) -> Generator[Outcomes, None, None]:
    """Yield what points gave, together what is there at the same time.

    Modules of the user, `own`, are sent to the workers, which may not have them.
    """
    if workers is None or positive_integer("workers", workers) > 1:
        if number:
            payload = _packed(task, own)
            with _client(workers, number) as client:
                yield from _by_dask(client, payload, points, number)
        return
    batch, begin = Outcomes(), time.perf_counter()
    for point in points:
        batch.append(task(point))
        if time.perf_counter() - begin > BATCH_HERE:
            yield batch
            batch, begin = [], time.perf_counter()
    yield batch


def _packed(task: Task, own: Iterable[ModuleType]) -> bytes:
    with extra("sweep", "sweep with several workers"):
        import cloudpickle
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        content: bytes = cloudpickle.dumps(task)
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)
    return content


@contextmanager
def _client(workers: int | None, points: int) -> Iterator[Any]:
    """Give the active client, or one whose workers live as long as the context."""
    with extra("sweep", "sweep with several workers"):
        from dask.system import CPU_COUNT
        from distributed import Client, LocalCluster
    active = None
    if workers is None:
        with suppress(ValueError):
            active = Client.current()
    if active is not None:
        yield active
        return
    number = min(workers or CPU_COUNT, points)
    # Any free port: the usual one may be that of another cluster.
    options = {"threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "env": _LOCAL}
    local = LocalCluster(n_workers=number, **options)
    with local, Client(local, set_as_default=False) as client:
        yield client


def _by_dask(
    client: Any, payload: bytes, points: Iterator[Point], number: int
) -> Iterator[Outcomes]:
    from distributed import as_completed

    # As a task, a large one travels once, and is made again where it is lost. A small one goes with
    # every batch, since batches wait for the workers that have what they need.
    packed = payload if len(payload) < LARGE else client.submit(bytes, payload, pure=False)
    expected, completed = versions(), as_completed(loop=client.loop)
    underway: dict[Any, list[Point]] = {}
    alone: deque[Point] = deque()
    spent, count = 0.0, 0
    try:
        while alone or number or underway:
            cores = max(1, sum(client.nthreads().values()))
            while (alone or number) and len(underway) < max(AT_LEAST, FOR_EACH * cores):
                fitting = int(BATCH * count / spent) if spent else 1
                size = max(1, min(fitting, number // (FOR_EACH * cores)))
                if alone:
                    batch = [alone.popleft()]
                else:
                    batch = list(islice(points, size))
                    number -= len(batch)
                future = client.submit(_worked, packed, batch, expected, pure=False)
                underway[future] = batch
                completed.add(future)
            outcomes: Outcomes = []
            for future in completed.next_batch():
                batch = underway.pop(future)
                if (error := future.exception()) and len(batch) > 1:
                    alone.extend(batch)  # which of them took the worker with it?
                elif error:
                    outcomes.append((batch[0][0], told(error)))
                else:
                    found, took = future.result()
                    outcomes += found
                    spent, count = spent + took, count + len(batch)
            yield outcomes
    finally:
        client.cancel([*underway])


def _worked(packed: bytes, points: list[Point], expected: dict[str, str]) -> tuple[Outcomes, float]:
    """Compute points on a worker; return what they gave and the time."""
    if (here := versions()) != expected:
        text = f"WrongVersion: a worker has {here}, its client {expected}; install the same"
        return [(index, text) for index, _ in points], 0.0
    task, begin = _unpacked(packed), time.perf_counter()
    return [task(point) for point in points], time.perf_counter() - begin


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> Task:
    import cloudpickle

    task: Task = cloudpickle.loads(packed)
    return task
