"""What a stay costs at a moment: its tariff, what lowers it, what was paid, in one quote."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import Invalid
from edge.parking.benefit import Benefit
from edge.parking.calendar import Calendar, RateDays, make_calendar
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Quote
from edge.parking.session import Session, SessionState
from edge.parking.tariff_document import Tariff
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan
from edge.services.box import Box
from edge.services.find_right import right_of_stay
from edge.services.records import Unit
from edge.services.session_benefits import benefits_of

#: Stays of a plate that are looked at for the re-entry rule; ghosts among them do not count.
MAX_LAST = 10

#: Why the times of a stay are not sure, where the stay itself does not say.
ENTRY_UNTRUSTED = "entry_untrusted"
CLOCK_BEHIND = "clock_behind"
LONG_STAY = "long_stay"

#: A longer stay may come from a clock that was wrong at the entry.
LONG_MS = 31 * DAY_MS


def quote_session(
    unit: Unit, box: Box, session: Session, at: int, benefits: Sequence[Benefit] | None = None
) -> Quote:
    """Return what a stay costs at a moment (Unix ms), at its end once it has left; reads only.

    benefits: in place of those that the stay has by its pass or a list, and by validations. Raises Invalid
    when the box has no tariff for the zone.
    """
    at = at if session.left_at is None else min(at, session.left_at)
    found = _benefits(unit, box, session, at) if benefits is None else benefits
    tariff = tariff_of(unit, box, session)
    stay = Stay(
        session.session_id, session.entered_at, _has_free_time(unit, session, tariff), _note(session, at)
    )
    return quote_stay(
        _plan(unit, box, session, tariff),
        stay,
        at,
        found,
        unit.settlements.of_session(session.session_id),
        _other_plans(unit, box, session, found),
        box.parking.grace_s,
    )


def tariff_of(unit: Unit, box: Box, session: Session) -> Tariff:
    """Return the tariff by which a stay is charged: that of its zone, in force when it began.

    The first one that the box knows of that id prices stays from before it. Raises Invalid without any.
    """
    zone = box.parking.facility.zone(session.zone)
    tariff_id = "standard" if zone is None else zone.tariff_id
    tariff = unit.tariffs.in_force(tariff_id, session.entered_at)
    if tariff is None:
        raise Invalid(
            f"zone {session.zone} is charged by the tariff {tariff_id!r}, which this box does not have; "
            "send it from HQ or run: python -m edge tariff import FILE"
        )
    return tariff


def _benefits(unit: Unit, box: Box, session: Session, at: int) -> tuple[Benefit, ...]:
    own = right_of_stay(unit, box, session, at).benefit
    return (*(() if own is None else (own,)), *benefits_of(unit, box, session, at))


def _plan(unit: Unit, box: Box, session: Session, tariff: Tariff) -> Plan:
    named = any(line.days is not RateDays.DAILY for line in tariff.lines)
    calendar = make_calendar(unit.calendar_days.all()) if named else Calendar()
    return Plan(tariff, box.rules.zone, calendar, session.vehicle_class, session.colour)


def _other_plans(unit: Unit, box: Box, session: Session, benefits: Sequence[Benefit]) -> dict[str, Plan]:
    found = {
        tariff_id: unit.tariffs.in_force(tariff_id, session.entered_at)
        for tariff_id in {one.tariff_id for one in benefits if one.tariff_id}
    }
    return {key: _plan(unit, box, session, tariff) for key, tariff in found.items() if tariff is not None}


def _has_free_time(unit: Unit, session: Session, tariff: Tariff) -> bool:
    """Return whether the plate has not left too shortly before it came."""
    if not (tariff.reentry_min and session.plate):
        return True
    since = session.entered_at - tariff.reentry_min * MINUTE_MS
    return not any(
        one.state is SessionState.LEFT
        and one.session_id != session.session_id
        and one.left_at is not None
        and since < one.left_at <= session.entered_at
        for one in unit.sessions.last_of(session.plate, MAX_LAST)
    )


def _note(session: Session, at: int) -> str:
    if session.clock_note:
        return session.clock_note
    if at < session.entered_at:
        return CLOCK_BEHIND
    if not session.entered_trusted:
        return ENTRY_UNTRUSTED
    return LONG_STAY if at - session.entered_at > LONG_MS else ""
