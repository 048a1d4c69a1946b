"""The robot guard over the real staff pages: leaves a question alone, then answers as the page recommends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.guard import RobotGuard, questions_of
from tests.browser.desk_fake import PIN, DeskFake
from tests.unit.lane_rig import IN, OUT, PLATE, LaneRig


@dataclass
class Booth:
    """Two lanes over fakes, the guard's page, and a robot in front of it."""

    rig: LaneRig = field(default_factory=LaneRig)
    said: list[str] = field(default_factory=list)
    desk: DeskFake = field(default_factory=DeskFake)
    plate: str = PLATE

    def __post_init__(self) -> None:
        settings = WebSettings(port=0)
        self.server = WebServer(create_web(self.desk, settings, box_pages(self.rig.box, settings)), settings)
        self.server.start()
        url = f"http://127.0.0.1:{self.server.port}"
        self.guard = RobotGuard(url, PIN, lambda lane: self.plate, self.said.append, patience_s=2.0)

    def stand(self, lane: str, plate: str) -> None:
        self.rig.loops(lane, True, False)
        self.rig.read(lane, plate)
        self.rig.work(lane)

    def asks(self, lane: str) -> bool:
        passage = self.rig.passage(lane)
        return passage is not None and passage.question is not None


@pytest.fixture
def booth() -> Iterator[Booth]:
    made = Booth()
    yield made
    made.desk.changes.close()
    made.server.close()


def test_a_question_is_left_to_people_first_and_then_answered_as_recommended(booth: Booth) -> None:
    stay = booth.rig.come("粤B12845")
    booth.stand(OUT, "粤B1Z8A5")
    assert booth.asks(OUT)
    booth.guard.look(1.0)
    assert booth.asks(OUT)
    assert len(booth.said) == 1
    assert f"guard: {OUT} asks: " in booth.said[0]
    booth.guard.look(1.0)
    assert booth.rig.here(OUT).session_id == stay.session_id
    assert not booth.asks(OUT)
    assert booth.said[1:] == [f"guard: answered {OUT} with 'choose'"]


def test_when_the_page_wants_the_plate_the_guard_types_what_stands_there(booth: Booth) -> None:
    booth.rig.come(PLATE)
    booth.stand(OUT, "京A99999")
    booth.guard.look(2.0)
    assert not booth.asks(OUT)
    assert booth.rig.here(OUT).plate == PLATE
    assert booth.guard.answered == 1


def test_nothing_is_said_or_answered_where_nothing_is_asked(booth: Booth) -> None:
    booth.stand(IN, PLATE)
    booth.guard.look(9.0)
    assert booth.said == []
    assert booth.guard.answered == 0


def test_the_time_that_one_question_waited_is_not_the_next_ones(booth: Booth) -> None:
    booth.stand(OUT, "京A99999")
    booth.guard.look(1.5)
    booth.rig.loops(OUT, False, False)
    booth.rig.wait(OUT, 6)
    assert booth.rig.passage(OUT) is None
    booth.stand(OUT, "京A88888")
    booth.guard.look(1.5)
    assert booth.asks(OUT)
    assert booth.guard.answered == 0
    assert len(booth.said) == 2


def test_a_page_without_a_question_has_none() -> None:
    assert questions_of('<section data-lane="out"><form action="/open"></form></section>') == []
