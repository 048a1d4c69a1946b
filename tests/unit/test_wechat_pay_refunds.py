"""Refunds: what is final, what must be sent again, and what a person must do."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from edge.errors import EdgeError, Invalid, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.services.payment_ports import (
    PaymentState,
    RefundAnswer,
    RefundGateway,
    RefundNeedsFunds,
    RefundRefused,
    RefundRequest,
    RefundState,
)
from tests.unit.test_wechat_pay_channel import (
    LOST,
    REFUSED,
    SETTINGS,
    CountingIds,
    Script,
    bare,
    refusal,
    unsigned,
)

REQUEST = RefundRequest("T-0001", "R-0001", 500, 1250, "坏了,`旧的")
REFUND: dict[str, object] = {
    "refund_id": "5030001",
    "out_refund_no": "R-0001",
    "transaction_id": "4200001",
    "out_trade_no": "T-0001",
    "channel": "ORIGINAL",
    "user_received_account": "招商银行信用卡0403",
    "create_time": "2026-11-22T16:00:00+08:00",
    "status": "PROCESSING",
    "funds_account": "AVAILABLE",
    "amount": {"total": 1250, "refund": 500, "payer_total": 1250, "payer_refund": 500, "currency": "CNY"},
}
ABSENT = refusal("RESOURCE_NOT_EXISTS", "退款单不存在")


def gateway(script: Script, settings: WeChatPaySettings = SETTINGS) -> WeChatPayGateway:
    return WeChatPayGateway(settings, script.clock, CountingIds(), script)


def refund(script: Script, request: RefundRequest = REQUEST) -> RefundAnswer:
    port: RefundGateway = gateway(script)
    return port.refund(request)


def test_a_refund_sends_the_documented_fields_and_is_on_its_way() -> None:
    script = Script().says(200, REFUND)
    answer = refund(script)
    assert answer == RefundAnswer(RefundState.PROCESSING, "5030001", 500, None, "PROCESSING")
    assert script.lines == ["POST /v3/refund/domestic/refunds"]
    assert script.bodies == [
        {
            "out_trade_no": "T-0001",
            "out_refund_no": "R-0001",
            "amount": {"refund": 500, "total": 1250, "currency": "CNY"},
            "reason": "坏了  旧的",
        }
    ]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SUCCESS", RefundState.DONE),
        ("PROCESSING", RefundState.PROCESSING),
        ("ABNORMAL", RefundState.ABNORMAL),
        ("CLOSED", RefundState.CLOSED),
    ],
)
def test_each_documented_state_is_told(word: str, state: RefundState) -> None:
    told = REFUND | {"status": word, "success_time": "2026-11-22T16:00:01+08:00"}
    answer = gateway(Script().says(200, told)).query_refund("T-0001", "R-0001")
    assert (answer.state, answer.refunded_at, answer.detail) == (state, 1795334401000, word)


@pytest.mark.parametrize(
    "code", ["PARAM_ERROR", "MCH_NOT_EXISTS", "RESOURCE_NOT_EXISTS", "USER_ACCOUNT_ABNORMAL"]
)
def test_a_verified_documented_refusal_is_final(code: str) -> None:
    with pytest.raises(RefundRefused, match=f"R-0001 of T-0001: {code}") as caught:
        refund(Script().says(403, refusal(code)))
    assert caught.value.detail == code


def test_a_balance_that_is_too_low_needs_a_person_and_keeps_the_number() -> None:
    with pytest.raises(RefundNeedsFunds, match="top it up, then send the same refund again"):
        refund(Script().says(403, refusal("NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")))


def test_not_allowed_is_final_only_when_the_gateway_does_not_know_the_refund() -> None:
    wrong = refusal("INVALID_REQUEST")
    with pytest.raises(RefundRefused):
        refund(Script().says(400, wrong).says(404, ABSENT))
    assert refund(Script().says(400, wrong).says(200, REFUND)).state is RefundState.PROCESSING
    with pytest.raises(OutcomeUnknown):
        refund(Script().says(400, wrong).gives(LOST, LOST))
    other = REFUND | {"amount": {"refund": 400, "total": 1250}}
    with pytest.raises(OutcomeUnknown, match="asked to give back 500 fen, the answer says 400"):
        refund(Script().says(400, wrong).says(200, other))


@pytest.mark.parametrize("code", ["NEW_CODE", "BIZERR_NEED_RETRY"])
def test_an_unknown_refusal_stays_unknown_while_the_gateway_has_no_such_refund(code: str) -> None:
    with pytest.raises(OutcomeUnknown):
        refund(Script().says(400, refusal(code)).says(404, ABSENT))


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Script().gives(REFUSED, REFUSED), Unavailable),
        (Script().gives(LOST, LOST), OutcomeUnknown),
        (Script().gives(LOST, REFUSED), OutcomeUnknown),
        (Script().says(500, refusal("SYSTEM_ERROR")).says(500, refusal("SYSTEM_ERROR")), OutcomeUnknown),
        (Script().says(429, refusal("FREQUENCY_LIMITED")), Unavailable),
        (Script().gives(unsigned(403, "NOT_ENOUGH")), OutcomeUnknown),
        (Script().gives(unsigned(400, "PARAM_ERROR")), OutcomeUnknown),
        (Script().gives(bare(200, REFUND)), OutcomeUnknown),
        (Script().says(200, REFUND | {"out_refund_no": "R-0002"}), OutcomeUnknown),
        (Script().says(200, REFUND | {"out_trade_no": "T-0002"}), OutcomeUnknown),
        (Script().says(200, REFUND | {"status": "?"}), OutcomeUnknown),
        (Script().says(200, REFUND | {"amount": {"refund": 501}}), OutcomeUnknown),
        (Script().says(200, REFUND | {"amount": {"refund": 500, "currency": "HKD"}}), OutcomeUnknown),
        (Script().says(200, REFUND | {"amount": {"refund": True}}), OutcomeUnknown),
    ],
)
def test_anything_else_is_unknown_or_surely_not_sent(script: Script, outcome: type[EdgeError]) -> None:
    with pytest.raises(outcome) as caught:
        refund(script)
    assert type(caught.value) is outcome


def test_a_lost_answer_is_asked_for_again_with_the_same_number() -> None:
    script = Script().gives(LOST).says(200, REFUND)
    refund(script)
    assert script.bodies[0] == script.bodies[1]


def test_a_refund_unknown_to_the_gateway_is_absent_only_when_verified() -> None:
    port = gateway(Script().says(404, ABSENT).gives(unsigned(404, "RESOURCE_NOT_EXISTS")))
    assert port.query_refund("T-0001", "R-0001").state is RefundState.ABSENT
    with pytest.raises(Unavailable):
        port.query_refund("T-0001", "R-0001")


@pytest.mark.parametrize("bad", [REFUND | {"status": "?"}, REFUND | {"out_refund_no": "R-9"}, {}])
def test_an_answer_about_something_else_is_of_no_use(bad: object) -> None:
    with pytest.raises(Unavailable, match="of no use"):
        gateway(Script().says(200, bad)).query_refund("T-0001", "R-0001")


@pytest.mark.parametrize(
    "change",
    [
        {"amount_fen": 0},
        {"amount_fen": 1251},
        {"total_fen": 2_000_000_000, "amount_fen": 1},
        {"merchant_refund_no": ""},
        {"merchant_refund_no": "R 1"},
        {"merchant_refund_no": "R" * 65},
        {"merchant_order_no": "T"},
    ],
)
def test_what_the_gateway_would_refuse_is_refused_before_it_is_sent(change: dict[str, object]) -> None:
    script = Script()
    with pytest.raises(Invalid):
        refund(script, replace(REQUEST, **change))  # type: ignore[arg-type]
    assert script.asked == []


def test_a_refund_number_is_quoted_in_the_path() -> None:
    script = Script().says(200, REFUND | {"out_refund_no": "R|1@*"})
    gateway(script).query_refund("T-0001", "R|1@*")
    assert script.lines == ["GET /v3/refund/domestic/refunds/R%7C1%40*"]


def test_a_service_provider_names_its_sub_merchant() -> None:
    script = Script().says(200, REFUND).says(200, REFUND).says(204)
    port = gateway(script, replace(SETTINGS, sub_mchid="191", refund_notify_url="https://hq.example.com/r"))
    port.refund(replace(REQUEST, reason=""))
    port.query_refund("T-0001", "R-0001")
    port.close_order("T-0001")
    assert script.bodies[0]["sub_mchid"] == "191"
    assert script.bodies[0]["notify_url"] == "https://hq.example.com/r"
    assert script.bodies[2] == {"sp_mchid": "190", "sub_mchid": "191"}
    assert script.lines[1:] == [
        "GET /v3/refund/domestic/refunds/R-0001?sub_mchid=191",
        "POST /v3/pay/partner/transactions/out-trade-no/T-0001/close",
    ]


PAID = {
    "appid": "wx1",
    "mchid": "190",
    "out_trade_no": "T-0001",
    "transaction_id": "4200001",
    "trade_state": "SUCCESS",
    "amount": {"total": 1250, "currency": "CNY"},
}


def test_closing_an_unpaid_order_is_final_and_a_faster_shopper_is_found() -> None:
    port = gateway(Script().says(204).says(400, refusal("ORDER_PAID")).says(200, PAID))
    assert port.close_order("T-0001").state is PaymentState.VOIDED
    paid = port.close_order("T-0001")
    assert (paid.state, paid.amount_fen) == (PaymentState.APPROVED, 1250)
    assert "closing: 400 ORDER_PAID" in paid.detail
    with pytest.raises(Unavailable):
        gateway(Script().gives(httpx.Response(204), LOST)).close_order("T-0001")
