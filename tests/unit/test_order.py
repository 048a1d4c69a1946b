"""Orders: frozen goods, tenders that cover them, and no way back once money was taken."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from edge.errors import Invalid
from edge.retail.basket import Basket, add_line, clear_age, piece_line
from edge.retail.catalogue import Product
from edge.retail.order import Order, OrderState, Tender, add_tender, cancel, cash_tender, freeze

WINE = Product("wine", "t-drinks", "红酒", 9_800, age_min=18)
COLA = Product("cola", "t-drinks", "可乐", 350)


def order() -> Order:
    basket = add_line(Basket("basket-1", "kiosk-1", 0), piece_line("line-1", COLA, "690", 2), 1)
    return freeze(basket, "order-1", "kiosk-1-0001", "2026-11-22", 1_000)


def code(amount_fen: int, number: int = 1) -> Tender:
    return Tender(f"tender-{number}", "wechat_pay", amount_fen, 2_000, attempt_id=f"attempt-{number}")


def test_an_order_holds_what_the_basket_held_and_cannot_be_changed() -> None:
    made = order()
    assert (made.total_fen, made.paid_fen, made.due_fen, made.state) == (700, 0, 700, OrderState.AWAITING)
    with pytest.raises(FrozenInstanceError):
        made.number = "other"  # type: ignore[misc]  # the point of the test


def test_an_empty_basket_and_one_that_waits_for_an_age_check_are_no_order() -> None:
    with pytest.raises(Invalid, match="empty"):
        freeze(Basket("basket-1", "kiosk-1", 0), "o", "n", "d", 1)
    wine = add_line(Basket("basket-1", "kiosk-1", 0), piece_line("line-1", WINE, "691"), 1)
    with pytest.raises(Invalid, match="age 18"):
        freeze(wine, "o", "n", "d", 1)
    assert freeze(clear_age(wine, 2), "o", "n", "d", 3).total_fen == 9_800


def test_tenders_cover_an_order_part_by_part() -> None:
    part = add_tender(order(), code(300))
    assert (part.state, part.due_fen, part.closed_at) == (OrderState.AWAITING, 400, None)
    full = add_tender(part, code(400, 2))
    assert (full.state, full.due_fen, full.closed_at) == (OrderState.PAID, 0, 2_000)


@pytest.mark.parametrize("amount_fen", [701, -1])
def test_a_tender_that_does_not_fit_is_refused(amount_fen: int) -> None:
    with pytest.raises(Invalid, match="fen due"):
        add_tender(order(), code(amount_fen))


def test_a_closed_order_takes_no_money() -> None:
    with pytest.raises(Invalid, match="takes no further money"):
        add_tender(add_tender(order(), code(700)), code(0, 2))
    with pytest.raises(Invalid, match="takes no further money"):
        add_tender(cancel(order(), 5), code(700))


@pytest.mark.parametrize(
    ("received", "amount", "change"), [(500, 500, 0), (700, 700, 0), (10_000, 700, 9_300)]
)
def test_cash_gives_change_for_what_is_too_much(received: int, amount: int, change: int) -> None:
    tender = cash_tender(order(), "tender-1", received, 2_000)
    assert (tender.kind, tender.amount_fen, tender.change_fen) == ("cash", amount, change)
    assert tender.received_fen == tender.amount_fen + tender.change_fen


@pytest.mark.parametrize("received", [0, -1])
def test_no_cash_is_refused(received: int) -> None:
    with pytest.raises(Invalid, match="more than 0"):
        cash_tender(order(), "tender-1", received, 2_000)


def test_an_order_is_cancelled_once_and_never_after_money() -> None:
    cancelled = cancel(order(), 5)
    assert (cancelled.state, cancelled.closed_at) == (OrderState.CANCELLED, 5)
    with pytest.raises(Invalid, match="cannot be cancelled"):
        cancel(cancelled, 6)
    with pytest.raises(Invalid, match="refund it first"):
        cancel(add_tender(order(), code(300)), 6)
    with pytest.raises(Invalid, match="cannot be cancelled"):
        cancel(replace(order(), state=OrderState.PAID), 6)
