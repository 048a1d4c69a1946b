"""One MQTT connection to the broker, from CONNECT to its end; every method but `room` and `accepted`
is for the link's network thread.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import Invalid
from edge.hq.codec import Presence, encode_presence
from edge.hq.topics import Topics
from edge.services.events import EventKind, Origin, event_type
from edge.services.ports import Clock
from edge.services.records import OutboxMessage

CONTENT_TYPE = "application/cloudevents+json"

#: PUBACK reason codes with a remedy of their own (MQTT 5.0 §3.4.2.1).
_NO_SUBSCRIBERS = 0x10
_COMPLAINTS = {
    _NO_SUBSCRIBERS: "HQ has not subscribed (0x10); events wait in the outbox",
    0x87: "the broker does not authorise this box to publish (0x87); check its user and access rules",
    0x97: "the broker's quota is exceeded (0x97); events wait in the outbox",
}


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How to reach the broker. Durations are seconds.

    window: unacknowledged publishes at most, lowered to the broker's Receive Maximum. stall_s: without a
    PUBACK for this long while some are owed, the connection is dropped. first_delay_s, last_delay_s:
    the pause before connecting again doubles between them.
    """

    host: str
    port: int = 1883
    username: str = ""
    password: str = ""
    window: int = 20
    keepalive_s: int = 15
    connect_s: float = 5.0
    stall_s: float = 30.0
    goodbye_s: float = 2.0
    first_delay_s: float = 1.0
    last_delay_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        if not self.host or not 1 <= self.port <= 65_535:
            raise Invalid(
                f"the broker's address {self.host!r}:{self.port} cannot be used; give host and port"
            )
        if not 1 <= self.window <= 100:
            raise Invalid(f"window must be 1 to 100, got {self.window}; larger ones are slower")
        if not 0 < self.first_delay_s <= self.last_delay_s:
            raise Invalid("the pauses before connecting again must be above 0 and in order")

    def __repr__(self) -> str:
        """Name the broker and the user, never the password."""
        return f"LinkSettings({self.address}, user {self.username!r})"

    @property
    def address(self) -> str:
        """The broker as host:port."""
        return f"{self.host}:{self.port}"


