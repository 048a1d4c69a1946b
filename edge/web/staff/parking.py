"""The car park's page: how full it was by the hour, what it took, a recount, and where a car is."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from edge.errors import Declined, Invalid
from edge.parking.quote_words import summary
from edge.services.box import Box
from edge.services.passage_records import CorrectionReason
from edge.services.records import Unit
from edge.services.recount import MAX_DELTA, correct_count, recount
from edge.services.show_parking import find_cars, show_parking
from edge.services.work_items import MAX_REASON
from edge.services.work_records import LANE_WORK, WorkItem
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, language, local_times, show, signed_in
from edge.web.staff.parking_plot import labels, plot_income, plot_occupancy
from edge.web.staff.payments import facts_of

#: What waits at lanes, listed at most for each kind; and what was closed last.
MOST_WORK = 50
MOST_CLOSED = 200

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages under /staff/parking; without lanes the box has none."""
    local_time, zone = local_times(settings), ZoneInfo(settings.zone)

    def parking_page(error: str = "") -> str:
        words = request.args.get("plate", "")
        try:
            view = show_parking(box, request.args.get("day", ""))
        except Invalid as problem:
            view, error = show_parking(box), str(problem)
        return show(
            "parking",
            view=view,
            plots=[
                plot_occupancy(one.hours, one.count.zone.spaces, one.count.corrected) for one in view.zones
            ],
            income=plot_income(view.takings),
            labels=labels(box.rules.day_starts_h),
            cars=find_cars(box, words),
            words=words,
            summary=lambda quote: summary(quote, zone, language()),
            reasons=tuple(one for one in CorrectionReason if one is not CorrectionReason.RECOUNT),
            most=MAX_DELTA,
            work=[(item, facts_of(item)) for item in box.store.read(_lane_work)],
            closed=[(item, facts_of(item)) for item in box.store.read(_closed_work)],
            most_reason=MAX_REASON,
            error=error,
            address=f"/staff/parking?day={view.day}&plate={quote(words)}",
            local_time=local_time,
        )

    def add(routes: Blueprint) -> None:
        @routes.get("/parking")
        def parking() -> str:
            return parking_page()

        @routes.post("/parking/<zone>/recount")
        def parking_recount(zone: str) -> Response | tuple[str, int]:
            return _do(lambda: _recount(box, zone), parking_page)

        @routes.post("/parking/<zone>/correct")
        def parking_correct(zone: str) -> Response | tuple[str, int]:
            return _do(lambda: _correct(box, zone), parking_page)

    return StaffPage(add, lambda: _links(box))


def _links(box: Box) -> list[Link]:
    if not box.parking.facility.lanes:
        return []
    waiting = box.store.read(lambda unit: sum(unit.work_items.count_open(kind) for kind in LANE_WORK))
    return [Link("/staff/parking", "parking", f" ({waiting})" if waiting else "")]


def _lane_work(unit: Unit) -> list[WorkItem]:
    return [item for kind in LANE_WORK for item in unit.work_items.open(MOST_WORK, kind)]


def _closed_work(unit: Unit) -> list[WorkItem]:
    return [item for item in unit.work_items.closed(MOST_CLOSED) if item.kind in LANE_WORK][:20]


def _do(act: Callable[[], None], parking_page: Callable[[str], str]) -> Response | tuple[str, int]:
    try:
        act()
    except (Invalid, Declined) as error:
        return parking_page(str(error)), 400
    return redirect("/staff/parking", 303)


def _recount(box: Box, zone: str) -> None:
    counted = _whole(request.form.get("counted", ""))
    recount(box, zone, counted, signed_in(), request.form.get("note", ""))
    _log.info("recounted", zone=zone, counted=counted, by=signed_in())


def _correct(box: Box, zone: str) -> None:
    delta = _whole(request.form.get("delta", ""))
    try:
        reason = CorrectionReason(request.form.get("reason", ""))
    except ValueError:
        raise Invalid("choose why the count is corrected") from None
    correct_count(box, zone, delta, reason, signed_in(), request.form.get("note", ""))
    _log.info("corrected", zone=zone, delta=delta, reason=reason, by=signed_in())


def _whole(text: str) -> int:
    words = text.strip()
    if not words.lstrip("+-").isdecimal() or not words.isascii() or len(words) > 6:
        raise Invalid(f"{text!r} is no number of vehicles; write it like 120 or -2")
    return int(words)
