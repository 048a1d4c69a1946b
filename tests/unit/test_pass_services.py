"""Passes at work: what a stay pays with one, what it uses, who shares a space, what is reserved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest

from edge.errors import Invalid
from edge.parking.parking_pass import ParkingPass, PassEntry, PassKind, PassNotice, PassState
from edge.parking.quote import Quote
from edge.parking.reservation import ReservationState
from edge.parking.right import Right, RightKind
from edge.parking.session import SessionState
from edge.parking.vehicle import PlateColour, VehicleClass
from edge.services.find_right import count_kept, find_right, right_of_stay
from edge.services.issue_pass import PassAsk, change_state, edit_pass, issue_pass, renew_pass, top_up_pass
from edge.services.quote_session import quote_session
from edge.services.records import Unit
from edge.services.reserve_space import cancel_reservation, end_missed, note_arrival, reserve_space
from edge.services.snapshot_passes import PassesKind
from edge.services.use_pass import reverse_use, use_pass
from tests.unit.garage import HOUR_FEN, PLATE, Garage

T = TypeVar("T")
HOUR = 3_600_000
OTHER = "粤B67890"


@pytest.fixture
def garage() -> Garage:
    return Garage()


def ask(garage: Garage, query: Callable[[Unit], T]) -> T:
    return garage.box.store.read(query)


def now_of(garage: Garage) -> int:
    return garage.ports.clock.now().wall_at


def issue(garage: Garage, kind: PassKind = PassKind.MONTH, **more: object) -> ParkingPass:
    wanted = PassAsk("p-1", kind, "李雷", (PLATE,), price_fen=30_000, amount=3)
    return issue_pass(garage.box, replace(wanted, **more), "王")  # type: ignore[arg-type]


def right(garage: Garage, plate: str = PLATE) -> Right:
    now = now_of(garage)
    return ask(
        garage,
        lambda unit: find_right(unit, garage.box, plate, PlateColour.BLUE, VehicleClass.SMALL, "p1", now),
    )


def quote(garage: Garage, session_id: str) -> Quote:
    stay, now = garage.stay(session_id), now_of(garage)
    return ask(garage, lambda unit: quote_session(unit, garage.box, stay, now))


def leave(garage: Garage, session_id: str) -> tuple[PassEntry, ...]:
    """Have a stay use its pass and leave."""
    stay, now = garage.stay(session_id), garage.ports.clock.now()

    def work(unit: Unit) -> tuple[PassEntry, ...]:
        told = quote_session(unit, garage.box, stay, now.wall_at)
        used = use_pass(unit, garage.box, stay, told, now)
        unit.sessions.put(replace(stay, state=SessionState.LEFT, left_at=now.wall_at))
        return used

    return garage.box.store.write(work)


def kinds(garage: Garage) -> list[str]:
    return [one.kind for one in ask(garage, lambda unit: unit.outbox.window(0, 99))]


def test_a_month_pass_parks_free_and_a_visitor_pays(garage: Garage) -> None:
    issue(garage)
    mine, other = garage.come(PLATE), garage.come(OTHER)
    assert quote(garage, mine).due_fen == 0
    assert quote(garage, mine).used == ("p-1",)
    assert quote(garage, other).due_fen == 2 * HOUR_FEN
    assert leave(garage, mine) == ()
    assert right(garage).kind is RightKind.PASS
    assert right(garage, OTHER).kind is RightKind.VISITOR


def test_a_pass_is_issued_once_and_hq_is_told(garage: Garage) -> None:
    one = issue(garage)
    assert issue(garage, holder="another") == one
    assert kinds(garage) == ["pass.changed"]
    with pytest.raises(Invalid, match="already"):
        issue(garage, pass_id="p-2")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"plates": ("?",)}, "no plate"),
        ({"zones": ("roof",)}, "no zone"),
        ({"terms": 99}, "terms"),
        ({"holder": ""}, "holder"),
        ({"kind": PassKind.STORED_TIMES, "amount": 0}, "nothing to put in"),
    ],
)
def test_a_pass_that_cannot_be_is_not_issued(garage: Garage, change: dict[str, object], word: str) -> None:
    with pytest.raises(Invalid, match=word):
        issue(garage, **change)
    assert ask(garage, lambda unit: unit.passes.search("", "", 9)) == ()


def test_stored_times_are_used_once_however_often_the_exit_repeats(garage: Garage) -> None:
    issue(garage, PassKind.STORED_TIMES)
    session_id = garage.come()
    stay, now = garage.stay(session_id), garage.ports.clock.now()

    def use(unit: Unit) -> int:
        told = quote_session(unit, garage.box, stay, now.wall_at)
        return len(use_pass(unit, garage.box, stay, told, now))

    assert [garage.box.store.write(use) for _ in range(3)] == [1, 0, 0]
    assert ask(garage, lambda unit: unit.passes.balance("p-1")) == 2
    assert kinds(garage).count("pass.used") == 1
    assert quote(garage, session_id).due_fen == 0


def test_a_use_is_taken_back_once_and_can_be_used_again(garage: Garage) -> None:
    issue(garage, PassKind.STORED_TIMES)
    session_id = garage.come()
    stay, now, box = garage.stay(session_id), garage.ports.clock.now(), garage.box

    def use(unit: Unit) -> int:
        told = quote_session(unit, box, stay, now.wall_at)
        return len(use_pass(unit, box, stay, told, now))

    def back(unit: Unit) -> int:
        return len(reverse_use(unit, box, session_id, "p-1", "王", "turned back", now))

    assert [box.store.write(work) for work in (use, back, use)] == [1, 1, 1]
    assert ask(garage, lambda unit: unit.passes.balance("p-1")) == 2
    assert box.store.write(back) == 1
    with pytest.raises(Invalid, match="nothing"):
        box.store.write(back)
    with pytest.raises(Invalid, match="reason"):
        box.store.write(lambda unit: reverse_use(unit, box, session_id, "p-1", "王", " ", now))


def test_stored_value_pays_what_it_can_and_the_rest_is_due(garage: Garage) -> None:
    issue(garage, PassKind.STORED_VALUE, amount=700)
    session_id = garage.come()
    assert quote(garage, session_id).due_fen == 2 * HOUR_FEN - 700
    (line,) = leave(garage, session_id)
    assert line.amount == -700
    assert right(garage).notices == {PassNotice.EMPTY: 0}


def test_stored_days_cover_all_visits_of_a_day(garage: Garage) -> None:
    issue(garage, PassKind.STORED_DAYS, amount=1)
    first = garage.come(session_id="s-1", minutes_ago=90)
    assert len(leave(garage, first)) == 1
    second = garage.come(session_id="s-2", minutes_ago=30)
    assert quote(garage, second).due_fen == 0
    assert leave(garage, second) == ()
    assert ask(garage, lambda unit: unit.passes.balance("p-1")) == 0


def test_of_two_cars_on_one_space_the_second_pays_until_the_first_leaves(garage: Garage) -> None:
    issue(garage, plates=(PLATE, OTHER), spaces=1)
    first, second = garage.come(PLATE, minutes_ago=180), garage.come(OTHER, minutes_ago=120)
    assert quote(garage, first).due_fen == 0
    assert quote(garage, second).due_fen == 2 * HOUR_FEN
    stay = garage.stay(second)
    told = ask(garage, lambda unit: right_of_stay(unit, garage.box, stay, now_of(garage)))
    assert told.notices == {PassNotice.SPACES_TAKEN: 0}

    leave(garage, first)
    garage.wait(HOUR)
    assert quote(garage, second).due_fen == 2 * HOUR_FEN


def test_a_second_car_at_the_entry_is_a_visitor_while_the_space_is_held(garage: Garage) -> None:
    issue(garage, plates=(PLATE, OTHER), spaces=1)
    first = garage.come(PLATE)
    assert right(garage, OTHER).kind is RightKind.VISITOR
    leave(garage, first)
    assert right(garage, OTHER).kind is RightKind.PASS


def test_a_pass_is_renewed_once_for_each_form(garage: Garage) -> None:
    one = issue(garage)
    renewed = renew_pass(garage.box, "p-1", 1, 30_000, "王", "form-1")
    assert renewed.hours.valid_to > one.hours.valid_to
    assert renew_pass(garage.box, "p-1", 1, 30_000, "王", "form-1") == renewed
    assert kinds(garage) == ["pass.changed", "pass.changed"]
    with pytest.raises(Invalid, match="no pass"):
        renew_pass(garage.box, "p-9", 1, 0, "王", "form-2")


def test_a_stored_pass_is_topped_up_once_for_each_form(garage: Garage) -> None:
    issue(garage, PassKind.STORED_TIMES)
    assert top_up_pass(garage.box, "p-1", 10, 9_000, "王", "form-1") == 13
    assert top_up_pass(garage.box, "p-1", 10, 9_000, "王", "form-1") == 13
    assert kinds(garage) == ["pass.changed", "pass.changed"]


def test_a_period_pass_is_not_topped_up(garage: Garage) -> None:
    issue(garage)
    with pytest.raises(Invalid, match="renewed"):
        top_up_pass(garage.box, "p-1", 10, 0, "王", "form-1")


def test_a_blocked_pass_parks_as_a_visitor_until_that_is_lifted(garage: Garage) -> None:
    issue(garage)
    change_state(garage.box, "p-1", PassState.BLOCKED, "王", "card lost")
    assert right(garage).kind is RightKind.VISITOR
    assert right(garage).notices == {PassNotice.BLOCKED: 0}
    change_state(garage.box, "p-1", PassState.ACTIVE, "王", "found")
    assert right(garage).kind is RightKind.PASS
    change_state(garage.box, "p-1", PassState.CANCELLED, "王", "sold the car")
    for state, reason in ((PassState.ACTIVE, "again"), (PassState.BLOCKED, "")):
        with pytest.raises(Invalid):
            change_state(garage.box, "p-1", state, "王", reason)


def test_a_pass_changes_its_cars(garage: Garage) -> None:
    issue(garage)
    edit_pass(garage.box, "p-1", (OTHER,), 1, "王")
    assert right(garage).kind is RightKind.VISITOR
    assert right(garage, OTHER).kind is RightKind.PASS
    with pytest.raises(Invalid, match="spaces"):
        edit_pass(garage.box, "p-1", (OTHER,), 2, "王")


def test_what_hq_keeps_is_not_changed_here(garage: Garage) -> None:
    one = issue(garage)
    garage.box.store.write(lambda unit: unit.passes.put(replace(one, from_hq=True)))
    for change in (
        lambda: renew_pass(garage.box, "p-1", 1, 0, "王", "k"),
        lambda: change_state(garage.box, "p-1", PassState.BLOCKED, "王", "lost"),
        lambda: edit_pass(garage.box, "p-1", (OTHER,), 1, "王"),
    ):
        with pytest.raises(Invalid, match="HQ keeps"):
            change()


def test_a_reserved_space_is_kept_until_its_car_comes(garage: Garage) -> None:
    now = now_of(garage)
    reserve_space(garage.box, "v-1", "粤b·12345", "p1", now + 60_000, now + 3 * HOUR, "李")
    assert right(garage).kind is RightKind.RESERVED
    assert ask(garage, lambda unit: count_kept(unit, garage.box, "p1", now)) == 1
    stay = garage.stay(garage.come(minutes_ago=0))
    came = garage.box.store.write(lambda unit: note_arrival(unit, garage.box, stay))
    assert came is not None
    assert (came.state, came.session_id) == (ReservationState.ARRIVED, stay.session_id)
    assert ask(garage, lambda unit: count_kept(unit, garage.box, "p1", now)) == 0
    assert garage.box.store.write(lambda unit: note_arrival(unit, garage.box, stay)) is None


def test_a_reservation_is_made_once_and_missed_when_nobody_comes(garage: Garage) -> None:
    now = now_of(garage)
    one = reserve_space(garage.box, "v-1", PLATE, "p1", now, now + 5 * HOUR, "李")
    assert reserve_space(garage.box, "v-1", OTHER, "p1", now, now + HOUR, "李") == one
    assert end_missed(garage.box) == 0
    garage.wait(HOUR)
    assert right(garage).kind is RightKind.VISITOR
    assert [end_missed(garage.box), end_missed(garage.box)] == [1, 0]
    with pytest.raises(Invalid, match="missed"):
        cancel_reservation(garage.box, "v-1")


def test_no_more_is_reserved_than_there_are_spaces(garage: Garage) -> None:
    facility = garage.box.parking.facility
    small = replace(facility, zones=(replace(facility.zones[0], spaces=1),))
    garage.box = replace(garage.box, parking=replace(garage.box.parking, facility=small))
    now = now_of(garage)
    reserve_space(garage.box, "v-1", PLATE, "p1", now + HOUR, now + 2 * HOUR, "李")
    with pytest.raises(Invalid, match="reserved"):
        reserve_space(garage.box, "v-2", OTHER, "p1", now + HOUR, now + 2 * HOUR, "李")
    cancel_reservation(garage.box, "v-1")
    assert reserve_space(garage.box, "v-2", OTHER, "p1", now + HOUR, now + 2 * HOUR, "李").plate == OTHER


@pytest.mark.parametrize(("plate", "zone"), [("?", "p1"), (PLATE, "roof")])
def test_a_reservation_that_cannot_be_is_refused(garage: Garage, plate: str, zone: str) -> None:
    now = now_of(garage)
    with pytest.raises(Invalid):
        reserve_space(garage.box, "v-1", plate, zone, now, now + HOUR, "李")
    with pytest.raises(Invalid, match="no reservation"):
        cancel_reservation(garage.box, "v-1")


TABLE = """pass_id,kind,holder,plates,valid_from,valid_to,spaces,credit
h-1,month,李雷,粤B12345 粤B67890,2020-01-01,2099-01-01,1,
h-2,stored_times,韩梅梅,京A12345,2020-01-01,,1,{credit}
"""


def apply(garage: Garage, table: str) -> str:
    kind = PassesKind(ZoneInfo("Asia/Shanghai"))
    box = garage.box
    return kind.apply(box.store, box.clock, Said(table.encode()), lambda unit: None, returned=False)


class Said:
    """Content as a snapshot gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def blocks(self) -> Iterator[bytes]:
        yield self._content


