"""The staff pages of the link to HQ in a real browser: buttons, the box that is gone, a phone's width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from edge.services.outbox_records import DeadLetter, DeadState
from edge.services.records import Unit
from edge.services.snapshot_records import SnapshotRow, SnapshotState
from edge.web.desk import WebSettings
from edge.web.factory import create_web
from edge.web.serving import WebServer
from edge.web.staff.pages import box_pages
from sim.snapshots import Content
from tests.browser.desk_fake import PIN, DeskFake
from tests.browser.kiosk_page import PHONE, KioskPage, watch
from tests.unit.hq_samples import AT, CountingIds, record
from tests.unit.shop import Shop

BOTH = ("zh", "en")
LETTER = 2
REASON = "there is no tenant " + "t-long-name-without-a-place-to-break-" * 3


class Box:
    """A box over fakes with two dead letters and a snapshot, and its web server, which may die and return."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.returned: list[str] = []
        self.desk = DeskFake()
        store = self.shop.box.store
        store.write(lambda unit: record(unit.outbox, CountingIds(), 4))  # type: ignore[arg-type]
        for sequence in (LETTER, LETTER + 1):
            store.write(lambda unit, it=sequence: unit.outbox.set_aside(it, REASON, AT))  # type: ignore[misc]
        store.write(_put_snapshots)
        self.port = 0
        self.begin()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self) -> None:
        settings = WebSettings(port=self.port)
        pages = box_pages(self.shop.box, settings, self._return)
        self.server = WebServer(create_web(self.desk, settings, pages), settings)
        self.server.start()
        self.port = self.server.port

    def letter(self, sequence: int) -> DeadLetter:
        found = self.shop.box.store.read(lambda unit: unit.outbox.dead_letter(sequence))
        assert found is not None
        return found

    def _return(self, name: str) -> str:
        self.returned.append(name)
        return "done"


def _put_snapshots(unit: Unit) -> None:
    for version in (6, 7):
        manifest = Content("catalogue", version, b"x" * 3000).manifest()
        unit.snapshots.begin(SnapshotRow("catalogue", version, SnapshotState.COMING, manifest, AT))
        unit.snapshots.activate("catalogue", AT)


@pytest.fixture
def box() -> Iterator[Box]:
    one = Box()
    yield one
    one.desk.changes.close()
    one.server.close()


def sign_in(page: Page, box: Box) -> None:
    page.set_default_timeout(5000)
    page.goto(f"{box.origin}/staff/login?language=en")
    page.get_by_label("Staff PIN").fill(PIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("nav")).to_be_visible()


def test_a_letter_is_repaired_and_sent_again_by_button(page: Page, box: Box) -> None:
    seen = watch(page, box.origin)
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/letters/{LETTER}")
    page.get_by_label("The event's data").fill('{"order_id": "order-2"}')
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("main .done")).to_have_text("Event 2 goes out again as event 5.")
    assert (box.letter(LETTER).state, box.letter(LETTER).note) == (DeadState.RESENT, "repaired")
    assert (seen.errors, seen.elsewhere) == ([], [])


def test_a_letter_is_dropped_only_with_a_note(page: Page, box: Box) -> None:
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/letters/{LETTER}")
    page.get_by_role("button", name="Drop for good").click()
    assert box.letter(LETTER).state is DeadState.DEAD
    page.get_by_label("Why, and whom you told").fill("told Ms Li by phone")
    page.get_by_role("button", name="Drop for good").click()
    expect(page.locator("main .done")).to_have_text("Event 2 was dropped.")
    assert (box.letter(LETTER).note, box.letter(LETTER).closed_by) == ("told Ms Li by phone", "李敏")


def test_what_somebody_types_outlives_the_refresh(page: Page, box: Box) -> None:
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/letters/{LETTER}")
    page.get_by_label("Why, and whom you told").fill("half a sen")
    page.locator("h1").click()
    expect(page.locator("body")).to_have_attribute("data-fresh", "yes", timeout=6000)
    expect(page.get_by_label("Why, and whom you told")).to_have_value("half a sen")


def test_a_snapshot_goes_one_step_back_after_being_asked(page: Page, box: Box) -> None:
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/hq")
    page.get_by_text("Return to version 6").click()
    assert box.returned == []
    page.get_by_role("button", name="Yes, return").click()
    expect(page.locator("main .done")).to_contain_text("the version before is in force")
    assert box.returned == ["catalogue"]


def test_an_open_page_says_that_the_box_is_gone_and_when_it_is_back(page: Page, box: Box) -> None:
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/outbox")
    expect(page.locator(".gone")).to_be_hidden()
    expect(page.locator("body")).to_have_attribute("data-fresh", "yes", timeout=6000)
    box.server.close()
    expect(page.locator(".gone")).to_be_visible(timeout=15_000)
    expect(page.locator(".gone")).to_contain_text("The box does not answer")
    expect(page.locator("body")).to_have_attribute("data-fresh", "no")
    box.begin()
    # A restart has signed everybody out; the page says so by asking for the PIN.
    expect(page.get_by_label("Staff PIN")).to_be_visible(timeout=15_000)


@pytest.mark.parametrize("language", BOTH)
def test_no_staff_page_is_wider_than_a_phone(browser: Browser, box: Box, language: str) -> None:
    width, height = PHONE
    page = browser.new_page(viewport={"width": width, "height": height})
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/devices?language={language}")
    groups = [str(link.get_attribute("href")) for link in page.locator("nav a[href^='/']").all()]
    paths: list[str] = []
    for group in groups:
        page.goto(f"{box.origin}{group}")
        paths += [str(link.get_attribute("href")) for link in page.locator(".pages a").all()]
    pages = [*sorted(set(paths)), f"/staff/letters/{LETTER}"]
    assert "/staff/outbox" in pages
    wide = {}
    for path in pages:
        page.goto(f"{box.origin}{path}")
        KioskPage(page).shoot(f"{path.strip('/').replace('/', '-')}-{language}-{width}x{height}")
        wide[path] = page.evaluate("document.documentElement.scrollWidth")
    assert [path for path, found in wide.items() if found > width] == []
    page.close()


def test_a_page_at_an_address_that_cannot_be_asked_for_again_is_not_called_gone(page: Page, box: Box) -> None:
    sign_in(page, box)
    page.goto(f"{box.origin}/staff/outbox")
    page.evaluate("document.body.dataset.address = '/staff/hq/snapshots/catalogue/return'")
    expect(page.locator("body")).to_have_attribute("data-fresh", "yes", timeout=8_000)
    expect(page.locator(".gone")).to_be_hidden()
