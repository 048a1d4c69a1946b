"""Close the business day over its closed shifts, and end automatic shifts with their day."""

from __future__ import annotations

from functools import partial

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.retail.shift import BusinessDay
from edge.retail.shift_report import DayReport, day_report
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.close_shift import finish_shift
from edge.services.events import EventKind, record_event
from edge.services.open_shift import is_stale
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_paper
from edge.services.records import Unit
from edge.services.report_json import decode_day, decode_report, encode_report
from edge.services.shift_events import day_closed
from edge.services.shift_paper import day_blocks

#: Shifts looked through for days that are over.
MAX_RECENT = 200


def close_day(box: Box, day: str, by: str) -> DayReport:
    """Close a business day: automatic shifts end with it, cashiers' shifts must be closed before.

    Sales that come after it on the same date belong to the next day. Raises Declined with who is still open.
    """
    now = box.clock.now()
    report = box.store.write(lambda unit: _close(unit, box, day, by, now))
    for workstation in box.workstations:
        box.changed(workstation)
    return report


def print_day(box: Box, day: str, workstation: str) -> None:
    """Queue the totals of a closed business day for the printer of a workstation.

    Raises Declined for a day that is not closed: its totals may still change.
    """
    box.workstation(workstation)
    now = box.clock.now()

    def work(unit: Unit) -> None:
        closed = unit.shifts.day(day)
        if closed is None:
            raise Declined(f"business day {day} is not closed; close it, then print its totals")
        blocks = day_blocks(decode_day(closed.report), box.rules)
        queue_paper(unit, box, workstation, PaperKind.DAY_REPORT, day, blocks, now)

    box.store.write(work)
    box.changed(workstation)


def roll_shifts(box: Box) -> int:
    """End what is over: automatic shifts of another day, and past days all of whose shifts are closed.

    Returns how many shifts and days it closed; each in a unit of its own.
    """
    now = box.clock.now()
    stale = box.store.read(
        lambda unit: [
            shift.workstation
            for shift in unit.shifts.going_on()
            if shift.automatic and is_stale(unit, box, shift, now)
        ]
    )
    for workstation in stale:
        box.store.write(partial(_end, box=box, workstation=workstation, now=now))
    days = box.store.read(lambda unit: _days_over(unit, business_day(box, now)))
    for day in days:
        box.store.write(partial(_close, box=box, day=day, by="", now=now))
    return len(stale) + len(days)


def _end(unit: Unit, box: Box, workstation: str, now: Instant) -> None:
    shift = unit.shifts.current(workstation)
    # A sale may have ended it meanwhile.
    if shift is not None and shift.automatic and is_stale(unit, box, shift, now):
        finish_shift(unit, box, shift, "", now)


def _days_over(unit: Unit, today: str) -> list[str]:
    going_on = {shift.business_day for shift in unit.shifts.going_on()}
    days = {shift.business_day for shift in unit.shifts.recent(MAX_RECENT)}
    return sorted(day for day in days - going_on if day < today and unit.shifts.day(day) is None)


def _close(unit: Unit, box: Box, day: str, by: str, now: Instant) -> DayReport:
    if unit.shifts.day(day) is not None:
        raise Declined(f"business day {day} is closed already")
    shifts = unit.shifts.of_day(day)
    if not shifts:
        raise Invalid(f"business day {day} has no shift; nothing is there to close")
    open_ones = [shift for shift in shifts if shift.number is None]
    waiting = [f"{shift.workstation} ({shift.cashier})" for shift in open_ones if not shift.automatic]
    if waiting:
        raise Declined(f"business day {day} waits for open shifts: {', '.join(waiting)}; close them first")
    for shift in open_ones:
        finish_shift(unit, box, shift, by, now)
    kept = [unit.shifts.report(shift.shift_id) for shift in shifts]
    report = day_report(day, [decode_report(text) for text in kept if text is not None])
    unit.shifts.put_day(BusinessDay(day, now.wall_at, by, encode_report(report)))
    record_event(
        unit, box.ids, now, box.origin, EventKind.DAY_CLOSED, day, day_closed(report, by, now.wall_at)
    )
    return report
