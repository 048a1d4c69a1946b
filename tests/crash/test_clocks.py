"""Clocks that are set, that drift, and machines that start without time, the service killed on top of it.

Whatever the clock does, nobody pays more than the true stay costs, by the world's own time, and who pays less
is told why; nobody is trapped, and what is sold, printed and told is as with a right clock.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.parking.quote import Settlement
from edge.services.stay_time import LEAST_TIME
from sim.fakes.clock import FakeClock
from sim.world.checks import violations
from sim.world.conditions import CALM, CLOCK_LOST, CLOCKS, NEVER_SET, STEPPING, Conditions
from sim.world.explore import EVERY, Plan, explore, fits
from sim.world.garage.fees import least_of, most_fen
from sim.world.garage.long_stays import AFTERNOON, AFTERNOON_PREPAID, EVENING, LONG_STAYS
from sim.world.garage.motorists import Motorist
from sim.world.scenario import Scenario
from sim.world.timekeeping import BOOT_MS, HOUR_MS, MINUTE_MS, ClockHabits, Timekeeper, Wakes
from sim.world.world import World
from tests.proof import PROOF, Counted, Tally

#: What went wrong once: a receipt that looked too old, validated parking that looked used up.
FOUND = {("declined, then approved", "clock steps"), ("car: exit with validation", "clock lost")}

#: Each scenario in each world takes part in the proof; here each in one of them, in turn.
PAIRS = [
    (name, one)
    for at, name in enumerate(EVERY)
    for number, one in enumerate(CLOCKS)
    if fits(name, one)
    and (PROOF or (name, one.name) in FOUND or (at % 4 == 0 and number == at // 4 % len(CLOCKS)))
]

#: Scenarios that are killed too, and at every how many-th death, in the proof and here; 0: not here.
KILLED = (
    ("kiosk by code", 4, 30),
    ("car: paid at the exit", 12, 120),
    (AFTERNOON.name, 60, 900),
    ("car: paid at the exit, answer lost", 14, 900),
    ("car: prepaid at the kiosk", 14, 900),
    ("car: exit with validation", 14, 900),
    ("car: pass", 14, 0),
    ("car: misread at the entry", 14, 0),
    ("car: unreadable at the exit", 14, 0),
    ("car: turns back at the entry, comes again", 4, 0),
    ("car: gateway out of reach", 14, 0),
    ("car: gates that do not echo", 14, 0),
    ("car: booms that stick", 14, 0),
    ("car: displays that are dead", 14, 0),
    ("car: cameras that push without end", 14, 0),
    ("car: owner charged after leaving", 14, 900),
    ("car: owner refuses to be charged", 14, 0),
    ("car: ticket without a plate", 14, 900),
    ("two cars, one behind the other", 14, 900),
)

#: So many of them are killed in several worlds here as well, the others in one each.
EVERYWHERE = 3

BY_WORLD = pytest.mark.parametrize("conditions", CLOCKS, ids=lambda one: one.name)


def car_of(world: World) -> Motorist:
    return next(person for person in world.people if isinstance(person, Motorist))


def paid_fen(world: World) -> int:
    settled = world.store.read(lambda unit: unit.settlements.of_session(car_of(world).session_id))
    return sum(one.amount_fen for one in settled)


def note(world: World) -> str:
    stay = world.store.read(lambda unit: unit.sessions.get(car_of(world).session_id))
    return "" if stay is None else stay.clock_note


def test_whatever_people_do_comes_to_the_same_with_a_wrong_clock(tally: Tally) -> None:
    assert len(PAIRS) >= 20
    found = {}
    for name, conditions in PAIRS:
        broken = violations(World(EVERY[name], 1, conditions=conditions).run())
        if broken:
            found[name, conditions.name] = broken
    tally.add(Counted.VIOLATIONS, len(found))
    assert found == {}


@BY_WORLD
@pytest.mark.parametrize("scenario", LONG_STAYS, ids=lambda one: one.name)
def test_a_stay_of_hours_costs_what_it_truly_cost_or_says_why_it_costs_less(
    scenario: Scenario, conditions: Conditions
) -> None:
    world = World(scenario, 1, conditions=conditions).run()
    assert violations(world) == []
    assert least_of(world, car_of(world)) == most_fen(world, car_of(world)) > 0
    assert 0 < paid_fen(world) <= most_fen(world, car_of(world))
    assert not car_of(world).helped


@pytest.mark.parametrize("scenario", [AFTERNOON, AFTERNOON_PREPAID], ids=lambda one: one.name)
@pytest.mark.parametrize("conditions", [CALM, STEPPING, CLOCK_LOST], ids=lambda one: one.name)
def test_where_the_evidence_is_whole_the_fee_is_exact(scenario: Scenario, conditions: Conditions) -> None:
    world = World(scenario, 2, conditions=conditions).run()
    assert paid_fen(world) == most_fen(world, car_of(world)) == 1_500


def test_what_nobody_can_know_is_charged_at_the_least_and_flagged() -> None:
    world = World(EVENING, 1, conditions=NEVER_SET).run()
    assert note(world) == LEAST_TIME
    assert paid_fen(world) < most_fen(world, car_of(world))


@pytest.mark.timeout(900 if PROOF else 60)
def test_killed_at_its_steps_a_service_with_a_wrong_clock_breaks_nothing(tally: Tally) -> None:
    for at, (name, proof, fast) in enumerate(KILLED):
        if not (PROOF or fast):
            continue
        some = (STEPPING, CLOCK_LOST, NEVER_SET)
        worlds = CLOCKS if PROOF or name == "kiosk by code" else some if at < EVERYWHERE else (some[at % 3],)
        rows = explore(Plan((name,), worlds, stride=proof if PROOF else fast))
        assert [line for row in rows for line in row.problems] == []
        assert all(row.singles for row in rows)
        tally.add(Counted.CRASHED, sum(row.boundaries for row in rows))
        tally.add(Counted.SINGLES, sum(row.singles for row in rows))


def test_the_same_seed_has_the_same_wrong_clock() -> None:
    first, second = (World(AFTERNOON, 3, (900,), conditions=CLOCK_LOST).run() for _ in range(2))
    assert first.steps.digest() == second.steps.digest()


# No check that cannot fail.


def test_a_car_that_pays_more_than_its_true_stay_cost_is_seen() -> None:
    world = World(AFTERNOON).run()
    stay = car_of(world).session_id
    more = Settlement("odd", stay, "another", 500, 1, 1)
    world.store.write(lambda unit: unit.settlements.put(more))
    assert any("its true stay cost 1500" in line for line in violations(world))


def test_a_car_that_pays_less_without_a_word_is_seen() -> None:
    world = World(AFTERNOON).run()
    back = Settlement("odd", car_of(world).session_id, "another", -500, 1, 1, refund_id="r")
    world.store.write(lambda unit: unit.settlements.put(back))
    assert any("nothing says why" in line for line in violations(world))


def test_a_doubt_about_a_clock_that_was_right_is_seen() -> None:
    world = World(AFTERNOON).run()
    stay = world.store.read(lambda unit: unit.sessions.get(car_of(world).session_id))
    assert stay is not None
    noted = replace(stay, clock_note=LEAST_TIME)
    world.store.write(lambda unit: unit.sessions.put(noted))
    assert any("a clock that was right" in line for line in violations(world))


# The clock that the worlds are given.


def test_a_clock_is_set_drifts_and_starts_anew_as_its_habits_are() -> None:
    clock = FakeClock()
    begun = clock.now()
    keeper = Timekeeper(clock, ClockHabits(steps=((MINUTE_MS, HOUR_MS),), drift_ppm=200))
    keeper.advance(HOUR_MS)
    assert clock.now().boottime_ns - begun.boottime_ns == (HOUR_MS + 720) * 1_000_000
    assert clock.now().wall_at == clock.true_at
    keeper = Timekeeper(clock, ClockHabits(wakes=Wakes.EPOCH, set_after_ms=MINUTE_MS, cuts=(HOUR_MS,)))
    assert [keeper.fails(), keeper.fails()] == [True, False]
    keeper.restart(BOOT_MS, HOUR_MS)
    assert (clock.now().wall_at, clock.now().trusted) == (BOOT_MS, False)
    assert clock.now().boottime_ns == BOOT_MS * 1_000_000
    keeper.advance(MINUTE_MS - 1)
    assert not clock.now().trusted
    keeper.advance(1)
    assert (clock.now().wall_at, clock.now().trusted) == (clock.true_at, True)
    assert clock.passed_ms == 2 * HOUR_MS + BOOT_MS + MINUTE_MS


def test_a_clock_that_saves_the_time_starts_with_it() -> None:
    clock = FakeClock()
    keeper = Timekeeper(clock, ClockHabits(wakes=Wakes.SAVED))
    keeper.advance(MINUTE_MS)
    saved_at = clock.now().wall_at
    keeper.advance(MINUTE_MS - 1)
    keeper.restart(BOOT_MS, 5 * HOUR_MS)
    assert (clock.now().wall_at, clock.now().trusted) == (saved_at, False)
