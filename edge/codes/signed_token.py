"""Codes that this box signs itself: counter tickets, hand-overs of a basket, exit codes, carts.

    kind letter | ident, 1-15 of A-Z a-z 0-9 _ - | 16 characters of HMAC-SHA-256 (96 bits, base64url)

32 characters at most, so that one also fits the `scene` of a mini-program code. The signature covers the
letter and the ident; a code that was typed, guessed or changed is refused before anything is looked up.
Source: developers.weixin.qq.com, getUnlimitedQRCode (scene: 32 visible characters); RFC 2104, RFC 4648 §5.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from enum import StrEnum

from edge.errors import Invalid

#: Length of a key, of the signature in a token, and of the longest token.
KEY_BYTES = 32
MAC_CHARS = 16
MAX_TOKEN = 32

_MAC_BYTES = 12
_IDENT = re.compile(r"[A-Za-z0-9_-]{1,15}", re.ASCII)
_TOKEN = re.compile(r"[a-z][A-Za-z0-9_-]{17,31}", re.ASCII)


class TokenKind(StrEnum):
    """What a signed code stands for; each value is its first letter and its place below /phone/."""

    TICKET = "t"
    HAND_OVER = "k"
    EXIT = "x"
    CART = "b"


def sign_token(kind: TokenKind, ident: str, key: bytes) -> str:
    """Return the signed code of `ident`, 18 to 32 characters.

    Raises Invalid for an ident that is not 1 to 15 of A-Z a-z 0-9 _ - and for a key that is too short.
    """
    if not _IDENT.fullmatch(ident):
        raise Invalid(f"{ident[:40]!r} must be 1 to 15 of A-Z a-z 0-9 _ - to be signed")
    said = f"{kind.value}{ident}"
    return said + _mac(said, key)


def read_token(kind: TokenKind, text: str, key: bytes) -> str:
    """Return the ident of a code that was signed under `key`; raise Invalid for any other text."""
    if not _TOKEN.fullmatch(text):
        raise Invalid("this is not a code of ours; scan it again")
    said, mac = text[:-MAC_CHARS], text[-MAC_CHARS:]
    if said[0] != kind.value:
        raise Invalid("this code is for something else; scan the code that is shown to you")
    if not hmac.compare_digest(mac, _mac(said, key)):
        raise Invalid("this code was not made here or was changed; scan it again")
    return said[1:]


def _mac(said: str, key: bytes) -> str:
    if len(key) < KEY_BYTES:
        raise Invalid(f"the key for signed codes has {len(key)} bytes; it needs {KEY_BYTES}")
    digest = hmac.digest(key, said.encode("ascii"), hashlib.sha256)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(digest).decode("ascii")
