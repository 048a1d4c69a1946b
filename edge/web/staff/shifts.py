"""Shifts: open, move cash, count blindly, close; X and Z reports; the day's takings and its close."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog
from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from edge.errors import Declined, Invalid
from edge.money import parse_yuan
from edge.retail.shift import DENOMINATIONS, MAX_REASON, CashKind
from edge.services.box import Box
from edge.services.close_day import close_day, print_day
from edge.services.close_shift import begin_count, break_off_count, close_shift, give_count, print_report
from edge.services.move_cash import move_cash
from edge.services.open_shift import open_shift
from edge.services.show_shifts import show_closed, show_day, show_place, show_places, show_report
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in
from edge.web.staff.takings_plot import plot_takings

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

#: Why cash moves, as keys of edge/web/texts: one touch instead of typing.
_REASONS = {
    CashKind.PAY_IN: ("reason_small_change", "reason_float_more"),
    CashKind.PICK_UP: ("reason_to_safe", "reason_to_bank", "reason_buy"),
    CashKind.NO_SALE: ("reason_swap", "reason_check"),
}
_OVER_SHORT_REASONS = ("reason_wrong_change", "reason_not_found", "reason_counted_twice")

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages under /staff/shifts."""
    local_time = local_times(settings)

    def list_page(error: str = "") -> str:
        view = show_day(box, _asked_day(request.args.get("day", "")))
        return show(
            "shifts",
            places=show_places(box),
            day=view,
            plot=plot_takings(view.hours, box.rules.day_starts_h),
            closed=show_closed(box),
            papers=box.store.read(lambda unit: unit.papers.of(view.day)),
            printers=tuple(box.printers),
            error=error,
            local_time=local_time,
        )

    def place_page(workstation: str, error: str = "") -> str:
        try:
            place = show_place(box, workstation)
        except Invalid:
            abort(404, f"There is no workstation {workstation}.")
        return show(
            "shift",
            place=place,
            denominations=DENOMINATIONS,
            reasons={kind.value: keys for kind, keys in _REASONS.items()},
            over_short_reasons=_OVER_SHORT_REASONS,
            limit_fen=box.rules.over_short_limit_fen,
            most_reason=MAX_REASON,
            error=error,
            asked=request.form,
            local_time=local_time,
        )

    def add(routes: Blueprint) -> None:
        routes.get("/shifts")(_named("shifts", list_page))
        routes.get("/shifts/at/<workstation>")(_named("shift_place", place_page))
        _add_steps(routes, box, place_page)
        _add_reports(routes, box, local_time)
        _add_day(routes, box, list_page)

    return StaffPage(add, lambda: [Link("/staff/shifts", "staff_shifts")])


def _add_steps(routes: Blueprint, box: Box, place_page: Callable[[str, str], str]) -> None:
    @routes.post("/shifts/at/<workstation>/<step>")
    def shift_step(workstation: str, step: str) -> Response | tuple[str, int]:
        if step not in _STEPS:
            abort(404, f"There is no step {step} at {workstation}.")
        try:
            closed_id = _STEPS[step](box, workstation, str(signed_in()))
        except (Invalid, Declined) as error:
            return place_page(workstation, str(error)), 409
        _log.warning("shift", step=step, workstation=workstation, by=signed_in())
        to = f"/staff/shifts/reports/{closed_id}" if closed_id else f"/staff/shifts/at/{workstation}"
        return redirect(to, 303)


def _add_reports(routes: Blueprint, box: Box, local_time: Callable[[int], str]) -> None:
    @routes.get("/shifts/reports/<shift_id>")
    def shift_report(shift_id: str) -> str:
        found = show_report(box, shift_id)
        return show(
            "shift_report",
            report=found,
            shift=found.shift,
            papers=box.store.read(lambda unit: unit.papers.of(shift_id)),
            printers=tuple(box.printers),
            denominations={one.key: one for one in DENOMINATIONS},
            local_time=local_time,
        )

    @routes.post("/shifts/reports/<shift_id>/print")
    def shift_print(shift_id: str) -> Response:
        print_report(box, shift_id, request.form.get("printer", ""))
        return redirect(f"/staff/shifts/reports/{shift_id}", 303)


def _add_day(routes: Blueprint, box: Box, list_page: Callable[[str], str]) -> None:
    @routes.post("/shifts/days/<day>/close")
    def shift_day_close(day: str) -> Response | tuple[str, int]:
        try:
            close_day(box, _asked_day(day), str(signed_in()))
        except (Invalid, Declined) as error:
            return list_page(str(error)), 409
        _log.warning("business day closed", day=day, by=signed_in())
        return redirect(f"/staff/shifts?day={day}", 303)

    @routes.post("/shifts/days/<day>/print")
    def shift_day_print(day: str) -> Response:
        print_day(box, _asked_day(day), request.form.get("printer", ""))
        return redirect(f"/staff/shifts?day={day}", 303)


def _open(box: Box, workstation: str, who: str) -> str:
    open_shift(box, workstation, who, _yuan("float", "0"))
    return ""


def _move(box: Box, workstation: str, who: str) -> str:
    try:
        kind = CashKind(request.form.get("kind", ""))
    except ValueError:
        raise Invalid("choose pay-in, pick-up or opening the drawer") from None
    amount_fen = 0 if kind is CashKind.NO_SALE else _yuan("amount", "")
    move_cash(box, workstation, kind, amount_fen, request.form.get("reason", ""), who)
    return ""


def _count(box: Box, workstation: str, who: str) -> str:
    begin_count(box, workstation)
    return ""


def _break_off(box: Box, workstation: str, who: str) -> str:
    break_off_count(box, workstation)
    return ""


def _counted(box: Box, workstation: str, who: str) -> str:
    pieces = {one.key: _pieces(request.form.get(one.key, "")) for one in DENOMINATIONS}
    shift = give_count(box, workstation, pieces, _yuan("loose", "0"), who)
    return shift.shift_id if shift.number else ""


def _close(box: Box, workstation: str, who: str) -> str:
    return close_shift(box, workstation, who, request.form.get("reason", "")).shift_id


#: What can be done at a workstation; each returns the shift's id when it was closed by it, else "".
_STEPS: dict[str, Callable[[Box, str, str], str]] = {
    "open": _open,
    "move": _move,
    "count": _count,
    "break-off": _break_off,
    "counted": _counted,
    "close": _close,
}


def _yuan(field: str, otherwise: str) -> int:
    return parse_yuan(request.form.get(field, "").strip() or otherwise)


def _pieces(text: str) -> int:
    clean = text.strip() or "0"
    if not (clean.isascii() and clean.isdigit() and len(clean) <= 6):
        raise Invalid(f"{text!r} is not a number of pieces")
    return int(clean)


def _asked_day(text: str) -> str:
    if text and _DAY.fullmatch(text) is None:
        raise Invalid(f"{text!r} is not a day; write it like 2026-11-22")
    return text


def _named(name: str, view: Callable[..., str]) -> Callable[..., str]:
    """Return the view under an endpoint's name of its own."""

    def run(**values: str) -> str:
        return view(**values)

    run.__name__ = name
    return run
