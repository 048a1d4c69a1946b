"""What the simulated gateway knows outlives it, and its books add up whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature

from sim.gateway import Credentials, make_credentials
from sim.gateway.rooms import ROOMS
from sim.gateway.store import Store
from sim.ports import free_ports
from tests.integration.sim_gateway_rig import Clock, Rig, digits, open_rig

REFUNDS = "/v3/refund/domestic/refunds"


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


def test_wallets_orders_refunds_and_money_are_there_after_a_restart(
    credentials: Credentials, tmp_path: Path
) -> None:
    store, clock = tmp_path / "gateway.db", Clock()
    with open_rig(credentials, store, clock) as rig:
        shopper = rig.paid_order("T-000001")
        amount = {"refund": 250, "total": 1250, "currency": "CNY"}
        rig.post(REFUNDS, {"out_trade_no": "T-000001", "out_refund_no": "R1", "amount": amount})
        prepay = rig.post("/v3/pay/transactions/jsapi", rig.order("T-000002", shopper["openid"])).json()
        before = rig.switch("/sim/books")
    with open_rig(credentials, store, clock) as rig:
        assert rig.switch("/sim/books") == before
        assert [one["wallet_id"] for one in rig.switch("/sim/wallets")] == [shopper["wallet_id"]]
        assert rig.query("T-000001").json()["trade_state"] == "REFUND"
        rig.nonces = 1_000
        clock.at += 1_000
        assert rig.get(f"{REFUNDS}/R1").json()["status"] == "SUCCESS"
        assert rig.pay_by_phone(shopper, prepay["prepay_id"])["state"] == "paid"
        assert rig.balance(f"wallet:{shopper['wallet_id']}") == 100_000 - 1250 + 250 - 1250


def test_no_payment_code_is_ever_in_the_file(credentials: Credentials, tmp_path: Path) -> None:
    with open_rig(credentials, tmp_path / "gateway.db") as rig:
        code = rig.code(rig.wallet())
        assert rig.codepay("T-000001", code).status == 200
        rig.code(rig.wallet())
    assert all(code.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_a_unit_of_work_began_is_gone_when_it_fails() -> None:
    store = Store()
    store.add_schema("CREATE TABLE one (value INTEGER) STRICT")

    def fail() -> None:
        with store.work():
            store.run("INSERT INTO one VALUES (1)")
            with store.work():
                store.run("INSERT INTO one VALUES (2)")
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        fail()
    assert store.number("SELECT count(*) FROM one") == 0


def test_many_tills_at_once_charge_each_order_once(credentials: Credentials) -> None:
    with open_rig(credentials) as rig:
        shopper = rig.wallet(1_000_000)
        codes = [rig.code(rig.wallet(1_250)) for _ in range(8)]
        gate = threading.Barrier(8)

        def till(number: int) -> int:
            mine = Rig(rig.server, rig.clock, rig.who)
            mine.nonces = 1_000 * (number + 1)
            gate.wait(20)
            return mine.codepay(f"T-{number // 2:06d}", codes[number]).status

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(till, range(8)))
        assert sorted(statuses) == [200] * 4 + [400] * 4
        assert rig.balance(f"merchant:{rig.who.mchid}") == 4 * 1250
        assert rig.balance(f"wallet:{shopper['wallet_id']}") == 1_000_000


def test_with_faults_by_chance_the_books_add_up_and_the_same_seed_does_the_same(
    credentials: Credentials,
) -> None:
    seen = []
    for _ in range(2):
        with open_rig(credentials) as rig:
            rates = {"per_mille": 300, "seed": 7, "delay_ms": 1}
            assert "error" not in rig.switch("/sim/fault-rates", rates)
            told = [attempt(rig, number) for number in range(60)]
            done = rig.switch("/sim/fault-rates", {"per_mille": 0})["done"]
            assert sum(done.values()) == 60 - told.count("200")
            paid = [rig.query(f"T-{number:06d}").json() for number in range(60)]
            taken = sum(1250 for one in paid if one.get("trade_state") == "SUCCESS")
            assert rig.balance(f"merchant:{rig.who.mchid}") == taken
            seen.append((told, done))
    assert seen[0] == seen[1]
    assert 8 <= sum(seen[0][1].values()) <= 30


def attempt(rig: Rig, number: int) -> str:
    """Charge once; return the status, with a mark for anything that is not a plain answer."""
    code = rig.code(rig.wallet())
    fault_before = sum(rig.server.faults.done().values())
    try:
        answer = rig.codepay(f"T-{number:06d}", code)
        status = str(answer.status)
    except (OSError, HTTPException, AssertionError, InvalidSignature) as error:
        status = type(error).__name__
    return status if sum(rig.server.faults.done().values()) == fault_before else f"{status} faulty"


def test_no_two_calls_have_the_same_address(credentials: Credentials) -> None:
    with open_rig(credentials) as rig:
        endpoints = [one for room in ROOMS for one in room.endpoints(rig.server.office)]
    ways = [(one.method, one.pattern.pattern) for one in endpoints]
    assert len(ways) == len(set(ways))


def test_a_gateway_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    command = [sys.executable, "-m", "sim", "gateway", str(tmp_path), "--port", str(port)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        made = ask(port, "POST", "/sim/wallets", {"name": "小林", "balance_fen": 700})
        deposit = {"mchid": "1900000109", "deposit_fen": 300}
        ask(port, "POST", "/sim/merchants", deposit)
        before = ask(port, "GET", "/sim/books")
    finally:
        first.kill()
        first.wait(10)
    again = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        assert ask(port, "GET", "/sim/books") == before
        assert made in ask(port, "GET", "/sim/wallets")
        assert before["accounts"]["merchant:1900000109"] == 300
    finally:
        again.terminate()
        again.wait(10)


def ask(port: int, method: str, path: str, value: object = None) -> Any:
    """Use a switch of a gateway that may still be starting."""
    body, pause = None if value is None else json.dumps(value), threading.Event()
    for _ in range(400):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(method, path, body)
            return json.loads(connection.getresponse().read())
        except ConnectionRefusedError:
            pause.wait(0.05)
        finally:
            connection.close()
    raise AssertionError("the gateway did not start in 20 s")
