"""Codes that the box signs: what it made is read back, everything else is refused unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.app.phone import kept_key
from edge.codes.signed_token import MAX_TOKEN, TokenKind, read_token, sign_token
from edge.errors import Corrupt, Invalid

KEY = bytes(range(32))
IDENTS = st.text("ABCabc019_-", min_size=1, max_size=15)


@given(kind=st.sampled_from(TokenKind), ident=IDENTS)
def test_what_was_signed_is_read_back(kind: TokenKind, ident: str) -> None:
    token = sign_token(kind, ident, KEY)
    assert len(token) == len(ident) + 17 <= MAX_TOKEN
    assert token[0] == kind.value
    assert read_token(kind, token, KEY) == ident


@given(ident=IDENTS, place=st.integers(0, 31), letter=st.sampled_from("tkxbAz09_-"))
def test_one_changed_letter_is_refused(ident: str, place: int, letter: str) -> None:
    token = sign_token(TokenKind.TICKET, ident, KEY)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    if changed != token:
        with pytest.raises(Invalid):
            read_token(TokenKind.TICKET, changed, KEY)


@pytest.mark.parametrize(
    "text", ["", "t", "t" + "A" * 32, "tAB中文aaaaaaaaaaaaaaaaaa", "TAAAAAAAAAAAAAAAAAA", "t" * 17]
)
def test_what_has_not_the_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_token(TokenKind.TICKET, text, KEY)


def test_a_code_is_no_good_for_something_else_or_under_another_key() -> None:
    token = sign_token(TokenKind.TICKET, "C01-0007", KEY)
    with pytest.raises(Invalid, match="something else"):
        read_token(TokenKind.EXIT, token, KEY)
    with pytest.raises(Invalid, match="changed"):
        read_token(TokenKind.TICKET, token, KEY[::-1])


@pytest.mark.parametrize("ident", ["", "A" * 16, "a b", "单", "a/b"])
def test_an_ident_that_does_not_fit_is_not_signed(ident: str) -> None:
    with pytest.raises(Invalid, match="1 to 15"):
        sign_token(TokenKind.TICKET, ident, KEY)


def test_nothing_is_signed_without_a_whole_key() -> None:
    with pytest.raises(Invalid, match="needs 32"):
        sign_token(TokenKind.TICKET, "7", b"")


def test_the_key_is_made_once_for_the_owner_alone_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "phone.key"
    key = kept_key(path)
    assert len(key) == 32
    assert kept_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["phone.key"]


def test_a_damaged_key_stops_instead_of_being_replaced(tmp_path: Path) -> None:
    path = tmp_path / "phone.key"
    path.write_bytes(b"short")
    with pytest.raises(Corrupt, match="backup"):
        kept_key(path)
    assert path.read_bytes() == b"short"
