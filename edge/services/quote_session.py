"""What a stay costs at a moment: its tariff, what lowers it, what was paid, in one quote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.clock import Instant
from edge.codes.sheet import MAX_AT
from edge.errors import Invalid
from edge.parking.benefit import Benefit
from edge.parking.calendar import Calendar, RateDays, make_calendar
from edge.parking.pricing import Stay, quote_stay
from edge.parking.quote import Quote, Settlement
from edge.parking.session import Session, SessionState
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import DAY_MIN, Restart, Tariff
from edge.parking.tariff_plan import DAY_MS, MINUTE_MS, Plan
from edge.services.box import Box
from edge.services.find_right import right_of_stay
from edge.services.records import Unit
from edge.services.session_benefits import benefits_of
from edge.services.stay_time import StayTime, away_ms, stay_time

#: Stays of a plate that are looked at for the re-entry rule; ghosts among them do not count.
MAX_LAST = 10

#: Why the times of a stay are not sure, where the stay itself does not say.
ENTRY_UNTRUSTED = "entry_untrusted"
CLOCK_BEHIND = "clock_behind"
LONG_STAY = "long_stay"

#: A longer stay may come from a clock that was wrong at the entry.
LONG_MS = 31 * DAY_MS

HOUR_MS = 60 * MINUTE_MS

#: Hours that a stay is tried at when nobody knows the time of day.
WEEK_H = 168


def quote_session(
    unit: Unit, box: Box, session: Session, at: Instant | int, benefits: Sequence[Benefit] | None = None
) -> Quote:
    """Return what a stay costs at a moment, at its end once it has left; reads only.

    at: the present instant, by which the stay is measured whatever became of the wall clock; Unix ms for a
    moment in the time of the stay itself. Where the clocks leave it open when it began, it costs the least
    that may be, and the quote says so. benefits: in place of those that the stay has by its pass or a list,
    and by validations. Raises Invalid when the box has no tariff for the zone.
    """
    time = _time(unit, session, at)
    session, at = time.session, time.at
    found = _benefits(unit, box, session, at) if benefits is None else benefits
    tariff = tariff_of(unit, box, session)
    free = _has_free_time(unit, session, tariff)
    plan = _plan(unit, box, session, tariff)
    earlier_ms, moved_ms = _cheapest(plan, time, free)
    stay = Stay(session.session_id, session.entered_at - earlier_ms + moved_ms, free, _note(session, at))
    quote = quote_stay(
        plan,
        stay,
        at + moved_ms,
        found,
        _moved(time.settlements, moved_ms),
        _other_plans(unit, box, session, found),
        box.parking.grace_s,
    )
    return _moved_back(quote, moved_ms) if moved_ms else quote


def _time(unit: Unit, session: Session, at: Instant | int) -> StayTime:
    if isinstance(at, Instant):
        return stay_time(unit, session, at)
    at = at if session.left_at is None else min(at, session.left_at)
    return StayTime(session, at, unit.settlements.of_session(session.session_id))


def _cheapest(plan: Plan, time: StayTime, free: bool) -> tuple[int, int]:
    """Return by how much the entry is earlier, and by how much the whole stay is moved, to cost the least."""
    begin, end = time.session.entered_at, time.at
    if time.floating:
        moves = [(0, hour * HOUR_MS) for hour in range(WEEK_H)]
    else:
        moves = [(hour * HOUR_MS, 0) for hour in range(time.loose_ms // HOUR_MS + 1)]
        moves += [(0, time.other_ms)] if time.other_ms else []
    if len(moves) == 1 or _is_even(plan.tariff):
        return 0, 0
    return min(moves, key=lambda one: (price_fen(plan, begin - one[0] + one[1], end + one[1], free), *one))


def _is_even(tariff: Tariff) -> bool:
    """Return whether the hour of the day makes no difference."""
    whole = all(
        line.days is RateDays.DAILY and (line.from_min, line.to_min) == (0, DAY_MIN) for line in tariff.lines
    )
    return whole and tariff.date_cap_fen is None and tariff.restart is not Restart.DATE


def _moved(settlements: Sequence[Settlement], by_ms: int) -> tuple[Settlement, ...]:
    return tuple(replace(one, covers_until=one.covers_until + by_ms) for one in settlements)


def _moved_back(quote: Quote, by_ms: int) -> Quote:
    """Return a quote with its moments back in the time of the stay; its segments keep the hours tried."""

    def back(at: int | None) -> int | None:
        return None if at is None or at >= MAX_AT else at - by_ms

    open_end = quote.allowed_exit_at is not None and quote.allowed_exit_at >= MAX_AT
    return replace(
        quote,
        entered_at=quote.entered_at - by_ms,
        at=quote.at - by_ms,
        next_raise_at=back(quote.next_raise_at),
        allowed_exit_at=MAX_AT if open_end else back(quote.allowed_exit_at),
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
    within_ms = tariff.reentry_min * MINUTE_MS
    return not any(
        one.state is SessionState.LEFT
        and one.session_id != session.session_id
        and _came_back(unit, one, session, within_ms)
        for one in unit.sessions.last_of(session.plate, MAX_LAST)
    )


def _came_back(unit: Unit, left: Session, back: Session, within_ms: int) -> bool:
    """Return whether a stay began for certain so shortly after another one had ended."""
    if left.left_boot and back.entered_boot:
        away = away_ms(unit, left, back)
        return away is not None and away < within_ms
    return left.left_at is not None and back.entered_at - within_ms < left.left_at <= back.entered_at


def _note(session: Session, at: int) -> str:
    if session.clock_note:
        return session.clock_note
    if at < session.entered_at:
        return CLOCK_BEHIND
    if not session.entered_trusted:
        return ENTRY_UNTRUSTED
    return LONG_STAY if at - session.entered_at > LONG_MS else ""
