"""What a flow asks of the machine before it starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nickbook

READ_ONLY = """
import sys
import nickbook.pairing
assert "numba" not in sys.modules
from nickbook.pairing.frg.kernels import step
assert nickbook.__file__.startswith(sys.argv[1])
assert step(1.0, 0) == 0.5
"""


def test_numba_waits_for_a_flow_and_needs_no_place_to_write(tmp_path):
    copy = tmp_path / "nickbook"
    shutil.copytree(
        Path(nickbook.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "*.nc")
    )
    # A file in its place: no such folder can be made, even by root.
    for room in [copy, *(p for p in copy.rglob("*") if p.is_dir())]:
        (room / "__pycache__").write_text("")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
    kept |= {"HOME": os.devnull, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", READ_ONLY, str(tmp_path)]
    subprocess.run(command, env=kept, cwd=tmp_path, check=True)
