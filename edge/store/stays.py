"""Stays in the car park, and how many there are in a zone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from edge.parking.session import Session, SessionState
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.passage_records import Correction, CorrectionReason, HourFlow
from edge.store.plate_index import index_session

SESSION_COLUMNS = """
session_id, zone, plate, entered_at, entry_lane, colour, vehicle_class, entry_read_id, ticket, state, left_at,
exit_lane, exit_read_id, entered_trusted, clock_note, changed_at, entered_boot, entered_ns, left_boot,
left_ns
"""
_SELECT = f"SELECT {SESSION_COLUMNS} FROM sessions"
_GET = f"{_SELECT} WHERE session_id = ?"
_PUT = f"""
INSERT INTO sessions ({SESSION_COLUMNS}) VALUES ({", ".join("?" * 20)})
ON CONFLICT (session_id) DO UPDATE SET
    zone = excluded.zone, plate = excluded.plate, entered_at = excluded.entered_at,
    entry_lane = excluded.entry_lane, colour = excluded.colour, vehicle_class = excluded.vehicle_class,
    entry_read_id = excluded.entry_read_id, ticket = excluded.ticket, state = excluded.state,
    left_at = excluded.left_at, exit_lane = excluded.exit_lane, exit_read_id = excluded.exit_read_id,
    entered_trusted = excluded.entered_trusted, clock_note = excluded.clock_note,
    changed_at = excluded.changed_at, entered_boot = excluded.entered_boot,
    entered_ns = excluded.entered_ns, left_boot = excluded.left_boot, left_ns = excluded.left_ns
"""
_INSIDE = f"""
{_SELECT} WHERE plate = ? AND state = 'inside' ORDER BY entered_at DESC, session_id DESC
"""
_ALL_INSIDE = f"{_SELECT} WHERE state = 'inside' ORDER BY entered_at DESC, session_id DESC LIMIT ?"
_BY_TICKET = f"{_SELECT} WHERE ticket = ? AND ticket <> ''"
_LAST_OF = f"{_SELECT} WHERE plate = ? ORDER BY entered_at DESC, session_id DESC LIMIT ?"
_COUNT = "SELECT count(*) FROM sessions WHERE zone = ? AND state = 'inside'"
_LEFT_BETWEEN = f"""
{_SELECT} WHERE state = 'left' AND left_at >= ? AND left_at < ? AND session_id > ? ORDER BY session_id LIMIT ?
"""
_ENTERED_BETWEEN = f"""
{_SELECT} WHERE state = ? AND entered_at >= ? AND entered_at < ? AND session_id > ?
ORDER BY session_id LIMIT ?
"""
_CORRECTION = "correction_id, zone, reason, delta, corrected_at, by, note, counted"
_ENTERED_SINCE = """
SELECT count(*) FROM sessions WHERE zone = ? AND state <> 'never_entered' AND entered_at >= ?
"""
_LEFT_SINCE = "SELECT count(*) FROM sessions WHERE zone = ? AND state = 'left' AND left_at >= ?"
_ENTERED = """
SELECT (entered_at - ?) / ?, count(*) FROM sessions
WHERE zone = ? AND state <> 'never_entered' AND entered_at >= ? AND entered_at < ? GROUP BY 1
"""
_LEFT = """
SELECT (left_at - ?) / ?, count(*) FROM sessions
WHERE zone = ? AND state = 'left' AND left_at >= ? AND left_at < ? GROUP BY 1
"""


class SessionTable:
    """Implements parking_records.Sessions."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, session_id: str) -> Session | None:
        """Return a stay."""
        return self._one(_GET, session_id)

    def put(self, session: Session) -> None:
        """Write a stay, new or changed."""
        self._connection.execute(_PUT, _row(session))
        index_session(self._connection, session)

    def inside(self, plate: str) -> tuple[Session, ...]:
        """Return the stays inside of exactly that plate, the latest entry first."""
        return self._all(_INSIDE, plate)

    def all_inside(self, limit: int) -> tuple[Session, ...]:
        """Return stays inside, the latest entry first, `limit` at most."""
        return self._all(_ALL_INSIDE, limit)

    def by_ticket(self, ticket: str) -> Session | None:
        """Return the stay of a ticket taken at the entry (no plate), whatever its state."""
        return self._one(_BY_TICKET, ticket)

    def last_of(self, plate: str, limit: int) -> tuple[Session, ...]:
        """Return the latest stays of a plate in any state, the latest entry first."""
        return self._all(_LAST_OF, plate, limit)

    def count_inside(self, zone: str) -> int:
        """Return how many stays are inside a zone."""
        return int(self._connection.execute(_COUNT, (zone,)).fetchone()[0])

    def between(
        self, from_at: int, to_at: int, state: SessionState, after: str, limit: int
    ) -> tuple[Session, ...]:
        """Return stays by id above `after` that left within [from_at, to_at); for other states, entered."""
        if state is SessionState.LEFT:
            return self._all(_LEFT_BETWEEN, from_at, to_at, after, limit)
        return self._all(_ENTERED_BETWEEN, state.value, from_at, to_at, after, limit)

    def _one(self, statement: str, key: str) -> Session | None:
        return next(iter(self._all(statement, key)), None)

    def _all(self, statement: str, *keys: object) -> tuple[Session, ...]:
        return tuple(read_session(row) for row in self._connection.execute(statement, keys).fetchall())


