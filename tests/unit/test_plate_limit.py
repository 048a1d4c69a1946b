"""Nobody tries plates or follows one by the driver's page; who pays is not held up."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from edge.services.limit_rate import RateKeeper, RateLimit
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone import parking
from edge.web.phone.plate_limit import OF_CALLER, OF_CLIENT, OF_PLATE, OF_RELAY, RELAY
from edge.web.problems import install_problems
from tests.unit.garage import PLATE, Garage

OURS = {"Origin": "http://localhost"}
SECOND_NS = 1_000_000_000


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
def client(garage: Garage) -> FlaskClient:
    app, settings = Flask("edge.web"), WebSettings(zone="UTC")
    install_guard(app, settings)
    install_problems(app)
    app.register_blueprint(parking.blueprint(garage.box, settings))
    return app.test_client()


def look(client: FlaskClient, plate: str, address: str = "10.0.0.1") -> int:
    page = client.get(
        "/phone/parking",
        query_string={"plate": plate, "language": "en"},
        environ_base={"REMOTE_ADDR": address},
    )
    if page.status_code == 429:
        assert "too often" in page.text
        assert 0 < int(page.headers["Retry-After"]) <= 60
    return page.status_code


def test_a_phone_that_tries_plates_is_told_to_wait_and_others_are_not(
    garage: Garage, client: FlaskClient
) -> None:
    for number in range(OF_CLIENT.most):
        assert look(client, f"粤B0000{number}") == 404
    garage.come()
    assert look(client, PLATE) == 429
    assert look(client, "x") == 429
    assert look(client, PLATE, "10.0.0.2") == 200
    garage.wait(60_000)
    assert look(client, PLATE) == 200


def test_phones_behind_the_relay_are_counted_by_what_hq_tells_of_them(
    garage: Garage, client: FlaskClient
) -> None:
    def relayed(caller: str, number: int) -> int:
        environ = {"REMOTE_ADDR": RELAY, "mall.relay_caller": caller}
        asked = {"plate": f"粤B{number:05d}", "language": "en"}
        return client.get("/phone/parking", query_string=asked, environ_base=environ).status_code

    assert [relayed("caller-0001", number) for number in range(OF_CALLER.most)] == [404] * OF_CALLER.most
    assert relayed("caller-0001", 99) == 429
    assert relayed("caller-0002", 99) == 404
    header = {"X-Mall-Relay-Caller": "caller-0003", "mall-relay-caller": "caller-0003"}
    asked = {"plate": "粤B00098", "language": "en"}
    environ = {"REMOTE_ADDR": RELAY, "mall.relay_caller": "caller-0001"}
    found = client.get("/phone/parking", query_string=asked, environ_base=environ, headers=header)
    assert found.status_code == 429


def test_a_plate_is_not_followed_by_many_phones(garage: Garage, client: FlaskClient) -> None:
    garage.come()
    for number in range(OF_PLATE.most):
        assert look(client, "粤b·12345" if number % 2 else PLATE, f"10.0.1.{number}") == 200
    assert look(client, PLATE, "10.0.2.1") == 429
    assert look(client, "粤B99999", "10.0.2.1") == 404


def test_phones_behind_the_relay_share_a_wider_limit(client: FlaskClient) -> None:
    seen = [look(client, f"粤B{10_000 + number}", RELAY) for number in range(OF_RELAY.most + 1)]
    assert seen == [404] * OF_RELAY.most + [429]


def test_a_page_that_waits_for_money_loads_itself_as_often_as_it_likes(
    garage: Garage, client: FlaskClient
) -> None:
    stay = garage.come()
    form = {"by": "plate", "word": PLATE, "stay": stay, "language": "en"}
    assert client.post("/phone/parking/pay", data=form, headers=OURS).status_code == 303
    assert {look(client, PLATE) for _ in range(3 * OF_PLATE.most)} == {200}


def test_paying_with_a_guess_shows_no_stay(garage: Garage, client: FlaskClient) -> None:
    garage.come()
    form = {"by": "plate", "word": PLATE, "stay": "guess", "language": "en"}
    answer = client.post("/phone/parking/pay", data=form, headers=OURS)
    assert answer.status_code == 409
    assert "10.00" not in answer.text


def test_a_window_slides_and_the_memory_has_an_end() -> None:
    keeper = RateKeeper(RateLimit(2, window_ms=10_000, keys=3))
    for at_s in (0, 4):
        assert keeper.wait_ms("a", at_s * SECOND_NS) == 0
        keeper.count("a", at_s * SECOND_NS)
    assert keeper.wait_ms("a", 5 * SECOND_NS) == 5_000
    assert keeper.wait_ms("a", 10 * SECOND_NS) == 0
    keeper.count("a", 10 * SECOND_NS)
    assert keeper.wait_ms("a", 11 * SECOND_NS) == 3_000
    for key in ("b", "c", "d"):
        keeper.count(key, 11 * SECOND_NS)
    assert keeper.wait_ms("a", 11 * SECOND_NS) == 0, "the key unheard of longest is forgotten"
