"""Alipay's answers taken apart and judged, and what goes into its requests; no wire."""

from __future__ import annotations

import contextlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.gateways.alipay import answers, signing
from edge.gateways.alipay.answers import Verdict
from edge.gateways.alipay.signing import PLAIN_KEY, Envelope, Unverified
from edge.gateways.line import Unreadable
from edge.money import MAX_FEN
from edge.services.payment_ports import (
    CodePayment,
    DeclineReason,
    PaymentState,
    RefundRequest,
    RefundState,
)

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NODE = "alipay_trade_query_response"
ORDER = "T20261122_0001"
TRADE = {
    "code": "10000",
    "out_trade_no": ORDER,
    "trade_no": "2026112222001",
    "trade_status": "TRADE_SUCCESS",
    "total_amount": "12.50",
    "send_pay_date": "2026-11-22 11:00:00",
    "buyer_user_id": "2088000000000000",
}


def open_envelope(text: str) -> Envelope:
    return signing.open_envelope(text.encode(), NODE)


def test_the_signed_text_is_cut_out_as_it_stands() -> None:
    inner = r'{"code":"10000","url":"https:\/\/a.b\/c","n":{"sign":"x"} , "t":"}\"{"}'
    for text in (
        f'{{"{NODE}":{inner},"sign":"AAAA"}}',
        f' {{ "sign" : "AAAA" ,\n "{NODE}" :  {inner} }}\n',
        f'{{"alipay_cert_sn":"ab","sign":"AAAA","other":[1,2],"{NODE}":{inner}}}',
    ):
        envelope = open_envelope(text)
        assert (envelope.content, envelope.signature) == (inner, "AAAA")


def test_a_name_inside_the_answer_is_not_taken_for_the_answer() -> None:
    text = f'{{"x":{{"{NODE}":{{"code":"10000"}}}},"error_response":{{"code":"40002"}}}}'
    assert open_envelope(text).node == "error_response"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        '"text"',
        "{",
        f'{{"{NODE}":',
        f'{{"{NODE}":{{}}',
        f'{{"{NODE}":{{}},"{NODE}":{{}}}}',
        f'{{"{NODE}":{{}} "sign":"a"}}',
        f'{{"{NODE}":{{}}}} more',
        '{"sign":"a"}',
        "{" + ",".join(f'"f{n}":1' for n in range(17)) + "}",
        "[" * 100_000,
        '{"a":' + "[" * 100_000,
    ],
)
def test_what_is_no_answer_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="the answer"):
        open_envelope(text)


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_value_error(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        signing.open_envelope(body, NODE)


def test_only_the_key_that_signed_verifies_and_only_what_it_signed() -> None:
    content = '{"code":"10000","m":"一\\/二"}'
    signature = signing.sign(KEY, {"a": "b"})
    with pytest.raises(Unverified, match="does not match"):
        signing.verify(Envelope(NODE, content, signature, ""), {PLAIN_KEY: KEY.public_key()})
    with pytest.raises(Unverified, match="no signature"):
        signing.verify(Envelope(NODE, content, "", ""), {PLAIN_KEY: KEY.public_key()})
    with pytest.raises(Unverified, match="no key for certificate 'ab'"):
        signing.verify(Envelope(NODE, content, signature, "ab"), {PLAIN_KEY: KEY.public_key()})
    with pytest.raises(Unverified, match="not Base64"):
        signing.verify(Envelope(NODE, content, "!", ""), {PLAIN_KEY: KEY.public_key()})
    signing.verify(Envelope(NODE, "a=b", signature, ""), {PLAIN_KEY: KEY.public_key()})


def test_what_is_signed_is_sorted_without_sign_and_without_what_is_empty() -> None:
    parameters = {"b": "2 &=", "sign": "x", "a": "一", "empty": "", "sign_type": "RSA2"}
    assert signing.signed_text(parameters) == "a=一&b=2 &=&sign_type=RSA2"


@given(st.integers(min_value=1, max_value=MAX_FEN - 1))
def test_amounts_pass_to_the_fen_both_ways(amount_fen: int) -> None:
    payment = CodePayment(ORDER, amount_fen, "x", "281234567890123456", "t")
    sent = json.loads(answers.pay_content(payment, ""))["total_amount"]
    assert answers.read_amount({"total_amount": sent}, "total_amount") == amount_fen


@pytest.mark.parametrize(("told", "fen"), [('"12.5"', 1250), ("12.50", 1250), ("100.2", 10020), ("7", 700)])
def test_amounts_as_json_numbers_are_read_digit_by_digit(told: str, fen: int) -> None:
    content = answers.parse_content(f'{{"total_amount":{told}}}')
    assert answers.read_amount(content, "total_amount") == fen


@pytest.mark.parametrize("told", ["1e3", "-1.00", "1.234", "12,50", "", " ", "999999999999"])
def test_what_is_no_amount_is_refused(told: str) -> None:
    if told == "":
        assert answers.read_amount({"total_amount": told}, "total_amount") is None
        return
    with pytest.raises(Unreadable, match="total_amount"):
        answers.read_amount({"total_amount": told}, "total_amount")


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("TRADE_SUCCESS", PaymentState.APPROVED),
        ("TRADE_FINISHED", PaymentState.APPROVED),
        ("WAIT_BUYER_PAY", PaymentState.PENDING),
        ("TRADE_CLOSED", PaymentState.VOIDED),
    ],
)
def test_a_trade_is_read_with_its_time_in_beijing(word: str, state: PaymentState) -> None:
    answer = answers.read_trade({**TRADE, "trade_status": word}, ORDER)
    assert (answer.state, answer.amount_fen, answer.payer) == (state, 1250, "2088000000000000")
    assert answer.paid_at == 1_795_316_400_000


