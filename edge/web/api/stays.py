"""Stays for the screens of kiosks and tills: found by plate, shown masked with their fee and why."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, jsonify, request

from edge.clock import local
from edge.parking.plate import mask_plate
from edge.parking.quote_words import explain, summary
from edge.services.box import Box
from edge.services.photo_ports import Photos
from edge.services.show_stay import StayShown, stays_of_plate
from edge.web.desk import LANGUAGES, WebSettings


def blueprint(box: Box, settings: WebSettings, photos: Photos | None = None) -> Blueprint:
    """Return GET /api/kiosk/<workstation>/stays?plate=...: that plate's stays inside, or what it owes.

    Each has a picture of its entry at .../stays/photo?plate=...&stay=..., where one was kept.
    """
    routes, zone = Blueprint("stays", __name__, url_prefix="/api/kiosk"), ZoneInfo(settings.zone)

    @routes.get("/<workstation>/stays")
    def stays(workstation: str) -> Response:
        if workstation not in box.workstations:
            abort(404, f"There is no workstation {workstation}.")
        found = stays_of_plate(box, request.args.get("plate", "")[:16])
        return jsonify([_row(one, zone) for one in found])

    @routes.get("/<workstation>/stays/photo")
    def photo(workstation: str) -> Response:
        found = stays_of_plate(box, request.args.get("plate", "")[:16])
        wanted = [one for one in found if one.session.session_id == request.args.get("stay", "")]
        jpeg = photos.fetch(wanted[0].photo) if photos is not None and wanted and wanted[0].photo else None
        if jpeg is None:
            abort(404, "There is no picture of this vehicle.")
        return Response(jpeg, mimetype="image/jpeg")

    return routes


def _row(one: StayShown, zone: ZoneInfo) -> dict[str, object]:
    row: dict[str, object] = {
        "id": one.session.session_id,
        "plate": mask_plate(one.session.plate),
        "entered": f"{local(one.session.entered_at, zone):%m-%d %H:%M}",
        "due_fen": one.due_fen,
        "debt_fen": sum(debt.amount_fen for debt in one.debts),
        "paying": one.attempt is not None,
        "photo": bool(one.photo),
    }
    for language in LANGUAGES:
        end = "" if language == LANGUAGES[0] else f"_{language}"
        quote = one.quote
        row[f"summary{end}"] = "" if quote is None else summary(quote, zone, language)
        row[f"lines{end}"] = [] if quote is None else list(explain(quote, zone, language))
    return row
