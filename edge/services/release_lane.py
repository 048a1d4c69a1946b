"""A confirmed settlement lets a vehicle that waits at an exit go."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.advance import Settled
from edge.services.box import Box
from edge.services.lane_turn import LaneTurn
from edge.services.records import Unit


def note_settled(unit: Unit, box: Box, session_id: str, now: Instant) -> None:
    """Let the passage of this stay that waits at an exit go on; called where money was confirmed.

    What is due is asked again: the gate opens only when nothing is.
    """
    for passage in unit.passages.of_session(session_id):
        lane = box.parking.facility.lane(passage.lane)
        if passage.is_over or lane is None:
            continue
        LaneTurn(unit, box, lane, now).see(passage, Settled(session_id))
        # Before the commit, so this is a hint: the lane's worker looks again by itself while a vehicle waits.
        box.wake_lane(lane.name)
