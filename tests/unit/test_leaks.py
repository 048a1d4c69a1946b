"""The search for payment codes that were left somewhere finds each wallet's, and no other number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.books import leaks


@pytest.mark.parametrize(
    "code",
    [
        "134567890123456789",
        "2512345678901234",
        "286912345678901234",
        "301234567890123456789012",
        "6212345678901234567",
        "62123456789012345678",
    ],
)
@pytest.mark.parametrize(
    "around", ['{"code": "%s"}', "code=%s", "\x00\x17%s\x00", "%s", "asked for %s.", "K01-%s"]
)
def test_a_payment_code_is_found_whatever_stands_around_it(tmp_path: Path, code: str, around: str) -> None:
    (tmp_path / "empty.log").touch()
    left = tmp_path / "state" / "left.db"
    left.parent.mkdir()
    left.write_text(around % code, encoding="utf-8")
    assert leaks(tmp_path) == [str(left)]


@pytest.mark.parametrize(
    "number",
    [
        "6901028000017",
        "4200000123202611221234567890",
        "2026112222001123456789012345",
        "01a2025d52007006800000000000000625",
        "1795315000123456",
        "169012345678901234",
        "251234567890123",
        "3012345678901234567890123",
        "621234567890123456",
        "0.2512345678901234",
        "EV-2458815978686137131",
        "EV-2658815978686137131",
        "EV-6284936519864952973",
        "01a2073b-1615-7162-8ace-2646424417152026-11-23",
        "00-0af7651916cd43dd8448eb211c80319c-2712345678901234-01",
    ],
)
def test_another_number_is_no_payment_code(tmp_path: Path, number: str) -> None:
    (tmp_path / "told.log").write_text(f'{{"number": "{number}"}}', encoding="utf-8")
    assert leaks(tmp_path) == []
