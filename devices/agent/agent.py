"""The agent beside a lane: it obeys one box, keeps what was seen until the box has it, and beats.

An opening is done once for each request id, however often the request comes, also over a restart; a request
that was under way too long is refused, so that no gate opens late.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from devices.agent.journal import AgentJournal, Moment
from devices.agent.messages import (
    Op,
    Outcome,
    Reply,
    Request,
    Topics,
    decode_number,
    decode_presence,
    decode_request,
    encode_number,
    encode_presence,
    encode_reply,
    encode_seen,
)
from devices.agent.wire import BrokerSettings, Retained, Wire
from devices.types import (
    DeviceAbsent,
    DeviceError,
    DeviceSilent,
    GateInputs,
    LoopSeen,
    PlateSeen,
)

_log = logging.getLogger(__name__)

#: Requests that wait for one device; the box waits for an answer, so more is a fault.
MAX_WAITING = 16

#: How old a request may be when it is begun, in ms, and by how much a beat may be older than the last.
MAX_REQUEST_MS = 2_000
KEPT_BEATS = 30

BEAT_S = 1.0

#: Seen things under way without an ack, and how long for until they are sent again.
WINDOW = 8
RESEND_S = 3.0

#: After so many seconds without the box the boards ask for patience.
BOX_GONE_S = 10.0
BOX_GONE_LINES = ("系统连接中", "请稍候 Please wait")


class AgentGate(Protocol):
    """A gate that this agent drives."""

    def pulse(self) -> None: ...
    def inputs(self) -> GateInputs: ...


class AgentDisplay(Protocol):
    """A lane's board that this agent drives."""

    def show(self, lines: Sequence[str]) -> None: ...
    def say(self, text: str) -> None: ...


class AgentCounter(Protocol):
    """A space-count board that this agent drives."""

    def show_count(self, free: int) -> None: ...


class AgentCamera(Protocol):
    """A camera that this agent reads."""

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None: ...
    def done(self, seen: PlateSeen | LoopSeen) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AgentDevices:
    """The opened drivers, by name."""

    gates: Mapping[str, AgentGate] = field(default_factory=dict)
    displays: Mapping[str, AgentDisplay] = field(default_factory=dict)
    counters: Mapping[str, AgentCounter] = field(default_factory=dict)
    cameras: Mapping[str, AgentCamera] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """Return the names of what can be asked something."""
        return (*self.gates, *self.displays, *self.counters)


