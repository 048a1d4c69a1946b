"""Commission: what a guide earns by the sales that are credited to them, and gives back with refunds.

Rounded down to the fen on what each sale leaves to a guide. After a refund the commission is counted again on
what is left and the difference taken back, so that a sale that was given back whole leaves nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.members.attribution import Credit
from edge.members.touchpoint import Guide


@dataclass(frozen=True, slots=True)
class CommissionEntry:
    """One line of a guide's commission; never changed. day: the business day of the sale or of the refund.

    refund_id: "" for the sale itself. base_fen: what the guide is credited with after it; permille: the share
    that held at the sale; amount_fen: negative for what is taken back.
    """

    entry_id: str
    guide: str
    day: str
    order_id: str
    refund_id: str
    base_fen: int
    permille: int
    amount_fen: int
    at: int


@dataclass(frozen=True, slots=True)
class CommissionDue:
    """What one guide is to earn of a sale, all in all, by what is left of it."""

    guide: str
    base_fen: int
    permille: int

    @property
    def amount_fen(self) -> int:
        """The commission in fen, rounded down."""
        return self.base_fen * self.permille // 1_000


def commission_due(credits: Sequence[Credit], guides: Mapping[str, Guide]) -> tuple[CommissionDue, ...]:
    """Return what each guide of a sale earns by its credits, by guide; nothing for unknown ones."""
    bases: dict[str, int] = {}
    for one in credits:
        if one.guide in guides:
            bases[one.guide] = bases.get(one.guide, 0) + one.amount_fen
    return tuple(CommissionDue(name, bases[name], guides[name].commission_permille) for name in sorted(bases))


def taken_back(
    credits: Sequence[Credit], entries: Iterable[CommissionEntry]
) -> tuple[tuple[CommissionDue, int], ...]:
    """Return (what each guide keeps, fen to take back as a negative number) after a refund.

    credits: as they are now. entries: the sale's so far. The share that held at the sale still holds.
    """
    had: dict[str, int] = {}
    share: dict[str, int] = {}
    for entry in entries:
        had[entry.guide] = had.get(entry.guide, 0) + entry.amount_fen
        share.setdefault(entry.guide, entry.permille)
    found = []
    for guide in sorted(had):
        base = sum(one.amount_fen for one in credits if one.guide == guide)
        due = CommissionDue(guide, base, share[guide])
        if due.amount_fen != had[guide]:
            found.append((due, due.amount_fen - had[guide]))
    return tuple(found)
