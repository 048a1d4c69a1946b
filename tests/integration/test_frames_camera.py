"""A camera that only sees, end to end: simulated MJPEG over HTTP, OpenCV, our reader, one read a vehicle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devices.camera.driver import OpenCvCamera
from devices.camera.plates.camera import FramePlateCamera
from devices.camera.plates.reader import PlateReader
from devices.camera.plates.recogniser import ModelMissing, model_path
from devices.runtime import Backoff, boottime_ns
from devices.types import Health, PlateSeen
from sim.cameras.frames import FramesConsole, FramesHabits, SimFramesCamera
from sim.plates import FontMissing

PATIENCE_S = 30.0
PLATES = ("粤B12345", "沪AD12345")


@contextmanager
def lane() -> Iterator[tuple[SimFramesCamera, FramePlateCamera]]:
    try:
        model_path()
        sim = SimFramesCamera(FramesHabits(stand_s=2.0, gap_s=0.5))
    except (ModelMissing, FontMissing) as error:
        pytest.skip(str(error))
    with sim:
        seeing = OpenCvCamera("in-1", sim.url, backoff=Backoff(0.1, 0.3))
        camera = FramePlateCamera("in-1", seeing, PlateReader())
        try:
            assert became(camera, Health.CONNECTED)
            yield sim, camera
        finally:
            camera.close()


def became(camera: FramePlateCamera, health: Health) -> bool:
    """Read on until the camera is so, or patience ends."""
    until_ns = boottime_ns() + round(PATIENCE_S * 1e9)
    while camera.status().health is not health and boottime_ns() < until_ns:
        assert camera.read(0.2) is None
    return camera.status().health is health


def reads_until_empty(sim: SimFramesCamera, camera: FramePlateCamera, least: int) -> list[PlateSeen]:
    """Read until the lane was shown empty and `least` vehicles were told, or patience ends."""
    found: list[PlateSeen] = []
    until_ns = boottime_ns() + round(PATIENCE_S * 1e9)
    while boottime_ns() < until_ns and (sim.waiting() or len(found) < least):
        seen = camera.read(0.5)
        if isinstance(seen, PlateSeen):
            found.append(seen)
    last = camera.read(1.0)
    return [*found, last] if isinstance(last, PlateSeen) else found


def test_each_vehicle_that_comes_stands_and_leaves_is_one_right_read_with_its_pictures() -> None:
    with lane() as (sim, camera):
        for plate in PLATES:
            sim.come(plate)
        found = reads_until_empty(sim, camera, len(PLATES))
        assert [one.plate for one in found] == list(PLATES)
        assert [one.colour for one in found] == ["blue", "green"]
        assert {photo.kind for one in found for photo in one.photos} == {"scene", "plate"}
        assert min(min(one.confidences) for one in found) > 0.8


def test_after_an_outage_the_same_camera_is_read_again() -> None:
    with lane() as (sim, camera):
        console = FramesConsole(sim)
        sim.come(PLATES[0])
        assert [one.plate for one in reads_until_empty(sim, camera, 1)] == [PLATES[0]]
        assert camera.status().health is Health.CONNECTED
        assert "outage" in console.command("outage on")
        assert became(camera, Health.ABSENT)
        assert "outage" not in console.command("outage off")
        assert became(camera, Health.CONNECTED)
        assert "to be shown" in console.command(f"come {PLATES[1]}")
        assert [one.plate for one in reads_until_empty(sim, camera, 1)] == [PLATES[1]]


def test_what_the_console_cannot_do_it_says() -> None:
    with lane() as (sim, _):
        console = FramesConsole(sim)
        assert "is no plate of 7 or 8" in console.command("come X")
        assert "unknown: 'fly'" in console.command("fly")
        assert "0 to be shown" in console.command("")
