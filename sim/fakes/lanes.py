"""Reads, passages, gate commands and held gates in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.errors import Corrupt
from edge.parking.gate_command import GateCommand, GateCommandState
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage
from edge.services.passage_records import CameraClock, LaneHold


@dataclass(slots=True)
class LaneRows:
    """All rows by id; clocks by camera."""

    reads: dict[str, PlateRead] = field(default_factory=dict)
    clocks: dict[str, CameraClock] = field(default_factory=dict)
    passages: dict[str, Passage] = field(default_factory=dict)
    commands: dict[str, GateCommand] = field(default_factory=dict)
    holds: dict[str, LaneHold] = field(default_factory=dict)

    def copy(self) -> LaneRows:
        """Return rows that can be changed without changing these."""
        commands, holds = dict(self.commands), dict(self.holds)
        return LaneRows(dict(self.reads), dict(self.clocks), dict(self.passages), commands, holds)


class FakePlateReads:
    """Implements passage_records.PlateReads."""

    def __init__(self, rows: LaneRows, writing: Callable[[], None]) -> None:
        self._rows = rows
        self._writing = writing

    def get(self, read_id: str) -> PlateRead | None:
        """Return a read."""
        return self._rows.reads.get(read_id)

    def find(self, camera: str, source_key: str) -> PlateRead | None:
        """Return the read that a camera sent under that id of its own."""
        mine = (one for one in self._rows.reads.values() if one.camera == camera)
        return next((one for one in mine if one.source_key == source_key), None)

    def put(self, read: PlateRead) -> None:
        """Keep a new read."""
        self._writing()
        known = self.find(read.camera, read.source_key)
        _require(known is None and read.read_id not in self._rows.reads, f"read {read.source_key}")
        self._rows.reads[read.read_id] = read

    def last_of(self, plate: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of exactly that plate seen last, the latest first."""
        mine = [one for one in self._rows.reads.values() if one.plate == plate]
        return tuple(sorted(mine, key=lambda one: (one.seen_at, one.read_id), reverse=True)[:limit])

    def recent(self, lane: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of a lane received last, the latest first."""
        mine = [one for one in self._rows.reads.values() if one.lane == lane]
        return tuple(sorted(mine, key=lambda one: (one.received_at, one.read_id), reverse=True)[:limit])

    def clock_of(self, camera: str) -> CameraClock | None:
        """Return what is known of a camera's clock."""
        return self._rows.clocks.get(camera)

    def set_clock(self, clock: CameraClock) -> None:
        """Write what is known of a camera's clock."""
        self._writing()
        self._rows.clocks[clock.camera] = clock

    def forget(self, before_at: int, limit: int) -> int:
        """Delete up to `limit` reads received before that, the oldest first; return how many went."""
        self._writing()
        old = [one for one in self._rows.reads.values() if one.received_at < before_at]
        gone = sorted(old, key=lambda one: one.received_at)[:limit]
        for one in gone:
            del self._rows.reads[one.read_id]
        return len(gone)


class FakePassages:
    """Implements passage_records.Passages."""

    def __init__(self, rows: LaneRows, writing: Callable[[], None]) -> None:
        self._rows = rows.passages
        self._writing = writing

    def get(self, passage_id: str) -> Passage | None:
        """Return a passage."""
        return self._rows.get(passage_id)

    def put(self, passage: Passage) -> None:
        """Write a passage."""
        self._writing()
        other = self.current(passage.lane)
        mine = other is None or other.passage_id == passage.passage_id
        _require(passage.is_over or mine, f"a second passage in lane {passage.lane}")
        _require(passage.is_over == (passage.ended_at is not None), "when a passage ended")
        self._rows[passage.passage_id] = passage

    def current(self, lane: str) -> Passage | None:
        """Return the passage in that lane that is not over."""
        return next((one for one in self._rows.values() if one.lane == lane and not one.is_over), None)

    def going_on(self) -> tuple[Passage, ...]:
        """Return all that are not over, by lane."""
        return tuple(
            sorted((one for one in self._rows.values() if not one.is_over), key=lambda one: one.lane)
        )

    def last(self, lane: str) -> Passage | None:
        """Return the one of that lane that ended last."""
        return next((one for one in self._newest() if one.lane == lane and one.is_over), None)

    def recent(self, lane: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of a lane begun last, the latest first."""
        return tuple(one for one in self._newest() if one.lane == lane)[:limit]

    def of_session(self, session_id: str) -> tuple[Passage, ...]:
        """Return the passages of a stay, oldest first."""
        mine = [one for one in self._newest() if session_id and one.session_id == session_id]
        return tuple(reversed(mine))

    def last_of(self, plate: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of exactly that plate begun last, the latest first."""
        return tuple(one for one in self._newest() if one.plate == plate)[:limit]

    def _newest(self) -> list[Passage]:
        return [one for _, one in sorted(self._rows.items(), reverse=True)]


class FakeGateCommands:
    """Implements passage_records.GateCommands."""

    def __init__(self, rows: LaneRows, writing: Callable[[], None]) -> None:
        self._rows = rows.commands
        self._writing = writing

    def get(self, command_id: str) -> GateCommand | None:
        """Return a command."""
        return self._rows.get(command_id)

    def add(self, command: GateCommand) -> None:
        """Write a new command."""
        self._writing()
        _require(command.command_id not in self._rows, f"gate command {command.command_id}")
        self._rows[command.command_id] = command

    def change(self, command: GateCommand) -> None:
        """Write how far it is."""
        self._writing()
        known = self._rows.get(command.command_id)
        _require(known is not None and not known.is_over, f"gate command {command.command_id}")
        assert known is not None
        self._rows[command.command_id] = replace(
            known,
            state=command.state,
            tries=command.tries,
            commanded_at=command.commanded_at,
            echoed_at=command.echoed_at,
            boom_open_at=command.boom_open_at,
            passed_at=command.passed_at,
            closed_at=command.closed_at,
            detail=command.detail,
        )

    def to_send(self, lane: str) -> GateCommand | None:
        """Return the oldest command of a lane that is decided and not sent."""
        going_on = self.going_on(lane)
        return next((one for one in going_on if one.state is GateCommandState.DECIDED), None)

    def going_on(self, lane: str) -> tuple[GateCommand, ...]:
        """Return the commands of a lane that are not over, oldest first."""
        mine = (one for _, one in sorted(self._rows.items()) if one.lane == lane)
        return tuple(one for one in mine if not one.is_over)

    def of_passage(self, passage_id: str) -> tuple[GateCommand, ...]:
        """Return a passage's commands, oldest first."""
        mine = [one for one in self._rows.values() if passage_id and one.passage_id == passage_id]
        return tuple(sorted(mine, key=lambda one: one.decided_ns))

    def recent(self, lane: str, limit: int) -> tuple[GateCommand, ...]:
        """Return the newest commands of a lane, newest first."""
        mine = [one for one in self._rows.values() if one.lane == lane]
        return tuple(sorted(mine, key=lambda one: (one.decided_at, one.command_id), reverse=True)[:limit])


class FakeLaneHolds:
    """Implements passage_records.LaneHolds."""

    def __init__(self, rows: LaneRows, writing: Callable[[], None]) -> None:
        self._rows = rows.holds
        self._writing = writing

    def put(self, hold: LaneHold) -> None:
        """Write a hold."""
        self._writing()
        other = self.current(hold.lane)
        mine = other is None or other.hold_id == hold.hold_id
        _require(hold.ended_at is not None or mine, f"a second hold of lane {hold.lane}")
        self._rows[hold.hold_id] = hold

    def current(self, lane: str) -> LaneHold | None:
        """Return the hold that goes on at a lane."""
        return next((one for one in self._rows.values() if one.lane == lane and one.ended_at is None), None)

    def recent(self, limit: int) -> tuple[LaneHold, ...]:
        """Return the newest holds, newest first."""
        return tuple(one for _, one in sorted(self._rows.items(), reverse=True))[:limit]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Corrupt(f"{what} contradicts what is stored")
