"""What HQ is told of vehicles at lanes, one event of each kind; for several tests."""

from __future__ import annotations

from dataclasses import replace

from edge.parking.advance import begin
from edge.parking.decision import Decision, Verdict, Why
from edge.parking.facility import Lane, LaneWay
from edge.parking.session import Session, SessionState
from edge.services import parking_events as told
from edge.services.events import Data, EventKind
from edge.services.passage_records import Correction, CorrectionReason, HoldReason, LaneHold

AT = 1_795_336_000_000
LANE = Lane("in-1", LaneWay.ENTRY, "p1", "gate-in")
STAY = Session("stay-1", "p1", "粤B12345", AT, "in-1")
LEFT = replace(STAY, state=SessionState.LEFT, left_at=AT + 5, exit_lane="out-1")
GHOST = replace(STAY, state=SessionState.NEVER_ENTERED)
PASSAGE = replace(
    begin("passage-1", "in-1", LaneWay.ENTRY, AT),
    plate="粤B12345",
    decision=Decision(Verdict.OPEN, Why.BY_HAND, 1, by="张军", note="送货车"),
)
HOLD = LaneHold("hold-1", "in-1", HoldReason.FIRE, "演习", "张军", AT, AT + 600_000)
CORRECTION = Correction("correction-1", "p1", CorrectionReason.RECOUNT, -2, AT, "张军", "", 40)


def lane_data() -> dict[EventKind, Data]:
    """Return the data of an event of each kind about lanes."""
    entered = {"entry_why": "visitor", "by": "", "backfill": 0}
    left = {"why": "paid", "by": "", "due_fen": 0, "backfill": 0}
    return {
        EventKind.PARKING_ENTERED: {**told.stay_data(STAY), **entered},
        EventKind.PARKING_LEFT: {**told.stay_data(LEFT), **left},
        EventKind.PARKING_NEVER_ENTERED: {**told.stay_data(GHOST), "why": "turned_back"},
        EventKind.PARKING_GATE: told.hold_data(LANE, HOLD),
        EventKind.PARKING_TAILGATED: told.follower_data(LANE, PASSAGE, identified=False),
        EventKind.PARKING_OCCUPANCY: told.occupancy_data(CORRECTION, 40, 100),
    }
