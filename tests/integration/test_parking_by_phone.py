"""A driver's phone pays over the real client, the simulated gateway and SQLite."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from flask import Flask

from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.phone_orders import WeChatCallbacks, WeChatPhoneOrders
from edge.retail.attempt import AttemptState
from edge.services.charge_stay import charge_stay
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.resolve_attempts import resolve_attempts
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings
from edge.web.guard import install_guard
from edge.web.notify import blueprint
from edge.web.serving import WebServer
from sim.fakes.box import GATEWAY, FakePorts
from sim.gateway import Credentials, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for
from tests.unit.garage import EXIT, Garage

NOTIFY_URL = "https://mall.example/notify/wechat"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def served(credentials: Credentials) -> Iterator[WeChatPayRig]:
    rig = WeChatPayRig(credentials)
    yield rig
    rig.server.stop()


@pytest.fixture
def garage(served: WeChatPayRig, credentials: Credentials, tmp_path: Path) -> Iterator[Garage]:
    store = SqliteStore(tmp_path / "edge.db", 1)
    garage = Garage(ports=FakePorts(store=store))
    garage.ports.clock.set_wall(served.clock.now().wall_at - garage.ports.clock.now().wall_at)
    settings = settings_for(credentials, served.server.url)
    key = credentials.apiv3_key.encode()
    settings = replace(settings, notify_url=NOTIFY_URL, api_v3_key=key)
    gateway = WeChatPayGateway(settings, served.clock, garage.box.ids)
    prepayers = {GATEWAY: WeChatPhoneOrders(gateway)}
    garage.box = replace(garage.box, gateways={GATEWAY: gateway}, prepayers=prepayers)
    app = Flask("edge.web")
    install_guard(app, WebSettings())
    app.register_blueprint(blueprint(garage.box, {GATEWAY: WeChatCallbacks(gateway, served.clock)}))
    web = WebServer(app, WebSettings(port=0))
    web.start()
    # HQ's relay stands between the public address and this box.
    served.server.office.notices.wire.routes[NOTIFY_URL] = f"http://127.0.0.1:{web.port}/notify/wechat"
    yield garage
    web.close()
    gateway.close()
    store.close()


def hurried(garage: Garage, attempt_id: str) -> bool:
    """Wait until the gateway's call has been taken in; return whether it was."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        trail = garage.box.store.read(lambda unit: unit.attempts.trail(attempt_id))
        if trail:
            return trail[0].detail == "the gateway called"
        threading.Event().wait(0.05)
    return False


def scan(served: WeChatPayRig, url: str) -> str:
    """Have a phone open a code and type the password; return what became of it."""
    wallet = served.wallet(100_000, asks=False)
    address = f"{served.server.url}/sim/wallets/{wallet}/scan"
    answer = httpx.post(address, json={"code_url": url, "action": "types"}, trust_env=False)
    return str(answer.json().get("state", answer.text))


def test_the_phone_pays_what_the_exit_shows_and_the_books_hold_it(
    garage: Garage, served: WeChatPayRig
) -> None:
    stay = garage.come()
    order = charge_stay(garage.box, stay, EXIT)
    attempt = begin_phone_payment(garage.box, stay)
    assert attempt.order_id == order.order_id
    assert attempt.pay_url.startswith("weixin://")
    assert scan(served, attempt.pay_url) == "paid"
    garage.wait(6_000)
    resolve_attempts(garage.box)
    assert garage.screen(EXIT)["screen"] == "paid"
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
    assert garage.balances()[f"tender/{GATEWAY}"] == 1_000
    assert served.charged_fen(attempt.merchant_order_no) == 1_000


def test_an_order_that_nobody_paid_is_closed_at_the_gateway(garage: Garage, served: WeChatPayRig) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    garage.wait(301_000)
    resolve_attempts(garage.box)
    kept = garage.box.store.read(lambda unit: unit.attempts.get(attempt.attempt_id))
    assert kept is not None
    assert kept.state is AttemptState.VOIDED
    assert scan(served, attempt.pay_url) != "paid"
    again = begin_phone_payment(garage.box, stay)
    assert scan(served, again.pay_url) == "paid"
    garage.wait(6_000)
    resolve_attempts(garage.box)
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]


def test_the_gateways_call_has_the_payment_asked_about_at_once(garage: Garage, served: WeChatPayRig) -> None:
    stay = garage.come()
    attempt = begin_phone_payment(garage.box, stay)
    assert resolve_attempts(garage.box) == 0
    assert scan(served, attempt.pay_url) == "paid"
    assert hurried(garage, attempt.attempt_id)
    assert resolve_attempts(garage.box) == 1
    assert [one.amount_fen for one in garage.settled(stay)] == [1_000]
