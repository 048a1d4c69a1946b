"""Port PlateCamera: the same promises from the fake, frames read here, and streams over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from devices.camera.hikvision.gate import CameraAccess
from devices.camera.streamed import DAHUA, HIKVISION, MOST_WAITING, StreamedCamera, StreamHabits
from devices.runtime import Backoff, boottime_ns
from devices.types import Health, PlateSeen
from edge.services.camera_ports import PlateCamera
from sim.fakes.plate_camera import FakePlateCamera
from tests.contract.camera_server import PASSWORD, USER, CameraServer
from tests.contract.frames_rig import frames_camera

PATIENCE_S = 20.0
FOLDER = Path(__file__).parents[2] / "devices/camera"


@dataclass(frozen=True, slots=True)
class Rig:
    """A camera and a vehicle that comes by; lose and mend cut its line."""

    camera: PlateCamera
    come: Callable[[], object]
    lose: Callable[[], object]
    mend: Callable[[], object]


def fake_rig(_stack: ExitStack) -> Rig:
    fake = FakePlateCamera("in-1")
    seen = PlateSeen("in-1", "k", "粤B12345", boottime_ns())
    return Rig(fake, lambda: fake.see(seen), fake.lose, fake.return_)


def hikvision_parts() -> bytes:
    form = (FOLDER / "hikvision/captures/push_hikvision.form").read_bytes()
    loss = (FOLDER / "hikvision/captures/videoloss.xml").read_bytes()
    return (
        form.removesuffix(b"--boundary--\r\n") + b"--boundary\r\nContent-Type: text/xml\r\n\r\n%s\r\n" % loss
    )


def dahua_parts() -> bytes:
    data = (FOLDER / "dahua/captures/stream.bin").read_bytes()
    return data[: data.index(b"nearly\xff\xd9") + 10]


def stream_rig(habits: StreamHabits, parts: bytes, stack: ExitStack) -> Rig:
    server = CameraServer(habits.boundary)
    stack.callback(server.stop)
    access = CameraAccess(server.url, USER, PASSWORD)
    camera = StreamedCamera("in-1", access, habits, Backoff(0.01, 0.05), Backoff(0.01, 0.05))
    stack.callback(camera.close)
    return Rig(camera, lambda: server.stream.put(parts), lambda: server.stream.put(None), lambda: None)


def frames_rig(stack: ExitStack) -> Rig:
    camera, lane = frames_camera(stack)
    return Rig(camera, lane.come, lane.lose, lambda: None)


RIGS: dict[str, Callable[[ExitStack], Rig]] = {
    "fake": fake_rig,
    "hikvision": lambda stack: stream_rig(HIKVISION, hikvision_parts(), stack),
    "frames": frames_rig,
    "dahua": lambda stack: stream_rig(DAHUA, dahua_parts(), stack),
}


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:
        yield RIGS[request.param](stack)


def until(true: Callable[[], bool]) -> None:
    pause, deadline_ns = threading.Event(), boottime_ns() + round(PATIENCE_S * 1e9)
    while not true():
        assert boottime_ns() < deadline_ns, "it did not come true in time"
        pause.wait(0.01)


def test_a_vehicle_that_comes_is_read_once(rig: Rig) -> None:
    rig.come()
    seen = rig.camera.read(PATIENCE_S)
    assert isinstance(seen, PlateSeen)
    assert (seen.device, seen.plate) == ("in-1", "粤B12345")
    assert rig.camera.read(0.02) is None
    assert rig.camera.status().health is Health.CONNECTED
    assert rig.camera.status().last_heard_ns is not None


def test_nothing_comes_in_time_without_a_vehicle(rig: Rig) -> None:
    before = boottime_ns()
    assert rig.camera.read(0.05) is None
    assert boottime_ns() - before >= 45_000_000


def test_a_lost_line_comes_back_by_itself(rig: Rig) -> None:
    rig.come()
    assert rig.camera.read(PATIENCE_S) is not None
    rig.lose()
    rig.mend()
    until(lambda: rig.camera.status().health is Health.CONNECTED and rig.camera.status().reopened > 0)
    rig.come()
    assert rig.camera.read(PATIENCE_S) is not None


def test_closing_ends_a_read_that_waits(rig: Rig) -> None:
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(rig.camera.read(60.0)))
    reader.start()
    rig.camera.close()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert found == [None]
    assert rig.camera.status().health is Health.ABSENT


def test_pictures_belong_to_the_vehicle_they_were_announced_with() -> None:
    with ExitStack() as stack:
        rig = stream_rig(HIKVISION, hikvision_parts(), stack)
        rig.come()
        seen = rig.camera.read(PATIENCE_S)
        assert isinstance(seen, PlateSeen)
        assert [one.kind for one in seen.photos] == ["scene", "plate"]


def test_an_event_that_is_broken_costs_itself_alone() -> None:
    with ExitStack() as stack:
        head = b"--boundary\r\nContent-Type: text/xml\r\n\r\n"
        broken = head + b"<EventNotificationAlert><a></EventNotificationAlert>\r\n"
        rig = stream_rig(HIKVISION, broken + hikvision_parts(), stack)
        rig.come()
        assert rig.camera.read(PATIENCE_S) is not None
        assert "could not be read" in rig.camera.status().detail
        assert rig.camera.status().reopened == 0


def test_reads_that_nobody_fetches_are_limited_and_the_oldest_go() -> None:
    with ExitStack() as stack:
        rig = stream_rig(DAHUA, dahua_parts(), stack)
        for _ in range(MOST_WAITING + 3):
            rig.come()
        until(lambda: "3 reads were not fetched" in rig.camera.status().detail)
        assert sum(rig.camera.read(0.0) is not None for _ in range(MOST_WAITING + 3)) == MOST_WAITING


def test_an_event_half_told_by_a_stream_that_broke_is_read() -> None:
    form = (FOLDER / "hikvision/captures/push_isapi.form").read_bytes()
    with ExitStack() as stack:
        rig = stream_rig(HIKVISION, form[: form.index(b"--boundary", 20)] + b"--boundary\r\n", stack)
        rig.come()
        rig.lose()
        seen = rig.camera.read(PATIENCE_S)
        assert isinstance(seen, PlateSeen)
        assert seen.plate == "粤B12345"


def test_pictures_that_do_not_come_do_not_hold_the_vehicle() -> None:
    xml = (FOLDER / "hikvision/captures/push_isapi.form").read_bytes()
    only_xml = xml[: xml.index(b"--boundary", 20)] + b"--boundary\r\n"
    with ExitStack() as stack:
        rig = stream_rig(HIKVISION, only_xml, stack)
        rig.come()
        seen = rig.camera.read(PATIENCE_S)
        assert isinstance(seen, PlateSeen)
        assert seen.photos == ()


def test_a_wrong_password_is_a_fault_that_names_no_password() -> None:
    with ExitStack() as stack:
        server = CameraServer("boundary")
        stack.callback(server.stop)
        access = CameraAccess(server.url, USER, "wrong-s3cret")
        camera = StreamedCamera("in-1", access, HIKVISION, refused=Backoff(60, 60))
        stack.callback(camera.close)
        until(lambda: camera.status().health is Health.FAULT)
        assert "refused the user and password" in camera.status().detail
        assert "wrong-s3cret" not in repr(camera.status()) + repr(access)
        assert server.connections == 0
