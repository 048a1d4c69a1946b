"""Every banner that a use case can show has its text in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.codes.payment import Wallet
from edge.services.payment_ports import DeclineReason
from edge.services.workstation import NoticeCode
from edge.web.texts import load_texts

TEXTS = Path(__file__).parents[2] / "edge" / "web" / "texts"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_reason_of_a_refusal_says_what_happened_and_what_to_do(language: str) -> None:
    texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    wanted = [f"declined_{reason.value}{part}" for reason in DeclineReason for part in ("", "_more")]

    assert [key for key in wanted if not texts.get(key)] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_wallet_has_a_name(language: str) -> None:
    texts = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))

    assert [wallet.value for wallet in Wallet if not texts.get(f"wallet_{wallet.value}")] == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_notice_has_a_text(language: str) -> None:
    texts = load_texts(language)

    missing = [code.value for code in NoticeCode if not texts.get(f"notice_{code.value}")]

    assert missing == []
