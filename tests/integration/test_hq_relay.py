"""A phone reads its receipt through HQ: public host, broker, link, and the box's own pages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest

from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.requests import RequestDesk
from edge.hq.topics import Topics
from edge.services.admit_request import AdmissionLimits
from edge.services.events import Origin
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from sim.broker import Broker, BrokerKind, installed
from sim.relay import PublicHost
from tests.browser.desk_fake import TOKEN, DeskFake
from tests.integration.mosquitto_files import eventually

pytestmark = pytest.mark.broker

SITE, EDGE = "demo-mall", "till-1"


class SlowDesk(DeskFake):
    """A shop whose pages can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.go.set()

    def touch(self, token: str, touchpoint: str) -> None:
        assert self.go.wait(20)
        super().touch(token, touchpoint)


class Box:
    """A box as far as phones see it."""

    def __init__(self, port: int, folder: Path, limits: AdmissionLimits | None = None) -> None:
        self.shop = SlowDesk()
        (folder / "mall.png").write_bytes(b"\x89PNG" + bytes(range(256)) * 800)
        origin, clock = Origin(SITE, EDGE), SystemClock()
        self.link = MqttLink(
            LinkSettings("127.0.0.1", port, first_delay_s=0.1, last_delay_s=0.3), origin, clock
        )
        app = create_web(self.shop, WebSettings(pictures=folder))
        self.desk = RequestDesk(app, Topics(origin), self.link.say, clock, limits)
        self.link.listen(Topics(origin).requests, self.desk.take)
        self.desk.start()
        self.link.start()

    def close(self) -> None:
        self.shop.go.set()
        self.link.close()
        self.desk.close()


def kinds() -> list[Any]:
    return [
        pytest.param(
            kind, marks=pytest.mark.skipif(not installed(kind), reason=f"{kind} is not installed"), id=kind
        )
        for kind in BrokerKind
    ]


@pytest.fixture(params=kinds())
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with Broker(request.param) as one:
        yield one


@pytest.fixture
def host(broker: Broker) -> Iterator[PublicHost]:
    with PublicHost(broker.port) as one:
        eventually(lambda: one.relay.connected, lambda: "the public host at the broker")
        yield one


@pytest.fixture
def box(broker: Broker, host: PublicHost, tmp_path: Path) -> Iterator[Box]:
    one = Box(broker.port, tmp_path)
    online(host, True)
    yield one
    one.close()


@pytest.fixture
def phone(host: PublicHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url(SITE, EDGE), timeout=30) as one:
        yield one


def online(host: PublicHost, wanted: bool) -> None:
    eventually(lambda: host.relay.presence((SITE, EDGE)) is wanted, lambda: f"online {wanted}")


def test_a_phone_sees_its_receipt_and_all_that_the_page_is_made_of(box: Box, phone: httpx.Client) -> None:
    page = phone.get(f"/phone/r/{TOKEN}", headers={"Accept-Language": "zh"})
    assert page.status_code == 200
    assert "龙井绿茶" in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert f'href="/b/{SITE}/{EDGE}/static/page.css"' in page.text
    assert f'action="/b/{SITE}/{EDGE}/phone/r/{TOKEN}/touch?language=zh"' in page.text
    for part, kind in (
        ("/static/page.css", "text/css"),
        ("/static/phone.js", "text/javascript"),
        ("/static/icon.svg", "image/svg+xml"),
        (f"/phone/r/{TOKEN}/qr.svg", "image/svg+xml"),
    ):
        answer = phone.get(part)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, kind)
    picture = phone.get("/phone/pictures/mall.png")
    assert picture.content == b"\x89PNG" + bytes(range(256)) * 800


def test_a_box_has_a_host_of_its_own_too(box: Box, host: PublicHost) -> None:
    address = f"http://127.0.0.1:{host.port}/phone/r/{TOKEN}"
    answer = httpx.get(address, headers={"Host": f"{EDGE}.{SITE}.hq.example"}, timeout=30)
    assert answer.status_code == 200
    assert 'href="/static/page.css"' in answer.text


def test_a_touch_through_hq_takes_effect_and_its_origin_is_checked(
    box: Box, host: PublicHost, phone: httpx.Client
) -> None:
    ours = {"Origin": f"http://127.0.0.1:{host.port}"}
    done = phone.post(f"/phone/r/{TOKEN}/touch", json={"touchpoint": "join"}, headers=ours)
    assert done.status_code == 204
    theirs = {"Origin": "https://evil.example"}
    refused = phone.post(f"/phone/r/{TOKEN}/touch", json={"touchpoint": "join"}, headers=theirs)
    assert refused.status_code == 403
    assert [touchpoint for _, touchpoint in box.shop.touches] == ["join"]


