"""Phones have sessions: begun for nobody, signed in by the mini-program, bounded, ended by time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Unavailable
from edge.members.identity import Identity, IdentityKind
from edge.members.member import MemberProfile, ProfileState
from edge.members.touchpoint import Touchpoint, build_book
from edge.services.phone_records import PhoneSession, hash_token
from edge.services.phone_session import (
    SEEN_EVERY_MS,
    log_in,
    member_of_session,
    session_of,
    tidy_sessions,
)
from edge.services.record_conversion import scan_touchpoint
from edge.services.records import Unit
from edge.services.touch_rules import TouchRules
from edge.web.phone.api.session import LOGINS_PER_MINUTE
from tests.unit.phone_shop import RULES, PhoneShop

DAY_MS = 86_400_000


@pytest.fixture
def shop() -> PhoneShop:
    return PhoneShop()


def member(shop: PhoneShop, kind: IdentityKind, value: str, name: str = "m-1") -> None:
    def work(unit: Unit) -> None:
        at = shop.ports.clock.now().wall_at
        unit.people.put_profile(MemberProfile(name, ProfileState.PROVISIONAL, at, at))
        unit.people.put_identity(Identity(kind, value), name, at)

    shop.box.store.write(work)


def test_a_phone_that_is_nobody_yet_gets_a_token_which_alone_opens_its_session(shop: PhoneShop) -> None:
    answer = shop.json("POST", "/session", body={"c": "way-00000001", "language": "en"})
    session = shop.session(answer["token"])
    assert (session.openid, session.correlation, session.language) == ("", "way-00000001", "en")
    assert (answer["c"], answer["signed_in"]) == ("way-00000001", False)
    assert answer["expires_at"] == session.seen_at + 30 * DAY_MS
    assert session.token_hash == hash_token(answer["token"])
    assert answer["token"] not in repr(session)
    assert session_of(shop.box, answer["token"][:-1] + "?") is None


def test_a_way_that_is_none_is_replaced_by_a_new_one(shop: PhoneShop) -> None:
    answer = shop.json("POST", "/session", body={"c": "<no>"})
    assert answer["c"] != "<no>"
    assert len(answer["c"]) >= 8


def test_signing_in_keeps_what_the_phone_holds(shop: PhoneShop) -> None:
    token = shop.open_phone()
    order = shop.phone_order(token)
    assert shop.sign_in("openid-a", token, scene=1011) == token
    session = shop.session(token)
    assert (session.openid, session.order_id, session.scene) == ("openid-a", order.order_id, 1011)


def test_another_shopper_on_the_same_phone_begins_anew(shop: PhoneShop) -> None:
    token = shop.sign_in("openid-a")
    order = shop.phone_order(token)
    other = shop.sign_in("openid-b", token)
    assert other != token
    assert shop.session(other).order_id is None
    assert shop.session(token).order_id == order.order_id


def test_the_same_shopper_on_a_second_phone_sees_the_order_and_nobody_else_does(shop: PhoneShop) -> None:
    order = shop.phone_order(shop.sign_in("openid-a"))
    second, stranger, nobody = shop.sign_in("openid-a"), shop.sign_in("openid-b"), shop.open_phone()
    asked = [shop.call("GET", f"/orders/{order.order_id}", one) for one in (second, stranger, nobody)]
    assert [one.status_code for one in asked] == [200, 403, 403]
    assert asked[1].get_json()["error"] == "not_yours"


def test_a_code_works_once(shop: PhoneShop) -> None:
    code = shop.program.gives_code("code-x", "openid-a")
    assert shop.call("POST", "/login", body={"code": code}).status_code == 200
    again = shop.call("POST", "/login", body={"code": code})
    assert (again.status_code, again.get_json()["error"]) == (403, "login_refused")


def test_when_wechat_cannot_be_asked_the_phone_tries_again(shop: PhoneShop) -> None:
    code = shop.program.gives_code("code-x", "openid-a")
    shop.program.fail_next(Unavailable("not reached"))
    answer = shop.call("POST", "/login", body={"code": code})
    assert (answer.status_code, answer.get_json()["error"]) == (503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_a_box_without_a_mini_program_signs_nobody_in(shop: PhoneShop) -> None:
    shop.box = replace(shop.box, mini_program=None)
    with pytest.raises(Unavailable, match="mini_program"):
        log_in(shop.box, "code-x")


@pytest.mark.parametrize("token", ["", "x" * 22, "x" * 500])
def test_without_a_session_nothing_is_answered(shop: PhoneShop, token: str) -> None:
    answer = shop.call("GET", "/orders/o-1", token)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "no_session")


def test_a_session_ends_when_it_was_not_used_for_its_time(shop: PhoneShop) -> None:
    token, used = shop.open_phone(), shop.open_phone()
    shop.wait(29 * DAY_MS)
    assert session_of(shop.box, used) is not None
    shop.wait(2 * DAY_MS)
    assert session_of(shop.box, token) is None
    assert session_of(shop.box, used) is not None
    assert tidy_sessions(shop.box) == 1


def test_a_session_is_written_as_seen_only_now_and_then(shop: PhoneShop) -> None:
    token = shop.open_phone()
    begun = shop.session(token).seen_at
    shop.wait(SEEN_EVERY_MS - 1)
    assert shop.session(token).seen_at == begun
    shop.wait(1)
    assert shop.session(token).seen_at == begun + SEEN_EVERY_MS


def test_only_so_many_phones_that_are_nobody_may_begin_in_a_minute(shop: PhoneShop) -> None:
    shop.set_phones(replace(RULES, opens_per_minute=2))
    shop.open_phone()
    shop.open_phone()
    answer = shop.call("POST", "/session", body={})
    assert (answer.status_code, answer.get_json()["error"]) == (429, "too_often")
    assert int(answer.headers["Retry-After"]) > 0
    shop.sign_in("openid-a")
    shop.wait(60_000)
    shop.open_phone()


@pytest.mark.parametrize("kind", [IdentityKind.OPENID, IdentityKind.UNIONID])
def test_a_session_knows_its_member_by_openid_and_by_unionid(shop: PhoneShop, kind: IdentityKind) -> None:
    member(shop, kind, "u-1")
    session = PhoneSession("s", "h", "zh", 0, 0, openid="u-1", unionid="u-1")
    now = shop.ports.clock.now()
    known = shop.box.store.read(lambda unit: member_of_session(unit, shop.box, session, now))
    assert known is not None
    assert known.member_id == "m-1"
    nobody = replace(session, openid="", unionid="")
    assert shop.box.store.read(lambda unit: member_of_session(unit, shop.box, nobody, now)) is None


def test_a_page_of_another_site_cannot_use_the_cookie(shop: PhoneShop) -> None:
    token = shop.sign_in("openid-a")
    order = shop.phone_order(token)
    shop.client.set_cookie("phone", token, path="/phone")
    pay = f"/phone/api/v1/orders/{order.order_id}/pay"
    foreign = shop.client.post(pay, headers={"Origin": "https://evil.example"})
    assert (foreign.status_code, foreign.get_json()["error"]) == (403, "not_yours")
    assert shop.client.post(pay).status_code == 403
    assert shop.box.store.read(lambda unit: unit.attempts.of_order(order.order_id)) == ()
    assert shop.client.post(pay, headers={"Origin": "http://localhost"}).status_code == 200


def test_problems_are_told_in_the_phones_language(shop: PhoneShop) -> None:
    zh = shop.call("GET", "/orders/o-1", Accept_Language="zh-CN").get_json()
    en = shop.call("GET", "/orders/o-1", Accept_Language="en-GB").get_json()
    assert (zh["message"], en["message"]) == ("请重新打开页面。", "Please open this page again.")


@pytest.mark.parametrize(
    "body", [{"scene": -1}, {"scene": True}, {"c": 7}, {"language": "x" * 9}, ["no object"], "text"]
)
def test_what_cannot_be_used_is_refused(shop: PhoneShop, body: object) -> None:
    answer = shop.call("POST", "/session", body=body)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid")


def test_an_unknown_call_is_answered_as_json(shop: PhoneShop) -> None:
    answer = shop.call("GET", "/nothing")
    assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found")


def touching(shop: PhoneShop) -> None:
    """Have the shop record ways."""
    shop.box = replace(shop.box, touch=TouchRules(build_book([Touchpoint("poster")], [], ["kiosk-1"])))
    shop.set_phones(RULES)


def steps(shop: PhoneShop, way: str) -> list[tuple[str, str]]:
    found = shop.box.store.read(lambda unit: unit.journeys.steps(way))
    return [(one.step.value, one.member_id) for one in found]


def test_signing_in_tells_who_is_on_the_way_once(shop: PhoneShop) -> None:
    touching(shop)
    member(shop, IdentityKind.OPENID, "openid-a")
    scan_touchpoint(shop.box, "poster", "way-00000001")
    token = shop.sign_in("openid-a", c="way-00000001")
    assert shop.session(token).correlation == "way-00000001"
    assert steps(shop, "way-00000001") == [("scanned", ""), ("identified", "m-1")]
    shop.sign_in("openid-a", token)
    assert len(steps(shop, "way-00000001")) == 2


def test_who_is_known_before_the_way_begins_is_told_when_it_pays(shop: PhoneShop) -> None:
    touching(shop)
    token = shop.sign_in("openid-a", c="way-00000002")
    assert steps(shop, "way-00000002") == []
    scan_touchpoint(shop.box, "poster", "way-00000002")
    shop.json("POST", f"/orders/{shop.phone_order(token).order_id}/pay", token)
    assert steps(shop, "way-00000002") == [("scanned", ""), ("identified", "")]


def test_a_phone_that_is_nobody_identifies_nobody(shop: PhoneShop) -> None:
    touching(shop)
    token = str(shop.json("POST", "/session", body={"c": "way-00000003"})["token"])
    scan_touchpoint(shop.box, "poster", "way-00000003")
    shop.json("POST", f"/orders/{shop.phone_order(token).order_id}/pay", token)
    assert steps(shop, "way-00000003") == [("scanned", "")]


def test_too_many_log_ins_wait(shop: PhoneShop) -> None:
    for number in range(LOGINS_PER_MINUTE):
        shop.call("POST", "/login", body={"code": f"made-up-{number}"})
    answer = shop.call("POST", "/login", body={"code": shop.program.gives_code("code-x", "openid-a")})
    assert (answer.status_code, answer.get_json()["error"]) == (429, "too_often")
    shop.wait(60_000)
    assert shop.call("POST", "/login", body={"code": "code-x"}).status_code == 200
