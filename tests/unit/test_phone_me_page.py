"""The member's page in a browser: by forms alone, for what was joined there and nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant, Occasion
from edge.services.join_member import JoinAsk, join
from edge.services.own_membership import own_identities
from edge.services.publish_landing import LandingDraft, publish_landing
from edge.services.staff import StaffBook
from edge.web.changes import Changes
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.phone import api, me
from edge.web.service_desk import ServiceDesk
from edge.web.staff_status import Insight
from sim.fakes.box import COLA
from tests.unit.garage import PLATE
from tests.unit.test_phone_me import Members

OWN = {"Origin": "http://localhost"}


@pytest.fixture
def shop() -> Members:
    shop = Members()
    shop.box = replace(shop.box, rules=replace(shop.box.rules, public_url="https://mall.example"))
    return shop


def browser(shop: Members) -> FlaskClient:
    insight = Insight(lambda: (), lambda: (), lambda: (), "test", lambda: "ok", None, None)  # type: ignore[arg-type]
    settings = WebSettings(zone="UTC")
    desk = ServiceDesk(shop.box, StaffBook((), shop.box.clock), Changes(), insight, lambda *_: None)
    app = create_web(
        desk, settings, apart=(me.blueprint(shop.box, settings), api.blueprint(shop.box, settings))
    )
    return app.test_client()


def post(client: FlaskClient, path: str, **fields: str) -> str:
    answer = client.post(path, data=fields, headers=OWN)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_a_receipts_join_button_leads_to_the_page_and_on_the_way_of_the_purchase(shop: Members) -> None:
    order = shop.bought()
    client, token = browser(shop), shop.receipt_of(order)
    leads = post(client, f"/phone/r/{token}/touch?language=en", touchpoint="join", block="0")
    assert leads.startswith(f"/phone/me?r={token}&language=en&c=")
    page = client.get(leads).text
    assert "Become a member" in page
    assert "phone" not in {cookie.key for cookie in client._cookies.values()}
    back = post(client, leads.replace("/me?", "/me/join?"), version="7", agree="yes", receipt=token)
    page = client.get(back).text
    assert "This purchase earned 11 points." in page
    assert ("joined", "receipt.kiosk-1") in shop.steps(order)
    stay = shop.come(minutes_ago=50, session_id="stay-7")
    fields = {"version": "7", "agree": "yes", "receipt": token, "plate": PLATE, "key": "tap-00000001"}
    page = client.get(post(client, "/phone/me/plates?language=en", **fields)).text
    assert "粤B·123··" in page
    assert PLATE not in page.replace('placeholder="粤B12345"', "")
    assert shop.due(stay) == 0


def test_a_browser_sees_what_was_joined_in_it_and_nobody_elses(shop: Members) -> None:
    first, second = browser(shop), browser(shop)
    post(first, "/phone/me/join", version="7", agree="yes")
    assert "data-member" in first.get("/phone/me").text
    assert "data-member" not in second.get("/phone/me").text
    assert second.get("/phone/me/export").status_code == 404
    assert second.get("/phone/me/link.svg").status_code == 404
    export = json.loads(first.get("/phone/me/export").data)
    assert export["identities"][0]["kind"] == "browser"


def test_nobody_joins_without_a_tick_and_no_foreign_page_acts_for_one(shop: Members) -> None:
    client = browser(shop)
    assert "problem=invalid" in post(client, "/phone/me/join", version="7")
    assert "problem=invalid" in post(client, "/phone/me/join", version="6", agree="yes")
    post(client, "/phone/me/join", version="7", agree="yes")
    foreign = client.post(
        "/phone/me/erase", data={"confirm": "yes"}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    assert "data-member" in client.get("/phone/me").text


def test_cars_and_consents_are_taken_back_and_the_member_leaves_by_forms(shop: Members) -> None:
    client = browser(shop)
    post(client, "/phone/me/join", version="7", agree="yes")
    fields = {"version": "7", "agree": "yes", "plate": PLATE, "key": "tap-00000001"}
    post(client, "/phone/me/plates", **fields)
    token = next(iter(client._cookies.values())).value
    (plate,) = shop.json("GET", "/me", token)["plates"]
    post(client, f"/phone/me/plates/{plate['id']}/remove")
    assert "粤B·123··" not in client.get("/phone/me").text
    post(client, "/phone/me/consent", purpose="messages", version="7", given="yes")
    given = {one["purpose"]: one["given"] for one in shop.json("GET", "/me", token)["consents"]}
    assert given["messages"]
    consents = client.get("/phone/me?language=en").text
    assert 'href="#erase">Erase my data' in consents
    assert "Unbinds all my cars" in consents
    assert "problem=invalid" in post(client, "/phone/me/consent", purpose="plate", version="7")
    assert shop.json("GET", "/me", token)["consents"][1]["given"]
    post(client, "/phone/me/consent", purpose="plate", version="7", confirm="yes")
    given = {one["purpose"]: one["given"] for one in shop.json("GET", "/me", token)["consents"]}
    assert not given["plate"]
    assert "problem=plate" in post(
        client, "/phone/me/plates", **{**fields, "plate": "?", "key": "tap-00000002"}
    )
    assert "problem=invalid" in post(client, "/phone/me/erase")
    assert "said=erased" in post(client, "/phone/me/erase", confirm="yes")
    assert "data-member" not in client.get("/phone/me").text


def test_the_code_for_wechat_is_shown_in_a_browser_that_joined_and_in_no_cache(shop: Members) -> None:
    client = browser(shop)
    post(client, "/phone/me/join", version="7", agree="yes")
    assert "/phone/me/link.svg" in client.get("/phone/me").text
    picture = client.get("/phone/me/link.svg")
    assert (picture.mimetype, picture.headers["Cache-Control"]) == ("image/svg+xml", "no-store")
    other = browser(shop).get("/phone/me?language=en&m=a-code-of-the-first")
    assert "scan this code with WeChat" in other.text
    assert "data-member" not in other.text


def test_a_members_car_inside_is_shown_with_its_fee_and_paid_by_money_or_by_points(shop: Members) -> None:
    client = browser(shop)
    post(client, "/phone/me/join", version="7", agree="yes")
    stay, other = shop.come(minutes_ago=50), shop.come("粤B99999", minutes_ago=50)
    fields = {"version": "7", "agree": "yes", "plate": PLATE, "key": "tap-00000001"}
    post(client, "/phone/me/plates", **fields)
    page = client.get("/phone/me").text
    assert f'data-stay="{stay}"' in page
    assert other not in page
    assert "¥5.00" in page
    assert "problem=declined" in post(client, f"/phone/me/stays/{stay}/points", key="tap-00000002")
    assert "problem=invalid" in post(client, f"/phone/me/stays/{other}/pay")
    order_id = post(client, f"/phone/me/stays/{stay}/pay").split("/")[-1].partition("?")[0]
    (attempt,) = shop.attempts(order_id)
    assert shop.phones.pay(attempt.pay_url)
    shop.resolve(6_000)
    assert "¥5.00" not in client.get("/phone/me").text


def test_who_has_joined_sees_the_page_that_the_tenant_made_for_it(shop: Members) -> None:
    slot = LandingSlot("t-drinks", Occasion.JOIN)
    blocks = (LandingBlock(BlockKind.OFFER, "新客礼", url="/phone/shop"),)
    page = LandingPage("x", "t-drinks", "欢迎加入茶友会", blocks=blocks)
    publish_landing(shop.box, LandingDraft(slot, 0, (LandingVariant("A", page),)), "王")
    order = shop.order_of(COLA)
    shop.pay(shop.code())
    shop.wait(60_000)
    client = browser(shop)
    fields = {"version": "7", "agree": "yes", "receipt": shop.receipt_of(order)}
    shown = client.get(post(client, "/phone/me/join", **fields)).text
    assert "欢迎加入茶友会" in shown
    assert 'href="/phone/shop"' in shown
    assert "欢迎加入茶友会" not in client.get("/phone/me").text


def test_through_hqs_relay_every_address_of_the_page_keeps_the_boxs_prefix(shop: Members) -> None:
    client, prefix = browser(shop), "/b/demo-mall/edge-1"
    relayed = {"SCRIPT_NAME": prefix}
    fields = {"version": "7", "agree": "yes"}
    answer = client.post("/phone/me/join", data=fields, headers=OWN, environ_overrides=relayed)
    assert answer.headers["Location"].startswith(f"{prefix}/phone/me?")
    assert f"Path={prefix}/phone" in answer.headers["Set-Cookie"]
    token = answer.headers["Set-Cookie"].partition("phone=")[2].partition(";")[0]
    page = client.get("/phone/me", headers={"Cookie": f"phone={token}"}, environ_overrides=relayed).text
    assert "data-member" in page
    found = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
    assert len(found) > 8
    assert [one for one in found if not one.startswith(f"{prefix}/")] == []


def test_older_points_are_on_the_next_page(shop: Members) -> None:
    client = browser(shop)
    post(client, "/phone/me/join", version="7", agree="yes")
    token = next(iter(client._cookies.values())).value
    member = join(shop.box, JoinAsk(own_identities(shop.session(token)), "t", "7"))
    for _ in range(30):
        order = shop.bought()
        shop.json("POST", "/me/join", token, {"consent_version": "7", "receipt": shop.receipt_of(order)})
    page = client.get("/phone/me?language=en").text
    assert "&amp;before=" in page
    at = page.split("before=")[1].split('"')[0]
    assert member.member_id not in page
    assert "&amp;before=" not in client.get(f"/phone/me?before={at}").text
