"""Parking validations: by day, plate or receipt, to take back; coupons; what merchants owe for a month."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

import segno
import structlog
from flask import Blueprint, Response, redirect, request, url_for
from flask import abort as refuse
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import EdgeError, Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.validation import MAX_REASON, Grant
from edge.parking.validation_words import said
from edge.services.box import Box
from edge.services.business_day import business_day
from edge.services.grant_validation import (
    MAX_COUPONS,
    coupon_address,
    coupon_text,
    issue_coupons,
    revoke_validation,
)
from edge.services.show_validations import (
    SettlementReport,
    find_validations,
    merchant_names,
    settlement,
    settlement_csv,
)
from edge.services.validation_records import ParkingCoupon
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Validations that one page lists, and merchants that the plot shows.
MOST_SHOWN = 200
MOST_BARS = 12

#: A page again with what was wrong, or the way to it.
Answer = AnyResponse | tuple[str, int]

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

_log = structlog.get_logger("staff")


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the pages /staff/validations and /staff/validations/report; no entry without parking."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.get("/validations", endpoint="validations")(pages.overview)
        routes.post("/validations/<validation_id>/revoke", endpoint="revoke_validation")(pages.revoke)
        routes.post("/validations/coupons", endpoint="parking_coupons")(pages.coupons)
        routes.get("/validations/report", endpoint="validation_report")(pages.report)
        routes.get("/validations/report.csv", endpoint="validation_csv")(pages.download)

    def links() -> Sequence[Link]:
        parking = box.parking
        there = parking.validation.rules or parking.facility.lanes
        return [Link("/staff/validations", "validations_tab")] if there else []

    return StaffPage(add, links)


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)

    def overview(self, problem: str = "") -> str:
        """Return the list of a day, what a search finds, and the forms."""
        today = business_day(self._box, self._box.clock.now())
        asked, text = request.values.get("day", ""), request.values.get("text", "")[:64]
        day = asked if _DAY.fullmatch(asked) else today
        return show(
            "validations",
            day=day,
            text=text,
            rows=find_validations(self._box, text, day, MOST_SHOWN),
            totals=self._box.store.read(lambda unit: unit.validations.totals(day, day)),
            names=self._box.store.read(merchant_names),
            coupons=[
                (one, coupon_text(one), _qr(coupon_address(self._box, one))) for one in self._given_out()
            ],
            month=day[:7],
            problem=problem,
            most=MOST_SHOWN,
            most_reason=MAX_REASON,
            said=said,
            local_time=self._local_time,
        )

    def revoke(self, validation_id: str) -> Answer:
        """Take one back with the reason given."""
        by, reason = str(signed_in()), request.form.get("reason", "")
        try:
            revoke_validation(self._box, validation_id, by, reason)
        except EdgeError as refusal:
            return self.overview(str(refusal)), 400
        _log.warning("validation revoked", validation=validation_id, by=by, reason=reason)
        return redirect(url_for("staff.validations", day=request.form.get("day", "")), 303)

    def coupons(self) -> Answer:
        """Give out coupons of a merchant, within its quota."""
        by = str(signed_in())
        try:
            merchant = request.form.get("merchant", "")[:32]
            if merchant not in self._box.store.read(merchant_names):
                raise Invalid("choose the merchant that bears it")
            minutes = _number("minutes")
            grant = Grant(
                BenefitKind.MINUTES, minutes, label=f"停车券 {minutes} 分钟", label_en=f"{minutes} min coupon"
            )
            made = issue_coupons(self._box, merchant, grant, _number("valid_h"), _number("count"), by)
        except EdgeError as refusal:
            return self.overview(str(refusal)), 400
        _log.warning("parking coupons", merchant=merchant, count=len(made), minutes=minutes, by=by)
        # By an address of its own, so that looking at the codes again gives out no others.
        return redirect(url_for("staff.validations", merchant=merchant, issued=made[0].issued_at), 303)

    def report(self) -> str:
        """Return what merchants owe for a month."""
        report = self._report()
        return show("validation_report", report=report, bars=_bars(report))

    def download(self) -> Response:
        """Return the same as CSV."""
        report = self._report()
        name = f"parking-{report.month}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(settlement_csv(report), mimetype="text/csv", headers=headers)

    def _given_out(self) -> list[ParkingCoupon]:
        """Return the coupons that were given out at the moment that the address names."""
        merchant, issued = request.args.get("merchant", ""), request.args.get("issued", "")
        if not merchant:
            return []
        found = self._box.store.read(lambda unit: unit.validations.coupons(merchant[:32], MAX_COUPONS))
        return [one for one in found if str(one.issued_at) == issued]

    def _report(self) -> SettlementReport:
        today = business_day(self._box, self._box.clock.now())
        try:
            return settlement(self._box, request.args.get("month", "") or today[:7])
        except Invalid as error:
            refuse(400, str(error))


def _number(name: str) -> int:
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid(f"{name} must be a whole number")
    return int(text)


def _qr(text: str) -> str:
    svg = io.BytesIO()
    code = segno.make(text, error="m", micro=False)
    code.save(svg, kind="svg", xmldecl=False, omitsize=True, border=2, svgclass=None, lineclass=None)
    return svg.getvalue().decode()


def _bars(report: SettlementReport) -> list[tuple[str, float, int]]:
    """Return (merchant, percent of the longest bar, fen) of those who gave most, the most first."""
    rows = sorted(report.totals, key=lambda one: (-one.forgone_fen, one.merchant))[:MOST_BARS]
    top = max((one.forgone_fen for one in rows), default=0) or 1
    return [(one.merchant, round(100 * one.forgone_fen / top, 1), one.forgone_fen) for one in rows]
