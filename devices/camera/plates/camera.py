"""The port PlateCamera over a camera that only sees: its frames are gated, read and voted here.

camera = FramePlateCamera("in-1", OpenCvCamera("in-1", "rtsp://10.0.0.8/main"), PlateReader())
seen = camera.read(1.0)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import cv2
import numpy as np

from devices.camera.pictures import Picture
from devices.camera.plates.localise import rectify, size_of
from devices.camera.plates.motion import WHOLE, LoopGate, MotionGate, Region, crop
from devices.camera.plates.passage import Passage, PassageSettings, PassageVote
from devices.camera.plates.reader import PlateFound
from devices.runtime import boottime_ns
from devices.types import DeviceStatus, Frame, LoopSeen, Photo, PlateSeen

_NS_PER_S = 1_000_000_000
_MOST_WAITING = 16
_SCENE_SIDE = 1280
_JPEG = 85


class FrameSource(Protocol):
    """What OpenCvCamera gives."""

    def frame(self, timeout_s: float) -> Frame | None:
        """Return the newest picture, or None after `timeout_s`."""

    def status(self) -> DeviceStatus:
        """Return the camera's health."""

    def close(self) -> None:
        """Release the camera."""


class Reader(Protocol):
    """What PlateReader gives."""

    def read(self, image: Picture) -> tuple[PlateFound, ...]:
        """Return the plates in a picture, the one that it is about first."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """region: the part of the picture that is this lane. least_width: narrower plates are too far."""

    region: Region = WHOLE
    least_width: int = 60


class FramePlateCamera:
    """One PlateSeen for each vehicle that passes, by the vote of several frames; one caller reads it.

    A loop that is wired to the box may gate instead of motion: give a LoopGate and tell it of the loop. The
    photos are the scene (1280 pixels at most) and the plate of the frame that shows it best, JPEG.
    """

    def __init__(
        self,
        name: str,
        camera: FrameSource,
        reader: Reader,
        gate: MotionGate | LoopGate | None = None,
        passages: PassageSettings | None = None,
        view: LaneView | None = None,
        now_ns: Callable[[], int] = boottime_ns,
    ) -> None:
        """camera: closed by `close`. gate: default is motion in the view's region. now_ns: for time-outs."""
        self.name = name
        self._camera = camera
        self._reader = reader
        self._gate = gate or MotionGate()
        self._passages = PassageVote(passages)
        self._view = view or LaneView()
        self._now_ns = now_ns
        self._waiting: deque[PlateSeen] = deque(maxlen=_MOST_WAITING)

    def read(self, timeout_s: float) -> PlateSeen | LoopSeen | None:
        """Return the next vehicle, or None after `timeout_s` (a frame being read is finished first)."""
        until_ns = self._now_ns() + round(timeout_s * _NS_PER_S)
        while not self._waiting:
            left_s = (until_ns - self._now_ns()) / _NS_PER_S
            if left_s < 0:
                return None
            frame = self._camera.frame(left_s)
            if frame is None:
                self._tell(self._passages.decided(self._now_ns()))
                break
            self._take(frame)
        return self._waiting.popleft() if self._waiting else None

    def done(self, seen: PlateSeen | LoopSeen) -> None:
        """Nothing to do: frames are not sent again."""

    def status(self) -> DeviceStatus:
        """Return the camera's health; callable from any thread."""
        return self._camera.status()

    def close(self) -> None:
        """Release the camera."""
        self._camera.close()

    def _take(self, frame: Frame) -> None:
        part = crop(cast(Picture, frame.image), self._view.region)
        if self._gate.frame(part, frame.taken_ns):
            plates = [one for one in self._reader.read(part) if _width(one) >= self._view.least_width]
            self._passages.frame(plates, frame.taken_ns, part)
        self._tell(self._passages.decided(frame.taken_ns))

    def _tell(self, passages: list[Passage]) -> None:
        for one in passages:
            self._waiting.append(
                PlateSeen(
                    self.name,
                    f"{one.first_ns}",
                    one.plate.text,
                    self._now_ns(),
                    colour=one.plate.colour,
                    confidences=one.plate.confidences,
                    photos=_photos(one),
                )
            )


def _width(plate: PlateFound) -> float:
    return size_of(np.array(plate.corners, np.float32))[0]


def _photos(passage: Passage) -> tuple[Photo, ...]:
    picture = passage.picture
    corners = np.array(passage.plate.corners, np.float32)
    width, height = (max(16, min(640, round(one))) for one in size_of(corners))
    factor = min(1.0, _SCENE_SIDE / max(picture.shape[:2]))
    scene = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = [("scene", cast(Picture, scene)), ("plate", rectify(picture, corners, width, height))]
    return tuple(Photo(kind, data) for kind, one in found if (data := _jpeg(one)))


def _jpeg(picture: Picture) -> bytes:
    good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG])
    return data.tobytes() if good else b""