class OccupancyTable:
    """Implements passage_records.Occupancies."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def correct(self, correction: Correction) -> None:
        """Write a correction; it is never changed."""
        one = correction
        row = (
            one.correction_id,
            one.zone,
            one.reason,
            one.delta,
            one.corrected_at,
            one.by,
            one.note,
            one.counted,
        )
        self._connection.execute(
            f"INSERT INTO occupancy_corrections ({_CORRECTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row
        )

    def corrected(self, zone: str) -> int:
        """Return the sum of all corrections of a zone."""
        return self._count("SELECT coalesce(sum(delta), 0) FROM occupancy_corrections WHERE zone = ?", zone)

    def corrections(self, zone: str, limit: int) -> tuple[Correction, ...]:
        """Return a zone's corrections, newest first."""
        rows = self._connection.execute(
            f"SELECT {_CORRECTION} FROM occupancy_corrections WHERE zone = ? "
            "ORDER BY correction_id DESC LIMIT ?",
            (zone, limit),
        )
        return tuple(
            Correction(key, place, CorrectionReason(reason), *rest) for key, place, reason, *rest in rows
        )

    def inside_at(self, zone: str, at: int) -> int:
        """Return how many stays were inside a zone just before `at`, without corrections."""
        since = self._count(_ENTERED_SINCE, zone, at) - self._count(_LEFT_SINCE, zone, at)
        return self._count(_COUNT, zone) - since

    def flows(self, zone: str, from_at: int, to_at: int, hour_ms: int = 3_600_000) -> Sequence[HourFlow]:
        """Return what came and went, by hours from `from_at` to before `to_at`, empty hours among them."""
        span = (from_at, hour_ms, zone, from_at, to_at)
        entered = dict(self._connection.execute(_ENTERED, span).fetchall())
        left = dict(self._connection.execute(_LEFT, span).fetchall())
        hours = range(-(-(to_at - from_at) // hour_ms))
        return [HourFlow(from_at + one * hour_ms, entered.get(one, 0), left.get(one, 0)) for one in hours]

    def _count(self, statement: str, *keys: object) -> int:
        return int(self._connection.execute(statement, keys).fetchone()[0])


def _row(session: Session) -> tuple[object, ...]:
    return (
        session.session_id,
        session.zone,
        session.plate,
        session.entered_at,
        session.entry_lane,
        session.colour,
        session.vehicle_class,
        session.entry_read_id,
        session.ticket,
        session.state,
        session.left_at,
        session.exit_lane,
        session.exit_read_id,
        int(session.entered_trusted),
        session.clock_note,
        session.changed_at,
        session.entered_boot,
        session.entered_ns,
        session.left_boot,
        session.left_ns,
    )


def read_session(row: tuple[Any, ...]) -> Session:
    """Return the stay of a row of `SESSION_COLUMNS`."""
    session_id, zone, plate, entered_at, lane, colour, size, read_id, ticket, state, *rest = row
    left_at, exit_lane, exit_read_id, trusted, clock_note, *clocks = rest
    return Session(
        session_id,
        zone,
        plate,
        entered_at,
        lane,
        PlateColour(colour),
        VehicleClass(size),
        read_id,
        ticket,
        SessionState(state),
        left_at,
        exit_lane,
        exit_read_id,
        bool(trusted),
        clock_note,
        *clocks,
    )
