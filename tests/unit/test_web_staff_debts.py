"""The staff page of parking debts: who owes what, collected at a till, written off by a supervisor."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from edge.parking.debt import Debt, DebtCause, DebtState
from edge.parking.session import SessionState
from edge.services.record_debt import recent_debts
from edge.services.staff import StaffBook, StaffMember, hash_pin
from edge.services.take_cash import take_cash
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.staff.pages import box_pages
from sim.fakes.box import TILL
from tests.browser.desk_fake import PIN, DeskFake
from tests.unit.garage import PLATE, Garage
from tests.unit.staff_client import OURS

STAY = "stay-old"
SALT = bytes(16)


@pytest.fixture
def garage() -> Garage:
    garage = Garage()
    garage.come(session_id=STAY)
    gone = replace(garage.stay(STAY), state=SessionState.LEFT, left_at=garage.ports.clock.now().wall_at)
    debt = Debt("d-1", STAY, PLATE, 700, DebtCause.UNCONFIRMED, gone.left_at or 0, "out-1")
    garage.box.store.write(lambda unit: unit.sessions.put(gone))
    garage.box.store.write(lambda unit: unit.debts.put(debt))
    return garage


@pytest.fixture
def client(garage: Garage) -> FlaskClient:
    people = (
        StaffMember("李", "supervisor", hash_pin("4321", SALT)),
        StaffMember("王", "cashier", hash_pin("1234", SALT)),
    )
    pages = box_pages(garage.box, WebSettings(), staff=StaffBook(people, garage.box.clock))
    client = create_web(DeskFake(), WebSettings(), pages).test_client()
    client.set_cookie("language", "en", path="/staff")
    assert client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303
    return client


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    answer = client.post(path, data=form, headers=OURS)
    return answer.status_code, answer.text


def states(garage: Garage) -> list[DebtState]:
    return [one.state for one in recent_debts(garage.box)]


def test_the_page_says_who_owes_what_and_why(client: FlaskClient) -> None:
    page = client.get("/staff/debts").text
    assert PLATE in page
    assert "¥7.00" in page
    assert "Nobody could confirm the payment" in page
    assert re.search(r"Parking debts\s+\(1\)", page)


def test_a_debt_is_collected_at_a_till(client: FlaskClient, garage: Garage) -> None:
    assert post(client, f"/staff/debts/of/{STAY}/collect", till=TILL)[0] == 303
    assert take_cash(garage.box, TILL, 1_000) == 300
    assert states(garage) == [DebtState.SETTLED]
    assert "paid" in client.get("/staff/debts").text
    assert post(client, f"/staff/debts/of/{STAY}/collect", till=TILL)[0] == 400


def test_only_a_supervisor_writes_off_and_with_a_reason(client: FlaskClient, garage: Garage) -> None:
    path = "/staff/debts/d-1/write-off"
    for form in (
        {"pin": "9999", "reason": "misread"},
        {"pin": "1234", "reason": "misread"},
        {"pin": "4321", "reason": " "},
    ):
        assert post(client, path, **form)[0] == 400
    assert states(garage) == [DebtState.OPEN]
    assert post(client, path, pin="4321", reason="misread plate")[0] == 303
    assert states(garage) == [DebtState.WRITTEN_OFF]
    assert "misread plate" in client.get("/staff/debts").text
