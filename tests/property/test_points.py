"""Points: sums are balances, none below zero, whole refunds close to zero, leases are never overspent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Corrupt, Declined, Invalid
from edge.members.identity import MAX_HOPS, follow
from edge.members.points import (
    PointsEntry,
    PointsKind,
    PointsLease,
    PointsPlan,
    PointsRule,
    account,
    close_lease,
    due_back,
    earned,
    is_over,
    spend_lease,
    split_back,
    unspend_lease,
)

AT = 1_795_300_000_000

moves = st.lists(
    st.tuples(st.sampled_from(["earn", "spend", "back", "expire"]), st.integers(1, 500), st.integers(0, 4)),
    max_size=40,
)


def line(number: int, kind: PointsKind, points: int, source: str, owed: int = 0) -> PointsEntry:
    return PointsEntry(f"e-{number:03d}", "m-1", kind, points, AT + number, source, owed=owed)


@given(moves)
def test_a_balance_is_the_sum_of_its_lines_and_never_below_zero(wanted: list[tuple[str, int, int]]) -> None:
    lines: list[PointsEntry] = []
    for number, (what, points, order) in enumerate(wanted):
        held = account(lines)
        if what == "earn":
            expires_at = AT + 20 if order % 2 else None
            lines.append(replace(line(number, PointsKind.EARN, points, f"o-{order}"), expires_at=expires_at))
        elif what == "spend" and held.balance:
            lines.append(line(number, PointsKind.SPEND, -min(points, held.balance), f"s-{number}"))
        elif what == "back":
            there, owed = split_back(held, points)
            lines.append(line(number, PointsKind.REVERSE_EARN, -there, f"o-{order}", owed=owed))
        elif what == "expire":
            over = [lot for lot in held.lots if is_over(lot, AT + number)]
            lines += [line(number, PointsKind.EXPIRE, -lot.points, lot.source) for lot in over]
        now = account(lines)
        assert now.balance == sum(one.points for one in lines) >= 0
        assert now.owed == sum(one.owed for one in lines) >= 0
        assert now.balance == sum(lot.points for lot in now.lots)
        assert all(lot.points > 0 for lot in now.lots)


@given(
    st.integers(1, 10_000),
    st.lists(st.integers(1, 400), min_size=1, max_size=12),
)
def test_refunds_in_any_parts_and_order_take_back_all_of_it(points: int, parts: list[int]) -> None:
    basis_fen = sum(parts)
    for order in (parts, parts[::-1], sorted(parts)):
        left_fen, back = basis_fen, 0
        for part in order:
            left_fen -= part
            step = due_back(points, basis_fen, left_fen, back)
            back += step
            assert step >= 0
            assert back == points - points * left_fen // basis_fen
            assert due_back(points, basis_fen, left_fen, back) == 0
        assert back == points


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 80), st.integers(0, 3)), max_size=60))
def test_several_boxes_with_leases_never_spend_more_than_there_is(
    deeds: list[tuple[int, int, int]],
) -> None:
    pool, spent = 100, 0
    leases: list[PointsLease] = []
    for number, (box, points, what) in enumerate(deeds):
        mine = [one for one in leases if one.lease_id.startswith(f"box-{box}/")]
        if what == 0 and pool >= points:
            pool -= points
            leases.append(PointsLease(f"box-{box}/{number}", "m-1", points, AT, AT + 30))
            continue
        for lease in mine[:1]:
            leases.remove(lease)
            if what == 1 and lease.closed_at is None:
                pool += lease.left
                lease = close_lease(lease, AT + number)
            elif what == 2 and lease.spent and lease.closed_at is None:
                spent -= 1
                lease = unspend_lease(lease, 1)
            else:
                try:
                    lease = spend_lease(lease, points, AT + number)
                    spent += points
                except Declined:
                    pass
            leases.append(lease)
        assert 0 <= spent <= 100
        assert pool + spent + sum(one.left for one in leases if one.closed_at is None) == 100


def test_a_ring_of_mergers_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(Corrupt, match=str(MAX_HOPS)):
        follow("a", lambda member: {"a": "b", "b": "a"}[member])


def test_tenants_ratios_tiers_and_caps() -> None:
    plan = PointsPlan(
        (PointsRule("", 1, 100), PointsRule("t-tea", 2, 100, most_per_order=50, most_per_day=70)),
        {"gold": 150},
    )
    assert earned(plan, "t-other", 1_999, "") == 19
    assert earned(plan, "t-other", 1_999, "gold") == 28
    assert earned(plan, "t-tea", 9_900, "") == 50
    assert earned(plan, "t-tea", 9_900, "", today=60) == 10
    assert earned(plan, "t-tea", 9_900, "", today=99) == 0
    assert earned(plan, "t-other", 0, "") == 0
    assert earned(PointsPlan((PointsRule("t-tea", 1),)), "t-other", 1_000, "") == 0


def test_points_of_the_same_order_go_back_first_then_those_that_expire_first() -> None:
    lines = [
        replace(line(1, PointsKind.EARN, 10, "o-1"), expires_at=AT + 900),
        replace(line(2, PointsKind.EARN, 10, "o-2"), expires_at=AT + 100),
        line(3, PointsKind.SPEND, -4, "s-1"),
        line(4, PointsKind.REVERSE_EARN, -10, "o-1"),
    ]
    held = account(lines)
    assert [(lot.source, lot.points) for lot in held.lots] == [("o-2", 6)]
    with pytest.raises(Invalid, match="more were taken"):
        account([*lines, line(5, PointsKind.SPEND, -7, "s-2")])
    with pytest.raises(Invalid, match="more than is owed"):
        account([line(1, PointsKind.OWED, 0, "", owed=-1)])


def test_a_lease_says_what_is_wrong() -> None:
    lease = PointsLease("l-1", "m-1", 100, AT, AT + 10)
    with pytest.raises(Declined, match="100 are set aside"):
        spend_lease(lease, 101, AT)
    with pytest.raises(Declined, match="gone back"):
        spend_lease(lease, 1, AT + 10)
    with pytest.raises(Invalid, match="spend 1"):
        spend_lease(lease, 0, AT)
    with pytest.raises(Invalid, match="cannot go back"):
        unspend_lease(lease, 1)
    closed = close_lease(lease, AT + 10)
    assert close_lease(closed, AT + 99) == closed
    assert closed.left == 100
