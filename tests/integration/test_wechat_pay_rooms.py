"""The shipped client over a real socket against the simulated gateway: everything but the payment code."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from edge.clock import Instant
from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.callbacks import Notification, Reason, RefundNotice, Rejection
from edge.gateways.wechat_pay.channel import Refused
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.combine import CombineOrder, CombinePart
from edge.gateways.wechat_pay.prepay import AlreadyPaid, PrepayOrder
from edge.gateways.wechat_pay.settings import (
    WeChatPaySettings,
    load_merchant_serial,
    load_private_key,
    load_verifiers,
)
from edge.gateways.wechat_pay.transactions import Transaction
from edge.ids import TimeOrderedIds
from edge.retail.bill import BillKind
from edge.services.payment_ports import (
    BillNotReady,
    CodePayment,
    PaymentState,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from sim.gateway import Credentials, Fault, GatewayServer, make_credentials
from sim.gateway.ledger import WORLD, Why
from tests.integration.sim_gateway_rig import NOTIFY_URL, START_AT, Clock, digits

ORDER = PrepayOrder("T-0001", 1250, "可乐", attach="lane-1")
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@dataclass
class BoxClock:
    """The box's clock, which is the gateway's."""

    gateway: Clock

    def now(self) -> Instant:
        return Instant(self.gateway.at, "boot-1", self.gateway.at * 1_000_000, True)


@dataclass
class Mall:
    """A gateway, a client, a shopper and a place where callbacks arrive."""

    server: GatewayServer
    clock: Clock
    settings: WeChatPaySettings
    client: WeChatPayGateway
    openid: str
    http: httpx.Client
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def pay(self, order: PrepayOrder = ORDER) -> None:
        """Order, and have the shopper pay in the mini-program."""
        self.start_payment(self.client.prepay.jsapi(order, self.openid))

    def start_payment(self, prepay_id: str) -> None:
        params = self.client.prepay.payment(prepay_id).as_params()
        given = {"appId": self.settings.appid, **params, "action": "types"}
        answer = self.http.post("/sim/wallets/w1/request-payment", json=given)
        assert answer.status_code == 200, answer.text

    def callback(self, number: int) -> tuple[dict[str, str], bytes]:
        """Return the callback of that number, the first is 0; waits until it is there."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) > number, timeout=10)
            return self.got[number]

    def refund(self, amount_fen: int, number: str = "R-0001") -> RefundRequest:
        return RefundRequest("T-0001", number, amount_fen, 1250, "坏了")

    def read(self, number: int) -> Notification:
        headers, body = self.callback(number)
        result = self.client.callbacks.read(headers, body, self.clock.at // 1000)
        assert isinstance(result, Notification), result
        return result


def client_of(settings: WeChatPaySettings, clock: Clock) -> WeChatPayGateway:
    return WeChatPayGateway(settings, BoxClock(clock), TimeOrderedIds(lambda: clock.at))


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def mall(credentials: Credentials, tmp_path: Path) -> Iterator[Mall]:
    clock = Clock()
    with GatewayServer(credentials, clock, digits) as server:
        settings = WeChatPaySettings(
            appid=credentials.appid,
            mchid=credentials.mchid,
            merchant_serial=load_merchant_serial(credentials.merchant_cert),
            private_key=load_private_key(credentials.merchant_key),
            verifiers=load_verifiers({credentials.public_key_id: credentials.platform_public_key}),
            store_id="0001",
            base_url=server.url,
            backup_url="",
            connect_s=2.0,
            read_s=5.0,
            notify_url=NOTIFY_URL,
            refund_notify_url=NOTIFY_URL,
            api_v3_key=credentials.apiv3_key.encode(),
            spool_dir=tmp_path,
        )
        wallet = server.books.add_wallet("小林", 1_000_000, password_above_fen=2_000_000)
        client = client_of(settings, clock)
        mall = Mall(server, clock, settings, client, wallet.openid, httpx.Client(base_url=server.url))
        with Receiver(mall) as address:
            server.office.notices.wire.routes[NOTIFY_URL] = address
            yield mall
        mall.http.close()
        mall.client.close()


class Receiver:
    """Takes every callback and answers 204."""

    def __init__(self, mall: Mall) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with mall.arrived:
                    mall.got.append((dict(self.headers.items()), body))
                    mall.arrived.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}/notify"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_a_mini_program_payment_is_ordered_started_told_and_found(mall: Mall) -> None:
    prepay_id = mall.client.prepay.jsapi(ORDER, mall.openid)
    assert mall.client.prepay.jsapi(ORDER, mall.openid) == prepay_id
    assert mall.client.query("T-0001").state is PaymentState.PENDING
    mall.start_payment(prepay_id)
    told = mall.read(0)
    assert isinstance(told.content, Transaction)
    assert (told.event_type, told.content.amount_fen, told.content.attach) == (
        "TRANSACTION.SUCCESS",
        1250,
        "lane-1",
    )
    found = mall.client.prepay.transaction(told.content.transaction_id or "")
    assert found == told.content
    assert mall.client.query("T-0001").state is PaymentState.APPROVED
    with pytest.raises(AlreadyPaid):
        mall.client.prepay.jsapi(ORDER, mall.openid)
    with pytest.raises(Refused, match="268498688"):
        mall.client.prepay.jsapi(replace(ORDER, amount_fen=1), mall.openid)


