"""Run the chapters whose code, or what it calls, has changed.

A chapter is a MyST notebook ``NN-name.md``; beside it stands ``NN-name.ipynb``, the same with
outputs. The executed copy stores a hash of the code cells with everything they call, and one of
the outputs, so that whether it is stale does not depend on dates, on prose, or on who saved it.
It holds nothing that depends on the machine. Both files are written as JupyterLab writes them, so
that opening and saving a chapter changes neither; `before_saving` does its part in JupyterLab.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from nickbook.book.explore import EXPLORER_MIME
from nickbook.claims.rows import rows
from nickbook.closure import Code, closure, data_files, fold, parse

CELL_TIMEOUT = 600  # seconds
WATCH_INTERVAL = 0.1  # seconds
SAVING_TIME = 1  # seconds in which JupyterLab saves both files
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
# What the kernel tells JupyterLab, without the version of Python.
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
COLOR = re.compile(r"\x1b\[[0-9;]*m")
# The book's outputs: no live widgets, and sums in one order.
KERNEL_ENVIRONMENT = {
    "NICKBOOK_STATIC": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


def chapters(directory: Path) -> list[Path]:
    """Return the sources in a directory that have a kernel in their header, in reading order."""
    return [page for page in sorted(directory.glob("*.md")) if "kernelspec" in read(page).metadata]


def read(source: Path) -> NotebookNode:
    """Read a chapter's source as a notebook without outputs.

    Identifiers of its cells depend on chapter, position and content alone: chapters have a cell in
    common, and no two cells of the book may share an identifier.
    """
    notebook: NotebookNode = jupytext.read(source, fmt="md:myst")
    for number, cell in enumerate(notebook.cells):
        content = hashlib.sha256(f"{source.stem} {cell.source}".encode()).hexdigest()
        cell["id"] = f"{number:02d}-{content[:8]}"
    return notebook


def made_from(notebook: NotebookNode, folder: Path) -> str:
    """Hash what decides a chapter's outputs: its code cells and all that they call.

    That is the modules of this package that they import, the rows of the ledger that they name,
    with the modules that measure them, and the files beside the chapter that they name. Prose,
    comments and tags that only change the looks do not count.
    """
    cells = _code_cells(notebook)
    codes = [cell_code(cell.source) for cell in cells]
    texts = [[code.text, _tags(cell)] for code, cell in zip(codes, cells, strict=True)]
    strings = frozenset[str]().union(*(code.strings for code in codes))
    every = any(re.search(r"\bledger\(\s*\)", cell.source) for cell in cells)
    named = {name: row for name, row in rows().items() if every or name in strings}
    behind = closure({row["source"] for row in named.values()}, codes)
    own = _hash([notebook.metadata.kernelspec.name, texts, named])
    return fold({"": own, **behind, **data_files(folder, strings)})


def is_stale(source: Path) -> bool:
    """Tell whether a chapter has to run: its code, what that calls, or its copy has changed."""
    return paired(source) is None


def paired(source: Path) -> NotebookNode | None:
    """Put the outputs of a chapter's executed copy beside its source as it is now.

    Returns what the executed copy should be, or None if it is stale.
    """
    notebook, noted = _beside(source)
    if notebook is None:
        return None
    _stamp(notebook, made_from(notebook, source.parent))
    return notebook if notebook.metadata.nickbook == noted else None


def _beside(source: Path) -> tuple[NotebookNode | None, dict[str, str]]:
    """Pair a source with the outputs of its copy if their code is one; and what the copy notes."""
    executed = source.with_suffix(".ipynb")
    if not executed.exists():
        return None, {}
    notebook, copy = read(source), nbformat.read(executed, as_version=4)
    pairs = _same_code(notebook, copy)
    if pairs is None:
        return None, {}
    for cell, other in pairs:
        cell["outputs"] = other.outputs
    return notebook, copy.metadata.get("nickbook", {})


def execute(source: Path) -> str | None:
    """Execute a chapter in a new kernel and write its ``.ipynb`` if every cell succeeds.

    Otherwise returns what went wrong, with the cell and its traceback, and leaves the old copy.
    """
    notebook = read(source)
    origin = made_from(notebook, source.parent)  # before, for what changes meanwhile
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name=notebook.metadata.kernelspec.name,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # ipykernel 7 warns of TCP at each start
        resources={"metadata": {"path": str(source.parent)}},
    )
    findings = {"NICKBOOK_FINDINGS": str(Path("_build/findings").absolute())}
    try:
        client.execute(env={**findings, **os.environ, **KERNEL_ENVIRONMENT})
    except (CellControlSignal, DeadKernelError) as error:
        traceback = COLOR.sub("", str(error))
        return f"{source}, code cell {client.code_cells_executed}:\n{traceback}"
    _stamp(notebook, origin)
    write(notebook, source)
    return None


def written(notebook: NotebookNode) -> str:
    """Return the text of an executed copy, which is also how JupyterLab saves it."""
    return f"{nbformat.writes(nbformat.from_dict(_as_javascript(notebook)))}\n"


def before_saving(model: dict[str, Any], path: str, contents_manager: Any, **_: object) -> None:
    """Keep a chapter as it was, as far as it is the same, when JupyterLab saves it.

    The settings of ``make lab`` make this a hook of the server's contents manager. It takes out the
    version of Python. Where all code, and what that calls, is as it was when the chapter was
    executed, an explorer that ran live gets back its table, with which it moves without a kernel.
    """
    if model["type"] != "notebook":
        return
    notebook = nbformat.from_dict(model["content"])
    notebook.metadata.get("language_info", {}).pop("version", None)
    executed = Path(contents_manager.root_dir, path.strip("/"))
    if executed.suffix == ".ipynb" and executed.exists():
        _restore_tables(notebook, executed)
    if not any(_shows(cell, WIDGET_MIME) for cell in _code_cells(notebook)):
        notebook.metadata.pop("widgets", None)  # their state, which is then of no use
    model["content"] = notebook


def write(notebook: NotebookNode, source: Path) -> bool:
    """Write a chapter's executed copy if it changed; return whether it did."""
    executed, text = source.with_suffix(".ipynb"), written(notebook)
    if executed.exists() and executed.read_text(encoding="utf-8") == text:
        return False
    unfinished = source.with_name(f".{source.stem}.part")  # hidden from who watches the folder
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(executed)
    return True


