"""What people see of shifts: who sells where, the day's takings, and what is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.clock import local
from edge.errors import Invalid
from edge.money import format_yuan
from edge.retail.shift import BusinessDay, Shift
from edge.retail.shift_report import Booked, DayReport, ShiftReport, day_report, report, takings
from edge.services.box import Box, Rules
from edge.services.business_day import business_day
from edge.services.close_shift import look_at_shift
from edge.services.open_shift import cash_closed
from edge.services.records import Unit
from edge.services.report_json import decode_day, decode_report
from edge.services.shift_paper import signed_yuan

#: Closed shifts that a list shows.
LISTED = 60


@dataclass(frozen=True, slots=True)
class PlaceView:
    """One workstation: its shift that goes on, and why it takes no cash ("no_shift", "counting", "")."""

    name: str
    kind: str
    cash: bool
    shift: Shift | None
    cash_closed: str


@dataclass(frozen=True, slots=True)
class ClosedShift:
    """A closed shift in a list, with what it took."""

    shift: Shift
    taken_fen: int
    orders: int


@dataclass(frozen=True, slots=True)
class DayView:
    """A business day so far: its totals, by tender and hour of the day, and whether it is closed.

    hours: local hours 0 to 23. open_shifts: those that hinder the close, automatic ones among them not.
    """

    day: str
    report: DayReport
    hours: Mapping[str, Mapping[int, int]]
    shifts: int
    open_shifts: tuple[str, ...]
    closed: BusinessDay | None


def show_places(box: Box) -> tuple[PlaceView, ...]:
    """Return every workstation of this box, and any other on which a shift still goes on."""

    def query(unit: Unit) -> tuple[PlaceView, ...]:
        names = dict.fromkeys([*box.workstations, *(one.workstation for one in unit.shifts.going_on())])
        return tuple(_place(unit, box, name) for name in names)

    return box.store.read(query)


def show_place(box: Box, workstation: str) -> PlaceView:
    """Return one workstation; raise Invalid for one that this box does not have and that has no shift."""
    view = box.store.read(lambda unit: _place(unit, box, workstation))
    if view.shift is None:
        box.workstation(workstation)
    return view


def show_closed(box: Box) -> tuple[ClosedShift, ...]:
    """Return the closed shifts that were opened last, newest first."""

    def query(unit: Unit) -> tuple[ClosedShift, ...]:
        found = [(shift, unit.shifts.report(shift.shift_id)) for shift in unit.shifts.recent(LISTED)]
        return tuple(_closed(shift, text) for shift, text in found if text is not None)

    return box.store.read(query)


def show_report(box: Box, shift_id: str) -> ShiftReport:
    """Return a shift's X or Z report; raise Invalid for no shift, Declined during a blind count."""
    now = box.clock.now()

    def query(unit: Unit) -> ShiftReport:
        shift = unit.shifts.get(shift_id)
        if shift is None:
            raise Invalid(f"there is no shift {shift_id}")
        return look_at_shift(unit, shift, now)

    return box.store.read(query)


def show_day(box: Box, day: str = "") -> DayView:
    """Return a business day, today when none is named."""
    now = box.clock.now()
    wanted = day or business_day(box, now)
    return box.store.read(lambda unit: view_day(unit, wanted, box.rules, now.wall_at))


def view_day(unit: Unit, day: str, rules: Rules, at: int) -> DayView:
    """Return a business day as it stands at a moment."""
    shifts, closed = unit.shifts.of_day(day), unit.shifts.day(day)
    booked: list[Booked] = []
    for shift in shifts:
        booked += unit.shifts.booked(shift.workstation, shift.after, shift.through)
    if closed is not None:
        totals = decode_day(closed.report)
    else:
        totals = day_report(day, [_figures(unit, shift, at) for shift in shifts])
    waiting = tuple(one.workstation for one in shifts if one.number is None and not one.automatic)
    hours = takings(booked, lambda moment: local(moment, rules.zone).hour)
    return DayView(day, totals, hours, len(shifts), waiting, closed)


def describe_shifts(unit: Unit, day: str, rules: Rules, at: int) -> list[str]:
    """Return lines for people: the day's totals, then each of its shifts."""
    view = view_day(unit, day, rules, at)
    if not view.shifts:
        return [f"business day {day} has no shift"]
    tenders = [f"{one.kind} {format_yuan(one.net_fen)}" for one in view.report.tenders]
    state = f"closed {_moment(view.closed.closed_at, rules)}" if view.closed else "open"
    if view.closed is not None and view.closed.closed_by:
        state += f" by {view.closed.closed_by}"
    head = f"business day {day} is {state}: {view.report.orders} orders, {format_yuan(view.report.taken_fen)}"
    found = [(shift, _figures(unit, shift, at)) for shift in unit.shifts.of_day(day)]
    return [": ".join([head, ", ".join(tenders)]), *(_line(shift, each, rules) for shift, each in found)]


def _figures(unit: Unit, shift: Shift, at: int) -> ShiftReport:
    """Return a shift's figures for a day's totals, also while it is counted: they tell no single drawer's."""
    kept = unit.shifts.report(shift.shift_id)
    if kept is not None:
        return decode_report(kept)
    return report(shift, unit.shifts.booked(shift.workstation, shift.after, None), {}, (), at)


def _place(unit: Unit, box: Box, name: str) -> PlaceView:
    place = box.workstations.get(name)
    kind = "" if place is None else place.kind.value
    cash = place is not None and place.cash
    return PlaceView(name, kind, cash, unit.shifts.current(name), cash_closed(unit, box, name))


def _closed(shift: Shift, text: str) -> ClosedShift:
    found = decode_report(text)
    return ClosedShift(shift, found.taken_fen, found.orders)


def _line(shift: Shift, figures: ShiftReport, rules: Rules) -> str:
    number = shift.state.value if shift.number is None else f"Z {shift.number}"
    until = "now" if shift.closed_at is None else _moment(shift.closed_at, rules)
    line = (
        f"  {shift.workstation}  {number}  {shift.cashier or 'self-service'}"
        f"  {_moment(shift.opened_at, rules)} to {until}"
        f"  {figures.orders} orders, {format_yuan(figures.taken_fen)}"
    )
    if shift.over_short_fen is not None:
        line += f", over/short {signed_yuan(shift.over_short_fen)}"
    return f"{line} ({shift.reason})" if shift.reason else line


def _moment(at: int, rules: Rules) -> str:
    return f"{local(at, rules.zone):%m-%d %H:%M}"
