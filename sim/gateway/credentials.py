"""Keys for both sides of the simulated gateway, as files like those that a merchant downloads."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
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
class Credentials:
    """Who is who, and where the files are.

    For the merchant's side: merchant_key, merchant_cert, platform_public_key (serial public_key_id) and
    platform_cert (serial platform_serial). The gateway's own: public_mode_key, platform_cert_key.
    """

    folder: Path
    appid: str
    mchid: str
    merchant_serial: str
    public_key_id: str
    platform_serial: str

    @property
    def merchant_key(self) -> Path:
        """The merchant's private key, PEM, mode 0600."""
        return self.folder / "apiclient_key.pem"

    @property
    def merchant_cert(self) -> Path:
        """The merchant's API certificate, PEM."""
        return self.folder / "apiclient_cert.pem"

    @property
    def platform_public_key(self) -> Path:
        """The gateway's public key (public-key mode), PEM."""
        return self.folder / "pub_key.pem"

    @property
    def platform_cert(self) -> Path:
        """The gateway's certificate (certificate mode), PEM."""
        return self.folder / "wechatpay_cert.pem"

    @property
    def apiv3_key_file(self) -> Path:
        """The 32 characters that callbacks and certificates are encrypted with, mode 0600."""
        return self.folder / "apiv3_key.txt"

    @property
    def apiv3_key(self) -> str:
        """What is in apiv3_key_file."""
        return self.apiv3_key_file.read_text(encoding="ascii").strip()

    @property
    def public_mode_key(self) -> Path:
        """The gateway's private key behind platform_public_key."""
        return self.folder / "gateway" / "public_mode_key.pem"

    @property
    def platform_cert_key(self) -> Path:
        """The gateway's private key behind platform_cert."""
        return self.folder / "gateway" / "platform_cert_key.pem"


def make_credentials(
    folder: Path, digits: Callable[[int], str], appid: str = "wx51a0000000000001", mchid: str = "1900000109"
) -> Credentials:
    """Return the credentials in `folder`, making them first if it holds none; takes about half a second.

    digits: returns that many random decimal digits.
    """
    identity = folder / "identity.json"
    if identity.exists():
        found = Credentials(folder=folder, **json.loads(identity.read_text(encoding="utf-8")))
        _write_apiv3_key(found, digits)
        return found
    (folder / "gateway").mkdir(parents=True, exist_ok=True)
    merchant_serial, platform_serial = _serial(digits), _serial(digits)
    made = Credentials(
        folder, appid, mchid, f"{merchant_serial:X}", f"PUB_KEY_ID_{digits(38)}", f"{platform_serial:X}"
    )
    merchant, public_mode, certificate_mode = (_new_key() for _ in range(3))
    _write_apiv3_key(made, digits)
    _write_key(made.merchant_key, merchant)
    _write_key(made.public_mode_key, public_mode)
    _write_key(made.platform_cert_key, certificate_mode)
    made.merchant_cert.write_bytes(_certificate(merchant, merchant_serial, f"merchant {mchid}"))
    made.platform_cert.write_bytes(_certificate(certificate_mode, platform_serial, "simulated gateway"))
    made.platform_public_key.write_bytes(
        public_mode.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    facts = asdict(made)
    del facts["folder"]
    identity.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return made


def read_key(path: Path) -> rsa.RSAPrivateKey:
    """Return a private key that `make_credentials` wrote."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path} is not an RSA key; remove the folder and make new credentials")
    return key


def read_certificate_key(path: Path) -> rsa.RSAPublicKey:
    """Return the public key in a certificate that `make_credentials` wrote."""
    key = x509.load_pem_x509_certificate(path.read_bytes()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"{path} holds no RSA key; remove the folder and make new credentials")
    return key


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """A key that the gateway signs with. certificate: its PEM, "" for one that is known by its id alone."""

    serial: str
    key: rsa.RSAPrivateKey
    certificate: str = ""


def read_public_keys(credentials: Credentials) -> list[PlatformKey]:
    """Return the keys of the public-key mode, the oldest first."""
    found = [PlatformKey(credentials.public_key_id, read_key(credentials.public_mode_key))]
    for path in _later(credentials, "public_key"):
        found.append(PlatformKey(f"PUB_KEY_ID_{path.name.split('.')[2]}", read_key(path)))
    return found


def read_certificates(credentials: Credentials) -> list[PlatformKey]:
    """Return the keys of the certificate mode, the oldest first."""
    found = [_certified(credentials.platform_cert_key, credentials.platform_cert)]
    for path in _later(credentials, "certificate"):
        found.append(_certified(path, credentials.folder / f"wechatpay_cert.{path.name.split('.')[2]}.pem"))
    return found


def add_public_key(credentials: Credentials, digits: Callable[[int], str]) -> PlatformKey:
    """Make one more key for the public-key mode; the merchant finds it as pub_key.{number}.pem."""
    number, key = digits(38), _new_key()
    _write_key(_next(credentials, "public_key", number), key)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (credentials.folder / f"pub_key.{number}.pem").write_bytes(pem)
    return PlatformKey(f"PUB_KEY_ID_{number}", key)


def add_certificate(credentials: Credentials, digits: Callable[[int], str]) -> PlatformKey:
    """Make one more certificate of the gateway; the merchant gets it by GET /v3/certificates."""
    serial, key = _serial(digits), _new_key()
    path = _next(credentials, "certificate", f"{serial:X}")
    _write_key(path, key)
    certificate = credentials.folder / f"wechatpay_cert.{serial:X}.pem"
    certificate.write_bytes(_certificate(key, serial, "simulated gateway"))
    return _certified(path, certificate)


def _certified(key: Path, certificate: Path) -> PlatformKey:
    pem = certificate.read_text(encoding="ascii")
    return PlatformKey(f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:X}", read_key(key), pem)


def _later(credentials: Credentials, kind: str) -> list[Path]:
    """Return the keys that were added, named kind.NNN.serial.pem."""
    return sorted((credentials.folder / "gateway").glob(f"{kind}.*.pem"))


def _next(credentials: Credentials, kind: str, serial: str) -> Path:
    count = len(_later(credentials, kind)) + 1
    return credentials.folder / "gateway" / f"{kind}.{count:03d}.{serial}.pem"


def _write_apiv3_key(credentials: Credentials, digits: Callable[[int], str]) -> None:
    if not credentials.apiv3_key_file.exists():
        credentials.apiv3_key_file.touch(mode=0o600)
        credentials.apiv3_key_file.write_text(f"v3-{digits(29)}\n", encoding="ascii")


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _serial(digits: Callable[[int], str]) -> int:
    return int("7" + digits(38))


def _certificate(key: rsa.RSAPrivateKey, serial: int, name: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), serial, _VALID_FROM, _VALID_TO)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def _write_key(path: Path, key: rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
