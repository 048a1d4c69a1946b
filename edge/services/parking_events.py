"""What HQ is told of vehicles, gates and spaces."""

from __future__ import annotations

from collections.abc import Mapping

from edge.clock import Instant
from edge.parking.facility import Lane
from edge.parking.passage import Passage
from edge.parking.session import Session
from edge.services.box import Box
from edge.services.events import Data, EventKind, Json, record_event
from edge.services.passage_records import Correction, LaneHold
from edge.services.records import Unit

MAX_NOTE = 200


def tell_stay(
    unit: Unit, box: Box, kind: EventKind, session: Session, now: Instant, more: Mapping[str, Json]
) -> None:
    """Tell that a stay began, ended, or never was; `more` is what only that kind says."""
    subject = session.session_id
    data = {**stay_data(session), **more}
    record_event(unit, box.ids, now, box.origin, kind, subject, data)


def stay_data(session: Session) -> dict[str, Json]:
    """Return what every event about a stay says of it."""
    return {
        "session_id": session.session_id,
        "zone": session.zone,
        "plate": session.plate,
        "colour": session.colour.value,
        "vehicle_class": session.vehicle_class.value,
        "state": session.state.value,
        "entered_at": session.entered_at,
        "entry_lane": session.entry_lane,
        "left_at": session.left_at,
        "exit_lane": session.exit_lane,
        "entered_trusted": session.entered_trusted,
        "clock_note": session.clock_note,
    }


def tell_gate(unit: Unit, box: Box, lane: Lane, passage: Passage, what: str, now: Instant) -> None:
    """Tell of a gate that opened otherwise than by the box alone, or did not as it should."""
    data = gate_data(lane, passage, what)
    record_event(unit, box.ids, now, box.origin, EventKind.PARKING_GATE, passage.passage_id, data)


def gate_data(lane: Lane, passage: Passage, what: str) -> Data:
    """Return the data of "parking.gate" about a vehicle's opening."""
    decision = passage.decision
    return {
        "lane": lane.name,
        "gate": lane.gate,
        "what": what,
        "passage_id": passage.passage_id,
        "plate": passage.plate,
        "session_id": passage.session_id,
        "why": "" if decision is None else decision.why.value,
        "by": "" if decision is None else decision.by,
        "note": "" if decision is None else decision.note[:MAX_NOTE],
        "until_at": None,
    }


def tell_hold(unit: Unit, box: Box, lane: Lane, hold: LaneHold, now: Instant) -> None:
    """Tell that a gate is held open, or no more."""
    data = hold_data(lane, hold)
    record_event(unit, box.ids, now, box.origin, EventKind.PARKING_GATE, hold.hold_id, data)


def hold_data(lane: Lane, hold: LaneHold) -> Data:
    """Return the data of "parking.gate" about a gate that is held open."""
    over = hold.ended_at is not None
    return {
        "lane": lane.name,
        "gate": lane.gate,
        "what": "hold_ended" if over else "held_open",
        "passage_id": "",
        "plate": "",
        "session_id": "",
        "why": hold.reason.value,
        "by": hold.ended_by if over else hold.by,
        "note": hold.note[:MAX_NOTE],
        "until_at": hold.until_at,
    }


def tell_follower(unit: Unit, box: Box, lane: Lane, passage: Passage, identified: bool, now: Instant) -> None:
    """Tell of a vehicle that went through without an opening of its own."""
    data = follower_data(lane, passage, identified)
    record_event(unit, box.ids, now, box.origin, EventKind.PARKING_TAILGATED, passage.passage_id, data)


def follower_data(lane: Lane, passage: Passage, identified: bool) -> Data:
    """Return the data of "parking.tailgated"."""
    return {
        "lane": lane.name,
        "way": lane.way.value,
        "zone": lane.zone,
        "passage_id": passage.passage_id,
        "identified": identified,
        "plate": passage.plate if identified else "",
        "session_id": passage.session_id if identified else "",
        "behind_plate": "" if identified else passage.plate,
    }


def tell_occupancy(
    unit: Unit, box: Box, correction: Correction, inside: int, spaces: int, now: Instant
) -> None:
    """Tell that the count of a zone was corrected. inside: as it counts from now on."""
    data = occupancy_data(correction, inside, spaces)
    kind, subject = EventKind.PARKING_OCCUPANCY, correction.correction_id
    record_event(unit, box.ids, now, box.origin, kind, subject, data)


def occupancy_data(correction: Correction, inside: int, spaces: int) -> Data:
    """Return the data of "parking.occupancy"."""
    return {
        "zone": correction.zone,
        "reason": correction.reason.value,
        "delta": correction.delta,
        "counted": correction.counted,
        "inside": inside,
        "spaces": spaces,
        "by": correction.by,
        "note": correction.note[:MAX_NOTE],
        "corrected_at": correction.corrected_at,
    }
