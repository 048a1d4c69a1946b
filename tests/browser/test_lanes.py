"""The guard's page in a real browser: lanes with pictures, one question, one key, the gate by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from devices.types import Photo
from edge.parking.hours import Hours
from edge.parking.parking_pass import ParkingPass, PassKind
from edge.services.see_plate import see_plate
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.fakes.photos import FakePhotos
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import LANDSCAPE, PHONE, SHOTS, watch
from tests.unit.lane_rig import IN, OUT, PLATE, LaneRig

_DAY = date(2026, 11, 22)
DAY_MS = 86_400_000
SURE, UNSURE = 0.98, 0.55


class Booth:
    """Two lanes over fakes, their pictures, and the guard's page."""

    def __init__(self) -> None:
        self.rig = LaneRig()
        self.photos = FakePhotos()
        self.desk = DeskFake()
        settings = WebSettings(port=0)
        pages = box_pages(self.rig.box, settings, photos=self.photos)
        self.server = WebServer(create_web(self.desk, settings, pages), settings)
        self.server.start()
        self.origin = f"http://127.0.0.1:{self.server.port}"

    def see(self, lane: str, plate: str = PLATE, **more: object) -> None:
        """A vehicle stands at a lane and is read, with a picture."""
        seen = self.rig.seen(plate, device=f"cam-{lane}", **more)
        names = self.photos.keep(_DAY, seen.device, seen.key, (Photo("scene", picture(seen.key)),))
        self.rig.gates[lane].loops = [True, False]
        self.rig.work(lane)
        see_plate(self.rig.box, lane, seen, names)
        self.rig.work(lane)

    def enter(self, plate: str = PLATE) -> None:
        self.see(IN, plate)
        self.rig.drive(IN)
        self.rig.ports.clock.advance(95 * 60_000)


@pytest.fixture
def booth() -> Iterator[Booth]:
    made = Booth()
    yield made
    made.desk.changes.close()
    made.server.close()


