"""Second routes are independent: a wrong factor in the first one makes them disagree."""

import os
import shutil
import subprocess
import sys

import pytest
import yaml

from nickbook.claims.rows import rows


def mutations(root):
    return yaml.safe_load((root / "tests" / "mutations.yml").read_text("utf-8"))


def pytest_generate_tests(metafunc):
    if "mutation" in metafunc.fixturenames:
        listed = mutations(metafunc.config.rootpath)
        metafunc.parametrize("mutation", listed, ids=[entry["row"] for entry in listed])


def test_a_mutation_is_caught_by_the_check_of_its_row(root, mutation):
    file, replace = mutation["file"], mutation["replace"]
    assert mutation["replace"] != mutation["by"]
    assert (root / file).read_text("utf-8").count(replace) == 1, f"{replace!r} in {file}"
    checks = rows()[mutation["row"]]["check"]
    assert mutation["caught_by"].split("::")[0] in checks, checks


@pytest.mark.mutations
def test_the_second_route_notices(root, mutation, tmp_path):
    shutil.copytree(root / "nickbook", tmp_path / "nickbook")
    changed = tmp_path / mutation["file"]
    text = changed.read_text("utf-8")
    changed.write_text(text.replace(mutation["replace"], mutation["by"]), encoding="utf-8")
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
    ]
    environment = {name: v for name, v in os.environ.items() if name != "NICKBOOK_FINDINGS"}
    run = subprocess.run(
        [*command, "-m", "", mutation["caught_by"]],
        cwd=root,
        env=environment | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, (
        f"{mutation['caught_by']} does not notice: {mutation['wrong']}\n{run.stdout[-2000:]}"
    )
    assert " failed" in run.stdout, run.stdout[-2000:]
