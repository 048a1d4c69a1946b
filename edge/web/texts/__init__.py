"""The words of the pages, one JSON file per language with the same keys."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def load_texts(language: str) -> dict[str, str]:
    """Return all texts of a language of `LANGUAGES`, by key; placeholders are written {like_this}."""
    content = files(__package__ or "edge.web.texts").joinpath(f"{language}.json").read_text(encoding="utf-8")
    texts: dict[str, str] = json.loads(content)
    return texts
