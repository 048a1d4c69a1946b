"""The box's side: gates, boards and cameras of an agent beside the lane, behind the usual ports.

link = AgentLink(Topics("mall-1", "lane-out"), BrokerSettings(), boot_id)
gate = RemoteGate("out-1", link); link.start()
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

from devices.agent.messages import (
    Op,
    Outcome,
    Reply,
    Request,
    Seen,
    Topics,
    decode_number,
    decode_presence,
    decode_reply,
    decode_seen,
    encode_number,
    encode_presence,
    encode_request,
)
from devices.agent.wire import BrokerSettings, Retained, Wire
from devices.runtime import HealthRecord, boottime_ns
from devices.types import (
    DeviceAbsent,
    DeviceError,
    DeviceSilent,
    DeviceStatus,
    GateInputs,
    Health,
    LoopSeen,
    PlateSeen,
)

#: Without a beat for so long an agent is taken for dead.
BEAT_LOST_S = 3.5

#: How long one try of a request waits, and how often it is sent, with the same id.
TRY_S = 1.5
TRIES = 2

#: Seen things that wait to be fetched; more are sent again by the agent.
MAX_SEEN = 64


class AgentLink:
    """One agent as its box sees it; thread safe. Requests of several devices run side by side."""

    def __init__(
        self,
        topics: Topics,
        broker: BrokerSettings,
        session: str,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """session: another one for each start of the box, so that ids of requests never come again."""
        self.topics = topics
        self._session, self._now_ns = session, now_ns
        self._changed = threading.Condition()
        self._number = 0
        self._online = False
        self._beat = (0, 0)
        self._replies: dict[str, Reply | None] = {}
        self._seen: dict[str, deque[Seen]] = {}
        presence = Retained(topics.of("box"), encode_presence(True, session), encode_presence(False, session))
        hears = {
            topics.of("replies"): self._on_reply,
            topics.of("seen"): self._on_seen,
            topics.of("beats"): self._on_beat,
            topics.of("state"): self._on_state,
        }
        self._wire = Wire(broker, f"mall-box-{topics.site}-{topics.agent}", presence, hears)

    def start(self) -> None:
        """Connect in the background, and again for ever. What cannot be, `why_absent` tells."""
        try:
            self._wire.start()
        except DeviceError as error:
            # A lane without its agent is no reason to stop the tills of the same box.
            self._wire.detail = str(error)

    def close(self) -> None:
        """End; whoever waits is told at once."""
        self._wire.close()
        with self._changed:
            self._online = False
            self._changed.notify_all()

    def why_absent(self) -> str:
        """Return why the agent cannot be asked now, "" when it can."""
        if not self._wire.connected:
            return f"agent {self.topics.agent}: {self._wire.detail}"
        if not self._online:
            return f"agent {self.topics.agent} is not online; check its power and network"
        if not self._beat[0] or self._now_ns() - self._beat[1] > BEAT_LOST_S * 1e9:
            return f"agent {self.topics.agent} does not beat any more; it may hang, or its network is slow"
        return ""

    def await_ready(self, timeout_s: float) -> bool:
        """Wait until the agent can be asked; return whether it can."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.why_absent(), timeout_s)

    def call(self, device: str, op: Op, lines: Sequence[str] = (), count: int = 0) -> Reply:
        """Have a device do something; raise DeviceAbsent (surely not done) or DeviceSilent (nobody knows)."""
        with self._changed:
            self._number += 1
            request_id = f"{self._session}-{self._number}"
            self._replies[request_id] = None
        try:
            return self._checked(self._asked(request_id, device, op, tuple(lines), count))
        finally:
            with self._changed:
                del self._replies[request_id]

    def read(self, camera: str, timeout_s: float) -> Seen | None:
        """Return the next thing a camera saw, None after `timeout_s`; the agent keeps it until `ack`."""
        with self._changed:
            waiting = self._seen.setdefault(camera, deque(maxlen=MAX_SEEN))
            self._changed.wait_for(lambda: bool(waiting), timeout_s)
            return waiting.popleft() if waiting else None

    def ack(self, seen: Seen) -> None:
        """Tell the agent that something seen is safe here."""
        self._wire.say(self.topics.of("acks"), encode_number(seen.seq))

    def _asked(self, request_id: str, device: str, op: Op, lines: tuple[str, ...], count: int) -> Reply:
        sent = False
        for _ in range(TRIES):
            why = self.why_absent()
            if not why:
                beat, heard_ns = self._beat
                after_ms = (self._now_ns() - heard_ns) // 1_000_000
                request = Request(request_id, device, op, beat, after_ms, lines, count)
                # Bytes that went into a socket may arrive, whatever is said of the connection afterwards.
                sent = self._wire.say(self.topics.of("requests"), encode_request(request)) or sent
            if not sent:
                raise DeviceAbsent(why or f"agent {self.topics.agent}: nothing could be sent")
            with self._changed:
                self._changed.wait_for(lambda: self._replies[request_id] is not None, TRY_S)
                reply = self._replies[request_id]
            if reply is not None:
                return reply
        raise DeviceSilent(
            f"agent {self.topics.agent} said nothing of {device} in {TRIES * TRY_S:g} s; look at the lane"
        )

    def _checked(self, reply: Reply) -> Reply:
        if reply.outcome is Outcome.ABSENT:
            raise DeviceAbsent(reply.detail)
        if reply.outcome is Outcome.SILENT:
            raise DeviceSilent(reply.detail)
        return reply

    def _on_reply(self, raw: bytes) -> None:
        reply = decode_reply(raw)
        with self._changed:
            if reply.request_id in self._replies:
                self._replies[reply.request_id] = reply
                self._changed.notify_all()

    def _on_seen(self, raw: bytes) -> None:
        seen = decode_seen(raw, self._now_ns())
        with self._changed:
            waiting = self._seen.setdefault(seen.what.device, deque(maxlen=MAX_SEEN))
            if len(waiting) < MAX_SEEN and all(one.seq != seen.seq for one in waiting):
                waiting.append(seen)
                self._changed.notify_all()

    def _on_beat(self, raw: bytes) -> None:
        number = decode_number(raw)
        with self._changed:
            self._beat = (number, self._now_ns())
            self._changed.notify_all()

    def _on_state(self, raw: bytes) -> None:
        online, _ = decode_presence(raw)
        with self._changed:
            # The beats of an agent that began anew count from one again: the old ones mean nothing to it.
            self._online, self._beat = online, (0, 0)
            self._changed.notify_all()


