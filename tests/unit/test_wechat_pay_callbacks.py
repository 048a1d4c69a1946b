"""Callbacks: what is genuine becomes a typed value, all else a refusal that tells strangers nothing."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

import pytest

from edge.gateways.wechat_pay.addressing import Addressing
from edge.gateways.wechat_pay.callbacks import (
    MAX_BODY_BYTES,
    Callbacks,
    Notification,
    Reason,
    RefundNotice,
    Rejection,
    read_callback,
)
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.transactions import CombinedTransaction, Transaction
from edge.services.payment_ports import PaymentState, RefundState
from tests.unit.test_wechat_pay_certificates import API_KEY, NOW_S, OLD, seal, settings
from tests.unit.test_wechat_pay_channel import PLATFORM, PLATFORM_ID, CountingIds, Script, sign
from tests.unit.test_wechat_pay_prepay import FOUND, PAID

WHO = Addressing("wx1", "190")
KEYS = {PLATFORM_ID: PLATFORM.public_key()}
REFUND: dict[str, object] = {
    "mchid": "190",
    "out_trade_no": "T-0001",
    "transaction_id": "4200001",
    "out_refund_no": "R-0001",
    "refund_id": "5030001",
    "refund_status": "SUCCESS",
    "success_time": "2026-11-22T16:00:00+08:00",
    "user_received_account": "支付用户零钱",
    "amount": {"total": 1250, "refund": 500, "payer_total": 1250, "payer_refund": 500},
}


def notice(
    event: str = "TRANSACTION.SUCCESS", content: object = PAID, key: bytes = API_KEY, **changed: object
) -> bytes:
    """Return a callback's body."""
    plain = content if isinstance(content, bytes) else json.dumps(content).encode()
    value: dict[str, object] = {
        "id": "EV-1",
        "create_time": "2026-11-22T16:00:01+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event,
        "summary": "支付成功",
        "resource": {"original_type": "transaction", **seal(plain, "transaction", key)},
    }
    return json.dumps(value | changed, ensure_ascii=False).encode()


def read(
    body: bytes, headers: Mapping[str, str] | None = None, now_s: int = NOW_S
) -> Notification | Rejection:
    return read_callback(
        sign(body, NOW_S) if headers is None else headers,
        body,
        verifiers=KEYS,
        api_v3_key=API_KEY,
        who=WHO,
        now_s=now_s,
    )


def genuine(result: Notification | Rejection) -> Notification:
    assert isinstance(result, Notification), result
    return result


def why(result: Notification | Rejection) -> Reason:
    assert isinstance(result, Rejection), result
    return result.reason


def test_a_payment_is_typed() -> None:
    told = genuine(read(notice()))
    assert (told.notice_id, told.event_type, told.created_at, told.summary) == (
        "EV-1",
        "TRANSACTION.SUCCESS",
        1795334401000,
        "支付成功",
    )
    assert isinstance(told.content, Transaction)
    assert (told.content.merchant_order_no, told.content.state, told.content.amount_fen) == (
        "T-0001",
        PaymentState.APPROVED,
        1250,
    )


def test_a_combined_payment_is_typed() -> None:
    told = genuine(read(notice(content=FOUND)))
    assert isinstance(told.content, CombinedTransaction)
    assert [part.merchant for part in told.content.parts] == ["301", "302"]


@pytest.mark.parametrize(
    ("event", "word", "state"),
    [
        ("REFUND.SUCCESS", "SUCCESS", RefundState.DONE),
        ("REFUND.ABNORMAL", "ABNORMAL", RefundState.ABNORMAL),
        ("REFUND.CLOSED", "CLOSED", RefundState.CLOSED),
    ],
)
def test_a_refund_is_typed(event: str, word: str, state: RefundState) -> None:
    told = genuine(read(notice(event, REFUND | {"refund_status": word})))
    assert isinstance(told.content, RefundNotice)
    assert (told.content.merchant_refund_no, told.content.total_fen) == ("R-0001", 1250)
    assert (told.content.answer.state, told.content.answer.amount_fen) == (state, 500)


def test_other_events_come_as_their_json_object() -> None:
    told = genuine(read(notice("MALL_TRANSACTION.SUCCESS", {"mchid": "301", "amount": 100})))
    assert told.content == {"mchid": "301", "amount": 100}


def test_header_names_come_in_any_case() -> None:
    body = notice()
    for change in (str.lower, str.upper):
        assert genuine(read(body, {change(name): value for name, value in sign(body, NOW_S).items()}))


@pytest.mark.parametrize(("off_s", "is_read"), [(-300, False), (-299, True), (299, True), (300, False)])
def test_the_window_is_five_minutes_either_way(off_s: int, is_read: bool) -> None:
    result = read(notice(), now_s=NOW_S + off_s)
    assert isinstance(result, Notification) is is_read
    if not is_read:
        assert why(result) is Reason.STALE


