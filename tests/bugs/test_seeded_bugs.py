"""Each seeded bug is caught by the property that is named for it; MALL_EDGE_PROOF=1 shows all of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sim.world.conditions import WORLDS
from sim.world.explore import EVERY
from tests.bugs.bug import ROOT, Bug, Crashed, apply, revert
from tests.bugs.seeded import BUGS
from tests.proof import LATER, PROOF, Counted, Tally

#: Seconds that a property may take to catch a bug.
LONGEST_S = 300

PARTS = ("edge", "devices", "sim", "tests", "pyproject.toml")


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what properties need, compiled files with it, so that only what is changed is compiled again."""
    copy = tmp_path_factory.mktemp("bugs")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, copy / part)
        else:
            shutil.copy2(source, copy / part)
    return copy


def hunted(bug: Bug, tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the bug's property on a changed copy."""
    holds = bug.holds
    if isinstance(holds, Crashed):
        command = ["tests.bugs.hunt", holds.scenario, holds.world, bug.says]
    else:
        command = ["pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", holds]
    # Nothing is compiled into the copy: a file that is changed and put back within a second would be stale.
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}
    for name in [name for name in environment if name.startswith(("PYTEST_", "MALL_EDGE_"))]:
        del environment[name]
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
@pytest.mark.timeout(LONGEST_S + 30)
def test_a_seeded_bug_is_caught_by_its_property(bug: Bug, tree: Path, tally: Tally) -> None:
    if not (PROOF or bug.quick):
        pytest.skip(LATER)
    apply(bug, tree)
    try:
        run = hunted(bug, tree)
    finally:
        revert(bug, tree)
    # So pytest marks what failed, and hunt what broke: names of tests and scenarios are no reasons.
    reasons = "\n".join(line for line in run.stdout.splitlines() if line.startswith((">  ", "E  ")))
    caught = run.returncode == 1 and re.search(bug.says, reasons)
    tally.add(Counted.BUGS if caught else Counted.MISSED, 1)
    assert run.returncode == 1, f"{bug.name} was not caught:\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
    assert caught, f"caught, but not for its reason:\n{run.stdout[-3000:]}"


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
    revert(bug, tmp_path)
    for path in {edit.path for edit in bug.edits}:
        assert (tmp_path / path).read_text() == (ROOT / path).read_text()


def test_there_are_forty_five_bugs_and_each_breaks_a_promise() -> None:
    promises = set(re.findall(r"^\| (P\d+) \|", (ROOT / "docs/promises.md").read_text(), re.M))
    assert len(BUGS) >= 45
    assert {bug.promise for bug in BUGS} <= promises
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    crashed = [bug.holds for bug in BUGS if isinstance(bug.holds, Crashed)]
    assert {one.scenario for one in crashed} <= set(EVERY)
    assert {one.world for one in crashed} <= {one.name for one in WORLDS}