class _Device:
    """What every device of an agent has: a name, a way to it, and how it last was."""

    kind = "device"

    def __init__(self, name: str, link: AgentLink) -> None:
        """Ask nothing yet."""
        self.name = name
        self._link = link
        self._health = HealthRecord(name, self.kind, f"agent {link.topics.agent}")
        self._closed = threading.Event()

    def status(self) -> DeviceStatus:
        """Return the health as of the last call; ABSENT while the agent cannot be asked."""
        why = self._link.why_absent()
        if why and self._health.status().health is Health.CONNECTED:
            self._health.absent(why)
        elif not why and self._health.status().health is Health.STARTING:
            self._health.connected("its agent is online")
        return self._health.status()

    def close(self) -> None:
        """Ask nothing any more; the link belongs to whoever made it."""
        self._closed.set()
        self._health.absent("closed by this service")

    def _call(self, op: Op, lines: Sequence[str] = (), count: int = 0) -> Reply:
        try:
            if self._closed.is_set():
                raise DeviceAbsent(f"{self.kind} {self.name} was closed")
            reply = self._link.call(self.name, op, lines, count)
        except DeviceAbsent as error:
            self._health.absent(str(error))
            raise
        except DeviceSilent as error:
            self._health.fault(str(error))
            raise
        self._health.heard()
        self._health.connected("ready")
        return reply


class RemoteGate(_Device):
    """Port Gate. A request that is sent again keeps its id: the agent opens once."""

    kind = "gate"

    def pulse(self) -> None:
        """Give one opening pulse; raise DeviceAbsent or DeviceSilent."""
        self._call(Op.PULSE)

    def inputs(self) -> GateInputs:
        """Read loops and limit switches; raise DeviceAbsent or DeviceSilent."""
        inputs = self._call(Op.INPUTS).inputs
        if inputs is None:
            raise DeviceSilent(f"the agent said nothing of the inputs of gate {self.name}")
        return inputs


class RemoteDisplay(_Device):
    """Port Display."""

    kind = "display"

    def show(self, lines: Sequence[str]) -> None:
        """Show lines; raise DeviceAbsent or DeviceSilent."""
        self._call(Op.SHOW, lines)

    def say(self, text: str) -> None:
        """Speak; raise DeviceAbsent or DeviceSilent."""
        self._call(Op.SAY, (text,))


class RemoteCounter(_Device):
    """Port SpaceBoard."""

    kind = "space board"

    def show_count(self, free: int) -> None:
        """Show free spaces; raise DeviceAbsent or DeviceSilent."""
        self._call(Op.COUNT, count=max(0, free))


class RemoteCamera(_Device):
    """Port PlateCamera; what was read and not `done` comes again once the agent or this box begins anew."""

    kind = "camera"

    def __init__(self, name: str, link: AgentLink) -> None:
        """Ask nothing yet."""
        super().__init__(name, link)
        self._taken: deque[Seen] = deque(maxlen=MAX_SEEN)

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the next read, None after `timeout_s`."""
        seen = self._link.read(self.name, timeout_s)
        if seen is None:
            return None
        self._taken.append(seen)
        self._health.heard()
        return seen.what

    def done(self, what: PlateSeen | LoopSeen) -> None:
        """Acknowledge a read: it is kept here."""
        for seen in tuple(self._taken):
            if seen.what == what:
                self._link.ack(seen)
                self._taken.remove(seen)
