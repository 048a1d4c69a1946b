"""The garage of the day: lanes, tariff, what purchases are worth, and the box that runs it."""

from __future__ import annotations

from edge.parking.benefit import BenefitKind
from edge.parking.facility import Facility, Lane, LaneWay, Zone
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.validation import Grant
from edge.parking.validation_rule import SpendStep, ValidationPlan, ValidationRule
from edge.services.box import Box, Workstation, WorkstationKind
from edge.services.parking_rules import ParkingRules
from edge.services.ports import Store
from sim.fakes.box import WORKSTATIONS, FakePorts, compose_box
from sim.fakes.clock import START_AT
from sim.traffic import HOUR_MS

#: Midnight of the day in the box's zone (UTC here).
MIDNIGHT_AT = START_AT - START_AT % (24 * HOUR_MS)

ENTRIES, EXITS = ("in-1", "in-2"), ("out-1", "out-2")
GUARD = "张军"

#: 15 minutes free, 5 yuan an hour, 40 yuan a day; 300 yuan spent are worth 2 hours, 100 yuan 1 hour.
TARIFF = Tariff("standard", "标准", 0, 15, 4_000, (RateLine(60, 500),))
RULES = ValidationPlan(
    (
        ValidationRule(
            "spend",
            (
                SpendStep(9_000, Grant(BenefitKind.MINUTES, 60)),
                SpendStep(30_000, Grant(BenefitKind.MINUTES, 120)),
            ),
        ),
    )
)


def compose(ports: FakePorts, store: Store, spaces: int) -> Box:
    """Return a box with two entries and two exits; a driver pays at the exit's own workstation."""
    lanes = (
        *(Lane(name, LaneWay.ENTRY, "p1", f"gate-{name}", loops=2, boom=True) for name in ENTRIES),
        *(
            Lane(name, LaneWay.EXIT, "p1", f"gate-{name}", loops=2, boom=True, workstation=f"pay-{name}")
            for name in EXITS
        ),
    )
    places = {f"pay-{name}": Workstation(f"pay-{name}", WorkstationKind.LANE) for name in EXITS}
    return compose_box(
        ports.clock,
        ports.ids,
        store,
        ports.hq,
        {"wechat_pay": ports.gateway},
        ports.printers,
        lambda place: None,
        parking=ParkingRules(Facility("garage", (Zone("p1", spaces),), lanes), validation=RULES),
        places={**WORKSTATIONS, **places},
    )
