"""The words of the pages: <language>.json and <language>_<part>.json, with the same keys in each language."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def load_texts(language: str) -> dict[str, str]:
    """Return all texts of a language of `LANGUAGES`, by key; placeholders are written {like_this}."""
    texts: dict[str, str] = {}
    for path in sorted(files(__package__ or "edge.web.texts").iterdir(), key=lambda each: each.name):
        if path.name == f"{language}.json" or path.name.startswith(f"{language}_"):
            texts |= json.loads(path.read_text(encoding="utf-8"))
    return texts