def test_a_native_code_is_shown_scanned_and_paid_and_another_is_closed(mall: Mall) -> None:
    url = mall.client.prepay.native(ORDER)
    scanned = mall.http.post("/sim/wallets/w1/scan", json={"code_url": url, "action": "types"})
    assert scanned.status_code == 200, scanned.text
    assert mall.client.query("T-0001").state is PaymentState.APPROVED
    assert mall.client.close_order("T-0001").state is PaymentState.APPROVED
    mall.client.prepay.native(replace(ORDER, merchant_order_no="T-0002"))
    assert mall.client.close_order("T-0002").state is PaymentState.VOIDED
    assert mall.client.query("T-0002").state is PaymentState.VOIDED


def test_refunds_end_told_once_and_never_give_more_than_was_paid(mall: Mall) -> None:
    mall.pay()
    first = mall.client.refund(mall.refund(500))
    assert first.state in (RefundState.PROCESSING, RefundState.DONE)
    assert mall.client.refund(mall.refund(500)).refund_id == first.refund_id
    with pytest.raises(RefundRefused):
        mall.client.refund(mall.refund(1000, "R-0002"))
    assert mall.client.query_refund("T-0001", "R-0002").state is RefundState.ABSENT
    mall.clock.at += 3_600_000
    told = mall.read(1)
    assert isinstance(told.content, RefundNotice)
    assert (told.content.merchant_refund_no, told.content.answer.state) == ("R-0001", RefundState.DONE)
    done = mall.client.query_refund("T-0001", "R-0001")
    assert (done.state, done.amount_fen) == (RefundState.DONE, 500)


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.SYSTEM_ERROR_AFTER, Fault.BAD_SIGNATURE])
def test_a_refund_whose_answer_was_lost_is_given_once(mall: Mall, fault: Fault) -> None:
    mall.pay()
    mall.server.faults.add("refund", fault)
    with pytest.raises(OutcomeUnknown):
        mall.client.refund(mall.refund(1250))
    again = mall.client.refund(mall.refund(1250))
    assert again.refund_id == mall.client.query_refund("T-0001", "R-0001").refund_id
    with pytest.raises(RefundRefused):
        mall.client.refund(mall.refund(1, "R-0002"))


def test_a_combined_payment_is_ordered_paid_and_found(mall: Mall) -> None:
    for number in ("1900000301", "1900000302"):
        made = mall.http.post("/sim/merchants", json={"mchid": number, "sp_mchid": mall.settings.mchid})
        assert made.status_code == 201, made.text
    parts = (
        CombinePart("1900000301", "P-0001", 1000, "茶", "t1"),
        CombinePart("1900000302", "P-0002", 250, "包", "t2"),
    )
    order = CombineOrder("C-0001", parts)
    mall.start_payment(mall.client.combine.jsapi(order, mall.openid))
    found = mall.client.combine.query("C-0001")
    assert found is not None
    assert [(part.merchant, part.transaction.state, part.transaction.amount_fen) for part in found.parts] == [
        ("1900000301", PaymentState.APPROVED, 1000),
        ("1900000302", PaymentState.APPROVED, 250),
    ]
    assert mall.read(0).content == found
    other = replace(
        order,
        combined_order_no="C-0002",
        parts=tuple(replace(part, merchant_order_no=part.merchant_order_no + "x") for part in parts),
    )
    mall.client.combine.native(other)
    mall.client.combine.close(other)
    closed = mall.client.combine.query("C-0002")
    assert closed is not None
    assert {part.transaction.state for part in closed.parts} == {PaymentState.VOIDED}
    assert mall.client.combine.query("C-0003") is None


