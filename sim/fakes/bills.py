"""Bills and the books beside them in memory, with the rules that the tables enforce."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.retail.attempt import AttemptState, PaymentAttempt
from edge.retail.order import Order
from edge.retail.reconcile import ChannelMoney, LocalPayment, LocalRefund
from edge.retail.refund import LegState, Refund
from edge.services.bill_records import BillDay, BillHours

_Bill = tuple[str, str, str]


@dataclass(slots=True)
class BillRows:
    """All state. billed: by order and refund number, the day of the bill."""

    days: dict[_Bill, BillDay] = field(default_factory=dict)
    billed: dict[str, str] = field(default_factory=dict)
    carries: dict[_Bill, tuple[ChannelMoney, ...]] = field(default_factory=dict)

    def copy(self) -> BillRows:
        """Return rows that can be changed without changing these."""
        return replace(self, days=dict(self.days), billed=dict(self.billed), carries=dict(self.carries))


@dataclass(frozen=True, slots=True)
class BilledBooks:
    """What the other fakes keep."""

    orders: Mapping[str, Order]
    attempts: Mapping[str, PaymentAttempt]
    refunds: Mapping[str, Refund]


class FakeBills:
    """Implements bill_records.BillBook."""

    def __init__(self, rows: BillRows, books: BilledBooks, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._books = books
        self._writing = writing

    def day(self, gateway: str, merchant: str, day: str) -> BillDay | None:
        """Return what came of one bill."""
        return self._rows.days.get((gateway, merchant, day))

    def put_day(self, done: BillDay) -> None:
        """Write what came of a bill."""
        self._writing()
        self._rows.days[done.gateway, done.merchant, done.day] = done

    def days(self, limit: int) -> tuple[BillDay, ...]:
        """Return the newest days, newest first."""
        found = sorted(self._rows.days.values(), key=lambda one: (one.gateway, one.merchant))
        return tuple(sorted(found, key=lambda one: one.day, reverse=True)[:limit])

    def payments(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalPayment]:
        """Return our payments by merchant order number."""
        wanted = set(numbers)
        return {
            one.merchant_order_no: one for one in self._payments(gateway) if one.merchant_order_no in wanted
        }

    def refunds(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalRefund]:
        """Return our refunds by merchant refund number."""
        wanted = set(numbers)
        return {
            one.merchant_refund_no: one for one in self._legs(gateway) if one.merchant_refund_no in wanted
        }

    def unbilled_payments(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalPayment, ...]:
        """Return approved payments that began in those hours and are in no other bill."""
        found = [
            one
            for one in self._payments(gateway, merchant)
            if one.state is AttemptState.APPROVED
            and one.billed_on in ("", hours.day)
            and hours.begins_at <= one.created_at < hours.ends_at
            and one.merchant_order_no > after
        ]
        return tuple(sorted(found, key=lambda one: one.merchant_order_no)[:limit])

    def unbilled_refunds(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalRefund, ...]:
        """Return refunds that were done in those hours and are in no other bill."""
        found = [
            one
            for one in self._legs(gateway, merchant)
            if one.state is LegState.DONE
            and one.billed_on in ("", hours.day)
            and hours.begins_at <= (one.closed_at or 0) < hours.ends_at
            and one.merchant_refund_no > after
        ]
        return tuple(sorted(found, key=lambda one: one.merchant_refund_no)[:limit])

    def mark_payments(self, numbers: Iterable[str], day: str) -> None:
        """Note that payments stand in the bill of `day`."""
        self._writing()
        for number in numbers:
            self._rows.billed.setdefault(number, day)

    def mark_refunds(self, numbers: Iterable[str], day: str) -> None:
        """Note that refunds stand in the bill of `day`."""
        self.mark_payments(numbers, day)

    def carried(self, gateway: str, merchant: str, before: str) -> tuple[tuple[str, ChannelMoney], ...]:
        """Return (day, money) of what bills before that day have left open."""
        return tuple(
            (day, one)
            for (of, by, day), money in sorted(self._rows.carries.items())
            if (of, by) == (gateway, merchant) and day < before
            for one in sorted(money, key=lambda one: one.merchant_order_no)
        )

    def carry(self, gateway: str, merchant: str, day: str, money: Iterable[ChannelMoney]) -> None:
        """Replace what the bill of `day` leaves open."""
        self._writing()
        self._rows.carries[gateway, merchant, day] = tuple(money)

    def _payments(self, gateway: str, merchant: str | None = None) -> Iterator[LocalPayment]:
        """Yield what stands in bills: payments in one part, and each part of the others."""
        for one in self._books.attempts.values():
            if one.gateway != gateway:
                continue
            whole = ((one.merchant_order_no, one.amount_fen, ""),)
            parts = tuple((part.merchant_order_no, part.amount_fen, part.merchant) for part in one.parts)
            for number, amount_fen, payee in parts or whole:
                if merchant in (None, payee):
                    yield LocalPayment(
                        number,
                        self._books.orders[one.order_id].number,
                        amount_fen,
                        one.state,
                        one.created_at,
                        one.closed_at,
                        self._rows.billed.get(number, ""),
                    )

    def _legs(self, gateway: str, merchant: str | None = None) -> Iterator[LocalRefund]:
        payees = {
            part.merchant_order_no: part.merchant
            for one in self._books.attempts.values()
            for part in one.parts
        }
        for refund in self._books.refunds.values():
            order = self._books.orders[refund.order_id]
            paid_by = {one.tender_id: self._books.attempts.get(one.attempt_id or "") for one in order.tenders}
            for leg in refund.legs:
                if leg.kind == gateway and merchant in (None, payees.get(leg.part_no, "")):
                    attempt = paid_by[leg.tender_id]
                    yield LocalRefund(
                        leg.part_no or (attempt.merchant_order_no if attempt else ""),
                        leg.merchant_refund_no,
                        order.number,
                        leg.amount_fen,
                        leg.state,
                        leg.closed_at,
                        self._rows.billed.get(leg.merchant_refund_no, ""),
                    )
