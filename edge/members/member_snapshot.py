"""What a box knows of members: enough to greet them, price for them and credit them, nothing that names them.

A phone number or a plate is here only as a keyed hash (HMAC-SHA256 under a key that HQ shares with its boxes,
cut to 128 bits), with the last digits of the phone for people. Pure.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.codes.sheet import MAX_AT, BadCell, Columns, at_line, pattern, read_rows, whole_number
from edge.errors import Invalid

#: Limits of one member's cells.
MAX_POINTS = 10**12
MAX_PLATES = 8

COLUMNS = Columns(
    ("member_id", "card", "tier", "points", "points_at"), ("phone_hmac", "phone_tail", "plate_hmacs")
)

_ID = re.compile(r"[0-9A-Za-z._-]{1,32}", re.ASCII)
_CARD = re.compile(r"[0-9A-Za-z-]{0,32}", re.ASCII)
_TIER = re.compile(r"[a-z0-9-]{1,16}", re.ASCII)
_HMAC = re.compile(r"[0-9a-f]{32}", re.ASCII)
_TAIL = re.compile(r"\d{0,4}", re.ASCII)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}", re.ASCII)
_PHONE_MARKS = re.compile(r"[\s()+-]")


@dataclass(frozen=True, slots=True)
class Member:
    """A member as HQ last told of them.

    card: the number that their code shows, "" without one. points: the balance at `points_at` (Unix
    milliseconds). phone_hmac, plate_hmacs: 32 hex digits as `phone_hmac` and `plate_hmac` make them.
    phone_tail: the last digits, four at most.
    """

    member_id: str
    card: str
    tier: str
    points: int
    points_at: int
    phone_hmac: str = ""
    phone_tail: str = ""
    plate_hmacs: tuple[str, ...] = ()


def phone_hmac(key: bytes, phone: str) -> str:
    """Return what a mobile number is known by; +86 and marks between digits make no difference."""
    digits = _PHONE_MARKS.sub("", phone)
    return _keyed(key, "phone", digits[2:] if len(digits) == 13 and digits.startswith("86") else digits)


def plate_hmac(key: bytes, plate: str) -> str:
    """Return what a plate is known by; case, dots and spaces make no difference."""
    return _keyed(key, "plate", re.sub(r"[\s·.-]", "", plate).upper())


def read_members(lines: Iterable[bytes]) -> Iterator[Member]:
    """Yield the members of a table, one line each, in order of member_id by its characters' codes.

    Nothing is kept between lines, so a table of any length can be read. Raises Invalid naming line and
    column: also for lines out of order, for two of one id, and for a phone number where none may stand.
    """
    last = ""
    for number, cells in read_rows(lines, COLUMNS):
        try:
            member = _member(cells)
        except BadCell as error:
            raise at_line(number, error) from None
        if member.member_id <= last:
            problem = f"{member.member_id} comes after {last}; sort by member_id and name each once"
            raise Invalid(f"line {number}, member_id: {problem}")
        last = member.member_id
        yield member


def _member(cells: list[str]) -> Member:
    member_id, card, tier, points, points_at, phone, tail, plates = cells
    return Member(
        _no_phone("member_id", pattern("member_id", member_id, _ID, "use 1 to 32 of 0-9 A-Z a-z . _ -")),
        _no_phone("card", pattern("card", card, _CARD, "use 32 of 0-9 A-Z a-z - at most")),
        pattern("tier", tier, _TIER, "use 1 to 16 of a-z 0-9 -"),
        whole_number("points", points, -MAX_POINTS, MAX_POINTS),
        whole_number("points_at", points_at, 0, MAX_AT),
        _hmac("phone_hmac", phone) if phone else "",
        pattern("phone_tail", tail, _TAIL, "give the last four digits at most, never the whole number"),
        _plates(plates) if plates else (),
    )


def _hmac(column: str, cell: str) -> str:
    return pattern(column, cell, _HMAC, "give the first 32 hex digits of its HMAC-SHA256, small letters")


def _plates(cell: str) -> tuple[str, ...]:
    plates = tuple(_hmac("plate_hmacs", one) for one in cell.split(" "))
    if len(plates) > MAX_PLATES or len(set(plates)) < len(plates):
        raise BadCell("plate_hmacs", f"has {len(plates)}; give {MAX_PLATES} different ones at most")
    return plates


def _no_phone(column: str, cell: str) -> str:
    """Keep phone numbers out of columns that stand on screens and in logs."""
    if _MOBILE.fullmatch(cell):
        raise BadCell(column, "looks like a mobile number; give members a number of their own")
    return cell


def _keyed(key: bytes, what: str, text: str) -> str:
    return hmac.digest(key, f"{what}:{text}".encode(), "sha256").hex()[:32]
