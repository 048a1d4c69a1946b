"""What is kept of the gateways' bills, and what the books have to compare with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from edge.retail.reconcile import ChannelMoney, LocalPayment, LocalRefund


@dataclass(frozen=True, slots=True)
class BillDay:
    """One bill that was compared with the books. day: ISO date where the gateway is.

    rows: of the bill. matched: movements that agree. elsewhere: rows of other boxes with the same merchant
    number. carried: movements whose other half is due in the next bill. differences: found this time.
    """

    gateway: str
    merchant: str
    day: str
    compared_at: int
    rows: int
    payments_fen: int
    refunds_fen: int
    fees_fen: int
    matched: int
    elsewhere: int
    carried: int
    differences: int


@dataclass(frozen=True, slots=True)
class BillHours:
    """Whose money a bill should have. day: ISO date; begins_at to before ends_at: Unix milliseconds."""

    day: str
    begins_at: int
    ends_at: int


class BillBook(Protocol):
    """Bills and the books beside them."""

    def day(self, gateway: str, merchant: str, day: str) -> BillDay | None:
        """Return what came of one bill."""

    def put_day(self, done: BillDay) -> None:
        """Write what came of a bill, in place of an earlier comparison."""

    def days(self, limit: int) -> tuple[BillDay, ...]:
        """Return the newest days, newest first."""

    def payments(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalPayment]:
        """Return our payments by merchant order number; at most 1,000 numbers at a time."""

    def refunds(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalRefund]:
        """Return our refunds by merchant refund number; at most 1,000 numbers at a time."""

    def unbilled_payments(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalPayment, ...]:
        """Return approved payments that began in those hours and are in no other bill, by number.

        merchant: whose bill; of a combined payment each part stands in its merchant's. "": the gateway's own.
        """

    def unbilled_refunds(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalRefund, ...]:
        """Return refunds that were done in those hours and are in no other bill, by number."""

    def mark_payments(self, numbers: Iterable[str], day: str) -> None:
        """Note that payments stand in the bill of `day`; one that is in an earlier bill stays there."""

    def mark_refunds(self, numbers: Iterable[str], day: str) -> None:
        """Note that refunds stand in the bill of `day`."""

    def carried(self, gateway: str, merchant: str, before: str) -> tuple[tuple[str, ChannelMoney], ...]:
        """Return (day, money) of what bills before that day have left open."""

    def carry(self, gateway: str, merchant: str, day: str, money: Iterable[ChannelMoney]) -> None:
        """Replace what the bill of `day` leaves open."""
