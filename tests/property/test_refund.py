"""Any order, any tenders, any row of refunds: never more than there is, and the last one closes to zero."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Invalid
from edge.retail.basket import LineItem
from edge.retail.ledger import Posting, post_refund, post_refund_leg, post_sale, post_tender
from edge.retail.order import Order, OrderState, Tender
from edge.retail.refund import (
    LegState,
    Refund,
    RefundLeg,
    RefundLine,
    RefundPhase,
    all_lines,
    pick_lines,
    refundable,
    share_amount,
    spread,
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """A paid order of up to 6 lines of 3 tenants, over up to 4 tenders."""
    shapes = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9_999)), min_size=1, max_size=6))
    lines = tuple(
        LineItem(f"l{n}", f"s{n}", f"t{n % 3}", "x", "x", "1", quantity, amount_fen // quantity, amount_fen)
        for n, (quantity, amount_fen) in enumerate(shapes)
    )
    total_fen = sum(line.amount_fen for line in lines)
    cuts = sorted(draw(st.lists(st.integers(0, total_fen), max_size=3)))
    kinds = draw(st.lists(st.sampled_from(["cash", "wechat_pay", "alipay"]), min_size=4, max_size=4))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, total_fen], strict=True)]
    tenders = tuple(Tender(f"t{n}", kinds[n], part, n) for n, part in enumerate(parts))
    return Order("o", "1", "b", "till-1", "2026-11-22", 0, lines, OrderState.PAID, tenders, 9)


def give_back(order: Order, refunds: list[Refund], lines: tuple[RefundLine, ...], replaced: bool) -> None:
    """Approve a refund of these lines; with `replaced`, its first leg came to nothing and cash followed."""
    amount_fen = sum(line.amount_fen for line in lines)
    name = f"r{len(refunds)}"
    legs = [
        RefundLeg(f"{name}-{n}", tender.tender_id, tender.kind, part, f"{name}-{n}", 0, 0, LegState.DONE)
        for n, (tender, part) in enumerate(spread(refundable(order, refunds).tenders, amount_fen))
    ]
    if replaced and legs:
        instead = replace(legs[0], leg_id=f"{name}-x", kind="cash")
        legs = [replace(legs[0], state=LegState.REPLACED), *legs[1:], instead]
    one = Refund(name, "o", name, "till-1", "2026-11-22", amount_fen, "x", "Li", 0, lines, tuple(legs))
    refunds.append(replace(one, phase=RefundPhase.DONE))


def balances(order: Order, refunds: list[Refund]) -> dict[str, int]:
    postings: list[Posting] = [post_tender(f"p{one.tender_id}", order, one) for one in order.tenders]
    postings.append(post_sale("sale", order, 9))
    for refund in refunds:
        postings.append(post_refund("p", order, refund, 9))
        kept = [leg for leg in refund.legs if leg.state is LegState.DONE]
        postings += [post_refund_leg("p", refund, leg, 9) for leg in kept]
    found: dict[str, int] = {}
    for entry in (entry for posting in postings for entry in posting.entries):
        found[entry.account] = found.get(entry.account, 0) + entry.amount_fen
    return found


@settings(max_examples=150, deadline=None)
@given(order=orders(), data=st.data())
def test_any_row_of_refunds_stays_within_the_order_and_its_rest_closes_it_to_zero(
    order: Order, data: st.DataObject
) -> None:
    refunds: list[Refund] = []
    for _ in range(data.draw(st.integers(0, 6))):
        left = refundable(order, refunds)
        line = data.draw(st.sampled_from(left.lines))
        try:
            if data.draw(st.booleans()):
                lines = pick_lines(left, {line.line.line_id: data.draw(st.integers(1, 9))})
            else:
                lines = share_amount(left, data.draw(st.integers(1, 9_999)))
        except Invalid:
            continue
        give_back(order, refunds, lines, data.draw(st.booleans()))
        now = refundable(order, refunds)
        assert all(one.quantity >= 0 and one.amount_fen >= 0 for one in now.lines)
        assert all(one.amount_fen >= 0 for one in now.tenders)
        assert sum(one.amount_fen for one in now.lines) == now.amount_fen
    rest = refundable(order, refunds)
    if rest.amount_fen:
        give_back(order, refunds, all_lines(rest), replaced=False)
    end = refundable(order, refunds)
    assert all(one.amount_fen == 0 for one in (*end.lines, *end.tenders))
    books = balances(order, refunds)
    assert sum(books.values()) == 0
    assert books["due/o"] == 0
    assert all(fen == 0 for account, fen in books.items() if account.startswith("sales/"))
    instead = sum(
        leg.amount_fen
        for refund in refunds
        for leg in refund.legs
        if leg.state is LegState.REPLACED and leg.kind != "cash"
    )
    assert sum(fen for account, fen in books.items() if account == "tender/cash") == -instead


@settings(max_examples=200, deadline=None)
@given(order=orders(), amount_fen=st.integers(1, 60_000))
def test_an_amount_is_spread_to_the_fen_and_no_line_or_tender_gives_more_than_it_has(
    order: Order, amount_fen: int
) -> None:
    left = refundable(order, ())
    if amount_fen > left.amount_fen:
        return
    lines = share_amount(left, amount_fen)
    assert sum(line.amount_fen for line in lines) == amount_fen
    there = {one.line.line_id: one.amount_fen for one in left.lines}
    assert all(0 < line.amount_fen <= there[line.line_id] for line in lines)
    parts = spread(left.tenders, amount_fen)
    assert sum(part for _, part in parts) == amount_fen
    assert all(0 < part <= tender.amount_fen for tender, part in parts)
