"""`edge payments`, `edge work` and `edge reconcile`, alone and beside a running service, on a real bill."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from edge.app import build_service
from edge.cli import main
from edge.clock import SystemClock, local, wait, wall_ms
from edge.config import load_config
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.ids import TimeOrderedIds
from edge.retail.attempt import AttemptState
from edge.service import Service
from edge.services.payment_ports import CodePayment
from edge.services.reconcile import BILL_ZONE
from edge.services.records import Unit
from edge.store.sqlite_store import SqliteStore
from sim.gateway import Credentials, GatewayServer, make_credentials
from tests.contract.test_gateway import digits, settings_for
from tests.contract.test_store import ATTEMPT, ORDER

ATTEMPT_ID = "01a2025d-5200-7000-8000-00000000004e"


def today() -> date:
    return local(wall_ms(), BILL_ZONE).date()


@dataclass
class House:
    """A box's folder and a gateway that has a wallet and makes bills at once."""

    folder: Path
    server: GatewayServer
    http: httpx.Client

    @property
    def config(self) -> Path:
        return self.folder / "edge.toml"

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, [*words, "--config", str(self.config)])

    def store(self) -> SqliteStore:
        return SqliteStore(self.folder / "edge.db", wall_ms())

    def write_config(self) -> None:
        who = self.server.credentials
        self.config.write_text(
            f"""
[box]
site = "mall-1"
edge = "box-1"
data_dir = "{self.folder}"

[web]
port = 0

[wechat_pay]
appid = "{who.appid}"
mchid = "{who.mchid}"
store_id = "0001"
private_key_file = "{who.merchant_key}"
certificate_file = "{who.merchant_cert}"
base_url = "{self.server.url}"
backup_url = ""

[wechat_pay.platform_keys]
{who.public_key_id} = "{who.platform_public_key}"
""",
            encoding="utf-8",
        )


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def house(tmp_path: Path, credentials: Credentials) -> Iterator[House]:
    with GatewayServer(credentials, wall_ms, digits) as server, httpx.Client(base_url=server.url) as http:
        made = House(tmp_path, server, http)
        made.write_config()
        http.post("/sim/bills", json={"ready": "at_once"})
        made.store().close()
        yield made


def in_doubt(unit: Unit) -> None:
    now, ids = wall_ms(), TimeOrderedIds(wall_ms)
    order = replace(ORDER, order_id=ids.new_id(), basket_id=ids.new_id())
    unit.orders.put(order)
    unit.attempts.put(
        replace(
            ATTEMPT,
            attempt_id=ATTEMPT_ID,
            order_id=order.order_id,
            state=AttemptState.SUBMITTED,
            created_at=now,
            give_up_at=now + 45_000,
            next_step_at=now + 30_000,
        )
    )


def test_payments_in_doubt_are_listed_and_hurried(house: House) -> None:
    store = house.store()
    store.write(in_doubt)
    store.close()
    listed = house.run("payments").output
    assert "1 payments are on their way" in listed
    assert ORDER.number in listed
    assert "next by itself: query" in listed
    assert "you may: ask-now, give-back" in listed
    done = house.run("payments", "ask-now", ATTEMPT_ID)
    assert (done.exit_code, "at the next turn" in done.output) == (0, True)
    gone = house.run("payments", "give-back", ATTEMPT_ID, "--reason", "paid in cash")
    assert gone.exit_code == 0
    again = house.run("payments", "list").output
    assert ": give back, paid in cash" in again
    assert house.run("payments", "ask-now", "nobody").exit_code == 1


def test_a_bill_that_has_a_payment_of_nobody_ends_with_one_until_it_is_closed(house: House) -> None:
    day = today()
    pay_at_the_gateway(house)
    found = house.run("reconcile", "--date", day.isoformat())
    assert found.exit_code == 1, found.output
    assert "1 rows" in found.output
    assert "bill_difference" in found.output
    assert "1 differences are open" in found.output
    item = house.run("work").output.splitlines()[1].split()[0]
    closed = house.run("work", "close", item, "--reason", "a payment of the simulator's own")
    assert closed.exit_code == 0, closed.output
    again = house.run("reconcile", "--date", day.isoformat())
    assert (again.exit_code, "differences are open" in again.output) == (0, False)
    assert f"{day}: 1 rows" in house.run("reconcile", "--list").output


def test_a_day_without_trade_agrees(house: House) -> None:
    day = today() - timedelta(days=1)
    done = house.run("reconcile")
    assert (done.exit_code, f"{day}: 0 rows" in done.output) == (0, True)


def test_a_running_service_compares_for_the_command_line(house: House) -> None:
    pay_at_the_gateway(house)
    service = build_service(load_config(house.config))
    running = threading.Thread(target=_run, args=(service,))
    running.start()
    try:
        found = house.run("reconcile", "--date", today().isoformat())
        assert (found.exit_code, "1 differences are open" in found.output) == (1, True), found.output
        refused = house.run("payments", "ask-now", "nobody")
        assert (refused.exit_code, "no payment attempt nobody" in refused.output) == (1, True)
    finally:
        service.ended.set()
        running.join(20)
    assert not running.is_alive()


def _run(service: Service) -> None:
    service.start()
    wait(service.ended, 120)
    service.stop()


def pay_at_the_gateway(house: House) -> None:
    """Have a payment in the gateway's bill that this box never made, under its own name."""
    wallet = house.http.post("/sim/wallets", json={"name": "小林", "balance_fen": 100_000}).json()
    code = house.http.post(f"/sim/wallets/{wallet['wallet_id']}/code", json={}).json()["code"]
    client = WeChatPayGateway(
        settings_for(house.server.credentials, house.server.url), SystemClock(), TimeOrderedIds(wall_ms)
    )
    client.pay_by_code(CodePayment("nobodys-0001", 990, "sundries", code, "K01", "mall-1/box-1"))
    client.close()
