"""What `classify` answers: the kind of a code, its typed payload, every field, and why.

A reading holds the other possible readings too, each with the reason why it lost, so that a service
can go on to the next one (for instance when the catalogue does not know the first) or ask a person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from edge.codes.gs1 import Gs1Message
from edge.codes.gtin import ItemCode
from edge.codes.house import DEFAULT_FORMS, HouseCode, HouseForm, check_forms
from edge.codes.payment import PaymentCode
from edge.codes.scale_label import CHINA_LAYOUTS, ScaleLabel, ScaleLayout, parse_layouts
from edge.errors import Invalid


class CodeKind(StrEnum):
    """The class by which a scan is routed."""

    ITEM = "item"
    SCALE_LABEL = "scale_label"
    GS1 = "gs1"
    PAYMENT = "payment"
    MEMBER = "member"
    TICKET = "ticket"
    COUPON = "coupon"
    PARKING = "parking"
    RECEIPT = "receipt"
    STAFF = "staff"
    UNKNOWN = "unknown"


class Context(StrEnum):
    """What the workstation was doing when the code was scanned.

    IDLE: nothing begun. BASKET: goods are being scanned. PAYING: an amount is due. TICKETS: a cashier
    collects counter tickets. MEMBER: a member is to be identified. PARKING: a parking fee is asked for.
    """

    IDLE = "idle"
    BASKET = "basket"
    PAYING = "paying"
    TICKETS = "tickets"
    MEMBER = "member"
    PARKING = "parking"


#: The year that this was written in; the present cannot be before it.
EARLIEST_YEAR = 2026

Payload = ItemCode | ScaleLabel | Gs1Message | PaymentCode | HouseCode


@dataclass(frozen=True, slots=True)
class Field:
    """One field for `explain`: what it is called, what stands there, what that means."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class CodeReading:
    """What one scanned string is.

    kind routes it; payload is its typed content, None for UNKNOWN. text: the string as it may be shown
    (masked for a payment code and for what may be part of one). fields, reasons: for `explain`. keys: what to
    look up in the catalogue, best first; for UNKNOWN the exact text alone, empty for codes that are no
    goods. also: the readings that lost, best first. ambiguous: another reading fits as well as this
    one and only the context decided; say so to the person before money moves.
    """

    kind: CodeKind
    payload: Payload | None
    text: str
    fields: tuple[Field, ...] = ()
    reasons: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    also: tuple[Alternative, ...] = ()
    ambiguous: bool = False
    aim: str | None = None
    context: Context = Context.IDLE


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of the same string, and in one sentence why it lost."""

    reading: CodeReading
    lost_because: str


@dataclass(frozen=True, slots=True)
class CodeRules:
    """How this box reads codes; make one with `code_rules`.

    layouts: longest prefix first. house_forms: longest prefix first. public_hosts: lower-case host or
    host:port of our own links. itf_lengths: lengths accepted from ITF symbols, which are easily read
    in part. year: the year that centuries of GS1 dates are counted from.
    """

    layouts: tuple[ScaleLayout, ...] = field(default_factory=lambda: parse_layouts(CHINA_LAYOUTS))
    house_forms: tuple[HouseForm, ...] = field(default_factory=lambda: check_forms(DEFAULT_FORMS))
    public_hosts: tuple[str, ...] = ()
    itf_lengths: tuple[int, ...] = (14, 18)
    year: int = EARLIEST_YEAR


def code_rules(
    scale_layouts: tuple[str, ...] = CHINA_LAYOUTS,
    house_forms: tuple[HouseForm, ...] = DEFAULT_FORMS,
    public_hosts: tuple[str, ...] = (),
    itf_lengths: tuple[int, ...] = (14, 18),
    year: int = EARLIEST_YEAR,
) -> CodeRules:
    """Return checked rules from settings; raise Invalid that names the setting and what is wrong.

    scale_layouts: patterns such as "21PPPPPWWWWWC W3" (see `edge.codes.scale_label`). year: a year
    before 2026 comes from a clock that is not set yet and counts as 2026.
    """
    if any(not 2 <= length <= 40 for length in itf_lengths):
        raise Invalid(f"itf_lengths {itf_lengths} must lie within 2 and 40")
    if year > 2999:
        raise Invalid(f"year {year} cannot be the present year")
    hosts = tuple(host.strip().lower() for host in public_hosts)
    if any(not host or "/" in host for host in hosts):
        raise Invalid(
            f"public_hosts {public_hosts} must be bare hosts such as mall.example.com, without https://"
        )
    return CodeRules(
        parse_layouts(scale_layouts), check_forms(house_forms), hosts, itf_lengths, max(year, EARLIEST_YEAR)
    )
