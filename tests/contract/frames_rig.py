"""A camera that only sees, for the contract of PlateCamera: its pictures and readings given."""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack

import numpy as np

from devices.camera.driver import OpenCvCamera
from devices.camera.pictures import Picture
from devices.camera.plates.camera import FramePlateCamera
from devices.camera.plates.motion import MotionGate, MotionSettings
from devices.camera.plates.passage import PassageSettings
from devices.camera.plates.reader import PlateFound
from devices.camera.sources import Source
from devices.runtime import Backoff

EMPTY = np.full((108, 192, 3), 90, np.uint8)
CAR = EMPTY.copy()
CAR[30:90, 60:140] = 200
BOX = (60, 40, 140, 65)
CORNERS = ((60.0, 40.0), (140.0, 40.0), (140.0, 65.0), (60.0, 65.0))


class Lane:
    """What stands before the camera: nothing, unless a vehicle was sent; and a line that can be cut."""

    live = True

    def __init__(self) -> None:
        self.vehicles: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._left = 0
        self._cut = threading.Event()
        self._pace = threading.Event()

    def come(self) -> None:
        self.vehicles.put(4)

    def lose(self) -> None:
        self._cut.set()

    def open(self, port: str) -> Source:
        self._cut.clear()
        return self

    def next(self) -> Picture | None:
        if self._cut.is_set():
            return None
        self._pace.wait(0.01)
        if self._left == 0 and not self.vehicles.empty():
            self._left = self.vehicles.get()
        self._left = max(0, self._left - 1)
        return CAR if self._left else EMPTY

    def release(self) -> None:
        self._pace.clear()


class Reads:
    """A reader that sees a plate where the car is."""

    def read(self, image: Picture) -> tuple[PlateFound, ...]:
        if int(image[60, 100, 0]) != 200:
            return ()
        return (PlateFound("粤B12345", "civil", "blue", 0.99, (0.99,) * 7, BOX, CORNERS),)


def frames_camera(stack: ExitStack) -> tuple[FramePlateCamera, Lane]:
    """Return the lane's camera and what stands before it."""
    lane = Lane()
    seeing = OpenCvCamera("in-1", "rtsp://lane", backoff=Backoff(0.2, 0.3), opener=lane.open)
    gate = MotionGate(MotionSettings(tail_s=0.05))
    camera = FramePlateCamera("in-1", seeing, Reads(), gate, PassageSettings(gone_ms=60))
    stack.callback(camera.close)
    return camera, lane
