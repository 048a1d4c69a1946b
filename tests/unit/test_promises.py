"""Every promise names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_promise_names_a_test_that_exists() -> None:
    rows = [
        line for line in (ROOT / "docs" / "promises.md").read_text().splitlines() if line.startswith("| P")
    ]

    assert len(rows) >= 15
    assert [row for row in rows if not NAMED.search(row)] == []
    assert [found for row in rows for found in NAMED.findall(row) if not _exists(*found)] == []


def _exists(path: str, name: str) -> bool:
    file = ROOT / path
    if not file.exists():
        return False
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return name in tests if name else any(test.startswith("test_") for test in tests)