def watch(sources: Sequence[Path]) -> None:
    """Put each source that an editor saves beside the outputs of its executed copy, for ever.

    JupyterLab saves both files itself.
    """
    seen = {source: source.stat().st_mtime for source in sources}
    while True:
        time.sleep(WATCH_INTERVAL)
        for source in sources:
            saved = source.stat().st_mtime if source.exists() else seen[source]
            if saved == seen[source]:
                continue
            seen[source] = saved
            executed = source.with_suffix(".ipynb")
            if executed.exists() and abs(executed.stat().st_mtime - saved) < SAVING_TIME:
                continue
            notebook, noted = _beside(source)
            if notebook is None:
                print(f"other code: {source}; `make notebooks` runs it", flush=True)
            else:
                _stamp(notebook, "")
                notebook.metadata["nickbook"] = noted  # a chapter that was stale remains so
                # In place: mystmd takes a file that replaces another for a new page, and then
                # reads all pages.
                executed.write_text(written(notebook), encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 when a chapter failed or, with ``--check``, is stale."""
    parser = argparse.ArgumentParser(
        prog="python -m nickbook.book.notebooks", description="Execute the stale chapters."
    )
    parser.add_argument("names", nargs="*", help="chapters, as 05-gap-ratio; all by default")
    parser.add_argument("--check", action="store_true", help="list the stale ones, run nothing")
    parser.add_argument("--watch", action="store_true", help="copy prose whenever it is saved")
    parser.add_argument("--jobs", type=int, default=2, help="how many to run at a time")
    parser.add_argument("--directory", type=Path, default=Path("notebooks"))
    options = parser.parse_args(arguments)

    sources = chapters(options.directory)
    known = [source.stem for source in sources]
    unknown = set(options.names).difference(known)
    if unknown:
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = [source for source in sources if source.stem in (options.names or known)]
    if options.watch:
        watch(chosen)
    current = {source: paired(source) for source in chosen}
    stale = [source for source, notebook in current.items() if notebook is None]
    if options.check:
        for source in stale:
            print(f"stale: {source}")
        return int(bool(stale))
    for source, notebook in current.items():
        if notebook is not None and write(notebook, source):
            print(f"same code, outputs kept: {source}")
    for source in stale:
        print(f"to run: {source}", flush=True)
    with ProcessPoolExecutor(max_workers=options.jobs) as pool:
        failures = [failure for failure in pool.map(execute, stale) if failure]
    for failure in failures:
        print(failure, file=sys.stderr)
    return int(bool(failures))


def _stamp(notebook: NotebookNode, origin: str) -> None:
    """Renumber the cells, drop what says something of the machine, and note the origin."""
    notebook.metadata["language_info"] = LANGUAGE
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)
    cells, numbers = _code_cells(notebook), count(1)
    for cell in cells:
        cell["execution_count"] = next(numbers)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output["execution_count"] = cell.execution_count
    outputs = _hash([cell.outputs for cell in cells])
    notebook.metadata["nickbook"] = {"made_from": origin, "outputs": outputs}


def _restore_tables(notebook: NotebookNode, executed: Path) -> None:
    """Put an explorer with its table where the same code has left a live widget.

    Or nothing as yet: an autosave may come while the cells run.
    """
    copy = nbformat.read(executed, as_version=4)
    pairs = _same_code(notebook, copy) or ()
    lost = [
        (cell, other)
        for cell, other in pairs
        if _shows(other, EXPLORER_MIME) and (not cell.outputs or _shows(cell, WIDGET_MIME))
    ]
    origin = copy.metadata.get("nickbook", {}).get("made_from")
    if lost and made_from(notebook, executed.parent) == origin:
        for cell, other in lost:
            cell["outputs"] = other.outputs


def _shows(cell: NotebookNode, mime: str) -> bool:
    return any(mime in output.get("data", ()) for output in cell.outputs)


def _same_code(
    notebook: NotebookNode, copy: NotebookNode
) -> list[tuple[NotebookNode, NotebookNode]] | None:
    """Pair the code cells of two notebooks, or return nothing if any two differ."""
    cells, copies = _code_cells(notebook), _code_cells(copy)
    codes = [[cell_code(cell.source).text for cell in listed] for listed in (cells, copies)]
    if codes[0] != codes[1]:
        return None
    return list(zip(cells, copies, strict=True))


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_code(source: str) -> Code:
    """Read a cell, which may hold magics, or mistakes that its execution will tell."""
    try:
        return parse(TransformerManager().transform_cell(source), documented=False)
    except SyntaxError:
        return Code(source)


def _tags(cell: NotebookNode) -> list[str]:
    """Tags of a cell that change how it runs."""
    return sorted({"raises-exception", "skip-execution"} & set(cell.metadata.get("tags", ())))


def _hash(thing: Any) -> str:
    text = json.dumps(_as_javascript(thing), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _as_javascript(thing: Any) -> Any:
    """Turn what JSON holds into what JavaScript, with which JupyterLab saves, makes of it."""
    return json.loads(
        json.dumps(thing), parse_float=lambda x: int(n) if (n := float(x)).is_integer() else n
    )


if __name__ == "__main__":
    sys.exit(main())
