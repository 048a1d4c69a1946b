"""What the gateway hides: AES-256-GCM of callbacks and certificates, RSA-OAEP of personal fields. Pure.

Source: pay.weixin.qq.com, "证书和回调报文解密" (AEAD_AES_256_GCM, the APIv3 key) and "敏感信息加解密"
(RSAES-OAEP with SHA-1 and MGF1-SHA-1, as the gateway demands).
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1

from edge.errors import EdgeError, Invalid
from edge.gateways.line import Unreadable
from edge.gateways.wechat_pay.fields import Fields

ALGORITHM = "AEAD_AES_256_GCM"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MOST_BASE64 = 2 << 20


class Unsealable(EdgeError):
    """A sealed text cannot be opened: it was changed, or our APIv3 key is another one than the gateway's."""


def open_sealed(api_v3_key: bytes, sealed: Fields) -> bytes:
    """Return the plain bytes of {algorithm, nonce, associated_data, ciphertext}.

    Raises Unsealable, or Unreadable for an object that is not of this form.
    """
    if sealed.need_text("algorithm", 64) != ALGORITHM:
        raise Unreadable(f"it is not sealed with {ALGORITHM}")
    nonce = sealed.need_text("nonce", 64).encode()
    data = _base64(sealed.need_text("ciphertext", _MOST_BASE64))
    if len(nonce) != _NONCE_BYTES or len(data) < _TAG_BYTES:
        raise Unreadable(f"its nonce is not {_NONCE_BYTES} bytes or its ciphertext has no tag")
    if not api_v3_key:
        raise Unsealable("no APIv3 key is configured; callbacks and platform certificates need it")
    aad = (sealed.text("associated_data", 256) or "").encode()
    try:
        return AESGCM(api_v3_key).decrypt(nonce, data, aad)
    except InvalidTag:
        pass
    raise Unsealable("the APIv3 key does not open it; compare it with the one set at the merchant platform")


def encrypt_field(key: RSAPublicKey, text: str) -> str:
    """Return a personal field (a name) as the gateway expects it, base64; raise Invalid when it is too long.

    The request must carry the key's serial in Wechatpay-Serial.
    """
    most = key.key_size // 8 - 2 * SHA1.digest_size - 2
    data = text.encode()
    if len(data) > most:
        raise Invalid(f"a field to be encrypted has {len(data)} bytes; {most} are possible")
    return base64.b64encode(key.encrypt(data, _oaep())).decode("ascii")


def decrypt_field(key: RSAPrivateKey, text: str) -> str:
    """Return a personal field of an answer, with the merchant's private key; raise Unsealable."""
    try:
        return key.decrypt(_base64(text), _oaep()).decode()
    except (ValueError, Unreadable):
        pass
    raise Unsealable("a personal field of the answer does not open with the merchant's key")


def _oaep() -> OAEP:
    return OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("its ciphertext is not base64") from None
