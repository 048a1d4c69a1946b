"""Whatever a bill holds, its rows come back as they were, and any change of its bytes is noticed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import Corrupt, EdgeError, Unavailable
from edge.retail.bill import BillKind, BillRow
from tests.unit.test_wechat_pay_bills import (
    DAY,
    GOOD,
    HEADER,
    TOTALS,
    bill,
    fetch,
    file,
    offer,
    paid,
    refunded,
    source,
    totals,
)
from tests.unit.test_wechat_pay_channel import Script

names = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("总交易单数\n\r,`1", max_size=20)
amounts = st.integers(1, 10_000_000)
numbers = st.text("ABCDEFabc0123456789_-", min_size=6, max_size=32)
sales = st.lists(st.tuples(numbers, amounts, names), max_size=12)
returns = st.lists(st.tuples(numbers, amounts), max_size=6)


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def written(sold: Sequence[tuple[str, int, str]], given_back: Sequence[tuple[str, int]]) -> bytes:
    rows = [paid(number, yuan(fen), "0.00000", name) for number, fen, name in sold]
    rows += [refunded(number, yuan(fen), "0.00000") for number, fen in given_back]
    taken, returned = sum(fen for _, fen, _ in sold), sum(fen for _, fen in given_back)
    return bill(HEADER, *rows, TOTALS, totals(len(rows), yuan(taken), yuan(returned), "0.00000"))


def kept(rows: Sequence[BillRow], kind: BillKind) -> list[tuple[str, int]]:
    return [
        (row.merchant_refund_no or row.merchant_order_no, row.amount_fen) for row in rows if row.kind is kind
    ]


@given(sales, returns)
@settings(max_examples=150, deadline=None)
def test_rows_come_back_whatever_the_goods_are_called(
    sold: list[tuple[str, int, str]], given_back: list[tuple[str, int]]
) -> None:
    rows = fetch(written(sold, given_back))
    assert kept(rows, BillKind.PAYMENT) == [(number, fen) for number, fen, _ in sold]
    assert kept(rows, BillKind.REFUND) == [(number, fen) for number, fen in given_back]


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_is_noticed(at: int, value: int) -> None:
    changed = GOOD[:at] + bytes([value]) + GOOD[at + 1 :]
    script = offer(Script(), GOOD).gives(file(changed, zipped=False))
    if changed == GOOD:
        return
    with pytest.raises(EdgeError):
        source(script).trade_bill(DAY)


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_what_is_no_bill_is_refused_even_with_the_right_hash(content: bytes) -> None:
    with pytest.raises((Corrupt, Unavailable)):
        fetch(content, zipped=False)
