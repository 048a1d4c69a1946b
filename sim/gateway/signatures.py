"""The gateway's side of APIv3 signatures: checks the merchant's, makes its own.

Written from pay.weixin.qq.com "签名与验签规则" without a look at edge's client.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from sim.gateway.credentials import (
    Credentials,
    PlatformKey,
    add_certificate,
    add_public_key,
    read_certificates,
    read_public_keys,
)
from sim.gateway.faults import Fault
from sim.gateway.merchants import Merchant, Merchants, read_pem
from sim.gateway.messages import Json, Refusal, Request
from sim.gateway.store import Store

_SCHEME = "WECHATPAY2-SHA256-RSA2048"
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_NAMES = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
_SKEW_S = 300
_OAEP = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)
_MAX_NONCES = 100_000


class Mode(StrEnum):
    """Which key signs: the one that has an id, the one in a certificate, or, while a merchant changes over,
    the one that the request's Wechatpay-Serial asks for (callbacks then take turns)."""

    PUBLIC_KEY = "public_key"
    CERTIFICATE = "certificate"
    BOTH = "both"


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
        self._credentials = credentials
        self._now_ms = now_ms
        self._digits = digits
        self._merchants = merchants or _only(credentials)
        self._keys = {
            Mode.PUBLIC_KEY: read_public_keys(credentials),
            Mode.CERTIFICATE: read_certificates(credentials),
        }
        self.apiv3_key = credentials.apiv3_key.encode()
        self._lock = threading.Lock()
        self._turn = 0
        self._nonces: OrderedDict[tuple[str, str], int] = OrderedDict()

    @property
    def certificates(self) -> tuple[PlatformKey, ...]:
        """The gateway's certificates that are in force, the oldest first."""
        return tuple(self._keys[Mode.CERTIFICATE])

    @property
    def serials(self) -> tuple[str, ...]:
        """The serials that sign now: of the public-key mode and of the certificate mode."""
        return tuple(self._keys[mode][-1].serial for mode in (Mode.PUBLIC_KEY, Mode.CERTIFICATE))

    def rotate(self, mode: Mode) -> str:
        """Sign with a new key from now on; the older stay in the list of certificates. Return its serial."""
        add = add_certificate if mode is Mode.CERTIFICATE else add_public_key
        kept = self._keys[Mode.CERTIFICATE if mode is Mode.CERTIFICATE else Mode.PUBLIC_KEY]
        kept.append(add(self._credentials, self._digits))
        return kept[-1].serial

    def decrypt(self, text: str, request: Request) -> str:
        """Return what a merchant encrypted for us (RSA-OAEP, SHA-1); raise Refusal 400 PARAM_ERROR."""
        serial = request.headers.get("wechatpay-serial", "")
        for key in (*self._keys[Mode.PUBLIC_KEY], *self._keys[Mode.CERTIFICATE]):
            if key.serial == serial:
                try:
                    return key.key.decrypt(base64.b64decode(text, validate=True), _OAEP).decode()
                except ValueError:
                    break
        raise Refusal(
            400, "PARAM_ERROR", "敏感信息解密失败，请检查 Wechatpay-Serial 与加密所用的公钥", "268435461"
        )

    def encrypt(self, text: str, mchid: str) -> str:
        """Return a text that only that merchant can read (RSA-OAEP, SHA-1)."""
        key = self._merchants.keys(mchid)[-1]
        return base64.b64encode(key.encrypt(text.encode(), _OAEP)).decode()

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

    def signer_of(self, request: Request) -> str:
        """Return the mchid that a request names, signed rightly or not, "" for none."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        return str(dict(_PAIR.findall(token)).get("mchid", ""))

    def headers(self, body: bytes, number: str, asked: str | None = None) -> dict[str, str]:
        """Return the signature headers and Request-ID of a reply with that body.

        asked: the request's Wechatpay-Serial, "" when it has none; None for a callback.
        """
        signer = self._signer(asked)
        serial, key = signer.serial, signer.key
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

    def spoil(self, headers: Mapping[str, str], fault: Fault | None) -> dict[str, str]:
        """Return signature headers with what that fault does to them; as they are for any other."""
        spoilt = dict(headers)
        if "Wechatpay-Signature" not in spoilt:
            return spoilt
        if fault is Fault.NO_SIGNATURE:
            spoilt = {name: text for name, text in spoilt.items() if name == "Request-ID"}
        if fault is Fault.BAD_SIGNATURE:
            spoilt["Wechatpay-Signature"] = self.headers(b"x", "0")["Wechatpay-Signature"]
        if fault is Fault.UNKNOWN_SERIAL:
            spoilt["Wechatpay-Serial"] = "PUB_KEY_ID_9999"
        if fault is Fault.STALE_SIGNATURE:
            spoilt["Wechatpay-Timestamp"] = str(int(spoilt["Wechatpay-Timestamp"]) - 301)
        return spoilt

    def _signer(self, asked: str | None) -> PlatformKey:
        mode = self.mode
        if mode is Mode.BOTH and asked is None:
            with self._lock:
                self._turn += 1
                mode = Mode.PUBLIC_KEY if self._turn % 2 else Mode.CERTIFICATE
        elif mode is Mode.BOTH:
            mode = Mode.PUBLIC_KEY if (asked or "").startswith("PUB_KEY_ID_") else Mode.CERTIFICATE
        return self._keys[mode][-1]

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
