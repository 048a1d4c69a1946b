"""A simulated 臻识 Vzicom R-series camera that pushes over HTTP and obeys the answers.

    camera = SimVzicom(VzicomHabits("http://127.0.0.1:8080/camera/TOKEN"), now_ms, actions)
    with camera: camera.see(read)

newest first, one at a time, the next only when the answer said ContinuePushOffline; live ones go first.
Source: Vzicom HTTP push protocol 2.1-2.6.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sim.cameras.posting import Part, multipart, post
from sim.cameras.sight import CameraCounts, CameraFaults, Push, Read

COLOURS = {"blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "green_yellow": 6}
KINDS = {
    "blue": 1, "black": 2, "yellow": 3, "yellow_two_rows": 4, "police": 5, "armed_police": 6, "military": 8,
    "embassy": 10, "hong_kong": 11, "learner": 13, "macau": 14, "green": 19, "green_yellow": 20,
    "consulate": 22, "trailer": 4,
}  # fmt: skip
TRIGGERS = {"auto": 1, "loop": 2, "software": 4, "staying": 64, "turned_back": 66}
STORED = 9_000
TRIES = 5
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class VzicomHabits:
    """How it is set. url: where it posts. heartbeat_s: 5 with the offline check, else 30. comet: it asks at
    url + /comet for commands. stores: retransmission is switched on. retry_s: between tries."""

    url: str
    serial: str = "fe71e106-57263272"
    name: str = "R5-V1.0"
    address: str = "192.168.1.50"
    heartbeat_s: float = 5.0
    comet: bool = False
    stores: bool = True
    retry_s: float = _RETRY_S
    old_firmware: bool = False


@dataclass(frozen=True, slots=True)
class CameraActions:
    """What the camera's own wires lead to: the opening contact of a gate, a board on its serial port."""

    open_gate: Callable[[], None] = lambda: None
    serial: Callable[[bytes], None] = lambda _: None


@dataclass(slots=True)
class _Waiting:
    live: deque[Read | dict[str, object]] = field(default_factory=lambda: deque(maxlen=256))
    stored: deque[Read] = field(default_factory=lambda: deque(maxlen=STORED))
    may_continue: bool = True


