"""The gateway's side of APIv3 signatures: checks the merchant's, makes its own.

Written from pay.weixin.qq.com "签名与验签规则" without a look at edge's client.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from sim.gateway.credentials import Credentials, read_key
from sim.gateway.merchants import Merchant, Merchants, read_pem
from sim.gateway.messages import Json, Refusal, Request
from sim.gateway.store import Store

_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_NAMES = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
_SKEW_S = 300
_MAX_NONCES = 100_000


class Mode(StrEnum):
    """Which key signs the answers: the one that has an id, or the one in a certificate."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"


class Signatures:
    """Verifies requests and signs replies; safe for use by several threads."""

    def __init__(
        self,
        credentials: Credentials,
        now_ms: Callable[[], int],
        digits: Callable[[int], str],
        merchants: Merchants | None = None,
    ) -> None:
        """merchants: whose requests are taken; only that of the credentials for None."""
        self.mode = Mode.PUBLIC_KEY
        self._now_ms = now_ms
        self._digits = digits
        self._merchants = merchants or _only(credentials)
        self._keys = {
            Mode.PUBLIC_KEY: (credentials.public_key_id, read_key(credentials.public_mode_key)),
            Mode.CERTIFICATE: (credentials.platform_serial, read_key(credentials.platform_cert_key)),
        }
        self._lock = threading.Lock()
        self._nonces: OrderedDict[tuple[str, str], int] = OrderedDict()

    def check(self, request: Request) -> str:
        """Return the mchid of who signed exactly this request, now and once; raise Refusal 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        parts: dict[str, str] = dict(_PAIR.findall(token))
        if scheme != _SCHEME or set(parts) != _NAMES:
            raise _refuse("Authorization 缺失或格式不正确", request)
        key = self._merchants.key(parts["mchid"], parts["serial_no"])
        if key is None:
            raise _refuse("商户号或证书序列号不正确", request)
        if not re.fullmatch(r"\d{1,12}", parts["timestamp"], re.ASCII):
            raise _refuse("timestamp 格式不正确", request)
        if abs(self._now_ms() // 1000 - int(parts["timestamp"])) > _SKEW_S:
            raise _refuse("timestamp 与服务器时间相差超过5分钟", request)
        _check_signature(key, request, parts)
        self._check_nonce(parts["mchid"], parts["nonce_str"], request)
        return parts["mchid"]

    def headers(self, body: bytes, number: str) -> dict[str, str]:
        """Return the signature headers and Request-ID of a reply with that body."""
        serial, key = self._keys[self.mode]
        timestamp, nonce = str(self._now_ms() // 1000), self._digits(32)
        message = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = key.sign(message, padding.PKCS1v15(), SHA256())
        return self.request_id(number) | {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": _SCHEME,
        }

    def request_id(self, number: str) -> dict[str, str]:
        """Return a Request-ID header that ends in the reason's number."""
        return {"Request-ID": f"08{self._digits(30)}-{number}"}

    def _check_nonce(self, mchid: str, nonce: str, request: Request) -> None:
        with self._lock:
            if not 1 <= len(nonce) <= 32 or (mchid, nonce) in self._nonces:
                raise _refuse("nonce_str 长度不正确或重复使用", request)
            self._nonces[mchid, nonce] = self._now_ms()
            if len(self._nonces) > _MAX_NONCES:
                self._nonces.popitem(last=False)


def _only(credentials: Credentials) -> Merchants:
    merchants = Merchants(Store())
    merchants.add(Merchant(credentials.mchid, credentials.mchid, (credentials.appid,)))
    merchants.add_certificate(credentials.mchid, read_pem(credentials.merchant_cert))
    return merchants


def _check_signature(key: rsa.RSAPublicKey, request: Request, parts: dict[str, str]) -> None:
    head = f"{request.method}\n{request.target}\n{parts['timestamp']}\n{parts['nonce_str']}\n"
    try:
        signature = base64.b64decode(parts["signature"], validate=True)
        message = head.encode() + request.body + b"\n"
        key.verify(signature, message, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error):
        raise _refuse("签名验证失败", request) from None


def _refuse(issue: str, request: Request) -> Refusal:
    detail: Json = {"issue": issue, "location": "authorization", "method": request.method}
    return Refusal(401, "SIGN_ERROR", f"错误的签名，验签失败: {issue}", "268443699", detail)
