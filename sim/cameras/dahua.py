"""A simulated Dahua ITSAPI camera: posts to TollgateInfo until the answer says Result true, and KeepAlive.

Source: Dahua ITSAPI, NotificationInfo.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sim.cameras.posting import post
from sim.cameras.sight import CameraCounts, CameraFaults, Push, Read
from sim.cameras.vzicom import CameraActions

#: A camera does not keep more than this, and tries one so often.
WAITING = 256
TRIES = 20

COLOURS = {
    "blue": "Blue", "yellow": "Yellow", "white": "White", "black": "Black", "green": "ShadowGreen",
    "green_yellow": "YellowGreen",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DahuaHabits:
    """How it is set. url: what stands before /NotificationInfo. keep_alive_s: between signs of life."""

    url: str
    device_id: str = "7A0123456789"
    keep_alive_s: float = 20.0
    retry_s: float = 1.0


class SimDahua:
    """The camera; it tells its device information first, then reads in order."""

    def __init__(
        self, habits: DahuaHabits, now_ms: Callable[[], int], actions: CameraActions | None = None
    ) -> None:
        self.habits = habits
        self.faults, self.counts = CameraFaults(), CameraCounts()
        self._now_ms, self._actions = now_ms, actions or CameraActions()
        self._waiting: deque[Read] = deque(maxlen=WAITING)
        self._wake, self._stop = threading.Condition(), threading.Event()
        self._thread = threading.Thread(target=self._push, name="sim-dahua", daemon=True)

    def __enter__(self) -> SimDahua:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with self._wake:
            self._wake.notify_all()
        self._thread.join(10)

    def see(self, read: Read) -> None:
        """Report a recognition."""
        with self._wake:
            if len(self._waiting) == WAITING:
                self.counts.lost += 1
            self._waiting.extend([read] * (2 if self.faults.duplicate else 1))
            self._wake.notify_all()

    def _push(self) -> None:
        self._tell(
            "DeviceInfo", {"DeviceID": self.habits.device_id, "DeviceModel": "ITC", "DeviceType": "Tollgate"}
        )
        while not self._stop.is_set():
            with self._wake:
                work = self._wake.wait_for(
                    lambda: bool(self._waiting) or self._stop.is_set(), self.habits.keep_alive_s
                )
                read = self._waiting.popleft() if self._waiting and not self._stop.is_set() else None
            if read is not None:
                self._deliver(read)
            elif not work:
                self._tell("KeepAlive", {"Active": "keepAlive", "DeviceID": self.habits.device_id})

    def _deliver(self, read: Read) -> None:
        if self.faults.delay_s:
            self._stop.wait(self.faults.delay_s)
        for tried in range(TRIES):
            if tried and self._stop.wait(self.habits.retry_s):
                return
            answer = self._tell("TollgateInfo", self.record(read))
            self.counts.last = Push(read, json.dumps(answer).encode() if answer else None)
            if answer.get("Result") is True:
                if answer.get("OpenStrobe") is True:
                    self.counts.opened += 1
                    self._actions.open_gate()
                return
        self.counts.lost += 1

    def _tell(self, what: str, body: Mapping[str, object]) -> Mapping[str, object]:
        raw = json.dumps(body, ensure_ascii=False).encode()
        url = f"{self.habits.url.rstrip('/')}/NotificationInfo/{what}"
        answer = post(url, "application/json", raw, self.faults, self.counts)
        try:
            told = json.loads(answer or b"{}")
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    def record(self, read: Read) -> dict[str, object]:
        """Build the body of TollgateInfo."""
        at = datetime.fromtimestamp((read.at_ms + self.faults.clock_ms) / 1000, UTC) + timedelta(hours=8)
        when = at.strftime("%Y-%m-%d %H:%M:%S")
        plate = {
            "IsExist": bool(read.text), "PlateNumber": read.text,
            "PlateColor": COLOURS.get(read.colour, "Other"),
            "PlateType": "Normal", "Confidence": min(read.confidences, default=97), "Channel": 0,
            "BoundingBox": [1002, 565, 1263, 674], "UploadNum": 1,
        }  # fmt: skip
        snap = {
            "AccurateTime": f"{when}.{at.microsecond // 1000:03d}", "SnapTime": when, "TimeZone": 8,
            "LanNo": 1,
            "DefenceCode": f"{self.habits.device_id}{read.number:08d}", "DeviceID": self.habits.device_id,
            "Direction": "Obverse", "TriggerSource": "Video", "OpenStrobe": False,
        }  # fmt: skip
        picture = {
            "NormalPic": {"PicName": "scene.jpg", "Content": base64.b64encode(read.scene).decode()},
            "CutoutPic": {"PicName": "plate.jpg", "Content": base64.b64encode(read.cut).decode()},
            "Plate": plate, "SnapInfo": snap, "Vehicle": {"VehicleType": "SmallCar", "VehicleColor": "White"},
        }  # fmt: skip
        return {"Picture": picture}
