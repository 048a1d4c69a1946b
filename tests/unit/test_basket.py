"""Baskets: what joins, what can change, what has an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.errors import Invalid
from edge.retail.basket import (
    MAX_WEIGHT_G,
    Basket,
    BasketState,
    add_line,
    change_state,
    clear_age,
    drop_restricted,
    find_line,
    piece_line,
    set_quantity,
    weighed_line,
)
from edge.retail.catalogue import Product, SoldBy

COLA = Product("cola", "t-drinks", "可乐", 350)
WINE = Product("wine", "t-drinks", "红酒", 9_800, age_min=18)
APPLE = Product("apple", "t-fruit", "苹果", 1_280, sold_by=SoldBy.WEIGHT)
EMPTY = Basket("basket-1", "kiosk-1", 1_000)


def with_cola(quantity: int = 1) -> Basket:
    return add_line(EMPTY, piece_line("line-1", COLA, "690", quantity), 2_000)


def test_the_same_article_joins_its_line_which_moves_to_the_end() -> None:
    basket = add_line(with_cola(), piece_line("line-2", WINE, "691"), 2_001)
    basket = add_line(basket, piece_line("line-3", COLA, "690", 2), 2_002)
    assert [(one.line_id, one.quantity, one.amount_fen) for one in basket.lines] == [
        ("line-2", 1, 9_800),
        ("line-1", 3, 1_050),
    ]
    assert (basket.total_fen, basket.count, basket.changed_at) == (10_850, 4, 2_002)


def test_the_same_article_at_another_price_is_a_line_of_its_own() -> None:
    dearer = piece_line("line-2", replace(COLA, price_fen=400), "690")
    assert [one.amount_fen for one in add_line(with_cola(), dearer, 2_001).lines] == [350, 400]


def test_the_labels_amount_wins_over_its_weight() -> None:
    line = weighed_line("line-1", APPLE, "26", weight_g=500, amount_fen=999)
    assert (line.weight_g, line.amount_fen, line.quantity) == (500, 999, 1)


@pytest.mark.parametrize(("amount_fen", "weight_g"), [(640, 500), (1, 1), (900_000_000, MAX_WEIGHT_G)])
def test_the_weight_follows_from_the_amount_and_is_one_that_can_be_stored(
    amount_fen: int, weight_g: int
) -> None:
    assert weighed_line("line-1", APPLE, "20", None, amount_fen).weight_g == weight_g


@pytest.mark.parametrize(
    ("product", "weight_g", "amount_fen"),
    [
        (APPLE, None, None),
        (APPLE, 0, None),
        (APPLE, -5, None),
        (APPLE, MAX_WEIGHT_G + 1, None),
        (APPLE, 0, 500),
        (APPLE, 500, 0),
        (APPLE, None, -1),
        (COLA, 2, None),
    ],
)
def test_a_label_that_cannot_be_is_refused(
    product: Product, weight_g: int | None, amount_fen: int | None
) -> None:
    with pytest.raises(Invalid, match="label 21"):
        weighed_line("line-1", product, "21", weight_g, amount_fen)


def test_a_price_label_on_a_piece_keeps_its_own_amount() -> None:
    basket = add_line(EMPTY, weighed_line("line-1", COLA, "20", None, 299), 2_000)
    with pytest.raises(Invalid, match="its own label"):
        set_quantity(basket, "line-1", 2, 2_001)
    assert [one.amount_fen for one in add_line(basket, piece_line("line-2", COLA, "690"), 2_002).lines] == [
        299,
        350,
    ]
    assert set_quantity(basket, "line-1", 0, 2_003).lines == ()


def test_an_article_sold_by_weight_needs_a_label() -> None:
    with pytest.raises(Invalid, match="scan the label"):
        piece_line("line-1", APPLE, "690")


@pytest.mark.parametrize("quantity", [-1, 1_000])
def test_a_quantity_that_cannot_be_is_refused(quantity: int) -> None:
    with pytest.raises(Invalid, match="quantity must be 1 to 999"):
        set_quantity(with_cola(), "line-1", quantity, 2_001)


def test_a_total_beyond_all_bounds_is_refused_and_the_basket_stays() -> None:
    dear = Product("gold", "t", "金", 9_000_000)
    basket = add_line(EMPTY, piece_line("line-1", dear, "1", 99), 2_000)
    with pytest.raises(Invalid, match="beyond"):
        add_line(basket, piece_line("line-2", replace(dear, sku="gold2"), "2", 99), 2_001)
    assert basket.total_fen == 891_000_000


def test_age_waits_for_the_highest_line_and_is_cleared_for_all_below() -> None:
    basket = add_line(with_cola(), piece_line("line-2", WINE, "691"), 2_001)
    assert basket.age_needed == 18
    cleared = clear_age(basket, 2_002)
    assert (cleared.age_needed, cleared.cleared_age) == (0, 18)
    assert clear_age(cleared, 2_003).cleared_age == 18
    assert [one.sku for one in drop_restricted(basket, 2_002).lines] == ["cola"]
    assert drop_restricted(cleared, 2_003).lines == basket.lines
    assert change_state(cleared, BasketState.HELD, 2_004).cleared_age == 0
    assert change_state(cleared, BasketState.ORDERED, 2_004).cleared_age == 18


STEPS = {
    (BasketState.OPEN, BasketState.HELD),
    (BasketState.OPEN, BasketState.ORDERED),
    (BasketState.OPEN, BasketState.ABANDONED),
    (BasketState.HELD, BasketState.OPEN),
    (BasketState.HELD, BasketState.ABANDONED),
    (BasketState.ORDERED, BasketState.OPEN),
}


@pytest.mark.parametrize("before", list(BasketState))
@pytest.mark.parametrize("after", list(BasketState))
def test_only_sensible_steps_are_taken(before: BasketState, after: BasketState) -> None:
    basket = replace(EMPTY, state=before)
    if (before, after) in STEPS:
        assert change_state(basket, after, 9).state is after
    else:
        with pytest.raises(Invalid, match="cannot become"):
            change_state(basket, after, 9)


@pytest.mark.parametrize("state", [BasketState.HELD, BasketState.ORDERED, BasketState.ABANDONED])
def test_only_an_open_basket_changes(state: BasketState) -> None:
    basket = replace(with_cola(), state=state)
    with pytest.raises(Invalid, match="cannot be changed"):
        add_line(basket, piece_line("line-2", WINE, "691"), 2_001)
    with pytest.raises(Invalid, match="cannot be changed"):
        set_quantity(basket, "line-1", 2, 2_001)


def test_a_line_that_is_gone_is_named() -> None:
    with pytest.raises(Invalid, match="line-9 is no longer"):
        find_line(with_cola(), "line-9")
