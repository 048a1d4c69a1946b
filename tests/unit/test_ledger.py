"""The books: every posting sums to zero, a sale shares its money among tenants."""

from __future__ import annotations

import pytest

from edge.errors import Invalid
from edge.retail.ledger import Entry, Posting, post_sale, post_tender
from edge.retail.order import Tender
from tests.unit.hq_samples import line, paid_order

TENDER = Tender("tender-1", "cash", 500, 7, 1_000, 500)


@pytest.mark.parametrize("entries", [(), (Entry("a", 0),), (Entry("a", 5),), (Entry("a", 5), Entry("b", -4))])
def test_a_posting_that_does_not_sum_to_zero_over_two_sides_is_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(Invalid, match="posting p-1 sums to"):
        Posting("p-1", "sale", "o", 0, entries)


def test_a_tender_is_held_against_what_is_due_without_the_change() -> None:
    posting = post_tender("p-1", paid_order(), TENDER)
    assert posting.entries == (Entry("tender/cash", 500), Entry("due/order-1", -500))
    assert (posting.kind, posting.reference, posting.posted_at) == ("tender", "tender-1", 7)


def test_a_sale_credits_each_tenant_with_its_own_goods() -> None:
    order = paid_order(line(1), line(2, "t-bakery", 800), line(3, amount_fen=50))
    assert post_sale("p-1", order, 9).entries == (
        Entry("due/order-1", 2_100),
        Entry("sales/t-bakery", -800),
        Entry("sales/t-coffee", -1_300),
    )
