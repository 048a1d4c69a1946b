"""The simulated cameras, written from the makers' documents, against the door that real cameras post to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from devices.camera.pushed import (
    BoardOnCamera,
    DahuaSpeech,
    HikvisionSpeech,
    PushedCamera,
    Speech,
    VzicomSpeech,
)
from edge.web.camera.door import BoundCamera, token_digest
from sim.cameras.dahua import DahuaHabits, SimDahua
from sim.cameras.hikvision import HikvisionHabits, SimHikvision
from sim.cameras.sight import Read, misread
from sim.cameras.vzicom import CameraActions, SimVzicom, VzicomHabits
from sim.clocks import unix_ms
from sim.display import SimBoard
from tests.integration.camera_lane import TOKEN, Site, site

PATIENCE_S = 20.0


@dataclass(slots=True)
class Wired:
    """What hangs on a camera."""

    opened: list[int] = field(default_factory=list)
    board: SimBoard = field(default_factory=SimBoard)

    def actions(self) -> CameraActions:
        return CameraActions(lambda: self.opened.append(1), lambda data: void(self.board.receive(data)))


def void(_: bytes) -> None:
    """A camera does not look at what its board answers."""


def read(number: int, text: str = "粤B12345") -> Read:
    return Read(text, number, unix_ms())


def eventually(holds: Callable[[], bool]) -> bool:
    """Poll until it holds or patience ends."""
    for _ in range(int(PATIENCE_S / 0.02)):
        if holds():
            return True
        threading.Event().wait(0.02)
    return False


def lane_with(speech: Speech, board: BoardOnCamera | None = None, serial: str = "") -> BoundCamera:
    camera = PushedCamera("in-1", speech, board)
    return BoundCamera("in-1", "in", camera, token_digest(TOKEN), "127.0.0.1", serial)


@contextmanager
def vzicom(**habits: object) -> Iterator[tuple[Site, SimVzicom, Wired]]:
    bound = lane_with(VzicomSpeech(), BoardOnCamera(), "fe71e106-57263272")
    with site([bound]) as running:
        url = f"http://127.0.0.1:{running.server.port}/camera/{TOKEN}"
        wired = Wired()
        with SimVzicom(VzicomHabits(url, retry_s=0.05, **habits), unix_ms, wired.actions()) as camera:  # type: ignore[arg-type]
            yield running, camera, wired


def test_a_vzicom_read_opens_the_gate_and_writes_on_the_board_behind_the_camera() -> None:
    with vzicom() as (running, camera, wired):
        camera.see(read(7))
        assert eventually(lambda: wired.opened == [1])
        assert running.lane.opened == ["粤B12345"]
        assert eventually(lambda: wired.board.lines() == ["粤B12345", "请通行"])


def test_an_answer_that_was_not_heard_makes_it_send_again_and_opens_once() -> None:
    with vzicom() as (running, camera, _):
        camera.faults.drop = 2
        camera.see(read(8))
        assert eventually(lambda: camera.counts.answered > 1 and camera.faults.drop == 0)
        assert running.lane.opened == ["粤B12345"]


def test_half_a_body_is_sent_again() -> None:
    with vzicom() as (running, camera, _):
        camera.faults.half = 1
        camera.see(read(9))
        assert eventually(lambda: running.lane.opened == ["粤B12345"])


def test_what_an_outage_kept_comes_newest_first_and_never_opens_and_a_live_read_goes_before() -> None:
    with vzicom(heartbeat_s=0.1) as (running, camera, wired):
        camera.faults.outage = True
        for number in range(4):
            camera.see(read(number, f"粤B0000{number}"))
        assert eventually(lambda: camera.stored() == 4)
        camera.faults.outage = False
        assert eventually(lambda: len(running.lane.reads) == 4)
        assert [seen.plate[-1] for seen in running.lane.reads.values()] == ["3", "2", "1", "0"]
        assert all(seen.backfill for seen in running.lane.reads.values())
        assert not wired.opened


def test_loops_on_the_cameras_inputs_reach_the_lane() -> None:
    with vzicom() as (running, camera, _):
        camera.loop(1, True)
        assert eventually(lambda: [(one.loop, one.occupied) for one in running.lane.loops] == [(1, True)])


def test_a_camera_that_turned_its_clock_says_so_in_its_reads() -> None:
    with vzicom() as (running, camera, _):
        camera.faults.clock_ms = -3_600_000
        camera.see(read(4))
        assert eventually(lambda: len(running.lane.reads) == 1)
        [seen] = running.lane.reads.values()
        assert seen.camera_at_ms is not None
        assert unix_ms() - seen.camera_at_ms >= 3_600_000


@pytest.mark.parametrize("old", [False, True])
def test_a_hikvision_read_arrives_with_its_characters_confidence(old: bool) -> None:
    with site([lane_with(HikvisionSpeech())]) as running:
        url = f"http://127.0.0.1:{running.server.port}/camera/{TOKEN}"
        with SimHikvision(HikvisionHabits(url, old_namespace=old), unix_ms) as camera:
            camera.see(misread(read(3), 5))
            assert eventually(lambda: len(running.lane.reads) == 1)
        [seen] = running.lane.reads.values()
        assert seen.plate != "粤B12345"
        assert len(seen.plate) == 7
        assert min(seen.confidences) == pytest.approx(0.58)


def test_a_dahua_sends_until_it_is_answered_and_opens_by_the_answer() -> None:
    wired = Wired()
    with site([lane_with(DahuaSpeech())]) as running:
        url = f"http://127.0.0.1:{running.server.port}/camera/{TOKEN}"
        with SimDahua(DahuaHabits(url, retry_s=0.05), unix_ms, wired.actions()) as camera:
            running.lane.store_is_down = True
            camera.see(read(5))
            assert eventually(lambda: camera.counts.failed >= 2)
            assert not wired.opened
            running.lane.store_is_down = False
            assert eventually(lambda: wired.opened == [1])


def test_the_oldest_stored_record_gives_way_and_is_counted() -> None:
    camera = SimVzicom(VzicomHabits("http://127.0.0.1:9"), unix_ms)
    for number in range(9_002):
        camera._store(read(number))
    assert (camera.stored(), camera.counts.lost) == (9_000, 2)
