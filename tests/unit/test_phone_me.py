"""Members on their own phone: join with and without WeChat, points, cars, consents, leaving."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from edge.members.identity import Identity, IdentityKind, read_identity
from edge.members.landing import BlockKind, LandingBlock, LandingPage
from edge.members.landing_version import LandingSlot, LandingVariant
from edge.members.points import PointsLease, PointsPlan, PointsRule
from edge.members.touchpoint import Touchpoint, build_book
from edge.parking.benefit import BenefitKind
from edge.parking.validation import Grant
from edge.parking.validation_rule import PointsPrice, SpendStep, ValidationPlan, ValidationRule
from edge.retail.order import Order
from edge.services.identify_member import order_member
from edge.services.join_member import JoinAsk, join
from edge.services.journey_records import LinkKind
from edge.services.member_rules import MemberRules
from edge.services.own_membership import link_code
from edge.services.publish_landing import LandingDraft, publish_landing
from edge.services.quote_session import quote_session
from edge.services.touch_rules import TouchRules
from edge.web.phone.plate_limit import OF_CLIENT
from sim.fakes.box import BREAD, COLA, KIOSK
from tests.unit.garage import PLATE
from tests.unit.phone_shop import PhoneShop

KEY = b"a key of sixteen"
DAY_MS = 86_400_000
HOUR = Grant(BenefitKind.MINUTES, 60)
JOIN = {"consent_version": "7"}


@dataclass
class Members(PhoneShop):
    """A shop whose spending earns points, pays parking, and whose shoppers come by a poster."""

    def __post_init__(self) -> None:
        PhoneShop.__post_init__(self)
        rules = MemberRules(KEY, PointsPlan((PointsRule("", 1, 100),)), "7")
        validation = ValidationPlan((ValidationRule("hour", (SpendStep(500, HOUR),)),))
        book = build_book([Touchpoint("poster", leads_to="/phone/shop")], [], [KIOSK], [])
        parking = replace(self.box.parking, validation=validation, plate_key=KEY, points=PointsPrice(5, HOUR))
        self.box = replace(self.box, members=rules, parking=parking, touch=TouchRules(book))
        self.set_phones(self.box.phone)

    def bought(self) -> Order:
        """Return what somebody bought at the kiosk for 11.50 yuan."""
        order = self.order_of(BREAD, COLA)
        self.pay(self.code())
        self.wait(60_000)
        return self.stored_order(order.order_id)

    def receipt_of(self, order: Order) -> str:
        found = self.receipt(order.order_id)
        assert found is not None
        return found.token

    def due(self, stay: str) -> int:
        at = self.ports.clock.now().wall_at
        quote = self.box.store.read(lambda unit: quote_session(unit, self.box, self.stay(stay), at))
        return quote.due_fen

    def steps(self, order: Order) -> list[tuple[str, str]]:
        def query(unit: Any) -> list[tuple[str, str]]:
            way = unit.journeys.linked(LinkKind.ORDER, order.order_id)
            return [(one.step.value, one.touchpoint) for one in unit.journeys.steps(way)]

        return self.box.store.read(query)


@pytest.fixture
def shop() -> Members:
    return Members()


def tap(number: int = 1) -> str:
    return f"tap-{number:08d}"


def bind(number: int) -> dict[str, str]:
    return {"plate": PLATE, "consent_version": "7", "key": tap(number)}


def test_a_phone_that_is_nobodys_sees_nothing_of_anybody(shop: Members) -> None:
    join(shop.box, JoinAsk((Identity(IdentityKind.OPENID, "openid-a"),), "t", "7"))
    token = shop.open_phone()
    me = shop.json("GET", "/me", token)
    assert (me["member"], me["consents"], me["coupons"], me["plates"]) == (None, [], [], [])
    assert me["consent_version"] == "7"
    assert me["texts"]["membership"]
    assert shop.call("GET", "/me/export", token).status_code == 409
    assert shop.call("POST", "/me/plates", token, bind(1)).status_code == 409
    assert shop.call("GET", "/me").status_code == 401


@pytest.mark.parametrize("openid", ["", "openid-a"])
def test_who_joins_on_the_receipt_gets_that_purchases_points_and_drives_out_free(
    shop: Members, openid: str
) -> None:
    stay = shop.come(minutes_ago=50)
    assert shop.due(stay) == 500
    order = shop.bought()
    token = shop.sign_in(openid) if openid else shop.open_phone()
    me = shop.json("POST", "/me/join", token, {**JOIN, "receipt": shop.receipt_of(order)})
    assert me["member"]["points"] == 11
    assert me["member"]["provisional"] is True
    assert me["joined"]["points"] == 11
    bound = {"plate": PLATE, "consent_version": "7", "key": tap(), "receipt": shop.receipt_of(order)}
    me = shop.json("POST", "/me/plates", token, bound)
    assert [one["masked"] for one in me["plates"]] == ["粤B·123··"]
    assert shop.due(stay) == 0
    assert [one["what"] for one in me["coupons"]] == ["parking"]
    steps = shop.steps(order)
    assert ("joined", "receipt.kiosk-1") in steps
    assert ("identified", "receipt.kiosk-1") in steps
    assert steps[-1] == ("parked", "receipt.kiosk-1")
    member = shop.box.store.read(lambda unit: order_member(unit, order.order_id))
    life = shop.box.store.read(lambda unit: unit.guide_tasks.life(member))
    assert life is not None
    assert (life.purchases, life.last_order) == (1, order.order_id)
    again = shop.json("POST", "/me/join", token, {**JOIN, "receipt": shop.receipt_of(order)})
    assert again["member"]["points"] == 11
    assert again["joined"]["points"] == 0
    lines = shop.json("GET", "/me/points", token)["lines"]
    assert [(one["points"], one["kind"]) for one in sorted(lines, key=lambda one: one["points"])] == [
        (3, "earn"),
        (8, "earn"),
    ]


def test_the_coupons_of_a_purchases_page_are_kept_until_that_page_ends(shop: Members) -> None:
    blocks = (
        LandingBlock(BlockKind.COUPON, "八折", "20 % off", code="TEA-80"),
        LandingBlock(BlockKind.COUPON, "没有代码"),
        LandingBlock(BlockKind.TEXT, "欢迎"),
    )
    mall = LandingPage("", "", "谢谢惠顾", blocks=blocks)
    ends_at = shop.box.clock.now().wall_at + DAY_MS
    draft = LandingDraft(LandingSlot(""), 0, (LandingVariant("A", mall),), valid_to=ends_at)
    publish_landing(shop.box, draft, "王")
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    for _ in range(2):
        order = shop.phone_order(token)
        payment = shop.json("POST", f"/orders/{order.order_id}/pay", token)
        assert shop.pays_inside(payment, "openid-a")
        shop.resolve(10_000)
    coupon, *others = [one for one in shop.json("GET", "/me", token)["coupons"] if one["what"] == "coupon"]
    assert others == []
    said = {name: coupon[name] for name in ("code", "name", "state", "ends_at", "what")}
    wanted = {"code": "TEA-80", "name": "八折", "state": "granted", "ends_at": ends_at, "what": "coupon"}
    assert said == wanted
    english = shop.json("GET", "/me?language=en", token)["coupons"]
    assert "20 % off" in [one["name"] for one in english]
    shop.wait(DAY_MS)
    later = shop.json("GET", "/me", token)["coupons"]
    assert [one["state"] for one in later if one["what"] == "coupon"] == ["expired"]


def test_a_purchase_is_nobody_elses_and_not_for_ever(shop: Members) -> None:
    order = shop.bought()
    shop.json("POST", "/me/join", shop.sign_in("openid-a"), {**JOIN, "receipt": shop.receipt_of(order)})
    other = shop.json(
        "POST", "/me/join", shop.sign_in("openid-b"), {**JOIN, "receipt": shop.receipt_of(order)}
    )
    assert (other["member"]["points"], other["joined"]["points"]) == (0, 0)
    late = shop.bought()
    shop.wait(8 * DAY_MS)
    third = shop.json(
        "POST", "/me/join", shop.sign_in("openid-c"), {**JOIN, "receipt": shop.receipt_of(late)}
    )
    assert (third["member"]["points"], third["joined"]["points"]) == (0, 0)


def test_an_order_by_its_id_must_be_this_phones_own(shop: Members) -> None:
    order = shop.bought()
    token = shop.sign_in("openid-a")
    me = shop.json("POST", "/me/join", token, {**JOIN, "order_id": order.order_id})
    assert me["member"]["points"] == 0
    assert shop.box.store.read(lambda unit: order_member(unit, order.order_id)) == ""


def test_a_browsers_membership_becomes_the_one_that_wechat_proves_and_shows_nothing_of_it(
    shop: Members,
) -> None:
    order = shop.bought()
    browser = shop.open_phone()
    shop.json("POST", "/me/join", browser, {**JOIN, "receipt": shop.receipt_of(order)})
    phone = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", phone, JOIN)
    code = link_code(shop.box, shop.session(browser), shop.ports.clock.now())
    me = shop.json("POST", "/me/join", phone, {**JOIN, "link": code})
    assert me["member"]["points"] == 11
    assert shop.json("GET", "/me", browser)["member"] is None
    assert shop.call("POST", "/me/join", phone, {**JOIN, "link": code}).status_code == 409
    assert shop.call("POST", "/me/join", shop.open_phone(), {**JOIN, "link": code}).status_code == 409
    assert shop.call("POST", "/me/join", phone, {**JOIN, "link": "x" + code[1:]}).status_code == 400


def test_a_browsers_code_is_over_after_ten_minutes(shop: Members) -> None:
    browser = shop.open_phone()
    shop.json("POST", "/me/join", browser, JOIN)
    code = link_code(shop.box, shop.session(browser), shop.ports.clock.now())
    shop.wait(11 * 60_000)
    assert shop.call("POST", "/me/join", shop.sign_in("openid-a"), {**JOIN, "link": code}).status_code == 409


def test_joining_needs_the_present_texts(shop: Members) -> None:
    token = shop.open_phone()
    answer = shop.call("POST", "/me/join", token, {"consent_version": "6"}, Accept_Language="en")
    assert answer.status_code == 400
    assert "texts have changed meanwhile" in answer.get_json()["message"]
    assert shop.json("GET", "/me", token)["member"] is None


def test_a_phone_number_joins_two_memberships_and_is_never_needed(shop: Members) -> None:
    phone = read_identity(IdentityKind.PHONE, "13800138000", KEY)
    old = join(shop.box, JoinAsk((phone,), "counter", "7", "8000"))
    token = shop.sign_in("openid-a")
    assert shop.call("POST", "/me/phone", token, {"code": "c"}).status_code == 409
    shop.json("POST", "/me/join", token, JOIN)
    shop.program.gives_number("phone-code", "13800138000")
    me = shop.json("POST", "/me/phone", token, {"code": "phone-code"})
    assert me["member"]["phone"] == "•••• 8000"
    assert me["member"]["number"].endswith(old.member_id[-4:])
    assert "13800138000" not in json.dumps(me)
    browser = shop.open_phone()
    shop.json("POST", "/me/join", browser, JOIN)
    assert shop.call("POST", "/me/phone", browser, {"code": "phone-code"}).status_code == 409


def test_plates_are_bound_once_a_tap_masked_and_unbound_with_their_consent(shop: Members) -> None:
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    for _ in range(2):
        me = shop.json("POST", "/me/plates", token, bind(1))
    assert PLATE not in json.dumps(me, ensure_ascii=False)
    (plate,) = me["plates"]
    assert {one["purpose"]: one["given"] for one in me["consents"]}["plate"] is True
    me = shop.json("POST", f"/me/plates/{plate['id']}/remove", token)
    assert me["plates"] == []
    shop.json("POST", "/me/plates", token, bind(2))
    me = shop.json("POST", "/me/consent", token, {"purpose": "plate", "version": "7", "given": False})
    assert me["plates"] == []
    wrong = shop.call("POST", "/me/plates", token, {**bind(3), "plate": "?"}, Accept_Language="en")
    assert (wrong.status_code, wrong.get_json()["message"][:24]) == (400, "This is no plate number.")


def test_consent_is_given_to_the_present_text_and_membership_is_left_by_erasure(shop: Members) -> None:
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    me = shop.json("POST", "/me/consent", token, {"purpose": "messages", "version": "7", "given": True})
    assert {one["purpose"]: (one["version"], one["given"]) for one in me["consents"]}["messages"] == (
        "7",
        True,
    )
    for wrong in ({"purpose": "messages", "version": "6", "given": True}, {"purpose": "love", "given": True}):
        assert shop.call("POST", "/me/consent", token, wrong).status_code == 400
    leave = {"purpose": "membership", "given": False}
    refused = shop.call("POST", "/me/consent", token, leave, Accept_Language="en")
    assert refused.status_code == 409
    assert "Erase my data" in refused.get_json()["message"]


def test_members_take_their_data_with_them_and_leave_for_good(shop: Members) -> None:
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    shop.json("POST", "/me/plates", token, bind(1))
    export = json.dumps(shop.json("GET", "/me/export", token), ensure_ascii=False)
    assert "粤B·123··" in export
    assert PLATE not in export
    assert "openid-a" not in export
    assert shop.call("POST", "/me/erase", token, {}).status_code == 400
    assert shop.call("POST", "/me/erase", token, {"confirm": True}).status_code == 204
    assert shop.call("GET", "/me", token).status_code == 401
    assert shop.json("GET", "/me", shop.sign_in("openid-a"))["member"] is None


def test_points_are_paged_by_moment(shop: Members) -> None:
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    for _ in range(30):
        order = shop.bought()
        shop.json("POST", "/me/join", token, {**JOIN, "receipt": shop.receipt_of(order)})
    first = shop.json("GET", "/me/points", token)
    assert (first["balance"], first["more"]) == (330, True)
    rest = shop.json("GET", f"/me/points?before={first['lines'][-1]['at']}", token)
    assert rest["more"] is False
    assert sum(one["points"] for one in (*first["lines"], *rest["lines"])) == 330
    assert shop.call("GET", "/me/points?before=x", token).status_code == 400


def test_my_cars_are_found_shown_masked_and_paid_and_no_others(shop: Members) -> None:
    stay, other = shop.come(minutes_ago=90), shop.come("粤B99999", minutes_ago=90)
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    assert shop.json("GET", "/parking?mine=1", token) == {"stays": []}
    shop.json("POST", "/me/plates", token, bind(1))
    (shown,) = shop.json("GET", "/parking?mine=1", token)["stays"]
    assert (shown["stay_id"], shown["plate"], shown["due_fen"]) == (stay, "粤B·123··", 1_000)
    assert shown["segments"]
    payment = shop.json("POST", f"/parking/{stay}/pay", token, {"by": "mine", "word": ""})
    assert (payment["state"], payment["way"], payment["amount_fen"]) == ("open", "jsapi", 1_000)
    assert shop.call("POST", f"/parking/{other}/pay", token, {"by": "mine", "word": ""}).status_code == 404
    assert shop.pays_inside(payment, "openid-a")


def test_a_stay_is_found_by_ticket_and_by_plate_so_often_and_no_more(shop: Members) -> None:
    stay = shop.come("", minutes_ago=90, ticket="T-1")
    token = shop.open_phone()
    (shown,) = shop.json("GET", "/parking?ticket=T-1", token)["stays"]
    assert (shown["stay_id"], shown["plate"]) == (stay, "")
    payment = shop.json("POST", f"/parking/{stay}/pay", token, {"by": "ticket", "word": "T-1"})
    assert (payment["way"], bool(payment["code_url"])) == ("native", True)
    shop.come()
    for _ in range(OF_CLIENT.most):
        assert shop.json("GET", f"/parking?plate={PLATE}", token)["stays"]
    answer = shop.call("GET", f"/parking?plate={PLATE}", token)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert shop.call("GET", "/parking", token).status_code == 400


def test_leased_points_pay_a_stay_once_a_tap(shop: Members) -> None:
    stay = shop.come(minutes_ago=50)
    token = shop.sign_in("openid-a")
    shop.json("POST", "/me/join", token, JOIN)
    shop.json("POST", "/me/plates", token, bind(1))
    ask = {"by": "mine", "word": "", "key": tap(2)}
    assert shop.call("POST", f"/parking/{stay}/points", token, ask).status_code == 409
    member = shop.box.store.read(
        lambda unit: unit.people.by_identity(Identity(IdentityKind.OPENID, "openid-a"))
    )
    now = shop.ports.clock.now().wall_at
    lease = PointsLease("lease-1", member, 8, now, now + DAY_MS)
    shop.box.store.write(lambda unit: unit.points.put_lease(lease))
    for _ in range(2):
        (shown,) = shop.json("POST", f"/parking/{stay}/points", token, ask)["stays"]
    assert (shown["due_fen"], shown["points_price"]) == (0, 5)
    left = shop.box.store.read(lambda unit: unit.points.lease("lease-1"))
    assert left is not None
    assert left.spent == 5


def test_the_page_after_payment_is_read_touched_and_leads_on_by_the_mini_program(shop: Members) -> None:
    order = shop.bought()
    token = shop.receipt_of(order)
    page = shop.json("GET", f"/landing/{token}")
    assert (page["number"], page["total_fen"], page["landing"]["title"]) == (order.number, 1_150, "谢谢")
    assert page["c"]
    assert shop.call("POST", f"/landing/{token}/touch", "", {"touchpoint": "opened"}).status_code == 204
    assert (
        shop.call("POST", f"/landing/{token}/touch", "", {"touchpoint": "join", "block": 0}).status_code
        == 204
    )
    assert shop.call("POST", f"/landing/{token}/touch", "", {"touchpoint": "nonsense"}).status_code == 400
    assert shop.call("GET", "/landing/unknown").status_code == 404
    assert shop.steps(order)[-3:] == [
        ("scanned", "receipt.kiosk-1"),
        ("opened", "landing.mall"),
        ("opened", "landing.mall"),
    ]


def test_a_code_scanned_in_the_mini_program_is_a_step_of_the_phones_way(shop: Members) -> None:
    token = shop.open_phone()
    way = shop.session(token).correlation
    assert shop.json("POST", "/touch", token, {"touchpoint": "poster", "scene": 1047}) == {
        "c": way,
        "leads_to": "/phone/shop",
    }
    other = shop.json("POST", "/touch", token, {"touchpoint": "poster", "c": "way-00000009"})
    assert other["c"] == "way-00000009"
    session = shop.session(token)
    assert (session.correlation, session.scene) == ("way-00000009", 1047)
    assert shop.call("POST", "/touch", token, {"touchpoint": "nowhere"}).status_code == 404
