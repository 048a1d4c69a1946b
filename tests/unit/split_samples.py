"""What HQ is told of money that goes to several merchants, one sample of each kind."""

from __future__ import annotations

from edge.retail.attempt import AttemptState, PaymentAttempt, PayWay
from edge.retail.money_share import MoneyShare, PaymentSplit, ShareState, SplitState, TenantTerms
from edge.retail.order import Order
from edge.retail.split import OrderPart
from edge.services import split_events
from edge.services.events import Data, EventKind
from tests.unit.ticket_samples import AT, TEA, TICKET

ORDER = Order("order-1", "T01-0001", "basket-1", "T01", "2026-11-22", AT, (TEA,))
_PARTS = (
    OrderPart("1900000011", "a" * 32, 18_000, "Tea", ("t-tea",), "4200001"),
    OrderPart("", "b" * 32, 500, "Mall", ("t-gift",), "4200002"),
)
_ATTEMPT = PaymentAttempt(
    *("attempt-1", "order-1", "T01", "wechat_pay", "c" * 32, 18_500, "", AT, AT, AT, AttemptState.APPROVED),
    way=PayWay.NATIVE,
    parts=_PARTS,
)
_SHARES = (
    MoneyShare("t-tea", "1900000011", 16_000, ShareState.DONE),
    MoneyShare("t-bakery", "1900000012", 700, ShareState.FAILED, "NO_RELATION"),
)
_SPLIT = PaymentSplit(
    *("split-1", "order-1", "tender-1", "wechat_pay", "", "4200003", 18_500, "d" * 32, AT, AT, ()),
    *(_SHARES, SplitState.DONE, 1, "FINISHED", AT),
)


def split_data() -> dict[EventKind, Data]:
    terms = {"t-tea": TenantTerms("1900000011", 80)}
    return {
        EventKind.TICKETS_MERGED: split_events.tickets_merged(ORDER, [TICKET]),
        EventKind.ORDER_SPLIT: split_events.order_split(ORDER, [_ATTEMPT], [_SPLIT], terms, {"t-tea": 1_440}),
        EventKind.PAYMENT_SHARED: split_events.payment_shared(_SPLIT),
    }
