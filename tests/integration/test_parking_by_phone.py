"""A driver's phone pays over the real client, the simulated gateway and SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders
from edge.retail.attempt import AttemptState
from edge.services.charge_stay import charge_stay
from edge.services.pay_by_phone import begin_phone_payment
from edge.services.resolve_attempts import resolve_attempts
from edge.store.sqlite_store import SqliteStore
from sim.fakes.box import GATEWAY, FakePorts
from sim.gateway import Credentials, make_credentials
from tests.contract.test_gateway import WeChatPayRig, digits, settings_for
from tests.unit.garage import EXIT, Garage


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
    settings = replace(settings, notify_url="https://mall.example/notify/wechat")
    gateway = WeChatPayGateway(settings, served.clock, garage.box.ids)
    prepayers = {GATEWAY: WeChatPhoneOrders(gateway)}
    garage.box = replace(garage.box, gateways={GATEWAY: gateway}, prepayers=prepayers)
    yield garage
    gateway.close()
    store.close()


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