class Agent:
    """One agent; `start` and `close`. now: the machine's moment."""

    def __init__(
        self,
        topics: Topics,
        broker: BrokerSettings,
        devices: AgentDevices,
        journal: AgentJournal,
        now: Callable[[], Moment],
        patience_s: float = BOX_GONE_S,
    ) -> None:
        """Nothing runs before `start`. patience_s: after so long without the box, boards ask for patience."""
        self._patience_s = patience_s
        self._topics, self._devices, self._journal, self._now = topics, devices, journal, now
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._beats: OrderedDict[int, int] = OrderedDict()
        self._beat = 0
        self._box_seen_ns: int | None = None
        self._asked_patience = False
        self._sent: dict[int, int] = {}
        self._queues: dict[str, queue.Queue[Request]] = {
            name: queue.Queue(MAX_WAITING) for name in devices.names()
        }
        session = f"{now().boottime_ns:x}"
        presence = Retained(
            topics.of("state"), encode_presence(True, session), encode_presence(False, session)
        )
        hears = {
            topics.of("requests"): self._on_request,
            topics.of("acks"): self._on_ack,
            topics.of("box"): self._on_box,
        }
        self.wire = Wire(broker, f"mall-agent-{topics.site}-{topics.agent}", presence, hears)
        self._threads = [
            threading.Thread(target=self._beating, name="agent-beat"),
            threading.Thread(target=self._sending, name="agent-send"),
            *(
                threading.Thread(target=self._serving, args=(name,), name=f"agent-{name}")
                for name in self._queues
            ),
            *(
                threading.Thread(target=self._watching, args=(name,), name=f"agent-{name}")
                for name in devices.cameras
            ),
        ]

    def start(self) -> None:
        """Connect and serve."""
        self.wire.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what is begun and end."""
        self._stop.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(10)
        self.wire.close()
        self._journal.close()

    def _on_request(self, raw: bytes) -> None:
        request = decode_request(raw)
        waiting = self._queues.get(request.device)
        if waiting is None:
            known = ", ".join(self._queues) or "none"
            self._answer(_absent(request, f"this agent has no {request.device!r}; it has {known}"))
            return
        try:
            waiting.put_nowait(request)
        except queue.Full:
            self._answer(_absent(request, f"{MAX_WAITING} requests wait for {request.device} already"))

    def _serving(self, name: str) -> None:
        while not self._stop.is_set():
            try:
                request = self._queues[name].get(timeout=0.5)
            except queue.Empty:
                continue
            self._answer(self._obey(request))

    def _obey(self, request: Request) -> Reply:
        late_ms = self._age_ms(request)
        if late_ms is None or late_ms > MAX_REQUEST_MS:
            old = "its beat is not known" if late_ms is None else f"it took {late_ms} ms to come"
            return _absent(request, f"{request.op} is refused as too late: {old}")
        if request.op is not Op.PULSE:
            return self._done(request)
        before = self._journal.begin(request.request_id)
        if before is not None:
            return before
        reply = self._done(request)
        self._journal.end(reply)
        return reply

    def _done(self, request: Request) -> Reply:
        try:
            return Reply(request.request_id, Outcome.DONE, inputs=self._do(request))
        except DeviceSilent as error:
            return Reply(request.request_id, Outcome.SILENT, str(error))
        except DeviceError as error:
            return _absent(request, str(error))

    def _do(self, request: Request) -> GateInputs | None:
        name, devices = request.device, self._devices
        if request.op is Op.INPUTS and name in devices.gates:
            return devices.gates[name].inputs()
        if request.op is Op.PULSE and name in devices.gates:
            devices.gates[name].pulse()
        elif request.op is Op.SHOW and name in devices.displays:
            devices.displays[name].show(request.lines)
        elif request.op is Op.SAY and name in devices.displays:
            devices.displays[name].say(" ".join(request.lines))
        elif request.op is Op.COUNT and name in devices.counters:
            devices.counters[name].show_count(request.count)
        else:
            raise DeviceAbsent(f"{name} cannot {request.op}")
        return None

    def _answer(self, reply: Reply) -> None:
        self.wire.say(self._topics.of("replies"), encode_reply(reply))

    def _age_ms(self, request: Request) -> int | None:
        """Return how old a request is at most: since its beat left here, less what the box had it for."""
        sent_ns = self._beats.get(request.beat)
        if sent_ns is None:
            return None
        return (self._now().boottime_ns - sent_ns) // 1_000_000 - request.after_ms

    def _beating(self) -> None:
        while not self._stop.is_set():
            self._beat += 1
            self._beats[self._beat] = self._now().boottime_ns
            while len(self._beats) > KEPT_BEATS:
                self._beats.popitem(last=False)
            self.wire.say(self._topics.of("beats"), encode_number(self._beat))
            self._mind_the_box()
            self._stop.wait(BEAT_S)

    def _on_box(self, raw: bytes) -> None:
        online, _ = decode_presence(raw)
        self._box_seen_ns = None if online else self._now().boottime_ns
        if online:
            self._asked_patience = False
            # Whatever was under way to a box before this one is sent again at once.
            self._sent.clear()
            self._wake.set()

    def _mind_the_box(self) -> None:
        """Ask for patience on the boards once the box, or the broker, is gone for long."""
        now_ns = self._now().boottime_ns
        if self.wire.connected and self._box_seen_ns is None:
            return
        if self._box_seen_ns is None:
            self._box_seen_ns = now_ns
        if self._asked_patience or now_ns - self._box_seen_ns < self._patience_s * 1e9:
            return
        self._asked_patience = True
        for name, display in self._devices.displays.items():
            try:
                display.show(BOX_GONE_LINES)
            except DeviceError as error:
                _log.warning("%s: %s", name, error)

    def _watching(self, name: str) -> None:
        while not self._stop.is_set():
            what = self._devices.cameras[name].read(0.5)
            if what is not None:
                self._journal.keep(what, self._now())
                self._devices.cameras[name].done(what)
                self._wake.set()

    def _on_ack(self, raw: bytes) -> None:
        seq = decode_number(raw)
        self._journal.acked(seq)
        self._sent.pop(seq, None)
        self._wake.set()

    def _sending(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(RESEND_S / 3)
            self._wake.clear()
            if self.wire.connected:
                self._send_waiting()

    def _send_waiting(self) -> None:
        now = self._now()
        for seen in self._journal.waiting(0, WINDOW, now):
            sent_ns = self._sent.get(seen.seq)
            if sent_ns is not None and now.boottime_ns - sent_ns < RESEND_S * 1e9:
                continue
            if self.wire.say(self._topics.of("seen"), encode_seen(seen)):
                self._sent[seen.seq] = now.boottime_ns


def _absent(request: Request, detail: str) -> Reply:
    return Reply(request.request_id, Outcome.ABSENT, detail)
