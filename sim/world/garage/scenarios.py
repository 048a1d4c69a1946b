"""Scripts for the deterministic world in which cars come, park and leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from edge.parking.benefit import BenefitKind
from edge.parking.facility import Facility, Lane, LaneWay, UnconfirmedPolicy, Zone
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.validation import Grant
from edge.parking.validation_rule import SpendStep, ValidationPlan, ValidationRule
from edge.services.box import Workstation, WorkstationKind
from edge.services.obey_command import CommandKind
from edge.services.parking_rules import ParkingRules
from sim.fakes.box import COLA, TILL, weight_label
from sim.fakes.gateway import FakeFault
from sim.world.garage.motorists import PAY_STATION, Guard, Look, Motorist, Office, Prepayer, Revoker
from sim.world.garage.opener import GateOpener
from sim.world.garage.truth import FEE_FEN
from sim.world.people.buyers import Driver
from sim.world.people.person import Person
from sim.world.scenario import Scenario
from sim.world.world import World

PLATE, OTHER = "粤B12345", "粤B67890"
ENTRY, EXIT = "north-in", "north-out"

#: 9.90 yuan of goods, which earn an hour.
GOODS = ((COLA, "cola"), (weight_label("101", 500), "apple"))

PARKING = ParkingRules(
    Facility(
        "garage",
        (Zone("p1", 50),),
        (
            Lane(ENTRY, LaneWay.ENTRY, "p1", "gate-in", "board-in", loops=2, boom=True),
            Lane(
                EXIT,
                LaneWay.EXIT,
                "p1",
                "gate-out",
                "board-out",
                loops=2,
                boom=True,
                workstation=PAY_STATION,
                unconfirmed=UnconfirmedPolicy.RECORD_DEBT,
            ),
        ),
    ),
    validation=ValidationPlan(
        (ValidationRule("spend", (SpendStep(900, Grant(BenefitKind.MINUTES, 60, label="1 h")),)),)
    ),
)
PLACES = {PAY_STATION: Workstation(PAY_STATION, WorkstationKind.LANE)}
TARIFF = Tariff("standard", "标准", 0, 0, None, (RateLine(60, FEE_FEN),))


def _clear(plate: str) -> tuple[Look, Look]:
    return Look(plate), Look(plate)


def _guarded(world: World, *cars: Motorist) -> Sequence[Person]:
    """Return the cars and a guard, with the tariff in force."""
    world.store.write(lambda unit: unit.tariffs.replace((TARIFF,)))
    return [*cars, Guard(cars)]


def _codes(world: World) -> list[str]:
    return [world.code() for _ in range(4)]


def _payer(world: World, plate: str = PLATE, looks: tuple[Look, Look] | None = None) -> Motorist:
    return Motorist(plate, looks or _clear(plate), _codes(world))


def _at_exit(*faults: FakeFault) -> Callable[[World], Sequence[Person]]:
    def prepare(world: World) -> Sequence[Person]:
        for fault in faults:
            world.gateway.fail_next("pay", fault)
        return _guarded(world, _payer(world))

    return prepare


def _prepaid(world: World) -> Sequence[Person]:
    return _guarded(world, Motorist(PLATE, _clear(PLATE), _codes(world), Prepayer(PLATE, _codes(world))))


def _validated(world: World) -> Sequence[Person]:
    shopping = Driver(TILL, GOODS, codes=_codes(world), cash_fen=[400], plate=PLATE)
    return _guarded(world, Motorist(PLATE, _clear(PLATE), errand=shopping, owes_nothing=True))


def _without_plate(world: World) -> Sequence[Person]:
    return _guarded(world, _payer(world, looks=(Look(""), Look(""))))


def _with_pass(world: World) -> Sequence[Person]:
    return [Office(PLATE), *_guarded(world, Motorist(PLATE, _clear(PLATE), owes_nothing=True))]


def _misread(*looks: Look) -> Callable[[World], Sequence[Person]]:
    def prepare(world: World) -> Sequence[Person]:
        return _guarded(world, _payer(world, looks=(looks[0], looks[1])))

    return prepare


def _owner(world: World) -> Sequence[Person]:
    return _guarded(world, Motorist(PLATE, _clear(PLATE)))


def _unwilling(world: World) -> Sequence[Person]:
    """The owner takes the consent back while the car is inside."""
    return _guarded(world, Motorist(PLATE, _clear(PLATE), errand=Revoker(PLATE)))


def _balking(world: World) -> Sequence[Person]:
    return _guarded(world, replace(_payer(world), balks=1))


def _two(world: World) -> Sequence[Person]:
    first = _payer(world)
    second = replace(_payer(world, OTHER), after=first)
    return _guarded(world, first, second)


def _gate(deaf: int = 0, stuck: int = 0) -> Callable[[World], Sequence[Person]]:
    def prepare(world: World) -> Sequence[Person]:
        for boom in world.garage.booms.values():
            boom.deaf, boom.stuck = deaf, stuck
        return _guarded(world, _payer(world))

    return prepare


def _opened_by_hq(world: World) -> Sequence[Person]:
    """The driver cannot pay; HQ opens, and hears of it only when it has asked twice more."""
    car = Motorist(PLATE, _clear(PLATE))
    opener = GateOpener(clock=world.clock, wishes=[CommandKind.OPEN_GATE], deaf=2, lane=EXIT, guest=car)
    return [opener, *_guarded(world, car)]


def _scenario(name: str, prepare: Callable[[World], Sequence[Person]], *owners: str) -> Scenario:
    return Scenario(name, prepare, parking=PARKING, places=PLACES, owners=owners)


#: One character that looks like the true one, doubtful; and a plate of which nothing is right.
_DOUBTFUL = Look("粤B12B45", (0.99, 0.99, 0.99, 0.99, 0.52, 0.99, 0.99))
_WRONG = Look("粤C99999", (0.9,) * 7)

PAID_AT_EXIT = _scenario("car: paid at the exit", _at_exit())
PREPAID = _scenario("car: prepaid at the kiosk", _prepaid)
VALIDATED = _scenario("car: exit with validation", _validated)
WITHOUT_PLATE = _scenario("car: ticket without a plate", _without_plate)
WITH_PASS = _scenario("car: pass", _with_pass)
MISREAD = _scenario("car: misread at the entry", _misread(_DOUBTFUL, Look(PLATE)))
MISREAD_OUT = _scenario("car: unreadable at the exit", _misread(Look(PLATE), _WRONG))
OWNER = _scenario("car: owner charged after leaving", _owner, PLATE)
UNWILLING = _scenario("car: owner refuses to be charged", _unwilling, PLATE)
BALKING = _scenario("car: turns back at the entry, comes again", _balking)
TWO_CARS = _scenario("two cars, one behind the other", _two)
ANSWER_LOST = _scenario("car: paid at the exit, answer lost", _at_exit(FakeFault.LOST))
OUT_OF_REACH = _scenario("car: gateway out of reach", _at_exit(*6 * [FakeFault.UNAVAILABLE]))
GATE_DEAF = _scenario("car: gates that do not echo", _gate(deaf=1))
GATE_STUCK = _scenario("car: booms that stick", _gate(stuck=1))
OPENED_BY_HQ = _scenario("car: let out by HQ", _opened_by_hq)

GARAGES = (
    PAID_AT_EXIT,
    PREPAID,
    VALIDATED,
    WITHOUT_PLATE,
    WITH_PASS,
    MISREAD,
    MISREAD_OUT,
    OWNER,
    UNWILLING,
    BALKING,
    TWO_CARS,
    ANSWER_LOST,
    OUT_OF_REACH,
    GATE_DEAF,
    GATE_STUCK,
    OPENED_BY_HQ,
)
