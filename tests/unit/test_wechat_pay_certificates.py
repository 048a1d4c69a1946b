"""Platform certificates: fetched under seal, kept for a start without network, old and new side by side."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from edge.errors import Invalid, Unavailable
from edge.gateways.wechat_pay.certificates import KeyReport, certificate_end
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.sealing import Unsealable, decrypt_field, encrypt_field
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.services.payment_ports import CodePayment, RefundRequest
from tests.unit.test_wechat_pay_channel import (
    LOST,
    MERCHANT,
    PLATFORM,
    PLATFORM_ID,
    SETTINGS,
    START_AT,
    CountingIds,
    Script,
    refusal,
    sign,
)

API_KEY = b"0123456789abcdef0123456789abcdef"
DAY_S = 86_400
NOW_S = START_AT // 1000
OLD = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NEW = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, serial: int, start_s: int, end_s: int
) -> bytes:
    """Return a certificate as the gateway makes them, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), serial)
        .not_valid_before(dt.datetime.fromtimestamp(start_s, dt.UTC))
        .not_valid_after(dt.datetime.fromtimestamp(end_s, dt.UTC))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def seal(plain: bytes, aad: str = "certificate", key: bytes = API_KEY) -> dict[str, str]:
    """Return what the gateway seals, as it writes it."""
    ciphertext = AESGCM(key).encrypt(b"nonce1234567", plain, aad.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "nonce": "nonce1234567",
        "associated_data": aad,
        "ciphertext": base64.b64encode(ciphertext).decode(),
    }


OLD_PEM = certificate(OLD, 0xAA01, NOW_S - 100 * DAY_S, NOW_S + 2 * DAY_S)
NEW_PEM = certificate(NEW, 0xBB02, NOW_S - DAY_S, NOW_S + 300 * DAY_S)


def offered(*pems: bytes, key: bytes = API_KEY) -> dict[str, object]:
    """Return an answer of /v3/certificates."""
    return {
        "data": [
            {
                "serial_no": f"{x509.load_pem_x509_certificate(pem).serial_number:X}",
                "effective_time": "2026-11-21T00:00:00+08:00",
                "expire_time": "2031-11-21T00:00:00+08:00",
                "encrypt_certificate": seal(pem, key=key),
            }
            for pem in pems
        ]
    }