class Connection:
    """One connection. since_ns: when the broker accepted it. complaint: the last refusal, "" if none."""

    def __init__(
        self,
        settings: LinkSettings,
        origin: Origin,
        clock: Clock,
        session: int,
        on_ack: Callable[[bytes], None],
        wake: threading.Event,
    ) -> None:
        self.accepted = False
        self.since_ns = 0
        self.complaint = ""
        self.ended = ""
        self.published = 0
        self.refused = 0
        #: (the oldest sequence this box can still send, the message); filled by `send` up to `room`.
        self.outgoing: deque[tuple[int, OutboxMessage]] = deque()
        self._settings = settings
        self._topics = Topics(origin)
        self._clock = clock
        self._session = session
        self._on_ack = on_ack
        self._wake = wake
        self._limit = settings.window
        self._in_flight: set[int] = set()
        self._goodbye_mid: int | None = None
        self._goodbye_ns: int | None = None
        self._progress_ns = clock.now().boottime_ns
        self._client = self._make_client()

    def room(self) -> int:
        """How many more messages may be put into `outgoing`; any thread."""
        return max(0, self._limit - len(self.outgoing) - len(self._in_flight))

    def open(self) -> None:
        """Connect; raises OSError when nobody answers within `connect_s`."""
        self._client.connect(
            self._settings.host, self._settings.port, self._settings.keepalive_s, clean_start=True
        )

    def socket(self) -> mqtt.SocketLike | None:
        """The open socket, None once the connection is gone."""
        return self._client.socket()

    def wants_write(self) -> bool:
        """Whether bytes wait for the socket."""
        return self._client.want_write()

    def work(self, *, readable: bool, writable: bool) -> None:
        """Read, publish and write what is due."""
        if readable and self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return
        if self.accepted and self._goodbye_ns is None:
            self._publish()
        if writable:
            self._client.loop_write()
        self._client.loop_misc()

    def stalled(self) -> str:
        """Say why the connection should be dropped although it seems to live, or ""."""
        idle_s = (self._clock.now().boottime_ns - self._progress_ns) / 1e9
        if not self.accepted and idle_s > self._settings.connect_s:
            return f"{self._settings.address} took the connection but did not answer CONNECT"
        if self._in_flight and idle_s > self._settings.stall_s:
            return f"{self._settings.address} acknowledged nothing for {idle_s:.0f} s"
        return ""

    def say_goodbye(self) -> None:
        """Publish the retained "offline", then disconnect once it is acknowledged; safe to repeat."""
        if not self.accepted or self._goodbye_ns is not None:
            return
        self._goodbye_ns = self._clock.now().boottime_ns
        self._goodbye_mid = self._publish_state(Presence.OFFLINE)

    def finished(self) -> bool:
        """Whether the goodbye is over: acknowledged, refused by the socket, or out of time."""
        if self._goodbye_ns is None:
            return True
        waited_s = (self._clock.now().boottime_ns - self._goodbye_ns) / 1e9
        if self._goodbye_mid in self._in_flight and waited_s < self._settings.goodbye_s:
            return False
        self._client.disconnect()
        return True

    def drop(self) -> None:
        """Close the socket and forget what was handed over; it is all in the outbox."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()
        self.outgoing.clear()

    def _make_client(self) -> mqtt.Client:
        settings, origin = self._settings, self._topics.origin
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"mall-edge-{origin.site}-{origin.edge}",
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = settings.connect_s
        client.max_inflight_messages_set(0)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        client.will_set(self._topics.state, encode_presence(Presence.LOST, self._session), 1, True)
        client.on_socket_open = _without_delay
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_message = self._arrived
        return client

    def _publish(self) -> None:
        while self.outgoing and len(self._in_flight) < self._limit:
            oldest, message = self.outgoing.popleft()
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.ContentType = CONTENT_TYPE
            properties.UserProperty = [
                ("id", message.event_id),
                ("type", event_type(EventKind(message.kind))),
                ("source", message.source),
                ("sequence", str(message.sequence)),
                ("oldest", str(oldest)),
            ]
            if not self._in_flight:
                self._progress_ns = self._clock.now().boottime_ns
            info = self._client.publish(
                self._topics.event(message.kind), message.body, qos=1, properties=properties
            )
            self._in_flight.add(info.mid)
            self.published += 1

    def _publish_state(self, presence: Presence) -> int:
        payload = encode_presence(presence, self._session)
        info = self._client.publish(self._topics.state, payload, qos=1, retain=True)
        self._in_flight.add(info.mid)
        return info.mid

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.ended = f"{self._settings.address} refused this box: {reason}"
            return
        receive_maximum = getattr(properties, "ReceiveMaximum", None)
        if receive_maximum:
            self._limit = min(self._settings.window, int(receive_maximum))
        now_ns = self._clock.now().boottime_ns
        self.since_ns = self._progress_ns = now_ns
        client.subscribe(self._topics.acks, qos=1)
        self._publish_state(Presence.ONLINE)
        self.accepted = True
        self._wake.set()

    def _disconnected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if not self.ended:
            who = "the broker ended the connection" if flags.is_disconnect_packet_from_server else "lost"
            self.ended = f"{self._settings.address}: {who} ({reason})"

    def _published(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._in_flight.discard(mid)
        self._progress_ns = self._clock.now().boottime_ns
        if reason.value == 0:
            self.complaint = ""
        else:
            self.refused += 1
            self.complaint = _COMPLAINTS.get(reason.value, f"the broker refused an event: {reason}")
        if len(self._in_flight) <= self._limit // 2:
            self._wake.set()

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        self._on_ack(bytes(message.payload))


def _without_delay(client: mqtt.Client, userdata: object, sock: mqtt.SocketLike) -> None:
    """Send small packets at once: with Nagle's algorithm an event waited 88 ms for its ack, not 4."""
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
