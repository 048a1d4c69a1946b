"""The contract of ports.HqLink, over the fake and over MQTT with each broker that is installed."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.clock import SystemClock
from edge.hq.connection import LinkSettings
from edge.hq.link import MqttLink
from edge.services.outbox_records import OutboxMessage
from edge.services.ports import HqAck, HqLink
from sim.broker import Broker, BrokerKind, installed
from sim.fakes.hq import FakeHq
from tests.unit.hq_samples import ORIGIN, CountingIds, MemoryOutbox, record

DEADLINE_S = 15.0
WINDOW = 5


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Poll until `condition` holds; fail with `what` when it does not in time."""
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.01)):
        found = condition()
        if found:
            return found
        pause.wait(0.01)
    raise AssertionError(f"not in {DEADLINE_S:.0f} s: {what}")


class Far(Protocol):
    """The far end of a link, as a test drives it."""

    link: HqLink

    def heard(self) -> list[bytes]:
        """Bodies that HQ received, in order."""

    def say(self, ack: HqAck) -> None:
        """Have HQ acknowledge."""

    def cut(self) -> None:
        """Break the connection."""

    def mend(self) -> None:
        """Make a new connection possible."""

    def close(self) -> None:
        """End everything."""


class FakeFar:
    """The fake is its own far end."""

    def __init__(self) -> None:
        self.link = self._hq = FakeHq(SystemClock(), WINDOW)
        self._hq.mute = True

    def heard(self) -> list[bytes]:
        self._hq.deliver()
        return [message.body for message in self._hq.applied]

    def say(self, ack: HqAck) -> None:
        self._hq.say(ack)

    def cut(self) -> None:
        self._hq.disconnect()

    def mend(self) -> None:
        self._hq.connect()

    def close(self) -> None:
        return


class MqttFar:
    """A real broker with a plain subscriber in HQ's place."""

    def __init__(self, kind: BrokerKind) -> None:
        self.broker = Broker(kind)
        self.broker.start()
        self.messages: list[mqtt.MQTTMessage] = []
        self.states: list[tuple[dict[str, Any], bool]] = []
        self._client = self._subscribe()
        settings = LinkSettings(
            "127.0.0.1", self.broker.port, window=WINDOW, first_delay_s=0.05, last_delay_s=0.2
        )
        self.link = MqttLink(settings, ORIGIN, SystemClock())
        self.link.start()

    def heard(self) -> list[bytes]:
        return [bytes(message.payload) for message in self.messages]

    def say(self, ack: HqAck) -> None:
        self.say_raw(json.dumps({"through": ack.through_sequence, "holes": ack.holes}).encode())

    def say_raw(self, payload: bytes) -> None:
        self._client.publish("mall/demo-mall/edge/till-1/acks/v1", payload, qos=1).wait_for_publish(5)

    def cut(self) -> None:
        self.broker.kill()

    def mend(self) -> None:
        self._end_client()
        self.broker.start()
        self._client = self._subscribe()

    def close(self) -> None:
        self.link.close()
        self._end_client()
        self.broker.close()

    def _end_client(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribe(self) -> mqtt.Client:
        ready = threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="far", protocol=mqtt.MQTTv5)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = self._arrived
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        client.subscribe("mall/#", qos=1)
        assert ready.wait(5)
        return client

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        if message.topic.endswith("/state/v1"):
            self.states.append((json.loads(message.payload), message.retain))
        elif "/events/v1/" in message.topic:
            self.messages.append(message)


def brokers() -> list[Any]:
    return [
        pytest.param(
            kind,
            marks=[
                pytest.mark.broker,
                pytest.mark.skipif(not installed(kind), reason=f"{kind} is not installed"),
            ],
            id=kind.value,
        )
        for kind in BrokerKind
    ]


@pytest.fixture(params=[pytest.param(None, id="fake"), *brokers()])
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    one: Far = FakeFar() if request.param is None else MqttFar(request.param)
    eventually(lambda: one.link.status().connected, "connected")
    yield one
    one.close()


@pytest.fixture(params=brokers())
def wire(request: pytest.FixtureRequest) -> Iterator[MqttFar]:
    one = MqttFar(request.param)
    eventually(lambda: one.link.status().connected, "connected")
    yield one
    one.close()


def messages(count: int) -> tuple[OutboxMessage, ...]:
    outbox = MemoryOutbox()
    record(outbox, CountingIds(), count)
    return outbox.window(0, count)


def send_all(link: HqLink, rest: tuple[OutboxMessage, ...], far: Far) -> None:
    pause = threading.Event()
    for _ in range(2_000):
        rest = rest[link.send(rest, 1) :]
        if not rest:
            return
        far.heard()
        pause.wait(0.005)
    raise AssertionError(f"{len(rest)} messages were never taken")


def test_messages_arrive_in_order_byte_for_byte(far: Far) -> None:
    batch = messages(40)
    send_all(far.link, batch, far)
    eventually(lambda: len(far.heard()) >= 40, "40 messages")
    assert far.heard() == [message.body for message in batch]


def test_no_more_than_the_window_is_taken_at_once(far: Far) -> None:
    assert 0 < far.link.send(messages(WINDOW + 10), 1) <= WINDOW


