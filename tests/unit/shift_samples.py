"""A cashier's shift with a sale, a late refund, cash moved and a count that is short; for several tests."""

from __future__ import annotations

from edge.retail.ledger import Entry, Posting
from edge.retail.shift import (
    CashKind,
    CashMovement,
    Shift,
    begin_count,
    cash_count,
    close_shift,
    give_count,
    move_cash,
    open_shift,
)
from edge.retail.shift_report import Booked, DayReport, OpenPayment, ShiftReport, day_report, report
from edge.services import shift_events
from edge.services.events import Data, EventKind

AT = 1_795_336_000_000
DAY = "2026-11-22"

OPENED = open_shift("shift-1", "till-1", "李雷", DAY, AT, 20_000, 4)

BOOKED = (
    Booked(
        5,
        Posting("p-1", "tender", "t-1", AT + 10, (Entry("tender/cash", 700), Entry("due/o-1", -700))),
        "till-1-0007",
        AT + 5,
        300,
    ),
    Booked(
        6,
        Posting("p-2", "sale", "o-1", AT + 10, (Entry("due/o-1", 700), Entry("sales/t-drinks", -700))),
        "till-1-0007",
        AT + 5,
    ),
    Booked(
        8,
        Posting("p-3", "refund", "r-1", AT + 20, (Entry("sales/t-bakery", 200), Entry("due/o-0", -200))),
        "till-1-0001",
        AT - 90_000,
    ),
    Booked(
        9,
        Posting("p-4", "refund_tender", "l-1", AT + 20, (Entry("due/o-0", 200), Entry("tender/cash", -200))),
        "till-1-0001",
        AT - 90_000,
    ),
)


def moved(kind: CashKind, amount_fen: int, number: int = 1) -> CashMovement:
    """Return a cash movement."""
    return CashMovement(f"move-{number}", kind, amount_fen, "换零钱", "李雷", AT + 30)


def counted(*, loose_fen: int = 0) -> Shift:
    """Return the shift with a pay-in of 50, a pick-up of 100 yuan, and 155 yuan and loose change counted."""
    paid_in = move_cash(OPENED, moved(CashKind.PAY_IN, 5_000))
    moving = move_cash(paid_in, moved(CashKind.PICK_UP, 10_000, 2))
    count = cash_count({"note_10000": 1, "note_5000": 1, "coin_100": 5}, loose_fen, "李雷", AT + 40)
    return give_count(begin_count(moving), count, 15_500)


def z_report(*, loose_fen: int = 0, reason: str = "") -> ShiftReport:
    """Return the Z report of the shift; it expects 155 yuan."""
    closed = close_shift(counted(loose_fen=loose_fen), 3, 9, 15_500, "李雷", AT + 50, reason, 100)
    unknown = (OpenPayment("attempt-1", "wechat_pay", 990, AT + 45),)
    return report(closed, BOOKED, {"declined": 2}, unknown, AT + 50)


def day() -> DayReport:
    """Return the day of that one shift."""
    return day_report(DAY, [z_report()])


def shift_data() -> dict[EventKind, Data]:
    """Return one example of what HQ is told of each."""
    return {
        EventKind.SHIFT_OPENED: shift_events.shift_opened(OPENED),
        EventKind.SHIFT_CLOSED: shift_events.shift_closed(z_report()),
        EventKind.DAY_CLOSED: shift_events.day_closed(day(), "王主管", AT + 60),
    }
