"""A ticket as a value: what it takes, what it refuses, and that its money is always what its lines say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Declined, Invalid
from edge.retail.basket import MAX_LINES, LineItem
from edge.retail.ticket import (
    MAX_WRONG_CODES,
    PriceOverride,
    Ticket,
    TicketEnd,
    TicketState,
    add_to_ticket,
    amount_line,
    bind_ticket,
    cancel_ticket,
    free_ticket,
    hand_over,
    issue,
    override_price,
    price_of,
    refund_ticket,
    release,
    reopen_ticket,
    set_ticket_quantity,
    settle_ticket,
    was_amount_fen,
)

AT, LATER = 1_000, 9_000
TEA = LineItem("l1", "tea", "t-tea", "龙井", "Tea", "6901", 2, 10_000, 20_000)
HAM = LineItem("l2", "ham", "t-tea", "火腿", "Ham", "2100", 1, 12_800, 6_400, 500)
EMPTY = Ticket("01", "code", "C01-0001", "C01", "t-tea", "g", "2026-11-22", AT)
OPEN = replace(EMPTY, lines=(TEA, HAM))
ISSUED = issue(OPEN, AT, LATER)
PAID = settle_ticket(bind_ticket(ISSUED, "o1", AT), "012345", AT)


def lowered(line: str, was_fen: int, price_fen: int, reason: str = "VIP") -> PriceOverride:
    return PriceOverride(line, was_fen, price_fen, "g", reason, AT)


def test_a_labelled_line_is_lowered_as_a_whole_and_only_taken_out() -> None:
    cheaper = override_price(OPEN, lowered("l2", 6_400, 6_000))
    assert (cheaper.lines[1].amount_fen, cheaper.lines[1].unit_price_fen) == (6_000, 12_800)
    assert was_amount_fen(cheaper, cheaper.lines[1]) == 6_400
    with pytest.raises(Invalid, match="label"):
        set_ticket_quantity(cheaper, "l2", 2, AT)
    gone = set_ticket_quantity(cheaper, "l2", 0, AT)
    assert (gone.lines, gone.overrides) == ((TEA,), ())


def test_a_lowered_price_keeps_holding_when_the_quantity_changes() -> None:
    cheaper = override_price(OPEN, lowered("l1", 10_000, 9_000))
    more = set_ticket_quantity(cheaper, "l1", 3, AT)
    assert (more.lines[0].amount_fen, was_amount_fen(more, more.lines[0])) == (27_000, 30_000)
    assert price_of(more, "l1") == 10_000
    assert was_amount_fen(more, more.lines[1]) is None


def test_a_price_that_was_lowered_is_lowered_again_from_where_it_began() -> None:
    once = override_price(OPEN, lowered("l1", 10_000, 9_000))
    with pytest.raises(Invalid, match="below 10000"):
        override_price(once, lowered("l1", 9_000, 8_000))
    twice = override_price(once, lowered("l1", 10_000, 9_500))
    assert [one.price_fen for one in twice.overrides] == [9_500]


def test_what_was_typed_is_typed_anew_instead_of_lowered() -> None:
    typed = add_to_ticket(EMPTY, amount_line("l9", "t-tea", "礼盒", 1_500), AT)
    with pytest.raises(Invalid, match="typed"):
        override_price(typed, lowered("l9", 1_500, 1_000))


def test_typed_lines_stay_apart_and_scanned_ones_join() -> None:
    twice = add_to_ticket(
        add_to_ticket(EMPTY, TEA, AT), replace(TEA, line_id="l3", quantity=1, amount_fen=10_000), AT
    )
    assert [(one.line_id, one.quantity) for one in twice.lines] == [("l1", 3)]
    one, two = amount_line("a", "t", "盒", 500), amount_line("b", "t", "袋", 500)
    apart = add_to_ticket(add_to_ticket(EMPTY, one, AT), two, AT)
    assert [line.name for line in apart.lines] == ["盒", "袋"]
    full = replace(EMPTY, lines=tuple(replace(one, line_id=str(at)) for at in range(MAX_LINES)))
    with pytest.raises(Invalid, match=str(MAX_LINES)):
        add_to_ticket(full, two, AT)


@pytest.mark.parametrize(
    ("name", "price_fen", "quantity"),
    [("", 1, 1), ("x" * 61, 1, 1), ("盒", 0, 1), ("盒", 1, 0), ("盒", 1, 1_000)],
)
def test_a_typed_line_needs_a_name_a_price_and_a_quantity(name: str, price_fen: int, quantity: int) -> None:
    with pytest.raises(Invalid):
        amount_line("a", "t", name, price_fen, quantity)


def test_only_an_open_ticket_is_changed() -> None:
    acts: list[Callable[[], Ticket]] = [
        lambda: add_to_ticket(ISSUED, TEA, AT),
        lambda: set_ticket_quantity(ISSUED, "l1", 1, AT),
        lambda: override_price(ISSUED, lowered("l1", 10_000, 9_000)),
        lambda: issue(ISSUED, AT, LATER),
    ]
    for act in acts:
        with pytest.raises(Invalid, match="not open"):
            act()


def test_a_ticket_is_bound_to_one_order_and_freed_of_it() -> None:
    bound = bind_ticket(ISSUED, "o1", AT)
    assert bind_ticket(bound, "o1", AT) == bound
    with pytest.raises(Declined, match="being paid"):
        bind_ticket(bound, "o2", AT)
    acts: list[Callable[[], Ticket]] = [
        lambda: reopen_ticket(bound, AT),
        lambda: cancel_ticket(bound, AT, "g"),
    ]
    for act in acts:
        with pytest.raises(Declined, match="being paid"):
            act()
    assert free_ticket(bound).order_id == ""
    assert free_ticket(PAID) == PAID
    assert bind_ticket(free_ticket(bound), "o2", AT).order_id == "o2"


def test_a_ticket_expires_at_its_time_and_not_before() -> None:
    assert not ISSUED.expired(LATER - 1)
    assert ISSUED.expired(LATER)
    assert not PAID.expired(LATER)
    with pytest.raises(Declined, match="expired"):
        bind_ticket(ISSUED, "o1", LATER)
    assert cancel_ticket(ISSUED, LATER, "service", TicketEnd.EXPIRED).expired(LATER + 1)


@pytest.mark.parametrize("state", [TicketState.OPEN, TicketState.PAID, TicketState.CANCELLED])
def test_only_an_issued_ticket_is_paid(state: TicketState) -> None:
    with pytest.raises(Declined, match=state.value):
        bind_ticket(replace(ISSUED, state=state, expires_at=None), "o1", AT)


def test_a_paid_ticket_is_not_cancelled_and_a_cancelled_one_not_again() -> None:
    with pytest.raises(Invalid, match="paid"):
        cancel_ticket(PAID, AT, "g")
    with pytest.raises(Invalid, match="cancelled"):
        cancel_ticket(cancel_ticket(OPEN, AT, "g"), AT, "g")


def test_the_right_code_forgives_wrong_ones_until_the_ticket_is_locked() -> None:
    tried = PAID
    for _ in range(MAX_WRONG_CODES - 1):
        tried = release(tried, "999999", AT)
    assert tried.wrong_codes == MAX_WRONG_CODES - 1
    assert release(tried, " 012345 ", AT).wrong_codes == 0
    locked = release(tried, "", AT)
    assert locked.locked
    with pytest.raises(Declined, match="too many"):
        release(locked, "012345", AT)
    assert hand_over(locked, AT, "boss").state is TicketState.HANDED_OVER


def test_nothing_is_handed_over_twice_or_unpaid() -> None:
    with pytest.raises(Declined, match="already"):
        hand_over(hand_over(PAID, AT, "g"), AT, "g")
    with pytest.raises(Declined, match="issued"):
        release(ISSUED, "012345", AT)


def test_a_refund_after_the_hand_over_is_noted_and_changes_nothing_else() -> None:
    gone = hand_over(PAID, AT, "g")
    back = refund_ticket(gone, PAID.total_fen, AT, "boss")
    assert (back.state, back.refunded_fen, back.end) == (TicketState.HANDED_OVER, PAID.total_fen, None)


def test_the_share_that_is_taken_off_is_never_rounded_down() -> None:
    assert lowered("l1", 10_000, 9_000).off_permille == 100
    assert lowered("l1", 10_000, 8_999).off_permille == 101
    assert lowered("l1", 3, 2).off_permille == 334


@given(
    prices=st.lists(st.integers(2, 100_000), min_size=1, max_size=8),
    offs=st.lists(st.integers(1, 999), min_size=8, max_size=8),
    quantities=st.lists(st.integers(1, 9), min_size=8, max_size=8),
)
def test_a_total_is_the_sum_of_lines_and_never_above_the_undiscounted_one(
    prices: list[int], offs: list[int], quantities: list[int]
) -> None:
    ticket = EMPTY
    for at, price_fen in enumerate(prices):
        line = LineItem(f"l{at}", f"s{at}", "t", "x", "x", "", 1, price_fen, price_fen)
        ticket = add_to_ticket(ticket, line, AT)
        ticket = set_ticket_quantity(ticket, f"l{at}", quantities[at], AT)
        price = max(1, price_fen * (1_000 - offs[at]) // 1_000)
        ticket = override_price(ticket, lowered(f"l{at}", price_fen, price))
    for line, one in zip(ticket.lines, ticket.overrides, strict=True):
        assert line.amount_fen == one.price_fen * line.quantity
    whole = sum(price * many for price, many in zip(prices, quantities, strict=False))
    assert ticket.total_fen == sum(line.amount_fen for line in ticket.lines) < whole
    again = reopen_ticket(issue(ticket, AT, LATER), AT)
    assert again == replace(ticket, changed_at=AT)
