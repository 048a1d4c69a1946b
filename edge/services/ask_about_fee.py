"""Have the guard asked about a vehicle at an exit whose fee nobody can confirm."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.decision import Decision, Verdict, Why
from edge.parking.facility import Lane
from edge.services.box import Box
from edge.services.call_help import raise_call
from edge.services.lane_turn import LaneTurn
from edge.services.records import Unit
from edge.services.workstation import load


def ask_about_fee(unit: Unit, box: Box, lane: Lane, session_id: str, due_fen: int, now: Instant) -> None:
    """Make the vehicle's passage a question to the guard, and call; again while it is open is one call.

    Money that is confirmed meanwhile still opens the gate, and ends the question with it.
    """
    raise_call(unit, box, load(unit, box, lane.workstation).state, now)
    passage = unit.passages.current(lane.name)
    if passage is None or passage.session_id != session_id or passage.question is not None:
        return
    asked = Decision(Verdict.ASK, Why.UNCONFIRMED, session_id=session_id, due_fen=due_fen)
    LaneTurn(unit, box, lane, now).see(passage, asked)
