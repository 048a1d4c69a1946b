"""Count a drawer blindly, close the shift with its Z report, and look at it before with an X report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.retail import shift as shifts
from edge.retail.shift import Shift, ShiftState
from edge.retail.shift_report import OpenPayment, ShiftReport, report
from edge.services.box import Box
from edge.services.events import EventKind, record_event
from edge.services.paper_records import PaperKind
from edge.services.print_paper import queue_drawer, queue_paper
from edge.services.records import Unit
from edge.services.report_json import decode_report, encode_report
from edge.services.shift_events import shift_closed
from edge.services.shift_paper import report_blocks

_Step = Callable[[Unit, Shift, Instant], Shift]

#: Open payments looked through for those of one workstation.
MAX_OPEN = 500


def begin_count(box: Box, workstation: str) -> Shift:
    """Stop taking cash there and open the drawer to be counted; what is expected is not told."""

    def step(unit: Unit, shift: Shift, now: Instant) -> Shift:
        queue_drawer(unit, box, workstation, shift.shift_id, now)
        return shifts.begin_count(shift)

    return _change(box, workstation, step)


def break_off_count(box: Box, workstation: str) -> Shift:
    """Take cash again; possible until a count was given."""
    return _change(box, workstation, lambda unit, shift, now: shifts.break_off_count(shift))


def give_count(box: Box, workstation: str, pieces: Mapping[str, int], loose_fen: int, by: str) -> Shift:
    """Take a count; the shift closes at once when it is within the limit, else it waits for a reason.

    Counting again gives another count, and all of them are kept.
    """

    def step(unit: Unit, shift: Shift, now: Instant) -> Shift:
        count = shifts.cash_count(pieces, loose_fen, by, now.wall_at)
        counted = shifts.give_count(shift, count, _expected(unit, shift))
        unit.shifts.put(counted)
        if abs(counted.over_short_fen or 0) > box.rules.over_short_limit_fen:
            return counted
        return finish_shift(unit, box, counted, by, now)

    return _change(box, workstation, step)


def close_shift(box: Box, workstation: str, by: str, reason: str) -> Shift:
    """Close the shift; raise Invalid while it was not counted, or is over or short without a reason."""
    return _change(box, workstation, lambda unit, shift, now: finish_shift(unit, box, shift, by, now, reason))


def finish_shift(unit: Unit, box: Box, shift: Shift, by: str, now: Instant, reason: str = "") -> Shift:
    """Close `shift` in this unit: Z number, report, paper, event; return it closed.

    Payments whose end is not known do not hinder it: they are listed, and their money belongs to the shift in
    which it is booked.
    """
    last = unit.shifts.last(shift.workstation)
    number = (last.number or 0) + 1 if last else 1
    through = max(unit.shifts.position(), shift.after)
    found = _report(unit, shift, through, now)
    limit_fen = box.rules.over_short_limit_fen
    closed = shifts.close_shift(shift, number, through, found.drawer_fen, by, now.wall_at, reason, limit_fen)
    unit.shifts.put(closed)
    final = replace(found, shift=closed)
    unit.shifts.put_report(closed.shift_id, encode_report(final))
    if not closed.automatic:
        blocks = report_blocks(final, box.rules)
        queue_paper(unit, box, closed.workstation, PaperKind.Z_REPORT, closed.shift_id, blocks, now)
    data = shift_closed(final)
    record_event(unit, box.ids, now, box.origin, EventKind.SHIFT_CLOSED, closed.shift_id, data)
    return closed


def look_at_shift(unit: Unit, shift: Shift, now: Instant) -> ShiftReport:
    """Return the Z report of a closed shift as it was told, else the X report as of now.

    Raises Declined during a count that was not given yet: nobody may count by what the books say.
    """
    kept = unit.shifts.report(shift.shift_id)
    if kept is not None:
        return decode_report(kept)
    if shift.state is ShiftState.COUNTING and not shift.counts:
        raise Declined(f"the drawer of {shift.workstation} is being counted; give the count first")
    return _report(unit, shift, None, now)


def print_report(box: Box, shift_id: str, workstation: str) -> None:
    """Queue the X report, or another copy of the Z report, for the printer of a workstation."""
    box.workstation(workstation)
    now = box.clock.now()

    def work(unit: Unit) -> None:
        shift = unit.shifts.get(shift_id)
        if shift is None:
            raise Invalid(f"there is no shift {shift_id}")
        found = look_at_shift(unit, shift, now)
        kind = PaperKind.Z_REPORT if found.final else PaperKind.X_REPORT
        blocks = report_blocks(found, box.rules, copy=found.final)
        queue_paper(unit, box, workstation, kind, shift_id, blocks, now)

    box.store.write(work)
    box.changed(workstation)


def need_shift(unit: Unit, workstation: str) -> Shift:
    """Return the shift that goes on there; raise Declined without one."""
    present = unit.shifts.current(workstation)
    if present is None:
        raise Declined(f"no shift is open at {workstation}; open one first")
    return present


def _change(box: Box, workstation: str, step: _Step) -> Shift:
    # Also for a workstation that was taken away: its shift must still be closed.
    now = box.clock.now()

    def work(unit: Unit) -> Shift:
        changed = step(unit, need_shift(unit, workstation), now)
        if changed.state is not ShiftState.CLOSED:
            unit.shifts.put(changed)
        return changed

    changed = box.store.write(work)
    box.changed(workstation)
    return changed


def _expected(unit: Unit, shift: Shift) -> int:
    moved = sum(one.change_fen for one in shift.movements)
    return shift.float_fen + unit.shifts.drawer_fen(shift.workstation, shift.after, None) + moved


def _report(unit: Unit, shift: Shift, through: int | None, now: Instant) -> ShiftReport:
    booked = unit.shifts.booked(shift.workstation, shift.after, through)
    failed = unit.shifts.failed_attempts(shift.workstation, shift.opened_at, now.wall_at + 1)
    unknown = [
        OpenPayment(one.attempt_id, one.gateway, one.amount_fen, one.created_at)
        for one in unit.attempts.open(MAX_OPEN)
        if one.workstation == shift.workstation
    ]
    return report(shift, booked, failed, unknown, now.wall_at)
