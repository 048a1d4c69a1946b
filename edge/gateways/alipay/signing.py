"""Signatures of Alipay's open platform (RSA2): ours on requests, theirs on answers.

Pure: the time comes in as an argument. Source: opendocs.alipay.com, "自行实现签名", "自行实现验签" and, for
certificate mode, the serial numbers of "公钥证书"; RFC 8017 §8.2 (RSASSA-PKCS1-v1_5 with SHA-256).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from json.decoder import JSONDecodeError

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from edge.errors import EdgeError

#: The only signature scheme spoken here (SHA256withRSA).
SCHEME = "RSA2"

#: The serial that stands for Alipay's plain public key, when no certificate is named.
PLAIN_KEY = ""

_RSA_SIGNATURES = "1.2.840.113549.1.1."
_SPACE = " \t\r\n"
_MAX_FIELDS = 16


class Unverified(EdgeError):
    """An answer's signature does not hold; the message says why and what to check."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer taken apart, not yet verified. content: the raw JSON text that is signed.

    node: its name, e.g. "alipay_trade_pay_response", or "error_response". certificate: the serial number of
    the certificate behind the signature, "" in public-key mode.
    """

    node: str
    content: str
    signature: str
    certificate: str


def sign(key: RSAPrivateKey, parameters: Mapping[str, str]) -> str:
    """Return the `sign` parameter of a request with these parameters, Base64.

    Signed are all parameters but `sign` that are not empty, by name, as name=value joined by "&", unescaped.
    """
    signature = key.sign(signed_text(parameters).encode(), PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode("ascii")


def signed_text(parameters: Mapping[str, str]) -> str:
    """Return what is signed of a request, see `sign`."""
    pairs = sorted((name, value) for name, value in parameters.items() if value and name != "sign")
    return "&".join(f"{name}={value}" for name, value in pairs)


def open_envelope(body: bytes, node: str) -> Envelope:
    """Return the parts of an answer; raise ValueError saying what is wrong with it.

    body: {"<node>": {...}, "sign": "...", "alipay_cert_sn": "..."} in UTF-8, in any order. The signed text is
    cut out of the answer as it stands there; nothing is written anew. node: what a call of that name is
    answered with; "error_response" may stand in its place.
    """
    fields = _fields(body)
    name = next((one for one in (node, "error_response") if one in fields), None)
    if name is None:
        raise ValueError(f"the answer holds no {node}")
    return Envelope(
        node=name,
        content=fields[name],
        signature=_word(fields, "sign"),
        certificate=_word(fields, "alipay_cert_sn"),
    )


def verify(envelope: Envelope, verifiers: Mapping[str, RSAPublicKey]) -> None:
    """Return when Alipay signed the envelope's content; raise Unverified otherwise.

    verifiers: Alipay's keys by certificate serial number; PLAIN_KEY is the one of public-key mode.
    """
    if not envelope.signature:
        raise Unverified("the answer carries no signature")
    key = verifiers.get(envelope.certificate)
    if key is None:
        which = f"certificate {envelope.certificate[:64]!r}" if envelope.certificate else "the public key"
        raise Unverified(f"no key for {which}, which signed the answer; download Alipay's current one")
    try:
        signature = base64.b64decode(envelope.signature, validate=True)
        key.verify(signature, envelope.content.encode(), PKCS1v15(), SHA256())
    except (binascii.Error, ValueError):
        raise Unverified("the answer's signature is not Base64") from None
    except InvalidSignature:
        raise Unverified("the answer's signature does not match Alipay's key") from None


def certificate_serial(certificate: x509.Certificate) -> str:
    """Return Alipay's serial number (SN) of a certificate: MD5 of issuer and serial, 32 hex digits."""
    text = f"{certificate.issuer.rfc4514_string()}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_serial(certificates: list[x509.Certificate]) -> str:
    """Return the SN of a file of root certificates: those signed with RSA, joined by "_"."""
    return "_".join(
        certificate_serial(one)
        for one in certificates
        if one.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNATURES)
    )


def _fields(body: bytes) -> dict[str, str]:
    """Return the raw texts of the fields of a JSON object; raise ValueError."""
    try:
        text = body.decode()
        return _scan(text)
    except (UnicodeDecodeError, JSONDecodeError, IndexError, RecursionError):
        raise ValueError(f"the answer ({len(body)} bytes) is not JSON") from None


def _scan(text: str) -> dict[str, str]:
    decoder = json.JSONDecoder()
    fields: dict[str, str] = {}
    at = _skip(text, 0, "{")
    while text[at] != "}":
        if len(fields) >= _MAX_FIELDS:
            raise ValueError(f"the answer has more than {_MAX_FIELDS} fields")
        name, end = decoder.raw_decode(text, at)
        begin = _skip(text, end, ":")
        _, end = decoder.raw_decode(text, begin)
        if not isinstance(name, str) or name in fields:
            raise ValueError("the answer names a field twice")
        fields[name] = text[begin:end]
        at = _skip(text, end, "")
        if text[at] != "}":
            at = _skip(text, at, ",")
    if text[at + 1 :].strip(_SPACE):
        raise ValueError("the answer goes on after its end")
    return fields


def _skip(text: str, at: int, mark: str) -> int:
    """Return where the next thing begins, after `mark` and the white space around it."""
    while text[at] in _SPACE:
        at += 1
    if not mark:
        return at
    if text[at] != mark:
        raise ValueError(f"the answer is not JSON: no {mark!r} at character {at}")
    return _skip(text, at + 1, "")


def _word(fields: Mapping[str, str], name: str) -> str:
    value = json.loads(fields.get(name, '""'))
    return value if isinstance(value, str) else ""
