"""The desk for payments in doubt and for everything else about money that waits for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import structlog
from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError, Invalid
from edge.services.box import Box
from edge.services.payment_desk import Choice, ask_now, give_back, open_payments, past_doubts
from edge.services.records import Unit
from edge.services.work_items import MAX_REASON, close_work
from edge.services.work_records import LANE_WORK, WorkItem, WorkKind
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Work items that one page lists.
MOST_SHOWN = 100

#: Work that stands on a page of its own: the bills' and the car park's.
_ELSEWHERE = (WorkKind.BILL_DIFFERENCE, *LANE_WORK)

#: Where somebody comes back to who closed an item there.
_LISTED = {"bills": "staff.bills", "parking": "staff.parking"}

_log = structlog.get_logger("staff")


class _Pages:
    """What the routes below do; one for each blueprint."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)

    def desk(self, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return the desk."""
        wanted = [kind for kind in WorkKind if kind not in _ELSEWHERE]
        work = [
            item
            for kind in wanted
            for item in self._box.store.read(lambda unit, of=kind: unit.work_items.open(MOST_SHOWN, of))  # type: ignore[misc]
        ]
        page = show(
            "payments",
            payments=open_payments(self._box),
            past=past_doubts(self._box),
            work=[(item, facts_of(item)) for item in work],
            closed=self._closed(),
            most_reason=MAX_REASON,
            error=error,
            local_time=self._local_time,
        )
        return page, status

    def act(self, attempt_id: str) -> Response | tuple[str, int]:
        """Do what was chosen for a payment."""
        choice, by = request.form.get("choice", ""), str(signed_in())

        def step() -> None:
            if choice == Choice.ASK_NOW:
                ask_now(self._box, attempt_id, by)
            elif choice == Choice.GIVE_BACK:
                give_back(self._box, attempt_id, by, request.form.get("reason", ""))
            else:
                raise Invalid(f"{choice!r} is no choice; ask now or give back")
            _log.warning("payment desk", attempt=attempt_id, choice=choice, by=by)

        return self._then(step, "staff.payments")

    def close(self, item_id: str) -> Response | tuple[str, int]:
        """Close a work item with the reason given, and go back to where it was listed."""
        by, reason = str(signed_in()), request.form.get("reason", "")

        def step() -> None:
            item = close_work(self._box, item_id, by, reason)
            _log.warning("work closed", kind=item.kind.value, reference=item.reference, by=by, reason=reason)

        back = request.form.get("back", "")
        return self._then(step, _LISTED.get(back, "staff.payments"))

    def _closed(self) -> list[tuple[WorkItem, Mapping[str, object]]]:
        items = self._box.store.read(lambda unit: unit.work_items.closed(20))
        return [(item, facts_of(item)) for item in items if item.kind not in LANE_WORK]

    def _then(self, step: Callable[[], None], where: str) -> Response | tuple[str, int]:
        try:
            step()
        except EdgeError as refusal:
            return self.desk(str(refusal), 400)
        day = request.form.get("day", "")
        return redirect(url_for(where, day=day) if day else url_for(where), 303)


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/payments."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/payments", endpoint="payments")(pages.desk)
        routes.post("/payments/<attempt_id>", endpoint="payment_choice")(pages.act)
        routes.post("/items/<item_id>/close", endpoint="close_work")(pages.close)

    def links() -> list[Link]:
        waiting = box.store.read(_waiting)
        return [Link("/staff/payments", "payments_tab", f" ({waiting})" if waiting else "")]

    return StaffPage(add, links)


def _waiting(unit: Unit) -> int:
    others = unit.work_items.count_open() - sum(unit.work_items.count_open(kind) for kind in _ELSEWHERE)
    return others + len(unit.attempts.open(MOST_SHOWN))


def facts_of(item: WorkItem) -> Mapping[str, object]:
    """Return what a page fills its sentence about a work item with."""
    facts: dict[str, object] = json.loads(item.facts)
    return facts | {"language": g.language}
