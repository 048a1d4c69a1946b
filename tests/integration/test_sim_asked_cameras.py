"""Simulated cameras that are asked, against the drivers that ask real ones: Digest, stream, barrier."""

from __future__ import annotations

import threading
from typing import Literal

import pytest

from devices.camera.hikvision.gate import CameraAccess, HikvisionGate
from devices.camera.streamed import DAHUA, HIKVISION, StreamedCamera, StreamHabits
from devices.runtime import Backoff
from devices.types import DeviceError, PlateSeen
from sim.cameras.asked import AskedHabits, SimAskedCamera
from sim.cameras.sight import Read
from sim.clocks import unix_ms


def access(camera: SimAskedCamera, password: str = "") -> CameraAccess:
    return CameraAccess(camera.url, "admin", password or camera.habits.password)


@pytest.mark.parametrize(("maker", "habits"), [("hikvision", HIKVISION), ("dahua", DAHUA)])
def test_a_vehicle_comes_over_the_stream(maker: Literal["hikvision", "dahua"], habits: StreamHabits) -> None:
    with SimAskedCamera(maker, AskedHabits(alive_s=0.1), unix_ms) as camera:
        driver = StreamedCamera("out", access(camera), habits, Backoff(0.01, 0.05), Backoff(0.05, 0.1))
        try:
            for _ in range(500):
                if camera.listeners():
                    break
                threading.Event().wait(0.02)
            scene, cut = b"\xff\xd8scene\xff\xd9", b"\xff\xd8cut\xff\xd9"
            camera.see(Read("粤B12345", 8, unix_ms(), scene=scene, cut=cut))
            seen = driver.read(10)
        finally:
            driver.close()
    assert isinstance(seen, PlateSeen)
    assert (seen.plate, seen.colour) == ("粤B12345", "blue")
    assert scene in [one.jpeg for one in seen.photos]


def test_the_barrier_opens_once_for_each_order_over_stale_nonces() -> None:
    with SimAskedCamera("hikvision", AskedHabits(nonce_good_for=1), unix_ms) as camera:
        gate = HikvisionGate("out", access(camera))
        try:
            for _ in range(4):
                gate.pulse()
        finally:
            gate.close()
        assert camera.counts.opened == 4


def test_a_wrong_password_opens_nothing() -> None:
    with SimAskedCamera("hikvision", now_ms=unix_ms) as camera:
        gate = HikvisionGate("out", access(camera, "wrong"))
        try:
            with pytest.raises(DeviceError):
                gate.pulse()
        finally:
            gate.close()
        assert camera.counts.opened == 0
