"""The simulated boxes' MQTT 5: paho writes and reads the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from sim import mqtt


def test_properties_are_written_as_paho_writes_them() -> None:
    theirs = Properties(PacketTypes.PUBLISH)
    theirs.ContentType = "application/cloudevents+json"
    theirs.UserProperty = [("id", "1"), ("名", "值")]
    packet = mqtt.publish("a/b", b"{}", 7, [("id", "1"), ("名", "值")], "application/cloudevents+json")
    ((kind, flags, body),) = mqtt.take_packets(bytearray(packet))
    assert (kind, flags) == (mqtt.PUBLISH, 2)
    assert body == b"\x00\x03a/b\x00\x07" + bytes(theirs.pack()) + b"{}"
    assert mqtt.read_publish(flags, body) == mqtt.Incoming("a/b", 7, b"{}")


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 50))
def test_packets_come_out_whole_however_the_stream_is_cut(payloads: list[bytes], step: int) -> None:
    stream = b"".join(mqtt.publish("t", payload, 1) for payload in payloads)
    buffer, found = bytearray(), []
    for start in range(0, len(stream), step):
        buffer += stream[start : start + step]
        found += [mqtt.read_publish(flags, body).payload for _, flags, body in mqtt.take_packets(buffer)]
    assert found == payloads
    assert not buffer


@pytest.mark.parametrize("junk", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\xff\x7f"])
def test_lengths_that_no_broker_sends_are_refused(junk: bytes) -> None:
    with pytest.raises(mqtt.ProtocolError):
        list(mqtt.take_packets(bytearray(junk)))


def test_a_puback_without_a_reason_is_a_success() -> None:
    assert mqtt.read_puback(b"\x00\x05") == (5, 0)
    assert mqtt.read_puback(b"\x00\x05\x10\x00") == (5, 0x10)


def test_whole_packets_are_taken_as_they_stand_and_the_rest_is_left() -> None:
    first, second = mqtt.connect("mall-edge.m.e", 10, "w", b"gone"), mqtt.puback(7)
    buffer = bytearray(first + second + second[:1])
    assert list(mqtt.take_whole(buffer)) == [first, second]
    assert bytes(buffer) == second[:1]


def test_a_packet_beyond_the_limit_is_refused() -> None:
    with pytest.raises(mqtt.ProtocolError, match="300 bytes, 200 at most"):
        list(mqtt.take_whole(bytearray(b"\x30\xac\x02"), 200))


def test_a_connect_tells_who_connects_and_nothing_else_does() -> None:
    assert mqtt.read_client_id(mqtt.connect("mall-hq-1", 10, "w", b"gone")) == "mall-hq-1"
    with pytest.raises(mqtt.ProtocolError, match="no CONNECT"):
        mqtt.read_client_id(mqtt.puback(7))
