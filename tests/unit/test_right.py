"""By what right a vehicle parks: one chain in one order, with each step told."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.benefit import BenefitKind
from edge.parking.hours import Hours
from edge.parking.parking_pass import (
    ParkingPass,
    PassKind,
    PassNotice,
    PassRules,
    PassUsage,
    StaySpan,
)
from edge.parking.plate_list import PlateEntry, PlateListKind
from edge.parking.reservation import (
    Reservation,
    ReservationState,
    arrive,
    cancel,
    check_reservation,
    kept_spaces,
    miss,
)
from edge.parking.right import Place, Right, RightKind, Standing, StepOutcome, decide_right
from edge.parking.vehicle import PlateColour, VehicleClass

NOW = 1_795_399_200_000
MINUTE = 60_000
HOUR = 60 * MINUTE
PLATE = "粤B12345"
PLACE = Place(PassRules(), ZoneInfo("Asia/Shanghai"))
ENTRY = StaySpan("", "B1", VehicleClass.SMALL, NOW, NOW)
EXIT = StaySpan("s-1", "B1", VehicleClass.SMALL, NOW - 2 * HOUR, NOW)
MONTH = ParkingPass("p-1", PassKind.MONTH, "李雷", (PLATE,), Hours(0, NOW + 30 * 24 * HOUR))
BOOKED = Reservation("v-1", PLATE, "B1", NOW, NOW + 3 * HOUR, NOW - HOUR)


def entry(kind: PlateListKind, **more: object) -> PlateEntry:
    return replace(PlateEntry(PLATE, kind), **more)  # type: ignore[arg-type]


def decide(stay: StaySpan = ENTRY, **known: object) -> Right:
    standing = replace(Standing(PLATE, PlateColour.BLUE), **known)  # type: ignore[arg-type]
    return decide_right(standing, stay, PLACE)


FREE, WHITE, BLACK = (entry(kind) for kind in PlateListKind)


def test_nothing_known_is_a_visitor_and_each_step_is_told() -> None:
    right = decide()
    assert (right.kind, right.benefit, right.refused) == (RightKind.VISITOR, None, "")
    assert [one.kind for one in right.steps] == [
        RightKind.BLACK,
        RightKind.BLACK,
        RightKind.OFFICIAL,
        RightKind.FREE,
        RightKind.PASS,
        RightKind.RESERVED,
        RightKind.WHITE,
        RightKind.VISITOR,
    ]
    assert {one.outcome for one in right.steps[:-1]} == {StepOutcome.NONE}
    assert right.steps[-1].outcome is StepOutcome.DECIDES
    assert not right.even_when_full


def test_the_chain_has_one_order() -> None:
    everything: dict[str, object] = {
        "blocked_by": "cmd-1",
        "entries": (BLACK, FREE, WHITE),
        "passes": ((MONTH, PassUsage()),),
        "reservations": (BOOKED,),
    }
    order = [
        RightKind.BLACK,
        RightKind.BLACK,
        RightKind.FREE,
        RightKind.PASS,
        RightKind.RESERVED,
        RightKind.WHITE,
    ]
    found = [decide(**everything).kind]
    for change in (
        {"blocked_by": ""},
        {"entries": (FREE, WHITE)},
        {"entries": (WHITE,)},
        {"passes": ()},
        {"reservations": ()},
    ):
        everything |= change
        found.append(decide(**everything).kind)
    assert found == order


def test_a_block_and_a_black_list_say_why() -> None:
    assert decide(blocked_by="cmd-1", blocked_note="stolen").refused == "stolen"
    assert decide(blocked_by="cmd-1").steps[0].ref == "cmd-1"
    assert decide(entries=(entry(PlateListKind.BLACK, note="unpaid"),)).refused == "unpaid"


@pytest.mark.parametrize(
    "change",
    [{"valid_to": NOW}, {"valid_from": NOW + 1}, {"from_min": 0, "to_min": 60}, {"plate_class": "large"}],
)
def test_an_entry_that_does_not_hold_now_is_passed_over(change: dict[str, object]) -> None:
    assert decide(entries=(entry(PlateListKind.BLACK, **change),)).kind is RightKind.VISITOR
    assert decide(entries=(entry(PlateListKind.FREE, **change),)).kind is RightKind.VISITOR


def test_a_class_that_is_no_size_of_vehicle_is_the_name_of_a_group() -> None:
    assert decide(entries=(entry(PlateListKind.FREE, plate_class="staff"),)).kind is RightKind.FREE


def test_the_free_list_covers_the_part_of_a_stay_in_which_it_holds() -> None:
    part = decide(EXIT, entries=(entry(PlateListKind.FREE, valid_to=NOW - HOUR),))
    assert part.benefit is not None
    assert (part.kind, part.benefit.kind, part.benefit.value) == (RightKind.FREE, BenefitKind.MINUTES, 60)
    whole = decide(EXIT, entries=(FREE,))
    assert whole.benefit is not None
    assert whole.benefit.kind is BenefitKind.ALL


@pytest.mark.parametrize("plate", ["京A0006警", "WJ京00012", "京X1234应急", "VA12345"])
def test_official_plates_never_pay_when_their_ground_is_white(plate: str) -> None:
    right = decide(plate=plate, colour=PlateColour.WHITE)
    assert right.kind is RightKind.OFFICIAL
    assert right.benefit is not None
    assert decide(plate=plate, colour=PlateColour.UNKNOWN).kind is RightKind.VISITOR
    nobody = replace(PLACE, rules=replace(PLACE.rules, free_kinds=frozenset()))
    standing = Standing(plate, PlateColour.WHITE)
    assert decide_right(standing, ENTRY, nobody).kind is RightKind.VISITOR


def test_of_several_passes_the_one_that_covers_most_and_costs_least_is_taken() -> None:
    times = replace(MONTH, pass_id="p-2", kind=PassKind.STORED_TIMES)
    value = replace(MONTH, pass_id="p-3", kind=PassKind.STORED_VALUE)
    ending = replace(MONTH, pass_id="p-4", hours=Hours(0, NOW - HOUR))
    held = ((value, PassUsage(900)), (times, PassUsage(5)), (ending, PassUsage()), (MONTH, PassUsage()))
    assert decide(EXIT, passes=held).pass_id == "p-1"
    assert decide(EXIT, passes=held[:3]).pass_id == "p-2"
    assert decide(EXIT, passes=(held[0], held[2])).pass_id == "p-4"
    assert decide(EXIT, passes=held[:1]).pass_id == "p-3"


def test_an_expired_pass_is_a_visitor_who_is_told() -> None:
    expired = replace(MONTH, hours=Hours(0, NOW - 50 * HOUR))
    right = decide(EXIT, passes=((expired, PassUsage()),))
    assert (right.kind, right.benefit) == (RightKind.VISITOR, None)
    assert right.notices == {PassNotice.EXPIRED: 2}
    failed = next(one for one in right.steps if one.kind is RightKind.PASS)
    assert (failed.outcome, failed.ref, failed.note) == (StepOutcome.FAILS, "p-1", "expired")
    listed = decide(EXIT, passes=((expired, PassUsage()),), entries=(WHITE,))
    assert (listed.kind, listed.notices) == (RightKind.WHITE, {PassNotice.EXPIRED: 2})


def test_a_reservation_lets_in_a_little_early_and_while_it_is_held() -> None:
    def at(minutes: int) -> RightKind:
        moment = NOW + minutes * MINUTE
        return decide(replace(ENTRY, entered_at=moment, at=moment), reservations=(BOOKED,)).kind

    assert [at(minutes) for minutes in (-31, -30, 0, 59, 60)] == [
        RightKind.VISITOR,
        RightKind.RESERVED,
        RightKind.RESERVED,
        RightKind.RESERVED,
        RightKind.VISITOR,
    ]
    assert decide(reservations=(BOOKED,)).even_when_full
    assert decide(replace(ENTRY, zone="B2"), reservations=(BOOKED,)).kind is RightKind.VISITOR
    assert decide(EXIT, reservations=(arrive(BOOKED, "s-1"),)).kind is RightKind.RESERVED
    assert decide(EXIT, reservations=(arrive(BOOKED, "s-2"),)).kind is RightKind.VISITOR


def test_spaces_are_kept_for_those_who_have_not_come() -> None:
    late = replace(BOOKED, reservation_id="v-2", from_at=NOW - 2 * HOUR)
    came = arrive(replace(BOOKED, reservation_id="v-3"), "s-3")
    other = replace(BOOKED, reservation_id="v-4", zone="B2")
    assert kept_spaces((BOOKED, late, came, other), "B1", NOW, 30, 60) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"plate": ""},
        {"to_at": NOW},
        {"to_at": NOW + 32 * 24 * HOUR},
        {"from_at": NOW + 91 * 24 * HOUR, "to_at": NOW + 92 * 24 * HOUR},
        {"from_at": NOW - 9 * HOUR, "to_at": NOW - 2 * HOUR},
    ],
)
def test_a_reservation_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    assert check_reservation(BOOKED) == BOOKED
    with pytest.raises(Invalid):
        check_reservation(replace(BOOKED, **change))  # type: ignore[arg-type]


def test_a_reservation_ends_once() -> None:
    assert cancel(BOOKED).state is ReservationState.CANCELLED
    assert miss(BOOKED).state is ReservationState.MISSED
    for end in (cancel, miss):
        with pytest.raises(Invalid):
            end(arrive(BOOKED, "s-1"))
