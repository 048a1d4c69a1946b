"""However money is split and given back, it sums to the fen, and nobody gives back more than it got."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge.retail.basket import LineItem
from edge.retail.money_share import (
    PaymentSplit,
    ShareReturn,
    ShareState,
    TenantTerms,
    commission_of,
    plan_shares,
    to_return,
)
from edge.retail.split import OrderPart, amounts_by_tenant, combine, split_lines, spread_back

TENANTS = ["t-a", "t-b", "t-c", "t-d", "parking"]
MERCHANTS = {"t-a": "1900000011", "t-b": "1900000012", "t-c": "1900000011"}
TERMS = {one: TenantTerms(number, 75) for one, number in MERCHANTS.items()}

fen = st.integers(0, 1_000_000)
lines = st.lists(st.tuples(st.sampled_from(TENANTS), fen), min_size=1, max_size=20)


def items(given_lines: list[tuple[str, int]]) -> tuple[LineItem, ...]:
    return tuple(
        LineItem(f"l{at}", "sku", tenant, "货", "good", "", 1, amount, amount)
        for at, (tenant, amount) in enumerate(given_lines)
    )


@given(lines, st.integers(0, 1_000))
def test_the_parts_sum_to_what_is_due_and_hold_every_tenant_once(
    given_lines: list[tuple[str, int]], permille: int
) -> None:
    goods = items(given_lines)
    due = sum(line.amount_fen for line in goods) * permille // 1_000
    shares = split_lines(goods, MERCHANTS, due)
    assert sum(one.amount_fen for one in shares) == due
    tenants = [tenant for one in shares for tenant in one.tenants]
    assert len(tenants) == len(set(tenants))
    assert all(MERCHANTS.get(tenant, "") == one.merchant for one in shares for tenant in one.tenants)
    parts = combine(shares, range(2, 11))
    assert parts in ((), shares)


@given(lines, st.lists(st.tuples(st.integers(0, 19), fen), max_size=8))
def test_refunds_take_from_each_part_what_it_has_and_in_the_end_all(
    given_lines: list[tuple[str, int]], wishes: list[tuple[int, int]]
) -> None:
    goods = items(given_lines)
    shares = split_lines(goods, MERCHANTS, sum(line.amount_fen for line in goods))
    parts = [
        OrderPart(one.merchant, f"part-{at}", one.amount_fen, "", one.tenants)
        for at, one in enumerate(shares)
    ]
    left = {line.line_id: line for line in goods}
    held: dict[str, int] = {}
    total = sum(part.amount_fen for part in parts)

    def give(wanted: dict[str, int]) -> None:
        amount = sum(wanted.values())
        back = spread_back(parts, held, wanted, amount)
        assert sum(one for _, one in back) == amount
        for part, one in back:
            held[part.merchant_order_no] = held.get(part.merchant_order_no, 0) + one
            assert held[part.merchant_order_no] <= part.amount_fen

    for at, most in wishes:
        line = left.pop(f"l{at}", None)
        if line is not None and sum(held.values()) + line.amount_fen <= total:
            give({line.tenant_id: min(line.amount_fen, most) if most else 0})
    give({"": total - sum(held.values())})
    assert sum(held.values()) == total


@given(st.dictionaries(st.sampled_from(TENANTS), fen, min_size=1), st.integers(0, 1_000), st.booleans())
def test_no_more_goes_on_than_is_agreed_and_nobody_gets_more_than_is_theirs(
    amounts: dict[str, int], permille: int, to_mall: bool
) -> None:
    shares = plan_shares(amounts, TERMS, permille, "1900000011" if to_mall else "")
    assert sum(one.amount_fen for one in shares) <= sum(amounts.values()) * permille // 1_000
    for one in shares:
        kept = commission_of(amounts[one.tenant_id], 75)
        assert 0 < one.amount_fen <= (kept if to_mall else amounts[one.tenant_id] - kept)
        assert one.merchant == ("" if to_mall else MERCHANTS[one.tenant_id])


@given(
    st.dictionaries(st.sampled_from(sorted(MERCHANTS)), st.integers(1, 100_000), min_size=1),
    st.lists(st.integers(0, 1_000), max_size=6),
)
def test_returns_leave_everybody_with_what_is_planned_by_now(
    amounts: dict[str, int], keeps: list[int]
) -> None:
    first = plan_shares(amounts, TERMS, 1_000)
    split = PaymentSplit("s", "o", "t", "g", "", "x", max(1, sum(amounts.values())), "n", 0, 0, (), first)
    returns: list[ShareReturn] = []
    share = 1_000
    for keep in [*sorted(keeps, reverse=True), 0]:
        share = min(share, keep)
        planned = plan_shares({one: fen * share // 1_000 for one, fen in amounts.items()}, TERMS, 1_000)
        for back in to_return(split, returns, planned):
            number = f"r{len(returns)}"
            returns.append(
                ShareReturn(
                    *(number, "s", "refund", back.tenant_id, back.merchant, back.amount_fen, number, 0, 0),
                    ShareState.DONE,
                )
            )
        stays = {one.tenant_id: one.amount_fen for one in planned}
        for one in first:
            gone = sum(back.amount_fen for back in returns if back.tenant_id == one.tenant_id)
            assert one.amount_fen - gone == stays.get(one.tenant_id, 0)
    assert amounts_by_tenant(()) == {}
