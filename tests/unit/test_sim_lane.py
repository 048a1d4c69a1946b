"""Cars in a simulated lane: seen, let through, turned back, staying, tailgating, in a queue."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from sim.cameras.sight import Read
from sim.display import SimBoard
from sim.gate import GateHabits, SimGate
from sim.lane import QUEUE, Car, Habit, SimLane
from sim.plates import Plate, PlateKind


@dataclass(slots=True)
class Eye:
    """A camera that opens the gate for everybody, unless told not to."""

    gate: SimGate
    opens: bool = True
    reads: list[Read] = field(default_factory=list)

    def see(self, read: Read) -> None:
        self.reads.append(read)
        if self.opens and read.trigger == "auto":
            self.gate.contact(True)
            self.gate.contact(False)


def lane(opens: bool = True) -> tuple[SimLane, Eye]:
    gate = SimGate(GateHabits(real_time=False))
    eye = Eye(gate, opens)
    return SimLane("in", eye, gate, SimBoard(), lambda: 1_700_000_000_000), eye


def car(number: int = 1, habit: Habit = Habit.DRIVES) -> Car:
    return Car(Plate(f"粤B0000{number}", PlateKind.BLUE), habit)


def story(one: SimLane) -> list[str]:
    return [happening.what for happening in one.happened]


def test_a_car_is_seen_waits_for_the_boom_and_passes_and_the_boom_falls() -> None:
    road, eye = lane()
    road.arrive(car())
    road.advance(30)
    assert story(road) == ["seen", "opened", "closed", "passed"]
    assert road.empty
    assert [(one.text, one.trigger) for one in eye.reads] == [("粤B00001", "auto")]
    assert road.gate.boom_down


def test_a_car_does_not_pass_a_boom_that_stays_down() -> None:
    road, _ = lane(opens=False)
    road.arrive(car())
    road.advance(60)
    assert story(road) == ["seen"]
    assert road.cars() == [("粤B00001", pytest.approx(0.8))]
    assert road.gate.loops == (True, False)


def test_loops_are_driven_over_in_order_and_left() -> None:
    road, _ = lane()
    road.arrive(car())
    seen: list[tuple[bool, ...]] = [road.gate.loops]
    for _ in range(300):
        road.advance(0.1)
        if road.gate.loops != seen[-1]:
            seen.append(road.gate.loops)
    assert seen == [(False, False), (True, False), (True, True), (False, True), (False, False)]


def test_who_turns_back_is_told_by_the_camera_and_never_crosses() -> None:
    road, eye = lane(opens=False)
    road.arrive(car(habit=Habit.TURNS_BACK))
    road.advance(40)
    assert story(road) == ["seen", "turned_back"]
    assert [one.trigger for one in eye.reads] == ["auto", "turned_back"]
    assert road.empty


def test_a_vehicle_that_stays_is_told_of_after_a_minute_and_keeps_the_boom_up() -> None:
    road, eye = lane()
    stays = Car(Plate("粤B00001", PlateKind.BLUE), Habit.STAYS, patience_s=70)
    road.arrive(stays)
    road.advance(69)
    assert [one.trigger for one in eye.reads] == ["auto", "staying"]
    road.advance(20)
    assert "passed" in story(road)


def test_two_cars_queue_and_each_is_seen_after_the_one_before_has_left() -> None:
    road, _ = lane()
    road.arrive(car(1))
    road.arrive(car(2))
    road.advance(60)
    told = [(one.what, one.plate) for one in road.happened if one.what in ("seen", "passed")]
    assert told == [(what, f"粤B0000{number}") for number in (1, 2) for what in ("seen", "passed")]


def test_a_tailgater_passes_under_the_same_boom() -> None:
    road, _ = lane()
    road.arrive(car(1))
    road.arrive(car(2, Habit.TAILGATES))
    road.advance(60)
    assert story(road).count("passed") == 2
    assert story(road).count("opened") == 1


def test_more_cars_than_can_stand_are_refused() -> None:
    road, _ = lane()
    for _ in range(QUEUE):
        road.arrive(car())
    with pytest.raises(OverflowError, match="50 cars"):
        road.arrive(car())
