"""What a mini-program's server side promises, over the fake and over the real client with the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import httpx
import pytest

from edge.errors import Declined, Invalid, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.mini_program import WeixinMiniProgram
from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders
from edge.gateways.wechat_pay.weixin_api import WeixinApi, WeixinApiSettings
from edge.ids import TimeOrderedIds
from edge.services.payment_ports import PhoneOrder
from edge.services.phone_ports import LoginRefused, MiniProgram, NoticeRefused, ShopperLogin
from sim.fakes.mini_program import FakeMiniProgram
from sim.gateway import Credentials, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for

TEMPLATE = "tmpl-paid"
FIELDS = {"thing1": "示范商场", "amount2": "28.00元"}


class Rig(Protocol):
    """A mini-program and what shoppers do with it."""

    @property
    def program(self) -> MiniProgram: ...

    def login_code(self) -> str:
        """Return what wx.login gives a shopper."""

    def phone_code(self, number: str) -> str:
        """Return what the button for the phone number gives."""

    def openid(self) -> str:
        """Return who that shopper is."""

    def paid(self) -> str:
        """Have the shopper pay inside the mini-program; return the transaction."""

    def accept(self) -> None:
        """Have the shopper take one message."""

    def messages(self) -> list[tuple[str, dict[str, str]]]:
        """Return (page, fields) of what the shopper was sent."""

    def be_unreachable(self) -> None:
        """Have nothing be answered from now on."""


class FakeRig:
    def __init__(self) -> None:
        self.program = FakeMiniProgram(paid=set())
        self._count = 0

    def login_code(self) -> str:
        self._count += 1
        return self.program.gives_code(f"code-{self._count}", "openid-1", "union-1")

    def phone_code(self, number: str) -> str:
        self._count += 1
        return self.program.gives_number(f"number-{self._count}", number)

    def openid(self) -> str:
        return "openid-1"

    def paid(self) -> str:
        assert self.program.paid is not None
        self.program.paid.add(("4200001", "openid-1"))
        return "4200001"

    def accept(self) -> None:
        self.program.accepts("openid-1", TEMPLATE)

    def messages(self) -> list[tuple[str, dict[str, str]]]:
        return [(one.page, dict(one.fields)) for one in self.program.messages]

    def be_unreachable(self) -> None:
        for _ in range(9):
            self.program.fail_next(Unavailable("not reached"))


class WeixinRig:
    def __init__(self, credentials: Credentials) -> None:
        self.served = WeChatPayRig(credentials)
        self._url = self.served.server.url
        secret = (credentials.folder / "app_secret.txt").read_text("ascii").strip()
        settings = WeixinApiSettings(credentials.appid, secret, self._url)
        self.program = WeixinMiniProgram(WeixinApi(settings, self.served.clock))
        pay = replace(settings_for(credentials, self._url), notify_url="https://mall.example/notify/wechat")
        ids = TimeOrderedIds(lambda: self.served.clock.now().wall_at)
        self._gateway = WeChatPayGateway(pay, self.served.clock, ids)
        self._appid = credentials.appid
        self._wallet = self.served.wallet(100_000, asks=False)
        self.ask("/sim/weixin/templates", {"template_id": TEMPLATE, "fields": list(FIELDS)})

    def ask(self, path: str, value: object = None) -> Any:
        answer = httpx.post(f"{self._url}{path}", json=value, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def login_code(self) -> str:
        return str(self.ask(f"/sim/wallets/{self._wallet}/login-code")["code"])

    def phone_code(self, number: str) -> str:
        return str(self.ask(f"/sim/wallets/{self._wallet}/phone-code", {"number": number})["code"])

    def openid(self) -> str:
        return self.served.server.office.wallets.get(self._wallet).openid

    def paid(self) -> str:
        at = self.served.clock.now().wall_at
        order = PhoneOrder("T20261122_0009", 1_000, "咖啡", at + 600_000, "demo/edge-1")
        params = dict(WeChatPhoneOrders(self._gateway).jsapi(order, self.openid()))
        asked = {"appId": self._appid, **params, "action": "types"}
        assert self.ask(f"/sim/wallets/{self._wallet}/request-payment", asked)["state"] == "paid"
        return self._gateway.query(order.merchant_order_no).transaction_id or ""

    def accept(self) -> None:
        self.ask(f"/sim/wallets/{self._wallet}/subscriptions", {"template_id": TEMPLATE, "result": "accept"})

    def messages(self) -> list[tuple[str, dict[str, str]]]:
        told = httpx.get(f"{self._url}/sim/wallets/{self._wallet}/messages", trust_env=False).json()
        return [(one["page"], {name: field["value"] for name, field in one["data"].items()}) for one in told]

    def be_unreachable(self) -> None:
        self.served.server.stop()

    def close(self) -> None:
        self.program.close()
        self._gateway.close()
        self.served.server.stop()


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(params=["fake", "weixin"])
def rig(request: pytest.FixtureRequest, credentials: Credentials) -> Iterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    real = WeixinRig(credentials)
    yield real
    real.close()


def test_a_log_in_code_tells_who_it_is_once(rig: Rig) -> None:
    code = rig.login_code()
    login = rig.program.log_in(code)
    assert isinstance(login, ShopperLogin)
    assert login.openid == rig.openid()
    assert login.unionid
    with pytest.raises(LoginRefused):
        rig.program.log_in(code)


@pytest.mark.parametrize("code", ["", "x" * 600, "中文"])
def test_what_is_no_code_is_not_asked_about(rig: Rig, code: str) -> None:
    with pytest.raises(Invalid):
        rig.program.log_in(code)


def test_a_made_up_code_is_refused(rig: Rig) -> None:
    with pytest.raises(LoginRefused):
        rig.program.log_in("0" * 32)


def test_the_number_behind_a_code_is_told_once(rig: Rig) -> None:
    code = rig.phone_code("13800138000")
    assert rig.program.phone_number(code) == "13800138000"
    with pytest.raises(Declined):
        rig.program.phone_number(code)


def test_a_hand_over_may_be_told_again_without_harm(rig: Rig) -> None:
    transaction = rig.paid()
    rig.program.tell_hand_over(transaction, rig.openid(), "咖啡, 大杯", 1_795_000_000_000)
    rig.program.tell_hand_over(transaction, rig.openid(), "咖啡, 大杯", 1_795_000_000_000)


def test_a_hand_over_of_somebody_elses_payment_is_refused_for_good(rig: Rig) -> None:
    transaction = rig.paid()
    with pytest.raises(NoticeRefused) as refused:
        rig.program.tell_hand_over(transaction, "openid-x", "咖啡", 1_795_000_000_000)
    assert refused.value.detail == "10060031"


def test_a_message_reaches_who_has_accepted_one_and_no_more_than_that(rig: Rig) -> None:
    rig.accept()
    rig.program.send_message(rig.openid(), TEMPLATE, "pages/paid/paid?receipt=1", FIELDS)
    assert rig.messages() == [("pages/paid/paid?receipt=1", FIELDS)]
    with pytest.raises(NoticeRefused) as refused:
        rig.program.send_message(rig.openid(), TEMPLATE, "pages/paid/paid", FIELDS)
    assert refused.value.detail == "43101"


def test_when_nobody_answers_everything_may_be_tried_again(rig: Rig) -> None:
    code, openid = rig.login_code(), rig.openid()
    rig.be_unreachable()
    with pytest.raises(Unavailable):
        rig.program.log_in(code)
    with pytest.raises(Unavailable):
        rig.program.phone_number(code)
    with pytest.raises(Unavailable):
        rig.program.tell_hand_over("420", openid, "咖啡", 1)
    with pytest.raises(Unavailable):
        rig.program.send_message(openid, TEMPLATE, "pages/paid/paid", FIELDS)


def test_an_order_that_is_not_known_there_yet_is_told_later(credentials: Credentials) -> None:
    real = WeixinRig(credentials)
    try:
        with pytest.raises(Unavailable, match="10060001"):
            real.program.tell_hand_over("4200009999", real.openid(), "咖啡", 1_795_000_000_000)
    finally:
        real.close()


def test_a_wrong_secret_is_our_set_up_and_not_the_shoppers_fault(credentials: Credentials) -> None:
    real = WeixinRig(credentials)
    try:
        settings = WeixinApiSettings(credentials.appid, "0" * 32, real.served.server.url)
        wrong = WeixinMiniProgram(WeixinApi(settings, real.served.clock))
        with pytest.raises(Unavailable, match="mini_program"):
            wrong.log_in(real.login_code())
        wrong.close()
    finally:
        real.close()
