"""What a box makes of relayed requests: which are served, how often, how many, and to whom it answers."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edge.errors import Invalid
from edge.hq.connection import Incoming, Saying
from edge.hq.relay_codec import (
    MAX_ANSWER_BODY,
    MAX_REQUEST_BODY,
    RelayedAnswer,
    RelayedRequest,
    decode_answer,
    decode_request,
    encode_answer,
    encode_request,
    is_public,
)
from edge.hq.requests import RequestDesk, call_app, make_environ
from edge.hq.topics import Topics
from edge.services.admit_request import Admission, AdmissionLimits, Verdict
from tests.unit.hq_samples import ORIGIN, ManualClock

REPLIES = "mall/demo-mall/edge/till-1/replies/v1"
SECOND_NS = 1_000_000_000


def request(method: str = "GET", target: str = "/phone/r/x", **given: Any) -> RelayedRequest:
    return RelayedRequest(method, target, "hq.example", **given)


def wire(**changes: Any) -> bytes:
    message = {"method": "GET", "target": "/phone/r/x", "host": "hq.example", "headers": [], "body": ""}
    return json.dumps(message | changes).encode()


def test_requests_and_answers_survive_the_wire() -> None:
    sent = RelayedRequest(
        "POST", "/phone/r/x/touch?a=%20b", "till-1.demo.hq.example:8443", (("Cookie", "a=b"),), b"\0\xff",
        "/b/demo-mall/till-1", True, "caller-0001",
    )  # fmt: skip
    assert decode_request(encode_request(sent)) == sent
    answer = RelayedAnswer(303, (("Location", "https://shop.example/"), ("Set-Cookie", "a=b")), b"\xff\0")
    assert decode_answer(encode_answer(answer)) == answer


def schema(name: str) -> Draft202012Validator:
    path = Path(__file__).parents[2] / f"docs/protocols/schemas/{name}.v1.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def test_the_schemas_describe_what_goes_over_the_wire() -> None:
    largest = request("POST", body=b"x" * MAX_REQUEST_BODY, headers=(("A", "b"),), prefix="/b/x/y")
    for sent in (request(), largest):
        schema("request").validate(json.loads(encode_request(sent)))
    answer = RelayedAnswer(200, (("Content-Type", "text/html"),), b"x" * MAX_ANSWER_BODY)
    schema("reply").validate(json.loads(encode_answer(answer)))


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"target": "x"},
        {"target": "/ "},
        {"prefix": "/a b"},
        {"headers": [["a"]]},
        {"headers": [["a b", "c"]]},
        {"headers": [["a", "b", "c"]]},
        {"body": 1},
        {"caller": "short"},
        {"caller": "with a space in it"},
        {"caller": 7},
    ],
)
def test_the_schema_refuses_what_the_box_refuses(change: dict[str, object]) -> None:
    payload = wire(**change)
    assert not schema("request").is_valid(json.loads(payload))
    with pytest.raises(Invalid):
        decode_request(payload)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"[", "not JSON"),
        (b"[]", "must be an object"),
        (b"[" * 5_000, "not JSON"),
        (b" " * 200_000, "131072 at most"),
        (wire(method="DELETE"), "method must be one of GET, HEAD, POST"),
        (wire(method=1), "method"),
        (wire(target="phone"), "target"),
        (wire(target="/phone/ x"), "target"),
        (wire(target="/" + "x" * 3_000), "2048"),
        (wire(host="hq.example\r\nX: y"), "host"),
        (wire(host="a b"), "host"),
        (wire(prefix="/b/../.."[:4] + "\n"), "prefix"),
        (wire(headers="x"), "headers"),
        (wire(headers=[["a", "b"]] * 65), "64 at most"),
        (wire(headers=[["a", "x" * 9_000]] * 2), "16384"),
        (wire(headers=[["a b", "c"]]), "a header"),
        (wire(headers=[["a", "c\r\nd"]]), "a header"),
        (wire(headers=[["a"]]), "a header"),
        (wire(headers=[[1, 2]]), "a header"),
        (wire(body=1), "body"),
        (wire(body="###"), "base64"),
        (wire(body=base64.b64encode(b"x" * (MAX_REQUEST_BODY + 1)).decode()), "65536 at most"),
    ],
)
def test_what_is_no_request_is_refused_by_name(payload: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        decode_request(payload)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_codec(payload: bytes) -> None:
    for decode in (decode_request, decode_answer):
        with contextlib.suppress(Invalid):
            decode(payload)


@pytest.mark.parametrize("status", [99, 100, 600, "200", True, None])
def test_an_answer_has_a_status(status: object) -> None:
    with pytest.raises(Invalid, match="status"):
        decode_answer(json.dumps({"status": status, "headers": [], "body": ""}).encode())


@pytest.mark.parametrize(
    "target",
    [
        "/phone/r/abc",
        "/phone/r/abc/touch?x=/../",
        "/phone/pictures/mall.png",
        "/notify/wechat_pay/x",
        "/static/page.css",
        "/static/phone_pages.css",
        "/static/icon.svg",
    ],
)
def test_public_paths_are_served(target: str) -> None:
    assert is_public(request(target=target))


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/phone",
        "/phone/",
        "/phonetap/x",
        "/staff/",
        "/api/kiosk/K01/start",
        "/kiosk/K01",
        "/health/ready",
        "/phone/../staff/",
        "/phone/%2e%2e/staff/",
        "/phone/..%2fstaff",
        "/phone/x/..",
        "/phone\\..\\staff",
        "//phone/r/x",
        "/PHONE/r/x",
        "/static/kiosk/kiosk.js",
        "/static/../phone/r",
        "/phone/%00",
    ],
)
def test_everything_else_is_not(target: str) -> None:
    assert not is_public(request(target=target))


def test_nothing_is_posted_to_static_files() -> None:
    assert not is_public(request("POST", "/static/page.css"))


def test_the_environment_trusts_nothing_that_the_caller_claims() -> None:
    headers = [
        ["X-Forwarded-For", "127.0.0.1"],
        ["X_Forwarded_For", "127.0.0.1"],
        ["Host", "evil.example"],
        ["Content-Length", "7"],
        ["Transfer-Encoding", "chunked"],
        ["Content-Type", "application/json"],
        ["Cookie", "a=b"],
        ["Cookie", "c=d"],
        ["Origin", "https://hq.example"],
    ]
    found = decode_request(
        wire(headers=headers, prefix="/b/x/y", target="/phone/%E5%BA%97?q=%20", secure=True)
    )
    environ = make_environ(found)
    kept = {key: value for key, value in environ.items() if key.startswith("HTTP_")}
    assert kept == {"HTTP_HOST": "hq.example", "HTTP_COOKIE": "a=b; c=d", "HTTP_ORIGIN": "https://hq.example"}
    assert environ["REMOTE_ADDR"] == "0.0.0.0"
    assert environ["CONTENT_LENGTH"] == "0"
    assert environ["CONTENT_TYPE"] == "application/json"
    assert environ["SCRIPT_NAME"] == "/b/x/y"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/phone/店"
    assert environ["QUERY_STRING"] == "q=%20"
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"]) == ("https", "443")


class Parts:
    """A WSGI body that notes whether it was closed."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._parts)

    def close(self) -> None:
        self.closed = True


