"""The chapters: source and executed copy agree, and running them again gives the same text."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import jupytext
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from jupytext.config import load_jupytext_config
from packaging.requirements import Requirement

from nickbook.book import notebooks
from nickbook.closure import PACKAGE, closure

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHAPTERS = notebooks.chapters(NOTEBOOKS)
CONTRIBUTING = (NOTEBOOKS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The header and the first code cell that it tells authors to copy.
HEADER, INSTALL = (
    textwrap.dedent(CONTRIBUTING.split(f"```{language}\n")[1].split("```")[0])
    for language in ("yaml", "{code-cell} ipython3")
)
REFERENCES = (NOTEBOOKS.parent / "references.bib").read_text(encoding="utf-8")
TINY = (
    HEADER.removesuffix("---\n")
    + """numbering:
  enumerator: 1.%s
title: Tiny
---

# Tiny

```{code-cell} ipython3
---
jupyter:
  source_hidden: true
label: fig-tiny
---
from IPython.display import display

picture = {"text/html": '<img src="iVBORw0KGgo=">', "text/plain": "a figure"}
data = {"application/vnd.nickbook.explorer+json": {"data": {"text": "0.1"}}}
display(picture | data, raw=True)
```

```{code-cell} ipython3
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
    shutil.copy(NOTEBOOKS / "jupytext.toml", source.parent)
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


def of_one_cell(source: str) -> nbformat.NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3"}
    cells = [nbformat.v4.new_code_cell(source)]
    return nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=cells)


def test_every_executed_notebook_has_a_source() -> None:
    assert CHAPTERS
    assert sorted(NOTEBOOKS.glob("*.ipynb")) == [s.with_suffix(".ipynb") for s in CHAPTERS]


@chapters
def test_committed_chapter_is_fresh_and_as_its_source(source: Path) -> None:
    notebook = notebooks.paired(source)
    assert notebook, "stale: run `make notebooks`"
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert text == notebooks.written(notebook), "other prose: run `make notebooks`"
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]


def assert_saving_keeps(source: Path) -> None:
    """JupyterLab writes both files from the executed copy: no byte changes."""
    config = load_jupytext_config(str(source.absolute()))
    header = notebooks.read(source).metadata  # Lab takes it from the source, in its order
    notebook = executed(source)
    header.jupytext.pop("text_representation")
    own = {name: x for name, x in notebook.metadata.items() if name not in header}
    notebook.metadata = header | own
    text = jupytext.writes(deepcopy(notebook), fmt="md:myst", config=config)
    assert text == source.read_text(encoding="utf-8")
    saved = json.loads(json.dumps(notebook), parse_float=javascript_number)
    model = {"type": "notebook", "content": saved}
    notebooks.before_saving(model, source.with_suffix(".ipynb").name, manager_of(source))
    text = source.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert f"{nbformat.writes(model['content'])}\n" == text


def javascript_number(text: str) -> float:
    return int(float(text)) if float(text).is_integer() else float(text)


def manager_of(source: Path) -> SimpleNamespace:
    """Return what `before_saving` asks of the server: where paths begin."""
    return SimpleNamespace(root_dir=str(source.parent))


def run_live(notebook: nbformat.NotebookNode) -> None:
    """Do to the explorer what running its cell in JupyterLab would."""
    data = code_cells(notebook)[0].outputs[0].data
    data.pop("application/vnd.nickbook.explorer+json")
    data[notebooks.WIDGET_MIME] = {"model_id": "1", "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    notebook.metadata.language_info["version"] = "3.11.0"


def saved_in_lab(tiny: Path, notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    model = {"type": "notebook", "content": json.loads(json.dumps(notebook))}
    notebooks.before_saving(model, f"/{tiny.with_suffix('.ipynb').name}", manager_of(tiny))
    return model["content"]


def test_saving_after_a_live_run_keeps_the_table_of_the_same_code(tiny: Path) -> None:
    before, notebook = executed(tiny), executed(tiny)
    code_cells(notebook)[0].outputs = []  # an autosave while it runs
    nbformat.write(saved_in_lab(tiny, notebook), tiny.with_suffix(".ipynb"))
    notebook = executed(tiny)
    run_live(notebook)
    assert saved_in_lab(tiny, notebook) == before


@pytest.mark.parametrize("changed", ["cell", "package"])
def test_saving_after_a_live_run_of_other_code_keeps_the_widget(tiny: Path, changed: str) -> None:
    copy = executed(tiny)
    if changed == "package":  # the cells are the same, and what they call is not
        copy.metadata.nickbook["made_from"] = "other"
        nbformat.write(copy, tiny.with_suffix(".ipynb"))
    notebook = executed(tiny)
    run_live(notebook)
    if changed == "cell":
        code_cells(notebook)[1].source = "print(1)"
    saved = saved_in_lab(tiny, notebook)
    assert notebooks.WIDGET_MIME in code_cells(saved)[0].outputs[0].data
    assert "widgets" in saved.metadata
    assert "version" not in saved.metadata.language_info
    nbformat.write(saved, tiny.with_suffix(".ipynb"))
    assert notebooks.is_stale(tiny)


@chapters
def test_chapter_is_saved_as_it_is_and_has_a_readable_length(source: Path) -> None:
    assert_saving_keeps(source)
    notebook = executed(source)
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    formulas = re.compile(r"^(`{3,}|\$\$).*?^\1|\$[^$]*\$", re.MULTILINE | re.DOTALL)
    words = re.findall(r"[^\W\d_][\w'’-]+", formulas.sub(" x ", prose))
    shortest, fewest = (900, 6) if source.stem.startswith("00-") else (1_500, 10)
    assert shortest <= len(words) <= 2_700
    assert fewest <= len(code_cells(notebook)[1:]) <= 25
    for cell in code_cells(notebook):
        printed = sum(len(out.text) for out in cell.outputs if out.output_type == "stream")
        assert printed < 5_000, cell.source


