"""By phone: a ticket is taken for a vehicle without a plate and lets it leave: double taps, strangers."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from devices.types import Scan
from edge.errors import Declined, Invalid
from edge.hq.relay_codec import RelayedRequest
from edge.hq.requests import make_environ
from edge.parking.decision import Answer, Verdict, Why
from edge.parking.facility import FullMode
from edge.parking.session import SessionState
from edge.services.answer_guard import answer_guard
from edge.services.box import Box
from edge.services.lane_ticket import OfferState, offer_ticket, show_ticket, take_ticket, wants_ticket
from edge.services.receive_scan import receive_scan
from edge.services.workstation import load
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone import parking
from edge.web.problems import install_problems
from tests.unit.lane_rig import ENTRY, IN, OUT, PAY_STATION, PLATE, LaneRig, rig

OURS = {"Origin": "http://localhost"}
MINE, YOURS = "phone-of-mine", "phone-of-yours"


def at_entry(lanes: LaneRig) -> str:
    """A vehicle without a readable plate waits at the entry; return its passage."""
    lanes.loops(IN, True, False)
    lanes.read(IN, "")
    return lanes.here(IN).passage_id


def at_exit(lanes: LaneRig) -> None:
    lanes.loops(OUT, True, False)
    lanes.wait(OUT, 6)


def inside_by_ticket(lanes: LaneRig) -> str:
    """A vehicle without a plate came in half an hour ago; return its ticket."""
    ticket = take_ticket(lanes.box, IN, at_entry(lanes), MINE)
    lanes.work(IN)
    lanes.drive(IN)
    lanes.ports.clock.advance(1_800_000)
    return ticket


def client_of(box: Box) -> FlaskClient:
    app, settings = Flask("edge.web"), WebSettings(zone="UTC")
    install_guard(app, settings)
    install_problems(app)
    app.register_blueprint(parking.blueprint(box, settings))
    return app.test_client()


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def take(client: FlaskClient, page: str) -> str:
    """Press the page's button; return where it leads."""
    answer = client.post(f"/phone/parking/lane/{IN}/ticket", data=fields(page), headers=OURS)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def test_a_double_tap_opens_once_and_gives_the_same_ticket() -> None:
    lanes = LaneRig()
    passage = at_entry(lanes)
    first = take_ticket(lanes.box, IN, passage, MINE)
    lanes.work(IN)
    lanes.wait(IN, 8)
    assert take_ticket(lanes.box, IN, passage, MINE) == first
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    lanes.drive(IN)
    assert take_ticket(lanes.box, IN, passage, MINE) == first, "a late repetition finds the ticket still"
    assert lanes.inside() == 1


def test_a_second_phone_gets_no_ticket_of_somebody_else() -> None:
    lanes = LaneRig()
    passage = at_entry(lanes)
    ticket = take_ticket(lanes.box, IN, passage, MINE)
    with pytest.raises(Invalid, match="no vehicle"):
        take_ticket(lanes.box, IN, passage, YOURS)
    assert offer_ticket(lanes.box, IN, YOURS).state is OfferState.ELSEWHERE
    assert offer_ticket(lanes.box, IN, MINE).ticket == ticket
    assert offer_ticket(lanes.box, IN, YOURS, kept=ticket).state is OfferState.TAKEN


def test_a_button_pressed_late_does_not_let_in_the_next_vehicle() -> None:
    lanes = LaneRig()
    first = at_entry(lanes)
    answer_guard(lanes.box, IN, first, Answer.GONE, "张军")
    lanes.loops(IN, False, False)
    assert at_entry(lanes) != first
    with pytest.raises(Invalid, match="no vehicle"):
        take_ticket(lanes.box, IN, first, MINE)
    assert lanes.gates[IN].pulses == 0


def test_nobody_there_a_plate_that_is_known_and_a_guards_no_give_no_ticket() -> None:
    lanes = LaneRig()
    assert offer_ticket(lanes.box, IN, MINE).state is OfferState.NOBODY
    lanes.loops(IN, True, False)
    assert offer_ticket(lanes.box, IN, MINE).state is OfferState.COMING
    passage = at_entry(lanes)
    assert offer_ticket(lanes.box, IN, MINE).state is OfferState.OFFERED
    answer_guard(lanes.box, IN, passage, Answer.REFUSE, "张军")
    assert offer_ticket(lanes.box, IN, MINE).state is OfferState.GUARD
    with pytest.raises(Invalid, match="no vehicle"):
        take_ticket(lanes.box, IN, passage, MINE)
    assert offer_ticket(rig(needs_plate=True).box, IN, MINE).state is OfferState.NOBODY


