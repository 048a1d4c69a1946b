"""Passes, their ledgers and reservations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from edge.errors import Corrupt
from edge.parking.hours import Hours
from edge.parking.parking_pass import ParkingPass, PassEntry, PassEntryKind, PassKind, PassState
from edge.parking.plate_list import DayKind
from edge.parking.reservation import Reservation, ReservationState
from edge.parking.vehicle import VehicleClass

_PASS = (
    "pass_id, kind, holder, valid_from, valid_to, days, from_min, to_min, spaces, zones, vehicle_class, "
    "price_fen, state, issued_at, issued_by, note, from_hq"
)
_NAMES = _PASS.split(", ")
_SELECT = f"""
SELECT {", ".join(f"p.{one}" for one in _NAMES)},
    (SELECT json_group_array(plate) FROM (
        SELECT plate FROM pass_plates WHERE pass_id = p.pass_id ORDER BY place))
FROM parking_passes AS p
"""
_PUT = f"""
INSERT INTO parking_passes ({_PASS}) VALUES ({", ".join("?" * len(_NAMES))})
ON CONFLICT (pass_id) DO UPDATE SET {", ".join(f"{one} = excluded.{one}" for one in _NAMES[1:])}
"""
_OF_PLATE = f"""
{_SELECT} WHERE p.pass_id IN (SELECT pass_id FROM pass_plates WHERE plate = ?) ORDER BY p.pass_id
"""
_SEARCH = f"""
{_SELECT} WHERE p.pass_id > ? AND (instr(p.holder, ?) OR EXISTS (
    SELECT 1 FROM pass_plates AS x WHERE x.pass_id = p.pass_id AND instr(x.plate, ?)))
ORDER BY p.pass_id LIMIT ?
"""
_DELETE_OTHERS = """
DELETE FROM parking_passes WHERE from_hq = 1 AND pass_id NOT IN (SELECT value FROM json_each(?))
"""
_ENTRY = "pass_id, key, kind, amount, at, session_id, by, note"
_entry_row = attrgetter(*_ENTRY.split(", "))
_PAID = """
SELECT day.value FROM json_each(?) AS day WHERE (
    SELECT coalesce(sum(amount), 0) FROM pass_entries WHERE pass_id = ? AND day_of_key = day.value) < 0
"""
_RESERVATION = "reservation_id, plate, zone, from_at, to_at, booked_at, booked_by, note, state, session_id"
_reservation_row = attrgetter(*_RESERVATION.split(", "))
_PUT_RESERVATION = f"""
INSERT INTO reservations ({_RESERVATION}) VALUES ({", ".join("?" * 10)})
ON CONFLICT (reservation_id) DO UPDATE SET
    zone = excluded.zone, from_at = excluded.from_at, to_at = excluded.to_at, note = excluded.note,
    state = excluded.state, session_id = excluded.session_id
