"""Baskets, orders, attempts and books under any sequence of what people do."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge.errors import Invalid
from edge.retail.attempt import OPEN_STATES, TRANSITIONS, AttemptState, PaymentAttempt, advance
from edge.retail.basket import (
    MAX_LINES,
    MAX_QUANTITY,
    Basket,
    LineItem,
    add_line,
    clear_age,
    drop_restricted,
    piece_line,
    set_quantity,
    weighed_line,
)
from edge.retail.catalogue import Product, SoldBy
from edge.retail.ledger import post_sale, post_tender
from edge.retail.order import Order, OrderState, Tender, add_tender, freeze

PIECES = st.builds(
    Product,
    sku=st.sampled_from(["a", "b", "c", "d"]),
    tenant_id=st.sampled_from(["t-1", "t-2"]),
    name=st.just("货"),
    price_fen=st.sampled_from([1, 350, 9_999_999]),
    age_min=st.sampled_from([0, 0, 18]),
)
WEIGHED = Product("w", "t-3", "苹果", 1_280, sold_by=SoldBy.WEIGHT)


class Shopping(RuleBasedStateMachine):
    """A basket, whatever is done to it, stays one that can be paid for."""

    @initialize()
    def open(self) -> None:
        self.basket = Basket("basket-1", "kiosk-1", 0)
        self.made = 0

    def line_id(self) -> str:
        self.made += 1
        return f"line-{self.made}"

    @rule(product=PIECES, quantity=st.integers(-1, MAX_QUANTITY + 1))
    def add(self, product: Product, quantity: int) -> None:
        before = self.basket
        with suppress(Invalid):
            self.basket = add_line(
                self.basket, piece_line(self.line_id(), product, "690", quantity), self.made
            )
            assert self.basket.total_fen == before.total_fen + product.price_fen * quantity
            assert self.basket.count == before.count + quantity

    @rule(
        weight_g=st.none() | st.integers(-1, 100_000),
        amount_fen=st.none() | st.integers(-1, 10**9),
        product=PIECES | st.just(WEIGHED),
    )
    def weigh(self, weight_g: int | None, amount_fen: int | None, product: Product) -> None:
        with suppress(Invalid):
            line = weighed_line(self.line_id(), product, "21", weight_g, amount_fen)
            self.basket = add_line(self.basket, line, self.made)

    @rule(data=st.data(), quantity=st.integers(-1, MAX_QUANTITY + 1))
    def change(self, data: st.DataObject, quantity: int) -> None:
        ids = [line.line_id for line in self.basket.lines] or ["nowhere"]
        with suppress(Invalid):
            self.basket = set_quantity(self.basket, data.draw(st.sampled_from(ids)), quantity, self.made)

    @rule(allowed=st.booleans())
    def check_age(self, allowed: bool) -> None:
        self.basket = (clear_age if allowed else drop_restricted)(self.basket, self.made)
        assert self.basket.age_needed == 0

    @invariant()
    def the_total_is_the_sum_of_lines_that_can_be_stored(self) -> None:
        lines = self.basket.lines
        assert self.basket.total_fen == sum(line.amount_fen for line in lines)
        assert all(line.amount_fen >= 0 and 1 <= line.quantity <= MAX_QUANTITY for line in lines)
        assert all(line.weight_g is None or 0 < line.weight_g < 100_000 for line in lines)
        assert len({line.line_id for line in lines}) == len(lines) <= MAX_LINES

    @invariant()
    def pieces_of_one_article_at_one_price_are_one_line(self) -> None:
        pieces = [
            (line.sku, line.unit_price_fen)
            for line in self.basket.lines
            if line.weight_g is None and line.amount_fen == line.unit_price_fen * line.quantity
        ]
        assert len(set(pieces)) == len(pieces)


TestShopping = Shopping.TestCase

LINES = st.lists(
    st.tuples(st.sampled_from(["t-1", "t-2", "t-3"]), st.integers(0, 100_000)), min_size=1, max_size=8
)


def order_of(lines: list[tuple[str, int]]) -> Order:
    items = tuple(
        LineItem(f"line-{number}", f"sku-{number}", tenant, "货", "", "690", 1, fen, fen)
        for number, (tenant, fen) in enumerate(lines)
    )
    return freeze(Basket("basket-1", "kiosk-1", 0, lines=items), "order-1", "0001", "2026-11-22", 1)


@given(LINES, st.lists(st.integers(-5, 300_000), max_size=8))
def test_tenders_never_cover_more_than_the_order_and_the_books_always_sum_to_zero(
    lines: list[tuple[str, int]], offers: list[int]
) -> None:
    order, balances = order_of(lines), dict[str, int]()
    postings = []
    for number, offer in enumerate(offers):
        tender = Tender(f"tender-{number}", "cash", offer, number)
        with suppress(Invalid):
            order = add_tender(order, tender)
            postings.append(post_tender(f"p-{number}", order, tender))
    if order.state is OrderState.PAID:
        postings.append(post_sale("p-sale", order, 99))
    for entry in (entry for posting in postings for entry in posting.entries):
        balances[entry.account] = balances.get(entry.account, 0) + entry.amount_fen
    assert sum(balances.values()) == 0
    assert 0 <= order.paid_fen <= order.total_fen
    assert (order.state is OrderState.PAID) <= (order.due_fen == 0)
    if order.state is OrderState.PAID:
        assert balances[f"due/{order.order_id}"] == 0
        assert -sum(fen for name, fen in balances.items() if name.startswith("sales/")) == order.total_fen


@given(st.lists(st.sampled_from(list(AttemptState)), max_size=12))
def test_an_attempt_only_ever_takes_drawn_steps(wanted: list[AttemptState]) -> None:
    attempt = PaymentAttempt("a", "o", "kiosk-1", "wechat_pay", "M", 1, "1234", 0, 1, 1)
    for number, state in enumerate(wanted):
        before = attempt
        with suppress(Invalid):
            attempt = advance(attempt, state, number)
            assert state in TRANSITIONS[before.state]
        assert (attempt.closed_at is None) is (attempt.state in OPEN_STATES)
        assert (attempt.merchant_order_no, attempt.amount_fen) == ("M", 1)
