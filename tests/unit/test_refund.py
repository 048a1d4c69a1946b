"""A refund as a value: what is left, how amounts are spread, and which way a leg may go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.retail.basket import LineItem
from edge.retail.ledger import post_refund, post_refund_leg
from edge.retail.order import Order, OrderState, Tender, cancel
from edge.retail.refund import (
    LEG_TRANSITIONS,
    MOVING,
    STUCK,
    LegState,
    Refund,
    Refundable,
    RefundLeg,
    RefundLine,
    RefundPhase,
    advance_leg,
    all_lines,
    pick_lines,
    refundable,
    reject,
    share_amount,
    spread,
    with_leg,
)

LINES = (
    LineItem("l1", "cola", "t-drinks", "可乐", "Cola", "69", 3, 350, 1_050),
    LineItem("l2", "apple", "t-fruit", "苹果", "Apple", "21", 1, 1_280, 640, weight_g=500),
)
TENDERS = (Tender("t1", "cash", 690, 1, 690), Tender("t2", "wechat_pay", 1_000, 2, attempt_id="a1"))
ORDER = Order(
    "order-1", "till-1-0001", "basket-1", "till-1", "2026-11-22", 0, LINES, OrderState.PAID, TENDERS, 2
)
LEG = RefundLeg("leg-1", "t2", "wechat_pay", 1_000, "leg1", 5, 5)


def refund(*lines: RefundLine, legs: tuple[RefundLeg, ...] = (), phase: str = "approved") -> Refund:
    amount_fen = sum(line.amount_fen for line in lines)
    number = f"till-1-0001-R{amount_fen}"
    asked = Refund("r1", "order-1", number, "till-1", "2026-11-23", amount_fen, "x", "Li", 5, lines, legs)
    return replace(asked, phase=RefundPhase(phase))


def left() -> Refundable:
    return refundable(ORDER, ())


def test_all_of_an_order_is_left_at_first_and_nothing_after_all_of_it() -> None:
    assert left().amount_fen == ORDER.total_fen
    legs = (LEG, replace(LEG, leg_id="leg-2", tender_id="t1", amount_fen=690))
    gone = refundable(ORDER, [refund(*all_lines(left()), legs=legs)])
    assert [(one.quantity, one.amount_fen) for one in gone.lines] == [(0, 0), (0, 0)]
    assert gone.amount_fen == 0
    with pytest.raises(Invalid, match="nothing is left"):
        all_lines(gone)


@pytest.mark.parametrize(
    ("phase", "pieces"), [("requested", 3), ("rejected", 3), ("approved", 2), ("done", 2)]
)
def test_only_what_a_supervisor_approved_is_held(phase: str, pieces: int) -> None:
    held = refundable(ORDER, [refund(RefundLine("l1", 1, 350), phase=phase)])
    assert held.lines[0].quantity == pieces


def test_a_replaced_leg_holds_nothing() -> None:
    one = refund(RefundLine("l1", 3, 1_050), legs=(replace(LEG, state=LegState.REPLACED),))
    assert refundable(ORDER, [one]).amount_fen == ORDER.total_fen


def test_pieces_cost_their_share_of_what_is_left_and_the_last_takes_the_rest() -> None:
    ten = replace(LINES[0], quantity=3, amount_fen=1_000)
    order = replace(ORDER, lines=(ten,))
    first = pick_lines(refundable(order, ()), {"l1": 1})
    second = pick_lines(refundable(order, [refund(*first)]), {"l1": 1})
    last = pick_lines(refundable(order, [refund(*first), refund(*second)]), {"l1": 1})
    assert [line.amount_fen for line in (*first, *second, *last)] == [333, 333, 334]


@pytest.mark.parametrize("quantities", [{"l1": 4}, {"l1": -1}, {"l2": 2}, {"nobody": 1}, {}, {"l1": 0}])
def test_pieces_that_are_not_there_are_refused(quantities: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        pick_lines(left(), quantities)


def test_an_amount_is_spread_by_largest_remainder_and_keeps_the_goods() -> None:
    assert share_amount(left(), 100) == (RefundLine("l1", 0, 62), RefundLine("l2", 0, 38))
    assert share_amount(left(), 100, ["l2"]) == (RefundLine("l2", 0, 100),)
    for amount_fen in (0, -1, 1_691):
        with pytest.raises(Invalid, match="cannot be given back"):
            share_amount(left(), amount_fen)
    with pytest.raises(Invalid, match="cannot be given back"):
        share_amount(left(), 641, ["l2"])


def test_the_latest_tender_gives_back_first() -> None:
    assert spread(left().tenders, 1_100) == ((TENDERS[1], 1_000), (TENDERS[0], 100))
    assert spread(left().tenders, 10) == ((TENDERS[1], 10),)
    with pytest.raises(Invalid, match=r"0\.01 yuan more"):
        spread(left().tenders, 1_691)


def test_an_order_that_waits_gives_back_its_tenders_and_no_lines() -> None:
    waiting = replace(ORDER, state=OrderState.AWAITING, tenders=TENDERS[:1], closed_at=None)
    assert refundable(waiting, ()).lines == ()
    assert refundable(waiting, ()).amount_fen == 690
    assert cancel(waiting, 9, given_back_fen=690).state is OrderState.CANCELLED
    with pytest.raises(Invalid, match="refund it first"):
        cancel(waiting, 9, given_back_fen=689)


@pytest.mark.parametrize("state", list(LegState))
@pytest.mark.parametrize("then", list(LegState))
def test_a_leg_goes_only_where_the_drawing_leads(state: LegState, then: LegState) -> None:
    leg = replace(LEG, state=state)
    if then in LEG_TRANSITIONS[state]:
        moved = advance_leg(leg, then, 9, "said")
        assert (moved.state, moved.trail) == (then, "said")
        assert (moved.closed_at is None) == (then in MOVING)
    else:
        with pytest.raises(Invalid, match="cannot become"):
            advance_leg(leg, then, 9)


def test_money_that_is_back_stays_back_and_every_other_state_leads_on() -> None:
    for state, after in LEG_TRANSITIONS.items():
        ended = state in (LegState.DONE, LegState.REPLACED)
        assert bool(after) is not ended
        assert (state in MOVING) + (state in STUCK) + ended == 1


def test_a_refund_is_done_when_no_leg_is_open() -> None:
    one = refund(RefundLine("l1", 3, 1_050))
    cash = replace(LEG, leg_id="leg-2", kind="cash", state=LegState.DONE)
    assert with_leg(one, cash, 9).phase is RefundPhase.DONE
    open_again = with_leg(with_leg(one, cash, 9), LEG, 9)
    assert (open_again.phase, open_again.closed_at) == (RefundPhase.APPROVED, None)
    closed = with_leg(open_again, replace(LEG, state=LegState.REPLACED), 10)
    assert (closed.phase, closed.closed_at) == (RefundPhase.DONE, 10)
    assert [leg.leg_id for leg in closed.legs] == ["leg-2", "leg-1"]


def test_only_what_nobody_decided_can_be_turned_down() -> None:
    assert reject(refund(phase="requested"), "Wang", 9).phase is RefundPhase.REJECTED
    with pytest.raises(Invalid, match="approved already"):
        reject(refund(), "Wang", 9)


def test_the_books_mirror_the_sale_for_each_tenant() -> None:
    one = refund(*all_lines(left()), legs=(LEG,))
    entries = post_refund("p1", ORDER, one, 9).entries
    assert [(entry.account, entry.amount_fen) for entry in entries] == [
        ("sales/t-drinks", 1_050),
        ("sales/t-fruit", 640),
        ("due/order-1", -1_690),
    ]
    leg = post_refund_leg("p2", one, LEG, 9).entries
    assert [(entry.account, entry.amount_fen) for entry in leg] == [
        ("due/order-1", 1_000),
        ("tender/wechat_pay", -1_000),
    ]
