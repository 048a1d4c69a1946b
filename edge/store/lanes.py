"""What happens at lanes: reads, passages, gate commands, gates held open."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from functools import lru_cache
from operator import attrgetter
from typing import Any

from cattrs import Converter

from edge.errors import Corrupt
from edge.parking.gate_command import GateCommand, GateCommandState
from edge.parking.observation import PlateRead, Trigger
from edge.parking.passage import Passage
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.passage_records import CameraClock, HoldReason, LaneHold

_READ = """
read_id, lane, camera, source_key, plate, seen_at, received_at, age_ms, colour, vehicle_class, confidences,
trigger, backfill, photos
"""
_SELECT_READ = f"SELECT {_READ} FROM plate_reads"
_FORGET = """
DELETE FROM plate_reads WHERE read_id IN
    (SELECT read_id FROM plate_reads WHERE received_at < ? ORDER BY received_at LIMIT ?)
"""
_PUT_CLOCK = """
INSERT INTO camera_clocks VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (camera) DO UPDATE SET
    error_ms = excluded.error_ms, last_error_ms = excluded.last_error_ms,
    last_received_at = excluded.last_received_at, last_boot = excluded.last_boot, last_ns = excluded.last_ns
"""
_PUT_PASSAGE = """
INSERT INTO passages (passage_id, lane, plate, session_id, state, begun_at, ended_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (passage_id) DO UPDATE SET
    plate = excluded.plate, session_id = excluded.session_id, state = excluded.state,
    ended_at = excluded.ended_at, body = excluded.body
"""
_COMMAND = """
command_id, lane, gate, passage_id, why, by, decided_at, decided_boot, decided_ns, state, tries, commanded_at,
echoed_at, boom_open_at, passed_at, closed_at, detail
"""
_SELECT_COMMAND = f"SELECT {_COMMAND} FROM gate_commands"
_GOES_ON = "state NOT IN ('closed', 'failed', 'withdrawn')"
_HOLD = """
hold_id, lane, reason, note, by, begun_at, until_at, begun_boot, begun_ns, pulses, ended_at, ended_by
"""
_PUT_HOLD = f"""
INSERT INTO lane_holds ({_HOLD}) VALUES ({", ".join("?" * 12)}) ON CONFLICT (hold_id) DO UPDATE SET
    until_at = excluded.until_at, pulses = excluded.pulses, ended_at = excluded.ended_at,
    ended_by = excluded.ended_by
"""

#: Passages remembered as they were read: a lane looks at its own many times a second, and it seldom changes.
PASSAGES_READ = 64

_converter = Converter()
#: The columns are the fields' names.
_command_row = attrgetter(*_COMMAND.replace("\n", " ").strip().split(", "))


class PlateReadTable:
    """Implements passage_records.PlateReads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, read_id: str) -> PlateRead | None:
        """Return a read."""
        return next(iter(self._all("WHERE read_id = ?", read_id)), None)

    def find(self, camera: str, source_key: str) -> PlateRead | None:
        """Return the read that a camera sent under that id of its own."""
        return next(iter(self._all("WHERE camera = ? AND source_key = ?", camera, source_key)), None)

    def put(self, read: PlateRead) -> None:
        """Keep a new read; raise Corrupt when that camera sent one under the same id before."""
        row = (
            read.read_id,
            read.lane,
            read.camera,
            read.source_key,
            read.plate,
            read.seen_at,
            read.received_at,
            read.age_ms,
            read.colour,
            read.vehicle_class,
            json.dumps(read.confidences),
            read.trigger,
            int(read.backfill),
            json.dumps(read.photos),
        )
        self._connection.execute(f"INSERT INTO plate_reads ({_READ}) VALUES ({', '.join('?' * 14)})", row)

    def last_of(self, plate: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of exactly that plate seen last, the latest first."""
        return self._all("WHERE plate = ? ORDER BY seen_at DESC, read_id DESC LIMIT ?", plate, limit)

    def recent(self, lane: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of a lane received last, the latest first."""
        return self._all("WHERE lane = ? ORDER BY received_at DESC, read_id DESC LIMIT ?", lane, limit)

    def clock_of(self, camera: str) -> CameraClock | None:
        """Return what is known of a camera's clock."""
        row = self._connection.execute("SELECT * FROM camera_clocks WHERE camera = ?", (camera,)).fetchone()
        return None if row is None else CameraClock(*row)

    def set_clock(self, clock: CameraClock) -> None:
        """Write what is known of a camera's clock."""
        row = (
            clock.camera,
            clock.error_ms,
            clock.last_error_ms,
            clock.last_received_at,
            clock.last_boot,
            clock.last_ns,
        )
        self._connection.execute(_PUT_CLOCK, row)

    def forget(self, before_at: int, limit: int) -> int:
        """Delete up to `limit` reads received before that; return how many went."""
        return self._connection.execute(_FORGET, (before_at, limit)).rowcount

    def _all(self, condition: str, *keys: object) -> tuple[PlateRead, ...]:
        rows = self._connection.execute(f"{_SELECT_READ} {condition}", keys).fetchall()
        return tuple(_read(row) for row in rows)


class PassageTable:
    """Implements passage_records.Passages."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, passage_id: str) -> Passage | None:
        """Return a passage."""
        return self._one("WHERE passage_id = ?", passage_id)

    def put(self, passage: Passage) -> None:
        """Write a passage; raise Corrupt for a second one in a lane that is not over."""
        row = (
            passage.passage_id,
            passage.lane,
            passage.plate,
            passage.session_id,
            passage.state,
            passage.begun_at,
            passage.ended_at,
            json.dumps(_converter.unstructure(passage), ensure_ascii=False, separators=(",", ":")),
        )
        self._connection.execute(_PUT_PASSAGE, row)

    def current(self, lane: str) -> Passage | None:
        """Return the passage in that lane that is not over."""
        return self._one("WHERE lane = ? AND state <> 'closed'", lane)

    def going_on(self) -> tuple[Passage, ...]:
        """Return all that are not over, by lane."""
        return self._all("WHERE state <> 'closed' ORDER BY lane")

    def last(self, lane: str) -> Passage | None:
        """Return the one of that lane that ended last."""
        return self._one("WHERE lane = ? AND state = 'closed' ORDER BY passage_id DESC LIMIT 1", lane)

    def recent(self, lane: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of a lane begun last, the latest first."""
        return self._all("WHERE lane = ? ORDER BY passage_id DESC LIMIT ?", lane, limit)

    def of_session(self, session_id: str) -> tuple[Passage, ...]:
        """Return the passages of a stay, oldest first."""
        return self._all("WHERE session_id = ? AND session_id <> '' ORDER BY passage_id", session_id)

    def last_of(self, plate: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of exactly that plate begun last, the latest first."""
        return self._all("WHERE plate = ? ORDER BY passage_id DESC LIMIT ?", plate, limit)

    def _one(self, condition: str, *keys: object) -> Passage | None:
        return next(iter(self._all(condition, *keys)), None)

    def _all(self, condition: str, *keys: object) -> tuple[Passage, ...]:
        rows = self._connection.execute(f"SELECT body FROM passages {condition}", keys).fetchall()
        return tuple(_passage(row[0]) for row in rows)


class GateCommandTable:
    """Implements passage_records.GateCommands."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, command_id: str) -> GateCommand | None:
        """Return a command."""
        return next(iter(self._all("WHERE command_id = ?", command_id)), None)

    def add(self, command: GateCommand) -> None:
        """Write a new command; raise Corrupt for a decision that has one."""
        values = ", ".join("?" * 17)
        self._connection.execute(
            f"INSERT INTO gate_commands ({_COMMAND}) VALUES ({values})", _command_row(command)
        )

    def change(self, command: GateCommand) -> None:
        """Write how far it is; raise Corrupt unless it is there, or when it is over."""
        moments = (command.commanded_at, command.echoed_at, command.boom_open_at)
        ends = (command.passed_at, command.closed_at, command.detail)
        changed = self._connection.execute(
            "UPDATE gate_commands SET state = ?, tries = ?, commanded_at = ?, echoed_at = ?, "
            "boom_open_at = ?, passed_at = ?, closed_at = ?, detail = ? "
            f"WHERE command_id = ? AND {_GOES_ON}",
            (command.state, command.tries, *moments, *ends, command.command_id),
        )
        if changed.rowcount != 1:
            raise Corrupt(f"gate command {command.command_id} is not there or is over; it cannot change")

    def to_send(self, lane: str) -> GateCommand | None:
        """Return the oldest command of a lane that is decided and not sent."""
        going_on = self.going_on(lane)
        return next((one for one in going_on if one.state is GateCommandState.DECIDED), None)

    def going_on(self, lane: str) -> tuple[GateCommand, ...]:
        """Return the commands of a lane that are not over, oldest first."""
        return self._all(f"WHERE lane = ? AND {_GOES_ON} ORDER BY command_id", lane)

    def of_passage(self, passage_id: str) -> tuple[GateCommand, ...]:
        """Return a passage's commands, oldest first."""
        return self._all("WHERE passage_id = ? AND passage_id <> '' ORDER BY decided_ns", passage_id)

    def recent(self, lane: str, limit: int) -> tuple[GateCommand, ...]:
        """Return the newest commands of a lane, newest first."""
        return self._all("WHERE lane = ? ORDER BY decided_at DESC, command_id DESC LIMIT ?", lane, limit)

    def _all(self, condition: str, *keys: object) -> tuple[GateCommand, ...]:
        rows = self._connection.execute(f"{_SELECT_COMMAND} {condition}", keys).fetchall()
        return tuple(_command(row) for row in rows)


class LaneHoldTable:
    """Implements passage_records.LaneHolds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, hold: LaneHold) -> None:
        """Write a hold; raise Corrupt for a second one of a lane that goes on."""
        self._connection.execute(_PUT_HOLD, tuple(asdict(hold).values()))

    def current(self, lane: str) -> LaneHold | None:
        """Return the hold that goes on at a lane."""
        return next(iter(self._all("WHERE lane = ? AND ended_at IS NULL", lane)), None)

    def recent(self, limit: int) -> tuple[LaneHold, ...]:
        """Return the newest holds, newest first."""
        return self._all("ORDER BY hold_id DESC LIMIT ?", limit)

    def _all(self, condition: str, *keys: object) -> tuple[LaneHold, ...]:
        rows = self._connection.execute(f"SELECT {_HOLD} FROM lane_holds {condition}", keys).fetchall()
        return tuple(LaneHold(key, lane, HoldReason(why), *rest) for key, lane, why, *rest in rows)


@lru_cache(maxsize=PASSAGES_READ)
def _passage(body: str) -> Passage:
    return _converter.structure(json.loads(body), Passage)


def _command(row: tuple[Any, ...]) -> GateCommand:
    values = [*row]
    values[9] = GateCommandState(row[9])
    return GateCommand(*values)


def _read(row: tuple[Any, ...]) -> PlateRead:
    values = [*row]
    values[8:] = (
        PlateColour(row[8]),
        VehicleClass(row[9]),
        tuple(json.loads(row[10])),
        Trigger(row[11]),
        bool(row[12]),
        tuple(json.loads(row[13])),
    )
    return PlateRead(*values)
