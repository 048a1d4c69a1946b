"""The simulated gateway takes what is signed to the letter, and signs whatever it says."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1

from sim.gateway import Credentials, make_credentials
from tests.integration.sim_gateway_rig import Answer, Rig, digits, open_rig

ECHO = "/v3/security/echo"
OAEP = padding.OAEP(padding.MGF1(SHA1()), SHA1(), None)


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture
def rig(credentials: Credentials) -> Iterator[Rig]:
    with open_rig(credentials) as rig:
        yield rig


def tokened(rig: Rig, target: str = ECHO, sent: str = "", body: bytes = b"", **changed: str) -> Answer:
    """Echo with a token that was made for `target`, sent to `sent`."""
    body = body or b'{"echo_message":"hello"}'
    return rig.raw(
        "POST", sent or target, body, {"Authorization": rig.token("POST", target, body, **changed)}
    )


def test_the_token_is_read_by_name_in_any_order(rig: Rig) -> None:
    body = b'{"echo_message":"hello"}'
    scheme, _, parts = rig.token("POST", ECHO, body).partition(" ")
    turned = f"{scheme} " + ",".join(reversed(parts.split(",")))
    assert rig.raw("POST", ECHO, body, {"Authorization": turned}).json() == {"echo_message": "hello"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"signature": "AAAA"}, "验签失败"),
        ({"mchid": "1900000999"}, "商户号"),
        ({"serial_no": "7777"}, "序列号"),
        ({"nonce_str": "other"}, "签名验证失败"),
        ({"timestamp": "1"}, "5分钟"),
        ({"timestamp": "x"}, "格式"),
    ],
)
def test_a_wrong_part_of_the_token_is_401_sign_error_without_a_signature(
    rig: Rig, changed: dict[str, str], says: str
) -> None:
    answer = tokened(rig, **changed)
    assert (answer.error, answer.signed) == ((401, "SIGN_ERROR", "268443699"), False)
    assert says in answer.json()["message"]


@pytest.mark.parametrize(("late_s", "status"), [(300, 200), (301, 401), (-300, 200), (-301, 401)])
def test_the_window_is_five_minutes_both_ways(rig: Rig, late_s: int, status: int) -> None:
    assert tokened(rig, stamp=str(rig.clock.at // 1000 - late_s)).status == status


def test_a_nonce_is_taken_once_and_not_used_up_by_a_forgery(rig: Rig) -> None:
    assert tokened(rig, nonce="once", signature="AAAA").status == 401
    assert tokened(rig, nonce="once").status == 200
    assert tokened(rig, nonce="once").status == 401


def test_the_signature_is_over_the_target_as_it_was_sent(rig: Rig) -> None:
    plain, encoded = "/v3/certificates?algorithm_type=RSA", "/v3/certificates?algorithm_type=%52SA"
    for signed, sent, status in ((plain, encoded, 401), (encoded, plain, 401), (encoded, encoded, 200)):
        token = rig.token("GET", signed, b"")
        assert rig.raw("GET", sent, b"", {"Authorization": token}).status == status


def test_a_doubled_slash_is_another_target(rig: Rig) -> None:
    token = rig.token("POST", ECHO, b"{}")
    answer = rig.raw("POST", "/" + ECHO, b"{}", {"Authorization": token})
    assert answer.error == (404, "RESOURCE_NOT_EXISTS", "0")


def test_the_signature_is_over_the_body_as_it_was_sent(rig: Rig) -> None:
    token = rig.token("POST", ECHO, b'{"echo_message":"hello"}')
    answer = rig.raw("POST", ECHO, b'{"echo_message": "hello"}', {"Authorization": token})
    assert answer.status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.mch.weixin.qq.com", 200),
        ("api2.mch.weixin.qq.com", 200),
        ("localhost:1", 200),
        ("evil.example.com", 404),
        ("10.0.0.1", 404),
    ],
)
def test_a_request_for_another_host_is_refused(rig: Rig, host: str, status: int) -> None:
    body = b'{"echo_message":"x"}'
    answer = rig.raw("POST", ECHO, body, {"Authorization": rig.token("POST", ECHO, body), "Host": host})
    assert (answer.status, answer.signed) == (status, status == 200)


@pytest.mark.parametrize(
    ("method", "target", "value", "field", "number"),
    [
        ("POST", ECHO, {"echo_message": "x", "extra": 1}, "/extra", "270924358"),
        ("POST", ECHO, {}, "/echo_message", "268435461"),
        ("POST", ECHO, b"[]", "/", "268435461"),
        ("GET", "/v3/certificates?algorithm_type=MD5", None, "algorithm_type", "268435464"),
        ("GET", "/v3/certificates?x=1", None, "x", "270924358"),
        (
            "GET",
            "/v3/certificates?algorithm_type=RSA&algorithm_type=RSA",
            None,
            "algorithm_type",
            "268435461",
        ),
        ("GET", "/v3/certificates", {}, "/", "268435461"),
    ],
)
def test_what_a_call_does_not_know_is_param_error_with_field_and_number(
    rig: Rig, method: str, target: str, value: object, field: str, number: str
) -> None:
    answer = rig.call(method, target, value)
    assert answer.error == (400, "PARAM_ERROR", number)
    assert answer.json()["detail"]["field"] == field


def test_an_unknown_call_is_404_and_signed(rig: Rig) -> None:
    assert rig.get("/v3/nothing").error == (404, "RESOURCE_NOT_EXISTS", "0")


def test_the_merchant_in_the_body_has_to_be_the_one_that_signed(rig: Rig) -> None:
    answer = rig.post("/v3/pay/transactions/native", rig.order("T-000001", mchid="1900000999"))
    assert answer.error == (400, "PARAM_ERROR", "268447843")
    answer = rig.post("/v3/pay/transactions/native", rig.order("T-000001", appid="wxother"))
    assert answer.error == (400, "APPID_MCHID_NOT_MATCH", "268445527")


@pytest.mark.parametrize(
    ("mode", "asked", "prefix"),
    [
        ("public_key", "", "PUB_KEY_ID_"),
        ("certificate", "", "7"),
        ("certificate", "PUB_KEY_ID_1", "7"),
        ("both", "", "7"),
        ("both", "PUB_KEY_ID_1", "PUB_KEY_ID_"),
    ],
)
def test_answers_are_signed_by_the_key_of_the_mode(rig: Rig, mode: str, asked: str, prefix: str) -> None:
    rig.switch("/sim/settings", {"sign_with": mode})
    headers = {"Wechatpay_Serial": asked} if asked else {}
    serial = rig.post(ECHO, {"echo_message": "x"}, **headers).headers["wechatpay-serial"]
    known = {"PUB_KEY_ID_": rig.who.public_key_id, "7": rig.who.platform_serial}
    assert serial == known[prefix]


def certificates_of(rig: Rig) -> dict[str, x509.Certificate]:
    found = {}
    for one in rig.get("/v3/certificates?algorithm_type=ALL").json()["data"]:
        sealed = one["encrypt_certificate"]
        assert sealed["algorithm"] == "AEAD_AES_256_GCM"
        pem = AESGCM(rig.who.apiv3_key.encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        found[one["serial_no"]] = x509.load_pem_x509_certificate(pem)
    return found


def test_certificates_come_encrypted_with_the_apiv3_key(rig: Rig) -> None:
    found = certificates_of(rig)
    assert list(found) == [rig.who.platform_serial]
    assert found[rig.who.platform_serial].public_key() == rig.platform_key(rig.who.platform_serial)
    assert rig.get("/v3/certificates?algorithm_type=SM2").json() == {"data": []}


@pytest.mark.parametrize("mode", ["public_key", "certificate"])
def test_a_new_key_signs_from_now_on_and_after_a_restart(tmp_path: Path, mode: str) -> None:
    made = make_credentials(tmp_path / "keys", digits)
    with open_rig(made) as rig:
        rig.switch("/sim/settings", {"sign_with": mode})
        first = rig.post(ECHO, {"echo_message": "x"}).headers["wechatpay-serial"]
        second = rig.switch("/sim/keys", {"rotate": mode})["serial"]
        assert second != first
        assert rig.post(ECHO, {"echo_message": "x"}).headers["wechatpay-serial"] == second
        if mode == "certificate":
            assert list(certificates_of(rig)) == [first, second]
    with open_rig(make_credentials(tmp_path / "keys", digits)) as again:
        again.switch("/sim/settings", {"sign_with": mode})
        assert again.post(ECHO, {"echo_message": "x"}).headers["wechatpay-serial"] == second


@pytest.mark.parametrize("serial", ["public_key_id", "platform_serial"])
def test_echo_decrypts_what_was_encrypted_for_it_and_encrypts_for_the_merchant(rig: Rig, serial: str) -> None:
    named = str(getattr(rig.who, serial))
    secret = base64.b64encode(rig.platform_key(named).encrypt("你好".encode(), OAEP)).decode()
    told = {"echo_message": "x", "encrypted_echo_message": secret}
    answer = rig.post(ECHO, told, Wechatpay_Serial=named).json()
    plain = rig.key.decrypt(base64.b64decode(answer["encrypted_echo_message"]), OAEP).decode()
    assert (answer["echo_message"], plain) == ("x", "你好")
    assert rig.post(ECHO, told).error == (400, "PARAM_ERROR", "268435461")


def test_another_certificate_of_the_same_merchant_signs_too(rig: Rig, tmp_path: Path) -> None:
    other = make_credentials(tmp_path, digits, rig.who.appid, rig.who.mchid)
    body = b'{"echo_message":"x"}'
    stranger = Rig(rig.server, rig.clock, other)
    assert (
        stranger.raw("POST", ECHO, body, {"Authorization": stranger.token("POST", ECHO, body)}).status == 401
    )
    pem = other.merchant_cert.read_text("ascii")
    rig.switch("/sim/merchants", {"mchid": rig.who.mchid, "certificate": pem})
    sent = {"Authorization": stranger.token("POST", ECHO, body)}
    assert rig.raw("POST", ECHO, body, sent).status == 200


def test_apiv3_key_is_32_bytes_and_written_for_folders_of_before(tmp_path: Path) -> None:
    made = make_credentials(tmp_path, digits)
    assert len(made.apiv3_key.encode()) == 32
    assert made.apiv3_key_file.stat().st_mode & 0o077 == 0
    made.apiv3_key_file.unlink()
    assert len(make_credentials(tmp_path, digits).apiv3_key) == 32


def test_request_ids_are_on_every_answer(rig: Rig) -> None:
    seen = {rig.get("/v3/nothing").headers["request-id"], tokened(rig, mchid="1").headers["request-id"]}
    assert len(seen) == 2
    assert all(one.rpartition("-")[2].isdigit() for one in seen)
