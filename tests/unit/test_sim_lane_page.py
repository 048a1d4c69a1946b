"""The page of the lanes: what stands there is what a person would see, and its switches break things."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

import pytest

from sim.cameras.sight import CameraCounts, CameraFaults, Push, Read
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.lane import Car, SimLane
from sim.lane_page import LanePage, draw_lane
from sim.lane_state import SWITCHES, Watched, answer_words
from sim.plates import Plate, PlateKind


@dataclass
class Blind:
    """A camera that tells nobody and gets an answer all the same."""

    faults: CameraFaults = field(default_factory=CameraFaults)
    counts: CameraCounts = field(default_factory=CameraCounts)
    answer: bytes | None = b'{"info": "ok", "voice": "' + b"QUJD" * 40 + b'"}'

    def see(self, read: Read) -> None:
        """Keep it."""
        self.counts.posts += 1
        self.counts.last = Push(read, self.answer)


def lane() -> Watched:
    eye = Blind()
    return Watched(
        SimLane("B1<in>", eye, SimGate(GateHabits(real_time=False)), SimBoard(), lambda: 0), eye, "Vzicom"
    )


def car() -> Car:
    return Car(Plate("粤B12345", PlateKind.BLUE), scene=b"\xff\xd8picture")


@pytest.fixture
def page() -> Iterator[tuple[LanePage, list[Watched]]]:
    lanes = [lane(), lane()]
    with LanePage(lanes) as running:
        yield running, lanes


def get(page: LanePage, path: str) -> bytes:
    with urllib.request.urlopen(page.url + path, timeout=5) as answer:
        return bytes(answer.read())


def post(page: LanePage, path: str) -> int:
    request = urllib.request.Request(page.url + path, b"", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_drawing_shows_car_boom_and_board_and_is_well_formed() -> None:
    road = lane().lane
    road.board.shown[0] = "欢迎光临"
    road.arrive(car())
    road.advance(10)
    drawing = draw_lane(road)
    texts = [one.text for one in ElementTree.fromstring(drawing).iter() if one.text]
    assert {"粤B12345", "欢迎光临", "B1<in>"} <= set(texts)
    assert "道闸: 落下" in drawing
    road.gate.contact(True)
    road.gate.advance(2)
    assert "道闸: 抬起" in draw_lane(road)
    assert "boom: up" in draw_lane(road, "en")


def test_the_state_tells_the_last_push_and_its_answer_in_short(page: tuple[LanePage, list[Watched]]) -> None:
    running, lanes = page
    assert json.loads(get(running, "/state"))[0]["push"] is None
    lanes[0].lane.arrive(car())
    lanes[0].lane.advance(10)
    told = json.loads(get(running, "/state?language=en"))[0]
    assert (told["push"]["text"], told["push"]["trigger"]) == ("粤B12345", "auto")
    assert told["push"]["answer"] == '{"info": "ok", "voice": "QUJDQUJD…"}'
    assert [one["what"] for one in told["happened"]] == ["seen"]
    assert "boom" in told["svg"]
    assert get(running, "/lane/0.jpg") == b"\xff\xd8picture"


def test_a_push_without_an_answer_says_so() -> None:
    assert answer_words(None) is None
    assert answer_words(b"") == ""
    assert len(answer_words(b"ab " * 1000) or "") == 400


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_breaks_one_thing_of_one_lane_and_mends_it(
    name: str, page: tuple[LanePage, list[Watched]]
) -> None:
    running, _ = page
    assert post(running, f"/lane/0/{name}/on") == 200
    first, second = json.loads(get(running, "/state"))
    assert [switch for switch, on in first["switches"].items() if on] == [name]
    assert not any(second["switches"].values())
    assert post(running, f"/lane/0/{name}/off") == 200
    assert not any(json.loads(get(running, "/state"))[0]["switches"].values())


def test_the_next_car_is_misread_once(page: tuple[LanePage, list[Watched]]) -> None:
    running, lanes = page
    post(running, "/lane/0/misread/on")
    for _ in range(2):
        lanes[0].lane.arrive(car())
        lanes[0].lane.gate.contact(True)
        lanes[0].lane.advance(30)
    seen = [one.words for one in lanes[0].lane.happened if one.what == "seen"]
    assert [one == "粤B12345" for one in seen] == [False, True]


def test_the_page_serves_each_lane_and_nothing_else(page: tuple[LanePage, list[Watched]]) -> None:
    running, _ = page
    assert b"<!doctype html>" in get(running, "/?language=en")
    assert get(running, "/lane/1.svg?1").startswith(b"<svg")
    for path in ("/lane/2.svg", "/lane/0.jpg", "/lane/x.svg", "/other"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(running, path)
    assert post(running, "/lane/0/fly/on") == 404
    assert post(running, "/lane/9/outage/on") == 404
