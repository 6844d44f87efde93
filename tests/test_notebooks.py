"""The chapters: source and executed copy agree, and running them again gives the same text."""

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import jupytext
import nbformat
import pytest

from nickbook.book import notebooks

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHAPTERS = notebooks.chapters(NOTEBOOKS)
# The header that CONTRIBUTING.md tells authors to copy.
HEADER = (NOTEBOOKS.parent / "CONTRIBUTING.md").read_text().split("```yaml\n")[1].split("```")[0]
TINY = (
    textwrap.dedent(HEADER).replace("---", "---\ntitle: Tiny\nnumbering: {enumerator: 1.%s}", 1)
    + """
# Tiny

```{code-cell} python
:label: fig-tiny
:tags: [hide-input]

from IPython.display import display

picture = {"image/png": "iVBORw0KGgo=", "text/plain": "a figure"}
data = {"application/vnd.nickbook.figure+json": {"data": {"text": "0.1"}}}
display(picture | data, raw=True)
```

```{code-cell} python
print("gap ratio", 1.25)
```
"""
)

chapters = pytest.mark.parametrize("source", CHAPTERS, ids=lambda source: source.stem)


@pytest.fixture(scope="module")
def executed_tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the executed source of a notebook with one figure and one printed number."""
    source = tmp_path_factory.mktemp("tiny") / "01-tiny.md"
    source.write_text(TINY)
    assert notebooks.execute(source) is None
    return source


@pytest.fixture
def tiny(executed_tiny: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    shutil.copytree(executed_tiny.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / executed_tiny.name


def executed(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def content(notebook: nbformat.NotebookNode) -> list[tuple[object, ...]]:
    return [(cell.cell_type, cell.source, dict(cell.metadata)) for cell in notebook.cells]


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_every_executed_notebook_has_a_source() -> None:
    assert CHAPTERS
    assert sorted(NOTEBOOKS.glob("*.ipynb")) == [s.with_suffix(".ipynb") for s in CHAPTERS]


@chapters
def test_both_files_of_a_chapter_hold_the_same_cells(source: Path) -> None:
    assert content(executed(source)) == content(notebooks.read(source))


def assert_saving_keeps(source: Path) -> None:
    """JupyterLab writes the source from the executed copy: cells and header survive."""
    saved = jupytext.reads(jupytext.writes(executed(source), fmt="md:myst"), fmt="md:myst")
    original = notebooks.read(source)
    assert content(saved) == content(original)
    assert saved.metadata == original.metadata


@chapters
def test_saving_in_jupyterlab_keeps_the_source(source: Path) -> None:
    assert_saving_keeps(source)


def test_saving_in_jupyterlab_keeps_the_recommended_header(tiny: Path) -> None:
    assert notebooks.read(tiny).metadata["title"] == "Tiny"
    assert_saving_keeps(tiny)


@chapters
def test_committed_chapter_is_fresh(source: Path) -> None:
    assert not notebooks.is_stale(source), "run `make notebooks`"


@chapters
def test_committed_chapter_was_executed_without_errors(source: Path) -> None:
    cells = code_cells(executed(source))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert not [out for cell in cells for out in cell.outputs if out.output_type == "error"]


@chapters
def test_no_cell_prints_a_page(source: Path) -> None:
    for cell in code_cells(executed(source)):
        printed = sum(len(out.text) for out in cell.outputs if out.output_type == "stream")
        assert printed < 5_000, cell.source


@chapters
def test_chapter_has_a_readable_length(source: Path) -> None:
    notebook = notebooks.read(source)
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    formulas = re.compile(r"^(`{3,}|\$\$).*?^\1|\$[^$]*\$", re.MULTILINE | re.DOTALL)
    words = re.findall(r"[^\W\d_][\w'’-]+", formulas.sub(" x ", prose))
    assert 1_500 <= len(words) <= 2_700
    assert 10 <= len(code_cells(notebook)) <= 25


def test_ledger_page_is_what_the_claims_say(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "ledger.md"
    subprocess.run([sys.executable, "-m", "nickbook.claims", page], check=True, cwd=root)
    assert page.read_text() == (NOTEBOOKS / "ledger.md").read_text(), "run `make notebooks`"


def test_executing_twice_gives_the_same_bytes(tiny: Path) -> None:
    first = tiny.with_suffix(".ipynb").read_bytes()
    tiny.with_suffix(".ipynb").unlink()
    assert notebooks.execute(tiny) is None
    assert tiny.with_suffix(".ipynb").read_bytes() == first


def test_stale_means_changed_text_whatever_the_line_ending(tiny: Path) -> None:
    assert not notebooks.is_stale(tiny)
    tiny.write_bytes(TINY.replace("\n", "\r\n").encode())
    assert not notebooks.is_stale(tiny)
    tiny.write_text(TINY.replace("1.25", "1.5"))
    assert notebooks.is_stale(tiny)


def test_changed_package_makes_every_chapter_stale(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = shutil.copytree(notebooks.PACKAGE, tmp_path / "nickbook")
    monkeypatch.setattr(notebooks, "PACKAGE", package)
    assert not notebooks.is_stale(tiny)
    with (package / "__init__.py").open("a") as module:
        module.write("CHANGED = True\n")
    assert notebooks.is_stale(tiny)


def test_failing_cell_is_shown_and_the_old_copy_kept(
    tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = tiny.with_suffix(".ipynb").read_bytes()
    tiny.write_text(TINY.replace("1.25", "1 / 0"))
    assert notebooks.main(["--directory", str(tiny.parent)]) == 1
    message = capfd.readouterr().err
    assert "01-tiny.md, code cell 2" in message
    assert "ZeroDivisionError: division by zero" in message
    assert tiny.with_suffix(".ipynb").read_bytes() == old
    assert notebooks.main(["--directory", str(tiny.parent), "--check"]) == 1
    assert list(tiny.parent.glob("*.part")) == []


def test_unknown_chapter_is_refused(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        notebooks.main(["--directory", str(tiny.parent), "02-missing"])
    assert "no chapter 02-missing; there are 01-tiny" in capsys.readouterr().err


def test_nbval_compares_printed_numbers_and_not_figures(tiny: Path) -> None:
    shutil.copy(NOTEBOOKS / "conftest.py", tiny.parent)
    copy = tiny.with_suffix(".ipynb").read_text()
    other_figure = copy.replace("iVBORw0KGgo=", "AAAA").replace('"text": "0.1"', '"text": "0.2"')
    (tiny.parent / "figure.ipynb").write_text(other_figure)
    (tiny.parent / "number.ipynb").write_text(copy.replace("gap ratio 1.25", "gap ratio 1.26"))
    assert len({p.read_text() for p in tiny.parent.glob("*.ipynb")}) == 3
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-rA", tiny.parent]
    report = subprocess.run(command, capture_output=True, text=True, cwd=tiny.parent, check=False)
    outcomes = re.findall(r"^(PASSED|FAILED) (\S+::Cell \d)", report.stdout, re.MULTILINE)
    assert ("FAILED", "number.ipynb::Cell 1") in outcomes, report.stdout
    assert len([name for outcome, name in outcomes if outcome == "PASSED"]) == 5
