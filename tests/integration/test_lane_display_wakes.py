"""An exit's display is looked at as soon as its place to pay has news: a decline, an approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.clock import SystemClock, wall_ms
from edge.service import Devices, Parts, Service
from edge.services.staff import StaffBook
from edge.store.sqlite_store import SqliteStore
from edge.web.desk import WebSettings
from sim.fakes.box import KIOSK
from sim.fakes.display import FakeDisplay
from tests.integration.test_money_service import FakeLink
from tests.unit.lane_rig import EXIT, OUT, PAY_STATION
from tests.unit.test_services_pay_at_exit import Exit


class Site(Exit):
    """Lanes of a service that is put together and not yet started, so that a wake is kept and seen."""

    service: Service

    def serve(self, folder: Path) -> None:
        """Wire a service over the same ports."""
        link, store = FakeLink(SystemClock()), SqliteStore(folder / "edge.db", wall_ms())
        devices = Devices(displays=(FakeDisplay("board"),))
        parts = Parts(self.box, store, link, devices, StaffBook([], self.box.clock), WebSettings(port=0))  # type: ignore[arg-type]
        self.service = Service(parts)
        self.box = self.service.box

    def woken(self) -> bool:
        """Whether the display was to be looked at since this was last asked."""
        wake = self.service._lanes._showers[OUT]._wake
        was = wake.is_set()
        wake.clear()
        return was


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(exit=replace(EXIT, display="board"))
    made.come()
    made.ports.clock.advance(90 * 60_000)
    made.serve(tmp_path)
    yield made
    made.service.stop()


def test_a_decline_and_an_approval_wake_the_exits_display(site: Site) -> None:
    site.leave()
    assert site.woken()
    site.pay(balance_fen=1)
    assert site.woken()
    assert "付款未成功,请换码再试或按铃" in site.words()
    site.pay()
    assert site.woken()
    assert site.opened() == 1


def test_news_of_another_place_wake_no_lane(site: Site) -> None:
    site.box.changed(KIOSK)
    assert not site.woken()
    site.box.changed(PAY_STATION)
    assert site.woken()
