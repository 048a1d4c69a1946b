"""The ticket of a vehicle without a readable plate: taken behind an entry's code, kept, shown at an exit.

The phone keeps the ticket in a cookie; the ticket's page, bookmarked or photographed, does as well.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from edge.codes.house import LINK_LETTERS, HouseKind
from edge.errors import Declined, Invalid
from edge.services.box import Box
from edge.services.lane_ticket import OfferState, offer_ticket, show_ticket, take_ticket
from edge.services.show_stay import stay_of_ticket
from edge.web.desk import LANGUAGES, WebSettings
from edge.web.phone.qr_picture import qr_picture
from edge.web.texts import load_texts

#: The cookies: the ticket that this phone has, and the secret by which it is known again; kept so long.
TICKET_COOKIE, PHONE_COOKIE = "parking_ticket", "parking_phone"
KEEP_S = 7 * 24 * 3600

#: How often the page looks again while the camera still looks for a plate, in seconds.
COMING_S = 3

#: What an exit's page may be told to say.
PROBLEMS = frozenset({"parking_ticket_unknown"})

_MAX_WORD = 64
_MAX_TICKET = 200
_LETTER = next(letter for letter, kind in LINK_LETTERS.items() if kind is HouseKind.PARKING)


class TicketPages:
    """What an entry offers, and the forms that take and show a ticket."""

    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._settings = settings

    def entry(self, lane: str, language: str, other: str) -> Response:
        """Show what an entry offers this phone."""
        phone = request.cookies.get(PHONE_COOKIE, "")[:_MAX_WORD] or self._box.ids.new_token()
        offer = offer_ticket(self._box, lane, phone, kept_ticket())
        html = render_template(
            "parking_entry.html",
            lane=lane,
            offer=offer,
            phone=phone,
            texts=load_texts(language),
            language=language,
            other=other,
            settings=self._settings,
            refresh_s=COMING_S if offer.state is OfferState.COMING else 0,
        )
        answer = Response(html)
        _keep(answer, PHONE_COOKIE, phone)
        return answer

    def take(self, lane: str) -> AnyResponse:
        """Let the vehicle in and lead the phone to its ticket; a second tap leads to the same one."""
        form, language = request.form, asked_language()
        phone = form.get("phone", "")[:_MAX_WORD]
        if not phone or not form.get("passage"):
            abort(400, "Open the page behind the lane's code and press its button.")
        try:
            ticket = take_ticket(self._box, lane[:_MAX_WORD], form["passage"][:_MAX_WORD], phone)
        except (Invalid, Declined):
            # The page says how things are now: gone, full, or somebody else has it.
            return self._anew(lane, language)
        answer = redirect(f"{request.script_root}{_page_of(ticket)}?{urlencode({'language': language})}", 303)
        _keep(answer, TICKET_COOKIE, ticket)
        return answer

    def show(self, lane: str) -> AnyResponse:
        """Say at an exit whose stay waits there, and lead to what is due."""
        ticket, language = _ticket_in(request.form.get("ticket", "")), asked_language()
        try:
            passage = show_ticket(self._box, lane[:_MAX_WORD], ticket)
        except Invalid:
            asked = {"language": language, "problem": "parking_ticket_unknown"}
            return redirect(f"{request.script_root}{_page_of_lane(lane)}?{urlencode(asked)}", 303)
        said = {"language": language, **({"said": "goes"} if passage.opening else {})}
        answer = redirect(f"{request.script_root}{_page_of(ticket)}?{urlencode(said)}", 303)
        _keep(answer, TICKET_COOKIE, ticket)
        return answer

    def picture(self, ticket: str) -> Response:
        """Show a ticket as the QR code that scanners at exits and kiosks read."""
        public = self._box.rules.public_url
        found = stay_of_ticket(self._box, ticket[:_MAX_WORD])
        if not public or found is None:
            abort(404, "There is no such ticket, or this box has no public address (public_url).")
        return qr_picture(f"{public.rstrip('/')}/phone/{_LETTER}/{found.session.ticket}")

    def _anew(self, lane: str, language: str) -> AnyResponse:
        known = self._box.parking.facility.lane(lane)
        if known is None:
            abort(404, "There is no such lane.")
        asked = {"language": language}
        return redirect(f"{request.script_root}{_page_of_lane(lane)}?{urlencode(asked)}", 303)


def kept_ticket() -> str:
    """Return the ticket that this phone has, "" without."""
    return request.cookies.get(TICKET_COOKIE, "")[:_MAX_WORD]


def asked_language() -> str:
    """Return the language that the page was asked for, else the browser's."""
    asked = request.values.get("language", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _ticket_in(text: str) -> str:
    """Return the ticket in what was typed or pasted: the ticket itself or a link to it."""
    path = text.strip()[:_MAX_TICKET].partition("?")[0]
    return path.rstrip("/").rpartition("/")[2][:_MAX_WORD]


def _keep(answer: AnyResponse, name: str, value: str) -> None:
    path = f"{request.script_root}/phone/parking"
    answer.set_cookie(
        name, value, max_age=KEEP_S, path=path, secure=request.is_secure, httponly=True, samesite="Lax"
    )


def _page_of(ticket: str) -> str:
    return f"/phone/parking/{quote(ticket, safe='')}"


def _page_of_lane(lane: str) -> str:
    return f"/phone/parking/lane/{quote(lane, safe='')}"