@pytest.mark.parametrize(
    "path", ["/staff/", "/api/kiosk/K1", "/kiosk/K1", "/health/ready", "/phone/%2e%2e/staff/", "/"]
)
def test_nothing_but_the_phones_pages_is_reachable(box: Box, phone: httpx.Client, path: str) -> None:
    answer = phone.get(path)
    assert answer.status_code == 404
    assert 'lang="en"' in answer.text


def test_a_box_that_is_away_gives_the_phone_a_clear_page(
    box: Box, host: PublicHost, phone: httpx.Client
) -> None:
    box.link.close()
    online(host, False)
    answer = phone.get(f"/phone/r/{TOKEN}")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "您的小票没有丢失" in answer.text
    assert "your receipt is not lost" in answer.text


def test_a_shop_that_does_not_exist_is_told_so(box: Box, host: PublicHost) -> None:
    answer = httpx.get(f"{host.url('other-mall', 'till-9')}/phone/r/{TOKEN}", timeout=30)
    assert answer.status_code == 404
    assert "There is no such shop" in answer.text


def test_a_retry_does_not_double_an_effect(box: Box, host: PublicHost, phone: httpx.Client) -> None:
    host.relay.retry_s = 0.3
    box.shop.go.clear()
    ours = {"Origin": f"http://127.0.0.1:{host.port}"}
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(phone.post, f"/phone/r/{TOKEN}/touch", json={"touchpoint": "join"}, headers=ours)
        eventually(lambda: box.desk.counts().repeated >= 2, lambda: str(box.desk.counts()))
        box.shop.go.set()
        assert asked.result().status_code == 204
    assert len(box.shop.touches) == 1


def test_a_request_that_nobody_serves_in_time_is_told_and_dropped_late(
    broker: Broker, host: PublicHost, tmp_path: Path, phone: httpx.Client
) -> None:
    box = Box(broker.port, tmp_path, AdmissionLimits(longest_ms=200))
    online(host, True)
    host.relay.deadline_s = host.relay.retry_s = 1.0
    box.shop.go.clear()
    ours = {"Origin": f"http://127.0.0.1:{host.port}"}
    with ThreadPoolExecutor(5) as pool:
        asked = [
            pool.submit(phone.post, f"/phone/r/{TOKEN}/touch", json={"touchpoint": "join"}, headers=ours)
            for _ in range(5)
        ]
        statuses = [one.result().status_code for one in asked]
    assert statuses == [504] * 5
    box.shop.go.set()
    eventually(lambda: box.desk.counts().late == 1, lambda: str(box.desk.counts()))
    box.close()
    assert len(box.shop.touches) == 4


def test_many_phones_at_once_are_all_served(box: Box, host: PublicHost, phone: httpx.Client) -> None:
    def read(number: int) -> int:
        return phone.get(f"/phone/r/{TOKEN}?n={number}").status_code

    with ThreadPoolExecutor(30) as pool:
        assert list(pool.map(read, range(150))) == [200] * 150
    assert box.desk.counts().served >= 150


def test_a_killed_broker_costs_a_phone_at_most_a_wait(
    broker: Broker, box: Box, host: PublicHost, phone: httpx.Client
) -> None:
    broker.kill()
    eventually(lambda: not host.relay.connected, lambda: "the loss is seen")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(phone.get, f"/phone/r/{TOKEN}")
        broker.start()
        assert asked.result().status_code == 200


def test_a_large_upload_is_refused_by_hq(box: Box, phone: httpx.Client) -> None:
    assert phone.post(f"/phone/r/{TOKEN}/touch", content=b"x" * 70_000).status_code == 413


def test_another_box_cannot_answer_in_its_place(broker: Broker, box: Box, host: PublicHost) -> None:
    forged: list[bytes] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)

    def forge(client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        answer = b'{"status":200,"headers":[],"body":"Zm9yZ2Vk"}'
        client.publish(
            "mall/demo-mall/edge/till-2/replies/v1/relay-1", answer, 1, properties=properties(message)
        )
        forged.append(answer)

    client.on_message = forge
    client.connect("127.0.0.1", broker.port)
    client.subscribe(f"mall/{SITE}/edge/{EDGE}/requests/v1", 1)
    client.loop_start()
    box.shop.go.clear()
    answer = httpx.get(f"{host.url(SITE, EDGE)}/phone/r/{TOKEN}", timeout=30)
    client.disconnect()
    client.loop_stop()
    assert "forged" not in answer.text


def properties(message: mqtt.MQTTMessage) -> Any:
    from tests.integration.mosquitto_files import publish_properties

    return publish_properties(CorrelationData=message.properties.CorrelationData)  # type: ignore[union-attr]