def test_nothing_is_taken_of_nothing(far: Far) -> None:
    assert far.link.send((), 1) == 0


def test_acks_come_once_each_and_oldest_first(far: Far) -> None:
    for ack in (HqAck(1), HqAck(4, (2, 3)), HqAck(4)):
        far.say(ack)
    found: list[HqAck] = []
    eventually(lambda: found.extend(far.link.acks()) or len(found) >= 3, "three acks")
    assert found == [HqAck(1), HqAck(4, (2, 3)), HqAck(4)]
    assert far.link.acks() == ()


def test_a_cut_link_takes_nothing_and_says_so(far: Far) -> None:
    before = far.link.status()
    far.cut()
    eventually(lambda: not far.link.status().connected, "seen to be cut")
    assert far.link.send(messages(1), 1) == 0
    down = far.link.status()
    assert down.since_ns > before.since_ns
    assert down.detail


def test_a_new_connection_has_a_new_beginning_and_works(far: Far) -> None:
    before = far.link.status()
    far.cut()
    eventually(lambda: not far.link.status().connected, "seen to be cut")
    far.mend()
    eventually(lambda: far.link.status().connected, "connected again")
    assert far.link.status().since_ns > before.since_ns
    batch = messages(3)
    send_all(far.link, batch, far)
    eventually(lambda: len(far.heard()) >= 3, "three messages")
    assert far.heard() == [message.body for message in batch]


def test_an_event_carries_its_properties(wire: MqttFar) -> None:
    batch = messages(2)
    send_all(wire.link, batch, wire)
    eventually(lambda: len(wire.messages) == 2, "two messages")
    second = wire.messages[1]
    assert second.topic == "mall/demo-mall/edge/till-1/events/v1/order.paid"
    assert second.qos == 1
    assert not second.retain
    assert second.properties.ContentType == "application/cloudevents+json"
    assert dict(second.properties.UserProperty) == {
        "id": batch[1].event_id,
        "type": "cn.mall.order.paid.v1",
        "source": "/mall/demo-mall/edge/till-1",
        "sequence": "2",
        "oldest": "1",
    }


def test_small_packets_are_sent_at_once(wire: MqttFar) -> None:
    connection = wire.link._connection
    assert connection is not None
    sock: Any = connection.socket()
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_the_oldest_event_that_the_box_has_is_told_as_it_was_given(wire: MqttFar) -> None:
    batch = messages(3)
    assert wire.link.send(batch[:2], 1) == 2
    assert wire.link.send(batch[2:], 3) == 1
    eventually(lambda: len(wire.messages) == 3, "three messages")
    oldest = [dict(message.properties.UserProperty)["oldest"] for message in wire.messages]
    assert oldest == ["1", "1", "3"]


@pytest.mark.parametrize("junk", [b"", b"junk", b'{"through":-1}', b" " * 200_000])
def test_a_junk_ack_is_counted_and_harms_nothing(wire: MqttFar, junk: bytes) -> None:
    wire.say_raw(junk)
    wire.say(HqAck(7))
    assert eventually(wire.link.acks, "the good ack") == (HqAck(7),)
    assert wire.link.counts().junk_acks == 1
    assert wire.link.status().detail == "connected"


def test_acks_that_cannot_be_read_are_told_until_one_can(wire: MqttFar) -> None:
    wire.say_raw(b'{"through":"many"}')
    eventually(lambda: wire.link.acks() or wire.link.counts().junk_acks, "the junk ack")
    detail = wire.link.status().detail
    assert "HQ's acks cannot be read, events wait in the outbox; tell HQ" in detail
    assert "through must be a whole number" in detail
    wire.say(HqAck(7))
    eventually(wire.link.acks, "the good ack")
    assert wire.link.status().detail == "connected"
    assert wire.link.status().connected


def test_presence_is_born_and_says_goodbye_with_one_session(wire: MqttFar) -> None:
    eventually(lambda: wire.states, "birth")
    wire.link.close()
    eventually(lambda: len(wire.states) >= 2, "goodbye")
    born, gone = wire.states[0][0], wire.states[-1][0]
    assert (born["state"], gone["state"]) == ("online", "offline")
    assert born["session"] == gone["session"]


def test_the_broker_tells_of_a_lost_box_with_the_session_of_its_birth(wire: MqttFar) -> None:
    born = eventually(lambda: wire.states, "birth")[0][0]
    connection = wire.link._connection
    assert connection is not None
    sock: Any = connection.socket()
    sock.shutdown(2)
    eventually(lambda: len(wire.states) >= 3, "will and a new birth")
    assert wire.states[1][0] == {"state": "lost", "session": born["session"]}
    assert wire.states[2][0]["state"] == "online"
    assert wire.states[2][0]["session"] > born["session"]


def test_the_publisher_is_woken_by_connection_ack_and_room(wire: MqttFar) -> None:
    assert wire.link.wake.wait(5)
    eventually(lambda: wire.states, "birth")
    wire.link.wake.clear()
    wire.say(HqAck(1))
    assert wire.link.wake.wait(5)
    eventually(wire.link.acks, "the ack")
    wire.link.wake.clear()
    wire.link.send(messages(1), 1)
    assert wire.link.wake.wait(5)
