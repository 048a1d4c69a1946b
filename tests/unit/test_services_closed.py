"""While no new sale is begun: the screen says so, what has begun goes on to its end, it opens by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from devices.types import Scan
from edge.errors import Declined
from edge.services.box import Box
from edge.services.change_basket import start
from edge.services.check_out import check_out
from edge.services.receive_scan import receive_scan
from edge.services.show_screen import show_screen
from sim.fakes.box import BREAD, COLA
from tests.unit.shop import Shop

KIOSK = "kiosk-1"


class Door:
    """Opens and closes a shop."""

    def __init__(self) -> None:
        self.shop = Shop()
        self.reason = ""
        self.box: Box = replace(self.shop.box, closed=lambda: self.reason)

    def scan(self, code: str) -> str:
        read = Scan("scanner", code.encode(), code, None, self.box.clock.now().boottime_ns)
        return receive_scan(self.box, KIOSK, read).outcome

    def screen(self) -> tuple[object, object]:
        view = show_screen(self.box, KIOSK)
        return view["screen"], view["closed"]


@pytest.fixture
def door() -> Door:
    return Door()


def test_an_empty_screen_says_that_it_is_closed_and_why_and_opens_again(door: Door) -> None:
    assert door.screen() == ("attract", None)
    door.reason = "disk_full"
    assert door.screen() == ("closed", "disk_full")
    door.reason = ""
    assert door.screen() == ("attract", None)


def test_nothing_new_is_begun_by_touch_or_scan(door: Door) -> None:
    door.reason = "disk_full"
    with pytest.raises(Declined, match="disk_full"):
        start(door.box, KIOSK)
    assert door.scan(COLA) == "closed"
    assert show_screen(door.box, KIOSK)["basket"] is None
    recent = door.box.store.read(lambda unit: unit.scans.recent(KIOSK, 1))
    assert [one.outcome for one in recent] == ["closed"]


def test_a_basket_that_was_begun_is_finished(door: Door) -> None:
    assert door.scan(COLA) == "added"
    door.reason = "disk_full"
    assert door.screen() == ("basket", None)
    assert door.scan(BREAD) == "added"
    check_out(door.box, KIOSK)
    assert door.screen() == ("checkout", None)
