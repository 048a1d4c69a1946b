"""Decide whether a vehicle at an entry may come in: black list, rights, already inside, full, visitor."""

from __future__ import annotations

from edge.clock import Instant
from edge.parking.decision import Decision, Verdict, Why
from edge.parking.facility import FullMode, Lane, PassbackMode
from edge.parking.passage import Passage
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.count_zone import is_full
from edge.services.entry_right import EntryRight, entry_right
from edge.services.find_right import count_kept
from edge.services.record_debt import may_enter, owed_by_plate
from edge.services.records import Unit
from edge.services.same_visit import is_same_visit


def decide_entry(unit: Unit, box: Box, lane: Lane, passage: Passage, now: Instant) -> Decision:
    """Return what becomes of a vehicle at an entry; reads only."""
    plate = passage.plate
    if unit.lane_holds.current(lane.name) is not None:
        return Decision(Verdict.OPEN, Why.HELD_OPEN, plate=plate)
    if not plate:
        return Decision(Verdict.ASK, Why.NO_PLATE)
    right = entry_right(unit, box, lane, passage, now)
    if right is EntryRight.REFUSED:
        return Decision(Verdict.REFUSE, Why.BLACK_LISTED, plate=plate)
    if not may_enter(unit, box, plate):
        return Decision(Verdict.REFUSE, Why.OWES, due_fen=owed_by_plate(unit, plate), plate=plate)
    inside = unit.sessions.inside(plate)
    known = _inside_already(unit, lane, inside[0], now) if inside else None
    if known is not None:
        return known
    if right is not EntryRight.NONE:
        return Decision(Verdict.OPEN, _RIGHTS[right], plate=plate)
    # A vehicle whose stay inside is about to end takes no further space.
    full = not inside and is_full(
        unit, box.parking.facility.zone(lane.zone), count_kept(unit, box, lane.zone, now.wall_at)
    )
    if full and lane.when_full is not FullMode.ADMIT:
        return Decision(_WHEN_FULL[lane.when_full], Why.FULL, plate=plate)
    return Decision(Verdict.OPEN, Why.VISITOR, plate=plate)


_RIGHTS = {EntryRight.PASS: Why.PASS, EntryRight.LISTED: Why.LISTED, EntryRight.RESERVED: Why.RESERVED}
_WHEN_FULL = {FullMode.QUEUE: Verdict.QUEUE, FullMode.REFUSE: Verdict.REFUSE}


def _inside_already(unit: Unit, lane: Lane, inside: Session, now: Instant) -> Decision | None:
    if is_same_visit(unit, lane, inside, now):
        return Decision(Verdict.OPEN, Why.AGAIN, session_id=inside.session_id, plate=inside.plate)
    if lane.passback is PassbackMode.HARD:
        return Decision(Verdict.ASK, Why.ALREADY_INSIDE, session_id=inside.session_id, plate=inside.plate)
    return None
