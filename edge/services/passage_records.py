"""What happens at lanes, as records: reads, passages, gate commands, gates held open, and spaces counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.parking.gate_command import GateCommand
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage


class PlateReads(Protocol):
    """Every read of every camera; the oldest go when there are too many."""

    def get(self, read_id: str) -> PlateRead | None:
        """Return a read."""

    def find(self, camera: str, source_key: str) -> PlateRead | None:
        """Return the read that a camera sent under that id of its own."""

    def put(self, read: PlateRead) -> None:
        """Keep a new read; raise Corrupt when that camera sent one under the same id before."""

    def last_of(self, plate: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of exactly that plate seen last, the latest first."""

    def recent(self, lane: str, limit: int) -> tuple[PlateRead, ...]:
        """Return the reads of a lane received last, the latest first."""

    def clock_of(self, camera: str) -> CameraClock | None:
        """Return what is known of a camera's clock."""

    def set_clock(self, clock: CameraClock) -> None:
        """Write what is known of a camera's clock."""

    def forget(self, before_at: int, limit: int) -> int:
        """Delete up to `limit` reads received before that; return how many went."""


@dataclass(frozen=True, slots=True)
class CameraClock:
    """What is known of a camera's clock. error_ms: our clock less its clock, None before it is known.

    last_error_ms, last_received_at, last_boot, last_ns: of its last live read, by which the next is judged.
    """

    camera: str
    error_ms: int | None
    last_error_ms: int
    last_received_at: int
    last_boot: str = ""
    last_ns: int = 0


class Passages(Protocol):
    """Passages, of which a lane has one that is not over."""

    def get(self, passage_id: str) -> Passage | None:
        """Return a passage."""

    def put(self, passage: Passage) -> None:
        """Write a passage; raise Corrupt for a second one in a lane that is not over."""

    def current(self, lane: str) -> Passage | None:
        """Return the passage in that lane that is not over."""

    def going_on(self) -> tuple[Passage, ...]:
        """Return all that are not over, by lane."""

    def last(self, lane: str) -> Passage | None:
        """Return the one of that lane that ended last."""

    def recent(self, lane: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of a lane begun last, the latest first."""

    def of_session(self, session_id: str) -> tuple[Passage, ...]:
        """Return the passages of a stay, oldest first."""

    def last_of(self, plate: str, limit: int) -> tuple[Passage, ...]:
        """Return the passages of exactly that plate begun last, the latest first."""


class GateCommands(Protocol):
    """The ledger of openings: what was meant, sent and seen."""

    def get(self, command_id: str) -> GateCommand | None:
        """Return a command."""

    def add(self, command: GateCommand) -> None:
        """Write a new command; raise Corrupt for a decision that has one."""

    def change(self, command: GateCommand) -> None:
        """Write how far it is; raise Corrupt unless it is there, or when it is over."""

    def to_send(self, lane: str) -> GateCommand | None:
        """Return the oldest command of a lane that is decided and not sent."""

    def going_on(self, lane: str) -> tuple[GateCommand, ...]:
        """Return the commands of a lane that are not over, oldest first."""

    def of_passage(self, passage_id: str) -> tuple[GateCommand, ...]:
        """Return a passage's commands, oldest first."""

    def recent(self, lane: str, limit: int) -> tuple[GateCommand, ...]:
        """Return the newest commands of a lane, newest first."""


class HoldReason(StrEnum):
    """Why a gate is held open."""

    FIRE = "fire"
    POWER = "power"
    CONGESTION = "congestion"
    SERVICE = "service"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LaneHold:
    """A gate that is held open. until_at: when it ends by itself. ended_at: None while it is.

    pulses: how often the boom was raised for it. begun_boot, begun_ns: for the timer within one boot.
    """

    hold_id: str
    lane: str
    reason: HoldReason
    note: str
    by: str
    begun_at: int
    until_at: int
    begun_boot: str = ""
    begun_ns: int = 0
    pulses: int = 0
    ended_at: int | None = None
    ended_by: str = ""


class LaneHolds(Protocol):
    """Gates that are or were held open."""

    def put(self, hold: LaneHold) -> None:
        """Write a hold; raise Corrupt for a second one of a lane that goes on."""

    def current(self, lane: str) -> LaneHold | None:
        """Return the hold that goes on at a lane."""

    def recent(self, limit: int) -> tuple[LaneHold, ...]:
        """Return the newest holds, newest first."""


class CorrectionReason(StrEnum):
    """Why the count of a zone was corrected.

    RECOUNT: somebody counted. TAILGATED: a vehicle went through unidentified. UNSEEN: vehicles came or went
    by a way that nothing watches.
    """

    RECOUNT = "recount"
    TAILGATED = "tailgated"
    UNSEEN = "unseen"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction of a zone's count by `delta` vehicles. counted: what a recount found, None for others."""

    correction_id: str
    zone: str
    reason: CorrectionReason
    delta: int
    corrected_at: int
    by: str = ""
    note: str = ""
    counted: int | None = None


@dataclass(frozen=True, slots=True)
class HourFlow:
    """Vehicles that entered and left a zone within the hour that begins at `hour_at`."""

    hour_at: int
    entered: int
    left: int


class Occupancies(Protocol):
    """How many vehicles are in a zone: stays inside and what people corrected."""

    def correct(self, correction: Correction) -> None:
        """Write a correction; it is never changed."""

    def corrected(self, zone: str) -> int:
        """Return the sum of all corrections of a zone."""

    def corrections(self, zone: str, limit: int) -> tuple[Correction, ...]:
        """Return a zone's corrections, newest first."""

    def inside_at(self, zone: str, at: int) -> int:
        """Return how many stays were inside a zone just before `at`, without corrections."""

    def flows(self, zone: str, from_at: int, to_at: int, hour_ms: int = 3_600_000) -> Sequence[HourFlow]:
        """Return what came and went, by hours from `from_at` to before `to_at`, empty hours among them."""
