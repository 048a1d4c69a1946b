"""What stays truly cost, by the world's own time: nobody pays more, and less only where the stay says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.parking.calendar import Calendar
from edge.parking.debt import DebtState
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import Tariff
from edge.parking.tariff_plan import Plan
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.records import Unit
from edge.services.stay_time import JUMPED, LEAST_TIME
from sim.fakes.clock import START_AT
from sim.world.garage.motorists import Motorist, Where
from sim.world.timekeeping import HONEST

if TYPE_CHECKING:
    from sim.world.world import World

#: A tariff that changes meanwhile is looked for so far ahead.
AHEAD_MS = 7 * 24 * 3_600_000


def fee_violations(world: World, cars: list[Motorist]) -> Iterator[str]:
    """Yield what is wrong with what cars paid and owe."""
    for car in cars:
        if _plan(world) is None or not {Where.AT_ENTRY, Where.GONE} <= set(car.times):
            continue
        asked_fen, doubt = _asked_fen(world, car), in_doubt(world, car.session_id)
        least_fen, highest_fen = least_of(world, car), most_fen(world, car)
        if asked_fen > highest_fen:
            yield f"{car.plate} was charged {asked_fen} fen, its true stay cost {highest_fen}"
        whole = car.errand is None and not (car.owes_nothing or car.helped or car.ticket)
        if whole and asked_fen < least_fen and not (doubt or _hour_is_open(world, car)):
            yield f"{car.plate} was charged {asked_fen} fen of {least_fen}, and nothing says why"
        if doubt and world.conditions.clock == HONEST and not world.crashes:
            yield f"{car.plate} was charged in doubt by a clock that was right"


def in_doubt(world: World, session_id: str) -> bool:
    """Return whether a stay was charged for the time that is certain, and says so."""
    stay = world.store.read(lambda unit: unit.sessions.get(session_id)) if session_id else None
    return stay is not None and stay.clock_note == LEAST_TIME


def _hour_is_open(world: World, car: Motorist) -> bool:
    """Return whether two clocks that were set disagree about the hour, and the hour makes a difference."""
    plan, stay = _plan(world), world.store.read(lambda unit: unit.sessions.get(car.session_id))
    return plan is not None and len(plan.tariff.lines) > 1 and stay is not None and stay.clock_note == JUMPED


def most_fen(world: World, car: Motorist) -> int:
    """Return what a stay costs from coming to the entry until it has gone; 0 for one that is not known."""
    if not {Where.AT_ENTRY, Where.GONE} <= set(car.times):
        return 0
    return _price(world, car.times[Where.AT_ENTRY], car.times[Where.GONE])


def least_of(world: World, car: Motorist) -> int:
    """Return what a stay costs from being inside until coming to the exit."""
    if not {Where.INSIDE, Where.AT_EXIT} <= set(car.times):
        return 0
    return _price(world, car.times[Where.INSIDE], car.times[Where.AT_EXIT])


def _price(world: World, from_ms: int, to_ms: int) -> int:
    plan = _plan(world)
    return 0 if plan is None else price_fen(plan, START_AT + from_ms, START_AT + to_ms)


def _plan(world: World) -> Plan | None:
    """Return by what stays are priced; None where the tariff changes."""

    def query(unit: Unit) -> tuple[Tariff | None, Tariff | None]:
        force = unit.tariffs.in_force
        return force("standard", START_AT), force("standard", START_AT + AHEAD_MS)

    now, later = world.store.read(query)
    if now is None or now != later:
        return None
    return Plan(now, world.scenario.rules.zone, Calendar(), VehicleClass.SMALL, PlateColour.UNKNOWN)


def _asked_fen(world: World, car: Motorist) -> int:
    """Return what was paid for a stay and what is still owed for it."""

    def query(unit: Unit) -> int:
        paid = sum(one.amount_fen for one in unit.settlements.of_session(car.session_id))
        debts = unit.debts.of_session(car.session_id)
        return paid + sum(one.amount_fen for one in debts if one.state is DebtState.OPEN)

    return world.store.read(query) if car.session_id else 0