def test_an_answer_that_is_too_large_is_cut_off_and_closed() -> None:
    parts = Parts(*[b"x" * 65_536] * (MAX_ANSWER_BODY // 65_536 + 1))

    def app(environ: object, start: Callable[..., object]) -> Iterable[bytes]:
        start("200 OK", [])
        return parts

    assert call_app(app, request()).status == 502
    assert parts.closed


def admission(**limits: int) -> Admission:
    return Admission(AdmissionLimits(**limits))


def test_a_request_runs_once_and_its_retries_wait_or_are_told_the_same() -> None:
    one = admission()
    assert one.admit(b"a", "t", 5, 0) is Verdict.RUN
    assert one.admit(b"a", "t", 5, 1) is Verdict.JOIN
    assert one.admit(b"a", "u", 5, 2) is Verdict.JOIN
    assert one.still_wanted(b"a", 3)
    assert one.finish(b"a", b"answer", True, 4) == ("t", "u")
    assert one.admit(b"a", "t", 5, 5) is Verdict.REPEAT
    assert one.answer_of(b"a") == b"answer"
    assert one.admit(b"a", "t", 5, 61 * SECOND_NS) is Verdict.RUN


def test_what_has_no_effect_may_run_again() -> None:
    one = admission()
    one.admit(b"a", "t", 5, 0)
    one.finish(b"a", b"page", False, 1)
    assert one.admit(b"a", "t", 5, 2) is Verdict.RUN


def test_the_rate_has_a_burst_and_comes_back_with_time() -> None:
    one = admission(per_s=2, burst=3)
    verdicts = [one.admit(b"%d" % number, "t", 5, 0) for number in range(5)]
    assert verdicts == [Verdict.RUN] * 3 + [Verdict.TOO_FAST] * 2
    assert one.admit(b"later", "t", 5, SECOND_NS // 2) is Verdict.RUN
    assert one.admit(b"too soon", "t", 5, SECOND_NS // 2) is Verdict.TOO_FAST


def test_only_so_many_are_open_at_once() -> None:
    one = admission(open=2)
    assert [one.admit(b"%d" % n, "t", 5, 0) for n in range(3)] == [Verdict.RUN, Verdict.RUN, Verdict.BUSY]
    one.finish(b"0", b"", False, 1)
    assert one.admit(b"2", "t", 5, 2) is Verdict.RUN


def test_late_requests_are_not_run() -> None:
    one = admission(longest_ms=2_000)
    assert one.admit(b"a", "t", 0, 0) is Verdict.LATE
    one.admit(b"b", "t", 1, 0)
    assert not one.still_wanted(b"b", SECOND_NS)
    one.admit(b"c", "t", None, 0)
    assert one.still_wanted(b"c", 2 * SECOND_NS - 1)
    assert not one.still_wanted(b"c", 2 * SECOND_NS)
    assert one.admit(b"b", "t", 5, 3 * SECOND_NS) is Verdict.RUN


def test_what_is_remembered_is_bounded_by_number_and_bytes() -> None:
    few = admission(remembered=2)
    fat = admission(remembered_bytes=100)
    for one, answer in ((few, b"x"), (fat, b"x" * 50)):
        for name in (b"a", b"b", b"c"):
            one.admit(name, "t", 5, 0)
            one.finish(name, answer, True, 1)
        assert one.admit(b"c", "t", 5, 2) is Verdict.REPEAT
        assert one.admit(b"a", "t", 5, 2) is Verdict.RUN


class Desk:
    """A request desk over a small application that counts, and that can be held up."""

    def __init__(self, **limits: int) -> None:
        self.clock = ManualClock()
        self.said: list[Saying] = []
        self.connected = True
        self.effects = 0
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Semaphore(0)
        self.desk = RequestDesk(self.app, Topics(ORIGIN), self.say, self.clock, AdmissionLimits(**limits))
        self.desk.start()

    def app(self, environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        self.begun.release()
        assert self.go.wait(10)
        if environ["PATH_INFO"] == "/phone/fault":
            raise RuntimeError("a fault of ours")
        self.effects += environ["REQUEST_METHOD"] == "POST"
        start("200 OK", [("Content-Type", "text/plain"), ("Connection", "close")])
        return [b"hello ", environ["wsgi.input"].read()]

    def say(self, saying: Saying) -> bool:
        if self.connected:
            self.said.append(saying)
        return self.connected

    def take(self, payload: bytes, correlation: bytes = b"c1", topic: str = REPLIES, **given: Any) -> None:
        self.desk.take(Incoming("requests", payload, topic, correlation, given.pop("expiry_s", 5), **given))

    def answers(self, count: int) -> list[RelayedAnswer]:
        pause = threading.Event()
        for _ in range(1_000):
            if len(self.said) >= count:
                return [decode_answer(one.payload) for one in self.said]
            pause.wait(0.01)
        raise AssertionError(f"{len(self.said)} of {count} answers; {self.desk.counts()}")


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.go.set()
    one.desk.close()


def test_a_request_is_answered_on_its_topic_with_its_correlation(desk: Desk) -> None:
    desk.take(
        encode_request(request("POST", "/phone/r/x", body="你好".encode())), b"\0\xff", f"{REPLIES}/relay-1"
    )
    answer = desk.answers(1)[0]
    assert (answer.status, answer.body) == (200, "hello 你好".encode())
    assert answer.headers == (("Content-Type", "text/plain"),)
    assert (desk.said[0].topic, desk.said[0].correlation) == (f"{REPLIES}/relay-1", b"\0\xff")
    assert desk.said[0].expiry_s == 30


def test_a_retry_has_no_second_effect(desk: Desk) -> None:
    payload = encode_request(request("POST"))
    desk.take(payload)
    first = desk.answers(1)[0]
    desk.take(payload)
    assert desk.answers(2) == [first, first]
    assert desk.effects == 1
    assert desk.desk.counts().repeated == 1


def test_a_retry_while_it_runs_waits_for_the_one_answer(desk: Desk) -> None:
    desk.go.clear()
    payload = encode_request(request("POST"))
    desk.take(payload)
    assert desk.begun.acquire(timeout=5)
    desk.take(payload)
    desk.take(payload, topic=f"{REPLIES}/relay-2")
    desk.go.set()
    desk.answers(2)
    assert {one.topic for one in desk.said} == {REPLIES, f"{REPLIES}/relay-2"}
    assert desk.effects == 1


@pytest.mark.parametrize(
    ("correlation", "topic"),
    [
        (b"", REPLIES),
        (b"x" * 65, REPLIES),
        (b"c", ""),
        (b"c", "mall/demo-mall/edge/till-2/replies/v1"),
        (b"c", f"{REPLIES}/a/b"),
        (b"c", f"{REPLIES}/#"),
        (b"c", "mall/demo-mall/edge/till-1/events/v1/order.paid"),
    ],
)
def test_a_request_that_could_be_answered_only_elsewhere_is_dropped(
    desk: Desk, correlation: bytes, topic: str
) -> None:
    desk.take(wire(), correlation, topic)
    assert desk.desk.counts().junk == 1
    assert not desk.begun.acquire(timeout=0.1)


def test_a_retained_request_is_dropped(desk: Desk) -> None:
    desk.take(wire(), retained=True)
    assert desk.desk.counts().junk == 1


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"junk", 400),
        (wire(target="/staff/"), 404),
        (b" " * 140_000, 413),
        (wire(target="/phone/fault"), 500),
    ],
)
def test_what_cannot_be_served_is_answered_in_both_languages(desk: Desk, payload: bytes, status: int) -> None:
    desk.take(payload)
    answer = desk.answers(1)[0]
    assert answer.status == status
    assert 'lang="zh-CN"' in answer.body.decode()
    assert 'lang="en"' in answer.body.decode()
    desk.take(wire(), b"c2")
    assert desk.answers(2)[1].status == 200


def test_a_late_request_is_dropped_and_counted(desk: Desk) -> None:
    desk.go.clear()
    for number in range(5):
        desk.take(encode_request(request("POST")), b"%d" % number, expiry_s=2)
    for _ in range(4):
        assert desk.begun.acquire(timeout=5)
    desk.clock.advance(2_000)
    desk.go.set()
    desk.answers(4)
    pause = threading.Event()
    for _ in range(500):
        if desk.desk.counts().late:
            break
        pause.wait(0.01)
    assert desk.desk.counts().late == 1
    assert desk.effects == 4


def test_too_many_at_once_are_told_to_come_again() -> None:
    busy, fast = Desk(open=2), Desk(burst=1, per_s=1)
    for one, wanted in ((busy, 503), (fast, 429)):
        one.go.clear()
        for number in range(3):
            one.take(wire(), b"%d" % number)
        answer = one.answers(1)[0]
        assert answer.status == wanted
        assert ("Retry-After", "2") in answer.headers
        one.go.set()
        one.desk.close()


def test_an_answer_without_a_connection_is_counted(desk: Desk) -> None:
    desk.connected = False
    desk.take(wire())
    pause = threading.Event()
    for _ in range(500):
        if desk.desk.counts().lost:
            break
        pause.wait(0.01)
    assert desk.desk.counts().lost == 1
