"""What a request holds and what an answer means."""

from __future__ import annotations

import json

import pytest

from edge.errors import Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.addressing import Addressing
from edge.gateways.wechat_pay.answers import (
    NEVER_CHARGED,
    TRADE_STATES,
    codepay_body,
    read_error,
    read_transaction,
)
from edge.services.payment_ports import CodePayment, DeclineReason, GatewayAnswer, PaymentState

CODE = "134567890123456789"
WHO = Addressing("wx1", "190")
PAID = {
    "appid": "wx1",
    "mchid": "190",
    "out_trade_no": "T-0001",
    "transaction_id": "4200001",
    "trade_type": "MICROPAY",
    "trade_state": "SUCCESS",
    "success_time": "2026-11-22T16:00:00+08:00",
    "payer": {"openid": "oUpF8"},
    "amount": {"total": 1250, "payer_total": 1000, "currency": "CNY"},
}


def body(**changed: object) -> bytes:
    return codepay_body(
        CodePayment(**{**PAYMENT, **changed}),  # type: ignore[arg-type]
        who=WHO,
        store_id="0001",
        device_ip="",
    )


PAYMENT: dict[str, object] = {
    "merchant_order_no": "T-0001",
    "amount_fen": 1250,
    "description": "可乐",
    "code": CODE,
    "device": "till-1",
}


def read(value: object) -> GatewayAnswer:
    return read_transaction(json.dumps(value).encode(), who=WHO, order_no="T-0001")


def test_a_codepay_body_is_compact_utf8_with_the_documented_fields() -> None:
    assert body().decode() == (
        '{"appid":"wx1","mchid":"190","description":"可乐","out_trade_no":"T-0001",'
        f'"payer":{{"auth_code":"{CODE}"}},"amount":{{"total":1250,"currency":"CNY"}},'
        '"scene_info":{"device_id":"till-1","store_info":{"id":"0001"}}}'
    )


@pytest.mark.parametrize(
    ("description", "sent"),
    [("a,b`c\nd", "a b c d"), (" ,` ", "-"), ("茶" * 60, "茶" * 42), ("x" * 200, "x" * 127)],
)
def test_descriptions_cannot_break_the_bill_or_the_limit(description: str, sent: str) -> None:
    assert json.loads(body(description=description))["description"] == sent


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "16" + CODE[2:]},
        {"code": CODE[:-1]},
        {"code": CODE + "\n"},
        {"code": "１" + CODE[1:]},
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 1_000_000_001},
        {"merchant_order_no": "T-1"},
        {"merchant_order_no": "T/00001"},
        {"merchant_order_no": "T" * 33},
    ],
)
def test_unusable_payments_are_refused_before_sending_without_showing_the_code(
    changed: dict[str, object],
) -> None:
    with pytest.raises(Invalid) as refusal:
        body(**changed)
    assert str(changed.get("code", CODE)).strip() not in str(refusal.value)


def test_a_paid_transaction_is_read_with_the_amount_that_settles() -> None:
    assert read(PAID) == GatewayAnswer(
        PaymentState.APPROVED, "4200001", 1250, "oUpF8", 1_795_334_400_000, "SUCCESS"
    )


@pytest.mark.parametrize(("word", "state"), TRADE_STATES.items())
def test_every_documented_trade_state_is_understood(word: str, state: PaymentState) -> None:
    assert read(PAID | {"trade_state": word}).state is state


def test_a_pending_transaction_may_have_neither_id_nor_amount() -> None:
    bare = {"mchid": "190", "out_trade_no": "T-0001", "trade_state": "USERPAYING"}
    assert read(bare) == GatewayAnswer(PaymentState.PENDING, detail="USERPAYING")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"out_trade_no": "T-0002"}, "out_trade_no"),
        ({"mchid": "191"}, "mchid"),
        ({"appid": "wx2"}, "appid"),
        ({"trade_state": "PAID"}, "trade_state"),
        ({"trade_state": None}, "trade_state"),
        ({"trade_state": ["SUCCESS"]}, "trade_state"),
        ({"amount": {"total": 12.5}}, "whole number"),
        ({"amount": {"total": True}}, "whole number"),
        ({"amount": {"total": -1}}, "whole number"),
        ({"amount": {"total": "1250"}}, "whole number"),
        ({"amount": {"total": 1250, "currency": "HKD"}}, "CNY"),
        ({"amount": None}, "SUCCESS without"),
        ({"amount": [1250]}, "CNY"),
        ({"transaction_id": ""}, "SUCCESS without"),
        ({"transaction_id": 42}, "transaction_id"),
        ({"success_time": "yesterday"}, "success_time"),
        ({"success_time": "2026-11-22T16:00:00"}, "time zone"),
    ],
)
def test_a_transaction_that_contradicts_the_interface_is_unreadable(
    changed: dict[str, object], says: str
) -> None:
    with pytest.raises(Unreadable, match=says):
        read(PAID | changed)


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"code":7}', b'{"code":"a b"}']
)
def test_what_is_no_answer_is_unreadable(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        read_error(raw, "id-1")


def test_an_error_keeps_code_number_and_field_but_no_value() -> None:
    raw = json.dumps(
        {"code": "PARAM_ERROR", "message": CODE, "detail": {"field": "/payer/auth_code", "value": CODE}}
    )
    error = read_error(raw.encode(), "08F5B8C2-268435461")
    assert str(error) == "PARAM_ERROR 268435461 /payer/auth_code"


@pytest.mark.parametrize(
    "code",
    ["SYSTEM_ERROR", "BANK_ERROR", "BANKERROR", "INVALID_REQUEST", "SOMETHING_NEW", "OUT_TRADE_NO_USED"],
)
def test_codes_that_leave_the_outcome_open_are_never_a_decline(code: str) -> None:
    assert read_error(json.dumps({"code": code}).encode(), "").decline_reason is None


@pytest.mark.parametrize(("code", "reason"), NEVER_CHARGED.items())
def test_never_charged_codes_decline_unless_the_number_says_that_the_order_is_known(
    code: str, reason: DeclineReason
) -> None:
    raw = json.dumps({"code": code}).encode()
    assert read_error(raw, "08-0").decline_reason is reason
    for known in ("268449538", "268498689", "268498688"):
        assert read_error(raw, f"08-{known}").decline_reason is None