class SimVzicom:
    """The camera; `see` and `loop` may be called from any thread."""

    def __init__(
        self, habits: VzicomHabits, now_ms: Callable[[], int], actions: CameraActions | None = None
    ) -> None:
        self.habits = habits
        self.faults, self.counts = CameraFaults(), CameraCounts()
        self._now_ms, self._actions = now_ms, actions or CameraActions()
        self._waiting, self._wake = _Waiting(), threading.Condition()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> SimVzicom:
        duties = [self._push, self._beat] + ([self._ask] if self.habits.comet else [])
        self._threads = [threading.Thread(target=duty, name="sim-vzicom", daemon=True) for duty in duties]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(10)

    def see(self, read: Read) -> None:
        """Report a recognition."""
        with self._wake:
            self._waiting.live.extend([read] * (2 if self.faults.duplicate else 1))
            self._wake.notify_all()

    def body(self, read: Read) -> bytes:
        """Return what it posts of a live recognition, for who posts by other means."""
        return json.dumps(self._record(read, False), ensure_ascii=False).encode()

    def loop(self, number: int, occupied: bool) -> None:
        """Report that an input changed; number from 0."""
        result = {"TriggerResult": {"source": number, "value": int(occupied)}}
        with self._wake:
            self._waiting.live.append({"AlarmGioIn": self._head() | {"result": result}})
            self._wake.notify_all()

    def stored(self) -> int:
        """Return how many records wait for the line."""
        with self._wake:
            return len(self._waiting.stored)

    def _push(self) -> None:
        while not self._stop.is_set():
            with self._wake:
                ready = self._wake.wait_for(self._has_work, 0.5)
                item = self._next() if ready and not self._stop.is_set() else None
            if item is not None:
                self._deliver(*item)

    def _has_work(self) -> bool:
        waiting = self._waiting
        backfill = bool(waiting.stored) and waiting.may_continue and not self.faults.outage
        return self._stop.is_set() or bool(waiting.live) or backfill

    def _next(self) -> tuple[Read | dict[str, object], bool]:
        """Return what goes out next and whether it was stored: live records first, then the newest stored."""
        if self._waiting.live:
            return self._waiting.live.popleft(), False
        return self._waiting.stored.pop(), True

    def _deliver(self, item: Read | dict[str, object], offline: bool) -> None:
        if self.faults.delay_s:
            self._stop.wait(self.faults.delay_s)
        body = self._record(item, offline) if isinstance(item, Read) else item
        for tried in range(1 if offline else TRIES):
            if tried and self._stop.wait(self.habits.retry_s):
                break
            if self._obeyed(self._post(body), item if isinstance(item, Read) else None):
                return
        if isinstance(item, Read) and self.habits.stores:
            self._store(item)

    def _store(self, read: Read) -> None:
        with self._wake:
            if len(self._waiting.stored) == STORED:
                self.counts.lost += 1
            self._waiting.stored.append(read)

    def _post(self, body: Mapping[str, object]) -> bytes | None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        return post(self.habits.url, "application/json", raw, self.faults, self.counts)

    def _obeyed(self, answer: bytes | None, read: Read | None) -> bool:
        """Do what an answer says; return whether it is one; a record's must have the Response object."""
        if read is not None:
            self.counts.last = Push(read, answer)
        if answer is None:
            return False
        try:
            told = json.loads(answer or b"{}")
        except ValueError:
            return False
        said = told.get("Response_AlarmInfoPlate") if isinstance(told, dict) else None
        if not isinstance(said, dict):
            return read is None
        self._act(said)
        if read is not None:
            more = said.get("ContinuePushOffline")
            with self._wake:
                self._waiting.may_continue = isinstance(more, dict) and int(more.get("continue", 0)) == 1
        return True

    def _act(self, said: Mapping[str, object]) -> None:
        relay = said.get("ivs_ioctrl")
        pulsed = isinstance(relay, dict) and relay.get("io") == 0 and relay.get("value") in (1, 2)
        if said.get("info") == "ok" or pulsed:
            self.counts.opened += 1
            self._actions.open_gate()
        serial = said.get("serialData")
        for one in serial if isinstance(serial, list) else ():
            data = base64.b64decode(str(one.get("data", "")))
            self._actions.serial(data[: int(one.get("dataLen", len(data)))])

    def _beat(self) -> None:
        """Register at once and again and again; while the line is down stored records may not go on."""
        while True:
            heard = self._registered(self.habits.url)
            with self._wake:
                self._waiting.may_continue = self._waiting.may_continue or heard
                self._wake.notify_all()
            if self._stop.wait(self.habits.heartbeat_s if heard else 1.0):
                return

    def _ask(self) -> None:
        while not self._stop.is_set():
            if not self._registered(self.habits.url.rstrip("/") + "/comet", 25.0) and self._stop.wait(1.0):
                return

    def _registered(self, url: str, timeout_s: float = 5.0) -> bool:
        told = {
            "device_name": self.habits.name, "ipaddr": self.habits.address, "port": "80",
            "user_name": "admin",
            "pass_wd": "sim-not-a-secret", "serialno": self.habits.serial, "channel_num": "1",
        }  # fmt: skip
        kind, body = multipart([Part(name, value.encode()) for name, value in told.items()])
        answer = post(url, kind, body, self.faults, self.counts, timeout_s)
        return self._obeyed(answer, None)

    def _head(self) -> dict[str, object]:
        habits = self.habits
        return {"deviceName": habits.name, "ipaddr": habits.address, "serialno": habits.serial}

    def _record(self, read: Read, offline: bool) -> dict[str, object]:
        """Build AlarmInfoPlate."""
        at_ms = read.at_ms + self.faults.clock_ms
        result: dict[str, object] = {
            "license": read.text or "_无_", "plateid": read.number, "isoffline": int(offline),
            "colorType": COLOURS.get(read.colour, 0), "type": KINDS.get(read.kind, 0) if read.text else 31,
            "confidence": min(read.confidences, default=96), "direction": 4, "carColor": 255,
            "triggerType": TRIGGERS[read.trigger], "is_fake_plate": 0,
            "car_brand": {"brand": 255, "type": 255},
            "location": {"RECT": {"left": 1002, "top": 565, "right": 1263, "bottom": 674}},
            "gioouts": [{"ionum": "0", "ctrltype": 0}], "timeStamp": {"Timeval": _timeval(at_ms)},
            "imageFile": base64.b64encode(read.scene).decode(), "imageFileLen": len(read.scene),
            "imageFragmentFile": base64.b64encode(read.cut).decode(), "imageFragmentFileLen": len(read.cut),
        }  # fmt: skip
        if self.habits.old_firmware:
            result = {
                key: one for key, one in result.items() if key not in ("plateid", "isoffline", "gioouts")
            }
        return {"AlarmInfoPlate": self._head() | {"channel": 0, "result": {"PlateResult": result}}}


def _timeval(at_ms: int) -> dict[str, int]:
    """The camera's local time in parts, and Unix seconds."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=8)
    return {
        "decyear": local.year, "decmon": local.month, "decday": local.day, "dechour": local.hour,
        "decmin": local.minute, "decsec": local.second, "sec": at_ms // 1000, "usec": at_ms % 1000 * 1000,
    }  # fmt: skip
