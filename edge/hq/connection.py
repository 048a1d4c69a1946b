"""One MQTT connection to the broker, from CONNECT to its end; every method but `room`, `say` and
`accepted` is for the link's network thread.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import Invalid
from edge.hq.codec import OwnState, Presence, decode_presence, encode_presence
from edge.hq.properties import event_properties
from edge.hq.remedies import COMPLAINTS, CROWDED, TAKEN_OVER, with_remedy
from edge.hq.segments import Corked, without_delay
from edge.hq.tls import RememberingSocket, TlsFiles, TlsSettings, explain
from edge.hq.topics import Topics
from edge.services.events import Origin
from edge.services.outbox_records import OutboxMessage
from edge.services.ports import Clock

#: Messages beside the events that may wait for the socket, and the reads of one turn.
MAX_SAYINGS = 64
MAX_READS = 256

#: How often one connection says again that this box is online when an old will says otherwise.
MAX_CORRECTIONS = 10


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message from HQ. expiry_s: what is left of its life, None without an end."""

    topic: str
    payload: bytes
    response_topic: str = ""
    correlation: bytes = b""
    expiry_s: int | None = None
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Saying:
    """A message for HQ that is not an event: sent before events, lost with the connection.

    expiry_s: how long brokers may keep it, 0 without an end.
    """

    topic: str
    payload: bytes
    content_type: str = "application/json"
    correlation: bytes = b""
    expiry_s: int = 0


#: What listens to HQ: topic filters and who takes the messages, in the link's thread; must not block.
Listeners = Mapping[str, Callable[[Incoming], None]]


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How to reach the broker. Durations are seconds.

    window: unacknowledged publishes at most, lowered to the broker's Receive Maximum. stall_s: without a
    PUBACK for this long while some are owed, the connection is dropped. first_delay_s, last_delay_s:
    the pause before connecting again doubles between them, and varies by half either way. tls: None
    speaks in the clear.
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
    tls: TlsSettings | None = None

    def __post_init__(self) -> None:
        """Refuse what could not work."""
        if not self.host or not 1 <= self.port <= 65_535:
            raise Invalid(
                f"the broker's address {self.host!r}:{self.port} cannot be used; give host and port"
            )
        if not 1 <= self.window <= 100:
            raise Invalid(f"window must be 1 to 100, got {self.window}; larger ones are slower")
        if not 5 <= self.keepalive_s <= 3_600:
            raise Invalid(f"keepalive_s must be 5 to 3600, got {self.keepalive_s}")
        if min(self.connect_s, self.stall_s, self.goodbye_s) <= 0:
            raise Invalid("connect_s, stall_s and goodbye_s must be above 0")
        if not 0 < self.first_delay_s <= self.last_delay_s:
            raise Invalid("the pauses before connecting again must be above 0 and in order")

    def __repr__(self) -> str:
        """Name the broker and the user, never the password."""
        return f"LinkSettings({self.address}, user {self.username!r})"

    @property
    def address(self) -> str:
        """The broker as host:port."""
        return f"{self.host}:{self.port}"

    @property
    def exposed(self) -> bool:
        """Whether others on the way can read and change what is said."""
        try:
            return self.tls is None and not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.tls is None and self.host != "localhost"


