"""Scripts in which cars stay for hours, so that what a wrong clock costs can be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.parking.tariff_document import RateLine, Tariff
from edge.services.passage_records import CameraClock
from edge.services.records import Unit
from sim.world.garage.motorists import Guard, Look, Motorist, Prepayer
from sim.world.garage.scenarios import PARKING, PLACES, PLATE
from sim.world.people.person import Person
from sim.world.scenario import Scenario
from sim.world.timekeeping import HOUR_MS, MINUTE_MS
from sim.world.world import World

#: Half an hour is free, then each begun hour of day costs five yuan, each of night one.
DAY_AND_NIGHT = Tariff(
    "standard",
    "标准",
    0,
    30,
    None,
    (
        RateLine(60, 500, from_min=8 * 60, to_min=20 * 60),
        RateLine(60, 100, from_min=20 * 60, to_min=8 * 60, cap_fen=300),
    ),
)

#: Every hour costs five yuan.
HOURLY = Tariff("standard", "标准", 0, 0, None, (RateLine(60, 500),))

#: Two hours and forty minutes: no second of a wrong clock is near the end of an hour.
AFTERNOON_MS = 2 * HOUR_MS + 40 * MINUTE_MS
EVENING_MS = 5 * HOUR_MS + 10 * MINUTE_MS


def know_cameras(unit: Unit, world: World) -> None:
    """The cameras have seen many cars before: how far their clocks are off is known."""
    now = world.clock.now()
    for eye in world.garage.eyes.values():
        known = CameraClock(eye.name, 0, 0, now.wall_at, now.boot_id, now.boottime_ns)
        unit.plate_reads.set_clock(known)


def _stays(world: World, tariff: Tariff, stays_ms: int, errand: Person | None = None) -> Sequence[Person]:
    world.store.write(lambda unit: unit.tariffs.replace((tariff,)))
    world.store.write(lambda unit: know_cameras(unit, world))
    codes = [world.code() for _ in range(4)]
    car = Motorist(PLATE, (Look(PLATE), Look(PLATE)), codes, errand)
    cars = [replace(car, stays_ms=stays_ms)]
    return [*cars, Guard(cars)]


def _prepaid(world: World) -> Sequence[Person]:
    prepayer = Prepayer(PLATE, [world.code() for _ in range(4)])
    return _stays(world, HOURLY, AFTERNOON_MS, prepayer)


def _scenario(name: str, tariff: Tariff, stays_ms: int) -> Scenario:
    return Scenario(name, lambda world: _stays(world, tariff, stays_ms), parking=PARKING, places=PLACES)


AFTERNOON = _scenario("car: parked for an afternoon", HOURLY, AFTERNOON_MS)
EVENING = _scenario("car: parked into the night", DAY_AND_NIGHT, EVENING_MS)
AFTERNOON_PREPAID = Scenario(
    "car: parked for an afternoon, prepaid", _prepaid, parking=PARKING, places=PLACES
)

LONG_STAYS = (AFTERNOON, EVENING, AFTERNOON_PREPAID)
