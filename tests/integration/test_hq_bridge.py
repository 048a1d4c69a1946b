"""Box, mall's broker, bridge, HQ's broker: both brokers run from the files that ship, all over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.hq.requests import RequestDesk
from edge.hq.tls import TlsSettings
from edge.hq.topics import Topics
from edge.services.ports import HqAck
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from sim.broker import Broker, BrokerKind, installed
from sim.certificates import Authority, make_trial
from sim.clocks import unix_ms
from sim.relay import ClientTls, PublicHost
from tests.browser.desk_fake import TOKEN, DeskFake
from tests.integration.mosquitto_files import (
    Client,
    Ports,
    choose_ports,
    eventually,
    hq_broker,
    mall_broker,
)
from tests.unit.hq_samples import ORIGIN, CountingIds, MemoryOutbox, record

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not installed(BrokerKind.MOSQUITTO), reason="mosquitto is not installed"),
]


@dataclass
class Chain:
    """Both brokers, a box at the mall's, a worker at HQ's."""

    ports: Ports
    authority: Authority
    mall: Broker
    hq: Broker
    link: MqttLink
    worker: Client

    def of(self, kind: str) -> list[bytes]:
        return [payload for topic, payload, _ in self.worker.heard if f"/{kind}/" in f"{topic}/"]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    authority = make_trial(tmp_path / "keys", unix_ms(), [("demo-mall", "till-1")], ["127.0.0.1"])
    ports = choose_ports()
    with hq_broker(tmp_path, authority, ports) as hq, mall_broker(tmp_path, authority, ports) as mall:
        worker = Client(ports.workers, authority, authority.issue_client("hq-ingest"), "ingest-1")
        for topic in ("mall/+/edge/+/events/v1/#", "mall/+/edge/+/state/v1", "mall/+/bridge/v1"):
            worker.subscribe(topic)
        issued = authority.issue_box("demo-mall", "till-1")
        tls = TlsSettings(authority.ca_file, issued.certificate, issued.key)
        settings = LinkSettings("127.0.0.1", ports.mall, first_delay_s=0.1, last_delay_s=0.3, tls=tls)
        link = MqttLink(settings, ORIGIN, SystemClock())
        desk = RequestDesk(create_web(DeskFake(), WebSettings()), Topics(ORIGIN), link.say, SystemClock())
        link.listen(Topics(ORIGIN).requests, desk.take)
        desk.start()
        link.start()
        one = Chain(ports, authority, mall, hq, link, worker)
        eventually(lambda: b"1" in one.of("bridge"), lambda: f"the bridge; {mall.said()}")
        eventually(lambda: one.of("state"), lambda: f"the birth at HQ; {link.status().detail}")
        yield one
        link.close()
        desk.close()
        worker.close()


def test_events_acks_and_presence_cross_the_bridge_unchanged(chain: Chain) -> None:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), 5)
    batch = outbox.window(0, 5)
    assert chain.link.send(batch, 1) == 5
    eventually(lambda: len(chain.of("events")) == 5, lambda: f"{len(chain.of('events'))} of 5")
    assert chain.of("events") == [message.body for message in batch]
    properties = next(found for topic, _, found in chain.worker.heard if "/events/" in topic)
    assert dict(properties["UserProperty"])["id"] == batch[0].event_id
    assert properties["ContentType"] == "application/cloudevents+json"
    assert chain.worker.publish("mall/demo-mall/edge/till-1/acks/v1", b'{"through":5}') == "Success"
    acks: list[HqAck] = []
    eventually(lambda: acks.extend(chain.link.acks()) or acks, lambda: "the ack")
    assert acks[0].through_sequence == 5
    chain.link.close()
    eventually(lambda: len(chain.of("state")) >= 2, lambda: "the goodbye at HQ")
    born, gone = (json.loads(state) for state in (chain.of("state")[0], chain.of("state")[-1]))
    assert (born["state"], gone["state"]) == ("online", "offline")
    assert born["session"] == gone["session"]


def test_a_phone_reaches_the_box_across_the_bridge(chain: Chain) -> None:
    issued = chain.authority.issue_client("hq-relay")
    tls = ClientTls(chain.authority.ca_file, issued.certificate, issued.key)
    with PublicHost(chain.ports.workers, tls=tls) as host:
        eventually(
            lambda: host.relay.presence(("demo-mall", "till-1")), lambda: "presence at the public host"
        )
        page = httpx.get(f"{host.url('demo-mall', 'till-1')}/phone/r/{TOKEN}", timeout=30)
    assert page.status_code == 200
    assert "龙井绿茶" in page.text


def test_hq_sees_when_a_mall_is_cut_off_and_when_it_is_back(chain: Chain) -> None:
    chain.mall.kill()
    eventually(lambda: chain.of("bridge")[-1] == b"0", lambda: str(chain.of("bridge")))
    chain.mall.start()
    eventually(lambda: chain.of("bridge")[-1] == b"1", lambda: f"{chain.of('bridge')} {chain.mall.said()}")
    eventually(lambda: chain.link.status().connected, lambda: chain.link.status().detail)


def test_one_mall_cannot_speak_for_another(chain: Chain) -> None:
    bridge = Client(chain.ports.hq, chain.authority, chain.authority.issue_client("mall-b"), "mall-b")
    forged = "mall/demo-mall/edge/till-1/events/v1/order.paid"
    assert bridge.publish(forged, b"forged") == "Not authorized"
    assert bridge.publish("mall/mall-b/edge/till-1/events/v1/order.paid", b"own") == "Success"
    eventually(lambda: b"own" in chain.of("events"), lambda: "its own event")
    assert b"forged" not in chain.of("events")
    bridge.close()
