"""The properties of an event, encoded by hand: paho reads them as it reads its own."""

from __future__ import annotations

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.hq.properties import CONTENT_TYPE, event_properties
from edge.services.outbox_records import OutboxMessage


def event(kind: str = "order.paid", source: str = "/mall/demo-mall/edge/till-1") -> OutboxMessage:
    return OutboxMessage(42, "01890a5d-ac96-774b-bcce-000000000001", kind, source, b"{}", 0)


def test_paho_reads_what_is_encoded_here() -> None:
    packed = event_properties(event(), 7).pack()
    read = Properties(PacketTypes.PUBLISH)
    _, length = read.unpack(packed)
    assert length == len(packed)
    assert read.ContentType == CONTENT_TYPE
    assert read.UserProperty == [
        ("id", "01890a5d-ac96-774b-bcce-000000000001"),
        ("type", "cn.mall.order.paid.v1"),
        ("source", "/mall/demo-mall/edge/till-1"),
        ("sequence", "42"),
        ("oldest", "7"),
    ]


def test_they_are_the_bytes_that_paho_would_have_written() -> None:
    message = event("landing.shown", "/mall/" + "m" * 32 + "/edge/" + "e" * 32)
    theirs = Properties(PacketTypes.PUBLISH)
    theirs.ContentType = CONTENT_TYPE
    theirs.UserProperty = [
        ("id", message.event_id),
        ("type", "cn.mall.landing.shown.v1"),
        ("source", message.source),
        ("sequence", "42"),
        ("oldest", "1"),
    ]
    assert event_properties(message, 1).pack() == bytes(theirs.pack())