def test_a_full_car_park_gives_no_ticket_unless_it_admits() -> None:
    lanes = LaneRig(spaces=1)
    lanes.come()
    passage = at_entry(lanes)
    assert offer_ticket(lanes.box, IN, MINE).state is OfferState.FULL
    with pytest.raises(Declined, match="full"):
        take_ticket(lanes.box, IN, passage, MINE)
    kind = LaneRig(replace(ENTRY, when_full=FullMode.ADMIT), spaces=1)
    kind.come()
    assert take_ticket(kind.box, IN, at_entry(kind), MINE)


def test_wrong_lanes_are_refused() -> None:
    lanes = LaneRig()
    ticket = inside_by_ticket(lanes)
    for lane in (OUT, "none"):
        with pytest.raises(Invalid, match="no entry"):
            take_ticket(lanes.box, lane)
    with pytest.raises(Invalid, match="is an entry"):
        show_ticket(lanes.box, IN, ticket)
    with pytest.raises(Invalid, match="no vehicle stands"):
        show_ticket(lanes.box, OUT, ticket)


def test_a_ticket_is_no_cheaper_way_out_for_a_vehicle_that_is_known() -> None:
    lanes = LaneRig()
    lanes.come()
    lanes.ports.clock.advance(7_200_000)
    ticket = inside_by_ticket(lanes)
    lanes.loops(OUT, True, False)
    lanes.read(OUT, PLATE)
    assert not wants_ticket(lanes.box, OUT)
    with pytest.raises(Invalid, match="known by its plate"):
        show_ticket(lanes.box, OUT, ticket)
    assert lanes.here(OUT).session_id == lanes.stay().session_id


def test_a_ticket_answers_who_it_is_when_a_plate_is_of_no_stay() -> None:
    lanes = LaneRig()
    ticket = inside_by_ticket(lanes)
    lanes.loops(OUT, True, False)
    lanes.read(OUT, "粤B99999")
    assert lanes.here(OUT).question.why is Why.NO_SESSION  # type: ignore[union-attr]
    assert show_ticket(lanes.box, OUT, ticket).decision.verdict is Verdict.PAY  # type: ignore[union-attr]
    assert show_ticket(lanes.box, OUT, ticket).session_id == lanes.here(OUT).session_id


def test_a_ticket_at_the_lanes_scanner_asks_for_its_fee_and_money_opens() -> None:
    lanes = LaneRig()
    ticket = inside_by_ticket(lanes)
    at_exit(lanes)
    scan(lanes, ticket)
    stay = lanes.here(OUT).session_id
    found = lanes.box.store.read(lambda unit: unit.sessions.by_ticket(ticket))
    assert found is not None
    assert stay == found.session_id
    shown = lanes.box.store.read(lambda unit: load(unit, lanes.box, PAY_STATION))
    assert shown.order is not None
    assert shown.order.total_fen == 500
    lanes.settle(stay, 500)
    lanes.work(OUT)
    assert lanes.gates[OUT].pulses == 1
    lanes.drive(OUT)
    with pytest.raises(Invalid, match="no vehicle inside"):
        show_ticket(lanes.box, OUT, ticket)


def test_a_paid_ticket_at_the_lanes_scanner_opens_at_once() -> None:
    lanes = LaneRig()
    ticket = inside_by_ticket(lanes)
    found = lanes.box.store.read(lambda unit: unit.sessions.by_ticket(ticket))
    assert found is not None
    lanes.settle(found.session_id, 500)
    at_exit(lanes)
    scan(lanes, ticket)
    lanes.work(OUT)
    assert lanes.gates[OUT].pulses == 1


def scan(lanes: LaneRig, ticket: str) -> None:
    """Show the ticket's QR code to the exit's scanner."""
    text = f"https://mall.example/phone/p/{ticket}"
    codes = replace(lanes.box.rules.codes, public_hosts=("mall.example",))
    lanes.box = replace(lanes.box, rules=replace(lanes.box.rules, codes=codes))
    scanned = Scan("lane-scanner", text.encode(), text, None, lanes.now.boottime_ns)
    outcome = receive_scan(lanes.box, PAY_STATION, scanned)
    assert outcome.outcome == "ticket"


