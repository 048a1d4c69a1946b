"""A shift as a value: every step in every state, counts by denomination, what a drawer should hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.retail.shift import (
    DENOMINATIONS,
    MAX_CASH_FEN,
    MAX_COUNTS,
    MAX_MOVEMENTS,
    CashKind,
    CashMovement,
    Shift,
    ShiftState,
    begin_count,
    break_off_count,
    cash_count,
    close_shift,
    give_count,
    move_cash,
    open_shift,
)
from edge.retail.shift_report import day_report, drawer_fen, report, takings
from edge.services.report_json import decode_day, decode_report, encode_report
from tests.unit.shift_samples import AT, BOOKED, DAY, OPENED, counted, moved, z_report

COUNT = cash_count({}, 20_000, "李雷", AT)
COUNTING = begin_count(OPENED)
COUNTED = give_count(COUNTING, COUNT, 20_000)


def closing(shift: Shift) -> Shift:
    return close_shift(shift, 1, 9, 20_000, "李雷", AT, "", 500)


CLOSED = closing(COUNTED)

STEPS: dict[str, Callable[[Shift], Shift]] = {
    "move": lambda shift: move_cash(shift, moved(CashKind.PAY_IN, 100)),
    "begin": begin_count,
    "break off": break_off_count,
    "count": lambda shift: give_count(shift, COUNT, 20_000),
    "close": closing,
}

#: What each step makes of a shift in each state; what is not here is refused.
ALLOWED = {
    ("open", "move"): ShiftState.OPEN,
    ("open", "begin"): ShiftState.COUNTING,
    ("counting", "break off"): ShiftState.OPEN,
    ("counting", "count"): ShiftState.COUNTING,
    ("counted", "count"): ShiftState.COUNTING,
    ("counted", "close"): ShiftState.CLOSED,
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("name", "shift"),
    [("open", OPENED), ("counting", COUNTING), ("counted", COUNTED), ("closed", CLOSED)],
)
def test_every_step_in_every_state(name: str, shift: Shift, step: str) -> None:
    reached = ALLOWED.get((name, step))
    if reached is None:
        with pytest.raises(Invalid):
            STEPS[step](shift)
    else:
        assert STEPS[step](shift).state is reached


def test_a_count_adds_up_by_denomination() -> None:
    pieces = {one.key: number for number, one in enumerate(DENOMINATIONS, 1)}
    by_hand = 10_000 + 2 * 5_000 + 3 * 2_000 + 4 * 1_000 + 5 * 500 + 6 * 100 + 7 * 100 + 8 * 50 + 9 * 10
    assert cash_count(pieces, 3, "李雷", AT).total_fen == by_hand + 3


@pytest.mark.parametrize(
    ("pieces", "loose_fen", "words"),
    [
        ({"note_300": 1}, 0, "'note_300' is no note or coin"),
        ({"note_100": -1}, 0, "-1 pieces of note_100"),
        ({"note_100": 10_000}, 0, "10000 pieces of note_100"),
        ({"note_100": True}, 0, "True pieces"),
        ({}, -1, "-1 fen of other cash"),
    ],
)
def test_a_count_that_no_drawer_holds_is_refused(pieces: dict[str, int], loose_fen: int, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        cash_count(pieces, loose_fen, "李雷", AT)


@pytest.mark.parametrize(
    ("kind", "amount_fen", "reason"),
    [
        (CashKind.PAY_IN, 0, "零钱"),
        (CashKind.PICK_UP, -1, "上交"),
        (CashKind.PICK_UP, MAX_CASH_FEN + 1, "上交"),
        (CashKind.NO_SALE, 1, "看看"),
        (CashKind.PAY_IN, 100, " "),
    ],
)
def test_a_movement_that_cannot_be_is_refused(kind: CashKind, amount_fen: int, reason: str) -> None:
    with pytest.raises(Invalid):
        CashMovement("m", kind, amount_fen, reason, "李雷", AT)


@pytest.mark.parametrize("float_fen", [-1, MAX_CASH_FEN + 1])
def test_a_float_that_no_drawer_gets_is_refused(float_fen: int) -> None:
    with pytest.raises(Invalid, match="a float of"):
        open_shift("s", "till-1", "李雷", DAY, AT, float_fen, 0)


def test_movements_and_counts_have_a_limit() -> None:
    full = replace(OPENED, movements=(moved(CashKind.PAY_IN, 1),) * MAX_MOVEMENTS)
    with pytest.raises(Invalid, match="500 cash movements"):
        move_cash(full, moved(CashKind.PAY_IN, 1))
    with pytest.raises(Invalid, match="counted 20 times"):
        give_count(replace(COUNTING, counts=(COUNT,) * MAX_COUNTS), COUNT, 0)


@pytest.mark.parametrize(
    ("off_fen", "needed"), [(0, False), (500, False), (-500, False), (501, True), (-501, True)]
)
def test_a_reason_is_needed_beyond_the_limit(off_fen: int, needed: bool) -> None:
    shift = give_count(COUNTING, cash_count({}, 20_000 + off_fen, "李雷", AT), 20_000)
    if needed:
        with pytest.raises(Invalid, match="give a reason"):
            closing(shift)
    else:
        assert closing(shift).over_short_fen == off_fen
    assert close_shift(shift, 1, 9, 20_000, "李雷", AT, "少找", 500).over_short_fen == off_fen


def test_an_automatic_shift_closes_uncounted() -> None:
    shift = closing(replace(OPENED, cashier=""))
    assert (shift.state, shift.over_short_fen, shift.counted_fen) == (ShiftState.CLOSED, None, None)


def test_a_report_tells_takings_refunds_and_what_is_late() -> None:
    found = z_report()
    cash = found.tenders[0]
    assert (cash.payments, cash.taken_fen, cash.refunds, cash.refunded_fen, cash.net_fen) == (
        1,
        700,
        1,
        200,
        500,
    )
    assert [(one.tenant_id, one.sold_fen, one.returned_fen) for one in found.tenants] == [
        ("t-bakery", 0, 200),
        ("t-drinks", 700, 0),
    ]
    assert (found.orders, found.first_order, found.change_fen) == (1, "till-1-0007", 300)
    assert [(one.order_number, one.amount_fen) for one in found.late] == [("till-1-0001", -200)]
    assert found.drawer_fen == drawer_fen(counted(), BOOKED) == 20_000 + 500 + 5_000 - 10_000


def test_a_day_adds_its_shifts_up() -> None:
    short = z_report(loose_fen=-0)
    day = day_report(DAY, [short, short])
    assert (day.orders, day.taken_fen, day.change_fen) == (2, 1_000, 600)
    assert day.z_numbers == (("till-1", 3), ("till-1", 3))
    assert day_report(DAY, []).taken_fen == 0


def test_reports_come_back_from_json_as_they_were() -> None:
    found = z_report(loose_fen=77, reason="多收")
    assert decode_report(encode_report(found)) == found
    day = day_report(DAY, [found])
    assert decode_day(encode_report(day)) == day


def test_takings_are_told_by_tender_and_hour() -> None:
    assert takings(BOOKED, lambda at: (at - AT) // 20) == {"cash": {0: 700, 1: -200}}


def test_an_empty_shift_has_a_report() -> None:
    found = report(OPENED, (), {}, (), AT)
    assert (found.orders, found.tenders, found.taken_fen, found.first_order) == (0, (), 0, "")
    assert found.drawer_fen == 20_000
