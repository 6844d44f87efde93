"""Run the chapters whose text, or the package they call, has changed.

A chapter is a MyST notebook ``NN-name.md``; beside it stands ``NN-name.ipynb``, the same with
outputs. The executed copy stores a hash of everything it was made from, so that whether it is
stale does not depend on dates, and it holds nothing that depends on the machine.
"""

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

PACKAGE = Path(__file__).parents[1]
CELL_TIMEOUT = 600  # seconds
COLOR = re.compile(r"\x1b\[[0-9;]*m")
# The book's outputs: no live widgets, and sums in one order.
KERNEL_ENVIRONMENT = {
    "NICKBOOK_STATIC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def chapters(directory: Path) -> list[Path]:
    """Return the sources in a directory that are notebooks, in reading order.

    Parameters
    ----------
    directory : Path
        Where the pages are; those without a kernel in their header are plain text.

    Returns
    -------
    list of Path
        The ``.md`` files to execute.
    """
    return [page for page in sorted(directory.glob("*.md")) if "kernelspec" in read(page).metadata]


def read(source: Path) -> NotebookNode:
    """Read a chapter's source as a notebook without outputs.

    Parameters
    ----------
    source : Path
        A MyST Markdown file.

    Returns
    -------
    NotebookNode
        Its cells, with identifiers that depend on their position and content alone.
    """
    notebook: NotebookNode = jupytext.read(source, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        content = hashlib.sha256(cell.source.encode()).hexdigest()
        cell["id"] = f"{number:02d}-{content[:8]}"
    return notebook


def fingerprint(source: Path) -> str:
    """Hash what an executed chapter is made from: its source and the package.

    Parameters
    ----------
    source : Path
        A MyST Markdown file.

    Returns
    -------
    str
        A hexadecimal SHA-256, the same for either kind of line ending.
    """
    parts = (p for p in sorted(PACKAGE.rglob("*")) if p.suffix in {".py", ".yml", ".mjs", ".nc"})
    digest = hashlib.sha256(b"\n".join(source.read_bytes().splitlines()))
    for part in parts:
        digest.update(f"\n{part.relative_to(PACKAGE).as_posix()}\n".encode())
        digest.update(b"\n".join(part.read_bytes().splitlines()))
    return digest.hexdigest()


def is_stale(source: Path) -> bool:
    """Tell whether a chapter's executed copy is missing or made from something else.

    Parameters
    ----------
    source : Path
        A MyST Markdown file.

    Returns
    -------
    bool
        True when the chapter has to be executed.
    """
    executed = source.with_suffix(".ipynb")
    if not executed.exists():
        return True
    metadata = nbformat.read(executed, as_version=4).metadata
    return bool(metadata.get("nickbook", {}).get("hash") != fingerprint(source))


def execute(source: Path) -> str | None:
    """Execute a chapter in a new kernel and write its ``.ipynb`` if every cell succeeds.

    Parameters
    ----------
    source : Path
        A MyST Markdown file.

    Returns
    -------
    str or None
        What went wrong, with the cell and its traceback; the old copy is then left alone.
    """
    made_from = fingerprint(source)
    notebook = read(source)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name=notebook.metadata.kernelspec.name,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # ipykernel 7 warns of TCP at each start
        resources={"metadata": {"path": str(source.parent)}},
    )
    try:
        client.execute(env={**os.environ, **KERNEL_ENVIRONMENT})
    except (CellControlSignal, DeadKernelError) as error:
        traceback = COLOR.sub("", str(error))
        return f"{source}, code cell {client.code_cells_executed}:\n{traceback}"
    normalize(notebook)
    notebook.metadata["nickbook"] = {"hash": made_from}
    unfinished = source.with_suffix(".ipynb.part")
    nbformat.write(notebook, unfinished)
    unfinished.replace(source.with_suffix(".ipynb"))
    return None


def normalize(notebook: NotebookNode) -> None:
    """Drop what an execution leaves in a notebook that says something of the machine.

    Parameters
    ----------
    notebook : NotebookNode
        An executed notebook, changed in place; its code cells get the numbers 1, 2, ...
    """
    notebook.metadata["language_info"] = {"name": "python", "file_extension": ".py"}
    numbers = count(1)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell["execution_count"] = next(numbers)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output["execution_count"] = cell.execution_count


def run(sources: Iterable[Path], *, jobs: int) -> list[str]:
    """Execute chapters side by side.

    Parameters
    ----------
    sources : iterable of Path
        MyST Markdown files.
    jobs : int
        How many to execute at a time.

    Returns
    -------
    list of str
        What went wrong, one text for each chapter that failed.
    """
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        return [failure for failure in pool.map(execute, sources) if failure]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the command; those of the process by default.

    Returns
    -------
    int
        0, or 1 when a chapter failed or, with ``--check``, is stale.
    """
    parser = argparse.ArgumentParser(
        prog="python -m nickbook.book.notebooks", description="Execute the stale chapters."
    )
    parser.add_argument("names", nargs="*", help="chapters, as 05-gap-ratio; all by default")
    parser.add_argument("--check", action="store_true", help="list the stale ones, run nothing")
    parser.add_argument("--jobs", type=int, default=2, help="how many to run at a time")
    parser.add_argument("--directory", type=Path, default=Path("notebooks"))
    options = parser.parse_args(arguments)

    sources = chapters(options.directory)
    known = [source.stem for source in sources]
    unknown = set(options.names).difference(known)
    if unknown:
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    stale = [s for s in sources if s.stem in (options.names or known) and is_stale(s)]
    if options.check:
        for source in stale:
            print(f"stale: {source}")
        return int(bool(stale))
    for source in stale:
        print(f"to run: {source}", flush=True)
    failures = run(stale, jobs=options.jobs)
    for failure in failures:
        print(failure, file=sys.stderr)
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
