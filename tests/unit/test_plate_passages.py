"""When frames are read, and when the readings of a vehicle become one read of a lane."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from devices.camera.pictures import Picture
from devices.camera.plates.camera import FramePlateCamera, LaneView
from devices.camera.plates.decode import decode
from devices.camera.plates.motion import LoopGate, MotionGate, MotionSettings
from devices.camera.plates.passage import PassageSettings, PassageVote
from devices.camera.plates.reader import PlateFound
from devices.camera.plates.vote import vote
from devices.runtime import HealthRecord
from devices.types import DeviceStatus, Frame, PlateSeen
from tests.unit.test_plate_grammar import posteriors

MS = 1_000_000
EMPTY = np.full((108, 192, 3), 90, np.uint8)


def with_car(grey: int = 200) -> Picture:
    picture = EMPTY.copy()
    picture[40:90, 60:140] = grey
    return picture


def found(text: str, sure: float = 0.95, left: int = 60) -> PlateFound:
    verdict = vote([decode(posteriors(text, sure))])
    assert verdict is not None
    corners = ((left, 40.0), (left + 80.0, 40.0), (left + 80.0, 65.0), (left, 65.0))
    box = (left, 40, left + 80, 65)
    return PlateFound(
        verdict.text, "civil", "blue", verdict.confidence, verdict.confidences, box, corners, 1, verdict
    )


class Frames:
    """A camera of given frames, 100 ms apart."""

    def __init__(self, pictures: list[Picture]) -> None:
        self.left = deque(enumerate(pictures))
        self.now_ns = 0
        self.closed = False

    def frame(self, timeout_s: float) -> Frame | None:
        if not self.left:
            self.now_ns += round(timeout_s * 1000) * MS + 1
            return None
        number, picture = self.left.popleft()
        self.now_ns = number * 100 * MS
        return Frame("in-1", picture, self.now_ns)

    def status(self) -> DeviceStatus:
        return HealthRecord("in-1", "camera", "test", lambda: self.now_ns).status()

    def close(self) -> None:
        self.closed = True


class Answers:
    """A reader that says what the picture's first pixel stands for."""

    def __init__(self, texts: dict[int, str]) -> None:
        self.texts = texts
        self.asked = 0

    def read(self, image: Picture) -> tuple[PlateFound, ...]:
        self.asked += 1
        text = self.texts.get(int(image[60, 100, 0]))
        return (found(text),) if text else ()


def test_an_empty_lane_is_not_read_and_a_vehicle_is() -> None:
    gate = MotionGate(MotionSettings(tail_s=0.2))
    assert gate.frame(EMPTY, 0)
    assert not gate.frame(EMPTY, 300 * MS)
    assert gate.frame(with_car(), 400 * MS)
    assert gate.frame(with_car(), 2000 * MS)
    assert gate.frame(EMPTY, 2100 * MS)
    assert not gate.frame(EMPTY, 2400 * MS)


def test_a_change_of_light_opens_nothing() -> None:
    gate = MotionGate(MotionSettings(tail_s=0.1))
    gate.frame(EMPTY, 0)
    assert not gate.frame(EMPTY + 40, 200 * MS)


def test_what_stands_for_long_becomes_background() -> None:
    gate = MotionGate(MotionSettings(tail_s=0.1, absorb_s=3.0))
    gate.frame(EMPTY, 0)
    opened = [gate.frame(with_car(), second * 500 * MS) for second in range(1, 40)]
    assert opened[0]
    assert not opened[-1]


@pytest.mark.parametrize("region", [(0.5, 0.0, 0.5, 1.0), (0.0, 0.0, 1.2, 1.0)])
def test_a_region_outside_the_picture_is_refused(region: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="region"):
        MotionSettings(region=region)


def test_only_the_lane_s_own_region_opens_its_gate() -> None:
    gate = MotionGate(MotionSettings(region=(0.8, 0.0, 1.0, 1.0), tail_s=0.1))
    gate.frame(EMPTY, 0)
    assert not gate.frame(with_car(), 300 * MS)


def test_a_loop_opens_while_it_is_occupied_and_a_little_longer() -> None:
    gate = LoopGate(tail_s=0.5)
    assert not gate.frame(EMPTY, 0)
    gate.loop(True, 10 * MS)
    assert gate.frame(EMPTY, 9000 * MS)
    gate.loop(False, 9000 * MS)
    assert gate.frame(EMPTY, 9400 * MS)
    assert not gate.frame(EMPTY, 9600 * MS)


