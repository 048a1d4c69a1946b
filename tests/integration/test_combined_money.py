"""Several tenants paid at once over the simulated gateway: paid, given back, shared; every bill agrees."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from flask import Flask

from edge.clock import local
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.phone_orders import WeChatCallbacks, WeChatPhoneOrders
from edge.gateways.wechat_pay.settings import load_merchant_serial, load_private_key
from edge.gateways.wechat_pay.splits import WeChatSplits
from edge.gateways.wechat_pay.tenant_bill import TenantBill
from edge.ids import TimeOrderedIds
from edge.retail.attempt import AttemptState
from edge.retail.order import Order, OrderState
from edge.retail.refund import RefundPhase
from edge.services.bill_records import BillDay
from edge.services.box import Tenant
from edge.services.pay_by_phone import begin_order_payment, close_phone_payment
from edge.services.payment_ports import BillSource
from edge.services.reconcile import BILL_ZONE, open_differences
from edge.services.reconcile_days import compare_day
from edge.services.refund_order import RefundAsk, refund_order
from edge.services.resolve_attempts import resolve_attempts
from edge.services.resolve_refunds import resolve_refunds
from edge.services.resolve_splits import resolve_splits
from edge.services.staff import StaffMember
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.notify import blueprint as notify
from edge.web.serving import WebServer
from sim.fakes.box import BREAD, COLA, GATEWAY, TILL
from sim.gateway import Credentials, GatewayServer, make_credentials
from sim.gateway.merchants import Merchant
from tests.contract.test_gateway import digits, settings_for
from tests.unit.shop import Shop

MALL, DRINKS, BAKERY = "1900000010", "1900000011", "1900000012"
NAMES = {MALL: "示范商场有限公司", DRINKS: "饮料有限公司", BAKERY: "面包有限公司"}
TENANTS = {
    "t-drinks": Tenant("t-drinks", "饮料店", "Drinks", DRINKS, 100),
    "t-bakery": Tenant("t-bakery", "面包房", "Bakery", BAKERY, 50),
}
NOTIFY_URL = "https://mall.example/notify/wechat"
BOSS = StaffMember("supervisor", "supervisor", "")


@dataclass
class Town:
    """A till, the simulated gateway by its clock, and the client as a service provider or direct merchant."""

    shop: Shop
    server: GatewayServer
    gateway: WeChatPayGateway

    @property
    def bills(self) -> tuple[BillSource, ...]:
        others = (DRINKS, BAKERY) if self.gateway.is_partner else ()
        return (self.gateway, *(TenantBill(self.gateway, one) for one in others))

    def post(self, path: str, **given: object) -> httpx.Response:
        return httpx.post(f"{self.server.url}{path}", json=given, trust_env=False)

    def pay(self, url: str) -> bool:
        wallet = self.post("/sim/wallets", name="w", balance_fen=100_000).json()["wallet_id"]
        answer = self.post(f"/sim/wallets/{wallet}/scan", code_url=url, action="types")
        return answer.status_code == 200 and bool(answer.json()["state"] == "paid")

    def pass_time(self, ms: int, rounds: int = 1) -> None:
        for _ in range(rounds):
            self.shop.wait(ms)
            self.server.tick()
            resolve_attempts(self.shop.box)
            resolve_refunds(self.shop.box)
            resolve_splits(self.shop.box)

    def combined(self) -> Order:
        order = self.shop.order_of(COLA, BREAD, place=TILL)
        assert self.pay(begin_order_payment(self.shop.box, order.order_id).pay_url)
        self.pass_time(6_000)
        return self.shop.stored_order(order.order_id)

    def balance(self, merchant: str) -> int:
        ledger = self.server.office.ledger
        return ledger.balance(f"merchant:{merchant}") + ledger.balance(f"frozen:{merchant}")

    def compare(self) -> list[BillDay]:
        self.post("/sim/bills", ready="at_once").raise_for_status()
        day = local(self.shop.ports.clock.now().wall_at, BILL_ZONE).date()
        found = [compare_day(self.shop.box, one, day) for one in self.bills]
        return [one for one in found if one is not None]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


def build(credentials: Credentials, spool: Path, sub_mchid: str, permille: int) -> Town:
    shop = Shop()
    clock = shop.ports.clock
    server = GatewayServer(credentials, lambda: clock.now().wall_at, digits)
    server.start()
    for number, name in NAMES.items():
        server.office.merchants.add(Merchant(number, name, (), credentials.mchid))
    settings = replace(
        settings_for(credentials, server.url),
        sub_mchid=sub_mchid,
        notify_url=NOTIFY_URL,
        api_v3_key=credentials.apiv3_key.encode(),
        spool_dir=spool,
    )
    gateway = WeChatPayGateway(settings, clock, TimeOrderedIds(lambda: clock.now().wall_at))
    shop.box = replace(
        shop.box,
        tenants=TENANTS,
        gateways={GATEWAY: gateway},
        refunders={GATEWAY: gateway},
        prepayers={GATEWAY: WeChatPhoneOrders(gateway)},
        splitters={GATEWAY: WeChatSplits(gateway, NAMES, permille)} if permille else {},
    )
    return Town(shop, server, gateway)


@pytest.fixture(params=["service provider", "direct merchant"])
def town(request: pytest.FixtureRequest, credentials: Credentials, tmp_path: Path) -> Iterator[Town]:
    partner = request.param == "service provider"
    built = build(credentials, tmp_path, MALL if partner else "", 300 if partner else 0)
    yield built
    built.gateway.close()
    built.server.stop()


def test_a_phone_pays_two_tenants_at_once_and_every_bill_agrees(town: Town) -> None:
    order = town.combined()
    assert order.state is OrderState.PAID
    partner = town.gateway.is_partner
    assert (town.balance(DRINKS), town.balance(BAKERY)) == (350, 800)
    town.pass_time(95_000, 2)
    commission = (35, 40) if partner else (0, 0)
    assert (town.balance(DRINKS), town.balance(BAKERY)) == (350 - commission[0], 800 - commission[1])
    assert town.balance(MALL) == sum(commission)
    compared = town.compare()
    assert sum(one.matched for one in compared) == (2 if partner else 0)
    assert [one.differences for one in compared] == [0] * len(compared)


def test_a_refund_over_both_tenants_goes_back_part_by_part_and_every_bill_agrees(town: Town) -> None:
    order = town.combined()
    town.pass_time(95_000, 2)
    for number, wish in enumerate(({"amount_fen": 333}, {"amount_fen": 500})):
        ask = RefundAsk(f"refund-{number}", order.order_id, TILL, "broken", **wish)  # type: ignore[arg-type]
        refund_order(town.shop.box, ask, "guide", BOSS)
        town.pass_time(10_000, 4)
    refunds = town.shop.box.store.read(lambda unit: unit.refunds.of_order(order.order_id))
    assert [one.phase for one in refunds] == [RefundPhase.DONE, RefundPhase.DONE]
    assert all(leg.part_no for one in refunds for leg in one.legs)
    given = {part.merchant: 0 for part in town.shop.attempts(order.order_id)[0].parts}
    numbers = {part.merchant_order_no: part.merchant for part in town.shop.attempts(order.order_id)[0].parts}
    for leg in (leg for one in refunds for leg in one.legs):
        given[numbers[leg.part_no]] += leg.amount_fen
    assert sum(given.values()) == 833
    town.pass_time(10_000, 4)
    compared = town.compare()
    assert [one.differences for one in compared] == [0] * len(compared)
    assert sum(one.refunds_fen for one in compared) == (833 if town.gateway.is_partner else 0)
    assert open_differences(town.shop.box) == 0


def test_a_combined_order_that_is_given_up_takes_nothing(town: Town) -> None:
    order = town.shop.order_of(COLA, BREAD, place=TILL)
    url = begin_order_payment(town.shop.box, order.order_id).pay_url
    assert close_phone_payment(town.shop.box, order.order_id)
    assert not town.pay(url)
    assert town.shop.attempts(order.order_id)[0].state is AttemptState.VOIDED
    assert (town.balance(DRINKS), town.balance(BAKERY)) == (0, 0)


def test_the_gateways_call_about_a_combined_order_has_it_asked_about_at_once(town: Town) -> None:
    app = Flask("edge.web")
    install_guard(app, WebSettings())
    readers = {GATEWAY: WeChatCallbacks(town.gateway, town.shop.ports.clock)}
    app.register_blueprint(notify(town.shop.box, readers))
    web = WebServer(app, WebSettings(port=0))
    web.start()
    town.server.office.notices.wire.routes[NOTIFY_URL] = f"http://127.0.0.1:{web.port}/notify/wechat"
    order = town.shop.order_of(COLA, BREAD, place=TILL)
    attempt = begin_order_payment(town.shop.box, order.order_id)
    assert resolve_attempts(town.shop.box) == 0
    assert town.pay(attempt.pay_url)
    assert _called(town, attempt.attempt_id)
    assert resolve_attempts(town.shop.box) == 1
    assert town.shop.stored_order(order.order_id).state is OrderState.PAID
    web.close()


def _called(town: Town, attempt_id: str) -> bool:
    """Wait until the gateway's call was taken in; return whether it was."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        trail = town.shop.box.store.read(lambda unit: unit.attempts.trail(attempt_id))
        if trail:
            return trail[0].detail == "the gateway called"
        threading.Event().wait(0.05)
    return False


