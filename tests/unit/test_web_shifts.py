"""The shift pages' answers to what cannot be done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from edge.services.open_shift import open_shift
from sim.fakes.box import KIOSK, RULES, TILL
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS, PERSON, staff_client


@pytest.fixture
def shop() -> Shop:
    return Shop(replace(RULES, cash_needs_shift=True))


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    return staff_client(shop.box)


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    answer = client.post(f"/staff/shifts/{path}", data=form, headers=OURS)
    return answer.status_code, answer.get_data(as_text=True)


def test_who_is_signed_in_opens_the_shift(client: FlaskClient, shop: Shop) -> None:
    assert post(client, f"at/{TILL}/open", float="200.50")[0] == 303
    shift = shop.box.store.read(lambda unit: unit.shifts.current(TILL))
    assert shift is not None
    assert (shift.cashier, shift.float_fen) == (PERSON, 20_050)


@pytest.mark.parametrize(
    ("step", "form", "words"),
    [
        ("count", {}, "no shift is open at till-1"),
        ("open", {"float": "1,5"}, "is not an amount in yuan"),
        ("open", {"float": "-1"}, "a float of -100 fen"),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(
    client: FlaskClient, step: str, form: dict[str, str], words: str
) -> None:
    status, page = post(client, f"at/{TILL}/{step}", **form)
    assert status == 409
    assert words in page
    assert 'role="alert"' in page


@pytest.mark.parametrize(
    ("step", "form", "words"),
    [
        ("open", {"float": "0"}, "goes on at till-1; close it first"),
        ("move", {"kind": "steal", "amount": "1", "reason": "x"}, "choose pay-in"),
        ("move", {"kind": "pay_in", "amount": "", "reason": "x"}, "is not an amount"),
        ("move", {"kind": "pick_up", "amount": "1", "reason": " "}, "a reason is needed"),
        ("counted", {"note_100": "1"}, "begin the count first"),
        ("close", {"reason": "x"}, "count the drawer of till-1"),
    ],
)
def test_an_open_shift_refuses_what_it_cannot_take(
    client: FlaskClient, shop: Shop, step: str, form: dict[str, str], words: str
) -> None:
    open_shift(shop.box, TILL, "李雷", 0)
    status, page = post(client, f"at/{TILL}/{step}", **form)
    assert status == 409
    assert words in page


@pytest.mark.parametrize("pieces", ["1.5", "-1", "x", "1234567", "²"])
def test_pieces_are_whole_numbers(client: FlaskClient, shop: Shop, pieces: str) -> None:
    open_shift(shop.box, TILL, "李雷", 0)
    assert post(client, f"at/{TILL}/count")[0] == 303
    status, page = post(client, f"at/{TILL}/counted", note_100=pieces)
    assert status == 409
    assert "is not a number of pieces" in page


def test_the_x_report_is_not_shown_during_a_blind_count(client: FlaskClient, shop: Shop) -> None:
    shift = open_shift(shop.box, TILL, "李雷", 0)
    path = f"/staff/shifts/reports/{shift.shift_id}"
    assert client.get(path).status_code == 200
    assert post(client, f"at/{TILL}/count")[0] == 303
    assert client.get(path).status_code == 409


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/staff/shifts/at/nowhere", 404),
        ("/staff/shifts/reports/none", 400),
        ("/staff/shifts?day=yesterday", 400),
        ("/staff/shifts?day=2026-11-21", 200),
        (f"/staff/shifts/at/{KIOSK}", 200),
    ],
)
def test_addresses_that_lead_nowhere_are_told(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_form_of_another_site_is_refused(client: FlaskClient) -> None:
    answer = client.post(f"/staff/shifts/at/{TILL}/open", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