def test_the_gateways_own_probe_is_refused_like_any_wrong_signature() -> None:
    body = notice()
    probe = sign(body, NOW_S) | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abcdefg"}
    result = read(body, probe)
    assert isinstance(result, Rejection)
    assert (result.reason, result.status) == (Reason.UNVERIFIED, 401)
    assert json.loads(result.body) == {"code": "FAIL", "message": "unverified"}


def test_an_unknown_serial_is_refused_and_triggers_no_call() -> None:
    script = Script()
    port = WeChatPayGateway(settings(), script.clock, CountingIds(), script)
    for serial in ("AA01", "PUB_KEY_ID_9", "../../x"):
        body = notice()
        result = port.callbacks.read(sign(body, NOW_S, OLD, serial), body, NOW_S)
        assert why(result) is Reason.UNKNOWN_SERIAL
    assert script.asked == []


@pytest.mark.parametrize(
    ("body", "reason", "status"),
    [
        (b"x" * (MAX_BODY_BYTES + 1), Reason.TOO_LARGE, 413),
        (b"", Reason.MALFORMED, 400),
        (b"[]", Reason.MALFORMED, 400),
        (b"\xff", Reason.MALFORMED, 400),
        (b'{"a":' * 10_000, Reason.MALFORMED, 400),
        (notice("transaction success"), Reason.MALFORMED, 400),
        (notice(id=None), Reason.MALFORMED, 400),
        (notice(resource=[]), Reason.MALFORMED, 400),
        (notice(resource={"algorithm": "AEAD_SM4_GCM"}), Reason.MALFORMED, 400),
        (notice(resource=seal(b"{}") | {"nonce": "short"}), Reason.MALFORMED, 400),
        (notice(resource=seal(b"{}") | {"ciphertext": "%"}), Reason.MALFORMED, 400),
        (notice(resource=seal(b"{}") | {"ciphertext": "QUJD"}), Reason.MALFORMED, 400),
        (notice(resource=seal(b"{}") | {"associated_data": "other"}), Reason.SEALED, 500),
        (notice(key=b"f" * 32), Reason.SEALED, 500),
        (notice(content=b"no json"), Reason.MALFORMED, 400),
        (notice(content=PAID | {"trade_state": "?"}), Reason.MALFORMED, 400),
        (notice(content=PAID | {"mchid": "191"}), Reason.NOT_OURS, 400),
        (notice(content=FOUND | {"combine_mchid": "191"}), Reason.NOT_OURS, 400),
        (notice("REFUND.SUCCESS", REFUND | {"mchid": "191"}), Reason.NOT_OURS, 400),
        (notice("REFUND.SUCCESS", REFUND | {"amount": {}}), Reason.MALFORMED, 400),
        (notice("REFUND.SUCCESS", REFUND | {"refund_status": "?"}), Reason.MALFORMED, 400),
    ],
)
def test_signed_nonsense_is_refused_with_a_reason(body: bytes, reason: Reason, status: int) -> None:
    result = read(body)
    assert isinstance(result, Rejection)
    assert (result.reason, result.status) == (reason, status)


def test_without_the_apiv3_key_it_is_said_what_to_configure() -> None:
    body = notice()
    result = read_callback(sign(body, NOW_S), body, verifiers=KEYS, api_v3_key=b"", who=WHO, now_s=NOW_S)
    assert isinstance(result, Rejection)
    assert "no APIv3 key is configured" in result.detail


def desk(limit: int = 100) -> Callbacks:
    return Callbacks(lambda _: KEYS, API_KEY, WHO, limit)


def test_a_replay_is_refused_and_a_repetition_is_marked_once_it_was_handled() -> None:
    callbacks, body = desk(), notice()
    headers = sign(body, NOW_S)
    first = genuine(callbacks.read(headers, body, NOW_S))
    assert not first.handled_before
    assert why(callbacks.read(headers, body, NOW_S + 1)) is Reason.REPLAYED
    again = genuine(callbacks.read(sign(body, NOW_S + 15), body, NOW_S + 15))
    assert not again.handled_before
    callbacks.handled(again)
    assert genuine(callbacks.read(sign(body, NOW_S + 30), body, NOW_S + 30)).handled_before


def test_refused_callbacks_take_no_room_in_memory() -> None:
    callbacks, body = desk(limit=1), notice()
    callbacks.read(sign(body, NOW_S), body, NOW_S)
    for number in range(5):
        callbacks.read(sign(body, NOW_S, OLD) | {"Wechatpay-Nonce": str(number)}, body, NOW_S)
    assert why(callbacks.read(sign(body, NOW_S), body, NOW_S)) is Reason.REPLAYED


def test_at_the_limit_the_oldest_is_forgotten() -> None:
    callbacks, body = desk(limit=2), notice()
    for second in range(3):
        assert genuine(callbacks.read(sign(body, NOW_S + second), body, NOW_S))
    assert why(callbacks.read(sign(body, NOW_S + 1), body, NOW_S)) is Reason.REPLAYED
    assert genuine(callbacks.read(sign(body, NOW_S), body, NOW_S))


def test_reading_callbacks_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = notice()
    desk().read(sign(body, NOW_S), body, NOW_S)
    desk().read({}, body, NOW_S)
    assert caplog.text == ""
