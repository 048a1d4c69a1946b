"""Stays in the car park: found by plate, ticket, lane or the member's own cars; paid, or left with points."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify, request

from edge.errors import Invalid
from edge.parking.plate import mask_plate, normalise
from edge.parking.quote_words import explain
from edge.parking.validation import Holder
from edge.services.box import Box
from edge.services.claim_purchase import cars_inside
from edge.services.grant_validation import put_by_points
from edge.services.own_membership import need_member
from edge.services.pay_by_phone import order_for_stay
from edge.services.phone_records import PhoneSession
from edge.services.phone_session import member_of_session
from edge.services.records import Unit
from edge.services.show_stay import StayShown, show_stay, stay_at_lane, stay_of_ticket, stays_of_plate
from edge.web.desk import WebSettings
from edge.web.phone.api.asking import PhoneProblem, asked_language, body, check_plate, session, text_in
from edge.web.phone.api.orders import pay_order
from edge.web.phone.plate_limit import PlateLimit

_MAX_WORD = 64
_MAX_CARS = 8


def add(routes: Blueprint, box: Box, settings: WebSettings) -> None:
    """Put /parking and what is below it on the blueprint."""
    finder, zone = _Finder(box), ZoneInfo(settings.zone)

    def shown(found: tuple[StayShown, ...]) -> Response:
        language = asked_language()
        return jsonify(stays=[stay_json(box, one, zone, language) for one in found])

    @routes.get("/parking")
    def find_stays() -> Response:
        asked = session(box)
        by = next((one for one in WAYS if request.args.get(one)), "")
        return shown(finder.find(asked, by, request.args.get(by, "") if by else ""))

    @routes.post("/parking/<stay_id>/pay")
    def pay_stay(stay_id: str) -> Response:
        asked, given = session(box), body()
        _own(finder, asked, stay_id, text_in(given, "by", 8), text_in(given, "word", _MAX_WORD, ""))
        return pay_order(box, asked, order_for_stay(box, stay_id).order_id)

    @routes.post("/parking/<stay_id>/points")
    def stay_points(stay_id: str) -> Response:
        asked, given = session(box), body()
        _own(finder, asked, stay_id, text_in(given, "by", 8), text_in(given, "word", _MAX_WORD, ""))
        spend_on_stay(box, asked, stay_id, text_in(given, "key", 40))
        return shown((show_stay(box, stay_id),))


def spend_on_stay(box: Box, asked: PhoneSession, stay_id: str, key: str) -> None:
    """Give points of whose phone it is for a stay, once for each tap.

    Raises Declined for too few points and for nobody's phone.
    """
    now = box.clock.now()

    def work(unit: Unit) -> None:
        member = need_member(unit, box, asked, now)
        stay = unit.sessions.get(stay_id)
        if stay is None:
            raise PhoneProblem("not_found")
        put_by_points(
            unit, box, f"{asked.session_id}/{key}", member.member_id, Holder(stay_id, stay.plate), now
        )

    box.store.write(work)


class _Finder:
    """Finds stays, and nobody's whom one may not see."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._limit = PlateLimit(lambda: box.clock.now().boottime_ns)

    def find(self, asked: PhoneSession, by: str, word: str) -> tuple[StayShown, ...]:
        """Return the stays that are meant; raise Invalid for no way to find one, PhoneProblem too_often."""
        look = _LOOKS.get(by)
        if look is None:
            raise Invalid(f"say one of {', '.join(WAYS)}")
        if by == "mine":
            return my_stays(self._box, asked)
        if by != "plate":
            return look(self._box, word[:_MAX_WORD])
        check_plate(word)
        wait_s = self._limit.wait_s(asked.session_id, normalise(word))
        if wait_s:
            raise PhoneProblem("too_often", retry_s=wait_s)
        found = look(self._box, word[:_MAX_WORD])
        if all(one.attempt is None for one in found):
            # A page that waits for money asks again, and is no look-up.
            self._limit.count(asked.session_id, normalise(word))
        return found


def my_stays(box: Box, asked: PhoneSession) -> tuple[StayShown, ...]:
    """Return the stays inside of the member's cars whose phone it is, as they are now."""
    now = box.clock.now()

    def query(unit: Unit) -> list[str]:
        member = member_of_session(unit, box, asked, now)
        cars = cars_inside(unit, box, member.member_id) if member else ()
        return [one.session_id for one in cars[:_MAX_CARS]]

    return tuple(show_stay(box, one) for one in box.store.read(query))


def _own(finder: _Finder, asked: PhoneSession, stay_id: str, by: str, word: str) -> None:
    """Raise PhoneProblem unless this phone can find the stay by what it says."""
    if stay_id not in {one.session.session_id for one in finder.find(asked, by, word)}:
        raise PhoneProblem("not_found")


def _some(found: StayShown | None) -> tuple[StayShown, ...]:
    return () if found is None else (found,)


_LOOKS: dict[str, Callable[[Box, str], tuple[StayShown, ...]]] = {
    "plate": stays_of_plate,
    "ticket": lambda box, word: _some(stay_of_ticket(box, word)),
    "lane": lambda box, word: _some(stay_at_lane(box, word)),
    "mine": lambda box, word: (),
}

#: By what a stay is found.
WAYS = tuple(_LOOKS)


def stay_json(box: Box, one: StayShown, zone: ZoneInfo, language: str) -> dict[str, object]:
    """Return a stay as docs/protocols/phone-api.md says, its plate masked."""
    stay, quote = one.session, one.quote
    place = next((each for each in box.parking.facility.zones if each.name == stay.zone), None)
    points = box.parking.points
    return {
        "stay_id": stay.session_id,
        "plate": mask_plate(stay.plate),
        "zone": place.name if place else stay.zone,
        "entered_at": stay.entered_at,
        "total_fen": quote.total_fen if quote else one.due_fen + one.paid_fen,
        "paid_fen": one.paid_fen,
        "due_fen": one.due_fen,
        "allowed_exit_at": quote.allowed_exit_at if quote else None,
        "next_raise_at": quote.next_raise_at if quote else None,
        "segments": list(explain(quote, zone, language, doubts=False)) if quote else [],
        "used": list(quote.used) if quote else [],
        "order_id": one.attempt.order_id if one.attempt else None,
        "points_price": points.points if points else None,
    }
