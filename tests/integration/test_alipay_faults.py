"""The shipped Alipay client against the simulated gateway: faults, refunds, late cancellations, secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import httpx
import pytest

from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.alipay.client import AlipayGateway
from edge.gateways.alipay.settings import AlipaySettings
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    PaymentDeclined,
    PaymentState,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from sim.gateway import Credentials, Fault, GatewayServer, make_credentials
from sim.gateway.ledger import WORLD, Why
from tests.contract.test_gateway import alipay_settings_for, digits
from tests.integration.test_wechat_pay_faults import HandClock

ORDER = "T20261122_0001"
PAY, QUERY, CANCEL = "alipay.trade.pay", "alipay.trade.query", "alipay.trade.cancel"
REFUND, REFUND_QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"

#: Faults after which money has moved, and no answer that can be believed came back.
CHARGED = [
    Fault.DROP_AFTER,
    Fault.SYSTEM_ERROR_AFTER,
    Fault.BAD_SIGNATURE,
    Fault.NO_SIGNATURE,
    Fault.UNKNOWN_SERIAL,
    Fault.FORGED_REFUSAL,
    Fault.BROKEN_JSON,
    Fault.CUT,
    Fault.HUGE,
    Fault.WRONG_AMOUNT,
    Fault.WRONG_ORDER,
]


@dataclass
class Till:
    """One client, one gateway, one shopper."""

    server: GatewayServer
    gateway: AlipayGateway
    settings: AlipaySettings
    clock: HandClock
    wallet_id: str

    def payment(self, amount_fen: int = 1250, order_no: str = ORDER) -> CodePayment:
        url = f"{self.server.url}/sim/alipay/{self.wallet_id}/code"
        code = str(httpx.post(url, json={}, trust_env=False).json()["code"])
        return CodePayment(order_no, amount_fen, "sundries", code, "till-1")

    def refund(self, amount_fen: int = 250, number: str = "R00001") -> RefundRequest:
        return RefundRequest(ORDER, number, amount_fen, 1250, "不要了")

    def charged_fen(self, order_no: str = ORDER) -> int:
        return self.server.books.charged_fen(order_no)

    def other(self, **changes: object) -> AlipayGateway:
        return AlipayGateway(replace(self.settings, **changes), self.clock)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def till(credentials: Credentials) -> Iterator[Till]:
    clock = HandClock()
    with GatewayServer(credentials, lambda: clock.wall_at, digits) as server:
        settings = alipay_settings_for(credentials, server.url, certificates=True)
        gateway = AlipayGateway(settings, clock)
        wallet = server.books.add_wallet("shopper", 200_000)
        yield Till(server, gateway, settings, clock, wallet.wallet_id)
        gateway.close()


@pytest.mark.parametrize("fault", CHARGED)
def test_a_charge_whose_answer_cannot_be_believed_is_unknown_and_a_query_finds_it(
    till: Till, fault: Fault
) -> None:
    till.server.faults.add(PAY, fault)
    with pytest.raises(OutcomeUnknown, match=f"{ORDER} may or may not"):
        till.gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 1250
    assert till.gateway.query(ORDER).state is PaymentState.APPROVED
    assert till.server.faults.waiting() == ()


@pytest.mark.parametrize("fault", [fault for fault in CHARGED if fault is not Fault.WRONG_AMOUNT])
def test_no_fault_makes_a_query_say_something_untrue(till: Till, fault: Fault) -> None:
    till.gateway.pay_by_code(till.payment())
    till.server.faults.add(QUERY, fault)
    with pytest.raises(Unavailable, match=ORDER):
        till.gateway.query(ORDER)
    assert till.gateway.query(ORDER).state is PaymentState.APPROVED


def test_a_system_error_before_the_charge_is_unknown_too_and_a_query_says_absent(till: Till) -> None:
    till.server.faults.add(PAY, Fault.SYSTEM_ERROR_BEFORE)
    with pytest.raises(OutcomeUnknown, match=r"20000 aop\.unknow-error"):
        till.gateway.pay_by_code(till.payment())
    assert till.gateway.query(ORDER).state is PaymentState.ABSENT


def test_a_throttled_payment_was_not_taken_in(till: Till) -> None:
    till.server.faults.add(PAY, Fault.RATE_LIMIT)
    with pytest.raises(Unavailable, match="40005"):
        till.gateway.pay_by_code(till.payment())
    assert till.charged_fen() == 0


def test_a_request_delivered_twice_charges_once_and_is_approved(till: Till) -> None:
    till.server.faults.add(PAY, Fault.DUPLICATE)
    answer = till.gateway.pay_by_code(till.payment())
    assert (answer.state, till.charged_fen()) == (PaymentState.APPROVED, 1250)


def test_an_old_code_is_declined(till: Till) -> None:
    old = till.payment()
    till.clock.wall_at += 60_000
    with pytest.raises(PaymentDeclined) as refusal:
        till.gateway.pay_by_code(old)
    assert refusal.value.reason is DeclineReason.CODE_INVALID


def test_a_clock_that_is_off_is_said_and_charges_nothing(till: Till) -> None:
    payment, clock = till.payment(), HandClock()
    clock.wall_at = till.clock.wall_at + 3_600_000
    refused = pytest.raises(Unavailable, match=r"isv\.invalid-timestamp.*clock")
    with closing(AlipayGateway(till.settings, clock)) as late, refused:
        late.pay_by_code(payment)
    assert till.charged_fen() == 0


def test_a_wrong_application_or_key_is_said_and_charges_nothing(till: Till) -> None:
    with closing(till.other(app_id="2021000000000000")) as stranger:
        with pytest.raises(Unavailable, match=r"isv\.invalid-app-id.*application's key"):
            stranger.pay_by_code(till.payment())
        with pytest.raises(Unavailable, match=r"isv\.invalid-app-id.*application's key"):
            stranger.query(ORDER)
    assert till.charged_fen() == 0


def test_a_certificate_serial_that_is_not_the_applications_is_a_fault_of_ours(till: Till) -> None:
    with closing(till.other(app_cert_sn="0" * 32)) as other, pytest.raises(PaymentDeclined) as refusal:
        other.pay_by_code(till.payment())
    assert refusal.value.reason is DeclineReason.MERCHANT


def test_a_reversal_that_must_be_sent_again_is_pending_until_it_is_done(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    switches = f"{till.server.url}/sim/alipay-settings"
    httpx.post(switches, json={"cancel_wants_retry": True}, trust_env=False)
    answer = till.gateway.reverse(ORDER)
    assert (answer.state, "retry" in answer.detail) == (PaymentState.PENDING, True)
    assert till.charged_fen() == 1250
    httpx.post(switches, json={"cancel_wants_retry": False, "paid_without_action": True}, trust_env=False)
    assert till.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert till.charged_fen() == 0


def test_a_reversal_after_more_than_a_day_is_a_refund_and_happens_once(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.clock.wall_at += 25 * 3_600_000
    till.server.faults.add(REFUND, Fault.DROP_AFTER)
    assert till.gateway.reverse(ORDER).state is PaymentState.PENDING
    assert till.charged_fen() == 0
    assert till.gateway.reverse(ORDER).state is PaymentState.VOIDED
    assert till.charged_fen() == 0


def test_refunds_come_in_parts_and_the_last_closes_the_order_to_the_fen(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    first = till.gateway.refund(till.refund(999))
    assert (first.state, first.amount_fen) == (RefundState.DONE, 999)
    assert till.charged_fen() == 251
    assert till.gateway.query(ORDER).state is PaymentState.APPROVED
    till.gateway.refund(till.refund(251, "R00002"))
    assert till.charged_fen() == 0
    assert till.gateway.query(ORDER).state is PaymentState.VOIDED
    asked = till.gateway.query_refund(ORDER, "R00001")
    assert (asked.state, asked.amount_fen, asked.refunded_at) == (RefundState.DONE, 999, till.clock.wall_at)


@pytest.mark.parametrize(
    "fault", [Fault.DROP_AFTER, Fault.SYSTEM_ERROR_AFTER, Fault.BAD_SIGNATURE, Fault.CUT]
)
def test_a_refund_that_is_sent_again_gives_the_money_once(till: Till, fault: Fault) -> None:
    till.gateway.pay_by_code(till.payment())
    till.server.faults.add(REFUND, fault)
    with pytest.raises(OutcomeUnknown, match="R00001"):
        till.gateway.refund(till.refund())
    assert till.gateway.query_refund(ORDER, "R00001").state is RefundState.DONE
    again = till.gateway.refund(till.refund())
    assert (again.state, again.amount_fen, till.charged_fen()) == (RefundState.DONE, 250, 1000)


def test_a_repeated_refund_whose_query_gets_no_answer_stays_unknown(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.gateway.refund(till.refund())
    till.server.faults.add(REFUND_QUERY, Fault.DROP_BEFORE)
    with pytest.raises(OutcomeUnknown, match="fund_change N"):
        till.gateway.refund(till.refund())
    assert till.charged_fen() == 1000


def test_a_refund_that_was_never_sent_or_of_no_order_is_absent(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    assert till.gateway.query_refund(ORDER, "R00009").state is RefundState.ABSENT
    assert till.gateway.query_refund("T_never_sent", "R00009").state is RefundState.ABSENT


def test_more_than_is_left_and_another_order_are_refused_for_good(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.gateway.refund(till.refund(1000))
    with pytest.raises(RefundRefused, match="REASON_TRADE_REFUND_FEE_ERR"):
        till.gateway.refund(till.refund(251, "R00002"))
    with pytest.raises(RefundRefused, match="TRADE_NOT_EXIST"):
        till.gateway.refund(replace(till.refund(), merchant_order_no="T_never_sent"))
    assert till.charged_fen() == 250


def test_the_same_refund_number_with_another_amount_is_unknown_and_gives_nothing_more(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    till.gateway.refund(till.refund(250))
    with pytest.raises(OutcomeUnknown, match="DISCORDANT_REPEAT_REQUEST"):
        till.gateway.refund(till.refund(300))
    assert till.charged_fen() == 1000


def test_a_merchant_without_money_is_told_so_and_the_number_works_later(till: Till) -> None:
    till.gateway.pay_by_code(till.payment())
    account = till.server.office.orders.find(ORDER).charge.account
    till.server.office.ledger.move(account, WORLD, 1250, Why("spent"))
    with pytest.raises(RefundNeedsFunds, match="SELLER_BALANCE_NOT_ENOUGH"):
        till.gateway.refund(till.refund())
    till.server.office.ledger.move(WORLD, account, 1250, Why("fill"))
    assert till.gateway.refund(till.refund()).state is RefundState.DONE


@pytest.mark.parametrize("fault", [None, Fault.DROP_AFTER, Fault.BAD_SIGNATURE, Fault.CUT])
def test_the_code_and_the_keys_are_in_no_log_and_no_error(
    till: Till, caplog: pytest.LogCaptureFixture, fault: Fault | None
) -> None:
    payment = till.payment()
    if fault is not None:
        till.server.faults.add(PAY, fault)
    shown = [repr(till.settings), repr(payment)]
    with caplog.at_level(logging.INFO):
        try:
            shown.append(repr(till.gateway.pay_by_code(payment)))
        except OutcomeUnknown as error:
            shown.append(repr(error) + str(error) + repr(error.__context__) + repr(error.__cause__))
    assert f"{PAY} {ORDER}" in caplog.text
    for text in [*shown, caplog.text]:
        assert payment.code not in text
        assert "PRIVATE" not in text


def test_nothing_but_the_character_set_is_in_the_address(credentials: Credentials) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers={"Location": "https://example.com/"}, stream=httpx.ByteStream(b""))

    settings = alipay_settings_for(credentials, "http://127.0.0.1:1")
    gateway = AlipayGateway(settings, HandClock(), httpx.MockTransport(answer))
    with pytest.raises(OutcomeUnknown, match="status 302"):
        gateway.pay_by_code(CodePayment(ORDER, 1250, "可乐, 大/小", "281234567890123456", "till-1"))
    (request,) = seen
    assert (request.method, request.url.raw_path) == ("POST", b"/gateway.do?charset=utf-8")
    form = dict(httpx.QueryParams(request.content.decode()))
    assert (form["method"], form["timestamp"], form["sign_type"]) == (PAY, "2026-11-18 19:06:40", "RSA2")
    assert '"total_amount":"12.50","subject":"可乐  大 小"' in form["biz_content"]
