"""What the mall owes its tenants, by day, with everything that came to it."""

from __future__ import annotations

from flask import Blueprint, request
from flask import abort as refuse
from werkzeug.wrappers import Response

from edge.errors import Invalid
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.show_settlement import Settlement, read_settlement, settlement_csv
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, language, local_times, show

#: Splits and returns that are shown while they are on their way.
MAX_MOVING = 50


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)

    def overview(self) -> str:
        """Return the report of the days that were asked for, today's when none were."""
        report = self._read()
        splits, returns = self._box.store.read(
            lambda unit: (unit.splits.moving(MAX_MOVING), unit.splits.moving_returns(MAX_MOVING))
        )
        return show(
            "settlement",
            report=report,
            splits=splits,
            returns=returns,
            english=language() == "en",
            tenant=self._box.tenant,
            local_time=self._local_time,
        )

    def download(self) -> Response:
        """Return the report as CSV."""
        report = self._read()
        name = f"settlement-{report.first_day}-{report.last_day}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(settlement_csv(report), mimetype="text/csv", headers=headers)

    def _read(self) -> Settlement:
        today = business_day(self._box, self._box.clock.now())
        last = request.args.get("last_day") or today
        first = request.args.get("first_day") or last
        try:
            return self._box.store.read(lambda unit: read_settlement(unit, self._box, first, last))
        except Invalid as error:
            refuse(400, str(error))


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/settlement, which a box without tenants has not got."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/settlement", endpoint="settlement")(pages.overview)
        routes.get("/settlement.csv", endpoint="settlement_csv")(pages.download)

    def links() -> list[Link]:
        return [Link("/staff/settlement", "settlement_tab")] if box.tenants else []

    return StaffPage(add, links)