class Connection:
    """One connection. accepted: connected and subscribed, since since_ns. complaint: the last refusal.

    trouble: what a person must put right although the connection stands, "" if nothing.

    later_session: a session of this box, later than this one, that the broker knows; 0 if none.
    crowded: another connection has this box's name.
    """

    def __init__(
        self,
        settings: LinkSettings,
        origin: Origin,
        clock: Clock,
        sessions: tuple[int, int],
        listeners: Listeners,
        wake: threading.Event,
        files: TlsFiles | None = None,
    ) -> None:
        """sessions: the one before and this one. Raises Invalid for unusable certificate files."""
        self.later_session = 0
        self.crowded = False
        self.accepted = False
        self.since_ns = 0
        self.complaint = ""
        self.trouble = ""
        self.ended = ""
        self.published = 0
        self.refused = 0
        #: (the oldest sequence this box can still send, the newest, the message); filled up to `room`.
        self.outgoing: deque[tuple[int, int, OutboxMessage]] = deque()
        self._settings = settings
        self._topics = Topics(origin)
        self._clock = clock
        self._previous, self._session = sessions
        self._listeners = listeners
        self._files = files
        self._wake = wake
        self._limit = settings.window
        self._in_flight: set[int] = set()
        self._sayings: deque[Saying] = deque()
        self._subscribing: dict[int, str] = {}
        self._corrections = 0
        self._birth_due = False
        self._sock: mqtt.SocketLike | None = None
        self._goodbye_mid: int | None = None
        self._goodbye_ns: int | None = None
        self._progress_ns = clock.now().boottime_ns
        #: Whether the broker acknowledged something since the last look at the clock, which costs more.
        self._progressed = False
        self._client = self._make_client()

    def room(self) -> int:
        """How many more messages may be put into `outgoing`; any thread."""
        return max(0, self._limit - len(self.outgoing) - len(self._in_flight))

    def say(self, saying: Saying) -> bool:
        """Send this before the events that wait; return whether there was room. Any thread."""
        if not self.accepted or len(self._sayings) >= MAX_SAYINGS:
            return False
        self._sayings.append(saying)
        return True

    def open(self) -> None:
        """Connect, and agree on TLS; raises OSError when nobody answers within `connect_s` each."""
        self._client.connect(
            self._settings.host, self._settings.port, self._settings.keepalive_s, clean_start=True
        )

    def explain(self, error: OSError) -> str:
        """Say why the connection could not be made or was lost, and what to do."""
        own = self._files.own if self._files else None
        return explain(error, self._settings.address, own, self._clock.now())

    def socket(self) -> mqtt.SocketLike | None:
        """The open socket, None once the connection is gone."""
        return self._client.socket()

    def wants_write(self) -> bool:
        """Whether bytes wait for the socket."""
        return self._client.want_write()

    def work(self, *, readable: bool, writable: bool) -> None:
        """Read, publish and write what is due."""
        if readable and not self._read():
            return
        if self._progressed:
            self._progressed = False
            self._progress_ns = self._clock.now().boottime_ns
        if self.accepted and self._goodbye_ns is None:
            self._publish()
        if writable:
            self._client.loop_write()
        self._client.loop_misc()

    def stalled(self) -> str:
        """Say why the connection should be dropped although it seems to live, or ""."""
        idle_s = (self._clock.now().boottime_ns - self._progress_ns) / 1e9
        address = self._settings.address
        if not self.accepted and idle_s > self._settings.connect_s:
            return f"{address} took the connection but did not answer CONNECT; does the broker hang?"
        if (self._in_flight or self._subscribing) and idle_s > self._settings.stall_s:
            return (
                f"{address} acknowledged nothing for {idle_s:.0f} s; see whether the broker hangs; "
                "events wait in the outbox"
            )
        return ""

    def hang_up(self) -> None:
        """Disconnect in order without a word of presence: a new connection follows at once."""
        self._client.disconnect()

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
        self._sayings.clear()

    def _read(self) -> bool:
        """Read what is there; TLS may hold decrypted bytes that poll(2) does not see."""
        for _ in range(MAX_READS):
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return False
            if not self.unread():
                break
        return True

    def unread(self) -> bool:
        """Whether decrypted bytes wait."""
        sock = self._client.socket()
        return isinstance(sock, RememberingSocket) and sock.pending() > 0

    def _make_client(self) -> mqtt.Client:
        settings, origin = self._settings, self._topics.origin
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"mall-edge.{origin.site}.{origin.edge}",
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = settings.connect_s
        client.max_inflight_messages_set(0)
        if settings.username:
            client.username_pw_set(settings.username, settings.password)
        if self._files is not None:
            client.tls_set_context(self._files.context())
        client.will_set(self._topics.state, encode_presence(Presence.LOST, self._session), 1, True)
        client.on_socket_open = self._opened
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_message = self._arrived
        return client

    def _publish(self) -> None:
        if self._birth_due and len(self._in_flight) < self._limit:
            self._birth_due = False
            self._publish_state(Presence.ONLINE)
        while self._sayings and len(self._in_flight) < self._limit:
            self._say(self._sayings.popleft())
        if self.outgoing and len(self._in_flight) < self._limit:
            with Corked(self._client.socket()):
                self._publish_events()

    def _publish_events(self) -> None:
        while self.outgoing and len(self._in_flight) < self._limit:
            oldest, newest, message = self.outgoing.popleft()
            info = self._client.publish(
                self._topics.event(message.kind),
                message.body,
                qos=1,
                properties=event_properties(message, oldest, newest),
            )
            self._expect(info.mid)
            self.published += 1

    def _say(self, saying: Saying) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.ContentType = saying.content_type
        if saying.correlation:
            properties.CorrelationData = saying.correlation
        if saying.expiry_s:
            properties.MessageExpiryInterval = saying.expiry_s
        info = self._client.publish(saying.topic, saying.payload, qos=1, properties=properties)
        self._expect(info.mid)

    def _publish_state(self, presence: Presence) -> int:
        payload = encode_presence(presence, self._session)
        info = self._client.publish(self._topics.state, payload, qos=1, retain=True)
        self._expect(info.mid)
        return info.mid

    def _expect(self, mid: int) -> None:
        """Wait for the acknowledgement of what was published; after a quiet time the wait begins now."""
        if not self._in_flight:
            self._progress_ns = self._clock.now().boottime_ns
        self._in_flight.add(mid)

    def _connected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self.ended = f"{self._settings.address} refused this box: {with_remedy(reason)}"
            return
        receive_maximum = getattr(properties, "ReceiveMaximum", None)
        if receive_maximum:
            self._limit = min(self._settings.window, int(receive_maximum))
        self._progress_ns = self._clock.now().boottime_ns
        for topic in (*self._listeners, self._topics.state):
            mid = client.subscribe(topic, qos=1)[1]
            if mid is not None:
                self._subscribing[mid] = topic

    def _disconnected(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if self.ended:
            return
        address = self._settings.address
        failure = getattr(self._sock, "failure", None)
        if flags.is_disconnect_packet_from_server:
            self.crowded = reason.value == TAKEN_OVER
            self.ended = f"{address}: the broker ended the connection: {with_remedy(reason)}"
        elif failure is not None:
            self.ended = self.explain(failure)
        elif self.accepted:
            self.ended = f"{address}: lost ({self.trouble or reason})"
        else:
            self.ended = f"{address} hung up before it answered CONNECT; {self._hint()}"

    def _hint(self) -> str:
        if self._files is None:
            return "if the broker wants TLS, set hq.ca_file"
        trouble = self._files.own.trouble(self._clock.now()) if self._files.own else ""
        return trouble or "it may refuse this box's certificate; see the broker's log"

    def _opened(self, client: mqtt.Client, userdata: object, sock: mqtt.SocketLike) -> None:
        self._sock = sock
        without_delay(sock)

    def _subscribed(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        topic = self._subscribing.pop(mid, "")
        if any(reason.is_failure for reason in reasons):
            self.trouble = f"the broker does not let this box read {topic}; check its access rules"
        if topic == self._topics.state:
            # Only now: a birth that overtakes the subscription hides what the broker knew of this box.
            now_ns = self._clock.now().boottime_ns
            self.since_ns = self._progress_ns = now_ns
            self.accepted = self._birth_due = True
            self._wake.set()

    def _published(
        self,
        client: mqtt.Client,
        userdata: object,
        mid: int,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._in_flight.discard(mid)
        self._progressed = True
        if reason.value == 0:
            self.complaint = ""
        else:
            self.refused += 1
            self.complaint = COMPLAINTS.get(reason.value, f"the broker refused an event: {reason}")
        if len(self._in_flight) <= self._limit // 2:
            self._wake.set()

    def _arrived(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:
        incoming = _incoming(message)
        if incoming.topic == self._topics.state:
            self._compare(incoming)
        for wanted, listener in self._listeners.items():
            if mqtt.topic_matches_sub(wanted, incoming.topic):
                listener(incoming)

    def _compare(self, incoming: Incoming) -> None:
        """Correct what the broker retains of this box when an old will or another's word stands there."""
        try:
            state = decode_presence(incoming.payload)
        except Invalid:
            # Somebody else's words on our topic; the birth that follows or followed replaces them.
            state = OwnState(Presence.LOST, 0)
        if state.session > self._session:
            self.later_session = state.session
        elif incoming.retained and 0 < self._previous < state.session < self._session:
            # Mosquitto 2.0 ends the older of two connections without a word, so that this is how it shows.
            self.crowded, self.trouble = True, CROWDED
        elif state.presence is not Presence.ONLINE and not incoming.retained and not self._birth_due:
            self._corrections += 1
            self._birth_due = self._corrections <= MAX_CORRECTIONS


def _incoming(message: mqtt.MQTTMessage) -> Incoming:
    properties = message.properties
    return Incoming(
        message.topic,
        bytes(message.payload),
        str(getattr(properties, "ResponseTopic", "")),
        bytes(getattr(properties, "CorrelationData", b"")),
        getattr(properties, "MessageExpiryInterval", None),
        message.retain,
    )
