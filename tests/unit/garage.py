"""A shop with a car park: an entry, an exit with its own place to pay, and a tariff; for several tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.parking.facility import Facility, Lane, LaneWay, UnconfirmedPolicy, Zone
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.parking.tariff_document import RateLine, Tariff
from edge.services.box import Workstation, WorkstationKind
from edge.services.parking_rules import ParkingRules
from sim.fakes.box import GATEWAY, WORKSTATIONS
from sim.fakes.prepay_gateway import FakePrepayGateway
from tests.unit.shop import Shop

EXIT = "exit-1"
PLATE = "粤B12345"
HOUR_FEN = 500

#: An hour costs 5 yuan from the first minute on.
TARIFF = Tariff("standard", "标准", 0, 0, None, (RateLine(60, HOUR_FEN),))


@dataclass
class Garage(Shop):
    """A shop whose shoppers come by car. unconfirmed: the policy of the exit."""

    unconfirmed: UnconfirmedPolicy = UnconfirmedPolicy.RECORD_DEBT

    def __post_init__(self) -> None:
        Shop.__post_init__(self)
        lanes = (
            Lane("entry-1", LaneWay.ENTRY, "p1", "gate-1"),
            Lane("out-1", LaneWay.EXIT, "p1", "gate-2", workstation=EXIT, unconfirmed=self.unconfirmed),
        )
        facility = Facility("garage", (Zone("p1", 100),), lanes)
        places = {**WORKSTATIONS, EXIT: Workstation(EXIT, WorkstationKind.LANE)}
        rules = replace(ParkingRules(), facility=facility)
        self.phones = FakePrepayGateway(self.ports.gateway)
        prepayers = {GATEWAY: self.phones}
        self.box = replace(self.box, workstations=places, parking=rules, prepayers=prepayers)
        self.box.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))

    def come(
        self, plate: str = PLATE, *, minutes_ago: int = 90, session_id: str = "", ticket: str = ""
    ) -> str:
        """Have a vehicle stay since then; return the id of its stay."""
        at = self.ports.clock.now().wall_at - minutes_ago * 60_000
        stay = Session(session_id or f"stay-{plate}{ticket}", "p1", plate, at, "entry-1", ticket=ticket)
        self.box.store.write(lambda unit: unit.sessions.put(stay))
        return stay.session_id

    def stay(self, session_id: str) -> Session:
        found = self.box.store.read(lambda unit: unit.sessions.get(session_id))
        assert found is not None
        return found

    def settled(self, session_id: str) -> tuple[Settlement, ...]:
        return self.box.store.read(lambda unit: unit.settlements.of_session(session_id))
