"""The way out after scan and go: what a guard is told, what a look into the bag comes to, who is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.retail.basket import LineItem
from edge.retail.exit_pass import (
    CheckOutcome,
    ExitPass,
    ExitState,
    ExitVerdict,
    Miscount,
    chosen_for_recheck,
    count_goods,
    goods_to_find,
    judge,
)
from edge.retail.order import Order, OrderState
from edge.retail.refund import Refund, RefundLine, RefundPhase

KEY = b"k" * 32
PAID_AT, VALID_MS = 1_000_000, 60_000


def line(name: str, pieces: int) -> LineItem:
    return LineItem(f"l-{name}", name, "t", name, name, "1", pieces, 100, 100 * pieces)


ORDER = Order(
    *("o-1", "phone-0001", "b-1", "phone", "2026-11-22", PAID_AT),
    (line("cola", 3), line("bread", 1)),
    OrderState.PAID,
    closed_at=PAID_AT,
)
PASS = ExitPass("o-1", "abc", False, PAID_AT)


def refund(amount_fen: int, pieces: int = 0, phase: RefundPhase = RefundPhase.DONE) -> Refund:
    lines = (RefundLine("l-cola", pieces, amount_fen),)
    head = ("r-1", "o-1", "R-1", "till-1", "2026-11-22", amount_fen, "broken", "Li", PAID_AT)
    return Refund(*head, lines=lines, phase=phase)


def verdict(one: ExitPass = PASS, order: Order = ORDER, *refunds: Refund, late_ms: int = 0) -> ExitVerdict:
    return judge(one, order, refunds, PAID_AT + late_ms, VALID_MS)


def test_a_paid_order_may_leave_until_its_time_is_over() -> None:
    assert verdict(late_ms=VALID_MS) is ExitVerdict.PASS
    assert verdict(late_ms=VALID_MS + 1) is ExitVerdict.EXPIRED
    assert verdict(replace(PASS, recheck=True)) is ExitVerdict.RECHECK


def test_a_clock_that_went_back_expires_nobody() -> None:
    assert verdict(late_ms=-3_600_000) is ExitVerdict.PASS


@pytest.mark.parametrize("state", [OrderState.AWAITING, OrderState.CANCELLED])
def test_what_is_not_paid_stays(state: OrderState) -> None:
    assert verdict(PASS, replace(ORDER, state=state, closed_at=None)) is ExitVerdict.UNPAID


def test_a_used_pass_is_used_even_when_the_goods_came_back() -> None:
    used = replace(PASS, state=ExitState.PASSED, checked_at=1)
    assert verdict(used, ORDER, refund(400)) is ExitVerdict.USED


def test_goods_given_back_stop_the_pass_or_have_the_rest_looked_at() -> None:
    assert verdict(PASS, ORDER, refund(400, 3)) is ExitVerdict.REFUNDED
    assert verdict(PASS, ORDER, refund(400, 3, RefundPhase.REQUESTED)) is ExitVerdict.REFUNDED
    assert verdict(PASS, ORDER, refund(100, 1)) is ExitVerdict.RECHECK
    assert verdict(PASS, ORDER, refund(400, 3, RefundPhase.REJECTED)) is ExitVerdict.PASS


def test_a_look_that_was_begun_goes_on_after_the_time_is_over() -> None:
    begun = replace(PASS, state=ExitState.RECHECK, checked_at=1)
    assert verdict(begun, late_ms=VALID_MS + 1) is ExitVerdict.RECHECK


def test_given_back_pieces_are_not_looked_for() -> None:
    found = goods_to_find(ORDER, [refund(100, 2), refund(100, 9, RefundPhase.REJECTED)])
    assert [(one.sku, pieces) for one, pieces in found] == [("cola", 1), ("bread", 1)]
    assert [one.sku for one, _ in goods_to_find(ORDER, [refund(300, 3)])] == ["bread"]


def test_a_bag_is_complete_or_lacks_or_has_too_much() -> None:
    expected = goods_to_find(ORDER, ())
    assert count_goods(expected, {"l-cola": 3, "l-bread": 1}, "") == (CheckOutcome.COMPLETE, ())
    lacks = (Miscount("l-cola", "cola", 2), Miscount("l-bread", "bread", 1))
    assert count_goods(expected, {"l-cola": 1}, "") == (CheckOutcome.MISSING, lacks)
    assert count_goods(expected, {"l-cola": 3}, "wine") == (CheckOutcome.EXTRA, lacks[1:])
    with pytest.raises(Invalid, match="cola: 4 found, 3 paid"):
        count_goods(expected, {"l-cola": 4, "l-bread": 1}, "")


def test_the_choice_follows_from_the_order_and_the_key_alone() -> None:
    orders = [f"order-{number}" for number in range(4_000)]
    chosen = [one for one in orders if chosen_for_recheck(one, 50, KEY)]
    assert chosen == [one for one in orders if chosen_for_recheck(one, 50, KEY)]
    assert 140 <= len(chosen) <= 260
    assert chosen != [one for one in orders if chosen_for_recheck(one, 50, b"j" * 32)]
    assert not any(chosen_for_recheck(one, 0, KEY) for one in orders)
    assert all(chosen_for_recheck(one, 1_000, KEY) for one in orders)


def test_who_is_chosen_stays_chosen_when_the_share_grows() -> None:
    orders = [f"order-{number}" for number in range(500)]
    few = {one for one in orders if chosen_for_recheck(one, 50, KEY)}
    assert few
    assert few <= {one for one in orders if chosen_for_recheck(one, 200, KEY)}
