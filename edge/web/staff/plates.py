"""Plates of cars inside: find one that was misread, put its plate or entry time right, see who did so."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError, Invalid
from edge.parking.observation import PlateRead
from edge.parking.plate import normalise
from edge.services.box import Box
from edge.services.correct_plate import MAX_REASON, correct_session
from edge.services.find_session import find_session
from edge.services.records import Unit
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, local_times, show, signed_in

#: Corrections and blocks that one page lists.
MOST_SHOWN = 50

_log = structlog.get_logger("staff")


class _Pages:
    """What the routes below do; one for each blueprint."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._local_time = local_times(settings)
        self._zone = ZoneInfo(settings.zone)

    def overview(self, error: str = "", status: int = 200) -> tuple[str, int]:
        """Return cars inside whose plates are near what was typed, the latest corrections, and blocks."""
        text = request.values.get("text", "").strip()[:20]
        plate, now = normalise(text), self._box.clock.now().wall_at

        def query(unit: Unit) -> dict[str, object]:
            read = PlateRead("", "", "", "", plate, now, now)
            return {
                "ranking": find_session(unit, self._box, read, now) if plate else None,
                "corrections": unit.plates.corrections(MOST_SHOWN),
                "blocks": [one for one in unit.plates.blocks(MOST_SHOWN) if one.until_at > now],
            }

        page = show(
            "plates",
            **self._box.store.read(query),
            text=text,
            error=error,
            done=bool(request.args.get("done")),
            most_reason=MAX_REASON,
            local_time=self._local_time,
            entered=self._entered,
        )
        return page, status

    def correct(self) -> Response | tuple[str, int]:
        """Put the plate, the entry time or both of a stay right."""
        values = request.form
        session_id, was = values.get("session", ""), values.get("was", "")
        plate = values.get("plate", "").strip()
        try:
            moment = self._moment(values.get("entered", ""), values.get("entered_was", ""))
            named = None if not plate or normalise(plate) == was else plate
            correct_session(self._box, session_id, signed_in(), values.get("reason", ""), named, moment)
        except EdgeError as refusal:
            return self.overview(str(refusal), 400)
        _log.warning("stay corrected", session_id=session_id, by=signed_in())
        return redirect(url_for("staff.plates", text=plate or was, done=1), 303)

    def _entered(self, at: int) -> str:
        return f"{datetime.fromtimestamp(at / 1000, self._zone):%Y-%m-%dT%H:%M}"

    def _moment(self, text: str, before: str) -> int | None:
        if not text or text == before:
            return None
        try:
            return int(datetime.fromisoformat(text).replace(tzinfo=self._zone).timestamp()) * 1000
        except ValueError:
            raise Invalid("give the entry's day and time, such as 2026-11-22 18:00") from None


def page(box: Box, settings: WebSettings) -> StaffPage:
    """Return the page /staff/plates."""
    pages = _Pages(box, settings)

    def add(routes: Blueprint) -> None:
        routes.add_url_rule("/plates", "plates", pages.overview)
        routes.add_url_rule("/plates", "correct_plate", pages.correct, methods=["POST"])

    return StaffPage(add, lambda: [Link("/staff/plates", "plates_tab")])