def picture(seed: str) -> bytes:
    """Return a picture that differs by `seed`: a road, a car, two lights."""
    shade = 60 + sum(seed.encode()) % 120
    image = np.full((480, 640, 3), (90, 84, 78), np.uint8)
    cv2.rectangle(image, (0, 300), (640, 480), (70, 70, 72), -1)
    cv2.rectangle(image, (140, 120), (500, 400), (shade, 70, 200 - shade), -1)
    cv2.rectangle(image, (190, 140), (450, 230), (40, 36, 32), -1)
    for x in (190, 450):
        cv2.circle(image, (x, 310), 26, (210, 240, 255), -1)
    cv2.rectangle(image, (255, 340), (385, 372), (150, 70, 20), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def open_booth(page: Page, booth: Booth, language: str = "en") -> None:
    page.set_default_timeout(5000)
    page.goto(f"{booth.origin}/staff/login?language={language}")
    page.locator("input[name=pin]").fill(PIN)
    page.locator("main button").click()
    page.goto(f"{booth.origin}/staff/lanes")
    expect(page.locator(".lane")).to_have_count(2)


def lane(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.locator(f'[data-lane="{name}"]')


def test_a_car_that_comes_is_on_the_page_at_once_and_nothing_is_asked(booth: Booth, page: Page) -> None:
    open_booth(page, booth)
    expect(lane(page, IN)).to_contain_text("No vehicle")
    booth.see(IN)
    expect(lane(page, IN)).to_contain_text("Visitor: let in", timeout=3000)
    expect(lane(page, IN).locator(".plate").first).to_have_text("粤B·12345")
    loaded = "image => image.complete && image.naturalWidth === 640"
    assert lane(page, IN).locator("img").first.evaluate(loaded)
    assert page.locator(".question").count() == 0


def test_a_misread_at_the_exit_is_one_question_that_one_key_answers(booth: Booth, page: Page) -> None:
    booth.enter(PLATE)
    booth.enter("粤B12845")
    open_booth(page, booth)
    sure = (SURE, SURE, SURE, SURE, UNSURE, SURE, SURE)
    booth.see(OUT, "粤B12945", confidences=sure)
    asked = lane(page, OUT).locator(".question")
    expect(asked).to_be_visible(timeout=3000)
    expect(asked.locator(".offer")).to_have_count(2)
    expect(asked.locator(".offer.best")).to_have_count(1)
    expect(lane(page, OUT).locator(".said .plate mark")).to_have_text("9")
    chosen = asked.locator(".offer.best .plate").inner_text().replace("·", "")
    page.wait_for_timeout(700)  # a key pressed as the question comes up is not an answer
    page.keyboard.press("2")
    expect(lane(page, OUT)).to_contain_text("A fee is due", timeout=3000)
    assert booth.rig.here(OUT).session_id == booth.rig.stay(chosen).session_id


def test_a_key_in_the_moment_a_question_comes_up_answers_nothing(booth: Booth, page: Page) -> None:
    open_booth(page, booth)
    booth.see(OUT, "粤B99999")
    button = lane(page, OUT).locator("[data-key]")
    page.wait_for_selector(f'[data-lane="{OUT}"] .question')
    page.keyboard.press("2")
    assert booth.rig.here(OUT).question is not None
    assert button.count() <= 1


def test_the_gate_is_opened_by_hand_with_a_reason_of_one_touch(booth: Booth, page: Page) -> None:
    open_booth(page, booth)
    booth.rig.gates[IN].loops = [True, False]
    booth.rig.work(IN)
    lane(page, IN).get_by_text("Open by hand").click()
    lane(page, IN).get_by_text("Emergency vehicle").click()
    lane(page, IN).get_by_role("button", name="Open", exact=True).click()
    expect(lane(page, IN)).to_contain_text("Opened by hand")
    booth.rig.work(IN)
    assert booth.rig.gates[IN].pulses == 1
    assert booth.rig.here(IN).decision.note == "Emergency vehicle"  # type: ignore[union-attr]


def test_without_a_reason_nothing_is_opened_and_the_page_says_so(booth: Booth, page: Page) -> None:
    open_booth(page, booth)
    answer = page.request.post(
        f"{booth.origin}/staff/lanes/{IN}/open",
        form={"reason": " "},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status == 400
    assert "with a reason" in answer.text()
    booth.rig.work(IN)
    assert booth.rig.gates[IN].pulses == 0


def test_a_gate_is_held_open_and_let_go_again(booth: Booth, page: Page) -> None:
    open_booth(page, booth)
    lane(page, OUT).get_by_text("Hold open").first.click()
    lane(page, OUT).get_by_role("radio", name="Fire").check()
    lane(page, OUT).get_by_role("radio", name="15 min").check()
    lane(page, OUT).get_by_role("button", name="Hold open").click()
    expect(lane(page, OUT)).to_contain_text("Held open until")
    booth.rig.work(OUT)
    assert booth.rig.gates[OUT].pulses == 1
    lane(page, OUT).get_by_role("button", name="Back to normal").click()
    expect(lane(page, OUT).locator(".held")).to_have_count(0)


def held_pass(booth: Booth, days_left: int) -> None:
    """The car has a pass that ends in so many days."""
    now = booth.rig.now.wall_at
    hours = Hours(now - 20 * DAY_MS, now + days_left * DAY_MS + DAY_MS // 2)
    held = ParkingPass("pass-1", PassKind.MONTH, "李雷", (PLATE,), hours, zones=("p9",))
    booth.rig.box.store.write(lambda unit: unit.passes.put(held))


def test_a_guard_grants_free_parking_by_word_and_the_gate_opens(booth: Booth, page: Page) -> None:
    booth.enter(PLATE)
    open_booth(page, booth)
    assert lane(page, OUT).get_by_text("Free parking").count() == 0
    booth.see(OUT, PLATE)
    expect(lane(page, OUT)).to_contain_text("A fee is due", timeout=3000)
    lane(page, OUT).get_by_text("Free parking").click()
    lane(page, OUT).get_by_role("radio", name="1 h").check()
    lane(page, OUT).get_by_text("Queue at the exit").click()
    lane(page, OUT).get_by_role("button", name="Grant").click()
    expect(lane(page, OUT).locator(".fee")).to_contain_text("5.00")
    assert booth.rig.here(OUT).opening == 0
    lane(page, OUT).get_by_text("Free parking").click()
    lane(page, OUT).get_by_role("radio", name="The whole fee").check()
    lane(page, OUT).get_by_text("System fault").click()
    lane(page, OUT).get_by_role("button", name="Grant").click()
    expect(lane(page, OUT).get_by_text("Free parking")).to_have_count(0)
    booth.rig.work(OUT)
    assert booth.rig.gates[OUT].pulses == 1
    granted = booth.rig.told("validation.granted")
    assert [one["reference"] for one in granted] == ["Queue at the exit", "System fault"]


def test_the_stay_is_one_touch_away_and_passes_are_told_of(booth: Booth, page: Page) -> None:
    held_pass(booth, 3)
    booth.enter(PLATE)
    open_booth(page, booth)
    booth.see(OUT, PLATE)
    told = lane(page, OUT).locator("[data-notice]")
    expect(told.first).to_be_visible(timeout=3000)
    assert "The pass is for another zone" in told.all_inner_texts()
    lane(page, OUT).get_by_role("link", name="Vehicle and stay").click()
    expect(page).to_have_url(re.compile(r"/staff/plates\?text="))
    expect(page.locator("main")).to_contain_text("12345")


def test_a_picture_is_for_those_who_are_signed_in(booth: Booth, page: Page) -> None:
    booth.see(IN)
    name = booth.rig.box.store.read(lambda unit: unit.plate_reads.recent(IN, 1))[0].photos[0]
    address = f"{booth.origin}/staff/lanes/photos/{name}"
    assert "/staff/login" in page.request.get(address).url
    open_booth(page, booth)
    got = page.request.get(address)
    assert (got.status, got.headers["content-type"]) == (200, "image/jpeg")
    assert page.request.get(f"{booth.origin}/staff/lanes/photos/2026-01-01/none.jpg").status == 404
    assert page.request.get(f"{booth.origin}/staff/lanes/photos/../../etc/passwd").status == 404


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["booth", "phone"])
def test_the_page_is_looked_at(booth: Booth, browser: Browser, language: str, size: tuple[int, int]) -> None:
    booth.enter(PLATE)
    booth.enter("粤B12845")
    booth.see(OUT, "粤B12945", confidences=(SURE, SURE, SURE, SURE, UNSURE, SURE, SURE))
    booth.see(IN, "粤BD12345", colour="green")
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    watched = watch(page, booth.origin)
    open_booth(page, booth, language)
    expect(page.locator(".question")).to_be_visible()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"lanes-{language}-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (watched.errors, watched.elsewhere) == ([], [])
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["booth", "phone"])
def test_granting_is_looked_at(booth: Booth, browser: Browser, language: str, size: tuple[int, int]) -> None:
    held_pass(booth, 3)
    booth.enter(PLATE)
    booth.see(OUT, PLATE)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    watched = watch(page, booth.origin)
    open_booth(page, booth, language)
    lane(page, OUT).locator("summary", has_text="减免" if language == "zh" else "Free parking").click()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"lanes-grant-{language}-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (watched.errors, watched.elsewhere) == ([], [])
    context.close()


def day_of_traffic(booth: Booth) -> None:
    """Cars come and go for ten hours; some pay, one is inside still."""
    for number in range(40):
        plate = f"粤B{10_000 + 37 * number}"
        stay = booth.rig.come(plate)
        booth.rig.ports.clock.advance((6 + number % 9) * 60_000)
        if number % 3:
            booth.rig.settle(stay.session_id, 500 * (1 + number % 4))
            booth.see(OUT, plate)
            booth.rig.drive(OUT)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["booth", "phone"])
def test_the_car_park_is_plotted_and_looked_at(
    booth: Booth, browser: Browser, language: str, size: tuple[int, int]
) -> None:
    day_of_traffic(booth)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    watched = watch(page, booth.origin)
    open_booth(page, booth, language)
    page.goto(f"{booth.origin}/staff/parking")
    expect(page.locator(".plot")).to_have_count(2)
    assert page.locator("rect.went").count() > 0
    page.screenshot(path=SHOTS / f"parking-{language}-{size[0]}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert (watched.errors, watched.elsewhere) == ([], [])
    context.close()


def test_a_recount_puts_the_count_right_and_says_who_did(booth: Booth, page: Page) -> None:
    for number in range(3):
        booth.rig.come(f"粤B1000{number}")
    open_booth(page, booth)
    page.goto(f"{booth.origin}/staff/parking")
    page.get_by_text("Recount", exact=True).click()
    page.get_by_label("Vehicles counted").fill("5")
    page.get_by_role("button", name="Take the count").click()
    expect(page.locator(".figures")).to_contain_text("5 / 100")
    page.get_by_text("Corrections").click()
    expect(page.locator(".history")).to_contain_text("Recount +2 = 5 (李敏)")


def test_a_car_is_found_by_a_part_of_its_plate(booth: Booth, page: Page) -> None:
    booth.enter("粤B12345")
    booth.enter("京A88888")
    open_booth(page, booth)
    page.goto(f"{booth.origin}/staff/parking?plate=888")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("京A88888")
    expect(page.locator("tbody tr")).to_contain_text("to pay")


def test_a_fee_that_rests_on_a_clock_without_time_says_so_to_the_guard(
    booth: Booth, browser: Browser
) -> None:
    booth.enter()
    booth.rig.ports.clock.reboot(20_000, off_ms=3 * 3_600_000, wall_at=0, trusted=False)
    booth.rig.ports.clock.advance(60_000)
    booth.see(OUT, camera_at_ms=None)
    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = context.new_page()
    watched = watch(page, booth.origin)
    open_booth(page, booth, "zh")
    note = lane(page, OUT).locator('[data-clock="least_time"]')
    expect(note).to_contain_text("已按可确定的最短时长收费")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "lanes-clock-zh.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert (watched.errors, watched.elsewhere) == ([], [])
    context.close()