def test_a_tenants_bill_that_is_wrong_is_found_out(credentials: Credentials, tmp_path: Path) -> None:
    town = build(credentials, tmp_path, MALL, 0)
    order = town.combined()
    part = next(one for one in town.shop.attempts(order.order_id)[0].parts if one.merchant == BAKERY)
    day = local(town.shop.ports.clock.now().wall_at, BILL_ZONE).date().isoformat()
    town.post(
        f"/sim/bills/{day}/differences", kind="amount", order_no=part.merchant_order_no
    ).raise_for_status()
    compared = {one.merchant: one.differences for one in town.compare()}
    assert compared[BAKERY] == 1
    assert compared[DRINKS] == 0
    town.gateway.close()
    town.server.stop()


def test_a_payment_code_is_shared_as_far_as_agreed(credentials: Credentials, tmp_path: Path) -> None:
    town = build(credentials, tmp_path, "", 300)
    town.shop.order_of(COLA, BREAD, place=TILL)
    wallet = town.post("/sim/wallets", name="w", balance_fen=100_000).json()["wallet_id"]
    code = town.post(f"/sim/wallets/{wallet}/code").json()["code"]
    town.shop.pay(code, TILL)
    town.pass_time(95_000, 3)
    got = town.balance(DRINKS) + town.balance(BAKERY)
    assert got == 1_150 * 300 // 1_000
    kept = town.shop.box.store.read(lambda unit: unit.splits.moving(9))
    assert kept == ()
    town.gateway.close()
    town.server.stop()


