"""The mall of the day: places to pay, lanes, tariff, members, codes; all by the shipped rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

from edge.members.attribution import AttributionKind, AttributionRule
from edge.members.touchpoint import Guide, Touchpoint, build_book
from edge.parking.facility import Facility, Lane, LaneWay, UnconfirmedPolicy, Zone
from edge.services.box import Workstation, WorkstationKind
from edge.services.parking_rules import ParkingRules
from edge.services.phone_rules import PhoneRules
from edge.services.scan_and_go_rules import ScanAndGoRules
from edge.services.touch_rules import TouchRules
from sim.fakes.box import KIOSK, TILL
from sim.fakes.box import RULES as BOX_RULES
from sim.fakes.clock import FakeClock
from sim.mall_day.faults import Faults
from sim.mall_day.ports import DayBoom, DayDisplay, DayEye, DayOwners
from sim.parking_day.garage import RULES as VALIDATION
from sim.parking_day.garage import TARIFF
from sim.world.garage.site import Boom, Eye, EyeHabits, Garage, Owners

__all__ = ["BOOTH", "COUNTER", "ENTRIES", "EXITS", "KIOSKS", "PLACES", "RULES", "TARIFF", "TILLS"]

KIOSKS = (KIOSK, "kiosk-2", "kiosk-3", "kiosk-4", "kiosk-5")
TILLS = (TILL, "till-2", "till-3")
#: Where drivers pay in cash, and the counter whose guide writes tickets.
BOOTH, COUNTER = "till-booth", "C01"

ENTRIES, EXITS = ("in-1", "in-2"), ("out-1", "out-2")


def pay_station(lane: str) -> str:
    """Return the workstation of an exit."""
    return f"pay-{lane}"


#: More than the kiosk and the till that every box of the simulator has.
PLACES = {
    **{name: Workstation(name) for name in KIOSKS},
    **{name: Workstation(name, WorkstationKind.TILL, cash=True) for name in (*TILLS, BOOTH)},
    COUNTER: Workstation(COUNTER, WorkstationKind.COUNTER, tenant_id="t-drinks"),
    **{pay_station(name): Workstation(pay_station(name), WorkstationKind.LANE) for name in EXITS},
}

#: Cash is taken where a cashier has opened a shift.
RULES = replace(BOX_RULES, zone=ZoneInfo("Asia/Shanghai"), cash_needs_shift=True)

PHONE = PhoneRules(
    key=bytes(range(32)), appid="wx-demo", paid_template="tmpl-paid", paid_fields=(("thing1", "shop"),)
)
#: Every shopper by phone may leave with a code; some bags are looked at.
SCAN_AND_GO = ScanAndGoRules(tenants=frozenset({""}), recheck_permille=50)
#: 1 % of what a guide's code brought is the guide's.
TOUCH = TouchRules(
    build_book([Touchpoint("poster")], [Guide("li", "李", commission_permille=10)], [*PLACES], []),
    AttributionRule(AttributionKind.GUIDE, 30, 600),
)


def parking(spaces: int) -> ParkingRules:
    """Return the car park: two entries, two exits, a driver pays at the exit's own screen."""
    entries = (
        Lane(name, LaneWay.ENTRY, "p1", f"gate-{name}", f"board-{name}", loops=2, boom=True)
        for name in ENTRIES
    )
    exits = (
        Lane(
            *(name, LaneWay.EXIT, "p1", f"gate-{name}", f"board-{name}", pay_station(name)),
            loops=2,
            boom=True,
            unconfirmed=UnconfirmedPolicy.RECORD_DEBT,
        )
        for name in EXITS
    )
    return ParkingRules(Facility("garage", (Zone("p1", spaces),), (*entries, *exits)), validation=VALIDATION)


class DayGarage(Garage):
    """The lanes with devices that fail by lot; they outlive the service."""

    def __init__(
        self, rules: ParkingRules, clock: FakeClock, faults: Faults, chance: Callable[[], float]
    ) -> None:
        """Booms are down."""
        super().__init__(rules, clock, chance, EyeHabits())
        self.booms: dict[str, Boom] = {
            name: DayBoom(lane.gate, clock, faults=faults) for name, lane in self.lanes.items()
        }
        self.eyes: dict[str, Eye] = {
            name: DayEye(f"cam-{name}", clock, chance, EyeHabits(), faults=faults) for name in self.lanes
        }
        self.boards = {name: DayDisplay(lane.display, faults) for name, lane in self.lanes.items()}
        self.owners: Owners = DayOwners(self.queues, faults)
