"""What a call's answer is worth: verified, refused, unsure. With a small gateway that signs its answers."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from edge.clock import Instant
from edge.errors import EdgeError, OutcomeUnknown, Unavailable
from edge.gateways.wechat_pay.channel import Channel, Refused
from edge.gateways.wechat_pay.settings import WeChatPaySettings
from edge.gateways.wechat_pay.wire import Wire

MERCHANT = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PLATFORM = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PLATFORM_ID = "PUB_KEY_ID_1"
SETTINGS = WeChatPaySettings(
    appid="wx1",
    mchid="190",
    merchant_serial="AB12",
    private_key=MERCHANT,
    verifiers={PLATFORM_ID: PLATFORM.public_key()},
    store_id="1",
    notify_url="https://hq.example.com/notify/wechat",
)
START_AT = 1_795_000_000_000
Step = httpx.Response | httpx.HTTPError


class HandClock:
    """A clock that moves only by hand."""

    def __init__(self) -> None:
        self.wall_at = START_AT

    def now(self) -> Instant:
        return Instant(self.wall_at, "boot-1", self.wall_at * 1_000_000, True)


class CountingIds:
    """Ids in the order of asking."""

    def __init__(self) -> None:
        self._count = 0

    def new_id(self) -> str:
        self._count += 1
        return f"00000000-0000-7000-8000-{self._count:012d}"

    def new_token(self) -> str:
        return self.new_id()


def sign(
    body: bytes, now_s: int, key: rsa.RSAPrivateKey = PLATFORM, serial: str = PLATFORM_ID
) -> dict[str, str]:
    """Return the headers with which the gateway would send `body`."""
    message = f"{now_s}\nnonce1\n".encode() + body + b"\n"
    return {
        "Wechatpay-Timestamp": str(now_s),
        "Wechatpay-Nonce": "nonce1",
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": base64.b64encode(key.sign(message, padding.PKCS1v15(), SHA256())).decode(),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }


class Script(httpx.BaseTransport):
    """A gateway that answers in the order it was told to and keeps what it was asked.

    The signer defaults to the platform's public-key mode.
    """

    def __init__(self) -> None:
        self.clock = HandClock()
        self.asked: list[httpx.Request] = []
        self.signer: Callable[[bytes, int], Mapping[str, str]] = sign
        self._steps: deque[Step | Callable[[httpx.Request], httpx.Response]] = deque()

    def says(self, status: int, value: object = None, number: str = "0") -> Script:
        """Queue a signed answer."""
        body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()

        def step(_: httpx.Request) -> httpx.Response:
            headers = {**self.signer(body, self.clock.wall_at // 1000), "Request-ID": f"0A1B-{number}"}
            return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

        self._steps.append(step)
        return self

    def gives(self, *steps: Step) -> Script:
        """Queue unsigned answers or failures."""
        self._steps.extend(steps)
        return self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        step = self._steps.popleft()
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else step(request)

    @property
    def bodies(self) -> list[dict[str, object]]:
        """The JSON bodies that came, {} for those without."""
        return [json.loads(request.content or b"{}") for request in self.asked]

    @property
    def lines(self) -> list[str]:
        """Method and target of each request."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.asked]

    def wire(self, settings: WeChatPaySettings = SETTINGS) -> Wire:
        """Return a wire that ends here."""
        return Wire(settings, self.clock, CountingIds(), self)

    def channel(self, settings: WeChatPaySettings = SETTINGS) -> Channel:
        """Return a channel that ends here."""
        return Channel(settings, self.wire(settings))

    @property
    def is_used_up(self) -> bool:
        """Whether every step was asked for."""
        return not self._steps


def refusal(code: str, message: str = "") -> dict[str, str]:
    return {"code": code, "message": message}


def act(script: Script) -> object:
    channel = script.channel()
    return channel.act(channel.post("thing", "N-1", "/v3/thing", {"a": 1}))


def ask(script: Script) -> object:
    channel = script.channel()
    return channel.ask(channel.get("thing", "N-1", "/v3/thing", {"plate": "粤B|8"}))


