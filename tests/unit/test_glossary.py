"""Every public class of the pure packages is a word of the glossary."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PURE = ("retail", "parking", "members", "codes")


def test_every_public_class_of_the_pure_packages_is_in_the_glossary() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = set(re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE))

    missing = sorted(_public_classes() - words)

    assert missing == []


def _public_classes() -> set[str]:
    names = set()
    for package in PURE:
        for path in (ROOT / "edge" / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            names |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert len(names) > 20, "no classes were found; is the layout another one?"
    return {name for name in names if not name.startswith("_")}
