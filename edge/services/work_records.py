"""What waits for a person: work items, as records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class WorkKind(StrEnum):
    """Why a person is wanted.

    LATE_PAYMENT: money came in after the shopper had left; the goods wait. MONEY_ADRIFT: money that could not
    be booked went back, or is on its way back. REFUND_STUCK: a refund does not reach the shopper.
    SHARE_STUCK: a tenant's share did not arrive, or does not come back; it is settled otherwise.
    BILL_DIFFERENCE: the gateway's bill and the books disagree. TAILGATED: a vehicle went through a lane
    behind another. PASSED_BACK: a vehicle came in that was inside already, so it must have left unseen.
    HAND_OVER_UNTOLD: WeChat was not told that goods were handed over, so their money stays frozen.
    NOT_HANDED_OVER: a counter's ticket was paid long ago and its goods are still there, or nobody has said
    that they are gone; what was paid inside the mini-program stays frozen meanwhile.
    """

    LATE_PAYMENT = "late_payment"
    MONEY_ADRIFT = "money_adrift"
    REFUND_STUCK = "refund_stuck"
    SHARE_STUCK = "share_stuck"
    BILL_DIFFERENCE = "bill_difference"
    TAILGATED = "tailgated"
    PASSED_BACK = "passed_back"
    HAND_OVER_UNTOLD = "hand_over_untold"
    NOT_HANDED_OVER = "not_handed_over"


#: What the car park's people look into, not the cashiers.
LANE_WORK = (WorkKind.TAILGATED, WorkKind.PASSED_BACK)


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One thing that a person must look at and close with a reason; it is never deleted.

    reference: what it is about, with `kind` unique for ever: an attempt, a refund leg, a bill's row.
    facts: a JSON object of texts and numbers that a page fills its sentence with. day: the business day it
    belongs to, "" for none. closed_at, closed_by, reason: None and "" while it is open.
    """

    item_id: str
    kind: WorkKind
    reference: str
    opened_at: int
    facts: str = "{}"
    day: str = ""
    closed_at: int | None = None
    closed_by: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_at is None


class WorkItems(Protocol):
    """Work items, open and closed."""

    def get(self, item_id: str) -> WorkItem | None:
        """Return one item."""

    def find(self, kind: WorkKind, reference: str) -> WorkItem | None:
        """Return the item about `reference`."""

    def put(self, item: WorkItem) -> None:
        """Write an item; raise Corrupt for a second one of the same kind and reference."""

    def open(self, limit: int, kind: WorkKind | None = None, day: str = "") -> tuple[WorkItem, ...]:
        """Return open items, oldest first; of one kind or day where given."""

    def closed(self, limit: int) -> tuple[WorkItem, ...]:
        """Return the items closed last, newest first."""

    def count_open(self, kind: WorkKind | None = None, day: str = "") -> int:
        """Return how many are open; of one kind or day where given."""