"""


class PassTable:
    """Implements pass_records.Passes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, pass_id: str) -> ParkingPass | None:
        """Return a pass."""
        return next(iter(self._passes(f"{_SELECT} WHERE p.pass_id = ?", pass_id)), None)

    def put(self, one: ParkingPass) -> None:
        """Write a pass with its plates."""
        self._connection.execute(_PUT, _pass_row(one))
        self._connection.execute("DELETE FROM pass_plates WHERE pass_id = ?", (one.pass_id,))
        rows = ((one.pass_id, place, plate) for place, plate in enumerate(one.plates))
        self._connection.executemany("INSERT INTO pass_plates VALUES (?, ?, ?)", rows)

    def of_plate(self, plate: str) -> tuple[ParkingPass, ...]:
        """Return the passes that name exactly that plate."""
        return self._passes(_OF_PLATE, plate)

    def search(self, text: str, after: str, limit: int) -> tuple[ParkingPass, ...]:
        """Return passes whose holder or a plate of which contains `text`."""
        return self._passes(_SEARCH, after, text, text, limit)

    def replace_from_hq(self, passes: Sequence[ParkingPass]) -> None:
        """Write these in place of all that came from HQ."""
        kept = json.dumps([one.pass_id for one in passes])
        self._connection.execute(_DELETE_OTHERS, (kept,))
        for one in passes:
            known = self.get(one.pass_id)
            if known is not None and not known.from_hq:
                raise Corrupt(f"HQ's pass {one.pass_id} has the id of a pass that was issued here")
            if known != one:
                self.put(one)

    def enter(self, entry: PassEntry) -> bool:
        """Append a line to a pass's ledger unless its key is there."""
        written = self._connection.execute(
            f"INSERT INTO pass_entries ({_ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            _entry_row(entry),
        )
        return written.rowcount == 1

    def entries(self, pass_id: str, limit: int) -> tuple[PassEntry, ...]:
        """Return a pass's lines, newest first."""
        return self._entries("pass_id = ? ORDER BY at DESC, key DESC LIMIT ?", pass_id, limit)

    def balance(self, pass_id: str) -> int:
        """Return the sum of a pass's lines."""
        total = "SELECT coalesce(sum(amount), 0) FROM pass_entries WHERE pass_id = ?"
        return int(self._connection.execute(total, (pass_id,)).fetchone()[0])

    def credited(self, pass_id: str, prefix: str) -> int:
        """Return the sum of a pass's lines whose keys begin so."""
        total = "SELECT coalesce(sum(amount), 0) FROM pass_entries WHERE pass_id = ? AND key >= ? AND key < ?"
        return int(self._connection.execute(total, (pass_id, prefix, prefix + "\U0010ffff")).fetchone()[0])

    def used_by(self, pass_id: str, session_id: str) -> tuple[PassEntry, ...]:
        """Return the lines of a stay in a pass's ledger, oldest first."""
        return self._entries("pass_id = ? AND session_id = ? ORDER BY at, key", pass_id, session_id)

    def paid_days(self, pass_id: str, days: Sequence[str]) -> frozenset[str]:
        """Return those of the dates that the pass has paid."""
        rows = self._connection.execute(_PAID, (json.dumps(list(days)), pass_id))
        return frozenset(day for (day,) in rows)

    def put_reservation(self, one: Reservation) -> None:
        """Write a reservation."""
        self._connection.execute(_PUT_RESERVATION, _reservation_row(one))

    def reservation(self, reservation_id: str) -> Reservation | None:
        """Return a reservation."""
        return next(iter(self._reservations("reservation_id = ?", reservation_id)), None)

    def reservations_of(self, plate: str, from_at: int) -> tuple[Reservation, ...]:
        """Return a plate's reservations that end after a moment."""
        return self._reservations("plate = ? AND to_at > ? ORDER BY from_at, reservation_id", plate, from_at)

    def reservations(self, state: ReservationState, from_at: int, limit: int) -> tuple[Reservation, ...]:
        """Return reservations of a state that end after a moment."""
        where = "state = ? AND to_at > ? ORDER BY from_at, reservation_id LIMIT ?"
        return self._reservations(where, state.value, from_at, limit)

    def _passes(self, statement: str, *values: str | int) -> tuple[ParkingPass, ...]:
        return tuple(_pass(row) for row in self._connection.execute(statement, values).fetchall())

    def _entries(self, where: str, *values: str | int) -> tuple[PassEntry, ...]:
        rows = self._connection.execute(f"SELECT {_ENTRY} FROM pass_entries WHERE {where}", values)
        return tuple(PassEntry(row[0], row[1], PassEntryKind(row[2]), *row[3:]) for row in rows)

    def _reservations(self, where: str, *values: str | int) -> tuple[Reservation, ...]:
        rows = self._connection.execute(f"SELECT {_RESERVATION} FROM reservations WHERE {where}", values)
        return tuple(_reservation(row) for row in rows)


def _reservation(row: tuple[Any, ...]) -> Reservation:
    values = list(row)
    values[8] = ReservationState(row[8])
    return Reservation(*values)


def _pass_row(one: ParkingPass) -> tuple[str | int, ...]:
    hours = one.hours
    return (
        *(one.pass_id, one.kind.value, one.holder, hours.valid_from, hours.valid_to),
        *(hours.days.value, hours.from_min, hours.to_min, one.spaces, json.dumps(one.zones)),
        *(one.vehicle_class.value, one.price_fen, one.state.value, one.issued_at, one.issued_by, one.note),
        int(one.from_hq),
    )


def _pass(row: tuple[Any, ...]) -> ParkingPass:
    pass_id, kind, holder, valid_from, valid_to, days, from_min, to_min, spaces, zones, *rest = row
    vehicle_class, price_fen, state, issued_at, issued_by, note, from_hq, plates = rest
    return ParkingPass(
        pass_id,
        PassKind(kind),
        holder,
        tuple(json.loads(plates)),
        Hours(valid_from, valid_to, DayKind(days), from_min, to_min),
        spaces,
        tuple(json.loads(zones)),
        VehicleClass(vehicle_class),
        price_fen,
        PassState(state),
        issued_at,
        issued_by,
        note,
        bool(from_hq),
    )
