"""What a seeded bug is: a small change to the shipped code, and the property that must catch it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change. path: from the root; old: stands there exactly once."""

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """The property that no crash in a scenario breaks anything, as `python -m sim explore` has it."""

    scenario: str
    world: str = "mixed"


@dataclass(frozen=True, slots=True)
class Bug:
    """A seeded bug. promise: of docs/promises.md. holds: a test, or a scenario that is crashed at every step.

    says: in what it prints when it catches the bug, so that it fails for this reason and no other. quick:
    shown in `make test` as well as in `make proof`.
    """

    name: str
    promise: str
    edits: tuple[Edit, ...]
    holds: str | Crashed
    says: str
    quick: bool = False


def apply(bug: Bug, tree: Path) -> None:
    """Change a copy of the tree; raise AssertionError where the code is not what the bug was written for."""
    for edit in bug.edits:
        path = tree / edit.path
        text = path.read_text()
        found = text.count(edit.old)
        assert found == 1, f"{bug.name}: {edit.path} has the changed text {found} times; write the bug anew"
        path.write_text(text.replace(edit.old, edit.new))


def revert(bug: Bug, tree: Path) -> None:
    """Put the shipped code back into a copy."""
    for edit in bug.edits:
        (tree / edit.path).write_text((ROOT / edit.path).read_text())
