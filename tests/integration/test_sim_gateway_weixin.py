"""api.weixin.qq.com at the simulator: tokens, codes that work once, goods; raw and by our client."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from edge.clock import Instant
from edge.errors import Unavailable
from edge.gateways.wechat_pay.weixin_api import (
    Logistics,
    Shipping,
    WeixinApi,
    WeixinApiSettings,
    WeixinRefused,
)
from sim.gateway import Credentials, Fault, make_credentials
from tests.integration.sim_gateway_rig import Answer, Clock, Rig, digits, open_rig

TIME = "2026-11-18T19:06:40.120+08:00"
TEMPLATE = {"template_id": "tpl-1", "fields": ["thing1", "amount2", "character_string3"]}
DATA = {
    "thing1": {"value": "停车已抵扣"},
    "amount2": {"value": "12.50"},
    "character_string3": {"value": "T-0001"},
}


@dataclass
class BoxClock:
    """The box's clock, which is the gateway's."""

    gateway: Clock

    def now(self) -> Instant:
        return Instant(self.gateway.at, "boot-1", self.gateway.at * 1_000_000, True)


@dataclass
class Mini:
    """A mini-program in front of the simulator."""

    rig: Rig
    token: str = ""

    @property
    def secret(self) -> str:
        return (self.rig.who.folder / "app_secret.txt").read_text("ascii").strip()

    def raw(self, method: str, target: str, value: object = None) -> Answer:
        body = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.rig.raw(method, target, body, {"Content-Type": "application/json"})

    def stable(self, **changed: object) -> Any:
        body = {"grant_type": "client_credential", "appid": self.rig.who.appid, "secret": self.secret}
        return self.raw("POST", "/cgi-bin/stable_token", body | changed).json()

    def post(self, path: str, value: object) -> Any:
        self.token = self.token or self.stable()["access_token"]
        return self.raw("POST", f"{path}?access_token={self.token}", value).json()

    def session(self, code: str, **changed: str) -> Any:
        query = {
            "appid": self.rig.who.appid,
            "secret": self.secret,
            "js_code": code,
            "grant_type": "authorization_code",
        } | changed
        pairs = "&".join(f"{name}={value}" for name, value in query.items())
        return self.raw("GET", f"/sns/jscode2session?{pairs}").json()

    def login_code(self, wallet: Mapping[str, Any]) -> str:
        answer = self.raw("POST", f"/sim/wallets/{wallet['wallet_id']}/login-code")
        return str(answer.json()["code"])

    def phone_code(self, wallet: Mapping[str, Any], **number: str) -> Any:
        return self.rig.switch(f"/sim/wallets/{wallet['wallet_id']}/phone-code", number)

    def ship(self, transaction: str, openid: str, at: str = TIME, **changed: object) -> Any:
        body = {
            "order_key": {"order_number_type": 2, "transaction_id": transaction},
            "logistics_type": 4,
            "delivery_mode": 1,
            "shipping_list": [{"item_desc": "可乐*2"}],
            "upload_time": at,
            "payer": {"openid": openid},
        } | changed
        return self.post("/wxa/sec/order/upload_shipping_info", body)

    def order_state(self, transaction: str) -> int:
        told = self.post("/wxa/sec/order/get_order", {"transaction_id": transaction})
        return int(told["order"]["order_state"])


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def mini(credentials: Credentials) -> Iterator[Mini]:
    with open_rig(credentials) as rig:
        yield Mini(rig)


@pytest.fixture
def client(mini: Mini) -> Iterator[WeixinApi]:
    settings = WeixinApiSettings(mini.rig.who.appid, mini.secret, base_url=mini.rig.server.url)
    api = WeixinApi(settings, BoxClock(mini.rig.clock))
    yield api
    api.close()


def paid(mini: Mini, order_no: str = "T-000001") -> tuple[str, str]:
    wallet = mini.rig.paid_order(order_no)
    return str(mini.rig.query(order_no).json()["transaction_id"]), str(wallet["openid"])


def test_a_token_stays_the_same_is_renewed_before_its_end_and_ends(mini: Mini) -> None:
    first = mini.stable()
    assert first["expires_in"] == 7200
    mini.rig.clock.at += 6_899_000
    assert mini.stable() == {"access_token": first["access_token"], "expires_in": 301}
    mini.rig.clock.at += 1_000
    second = mini.stable()
    assert second["access_token"] != first["access_token"]
    mini.token = first["access_token"]
    assert mini.post("/wxa/sec/order/get_order", {"transaction_id": "1"})["errcode"] == 10060001
    mini.rig.clock.at += 300_000
    assert mini.post("/wxa/sec/order/get_order", {"transaction_id": "1"})["errcode"] == 42001


def test_a_forced_token_ends_the_last_one_but_not_at_once_again_nor_often(mini: Mini) -> None:
    first = mini.stable()["access_token"]
    assert mini.stable(force_refresh=True)["access_token"] == first
    mini.rig.clock.at += 30_000
    second = mini.stable(force_refresh=True)["access_token"]
    assert second != first
    mini.token = first
    assert mini.post("/wxa/sec/order/get_order", {"transaction_id": "1"})["errcode"] == 40001
    for _ in range(19):
        mini.rig.clock.at += 30_000
        assert "access_token" in mini.stable(force_refresh=True)
    mini.rig.clock.at += 30_000
    assert mini.stable(force_refresh=True)["errcode"] == 45009


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"secret": "0" * 32}, 40125),
        ({"appid": "wx0"}, 40013),
        ({"grant_type": "password"}, 40002),
        ({"refresh": True}, 40097),
        ({"force_refresh": "true"}, 40097),
    ],
)
def test_who_has_no_secret_gets_no_token(mini: Mini, changed: dict[str, object], errcode: int) -> None:
    told = mini.stable(**changed)
    assert told["errcode"] == errcode
    assert "rid: " in told["errmsg"]


def test_calls_need_a_token_and_json(mini: Mini) -> None:
    path = "/wxa/sec/order/get_order"
    assert mini.raw("POST", path, {}).json()["errcode"] == 41001
    assert mini.raw("POST", path + "?access_token=x", {}).json()["errcode"] == 40001
    assert mini.raw("POST", path + "?access_token=x&y=1", {}).json()["errcode"] == 40097
    assert mini.post(path, b"{")["errcode"] == 47001
    assert mini.post(path, [])["errcode"] == 47001
    assert mini.post(path, {"page": 1})["errcode"] == 40097


def test_neither_sides_calls_are_there_under_the_others_name(mini: Mini) -> None:
    body = {"grant_type": "client_credential", "appid": mini.rig.who.appid, "secret": mini.secret}
    for host, status in (("api.mch.weixin.qq.com", 404), ("api.weixin.qq.com", 200)):
        raw = json.dumps(body).encode()
        assert mini.rig.raw("POST", "/cgi-bin/stable_token", raw, {"Host": host}).status == status
    target = "/v3/certificates"
    for host, status in (("api.weixin.qq.com", 404), ("api.mch.weixin.qq.com", 200)):
        token = mini.rig.token("GET", target, b"")
        assert mini.rig.raw("GET", target, b"", {"Host": host, "Authorization": token}).status == status


def test_a_log_in_code_works_once_and_for_five_minutes(mini: Mini) -> None:
    wallet = mini.rig.wallet()
    code = mini.login_code(wallet)
    told = mini.session(code)
    assert (told["openid"], "errcode" in told) == (wallet["openid"], False)
    assert mini.session(code)["errcode"] == 40163
    again = mini.session(mini.login_code(wallet))
    assert again["unionid"] == told["unionid"]
    assert again["session_key"] != told["session_key"]
    late = mini.login_code(wallet)
    mini.rig.clock.at += 300_000
    assert mini.session(late)["errcode"] == 40029
    assert mini.session("no-code")["errcode"] == 40029
    assert mini.session(mini.login_code(wallet), secret="0" * 32)["errcode"] == 40125
    assert mini.session(mini.login_code(wallet), page="1")["errcode"] == 40097
    mini.rig.switch("/sim/weixin/settings", {"bound": "no"})
    assert "unionid" not in mini.session(mini.login_code(wallet))


def test_a_phone_code_works_once_is_no_log_in_code_and_the_quota_ends(mini: Mini) -> None:
    wallet = mini.rig.wallet()
    code = mini.phone_code(wallet, number="13812348000")["code"]
    assert mini.session(code)["errcode"] == 40029
    info = mini.post("/wxa/business/getuserphonenumber", {"code": code})["phone_info"]
    assert (info["purePhoneNumber"], info["countryCode"]) == ("13812348000", "86")
    assert info["watermark"]["appid"] == mini.rig.who.appid
    assert mini.post("/wxa/business/getuserphonenumber", {"code": code})["errcode"] == 40163
    abroad = mini.phone_code(wallet, number="91234567", country_code="852")["code"]
    info = mini.post("/wxa/business/getuserphonenumber", {"code": abroad})["phone_info"]
    assert info["phoneNumber"] == "+85291234567"
    mini.rig.switch("/sim/weixin/settings", {"phone_quota": 0})
    assert mini.phone_code(wallet, number="13812348000") == {"errno": 1400001}


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"scene": "x" * 33}, 40169),
        ({"scene": "a%20b"}, 40169),
        ({"scene": ""}, 40169),
        ({"page": "/pages/pay/pay"}, 41030),
        ({"page": "pages/pay/pay?x=1"}, 41030),
        ({"page": "pages/none"}, 41030),
        ({"width": 279}, 40097),
        ({"width": 1281}, 40097),
        ({"colour": "red"}, 40097),
    ],
)
def test_pictures_are_checked(mini: Mini, changed: dict[str, object], errcode: int) -> None:
    mini.rig.switch("/sim/weixin/settings", {"pages": ["pages/pay/pay"]})
    body = {"scene": "t=1", "page": "pages/pay/pay"} | changed
    assert mini.post("/wxa/getwxacodeunlimit", body)["errcode"] == errcode


def test_a_picture_is_a_png_that_tells_its_scene(mini: Mini) -> None:
    scene = "k=t&i=0123456789abcdef0123456789"
    token = mini.stable()["access_token"]
    body = {"scene": scene, "page": "pages/pay/pay", "width": 430}
    answer = mini.raw("POST", f"/wxa/getwxacodeunlimit?access_token={token}", body)
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.body))
    assert picture.format == "PNG"
    assert 280 <= picture.width <= 430
    found = zxingcpp.read_barcodes(picture.convert("L"))
    assert [one.text.endswith(f"pages/pay/pay?scene={scene}") for one in found] == [True]


def test_links_end_within_a_year(mini: Mini) -> None:
    path, now_s = "/wxa/generate_urllink", mini.rig.clock.at // 1000
    link = mini.post(path, {"path": "pages/pay/pay", "query": "t=1"})
    assert (link["errcode"], link["url_link"][:18]) == (0, "https://wxaurl.cn/")
    assert mini.post(path, {"expire_type": 1, "expire_interval": 365})["errcode"] == 0
    assert mini.post(path, {"expire_type": 1, "expire_interval": 366})["errcode"] == 85401
    assert mini.post(path, {"expire_type": 0, "expire_time": now_s + 60})["errcode"] == 0
    assert mini.post(path, {"expire_type": 0, "expire_time": now_s + 59})["errcode"] == 85401
    assert mini.post(path, {"query": "x" * 1025})["errcode"] == 40212
    assert mini.post(path, {"path": "/pages/pay/pay"})["errcode"] == 40165


def test_a_message_goes_to_who_asked_for_it_once(mini: Mini) -> None:
    wallet, path = mini.rig.wallet(), "/cgi-bin/message/subscribe/send"
    mini.rig.switch("/sim/weixin/templates", TEMPLATE)
    body = {"touser": wallet["openid"], "template_id": "tpl-1", "page": "pages/slip", "data": DATA}
    assert mini.post(path, body)["errcode"] == 43101
    wish = {"template_id": "tpl-1", "result": "accept"}
    mini.rig.switch(f"/sim/wallets/{wallet['wallet_id']}/subscriptions", wish)
    assert mini.post(path, body)["msgid"] == 1
    assert mini.post(path, body)["errcode"] == 43101
    messages = mini.rig.switch(f"/sim/wallets/{wallet['wallet_id']}/messages")
    assert [one["data"] for one in messages] == [DATA]
    assert mini.post(path, body | {"touser": "oNobody"})["errcode"] == 40003
    assert mini.post(path, body | {"template_id": "tpl-2"})["errcode"] == 40037
    for data in ({}, DATA | {"thing1": {"value": "x" * 21}}, DATA | {"more1": {"value": "x"}}, "x"):
        assert mini.post(path, body | {"data": data})["errcode"] == 47003


def test_goods_are_handed_over_corrected_once_and_taken_after_two_days(mini: Mini) -> None:
    transaction, openid = paid(mini)
    assert mini.order_state(transaction) == 1
    assert mini.ship(transaction, openid)["errcode"] == 0
    assert mini.order_state(transaction) == 2
    later = "2026-11-18T19:06:41+08:00"
    assert mini.ship(transaction, openid, later)["errcode"] == 10060023
    other = {"shipping_list": [{"item_desc": "可乐*1"}]}
    assert mini.ship(transaction, openid, later, **other)["errcode"] == 0
    assert mini.ship(transaction, openid, "2026-11-18T19:06:42+08:00")["errcode"] == 10060003
    mini.rig.clock.at += 2 * 86_400_000
    mini.token = ""
    assert mini.order_state(transaction) == 3


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"order_key": {"order_number_type": 2, "transaction_id": "4" * 28}}, 10060001),
        ({"order_key": {"order_number_type": 2}}, 268485195),
        ({"order_key": {"order_number_type": 1, "mchid": "1900000109"}}, 268485194),
        ({"payer": {"openid": "oOther"}}, 10060031),
        ({"shipping_list": [{"item_desc": "a"}, {"item_desc": "b"}]}, 268485228),
        ({"shipping_list": [{"item_desc": "x" * 121}]}, 10060009),
        ({"logistics_type": 5}, 268485225),
        ({"logistics_type": 1}, 268485226),
        ({"delivery_mode": 2}, 10060006),
        ({"upload_time": "2026-11-18 19:06:40"}, 268485216),
        ({"scene": 1}, 40097),
    ],
)
def test_what_was_handed_over_is_checked(mini: Mini, changed: dict[str, object], errcode: int) -> None:
    transaction, openid = paid(mini)
    assert mini.ship(transaction, openid, **changed)["errcode"] == errcode
    assert mini.order_state(transaction) == 1


def test_a_code_payment_is_no_order_of_the_mini_program_and_a_refunded_one_is_not_shipped(mini: Mini) -> None:
    wallet = mini.rig.wallet()
    told = mini.rig.codepay("T-000009", mini.rig.code(wallet)).json()
    assert mini.ship(told["transaction_id"], wallet["openid"])["errcode"] == 10060001
    transaction, openid = paid(mini)
    amount = {"refund": 1250, "total": 1250, "currency": "CNY"}
    mini.rig.post("/v3/refund/domestic/refunds", {
        "transaction_id": transaction, "out_refund_no": "R1", "amount": amount})  # fmt: skip
    assert mini.ship(transaction, openid)["errcode"] == 10060004
    assert mini.order_state(transaction) == 5


def test_our_client_logs_in_reads_the_number_and_ships(mini: Mini, client: WeixinApi) -> None:
    wallet = mini.rig.wallet()
    session = client.session(mini.login_code(wallet))
    assert (session.openid, session.unionid is not None) == (wallet["openid"], True)
    number = client.phone_number(mini.phone_code(wallet, number="13812348000")["code"])
    assert (number.number, number.country_code) == ("13812348000", "86")
    transaction, openid = paid(mini)
    shipping = Shipping(transaction, openid, "可乐*2", mini.rig.clock.at)
    client.upload_shipping(shipping)
    client.upload_shipping(shipping)
    assert mini.order_state(transaction) == 2
    with pytest.raises(WeixinRefused) as caught:
        client.upload_shipping(Shipping("4" * 28, openid, "x", mini.rig.clock.at, Logistics.VIRTUAL))
    assert caught.value.errcode == 10060001
    with pytest.raises(WeixinRefused) as caught:
        client.session("used-or-never-there")
    assert caught.value.errcode == 40029


def test_our_client_gets_a_new_token_when_somebody_else_forced_one(mini: Mini, client: WeixinApi) -> None:
    wallet = mini.rig.wallet()
    client.phone_number(mini.phone_code(wallet, number="13812348000")["code"])
    mini.rig.clock.at += 30_000
    mini.stable(force_refresh=True)
    assert client.phone_number(mini.phone_code(wallet, number="13812348001")["code"]).number == "13812348001"
    mini.rig.clock.at += 7_200_000
    assert client.phone_number(mini.phone_code(wallet, number="13812348002")["code"]).number == "13812348002"


@pytest.mark.parametrize("fault", [Fault.SYSTEM_ERROR_BEFORE, Fault.RATE_LIMIT, Fault.BROKEN_JSON])
def test_our_client_says_try_again_when_the_interface_fails(
    mini: Mini, client: WeixinApi, fault: Fault
) -> None:
    wallet = mini.rig.wallet()
    code = mini.phone_code(wallet, number="13812348000")["code"]
    mini.rig.server.faults.add("phone_number", fault)
    with pytest.raises(Unavailable):
        client.phone_number(code)
