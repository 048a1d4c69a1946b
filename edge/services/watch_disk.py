"""Watch the disk: warn early, then refuse what can wait, and never what cannot.

| level | free space below | what is refused |
|---|---|---|
| low | 20 % or 4 GiB, whichever is less | nothing; HQ and staff are told |
| scarce | 10 % or 2 GiB | pictures, support bundles and imports |
| full | 5 % or 1 GiB | new sales too |

Payments in flight, refunds and exits are never refused: what is left, and the reserve, are kept for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from edge.clock import Instant
from edge.errors import Invalid, Unavailable
from edge.services.events import Origin
from edge.services.ports import Clock, Disk, DiskSpace, IdSource, Store
from edge.services.raise_alarm import clear_alarm, raise_alarm
from edge.services.records import Unit

#: The name of the alarm that HQ gets.
ALARM = "disk"

#: How often the disk is looked at, and how often while it is full or being compacted.
LOOK_MS = 2_000
URGENT_MS = 1_000
COMPACT_MS = 250

#: How often the pace of events is noted.
PACE_EVERY_MS = 3_600_000

#: Freed pages that stay in the database for the next rows; what is above goes back to the disk.
KEPT_BYTES = 64 * 1024 * 1024

_MIB = 1024 * 1024


class DiskLevel(IntEnum):
    """How bad it is; a higher one refuses all that a lower one does."""

    AMPLE = 0
    LOW = 1
    SCARCE = 2
    FULL = 3


class Use(StrEnum):
    """What somebody wants to write."""

    EXIT = "exit"
    PAYMENT = "payment"
    REFUND = "refund"
    SALE = "sale"
    IMPORT = "import"
    PICTURE = "picture"


#: The level from which on a use is refused; what is not here never is.
REFUSED_FROM = {
    Use.PICTURE: DiskLevel.SCARCE,
    Use.IMPORT: DiskLevel.SCARCE,
    Use.SALE: DiskLevel.FULL,
}


@dataclass(frozen=True, slots=True)
class DiskMarks:
    """Where the levels begin: a share of the disk in percent, but no more than so many MiB.

    reserve_mb: the size of the file that is let go of when nothing can be written any more.
    """

    low_percent: int = 20
    scarce_percent: int = 10
    full_percent: int = 5
    low_mb: int = 4_096
    scarce_mb: int = 2_048
    full_mb: int = 1_024
    reserve_mb: int = 32

    def __post_init__(self) -> None:
        """Refuse marks that are not in order."""
        if not 0 < self.full_percent < self.scarce_percent < self.low_percent < 100:
            raise Invalid(
                "disk marks must be in order: 0 < full_percent < scarce_percent < low_percent < 100"
            )
        if not 0 < self.full_mb < self.scarce_mb < self.low_mb:
            raise Invalid("disk marks must be in order: 0 < full_mb < scarce_mb < low_mb")
        if not 1 <= self.reserve_mb <= 1_024:
            raise Invalid(f"disk.reserve_mb must be 1 to 1024, got {self.reserve_mb}")

    @property
    def reserve_bytes(self) -> int:
        """The reserve's size."""
        return self.reserve_mb * _MIB

    def mark(self, level: DiskLevel, total_bytes: int) -> int:
        """Return the free bytes below which `level` begins; 0 for AMPLE."""
        percent, most_mb = {
            DiskLevel.AMPLE: (0, 0),
            DiskLevel.LOW: (self.low_percent, self.low_mb),
            DiskLevel.SCARCE: (self.scarce_percent, self.scarce_mb),
            DiskLevel.FULL: (self.full_percent, self.full_mb),
        }[level]
        return min(total_bytes * percent // 100, most_mb * _MIB)


@dataclass(frozen=True, slots=True)
class DiskState:
    """What the last look found. told: the level that HQ knows of. A new process starts with `DiskState()`;
    its first look compares with the alarm that is open."""

    level: DiskLevel = DiskLevel.AMPLE
    told: DiskLevel = DiskLevel.AMPLE
    space: DiskSpace | None = None
    reserve: bool = False
    noted_ns: int | None = None


@dataclass(frozen=True, slots=True)
class DiskStep:
    """What one look did. compacted_bytes: given back to the disk. wait_ms: when the next look is due."""

    state: DiskState
    changed: bool = False
    compacted_bytes: int = 0
    wait_ms: int = LOOK_MS


def refuses(level: DiskLevel, use: Use) -> bool:
    """Return whether this use is refused at that level."""
    return use in REFUSED_FROM and level >= REFUSED_FROM[use]


def judge(space: DiskSpace, marks: DiskMarks, before: DiskLevel) -> DiskLevel:
    """Return the level of so much space; it is left only with a tenth of its mark to spare.

    Pages that the database has freed count as free, as new rows go there first.
    """
    usable = space.free_bytes + space.reusable_bytes
    for level in (DiskLevel.FULL, DiskLevel.SCARCE, DiskLevel.LOW):
        mark = marks.mark(level, space.total_bytes)
        if usable < (mark + mark // 10 if before >= level else mark):
            return level
    return DiskLevel.AMPLE


def watch_disk(
    store: Store,
    disk: Disk,
    clock: Clock,
    ids: IdSource,
    origin: Origin,
    marks: DiskMarks,
    state: DiskState,
) -> DiskStep:
    """Look once: mind the reserve, judge, tell HQ of a change, give freed pages back.

    Raises Unavailable when the disk cannot be asked. An alarm that cannot be written is told later.
    """
    now = clock.now()
    space = disk.space()
    level = judge(space, marks, state.level)
    reserve = _mind_reserve(disk, space, marks, level)
    # Freed pages go back before the alarm is written: it may need the room.
    compacted = disk.compact() if space.reusable_bytes > KEPT_BYTES else 0
    after = replace(state, level=level, space=space, reserve=reserve)
    after = _tell(store, ids, origin, now, after)
    return DiskStep(after, level is not state.level, compacted, _wait_ms(level, compacted))


def spare_bytes(space: DiskSpace, marks: DiskMarks) -> int:
    """Return how much may be written before new sales are refused."""
    return space.free_bytes + space.reusable_bytes - marks.mark(DiskLevel.FULL, space.total_bytes)


def describe_space(space: DiskSpace) -> str:
    """Return one sentence for people."""
    usable = space.free_bytes + space.reusable_bytes
    percent = usable * 100 // max(space.total_bytes, 1)
    return f"{percent} % of the disk is free, {usable // _MIB} MiB of {space.total_bytes // _MIB} MiB"


def _mind_reserve(disk: Disk, space: DiskSpace, marks: DiskMarks, level: DiskLevel) -> bool:
    if space.free_bytes < marks.reserve_bytes and disk.has_reserve():
        disk.release_reserve()
        return False
    room = space.free_bytes - marks.reserve_bytes
    if level < DiskLevel.FULL and room > marks.mark(DiskLevel.FULL, space.total_bytes):
        return disk.hold_reserve()
    return disk.has_reserve()


def _tell(store: Store, ids: IdSource, origin: Origin, now: Instant, state: DiskState) -> DiskState:
    """Write the alarm and the pace, when either is due, in one unit of work."""
    due = state.noted_ns is None or now.boottime_ns - state.noted_ns >= PACE_EVERY_MS * 1_000_000
    if state.told is state.level and not due:
        return state
    try:
        store.write(lambda unit: _write(unit, ids, origin, now, state, due))
    except Unavailable:
        return state
    return replace(state, told=state.level, noted_ns=now.boottime_ns if due else state.noted_ns)


def _write(unit: Unit, ids: IdSource, origin: Origin, now: Instant, state: DiskState, due: bool) -> None:
    if due:
        notes = unit.outbox.pace()
        # A service that is restarted often must not fill the table.
        if not notes or not 0 <= now.wall_at - notes[-1].noted_at < PACE_EVERY_MS:
            unit.outbox.note_pace(now.wall_at)
    if state.space is None:
        return
    tell = clear_alarm if state.level is DiskLevel.AMPLE else raise_alarm
    tell(unit, ids, now, origin, ALARM, state.level.name.lower(), describe_space(state.space))


def _wait_ms(level: DiskLevel, compacted: int) -> int:
    if compacted:
        return COMPACT_MS
    return URGENT_MS if level is DiskLevel.FULL else LOOK_MS
