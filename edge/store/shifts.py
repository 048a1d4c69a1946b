"""Shifts, closed business days, and the books by workstation."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any

from edge.retail.ledger import Entry, Posting
from edge.retail.shift import BusinessDay, CashCount, CashKind, CashMovement, Shift, ShiftState
from edge.retail.shift_report import Booked

#: Beyond every position in the books.
_END = 2**62

_SHIFT = """
shift_id, workstation, cashier, business_day, opened_at, float_fen, after_position, state, counts, through,
number, expected_fen, closed_at, closed_by, reason
"""
_GET = f"SELECT {_SHIFT} FROM shifts WHERE shift_id = ?"
_CURRENT = f"SELECT {_SHIFT} FROM shifts WHERE workstation = ? AND state <> 'closed'"
_LAST = f"""
SELECT {_SHIFT} FROM shifts WHERE workstation = ? AND number IS NOT NULL ORDER BY number DESC LIMIT 1
"""
_GOING_ON = f"SELECT {_SHIFT} FROM shifts WHERE state <> 'closed' ORDER BY workstation"
_OF_DAY = f"SELECT {_SHIFT} FROM shifts WHERE business_day = ? ORDER BY workstation, shift_id"
_RECENT = f"SELECT {_SHIFT} FROM shifts ORDER BY shift_id DESC LIMIT ?"
_PUT = f"""
INSERT INTO shifts ({_SHIFT}) VALUES ({", ".join("?" * 15)})
ON CONFLICT (shift_id) DO UPDATE SET
    state = excluded.state, counts = excluded.counts, through = excluded.through, number = excluded.number,
    expected_fen = excluded.expected_fen, closed_at = excluded.closed_at, closed_by = excluded.closed_by,
    reason = excluded.reason
