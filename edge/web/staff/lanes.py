"""The guard's page: every lane with its vehicle, one question with one recommended answer, and the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from flask import Blueprint, Response, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from edge.errors import Declined, Invalid
from edge.parking.decision import Answer, Why
from edge.parking.facility import LaneWay
from edge.parking.quote_words import explain, note, summary
from edge.services.answer_guard import MAX_REASON, answer_guard, open_by_hand
from edge.services.box import Box
from edge.services.grant_at_lane import CHOICES, grant_at_lane
from edge.services.hold_gate import end_hold, hold_gate
from edge.services.passage_records import HoldReason
from edge.services.photo_ports import Photos
from edge.services.show_guard import GuardLane, show_guard
from edge.web.desk import WebSettings
from edge.web.staff.frame import Link, StaffPage, language, local_times, show, signed_in
from edge.web.staff.lane_troubles import Statuses, troubles_of

#: How often the page asks for news: a car waits in front of it.
EVERY_MS = 700

#: Keys of edge/web/texts: why a gate is opened by hand, one touch each.
OPEN_REASONS = ("lane_reason_staff", "lane_reason_misread", "lane_reason_fault", "lane_reason_emergency")

#: Likewise, why free parking is granted.
GRANT_REASONS = ("lane_grant_queue", "lane_grant_system", "lane_grant_complaint", "lane_grant_supplier")

#: For how many minutes a gate is held open.
HOLD_MINUTES = (5, 15, 60, 240)

#: Below it a character of a read is shown as doubtful.
DOUBTFUL = 0.9

#: What a guard may answer to each question, the recommended one apart.
_ANSWERS = {
    LaneWay.ENTRY: (Answer.OPEN, Answer.CORRECT, Answer.REFUSE, Answer.LIFTED, Answer.GONE),
    LaneWay.EXIT: (Answer.OPEN, Answer.LET_OUT, Answer.CORRECT, Answer.LIFTED, Answer.GONE),
}
_GATE_TROUBLE = frozenset(
    {Why.GATE_FAILED, Why.GATE_LATE, Why.GATE_DOUBTFUL, Why.GATE_STUCK, Why.CLOSED_TOO_SOON}
)
_WITH_REASON = frozenset({Answer.OPEN, Answer.LET_OUT, Answer.LIFTED})

R = TypeVar("R", str, Response, AnyResponse | tuple[str, int])

_log = structlog.get_logger("staff")


def page(
    box: Box, settings: WebSettings, photos: Photos | None = None, statuses: Statuses = tuple
) -> StaffPage:
    """Return the pages under /staff/lanes; without lanes the box has none. photos: pictures of reads.
    statuses: of the devices; what does not work at a lane stands on its card."""
    local_time, zone = local_times(settings), ZoneInfo(settings.zone)

    def lanes_page(error: str = "") -> str:
        devices = statuses()
        return show(
            "lanes",
            lanes=show_guard(box),
            troubles=lambda lane: troubles_of(lane, devices),
            answers=answers_of,
            needs_reason=lambda answer: answer in _WITH_REASON,
            explain=lambda quote: explain(quote, zone, language()),
            summary=lambda quote: summary(quote, zone, language()),
            clock_note=lambda key: note(key, language()),
            doubtful=DOUBTFUL,
            open_reasons=OPEN_REASONS,
            hold_reasons=tuple(HoldReason),
            hold_minutes=HOLD_MINUTES,
            grant_choices=CHOICES,
            grant_reasons=GRANT_REASONS,
            most_reason=MAX_REASON,
            every=EVERY_MS,
            address="/staff/lanes",
            error=error,
            local_time=local_time,
        )

    def add(routes: Blueprint) -> None:
        routes.get("/lanes")(_named("lanes", lanes_page))
        routes.get("/lanes/photos/<path:name>")(_named("lane_photo", lambda name: _photo(photos, name)))
        for verb, act in _acts(box).items():
            _add_act(routes, verb, act, lanes_page)

    links = (Link("/staff/lanes", "lanes"),) if box.parking.facility.lanes else ()
    return StaffPage(add, lambda: links)


def answers_of(lane: GuardLane) -> tuple[Answer, ...]:
    """Return what may be answered beside the recommended answer; choosing a stay is done at its picture."""
    passage = lane.view.passage
    if passage is None or passage.question is None:
        return ()
    question = passage.question
    if question.why in _GATE_TROUBLE:
        offered: tuple[Answer, ...] = (Answer.OPEN, Answer.LIFTED, Answer.GONE)
    else:
        offered = _ANSWERS[lane.view.lane.way]
    return tuple(one for one in offered if one is not question.recommended)


def _acts(box: Box) -> Mapping[str, Callable[[str], object]]:
    def answer(lane: str) -> None:
        form = request.form
        answered = answer_guard(
            box,
            lane,
            form.get("passage", ""),
            _answer(form.get("answer", "")),
            signed_in(),
            form.get("reason", ""),
            form.get("plate", ""),
            form.get("session", ""),
        )
        _log.info(
            "answered", lane=lane, answer=form.get("answer"), passage=answered.passage_id, by=signed_in()
        )

    def open_gate(lane: str) -> None:
        open_by_hand(box, lane, signed_in(), request.form.get("reason", ""))
        _log.info("opened by hand", lane=lane, by=signed_in())

    def hold(lane: str) -> None:
        minutes = request.form.get("minutes", "")
        if minutes not in {str(one) for one in HOLD_MINUTES}:
            raise Invalid("choose for how long the gate stays open")
        hold_gate(box, lane, _hold_reason(request.form.get("reason", "")), signed_in(), int(minutes) * 60)
        _log.info("held open", lane=lane, minutes=minutes, by=signed_in())

    def release(lane: str) -> None:
        end_hold(box, lane, signed_in())
        _log.info("let go", lane=lane, by=signed_in())

    def grant(lane: str) -> None:
        form = request.form
        minutes = form.get("minutes", "")
        if minutes not in {str(one) for one in CHOICES}:
            raise Invalid("choose how much is granted")
        grant_at_lane(box, lane, form.get("passage", ""), int(minutes), signed_in(), form.get("reason", ""))
        _log.info("granted", lane=lane, minutes=minutes, by=signed_in())

    return {"answer": answer, "open": open_gate, "hold": hold, "release": release, "grant": grant}


def _add_act(
    routes: Blueprint, verb: str, act: Callable[[str], object], lanes_page: Callable[[str], str]
) -> None:
    def handle(lane: str) -> AnyResponse | tuple[str, int]:
        try:
            act(lane)
        except (Invalid, Declined) as error:
            return lanes_page(str(error)), 400
        return redirect("/staff/lanes", 303)

    routes.post(f"/lanes/<lane>/{verb}")(_named(f"lane_{verb}", handle))


def _photo(photos: Photos | None, name: str) -> Response:
    jpeg = None if photos is None else photos.fetch(name)
    if jpeg is None:
        abort(404, "There is no such picture, or it is older than pictures are kept.")
    # A picture never changes under its name; only who is signed in here may have it.
    return Response(jpeg, mimetype="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


def _answer(text: str) -> Answer:
    try:
        return Answer(text)
    except ValueError:
        raise Invalid(f"an answer is one of {', '.join(Answer)}, not {text!r}") from None


def _hold_reason(text: str) -> HoldReason:
    try:
        return HoldReason(text)
    except ValueError:
        raise Invalid(f"a gate is held open for one of {', '.join(HoldReason)}, not {text!r}") from None


def _named(name: str, function: Callable[..., R]) -> Callable[..., R]:
    """Flask knows routes by their functions' names."""
    function.__name__ = name
    return function
