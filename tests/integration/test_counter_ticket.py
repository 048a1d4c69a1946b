"""A counter ticket over HTTP, the real clients, the simulated WeChat and SQLite: paid in the mini-program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask

from edge.errors import Declined
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.mini_program import WeixinMiniProgram
from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders
from edge.gateways.wechat_pay.weixin_api import WeixinApi, WeixinApiSettings
from edge.members.identity import Identity, IdentityKind
from edge.members.points import PointsPlan, PointsRule
from edge.retail.ticket import Ticket, TicketEnd, TicketState
from edge.services.hand_over_notices import tell_notices
from edge.services.hand_over_ticket import hand_over_ticket
from edge.services.issue_ticket import ticket_token
from edge.services.join_member import JoinAsk, join
from edge.services.member_rules import MemberRules
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_refunds import resolve_refunds
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.phone.api import blueprint
from edge.web.problems import install_problems
from edge.web.serving import WebServer
from sim.fakes.box import GATEWAY, FakePorts
from sim.gateway import Credentials, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for
from tests.unit.counter_shop import BOSS, CHEN, COUNTER, CounterShop

NOTIFY_URL = "https://mall.invalid/notify/wechat"


@dataclass
class Mall:
    """The counter's box behind its web server, and WeChat as one shopper's phone sees it."""

    shop: CounterShop
    served: WeChatPayRig
    url: str
    wallet: str

    @property
    def openid(self) -> str:
        return str(self.served.server.office.wallets.get(self.wallet).openid)

    def ask(self, method: str, path: str, token: str = "", body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url}/phone/api/v1{path}"
        answer = httpx.request(method, address, json=body, headers=headers, trust_env=False, timeout=20)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def sign_in(self) -> str:
        address = f"{self.served.server.url}/sim/wallets/{self.wallet}/login-code"
        code = httpx.post(address, trust_env=False).json()["code"]
        return str(self.ask("POST", "/login", body={"code": code})["token"])

    def pays(self, payment: Any) -> str:
        """Have the wallet pay what the mini-program shows; return what became of it."""
        address = f"{self.served.server.url}/sim/wallets/{self.wallet}/request-payment"
        answer = httpx.post(address, json={**payment["pay"], "action": "types"}, trust_env=False)
        return str(answer.json().get("state", answer.status_code))

    def settles(self) -> None:
        self.shop.wait(6_000)
        resolve_attempts(self.shop.box)

    def path(self, ticket: Ticket) -> str:
        return f"/t/{ticket_token(self.shop.box, ticket)}"

    def paid(self) -> tuple[Ticket, str]:
        """Return a ticket that a signed-in phone has paid, and the phone's token."""
        ticket, token = self.shop.issued(), self.sign_in()
        self.ask("GET", self.path(ticket), token)
        payment = self.ask("POST", f"{self.path(ticket)}/pay", token)
        assert payment["way"] == "jsapi"
        assert self.pays(payment) == "paid"
        self.settles()
        return self.shop.ticket(ticket), token


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def mall(credentials: Credentials, tmp_path: Path) -> Iterator[Mall]:
    served = WeChatPayRig(credentials)
    store = SqliteStore(tmp_path / "edge.db", 1)
    shop = CounterShop(ports=FakePorts(store=store))
    shop.ports.clock.set_wall(served.clock.now().wall_at - shop.ports.clock.now().wall_at)
    settings = replace(settings_for(credentials, served.server.url), notify_url=NOTIFY_URL)
    gateway = WeChatPayGateway(settings, served.clock, shop.box.ids)
    secret = (credentials.folder / "app_secret.txt").read_text("ascii").strip()
    api = WeixinApi(WeixinApiSettings(credentials.appid, secret, served.server.url), served.clock)
    shop.box = replace(
        shop.box,
        gateways={GATEWAY: gateway},
        refunders={GATEWAY: gateway},
        prepayers={GATEWAY: WeChatPhoneOrders(gateway)},
        mini_program=WeixinMiniProgram(api),
        phone=replace(shop.box.phone, appid=credentials.appid),
        members=MemberRules(points=PointsPlan((PointsRule("", 3, 100),))),
    )
    app = Flask("edge.web")
    install_guard(app, WebSettings())
    install_problems(app)
    app.register_blueprint(blueprint(shop.box, WebSettings()))
    web = WebServer(app, WebSettings(port=0))
    web.start()
    yield Mall(shop, served, f"http://127.0.0.1:{web.port}", served.wallet(100_000, asks=False))
    web.close()
    gateway.close()
    api.close()
    store.close()
    served.server.stop()


def test_a_ticket_is_paid_in_the_mini_program_handed_over_and_wechat_told_of_the_pick_up(mall: Mall) -> None:
    ticket, token = mall.paid()
    seen = mall.ask("GET", mall.path(ticket), token)
    assert (seen["state"], seen["release_code"]) == ("paid", ticket.release_code)
    assert tell_notices(mall.shop.box) == 0
    hand_over_ticket(mall.shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)
    assert tell_notices(mall.shop.box) == 1
    (attempt,) = mall.shop.attempts(ticket.order_id)
    kept = mall.served.server.office.store.row(
        "SELECT told FROM weixin_shipping WHERE transaction_id = ?", attempt.transaction_id
    )
    assert kept is not None
    assert json.loads(kept["told"])["logistics_type"] == 4
    assert mall.ask("GET", mall.path(ticket), token)["state"] == "handed_over"
    assert tell_notices(mall.shop.box) == 0


def test_a_member_earns_points_and_a_refund_takes_points_and_commission_back_and_marks_the_ticket(
    mall: Mall,
) -> None:
    openid = Identity(IdentityKind.OPENID, mall.openid)
    member = join(mall.shop.box, JoinAsk((openid,), COUNTER, "1")).member_id
    ticket, _ = mall.paid()
    assert ticket.member_id == member
    order = mall.shop.stored_order(ticket.order_id)

    def points() -> int:
        lines = mall.shop.box.store.read(lambda unit: unit.points.of_source(order.order_id))
        return sum(one.points for one in lines if one.member_id == member)

    def commission() -> int:
        lines = mall.shop.box.store.read(lambda unit: unit.credits.entries(order.order_id))
        return sum(one.amount_fen for one in lines if one.guide == CHEN)

    assert (points(), commission()) == (300, 500)
    refund_order(mall.shop.box, RefundAsk("r-1", order.order_id, "till-1", "不要了"), "李强", BOSS)
    mall.shop.wait(60_000)
    resolve_refunds(mall.shop.box)
    assert (points(), commission()) == (0, 0)
    gone = mall.shop.ticket(ticket)
    assert (gone.state, gone.end, gone.refunded_fen) == (TicketState.CANCELLED, TicketEnd.REFUNDED, 10_000)
    with pytest.raises(Declined):
        hand_over_ticket(mall.shop.box, COUNTER, ticket.ticket_id, ticket.release_code, CHEN)


def test_with_wechat_away_the_ticket_is_made_and_shown_but_not_paid(mall: Mall) -> None:
    token = mall.sign_in()
    mall.served.server.stop()
    ticket = mall.shop.issued()
    assert mall.ask("GET", mall.path(ticket), token)["state"] == "issued"
    refused = httpx.post(
        f"{mall.url}/phone/api/v1{mall.path(ticket)}/pay",
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=60,
    )
    assert (refused.status_code, refused.json()["error"]) == (503, "unavailable")
    assert mall.shop.ticket(ticket).state is TicketState.ISSUED
