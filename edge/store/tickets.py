"""Counter tickets as rows."""

from __future__ import annotations

import sqlite3
from operator import attrgetter
from typing import Any

from edge.retail.ticket import PriceOverride, Ticket, TicketEnd, TicketState
from edge.services.ticket_records import CounterDesk
from edge.store.lines import LineRows

_FIRST = "ticket_id, code, number, counter, tenant_id, guide_id, business_day, opened_at"
_CHANGING = (
    "state, cleared_age, changed_at, issued_at, expires_at, order_id, paid_at, release_code, wrong_codes,"
    " closed_at, closed_by, end, refunded_fen, member_id"
)
_TICKET = f"{_FIRST}, {_CHANGING}"
_row = attrgetter(*_TICKET.replace(" ", "").split(","))
_PUT = f"""
INSERT INTO tickets ({_TICKET}) VALUES ({", ".join("?" * 22)})
ON CONFLICT (ticket_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in _CHANGING.replace(" ", "").split(","))}
"""
_OVERRIDE = "line_id, was_fen, price_fen, by, reason, at, approved_by"
_OVERRIDES = f"SELECT {_OVERRIDE} FROM ticket_overrides WHERE ticket_id = ? ORDER BY at, line_id"
_PUT_OVERRIDE = f"INSERT INTO ticket_overrides (ticket_id, {_OVERRIDE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_WORKING = "state IN ('open', 'issued', 'paid')"
_NEWEST = "ORDER BY ticket_id DESC"
# Told to the letter, so that the index of those that are worked on is used.
_DUE = f"""
    {_WORKING} AND
    ((state = 'issued' AND order_id = '' AND expires_at <= ?1) OR (state = 'open' AND changed_at <= ?2))
    ORDER BY changed_at, ticket_id LIMIT ?3
"""


class TicketTable:
    """Implements ticket_records.Tickets."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lines = LineRows(connection, "ticket")

    def get(self, ticket_id: str) -> Ticket | None:
        """Return a ticket."""
        return self._one("ticket_id = ?", ticket_id)

    def put(self, ticket: Ticket) -> None:
        """Write a ticket; where, by whom and when it was opened never changes."""
        self._connection.execute(_PUT, _row(ticket))
        self._lines.save(ticket.ticket_id, ticket.lines)
        self._connection.execute("DELETE FROM ticket_overrides WHERE ticket_id = ?", (ticket.ticket_id,))
        self._connection.executemany(
            _PUT_OVERRIDE,
            [
                (ticket.ticket_id, one.line_id, one.was_fen, one.price_fen, one.by, one.reason, one.at)
                + (one.approved_by,)
                for one in ticket.overrides
            ],
        )

    def by_code(self, code: str) -> Ticket | None:
        """Return the ticket whose QR token carries this code."""
        return self._one("code = ?", code)

    def by_number(self, number: str) -> Ticket | None:
        """Return the ticket with this number, the newest one of all days."""
        return self._one(f"number = ? {_NEWEST} LIMIT 1", number)

    def find(self, text: str, limit: int) -> tuple[Ticket, ...]:
        """Return issued tickets whose number ends with `text` ("": all), newest first."""
        ends = (
            "state = 'issued' AND substr(number, -length(?1)) = ?1"
            if text
            else "state = 'issued' AND ?1 = ''"
        )
        return self._many(f"{ends} {_NEWEST} LIMIT ?2", text, limit)

    def of_member(self, member_id: str, limit: int) -> tuple[Ticket, ...]:
        """Return a member's issued tickets, newest first."""
        mine = "member_id = ? AND member_id <> '' AND state = 'issued'"
        return self._many(f"{mine} {_NEWEST} LIMIT ?", member_id, limit)

    def of_order(self, order_id: str) -> tuple[Ticket, ...]:
        """Return the tickets that an order pays or paid, by number."""
        return self._many("order_id = ? AND order_id <> '' ORDER BY number, ticket_id", order_id)

    def open_of(self, counter: str) -> tuple[Ticket, ...]:
        """Return a counter's tickets that are open, issued or paid and not handed over, newest first."""
        return self._many(f"counter = ? AND {_WORKING} {_NEWEST}", counter)

    def of_day(self, counter: str, business_day: str, limit: int) -> tuple[Ticket, ...]:
        """Return a counter's tickets of a business day, newest first."""
        return self._many(f"counter = ? AND business_day = ? {_NEWEST} LIMIT ?", counter, business_day, limit)

    def due(self, at: int, untouched: int, limit: int) -> tuple[Ticket, ...]:
        """Return tickets that are over, oldest first."""
        return self._many(_DUE, at, untouched, limit)

    def waiting(self, paid_by: int, after: str, limit: int) -> tuple[Ticket, ...]:
        """Return tickets paid by a moment and not handed over, by id, those after `after`."""
        late = "state = 'paid' AND paid_at <= ? AND ticket_id > ? ORDER BY ticket_id LIMIT ?"
        return self._many(late, paid_by, after, limit)

    def desk(self, counter: str) -> CounterDesk:
        """Return what a counter's tablet works on; nothing at first."""
        row = self._connection.execute(
            "SELECT counter, guide_id, ticket_id FROM counter_desks WHERE counter = ?", (counter,)
        ).fetchone()
        return CounterDesk(*row) if row else CounterDesk(counter)

    def put_desk(self, desk: CounterDesk) -> None:
        """Write it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO counter_desks (counter, guide_id, ticket_id) VALUES (?, ?, ?)",
            (desk.counter, desk.guide_id, desk.ticket_id),
        )

    def _one(self, where: str, *values: object) -> Ticket | None:
        found = self._many(where, *values)
        return found[0] if found else None

    def _many(self, where: str, *values: object) -> tuple[Ticket, ...]:
        rows = self._connection.execute(f"SELECT {_TICKET} FROM tickets WHERE {where}", values).fetchall()
        return tuple(self._ticket(row) for row in rows)

    def _ticket(self, row: tuple[Any, ...]) -> Ticket:
        named = dict(zip(_TICKET.replace(" ", "").split(","), row, strict=True))
        overrides = self._connection.execute(_OVERRIDES, (named["ticket_id"],)).fetchall()
        named["state"] = TicketState(named["state"])
        named["end"] = TicketEnd(named["end"]) if named["end"] else None
        return Ticket(
            **named,
            lines=self._lines.load(named["ticket_id"]),
            overrides=tuple(PriceOverride(*one) for one in overrides),
        )
