"""The wire's own rules: what is sent, what ends a call, what strangers on the way can and cannot cause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from edge.errors import OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.client import WeChatPayGateway
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.services.payment_ports import CodePayment
from tests.unit.test_wechat_pay_channel import CountingIds, HandClock

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PAYMENT = CodePayment("T-0001", 1250, "可乐", "134567890123456789", "till-1")
SETTINGS = WeChatPaySettings(
    appid="wx1",
    mchid="190",
    merchant_serial="AB12",
    private_key=KEY,
    verifiers={"7777": KEY.public_key(), "PUB_KEY_ID_1": KEY.public_key()},
    store_id="1",
    backup_url="",
)

Answer = Callable[[httpx.Request], httpx.Response]


class Drip(httpx.SyncByteStream):
    """A body of which one byte comes every five seconds, for ever."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.clock.wall_at += 5_000
            yield b" "


def gateway(answer: Answer, clock: HandClock | None = None, backup_url: str = "") -> WeChatPayGateway:
    def unread(request: httpx.Request) -> httpx.Response:
        response = answer(request)
        if not response.is_stream_consumed:
            return response
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(response.content)
        )

    settings = replace(SETTINGS, backup_url=backup_url)
    return WeChatPayGateway(settings, clock or HandClock(), CountingIds(), httpx.MockTransport(unread))


def test_a_request_carries_what_the_gateway_demands_and_nothing_of_the_environment() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(500)

    with pytest.raises(OutcomeUnknown):
        gateway(answer).pay_by_code(PAYMENT)
    with pytest.raises(Unavailable):
        gateway(answer).query("T-000*")
    charge, question = seen
    assert charge.url == "https://api.mch.weixin.qq.com/v3/pay/transactions/codepay"
    assert charge.headers["Content-Type"] == "application/json"
    assert question.url.raw_path == b"/v3/pay/transactions/out-trade-no/T-000*?mchid=190"
    assert "Content-Type" not in question.headers
    for request in seen:
        assert request.headers["Accept"] == "application/json"
        assert request.headers["User-Agent"] == "mall-edge"
        assert request.headers["Accept-Encoding"] == "identity"
        assert request.headers["Wechatpay-Serial"] == "PUB_KEY_ID_1"
        assert request.headers["Authorization"].startswith("WECHATPAY2-SHA256-RSA2048 mchid=")


@pytest.mark.parametrize(
    "strange",
    [
        httpx.Response(200, html="<h1>Welcome to Mall-WiFi, please log in</h1>"),
        httpx.Response(302, headers={"Location": "https://example.com/"}),
        httpx.Response(502, html="<h1>Bad Gateway</h1>"),
        httpx.Response(204),
        httpx.Response(200, json={"trade_state": "SUCCESS", "out_trade_no": "T-0001", "mchid": "190"}),
        httpx.Response(400, json={"code": "AUTH_CODE_INVALID"}),
        httpx.Response(403, json={"code": "SIGN_ERROR"}),
        httpx.Response(429, json={"code": "FREQUENCY_LIMITED"}),
        httpx.Response(404, json={"code": "ORDER_NOT_EXIST"}),
    ],
)
def test_a_stranger_on_the_way_can_only_make_it_unknown(
    strange: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = gateway(lambda _: strange)
    caplog.set_level(logging.INFO)
    with pytest.raises(OutcomeUnknown, match="T-0001"):
        stranger.pay_by_code(PAYMENT)
    with pytest.raises(Unavailable, match="T-0001"):
        stranger.query("T-0001")
    with pytest.raises(Unavailable, match="T-0001"):
        stranger.reverse("T-0001")
    assert caplog.text.count("NOT VERIFIED") == 3


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("refused"), Unavailable),
        (httpx.ConnectTimeout("slow"), Unavailable),
        (httpx.PoolTimeout("busy"), Unavailable),
        (httpx.WriteTimeout("slow"), OutcomeUnknown),
        (httpx.WriteError("reset"), OutcomeUnknown),
        (httpx.ReadTimeout("slow"), OutcomeUnknown),
        (httpx.ReadError("reset"), OutcomeUnknown),
        (httpx.RemoteProtocolError("hung up"), OutcomeUnknown),
        (httpx.ProxyError("?"), OutcomeUnknown),
    ],
)
def test_only_what_surely_was_not_sent_is_unavailable(
    error: httpx.HTTPError, outcome: type[Exception]
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(outcome) as failure:
        gateway(answer).pay_by_code(PAYMENT)
    assert failure.value.__cause__ is None
    with pytest.raises(Unavailable):
        gateway(answer).query("T-0001")


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    clock = HandClock()
    start_at = clock.wall_at
    with pytest.raises(OutcomeUnknown, match="ReadTimeout"):
        gateway(lambda _: httpx.Response(200, stream=Drip(clock)), clock).pay_by_code(PAYMENT)
    assert clock.wall_at - start_at <= 40_000


def test_nothing_is_started_after_the_deadline() -> None:
    clock = HandClock()
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        clock.wall_at += 24_000
        raise httpx.ReadTimeout("slow")

    with pytest.raises(Unavailable, match="no time left"):
        gateway(answer, clock, backup_url="https://api2.mch.weixin.qq.com").query("T-0001")
    assert asked == ["api.mch.weixin.qq.com"]
