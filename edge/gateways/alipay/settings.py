"""Who we are at Alipay, whose keys we believe, where the gateway is and how long we wait.

Key files are read once, at start; what is wrong with one is said with its path and the remedy.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from edge.errors import Invalid
from edge.gateways.alipay.signing import PLAIN_KEY, certificate_serial, root_serial
from edge.gateways.key_files import check_address, read_key_file

_MIN_KEY_BITS = 2048
_APP_ID = re.compile(r"\d{16,32}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{0,40}", re.ASCII)
_STORE = re.compile(r"[0-9A-Za-z_\-]{0,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AlipaySettings:
    """One application's access to Alipay; its repr shows no key.

    verifiers: Alipay's keys by certificate serial number, PLAIN_KEY for public-key mode. app_cert_sn,
    root_cert_sn: serial numbers in certificate mode, both "" in public-key mode. app_auth_token: of the
    merchant that we act for as a service provider, else "". store_id: of the shop in Alipay's bills, or "".
    gateway_url: https, or http on the loopback address (simulator). connect_s, read_s, pay_read_s: time-outs
    in seconds; a payment's answer waits for a bank. download_s: for a bill's file.
    """

    app_id: str
    private_key: RSAPrivateKey = field(repr=False)
    verifiers: Mapping[str, RSAPublicKey] = field(repr=False)
    app_cert_sn: str = ""
    root_cert_sn: str = ""
    app_auth_token: str = field(default="", repr=False)
    store_id: str = ""
    gateway_url: str = "https://openapi.alipay.com/gateway.do"
    connect_s: float = 3.0
    read_s: float = 10.0
    pay_read_s: float = 30.0
    download_s: float = 60.0
    max_answer_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        """Raise Invalid for values that could never work."""
        if not _APP_ID.fullmatch(self.app_id):
            raise Invalid(f"alipay: app_id {self.app_id!r} must be the application's 16 digits")
        if not _TOKEN.fullmatch(self.app_auth_token) or not _STORE.fullmatch(self.store_id):
            raise Invalid("alipay: app_auth_token or store_id holds characters that Alipay does not take")
        if not self.verifiers:
            raise Invalid("alipay: no Alipay key is configured; answers could not be verified")
        certificates = any(serial != PLAIN_KEY for serial in self.verifiers)
        if (bool(self.app_cert_sn), bool(self.root_cert_sn)) != (certificates, certificates):
            raise Invalid(
                "alipay: certificate mode needs the application's, Alipay's and the root certificate together"
            )
        check_address("alipay", "gateway_url", self.gateway_url)
        for name in ("connect_s", "read_s", "pay_read_s", "download_s", "max_answer_bytes"):
            if getattr(self, name) <= 0:
                raise Invalid(f"alipay: {name} must be positive, got {getattr(self, name)}")


def load_app_key(path: Path) -> RSAPrivateKey:
    """Return the application's private key: PEM, or the bare Base64 that Alipay's key tool writes.

    Raises Invalid saying what is wrong with it.
    """
    data = read_key_file(path, "application private key", secret=True)
    try:
        pem = data.lstrip().startswith(b"-----")
        key = load_pem_private_key(data, None) if pem else load_der_private_key(_bare(data), None)
    except TypeError:
        raise Invalid(f"{path} is encrypted; store it without a passphrase, for the service only") from None
    except ValueError:
        raise Invalid(
            f"{path} is not a private key in PEM or Base64; make it again with the key tool"
        ) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _MIN_KEY_BITS:
        raise Invalid(f"{path} is not an RSA key of {_MIN_KEY_BITS} bits or more; RSA2 needs one")
    return key


def load_public_key(path: Path) -> dict[str, RSAPublicKey]:
    """Return Alipay's public key as verifiers for public-key mode: PEM, or bare Base64 as it is shown.

    It is Alipay's key (支付宝公钥), not the application's own. Raises Invalid.
    """
    data = read_key_file(path, "Alipay public key")
    try:
        pem = data.lstrip().startswith(b"-----")
        key = load_pem_public_key(data) if pem else load_der_public_key(_bare(data))
    except ValueError:
        raise Invalid(f"{path} is not a public key in PEM or Base64; copy 支付宝公钥 again") from None
    return {PLAIN_KEY: _rsa(key, path)}


def load_certificates(paths: tuple[Path, ...]) -> dict[str, RSAPublicKey]:
    """Return the keys in Alipay's certificates (alipayCertPublicKey_RSA2.crt) by serial number.

    The newest comes last and also stands for answers that name no certificate. Raises Invalid.
    """
    keys: dict[str, RSAPublicKey] = {}
    for path in paths:
        certificate = _certificates(path, "Alipay certificate")[0]
        keys[certificate_serial(certificate)] = keys[PLAIN_KEY] = _rsa(certificate.public_key(), path)
    return keys


def load_app_serial(path: Path) -> str:
    """Return the serial number of the application's certificate (appCertPublicKey.crt)."""
    return certificate_serial(_certificates(path, "application certificate")[0])


def load_root_serial(path: Path) -> str:
    """Return the serial number of Alipay's root certificates (alipayRootCert.crt)."""
    serial = root_serial(_certificates(path, "Alipay root certificate"))
    if not serial:
        raise Invalid(f"{path} holds no certificate signed with RSA; download alipayRootCert.crt again")
    return serial


def load_token(path: Path) -> str:
    """Return the app_auth_token in a file, without white space around it; raise Invalid."""
    data = read_key_file(path, "application's authorisation token", secret=True)
    return data.decode("ascii", errors="replace").strip()


def _bare(data: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        raise ValueError("not Base64") from None


def _certificates(path: Path, what: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(read_key_file(path, what))
    except ValueError:
        raise Invalid(f"{path} is not a PEM certificate; download the {what} again") from None


def _rsa(key: object, path: Path) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise Invalid(f"{path} does not hold an RSA key; SM2 is not supported")
    return key
