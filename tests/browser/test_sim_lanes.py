"""The page of the simulated lanes in a real browser: what happens is seen, a button breaks and mends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from sim.cameras.sight import CameraCounts, CameraFaults, Push, Read
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.lane import Car, SimLane
from sim.lane_page import LanePage
from sim.lane_state import Watched
from sim.plates import Plate, PlateKind
from tests.browser.kiosk_page import PHONE, SHOTS


class Eye:
    """A camera that is answered at once and opens."""

    def __init__(self, gate: SimGate) -> None:
        self.faults, self.counts, self._gate = CameraFaults(), CameraCounts(), gate

    def see(self, read: Read) -> None:
        """Open, unless the line is down."""
        answer = None if self.faults.outage else b'{"info": "ok"}'
        self.counts.last = Push(read, answer)
        if answer:
            self._gate.contact(True)
            self._gate.contact(False)


@pytest.fixture
def lane() -> Watched:
    gate = SimGate(GateHabits(real_time=False))
    eye = Eye(gate)
    return Watched(SimLane("B1-in", eye, gate, SimBoard(), lambda: 1_795_300_000_000), eye, "Vzicom")


@pytest.fixture
def served(lane: Watched) -> Iterator[LanePage]:
    with LanePage([lane]) as page:
        yield page


def arrives(lane: Watched) -> None:
    lane.lane.arrive(Car(Plate("粤B12345", PlateKind.BLUE)))
    lane.lane.advance(6)


def test_a_car_is_drawn_with_its_push_and_the_answer(served: LanePage, lane: Watched, page: Page) -> None:
    page.goto(served.url + "/?language=en")
    expect(page.locator("section")).to_contain_text("nothing pushed yet")
    arrives(lane)
    expect(page.locator(".drawing")).to_contain_text("粤B12345")
    expect(page.locator(".drawing")).to_contain_text("boom: up")
    expect(page.locator(".push .plate")).to_have_text("粤B12345")
    expect(page.locator(".push code")).to_have_text('{"info": "ok"}')
    expect(page.locator(".happened li").last).to_contain_text("camera sees 粤B12345")


def test_a_button_breaks_the_camera_and_mends_it(served: LanePage, lane: Watched, page: Page) -> None:
    page.goto(served.url + "/?language=zh")
    button = page.get_by_role("button", name="摄像机断网")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert lane.camera.faults.outage
    arrives(lane)
    expect(page.locator(".push .bad")).to_have_text("没有（未送达或无应答）")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    assert not lane.camera.faults.outage


def test_the_page_is_no_wider_than_a_phone_and_changes_its_language(
    served: LanePage, lane: Watched, browser: Browser
) -> None:
    arrives(lane)
    page = browser.new_page(viewport={"width": PHONE[0], "height": PHONE[1]})
    page.goto(served.url + "/?language=zh")
    expect(page.locator("h1")).to_have_text("模拟车道")
    page.locator("#other").click()
    expect(page.locator("h1")).to_have_text("Simulated lanes")
    expect(page.locator("section")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE[0]
    page.screenshot(path=SHOTS / "sim-lanes-390.png", full_page=True)
    page.close()


def test_a_demonstration_that_has_ended_is_told(lane: Watched, page: Page) -> None:
    with LanePage([lane]) as served:
        page.goto(served.url + "/?language=en")
        expect(page.locator("section")).to_have_count(1)
    expect(page.locator("#away")).to_have_text("the demonstration has ended or cannot be reached")
