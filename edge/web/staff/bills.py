"""The gateways' bills against the books: what each comparison found, and the differences to close."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import structlog
from flask import Blueprint, request
from flask import abort as refuse

from edge.services.box import Box
from edge.services.reconcile import open_differences
from edge.services.work_items import MAX_REASON
from edge.services.work_records import WorkKind
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in
from edge.web.staff.payments import facts_of

#: Bills and differences that one page lists.
MOST_BILLS = 60
MOST_DIFFERENCES = 200

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings, compare: Callable[[date], None]) -> StaffPage:
    """Return the page /staff/bills. compare: has the bills of a day compared again, soon."""
    local_time = local_times(settings)

    def overview(asked: bool = False) -> str:
        day = request.values.get("day", "")
        wanted = day if _DAY.fullmatch(day) else ""
        items = box.store.read(
            lambda unit: unit.work_items.open(MOST_DIFFERENCES, WorkKind.BILL_DIFFERENCE, wanted)
        )
        return show(
            "bills",
            days=box.store.read(lambda unit: unit.bills.days(MOST_BILLS)),
            day=wanted,
            items=[(item, facts_of(item)) for item in items],
            asked=asked,
            most_reason=MAX_REASON,
            local_time=local_time,
        )

    def again() -> str:
        try:
            day = date.fromisoformat(request.form.get("day", ""))
        except ValueError:
            refuse(400, "Give the day as 2026-11-21.")
        compare(day)
        _log.warning("bills are compared again", day=day.isoformat(), by=signed_in())
        return overview(asked=True)

    def add(routes: Blueprint) -> None:
        routes.get("/bills", endpoint="bills")(overview)
        routes.post("/bills", endpoint="compare_bills")(again)

    def links() -> list[Link]:
        different = open_differences(box)
        return [Link("/staff/bills", "bills_tab", f" ({different})" if different else "")]

    return StaffPage(add, links)
