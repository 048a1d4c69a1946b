"""What a stay costs at a moment, segment by segment, and what was already settled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SegmentKind(StrEnum):
    """What a segment is: free time, charged time, a cap that took something off, rounding, a benefit."""

    FREE = "free"
    CHARGED = "charged"
    CAP = "cap"
    ROUNDING = "rounding"
    BENEFIT = "benefit"


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of an explanation. amount_fen: negative for caps and benefits, either for rounding.

    from_at, to_at: the part of the stay that it is about. words: key of a text in both languages; params:
    what fills it. benefit_id: for BENEFIT.
    """

    kind: SegmentKind
    from_at: int
    to_at: int
    amount_fen: int
    words: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    benefit_id: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of a stay from `entered_at` to `at`.

    gross_fen: before benefits. total_fen: after benefits, before payments. paid_fen: settled before.
    due_fen: what is to be paid now, never below 0. next_raise_at, next_raise_fen: when more would be due and
    how much then would be due in all, None when it never rises. allowed_exit_at: until when the vehicle may
    leave without paying more (the year 2100 when the price never rises), None while something is due. used:
    benefits that took something off.
    """

    session_id: str
    tariff_id: str
    entered_at: int
    at: int
    segments: tuple[Segment, ...]
    gross_fen: int
    total_fen: int
    paid_fen: int
    due_fen: int
    next_raise_at: int | None = None
    next_raise_fen: int | None = None
    allowed_exit_at: int | None = None
    used: tuple[str, ...] = ()
    clock_note: str = ""


@dataclass(frozen=True, slots=True)
class Settlement:
    """Money that was confirmed for a stay. order_id: the order whose tenders brought it.

    covers_until: the moment that the paid quote was for; from it the time to drive out runs. at_place: the
    workstation. refund_id: of a refund that took money back out of the stay; amount_fen is below 0 then.
    covers_boot, covers_ns: boot id and boot time of `covers_until`, "" for one from before.
    """

    settlement_id: str
    session_id: str
    order_id: str
    amount_fen: int
    covers_until: int
    settled_at: int
    at_place: str = ""
    refund_id: str = ""
    covers_boot: str = ""
    covers_ns: int = 0