def test_a_days_bills_are_fetched_and_agree_with_the_sales(mall: Mall) -> None:
    day = dt.datetime.fromtimestamp(START_AT / 1000, SHANGHAI).date()
    with pytest.raises(BillNotReady):
        mall.client.trade_bill(day)
    for number in range(1, 6):
        mall.pay(replace(ORDER, merchant_order_no=f"T-000{number}", amount_fen=100 * number))
    mall.client.refund(RefundRequest("T-0005", "R-0005", 200, 500))
    mall.clock.at += 86_400_000 * 2
    rows = list(mall.client.trade_bill(day))
    paid = {row.merchant_order_no: row.amount_fen for row in rows if row.kind is BillKind.PAYMENT}
    assert paid == {f"T-000{number}": 100 * number for number in range(1, 6)}
    refunds = [row for row in rows if row.kind is BillKind.REFUND]
    assert [(row.merchant_refund_no, row.amount_fen) for row in refunds] == [("R-0005", 200)]
    flows = list(mall.client.fund_flow_bill(day))
    assert sum(flow.amount_fen for flow in flows) == 1500 - 200 + sum(
        flow.amount_fen for flow in flows if abs(flow.amount_fen) not in (100, 200, 300, 400, 500)
    )
    assert list(os.scandir(mall.settings.spool_dir or "")) == []


def test_certificates_are_fetched_rotated_and_kept_for_a_start_without_network(
    mall: Mall, tmp_path: Path
) -> None:
    mall.http.post("/sim/settings", json={"sign_with": "certificate"})
    kept = tmp_path / "kept"
    settings = replace(mall.settings, verifiers={}, fetch_certificates=True, certificate_dir=kept)
    client = client_of(settings, mall.clock)
    first = client.refresh_certificates()
    assert len(first) >= 1
    assert client.echo("one").serial in first
    new = mall.http.post("/sim/keys", json={"rotate": "certificate"}).json()["serial"]
    assert new in client.refresh_certificates()
    assert client.echo("two").serial == new
    client.close()
    again = client_of(settings, mall.clock)
    assert {report.serial for report in again.key_reports()} >= {*first, new}
    assert again.echo("three").serial == new
    again.close()


def test_callbacks_are_refused_when_the_gateway_spoils_them(mall: Mall) -> None:
    mall.pay()
    headers, body = mall.callback(0)

    def read(late_s: int = 0) -> Notification | Rejection:
        return mall.client.callbacks.read(headers, body, mall.clock.at // 1000 + late_s)

    stale = read(late_s=300)
    assert isinstance(stale, Rejection)
    assert stale.reason is Reason.STALE
    assert isinstance(read(), Notification)
    replay = read()
    assert isinstance(replay, Rejection)
    assert replay.reason is Reason.REPLAYED


def test_a_refund_that_the_balance_does_not_cover_waits_for_a_person(mall: Mall) -> None:
    mall.pay()
    money = f"merchant:{mall.settings.mchid}"
    mall.server.office.ledger.move(money, WORLD, 1250, Why("withdraw", "T-0001"))
    with pytest.raises(RefundNeedsFunds):
        mall.client.refund(mall.refund(500))
    mall.server.office.ledger.move(WORLD, money, 1250, Why("deposit", "T-0001"))
    assert mall.client.refund(mall.refund(500)).amount_fen == 500


def test_a_service_provider_sells_asks_and_refunds_for_a_sub_merchant(mall: Mall) -> None:
    made = {"mchid": "1900000301", "sp_mchid": mall.settings.mchid, "appids": ["wx00000000000000ab"]}
    assert mall.http.post("/sim/merchants", json=made).status_code == 201
    mall.client.close()
    mall.settings = replace(mall.settings, sub_mchid="1900000301")
    mall.client = client_of(mall.settings, mall.clock)
    mall.pay()
    assert mall.client.query("T-0001").state is PaymentState.APPROVED
    told = mall.read(0).content
    assert isinstance(told, Transaction)
    assert told.payer == mall.openid
    code = mall.http.post("/sim/wallets/w1/code", json={}).json()["code"]
    paid = mall.client.pay_by_code(CodePayment("T-0002", 300, "茶", code, "till-1"))
    assert (paid.state, paid.payer) == (PaymentState.APPROVED, mall.openid)
    assert mall.client.reverse("T-0002").state is PaymentState.VOIDED
    assert mall.client.refund(mall.refund(500)).amount_fen == 500
    assert mall.client.query_refund("T-0001", "R-0001").state is not RefundState.ABSENT


def test_without_the_gateway_nothing_is_claimed(mall: Mall) -> None:
    mall.server.stop()
    with pytest.raises(Unavailable):
        mall.client.refund(mall.refund(500))
    with pytest.raises(Unavailable):
        mall.client.prepay.native(ORDER)
