"""The data of what HQ is told of parking fees and debts."""

from __future__ import annotations

from edge.parking.debt import Debt
from edge.parking.quote import Settlement
from edge.parking.session import Session
from edge.retail.order import Order
from edge.services.events import Data


def parking_paid(settled: Settlement, order: Order, session: Session | None, clock_note: str = "") -> Data:
    """Return the data of "parking.paid": confirmed money for a stay, by which order and where.

    clock_note: that of the quote that was paid.
    """
    return {
        "settlement_id": settled.settlement_id,
        "session_id": settled.session_id,
        "plate": session.plate if session else "",
        "zone": session.zone if session else "",
        "entered_at": session.entered_at if session else None,
        "order_id": order.order_id,
        "order_number": order.number,
        "workstation": settled.at_place,
        "business_day": order.business_day,
        "currency": "CNY",
        "amount_fen": settled.amount_fen,
        "covers_until": settled.covers_until,
        "settled_at": settled.settled_at,
        "clock_note": clock_note,
    }


def debt_changed(debt: Debt) -> Data:
    """Return the data of "debt.recorded" and "debt.settled", written off or paid."""
    return {
        "debt_id": debt.debt_id,
        "session_id": debt.session_id,
        "plate": debt.plate,
        "lane": debt.lane,
        "currency": "CNY",
        "amount_fen": debt.amount_fen,
        "cause": debt.cause.value,
        "recorded_at": debt.recorded_at,
        "recorded_by": debt.recorded_by,
        "state": debt.state.value,
        "order_id": debt.order_id,
        "closed_at": debt.closed_at,
        "closed_by": debt.closed_by,
        "reason": debt.reason,
    }
