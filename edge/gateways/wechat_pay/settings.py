"""Who we are at WeChat Pay, whose keys we believe, where the gateway is and how long we wait.

Key files are read once, at start; what is wrong with one is said with its path and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from edge.errors import Invalid
from edge.gateways.key_files import check_address, read_key_file

PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"

_MIN_KEY_BITS = 2048
_API_V3_KEY_BYTES = 32
_MAX_NOTIFY_URL = 255


@dataclass(frozen=True, slots=True)
class WeChatPaySettings:
    """One merchant's access to WeChat Pay; its repr shows no key.

    merchant_serial: of the merchant's API certificate (upper-case hex). verifiers: the gateway's public
    keys by serial; may be empty when fetch_certificates is set. store_id: scene_info.store_info.id.
    device_ip: this box's address, "" to leave it out.
    base_url, backup_url: https, or http on the loopback address (simulator); backup_url "" for none.
    connect_s, read_s, codepay_read_s: time-outs in seconds; a codepay answer waits for a bank. sub_mchid,
    sub_appid: the merchant that is paid when we are a service provider, and its own mini-program, else "".
    notify_url, refund_notify_url: where the gateway sends callbacks, https without query; "" for none.
    api_v3_key: 32 bytes, opens callbacks and platform certificates; b"" when neither is used. download_s:
    for a bill's whole file.
    spool_dir: where a bill's file lies while it is read, on disk; None for the system's folder.
    fetch_certificates: platform-certificate mode, needs api_v3_key; certificate_dir: where they are kept.
    """

    appid: str
    mchid: str
    merchant_serial: str
    private_key: RSAPrivateKey = field(repr=False)
    verifiers: Mapping[str, RSAPublicKey] = field(repr=False)
    store_id: str
    device_ip: str = ""
    base_url: str = "https://api.mch.weixin.qq.com"
    backup_url: str = "https://api2.mch.weixin.qq.com"
    connect_s: float = 3.0
    read_s: float = 10.0
    codepay_read_s: float = 30.0
    max_answer_bytes: int = 1 << 20
    sub_mchid: str = ""
    sub_appid: str = ""
    notify_url: str = ""
    refund_notify_url: str = ""
    api_v3_key: bytes = field(default=b"", repr=False)
    download_s: float = 120.0
    spool_dir: Path | None = None
    fetch_certificates: bool = False
    certificate_dir: Path | None = None

    def __post_init__(self) -> None:
        """Raise Invalid for values that could never work."""
        for name in ("appid", "mchid", "merchant_serial", "store_id"):
            _check_token(name, getattr(self, name))
        for name in ("sub_mchid", "sub_appid"):
            _check_token(name, getattr(self, name) or "-")
        self._check_keys()
        self._check_addresses()
        for name in ("connect_s", "read_s", "codepay_read_s", "download_s", "max_answer_bytes"):
            if getattr(self, name) <= 0:
                raise Invalid(f"wechat_pay: {name} must be positive, got {getattr(self, name)}")

    def _check_keys(self) -> None:
        if self.api_v3_key and len(self.api_v3_key) != _API_V3_KEY_BYTES:
            raise Invalid(f"wechat_pay: the APIv3 key must have {_API_V3_KEY_BYTES} bytes; copy it again")
        if self.fetch_certificates and not self.api_v3_key:
            raise Invalid("wechat_pay: fetching platform certificates needs the APIv3 key; configure it")
        if not self.verifiers and not self.fetch_certificates:
            raise Invalid("wechat_pay: no platform key is configured; answers could not be verified")

    def _check_addresses(self) -> None:
        check_address("wechat_pay", "base_url", self.base_url)
        if self.backup_url:
            check_address("wechat_pay", "backup_url", self.backup_url)
        for name in ("notify_url", "refund_notify_url"):
            _check_notify_url(name, getattr(self, name))


def load_private_key(path: Path) -> RSAPrivateKey:
    """Return the merchant's private key (apiclient_key.pem); raise Invalid saying what is wrong with it."""
    data = read_key_file(path, "merchant private key", secret=True)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise Invalid(
            f"{path} is encrypted; store it without a passphrase, readable by the service only"
        ) from None
    except ValueError:
        raise Invalid(f"{path} is not a PEM private key; download apiclient_key.pem again") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _MIN_KEY_BITS:
        raise Invalid(f"{path} is not an RSA key of {_MIN_KEY_BITS} bits or more; WeChat Pay needs one")
    return key


def load_api_v3_key(path: Path) -> bytes:
    """Return the APIv3 key in a file, without white space around it; raise Invalid unless it has 32 bytes."""
    key = read_key_file(path, "APIv3 key", secret=True).strip()
    if len(key) != _API_V3_KEY_BYTES:
        raise Invalid(f"{path} does not hold an APIv3 key of {_API_V3_KEY_BYTES} characters; copy it again")
    return key


def load_merchant_serial(path: Path) -> str:
    """Return the serial number (upper-case hex) of the merchant's certificate (apiclient_cert.pem)."""
    return _serial(_certificate(path, read_key_file(path, "merchant certificate")))


def load_verifiers(files: Mapping[str, Path]) -> dict[str, RSAPublicKey]:
    """Return the gateway's keys by serial.

    files: serial to path. A serial PUB_KEY_ID_... names a public-key file (pub_key.pem); any other is a
    platform certificate's, and must be the one inside the file. Raises Invalid with the path and remedy.
    """
    return {serial: _verifier(serial, path) for serial, path in files.items()}


def _verifier(serial: str, path: Path) -> RSAPublicKey:
    data = read_key_file(path, "platform key")
    if serial.startswith(PUBLIC_KEY_PREFIX):
        try:
            key = load_pem_public_key(data)
        except ValueError:
            raise Invalid(f"{path} is not a PEM public key; download pub_key.pem again") from None
    else:
        certificate = _certificate(path, data)
        if _serial(certificate) != serial:
            raise Invalid(
                f"{path} has serial {_serial(certificate)}, configured is {serial}; correct one of them"
            )
        key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Invalid(f"{path} does not hold an RSA key; SM2 is not supported")
    return key


def _certificate(path: Path, data: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        raise Invalid(f"{path} is not a PEM certificate; download it again") from None


def _serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:X}"


def _check_token(name: str, value: str) -> None:
    if not value or not value.isascii() or not value.isprintable() or set(value) & set(' ",'):
        raise Invalid(
            f"wechat_pay: {name} {value!r} must be printable ASCII without spaces, quotes or commas"
        )


def _check_notify_url(name: str, url: str) -> None:
    if not url:
        return
    check_address("wechat_pay", name, url)
    if not url.startswith("https://") or "?" in url or len(url) > _MAX_NOTIFY_URL:
        raise Invalid(
            f"wechat_pay: {name} {url!r} must be a public https address without query, "
            f"{_MAX_NOTIFY_URL} characters at most"
        )
