"""Parking fees under wrong clocks: the true fee where it can be known, else the least, and the quote says so.

Half an hour is free, then each begun hour costs five yuan; the car stays for two hours and twenty minutes,
which is ten yuan. What wall clocks alone would charge stands beside each case.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from edge.parking.calendar import Calendar
from edge.parking.decision import Verdict, Why
from edge.parking.quote import Quote
from edge.parking.quote_words import explain
from edge.parking.session import Session, SessionState
from edge.parking.stay_charges import price_fen
from edge.parking.tariff_document import FreeTime, RateLine, Tariff
from edge.parking.tariff_plan import Plan
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.charge_stay import charge_stay
from edge.services.correct_plate import correct_session
from edge.services.paid_stays import doubts_of
from edge.services.quote_session import quote_session
from edge.services.settle_stays import settle_stays
from edge.services.stay_time import JUMPED, LEAST_TIME
from edge.services.watch_clock import ClockWatch, watch_clock
from sim.fakes.clock import START_AT, FakeClock
from tests.unit.lane_rig import IN, OUT, PLATE, LaneRig

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
STAY_MS = 140 * MINUTE
AFTER_HALF_AN_HOUR = Tariff("standard", "标准", 0, 30, None, (RateLine(60, 500),), FreeTime.KEPT)
DAY_AND_NIGHT = Tariff(
    "standard",
    "标准",
    0,
    0,
    None,
    (RateLine(60, 500, from_min=480, to_min=1_200), RateLine(60, 100, from_min=1_200, to_min=480)),
)


@dataclass
class Street(LaneRig):
    """Lanes whose box watches its clock, as the service does."""

    tariff: Tariff = AFTER_HALF_AN_HOUR
    watch: ClockWatch = field(default_factory=ClockWatch)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.box.store.write(lambda unit: unit.tariffs.replace((self.tariff,)))
        self.look()

    @property
    def clock(self) -> FakeClock:
        return self.ports.clock

    def look(self, lane: str = "") -> None:
        if lane:
            super().look(lane)
            return
        box = self.box
        self.watch = watch_clock(box.store, box.clock, box.ids, box.origin, 12, self.watch)

    def go(self, milliseconds: int) -> None:
        """Let time go by, a heartbeat each minute."""
        for _ in range(milliseconds // MINUTE):
            self.clock.advance(MINUTE)
            self.look()
        self.clock.advance(milliseconds % MINUTE)

    def enter(self) -> Session:
        """A car comes in and its stay begins now."""
        self.come()
        return self.stay()

    def reboot(self, wall_at: int | None = None, *, trusted: bool = False, off_ms: int = 0) -> None:
        self.clock.reboot(20_000, off_ms=off_ms, wall_at=wall_at, trusted=trusted)
        self.watch = ClockWatch()
        self.look()

    def set_clock(self) -> None:
        self.clock.synchronise()
        self.look()

    def quote(self, session: Session | None = None) -> Quote:
        stay = session or self.stay()
        return self.box.store.read(lambda unit: quote_session(unit, self.box, stay, self.now))

    def pay(self, session_id: str) -> None:
        """What is due now is asked for and paid at once."""
        order = charge_stay(self.box, session_id, "pay-1")
        charge = self.box.store.read(lambda unit: unit.stay_charges.get(order.lines[0].line_id))
        assert charge is not None
        paid = replace(
            self.paid(session_id, charge.amount_fen),
            covers_until=charge.covers_until,
            covers_boot=charge.covers_boot,
            covers_ns=charge.covers_ns,
        )
        self.box.store.write(lambda unit: unit.settlements.put(paid))

    def leave_free(self) -> None:
        """The car leaves within its free time."""
        self.loops(OUT, True, False)
        self.read(OUT, camera_at_ms=None)
        self.work(OUT)
        self.drive(OUT)

    def by_wall_fen(self) -> int:
        """What the two wall clocks alone would charge."""
        plan = Plan(self.tariff, self.box.rules.zone, Calendar(), VehicleClass.SMALL, PlateColour.UNKNOWN)
        entered_at = self.stay().entered_at
        return price_fen(plan, entered_at, max(entered_at, self.now.wall_at))


# The four naive examples.


def test_a_right_clock_charges_what_is_due_and_says_nothing() -> None:
    street = Street()
    street.enter()
    street.go(STAY_MS)
    assert (street.quote().due_fen, street.by_wall_fen(), street.quote().clock_note) == (1_000, 1_000, "")


def test_an_entry_stamped_three_hours_behind_is_charged_for_the_time_that_has_passed() -> None:
    street = Street()
    street.reboot(START_AT - 3 * HOUR)
    street.enter()
    street.go(MINUTE)
    street.set_clock()
    street.go(STAY_MS - MINUTE)
    found = street.quote()
    assert street.by_wall_fen() == 2_500
    assert (found.due_fen, found.clock_note) == (1_000, JUMPED)
    assert abs(found.entered_at - (street.clock.true_at - STAY_MS)) < 10_000


def test_an_entry_stamped_at_the_beginning_of_time_is_charged_for_the_time_that_has_passed() -> None:
    street = Street()
    # Nine months back, as in the example; and 1970.
    street.reboot(START_AT - 271 * DAY)
    street.enter()
    street.go(MINUTE)
    street.set_clock()
    street.go(STAY_MS - MINUTE)
    assert street.by_wall_fen() > 3_000_000
    assert (street.quote().due_fen, street.quote().clock_note) == (1_000, JUMPED)


def test_an_exit_three_hours_behind_is_not_free() -> None:
    street = Street()
    street.enter()
    street.go(STAY_MS)
    street.clock.set_wall(-3 * HOUR)
    assert street.by_wall_fen() == 0
    assert (street.quote().due_fen, street.quote().clock_note) == (1_000, JUMPED)


@pytest.mark.parametrize("step_ms", [3 * HOUR, -3 * HOUR, 271 * DAY, -START_AT, -30_000])
def test_steps_in_one_run_change_no_fee_whenever_they_come(step_ms: int) -> None:
    for before_min in (1, 70, 139):
        street = Street()
        street.enter()
        street.go(before_min * MINUTE)
        street.clock.set_wall(step_ms)
        street.go(STAY_MS - before_min * MINUTE)
        assert street.quote().due_fen == 1_000


# Over a restart.


def test_over_a_restart_of_a_clock_that_is_right_the_dark_time_is_charged_too() -> None:
    street = Street()
    street.enter()
    street.go(60 * MINUTE)
    street.reboot(off_ms=60 * MINUTE)
    assert street.quote().clock_note == LEAST_TIME
    street.set_clock()
    street.go(20 * MINUTE)
    assert (street.quote().due_fen, street.quote().clock_note) == (1_000, "")


def test_over_a_restart_without_time_what_is_certain_is_charged_and_said() -> None:
    street = Street()
    street.enter()
    street.go(130 * MINUTE)
    street.reboot(wall_at=0, off_ms=5 * HOUR)
    street.go(15 * MINUTE)
    found = street.quote()
    # 2 h 10 min and 15 min ran for certain; nobody knows how long it was dark.
    assert (found.due_fen, found.clock_note) == (1_000, LEAST_TIME)
    assert explain(found, street.box.rules.zone, "zh")[-1].endswith("已按可确定的最短时长收费")
    assert explain(found, street.box.rules.zone, "en")[-1].endswith("for the shortest time that is certain")
    street.set_clock()
    assert street.quote().due_fen == 1_000 + 5 * 500


def test_an_entry_without_time_before_a_restart_costs_the_least_that_the_runs_allow() -> None:
    street = Street()
    street.reboot(wall_at=0)
    street.enter()
    street.go(100 * MINUTE)
    street.reboot(wall_at=0, off_ms=7 * HOUR)
    street.set_clock()
    street.go(40 * MINUTE)
    found = street.quote()
    assert (found.due_fen, found.clock_note) == (1_000, LEAST_TIME)
    assert found.at == street.now.wall_at


def test_a_clock_that_lost_half_a_minute_at_a_restart_and_says_it_is_right_makes_no_stay_free() -> None:
    street = Street(tariff=replace(AFTER_HALF_AN_HOUR, free_min=0))
    street.enter()
    street.reboot(street.now.wall_at + 20_000 - 30_000, trusted=True)
    assert street.by_wall_fen() == 0
    assert street.quote().due_fen == 500


def test_where_the_hour_is_not_known_the_cheapest_one_is_charged() -> None:
    street = Street(tariff=DAY_AND_NIGHT)
    street.reboot(wall_at=0)
    street.enter()
    street.go(STAY_MS)
    found = street.quote()
    assert (found.due_fen, found.clock_note) == (300, LEAST_TIME)
    assert found.at == street.now.wall_at
    street.set_clock()
    assert street.quote().due_fen == 1_500


# The way out.


def test_at_the_exit_the_least_is_asked_for_and_guard_and_hq_are_told_why() -> None:
    street = Street()
    street.enter()
    street.go(100 * MINUTE)
    street.reboot(wall_at=0, off_ms=3 * HOUR)
    street.go(40 * MINUTE)
    street.loops(OUT, True, False)
    assert street.read(OUT, camera_at_ms=None).lines == (PLATE, "请缴费10元")
    passage = street.here(OUT)
    assert passage.decision is not None
    assert (passage.decision.verdict, passage.decision.due_fen) == (Verdict.PAY, 1_000)
    assert street.stay().clock_note == LEAST_TIME


def test_a_stay_for_which_no_paid_time_is_certain_goes_free_and_says_why() -> None:
    street = Street()
    street.enter()
    street.go(10 * MINUTE)
    street.reboot(wall_at=0, off_ms=3 * HOUR)
    street.loops(OUT, True, False)
    street.read(OUT, camera_at_ms=None)
    passage = street.here(OUT)
    assert passage.decision is not None
    assert (passage.decision.verdict, passage.decision.why) == (Verdict.OPEN, Why.CLOCK)
    street.work(OUT)
    street.drive(OUT)
    left = street.told("parking.left")[-1]
    assert (left["clock_note"], left["why"]) == (LEAST_TIME, "clock")


def test_a_stay_that_has_ended_keeps_the_time_that_it_was_charged_for() -> None:
    street = Street()
    session_id = street.enter().session_id
    street.go(STAY_MS)
    street.clock.set_wall(-3 * HOUR)
    street.look()
    order = charge_stay(street.box, session_id, "pay-1")
    assert order.total_fen == 1_000
    street.loops(OUT, True, False)
    street.read(OUT, camera_at_ms=None)
    street.settle(session_id, 1_000)
    street.work(OUT)
    street.drive(OUT)
    stay = street.box.store.read(lambda unit: unit.sessions.get(session_id))
    assert stay is not None
    assert stay.state is SessionState.LEFT
    assert stay.left_at is not None
    assert STAY_MS <= stay.left_at - stay.entered_at < STAY_MS + MINUTE
    assert stay.clock_note == JUMPED


# What else hangs on the time.


def test_the_time_to_drive_out_is_not_cut_by_a_clock_that_is_set_forward() -> None:
    street = Street()
    session_id = street.enter().session_id
    street.go(STAY_MS)
    street.pay(session_id)
    street.clock.set_wall(5 * HOUR)
    street.go(14 * MINUTE)
    assert street.quote().due_fen == 0
    street.go(30 * MINUTE)
    assert street.quote().due_fen == 500


def test_a_plate_that_comes_back_has_its_free_time_again_whatever_the_clock_says() -> None:
    street = Street(tariff=replace(AFTER_HALF_AN_HOUR, reentry_min=60))
    street.enter()
    street.leave_free()
    street.go(3 * HOUR)
    street.clock.set_wall(-3 * HOUR)
    street.enter()
    street.go(20 * MINUTE)
    assert street.quote().due_fen == 0


def test_a_plate_that_comes_back_at_once_has_no_second_free_time_whatever_the_clock_says() -> None:
    street = Street(tariff=replace(AFTER_HALF_AN_HOUR, reentry_min=60))
    street.enter()
    street.leave_free()
    street.go(10 * MINUTE)
    street.clock.set_wall(5 * HOUR)
    street.enter()
    street.go(20 * MINUTE)
    assert street.quote().due_fen == 500


def test_an_entry_time_that_a_person_typed_stands_whatever_the_clock_does_later() -> None:
    street = Street()
    session_id = street.enter().session_id
    correct_session(street.box, session_id, "老周", "ticket says so", entered_at=street.now.wall_at - HOUR)
    street.clock.set_wall(-3 * HOUR)
    street.go(60 * MINUTE)
    assert street.quote().due_fen == 1_000


def test_a_stay_from_before_this_version_is_priced_by_its_wall_times() -> None:
    street = Street()
    old = replace(street.enter(), entered_boot="", entered_at=street.now.wall_at - STAY_MS)
    assert street.quote(old).due_fen == 1_000
    dark = replace(old, entered_trusted=False)
    assert street.quote(dark).clock_note == "exit_untrusted"
    assert street.lane(IN).zone == old.zone


def test_who_pays_in_doubt_reads_it_on_the_receipt_and_hq_in_the_event() -> None:
    street = Street()
    session_id = street.enter().session_id
    street.go(100 * MINUTE)
    street.reboot(wall_at=0, off_ms=3 * HOUR)
    street.go(40 * MINUTE)
    order = charge_stay(street.box, session_id, "pay-1")
    ((zh, en),) = street.box.store.read(lambda unit: doubts_of(unit, order))
    assert "最短时长收费" in zh
    assert "shortest time that is certain" in en
    street.box.store.write(lambda unit: settle_stays(unit, street.box, order, street.now))
    (told,) = street.told("parking.paid")
    assert (told["amount_fen"], told["clock_note"]) == (1_000, LEAST_TIME)
    said = explain(street.quote(), street.box.rules.zone, "en", doubts=False)
    assert said[-1] == en


def test_a_receipt_of_a_right_clock_says_nothing_of_it() -> None:
    street = Street()
    session_id = street.enter().session_id
    street.go(100 * MINUTE)
    order = charge_stay(street.box, session_id, "pay-1")
    assert street.box.store.read(lambda unit: doubts_of(unit, order)) == ()