def test_hq_s_passes_park_and_what_was_used_outlives_the_next_snapshot(garage: Garage) -> None:
    assert apply(garage, TABLE.format(credit=5)) == "2 passes"
    assert right(garage).pass_id == "h-1"
    leave(garage, garage.come("京A12345"))
    assert ask(garage, lambda unit: unit.passes.balance("h-2")) == 4
    for credit, held in ((5, 4), (8, 7), (6, 7)):
        apply(garage, TABLE.format(credit=credit))
        assert ask(garage, lambda unit: unit.passes.balance("h-2")) == held
    apply(garage, TABLE.format(credit=5).rsplit("h-2", 1)[0])
    assert ask(garage, lambda unit: unit.passes.get("h-2")) is None


def test_a_pass_of_here_is_not_taken_over(garage: Garage) -> None:
    issue(garage, pass_id="h-1")
    with pytest.raises(Invalid, match="h-1"):
        apply(garage, TABLE.format(credit=5))
    assert ask(garage, lambda unit: unit.passes.get("h-2")) is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("h-2", "h-1", "twice"),
        ("month", "weekly", "kind"),
        ("粤B12345 ", "!! ", "plates"),
        ("2099-01-01,1", ",1", "has an end"),
        ("2099-01-01,1", "2099-01-01,3", "spaces"),
        ("李雷", "", "holder"),
    ],
)
def test_a_table_with_a_mistake_names_its_line(garage: Garage, old: str, new: str, word: str) -> None:
    with pytest.raises(Invalid, match=word) as error:
        apply(garage, TABLE.format(credit=5).replace(old, new, 1))
    assert "line " in str(error.value)