@chapters
def test_formulas_and_folded_code_are_written_as_every_front_end_reads_them(source: Path) -> None:
    for cell in notebooks.read(source).cells:
        if cell.cell_type == "markdown":
            assert "{math}" not in cell.source, f"write $$ … $$ (label):\n{cell.source}"
        else:
            tags = cell.metadata.get("tags", ())
            assert "hide-input" not in tags, f"write jupyter: source_hidden: true\n{cell.source}"


def links(cell: nbformat.NotebookNode) -> list[tuple[str, str, str]]:
    """Return words, path and label of each link."""
    found = re.findall(r"\[([^\]]*)\]\(([^)\s#]*)#?([^)\s]*)\)", cell.source)
    return [tuple(link) for link in found]


@chapters
def test_links_say_where_they_lead_and_do_so_without_the_site(source: Path) -> None:
    beside = {int(chapter.stem[:2]): f"./{chapter.stem}.ipynb" for chapter in CHAPTERS}
    beside[int(source.stem[:2])] = ""
    for cell in notebooks.read(source).cells:
        assert "[](" not in cell.source, f"a link needs words:\n{cell.source}"
        if cell.cell_type != "markdown":
            continue
        for words, path, label in links(cell):
            numbered = re.search(r"(Eq|Fig|Figure|Section)s?\.? \d+\.\d", words)
            assert not numbered, f"only the site numbers; say what [{words}] is"
            if chapter := re.match(r"(?:eq|ex|fig|sec)-(\d+)-", label):
                assert path == beside[int(chapter[1])], f"[{words}](#{label})"
            if paper := re.fullmatch(r"eq-\d+-(lk|glywh)(\d+)", label):
                assert words == f"{paper[1].upper()} Eq. {paper[2]}"


@chapters
def test_citations_are_links_with_name_and_year(source: Path) -> None:
    for cell in notebooks.read(source).cells:
        if cell.cell_type != "markdown":
            continue
        assert not re.search(r"\[[^\]]*@\w+\d{4}", cell.source), cell.source
        for words, path, label in links(cell):
            if not path.startswith("https://doi.org/") and not label.startswith("cite-"):
                continue
            mark = label.removeprefix("cite-") or path.removeprefix("https://doi.org/")
            (entry,) = (text for text in REFERENCES.split("\n@") if mark in text)
            surname = re.search(r"author = \{([^,]+),", entry)[1]
            assert words.startswith(surname) and words.endswith(
                re.search(r"year = \{(\d+)\}", entry)[1]
            )


@chapters
def test_first_code_cell_gets_the_package_where_it_is_missing(source: Path) -> None:
    first = code_cells(notebooks.read(source))[0]
    assert f":tags: [remove-cell]\n\n{first.source}\n" == INSTALL
    assert first.metadata == {"tags": ["remove-cell"]}


