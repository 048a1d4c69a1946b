"""The picture of the lanes: what stands there is what a person would see."""

from __future__ import annotations

import urllib.error
import urllib.request
from xml.etree import ElementTree

import pytest

from sim.cameras.sight import Read
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.lane import Car, SimLane
from sim.lane_page import LanePage, draw_lane
from sim.plates import Plate, PlateKind


class Blind:
    """A camera that tells nobody."""

    def see(self, read: Read) -> None:
        """Keep it."""


def lane() -> SimLane:
    return SimLane("B1<in>", Blind(), SimGate(GateHabits(real_time=False)), SimBoard(), lambda: 0)


def test_the_drawing_shows_car_boom_and_board_and_is_well_formed() -> None:
    road = lane()
    road.board.shown[0] = "欢迎光临"
    road.arrive(Car(Plate("粤B12345", PlateKind.BLUE)))
    road.advance(10)
    drawing = draw_lane(road)
    texts = [one.text for one in ElementTree.fromstring(drawing).iter() if one.text]
    assert {"粤B12345", "欢迎光临", "B1<in>"} <= set(texts)
    assert "落下 down" in drawing
    road.gate.contact(True)
    road.gate.advance(2)
    assert "抬起 up" in draw_lane(road)


def test_the_page_serves_each_lane_and_nothing_else() -> None:
    with LanePage([lane(), lane()]) as page:
        with urllib.request.urlopen(page.url, timeout=5) as answer:
            assert answer.read().decode().count("<img") == 2
        with urllib.request.urlopen(f"{page.url}/lane/1.svg?1", timeout=5) as answer:
            assert answer.headers["Content-Type"] == "image/svg+xml"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{page.url}/lane/2.svg", timeout=5)
