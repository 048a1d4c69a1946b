"""The simulated Alipay against other people's client: python-alipay-sdk, only its address changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from alipay import AliPay, DCAliPay
from alipay.exceptions import AliPayException, AliPayValidationError

from edge.clock import SystemClock
from sim.gateway import Credentials, Fault, GatewayServer, make_credentials
from sim.gateway.alipay_keys import AlipayKeys, make_alipay_keys
from tests.contract.test_gateway import digits

ORDER = "T20261122_0001"

# The SDK reads certificates by functions that pyOpenSSL is giving up.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Till:
    """The SDK, the simulated gateway and a shopper."""

    def __init__(self, credentials: Credentials, certificates: bool) -> None:
        clock = SystemClock()
        self.server = GatewayServer(credentials, lambda: clock.now().wall_at, digits)
        self.server.start()
        keys = make_alipay_keys(credentials.folder / "alipay", digits)
        self.sdk: Any = with_certificates(keys) if certificates else with_public_key(keys)
        self.sdk._gateway = f"{self.server.url}/gateway.do"
        self.switch("code_in_url_allowed", True)

    def switch(self, name: str, value: bool) -> None:
        url = f"{self.server.url}/sim/alipay-settings"
        assert httpx.post(url, json={name: value}, trust_env=False).status_code == 200

    def code(self, balance_fen: int = 100_000, password_above_fen: int = 100_000) -> str:
        wallet = self.server.books.add_wallet("shopper", balance_fen, password_above_fen)
        url = f"{self.server.url}/sim/alipay/{wallet.wallet_id}/code"
        return str(httpx.post(url, json={}, trust_env=False).json()["code"])

    def pay(self, code: str, amount: str = "12.50", order_no: str = ORDER) -> Any:
        return self.sdk.api_alipay_trade_pay(
            order_no, "bar_code", code, "南门店 sundries", total_amount=amount
        )


def with_public_key(keys: AlipayKeys) -> Any:
    public = keys.alipay_public_key.read_text("ascii")
    return AliPay(
        appid=keys.app_id,
        app_private_key_string=keys.app_key.read_text("ascii"),
        alipay_public_key_string=f"-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----",
    )


def with_certificates(keys: AlipayKeys) -> Any:
    return DCAliPay(
        appid=keys.app_id,
        app_private_key_string=keys.app_key.read_text("ascii"),
        app_public_key_cert_string=keys.app_cert.read_text("ascii"),
        alipay_public_key_cert_string=keys.alipay_cert.read_text("ascii"),
        alipay_root_cert_string=keys.root_cert.read_text("ascii"),
    )


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(params=[False, True], ids=["public key", "certificates"])
def till(request: pytest.FixtureRequest, credentials: Credentials, monkeypatch: Any) -> Iterator[Till]:
    # The SDK writes the machine's own time; the real gateway is told Beijing's, and so is this one.
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    open_till = Till(credentials, request.param)
    yield open_till
    open_till.server.stop()
    monkeypatch.undo()
    time.tzset()


def test_it_pays_and_asks(till: Till) -> None:
    paid = till.pay(till.code())
    assert (paid["code"], paid["out_trade_no"], paid["total_amount"]) == ("10000", ORDER, "12.50")
    asked = till.sdk.api_alipay_trade_query(out_trade_no=ORDER)
    assert (asked["trade_status"], asked["total_amount"]) == ("TRADE_SUCCESS", "12.50")
    assert till.sdk.api_alipay_trade_query(trade_no=paid["trade_no"])["out_trade_no"] == ORDER
    assert till.server.books.charged_fen(ORDER) == 1250


def test_it_waits_for_a_password_and_cancels(till: Till) -> None:
    assert till.pay(till.code(password_above_fen=0))["code"] == "10003"
    assert till.sdk.api_alipay_trade_query(out_trade_no=ORDER)["trade_status"] == "WAIT_BUYER_PAY"
    cancelled = till.sdk.api_alipay_trade_cancel(out_trade_no=ORDER)
    assert (cancelled["retry_flag"], cancelled["action"]) == ("N", "close")
    assert till.sdk.api_alipay_trade_query(out_trade_no=ORDER)["trade_status"] == "TRADE_CLOSED"
    assert till.server.books.charged_fen(ORDER) == 0


def test_it_refunds_once_for_each_number(till: Till) -> None:
    till.pay(till.code())
    for flag in ("Y", "N"):
        answer = till.sdk.api_alipay_trade_refund("2.50", out_trade_no=ORDER, out_request_no="R_0001")
        assert (answer["fund_change"], answer["refund_fee"]) == (flag, "2.50")
    asked = till.sdk.api_alipay_trade_fastpay_refund_query("R_0001", out_trade_no=ORDER)
    assert (asked["refund_status"], asked["refund_amount"]) == ("REFUND_SUCCESS", "2.50")
    assert "refund_status" not in till.sdk.api_alipay_trade_fastpay_refund_query("R_0002", out_trade_no=ORDER)
    assert till.server.books.charged_fen(ORDER) == 1000


def test_its_refusals_are_the_documented_ones(till: Till) -> None:
    assert till.pay(till.code(balance_fen=1))["sub_code"] == "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    assert till.pay("289999999999999999")["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"
    assert till.pay("abc")["sub_code"] == "ACQ.INVALID_PARAMETER"
    assert till.sdk.api_alipay_trade_query(out_trade_no="T_none")["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert "action" not in till.sdk.api_alipay_trade_cancel(out_trade_no="T_none")


def test_a_code_in_the_url_is_refused_unless_allowed(till: Till) -> None:
    till.switch("code_in_url_allowed", False)
    assert till.pay(till.code())["sub_code"] == "isv.invalid-parameter"
    assert till.server.books.charged_fen(ORDER) == 0


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.FORGED_REFUSAL])
def test_it_believes_no_forged_answer(till: Till, fault: Fault) -> None:
    till.pay(till.code())
    till.server.faults.add("alipay.trade.query", fault)
    with pytest.raises((AliPayValidationError, AliPayException)):
        till.sdk.api_alipay_trade_query(out_trade_no=ORDER)
