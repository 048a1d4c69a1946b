"""Fees that vehicles left without paying: who owes what, collected at a till, written off with a reason."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Declined, EdgeError
from edge.parking.debt import MAX_REASON, DebtState
from edge.services.box import Box, WorkstationKind
from edge.services.charge_stay import charge_stay
from edge.services.record_debt import recent_debts, write_off_debt
from edge.services.staff import StaffBook
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Debts that are over and still shown.
OVER_SHOWN = 50

_log = structlog.get_logger("staff")


class _Pages:
    def __init__(self, box: Box, staff: StaffBook, settings: WebSettings) -> None:
        self._box = box
        self._staff = staff
        self._local_time = local_times(settings)

    def desk(self, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return the list."""
        over = [one for one in recent_debts(self._box) if one.state is not DebtState.OPEN]
        page = show(
            "debts",
            debts=recent_debts(self._box, DebtState.OPEN),
            over=over[:OVER_SHOWN],
            owed_fen=self._box.store.read(lambda unit: unit.debts.owed_fen()),
            tills=[name for name, one in self._box.workstations.items() if one.kind is WorkstationKind.TILL],
            most_reason=MAX_REASON,
            error=error,
            local_time=self._local_time,
        )
        return page, status

    def collect(self, session_id: str) -> Response | tuple[str, int]:
        """Put a debt on a till's screen."""
        till = request.form.get("till", "")
        return self._then(lambda: charge_stay(self._box, session_id, till))

    def write_off(self, debt_id: str) -> Response | tuple[str, int]:
        """Let a debt be, with a supervisor's PIN."""

        def step() -> None:
            member = self._staff.check(request.form.get("pin", "")[:32])
            if member is None:
                raise Declined("this PIN is not known; after five wrong ones wait a minute")
            closed = write_off_debt(self._box, debt_id, member, request.form.get("reason", ""))
            _log.warning(
                "debt written off", debt=debt_id, by=member.name, asked_by=signed_in(), why=closed.reason
            )

        return self._then(step)

    def _then(self, step: Callable[[], object]) -> Response | tuple[str, int]:
        try:
            step()
        except EdgeError as refusal:
            return self.desk(str(refusal), 400)
        return redirect(url_for("staff.debts"), 303)


def page(box: Box, staff: StaffBook, settings: WebSettings) -> StaffPage:
    """Return the page /staff/debts, which a box without a car park has not got."""
    pages = _Pages(box, staff, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/debts", endpoint="debts")(pages.desk)
        routes.post("/debts/<debt_id>/write-off", endpoint="write_off_debt")(pages.write_off)
        routes.post("/debts/of/<session_id>/collect", endpoint="collect_debt")(pages.collect)

    def links() -> list[Link]:
        if not box.parking.facility.lanes:
            return []
        waiting = len(recent_debts(box, DebtState.OPEN))
        return [Link("/staff/debts", "debts_tab", f" ({waiting})" if waiting else "")]

    return StaffPage(add, links)
