"""The duty over the cameras at lanes: reads that the store could not take, too many pictures, alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import pytest

from devices.runtime import boottime_ns
from devices.types import Health, LoopSeen, Photo, PlateSeen
from edge.duties.watching_cameras import CameraParts, WatchingCameras
from edge.errors import Unavailable
from edge.services.box import Box
from edge.services.lane_answer import LaneAnswer, LaneOutcome
from edge.services.passage_records import CameraClock
from edge.web.camera.door import MANY, BoundCamera, Refused, token_digest
from sim.fakes.box import FakePorts, fake_box
from sim.fakes.photos import FakePhotos
from sim.fakes.plate_camera import FakePlateCamera, FakePushCamera

PICTURE = Photo("scene", b"\xff\xd8" + bytes(98))


@dataclass(slots=True)
class Rig:
    """Two cameras, one asked and one that posts, over a box in memory. fails: how often the store is down."""

    fails: int = 0
    room: bool = True
    taken: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    loops: list[tuple[str, int]] = field(default_factory=list)
    ports: FakePorts = field(default_factory=FakePorts)
    photos: FakePhotos = field(default_factory=FakePhotos)
    asked: FakePlateCamera = field(default_factory=lambda: FakePlateCamera("rear"))
    heard: list[bool | None] = field(default_factory=list)
    posting: FakePushCamera = field(default_factory=lambda: FakePushCamera("front"))
    box: Box = field(init=False)
    duty: WatchingCameras = field(init=False)

    def __post_init__(self) -> None:
        self.box = fake_box(self.ports, lambda workstation: None)
        bound = BoundCamera("front", "in", self.posting, token_digest("t" * 16))
        gated = (("out", lambda occupied, at_ns: self.heard.append(occupied)),)
        parts = CameraParts(
            self.photos, (("out", self.asked),), (bound,), keep_days=3, max_bytes=250, gated=gated
        )
        self.duty = WatchingCameras(self.box, parts, self.see, self.see_loop, lambda: self.room)

    def see(self, box: Box, lane_name: str, seen: PlateSeen, photos: tuple[str, ...]) -> LaneAnswer:
        if self.fails:
            self.fails -= 1
            raise Unavailable("the disk is busy")
        assert seen.photos == (), "pictures must not be held by what is decided"
        self.taken.append((lane_name, seen.plate, photos))
        return LaneAnswer("r", LaneOutcome.OPEN)

    def see_loop(self, lane: str, seen: LoopSeen) -> None:
        self.loops.append((lane, seen.loop))

    def step(self, name: str) -> Callable[[], float]:
        [worker] = [one for one in self.duty.workers() if one.name == name]
        return worker.step

    def status(self, name: str) -> tuple[Health, str]:
        [status] = [one for _, _, one in self.duty.statuses() if one.name == name]
        return status.health, status.detail


@pytest.fixture
def rig() -> Rig:
    return Rig()


def seen(plate: str = "粤B12345") -> PlateSeen:
    return PlateSeen("rear", plate, plate, boottime_ns(), photos=(PICTURE,))


def test_what_an_asked_camera_tells_reaches_its_lane_with_pictures(rig: Rig) -> None:
    rig.asked.see(seen())
    rig.asked.see(LoopSeen("rear", 1, True, boottime_ns()))
    step = rig.step("camera-rear")
    step()
    step()
    [(lane, plate, photos)] = rig.taken
    assert (lane, plate) == ("out", "粤B12345")
    assert rig.photos.fetch(photos[0]) == PICTURE.jpeg
    assert rig.loops == [("out", 1)]


def test_a_camera_hears_that_its_read_is_kept_and_never_of_one_that_was_lost(rig: Rig) -> None:
    rig.fails = 5
    rig.asked.see(seen())
    with pytest.raises(Unavailable):
        rig.step("camera-rear")()
    assert rig.asked.kept == []
    taken = seen("粤B67890")
    rig.asked.see(taken)
    rig.step("camera-rear")()
    assert rig.asked.kept == [taken]


def test_a_gated_camera_hears_of_the_loops_of_its_own_lane(rig: Rig) -> None:
    step = rig.step("camera-rear")
    for loop, occupied in ((0, True), (1, True), (0, False), (1, False)):
        rig.asked.see(LoopSeen("rear", loop, occupied, boottime_ns()))
        step()
    rig.duty.hear_loops("in", True)
    rig.duty.hear_loops("out", None)
    assert rig.heard == [True, True, True, False, None]


def test_a_read_that_the_store_could_not_take_is_tried_again(rig: Rig) -> None:
    rig.fails = 2
    rig.asked.see(seen())
    rig.step("camera-rear")()
    assert len(rig.taken) == 1
    assert rig.status("rear")[0] is Health.CONNECTED


def test_a_read_that_is_lost_at_last_is_told_of_until_one_is_taken(rig: Rig) -> None:
    rig.fails = 5
    rig.asked.see(seen())
    with pytest.raises(Unavailable):
        rig.step("camera-rear")()
    assert rig.status("rear") == (Health.FAULT, "the last read was lost: the disk is busy")
    rig.asked.see(seen("粤B67890"))
    rig.step("camera-rear")()
    assert rig.status("rear")[0] is Health.CONNECTED


def test_without_room_the_read_is_taken_and_its_picture_is_not(rig: Rig) -> None:
    rig.room = False
    rig.asked.see(seen())
    rig.step("camera-rear")()
    assert rig.taken == [("out", "粤B12345", ())]
    assert rig.photos.figures().files == 0


def test_pictures_that_are_too_old_or_too_many_go_and_half_when_the_disk_is_scarce(rig: Rig) -> None:
    for day in range(14, 18):
        rig.photos.keep(date(2001, 11, day), "rear", str(day), (PICTURE,))
    today = rig.ports.clock.now().wall_at
    assert today > 1_100_000_000_000
    rig.photos.keep(date(2100, 1, 1), "rear", "new", (PICTURE,))
    rig.photos.keep(date(2100, 1, 2), "rear", "newer", (PICTURE,))
    tidy = rig.step("photos")
    tidy()
    assert rig.photos.figures().files == 2
    rig.room = False
    tidy()
    assert rig.photos.figures().files == 1


def test_a_clock_that_is_off_is_told_of(rig: Rig) -> None:
    def work(unit: object) -> None:
        unit.plate_reads.set_clock(CameraClock("rear", 3_210, 3_210, 0))  # type: ignore[attr-defined]

    rig.box.store.write(work)
    assert rig.status("rear")[1] == "fake; its clock is 3.2 s behind"


def test_many_refusals_raise_one_alarm_for_hq(rig: Rig) -> None:
    for _ in range(MANY + 5):
        with pytest.raises(Refused):
            rig.duty.door.by_token("wrong", "10.0.0.9")
    waiting = rig.box.store.read(lambda unit: unit.outbox.window(0, 50))
    alarms = [one for one in waiting if one.kind == "alarm.raised"]
    assert len(alarms) == 1
    assert b"10.0.0.9" in alarms[0].body
    assert rig.duty.figures()["camera_posts_refused_total"] == MANY + 5


def test_closing_closes_every_camera(rig: Rig) -> None:
    rig.duty.close()
    assert {status.health for _, _, status in rig.duty.statuses()} == {Health.ABSENT}
