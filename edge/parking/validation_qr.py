"""Validation by a QR code that one box signs and another redeems, without a database between them. Pure.

    MV1.<kid>.<payload>.<signature>

payload: base64url of a JSON array in a fixed order; signature: Ed25519 (RFC 8032) over everything before the
last dot, base64url. A code serves once: whoever redeems it keeps its `jti` until it is over. The form and the
reasons are in docs/protocols/validation-qr.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge.errors import Declined, Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant, check_grant

PREFIX = "MV1."

#: The longest text that is looked at, and the longest life of a code.
MAX_TEXT = 600
MAX_LIFE_MS = 7 * 24 * 3_600_000

#: How far the clocks of two boxes may differ before a code counts as from the future or as over.
SKEW_MS = 120_000

_KID = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_JTI = re.compile(r"[0-9A-Za-z_-]{8,40}", re.ASCII)
_MERCHANT = re.compile(r"[0-9A-Za-z._-]{0,32}", re.ASCII)
_BASE64 = re.compile(r"[0-9A-Za-z_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ValidationToken:
    """What a code promises. kid: whose key signs it. Instants are Unix milliseconds."""

    kid: str
    jti: str
    site: str
    merchant: str
    grant: Grant
    issued_at: int
    expires_at: int
    reference: str = ""


def looks_like_token(text: str) -> bool:
    """Return whether a scanned text is meant to be such a code."""
    return text.startswith(PREFIX)


def sign_token(token: ValidationToken, private_key: bytes) -> str:
    """Return the code's text. private_key: the 32 raw bytes of an Ed25519 key. Raises Invalid."""
    _check(token)
    head = f"{PREFIX}{token.kid}.{_pack(_payload(token))}"
    if len(private_key) != 32:
        raise Invalid("the signing key must be the 32 raw bytes of an Ed25519 private key")
    signature = Ed25519PrivateKey.from_private_bytes(private_key).sign(head.encode())
    return f"{head}.{_pack(signature)}"


def read_token(
    text: str, public_keys: Mapping[str, bytes], site: str, now_at: int, *, clock_trusted: bool = True
) -> ValidationToken:
    """Return what a code promises, once its signature, site and time hold; whoever redeems it keeps its jti.

    public_keys: by kid, 32 raw bytes each. Raises Invalid for a text that is none, was changed or is signed
    by nobody known; Declined for one of another site, from the future or over. While this box's clock is not
    trusted, a code that seems to be from the future is taken, as it is the box's own clock that is behind.
    """
    token = _verified(text, public_keys)
    if token.site != site:
        raise Declined(f"this code is for {token.site}, not for {site}")
    if token.issued_at > now_at + SKEW_MS and clock_trusted:
        raise Declined("this code was issued in the future; look at the clocks of both boxes")
    if now_at >= token.expires_at + SKEW_MS:
        raise Declined("this code is over; ask the shop for a new one")
    return token


def public_key_of(private_key: bytes) -> bytes:
    """Return the 32 raw bytes that others verify with."""
    return Ed25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw()


def _verified(text: str, public_keys: Mapping[str, bytes]) -> ValidationToken:
    if len(text) > MAX_TEXT or not looks_like_token(text):
        raise Invalid("this is no validation code; scan it again")
    parts = text.split(".")
    if len(parts) != 4 or not _KID.fullmatch(parts[1]):
        raise Invalid("this validation code is cut off; scan it again")
    key = public_keys.get(parts[1])
    if key is None:
        raise Invalid(f"this validation code is signed by {parts[1]}, whose key this box does not have")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(_unpack(parts[3]), text.rpartition(".")[0].encode())
    except InvalidSignature:
        raise Invalid("this validation code was changed or is not genuine") from None
    return _token(parts[1], _unpack(parts[2]))


def _payload(token: ValidationToken) -> bytes:
    grant = token.grant
    what = [grant.kind.value, grant.value, grant.tariff_id, grant.label, grant.label_en]
    row = [token.jti, token.site, token.merchant, token.issued_at, token.expires_at, token.reference, *what]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _token(kid: str, payload: bytes) -> ValidationToken:
    """Return the token of a genuine payload; one of another form comes from a newer program."""
    try:
        jti, site, merchant, issued_at, expires_at, reference, kind, *what = json.loads(payload)
        token = ValidationToken(
            kid, jti, site, merchant, Grant(BenefitKind(kind), *what), issued_at, expires_at, reference
        )
        _check(token)
    except (ValueError, TypeError, RecursionError):
        raise Invalid("this validation code has a form that this box does not know") from None
    return token


def _check(token: ValidationToken) -> None:
    grant = token.grant
    texts = (token.kid, token.jti, token.site, token.merchant, token.reference, grant.tariff_id)
    numbers = (grant.value, token.issued_at, token.expires_at)
    labels = (grant.label, grant.label_en)
    if any(type(one) is not str or len(one) > 60 for one in (*texts, *labels)) or any(
        type(one) is not int for one in numbers
    ):
        raise Invalid("a validation code holds texts of 60 characters at most, and whole numbers")
    if not (_KID.fullmatch(token.kid) and _JTI.fullmatch(token.jti) and _MERCHANT.fullmatch(token.merchant)):
        raise Invalid("kid, jti or merchant of a validation code has characters that it cannot have")
    if not 0 < token.expires_at - token.issued_at <= MAX_LIFE_MS:
        raise Invalid(f"a validation code lives {MAX_LIFE_MS // 86_400_000} days at most")
    check_grant(grant)


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    """Return the bytes of one writing alone: another text for the same bytes is refused."""
    if not _BASE64.fullmatch(text):
        raise Invalid("this validation code is cut off; scan it again")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise Invalid("this validation code is cut off; scan it again") from None
    if _pack(data) != text:
        raise Invalid("this validation code was changed or is not genuine")
    return data
