"""The points' ledger with its balances kept in step, leases, and what the business circle is to be told."""

from __future__ import annotations

import sqlite3
from typing import Any

from edge.members.points import PointsEntry, PointsKind, PointsLease
from edge.services.people_records import MAX_ENTRIES, CircleNotice

_ENTRY = (
    "entry_id, member_id, kind, points, at, source, tenant_id, basis_fen, expires_at, owed, lease_id,"
    " done_by, reason"
)
_POST = f"INSERT INTO points_entries ({_ENTRY}) VALUES ({', '.join('?' * 13)})"
_OPEN = "INSERT OR IGNORE INTO points_balances (member_id, points, owed) VALUES (?, 0, 0)"
_MOVE = "UPDATE points_balances SET points = points + ?, owed = owed + ? WHERE member_id = ?"
_EARNED = """
SELECT coalesce(sum(points), 0) FROM points_entries
WHERE member_id = ? AND tenant_id = ? AND kind = 'earn' AND at >= ?
"""
_EXPIRING = """
SELECT DISTINCT e.member_id FROM points_entries AS e JOIN points_balances AS b USING (member_id)
WHERE e.expires_at IS NOT NULL AND e.expired = 0 AND e.expires_at <= ? AND b.points > 0
ORDER BY e.member_id LIMIT ?
"""
_EXPIRED = """
UPDATE points_entries SET expired = 1
WHERE member_id = ? AND expires_at IS NOT NULL AND expired = 0 AND expires_at <= ?
"""
_LEASE = "lease_id, member_id, points, granted_at, expires_at, spent, closed_at"
_PUT_LEASE = f"""
INSERT INTO points_leases ({_LEASE}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (lease_id) DO UPDATE SET
    member_id = excluded.member_id, spent = excluded.spent, closed_at = excluded.closed_at
"""
_NOTICE = "transaction_id, order_id, openid, points, changed_at, next_at, told, tries, refused, why"
_PUT_NOTICE = f"""
INSERT INTO circle_notices ({_NOTICE}) VALUES ({", ".join("?" * 10)})
ON CONFLICT (transaction_id) DO UPDATE SET
    points = excluded.points, changed_at = excluded.changed_at, next_at = excluded.next_at,
    told = excluded.told, tries = excluded.tries, refused = excluded.refused, why = excluded.why
"""
_WAITING = """
SELECT coalesce(sum(refused = 0 AND told <> points), 0), coalesce(sum(refused), 0) FROM circle_notices
"""


class PointsTable:
    """Implements people_records.PointsBook."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def post(self, entry: PointsEntry) -> None:
        """Append a line, and move the balance unless a lease pays."""
        one = entry
        head = (one.entry_id, one.member_id, one.kind.value, one.points, one.at, one.source, one.tenant_id)
        tail = (one.basis_fen, one.expires_at, one.owed, one.lease_id, one.by, one.reason)
        self._connection.execute(_POST, (*head, *tail))
        if not one.lease_id:
            self._connection.execute(_OPEN, (one.member_id,))
            self._connection.execute(_MOVE, (one.points, one.owed, one.member_id))

    def entries(self, member_id: str) -> tuple[PointsEntry, ...]:
        """Return a member's lines."""
        return self._entries("member_id = ?", member_id)

    def of_source(self, source: str) -> tuple[PointsEntry, ...]:
        """Return the lines of an order."""
        return self._entries("source <> '' AND source = ?", source)

    def balance(self, member_id: str) -> tuple[int, int]:
        """Return a member's points here and what is owed."""
        row = self._connection.execute(
            "SELECT points, owed FROM points_balances WHERE member_id = ?", (member_id,)
        ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def earned_since(self, member_id: str, tenant_id: str, at: int) -> int:
        """Return what a tenant has given a member since a moment."""
        return int(self._connection.execute(_EARNED, (member_id, tenant_id, at)).fetchone()[0])

    def expiring(self, at: int, limit: int) -> tuple[str, ...]:
        """Return members of whom some line expired by then."""
        return tuple(row[0] for row in self._connection.execute(_EXPIRING, (at, limit)))

    def mark_expired(self, member_id: str, at: int) -> None:
        """Note that a member's lines that expired by then were looked at."""
        self._connection.execute(_EXPIRED, (member_id, at))

    def lease(self, lease_id: str) -> PointsLease | None:
        """Return a lease."""
        found = self._leases("lease_id = ?", (lease_id,))
        return found[0] if found else None

    def put_lease(self, lease: PointsLease) -> None:
        """Write a lease."""
        one = lease
        row = (one.points, one.granted_at, one.expires_at, one.spent, one.closed_at)
        self._connection.execute(_PUT_LEASE, (one.lease_id, one.member_id, *row))

    def leases(self, member_id: str) -> tuple[PointsLease, ...]:
        """Return a member's leases that are not closed."""
        return self._leases("member_id = ? AND closed_at IS NULL ORDER BY expires_at, lease_id", (member_id,))

    def overdue_leases(self, at: int, limit: int) -> tuple[PointsLease, ...]:
        """Return leases whose time is over and that are not closed."""
        where = "closed_at IS NULL AND expires_at <= ? ORDER BY expires_at, lease_id LIMIT ?"
        return self._leases(where, (at, limit))

    def notice(self, transaction_id: str) -> CircleNotice | None:
        """Return what the business circle is to be told of a payment."""
        found = self._notices("transaction_id = ?", (transaction_id,))
        return found[0] if found else None

    def put_notice(self, notice: CircleNotice) -> None:
        """Write it."""
        one = notice
        head = (one.transaction_id, one.order_id, one.openid, one.points, one.changed_at, one.next_at)
        self._connection.execute(_PUT_NOTICE, (*head, one.told, one.tries, one.refused, one.why))

    def due_notices(self, at: int, far_at: int, limit: int) -> tuple[CircleNotice, ...]:
        """Return what is to be told by now, or only after far_at; the one planned first first."""
        where = (
            "refused = 0 AND told <> points AND (next_at <= ? OR next_at > ?)"
            " ORDER BY next_at, transaction_id LIMIT ?"
        )
        return self._notices(where, (at, far_at, limit))

    def waiting_notices(self) -> tuple[int, int]:
        """Return how many notices wait, and how many were refused."""
        waiting, refused = self._connection.execute(_WAITING).fetchone()
        return int(waiting), int(refused)

    def _entries(self, where: str, value: str) -> tuple[PointsEntry, ...]:
        rows = self._connection.execute(
            f"SELECT {_ENTRY} FROM points_entries WHERE {where} ORDER BY entry_no LIMIT ?",
            (value, MAX_ENTRIES),
        )
        return tuple(PointsEntry(row[0], row[1], PointsKind(row[2]), *row[3:]) for row in rows)

    def _leases(self, where: str, values: tuple[Any, ...]) -> tuple[PointsLease, ...]:
        rows = self._connection.execute(f"SELECT {_LEASE} FROM points_leases WHERE {where}", values)
        return tuple(PointsLease(*row) for row in rows)

    def _notices(self, where: str, values: tuple[Any, ...]) -> tuple[CircleNotice, ...]:
        rows = self._connection.execute(f"SELECT {_NOTICE} FROM circle_notices WHERE {where}", values)
        return tuple(_notice(row) for row in rows)


def _notice(row: tuple[Any, ...]) -> CircleNotice:
    transaction_id, order_id, openid, points, changed_at, next_at, told, tries, refused, why = row
    times = (changed_at, next_at, told, tries)
    return CircleNotice(transaction_id, order_id, openid, points, *times, bool(refused), why)
