"""Settings and key files: what is wrong is said with the path and the remedy."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from edge.errors import Invalid
from edge.gateways.wechat_pay.settings import (
    WeChatPaySettings,
    load_merchant_serial,
    load_private_key,
    load_verifiers,
)
from sim.gateway import Credentials, make_credentials
from tests.contract.test_gateway import digits, settings_for

EC = ec.generate_private_key(ec.SECP256R1())
SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def settings(credentials: Credentials) -> WeChatPaySettings:
    return settings_for(credentials, "http://127.0.0.1:8401")


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: bytes = b"") -> bytes:
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"x" * 70_000, "over 65536 bytes"),
        (b"not a key", "download apiclient_key.pem again"),
        (pem(SMALL, b"secret"), "encrypted"),
        (pem(SMALL), "2048 bits"),
        (pem(EC), "not an RSA key"),
    ],
)
def test_a_private_key_that_cannot_be_used_is_explained(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "apiclient_key.pem"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    with pytest.raises(Invalid, match=says) as refusal:
        load_private_key(path)
    assert str(path) in str(refusal.value)


def test_a_private_key_that_others_can_read_is_warned_of(
    credentials: Credentials, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_private_key(credentials.merchant_key)
        assert caplog.text == ""
        loose = tmp_path / "key.pem"
        loose.write_bytes(credentials.merchant_key.read_bytes())
        loose.chmod(0o644)
        load_private_key(loose)
    assert f"chmod 600 {loose}" in caplog.text


def test_serials_and_keys_come_from_the_files(credentials: Credentials) -> None:
    assert load_merchant_serial(credentials.merchant_cert) == credentials.merchant_serial
    keys = load_verifiers(
        {
            credentials.public_key_id: credentials.platform_public_key,
            credentials.platform_serial: credentials.platform_cert,
        }
    )
    assert set(keys) == {credentials.public_key_id, credentials.platform_serial}


def test_a_certificate_under_another_serial_is_refused(credentials: Credentials) -> None:
    with pytest.raises(Invalid, match=f"has serial {credentials.platform_serial}, configured is 1234"):
        load_verifiers({"1234": credentials.platform_cert})


def test_a_key_where_a_certificate_is_expected_is_refused(credentials: Credentials, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="not a PEM certificate"):
        load_verifiers({"1234": credentials.platform_public_key})
    with pytest.raises(Invalid, match=r"download pub_key\.pem again"):
        load_verifiers({"PUB_KEY_ID_1": credentials.platform_cert})
    sm2 = tmp_path / "pub_key.pem"
    sm2.write_bytes(EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(Invalid, match="does not hold an RSA key"):
        load_verifiers({"PUB_KEY_ID_1": sm2})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("appid", ""),
        ("mchid", '19"0'),
        ("store_id", "店"),
        ("merchant_serial", "AB CD"),
        ("base_url", "http://api.mch.weixin.qq.com"),
        ("base_url", "api.mch.weixin.qq.com"),
        ("base_url", "https://api.mch.weixin.qq.com/?x=1"),
        ("backup_url", "ftp://127.0.0.1"),
        ("verifiers", {}),
        ("connect_s", 0),
        ("codepay_read_s", -1.0),
    ],
)
def test_settings_that_could_never_work_are_refused_at_start(
    settings: WeChatPaySettings, field: str, value: object
) -> None:
    with pytest.raises(Invalid, match="platform key" if field == "verifiers" else field):
        replace(settings, **{field: value})  # type: ignore[arg-type]


def test_settings_show_no_key(settings: WeChatPaySettings) -> None:
    assert "private_key" not in repr(settings)
    assert "verifiers" not in repr(settings)
    assert settings.mchid in repr(settings)