def test_while_nobody_knows_of_the_loop_motion_opens() -> None:
    gate = LoopGate(tail_s=0.5, otherwise=MotionGate(MotionSettings(tail_s=0.1)))
    assert gate.frame(EMPTY, 0)
    assert not gate.frame(EMPTY, 300 * MS)
    assert gate.frame(with_car(), 400 * MS)
    gate.loop(False, 450 * MS)
    assert not gate.frame(with_car(), 500 * MS)
    gate.loop(True, 600 * MS)
    assert gate.frame(EMPTY, 700 * MS)
    gate.loop(None, 800 * MS)
    assert gate.frame(with_car(), 900 * MS)
    assert not gate.frame(EMPTY, 1300 * MS)


def test_a_passage_is_told_once_frames_agree_and_only_once() -> None:
    votes = PassageVote()
    votes.frame([found("粤B12345")], 0, EMPTY)
    assert votes.decided(0) == []
    votes.frame([found("粤B12345")], 100 * MS, EMPTY)
    (one,) = votes.decided(100 * MS)
    assert (one.plate.text, one.frames) == ("粤B12345", 2)
    votes.frame([found("粤B12345")], 200 * MS, EMPTY)
    assert votes.decided(200 * MS) == []
    assert votes.rest() == []


def test_frames_that_differ_in_a_character_are_one_vehicle_and_the_vote_decides() -> None:
    votes = PassageVote(PassageSettings(needed=3))
    for number, text in enumerate(["粤B12345", "粤B12845", "粤B12345"]):
        votes.frame([found(text, 0.6 if "8" in text else 0.95)], number * 100 * MS, EMPTY)
    (one,) = votes.decided(5000 * MS)
    assert (one.plate.text, one.frames) == ("粤B12345", 3)


def test_a_doubtful_passage_is_told_when_it_has_taken_long_enough() -> None:
    votes = PassageVote(PassageSettings(hurry_ms=1200))
    votes.frame([found("粤B12345", 0.6)], 0, EMPTY)
    assert votes.decided(1100 * MS) == []
    assert len(votes.decided(1200 * MS)) == 1


def test_a_plate_that_was_gone_and_comes_back_is_a_new_passage() -> None:
    votes = PassageVote(PassageSettings(needed=1, alone=0.5, gone_ms=2000))
    told = []
    for at_ms in (0, 500, 1000, 8000):
        votes.frame([found("粤B12345")], at_ms * MS, EMPTY)
        told.append(len(votes.decided(at_ms * MS)))
    assert told == [1, 0, 0, 1]


def test_another_plate_close_behind_is_another_passage() -> None:
    votes = PassageVote(PassageSettings(needed=1, alone=0.5))
    votes.frame([found("粤B12345")], 0, EMPTY)
    votes.frame([found("沪A99Z88")], 50 * MS, EMPTY)
    assert [one.plate.text for one in votes.decided(50 * MS)] == ["粤B12345", "沪A99Z88"]


def test_the_lane_camera_gives_one_read_with_both_photos_for_each_vehicle() -> None:
    pictures = [EMPTY] * 12 + [with_car(200)] * 5 + [EMPTY] * 60 + [with_car(30)] * 5
    camera, reader = Frames(pictures), Answers({200: "粤B12345", 30: "沪A99Z88"})
    lane = FramePlateCamera("in-1", camera, reader, now_ns=lambda: camera.now_ns)
    first, second = lane.read(60.0), lane.read(60.0)
    assert isinstance(first, PlateSeen)
    assert isinstance(second, PlateSeen)
    assert (first.plate, second.plate) == ("粤B12345", "沪A99Z88")
    assert (first.colour, first.trigger, len(first.confidences)) == ("blue", "auto", 7)
    assert [photo.kind for photo in first.photos] == ["scene", "plate"]
    assert all(photo.jpeg.startswith(b"\xff\xd8") for photo in first.photos)
    assert first.key != second.key
    assert lane.read(0.5) is None
    assert reader.asked < len(pictures) / 2


def test_the_same_vehicle_that_comes_again_is_read_again() -> None:
    pictures = [EMPTY] * 12 + [with_car(200)] * 4 + [EMPTY] * 60 + [with_car(200)] * 4
    camera = Frames(pictures)
    lane = FramePlateCamera("in-1", camera, Answers({200: "粤B12345"}), now_ns=lambda: camera.now_ns)
    plates = [one.plate for one in (lane.read(60.0), lane.read(60.0)) if isinstance(one, PlateSeen)]
    assert plates == ["粤B12345", "粤B12345"]


def test_a_plate_that_is_too_far_away_is_not_told() -> None:
    camera = Frames([with_car(200)] * 5)
    view = LaneView(least_width=120)
    lane = FramePlateCamera(
        "in-1", camera, Answers({200: "粤B12345"}), view=view, now_ns=lambda: camera.now_ns
    )
    assert lane.read(30.0) is None
    lane.close()
    assert camera.closed
