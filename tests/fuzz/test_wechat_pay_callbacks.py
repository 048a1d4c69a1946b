"""Whatever a stranger posts as a callback is refused; what the gateway signs is typed or refused."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gateways.wechat_pay.callbacks import Notification, Rejection, read_callback
from tests.unit.test_wechat_pay_callbacks import KEYS, WHO, notice
from tests.unit.test_wechat_pay_certificates import API_KEY, NOW_S
from tests.unit.test_wechat_pay_channel import sign

NAMES = [
    "Wechatpay-Timestamp",
    "Wechatpay-Nonce",
    "Wechatpay-Serial",
    "Wechatpay-Signature",
    "Wechatpay-Signature-Type",
]
BODY = notice()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
events = st.sampled_from(["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "MALL_AUTH.ACTIVATE_CARD"])
names = st.sampled_from(
    ["mchid", "combine_mchid", "combine_out_trade_no", "out_trade_no", "trade_state", "amount", "sub_orders"]
    + ["refund_status", "success_time", "payer", "transaction_id", "refund_id", "out_refund_no"]
)


def read(headers: dict[str, str], body: bytes) -> Notification | Rejection:
    return read_callback(headers, body, verifiers=KEYS, api_v3_key=API_KEY, who=WHO, now_s=NOW_S)


@given(
    st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=30), st.text(max_size=80)),
    st.binary(max_size=500),
)
@settings(max_examples=300, deadline=None)
def test_a_stranger_is_always_refused(headers: dict[str, str], body: bytes) -> None:
    assert isinstance(read(headers, body), Rejection)


@given(st.sampled_from(NAMES[:4]), st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_other_header_value_is_refused(name: str, value: str) -> None:
    headers = sign(BODY, NOW_S)
    if headers[name] == value:
        return
    assert isinstance(read(headers | {name: value}, BODY), Rejection)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_of_the_body_is_refused(at: int, change: int) -> None:
    body = BODY[:at] + bytes([BODY[at] ^ change]) + BODY[at + 1 :]
    assert isinstance(read(sign(BODY, NOW_S), body), Rejection)


@given(events, st.dictionaries(names, values, max_size=8))
@settings(max_examples=300, deadline=None)
def test_any_signed_content_is_typed_or_refused(event: str, content: dict[str, object]) -> None:
    body = notice(event, content | {"mchid": "190"})
    result = read(sign(body, NOW_S), body)
    assert isinstance(result, Rejection) or result.event_type == event


@given(st.dictionaries(st.sampled_from(["id", "event_type", "resource", "create_time", "summary"]), values))
@settings(max_examples=300, deadline=None)
def test_any_signed_envelope_is_typed_or_refused(changed: dict[str, object]) -> None:
    body = json.dumps(json.loads(BODY) | changed).encode()
    assert isinstance(read(sign(body, NOW_S), body), Notification | Rejection)
