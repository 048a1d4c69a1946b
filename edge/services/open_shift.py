"""Open a shift: by a cashier with a float, or by itself where nobody stands."""

from __future__ import annotations

from datetime import date, timedelta

from edge.clock import Instant
from edge.errors import Declined
from edge.retail.shift import Shift, ShiftState
from edge.retail.shift import open_shift as begin_shift
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.close_shift import finish_shift
from edge.services.events import EventKind, record_event
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_paper
from edge.services.records import Unit
from edge.services.shift_events import shift_opened
from edge.services.shift_paper import slip_blocks


def open_shift(box: Box, workstation: str, cashier: str, float_fen: int) -> Shift:
    """Open a cashier's shift; the automatic one that may run there is closed first.

    Raises Declined while another cashier's shift goes on, Invalid for a float that no drawer gets.
    """
    place = box.workstation(workstation)
    now = box.clock.now()

    def work(unit: Unit) -> Shift:
        present = unit.shifts.current(workstation)
        if present is not None and not present.automatic:
            raise Declined(f"{present.cashier}'s shift goes on at {workstation}; close it first")
        if present is not None:
            finish_shift(unit, box, present, "", now)
        shift = _begin(unit, box, workstation, cashier, float_fen, now)
        if place.cash:
            blocks = slip_blocks("备用金 FLOAT", shift, float_fen, "", cashier, now.wall_at, box.rules)
            queue_paper(unit, box, workstation, PaperKind.CASH_SLIP, shift.shift_id, blocks, now)
        return shift

    shift = box.store.write(work)
    box.changed(workstation)
    return shift


def ensure_shift(unit: Unit, box: Box, workstation: str, now: Instant) -> None:
    """Have money that comes in now fall into a shift of today, where shifts open by themselves.

    At a till whose cash needs a cashier's shift nothing is opened: what comes in while none is open, such as
    a late approval, belongs to the next one.
    """
    present = unit.shifts.current(workstation)
    if present is not None and not (present.automatic and is_stale(unit, box, present, now)):
        return
    if present is not None:
        finish_shift(unit, box, present, "", now)
    if opens_by_itself(box, workstation):
        _begin(unit, box, workstation, "", 0, now)


def need_cash_shift(unit: Unit, box: Box, workstation: str) -> None:
    """Raise Declined while no cash may be taken at this till: no shift is open, or its drawer is counted."""
    word = cash_closed(unit, box, workstation)
    if word == "counting":
        raise Declined(f"the drawer of {workstation} is being counted; finish or break off the count first")
    if word:
        raise Declined(f"no shift is open at {workstation}; open one under /staff/shifts before taking cash")


def cash_closed(unit: Unit, box: Box, workstation: str) -> str:
    """Return why no cash may be taken there: "no_shift", "counting", or "" when it may."""
    present = unit.shifts.current(workstation)
    if present is not None and present.state is ShiftState.COUNTING:
        return "counting"
    needs = not opens_by_itself(box, workstation)
    return "no_shift" if needs and (present is None or present.automatic) else ""


def opens_by_itself(box: Box, workstation: str) -> bool:
    """Return whether a workstation sells without a cashier's shift; one that was taken away does."""
    place = box.workstations.get(workstation)
    return place is None or not (place.cash and box.rules.cash_needs_shift)


def is_stale(unit: Unit, box: Box, shift: Shift, now: Instant) -> bool:
    """Return whether a shift is of another business day than one opened now would be.

    A clock that is not trusted may be behind: it never ends a shift of a later day.
    """
    if shift.business_day == business_day(box, now):
        # The close of a day ends its shifts, so that none of today's is left when today is closed.
        return False
    day = shift_day(unit, box, now)
    return shift.business_day < day or (now.trusted and shift.business_day > day)


def shift_day(unit: Unit, box: Box, now: Instant) -> str:
    """Return the business day of a shift opened now: today, or the one after a day that is closed already."""
    today, last = business_day(box, now), unit.shifts.last_day()
    if last is None or last.day < today:
        return today
    following = (date.fromisoformat(last.day) + timedelta(days=1)).isoformat()
    # A day closed by a clock that ran far ahead must not hold all days to come.
    return following if unit.shifts.day(today) is not None else today


def _begin(unit: Unit, box: Box, workstation: str, cashier: str, float_fen: int, now: Instant) -> Shift:
    last = unit.shifts.last(workstation)
    after = unit.shifts.beginning() if last is None or last.through is None else last.through
    day = shift_day(unit, box, now)
    shift = begin_shift(box.ids.new_id(), workstation, cashier, day, now.wall_at, float_fen, after)
    unit.shifts.put(shift)
    if not shift.automatic:
        # One that opens by itself is told when it ends; between, its orders tell all there is.
        data = shift_opened(shift)
        record_event(unit, box.ids, now, box.origin, EventKind.SHIFT_OPENED, shift.shift_id, data)
    return shift
