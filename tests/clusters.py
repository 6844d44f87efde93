"""A cluster as far as a client can tell: its scheduler and workers are processes elsewhere."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nickbook

SCHEDULER = ["scheduler", "--host", "127.0.0.1", "--port", "0"]
WORKER = ["worker", "--no-nanny", "--nthreads", "1"]


@contextmanager
def cluster(folder):
    """Yield the file that tells clients where the scheduler is, and the workers' numbers."""
    environment = os.environ | {"PYTHONPATH": str(Path(nickbook.__file__).parents[1])}
    started = []
    with (folder / "log").open("w") as log:
        for kind, *given in (SCHEDULER, WORKER, WORKER):
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *given]
            command += ["--scheduler-file", "at.json", "--dashboard-address", "127.0.0.1:0"]
            started.append(
                subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
            )
    try:
        yield str(folder / "at.json"), {process.pid for process in started[1:]}
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()