def test_tenants_of_a_direct_merchant_sign_for_their_own_refunds_and_bills(
    credentials: Credentials, tmp_path: Path
) -> None:
    town = build(credentials, tmp_path, "", 0)
    own = make_credentials(tmp_path / "drinks", digits, mchid=DRINKS)
    town.server.office.merchants.add_certificate(DRINKS, own.merchant_cert.read_text(encoding="ascii"))
    settings = replace(
        settings_for(credentials, town.server.url),
        mchid=DRINKS,
        merchant_serial=load_merchant_serial(own.merchant_cert),
        private_key=load_private_key(own.merchant_key),
        spool_dir=tmp_path,
    )
    clock = town.shop.ports.clock
    ids = TimeOrderedIds(lambda: clock.now().wall_at)
    mall = replace(settings_for(credentials, town.server.url), notify_url=NOTIFY_URL, spool_dir=tmp_path)
    gateway = WeChatPayGateway(mall, clock, ids, tenants={DRINKS: WeChatPayGateway(settings, clock, ids)})
    assert gateway.can_bill(DRINKS)
    assert not gateway.can_bill(BAKERY)
    town.shop.box = replace(
        town.shop.box,
        gateways={GATEWAY: gateway},
        refunders={GATEWAY: gateway},
        prepayers={GATEWAY: WeChatPhoneOrders(gateway)},
    )
    order = town.combined()
    refund_order(town.shop.box, RefundAsk("r1", order.order_id, TILL, "broken"), "guide", BOSS)
    town.pass_time(10_000, 4)
    asked = {one.mchid: one.asked_by for one in town.server.office.refunds.newest()}
    assert asked == {DRINKS: DRINKS, BAKERY: credentials.mchid}
    town.post("/sim/bills", ready="at_once").raise_for_status()
    day = local(clock.now().wall_at, BILL_ZONE).date()
    compared = compare_day(town.shop.box, TenantBill(gateway, DRINKS), day)
    assert compared is not None
    assert (compared.matched, compared.differences, compared.refunds_fen) == (2, 0, 350)
    gateway.close()
    town.gateway.close()
    town.server.stop()
