"""A till's day: opened with a float, sold, cash moved, counted blindly, closed; and kiosks by themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from edge.clock import Instant
from edge.errors import Declined, Invalid
from edge.retail.receipt import PrintState
from edge.retail.shift import CashKind, Shift, ShiftState
from edge.retail.shift_report import ShiftReport
from edge.services.business_day import business_day
from edge.services.close_day import close_day, print_day, roll_shifts
from edge.services.close_shift import (
    begin_count,
    break_off_count,
    close_shift,
    give_count,
    look_at_shift,
    print_report,
)
from edge.services.move_cash import move_cash
from edge.services.open_shift import open_shift
from edge.services.print_paper import print_next_paper
from edge.services.report_json import decode_day
from edge.services.show_shifts import show_place, show_places
from edge.services.take_cash import take_cash
from sim.fakes.box import BREAD, COLA, KIOSK, RULES, TILL
from sim.fakes.clock import FakeClock
from tests.unit.shop import Shop

HOUR_MS = 3_600_000
WHO = "李雷"


@dataclass(frozen=True)
class Standing:
    """A clock that stands."""

    instant: Instant

    def now(self) -> Instant:
        return self.instant


@pytest.fixture
def shop() -> Shop:
    return Shop(replace(RULES, cash_needs_shift=True))


def sell_for_cash(shop: Shop, *texts: str, received_fen: int) -> int:
    """Sell these at the till; return the change."""
    shop.order_of(*texts, place=TILL)
    return take_cash(shop.box, TILL, received_fen)


def sell_at_kiosk(shop: Shop, *texts: str) -> None:
    shop.order_of(*texts)
    shop.pay(shop.code())


def current(shop: Shop, place: str = TILL) -> Shift | None:
    return shop.box.store.read(lambda unit: unit.shifts.current(place))


def look(shop: Shop, shift: Shift) -> ShiftReport:
    now = shop.box.clock.now()
    return shop.box.store.read(lambda unit: look_at_shift(unit, shift, now))


def papers(shop: Shop, place: str = TILL) -> list[str]:
    """Print all that waits; return what each paper said."""
    before = len(shop.papers(place))
    while print_next_paper(shop.box, place) is not None:
        pass
    return shop.papers(place)[before:]


def close(shop: Shop, drawer_fen: int) -> Shift:
    """Count so many fen at the till."""
    begin_count(shop.box, TILL)
    return give_count(shop.box, TILL, {}, drawer_fen, WHO)


def test_no_cash_is_taken_before_a_shift_is_open(shop: Shop) -> None:
    order = shop.order_of(COLA, place=TILL)
    with pytest.raises(Declined, match="no shift is open at till-1; open one"):
        take_cash(shop.box, TILL, 1_000)
    assert shop.stored_order(order.order_id).tenders == ()
    open_shift(shop.box, TILL, WHO, 20_000)
    assert take_cash(shop.box, TILL, 1_000) == 650


def test_a_box_that_asks_for_no_shift_takes_cash_at_once() -> None:
    shop = Shop()
    assert sell_for_cash(shop, COLA, received_fen=1_000) == 650
    shift = current(shop)
    assert shift is not None
    assert shift.automatic


def test_a_shift_closes_by_a_blind_count_with_z_number_report_paper_and_event(shop: Shop) -> None:
    opened = open_shift(shop.box, TILL, WHO, 20_000)
    sell_for_cash(shop, COLA, BREAD, received_fen=2_000)
    move_cash(shop.box, TILL, CashKind.PAY_IN, 5_000, "零钱", WHO)
    move_cash(shop.box, TILL, CashKind.PICK_UP, 10_000, "上交", WHO)
    move_cash(shop.box, TILL, CashKind.NO_SALE, 0, "换零", WHO)
    papers(shop)

    shift = close(shop, 20_000 + 1_150 + 5_000 - 10_000)

    assert (shift.state, shift.number, shift.over_short_fen) == (ShiftState.CLOSED, 1, 0)
    report = look(shop, shift)
    assert report.final
    assert [(one.kind, one.payments, one.taken_fen) for one in report.tenders] == [("cash", 1, 1_150)]
    assert (report.orders, report.change_fen, report.drawer_fen) == (1, 850, 16_150)
    assert report.first_order == report.last_order == "till-1-0001"
    data = shop.event_data("shift.closed")
    assert (data["shift_id"], data["number"], data["over_short_fen"]) == (opened.shift_id, 1, 0)
    assert (data["pay_in_fen"], data["pick_up_fen"], data["no_sales"]) == (5_000, 10_000, 1)
    drawer, z_report = papers(shop)
    assert "Z REPORT" in z_report
    assert "Z REPORT" not in drawer


def test_what_is_expected_is_not_told_before_the_count(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 20_000)
    sell_for_cash(shop, COLA, received_fen=350)
    shift = current(shop)
    assert shift is not None
    print_report(shop.box, shift.shift_id, TILL)
    assert "203.50" not in papers(shop)[-1]
    counting = begin_count(shop.box, TILL)
    with pytest.raises(Declined, match="being counted"):
        look(shop, counting)
    with pytest.raises(Declined, match="being counted"):
        print_report(shop.box, counting.shift_id, TILL)
    assert counting.expected_fen is None


def test_a_drawer_that_is_counted_takes_no_cash_until_the_count_is_broken_off(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    shop.order_of(COLA, place=TILL)
    begin_count(shop.box, TILL)
    with pytest.raises(Declined, match="being counted"):
        take_cash(shop.box, TILL, 350)
    break_off_count(shop.box, TILL)
    assert take_cash(shop.box, TILL, 350) == 0


def test_a_count_beyond_the_limit_waits_for_a_reason_or_another_count(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 20_000)
    shift = close(shop, 19_000)
    assert (shift.state, shift.over_short_fen) == (ShiftState.COUNTING, -1_000)
    with pytest.raises(Invalid, match="give a reason"):
        close_shift(shop.box, TILL, WHO, " ")
    with pytest.raises(Invalid, match="a count was given"):
        break_off_count(shop.box, TILL)
    shift = give_count(shop.box, TILL, {"note_10000": 1}, 9_400, WHO)
    assert shift.state is ShiftState.COUNTING
    closed = close_shift(shop.box, TILL, WHO, "少找")
    assert (closed.number, closed.over_short_fen, closed.reason, len(closed.counts)) == (1, -600, "少找", 2)


def test_a_count_within_the_limit_closes_at_once(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 20_000)
    assert close(shop, 20_500).over_short_fen == 500


def test_a_late_approval_and_what_comes_between_shifts_belong_to_the_next_one(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    order = shop.order_of(COLA, place=TILL)
    close(shop, 0)
    shop.pay(shop.code(), TILL)
    assert shop.stored_order(order.order_id).due_fen == 0
    shop.wait(1_000)

    second = open_shift(shop.box, TILL, "韩梅梅", 0)

    report = look(shop, second)
    assert [(one.kind, one.net_fen) for one in report.tenders] == [("wechat_pay", 350)]
    assert [(one.order_number, one.amount_fen) for one in report.late] == [(order.number, 350)]


def test_an_unknown_payment_does_not_hinder_the_close_and_is_listed(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    shop.order_of(COLA, place=TILL)
    shop.scan(shop.code(), TILL)
    report = look(shop, close(shop, 0))
    assert [one.amount_fen for one in report.open_payments] == [350]
    assert report.tenders == ()


def test_an_x_report_is_the_same_again_and_changes_nothing(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 20_000)
    sell_for_cash(shop, COLA, received_fen=350)
    shift = current(shop)
    assert shift is not None
    assert look(shop, shift) == look(shop, shift)
    assert current(shop) == shift
    assert "shift.closed" not in shop.events()


def test_a_z_report_never_changes(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    shop.order_of(COLA, place=TILL)
    attempt = shop.scan(shop.code(), TILL).attempt_id
    shift = close(shop, 0)
    before = look(shop, shift)
    assert attempt
    shop.resolve(600_000)
    assert look(shop, shift) == before


def test_a_second_cashier_waits_until_the_first_has_closed(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    with pytest.raises(Declined, match="李雷's shift goes on at till-1; close it first"):
        open_shift(shop.box, TILL, "韩梅梅", 0)


def test_z_numbers_have_no_gap(shop: Shop) -> None:
    numbers = []
    for _ in range(3):
        open_shift(shop.box, TILL, WHO, 0)
        numbers.append(close(shop, 0).number)
    assert numbers == [1, 2, 3]


def test_a_kiosks_shift_opens_with_its_first_sale_and_ends_with_the_day(shop: Shop) -> None:
    assert current(shop, KIOSK) is None
    sell_at_kiosk(shop, COLA)
    first = current(shop, KIOSK)
    assert first is not None
    assert roll_shifts(shop.box) == 0
    shop.wait(24 * HOUR_MS)
    sell_at_kiosk(shop, BREAD)
    second = current(shop, KIOSK)
    assert second is not None
    assert second.business_day > first.business_day
    ended = shop.box.store.read(lambda unit: unit.shifts.last(KIOSK))
    assert ended is not None
    assert look(shop, ended).taken_fen == 350
    assert look(shop, second).taken_fen == 800
    assert roll_shifts(shop.box) == 1
    day = shop.box.store.read(lambda unit: unit.shifts.day(first.business_day))
    assert day is not None
    assert decode_day(day.report).taken_fen == 350
    assert shop.event_data("day.closed")["business_day"] == first.business_day
    assert roll_shifts(shop.box) == 0


def test_a_clock_that_is_behind_ends_no_shift(shop: Shop) -> None:
    sell_at_kiosk(shop, COLA)
    behind = FakeClock(shop.box.clock.now().wall_at - 400 * 24 * HOUR_MS)
    doubted = replace(behind.now(), trusted=False)
    assert roll_shifts(replace(shop.box, clock=Standing(doubted))) == 0


def test_a_day_closes_once_all_cashiers_have_and_later_sales_are_the_next_days(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    sell_for_cash(shop, COLA, received_fen=350)
    sell_at_kiosk(shop, BREAD)
    today = business_day(shop.box, shop.box.clock.now())
    with pytest.raises(Declined, match="is not closed; close it"):
        print_day(shop.box, today, KIOSK)
    with pytest.raises(Declined, match=r"waits for open shifts: till-1 \(李雷\)"):
        close_day(shop.box, today, "王主管")
    close(shop, 350)
    report = close_day(shop.box, today, "王主管")
    assert (report.taken_fen, report.orders) == (1_150, 2)
    assert report.z_numbers == ((KIOSK, 1), (TILL, 1))
    papers(shop, KIOSK)
    print_day(shop.box, today, KIOSK)
    assert "DAY REPORT" in papers(shop, KIOSK)[0]
    with pytest.raises(Declined, match="closed already"):
        close_day(shop.box, today, "王主管")
    sell_at_kiosk(shop, COLA)
    after = current(shop, KIOSK)
    assert after is not None
    assert after.business_day > today
    assert roll_shifts(shop.box) == 0


def test_a_drawer_is_not_opened_long_after_it_was_asked_for(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 0)
    papers(shop)
    begin_count(shop.box, TILL)
    shop.wait(60_000)
    assert papers(shop) == []
    shift = current(shop)
    assert shift is not None
    states = [one.print_problem for one in shop.box.store.read(lambda unit: unit.papers.of(shift.shift_id))]
    assert states[-1] == "the printer was away; the drawer was not opened"


def test_a_paper_that_broke_off_is_left_to_a_person(shop: Shop) -> None:
    shift = open_shift(shop.box, TILL, WHO, 0)
    paper = shop.box.store.read(lambda unit: unit.papers.next(TILL))
    assert paper is not None
    shop.box.store.write(lambda unit: unit.papers.put(replace(paper, print_state=PrintState.PRINTING)))
    assert print_next_paper(shop.box, TILL) is PrintState.UNCERTAIN
    assert papers(shop) == []
    print_report(shop.box, shift.shift_id, TILL)
    assert len(papers(shop)) == 1


def test_a_kiosk_has_no_drawer_to_move_cash_in(shop: Shop) -> None:
    with pytest.raises(Declined, match="has no cash drawer"):
        move_cash(shop.box, KIOSK, CashKind.NO_SALE, 0, "看看", WHO)
    with pytest.raises(Declined, match="no shift is open"):
        move_cash(shop.box, TILL, CashKind.PAY_IN, 100, "零钱", WHO)


def test_the_shift_of_a_till_that_was_taken_away_is_still_closed(shop: Shop) -> None:
    open_shift(shop.box, TILL, WHO, 20_000)
    shop.box = replace(shop.box, workstations={KIOSK: shop.box.workstations[KIOSK]})
    assert [place.name for place in show_places(shop.box)] == [KIOSK, TILL]
    assert show_place(shop.box, TILL).shift is not None
    assert close(shop, 20_000).number == 1
    with pytest.raises(Invalid, match="has no workstation 'till-1'"):
        show_place(shop.box, TILL)
