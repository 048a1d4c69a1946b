"""Bills of the gateways and the books beside them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

from edge.retail.attempt import AttemptState
from edge.retail.reconcile import ChannelMoney, LocalPayment, LocalRefund
from edge.retail.refund import LegState
from edge.services.bill_records import BillDay, BillHours

_DAY = """
gateway, merchant, day, compared_at, rows, payments_fen, refunds_fen, fees_fen, matched, elsewhere, carried,
differences
"""
#: A combined payment is in no bill; its parts are, each in its merchant's.
_PAYMENT = """
SELECT merchant_order_no, number, amount_fen, attempts.state, created_at, attempts.closed_at, billed_on
FROM attempts JOIN orders USING (order_id)
WHERE NOT EXISTS (SELECT 1 FROM attempt_parts WHERE attempt_parts.attempt_id = attempts.attempt_id)
"""
_PART = """
SELECT part.merchant_order_no, number, part.amount_fen, attempts.state, created_at, attempts.closed_at,
       part.billed_on
FROM attempt_parts AS part JOIN attempts USING (attempt_id) JOIN orders USING (order_id)
WHERE true
"""
_REFUND = """
SELECT coalesce(nullif(part_no, ''), attempts.merchant_order_no, ''), merchant_refund_no, orders.number,
       refund_legs.amount_fen, refund_legs.state, refund_legs.closed_at, refund_legs.billed_on
FROM refund_legs JOIN refunds USING (refund_id) JOIN orders USING (order_id)
     JOIN tenders USING (tender_id) LEFT JOIN attempts USING (attempt_id)
     LEFT JOIN attempt_parts ON attempt_parts.merchant_order_no = part_no
