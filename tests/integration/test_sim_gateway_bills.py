"""The simulated gateway's bills tell what its ledger has, and our client reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from edge.errors import Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.signing import authorization
from edge.retail.bill import BillKind, BillRow
from edge.services.payment_ports import BillNotReady, CodePayment
from sim.gateway import Credentials, GatewayServer, make_credentials
from sim.gateway.credentials import read_key
from tests.contract.test_gateway import digits, settings_for
from tests.integration.test_wechat_pay_faults import CountingIds, HandClock

#: 2026-11-21, 12:00 in Shanghai.
NOON = int(datetime(2026, 11, 21, 4, tzinfo=UTC).timestamp() * 1000)
DAY = date(2026, 11, 21)
HOUR_MS = 3_600_000


@dataclass
class Rig:
    """A gateway, a client, and a wallet with 10,000 yuan."""

    server: GatewayServer
    clock: HandClock
    client: WeChatPayGateway
    http: httpx.Client
    wallet: str = ""
    paid: list[str] = field(default_factory=list)

    def pay(self, amount_fen: int) -> str:
        code = self.http.post(f"/sim/wallets/{self.wallet}/code", json={"renew": True}).json()["code"]
        order_no = f"order-{len(self.paid):04d}"
        payment = CodePayment(order_no, amount_fen, "凉茶, 两瓶", code, "till-1", "mall-1/box-1")
        self.client.pay_by_code(payment)
        self.paid.append(order_no)
        return order_no

    def next_day(self, hour: int = 11) -> None:
        self.clock.wall_at = NOON + (12 + hour) * HOUR_MS

    def rows(self) -> list[BillRow]:
        return list(self.client.trade_bill(DAY))

    def plant(self, kind: str, order_no: str = "") -> None:
        told = {"kind": kind} | ({"order_no": order_no} if order_no else {})
        answer = self.http.post(f"/sim/bills/{DAY}/differences", json=told)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    clock = HandClock()
    clock.wall_at = NOON
    with GatewayServer(credentials, lambda: clock.wall_at, digits) as server:
        http = httpx.Client(base_url=server.url, trust_env=False)
        client = WeChatPayGateway(settings_for(credentials, server.url), clock, CountingIds())
        made = Rig(server, clock, client, http)
        wallet = http.post("/sim/wallets", json={"name": "小林", "balance_fen": 1_000_000}).json()
        made.wallet = wallet["wallet_id"]
        yield made
        client.close()
        http.close()


def told(rows: list[BillRow]) -> list[tuple[BillKind, str, int, str]]:
    return [(row.kind, row.merchant_order_no, row.amount_fen, row.state) for row in rows]


def test_a_days_bill_has_each_payment_and_what_was_reversed(rig: Rig) -> None:
    first = rig.pay(1_250)
    rig.clock.wall_at += 60_000
    second = rig.pay(990)
    rig.clock.wall_at += 60_000
    rig.client.reverse(second)
    rig.next_day()
    rows = rig.rows()
    assert told(rows) == [
        (BillKind.PAYMENT, first, 1_250, "SUCCESS"),
        (BillKind.PAYMENT, second, 990, "SUCCESS"),
        (BillKind.REFUND, second, 990, "REVOKED"),
    ]
    assert [row.merchant_refund_no for row in rows] == ["", "", ""]
    assert {row.attach for row in rows} == {"mall-1/box-1"}
    assert [row.happened_at for row in rows] == [NOON, NOON + 60_000, NOON + 120_000]
    # 0.60 % of 12.50 yuan is 7.5 fen; what is reversed brings its fee back.
    assert [row.fee_fen for row in rows] == [8, 6, -6]


def test_a_bill_is_there_from_ten_the_next_day_and_none_of_a_day_without_trade(rig: Rig) -> None:
    rig.pay(100)
    rig.next_day(hour=9)
    with pytest.raises(BillNotReady):
        rig.rows()
    rig.next_day(hour=10)
    assert len(rig.rows()) == 1
    with pytest.raises(BillNotReady):
        list(rig.client.trade_bill(DAY - timedelta(days=1)))


def test_what_happens_after_midnight_stands_in_the_next_bill(rig: Rig) -> None:
    late = rig.pay(100)
    rig.clock.wall_at = NOON + 12 * HOUR_MS + 60_000
    rig.client.reverse(late)
    rig.clock.wall_at = NOON + 48 * HOUR_MS
    assert told(rig.rows()) == [(BillKind.PAYMENT, late, 100, "SUCCESS")]
    tomorrow = list(rig.client.trade_bill(DAY + timedelta(days=1)))
    assert told(tomorrow) == [(BillKind.REFUND, late, 100, "REVOKED")]


def test_planted_differences_change_the_bill_and_not_the_money(rig: Rig) -> None:
    numbers = [rig.pay(1_000 + count) for count in range(4)]
    rig.plant("missing", numbers[0])
    rig.plant("amount", numbers[1])
    rig.plant("status", numbers[2])
    rig.plant("extra")
    rig.next_day()
    rows = told(rig.rows())
    assert rows[:2] == [
        (BillKind.PAYMENT, numbers[1], 1_002, "SUCCESS"),
        (BillKind.PAYMENT, numbers[2], 1_002, "SUCCESS"),
    ]
    assert rows[2] == (BillKind.PAYMENT, numbers[3], 1_003, "SUCCESS")
    assert rows[3] == (BillKind.REFUND, numbers[2], 1_002, "REVOKED")
    assert (rows[4][0], rows[4][2]) == (BillKind.PAYMENT, 1_234)
    assert rows[4][1] not in numbers
    assert sum(entry.amount_fen for entry in rig.server.books.ledger()) == 4_006
    assert len(rig.http.get(f"/sim/bills/{DAY}/differences").json()) == 4


def test_the_fund_flow_ends_at_what_the_merchant_has(rig: Rig) -> None:
    rig.pay(1_000)
    rig.client.reverse(rig.pay(300))
    rig.next_day()
    flow = list(rig.client.fund_flow_bill(DAY))
    assert [(one.amount_fen, one.balance_fen) for one in flow] == [
        (1_000, 1_000),
        (300, 1_300),
        (-300, 1_000),
    ]
    assert [one.voucher for one in flow] == ["order-0000", "order-0001", "order-0001"]


def signed(rig: Rig, target: str, nonce: str) -> httpx.Response:
    who = rig.server.credentials
    header = authorization(
        read_key(who.merchant_key),
        mchid=who.mchid,
        serial=who.merchant_serial,
        method="GET",
        target=target,
        body=b"",
        timestamp_s=rig.clock.wall_at // 1000,
        nonce=nonce,
    )
    return rig.http.get(target, headers={"Authorization": header})


def test_a_file_is_given_for_half_a_minute_and_only_when_signed(rig: Rig) -> None:
    rig.pay(1_000)
    rig.next_day()
    offer = signed(rig, f"/v3/bill/tradebill?bill_date={DAY}", "n1").json()
    target = offer["download_url"].partition("/v3")[2]
    unsigned = rig.http.get(f"/v3{target}")
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "SIGN_ERROR")
    file = signed(rig, f"/v3{target}", "n2")
    assert file.content.decode().startswith("交易时间,")
    assert hashlib.sha1(file.content, usedforsecurity=False).hexdigest() == offer["hash_value"]
    assert "Wechatpay-Signature" not in file.headers
    rig.clock.wall_at += 30_001
    late = signed(rig, f"/v3{target}", "n3")
    assert (late.status_code, late.json()["code"]) == (400, "INVALID_REQUEST")


def test_a_bill_that_is_spoilt_on_the_way_is_not_used(rig: Rig) -> None:
    rig.pay(1_000)
    rig.next_day()
    rig.http.post("/sim/faults", json={"call": "bill_file", "fault": "cut", "times": 9})
    with pytest.raises(Unavailable, match="bill"):
        rig.rows()
    rig.http.delete("/sim/faults")
    assert len(rig.rows()) == 1
