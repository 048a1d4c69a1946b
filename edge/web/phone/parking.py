"""The driver's page: find a stay by plate, ticket or lane, see what it costs and why, and pay it by phone.

It works without a script and through HQ's relay: forms post back here, and a page that waits for money loads
itself again. A lane's page shows the vehicle that waits there, and no other; for one without a readable plate
it gives the ticket at an entry and takes it at an exit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.errors import Declined, Invalid, OutcomeUnknown, Unavailable
from edge.parking.facility import LaneWay
from edge.parking.plate import mask_plate, normalise
from edge.parking.quote_words import explain, summary
from edge.services.box import Box
from edge.services.lane_ticket import wants_ticket
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.show_stay import StayShown, stay_at_lane, stay_of_ticket, stays_of_plate
from edge.web.desk import LANGUAGES, WebSettings
from edge.web.phone.parking_ticket import PROBLEMS, TicketPages, asked_language, kept_ticket
from edge.web.phone.plate_limit import CALLED, PlateLimit
from edge.web.phone.qr_picture import qr_picture
from edge.web.texts import load_texts

#: How often a page that waits for money loads itself again, in seconds.
REFRESH_S = 3

_MAX_WORD = 64


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/parking."""
    tickets = TicketPages(box, settings)
    pages, routes = _Pages(box, settings, tickets), Blueprint("driver", __name__, url_prefix="/phone")
    routes.add_url_rule("/parking", view_func=pages.by_plate)
    routes.add_url_rule("/parking/lane/<lane>", view_func=pages.by_lane)
    routes.add_url_rule("/parking/lane/<lane>/code.svg", view_func=pages.lane_code)
    routes.add_url_rule("/parking/lane/<lane>/ticket", view_func=tickets.take, methods=["POST"])
    routes.add_url_rule("/parking/lane/<lane>/show", view_func=tickets.show, methods=["POST"])
    routes.add_url_rule("/parking/<ticket>/ticket.svg", view_func=tickets.picture)
    routes.add_url_rule("/parking/code.svg", view_func=pages.code)
    routes.add_url_rule("/parking/<ticket>", view_func=pages.by_ticket)
    routes.add_url_rule("/p/<ticket>", view_func=pages.by_ticket)
    routes.add_url_rule("/parking/pay", view_func=pages.pay, methods=["POST"])
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings, tickets: TicketPages) -> None:
        self._box = box
        self._settings = settings
        self._tickets = tickets
        self._limit = PlateLimit(lambda: box.clock.now().boottime_ns)
        self._zone = ZoneInfo(settings.zone)

    def by_plate(self) -> AnyResponse:
        """Show the stays of a plate, or ask for one."""
        plate = request.args.get("plate", "")[:_MAX_WORD]
        if not plate:
            return self._page((), "plate", "")
        wait_s = self._limit.wait_s(_client(), normalise(plate))
        if wait_s:
            return self._too_often(plate, wait_s)
        try:
            found = stays_of_plate(self._box, plate)
        except Invalid:
            self._limit.count(_client(), normalise(plate))
            return self._page((), "plate", plate, "parking_no_plate", 400)
        if all(one.attempt is None for one in found):
            # A page that waits for money loads itself again, and is no look-up.
            self._limit.count(_client(), normalise(plate))
        if not found:
            return self._page((), "plate", plate, "parking_not_found", 404)
        return self._page(found, "plate", plate)

    def by_lane(self, lane: str) -> AnyResponse:
        """Show the vehicle that waits at an exit, or what an entry offers one without a plate."""
        known = self._box.parking.facility.lane(lane)
        if known is not None and known.way is LaneWay.ENTRY:
            return self._tickets.entry(lane, asked_language(), _other(asked_language(), "lane", lane))
        try:
            found = _some(stay_at_lane(self._box, lane[:_MAX_WORD]))
        except Invalid as error:
            abort(404, str(error))
        if wants_ticket(self._box, lane):
            return self._page((), "lane", lane, asked=request.args.get("problem", ""), wants_ticket=True)
        return self._page(found, "lane", lane, "" if found else "parking_lane_empty")

    def by_ticket(self, ticket: str) -> AnyResponse:
        """Show the stay of a ticket."""
        found = _some(stay_of_ticket(self._box, ticket[:_MAX_WORD]))
        if not found:
            return self._page((), "ticket", ticket, "parking_no_ticket", 404)
        return self._page(found, "ticket", ticket)

    def pay(self) -> AnyResponse:
        """Begin to pay one of the stays that this page showed."""
        by, word = _asked(request.form)
        found = _FINDERS[by](self._box, word)
        wanted = [one.session.session_id for one in found]
        stay = request.form.get("stay", "")
        if stay not in wanted:
            return self._page((), by, word, "parking_gone", 409)
        try:
            begin_phone_payment(self._box, stay)
        except Declined:
            return self._page(_FINDERS[by](self._box, word), by, word, "parking_busy", 409)
        except (Unavailable, OutcomeUnknown):
            return self._page(_FINDERS[by](self._box, word), by, word, "parking_no_gateway", 503)
        return redirect(request.script_root + _address(by, word, asked_language()), 303)

    def code(self) -> Response:
        """Show what the phone opens to pay as a QR code."""
        by, word = _asked(request.args)
        url = next((one.pay_url for one in _FINDERS[by](self._box, word) if one.pay_url), "")
        if not url:
            abort(404, "Nothing waits to be paid here any more.")
        return qr_picture(url)

    def lane_code(self, lane: str) -> Response:
        """Show the fixed code of a lane, to be printed and put up there."""
        public, known = self._box.rules.public_url, self._box.parking.facility.lane(lane)
        if not public or known is None:
            abort(404, "This box has no public address (public_url), or no such lane.")
        return qr_picture(f"{public.rstrip('/')}/phone/parking/lane/{quote(lane, safe='')}")

    def _too_often(self, plate: str, wait_s: int) -> AnyResponse:
        answer = self._page((), "plate", plate, "parking_too_often", 429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer

    def _page(
        self,
        found: tuple[StayShown, ...],
        by: str,
        word: str,
        problem: str = "",
        status: int = 200,
        *,
        asked: str = "",
        wants_ticket: bool = False,
    ) -> AnyResponse:
        language = asked_language()
        ticket = next((one.session.ticket for one in found if by == "ticket" and one.quote is not None), "")
        html = render_template(
            "parking.html",
            stays=[_row(one, language, self._zone, masked=by == "lane") for one in found],
            by=by,
            word=word,
            problem=problem or (asked if asked in PROBLEMS else ""),
            wants_ticket=wants_ticket,
            kept=kept_ticket() if wants_ticket else "",
            ticket=ticket,
            ticket_picture=bool(ticket and self._box.rules.public_url),
            goes=bool(ticket) and request.args.get("said") == "goes",
            texts=load_texts(language),
            language=language,
            other=_other(language, by, word),
            settings=self._settings,
            refresh_s=REFRESH_S if any(one.attempt is not None for one in found) else 0,
            pays=bool(self._box.prepayers),
        )
        return Response(html, status=status)


def _asked(given: Mapping[str, str]) -> tuple[str, str]:
    """Return by what a stay is looked for, and the word; raise Invalid for anything else."""
    by, word = given.get("by", ""), given.get("word", "")[:_MAX_WORD]
    if by not in _FINDERS:
        raise Invalid("by must be plate, ticket or lane")
    return by, word


def _client() -> str:
    """Return who asks: the phone's address, through HQ's relay what HQ makes of it."""
    called = str(request.environ.get("mall.relay_caller") or "")
    return f"{CALLED}{called}" if called else request.remote_addr or ""


def _some(found: StayShown | None) -> tuple[StayShown, ...]:
    return () if found is None else (found,)


_FINDERS: dict[str, Callable[[Box, str], tuple[StayShown, ...]]] = {
    "plate": stays_of_plate,
    "ticket": lambda box, word: _some(stay_of_ticket(box, word)),
    "lane": lambda box, word: _some(stay_at_lane(box, word)),
}


def _address(by: str, word: str, language: str) -> str:
    asked = {"language": language}
    if by == "plate":
        return f"/phone/parking?{urlencode({'plate': word, **asked} if word else asked)}"
    if by == "lane":
        return f"/phone/parking/lane/{quote(word, safe='')}?{urlencode(asked)}"
    return f"/phone/parking/{quote(word, safe='')}?{urlencode(asked)}"


def _row(one: StayShown, language: str, zone: ZoneInfo, *, masked: bool) -> dict[str, object]:
    """Return what the template shows of a stay; strangers at a lane see the plate masked."""
    session, price = one.session, one.quote
    leave_by = price.allowed_exit_at if price is not None and not price.due_fen else None
    return {
        "id": session.session_id,
        "plate": mask_plate(session.plate) if masked else session.plate,
        "entered": f"{local(session.entered_at, zone):%m-%d %H:%M}",
        "inside": price is not None,
        "summary": summary(price, zone, language) if price is not None else "",
        "lines": explain(price, zone, language, doubts=False) if price is not None else (),
        "fee_fen": price.due_fen if price is not None else 0,
        "due_fen": one.due_fen,
        "paid_fen": one.paid_fen,
        "leave_by": f"{local(leave_by, zone):%H:%M}" if leave_by is not None and one.paid_fen else "",
        "debts": [
            {"day": f"{local(debt.recorded_at, zone):%Y-%m-%d}", "amount_fen": debt.amount_fen}
            for debt in one.debts
        ],
        "paying": one.attempt is not None,
        "pay_url": one.pay_url,
    }


def _other(language: str, by: str, word: str) -> str:
    """Return this page's address in the other language."""
    other = next(one for one in LANGUAGES if one != language)
    return request.script_root + _address(by, word, other)