"""
_PAYMENTS = (
    f"{_PAYMENT} AND gateway = ? AND merchant_order_no IN (SELECT value FROM json_each(?))",
    f"{_PART} AND gateway = ? AND part.merchant_order_no IN (SELECT value FROM json_each(?))",
)
_REFUNDS = f"{_REFUND} WHERE refund_legs.kind = ? AND merchant_refund_no IN (SELECT value FROM json_each(?))"
_UNBILLED = f"""
{_PAYMENT} AND gateway = :gateway AND :merchant = '' AND attempts.state = 'approved'
AND billed_on IN ('', :day) AND created_at >= :begins AND created_at < :ends AND merchant_order_no > :after
ORDER BY merchant_order_no LIMIT :limit
"""
_UNBILLED_PARTS = f"""
{_PART} AND gateway = :gateway AND merchant = :merchant AND attempts.state = 'approved'
AND part.billed_on IN ('', :day) AND created_at >= :begins AND created_at < :ends
AND part.merchant_order_no > :after
ORDER BY part.merchant_order_no LIMIT :limit
"""
_UNBILLED_REFUNDS = f"""
{_REFUND} WHERE refund_legs.kind = ? AND coalesce(merchant, '') = ? AND refund_legs.state = 'done'
AND refund_legs.billed_on IN ('', ?)
AND refund_legs.closed_at >= ? AND refund_legs.closed_at < ? AND merchant_refund_no > ?
ORDER BY merchant_refund_no LIMIT ?
"""
_CARRIED = """
SELECT day, merchant_order_no, paid_fen, returned_fen, state, happened_at FROM bill_carries
WHERE gateway = ? AND merchant = ? AND day < ? ORDER BY day, merchant_order_no
"""


class BillTable:
    """Implements bill_records.BillBook."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def day(self, gateway: str, merchant: str, day: str) -> BillDay | None:
        """Return what came of one bill."""
        statement = f"SELECT {_DAY} FROM bill_days WHERE gateway = ? AND merchant = ? AND day = ?"
        row = self._connection.execute(statement, (gateway, merchant, day)).fetchone()
        return None if row is None else BillDay(*row)

    def put_day(self, done: BillDay) -> None:
        """Write what came of a bill, in place of an earlier comparison."""
        marks = ", ".join("?" * 12)
        self._connection.execute(f"INSERT OR REPLACE INTO bill_days ({_DAY}) VALUES ({marks})", astuple(done))

    def days(self, limit: int) -> tuple[BillDay, ...]:
        """Return the newest days, newest first."""
        statement = f"SELECT {_DAY} FROM bill_days ORDER BY day DESC, gateway, merchant LIMIT ?"
        return tuple(BillDay(*row) for row in self._connection.execute(statement, (limit,)))

    def payments(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalPayment]:
        """Return our payments by merchant order number."""
        asked = (gateway, json.dumps(list(numbers)))
        rows = (row for statement in _PAYMENTS for row in self._connection.execute(statement, asked))
        return {row[0]: _payment(row) for row in rows}

    def refunds(self, gateway: str, numbers: Sequence[str]) -> dict[str, LocalRefund]:
        """Return our refunds by merchant refund number."""
        rows = self._connection.execute(_REFUNDS, (gateway, json.dumps(list(numbers))))
        return {row[1]: _refund(row) for row in rows}

    def unbilled_payments(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalPayment, ...]:
        """Return approved payments that began in those hours and are in no other bill."""
        asked = {"gateway": gateway, "merchant": merchant, "day": hours.day, "after": after, "limit": limit}
        asked |= {"begins": hours.begins_at, "ends": hours.ends_at}
        both = (self._connection.execute(one, asked) for one in (_UNBILLED, _UNBILLED_PARTS))
        first = sorted(row for rows in both for row in rows)[:limit]
        return tuple(_payment(row) for row in first)

    def unbilled_refunds(
        self, gateway: str, hours: BillHours, after: str, limit: int, merchant: str = ""
    ) -> tuple[LocalRefund, ...]:
        """Return refunds that were done in those hours and are in no other bill."""
        asked = (gateway, merchant, hours.day, hours.begins_at, hours.ends_at, after, limit)
        rows = self._connection.execute(_UNBILLED_REFUNDS, asked)
        return tuple(_refund(row) for row in rows)

    def mark_payments(self, numbers: Iterable[str], day: str) -> None:
        """Note that payments stand in the bill of `day`."""
        marks = [(day, number) for number in numbers]
        for table in ("attempts", "attempt_parts"):
            statement = f"UPDATE {table} SET billed_on = ? WHERE merchant_order_no = ? AND billed_on = ''"
            self._connection.executemany(statement, marks)

    def mark_refunds(self, numbers: Iterable[str], day: str) -> None:
        """Note that refunds stand in the bill of `day`."""
        statement = "UPDATE refund_legs SET billed_on = ? WHERE merchant_refund_no = ? AND billed_on = ''"
        self._connection.executemany(statement, [(day, number) for number in numbers])

    def carried(self, gateway: str, merchant: str, before: str) -> tuple[tuple[str, ChannelMoney], ...]:
        """Return (day, money) of what bills before that day have left open."""
        rows = self._connection.execute(_CARRIED, (gateway, merchant, before))
        return tuple((row[0], ChannelMoney(*row[1:])) for row in rows)

    def carry(self, gateway: str, merchant: str, day: str, money: Iterable[ChannelMoney]) -> None:
        """Replace what the bill of `day` leaves open."""
        bill = (gateway, merchant, day)
        self._connection.execute(
            "DELETE FROM bill_carries WHERE gateway = ? AND merchant = ? AND day = ?", bill
        )
        self._connection.executemany(
            "INSERT INTO bill_carries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(*bill, *astuple(one)) for one in money],
        )


def _payment(row: tuple[Any, ...]) -> LocalPayment:
    number, order_number, amount_fen, state, *rest = row
    return LocalPayment(number, order_number, amount_fen, AttemptState(state), *rest)


def _refund(row: tuple[Any, ...]) -> LocalRefund:
    order_no, refund_no, order_number, amount_fen, state, *rest = row
    return LocalRefund(order_no, refund_no, order_number, amount_fen, LegState(state), *rest)