def bare(status: int, value: object) -> httpx.Response:
    """An answer that nobody signed."""
    return httpx.Response(status, stream=httpx.ByteStream(json.dumps(value).encode()))


def unsigned(status: int, code: str) -> httpx.Response:
    """A refusal that nobody signed."""
    return bare(status, refusal(code))


LOST = httpx.ReadTimeout("slow")
REFUSED = httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        ([REFUSED, REFUSED], Unavailable),
        ([LOST, REFUSED], OutcomeUnknown),
        ([REFUSED, LOST], OutcomeUnknown),
        ([LOST, LOST], OutcomeUnknown),
        ([unsigned(401, "SIGN_ERROR")], Unavailable),
        ([LOST, unsigned(401, "SIGN_ERROR")], OutcomeUnknown),
        ([unsigned(400, "PARAM_ERROR")], OutcomeUnknown),
        ([unsigned(429, "FREQUENCY_LIMITED")], OutcomeUnknown),
        ([unsigned(500, "SYSTEM_ERROR"), unsigned(500, "SYSTEM_ERROR")], OutcomeUnknown),
        ([unsigned(500, "SYSTEM_ERROR"), REFUSED], OutcomeUnknown),
    ],
)
def test_what_may_have_been_taken_in_is_never_called_unavailable(
    steps: list[Step], outcome: type[EdgeError]
) -> None:
    script = Script().gives(*steps)
    with pytest.raises(outcome, match="N-1"):
        act(script)
    assert script.is_used_up


def test_a_verified_refusal_is_refused_and_says_why() -> None:
    with pytest.raises(Refused, match="PARAM_ERROR 268435461") as caught:
        act(Script().says(400, refusal("PARAM_ERROR"), "268435461"))
    assert caught.value.error.number == "268435461"


@pytest.mark.parametrize("status", [200, 500])
def test_verified_server_errors_leave_an_act_unsure_and_a_question_unavailable(status: int) -> None:
    wrong = refusal("SYSTEM_ERROR")
    with pytest.raises(OutcomeUnknown):
        act(Script().says(500, wrong).says(500, wrong))
    with pytest.raises(Unavailable):
        ask(Script().says(500, wrong).says(500, wrong))


def test_verified_throttling_was_surely_not_taken_in_unless_the_first_try_was() -> None:
    with pytest.raises(Unavailable):
        act(Script().says(429, refusal("FREQUENCY_LIMITED")))
    with pytest.raises(OutcomeUnknown):
        act(Script().gives(LOST).says(429, refusal("FREQUENCY_LIMITED")))
    with pytest.raises(Unavailable):
        ask(Script().says(429, refusal("FREQUENCY_LIMITED")))


@pytest.mark.parametrize("body", ["[]", "", "{"])
def test_verified_nonsense_is_of_no_use(body: str) -> None:
    def nonsense() -> Script:
        script = Script()
        raw = body.encode()
        headers = sign(raw, script.clock.wall_at // 1000)
        return script.gives(httpx.Response(200, headers=headers, stream=httpx.ByteStream(raw)))

    with pytest.raises(OutcomeUnknown):
        act(nonsense())
    with pytest.raises(Unavailable, match="of no use"):
        ask(nonsense())


def test_the_backup_answers_when_the_first_domain_does_not() -> None:
    script = Script().gives(LOST).says(204)
    act(script)
    assert [request.url.host for request in script.asked] == [
        "api.mch.weixin.qq.com",
        "api2.mch.weixin.qq.com",
    ]
    assert script.bodies == [{"a": 1}, {"a": 1}]


def test_queries_are_percent_encoded_before_they_are_signed() -> None:
    script = Script().says(200, {})
    ask(script)
    assert script.lines == ["GET /v3/thing?plate=%E7%B2%A4B%7C8"]


def test_bodies_are_in_no_repr() -> None:
    channel = Script().channel()
    assert "secret" not in repr(channel.post("thing", "N-1", "/v3/thing", {"a": "secret"}))
    assert "PRIVATE" not in repr(replace(SETTINGS, store_id="2"))
