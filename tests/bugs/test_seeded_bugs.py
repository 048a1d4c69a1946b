"""Each seeded bug is caught by the property that is named for it; MALL_EDGE_PROOF=1 shows all of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bugs.seeded import BUGS, ROOT, Bug, apply

#: Seconds that a property may take to catch a bug.
LONGEST_S = 300

PARTS = ("edge", "devices", "sim", "tests", "pyproject.toml")

#: Run by themselves elsewhere, as each is a whole run of a suite's part.
PROOF = os.environ.get("MALL_EDGE_PROOF") == "1"


def copied(tree: Path) -> Path:
    """Copy what a test needs, compiled files with it, so that only what is changed is compiled again."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, tree / part)
        else:
            shutil.copy2(source, tree / part)
    return tree


def hunted(bug: Bug, tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the bug's property on a changed copy."""
    apply(bug, copied(tree))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        bug.holds,
    ]
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST_S, check=False
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
@pytest.mark.timeout(LONGEST_S + 30)
def test_a_seeded_bug_is_caught_by_its_property(bug: Bug, tmp_path: Path) -> None:
    if not (PROOF or bug.quick):
        pytest.skip("shown by make proof")
    run = hunted(bug, tmp_path)
    assert run.returncode == 1, f"{bug.name} was not caught:\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
    failures = run.stdout.split("= FAILURES =", 1)[-1]
    assert re.search(bug.says, failures), f"caught, but not for its reason:\n{failures[-3000:]}"


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_seeded_bug_still_fits_the_code(bug: Bug, tmp_path: Path) -> None:
    for path in {edit.path for edit in bug.edits}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tmp_path / path)
    apply(bug, tmp_path)
    for path in {edit.path for edit in bug.edits}:
        changed = (tmp_path / path).read_text()
        compile(changed, path, "exec")
        assert changed != (ROOT / path).read_text()


def test_there_are_twenty_bugs_and_each_breaks_a_promise() -> None:
    promises = set(re.findall(r"^\| (P\d+) \|", (ROOT / "docs/promises.md").read_text(), re.M))
    assert len(BUGS) >= 20
    assert {bug.promise for bug in BUGS} <= promises
    assert len({bug.name for bug in BUGS}) == len(BUGS)
