"""The member's page in a phone's browser: join, points, coupons, cars, consents, a copy, and leaving.

It shows what was joined in this browser and nobody else's, as a browser proves nobody; see
services.own_membership. It works without a script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.clock import local
from edge.errors import Declined, EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.services.box import Box
from edge.services.occasion_landing import join_page
from edge.services.own_membership import (
    JoinForm,
    bind_own_plate,
    erase_self,
    join_own,
    link_code,
    unbind_own_plate,
)
from edge.services.pay_by_phone import order_for_stay
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import member_of_session
from edge.services.records import Unit
from edge.services.show_me import show_me, show_points
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, check_plate
from edge.web.phone.api.me import change_own_consent, export_own
from edge.web.phone.api.orders import begin_paying
from edge.web.phone.api.parking import my_stays, spend_on_stay, stay_json
from edge.web.phone.page import PhonePages, way_on
from edge.web.phone.pay import pay_page
from edge.web.phone.qr_picture import qr_picture
from edge.web.texts import load_texts

_MAX_WORD = 64
_PROBLEMS = ("invalid", "plate", "declined", "unavailable")


def blueprint(box: Box, settings: WebSettings) -> Blueprint:
    """Return the routes under /phone/me."""
    pages, routes = _Pages(box, settings), Blueprint("me", __name__, url_prefix="/phone/me")
    routes.add_url_rule("", view_func=pages.show)
    routes.add_url_rule("/link.svg", view_func=pages.link)
    routes.add_url_rule("/export", view_func=pages.export)
    for name, view in (
        ("join", pages.join),
        ("plates", pages.bind),
        ("plates/<plate_id>/remove", pages.unbind),
        ("consent", pages.consent),
        ("erase", pages.erase),
        ("stays/<stay_id>/pay", pages.pay),
        ("stays/<stay_id>/points", pages.spend),
    ):
        routes.add_url_rule(f"/{name}", view_func=view, methods=["POST"])
    return routes


class _Pages:
    def __init__(self, box: Box, settings: WebSettings) -> None:
        self._box = box
        self._pages = PhonePages(box, settings)
        self._zone = ZoneInfo(settings.zone)

    def show(self) -> AnyResponse:
        """Show the member of this browser, or how to become one."""
        asked, language = self._pages.session(), asked_language()
        before = request.args.get("before", "0")
        older = int(before) if before.isascii() and before.isdigit() and len(before) <= 15 else 0
        if asked is None:
            me: dict[str, object] = {"member": None, "consent_version": self._box.members.consent_version}
            points: dict[str, object] = {"lines": [], "more": False}
        else:
            me = dict(show_me(self._box, asked, language))
            points = dict(show_points(self._box, asked, language, load_texts(language), older))
        said = request.args.get("said", "")
        problem = request.args.get("problem", "")
        return self._pages.show(
            "phone_me.html",
            me=me,
            points=points,
            stays=self._stays(asked),
            asks_wechat=bool(request.args.get("m")),
            page=self._joined_page(asked) if said == "joined" else None,
            at=self._at,
            receipt=request.args.get("r", "")[:_MAX_WORD],
            brought=(request.args.get("points", ""), request.args.get("parked", "")),
            said=said if said in ("joined", "erased") else "",
            problem=problem if problem in _PROBLEMS else "",
            links=bool(asked and not asked.signed_in and self._box.rules.public_url and self._box.phone.key),
            key=self._box.ids.new_token()[:20],
            query=self._query(),
            way=way_on(),
        )

    def join(self) -> AnyResponse:
        """Join in this browser, on the way of the purchase whose page led here."""
        asked = self._pages.open()
        form = JoinForm(_field("version"), _field("touchpoint"), receipt=_field("receipt"))
        if request.form.get("agree") != "yes":
            return self._back(problem="invalid")
        try:
            joined = join_own(self._box, asked, form)
        except (Invalid, Declined) as error:
            return self._back(problem=_word(error))
        points, parked = joined.claimed.points, joined.claimed.parked
        return self._back(said="joined", points=str(points or ""), parked="yes" if parked else "")

    def bind(self) -> AnyResponse:
        """Bind a car."""
        plate, version, key, receipt = (_field(name) for name in ("plate", "version", "key", "receipt"))
        if request.form.get("agree") != "yes":
            return self._back(problem="invalid")
        try:
            check_plate(plate)
        except PhoneProblem:
            return self._back(problem="plate")
        return self._do(lambda asked: bind_own_plate(self._box, asked, plate, version, key, receipt))

    def unbind(self, plate_id: str) -> AnyResponse:
        """Unbind a car."""
        return self._do(lambda asked: unbind_own_plate(self._box, asked, plate_id[:_MAX_WORD]))

    def consent(self) -> AnyResponse:
        """Give or withdraw a consent."""
        purpose, version, wanted = _field("purpose"), _field("version"), _field("given") == "yes"
        if not wanted and purpose == "plate" and _field("confirm") != "yes":
            return self._back(problem="invalid")
        return self._do(lambda asked: change_own_consent(self._box, asked, purpose, version, wanted=wanted))

    def erase(self) -> AnyResponse:
        """Erase the member of this browser."""
        if request.form.get("confirm") != "yes":
            return self._back(problem="invalid")
        return self._do(lambda asked: erase_self(self._box, asked), said="erased")

    def pay(self, stay_id: str) -> AnyResponse:
        """Begin to pay the stay of one of the member's cars, and lead to its page."""
        asked = self._need()
        try:
            order_id = order_for_stay(self._box, self._mine(asked, stay_id)).order_id
            begin_paying(self._box, asked, order_id)
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            return self._back(problem=_word(error))
        return redirect(pay_page(order_id), 303)

    def spend(self, stay_id: str) -> AnyResponse:
        """Give points for the stay of one of the member's cars."""
        key = _field("key")
        return self._do(lambda asked: spend_on_stay(self._box, asked, self._mine(asked, stay_id), key))

    def _mine(self, asked: PhoneSession, stay_id: str) -> str:
        if stay_id not in {one.session.session_id for one in my_stays(self._box, asked)}:
            raise Invalid("this is no stay of your cars")
        return stay_id

    def export(self) -> Response:
        """Hand the member's data out as a file."""
        asked = self._need()
        try:
            data = export_own(self._box, asked)
        except (Invalid, Declined):
            abort(404, "Nobody has joined in this browser.")
        answer = Response(json.dumps(data, ensure_ascii=False, indent=1), mimetype="application/json")
        answer.headers["Content-Disposition"] = 'attachment; filename="membership.json"'
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def link(self) -> Response:
        """Show what the mini-program opens to take over what was joined here."""
        asked, public = self._need(), self._box.rules.public_url
        if asked.signed_in or not public or not self._box.phone.key:
            abort(404, "There is nothing to take over here.")
        code = link_code(self._box, asked, self._box.clock.now())
        answer = qr_picture(f"{public.rstrip('/')}/phone/me?m={code}")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _stays(self, asked: PhoneSession | None) -> list[dict[str, object]]:
        language = asked_language()
        found = my_stays(self._box, asked) if asked else ()
        return [stay_json(self._box, one, self._zone, language) for one in found]

    def _joined_page(self, asked: PhoneSession | None) -> Mapping[str, object] | None:
        """Return what new members are shown, of the tenant where they bought."""
        now = self._box.clock.now()

        def query(unit: Unit) -> Mapping[str, object] | None:
            member = member_of_session(unit, self._box, asked, now) if asked else None
            return join_page(unit, member.member_id) if member else None

        return self._box.store.read(query)

    def _do(self, deed: Callable[[PhoneSession], object], said: str = "") -> AnyResponse:
        try:
            deed(self._need())
        except (Invalid, Declined, Unavailable, OutcomeUnknown) as error:
            return self._back(problem=_word(error))
        return self._back(said=said)

    def _need(self) -> PhoneSession:
        found = self._pages.session()
        if found is None:
            abort(404, "Nobody has joined in this browser.")
        return found

    def _query(self) -> str:
        receipt = request.args.get("r", "")[:_MAX_WORD]
        return way_on(r=receipt) if receipt else way_on()

    def _back(self, **said: str) -> AnyResponse:
        told = {name: value for name, value in said.items() if value}
        receipt = _field("receipt")
        back = way_on(**({"r": receipt} if receipt else {}), **told)
        return self._pages.keep(redirect(f"{request.script_root}/phone/me{back}", 303))  # type: ignore[arg-type]

    def _at(self, at: int) -> str:
        return f"{local(at, self._zone):%Y-%m-%d %H:%M}"


def _word(error: EdgeError) -> str:
    if isinstance(error, Invalid):
        return "invalid"
    return "declined" if isinstance(error, Declined) else "unavailable"


def _field(name: str) -> str:
    return request.form.get(name, "")[:_MAX_WORD].strip()
