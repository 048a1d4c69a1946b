"""The simulated gateway is as strict as the documents say, and its phones and switches work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from edge.gateways.wechat_pay.signing import authorization, verify
from sim.gateway import Credentials, GatewayServer, make_credentials
from sim.gateway.control import barcode_svg, qr_svg
from sim.gateway.credentials import read_key
from tests.contract.test_gateway import digits, settings_for
from tests.integration.test_wechat_pay_faults import START_AT, HandClock

CODEPAY = "/v3/pay/transactions/codepay"


class Merchant:
    """Sends whatever it is told to, correctly signed unless told otherwise."""

    def __init__(self, server: GatewayServer, clock: HandClock, key: RSAPrivateKey) -> None:
        self.server = server
        self.clock = clock
        self.key = key
        self.http = httpx.Client(base_url=server.url, trust_env=False)
        self._count = 0

    def order(self, code: str, **changed: object) -> dict[str, object]:
        who = self.server.credentials
        return {
            "appid": who.appid,
            "mchid": who.mchid,
            "description": "sundries",
            "out_trade_no": "T-0001",
            "payer": {"auth_code": code},
            "amount": {"total": 1250, "currency": "CNY"},
            "scene_info": {"store_info": {"id": "1"}},
        } | changed

    def post(
        self, target: str, value: object, nonce: str = "", serial: str = "", late_s: int = 0
    ) -> httpx.Response:
        self._count += 1
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        header = authorization(
            self.key,
            mchid=self.server.credentials.mchid,
            serial=serial or self.server.credentials.merchant_serial,
            method="POST",
            target=target,
            body=body,
            timestamp_s=self.clock.wall_at // 1000 - late_s,
            nonce=nonce or f"n{self._count}",
        )
        return self.http.post(target, content=body, headers={"Authorization": header})


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("keys"), digits)


@pytest.fixture(scope="module")
def key(credentials: Credentials) -> RSAPrivateKey:
    return read_key(credentials.merchant_key)


@pytest.fixture
def merchant(credentials: Credentials, key: RSAPrivateKey) -> Iterator[Merchant]:
    clock = HandClock()
    with GatewayServer(credentials, lambda: clock.wall_at, digits) as server:
        merchant = Merchant(server, clock, key)
        yield merchant
        merchant.http.close()


def code_of(merchant: Merchant, balance_fen: int = 100_000) -> str:
    wallet = merchant.http.post("/sim/wallets", json={"name": "小林", "balance_fen": balance_fen}).json()
    return str(merchant.http.post(f"/sim/wallets/{wallet['wallet_id']}/code", json={}).json()["code"])


def test_every_answer_is_signed_also_a_refusal(merchant: Merchant) -> None:
    verifiers = settings_for(merchant.server.credentials, merchant.server.url).verifiers
    for answer in (merchant.post(CODEPAY, {}), merchant.post(CODEPAY, merchant.order(code_of(merchant)))):
        verify(answer.headers, answer.content, verifiers, START_AT // 1000)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("changed", "field", "number"),
    [
        ({"notify_url": "https://example.com/"}, "/notify_url", "270924358"),
        ({"payer": {"auth_code": "13456789012345678"}}, "/payer/auth_code", "268435464"),
        ({"payer": {"auth_code": "134567890123456789", "openid": "o"}}, "/payer/openid", "270924358"),
        ({"payer": "o"}, "/payer", "268435461"),
        ({"amount": {"total": 0}}, "/amount/total", "268435464"),
        ({"amount": {"total": "1250"}}, "/amount/total", "268435461"),
        ({"amount": {"total": True}}, "/amount/total", "268435461"),
        ({"scene_info": {}}, "/scene_info/store_info", "268435461"),
        ({"out_trade_no": "T-1"}, "/out_trade_no", "268435464"),
        ({"description": ""}, "/description", "268435464"),
        ({"mchid": "1900000110"}, "/mchid", "268447843"),
    ],
)
def test_a_request_beyond_the_documents_is_a_parameter_error_that_names_the_field(
    merchant: Merchant, changed: dict[str, object], field: str, number: str
) -> None:
    answer = merchant.post(CODEPAY, merchant.order(code_of(merchant), **changed))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_ERROR")
    assert answer.json()["detail"]["field"] == field
    assert answer.headers["Request-ID"].endswith(f"-{number}")
    assert merchant.server.books.ledger() == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_a_parameter_error(merchant: Merchant, body: bytes) -> None:
    assert merchant.post(CODEPAY, body).json()["code"] == "PARAM_ERROR"


def test_unsigned_foreign_and_replayed_requests_get_401_without_a_signature(merchant: Merchant) -> None:
    order = merchant.order(code_of(merchant))
    merchant.post(CODEPAY, {}, nonce="once")
    refused = [
        merchant.http.post(CODEPAY, json=order),
        merchant.http.post(CODEPAY, json=order, headers={"Authorization": "WECHATPAY2-SHA256-RSA2048 x"}),
        merchant.post(CODEPAY, order, serial="7777"),
        merchant.post(CODEPAY, order, nonce="once"),
        merchant.post(CODEPAY, order, nonce="n" * 33),
        merchant.post(CODEPAY, order, late_s=-301),
        merchant.post(CODEPAY, order, late_s=301),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
        assert "Wechatpay-Signature" not in answer.headers
    assert merchant.server.books.ledger() == ()


def test_payment_codes_are_18_digits_shown_until_used_or_a_minute_old(merchant: Merchant) -> None:
    first = code_of(merchant)
    assert re.fullmatch(r"1[0-5]\d{16}", first)
    show = lambda: str(merchant.http.post("/sim/wallets/w1/code", json={}).json()["code"])  # noqa: E731
    assert show() == first
    merchant.post(CODEPAY, merchant.order(first))
    second = show()
    assert second != first
    merchant.clock.wall_at += 59_999
    assert show() == second
    merchant.clock.wall_at += 1
    assert show() != second


def test_the_same_number_again_with_other_parameters_is_refused(merchant: Merchant) -> None:
    order = merchant.order(code_of(merchant))
    merchant.post(CODEPAY, order)
    paid = merchant.post(CODEPAY, order)
    assert (paid.json()["code"], paid.headers["Request-ID"][-9:]) == ("ORDER_PAID", "268449538")
    other = merchant.post(CODEPAY, order | {"description": "other"})
    assert (other.json()["code"], other.headers["Request-ID"][-9:]) == ("INVALID_REQUEST", "268498688")
    assert merchant.http.get("/sim/ledger").json()["total_fen"] == 1250


def test_the_phone_asks_for_a_password_and_pays_or_not_as_told(merchant: Merchant) -> None:
    code = code_of(merchant, balance_fen=300_000)
    merchant.http.post("/sim/wallets/w1", json={"habit": "waits"})
    merchant.post(CODEPAY, merchant.order(code, amount={"total": 150_000}))
    merchant.clock.wall_at += 3_600_000
    state = merchant.http.get("/sim/phone/w1/state").json()
    assert [order["state"] for order in state["orders"]] == ["USERPAYING"]
    press = lambda action: merchant.http.post("/sim/orders/T-0001/password", json={"action": action})  # noqa: E731
    assert press("wrong").json()["wrong_passwords"] == 1
    assert press("types").json()["state"] == "SUCCESS"
    assert press("cancels").status_code == 400
    assert merchant.http.get("/sim/phone/w1/state").json()["wallet"]["balance_fen"] == 150_000


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("POST", "/sim/wallets", b"{", "Expecting"),
        ("POST", "/sim/wallets", b"[]", "JSON object"),
        ("POST", "/sim/wallets", b'{"name":"x"}', "balance_fen must be a whole number"),
        ("POST", "/sim/wallets", b'{"name":"","balance_fen":1}', "name must be"),
        ("POST", "/sim/wallets", b'{"name":"x","balance_fen":-1}', "must not be negative"),
        ("POST", "/sim/wallets", b'{"name":"x","balance_fen":1,"habit":"x"}', "habit must be one of types"),
        ("POST", "/sim/wallets/w9", b'{"balance_fen":1}', "there is no w9"),
        ("GET", "/sim/phone/w9", b"", "there is no w9"),
        ("GET", "/sim/phone/w9/state", b"", "there is no w9"),
        ("POST", "/sim/orders/T-0009/password", b'{"action":"types"}', "订单不存在"),
        ("POST", "/sim/faults", b'{"call":"x","fault":"cut"}', "call must be one of codepay"),
        ("POST", "/sim/faults", b'{"call":"query","fault":"x"}', "fault must be one of"),
        ("POST", "/sim/faults", b'{"call":"query","fault":"cut","times":1001}', "1000 faults at most"),
        ("POST", "/sim/faults", b'{"call":"query","fault":"delay_after","delay_ms":-1}', "delay_ms must be"),
        ("POST", "/sim/settings", b'{"pending_as_error":1}', "must be true or false"),
        ("POST", "/sim/settings", b'{"sign_with":"x"}', "sign_with must be one of"),
        ("GET", "/sim/nothing", b"", "GET / lists the phones"),
        ("DELETE", "/sim/wallets", b"", "GET / lists the phones"),
    ],
)
def test_the_switches_explain_what_they_cannot_use(
    merchant: Merchant, method: str, path: str, body: bytes, says: str
) -> None:
    answer = merchant.http.request(method, path, content=body)
    assert answer.status_code in (400, 404)
    assert says in answer.json()["error"]


def test_faults_and_settings_are_switched_and_read_back(merchant: Merchant) -> None:
    planned = merchant.http.post("/sim/faults", json={"call": "query", "fault": "cut", "times": 2}).json()
    assert [fault["fault"] for fault in planned["waiting"]] == ["cut", "cut"]
    assert merchant.http.delete("/sim/faults").json()["waiting"] == []
    wanted = {"pending_as_error": True, "reverse_refused_while_paying": True, "sign_with": "certificate"}
    merchant.http.post("/sim/settings", json=wanted)
    assert merchant.http.get("/sim/settings").json() == wanted


def test_pages_are_served_and_oversized_bodies_are_not_read(merchant: Merchant) -> None:
    code_of(merchant)
    for path in ("/", "/sim/phone/w1"):
        page = merchant.http.get(path)
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "付款码" in page.text or "手机" in page.text
    assert merchant.http.post("/sim/wallets", content=b"x" * 65_537).status_code == 413


def picture(svg: str) -> np.ndarray:
    """Draw the horizontal strokes and bars of the two kinds of svg that the phone shows."""
    width, height = (int(part) for part in re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
    image = np.full((height, width), 255, np.uint8)
    for x, y, run, deep in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\d+Z", svg):
        image[int(y) : int(y) + int(deep), int(x) : int(x) + int(run)] = 0
    return np.kron(image, np.ones((4, 4), np.uint8))


def test_the_barcode_on_the_phone_is_readable_by_a_scanner() -> None:
    read = zxingcpp.read_barcodes(picture(barcode_svg("134567890123456789")))
    assert [result.text for result in read] == ["134567890123456789"]


def test_the_qr_code_on_the_phone_is_a_drawing_of_that_code() -> None:
    assert qr_svg("134567890123456789") != qr_svg("134567890123456780")
    assert qr_svg("134567890123456789").startswith("<svg")