def test_the_page_takes_keeps_and_shows_the_ticket_and_the_gates_open() -> None:
    lanes = LaneRig()
    lanes.box = replace(lanes.box, rules=replace(lanes.box.rules, public_url="https://mall.example"))
    phone = client_of(lanes.box)
    assert "No vehicle is at this entry" in phone.get(f"/phone/parking/lane/{IN}?language=en").text
    at_entry(lanes)
    page = phone.get(f"/phone/parking/lane/{IN}?language=en").text
    address = take(phone, page)
    assert take(phone, page) == address
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 1
    shown = phone.get(address).text
    assert "Your parking ticket" in shown
    code = re.search(r'src="([^"]+ticket\.svg)"', shown)
    assert code is not None
    assert phone.get(code[1]).mimetype == "image/svg+xml"
    assert "You have your ticket" in phone.get(f"/phone/parking/lane/{IN}?language=en").text
    lanes.drive(IN)
    lanes.ports.clock.advance(1_800_000)
    at_exit(lanes)
    gone = leave_by_phone(phone)
    assert "5.00" in gone
    lanes.settle(lanes.here(OUT).session_id, 500)
    lanes.work(OUT)
    assert lanes.gates[OUT].pulses == 1
    lanes.drive(OUT)
    assert phone.get(code[1]).status_code == 200
    left = lanes.box.store.read(lambda unit: unit.sessions.get(lanes.last(OUT).session_id))
    assert left is not None
    assert left.state is SessionState.LEFT


def leave_by_phone(phone: FlaskClient) -> str:
    page = phone.get(f"/phone/parking/lane/{OUT}?language=en").text
    assert "Show the ticket on this phone" in page
    answer = phone.post(f"/phone/parking/lane/{OUT}/show", data=fields(page), headers=OURS)
    assert answer.status_code == 303
    return str(phone.get(answer.headers["Location"]).text)


def test_a_stranger_s_page_a_missing_field_and_a_wrong_ticket_do_nothing() -> None:
    lanes = LaneRig()
    phone = client_of(lanes.box)
    at_entry(lanes)
    form = fields(phone.get(f"/phone/parking/lane/{IN}?language=en").text)
    assert phone.post(f"/phone/parking/lane/{IN}/ticket", data=form).status_code == 403
    assert phone.post(f"/phone/parking/lane/{IN}/ticket", data={}, headers=OURS).status_code == 400
    assert phone.post("/phone/parking/lane/none/ticket", data=form, headers=OURS).status_code == 404
    lanes.work(IN)
    assert lanes.gates[IN].pulses == 0
    wrong = {"ticket": "NOSUCH", "language": "en"}
    answer = phone.post(f"/phone/parking/lane/{OUT}/show", data=wrong, headers=OURS)
    assert "does not fit" not in phone.get(f"/phone/parking/lane/{OUT}?language=en").text
    at_exit(lanes)
    assert "does not fit" in phone.get(answer.headers["Location"]).text
    assert lanes.here(OUT).session_id == ""


def test_a_second_phone_that_presses_an_old_page_sees_how_things_are() -> None:
    lanes = LaneRig()
    mine, yours = client_of(lanes.box), client_of(lanes.box)
    at_entry(lanes)
    mine_page = mine.get(f"/phone/parking/lane/{IN}?language=en").text
    yours_page = yours.get(f"/phone/parking/lane/{IN}?language=en").text
    assert "/phone/parking/token" in take(mine, mine_page)
    back = take(yours, yours_page)
    assert back.startswith(f"/phone/parking/lane/{IN}")
    assert "another phone has taken it" in yours.get(back).text


def test_a_pasted_link_is_a_ticket_as_well() -> None:
    lanes = LaneRig()
    ticket = inside_by_ticket(lanes)
    at_exit(lanes)
    phone = client_of(lanes.box)
    form = {"ticket": f" https://mall.example/phone/p/{ticket}?language=zh ", "language": "zh"}
    answer = phone.post(f"/phone/parking/lane/{OUT}/show", data=form, headers=OURS)
    assert f"/phone/parking/{ticket}" in answer.headers["Location"]
    assert lanes.here(OUT).decision.verdict is Verdict.PAY  # type: ignore[union-attr]


def test_through_hqs_relay_links_and_cookies_stay_below_the_public_prefix() -> None:
    lanes = LaneRig()
    at_entry(lanes)
    app = client_of(lanes.box).application
    page = relayed(app, "GET", f"/phone/parking/lane/{IN}?language=en")
    text = page.get_data(as_text=True)
    form = fields(text)
    assert f'action="/box-7/phone/parking/lane/{IN}/ticket"' in text
    answer = relayed(app, "POST", f"/phone/parking/lane/{IN}/ticket", form)
    assert answer.headers["Location"].startswith("/box-7/phone/parking/token")
    cookie = answer.headers["Set-Cookie"]
    assert "Path=/box-7/phone/parking" in cookie
    assert "Secure" in cookie
    assert "HttpOnly" in cookie


def relayed(app: Flask, method: str, target: str, form: dict[str, str] | None = None) -> Response:
    """Have a page served as HQ relays it."""
    body = urlencode(form or {}).encode()
    headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin"))
    request = RelayedRequest(method, target, "mall.example", headers, body, "/box-7", secure=True)
    return Response.from_app(app, make_environ(request))
