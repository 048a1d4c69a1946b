"""One vehicle's way through one lane: what is known of it, and the words for it. Pure.

`advance` in edge/parking/advance.py moves it on. All moments of a passage are on its own clock: the wall time
of its beginning and the boot time that has gone by since, so that a wall clock that is set meanwhile neither
ends nor prolongs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.parking.decision import Decision, Question
from edge.parking.facility import LaneWay
from edge.parking.observation import BoomPlace


class PassageState(StrEnum):
    """How far a vehicle is.

    APPROACHED: something stands there. IDENTIFIED: a plate (or that there is none) is known, to be decided.
    WAITING: for money, a person, or a free space. DECIDED: the gate is to open. OPENED: it did. PASSED: the
    vehicle went through, the gate is not yet known to be closed. CLOSED: over.
    """

    APPROACHED = "approached"
    IDENTIFIED = "identified"
    WAITING = "waiting"
    DECIDED = "decided"
    OPENED = "opened"
    PASSED = "passed"
    CLOSED = "closed"


class PassageEnd(StrEnum):
    """How it ended.

    PASSED: it went through. TAILGATED: it went through behind another, under that one's opening. TURNED_BACK:
    the camera or the loops say that it drove off backwards. REVERSED: it was under the boom and came back.
    LOST: nothing was heard of it any more. NEVER_ENTERED: the gate was open and nothing went through. GONE: a
    person says that nobody is there.
    """

    PASSED = "passed"
    TAILGATED = "tailgated"
    TURNED_BACK = "turned_back"
    REVERSED = "reversed"
    LOST = "lost"
    NEVER_ENTERED = "never_entered"
    GONE = "gone"


#: Ends after which the vehicle is on the other side.
THROUGH = frozenset({PassageEnd.PASSED, PassageEnd.TAILGATED})


@dataclass(frozen=True, slots=True)
class Behind:
    """A read of the next vehicle, kept until the one before it is through."""

    read_id: str
    plate: str
    seen_at: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One vehicle in one lane.

    plate: as believed now, "" without. read_id, read_at: the observation behind it and when it was made.
    fresh: that read was young enough to open by itself. session_id: the stay that was begun, or is being
    left. entered: a stay was begun by this passage. opening: the number of the decision whose opening goes
    on, 0 for none; decisions: how many there were. commanded_at, echoed: of that opening. loops, boom: as
    last seen; boom None before any report. on_near: the first loop was occupied. on_far, near_freed: the last
    loop is occupied, and the first went free meanwhile. crossed: it left the last loop while the first one
    was occupied all the time: it rolled back, or that loop is stuck. signs_at: the last sign of the vehicle.
    free_at: when the loops went free. assumed: that it passed was concluded from time or the boom, not loops.
    blind: for a while nobody looked at its loops, after a restart say. found: it stood there when somebody
    looked again, so that nobody knows when it came.
    followers: vehicles that went through behind it under its opening. behind: the next vehicle. begun_boot,
    begun_ns: the boot and boot-time nanoseconds of its beginning.
    """

    passage_id: str
    lane: str
    way: LaneWay
    begun_at: int
    begun_boot: str = ""
    begun_ns: int = 0
    state: PassageState = PassageState.APPROACHED
    plate: str = ""
    read_id: str = ""
    read_at: int | None = None
    fresh: bool = False
    session_id: str = ""
    entered: bool = False
    decision: Decision | None = None
    decisions: int = 0
    opening: int = 0
    question: Question | None = None
    loops: tuple[bool, ...] = ()
    boom: BoomPlace | None = None
    on_near: bool = False
    on_far: bool = False
    near_freed: bool = False
    crossed: bool = False
    signs_at: int = 0
    free_at: int | None = None
    commanded_at: int | None = None
    echoed: bool = False
    opened_at: int | None = None
    passed_at: int | None = None
    asked_again_at: int = 0
    assumed: bool = False
    blind: bool = False
    found: bool = False
    stayed: bool = False
    followers: int = 0
    behind: Behind | None = None
    end: PassageEnd | None = None
    ended_at: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is closed."""
        return self.state is PassageState.CLOSED

    @property
    def is_through(self) -> bool:
        """Whether the vehicle is on the other side, as far as is known."""
        return self.state is PassageState.PASSED or self.end in THROUGH


@dataclass(frozen=True, slots=True)
class PassageRules:
    """What a lane can see, and how long things take. Durations are milliseconds.

    loops: how many presence loops report. boom: limit switches report. stale: an older read opens nothing.
    repeat: the same plate so soon after its passage is the same vehicle seen again. open: by then a commanded
    boom is up, or a person is asked. pass_: without loops, how long an opened gate is taken for passed.
    leave: the loops are free for so long before a vehicle has turned back. ghost: nothing came under an open
    gate for so long. approach: a vehicle stands there so long without a read before it counts as one without
    a plate. unseen: where no loop sees who waits, a vehicle that gave no sign for so long is gone. lost:
    likewise whatever the loops say. again: how often a queue is looked at. stay: a vehicle that stands so
    long is told of. follow: without loops, another plate so long after the opening means that the first is
    through. second_look: a read that differs by one character so soon is the same vehicle; on its first loop
    always. settle: after a vehicle went through, how long the next one counts as going under its opening when
    no limit switch tells.
    """

    way: LaneWay
    loops: int = 0
    boom: bool = False
    stale: int = 10_000
    repeat: int = 8_000
    open: int = 6_000
    pass_: int = 15_000
    leave: int = 4_000
    ghost: int = 30_000
    approach: int = 5_000
    unseen: int = 600_000
    lost: int = 900_000
    again: int = 3_000
    stay: int = 120_000
    follow: int = 2_000
    second_look: int = 3_000
    settle: int = 3_000

    @property
    def sees_waiting(self) -> bool:
        """Whether a loop lies before the boom, where a vehicle waits; the only one lies under it."""
        return self.loops > 1
