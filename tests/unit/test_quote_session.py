"""The quote of a stay: its zone's tariff in force at the entry, its rights and validations, what was paid."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from edge.errors import Invalid
from edge.parking.benefit import Benefit, BenefitKind
from edge.parking.calendar import CalendarDay, NamedDay, RateDays
from edge.parking.plate_list import PlateEntry, PlateListKind
from edge.parking.quote import Quote, Settlement
from edge.parking.session import Session, SessionState
from edge.parking.tariff_document import RateLine, Tariff
from edge.parking.vehicle import VehicleClass
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from tests.unit.garage import HOUR_FEN, PLATE, TARIFF, Garage

MINUTE = 60_000


class Barrier(Garage):
    """A garage of which quotes are asked."""

    def quote(self, session: str | Session, *, after_min: int = 0, benefit: Benefit | None = None) -> Quote:
        stay = self.stay(session) if isinstance(session, str) else session
        at = self.now + after_min * MINUTE
        chosen = None if benefit is None else (benefit,)
        return self.box.store.read(lambda unit: quote_session(unit, self.box, stay, at, chosen))

    @property
    def now(self) -> int:
        return self.ports.clock.now().wall_at

    def charge(self, *tariffs: Tariff) -> None:
        self.box.store.write(lambda unit: unit.tariffs.replace(tariffs))

    def left(self, minutes_ago: int) -> None:
        at = self.now - minutes_ago * MINUTE
        past = Session("past", "p1", PLATE, at - MINUTE, "in", state=SessionState.LEFT, left_at=at)
        self.box.store.write(lambda unit: unit.sessions.put(past))


def test_a_stay_is_priced_by_the_tariff_of_its_zone() -> None:
    barrier = Barrier()
    found = barrier.quote(barrier.come(minutes_ago=90))
    assert (found.tariff_id, found.due_fen, found.next_raise_fen) == ("standard", 2 * HOUR_FEN, 3 * HOUR_FEN)


def test_the_version_at_the_entry_prices_all_of_the_stay() -> None:
    barrier = Barrier()
    dearer = replace(TARIFF, valid_from=barrier.now - 30 * MINUTE, lines=(RateLine(60, 9_000),))
    barrier.charge(TARIFF, dearer)
    assert barrier.quote(barrier.come(minutes_ago=90)).due_fen == 2 * HOUR_FEN
    assert barrier.quote(barrier.come("粤B00001", minutes_ago=20)).due_fen == 9_000


def test_a_stay_from_before_the_first_version_is_priced_by_the_first() -> None:
    barrier = Barrier()
    barrier.charge(replace(TARIFF, valid_from=barrier.now - 30 * MINUTE))
    assert barrier.quote(barrier.come(minutes_ago=90)).due_fen == 2 * HOUR_FEN


def test_without_a_tariff_the_error_says_what_to_do() -> None:
    barrier = Barrier()
    barrier.charge(replace(TARIFF, tariff_id="other"))
    with pytest.raises(Invalid, match=r"'standard', which this box does not have; .* edge tariff import"):
        barrier.quote(barrier.come())


@pytest.mark.parametrize(("minutes_ago", "due"), [(130, HOUR_FEN), (170, 0)])
def test_who_comes_again_soon_has_no_second_free_time(minutes_ago: int, due: int) -> None:
    barrier = Barrier()
    barrier.charge(replace(TARIFF, free_min=60, reentry_min=120))
    barrier.left(minutes_ago)
    assert barrier.quote(barrier.come(minutes_ago=30)).due_fen == due


def test_without_a_plate_every_stay_has_its_free_time() -> None:
    barrier = Barrier()
    barrier.charge(replace(TARIFF, free_min=60, reentry_min=120))
    barrier.left(40)
    assert barrier.quote(barrier.come("", ticket="T1", minutes_ago=30)).due_fen == 0


def test_the_class_of_the_vehicle_and_the_calendar_decide_the_rate() -> None:
    barrier = Barrier()
    lines = (RateLine(60, 500), RateLine(60, 900, "large"), RateLine(60, 1_300, days=RateDays.HOLIDAY))
    barrier.charge(replace(TARIFF, lines=lines))
    stay = barrier.stay(barrier.come(minutes_ago=10))
    assert barrier.quote(replace(stay, vehicle_class=VehicleClass.LARGE)).due_fen == 900
    today = datetime.fromtimestamp(stay.entered_at // 1000, barrier.box.rules.zone).date()
    feast = CalendarDay(today, NamedDay.HOLIDAY)
    barrier.box.store.write(lambda unit: unit.calendar_days.replace((feast,)))
    assert barrier.quote(stay).due_fen == 1_300


def test_a_plate_on_the_free_list_pays_nothing_and_the_quote_tells_why() -> None:
    barrier = Barrier()

    def list_it(unit: Unit) -> None:
        number = unit.plate_lists.begin()
        unit.plate_lists.stage(number, 0, [PlateEntry(PLATE, PlateListKind.FREE, note="员工")])
        unit.plate_lists.finish(number, 1)

    barrier.box.store.write(list_it)
    found = barrier.quote(barrier.come())
    assert (found.gross_fen, found.due_fen, found.used) == (2 * HOUR_FEN, 0, (f"free:{PLATE}",))
    assert found.segments[-1].params["label"] == "员工"


def test_another_tariff_of_a_benefit_is_found_in_the_box() -> None:
    barrier = Barrier()
    barrier.charge(TARIFF, replace(TARIFF, tariff_id="staff", lines=(RateLine(1_440, 200),)))
    benefit = Benefit("b", BenefitKind.TARIFF, tariff_id="staff")
    assert barrier.quote(barrier.come(), benefit=benefit).due_fen == 200
    unknown = Benefit("b", BenefitKind.TARIFF, tariff_id="gone")
    assert barrier.quote(barrier.come(), benefit=unknown).due_fen == 2 * HOUR_FEN


def test_what_was_paid_is_taken_off_and_gives_time_to_drive_out() -> None:
    barrier = Barrier()
    stay = barrier.come(minutes_ago=90)
    paid = Settlement("p", stay, "o", 2 * HOUR_FEN, barrier.now, barrier.now)
    barrier.box.store.write(lambda unit: unit.settlements.put(paid))
    found = barrier.quote(stay)
    grace_min = barrier.box.parking.grace_s // 60
    assert (found.due_fen, found.paid_fen) == (0, 2 * HOUR_FEN)
    assert found.allowed_exit_at == barrier.now + 30 * MINUTE, "the price does not rise before"
    late = barrier.quote(stay, after_min=31)
    assert (late.due_fen, grace_min) == (HOUR_FEN, 15)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"clock_note": "set by hand"}, "set by hand"),
        ({"entered_trusted": False}, "entry_untrusted"),
        ({}, ""),
    ],
)
def test_a_doubtful_clock_goes_with_the_quote(change: dict[str, str | bool], note: str) -> None:
    barrier = Barrier()
    stay = replace(barrier.stay(barrier.come()), **change)  # type: ignore[arg-type]
    assert barrier.quote(stay).clock_note == note


def test_a_stay_of_more_than_31_days_is_told_and_one_that_has_left_is_priced_to_its_end() -> None:
    barrier = Barrier()
    stay = barrier.stay(barrier.come(minutes_ago=32 * 1_440))
    assert barrier.quote(stay).clock_note == "long_stay"
    left = replace(stay, state=SessionState.LEFT, left_at=stay.entered_at + 30 * MINUTE)
    assert (barrier.quote(left).due_fen, barrier.quote(left).clock_note) == (HOUR_FEN, "")


def test_a_clock_behind_the_entry_charges_nothing_and_says_so() -> None:
    barrier = Barrier()
    found = barrier.quote(barrier.come(), after_min=-120)
    assert (found.due_fen, found.clock_note) == (0, "clock_behind")
