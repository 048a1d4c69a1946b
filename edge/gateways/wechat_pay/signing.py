"""Signatures of WeChat Pay APIv3: ours on requests, theirs on answers.

Pure: time and nonce come in as arguments. Source: pay.weixin.qq.com, "签名与验签规则" (merchant
development guide, interface rules); RFC 8017 §8.2 (RSASSA-PKCS1-v1_5 with SHA-256).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from edge.errors import EdgeError

#: The only signature scheme spoken here; the SM2 scheme is refused by name.
SCHEME = "WECHATPAY2-SHA256-RSA2048"

#: Answers whose time stamp is this far from our clock, or further, are refused (seconds).
WINDOW_S = 300

_SECONDS = re.compile(r"[1-9]\d{0,11}", re.ASCII)
_NONCE = re.compile(r"[!-~]{1,128}", re.ASCII)


class Unverified(EdgeError):
    """An answer's signature does not hold; the message says why and what to check."""


def authorization(
    key: RSAPrivateKey,
    *,
    mchid: str,
    serial: str,
    method: str,
    target: str,
    body: bytes,
    timestamp_s: int,
    nonce: str,
) -> str:
    """Return the Authorization header of one request.

    target: path and query exactly as on the wire, percent-encoded. body: the bytes sent, empty for GET.
    timestamp_s: Unix seconds. nonce: 1-32 printable characters, never used twice. serial: of the
    merchant's API certificate, hexadecimal in upper case.
    """
    message = f"{method}\n{target}\n{timestamp_s}\n{nonce}\n".encode("ascii") + body + b"\n"
    signature = base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode("ascii")
    return (
        f'{SCHEME} mchid="{mchid}",nonce_str="{nonce}",signature="{signature}",'
        f'timestamp="{timestamp_s}",serial_no="{serial}"'
    )


def pay_sign(key: RSAPrivateKey, *, appid: str, timestamp_s: int, nonce: str, package: str) -> str:
    """Return paySign of wx.requestPayment: the merchant's signature, base64.

    appid: of the mini-program that invokes it. package: "prepay_id=...". Source: pay.weixin.qq.com,
    mini-program payment, "小程序调起支付签名".
    """
    message = f"{appid}\n{timestamp_s}\n{nonce}\n{package}\n".encode("ascii")
    return base64.b64encode(key.sign(message, PKCS1v15(), SHA256())).decode("ascii")


def verify(
    headers: Mapping[str, str], body: bytes, verifiers: Mapping[str, RSAPublicKey], now_s: int
) -> None:
    """Return when `headers` sign `body` as the gateway; raise Unverified otherwise.

    headers: looked up case-insensitively if the mapping is. body: raw bytes, before any parsing.
    verifiers: the gateway's keys by serial (PUB_KEY_ID_... or a platform certificate's), as many as are
    valid at once. now_s: our clock, Unix seconds. A missing Wechatpay-Signature-Type means RSA.
    """
    scheme = headers.get("Wechatpay-Signature-Type", SCHEME)
    if scheme != SCHEME:
        raise Unverified(f"the answer is signed with {scheme[:40]!r}; only {SCHEME} is understood")
    timestamp = _timestamp(headers, now_s)
    nonce = headers.get("Wechatpay-Nonce", "")
    if not _NONCE.fullmatch(nonce):
        raise Unverified("the answer has no usable Wechatpay-Nonce; is a proxy removing headers?")
    serial = headers.get("Wechatpay-Serial", "")
    key = verifiers.get(serial)
    if key is None:
        raise Unverified(
            f"no key for Wechatpay-Serial {serial[:64]!r}; add the platform's current public key"
        )
    message = f"{timestamp}\n{nonce}\n".encode("ascii") + body + b"\n"
    try:
        key.verify(_signature(headers), message, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise Unverified(f"the answer's signature does not match key {serial}") from None


def answer_time_s(headers: Mapping[str, str]) -> int | None:
    """Return the gateway's own clock in an answer (Unix seconds), or None; says nothing of trust."""
    stamp = headers.get("Wechatpay-Timestamp", "")
    return int(stamp) if _SECONDS.fullmatch(stamp) else None


def _timestamp(headers: Mapping[str, str], now_s: int) -> int:
    stamp = answer_time_s(headers)
    if stamp is None:
        raise Unverified("the answer has no usable Wechatpay-Timestamp; is a proxy removing headers?")
    if abs(now_s - stamp) >= WINDOW_S:
        raise Unverified(
            f"the answer's time is {stamp - now_s:+d} s from our clock; check time synchronisation"
        )
    return stamp


def _signature(headers: Mapping[str, str]) -> bytes:
    text = headers.get("Wechatpay-Signature", "")
    try:
        signature = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature or base64.b64encode(signature).decode("ascii") != text:
        raise Unverified("the answer has no usable Wechatpay-Signature; is a proxy removing headers?")
    return signature
