"""A mall that is opened for a crowd, and closed after it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from devices.signals import stop_on_signals
from sim.crowd.calls import Calls, Meter
from sim.crowd.counter import GuideAtCounter
from sim.crowd.desk import Desk
from sim.crowd.journeys import Lanes, Place
from sim.crowd.run import CrowdReport, CrowdSettings, play_crowd
from sim.mall import Mall, MallSettings
from sim.mall_config import DEMO_PIN
from sim.mall_drivers import some_plate
from sim.mall_lanes import MallLanes
from sim.shopper import ShopperError, payment_code

#: Counters of the demonstration, who stands there, and for which tenant.
_GUIDES = (("C01", "chen", "bakery"), ("C02", "lin", "books"))

_QUICK = "poll_ms = 200\npaid_idle_ms = 600000"


def run_crowd(
    shoppers: int,
    minutes: float,
    seed: int,
    folder: Path | None,
    cars: bool,
    now_ms: Callable[[], int],
    digits: Callable[[int], str],
    say: Callable[[str], None],
) -> int:
    """Open a mall on free ports, send the crowd, print the report; return the exit code."""
    with ExitStack() as kept:
        place = folder or Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="crowd-")))
        settings = MallSettings(place, port=0, hq_port=0, gateway_port=0, pace_s=0.3, rules=_QUICK)
        mall = Mall(settings, now_ms, digits)
        stop_on_signals(mall.stop)
        kept.callback(mall.close)
        try:
            mall.open()
            report = crowd_in(mall, shoppers, minutes, seed, cars, digits, say)
        except (ShopperError, OSError) as error:
            say(f"the crowd could not come: {mall.why(error)}")
            return 1
        for line in report.lines:
            say(line)
        return 0 if report.good else 1


def crowd_in(
    mall: Mall,
    shoppers: int,
    minutes: float,
    seed: int,
    cars: bool,
    digits: Callable[[int], str],
    say: Callable[[str], None],
) -> CrowdReport:
    """Send a crowd through a mall that is open."""
    meter = Meter()
    with ExitStack() as kept:
        kiosk, office = (kept.enter_context(Calls(mall.url, meter, mall.stop)) for _ in range(2))
        counters = guides_of(mall, kept, meter)
        place = Place(
            public_url=mall.public_url,
            kiosk=kiosk,
            desk=Desk(office, DEMO_PIN),
            pin=DEMO_PIN,
            stop=mall.stop,
            counters=counters,
            lanes=cars_of(mall) if cars else None,
            plate=lambda: some_plate(digits),
        )
        settings = CrowdSettings(shoppers, minutes, seed, mall.gateway.url, mall.hq_url)
        return play_crowd(settings, place, meter, digits, say)


def guides_of(mall: Mall, kept: ExitStack, meter: Meter) -> tuple[GuideAtCounter, ...]:
    """Return the demonstration's guides, signed in at their counters; raises CallError."""
    return tuple(_guide(mall, kept, meter, *one) for one in _GUIDES)


def _guide(
    mall: Mall, kept: ExitStack, meter: Meter, counter: str, guide: str, tenant: str
) -> GuideAtCounter:
    calls = kept.enter_context(Calls(mall.url, meter, mall.stop))
    return GuideAtCounter(calls, counter, guide, DEMO_PIN, tenant, mall.stop)


def cars_of(mall: Mall) -> Lanes:
    """Return the mall's lanes as a crowd uses them."""
    return _Cars(mall.lanes, mall.gateway.url)


class _Cars:
    def __init__(self, lanes: MallLanes, wallets: str) -> None:
        self._lanes, self._wallets = lanes, wallets

    def come(self, plate: str) -> bool:
        """Drive in."""
        return self._lanes.enter(self._lanes.car(plate))

    def go(self, plate: str) -> str:
        """Drive out; who is asked for money at the exit pays there, and that is not free."""
        return self._lanes.leave(self._lanes.car(plate), lambda: payment_code(self._wallets)).value
