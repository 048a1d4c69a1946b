"""By what a member is known: openid, unionid, phone, card and browser are identities of one member.

Two members that turn out to be one become one: the one keeps its number, the other points to it for good,
so that what was booked under either is found. Pure.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import Corrupt, Invalid
from edge.members.member_snapshot import phone_hmac

#: A chain of mergers is followed so far.
MAX_HOPS = 64

_OPEN = re.compile(r"[0-9A-Za-z_-]{6,128}", re.ASCII)
_CARD = re.compile(r"[0-9A-Za-z-]{4,32}", re.ASCII)
_PHONE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_MARKS = re.compile(r"[\s()+-]")


class IdentityKind(StrEnum):
    """What an identity is: of the mini-program, of the whole open platform, a phone number, a card.

    BROWSER: the session of a phone's browser, which proves nobody; it is good for what was joined with it.
    """

    OPENID = "openid"
    UNIONID = "unionid"
    PHONE = "phone"
    CARD = "card"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity as it is kept. value: a phone's is its keyed hash; the others stand as they are."""

    kind: IdentityKind
    value: str

    def __repr__(self) -> str:
        """Show the kind alone: no identity gets into a log."""
        return f"Identity({self.kind})"

    @property
    def masked(self) -> str:
        """What a person may see of it."""
        if self.kind is IdentityKind.PHONE:
            return "•••"
        return f"•••{self.value[-4:]}"


def read_identity(kind: IdentityKind, text: str, key: bytes = b"") -> Identity:
    """Return an identity from what was typed, scanned or logged in with.

    key: under which phone numbers are hashed. Raises Invalid for what is none, without repeating it, and for
    a phone number where this box has no key.
    """
    tidy = text.strip()
    if kind is IdentityKind.PHONE:
        return Identity(kind, _phone(tidy, key))
    if not (_CARD if kind is IdentityKind.CARD else _OPEN).fullmatch(tidy):
        raise Invalid(f"this is no {kind} of a member; look at it again")
    return Identity(kind, tidy)


def digest(identity: Identity, key: bytes) -> str:
    """Return by what HQ, which shares the key, knows an identity: 32 hex digits, "" without a key."""
    if identity.kind is IdentityKind.PHONE:
        return identity.value
    text = f"{identity.kind.value}:{identity.value}".encode()
    return hmac.digest(key, text, "sha256").hex()[:32] if key else ""


def phone_tail(phone: str) -> str:
    """Return the last four digits of a phone number, which people may see."""
    return re.sub(r"\D", "", phone)[-4:]


def follow(member_id: str, merged_into: Callable[[str], str]) -> str:
    """Return the member that a number stands for by now; merged_into: the next number, "" at the end.

    Raises Corrupt for a chain that does not end.
    """
    for _ in range(MAX_HOPS):
        ahead = merged_into(member_id)
        if not ahead:
            return member_id
        member_id = ahead
    raise Corrupt(f"member {member_id} was merged in a ring or more than {MAX_HOPS} times; call support")


def elder(first: tuple[bool, str], second: tuple[bool, str]) -> bool:
    """Return whether the first of two members (provisional, number) keeps its number.

    One that HQ knows goes before one that it does not; else the smaller number, so that the order in which
    mergers are found does not matter.
    """
    return first <= second


def _phone(text: str, key: bytes) -> str:
    digits = _MARKS.sub("", text)
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if not _PHONE.fullmatch(digits):
        raise Invalid("this is no mobile number; give its 11 digits")
    if not key:
        raise Invalid(
            "this box has no key for phone numbers; set [members] key_file, or use another identity"
        )
    return phone_hmac(key, digits)
