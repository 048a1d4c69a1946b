"""What a lane answers to a read: to the camera that pushed it, and to whoever stands there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LaneOutcome(StrEnum):
    """What became of a read.

    OPEN, WAIT, ASK, REFUSE: what was decided by it. REPEAT: the vehicle is known already. BEHIND: the vehicle
    in front comes first. RECORDED: too old to open anything, kept for the stay.
    """

    OPEN = "open"
    WAIT = "wait"
    ASK = "ask"
    REFUSE = "refuse"
    REPEAT = "repeat"
    BEHIND = "behind"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class LaneAnswer:
    """The answer to one read, or to a camera that asks for work.

    open_now: the camera is to open by its own relay with this very answer; True once for each decision, and
    only at a lane without a gate of its own. lines, voice: for a display that hangs on the camera; the box's
    own display is shown the same by the lane's worker. look_again: the camera should read once more.
    """

    read_id: str
    outcome: LaneOutcome
    open_now: bool = False
    lines: tuple[str, ...] = ()
    voice: str = ""
    look_again: bool = False
    passage_id: str = ""
