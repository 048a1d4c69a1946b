"""Every banner that a use case can show has its text in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.services.workstation import NoticeCode

TEXTS = Path(__file__).parents[2] / "edge" / "web" / "texts"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_notice_has_a_text(language: str) -> None:
    texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))

    missing = [code.value for code in NoticeCode if not texts.get(f"notice_{code.value}")]

    assert missing == []
