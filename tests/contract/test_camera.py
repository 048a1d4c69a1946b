"""What every Camera promises: the fake and the OpenCV driver over a scripted source, under the same suite."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pytest

from devices.camera.driver import OpenCvCamera
from devices.camera.pictures import Picture
from devices.runtime import Backoff, boottime_ns
from devices.types import DeviceAbsent, Frame, Health
from edge.services.ports import Camera
from sim.fakes.camera import FakeCamera

_PATIENCE_S = 20.0


class _Rig(Protocol):
    """A camera and the hand that holds pictures before it."""

    camera: Camera

    def show(self, image: Picture) -> None: ...
    def unplug(self) -> None: ...
    def plug(self) -> None: ...


class _FakeRig:
    def __init__(self) -> None:
        self._fake = FakeCamera("lane-1")
        self.camera: Camera = self._fake
        self.show = self._fake.show
        self.unplug = self._fake.unplug
        self.plug = self._fake.plug


class _Wire:
    """A live source whose pictures come from the test; None is a lost camera."""

    live = True

    def __init__(self, pictures: queue.Queue[Picture | None]) -> None:
        self._pictures = pictures
        self._lost = False

    def next(self) -> Picture | None:
        if self._lost:
            return None
        picture = self._pictures.get(timeout=_PATIENCE_S)
        self._lost = picture is None
        return picture

    def release(self) -> None:
        self._lost = True


class _DriverRig:
    def __init__(self) -> None:
        self._pictures: queue.Queue[Picture | None] = queue.Queue()
        self._plugged = threading.Event()
        self._plugged.set()
        self._driver = OpenCvCamera("lane-1", "0", backoff=Backoff(0.01, 0.05), opener=self._open)
        self.camera: Camera = self._driver

    def _open(self, port: str) -> _Wire:
        if not self._plugged.is_set():
            raise DeviceAbsent(f"camera {port}: no such device")
        return _Wire(self._pictures)

    def show(self, image: Picture) -> None:
        self._pictures.put(image)

    def unplug(self) -> None:
        self._plugged.clear()
        self._pictures.put(None)

    def plug(self) -> None:
        self._plugged.set()

    def stop(self) -> None:
        self._pictures.put(None)


@pytest.fixture(params=["fake", "driver"])
def rig(request: pytest.FixtureRequest) -> Iterator[_Rig]:
    made: _FakeRig | _DriverRig = _FakeRig() if request.param == "fake" else _DriverRig()
    yield made
    if isinstance(made, _DriverRig):
        made.stop()
    made.camera.close()


def _picture(light: int) -> Picture:
    return np.full((24, 32, 3), light, np.uint8)


def _light(frame: Frame | None) -> int:
    assert frame is not None
    image = frame.image
    assert isinstance(image, np.ndarray)
    return int(image[0, 0, 0])


def _until(camera: Camera, health: Health) -> None:
    deadline_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    while camera.status().health is not health and boottime_ns() < deadline_ns:
        threading.Event().wait(0.005)
    assert camera.status().health is health


def test_a_shown_picture_comes_out_with_its_camera_and_moment(rig: _Rig) -> None:
    before_ns = boottime_ns()
    rig.show(_picture(7))
    frame = rig.camera.frame(_PATIENCE_S)
    assert _light(frame) == 7
    assert frame is not None
    assert frame.device == rig.camera.name == "lane-1"
    assert before_ns <= frame.taken_ns <= boottime_ns()


def test_without_a_picture_it_gives_none_after_the_time_out(rig: _Rig) -> None:
    before_ns = boottime_ns()
    assert rig.camera.frame(0.05) is None
    assert boottime_ns() - before_ns >= 40_000_000


def test_the_newest_picture_replaces_those_nobody_fetched(rig: _Rig) -> None:
    for light in (1, 2, 3):
        rig.show(_picture(light))
    deadline_ns = boottime_ns() + round(_PATIENCE_S * 1e9)
    light = 0
    while light != 3 and boottime_ns() < deadline_ns:
        light = _light(rig.camera.frame(_PATIENCE_S))
    assert light == 3
    assert rig.camera.frame(0.05) is None


def test_a_lost_camera_says_so_and_comes_back(rig: _Rig) -> None:
    rig.show(_picture(1))
    assert _light(rig.camera.frame(_PATIENCE_S)) == 1
    rig.unplug()
    _until(rig.camera, Health.ABSENT)
    rig.plug()
    rig.show(_picture(2))
    assert _light(rig.camera.frame(_PATIENCE_S)) == 2
    assert rig.camera.status().health is Health.CONNECTED
    assert rig.camera.status().reopened == 1


def test_a_closed_camera_gives_nothing_at_once_and_wakes_who_waits(rig: _Rig) -> None:
    answers: list[Frame | None] = []
    waiter = threading.Thread(target=lambda: answers.append(rig.camera.frame(60.0)))
    waiter.start()
    if isinstance(rig, _DriverRig):
        rig.stop()
    rig.camera.close()
    waiter.join(_PATIENCE_S)
    assert answers == [None]
    assert rig.camera.frame(60.0) is None