def settings(folder: Path | None = None, **changed: object) -> WeChatPaySettings:
    base = replace(
        SETTINGS, verifiers={}, api_v3_key=API_KEY, fetch_certificates=True, certificate_dir=folder
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def signed_by(script: Script, key: rsa.RSAPrivateKey, serial: str) -> Script:
    script.signer = lambda body, now_s: sign(body, now_s, key, serial)
    return script


def gateway(script: Script, how: WeChatPaySettings) -> WeChatPayGateway:
    return WeChatPayGateway(how, script.clock, CountingIds(), script)


def test_the_first_fetch_believes_what_only_the_gateway_can_have_sealed() -> None:
    script = signed_by(Script(), OLD, "AA01").says(200, offered(OLD_PEM, NEW_PEM))
    port = gateway(script, settings())
    assert port.refresh_certificates() == ("AA01", "BB02")
    assert script.lines == ["GET /v3/certificates?algorithm_type=RSA"]
    ends = {report.serial: report.valid_to for report in port.key_reports()}
    assert ends == {"AA01": NOW_S + 2 * DAY_S, "BB02": NOW_S + 300 * DAY_S}
    script.says(200, {"echo_message": "x"})
    assert port.echo("x").serial == "AA01"
    assert script.asked[-1].headers["Wechatpay-Serial"] == "BB02"


def test_old_and_new_overlap_and_an_ended_one_is_no_longer_believed(tmp_path: Path) -> None:
    script = signed_by(Script(), OLD, "AA01").says(200, offered(OLD_PEM)).says(200, offered(OLD_PEM, NEW_PEM))
    port = gateway(script, settings(tmp_path))
    assert (port.refresh_certificates(), port.refresh_certificates()) == (("AA01",), ("BB02",))
    for key, serial in ((OLD, "AA01"), (NEW, "BB02")):
        signed_by(script, key, serial).says(200, {"echo_message": "x"})
        assert port.echo("x").serial == serial
    script.clock.wall_at += 3 * DAY_S * 1000
    signed_by(script, OLD, "AA01").says(200, {"echo_message": "x"})
    with pytest.raises(Unavailable, match="no key for Wechatpay-Serial 'AA01'"):
        port.echo("x")
    signed_by(script, NEW, "BB02").says(200, offered(NEW_PEM))
    assert port.refresh_certificates() == ()
    assert [path.name for path in tmp_path.iterdir()] == ["BB02.pem"]


def test_a_start_without_network_uses_what_was_kept(tmp_path: Path) -> None:
    script = signed_by(Script(), OLD, "AA01").says(200, offered(OLD_PEM))
    gateway(script, settings(tmp_path)).refresh_certificates()
    (tmp_path / "broken.pem").write_bytes(b"not one")
    (tmp_path / "huge.pem").write_bytes(OLD_PEM * 100)
    again = signed_by(Script(), OLD, "AA01").gives(LOST, LOST).says(200, {"echo_message": "x"})
    port = gateway(again, settings(tmp_path))
    with pytest.raises(Unavailable, match="the ones at hand stay in use"):
        port.refresh_certificates()
    assert port.echo("x").serial == "AA01"


def test_nothing_that_moves_money_is_sent_while_no_answer_could_be_believed() -> None:
    script = Script()
    port = gateway(script, settings())
    with pytest.raises(Unavailable, match="no platform certificate is known yet, so payment T-0001"):
        port.pay_by_code(CodePayment("T-0001", 1250, "可乐", "134567890123456789", "till-1"))
    with pytest.raises(Unavailable, match="so refund R-0001 was not sent"):
        port.refund(RefundRequest("T-0001", "R-0001", 1, 1))
    assert script.asked == []


def test_public_key_and_certificates_are_believed_side_by_side() -> None:
    both = settings(verifiers={PLATFORM_ID: PLATFORM.public_key()})
    script = Script().says(200, offered(OLD_PEM)).says(200, {"echo_message": "x"})
    port = gateway(script, both)
    assert port.refresh_certificates() == ("AA01",)
    assert port.echo("x").serial == PLATFORM_ID
    signed_by(script, OLD, "AA01").says(200, {"echo_message": "x"})
    assert port.echo("x").serial == "AA01"
    assert {request.headers["Wechatpay-Serial"] for request in script.asked} == {PLATFORM_ID}
    assert port.key_reports()[1] == KeyReport(PLATFORM_ID, None)


def broken_answers() -> list[Script]:
    wrong_serial = offered(OLD_PEM)
    wrong_serial["data"][0]["serial_no"] = "CC03"  # type: ignore[index]
    stranger = offered(OLD_PEM, key=b"f" * 32)
    return [
        signed_by(Script(), OLD, "AA01").says(200, stranger),
        signed_by(Script(), NEW, "AA01").says(200, offered(OLD_PEM)),
        signed_by(Script(), OLD, "CC03").says(200, offered(OLD_PEM)),
        signed_by(Script(), OLD, "AA01").says(200, wrong_serial),
        signed_by(Script(), OLD, "AA01").says(200, {"data": 1}),
        signed_by(Script(), OLD, "AA01").says(200, {"data": [{"serial_no": "AA01"}]}),
        signed_by(Script(), OLD, "AA01").says(404, refusal("RESOURCE_NOT_EXISTS")),
        Script().gives(LOST, LOST),
    ]


@pytest.mark.parametrize("script", broken_answers())
def test_nothing_is_taken_in_from_an_answer_that_is_not_wholly_right(script: Script, tmp_path: Path) -> None:
    port = gateway(script, settings(tmp_path / "kept"))
    with pytest.raises(Unavailable, match="no certificates came"):
        port.refresh_certificates()
    assert port.key_reports() == ()


def test_other_kinds_of_keys_are_left_aside() -> None:
    sm2 = certificate(ec.generate_private_key(ec.SECP256R1()), 0xCC03, NOW_S, NOW_S + DAY_S)
    script = signed_by(Script(), OLD, "AA01").says(200, offered(OLD_PEM, sm2))
    assert gateway(script, settings()).refresh_certificates() == ("AA01",)


def test_a_full_disk_does_not_stop_the_keys_from_being_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept").write_bytes(b"a file where a folder should be")
    script = signed_by(Script(), OLD, "AA01").says(200, offered(OLD_PEM))
    port = gateway(script, settings(tmp_path / "kept"))
    assert port.refresh_certificates() == ("AA01",)
    assert "used from memory" in caplog.text


def test_settings_for_certificates_need_the_key_that_opens_them() -> None:
    with pytest.raises(Invalid, match="needs the APIv3 key"):
        replace(SETTINGS, fetch_certificates=True)
    with pytest.raises(Invalid, match="32 bytes"):
        replace(SETTINGS, api_v3_key=b"short")
    assert "0123456789abcdef" not in repr(settings())


def test_the_end_of_a_certificate_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "apiclient_cert.pem"
    path.write_bytes(OLD_PEM)
    assert certificate_end(path) == NOW_S + 2 * DAY_S
    path.write_bytes(json.dumps({}).encode())
    with pytest.raises(Invalid, match=r"apiclient_cert\.pem cannot be read as a certificate"):
        certificate_end(path)
    with pytest.raises(Invalid, match=r"nothing\.pem"):
        certificate_end(tmp_path / "nothing.pem")


def test_personal_fields_open_with_the_other_sides_key_alone() -> None:
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)
    hidden = encrypt_field(PLATFORM.public_key(), "张三")
    assert PLATFORM.decrypt(base64.b64decode(hidden), padding).decode() == "张三"
    theirs = base64.b64encode(MERCHANT.public_key().encrypt("李四".encode(), padding)).decode()
    assert decrypt_field(MERCHANT, theirs) == "李四"
    for wrong in (hidden, "", "%%", theirs[:-4]):
        with pytest.raises(Unsealable):
            decrypt_field(MERCHANT, wrong)
    assert len(base64.b64decode(encrypt_field(PLATFORM.public_key(), "x" * 214))) == 256
    with pytest.raises(Invalid, match="214 are possible"):
        encrypt_field(PLATFORM.public_key(), "x" * 215)
