"""A stay that was paid for and one that was not; for several tests."""

from __future__ import annotations

from edge.parking.debt import Debt, DebtCause, settle_debt
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.retail.order import Order
from edge.services import parking_money_events as told
from edge.services.events import Data, EventKind

AT = 1_795_336_000_000
STAY = Session("stay-1", "p1", "粤B12345", AT - 7_800_000, "entry-1")
ORDER = Order("order-1", "exit-1-0001", "basket-1", "exit-1", "2026-11-22", AT, ())
SETTLED = Settlement("settlement-1", "stay-1", "order-1", 1_500, AT, AT + 900, "exit-1")
DEBT = Debt("debt-1", "stay-1", "粤B12345", 1_500, DebtCause.UNCONFIRMED, AT, "exit-1")


def stay_money_data() -> dict[EventKind, Data]:
    """Return the data of an event of each kind about money for stays."""
    return {
        EventKind.PARKING_PAID: told.parking_paid(SETTLED, ORDER, STAY),
        EventKind.DEBT_RECORDED: told.debt_changed(DEBT),
        EventKind.DEBT_SETTLED: told.debt_changed(settle_debt(DEBT, "order-1", AT + 5)),
    }