@pytest.mark.parametrize("missing", [False, True])
def test_install_cell_runs_pip_only_where_the_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, missing: bool
) -> None:
    asked = []
    shell = SimpleNamespace(run_line_magic=lambda *line: asked.append(line))
    if missing:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    code = TransformerManager().transform_cell(INSTALL.split("\n\n", 1)[1])
    exec(code, {"get_ipython": lambda: shell})  # noqa: S102
    assert len(asked) == missing
    for magic, line in asked:
        requirement = Requirement(line.removeprefix("install --quiet ").strip('"'))
        assert (magic, requirement.name, requirement.extras) == ("pip", "nickbook", {"book"})


def test_an_executed_copy_has_the_numbers_of_javascript(tiny: Path) -> None:
    notebook = executed(tiny)
    code_cells(notebook)[0].outputs[0].metadata["sizes"] = [2.0, -0.0, 0.5, 1e-7]
    assert notebooks.write(notebook, tiny)
    sizes = code_cells(executed(tiny))[0].outputs[0].metadata["sizes"]
    assert [repr(size) for size in sizes] == ["2", "0", "0.5", "1e-07"]


def test_saving_in_jupyterlab_keeps_the_recommended_header(tiny: Path) -> None:
    assert notebooks.read(tiny).metadata["title"] == "Tiny"
    assert_saving_keeps(tiny)


def test_executing_twice_gives_the_same_bytes(tiny: Path) -> None:
    first = tiny.with_suffix(".ipynb").read_bytes()
    tiny.with_suffix(".ipynb").unlink()
    assert notebooks.execute(tiny) is None
    assert tiny.with_suffix(".ipynb").read_bytes() == first


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("\n", "\r\n", False),
        ("# Tiny\n", "# Tiny, and more\n", False),
        ("source_hidden: true", "source_hidden: false", False),
        ("print(", "# A comment.\nprint(", False),
        ("1.25", "1.5", True),
        ("jupyter:\n  source_hidden: true", "tags: [skip-execution]", True),
        ('print("gap ratio"', '"shown"; print("gap ratio"', True),
        ("name: python3", "name: other", True),
    ],
)
def test_stale_means_changed_code_whatever_the_prose(
    tiny: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, stale: bool
) -> None:
    assert not notebooks.is_stale(tiny)
    assert old in TINY
    tiny.write_bytes(TINY.replace(old, new).encode())
    assert notebooks.is_stale(tiny) is stale
    if not stale:  # then the outputs go into the new notebook, and nothing runs
        before = [cell.outputs for cell in code_cells(executed(tiny))]
        assert notebooks.main(["--directory", str(tiny.parent)]) == 0
        assert "to run" not in capsys.readouterr().out
        assert content(executed(tiny)) == content(notebooks.read(tiny))
        assert [cell.outputs for cell in code_cells(executed(tiny))] == before


def wait_for_words(tiny: Path, words: str) -> None:
    """Save them until they are in the copy: the watch takes a while to start."""
    for number in range(600):
        tiny.write_text(TINY.replace("# Tiny\n", f"# Tiny, {number} {words}\n"))
        time.sleep(0.2)
        if words in executed(tiny).cells[0].source:
            return
    pytest.fail(f"{words!r} does not come")


def test_prose_that_an_editor_saves_goes_into_the_copy(tiny: Path) -> None:
    long_ago = 1_600_000_000
    os.utime(tiny.with_suffix(".ipynb"), (long_ago, long_ago))  # JupyterLab would save both
    command = ["-m", "nickbook.book.notebooks", "--watch", "--directory", tiny.parent]
    watching = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    try:
        wait_for_words(tiny, "words more")
        assert not notebooks.is_stale(tiny)
        other = executed(tiny)
        code_cells(other)[1].outputs[0].update(text="gap ratio 1.26\n")
        nbformat.write(other, tiny.with_suffix(".ipynb"))
        time.sleep(notebooks.SAVING_TIME)
        wait_for_words(tiny, "though stale")
        assert notebooks.is_stale(tiny)
        time.sleep(notebooks.SAVING_TIME)
        tiny.write_text(TINY.replace("1.25", "1.5"))
        assert "other code: " in watching.stdout.readline()
    finally:
        watching.kill()
        watching.communicate()


