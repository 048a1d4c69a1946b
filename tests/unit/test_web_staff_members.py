"""The staff pages of members: found, seen masked, handed out and erased with a supervisor's PIN."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from edge.members.consent import ConsentPurpose
from edge.members.identity import Identity, IdentityKind, read_identity
from edge.members.points import PointsPlan, PointsRule
from edge.services.change_consent import bind_plate, withdraw_consent
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.merge_members import merge_by_hq
from edge.services.spend_points import adjust_points
from edge.services.staff import StaffBook, StaffMember, hash_pin
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.staff.pages import box_pages
from sim.fakes.box import GATEWAY
from tests.browser.desk_fake import PIN, DeskFake
from tests.unit.shop import Shop
from tests.unit.staff_client import OURS

KEY = b"a key of sixteen"
PHONE = "13800138000"
PLATE = "粤B12345"
OPENID = Identity(IdentityKind.OPENID, "o-secret-abcdef")
SALT = bytes(16)


def staffed(shop: Shop) -> StaffBook:
    people = (
        StaffMember("李", "supervisor", hash_pin("4321", SALT)),
        StaffMember("王", "cashier", hash_pin("1234", SALT)),
    )
    return StaffBook(people, shop.box.clock)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    rules = MemberRules(KEY, PointsPlan((PointsRule("", 1),)), circle_gateway=GATEWAY)
    shop.box = replace(shop.box, members=rules)
    return shop


@pytest.fixture
def member(shop: Shop) -> str:
    phone = read_identity(IdentityKind.PHONE, PHONE, KEY)
    joined = join(shop.box, JoinAsk((OPENID, phone), "kiosk-1", "2026-1", "8000")).member_id
    now = shop.box.clock.now()
    shop.box.store.write(lambda unit: bind_plate(unit, shop.box, joined, PLATE, "2026-1", "phone", now))
    shop.box.store.write(lambda unit: adjust_points(unit, shop.box, joined, 120, "李", "complaint", now))
    return joined


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    pages = box_pages(shop.box, WebSettings(), staff=staffed(shop))
    client = create_web(DeskFake(), WebSettings(), pages).test_client()
    client.set_cookie("language", "en", path="/staff")
    assert client.post("/staff/login", data={"pin": PIN}, headers=OURS).status_code == 303
    return client


def post(client: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    answer = client.post(path, data=form, headers=OURS)
    return answer.status_code, answer.text


@pytest.mark.parametrize("text", ["8000", PHONE, "+86 138 0013 8000", "MEMBER"])
def test_a_member_is_found_and_shown_masked(client: FlaskClient, member: str, text: str) -> None:
    status, page = post(client, "/staff/members", text=member if text == "MEMBER" else text)
    assert status == 200
    assert f'data-member="{member}"' in page
    assert "•••• 8000" in page
    assert PHONE not in page


def test_what_is_nobodys_finds_nobody(client: FlaskClient, member: str) -> None:
    for text in ("9999", "13900139000", "<b>"):
        assert "Nobody was found" in post(client, "/staff/members", text=text)[1]
    assert client.get("/staff/members/nobody").status_code == 404
    assert "0 waiting" in client.get("/staff/members").text


def test_the_page_has_points_consents_and_no_secret(client: FlaskClient, shop: Shop, member: str) -> None:
    now = shop.box.clock.now()
    shop.box.store.write(lambda unit: withdraw_consent(unit, shop.box, member, ConsentPurpose.PLATE, now))
    shop.box.store.write(lambda unit: merge_by_hq(unit, shop.box, member, "m-900001", "HQ", now))
    page = client.get(f"/staff/members/{member}").text
    for words in ("+120", "complaint", "Membership", "2026-1", "•••0001", "Mini-program", "hq"):
        assert words in page, words
    for secret in (OPENID.value, PHONE, PLATE):
        assert secret not in page


def test_data_is_handed_out_with_a_supervisors_pin_alone(
    client: FlaskClient, shop: Shop, member: str
) -> None:
    path = f"/staff/members/{member}/export"
    assert post(client, path, pin="1234")[0] == 400
    assert post(client, path, pin="9999")[0] == 400
    answer = client.post(path, data={"pin": "4321"}, headers=OURS)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["member"]["points"] == 120
    notes = shop.box.store.read(lambda unit: unit.people.notes(member, 9))
    assert [(one.action, one.by) for one in notes] == [("export", "李")]
    assert "Exported" in client.get(f"/staff/members/{member}").text


def test_a_supervisor_erases_with_a_reason(client: FlaskClient, member: str) -> None:
    path = f"/staff/members/{member}/erase"
    for form in ({"pin": "1234", "reason": "x"}, {"pin": "4321", "reason": " "}):
        assert post(client, path, **form)[0] == 400
    assert post(client, path, pin="4321", reason="asked for it")[0] == 303
    assert "removed from this box" in client.get("/staff/members?erased=1").text
    assert client.get(f"/staff/members/{member}").status_code == 404
    assert "Nobody was found" in post(client, "/staff/members", text=PHONE)[1]