"""
_PUT_MOVEMENT = """
INSERT INTO shift_cash (movement_id, shift_id, kind, amount_fen, reason, moved_by, moved_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (movement_id) DO NOTHING
"""
_MOVEMENTS = """
SELECT movement_id, kind, amount_fen, reason, moved_by, moved_at FROM shift_cash
WHERE shift_id = ? ORDER BY movement_id
"""
_BOOKED = """
SELECT b.position, p.posting_id, p.kind, p.reference, p.posted_at, b.workstation, b.order_id,
       coalesce(o.number, ''), coalesce(o.ordered_at, p.posted_at), coalesce(t.change_fen, 0),
       e.account, e.amount_fen
FROM bookings b
JOIN postings p ON p.posting_id = b.posting_id
JOIN entries e ON e.posting_id = b.posting_id
LEFT JOIN orders o ON o.order_id = b.order_id
LEFT JOIN tenders t ON p.kind = 'tender' AND t.tender_id = p.reference
WHERE b.workstation = ? AND b.position > ? AND b.position <= ?
ORDER BY b.position, e.position
"""
_DRAWER = """
SELECT coalesce(sum(e.amount_fen), 0) FROM bookings b JOIN entries e ON e.posting_id = b.posting_id
WHERE b.workstation = ? AND b.position > ? AND b.position <= ? AND e.account = 'tender/cash'
"""
_FAILED = """
SELECT state, count(*) FROM attempts
WHERE workstation = ? AND created_at >= ? AND created_at < ? AND state IN ('declined', 'voided', 'refunded')
GROUP BY state
"""


class ShiftTable:
    """Implements shift_records.Shifts."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, shift_id: str) -> Shift | None:
        """Return a shift with its movements and counts."""
        return self._one(_GET, shift_id)

    def put(self, shift: Shift) -> None:
        """Write a shift; its movements are only added."""
        self._connection.execute(_PUT, _row(shift))
        for one in shift.movements:
            row = (
                one.movement_id,
                shift.shift_id,
                one.kind,
                one.amount_fen,
                one.reason,
                one.by,
                one.moved_at,
            )
            self._connection.execute(_PUT_MOVEMENT, row)

    def current(self, workstation: str) -> Shift | None:
        """Return the shift that goes on there."""
        return self._one(_CURRENT, workstation)

    def last(self, workstation: str) -> Shift | None:
        """Return the shift of that workstation that was closed last."""
        return self._one(_LAST, workstation)

    def going_on(self) -> tuple[Shift, ...]:
        """Return every shift that is not closed, by workstation."""
        return self._all(_GOING_ON)

    def of_day(self, business_day: str) -> tuple[Shift, ...]:
        """Return the shifts of a business day, by workstation, oldest first."""
        return self._all(_OF_DAY, business_day)

    def recent(self, limit: int) -> tuple[Shift, ...]:
        """Return the shifts that were opened last, newest first."""
        return self._all(_RECENT, limit)

    def put_report(self, shift_id: str, report: str) -> None:
        """Keep the Z report of a closed shift as JSON; it is written once."""
        self._connection.execute("UPDATE shifts SET report = ? WHERE shift_id = ?", (report, shift_id))

    def report(self, shift_id: str) -> str | None:
        """Return the Z report of a shift, None before it is closed."""
        row = self._connection.execute("SELECT report FROM shifts WHERE shift_id = ?", (shift_id,)).fetchone()
        return None if row is None else row[0]

    def day(self, business_day: str) -> BusinessDay | None:
        """Return a business day that was closed."""
        row = self._connection.execute(
            "SELECT * FROM business_days WHERE day = ?", (business_day,)
        ).fetchone()
        return None if row is None else BusinessDay(*row)

    def put_day(self, day: BusinessDay) -> None:
        """Write that a business day is closed; once."""
        values = (day.day, day.closed_at, day.closed_by, day.report)
        self._connection.execute("INSERT INTO business_days VALUES (?, ?, ?, ?)", values)

    def last_day(self) -> BusinessDay | None:
        """Return the latest business day that was closed."""
        row = self._connection.execute("SELECT * FROM business_days ORDER BY day DESC LIMIT 1").fetchone()
        return None if row is None else BusinessDay(*row)

    def beginning(self) -> int:
        """Return the position in the books up to which nothing belongs to a shift."""
        return int(self._connection.execute("SELECT position FROM shift_beginning").fetchone()[0])

    def position(self) -> int:
        """Return the position of the newest posting in the books, 0 for none."""
        return int(self._connection.execute("SELECT coalesce(max(position), 0) FROM bookings").fetchone()[0])

    def booked(self, workstation: str, after: int, through: int | None) -> tuple[Booked, ...]:
        """Return the postings of a workstation above `after`, up to `through` or the end, in order."""
        ends = (workstation, after, _END if through is None else through)
        rows = self._connection.execute(_BOOKED, ends)
        return tuple(_booked(list(group)) for _, group in groupby(rows, itemgetter(0)))

    def drawer_fen(self, workstation: str, after: int, through: int | None) -> int:
        """Return the sum of the entries of "tender/cash" among these postings."""
        ends = (workstation, after, _END if through is None else through)
        return int(self._connection.execute(_DRAWER, ends).fetchone()[0])

    def places(self) -> tuple[str, ...]:
        """Return every workstation that postings were booked at."""
        rows = self._connection.execute("SELECT DISTINCT workstation FROM bookings ORDER BY workstation")
        return tuple(row[0] for row in rows)

    def failed_attempts(self, workstation: str, since_at: int, until_at: int) -> Mapping[str, int]:
        """Return how many payments begun there in that time came to nothing, by state."""
        return dict(self._connection.execute(_FAILED, (workstation, since_at, until_at)).fetchall())

    def _one(self, statement: str, key: str) -> Shift | None:
        return next(iter(self._all(statement, key)), None)

    def _all(self, statement: str, *keys: object) -> tuple[Shift, ...]:
        return tuple(self._shift(row) for row in self._connection.execute(statement, keys).fetchall())

    def _shift(self, row: tuple[Any, ...]) -> Shift:
        shift_id, workstation, cashier, business_day, opened_at, float_fen, after, state, counts, *end = row
        through, number, expected_fen, closed_at, closed_by, reason = end
        return Shift(
            shift_id,
            workstation,
            cashier,
            business_day,
            opened_at,
            float_fen,
            after,
            ShiftState(state),
            _movements(self._connection.execute(_MOVEMENTS, (shift_id,))),
            tuple(_count(raw) for raw in json.loads(counts)),
            through,
            number,
            expected_fen,
            closed_at,
            closed_by,
            reason,
        )


def _row(shift: Shift) -> tuple[object, ...]:
    return (
        shift.shift_id,
        shift.workstation,
        shift.cashier,
        shift.business_day,
        shift.opened_at,
        shift.float_fen,
        shift.after,
        shift.state,
        json.dumps([asdict(count) for count in shift.counts], ensure_ascii=False),
        shift.through,
        shift.number,
        shift.expected_fen,
        shift.closed_at,
        shift.closed_by,
        shift.reason,
    )


def _movements(rows: Iterable[tuple[Any, ...]]) -> tuple[CashMovement, ...]:
    return tuple(
        CashMovement(movement_id, CashKind(kind), amount_fen, reason, by, at)
        for movement_id, kind, amount_fen, reason, by, at in rows
    )


def _count(raw: Mapping[str, Any]) -> CashCount:
    pieces = tuple((key, number) for key, number in raw["pieces"])
    return CashCount(pieces, raw["loose_fen"], raw["by"], raw["counted_at"])


def _booked(rows: list[tuple[Any, ...]]) -> Booked:
    position, posting_id, kind, reference, posted_at, place, order_id, number, begun_at, change_fen, *_ = (
        rows[0]
    )
    entries = tuple(Entry(row[10], row[11]) for row in rows)
    posting = Posting(posting_id, kind, reference, posted_at, entries, place, order_id)
    return Booked(position, posting, number, begun_at, change_fen)