@pytest.mark.parametrize(
    "change",
    [
        {"out_trade_no": "another"},
        {"out_trade_no": None},
        {"trade_status": "NEW_WORD"},
        {"trade_status": None},
        {"total_amount": None},
        {"trade_no": None},
        {"trade_no": ["x"]},
        {"send_pay_date": "yesterday"},
    ],
)
def test_an_answer_that_is_not_about_our_order_or_lacks_its_core_is_unreadable(
    change: dict[str, object],
) -> None:
    with pytest.raises(Unreadable):
        answers.read_trade({**TRADE, **change}, ORDER)


def test_a_refund_that_is_not_named_was_not_made() -> None:
    assert answers.read_refund({"code": "10000"}, ORDER, "R00001").state is RefundState.ABSENT
    told = {"out_trade_no": ORDER, "out_request_no": "R00001", "refund_amount": "1.00"}
    assert answers.read_refund(told, ORDER, "R00001").state is RefundState.ABSENT
    done = answers.read_refund({**told, "refund_status": "REFUND_SUCCESS"}, ORDER, "R00001")
    assert (done.state, done.amount_fen) == (RefundState.DONE, 100)
    with pytest.raises(Unreadable, match="another order"):
        answers.read_refund({**told, "refund_status": "REFUND_SUCCESS"}, ORDER, "R00002")


@pytest.mark.parametrize(
    ("code", "sub", "reason"),
    [
        ("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID", DeclineReason.CODE_INVALID),
        ("40004", "ACQ.TRADE_HAS_CLOSE", DeclineReason.ORDER_CLOSED),
        ("40002", "isv.invalid-parameter", DeclineReason.MERCHANT),
        ("40004", "ACQ.SYSTEM_ERROR", None),
        ("40004", "ACQ.CONTEXT_INCONSISTENT", None),
        ("40004", "ACQ.TRADE_HAS_SUCCESS", None),
        ("40004", "ACQ.SOMETHING_NEW", None),
        ("40004", "", None),
        ("20000", "ACQ.PAYMENT_AUTH_CODE_INVALID", None),
        ("10000", "ACQ.PAYMENT_AUTH_CODE_INVALID", None),
    ],
)
def test_only_what_is_documented_as_never_charged_is_a_decline(
    code: str, sub: str, reason: DeclineReason | None
) -> None:
    assert Verdict(code, sub).decline_reason is reason


@pytest.mark.parametrize(
    "payment",
    [
        CodePayment(ORDER, 100, "x", "131234567890123456", "t"),
        CodePayment(ORDER, 100, "x", "28123456789012345x", "t"),
        CodePayment(ORDER, 0, "x", "281234567890123456", "t"),
        CodePayment("T-2026-0001", 100, "x", "281234567890123456", "t"),
        CodePayment("T1", 100, "x", "281234567890123456", "t"),
    ],
)
def test_what_alipay_would_not_take_is_refused_before_it_is_sent(payment: CodePayment) -> None:
    with pytest.raises(Invalid) as refusal:
        answers.pay_content(payment, "")
    assert payment.code not in str(refusal.value)


def test_a_refund_of_more_than_was_paid_is_refused_before_it_is_sent() -> None:
    with pytest.raises(Invalid, match="1251 of 1250 fen"):
        answers.refund_content(RefundRequest(ORDER, "R00001", 1251, 1250))
