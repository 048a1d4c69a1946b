"""Give a lane's camera the opening that waits for it, when it asks for work by itself (heartbeat, comet)."""

from __future__ import annotations

from edge.services.box import Box
from edge.services.lane_answer import LaneAnswer, LaneOutcome
from edge.services.lane_turn import LaneTurn
from edge.services.records import Unit
from edge.services.see_plate import claim_answer
from edge.services.show_lane import lane_words


def collect_answer(box: Box, lane_name: str) -> LaneAnswer | None:
    """Return what a lane's camera is to do now, None for nothing; an opening is given once.

    Only a lane without a gate of its own opens so; an opening that waited too long is not given.
    """
    lane = box.parking.lane(lane_name)
    if lane.gate or box.store.read(lambda unit: unit.gate_commands.to_send(lane.name)) is None:
        return None
    now = box.clock.now()

    def work(unit: Unit) -> LaneAnswer | None:
        if not claim_answer(LaneTurn(unit, box, lane, now)):
            return None
        words = lane_words(unit, box, lane)
        return LaneAnswer("", LaneOutcome.OPEN, True, words.lines, words.voice, False, words.passage_id)

    return box.store.write(work)
