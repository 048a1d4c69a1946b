"""Orders with their lines and tenders, and their running numbers."""

from __future__ import annotations

import sqlite3

from edge.retail.order import Order, OrderState, Tender
from edge.store.lines import LineRows

_GET = """
SELECT order_id, number, basket_id, workstation, business_day, ordered_at, state, closed_at
FROM orders WHERE order_id = ?
"""
_TENDERS = """
SELECT tender_id, kind, amount_fen, tendered_at, received_fen, change_fen, attempt_id
FROM tenders WHERE order_id = ? ORDER BY tender_id
"""
_INSERT = """
INSERT INTO orders
    (order_id, number, basket_id, workstation, business_day, ordered_at, state, total_fen, closed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = "UPDATE orders SET state = ?, closed_at = ? WHERE order_id = ?"
_INSERT_TENDER = """
INSERT INTO tenders
    (tender_id, order_id, kind, amount_fen, tendered_at, received_fen, change_fen, attempt_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tender_id) DO NOTHING
"""
_TAKE_NUMBER = """
INSERT INTO order_numbers (business_day, last_number) VALUES (?, 1)
ON CONFLICT (business_day) DO UPDATE SET last_number = last_number + 1
RETURNING last_number
"""


class OrderTable:
    """Implements records.Orders."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lines = LineRows(connection, "order")

    def get(self, order_id: str) -> Order | None:
        """Return an order with its lines and tenders."""
        row = self._connection.execute(_GET, (order_id,)).fetchone()
        if row is None:
            return None
        order_id, number, basket_id, workstation, business_day, ordered_at, state, closed_at = row
        tenders = self._connection.execute(_TENDERS, (order_id,))
        return Order(
            order_id=order_id,
            number=number,
            basket_id=basket_id,
            workstation=workstation,
            business_day=business_day,
            ordered_at=ordered_at,
            lines=self._lines.load(order_id),
            state=OrderState(state),
            tenders=tuple(Tender(*tender) for tender in tenders),
            closed_at=closed_at,
        )

    def put(self, order: Order) -> None:
        """Write an order; lines are written once, tenders are only added."""
        known = self._connection.execute(_UPDATE, (order.state, order.closed_at, order.order_id)).rowcount
        if not known:
            self._insert(order)
        for tender in order.tenders:
            self._put_tender(order.order_id, tender)

    def take_number(self, business_day: str) -> int:
        """Return the next running number of that day, from 1."""
        rows = self._connection.execute(_TAKE_NUMBER, (business_day,)).fetchall()
        return int(rows[0][0])

    def _insert(self, order: Order) -> None:
        self._connection.execute(
            _INSERT,
            (
                order.order_id,
                order.number,
                order.basket_id,
                order.workstation,
                order.business_day,
                order.ordered_at,
                order.state,
                order.total_fen,
                order.closed_at,
            ),
        )
        self._lines.append_all(order.order_id, order.lines)

    def _put_tender(self, order_id: str, tender: Tender) -> None:
        self._connection.execute(
            _INSERT_TENDER,
            (
                tender.tender_id,
                order_id,
                tender.kind,
                tender.amount_fen,
                tender.tendered_at,
                tender.received_fen,
                tender.change_fen,
                tender.attempt_id,
            ),
        )
