"""The guides' page: whom to get in touch with and why, what each has earned, why sales are credited so."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, redirect, request, url_for
from flask import abort as refuse
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import EdgeError, Invalid
from edge.members.guide_task import MAX_NOTE, MAX_SNOOZE_DAYS, GuideTask
from edge.services.attribute_sale import explain_sale, touch_name
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.guide_tasks import finish, snooze
from edge.services.identify_member import member_view
from edge.services.journey_records import FunnelFilter
from edge.services.records import Unit
from edge.services.show_funnel import check_filter, commission_csv, days_before
from edge.services.touch_rules import TouchRules
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, language, local_times, show, signed_in

#: Tasks and sales that one page lists, and days of commission that it begins with.
MOST_TASKS = 200
MOST_SALES = 50

#: Sales that are looked through for them: a parking fee is one as well, of no goods, and nobody is credited.
SALES_LOOKED = 400
MOST_ENDED = 20
DAYS = 7

#: How long ended tasks are shown, in milliseconds.
ENDED_MS = 2 * 86_400_000

#: A page again with what was wrong, or the way to it.
Answer = AnyResponse | tuple[str, int]

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages under /staff/guides; none on a box without touch rules."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/guides", endpoint="guides")(pages.overview)
        routes.get("/guides/commission.csv", endpoint="guides_csv")(pages.download)
        routes.post("/guides/tasks/<task_id>/done", endpoint="guide_task_done")(pages.done)
        routes.post("/guides/tasks/<task_id>/snooze", endpoint="guide_task_snooze")(pages.snooze)

    links = (Link("/staff/guides", "guides_tab"),) if box.touch else ()
    return StaffPage(add, lambda: links)


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)

    def overview(self, problem: str = "") -> str:
        """Return tasks, commission and the latest credited sales."""
        rules, days, guide = self._rules(), self._days(), request.values.get("guide", "")
        now = self._box.clock.now()
        tasks, ended, whom = self._box.store.read(lambda unit: self._tasks(unit, guide, now.wall_at))
        totals = self._box.store.read(lambda unit: unit.credits.totals(days.first_day, days.last_day))
        sales = self._box.store.read(
            lambda unit: unit.credits.of_days(days.first_day, days.last_day, SALES_LOOKED)
        )
        credited = [one for one in sales if one.amount_fen]
        return show(
            "guides",
            days=days,
            guide=guide,
            guides=rules.book.guides,
            tasks=tasks,
            ended=ended,
            whom=whom,
            totals=[one for one in totals if guide in ("", one.guide)],
            sales=[(one, explain_sale(rules, one, language())) for one in credited[:MOST_SALES]],
            named=lambda value: touch_name(rules, value, language()),
            now=now.wall_at,
            problem=problem,
            most_note=MAX_NOTE,
            most_days=MAX_SNOOZE_DAYS,
            local_time=self._local_time,
        )

    def download(self) -> Response:
        """Return commission by guide and day as CSV."""
        self._rules()
        days = self._days()
        totals = self._box.store.read(lambda unit: unit.credits.totals(days.first_day, days.last_day))
        name = f"commission-{days.first_day}-{days.last_day}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(commission_csv(totals), mimetype="text/csv", headers=headers)

    def done(self, task_id: str) -> Answer:
        """Note that a task was done."""
        by = str(signed_in())
        try:
            task = finish(self._box, task_id, by, request.form.get("note", ""))
        except EdgeError as error:
            return self.overview(str(error)), 400
        _log.info("guide's task done", task=task.task_id, kind=task.kind.value, by=by)
        return self._back()

    def snooze(self, task_id: str) -> Answer:
        """Put a task off."""
        days = request.form.get("days", "")
        try:
            if not (days.isascii() and days.isdigit() and len(days) <= 3):
                raise Invalid(f"{days[:8]!r} is no number of days")
            task = snooze(self._box, task_id, int(days))
        except EdgeError as error:
            return self.overview(str(error)), 400
        _log.info("guide's task put off", task=task.task_id, days=days, by=str(signed_in()))
        return self._back()

    def _back(self) -> AnyResponse:
        return redirect(url_for("staff.guides", guide=request.form.get("guide") or None), 303)

    def _tasks(
        self, unit: Unit, guide: str, at: int
    ) -> tuple[list[GuideTask], list[GuideTask], dict[str, str]]:
        tasks = [one for one in unit.guide_tasks.waiting(MOST_TASKS) if guide in ("", one.guide)]
        ended = [
            one
            for one in unit.guide_tasks.closed_since(at - ENDED_MS, MOST_ENDED)
            if guide in ("", one.guide)
        ]
        whom = {one.member_id: _shown_member(unit, one.member_id) for one in (*tasks, *ended)}
        return tasks, ended, whom

    def _rules(self) -> TouchRules:
        if self._box.touch is None:
            refuse(404, "This box records no shoppers' ways.")
        return self._box.touch

    def _days(self) -> FunnelFilter:
        today = business_day(self._box, self._box.clock.now())
        try:
            last = request.values.get("last_day") or today
            days = FunnelFilter(request.values.get("first_day") or days_before(last, DAYS - 1), last)
            check_filter(days)
        except Invalid as error:
            refuse(400, str(error))
        return days


def _shown_member(unit: Unit, member_id: str) -> str:
    """Return a member in as few words as a guide needs: the masked phone, else the id's end."""
    view = member_view(unit, member_id)
    phone = str(view["phone"] or "") if view else ""
    return phone or f"…{member_id[-6:]}"
