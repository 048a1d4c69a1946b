"""Refunds with their lines and legs."""

from __future__ import annotations

import re
import sqlite3
from operator import attrgetter
from typing import Any

from edge.retail.refund import LegState, Refund, RefundLeg, RefundLine, RefundPhase
from edge.services.refund_records import OrderSearch

_HEAD = (
    "refund_id, order_id, number, workstation, business_day, amount_fen, reason, requested_by, requested_at,"
    " phase, decided_by, decided_at, closed_at, cancels_order"
)
_LEG = (
    "leg_id, tender_id, kind, amount_fen, merchant_refund_no, created_at, next_step_at, state, polls,"
    " gateway_refund_id, trail, closed_at, part_no"
)
#: The columns are the fields' names.
_head_row = attrgetter(*_HEAD.split(", "))
_leg_row = attrgetter(*_LEG.split(", "))

_PUT = f"""
INSERT INTO refunds ({_HEAD}) VALUES ({", ".join("?" * 14)})
ON CONFLICT (refund_id) DO UPDATE SET
    workstation = excluded.workstation, business_day = excluded.business_day,
    amount_fen = excluded.amount_fen, phase = excluded.phase, decided_by = excluded.decided_by,
    decided_at = excluded.decided_at, closed_at = excluded.closed_at
"""
_PUT_LEG = f"""
INSERT INTO refund_legs (refund_id, position, {_LEG}) VALUES ({", ".join("?" * 15)})
"""
_CHANGE_LEG = """
UPDATE refund_legs SET next_step_at = ?, state = ?, polls = ?, gateway_refund_id = ?, trail = ?, closed_at = ?
WHERE leg_id = ?
"""
_OF_ORDER = "SELECT refund_id FROM refunds WHERE order_id = ? ORDER BY refund_id"
_MOVING = """
SELECT refund_id FROM (
    SELECT refund_id, min(next_step_at) AS due FROM refund_legs INDEXED BY refund_legs_moving
    WHERE state IN ('intended', 'submitted', 'unknown', 'processing', 'abnormal') GROUP BY refund_id)
ORDER BY due LIMIT ?
"""
_OPEN = "SELECT refund_id FROM refunds WHERE phase IN ('requested', 'approved') ORDER BY refund_id LIMIT ?"
_RECENT = "SELECT refund_id FROM refunds ORDER BY refund_id DESC LIMIT ?"
_FIND = """
SELECT order_id FROM orders
WHERE business_day = :day AND EXISTS (SELECT 1 FROM tenders WHERE tenders.order_id = orders.order_id)
    AND (number LIKE '%' || :text ESCAPE '!' OR EXISTS (
        SELECT 1 FROM attempts
        WHERE attempts.order_id = orders.order_id AND state = 'approved' AND code_tail = :text))
ORDER BY order_id DESC LIMIT :limit
"""


class RefundTable:
    """Implements records.Refunds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, refund_id: str) -> Refund | None:
        """Return a refund."""
        statement = f"SELECT {_HEAD} FROM refunds WHERE refund_id = ?"
        row = self._connection.execute(statement, (refund_id,)).fetchone()
        if row is None:
            return None
        *head, phase, decided_by, decided_at, closed_at, cancels = row
        return Refund(  # type: ignore[call-arg]  # the head has nine columns
            *head,
            self._lines(refund_id),
            self._legs(refund_id),
            RefundPhase(phase),
            decided_by,
            decided_at,
            closed_at,
            bool(cancels),
        )

    def put(self, refund: Refund) -> None:
        """Write a refund; its lines are replaced while it is requested, legs are added or changed."""
        known = self._connection.execute(
            "SELECT phase FROM refunds WHERE refund_id = ?", (refund.refund_id,)
        ).fetchone()
        self._connection.execute(_PUT, _head_row(refund))
        if known is None or known[0] == RefundPhase.REQUESTED:
            self._put_lines(refund)
        for position, leg in enumerate(refund.legs):
            self._put_leg(refund.refund_id, position, leg)

    def of_order(self, order_id: str) -> tuple[Refund, ...]:
        """Return an order's refunds, oldest first."""
        return self._all(_OF_ORDER, order_id)

    def moving(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds with a leg that the service follows up, the one due first first."""
        return self._all(_MOVING, limit)

    def open(self, limit: int) -> tuple[Refund, ...]:
        """Return refunds that are requested or on their way, oldest first."""
        return self._all(_OPEN, limit)

    def recent(self, limit: int) -> tuple[Refund, ...]:
        """Return the newest refunds, newest first."""
        return self._all(_RECENT, limit)

    def find_orders(self, search: OrderSearch, limit: int) -> tuple[str, ...]:
        """Return the ids of orders that took money, newest first."""
        text = re.sub(r"([!%_])", r"!\1", search.text)
        values = {"day": search.business_day, "text": text, "limit": limit}
        return tuple(row[0] for row in self._connection.execute(_FIND, values))

    def _all(self, statement: str, value: str | int) -> tuple[Refund, ...]:
        ids = [row[0] for row in self._connection.execute(statement, (value,)).fetchall()]
        return tuple(found for one in ids if (found := self.get(one)) is not None)

    def _lines(self, refund_id: str) -> tuple[RefundLine, ...]:
        statement = (
            "SELECT line_id, quantity, amount_fen FROM refund_lines WHERE refund_id = ? ORDER BY position"
        )
        return tuple(RefundLine(*row) for row in self._connection.execute(statement, (refund_id,)))

    def _legs(self, refund_id: str) -> tuple[RefundLeg, ...]:
        statement = f"SELECT {_LEG} FROM refund_legs WHERE refund_id = ? ORDER BY position"
        rows = self._connection.execute(statement, (refund_id,))
        return tuple(_leg(row) for row in rows)

    def _put_lines(self, refund: Refund) -> None:
        self._connection.execute("DELETE FROM refund_lines WHERE refund_id = ?", (refund.refund_id,))
        self._connection.executemany(
            "INSERT INTO refund_lines VALUES (?, ?, ?, ?, ?)",
            [
                (refund.refund_id, line.line_id, position, line.quantity, line.amount_fen)
                for position, line in enumerate(refund.lines)
            ],
        )

    def _put_leg(self, refund_id: str, position: int, leg: RefundLeg) -> None:
        changed = (
            leg.next_step_at,
            leg.state,
            leg.polls,
            leg.gateway_refund_id,
            leg.trail,
            leg.closed_at,
            leg.leg_id,
        )
        if not self._connection.execute(_CHANGE_LEG, changed).rowcount:
            self._connection.execute(_PUT_LEG, (refund_id, position, *_leg_row(leg)))


def _leg(row: tuple[Any, ...]) -> RefundLeg:
    values = list(row)
    values[7] = LegState(values[7])
    return RefundLeg(*values)
