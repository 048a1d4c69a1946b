"""The staff pages of passes, reservations and plates: what people do there, and what they are told."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from edge.parking.parking_pass import PassState
from edge.parking.reservation import ReservationState
from tests.unit.garage import Garage
from tests.unit.staff_client import OURS, PERSON, staff_client

KEY = "00000000-0000-7000-8000-000000000001"
FORM = {
    "key": KEY,
    "kind": "stored_times",
    "holder": "李雷",
    "plates": "粤b·12345，粤BD12345",
    "spaces": "1",
    "amount": "10",
    "price": "90.00",
}


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
def client(garage: Garage) -> FlaskClient:
    return staff_client(garage.box)


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    answer = client.post(path, data=form, headers=OURS)
    return answer.status_code, answer.get_data(as_text=True)


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_pass_is_issued_found_and_topped_up_once(client: FlaskClient, garage: Garage) -> None:
    assert post(client, "/staff/passes", **FORM)[0] == 303
    assert post(client, "/staff/passes", **FORM)[0] == 303
    assert "李雷" in page(client, "/staff/passes?text=12345")
    assert "No pass was found" in page(client, "/staff/passes?text=99999")
    more = {"key": KEY.replace("1", "2"), "do": "top_up", "kind": "stored_times", "amount": "5"}
    for _ in range(2):
        assert post(client, f"/staff/passes/{KEY}", **more)[0] == 303
    assert "15 visits left" in page(client, f"/staff/passes/{KEY}")
    one = garage.box.store.read(lambda unit: unit.passes.get(KEY))
    assert one is not None
    assert (one.plates, one.price_fen, one.issued_by) == (("粤B12345", "粤BD12345"), 9_000, PERSON)


def test_a_mistake_is_told_and_what_was_typed_stays(client: FlaskClient) -> None:
    status, text = post(client, "/staff/passes", **{**FORM, "plates": "!!"})
    assert status == 400
    assert "can be no plate" in text
    assert 'value="李雷"' in text
    for wrong in ({"kind": "weekly"}, {"key": "x"}, {"amount": "many"}, {"price": "?"}):
        assert post(client, "/staff/passes", **{**FORM, **wrong})[0] == 400


def test_a_pass_is_renewed_shared_blocked_lifted_and_cancelled(client: FlaskClient, garage: Garage) -> None:
    post(client, "/staff/passes", **{**FORM, "kind": "month", "terms": "1"})
    path = f"/staff/passes/{KEY}"

    def state() -> PassState:
        one = garage.box.store.read(lambda unit: unit.passes.get(KEY))
        assert one is not None
        return one.state

    assert post(client, path, key=KEY, do="renew", terms="2", price="600")[0] == 303
    assert post(client, path, key=KEY, do="edit", plates="粤B12345 粤B67890", spaces="2")[0] == 303
    assert "2 cars on 2 space(s)" in page(client, path)
    assert post(client, path, key=KEY, do="block", reason="")[0] == 400
    for what, after in (("block", "blocked"), ("lift", "active"), ("cancel", "cancelled")):
        assert post(client, path, key=KEY, do=what, reason="asked for")[0] == 303
        assert state() == after
    assert post(client, path, key=KEY, do="sing")[0] == 400
    assert client.get("/staff/passes/none").status_code == 404


def test_a_space_is_kept_and_given_up(client: FlaskClient, garage: Garage) -> None:
    form = {
        "key": KEY,
        "plate": "粤B12345",
        "zone": "p1",
        "from": "2026-11-23T10:00",
        "to": "2026-11-23T12:00",
    }
    assert post(client, "/staff/passes/reservations", **form)[0] == 303
    assert "粤B12345" in page(client, "/staff/passes")
    assert post(client, "/staff/passes/reservations", do="cancel", reservation=KEY)[0] == 303
    one = garage.box.store.read(lambda unit: unit.passes.reservation(KEY))
    assert one is not None
    assert one.state is ReservationState.CANCELLED
    for wrong in ({"from": "soon"}, {"zone": "roof"}, {"to": "2026-11-23T09:00"}):
        assert (
            post(client, "/staff/passes/reservations", **{**form, "key": KEY[:-1] + "9", **wrong})[0] == 400
        )


def test_a_misread_car_is_found_and_put_right(client: FlaskClient, garage: Garage) -> None:
    session_id = garage.come("粤B1B345")
    found = page(client, "/staff/plates?text=粤B18345")
    assert "粤B1B345" in found
    assert "B ⇄ 8" in found
    entered = re.search(r'name="entered_was" value="([^"]+)"', found)
    assert entered is not None
    form = {"session": session_id, "was": "粤B1B345", "entered": entered[1], "entered_was": entered[1]}
    assert post(client, "/staff/plates", **form, plate="粤B18345", reason="")[0] == 400
    assert post(client, "/staff/plates", **form, plate="粤B18345", reason="misread")[0] == 303
    assert garage.stay(session_id).plate == "粤B18345"
    told = page(client, "/staff/plates")
    assert "misread" in told
    assert PERSON in told
    assert "No car inside" in page(client, "/staff/plates?text=京A99999")


def test_an_entry_time_is_put_right(client: FlaskClient, garage: Garage) -> None:
    session_id, before = garage.come(), garage.stay(garage.come()).entered_at
    form = {
        "session": session_id,
        "was": "粤B12345",
        "plate": "粤B12345",
        "reason": "ticket",
        "entered_was": "x",
    }
    assert post(client, "/staff/plates", **form, entered="soon")[0] == 400
    assert post(client, "/staff/plates", **form, entered="2020-01-01T00:00")[0] == 400
    assert garage.stay(session_id).entered_at == before
