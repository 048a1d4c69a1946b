"""Cars come in, pay and go out in every world; what is checked of them can fail.

Booms, cameras, drivers and the guard live outside the crash: no gate is pulsed twice for one decision, nobody
is trapped, each car leaves by its own stay once, and its money settles that stay. They are killed at every
step with all other scenarios, in test_every_step.py.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.parking.debt import Debt, DebtCause
from edge.parking.quote import Settlement
from edge.parking.session import Session, SessionState
from edge.parking.validation import Holder, ValidationState
from edge.services import camera_ports, photo_ports
from sim.world.checks import violations
from sim.world.conditions import WORLDS, Conditions
from sim.world.garage.motorists import Motorist, Where
from sim.world.garage.scenarios import (
    EXIT,
    GARAGES,
    MISREAD_OUT,
    OWNER,
    PAID_AT_EXIT,
    TWO_CARS,
    VALIDATED,
    WITH_PASS,
)
from sim.world.garage.truth import TRAPPED_MS
from sim.world.scenario import Scenario
from sim.world.world import World
from tests.crash.test_steps import protocols

BY_NAME = pytest.mark.parametrize("scenario", GARAGES, ids=lambda scenario: scenario.name)


@BY_NAME
@pytest.mark.parametrize("conditions", WORLDS, ids=lambda conditions: conditions.name)
def test_every_car_leaves_rightly_in_every_world(scenario: Scenario, conditions: Conditions) -> None:
    world = World(scenario, 1, conditions=conditions).run()
    assert violations(world) == []
    assert all(person.done for person in world.people)
    assert world.steps.count > 900


def test_the_same_seed_and_crash_give_the_same_day_at_the_lanes() -> None:
    first, second = (World(TWO_CARS, 5, (300, 900)).run() for _ in range(2))
    assert first.crashes == 2
    assert first.steps.digest() == second.steps.digest()
    assert World(TWO_CARS, 6, (300, 900)).run().steps.digest() != first.steps.digest()


def test_a_guard_is_asked_only_when_something_is_unclear() -> None:
    assert not cars(World(PAID_AT_EXIT).run())[0].helped
    assert cars(World(MISREAD_OUT).run())[0].helped == 1


# No call of a port at the lanes without its steps.


def test_what_booms_cameras_boards_and_owners_were_asked_has_all_its_steps() -> None:
    world = World(OWNER).run()
    calls = [name.split(" | ")[0] for name in world.steps.names]
    pulses = sum(boom.pulses for boom in world.garage.booms.values())
    spoken = sum(len(board.spoken) for board in world.garage.boards.values())
    reads = sum(eye.made for eye in world.garage.eyes.values())
    assert (pulses, reads, len(world.garage.owners.told)) == (2, 2, 1)
    for call, times in (
        ("gate.pulse", pulses),
        ("camera.done", reads),
        ("photos.keep", reads),
        ("display.say", spoken),
        ("owners.enter", 1),
        ("owners.charge", 1),
    ):
        assert calls.count(f"{call} before") == calls.count(f"{call} after") == times, call
    assert calls.count("gate.inputs before") > 20
    assert calls.count("display.show before") > 2


def test_the_worlds_lanes_have_every_port_of_a_lane() -> None:
    ports = {port.__name__ for module in (camera_ports, photo_ports) for port in protocols(module)}
    # A camera that posts is driven by requests; in the world it is asked, which ends in the same turn.
    assert ports == {"PlateCamera", "PushCamera", "Photos"}


# No check that cannot fail: each is shown a world in which that very thing went wrong.


def cars(world: World) -> list[Motorist]:
    return [person for person in world.people if isinstance(person, Motorist)]


def gone(scenario: Scenario = PAID_AT_EXIT) -> World:
    world = World(scenario).run()
    assert violations(world) == []
    return world


def stay(world: World) -> Session:
    found = world.store.read(lambda unit: unit.sessions.get(cars(world)[0].session_id))
    assert found is not None
    return found


def assert_seen(world: World, words: str) -> None:
    found = violations(world)
    assert any(words in line for line in found), found


def test_a_car_that_is_trapped_or_stood_for_long_is_seen() -> None:
    world = gone()
    cars(world)[0].where = Where.AT_EXIT
    assert_seen(world, "is at_exit")
    world = gone()
    cars(world)[0].waited_ms = TRAPPED_MS + 1
    assert_seen(world, "stood at a barrier")


def test_a_pulse_without_a_decision_is_seen() -> None:
    world = gone()
    world.garage.booms[EXIT].pulses += 1
    assert_seen(world, "was pulsed 2 times")


def test_a_stay_that_did_not_end_and_one_of_two_cars_are_seen() -> None:
    world = gone()
    inside = replace(stay(world), state=SessionState.INSIDE, left_at=None, exit_lane="")
    world.store.write(lambda unit: unit.sessions.put(inside))
    assert_seen(world, "is inside")
    assert_seen(world, "0 cars are inside, 1 are counted")
    world = gone(TWO_CARS)
    first, second = cars(world)
    second.session_id = first.session_id
    assert_seen(world, "2 cars had stay")
    assert_seen(world, "left by the stay of")


def test_a_stay_that_was_told_twice_and_one_of_nobody_are_seen() -> None:
    world = gone()
    left = next(one for one in world.hq.applied if one.kind == "parking.left")
    world.hq.applied.append(left)
    assert_seen(world, "were told to have left more than once")
    world = gone()
    entered = next(one for one in world.hq.applied if one.kind == "parking.entered")
    body = json.loads(entered.body)
    body["data"]["session_id"] = "another"
    world.hq.applied.append(replace(entered, body=json.dumps(body).encode()))
    assert_seen(world, "1 cars; 2 stays began, 0 never were, 1 ended")


def test_an_exit_that_opened_for_nothing_is_seen() -> None:
    for scenario in (VALIDATED, WITH_PASS):
        world = gone(scenario)
        cars(world)[0].owes_nothing = False
        assert_seen(world, "the exit opened for")
        assert_seen(world, "left without paying")


def test_money_that_settles_too_much_and_a_second_debt_are_seen() -> None:
    world = gone()
    mine = stay(world)
    now = world.clock.now().wall_at
    more = Settlement("odd", mine.session_id, "another-order", 5, now, now)
    world.store.write(lambda unit: unit.settlements.put(more))
    assert_seen(world, "paid 505 fen")
    assert_seen(world, "505 settle the stays")
    world = gone()
    mine = stay(world)
    at = world.clock.now().wall_at
    for number in "12":
        debt = Debt(number, mine.session_id, mine.plate, 500, DebtCause.GUARD, at)
        world.store.write(lambda unit, debt=debt: unit.debts.put(debt))  # type: ignore[misc]
    assert_seen(world, "has 2 debts")


def test_an_owner_who_was_charged_while_the_car_stood_there_is_seen() -> None:
    world = gone(OWNER)
    world.garage.owners.too_early.append("粤B12345")
    assert_seen(world, "were charged while their cars stood at a lane")


def test_validated_parking_that_is_left_for_another_visit_is_seen() -> None:
    world = gone(VALIDATED)
    plate = cars(world)[0].plate
    used = world.store.read(lambda unit: unit.validations.of_session(cars(world)[0].session_id))[0]
    again = replace(used, state=ValidationState.GRANTED, holder=Holder(plate=plate))
    world.store.write(lambda unit: unit.validations.put(again))
    assert_seen(world, "is good for another visit")


def test_a_car_drives_on_under_a_risen_boom_while_the_service_is_down() -> None:
    calm = World(PAID_AT_EXIT)
    boom = calm.garage.booms[calm.garage.entry]
    car = cars(calm)[0]
    calm.garage.queues[calm.garage.entry].append(car)
    car.where = Where.AT_ENTRY
    calm.garage.go_on(3)
    assert car.where is Where.AT_ENTRY
    boom.lift()
    calm.clock.advance(5_000)
    calm.garage.go_on(1)
    assert boom.loops == (True, True)
    calm.garage.go_on(3)
    assert cars(calm)[0].where is Where.INSIDE


def test_money_of_owners_that_the_books_do_not_have_is_seen() -> None:
    world = gone(OWNER)
    world.garage.owners.taken_fen["strangers"] = 500
    assert_seen(world, "fen of owners, 1000 were taken")
    assert_seen(world, "nobody was told")
