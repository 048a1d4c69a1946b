"""Signatures: exact bytes, and every way in which an answer can fail to be the gateway's."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from edge.gateways.wechat_pay.signing import WINDOW_S, Unverified, authorization, verify

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SERIAL = "PUB_KEY_ID_0000000000000024101100397200000006"
VERIFIERS = {SERIAL: KEY.public_key()}
NOW_S = 1_795_000_000
BODY = '{"trade_state_desc":"支付成功"}'.encode()


def headers(body: bytes = BODY, **changed: str) -> dict[str, str]:
    """Return what a real answer carries; `changed` replaces headers by their last word."""
    stamp, nonce = changed.pop("stamp", str(NOW_S)), changed.pop("nonce", "d824f2e086d3c1df967785d13fcd22ef")
    signature = KEY.sign(f"{stamp}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), SHA256())
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Serial": SERIAL,
        "Wechatpay-Signature": base64.b64encode(signature).decode(),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    } | {f"Wechatpay-{name.replace('_', '-').title()}": value for name, value in changed.items()}


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in headers().items() if key != name}


def test_a_request_is_signed_over_method_target_time_nonce_and_body() -> None:
    header = authorization(
        KEY,
        mchid="1900000109",
        serial="3775B6A45ACD588826D15E583A95F5DD12345678",
        method="GET",
        target="/v3/pay/transactions/out-trade-no/T-1*?mchid=1900000109",
        body=b"",
        timestamp_s=NOW_S,
        nonce="593BEC0C930BF1AFEB40B4A08C8FB242",
    )
    scheme, _, token = header.partition(" ")
    parts = dict(re.findall(r'(\w+)="([^"]*)"', token))
    signature = base64.b64decode(parts.pop("signature"))
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    assert parts == {
        "mchid": "1900000109",
        "nonce_str": "593BEC0C930BF1AFEB40B4A08C8FB242",
        "timestamp": "1795000000",
        "serial_no": "3775B6A45ACD588826D15E583A95F5DD12345678",
    }
    message = (
        b"GET\n/v3/pay/transactions/out-trade-no/T-1*?mchid=1900000109\n1795000000\n"
        b"593BEC0C930BF1AFEB40B4A08C8FB242\n\n"
    )
    KEY.public_key().verify(signature, message, padding.PKCS1v15(), SHA256())


def test_a_genuine_answer_is_accepted_with_and_without_its_signature_type() -> None:
    verify(headers(), BODY, VERIFIERS, NOW_S)
    verify(without("Wechatpay-Signature-Type"), BODY, VERIFIERS, NOW_S)


def test_an_empty_body_is_signed_too() -> None:
    verify(headers(b""), b"", VERIFIERS, NOW_S)
    with pytest.raises(Unverified, match="does not match"):
        verify(headers(b""), b" ", VERIFIERS, NOW_S)


@pytest.mark.parametrize("off_s", [-WINDOW_S, WINDOW_S])
def test_five_minutes_are_too_far_and_a_second_less_is_not(off_s: int) -> None:
    with pytest.raises(Unverified, match=r"\+300|-300"):
        verify(headers(), BODY, VERIFIERS, NOW_S + off_s)
    verify(headers(), BODY, VERIFIERS, NOW_S + off_s - (1 if off_s > 0 else -1))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (headers(serial="PUB_KEY_ID_1"), "no key"),
        (headers(serial=""), "no key"),
        (headers(signature="AAAA"), "does not match"),
        (headers(signature="WECHATPAY/SIGNTEST/x"), "does not match"),
        (headers(signature=""), "no usable Wechatpay-Signature"),
        (headers(signature="签"), "no usable Wechatpay-Signature"),
        (headers(stamp="+1795000000"), "Timestamp"),
        (headers(stamp="01795000000"), "Timestamp"),
        (headers(stamp="１７９５００００００"), "Timestamp"),
        (headers(stamp=""), "Timestamp"),
        (headers(nonce=""), "Nonce"),
        (headers(nonce="a\nb"), "Nonce"),
        (headers(signature_type="WECHATPAY2-SM2-WITH-SM3"), "only WECHATPAY2-SHA256-RSA2048"),
        ({}, "Timestamp"),
    ],
)
def test_what_is_not_a_genuine_signature_is_refused_with_a_reason(bad: dict[str, str], says: str) -> None:
    with pytest.raises(Unverified, match=says):
        verify(bad, BODY, VERIFIERS, NOW_S)


def test_a_signature_by_another_key_is_refused() -> None:
    with pytest.raises(Unverified, match="does not match"):
        verify(headers(), BODY, {SERIAL: OTHER.public_key()}, NOW_S)


def test_a_signature_written_in_another_way_is_refused() -> None:
    """The last letter before "==" holds four unused bits: other letters there decode to the same bytes."""
    genuine = headers()["Wechatpay-Signature"]
    other = genuine[:-3] + chr(ord(genuine[-3]) + 1) + "=="
    assert base64.b64decode(other) == base64.b64decode(genuine)
    with pytest.raises(Unverified, match="no usable Wechatpay-Signature"):
        verify(headers(signature=other), BODY, VERIFIERS, NOW_S)
