"""A phone signs in and pays over HTTP, the real clients, the simulated gateway and SQLite; through HQ too."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.clock import SystemClock
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.mini_program import WeixinMiniProgram
from edge.gateways.wechat_pay.phone_orders import WeChatCallbacks, WeChatPhoneOrders
from edge.gateways.wechat_pay.weixin_api import WeixinApi, WeixinApiSettings
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.requests import RequestDesk
from edge.hq.topics import Topics
from edge.retail.attempt import AttemptState
from edge.services.hand_over_notices import tell_notices
from edge.services.resolve_attempts import resolve_attempts
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings
from edge.web.notify import blueprint as notify
from edge.web.serving import WebServer
from sim.broker import Broker
from sim.fakes.box import GATEWAY, FakePorts
from sim.gateway import Credentials, Fault, make_credentials
from sim.relay import PublicHost
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for
from tests.integration.mosquitto_files import eventually
from tests.unit.phone_shop import RULES, PhoneShop

NOTIFY_URL = "https://mall.example/notify/wechat"
TEMPLATE = "tmpl-paid"


@dataclass
class Mall:
    """The box behind its web server, and WeChat as one shopper's phone sees it."""

    shop: PhoneShop
    served: WeChatPayRig
    gateway: WeChatPayGateway
    url: str
    wallet: str
    appid: str

    @property
    def openid(self) -> str:
        return self.served.server.office.wallets.get(self.wallet).openid

    def weixin(self, path: str, value: object = None) -> Any:
        answer = httpx.post(f"{self.served.server.url}{path}", json=value, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def ask(self, method: str, path: str, token: str = "", body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url}/phone/api/v1{path}"
        answer = httpx.request(method, address, json=body, headers=headers, trust_env=False, timeout=20)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def sign_in(self, token: str = "") -> str:
        code = self.weixin(f"/sim/wallets/{self.wallet}/login-code")["code"]
        return str(self.ask("POST", "/login", token, {"code": code})["token"])

    def pays(self, payment: Any, wallet: str = "") -> str:
        """Have the wallet pay what the mini-program shows; return what became of it."""
        address = f"{self.served.server.url}/sim/wallets/{wallet or self.wallet}/request-payment"
        given = {**payment["pay"], "action": "types"}
        answer = httpx.post(address, json=given, trust_env=False)
        return str(answer.json().get("state", answer.status_code))

    def settles(self) -> None:
        self.shop.wait(6_000)
        resolve_attempts(self.shop.box)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def mall(credentials: Credentials, tmp_path: Path) -> Iterator[Mall]:
    served = WeChatPayRig(credentials)
    store = SqliteStore(tmp_path / "edge.db", 1)
    shop = PhoneShop(ports=FakePorts(store=store))
    shop.ports.clock.set_wall(served.clock.now().wall_at - shop.ports.clock.now().wall_at)
    key = credentials.apiv3_key.encode()
    settings = replace(settings_for(credentials, served.server.url), notify_url=NOTIFY_URL, api_v3_key=key)
    gateway = WeChatPayGateway(settings, served.clock, shop.box.ids)
    secret = (credentials.folder / "app_secret.txt").read_text("ascii").strip()
    api = WeixinApi(WeixinApiSettings(credentials.appid, secret, served.server.url), served.clock)
    shop.program = WeixinMiniProgram(api)  # type: ignore[assignment]  # the real one behind the same port
    shop.box = replace(shop.box, gateways={GATEWAY: gateway}, prepayers={GATEWAY: WeChatPhoneOrders(gateway)})
    fields = (("character_string1", "number"), ("amount2", "amount"), ("thing3", "shop"), ("time4", "time"))
    shop.set_phones(replace(RULES, appid=credentials.appid, paid_template=TEMPLATE, paid_fields=fields))
    shop.app.register_blueprint(notify(shop.box, {GATEWAY: WeChatCallbacks(gateway, served.clock)}))
    web = WebServer(shop.app, WebSettings(port=0))
    web.start()
    url = f"http://127.0.0.1:{web.port}"
    served.server.office.notices.wire.routes[NOTIFY_URL] = f"{url}/notify/wechat"
    yield Mall(shop, served, gateway, url, served.wallet(100_000, asks=False), credentials.appid)
    web.close()
    gateway.close()
    api.close()
    store.close()
    served.server.stop()


def order_of(mall: Mall, token: str) -> str:
    return mall.shop.phone_order(token).order_id


def test_a_phone_signs_in_pays_in_its_wallet_and_reads_its_receipts_token(mall: Mall) -> None:
    token = mall.sign_in()
    order_id = order_of(mall, token)
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    assert (payment["way"], payment["pay"]["appId"]) == ("jsapi", mall.appid)
    assert mall.pays(payment) == "paid"
    assert mall.ask("GET", f"/orders/{order_id}", token)["state"] == "open"
    mall.settles()
    paid = mall.ask("GET", f"/orders/{order_id}", token)
    assert paid["state"] == "paid"
    assert mall.shop.box.store.read(lambda unit: unit.receipts.by_token(paid["receipt"])) is not None
    (attempt,) = mall.shop.box.store.read(lambda unit: unit.attempts.of_order(order_id))
    assert attempt.payer == mall.openid
    assert mall.served.charged_fen(attempt.merchant_order_no) == 2_800


def test_another_shoppers_wallet_cannot_pay_it(mall: Mall) -> None:
    token = mall.sign_in()
    payment = mall.ask("POST", f"/orders/{order_of(mall, token)}/pay", token)
    assert mall.pays(payment, mall.served.wallet(100_000, asks=False)) != "paid"
    assert mall.pays(payment) == "paid"


def test_the_gateways_call_makes_it_quick(mall: Mall) -> None:
    token = mall.sign_in()
    order_id = order_of(mall, token)
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    assert resolve_attempts(mall.shop.box) == 0
    assert mall.pays(payment) == "paid"
    until = time.monotonic() + 10
    while resolve_attempts(mall.shop.box) == 0 and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert mall.ask("GET", f"/orders/{order_id}", token)["state"] == "paid"


@pytest.mark.parametrize("fault", [Fault.SYSTEM_ERROR_AFTER, Fault.SYSTEM_ERROR_BEFORE, Fault.DROP_AFTER])
def test_a_lost_answer_of_the_gateway_is_asked_for_again_under_the_same_number(
    mall: Mall, fault: Fault
) -> None:
    token = mall.sign_in()
    order_id = order_of(mall, token)
    mall.served.server.faults.add("jsapi", fault, 3)
    refused = httpx.post(
        f"{mall.url}/phone/api/v1/orders/{order_id}/pay",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=60,
    )
    assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
    mall.served.server.faults.clear()
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    assert mall.pays(payment) == "paid"
    mall.settles()
    (attempt,) = mall.shop.box.store.read(lambda unit: unit.attempts.of_order(order_id))
    assert attempt.state is AttemptState.APPROVED
    assert mall.served.charged_fen(attempt.merchant_order_no) == 2_800


def test_a_shopper_goes_on_from_the_browsers_code_to_the_wallet(mall: Mall) -> None:
    token = str(mall.ask("POST", "/session", body={})["token"])
    order_id = order_of(mall, token)
    code = mall.ask("POST", f"/orders/{order_id}/pay", token)["code_url"]
    assert code.startswith("weixin://")
    mall.sign_in(token)
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    assert payment["way"] == "jsapi"
    scan = f"{mall.served.server.url}/sim/wallets/{mall.wallet}/scan"
    old = httpx.post(scan, json={"code_url": code, "action": "types"}, trust_env=False)
    assert old.json().get("state") != "paid"
    assert mall.pays(payment) == "paid"
    mall.settles()
    assert mall.ask("GET", f"/orders/{order_id}", token)["state"] == "paid"


def test_given_up_is_closed_at_the_gateway(mall: Mall) -> None:
    token = mall.sign_in()
    order_id = order_of(mall, token)
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    assert mall.ask("POST", f"/orders/{order_id}/cancel", token)["state"] == "closed"
    assert mall.pays(payment) != "paid"


def test_wechat_is_told_of_the_hand_over_and_the_shopper_gets_the_message(mall: Mall) -> None:
    mall.weixin(
        "/sim/weixin/templates",
        {"template_id": TEMPLATE, "fields": ["character_string1", "amount2", "thing3", "time4"]},
    )
    token = mall.sign_in()
    order_id = order_of(mall, token)
    payment = mall.ask("POST", f"/orders/{order_id}/pay", token)
    mall.weixin(f"/sim/wallets/{mall.wallet}/subscriptions", {"template_id": TEMPLATE, "result": "accept"})
    mall.ask("POST", "/subscribe", token, {"order_id": order_id, "templates": {TEMPLATE: "accept"}})
    assert mall.pays(payment) == "paid"
    mall.settles()
    box = mall.shop.box
    assert tell_notices(box) == 2
    sent = httpx.get(f"{mall.served.server.url}/sim/wallets/{mall.wallet}/messages", trust_env=False).json()
    assert sent[0]["data"]["amount2"]["value"] == "28.00元"
    assert sent[0]["page"].startswith("pages/paid/paid?receipt=")
    assert box.store.read(lambda unit: unit.phone_notices.waiting()) == (0, 0)


@pytest.mark.broker
def test_the_same_phone_does_all_of_it_through_hq(mall: Mall) -> None:
    with Broker() as broker, PublicHost(broker.port) as host:
        eventually(lambda: host.relay.connected, lambda: "the public host at the broker")
        origin, clock = mall.shop.box.origin, SystemClock()
        link = MqttLink(
            LinkSettings("127.0.0.1", broker.port, first_delay_s=0.1, last_delay_s=0.3), origin, clock
        )
        desk = RequestDesk(mall.shop.app, Topics(origin), link.say, clock)
        link.listen(Topics(origin).requests, desk.take)
        desk.start()
        link.start()
        try:
            mall.url = host.url(origin.site, origin.edge)
            eventually(
                lambda: httpx.get(f"{mall.url}/phone/api/v1/orders/x", trust_env=False).status_code == 401,
                lambda: "the box behind HQ",
            )
            token = mall.sign_in()
            order_id = order_of(mall, token)
            assert mall.pays(mall.ask("POST", f"/orders/{order_id}/pay", token)) == "paid"
            mall.settles()
            assert mall.ask("GET", f"/orders/{order_id}", token)["state"] == "paid"
        finally:
            link.close()
            desk.close()
