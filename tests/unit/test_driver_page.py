"""The driver's page finds a stay by plate, ticket or lane, explains its fee and lets a phone pay it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import cast

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.parking.facility import LaneWay
from edge.parking.observation import PlateRead
from edge.parking.passage import Passage, PassageState
from edge.services.charge_stay import charge_stay
from edge.services.payment_ports import CallbackRefused
from edge.services.photo_ports import Photos
from edge.web import notify
from edge.web.api import stays
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone import parking
from edge.web.problems import install_problems
from sim.fakes.box import GATEWAY, KIOSK
from sim.fakes.gateway import FakeFault
from tests.unit.garage import EXIT, PLATE, Garage

OURS = {"Origin": "http://localhost"}


class Reader:
    """A gateway whose callbacks are the number itself; anything with a blank is not its own."""

    def hear(self, headers: object, body: bytes) -> str:
        text = body.decode()
        if " " in text:
            raise CallbackRefused("not signed", status=401, body=b"{}")
        return text


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
def client(garage: Garage) -> FlaskClient:
    settings = WebSettings(zone="UTC")
    app = Flask("edge.web")
    install_guard(app, settings)
    install_problems(app)
    app.register_blueprint(parking.blueprint(garage.box, settings))
    app.register_blueprint(notify.blueprint(garage.box, {GATEWAY: Reader()}))
    return app.test_client()


def pay(client: FlaskClient, by: str, word: str, stay: str) -> tuple[int, str]:
    form = {"by": by, "word": word, "stay": stay, "language": "en"}
    answer = client.post("/phone/parking/pay", data=form, headers=OURS)
    return answer.status_code, answer.headers.get("Location", "")


def attempt_no(garage: Garage) -> str:
    (attempt,) = garage.box.store.read(lambda unit: unit.attempts.open(9))
    return attempt.merchant_order_no


def test_a_plate_is_found_however_it_is_written(garage: Garage, client: FlaskClient) -> None:
    garage.come()
    page = client.get("/phone/parking?plate=粤b·12345&language=en")
    assert page.status_code == 200
    assert "¥10.00" in page.text or "10.00" in page.text
    assert "How the fee adds up" in page.text
    assert PLATE in page.text


def test_the_page_speaks_both_languages(garage: Garage, client: FlaskClient) -> None:
    garage.come()
    assert "费用怎么算" in client.get(f"/phone/parking?plate={PLATE}&language=zh").text
    assert "How the fee adds up" in client.get(f"/phone/parking?plate={PLATE}&language=en").text


@pytest.mark.parametrize(("plate", "status"), [("粤B00000", 404), ("x", 400), ("<script>", 404)])
def test_what_is_not_there_is_told_and_asked_again(client: FlaskClient, plate: str, status: int) -> None:
    page = client.get("/phone/parking", query_string={"plate": plate, "language": "en"})
    assert page.status_code == status
    assert "Find your stay" in page.text
    assert "<script>" not in page.text


def test_a_ticket_finds_a_vehicle_without_a_plate(garage: Garage, client: FlaskClient) -> None:
    garage.come("", ticket="T8F3K2Q")
    for path in ("/phone/parking/T8F3K2Q", "/phone/p/T8F3K2Q"):
        assert "10.00" in client.get(path).text
    assert client.get("/phone/parking/NOSUCH").status_code == 404


def test_a_phone_pays_and_the_page_says_until_when_to_leave(garage: Garage, client: FlaskClient) -> None:
    stay = garage.come()
    status, address = pay(client, "plate", PLATE, stay)
    assert status == 303
    page = client.get(address).text
    assert 'http-equiv="refresh"' in page
    code = re.search(r'src="([^"]*code\.svg[^"]*)"', page)
    assert code is not None
    assert client.get(code[1].replace("&amp;", "&")).mimetype == "image/svg+xml"
    (attempt,) = garage.box.store.read(lambda unit: unit.attempts.open(9))
    garage.phones.pay(attempt.pay_url)
    garage.resolve(6_000)
    paid = client.get(address).text
    assert "Please leave by" in paid
    assert 'http-equiv="refresh"' not in paid
    assert client.get(code[1].replace("&amp;", "&")).status_code == 404


def test_only_the_stay_that_was_shown_is_paid(garage: Garage, client: FlaskClient) -> None:
    garage.come()
    other = garage.come("粤B99999")
    assert pay(client, "plate", PLATE, other)[0] == 409
    assert garage.box.store.read(lambda unit: unit.attempts.open(9)) == ()


def test_a_page_of_somebody_else_cannot_make_a_phone_pay(garage: Garage, client: FlaskClient) -> None:
    form = {"by": "plate", "word": PLATE, "stay": garage.come()}
    assert client.post("/phone/parking/pay", data=form).status_code == 403


def test_a_gateway_out_of_reach_is_told_with_another_way(garage: Garage, client: FlaskClient) -> None:
    stay = garage.come()
    garage.phones.fail_next("native", FakeFault.UNAVAILABLE)
    form = {"by": "plate", "word": PLATE, "stay": stay, "language": "en"}
    answer = client.post("/phone/parking/pay", data=form, headers=OURS)
    assert answer.status_code == 503
    assert "nothing was charged" in answer.text


def test_a_lane_shows_its_waiting_vehicle_masked_and_no_other(garage: Garage, client: FlaskClient) -> None:
    stay = garage.come(session_id="stay-1")
    assert PLATE not in client.get("/phone/parking/lane/out-1").text
    charge_stay(garage.box, stay, EXIT)
    waits = Passage("p-1", "out-1", LaneWay.EXIT, 1, state=PassageState.WAITING, plate=PLATE, session_id=stay)
    garage.box.store.write(lambda unit: unit.passages.put(waits))
    page = client.get("/phone/parking/lane/out-1?language=en").text
    assert "10.00" in page
    assert PLATE not in page
    assert "粤B·123··" in page
    assert pay(client, "lane", "out-1", stay)[0] == 303
    gone = replace(waits, state=PassageState.PASSED)
    garage.box.store.write(lambda unit: unit.passages.put(gone))
    assert "10.00" not in client.get("/phone/parking/lane/out-1").text
    assert "No vehicle is at this entry" in client.get("/phone/parking/lane/entry-1?language=en").text
    assert client.get("/phone/parking/lane/none").status_code == 404
    assert client.get("/phone/parking/lane/out-1/code.svg").mimetype == "image/svg+xml"
    assert client.get("/phone/parking/lane/none/code.svg").status_code == 404


def test_a_callback_has_its_payment_asked_about_at_once(garage: Garage, client: FlaskClient) -> None:
    stay = garage.come()
    pay(client, "plate", PLATE, stay)
    (attempt,) = garage.box.store.read(lambda unit: unit.attempts.open(9))
    garage.phones.pay(attempt.pay_url)
    garage.resolve(100)
    assert garage.settled(stay) == ()
    assert client.post("/notify/wechat", data=attempt.merchant_order_no).status_code == 204
    garage.resolve(100)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert client.post("/notify/wechat", data=attempt.merchant_order_no).status_code == 204


def test_a_callback_that_nobody_signed_or_that_is_not_ours_is_refused(
    garage: Garage, client: FlaskClient
) -> None:
    pay(client, "plate", PLATE, garage.come())
    number = attempt_no(garage)
    assert client.post("/notify/wechat", data=f"{number} forged").status_code == 401
    assert client.post("/notify/wechat", data="0" * 32).status_code == 404
    assert client.post("/notify/other", data=number).status_code == 404
    assert client.post("/notify/wechat", data="").status_code == 204
    garage.resolve(100)
    assert attempt_no(garage) == number


def test_a_box_whose_phones_cannot_pay_says_where_to_pay(garage: Garage) -> None:
    garage.come()
    app = Flask("edge.web")
    app.register_blueprint(parking.blueprint(replace(garage.box, prepayers={}), WebSettings(zone="UTC")))
    page = app.test_client().get(f"/phone/parking?plate={PLATE}&language=en").text
    assert "Please pay at a kiosk" in page
    assert '<button class="wide">Pay' not in page


class Album:
    """Pictures in memory."""

    def fetch(self, name: str) -> bytes | None:
        return b"\xff\xd8jpeg" if name == "entry.jpg" else None


def test_a_kiosk_shows_stays_masked_with_their_entry_and_its_picture(garage: Garage) -> None:
    stay = garage.come()
    at = garage.stay(stay).entered_at
    read = PlateRead("read-1", "entry-1", "cam", "key-1", PLATE, at, at, photos=("entry.jpg",))
    garage.box.store.write(lambda unit: unit.plate_reads.put(read))
    seen = replace(garage.stay(stay), entry_read_id="read-1")
    garage.box.store.write(lambda unit: unit.sessions.put(seen))
    app = Flask("edge.web")
    app.register_blueprint(stays.blueprint(garage.box, WebSettings(zone="UTC"), cast("Photos", Album())))
    client = app.test_client()
    (row,) = client.get(f"/api/kiosk/{KIOSK}/stays?plate={PLATE}").get_json()
    assert (row["plate"], row["due_fen"], row["photo"]) == ("粤B·123··", 1_000, True)
    photo = client.get(f"/api/kiosk/{KIOSK}/stays/photo?plate={PLATE}&stay={stay}")
    assert (photo.mimetype, photo.data) == ("image/jpeg", b"\xff\xd8jpeg")
    assert client.get(f"/api/kiosk/{KIOSK}/stays/photo?plate={PLATE}&stay=other").status_code == 404
    assert client.get(f"/api/kiosk/none/stays?plate={PLATE}").status_code == 404
