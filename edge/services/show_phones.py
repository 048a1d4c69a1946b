"""How phones are served, for people: sessions, orders that wait, and what WeChat is still to be told."""

from __future__ import annotations

from dataclasses import dataclass

from edge.clock import iso
from edge.services.phone_records import PhoneNotice
from edge.services.records import Unit

#: Notices that a page or a list shows.
NOTICES_SHOWN = 50


@dataclass(frozen=True, slots=True)
class NoticeShown:
    """One notice and the number of its order."""

    notice: PhoneNotice
    number: str


@dataclass(frozen=True, slots=True)
class PhonesShown:
    """sessions, signed_in: how many. waiting, refused: notices. undone: these, what happened last first."""

    sessions: int
    signed_in: int
    waiting: int
    refused: int
    undone: tuple[NoticeShown, ...]


def show_phones(unit: Unit) -> PhonesShown:
    """Return how phones are served now."""
    undone = []
    for notice in unit.phone_notices.undone(NOTICES_SHOWN):
        order = unit.orders.get(notice.order_id)
        undone.append(NoticeShown(notice, order.number if order else ""))
    return PhonesShown(*unit.phones.count(), *unit.phone_notices.waiting(), tuple(undone))


def describe_phones(shown: PhonesShown) -> list[str]:
    """Return the same as lines for a terminal; openids are not shown."""
    lines = [
        f"{shown.sessions} phones, {shown.signed_in} of them signed in",
        f"{shown.waiting} notices wait to be told to WeChat, {shown.refused} were refused",
    ]
    for one in shown.undone:
        notice = one.notice
        what = "refused" if notice.refused else f"told {notice.tries} times, again {iso(notice.next_at)}"
        why = f": {notice.why}" if notice.why else ""
        lines.append(
            f"  {iso(notice.at)} {notice.kind} of order {one.number or notice.order_id}, {what}{why}"
        )
    return lines
