"""A simulated Hikvision camera: it posts ANPR events as multipart, with no password, as such cameras do.

Source: Hikvision ISAPI, EventNotificationAlert.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

from sim.cameras.posting import Part, multipart, post
from sim.cameras.sight import CameraCounts, CameraFaults, Push, Read

_COLOURS = {"green_yellow": "newEnergyYellowGreen", "green": "newEnergyGreen"}
_EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="{namespace}">
<ipAddress>192.168.1.64</ipAddress><protocol>HTTP</protocol><macAddress>{mac}</macAddress>
<channelID>1</channelID><dateTime>{at}</dateTime><activePostCount>1</activePostCount>
<eventType>ANPR</eventType><eventState>active</eventState><eventDescription>ANPR</eventDescription>
<deviceID>{name}</deviceID><channelName>{name}</channelName>
<ANPR><licensePlate>{plate}</licensePlate><line>1</line><direction>forward</direction>
<confidenceLevel>{confidence}</confidenceLevel><plateType>unknown</plateType><plateColor>{colour}</plateColor>
<plateCharBelieve>{believe}</plateCharBelieve><vehicleType>vehicle</vehicleType>
<pictureInfoList>{pictures}</pictureInfoList>
<listType>temporary</listType><originalLicensePlate>{plate}</originalLicensePlate></ANPR>
<UUID>{uuid}</UUID><picNum>{count}</picNum></EventNotificationAlert>
"""


@dataclass(frozen=True, slots=True)
class HikvisionHabits:
    """How it is set. url: where it posts. old_namespace: that of firmware before ISAPI's own."""

    url: str
    name: str = "gate-out-1"
    mac: str = "44:19:b6:00:00:01"
    old_namespace: bool = False
    retry_s: float = 1.0


class SimHikvision:
    """The camera that posts; what does not get through after two tries is lost, as the real one loses it."""

    def __init__(self, habits: HikvisionHabits, now_ms: Callable[[], int]) -> None:
        self.habits = habits
        self.faults, self.counts = CameraFaults(), CameraCounts()
        self._now_ms = now_ms
        self._waiting: deque[Read] = deque(maxlen=256)
        self._wake, self._stop = threading.Condition(), threading.Event()
        self._thread = threading.Thread(target=self._push, name="sim-hikvision", daemon=True)

    def __enter__(self) -> SimHikvision:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._wake:
            self._wake.notify_all()
        self._thread.join(10)

    def see(self, read: Read) -> None:
        """Report a recognition; this maker does not tell of vehicles that turned back."""
        with self._wake:
            if len(self._waiting) == self._waiting.maxlen:
                self.counts.lost += 1
            self._waiting.extend([read] * (2 if self.faults.duplicate else 1))
            self._wake.notify_all()

    def _push(self) -> None:
        while not self._stop.is_set():
            with self._wake:
                self._wake.wait_for(lambda: bool(self._waiting) or self._stop.is_set(), 0.5)
                read = self._waiting.popleft() if self._waiting and not self._stop.is_set() else None
            if read is not None and not self._delivered(read):
                self.counts.lost += 1

    def _delivered(self, read: Read) -> bool:
        if self.faults.delay_s:
            self._stop.wait(self.faults.delay_s)
        kind, body = multipart(event_parts(read, self.habits, self.faults.clock_ms))
        for tried in range(2):
            if tried and self._stop.wait(self.habits.retry_s):
                break
            answer = post(self.habits.url, kind, body, self.faults, self.counts)
            self.counts.last = Push(read, answer)
            if answer is not None:
                return True
        return False


def event_parts(read: Read, habits: HikvisionHabits, clock_ms: int = 0) -> list[Part]:
    """Return the parts of one event: the XML, then the pictures that it names."""
    files = [
        Part(name, body, f"{name}.jpg", "image/jpeg")
        for name, body in (("licensePlatePicture", read.cut), ("detectionPicture", read.scene))
        if body
    ]
    at = datetime.fromtimestamp((read.at_ms + clock_ms) / 1000, UTC) + timedelta(hours=8)
    sure = read.confidences or (97,) * len(read.text)
    told = _EVENT.format(
        namespace=f"http://www.{'hikvision.com' if habits.old_namespace else 'isapi.org'}/ver20/XMLSchema",
        mac=habits.mac,
        at=at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+08:00",
        name=escape(habits.name),
        plate=escape(read.text or "unknown"),
        confidence=min(sure, default=0),
        colour=_COLOURS.get(read.colour, read.colour),
        believe=",".join(str(one) for one in sure),
        pictures="".join(
            f"<pictureInfo><fileName>{one.file}</fileName><type>{one.name}</type></pictureInfo>"
            for one in files
        ),
        uuid=f"{habits.mac.replace(':', '')}-{read.number:012d}",
        count=len(files),
    )
    return [Part("anpr.xml", told.encode(), "anpr.xml", "application/xml"), *files]