@pytest.mark.parametrize(
    "change",
    [
        lambda _, second: second.update(outputs=[]),
        lambda _, second: second.outputs[0].update(text="gap ratio 1.26\n"),
        lambda _, second: second.update(source="print(1)"),
        lambda first, _: first.outputs[0].update(data={"application/vnd.jupyter.widget-view": {}}),
    ],
    ids=["cleared", "other output", "other cell", "run live"],
)
def test_executed_copy_that_was_changed_is_stale(tiny: Path, change) -> None:
    notebook = executed(tiny)
    change(*code_cells(notebook))
    nbformat.write(notebook, tiny.with_suffix(".ipynb"))
    assert notebooks.is_stale(tiny)


def test_what_javascript_writes_otherwise_does_not_count(tiny: Path) -> None:
    copy = tiny.with_suffix(".ipynb")
    notebook = executed(tiny)
    code_cells(notebook)[0].outputs[0].metadata["size"] = 2.0
    notebooks._stamp(notebook, notebook.metadata.nickbook.made_from)
    nbformat.write(notebook, copy)
    assert not notebooks.is_stale(tiny)
    assert "2.0" in copy.read_text()
    copy.write_text(json.dumps(json.loads(copy.read_text().replace("2.0", "2")), sort_keys=False))
    assert not notebooks.is_stale(tiny)


@pytest.mark.parametrize(
    ("cell", "path", "counts"),
    [
        ("from nickbook.pairing import frg_flow", "pairing/frg/kernels.py", True),
        ("from nickbook.pairing import frg_flow", "pairing/tj/search.py", False),
        ("verdicts(['LK-fig2-sheets'])", "bands/fermi.py", True),
        ("verdicts(['LK-fig2-sheets'])", "pairing/tj/linear.py", False),
        ("ledger()", "dimers/fock.py", True),
        ("open('own_hr.dat')", "dimers/fock.py", False),
        ("open('own_hr.dat')", "../own_hr.dat", True),
        ("%matplotlib inline", "../own_hr.dat", False),
        ("no Python", "../own_hr.dat", False),
    ],
)
def test_what_the_cells_call_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, path: str, counts: bool
) -> None:
    package = shutil.copytree(PACKAGE, tmp_path / "nickbook")
    monkeypatch.setattr(notebooks, "closure", partial(closure, package=package))
    (tmp_path / "own_hr.dat").write_text("1")
    notebook = of_one_cell(cell)
    before = notebooks.made_from(notebook, tmp_path)
    with (package / path).open("a") as file:
        file.write("\nCHANGED = True\n")
    assert (notebooks.made_from(notebook, tmp_path) != before) is counts


def test_what_a_row_of_the_ledger_says_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = of_one_cell("verdicts(['LK-fig2-sheets'])")
    before, rows = notebooks.made_from(notebook, tmp_path), notebooks.rows()
    for name, counts in [("LK-fig2-fillings", False), ("LK-fig2-sheets", True)]:
        changed = rows | {name: rows[name] | {"found": "Changed."}}
        monkeypatch.setattr(notebooks, "rows", lambda changed=changed: changed)
        assert (notebooks.made_from(notebook, tmp_path) != before) is counts


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


@pytest.mark.chapters
def test_nbval_compares_printed_numbers_and_not_figures(tiny: Path) -> None:
    shutil.copy(NOTEBOOKS / "conftest.py", tiny.parent)
    copy = tiny.with_suffix(".ipynb").read_text()
    other_figure = copy.replace("iVBORw0KGgo=", "AAAA").replace('"text": "0.1"', '"text": "0.2"')
    (tiny.parent / "figure.ipynb").write_text(other_figure)
    (tiny.parent / "number.ipynb").write_text(copy.replace("gap ratio 1.25", "gap ratio 1.26"))
    live = executed(tiny)
    run_live(live)
    nbformat.write(live, tiny.with_name("live.ipynb"))
    assert len({p.read_text() for p in tiny.parent.glob("*.ipynb")}) == 4
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-rA", tiny.parent]
    report = subprocess.run(command, capture_output=True, text=True, cwd=tiny.parent, check=False)
    outcomes = re.findall(r"^(PASSED|FAILED) (\S+::Cell \d)", report.stdout, re.MULTILINE)
    assert ("FAILED", "number.ipynb::Cell 1") in outcomes, report.stdout
    assert ("FAILED", "live.ipynb::Cell 0") in outcomes, report.stdout
    assert len([name for outcome, name in outcomes if outcome == "PASSED"]) == 6
