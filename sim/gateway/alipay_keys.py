"""Alipay's side of keys and signatures, and the files that an application downloads from it.

Written from opendocs.alipay.com ("自行实现签名", "自行实现验签", "公钥证书") without a look at edge's client.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_VALID_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_VALID_TO = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class AlipayKeys:
    """One application at Alipay and where its files are. pid: whose account the money goes to."""

    folder: Path
    app_id: str
    pid: str

    @property
    def app_key(self) -> Path:
        """The application's private key, PEM, mode 0600."""
        return self.folder / "app_private_key.pem"

    @property
    def app_cert(self) -> Path:
        """The application's certificate (certificate mode)."""
        return self.folder / "appCertPublicKey.crt"

    @property
    def alipay_public_key(self) -> Path:
        """Alipay's public key (public-key mode), bare Base64 as its site shows it."""
        return self.folder / "alipay_public_key.txt"

    @property
    def alipay_cert(self) -> Path:
        """Alipay's certificate (certificate mode)."""
        return self.folder / "alipayCertPublicKey_RSA2.crt"

    @property
    def root_cert(self) -> Path:
        """Alipay's root certificate (certificate mode)."""
        return self.folder / "alipayRootCert.crt"

    @property
    def gateway_key(self) -> Path:
        """Alipay's own private key."""
        return self.folder / "gateway" / "alipay_private_key.pem"


def make_alipay_keys(folder: Path, digits: Callable[[int], str]) -> AlipayKeys:
    """Return the keys in `folder`, making them first if it holds none; takes about half a second.

    digits: returns that many random decimal digits.
    """
    identity = folder / "identity.json"
    if identity.exists():
        return AlipayKeys(folder=folder, **json.loads(identity.read_text(encoding="utf-8")))
    (folder / "gateway").mkdir(parents=True, exist_ok=True)
    made = AlipayKeys(folder, f"2021{digits(12)}", f"2088{digits(12)}")
    app, alipay = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    _write_key(made.app_key, app)
    _write_key(made.gateway_key, alipay)
    public = alipay.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    made.alipay_public_key.write_bytes(base64.b64encode(public))
    root = _name("Ant Financial Certification Authority R1")
    issuer = _name("Ant Financial Certification Authority Class 1 R1")
    made.root_cert.write_bytes(_certificate(alipay, alipay, root, root, digits))
    made.alipay_cert.write_bytes(_certificate(alipay, alipay, _name("支付宝(中国)网络技术"), issuer, digits))
    made.app_cert.write_bytes(_certificate(app, alipay, _name(made.app_id), issuer, digits))
    facts = asdict(made)
    del facts["folder"]
    identity.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return made


class AlipaySignatures:
    """Verifies an application's requests and signs answers."""

    def __init__(self, keys: AlipayKeys) -> None:
        gateway, app = _read_key(keys.gateway_key), _read_key(keys.app_key)
        self._gateway = gateway
        self._app = app.public_key()
        self.app_cert_sn, self.alipay_cert_sn, self.root_cert_sn = (
            _serial(path) for path in (keys.app_cert, keys.alipay_cert, keys.root_cert)
        )

    def holds(self, parameters: Mapping[str, str]) -> bool:
        """Return whether the application signed these parameters."""
        pairs = sorted(pair for pair in parameters.items() if pair[0] != "sign" and pair[1])
        text = "&".join("=".join(pair) for pair in pairs)
        try:
            signature = base64.b64decode(parameters.get("sign", ""), validate=True)
            self._app.verify(signature, text.encode(), padding.PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error):
            return False
        return True

    def sign(self, content: str) -> str:
        """Return the signature of an answer's content, Base64."""
        return base64.b64encode(self._gateway.sign(content.encode(), padding.PKCS1v15(), SHA256())).decode()


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ant Financial"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    key: rsa.RSAPrivateKey,
    signer: rsa.RSAPrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    digits: Callable[[int], str],
) -> bytes:
    serial = int("7" + digits(30))
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), serial, _VALID_FROM, _VALID_TO)
    return builder.sign(signer, SHA256()).public_bytes(Encoding.PEM)


def _serial(path: Path) -> str:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    parts = []
    for oid, short in (
        (NameOID.COMMON_NAME, "CN"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
        (NameOID.ORGANIZATION_NAME, "O"),
        (NameOID.COUNTRY_NAME, "C"),
    ):
        parts.append(f"{short}={certificate.issuer.get_attributes_for_oid(oid)[0].value!s}")
    text = ",".join(parts) + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _read_key(path: Path) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} is not an RSA key; remove the folder and make new keys")
    return key


def _write_key(path: Path, key: rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
