"""A guard grants the vehicle at an exit free minutes, or the whole fee, by word and with a reason."""

from __future__ import annotations

from edge.errors import Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.facility import LaneWay
from edge.parking.session import SessionState
from edge.parking.validation import Grant, Holder, Validation
from edge.services.ask_less import ask_less
from edge.services.box import Box
from edge.services.grant_validation import put_by_guard
from edge.services.records import Unit

#: What may be granted with one touch: minutes, and ALL for the whole fee.
ALL = 0
CHOICES = (30, 60, 120, ALL)


def grant_at_lane(
    box: Box, lane_name: str, passage_id: str, minutes: int, by: str, reason: str
) -> Validation:
    """Grant one of `CHOICES` to the stay of the vehicle at an exit; the gate opens when nothing is due then.

    passage_id: the vehicle that the person saw. The same choice for the same vehicle counts once. Raises
    Invalid when it is not there any more, has no stay, or the reason is missing; Declined while it is being
    paid.
    """
    lane, now = box.parking.lane(lane_name), box.clock.now()
    if minutes not in CHOICES:
        raise Invalid(
            f"{minutes} minutes cannot be granted here; choose one of {CHOICES[:-1]} or the whole fee"
        )
    if not by:
        raise Invalid("say who grants it; every reduction has a name")

    def work(unit: Unit) -> Validation:
        passage = unit.passages.current(lane.name)
        if passage is None or passage.passage_id != passage_id or lane.way is not LaneWay.EXIT:
            raise Invalid(f"the vehicle is not at exit {lane.name} any more; look again")
        session = unit.sessions.get(passage.session_id) if passage.session_id else None
        if session is None or session.state is not SessionState.INSIDE:
            raise Invalid("nobody knows yet which stay this vehicle has; answer that first")
        holder = Holder(session.session_id, session.plate)
        ref = f"{passage_id}/{minutes or 'all'}"
        done = put_by_guard(unit, box, ref, holder, grant_of(minutes), by, reason, now)
        ask_less(unit, box, session.session_id, now)
        return done

    granted = box.store.write(work)
    box.wake_lane(lane.name)
    if lane.workstation:
        box.changed(lane.workstation)
    return granted


def grant_of(minutes: int) -> Grant:
    """Return what a choice is worth, with its words."""
    if minutes == ALL:
        return Grant(BenefitKind.ALL, label="岗亭全免", label_en="Waived by the guard")
    label_en = f"{minutes} min granted by the guard"
    return Grant(BenefitKind.MINUTES, minutes, label=f"岗亭减免{minutes}分钟", label_en=label_en)
