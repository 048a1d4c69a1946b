"""Codes that this mall prints itself: member cards, counter tickets, coupons, parking tickets, badges.

Two written forms. Short: a prefix of letters, a body of 0-9 and A-Z, a check character (ISO/IEC 7064
MOD 37,36), for example "TK" + "8F3K2Q" + check; it fits Code 128, Code 39 and QR's alphanumeric mode
and survives any keyboard layout of a HID scanner. Link: https://<public host>/phone/<letter>/<token>,
for codes that a phone should open. Neither is a secret by its form; who may use it is decided by the
service that knows the token.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from edge.codes.check_digits import mod37_36
from edge.errors import Invalid


class HouseKind(StrEnum):
    """What a code of our own stands for."""

    MEMBER = "member"
    TICKET = "ticket"
    COUPON = "coupon"
    PARKING = "parking"
    RECEIPT = "receipt"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class HouseForm:
    """A short form that this box accepts.

    prefix: 2 to 8 of 0-9 A-Z. shortest, longest: how long the body may be. checked: whether a check
    character follows; False only for cards that were printed by somebody else.
    """

    kind: HouseKind
    prefix: str
    shortest: int = 4
    longest: int = 40
    checked: bool = True


@dataclass(frozen=True, slots=True)
class HouseCode:
    """One of our own codes. token: the body of the short form or the last part of the link.

    form: the prefix, or the path of the link, that it was known by.
    """

    kind: HouseKind
    token: str
    form: str


#: The short forms that a box accepts unless it is told otherwise.
DEFAULT_FORMS = (
    HouseForm(HouseKind.MEMBER, "MC"),
    HouseForm(HouseKind.TICKET, "TK"),
    HouseForm(HouseKind.COUPON, "CP"),
    HouseForm(HouseKind.PARKING, "PK"),
    HouseForm(HouseKind.RECEIPT, "RC"),
    HouseForm(HouseKind.STAFF, "ST"),
)

#: The letter after /phone/ in a link, for each kind that a phone may open.
LINK_LETTERS = {
    "m": HouseKind.MEMBER,
    "t": HouseKind.TICKET,
    "c": HouseKind.COUPON,
    "p": HouseKind.PARKING,
    "r": HouseKind.RECEIPT,
}

_PREFIX = re.compile(r"[0-9A-Z]{2,8}", re.ASCII)
_BODY = re.compile(r"[0-9A-Z]+", re.ASCII)
_LINK_PATH = re.compile(r"/phone/([a-z])/([0-9A-Za-z_-]{4,64})/?", re.ASCII)
_LONGEST_BODY = 64


def check_forms(forms: Sequence[HouseForm]) -> tuple[HouseForm, ...]:
    """Return the forms, longest prefix first; raise Invalid for a bad or doubled prefix or bad lengths."""
    seen: dict[str, HouseKind] = {}
    for form in forms:
        if not _PREFIX.fullmatch(form.prefix):
            raise Invalid(f"prefix {form.prefix!r} of {form.kind} codes must be 2 to 8 of 0-9 A-Z")
        if not 1 <= form.shortest <= form.longest <= _LONGEST_BODY:
            raise Invalid(
                f"{form.prefix} codes: lengths {form.shortest} to {form.longest} must lie within 1 to 64"
            )
        if form.prefix in seen:
            raise Invalid(
                f"prefix {form.prefix} is given to {seen[form.prefix]} and to {form.kind}; choose another"
            )
        seen[form.prefix] = form.kind
    return tuple(sorted(forms, key=lambda form: -len(form.prefix)))


def match_form(text: str, forms: Sequence[HouseForm]) -> HouseForm | None:
    """Return the first form that `text`, in upper or lower case, has the shape of; the check comes later."""
    shouted = text.upper()
    for form in forms:
        if shouted.startswith(form.prefix):
            body = shouted[len(form.prefix) :]
            length = len(body) - form.checked
            if form.shortest <= length <= form.longest and _BODY.fullmatch(body):
                return form
    return None


def read_house_code(text: str, form: HouseForm) -> HouseCode:
    """Return the code of a text that has the shape of `form`; raise Invalid for a wrong check character."""
    body = text.upper()[len(form.prefix) :]
    if not form.checked:
        return HouseCode(form.kind, body, form.prefix)
    expected = mod37_36(form.prefix + body[:-1])
    if body[-1] != expected:
        raise Invalid(f"check character of {text} is {body[-1]}, expected {expected}; scan it again")
    return HouseCode(form.kind, body[:-1], form.prefix)


def build_house_code(form: HouseForm, token: str) -> str:
    """Return the short form of `token`; raise Invalid unless it fits the form's lengths and alphabet."""
    if not _BODY.fullmatch(token) or not form.shortest <= len(token) <= form.longest:
        raise Invalid(
            f"{token!r} must be {form.shortest} to {form.longest} of 0-9 A-Z for a {form.kind} code"
        )
    code = form.prefix + token
    return code + mod37_36(code) if form.checked else code


def read_link(text: str, hosts: Sequence[str]) -> HouseCode:
    """Return the code inside one of our own links; hosts are lower-case, with the port if there is one.

    Raises Invalid that says what is wrong: another host, no host configured, not one of our paths.
    """
    parts = split_link(text)
    match = _LINK_PATH.fullmatch(parts.path)
    if match is None or match.group(1) not in LINK_LETTERS:
        raise Invalid(f"the path {parts.path[:80]!r} is not one of ours (/phone/t/..., /phone/m/...)")
    host = parts.netloc.lower()
    if not hosts:
        raise Invalid("it looks like a link of ours, but this box has no public host configured")
    if host not in hosts:
        raise Invalid(f"it looks like a link of ours, but {host[:80]} is not our host: it may be forged")
    letter, token = match.groups()
    return HouseCode(LINK_LETTERS[letter], token, f"/phone/{letter}/")


def build_link(kind: HouseKind, token: str, host: str) -> str:
    """Return the https link of a token on our public host; raise Invalid when the kind has no link."""
    for letter, owner in LINK_LETTERS.items():
        if owner is kind:
            path = f"/phone/{letter}/{token}"
            if _LINK_PATH.fullmatch(path):
                return f"https://{host}{path}"
            raise Invalid(f"token {token!r} must be 4 to 64 of 0-9 A-Z a-z _ -")
    raise Invalid(f"{kind} codes have no link; print the short form")


def split_link(text: str) -> SplitResult:
    """Return the parts of an http or https address; raise Invalid when it is none."""
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise Invalid(f"not a web address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid("not a web address: it must begin with http:// or https:// and a host")
    return parts
