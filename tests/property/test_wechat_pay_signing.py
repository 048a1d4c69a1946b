"""Signing holds for every genuine message and for no other."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gateways.wechat_pay.signing import Unverified, authorization, verify
from sim.gateway import Credentials, make_credentials
from sim.gateway.credentials import read_key
from sim.gateway.messages import Refusal, Request
from sim.gateway.signatures import Signatures
from tests.contract.test_gateway import digits

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SERIAL = "PUB_KEY_ID_1"
NOW_S = 1_795_000_000
NAMES = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"]

nonces = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=32)
targets = st.text("abcXYZ019-_*/.?=&%", min_size=1, max_size=60).map(lambda path: "/v3/" + path)


def signed(body: bytes, nonce: str, stamp: int) -> dict[str, str]:
    message = f"{stamp}\n{nonce}\n".encode() + body + b"\n"
    signature = base64.b64encode(KEY.sign(message, padding.PKCS1v15(), SHA256())).decode()
    return dict(zip(NAMES, [str(stamp), nonce, SERIAL, signature], strict=True))


def accept(headers: dict[str, str], body: bytes) -> None:
    verify(headers, body, {SERIAL: KEY.public_key()}, NOW_S)


@given(st.binary(max_size=300), nonces, st.integers(-299, 299))
@settings(max_examples=100, deadline=None)
def test_every_genuine_answer_inside_the_window_is_accepted(body: bytes, nonce: str, off_s: int) -> None:
    accept(signed(body, nonce, NOW_S + off_s), body)


@given(st.binary(max_size=300), nonces, st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_other_body_is_refused(body: bytes, nonce: str, other: bytes) -> None:
    if other == body:
        other += b"\n"
    with pytest.raises(Unverified):
        accept(signed(body, nonce, NOW_S), other)


@given(st.data(), st.binary(max_size=100), nonces, st.sampled_from(NAMES))
@settings(max_examples=300, deadline=None)
def test_any_change_of_one_header_is_refused(data: st.DataObject, body: bytes, nonce: str, name: str) -> None:
    headers = signed(body, nonce, NOW_S)
    value = headers[name]
    at = data.draw(st.integers(0, len(value)))
    how = data.draw(st.sampled_from(["insert", "replace", "remove"]))
    extra = "" if how == "remove" else data.draw(st.characters(min_codepoint=10, max_codepoint=126))
    headers[name] = value[:at] + extra + value[at + (how != "insert") :]
    if headers[name] != value:
        with pytest.raises(Unverified):
            accept(headers, body)


@given(nonces, st.binary(min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_bytes_cannot_move_between_nonce_and_body(nonce: str, body: bytes) -> None:
    """The signed text joins its parts with line feeds; a part must not be able to hold one."""
    headers = signed(b"\n" + body, nonce, NOW_S)
    headers["Wechatpay-Nonce"] = nonce + "\n"
    with pytest.raises(Unverified):
        accept(headers, body)


@dataclass(frozen=True)
class BothSides:
    """The merchant's key, and the simulator that knows its certificate."""

    credentials: Credentials
    key: rsa.RSAPrivateKey
    signatures: Signatures
    nonces: Iterator[int]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> BothSides:
    credentials = make_credentials(tmp_path_factory.mktemp("keys"), digits)
    signatures = Signatures(credentials, lambda: NOW_S * 1000, digits)
    return BothSides(credentials, read_key(credentials.merchant_key), signatures, count(1))


@given(st.sampled_from(["GET", "POST"]), targets, st.binary(max_size=300), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_our_requests_pass_the_other_implementation_and_nothing_else_does(
    sides: BothSides, method: str, target: str, body: bytes, change: int
) -> None:
    """The simulator's check was written from the documents alone."""
    nonce = f"n{next(sides.nonces)}"
    header = authorization(
        sides.key,
        mchid=sides.credentials.mchid,
        serial=sides.credentials.merchant_serial,
        method=method,
        target=target,
        body=body,
        timestamp_s=NOW_S,
        nonce=nonce,
    )
    genuine = Request(method, target, {"authorization": header}, body)
    changed = [
        Request(method + "X", target, genuine.headers, body),
        Request(method, target + "/", genuine.headers, body),
        Request(method, target, genuine.headers, body + b" "),
        Request(method, target, {"authorization": header.replace(nonce, nonce + "x")}, body),
    ][change]
    with pytest.raises(Refusal, match="签名验证失败"):
        sides.signatures.check(changed)
    sides.signatures.check(genuine)
    with pytest.raises(Refusal, match="重复"):
        sides.signatures.check(genuine)
