"""What a broker's reason codes mean to the people at a box, and what to do."""

from __future__ import annotations

from paho.mqtt.reasoncodes import ReasonCode

#: PUBACK reason codes with a remedy of their own (MQTT 5.0 §3.4.2.1).
NO_SUBSCRIBERS = 0x10
COMPLAINTS = {
    NO_SUBSCRIBERS: "HQ has not subscribed (0x10); events wait in the outbox",
    0x87: "the broker does not authorise this box to publish (0x87); check its user and access rules",
    0x97: "the broker's quota is exceeded (0x97); events wait in the outbox",
}

#: CONNACK and DISCONNECT reason codes with a remedy of their own (MQTT 5.0 §3.2.2.2, §3.14.2.1).
TAKEN_OVER = 0x8E
CROWDED = "another connection has this box's name; give each box its own [box] site and edge"
_REMEDIES = {
    0x86: "check hq.username and hq.password_file",
    0x87: "the broker does not know this box's user or certificate; ask HQ to admit it",
    0x89: "the broker is busy; it is tried again",
    0x8B: "the broker shuts down; it is tried again",
    TAKEN_OVER: CROWDED,
    0x95: "the broker takes no message of this size; raise its max_packet_size",
}


def with_remedy(reason: ReasonCode) -> str:
    """Return the broker's reason in words, with what to do where that is known."""
    remedy = _REMEDIES.get(reason.value)
    return f"{reason}; {remedy}" if remedy else str(reason)
