"""The data of what HQ is told of shifts and business days."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import Invalid
from edge.retail.shift import CashKind, Shift
from edge.retail.shift_report import DayReport, ShiftReport, TenantTotal, TenderTotal
from edge.services.events import Data, Json


def shift_opened(shift: Shift) -> Data:
    """Return the data of "shift.opened", told of a cashier's shift."""
    return {**_head(shift), "float_fen": shift.float_fen}


def shift_closed(report: ShiftReport) -> Data:
    """Return the data of "shift.closed": its Z report. counted_fen is null where nothing was counted."""
    shift = report.shift
    if shift.number is None:
        raise Invalid(
            f"the shift at {shift.workstation} is {shift.state}, not closed; there is nothing to tell"
        )
    return {
        **_head(shift),
        "number": shift.number,
        "closed_at": shift.closed_at,
        "closed_by": shift.closed_by,
        "orders": report.orders,
        "first_order": report.first_order,
        "last_order": report.last_order,
        "tenders": _tenders(report.tenders),
        "tenants": _tenants(report.tenants),
        "change_fen": report.change_fen,
        "float_fen": shift.float_fen,
        "pay_in_fen": shift.cash_moved_fen(CashKind.PAY_IN),
        "pick_up_fen": shift.cash_moved_fen(CashKind.PICK_UP),
        "no_sales": sum(one.kind is CashKind.NO_SALE for one in shift.movements),
        "expected_fen": shift.expected_fen,
        "counted_fen": shift.counted_fen,
        "over_short_fen": shift.over_short_fen,
        "counts": len(shift.counts),
        "reason": shift.reason,
        "open_payments": len(report.open_payments),
    }


def day_closed(report: DayReport, by: str, at: int) -> Data:
    """Return the data of "day.closed": totals over its shifts. by: "" for the box itself."""
    return {
        "business_day": report.day,
        "closed_at": at,
        "closed_by": by,
        "shifts": [{"workstation": place, "number": number} for place, number in report.z_numbers],
        "orders": report.orders,
        "tenders": _tenders(report.tenders),
        "tenants": _tenants(report.tenants),
        "change_fen": report.change_fen,
        "over_short_fen": report.over_short_fen,
    }


def _head(shift: Shift) -> dict[str, Json]:
    return {
        "shift_id": shift.shift_id,
        "workstation": shift.workstation,
        "cashier": shift.cashier,
        "business_day": shift.business_day,
        "opened_at": shift.opened_at,
        "currency": "CNY",
    }


def _tenders(tenders: Sequence[TenderTotal]) -> list[Json]:
    return [
        {
            "kind": one.kind,
            "payments": one.payments,
            "taken_fen": one.taken_fen,
            "refunds": one.refunds,
            "refunded_fen": one.refunded_fen,
        }
        for one in tenders
    ]


def _tenants(tenants: Sequence[TenantTotal]) -> list[Json]:
    return [
        {"tenant_id": one.tenant_id, "sold_fen": one.sold_fen, "returned_fen": one.returned_fen}
        for one in tenants
    ]
